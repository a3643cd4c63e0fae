"""Any file of rows, as a table all of text: CSV of any dialect, a spreadsheet, JSON, Parquet.

Each row has the number of the line it begins on: of a spreadsheet the row's own, of JSON the line of the object, of Parquet
counted from 1. Nothing here knows what a row means.
"""

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import chain, islice
from json import JSONDecodeError, JSONDecoder
from pathlib import Path
from statistics import median_high

from python_calamine import CalamineError, CalamineWorkbook, WorksheetNotFound, XmlError, ZipError

from streams.sources.opened import ENDLESS, BrokenFileError, Opened, UnreadableError, bytes_of, is_file

OnBad = Callable[[int, str], None]
Watch = Callable[[Opened], None]

_HEAD = 50
_DELIMITERS = ",;\t|"
_PARQUET = b"PAR1"
_SHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
# What stands in rows and hardly over a column: a long number, a date, a clock.
_DATUM = re.compile(r"[+]?[0-9][0-9 ._-]{5,}|[0-9]{1,4}[-/.:][0-9]{1,2}([-/.:T ][0-9:.+Z-]+)*", re.ASCII)
_BETWEEN = re.compile(r"[\s,\[\]]*")
_SEP = re.compile(r"sep=(.)\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Grid:
    """Rows under a header, or, where they are not `named`, under `column0`, …; a row has as many cells as `columns`."""

    columns: Sequence[str]
    rows: Iterator[tuple[int, Sequence[str | None]]]
    named: bool = True


@dataclass(frozen=True)
class Records:
    """Objects, each with its values by name; not all have all names."""

    rows: Iterable[tuple[int, Mapping[str, object]]]


@dataclass(frozen=True)
class Parquet:
    """A Parquet file, which DuckDB reads by itself."""

    path: Path


Rows = Grid | Records | Parquet


@contextmanager
def opened(
    path: Path, on_bad: OnBad, sheet: str | None = None, header: int | None = None, watch: Watch = lambda _: None
) -> Iterator[Rows]:
    """The rows of a file, plain or packed (gzip, bzip2, xz); `on_bad` is told the line and fault of each that is none.

    The `header` is the first line that is filled for the greater part; its number may be given, or 0 where there is none: then,
    and where a long number, a date or a clock stands in it, the columns are `column0`, `column1`, …. Of a workbook the first
    sheet is read, or that named `sheet`. Raises `UnreadableError` and `OSError`.
    """
    magic = bytes_of(path, 4) if is_file(path) and path.exists() else b""
    if magic in _SHEETS:
        yield _grid(_of_sheet(path, sheet), on_bad, header)
        return
    if sheet is not None:
        raise UnreadableError(f"{path}: is no workbook, so it has no sheet of that name")
    if magic == _PARQUET:
        yield Parquet(path)
        return
    with Opened(path) as file:
        file.refuse_bytes()
        watch(file)
        if file.head.lstrip()[:1] in (b"{", b"[") and header is None:
            yield Records(_objects(file, on_bad))
        else:
            yield _grid(_of_text(file, on_bad), on_bad, header)


def text_of(cell: object) -> str | None:
    """A cell that is no text yet, as one: ISO 8601 for times, a number without needless digits."""
    match cell:
        case None | "":
            return None
        case str():
            return cell
        case bool():
            return "TRUE" if cell else "FALSE"
        case float():
            return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
        case datetime():
            return cell.isoformat(sep=" ")
        case date() | time():
            return cell.isoformat()
        case timedelta():
            seconds = round(cell.total_seconds())
            return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        case _:
            return str(cell)


def decode(line: bytes) -> str:
    """Text of any bytes: UTF-8, or what Windows writes in western Europe and Indonesia where it is none. Never raises."""
    for encoding in ("utf-8", "cp1252"):
        try:
            return line.decode(encoding)
        except UnicodeDecodeError:
            continue
    return line.decode("latin-1")


def _grid(rows: Iterator[tuple[int, list[str]]], on_bad: OnBad, header: int | None) -> Grid:
    head = [*islice(rows, _HEAD if header is None else max(header, _HEAD))]
    if not head:
        raise UnreadableError("is empty: it has not even a header")
    at = _header(head) if header is None else next((at for at, (line, _) in enumerate(head) if line == header), None)
    if header and at is None:
        raise UnreadableError(f"line {header} is no row, and so no header")
    if at is None:
        width = max(len(row) for _, row in head)
        return Grid([f"column{n}" for n in range(width)], _fitting(chain(head, rows), width, on_bad, short=True), named=False)
    names = [name.strip() or f"column{n}" for n, name in enumerate(head[at][1])]
    return Grid(names, _fitting(chain(head[at + 1 :], rows), len(names), on_bad))


def _header(head: list[tuple[int, list[str]]]) -> int | None:
    """Which row names the columns; None where the first that could be one is a row like the others."""
    usual = median_high(_filled(row) for _, row in head)
    for at, (_, row) in enumerate(head):
        if 2 * _filled(row) > usual:
            return None if any(_DATUM.fullmatch(cell.strip()) for cell in row) else at
    return None


def _filled(row: list[str]) -> int:
    return sum(1 for cell in row if cell.strip())


def _fitting(
    rows: Iterable[tuple[int, list[str]]], width: int, on_bad: OnBad, *, short: bool = False
) -> Iterator[tuple[int, list[str]]]:
    for line, row in rows:
        if len(row) == width:
            yield line, row
        elif len(row) > width and not any(cell.strip() for cell in row[width:]):
            yield line, row[:width]
        elif len(row) < width and short:
            yield line, row + [""] * (width - len(row))
        else:
            on_bad(line, f"{len(row)} columns where the header has {width}")


def _of_sheet(path: Path, name: str | None) -> Iterator[tuple[int, list[str]]]:
    try:
        workbook = CalamineWorkbook.from_path(str(path))
        sheet = workbook.get_sheet_by_index(0) if name is None else workbook.get_sheet_by_name(name)
        first = 1 + (sheet.start[0] if sheet.start is not None else 0)
        for number, row in enumerate(sheet.iter_rows(), first):
            cells = [text_of(_to_the_millisecond(cell)) or "" for cell in row]
            if any(cells):
                yield number, cells
    except WorksheetNotFound:
        raise UnreadableError(f"{path}: has no sheet {name}; it has {', '.join(workbook.sheet_names)}") from None
    except (CalamineError, XmlError, ZipError):
        raise UnreadableError(f"{path}: no workbook that can be read (.xlsx, .ods, .xls), or locked by a password") from None


def _to_the_millisecond(cell: object) -> object:
    """A spreadsheet keeps days as fractions, which miss the second by some microseconds."""
    if not isinstance(cell, datetime):
        return cell
    return cell.replace(microsecond=0) + timedelta(milliseconds=round(cell.microsecond / 1000))


def _of_text(file: Opened, on_bad: OnBad) -> Iterator[tuple[int, list[str]]]:
    """The rows of a CSV file, without those that are empty."""
    lines = (decode(line) + "\n" for line in file.lines())
    try:
        head = [*islice(lines, _HEAD)]
        skip = 0
        if head and (told := _SEP.fullmatch(head[0])):
            delimiter, skip = told[1], 1
        else:
            delimiter = _delimiter(head)
        rows = csv.reader(chain(head[skip:], lines), delimiter=delimiter, skipinitialspace=delimiter != "\t")
        while True:
            line = skip + rows.line_num + 1
            try:
                row = next(rows)
            except csv.Error:
                on_bad(line, "no readable row: a quotation mark or a cell that goes on too long")
                continue
            if any(cell and not cell.isspace() for cell in row):
                yield line, row
    except StopIteration:
        return
    except BrokenFileError as broken:
        on_bad(skip + rows.line_num + 1, str(broken))


def _delimiter(head: list[str]) -> str:
    """What stands between the cells: with it most rows are as wide as each other, and wider than one."""

    def fit(delimiter: str) -> tuple[int, int]:
        try:
            widths = [len(row) for row in csv.reader(head, delimiter=delimiter) if row]
        except csv.Error:
            return 0, 0
        [(width, rows)] = Counter(widths).most_common(1) or [(1, 0)]
        return (rows, width) if width > 1 else (0, 0)

    return max(_DELIMITERS, key=fit)


def _objects(file: Opened, on_bad: OnBad) -> Iterator[tuple[int, Mapping[str, object]]]:
    """The objects of a JSON text: a line each, over many lines, or in an array; each with the line it begins on."""
    decoder, pieces = JSONDecoder(), (decode(piece) for piece in _whole_lines(file))
    text, at, line, ended = "", 0, 1, False
    while True:
        between = _BETWEEN.match(text, at)
        start = between.end() if between else at
        line += text.count("\n", at, start)
        at = start
        if at == len(text) or text[at] != "{":
            if at < len(text):
                on_bad(line, "no JSON object")
                at = text.find("\n", at) if "\n" in text[at:] else len(text)
                continue
            if ended:
                return
        else:
            try:
                record, end = decoder.raw_decode(text, at)
            except (JSONDecodeError, RecursionError):
                if ended or len(text) - at > ENDLESS:
                    on_bad(line, "no JSON object")
                    at = text.find("\n", at) if "\n" in text[at:] else len(text)
                    continue
            else:
                yield line, record
                line += text.count("\n", at, end)
                at = end
                continue
        try:
            piece = next(pieces, None)
        except BrokenFileError as broken:
            on_bad(line, str(broken))
            piece = None
        ended = piece is None
        text, at = text[at:] + (piece or ""), 0


def _whole_lines(file: Opened) -> Iterator[bytes]:
    for batch in file.batches():
        yield b"\n".join(batch) + b"\n"

"""What call centres already have, as events: each file here knows one kind of source."""

import gzip
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import IO, Literal, NamedTuple

from schemas.event import Event
from schemas.topics import Refusal, UnknownType, decode
from streams.core.centre import Centre
from streams.sources import asterisk
from streams.sources.follow import LONGEST, open_log
from streams.sources.pseudonym import Pseudonym

Kind = Literal["events", "queue_log"]

_LOOK = 100
_QUEUE_LOG = re.compile(rb"[0-9]+(\.[0-9]+)?\|([^|]*\|){3}")


class Line(NamedTuple):
    """What one line of a file says; a line of a queue_log can say two things, and then comes twice under one number."""

    number: int
    item: Event | UnknownType | Refusal


class UnknownFileError(ValueError):
    """A file that is neither events nor a queue_log."""


def kind(lines: list[bytes]) -> Kind | None:
    """What a file is, by the first of its lines that tells."""
    for line in lines:
        if line.lstrip().startswith(b"{"):
            return "events"
        if _QUEUE_LOG.match(line):
            return "queue_log"
    return None


def read(
    path: Path, centre: Centre, pseudonym: Pseudonym | None = None, passed_over: Counter[str] | None = None
) -> Iterator[Line]:
    """The events of a file, plain or gzip: JSON lines of events, or a queue_log of `centre`.

    What cannot be read comes as a `Refusal` with its line, also a gzip file that breaks off; empty lines and the verbs that
    `passed_over` counts do not come. Raises `UnknownFileError`, and `OSError` when the file cannot be opened.
    """
    with open_log(path) as file:
        lines = _lines(file)
        head = list(islice(lines, _LOOK))
        match kind([line for _, line in head if isinstance(line, bytes)]):
            case "events":
                yield from _read_events(chain(head, lines))
            case "queue_log":
                reader = asterisk.Reader(centre.code, f"/{centre.code}/asterisk", pseudonym, passed_over, centre.names.classes)
                yield from _read_queue_log(chain(head, lines), reader)
            case None if head:
                raise UnknownFileError(
                    f"{path.name}: neither events (a JSON object a line) nor a queue_log (epoch|callid|queue|agent|event); "
                    "for a table use: pantau112 ingest csv"
                )


def _lines(file: IO[bytes]) -> Iterator[tuple[int, bytes | Refusal]]:
    """The lines that are not empty, numbered. One that is too long comes cut; a break of the file comes last."""
    number = 0
    try:
        while line := file.readline(LONGEST + 1):
            number += 1
            rest = line
            while not rest.endswith(b"\n") and (rest := file.readline(LONGEST)):
                pass
            if not line.isspace():
                yield number, line
    except (EOFError, zlib.error, gzip.BadGzipFile):
        yield number + 1, Refusal("empty", "the gzip file breaks off here")


def _read_events(lines: Iterable[tuple[int, bytes | Refusal]]) -> Iterator[Line]:
    for number, line in lines:
        yield Line(number, line if isinstance(line, Refusal) else decode(line))


def _read_queue_log(lines: Iterable[tuple[int, bytes | Refusal]], reader: asterisk.Reader) -> Iterator[Line]:
    for number, line in lines:
        if isinstance(line, Refusal):
            yield Line(number, line)
            continue
        try:
            events = reader.read(line)
        except asterisk.MalformedError as malformed:
            yield Line(number, Refusal("invalid_data", str(malformed)))
        else:
            for event in events:
                yield Line(number, event)

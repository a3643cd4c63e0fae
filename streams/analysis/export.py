"""Export: events folded into tables of rows and written as files, with a page that says what every column means."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import file_digest
from inspect import cleandoc
from pathlib import Path

from schemas.topics import Refusal
from streams import secret
from streams.analysis.measure import fold
from streams.analysis.publication import PUBLISHED, publication
from streams.analysis.rows.row import columns
from streams.analysis.rows.told import TABLES, Rows
from streams.analysis.tables import Format, Tables
from streams.core.centre import Centre
from streams.core.source_clocks import AHEAD_SECONDS
from streams.sources import Line

DICTIONARY = "DICTIONARY.md"
"""The page beside the tables."""


_ROWS = (
    "Times are UTC. Durations are seconds. Codes are those of the centre's file; `other` is what it does not name. Callers are "
    "pseudonyms made with a secret key. Whoever joins these rows with other data may find people again: do not publish them."
)
_PUBLISHED = (
    "No count is of fewer than {k} calls, and none less others is of fewer either, whatever ranges and other k were published. "
    "Only whole months are counted: calls are known of before, and of a day after. One with fewer calls in all is left out. "
    "Publish beside it no counts of the same calls that are exact, by district or by hour."
)


@dataclass(frozen=True, slots=True)
class Request:
    """What is wanted: which tables, as what, and of rows that began from `start` to `until` (exclusive); None is no limit.

    With `k` it is what may be published, in which no count is of fewer calls, and not the `tables`.
    """

    tables: Sequence[str] = tuple(TABLES)
    format: Format = "parquet"
    start: datetime | None = None
    until: datetime | None = None
    k: int | None = None

    @property
    def kinds(self) -> Mapping[str, type]:
        """The rows of the tables to be written, by their names."""
        return PUBLISHED if self.k is not None else {name: TABLES[name] for name in self.tables}


@dataclass(frozen=True, slots=True)
class Export:
    """What was written: rows by file, how many lines had which outcome, and of when it is, epoch seconds (None: of nothing)."""

    rows: Mapping[str, int]
    outcomes: Counter[str]
    at: float | None


def export(
    lines: Iterable[Line],
    centres: Mapping[str, Centre],
    wall: float,
    to: Path,
    request: Request,
    about: Callable[[], Sequence[str]],
    on_refusal: Callable[[int, Refusal], None] = lambda _number, _refusal: None,
    ahead_seconds: float = AHEAD_SECONDS,
) -> Export:
    """Fold all lines, as `measure` does, and write the tables into a folder; `about` says, once they are read, what they are of.

    The same lines give the same bytes. All files appear when all are whole, for their user alone. Raises `OSError`.
    """
    to.mkdir(mode=0o700, parents=True, exist_ok=True)
    parts: dict[Path, Path] = {}

    def part(name: str) -> Path:
        parts[to / name] = to / f"{name}.part"
        return to / f"{name}.part"

    try:
        with Tables() as tables:
            rows = Rows(tables.write)
            _, moment, outcomes = fold(lines, centres, wall, None, on_refusal, ahead_seconds, rows=rows)
            if moment is not None:
                rows.finish(moment)
            tables.complete()
            if request.k is not None:
                tables.make(PUBLISHED)
                tables.put([*publication(tables.connection, centres, request.k, request.start, request.until)])
            written, hashes = {}, {}
            for table in request.kinds:
                name = f"{table}.{request.format}"
                written[name] = tables.save(table, part(name), request.format, request.start, request.until)
                with parts[to / name].open("rb") as file:
                    hashes[name] = file_digest(file, "sha256").hexdigest()
        page = dictionary(request, about(), outcomes, moment, written, hashes)
        with open(part(DICTIONARY), "w", encoding="utf-8", opener=secret.private) as text:
            text.write(page)
        for whole, unfinished in parts.items():
            unfinished.replace(whole)
    finally:
        for unfinished in parts.values():
            unfinished.unlink(missing_ok=True)
    return Export(written, outcomes, moment)


def dictionary(
    request: Request,
    about: Sequence[str],
    outcomes: Counter[str],
    moment: float | None,
    written: Mapping[str, int],
    hashes: Mapping[str, str],
) -> str:
    """The page: what the tables are of, and every column with its type and meaning."""
    since = "the first event" if request.start is None else _utc(request.start)
    until = "the last" if request.until is None else _utc(request.until)
    folded = ", ".join(f"{n:,} {outcome}" for outcome, n in sorted(outcomes.items())) or "none"
    text = [
        "# Tables",
        "\n".join(f"- `{line}`" for line in about),
        f"Rows that began from {since} to {until}, as known at {'no moment' if moment is None else _utc(_moment(moment))}. "
        f"Events: {folded}. Those that are late came over an hour after others of their source: they are in no row.",
        _PUBLISHED.format(k=request.k) if request.k is not None else _ROWS,
    ]
    for table, row in request.kinds.items():
        name = f"{table}.{request.format}"
        text += [
            f"## {name}",
            f"{cleandoc(row.__doc__ or '')} {written[name]:,} rows, SHA-256 `{hashes[name]}`.",
            "\n".join(
                [
                    "| column | type | NULL | meaning |",
                    "|---|---|---|---|",
                    *(
                        f"| {each.name} | {each.type} | {'yes' if each.nullable else 'never'} | {each.doc} |"
                        for each in columns(row)
                    ),
                ]
            ),
        ]
    return "\n\n".join(text) + "\n"


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()

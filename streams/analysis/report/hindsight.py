"""All events in the order of their time: what was told late is folded at its place, as if it had been told then."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from heapq import merge
from typing import Annotated

from schemas.event import Event
from schemas.topics import Refusal, decode_recording, encode
from streams.analysis.measure import fold
from streams.analysis.order import in_order
from streams.analysis.report.heard import Heard, Listening
from streams.analysis.rows.row import Seconds
from streams.analysis.rows.told import TABLES, Rows
from streams.analysis.tables import Tables
from streams.core.centre import Centre
from streams.core.source_clocks import AHEAD_SECONDS
from streams.sources import Line
from streams.worker.monitor import Monitor

TOGETHER = 1_000
"""So many late events go into their table at once, and come out of it."""


@dataclass(frozen=True, slots=True)
class Hindsight:
    """What is true of all events that were read, and what the boards could say of them in time."""

    true: Monitor
    live: Monitor
    """The same as `true` where nothing was late."""
    moment: float | None
    """When the last event happened, epoch seconds; None without any."""
    outcomes: Counter[str]
    late: int
    """How many came more than `LATENESS` behind others."""
    in_time: Counter[str]
    """What became of the events when they were folded as they came, as the boards had them."""
    heard: Mapping[str, Heard]
    """By centre, when anything was told of it."""


def fold_in_hindsight(
    read: Callable[[], Iterable[Line]],
    centres: Mapping[str, Centre],
    wall: float,
    tables: Tables,
    on_refusal: Callable[[int, Refusal], None] = lambda _number, _refusal: None,
    ahead_seconds: float = AHEAD_SECONDS,
) -> Hindsight:
    """Fold what `read` gives, and write its rows into the tables. If something is late, all is read and folded again."""
    named = 0

    def refuse(number: int, refusal: Refusal) -> None:
        nonlocal named
        if number > named:
            named = number
            on_refusal(number, refusal)

    late, rows, listening = _Late(tables), Rows(tables.write), Listening(centres, wall, ahead_seconds)
    lines = late.found(read(), listening)
    true, moment, outcomes = fold(lines, centres, wall, None, refuse, ahead_seconds, rows=rows)
    live, in_time = true, outcomes
    if late.count:
        live, _, in_time = fold(read(), centres, wall, None, refuse, ahead_seconds)
        tables.clear(TABLES)
        rows = Rows(tables.write)
        true, moment, outcomes = fold(late.placed(read()), centres, wall, None, refuse, ahead_seconds, rows=rows)
    if moment is not None:
        rows.finish(moment)
    tables.complete()
    return Hindsight(true, live, moment, outcomes, late.count, in_time, listening.heard)


@dataclass(slots=True)
class _Told:
    """An event that came late, as a row of a table."""

    time: Annotated[float, "DOUBLE", "When it happened, epoch seconds."]
    number: Annotated[int, "BIGINT", "Its line."]
    written: Annotated[Seconds | None, "When Kafka had it, epoch seconds."]
    event: Annotated[str, "The event as JSON."]


class _Late:
    """The events that come more than `LATENESS` behind the newest before them, on disk, because one clock that runs ahead makes
    all others late.
    """

    def __init__(self, tables: Tables) -> None:
        self.count = 0
        self._tables = tables
        tables.make({"late_events": _Told})

    def found(self, lines: Iterable[Line], listening: Listening) -> Iterator[Line]:
        """The lines in the order of their times, until one is late; then no more of them, but all that are late are kept. All are
        listened to.
        """
        kept = list[_Told]()

        def keep(time: float, line: Line) -> None:
            assert isinstance(line.item, Event)
            listening.note(time, line)
            kept.append(_Told(time, line.number, line.written, encode(line.item).decode()))
            if len(kept) == TOGETHER:
                self._keep(kept)

        for time, line in in_order(lines, keep):
            listening.note(time, line)
            if not kept and not self.count:
                yield line
        self._keep(kept)

    def placed(self, lines: Iterable[Line]) -> Iterator[Line]:
        """All lines in the order of their times, and those of one time as they came."""
        in_time = in_order(lines, lambda _time, _line: None)
        return (line for _, line in merge(in_time, self._again(), key=lambda told: (told[0], told[1].number)))

    def _keep(self, kept: list[_Told]) -> None:
        self._tables.put(kept)
        self.count += len(kept)
        kept.clear()

    def _again(self) -> Iterator[tuple[float, Line]]:
        # A cursor of its own: the rows are written through the other meanwhile.
        found = self._tables.connection.cursor().execute("FROM late_events ORDER BY time, number, event")
        while told := found.fetchmany(TOGETHER):
            for time, number, written, event in told:
                item = decode_recording(event.encode())
                assert isinstance(item, Event)
                yield time, Line(number, item, written)

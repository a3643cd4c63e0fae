"""All events in the order of their time: what was told late is folded at its place, as if it had been told then."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from heapq import heappop, heappush, merge
from math import inf
from typing import Annotated

from schemas.event import Event
from schemas.topics import Refusal, decode_recording, encode
from streams.analysis.measure import fold
from streams.analysis.rows.row import Seconds
from streams.analysis.rows.told import TABLES, Rows
from streams.analysis.tables import Tables
from streams.core.centre import Centre
from streams.core.ledger import LATENESS
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


def fold_in_hindsight(
    read: Callable[[], Iterable[Line]],
    centres: Mapping[str, Centre],
    wall: float,
    tables: Tables,
    on_refusal: Callable[[int, Refusal], None] = lambda _number, _refusal: None,
    ahead_seconds: float = AHEAD_SECONDS,
) -> Hindsight:
    """Fold what `read` gives, and write its rows into the tables. If something is late, all is read and folded once more.

    Within `LATENESS` the fold itself does not depend on the order.
    """
    late = _Late(tables)
    rows = Rows(tables.write)
    live, moment, outcomes = fold(late.noted(read()), centres, wall, None, on_refusal, ahead_seconds, rows=rows)
    if moment is None:
        return Hindsight(live, live, None, outcomes, 0)
    rows.finish(moment)
    true = live
    if late.count:
        tables.clear(TABLES)
        rows = Rows(tables.write)
        true, moment, outcomes = fold(late.placed(read()), centres, wall, None, ahead_seconds=ahead_seconds, rows=rows)
        rows.finish(moment or 0.0)
    tables.complete()
    return Hindsight(true, live, moment, outcomes, late.count)


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

    def noted(self, lines: Iterable[Line]) -> Iterator[Line]:
        """All lines as they come; what is late is kept."""
        newest, kept = -inf, list[_Told]()
        for line in lines:
            if isinstance(line.item, Event):
                time = line.item.time.timestamp()
                if time > newest:
                    newest = time
                elif time < newest - LATENESS:
                    kept.append(_Told(time, line.number, line.written, encode(line.item).decode()))
                    if len(kept) == TOGETHER:
                        self._keep(kept)
            yield line
        self._keep(kept)

    def placed(self, lines: Iterable[Line]) -> Iterator[Line]:
        """The same lines once more, in the order of their times, and those of one time as they came."""
        return (line for _, _, line in merge(self._in_time(lines), self._kept(), key=lambda told: told[:2]))

    def _keep(self, kept: list[_Told]) -> None:
        self._tables.put(kept)
        self.count += len(kept)
        kept.clear()

    def _in_time(self, lines: Iterable[Line]) -> Iterator[tuple[float, int, Line]]:
        waiting: list[tuple[float, int, int, Line]] = []
        newest = -inf
        for place, line in enumerate(lines):
            if not isinstance(line.item, Event):
                continue
            time = line.item.time.timestamp()
            if time >= newest - LATENESS:
                heappush(waiting, (time, line.number, place, line))
                newest = max(newest, time)
                while waiting[0][0] < newest - LATENESS:
                    time, number, _, first = heappop(waiting)
                    yield time, number, first
        while waiting:
            time, number, _, first = heappop(waiting)
            yield time, number, first

    def _kept(self) -> Iterator[tuple[float, int, Line]]:
        # A cursor of its own: the rows are written through the other meanwhile.
        found = self._tables.connection.cursor().execute("FROM late_events ORDER BY time, number, event")
        while told := found.fetchmany(TOGETHER):
            for time, number, written, event in told:
                item = decode_recording(event.encode())
                assert isinstance(item, Event)
                yield time, number, Line(number, item, written)

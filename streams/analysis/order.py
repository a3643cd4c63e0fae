"""Events in the order of their time, of lines that come nearly so."""

from collections.abc import Callable, Iterable, Iterator
from heapq import heappop, heappush
from math import inf

from schemas.event import Event
from streams.core.ledger import LATENESS
from streams.sources import Line


def in_order(lines: Iterable[Line], on_late: Callable[[float, Line], None] | None = None) -> Iterator[tuple[float, Line]]:
    """The lines with the times of their events, epoch seconds, in the order of these, and those of one time as they come. What is
    no event comes between them, with the time of the one before.

    An event more than `LATENESS` behind others is late: it is told `on_late` and not given, or without that given at once.
    """
    waiting: list[tuple[float, int, Line]] = []
    newest = passed = -inf
    for place, line in enumerate(lines):
        if not isinstance(line.item, Event):
            yield passed, line
            continue
        time = line.item.time.timestamp()
        if on_late is not None and time < newest - LATENESS:
            on_late(time, line)
            continue
        heappush(waiting, (time, place, line))
        newest = max(newest, time)
        while waiting[0][0] < newest - LATENESS:
            passed, _, first = heappop(waiting)
            yield passed, first
    while waiting:
        passed, _, first = heappop(waiting)
        yield passed, first

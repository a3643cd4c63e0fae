"""Events in the order of their time, of lines that come nearly so."""

from bisect import insort
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from math import inf
from operator import itemgetter

from schemas.event import Event, epochs
from streams.core.ledger import LATENESS
from streams.sources import Line

TOGETHER = 200
"""So many lines are read before the first is given, because to ask each event alone for its epoch seconds takes three times
longer."""

_TIME = itemgetter(0)


def in_order(lines: Iterable[Line], on_late: Callable[[float, Line], None] | None = None) -> Iterator[tuple[float, Line]]:
    """The lines with the times of their events, epoch seconds, in the order of these, and those of one time as they come. What is
    no event comes between them, with the time of the one before.

    An event more than `LATENESS` behind others is late: it is told `on_late` and not given, or without that given at once.
    """
    waiting: deque[tuple[float, Line]] = deque()
    newest = passed = -inf
    lines = iter(lines)
    while together := [*islice(lines, TOGETHER)]:
        times = iter(epochs([line.item.time for line in together if isinstance(line.item, Event)]))
        for line in together:
            if not isinstance(line.item, Event):
                yield passed, line
                continue
            time = next(times)
            if time >= newest:
                newest = time
                waiting.append((time, line))
            elif on_late is not None and time < newest - LATENESS:
                on_late(time, line)
                continue
            else:
                insort(waiting, (time, line), key=_TIME)
            while waiting[0][0] < newest - LATENESS:
                passed, first = waiting.popleft()
                yield passed, first
    yield from waiting

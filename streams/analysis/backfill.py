"""The past as it would have been scraped: events are folded, and at each moment there are the states of then."""

from collections.abc import Iterable, Iterator, Mapping
from heapq import heappop, heappush
from math import ceil, inf

from schemas.event import Event
from schemas.topics import TOPIC_OF
from streams.analysis.measure import Traceless
from streams.core.centre import Centre
from streams.core.ledger import LATENESS
from streams.sources import Line
from streams.worker.monitor import Monitor


def scrapes(
    lines: Iterable[Line], centres: Mapping[str, Centre], moments: range, *, beyond: bool = True
) -> Iterator[tuple[int, Monitor]]:
    """Each of the moments, epoch seconds, with all states as they are then: from the first event on to the last of the moments,
    or, where nothing is to be said `beyond` the last event, to the first that is not before it.

    Events are folded in the order of their time, if they are not more than `LATENESS` out of it; what comes later than that is
    folded when it comes, as it is live. What cannot be folded is passed over.
    """
    monitor = Monitor(centres)
    folder, ahead = Traceless(monitor), None
    for place, (time, _, event, written) in enumerate(_in_order(lines)):
        if ahead is None:
            ahead = moments[max(0, ceil((time - moments.start) / moments.step)) :]
        while ahead and ahead[0] < time:
            yield ahead[0], monitor
            ahead = ahead[1:]
        if not ahead:
            return
        folder.fold(TOPIC_OF[event.type].name, [(place, event, written)])
    if ahead is not None:
        for moment in ahead if beyond else ahead[:1]:
            yield moment, monitor


def _in_order(lines: Iterable[Line]) -> Iterator[tuple[float, int, Event, float]]:
    """Time, number, event and since when it stands there. What a clock says that is ahead waits until the others are there."""
    waiting: list[tuple[float, int, Event, float]] = []
    newest = -inf
    for number, line in enumerate(lines):
        if isinstance(line.item, Event):
            time = line.item.time.timestamp()
            heappush(waiting, (time, number, line.item, time if line.written is None else line.written))
            newest = max(newest, time)
            while waiting[0][0] < newest - LATENESS:
                yield heappop(waiting)
    while waiting:
        yield heappop(waiting)

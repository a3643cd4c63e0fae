"""The past as it would have been scraped: events are folded, and at each moment there are the states of then."""

from collections.abc import Iterable, Iterator, Mapping
from math import ceil

from schemas.event import Event
from schemas.topics import TOPIC_OF
from streams.analysis.measure import Traceless
from streams.analysis.order import in_order
from streams.core.centre import Centre
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
    for place, (time, line) in enumerate(in_order(lines)):
        if not isinstance(line.item, Event):
            continue
        if ahead is None:
            ahead = moments[max(0, ceil((time - moments.start) / moments.step)) :]
        while ahead and ahead[0] < time:
            yield ahead[0], monitor
            ahead = ahead[1:]
        if not ahead:
            return
        event, written = line.item, line.written
        folder.fold(TOPIC_OF[event.type].name, [(place, event, time if written is None else written)])
    if ahead is not None:
        for moment in ahead if beyond else ahead[:1]:
            yield moment, monitor

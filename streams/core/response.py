"""From the answer of a call to the first unit on scene, where a ticket says by which call it came."""

from functools import lru_cache
from typing import NamedTuple

from streams.core import calls, dispatch
from streams.core.callbook import ELSEWHERE, REACH, Place, mark
from streams.core.centre import Centre
from streams.core.funnel import Funnel
from streams.core.hourly import HOUR
from streams.core.reading import Metric, Readings
from streams.core.scene import QUANTILES, Share, limits
from streams.core.service_level import ABANDONED
from streams.core.survival import quantile

NAMELESS_REACH = 1
"""Hours before this one of which the call book has calls without a caller; of those with one it has `REACH`."""

_ABOUT = (
    "of tickets that name a call which came, with a caller, in this clock hour (UTC) or the 5 before, without one in this or the "
    "one before: so long calls are known. The answer is known to the second, rounded down. Left out are tests, tickets reopened, "
    "closed without a unit on scene or reached before the answer; open ones count as in psap_city_stage_quantile_seconds"
)
SECONDS = Metric(
    "psap_answer_to_scene_quantile_seconds",
    "gauge",
    f"Percentile by nearest rank of the seconds from the call's first answer to the first unit on scene, {_ABOUT}.",
    ("quantile",),
)
TICKETS = Metric(
    "psap_answer_to_scene_tickets", "gauge", "Tickets reached that psap_answer_to_scene_quantile_seconds is about (n)."
)
SHARE = Share.named(
    "psap_answer_to_scene_ratio",
    "Tickets reached within threshold seconds of the call's answer / n, of those of psap_answer_to_scene_quantile_seconds; n: "
    "those reached, and the open ones whose call was answered longer ago than that.",
    "psap_answer_to_scene_ratio_tickets",
)
METRICS = (SECONDS, TICKETS, *SHARE)


def measure(of_calls: calls.State, of_tickets: dispatch.State, now: float, centre: Centre) -> Readings:
    """Say what is true at `now`, epoch seconds; nothing where no ticket that was reached is known with its call."""
    desk, oldest = of_tickets.desk, (now // HOUR - REACH) * HOUR
    reached = [(call, time) for call, time in desk.lags.reached if oldest <= time <= now]
    if not reached:
        return
    sources = tuple(sorted({centre.exchanges.get(source, source) for source in of_calls.ledger.sources}))
    spans = [(time, _answered(of_calls.funnel, sources, call, now)) for call, time in reached]
    ended = sorted([time - start for time, start in spans if start is not None and time >= start])
    if not ended:
        return
    waiting = (
        _answered(of_calls.funnel, sources, ticket.call, now)
        for ticket in desk.tickets.values()
        if ticket.call and ticket.is_open and ticket.reopened is None and ticket.first.arrived is None
    )
    still = sorted([now - start for start in waiting if start is not None])
    yield TICKETS, (), len(ended)
    for label, percent in QUANTILES.items():
        yield SECONDS, (label,), quantile(ended, still, percent)
    for limit in limits(centre):
        yield from SHARE.say((), ended, still, limit)


def _answered(funnel: Funnel, sources: tuple[str, ...], call: str, now: float) -> int | None:
    """When a call of one of these sources was first answered, in whole epoch seconds; None where that is not known for `now`, or
    two exchanges have a call of that name.
    """
    places = [place for key in _keys(sources, call) if (place := funnel.book.find(funnel.legs.get(key, key))) is not None]
    known = [(place, _noted(place.lines[place.mark], place.start)) for place in places]
    known = [(place, noted) for place, noted in known if place.start >= (now // HOUR - noted.reach) * HOUR]
    if len(known) != 1:
        return None
    [(place, (_, is_counted, time))] = known
    if not is_counted:
        return None
    if time is None and (journey := funnel.open.get(place.mark)) is not None and journey.answered is not None:
        return int(journey.answered)
    return time


class Noted(NamedTuple):
    """What a line of the book says: for how many hours before this one the book has its like, whether it is a call of the city
    and no test, and when it was first answered, if that is noted already.
    """

    reach: int
    is_counted: bool
    answered: int | None


@lru_cache(maxsize=16_384)
def _noted(line: str, start: int) -> Noted:
    place = Place({"": line}, "", start)
    times = (counted.time for counted in place.counted() if counted.what < ABANDONED)
    is_counted = place.end != ELSEWHERE and not place.is_test
    return Noted(REACH if place.has_caller else NAMELESS_REACH, is_counted, next(times, None))


@lru_cache(maxsize=16_384)
def _keys(sources: tuple[str, ...], call: str) -> tuple[str, ...]:
    """By what the book knows a call of each of these sources."""
    return tuple([mark(mark(source), call) for source in sources])

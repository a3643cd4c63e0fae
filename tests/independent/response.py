"""From a call's answer to the first unit on scene, of tickets that say by which call they came."""

from tests.independent.calls import Journey, Stories
from tests.independent.dispatch import Desk
from tests.independent.history import HOUR, SECOND, Figures, say_ratio, seconds
from tests.independent.scene import LIMITS, QUANTILES, percentile

REACH, NAMELESS_REACH = 5, 1


def figures(stories: Stories, now: int) -> Figures:
    """How long it took from answers to arrivals by `now`."""
    found: Figures = {}
    if not stories.journeys:
        return found
    tickets = [ticket for ticket in Desk(stories.history, now).tickets.values() if ticket.call]
    first = (now // HOUR - REACH) * HOUR
    reached = [(_answered(stories, t.call, now), t.reached) for t in tickets if t.reached is not None and t.reached >= first]
    lags = [end - start for start, end in reached if start is not None and end >= start]
    if not lags:
        return found
    waiting = [t for t in tickets if t.closed is None and not t.reopened and t.first.arrived is None]
    still = [now - start for start in (_answered(stories, ticket.call, now) for ticket in waiting) if start is not None]
    found["psap_answer_to_scene_tickets",] = len(lags)
    for quantile, share in QUANTILES.items():
        found["psap_answer_to_scene_quantile_seconds", quantile] = seconds(percentile(lags, still, share))
    target = stories.history.centre.get("thresholds", {}).get("scene_seconds", 900)
    for limit in sorted({*LIMITS, target}):
        n = len(lags) + sum(lasted > limit * SECOND for lasted in still)
        found["psap_answer_to_scene_ratio_tickets", f"{limit:g}"] = n
        good = sum(lag <= limit * SECOND for lag in lags)
        say_ratio(found, "psap_answer_to_scene_ratio", (f"{limit:g}",), good, n)
    return found


def _answered(stories: Stories, call: str | None, now: int) -> int | None:
    """When the only call of that name was first answered, in whole seconds; None of one that is not known any more."""
    known = [journey for journey in stories.of_name.get(call or "", ()) if _is_known(journey, now)]
    if len(known) != 1 or known[0].outcome != "answered" or known[0].known > now or known[0].class_at(now) == "test":
        return None
    return known[0].closed // SECOND * SECOND


def _is_known(journey: Journey, now: int) -> bool:
    reach = REACH if journey.city and journey.caller is not None else NAMELESS_REACH
    return (now // HOUR - reach) * HOUR <= journey.arrived <= now

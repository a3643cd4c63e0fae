"""Losses: what share of calls the network took, by hours in which a link was down or a warning held, and by others."""

from collections import Counter
from collections.abc import Collection

from tests.independent.calls import Journey, Stories
from tests.independent.history import HOUR, Figures, moment, say_ratio

WEEK_HOURS = 168


def figures(stories: Stories, unseen: Collection[int], now: int) -> Figures:
    """What share of the last week's calls the network took by `now`; `unseen` are the hours of which not all was seen."""
    found: Figures = {}
    came = [j for j in stories.journeys if j.city and j.arrived <= now and j.class_at(now) != "test"]
    arrivals = [journey.arrived // HOUR for journey in stories.journeys if journey.city and journey.arrived <= now]
    first = max(now // HOUR - WEEK_HOURS + 1, min(arrivals, default=0))
    hours = {*range(first, max(arrivals, default=-1) + 1)}
    offered = Counter(journey.arrived // HOUR for journey in came)
    taken = Counter(time // HOUR for journey in came for time in _taken(journey, now))
    if hours and any(event.time <= now for event in stories.history.of("link")[:1]):
        _say(found, hours, _down(stories, now), {*unseen}, offered, taken, ("link_down", "links_up"))
    if hours and any(event.time <= now for event in stories.history.of("gauge", "weather")[:1]):
        _say(found, hours, _warned(stories, now), {*unseen}, offered, taken, ("warning", "no_warning"))
    return found


def _say(
    found: Figures,
    hours: set[int],
    touched: set[int],
    unseen: set[int],
    offered: Counter[int],
    taken: Counter[int],
    conditions: tuple[str, str],
) -> None:
    for condition, about in zip(conditions, (hours & touched, hours - touched - unseen), strict=True):
        n = sum(offered[hour] for hour in about)
        found["psap_network_loss_hours", condition] = len(about)
        found["psap_network_loss_calls", condition] = n
        say_ratio(found, "psap_network_loss_ratio", (condition,), min(n, sum(taken[hour] for hour in about)), n)


def _taken(journey: Journey, now: int) -> list[int]:
    """When the network lost a call while it waited, and when it cut it off."""
    lost = [journey.closed] if journey.outcome == "network_dropped" else []
    return [time for time in [*lost, *(visit.ended for visit in journey.visits if visit.how == "cut_off")] if time <= now]


def _down(stories: Stories, now: int) -> set[int]:
    """The hours in which a link was down for however short a time."""
    hours: set[int] = set()
    since: dict[str, int] = {}
    for event in stories.history.of("link"):
        if event.time > now:
            break
        link = event.data["link"]
        if event.type == "link.down":
            since.setdefault(link, event.time)
        elif event.type == "link.up" and link in since:
            hours |= {*range(since.pop(link) // HOUR, event.time // HOUR + 1)}
    for began in since.values():
        hours |= {*range(began // HOUR, now // HOUR + 1)}
    return hours


def _warned(stories: Stories, now: int) -> set[int]:
    """The hours in which a warning held."""
    spans: dict[str, tuple[int, int]] = {}
    for event in stories.history.of("weather"):
        if event.time > now:
            break
        warning = event.data["warning"]
        if event.type == "weather.warned":
            spans[warning] = moment(event.data["onset"]), moment(event.data["expires"])
        elif warning in spans:
            spans[warning] = spans[warning][0], min(event.time, spans[warning][1])
    ended = [(start, min(end, now)) for start, end in spans.values()]
    return {hour for start, end in ended if start < end for hour in range(start // HOUR, -(-end // HOUR))}

"""Load: how long a call keeps seats busy, and how long callers wait before they lose patience."""

from collections import Counter, defaultdict

from tests.independent.calls import NEVER, Journey, Stories
from tests.independent.forecast import Arrivals
from tests.independent.history import HOUR, SECOND, Figures
from tests.independent.operators import WRAP_UP, Seated

FEWEST, REMEMBERED = 30, 840
WEIGHED = 48
"""Hours after which it is settled whether an hour was seen."""


def figures(stories: Stories, seated: Seated, arrivals: Arrivals, now: int) -> Figures:
    """What calls took by `now`; of `arrivals` that were taken in up to then."""
    return _handle(stories, seated, now) | _patience(stories, arrivals, now)


def _handle(stories: Stories, seated: Seated, now: int) -> Figures:
    calls: Counter[int] = Counter()
    busy: Counter[int] = Counter()
    for journey in stories.journeys:
        if not journey.city or journey.class_at(now) == "test":
            continue
        over = sorted((talk.began, talk.ended) for talk in journey.talks if talk.ended <= now)
        for began, ended in over:
            busy[began // HOUR] += ended - began
        if over:
            calls[over[0][0] // HOUR] += 1
    wraps, told = _wraps(seated, now)
    for hour, took in wraps.items():
        busy[hour] += took
    if told:
        first, last = min(told), max(told)
        for hour, n in calls.items():
            if not first <= hour <= last:
                busy[hour] += n * round(stories.history.centre.get("wrap_up_seconds", 0) * SECOND)
    else:
        for hour, n in calls.items():
            busy[hour] += n * round(stories.history.centre.get("wrap_up_seconds", 0) * SECOND)
    answered = [talk.began // HOUR for j in stories.journeys if j.city for talk in j.talks if talk.ended <= now]
    newest = max(answered, default=0)
    for stride in (168, 24, 1):
        hours = [hour for hour in range(newest - REMEMBERED + 1, newest) if (hour - now // HOUR) % stride == 0]
        n = sum(calls[hour] for hour in hours)
        if n >= FEWEST:
            mean = sum(busy[hour] for hour in hours) / SECOND / n
            return {("psap_handle_calls",): n, ("psap_handle_seconds_mean",): mean}
    return {}


def _wraps(seated: Seated, now: int) -> tuple[Counter[int], set[int]]:
    """Microseconds of wrap-ups by the hour in which they began, and the hours in which any began."""
    took: Counter[int] = Counter()
    told: set[int] = set()
    going_on: dict[str, tuple[int, int]] = {}
    queues: defaultdict[str, set[str]] = defaultdict(set)

    def stop(seat: str, at: int) -> None:
        if seat in going_on:
            began, until = going_on.pop(seat)
            took[began // HOUR] += min(at, until) - began

    for event in seated.told:
        if event.time > now:
            break
        seat, kind = event.data["seat"], event.type.removeprefix("operator.")
        if kind == "logged_out":
            queues[seat].discard(event.data.get("queue", ""))
            if "queue" not in event.data or not queues[seat]:
                stop(seat, event.time)
        elif kind == "logged_in":
            queues[seat].add(event.data.get("queue", ""))
        elif kind == "wrap_up_started":
            stop(seat, event.time)
            told.add(event.time // HOUR)
            lasts = round(event.data["seconds"] * SECOND) if event.data.get("seconds") else WRAP_UP
            going_on[seat] = event.time, event.time + lasts
        elif kind == "wrap_up_ended":
            stop(seat, event.time)
    for seat in [*going_on]:
        if going_on[seat][1] <= now:
            stop(seat, now)
    return took, told


def _patience(stories: Stories, arrivals: Arrivals, now: int) -> Figures:
    waited = hung_up = balked = 0
    for journey in stories.journeys:
        if (
            not journey.city
            or journey.known > now
            or journey.outcome in {"announcement", "blocked", "lost"}
            or not journey.visits
        ):
            continue
        hour = journey.closed // HOUR
        if hour in arrivals.known_at and arrivals.known_at[hour] - hour <= WEIGHED:
            continue
        time = _queued(journey)
        if journey.outcome in {"abandoned", "short_abandoned"}:
            balked += time == 0
            hung_up += time > 0
        waited += time
    found: Figures = {("psap_patience_hangups",): hung_up, ("psap_patience_balked",): balked}
    if hung_up >= FEWEST:
        found["psap_patience_seconds_mean",] = waited / SECOND / hung_up
    return found


def _queued(journey: Journey) -> int:
    """How long it waited since it came into a queue."""
    since = min((visit.entered for visit in journey.visits), default=NEVER)
    return max(0, journey.closed - (since if since <= journey.closed else journey.arrived))

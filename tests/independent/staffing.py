"""Staffing: how many seats the load asks for, and how many the shifts of the centre's file provide for."""

from datetime import datetime, time, timedelta
from itertools import count
from math import exp

from tests.independent.calls import Stories
from tests.independent.history import EPOCH, Figures

TARGETS = {"90_15": (0.9, 15), "95_20": (0.95, 20)}


def scheduled(stories: Stories, now: int) -> Figures:
    """How many seats are to be staffed at `now` by the shifts."""
    shifts = stories.history.centre.get("shifts", ())
    local = (EPOCH + timedelta(microseconds=now)).astimezone(stories.history.zone).replace(tzinfo=None)
    seats = 0
    for day in (local.date(), local.date() - timedelta(days=1)):
        for shift in shifts:
            start, end = time.fromisoformat(shift["from"]), time.fromisoformat(shift["until"])
            last = day + timedelta(days=end <= start)
            seats += shift["seats"] * (datetime.combine(day, start) <= local < datetime.combine(last, end))
    return {("psap_seats_scheduled",): seats} if shifts else {}


def required(found: Figures) -> Figures:
    """How many seats are needed, from the calls expected, the handle time and the patience that were found."""
    expected = next((value for key, value in found.items() if key[0] == "psap_calls_expected"), None)
    handle, patience = found.get(("psap_handle_seconds_mean",)), found.get(("psap_patience_seconds_mean",))
    if not isinstance(expected, float) or not isinstance(handle, float):
        return {}
    load = expected * handle / 3600
    needed: Figures = {("psap_seats_erlangs",): load}
    for target, (share, within) in TARGETS.items():
        needed["psap_seats_required", "erlang_c", target] = next(
            n for n in count(1) if _erlang_c(load, handle, n, within) >= share
        )
        if isinstance(patience, float):
            enough = next(n for n in count(1) if _erlang_a(load, handle, patience, n, within) >= share)
            needed["psap_seats_required", "erlang_a", target] = enough
    return needed


def _erlang_c(load: float, handle: float, seats: int, within: float) -> float:
    """What share is answered within so many seconds, if callers wait for ever."""
    if seats <= load:
        return 0.0
    blocked = 1.0
    for number in range(1, seats + 1):
        blocked = load * blocked / (number + load * blocked)
    waits = blocked / (1 - load / seats * (1 - blocked))
    return 1 - waits * exp(-(seats - load) * within / handle)


def _erlang_a(load: float, handle: float, patience: float, seats: int, within: float) -> float:
    """The same, if they lose patience."""
    weight, weights, answered = 1.0, 0.0, 0.0
    for busy in range(seats):
        weights += weight
        answered += weight
        weight *= load / (busy + 1)
    served, leave = seats / handle, 1 / patience
    x, term = 1 - exp(-leave * within), 1.0
    in_time = 1 - exp(-(served + leave) * within)
    for before in count():
        weights += weight
        answered += weight * served / (served + (before + 1) * leave) * in_time
        if weight < 1e-14 * weights and before * leave + served > load / handle:
            return answered / weights
        weight *= load / handle / (served + (before + 1) * leave)
        term *= (served / leave + before + 1) / (before + 1) * x
        in_time -= exp(-(served + leave) * within) * term
    raise AssertionError

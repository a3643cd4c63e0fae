"""Seats that each hour of the day needs, in the model and by Erlang A."""

from collections.abc import Mapping
from dataclasses import replace
from statistics import fmean

from streams.analysis.whatif.answer import SHARE, TARGET, Track, by_hour, together
from streams.analysis.whatif.change import Change, daily
from streams.analysis.whatif.run import World
from streams.core.centre import SEATS
from streams.core.erlang import seats_needed
from streams.core.hourly import HOUR
from streams.core.staffing import FEWEST_CALLS

SEARCHES = 40
"""So often seats are added to hours that do not meet the target."""

RUNS = 3
"""Runs in which all together it is to be met."""


def erlang_a(world: World, change: Change, seed: int) -> dict[int, float]:
    """Seats by Erlang A (`streams/core/erlang.py`) for the mean of each hour of the day that has 30 calls.

    It takes all days for one, calls that come by chance and callers of one patience: what the simulation does not.
    """
    patience = world.fit.whole.patience.get(None)
    talks: list[list[float]] = [[] for _ in range(24)]
    for call in world.past.counted:
        if call.talk is not None:
            talks[call.hour].append(call.talk)
    found = {}
    for hour, (came, _) in enumerate(by_hour(world.run(change, f"{seed} 0"))):
        handle = (fmean(talks[hour]) + world.fit.wrap_up) * change.handle if talks[hour] else 0.0
        if came >= FEWEST_CALLS and handle > 0:
            found[hour] = seats_needed(came / world.days * handle / HOUR, handle, patience and patience.mean, TARGET)
    return found


def needed(
    world: World, change: Change, erlang: Mapping[int, float], seed: int, track: Track = lambda numbers: numbers
) -> dict[int, int]:
    """The fewest seats found for each hour of the day, the same on all days, that answer 90 % of its calls within 15 s.

    From those of `erlang` on, seats are added to hours that do not meet that, and then taken from those that do not miss them. An
    hour that twice as many do not help has no figure. The seats that were there are not.
    """

    def short(seats: Mapping[int, int]) -> set[int]:
        trial = replace(change, more=daily(seats), fewer=())
        found = together(by_hour(world.run(trial, f"{seed} {run}", no_other_seats=True)) for run in range(RUNS))
        return {hour for hour in seats if found[hour].met < SHARE * found[hour].came}

    seats = {hour: max(1, round(min(SEATS, n))) for hour, n in erlang.items()}
    most = {hour: min(SEATS, 2 * n + 2) for hour, n in seats.items()}
    is_over, can_spare = False, {hour for hour, n in seats.items() if n > 1}
    lacks: set[int] = set()
    for _ in track(range(SEARCHES)):
        lacks = short(seats)
        if any(seats[hour] < most[hour] for hour in lacks):
            seats |= {hour: min(most[hour], seats[hour] + 1) for hour in lacks}
            can_spare -= lacks if is_over else set()
            continue
        is_over, can_spare = True, can_spare - lacks
        if not can_spare:
            break
        fewer = seats | {hour: seats[hour] - 1 for hour in can_spare}
        can_spare -= short(fewer)
        seats |= {hour: fewer[hour] for hour in can_spare}
        can_spare = {hour for hour in can_spare if seats[hour] > 1}
    return {hour: n for hour, n in seats.items() if hour not in lacks}

"""Seats needed for a number of calls, against the published table of the study and against queues simulated call by call."""

from heapq import heappop, heappush
from math import inf
from random import Random

import pytest

from streams.core.erlang import TARGETS, answered_within, answered_within_patience, erlang_c, seats_needed

TABLE = [
    # calls an hour, handle time; erlangs, % within 15 s with 3 seats, seats for both of NENA's targets
    (39.7, 60, 0.66, 98.2, 3),
    (39.7, 120, 1.32, 85.6, 4),
    (39.7, 180, 1.99, 59.8, 5),
    (95.3, 60, 1.59, 81.1, 4),
    (95.3, 90, 2.38, 42.5, 6),
    (95.3, 120, 3.18, 0.0, 7),
    (95.3, 180, 4.76, 0.0, 9),
    (300, 120, 10.0, 0.0, 15),
]
"""Staffing that the study of Kota Bogor implies."""


@pytest.mark.parametrize(("calls", "handle", "erlangs", "level", "seats"), TABLE)
def test_the_table_of_the_study(calls: float, handle: float, erlangs: float, level: float, seats: int) -> None:
    assert calls * handle / 3600 == pytest.approx(erlangs, abs=0.006)
    assert round(100 * answered_within(3, calls * handle / 3600, handle, 15), 1) == level
    assert max(seats_needed(calls * handle / 3600, handle, None, target) for target in TARGETS) == seats


@pytest.mark.parametrize(
    ("handle", "level", "seats"), [(60, 97.1, 3), (90, 89.7, 4), (120, 77.4, 5), (150, 60.5, 5), (180, 39.5, 6)]
)
def test_without_any_nuisance_three_seats_suffice_only_for_calls_of_a_minute(handle: float, level: float, seats: int) -> None:
    calls = 95.3 / 2  # half of them are nuisance

    assert round(100 * answered_within(3, calls * handle / 3600, handle, 15), 1) == pytest.approx(level, abs=0.11)
    assert max(seats_needed(calls * handle / 3600, handle, None, target) for target in TARGETS) == seats


def simulated(seats: int, rate: float, handle: float, patience: float | None, seconds: float, calls: int) -> float:
    """The share answered within `seconds` in a queue played call by call: first come, first served."""
    dice = Random(112)
    now, met = 0.0, 0
    free = [0.0] * seats
    for _ in range(calls):
        now += dice.expovariate(rate)
        limit = float("inf") if patience is None else dice.expovariate(1 / patience)
        start = max(now, free[0])
        if start - now > limit:
            continue
        heappop(free)
        heappush(free, start + dice.expovariate(1 / handle))
        met += start - now <= seconds
    return met / calls


@pytest.mark.parametrize(
    ("seats", "calls", "handle", "patience"), [(3, 95.3, 90, 90), (3, 95.3, 120, 60), (5, 120, 120, 300), (2, 39.7, 180, 30)]
)
def test_callers_who_lose_patience_are_answered_as_in_a_simulated_queue(
    seats: int, calls: float, handle: float, patience: float
) -> None:
    computed = answered_within_patience(seats, calls * handle / 3600, handle, patience, 15)

    assert computed == pytest.approx(simulated(seats, calls / 3600, handle, patience, 15, 60_000), abs=0.01)


def test_callers_who_wait_for_ever_are_answered_as_in_a_simulated_queue() -> None:
    computed = answered_within(4, 95.3 * 90 / 3600, 90, 15)

    assert computed == pytest.approx(simulated(4, 95.3 / 3600, 90, None, 15, 60_000), abs=0.01)


def test_endless_patience_is_erlang_c() -> None:
    for seats in (3, 5, 9):
        assert answered_within_patience(seats, 2.5, 90, 1e8, 15) == pytest.approx(answered_within(seats, 2.5, 90, 15), abs=1e-5)


def test_a_queue_that_only_grows_answers_nobody_in_time_unless_callers_give_up() -> None:
    assert erlang_c(3, 3.0) == 1
    assert answered_within(3, 3.2, 120, 15) == 0
    assert answered_within_patience(3, 3.2, 120, 60, 15) > 0.4


def test_more_seats_never_answer_less() -> None:
    levels = [answered_within_patience(seats, 10, 120, 90, 20) for seats in range(1, 40)]
    assert levels == sorted(levels)
    assert levels[-1] > 0.9999


@pytest.mark.parametrize(("handle", "patience"), [(0, None), (60, 0)])
def test_no_time_is_no_answer(handle: float, patience: float | None) -> None:
    with pytest.raises(ValueError, match="above zero"):
        seats_needed(1, handle, patience, "90_15")


@pytest.mark.parametrize(("erlangs", "handle"), [(900, 180), (9_000, 60)])
@pytest.mark.parametrize("patience", [None, 60.0])
def test_hundreds_of_seats_are_said_and_not_cut(erlangs: float, handle: float, patience: float | None) -> None:
    seats = int(seats_needed(erlangs, handle, patience, "95_20"))

    def answered(seats: int) -> float:
        if patience is None:
            return answered_within(seats, erlangs, handle, 20)
        return answered_within_patience(seats, erlangs, handle, patience, 20)

    assert 0.95 * erlangs < seats < 1.05 * erlangs
    assert answered(seats - 1) < 0.95 <= answered(seats)


@pytest.mark.parametrize(("erlangs", "handle", "patience"), [(12_000, 60, None), (12_000, 60, 30), (1e9, 1e9, 1e9)])
def test_more_seats_than_can_be_computed_are_no_number(erlangs: float, handle: float, patience: float | None) -> None:
    assert seats_needed(erlangs, handle, patience, "95_20") == inf


@pytest.mark.parametrize("patience", [1e5, 1e9, 1e12])
@pytest.mark.parametrize("handle", [1.0, 60.0, 43_200.0])
def test_the_most_patient_callers_need_what_those_need_who_wait_for_ever(handle: float, patience: float) -> None:
    """Not after a million states: with too few seats the queue would grow for as long as callers wait."""
    for erlangs in (0.3, 2.0, 7.7, 20.0):
        for_ever = seats_needed(erlangs, handle, None, "90_15")
        assert for_ever - 1 <= seats_needed(erlangs, handle, patience, "90_15") <= for_ever


def test_seats_of_which_a_thousand_are_free_within_a_second_answer_at_once() -> None:
    """What is left of a beta variable is less than the smallest number there is."""
    assert answered_within_patience(1_001, 1_000, 1, 1e9, 15) == pytest.approx(answered_within(1_001, 1_000, 1, 15), abs=1e-5)


def test_of_thousands_of_callers_half_wait_longer_than_the_fluid_that_they_are_like() -> None:
    """Seats answer 4,000 / 4,100 of the stream, so that it waits 600 s x log(4,100 / 4,000) = 14.8 s."""
    assert answered_within_patience(4_000, 4_100, 60, 600, 14.8) == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("patience", [None, 30.0, 3_000.0])
@pytest.mark.parametrize("target", TARGETS)
def test_fewer_seats_than_needed_would_not_do(patience: float | None, target: str) -> None:
    share, seconds = TARGETS[target]
    needed = int(seats_needed(15, 180, patience, target))

    def answered(seats: int) -> float:
        if patience is None:
            return answered_within(seats, 15, 180, seconds)
        return answered_within_patience(seats, 15, 180, patience, seconds)

    assert max(answered(seats) for seats in range(1, needed)) < share <= answered(needed)

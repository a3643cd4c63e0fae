"""Seats on a time line, given who talks."""

from itertools import permutations

import pytest

from streams.core.operators import OPERATORS, RING_NO_ANSWER_TOTAL, SEATS
from tests.builders import logged_in, logged_out, paused, resumed, ring_no_answer, seat_readings


def test_a_seat_is_available_from_login_to_logout() -> None:
    """
    s1  in────────────►
    s2  in──────out
        0        9
    """
    said = seat_readings([logged_in("s1", 0), logged_in("s2", 0), logged_out("s2", 9)])

    assert said.by_label(OPERATORS) == {"available": 1}


def test_a_paused_seat_is_not_available_until_it_resumes() -> None:
    """
    s1  in──p───────r──►
        0   3       9
    """
    events = [logged_in("s1", 0), paused("s1", 3, "prayer"), resumed("s1", 9)]

    assert seat_readings(events[:2]).by_label(OPERATORS) == {"paused": 1}
    assert seat_readings(events).by_label(OPERATORS) == {"available": 1}


def test_a_seat_that_paused_without_a_reason_is_paused() -> None:
    assert seat_readings([logged_in("s1", 0), paused("s1", 3)]).by_label(OPERATORS) == {"paused": 1}


def test_every_logged_in_seat_is_in_one_state() -> None:
    """s1 free, s2 talking, s3 paused, s4 paused but still talking, s5 talking but logged out."""
    events = [*(logged_in(f"s{n}", 0) for n in range(1, 6)), paused("s3", 1), paused("s4", 1), logged_out("s5", 1)]

    said = seat_readings(events, talking=["s2", "s4", "s5", "s9"])

    assert said.by_label(OPERATORS) == {"available": 1, "talking": 2, "paused": 1}


def test_no_seat_heard_of_is_absent_and_not_zero() -> None:
    assert seat_readings([]) == {}


def test_when_all_have_gone_there_are_none() -> None:
    said = seat_readings([logged_in("s1", 0), logged_out("s1", 9)])

    assert said[OPERATORS, "available"] == said[OPERATORS, "talking"] == said[OPERATORS, "paused"] == 0


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_what_is_older_than_the_news_of_a_seat_changes_nothing(order: tuple[int, ...]) -> None:
    """
    s1  in──p──r──►
    s2  in─out─in─►
    s3  in─────out
        0   3  6          told in any order
    """
    one = [logged_in("s1", 0), paused("s1", 3), resumed("s1", 6)]
    two = [logged_in("s2", 0), logged_out("s2", 3), logged_in("s2", 6)]
    three = [logged_in("s3", 0), logged_in("s3", 3), logged_out("s3", 6)]

    said = seat_readings(story[n] for story in (one, two, three) for n in order)

    assert said.by_label(OPERATORS) == {"available": 2}


def test_calls_that_rang_out_are_counted_per_seat() -> None:
    said = seat_readings([logged_in("s1", 0), ring_no_answer("s1", 3), ring_no_answer("s1", 4), ring_no_answer("s2", 5)])

    assert said.by_label(RING_NO_ANSWER_TOTAL) == {"s1": 2, "s2": 1}


def test_a_source_that_invents_seats_cannot_fill_the_memory() -> None:
    said = seat_readings([*(logged_in(f"s{n}", n) for n in range(SEATS + 50)), ring_no_answer("s0", 999)])

    assert said[OPERATORS, "available"] == SEATS
    assert said[RING_NO_ANSWER_TOTAL, "s0"] == 1

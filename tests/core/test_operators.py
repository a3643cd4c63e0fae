"""Seats on a time line, given who talks."""

from collections.abc import Callable
from itertools import pairwise, permutations
from random import Random
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from schemas.operators import OperatorEvent, OperatorPaused, OperatorWrapUpStarted
from streams.core import operators, timeline
from streams.core.centre import SEATS, Centre, Shift
from streams.core.names import PASSED_OVER_TOTAL, SILENT_SECONDS, UNKNOWN_TOTAL
from streams.core.operators import (
    ADHERENCE,
    LOGGED_IN_SECONDS,
    METRICS,
    OCCUPANCY,
    OPERATORS,
    PAUSE_SECONDS_TOTAL,
    PAUSED,
    PAUSED_TIME,
    REASONS,
    RING_NO_ANSWER_TOTAL,
    STAFFED,
    UNPAIRED,
    WRAP_UP_SECONDS,
)
from streams.core.timeline import CHANGES, QUEUES, ROOM
from tests.builders import (
    BOGOR,
    Said,
    at,
    changed,
    logged_in,
    logged_out,
    paused,
    respelt,
    resumed,
    ring_canceled,
    ring_no_answer,
    ringing,
    seat_readings,
    seat_state,
    wrap_up_ended,
    wrap_up_started,
)

HOUR = 3600
BLOB = TypeAdapter(operators.State)
STATES = {"available", "ringing", "talking", "wrap_up", "paused", "off"}


def staffed(*seats: str, **shift: object) -> Centre:
    """Kota Bogor with these seats, and with one shift if it is said when."""
    shifts = (Shift.model_validate({"from": shift["start"], "until": shift["until"], "seats": len(seats)}),) if shift else ()
    return changed(BOGOR, seats=seats, shifts=shifts)


def test_a_seat_is_available_from_login_to_logout() -> None:
    """
    s1  in────────────►
    s2  in──────out
        0        9
    """
    said = seat_readings([logged_in("s1", 0), logged_in("s2", 0), logged_out("s2", 9)], now=9)

    assert said.by_label(OPERATORS) == {"available": 1, "off": 1}
    assert said[STAFFED,] == 1


def test_a_paused_seat_is_not_available_until_it_resumes() -> None:
    """
    s1  in──p───────r──►
        0   3       9
    """
    events = [logged_in("s1", 0), paused("s1", 3, "prayer"), resumed("s1", 9)]

    assert seat_readings(events, now=8).by_label(OPERATORS) == {"paused": 1}
    assert seat_readings(events, now=9).by_label(OPERATORS) == {"available": 1}


def test_a_seat_is_rung_until_it_answers() -> None:
    """
    s1  in──ri──────a───────e
        0   10      14      40
    """
    events = [logged_in("s1", 0), ringing("s1", 10)]

    assert seat_readings(events, now=13).by_label(OPERATORS) == {"ringing": 1}
    assert seat_readings(events, now=14, talking={"s1": 14}).by_label(OPERATORS) == {"talking": 1}
    assert seat_readings(events, now=40, spoken=[("s1", 14, 40)]).by_label(OPERATORS) == {"available": 1}
    assert seat_readings(events, now=40, spoken=[("s1", 2, 9)]).by_label(OPERATORS) == {"ringing": 1}


def test_a_seat_that_lets_a_call_ring_out_is_rung_no_more_until_the_next() -> None:
    events = [logged_in("s1", 0), ringing("s1", 10), ring_no_answer("s1", 25), ringing("s1", 30)]

    assert seat_readings(events[:3], now=25).by_label(OPERATORS) == {"available": 1}
    assert seat_readings(events, now=30).by_label(OPERATORS) == {"ringing": 1}


def test_a_ringing_that_its_caller_gave_up_is_over_and_no_seat_s_fault() -> None:
    events = [logged_in("s1", 0), ringing("s1", 10), ring_canceled("s1", 12)]

    assert seat_readings(events[:2], now=11).by_label(OPERATORS) == {"ringing": 1}
    assert seat_readings(events, now=12).by_label(OPERATORS) == {"available": 1}
    assert not any(seat_readings(events, now=12).by_label(RING_NO_ANSWER_TOTAL).values())
    assert seat_readings([*events, ringing("s1", 20)], now=20).by_label(OPERATORS) == {"ringing": 1}


def test_a_ringing_of_which_nothing_more_is_told_is_over_after_a_minute() -> None:
    events = [logged_in("s1", 0), ringing("s1", 10)]

    assert seat_readings(events, now=69).by_label(OPERATORS) == {"ringing": 1}
    assert seat_readings(events, now=70).by_label(OPERATORS) == {"available": 1}


def test_a_seat_wraps_up_until_it_is_done_or_ten_minutes_have_gone() -> None:
    done = [logged_in("s1", 0), wrap_up_started("s1", 10), wrap_up_ended("s1", 40)]

    assert seat_readings(done, now=39).by_label(OPERATORS) == {"wrap_up": 1}
    assert seat_readings(done, now=40).by_label(OPERATORS) == {"available": 1}
    assert seat_readings(done[:2], now=609).by_label(OPERATORS) == {"wrap_up": 1}
    assert seat_readings(done[:2], now=610).by_label(OPERATORS) == {"available": 1}


def test_who_logs_in_again_does_not_wrap_up_what_was_before() -> None:
    events = [logged_in("s1", 0), wrap_up_started("s1", 10), logged_out("s1", 20), logged_in("s1", 30)]

    assert seat_readings(events, now=30).by_label(OPERATORS) == {"available": 1}


def test_a_seat_in_several_states_is_in_the_first_of_them() -> None:
    """s1 is free, s2 talks, s3 paused; s4 talks paused, s5 talks logged out, s6 is rung in its wrap-up, s7 wraps up paused; of s9
    nothing was told, but it talks."""
    events = [*(logged_in(f"s{n}", 0) for n in range(1, 8)), paused("s3", 1), paused("s4", 1), logged_out("s5", 1)]
    events += [wrap_up_started("s6", 1), ringing("s6", 2), wrap_up_started("s7", 1), paused("s7", 2)]

    said = seat_readings(events, now=5, talking={"s2": 1, "s4": 1, "s5": 1, "s9": 1})

    assert said.by_label(OPERATORS) == {"available": 1, "talking": 4, "paused": 1, "ringing": 1, "wrap_up": 1}
    assert said.by_label(PAUSED) == {"unspecified": 1}


def test_a_seat_of_the_centre_file_that_nobody_took_is_off() -> None:
    said = seat_readings([logged_in("s1", 0), logged_in("s9", 0)], now=5, centre=staffed("s1", "s2", "s3"))

    assert said.by_label(OPERATORS) == {"available": 2, "off": 2}


def test_nothing_heard_of_seats_is_absent_and_not_zero() -> None:
    assert seat_readings([], now=0, centre=staffed("s1", start="00:00", until="00:00")) == {}


@pytest.mark.parametrize(
    "told",
    [
        [paused("s1", 0), resumed("s1", 60)],
        [resumed("s1", 60)],
        [ringing("s1", 0)],
        [ring_no_answer("s1", 70, 8)],
        [wrap_up_started("s1", 0, 15)],
        [logged_in("s1", -60), logged_out("s1", -30), ringing("s1", 0)],
    ],
)
def test_who_pauses_resumes_rings_or_wraps_up_is_there_whatever_the_log_of_members_says(told: list[OperatorEvent]) -> None:
    assert seat_readings(told, now=99).by_label(OPERATORS) == {"available": 1}


def test_who_answers_is_there_while_the_hour_remembers_the_call() -> None:
    """
    s1  in─out──aaa─────►    s2  aaa───►    s3  in─aaaaout──►    nothing more
        0  10   20 50            20 50          0  20  30        told
    """
    told = [logged_in("s1", 0), logged_out("s1", 10), logged_in("s3", 0), logged_out("s3", 30)]
    spoken = [("s1", 20, 50), ("s2", 20, 50), ("s3", 20, 50)]

    assert seat_readings(told, 60, spoken=spoken).by_label(OPERATORS) == {"available": 2, "off": 1}
    assert seat_readings(told, 50 + HOUR, spoken=spoken).by_label(OPERATORS) == {"off": 2}
    talking = seat_readings(told, 40, talking={"s1": 20, "s2": 20, "s3": 20})
    assert talking.by_label(OPERATORS) == {"talking": 3}
    assert talking[STAFFED,] == 3


def test_who_rang_when_it_left_has_left_although_the_ringing_ends_later() -> None:
    """
    s1  in──────rrrrrrrr──►
        0      out  38
               35
    """
    told = [logged_in("s1", 0), logged_out("s1", 35), ring_no_answer("s1", 38, 8)]

    assert seat_readings(told, 40).by_label(OPERATORS) == {"off": 1}
    assert seat_readings([*told, ringing("s1", 41)], 41).by_label(OPERATORS) == {"ringing": 1}


def test_where_no_login_is_ever_told_nobody_knows_who_is_there_and_silent() -> None:
    said = seat_readings([paused("s1", 0, "meal"), resumed("s1", 60), ring_no_answer("s2", 70)], now=99)

    assert said.by_label(OPERATORS) == {"available": 2}
    assert not {STAFFED, LOGGED_IN_SECONDS, OCCUPANCY, ADHERENCE} & {metric for metric, *_ in said}


STATIC = changed(BOGOR, seats=({"code": "s1", "static": True}, {"code": "s2", "static": True}, "s3"))


def test_a_seat_that_is_always_a_member_is_there_unless_told_otherwise() -> None:
    """
    s1  ────────────────►   by the file
    s2  ────out──────────   by the file, and told
    s3                      only named
        0    5
    """
    assert seat_readings([], now=0, centre=STATIC).by_label(OPERATORS) == {"available": 2, "off": 1}
    said = seat_readings([logged_out("s2", 5)], now=9, centre=STATIC)
    assert said.by_label(OPERATORS) == {"available": 1, "off": 2}
    assert said[STAFFED,] == 1
    assert said[LOGGED_IN_SECONDS,] == HOUR + HOUR - 4
    assert seat_readings([paused("s2", 5, queue="112")], 9, centre=STATIC).by_label(OPERATORS)["paused"] == 1


def test_a_stranger_that_never_logged_in_and_is_silent_for_a_day_is_gone() -> None:
    told = [resumed("s1", 0), logged_in("s2", 0)]

    assert seat_readings(told, now=SILENT_SECONDS - 1).by_label(OPERATORS) == {"available": 2}
    assert seat_readings(told, now=SILENT_SECONDS).by_label(OPERATORS) == {"available": 1}
    assert seat_readings(told, now=SILENT_SECONDS, centre=staffed("s1")).by_label(OPERATORS) == {"available": 2}


def test_a_seat_is_there_from_the_first_queue_that_it_joins_to_the_last_that_it_leaves() -> None:
    """
    s1  in 112─in rujukan──out 112──────out rujukan
        0      5           10           20
    """
    told = [logged_in("s1", 0, "112"), logged_in("s1", 5, "rujukan"), logged_out("s1", 10, "112")]

    assert seat_readings(told, now=19).by_label(OPERATORS) == {"available": 1}
    assert seat_readings([*told, logged_out("s1", 20, "rujukan")], now=20).by_label(OPERATORS) == {"off": 1}
    assert seat_readings([*told, logged_out("s1", 20)], now=20).by_label(OPERATORS) == {"off": 1}


def test_a_queue_left_whose_joining_was_never_told_logs_nobody_out_who_is_in_another() -> None:
    left = logged_out("s1", 10, "rujukan")

    for known in (logged_in("s1", 0, "112"), ringing("s1", 0, "112"), paused("s1", 0, queue="112"), resumed("s1", 0, "112")):
        assert seat_readings([known, left], now=11)[OPERATORS, "off"] == 0
    # Of which queues it is in nothing was told but this one: an older version told of no queues.
    assert seat_readings([logged_in("s1", 0), left], now=11)[OPERATORS, "off"] == 1
    assert seat_readings([ringing("s1", 0), left], now=11)[OPERATORS, "off"] == 1


def test_a_seat_is_paused_when_it_is_in_all_its_queues() -> None:
    """
    s1  in 112, rujukan──p 112────p rujukan──r 112────►
        0                10       20         30
    """
    told = [logged_in("s1", 0, "112"), logged_in("s1", 0, "rujukan"), paused("s1", 10, "meal", "112")]
    told += [paused("s1", 20, "prayer", "rujukan"), resumed("s1", 30, "112")]

    assert seat_readings(told, now=19).by_label(OPERATORS) == {"available": 1}
    said = seat_readings(told, now=29)
    assert said.by_label(OPERATORS) == {"paused": 1}
    assert said[PAUSED_TIME, "s1", "prayer"] == at(20)
    said = seat_readings(told, now=40)
    assert said.by_label(OPERATORS) == {"available": 1}
    assert said.by_label(PAUSE_SECONDS_TOTAL) == {"prayer": 10}
    left = seat_readings([*told[:3], logged_out("s1", 15, "rujukan")], now=19)
    assert left.by_label(PAUSED) == {"meal": 1}


def test_a_pause_in_all_queues_that_is_told_of_each_too_is_one() -> None:
    """As Asterisk writes PAUSEALL and UNPAUSEALL."""
    told = [logged_in("s1", 0, "112"), logged_in("s1", 0, "rujukan"), paused("s1", 10, "meal")]
    told += [paused("s1", 10, "meal", "112"), paused("s1", 10, "meal", "rujukan"), resumed("s1", 30)]
    told += [resumed("s1", 30, "112"), resumed("s1", 30, "rujukan")]

    for order in (told, told[::-1]):
        assert seat_readings(order, now=29).by_label(OPERATORS) == {"paused": 1}
        said = seat_readings(order, now=99)
        assert said.by_label(OPERATORS) == {"available": 1}
        assert said.by_label(PAUSE_SECONDS_TOTAL) == {"meal": 20}


def test_who_resumes_in_one_queue_of_a_pause_in_all_is_available() -> None:
    told = [logged_in("s1", 0, "112"), logged_in("s1", 0, "rujukan"), paused("s1", 10, "meal"), resumed("s1", 20, "112")]

    assert seat_readings(told, now=20).by_label(OPERATORS) == {"available": 1}
    assert seat_readings([*told, logged_out("s1", 30, "112")], now=30).by_label(OPERATORS) == {"paused": 1}
    again = [*told[:3], logged_out("s1", 20, "112"), logged_in("s1", 25, "112")]
    assert seat_readings(again, now=30).by_label(OPERATORS) == {"available": 1}


def test_a_pause_in_the_second_of_the_log_out_is_over_with_it() -> None:
    told = [logged_in("s1", 0, "112"), paused("s1", 10, "meal", "112"), logged_out("s1", 10, "112")]

    for order in permutations(told):
        assert seat_readings(order, now=10).by_label(OPERATORS) == {"off": 1}
        assert seat_readings([*order, logged_in("s1", 20, "112")], now=20).by_label(OPERATORS) == {"available": 1}


def test_how_queues_are_spelt_makes_no_difference() -> None:
    centre = changed(BOGOR, queues=({"code": "112", "also": ("antrean darurat",)},))
    told = [logged_in("s1", 0, "112"), logged_out("s1", 10, "Antrean-Darurat")]

    assert seat_readings(told, now=10, centre=centre).by_label(OPERATORS) == {"off": 1}


def test_of_more_queues_than_there_is_room_for_a_seat_is_still_seen_to_be_there() -> None:
    joined = [logged_in("s1", n, f"q{n}") for n in range(QUEUES + 1)]
    left = [logged_out("s1", 100 + n, f"q{n}") for n in range(QUEUES)]

    assert seat_readings([*joined, logged_out("s1", 90, f"q{QUEUES}")], now=99).by_label(OPERATORS) == {"available": 1}
    said = seat_readings([*joined, *left], now=200)
    assert said.by_label(OPERATORS) == {"off": 1}
    assert said.by_label(PASSED_OVER_TOTAL) == {"seat_queue": 1}


def test_a_queue_that_a_seat_left_long_ago_makes_room_for_another() -> None:
    told = [
        fact
        for day in range(60)
        for fact in (logged_in("s1", day * 86_400, f"q{day}"), logged_out("s1", day * 86_400 + 9, f"q{day}"))
    ]

    assert seat_readings(told, now=60 * 86_400).by_label(PASSED_OVER_TOTAL) == {}


PAIRS = changed(
    BOGOR,
    seats=({"code": "seat-1", "also": ("PJSIP/11", "Petugas-Satu")}, {"code": "seat-2", "also": ("PJSIP/12", "Petugas-Dua")}),
)
TWO_NAMES = [logged_in("PJSIP/11", 0, "112"), logged_in("PJSIP/12", 0, "112"), paused("Petugas-Dua", 20, "makan", "112")]


def test_interface_and_member_name_are_one_seat_where_the_file_says_so() -> None:
    said = seat_readings(TWO_NAMES, now=20, talking={"seat-1": 15}, centre=PAIRS)

    assert said.by_label(OPERATORS) == {"talking": 1, "paused": 1}
    assert said[UNPAIRED,] == 0


def test_where_nothing_says_which_names_are_one_seat_nobody_is_invented_twice() -> None:
    said = seat_readings(TWO_NAMES, now=20, talking={"Petugas-Satu": 15})

    assert sum(said.by_label(OPERATORS).values()) == said[STAFFED,] == 2
    assert said[UNPAIRED,] == 2
    assert seat_readings(TWO_NAMES, now=90, spoken=[("Petugas-Satu", 15, 80)])[UNPAIRED,] == 2
    assert seat_readings(TWO_NAMES, now=20 + SILENT_SECONDS)[UNPAIRED,] == 0
    # Names of one kind are seats each: log-ins by name, or by interface where that acts too.
    named = seat_readings([*TWO_NAMES, logged_in("Petugas-Dua", 19)], now=20)
    assert (named[UNPAIRED,], sum(named.by_label(OPERATORS).values())) == (0, 3)
    other = seat_readings([logged_in("seat-1", 0), paused("seat-2", 9)], now=20)
    assert (other[UNPAIRED,], sum(other.by_label(OPERATORS).values())) == (0, 2)


def test_when_the_file_learns_the_pairs_nobody_stays_invented() -> None:
    state = seat_state(TWO_NAMES)

    said = seat_readings(state, now=30, centre=PAIRS)
    assert (sum(said.by_label(OPERATORS).values()), said[UNPAIRED,]) == (2, 0)
    seat_state([resumed("PJSIP/12", 40, "112"), logged_out("PJSIP/11", 50, "112")], state, PAIRS)
    assert seat_readings(state, now=60, centre=PAIRS).by_label(OPERATORS) == {"available": 1, "off": 1}


def test_a_wrap_up_of_which_it_is_told_how_long_it_takes_ends_by_itself() -> None:
    told = [logged_in("s1", 0), wrap_up_started("s1", 75, 15)]

    assert seat_readings(told, now=89).by_label(OPERATORS) == {"wrap_up": 1}
    assert seat_readings(told, now=90).by_label(OPERATORS) == {"available": 1}
    assert seat_readings(told, now=HOUR)[OCCUPANCY,] == 15 / HOUR


def test_where_the_exchange_gives_every_seat_a_wrap_up_each_conversation_has_one() -> None:
    """
    s1  in──aaaaa wwww─────aaaaa w aaaaaaa►
        0   100  160 190   1000  1060
                                  1070
    """
    centre = changed(BOGOR, wrap_up_seconds=30)
    spoken = [("s1", 100, 160), ("s1", 1000, 1060)]
    told = [logged_in("s1", 0)]

    def doing(now: float, **talking: float) -> dict[str, float]:
        past = [call for call in spoken if call[2] <= now]
        return seat_readings(told, now, talking, past, centre).by_label(OPERATORS)

    assert doing(160) == doing(189) == {"wrap_up": 1}
    assert doing(190) == {"available": 1}
    assert doing(1069) == {"wrap_up": 1}
    assert doing(1070, s1=1070) == {"talking": 1}
    said = seat_readings(told, 1100, {"s1": 1070}, spoken, centre)
    assert said[OCCUPANCY,] == (60 + 30 + 60 + 10 + 30) / 1100


def test_nobody_wraps_up_who_has_left() -> None:
    told = [logged_in("s1", 0), wrap_up_started("s1", 10, 30), logged_out("s1", 20)]

    assert seat_readings(told, 21, centre=changed(BOGOR, wrap_up_seconds=30)).by_label(OPERATORS) == {"off": 1}
    spoken = [("s1", 0, 20)]
    assert seat_readings(told, 21, spoken=spoken, centre=changed(BOGOR, wrap_up_seconds=30)).by_label(OPERATORS) == {"off": 1}


def test_a_ringing_of_no_time_blames_nobody() -> None:
    """The exchange could not even ring the seat."""
    said = seat_readings([logged_in("s1", 0), *(ring_no_answer(f"s{n}", 10 + n, 0) for n in range(1, 9))], now=20)

    assert said.by_label(OPERATORS) == {"available": 1}
    assert {key[1:]: value for key, value in said.items() if key[0] is RING_NO_ANSWER_TOTAL} == {("s1",): 0}


def test_a_ringing_told_by_a_log_and_a_live_feed_counts_once() -> None:
    told = [ring_no_answer("s1", 10, 8), ring_no_answer("s1", 10.4, 8.01), ring_no_answer("s1", 21, 8)]

    assert seat_readings(told, 30).by_label(RING_NO_ANSWER_TOTAL) == {"s1": 2}


def test_the_pauses_of_a_seat_that_makes_way_stay_counted() -> None:
    told = [fact for n in range(SEATS) for fact in (logged_in(f"s{n}", n), paused(f"s{n}", 300, "meal"), resumed(f"s{n}", 310))]
    state = seat_state([*told, paused("s0", 400, "meal")])

    assert seat_readings(state, 500).by_label(PAUSE_SECONDS_TOTAL) == {"meal": SEATS * 10 + 100}
    later = 86_400 + 600
    for n in range(SEATS + 1):
        seat_state([logged_in(f"new{n}", later)], state)
    assert "s0" not in state.seats
    assert seat_readings(state, later).by_label(PAUSE_SECONDS_TOTAL)["meal"] == SEATS * 10 + later - 400


def test_when_all_have_gone_there_are_none() -> None:
    said = seat_readings([logged_in("s1", 0), logged_out("s1", 9)], now=9)

    assert {state: said[OPERATORS, state] for state in STATES} == dict.fromkeys(STATES, 0) | {"off": 1}


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

    said = seat_readings([story[n] for story in (one, two, three) for n in order], now=6)

    assert said.by_label(OPERATORS) == {"available": 2, "off": 1}


def test_who_logs_in_again_is_no_longer_paused() -> None:
    events = [logged_in("s1", 0), paused("s1", 3, "meal"), logged_out("s1", 9), logged_in("s1", 20)]

    said = seat_readings(events, now=20)

    assert said.by_label(OPERATORS) == {"available": 1}
    assert said.by_label(PAUSE_SECONDS_TOTAL) == {"meal": 6}


def test_a_login_to_one_more_queue_leaves_a_paused_seat_paused() -> None:
    events = [logged_in("s1", 0), paused("s1", 3, "meal"), logged_in("s1", 9)]

    assert seat_readings(events, now=9).by_label(OPERATORS) == {"paused": 1}


def test_pauses_are_told_by_reason_and_since_when() -> None:
    """
    s1  in──────p meal────────p prayer─────────►
    s2  in──────────p meal────────r
        0      100  130      200  230
    """
    events = [logged_in("s1", 0), logged_in("s2", 0), paused("s1", 100, "meal"), paused("s2", 130, "meal")]
    events += [paused("s1", 200, "prayer"), resumed("s2", 230)]

    said = seat_readings(events, now=150)
    assert said.by_label(PAUSED) == {"meal": 2}
    assert said[PAUSED_TIME, "s1", "meal"] == at(100)
    assert said[PAUSED_TIME, "s2", "meal"] == at(130)

    said = seat_readings(events, now=300)
    assert said.by_label(PAUSED) == {"prayer": 1}
    assert {key[1:]: value for key, value in said.items() if key[0] is PAUSED_TIME} == {("s1", "prayer"): at(100)}
    assert said.by_label(PAUSE_SECONDS_TOTAL) == {"meal": 200, "prayer": 100}


def test_a_pause_that_another_clock_puts_into_the_future_has_not_begun() -> None:
    events = [logged_in("s1", 0), paused("s1", 100, "meal")]

    assert seat_readings(events, now=50).by_label(OPERATORS) == {"available": 1}
    assert not any(key[0] is PAUSED_TIME for key in seat_readings(events, now=50))


MEALS = changed(BOGOR, seats=("seat-1", "seat-2"), reasons=({"code": "makan", "also": ("meal", "istirahat makan")}, "sholat"))


def test_a_pause_counts_under_the_reason_that_the_file_has_for_it() -> None:
    told = [logged_in("Seat_1", 0), paused("seat-1", 10, "Meal"), resumed("SEAT-1", 30)]
    told += [paused("seat-1", 40, "ISTIRAHAT-MAKAN"), paused("seat-1", 50, "budi"), paused("seat-1", 60)]

    said = seat_readings(told, now=70, centre=MEALS)

    assert said.by_label(PAUSE_SECONDS_TOTAL) == {"makan": 30, "other": 10, "unspecified": 10}
    assert said.by_label(PAUSED) == {"unspecified": 1}
    assert said.by_label(UNKNOWN_TOTAL) == {"reason": 1}
    assert said.by_label(OPERATORS) == {"paused": 1, "off": 1}


def test_a_seat_of_the_file_has_its_place_whatever_was_invented_before() -> None:
    told = [*(logged_in(f"s{n}", n) for n in range(SEATS + 50)), logged_in("SEAT-2", 999)]

    said = seat_readings(told, now=999, centre=MEALS)

    assert said[OPERATORS, "available"] == SEATS - 1
    assert said[OPERATORS, "off"] == 1
    assert (said[UNKNOWN_TOTAL, "seat"], said[PASSED_OVER_TOTAL, "seat"]) == (SEATS - 2, 52)


def test_a_seat_that_was_invented_yesterday_makes_way() -> None:
    state = seat_state([*(logged_in(f"s{n}", n) for n in range(SEATS)), ring_no_answer("s0", 50)], centre=MEALS)

    seat_state([logged_in("new", 86_500), logged_in("seat-1", 86_500)], state, MEALS)

    assert {"new", "seat-1", "s0"} <= state.seats.keys()
    assert "s1" not in state.seats


def test_reasons_beyond_the_limit_count_together() -> None:
    events = [paused(f"s{n}", n, f"r{n}") for n in range(REASONS + 5)]
    events += [event for n in range(REASONS + 5) for event in (logged_in(f"s{n}", 0), resumed(f"s{n}", 100 + n))]

    said = seat_readings(events, now=50)

    assert seat_readings(events, now=200).by_label(PAUSE_SECONDS_TOTAL) == {f"r{n}": 100 for n in range(REASONS)} | {"other": 500}
    assert said.by_label(PAUSED) == {f"r{n}": 1 for n in range(REASONS)} | {"other": 5}
    assert said.by_label(PASSED_OVER_TOTAL) == {"reason": 5}


def test_calls_that_rang_out_are_counted_per_seat_and_each_once() -> None:
    events = [logged_in("s1", 0), ring_no_answer("s1", 3), ring_no_answer("s1", 4), ring_no_answer("s2", 5)]

    said = seat_readings([*events, ring_no_answer("s1", 4)], now=5)

    assert said.by_label(RING_NO_ANSWER_TOTAL) == {"s1": 2, "s2": 1}


def test_changes_of_a_seat_that_the_hour_has_no_room_for_are_counted() -> None:
    told = [(logged_out if n % 2 else logged_in)("s1", n) for n in range(CHANGES + 3)]

    assert seat_readings(told, now=999).by_label(PASSED_OVER_TOTAL).keys() == {"change"}
    assert seat_readings(told, now=999).by_label(PASSED_OVER_TOTAL)["change"] >= 3
    assert seat_readings(told, now=999).by_label(OPERATORS) == {"available": 1}
    slow = [(logged_out if n % 2 else logged_in)("s1", n * 60) for n in range(3 * CHANGES)]
    assert seat_readings(slow, now=999).by_label(PASSED_OVER_TOTAL) == {}


def test_a_source_that_invents_seats_cannot_fill_the_memory() -> None:
    said = seat_readings([*(logged_in(f"s{n}", n) for n in range(SEATS + 50)), ring_no_answer("s0", 999)], now=999)

    assert said[OPERATORS, "available"] == SEATS
    assert said[RING_NO_ANSWER_TOTAL, "s0"] == 1


def test_occupancy_is_the_share_of_logged_in_time_in_calls_and_wrap_up() -> None:
    """
    s1  in────aaaaaaaaa──────────────────►     10 of 60 minutes
    s2  in──────────────aaaawwwwww─out         15 of 30 minutes
    """
    events = [logged_in("s1", -HOUR), logged_in("s2", -HOUR), wrap_up_started("s2", 1200), wrap_up_ended("s2", 1500)]
    events += [logged_out("s2", 1800)]

    said = seat_readings(events, now=HOUR, spoken=[("s1", 600, 1200), ("s2", 600, 1200)])

    assert said[LOGGED_IN_SECONDS,] == 5400
    assert said[OCCUPANCY,] == (600 + 600 + 300) / 5400


def test_a_call_that_goes_on_occupies_and_one_before_the_login_shows_that_the_seat_was_there() -> None:
    said = seat_readings([logged_in("s1", 1800)], now=HOUR, talking={"s1": 3000}, spoken=[("s1", 900, 1800)])

    assert said[LOGGED_IN_SECONDS,] == 2700
    assert said[OCCUPANCY,] == (900 + 600) / 2700


def test_a_call_that_goes_on_after_the_log_out_is_time_of_the_seat() -> None:
    said = seat_readings([logged_in("s1", 0), logged_out("s1", 1000)], now=2000, spoken=[("s1", 900, 1200)])

    assert said[LOGGED_IN_SECONDS,] == 1200
    assert said[OCCUPANCY,] == 300 / 1200


def test_ten_minutes_of_one_seat_are_needed_to_speak_of_occupancy() -> None:
    assert (OCCUPANCY,) not in seat_readings([logged_in("s1", 0)], now=599)
    assert seat_readings([logged_in("s1", 0)], now=600)[OCCUPANCY,] == 0


def test_adherence_is_logged_in_time_against_that_of_the_shifts() -> None:
    """START is 08:00; three seats are to be there from 08:30 to 14:00."""
    centre = staffed("s1", "s2", "s3", start="08:30", until="14:00")
    events = [logged_in("s1", -60), logged_in("s2", 2700)]

    said = seat_readings(events, now=HOUR, centre=centre)

    assert said[ADHERENCE,] == (3600 + 900) / (3 * 1800)
    assert (ADHERENCE,) not in seat_readings(events, now=1800, centre=centre)  # nothing was to be
    assert (ADHERENCE,) not in seat_readings(events[1:], now=HOUR, centre=centre)  # who knows what was at 08:30
    assert (ADHERENCE,) not in seat_readings(events, now=HOUR)


kinds: list[Callable[[str, float, str | None], OperatorEvent]] = [
    logged_in, logged_in, logged_out, logged_out, resumed, ringing,
    lambda seat, time, queue: paused(seat, time, "meal", queue),
    lambda seat, time, queue: paused(seat, time, "prayer", queue),
    lambda seat, time, queue: ring_no_answer(seat, time, None, queue),
    lambda seat, time, _: wrap_up_started(seat, time),
    lambda seat, time, _: wrap_up_started(seat, time, 300),
    lambda seat, time, _: wrap_up_ended(seat, time),
]  # fmt: skip
names = st.sampled_from(["s1", "s2"])
queues = st.sampled_from([None, "112", "112", "rujukan"])
moments = st.integers(0, 3 * HOUR)


def told_of(seat: str, most: int) -> st.SearchStrategy[list[OperatorEvent]]:
    """Any facts of a seat in three hours, no two at the same moment, in any order."""
    facts = st.lists(st.tuples(moments, st.sampled_from(kinds), queues), max_size=most, unique_by=lambda fact: fact[0])
    return facts.map(lambda told: [kind(seat, time, queue) for time, kind, queue in told])


soup = st.builds(list.__add__, told_of("s1", 25), told_of("s2", 25))
few = st.builds(list.__add__, told_of("s1", ROOM // 2 - 1), told_of("s2", ROOM // 2 - 1))
"""So few that all are kept one by one."""
conversations = st.lists(st.tuples(names, moments, st.integers(1, 900)), max_size=8)


def seconds_of(event: OperatorEvent) -> int:
    return round(event.time.timestamp() - at(0))


def stood(told: list[OperatorEvent], answers: list[int], second: int) -> tuple[bool, str, bool]:
    """Whether one seat was logged in at a second, why it was paused, whether it wrapped up: by the rules from the beginning."""
    joined: set[str] = set()
    somewhere, everywhere, own, until = False, "", dict[str, tuple[int, str]](), 0
    facts = [(time, 0, None) for time in answers] + [(seconds_of(event), 1, event) for event in told]
    for time, _, event in sorted(facts, key=lambda fact: fact[:2]):
        if time > second:
            break
        queue = event.data.queue or "" if event else ""
        kind = event.type.removeprefix("operator.") if event else "answered"
        if kind not in {"logged_out", "wrap_up_ended"}:
            if queue:
                joined.add(queue)
            else:
                somewhere = somewhere or not joined or kind == "logged_in"
        if kind in {"paused", "resumed"}:
            reason = (event.data.reason or "") if isinstance(event, OperatorPaused) else ""
            if queue:
                own[queue] = time, reason
            else:
                own, everywhere = {"": (time, reason)}, reason
        elif isinstance(event, OperatorWrapUpStarted):
            until = time + int(event.data.seconds or WRAP_UP_SECONDS)
        elif kind == "wrap_up_ended":
            until = time
        elif kind == "logged_out":
            somewhere, joined = False, joined - {queue} if queue else set()
            own[queue] = time, ""
            if not joined:
                own, everywhere, until = {}, "", min(until, time)
    there = somewhere or bool(joined)
    reasons = [own.get(queue, own.get("", (0, everywhere))) for queue in joined or {""}]
    return there, max(reasons)[1] if there and all(reason for _, reason in reasons) else "", there and second < until


@settings(deadline=None, max_examples=40)
@given(few, conversations, st.integers(0, 2 * HOUR))
def test_the_hour_and_the_pauses_are_what_a_look_at_every_stretch_finds(
    told: list[OperatorEvent], drawn: list[tuple[str, int, int]], later: int
) -> None:
    now = max([seconds_of(event) for event in told] + [start + length for _, start, length in drawn], default=0) + later
    spoken = [(seat, start, start + length) for seat, start, length in drawn if start + length > now - HOUR]
    logged_in_seconds = busy = 0
    pauses: dict[str, int] = {}
    for seat in ("s1", "s2"):
        facts = [event for event in told if event.data.seat == seat]
        calls = [(start, end) for name, start, end in spoken if name == seat]
        cuts = {now - HOUR, now, *(time for call in calls for time in call)}
        cuts |= {seconds_of(event) + more for event in facts for more in (0, 300, WRAP_UP_SECONDS)}
        for second, until in pairwise(sorted(cut for cut in cuts if cut <= now)):
            there, pause, wraps_up = stood(facts, [start for start, _ in calls], second)
            talks = any(start <= second < end for start, end in calls)
            if second >= now - HOUR:
                logged_in_seconds += (until - second) * (there or talks)
                busy += (until - second) * (wraps_up or talks)
            if pause:
                pauses[pause] = pauses.get(pause, 0) + until - second

    said = seat_readings(told, now, spoken=spoken)

    assert said.by_label(PAUSE_SECONDS_TOTAL) == pauses
    if (STAFFED,) in said:
        assert said[LOGGED_IN_SECONDS,] == logged_in_seconds
        assert said.get((OCCUPANCY,)) == (pytest.approx(busy / logged_in_seconds) if logged_in_seconds >= 600 else None)
        there_now = [
            stood([event for event in told if event.data.seat == seat], [s for n, s, _ in spoken if n == seat], now)[0]
            for seat in ("s1", "s2")
        ]
        assert said[STAFFED,] == sum(there_now)


@settings(deadline=None)
@given(soup, st.randoms(use_true_random=False), moments)
def test_however_seats_and_reasons_are_spelt_the_figures_are_the_same(told: list[OperatorEvent], dice: Random, now: int) -> None:
    centre = changed(BOGOR, seats=("s1", "s2"), reasons=("meal",))
    written = [respelt(event, dice, seat=centre.names.seats, reason=centre.names.reasons) for event in told]

    assert seat_readings(written, now, centre=centre) == seat_readings(told, now, centre=centre)


@settings(deadline=None)
@given(soup, st.dictionaries(names, st.just(0.0)), conversations, moments)
def test_every_known_seat_is_in_one_state_at_any_moment(
    told: list[OperatorEvent], talking: dict[str, float], spoken: list[tuple[str, int, int]], now: int
) -> None:
    past = [(seat, start, start + length) for seat, start, length in spoken if now - HOUR < start + length <= now]
    said = seat_readings(told, now, talking, past, staffed("s1", "s3"))
    known = {event.data.seat for event in told} | {"s1", "s3"} | talking.keys() | {seat for seat, *_ in past}

    if (OPERATORS, "off") in said:
        assert sum(said.by_label(OPERATORS).values()) == len(known)
        assert sum(said.by_label(PAUSED).values()) == said[OPERATORS, "paused"]
        assert said[OPERATORS, "talking"] == len(talking)
        assert said.get((STAFFED,), len(known) - said.number(OPERATORS, "off")) == len(known) - said.number(OPERATORS, "off")
    else:
        assert not talking
        assert not past
    assert all(said.number(*key) >= 0 for key in said)


@settings(deadline=None)
@given(few, conversations, st.randoms(use_true_random=False), moments)
def test_the_order_of_telling_changes_nothing(
    told: list[OperatorEvent], drawn: list[tuple[str, int, int]], dice: Random, now: int
) -> None:
    spoken = [(seat, start, start + length) for seat, start, length in drawn]

    assert seat_readings(dice.sample(told, len(told)), now, spoken=spoken) == seat_readings(told, now, spoken=spoken)


@settings(deadline=None)
@given(soup)
def test_a_seat_that_tells_more_than_is_kept_one_by_one_stands_the_same(told: list[OperatorEvent]) -> None:
    """Told in order; only of what is longer ago than an hour nothing more can be asked."""
    told = sorted(told, key=seconds_of)

    with patch.object(timeline, "ROOM", 10_000):
        kept = seat_readings(told, 3 * HOUR)
    with patch.object(timeline, "ROOM", 1):
        assert seat_readings(told, 3 * HOUR) == kept


@settings(deadline=None)
@given(soup)
def test_no_counter_falls_while_everything_is_told_in_time(told: list[OperatorEvent]) -> None:
    state = operators.State()
    before = Said()
    for event in sorted(told, key=seconds_of):
        said = seat_readings(seat_state([event], state), seconds_of(event))
        for key, value in before.items():
            assert said.number(*key) >= value  # type: ignore[operator]
        before = Said({key: value for key, value in said.items() if key[0].kind == "counter"})


@settings(deadline=None)
@given(few, moments)
def test_a_counter_steps_back_only_by_the_delay_with_which_an_end_is_told(told: list[OperatorEvent], delay: int) -> None:
    state, told = operators.State(), sorted(told, key=seconds_of)
    before = 0.0
    for event in told:
        now = seconds_of(event) + delay
        said = seat_readings(seat_state([event], state), now)
        paused_for = sum(said.by_label(PAUSE_SECONDS_TOTAL).values())
        assert paused_for >= before - delay
        before = paused_for


@settings(deadline=None)
@given(soup)
def test_telling_everything_twice_changes_nothing(told: list[OperatorEvent]) -> None:
    """But for calls that rang out: of those only the newest of a seat is known again."""
    told = [event for event in told if event.type != "operator.ring_no_answer"]

    assert seat_readings([*told, *told], 3 * HOUR) == seat_readings(told, 3 * HOUR)


@settings(deadline=None)
@given(soup, st.integers(0, 50))
def test_a_state_put_away_as_json_and_taken_back_goes_on_the_same(told: list[OperatorEvent], cut: int) -> None:
    state = BLOB.validate_json(BLOB.dump_json(seat_state(told[:cut])))

    assert BLOB.dump_json(seat_state(told[cut:], state)) == BLOB.dump_json(seat_state(told))


def test_everything_said_is_declared() -> None:
    events = [logged_in("s1", -2 * HOUR), paused("s1", 0, "meal"), resumed("s1", 60), paused("s1", 90)]

    said = seat_readings(events, now=99, centre=staffed("s1", start="00:00", until="00:00"))

    assert {metric for metric, *_ in said} == set(METRICS)


def test_twelve_busy_seats_take_less_than_thirty_kilobytes() -> None:
    """Eight hours of 25 wrapped-up calls an hour and seat, rung each, with a pause every hour; the ledger of ids not counted."""
    events = []
    for seat in (f"seat-{n:02d}" for n in range(12)):
        events.append(logged_in(seat, 0))
        for n in range(8 * 25):
            start = n * 144
            events += [ringing(seat, start), wrap_up_started(seat, start + 100), wrap_up_ended(seat, start + 130)]
            if n % 25 == 0:
                events += [paused(seat, start + 131, "prayer"), resumed(seat, start + 140)]
    size = len(BLOB.dump_json(seat_state(sorted(events, key=seconds_of))))

    assert 0 < size < 30_000

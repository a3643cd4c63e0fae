"""Seats on a time line, given who talks."""

from collections.abc import Callable
from itertools import pairwise, permutations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from schemas.operators import OperatorEvent
from streams.core import operators
from streams.core.centre import SEATS, Centre, Shift
from streams.core.names import PASSED_OVER_TOTAL, UNKNOWN_TOTAL
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
    WRAP_UP_SECONDS,
)
from streams.core.track import CHANGES
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
    """s1 is free, s2 talks, s3 paused; s4 talks paused, s5 talks logged out, s6 is rung in its wrap-up, s7 wraps up paused."""
    events = [*(logged_in(f"s{n}", 0) for n in range(1, 8)), paused("s3", 1), paused("s4", 1), logged_out("s5", 1)]
    events += [wrap_up_started("s6", 1), ringing("s6", 2), wrap_up_started("s7", 1), paused("s7", 2)]

    said = seat_readings(events, now=5, talking={"s2": 1, "s4": 1, "s5": 1, "s9": 1})

    assert said.by_label(OPERATORS) == {"available": 1, "talking": 2, "paused": 1, "ringing": 1, "wrap_up": 1, "off": 1}
    assert said.by_label(PAUSED) == {"unspecified": 1}


def test_a_seat_of_the_centre_file_that_nobody_took_is_off() -> None:
    said = seat_readings([logged_in("s1", 0), logged_in("s9", 0)], now=5, centre=staffed("s1", "s2", "s3"))

    assert said.by_label(OPERATORS) == {"available": 2, "off": 2}


def test_nothing_heard_of_seats_is_absent_and_not_zero() -> None:
    assert seat_readings([], now=0, centre=staffed("s1", start="00:00", until="00:00")) == {}


def test_where_no_login_is_ever_told_nobody_knows_who_is_there() -> None:
    said = seat_readings([paused("s1", 0, "meal"), resumed("s1", 60), ring_no_answer("s1", 70)], now=99)

    assert {metric for metric, *_ in said} == {PAUSE_SECONDS_TOTAL, RING_NO_ANSWER_TOTAL}


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
    assert said.by_label(PAUSE_SECONDS_TOTAL) == {"meal": 200}


def test_a_pause_that_another_clock_puts_into_the_future_has_not_begun() -> None:
    events = [logged_in("s1", 0), paused("s1", 100, "meal")]

    assert seat_readings(events, now=50).by_label(OPERATORS) == {"available": 1}
    assert not any(key[0] is PAUSED_TIME for key in seat_readings(events, now=50))


MEALS = changed(BOGOR, seats=("seat-1", "seat-2"), reasons=({"code": "makan", "also": ("meal", "istirahat makan")}, "sholat"))


def test_a_pause_counts_under_the_reason_that_the_file_has_for_it() -> None:
    told = [logged_in("Seat_1", 0), paused("seat-1", 10, "Meal"), resumed("SEAT-1", 30)]
    told += [paused("seat-1", 40, "ISTIRAHAT-MAKAN"), paused("seat-1", 50, "budi"), paused("seat-1", 60)]

    said = seat_readings(told, now=70, centre=MEALS)

    assert said.by_label(PAUSE_SECONDS_TOTAL) == {"makan": 30, "other": 10}
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

    assert said.by_label(PAUSE_SECONDS_TOTAL) == {f"r{n}": 100 for n in range(REASONS)} | {"other": 500}
    assert said.by_label(PAUSED) == {f"r{n}": 1 for n in range(REASONS)} | {"other": 5}
    assert said.by_label(PASSED_OVER_TOTAL) == {"reason": 5}


def test_calls_that_rang_out_are_counted_per_seat_and_each_once() -> None:
    events = [logged_in("s1", 0), ring_no_answer("s1", 3), ring_no_answer("s1", 4), ring_no_answer("s2", 5)]

    said = seat_readings([*events, ring_no_answer("s1", 4)], now=5)

    assert said.by_label(RING_NO_ANSWER_TOTAL) == {"s1": 2, "s2": 1}


def test_changes_of_a_seat_that_the_hour_has_no_room_for_are_counted() -> None:
    told = [(logged_out if n % 2 else logged_in)("s1", n) for n in range(CHANGES + 3)]

    assert seat_readings(told, now=999).by_label(PASSED_OVER_TOTAL) == {"change": 3}
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


def test_a_call_that_goes_on_occupies_and_one_before_the_login_does_not() -> None:
    said = seat_readings([logged_in("s1", 1800)], now=HOUR, talking={"s1": 3000}, spoken=[("s1", 900, 1800)])

    assert said[OCCUPANCY,] == 600 / 1800


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


kinds: list[Callable[[str, float], OperatorEvent]] = [
    logged_in, logged_in, logged_out, resumed, ringing, ring_no_answer, wrap_up_started, wrap_up_ended,
    lambda seat, time: paused(seat, time, "meal"), lambda seat, time: paused(seat, time, "prayer"),
]  # fmt: skip
names = st.sampled_from(["s1", "s2"])
moments = st.integers(0, 3 * HOUR)


def told_of(seat: str) -> st.SearchStrategy[list[OperatorEvent]]:
    """Any facts of a seat in three hours, no two at the same moment, in any order."""
    facts = st.lists(st.tuples(moments, st.sampled_from(kinds)), max_size=25, unique_by=lambda fact: fact[0])
    return facts.map(lambda told: [kind(seat, time) for time, kind in told])


soup = st.builds(list.__add__, told_of("s1"), told_of("s2"))
conversations = st.lists(st.tuples(names, moments, st.integers(0, 900)), max_size=8)


def seconds_of(event: OperatorEvent) -> int:
    return round(event.time.timestamp() - at(0))


def newest_before(told: list[OperatorEvent], seat: str, second: int, *types: str) -> tuple[str, int]:
    """Type and moment of the newest of these events up to a second."""
    found = [(seconds_of(event), event.type) for event in told if event.data.seat == seat and event.type in types]
    moment, kind = max((fact for fact in found if fact[0] <= second), default=(-1, ""))
    return kind, moment


def second_by_second(told: list[OperatorEvent], spoken: list[tuple[str, int, int]], now: int) -> tuple[int, int]:
    """Seconds logged in, and of these the busy ones, by looking at each."""
    there = busy = 0
    for seat in ("s1", "s2"):
        for second in range(now - HOUR, now):
            if newest_before(told, seat, second, "operator.logged_in", "operator.logged_out")[0] != "operator.logged_in":
                continue
            there += 1
            kind, moment = newest_before(
                told, seat, second, "operator.wrap_up_started", "operator.wrap_up_ended", "operator.logged_out"
            )
            wraps_up = kind == "operator.wrap_up_started" and second < moment + WRAP_UP_SECONDS
            busy += wraps_up or any(name == seat and start <= second < end for name, start, end in spoken)
    return there, busy


@settings(deadline=None, max_examples=40)
@given(soup, conversations, st.integers(0, 2 * HOUR))
def test_occupancy_is_what_a_look_at_every_second_finds(
    told: list[OperatorEvent], drawn: list[tuple[str, int, int]], later: int
) -> None:
    spoken = [(seat, start, start + seconds) for seat, start, seconds in drawn]
    now = max([seconds_of(event) for event in told] + [end for _, _, end in spoken], default=0) + later
    there, busy = second_by_second(told, spoken, now)

    said = seat_readings(told, now, spoken=spoken)

    assert said.get((LOGGED_IN_SECONDS,), 0) == there
    assert said.get((OCCUPANCY,)) == (pytest.approx(busy / there) if there >= 600 else None)


@settings(deadline=None)
@given(soup, st.randoms(use_true_random=False), moments)
def test_however_seats_and_reasons_are_spelt_the_figures_are_the_same(told: list[OperatorEvent], dice: Random, now: int) -> None:
    centre = changed(BOGOR, seats=("s1", "s2"), reasons=("meal",))
    written = [respelt(event, dice, seat=centre.names.seats, reason=centre.names.reasons) for event in told]

    assert seat_readings(written, now, centre=centre) == seat_readings(told, now, centre=centre)


@settings(deadline=None)
@given(soup, st.dictionaries(names, st.just(0.0)), moments)
def test_every_known_seat_is_in_one_state_at_any_moment(told: list[OperatorEvent], talking: dict[str, float], now: int) -> None:
    said = seat_readings(told, now, talking, centre=staffed("s1", "s3"))
    known = {event.data.seat for event in told} | {"s1", "s3"}

    if any(event.type in {"operator.logged_in", "operator.logged_out"} for event in told):
        assert sum(said.by_label(OPERATORS).values()) == len(known)
        assert said[STAFFED,] == len(known) - said.number(OPERATORS, "off")
        assert sum(said.by_label(PAUSED).values()) == said[OPERATORS, "paused"]
    else:
        assert said.by_label(OPERATORS) == {}


@settings(deadline=None)
@given(soup, st.randoms(use_true_random=False))
def test_the_order_of_telling_changes_nothing_but_the_pauses_already_counted(told: list[OperatorEvent], dice: Random) -> None:
    shuffled = dice.sample(told, len(told))

    assert without_pauses(seat_readings(shuffled, 3 * HOUR)) == without_pauses(seat_readings(told, 3 * HOUR))


def without_pauses(said: Said) -> dict[tuple[object, ...], object]:
    return {key: value for key, value in said.items() if key[0] is not PAUSE_SECONDS_TOTAL}


@settings(deadline=None)
@given(soup)
def test_pauses_told_in_order_add_up_to_what_a_look_at_every_second_finds(told: list[OperatorEvent]) -> None:
    told = sorted(told, key=seconds_of)
    found = 0
    for seat in ("s1", "s2"):
        news = [event for event in told if event.data.seat == seat and event.type in PAUSES]
        for event, after in pairwise(news):
            found += (seconds_of(after) - seconds_of(event)) * (event.type == "operator.paused")

    assert sum(seat_readings(told, 3 * HOUR).by_label(PAUSE_SECONDS_TOTAL).values()) == found


PAUSES = {"operator.paused", "operator.resumed", "operator.logged_out"}


@settings(deadline=None)
@given(soup)
def test_no_counter_falls_whatever_is_told(told: list[OperatorEvent]) -> None:
    state = operators.State()
    before: dict[tuple[object, ...], float] = {}
    for event in told:
        said = seat_readings(seat_state([event], state), 3 * HOUR)
        for key, value in before.items():
            assert said.number(*key) >= value  # type: ignore[arg-type]
        before = {key: said.number(*key) for key in said if key[0].kind == "counter"}


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

"""What would have been: a simulated centre that follows the formulas where they hold, and two real months."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from math import inf
from random import Random
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.event import Event
from streams.analysis.measure import fold
from streams.analysis.rows.told import Rows
from streams.analysis.tables import Tables
from streams.analysis.whatif.answer import SHARE, answer, by_hour, figures, together
from streams.analysis.whatif.centre_model import Caller, CentreModel, End
from streams.analysis.whatif.change import NOTHING, Change, ChangeError, daily, seats
from streams.analysis.whatif.fit import Patience, learn
from streams.analysis.whatif.need import erlang_a, needed
from streams.analysis.whatif.past import BREAK, Call, Past, Stay, read, seen
from streams.analysis.whatif.run import World
from streams.core.erlang import answered_within, answered_within_patience
from streams.sources import Line
from tests.builders import (
    BOGOR,
    START,
    abandoned,
    answered,
    classified,
    ended,
    logged_in,
    logged_out,
    network_dropped,
    offered,
    overflowed,
    paused,
    queued,
    resumed,
)
from tests.sources import anonymous_bank

DAY = START.timestamp()


# --- the model


def by_chance(n: int, rate: float, handle: float, patience: float | None, seed: int) -> list[Caller]:
    """Callers as Erlang has them."""
    dice, now, found = Random(seed), 0.0, []
    for _ in range(n):
        now += dice.expovariate(rate)
        stays = inf if patience is None else dice.expovariate(1 / patience)
        found.append(Caller(now, now + stays, dice.expovariate(1 / handle)))
    return found


def level(callers: list[Caller], ends: list[End], seconds: float) -> float:
    """The share answered within so many seconds."""
    waits = [end.at - caller.enters for caller, end in zip(callers, ends, strict=True) if end.answered]
    return sum(wait <= seconds for wait in waits) / len(callers)


@settings(max_examples=8, derandomize=True, deadline=None)
@given(number=st.integers(1, 6), busy=st.floats(0.2, 0.7), handle=st.floats(60, 240), seed=st.integers(0, 99))
def test_callers_who_wait_for_ever_are_answered_as_erlang_c_says(number: int, busy: float, handle: float, seed: int) -> None:
    callers = by_chance(3_000, number * busy / handle, handle, None, seed)

    ends = CentreModel(callers, {0.0: number}).run()

    assert all(end.answered for end in ends)
    assert level(callers, ends, 15) == pytest.approx(answered_within(number, number * busy, handle, 15), abs=0.08)


@settings(max_examples=8, derandomize=True, deadline=None)
@given(number=st.integers(1, 6), busy=st.floats(0.4, 1.5), patience=st.floats(30, 300), seed=st.integers(0, 99))
def test_callers_who_lose_patience_are_answered_as_erlang_a_says(number: int, busy: float, patience: float, seed: int) -> None:
    callers = by_chance(3_000, number * busy / 120, 120, patience, seed)

    ends = CentreModel(callers, {0.0: number}).run()

    expected = answered_within_patience(number, number * busy, 120, patience, 15)
    assert level(callers, ends, 15) == pytest.approx(expected, abs=0.08)


comers = st.lists(st.tuples(st.integers(0, 300), st.integers(0, 90)), min_size=1, max_size=30)
stays = st.lists(st.tuples(st.integers(0, 200), st.integers(1, 300)), min_size=1, max_size=4)


@given(comers, stays, stays)
def test_the_same_callers_wait_no_longer_with_more_seats(
    comers: list[tuple[int, int]], known: list[tuple[int, int]], more: list[tuple[int, int]]
) -> None:
    callers = [Caller(enters, inf, holds) for enters, holds in sorted(comers)]

    def run(there: list[tuple[int, int]]) -> list[float]:
        steps = Counter({1_000.0: 1})  # in the end somebody comes who answers all that still wait
        for start, length in there:
            steps[start] += 1
            steps[start + length] -= 1
        return [end.at for end in CentreModel(callers, steps).run()]

    assert all(with_more <= without for with_more, without in zip(run([*known, *more]), run(known), strict=True))


def test_who_comes_first_is_answered_first_and_a_seat_that_leaves_ends_its_conversation() -> None:
    callers = [Caller(0, inf, 100), Caller(10, inf, 5), Caller(20, 50, 5), Caller(30, inf, 5)]

    ends = CentreModel(callers, {0.0: 1, 40.0: -1, 200.0: 1}).run()

    assert ends == [End(True, 0), End(True, 200), End(False, 50), End(True, 205)]


def test_a_free_seat_takes_its_time_and_who_has_none_is_gone_before() -> None:
    callers = [Caller(0, inf, 10, 0.5), Caller(100, 103, 10, 0.5)]

    ends = CentreModel(callers, {0.0: 2}, lambda free, luck: 2 * free + luck).run()

    assert ends == [End(True, 4.5), End(False, 103)]


def test_who_waits_for_the_time_out_of_a_queue_goes_to_the_end_of_the_line() -> None:
    callers = [Caller(0, inf, 100), Caller(50, inf, 10), Caller(80, inf, 10)]

    ends = CentreModel(callers, {0.0: 1}, time_out=40).run()

    assert ends == [End(True, 0), End(True, 110), End(True, 100)]


# --- what was


def past(events: Iterable[Event]) -> Past:
    """What was, of events of Kota Bogor."""
    with Tables() as tables:
        rows = Rows(tables.write)
        lines = (Line(number, event) for number, event in enumerate(sorted(events, key=lambda event: event.time), 1))
        _, moment, _ = fold(lines, {BOGOR.code: BOGOR}, 2e9, rows=rows)
        assert moment is not None
        rows.finish(moment)
        tables.complete()
        return read(tables.connection, BOGOR, None, None)


def test_calls_are_read_with_what_became_of_them_and_seats_with_their_log_ins() -> None:
    found = past(
        [
            *(logged_in("s1", 0), paused("s1", 100), resumed("s1", 160), logged_out("s1", 1_000)),
            *(offered("a", 10), queued("a", 14), answered("a", 20, "s1"), ended("a", 50), classified("a", 51, "prank")),
            *(offered("b", 200), queued("b", 202), abandoned("b", 260)),
            *(offered("c", 300), queued("c", 300), abandoned("c", 300)),
            *(offered("d", 400), queued("d", 400), network_dropped("d", 430)),
        ]
    )

    assert found.logged_in
    assert found.stays == [Stay(DAY, DAY + 1_000, 60)]
    assert [(call.fate, call.answered, call.announcement, call.wait, call.talk, call.nuisance) for call in found.calls] == [
        ("waited", True, 4, 10, 30, True),
        ("waited", False, 2, 60, None, None),
        ("gone", False, 0, 0, None, None),
        ("dropped", False, 0, 30, None, None),
    ]


def call(at: float, wait: float = 0.0, talk: float | None = 60.0, seat: str | None = "s1", **other: Any) -> Call:
    """A call of the first hour, answered unless it did not talk."""
    whole = Call(
        at=DAY + at, queue="112", date="2024-11-25", hour=8, announcement=0.0, fate="waited", answered=talk is not None,
        wait=wait, queued=wait, talk=talk, seat=seat, nuisance=None, counts=True,
    )  # fmt: skip
    return replace(whole, **other)


def test_a_seat_nobody_logged_in_is_there_between_its_conversations_unless_it_let_callers_wait() -> None:
    idle = [call(0), call(1_000)]
    took_none = [call(0), call(100, BREAK + 200, None), call(2_000)]

    assert seen(idle) == [Stay(DAY, DAY + 1_060)]
    assert seen(took_none) == [Stay(DAY, DAY + 60), Stay(DAY + 300 + BREAK, DAY + 2_060)]
    assert seen([call(0), call(5_000)]) == [Stay(DAY, DAY + 60), Stay(DAY + 5_000, DAY + 5_060)]


def test_more_seats_that_talk_than_were_logged_in_are_noticed() -> None:
    both = [call(0, talk=100), call(50, talk=100, seat="s2")]

    assert Past(both, [Stay(DAY, DAY + 200)], True, None, 0).unseated == pytest.approx(50 / 200)
    assert Past(both, [Stay(DAY, DAY + 200)] * 2, True, None, 0).unseated == 0


def test_a_time_out_is_known_where_nearly_all_who_queued_again_had_waited_as_long() -> None:
    def time_out(*waits: float) -> float:
        events = [
            [offered(f"{n}", 500 * n), queued(f"{n}", 500 * n), overflowed(f"{n}", 500 * n + wait)]
            for n, wait in enumerate(waits)
        ]
        return past(event for each in events for event in each).time_out

    assert time_out(*[60] * 40, 75) == 60
    assert time_out(*[60] * 20) == inf
    assert time_out(*[60] * 20, *[120] * 20) == inf


def test_patience_is_learned_of_those_who_were_answered_before_too_and_of_the_first_seconds_by_itself() -> None:
    dice, calls = Random(7), []
    true = Patience(mean=0, early=50, late=200, short=5)
    for n in range(20_000):
        patience, until = true.draw(dice.random()), dice.expovariate(1 / 60)
        calls.append(call(2 * n, patience, None, None) if patience < until else call(2 * n, until))

    found = learn(Past(calls, [], True, None, 0), BOGOR).whole.patience[None]

    assert found.early == pytest.approx(50, rel=0.1)
    assert found.late == pytest.approx(200, rel=0.1)
    assert sum(found.draw((n + 0.5) / 1_000) for n in range(1_000)) / 1_000 == pytest.approx(
        sum(true.draw((n + 0.5) / 1_000) for n in range(1_000)) / 1_000, rel=0.1
    )


# --- what is otherwise


def world(calls: list[Call], number: int = 2) -> World:
    whole = Past(calls, [Stay(DAY, DAY + 36_000)] * number, True, 5.0, 0)
    return World(whole, learn(whole, BOGOR), BOGOR)


def ordinary(n: int = 400) -> list[Call]:
    """Calls by chance in the eight hours from eight o'clock, of whom some hung up."""
    dice, found = Random(5), []
    for at in sorted(dice.uniform(0, 28_800) for _ in range(n)):
        is_patient, hour = dice.random() < 0.8, 8 + int(at // 3_600)
        talk = dice.expovariate(1 / 90)
        found.append(call(at, 2.0, talk, None, hour=hour) if is_patient else call(at, 40.0, None, None, hour=hour))
    return found


def test_seats_are_written_as_people_say_them() -> None:
    more = seats("+1@18-24,-2@22-6,+3")

    assert [(shift.start.hour, shift.until.hour, shift.seats) for shift in more.more] == [(18, 0, 1), (0, 0, 3)]
    assert [(shift.start.hour, shift.until.hour, shift.seats) for shift in more.fewer] == [(22, 6, 2)]
    for wrong in ("1@18-24", "+1@18", "+0", "+1@24-25", "+1@6-6", "+201", ""):
        with pytest.raises(ChangeError, match=r"no change of seats|number of seats|hours are from"):
            seats(wrong)


def test_the_same_seed_is_the_same_chance_and_another_is_another() -> None:
    centre = world(ordinary())

    assert centre.run(NOTHING, "1") == centre.run(NOTHING, "1")
    assert centre.run(NOTHING, "1") != centre.run(NOTHING, "2")


@pytest.mark.parametrize("change", [seats("+2"), Change(handle=0.5)], ids=["seats", "handle"])
def test_more_seats_and_shorter_calls_shorten_the_waits_and_fewer_make_them_longer(change: Change) -> None:
    centre = world(ordinary())

    def mean(what: Change) -> float:
        return sum(figures(centre.run(what, f"{seed}")).mean_wait or 0.0 for seed in range(4))

    assert mean(change) < mean(NOTHING) < mean(seats("-1"))


def test_nuisance_that_does_not_come_is_as_much_as_was_said_and_the_others_are_the_same_callers() -> None:
    calls = [replace(each, nuisance=number % 4 == 0) for number, each in enumerate(ordinary())]
    centre = world(calls)

    assert len(centre.run(Change(nuisance=0), "1")) == 300
    assert 330 < len(centre.run(Change(nuisance=0.5), "1")) < 370


def test_of_calls_of_which_nobody_said_what_they_were_as_many_are_nuisance_as_of_the_others() -> None:
    calls = [replace(each, nuisance=number % 4 == 0 if each.answered else None) for number, each in enumerate(ordinary())]

    assert len(world(calls).run(Change(nuisance=0), "1")) == pytest.approx(300, abs=25)


def test_an_announcement_is_heard_by_all_and_who_hung_up_in_a_longer_one_may_get_through_a_shorter() -> None:
    calls = [call(0, 10.0, queued=0.0, announcement=10.0), call(1_000, 8.0, None, None, fate="announcement", queued=None)]
    centre = world(calls)

    def waits(change: Change) -> list[tuple[bool, float | None]]:
        return [(outcome.answered, outcome.wait) for outcome in sorted(centre.run(change, "1"), key=lambda each: each.call.at)]

    assert waits(NOTHING) == [(True, 10), (False, 8)]
    assert waits(Change(announcement=20.0)) == [(True, 20), (False, 8)]
    assert waits(Change(announcement=5.0)) == [(True, 5), (True, 5)]


def test_whom_the_network_dropped_is_answered_without_that_if_a_seat_comes_in_time() -> None:
    calls = [call(0, talk=100), call(10, 30.0, None, None, fate="dropped")]
    centre = world(calls, number=1)

    assert [outcome.answered for outcome in centre.run(NOTHING, "1")] == [True, False]
    assert [outcome.answered for outcome in centre.run(Change(network=False), "1")] == [True, True]


# --- what is said


def test_a_centre_whose_seats_are_not_all_known_is_not_reproduced_and_no_change_is_told() -> None:
    calls = [call(60 * n, 1.0, 200.0, f"s{n % 4}") for n in range(400)]
    few = Past(calls, [Stay(DAY, DAY + 36_000)], True, None, 0)

    found = answer(World(few, learn(few, BOGOR), BOGOR), seats("+1"), 10, 1)

    assert "mean_wait" in found.misses
    assert found.changed.band("mean_wait") is None
    assert few.unseated > 0.5


def test_seats_that_an_hour_needs_answer_nine_of_ten_in_time_and_one_less_does_not() -> None:
    centre = world(ordinary(900))
    found = needed(centre, NOTHING, erlang_a(centre, NOTHING, 1), 1)

    def met(seats: dict[int, int]) -> list[bool]:
        change = Change(more=daily(seats))
        shares = together(by_hour(centre.run(change, f"1 {run}", no_other_seats=True)) for run in range(3))
        return [share.met >= SHARE * share.came for share in shares if share.came]

    assert sorted(found) == list(range(8, 16))
    assert all(met(found))
    assert not any(met({hour: n - 1 for hour, n in found.items()}))


# --- the bank


MONTH = """
    CREATE VIEW shifts AS SELECT NULL::TIMESTAMPTZ AS logged_in, NULL::TIMESTAMPTZ AS until, '' AS city, 0 AS calls,
        0.0 AS wrap_up_seconds, 0.0 AS paused_seconds WHERE false;
    CREATE VIEW visits AS SELECT '' AS city, '' AS outcome, 0.0 AS wait_seconds, NULL::TIMESTAMPTZ AS entered WHERE false;
    CREATE VIEW journeys AS
    WITH calls AS (
        SELECT *, strptime(date::VARCHAR, '%y%m%d') AS day,
            CASE WHEN q_start = '0:00:00' THEN vru_exit ELSE q_start END AS clock
        FROM read_csv('{}', delim='\t', header=true, all_varchar=true) WHERE outcome <> 'PHANTOM'
    )
    SELECT '32.71' AS city, "vru+line" || call_id AS journey, false AS is_test, "type" AS queue, NULL AS call_class,
        day::DATE AS date, timezone('Asia/Jerusalem', day + clock::INTERVAL) AS arrived, arrived AS entered_queue,
        split_part(clock, ':', 1)::INTEGER % 24 AS hour, nullif(server, 'NO_SERVER') AS seat,
        if(outcome = 'AGENT', 'answered', 'abandoned') AS outcome, q_time::DOUBLE AS wait_seconds, wait_seconds AS queue_seconds,
        if(outcome = 'AGENT', ser_time::DOUBLE, NULL) AS talk_seconds
    FROM calls
"""
"""Rows of a month as a fold gives them, in less time; that a fold does is shown in test_export.py."""


def month(name: str) -> Past:
    path = anonymous_bank.data(f"{name}1999.tsv.gz")
    with duckdb.connect() as connection:
        connection.execute(MONTH.format(path))
        return read(connection, anonymous_bank.CENTRE, None, None)


RUNS = 6


def test_learned_from_january_of_the_bank_the_model_reproduces_it_and_predicts_february() -> None:
    january, february = month("january"), month("february")
    fit = learn(january, anonymous_bank.CENTRE)

    for of, ratio in ((january, 27_060 / 31_359), (february, 27_162 / 33_066)):
        found = answer(World(of, fit, anonymous_bank.CENTRE), NOTHING, RUNS, 1)
        assert found.was.answered == pytest.approx(ratio)
        assert found.misses == []

"""The rows of shifts sum to the pauses and wrap-ups that are counted, whatever was told in whatever order."""

import json
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from math import fsum
from typing import Any

import pytest
from hypothesis import given, settings

from schemas.event import Event
from schemas.operators import OperatorEvent
from schemas.topics import OPERATORS, TOPIC_OF
from streams.analysis.rows.operators import NotReady, RingNoAnswer, Shift, ShiftRows
from streams.analysis.rows.row import Done
from streams.core import operators
from streams.core.centre import SEATS, Centre
from streams.core.spans import total
from streams.sources import simulate
from tests.builders import (
    BOGOR,
    START,
    at,
    logged_in,
    logged_out,
    paused,
    resumed,
    ring_no_answer,
    ringing,
    wrap_up_ended,
    wrap_up_started,
)
from tests.core.test_operators import soup
from tests.strategies import histories
from tests.trial import CENTRES, KOTA_BOGOR

KINDS = [kind.model_fields["type"].default for kind in OPERATORS.types]


def told(events: Iterable[Event], centre: Centre = BOGOR) -> tuple[list[Shift], operators.State, float]:
    """The rows of all shifts of some events, the state that counted them, and the last moment."""
    rows, state, moment = all_told(events, centre)
    assert_not_ready_sums([row for row in rows if isinstance(row, NotReady)], state, moment)
    if len(state.seats) < SEATS:  # a stranger beyond them made way, and nobody knows what was counted of him
        rang = Counter(row.seat for row in rows if isinstance(row, RingNoAnswer))
        assert rang == {name: seat.ring_no_answers for name, seat in state.seats.items() if seat.ring_no_answers}
    return [row for row in rows if isinstance(row, Shift)], state, moment


def all_told(events: Iterable[Event], centre: Centre = BOGOR) -> tuple[list[Done], operators.State, float]:
    """The rows of all shifts, pauses and wrap-ups of some events, the state that counted them, and the last moment."""
    step: Any = operators.step
    state, watch, moment = operators.State(), ShiftRows(centre), 0.0
    watch.attach(state)
    for offset, event in enumerate(events):
        if TOPIC_OF[event.type] is OPERATORS and event.subject == centre.code:
            time = event.time.timestamp()
            moment = max(moment, time)
            if state.ledger.admit(offset, event.source, event.id, time) == "folded":
                step(state, event, time, centre)
    watch.finish(moment)
    return watch.done, state, moment


def assert_not_ready_sums(rows: list[NotReady], state: operators.State, now: float) -> None:
    reasons, paused, wrapped = list(state.paused_seconds), dict(state.paused_seconds), sum(state.wrapped_up.sums) / 1e6
    for seat in state.seats.values():
        past = seat.timeline.replay(now)
        for pause in past.pauses:
            paused[reasons[int(pause.reason)]] += pause.end - pause.start
        wrapped += sum(wrap.end - wrap.start for wrap in past.wraps if not wrap.queue)
    for reason, seconds in paused.items():
        assert fsum(row.seconds for row in rows if row.reason == reason) == pytest.approx(seconds, abs=1e-3), reason
    assert fsum(row.seconds for row in rows if row.kind == "wrap_up") == pytest.approx(wrapped, abs=1e-3)
    assert all(row.seconds == row.until - row.began > 0 for row in rows)


def assert_sums(rows: list[Shift], state: operators.State, now: float) -> None:
    reasons = list(state.paused_seconds)
    paused = dict(state.paused_seconds)
    still = {name: seat.timeline.replay(now) for name, seat in state.seats.items()}
    for past in still.values():
        for pause in past.pauses:
            paused[reasons[int(pause.reason)]] += pause.end - pause.start
    by_reason: dict[str, float] = {}
    for row in rows:
        for reason, seconds in json.loads(row.paused_by_reason).items():
            by_reason[reason] = by_reason.get(reason, 0.0) + seconds
    assert {reason: seconds for reason, seconds in by_reason.items() if seconds > 1e-3} == pytest.approx(
        {reason: seconds for reason, seconds in paused.items() if seconds > 1e-3}
    )
    assert fsum(row.paused_seconds for row in rows) == pytest.approx(fsum(paused.values()))
    assert all(row.until >= row.logged_in and row.logged_in_seconds >= 0 for row in rows)
    for name, past in still.items():
        own = sorted((row.logged_in, row.until) for row in rows if row.seat == name)
        assert all(before[1] <= after[0] for before, after in pairwise(own))
        assert total(own) >= total(past.there) - 1e-3
        if len(state.seats) < SEATS:
            assert any(row.seat == name and row.logged_out is None for row in rows) == past.standing.there


@settings(deadline=None)
@given(soup)
def test_rows_sum_to_what_is_counted_in_any_order(events: list[OperatorEvent]) -> None:
    assert_sums(*told(events))


@settings(deadline=None)
@given(histories(CENTRES, 100, KINDS))
def test_rows_sum_to_what_is_counted_of_whatever_valid_events_are_told(events: list[Event]) -> None:
    for centre in CENTRES:
        assert_sums(*told(events, centre))


def test_rows_of_simulated_days_sum_to_what_is_counted() -> None:
    rows, state, now = told(simulate.events(112, START, KOTA_BOGOR, days=3), KOTA_BOGOR)

    assert_sums(rows, state, now)
    wraps = sum(state.wrapped_up.sums) / 1e6
    for seat in state.seats.values():
        wraps += sum(wrap.end - wrap.start for wrap in seat.timeline.replay(now).wraps if not wrap.queue)
    assert fsum(row.wrap_up_seconds for row in rows) == pytest.approx(wraps)


def test_a_shift_lasts_from_the_first_queue_to_the_last_and_knows_its_pauses_however_many_stretches_it_is_told_in() -> None:
    events = [logged_in("s1", 0, "112"), logged_in("s1", 1, "119")]
    for hour in range(1, 9):
        events += [paused("s1", hour * 3600, "meal"), resumed("s1", hour * 3600 + 300)]
        events += [wrap_up_started("s1", hour * 3600 + 900), wrap_up_ended("s1", hour * 3600 + 930)]
    events += [paused("s1", 30_000, "toilet"), resumed("s1", 30_060)]
    events += [logged_out("s1", 33_000, "112"), logged_out("s1", 33_600, "119"), ringing("s1", 50_000)]

    first, second = told(events)[0]

    assert (first.seat, first.logged_in, first.logged_out, first.logged_in_seconds) == ("s1", at(0), at(33_600), 33_600)
    assert (first.paused_seconds, first.wrap_up_seconds) == (8 * 300 + 60, 8 * 30)
    assert json.loads(first.paused_by_reason) == {"meal": 2400, "toilet": 60}
    assert (second.logged_in, second.logged_out) == (at(50_000), None)


def test_a_pause_is_one_row_in_however_many_stretches_it_is_told() -> None:
    events = [logged_in("s1", 0), paused("s1", 100, "meal")]
    for hour in range(1, 9):
        events += [wrap_up_started("s1", hour * 3600 + 900), wrap_up_ended("s1", hour * 3600 + 930)]
        events += [ringing("s1", hour * 3600 + 60 * minute) for minute in range(60)]
    events += [resumed("s1", 40_000), paused("s1", 40_100, "toilet")]

    rows = [row for row in all_told(events)[0] if isinstance(row, NotReady)]

    assert [(row.reason, row.began, row.until) for row in rows if row.kind == "pause"] == [("meal", at(100), at(40_000))]
    assert sorted((row.began, row.until) for row in rows if row.kind == "wrap_up") == [
        (at(hour * 3600 + 900), at(hour * 3600 + 930)) for hour in range(1, 9)
    ]


def test_a_call_that_rang_out_is_a_row_from_when_it_began_to_ring_and_once() -> None:
    events = [
        ring_no_answer("s1", 60, 15),
        ring_no_answer("s1", 60.5, 15),
        ring_no_answer("s1", 90),
        ring_no_answer("s1", 200, 0),
    ]

    rows, _, _ = all_told(events)

    rang = [(row.seat, row.rang, row.ring_seconds) for row in rows if isinstance(row, RingNoAnswer)]
    assert rang == [("s1", at(45), 15), ("s1", at(90), None)]

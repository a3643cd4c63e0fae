"""The rows of calls sum to what is counted: to the unit, whatever was told in whatever order."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from math import fsum, isclose
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.callers import CallerEvent
from schemas.calls import CallEvent
from schemas.event import Event
from schemas.topics import CALLS, TOPIC_OF
from streams.analysis.rows import calls as rows
from streams.analysis.rows.calls import CallRows, Journey, Visit
from streams.core import calls
from streams.core.callbook import shortened
from streams.core.callers import CALLBACK_SECONDS, callbacks
from streams.core.centre import Centre, parse
from streams.core.totals import Totals
from streams.sources import read, simulate
from tests.builders import (
    BOGOR,
    abandoned,
    answered,
    at,
    changed,
    classified,
    contacted,
    ended,
    erased,
    network_dropped,
    offered,
    pseudonym_of,
    queued,
    transferred,
)
from tests.core.test_properties import CENTRE, HOUR, soup
from tests.strategies import histories
from tests.test_telephony import DATA, FILE
from tests.trial import CENTRES


def told(
    events: Iterable[Event], centre: Centre = CENTRE, now: float | None = None
) -> tuple[list[Journey], list[Visit], calls.State]:
    """The rows of all calls of some events, as they are at the last of them or at `now`, and the state that counted them."""
    step: Any = calls.step
    state, watch = calls.State(), CallRows(centre)
    watch.attach(state)
    moment = 0.0
    for offset, event in enumerate(events):
        if TOPIC_OF[event.type] is CALLS and event.subject == centre.code:
            time = event.time.timestamp()
            moment = max(moment, time)
            if state.ledger.admit(offset, event.source, event.id, time) == "folded":
                step(state, event, time, centre)
    moment = moment if now is None else now
    watch.finish(moment)
    state = calls.settled(state, moment, centre, is_all=True)
    found = [row for row in watch.done if not isinstance(row, frozenset)]
    return [row for row in found if isinstance(row, Journey)], [row for row in found if isinstance(row, Visit)], state


def assert_sums(found: Iterable[Journey | Visit], totals: Totals) -> None:
    """That they are as many, by outcome, as are counted, and waited for as long."""
    found = [*found]
    assert len(found) == totals.offered
    outcomes = Counter(row.outcome for row in found if row.outcome)
    assert outcomes == {outcome: n for outcome, n in totals.ended.items() if n}
    for outcome in totals.ended:
        ended_so = [row for row in found if row.outcome == outcome]
        waits = totals.waits(outcome)
        if waits is not None:
            known = [row.wait_seconds for row in ended_so if row.wait_seconds is not None]
            assert len(known) == sum(waits.counts)
            assert len(ended_so) - len(known) == totals.backward.get(outcome, 0)
            assert isclose(fsum(known), waits.sum, rel_tol=1e-9, abs_tol=1e-3)


def to_call_back(journeys: Iterable[Journey], now: float) -> int:
    """How many calls stand on the list of those to be called back, by their rows."""
    return sum(
        row.callback_due is True
        and now - CALLBACK_SECONDS < int(row.arrived) <= now
        and (row.called_back is None or row.called_back > now)
        and (row.recontacted is None or row.recontacted > now)
        for row in journeys
    )


def assert_all_sums(journeys: list[Journey], visits: list[Visit], state: calls.State) -> None:
    funnel = state.funnel
    now = state.ledger.newest
    listed = callbacks(state.callers, funnel.book, now)
    assert to_call_back(journeys, now) == sum(len(times) for times in listed.values())
    assert_sums(journeys, funnel.journeys)
    assert {visit.queue for visit in visits} <= funnel.queues.keys()
    for queue, totals in funnel.queues.items():
        own = [visit for visit in visits if visit.queue == queue]
        assert_sums(own, totals)
        talks = [visit.talk_seconds for visit in own if visit.talk_seconds is not None]
        assert len(talks) == sum(totals.handle.counts)
        assert isclose(fsum(talks), totals.handle.sum, rel_tol=1e-9, abs_tol=1e-3)
        assert sum(visit.transferred for visit in own) == totals.transferred
    assert sum(row.passed_on is not None for row in journeys) <= sum(funnel.journeys.passed_on.values())
    assert sum(row.visits for row in journeys) <= len(visits)
    assert len({row.journey for row in journeys}) == len(journeys)


@settings(deadline=None)
@given(soup(HOUR) | soup(4 * HOUR) | soup(48 * HOUR))
def test_rows_sum_to_what_is_counted_in_any_order(events: list[CallEvent]) -> None:
    assert_all_sums(*told(events))


Heard = tuple[int, str, str]
"""In which minute who did what."""


def heard(told: Iterable[Heard]) -> list[CallEvent | CallerEvent]:
    """Callers who came and were answered at once, hung up, or tested the line; who were reached or erased, or have a new name."""
    events: list[CallEvent | CallerEvent] = []
    for n, (minute, caller, what) in enumerate(told):
        call, time = f"c{n}", minute * 60
        before = caller if what == "renamed" else None
        came = offered(call, time, caller=f"new-{caller}" if before else caller, before=before)
        match what:
            case "answered" | "renamed":
                events += [came, answered(call, time), ended(call, time + 5)]
            case "tested":
                events += [came, answered(call, time), classified(call, time, "test")]
            case "lost":
                events += [came, abandoned(call, time + 20)]
            case "reached":
                events.append(contacted(caller, time))
            case "erased":
                events.append(erased(caller, time))
    return events


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 600),
            st.sampled_from(["ani", "budi", "new-ani"]),
            st.sampled_from(["lost", "lost", "lost", "answered", "tested", "reached", "renamed", "erased"]),
        ),
        max_size=20,
        unique_by=lambda each: each[0],
    ),
    st.sampled_from([1, 2_000]),
)
def test_at_every_moment_the_list_of_those_to_be_called_back_follows_from_the_rows(story: list[Heard], held: int) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(rows, "HELD", held)
        story.sort()
        journeys, visits, state = told(heard(story))
        assert_all_sums(journeys, visits, state)
        learnt_later = any(what in {"erased", "renamed"} for _, _, what in story)
        for minute, _, _ in story:
            now = at(minute * 60 + 30)
            known, _, then = told(event for event in heard(story) if event.time.timestamp() < now)
            listed = callbacks(then.callers, then.funnel.book, now)
            assert to_call_back(known, now) == sum(len(times) for times in listed.values())
            assert learnt_later or to_call_back(journeys, now) == to_call_back(known, now)


@settings(deadline=None)
@given(histories(CENTRES))
def test_rows_sum_to_what_is_counted_of_whatever_valid_events_are_told(events: list[Event]) -> None:
    for centre in CENTRES:
        assert_all_sums(*told(events, centre))


@pytest.mark.parametrize("held", [10, 2_000])
def test_rows_of_simulated_days_sum_to_what_is_counted_however_soon_they_are_given_out(
    held: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "HELD", held)
    events = simulate.events(112, datetime(2026, 1, 4, 17, tzinfo=UTC), BOGOR, days=3)

    journeys, visits, state = told(events, BOGOR)

    assert_all_sums(journeys, visits, state)
    classes = Counter(row.call_class for row in journeys if row.call_class)
    assert classes == {name: n for name, n in state.callers.classified.items() if n}
    assert Counter(row.district for row in journeys if row.district) == state.origins.districts.counts


LOGS = [
    *sorted((DATA / "telephony").glob("*.queue_log*")),
    DATA / "asterisk" / "queue_log",
    *sorted((DATA / "asterisk" / "double").glob("*.jsonl")),
]


@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.name)
def test_rows_of_real_exchanges_sum_to_what_is_counted(path: Path) -> None:
    centre = parse(FILE + 'sources = [["/32.71/ami", "/32.71/asterisk"]]')
    events = [line.item for line in read(path, centre) if isinstance(line.item, Event)]

    journeys, visits, state = told(events, centre)

    assert visits
    assert_all_sums(journeys, visits, state)


def test_a_class_a_test_and_the_loss_in_an_announcement_reach_their_rows_though_told_after_the_end() -> None:
    journeys, visits, _ = told(
        [
            offered("gone", 0),
            abandoned("gone", 5),
            offered("real", 10),
            queued("real", 20),
            answered("real", 30, "seat-1"),
            ended("real", 90),
            classified("real", 3000, "prank"),
            classified("gone", 3100, "test"),
        ]
    )

    gone, real = sorted(journeys, key=lambda row: row.arrived)
    assert (gone.outcome, gone.wait_seconds, gone.queue, gone.visits, gone.is_test) == ("announcement", 5, None, 0, True)
    assert (real.outcome, real.wait_seconds, real.queue_seconds, real.talk_seconds) == ("answered", 20, 10, 60)
    assert (real.queue, real.entered_queue, real.seat, real.ended, real.visits) == ("112", at(20), "seat-1", at(90), 1)
    assert (real.call_class, real.is_test) == ("prank", False)
    assert [(visit.journey, visit.wait_seconds, visit.clock) for visit in visits] == [(real.journey, 10, "queue")]


def test_a_transferred_call_is_one_journey_with_two_visits() -> None:
    events = [
        offered("c", 0),
        answered("c", 5, "a"),
        transferred("c", 25),
        queued("c", 25, "119"),
        answered("c", 40, "b"),
        ended("c", 50),
    ]

    (journey,), visits, _ = told(events)

    assert (journey.wait_seconds, journey.talk_seconds, journey.conversations, journey.visits) == (5, 30, 2, 2)
    assert (journey.seat, journey.ended) == ("a", at(50))
    assert [(row.number, row.queue, row.seat, row.talk_seconds, row.transferred) for row in visits] == [
        (1, "112", "a", 20, True),
        (2, "119", "b", 10, False),
    ]


def test_the_last_seconds_of_an_exchange_that_several_sources_tell_of_are_rows_too() -> None:
    centre = changed(BOGOR, sources=[["/32.71/test", "/32.71/other"]])
    events = [offered("early", 0), abandoned("early", 30), offered("last", 58), answered("last", 60)]
    assert {event.source for event in events} < {*centre.exchanges}

    journeys, visits, state = told(events, centre)

    assert [(row.arrived, row.outcome, row.wait_seconds) for row in journeys] == [
        (at(0), "abandoned", 30),
        (at(58), "answered", 2),
    ]
    assert_all_sums(journeys, visits, state)


def test_who_is_erased_is_in_no_row_and_who_writes_rows_out_is_told() -> None:
    watch, state = CallRows(CENTRE), calls.State()
    watch.attach(state)
    for event in [offered("a", 0, caller="one"), offered("b", 1, caller="two"), erased("one", 60)]:
        calls.step(state, event, event.time.timestamp(), CENTRE)
    watch.finish(at(60))

    (forms,) = [row for row in watch.done if isinstance(row, frozenset)]
    found = [row.caller for row in watch.done if isinstance(row, Journey)]
    assert found == [None, shortened(pseudonym_of("two"))]
    assert shortened(pseudonym_of("one")).startswith(tuple(forms))


def test_who_was_passed_on_to_another_centre_and_whose_line_was_cut_is_told_by_row() -> None:
    centre = CENTRE
    events = [
        *(offered("to", 0), answered("to", 5), transferred("to", 25, to="32.01")),
        *(offered("cut", 60), answered("cut", 65), ended("cut", 90), network_dropped("cut", 90, "112")),
        *(offered("told", 100), answered("told", 105), network_dropped("told", 130)),
    ]

    journeys, visits, state = told(events, centre)

    assert_all_sums(journeys, visits, state)
    assert {row.arrived - at(0): (row.passed_on, row.cut_off) for row in journeys} == {
        0: ("32.01", False),
        60: (None, True),
        100: (None, True),
    }
    assert [visit.cut_off for visit in visits] == [False, True, True]
    assert sum(visit.cut_off for visit in visits) == state.funnel.queues["112"].cut_off

"""The rows of tickets sum to what is counted of them, whatever was told in whatever order."""

from collections import Counter
from collections.abc import Iterable
from math import fsum
from random import Random
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.dispatch import DispatchEvent
from schemas.event import Event
from schemas.topics import DISPATCH, TOPIC_OF
from streams.analysis.rows.dispatch import Response, Ticket, TicketAgency, TicketRows
from streams.analysis.rows.row import Done
from streams.core import dispatch
from streams.core.centre import Centre
from streams.core.desk import NOBODY
from streams.core.histogram import Histogram
from streams.core.recent import STAGES, Stage
from streams.sources import simulate
from tests.builders import (
    BOGOR,
    START,
    acknowledged,
    at,
    closed,
    opened,
    passed_on,
    reminder_accepted,
    reminder_due,
    reopened,
    sent,
    unit_arrived,
    unit_available,
    unit_dispatched,
)
from tests.strategies import histories
from tests.trial import CENTRES, KOTA_BOGOR

KINDS = [kind.model_fields["type"].default for kind in DISPATCH.types]
STAGE = {
    "opened_to_dispatched": "dispatch_seconds",
    "opened_to_arrived": "scene_seconds",
    "dispatched_to_arrived": "travel_seconds",
}


def told(events: Iterable[Event], centre: Centre = BOGOR) -> tuple[list[Ticket], dispatch.State]:
    """The rows of all tickets of some events, and the state that counted them."""
    rows, state = all_told(events, centre)
    assert_agencies_sum(rows, state)
    return [row for row in rows if isinstance(row, Ticket)], state


def all_told(events: Iterable[Event], centre: Centre) -> tuple[list[Done], dispatch.State]:
    """The rows of all tickets and of what agencies did about them, and the state that counted them."""
    step: Any = dispatch.step
    state, watch = dispatch.State(), TicketRows(centre, {"c1": "journey"}.get)
    watch.attach(state)
    for offset, event in enumerate(events):
        if TOPIC_OF[event.type] is DISPATCH and event.subject == centre.code:
            time = event.time.timestamp()
            if state.ledger.admit(offset, event.source, event.id, time) == "folded":
                step(state, event, time, centre)
    watch.finish(0)
    return watch.done, state


def assert_agencies_sum(rows: list[Done], state: dispatch.State) -> None:
    agencies = state.desk.agencies
    parts = [row for row in rows if isinstance(row, TicketAgency)]
    responses = [row for row in rows if isinstance(row, Response)]
    for opd, agency in agencies.items():
        own = [row for row in parts if row.opd == opd]
        assert sum(row.passed_on for row in own) == agency.passed_on, opd
        assert sum(row.reminders for row in own) == sum(agency.reminded.values()), opd
        took = [row.seconds for row in responses if row.opd == opd]
        assert len(took) == sum(agency.response.counts), opd
        assert fsum(took) == pytest.approx(agency.response.sum), opd
        for stage, field in STAGE.items():
            lasted = [seconds for row in own if row.category is not None and (seconds := getattr(row, field)) is not None]
            counted = agency.stages.get(cast(Stage, stage), Histogram.over(()))
            assert len(lasted) == sum(counted.counts), (opd, stage)
            assert fsum(lasted) == pytest.approx(counted.sum), (opd, stage)
    assert {row.opd for row in parts} | {row.opd for row in responses} <= agencies.keys() | {NOBODY}


def assert_sums(rows: list[Ticket], state: dispatch.State) -> None:
    desk, agencies = state.desk, state.desk.agencies.values()
    of_tickets = [row for row in rows if row.outcome != "unmatched"]
    assert Counter(row.category for row in of_tickets if not row.is_reopened) == {
        category: totals.opened for category, totals in desk.categories.items() if totals.opened
    }
    assert sum(row.outcome == "closed" for row in of_tickets) == sum(agency.closed for agency in agencies)
    assert sum(row.is_reopened for row in of_tickets) == sum(agency.reopened for agency in agencies)
    assert sum(row.outcome == "lost" for row in rows) == desk.lost
    unopened = sum(ticket.opened is None for ticket in desk.tickets.values())
    assert sum(row.outcome == "unmatched" for row in rows) == desk.unmatched + unopened
    assert sum(row.outcome is None for row in rows) == sum(ticket.is_open for ticket in desk.tickets.values())
    assert sum(row.passed_on for row in rows) == sum(agency.passed_on for agency in agencies)
    assert sum(row.reminders for row in rows) == sum(sum(agency.reminded.values()) for agency in agencies)
    assert sum(row.responses for row in rows) == sum(sum(agency.response.counts) for agency in agencies)
    assert fsum(row.response_seconds or 0 for row in rows) == pytest.approx(fsum(agency.response.sum for agency in agencies))
    for stage in STAGES[:3]:
        lasted = [seconds for row in of_tickets if (seconds := getattr(row, STAGE[stage])) is not None]
        counted = desk.lags.city.get(stage, Histogram.over(()))
        assert len(lasted) == sum(counted.counts), stage
        assert fsum(lasted) == pytest.approx(counted.sum), stage


SEVEN = dispatch.Due("t0", "damkar", "7m", at(0), at(420))
FACTS = [
    opened, sent, acknowledged, unit_dispatched, unit_arrived, unit_available, closed, reopened,
    lambda ticket, time: passed_on(ticket, time, "pln"), lambda ticket, time: sent(ticket, time, "pln"),
    lambda ticket, time: reminder_due(SEVEN, time), lambda ticket, time: reminder_accepted(SEVEN, time),
]  # fmt: skip


@settings(deadline=None)
@given(
    st.sampled_from([60, 3_600, 20_000]).flatmap(
        lambda span: st.lists(
            st.builds(
                lambda fact, ticket, time: fact(ticket, time),
                st.sampled_from(FACTS),
                st.sampled_from(["t0", "t1"]),
                st.integers(0, span),
            ),
            max_size=40,
        )
    )
)
def test_rows_sum_to_what_is_counted_in_any_order(events: list[DispatchEvent]) -> None:
    assert_sums(*told(events))


@settings(deadline=None)
@given(histories(CENTRES, 100, KINDS))
def test_rows_sum_to_what_is_counted_of_whatever_valid_events_are_told(events: list[Event]) -> None:
    for centre in CENTRES:
        assert_sums(*told(events, centre))


def test_rows_of_simulated_days_sum_to_what_is_counted_in_order_and_out_of_it() -> None:
    days = [*simulate.events(112, START, KOTA_BOGOR, days=3)]
    shaken = sorted(days, key=lambda event: event.time.timestamp() + Random(event.id).uniform(0, 600))

    in_order, desk = told(days, KOTA_BOGOR)[0], told(days, KOTA_BOGOR)[1].desk
    by_agency = Counter(row.opd or "none" for row in in_order if row.outcome == "closed")
    assert by_agency == {opd: agency.closed for opd, agency in desk.agencies.items() if agency.closed}
    for events in (days, shaken):
        rows, state = told(events, KOTA_BOGOR)
        assert sum(row.outcome == "closed" for row in rows) > 50
        assert_sums(rows, state)


def test_a_ticket_says_its_stages_its_agency_and_the_call_that_it_came_by() -> None:
    (row,), _ = told(
        [
            *(opened("t1", 0, call="c1"), sent("t1", 10, "pln"), passed_on("t1", 30, "damkar", "pln")),
            *(acknowledged("t1", 90), unit_dispatched("t1", 120), unit_arrived("t1", 600), closed("t1", 4_000)),
        ]
    )

    assert (row.journey, row.opd, row.opened, row.sent) == ("journey", "damkar", at(0), at(10))
    assert (row.acknowledged, row.response_seconds, row.responses, row.passed_on) == (at(90), 60, 1, 1)
    assert (row.dispatch_seconds, row.scene_seconds, row.travel_seconds) == (120, 600, 480)
    assert (row.closed, row.outcome, row.is_reopened) == (at(4_000), "closed", False)


def test_what_each_agency_did_about_a_ticket_has_a_row_of_its_own() -> None:
    rows, _ = all_told(
        [
            *(opened("t1", 0), sent("t1", 10, "pln"), acknowledged("t1", 40, "pln"), passed_on("t1", 60, "damkar", "pln")),
            *(unit_dispatched("t1", 120), unit_dispatched("t1", 90, "p1", "pln"), unit_arrived("t1", 600), closed("t1", 4_000)),
        ],
        BOGOR,
    )

    parts = [row for row in rows if isinstance(row, TicketAgency)]
    assert [(row.opd, row.dispatch_seconds, row.scene_seconds, row.travel_seconds, row.passed_on) for row in parts] == [
        ("damkar", 120, 600, 480, 0),
        ("pln", 90, None, None, 1),
    ]
    answers = [(row.opd, row.opened, row.sent, row.seconds) for row in rows if isinstance(row, Response)]
    assert answers == [("pln", at(0), at(10), 30), ("damkar", at(0), at(60), 60)]


def test_a_ticket_has_a_row_for_each_time_that_it_was_open_also_long_after() -> None:
    soon = [opened("t1", 0), sent("t1", 0), closed("t1", 60), reopened("t1", 600), closed("t1", 700)]
    late = [*soon, opened("t2", 9_000), reopened("t1", 20_000), closed("t1", 20_100)]

    rows, state = told(late)

    assert_sums(rows, state)
    parts = [row for row in all_told(late, BOGOR)[0] if isinstance(row, TicketAgency)]
    assert [(row.opd, row.opened, row.reopened) for row in parts] == [("damkar", at(600), True), ("damkar", at(20_000), True)]
    assert [(row.opened, row.closed, row.is_reopened) for row in rows if row.ticket == "t1"] == [
        (at(0), at(60), False),
        (at(600), at(700), True),
        (at(20_000), at(20_100), True),
    ]


def test_a_reminder_that_was_accepted_counts_for_its_ticket() -> None:
    rows, state = told([opened("t0", 0), sent("t0", 0), reminder_due(SEVEN, 430), reminder_accepted(SEVEN, 440)], KOTA_BOGOR)

    assert_sums(rows, state)
    assert [row.reminders for row in rows] == [1]

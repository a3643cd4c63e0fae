"""Tickets on a time line, and what holds for any tickets at all. Damkar's ladder is life safety: 7 min, 15 min, 24 h."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import permutations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from schemas.dispatch import DispatchEvent
from streams import centres
from streams.core import dispatch
from streams.core.desk import LABELS, PAST, ROOM_BYTES, TICKETS_BYTES, UNITS
from streams.core.dispatch import (
    AWAITING_DISPATCH,
    CLOSED_TOTAL,
    LOST_TOTAL,
    OLDEST_PENDING,
    OLDEST_UNANSWERED,
    OPENED_TOTAL,
    PASSED_ON_TOTAL,
    REMINDERS_PENDING,
    REMINDERS_TOTAL,
    REOPENED_TOTAL,
    RESPONSE_SECONDS,
    TICKETS_OPEN,
    UNITS_BUSY,
    UNMATCHED_TOTAL,
    Due,
    due,
    undelivered,
)
from streams.core.lags import BOUNDS
from streams.core.names import PASSED_OVER_TOTAL, UNKNOWN_TOTAL
from streams.core.recent import LAGS
from streams.core.scene import OF_OPD
from tests.builders import (
    Said,
    acknowledged,
    at,
    closed,
    opened,
    passed_on,
    reminder_accepted,
    reminder_due,
    reopened,
    respelt,
    sent,
    ticket_readings,
    ticket_state,
    unit_arrived,
    unit_available,
    unit_dispatched,
)

BOGOR = centres.load([])["32.71"]
MINUTE, HOUR, DAY = 60, 3600, 86_400
BLOB = TypeAdapter(dispatch.State)


def readings(events: list[DispatchEvent] | dispatch.State, now: float) -> Said:
    return ticket_readings(events, now, BOGOR)


def state_of(events: list[DispatchEvent], state: dispatch.State | None = None) -> dispatch.State:
    return ticket_state(events, BOGOR, state)


def places(said: Said) -> dict[tuple[str, str], float]:
    return {(key[1], key[2]): said.number(*key) for key in said if key[0] is TICKETS_OPEN and said[key]}


def observed(said: Said, *labels: str) -> float:
    """The sum of seconds of a stage, or of the response where none is named."""
    return said.histogram(OF_OPD.seconds if len(labels) == 2 else RESPONSE_SECONDS, *labels).sum


def test_a_ticket_is_in_one_place_from_opening_to_answer() -> None:
    """
    t1  opened──sent────7 min──15 min────24 h──ack
        0       10      430    910       86410
    """
    told = [opened("t1", 0), sent("t1", 10)]

    assert places(readings(told[:1], 9)) == {("none", "unsent"): 1}
    assert places(readings(told, 10)) == {("damkar", "in_time"): 1}
    assert places(readings(told, 429)) == {("damkar", "in_time"): 1}
    assert places(readings(told, 430)) == {("damkar", "7m"): 1}
    assert places(readings(told, 910)) == {("damkar", "15m"): 1}
    assert places(readings(told, DAY + 10)) == {("damkar", "24h"): 1}
    assert places(readings([*told, acknowledged("t1", DAY + 11)], DAY + 11)) == {("damkar", "answered"): 1}
    assert places(readings([*told, closed("t1", 20)], DAY)) == {}


def test_the_ladder_is_that_of_the_category_also_when_the_sending_is_told_first() -> None:
    """Satpol PP's is routine: 24 h, 48 h, 72 h of working days."""
    security = opened("t1", 0, "gangguan-keamanan")

    assert places(readings([security, sent("t1", 0, "satpol-pp")], HOUR)) == {("satpol-pp", "in_time"): 1}
    assert places(readings([sent("t1", 0), opened("t1", 0)], HOUR)) == {("damkar", "15m"): 1}


def test_the_oldest_unanswered_ticket_is_that_sent_first_and_nobody_s_when_all_are_answered() -> None:
    told = [opened("t1", 0), opened("t2", 0), sent("t2", 5), sent("t1", 9)]

    assert readings(told, 99).number(OLDEST_UNANSWERED, "damkar") == at(5)
    assert readings([*told, acknowledged("t2", 20)], 99).number(OLDEST_UNANSWERED, "damkar") == at(9)
    assert (OLDEST_UNANSWERED, "damkar") not in readings([*told, acknowledged("t2", 20), closed("t1", 30)], 99)


def test_what_another_clock_puts_into_the_future_is_of_now_and_hides_nothing_older() -> None:
    """
    t1  opened──sent──────7 min──noticed
        0       100       520    530          looked at from 50 on
    """
    told = [opened("t1", 0), sent("t1", 100), reminder_due(Due("t1", "damkar", "7m", at(100), at(520)), 530)]

    said = readings(told, 50)
    assert (said[OLDEST_UNANSWERED, "damkar"], said[OLDEST_PENDING, "damkar"]) == (at(50), at(50))
    older = [opened("t2", 0), sent("t2", 20)]
    assert readings([*told, *older], 50)[OLDEST_UNANSWERED, "damkar"] == at(20)
    assert readings(told, 540)[OLDEST_PENDING, "damkar"] == at(530)


def test_a_response_runs_from_the_sending_to_the_answer() -> None:
    said = readings([opened("t1", 0), sent("t1", 10), acknowledged("t1", 70)], 99)

    assert observed(said, "damkar") == 60
    assert sum(said.histogram(RESPONSE_SECONDS, "damkar").counts) == 1


def test_an_agency_that_sends_a_unit_has_answered() -> None:
    told = [opened("t1", 0), sent("t1", 10), unit_dispatched("t1", 100)]

    assert places(readings(told, DAY)) == {("damkar", "answered"): 1}
    assert observed(readings([*told, acknowledged("t1", 200)], DAY), "damkar") == 90


def test_a_unit_of_an_agency_to_which_nothing_was_sent_says_that_it_has_the_ticket() -> None:
    said = readings([opened("t1", 0), unit_dispatched("t1", 100)], DAY)

    assert places(said) == {("damkar", "answered"): 1}
    assert sum(said.histogram(RESPONSE_SECONDS, "damkar").counts) == 0


def test_an_answer_that_another_clock_puts_before_the_sending_is_one_and_nobody_knows_how_long_it_took() -> None:
    said = readings([opened("t1", 0), sent("t1", 10), acknowledged("t1", 8)], DAY)

    assert places(said) == {("damkar", "answered"): 1}
    assert said.histogram(RESPONSE_SECONDS, "damkar").counts == [0] * (len(BOUNDS) + 1)


def test_a_ticket_that_is_passed_on_is_the_other_agency_s_whose_clock_starts_anew() -> None:
    """
    damkar  sent──ack──passed on
    bpbd               │──────────7 min
            0     60   600        1020
    """
    told = [opened("t1", 0), sent("t1", 0), acknowledged("t1", 60), passed_on("t1", 600, "bpbd")]

    said = readings(told, 1019)
    assert places(said) == {("bpbd", "in_time"): 1}
    assert said.number(PASSED_ON_TOTAL, "damkar") == 1
    assert places(readings(told, 1020)) == {("bpbd", "7m"): 1}
    assert places(readings([*told, acknowledged("t1", 700)], 1020)) == {("bpbd", "7m"): 1}, "damkar's answer is not bpbd's"
    assert readings([*told, passed_on("t1", 600, "bpbd")], 1020).number(PASSED_ON_TOTAL, "damkar") == 1


@pytest.mark.parametrize("later", [5 * MINUTE, 5 * HOUR])
def test_a_reopened_ticket_is_with_its_last_agency_unanswered(later: float) -> None:
    """
    t1  sent──ack──closed      reopened──7 min
        0     5    10          +0        +7 min     also when its closing is long past
    """
    other = opened("t2", later)
    told = [opened("t1", 0), sent("t1", 0), acknowledged("t1", 5), closed("t1", 10), other, reopened("t1", later)]

    said = readings(told, later + 7 * MINUTE)
    assert places(said) == {("damkar", "7m"): 1, ("none", "unsent"): 1}
    assert said.number(OLDEST_UNANSWERED, "damkar") == at(later)
    assert (said[REOPENED_TOTAL, "damkar"], said[CLOSED_TOTAL, "damkar"]) == (1, 1)
    again = readings([*told, acknowledged("t1", later + 60), closed("t1", later + 90)], later + 99)
    assert again[CLOSED_TOTAL, "damkar"] == 2
    assert observed(again, "damkar") == 5 + 60
    assert observed(again, "damkar", "opened_to_closed") == 10 + 90


def test_a_reopening_told_before_the_closing_reopens_all_the_same() -> None:
    story = [opened("t1", 0), sent("t1", 0), acknowledged("t1", 5), reopened("t1", 20), closed("t1", 10)]

    said = readings(story, 30)

    assert places(said) == {("damkar", "in_time"): 1}
    assert (said[CLOSED_TOTAL, "damkar"], said[REOPENED_TOTAL, "damkar"]) == (1, 1)


def test_a_unit_is_busy_until_it_is_available_or_the_ticket_is_closed() -> None:
    told = [opened("t1", 0), opened("t2", 0), unit_dispatched("t1", 9), unit_dispatched("t1", 9, "u2")]
    told += [unit_dispatched("t2", 12)]

    assert readings(told, 20)[UNITS_BUSY, "damkar"] == 2, "u1 works on two tickets and is one unit"
    assert readings([*told, unit_available("t1", 20)], 20)[UNITS_BUSY, "damkar"] == 2
    assert readings([*told, unit_available("t1", 20), unit_available("t2", 30)], 30)[UNITS_BUSY, "damkar"] == 1
    assert readings([*told, closed("t1", 20)], 20)[UNITS_BUSY, "damkar"] == 1


def test_a_unit_that_is_called_back_in_the_second_of_its_dispatch_is_not_busy() -> None:
    story = [unit_dispatched("t1", 9), unit_available("t1", 9)]

    for order in permutations(story):
        assert readings([opened("t1", 0), *order], 20)[UNITS_BUSY, "damkar"] == 0


def test_a_closed_ticket_s_units_are_forgotten() -> None:
    state = state_of([opened("t1", 0), unit_dispatched("t1", 9), closed("t1", 20)])

    assert state.desk.tickets["t1"].units == {}


def test_a_reopened_ticket_awaits_dispatch_and_its_stages_run_from_the_reopening() -> None:
    told = [opened("t1", 0), unit_dispatched("t1", 100), closed("t1", 1000), reopened("t1", 2000)]

    assert readings(told, 2000)[AWAITING_DISPATCH,] == 1
    assert readings([*told, unit_dispatched("t1", 100, "u2")], 2000)[AWAITING_DISPATCH,] == 1, "of the first time"
    said = readings([*told, unit_dispatched("t1", 2030)], 2030)
    assert said[AWAITING_DISPATCH,] == 0
    assert observed(said, "damkar", "opened_to_dispatched") == 100 + 30


def test_a_second_sending_that_is_told_after_its_answer_is_answered() -> None:
    told = [opened("t1", 0), sent("t1", 0), acknowledged("t1", 25), sent("t1", 20)]

    assert places(readings(told, DAY)) == {("damkar", "answered"): 1}


def test_a_ticket_awaits_dispatch_until_its_first_unit() -> None:
    told = [opened("t1", 0), opened("t2", 0), opened("t3", 0), closed("t3", 5)]

    assert readings(told, 9)[AWAITING_DISPATCH,] == 2
    assert readings([*told, unit_dispatched("t1", 9)], 9)[AWAITING_DISPATCH,] == 1
    assert readings([*told, unit_arrived("t1", 9)], 9)[AWAITING_DISPATCH,] == 1


def test_stages_run_to_the_first_unit() -> None:
    """
    u1      dispatched──────────arrived
    u2      ────dispatched─arrived
        0   100 130        400  500     closed at 9000
    """
    told = [opened("t1", 0), unit_dispatched("t1", 100), unit_dispatched("t1", 130, "u2")]
    told += [unit_arrived("t1", 400, "u2"), unit_arrived("t1", 500), closed("t1", 9000)]

    said = readings(told, 9000)

    assert observed(said, "damkar", "opened_to_dispatched") == 100
    assert observed(said, "damkar", "dispatched_to_arrived") == 300
    assert observed(said, "damkar", "opened_to_closed") == 9000
    assert said[OF_OPD.quantile, "damkar", "dispatched_to_arrived", "0.9"] == 300
    assert said[OF_OPD.tickets, "damkar", "dispatched_to_arrived"] == 1


STORY = [
    opened("t1", 0), sent("t1", 10), unit_dispatched("t1", 100), unit_arrived("t1", 400), unit_available("t1", 900),
    closed("t1", 950),
]  # fmt: skip
AGENCY_KNOWN = ("sent", "unit_dispatched", "unit_arrived")


@pytest.mark.parametrize("story", [STORY, STORY[:-1]], ids=["closed", "open"])
def test_facts_told_in_any_order_say_the_same(story: list[DispatchEvent]) -> None:
    """Where the arrival is told before the dispatch it is the answer, and a closing counts for the agency known then."""
    expected = readings(story, 1000)
    for order in permutations(story):
        said = readings(list(order), 1000)
        told: list[str] = [event.type for event in order]
        if {"ticket.opened", "ticket.closed"} <= set(told[: 1 + min(told.index(f"ticket.{fact}") for fact in AGENCY_KNOWN)]):
            assert said[CLOSED_TOTAL, "none"] == 1
            continue
        if told.index("ticket.unit_arrived") < told.index("ticket.unit_dispatched"):
            said[RESPONSE_SECONDS, "damkar"] = expected[RESPONSE_SECONDS, "damkar"]
        assert said == expected, told


def test_an_answer_told_before_the_opening_or_the_sending_counts() -> None:
    story = [
        opened("t1", 0),
        sent("t1", 10),
        acknowledged("t1", 70),
        passed_on("t1", 100, "bpbd"),
        acknowledged("t1", 130, "bpbd"),
    ]

    for order in permutations(story):
        assert readings(list(order), 1000) == readings(story, 1000), [event.type for event in order]


@pytest.mark.parametrize("fact", range(len(STORY)))
def test_a_fact_told_twice_changes_nothing(fact: int) -> None:
    for place in range(fact + 1, len(STORY) + 1):
        twice = [*STORY[:place], STORY[fact], *STORY[place:]]
        assert readings(twice, 1000) == readings(STORY, 1000), place


def test_facts_without_an_opening_are_given_up_after_an_hour() -> None:
    told = [sent("t1", 0), acknowledged("t1", 5), opened("t2", HOUR)]

    said = readings([*told, opened("t1", HOUR + 1)], HOUR + 1)

    assert said[UNMATCHED_TOTAL,] == 1
    assert places(said) == {("none", "unsent"): 2}


def passed(state: dispatch.State, now: float) -> list[str]:
    return [f"{found.ticket} {found.rung}" for found in due(state, at(now), BOGOR)]


def pending(state: dispatch.State) -> list[str]:
    return [f"{found.ticket} {found.rung}" for found in undelivered(state)]


SENT = [opened("t1", 0), sent("t1", 0)]
SEVEN = Due("t1", "damkar", "7m", at(0), at(420))


def test_a_reminder_is_due_when_a_rung_is_passed_until_it_was_noticed_and_pending_until_it_was_accepted() -> None:
    """
    t1  sent────7 min──noticed────accepted
        0       420    421        440
    """
    state = state_of(SENT)
    assert passed(state, 419) == []
    assert list(due(state, at(420), BOGOR)) == [SEVEN]

    noticed = state_of([reminder_due(SEVEN, 421), reminder_due(SEVEN, 422)], state)
    assert passed(noticed, 422) == []
    assert list(undelivered(noticed)) == [SEVEN]
    said = readings(noticed, 430)
    assert (said[REMINDERS_PENDING, "damkar"], said[OLDEST_PENDING, "damkar"]) == (1, at(421))

    accepted = state_of([reminder_accepted(SEVEN, 440), reminder_accepted(SEVEN, 441)], noticed)
    assert (passed(accepted, 441), pending(accepted)) == ([], [])
    said = readings(accepted, 441)
    assert (said[REMINDERS_TOTAL, "damkar", "7m"], said[REMINDERS_PENDING, "damkar"]) == (1, 0)
    assert (OLDEST_PENDING, "damkar") not in said


@given(st.integers(0, 999_999))
def test_a_reminder_is_that_of_its_sending_to_the_microsecond(microseconds: int) -> None:
    state = state_of([opened("t1", 0), sent("t1", microseconds / 1e6)])
    [seven] = due(state, at(500), BOGOR)

    assert passed(state_of([reminder_due(seven, 500)], state), 500) == []


def test_a_reminder_of_a_rung_that_the_ticket_s_ladder_does_not_have_changes_nothing() -> None:
    state = state_of([*SENT, reminder_due(replace(SEVEN, rung="9m"), 600)])

    assert pending(state) == []
    assert readings(state, 600)[REMINDERS_PENDING, "damkar"] == 0


def test_every_rung_that_was_passed_meanwhile_is_due() -> None:
    assert passed(state_of(SENT), 2 * DAY) == ["t1 7m", "t1 15m", "t1 24h"]


def test_reminders_of_rungs_that_no_ladder_has_change_nothing() -> None:
    invented = [Due("t1", "damkar", f"r{n}", at(0), at(420)) for n in range(20)]
    state = state_of([*SENT, *(reminder_due(due, 421) for due in invented)])

    assert pending(state) == []
    assert passed(state_of([reminder_due(SEVEN, 422)], state), 423) == []
    assert pending(state) == ["t1 7m"]


@pytest.mark.parametrize(
    "end", [acknowledged("t1", 500), unit_dispatched("t1", 500), closed("t1", 500), passed_on("t1", 500, "bpbd")]
)
def test_who_has_answered_closed_or_passed_on_is_reminded_no_more(end: DispatchEvent) -> None:
    state = state_of([*SENT, reminder_due(SEVEN, 421), end])

    assert (passed(state, 910), pending(state)) == ([], [])


def test_a_reopened_ticket_is_reminded_of_anew_and_an_old_acceptance_is_not_its() -> None:
    state = state_of([*SENT, reminder_due(SEVEN, 421), closed("t1", 500), reopened("t1", 600), reminder_accepted(SEVEN, 601)])

    assert passed(state, 1019) == []
    assert [found.since for found in due(state, at(1020), BOGOR)] == [at(600)]
    stale = state_of([reminder_due(SEVEN, 1021)], state)
    assert passed(stale, 1021) == ["t1 7m"], "a reminder of the first sending is not one of the second"


def test_a_ticket_that_was_not_opened_or_not_sent_reminds_nobody() -> None:
    assert passed(state_of([sent("t1", 0)]), DAY) == []
    assert passed(state_of([opened("t1", 0)]), DAY) == []


@pytest.mark.parametrize("part", range(3))
def test_a_recording_reminds_nobody(part: int) -> None:
    told = [*SENT, reminder_due(SEVEN, 421)]
    told[part] = told[part].model_copy(update={"replayed": True})

    state = state_of(told)

    assert (passed(state, DAY), pending(state)) == ([], [])
    assert readings(state, DAY)[REMINDERS_PENDING, "damkar"] == 0
    assert places(readings(state, DAY)) == {("damkar", "24h"): 1}, "numbers count it"


def test_a_fire_that_is_written_in_capitals_is_a_fire_of_the_same_agency_on_the_same_ladder() -> None:
    """
    t1  Kebakaran, sent to DAMKAR────7 min────►
    t2  kebakaran, sent to damkar────7 min────ack by Dam-Kar
    """
    told = [opened("t1", 0, "Kebakaran"), sent("t1", 0, "DAMKAR"), opened("t2", 0), sent("t2", 0)]

    assert places(readings(told, 420)) == {("damkar", "7m"): 2}
    said = readings([*told, acknowledged("t2", 425, "Dam-Kar"), sent("t2", 0, "DamKar")], 430)
    assert places(said) == {("damkar", "7m"): 1, ("damkar", "answered"): 1}
    assert said.by_label(OPENED_TOTAL) == {"kebakaran": 2}
    assert said.by_label(UNKNOWN_TOTAL) == {}


def test_a_reminder_calls_the_agency_as_it_was_told_and_its_acceptance_counts_for_the_agency() -> None:
    state = state_of([opened("t1", 0), sent("t1", 0, "DAMKAR")])
    [seven] = due(state, at(420), BOGOR)
    assert seven.opd == "DAMKAR"

    said = readings(state_of([reminder_due(seven, 421), reminder_accepted(seven, 422)], state), 430)
    assert said[REMINDERS_TOTAL, "damkar", "7m"] == 1


def test_what_the_file_does_not_name_counts_as_other_and_stays_apart_on_its_ticket() -> None:
    """
    t1  sent to A─────sent to B────7 min of working days…
                            │ack by A: not B's answer
    """
    told = [opened("t1", 0, "banjir"), sent("t1", 0, "dinas-A"), sent("t1", 10, "dinas-b")]

    said = readings([*told, acknowledged("t1", 20, "Dinas-a")], 30)

    assert places(said) == {("other", "in_time"): 1}
    assert said.by_label(OPENED_TOTAL) == {"other": 1}
    assert said.by_label(UNKNOWN_TOTAL) == {"category": 1, "agency": 3}
    assert observed(said, "other") == 20
    assert places(readings([*told, acknowledged("t1", 40, "DINAS-B")], 50)) == {("other", "answered"): 1}
    assert readings(told, 30) == readings(told, 30), "to measure counts nothing"


def test_what_somebody_writes_where_no_agency_is_known_is_no_ticket_that_was_not_sent() -> None:
    never_sent = [opened("t2", 0), closed("t2", 1)]

    said = readings([*never_sent, opened("t1", 0), sent("t1", 0, "none")], 5)

    assert places(said) == {("other", "in_time"): 1}
    assert said[CLOSED_TOTAL, "none"] == 1


def test_of_a_centre_whose_file_names_no_agency_the_first_ones_have_figures_of_their_own() -> None:
    told = [event for n in range(LABELS + 5) for event in (opened(f"t{n}", n, f"c{n}"), sent(f"t{n}", n, f"o{n}"))]

    said = ticket_readings(told, 99)

    assert said.by_label(OPENED_TOTAL) == {f"c{n}": 1 for n in range(LABELS)} | {"other": 5}
    assert {opd for opd, _ in places(said)} == {f"o{n}" for n in range(LABELS)} | {"other"}
    assert said.by_label(PASSED_OVER_TOTAL) == {"category": 5, "agency": 5}
    assert said.by_label(UNKNOWN_TOTAL) == {}


def test_a_source_that_invents_tickets_and_units_cannot_fill_the_memory() -> None:
    many = 4_000
    told = [opened(f"t{n}", n / 100) for n in range(many)]
    for n in range(2_000, many):
        told += [sent(f"t{n}", 60, f"o{n}"), unit_dispatched(f"t{n}", 61, f"u{n}", f"o{n}")]
    state = state_of(told)

    said = readings(state, 99)

    assert 1_100 < len(state.desk.tickets) < many
    assert ROOM_BYTES - 1_000 < state.desk.size <= TICKETS_BYTES
    assert sum(places(said).values()) + said.number(LOST_TOTAL) == many
    assert said[UNITS_BUSY, "other"] == sum(len(ticket.units) for ticket in state.desk.tickets.values()) == state.desk.units
    for n in range(many):
        state_of([closed(f"t{n}", 100)], state)
    state_of([opened("later", 2 * HOUR)], state)
    assert len(state.desk.tickets) == 1
    assert len(state.desk.past) == PAST
    assert (state.desk.units, state.desk.size) == (0, state.desk.tickets["later"].size)


def test_more_units_than_can_be_followed_are_counted_until_some_are_free() -> None:
    told = [opened("t1", 0), *(unit_dispatched("t1", 1, f"u{n}") for n in range(UNITS + 5))]

    said = readings(told, 9)
    assert (said[UNITS_BUSY, "damkar"], said[PASSED_OVER_TOTAL, "unit"]) == (UNITS, 5)
    freed = readings([*told, closed("t1", 10), opened("t2", 11), unit_dispatched("t2", 12)], 12)
    assert freed[UNITS_BUSY, "damkar"] == 1


def test_a_ticket_that_somebody_waits_for_is_given_up_after_all_others() -> None:
    """Answered, waiting, closed and never opened ones, told one after the other, until half of them have to go."""
    told, n = list[DispatchEvent](), 0
    while n < 1_000:
        told += [opened(f"answered-{n}", n), sent(f"answered-{n}", n), acknowledged(f"answered-{n}", n)]
        told += [opened(f"waiting-{n}", n), sent(f"waiting-{n}", n), opened(f"closed-{n}", n), closed(f"closed-{n}", n)]
        told += [sent(f"strange-{n}", n)]
        n += 1
    state = state_of(told)

    left = Counter(name.partition("-")[0] for name in state.desk.tickets)
    said = readings(state, n)

    assert left["waiting"] == 1_000, "nobody who waits"
    assert left["closed"] + left["strange"] < 100
    assert f"answered-{n - 1}" in state.desk.tickets
    assert "answered-0" not in state.desk.tickets, "the oldest goes"
    assert said.number(LOST_TOTAL) == 1_000 - left["answered"] > 0
    assert said[UNMATCHED_TOTAL,] == 1_000 - left["strange"]
    assert said[CLOSED_TOTAL, "none"] == 1_000, "and are remembered as closed"


def test_a_day_of_very_many_lags_is_bounded_and_the_next_day_has_room() -> None:
    flood = [event for n in range(LAGS + 10) for event in (opened(f"t{n}", 0), sent(f"t{n}", 0), closed(f"t{n}", n))]
    after = [opened("t", DAY), sent("t", DAY), closed("t", DAY + 5)]

    said = readings([*flood, *after], DAY + 9)

    assert said[OF_OPD.tickets, "damkar", "opened_to_closed"] == LAGS + 1
    assert said[PASSED_OVER_TOTAL, "lag"] == 10


def test_what_ended_a_week_before_the_newest_is_not_remembered_whichever_agency_had_it() -> None:
    def done(name: str, seconds: float, opd: str) -> list[DispatchEvent]:
        return [opened(name, seconds), sent(name, seconds, opd), closed(name, seconds + 5)]

    state = state_of([*done("t1", 0, "bpbd"), *done("t2", 7 * DAY, "damkar"), *done("t3", 0, "dinkes")])

    said = readings(state, 7 * DAY + 9)
    assert {opd: said[OF_OPD.tickets, opd, "opened_to_closed"] for opd in ("bpbd", "damkar", "dinkes")} == {
        "bpbd": 0, "damkar": 1, "dinkes": 0,
    }  # fmt: skip
    assert [len(day) for day in state.desk.lags.recent.days.values()] == [9], "nor is it kept"


def test_a_busy_centre_s_state_takes_less_than_a_hundred_kilobytes() -> None:
    """A week of 100 tickets a day at seven agencies; half are closed within hours, half of the routine ones within days."""
    opds = [opd.code for opd in BOGOR.opds]
    told = []
    for n in range(700):
        name, start, opd = f"BGR-2024-{n:06d}", n * DAY / 100, opds[n % len(opds)]
        told += [opened(name, start), sent(name, start + 60, opd), acknowledged(name, start + 90 + n * 7 % 900, opd)]
        told += [unit_dispatched(name, start + 1000 + n * 13 % 700, f"u{n % 20}", opd)]
        told += [closed(name, start + (3 * HOUR if n % 2 else 30 * HOUR) + n)]
    told.sort(key=lambda event: event.time)
    size = len(BLOB.dump_json(state_of(told)))
    print(f"\n100 tickets a day for a week: {size:,} bytes")

    assert 0 < size < 100_000


names = st.sampled_from(["t1", "t2", "t3"])
opds = st.sampled_from(["damkar", "bpbd", "none"])
units = st.sampled_from(["u1", "u2"])
times = st.integers(0, 6 * HOUR)
facts: list[st.SearchStrategy[DispatchEvent]] = [
    st.builds(opened, names, times, st.sampled_from(["kebakaran", "gangguan-keamanan"])),
    st.builds(sent, names, times, opds), st.builds(acknowledged, names, times, opds),
    st.builds(unit_dispatched, names, times, units, opds), st.builds(unit_arrived, names, times, units, opds),
    st.builds(unit_available, names, times, units, opds), st.builds(passed_on, names, times, opds, opds),
    st.builds(closed, names, times), st.builds(reopened, names, times),
    st.builds(lambda rung, since, time: reminder_due(Due("t1", "damkar", rung, at(since), at(since)), time),
              st.sampled_from(["7m", "15m"]), times, times),
    st.builds(lambda rung, time: reminder_accepted(Due("t1", "damkar", rung, 0, 0), time), st.sampled_from(["7m"]), times),
]  # fmt: skip


@settings(deadline=None)
@given(st.lists(st.one_of(facts), max_size=40), times)
def test_opened_and_reopened_tickets_are_closed_open_or_lost_at_any_moment_in_any_order(
    told: list[DispatchEvent], now: int
) -> None:
    state = dispatch.State()
    for event in told:
        state_of([event], state)
        said = readings(state, now)

        def total(*metrics: object, said: Said = said) -> float:
            return sum(said.number(*key) for key in said if key[0] in metrics)

        assert total(OPENED_TOTAL, REOPENED_TOTAL) == total(CLOSED_TOTAL, TICKETS_OPEN, LOST_TOTAL)
        assert total(TICKETS_OPEN) == sum(ticket.is_open for ticket in state.desk.tickets.values())
        assert state.desk.units == sum(len(ticket.units) for ticket in state.desk.tickets.values())
        assert state.desk.size == sum(ticket.size for ticket in state.desk.tickets.values())
        assert {(found.ticket, found.rung) for found in due(state, at(now), BOGOR)}.isdisjoint(
            (found.ticket, found.rung) for found in undelivered(state)
        )


def test_a_unit_that_one_agency_calls_free_and_another_then_sends_works_for_the_second() -> None:
    told = [opened("t1", 0), unit_available("t1", 0), unit_dispatched("t1", 1, opd="bpbd")]

    said = readings(told, 2)
    assert (said[UNITS_BUSY, "bpbd"], said[UNITS_BUSY, "damkar"]) == (1, 0)


@settings(deadline=None)
@given(st.lists(st.one_of(facts), max_size=40), st.randoms(use_true_random=False), times)
def test_however_categories_and_agencies_are_spelt_the_figures_are_the_same(
    told: list[DispatchEvent], dice: Random, now: int
) -> None:
    agencies, categories = BOGOR.names.opds, BOGOR.names.categories
    written = [respelt(event, dice, category=categories, opd=agencies, to=agencies) for event in told]

    assert readings(written, now) == readings(told, now)
    found = [replace(one, opd=agencies[one.opd]) for one in due(state_of(written), at(now), BOGOR)]
    assert found == list(due(state_of(told), at(now), BOGOR))


@settings(deadline=None)
@given(st.lists(st.one_of(facts), max_size=40), st.integers(0, 40), times)
def test_a_state_that_was_put_down_and_taken_up_goes_on_as_if_nothing_had_happened(
    told: list[DispatchEvent], place: int, now: int
) -> None:
    taken_up = BLOB.validate_json(BLOB.dump_json(state_of(told[:place])))

    assert readings(state_of(told[place:], taken_up), now) == readings(told, now)


@pytest.mark.parametrize("build", [sent, acknowledged, unit_dispatched, unit_arrived, unit_available, closed])
def test_what_is_told_of_a_ticket_that_was_closed_long_ago_changes_nothing(build: Callable[[str, float], DispatchEvent]) -> None:
    told = [*STORY, opened("t2", 5 * HOUR)]

    assert readings([*told, build("t1", 5 * HOUR)], 5 * HOUR) == readings(told, 5 * HOUR)


@pytest.mark.parametrize("later", [2000, 5 * HOUR])
def test_a_code_that_is_used_again_after_the_closing_is_another_ticket(later: int) -> None:
    again = [opened("t2", later), opened("t1", later), sent("t1", later)]

    said = readings([*STORY, *again], later + 1)
    assert places(said) == {("damkar", "in_time"): 1, ("none", "unsent"): 1}
    assert said[OPENED_TOTAL, "kebakaran"] == 3
    late = readings([*STORY, again[0], opened("t1", 5)], later + 1)
    assert late[OPENED_TOTAL, "kebakaran"] == 2, "told again, of the first one"

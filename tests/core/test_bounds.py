"""What a centre's state takes at most: every bound of a noun at its maximum at once, with the longest text that the schema takes.

A state is one record of Kafka. Half of the largest is what it may take, and of that the ledger of ids has its share.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, get_args
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from schemas.environment import Severity
from schemas.event import Event
from schemas.topics import DISPATCH, ENVIRONMENT, NETWORK, OPERATORS, SURVEY, Topic
from streams import centres
from streams.core import desk, dispatch, environment, lags, network, operators, recent, survey, ticket, timeline
from streams.core.centre import CODES, GAUGES, LINKS, SEATS, Centre
from streams.core.dispatch import CLOSED_TOTAL, LOST_TOTAL, OPENED_TOTAL, REOPENED_TOTAL, TICKETS_OPEN
from streams.core.workload import Workload
from tests.builders import (
    BOGOR,
    START,
    Said,
    acknowledged,
    at,
    cancelled,
    changed,
    closed,
    gauge_read,
    link,
    link_measured,
    link_occupied,
    logged_in,
    logged_out,
    opened,
    passed_on,
    paused,
    reminder_accepted,
    reminder_due,
    reopened,
    ring_no_answer,
    ringing,
    said,
    sent,
    unit_arrived,
    unit_available,
    unit_dispatched,
    warned,
    wrap_up_ended,
    wrap_up_started,
)

LARGEST_STATE = 2 * 2**20 - 500_000
"""Half of the largest record, less what the ledger takes."""

ODD = 0.123457
"""Microseconds, since a number that is written long takes room too."""
HOUR, DAY = 3600, 86_400


def long(kind: str, number: int) -> str:
    """A code of 64 characters."""
    return f"{kind}{number:0{64 - len(kind)}d}"


RUNGS = [{"name": f"rung{n:012d}", "minutes": n + 1 / 3} for n in range(8)]
WORST = changed(
    BOGOR,
    seats=tuple(long("seat", n) for n in range(SEATS)),
    reasons=tuple(long("reason", n) for n in range(CODES)),
    links=tuple({"code": long("link", n), "carrier": "c"} for n in range(LINKS)),
    gauges=tuple({"code": long("gauge", n), "name": "g", "siaga": (80, 150, 200)} for n in range(GAUGES)),
    categories=tuple({"code": long("category", n), "ladder": "worst"} for n in range(CODES)),
    opds=tuple({"code": long("agency", n), "name": "a"} for n in range(CODES)),
    ladders={"worst": {"rungs": RUNGS}},
)


def fold(noun: Any, events: Iterable[Event], centre: Centre = WORST) -> Any:
    state = noun.State()
    for event in events:
        noun.step(state, event, event.time.timestamp(), centre)
    return state


def size_of(noun: Any, state: Any) -> int:
    """Bytes as it is written; taken back it is the same."""
    blob = TypeAdapter(noun.State)
    written = blob.dump_json(state)
    assert blob.dump_json(blob.validate_json(written)) == written
    print(f"\n{noun.__name__.rpartition('.')[2]}: {len(written):,} bytes at most")
    return len(written)


def seats_at_their_worst() -> Iterable[Event]:
    for n, seat in enumerate(map(str, WORST.names.seats.codes)):
        for change in range(130):
            time = change * 17 + ODD
            queue = long("queue", change % (timeline.QUEUES + 2))
            yield (logged_out if change % 3 else logged_in)(seat, time, queue)
            yield (wrap_up_ended if change % 2 else wrap_up_started)(seat, time + 1)
            yield paused(seat, time + 2, long("reason", (n + change) % CODES), queue)
        yield from (ringing(seat, time + 3), ring_no_answer(seat, time + 4))


def test_the_seats_of_a_centre_fit_into_half_a_record_whatever_they_do() -> None:
    state = fold(operators, seats_at_their_worst())

    assert size_of(operators, state) < LARGEST_STATE
    assert len(state.seats) == SEATS
    assert len(state.paused_seconds) == CODES
    assert state.strangers.passed_over.keys() == {"change", "seat_queue"}
    assert said(operators.measure(state, operators.look(state, {}, Workload(), at(DAY), WORST), at(DAY), WORST))


def links_at_their_worst() -> Iterable[Event]:
    for name in WORST.names.links.codes:
        for change in range(200):
            yield link("down" if change % 2 else "up", change * 4000 + ODD, name)
        for change in range(300):
            yield link("up" if change % 2 else "down", 800_000 + change + ODD, name)
        yield from (link("heartbeat", 900_000 + ODD, name), link("unregistered", 900_000 + ODD, name))
        third = 1 / 3
        yield link_measured(
            900_000 + ODD, name, loss_ratio=third, jitter_seconds=10 + third, delay_seconds=10 + third, mos=1 + third
        )
        yield link_occupied(900_000 + ODD, 100_000, 100_000, name)


def test_the_links_of_a_centre_fit_into_half_a_record_whatever_they_do() -> None:
    state = fold(network, links_at_their_worst())

    assert size_of(network, state) < LARGEST_STATE
    assert len(state.links) == LINKS
    assert said(network.measure(state, at(1_000_000), WORST))


def weather_at_its_worst() -> Iterable[Event]:
    for n in range(2 * environment.WARNINGS):
        yield cancelled(long("warning", n), -n - ODD)
        told = warned(long("warning", n), n + ODD, ODD, 59 * DAY + ODD, "Moderate")
        yield told.model_copy(update={"data": told.data.model_copy(update={"event": long("e", n), "attribution": long("a", n)})})
    for n in range(200):
        yield warned(long("past", n), n * HOUR, n * HOUR, n * HOUR + 1)
    for n in range(GAUGES):
        for minute in range(40):
            yield gauge_read(-999 + minute / 3, 30 * DAY + minute * 60 + ODD, long("gauge", n))


def test_the_weather_fits_into_half_a_record_whatever_it_does() -> None:
    state = fold(environment, weather_at_its_worst())

    assert size_of(environment, state) < LARGEST_STATE
    assert (len(state.gauges), len(state.warnings)) == (GAUGES, environment.WARNINGS)
    assert said(environment.measure(state, at(30 * DAY), WORST))


def test_the_survey_fits_into_half_a_record_whatever_is_answered() -> None:
    state = survey.State(responses={"dimensions": 10**12, "skm": 10**12})
    state.items = {f"{dimension}.{n}": [10**12] * 5 for dimension in survey.DIMENSIONS for n in range(1, 10)}
    state.items |= {element: [10**12] * 4 for element in survey.ELEMENTS}

    assert size_of(survey, state) < LARGEST_STATE


LAG = recent.Lag("opened_to_closed", 1, 0, 0, is_first=False, is_own=True)


def lags_at_their_worst() -> Iterable[Event]:
    """On seven days as many as there can be, of every agency and stage, and as many past tickets as are remembered."""
    for day in range(7):
        for n in range(recent.LAGS // 2):
            name, unit, opd, time = long(f"past{day}-", n), long("unit", n), long("agency", n % CODES), day * DAY + n + ODD
            yield opened(name, time - 200 * DAY, long("category", n % CODES), long(f"call{day}-", n))
            yield sent(name, time, opd)
            yield unit_dispatched(name, time, unit, opd)
            if n < CODES:
                yield unit_arrived(name, time, unit, opd)
            yield closed(name, time)


def tickets_at_their_worst(tickets: int) -> Iterable[Event]:
    """Each with as many sendings, answers, reminders and units as it can have; some of them are closed and reopened."""
    for n in range(tickets):
        name, start = long("ticket", n), 6 * DAY + n + ODD
        yield opened(name, start, long("category", n % CODES), long("call", n))
        for early in range(10):
            yield acknowledged(name, start, long("stranger", early))
        for leg in range(10):
            opd = long("agency", (n + leg) % CODES)
            yield sent(name, start + leg, opd)
            yield acknowledged(name, start + leg, opd)
            yield unit_dispatched(name, start + leg, long(f"unit{n}-", leg), opd)
            yield unit_arrived(name, start + leg + 0.25, long(f"unit{n}-", leg), opd)
            yield unit_available(name, start + leg + 0.5, long(f"unit{n}-", leg), opd)
        last = long("agency", n % CODES)
        yield passed_on(name, start + 20, last, last)
        for rung in RUNGS:
            found = dispatch.Due(name, last, str(rung["name"]), at(start + 20), at(start + 20))
            yield reminder_due(found, start + 2 * HOUR)
            if n % 3:
                yield reminder_accepted(found, start + 2 * HOUR)
        if n % 5 == 0:
            yield closed(name, start + 3 * HOUR)
            if n % 10 == 0:
                yield reopened(name, start + 4 * HOUR)
    for unit in range(desk.UNITS):
        yield unit_dispatched(name, start + 5 * HOUR, long("unit", unit), opd)


def conserved(state: dispatch.State, now: float) -> bool:
    found: Said = said(dispatch.measure(state, at(now), WORST))

    def total(*metrics: object) -> float:
        return sum(found.number(*key) for key in found if key[0] in metrics)

    return total(OPENED_TOTAL, REOPENED_TOTAL) == total(CLOSED_TOTAL, TICKETS_OPEN, LOST_TOTAL)


def test_the_tickets_of_a_centre_fit_into_half_a_record_whatever_is_told_of_them() -> None:
    state = fold(dispatch, [*lags_at_their_worst(), *tickets_at_their_worst(700)])

    assert size_of(dispatch, state) < LARGEST_STATE
    kept = state.desk
    assert (len(kept.past), kept.units, len(kept.agencies)) == (desk.PAST, desk.UNITS, CODES + 1)
    assert {len(day) for day in kept.lags.recent.days.values()} == {recent.LAGS * len(LAG.write())}
    assert len(kept.lags.reached) == lags.REACHED
    assert desk.ROOM_BYTES - 4_000 < kept.size <= desk.TICKETS_BYTES
    assert kept.lost > 100
    assert conserved(state, 9 * DAY)


def test_a_ticket_takes_no_more_than_it_is_weighed_at() -> None:
    blob = TypeAdapter(dict[str, ticket.Ticket])
    state = fold(dispatch, tickets_at_their_worst(19))
    time, text = at(ODD), long("x", 1)
    way = ticket.Way(time, time)
    own = {long("x", n): way for n in range(desk.LEGS)}
    state.desk.tickets["full"] = ticket.Ticket(time, text, text, "32.71.01", time, time, time, way, text, own)
    state.desk.weigh("full", WORST)

    for name, one in state.desk.tickets.items():
        one.units.clear()
        written = len(blob.dump_json({name: one})) - 1
        assert written <= one.size < written + 320


SPELT = [
    "DAMKAR",
    "damkar",
    "Dinas-X",
    "dinas-x",
    "none",
    "other",
    "Kebakaran",
    "kebakaran",
    "banjir",
    "SIP.Telkom",
    "sip-telkom",
]
SPELT += ["katulampa", "Seat-1", "seat-1", "sholat", "budi", long("x", 1), long("x", 2)]
WHEN = [datetime(2000, 1, 1, tzinfo=UTC), datetime(2099, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)]
WHEN += [START + timedelta(seconds=seconds) for seconds in (-DAY, 0, 0.5, 60, HOUR, HOUR + 1, DAY, 8 * DAY, 3650 * DAY)]
EXTREMES: dict[str, st.SearchStrategy[Any]] = {
    "ticket": st.sampled_from(["t1", "t2", "t3", "t4", long("t", 5)]),
    "rung": st.sampled_from(["7m", "15m", "24h", "x"]),
    "level_centimetres": st.floats(-1_000, 10_000),
    "channels": st.sampled_from([1, 100_000]),
    "used": st.sampled_from([0, 100_000]),
    "loss_ratio": st.sampled_from([None, 0.0, 1 / 3, 1.0]),
    "mos": st.sampled_from([None, 1.0, 5.0]),
    "jitter_seconds": st.sampled_from([None, 0.0, 60.0]),
    "delay_seconds": st.sampled_from([None, 0.0, 60.0]),
    "ring_seconds": st.sampled_from([None, 0.0, 86_400.0]),
    "seconds": st.sampled_from([None, 0.0, 86_400.0]),
    "talk_seconds": st.sampled_from([None, 0.0, 86_400.0]),
    "district": st.sampled_from([None, "32.71.01", "32.71.99", "99.99.99"]),
    "severity": st.sampled_from(get_args(Severity)),
    "urgency": st.just("Future"),
    "certainty": st.just("Observed"),
    "onset": st.just(WHEN[0]),
    "scores": st.dictionaries(st.sampled_from(["tepat_waktu.1", "tepat_sasaran.9"]), st.integers(1, 5), min_size=1),
}
EXTREMES |= dict.fromkeys(("since", "due"), st.sampled_from(WHEN))
EXTREMES["expires"] = st.sampled_from([WHEN[0], WHEN[0] + timedelta(days=60)])


@st.composite
def anything(draw: st.DrawFn, kinds: tuple[type[Event], ...]) -> Event:
    """One valid event of these types, of which each field has a value from the edge of what it can have."""
    kind = draw(st.sampled_from(kinds))
    fields = kind.model_fields["data"].annotation.model_fields  # type: ignore[union-attr]
    said = {name: draw(EXTREMES.get(name, st.sampled_from(SPELT))) for name in fields}
    if "due" in said:
        said["since"], said["due"] = sorted((said["since"], said["due"]))
    time = draw(st.sampled_from(WHEN))
    return kind.model_validate({"id": "1", "source": "/32.71/x", "subject": "32.71", "time": time, "data": said})


CENTRES = [BOGOR, centres.load([])["32.71"]]
NOUNS = [(dispatch, DISPATCH), (operators, OPERATORS), (network, NETWORK), (environment, ENVIRONMENT), (survey, SURVEY)]


@pytest.mark.parametrize(("noun", "topic"), NOUNS, ids=lambda part: getattr(part, "noun", ""))
@settings(deadline=None)
@given(data=st.data())
def test_whatever_a_noun_is_told_it_can_be_measured_and_taken_back(noun: Any, topic: Topic, data: st.DataObject) -> None:
    centre = data.draw(st.sampled_from(CENTRES))
    told = data.draw(st.lists(anything(topic.types), max_size=40))
    cut = data.draw(st.integers(0, len(told)))
    blob = TypeAdapter(noun.State)

    state, taken_up = fold(noun, told, centre), blob.validate_json(blob.dump_json(fold(noun, told[:cut], centre)))
    for event in told[cut:]:
        noun.step(taken_up, event, event.time.timestamp(), centre)

    assert taken_up == state
    assert blob.validate_json(blob.dump_json(state)) == state
    for now in (moment.timestamp() for moment in WHEN):
        spoken = measured(noun, state, now, centre)
        since = {key: spoken.number(*key) for key in spoken if key[0].name.endswith("_timestamp_seconds")}
        assert [key for key, moment in since.items() if moment > now and key[0] is not environment.WARNING_EXPIRES] == []
    until = WHEN[1].timestamp()
    if noun is network:
        assert len(network.down_hours(state, 0, until)) <= 168
    if noun is environment:
        assert len(environment.warned_hours(state, 0, until)) <= 168


def measured(noun: Any, state: Any, now: float, centre: Centre) -> Said:
    if noun is operators:
        return said(operators.measure(state, operators.look(state, {}, Workload(), now, centre), now, centre))
    return said(noun.measure(state, now, centre))


@settings(deadline=None)
@given(st.lists(anything(DISPATCH.types), max_size=60))
def test_no_ticket_is_given_up_without_a_word_however_little_room_there_is(told: list[Event]) -> None:
    state = dispatch.State()
    small = patch.multiple(desk, TICKETS_BYTES=2_000, ROOM_BYTES=1_900, PAST=2, UNITS=2)
    with small, patch.object(recent, "LAGS", 2), patch.object(lags, "REACHED", 1):
        for event in told:
            dispatch.step(state, event, event.time.timestamp(), CENTRES[1])  # type: ignore[arg-type]
            kept = state.desk
            assert kept.size == sum(ticket.size for ticket in kept.tickets.values()) <= 2_000
            assert kept.units == sum(len(ticket.units) for ticket in kept.tickets.values()) <= 2
            assert len(kept.past) <= 2
            assert len(kept.lags.reached) <= 1
            assert all(len(day) <= 2 * len(LAG.write()) for day in kept.lags.recent.days.values())
            assert conserved(state, event.time.timestamp())

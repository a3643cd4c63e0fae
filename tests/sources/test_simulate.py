from collections import Counter
from datetime import datetime, timedelta
from itertools import islice, pairwise
from typing import get_args

import pytest

from schemas.calls import CallClassified, CallNetworkDropped, CallOffered
from schemas.dispatch import DispatchEvent, TicketAcknowledged, TicketSent
from schemas.environment import GaugeRead, WeatherWarned
from schemas.event import Event
from schemas.network import LinkDown, LinkHeartbeat, LinkUp
from schemas.operators import OperatorPaused
from schemas.topics import EVENT_TYPES, decode, encode
from streams import centres
from streams.core.centre import Centre
from streams.sources import simulate
from tests.builders import changed, ticket_state
from tests.sources import anonymous_bank

CENTRE = Centre.model_validate(
    {
        "code": "32.71",
        "name": "Kota Bogor",
        "timezone": "Asia/Jakarta",
        "queues": ("112",),
        "seats": ("seat-1", "seat-2", "seat-3"),
    }
)
START = datetime(2024, 6, 1, tzinfo=CENTRE.timezone)


def test_the_same_seed_gives_the_same_events_and_another_seed_others() -> None:
    first = [encode(event) for event in simulate.events(112, START, CENTRE)]
    assert first == [encode(event) for event in simulate.events(112, START, CENTRE)]
    assert first != [encode(event) for event in simulate.events(113, START, CENTRE)]
    assert [decode(line) for line in first[:500]] == list(islice(simulate.events(112, START, CENTRE), 500))


def test_events_come_in_the_order_of_time_with_ids_of_their_own() -> None:
    events = list(simulate.events(1, START, CENTRE, days=3))
    assert all(one.time <= other.time for one, other in pairwise(events))
    assert len({event.id for event in events}) == len(events)


def test_a_simulation_without_an_end_goes_on_lazily_after_a_start_at_any_time() -> None:
    start = datetime(2024, 6, 1, 13, 37, tzinfo=CENTRE.timezone)
    events = list(islice(simulate.events(1, start, CENTRE, days=None), 20_000))
    assert events[0].time >= start
    assert (events[-1].time - start).days >= 2
    with pytest.raises(ValueError, match="time zone"):
        simulate.events(1, start.replace(tzinfo=None), CENTRE)


def test_a_fortnight_is_of_the_size_and_the_classes_of_the_study() -> None:
    days = 14
    types: Counter[str] = Counter()
    classes: Counter[str] = Counter()
    for event in simulate.events(7, START, CENTRE, days=days):
        types[event.type] += 1
        classes[getattr(event.data, "class_", "")] += 1
    assert types["call.offered"] / days == pytest.approx(953, rel=0.1)
    answered = types["call.answered"]
    assert {kind: round(classes[kind] / answered, 1) for kind in ("prank", "ghost", "information", "normal")} == {
        "prank": 0.4,
        "ghost": 0.3,
        "information": 0.1,
        "normal": 0.1,
    }
    assert set(types) >= {
        "call.network_dropped",
        "operator.logged_in",
        "operator.logged_out",
        "operator.paused",
        "operator.resumed",
        "operator.ring_no_answer",
    }


def test_every_simulated_call_ends_in_one_class_and_an_incident_makes_a_queue() -> None:
    monitor = anonymous_bank.folded(simulate.events(1, START, CENTRE, days=9.9))
    newest = monitor.newest()
    assert newest is not None
    numbers, _, _ = anonymous_bank.totals(monitor, newest)
    closed = sum(number for name, number in numbers.items() if name.startswith("psap_calls_ended_total "))
    assert numbers["psap_calls_offered_total"] == closed > 0
    assert numbers["psap_calls_waiting"] == numbers["psap_calls_in_service"] == numbers["psap_calls_unmatched_total"] == 0
    assert numbers["psap_calls_ended_total lost"] == 0
    assert numbers["psap_calls_waiting_peak ever"] > 10
    assert sum(number for name, number in numbers.items() if name.startswith("psap_operators ")) == 3


def test_three_seats_are_staffed_in_each_of_four_shifts() -> None:
    logins = Counter(
        event.time.astimezone(CENTRE.timezone).hour
        for event in simulate.events(1, START, CENTRE)
        if event.type == "operator.logged_in"
    )
    assert set(logins) == {0, 6, 12, 18}
    assert set(logins.values()) == {3}


BOGOR = centres.load([])["32.71"]


@pytest.fixture(scope="module")
def fortnight() -> list[Event]:
    """All that Kota Bogor's file has something for."""
    return list(simulate.events(3, START, BOGOR, days=14))


def test_every_noun_is_told_and_only_known_events_are(fortnight: list[Event]) -> None:
    told = {event.type for event in fortnight}

    assert set(EVENT_TYPES) - told == {
        "call.queued", "call.transferred", "call.overflowed", "call.blocked",
        "caller.block_recommended", "caller.block_approved", "caller.block_declined", "caller.block_lifted", "caller.contacted",
        "ticket.reminder_due", "ticket.reminder_accepted", "weather.cancelled",
    }  # fmt: skip
    assert all(decode(encode(event)) == event for event in fortnight[::97])
    assert all(one.time <= other.time for one, other in pairwise(fortnight))


def test_all_that_is_told_has_its_name_in_the_centre_s_file(fortnight: list[Event]) -> None:
    fields = {
        "queue": BOGOR.names.queues, "seat": BOGOR.names.seats, "reason": BOGOR.names.reasons, "link": BOGOR.names.links,
        "gauge": BOGOR.names.gauges, "category": BOGOR.names.categories, "opd": BOGOR.names.opds, "to": BOGOR.names.opds,
    }  # fmt: skip
    told = {(field, text) for event in fortnight for field in fields if (text := getattr(event.data, field, None))}

    assert {field for field, _ in told} == set(fields)
    assert {(field, text) for field, text in told if text not in fields[field].known} == set()


def test_a_seat_pauses_for_the_reasons_of_its_centre_s_file() -> None:
    other = changed(BOGOR, reasons=("makan",))

    pauses = [event for event in simulate.events(3, START, other, days=2) if isinstance(event, OperatorPaused)]
    assert {event.data.reason for event in pauses} == {"makan"}


def test_a_bare_centre_tells_of_its_calls_and_seats_alone() -> None:
    assert {event.type.partition(".")[0] for event in simulate.events(3, START, CENTRE, days=2)} == {"call", "operator"}


def test_every_ticket_is_told_to_its_end_and_one_agency_is_slow(fortnight: list[Event]) -> None:
    state = ticket_state([event for event in fortnight if isinstance(event, get_args(DispatchEvent))], BOGOR)
    sent = {event.data.ticket: event.time for event in fortnight if isinstance(event, TicketSent)}
    lags = [
        (event.data.opd, event.time - sent[event.data.ticket]) for event in fortnight if isinstance(event, TicketAcknowledged)
    ]

    assert not [ticket for ticket in state.desk.tickets.values() if ticket.is_open]
    assert {opd for opd, lag in lags if lag > timedelta(days=1)} == {BOGOR.opds[-1].code}


def test_rain_brings_a_warning_before_it_and_the_river_rises_after_it(fortnight: list[Event]) -> None:
    warnings = [event for event in fortnight if isinstance(event, WeatherWarned)]
    levels = [event.data.level_centimetres for event in fortnight if isinstance(event, GaugeRead)]

    assert 2 <= len(warnings) <= 11
    assert all(timedelta(0) < event.data.onset - event.time < timedelta(hours=1) for event in warnings)
    assert min(levels) < 40
    assert max(levels) > 80


def test_a_link_that_drops_takes_its_calls_along_and_carries_none_until_it_is_up(fortnight: list[Event]) -> None:
    down: set[str] = set()
    dropped = 0
    for event in fortnight:
        if isinstance(event, LinkDown | LinkUp):
            (down.add if isinstance(event, LinkDown) else down.discard)(event.data.link)
        elif isinstance(event, CallNetworkDropped):
            dropped += 1
        elif isinstance(event, LinkHeartbeat):
            assert event.data.link not in down
    assert dropped > 3


def test_a_child_calls_again_and_again(fortnight: list[Event]) -> None:
    pranks = Counter(event.data.call for event in fortnight if isinstance(event, CallClassified) and event.data.class_ == "prank")
    callers = Counter(event.data.caller for event in fortnight if isinstance(event, CallOffered) and event.data.call in pranks)
    assert max(callers.values()) >= 5

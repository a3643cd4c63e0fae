from collections import Counter
from datetime import datetime
from itertools import islice, pairwise

import pytest

from schemas.topics import decode, encode
from streams.core.centre import Centre
from streams.sources import simulate
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
    events = list(islice(simulate.events(1, start, CENTRE, days=None), 10_000))
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

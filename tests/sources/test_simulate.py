from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import islice, pairwise
from statistics import median
from typing import get_args

import pytest

from schemas.calls import (
    CallAnswered,
    CallClassified,
    CallEvent,
    CallNetworkDropped,
    CallOffered,
    CallOverflowed,
    CallQueued,
    CallTransferred,
    ExchangeRestarted,
)
from schemas.dispatch import DispatchEvent, TicketAcknowledged, TicketOpened, TicketPassedOn, TicketSent
from schemas.environment import GaugeRead, WeatherWarned
from schemas.event import Event
from schemas.network import LinkDown, LinkHeartbeat, LinkUp
from schemas.operators import OperatorLoggedIn, OperatorLoggedOut, OperatorPaused
from schemas.survey import SurveyAnswered
from schemas.topics import EVENT_TYPES, TOPIC_OF, decode, encode
from streams import centres
from streams.core.centre import Centre
from streams.core.histogram import Histogram
from streams.sources import simulate
from streams.sources.simulate import demand, wandering
from streams.sources.simulate.wandering import CLASSES
from streams.worker.monitor import Monitor
from tests.builders import changed, ticket_state
from tests.sources import anonymous_bank
from tests.sources.stories import Referee, Story

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
    calls = [0] * days
    for event in simulate.events(7, START, CENTRE, days=days):
        types[event.type if getattr(event.data, "direction", None) is None else "other"] += 1
        classes[getattr(event.data, "class_", "")] += 1
        if isinstance(event, CallOffered) and event.data.direction is None:
            calls[(event.time - START).days] += 1
    assert median(calls) == pytest.approx(953, rel=0.1)  # an evening with an incident can have a thousand more
    assert 0.8 < types["call.classified"] / types["call.offered"] < 0.95
    shares = {kind: classes[kind] / types["call.classified"] for kind in CLASSES}
    assert shares == pytest.approx(CLASSES, abs=0.015)
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
    assert numbers["psap_calls_waiting"] == numbers["psap_calls_in_service"] == 0
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
        "call.blocked", "call.lost", "operator.ring_canceled",
        "caller.block_recommended", "caller.block_approved", "caller.block_declined", "caller.block_lifted", "caller.contacted",
        "caller.erased",
        "ticket.reminder_due", "ticket.reminder_accepted", "weather.cancelled",
    }  # fmt: skip
    assert all(decode(encode(event)) == event for event in fortnight[::97])
    assert all(one.time <= other.time for one, other in pairwise(fortnight))


def test_all_that_is_told_has_its_name_in_the_centre_s_file(fortnight: list[Event]) -> None:
    fields = {
        "queue": BOGOR.names.queues, "seat": BOGOR.names.seats, "reason": BOGOR.names.reasons, "link": BOGOR.names.links,
        "gauge": BOGOR.names.gauges, "category": BOGOR.names.categories, "opd": BOGOR.names.opds,
    }  # fmt: skip
    told = {
        (field, text)
        for event in fortnight
        for field in fields
        if (text := getattr(event.data, field, None)) and not isinstance(event, CallOverflowed)
    }
    passed_on = {event.data.to for event in fortnight if isinstance(event, CallTransferred | TicketPassedOn)}
    there = {"rujukan", "32.01", *BOGOR.names.seats.codes}

    assert {field for field, _ in told} == set(fields)
    assert {(field, text) for field, text in told if text not in fields[field].known} == set()
    assert passed_on == there | set(BOGOR.names.opds.codes)


def first(story: Story, *verbs: str) -> bool:
    """Whether the story begins so."""
    return tuple(story.verbs[: len(verbs)]) == verbs


def test_every_call_of_every_exchange_has_a_complete_story_and_no_seat_is_in_two(fortnight: list[Event]) -> None:
    referee = Referee(fortnight)
    stories = list(referee.stories.values())

    assert not referee.talking
    assert {story.at for story in stories} == {"over", "passed"}
    assert {story.direction for story in stories} == {"inbound", "outbound", "internal"}


def calls(events: Iterable[Event]) -> list[Event]:
    """What exchanges tell of their calls."""
    return [event for event in events if isinstance(event, CallEvent | ExchangeRestarted)]


def figures(events: list[Event], centre: Centre, after: float = 120) -> dict[tuple[str, ...], float | Histogram]:
    """What a monitor says so long after the last event, by metric and labels."""
    monitor = Monitor({centre.code: centre})
    for offset, event in enumerate(events):
        assert monitor.fold_event(TOPIC_OF[event.type].name, 0, offset, event, 2e9) == "folded"
    measured = monitor.measure(centre.code, events[-1].time.timestamp() + after)
    return {(metric.name, *labels): value for metric, labels, value in measured}


@pytest.mark.parametrize("centre", [CENTRE, BOGOR], ids=["one queue", "two queues and exchanges"])
def test_the_monitor_says_of_every_caller_what_became_of_them(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wandering, "RESTARTS_PER_DAY", 24)
    monkeypatch.setattr(demand, "OUTAGES_PER_DAY", 8)
    events = calls(simulate.events(2, START, centre, days=4))
    said = figures(events, centre)
    came = [story for story in Referee(events).stories.values() if (story.direction, story.came) == ("inbound", "112")]
    ended = {labels[1]: value for labels, value in said.items() if labels[0] == "psap_journeys_ended_total" and value}

    assert ended == Counter(story.outcome for story in came)
    assert set(ended) == {"answered", "abandoned", "announcement", "overflowed", "network_dropped", "lost"}
    assert said["psap_journeys_offered_total",] == len(came)


@pytest.mark.parametrize("centre", [CENTRE, BOGOR], ids=["one queue", "two queues and exchanges"])
def test_the_monitor_says_of_every_queue_who_was_in_it_and_of_every_seat_how_long_it_spoke(centre: Centre) -> None:
    events = calls(simulate.events(3, START, centre, days=7))
    outbound = {
        (event.source, event.data.call)
        for event in events
        if isinstance(event, CallOffered) and event.data.direction == "outbound"
    }
    visits, transfers, spoke = Counter[str](), Counter[str](), Counter[str]()
    talking: dict[tuple[str, str | None], tuple[str, datetime]] = {}
    for event in events:
        queue, name = getattr(event.data, "queue", None), (event.source, getattr(event.data, "call", None))
        if isinstance(event, CallAnswered) and queue is not None:
            talking[name] = queue, event.time
        elif event.type in {"call.ended", "call.transferred"}:
            talking.pop(name, None)
        elif isinstance(event, CallNetworkDropped) and name in talking:
            cut, since = talking.pop(name)
            spoke[cut] += round(1000 * (event.time - since).total_seconds())
        if queue is None or (event.source, getattr(event.data, "call", None)) in outbound:
            continue
        visits[queue] += isinstance(event, CallQueued) or (isinstance(event, CallOffered) and event.data.clock == "queue")
        transfers[queue] += isinstance(event, CallTransferred)
        spoke[queue] += round(1000 * (getattr(event.data, "talk_seconds", None) or 0))
    said = figures(events, centre)
    handled = {queue: said["psap_call_handle_seconds", queue] for queue in centre.names.queues.codes}

    assert said["psap_calls_unmatched_total",] == 0
    for queue, value in handled.items():
        assert said["psap_calls_offered_total", queue] == visits[queue]
        assert said["psap_calls_transferred_total", queue] == transfers[queue]
        assert isinstance(value, Histogram)
        assert value.sum == pytest.approx(spoke[queue] / 1000, abs=0.5)


def test_calls_wander_as_they_do_at_an_exchange_and_seldom(fortnight: list[Event]) -> None:
    stories = list(Referee(fortnight).stories.values())
    inbound = [story for story in stories if story.direction == "inbound"]
    ways = {
        "hangs up in the announcement": [first(story, "offered", "abandoned") for story in inbound],
        "waits in a queue once more": [first(story, "offered", "queued", "overflowed", "queued") for story in inbound],
        "waits three times": [story.verbs.count("overflowed") > 1 for story in inbound],
        "is let go": [story.verbs[-2:] == ["overflowed", "ended"] for story in inbound],
        "is passed on blindly into a queue": [
            first(story, "offered", "queued", "answered", "transferred", "queued") for story in inbound
        ],
        "is passed on blindly to a seat": [
            first(story, "offered", "queued", "answered", "transferred", "answered") for story in inbound
        ],
        "is handed over to a colleague": [
            first(story, "offered", "queued", "answered", "handed over", "ended") for story in inbound
        ],
        "is handed over to a queue": [
            first(story, "offered", "queued", "answered", "handed over", "answered") for story in inbound
        ],
        "leaves the centre": [story.at == "passed" for story in inbound],
        "a colleague is asked": [
            story.direction == "internal" and story.verbs == ["offered", "answered", "ended"] for story in stories
        ],
        "no colleague answers": [story.direction == "internal" and story.verbs == ["offered", "abandoned"] for story in stories],
        "somebody is called back": [story.direction == "outbound" and "answered" in story.verbs for story in stories],
        "somebody is called back in vain": [story.direction == "outbound" and "answered" not in story.verbs for story in stories],
    }
    shares = {way: sum(those) / len(those) for way, those in ways.items()}

    assert {way: share for way, share in shares.items() if not 0 < share < 0.05} == {}


def test_who_waits_in_the_second_queue_came_in_on_the_emergency_number(fortnight: list[Event]) -> None:
    came = {(event.source, event.data.call): event.data for event in fortnight if isinstance(event, CallOffered)}
    visits = [
        (came[event.source, event.data.call].queue, event.data.queue) for event in fortnight if isinstance(event, CallQueued)
    ]
    counts = Counter(visits)

    assert set(counts) == {("112", "112"), ("112", "rujukan"), ("rujukan", "rujukan")}
    assert counts["112", "112"] > 20 * counts["112", "rujukan"]
    assert {data.queue for data in came.values() if data.direction == "internal"} == {"rujukan"}


def test_the_announcement_is_heard_before_the_queue_begins(fortnight: list[Event]) -> None:
    came: dict[tuple[str, str], Event] = {}
    seconds = []
    for event in fortnight:
        if isinstance(event, CallOffered):
            came[event.source, event.data.call] = event
        elif isinstance(event, CallQueued) and (offered := came.pop((event.source, event.data.call), None)):
            seconds.append((event.time - offered.time).total_seconds())

    assert len(seconds) > 10_000
    assert 5.998 < min(seconds) <= max(seconds) < 6.002


def test_the_second_exchange_has_calls_of_its_own_under_ids_of_the_first(fortnight: list[Event]) -> None:
    ids: dict[str, set[str]] = {}
    for event in fortnight:
        if isinstance(event, CallOffered):
            ids.setdefault(event.source, set()).add(event.data.call)
    first, second = ids["/32.71/simulation"], ids["/32.71/simulation-2"]
    tickets = [event.data.ticket for event in fortnight if isinstance(event, TicketOpened)]

    assert len(ids) == 2
    assert len(second) > len(first) / 10
    assert len(first & second) > 100
    assert len(set(tickets)) == len(tickets)


def test_a_restart_is_over_for_every_call_of_its_exchange_and_some_call_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wandering, "RESTARTS_PER_DAY", 96)
    told: dict[str, list[Event]] = {}
    events = list(simulate.events(3, START, BOGOR, days=2))
    for event in events:
        if event.type.partition(".")[0] in {"call", "exchange"}:
            told.setdefault(event.source, []).append(event)
    referee = Referee(events)
    lost = [story for story in referee.stories.values() if "lost" in story.verbs]
    callers = Counter(event.data.caller for event in events if isinstance(event, CallOffered))

    assert set(told) == {"/32.71/simulation", "/32.71/simulation-2"}
    assert {story.verbs[-2] for story in lost} >= {"offered", "queued", "answered"}
    assert not referee.talking
    for source in told.values():
        away = [
            (other.time - one.time).total_seconds() for one, other in pairwise(source) if isinstance(other, ExchangeRestarted)
        ]
        assert len(away) > 50
        assert min(away) >= 20
    assert max(callers.values()) > 3


def test_now_and_then_an_exchange_restarts(fortnight: list[Event]) -> None:
    assert 1 <= sum(isinstance(event, ExchangeRestarted) for event in fortnight) <= 8


def test_seats_join_and_leave_queue_by_queue_and_the_first_serves_the_emergency_number_alone(fortnight: list[Event]) -> None:
    there: set[tuple[str, str | None]] = set()
    halves = 0
    for event in fortnight:
        if isinstance(event, OperatorLoggedIn):
            assert (event.data.seat, event.data.queue) not in there
            there.add((event.data.seat, event.data.queue))
        elif isinstance(event, OperatorLoggedOut):
            there.remove((event.data.seat, event.data.queue))
            halves += (event.data.seat, "112") in there
        elif isinstance(event, CallAnswered):
            assert (event.data.seat, "112") in there
        assert ("seat-1", "rujukan") not in there
    assert halves > 10


def test_no_exchange_breaks_down_that_is_not_back_before_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wandering, "RESTARTS_PER_DAY", 1440)
    evening = START + timedelta(hours=19)
    for seed in range(20):
        stories = Referee(simulate.events(seed, evening, BOGOR, days=0.01)).stories.values()
        assert {story.at for story in stories} <= {"over", "passed"}


def test_a_centre_with_one_queue_names_no_other_and_its_seats_join_none(monkeypatch: pytest.MonkeyPatch) -> None:
    events = list(simulate.events(5, START, CENTRE, days=7))
    monkeypatch.setattr(demand, "ELSEWHERE", 1.0)
    assert list(islice(simulate.events(5, START, CENTRE), 1_000)) == events[:1_000]
    referee = Referee(events)
    again = [story for story in referee.stories.values() if "overflowed" in story.verbs and "answered" in story.verbs]

    assert len(again) > 5
    assert {getattr(event.data, "queue", None) for event in events} == {None, "112"}
    assert {event.data.queue for event in events if isinstance(event, OperatorLoggedIn | OperatorLoggedOut)} == {None}
    assert {event.source for event in events} == {"/32.71/simulation"}


def test_a_centre_whose_queues_are_all_emergency_numbers_is_called_on_each() -> None:
    events = list(simulate.events(5, START, changed(CENTRE, queues=["112", "119"]), days=2))
    called = Counter(event.data.queue for event in events if isinstance(event, CallOffered) and event.data.direction is None)

    Referee(events)
    assert min(called["112"], called["119"]) > 800


def test_a_call_that_is_passed_on_arrives_at_the_neighbour_s_centre() -> None:
    neighbour = Centre.model_validate({"code": "32.01", "name": "Kabupaten Bogor", "timezone": "Asia/Jakarta"})
    events = list(simulate.nation(3, START, [BOGOR, neighbour], days=3, calls_per_day=953))
    there = [event.time for event in events if isinstance(event, CallOffered) and event.subject == "32.01"]
    passed_on = [event.time for event in events if isinstance(event, CallTransferred) and event.data.to == "32.01"]

    Referee(event for event in events if event.subject == "32.01")
    assert len(passed_on) > 10
    assert [time for time in passed_on if not any(timedelta(0) < other - time < timedelta(seconds=2.01) for other in there)] == []


def test_the_days_of_a_story_are_one_with_ids_of_its_own_from_midnight_to_midnight() -> None:
    now = START + timedelta(hours=9)
    events = list(simulate.story(now, 7, [BOGOR], 953))
    days = Counter(event.time.astimezone(CENTRE.timezone).date() for event in events if isinstance(event, CallOffered))

    assert not Referee(events).talking
    assert all(one.time <= other.time for one, other in pairwise(events))
    assert len({(event.source, event.id) for event in events}) == len(events)
    assert [day.day for day in days] == [1, 2, 3, 4, 5, 6, 7]
    later = now + timedelta(hours=3)
    assert [event.id for event in islice(simulate.story(later, 7, [BOGOR], 953), 500)] == [event.id for event in events[:500]]


def test_a_day_is_told_to_its_end_within_its_longest_time() -> None:
    ends = [list(simulate.story(START + timedelta(days=day), 1, [BOGOR], 953))[-1].time for day in range(0, 60, 7)]

    assert all(end < START + timedelta(days=7 * n) + simulate.LONGEST for n, end in enumerate(ends))
    assert any(end > START + timedelta(days=7 * n + 3) for n, end in enumerate(ends))


def test_a_story_of_many_centres_begins_at_the_midnight_of_each() -> None:
    nation = centres.load([centres.NATION])
    events = list(islice(simulate.story(START, 7, [nation[code] for code in ("32.71", "51.71", "91.71")]), 2_000))
    began = {event.subject: event.time.astimezone(nation[event.subject].timezone) for event in reversed(events)}

    assert all(one.time <= other.time for one, other in pairwise(events))
    assert {code: (time.hour, time.minute) for code, time in began.items()} == dict.fromkeys(began, (0, 0))
    assert len(began) == 3


def test_a_seat_pauses_for_the_reasons_of_its_centre_s_file() -> None:
    other = changed(BOGOR, reasons=("makan",))

    pauses = [event for event in simulate.events(3, START, other, days=2) if isinstance(event, OperatorPaused)]
    assert {event.data.reason for event in pauses} == {"makan"}


def test_a_bare_centre_tells_of_its_calls_and_seats_alone() -> None:
    assert {event.type.partition(".")[0] for event in simulate.events(3, START, CENTRE, days=2)} == {"call", "operator"}


def test_the_survey_that_is_told_is_the_one_of_the_centre_s_file() -> None:
    asked = changed(CENTRE, survey={"instrument": "skm"})

    told = [event for event in simulate.events(3, START, asked, days=3) if isinstance(event, SurveyAnswered)]

    assert told
    assert all(set(event.data.scores) == {f"u{n}" for n in range(1, 10)} for event in told)


def test_every_ticket_is_told_to_its_end_and_only_what_is_routine_waits_for_days(fortnight: list[Event]) -> None:
    state = ticket_state([event for event in fortnight if isinstance(event, get_args(DispatchEvent))], BOGOR)
    sent = {event.data.ticket: event.time for event in fortnight if isinstance(event, TicketSent)}
    lags = [
        (event.data.opd, event.time - sent[event.data.ticket]) for event in fortnight if isinstance(event, TicketAcknowledged)
    ]

    assert not [ticket for ticket in state.desk.tickets.values() if ticket.is_open]
    routine = {opd for category in BOGOR.categories if category.ladder == "routine" for opd in category.opds}
    assert {opd for opd, lag in lags if lag > timedelta(days=1)} == routine


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

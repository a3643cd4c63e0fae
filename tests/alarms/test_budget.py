"""Whom the alarms call: a budget, held on two ordinary days and a storm's evening, and what a message is."""

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from pathlib import Path

import pytest
import yaml

from schemas.event import Event
from streams import centres
from streams.core.centre import Centre
from streams.stack.debian import Programs
from tests.alarms import storm
from tests.alarms.notices import CONFIG, Firing, Labels, Notice, alertmanager, notices, routes
from tests.alarms.recordings import Budget, Recording
from tests.alarms.week import Week, fold

pytestmark = pytest.mark.stack
TAUGHT_DAYS, ORDINARY_DAYS = 7, 2
SEED = 1
"""Of the first four the one whose two days are ordinary: one link stays down, and no evening has an incident of its own."""
TROUBLES = tuple(trouble._replace(day=ORDINARY_DAYS) for trouble in storm.EVENING)


def read(centre: Centre) -> Iterable[Event]:
    """Seven days that teach, two ordinary ones, and a day until the storm is over."""
    start = datetime.combine(storm.FIRST_MONDAY, time(), centre.timezone)
    monday = start + timedelta(days=TAUGHT_DAYS)
    end = monday + timedelta(days=ORDINARY_DAYS, hours=22, minutes=30)
    told = storm.events(SEED, start, centre, TAUGHT_DAYS + ORDINARY_DAYS + 1, TROUBLES, monday)
    return [event for event in told if event.time < end]


@pytest.fixture(scope="module")
def week() -> Week:
    """What came of them."""
    bogor = centres.load([])["32.71"]
    return fold(Recording("short", "a storm after two days", bogor, read, taught_days=TAUGHT_DAYS, troubles=TROUBLES))


def ordinary(week: Week, messages: list[Notice]) -> list[Notice]:
    """Those of the ordinary days."""
    end = week.recording.since(week.events) + ORDINARY_DAYS * 86_400
    return [notice for notice in messages if notice.moment < end]


def test_two_ordinary_days_keep_to_their_share_of_seven_pages_and_twenty_tickets_a_week(week: Week) -> None:
    assert len(ordinary(week, week.pages())) <= 7 * ORDINARY_DAYS / 7
    assert len(ordinary(week, week.tickets())) <= 20 * ORDINARY_DAYS / 7


def test_every_trouble_of_the_storm_is_paged_within_two_minutes_of_being_knowable(week: Week) -> None:
    late = {(one.planted.trouble.kind, one.planted.trouble.about): one.minutes for one in week.paged}

    assert late.keys() == {(trouble.kind, trouble.about) for trouble in TROUBLES}
    assert {trouble: minutes for trouble, minutes in late.items() if minutes is None or minutes > 2} == {}


def test_the_storm_pages_twelve_times_an_hour_at_most_and_once_for_a_link_that_flaps(week: Week) -> None:
    measured = {name: (found, most) for name, found, most, _ in week.measures(Budget(worst_hour=12))}

    assert measured.keys() == {"pages in the worst hour", "pages for the flapping of sip-xl"}
    assert {name: found for name, (found, most) in measured.items() if found > most} == {}


def alert(name: str, severity: str, **labels: str) -> Labels:
    return frozenset({"alertname": name, "severity": severity, "city": "32.71", "province": "Jawa Barat", **labels}.items())


def test_a_message_is_what_is_new_and_neither_inhibited_nor_for_the_wall(programs: Programs, tmp_path: Path) -> None:
    down = alert("PsapLinkDown", "page", link="sip-xl")
    firing = [
        Firing(alert("PsapLinkDown", "wall", link="sip-xl"), 0, 600),
        Firing(alert("PsapCallerWaiting", "wall"), 30, 600),
        Firing(down, 90, 600),
        Firing(alert("PsapLinkUnregistered", "page", link="sip-xl"), 90, 600),  # follows from it
        Firing(alert("PsapLinkDown", "page", link="sip-telkom"), 120, 600),  # joins its group
        Firing(down, 900, 3000),
        Firing(alert("PsapVoicePoor", "ticket", link="sip-indosat"), 60, 3000),
    ]
    with alertmanager(programs, tmp_path) as asked:
        told = notices(firing, asked)

    assert [(one.moment, one.severity, len(one.new)) for one in told] == [
        (70, "ticket", 1),
        (95, "page", 1),
        (125, "page", 1),
        (905, "page", 1),
        (2705, "page", 0),  # again after half an hour, and nothing is new
    ]


def test_a_route_that_waits_ten_minutes_is_an_escalation_and_every_other_tells_at_once() -> None:
    ways = routes(yaml.safe_load(CONFIG.read_text()))

    assert {way.receiver: way.wait for way in ways if way.wait >= 60} == {"second": 600}
    assert {way.receiver for way in ways if way.wait < 60} >= {"local", "wall", "opd-desk", "dead-man"}

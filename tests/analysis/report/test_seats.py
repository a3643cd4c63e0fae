"""The times of seats, cut to the time that is asked for, and as the core says them of an hour."""

from collections import Counter
from datetime import timedelta

import pytest

from schemas.event import Event
from streams.analysis.period import Period
from streams.analysis.report.seats import Pause, Seat
from streams.core.operators import ADHERENCE, LOGGED_IN_SECONDS, OCCUPANCY, PAUSE_SECONDS_TOTAL
from streams.sources import read
from tests.analysis.report.builders import reported
from tests.analysis.report.simulated import DAYS, of_core, rows, simulated
from tests.analysis.test_recording import CALLS, FOLDER
from tests.analysis.test_recording import CENTRE as RECORDED
from tests.builders import (
    START,
    answered,
    changed,
    ended,
    logged_in,
    logged_out,
    offered,
    paused,
    resumed,
    wrap_up_ended,
    wrap_up_started,
)
from tests.trial import KOTA_BOGOR  # fmt: skip

HOUR = 3_600
MIDNIGHT = 16 * HOUR
"""The first after START."""

NIGHT = [
    *(logged_in("seat-1", MIDNIGHT - 2 * HOUR), logged_in("seat-2", MIDNIGHT - HOUR)),
    *(offered("c1", MIDNIGHT - 70), answered("c1", MIDNIGHT - 60, "seat-1"), ended("c1", MIDNIGHT + 140)),
    *(wrap_up_started("seat-1", MIDNIGHT + 140), wrap_up_ended("seat-1", MIDNIGHT + 200)),
    *(paused("seat-1", MIDNIGHT - 1_000, "makan"), resumed("seat-1", MIDNIGHT - 400)),
    *(paused("seat-2", MIDNIGHT - 300, "makan"), resumed("seat-2", MIDNIGHT + 600)),
    *(logged_out("seat-2", MIDNIGHT + HOUR), logged_out("seat-1", MIDNIGHT + 3 * HOUR)),
]
CENTRE = changed(KOTA_BOGOR, shifts=[{"from": "22:00", "until": "02:00", "seats": 2}])


def test_of_a_night_shift_each_day_has_its_part() -> None:
    found = reported(NIGHT, "seats", "pauses", centres=[CENTRE], by="day")

    seats = [
        (row.period, row.seat, row.calls, row.logged_in_seconds, row.talk_seconds, row.wrap_up_seconds, row.paused_seconds)
        for row in rows(found, Seat, "part")
    ]
    assert sorted(seats) == [
        ("2024-11-25", "*", 1, 3 * HOUR, 60, 0, 900),
        ("2024-11-25", "seat-1", 1, 2 * HOUR, 60, 0, 600),
        ("2024-11-25", "seat-2", 0, HOUR, 0, 0, 300),
        ("2024-11-26", "*", 0, 4 * HOUR, 140, 60, 600),
        ("2024-11-26", "seat-1", 0, 3 * HOUR, 140, 60, 0),
        ("2024-11-26", "seat-2", 0, HOUR, 0, 0, 600),
    ]
    pauses = [(row.period, row.seat, row.reason, row.pauses, row.seconds, row.longest) for row in rows(found, Pause, "part")]
    assert sorted(pauses) == [
        ("2024-11-25", "*", "makan", 2, 900, 600),
        ("2024-11-25", "seat-1", "makan", 1, 600, 600),
        ("2024-11-25", "seat-2", "makan", 1, 300, 300),
        ("2024-11-26", "*", "makan", 1, 600, 600),
        ("2024-11-26", "seat-2", "makan", 1, 600, 600),
    ]


def test_occupancy_and_adherence_are_of_the_time_that_is_known() -> None:
    period = Period(START + timedelta(seconds=MIDNIGHT - 12 * HOUR), START + timedelta(seconds=MIDNIGHT + 12 * HOUR))

    found = reported([*NIGHT, offered("c2", MIDNIGHT + 3 * HOUR)], "seats", period=period, centres=[CENTRE])

    first, second, whole = rows(found, Seat)
    assert whole.seat == "*"
    assert (first.seat, first.logged_in_seconds) == ("seat-1", 5 * HOUR)
    assert first.occupancy == pytest.approx(260 / (5 * HOUR))
    assert (second.seat, second.logged_in_seconds, second.occupancy) == ("seat-2", 2 * HOUR, 0)
    assert (whole.known_seconds, whole.scheduled_seconds) == (5 * HOUR, 8 * HOUR)
    assert whole.adherence == pytest.approx(7 / 8)


def test_an_hour_of_a_simulated_day_is_what_the_core_says_of_it() -> None:
    until = START + timedelta(hours=30)
    hour = Period(until - timedelta(hours=1), until)
    found = reported((each for each in DAYS if each.time <= until), "seats", period=hour)
    moment = found.hindsight.moment
    assert moment is not None
    core = of_core(found, until.timestamp())

    [whole] = [row for row in rows(found, Seat) if row.seat == "*"]

    # The report ends with the last event, the core goes on for the few seconds to the full hour.
    assert whole.logged_in_seconds == pytest.approx(core.number(LOGGED_IN_SECONDS), abs=3 * (until.timestamp() - moment))
    assert whole.adherence == pytest.approx(core.number(ADHERENCE), abs=0.01)
    assert whole.occupancy == pytest.approx(core.number(OCCUPANCY), abs=0.02)


def test_pauses_of_simulated_days_sum_to_the_core_s() -> None:
    found = simulated()
    core = of_core(found, found.hindsight.moment or 0).by_label(PAUSE_SECONDS_TOTAL)

    assert {row.reason: row.seconds for row in rows(found, Pause) if row.seat == "*"} == pytest.approx(core)
    assert sum(row.paused_seconds for row in rows(found, Seat) if row.seat == "*") == pytest.approx(sum(core.values()))
    for row in rows(found, Seat):
        assert row.logged_in_seconds is not None
        assert row.talk_seconds + row.wrap_up_seconds <= row.logged_in_seconds + 1e-3


def test_where_no_log_in_is_ever_told_nobody_knows_who_was_there() -> None:
    calls = [offered("c1", 0), answered("c1", 5, "seat-1"), ended("c1", 1_005)]

    [one, every] = rows(reported(calls, "seats"), Seat)

    assert (one.seat, one.calls, one.talk_seconds) == ("seat-1", 1, 1_000)
    assert (every.logged_in_seconds, every.occupancy, every.adherence) == (None, None, None)


def test_a_seat_that_never_logs_in_is_always_there() -> None:
    centre = changed(KOTA_BOGOR, seats=[{"code": "seat-1", "static": True}])
    calls = [offered("c1", 0), answered("c1", 5, "seat-1"), ended("c1", 1_005), offered("c2", 10_000)]

    [one, every] = rows(reported(calls, "seats", centres=[centre]), Seat)

    assert one.logged_in_seconds == every.logged_in_seconds == 10_000
    assert one.occupancy == pytest.approx(0.1)


def test_nobody_wraps_up_who_has_gone_or_talks_again() -> None:
    centre = changed(KOTA_BOGOR, wrap_up_seconds=30)
    calls = [
        *(offered("c1", 0), answered("c1", 5, "seat-1"), ended("c1", 105)),
        *(offered("c2", 100), answered("c2", 125, "seat-1"), ended("c2", 225)),
        *(logged_in("seat-1", 0), logged_out("seat-1", 235), offered("c3", 1_000)),
    ]

    [one, _] = rows(reported(calls, "seats", centres=[centre]), Seat)

    assert (one.talk_seconds, one.wrap_up_seconds, one.logged_in_seconds) == (200, 20 + 10, 235)


def test_seats_of_a_real_exchange_began_as_many_conversations_as_they_saw() -> None:
    told = [line.item for line in read(FOLDER / "queue_log", RECORDED) if isinstance(line.item, Event)]

    found = reported(told, "seats", centres=[RECORDED])

    saw = Counter(answer["seat"] for call in CALLS for answer in call.get("answers", ()))
    began = {row.seat: row.calls for row in rows(found, Seat)}
    # To seat-9 calls are passed on, and who spoke on after such a transfer no queue_log says.
    assert [began[seat] for seat in ("seat-1", "seat-2", "seat-3")] == [12, 9, 6] == [saw[f"seat-{n}"] for n in (1, 2, 3)]


def test_seats_of_all_centres_stand_together_and_each_ratio_is_of_the_centres_that_have_it() -> None:
    untold = KOTA_BOGOR.model_copy(update={"code": "32.01", "shifts": ()})
    calls = [offered("c1", MIDNIGHT), answered("c1", MIDNIGHT + 5, "seat-1"), ended("c1", MIDNIGHT + 1_005)]
    there = [event.model_copy(update={"subject": "32.01"}) for event in calls]

    report = reported([*NIGHT, *there], "seats", "pauses", centres=[CENTRE, untold])

    seats = {row.city: row for row in rows(report, Seat) if row.seat == "*"}
    here, other, both = (seats[city] for city in ("32.71", "32.01", "*"))
    assert other.logged_in_seconds is None
    assert (both.calls, both.talk_seconds, both.known_seconds) == (2, 1_200, here.known_seconds + other.known_seconds)
    assert (both.logged_in_seconds, both.occupancy) == (here.logged_in_seconds, here.occupancy)
    assert (both.scheduled_seconds, both.adherence) == (here.scheduled_seconds, here.adherence)
    assert both.adherence is not None
    pauses = [(row.city, row.seat, row.pauses, row.seconds) for row in rows(report, Pause) if row.seat == "*"]
    assert pauses == [("*", "*", 2, 1_500), ("32.71", "*", 2, 1_500)]


def test_seats_of_two_centres_that_tell_all_sum() -> None:
    other = CENTRE.model_copy(update={"code": "32.01"})
    there = [event.model_copy(update={"subject": "32.01"}) for event in NIGHT]

    found = [row for row in rows(reported([*NIGHT, *there], "seats", centres=[CENTRE, other]), Seat) if row.seat == "*"]

    here, _, both = sorted(found, key=lambda row: row.city == "*")
    assert both.logged_in_seconds == 2 * (here.logged_in_seconds or 0)
    assert both.scheduled_seconds == 2 * (here.scheduled_seconds or 0)
    assert (both.occupancy, both.adherence) == (here.occupancy, here.adherence)

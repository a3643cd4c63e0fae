"""What an hour should bring is learned from hours like it, and what was not seen teaches nothing."""

import gzip
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from schemas.topics import CALLS
from streams.core.centre import Centre
from streams.core.forecast import Forecast
from streams.core.hourly import HOURS
from streams.worker.monitor import Monitor
from tests.builders import BOGOR, at, ended, offered
from tests.sources import anonymous_bank

HOUR, DAY, WEEK = 3600, 86_400, 604_800
BLOB = TypeAdapter(Forecast)


def came(forecast: Forecast, time: float, link: str | None = None, centre: Centre = BOGOR) -> None:
    """One call comes."""
    forecast.count(time, forecast.hear(time, link, centre), centre)


def hours(forecast: Forecast, counts: Iterable[int], start: int = 0, link: str | None = None) -> None:
    """So many calls come in each hour from `start` hours on, evenly."""
    for number, calls in enumerate(counts, start):
        for call in range(calls):
            came(forecast, at(HOUR * (number + (call + 0.5) / calls)), link)


def learned(days: int, per_hour: int = 40, link: str | None = None) -> Forecast:
    """So many calls in every hour; the first hour is a whole one."""
    forecast = Forecast()
    hours(forecast, [per_hour] * (days * 24), link=link)
    return forecast


def expected(forecast: Forecast, hour: int, centre: Centre = BOGOR) -> float | None:
    found = forecast.expected(int(at(hour * HOUR)) // HOUR, centre)
    return None if found is None else found.mean


def test_nothing_is_expected_before_three_days_were_seen() -> None:
    assert expected(learned(3), 3 * 24) is None
    assert expected(learned(4), 4 * 24) == pytest.approx(40)


def test_after_some_days_the_hour_of_the_day_is_known_and_after_a_week_that_of_the_week() -> None:
    for days, basis in ((5, "hour_of_day"), (9, "hour_of_week")):
        found = learned(days).expected(int(at(days * DAY)) // HOUR, BOGOR)
        assert found is not None
        assert found.basis == basis


def test_a_busy_hour_of_the_week_is_expected_a_week_later_and_not_an_hour_later() -> None:
    forecast = Forecast()
    for week in range(4):
        hours(forecast, [30 if hour == 50 else 10 for hour in range(168)], week * 168)

    assert 20 < (expected(forecast, 4 * 168 + 50) or 0) <= 30
    assert expected(forecast, 4 * 168 + 51) == pytest.approx(10, rel=0.1)


def test_the_hour_that_is_going_on_and_the_first_one_seen_teach_nothing() -> None:
    forecast = Forecast()
    came(forecast, at(0.9 * HOUR))
    hours(forecast, [20] * (8 * 24 - 1), 1)
    came(forecast, at(8 * DAY))

    assert expected(forecast, 8 * 24) == pytest.approx(20)
    assert expected(forecast, 9 * 24) == pytest.approx(20)


def test_the_level_follows_a_day_that_is_busier_than_its_like() -> None:
    forecast = learned(28)
    hours(forecast, [60] * 12, 28 * 24)

    assert 50 < (expected(forecast, 28 * 24 + 12) or 0) < 60
    assert expected(forecast, 31 * 24) == pytest.approx(40, rel=0.02), "days later nothing of it is left"


@pytest.mark.parametrize("days", [6, 7, 21])
def test_one_great_event_is_no_pattern_of_the_week(days: int) -> None:
    forecast = learned(days)
    hours(forecast, [400, *[40] * 167], days * 24)

    assert (expected(forecast, (days + 7) * 24) or 0) < 55
    assert expected(forecast, (days + 8) * 24) == pytest.approx(40, rel=0.1)


def test_what_every_saturday_night_brings_is_expected_from_the_third_on() -> None:
    forecast = Forecast()
    for week in range(3):
        hours(forecast, [200 if hour == 130 else 40 for hour in range(168)], week * 168)

    assert (expected(forecast, 3 * 168 + 130) or 0) > 150


def test_a_blind_day_teaches_nothing() -> None:
    forecast = learned(14)
    hours(forecast, [40] * 7 * 24, 15 * 24)

    assert expected(forecast, 21 * 24) == pytest.approx(40)
    assert len(forecast.unseen()) == 24


def test_a_backlog_fills_a_blind_day() -> None:
    forecast = learned(14)
    hours(forecast, [40], 15 * 24)
    hours(forecast, [40] * 24, 14 * 24)

    assert not forecast.unseen()
    hours(forecast, [40] * 6 * 24, 15 * 24 + 1)
    assert expected(forecast, 21 * 24) == pytest.approx(40)


def test_a_test_marked_afterwards_in_a_blind_hour_makes_it_no_more_seen() -> None:
    forecast = learned(14)
    hours(forecast, [40], 15 * 24)
    forecast.count(at(14 * DAY + 60), None, BOGOR, -1)

    assert len(forecast.unseen()) == 24


def test_a_quiet_night_is_seen() -> None:
    night = [0, 0, 1, 0, 0, 1, 0, *[30] * 17]
    forecast = Forecast()
    hours(forecast, night * 14)

    assert not forecast.unseen()
    assert (expected(forecast, 14 * 24) or 0) < 1


def test_a_centre_that_closes_on_sundays_is_believed_the_second_time() -> None:
    forecast = Forecast()
    for week in range(4):
        hours(forecast, [30] * 144, week * 168)  # from Monday on, and then a silence of a day
    hours(forecast, [30], 4 * 168)

    assert (expected(forecast, 4 * 168 + 150) or 0) < 3


def test_a_link_that_carried_nothing_makes_its_hours_unseen() -> None:
    forecast = Forecast()
    for hour in range(21 * 24):
        down = 15 * 24 <= hour < 16 * 24
        for call in range(20):
            came(forecast, at(HOUR * (hour + call / 20)), "sip-telkom")
            if not down:
                came(forecast, at(HOUR * (hour + call / 20 + 0.01)), "sip-xl")

    assert set(forecast.blank.values()) == {"link"}
    assert 24 <= len(forecast.blank) <= 26
    assert expected(forecast, 22 * 24) == pytest.approx(40, rel=0.02)


def test_an_hour_of_which_some_calls_came_too_late_to_be_counted_teaches_nothing() -> None:
    forecast = learned(14)
    hours(forecast, [4, *[40] * 167], 14 * 24)
    forecast.miss(at(14 * DAY + 60), BOGOR)
    forecast.miss(at(14 * DAY + HOUR + 60), BOGOR)  # of an hour that has what it should: a file was sent again

    assert forecast.unseen() == {int(at(14 * DAY)) // HOUR}
    assert expected(forecast, 21 * 24) == pytest.approx(40, rel=1e-3)


def test_a_monitor_says_so_of_a_call_that_came_too_late() -> None:
    monitor = Monitor({"32.71": BOGOR})
    told = [offered(f"c{number}", number * 1_200) for number in range(12) if number not in range(3, 6)]
    told += [ended("c0", 4_000), ended("c1", 5_000), ended("c2", 6_000)]
    told.sort(key=lambda event: event.time)
    for offset, event in enumerate([*told, offered("c3", 3_700)]):
        outcome = monitor.fold_event(CALLS.name, 0, offset, event, 2e9)
    [(_, state)] = monitor.states(CALLS.name, 0)

    assert outcome == "late"
    assert state.forecast.blank == {int(at(3_700)) // HOUR: "late"}


def test_quiet_evenings_after_the_first_ones_events_are_seen() -> None:
    forecast = Forecast()
    for day in range(7):
        for hour in range(24):
            calls = 340 if hour == 11 and day in (0, 1, 4) else 60
            for call in range(calls):
                came(forecast, at(HOUR * (day * 24 + hour + call / calls)), f"sip-{call % 7 == 0}")

    assert not forecast.unseen()
    assert (expected(forecast, 7 * 24 + 11) or 0) < 110


def test_a_holiday_is_expected_to_be_as_a_sunday() -> None:
    holiday = (datetime.fromtimestamp(at(30 * DAY), UTC) + timedelta(hours=7)).date()
    centre = BOGOR.model_copy(update={"holidays": frozenset({holiday})})
    assert holiday.weekday() == 2
    forecast = Forecast()
    for day in range(30):
        for hour in range(24):
            local = day * 24 + hour + 8  # START is a Monday at eight
            calls = 20 if local // 24 % 7 == 6 or local // 24 == 30 else 40
            for call in range(calls):
                came(forecast, at(HOUR * (day * 24 + hour + call / calls)), centre=centre)

    assert (expected(forecast, 30 * 24, centre) or 0) == pytest.approx(20, rel=0.15)


def test_january_of_the_bank_is_not_halved_by_two_days_without_rows() -> None:
    forecast = Forecast()
    until = datetime(1999, 1, 18, 10, tzinfo=anonymous_bank.CENTRE.timezone).timestamp()
    with gzip.open(anonymous_bank.data("january1999.queue_log.gz"), "rt") as lines:
        times = [float(line.partition("|")[0]) for line in lines if "|ENTERQUEUE|" in line]
    for time in times:
        if time < until:
            came(forecast, time, centre=anonymous_bank.CENTRE)
    found = forecast.expected(int(until) // HOUR, anonymous_bank.CENTRE)

    # The Monday two weeks before had 161, that of the week before was not seen, and 138 came.
    assert found is not None
    assert 125 < found.mean < 170
    assert {(datetime.fromtimestamp(hour * HOUR, anonymous_bank.CENTRE.timezone)).day for hour in forecast.unseen()} >= {11, 12}


@given(st.lists(st.integers(0, 5 * 24 * HOUR), min_size=1, max_size=60))
def test_arrivals_by_hour_are_those_counted_by_hand_however_late_they_are_told(times: list[int]) -> None:
    first = min(times)
    times = [first, *times]  # the first hour is that of the first call told
    forecast = Forecast()
    for time in times:
        came(forecast, at(time))
    hour_of = [int(at(time)) // HOUR for time in times]

    assert {hour: n for hour, n in forecast.hourly(0, 10**9).items() if n} == {hour: hour_of.count(hour) for hour in hour_of}


@given(st.integers(0, 2**32), st.integers(1, 15 * 24))
def test_a_forecast_that_was_written_and_read_goes_on_as_if_it_never_was(seed: int, broken: int) -> None:
    chance = Random(seed)
    counts = [chance.choice((0, 2, 5, 9, 40)) for _ in range(16 * 24)]
    whole, part = Forecast(), Forecast()
    hours(whole, counts)
    hours(part, counts[:broken])
    part.expected(int(at(broken * HOUR)) // HOUR, BOGOR)  # asking changes nothing
    part = BLOB.validate_json(BLOB.dump_json(part, exclude_defaults=True))
    hours(part, counts[broken:], broken)

    assert BLOB.dump_json(part) == BLOB.dump_json(whole)
    assert expected(part, 16 * 24) == expected(whole, 16 * 24)


def test_what_is_remembered_is_five_weeks_and_small() -> None:
    forecast = Forecast()
    for number in range(60 * 953):
        came(forecast, at(number * DAY / 953), f"sip-{number % 3}")

    size = len(BLOB.dump_json(forecast))
    print(f"\n60 days of 953 calls: {size:,} bytes")
    assert len(forecast.counts) == HOURS
    assert size < 5_000


def test_after_a_pause_of_months_everything_is_learned_anew() -> None:
    forecast = learned(22)
    came(forecast, at(200 * DAY))

    assert len(forecast.counts) == 1
    assert expected(forecast, 200 * 24 + 24) is None

"""What an hour should bring is learned from hours like it, and how improbable a silence or a surge is follows from that."""

from math import exp, factorial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from streams.core.forecast import (
    ARRIVED,
    EXPECTED,
    EXPECTED_WINDOW,
    HOURS,
    LINK_SILENCE,
    SILENCE,
    SURGE,
    Forecast,
    at_least,
    measure,
)
from tests.builders import BOGOR, at, said

HOUR, DAY, WEEK = 3600, 86_400, 604_800


def came(forecast: Forecast, time: float, link: str | None = None) -> None:
    """One call comes."""
    forecast.count(time, forecast.hear(time, link, BOGOR))


def learned(days: float, per_hour: int = 40, link: str | None = None) -> Forecast:
    """So many calls in every hour, evenly; the first hour is a whole one."""
    forecast = Forecast()
    for number in range(int(days * 24 * per_hour)):
        came(forecast, at(number * HOUR / per_hour), link)
    return forecast


def test_nothing_is_expected_before_three_days_were_seen() -> None:
    assert EXPECTED not in {key[0] for key in said(measure(learned(2), at(2 * DAY)))}
    assert SILENCE not in {key[0] for key in said(measure(learned(2), at(2 * DAY)))}


def test_after_four_days_the_hour_of_the_day_is_known_and_after_three_weeks_that_of_the_week() -> None:
    assert said(measure(learned(5), at(5 * DAY)))[EXPECTED, "hour_of_day"] == 40
    assert said(measure(learned(22), at(22 * DAY)))[EXPECTED, "hour_of_week"] == 40


def test_a_busy_hour_of_the_week_is_expected_a_week_later_and_not_an_hour_later() -> None:
    forecast = learned(29, per_hour=10)
    for week in range(4):
        for call in range(20):
            came(forecast, at(week * WEEK + 50 * HOUR + call))
    hour = int(at(4 * WEEK + 50 * HOUR)) // HOUR
    later, next_hour = forecast.expected(hour), forecast.expected(hour + 1)

    assert later is not None
    assert next_hour is not None
    assert (later.mean, later.n) == (30, 4)
    assert next_hour.mean == 10


def test_the_hour_that_is_going_on_and_the_first_one_seen_teach_nothing() -> None:
    forecast = Forecast()
    came(forecast, at(0))
    for week in (1, 2, 3):
        for _ in range(5):
            came(forecast, at(week * WEEK))
    expected = forecast.expected(int(at(3 * WEEK)) // HOUR)

    assert expected is not None
    assert (expected.mean, expected.n) == (5, 2)


def test_silence_is_counted_in_calls_that_should_have_come() -> None:
    forecast = learned(22)
    readings = said(measure(forecast, forecast.last + 624))

    # 39.7 calls an hour: 10.4 min without one happen by chance once in a thousand (domain figure, here with 40).
    assert readings.number(SILENCE) == pytest.approx(40 * 624 / 3600)
    assert exp(-readings.number(SILENCE)) < 0.001


def test_a_carriers_silence_is_judged_by_its_share() -> None:
    forecast = Forecast()
    for number in range(22 * 24 * 40):
        came(forecast, at(number * 90), "sip-telkom" if number % 4 else "sip-xl")
    end = 22 * DAY
    for number in range(40):
        came(forecast, at(end + number * 90), "sip-telkom")
    readings = said(measure(forecast, at(end + HOUR)))

    assert readings.number(LINK_SILENCE, "sip-xl") == pytest.approx(11, rel=0.01)  # of 44 in 66 minutes
    assert readings.number(LINK_SILENCE, "sip-telkom") < 2


def test_no_share_is_believed_of_few_calls() -> None:
    forecast = learned(22)
    came(forecast, at(22 * DAY), "sip-xl")

    assert (LINK_SILENCE, "sip-xl") not in said(measure(forecast, at(22 * DAY + 60)))


def test_a_surge_is_a_number_that_chance_hardly_brings() -> None:
    forecast = learned(22)
    for number in range(40):
        came(forecast, at(22 * DAY + number))
    readings = said(measure(forecast, at(22 * DAY + 60)))

    assert readings.number(ARRIVED, "15m") == 40 + 9  # those of the quarter before were one every 90 s
    assert readings.number(EXPECTED_WINDOW, "15m") == pytest.approx(10)
    assert readings.number(SURGE, "15m") < 1e-10


@given(st.integers(0, 40), st.floats(0.1, 30))
def test_the_poisson_tail_is_what_the_sum_says(calls: int, mean: float) -> None:
    below = sum(exp(-mean) * mean**k / factorial(k) for k in range(calls))

    assert at_least(calls, mean) == pytest.approx(1 - below, abs=1e-9)


@given(st.lists(st.integers(0, 5 * 24 * HOUR), min_size=1, max_size=60))
def test_arrivals_by_hour_are_those_counted_by_hand_however_late_they_are_told(times: list[int]) -> None:
    first = min(times)
    times = [first, *times]  # the first hour is that of the first call told
    forecast = Forecast()
    for time in times:
        came(forecast, at(time))
    hours = [int(at(time)) // HOUR for time in times]

    assert {hour: n for hour, n in forecast.hourly(0, 10**9).items() if n} == {hour: hours.count(hour) for hour in hours}


def test_what_is_remembered_is_five_weeks_and_small() -> None:
    forecast = Forecast()
    for number in range(60 * 953):
        came(forecast, at(number * DAY / 953), f"sip-{number % 3}")

    size = len(TypeAdapter(Forecast).dump_json(forecast))
    print(f"\n60 days of 953 calls: {size:,} bytes")
    assert len(forecast.counts) == HOURS
    assert size < 5_000


def test_after_a_pause_of_months_everything_is_learned_anew() -> None:
    forecast = learned(22)
    came(forecast, at(200 * DAY))

    assert len(forecast.counts) == 1
    assert forecast.expected(int(at(200 * DAY)) // HOUR + 1) is None

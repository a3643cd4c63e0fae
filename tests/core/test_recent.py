"""Percentiles of the last week's lags, against sorting them all."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from streams.core.recent import DAYS, EXACT_SECONDS, LONGEST_SECONDS, Recent, day_of
from tests.builders import BOGOR, START

ZONE = BOGOR.timezone
HOUR, DAY = 3600, 86_400


def recent(lags: Sequence[tuple[float, float]]) -> Recent:
    """Lags in seconds, each with when it ended in seconds after START."""
    seen = Recent()
    for seconds, ended in lags:
        seen.add(seconds, day_of(START.timestamp() + ended, ZONE))
    return seen


@given(st.lists(st.tuples(st.integers(0, EXACT_SECONDS - 1), st.integers(0, 15 * DAY))), st.integers(0, 15 * DAY))
def test_percentiles_are_those_of_sorting_the_lags_of_the_last_seven_local_days(lags: list[tuple[int, int]], now: int) -> None:
    told = sorted((lag for lag in lags if lag[1] <= now), key=lambda lag: lag[1])
    first = (START + timedelta(seconds=now)).date() - timedelta(days=6)
    week = sorted(seconds for seconds, ended in told if (START + timedelta(seconds=ended)).date() >= first)

    n, values = recent(told).percentiles(START.timestamp() + now, ZONE, (50, 90, 100))

    assert n == len(week)
    # Nearest rank: the smallest value with at least that share of all at or below it.
    expected = [next(v for v in week if sum(w <= v for w in week) * 100 >= p * n) for p in (50, 90, 100)] if week else []
    assert values == expected


def test_a_lag_counts_on_the_local_day_it_ended_and_for_six_days_more() -> None:
    before_midnight = datetime(2024, 11, 25, 23, 59, 59, tzinfo=ZONE)
    seen = Recent()
    seen.add(30, day_of(before_midnight.timestamp(), ZONE))

    last = datetime(2024, 12, 1, 23, 59, 59, tzinfo=ZONE).timestamp()
    assert seen.percentiles(last, ZONE, (50,)) == (1, [30])
    assert seen.percentiles(last + 1, ZONE, (50,)) == (0, [])


def test_days_that_have_gone_are_forgotten() -> None:
    seen = recent([(1, 7 * DAY), (2, 0), (3, DAY)])

    seen.forget(day_of(START.timestamp() + 7 * DAY, ZONE) - DAYS)

    assert list(seen.days.values()) == [[1], [3]]


def test_above_an_hour_a_lag_is_known_to_the_minute() -> None:
    assert recent([(3599.4, 0)]).percentiles(START.timestamp(), ZONE, (50,)) == (1, [3599])
    assert recent([(3631, 0)]).percentiles(START.timestamp(), ZONE, (50,)) == (1, [3660])


def test_a_lag_of_years_takes_no_more_room_than_one_of_months() -> None:
    assert recent([(3e9, 0)]).percentiles(START.timestamp(), ZONE, (100,)) == (1, [LONGEST_SECONDS])

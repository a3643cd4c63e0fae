"""The last week's lags, against sorting them all."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from streams.core.recent import DAYS, EXACT_SECONDS, LONGEST_SECONDS, STAGES, Group, Lag, Recent, day_of
from tests.builders import BOGOR, START

ZONE = BOGOR.timezone
HOUR, DAY = 3600, 86_400
BLOB = TypeAdapter(Recent)
CITY: Group = ("city", 0, "opened_to_arrived")


def lag(seconds: float) -> Lag:
    return Lag("opened_to_arrived", seconds, 0, 0, is_first=True, is_own=True)


def recent(lags: Sequence[tuple[float, float]]) -> Recent:
    """Lags in seconds, each with when it ended in seconds after START."""
    seen = Recent()
    for seconds, ended in lags:
        assert seen.add(lag(seconds), day_of(START.timestamp() + ended, ZONE))
    return seen


def of_city(seen: Recent, now: float) -> list[int]:
    """The city's lags at a moment in epoch seconds."""
    return list(seen.week(now, ZONE).lags.get(CITY, ()))


@given(st.lists(st.tuples(st.integers(0, EXACT_SECONDS), st.integers(0, 15 * DAY))), st.integers(0, 15 * DAY))
def test_a_week_is_the_lags_that_ended_on_the_last_seven_local_days(lags: list[tuple[int, int]], now: int) -> None:
    told = sorted((each for each in lags if each[1] <= now), key=lambda each: each[1])
    first = (START + timedelta(seconds=now)).date() - timedelta(days=6)

    expected = sorted(seconds for seconds, ended in told if (START + timedelta(seconds=ended)).date() >= first)
    assert of_city(recent(told), START.timestamp() + now) == expected


any_lag = st.builds(
    Lag, st.sampled_from(STAGES), st.integers(0, HOUR), st.integers(0, 200), st.integers(0, 200), st.booleans(), st.booleans()
)


@given(st.lists(st.tuples(any_lag, st.integers(1, 14)), max_size=30), st.integers(0, 30))
def test_a_lag_is_in_the_figures_of_the_city_its_category_and_its_agency_whenever_they_are_asked_for(
    told: list[tuple[Lag, int]], asked: int
) -> None:
    now = datetime(1, 1, 9, 12, tzinfo=ZONE).timestamp()
    seen = Recent()
    for n, (each, day) in enumerate(told):
        if n == asked:
            seen.week(now, ZONE)
        seen.add(each, day)

    expected: dict[Group, list[int]] = {}
    newest = max([day for _, day in told], default=0)
    for each, day in told:
        groups: list[Group] = []
        if each.is_first:
            groups += [("city", 0, each.stage), ("category", each.category, each.stage)]
        if each.is_own:
            groups.append(("opd", each.opd, each.stage))
        for group in groups if max(2, newest - DAYS) < day <= 9 else []:
            expected.setdefault(group, []).append(int(each.seconds))
    for week in (seen.week(now, ZONE).lags, BLOB.validate_json(BLOB.dump_json(seen)).week(now, ZONE).lags):
        assert {group: list(lags) for group, lags in week.items()} == {group: sorted(lags) for group, lags in expected.items()}


def test_a_lag_counts_on_the_local_day_it_ended_and_for_six_days_more() -> None:
    seen = recent([])
    seen.add(lag(30), day_of(datetime(2024, 11, 25, 23, 59, 59, tzinfo=ZONE).timestamp(), ZONE))

    last = datetime(2024, 12, 1, 23, 59, 59, tzinfo=ZONE).timestamp()
    assert of_city(seen, last) == [30]
    assert of_city(seen, last + 1) == []


def test_days_that_have_gone_are_forgotten() -> None:
    seen = recent([(1, 7 * DAY), (2, 0), (3, DAY)])

    assert of_city(seen, START.timestamp() + 7 * DAY) == [1, 3]
    assert len(seen.days) == 2


def test_what_is_within_a_limit_stays_within_it_and_what_is_beyond_it_beyond() -> None:
    """To the second up to an hour and to the minute above, always upwards."""
    told = [899.000001, 900, 900.000001, 3599.4, 3600, 3600.000001, 3631, 3660]

    assert of_city(recent([(seconds, 0) for seconds in told]), START.timestamp()) == [900, 900, 901, 3600, 3600, 3660, 3660, 3660]


def test_a_lag_of_years_takes_no_more_room_than_one_of_months() -> None:
    assert of_city(recent([(3e9, 0)]), START.timestamp()) == [LONGEST_SECONDS]
    assert len(lag(3e9).write()) == len(lag(0).write())

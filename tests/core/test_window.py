"""A rolling window is what a brute-force count says; the local day ends at midnight."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.core.window import LONGEST, Day, Window, midnights

LENGTHS = (300, 900, 3600)
KINDS = 16

Things = list[tuple[float, int]]
BASE = 1_732_496_400

moments = st.one_of(
    st.integers(BASE * 10**6, (BASE + 3 * LONGEST) * 10**6).map(lambda microseconds: microseconds / 10**6),
    st.integers(BASE, BASE + 3 * LONGEST).map(float),
)
things = st.lists(
    st.tuples(moments, st.integers(0, KINDS - 1)),
    max_size=60,
)


def brute_force(told: Things, now: float) -> list[list[int]]:
    return [[sum(of == kind and now - length < time <= now for time, of in told) for kind in range(KINDS)] for length in LENGTHS]


@settings(deadline=None)
@given(things, st.integers(0, 2 * LONGEST * 10**6).map(lambda microseconds: microseconds / 10**6))
def test_a_window_holds_what_a_brute_force_count_holds(told: Things, later: float) -> None:
    window = Window()
    for time, kind in told:
        window.add(time, kind)
    now = round(max((time for time, _ in told), default=BASE) + later, 6)

    assert window.counts(now, LENGTHS, KINDS) == brute_force(told, now)


@settings(deadline=None)
@given(things, st.sampled_from(LENGTHS), st.data())
def test_an_earlier_moment_is_answered_as_far_back_as_is_remembered(told: Things, length: int, data: st.DataObject) -> None:
    window = Window()
    for time, kind in told:
        window.add(time, kind)
    earlier = data.draw(st.integers(0, LONGEST - length))
    now = max((time for time, _ in told), default=BASE) - earlier

    assert window.counts(now, (length,), KINDS) == [brute_force(told, now)[LENGTHS.index(length)]]


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(BASE, BASE + 50 * LONGEST), st.integers(0, 15)), max_size=200).map(sorted))
def test_a_window_forgets_what_no_window_can_hold(told: Things) -> None:
    window = Window()
    for time, kind in told:
        window.add(time, kind)

    [counts] = window.counts(window.newest / 10**6, (LONGEST + 900,), KINDS)
    assert sum(counts) == sum(window.cells.values())


@pytest.mark.parametrize(("now", "n"), [(100.699999, 0), (100.7, 1), (400, 1), (400.699999, 1), (400.7, 0)])
def test_a_window_reaches_to_the_fraction_of_a_second(now: float, n: int) -> None:
    """
    now - 300 < t <= now:   100.7 is held from 100.7 until 400.7
    """
    window = Window()
    window.add(BASE + 100.7, 3)

    assert window.counts(BASE + now, (300,), KINDS)[0][3] == n


def test_what_is_known_to_the_second_is_taken_back_from_it() -> None:
    window = Window()
    for time in (99.999999, 100.7, 101.0):
        window.add(BASE + time, 3)
    window.add(BASE + 100.2, 4)
    window.add(BASE + 100, 3, -1)

    assert window.counts(BASE + 200, (300,), KINDS)[0][3:5] == [2, 1]
    assert window.counts(BASE + 100.9, (300,), KINDS)[0][3:5] == [1, 1]
    window.add(BASE + 100, 3, -1)
    assert window.counts(BASE + 200, (300,), KINDS)[0][3:5] == [2, 1]


@pytest.mark.parametrize(
    ("zone", "utc_hour"), [("Asia/Jakarta", 17), ("Asia/Pontianak", 17), ("Asia/Makassar", 16), ("Asia/Jayapura", 15)]
)
def test_midnight_is_that_of_the_centre(zone: str, utc_hour: int) -> None:
    noon = datetime(2024, 11, 25, 12, 0, tzinfo=ZoneInfo(zone)).timestamp()

    before, after = midnights(noon, ZoneInfo(zone))

    assert before == datetime(2024, 11, 24, utc_hour, tzinfo=ZoneInfo("UTC")).timestamp()
    assert after - before == 86_400
    assert midnights(before, ZoneInfo(zone)) == (before, after)
    assert midnights(after - 0.001, ZoneInfo(zone)) == (before, after)


@pytest.mark.parametrize(("day", "hours"), [(datetime(2024, 3, 31), 23), (datetime(2024, 10, 27), 25)])  # noqa: DTZ001
def test_a_day_on_which_clocks_change_has_23_or_25_hours(day: datetime, hours: int) -> None:
    zone = ZoneInfo("Europe/Berlin")

    before, after = midnights(day.replace(hour=12, tzinfo=zone).timestamp(), zone)

    assert after - before == hours * 3600


def test_a_day_counts_only_what_is_its_own() -> None:
    zone = ZoneInfo("Asia/Jakarta")
    day = Day()
    day.begin(BASE, zone, 2)
    start, end = midnights(BASE, zone)
    for time in (start - 1, start, end - 1, end):
        day.add(time, 1)

    assert day.at(end - 1, 2) == [0, 2]
    assert day.at(start - 1, 2) == day.at(end, 2) == [0, 0]

"""The four shifts of Kota Bogor, and nights."""

from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.core.centre import Shift
from streams.core.shifts import scheduled_seconds
from tests.builders import BOGOR, START, at

WIB = BOGOR.timezone


def shift(start: str, until: str, seats: int) -> Shift:
    return Shift.model_validate({"from": start, "until": until, "seats": seats})


FOUR = tuple(
    shift(start, until, 3) for start, until in [("00:00", "06:00"), ("06:00", "12:00"), ("12:00", "18:00"), ("18:00", "00:00")]
)


@given(st.integers(0, 10 * 86_400), st.integers(0, 7200))
def test_four_shifts_of_three_leave_no_second_out(since: int, length: int) -> None:
    assert scheduled_seconds(FOUR, at(since), at(since + length), WIB) == 3 * length


@settings(deadline=None)
@given(st.integers(-86_400, 86_400), st.integers(0, 3 * 3600))
def test_a_night_shift_goes_on_after_midnight_as_a_look_at_every_minute_finds(since: int, length: int) -> None:
    since, length = since // 60 * 60, length // 60 * 60
    shifts = (shift("22:30", "05:00", 2), shift("04:00", "23:00", 5))
    found = 0
    for minute in range(since, since + length, 60):
        local = datetime.fromtimestamp(START.timestamp() + minute, WIB).time()
        found += 60 * (
            2 * (local >= shifts[0].start or local < shifts[0].until) + 5 * (shifts[1].start <= local < shifts[1].until)
        )

    assert scheduled_seconds(shifts, at(since), at(since + length), WIB) == found


def test_a_shift_from_an_hour_to_the_same_is_all_day() -> None:
    assert scheduled_seconds((shift("07:00", "07:00", 1),), at(0), at(0) + timedelta(days=2).total_seconds(), WIB) == 2 * 86_400

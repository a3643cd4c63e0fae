"""Stream time: the wall clock, or a straight line beside it."""

import pytest

from streams.clock import Clock, parse


def test_the_wall_clock_is_stream_time_in_life() -> None:
    assert parse("wall").at(1_790_000_000.5) == 1_790_000_000.5


def test_sixty_times_as_fast_a_second_is_a_minute() -> None:
    clock = parse("1999-01-03T16:00+02:00@1790000000x60")

    assert clock.at(1_790_000_000) == 915_372_000
    assert clock.at(1_790_000_001) == 915_372_060


def test_a_clock_can_be_written_down_and_read_again() -> None:
    clock = Clock(915_372_000.25, 1_790_000_000.125, 60)

    assert parse(str(clock)) == clock


@pytest.mark.parametrize("text", ["", "noon", "1999-01-03T16:00@1790000000x60", "1999-01-03T16:00+02:00", "yesterday@1x1"])
def test_what_is_no_clock_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"clock|zone|isoformat"):
        parse(text)

"""Last month, 2026-W41: what words for a stretch of time mean on a centre's own clocks."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams import centres
from streams.analysis.period import (
    WORDS,
    Period,
    PeriodError,
    Word,
    before,
    last,
    name_of_last,
    named,
    parts,
    spoken,
    whole,
    year_before,
)
from tests.builders import BOGOR, changed

ZONES = (
    *("Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura", "Asia/Jerusalem"),
    # Clocks are put forward at midnight, or back to it.
    *("America/Sao_Paulo", "Asia/Beirut", "America/Havana", "Australia/Lord_Howe"),
)
[SHIFTS] = centres.load([]).values()
DAYS = st.dates(date(2000, 1, 8), date(2037, 12, 24))
NAMES: dict[Word, Callable[[date], str]] = {
    "day": date.isoformat,
    "week": lambda day: "{}-W{:02}".format(*day.isocalendar()[:2]),
    "month": "{:%Y-%m}".format,
    "year": "{:%Y}".format,
}
LONGEST = {"day": 1, "week": 7, "month": 31, "year": 366}


def said(period: Period) -> tuple[str, str]:
    return period.start.isoformat(timespec="minutes"), period.until.isoformat(timespec="minutes")


@pytest.mark.parametrize(
    ("text", "start", "until"),
    [
        ("2026-10-03", "2026-10-03T00:00+07:00", "2026-10-04T00:00+07:00"),
        ("2026-W41", "2026-10-05T00:00+07:00", "2026-10-12T00:00+07:00"),
        ("2026-W53", "2026-12-28T00:00+07:00", "2027-01-04T00:00+07:00"),
        ("2026-12", "2026-12-01T00:00+07:00", "2027-01-01T00:00+07:00"),
        ("2028-02", "2028-02-01T00:00+07:00", "2028-03-01T00:00+07:00"),
        ("2026", "2026-01-01T00:00+07:00", "2027-01-01T00:00+07:00"),
    ],
)
def test_a_name_means_the_whole_of_what_it_names(text: str, start: str, until: str) -> None:
    assert said(named(text, ZoneInfo("Asia/Jakarta"))) == (start, until)


@pytest.mark.parametrize("word", NAMES)
@given(zone=st.sampled_from(ZONES), day=DAYS, seconds=st.integers(0, 86_399))
def test_every_moment_is_in_one_and_the_next_begins_where_it_ends(word: Word, zone: str, day: date, seconds: int) -> None:
    name, clocks = NAMES[word], ZoneInfo(zone)
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(seconds=seconds)
    local = moment.astimezone(clocks).date()
    start, until = named(name(local), clocks)
    assert start <= moment < until
    assert named(name(local + timedelta(days=LONGEST[word])), clocks).start >= until
    after, before = (each.astimezone(clocks).date() for each in (until, start - timedelta(seconds=1)))
    assert named(name(after), clocks).start == until
    assert named(name(before), clocks).until == start
    assert last(word, moment, changed(BOGOR, timezone=zone)) == named(name(before), clocks)
    assert last(word, until, changed(BOGOR, timezone=zone)) == (start, until)


def test_a_day_on_which_clocks_are_put_forward_has_an_hour_less_and_one_on_which_they_are_put_back_one_more() -> None:
    hours = [(until - start) / timedelta(hours=1) for start, until in (named(day, ZoneInfo("Asia/Jerusalem")) for day in (
        "2026-03-27", "2026-03-28", "2026-10-25"
    ))]  # fmt: skip
    assert hours == [23, 24, 25]


@given(zone=st.sampled_from(ZONES), day=DAYS, seconds=st.integers(0, 86_399))
def test_the_last_shift_is_over_and_the_next_one_is_not(zone: str, day: date, seconds: int) -> None:
    centre = changed(SHIFTS, timezone=zone)
    now = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(seconds=seconds)
    start, until = last("shift", now, centre)
    assert start < until <= now
    assert now - until < timedelta(hours=8)
    assert last("shift", until, centre) == (start, until)
    assert last("shift", until - timedelta(seconds=1), centre).until == start


def test_a_night_shift_goes_over_midnight_and_of_two_that_end_at_once_the_longer_is_meant() -> None:
    nights = changed(
        BOGOR,
        shifts=[
            {"from": "22:00", "until": "07:00", "seats": 2},
            {"from": "03:00", "until": "07:00", "seats": 1},
            {"from": "07:00", "until": "22:00", "seats": 4},
        ],
    )
    morning = datetime.fromisoformat("2026-10-03T08:30+07:00")
    assert said(last("shift", morning, nights)) == ("2026-10-02T22:00+07:00", "2026-10-03T07:00+07:00")


def test_a_centre_without_shifts_has_no_last_one() -> None:
    with pytest.raises(PeriodError, match="names no shifts"):
        last("shift", datetime(2026, 10, 3, tzinfo=UTC), changed(BOGOR, shifts=[]))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2026-13", "there is no month 2026-13"),
        ("2026-02-30", "there is no day 2026-02-30"),
        ("2027-W53", "there is no week 2027-W53"),
        ("9999", "there is no year 9999"),
        ("0000-01", "there is no month 0000-01"),
        ("october", "'october' names no time: write a day as 2026-10-03"),
        ("2026-10-03T00:00", "names no time"),
        ("", "'' names no time"),
    ],
)
def test_what_is_no_time_is_refused_with_what_would_be_one(text: str, why: str) -> None:
    with pytest.raises(PeriodError, match=why):
        named(text, ZoneInfo("Asia/Jakarta"))


@pytest.mark.parametrize("word", NAMES)
@given(zone=st.sampled_from(ZONES), day=DAYS)
def test_a_whole_one_is_known_as_such_and_the_one_before_ends_where_it_begins(word: Word, zone: str, day: date) -> None:
    clocks = ZoneInfo(zone)
    period = named(NAMES[word](day), clocks)

    # A month of 28 days that begins on a Monday is four weeks, and not one.
    assert whole(period, clocks) == word
    earlier = before(period, clocks)
    assert (whole(earlier, clocks), earlier.until) == (word, period.start)


@pytest.mark.parametrize(
    ("text", "a_year_before"),
    [
        ("2026-10", ("2025-10-01T00:00+07:00", "2025-11-01T00:00+07:00")),
        ("2028-02", ("2027-02-01T00:00+07:00", "2027-03-01T00:00+07:00")),
        ("2026", ("2025-01-01T00:00+07:00", "2026-01-01T00:00+07:00")),
        # A Saturday, and the Saturday 52 weeks before.
        ("2026-10-03", ("2025-10-04T00:00+07:00", "2025-10-05T00:00+07:00")),
        ("2026-W41", ("2025-10-06T00:00+07:00", "2025-10-13T00:00+07:00")),
    ],
)
def test_a_year_before_months_have_their_names_and_days_their_weekdays(text: str, a_year_before: tuple[str, str]) -> None:
    assert said(year_before(named(text, ZoneInfo("Asia/Jakarta")), ZoneInfo("Asia/Jakarta"))) == a_year_before


def test_before_a_time_without_a_name_lies_one_that_lasts_as_long() -> None:
    zone = ZoneInfo("Asia/Jakarta")
    period = Period(datetime.fromisoformat("2026-10-03T08:00+07:00"), datetime.fromisoformat("2026-10-03T14:30+07:00"))

    assert said(before(period, zone)) == ("2026-10-03T01:30+07:00", "2026-10-03T08:00+07:00")
    assert whole(period, zone) is None


@pytest.mark.parametrize("word", [*NAMES, "shift"])
@given(day=DAYS, days=st.integers(1, 40), hours=st.integers(0, 23))
def test_the_parts_of_a_time_are_all_of_it_and_do_not_overlap(word: Word, day: date, days: int, hours: int) -> None:
    start = named(f"{day}", SHIFTS.timezone).start + timedelta(hours=hours)
    period = Period(start, start + timedelta(days=days))

    found = [part for _, part in parts(period, word, SHIFTS)]

    assert (found[0].start, found[-1].until) == period
    assert [part.until for part in found[:-1]] == [part.start for part in found[1:]]
    assert len({name for name, _ in parts(period, word, SHIFTS)}) == len(found)


def test_the_last_month_of_several_centres_is_over_at_all_of_them() -> None:
    papua = changed(BOGOR, timezone="Asia/Jayapura")
    # Midnight in Papua, ten in the evening in Bogor.
    now = datetime.fromisoformat("2026-11-01T00:30+09:00")

    assert name_of_last("month", now, [papua]) == "2026-10"
    assert name_of_last("month", now, [papua, BOGOR]) == "2026-09"


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("between", " -")
def test_the_last_one_is_said_as_people_say_it_or_as_one_word(word: Word, between: str) -> None:
    now = datetime(2026, 11, 27, 20, tzinfo=UTC)

    assert spoken(f"last{between}{word}", now, SHIFTS) == last(word, now, SHIFTS)


def test_a_name_is_said_as_it_is() -> None:
    assert spoken("2026-10", datetime(2026, 11, 27, tzinfo=UTC), BOGOR) == named("2026-10", BOGOR.timezone)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("last moon", "'last moon' is none of last day, last week, last month, last year, last shift"),
        ("last", "'last' is none of last day"),
        ("lastmonth", "write a day as 2026-10-03, a week as 2026-W41.* or say last day, last week"),
        ("2026-13", "there is no month 2026-13; or say last day"),
    ],
)
def test_a_wrong_word_is_answered_with_those_that_there_are(text: str, answer: str) -> None:
    with pytest.raises(PeriodError, match=answer):
        spoken(text, datetime(2026, 11, 27, tzinfo=UTC), BOGOR)

"""A stretch of a centre's time by the word that people have for it: last month, the last shift, 2026-10, 2026-W41, 2026-10-03.

Each begins and ends at midnight of the centre's own clocks (a shift, when the centre's file says) and ends where the next one
begins, also where those clocks are put forward or back in between. Weeks are those of ISO 8601 and begin on Monday.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Literal, NamedTuple, get_args
from zoneinfo import ZoneInfo

from streams.core.centre import Centre
from streams.core.shifts import planned

Word = Literal["day", "week", "month", "year", "shift"]
Calendar = Literal["day", "week", "month", "year"]
CALENDAR: tuple[Calendar, ...] = get_args(Calendar)
WORDS: tuple[Word, ...] = get_args(Word)

_FORMS: tuple[tuple[Word, str], ...] = (
    ("day", r"\d{4}-\d{2}-\d{2}"),
    ("week", r"\d{4}-W\d{2}"),
    ("month", r"\d{4}-\d{2}"),
    ("year", r"\d{4}"),
)


class PeriodError(ValueError):
    """A word for no stretch of time; the message says which there are."""


class Period(NamedTuple):
    """From `start` (inclusive) to `until` (exclusive), each with the offset that the centre's clocks had then."""

    start: datetime
    until: datetime


def named(text: str, zone: ZoneInfo) -> Period:
    """The day, week, month or year of this name. Raises `PeriodError`."""
    word = next((word for word, form in _FORMS if re.fullmatch(form, text, re.ASCII)), None)
    try:
        match word:
            case "day" | "week":
                return _whole(word, date.fromisoformat(text), zone)
            case "month":
                return _whole(word, date.fromisoformat(f"{text}-01"), zone)
            case "year":
                return _whole(word, date.fromisoformat(f"{text}-01-01"), zone)
    except (ValueError, OverflowError):
        raise PeriodError(f"there is no {word} {text}") from None
    raise PeriodError(
        f"{text!r} names no time: write a day as 2026-10-03, a week as 2026-W41, a month as 2026-10, a year as 2026"
    )


def day_of(moment: float, zone: ZoneInfo) -> Period:
    """The day that a moment, epoch seconds, is in."""
    return _whole("day", datetime.fromtimestamp(moment, zone).date(), zone)


def last(word: Word, now: datetime, centre: Centre) -> Period:
    """The last one that was over at `now`. Raises `PeriodError` for a shift of a centre whose file names none."""
    if word == "shift":
        return _last_shift(now, centre)
    begun = _first(word, now.astimezone(centre.timezone).date())
    return _whole(word, _first(word, begun - timedelta(days=1)), centre.timezone)


def spoken(text: str, now: datetime, centre: Centre) -> Period:
    """The stretch that a word or a name means at `now`: `last month` (or `last-month`), `2026-10`. Raises `PeriodError`."""
    start, _, word = text.replace("-", " ", 1).partition(" ")
    if start == "last":
        if (one := next((each for each in WORDS if each == word), None)) is None:
            raise PeriodError(f"{text!r} is none of {', '.join(f'last {each}' for each in WORDS)}")
        return last(one, now, centre)
    try:
        return named(text, centre.timezone)
    except PeriodError as error:
        raise PeriodError(f"{error}; or say {', '.join(f'last {each}' for each in WORDS)}") from None


def before(period: Period, zone: ZoneInfo) -> Period:
    """The one before: of a whole day, week, month or year the previous one, else what lies just before and lasts as long."""
    if (word := whole(period, zone)) is not None:
        return _whole(word, _first(word, period.start.astimezone(zone).date() - timedelta(days=1)), zone)
    lasts = period.until.astimezone(UTC) - period.start.astimezone(UTC)
    return Period(_at((period.start - lasts).timestamp(), zone), period.start)


def year_before(period: Period, zone: ZoneInfo) -> Period:
    """The same a year before: of a month or a year the one with that name, else 52 weeks before, on the same days of the week."""
    match word := whole(period, zone):
        case "month" | "year":
            first = period.start.astimezone(zone).date()
            return _whole(word, first.replace(year=first.year - 1), zone)
    # What the clocks showed 52 weeks before, whether they had the same offset then or not.
    return Period(*(_told(each.astimezone(zone) - timedelta(weeks=52)) for each in period))


def whole(period: Period, zone: ZoneInfo) -> Calendar | None:
    """Which it is: a whole day, week, month or year of the centre's clocks; None if it is none of these."""
    first = period.start.astimezone(zone).date()
    for word in CALENDAR:
        if _first(word, first) == first and _whole(word, first, zone) == period:
            return word
    return None


def parts(period: Period, word: Word, centre: Centre) -> Iterator[tuple[str, Period]]:
    """The shifts, days, weeks, months or years in a period, by their names, in order; what goes beyond it is cut off."""
    zone = centre.timezone
    if word == "shift":
        for start, until, _ in sorted(planned(centre.shifts, period.start.timestamp(), period.until.timestamp(), zone)):
            opens, closes = _at(start, zone), _at(until, zone)
            if opens < period.until and closes > period.start:
                yield f"{opens:%Y-%m-%d %H:%M}-{closes:%H:%M}", Period(max(opens, period.start), min(closes, period.until))
        return
    day = _first(word, period.start.astimezone(zone).date())
    while (found := _whole(word, day, zone)).start < period.until:
        yield _name(word, day), Period(max(found.start, period.start), min(found.until, period.until))
        day = _next(word, day)


def _name(word: Word, first: date) -> str:
    match word:
        case "week":
            return f"{first:%G-W%V}"
        case "month":
            return f"{first:%Y-%m}"
        case "year":
            return f"{first:%Y}"
    return f"{first:%Y-%m-%d}"


def _at(moment: float, zone: ZoneInfo) -> datetime:
    return _told(datetime.fromtimestamp(moment, zone))


def name_of_last(word: Word, now: datetime, centres: Iterable[Centre]) -> str:
    """What the last day, week, month or year is called that was over at `now` at all these centres."""
    return min(_name(word, last(word, now, centre).start.astimezone(centre.timezone).date()) for centre in centres)


def _last_shift(now: datetime, centre: Centre) -> Period:
    """Of several that end at once the longest."""
    moment = now.timestamp()
    shifts = planned(centre.shifts, moment - 3 * 86_400, moment, centre.timezone)
    over = [(until, -start) for start, until, _ in shifts if until <= moment]
    if not over:
        raise PeriodError(f"the file of {centre.name} names no shifts: say another word, or from when until when")
    until, start = max(over)
    return Period(_at(-start, centre.timezone), _at(until, centre.timezone))


def _whole(word: Word, first: date, zone: ZoneInfo) -> Period:
    return Period(_midnight(first, zone), _midnight(_next(word, first), zone))


def _first(word: Word, day: date) -> date:
    """The first day of the one that a day is in."""
    match word:
        case "week":
            return day - timedelta(days=day.weekday())
        case "month":
            return day.replace(day=1)
        case "year":
            return day.replace(month=1, day=1)
    return day


def _next(word: Word, first: date) -> date:
    """The first day of the next one."""
    return _first(word, first + timedelta(days={"week": 7, "month": 31, "year": 366}.get(word, 1)))


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """When a day begins. Where clocks are put forward at midnight, that is when they are: by the offset from before, 00:00 names
    that moment; where they are put back to it, the first of the two.
    """
    return _told(datetime.combine(day, time(), zone))


def _told(local: datetime) -> datetime:
    """The same moment without its zone: two times of one zone would be compared by what its clocks showed."""
    offset = local.utcoffset() or timedelta()
    return local.astimezone(UTC).astimezone(timezone(offset))

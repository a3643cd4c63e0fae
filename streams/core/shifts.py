"""Shifts: for how many seats, and for how long, somebody was to be there."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from streams.core.centre import Shift
from streams.core.spans import Span, total, within


def scheduled_seconds(shifts: Sequence[Shift], since: float, until: float, zone: ZoneInfo) -> float:
    """Seat-seconds that the shifts provide for between two moments, epoch seconds."""
    first = datetime.fromtimestamp(since, zone).date() - timedelta(days=1)
    days = [first + timedelta(days=n) for n in range((datetime.fromtimestamp(until, zone).date() - first).days + 1)]
    return sum(
        shift.seats * total(within((_span(shift.start, shift.until, day, zone) for day in days), since, until))
        for shift in shifts
    )


@lru_cache(maxsize=1024)
def _span(start: time, until: time, day: date, zone: ZoneInfo) -> Span:
    overnight = timedelta(days=until <= start)
    return datetime.combine(day, start, zone).timestamp(), datetime.combine(day + overnight, until, zone).timestamp()

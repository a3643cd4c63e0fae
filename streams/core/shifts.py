"""Shifts: for how many seats, and for how long, somebody was to be there."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from streams.core.centre import Shift
from streams.core.spans import total, within


def scheduled_seconds(shifts: Sequence[Shift], since: float, until: float, zone: ZoneInfo) -> float:
    """Seat-seconds that the shifts provide for between two moments, epoch seconds."""
    first = datetime.fromtimestamp(since, zone).date() - timedelta(days=1)
    days = [first + timedelta(days=n) for n in range((datetime.fromtimestamp(until, zone).date() - first).days + 1)]
    seconds = 0.0
    for shift in shifts:
        overnight = timedelta(days=shift.until <= shift.start)
        spans = (
            (
                datetime.combine(day, shift.start, zone).timestamp(),
                datetime.combine(day + overnight, shift.until, zone).timestamp(),
            )
            for day in days
        )
        seconds += shift.seats * total(within(spans, since, until))
    return seconds

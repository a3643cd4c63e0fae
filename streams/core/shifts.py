"""Shifts: for how many seats, and for how long, somebody was to be there."""

from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from streams.core.centre import Shift


def scheduled_seconds(shifts: tuple[Shift, ...], since: float, until: float, zone: ZoneInfo) -> float:
    """Seat-seconds that the shifts provide for between two moments, epoch seconds."""
    return sum(seats * max(0.0, min(end, until) - max(start, since)) for start, end, seats in planned(shifts, since, until, zone))


def planned(shifts: tuple[Shift, ...], since: float, until: float, zone: ZoneInfo) -> list[tuple[float, float, int]]:
    """Beginning, end (epoch seconds) and seats of every shift that is not over at `since` and has begun by `until`, and of those
    that miss them by less than a quarter of an hour.
    """
    return _planned(shifts, int(since // 900), int(until // 900), zone)


@lru_cache(maxsize=256)
def _planned(shifts: tuple[Shift, ...], first: int, last: int, zone: ZoneInfo) -> list[tuple[float, float, int]]:
    """Those that touch the quarters of an hour from `first` to `last`: no zone's clock is off by anything finer."""
    day, final = (datetime.fromtimestamp(quarter * 900, zone).date() for quarter in (first, last))
    day -= timedelta(days=1)
    found = []
    while day <= final:
        for shift in shifts:
            end = day + timedelta(days=shift.until <= shift.start)
            moments = datetime.combine(day, shift.start, zone), datetime.combine(end, shift.until, zone)
            start, stop = (moment.timestamp() for moment in moments)
            if start < (last + 1) * 900 and stop > first * 900:
                found.append((start, stop, shift.seats))
        day += timedelta(days=1)
    return found

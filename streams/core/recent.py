"""Percentiles of lags over the last week, from the lags themselves and not from a histogram's bounds."""

from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from itertools import chain
from zoneinfo import ZoneInfo

DAYS = 7
"""Local days that are remembered: today and the six before."""

EXACT_SECONDS = 3600
"""Up to here a lag is remembered to the second, above it to the minute."""

LONGEST_SECONDS = 9_999_960
"""A longer lag, of four months, is remembered as this."""


@dataclass(slots=True)
class Recent:
    """Lags in seconds, ascending, per local day (a date's ordinal) on which they ended."""

    days: dict[int, list[int]] = field(default_factory=dict)

    def add(self, seconds: float, day: int) -> None:
        """Remember a lag that ended on a day."""
        exact = min(round(seconds) if seconds < EXACT_SECONDS else round(seconds / 60) * 60, LONGEST_SECONDS)
        insort(self.days.setdefault(day, []), exact)

    def forget(self, last: int) -> None:
        """Forget the days up to the `last`."""
        self.days = {day: lags for day, lags in self.days.items() if day > last}

    def percentiles(self, now: float, zone: ZoneInfo, percents: Sequence[int]) -> tuple[int, list[int]]:
        """How many lags ended in the week up to the day of `now`, and their percentiles by nearest rank; none without lags."""
        today = day_of(now, zone)
        lags = sorted(chain.from_iterable(lags for day, lags in self.days.items() if today - DAYS < day <= today))
        # The rank is a whole number; 0.9 * n is not quite one.
        return len(lags), [lags[-(-percent * len(lags) // 100) - 1] for percent in percents] if lags else []


def day_of(time: float, zone: ZoneInfo) -> int:
    """The local day of a moment in epoch seconds, as a date's ordinal."""
    return _day(int(time) // 60, zone)


@lru_cache(maxsize=256)
def _day(minute: int, zone: ZoneInfo) -> int:
    return datetime.fromtimestamp(minute * 60, zone).toordinal()

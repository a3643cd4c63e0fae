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

LAGS = 600
"""The most lags of one day; what comes beyond them is not in its percentiles."""


@dataclass(slots=True)
class Recent:
    """Lags in seconds, ascending, per local day (a date's ordinal) on which they ended."""

    days: dict[int, list[int]] = field(default_factory=dict)

    def add(self, seconds: float, time: float, zone: ZoneInfo) -> None:
        """Remember a lag that ended at `time`, epoch seconds; one that ended a week before the newest day is too old."""
        day = _day(int(time) // 60, zone)
        lags = self.days.get(day)
        if lags is None:
            if day <= max(self.days, default=day) - DAYS:
                return
            for old in [known for known in self.days if known <= day - DAYS]:
                del self.days[old]
            lags = self.days[day] = []
        if len(lags) < LAGS:
            insort(lags, round(seconds) if seconds < EXACT_SECONDS else round(seconds / 60) * 60)

    def percentiles(self, now: float, zone: ZoneInfo, percents: Sequence[int]) -> tuple[int, list[int]]:
        """How many lags ended in the week up to the day of `now`, and their percentiles by nearest rank; none without lags."""
        today = _day(int(now) // 60, zone)
        lags = sorted(chain.from_iterable(lags for day, lags in self.days.items() if today - DAYS < day <= today))
        # The rank is a whole number; 0.9 * n is not quite one.
        return len(lags), [lags[-(-percent * len(lags) // 100) - 1] for percent in percents] if lags else []


@lru_cache(maxsize=256)
def _day(minute: int, zone: ZoneInfo) -> int:
    return datetime.fromtimestamp(minute * 60, zone).toordinal()

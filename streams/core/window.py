"""Rolling counts by event time: how often each kind of thing happened in the last minutes and since local midnight."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import takewhile
from zoneinfo import ZoneInfo

LONGEST = 3600
"""Seconds that are remembered; the longest rolling window."""


@dataclass(slots=True)
class Window:
    """Counts per whole second of event time and kind (a small number). Late events land in their own second.

    A window of W seconds at `now` holds the seconds s with floor(now) - W < s <= floor(now).
    """

    newest: int = 0
    cells: dict[int, int] = field(default_factory=dict)

    def add(self, time: float, kind: int, n: int = 1) -> None:
        """Count `n` things of `kind` (0 to 15) at `time`, epoch seconds; -1 takes one back."""
        second = int(time)
        if second > self.newest:
            # Seldom: `counts` looks at the time itself.
            if second // 900 > self.newest // 900:
                self._forget(second)
            self.newest = second
        elif second <= self.newest - LONGEST:
            return
        cell = second << 4 | kind
        self.cells[cell] = self.cells.get(cell, 0) + n

    def _forget(self, second: int) -> None:
        """Drop what no window reaches: oldest first but for late arrivals, which stay until what came before them goes."""
        horizon = (second - LONGEST) << 4
        for cell in list(takewhile(lambda cell: cell <= horizon, self.cells)):
            del self.cells[cell]

    def counts(self, now: float, lengths: Sequence[int], kinds: int) -> list[list[int]]:
        """For each window length in seconds, how often each of `kinds` kinds happened up to `now`."""
        end = int(now)
        found = [[0] * kinds for _ in lengths]
        for cell, n in self.cells.items():
            age = end - (cell >> 4)
            if age < 0:
                continue
            kind = cell & 15
            for length, counts in zip(lengths, found, strict=True):
                if age < length:
                    counts[kind] += n
        return found


@dataclass(slots=True)
class Day:
    """Counts per kind since the last local midnight that an event has seen."""

    start: float = 0.0
    end: float = 0.0
    counts: list[int] = field(default_factory=list)

    def begin(self, time: float, zone: ZoneInfo, kinds: int) -> None:
        """Start the local day that `time` is in, with nothing counted."""
        self.start, self.end = midnights(time, zone)
        self.counts = [0] * kinds

    def add(self, time: float, kind: int, n: int = 1) -> None:
        """Count `n` things at `time`, -1 takes one back; what belongs to a day before this one is not counted."""
        if self.start <= time < self.end:
            self.counts[kind] += n

    def at(self, now: float, kinds: int) -> list[int]:
        """The counts of the local day that `now` is in: all zero when no event has fallen into it."""
        return self.counts if self.start <= now < self.end else [0] * kinds


def midnights(time: float, zone: ZoneInfo) -> tuple[float, float]:
    """The local midnights before and after `time`, as epoch seconds; 23 or 25 hours apart when clocks change."""
    return _midnights(int(time // 900), zone)


@lru_cache(maxsize=1024)
def _midnights(quarter: int, zone: ZoneInfo) -> tuple[float, float]:
    """By quarters of an hour: no zone's clock is off by anything finer."""
    today = datetime.fromtimestamp(quarter * 900, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return today.timestamp(), (today + timedelta(days=1)).timestamp()

"""Rolling counts by event time: how often each kind of thing happened in the last minutes and since local midnight."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

LONGEST = 3600
"""Seconds that are remembered; the longest rolling window."""

CELLS = 3_600
"""The most cells of a window, 62 kB as they are written; beyond it the oldest are given up. The busiest day of Kota Bogor ends
1,000 calls in its busiest hour."""

_KIND_BITS = 5
KINDS_MOST = 1 << _KIND_BITS
_KIND_MASK = KINDS_MOST - 1
MICROSECONDS = 1_000_000
"""In a second: the finest that an event's time says, and what a time in epoch seconds has when it is rounded."""
_LONGEST = LONGEST * MICROSECONDS
_FORGET = 900 * MICROSECONDS
_RING = 1 << 33
_RING_MASK = _RING - 1
assert 2 * _LONGEST + _FORGET < _RING, "or one microsecond could be taken for another"


def kinds(number: int) -> int:
    """The number, if a window can tell so many kinds apart. Raises `ValueError`."""
    if number > KINDS_MOST:
        raise ValueError(f"{number} kinds; a window tells {KINDS_MOST} apart")
    return number


@dataclass(slots=True)
class Window:
    """Counts per microsecond of event time and kind (a number below KINDS_MOST). Late events land in their own.

    A window of W seconds at `now` holds the times t with now - W < t <= now.
    """

    newest: int = 0
    """Epoch microseconds."""
    since: int = 0
    """What came up to then was given up: there were too many cells."""
    gone: int = 0
    """How many things were."""
    cells: dict[int, int] = field(default_factory=dict)
    """By microsecond, in a ring so that the number is short, and kind."""

    def add(self, time: float, kind: int, n: int = 1) -> None:
        """Count `n` things of `kind` at `time`, epoch seconds; -1 takes one back, of that second where no more is known of it."""
        moment = round(time * MICROSECONDS)
        if moment > self.newest:
            # Seldom: `counts` looks at the time itself.
            if moment // _FORGET > self.newest // _FORGET:
                self._forget(moment)
            self.newest = moment
        elif moment <= self.newest - _LONGEST or moment <= self.since:
            return
        cell, cells = (moment & _RING_MASK) << _KIND_BITS | kind, self.cells
        if n < 0 and cell not in cells:
            cell = self._of_the_same_second(moment, kind)
        count = cells.get(cell, 0) + n
        if count > 0:
            cells[cell] = count
            if len(cells) > CELLS:
                self._forget(self.newest)
                self._give_up()
        else:
            cells.pop(cell, None)

    def _of_the_same_second(self, moment: int, kind: int) -> int:
        """A cell of the kind within the second that begins at a moment; -1 if there is none."""
        age = self.newest - moment
        return next(
            (cell for cell in self.cells if cell & _KIND_MASK == kind and age - MICROSECONDS < self._age(cell) <= age), -1
        )

    def _age(self, cell: int) -> int:
        """Microseconds from a cell to the newest."""
        return (self.newest - (cell >> _KIND_BITS)) & _RING_MASK

    def _forget(self, moment: int) -> None:
        """Drop what no window reaches: oldest first but for late arrivals, which stay until what came before them goes."""
        most = self.newest - moment + _LONGEST
        newest, gone = self.newest, []
        for cell in self.cells:
            if (newest - (cell >> _KIND_BITS)) & _RING_MASK < most:
                break
            gone.append(cell)
        for cell in gone:
            del self.cells[cell]

    def _give_up(self) -> None:
        """Drop the oldest eighth of the moments, if there are still too many."""
        if len(self.cells) <= CELLS:
            return
        ages = sorted({self._age(cell) for cell in self.cells})
        most = ages[-1 - len(ages) // 8]
        self.since = self.newest - most
        self.gone += sum([self.cells.pop(cell) for cell in list(self.cells) if self._age(cell) >= most])

    def counts(self, now: float, lengths: Sequence[int], kinds: int) -> list[list[int]]:
        """For each window length in seconds, how often each of `kinds` kinds happened up to `now`."""
        newest = self.newest
        later = round(now * MICROSECONDS) - newest
        windows = [(length * MICROSECONDS, [0] * kinds) for length in lengths]
        for cell, n in self.cells.items():
            age = later + ((newest - (cell >> _KIND_BITS)) & _RING_MASK)
            if age < 0:
                continue
            kind = cell & _KIND_MASK
            for length, counts in windows:
                if age < length:
                    counts[kind] += n
        return [counts for _, counts in windows]

    def moments(self, now: float, length: int) -> list[int]:
        """When things of any kind happened in the last `length` seconds up to `now`, ascending, in epoch microseconds."""
        until = round(now * MICROSECONDS)
        newest, first = self.newest, until - length * MICROSECONDS
        found: list[int] = []
        for cell, n in self.cells.items():
            moment = newest - ((newest - (cell >> _KIND_BITS)) & _RING_MASK)
            if first < moment <= until:
                found += [moment] * n
        found.sort()
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

"""Blocks: what a person is recommended to decide about a prank caller, and what was decided. Staged, and always with an end."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from schemas.callers import Stage

DAY = 86_400

PRANKS = 3
"""So many prank calls within 24 hours make a recommendation (Kominfo's staged rule, Banjarmasin 2024; the number is ours)."""

REMEMBERED = 30 * DAY
"""Seconds after which an earlier block no longer makes the next one longer."""

RECORDS = 500
"""The most callers about whom a decision is remembered, 95 kB as they are written; beyond it the oldest is forgotten."""

PRANK_CALLERS, PRANKS_EACH = 600, 14
"""The most callers whose pranks are remembered, and the most pranks of one, the newest: 107 kB as they are written."""

STAGES: tuple[Stage, ...] = ("24h", "3d", "review")


class Recommendation(NamedTuple):
    """That a person should decide about `caller` (32 hexadecimal digits), who came with `pranks` pranks within 24 hours from
    `since` on, and with nothing real ever. It stands until `until`; both are epoch seconds.
    """

    caller: str
    stage: Stage
    pranks: int
    since: int
    until: int


@dataclass(slots=True)
class Record:
    """What was said and decided about one caller. Each field is the newest of its kind, whatever the order it was told in."""

    told: float = 0.0
    """Until when a recommendation stands that was told as an event."""
    decided: float = 0.0
    """Pranks up to then have had their decision."""
    stage: Stage | None = None
    approved: float = 0.0
    expires: float = 0.0
    lifted: float = 0.0

    def approve(self, time: float, stage: Stage, expires: float) -> None:
        """A person approved a block."""
        self.decided = max(self.decided, time)
        if (time, expires) > (self.approved, self.expires):
            self.approved, self.stage, self.expires = time, stage, expires

    def lift(self, time: float) -> None:
        """A person ended a block."""
        self.decided, self.lifted = max(self.decided, time), max(self.lifted, time)

    def joined(self, other: "Record") -> "Record":
        """What was said and decided about one caller under two names."""
        last = max(self, other, key=lambda one: (one.approved, one.expires))
        return Record(
            told=max(self.told, other.told),
            decided=max(self.decided, other.decided),
            stage=last.stage,
            approved=last.approved,
            expires=last.expires,
            lifted=max(self.lifted, other.lifted),
        )

    def is_active(self, now: float) -> bool:
        """Whether the caller is blocked: approved, neither lifted nor expired."""
        return self.lifted < self.approved <= now < self.expires

    def is_told(self, now: float) -> bool:
        """Whether a recommendation that nobody has decided on still stands."""
        return self.told > now and self.told - DAY > self.decided

    def next_stage(self, now: float) -> Stage:
        """What comes after the last block, unless it was lifted or is long ago."""
        if self.stage is None or self.lifted >= self.approved or self.approved <= now - REMEMBERED:
            return STAGES[0]
        return STAGES[min(STAGES.index(self.stage) + 1, len(STAGES) - 1)]

    @property
    def newest(self) -> float:
        """The last moment at which anything of this mattered."""
        return max(self.told, self.decided, self.expires)


def evidence(times: Sequence[int], now: float) -> tuple[int, int, int] | None:
    """The newest prank at which there were enough within 24 hours, if that is no longer ago than a day.

    `times` are those of pranks, ascending. Returns how many there were, and the times of the first and of the last of them.
    """
    for last in range(len(times) - 1, PRANKS - 2, -1):
        if times[last] <= now - DAY:
            break
        first = bisect_right(times, times[last] - DAY)
        if last - first + 1 >= PRANKS:
            return last - first + 1, times[first], times[last]
    return None

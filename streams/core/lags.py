"""Totals of tickets by agency and category, and what the stages of tickets took: since the first event, and in the last week."""

from collections import deque
from dataclasses import dataclass, field

from streams.core.histogram import Histogram
from streams.core.recent import Recent, Stage

BOUNDS = (30.0, 60.0, 120.0, 240.0, 420.0, 480.0, 900.0, 1800.0, 3600.0, 14_400.0, 86_400.0, 172_800.0, 259_200.0)
"""Upper bounds in seconds of what an agency takes: 7 and 15 min of the life-safety ladder, 8 and 15 min by which the ministry
judges, up to the three days of the routine ladder."""

REACHED = 500
"""The most tickets with a call of which it is remembered when a unit was on scene; of more the oldest are given up."""

REACHED_SECONDS = 6 * 3600
"""For how long: the call book knows no call longer."""


@dataclass(slots=True)
class Agency:
    """The totals of one agency since the first event."""

    closed: int = 0
    reopened: int = 0
    passed_on: int = 0
    reminded: dict[str, int] = field(default_factory=dict)
    response: Histogram = field(default_factory=lambda: Histogram.over(BOUNDS))
    stages: dict[Stage, Histogram] = field(default_factory=dict)


@dataclass(slots=True)
class Category:
    """The same of one category. `unreached` are tickets that were put away closed, and nobody told of a unit on scene."""

    opened: int = 0
    unreached: int = 0
    stages: dict[Stage, Histogram] = field(default_factory=dict)


@dataclass(slots=True)
class Lags:
    """What the stages of one centre's tickets took: of the first unit of each in histograms, of the last week each by itself."""

    city: dict[Stage, Histogram] = field(default_factory=dict)
    recent: Recent = field(default_factory=Recent)
    backward: dict[str, int] = field(default_factory=dict)
    """How many ended before they began, by stage."""
    reached: deque[tuple[str, float]] = field(default_factory=deque)
    """The calls of tickets, and when the first unit was on scene."""

    def seconds(self, stage: str, start: float, end: float) -> float | None:
        """How long a stage lasted; None, which is counted, where it ended before it began: then that is not known."""
        if end < start:
            self.backward[stage] = self.backward.get(stage, 0) + 1
            return None
        return end - start

    def reach(self, call: str, time: float) -> bool:
        """Remember when a unit was on scene of a call. False where an older one that is still of use had to go."""
        while self.reached and self.reached[0][1] < time - REACHED_SECONDS:
            self.reached.popleft()
        is_full = len(self.reached) >= REACHED
        if is_full:
            self.reached.popleft()
        self.reached.append((call, time))
        return not is_full

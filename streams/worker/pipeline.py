"""What a worker knows of its own work, for whoever exports it."""

import logging
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from streams.core.fault import place_of

log = logging.getLogger(__name__)

Partition = tuple[str, int]
"""(topic as in `schemas.topics`, partition number)"""


@dataclass(slots=True)
class Pipeline:
    """What one worker knows of its own work. The event loop writes; any thread may read, over `dict(copy)`s."""

    consumed: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Records by (topic, outcome)."""
    dead_letters: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Refused records by (topic, reason), counted when Kafka has them."""
    owned: frozenset[Partition] = frozenset()
    recovering: bool = True
    beside: bool = False
    """Whether another version of the worker speaks, and this one only folds."""
    recovery_seconds: float = 0.0
    log_end: dict[Partition, int] = field(default_factory=dict)
    markers: dict[Partition, int] = field(default_factory=dict)
    """Last offset whose effect is flushed; a partition without state has none."""
    starts: dict[Partition, int] = field(default_factory=dict)
    """Where reading began; stands in for marker + 1 until there is a marker."""
    newest: dict[Partition, float] = field(default_factory=dict)
    """Kafka timestamp of the last folded record, in Unix seconds."""
    regressions: int = 0
    """Markers that went back in the changelog: a frozen worker published after it had been replaced."""
    markers_below_log: int = 0
    """Recoveries that found records deleted before they were folded."""
    markers_above_log: int = 0
    """Recoveries that found the log shorter than what had been folded: the topic was recreated or lost its tail."""
    flushes: int = 0
    flushed_bytes: int = 0
    left_out: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How often something was left out because of a fault of ours, by (what was about to be done, centre)."""
    _told: set[tuple[str, str]] = field(default_factory=set)

    def leave_out(self, what: Literal["scrape", "timer"], city: str, error: BaseException) -> None:
        """Count what is left out so that the rest is served. A fault is logged once, with its place and never with its text."""
        self.left_out[what, city] += 1
        place = place_of(error)
        if (what, place) not in self._told:
            self._told.add((what, place))
            log.error("left out of a %s, for instance of %s: %s", what, city, place)

    def lag_records(self) -> dict[Partition, int]:
        """Records between the flushed state and the end of the log, of the owned partitions."""
        ends, markers, starts = dict(self.log_end), dict(self.markers), dict(self.starts)
        return {p: max(0, ends[p] - (markers[p] + 1 if p in markers else starts.get(p, 0))) for p in self.owned if p in ends}

    def lag_seconds(self, now: float) -> dict[Partition, float]:
        """Age of the last folded record where more are waiting, else 0."""
        newest = dict(self.newest)
        return {p: max(0.0, now - newest[p]) if lag else 0.0 for p, lag in self.lag_records().items() if p in newest}

"""The crowd: how many callers wait at once, and the most that ever did, whatever the order in which they are told of."""

from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

from streams.core.window import midnights

KEPT_SECONDS = 180
"""Who came and whose waiting ended is told in any order within this, and makes the same peaks. No clock may be as far ahead."""


@dataclass(slots=True)
class Peak:
    """The most callers that waited at once, and when they first did."""

    calls: int = 0
    time: float = 0.0

    def see(self, calls: int, time: float) -> None:
        """Remember `calls` waiting at `time` if there never were as many."""
        if calls > self.calls:
            self.calls, self.time = calls, time


@dataclass(slots=True)
class Crowd:
    """Who waits at one centre, by whole seconds, for a log cuts its clock to the second: at a second wait those who came in it or
    before and whose waiting did not end in it or before. Who is answered in the second in which he came never did.
    """

    waiting: int = 0
    newest: int = 0
    settled: int = 0
    """Peaks up to this second are known; what is told of it later changes none."""
    recent: dict[int, int] = field(default_factory=dict)
    """By second since then, how many came less those whose waiting ended."""
    ever: Peak = field(default_factory=Peak)
    lately: Peak = field(default_factory=Peak)
    midnight: float = 0.0
    """When the day ends that `lately` is of."""

    def change(self, time: float, by: int, zone: ZoneInfo) -> None:
        """Somebody came (1), or his waiting ended (-1), at epoch seconds."""
        second = int(time)
        if second > self.newest:
            if not self.newest:
                self.settled = second - KEPT_SECONDS
            elif second - self.settled > 2 * KEPT_SECONDS:
                self._settle(second - KEPT_SECONDS, zone)
            self.newest = second
        self.waiting += by
        if second > self.settled:
            self.recent[second] = self.recent.get(second, 0) + by

    def peaks(self, now: float, zone: ZoneInfo) -> tuple[Peak, Peak]:
        """The most that ever waited at once, and that did on the local day that `now` is in."""
        seen = replace(self, recent={**self.recent}, ever=replace(self.ever), lately=replace(self.lately))
        seen._settle(self.newest, zone)
        start, end = midnights(now, zone)
        return seen.ever, seen.lately if seen.midnight == end else Peak(self.waiting, start)

    def _settle(self, until: int, zone: ZoneInfo) -> None:
        waiting = self.waiting - sum(self.recent.values())
        for second in sorted([second for second in self.recent if second <= until]):
            change = self.recent.pop(second)
            if second >= self.midnight:
                # Whoever waits over midnight is the day's first peak.
                start, self.midnight = midnights(second, zone)
                self.lately = Peak(waiting if second > start else waiting + change, start)
            waiting += change
            if change > 0:
                self.ever.see(waiting, float(second))
                self.lately.see(waiting, float(second))
        self.settled = until

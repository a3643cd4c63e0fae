"""Whose clock is how wrong: the times that sources say, held against the moments at which Kafka had their events."""

from collections import deque
from collections.abc import Iterable, Iterator
from statistics import median
from typing import NamedTuple

AHEAD_SECONDS = 120.0
"""How far ahead of Kafka's clock an event may be. One beyond it is refused: it would make all that follow look late."""

SAMPLES = 5
"""The most samples of a source that are kept."""

ALIKE = 3
"""So many samples in a row have to agree. Of a backlog they do not: it comes faster than it happened."""

ALIKE_SECONDS = 5.0
"""Within this they agree; also how far apart in Kafka's time two samples are, so that a burst is one."""

SILENT_SECONDS = 3600.0
"""A source that says nothing for so long says nothing of its clock any more."""

SOURCES = 64
"""The most sources of a centre whose clocks are watched, the newest."""


class Sample(NamedTuple):
    """One event: when Kafka had it, and how far ahead of that its time was; epoch seconds and seconds."""

    written: float
    ahead: float


class SourceClocks:
    """The clocks of the sources of all centres here. Knowledge of this worker: no state, because it judges when events came."""

    def __init__(self, limit: float = AHEAD_SECONDS) -> None:
        """An event that is more than `limit` seconds ahead can be no backlog: it alone tells of a wrong clock."""
        self.limit = limit
        self._samples: dict[str, dict[str, deque[Sample]]] = {}

    def see(self, city: str, source: str, written: float, ahead: float) -> None:
        """Take one event as a sample."""
        sources = self._samples.setdefault(city, {})
        samples = sources.get(source)
        if samples is None:
            if len(sources) >= SOURCES:
                del sources[min(sources, key=lambda name: sources[name][-1].written)]
            samples = sources[source] = deque(maxlen=SAMPLES)
        if samples and written > samples[-1].written + SILENT_SECONDS:
            samples.clear()
        if not samples or written >= samples[-1].written + ALIKE_SECONDS:
            samples.append(Sample(written, ahead))
        elif ahead > self.limit:
            samples[-1] = Sample(written, ahead)

    def offsets(self, now: float) -> Iterator[tuple[str, str, float]]:
        """City, source and seconds that its clock is ahead (negative: behind), where that is known at `now`, epoch seconds."""
        for city, sources in sorted(self._samples.items()):
            for source, samples in sorted(sources.items()):
                newest = samples[-1]
                if newest.written < now - SILENT_SECONDS:
                    continue
                alike = [sample.ahead for sample in samples if abs(sample.ahead - newest.ahead) <= ALIKE_SECONDS]
                recent = [sample.ahead for sample in list(samples)[-ALIKE:]]
                if newest.ahead > self.limit or (len(recent) == ALIKE and max(recent) - min(recent) <= ALIKE_SECONDS):
                    yield city, source, median(alike)

    def forget(self, cities: Iterable[str]) -> None:
        """Drop what is known of centres that another worker folds now."""
        for city in cities:
            self._samples.pop(city, None)

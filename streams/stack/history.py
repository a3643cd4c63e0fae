"""What was before the first scrape, in Prometheus: a process beside it, which ends when it is there."""

import logging
import os
import shutil
import sys
import time
from collections.abc import Mapping
from http.client import HTTPException
from math import ceil
from pathlib import Path
from typing import NamedTuple

from streams import centres, logs, settings
from streams.analysis.backfill import scrapes
from streams.analysis.replay import open_source
from streams.clock import parse
from streams.core.centre import Centre
from streams.core.histogram import Histogram
from streams.core.reading import Metric, Reading
from streams.stack import StackError
from streams.stack.historian import Historian
from streams.worker.monitor import Monitor

STEP = 120
"""Seconds between two moments: a chart looks back for five minutes, and a rate over five needs two."""
NICE = 10
"""What happens now goes first."""


class History(NamedTuple):
    """What is behind a centre since a moment, epoch seconds, and where it goes: the data folder of its Prometheus.

    `work` is a folder of this process, there as long as not all is done; `prometheus` is the program, and `instance` is how it
    calls the worker. The `source` is what the worker folds, and its `clock` says when in the source a moment is.
    """

    work: Path
    data: Path
    prometheus: Path
    instance: str
    since: float
    source: str
    clock: str
    centres: tuple[str, ...]

    def command(self) -> list[str]:
        """The process."""
        return [sys.executable, "-m", "streams.stack.history", *map(str, self[:-1]), *self.centres]

    @classmethod
    def read(cls, said: list[str]) -> "History":
        """What `command` says."""
        work, data, prometheus, instance, since, source, clock, *known = said
        return cls(Path(work), Path(data), Path(prometheus), instance, float(since), source, clock, tuple(known))

    def write(self) -> None:
        """Write what the source says, up to now or to where its clock began, and what rules record of it. Raises `StackError`,
        `HTTPException`, `OSError`.
        """
        scratch = self.work / "scratch"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        known, clock = centres.load([Path(path) for path in self.centres]), parse(self.clock)
        walls = range(ceil(self.since / STEP) * STEP, int(clock.wall or time.time()) + 1, STEP)
        first, step = round(clock.at(walls.start)), round(STEP * clock.speed)
        moments = range(first, first + step * len(walls), step)
        lines = open_source(self.source, next(iter(known.values())), settings.read(os.environ))
        labels = {"job": "pantau112", "instance": self.instance}
        with Historian(self.prometheus, scratch, len(known), STEP, labels, {}) as past:
            for moment, monitor in scrapes(lines, known, moments):
                wall = walls[moments.index(moment)]
                past.scrape(wall, _Then(monitor, moment, wall))
            if past.first is not None:  # else the source begins later
                past.hand_over(self.data)
        shutil.rmtree(self.work)


class _Then(NamedTuple):
    """What a worker would have said at a moment of the source, told as of a moment on the wall: ages stay what they were."""

    monitor: Monitor
    moment: float
    wall: float

    @property
    def centres(self) -> Mapping[str, Centre]:
        """Those of the monitor."""
        return self.monitor.centres

    def measure(self, city: str, _: float) -> list[Reading]:
        """As the monitor's."""
        shift = self.wall - self.moment

        def moved(value: float | Histogram, metric: Metric) -> float | Histogram:
            is_moment = metric.name.endswith("_timestamp_seconds") and not isinstance(value, Histogram)
            return value + shift if is_moment else value  # type: ignore[operator]

        return [(metric, labels, moved(value, metric)) for metric, labels, value in self.monitor.measure(city, self.moment)]


def main() -> int:
    """Write it. Exit codes: 0 done, 1 failed."""
    os.nice(NICE)
    logs.begin()
    began, history = time.monotonic(), History.read(sys.argv[1:])
    try:
        history.write()
    except (HTTPException, StackError, OSError) as error:
        logs.tell(f"history: {error}", logging.ERROR)
        return 1
    logs.tell(f"history: all since {history.since:.0f} is in Prometheus, after {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())

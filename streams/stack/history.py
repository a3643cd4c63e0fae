"""The days behind a simulated centre, in Prometheus: a process beside it, which ends when they are there."""

import logging
import os
import shutil
import sys
import time
from http.client import HTTPException
from math import ceil
from pathlib import Path
from typing import NamedTuple

from schemas.topics import TOPICS
from streams import centres, logs, settings
from streams.analysis.backfill import scrapes
from streams.analysis.replay import open_source
from streams.stack import StackError
from streams.stack.historian import Historian

STEP = 120
"""Seconds between two moments: a chart looks back for five minutes, and a rate over five needs two."""
NICE = 10
"""What happens now goes first."""


class History(NamedTuple):
    """What is behind a centre since a moment, epoch seconds, and where it goes: the data folder of its Prometheus.

    `work` is a folder of this process, there as long as not all is done; `prometheus` is the program, and `instance` is how it
    calls the worker.
    """

    work: Path
    data: Path
    prometheus: Path
    instance: str
    since: float
    centres: tuple[str, ...]

    def command(self) -> list[str]:
        """The process."""
        return [sys.executable, "-m", "streams.stack.history", *map(str, self[:-1]), *self.centres]

    @classmethod
    def read(cls, said: list[str]) -> "History":
        """What `command` says."""
        work, data, prometheus, instance, since, *known = said
        return cls(Path(work), Path(data), Path(prometheus), instance, float(since), tuple(known))

    def write(self) -> None:
        """Write what is in Kafka, up to now, and what rules record of it. Raises `StackError`, `HTTPException`, `OSError`."""
        scratch = self.work / "scratch"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        moments = range(ceil(self.since / STEP) * STEP, int(time.time()) + 1, STEP)
        known = centres.load([Path(path) for path in self.centres])
        told = "topic:" + ",".join(topic.name for topic in TOPICS)
        lines = open_source(told, next(iter(known.values())), settings.read(os.environ))
        labels = {"job": "pantau112", "instance": self.instance}
        with Historian(self.prometheus, scratch, len(known), STEP, labels, {}) as past:
            for moment, monitor in scrapes(lines, known, moments):
                past.scrape(moment, monitor)
            past.hand_over(self.data)
        shutil.rmtree(self.work)


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

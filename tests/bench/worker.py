"""The worker of the command line, watched from within: 20 times a second it says how far it is, at which cost."""

import asyncio
import json
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from streams import cli
from streams.worker import app
from streams.worker.pipeline import Pipeline

BEAT_SECONDS = 0.005


class Heart:
    """A callback of the worker's event loop that is due every 5 ms, and the longest that it was kept waiting."""

    def __init__(self) -> None:
        self._longest = self._burnt = 0.0
        self._loop = asyncio.get_event_loop()
        self._due, self._cpu = self._loop.time(), time.process_time()
        self._beat()

    def _beat(self) -> None:
        now, cpu = self._loop.time(), time.process_time()
        if now - self._due > self._longest:
            self._longest, self._burnt = now - self._due, cpu - self._cpu
        self._due, self._cpu = now + BEAT_SECONDS, cpu
        self._loop.call_at(self._due, self._beat)

    def asked(self) -> tuple[float, float]:
        """The longest stall since the last question, and how much of it this process was running; both in seconds."""
        said = self._longest, min(self._longest, self._burnt)
        self._longest = self._burnt = 0.0
        return said


def report(pipeline: Pipeline, heart: Heart) -> None:
    """One line of JSON for every look at the pipeline."""
    while True:
        stall, burnt = heart.asked()
        consumed, markers = dict(pipeline.consumed), dict(pipeline.markers)
        said = {
            "wall": time.monotonic(),
            "cpu": time.process_time(),
            "consumed": sum(consumed.values()),
            "refused": sum(n for (_, outcome), n in consumed.items() if outcome not in {"folded", "duplicate"}),
            "recovering": pipeline.recovering,
            "flushed": sum(markers.values()) + len(markers),
            "stall": stall,
            "burnt": burnt,
        }
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()
        time.sleep(0.05)


def main() -> None:
    """`pantau112 worker` with the arguments given."""
    run: Callable[..., int] = app.run_worker

    def watched(
        settings: Any, monitor: Any, brokers: int, on_start: Callable[[Pipeline], None], *others: Any, **named: Any
    ) -> int:
        def start(pipeline: Pipeline) -> None:
            on_start(pipeline)
            threading.Thread(target=report, args=(pipeline, Heart()), daemon=True).start()

        return run(settings, monitor, brokers, start, *others, **named)

    app.run_worker = watched
    sys.argv[1:1] = ["worker"]
    cli.main()


if __name__ == "__main__":
    main()

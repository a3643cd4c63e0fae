"""Where the benchmarks play: a real Kafka on one core, and worker processes on the other."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.request import urlopen

from schemas.topics import SNAPSHOT_INDEX, SNAPSHOTS
from streams.log.kafka import Log
from streams.settings import Settings
from streams.stack import jars
from streams.stack.kafka import Broker, find_java
from tests.conftest import LOCAL, RealKafka, free_port, wait_until

CORES = sorted(os.sched_getaffinity(0))
"""The last core is for what is measured, the first for Kafka and for whoever measures; they may be one and the same."""


# A process of its own, because Linux says of a child that it took at least as much as whoever started it.
_WATCHED = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def on_core(*command: str) -> list[str]:
    """A Python command bound to the core that is measured."""
    return ["taskset", "-c", str(CORES[-1]), sys.executable, *command]


def watched(command: list[str]) -> tuple[float, float]:
    """Run a command; returns the seconds that it took, and the megabytes of the largest of its processes at most."""
    began = time.monotonic()
    said = subprocess.run(
        [sys.executable, "-c", _WATCHED, *command], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ).stdout
    return time.monotonic() - began, int(said) / 1024


@contextlib.contextmanager
def kafka() -> Iterator[str]:
    """A broker with empty logs; yields its bootstrap address. This process stays on the broker's core."""
    os.sched_setaffinity(0, {CORES[0]})
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        ready = jars.ensure(LOCAL / "kafka" / "jars")
        real = RealKafka(Broker(folder / "data", folder / "log", free_port(), free_port(), find_java(None), ready))
        try:
            real.start()
            yield real.bootstrap
        finally:
            real.kill()
            os.sched_setaffinity(0, set(CORES))


def create_topics(bootstrap: str, prefix: str, app_id: str) -> None:
    """Every topic that a worker needs, and no snapshots of one before: a new one would begin there, with nothing left to fold."""
    with Log(Settings(bootstrap=bootstrap, topic_prefix=prefix, app_id=app_id)) as log:
        for topic in (SNAPSHOTS, SNAPSHOT_INDEX):
            log.remove(prefix + topic.name, app_id)
        log.create_topics()


class Sample(NamedTuple):
    """What a worker says of itself at one moment: times in monotonic seconds, records counted since its start."""

    wall: float
    cpu: float
    consumed: int
    refused: int
    recovering: bool
    flushed: int
    stall: float
    burnt: float


class Worker:
    """One `pantau112 worker` on the measured core, and what it has said of itself so far (`tests.bench.worker`)."""

    def __init__(self, bootstrap: str, prefix: str, app_id: str, centres: Sequence[str], clock: str = "wall") -> None:
        self._command = on_core("-m", "tests.bench.worker", *(word for centre in centres for word in ("--centre", centre)))
        self._port = free_port()
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith("PANTAU112_")} | {
            "PANTAU112_BOOTSTRAP": bootstrap,
            "PANTAU112_TOPIC_PREFIX": prefix,
            "PANTAU112_APP_ID": app_id,
            "PANTAU112_INSTANCE_ID": "bench",
            "PANTAU112_METRICS_PORT": str(self._port),
            "PANTAU112_CLOCK": clock,
        }
        self.start()

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Start the process; with the same name in the group as before."""
        self.samples: list[Sample] = []
        self._process = subprocess.Popen(self._command, env=self._environment, stdout=subprocess.PIPE)
        threading.Thread(target=self._listen, args=(self._process, self.samples), daemon=True).start()

    def kill(self) -> None:
        """SIGKILL; returns when it is dead."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    @staticmethod
    def _listen(process: "subprocess.Popen[bytes]", samples: list[Sample]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            samples.append(Sample(**json.loads(line)))

    def until(self, true: Callable[[Sample], bool], what: str) -> Sample:
        """The first sample of which it is true."""

        def found() -> bool:
            assert self._process.poll() is None, f"the worker ended with {self._process.returncode}"
            return any(map(true, list(self.samples)))

        wait_until(found, what)
        return next(sample for sample in self.samples if true(sample))

    def status(self, field: str) -> int:
        """Bytes of a memory field in /proc, such as VmRSS."""
        text = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(text.partition(f"{field}:")[2].split()[0]) * 1024

    def metrics(self) -> tuple[float, float, bytes]:
        """One scrape: when it was asked, when answered (monotonic seconds), and the page."""
        began = time.monotonic()
        with urlopen(f"http://127.0.0.1:{self._port}/metrics", timeout=60) as answer:
            page: bytes = answer.read()
        return began, time.monotonic(), page

"""Indonesia's 514 centres, each with its own simulated day, on one worker: scrape, stalls, memory, state, kill -9."""

import asyncio
import json
import subprocess
import threading
import time
from collections.abc import Callable
from statistics import median

from streams.centres import indonesia
from streams.core.nouns import STATE_VERSION
from tests.bench.figure import Figure
from tests.bench.latency import offer
from tests.bench.stage import Sample, Worker, create_topics, on_core
from tests.bench.workload import NATION, midnight

CENTRES = 514
SCRAPES = 10
RATE = 50
"""Events a second that come meanwhile, all over the country: twice as many as in the busiest hour of the simulated day."""
APP = "bench-scale"


def measure(bootstrap: str, events: int) -> list[Figure]:
    """Stream time is the last midnight, so every window is full; calls keep coming meanwhile."""
    create_topics(bootstrap, NATION, APP)
    with Worker(bootstrap, NATION, APP, ["indonesia"], f"{midnight().isoformat()}@{time.time()}x1") as worker:
        worker.until(lambda s: s.flushed >= events, f"{events} events folded and flushed")
        ending = threading.Event()
        coming = threading.Thread(
            target=lambda: asyncio.run(offer(bootstrap, NATION, 10**6, RATE, sorted(indonesia.centres()), ending))
        )
        coming.start()
        try:
            worker.until(lambda s: s.consumed > events, "calls that keep coming")
            return [*_scrapes(worker), *_recovery(worker, bootstrap)]
        finally:
            ending.set()
            coming.join()


def _scrapes(worker: Worker) -> list[Figure]:
    resting = _longest_stall(worker, lambda: time.sleep(5))
    taken: list[float] = []

    def scrape() -> None:
        for _ in range(SCRAPES):
            asked, answered, page = worker.metrics()
            taken.append(answered - asked)
            pages.append(page)
            time.sleep(0.2)

    pages: list[bytes] = []
    stall = _longest_stall(worker, scrape)
    text = pages[-1].decode()
    series = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    bare = _formatting([(f"{name} ", float(value)) for name, _, value in series])
    size = f"{len(series):,} series, {len(text) / 1e6:.1f} MB"
    seconds, memory, peak = median(taken), worker.status("VmRSS") / 1e6, worker.status("VmHWM") / 1e6
    return [
        Figure(
            f"scrape of {CENTRES} centres at {RATE} events/s ({size})",
            f"{seconds:.2f} s",
            f"{bare:.2f} s (the same lines, labels ready)",
            f"{seconds / bare:.1f}",
            "≤ 0.5 s",
            seconds <= 0.5,
        ),
        Figure(
            f"longest stall of the event loop in {SCRAPES} scrapes",
            f"{stall.stall * 1000:.0f} ms, {stall.burnt * 1000:.0f} of them the worker's own",
            f"{resting.stall * 1000:.0f} ms (5 s without scrapes)",
            f"{stall.stall / resting.stall:.1f}",
            "≤ 30 ms",
            stall.stall <= 0.030,
        ),
        Figure(
            f"memory of the worker with {CENTRES} centres",
            f"{memory:.0f} MB, at most {peak:.0f} MB",
            "",
            "",
            "≤ 600 MB",
            peak <= 600,
        ),
    ]


def _longest_stall(worker: Worker, work: Callable[[], None]) -> Sample:
    """The sample with the longest stall while something is done."""
    before = len(worker.samples) + 1
    work()
    return max(worker.samples[before:], key=lambda s: s.stall)


def _formatting(series: list[tuple[str, float]]) -> float:
    """Seconds to write series whose labels are ready."""
    began = time.perf_counter()
    "".join([f"{name}{value!r}\n" for name, value in series])
    return time.perf_counter() - began


def _recovery(worker: Worker, bootstrap: str) -> list[Figure]:
    worker.kill()
    killed = time.monotonic()
    worker.start()
    again = worker.until(lambda s: s.consumed > 0, "an event folded after the kill").wall - killed
    began = time.monotonic()
    command = on_core("-m", "tests.bench.bare", "restore", bootstrap, f"{APP}-v{STATE_VERSION}-state-changelog")
    said = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    bare = time.monotonic() - began
    return [
        Figure(
            f"kill -9 to folding again, {said['states']:,} states in {said['records']:,} changelog records",
            f"{again:.1f} s",
            f"{bare:.1f} s (start, read the changelog, decode JSON)",
            f"{again / bare:.1f}",
            "≤ 5 s",
            again <= 5,
        ),
        Figure("state in Kafka per centre", f"{said['bytes'] / CENTRES:,.0f} bytes"),
    ]

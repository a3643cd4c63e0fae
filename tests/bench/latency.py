"""From producing an event to its value in `/metrics`, at 200 events a second, beside a bare consumer of the same events."""

import asyncio
import re
import subprocess
import threading
import time
from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import quantiles

from aiokafka import AIOKafkaProducer

from schemas.calls import CallAbandoned, CallOffered
from schemas.topics import CALLS, PARTITIONS, encode
from streams.log.topics import partition_of
from tests.bench.figure import Figure
from tests.bench.stage import Worker, create_topics, on_core
from tests.bench.workload import BOGOR

RATE = 200
SECONDS = 20
WARM_UP = 1
"""Seconds of events that are not looked at: connections are made."""
PREFIX = "latency."
_TOLD = re.compile(rb"^psap_calls_(?:offered|ended)_total\{.*\} (\d+)$", re.MULTILINE)


def measure(bootstrap: str) -> list[Figure]:
    """Calls are offered and abandoned evenly; whoever polls sees how many are counted, and so when each became visible."""
    create_topics(bootstrap, PREFIX, "bench-latency")
    bare = subprocess.Popen(on_core("-m", "tests.bench.bare", "follow", bootstrap, PREFIX + CALLS.name), stdout=subprocess.PIPE)
    assert bare.stdout is not None
    try:
        assert bare.stdout.readline() == b"ready\n"
        sent = asyncio.run(offer(bootstrap, PREFIX, RATE * SECONDS))
        decoded = [float(bare.stdout.readline()) for _ in sent]
    finally:
        bare.kill()
        bare.wait()
    limit = _percentiles([seen - told for told, seen in zip(sent, decoded, strict=True)][WARM_UP * RATE :])
    with Worker(bootstrap, PREFIX, "bench-latency", []) as worker:
        worker.until(lambda s: s.consumed == len(sent), "what the bare consumer has read is folded")
        again: list[float] = []
        producing = threading.Thread(target=lambda: again.extend(asyncio.run(offer(bootstrap, PREFIX, RATE * SECONDS))))
        producing.start()
        polls, seconds, counts = [], [], list[int]()
        while not counts or counts[-1] < 2 * RATE * SECONDS:
            asked, answered, page = worker.metrics()
            polls.append(answered)
            seconds.append(answered - asked)
            counts.append(sum(map(int, _TOLD.findall(page))))
        producing.join()
    first = RATE * SECONDS
    visible = [polls[bisect_right(counts, first + n)] - told for n, told in enumerate(again)][WARM_UP * RATE :]
    ours, poll = _percentiles(visible), _percentiles(seconds)
    note = f"polled without pause: one poll takes p50 {poll[0]:.1f}, p99 {poll[1]:.1f} ms; an event can wait for two"
    return [
        Figure(
            f"latency p{share}, produce → value in /metrics at {RATE} events/s ({note})",
            f"{mine:.1f} ms",
            f"{its:.1f} ms (produce → decoded)",
            f"{mine / its:.1f}",
            "≤ 20 ms" if share == 99 else "",
            mine <= 20 if share == 99 else None,
        )
        for share, mine, its in zip((50, 99), ours, limit, strict=True)
    ]


async def offer(
    bootstrap: str,
    prefix: str,
    events: int,
    rate: float = RATE,
    centres: Sequence[str] = (BOGOR.code,),
    until: threading.Event | None = None,
) -> list[float]:
    """Produce so many events of calls, `rate` a second and two at each centre in turn, or until told.

    Returns when each was produced, in monotonic seconds.
    """
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=0)
    await producer.start()
    run, began, sent = time.time_ns(), time.monotonic(), []
    start = datetime.now(BOGOR.timezone)
    try:
        for n in range(events):
            await asyncio.sleep(began + n / rate - time.monotonic())
            if until is not None and until.is_set():
                break
            call, centre = f"{run:x}-{n // 2}", centres[n // 2 % len(centres)]
            kind, data = (CallAbandoned, {"call": call}) if n % 2 else (CallOffered, {"call": call, "queue": "112"})
            moment = start + timedelta(seconds=n / rate)
            told = {"id": f"{run:x}-{n}", "source": f"/{centre}/bench", "subject": centre, "time": moment, "data": data}
            value = encode(kind.model_validate(told))
            sent.append(time.monotonic())
            await producer.send(prefix + CALLS.name, value, centre.encode(), partition_of(centre, PARTITIONS))
    finally:
        await producer.stop()
    return sent


def _percentiles(seconds: list[float]) -> tuple[float, float]:
    """p50 and p99 in milliseconds."""
    cuts = quantiles(seconds, n=100)
    return cuts[49] * 1000, cuts[98] * 1000

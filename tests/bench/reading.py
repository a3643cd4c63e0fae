"""Records a second of all topics read in the order in which things happened, beside the loop that only decodes and counts."""

import json
import subprocess
import sys
import time
from statistics import median

from schemas.topics import TOPICS
from streams.log.reader import Reader
from streams.settings import Settings
from tests.bench.figure import Figure
from tests.bench.stage import on_core
from tests.bench.throughput import bare
from tests.bench.workload import NATION

ROUNDS = 3
TARGET = 60_000


def measure(bootstrap: str, events: int) -> list[Figure]:
    """The nation's day, read by both in turn, each on one core."""
    ours, limits = [], []
    for _ in range(ROUNDS):
        said = subprocess.run(on_core("-m", "tests.bench.reading", bootstrap), check=True, capture_output=True).stdout
        ours.append(float(json.loads(said)))
        limits.append(bare(bootstrap, events)[0])
    rate, limit = median(ours), median(limits)
    what = f"topics read in the order of event time, records a second ({len(TOPICS)} topics, {events:,} events)"
    said_limit = f"{limit:,.0f} (aiokafka, decode, count)"
    return [Figure(what, f"{rate:,.0f}", said_limit, f"{rate / limit:.2f}", f"≥ {TARGET:,}", rate >= TARGET)]


def main(bootstrap: str) -> None:
    """Read all once; print how many records a second, from the first on."""
    records = Reader(Settings(bootstrap=bootstrap, topic_prefix=NATION)).read([topic.name for topic in TOPICS])
    newest = next(records).time
    began, count = time.monotonic(), 0
    for record in records:
        assert record.time >= newest
        newest, count = record.time, count + 1
    print(json.dumps(count / (time.monotonic() - began)))


if __name__ == "__main__":
    main(sys.argv[1])

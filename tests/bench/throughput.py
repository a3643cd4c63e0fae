"""Events a second of the whole job on one core, beside a loop that only decodes and counts."""

import json
import subprocess
from statistics import median

from schemas.topics import TOPICS
from tests.bench.figure import Figure
from tests.bench.stage import Worker, create_topics, on_core
from tests.bench.workload import NATION

ROUNDS = 5


def measure(bootstrap: str, events: int) -> list[Figure]:
    """The nation's day, whole job and bare loop in turn."""
    rates: dict[str, list[tuple[float, float]]] = {"whole": [], "bare": []}
    for number in range(ROUNDS):
        rates["whole"].append(_whole(bootstrap, f"bench-{number}", events))
        rates["bare"].append(bare(bootstrap, events))
    figures = []
    for index, kind in enumerate(("wall", "CPU")):
        whole, limit = (median(pair[index] for pair in rates[what]) for what in ("whole", "bare"))
        figures.append(
            Figure(
                f"throughput, events per {kind} second (a day of 514 centres, {events:,} events)",
                f"{whole:,.0f}",
                f"{limit:,.0f} (aiokafka, decode, count)",
                f"{whole / limit:.2f}",
                "ratio ≥ 0.5",
                whole / limit >= 0.5,
            )
        )
    return figures


def _whole(bootstrap: str, app_id: str, events: int) -> tuple[float, float]:
    create_topics(bootstrap, NATION, app_id)
    with Worker(bootstrap, NATION, app_id, ["indonesia"]) as worker:
        last = worker.until(lambda s: s.consumed >= events, f"{events} events folded")
        first = worker.until(lambda s: s.consumed > 0, "the first event")
        worker.until(lambda s: s.flushed >= events, "their states in Kafka")
        assert last.refused == 0, last
    done = last.consumed - first.consumed
    return done / (last.wall - first.wall), done / (last.cpu - first.cpu)


def bare(bootstrap: str, events: int) -> tuple[float, float]:
    """Events a wall and a CPU second of the loop that only decodes and counts."""
    topics = [NATION + topic.name for topic in TOPICS]
    command = on_core("-m", "tests.bench.bare", "count", bootstrap, str(events), *topics)
    said = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return said["events"] / said["wall"], said["events"] / said["cpu"]

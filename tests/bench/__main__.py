"""`make bench`: every figure of the design's speed section beside its bare limit, and the forecast beside its rivals, and planted
fires, printed and written to results.md.
"""

import os
import platform
import time
from collections.abc import Iterator
from datetime import datetime
from importlib.metadata import version
from itertools import chain
from pathlib import Path

from tests.bench import bursts, forecast, gateway, latency, month, past, reading, scale, stage, table, throughput
from tests.bench.figure import Figure
from tests.bench.workload import NATION, national, produce

RESULTS = Path(__file__).with_name("results.md")
HEAD = "| what | ours | bare limit, same run | ratio | target | met |\n|---|---|---|---|---|---|"


def machine() -> str:
    """The processor, how many of it, and memory."""
    names = [line.partition(": ")[2] for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{len(names)} × {names[0]}, {memory:.0f} GB, {platform.system()} {platform.release()}"


def versions() -> str:
    """Python and the packages that the figures depend on."""
    packages = ("faust-streaming", "aiokafka", "pydantic", "msgspec", "prometheus-client")
    return ", ".join([f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in packages)])


def figures() -> Iterator[Figure]:
    """Every figure, as soon as it is measured."""
    with stage.kafka() as bootstrap:
        yield from latency.measure(bootstrap)
        yield from gateway.measure(bootstrap)
        stage.create_topics(bootstrap, NATION, "bench-0")
        events = produce(bootstrap, NATION, national())
        yield from throughput.measure(bootstrap, events)
        yield from reading.measure(bootstrap, events)
        yield from scale.measure(bootstrap, events)
    yield from month.measure()
    yield from table.measure()
    yield from past.measure()


def main() -> None:
    """Measure, print and write."""
    before, began = os.getloadavg()[0], time.monotonic()
    rows = [HEAD]
    print(HEAD, flush=True)
    for figure in figures():
        rows.append(figure.row())
        print(figure.row(), flush=True)
    for line in chain(forecast.tables(), bursts.tables()):
        rows.append(line)
        print(line, flush=True)
    said = [
        "# Speed\n",
        f"Written by `make bench` on {datetime.now().astimezone().date().isoformat()} in {time.monotonic() - began:.0f} s;"
        f" load of the machine when it began: {before:.1f}.\n",
        f"- Machine: {machine()}. The worker or the bare loop has one core, Kafka and whoever measures another.",
        f"- {versions()}, Apache Kafka {kafka_version()}.",
        "- A ratio compares with the bare limit of the same run; throughput is the median of five rounds in turn.\n",
        *rows,
    ]
    RESULTS.write_text("\n".join(said) + "\n")


def kafka_version() -> str:
    """The version that kafka.lock names."""
    from streams.stack.jars import read_lock

    return next(jar.coordinates[2] for jar in read_lock() if jar.coordinates[1] == "kafka-clients")


if __name__ == "__main__":
    main()

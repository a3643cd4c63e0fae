"""An edge in front of a real Kafka: killed again and again, and its broker too, it tells what was never disturbed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from schemas.event import Event
from schemas.topics import TOPICS
from streams import centres
from streams.analysis.measure import measure
from streams.log.kafka import Log
from streams.log.reader import Reader
from streams.settings import Settings
from streams.sources import Line, read
from tests.conftest import DATA, RealKafka, strays, wait_until

pytestmark = [
    pytest.mark.stack,
    # kafka-python leaves sockets to the garbage collector when a broker dies
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

ROOT = Path(__file__).parents[2]
QUEUE_LOG = DATA / "asterisk" / "queue_log"


class Process:
    """A running `pantau112 edge`."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        environment = os.environ | {
            "PANTAU112_BOOTSTRAP": settings.bootstrap,
            "PANTAU112_TOPIC_PREFIX": settings.topic_prefix,
            "PYTHONUNBUFFERED": "1",
        }
        self.log = folder / "edge.log"
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "streams.cli", "edge", str(folder / "edge.toml")]
            self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait()


@pytest.fixture
def settings(kafka: RealKafka) -> Iterator[Settings]:
    settings = Settings(bootstrap=kafka.bootstrap, topic_prefix=f"edge{Random().randrange(10**9)}.")
    with Log(settings) as log:
        log.create_topics(3)
    yield settings
    if not kafka.is_up:
        kafka.start()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    config = 'spool = "spool.db"\nto = "kafka"\nmetrics_port = 0\n[[follow]]\nfile = "queue_log"\n'
    (tmp_path / "edge.toml").write_text(config)
    (tmp_path / "queue_log").touch()
    return tmp_path


def arrived(settings: Settings) -> list[Event]:
    records = Reader(settings).read([topic.name for topic in TOPICS])
    return [record.item for record in records if isinstance(record.item, Event)]


def page(events: list[Event]) -> str:
    text = measure([Line(n, event) for n, event in enumerate(events, 1)], centres.load([]), time.time()).text
    assert "psap_calls_offered_total" in text
    return text


def test_after_kills_of_edge_and_broker_every_figure_is_that_of_an_undisturbed_run(
    kafka: RealKafka, settings: Settings, folder: Path
) -> None:
    lines = QUEUE_LOG.read_bytes().splitlines(keepends=True)
    undisturbed = [line.item for line in read(QUEUE_LOG, next(iter(centres.load([]).values()))) if isinstance(line.item, Event)]
    wanted = {event.id for event in undisturbed}
    edge = Process(folder, settings)
    log = folder / "queue_log"
    parts = 6
    for part in range(parts):
        with log.open("ab") as file:
            file.writelines(lines[len(lines) * part // parts : len(lines) * (part + 1) // parts])
        match part:
            case 0:
                wait_until(lambda: bool(arrived(settings)), "the first events are in Kafka")
            case 1 | 4:
                edge.end(signal.SIGKILL)
                edge = Process(folder, settings)
            case 2:
                kafka.kill()
                log.rename(folder / "queue_log.1")
            case 3:
                edge.end(signal.SIGKILL)
                kafka.start()
                edge = Process(folder, settings)
    wait_until(lambda: {event.id for event in arrived(settings)} >= wanted, "all have arrived")
    assert edge.end(signal.SIGTERM) == 0, edge.log.read_text()

    events = arrived(settings)
    assert {event.id for event in events} == wanted
    assert page(sorted(events, key=lambda event: event.time)) == page(sorted(undisturbed, key=lambda event: event.time))


def test_it_is_stopped_in_order_while_kafka_is_away(kafka: RealKafka, settings: Settings, folder: Path) -> None:
    edge = Process(folder, settings)
    lines = QUEUE_LOG.read_bytes().splitlines(keepends=True)
    (folder / "queue_log").write_bytes(b"".join(lines[:80]))
    wait_until(lambda: bool(arrived(settings)), "the first events are in Kafka")
    kafka.kill()
    with (folder / "queue_log").open("ab") as log:
        log.writelines(lines[80:])

    assert edge.end(signal.SIGTERM) == 0, edge.log.read_text()
    assert "stopped; " in edge.log.read_text()
    assert strays(edge.log.read_text()) == []

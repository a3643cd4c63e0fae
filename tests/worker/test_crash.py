"""What stays true when workers and brokers die: totals, read independently from source and changelog, are exact."""

import asyncio
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.topics import DEAD_LETTERS, PARTITIONS, SNAPSHOT_INDEX, SNAPSHOTS, TOPICS
from tests.conftest import HANG, RealKafka, wait_until

ALL = PARTITIONS * len(TOPICS)

pytestmark = [
    pytest.mark.stack,
    # kafka-python leaves sockets to the garbage collector when a broker dies
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

KILLS = int(os.environ.get("PANTAU112_TEST_KILLS", "4"))
CENTRES = [b"32.%d" % n for n in range(10, 60)]


class Case:
    """One test's own topics, group and workers on the shared broker."""

    def __init__(self, kafka: RealKafka, name: str, folder: Path) -> None:
        self.kafka, self.prefix, self.folder = kafka, f"{name}.", folder
        self.app_id, self.group = name, f"{name}-v1"
        self.changelog = f"{self.group}-state-changelog"
        self.sources = [self.prefix + topic.name for topic in TOPICS]
        self.dead_letters = self.prefix + DEAD_LETTERS.name
        self.workers: list[Process] = []
        self.fed = 0
        kept = [self.prefix + topic.name for topic in (SNAPSHOTS, SNAPSHOT_INDEX)]
        self.create({name: {} for name in [*self.sources, *kept, self.dead_letters]})

    def create(self, topics: dict[str, dict[str, str]]) -> None:
        with self.admin() as admin:
            admin.create_topics(
                {name: {"num_partitions": 8, "replication_factor": 1, "configs": c} for name, c in topics.items()}
            )

    @contextlib.contextmanager
    def admin(self) -> Iterator[Any]:
        from kafka import KafkaAdminClient

        admin = KafkaAdminClient(bootstrap_servers=self.kafka.bootstrap)
        try:
            yield admin
        finally:
            admin.close()

    def worker(self, instance_id: str | None = "w1", *injected: str) -> "Process":
        """Start one; with an instance id its successor need not wait for the session of the dead to end."""
        process = Process(self, len(self.workers), instance_id, injected)
        self.workers.append(process)
        return process

    def feed(self, count: int, broken_every: int = 0) -> None:
        with self._producer() as producer:
            self._send(producer, count, broken_every)

    @contextlib.contextmanager
    def load(self, per_second: int) -> Iterator[None]:
        """Feed steadily while the body runs; what could not be sent at once is sent when the broker is back."""
        done = threading.Event()

        def run() -> None:
            with self._producer() as producer:
                while not done.wait(0.05):
                    self._send(producer, per_second // 20, 0)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def read(self, topics: list[str]) -> Iterator[Any]:
        """Every committed record of these topics up to where they end now."""
        from kafka import KafkaConsumer, TopicPartition

        consumer = KafkaConsumer(bootstrap_servers=self.kafka.bootstrap, isolation_level="read_committed")
        places = [TopicPartition(topic, number) for topic in topics for number in range(8)]
        consumer.assign(places)
        ends = consumer.end_offsets(places)
        consumer.seek_to_beginning(*places)
        while any(consumer.position(place) < ends[place] for place in places):
            for records in consumer.poll(500).values():
                yield from records
        consumer.close()

    def source_totals(self) -> dict[str, list[int]]:
        totals: dict[str, list[int]] = {}
        for record in self.read(self.sources):
            if not record.value.startswith(b"broken"):
                key, number = record.value.split()
                place = f"{record.partition}|{record.topic.removeprefix(self.prefix)}|{key.decode()}"
                total = totals.setdefault(place, [0, 0])
                total[0] += 1
                total[1] += int(number)
        return totals

    def state(self) -> tuple[dict[str, list[int]], int]:
        """What the changelog's last records say, and how often a marker in it went back."""
        totals: dict[str, list[int]] = {}
        markers: dict[bytes, int] = {}
        regressions = 0
        for record in self.read([self.changelog]):
            if record.key.startswith(b"\0"):
                regressions += int(record.value) < markers.get(record.key, -1)
                markers[record.key] = int(record.value)
            else:
                totals[record.key.decode()] = json.loads(record.value)[1:]
        return totals, regressions

    def assert_exact(self, at_least: int) -> None:
        expected = self.source_totals()
        assert sum(count for count, _ in expected.values()) >= at_least
        wait_until(lambda: self.state()[0] == expected, "the state in Kafka equals the source")
        assert self.state()[1] == 0, "a marker went back"

    @contextlib.contextmanager
    def _producer(self) -> Iterator[Any]:
        from kafka import KafkaProducer

        producer = KafkaProducer(
            bootstrap_servers=self.kafka.bootstrap, acks="all", enable_idempotence=True, linger_ms=5,
            delivery_timeout_ms=300_000,
        )  # fmt: skip
        try:
            yield producer
            producer.flush(120)
        finally:
            producer.close(10)

    def _send(self, producer: Any, count: int, broken_every: int) -> None:
        for number in range(self.fed, self.fed + count):
            key = CENTRES[number % len(CENTRES)]
            broken = broken_every and number % broken_every == 0
            value = b"broken %d" % number if broken else b"%s %d" % (key, number)
            producer.send(self.sources[number % 2], value, key=key)
        self.fed += count


class Process:
    """One worker process of a case; `said` is what it last reported of itself."""

    def __init__(self, case: Case, number: int, instance_id: str | None, injected: tuple[str, ...]) -> None:
        settings = {
            "bootstrap": case.kafka.bootstrap,
            "app_id": case.app_id,
            "topic_prefix": case.prefix,
            "instance_id": instance_id,
        }
        self._status = case.folder / f"{case.app_id}-{number}.json"
        self.log = self._status.with_suffix(".log")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.one_worker", json.dumps(settings), str(self._status), *injected],
                stdout=log,
                stderr=log,
                cwd=Path(__file__).parents[2],
            )

    @property
    def said(self) -> Counter[str]:
        """Counts by name; 0 for all before the first report."""
        return Counter(json.loads(self._status.read_text()) if self._status.exists() else {"recovering": 1})

    def wait_ready(self, owned: int = ALL) -> None:
        def ready() -> bool:
            return self._alive()["owned"] == owned and not self.said["recovering"]

        wait_until(ready, f"the worker owns {owned} partitions; {self.log}")

    def wait_folding(self) -> None:
        before = self.said["folded"]
        wait_until(lambda: self._alive()["folded"] > before, f"the worker folds; {self.log}")

    def wait_burying(self) -> None:
        wait_until(lambda: self._alive()["dead"] > 0, f"dead letters; {self.log}")

    def _alive(self) -> Counter[str]:
        assert self.process.poll() is None, self.log.read_text()[-3000:]
        return self.said

    def signal(self, how: signal.Signals) -> None:
        self.process.send_signal(how)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def ended(self) -> int:
        return self.process.wait(HANG)


@pytest.fixture
def case(kafka: RealKafka, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Case]:
    made = Case(kafka, f"t{random.randrange(10**9)}", tmp_path)
    try:
        yield made
    finally:
        for worker in made.workers:
            worker.kill()


def test_a_worker_killed_at_random_moments_loses_and_repeats_nothing(case: Case) -> None:
    moments = random.Random(112)
    with case.load(1000):
        for _ in range(KILLS):
            worker = case.worker()
            worker.wait_folding()
            time.sleep(moments.uniform(0, 1.5))
            worker.kill()
    case.worker()
    case.assert_exact(1000 * KILLS)


def test_death_between_state_and_marker_is_healed_by_the_watermark(case: Case) -> None:
    doomed = case.worker("w1", "die before the marker")
    doomed.wait_ready()
    case.feed(900)
    case.assert_exact(900)
    case.feed(5000)
    assert doomed.ended() == 9
    heir = case.worker()
    case.assert_exact(5900)
    assert heir.said["replayed"] > 0


def test_a_commit_without_state_is_not_believed(case: Case) -> None:
    from kafka import KafkaConsumer, TopicPartition
    from kafka.structs import OffsetAndMetadata

    case.feed(2000)
    places = [TopicPartition(topic, number) for topic in case.sources for number in range(8)]
    consumer = KafkaConsumer(
        bootstrap_servers=case.kafka.bootstrap, group_id=case.group, enable_auto_commit=False, session_timeout_ms=6000
    )
    consumer.assign(places)
    consumer.commit({p: OffsetAndMetadata(end, "", -1) for p, end in consumer.end_offsets(places).items()})
    consumer.close()
    case.worker()
    case.assert_exact(2000)


def test_the_group_commits_what_the_state_holds(case: Case) -> None:
    case.feed(2000)
    worker = case.worker()
    worker.wait_folding()
    ends = Counter((r.topic, r.partition) for r in case.read(case.sources))

    def committed() -> dict[tuple[str, int], int]:
        with case.admin() as admin:
            groups = admin.list_group_offsets({case.group: None})
        return {(p.topic, p.partition): o.offset for p, o in groups[case.group].items() if o.offset > 0}

    wait_until(lambda: committed() == ends, "the group's offsets are the log's ends")


def test_a_broker_that_dies_or_freezes_is_waited_for(case: Case) -> None:
    worker = case.worker()
    with case.load(500):
        worker.wait_folding()
        case.kafka.kill()
        case.kafka.restart()
        worker.wait_folding()
        case.kafka.freeze()
        time.sleep(12)  # longer than the session
        case.kafka.thaw()
        worker.wait_folding()
    case.assert_exact(1000)
    assert worker.process.poll() is None


def test_partitions_move_between_workers_that_join_leave_and_die(case: Case) -> None:
    with case.load(500):
        first = case.worker(None)
        first.wait_ready()
        second = case.worker(None)
        wait_until(lambda: 0 < second.said["owned"] < ALL, "the second worker has a share")
        second.signal(signal.SIGTERM)
        assert second.ended() == 0
        first.wait_ready()
        third = case.worker(None)
        time.sleep(1.5)  # in the middle of joining
        third.kill()
        first.wait_ready()
        fourth = case.worker(None)
        wait_until(lambda: 0 < fourth.said["owned"] < ALL and fourth.said["folded"] > 0, "the fourth folds")
        first.kill()
        fourth.wait_ready()
    case.assert_exact(1000)


def test_a_worker_that_was_frozen_ends_itself_and_publishes_nothing(case: Case) -> None:
    frozen = case.worker(None)
    frozen.wait_ready()
    with case.load(500):
        frozen.wait_folding()
        frozen.signal(signal.SIGSTOP)
        heir = case.worker(None)
        heir.wait_ready()
        heir.wait_folding()
        frozen.signal(signal.SIGCONT)
        assert frozen.ended() == 70
    case.assert_exact(1000)


def test_a_compacted_changelog_recovers_the_same_state(case: Case) -> None:
    from kafka.admin import ConfigResource, ConfigResourceType

    with case.admin() as admin:
        # A cleaner that is changed is built anew: two buffers of the usual 128 MB are more than our small heap has.
        soon = {"log.cleaner.backoff.ms": "500", "log.cleaner.dedupe.buffer.size": "8388608"}
        admin.alter_configs([ConfigResource(ConfigResourceType.BROKER, "1", soon)])
    quick = {"cleanup.policy": "compact", "segment.ms": "1000", "min.cleanable.dirty.ratio": "0.01"}
    case.create({case.changelog: {**quick, "max.compaction.lag.ms": "1000"}})
    worker = case.worker()
    with case.load(500):
        worker.wait_folding()

        def has_holes() -> bool:
            offsets = [r.offset for r in case.read([case.changelog]) if r.partition == 0]
            return bool(offsets) and offsets[-1] > len(offsets) + 20  # what is gone is mostly the beginning

        wait_until(has_holes, "Kafka compacts")
        worker.kill()
        case.worker().wait_folding()
    case.assert_exact(500)


def test_records_of_aborted_transactions_are_not_folded(case: Case) -> None:
    from aiokafka import AIOKafkaProducer

    async def produce() -> None:
        producer = AIOKafkaProducer(bootstrap_servers=case.kafka.bootstrap, transactional_id=case.app_id)
        await producer.start()
        for batch in range(12):
            await producer.begin_transaction()
            for number in range(100):
                await producer.send(case.sources[0], b"32.71 %d" % number, key=b"32.71")
            await (producer.abort_transaction() if batch % 3 == 0 else producer.commit_transaction())
        await producer.stop()

    worker = case.worker()
    worker.wait_ready()
    asyncio.run(produce())
    wait_until(lambda: worker.said["folded"] == 800, "the committed ones are folded")
    worker.kill()
    asyncio.run(produce())
    case.worker()
    case.assert_exact(1600)


def test_every_unreadable_record_is_in_the_dead_letters_with_its_bytes(case: Case) -> None:
    from kafka import KafkaProducer

    huge = b"broken" + b"x" * 1_048_400
    producer = KafkaProducer(bootstrap_servers=case.kafka.bootstrap, max_request_size=2_000_000)
    producer.send(case.sources[0], huge, key=b"32.71")
    producer.send(case.sources[0], None, key=b"32.71")
    producer.close()
    worker = case.worker()
    for _ in range(3):
        case.feed(3000, broken_every=10)
        worker.wait_burying()
        worker.kill()
        worker = case.worker()
    original = {(r.topic, r.partition, r.offset): r for r in case.read(case.sources)}
    broken = {place for place, r in original.items() if r.value is None or r.value.startswith(b"broken")}
    assert len(broken) == 902

    def letters() -> dict[tuple[str, int, int], Any]:
        found = {}
        for letter in case.read([case.dead_letters]):
            h = {name: value.decode() for name, value in letter.headers}
            place = h["dlq_original_topic"], int(h["dlq_original_partition"]), int(h["dlq_original_offset"])
            found[place] = letter, h
        return found

    wait_until(lambda: letters().keys() == broken, "every broken record is a dead letter")
    for place, (letter, headers) in letters().items():
        assert letter.key == original[place].key
        assert headers["dlq_reason"] == "not_json"
        assert headers["dlq_original_timestamp"] == str(original[place].timestamp)
        assert letter.value == original[place].value or (
            original[place].value == huge and letter.value == huge[:65_536] and "first 65536 bytes" in headers["dlq_detail"]
        )


def test_a_bug_outside_the_fold_ends_the_worker_and_nothing_is_passed_over(case: Case) -> None:
    from kafka import KafkaProducer

    producer = KafkaProducer(bootstrap_servers=case.kafka.bootstrap)
    for value in (b"32.71 1", b"bug", b"32.71 2"):
        producer.send(case.sources[0], value, key=b"32.71")
    producer.close()
    for _ in range(2):
        worker = case.worker()
        assert worker.ended() == 1
        assert "a bug outside the fold" in worker.log.read_text()


def test_records_deleted_before_they_were_folded_raise_an_alarm(case: Case) -> None:
    from kafka import TopicPartition

    case.feed(1000)
    worker = case.worker()
    case.assert_exact(1000)
    worker.kill()
    case.feed(1000)
    ends = Counter((r.topic, r.partition) for r in case.read(case.sources))
    with case.admin() as admin:
        admin.delete_records({TopicPartition(*place): end - 1 for place, end in ends.items()})
    heir = case.worker()
    wait_until(lambda: heir.said["folded"] == len(ends), "what is left is folded")
    assert heir.said["below"] == len(ends)

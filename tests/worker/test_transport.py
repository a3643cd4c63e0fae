"""The consumer never skips a record: chunks, links and seeks, and the contract with the pinned Faust and aiokafka."""

import hashlib
import importlib.metadata
import inspect
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import aiokafka
import faust
import pytest
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from faust.transport.consumer import Consumer
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.settings import Settings
from streams.worker import transport
from streams.worker.transport import CHUNK_RECORDS, Chunk, StateOffsetConsumer, seek_target

STOCK: Any = transport._Batches.__base__
CALLS = TP("112.calls.v1", 3)
CHANGELOG = TP("app-v1-state-changelog", 3)


def records(offsets: Iterable[int], tp: TP = CALLS) -> list[Any]:
    return [SimpleNamespace(topic=tp.topic, partition=tp.partition, offset=offset, value=b"") for offset in offsets]


class Fetched(StateOffsetConsumer):
    """A consumer without Kafka: what it fetches and where the log begins and ends is given."""

    def __init__(self) -> None:
        self._deferred, self._position, self._links, self._epoch = set(), {}, {}, 0
        self._active_partitions, self._paused_partitions = set(), set()
        self._read_offset, self._committed_offset = {}, {}
        self._acked, self._acked_index = {CALLS: [3, 9]}, {CALLS: {3, 9}}
        self.fetched: dict[TP, list[Any]] = {}
        self.markers: dict[TP, int] = {}
        self.seeks: list[Any] = []
        self.flow = True
        self.app: Any = SimpleNamespace(consumer_generation_id=1, tables=SimpleNamespace(changelog_topics={CHANGELOG.topic}))
        self.transport: Any = SimpleNamespace(positions=self)

    flow_active = property(lambda self: self.flow)
    should_stop = False

    def marker(self, tp: TP) -> int | None:
        return self.markers.get(tp)

    def sought(self, tp: TP, position: int, epoch: int, beyond: str | None) -> None:
        self.seeks.append((tp, position, epoch, beyond))

    def assignment(self) -> set[TP]:
        return {CALLS, CHANGELOG}

    async def earliest_offsets(self, *tps: TP) -> dict[TP, int]:
        return dict.fromkeys(tps, 100)

    async def highwaters(self, *tps: TP) -> dict[TP, int]:
        return dict.fromkeys(tps, 200)

    async def seek_wait(self, partitions: Any) -> None:
        assert self.seeks == [], "nothing is folded before the seek is done"

    async def _wait_next_records(self, timeout: float) -> Any:  # noqa: ASYNC109
        return self.fetched, {CALLS, CHANGELOG}

    def _to_message(self, tp: TP, record: Any) -> Any:
        return SimpleNamespace(tp=tp, offset=record.offset, key=b"", value=record.value)


def run(coroutine: Any) -> Any:
    """Drive a coroutine that never really waits."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("it waited")


def messages(consumer: Fetched) -> Any:
    async def collect() -> list[Any]:
        return [message async for _, message in consumer.getmany(1.0)]

    return run(collect())


def test_records_come_in_chunks_that_bear_the_last_offset_and_an_unbroken_link() -> None:
    consumer = Fetched()
    consumer.begin_epoch({CALLS: 0})
    consumer.fetched = {CALLS: records(range(CHUNK_RECORDS + 7))}
    first, second = messages(consumer)
    assert (len(first.value), first.offset, first.value.link) == (CHUNK_RECORDS, CHUNK_RECORDS - 1, (1, 0))
    assert (len(second.value), second.offset, second.value.link) == (7, CHUNK_RECORDS + 6, (1, 1))


def test_records_before_the_position_are_trimmed_and_holes_are_legal() -> None:
    consumer = Fetched()
    consumer.begin_epoch({CALLS: 12})
    consumer.fetched = {CALLS: records([9, 10, 11, 12, 15, 40])}
    (chunk,) = messages(consumer)
    assert [record.offset for record in chunk.value] == [12, 15, 40]
    assert messages(consumer) == []


def test_records_are_read_as_aiokafka_reads_them_from_the_wanted_offset_on() -> None:
    batch = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 65_536)
    for offset, key, value in [(0, b"32.71", b"one"), (1, None, b"two"), (2, b"32.71", None)]:
        batch.append(offset, 1_700_000_000_000 + offset, key, value, [])

    def read(kind: Any) -> list[Any]:
        found = kind(CALLS, MemoryRecords(bytes(batch.build())), [], 1, None, None, True, fetcher.READ_COMMITTED)
        said = [(record.offset, record.timestamp, record.timestamp_type, record.key, record.value) for record in found]
        return [*said, found.next_fetch_offset]

    assert read(transport._Batches) == read(STOCK)
    assert [offset for offset, *_ in read(transport._Batches)[:-1]] == [1, 2]


def test_every_seek_begins_a_new_epoch() -> None:
    consumer = Fetched()
    for epoch in (1, 2):
        consumer.begin_epoch({CALLS: 0})
        consumer.fetched = {CALLS: records([0])}
        assert [message.value.link for message in messages(consumer)] == [(epoch, 0)]


def test_changelog_records_come_one_by_one() -> None:
    consumer = Fetched()
    consumer.fetched = {CHANGELOG: records([4, 5], CHANGELOG)}
    assert [message.offset for message in messages(consumer)] == [4, 5]
    assert not any(isinstance(message.value, Chunk) for message in messages(consumer))


def test_a_partition_that_was_never_sought_gives_nothing() -> None:
    consumer = Fetched()
    consumer.fetched = {CALLS: records([0])}
    assert messages(consumer) == []


def test_nothing_is_handed_over_once_a_rebalance_has_begun() -> None:
    consumer = Fetched()
    consumer.begin_epoch({CALLS: 0})
    consumer.fetched = {CALLS: records([0])}
    consumer.flow = False
    assert messages(consumer) == []


def test_source_partitions_are_resumed_with_the_flow_and_not_before() -> None:
    consumer = Fetched()
    event: Any = SimpleNamespace(set=lambda: None, clear=lambda: None)
    consumer.can_resume_flow = consumer.suspend_flow = event
    consumer.__class__ = type("Flowing", (Fetched,), {"flow_active": True})
    consumer.resume_partitions({CALLS, CHANGELOG})
    assert consumer._active_partitions == {CHANGELOG}
    consumer.resume_flow()
    assert consumer._active_partitions == {CALLS, CHANGELOG}
    consumer.resume_partitions({CALLS})
    consumer.pause_partitions({CALLS})
    consumer.resume_flow()
    assert CALLS not in consumer._active_partitions


@pytest.mark.parametrize(
    ("marker", "expected"),
    [
        (None, (100, None)),
        (150, (151, None)),
        (99, (100, None)),
        (98, (100, "below")),
        (199, (200, None)),
        (200, (200, "above")),
    ],
)
def test_reading_goes_on_after_the_marker_within_the_log(marker: int | None, expected: tuple[int, str | None]) -> None:
    assert seek_target(marker, start=100, end=200) == expected


def test_the_seek_follows_the_state_and_not_the_group() -> None:
    consumer = Fetched()
    consumer.markers = {CALLS: 150}
    run(consumer.perform_seek())
    assert consumer.seeks == [(CALLS, 151, 1, None)]
    assert consumer._read_offset == consumer._committed_offset == {CALLS: 151}
    assert CHANGELOG not in consumer._position


def test_the_group_is_told_the_marker_and_not_what_was_acknowledged() -> None:
    consumer = Fetched()
    assert consumer._new_offset(CALLS) is None
    consumer.markers = {CALLS: 5}
    assert consumer._new_offset(CALLS) == 6
    assert consumer._acked == {CALLS: []}


def source_hash(function: Any) -> str:
    return hashlib.sha256(inspect.getsource(function).encode()).hexdigest()[:16]


CONTRACT = {
    faust.App._create_directories: "a9f571c3b04abec3",
    Consumer._drain_messages: "44a2500309e83c63",
    Consumer._wait_next_records: "6218e1969a636b3f",
    Consumer._commit_tps: "a20e230b05ae8b15",
    Consumer._filter_committable_offsets: "dc5e9baf5d994485",
    Consumer.pause_partitions: "27a1c94bdacd54de",
    Consumer.resume_partitions: "afe6b7c02a41d63c",
    Consumer.resume_flow: "db59630f25b5819b",
    Consumer.perform_seek: "0e8c130ff4b0afd8",
    Consumer.getmany: "4b168d84882a70d6",
    driver.AIOKafkaConsumerThread._create_worker_consumer: "c2701bfc3e6f6cad",
    driver.AIOKafkaConsumerThread._seek_wait: "9d221e816d940467",
    driver.Consumer._to_message: "7c24f6511b2fcef7",
    fetcher.FetchResult.getall: "3e717e30de5068d5",
    STOCK.__init__: "8ec1c2ae6ea1af87",
    STOCK.__next__: "63ac34a08c309098",
    STOCK._unpack_records: "b803e6d46480732c",
    STOCK._consumer_record: "e668541600b047ab",
}


@pytest.mark.parametrize("function", CONTRACT, ids=lambda function: function.__qualname__)
def test_what_we_override_and_lean_on_is_the_code_we_know(function: Any) -> None:
    assert source_hash(function) == CONTRACT[function], "read the change in Faust, then decide"


def test_the_pinned_packages_are_installed() -> None:
    assert importlib.metadata.version("faust-streaming") == "0.15.3"
    assert importlib.metadata.version("aiokafka").startswith("0.14.")


@pytest.mark.parametrize(
    "name",
    [
        "pause_partitions", "resume_partitions", "resume_flow", "on_buffer_full", "on_buffer_drop", "_getmany",
        "getmany", "perform_seek", "_add_gap", "_new_offset", "_new_consumer_thread",
    ],
)  # fmt: skip
def test_overridden_methods_exist_with_these_parameters(name: str) -> None:
    stock = inspect.signature(getattr(driver.Consumer, name))
    ours = inspect.signature(getattr(StateOffsetConsumer, name))
    assert list(ours.parameters) == list(stock.parameters)


def test_aiokafka_keeps_its_isolation_level_where_we_set_it() -> None:
    source = inspect.getsource(aiokafka.AIOKafkaConsumer)
    assert "self._isolation_level = isolation_level" in source
    assert "isolation_level=self._isolation_level" in source


@pytest.mark.parametrize(
    ("protocol", "expected"), [("PLAINTEXT", None), ("SASL_PLAINTEXT", "SCRAM-SHA-512"), ("SASL_SSL", "SCRAM-SHA-512")]
)
def test_tls_and_sasl_settings_reach_aiokafka(protocol: str, expected: str | None) -> None:
    user = {"sasl_mechanism": expected, "sasl_username": "u", "sasl_password": "p"} if expected else {}
    settings = Settings(security_protocol=protocol, **user)  # type: ignore[arg-type]
    auth = driver.credentials_to_aiokafka_auth(transport.credentials(settings))
    assert auth["security_protocol"] == protocol
    assert auth.get("sasl_mechanism") == expected
    assert (auth.get("ssl_context") is not None) == (protocol == "SASL_SSL")

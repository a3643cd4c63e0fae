"""Reading the log on a real broker: what is written comes back once and in order, and a range is what it says."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiokafka.consumer import fetcher
from kafka import KafkaProducer

from schemas.event import Event
from schemas.topics import CALLS, OPERATORS, PARTITIONS, encode
from streams.log import reader as reading
from streams.log.kafka import Log
from streams.log.reader import Fetch, Reader
from streams.log.topics import partition_of
from streams.settings import Settings
from streams.worker.transport import _Batches
from tests.conftest import RealKafka
from tests.log.told import BANDUNG, BOGOR, JAKARTA, NOON, abandoned, offered, seat_taken


@pytest.fixture
def raw(kafka: RealKafka) -> Iterator[KafkaProducer]:
    producer = KafkaProducer(bootstrap_servers=kafka.bootstrap)
    yield producer
    producer.close()


@pytest.mark.stack
@pytest.mark.parametrize("records", [fetcher.PartitionRecords, _Batches], ids=["copied", "uncopied-as-in-a-worker"])
def test_what_is_written_is_read_back_by_event_time_across_topics_and_centres(
    events_log: Log, reader: Reader, records: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetcher, "PartitionRecords", records)
    second = timedelta(seconds=1)
    written = [offered(n, NOON + n * second, city) for n in range(50) for city in (BOGOR, JAKARTA)]
    # Written last, but happened in between.
    written += [seat_taken(n, NOON + n * second + second / 2) for n in range(50)]
    assert events_log.write(written) == 150

    got = list(reader.read([CALLS.name, OPERATORS.name]))

    assert [record.time for record in got] == sorted(event.time.timestamp() for event in written)
    assert {record.value for record in got} == {encode(event) for event in written}
    assert {record.topic for record in got} == {CALLS.name, OPERATORS.name}
    assert {(record.key, record.partition) for record in got} == {
        (city.encode(), partition_of(city, PARTITIONS)) for city in (BOGOR, JAKARTA)
    }


@pytest.mark.stack
def test_a_partition_keeps_its_own_order_even_where_time_goes_back(events_log: Log, reader: Reader) -> None:
    written = [offered(1, NOON), abandoned(2, NOON - timedelta(minutes=5)), offered(3, NOON + timedelta(minutes=1))]
    events_log.write(written)
    assert [record.item for record in reader.read([CALLS.name])] == written


@pytest.mark.stack
def test_a_range_in_time_is_of_event_time_and_half_open(events_log: Log, reader: Reader) -> None:
    events_log.write([offered(n, NOON + timedelta(minutes=n)) for n in range(10)])
    events_log.write([offered(99, NOON + timedelta(minutes=4))])  # came late
    got = [r.item for r in reader.read([CALLS.name], NOON + timedelta(minutes=3), NOON + timedelta(minutes=6))]
    assert [event.id for event in got if isinstance(event, Event)] == ["o3", "o4", "o5", "o99"]


@pytest.mark.stack
def test_a_range_of_recent_events_begins_near_them(events_log: Log, reader: Reader) -> None:
    now = datetime.now(UTC)
    events_log.write([offered(n, now + timedelta(minutes=n)) for n in range(0, 60, 10)])
    got = [r.item for r in reader.read([CALLS.name], now + timedelta(minutes=30))]
    assert [event.id for event in got if isinstance(event, Event)] == ["o30", "o40", "o50"]


@pytest.mark.stack
def test_a_range_of_offsets_is_half_open(events_log: Log, reader: Reader) -> None:
    events_log.write([offered(n, NOON) for n in range(10)])
    place = (CALLS.name, partition_of(BOGOR, PARTITIONS))
    assert [record.offset for record in reader.read([CALLS.name], {place: 3}, {place: 6})] == [3, 4, 5]


@pytest.mark.stack
def test_reading_ends_where_the_log_ended_when_it_began(events_log: Log, reader: Reader) -> None:
    events_log.write([offered(n, NOON) for n in range(10)])
    records = reader.read([CALLS.name])
    first = next(records)
    events_log.write([offered(n, NOON) for n in range(10, 20)])
    assert [first.offset, *(record.offset for record in records)] == list(range(10))


@pytest.mark.stack
def test_a_long_partition_beside_a_short_one_is_read_whole_and_in_order(
    events_log: Log, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "BLOCK", 100)
    monkeypatch.setattr(reading, "FETCH_BYTES", 10_000)  # about 30 events; a batch comes whole
    held: list[int] = []
    take = Fetch._take

    def took(self: Fetch, *given: Any) -> None:
        take(self, *given)
        held.append(sum(map(len, self._waiting.values())))

    monkeypatch.setattr(Fetch, "_take", took)
    second = timedelta(seconds=1)
    events_log.write(offered(n, NOON + n * second) for n in range(3000))
    events_log.write(offered(n, NOON + n * second, JAKARTA) for n in range(0, 3000, 10))
    times = [record.time for record in reader.read([CALLS.name])]
    assert len(times) == 3300
    assert times == sorted(times)
    assert max(held) < 700  # two partitions: half a block and the batch that came on top


@pytest.mark.stack
def test_of_a_partition_that_spans_name_only_those_offsets_are_read(events_log: Log, reader: Reader) -> None:
    events_log.write([offered(n, NOON + timedelta(seconds=n), city) for n in range(5_000) for city in (BOGOR, JAKARTA)])
    place = (CALLS.name, partition_of(BOGOR, PARTITIONS))
    spans = {place: [(3, 5), (5, 5), (7, 8), (2_500, 2_502), (4_998, None)]}
    got = [record.offset for record in reader.read([CALLS.name], spans=spans) if (record.topic, record.partition) == place]
    assert got == [3, 4, 7, 2_500, 2_501, 4_998, 4_999]
    assert [record.offset for record in reader.kept(CALLS.name, spans)] == got  # and of no other partition anything


@pytest.mark.stack
def test_long_partitions_side_by_side_are_read_whole_and_in_order(
    events_log: Log, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "STALL_SECONDS", 5.0)
    second = timedelta(seconds=1)
    events_log.write(offered(n, NOON + n * second, city) for n in range(10_000) for city in (BOGOR, JAKARTA, BANDUNG))
    times = [record.time for record in reader.read([CALLS.name])]
    assert len(times) == 30_000
    assert times == sorted(times)


@pytest.mark.stack
def test_only_committed_records_are_read_and_an_aborted_end_is_still_an_end(
    kafka: RealKafka, settings: Settings, events_log: Log, reader: Reader
) -> None:
    producer = KafkaProducer(bootstrap_servers=kafka.bootstrap, transactional_id=settings.app_id)
    producer.init_transactions()
    for number, commit in enumerate((True, False, True, False)):
        producer.begin_transaction()
        producer.send(settings.topic_prefix + CALLS.name, encode(offered(number, NOON)), BOGOR.encode())
        producer.flush()
        producer.commit_transaction() if commit else producer.abort_transaction()
    producer.close()
    got = [record.item for record in reader.read([CALLS.name])]
    assert [event.id for event in got if isinstance(event, Event)] == ["o0", "o2"]


@pytest.mark.stack
def test_what_is_no_event_is_read_as_it_is(settings: Settings, events_log: Log, reader: Reader, raw: KafkaProducer) -> None:
    topic = settings.topic_prefix + CALLS.name
    raw.send(topic, b"{broken", b"x", partition=0)
    raw.send(topic, None, b"x", partition=0)
    raw.flush()
    got = list(reader.read([CALLS.name]))
    assert [(record.value, getattr(record.item, "reason", None)) for record in got] == [
        (b"{broken", "not_json"),
        (None, "empty"),
    ]


@pytest.mark.stack
def test_the_same_event_sent_again_lies_beside_the_first(events_log: Log, reader: Reader) -> None:
    events_log.write([offered(7, NOON)])
    events_log.write([offered(7, NOON)])
    one, two = reader.read([CALLS.name])
    assert (one.partition, one.key, one.value) == (two.partition, two.key, two.value)
    assert 0 <= one.partition < PARTITIONS

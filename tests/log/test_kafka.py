"""The log on a real broker: what is written is read back, once, in order, and an absent Kafka is said in one line."""

import asyncio
import gc
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from kafka import KafkaAdminClient, KafkaProducer

from schemas.calls import Abandoned, CallAbandoned, CallOffered, Offered
from schemas.event import Event
from schemas.operators import OperatorLoggedIn, Seat
from schemas.topics import CALLS, DEAD_LETTERS, OPERATORS, PARTITIONS, encode
from streams.core.nouns import STATE_VERSION
from streams.log import access
from streams.log import kafka as log
from streams.log.kafka import Log, LogError
from streams.log.producer import Producer
from streams.log.topics import partition_of, plans, sources
from streams.settings import Settings
from streams.worker import app
from tests.conftest import HANG, RealKafka, free_port
from tests.edge.far_ends import until

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
BOGOR, JAKARTA, BANDUNG = "32.71", "31.71", "32.73"  # each in a partition of its own
_prefixes = count()


def offered(number: int, at: datetime, city: str = BOGOR) -> Event:
    data = Offered(call=f"c{number}", queue="112")
    return CallOffered(id=f"o{number}", source=f"/{city}/test", subject=city, time=at, data=data)


def abandoned(number: int, at: datetime, city: str = BOGOR) -> Event:
    return CallAbandoned(id=f"a{number}", source=f"/{city}/test", subject=city, time=at, data=Abandoned(call=f"c{number}"))


def seat_taken(number: int, at: datetime, city: str = BOGOR) -> Event:
    return OperatorLoggedIn(id=f"s{number}", source=f"/{city}/test", subject=city, time=at, data=Seat(seat="Agent/1"))


@pytest.fixture
def settings(kafka: RealKafka) -> Settings:
    """Topics and changelog of this test alone."""
    name = f"log{next(_prefixes)}"
    return Settings(bootstrap=kafka.bootstrap, topic_prefix=f"{name}.", app_id=name)


@pytest.fixture
def events_log(settings: Settings) -> Iterator[Log]:
    with Log(settings) as opened:
        opened.create_topics()
        yield opened


@pytest.fixture
def raw(kafka: RealKafka) -> Iterator[KafkaProducer]:
    producer = KafkaProducer(bootstrap_servers=kafka.bootstrap)
    yield producer
    producer.close()


def test_the_changelog_is_planned_as_the_worker_makes_it() -> None:
    changelog = plans(Settings(app_id="centre"), PARTITIONS)[-1]
    assert changelog.name == f"centre-v{STATE_VERSION}-state-changelog"
    assert changelog.config == {"cleanup.policy": "compact"} | {name: str(v) for name, v in app.CHANGELOG_CONFIG.items()}


def test_bytes_that_could_hold_anything_are_forgotten_after_three_days_also_when_more_come_all_the_time() -> None:
    letters = next(plan for plan in plans(Settings(), PARTITIONS) if plan.name == DEAD_LETTERS.name)
    kept, open_ = (int(letters.config[name]) / 86_400_000 for name in ("retention.ms", "segment.ms"))
    assert kept == 3
    assert kept + open_ < 3.5


def test_an_absent_kafka_is_one_clear_line_at_once(caplog: pytest.LogCaptureFixture) -> None:
    port = free_port()
    began = time.monotonic()
    with Log(Settings(bootstrap=f"127.0.0.1:{port}")) as nobody:
        for ask in (
            nobody.check,
            nobody.create_topics,
            lambda: nobody.write([offered(1, NOON)]),
            lambda: list(nobody.read([CALLS.name])),
        ):
            with pytest.raises(LogError, match=rf"^no Kafka at 127.0.0.1:{port}: nobody listens there; start it"):
                ask()
    assert time.monotonic() - began < 60
    assert caplog.records == []


def test_a_port_that_is_silent_is_no_kafka_either(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(access, "ANSWER_SECONDS", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        with Log(Settings(bootstrap=address)) as nobody, pytest.raises(LogError, match=f"no Kafka at {address}"):
            nobody.check()
    assert caplog.records == []


@pytest.mark.stack
def test_topics_are_created_once_and_then_left_as_they_are(settings: Settings) -> None:
    with Log(settings) as log_:
        assert {found.state for found in log_.check()} == {"missing"}
        assert {found.state for found in log_.create_topics()} == {"created"}
        assert {found.state for found in log_.create_topics()} == {"as planned"}
        assert len(log_.check()) == len(plans(settings, PARTITIONS))


@pytest.mark.stack
def test_a_topic_with_other_settings_is_reported_and_not_changed(kafka: RealKafka, settings: Settings) -> None:
    admin = KafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    week = {"retention.ms": "604800000", "retention.bytes": "-1"}
    admin.create_topics(
        {
            settings.topic_prefix + CALLS.name: {"num_partitions": 8, "replication_factor": 1, "configs": week},
            settings.topic_prefix + OPERATORS.name: {"num_partitions": 3, "replication_factor": 1},
            plans(settings, PARTITIONS)[-1].name: {"num_partitions": 8, "replication_factor": 1},
        }
    )
    admin.close()
    with Log(settings) as log_:
        calls, operators, *others, changelog = log_.create_topics()
    assert (calls.state, operators.state, changelog.state) == ("differs", "unusable", "unusable")
    assert {found.state for found in others} == {"created"}
    assert "retention.ms=604800000 (planned 34560000000)" in calls.detail
    assert "3 partitions and must have 8" in operators.detail
    assert "cleanup.policy=delete (planned compact)" in changelog.detail


@pytest.mark.stack
def test_what_is_written_is_read_back_by_event_time_across_topics_and_centres(events_log: Log) -> None:
    second = timedelta(seconds=1)
    written = [offered(n, NOON + n * second, city) for n in range(50) for city in (BOGOR, JAKARTA)]
    # Written last, but happened in between.
    written += [seat_taken(n, NOON + n * second + second / 2) for n in range(50)]
    assert events_log.write(written) == 150

    records = list(events_log.read([CALLS.name, OPERATORS.name]))

    assert [record.time for record in records] == sorted(event.time.timestamp() for event in written)
    assert {record.value for record in records} == {encode(event) for event in written}
    assert {record.topic for record in records} == {CALLS.name, OPERATORS.name}
    assert {(record.key, record.partition) for record in records} == {
        (city.encode(), partition_of(city, PARTITIONS)) for city in (BOGOR, JAKARTA)
    }


@pytest.mark.stack
def test_a_partition_keeps_its_own_order_even_where_time_goes_back(events_log: Log) -> None:
    written = [offered(1, NOON), abandoned(2, NOON - timedelta(minutes=5)), offered(3, NOON + timedelta(minutes=1))]
    events_log.write(written)
    assert [record.item for record in events_log.read([CALLS.name])] == written


@pytest.mark.stack
def test_a_range_in_time_is_of_event_time_and_half_open(events_log: Log) -> None:
    events_log.write([offered(n, NOON + timedelta(minutes=n)) for n in range(10)])
    events_log.write([offered(99, NOON + timedelta(minutes=4))])  # came late
    got = [r.item for r in events_log.read([CALLS.name], NOON + timedelta(minutes=3), NOON + timedelta(minutes=6))]
    assert [event.id for event in got if isinstance(event, Event)] == ["o3", "o4", "o5", "o99"]


@pytest.mark.stack
def test_a_range_of_recent_events_begins_near_them(events_log: Log) -> None:
    now = datetime.now(UTC)
    events_log.write([offered(n, now + timedelta(minutes=n)) for n in range(0, 60, 10)])
    got = [r.item for r in events_log.read([CALLS.name], now + timedelta(minutes=30))]
    assert [event.id for event in got if isinstance(event, Event)] == ["o30", "o40", "o50"]


@pytest.mark.stack
def test_a_range_of_offsets_is_half_open(events_log: Log) -> None:
    events_log.write([offered(n, NOON) for n in range(10)])
    place = (CALLS.name, partition_of(BOGOR, PARTITIONS))
    assert [record.offset for record in events_log.read([CALLS.name], {place: 3}, {place: 6})] == [3, 4, 5]


@pytest.mark.stack
def test_reading_ends_where_the_log_ended_when_it_began(events_log: Log) -> None:
    events_log.write([offered(n, NOON) for n in range(10)])
    reading = events_log.read([CALLS.name])
    first = next(reading)
    events_log.write([offered(n, NOON) for n in range(10, 20)])
    assert [first.offset, *(record.offset for record in reading)] == list(range(10))


@pytest.mark.stack
def test_a_long_partition_beside_a_short_one_is_read_whole_and_in_order(events_log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "BLOCK", 100)
    second = timedelta(seconds=1)
    events_log.write(offered(n, NOON + n * second) for n in range(3000))
    events_log.write(offered(n, NOON + n * second, JAKARTA) for n in range(0, 3000, 1000))
    times = [record.time for record in events_log.read([CALLS.name])]
    assert len(times) == 3003
    assert times == sorted(times)


@pytest.mark.stack
def test_long_partitions_side_by_side_are_read_whole_and_in_order(events_log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "STALL_SECONDS", 5.0)
    second = timedelta(seconds=1)
    events_log.write(offered(n, NOON + n * second, city) for n in range(10_000) for city in (BOGOR, JAKARTA, BANDUNG))
    times = [record.time for record in events_log.read([CALLS.name])]
    assert len(times) == 30_000
    assert times == sorted(times)


@pytest.mark.stack
def test_only_committed_records_are_read_and_an_aborted_end_is_still_an_end(
    kafka: RealKafka, settings: Settings, events_log: Log
) -> None:
    producer = KafkaProducer(bootstrap_servers=kafka.bootstrap, transactional_id=settings.app_id)
    producer.init_transactions()
    for number, commit in enumerate((True, False, True, False)):
        producer.begin_transaction()
        producer.send(settings.topic_prefix + CALLS.name, encode(offered(number, NOON)), BOGOR.encode())
        producer.flush()
        producer.commit_transaction() if commit else producer.abort_transaction()
    producer.close()
    got = [record.item for record in events_log.read([CALLS.name])]
    assert [event.id for event in got if isinstance(event, Event)] == ["o0", "o2"]


@pytest.mark.stack
def test_what_is_no_event_is_read_as_it_is(settings: Settings, events_log: Log, raw: KafkaProducer) -> None:
    topic = settings.topic_prefix + CALLS.name
    raw.send(topic, b"{broken", b"x", partition=0)
    raw.send(topic, None, b"x", partition=0)
    raw.flush()
    got = list(events_log.read([CALLS.name]))
    assert [(record.value, getattr(record.item, "reason", None)) for record in got] == [
        (b"{broken", "not_json"),
        (None, "empty"),
    ]


@pytest.mark.stack
def test_the_same_event_sent_again_lies_beside_the_first(events_log: Log) -> None:
    events_log.write([offered(7, NOON)])
    events_log.write([offered(7, NOON)])
    one, two = events_log.read([CALLS.name])
    assert (one.partition, one.key, one.value) == (two.partition, two.key, two.value)
    assert 0 <= one.partition < PARTITIONS


@pytest.mark.stack
def test_writing_to_a_topic_that_is_missing_or_folding_it_says_how_to_create_it(kafka: RealKafka, settings: Settings) -> None:
    name, letters = settings.topic_prefix + CALLS.name, settings.topic_prefix + DEAD_LETTERS.name
    with Log(settings) as log_:
        with pytest.raises(LogError, match=f"no topic {name} .* Run: pantau112 topics create"):
            log_.cluster()
        with pytest.raises(LogError, match=f"no topic {name} .* Run: pantau112 topics create"):
            log_.write([offered(1, NOON)])
        with pytest.raises(LogError, match=f"no topic {name} .* Run: pantau112 topics create"):
            list(log_.read([CALLS.name]))
        cut(kafka, dict.fromkeys(sources(settings), 1))
        with pytest.raises(LogError, match=f"no topic {letters} .* Run: pantau112 topics create"):
            log_.cluster()


def cut(kafka: RealKafka, partitions: dict[str, int]) -> None:
    """Topics with so many partitions each, as somebody may make them by hand."""
    admin = KafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    admin.create_topics({name: {"num_partitions": number, "replication_factor": 1} for name, number in partitions.items()})
    admin.close()


@pytest.mark.stack
def test_topics_keep_the_number_of_partitions_that_they_were_created_with(settings: Settings) -> None:
    with Log(settings) as log_:
        assert {found.state for found in log_.create_topics(3)} == {"created"}
        assert log_.cluster() == (1, 3)
        for again in (None, 3):
            assert {found.state for found in log_.create_topics(again)} == {"as planned"}
        with pytest.raises(LogError, match=r"have 3 partitions and keep them.* another PANTAU112_TOPIC_PREFIX"):
            log_.create_topics(8)
        # A new form of state has a changelog that is not there yet.
        renewed = settings.model_copy(update={"app_id": settings.app_id + "-next"})
        with Log(renewed) as next_:
            assert next_.cluster() == (1, 3)
            assert [found.state for found in next_.create_topics()][-1] == "created"
            assert next_.check()[-1].state == "as planned"


@pytest.mark.stack
def test_nothing_is_written_or_folded_where_centres_would_fall_elsewhere(kafka: RealKafka, settings: Settings) -> None:
    names = sources(settings)
    cut(kafka, {name: 3 for name in names[1:]} | {names[0]: 5})
    with Log(settings) as log_:
        states = {found.topic: found for found in log_.create_topics()}
        assert states[names[0]].state == "unusable"
        assert {found.state for name, found in states.items() if name not in names} == {"created"}
        with pytest.raises(LogError, match=f"topic {names[0]} has 5 partitions and must have 3"):
            log_.cluster()
        with pytest.raises(LogError, match=f"topic {names[0]} has 5 partitions and must have 3"):
            log_.write([offered(1, NOON)])

    async def many() -> None:
        producer = Producer(settings)
        running = asyncio.create_task(producer.run())
        await until(lambda: bool(producer._miscut))
        assert not producer.is_up
        try:
            await producer.write([seat_taken(1, NOON)])
        finally:
            running.cancel()

    with pytest.raises(LogError, match=f"topic {names[0]} has 5 partitions and must have 3"):
        asyncio.run(asyncio.wait_for(many(), HANG))


@pytest.mark.stack
def test_a_changelog_of_other_topics_is_told_from_ours(kafka: RealKafka, settings: Settings) -> None:
    changelog = plans(settings, 3)[-1].name
    cut(kafka, {changelog: 5})
    with Log(settings) as log_:
        assert "stop all workers, delete it" in log_.create_topics(3)[-1].detail
        with pytest.raises(LogError, match=f"{changelog} has 5 partitions and must have 3"):
            log_.cluster()


@pytest.mark.stack
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # kafka-python leaks sockets it is refused
def test_a_broker_that_is_away_while_events_are_written_costs_none(kafka: RealKafka, events_log: Log) -> None:
    events_log.write([offered(0, NOON)])
    kafka.kill()
    for n in range(1, 200):
        events_log.send(offered(n, NOON))
    kafka.restart()
    events_log.flush()
    got = [record.item for record in events_log.read([CALLS.name])]
    assert [event.id for event in got if isinstance(event, Event)] == [f"o{n}" for n in range(200)]
    gc.collect()


def _tell_that_the_broker_is_away(log: Log) -> None:
    with log:
        log.send(offered(1, NOON))
        raise LogError("the broker is away")


@pytest.mark.stack
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # kafka-python leaks sockets it is refused
def test_what_goes_wrong_while_a_broker_is_away_is_told_and_not_hidden_by_the_closing(kafka: RealKafka, events_log: Log) -> None:
    events_log.write([offered(0, NOON)])
    kafka.kill()
    try:
        with pytest.raises(LogError, match="the broker is away"):
            _tell_that_the_broker_is_away(events_log)
        assert not [thread for thread in threading.enumerate() if thread.name.endswith("-network-thread")]
    finally:
        kafka.restart()
    gc.collect()


@pytest.mark.stack
def test_the_newest_record_tells_when_it_was_written(events_log: Log) -> None:
    assert events_log.newest() is None
    before = time.time()
    events_log.write([offered(1, NOON)])
    newest = events_log.newest()
    assert newest is not None
    assert before - 1 <= newest <= time.time() + 1

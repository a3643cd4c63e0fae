"""The log on a real broker: what is written is read back, once, in order, and an absent Kafka is said in one line."""

import asyncio
import gc
import socket
import threading
import time

import pytest
from kafka import KafkaAdminClient

from schemas.event import Event
from schemas.topics import CALLS, DEAD_LETTERS, OPERATORS, PARTITIONS
from streams.core.nouns import STATE_VERSION
from streams.log import access
from streams.log.access import LogError
from streams.log.kafka import Log
from streams.log.producer import Producer
from streams.log.reader import Reader
from streams.log.topics import plans, sources
from streams.settings import Settings
from streams.worker import app
from tests.conftest import HANG, RealKafka, free_port
from tests.edge.far_ends import until
from tests.log.told import NOON, offered, seat_taken


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
            lambda: list(Reader(nobody._settings).read([CALLS.name])),
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
def test_writing_to_a_topic_that_is_missing_or_folding_it_says_how_to_create_it(kafka: RealKafka, settings: Settings) -> None:
    name, letters = settings.topic_prefix + CALLS.name, settings.topic_prefix + DEAD_LETTERS.name
    with Log(settings) as log_:
        with pytest.raises(LogError, match=f"no topic {name} .* Run: pantau112 topics create"):
            log_.cluster()
        with pytest.raises(LogError, match=f"no topic {name} .* Run: pantau112 topics create"):
            log_.write([offered(1, NOON)])
        with pytest.raises(LogError, match=f"no topic {name} .* Run: pantau112 topics create"):
            list(Reader(log_._settings).read([CALLS.name]))
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
            await asyncio.wait([running])  # it closes its connections

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
def test_a_broker_that_is_away_while_events_are_written_costs_none(kafka: RealKafka, events_log: Log, reader: Reader) -> None:
    events_log.write([offered(0, NOON)])
    kafka.kill()
    for n in range(1, 200):
        events_log.send(offered(n, NOON))
    kafka.restart()
    events_log.flush()
    got = [record.item for record in reader.read([CALLS.name])]
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


def test_a_group_is_deleted_when_a_kafka_that_was_just_started_has_read_who_was_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = ["OK", "CoordinatorLoadInProgressError"]

    class JustStarted:
        def __init__(self, **_: object) -> None: ...

        def describe_topics(self, _: list[str]) -> list[dict[str, object]]:
            return []

        def delete_groups(self, groups: list[str]) -> dict[str, str]:
            return {group: answers.pop() for group in groups}

        def close(self) -> None: ...

    monkeypatch.setattr("streams.log.kafka.KafkaAdminClient", JustStarted)
    monkeypatch.setattr("streams.log.kafka.let_in", lambda _: None)
    with Log(Settings(bootstrap="127.0.0.1:9")) as log:
        log.remove("112.calls.v1", "pantau112-v1")

    assert not answers

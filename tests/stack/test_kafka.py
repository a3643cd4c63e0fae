"""The real broker: it starts, keeps what it acknowledged through a kill, and is there again."""

import asyncio
import gc
import socket
from pathlib import Path
from typing import Any

import pytest
from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.admin import DeleteTopicsRequest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic

from streams.log.access import LogError
from streams.log.kafka import Log
from streams.log.reader import Reader
from streams.settings import Settings
from streams.stack.kafka import Broker, find_java
from streams.stack.ports import is_ours
from tests.conftest import HANG, LockedKafka, RealKafka, free_port

pytestmark = pytest.mark.stack


@pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning")
def test_what_the_broker_acknowledged_is_readable_after_a_kill(kafka: RealKafka) -> None:
    admin = KafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    admin.create_topics([NewTopic("stack-kill", 1, 1)])
    admin.close()
    producer = KafkaProducer(bootstrap_servers=kafka.bootstrap, acks="all", retries=0, max_block_ms=2000)
    sent = [producer.send("stack-kill", b"%d" % number) for number in range(2000)]
    sent[1000].get(HANG)
    kafka.kill()
    acknowledged = sum(1 for future in sent if future.is_done and not future.failed())
    producer.close(timeout=1)
    del producer
    gc.collect()  # kafka-python 3.0 leaves the sockets of refused connections open

    kafka.restart()

    consumer = KafkaConsumer(
        bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest", consumer_timeout_ms=int(HANG * 1000)
    )
    partition = TopicPartition("stack-kill", 0)
    consumer.assign([partition])
    end = consumer.end_offsets([partition])[partition]
    read = {next(consumer).value for _ in range(end)}
    consumer.close()
    assert acknowledged > 1000
    assert {b"%d" % number for number in range(acknowledged)} <= read


def test_a_frozen_broker_goes_on_when_thawed(kafka: RealKafka) -> None:
    pid = kafka.pid
    kafka.freeze()
    kafka.thaw()
    admin = KafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    assert len(admin.describe_cluster()["brokers"]) == 1
    admin.close()
    assert kafka.pid == pid


def test_what_was_written_when_everybody_was_let_in_is_there_for_those_with_the_password_and_for_nobody_else(
    tmp_path: Path, kafka_jars: list[Path]
) -> None:
    broker = Broker(tmp_path / "data", tmp_path / "log", free_port(), free_port(), find_java(None), kafka_jars)
    before = RealKafka(broker)
    before.start()
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap)
    with Log(Settings(bootstrap=broker.bootstrap)) as log:
        log.create_topics()
    producer.send("112.calls.v1", b"old").get(HANG)
    producer.close()
    before.stop()

    after = LockedKafka(broker)
    try:
        after.start()
        after.let_in("pantau112", "s3cret")
        who: dict[str, Any] = {"sasl_username": "pantau112", "sasl_password": "s3cret", "sasl_mechanism": "SCRAM-SHA-512"}
        ours = Settings(bootstrap=broker.bootstrap, security_protocol="SASL_PLAINTEXT", **who)
        with Log(ours) as log:
            assert [record.value for record in Reader(ours).read(["112.calls.v1"])] == [b"old"]
            assert {found.state for found in log.check()} == {"as planned"}
        assert broker.settings.stat().st_mode & 0o777 == 0o600
        controller = f"127.0.0.1:{broker.controller_port}"
        for stranger, says in (
            (Settings(bootstrap=broker.bootstrap), "wants a user and a password"),
            (Settings(bootstrap=controller), "is a controller"),
            (ours.model_copy(update={"bootstrap": controller}), "takes no SCRAM-SHA-512"),
            (ours.model_copy(update={"bootstrap": controller, "sasl_mechanism": "PLAIN"}), "knows no user pantau112"),
            (ours.model_copy(update={"sasl_mechanism": "PLAIN"}), "knows no user pantau112"),
            (ours.model_copy(update={"sasl_username": "first"}), "knows no user first"),
        ):
            with Log(stranger) as log, pytest.raises(LogError, match=says):
                log.check()
        asyncio.run(delete_unasked("112.calls.v1", broker.controller_port))
        assert len(list(Reader(ours).read(["112.calls.v1"]))) == 1
    finally:
        after.kill()


async def delete_unasked(topic: str, controller_port: int) -> None:
    """What another user of the machine would try at the controller; it hangs up."""
    stranger = AIOKafkaConnection("127.0.0.1", controller_port)
    await stranger.connect()
    with pytest.raises(KafkaConnectionError):
        await stranger.send(DeleteTopicsRequest([topic], 1000))
    await stranger.close()


def test_only_what_our_own_user_listens_with_is_ours(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert is_ours(port)
        (tmp_path / "net").mkdir()
        line = next(line for line in Path("/proc/net/tcp").read_text().splitlines() if f":{port:04X} 00000000:0000 0A" in line)
        number, local, remote, state, queues, timer, retries, user, *rest = line.split()
        other = " ".join([number, local, remote, state, queues, timer, retries, str(int(user) + 1), *rest])
        (tmp_path / "net" / "tcp").write_text(f"head\n{other}\n")
        assert not is_ours(port, tmp_path)
        (tmp_path / "net" / "tcp").write_text(f"head\n{line}\n{other}\n")
        assert not is_ours(port, tmp_path)
    assert not is_ours(port)

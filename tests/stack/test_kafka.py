"""The real broker: it starts, keeps what it acknowledged through a kill, and is there again."""

import gc

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic

from tests.conftest import HANG, RealKafka

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

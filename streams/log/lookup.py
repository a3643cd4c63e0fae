"""What one centre told lately, read from the log when somebody asks, by a server that goes on with everything else meanwhile."""

import asyncio
from datetime import datetime

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from schemas.event import Event
from schemas.topics import Topic, decode
from streams.log.producer import connection, explained
from streams.log.topics import partition_of
from streams.settings import Settings

LOOK_SECONDS = 5.0
"""Longest that looking may take."""


class Lookup:
    """Looks into the log; every question is a connection of its own."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def events(self, topic: Topic, centre: str, since: datetime, kind: str) -> list[Event]:
        """The events of one type that a centre told and Kafka has had since that moment. Raises `LogError`."""
        consumer = AIOKafkaConsumer(
            **connection(self._settings), enable_auto_commit=False, isolation_level="read_committed", auto_offset_reset="earliest"
        )
        name = self._settings.topic_prefix + topic.name
        holds, found = kind.encode(), list[Event]()
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await consumer.start()
                consumer.assign([TopicPartition(name, 0)])
                await consumer.end_offsets([TopicPartition(name, 0)])  # then it knows how many there are
                place = TopicPartition(name, partition_of(centre, len(consumer.partitions_for_topic(name))))
                consumer.assign([place])
                first = (await consumer.offsets_for_times({place: int(since.timestamp() * 1000)}))[place]
                end = (await consumer.end_offsets([place]))[place]
                if first is None:
                    return []
                consumer.seek(place, first.offset)
                while await consumer.position(place) < end:
                    for record in (await consumer.getmany(place, timeout_ms=500)).get(place, ()):
                        if record.value and holds in record.value and isinstance(event := decode(record.value), Event):
                            found.append(event)
        except (KafkaError, OSError) as error:
            raise explained(self._settings, error, place.topic) from None
        finally:
            await consumer.stop()
        return [event for event in found if event.type == kind and event.subject == centre]

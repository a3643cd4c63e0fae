"""What the benchmarks send: a simulated day of all of Indonesia's centres, as raw records."""

import asyncio
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer

from schemas.topics import PARTITIONS, TOPIC_OF, encode
from streams import centres
from streams.centres import indonesia
from streams.log.topics import partition_of
from streams.sources import simulate

NATION = "nation."
"""What the topics that hold it are prefixed with."""

BOGOR = next(iter(centres.load([]).values()))


class Raw(NamedTuple):
    """One event on its way: its topic (without prefix), the centre it is keyed by and its bytes."""

    topic: str
    centre: str
    value: bytes


def midnight() -> datetime:
    """The last local midnight: no event that a benchmark sends lies after it."""
    return datetime.now(BOGOR.timezone).replace(hour=0, minute=0, second=0, microsecond=0)


def national() -> Iterator[Raw]:
    """The day up to `midnight` at all centres of Indonesia, a day of its own at each."""
    end = midnight()
    for event in simulate.nation(112, end - timedelta(days=1), indonesia.centres().values()):
        if event.time >= end:
            return
        yield Raw(TOPIC_OF[event.type].name, event.subject, encode(event))


def produce(bootstrap: str, prefix: str, events: Iterable[Raw]) -> int:
    """Write raw events, each centre's in its order and into its partition; returns how many."""
    return asyncio.run(_produce(bootstrap, prefix, events))


async def _produce(bootstrap: str, prefix: str, events: Iterable[Raw]) -> int:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", max_batch_size=256 * 1024)
    await producer.start()
    count, homes = 0, dict[str, int]()
    batches: dict[tuple[str, int], Any] = {}
    try:
        for count, (topic, centre, value) in enumerate(events, 1):  # noqa: B007
            home = homes.get(centre)
            if home is None:
                home = homes[centre] = partition_of(centre, PARTITIONS)
            place = prefix + topic, home
            batch = batches.get(place)
            if batch is None or batch.append(key=centre.encode(), value=value, timestamp=None) is None:
                if batch is not None:
                    await producer.send_batch(batch, place[0], partition=place[1])
                batch = batches[place] = producer.create_batch()
                batch.append(key=centre.encode(), value=value, timestamp=None)
        for (topic, number), batch in batches.items():
            await producer.send_batch(batch, topic, partition=number)
    finally:
        await producer.stop()
    return count

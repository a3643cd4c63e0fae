"""Events into Kafka for a server that has many writers at once: each is told when Kafka has its own, or at once that it has not.

Of all that come for a partition while one batch is on its way, the next batch is made. So one event waits for nothing, and many
cost little: aiokafka's own `send` would take a future and 20 µs for each.
"""

import asyncio
import contextlib
import logging
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.partitioner import DefaultPartitioner

from schemas.event import Event
from schemas.topics import CONTENT_TYPE, TOPIC_OF, encode
from streams.log import access
from streams.log.access import LogError
from streams.log.topics import miscut, partitions_of, sources
from streams.settings import Settings

log = logging.getLogger(__name__)

WRITE_SECONDS = 10.0
"""Longest that a writer waits."""

REQUEST_SECONDS = 4.0
"""How long one request to Kafka may take."""

LOOK_SECONDS = 1.0
"""How often it is looked whether Kafka answers, where nothing was written meanwhile: a write waits behind the question."""

LARGEST_BATCH = 2**19
"""Bytes; a topic takes batches of 1 MiB."""

SLICE = 500
"""Events after which others have their turn: about 2 ms."""

_HEADERS = [("content-type", CONTENT_TYPE)]


@dataclass(slots=True)
class _Lane:
    """What waits for one partition. `round` ends when all that waits now is there, with None or the reason why it is not."""

    waiting: list[tuple[bytes, bytes]] = field(default_factory=list)
    round: asyncio.Future[LogError | None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    task: asyncio.Task[None] | None = None


class Producer:
    """Writes while `run` runs. `is_up` says whether Kafka answered the last time it was asked."""

    def __init__(self, settings: Settings) -> None:
        self.is_up, self._why = False, ""
        self._miscut = ""
        self._written_at = float("-inf")
        self._settings = settings
        self._producer: AIOKafkaProducer | None = None
        self._lanes: dict[tuple[str, int], _Lane] = defaultdict(_Lane)
        self._partition = DefaultPartitioner()
        # It writes every attempt down; what matters is raised.
        logging.getLogger("aiokafka").setLevel(logging.CRITICAL)

    async def run(self) -> None:
        """Connect, and see again and again whether Kafka answers, until cancelled."""
        while True:
            try:
                await access.enter(self._settings)
                producer = AIOKafkaProducer(**connection(self._settings), acks="all", max_batch_size=LARGEST_BATCH)
            except LogError as why:
                self._barred(str(why))
                await asyncio.sleep(LOOK_SECONDS)
                continue
            try:
                await producer.start()
                self._producer, self._why = producer, ""
                while True:
                    if time.monotonic() - self._written_at > LOOK_SECONDS:
                        self.is_up = await self._answers(producer)
                    await asyncio.sleep(LOOK_SECONDS)
            except (KafkaError, OSError):
                await asyncio.sleep(LOOK_SECONDS)
            finally:
                self.is_up, self._producer = False, None
                with contextlib.suppress(KafkaError, OSError):
                    await producer.stop()

    def _barred(self, why: str) -> None:
        """Keep for those who write why Kafka lets us not in, and say it once."""
        if why != self._why:
            log.warning("%s", why)
            self._why = why

    async def write(self, events: Sequence[Event]) -> None:
        """Return when every replica in sync has all of them. Raises `LogError` when that is not known to be so: then some may be
        there, and all are to be written again.
        """
        producer = self._producer
        if self._miscut:
            raise LogError(self._miscut)
        if not self.is_up or producer is None:
            raise LogError(self._why or f"Kafka at {self._settings.bootstrap} does not answer")
        prefix, records = self._settings.topic_prefix, list[tuple[str, bytes, bytes]]()
        for number, event in enumerate(events, 1):
            records.append((prefix + TOPIC_OF[event.type].name, event.subject.encode(), encode(event)))
            if number % SLICE == 0:
                await asyncio.sleep(0)
        try:
            async with asyncio.timeout(WRITE_SECONDS):
                known = {topic: sorted(await producer.partitions_for(topic)) for topic in {topic for topic, _, _ in records}}
                rounds = set()
                for topic, key, value in records:
                    place = topic, self._partition(key, known[topic], known[topic])
                    lane = self._lanes[place]
                    lane.waiting.append((key, value))
                    rounds.add(lane.round)
                    if lane.task is None or lane.task.done():
                        lane.task = asyncio.create_task(self._drain(place, lane))
                # Whoever gives up must not end the round for the others.
                failed = [error for error in await asyncio.gather(*map(asyncio.shield, rounds)) if error is not None]
        except (KafkaError, OSError) as error:
            raise explained(self._settings, error) from None
        if failed:
            raise failed[0]

    async def _drain(self, place: tuple[str, int], lane: _Lane) -> None:
        """Deliver round after round until nothing waits."""
        while lane.waiting:
            records, ended = lane.waiting, lane.round
            lane.waiting, lane.round = [], asyncio.get_running_loop().create_future()
            try:
                await self._deliver(place, records)
            except (KafkaError, OSError) as error:
                self.is_up = False
                ended.set_result(explained(self._settings, error))
            except BaseException:
                ended.cancel()
                raise
            else:
                self.is_up, self._written_at = True, time.monotonic()
                ended.set_result(None)

    async def _deliver(self, place: tuple[str, int], records: Sequence[tuple[bytes, bytes]]) -> None:
        if self._producer is None:
            raise OSError
        topic, partition = place
        now, sent = int(time.time() * 1000), []
        batch = self._producer.create_batch()
        for number, (key, value) in enumerate(records, 1):
            if number % SLICE == 0:
                await asyncio.sleep(0)
            if batch.append(key=key, value=value, timestamp=now, headers=_HEADERS) is None:
                sent.append(await self._producer.send_batch(batch, topic, partition=partition))
                batch = self._producer.create_batch()
                batch.append(key=key, value=value, timestamp=now, headers=_HEADERS)
        sent.append(await self._producer.send_batch(batch, topic, partition=partition))
        await asyncio.gather(*sent)

    async def _answers(self, producer: AIOKafkaProducer) -> bool:
        """Whether Kafka answers, and all topics that it has are cut into as many partitions."""
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                cluster = await producer.client.fetch_all_metadata()
        except (KafkaError, OSError):
            return False
        counts = {name: len(cluster.partitions_for_topic(name) or ()) for name in sources(self._settings)}
        wanted = partitions_of(filter(None, counts.values()))
        odd = [miscut(name, number, wanted) for name, number in counts.items() if wanted and number not in (0, wanted)]
        self._miscut = odd[0] if odd else ""
        return not odd


def connection(settings: Settings) -> dict[str, Any]:
    """Where Kafka is and who we are there, in aiokafka's words. Raises `SettingsError`."""
    return {
        "bootstrap_servers": settings.bootstrap.split(","),
        "client_id": "pantau112-gateway",
        "request_timeout_ms": int(REQUEST_SECONDS * 1000),
        **access.connection(settings),
    }


def explained(settings: Settings, error: Exception, topic: str = "a topic") -> LogError:
    """What to do about an error of aiokafka's."""
    if isinstance(error, LogError):
        return error
    at, name = settings.bootstrap, type(error).__name__
    if said := access.refused(settings, error, topic):
        return LogError(*said)
    if "TopicOrPartition" in name:
        return LogError(f"Kafka at {at} lacks a topic: run pantau112 topics create")
    return LogError(f"Kafka at {at} does not answer ({name})")

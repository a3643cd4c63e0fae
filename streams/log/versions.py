"""What the versions of the worker have in Kafka. Each has a group and a changelog of its own, named by its states' version."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple, Protocol, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    KafkaError,
    NotCoordinatorForGroupError,
    for_code,
)

from schemas.topics import DEAD_LETTERS, TOPICS
from streams.log.access import enter
from streams.log.producer import connection, explained
from streams.settings import Settings

ANSWER_SECONDS = 20.0
"""How long Kafka may take for one answer."""

AGAIN_SECONDS = 0.2

SKEW_MILLISECONDS = 60_000
"""How far the clocks of two brokers may be apart."""

T = TypeVar("T")

Place = tuple[str, int]
"""(topic as in `schemas.topics`, partition number)"""


class Member(NamedTuple):
    """A worker in the group of its version: how it is called there, and the address that Kafka sees it at."""

    name: str
    host: str


class Named(Protocol):
    """Whoever has a name in Kafka."""

    @property
    def app_id(self) -> str: ...


def group_of(settings: Named, version: int) -> str:
    """The group in which the workers of a version share the partitions."""
    return f"{settings.app_id}-v{version}"


def changelog_of(settings: Named, version: int) -> str:
    """The topic in which they keep their states."""
    return f"{group_of(settings, version)}-state-changelog"


class Versions:
    """Looks at all versions, through one connection that is made anew when it fails. Everything raises `LogError`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._admin: AIOKafkaAdminClient | None = None
        self._asking = asyncio.Lock()
        self._coordinators: dict[str, int] = {}

    async def close(self) -> None:
        """End the connection."""
        self._coordinators.clear()
        if self._admin is not None:
            admin, self._admin = self._admin, None
            with contextlib.suppress(KafkaError, OSError):
                await admin.close()

    async def known(self) -> dict[int, bool]:
        """The versions that have a group or a changelog, and whether they have a changelog."""
        prefix, suffix = f"{self._settings.app_id}-v", "-state-changelog"
        groups = {name for name, _ in await self._ask(lambda admin: admin.list_consumer_groups())}
        topics = await self._ask(lambda admin: admin.list_topics())
        changelogs = {name.removesuffix(suffix) for name in topics if name.endswith(suffix)}
        names = {name: name.removeprefix(prefix) for name in groups | changelogs if name.startswith(prefix)}
        return {int(number): name in changelogs for name, number in sorted(names.items()) if number.isdecimal()}

    async def members(self, versions: Iterable[int]) -> dict[int, list[Member]]:
        """The workers that Kafka counts as living, by version; none of a group that does not exist."""
        found = {}
        # One at a time: of several, aiokafka 0.14 misreads the answer after the first.
        for version in versions:
            found[version] = await self._ask(partial(self._members, group_of(self._settings, version)))
        return found

    async def _members(self, group: str, admin: AIOKafkaAdminClient) -> list[Member]:
        if group not in self._coordinators:
            self._coordinators[group] = await admin.find_coordinator(group)
        [answer] = await admin.describe_consumer_groups([group], self._coordinators[group])
        [(code, _, _, _, _, members, *_)] = answer.groups
        if code and for_code(code).__name__ != "GroupIdNotFound":
            raise for_code(code)(group)
        return [Member(name, host.removeprefix("/")) for name, _, host, *_ in members]

    async def passed(self, version: int) -> dict[Place, int]:
        """Of each partition, the offset up to which the states of a version in Kafka know all: what its group committed."""
        group = group_of(self._settings, version)
        offsets = await self._ask(lambda admin: admin.list_consumer_group_offsets(group))
        prefix = self._settings.topic_prefix
        return {
            (place.topic.removeprefix(prefix), place.partition): found.offset
            for place, found in offsets.items()
            if found.offset >= 0 and place.topic.startswith(prefix)
        }

    async def waiting(self, known: Mapping[Place, int]) -> int:
        """How many records the log holds beyond these offsets, and in all other partitions."""
        prefix = self._settings.topic_prefix
        places = [place for topic in TOPICS for place in await self._places(prefix + topic.name)]
        async with self._consumer() as consumer:
            starts, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
        nexts = {place: known.get((place.topic.removeprefix(prefix), place.partition), 0) for place in places}
        return sum(max(0, ends[place] - max(nexts[place], starts[place])) for place in places)

    async def written(self, version: int) -> float | None:
        """When a version wrote a state last, in epoch seconds; None where it has none."""
        places = await self._places(changelog_of(self._settings, version))
        async with self._consumer() as consumer:
            ends = await consumer.end_offsets(places)
            last = {place: end - 1 for place, end in ends.items() if end}
            stamps = [record.timestamp async for record in _records(consumer, last, ends)]
        return max(stamps) / 1000 if stamps else None

    async def latest(self, version: int, numbers: Collection[int] | None = None) -> dict[bytes, bytes]:
        """What the changelog of a version holds last by each key, in these partitions (None: all); nothing where there is none.

        While its workers go on writing, that is what a worker that took over at the end of this call would find.
        """
        found = dict[bytes, bytes]()
        places = await self._places(changelog_of(self._settings, version), numbers)
        async for record in self._read(places):
            found[record.key] = record.value
        return {key: value for key, value in found.items() if value is not None}

    async def letters(self, place: Place, since: int) -> set[int]:
        """The offsets of the records in a partition that have been put aside as dead letters from then on, epoch milliseconds."""
        prefix, found = self._settings.topic_prefix, set[int]()
        since -= SKEW_MILLISECONDS
        origin = (prefix + place[0]).encode(), b"%d" % place[1]
        async for record in self._read(await self._places(prefix + DEAD_LETTERS.name), since):
            said = dict(record.headers)
            if (said.get("dlq_original_topic"), said.get("dlq_original_partition")) == origin:
                found.add(int(said["dlq_original_offset"]))
        return found

    async def _places(self, name: str, numbers: Collection[int] | None = None) -> list[TopicPartition]:
        """These partitions (None: all) of a topic, if there is one; asked of all topics, so that none is made by the question."""
        topics = await self._ask(lambda admin: admin.describe_topics())
        there = [part["partition"] for topic in topics if topic["topic"] == name for part in topic["partitions"]]
        return [TopicPartition(name, number) for number in sorted(there) if numbers is None or number in numbers]

    async def _ask(self, question: Callable[[AIOKafkaAdminClient], Awaitable[T]]) -> T:
        """The answer to a question, put again while Kafka looks for who can answer it, as it does before its first group."""
        try:
            # One at a time: whoever fails ends the connection.
            async with self._asking, asyncio.timeout(ANSWER_SECONDS):
                while True:
                    if self._admin is None:
                        await enter(self._settings)
                        admin = AIOKafkaAdminClient(**connection(self._settings))
                        await admin.start()
                        self._admin = admin
                    try:
                        return await question(self._admin)
                    except (GroupCoordinatorNotAvailableError, GroupLoadInProgressError, NotCoordinatorForGroupError):
                        self._coordinators.clear()
                        await asyncio.sleep(AGAIN_SECONDS)
        except (KafkaError, OSError) as error:
            await self.close()
            raise explained(self._settings, error) from None

    async def _read(self, places: list[TopicPartition], since: int | None = None) -> AsyncIterator[Any]:
        """The records of partitions from the beginning, or from a moment in epoch milliseconds on, until they end. The end is
        asked for again when it is reached: what stood before it may have been compacted away meanwhile.
        """
        async with self._consumer() as consumer:
            nexts = await consumer.beginning_offsets(places)
            if since is not None:
                found = await consumer.offsets_for_times(dict.fromkeys(places, since))
                ends = await consumer.end_offsets(places)
                nexts = {place: found[place].offset if found.get(place) else ends[place] for place in places}
            while ends := await consumer.end_offsets(places):
                if all(nexts[place] >= ends[place] for place in places):
                    return
                async for record in _records(consumer, nexts, ends):
                    yield record
                nexts = {place: max(nexts[place], ends[place]) for place in places}

    @contextlib.asynccontextmanager
    async def _consumer(self) -> AsyncIterator[AIOKafkaConsumer]:
        consumer = AIOKafkaConsumer(
            **connection(self._settings), enable_auto_commit=False, isolation_level="read_committed", auto_offset_reset="earliest"
        )
        try:
            await consumer.start()
            await asyncio.sleep(0)  # stopped before its tasks have begun, it would cancel whoever waits for that
            yield consumer
        except (KafkaError, OSError) as error:
            raise explained(self._settings, error) from None
        finally:
            await consumer.stop()


async def _records(
    consumer: AIOKafkaConsumer, starts: dict[TopicPartition, int], ends: dict[TopicPartition, int]
) -> AsyncIterator[Any]:
    """The records of partitions from these offsets on, as far as they had ended."""
    left = [place for place, start in starts.items() if start < ends[place]]
    if not left:
        return
    consumer.assign(left)
    for place in left:
        consumer.seek(place, starts[place])
    while left:
        for place, records in (await consumer.getmany(*left, timeout_ms=500)).items():
            for record in records:
                if record.offset < ends[place]:
                    yield record
        left = [place for place in left if await consumer.position(place) < ends[place]]

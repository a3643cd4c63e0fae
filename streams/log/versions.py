"""What the versions of the worker have in Kafka. Each has a group and a changelog of its own, named by its states' version."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection, Iterable
from typing import Any, NamedTuple, Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupAuthorizationFailedError, KafkaError, for_code

from schemas.topics import DEAD_LETTERS
from streams.log.kafka import LogError
from streams.log.producer import connection, explained
from streams.settings import Settings

ANSWER_SECONDS = 20.0
"""How long Kafka may take for one answer."""

SKEW_MILLISECONDS = 60_000
"""How far the clocks of two brokers may be apart."""

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

    async def close(self) -> None:
        """End the connection."""
        if self._admin is not None:
            admin, self._admin = self._admin, None
            with contextlib.suppress(KafkaError, OSError):
                await admin.close()

    async def known(self) -> dict[int, bool]:
        """The versions that have a group or a changelog, and whether they have a changelog."""
        prefix, suffix = f"{self._settings.app_id}-v", "-state-changelog"
        async with self._asking() as admin:
            groups = {name for name, _ in await admin.list_consumer_groups()}
            changelogs = {name.removesuffix(suffix) for name in await admin.list_topics() if name.endswith(suffix)}
        names = {name: name.removeprefix(prefix) for name in groups | changelogs if name.startswith(prefix)}
        return {int(number): name in changelogs for name, number in sorted(names.items()) if number.isdecimal()}

    async def members(self, versions: Iterable[int]) -> dict[int, list[Member]]:
        """The workers that Kafka counts as living, by version; none of a group that does not exist."""
        groups = {group_of(self._settings, version): version for version in versions}
        found: dict[int, list[Member]] = {version: [] for version in groups.values()}
        if groups:
            async with self._asking() as admin:
                answers = await admin.describe_consumer_groups(list(groups))
            for code, group, _, _, _, members, *_ in (group for answer in answers for group in answer.groups):
                if for_code(code) is GroupAuthorizationFailedError:
                    raise LogError(f"Kafka does not let us look at the group {group}", "give us Describe on groups that begin so")
                if code and for_code(code).retriable:
                    raise LogError(f"Kafka does not say who is in the group {group} ({for_code(code).__name__})")
                found[groups[group]] = [Member(name, host.removeprefix("/")) for name, _, host, *_ in members]
        return found

    async def passed(self, version: int) -> dict[Place, int]:
        """Of each partition, the offset up to which the states of a version in Kafka know all: what its group committed."""
        async with self._asking() as admin:
            offsets = await admin.list_consumer_group_offsets(group_of(self._settings, version))
        prefix = self._settings.topic_prefix
        return {
            (place.topic.removeprefix(prefix), place.partition): found.offset
            for place, found in offsets.items()
            if found.offset >= 0 and place.topic.startswith(prefix)
        }

    async def latest(self, version: int, numbers: Collection[int]) -> dict[bytes, bytes]:
        """What the changelog of a version holds last by each key, in these partitions; nothing where there is none.

        While its workers go on writing, that is what a worker that took over at the end of this call would find.
        """
        found = dict[bytes, bytes]()
        async with self._reading() as consumer:
            async for record in _to_the_end(consumer, changelog_of(self._settings, version), numbers):
                found[record.key] = record.value
        return {key: value for key, value in found.items() if value is not None}

    async def letters(self, place: Place, since: int) -> set[int]:
        """The offsets of the records in a partition that have been put aside as dead letters from then on, epoch milliseconds."""
        prefix, found = self._settings.topic_prefix, set[int]()
        since -= SKEW_MILLISECONDS
        origin = (prefix + place[0]).encode(), b"%d" % place[1]
        async with self._reading() as consumer:
            async for record in _to_the_end(consumer, prefix + DEAD_LETTERS.name, since=since):
                said = dict(record.headers)
                if (said.get("dlq_original_topic"), said.get("dlq_original_partition")) == origin:
                    found.add(int(said["dlq_original_offset"]))
        return found

    @contextlib.asynccontextmanager
    async def _asking(self) -> AsyncIterator[AIOKafkaAdminClient]:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                if self._admin is None:
                    admin = AIOKafkaAdminClient(**connection(self._settings))
                    await admin.start()
                    self._admin = admin
                yield self._admin
        except (KafkaError, OSError) as error:
            await self.close()
            raise explained(self._settings, error) from None

    @contextlib.asynccontextmanager
    async def _reading(self) -> AsyncIterator[AIOKafkaConsumer]:
        consumer = AIOKafkaConsumer(
            **connection(self._settings), enable_auto_commit=False, isolation_level="read_committed", auto_offset_reset="earliest"
        )
        try:
            await consumer.start()
            yield consumer
        except (KafkaError, OSError) as error:
            raise explained(self._settings, error) from None
        finally:
            await consumer.stop()


async def _to_the_end(
    consumer: AIOKafkaConsumer, name: str, numbers: Collection[int] | None = None, since: int | None = None
) -> AsyncIterator[Any]:
    """The records of a topic's partitions (None: all), from the beginning, or from a moment in epoch milliseconds on, until no more
    are left. The end is asked for again when it is reached: what stood before it may have been compacted away meanwhile.
    """
    if name not in await consumer.topics():
        return
    there = consumer.partitions_for_topic(name) or set()
    places = [TopicPartition(name, number) for number in sorted(there if numbers is None else there.intersection(numbers))]
    if not places:
        return
    consumer.assign(places)
    if since is not None:
        first = await consumer.offsets_for_times(dict.fromkeys(places, since))
        ends = await consumer.end_offsets(places)
        for place in places:
            consumer.seek(place, first[place].offset if first[place] else ends[place])
    ends = {}
    while True:
        left = [place for place in places if await consumer.position(place) < ends.get(place, 0)]
        if not left:
            ends = await consumer.end_offsets(places)
            left = [place for place in places if await consumer.position(place) < ends[place]]
            if not left:
                return
        for records in (await consumer.getmany(*left, timeout_ms=500)).values():
            for record in records:
                yield record

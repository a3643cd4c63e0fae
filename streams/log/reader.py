"""The event log read: ranges of topics merged by event time, by a program that does nothing else meanwhile."""

import asyncio
import contextlib
import heapq
import logging
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from schemas.event import Event
from schemas.topics import DEAD_LETTERS, Refusal, UnknownType, decode
from streams.log.access import LogError, connection, explained, let_in
from streams.log.topics import no_topic
from streams.settings import Settings

STALL_SECONDS = 30.0
"""How long a range that is being read may stand still before that is an error."""

EARLIER = timedelta(hours=1)
"""An event may have been written so long before its own time, and no longer."""

BLOCK = 2_000
"""Records of a partition that wait to be merged, beyond which no more of it are fetched."""

FETCH_BYTES = 512 * 1024
"""Most that is fetched of a partition at once, about a block."""

T = TypeVar("T")

Run = Callable[[Coroutine[Any, Any, Any]], Any]
"""What runs a question to Kafka to its end."""

Bounds = Mapping[tuple[str, int], int]
"""By topic and partition, an offset."""

Spans = Mapping[tuple[str, int], Sequence[tuple[int, int | None]]]
"""By topic and partition, offsets from the first (inclusive) to an end (exclusive; None: that of the log), ascending."""


class Record(NamedTuple):
    """One record of the log and what its bytes say. `timestamp` is when it was written, in epoch seconds."""

    topic: str
    partition: int
    offset: int
    timestamp: float
    key: bytes | None
    value: bytes | None
    item: Event | UnknownType | Refusal
    time: float
    """When it happened, in epoch seconds; of what is no event, when it was written."""
    headers: Sequence[tuple[str, bytes]] = ()


@dataclass(slots=True)
class Reading:
    """What is read of the log: of each topic and partition the first offset (inclusive) and the end (exclusive) of the range; how
    many records those are that have to be read of it, and how many of them were.
    """

    offsets: Mapping[tuple[str, int], tuple[int, int]]
    size: int
    done: int = 0


Watch = Callable[[Reading], None]
"""Is told of what is read once its range is known."""


class Kept(NamedTuple):
    """A record of a topic without events, as it is; `timestamp` in epoch milliseconds."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes
    value: bytes
    headers: Sequence[tuple[str, bytes]]

    @classmethod
    def of(cls, topic: str, partition: int, raw: Any) -> "Kept":
        """One as aiokafka has it."""
        return cls(topic, partition, raw.offset, raw.timestamp, raw.key, raw.value, raw.headers)


class Reader:
    """Reads the log; every question is a connection of its own. Topics are named as in `schemas.topics`.

    Everything here raises `LogError`.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def read(
        self,
        topics: Sequence[str],
        start: datetime | Bounds | None = None,
        end: datetime | Bounds | None = None,
        spans: Spans | None = None,
        watch: Watch = lambda _: None,
    ) -> Iterator[Record]:
        """The records of a range, merged by event time: of the partitions' next records the earliest comes first.

        Each partition keeps its own order, also where it is not that of event time. `start` (inclusive) and `end` (exclusive)
        are event times, or offsets by (topic, partition); None is the log's own. Nothing beyond the end that the log has now is
        read, and only what is committed. An end in event time still reads to the log's end, because late events come late.
        Of a partition that `spans` name only those are read. `watch` is told of the reading once its range is known.
        """
        first = start.timestamp() if isinstance(start, datetime) else None
        last = end.timestamp() if isinstance(end, datetime) else None
        for record in self._read(topics, start, end, _record, lambda record: record.time, spans, watch):
            if (first is None or record.time >= first) and (last is None or record.time < last):
                yield record

    def letters(self, since: datetime | None = None, watch: Watch = lambda _: None) -> Iterator[Record]:
        """The dead letters that were put aside from then on, in the order in which they were; `watch` is told of the reading."""
        for record in self._read([DEAD_LETTERS.name], since, None, _record, lambda record: record.timestamp, watch=watch):
            if since is None or record.timestamp >= since.timestamp():
                yield record

    def kept(self, topic: str, spans: Spans | None = None) -> Iterator[Kept]:
        """The records of a topic without events, as they are, by the time they say; with `spans` only those."""
        yield from self._read([topic], None, None, Kept.of, lambda kept: kept.timestamp, spans, only=spans is not None)

    def partitions(self, topics: Sequence[str]) -> dict[str, int]:
        """How many partitions each of those topics has that we may know of."""
        prefix = self._settings.topic_prefix
        with self._consumer(", ".join(topics)) as (run, consumer):
            found = run(_places(consumer, [prefix + name for name in topics]))
        return {name.removeprefix(prefix): len(places) for name, places in found.items()}

    def are_there(self, records: Mapping[tuple[str, int], tuple[int, int]]) -> set[tuple[str, int]]:
        """Where, of these topics and partitions, the log still has the record that had this offset and was written then (epoch
        milliseconds), and not one of a topic that was created anew.
        """
        prefix, there = self._settings.topic_prefix, set()
        with self._consumer(", ".join(topic for topic, _ in records)) as (run, consumer):
            places = {TopicPartition(prefix + topic, number): (topic, number) for topic, number in records}
            starts, ends = run(consumer.beginning_offsets(list(places))), run(consumer.end_offsets(list(places)))
            first = run(consumer.offsets_for_times({place: records[named][1] for place, named in places.items()}))
            for place, named in places.items():
                offset, written = records[named]
                found = first.get(place)
                # Of those written in one millisecond the first is found.
                if found and found.timestamp == written and found.offset <= offset and starts[place] <= offset < ends[place]:
                    there.add(named)
        return there

    @contextlib.contextmanager
    def _consumer(self, topic: str) -> Iterator[tuple[Run, AIOKafkaConsumer]]:
        """A consumer, and what runs its questions to their end."""
        logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it writes every attempt down; what matters is raised
        let_in(self._settings)
        with asyncio.Runner() as runner:
            consumer = runner.run(_made(self._settings))
            try:
                runner.run(consumer.start())
                yield runner.run, consumer
            except (KafkaError, OSError) as error:
                raise explained(self._settings, error, topic) from None
            finally:
                runner.run(consumer.stop())

    def _read(
        self,
        topics: Sequence[str],
        start: datetime | Bounds | None,
        end: datetime | Bounds | None,
        made: Callable[[str, int, Any], T],
        order: Callable[[T], float],
        spans: Spans | None = None,
        watch: Watch = lambda _: None,
        *,
        only: bool = False,
    ) -> Iterator[T]:
        """The records that may be in a range, the partitions merged in this order; `only` those that `spans` name."""
        prefix = self._settings.topic_prefix
        strip = len(prefix)
        with self._consumer(", ".join(topics)) as (run, consumer):
            places, wanted = self._named(run, consumer, [prefix + name for name in topics]), {}
            bounds = run(self._bounds(consumer, places, start, end))
            for place, (first, last) in bounds.items():
                whole = [] if only else [(0, None)]
                of = whole if spans is None else spans.get((place.topic[strip:], place.partition), whole)
                cut = [(max(first, a), last if b is None else min(last, b)) for a, b in of]
                if left := [span for span in cut if span[0] < span[1]]:
                    wanted[place] = left
            reading = Reading(
                {(place.topic[strip:], place.partition): bound for place, bound in bounds.items()},
                sum(last - first for left in wanted.values() for first, last in left),
            )
            watch(reading)
            fetch = Fetch(run, consumer, wanted)
            run(fetch.begin())
            parts = [map(partial(made, place.topic[strip:], place.partition), fetch.records(place)) for place in wanted]
            for record in heapq.merge(*parts, key=order):
                reading.done += 1
                yield record

    def _named(self, run: Run, consumer: AIOKafkaConsumer, names: Sequence[str]) -> list[TopicPartition]:
        """Every partition of these topics."""
        found = run(_places(consumer, names))
        if missing := [name for name in names if name not in found]:
            # Here, because only this needs kafka-python: a consumer is not told of a topic that it has no right to.
            from streams.log.kafka import Log  # noqa: PLC0415

            with Log(self._settings) as log:
                log.partitions(missing)
            raise LogError(no_topic(missing[0], self._settings))
        return [place for name in names for place in found[name]]

    async def _bounds(
        self,
        consumer: AIOKafkaConsumer,
        places: Sequence[TopicPartition],
        start: datetime | Bounds | None,
        end: datetime | Bounds | None,
    ) -> dict[TopicPartition, tuple[int, int]]:
        """First offset and end of every partition that may have something in the range."""
        starts, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
        strip = len(self._settings.topic_prefix)
        if isinstance(start, datetime):
            written = max(0, int((start - EARLIER).timestamp() * 1000))
            first = await consumer.offsets_for_times(dict.fromkeys(places, written))
            starts = {place: first[place].offset if first.get(place) else ends[place] for place in places}
        elif start is not None:
            starts = {place: max(starts[place], start.get((place.topic[strip:], place.partition), 0)) for place in places}
        if end is not None and not isinstance(end, datetime):
            ends = {place: min(ends[place], end.get((place.topic[strip:], place.partition), ends[place])) for place in places}
        return {place: (starts[place], ends[place]) for place in places if starts[place] < ends[place]}


class Fetch:
    """The records of many partitions, each in its own order, fetched of all that have few left whenever one has none."""

    def __init__(self, run: Run, consumer: AIOKafkaConsumer, spans: Mapping[TopicPartition, list[tuple[int, int]]]) -> None:
        """`spans` are offsets from the first (inclusive) to an end (exclusive), ascending, at least one of each partition."""
        self._run, self._consumer = run, consumer
        self._left = {place: deque(each) for place, each in spans.items()}
        self._waiting: dict[TopicPartition, deque[Any]] = {place: deque() for place in spans}

    async def begin(self) -> None:
        """Let the consumer begin with the first of each."""
        self._consumer.assign(list(self._left))
        for place, spans in self._left.items():
            self._consumer.seek(place, spans[0][0])

    def records(self, place: TopicPartition) -> Iterator[Any]:
        """Those of one partition."""
        waiting = self._waiting[place]
        while True:
            while waiting:
                yield waiting.popleft()
            if not self._left[place]:
                return
            self._run(self._refill(place))

    async def _refill(self, needed: TopicPartition) -> None:
        """Return when there is more of this partition, or no more to come."""
        consumer, moved = self._consumer, time.monotonic()
        for place in consumer.paused():
            if self._left[place] and len(self._waiting[place]) < BLOCK // 2:
                consumer.resume(place)
        while self._left[needed] and not self._waiting[needed]:
            before = await consumer.position(needed)
            came = await consumer.getmany(timeout_ms=100)
            # Nothing here gives way to the fetching: it would ask for more of a partition that is to be paused, and what came
            # of one that is paused would hold up all others.
            for place in {needed, *came}:
                self._take(place, came.get(place, ()), await consumer.position(place))
            if came or await consumer.position(needed) != before:
                moved = time.monotonic()
            elif time.monotonic() - moved > STALL_SECONDS:
                raise LogError(f"{needed.topic}/{needed.partition}: nothing came for {STALL_SECONDS:g} s", "try pantau112 doctor")
        await asyncio.sleep(0)  # the next request goes out, and Kafka works while what came is merged

    def _take(self, place: TopicPartition, records: Iterable[Any], position: int) -> None:
        """Keep what is wanted of a partition's next records. The position also moves past what is none: markers and aborted
        transactions.
        """
        left, waiting = self._left[place], self._waiting[place]
        for record in records:
            while left and record.offset >= left[0][1]:
                left.popleft()
            if left and record.offset >= left[0][0]:
                waiting.append(record)
        while left and position >= left[0][1]:
            left.popleft()
        if left and position < left[0][0]:
            self._consumer.seek(place, left[0][0])
        if not left or len(waiting) >= BLOCK // 2:
            self._consumer.pause(place)


async def _made(settings: Settings) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        bootstrap_servers=settings.bootstrap.split(","),
        client_id="pantau112",
        **connection(settings),
        enable_auto_commit=False,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=FETCH_BYTES,
        check_crcs=False,  # TCP has checked them
    )


async def _places(consumer: AIOKafkaConsumer, names: Sequence[str]) -> dict[str, list[TopicPartition]]:
    """The partitions of those topics that there are and that we may know of."""
    known = await consumer.topics()
    there = [name for name in names if name in known]
    first = [TopicPartition(name, 0) for name in there]
    consumer.assign(first)  # how many partitions there are it hears only of topics that it reads
    await consumer.end_offsets(first)
    return {name: [TopicPartition(name, n) for n in sorted(consumer.partitions_for_topic(name))] for name in there}


def _record(topic: str, partition: int, raw: Any) -> Record:
    # Of a raw record nothing is asked that it does not have in a worker, whose transport leaves aiokafka's records uncopied.
    written, item = raw.timestamp / 1000, decode(raw.value)
    time_ = item.time.timestamp() if isinstance(item, Event) else written
    return Record(topic, partition, raw.offset, written, raw.key, raw.value, item, time_, raw.headers)

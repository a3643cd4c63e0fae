"""The event log: topics made and checked, events written, ranges read. The only file that names kafka-python."""

import asyncio
import contextlib
import heapq
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeVar

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, MemberToRemove, ScramMechanism, UserScramCredentialUpsertion
from kafka.errors import (
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    KafkaError,
    KafkaTimeoutError,
    NotCoordinatorError,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
)
from kafka.protocol.consumer import OffsetSpec
from pydantic import SecretStr
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_fixed

from schemas.event import Event
from schemas.topics import (
    CONTENT_TYPE,
    DEAD_LETTERS,
    PARTITIONS,
    TOPIC_OF,
    Refusal,
    UnknownType,
    decode,
    encode,
)
from streams.log.access import ANSWER_SECONDS, BarredError, enter, refused
from streams.log.topics import CHANGELOG, Found, Plan, compare, miscut, no_topic, partitions_of, plans, recut, sources
from streams.settings import Settings, SettingsError

LED_SECONDS = 120
"""How long a broker may take until every partition of a new topic is led: seconds, on a machine that does much else."""

STALL_SECONDS = 30.0
"""How long a range that is being read may stand still before that is an error."""

UNDELIVERED = 5_000
"""Most events on their way to Kafka; writing waits beyond it, so that memory stays bounded."""

EARLIER = timedelta(hours=1)
"""An event may have been written so long before its own time, and no longer."""

BLOCK = 2_000
"""Most records held per partition while partitions are merged."""


T = TypeVar("T")

Spans = Mapping[tuple[str, int], Sequence[tuple[int, int | None]]]
"""By topic and partition, offsets from the first (inclusive) to an end (exclusive; None: that of the log), ascending."""


class LogError(OSError):
    """Kafka is away or refuses; the message is one line, what it `says` and what to do."""

    def __init__(self, says: str, todo: str = "") -> None:
        super().__init__("; ".join(filter(None, (says, todo))))
        self.says, self.todo = says, todo


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


class Cluster(NamedTuple):
    """How many brokers there are, and how many partitions every topic has."""

    brokers: int
    partitions: int


class Log:
    """One connection to the event log, opened at first use. Use it in a `with`, or `close` it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._producer: KafkaProducer | None = None
        self._sent: deque[Any] = deque()
        # It writes 10 lines a second while no broker answers; what matters is raised.
        logging.getLogger("kafka").setLevel(logging.CRITICAL)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close(0 if kind else None)

    def close(self, seconds: float | None = None) -> None:
        """End the connection; what is undelivered after so many seconds (None: Kafka's own limit) is dropped."""
        if self._producer is not None:
            try:
                self._producer.close(timeout=seconds)
            except KafkaTimeoutError:  # kafka-python then stays open, and tries for ever to deliver
                self._producer._sender.force_close()
                self._producer._sender.join()
                self._producer.close()
            self._producer = None
        self._sent.clear()

    # Topics

    def create_topics(self, partitions: int | None = None) -> list[Found]:
        """Create what is missing and leave alone what is there; says of every topic what is the case.

        Without a number of `partitions` they are as many as the topics that there are have, or `PARTITIONS` where there is none.
        Raises `LogError`, and creates nothing, where there are topics with another number.
        """
        with self._admin() as admin:
            has = partitions_of(self._counts(admin).values())
            if has and partitions and has != partitions:
                raise LogError(recut(has, partitions))
            brokers = len(admin.describe_cluster()["brokers"])
            wanted = plans(self._settings, has or partitions or PARTITIONS)
            before = {found.topic: found for found in _examine(admin, wanted)}
            new = {plan.name: plan for plan in wanted if before[plan.name].state == "missing"}
            created: set[str] = set()
            for name, plan in new.items():
                copies = min(brokers, 3)
                config = plan.config | ({"min.insync.replicas": "2"} if copies == 3 else {})
                wish = {"num_partitions": plan.partitions, "replication_factor": copies, "configs": config}
                # Another process may create it at the same time.
                with contextlib.suppress(TopicAlreadyExistsError):
                    admin.create_topics({name: wish})
                    created.add(name)
            admin.wait_for_topics(list(new), timeout_ms=LED_SECONDS * 1000)
            return [
                Found(found.topic, "created") if found.topic in created and found.state == "as planned" else found
                for found in _examine(admin, wanted)
            ]

    def members(self, groups: Iterable[str]) -> int:
        """How many members these groups have together."""
        with self._admin() as admin:
            return sum(len(said.get("members") or ()) for said in admin.describe_groups(list(groups)).values())

    def dismiss(self, groups: Iterable[str], instance_id: str) -> None:
        """Tell Kafka that the worker has ended which keeps this name over restarts: else it counts as living in these groups
        until its session is over. A group that is not there has none to dismiss.
        """
        with self._admin() as admin:
            for group in groups:
                # Just started, Kafka is still reading who was in its groups.
                for attempt in Retrying(retry=retry_if_exception(_is_loading), wait=wait_fixed(0.2), stop=stop_after_delay(20)):
                    with attempt:
                        admin.remove_group_members(group, [MemberToRemove(group_instance_id=instance_id)])

    def remove(self, topic: str, group: str) -> None:
        """Delete a topic and a consumer group, for good. One that is not there is none to delete."""
        with self._admin() as admin:
            if _partitions(admin, [topic]):
                admin.delete_topics([topic])
            said = admin.delete_groups([group])[group]
            if said not in ("OK", "GroupIdNotFoundError"):
                raise LogError(f"Kafka does not delete the group {group} ({said})")

    def check(self) -> list[Found]:
        """What is the case with every topic, changing nothing."""
        with self._admin() as admin:
            has = partitions_of(self._counts(admin).values())
            return _examine(admin, plans(self._settings, has or PARTITIONS))

    def cluster(self) -> Cluster:
        """What a worker has to know of Kafka. Raises `LogError` where a topic is missing or has another number of partitions than
        the others, and where we have no right to them or to the workers' group; the changelog may be missing.
        """
        with self._admin() as admin:
            partitions = self._agreed(admin)
            *topics, changelog = plans(self._settings, partitions)
            found = _partitions(admin, [plan.name for plan in (*topics, changelog)])
            if missing := [plan.name for plan in topics if plan.name not in found]:
                raise LogError(no_topic(missing[0], self._settings))
            for name, parts in found.items():
                if len(parts) != partitions and not name.endswith(DEAD_LETTERS.name):  # which lie in any order
                    raise LogError(miscut(name, len(parts), partitions))
            # Without a right to its group a worker waits for ever. A cluster that never had one makes the place for it first.
            with contextlib.suppress(CoordinatorNotAvailableError, CoordinatorLoadInProgressError, NotCoordinatorError):
                admin.describe_groups([changelog.name.removesuffix(CHANGELOG)])
            return Cluster(len(admin.describe_cluster()["brokers"]), partitions)

    def _agreed(self, admin: KafkaAdminClient) -> int:
        """How many partitions every topic of events has. Raises `LogError` where one is missing or has another number."""
        counts = self._counts(admin)
        if missing := [name for name in sources(self._settings) if name not in counts]:
            raise LogError(no_topic(missing[0], self._settings))
        partitions = partitions_of(counts.values()) or PARTITIONS
        if odd := [name for name, number in counts.items() if number != partitions]:
            raise LogError(miscut(odd[0], counts[odd[0]], partitions))
        return partitions

    def _counts(self, admin: KafkaAdminClient) -> dict[str, int]:
        """How many partitions the topics of events have, of those that there are."""
        names = sources(self._settings)
        found = _partitions(admin, names)
        return {name: len(found[name]) for name in names if name in found}

    def newest(self) -> float | None:
        """The highest time, in epoch seconds, at which a client says that it wrote an event; None for empty topics."""
        with self._admin() as admin:
            found = _partitions(admin, sources(self._settings))
            wish = {TopicPartition(n, p): OffsetSpec.MAX_TIMESTAMP for n, parts in found.items() for p in range(len(parts))}
            stamps = [found.timestamp for found in admin.list_partition_offsets(wish).values()] if wish else []
            return max((stamp / 1000 for stamp in stamps if stamp >= 0), default=None)

    def set_password(self, user: str, password: str) -> None:
        """Let this user of Kafka's own (SCRAM-SHA-512) in by this password, in place of any before; returns when it is let in.

        Raises `LogError`.
        """
        with self._admin() as admin:
            answer = admin.alter_user_scram_credentials(
                [UserScramCredentialUpsertion(user, ScramMechanism.SCRAM_SHA_512, password)]
            )
        if answer[user] is not None:
            raise LogError(f"Kafka at {self._settings.bootstrap} takes no password for {user}: {answer[user]}")
        who = {"sasl_mechanism": "SCRAM-SHA-512", "sasl_username": user, "sasl_password": SecretStr(password)}
        other, end = Log(self._settings.model_copy(update=who)), time.monotonic() + ANSWER_SECONDS
        while True:  # the controller has it; the broker hears of it a moment later
            try:
                other._enter()
                return
            except LogError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.02)

    # Writing

    def send(self, event: Event, headers: Sequence[tuple[str, bytes]] = ()) -> None:
        """Hand one event to Kafka; it is there after `flush`. Raises `LogError` for this or an earlier event."""
        topic = self._settings.topic_prefix + TOPIC_OF[event.type].name
        try:
            if self._producer is None:
                self._producer = self._connect_producer()
            said = [("content-type", CONTENT_TYPE), *headers]
            sent = self._producer.send(topic, encode(event), event.subject.encode(), headers=said)
            self._sent.append(sent)
            while len(self._sent) > UNDELIVERED or (self._sent and self._sent[0].is_done):
                self._sent.popleft().get(None)
        except (KafkaError, OSError) as error:
            raise self._explained(error, topic) from None

    def flush(self) -> None:
        """Return when Kafka has every event that was sent; raises `LogError` if it did not take one."""
        try:
            if self._producer is not None:
                self._producer.flush()
            while self._sent:
                self._sent.popleft().get(None)
        except (KafkaError, OSError) as error:
            raise self._explained(error, "write here") from None

    def write(self, events: Iterable[Event]) -> int:
        """Send every event and flush; returns how many. After a `LogError` write all again: ids make them count once."""
        count = 0
        for count, event in enumerate(events, 1):  # noqa: B007
            self.send(event)
        self.flush()
        return count

    def _connect_producer(self) -> KafkaProducer:
        with self._admin() as admin:
            self._agreed(admin)
        return KafkaProducer(
            **self._connection(),
            acks="all",
            enable_idempotence=True,
            linger_ms=5,
            batch_size=64 * 1024,
            delivery_timeout_ms=300_000,  # rides out a broker that starts again
            max_block_ms=int(ANSWER_SECONDS * 1000),
            allow_auto_create_topics=False,
        )

    # Reading

    def read(
        self,
        topics: Sequence[str],
        start: datetime | Mapping[tuple[str, int], int] | None = None,
        end: datetime | Mapping[tuple[str, int], int] | None = None,
        spans: Spans | None = None,
    ) -> Iterator[Record]:
        """The records of a range, merged by event time: of the partitions' next records the earliest comes first.

        Each partition keeps its own order, also where it is not that of event time. `start` (inclusive) and `end` (exclusive)
        are event times, or offsets by (topic, partition); None is the log's own. Nothing beyond the end that the log has now is
        read, and only what is committed. An end in event time still reads to the log's end, because late events come late.
        Of a partition that `spans` name only those are read. Topics are named as in `schemas.topics`. Raises `LogError`.
        """
        for record in self._read(topics, start, end, _record, lambda record: record.time, spans):
            early = isinstance(start, datetime) and record.time < start.timestamp()
            late = isinstance(end, datetime) and record.time >= end.timestamp()
            if not early and not late:
                yield record

    def letters(self, since: datetime | None = None) -> Iterator[Record]:
        """The dead letters that were put aside from then on, in the order in which they were. Raises `LogError`."""
        for record in self._read([DEAD_LETTERS.name], since, None, _record, lambda record: record.timestamp):
            if since is None or record.timestamp >= since.timestamp():
                yield record

    def kept(self, topic: str, spans: Spans | None = None) -> Iterator[Any]:
        """The records of a topic without events, as they are, by the time they say; with `spans` only those. `LogError`."""
        yield from self._read([topic], None, None, lambda raw, _: raw, lambda raw: raw.timestamp, spans, only=spans is not None)

    def partitions(self, topics: Iterable[str]) -> dict[str, int]:
        """How many partitions each of those topics has that there are. Raises `LogError`."""
        strip = len(self._settings.topic_prefix)
        with self._admin() as admin:
            found = _partitions(admin, [self._settings.topic_prefix + name for name in topics])
        return {name[strip:]: len(parts) for name, parts in found.items()}

    def are_there(self, records: Mapping[tuple[str, int], tuple[int, int]]) -> set[tuple[str, int]]:
        """Where, of these topics and partitions, the log still has the record that had this offset and was written then (epoch
        milliseconds), and not one of a topic that was created anew. Raises `LogError`.
        """
        prefix, there = self._settings.topic_prefix, set()
        with self._consumer(", ".join(topic for topic, _ in records)) as consumer:
            places = {TopicPartition(prefix + topic, number): (topic, number) for topic, number in records}
            starts, ends = consumer.beginning_offsets(list(places)), consumer.end_offsets(list(places))
            first = consumer.offsets_for_times({tp: records[place][1] for tp, place in places.items()})
            for tp, place in places.items():
                offset, written = records[place]
                found = first.get(tp)
                # Of those written in one millisecond the first is found.
                if found and found.timestamp == written and found.offset <= offset and starts[tp] <= offset < ends[tp]:
                    there.add(place)
        return there

    @contextlib.contextmanager
    def _consumer(self, topic: str) -> Iterator[KafkaConsumer]:
        try:
            self._enter()
            consumer = KafkaConsumer(
                **self._connection(),
                enable_auto_commit=False,
                isolation_level="read_committed",
                auto_offset_reset="earliest",
                allow_auto_create_topics=False,
                max_poll_records=BLOCK,
                max_partition_fetch_bytes=512 * 1024,  # about a block; what exceeds it is fetched again
                check_crcs=False,  # TCP has checked them; in Python they cost more than all the rest
            )
            with contextlib.closing(consumer):
                yield consumer
        except (KafkaError, OSError) as error:
            raise self._explained(error, topic) from None

    def _read(
        self,
        topics: Sequence[str],
        start: datetime | Mapping[tuple[str, int], int] | None,
        end: datetime | Mapping[tuple[str, int], int] | None,
        made: Callable[[Any, int], T],
        order: Callable[[T], float],
        spans: Spans | None = None,
        *,
        only: bool = False,
    ) -> Iterator[T]:
        """The records that may be in a range, the partitions merged in this order; `only` those that `spans` name."""
        prefix = self._settings.topic_prefix
        with self._consumer(", ".join(topics)) as consumer:
            parts = []
            for place, (first, last) in self._spans(consumer, [prefix + name for name in topics], start, end).items():
                of = (
                    [(0, None)]
                    if spans is None
                    else spans.get((place.topic[len(prefix) :], place.partition), [] if only else [(0, None)])
                )
                cut = [(max(first, a), last if b is None else min(last, b)) for a, b in of]
                parts.append(_in_order(consumer, place, [span for span in cut if span[0] < span[1]], len(prefix), made))
            yield from heapq.merge(*parts, key=order)

    def _spans(
        self,
        consumer: KafkaConsumer,
        names: list[str],
        start: datetime | Mapping[tuple[str, int], int] | None,
        end: datetime | Mapping[tuple[str, int], int] | None,
    ) -> dict[TopicPartition, tuple[int, int]]:
        """First offset and end of every partition that may have something in the range."""
        known = consumer.topics()
        if missing := [name for name in names if name not in known]:
            with self._admin() as admin:  # a consumer is not told of a topic that it has no right to
                _partitions(admin, missing)
            raise LogError(no_topic(missing[0], self._settings))
        places = [TopicPartition(name, n) for name in names for n in sorted(consumer.partitions_for_topic(name))]
        starts, ends = consumer.beginning_offsets(places), consumer.end_offsets(places)
        strip = len(self._settings.topic_prefix)
        if isinstance(start, datetime):
            written = max(0, int((start - EARLIER).timestamp() * 1000))
            first = consumer.offsets_for_times(dict.fromkeys(places, written))
            starts = {tp: first[tp].offset if first.get(tp) else ends[tp] for tp in places}
        elif start is not None:
            starts = {tp: max(starts[tp], start.get((tp.topic[strip:], tp.partition), 0)) for tp in places}
        if end is not None and not isinstance(end, datetime):
            ends = {tp: min(ends[tp], end.get((tp.topic[strip:], tp.partition), ends[tp])) for tp in places}
        return {tp: (starts[tp], ends[tp]) for tp in places if starts[tp] < ends[tp]}

    # The connection

    def _connection(self) -> dict[str, Any]:
        s = self._settings
        return {
            "bootstrap_servers": s.bootstrap.split(","),
            "client_id": "pantau112",
            "bootstrap_timeout_ms": int(ANSWER_SECONDS * 1000),
            "security_protocol": s.security_protocol,
            "sasl_mechanism": s.sasl_mechanism,
            "sasl_plain_username": s.sasl_username,
            "sasl_plain_password": s.sasl_password.get_secret_value() if s.sasl_password else None,
            "ssl_context": s.kafka_tls(),
            "metrics_enabled": False,
        }

    def _enter(self) -> list[str]:
        """See at once whether Kafka lets us in: the client itself would try for a long time, and not say why it could not."""
        try:
            return asyncio.run(enter(self._settings))
        except BarredError as why:
            raise LogError(why.says, why.todo) from None
        except SettingsError as why:
            raise LogError(str(why)) from None

    @contextlib.contextmanager
    def _admin(self) -> Iterator[KafkaAdminClient]:
        try:
            self._enter()
            config = self._connection()
            del config["metrics_enabled"]
            with contextlib.closing(KafkaAdminClient(**config)) as admin:
                yield admin
        except (KafkaError, OSError) as error:
            raise self._explained(error, "topics") from None

    def _explained(self, error: Exception, topic: str) -> LogError:
        if isinstance(error, LogError):
            return error
        at, name = self._settings.bootstrap, type(error).__name__
        if said := refused(self._settings, error, topic):
            return LogError(*said)
        if "TopicOrPartition" in name:
            return LogError(no_topic(topic, self._settings))
        if isinstance(error, OSError) or getattr(error, "retriable", False):
            try:
                brokers = self._enter()
            except LogError as why:
                return why
            others = f"are the addresses that it gives reachable from here: {', '.join(brokers)}?"
            return LogError(f"Kafka at {at} lets us in, and then does not answer ({name})", others)
        return LogError(f"Kafka at {at} did not take it: {name}")


def _is_loading(error: BaseException) -> bool:
    return isinstance(error, KafkaError) and error.retriable


def _in_order(
    consumer: KafkaConsumer, place: TopicPartition, spans: Iterable[tuple[int, int]], prefix: int, made: Callable[[Any, int], T]
) -> Iterator[T]:
    """The records of one partition from each first offset up to its end, fetched in blocks through a consumer that others use in
    between.

    Not with its `pause`, after which kafka-python 3.0.12 never gives some records it has fetched.
    """
    for offset, end in spans:
        while offset < end:
            consumer.assign([place])
            consumer.seek(place, offset)
            moved = time.monotonic()
            while True:
                came = consumer.poll(timeout_ms=500).get(place, [])
                # The position also moves past what is no record: markers and aborted transactions.
                if came or consumer.position(place) > offset:
                    break
                if time.monotonic() - moved > STALL_SECONDS:
                    raise LogError(
                        f"{place.topic}/{place.partition}: nothing came for {STALL_SECONDS:g} s", "try pantau112 doctor"
                    )
            offset = consumer.position(place)  # noqa: PLW2901
            for record in came:
                if record.offset < end:
                    yield made(record, prefix)


def _record(raw: Any, prefix: int) -> Record:
    written, item = raw.timestamp / 1000, decode(raw.value)
    time_ = item.time.timestamp() if isinstance(item, Event) else written
    return Record(raw.topic[prefix:], raw.partition, raw.offset, written, raw.key, raw.value, item, time_, raw.headers)


def _partitions(admin: KafkaAdminClient, names: list[str]) -> dict[str, list[dict[str, Any]]]:
    """The partitions of those topics that there are. Raises `TopicAuthorizationFailedError` where that is not ours to know."""
    described = admin.describe_topics(names)
    if hidden := [topic["name"] for topic in described if topic["error_code"] == TopicAuthorizationFailedError.errno]:
        raise TopicAuthorizationFailedError(hidden)
    return {topic["name"]: topic["partitions"] for topic in described if not topic["error_code"]}


def _examine(admin: KafkaAdminClient, wanted: Sequence[Plan]) -> list[Found]:
    """What is the case with each of these topics."""
    partitions = _partitions(admin, [plan.name for plan in wanted])
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in partitions]
    configs = admin.describe_configs(resources, config_filter="all")["topic"] if resources else {}
    return [compare(plan, partitions.get(plan.name), configs.get(plan.name, {})) for plan in wanted]

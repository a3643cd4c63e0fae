"""The event log: topics made and checked, events written, ranges read. The only file that names kafka-python."""

import contextlib
import heapq
import logging
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, NamedTuple, Self

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, MemberToRemove, ScramMechanism, UserScramCredentialUpsertion
from kafka.errors import KafkaError, KafkaTimeoutError, TopicAlreadyExistsError
from kafka.protocol.consumer import OffsetSpec
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_fixed

from schemas.event import Event
from schemas.topics import CONTENT_TYPE, DEAD_LETTERS, PARTITIONS, TOPIC_OF, TOPICS, Refusal, UnknownType, decode, encode
from streams.log.topics import Found, compare, miscut, no_topic, plans
from streams.settings import Settings

ANSWER_SECONDS = 20.0
"""How long a broker may take to answer the first request."""

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


class LogError(OSError):
    """Kafka is away or refuses; the message is one line, what it `says` and what to do."""

    def __init__(self, says: str, todo: str = "") -> None:
        super().__init__("; ".join(filter(None, (says, todo))))
        self.says = says


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

    def create_topics(self) -> list[Found]:
        """Create what is missing and leave alone what is there; says of every topic what is the case."""
        with self._admin() as admin:
            brokers = len(admin.describe_cluster()["brokers"])
            before = {found.topic: found for found in self._examine(admin)}
            new = {plan.name: plan for plan in plans(self._settings) if before[plan.name].state == "missing"}
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
                for found in self._examine(admin)
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
            return self._examine(admin)

    def newest(self) -> float | None:
        """The highest time, in epoch seconds, at which a client says that it wrote an event; None for empty topics."""
        with self._admin() as admin:
            found = _partitions(admin, [self._settings.topic_prefix + topic.name for topic in TOPICS])
            wish = {TopicPartition(n, p): OffsetSpec.MAX_TIMESTAMP for n, parts in found.items() for p in range(len(parts))}
            stamps = [found.timestamp for found in admin.list_partition_offsets(wish).values()] if wish else []
            return max((stamp / 1000 for stamp in stamps if stamp >= 0), default=None)

    def set_password(self, user: str, password: str) -> None:
        """Let this user of Kafka's own (SCRAM-SHA-512) in by this password, in place of any before. Raises `LogError`."""
        with self._admin() as admin:
            refused = admin.alter_user_scram_credentials(
                [UserScramCredentialUpsertion(user, ScramMechanism.SCRAM_SHA_512, password)]
            )
        if refused[user] is not None:
            raise LogError(f"Kafka at {self._settings.bootstrap} takes no password for {user}: {refused[user]}")

    def _examine(self, admin: KafkaAdminClient) -> list[Found]:
        wanted = plans(self._settings)
        partitions = _partitions(admin, [plan.name for plan in wanted])
        resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in partitions]
        configs = admin.describe_configs(resources, config_filter="all")["topic"] if resources else {}
        return [compare(plan, partitions.get(plan.name), configs.get(plan.name, {})) for plan in wanted]

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
            raise self._explained(error, "a topic") from None

    def write(self, events: Iterable[Event]) -> int:
        """Send every event and flush; returns how many. After a `LogError` write all again: ids make them count once."""
        count = 0
        for count, event in enumerate(events, 1):  # noqa: B007
            self.send(event)
        self.flush()
        return count

    def _connect_producer(self) -> KafkaProducer:
        names = [self._settings.topic_prefix + topic.name for topic in TOPICS]
        with self._admin() as admin:
            found = _partitions(admin, names)
        for name in names:
            if len(found.get(name, ())) != PARTITIONS:
                raise LogError(no_topic(name, self._settings) if name not in found else miscut(len(found[name]), name))
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
    ) -> Iterator[Record]:
        """The records of a range, merged by event time: of the partitions' next records the earliest comes first.

        Each partition keeps its own order, also where it is not that of event time. `start` (inclusive) and `end` (exclusive)
        are event times, or offsets by (topic, partition); None is the log's own. Nothing beyond the end that the log has now is
        read, and only what is committed. An end in event time still reads to the log's end, because late events come late.
        Topics are named as in `schemas.topics`. Raises `LogError`.
        """
        for record in self._read(topics, start, end, lambda record: record.time):
            early = isinstance(start, datetime) and record.time < start.timestamp()
            late = isinstance(end, datetime) and record.time >= end.timestamp()
            if not early and not late:
                yield record

    def letters(self, since: datetime | None = None) -> Iterator[Record]:
        """The dead letters that were put aside from then on, in the order in which they were. Raises `LogError`."""
        for record in self._read([DEAD_LETTERS.name], since, None, lambda record: record.timestamp):
            if since is None or record.timestamp >= since.timestamp():
                yield record

    def _read(
        self,
        topics: Sequence[str],
        start: datetime | Mapping[tuple[str, int], int] | None,
        end: datetime | Mapping[tuple[str, int], int] | None,
        order: Callable[[Record], float],
    ) -> Iterator[Record]:
        """The records that may be in a range, the partitions merged in this order."""
        prefix = self._settings.topic_prefix
        try:
            self._probe()
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
                spans = self._spans(consumer, [prefix + name for name in topics], start, end)
                parts = [_in_order(consumer, place, *span, len(prefix)) for place, span in spans.items()]
                yield from heapq.merge(*parts, key=order)
        except (KafkaError, OSError) as error:
            raise self._explained(error, ", ".join(topics)) from None

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
            "ssl_cafile": str(s.ssl_cafile) if s.ssl_cafile else None,
            "metrics_enabled": False,
        }

    def _probe(self) -> None:
        """See at once whether anybody listens: the client itself would try for a long time."""
        refused: OSError | None = None
        for address in self._settings.bootstrap.split(","):
            host, port = address.rsplit(":", 1)
            try:
                socket.create_connection((host, int(port)), ANSWER_SECONDS).close()
                return
            except OSError as error:
                refused = error
        raise refused or OSError("no address")

    @contextlib.contextmanager
    def _admin(self) -> Iterator[KafkaAdminClient]:
        try:
            self._probe()
            config = self._connection()
            del config["metrics_enabled"]
            with contextlib.closing(KafkaAdminClient(**config)) as admin:
                yield admin
        except (KafkaError, OSError) as error:
            raise self._explained(error, "topics") from None

    def _explained(self, error: Exception, topic: str) -> LogError:
        if isinstance(error, LogError):
            return error
        at = self._settings.bootstrap
        name = type(error).__name__
        if "TopicOrPartition" in name:
            return LogError(no_topic(topic, self._settings))
        if "Authori" in name or "Authentication" in name or "Sasl" in name:
            return LogError(f"Kafka at {at} refuses us ({name}): check the PANTAU112_SASL_ and PANTAU112_SSL_ settings")
        if isinstance(error, OSError) or getattr(error, "retriable", False):
            return LogError(f"no Kafka at {at}", f"is it running? try pantau112 doctor ({name})")
        return LogError(f"Kafka at {at} did not take it: {name}")


def _is_loading(error: BaseException) -> bool:
    return isinstance(error, KafkaError) and error.retriable


def _in_order(consumer: KafkaConsumer, place: TopicPartition, offset: int, end: int, prefix: int) -> Iterator[Record]:
    """The records of one partition from `offset` up to `end`, fetched in blocks through a consumer that others use in between.

    Not with its `pause`, after which kafka-python 3.0.12 never gives some records it has fetched.
    """
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
                raise LogError(f"{place.topic}/{place.partition}: nothing came for {STALL_SECONDS:g} s", "try pantau112 doctor")
        offset = consumer.position(place)
        for record in came:
            if record.offset < end:
                yield _record(record, prefix)


def _record(raw: Any, prefix: int) -> Record:
    written, item = raw.timestamp / 1000, decode(raw.value)
    time_ = item.time.timestamp() if isinstance(item, Event) else written
    return Record(raw.topic[prefix:], raw.partition, raw.offset, written, raw.key, raw.value, item, time_, raw.headers)


def _partitions(admin: KafkaAdminClient, names: list[str]) -> dict[str, list[dict[str, Any]]]:
    """The partitions of those topics that there are."""
    return {topic["name"]: topic["partitions"] for topic in admin.describe_topics(names) if not topic["error_code"]}

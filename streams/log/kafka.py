"""The event log: topics made and checked, events written. The only file that names kafka-python."""

import contextlib
import logging
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Any, NamedTuple, Self

from kafka import KafkaAdminClient, KafkaProducer, TopicPartition, errors
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
    encode,
)
from streams.log.access import ANSWER_SECONDS, LogError, explained, let_in
from streams.log.topics import CHANGELOG, Found, Plan, compare, miscut, no_topic, partitions_of, plans, recut, sources
from streams.settings import Settings

LED_SECONDS = 120
"""How long a broker may take until every partition of a new topic is led: seconds, on a machine that does much else."""

UNDELIVERED = 5_000
"""Most events on their way to Kafka; writing waits beyond it, so that memory stays bounded."""


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
                for attempt in _until_loaded():
                    with attempt:
                        admin.remove_group_members(group, [MemberToRemove(group_instance_id=instance_id)])

    def remove(self, topic: str, group: str) -> None:
        """Delete a topic and a consumer group, for good. One that is not there is none to delete."""
        with self._admin() as admin:
            if _partitions(admin, [topic]):
                admin.delete_topics([topic])
            for attempt in _until_loaded():
                with attempt:
                    said = admin.delete_groups([group])[group]
                    # Of each group Kafka says it by the name of the error, and raises none.
                    if getattr(getattr(errors, said, None), "retriable", False):
                        raise getattr(errors, said)
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

    def partitions(self, names: Iterable[str]) -> dict[str, int]:
        """How many partitions each of these topics has that there are, by their full names. Raises `LogError`."""
        with self._admin() as admin:
            return {name: len(parts) for name, parts in _partitions(admin, list(names)).items()}

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
        other, end = self._settings.model_copy(update=who), time.monotonic() + ANSWER_SECONDS
        while True:  # the controller has it; the broker hears of it a moment later
            try:
                let_in(other)
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
            raise explained(self._settings, error, topic) from None

    def flush(self) -> None:
        """Return when Kafka has every event that was sent; raises `LogError` if it did not take one."""
        try:
            if self._producer is not None:
                self._producer.flush()
            while self._sent:
                self._sent.popleft().get(None)
        except (KafkaError, OSError) as error:
            raise explained(self._settings, error, "write here") from None

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

    @contextlib.contextmanager
    def _admin(self) -> Iterator[KafkaAdminClient]:
        try:
            let_in(self._settings)
            config = self._connection()
            del config["metrics_enabled"]
            with contextlib.closing(KafkaAdminClient(**config)) as admin:
                yield admin
        except (KafkaError, OSError) as error:
            raise explained(self._settings, error, "topics") from None


def _until_loaded() -> Retrying:
    """Attempts at a question about groups: just started, Kafka is still reading who was in them, or making the place for them."""
    return Retrying(retry=retry_if_exception(_is_loading), wait=wait_fixed(0.2), stop=stop_after_delay(20), reraise=True)


def _is_loading(error: BaseException) -> bool:
    return isinstance(error, KafkaError) and error.retriable


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

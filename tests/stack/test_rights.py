"""The rights that SECURITY.md gives each role in a cluster are those it needs, and no others."""

import asyncio
import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.request import urlopen

import pytest
from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import ACL, ACLOperation, ACLPermissionType, ACLResourcePatternType, ResourcePattern, ResourceType
from kafka.protocol.consumer import OffsetSpec

from schemas.event import Event
from schemas.topics import CALLS, DISPATCH, PARTITIONS, encode
from streams.core.nouns import STATE_VERSION
from streams.edge.forward import Kafka
from streams.log.access import LogError
from streams.log.kafka import Log
from streams.log.lookup import Lookup
from streams.log.producer import Producer
from streams.log.reader import Reader
from streams.log.topics import CHANGELOG
from streams.settings import PREFIX, Settings
from tests.conftest import HANG, free_port, wait_until
from tests.guarded import PASSWORD
from tests.log.told import offered, seat_taken

if TYPE_CHECKING:
    from tests.guarded import GuardedKafka

pytestmark = pytest.mark.stack

SECURITY = Path(__file__).parents[2] / "SECURITY.md"
NOW = datetime.now(UTC)
T = TypeVar("T")


def rights() -> Iterator[tuple[str, ACLOperation, ResourcePattern]]:
    """Every line of the table: who may do what on what."""
    for role, operations, on in re.findall(r"^\| (\w+) \| ([A-Z_, ]+) \| ((?:topics|groups) .*) \|$", SECURITY.read_text(), re.M):
        kind = ResourceType.TOPIC if on.startswith("topics") else ResourceType.GROUP
        for name in re.findall(r"`([^`]+)`", on):
            pattern = ACLResourcePatternType.PREFIXED if name.endswith("*") else ACLResourcePatternType.LITERAL
            for operation in operations.split(", "):
                yield role, ACLOperation[operation], ResourcePattern(kind, name.removesuffix("*"), pattern)


@pytest.fixture(scope="module")
def roles(guarded: "GuardedKafka") -> dict[str, Settings]:
    """The settings of each role, which has exactly the rights of the table; they get in by different ways."""
    with Log(guarded.master)._admin() as master:
        given = [ACL(f"User:{role}", "*", operation, ACLPermissionType.ALLOW, on) for role, operation, on in rights()]
        assert not master.create_acls(given)["failed"]
    for name in ("admin", "worker", "finisher", "edge", "analyst"):
        guarded.let_in(name)
    return {
        "admin": guarded.at("secret", sasl_username="admin"),
        "worker": guarded.shown("both", "worker"),
        "finisher": guarded.at("users", sasl_username="finisher"),
        "gateway": guarded.shown("mutual", "gateway"),
        "edge": guarded.at("secret", sasl_username="edge"),
        "analyst": guarded.at("users", sasl_username="analyst"),
    }


@pytest.fixture(scope="module", autouse=True)
def _topics(roles: dict[str, Settings]) -> None:
    with Log(roles["admin"]) as log:
        assert {found.state for found in log.create_topics()} == {"created"}
        assert {found.state for found in log.check()} == {"as planned"}


def as_gateway(settings: Settings, work: Callable[[Producer], Awaitable[T]]) -> T:
    """What comes of a gateway's work, once it is in."""

    async def run() -> T:
        producer = Producer(settings)
        running = asyncio.create_task(producer.run())
        try:
            async with asyncio.timeout(HANG):
                while not producer.is_up:  # noqa: ASYNC110 (it tells nobody)
                    await asyncio.sleep(0.02)
            return await work(producer)
        finally:
            running.cancel()
            await asyncio.wait([running])

    return asyncio.run(run())


def test_each_role_does_its_work_with_the_rights_of_the_table(roles: dict[str, Settings]) -> None:
    edge = Kafka(roles["edge"])
    assert asyncio.run(edge.send([encode(offered(1, NOW))])) == {}
    asyncio.run(edge.close())

    async def told(producer: Producer) -> int:
        await producer.write([offered(2, NOW)])
        return len(await Lookup(roles["gateway"]).events(DISPATCH, "32.71", NOW - timedelta(hours=1), "ticket.acknowledged"))

    assert as_gateway(roles["gateway"], told) == 0
    assert len(list(Reader(roles["analyst"]).read([CALLS.name]))) == 2

    port = free_port()
    said = {name: getattr(roles["worker"], name) for name in roles["worker"].model_fields_set} | {
        "metrics_port": port, "sasl_password": PASSWORD
    }  # fmt: skip
    environment = {PREFIX + name.upper(): str(value) for name, value in said.items()}
    worker = subprocess.Popen([sys.executable, "-m", "streams.cli", "worker"], env=os.environ | environment)

    def page(path: str) -> str:
        with contextlib.suppress(OSError), urlopen(f"http://127.0.0.1:{port}{path}") as answer:
            text: str = answer.read().decode()
            return text
        assert worker.poll() is None, "the worker ended"
        return ""

    try:
        wait_until(lambda: 'psap_calls_offered_total{city="32.71",queue="112"} 2\n' in page("/metrics"), "the worker counts")
        with Log(roles["worker"])._admin() as admin:  # its state is kept: nothing of the changelog's partitions is empty
            changelog = f"pantau112-v{STATE_VERSION}-state-changelog"
            places = [TopicPartition(changelog, number) for number in range(PARTITIONS)]
            wait_until(lambda: any(end.offset for end in ends(admin, places)), "the worker keeps its state")
    finally:
        worker.terminate()
        worker.wait(HANG)


def ends(admin: KafkaAdminClient, places: list[TopicPartition]) -> list[Any]:
    return list(admin.list_partition_offsets(dict.fromkeys(places, OffsetSpec.LATEST)).values())


def write(settings: Settings, event: Event) -> None:
    with Log(settings) as log:
        log.write([event])


def read(settings: Settings, topic: str) -> None:
    list(Reader(settings).read([topic]))


def create(settings: Settings) -> None:
    other = settings.model_copy(update={"topic_prefix": "others."})
    with Log(other) as log:
        log.create_topics()


FORBIDDEN: dict[str, Callable[[dict[str, Settings]], object]] = {
    "an edge reads": lambda roles: read(roles["edge"], CALLS.name),
    "an analyst writes": lambda roles: write(roles["analyst"], offered(9, NOW)),
    "a worker tells what seats do": lambda roles: write(roles["worker"], seat_taken(9, NOW)),
    "a gateway looks up calls": lambda roles: as_gateway(
        roles["gateway"], lambda _: Lookup(roles["gateway"]).events(CALLS, "32.71", NOW, "call.offered")
    ),
    "an analyst sees how topics are set": lambda roles: Log(roles["analyst"]).check(),
    "an admin reads": lambda roles: read(roles["admin"], CALLS.name),
    "an admin writes": lambda roles: write(roles["admin"], offered(9, NOW)),
    "an admin makes topics of others": lambda roles: create(roles["admin"]),
}


@pytest.mark.parametrize("deed", FORBIDDEN)
def test_no_role_does_what_is_not_its_own_and_is_told_so_in_one_line(roles: dict[str, Settings], deed: str) -> None:
    with pytest.raises(
        LogError, match=r"gives \S.* no right to \S.*; give it what its role needs: the table in SECURITY.md"
    ) as told:
        FORBIDDEN[deed](roles)
    assert "\n" not in str(told.value)


def test_what_an_older_version_kept_is_removed_by_who_finishes_an_upgrade_and_by_no_worker(roles: dict[str, Settings]) -> None:
    older = f"pantau112-v1{CHANGELOG}"
    with Log(roles["admin"])._admin() as admin:
        admin.create_topics({older: {"num_partitions": 1, "replication_factor": 1}})
        admin.wait_for_topics([older])
    with Log(roles["worker"]) as log, pytest.raises(LogError, match="gives worker no right to topics"):
        log.remove(older, "pantau112-v1")
    with Log(roles["finisher"]) as log:
        log.remove(older, "pantau112-v1")
    with Log(roles["admin"])._admin() as admin:
        assert older not in admin.list_topics()


@pytest.mark.parametrize("role", ["admin", "worker", "finisher", "gateway", "edge", "analyst"])
def test_no_role_deletes_a_topic(roles: dict[str, Settings], role: str) -> None:
    with pytest.raises(LogError, match="no right to"), Log(roles[role])._admin() as admin:
        admin.delete_topics([CALLS.name])

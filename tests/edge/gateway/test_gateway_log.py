"""What the gateway said that Kafka has, Kafka has: whoever is killed, and whatever is away for a while."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest

from schemas.event import Event
from schemas.topics import CALLS, DISPATCH, encode
from streams.edge.gateway.cloudevents import BATCHED
from streams.edge.gateway.tokens import Tokens
from streams.log.kafka import Log
from streams.log.lookup import Lookup
from streams.log.reader import Reader
from streams.settings import Settings
from tests.builders import acknowledged, closed, offered
from tests.conftest import HANG, RealKafka, free_port, wait_until

pytestmark = pytest.mark.stack


class Process:
    """`pantau112 gateway` in front of a real Kafka, on topics of its own."""

    def __init__(self, kafka: RealKafka, folder: Path) -> None:
        self._kafka, self._folder, self.port = kafka, folder, free_port()
        self.settings = Settings(bootstrap=kafka.bootstrap, topic_prefix=f"{folder.name}.", app_id=folder.name)
        with Log(self.settings) as log:
            log.create_topics(3)
        self.token = Tokens(folder / "tokens.json").add(["32.71"], ["*"])
        self.start()

    def start(self) -> None:
        environment = {
            **os.environ,
            "PANTAU112_BOOTSTRAP": self._kafka.bootstrap,
            "PANTAU112_TOPIC_PREFIX": self.settings.topic_prefix,
            "PANTAU112_GATEWAY_TOKENS": str(self._folder / "tokens.json"),
            "PANTAU112_GATEWAY_PORT": str(self.port),
        }
        self._process = subprocess.Popen([sys.executable, "-m", "streams.cli", "gateway"], env=environment)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def send(self, events: Sequence[Event]) -> int:
        """The status of the answer; 0 for none."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=HANG)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": BATCHED}
        with contextlib.closing(connection), contextlib.suppress(OSError, HTTPException):
            connection.request("POST", "/v1/events", b"[" + b",".join(map(encode, events)) + b"]", headers)
            answer = connection.getresponse()
            said = json.loads(answer.read())
            assert answer.status != 202 or said == {"accepted": len(events)}
            return answer.status
        return 0

    def insist(self, events: Sequence[Event]) -> None:
        """Send until it was taken, as every client does."""
        wait_until(lambda: self.send(events) == 202, "the events are taken")

    def ids(self) -> list[str]:
        """What Kafka has, in its order."""
        return [record.item.id for record in Reader(self.settings).read([CALLS.name]) if isinstance(record.item, Event)]


@pytest.fixture
def gateway(kafka: RealKafka, tmp_path: Path) -> Iterator[Process]:
    running = Process(kafka, tmp_path)
    try:
        yield running
    finally:
        running.kill()
        if not kafka.is_up:
            kafka.start()


def test_killed_amid_batches_every_event_is_there_once_its_sender_has_insisted(gateway: Process) -> None:
    calls = [offered(f"c{n}", n / 10) for n in range(6_000)]
    gateway.insist(calls[:1])
    for n in range(0, len(calls), 1_000):
        batch = calls[n : n + 1_000]
        connection = HTTPConnection("127.0.0.1", gateway.port, timeout=HANG)
        headers = {"Authorization": f"Bearer {gateway.token}", "Content-Type": BATCHED}
        with contextlib.closing(connection):
            connection.request("POST", "/v1/events", b"[" + b",".join(map(encode, batch)) + b"]", headers)
            gateway.kill()
        gateway.start()
        gateway.insist(batch)

    found = gateway.ids()
    assert set(found) == {call.id for call in calls}
    firsts = list(dict.fromkeys(found))
    assert firsts == sorted(firsts, key=[call.id for call in calls].index), "in the order in which they were sent"


def test_while_the_broker_is_away_it_says_so_soon_and_nothing_that_was_taken_is_missing(
    gateway: Process, kafka: RealKafka
) -> None:
    taken = [offered(f"c{n}", n) for n in range(50)]
    gateway.insist(taken)
    kafka.stop()

    began = time.monotonic()
    assert gateway.send([offered("away", 1)]) == 503
    assert time.monotonic() - began < HANG, "it does not hang"
    wait_until(lambda: gateway.send([offered("away", 1)]) == 503, "it goes on saying so")

    kafka.start()
    back = [offered(f"b{n}", n) for n in range(50)]
    gateway.insist(back)
    assert {call.id for call in (*taken, *back)} <= set(gateway.ids())


def test_a_broker_that_hangs_holds_nobody_for_ever(gateway: Process, kafka: RealKafka) -> None:
    gateway.insist([offered("c1", 0)])
    kafka.freeze()
    try:
        assert gateway.send([offered("c2", 1)]) == 503
    finally:
        kafka.thaw()
    gateway.insist([offered("c2", 1)])


def test_a_gateway_that_starts_before_its_broker_waits_for_it(gateway: Process, kafka: RealKafka) -> None:
    gateway.kill()
    kafka.stop()
    gateway.start()
    wait_until(lambda: gateway.send([offered("c1", 0)]) == 503, "it answers without a broker")
    kafka.start()

    gateway.insist([offered("c1", 0)])


def test_what_an_agency_said_is_found_in_the_log_by_every_gateway(gateway: Process, kafka: RealKafka) -> None:
    told = [acknowledged("BGR-1", 0, "satpol-pp"), acknowledged("BGR-2", 1, "damkar"), closed("BGR-1", 2)]
    before = datetime.now(UTC) - timedelta(minutes=1)

    def found(since: datetime, centre: str = "32.71") -> list[Event]:
        return asyncio.run(Lookup(gateway.settings).events(DISPATCH, centre, since, "ticket.acknowledged"))

    assert found(before) == []
    gateway.insist(told)
    assert found(before) == told[:2]
    assert found(before, "32.76") == []
    assert found(datetime.now(UTC) + timedelta(minutes=1)) == []

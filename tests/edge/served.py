"""A gateway for tests, on a thread and a port of its own, in front of a log that a test can look into and take away."""

import asyncio
import contextlib
import json
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from schemas.event import Event
from schemas.topics import encode
from streams.edge.cloudevents import BATCHED
from streams.edge.gateway import Gateway, serving
from streams.edge.intake import Intake
from streams.edge.tokens import Tokens
from streams.log.kafka import LogError
from streams.sources.door import Door
from tests.builders import BOGOR, changed
from tests.conftest import HANG

DEPOK = changed(BOGOR, code="32.76", name="Kota Depok")


@dataclass
class Memory:
    """A log in memory."""

    written: list[Event] = field(default_factory=list)
    is_up: bool = True

    async def write(self, events: Sequence[Event]) -> None:
        if not self.is_up:
            raise LogError("no Kafka here")
        self.written += events


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass(frozen=True)
class Served:
    """A running gateway of Bogor and Depok, and a token that may tell everything about Bogor but decisions."""

    port: int
    log: Memory
    tokens: Tokens
    token: str

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=HANG)
        with contextlib.closing(connection):
            connection.request(method, path, body, {name.replace("_", "-"): text for name, text in headers.items()})
            answer = connection.getresponse()
            return Answer(answer.status, {name.lower(): text for name, text in answer.getheaders()}, answer.read().decode())

    def post(self, body: bytes, kind: str = BATCHED, token: str | None = None, **headers: str) -> Answer:
        said = {"Authorization": f"Bearer {token or self.token}", "Content-Type": kind} | headers
        return self.ask("POST", "/v1/events", body, **said)

    def send(self, *events: Event, token: str | None = None) -> Answer:
        return self.post(b"[" + b",".join(map(encode, events)) + b"]", token=token)


@contextlib.contextmanager
def served(folder: Path, rate: float = 1e6, **parts: Any) -> Iterator[Served]:
    """A gateway that keeps its tokens in `folder`."""
    tokens, log, ready = Tokens(folder / "tokens.json"), Memory(), Future[int]()
    token = tokens.add([BOGOR.code], ["*"])
    loop, over = asyncio.new_event_loop(), asyncio.Event()

    async def serve() -> None:
        gateway = Gateway(log, Intake([BOGOR.code, DEPOK.code], Door(centres=[BOGOR, DEPOK])), tokens, rate, **parts)
        async with serving(gateway, "127.0.0.1", 0) as port:
            ready.set_result(port)
            await over.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        yield Served(ready.result(HANG), log, tokens, token)
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()

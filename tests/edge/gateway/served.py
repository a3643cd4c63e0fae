"""A gateway for tests, on a thread and a port of its own, in front of a log that a test can look into and take away."""

import asyncio
import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from schemas.event import Event
from schemas.topics import Topic, encode
from streams.api import Api
from streams.edge.gateway.acknowledge import Acknowledging
from streams.edge.gateway.alarm_answer import Answering
from streams.edge.gateway.alarms import watching
from streams.edge.gateway.cloudevents import BATCHED
from streams.edge.gateway.hooks import Hooks
from streams.edge.gateway.intake import Intake
from streams.edge.gateway.page_kinds import PageKinds
from streams.edge.gateway.server import Gateway, serving
from streams.edge.gateway.tokens import Tokens
from streams.log.access import LogError
from streams.sources.door import Door
from streams.sources.pseudonym import keyed
from tests.builders import BOGOR, START, changed
from tests.conftest import HANG

KEY = b"0123456789abcdef0123456789abcdef"
"""What links are signed with."""
RULES = Path(__file__).parents[3] / "dashboards" / "rules"
OUTSIDE = "https://gateway.example.go.id"
"""Where people reach it."""
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

    async def events(self, topic: Topic, centre: str, since: datetime, kind: str) -> list[Event]:
        if not self.is_up:
            raise LogError("no Kafka here")
        return [event for event in self.written if event.type == kind and event.subject == centre]


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
def served(
    folder: Path,
    rate: float = 1e6,
    now: Callable[[], datetime] = lambda: START,
    hooks: Path | None = None,
    alertmanager: str = "http://127.0.0.1:1",
) -> Iterator[Served]:
    """A gateway that keeps its tokens in `folder`, and thinks that it is `now`; with the hooks of a file, and the Alertmanager of
    an address, where none answers unless it is said.
    """
    tokens, log, ready = Tokens(folder / "tokens.json"), Memory(), Future[int]()
    token = tokens.add([BOGOR.code], ["*"])
    loop, over = asyncio.new_event_loop(), asyncio.Event()

    async def serve() -> None:
        centres = {centre.code: centre for centre in (BOGOR, DEPOK)}
        door = Door(keyed(KEY), centres.values()) if hooks else Door(centres=centres.values())
        intake = Intake(centres, door)
        vendors = None if hooks is None else Hooks(hooks, centres, door, intake)
        async with contextlib.AsyncExitStack() as opened:
            kinds = PageKinds(RULES, (BOGOR, DEPOK))
            alarms = await opened.enter_async_context(watching(Api(alertmanager.rstrip("/")), OUTSIDE, KEY, kinds))
            pages = [*Acknowledging(log, log, KEY, now).routes, *Answering(alarms, KEY, centres, now).routes]
            gateway = Gateway(log, intake, tokens, rate, pages, vendors, alarms)
            port = await opened.enter_async_context(serving(gateway, "127.0.0.1", 0))
            ready.set_result(port)
            await over.wait()

    def run() -> None:
        try:
            loop.run_until_complete(serve())
        except BaseException as error:
            ready.set_exception(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield Served(ready.result(HANG), log, tokens, token)
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()

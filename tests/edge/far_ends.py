"""What a collector has around it in a test: an inbox that keeps what is put, and a SIP peer that answers, drops or is dead."""

import asyncio
import functools
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any, ParamSpec

from schemas.event import Event
from tests.conftest import HANG

P = ParamSpec("P")


def in_a_loop(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """A test that awaits, as one that does not."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        asyncio.run(test(*args, **kwargs))

    return run


class KeptInbox:
    """An inbox that keeps what is put, as one that lives as long as a test."""

    def __init__(self, position: str | None = None) -> None:
        self.position = position
        self.events: list[Event] = []
        self.puts = 0

    async def put(self, events: Sequence[Event], position: str | None = None) -> None:
        self.events += events
        self.puts += 1
        self.position = self.position if position is None else position

    @property
    def types(self) -> list[str]:
        """The types of all events, without heartbeats and samples."""
        return [event.type for event in self.events if event.type in {"link.up", "link.down"}]


async def until(true: Callable[[], bool]) -> None:
    """Return as soon as it is true; what never is hangs."""
    async with asyncio.timeout(HANG):
        while not true():  # noqa: ASYNC110, what it waits for is told to nobody
            await asyncio.sleep(0.005)


@asynccontextmanager
async def running(collector: Any, inbox: KeptInbox) -> AsyncIterator[None]:
    """The collector at work; what it raises is raised, and it never ends."""
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(collector.run(inbox))
        yield
        assert not task.done()
        task.cancel()


class SipPeer(asyncio.DatagramProtocol):
    """Answers OPTIONS with `status`; None drops them. `asked` holds what came."""

    def __init__(self) -> None:
        self.status: str | None = "200 OK"
        self.asked: list[bytes] = []
        self.port = 0
        self._transport: asyncio.DatagramTransport | None = None
        self._server: asyncio.Server | None = None

    async def listen(self, port: int = 0) -> None:
        """Begin to live, by UDP."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", port))
        self.port = self._transport.get_extra_info("sockname")[1]

    async def listen_tcp(self) -> None:
        """Begin to live, by TCP."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def die(self) -> None:
        """Nobody listens at the port any more."""
        if self._transport is not None:
            self._transport.close()
        if self._server is not None:
            self._server.close()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.asked.append(data)
        assert self._transport is not None
        for message in self._said(data):
            self._transport.sendto(message, addr)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        data = await reader.readuntil(b"\r\n\r\n")
        self.asked.append(data)
        for message in self._said(data):
            writer.write(message)
        if self.status is None:
            await reader.read()
        writer.close()

    def _said(self, request: bytes) -> list[bytes]:
        """Somebody else's answer, one on the way, and the answer."""
        if self.status is None:
            return []
        lines = request.decode().split("\r\n")
        kept = [line for line in lines if line.startswith(("Via", "From", "To", "Call-ID", "CSeq"))]
        foreign = ["Call-ID: other" if line.startswith("Call-ID") else line for line in kept]
        answers = ((self.status.replace("200", "500"), foreign), ("100 Trying", kept), (self.status, kept))
        return ["\r\n".join([f"SIP/2.0 {status}", *said, "Content-Length: 0", "", ""]).encode() for status, said in answers]

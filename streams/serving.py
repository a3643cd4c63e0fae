"""How every server of ours stands among its neighbours: how many it hears, for how long, and whose pages may ask.

A page of another site in a browser here, and a name that was made to lead here (DNS rebinding), are refused. A client that is
slow, says nothing or never ends is let go. Where there is no room, whoever does nothing for longest makes room for the one that
comes: nobody who came first keeps others out.
"""

import asyncio
import contextlib
import errno
import ipaddress
import logging
import os
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Middleware

from streams.core.fault import place_of

log = logging.getLogger(__name__)

IDLE_SECONDS = 30.0
"""How long a connection may say nothing, or take for the headers of a request, or for greeting in TLS."""

LAST_SECONDS = 15.0
"""How long a server that ends waits for the requests that it has."""

NOT_HERE = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one server bears: connections at a time, and seconds from a request's headers to the last byte of its answer."""

    connections: int = 128
    seconds: float = 30.0


@dataclass(slots=True)
class _Visitor:
    """One connection: what it did last is `since`, in the loop's seconds."""

    connection: socket.socket
    since: float
    asking: bool = False


class Server:
    """An application that is served within an `async with`, on any number of addresses."""

    def __init__(self, app: web.Application, limits: Limits) -> None:
        """The application is ours alone: what bounds its requests is put before its own middlewares."""
        app.middlewares.insert(0, self._bounded)
        app.middlewares.append(_not_too_large)
        app.on_response_prepare.append(_unnamed)
        app.on_response_prepare.append(_without_pieces)
        self._limits = limits
        self._visitors: dict[int, _Visitor] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        # What it would say of bad requests is what strangers wrote.
        silent = logging.getLogger(f"{__name__}.strangers")
        silent.disabled = True
        self._runner = web.AppRunner(
            app,
            access_log=None,
            logger=silent,
            handler_cancellation=True,
            keepalive_timeout=IDLE_SECONDS,
            lingering_time=2.0,
            shutdown_timeout=LAST_SECONDS,
        )

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Let those who ask have their answers, and end."""
        listening = list(self._tasks)
        for task in listening:
            task.cancel()
        await asyncio.gather(*listening, return_exceptions=True)
        await self._runner.cleanup()
        for one in self._here().values():  # they have an answer that they do not read
            _let_go(one)
        for _turn in range(1_000):
            if not self._here():
                break
            await asyncio.sleep(0.001)

    async def listen(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> int:
        """Answer there too; returns the port (0: a free one). OSError if it is taken."""
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        listeners: list[socket.socket] = []
        for number, (family, _, _, _, address) in enumerate(dict.fromkeys(found), 1):
            try:
                listeners.append(socket.create_server(address, family=family, backlog=128))
            except OSError as error:
                if error.errno in NOT_HERE and (listeners or number < len(found)):  # a machine without IPv6, or without IPv4
                    continue
                for listener in listeners:
                    listener.close()
                raise OSError(error.errno, os.strerror(error.errno or 0)) from None  # Python's own says the address again
        for listener in listeners:
            listener.setblocking(False)
            self._keep(self._accept(listener, tls))
        return int(listeners[0].getsockname()[1])

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self, listener: socket.socket, tls: ssl.SSLContext | None) -> None:
        loop = asyncio.get_running_loop()
        with listener:
            while True:
                try:
                    connection, _ = await loop.sock_accept(listener)
                except OSError as error:  # no descriptor is left, or whoever came has gone
                    log.warning("cannot take a connection: %s", error.strerror)
                    await asyncio.sleep(1)
                    continue
                self._make_room()
                self._visitors[connection.fileno()] = _Visitor(connection, loop.time())
                self._keep(self._receive(connection, tls))

    async def _receive(self, connection: socket.socket, tls: ssl.SSLContext | None) -> None:
        assert self._runner.server is not None
        patience = None if tls is None else IDLE_SECONDS
        try:
            connection.setblocking(False)
            await asyncio.get_running_loop().connect_accepted_socket(
                self._runner.server, connection, ssl=tls, ssl_handshake_timeout=patience, ssl_shutdown_timeout=patience
            )
        except OSError:  # it has gone again, or speaks no TLS
            connection.close()

    def _make_room(self) -> None:
        """Let go whoever does nothing for longest, where there is no room for one more.

        Those who ask have half of the room: they are not sent away for others who only come, nor the others for them.
        """
        self._visitors = self._here()
        while len(self._visitors) >= self._limits.connections:
            asking = sum(one.asking for one in self._visitors.values()) > self._limits.connections // 2
            here = [item for item in self._visitors.items() if item[1].asking == asking]
            number, gone = min(here, key=lambda item: item[1].since)
            del self._visitors[number]
            _let_go(gone)

    def _here(self) -> dict[int, _Visitor]:
        return {number: one for number, one in self._visitors.items() if one.connection.fileno() == number}

    @web.middleware
    async def _bounded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """An answer, or an end, within the limit: a reader that takes no more of it is no reason to keep it."""
        visitor = self._visitor(request)
        self._mark(visitor, asking=True)
        answer: web.StreamResponse | None = None
        try:
            async with asyncio.timeout(self._limits.seconds):
                answer = await _answered(request, handler)
                await answer.prepare(request)
                await answer.write_eof()
                return answer
        except TimeoutError:
            if answer is None:
                return web.Response(status=408, text="408: the request or its answer took too long\n")
            if request.transport is not None:
                request.transport.abort()
            return answer
        finally:
            self._mark(visitor, asking=False)

    def _visitor(self, request: web.Request) -> _Visitor | None:
        connection = None if request.transport is None else request.transport.get_extra_info("socket")
        return None if connection is None else self._visitors.get(connection.fileno())

    @staticmethod
    def _mark(visitor: _Visitor | None, *, asking: bool) -> None:
        if visitor is not None:
            visitor.asking, visitor.since = asking, asyncio.get_running_loop().time()


@web.middleware
async def _not_too_large(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what says itself that it is too large, instead of waiting for all of it."""
    if (request.content_length or 0) > request.client_max_size:
        raise web.HTTPRequestEntityTooLarge(request.client_max_size, request.content_length or 0)
    return await handler(request)


def _let_go(visitor: _Visitor) -> None:
    with contextlib.suppress(OSError):
        visitor.connection.shutdown(socket.SHUT_RDWR)


async def _unnamed(_: web.Request, answer: web.StreamResponse) -> None:
    """Which versions it runs on is nobody's business."""
    answer.headers["Server"] = "pantau112"


async def _without_pieces(request: web.Request, answer: web.StreamResponse) -> None:
    """Headers alone are not had of what is written piece by piece: aiohttp would send the pieces too, for a next answer to be."""
    if request.method == "HEAD" and not isinstance(answer, web.Response):
        raise web.HTTPMethodNotAllowed("HEAD", ["GET"])


async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException as said:
        return web.Response(status=said.status, text=f"{said.status}: {said.reason}\n", headers=_allowed(said))
    except (TimeoutError, ConnectionError):
        raise
    except Exception as error:
        log.error("a fault of this program: %s", place_of(error))
        return web.Response(status=500, text="500: a fault of this program\n")


def _allowed(said: web.HTTPException) -> dict[str, str]:
    return {name: said.headers[name] for name in ("Allow", "Location") if name in said.headers}


class ServerThread:
    """A server on a thread and a loop of its own, for a process whose own work never waits for a neighbour."""

    def __init__(self, name: str, app: web.Application, limits: Limits) -> None:
        self._loop = asyncio.new_event_loop()
        self._over = asyncio.Event()
        started: Future[Server] = Future()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=[self._run(app, limits, started)], name=name)
        self._thread.daemon = True
        self._thread.start()
        self._server = started.result()

    async def _run(self, app: web.Application, limits: Limits, started: Future[Server]) -> None:
        try:
            async with Server(app, limits) as server:
                started.set_result(server)
                await self._over.wait()
        except Exception as error:
            if started.done():
                raise
            started.set_exception(error)

    def listen(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> int:
        """Answer there too; returns the port (0: a free one). OSError if it is taken."""
        return asyncio.run_coroutine_threadsafe(self._server.listen(host, port, tls), self._loop).result()

    def close(self) -> None:
        """Return when it has ended."""
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()
        self._loop.close()


def neighbourly(*, any_name: bool = False) -> Middleware:
    """A middleware that refuses what a web page of somebody else sends, and names that are none of ours.

    A name of anybody else can be made to lead to this machine, and its pages would then be ours to the browser. An address in
    numbers, and `localhost`, belong to nobody else. `any_name` is for a server where that gains nothing, because it asks for a
    secret, or answers whoever reaches it. What a browser says of where a request comes from is believed; programs say nothing.
    """

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        hosts = request.headers.getall("Host", [""])  # a browser always says one
        if len(hosts) != 1 or not (any_name or not hosts[0] or _is_ours(hosts[0])):
            return web.Response(status=403, text="403: ask for this server by its address in numbers, or by localhost\n")
        origin = request.headers.get("Origin")
        if origin is not None and origin not in {f"http://{hosts[0]}", f"https://{hosts[0]}"}:
            return web.Response(status=403, text="403: pages of other sites may not ask\n")
        site, mode = (request.headers.get(f"Sec-Fetch-{what}", "") for what in ("Site", "Mode"))
        if site in {"cross-site", "same-site"} and mode != "navigate":
            return web.Response(status=403, text="403: pages of other sites may not ask\n")
        return await handler(request)

    return guard


def _is_ours(host: str) -> bool:
    try:
        said = urlsplit(f"//{host}")
        name = said.hostname or ""
        return said.netloc == host and "@" not in host and (name == "localhost" or bool(ipaddress.ip_address(name)))
    except ValueError:
        return False

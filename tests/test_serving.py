"""Every server of ours among slow, silent, greedy and curious neighbours: it goes on answering whoever asks properly."""

import asyncio
import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Iterator

import pytest
import trustme
from aiohttp import web

from streams import serving
from streams.serving import Limits, ServerThread, neighbourly
from tests.conftest import HANG, wait_until

CONNECTIONS = 8
LARGE = b"x" * 15_000_000
"""More than the buffers of a connection hold."""


class Served:
    """A server with three pages: one is quick, one reads what is sent, one is large; and one has a fault."""

    def __init__(self, seconds: float = HANG) -> None:
        self.reading = threading.Semaphore(0)
        app = web.Application(middlewares=[neighbourly()], client_max_size=1000)
        app.add_routes(
            [
                web.get("/", self._quick),
                web.post("/", self._read),
                web.get("/large", self._large),
                web.get("/fault", self._fault),
                web.get("/piece_by_piece", self._piece_by_piece),
            ]
        )
        self.thread = ServerThread("served", app, Limits(CONNECTIONS, seconds))
        self.port = self.thread.listen("127.0.0.1", 0)

    async def _quick(self, _: web.Request) -> web.Response:
        return web.Response(text="here")

    async def _read(self, request: web.Request) -> web.Response:
        self.reading.release()
        return web.Response(text=str(len(await request.read())))

    async def _large(self, _: web.Request) -> web.Response:
        return web.Response(body=LARGE)

    async def _piece_by_piece(self, request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        await answer.write(b"here")
        return answer

    async def _fault(self, _: web.Request) -> web.Response:
        raise ZeroDivisionError("Budi 0812")

    def ask(self, path: str = "/", method: str = "GET", body: bytes | None = None, **headers: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=HANG)
        with contextlib.closing(connection):
            connection.request(method, path, body, {name.replace("_", "-"): text for name, text in headers.items()})
            answer = connection.getresponse()
            answer.read()
            return answer.status

    def visit(self, said: bytes = b"") -> socket.socket:
        """A connection that says this, and no more."""
        visitor = socket.create_connection(("127.0.0.1", self.port), HANG)
        visitor.sendall(said)
        return visitor


@contextlib.contextmanager
def served(seconds: float = HANG) -> Iterator[Served]:
    one = Served(seconds)
    try:
        yield one
    finally:
        one.thread.close()


def ended(visitor: socket.socket) -> bool:
    """Whether the other end has let go; returns when it has."""
    with visitor:
        try:
            while visitor.recv(2**20):
                pass
        except ConnectionError:
            pass
        return True


def is_open(visitor: socket.socket) -> bool:
    """Whether the other end has not let go; what it sends is thrown away."""
    visitor.setblocking(False)
    try:
        return bool(visitor.recv(2**20))
    except BlockingIOError:
        return True
    except ConnectionError:
        return False


@pytest.fixture(autouse=True)
def _ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "LAST_SECONDS", 0.05)


@pytest.fixture
def server() -> Iterator[Served]:
    with served() as one:
        yield one


HALVES = {
    "says nothing": b"",
    "half a line": b"GET / HT",
    "headers that do not end": b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: 1\r\n",
    "a body that does not come": b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nx",
    "a body without an end": b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n",
    "an answer that is not read": b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "many questions at once": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 100,
}


@pytest.mark.parametrize("half", HALVES.values(), ids=HALVES)
def test_however_many_slow_clients_there_are_the_next_is_answered(server: Served, half: bytes) -> None:
    slow = [server.visit(half) for _ in range(20 * CONNECTIONS)]

    assert [server.ask() for _ in range(20)] == [200] * 20
    wait_until(lambda: sum(map(is_open, slow)) <= CONNECTIONS, "the others are let go")
    for one in slow:
        one.close()


def test_who_asks_and_waits_is_not_sent_away_for_those_who_do_nothing(server: Served) -> None:
    asking = server.visit(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nx")
    assert server.reading.acquire(timeout=HANG)
    silent = [server.visit() for _ in range(5 * CONNECTIONS)]
    assert server.ask() == 200

    asking.sendall(b"y")
    assert asking.recv(1000).startswith(b"HTTP/1.1 200")
    for one in [asking, *silent]:
        one.close()


@pytest.mark.parametrize("half", [HALVES[name] for name in ("says nothing", "half a line", "headers that do not end")])
def test_a_connection_that_asks_nothing_is_ended(monkeypatch: pytest.MonkeyPatch, half: bytes) -> None:
    monkeypatch.setattr(serving, "IDLE_SECONDS", 0.05)
    with served() as server:
        assert ended(server.visit(half))


@pytest.mark.parametrize("name", ["a body that does not come", "a body without an end", "an answer that is not read"])
def test_a_request_that_takes_too_long_is_ended(name: str) -> None:
    with served(seconds=0.05) as server:
        visitor = server.visit(HALVES[name])
        if name == "an answer that is not read":
            wait_until(lambda: not server.thread._server._visitors or _is_gone(server), "it is let go")
        assert ended(visitor)


def _is_gone(server: Served) -> bool:
    return all(one.connection.fileno() < 0 for one in server.thread._server._visitors.values())


def test_a_body_that_is_too_large_is_not_read(server: Served) -> None:
    assert server.ask(method="POST", body=b"x" * 1000) == 200
    assert server.ask(method="POST", body=b"x" * 1001) == 413
    assert server.ask(method="POST", body=b"", Content_Length="999999999999") == 413


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:11206"}, 200),
        ({"Host": "LOCALHOST"}, 200),
        ({"Host": "192.168.1.5:11206"}, 200),
        ({"Host": "[::1]:11206"}, 200),
        ({"Host": "rebound.example"}, 403),
        ({"Host": "rebound.example:11206"}, 403),
        ({"Host": "127.0.0.1.rebound.example"}, 403),
        ({"Host": "localhost.rebound.example"}, 403),
        ({"Host": "0x7f.1"}, 403),
        ({"Host": "localhost@rebound.example"}, 403),
        ({"Host": "rebound.example@localhost"}, 403),
        ({"Host": "127.0.0.1#.rebound.example"}, 403),
        ({"Host": "127.0.0.1/rebound.example"}, 403),
        ({"Host": "127.0.0.1?.rebound.example"}, 403),
        ({"Host": "127.0.0.1", "Origin": "http://127.0.0.1"}, 200),
        ({"Host": "127.0.0.1:1", "Origin": "https://127.0.0.1:1"}, 200),
        ({"Host": "127.0.0.1:1", "Origin": "http://127.0.0.1:2"}, 403),
        ({"Host": "127.0.0.1", "Origin": "http://rebound.example"}, 403),
        ({"Host": "127.0.0.1", "Origin": "null"}, 403),
        ({"Host": "127.0.0.1", "Origin": ""}, 403),
        ({"Host": "127.0.0.1", "Origin": "file://127.0.0.1"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}, 200),
        ({"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}, 200),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, 200),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"}, 403),
    ],
    ids=str,
)
def test_a_page_of_another_site_and_a_name_that_is_not_ours_are_refused(
    server: Served, headers: dict[str, str], status: int
) -> None:
    assert server.ask("/", "GET", None, **headers) == status


@pytest.mark.parametrize("path", ["/", "/piece_by_piece"])
def test_after_an_answer_without_a_body_nothing_is_taken_for_the_next_answer(server: Served, path: str) -> None:
    # A proxy in front has many clients on one connection: what comes after the headers would be the answer of somebody else.
    with server.visit(b"HEAD %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" % path.encode()) as visitor:
        said = b""
        while b"\r\n\r\n" not in said:
            said += visitor.recv(10_000)
        visitor.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        while piece := visitor.recv(10_000):
            said += piece
    assert said.partition(b"\r\n\r\n")[2].startswith(b"HTTP/1.1 200")


def test_what_a_stranger_writes_and_our_own_faults_are_said_without_what_was_read(
    server: Served, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    for nonsense in (b"Budi 0812\r\n\r\n", b"GET /\x1b[31m HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"):
        with server.visit(nonsense) as visitor:
            assert visitor.recv(1000).split()[1][:2] == b"40"
    assert server.ask("/fault") == 500

    assert caplog.text.count("ZeroDivisionError at test_serving.py:") == 1
    assert "Budi" not in caplog.text + capfd.readouterr().err
    assert "\x1b" not in caplog.text


def test_a_port_that_is_taken_is_said(server: Served) -> None:
    with pytest.raises(OSError, match="in use"):
        server.thread.listen("127.0.0.1", server.port)


def test_who_never_greets_in_tls_keeps_nobody_out() -> None:
    tls, known = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context()
    authority = trustme.CA()
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    authority.configure_trust(known)
    with served() as server:
        port = server.thread.listen("127.0.0.1", 0, tls)
        silent = [socket.create_connection(("127.0.0.1", port), HANG) for _ in range(10 * CONNECTIONS)]
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=HANG, context=known)
        with contextlib.closing(connection):
            connection.request("GET", "/")
            assert connection.getresponse().status == 200
        assert ended(silent[0])
        for one in silent:
            one.close()


def test_it_ends_while_somebody_asks_and_somebody_says_nothing() -> None:
    with served() as server:
        visitors = [server.visit(half) for half in HALVES.values()]
    for one in visitors:
        one.close()
    assert not [task for task in asyncio.all_tasks(server.thread._loop) if not task.done()]

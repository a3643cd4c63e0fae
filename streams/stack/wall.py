"""The wall: the boards in a browser without Grafana, and the runbook, as files, and the queries that boards ask of Prometheus."""

import json
from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple

import aiohttp
from aiohttp import web

from streams.api import Api
from streams.serving import Limits, ServerThread, neighbourly
from streams.stack import runbook
from streams.stack.listen import Listen
from streams.stack.wall_token import only_with

PATIENCE = 10.0  # seconds for an answer of Prometheus
LONGEST = 65_536  # bytes of a query
LIMITS = Limits(connections=256, seconds=30.0)
AT_ONCE = 20
"""Queries at a time, as many as Prometheus works on; others wait for their turn here."""
QUERIES = frozenset({"/api/v1/query", "/api/v1/query_range"})
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".LICENSE": "text/plain; charset=utf-8",
}
INDEX = "/dashboards/runbook/README.md"
"""What stands for the page of an alert that has none: a board leads there from every row of its list, also one that is none."""
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


class File(NamedTuple):
    """What is answered to one path."""

    kind: str
    content: bytes


def table(dashboards: Path) -> dict[str, File]:
    """Every path that is served and what is there, read once: nothing that a browser asks for is ever looked up on the disk."""
    page = {path.name: _file(path) for path in sorted((dashboards / "wall").iterdir()) if path.suffix in TYPES}
    boards = [_file(path) for path in sorted((dashboards / "grafana" / "boards").glob("*/*.json"))]
    found: dict[str, File] = {f"/{name}": file for name, file in page.items()}
    for path in sorted((dashboards / "runbook").glob("*.md")):
        text = path.read_text()
        pages = {f"/runbook/{alert}": page for alert, page in runbook.alerts(path.name, text).items()}
        pages[f"/dashboards/runbook/{path.name}"] = runbook.page(text)
        found |= {address: File(TYPES[".html"], page.encode()) for address, page in pages.items()}
    listed = []
    for file in boards:
        board = json.loads(file.content)
        listed.append({name: board[name] for name in ("uid", "title", "tags")})
        found |= {f"/boards/{board['uid']}.json": file, f"/d/{board['uid']}": page["index.html"]}
    return found | {"/": page["index.html"], "/boards.json": File(TYPES[".json"], json.dumps(listed).encode())}


def _file(path: Path) -> File:
    return File(TYPES[path.suffix], path.read_bytes())


SESSION = web.AppKey("session", aiohttp.ClientSession)


class Wall:
    """The wall's server: the files of a folder `dashboards`, and two questions that it passes on to a Prometheus.

    Nothing that it takes changes anything. On the loopback everybody may read it, also other users of this machine; elsewhere
    whoever has the token.
    """

    def __init__(self, dashboards: Path, prometheus: Api) -> None:
        self._files = table(dashboards)
        self._prometheus = prometheus

    def serve(self, port: int) -> None:
        """Answer on the loopback from a thread, until the process ends. Raises OSError when the port is taken."""
        ServerThread("wall", self.application(), LIMITS).listen("127.0.0.1", port)

    def show(self, listen: Listen, token: str | None) -> int:
        """The same at another address, to whoever has the token; returns the port."""
        server = ServerThread("wall elsewhere", self.application(token), LIMITS)
        return server.listen(listen.host, listen.port, listen.tls)

    def application(self, token: str | None = None) -> web.Application:
        """What is served; with a token only to whoever has it."""
        guards = [neighbourly()] if token is None else [neighbourly(any_name=True), only_with(token)]
        app = web.Application(middlewares=guards, client_max_size=LONGEST)
        app.on_response_prepare.append(_dress)
        app.cleanup_ctx.append(self._asking)
        for path in QUERIES:
            app.router.add_get(path, self._ask)
            app.router.add_post(path, self._ask)
        app.router.add_get("/{path:.*}", self._file)
        return app

    async def _asking(self, app: web.Application) -> AsyncIterator[None]:
        connector = aiohttp.TCPConnector(limit=AT_ONCE, ssl=self._prometheus.tls or True)
        timeout = aiohttp.ClientTimeout(total=PATIENCE)
        async with aiohttp.ClientSession(headers=self._prometheus.headers, timeout=timeout, connector=connector) as session:
            app[SESSION] = session
            yield

    async def _file(self, request: web.Request) -> web.Response:
        path = request.rel_url.raw_path
        if file := self._files.get(path) or self._files.get(INDEX if path.startswith("/runbook/") else ""):
            return web.Response(body=file.content, headers={"Content-Type": file.kind})
        return _error(HTTPStatus.NOT_FOUND, "not_found", "nothing is here")

    async def _ask(self, request: web.Request) -> web.StreamResponse:
        """Prometheus's status and answer, as it comes; 502 with the form of its own errors when it does not answer."""
        question = await request.read() if request.method == "POST" else request.rel_url.raw_query_string.encode()
        where, said = self._prometheus.address, None
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        try:
            async with request.app[SESSION].post(
                where + request.path, data=question, headers=kind, allow_redirects=False
            ) as answer:
                if answer.status == HTTPStatus.UNAUTHORIZED:
                    return _error(HTTPStatus.BAD_GATEWAY, "unavailable", f"Prometheus at {where} wants another password")
                said = web.StreamResponse(status=answer.status, headers={"Content-Type": TYPES[".json"]})
                await said.prepare(request)
                async for piece in answer.content.iter_any():
                    await said.write(piece)
                return said
        except (aiohttp.ClientError, TimeoutError) as silent:
            if said is not None and request.transport is not None:  # half an answer must not look like a whole one
                request.transport.abort()
                return said
            why = type(silent).__name__
            return _error(HTTPStatus.BAD_GATEWAY, "unavailable", f"Prometheus at {where} does not answer: {why}")


async def _dress(_: web.Request, answer: web.StreamResponse) -> None:
    answer.headers.update(HEADERS)


def _error(status: int, kind: str, text: str) -> web.Response:
    return web.json_response({"status": "error", "errorType": kind, "error": text}, status=status)

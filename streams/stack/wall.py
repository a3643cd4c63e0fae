"""The wall: the boards in a browser without Grafana, and the runbook, as files, and the queries that boards ask of Prometheus."""

import json
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from streams.stack import runbook

PATIENCE = 10.0  # seconds for an answer of Prometheus, and for a browser to say what it wants
LONGEST = 65_536  # bytes of a query
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


class Wall:
    """The wall's server: the files of a folder `dashboards`, and the Prometheus at a port of the loopback."""

    def __init__(self, dashboards: Path, prometheus: int) -> None:
        self._files = table(dashboards)
        self._prometheus = f"http://127.0.0.1:{prometheus}"

    def ask(self, path: str, parameters: bytes) -> tuple[int, bytes]:
        """Prometheus's status and answer; 502 with the form of its own errors when it does not answer."""
        try:
            with urlopen(Request(self._prometheus + path, parameters), timeout=PATIENCE) as answer:  # noqa: S310 (our own)
                return answer.status, answer.read()
        except HTTPError as refused:
            with refused:
                return refused.code, refused.read()
        except (URLError, OSError) as silent:
            reason = getattr(silent, "reason", silent)
            return HTTPStatus.BAD_GATEWAY, _error("unavailable", f"Prometheus at {self._prometheus} does not answer: {reason}")

    def serve(self, port: int) -> None:
        """Answer on the loopback from a thread, until the process ends. Raises OSError when the port is taken."""
        wall = self

        class Handler(BaseHTTPRequestHandler):
            """One request of a browser."""

            protocol_version = "HTTP/1.1"
            timeout = PATIENCE

            def do_GET(self) -> None:
                path, query = self._asked()
                if path in QUERIES:
                    self._answer(*wall.ask(path, query))
                elif file := wall._files.get(path) or wall._files.get(INDEX if path.startswith("/runbook/") else ""):
                    self._answer(HTTPStatus.OK, file.content, file.kind)
                else:
                    self._answer(HTTPStatus.NOT_FOUND, _error("not_found", "nothing is here"))

            do_HEAD = do_GET

            def do_POST(self) -> None:
                path, _ = self._asked()
                length = self.headers.get("Content-Length", "")
                if path not in QUERIES:
                    self._refuse(HTTPStatus.NOT_FOUND, "only queries are taken")
                elif not length.isdecimal() or int(length) > LONGEST:
                    self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a query is at most {LONGEST} bytes")
                else:
                    self._answer(*wall.ask(path, self.rfile.read(int(length))))

            def _asked(self) -> tuple[str, bytes]:
                path, _, query = self.path.partition("?")
                return path, query.encode()

            def _refuse(self, status: HTTPStatus, why: str) -> None:
                self.close_connection = True  # the body was not read
                self._answer(status, _error("bad_data", why))

            def _answer(self, status: int, content: bytes, kind: str = TYPES[".json"]) -> None:
                self.send_response(status)
                for name, value in HEADERS.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                if self.close_connection:
                    self.send_header("Connection", "close")
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Every five seconds forty questions: nothing to remember."""

        server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        threading.Thread(target=server.serve_forever, name="wall", daemon=True).start()


def _error(kind: str, text: str) -> bytes:
    return json.dumps({"status": "error", "errorType": kind, "error": text}).encode()

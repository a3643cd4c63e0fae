"""The wall's server: fixed files, two questions to Prometheus, nothing else."""

import json
import threading
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest

from streams.stack.up import DASHBOARDS
from streams.stack.wall import Wall
from tests.conftest import HANG, free_port


class Prometheus(BaseHTTPRequestHandler):
    """Repeats what it was asked; refuses the query `bad`."""

    def do_POST(self) -> None:
        asked = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.send_response(400 if asked["query"] == ["bad"] else 200)
        self.end_headers()
        self.wfile.write(json.dumps({"path": self.path, "asked": asked}).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def prometheus() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Prometheus) as server:
        threading.Thread(target=server.serve_forever).start()
        yield server.server_port
        server.shutdown()


def serve(prometheus: int) -> int:
    port = free_port()
    Wall(DASHBOARDS, prometheus).serve(port)
    return port


@pytest.fixture(scope="module")
def wall(prometheus: int) -> int:
    return serve(prometheus)


def ask(port: int, method: str, path: str, body: str | None = None, **headers: str) -> tuple[HTTPResponse, bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=HANG)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize("path", ["/", "/d/psap-calls-id", "/d/psap-calls-en?from=now-1h"])
def test_every_board_has_an_address_where_the_page_is(wall: int, path: str) -> None:
    answer, body = ask(wall, "GET", path)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert b'<main id="board">' in body


def test_every_board_is_listed_and_there_in_both_languages(wall: int) -> None:
    listed = json.loads(ask(wall, "GET", "/boards.json")[1])
    assert {board["uid"] for board in listed} >= {"psap-calls-id", "psap-calls-en"}
    for board in listed:
        there = json.loads(ask(wall, "GET", f"/boards/{board['uid']}.json")[1])
        assert {name: there[name] for name in board} == board


def test_the_runbook_is_there_where_alerts_say_it_is(wall: int) -> None:
    """`runbook_url` of every alert begins so (tests/dashboards/test_rules.py)."""
    answer, body = ask(wall, "GET", "/dashboards/runbook/calls.md")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
    assert b"## PsapQueueSpike" in body


def test_the_page_and_all_it_loads_come_from_here_and_may_load_nothing_else(wall: int) -> None:
    kinds = {
        "main.js": "text/javascript",
        "uPlot.iife.min.js": "text/javascript",
        "wall.css": "text/css",
        "icon.svg": "image/svg+xml",
    }
    for name, kind in kinds.items():
        answer, _ = ask(wall, "GET", f"/{name}")
        assert answer.headers["Content-Type"].startswith(kind), name
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    page = ask(wall, "GET", "/")[1]
    assert b"://" not in page


@pytest.mark.parametrize(
    "path",
    [
        "/../pyproject.toml",
        "/%2e%2e/prometheus.yml",
        "//etc/passwd",
        "/boards/../../prometheus.yml",
        "/wall.css/",
        "/d/none",
        "/[",
    ],
)
def test_what_is_not_in_the_table_is_not_there(wall: int, path: str) -> None:
    assert ask(wall, "GET", path)[0].status == 404


def test_questions_are_passed_on_to_prometheus(wall: int) -> None:
    answer, body = ask(wall, "POST", "/api/v1/query_range", "query=up&start=1&end=2&step=1")
    said = {"query": ["up"], "start": ["1"], "end": ["2"], "step": ["1"]}
    assert (answer.status, json.loads(body)) == (200, {"path": "/api/v1/query_range", "asked": said})
    _, body = ask(wall, "GET", "/api/v1/query?query=a%20%2B%20b")
    assert json.loads(body) == {"path": "/api/v1/query", "asked": {"query": ["a + b"]}}


def test_what_prometheus_refuses_is_refused_with_its_own_words(wall: int) -> None:
    answer, body = ask(wall, "POST", "/api/v1/query", "query=bad")
    assert (answer.status, json.loads(body)["asked"]) == (400, {"query": ["bad"]})


@pytest.mark.parametrize("path", ["/api/v1/admin/tsdb/delete_series", "/-/quit", "/api/v1/alerts", "/"])
def test_prometheus_is_asked_nothing_but_queries(wall: int, path: str) -> None:
    assert ask(wall, "POST", path, "match[]=up")[0].status == 404


@pytest.mark.parametrize("length", ["100000000", "-1", "many"])
def test_a_question_without_end_is_not_read(wall: int, length: str) -> None:
    assert ask(wall, "POST", "/api/v1/query", "query=up", **{"Content-Length": length})[0].status == 413


def test_a_silent_prometheus_is_a_502_that_says_so() -> None:
    answer, body = ask(serve(free_port()), "POST", "/api/v1/query", "query=up")
    assert answer.status == 502
    said = json.loads(body)
    assert said["status"] == "error"
    assert "does not answer" in said["error"]

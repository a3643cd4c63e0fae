"""The wall's server: fixed files, two questions to Prometheus, nothing else."""

import json
import ssl
import threading
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urljoin

import pytest
import trustme
import yaml

from streams.api import Api
from streams.stack import runbook
from streams.stack.debian import Programs
from streams.stack.listen import Listen
from streams.stack.prometheus import prometheus as start_prometheus
from streams.stack.up import DASHBOARDS
from streams.stack.wall import LONGEST, Wall
from streams.stack.web_password import ensure_password, local
from tests.conftest import HANG, free_port
from tests.dashboards.test_stack import running


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
    Wall(DASHBOARDS, Api(f"http://127.0.0.1:{prometheus}")).serve(port)
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


class Anchors(HTMLParser):
    """What a page can be entered at, what it leads to, and what it loads."""

    def __init__(self) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.loaded: set[str] = set()
        self.links: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        self.anchors |= {said["id"]} if "id" in said else set()
        self.links |= {said["href"]} if tag == "a" else set()
        self.loaded |= {said[name] for name in ("src", "href") if name in said and tag != "a"}


def read(port: int, path: str) -> Anchors:
    answer, body = ask(port, "GET", path)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8"), path
    found = Anchors()
    found.feed(body.decode())
    return found


ALERTS = [
    rule
    for file in sorted((DASHBOARDS / "rules").glob("*.yml"))
    for group in yaml.safe_load(file.read_text())["groups"]
    for rule in group["rules"]
    if "alert" in rule
]


def test_what_an_alert_says_to_read_on_is_a_page_that_has_its_section(wall: int) -> None:
    for rule in ALERTS:
        address, _, anchor = rule["annotations"]["runbook_url"].partition("#")
        assert anchor in read(wall, f"/{address}").anchors, rule["alert"]


def test_every_alert_has_a_page_of_its_own_with_the_whole_section_in_both_languages(wall: int) -> None:
    for name in {rule["alert"] for rule in ALERTS}:
        _, body = ask(wall, "GET", f"/runbook/{name}")
        english, _, indonesian = body.decode().partition('<div lang="id">')
        assert f"<h2>{name}</h2>" in english
        assert "<strong>Do</strong>" in english
        assert "<strong>Tindakan</strong>" in indonesian
        assert body.count(b"<h2>") == 1


def test_what_has_no_page_of_its_own_has_the_runbooks_first(wall: int) -> None:
    first = ask(wall, "GET", "/dashboards/runbook/README.md")[1]
    assert ask(wall, "GET", "/runbook/%2B%203")[1] == ask(wall, "GET", "/runbook/*")[1] == first


def test_pages_of_the_runbook_lead_only_to_what_is_there_and_load_only_what_is_there(wall: int) -> None:
    pages = {f"/dashboards/runbook/{path.name}" for path in (DASHBOARDS / "runbook").glob("*.md")} | {"/runbook/PsapLinkDown"}
    for page in pages:
        found = read(wall, page)
        assert {ask(wall, "GET", urljoin(page, link))[0].status for link in found.links | found.loaded} == {200}, page


def test_what_stands_in_a_runbook_is_text_and_never_markup() -> None:
    said = runbook.page("# <b>A & B\n\n## <img src=x>\n\n<script>alert(1)</script> `a<b`\n")
    assert "<script" not in said
    assert "<img" not in said
    assert "<title>&lt;b&gt;A &amp; B</title>" in said


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
    assert ask(wall, "POST", path, "match[]=up")[0].status == 405


@pytest.mark.parametrize(("length", "status"), [("-1", 400), ("many", 400)])
def test_a_question_without_end_is_not_read(wall: int, length: str, status: int) -> None:
    assert ask(wall, "POST", "/api/v1/query", "query=up", **{"Content-Length": length})[0].status == status


def test_a_question_that_is_too_long_is_not_passed_on(wall: int) -> None:
    assert ask(wall, "POST", "/api/v1/query", "query=" + "1" * LONGEST)[0].status == 413


def test_a_silent_prometheus_is_a_502_that_says_so() -> None:
    answer, body = ask(serve(free_port()), "POST", "/api/v1/query", "query=up")
    assert answer.status == 502
    said = json.loads(body)
    assert said["status"] == "error"
    assert "does not answer" in said["error"]


def test_a_page_of_another_site_reads_no_figures_and_no_board(wall: int) -> None:
    for headers in (
        {"Origin": "http://example.org"},
        {"Origin": "null"},
        {"Origin": f"http://127.0.0.1:{wall + 1}"},
        {"Host": "rebound.example"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
    ):
        for method, path, body in (
            ("POST", "/api/v1/query", "query=up"),
            ("GET", "/api/v1/query?query=up", None),
            ("GET", "/", None),
        ):
            assert ask(wall, method, path, body, **headers)[0].status == 403, headers
    answer, _ = ask(wall, "POST", "/api/v1/query", "query=up", Origin=f"http://127.0.0.1:{wall}")
    assert answer.status == 200
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_every_answer_also_a_refusal_says_what_a_browser_may_do_with_it(wall: int) -> None:
    for method, path in (("GET", "/"), ("GET", "/none"), ("PUT", "/"), ("GET", "/api/v1/query?query=bad")):
        answer, _ = ask(wall, method, path)
        assert answer.headers["X-Content-Type-Options"] == "nosniff", path
        assert answer.headers["Server"] == "pantau112"


@pytest.fixture(scope="module")
def elsewhere(prometheus: int) -> int:
    """A wall that other machines see."""
    return Wall(DASHBOARDS, Api(f"http://127.0.0.1:{prometheus}")).show(Listen("127.0.0.1", 0), TOKEN)


TOKEN = "abcdefghijklmnopqrstuv"


def test_who_does_not_show_the_token_sees_nothing(elsewhere: int) -> None:
    for path in (
        "/",
        "/main.js",
        "/boards.json",
        "/api/v1/query?query=up",
        "/?token=",
        "/?token=wrong",
        f"/?token={TOKEN}x",
        "/none",
    ):
        for headers in (
            {},
            {"Cookie": "pantau112_wall="},
            {"Cookie": "pantau112_wall=\xff"},
            {"Cookie": f"pantau112_wall={TOKEN[:-1]}"},
        ):
            assert ask(elsewhere, "GET", path, **headers)[0].status == 401, path
    assert ask(elsewhere, "POST", f"/api/v1/query?token={TOKEN}", "query=up")[0].status == 401


def test_the_token_in_the_address_opens_the_page_and_stays_in_no_address(elsewhere: int) -> None:
    answer, _ = ask(elsewhere, "GET", f"/d/psap-calls-id?token={TOKEN}&from=now-1h")
    assert (answer.status, answer.headers["Location"]) == (303, "/d/psap-calls-id?from=now-1h")
    cookie = answer.headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert answer.headers["Referrer-Policy"] == "no-referrer"

    known = {"Cookie": cookie.partition(";")[0]}
    assert ask(elsewhere, "GET", "/d/psap-calls-id?from=now-1h", **known)[0].status == 200
    again, _ = ask(elsewhere, "GET", f"/d/psap-calls-id?token={TOKEN}&from=now-1h", **known)
    assert (again.status, again.headers["Location"]) == (303, "/d/psap-calls-id?from=now-1h"), "also to who is known by then"
    assert ask(elsewhere, "POST", "/api/v1/query", "query=up", **known)[0].status == 200
    assert ask(elsewhere, "GET", "/", Host="noc.example.go.id", **known)[0].status == 200
    assert ask(elsewhere, "POST", "/api/v1/query", "query=up", Origin="http://example.org", **known)[0].status == 403


def test_a_token_leads_to_no_other_server(elsewhere: int) -> None:
    for path in ("//example.org/", "/\\example.org/", "///example.org"):
        answer, _ = ask(elsewhere, "GET", f"{path}?token={TOKEN}")
        assert urljoin("http://here/", answer.headers.get("Location", "/")).startswith("http://here/"), path


@pytest.mark.stack
def test_a_wall_reads_a_prometheus_that_wants_a_password_and_says_when_it_is_another(programs: Programs, tmp_path: Path) -> None:
    (tmp_path / "prometheus.yml").write_text("global: {}\n")
    port = free_port()
    service = start_prometheus(
        programs,
        home=tmp_path,
        data=tmp_path / "data",
        port=port,
        config=tmp_path / "prometheus.yml",
        rules=[],
        here={},
        password=ensure_password(tmp_path),
    )
    right = local(tmp_path, port)
    with running(service, tmp_path / "prometheus.log"):
        answers = []
        for api in (right, replace(right, password="0" * 64), replace(right, password=None)):
            asked = free_port()
            Wall(DASHBOARDS, api).serve(asked)
            answer, body = ask(asked, "POST", "/api/v1/query", "query=vector(112)")
            answers.append((answer.status, "112" in body.decode(), "wants another password" in body.decode()))
    assert answers == [(200, True, False), (502, False, True), (502, False, True)]


def test_over_tls_the_cookie_goes_over_tls_alone(prometheus: int) -> None:
    tls, known = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context()
    authority = trustme.CA()
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    authority.configure_trust(known)
    port = Wall(DASHBOARDS, Api(f"http://127.0.0.1:{prometheus}")).show(Listen("127.0.0.1", 0, tls), TOKEN)
    connection = HTTPSConnection("127.0.0.1", port, timeout=HANG, context=known)
    try:
        connection.request("GET", f"/?token={TOKEN}")
        answer = connection.getresponse()
        answer.read()
        assert "Secure" in answer.headers["Set-Cookie"].split("; ")
        said = {"Cookie": answer.headers["Set-Cookie"].partition(";")[0], "Origin": f"https://127.0.0.1:{port}"}
        connection.request("POST", "/api/v1/query", "query=up", said)
        assert connection.getresponse().status == 200
    finally:
        connection.close()

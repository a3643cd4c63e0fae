"""Boards and marks in a shared Grafana, which is played here as its HTTP API is documented: no real one was at hand."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from typer.testing import CliRunner

from streams import cli
from streams.settings import SettingsError, read
from streams.stack.doctor import examine
from streams.stack.grafana import Grafana, GrafanaError, boards

TOKEN = "glsa_secret"
BEGAN, OVER = datetime(2026, 11, 24, 3, tzinfo=UTC), datetime(2026, 11, 24, 5, tzinfo=UTC)


class Shared(ThreadingHTTPServer):
    """A Grafana as far as folders, dashboards, annotations, health and search. `refusing` has answers to give first."""

    daemon_threads = True

    def __init__(self) -> None:
        self.folders: dict[str, Any] = {}
        self.boards: dict[str, Any] = {}
        self.marks: list[dict[str, Any]] = []
        self.asked: list[tuple[str, str]] = []
        self.refusing: list[tuple[int, str]] = []
        super().__init__(("127.0.0.1", 0), Asked)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        where, question = urlsplit(path).path, parse_qs(urlsplit(path).query)
        match method, where.removeprefix("/api/").split("/"):
            case "GET", ["folders", uid]:
                return (200, self.folders[uid]) if uid in self.folders else (404, {"message": "folder not found"})
            case "POST", ["folders"]:
                self.folders[body["uid"]] = body
                return 200, body
            case "GET", ["dashboards", "uid", uid]:
                return (200, self.boards[uid]) if uid in self.boards else (404, {"message": "Dashboard not found"})
            case "POST", ["dashboards", "db"]:
                stored = body["dashboard"] | {"id": len(self.boards) + 1, "version": 1}
                self.boards[stored["uid"]] = {"dashboard": stored, "meta": {"folderUid": body["folderUid"]}}
                return 200, {"uid": stored["uid"], "status": "success"}
            case "GET", ["annotations"]:
                return 200, [mark for mark in self.marks if set(question["tags"]) <= set(mark["tags"])][:1]
            case "POST", ["annotations"]:
                self.marks.append(body | {"id": len(self.marks) + 1})
                return 200, {"id": len(self.marks)}
            case "PATCH", ["annotations", number]:
                self.marks[int(number) - 1] |= body
                return 200, {"message": "Annotation patched"}
            case "GET", ["health"]:
                return 200, {"database": "ok", "version": "12.4.0"}
            case "GET", ["search"]:
                return 200, []
        return 404, {"message": "Not found"}


class Asked(BaseHTTPRequestHandler):
    """One request to the shared Grafana."""

    server: Shared

    def do(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = json.loads(self.rfile.read(length)) if length else None
        self.server.asked.append((self.command, self.path))
        if self.server.refusing:
            status, message = self.server.refusing.pop(0)
            said: Any = {"message": message}
        elif self.headers["Authorization"] != f"Bearer {TOKEN}":
            status, said = 401, {"message": "Invalid API key"}
        else:
            status, said = self.server.answer(self.command, self.path, body)
        text = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PATCH = do

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def shared() -> Iterator[Shared]:
    server = Shared()
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def changes(shared: Shared, **options: Any) -> dict[str, str]:
    return {pushed.uid: pushed.change for pushed in Grafana(shared.url, TOKEN).push(boards(), **options)}


def test_every_board_is_pushed_in_both_languages_into_a_folder_of_ours(shared: Shared) -> None:
    said = changes(shared)

    assert said == {board["uid"]: "created" for board in boards()}
    assert shared.boards.keys() == said.keys()
    assert {"psap-calls-id", "psap-calls-en"} <= said.keys()
    assert {board["meta"]["folderUid"] for board in shared.boards.values()} == {"pantau112"}
    assert "pantau112" in shared.folders


def test_pushed_again_nothing_is_written_and_what_somebody_changed_is_put_right(shared: Shared) -> None:
    changes(shared)
    shared.asked.clear()
    shared.boards["psap-calls-id"]["dashboard"]["tags"] = ["112"]

    said = changes(shared)

    assert {uid for uid, change in said.items() if change == "updated"} == {"psap-calls-id"}
    assert set(said.values()) == {"updated", "unchanged"}
    assert [method for method, _ in shared.asked].count("POST") == 1


def test_a_dry_run_says_what_would_be_and_writes_nothing(shared: Shared) -> None:
    assert set(changes(shared, dry_run=True).values()) == {"created"}
    assert shared.boards == shared.folders == {}
    assert {method for method, _ in shared.asked} == {"GET"}


def test_a_grafana_that_is_busy_is_asked_again(shared: Shared) -> None:
    shared.refusing += [(503, "starting"), (502, "proxy")]

    assert set(changes(shared).values()) == {"created"}


@pytest.mark.parametrize(
    ("status", "message", "advice"),
    [
        (401, "Invalid API key", "make a new one"),
        (403, "Permissions needed", "role Editor"),
        (500, "database is locked", "look at its log"),
    ],
)
def test_a_refusal_says_what_to_do_and_never_the_token(shared: Shared, status: int, message: str, advice: str) -> None:
    shared.refusing.append((status, message))

    with pytest.raises(GrafanaError, match=advice) as refused:
        changes(shared)
    assert TOKEN not in str(refused.value)


def test_a_board_that_comes_from_a_file_of_the_server_is_named(shared: Shared) -> None:
    changes(shared)
    shared.boards["psap-alerts-en"]["dashboard"]["tags"] = []
    answer = shared.answer
    shared.answer = lambda method, path, body: (  # type: ignore[method-assign]
        (400, {"message": "Cannot save provisioned dashboard"}) if path.endswith("/db") else answer(method, path, body)
    )

    with pytest.raises(GrafanaError, match="board psap-alerts-en: it comes from a file on the Grafana server"):
        changes(shared)


def test_nobody_at_the_address_is_said_so() -> None:
    with pytest.raises(GrafanaError, match=r"http://127\.0\.0\.1:1 does not answer as Grafana does"):
        list(Grafana("http://127.0.0.1:1", TOKEN).push(boards()))


def test_a_mark_is_made_once_and_closed_by_its_name(shared: Shared) -> None:
    grafana = Grafana(shared.url, TOKEN)

    assert grafana.annotate("incident", "banjir", BEGAN, None) == "created"
    assert grafana.annotate("incident", "banjir", BEGAN, None) == "unchanged"
    assert grafana.annotate("incident", "banjir", BEGAN, OVER) == "updated"
    assert grafana.annotate("incident", "banjir", BEGAN, OVER) == "unchanged"
    assert grafana.annotate("replay", "banjir", BEGAN, OVER) == "created"
    mark = shared.marks[0]
    assert (mark["time"], mark["timeEnd"]) == (BEGAN.timestamp() * 1000, OVER.timestamp() * 1000)
    assert mark["tags"] == ["112", "incident", "incident:banjir"]
    assert mark["text"] == "incident banjir"


def test_health_says_the_version_and_needs_a_token_that_is_taken(shared: Shared) -> None:
    assert Grafana(shared.url, TOKEN).health() == "12.4.0"
    with pytest.raises(GrafanaError, match="make a new one"):
        Grafana(shared.url, "wrong").health()


@pytest.mark.parametrize("url", ["http://grafana.example.go.id", "http://10.0.0.7:3000"])
def test_a_token_is_not_sent_where_others_can_read_it(url: str) -> None:
    with pytest.raises(SettingsError, match="use https"):
        read({"PANTAU112_GRAFANA_URL": url})


def said_by(shared: Shared, *words: str) -> Any:
    environment = {"PANTAU112_GRAFANA_URL": shared.url, "PANTAU112_GRAFANA_TOKEN": TOKEN}
    return CliRunner().invoke(cli.app, ["boards", *words], env=environment)


def test_the_command_line_prints_a_row_for_every_board(shared: Shared) -> None:
    done = said_by(shared, "push")

    assert done.exit_code == 0
    assert done.stdout.splitlines()[0] == "uid,title,change"
    assert len(done.stdout.splitlines()) == len(boards()) + 1
    assert "psap-national-id,112 nasional,created" in done.stdout


def test_the_command_line_refuses_a_name_that_could_be_a_persons_and_a_span_that_ends_before_it_begins(shared: Shared) -> None:
    begin = ["--from", BEGAN.isoformat()]
    assert said_by(shared, "annotate", "incident", "Siti Rahasia", *begin).exit_code == 2
    assert said_by(shared, "annotate", "incident", "banjir", "--from", OVER.isoformat(), "--to", BEGAN.isoformat()).exit_code == 2
    assert said_by(shared, "annotate", "incident", "banjir", *begin).exit_code == 0
    assert len(shared.marks) == 1


def test_doctor_asks_grafana_where_one_is_set(shared: Shared) -> None:
    settings = {"PANTAU112_GRAFANA_URL": shared.url, "PANTAU112_BOOTSTRAP": "127.0.0.1:1"}
    said = {
        token: [str(found) for found in examine(read(settings | token_of(token)), []) if found.name == "Grafana"]
        for token in (TOKEN, "wrong", "")
    }

    assert said[TOKEN] == [f"ok    Grafana: 12.4.0 answers at {shared.url}"]
    assert "make a new one" in said["wrong"][0]
    assert "no token" in said[""][0]


def token_of(token: str) -> dict[str, str]:
    return {"PANTAU112_GRAFANA_TOKEN": token} if token else {}

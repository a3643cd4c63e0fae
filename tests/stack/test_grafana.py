"""Boards and marks in a shared Grafana, which is played here as a real one was seen to do (tests/data), else as documented."""

import copy
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
from tests.conftest import DATA

SEEN = json.loads((DATA / "grafana" / "answers.json").read_text())
TOKEN, VIEWER, ADMIN = "glsa_secret", "glsa_viewer", "glsa_admin"
ROLES = {TOKEN: "Editor", VIEWER: "Viewer", ADMIN: "Admin"}
RIGHTS = {
    "folders:create": ["folders:uid:general"],
    "dashboards:write": ["folders:*"],
    "annotations:create": ["annotations:type:*"],
}
BEGAN, OVER = datetime(2026, 11, 24, 3, tzinfo=UTC), datetime(2026, 11, 24, 5, tzinfo=UTC)
NO, NOBODY = (403, {"message": "You'll need additional permissions to perform this action"}), (404, {"message": "Not found"})


class Shared(ThreadingHTTPServer):
    """A Grafana as far as folders, dashboards, annotations, health and search. `refusing` has answers to give first."""

    daemon_threads = True

    def __init__(self) -> None:
        self.folders: dict[str, Any] = {}
        self.boards: dict[str, Any] = {}
        self.marks: list[dict[str, Any]] = []
        self.asked: list[tuple[str, str]] = []
        self.refusing: list[tuple[int, str]] = []
        self.unseen = False
        """Whether an Editor is not yet let into the folder that somebody else has made."""
        self.says_rights = True
        super().__init__(("127.0.0.1", 0), Asked)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, method: str, path: str, body: Any, role: str) -> tuple[int, Any]:
        where, question = urlsplit(path).path, parse_qs(urlsplit(path).query)
        may_write, unseen = role != "Viewer", self.unseen and role != "Admin"
        if method != "GET" and not may_write:
            return NO
        match method, where.removeprefix("/api/").split("/"):
            case "GET", ["folders", uid]:
                if uid not in self.folders or unseen:
                    return NOBODY if role == "Admin" else NO
                return 200, self.folders[uid] | {"canSave": may_write}
            case "POST", ["folders"]:
                if body["uid"] in self.folders:
                    return 409, {"message": "a folder with the same UID already exists"}
                self.folders[body["uid"]] = body
                return 200, body
            case "GET", ["dashboards", "uid", uid]:
                if uid not in self.boards:
                    return 404, {"message": "Dashboard not found"}
                found = self.boards[uid]
                return 200, {**found, "meta": {**found["meta"], "canSave": may_write}}
            case "POST", ["dashboards", "db"]:
                uid = body["dashboard"]["uid"]
                if unseen:
                    return NO
                if self.boards.get(uid, {"meta": {}})["meta"].get("provisioned"):
                    return 400, {"message": "Cannot save provisioned dashboard"}
                stored = body["dashboard"] | {"id": len(self.boards) + 1, "version": 1}
                self.boards[uid] = {"dashboard": stored, "meta": {"folderUid": body["folderUid"], "provisioned": False}}
                return 200, {"uid": uid, "status": "success"}
            case "GET", ["annotations"]:
                return 200, [mark for mark in self.marks if is_found(mark["tags"], question["tags"])][: int(question["limit"][0])]
            case "POST", ["annotations"]:
                self.marks.append({"timeEnd": body["time"]} | body | {"id": len(self.marks) + 1})
                return 200, {"id": len(self.marks)}
            case "PATCH", ["annotations", number]:
                self.marks[int(number) - 1] |= body
                return 200, {"message": "Annotation patched"}
            case "GET", ["access-control", "user", "permissions"] if self.says_rights:
                return 200, {"dashboards:read": ["dashboards:*"]} | (RIGHTS if may_write else {})
            case "GET", ["health"]:
                return 200, {"database": "ok", "version": "12.4.0"}
            case "GET", ["search"]:
                return 200, []
        return NOBODY


def is_found(stored: list[str], asked: list[str]) -> bool:
    """Whether a search for tags finds a mark: split at the colon, a key alone matches every value, matches are counted."""
    rows = [tag.partition(":")[::2] for tag in stored]
    wanted = [(*tag.partition(":"),) for tag in asked]
    matched = [row for row in rows if any(row[0] == key and (not colon or row[1] == value) for key, colon, value in wanted)]
    return len(matched) >= len(asked)


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
        elif (role := ROLES.get(self.headers["Authorization"].removeprefix("Bearer "))) is None:
            status, said = 401, {"message": "Invalid API key"}
        else:
            status, said = self.server.answer(self.command, self.path, body, role)
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


def test_pushed_again_nothing_is_written(shared: Shared) -> None:
    changes(shared)
    shared.asked.clear()

    assert set(changes(shared).values()) == {"unchanged"}
    assert {method for method, _ in shared.asked} == {"GET"}


EDITS = {
    "a title": lambda board, _: board["panels"][0].update(title="Lain"),
    "a query": lambda board, _: board["panels"][0]["targets"][0].update(expr="vector(0)"),
    "one panel more": lambda board, _: board["panels"].append({"type": "text"}),
    "something that we say nothing of": lambda board, _: board["panels"][0].update(cacheTimeout="60"),
    "its tags": lambda board, _: board.update(tags=["112"]),
    "its folder": lambda _, meta: meta.update(folderUid="arsip"),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_what_somebody_changed_by_hand_is_said_to_be_overwritten_and_is_put_right(shared: Shared, edit: Any) -> None:
    changes(shared)
    wanted = copy.deepcopy(shared.boards["psap-calls-id"]["dashboard"])
    shared.asked.clear()
    edit(*(shared.boards["psap-calls-id"][part] for part in ("dashboard", "meta")))

    for dry_run in (True, False):
        said = changes(shared, dry_run=dry_run)
        assert {uid for uid, change in said.items() if change == "overwritten"} == {"psap-calls-id"}
        assert set(said.values()) == {"overwritten", "unchanged"}
    assert [method for method, _ in shared.asked].count("POST") == 1
    assert {**shared.boards["psap-calls-id"]["dashboard"], "id": wanted["id"]} == wanted
    assert set(changes(shared).values()) == {"unchanged"}


def test_a_board_of_an_earlier_version_of_ours_is_updated_and_nobodys_work_is_lost(shared: Shared) -> None:
    older = [{**board, "refresh": "1h"} for board in boards()]
    list(Grafana(shared.url, TOKEN).push(older))

    assert set(changes(shared).values()) == {"updated"}
    assert set(changes(shared).values()) == {"unchanged"}


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
        (500, "database is locked", "look at its log"),
    ],
)
def test_a_refusal_says_what_to_do_and_never_the_token(shared: Shared, status: int, message: str, advice: str) -> None:
    shared.refusing.append((status, message))

    with pytest.raises(GrafanaError, match=advice) as refused:
        changes(shared)
    assert TOKEN not in str(refused.value)


@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize("has_boards", [False, True])
def test_a_viewers_token_is_refused_and_never_told_that_all_is_unchanged(shared: Shared, has_boards: bool, dry_run: bool) -> None:
    if has_boards:
        changes(shared)
    with pytest.raises(GrafanaError, match="role Editor"):
        list(Grafana(shared.url, VIEWER).push(boards(), dry_run=dry_run))


def test_a_folder_that_somebody_else_has_just_made_is_waited_for_and_not_called_a_missing_right(shared: Shared) -> None:
    list(Grafana(shared.url, ADMIN).push(boards()))
    del shared.boards["psap-calls-en"]
    shared.unseen = True

    with pytest.raises(GrafanaError, match="some minutes later: push again"):
        changes(shared)
    shared.unseen = False
    assert changes(shared)["psap-calls-en"] == "created"


def test_boards_that_come_from_files_of_the_server_are_named_and_the_others_are_pushed(shared: Shared) -> None:
    changes(shared)
    shared.boards["psap-alerts-en"] |= {"dashboard": {"title": "of a file"}, "meta": {"folderUid": "112-en", "provisioned": True}}
    del shared.boards["psap-calls-en"]

    for dry_run in (["--dry-run"], []):
        said = said_by(shared, "push", *dry_run)
        assert said.exit_code == 1
        assert "psap-alerts-en,112 alerts,provisioned" in said.stdout
        assert "psap-calls-en,112 calls,created" in said.stdout
        assert "psap-alerts-en: from files on the Grafana server" in str(said.exception)
    assert "psap-calls-en" in shared.boards
    assert shared.boards["psap-alerts-en"]["dashboard"] == {"title": "of a file"}


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
    assert mark["tags"] == ["112", "incident", "incident-banjir"]
    assert mark["text"] == "incident banjir"


def test_a_second_mark_of_a_kind_is_a_second_mark_and_what_the_search_finds_too_much_is_not_believed(
    shared: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    grafana = Grafana(shared.url, TOKEN)
    shared.marks.append({"id": 1, "time": 0, "timeEnd": 0, "tags": ["112", "deploy", "deploy:v1"]})  # as versions before wrote it
    monkeypatch.setattr(f"{__name__}.is_found", lambda stored, asked: True)

    assert grafana.annotate("deploy", "v1", BEGAN, None) == "created"
    assert grafana.annotate("deploy", "v2", OVER, None) == "created"
    assert grafana.annotate("deploy", "v1", BEGAN, OVER) == "updated"
    assert [mark["time"] for mark in shared.marks] == [0, BEGAN.timestamp() * 1000, OVER.timestamp() * 1000]
    assert not [tag for mark in shared.marks[1:] for tag in mark["tags"] if ":" in tag]


def test_a_viewers_mark_is_refused_also_where_it_is_there_already(shared: Shared) -> None:
    viewer = Grafana(shared.url, VIEWER)
    with pytest.raises(GrafanaError, match="role Editor"):
        viewer.annotate("incident", "banjir", BEGAN, None)
    Grafana(shared.url, TOKEN).annotate("incident", "banjir", BEGAN, None)
    with pytest.raises(GrafanaError, match="role Editor"):
        viewer.annotate("incident", "banjir", BEGAN, None)


def test_the_grafana_of_these_tests_answers_as_the_real_one_did(shared: Shared) -> None:
    for seen in SEEN["missing_folder"]:
        method, path = seen["ask"].split(",")[0].split(" ")[:2]
        body = {"uid": "pantau112", "title": "pantau112"}
        assert shared.answer(method, path, body, seen["token"])[0] == seen["status"], seen
        shared.folders.clear()
    tags = SEEN["tags_with_a_colon"]
    asks = [(tags["stored"][0]["tags"], ask) for ask in tags["asks"]]
    for stored, ask in [*asks, *((ask["stored"], ask) for ask in tags["without_a_colon"])]:
        asked = parse_qs(ask["ask"].rpartition("?")[2])["tags"]
        assert is_found(stored, asked) == bool(ask["answered"]), ask


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


def examined(shared: Shared, token: str) -> dict[str, str]:
    """What the doctor says of a Grafana, by name."""
    given = {"PANTAU112_GRAFANA_TOKEN": token} if token else {}
    settings = read({"PANTAU112_GRAFANA_URL": shared.url, "PANTAU112_BOOTSTRAP": "127.0.0.1:1"} | given)
    return {found.name: str(found) for found in examine(settings, []) if found.name.startswith("Grafana")}


def test_doctor_asks_grafana_where_one_is_set(shared: Shared) -> None:
    assert examined(shared, TOKEN)["Grafana"] == f"ok    Grafana: 12.4.0 answers at {shared.url}"
    assert "make a new one" in examined(shared, "wrong")["Grafana"]
    assert "no token" in examined(shared, "")["Grafana"]


def test_doctor_says_what_the_token_may_do_and_what_a_push_would_do_and_changes_nothing(shared: Shared) -> None:
    before = examined(shared, TOKEN)
    assert before["Grafana's token"] == "ok    Grafana's token: may write boards and marks"
    assert "a push makes it" in before["Grafana's folder"]
    assert before["Grafana's boards"] == f"warn  Grafana's boards: {len(boards())} missing -> pantau112 boards push"
    assert examined(shared, VIEWER)["Grafana's token"].startswith(
        "fail  Grafana's token: may write no folders and no boards and no marks"
    )
    assert {method for method, _ in shared.asked} == {"GET"}

    changes(shared)
    shared.boards["psap-calls-en"]["dashboard"]["refresh"] = "1h"
    shared.boards["psap-calls-id"]["meta"]["provisioned"] = True
    after = examined(shared, TOKEN)
    assert after["Grafana's folder"] == "ok    Grafana's folder: is there"
    assert "1 changed there by somebody" in after["Grafana's boards"]
    assert "1 from files of the Grafana server" in after["Grafana's boards"]
    shared.says_rights = False
    assert "Grafana's token" not in examined(shared, TOKEN)
    assert "role Editor" in examined(shared, VIEWER)["Grafana's folder"]

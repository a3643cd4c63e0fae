"""Feeds on a server that plays BMKG and a keeper of river levels: lists, files, 304, 403, 5xx, what is gone and what hangs."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from pydantic import ValidationError

from schemas.environment import GaugeRead, WeatherWarned
from streams.centres import PACKAGED
from streams.core.centre import CentreError, parse
from streams.edge import pace
from streams.edge.poll import LARGEST, Poll, PollConfig
from streams.sources.door import Door
from tests.edge.far_ends import KeptInbox, in_a_loop, running, until
from tests.sources.test_cap import ALERT

BOGOR = parse(PACKAGED.read_text())


class Server:
    """Answers what it is told to; `asked` holds the path, and the headers, of each request."""

    def __init__(self) -> None:
        self.documents: dict[str, bytes] = {}
        self.status: dict[str, int] = {}
        self.hangs = False
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.url = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.path, dict(request.headers)))
        if self.hangs:
            await asyncio.sleep(3600)
        if (status := self.status.get(request.path, 200)) != 200:
            return web.Response(status=status)
        if request.path not in self.documents:
            return web.Response(status=404)
        body = self.documents[request.path]
        tag = f'"{hash(body)}"'
        if request.headers.get("If-None-Match") == tag:
            return web.Response(status=304)
        return web.Response(body=body, headers={"ETag": tag})

    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]


@asynccontextmanager
async def serving() -> AsyncIterator[Server]:
    server = Server()
    app = web.Application()
    app.router.add_get("/{path:.*}", server.answer)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()


@pytest.fixture(autouse=True)
def _unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests ask more often than a feed allows."""

    class AtOnce(pace.Pace):
        async def wait(self) -> None:
            await asyncio.sleep(0)

    monkeypatch.setattr(pace, "of", lambda host: AtOnce())


def listing(server: Server, *files: str, host: str | None = None) -> None:
    """BMKG's list of these files; what stands behind # is when one was published."""
    items = "".join(
        f"<item><title>x</title><link>{host or server.url}/id/{name}_alert.xml</link><pubDate>{published}</pubDate></item>"
        for name, _, published in (file.partition("#") for file in files)
    )
    server.documents["/id"] = f'<rss version="2.0"><channel><title>x</title>{items}</channel></rss>'.encode()


def alert(identifier: str, **elements: str) -> bytes:
    text = ALERT.replace("2.49.0.1.360.0.2026.05.20.01.32.001", identifier)
    for name, other in elements.items():
        text = re.sub(rf"<{name}>[^<]*</{name}>", f"<{name}>{other}</{name}>", text)
    return text.encode()


def warnings(server: Server, **said: object) -> Poll:
    config = PollConfig.model_validate({"name": "bmkg", "kind": "cap", "url": f"{server.url}/id", "every_seconds": 0.01, **said})
    poll = config.collector(BOGOR, Door())
    assert isinstance(poll, Poll)
    poll._pause = 0.001
    return poll


def told(inbox: KeptInbox) -> list[str]:
    return [event.data.warning for event in inbox.events if isinstance(event, WeatherWarned)]


@in_a_loop
async def test_warnings_of_the_list_that_concern_the_centre_are_told_in_order_of_time() -> None:
    inbox = KeptInbox()
    async with serving() as server:
        listing(server, "late#1", "early#1", "java#1")
        server.documents |= {
            "/id/late_alert.xml": alert("late", sent="2026-05-20T15:01:00+07:00"),
            "/id/early_alert.xml": alert("early"),
            "/id/java_alert.xml": alert("java", areaDesc="Jawa Tengah", polygon="1,1 1,2 2,2 1,1"),
        }
        poll = warnings(server)
        async with running(poll, inbox):
            await until(lambda: poll.answered is not None)

    assert told(inbox) == ["early", "late"]
    assert all(headers["User-Agent"].startswith("pantau112/") for _, headers in server.asked)


@in_a_loop
async def test_a_file_is_fetched_once_and_the_list_only_if_it_changed_and_a_file_published_anew_again() -> None:
    inbox = KeptInbox()
    async with serving() as server:
        listing(server, "a#1")
        server.documents["/id/a_alert.xml"] = alert("a")
        async with running(warnings(server), inbox):
            await until(lambda: server.paths().count("/id") >= 4)
            assert server.paths().count("/id/a_alert.xml") == 1
            assert all("If-None-Match" in headers for path, headers in server.asked[2:])

            listing(server, "a#2", "b#1")
            server.documents |= {"/id/a_alert.xml": alert("a", sent="2026-05-20T15:01:00+07:00"), "/id/b_alert.xml": alert("b")}
            await until(lambda: len(told(inbox)) == 3)
        assert told(inbox) == ["a", "b", "a"]

        server.asked.clear()
        again = KeptInbox(inbox.position)
        poll = warnings(server)
        async with running(poll, again):
            await until(lambda: poll.answered is not None)
        assert server.paths()[0] == "/id"
        assert not {path for path in server.paths() if path != "/id"}
        assert again.events == []


@in_a_loop
async def test_a_file_of_which_the_list_says_no_date_is_asked_for_only_if_it_changed() -> None:
    inbox = KeptInbox()
    async with serving() as server:
        listing(server, "a")
        server.documents["/id/a_alert.xml"] = alert("a")
        async with running(warnings(server), inbox):
            await until(lambda: server.paths().count("/id/a_alert.xml") >= 3)
            server.documents["/id/a_alert.xml"] = alert("a", sent="2026-05-20T15:01:00+07:00")
            await until(lambda: len(told(inbox)) == 2)
        of_it = [headers for path, headers in server.asked if path == "/id/a_alert.xml"]
        assert "If-None-Match" not in of_it[0]
        assert all("If-None-Match" in headers for headers in of_it[1:])


@pytest.mark.parametrize(("status", "attempts"), [(403, 1), (500, 3), (503, 3), (429, 3), (404, 1)])
@in_a_loop
async def test_a_list_that_is_refused_is_a_silent_feed_and_not_one_without_warnings(
    status: int, attempts: int, caplog: pytest.LogCaptureFixture
) -> None:
    inbox = KeptInbox()
    async with serving() as server:
        listing(server)
        server.status["/id"] = status
        poll = warnings(server)
        async with running(poll, inbox):
            await until(lambda: poll.counted["silent"] >= 2)
            assert poll.answered is None
            assert inbox.puts == 0
            assert len(server.asked) >= attempts * 2
            server.status.clear()
            await until(lambda: poll.answered is not None)
        assert inbox.events == []
    said = [record.getMessage() for record in caplog.records]
    assert [f"answered {status}" in said[0], len(said), "answers again" in said[-1]] == [True, 2, True]


@in_a_loop
async def test_when_a_file_is_refused_the_others_are_told_and_it_is_asked_for_again() -> None:
    inbox = KeptInbox()
    async with serving() as server:
        listing(server, "a#1", "b#1")
        server.documents |= {"/id/a_alert.xml": alert("a"), "/id/b_alert.xml": alert("b")}
        server.status["/id/b_alert.xml"] = 403
        poll = warnings(server)
        async with running(poll, inbox):
            await until(lambda: poll.counted["silent"] >= 2)
            assert (told(inbox), poll.answered) == (["a"], None)
            server.status.clear()
            await until(lambda: poll.answered is not None)
        assert told(inbox) == ["a", "b"]


@in_a_loop
async def test_a_file_that_is_gone_or_bad_or_elsewhere_holds_up_no_other(caplog: pytest.LogCaptureFixture) -> None:
    inbox = KeptInbox()
    async with serving() as server:
        listing(server, "gone#1", "bad#1", "good#1")
        server.documents["/id"] = server.documents["/id"].replace(
            b"<channel>", b"<channel><item><link>http://elsewhere.invalid/x_alert.xml</link><pubDate>1</pubDate></item>"
        )
        server.documents |= {"/id/bad_alert.xml": alert("bad", sent="kemarin"), "/id/good_alert.xml": alert("good")}
        poll = warnings(server)
        async with running(poll, inbox):
            await until(lambda: poll.answered is not None and server.paths().count("/id") >= 3)
        assert told(inbox) == ["good"]
        assert poll.counted["bad_files"] == 2
        assert server.paths().count("/id/bad_alert.xml") == 1
    said = " ".join(record.getMessage() for record in caplog.records)
    assert "bad_alert.xml: sent: no time" in said
    assert "x_alert.xml: stands at another server" in said
    assert "kemarin" not in said


@in_a_loop
async def test_a_server_that_is_away_or_gives_a_page_for_people_or_too_much_is_silent() -> None:
    inbox = KeptInbox()
    async with serving() as server:
        url = server.url
        server.documents["/id"] = b"<html><body>Masuk</body></html>"
        poll = warnings(server)
        async with running(poll, inbox):
            await until(lambda: poll.counted["silent"] >= 1)
        server.documents["/id"] = b" " * (LARGEST + 1)
        poll = warnings(server)
        async with running(poll, inbox):
            await until(lambda: poll.counted["silent"] >= 1)
    server.url = url
    poll = warnings(server)
    async with running(poll, inbox):
        await until(lambda: poll.counted["silent"] >= 1)
    assert inbox.puts == 0


SQL = """SELECT 'gauge.read' AS type, waktu AS time, pos AS gauge, tinggi::DOUBLE AS level_centimetres FROM rows"""
JSON = [{"pos": "katulampa", "waktu": "2026-01-05T15:00:00+07:00", "tinggi": 82}]
CSV = "pos;waktu;tinggi\nkatulampa;2026-01-05T15:00:00+07:00;82\ndepok;2026-01-05T15:00:00+07:00;rusak\n"


def levels(server: Server, folder: Path, sql: str = SQL) -> Poll:
    (folder / "levels.sql").write_text(sql)
    config = PollConfig(name="katulampa", kind="river", url=f"{server.url}/levels", every_seconds=0.01, sql=folder / "levels.sql")
    poll = config.collector(BOGOR, Door())
    assert isinstance(poll, Poll)
    poll._pause = 0.001
    return poll


def readings(inbox: KeptInbox) -> list[tuple[str, str, float]]:
    return [
        (event.source, event.data.gauge, event.data.level_centimetres) for event in inbox.events if isinstance(event, GaugeRead)
    ]


@in_a_loop
async def test_river_levels_come_from_json_and_each_answer_counts_once(tmp_path: Path) -> None:
    inbox = KeptInbox()
    async with serving() as server:
        server.documents["/levels"] = json.dumps(JSON).encode()
        poll = levels(server, tmp_path)
        async with running(poll, inbox):
            await until(lambda: len(server.asked) >= 4)
            assert readings(inbox) == [("/32.71/katulampa", "katulampa", 82)]
            server.documents["/levels"] = json.dumps([JSON[0] | {"waktu": "2026-01-05T16:00:00+07:00", "tinggi": 95}]).encode()
            await until(lambda: len(readings(inbox)) == 2)
        assert poll.answered is not None

        restarted = KeptInbox(inbox.position)
        async with running(levels(server, tmp_path), restarted):
            await until(lambda: len(server.asked) >= 10)
        assert restarted.events == []


@in_a_loop
async def test_river_levels_come_from_csv_and_a_bad_row_is_counted_and_said_by_its_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    inbox = KeptInbox()
    async with serving() as server:
        server.documents["/levels"] = CSV.encode()
        poll = levels(server, tmp_path)
        async with running(poll, inbox):
            await until(lambda: len(server.asked) >= 3)
    assert readings(inbox) == [("/32.71/katulampa", "katulampa", 82)]
    assert poll.counted["bad_rows"] == 1
    said = " ".join(record.getMessage() for record in caplog.records)
    assert "katulampa: line 3: " in said
    assert "rusak" not in said


@in_a_loop
async def test_a_river_feed_that_refuses_says_no_level_and_no_answer(tmp_path: Path) -> None:
    inbox = KeptInbox()
    async with serving() as server:
        server.documents["/levels"], server.status["/levels"] = CSV.encode(), 403
        poll = levels(server, tmp_path)
        async with running(poll, inbox):
            await until(lambda: poll.counted["silent"] >= 2)
    assert (inbox.puts, poll.answered) == (0, None)


def test_a_feed_says_what_it_needs(tmp_path: Path) -> None:
    (tmp_path / "bad.sql").write_text("DROP TABLE rows")
    for said in (
        {"kind": "river", "url": "https://example.id/levels"},
        {"kind": "cap", "url": "https://example.id/id", "sql": "levels.sql"},
        {"kind": "cap", "url": "https://user:secret@example.id/id"},
        {"kind": "cap", "url": "file:///etc/passwd"},
    ):
        with pytest.raises(ValidationError):
            PollConfig.model_validate({"name": "x", **said})
    with pytest.raises(CentreError, match="one SELECT"):
        PollConfig(name="x", kind="river", url="https://example.id/", sql=tmp_path / "bad.sql").collector(BOGOR, Door())
    with pytest.raises(CentreError, match=r"levels\.sql"):
        PollConfig(name="x", kind="river", url="https://example.id/", sql=tmp_path / "levels.sql").collector(BOGOR, Door())


def test_no_more_requests_go_to_a_host_in_any_minute_than_it_allows() -> None:
    now, waited = [0.0], []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        now[0] += seconds

    async def ask() -> list[float]:
        one, times = pace.Pace(lambda: now[0], sleep), []
        for _ in range(175):
            await one.wait()
            times.append(now[0])
            now[0] += 0.25
        return times

    times = asyncio.run(ask())
    assert max(sum(start <= time < start + 60 for time in times) for start in times) == pace.A_MINUTE < 60
    assert waited
    assert times[-1] < 240

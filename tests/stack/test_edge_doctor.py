"""The doctor of an edge names what keeps it from collecting or sending, and what to do."""

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from aiohttp import web

from streams.edge.edge import Edge
from streams.edge.exporter import serve
from streams.edge.inbox import Keeper, SpoolInbox
from streams.edge.spool import LEAST_BYTES, Spool
from streams.settings import Settings
from streams.sources.door import Door
from streams.stack.doctor import Finding
from streams.stack.edge_doctor import examine_edge
from tests.builders import offered
from tests.conftest import free_port
from tests.edge.test_edge import Far, Tells
from tests.edge.test_spool import filled

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes an edge.toml, with what it names beside it."""
    (tmp_path / "queue_log").write_text("")
    (tmp_path / "token").write_text("word")
    (tmp_path / "token").chmod(0o600)

    def written(**said: object) -> Path:
        given = {"spool": "spool.db", "to": "http://127.0.0.1:1", "token_file": "token", "metrics_port": free_port()} | said
        path = tmp_path / "edge.toml"
        text = "".join(f"{name} = {value!r}\n" for name, value in given.items() if value is not None)
        path.write_text(f'{text}[[follow]]\nfile = "queue_log"\n')
        return path

    return written


def found(path: Path) -> dict[str, Finding]:
    return {finding.name: finding for finding in examine_edge(path, Settings())}


def test_a_wrong_file_is_all_that_is_said(write: Write) -> None:
    (finding,) = found(write(spol="x")).values()

    assert finding.failed
    assert "edge.toml: line 5: spol: no such setting" in finding.says


def test_a_queue_log_that_is_missing_or_long_silent_is_said_with_where_to_look(write: Write) -> None:
    path = write()
    log = path.with_name("queue_log")
    assert found(path)["collector queue_log"].state == "ok"
    os.utime(log, (0, time.time() - 3 * 86_400))
    assert "for 72 hours" in found(path)["collector queue_log"].says
    log.unlink()
    assert (finding := found(path)["collector queue_log"]).failed
    assert "logger.conf" in finding.todo


def test_a_token_that_others_can_read_or_that_is_not_there_is_said(write: Write) -> None:
    path = write()
    assert "edge: token_file" not in found(path)
    path.with_name("token").chmod(0o644)
    assert found(path)["edge: token_file"].todo == f"chmod 600 {path.with_name('token')}"
    path.with_name("token").unlink()
    assert "No such file" in found(path)["edge: token_file"].says


def asked(write: Write, status: int) -> Finding:
    """What is said of a gateway that answers one status."""

    async def ask() -> Finding:
        async def answer(_: web.Request) -> web.Response:
            return web.json_response({"error": "no"}, status=status)

        app = web.Application()
        app.router.add_post("/v1/events", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            return (await asyncio.to_thread(found, write(to=url)))[f"gateway {url}"]
        finally:
            await runner.cleanup()

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("status", "said"),
    [(202, None), (400, None), (401, "does not know the token"), (404, "is no gateway"), (503, "cannot take events now")],
)
def test_a_gateway_is_asked_whether_it_knows_the_token(write: Write, status: int, said: str | None) -> None:
    finding = asked(write, status)

    assert finding.failed == (said is not None)
    assert (said or "knows the token") in finding.says


def test_a_gateway_that_is_away_is_said(write: Write) -> None:
    assert "cannot be reached" in found(write())["gateway http://127.0.0.1:1"].says


def test_without_an_edge_the_spool_itself_is_looked_at(write: Write) -> None:
    path = write(spool_bytes=LEAST_BYTES)
    assert "is made at the first start" in found(path)["spool"].says
    spool = Spool(path.with_name("spool.db"), LEAST_BYTES)
    assert "another edge has it" in found(path)["spool"].says
    filled(spool)
    spool.close()
    said = found(path)
    assert said["edge"].says.startswith("does not run")
    assert "nearly full" in said["spool"].says
    path.with_name("spool.db").write_bytes(b"no spool" * 1000)
    assert "is damaged" in found(path)["spool"].says


def test_of_a_running_edge_its_own_page_is_asked(write: Write, tmp_path: Path) -> None:
    keeper = Keeper(Spool(tmp_path / "spool.db", LEAST_BYTES, lambda: time.time() - 4_000), Door())

    async def nothing(_: object) -> None:
        pass

    feed = Tells("bmkg", nothing)
    feed.answered = time.time() - 4_000  # type: ignore[attr-defined]
    edge = Edge(keeper, [Tells("queue_log", nothing), feed], Far())
    asyncio.run(SpoolInbox(keeper, "queue_log", rereads=True).put([offered("c1", 0)]))
    keeper.refused["queue_log"] += 7
    edge.restarts["queue_log"] += 2
    server, port = serve(edge, "127.0.0.1", 0)
    try:
        said = found(write(metrics_port=port))
    finally:
        server.close()
        keeper.close()

    assert said["edge"].says.startswith("runs, metrics at")
    assert "the oldest of 1 events waits for 4,000 s" in said["forwarder"].says
    assert "7 events of queue_log found no room" in said["spool"].says
    assert "failed and began again 2 times" in said["restarts"].says
    assert "gave its last answer 67 min ago" in said["collector bmkg"].says

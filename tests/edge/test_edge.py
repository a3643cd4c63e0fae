"""A centre's edge through what happens to it: a cut of two days, a full disk, a collector that fails, a stop."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from schemas.event import Event
from schemas.topics import decode
from streams import centres
from streams.analysis.measure import measure
from streams.edge import edge as edges
from streams.edge import forward, inbox
from streams.edge.collector import Inbox
from streams.edge.edge import Edge
from streams.edge.exporter import serve
from streams.edge.forward import AwayError
from streams.edge.inbox import Keeper, SpoolInbox
from streams.edge.spool import LEAST_BYTES, Spool, SpoolError
from streams.sources import Line, simulate
from streams.sources.door import Door
from tests.builders import logged_in, offered
from tests.conftest import HANG

START = datetime.fromisoformat("2026-01-05T00:00:00+07:00")


class Far:
    """A destination at the end of a line that can be cut; what of a batch it got before the cut it keeps."""

    name = "the far end"

    def __init__(self, *, is_cut: bool = False) -> None:
        self.is_cut = is_cut
        self.got: list[Event] = []
        self.attempts = 0

    async def send(self, events: Sequence[bytes]) -> dict[int, str]:
        self.attempts += 1
        items = [decode(event) for event in events]
        if self.is_cut:
            self.got += [item for item in items[: len(items) // 2] if isinstance(item, Event)]
            raise AwayError("the line is cut", "away")
        self.got += [item for item in items if isinstance(item, Event)]
        return {}

    async def close(self) -> None:
        pass


class Tells:
    """A collector that tells what it is given, and then stands there."""

    def __init__(self, name: str, tell: Callable[[Inbox], Awaitable[None]], *, rereads: bool = False) -> None:
        self.name, self.rereads = name, rereads
        self._tell = tell

    async def run(self, inbox: Inbox) -> None:
        await self._tell(inbox)
        await asyncio.Event().wait()


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[Keeper]:
    keeper = Keeper(Spool(tmp_path / "spool.db", 10**8), Door())
    yield keeper
    keeper.close()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edges, "LONGEST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(forward, "LONGEST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(inbox, "LOOK_SECONDS", 0.01)


async def until(keeper: Keeper, true: Callable[[], bool]) -> None:
    """Wait for what becomes true by something that is put or sent."""
    async with asyncio.timeout(120):
        while not true():
            await keeper.wait_for_room()


async def running(one: Edge, until_: Awaitable[None]) -> None:
    """Run it until then, and stop it as a service manager does."""
    task = asyncio.create_task(one.run())
    await until_
    os.kill(os.getpid(), signal.SIGTERM)
    await task


def page(events: Sequence[Event]) -> str:
    known = centres.load([])
    return measure([Line(n, event) for n, event in enumerate(events, 1)], known, START.timestamp() + 4 * 86_400).text


def test_after_a_cut_of_48_hours_every_figure_is_that_of_a_line_that_was_never_cut(keeper: Keeper) -> None:
    told = list(simulate.events(112, START, next(iter(centres.load([]).values())), days=2))
    far = Far(is_cut=True)

    async def tell(inbox: Inbox) -> None:
        for start in range(0, len(told), 100):
            await inbox.put(told[start : start + 100])
        far.is_cut = False

    one = Edge(keeper, [Tells("log", tell)], far, pause=0.001)
    asyncio.run(running(one, until(keeper, lambda: not far.is_cut and not keeper.spool.length)))

    assert far.attempts > 1
    assert len({(event.source, event.id) for event in far.got}) == len(told) < len(far.got)
    assert page(far.got) == page(told)


def test_on_a_full_spool_a_file_waits_and_others_are_refused_and_all_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keeper = Keeper(Spool(tmp_path / "spool.db", LEAST_BYTES), Door())
    far = Far(is_cut=True)
    wave = [offered(f"c{n}", n) for n in range(10_000)]
    log = [logged_in(f"seat-{n}", n) for n in range(10_000)]

    async def live(inbox: Inbox) -> None:
        for start in range(0, len(wave), 50):
            await inbox.put(wave[start : start + 50])

    async def file(inbox: Inbox) -> None:
        for start in range(int(inbox.position or 0), len(log), 50):
            await inbox.put(log[start : start + 50], str(start + 50))

    async def full_then_free() -> None:
        await until(keeper, lambda: keeper.refused["ami"] > 100)
        assert keeper.is_full
        far.is_cut = False
        await until(keeper, lambda: keeper.spool.sent["queue_log"] == len(log))

    one = Edge(keeper, [Tells("ami", live), Tells("queue_log", file, rereads=True)], far, pause=0.001)
    asyncio.run(running(one, full_then_free()))

    got = {event.id for event in far.got}
    assert {event.id for event in log} <= got
    lost = [event for event in wave if event.id not in got]
    assert (keeper.refused["ami"], keeper.refused["queue_log"]) == (len(lost), 0)
    assert not keeper.is_full
    said = [record.getMessage() for record in caplog.records]
    assert any("is full, or its disk is" in line for line in said)
    assert any("has room again" in line for line in said)
    keeper.close()


def test_a_collector_that_fails_harms_no_other_and_begins_again(keeper: Keeper, caplog: pytest.LogCaptureFixture) -> None:
    far, failures = Far(), 0

    async def fails(inbox: Inbox) -> None:
        nonlocal failures
        failures += 1
        if failures < 4:
            raise RuntimeError("08123456789 said so")
        await inbox.put([offered("late", 1)])

    async def works(inbox: Inbox) -> None:
        await inbox.put([offered("c1", 0)])

    one = Edge(keeper, [Tells("bad", fails), Tells("good", works)], far, pause=0.001)
    asyncio.run(running(one, until(keeper, lambda: len(far.got) == 2)))

    assert (one.restarts["bad"], one.restarts["good"], one.restarts["forwarder"]) == (3, 0, 0)
    assert "bad: RuntimeError at test_edge.py" in caplog.text
    assert "0812" not in caplog.text


def test_a_forwarder_that_fails_begins_again(keeper: Keeper) -> None:
    far = Far()
    send, failures = far.send, iter([ValueError(), KeyError()])

    async def fails(events: Sequence[bytes]) -> dict[int, str]:
        for error in failures:
            raise error
        return await send(events)

    far.send = fails  # type: ignore[method-assign]

    async def tell(inbox: Inbox) -> None:
        await inbox.put([offered("c1", 0)])

    one = Edge(keeper, [Tells("log", tell)], far, pause=0.001)
    asyncio.run(running(one, until(keeper, lambda: len(far.got) == 1)))

    assert one.restarts["forwarder"] == 2


def test_a_place_and_its_events_are_there_in_the_next_run(tmp_path: Path) -> None:
    async def put() -> None:
        keeper = Keeper(Spool(tmp_path / "spool.db", 10**6), Door())
        log = SpoolInbox(keeper, "log", rereads=True)
        assert log.position is None
        await log.put([offered(f"c{n}", n) for n in range(1_200)], "here")
        await log.put([])
        assert log.position == "here"
        keeper.close()

    asyncio.run(put())
    keeper = Keeper(Spool(tmp_path / "spool.db", 10**6), Door())
    assert (keeper.spool.length, SpoolInbox(keeper, "log", rereads=True).position) == (1_200, "here")
    keeper.close()


def test_what_looks_like_a_person_never_reaches_the_spool(keeper: Keeper) -> None:
    async def put() -> None:
        await SpoolInbox(keeper, "ami", rereads=False).put([logged_in("Budi.Santoso", 0), logged_in("seat-1", 1)])

    asyncio.run(put())

    assert [b"Budi" in one.event for one in keeper.spool.next(9, 10**6)] == [False]
    assert keeper.door.passed_over.total() == 1


def test_the_page_says_what_waits_what_was_sent_and_what_was_refused(keeper: Keeper) -> None:
    far = Far(is_cut=True)

    async def tell(inbox: Inbox) -> None:
        await inbox.put([offered(f"c{n}", n) for n in range(3)])

    one = Edge(keeper, [Tells("log", tell)], far, pause=0.001)
    server, port = serve(one, "127.0.0.1", 0)
    pages: list[str] = []

    async def twice() -> None:
        await until(keeper, lambda: one.forwarder.is_away)
        pages.append(await asyncio.to_thread(read))
        far.is_cut = False
        await until(keeper, lambda: not keeper.spool.length)
        pages.append(await asyncio.to_thread(read))

    def read() -> str:
        with urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            text: str = answer.read().decode()
        return text

    try:
        asyncio.run(running(one, twice()))
    finally:
        server.close()

    cut, whole = pages
    assert 'pantau112_edge_queue_events{collector="log"} 3.0' in cut
    assert "pantau112_edge_destination_up 0.0" in cut
    assert "pantau112_edge_oldest_event_timestamp_seconds 1" in cut
    assert 'pantau112_edge_queue_events{collector="log"} 0.0' in whole
    assert 'pantau112_edge_events_sent_total{collector="log"} 3.0' in whole
    assert "pantau112_edge_destination_up 1.0" in whole
    assert "pantau112_edge_oldest_event_timestamp_seconds" not in whole
    assert 'pantau112_edge_events_refused_total{by="spool",collector="log"} 0.0' in whole
    assert 'pantau112_edge_restarts_total{collector="log"} 0.0' in whole


def test_a_place_is_kept_with_the_last_of_its_events_and_not_before(keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    put, pieces = keeper.spool.put, iter(range(9))

    def fails(*what: Any, **how: Any) -> None:
        if next(pieces):
            raise SpoolError("pulled out")
        put(*what, **how)

    monkeypatch.setattr(keeper.spool, "put", fails)
    with pytest.raises(SpoolError):
        asyncio.run(SpoolInbox(keeper, "log", rereads=True).put([offered(f"c{n}", n) for n in range(600)], "behind all"))

    assert keeper.spool.length > 0
    assert keeper.spool.position("log") is None


def test_a_spool_that_cannot_go_on_ends_the_edge(keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise SpoolError("spool.db: is damaged")

    async def tell(inbox: Inbox) -> None:
        await inbox.put([offered("c1", 0)])

    monkeypatch.setattr(keeper.spool, "put", fails)
    one = Edge(keeper, [Tells("log", tell)], Far())

    with pytest.raises(SpoolError, match="is damaged"):
        asyncio.run(asyncio.wait_for(one.run(), HANG))

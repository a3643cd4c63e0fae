"""A queue_log that is followed for ever: what was rotated away before, what is packed or broken, where reading went on."""

import asyncio
import bz2
import gzip
import lzma
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from schemas.event import Event
from streams.edge import follow, ingest
from streams.edge.follow import FollowConfig
from streams.sources.door import Door
from tests.builders import BOGOR

PACKERS: dict[str, Callable[[bytes], bytes]] = {"": bytes, ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}


class Kept:
    """An inbox in memory, which can be given to the next run."""

    def __init__(self) -> None:
        self.position: str | None = None
        self.calls: list[str] = []
        self.came = asyncio.Condition()

    async def put(self, events: Sequence[Event], position: str | None = None) -> None:
        async with self.came:
            self.calls += [event.id for event in events]
            self.position = position or self.position
            self.came.notify_all()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "LOOK_SECONDS", 0.005)
    monkeypatch.setattr(ingest, "QUIET_SECONDS", 0.01)
    monkeypatch.setattr(follow, "BROKEN_SECONDS", 0.01)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "queue_log"


def lines(first: int, last: int) -> bytes:
    """Lines that tell one event each, by their numbers."""
    return b"".join(b"%d|u%d|112|NONE|ENTERQUEUE|||1\n" % (1_732_500_000 + n, n) for n in range(first, last + 1))


def follows(log: Path) -> follow.Follow:
    collector = FollowConfig(file=log).collector(BOGOR, Door(centres=(BOGOR,)))
    assert isinstance(collector, follow.Follow)
    return collector


def runs(collector: follow.Follow, kept: Kept, count: int, then: Callable[[], None] = lambda: None, until: int = 0) -> None:
    """Follow until so many events came; then do something, and go on until so many."""

    async def run() -> None:
        kept.came = asyncio.Condition()
        running = asyncio.create_task(collector.run(kept))

        async def came(many: int) -> None:
            async with asyncio.timeout(60), kept.came:
                await kept.came.wait_for(lambda: len(kept.calls) >= many or running.done())

        try:
            await came(count)
            then()
            if until:
                await came(until)
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running

    asyncio.run(run())


def truth(log: Path, text: bytes) -> list[str]:
    """The ids of a log that was never rotated."""
    whole = log.with_name("whole")
    whole.write_bytes(text)
    kept = Kept()
    runs(follows(whole), kept, text.count(b"\n"))
    whole.unlink()
    return kept.calls


@pytest.mark.parametrize(
    "names",
    [
        ["queue_log.3", "queue_log.2", "queue_log.1"],
        ["queue_log.3.gz", "queue_log.2.bz2", "queue_log.1"],
        ["queue_log-20240101.xz", "queue_log-20240108.gz", "queue_log.old"],
        ["queue_log.old.gz", "queue_log-2024-01-08", "queue_log.1.xz"],
    ],
)
def test_the_first_start_reads_what_was_rotated_away_oldest_first(log: Path, names: list[str]) -> None:
    for index, name in enumerate(names):
        suffix = Path(name).suffix
        log.with_name(name).write_bytes(PACKERS.get(suffix, bytes)(lines(10 * index, 10 * index + 9)))
    log.write_bytes(lines(30, 39))
    log.with_name("queue_log.txt").write_bytes(lines(50, 59))
    kept = Kept()
    collector = follows(log)
    runs(collector, kept, 40)

    assert kept.calls == truth(log, lines(0, 39))
    assert collector.counted["place_lost"] == 0


def test_a_restart_goes_on_where_it_was_also_in_a_file_that_was_packed_since(log: Path) -> None:
    log.write_bytes(lines(0, 9))
    kept = Kept()
    runs(follows(log), kept, 10)
    log.with_name("queue_log.2.xz").write_bytes(lzma.compress(lines(0, 19)))
    log.with_name("queue_log.1.bz2").write_bytes(bz2.compress(lines(20, 29)))
    log.write_bytes(lines(30, 34))
    collector = follows(log)
    runs(collector, kept, 35)

    assert kept.calls == truth(log, lines(0, 34))
    assert collector.counted.total() == 0


def test_a_half_written_line_waits_for_its_end(log: Path) -> None:
    text = lines(0, 2)
    log.write_bytes(text[:-9])
    kept = Kept()

    def rest() -> None:
        assert len(kept.calls) == 2
        with log.open("ab") as file:
            file.write(text[-9:])

    runs(follows(log), kept, 2, rest, 3)

    assert kept.calls == truth(log, text)


def test_a_place_that_is_in_no_file_is_said_and_what_is_there_is_read(log: Path, caplog: pytest.LogCaptureFixture) -> None:
    log.write_bytes(lines(0, 9))
    kept = Kept()
    runs(follows(log), kept, 10)
    # Rotated twice by who keeps one: the file that was being read is gone.
    log.with_name("queue_log.1").write_bytes(lines(20, 29))
    log.write_bytes(lines(30, 39))
    collector = follows(log)
    runs(collector, kept, 30)

    assert kept.calls == truth(log, lines(0, 9) + lines(20, 39))
    assert collector.counted["place_lost"] == 1
    assert f"{log}: the place where reading stopped is in no file" in caplog.text


def test_a_log_that_is_emptied_without_a_copy_is_said_too(log: Path) -> None:
    log.write_bytes(lines(0, 9))
    kept, collector = Kept(), follows(log)

    def emptied() -> None:
        log.write_bytes(lines(20, 24))

    runs(collector, kept, 10, emptied, 15)

    assert kept.calls == truth(log, lines(0, 9) + lines(20, 24))
    assert collector.counted["place_lost"] == 1


def test_a_log_that_is_moved_out_of_sight_while_it_is_read_loses_nothing(log: Path) -> None:
    log.write_bytes(lines(0, 9))
    kept, collector = Kept(), follows(log)

    def move() -> None:
        log.rename(log.parent / "elsewhere")
        log.write_bytes(lines(10, 14))

    runs(collector, kept, 10, move, 15)

    assert kept.calls == truth(log, lines(0, 14))
    assert collector.counted["place_lost"] == 0


@pytest.mark.parametrize("name", ["queue_log.1.gz", "queue_log.1.bz2", "queue_log.1.xz"])
def test_a_rotated_file_that_breaks_off_is_said_and_does_not_stop_the_log(
    log: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    packed = PACKERS[Path(name).suffix](lines(0, 60_000))
    log.with_name(name).write_bytes(packed[: len(packed) // 2])
    log.write_bytes(lines(70_000, 70_009))
    kept, collector = Kept(), follows(log)
    last = truth(log, lines(70_000, 70_009))

    async def run() -> None:
        running = asyncio.create_task(collector.run(kept))
        async with asyncio.timeout(60), kept.came:
            await kept.came.wait_for(lambda: kept.calls[-10:] == last)
        running.cancel()

    asyncio.run(run())

    assert f"{name}, line " in caplog.text
    assert "breaks off here" in caplog.text
    assert "It is passed over" in caplog.text
    assert collector.counted["broken_files"] == 1


def test_of_a_file_that_is_being_packed_the_plain_one_is_read(log: Path) -> None:
    log.with_name("queue_log.1").write_bytes(lines(0, 60_000))
    packed = gzip.compress(lines(0, 60_000))
    log.with_name("queue_log.1.gz").write_bytes(packed[: len(packed) // 2])
    log.write_bytes(lines(60_001, 60_004))
    kept, collector = Kept(), follows(log)
    runs(collector, kept, 60_005)

    assert len(set(kept.calls)) == len(kept.calls) == 60_005
    assert collector.counted.total() == 0


def test_bad_lines_are_counted_named_by_number_and_never_quoted(log: Path, caplog: pytest.LogCaptureFixture) -> None:
    log.write_bytes(lines(0, 0) + b"Budi 08123456789\n" * 30 + lines(1, 1))
    kept, collector = Kept(), follows(log)
    runs(collector, kept, 2)

    assert collector.counted["bad_lines"] == 30
    assert caplog.text.count(f"{log}:") == 20
    assert f"{log}:2: 1 fields" in caplog.text
    assert "Budi" not in caplog.text

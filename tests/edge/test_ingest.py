"""What a centre has on its way into a file: whole after any kill, and one sentence when it cannot be written."""

import gzip
import json
import os
import signal
import stat
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from schemas.event import Event
from schemas.topics import encode
from streams.edge import ingest
from streams.edge.tail import Feed, Tail
from streams.sources import asterisk
from streams.sources.opened import BrokenFileError
from tests.builders import BOGOR, offered
from tests.cli.test_cli import pantau112
from tests.conftest import DATA

ROOT = Path(__file__).parents[2]
EVENTS = 4_000
LOG = "".join(
    f"{1_732_500_000 + n}|u{n // 2}|112|NONE|{'ABANDON|1|1|1' if n % 2 else f'ENTERQUEUE||0812345{n:04d}|1'}\n"
    for n in range(EVENTS)
)


def ids(file: Path) -> list[str]:
    return [json.loads(line)["id"] for line in file.read_bytes().splitlines()]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "queue_log"
    path.write_text(LOG)
    return path


def test_a_file_that_is_gone_on_with_has_everything_once_when_nothing_was_killed(tmp_path: Path, log: Path) -> None:
    to, position = tmp_path / "events.jsonl", tmp_path / "position"
    half = LOG[: LOG.index("\n", len(LOG) // 2) + 1]
    log.write_text(half)
    for written in (half, LOG, LOG):
        log.write_text(written)
        done = pantau112("ingest", "asterisk", log, "--to", to, "--remember", position)
        assert done.returncode == 0, done.stderr

    assert len(ids(to)) == len(set(ids(to))) == EVENTS


def test_without_remember_a_file_is_written_anew(tmp_path: Path, log: Path) -> None:
    to = tmp_path / "events.jsonl"
    for _ in range(2):
        pantau112("ingest", "asterisk", log, "--to", to)

    assert len(ids(to)) == EVENTS


KILLED = """
import os, signal, sys
from streams.cli import main
from streams.edge import ingest
from streams.edge import tail

def killed_at(owner, name, times):
    real = getattr(owner, name)
    def counted(*arguments):
        nonlocal times
        times -= 1
        if not times:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments)
    setattr(owner, name, counted)

owner, name, times = sys.argv.pop(1).split(",")
killed_at({"file": ingest.EventFile, "tail": tail.Tail, "os": os}[owner], name, int(times))
main()
"""


def test_killed_with_9_at_any_moment_it_loses_nothing_and_what_is_twice_is_known_by_its_id(tmp_path: Path, log: Path) -> None:
    to, position = tmp_path / "events.jsonl", tmp_path / "position"
    arguments = ["ingest", "asterisk", str(log), "--to", str(to), "--remember", str(position)]
    moments = ("file,send,700", "file,flush,2", "tail,delivered,1", "tail,delivered,3", "os,fsync,2", "tail,read,2")
    for moment in moments:
        done = subprocess.run([sys.executable, "-c", KILLED, moment, *arguments], cwd=ROOT, check=False, capture_output=True)
        assert done.returncode == -signal.SIGKILL, done.stderr
        with to.open("ab") as file:
            file.write(b'{"specversion":"1.0","id":"half a li')

    assert pantau112(*arguments).returncode == 0

    told = Counter(ids(to))
    assert len(told) == EVENTS
    # What is held keeps back the batch before from being remembered.
    assert EVENTS < told.total() <= EVENTS + len(moments) * 2 * ingest.BATCH


class Kept:
    """A sink that keeps what it was sent."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def send(self, event: Event) -> None:
        self.events.append(event)

    def flush(self) -> None:
        pass


class Killed(Tail):
    """A tail that is killed where the file ends for now."""

    def read(self, most: int = 1000) -> list[bytes]:
        if not (lines := super().read(most)):
            raise KeyboardInterrupt
        return lines


@pytest.fixture
def no_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal, "signal", lambda *_: None)


def delivered(feed: Feed, *, following: bool = False) -> list[Event]:
    kept = Kept()
    with suppress(KeyboardInterrupt):
        list(ingest.queue_log(feed, following, asterisk.Reader(BOGOR, "/a"), kept, lambda *_: None))
    return kept.events


@pytest.mark.usefixtures("no_signals")
def test_killed_after_any_line_it_tells_everything_under_one_id_and_nothing_that_a_shutdown_wrote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = (DATA / "asterisk" / "queue_log").read_bytes().splitlines(keepends=True)[-50:]
    monkeypatch.setattr(os, "fsync", lambda _: None)
    log, position = tmp_path / "queue_log", tmp_path / "position"
    log.write_bytes(b"".join(recording))
    whole = delivered(Tail(log))
    told_twice = 0
    for batch in (1, 7, 500):
        monkeypatch.setattr(ingest, "BATCH", batch)
        for cut in range(len(recording) + 1):
            position.unlink(missing_ok=True)
            log.write_bytes(b"".join(recording[:cut]))
            before = delivered(Killed(log, position, follow=True), following=True)
            log.write_bytes(b"".join(recording))
            after = delivered(Tail(log, position))

            assert list({event.id: event for event in before + after}.values()) == whole
            if batch == 1:
                told_twice += len(before + after) - len(whole)
    assert told_twice == 0


def until(reports: Iterator[ingest.Report], events: int) -> None:
    """Wait until so many were sent."""
    while next(reports).events < events:
        pass


@pytest.mark.timeout(60)
@pytest.mark.usefixtures("no_signals")
@pytest.mark.parametrize("form", ["file", "pipe"])
def test_the_last_call_of_the_night_is_told_although_nothing_comes_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setattr(ingest, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(ingest, "QUIET_SECONDS", 0.03)
    log, position = tmp_path / "queue_log", tmp_path / "position"
    os.mkfifo(log) if form == "pipe" else log.touch()
    with log.open("rb+", buffering=0) as exchange:
        exchange.write(b"1|1.1|112|NONE|ENTERQUEUE|||1\n9|1.1|112|NONE|ABANDON|1|1|8\n")
        kept = Kept()
        feed = ingest.feed(log, position if form == "file" else None, True)
        reports = ingest.queue_log(feed, True, asterisk.Reader(BOGOR, "/a"), kept, lambda *_: None)
        until(reports, 2)
        exchange.write(b"20|1.2|112|NONE|ENTERQUEUE|||1\n")
        until(reports, 3)
        reports.close()  # type: ignore[attr-defined]

    assert [event.type for event in kept.events] == ["call.offered", "call.abandoned", "call.offered"]
    if form == "file":
        assert delivered(Tail(log, position)) == []


@pytest.mark.usefixtures("no_signals")
def test_what_was_held_when_a_packed_file_breaks_off_is_told(tmp_path: Path) -> None:
    log = tmp_path / "queue_log.gz"
    text = "".join(f"{1_000 + n}|{n}.{n * n % 7919}|112|NONE|ABANDON|1|1|8\n" for n in range(20_000))
    log.write_bytes(gzip.compress(text.encode())[:-2_000])
    kept, reader = Kept(), asterisk.Reader(BOGOR, "/a")
    with pytest.raises(BrokenFileError):
        list(ingest.queue_log(ingest.feed(log, None, False), False, reader, kept, lambda *_: None))

    assert len(kept.events) == reader.lines > 1_000


@pytest.mark.usefixtures("usual_umask")
@pytest.mark.parametrize("append", [False, True])
def test_a_file_of_events_has_callers_in_it_and_is_made_for_nobody_else_to_read(tmp_path: Path, append: bool) -> None:
    with ingest.EventFile(tmp_path / "made", append=append):
        assert stat.S_IMODE((tmp_path / "made").stat().st_mode) == 0o600

    (tmp_path / "shared").touch(0o640)
    (tmp_path / "shared").chmod(0o640)
    with ingest.EventFile(tmp_path / "shared", append=append):
        assert stat.S_IMODE((tmp_path / "shared").stat().st_mode) == 0o640, "whoever made it said who may"


@pytest.mark.parametrize("left", [b"", b"whole\n", b"whole\nhal", b"hal", b"whole\n" + b"x" * 200_000])
def test_half_a_line_is_taken_away_before_a_file_is_gone_on_with(tmp_path: Path, left: bytes) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(left)
    with ingest.EventFile(path, append=True) as file:
        file.send(offered("c1", 0))
        file.flush()

    whole = left[: left.rfind(b"\n") + 1]
    assert path.read_bytes() == whole + encode(offered("c1", 0)) + b"\n"


def test_a_pipe_cannot_be_remembered_and_is_read_to_its_end_when_followed(tmp_path: Path, log: Path) -> None:
    to = tmp_path / "events.jsonl"
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    refused = pantau112("ingest", "asterisk", pipe, "--to", to, "--remember", tmp_path / "position")
    assert (refused.returncode, "--remember makes no sense" in refused.stderr) == (1, True)

    with log.open() as file:
        command = [sys.executable, "-m", "streams.cli", "ingest", "asterisk", "-", "--follow", "--to", str(to)]
        read = subprocess.run(command, stdin=file, cwd=ROOT, stderr=subprocess.PIPE, text=True, check=False)
    assert (read.returncode, len(ids(to))) == (0, EVENTS), read.stderr


def test_what_is_read_is_never_written_over(log: Path) -> None:
    refused = pantau112("ingest", "asterisk", log, "--to", log)

    assert (refused.returncode, "is what is read" in refused.stderr) == (1, True)
    assert log.read_text() == LOG

"""What a centre has on its way into a file: whole after any kill, and one sentence when it cannot be written."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from schemas.topics import encode
from streams import ingest
from tests.builders import offered
from tests.test_cli import pantau112

ROOT = Path(__file__).parents[1]
CALLS = 4_000
LOG = "".join(f"{1_732_500_000 + n}|u{n}|112|NONE|ENTERQUEUE||0812345{n:04d}|1\n" for n in range(CALLS))


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

    assert len(ids(to)) == len(set(ids(to))) == CALLS


def test_without_remember_a_file_is_written_anew(tmp_path: Path, log: Path) -> None:
    to = tmp_path / "events.jsonl"
    for _ in range(2):
        pantau112("ingest", "asterisk", log, "--to", to)

    assert len(ids(to)) == CALLS


KILLED = """
import os, signal, sys
from streams.cli import main
from streams import ingest
from streams.sources import follow

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
killed_at({"file": ingest.EventFile, "tail": follow.Tail, "os": os}[owner], name, int(times))
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
    assert len(told) == CALLS
    assert CALLS < told.total() <= CALLS + len(moments) * ingest.BATCH


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
    assert (read.returncode, len(ids(to))) == (0, CALLS), read.stderr


def test_what_is_read_is_never_written_over(log: Path) -> None:
    refused = pantau112("ingest", "asterisk", log, "--to", log)

    assert (refused.returncode, "is what is read" in refused.stderr) == (1, True)
    assert log.read_text() == LOG

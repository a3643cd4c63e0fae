"""A program that sees another folder in the place of /usr/share, and nobody else does."""

import subprocess
import sys
from pathlib import Path

import pytest

from streams.stack import StackError
from streams.stack.share import require_view, showing
from tests.conftest import is_alive, wait_until

ROOT = Path(__file__).parents[2]
STARTER = """
import subprocess, sys, time
from streams.stack.die_with_parent import tied
print(subprocess.Popen(tied(sys.argv[1:], 15)).pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def share(tmp_path: Path) -> Path:
    """A folder with an awkward name, to be seen as /usr/share."""
    folder = tmp_path / 'what\'s, here: "share"'
    (folder / "prometheus").mkdir(parents=True)
    try:
        require_view(folder, "a kernel that lets us")
    except StackError as why:
        pytest.skip(str(why))
    return folder


def test_a_program_sees_the_folder_and_everything_else_as_it_is(share: Path, tmp_path: Path) -> None:
    mounts, here = Path("/proc/self/mountinfo"), sorted(Path("/usr/share").iterdir())
    before = mounts.read_text()
    (tmp_path / "note").write_text("as it is")
    looks = 'ls /usr/share; cat /proc/self/comm; cat "$1"; echo written > "$1"'
    said = subprocess.run(
        showing(share, ["sh", "-c", looks, "sh", str(tmp_path / "note")]), capture_output=True, text=True, check=True
    )
    assert said.stdout == "prometheus\ncat\nas it is"
    assert (tmp_path / "note").read_text() == "written\n"
    assert (sorted(Path("/usr/share").iterdir()), mounts.read_text()) == (here, before)


def test_a_signal_reaches_it_and_its_exit_code_is_told(share: Path) -> None:
    program = "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(7)); print('up', flush=True); time.sleep(600)"
    with subprocess.Popen(showing(share, [sys.executable, "-ISc", program]), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        process.terminate()
        assert process.wait() == 7


def test_it_ends_when_its_starter_is_killed(share: Path) -> None:
    command = showing(share, [sys.executable, "-ISc", "import time; print('up', flush=True); time.sleep(600)"])
    with subprocess.Popen([sys.executable, "-c", STARTER, *command], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        assert process.stdout.readline() == "up\n"
        assert is_alive(pid)
        process.kill()
    wait_until(lambda: not is_alive(pid), "what it started has ended")


def test_where_it_cannot_be_one_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StackError, match=r"no program unshare\)\. As root: apt-get install it$"):
        require_view(tmp_path, "apt-get install it")
    unshare = tmp_path / "unshare"
    unshare.write_text("#!/bin/sh\necho 'unshare: Operation not permitted\ndmesg may say more' >&2\nexit 1\n")
    unshare.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    with pytest.raises(StackError, match=r"refuses \(unshare: Operation not permitted\)\. As root: apt-get install it$"):
        require_view(tmp_path, "apt-get install it")

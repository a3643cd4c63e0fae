"""`pantau112 wall`: beyond this machine only with a token, and it ends when it is told to."""

import contextlib
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from streams.stack.listen import Listen
from tests.conftest import HANG, free_port


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "streams.cli", "wall", *arguments]


def refused(*arguments: str, **said: str) -> str:
    done = subprocess.run(command(*arguments), env=os.environ | said, capture_output=True, text=True, timeout=HANG, check=False)
    assert done.returncode == 1
    return done.stderr


@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0", "example.go.id", "192.168.1.5"])
def test_without_a_token_it_listens_to_this_machine_alone(address: str) -> None:
    assert "set PANTAU112_WALL_TOKEN_FILE" in refused("--listen", address)


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    assert "give HOST or HOST:PORT" in refused("--listen", "http://here/")
    assert "WEB_PASSWORD_FILE" in refused(PANTAU112_WEB_PASSWORD_FILE=str(tmp_path / "none"))
    elsewhere = {"PANTAU112_WEB_PASSWORD_FILE": str(tmp_path / "none"), "PANTAU112_PROMETHEUS": "192.0.2.1:9090"}
    assert "PANTAU112_PROMETHEUS: on the way there the password could be read" in refused(**elsewhere)


@contextlib.contextmanager
def running(*arguments: str, **said: str) -> Iterator[str]:
    """What it says first; it has to end by SIGTERM with 0."""
    process = subprocess.Popen(command(*arguments), env=os.environ | said, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        yield process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(HANG) == 0
    finally:
        process.kill()
        process.communicate()


def test_it_shows_the_boards_and_asks_whoever_is_named(tmp_path: Path) -> None:
    port, away = free_port(), free_port()
    with running("--listen", f"127.0.0.1:{port}", PANTAU112_PROMETHEUS=f"127.0.0.1:{away}") as line:
        assert line.endswith(f" boards at http://127.0.0.1:{port}/\n")
        with urlopen(f"http://127.0.0.1:{port}/d/psap-calls-id", timeout=HANG) as page:
            assert page.status == 200
        with pytest.raises(HTTPError) as silent:
            urlopen(f"http://127.0.0.1:{port}/api/v1/query?query=up", timeout=HANG)
        with silent.value as error:
            assert f"127.0.0.1:{away} does not answer" in error.read().decode()


def test_for_other_machines_it_makes_a_token_and_says_where(tmp_path: Path) -> None:
    port, file = free_port(), tmp_path / "wall.token"
    with running("--listen", f"0.0.0.0:{port}", PANTAU112_WALL_TOKEN_FILE=str(file)) as line:
        assert line.endswith(f" boards at {Listen('0.0.0.0', port).reached}/?token=… of PANTAU112_WALL_TOKEN_FILE\n")
        token = file.read_text().strip()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        with pytest.raises(HTTPError, match="401") as without:
            urlopen(f"http://127.0.0.1:{port}/", timeout=HANG)
        without.value.close()
        with pytest.raises(HTTPError, match="401") as kept:  # a program that keeps no cookie
            urlopen(f"http://127.0.0.1:{port}/?token={token}", timeout=HANG)
        kept.value.close()

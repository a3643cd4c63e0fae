"""What processes say on stderr: one line an event, in the form that the journal wants or with a time, and never what was read."""

import logging
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.logs import Line
from streams.stack.kafka import Broker, find_java
from tests.conftest import HANG, free_port, strays

ROOT = Path(__file__).parents[1]
NUMBER = "081234567890"

WAYS = {
    "an exception": f"raise ValueError('{NUMBER}\\n{NUMBER}')",
    "a group": f"raise ExceptionGroup('{NUMBER}', [ValueError('{NUMBER}')])",
    "a thread": f"import threading; t = threading.Thread(target=int, args=('{NUMBER} ',)); t.start(); t.join(); int('{NUMBER}?')",
    "a finalizer": f"X = type('X', (), {{'__del__': lambda self: int('{NUMBER}?')}}); X()",
    "a warning": "import warnings; warnings.warn('one\\ntwo')",
    "a log of others": "import logging; logging.getLogger('a').error('%d\\n', 'no number')",
    "a task": (
        f"import asyncio\nasync def f(): int('{NUMBER}?')\n"
        "async def g(): asyncio.create_task(f()); await asyncio.sleep(0)\nasyncio.run(g())"
    ),
}


def said(command: list[str], *, journal: bool, **settings: str) -> tuple[int, str]:
    """A process's exit code and what it writes to stderr, which is the journal, as far as it knows, or is not."""
    reading, writing = os.pipe()
    here = os.fstat(writing)
    environment = {"PATH": "/usr/bin:/bin", "JOURNAL_STREAM": f"{here.st_dev}:{here.st_ino}" if journal else "8:15"}
    with subprocess.Popen([sys.executable, *command], stderr=writing, cwd=ROOT, env=environment | settings) as process:
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            text = pipe.read().decode()
        return process.wait(HANG), text


@given(text=st.text(), error=st.none() | st.builds(ValueError, st.text()), journal=st.booleans())
def test_a_record_is_one_line_whatever_is_in_it(text: str, error: ValueError | None, journal: bool) -> None:
    record = logging.LogRecord(
        "kafka", logging.WARNING, "a.py", 1, text, None, None if error is None else (ValueError, error, None)
    )

    line = Line(journal=journal).format(record)

    assert strays(line) == []
    assert line.startswith("<4>kafka: ") == journal


@pytest.mark.parametrize("journal", [True, False], ids=["journal", "file"])
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_whatever_goes_wrong_is_said_in_lines_that_quote_nothing(way: str, journal: bool) -> None:
    _, text = said(["-c", f"from streams import logs; logs.begin()\n{way}"], journal=journal)

    assert text
    assert strays(text) == []
    assert NUMBER not in text
    assert text.startswith("<") == journal


@pytest.mark.parametrize(
    ("verb", "settings"),
    [
        (["worker"], {}),
        (["worker"], {"PANTAU112_BOOTSTRAP": "no address"}),
        (["worker"], {"PANTAU112_SSL_CAFILE": "nowhere.pem"}),
        (["worker", "--centre", "nowhere.toml"], {}),
        (["gateway"], {"PANTAU112_GATEWAY_HOST": "192.0.2.1"}),
        (["gateway"], {"PANTAU112_NO_SUCH": "1"}),
        (["edge", "nowhere.toml"], {}),
        (["up", "--home", "/proc/nowhere"], {}),
        (["ingest", "simulate", "--live"], {}),
        (["replay", "play", "nowhere", "--clock", "wall"], {}),
    ],
    ids=lambda value: " ".join((*value, *(value.items() if isinstance(value, dict) else ())) if isinstance(value, list) else ""),
)
def test_every_process_says_in_lines_why_it_cannot_start(verb: list[str], settings: dict[str, str]) -> None:
    code, text = said(["-m", "streams.cli", *verb], journal=True, **{"PANTAU112_BOOTSTRAP": "127.0.0.1:1"} | settings)

    assert code == 1
    assert strays(text) == []
    assert "<3>" in text


def test_one_place_says_where_what_is_said_goes() -> None:
    ours = {path.relative_to(ROOT).as_posix(): path.read_text() for path in (ROOT / "streams").rglob("*.py")}
    assert [name for name, text in ours.items() if "basicConfig(" in text or "StreamHandler(" in text] == ["streams/logs.py"]


def test_what_a_person_runs_says_its_sentence_and_nothing_before_it() -> None:
    assert said(["-m", "streams.cli", "measure", "nowhere"], journal=False) == (1, "pantau112: nowhere: no such file\n")


@pytest.mark.stack
def test_kafka_says_in_lines_why_it_cannot_start(tmp_path: Path, kafka_jars: list[Path]) -> None:
    port = free_port(2)
    broker = Broker(tmp_path / "kafka", tmp_path / "log", port, port + 1, find_java(None), kafka_jars)
    broker.configure()
    subprocess.run(broker.format_command(), capture_output=True, check=True)
    (tmp_path / "log" / "server.log").unlink()

    with socket.create_server(("127.0.0.1", port)):
        ended = subprocess.run(broker.run_command(), capture_output=True, text=True, check=False, timeout=HANG)

    assert "Address already in use" in ended.stderr
    found = strays(ended.stderr + (tmp_path / "log" / "server.log").read_text())
    assert [line for line in found if not line.startswith("WARNING: ")] == []  # Java's own, before there is a log

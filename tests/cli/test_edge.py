"""The verb `edge`: one sentence for whatever keeps it from starting, and an end in order."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.cli.test_cli import pantau112
from tests.conftest import HANG, free_port, wait_until
from tests.edge.gateway.served import Served, served
from tests.live import total

ROOT = Path(__file__).parents[2]
LOG = "".join(f"{1_732_500_000 + n}|u{n}|112|NONE|ENTERQUEUE|||1\n" for n in range(900))


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Served]:
    folder = tmp_path / "gateway"
    folder.mkdir()
    with served(folder) as running:
        yield running


def written(folder: Path, to: str, port: int = 0) -> Path:
    path = folder / "edge.toml"
    (folder / "queue_log").write_text(LOG)
    (folder / "token").write_text("word")
    token = "" if to == "kafka" else 'token_file = "token"\n'
    text = f'spool = "spool.db"\nto = "{to}"\n{token}metrics_port = {port}\n[[follow]]\nfile = "queue_log"\n'
    path.write_text(text)
    return path


def started(config: Path, said: Path) -> subprocess.Popen[bytes]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PANTAU112_")}
    with said.open("ab") as output:
        command = [sys.executable, "-m", "streams.cli", "edge", str(config)]
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)


def sent(port: int) -> float:
    """How many events the edge at that port of figures says that its destination has; 0 while it does not answer."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=HANG) as answer:
            return total(answer.read().decode(), "pantau112_edge_events_sent_total")
    except OSError:
        return 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_sends_what_is_followed_and_ends_in_order(tmp_path: Path, gateway: Served, number: signal.Signals) -> None:
    port = free_port()
    config, said = written(tmp_path, f"http://127.0.0.1:{gateway.port}", port), tmp_path / "said"
    (tmp_path / "token").write_text(gateway.token)
    edge = started(config, said)
    wait_until(lambda: sent(port) == 900, "it knows that all has arrived")
    edge.send_signal(number)

    assert edge.wait() == 0
    assert "32.71 Kota Bogor: queue_log to gateway" in said.read_text()
    assert "stopped; 0 events wait" in said.read_text()
    assert [json.loads(event.model_dump_json())["data"]["call"] for event in gateway.log.written] == [f"u{n}" for n in range(900)]


def test_what_keeps_it_from_starting_is_one_sentence(tmp_path: Path) -> None:
    port = free_port()
    config, said = written(tmp_path, "http://127.0.0.1:1", port), tmp_path / "said"
    edge = started(config, said)
    try:
        wait_until(lambda: "metrics at" in said.read_text(), "it runs")
        second = pantau112("edge", config)
        other = tmp_path / "other.toml"
        other.write_text(config.read_text().replace("spool.db", "other.db"))
        taken = pantau112("edge", other)
    finally:
        edge.kill()
        edge.wait()
    config.write_text("to = 7\n" + config.read_text())
    wrong = pantau112("edge", config)

    assert [done.returncode for done in (second, taken, wrong)] == [1, 1, 1]
    assert "spool.db: another edge has it; stop that one" in second.stderr
    assert f"port {port}: Address already in use. Set metrics_port in {other} to a free one" in taken.stderr
    assert "edge.toml: no valid TOML" in wrong.stderr
    assert "Traceback" not in second.stderr + taken.stderr + wrong.stderr


def test_up_takes_no_edge_that_sends_elsewhere_and_none_beside_a_feed_or_a_centre(tmp_path: Path) -> None:
    elsewhere = pantau112("up", "--edge", written(tmp_path, "http://127.0.0.1:1"))
    beside = pantau112("up", "--edge", written(tmp_path, "kafka"), "--feed", tmp_path / "queue_log")
    nowhere = pantau112("up", "--edge", tmp_path / "no.toml")

    assert (elsewhere.returncode, 'Set to = "kafka"' in elsewhere.stderr) == (1, True)
    assert (beside.returncode, "--edge goes without --feed and --centre" in beside.stderr) == (2, True)
    assert (nowhere.returncode, "no.toml: no such file" in nowhere.stderr) == (1, True)


def test_its_doctor_fails_where_something_is_wrong(tmp_path: Path) -> None:
    done = pantau112("doctor", "--edge", written(tmp_path, "http://127.0.0.1:1"))

    assert done.returncode == 1
    assert "fail  gateway http://127.0.0.1:1: " in done.stdout

"""`pantau112 up --history`: last month's figures on the boards, of a Prometheus of its own."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
from typer.testing import CliRunner

from schemas.topics import encode
from streams.cli import app
from streams.stack.up import Ports
from tests.builders import answered, offered
from tests.conftest import HANG, LOCAL, free_port


@pytest.mark.stack
def test_the_past_of_a_file_is_on_the_wall_at_the_addresses_that_are_printed(tmp_path: Path, programs: object) -> None:
    events = [event for n in range(60) for event in (offered(f"c{n}", 60.0 * n), answered(f"c{n}", 60.0 * n + 5))]
    (tmp_path / "hour.jsonl").write_bytes(b"\n".join(map(encode, events)))
    home, base = tmp_path / "home", free_port(8)
    home.mkdir()
    (home / "debian").symlink_to(LOCAL / "debian")
    command = [sys.executable, "-m", "streams.cli", "up", "--history", str(tmp_path / "hour.jsonl"), "--home", str(home)]
    process = subprocess.Popen([*command, "--ports", str(base)], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        said = ""
        for line in process.stderr:
            said += line
            if "Ctrl-C" in line:
                break
        [(address, first, last)] = re.findall(r"all of it: (http://\S+)/\?from=(\d+)&to=(\d+)", said)
        assert address.endswith(f":{Ports.from_base(base).wall}")
        asked = urlencode(
            {"query": "psap_journeys_offered_total", "start": int(first) / 1000, "end": int(last) / 1000, "step": 900}
        )
        with urlopen(f"{address}/api/v1/query_range?{asked}", timeout=HANG) as answer:
            [series] = json.load(answer)["data"]["result"]
        assert [value for _, value in series["values"]] == ["1", "16", "31", "46"]
        process.send_signal(signal.SIGINT)
        assert process.wait(HANG) == 130
    finally:
        process.kill()
        process.communicate()


def test_history_stands_alone(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["up", "--history", "events.jsonl", "--speed", "2", "--home", str(tmp_path)])

    assert done.exit_code == 2
    assert "--history goes with --home, --ports and --centre alone" in " ".join(done.output.replace("│", " ").split())
    assert os.listdir(tmp_path) == []

"""A month of one centre measured from a file, as a whole process."""

import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from statistics import median

from schemas.topics import encode
from streams.sources import simulate
from tests.bench.figure import Figure
from tests.bench.stage import on_core
from tests.bench.workload import BOGOR, midnight

QUEUE_LOG = Path(__file__).parents[3] / "shared" / "data" / "anonymous_bank" / "january1999.queue_log.gz"
BANK = 'code = "32.71"\nname = "Anonymous Bank"\ntimezone = "Asia/Jerusalem"\n'
BARE = "import json, sys\nn = sum(1 for line in open(sys.argv[1], 'rb') if json.loads(line))\nprint(n)"


def measure() -> list[Figure]:
    """`pantau112 measure` of January 1999 of a bank, or of 30,000 simulated calls where that file is not."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        centre, events = Path(name, "centre.toml"), Path(name, "month.jsonl")
        centre.write_text(BANK)
        if QUEUE_LOG.exists():
            what = "January 1999 of a bank's call centre"
            convert = ["-m", "streams.cli", "ingest", "asterisk", str(QUEUE_LOG), "--to", str(events), "--centre", str(centre)]
            subprocess.run([sys.executable, *convert], check=True, capture_output=True)
        else:
            what = "30,000 simulated calls"
            print(f"{QUEUE_LOG.name} is not there: simulating instead", file=sys.stderr)
            start = midnight() - timedelta(days=31)
            lines = (encode(event) + b"\n" for event in simulate.events(112, start, BOGOR, 30, 1000))
            events.write_bytes(b"".join(lines))
        ours = _seconds(on_core("-m", "streams.cli", "measure", str(events), "--centre", str(centre)))
        bare = _seconds(on_core("-c", BARE, str(events)))
        count = events.read_bytes().count(b"\n")
    return [
        Figure(
            f"measure of {what}, {count:,} events from a file, whole process",
            f"{ours:.2f} s",
            f"{bare:.2f} s (python, json.loads)",
            f"{ours / bare:.1f}",
            "≤ 2 s",
            ours <= 2,
        )
    ]


def _seconds(command: list[str]) -> float:
    taken = []
    for _ in range(3):
        began = time.monotonic()
        subprocess.run(command, check=True, capture_output=True)
        taken.append(time.monotonic() - began)
    return median(taken)

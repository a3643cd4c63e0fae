"""What an analyst waits for: the report of a month, and the boards of a day that is over, each as a whole process."""

import tempfile
from datetime import timedelta
from pathlib import Path

from schemas.topics import encode
from streams.sources import simulate
from tests.bench.figure import Figure
from tests.bench.month import BARE
from tests.bench.stage import CORES, on_core, watched
from tests.bench.workload import BOGOR, midnight

DAYS = 31
DAY_SECONDS = 180 / DAYS
"""A month of boards is to be there in three minutes."""


def measure() -> list[Figure]:
    """Of a simulated centre with Kota Bogor's calls; the bare limits read the same events with `json.loads`."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        month, day = Path(name, "month.jsonl"), Path(name, "day.jsonl")
        in_month, in_day = (_write(path, days) for path, days in ((month, DAYS), (day, 1)))
        report, report_megabytes = watched(on_core("-m", "streams.cli", "report", str(month), "--to", f"{name}/report"))
        bare_report, _ = watched(on_core("-c", BARE, str(month)))
        # Beside a Prometheus, which has the other core.
        both = ["taskset", "-c", ",".join(map(str, CORES)), *on_core("-m", "streams.cli", "backfill", str(day))[3:]]
        backfill, backfill_megabytes = watched([*both, "--to", f"{name}/data"])
        bare_backfill, _ = watched(on_core("-c", BARE, str(day)))
    bare = "python, json.loads"
    return [
        Figure(
            f"report of a month, {in_month:,} events from a file, whole process",
            f"{report:.1f} s",
            f"{bare_report:.1f} s ({bare})",
            f"{report / bare_report:.0f}",
            "",
            None,
        ),
        Figure("its memory at most", f"{report_megabytes:.0f} MB", "", "", "≤ 300 MB", report_megabytes <= 300),
        Figure(
            f"backfill of a day every 15 s, {in_day:,} events from a file, with Prometheus",
            f"{backfill:.1f} s",
            f"{bare_backfill:.1f} s ({bare})",
            f"{backfill / bare_backfill:.0f}",
            f"≤ {DAY_SECONDS:.1f} s",
            backfill <= DAY_SECONDS,
        ),
        Figure("its memory at most", f"{backfill_megabytes:.0f} MB", "", "", "≤ 500 MB", backfill_megabytes <= 500),
    ]


def _write(path: Path, days: int) -> int:
    told = simulate.events(112, midnight() - timedelta(days=days + 1), BOGOR, days)
    with path.open("wb") as file:
        return sum(1 for event in told if file.write(encode(event) + b"\n"))

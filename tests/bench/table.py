"""A year of a centre's calls as a table, ingested by the command line as a whole process."""

import csv
import subprocess
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from tests.bench.figure import Figure
from tests.bench.stage import on_core, watched

CALLS = 367_000
"""A thousand a day, and three events each."""
_YEAR = datetime(2025, 1, 1)  # noqa: DTZ001 (a clock on the wall, as tables have)
_SQL = """
WITH calls AS (
    SELECT *, strptime(tanggal || ' ' || masuk, '%d/%m/%Y %H:%M:%S') AS came, seconds(tunggu) AS waited FROM rows
)
SELECT 'call.offered' AS type, came AS time, nomor AS call, antrean AS queue, penelepon AS caller FROM calls
UNION ALL BY NAME
SELECT CASE status WHEN 'Dijawab' THEN 'call.answered' WHEN 'Tidak Dijawab' THEN 'call.abandoned' END AS type,
    came + to_seconds(waited) AS time, nomor AS call, meja AS seat
FROM calls
UNION ALL BY NAME
SELECT 'call.ended' AS type, came + to_seconds(waited + seconds(bicara)) AS time, nomor AS call
FROM calls
WHERE status = 'Dijawab'
"""


def measure() -> list[Figure]:
    """The seconds and the memory that `pantau112 ingest table` takes of a year, and the seconds of reading its rows alone."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        table, sql, events = Path(name, "year.csv"), Path(name, "year.sql"), Path(name, "year.jsonl")
        _write(table)
        sql.write_text(_SQL)
        command = ["-m", "streams.cli", "ingest", "table", str(table), "--sql", str(sql), "--to", str(events)]
        ours, megabytes = watched(on_core(*command))
        began = time.monotonic()
        bare = "import csv, sys; print(sum(1 for row in csv.reader(open(sys.argv[1]))))"
        subprocess.run(on_core("-c", bare, str(table)), check=True, capture_output=True)
        bare_seconds = time.monotonic() - began
        with events.open("rb") as lines:
            count = sum(1 for _ in lines)
    what = f"ingest of a year's table, {CALLS:,} rows, {count:,} events, whole process"
    return [
        Figure(what, f"{ours:.0f} s", f"{bare_seconds:.1f} s (python, csv)", f"{ours / bare_seconds:.0f}", "≤ 60 s", ours <= 60),
        Figure("its memory at most", f"{megabytes:.0f} MB", "", "", "≤ 300 MB", megabytes <= 300),
    ]


def _write(path: Path) -> None:
    chance = Random(112)
    with path.open("w", newline="") as file:
        rows = csv.writer(file, delimiter=";")
        rows.writerow(("nomor", "tanggal", "masuk", "antrean", "penelepon", "tunggu", "bicara", "status", "meja", "catatan"))
        for n in range(CALLS):
            at = _YEAR + timedelta(seconds=n * 365 * 86_400 / CALLS)
            answered = chance.random() < 0.9
            rows.writerow(
                (
                    f"P-{n}", f"{at:%d/%m/%Y}", f"{at:%H:%M:%S}", "112", f"0800{chance.randrange(10**7):07}",
                    f"0:{chance.randrange(60):02}", f"{chance.randrange(5)}:{chance.randrange(60):02}" if answered else "-",
                    "Dijawab" if answered else "Tidak Dijawab", f"meja-{chance.randrange(1, 9)}" if answered else "-", "",
                )
            )  # fmt: skip

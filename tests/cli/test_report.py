"""The verb report, as it is typed."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from schemas.topics import encode
from streams.cli import app
from tests.builders import answered, offered

DAY = 86_400.0


@pytest.fixture
def weeks(tmp_path: Path) -> Path:
    """Calls from Monday 25 November 2024 on, for ten weeks."""
    events = [event for n in range(70) for event in (offered(f"c{n}", n * DAY), answered(f"c{n}", n * DAY + 5))]
    file = tmp_path / "weeks.jsonl"
    file.write_bytes(b"\n".join(map(encode, events)))
    return file


def report(*arguments: object, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["report", *map(str, arguments)])
    assert done.exit_code == code, done.output
    return done.output


def test_every_month_that_is_over_gets_a_folder_once(weeks: Path, tmp_path: Path) -> None:
    to = tmp_path / "reports"

    report(weeks, "--every", "month", "--to", to)

    # November and February are not all there.
    assert sorted(path.name for path in to.iterdir()) == ["2024-12", "2025-01"]
    before = (to / "2024-12" / "report.json").stat().st_mtime_ns
    assert "a report of every month that is over is there" in report(weeks, "--every", "month", "--to", to)
    assert (to / "2024-12" / "report.json").stat().st_mtime_ns == before


def test_a_day_that_goes_on_has_no_report_yet(weeks: Path, tmp_path: Path) -> None:
    report(weeks, "--every", "day", "--to", tmp_path / "days")

    # The last call came on 2 February at eight in the morning.
    days = sorted(path.name for path in (tmp_path / "days").iterdir())
    assert (days[0], days[-1], len(days)) == ("2024-11-25", "2025-02-01", 69)


def test_a_report_by_another_clone_is_the_same_byte_for_byte(weeks: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        report(weeks, "--in", "2024-12", "--by", "week", "--to", tmp_path / name)

    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert [(tmp_path / "a" / name).read_bytes() for name in files] == [(tmp_path / "b" / name).read_bytes() for name in files]
    assert "pantau112 report weeks.jsonl --in 2024-12 --by week" in (tmp_path / "a" / "report.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--only", "waits,nothing"], "there is no subject 'nothing'; there are"),
        (["--every", "month", "--in", "2024-12"], "--every chooses the times itself"),
        (["--in", "2024-13"], "there is no month 2024-13"),
        (["--last", "month", "--in", "2024-12"], "say one of these"),
    ],
)
def test_what_cannot_be_is_said_at_once(weeks: Path, tmp_path: Path, arguments: list[str], says: str) -> None:
    assert says in " ".join(report(weeks, *arguments, "--to", tmp_path / "to", code=2).replace("│", " ").split())
    assert not (tmp_path / "to").exists()


def test_a_reader_is_named_by_what_he_wants(weeks: Path, tmp_path: Path) -> None:
    report(weeks, "--only", "eu", "--to", tmp_path / "to")

    assert {path.stem for path in (tmp_path / "to").glob("*.csv")} == {"waits", "calls", "classes", "METADATA"}


def test_late_events_of_standard_input_are_not_lost_but_asked_for_in_a_file(weeks: Path, tmp_path: Path) -> None:
    late = b"\n".join([weeks.read_bytes(), *map(encode, (offered("late", 10), answered("late", 12)))])

    command = [sys.executable, "-m", "streams.cli", "report", "-", "--to", str(tmp_path / "to")]
    done = subprocess.run(command, input=late, capture_output=True, check=False)

    assert done.returncode != 0
    assert b"write standard input to a file and give that" in done.stderr
    assert b"Traceback" not in done.stderr

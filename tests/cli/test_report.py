"""The verb report, as it is typed."""

import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from schemas.topics import TOPICS, encode
from streams.cli import app
from streams.log.kafka import Log
from streams.settings import Settings
from streams.sources import simulate
from tests.builders import START, answered, offered
from tests.conftest import RealKafka
from tests.trial import KOTA_BOGOR

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


@pytest.mark.stack
def test_a_report_from_topics_with_late_events_is_that_of_a_file_in_the_order_of_time(
    kafka: RealKafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = [*simulate.events(9, START, KOTA_BOGOR, days=0.2)]
    # One source's link was down for the first hours.
    away = {event.source for event in events if event.type == "ticket.opened"}
    late = [event for event in events if event.source in away and event.time < START + timedelta(hours=3)]
    assert late
    prefix = f"report{os.getpid()}"
    with Log(Settings(bootstrap=kafka.bootstrap, topic_prefix=f"{prefix}.", app_id=prefix)) as log:
        log.create_topics(3)
        log.write([event for event in events if event not in late])
        log.write(late)
    monkeypatch.setenv("PANTAU112_BOOTSTRAP", kafka.bootstrap)
    monkeypatch.setenv("PANTAU112_TOPIC_PREFIX", f"{prefix}.")
    file = tmp_path / "day.jsonl"
    file.write_bytes(b"\n".join(map(encode, events)))
    topics = "topic:" + ",".join(topic.name for topic in TOPICS)

    said = report(topics, "--by", "shift", "--to", tmp_path / "topic")
    report(file, "--by", "shift", "--to", tmp_path / "file")

    assert re.search(rf"{len(late):,} of them came over an hour late", said)
    tables = {path.name for path in (tmp_path / "file").glob("*.csv")} - {"quality.csv", "differences.csv"}
    for name in sorted(tables):
        assert (tmp_path / "topic" / name).read_text() == (tmp_path / "file" / name).read_text(), name

"""`pantau112 backfill`: a real Prometheus says of the past what `measure` says, and what would do harm is refused before."""

import time
from datetime import datetime, timedelta
from itertools import takewhile
from pathlib import Path

import pytest
import typer

from schemas.event import Event
from schemas.topics import encode
from streams import centres
from streams.analysis.measure import measure
from streams.cli.backfill import step
from streams.sources import Line
from streams.sources.simulate import story
from streams.stack.debian import Programs
from streams.stack.historian import recording_rules
from tests.alarms.firing import prometheus
from tests.alarms.notices import Labels
from tests.analysis.test_backfill import labelled
from tests.cli.test_cli import pantau112

KNOWN = centres.load([])
BOGOR = KNOWN["32.71"]
DAY = datetime(2026, 1, 5, tzinfo=BOGOR.timezone)
FROM, UNTIL = DAY + timedelta(hours=7), DAY + timedelta(hours=8, minutes=1)
STEP = 15
LOOKBACK = 300
"""How far Prometheus looks back if nobody says otherwise."""
OURS = '{__name__=~"psap_.+"}'


@pytest.fixture(scope="module")
def events() -> list[Event]:
    """A simulated morning."""
    return list(takewhile(lambda event: event.time < UNTIL, story(DAY, 1, [BOGOR], 953)))


@pytest.fixture
def morning(events: list[Event], tmp_path: Path) -> Path:
    file = tmp_path / "morning.jsonl"
    file.write_bytes(b"".join(encode(event) + b"\n" for event in events))
    return file


def said(events: list[Event], moment: int, marks: dict[str, str]) -> dict[Labels, float]:
    """What a scrape of a worker would have found."""
    lines = [Line(number, event) for number, event in enumerate(events)]
    text = measure(lines, KNOWN, UNTIL.timestamp(), moment).text
    own = {"job": "pantau112", "instance": "backfill", **marks}.items()
    samples = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return {frozenset(labelled(series) | own): float(value) for series, _, value in samples}


@pytest.mark.stack
@pytest.mark.parametrize("marks", [{}, {"replayed": "true"}], ids=["of its own", "that has something"])
def test_a_prometheus_says_of_every_moment_what_measure_says_and_what_the_rules_say(
    programs: Programs, events: list[Event], morning: Path, tmp_path: Path, marks: dict[str, str]
) -> None:
    data = tmp_path / "data"
    if marks:
        (data / "wal").mkdir(parents=True)

    done = pantau112("backfill", str(morning), "--to", str(data), "--from", FROM.isoformat(), "--until", UNTIL.isoformat())

    assert done.returncode == 0, done.stderr
    assert not list(data.glob("backfill.*"))
    went = 0
    with prometheus(programs, tmp_path, data, LOOKBACK) as asked:
        for moment in range(int(FROM.timestamp()), int(UNTIL.timestamp()), 61 * STEP):
            true = said(events, moment, marks)
            assert asked.said(OURS, moment) == true
            went += len(said(events, moment - LOOKBACK + STEP, marks).keys() - true.keys())
        minute = int(UNTIL.timestamp()) - 60  # rules are asked at whole ones
        for rule in recording_rules():
            own = {"__name__": rule.name, **marks}.items()
            assert asked.said(rule.name, minute) == {
                frozenset(labels | own): value for labels, value in asked.said(rule.expr, minute).items()
            }
        assert asked.said("city:psap_journeys_missed:ratio_rate1h", minute)
        assert not asked.said(OURS, int(FROM.timestamp()) - STEP)
        assert asked.said(OURS, int(UNTIL.timestamp()) - STEP)
    assert went > 0, "some series went, and a Prometheus that looks back does not show them any more"


def refused(*arguments: str) -> str:
    done = pantau112("backfill", *arguments)
    assert done.returncode in {1, 2}
    return " ".join(done.stderr.split())


def test_a_folder_of_something_else_is_left_alone(morning: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())

    assert f"{tmp_path}: is no data folder of a Prometheus: it holds morning.jsonl and no wal." in refused(
        str(morning), "--to", str(tmp_path)
    )
    assert sorted(tmp_path.iterdir()) == before


def test_what_a_prometheus_still_gathers_it_is_not_told(morning: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "wal").mkdir(parents=True)
    hour_ago = (datetime.now().astimezone() - timedelta(hours=1)).isoformat()

    for span in (["--until", hour_ago], ["--from", hour_ago]):
        assert "still gathers the newest 3 hours itself; use --until " in refused(str(morning), "--to", str(data), *span)
    assert [path.name for path in data.iterdir()] == ["wal"]


@pytest.mark.parametrize("text", ["0s", "6m", "15", "1h", "a while"])
def test_a_step_over_which_no_chart_looks_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="is no time such as 15s or 1m"):
        step(text)


def test_a_range_without_any_event_is_said_and_nothing_is_written(morning: Path, tmp_path: Path) -> None:
    for place in ("past.om", "past"):
        said = refused(str(morning), "--to", str(tmp_path / place), "--until", (DAY - timedelta(days=1)).isoformat())

        assert "no event in it before the end of the range" in said
    assert [path.name for path in tmp_path.iterdir()] == ["morning.jsonl"]


def test_of_what_has_not_happened_nothing_is_said(morning: Path, tmp_path: Path) -> None:
    now, file = datetime.now().astimezone(), tmp_path / "past.om"
    begin, end = now - timedelta(minutes=3), now + timedelta(days=365)

    done = pantau112(
        "backfill", str(morning), "--to", str(file), "--step", "1m", "--from", begin.isoformat(), "--until", end.isoformat()
    )

    assert done.returncode == 0, done.stderr
    told = [int(line.rpartition(" ")[2]) for line in file.read_text().splitlines() if line.startswith("psap_city_info{")]
    assert len(told) >= 3
    assert begin.timestamp() <= min(told) <= max(told) <= time.time()

"""A real week of dispatch: San Francisco's fire department, 7 to 13 April 2020, against figures computed independently."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from schemas.event import Event
from streams import centres
from streams.cli import app
from streams.sources import read
from tests.analysis.report.builders import reported, said
from tests.conftest import DATA

CENTRE = 'code = "99.01"\nname = "San Francisco"\ntimezone = "America/Los_Angeles"\n'


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the week as events and the centre they belong to."""
    table = DATA / "sf_fire" / "week1.csv.gz"
    folder = tmp_path_factory.mktemp("sf_fire")
    centre, events = folder / "centre.toml", folder / "week.jsonl"
    centre.write_text(CENTRE)
    arguments = ["ingest", "table", str(table), "--sql", "sf_fire", "--centre", str(centre), "--to", str(events)]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert "0 bad lines" in done.stderr
    return folder


@pytest.fixture
def measured(week: Path) -> Callable[[str], dict[str, float]]:
    """What `pantau112 measure` says at a local moment, by metric and its labels beside the city."""

    def measure(moment: str) -> dict[str, float]:
        arguments = ["measure", str(week / "week.jsonl"), "--centre", str(week / "centre.toml"), "--at", f"{moment}-07:00"]
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code == 0, done.output
        lines = re.findall(r'^(psap_\w+)\{city="99.01",?(.*)\} (\S+)$', done.stdout, re.MULTILINE)
        return {f"{name}{{{labels}}}": float(value) for name, labels, value in lines}

    return measure


def test_the_week_has_2776_calls_and_each_has_one_closing(week: Path) -> None:
    events = [json.loads(line) for line in (week / "week.jsonl").read_text().splitlines()]
    kinds = {kind: [event for event in events if event["type"] == f"ticket.{kind}"] for kind in ("opened", "closed")}

    assert len({event["id"] for event in kinds["opened"]}) == 2_776
    assert len(kinds["closed"]) == len({event["data"]["ticket"] for event in kinds["closed"]}) == 2_776
    assert sum(event["type"] == "ticket.unit_dispatched" for event in events) == 5_272


def test_the_first_units_lags_over_the_week_are_those_of_the_rows(measured: Callable[[str], dict[str, float]]) -> None:
    said = measured("2020-04-13T23:59:59")
    percentiles = 'psap_ticket_stage_quantile_seconds{opd="sffd",stage="%s",quantile="%s"}'

    assert said[percentiles % ("opened_to_dispatched", "0.5")] == 99
    assert said[percentiles % ("opened_to_dispatched", "0.9")] == 239
    assert said[percentiles % ("dispatched_to_arrived", "0.5")] == 300
    assert said[percentiles % ("dispatched_to_arrived", "0.9")] == 921
    assert said['psap_ticket_stage_tickets{opd="sffd",stage="opened_to_dispatched"}'] == 2_776
    for family, labels in (("ticket", 'opd="sffd",'), ("city", "")):
        whole = f'psap_{family}_stage_quantile_seconds{{{labels}stage="opened_to_arrived",quantile="%s"}}'
        assert (said[whole % "0.5"], said[whole % "0.9"]) == (436, 1045)
        assert said[f'psap_{family}_stage_tickets{{{labels}stage="opened_to_arrived"}}'] == 2_683
        assert said[f'psap_{family}_scene_tickets{{{labels}threshold="900"}}'] == 2_683
        assert round(said[f'psap_{family}_scene_ratio{{{labels}threshold="900"}}'], 3) == 0.843
        assert round(said[f'psap_{family}_scene_ratio{{{labels}threshold="480"}}'], 3) == 0.553
    assert said['psap_ticket_stage_seconds_bucket{opd="sffd",stage="opened_to_dispatched",le="+Inf"}'] == 2_776


def test_a_report_of_the_week_says_the_same_exactly(week: Path) -> None:
    [centre] = centres.load([week / "centre.toml"]).values()
    told = [line.item for line in read(week / "week.jsonl", centre) if isinstance(line.item, Event)]

    report = reported(told, "tickets", "scene", centres=[centre])

    scenes = {row.by: row for row in said(report, "scene") if row.code in {"*", "sffd"}}
    for by in ("city", "opd"):
        assert (scenes[by].n, scenes[by].waiting, scenes[by].p50, scenes[by].p90) == (2_683, 0, 436, 1_045)
        assert (round(scenes[by].within_15_ratio, 3), round(scenes[by].within_8_ratio, 3)) == (0.843, 0.553)
    [tickets] = [row for row in said(report, "tickets") if row.by == "city"]
    assert (tickets.opened, tickets.closed, tickets.unreached) == (2_776, 2_776, 2_776 - 2_683)


def test_a_friday_afternoon_has_36_open_calls_3_awaiting_dispatch_and_38_units_busy(
    measured: Callable[[str], dict[str, float]],
) -> None:
    said = measured("2020-04-10T15:00:00")

    assert sum(value for name, value in said.items() if name.startswith("psap_tickets_open{")) == 36
    assert said["psap_tickets_awaiting_dispatch{}"] == 3
    assert said['psap_units_busy{opd="sffd"}'] == 38

"""What is simulated is marked so on every board, and what is real never is."""

import json
import re
import subprocess
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards.boards import SHEETS, files
from dashboards.boards.frame import OF_CITY, SIMULATOR, simulated
from streams import centres
from streams.sources import simulate
from tests.builders import START

FRESHNESS = {
    path.stem: next(panel for panel in json.loads(text)["panels"] if panel["title"] == "Data freshness")
    for path, text in files()
    if path.parent.name == "en"
}
HOUR = 3600
LAST = "psap_last_event_timestamp_seconds"


def test_the_simulator_has_no_source_that_is_not_known_as_its_own() -> None:
    known = centres.load([])["32.71"]
    sources = {event.source for event in islice(simulate.events(1, START, known), 8_000)}
    assert len(sources) >= 6
    assert [source for source in sources if not re.fullmatch(SIMULATOR, source)] == []


@pytest.mark.parametrize(
    "source",
    ["/32.71/asterisk", "/32.71/ami", "/32.71/asterisk/simulation", "/32.71/pantau112", "/32.71/sip-probe", "/32.71/simulcast"],
)
def test_no_real_source_is_taken_for_the_simulator(source: str) -> None:
    assert not re.fullmatch(SIMULATOR, source)


def asked(promtool: Path, folder: Path, query: str, newest: dict[tuple[str, str], float]) -> list[float]:
    """What a Prometheus answers that knows when the newest event of each source of each centre happened."""
    series = [
        {"series": f'{LAST}{{city="{city}",source="/{city}/{source}"}}', "values": str(when)}
        for (city, source), when in newest.items()
    ]

    def finds(samples: list[dict[str, Any]]) -> bool:
        case = {"input_series": series, "promql_expr_test": [{"expr": query, "eval_time": "0s", "exp_samples": samples}]}
        file = folder / "case.yml"
        file.write_text(yaml.safe_dump({"rule_files": [], "tests": [case]}))
        return subprocess.run([promtool, "test", "rules", file], capture_output=True, check=False).returncode == 0

    return [value for value in range(6) if finds([{"value": value}])]


@pytest.mark.parametrize(
    ("newest", "answer"),
    [
        ({("32.71", "asterisk"): 9e5}, 0),
        ({("32.71", "simulation"): 9e5}, 2),
        ({("32.71", "simulated-probe"): 9e5 - 3 * HOUR, ("32.71", "asterisk"): 9e5}, 2),
        ({("32.71", "simulation-2"): 9e5 - 25 * HOUR, ("32.71", "asterisk"): 9e5}, 0),
        ({("32.71", "asterisk"): 9e5, ("31.71", "simulation"): 9e5}, 0),
        ({}, 0),
    ],
    ids=["real", "simulated", "both today", "simulated yesterday", "another centre is", "nothing known"],
)
def test_a_centre_is_simulated_if_the_last_day_of_its_events_has_one_of_the_simulator(
    promtool: Path, tmp_path: Path, newest: dict[tuple[str, str], float], answer: int
) -> None:
    assert asked(promtool, tmp_path, simulated(OF_CITY).replace("$city", "32.71"), newest) == [answer]


@pytest.mark.parametrize(
    ("newest", "answer"),
    [
        ({("32.71", "asterisk"): 9e5, ("31.71", "ami"): 9e5}, 0),
        ({("32.71", "asterisk"): 9e5, ("31.71", "simulation"): 9e5}, 1),
        ({("32.71", "simulation"): 9e5 - 30 * HOUR, ("31.71", "simulation"): 9e5}, 2),
    ],
    ids=["none", "some", "all, one of them silent since yesterday"],
)
def test_of_several_centres_it_is_said_whether_some_or_all_are(
    promtool: Path, tmp_path: Path, newest: dict[tuple[str, str], float], answer: int
) -> None:
    assert asked(promtool, tmp_path, simulated({}), newest) == [answer]


@pytest.mark.parametrize("name", [sheet.name for sheet in SHEETS])
def test_every_board_says_it_beside_how_fresh_it_is(name: str) -> None:
    state = FRESHNESS[name]["targets"][0]["expr"]
    of = OF_CITY if next(sheet for sheet in SHEETS if sheet.name == name).is_of_centre else {}
    (words,) = (
        option["value"][0]["options"]
        for override in FRESHNESS[name]["fieldConfig"]["overrides"]
        for option in override["properties"]
        if override["matcher"]["options"] == "A" and option["id"] == "mappings"
    )

    assert f" + 2 * {simulated(of)}" in state
    assert {code: word["text"] for code, word in words.items()} == {
        "0": "STALE",
        "1": "FRESH",
        "2": "SIM. STALE",
        "3": "PARTLY SIM.",
        "4": "SIM. STALE",
        "5": "SIMULATED",
    }

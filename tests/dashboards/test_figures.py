"""What boards say of journeys and visits, by Prometheus's own arithmetic."""

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards.boards import files
from dashboards.boards.promql import select
from tests.dashboards.names import RULES

BOARDS = {path.stem: json.loads(text) for path, text in files() if path.parent.name == "en"}

TWO_CENTRES = {
    'psap_calls_today{city="32.78",outcome="offered"}': 1,
    'psap_calls_today{city="32.78",outcome="answered"}': 1,
    'psap_journeys_passed_on_today{city="32.78"}': 1,
    'psap_calls_today{city="32.06",outcome="offered"}': 1,
    'psap_calls_today{city="32.06",outcome="answered"}': 1,
    'psap_journeys_passed_on_today{city="32.06"}': 0,
}
"""A call that its first centre answered and passed on to its own."""
DAY = {"offered": 20, "answered": 9, "abandoned": 3, "short_abandoned": 2, "overflowed": 1, "network_dropped": 0, "blocked": 1}
DAY |= {"lost": 0, "announcement": 1}
BOGOR = {select("psap_calls_today", city="32.71", outcome=outcome): n for outcome, n in DAY.items()}
BOGOR |= {
    'psap_journeys_waiting{city="32.71"}': 3,
    'psap_oldest_waiting_journey_timestamp_seconds{city="32.71"}': -480,
    # The caller whom it shows last in this queue has been round all of them.
    'psap_calls_waiting{city="32.71",queue="112"}': 1,
    'psap_calls_waiting{city="32.71",queue="kantor"}': 9,
    'psap_journey_clock_info{city="32.71",clock="queue"}': 1,
}


def asked(board: str, panel: str, name: str) -> str:
    """The query of a value of a panel, by the names that people see; of a table, by the number of its column."""
    (found,) = (one for one in BOARDS[board]["panels"] if one["title"] == panel)
    (expr,) = (one["expr"] for one in found["targets"] if name in (one.get("legendFormat"), one["refId"]))
    return str(expr).replace("$city", "32.71")


def check(promtool: Path, folder: Path, series: Mapping[str, float], expr: str, expected: list[dict[str, Any]]) -> None:
    """Whether an expression comes to these samples where each series has had its value for an hour."""
    test = {
        "interval": "1m",
        "input_series": [{"series": name, "values": f"{n}x60"} for name, n in series.items()],
        "promql_expr_test": [{"expr": expr, "eval_time": "60m", "exp_samples": expected}],
    }
    case = folder / "case.test.yml"
    case.write_text(yaml.safe_dump({"rule_files": [str(path) for path in RULES], "tests": [test]}))
    done = subprocess.run([promtool, "test", "rules", case], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["Offered", "Answered"])
def test_a_call_passed_to_the_neighbour_is_one_emergency_of_the_nation(promtool: Path, tmp_path: Path, name: str) -> None:
    check(promtool, tmp_path, TWO_CENTRES, asked("psap-national", "Today", name), [{"value": 1}])


@pytest.mark.parametrize(
    ("board", "panel", "name", "value"),
    [
        ("psap-calls", "Waiting, now", "Waiting", 3),
        ("psap-national", "Waiting, now", "Waiting", 3),
        ("psap-calls", "Longest wait, now", "Waiting", 3600 + 480),
        ("psap-national", "Longest wait, now", "Longest", 3600 + 480),
        ("psap-calls", "Today", "Abandoned", 3),
        ("psap-calls", "Today", "Short", 2),
        ("psap-calls", "Answer time, 60 min", "From", 1),
    ],
)
def test_a_citys_figures_are_of_journeys(promtool: Path, tmp_path: Path, board: str, panel: str, name: str, value: float) -> None:
    check(promtool, tmp_path, BOGOR, asked(board, panel, name), [{"value": value}])


def test_the_funnels_classes_add_up_to_offered(promtool: Path, tmp_path: Path) -> None:
    funnel = asked("psap-service-level", "Loss funnel, today", "A")
    check(promtool, tmp_path, BOGOR, f"sum({funnel})", [{"value": 2 * DAY["offered"]}])
    check(promtool, tmp_path, BOGOR, f"count({funnel})", [{"value": 10}])


def test_twelve_who_have_waited_too_long_use_up_the_budget_before_they_are_answered(promtool: Path, tmp_path: Path) -> None:
    series = {
        'psap_journey_wait_seconds_bucket{city="32.71",outcome="answered",le="15.0"}': 7,
        'psap_journeys_ended_total{city="32.71",outcome="answered"}': 7,
        'psap_journeys_backward_total{city="32.71",outcome="answered"}': 0,
        'psap_journeys_waiting_beyond{city="32.71",threshold="15"}': 12,
    }
    check(promtool, tmp_path, series, asked("psap-service-level", "Error budget left, 30 d", "≤ 15 s"), [{"value": -9}])


def test_a_queues_row_is_of_its_visits(promtool: Path, tmp_path: Path) -> None:
    waiting = asked("psap-calls", "Visits by queue, now and 60 min", "A")
    rows = [{"labels": '{queue="112"}', "value": 1}, {"labels": '{queue="kantor"}', "value": 9}]
    check(promtool, tmp_path, BOGOR, waiting, rows)


def test_seconds_of_pauses_may_step_back_so_that_nobody_takes_their_rate() -> None:
    texts = [path.read_text() for path in RULES] + [json.dumps(board) for board in BOARDS.values()]
    assert [text for text in texts if re.search(r"(increase|rate|delta)\(psap_operator_pause_seconds_total", text)] == []


KNOWN = {'psap_city_info{city="32.71"}': 1}
UNANSWERED = {
    select("psap_oldest_unanswered_ticket_timestamp_seconds", city="32.71", opd=opd): 3600 - age
    for opd, age in (("damkar", 900), ("dinkes", 60), ("dp3a", 4000), ("bpbd", 300), ("dllaj", 61))
}
NO_ROW = -1e9


@pytest.mark.parametrize(
    ("series", "rows"),
    [
        ({}, {}),
        (KNOWN, {"*": NO_ROW}),
        (KNOWN | UNANSWERED, {"dp3a": 4000, "damkar": 900, "bpbd": 300, "+ 2": NO_ROW}),
        (dict(list(UNANSWERED.items())[:3]), {"dp3a": 4000, "damkar": 900, "dinkes": 60}),
    ],
    ids=["nothing known", "all is well", "more than fit", "as many as fit"],
)
def test_a_list_has_what_is_worst_and_the_count_of_the_rest_or_says_that_all_is_well_if_it_knows(
    promtool: Path, tmp_path: Path, series: dict[str, float], rows: dict[str, float]
) -> None:
    oldest = asked("psap-dispatch", "Oldest unanswered", "A")
    expected = [{"labels": select("", opd=opd), "value": value} for opd, value in rows.items()]
    check(promtool, tmp_path, series, oldest, expected)


def test_what_is_known_of_no_link_still_has_its_column(promtool: Path, tmp_path: Path) -> None:
    """Otherwise the column, with all of its words for nothing known, would not be there."""
    links = {select("psap_link_up", city="32.71", link=link): up for link, up in (("sip-xl", 0), ("uplink", 1))}
    quality = asked("psap-network", "Links", "D")
    check(promtool, tmp_path, links, f"count({quality})", [{"value": 2}])
    check(promtool, tmp_path, links, f"({quality}) > -1", [])
    known = links | {'psap_link_mos{city="32.71",link="sip-xl"}': 4}
    check(promtool, tmp_path, known, f"({quality}) > -1", [{"labels": '{link="sip-xl"}', "value": 4}])


@pytest.mark.parametrize(
    ("limit", "over"),
    [({}, "Waiting"), ({"queue_calls": 10}, "Waiting · NORMAL"), ({"queue_calls": 3}, "Waiting · OVER LIMIT")],
)
def test_a_number_stands_under_one_name_that_says_whether_it_is_over_its_limit(
    promtool: Path, tmp_path: Path, limit: dict[str, float], over: str
) -> None:
    limits = {select("psap_centre_threshold", city="32.71", threshold=name): value for name, value in limit.items()}
    for name in ("Waiting", "Waiting · NORMAL", "Waiting · OVER LIMIT"):
        expected = [{"value": 3}] if name == over else []
        check(promtool, tmp_path, BOGOR | limits, asked("psap-calls", "Waiting, now", name), expected)

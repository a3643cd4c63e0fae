"""The list of alerts: in the order of urgency and cause, with what Alertmanager says of each, by Prometheus's own arithmetic."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards.boards import files
from dashboards.boards.alert_list import SEVERITIES, STATES, THINGS, alerts, depths
from dashboards.boards.promql import select
from dashboards.boards.text import COMMON, speaker

HERE = Path(__file__).parent
DASHBOARDS = HERE.parents[1] / "dashboards"
COLUMNS = ("severity", "alertname", "name", "what", "since", "state", "by", "until", "todo")
BOGOR = {"city": "32.71", "name": "Kota Bogor", "province": "Jawa Barat"}
WATCHDOG = 'ALERTS{alertname="Watchdog",alertstate="firing",severity="none"}'
OWN = {"alertname", "alertstate", "severity", "city", "name", "province"}


def check(promtool: Path, folder: Path, series: Mapping[str, float], expr: str, expected: list[dict[str, Any]]) -> None:
    """Whether an expression comes to these samples where each series has had its value for an hour, and no rule is asked."""
    test = {
        "interval": "1m",
        "input_series": [{"series": name, "values": f"{n}x60"} for name, n in series.items()],
        "promql_expr_test": [{"expr": expr, "eval_time": "60m", "exp_samples": expected}],
    }
    case = folder / "case.test.yml"
    case.write_text(yaml.safe_dump({"rule_files": [], "tests": [test]}))
    done = subprocess.run([promtool, "test", "rules", case], capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr).partition(" exp: ")[2]


def asked(most: int = 9) -> tuple[str, str]:
    """The queries of a list, and of how long somebody still has each of its alerts."""
    built = json.loads(JSONEncoder().encode(alerts(speaker("en", {}), COLUMNS, most).build()))
    first, second = (target["expr"] for target in built["targets"])
    return first, second


def fires(alertname: str, severity: str = "page", **labels: str) -> dict[str, float]:
    """An alert that has held for ten minutes, an hour after the beginning."""
    every = {"alertname": alertname, "severity": severity, **labels}
    return {WATCHDOG: 1, select("ALERTS", alertstate="firing", **every): 1, select("ALERTS_FOR_STATE", **every): 3000}


def row(rank: str, alertname: str, severity: str = "page", city: str = "", about: str = "", **labels: str) -> dict[str, Any]:
    """What is expected of one alert that has held for ten minutes."""
    every = {
        "rank": rank,
        "alertname": alertname,
        "severity": severity,
        "city": city,
        "about": about,
        "todo": f"{alertname} {severity}",
        "row": " · ".join((alertname, severity, city, about)),
        "state": f"{severity} ",
        **labels,
    }
    return {"labels": select("", **{label: text for label, text in every.items() if text}), "value": 600}


def listed(promtool: Path, folder: Path, series: Mapping[str, float], *rows: dict[str, Any], most: int = 9) -> None:
    check(promtool, folder, series, asked(most)[0], list(rows))


def test_a_cause_stands_above_all_that_alertmanager_holds_back_for_it() -> None:
    depth = depths()
    for inhibition in yaml.safe_load((DASHBOARDS / "alertmanager.yml").read_text())["inhibit_rules"]:
        source, target = (
            next((m.partition('"')[2].rstrip('"') for m in inhibition[side] if m.startswith("alertname=")), "")
            for side in ("source_matchers", "target_matchers")
        )
        if "|" not in source + target and "*" not in source + target and source in depth and target in depth and source != target:
            assert depth[source] < depth[target], (source, target)
    assert depth["MonitorBlind"] == 0
    assert depth["MonitorBlind"] < depth["PsapProvinceIsolated"] < depth["PsapCentreIsolated"] < depth["PsapLinkDown"]
    assert depth["PsapLinkDown"] < depth["PsapVoicePoor"]


def test_the_urgent_come_first_and_a_cause_before_what_follows(promtool: Path, tmp_path: Path) -> None:
    link = {"link": "sip-xl", **BOGOR}
    series = fires("PsapVoicePoor", "ticket", **link) | fires("PsapCarrierSilent", **link) | fires("PsapLinkDown", **link)
    series |= fires("PsapCallerWaiting", "wall", **BOGOR)
    depth, of_link = depths(), {"city": "32.71", "about": "link=sip-xl", "name": "Kota Bogor", "what": "sip-xl"}
    rows = [
        row(f"1.{depth['PsapLinkDown']}", "PsapLinkDown", **of_link),
        row(f"1.{depth['PsapCarrierSilent']}", "PsapCarrierSilent", **of_link),
        row(f"2.{depth['PsapCallerWaiting']}", "PsapCallerWaiting", "wall", city="32.71", name="Kota Bogor"),
        row(f"3.{depth['PsapVoicePoor']}", "PsapVoicePoor", "ticket", **of_link),
    ]
    assert [one["labels"] for one in rows] == sorted((one["labels"] for one in rows), key=lambda text: text[text.index("rank") :])
    listed(promtool, tmp_path, series, *rows)
    two_more = {"labels": '{alertname="+ 2", rank="9", row="+ 2 ·  ·  · "}', "value": -1e9}
    listed(promtool, tmp_path, series, *rows[:2], two_more, most=2)


def test_each_is_told_apart_as_the_gateway_does_and_has_its_own_state(promtool: Path, tmp_path: Path) -> None:
    pause = {"seat": "meja-1", "reason": "prayer", **BOGOR}
    series = fires("PsapPauseLong", "ticket", **pause) | fires("PsapPauseLong", "ticket", **(pause | {"seat": "meja-2"}))
    series |= fires("PsapProvinceIsolated", province="Jawa Barat") | fires("EdgeDown", instance="edge:1", job="edge")
    of_first = {"alertname": "PsapPauseLong", "severity": "ticket", "city": "32.71", "about": "reason=prayer, seat=meja-1"}
    of_edge = {"alertname": "EdgeDown", "severity": "page", "about": "instance=edge:1, job=edge"}
    of_province = {"alertname": "PsapProvinceIsolated", "severity": "page", "about": "province=Jawa Barat"}
    series[select("psap_alarm_state", **of_first, state="acknowledged", by="07", instance="g", job="gateway")] = 1
    series[select("psap_alarm_acknowledged_until_timestamp_seconds", **of_first, by="07", instance="g")] = 3600 + 1800
    series[select("psap_alarm_state", **of_edge, state="active", instance="g", job="gateway")] = 1
    series[select("psap_alarm_state", **of_edge, state="active", instance="h", job="gateway")] = 1
    series[select("psap_alarm_state", **of_province, state="inhibited", instance="g", job="gateway")] = 1
    depth = depths()
    rank = {name: depth[name] for name in ("PsapPauseLong", "PsapProvinceIsolated", "EdgeDown")}
    apart = " " * (THINGS.index("reason") - THINGS.index("seat"))
    common = {"name": "Kota Bogor", "city": "32.71"}
    listed(
        promtool,
        tmp_path,
        series,
        row(f"1.{rank['EdgeDown']}", **of_edge, what="edge:1", state="page active"),
        row(f"1.{rank['PsapProvinceIsolated']}", **of_province, what="Jawa Barat", state="page inhibited"),
        row(
            f"3.{rank['PsapPauseLong']}",
            what=f"meja-1{apart}prayer",
            **of_first,
            name="Kota Bogor",
            state="ticket acknowledged",
            by="07",
        ),
        row(
            f"3.{rank['PsapPauseLong']}",
            "PsapPauseLong",
            "ticket",
            about="reason=prayer, seat=meja-2",
            what=f"meja-2{apart}prayer",
            **common,
        ),
    )
    left = {
        "PsapPauseLong · ticket · 32.71 · reason=prayer, seat=meja-1": 1800,
        "EdgeDown · page ·  · instance=edge:1, job=edge": -1e9,
    }
    left |= {"PsapProvinceIsolated · page ·  · province=Jawa Barat": -1e9}
    unknown = {"PsapPauseLong · ticket · 32.71 · reason=prayer, seat=meja-2": "NaN"}
    rows = [{"labels": select("", row=name), "value": value} for name, value in (left | unknown).items()]
    check(promtool, tmp_path, series, f"({asked()[1]}) == ({asked()[1]})", [one for one in rows if one["value"] != "NaN"])
    check(promtool, tmp_path, series, f"count({asked()[1]})", [{"labels": "{}", "value": len(rows)}])


def test_that_nothing_fires_is_said_only_while_the_rules_are_evaluated_over_something(promtool: Path, tmp_path: Path) -> None:
    clear = {"labels": '{alertname="*", rank="9", row="* ·  ·  · "}', "value": -1e9}
    listed(promtool, tmp_path, {WATCHDOG: 1, 'psap_city_info{city="32.71"}': 1}, clear)
    listed(promtool, tmp_path, {WATCHDOG: 1})
    listed(promtool, tmp_path, {"up": 1})


def test_what_is_not_known_of_an_alert_is_never_called_sent() -> None:
    codes = [
        option["value"][0]["options"]
        for path, text in files()
        if path.stem == "psap-calls" and path.parent.name == "en"
        for panel in json.loads(text)["panels"]
        for override in panel["fieldConfig"]["overrides"]
        for option in override["properties"]
        if option["id"] == "mappings" and "page active" in str(option["value"])
    ]
    (said,) = codes
    assert said.keys() == {f"{severity} {state}" for severity in SEVERITIES for state in STATES}
    assert {said[f"{severity} "]["text"] for severity in SEVERITIES} == {COMMON["alarm unknown"].en}
    assert said["page active"]["text"] == COMMON["alarm active"].en != said["wall active"]["text"]


def labels_of_cases() -> set[str]:
    """Every label that an alert has in the rules' own cases."""
    tests = [test for case in sorted(HERE.glob("*.test.yml")) for test in yaml.safe_load(case.read_text())["tests"]]
    expected = [alert for test in tests for one in test.get("alert_rule_test", []) for alert in one.get("exp_alerts") or []]
    return {label for alert in expected for label in alert["exp_labels"]}


def test_every_label_that_an_alert_can_have_is_one_that_the_list_knows() -> None:
    assert labels_of_cases() - OWN - {"job"} - set(THINGS) == set()
    assert len(labels_of_cases()) > len(OWN)


@pytest.mark.parametrize("language", ["id", "en"])
def test_every_alert_of_the_rules_has_what_to_do_in_the_lists_language(language: str) -> None:
    (path,) = (DASHBOARDS / "grafana" / "boards" / language).glob("psap-alerts.json")
    said = json.dumps(json.loads(path.read_text()), ensure_ascii=False)
    for file in sorted((DASHBOARDS / "rules").glob("*.yml")):
        for group in yaml.safe_load(file.read_text())["groups"]:
            for rule in group["rules"]:
                if "alert" in rule and rule["labels"]["severity"] != "none":
                    todo = rule["annotations"]["todo_id" if language == "id" else "todo"]
                    assert json.dumps(todo, ensure_ascii=False)[1:-1] in said, rule["alert"]

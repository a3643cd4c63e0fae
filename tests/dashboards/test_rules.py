"""The rules, their routing and their runbook agree with each other, with the metrics, and with what they claim to do."""

import re
import subprocess
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import promql_parser
import pytest
import yaml

from dashboards.boards import SHEETS
from streams.centres import indonesia
from streams.core.centre import Thresholds
from tests.conftest import LOCAL
from tests.dashboards.names import exported, nodes, unknown

HERE = Path(__file__).parent
DASHBOARDS = Path(__file__).parents[2] / "dashboards"
RULES = sorted((DASHBOARDS / "rules").glob("*.yml"))
CASES = sorted(HERE.glob("*.test.yml"))


def rules() -> list[dict[str, Any]]:
    return [rule for file in RULES for group in yaml.safe_load(file.read_text())["groups"] for rule in group["rules"]]


ALERTS = [rule for rule in rules() if "alert" in rule]
NAMES = sorted({rule["alert"] for rule in ALERTS})
NOUN = {name: file.stem for file in RULES for name in re.findall(r"- alert: (\w+)", file.read_text())}


def run(*command: str | Path) -> str:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, cwd=HERE)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_prometheus_takes_its_configuration_and_its_rules(promtool: Path) -> None:
    run(promtool, "check", "config", DASHBOARDS / "prometheus.yml")
    run(promtool, "check", "rules", "--lint=all", *RULES)


def test_alertmanager_takes_its_configuration(amtool: Path) -> None:
    assert "1 templates" in run(amtool, "check-config", DASHBOARDS / "alertmanager.yml")


def test_every_alert_does_what_its_cases_say(promtool: Path) -> None:
    run(promtool, "test", "rules", *CASES)


def built(tool: str) -> Path:
    """A program of the versions that docker-compose.yml names."""
    path = LOCAL / "go" / "bin" / tool
    if not path.exists():
        pytest.skip(f"no {tool} of docker-compose.yml's version: make rules3 builds it")
    return path


def test_the_prometheus_of_docker_compose_takes_them_too_and_says_the_same() -> None:
    test_prometheus_takes_its_configuration_and_its_rules(built("promtool"))
    test_every_alert_does_what_its_cases_say(built("promtool"))


def test_the_alertmanager_of_docker_compose_takes_its_configuration_too() -> None:
    test_alertmanager_takes_its_configuration(built("amtool"))


def test_cases_fix_the_order_of_groups_which_is_random_otherwise() -> None:
    for case in CASES:
        said = yaml.safe_load(case.read_text())
        groups = [group["name"] for file in said["rule_files"] for group in yaml.safe_load((HERE / file).read_text())["groups"]]
        assert said["group_eval_order"] == groups


@pytest.mark.parametrize("alert", NAMES)
def test_an_alert_has_a_case_that_fires_and_one_that_does_not(alert: str) -> None:
    fires = silent = False
    for case in CASES:
        said = yaml.safe_load(case.read_text())
        own = {
            rule.get("alert")
            for file in said["rule_files"]
            for group in yaml.safe_load((HERE / file).read_text())["groups"]
            for rule in group["rules"]
        }
        if alert not in own:
            continue
        for test in said["tests"]:
            for check in test.get("promql_expr_test", []):
                selected = re.search(r'alertname=(~?)"([^"]+)"', check["expr"])
                about = selected is None or bool(re.fullmatch(selected[2], alert))
                shown = any(alert in sample.get("labels", "") for sample in check["exp_samples"])
                exact = selected is not None and selected[2] == alert and bool(check["exp_samples"])
                fires |= shown or exact
                silent |= about and not check["exp_samples"]
            for check in test.get("alert_rule_test", []):
                fires |= check["alertname"] == alert and bool(check["exp_alerts"])
                silent |= check["alertname"] == alert and not check["exp_alerts"]
    silent |= alert == "Watchdog"  # it always fires: that is its purpose
    assert fires
    assert silent


@pytest.mark.parametrize("rule", ALERTS, ids=[rule["alert"] for rule in ALERTS])
def test_an_alert_speaks_both_languages_and_says_where_to_read_on(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"page", "ticket", "wall", "none"}
    notes = rule["annotations"]
    assert notes.keys() == {
        "summary",
        "description",
        "summary_id",
        "description_id",
        "todo",
        "todo_id",
        "runbook_url",
        "dashboard",
    }
    assert notes["summary"] != notes["summary_id"]
    assert notes["description"] != notes["description_id"]
    assert notes["todo"] != notes["todo_id"]
    assert "{{" not in notes["todo"] + notes["todo_id"], "boards and the wall show what to do as it stands here"
    # Both languages must say the same values.
    for text, other in (("summary", "summary_id"), ("description", "description_id")):
        values = [sorted(re.findall(r"\{\{.*?\}\}", notes[key])) for key in (text, other)]
        assert values[0] == values[1]
    assert notes["runbook_url"] == f"dashboards/runbook/{NOUN[rule['alert']]}.md#{rule['alert'].lower()}"
    assert notes["dashboard"] in {sheet.name for sheet in SHEETS}


def test_every_alert_says_where_its_limit_comes_from() -> None:
    for file in RULES:
        lines = file.read_text().splitlines()
        for above, line in pairwise(lines):
            assert "- alert:" not in line or above.strip().startswith("# Source: "), f"{file.name}: {line}"


def test_every_alert_says_why_it_is_a_page_a_ticket_or_on_the_wall() -> None:
    for file in RULES:
        for comment, alert, rule in re.findall(
            r"((?: *#[^\n]*\n)+) *- alert: (\w+)\n(.*?)\n\n", file.read_text() + "\n\n", re.DOTALL
        ):
            [level] = re.findall(r"severity: (\w+)", rule)
            assert level == "none" or re.search(rf"\b{level}\b", comment, re.IGNORECASE), f"{file.name}: {alert}, {level}"


@pytest.mark.parametrize("noun", sorted(set(NOUN.values())))
def test_the_runbook_has_one_section_per_alert_in_both_languages(noun: str) -> None:
    sections = {part.split("\n", 1)[0]: part for part in (DASHBOARDS / "runbook" / f"{noun}.md").read_text().split("\n## ")[1:]}
    assert sorted(sections) == sorted(name for name in NAMES if NOUN[name] == noun)
    for text in sections.values():
        english, indonesian = text.split("*Bahasa Indonesia*")
        assert [word for word in ("Meaning", "Impact", "Look", "Do") if f"- **{word}**" not in english] == []
        assert [word for word in ("Arti", "Dampak", "Periksa", "Tindakan") if f"- **{word}**" not in indonesian] == []


def test_rules_name_only_what_is_exported() -> None:
    known = exported() | {rule["record"]: {"city"} for rule in rules() if "record" in rule}
    assert {rule["expr"]: wrong for rule in rules() if (wrong := unknown(rule["expr"], known))} == {}


def test_limits_are_fields_of_the_centre() -> None:
    limits = {limit for file in RULES for limit in re.findall(r'psap_centre_threshold\{threshold="(\w+)"\}', file.read_text())}
    assert limits
    assert limits <= set(Thresholds.model_fields)


def test_rates_of_domain_metrics_keep_silent_unless_the_stream_runs_at_the_speed_of_life() -> None:
    for rule in ALERTS:
        selectors = [node for node in nodes(promql_parser.parse(rule["expr"])) if isinstance(node, promql_parser.VectorSelector)]
        names = {selector.name for selector in selectors}
        rates = any(f"{function}(psap_" in rule["expr"] for function in ("rate", "increase"))
        if rates or any((name or "").startswith("city:") for name in names):
            assert "pantau112_stream_speed" in names, rule["alert"]


def test_routes_lead_where_they_should(amtool: Path) -> None:
    config = f"--config.file={DASHBOARDS / 'alertmanager.yml'}"
    assert run(amtool, "config", "routes", "test", config, "alertname=Watchdog", "severity=none").split() == ["dead-man"]
    assert run(amtool, "config", "routes", "test", config, "alertname=PsapLinkDown", "severity=page").split() == ["second,local"]
    assert run(amtool, "config", "routes", "test", config, "alertname=PsapLinkDown", "severity=wall").split() == ["wall"]
    assert run(amtool, "config", "routes", "test", config, "alertname=DeadLetters", "severity=ticket").split() == ["local"]
    # What stands in for PagesSilenced has no name, and perhaps no severity.
    assert run(amtool, "config", "routes", "test", config, "alertname=PagesSilenced", "severity=page").split() == ["wall"]
    for label in ("severity=page", "mutes=x", "silenced_1234=1"):
        assert run(amtool, "config", "routes", "test", config, label).split() == ["second,local"]


@pytest.mark.parametrize(
    ("province", "interval"),
    [
        ("Jawa Barat", "office-wib"),
        ("Kalimantan Barat", "office-wib"),
        ("Bali", "office-wita"),
        ("Kalimantan Timur", "office-wita"),
        ("Maluku", "office-wit"),
        ("Papua Selatan", "office-wit"),
    ],
)
def test_an_agencys_desk_hears_of_its_tickets_in_the_office_hours_of_its_zone(amtool: Path, province: str, interval: str) -> None:
    config = DASHBOARDS / "alertmanager.yml"
    labels = {"severity": "ticket", "opd": "damkar", "province": province}
    said = run(
        amtool, "config", "routes", "test", f"--config.file={config}", *(f'{key}="{text}"' for key, text in labels.items())
    )
    assert said.split() == ["opd-desk"]
    [first, *_] = [route for route in yaml.safe_load(config.read_text())["route"]["routes"] if matches(route["matchers"], labels)]
    assert first["active_time_intervals"] == [interval]


def test_every_province_of_the_register_has_the_office_hours_of_its_own_clock() -> None:
    """Kalimantan is in two zones; whoever draws a border anew finds out here."""
    routes = yaml.safe_load((DASHBOARDS / "alertmanager.yml").read_text())["route"]["routes"]
    clock = {"office-wib": "Asia/Jakarta", "office-wita": "Asia/Makassar", "office-wit": "Asia/Jayapura"}
    for centre in indonesia.centres().values():
        labels = {"severity": "ticket", "opd": "damkar", "province": centre.province}
        [first, *_] = [route for route in routes if matches(route["matchers"], labels)]
        offset = [
            datetime(2026, 1, 1, tzinfo=ZoneInfo(zone)).utcoffset()
            for zone in (clock[first["active_time_intervals"][0]], centre.timezone.key)
        ]
        assert offset[0] == offset[1], centre.name


def test_a_message_goes_by_the_same_provinces_as_the_office_hours() -> None:
    clocks = re.findall(r'match "\^\((.+)\)\$" \.Labels\.province', (DASHBOARDS / "page.tmpl").read_text())
    routes = yaml.safe_load((DASHBOARDS / "alertmanager.yml").read_text())["route"]["routes"]
    named = [matcher for route in routes for matcher in route["matchers"] if matcher.startswith("province=~")]
    assert clocks == [matcher.removeprefix('province=~"').removesuffix('"') for matcher in named]


def matches(matchers: list[str], labels: dict[str, str]) -> bool:
    """Whether Alertmanager's matchers take an alert with these labels."""
    for matcher in matchers:
        name, operator, text = re.fullmatch(r'(\w+)(=~|!~|!=|=)"(.*)"', matcher).groups()  # type: ignore[union-attr]
        value = labels.get(name, "")
        holds = {"=": value == text, "!=": value != text, "=~": re.fullmatch(text, value), "!~": not re.fullmatch(text, value)}
        if not holds[operator]:
            return False
    return True


def test_a_blind_monitor_holds_back_everything_but_itself_and_the_watchdog() -> None:
    inhibits = yaml.safe_load((DASHBOARDS / "alertmanager.yml").read_text())["inhibit_rules"]
    [blind] = [rule for rule in inhibits if rule["source_matchers"] == ['alertname="MonitorBlind"']]
    assert blind == {
        "source_matchers": ['alertname="MonitorBlind"'],
        "target_matchers": ['alertname!~"MonitorBlind|Watchdog|"'],
    }


def test_the_wall_sends_nothing_to_anybody() -> None:
    [wall] = [one for one in yaml.safe_load((DASHBOARDS / "alertmanager.yml").read_text())["receivers"] if one["name"] == "wall"]
    assert wall == {"name": "wall"}


def test_what_is_only_on_the_wall_holds_back_no_page_and_no_ticket() -> None:
    """Of the same name but for the severity, a page is told besides; else nobody would hear of it."""
    for rule in yaml.safe_load((DASHBOARDS / "alertmanager.yml").read_text())["inhibit_rules"]:
        names = [matcher.partition('"')[2].rstrip('"') for matcher in rule["source_matchers"] if matcher.startswith("alertname")]
        levels = {alert["labels"]["severity"] for alert in ALERTS for name in names if re.fullmatch(name, alert["alert"])}
        if "wall" in levels and 'severity="page"' not in rule["source_matchers"]:
            assert 'severity="wall"' in rule["source_matchers"], rule
            assert 'severity="wall"' in rule["target_matchers"], rule


def test_inhibitions_name_alerts_that_exist() -> None:
    for rule in yaml.safe_load((DASHBOARDS / "alertmanager.yml").read_text())["inhibit_rules"]:
        for matcher in rule["source_matchers"] + rule["target_matchers"]:
            if matcher.startswith("alertname"):
                for name in filter(None, re.split(r"\|", matcher.partition('"')[2].rstrip('"'))):
                    assert any(re.fullmatch(name, alert) for alert in NAMES), name

"""The list of alerts that fire: the urgent first, a cause before what follows from it, what to do, and who has it already."""

import re
from collections.abc import Sequence
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import yaml
from grafana_foundation_sdk.builders import table

from dashboards.boards.panels import (
    ALL_WELL,
    DURATION,
    GREY,
    NO_ROW,
    ORANGE,
    RED,
    Value,
    cells,
    filled,
    no_row,
    option,
    unknown,
)
from dashboards.boards.promql import Matcher, beyond, firing, joined, of_city, select, with_label
from dashboards.boards.text import ALERTS, Say

_HERE = Path(__file__).parents[1]
SEVERITIES = ("page", "wall", "ticket")
"""In the order of their urgency: what the room sees is now, a ticket can wait."""
STATES = ("active", "inhibited", "acknowledged", "silenced", "")
"""What Alertmanager does with an alert; nothing where that is not known."""
RULES_ASKED = 'ALERTS{alertstate="firing",alertname="Watchdog"}'
"""Has an answer as long as the rules are evaluated."""
ALERTS_KNOWN = f"{RULES_ASKED} and on () psap_city_info"
"""Has an answer as long as they are evaluated over something: only then does no alert mean that all is well."""
RUNBOOK = "${wall:raw}/runbook/${__value.raw}"
"""The page of the alert whose name a cell has."""
THINGS = (
    *(
        "link",
        "gauge",
        "opd",
        "alarm",
        "integration",
        "category",
        "seat",
        "event",
        "attribution",
        "source",
        "kind",
        "limit",
        "topic",
        "what",
    ),
    *("collector", "instance", "reason", "side", "threshold", "window"),
    *("mutes", "muted_by", "muted_until", "phase"),
)
"""Labels that tell alerts of one name and centre apart, in the order in which they are said."""
_ONE = ("alertname", "severity", "city", "about")
"""Labels that tell every alert from every other, where `about` has all that are not among them: as the gateway says it."""
_ROW = (*_ONE, "name", "what", "todo", "rank")
"""What is kept of an alert's labels, and what they become: `what` it is about in words, and where it stands in the list."""


def rules() -> list[dict[str, Any]]:
    """Every alert's rule, as it stands in the rules' files."""
    files = sorted((_HERE / "rules").glob("*.yml"))
    groups = [group for file in files for group in yaml.safe_load(file.read_text())["groups"]]
    return [rule for group in groups for rule in group["rules"] if "alert" in rule]


def depths() -> dict[str, int]:
    """How many causes stand above an alert in Alertmanager's inhibitions, of those above which most stand; 0 where none does."""
    names = {rule["alert"] for rule in rules()}
    causes: dict[str, set[str]] = {name: set() for name in sorted(names)}
    for inhibition in yaml.safe_load((_HERE / "alertmanager.yml").read_text())["inhibit_rules"]:
        if "alertname" in inhibition.get("equal", ()):
            continue  # one alert at two severities, of which neither is the other's cause
        sources, targets = (_named(inhibition[side], names) for side in ("source_matchers", "target_matchers"))
        for target in targets:
            causes[target] |= sources - {target}
    found: dict[str, int] = {}
    for name in TopologicalSorter(causes).static_order():
        found[name] = max((found[cause] + 1 for cause in causes[name]), default=0)
    return found


def _named(matchers: Sequence[str], names: set[str]) -> set[str]:
    """The alerts that Alertmanager's matchers take, by what they say of the name."""
    found = set(names)
    for matcher in matchers:
        label, operator, text = re.fullmatch(r'(\w+)\s*(=~|!~|!=|=)\s*"(.*)"', matcher).groups()  # type: ignore[union-attr]
        if label == "alertname":
            pattern = text if "~" in operator else re.escape(text)
            found = {name for name in found if bool(re.fullmatch(pattern, name)) is not operator.startswith("!")}
    return found


def alerts(say: Say, columns: Sequence[str], most: int, **labels: str | Matcher) -> table.Panel:
    """The `most` urgent of the alerts with such labels that fire, and a row that counts the others.

    `columns` are those of severity, alertname, name, what, since, state, by, until and todo that are shown, in their order.
    """
    listed = _listed(most, labels)
    others = with_label(f"-{NO_ROW:.0f} * {beyond(firing(**labels), most, 'alertname')}", "rank", "9")
    known = f"{RULES_ASKED} and on () {of_city('psap_city_info')}" if "city" in labels else ALERTS_KNOWN
    clear = with_label(with_label(f"-{NO_ROW:.0f} * group({known})", "alertname", ALL_WELL), "rank", "9")
    one = ", ".join(_ONE)
    here = {label: wanted for label, wanted in labels.items() if label == "city"}
    held_by_alertmanager = select("psap_alarm_state", **here)
    left = f"max by ({one}) ({select('psap_alarm_acknowledged_until_timestamp_seconds', **here)}) - time()"
    free = f"-{NO_ROW:.0f} * max by ({one}) ({held_by_alertmanager})"
    until = f"({left} or {free}) and on ({one}) {listed} or on ({one}) NaN * {listed}"
    asked = [
        joined(f"{found} or {others} or on () {clear}", "row", list(_ONE))
        for found in (_stated(listed, held_by_alertmanager), until)
    ]
    asked[1] = f"max by (row) ({asked[1]})"  # the labels stand in the first
    values = {"since": Value(say("held for"), ""), "until": Value(say("taken until"), "")}
    words = ("severity", "alert", "centre", "about what", "told", "taken by", "to do")
    named = dict(zip(("severity", "alertname", "name", "what", "state", "by", "todo"), map(say, words), strict=True))
    named |= {column: value.name for column, value in values.items()}
    place = {"since": "Value #A", "until": "Value #B"}
    codes = {
        "alertname": {name: say(name) for name in ALERTS} | {ALL_WELL: say("no alert")},
        "state": {f"{severity} {state}": _told(say, severity, state) for severity in SEVERITIES for state in STATES},
        "todo": _todos(say),
    }
    hidden = [place.get(name, name) for name in (*_ROW, "state", "by", *place) if name not in columns]
    panel = cells(
        list(values.values()),
        asked,
        {place.get(name, name): named[name] for name in columns},
        DURATION,
        say("blind"),
        key="row",
        order=("rank", False),
        hidden=hidden,
        codes={label: words for label, words in codes.items() if label in columns},
    )
    if "severity" in columns:
        colours = {name: (say(name), colour) for name, colour in zip(SEVERITIES, (RED, ORANGE, GREY), strict=True)}
        panel.override_by_name(named["severity"], filled(colours, say("blind")))
    if "until" in columns:
        panel.override_by_name(named["until"], [option("mappings", [no_row(), unknown(say("no data"))])])
    if "todo" in columns:
        wrapped = {"type": "auto", "wrapText": True}
        panel.override_by_name(named["todo"], [option("custom.cellOptions", wrapped), option("custom.minWidth", 500)])
    panel.override_by_name(named["alertname"], [option("links", [{"title": say("runbook"), "url": RUNBOOK}])])
    return panel


def held(**labels: str | Matcher) -> str:
    """The query for how long the condition of each alert with such labels has held, whether or not it fires."""
    return f"time() - {select('ALERTS_FOR_STATE', alertname=Matcher('!=', 'Watchdog'), **labels)}"


def things(expr: str) -> str:
    """What an expression finds, each with a label that says which link, gauge or agency it is about, or which province.

    Between two of them stand as many spaces as labels, which are drawn as one.
    """
    where = f'label_replace({expr}, "_where", "$1", "province", "(.+)")'
    where = f'label_replace({where}, "_where", "", "city", ".+")'
    everything = joined(where, "what", ["_where", *THINGS], " ")
    return f'label_replace({everything}, "what", "$1", "what", " *(.*?) *")'


def _listed(most: int, labels: dict[str, str | Matcher]) -> str:
    """The most urgent alerts, with how long they have held, where they stand (`rank`) and what they are about."""
    by_depth: dict[int, list[str]] = {}
    for name, depth in depths().items():
        by_depth.setdefault(depth, []).append(name)
    most_are = max(by_depth, key=lambda depth: len(by_depth[depth]))  # what a blind monitor explains, and nothing else
    deep = {depth: "|".join(names) for depth, names in sorted(by_depth.items()) if depth != most_are}
    urgent = " or ".join(f"{10 * rank} * {firing(severity=name, **labels)}" for rank, name in enumerate(reversed(SEVERITIES), 1))
    follows = " or ".join(
        f"{depth} * {select('ALERTS', alertstate='firing', alertname=Matcher('=~', names), **labels)}"
        for depth, names in deep.items()
    )
    urgency = f"({urgent} or {firing(**labels)}) - ({follows} or {most_are} * {firing(**labels)})"
    found = f"({held(**labels)} and ignoring (alertstate) topk({most}, {urgency}))"
    for rank, name in enumerate(SEVERITIES, 1):
        found = f'label_replace({found}, "urgency", "{rank}", "severity", "{name}")'
    found = with_label(found, "depth", str(most_are))
    for depth, names in deep.items():
        found = f'label_replace({found}, "depth", "{depth}", "alertname", "{names}")'
    ranked = joined(joined(found, "rank", ["urgency", "depth"], "."), "todo", ["alertname", "severity"], " ")
    return f"max by ({', '.join(_ROW)}) ({things(_about(ranked))})"


def _about(expr: str) -> str:
    """What an expression finds, each with the label `about`: names and values of all labels that have no place of their own.

    In the form of the gateway: `link=sip-xl, reason=x`, in alphabetic order; the province only of what is of no centre.
    """
    names = sorted((*THINGS, "job"))
    for name in names:
        expr = f'label_replace({expr}, "_{name}", "{name}=$1, ", "{name}", "(.+)")'
    expr = f'label_replace({expr}, "_province", "province=$1, ", "province", "(.+)")'
    expr = f'label_replace({expr}, "_province", "", "city", ".+")'
    everything = joined(expr, "about", [f"_{name}" for name in sorted((*names, "province"))], "")
    return f'label_replace({everything}, "about", "$1", "about", "(.*), ")'


def _stated(listed: str, held_by_alertmanager: str) -> str:
    """The alerts with what Alertmanager does with each, after its severity, and who has it."""
    one = ", ".join(_ONE)
    told = f"{listed} * on ({one}) group_left (state, by) topk by ({one}) (1, {held_by_alertmanager})"
    return joined(f"({told} or on ({one}) {listed})", "state", ["severity", "state"], " ")


def _told(say: Say, severity: str, state: str) -> str:
    """In words, what becomes of an alert; what is for the wall alone is passed on to nobody."""
    if (severity, state) == ("wall", "active"):
        return say("on the wall")
    return say(f"alarm {state or 'unknown'}")


def _todos(say: Say) -> dict[str, str]:
    """What to do about each alert, by its name and severity. Raises ValueError where that is not one thing."""
    key = {"id": "todo_id", "en": "todo"}[say("language")]
    found: dict[str, str] = {}
    for rule in rules():
        name, text = f"{rule['alert']} {rule['labels']['severity']}", rule["annotations"][key]
        if found.setdefault(name, text) != text:
            raise ValueError(f"{name}: two rules of one name and severity say two things to do")
    return found

"""What `up` asks each second: the boards' own figures for each centre, what fires, and what Alertmanager does about it."""

import http.client
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, Literal, NamedTuple, get_args

from streams.api import Api
from streams.core.printable import printable
from streams.edge.gateway.silences import Silence, unexpired
from streams.edge.gateway.stand_in import NEVER_MUTED
from streams.stack.up import DASHBOARDS

GROUPS = ("calls", "around")
"""The groups of numbers: the calls, and what surrounds them."""

FIRST = ("waiting", "longest", "free")
"""The figures that stand first: who waits, for how long, and who could answer."""

SEVERITIES = {
    "page": ("Mendesak", "Page", "bold red"),
    "wall": ("Dinding", "Wall", "yellow"),
    "ticket": ("Jam kerja", "Ticket", ""),
}
"""Kinds of alerts by urgency, with their words and colour. What is of none of them, such as the watchdog, is no alert."""

FAULTS = (OSError, http.client.HTTPException, ValueError, KeyError, TypeError)
"""What comes of asking somebody who is not there, or is somebody else."""


class Figure(NamedTuple):
    """One number of a centre: its key in the file, its name in both languages, the window that it is about, its query, its unit.

    Every number comes from Prometheus, so that what is seen here has been through the whole monitor.
    """

    key: str
    name: tuple[str, str]
    window: str
    query: str
    unit: str

    def text(self, value: float | None) -> str:
        """The number as it is shown; a dash where it is not known."""
        if value is None:
            return "–"
        return f"{value:.0%}" if self.unit == "ratio" else f"{value:.2f}" if self.unit == "score" else f"{value:.0f}"


@cache
def figures(group: str) -> tuple[Figure, ...]:
    """The figures of a group: the boards ask the same questions from the same file."""
    said = tomllib.loads((DASHBOARDS / "figures.toml").read_text())
    found = []
    for key, figure in said[group].items():
        name, window = figure["name"], said["windows"][figure["window"]]
        query = figure["query"].replace("$where", 'city!=""')
        words = f"{window['id']} / {window['en']}"
        found.append(Figure(key, (name["id"], name["en"]), words, query, figure.get("unit", "count")))
    return tuple(found)


@cache
def in_order() -> tuple[Figure, ...]:
    """Every figure, those that stand first before the others."""
    every = [figure for group in GROUPS for figure in figures(group)]
    return tuple(sorted(every, key=lambda figure: FIRST.index(figure.key) if figure.key in FIRST else len(FIRST)))


State = Literal["", "silenced", "taken", "held"]


class Alert(NamedTuple):
    """One alert that fires: how urgent, since when (Unix seconds), what it says in both languages.

    It is `silenced` by hand, somebody has `taken` it, or it is `held` back because it follows from another one; else none.
    """

    severity: str
    name: str
    since: float
    says: tuple[str, str]
    state: State = ""


@dataclass(slots=True)
class Numbers:
    """What was last said: per centre a value for each figure, by its query; and what fires, nobody's and most urgent first."""

    centres: dict[str, dict[str, float]] = field(default_factory=dict)
    alerts: list[Alert] = field(default_factory=list)
    reached: bool = False

    def refresh(self, prometheus: Api, alertmanager: Api | None) -> None:
        """Ask them; when Prometheus does not answer, say that instead of old numbers."""
        try:
            centres: dict[str, dict[str, float]] = {}
            for query in [figure.query for figure in in_order()]:
                for sample in prometheus.ask("/api/v1/query", {"query": query})["data"]["result"]:
                    centres.setdefault(sample["metric"]["city"], {})[query] = float(sample["value"][1])
            held = _held(alertmanager)
            alerts = [
                _alert(alert, held)
                for alert in prometheus.ask("/api/v1/alerts")["data"]["alerts"]
                if alert["state"] == "firing" and alert["labels"].get("severity") in SEVERITIES
            ]
        except FAULTS:
            self.centres, self.alerts, self.reached = {}, [], False
        else:
            urgency, order = list(SEVERITIES), get_args(State)
            alerts.sort(
                key=lambda alert: (order.index(alert.state), urgency.index(alert.severity), -alert.since, alert.name, alert.says)
            )
            self.centres, self.alerts, self.reached = centres, alerts, True

    def worst_first(self) -> list[tuple[str, dict[str, float]]]:
        """The centres: where somebody waits longest comes first, then where most wait, then where fewest are free."""
        waiting, longest, free = (figure.query for figure in in_order()[: len(FIRST)])

        def rank(centre: tuple[str, dict[str, float]]) -> tuple[float, float, float, str]:
            city, values = centre
            return -values.get(longest, 0), -values.get(waiting, 0), values.get(free, 0), city

        return sorted(self.centres.items(), key=rank)


def _held(alertmanager: Api | None) -> dict[frozenset[tuple[str, str]], State]:
    """The alerts that Alertmanager tells nobody, by their labels; none where it does not answer, or there is none."""
    if alertmanager is None:
        return {}
    try:
        said = alertmanager.ask("/api/v2/alerts", {"active": "false", "unprocessed": "false"})
        silences = unexpired(alertmanager.ask("/api/v2/silences"))
        return {frozenset(one["labels"].items()): _state(one, silences) for one in said}
    except FAULTS:
        return {}


def _state(alert: Mapping[str, Any], silences: Mapping[str, Silence]) -> State:
    labels, muting = alert["labels"], alert["status"]["silencedBy"]
    if labels.get("alertname") == NEVER_MUTED:
        return ""  # the gateway tells it nevertheless
    if not muting:
        return "held"
    taken = any(silences[name].acknowledges(labels) for name in muting if name in silences)
    return "taken" if taken else "silenced"


def _alert(alert: dict[str, Any], held: Mapping[frozenset[tuple[str, str]], State]) -> Alert:
    labels, notes = alert["labels"], alert["annotations"]
    since = datetime.fromisoformat(alert["activeAt"]).timestamp()
    says = printable(notes.get("summary_id", "")), printable(notes.get("summary", ""))
    return Alert(labels["severity"], printable(labels["alertname"]), since, says, held.get(frozenset(labels.items()), ""))

"""What `up` asks Prometheus each second: the boards' own figures for each centre, and the alerts that fire."""

import json
import tomllib
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

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


class Alert(NamedTuple):
    """One alert that fires: how urgent, since when (Unix seconds), and what it says in both languages."""

    severity: str
    name: str
    since: float
    says: tuple[str, str]


@dataclass(slots=True)
class Numbers:
    """What Prometheus last said: per centre a value for each figure, by its query; and what fires, most urgent first."""

    centres: dict[str, dict[str, float]] = field(default_factory=dict)
    alerts: list[Alert] = field(default_factory=list)
    reached: bool = False

    def refresh(self, prometheus: str) -> None:
        """Ask Prometheus at this base address; when it does not answer, say that instead of old numbers."""
        try:
            centres: dict[str, dict[str, float]] = {}
            for query in [figure.query for figure in in_order()]:
                for sample in _get(f"{prometheus}/api/v1/query?{urlencode({'query': query})}")["result"]:
                    centres.setdefault(sample["metric"]["city"], {})[query] = float(sample["value"][1])
            said = _get(f"{prometheus}/api/v1/alerts")["alerts"]
            alerts = [
                _alert(alert) for alert in said if alert["state"] == "firing" and alert["labels"].get("severity") in SEVERITIES
            ]
        except (URLError, OSError, ValueError, KeyError):
            self.centres, self.alerts, self.reached = {}, [], False
        else:
            urgency = list(SEVERITIES)
            alerts.sort(key=lambda alert: (urgency.index(alert.severity), -alert.since, alert.name, alert.says))
            self.centres, self.alerts, self.reached = centres, alerts, True

    def worst_first(self) -> list[tuple[str, dict[str, float]]]:
        """The centres: where somebody waits longest comes first, then where most wait, then where fewest are free."""
        waiting, longest, free = (figure.query for figure in in_order()[: len(FIRST)])

        def rank(centre: tuple[str, dict[str, float]]) -> tuple[float, float, float, str]:
            city, values = centre
            return -values.get(longest, 0), -values.get(waiting, 0), values.get(free, 0), city

        return sorted(self.centres.items(), key=rank)


def _alert(alert: dict[str, Any]) -> Alert:
    labels, notes = alert["labels"], alert["annotations"]
    since = datetime.fromisoformat(alert["activeAt"]).timestamp()
    return Alert(labels["severity"], labels["alertname"], since, (notes.get("summary_id", ""), notes.get("summary", "")))


def _get(address: str) -> Any:
    with urlopen(address, timeout=2) as answer:  # noqa: S310 (our own Prometheus on the loopback)
        return json.load(answer)["data"]

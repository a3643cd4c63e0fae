"""Alert rules over recorded time: when each would have fired, by what a Prometheus answers to its expression."""

import json
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode
from urllib.request import urlopen

import promql_parser
import yaml

from streams.stack.debian import Programs
from streams.stack.prometheus import answers as ready
from tests.alarms.notices import Labels
from tests.alarms.scrapes import STEP
from tests.conftest import HANG, free_port, wait_until
from tests.dashboards.names import RULES, nodes
from tests.dashboards.test_stack import answers

POINTS = 10_000
"""Steps of one question: Prometheus answers at most 11,000."""
EVERYWHERE = frozenset({"psap_city_info", "psap_centre_threshold", "up", "pantau112_stream_speed"})
"""Metrics that every recording has, and that say nothing of what an alert is about."""
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


@dataclass(frozen=True)
class Rule:
    """One alert rule. Recording rules that it uses are written out: at every moment they say what their expression says."""

    alert: str
    labels: tuple[tuple[str, str], ...]
    expr: str
    hold: int
    """Seconds for which the expression must hold before it fires (`for`)."""
    keep: int
    """Seconds for which it fires on after the expression held last (`keep_firing_for`)."""

    @property
    def severity(self) -> str:
        """Its level."""
        return dict(self.labels)["severity"]

    @property
    def name(self) -> str:
        """What tells it apart from the others."""
        return f"{self.alert} ({', '.join(text for _, text in self.labels)})"

    @property
    def metrics(self) -> frozenset[str]:
        """What it is about."""
        tree = nodes(promql_parser.parse(self.expr))
        return frozenset(n.name for n in tree if isinstance(n, promql_parser.VectorSelector) and n.name) - EVERYWHERE


def rules() -> list[Rule]:
    """All alert rules that a person hears of, but for those of which no recording tells: the monitor's own processes."""
    written = [rule for file in RULES for group in yaml.safe_load(file.read_text())["groups"] for rule in group["rules"]]
    recorded = {rule["record"]: f"({rule['expr']})" for rule in written if "record" in rule}
    found = []
    for rule in written:
        if "alert" in rule:
            expr = rule["expr"]
            for name, meant in recorded.items():
                expr = re.sub(rf"{re.escape(name)}\b", meant.replace("\\", r"\\"), expr)
            seconds = [_seconds(rule.get(key, "0s")) for key in ("for", "keep_firing_for")]
            found.append(Rule(rule["alert"], tuple(rule["labels"].items()), expr, *seconds))
    return [rule for rule in found if rule.alert.startswith("Psap")]


def _seconds(text: str) -> int:
    return sum(int(number) * _UNITS[unit] for number, unit in re.findall(r"(\d+)([smhd])", text))


class Episode(NamedTuple):
    """One time that an alert fired, from its first to its last evaluation in epoch seconds, and what it said first."""

    start: int
    end: int
    labels: str
    value: float
    whole: Labels
    """The alert's labels, all of them."""


def episodes(held: Sequence[int], hold: int, keep: int, step: int = STEP) -> Iterator[tuple[int, int]]:
    """When an alert fires, first and last evaluation, whose expression held at these moments (ascending multiples of `step`).

    As Prometheus has it: it fires at the evaluation that is at least `hold` after the first of an unbroken row, and on until the
    expression has been silent for `keep`.
    """
    kept = -(-keep // step) * step
    began = start = last = None
    for moment in held:
        if began is None or last is None or moment - last > step + kept * (start is not None):
            if start is not None and last is not None:
                yield start, last + kept
            began, start = moment, None
        last = moment
        if start is None and moment - began >= hold:
            start = moment
    if start is not None and last is not None:
        yield start, last + kept


class Prometheus:
    """A Prometheus that holds a recording and scrapes nothing."""

    def __init__(self, port: int) -> None:
        self._port = port

    def fired(self, rule: Rule, moments: range) -> list[Episode]:
        """Each time that a rule fired, by its first moment."""
        found = []
        for labels, values in self.over(rule.expr, moments).items():
            whole = frozenset({**dict(labels), "alertname": rule.alert, **dict(rule.labels)}.items())
            for start, end in episodes(sorted(values), rule.hold, rule.keep):
                found.append(Episode(start, min(end, moments[-1]), _said(labels), values[start], whole))
        return sorted(found, key=lambda episode: (episode.start, episode.labels))

    def over(self, expr: str, moments: range) -> dict[Labels, dict[int, float]]:
        """What an expression says at each moment, by labels."""
        found: dict[Labels, dict[int, float]] = {}
        for first in range(0, len(moments), POINTS):
            part = moments[first : first + POINTS]
            for series in self._ask("query_range", query=expr, start=part[0], end=part[-1], step=moments.step):
                told = found.setdefault(
                    frozenset((name, text) for name, text in series["metric"].items() if name != "__name__"), {}
                )
                told.update((int(moment), float(value)) for moment, value in series["values"])
        return found

    def at(self, expr: str, moment: int) -> float | None:
        """What an expression of one value says at a moment."""
        series = self._ask("query", query=expr, time=moment)
        return float(series[0]["value"][1]) if series else None

    def said(self, expr: str, moment: int) -> dict[Labels, float]:
        """What an expression says at a moment, by all labels."""
        found = self._ask("query", query=expr, time=moment)
        return {frozenset(series["metric"].items()): float(series["value"][1]) for series in found}

    def _ask(self, how: str, **question: object) -> list[dict[str, Any]]:
        address = f"http://127.0.0.1:{self._port}/api/v1/{how}"
        with urlopen(address, urlencode(question).encode(), timeout=HANG) as answer:
            found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        return found


def _said(labels: Labels) -> str:
    return ", ".join(f"{name} {text}" for name, text in sorted(labels) if name not in {"city", "name", "province"})


@contextmanager
def prometheus(programs: Programs, home: Path, data: Path, lookback: int = STEP - 1) -> Iterator[Prometheus]:
    """One that holds the blocks in `data`. It looks back for less than a step: what a scrape no longer had is gone at once, as it
    is in life, where Prometheus marks it stale.
    """
    port, config = free_port(), home / "prometheus.yml"
    config.write_text("global: {}\n")
    command = [
        str(programs.prometheus),
        f"--config.file={config}",
        f"--storage.tsdb.path={data}",
        "--storage.tsdb.retention.time=100y",
        f"--query.lookback-delta={lookback}s",
        "--query.timeout=10m",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (home / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait_until(lambda: answers(ready(port, "/-/ready")) or process.poll() is not None, "Prometheus is ready")
        assert process.poll() is None, (home / "prometheus.log").read_text()
        yield Prometheus(port)
    finally:
        process.terminate()
        process.wait(HANG)

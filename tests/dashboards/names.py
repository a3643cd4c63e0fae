"""Which metrics and labels a PromQL expression uses, and which of them the monitor exports."""

import inspect
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import yaml

from streams.clock import Clock
from streams.edge import exporter
from streams.edge.gateway import traffic
from streams.worker.exporter import PipelineCollector
from streams.worker.monitor import METRICS, Monitor
from streams.worker.pipeline import Pipeline

RULES = sorted((Path(__file__).parents[2] / "dashboards" / "rules").glob("*.yml"))
SCRAPED = {"job", "instance"}
ALARM = {"alertname", "severity", "city", "about", "by"}
SILENCE = {"silence", "mutes", "muted_by", "muted_until", "phase"}
ALERTS = {"alertname", "alertstate", "alarm", "severity", "city", "name", "province", "window", "topic", "reason"}


def exported() -> dict[str, set[str]]:
    """Every series name that Prometheus can know, with its labels."""
    names: dict[str, set[str]] = {
        "up": SCRAPED,
        "scrape_duration_seconds": SCRAPED,
        "process_resident_memory_bytes": SCRAPED,
        "process_start_time_seconds": SCRAPED,
        "alertmanager_notifications_failed_total": SCRAPED | {"integration"},
        "pantau112_alertmanager_up": SCRAPED,
        **{f"psap_silence_{what}": SCRAPED | SILENCE for what in ("until_timestamp_seconds", "alerts", "pages_ratio")},
        "psap_silences_more": SCRAPED,
        "psap_silenced_pages_ratio": SCRAPED,
        "psap_alarm_state": SCRAPED | ALARM | {"state"},
        "psap_alarm_acknowledged_until_timestamp_seconds": SCRAPED | ALARM,
        "ALERTS": ALERTS,
        "ALERTS_FOR_STATE": ALERTS - {"alertstate"},
    }
    for file in RULES:
        for group in yaml.safe_load(file.read_text())["groups"]:
            names |= {rule["record"]: {"city", "alertname"} for rule in group["rules"] if "record" in rule}
    for metric in METRICS:
        labels = {"city", *metric.labels} | SCRAPED
        if metric.kind == "histogram":
            names |= {f"{metric.name}_bucket": labels | {"le"}, f"{metric.name}_sum": labels, f"{metric.name}_count": labels}
        else:
            names[metric.name] = labels
    for source in (inspect.getsource(exporter), inspect.getsource(traffic)):
        for name in re.findall(r'"((?:pantau112_edge_|pantau112_gateway_)\w+)"', source):
            names[name] = names[f"{name}_total"] = SCRAPED | {"collector", "what", "by", "answer"}
        names |= {f"pantau112_edge_{name}": SCRAPED for name in re.findall(r'_gauge\("(\w+)"', source)}
    for family in PipelineCollector(Monitor({}), Pipeline(), Clock(), time.time).collect():
        name = family.name + ("_total" if family.type == "counter" else "")
        names[name] = set(getattr(family, "_labelnames", ())) | SCRAPED
    return names


def nodes(node: Any) -> Iterator[Any]:
    """The node of a syntax tree and all below it."""
    yield node
    below = [getattr(node, name, None) for name in ("lhs", "rhs", "expr", "param", "vector_selector")]
    for child in [*below, *(getattr(node, "args", None) or [])]:
        if child is not None:
            yield from nodes(child)


def unknown(expr: str, known: dict[str, set[str]]) -> list[str]:
    """What an expression names that is not in `known`: metrics, labels matched and labels grouped by."""
    wrong = []
    tree = list(nodes(promql_parser.parse(expr)))
    selectors = [node for node in tree if isinstance(node, promql_parser.VectorSelector)]
    for selector in selectors:
        if selector.name not in known:
            wrong.append(f"metric {selector.name}")
            continue
        wrong += [
            f"label {matcher.name} of {selector.name}"
            for matcher in selector.matchers.matchers
            if matcher.name not in known[selector.name]
        ]
    for node in tree:
        if isinstance(node, promql_parser.AggregateExpr) and node.modifier is not None:
            below = list(nodes(node.expr))
            series = [inner.name for inner in below if isinstance(inner, promql_parser.VectorSelector)]
            made = {
                inner.args[1].val
                for inner in below
                if isinstance(inner, promql_parser.Call) and inner.func.name in {"label_replace", "label_join"}
            }
            available = made.union(*(known.get(name or "", set()) for name in series))
            wrong += [f"grouping label {label}" for label in node.modifier.labels if label not in available]
    return wrong

"""Readings as Prometheus text (format 0.0.4). Written here because at 514 centres the client library takes a second for it."""

from collections.abc import Iterable
from typing import Any

from streams.core.histogram import BOUNDS, Histogram
from streams.core.reading import Metric
from streams.monitor import METRICS, Monitor

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS = (*(f"{bound!r}" for bound in BOUNDS), "+Inf")


def exposition(monitor: Monitor, now: float, shift: float = 0.0, cities: Iterable[str] | None = None) -> str:
    """What `/metrics` says at `now` (epoch seconds) in all domain families.

    `shift` seconds are added to exported timestamps, so that `time() - x` is an age on the stream's clock even when that is
    not the wall clock.
    """
    families: dict[Metric, list[str]] = {metric: [] for metric in METRICS}
    for city in sorted(monitor.centres if cities is None else cities):
        for metric, labels, value in monitor.measure(city, now):
            _append(families[metric], metric, (city, *labels), value, shift)
    text = []
    for metric, lines in families.items():
        if lines:
            text.append(f"# HELP {metric.name} {metric.help}\n# TYPE {metric.name} {metric.kind}\n")
            text += lines
    return "".join(text)


def _append(lines: list[str], metric: Metric, values: tuple[str, ...], value: Any, shift: float) -> None:
    labels = ",".join(f'{name}="{_escape(text)}"' for name, text in zip(("city", *metric.labels), values, strict=True))
    name = metric.name
    if isinstance(value, Histogram):
        total = 0
        for bound, count in zip(_BUCKETS, value.counts, strict=True):
            total += count
            lines.append(f'{name}_bucket{{{labels},le="{bound}"}} {total}\n')
        lines.append(f"{name}_count{{{labels}}} {total}\n{name}_sum{{{labels}}} {value.sum!r}\n")
        return
    if name.endswith("_timestamp_seconds"):
        value += shift
    lines.append(f"{name}{{{labels}}} {value!r}\n")


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')

"""Readings as Prometheus text (format 0.0.4). Written here because at 514 centres the client library takes a second for it."""

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import accumulate

from streams.core.histogram import Histogram
from streams.core.reading import Metric
from streams.worker.monitor import METRICS, Monitor

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def exposition(
    monitor: Monitor,
    now: float,
    shift: float = 0.0,
    cities: Iterable[str] | None = None,
    on_fault: Callable[[str, Exception], None] = lambda _city, _error: None,
) -> Iterator[str]:
    """What `/metrics` says at `now` (epoch seconds), one text for each domain family: the whole in one would hold up every
    thread while it is put together.

    `shift` seconds are added to exported timestamps, so that `time() - x` is an age on the stream's clock even when that is
    not the wall clock.
    """
    families: dict[Metric, list[str]] = {metric: [] for metric in METRICS}
    for city in sorted(monitor.centres if cities is None else cities):
        try:
            for metric, labels, value in monitor.measure(city, now):
                if isinstance(value, Histogram):
                    families[metric].append(_histogram(city, metric, labels, tuple(value.counts), value.sum))
                else:
                    before, after, is_timestamp = _series(metric, labels)
                    families[metric].append(f"{before}{city}{after}{value + shift if is_timestamp else value!r}\n")
        except Exception as error:
            ours = f'{{city="{city}"'
            for lines in families.values():
                while lines and ours in lines[-1]:
                    lines.pop()
            on_fault(city, error)
    for metric, lines in families.items():
        if lines:
            yield f"# HELP {metric.name} {metric.help}\n# TYPE {metric.name} {metric.kind}\n{''.join(lines)}"
            lines.clear()  # family by family: to drop all of them at once would hold up every thread


@lru_cache(maxsize=20_000)
def _series(metric: Metric, labels: tuple[str, ...]) -> tuple[str, str, bool]:
    """What stands before and after the city's code in the line of a reading, the same at every centre; is it a timestamp?"""
    return f'{metric.name}{{city="', f'"{_labels(metric, labels)}}} ', metric.name.endswith("_timestamp_seconds")


@lru_cache(maxsize=20_000)
def _histogram(city: str, metric: Metric, labels: tuple[str, ...], counts: tuple[int, ...], total: float) -> str:
    """The lines of a histogram. Half of all lines are such, and from one scrape to the next few of them change."""
    name, series = metric.name, f'city="{city}"{_labels(metric, labels)}'
    buckets = list(accumulate(counts))
    bounds = zip((*map(repr, metric.bounds), "+Inf"), buckets, strict=True)
    lines = [f'{name}_bucket{{{series},le="{bound}"}} {number}\n' for bound, number in bounds]
    return f"{''.join(lines)}{name}_count{{{series}}} {buckets[-1]}\n{name}_sum{{{series}}} {total!r}\n"


def _labels(metric: Metric, labels: tuple[str, ...]) -> str:
    return "".join([f',{key}="{_escape(text)}"' for key, text in zip(metric.labels, labels, strict=True)])


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')

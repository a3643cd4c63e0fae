"""Readings as Prometheus text (format 0.0.4). Written here because at 514 centres the client library takes a second for it."""

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import accumulate

from streams.core.histogram import Histogram
from streams.core.reading import Metric
from streams.monitor import METRICS, Monitor

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def exposition(monitor: Monitor, now: float, shift: float = 0.0, cities: Iterable[str] | None = None) -> Iterator[str]:
    """What `/metrics` says at `now` (epoch seconds), one text for each domain family: the whole in one would hold up every
    thread while it is put together.

    `shift` seconds are added to exported timestamps, so that `time() - x` is an age on the stream's clock even when that is
    not the wall clock.
    """
    families: dict[Metric, list[str]] = {metric: [] for metric in METRICS}
    series = cache(_series)  # the same at every centre
    for city in sorted(monitor.centres if cities is None else cities):
        for metric, labels, value in monitor.measure(city, now):
            places, is_timestamp = series(metric, labels)
            if isinstance(value, Histogram):
                buckets = list(accumulate(value.counts))
                numbers = zip(places, (*buckets, buckets[-1], value.sum), strict=True)
                families[metric].append("".join([f"{before}{city}{after}{number!r}\n" for (before, after), number in numbers]))
            else:
                [(before, after)] = places
                families[metric].append(f"{before}{city}{after}{value + shift if is_timestamp else value!r}\n")
    for metric, lines in families.items():
        if lines:
            yield f"# HELP {metric.name} {metric.help}\n# TYPE {metric.name} {metric.kind}\n{''.join(lines)}"


def _series(metric: Metric, labels: tuple[str, ...]) -> tuple[list[tuple[str, str]], bool]:
    """What stands before and after the city's code in each line of a reading (a histogram's are its buckets, count and sum), and
    whether it is a timestamp.
    """
    name, others = metric.name, "".join(f',{key}="{_escape(text)}"' for key, text in zip(metric.labels, labels, strict=True))
    if metric.kind != "histogram":
        return [(f'{name}{{city="', f'"{others}}} ')], name.endswith("_timestamp_seconds")
    bounds = [*map(repr, metric.bounds), "+Inf"]
    buckets = [(f'{name}_bucket{{city="', f'"{others},le="{bound}"}} ') for bound in bounds]
    return [*buckets, (f'{name}_count{{city="', f'"{others}}} '), (f'{name}_sum{{city="', f'"{others}}} ')], False


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')

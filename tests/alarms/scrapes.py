"""A recording as a Prometheus would have scraped it: folded, measured every `STEP` seconds, and written into blocks."""

import re
from collections.abc import Iterable, Sequence

import promql_parser

from schemas.event import Event
from schemas.topics import TOPIC_OF, Refusal
from streams.core.centre import Centre
from streams.core.reading import Reading
from streams.worker.exposition import exposition
from streams.worker.monitor import Monitor
from tests.alarms.blocks import Blocks
from tests.dashboards.names import nodes

STEP = 30
"""Seconds between two scrapes and two evaluations. In life it is five, so what lasts less than this is seen in part."""
HOUR = 3600
ALWAYS = ('up{job="pantau112"} 1', 'pantau112_stream_speed{job="pantau112"} 1')
"""A worker that is there and runs at the speed of life."""


class Wanted:
    """The series that some expressions select, so that no others are written."""

    def __init__(self, exprs: Iterable[str]) -> None:
        self._matchers: dict[str, list[list[promql_parser.Matcher]]] = {}
        for expr in exprs:
            for node in nodes(promql_parser.parse(expr)):
                if isinstance(node, promql_parser.VectorSelector) and node.name:
                    self._matchers.setdefault(node.name, []).append(node.matchers.matchers)
        self._known: dict[str, bool] = {}

    def families(self) -> frozenset[str]:
        """The metric families that they are of."""
        return frozenset(re.sub(r"_(bucket|count|sum)$", "", name) for name in self._matchers) | frozenset(self._matchers)

    def __contains__(self, series: str) -> bool:
        """Whether a series, as the exposition writes it, is selected by any of them."""
        if series not in self._known:
            name, _, text = series.partition("{")
            labels = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', text))
            self._known[series] = any(
                all(_matches(one, labels.get(one.name, "")) for one in matchers) for matchers in self._matchers.get(name, ())
            )
        return self._known[series]


def _matches(matcher: promql_parser.Matcher, found: str) -> bool:
    is_pattern = matcher.op in (promql_parser.MatchOp.Re, promql_parser.MatchOp.NotRe)
    is_alike = re.fullmatch(matcher.value, found) is not None if is_pattern else matcher.value == found
    return is_alike == (matcher.op in (promql_parser.MatchOp.Re, promql_parser.MatchOp.Equal))


def moments(events: Sequence[Event], since: float | None = None) -> range:
    """When the rules are evaluated, epoch seconds: from the first event or from `since`, to the last event."""
    first, last = (int(event.time.timestamp()) // STEP * STEP for event in (events[0], events[-1]))
    return range(first + STEP if since is None else int(since) // STEP * STEP, last + STEP, STEP)


def scraped(events: Sequence[Event], evaluated: range, lookback: int) -> list[int]:
    """When it is scraped: at every moment that is evaluated and so many seconds before the first; by the hour before that."""
    [first, *_] = moments(events)
    whole = range(max(first, evaluated[0] - lookback), evaluated[-1] + STEP, STEP)
    return [*range(first // HOUR * HOUR + HOUR, whole[0], HOUR), *whole]


class Narrow(Monitor):
    """Says of one centre only what is wanted."""

    def __init__(self, centre: Centre, wanted: Wanted) -> None:
        super().__init__({centre.code: centre})
        self._families = wanted.families()

    def measure(self, city: str, now: float) -> list[Reading]:
        """The readings of the families that are wanted."""
        return [reading for reading in super().measure(city, now) if reading[0].name in self._families]


def scrape(centre: Centre, events: Sequence[Event], looked: Sequence[int], wanted: Wanted, blocks: Blocks) -> frozenset[str]:
    """Fold all events and write what is wanted of each scrape. Returns the names of the metrics that there were."""
    monitor, found = Narrow(centre, wanted), set[str]()
    told = 0
    for moment in looked:
        while told < len(events) and events[told].time.timestamp() <= moment:
            event = events[told]
            outcome = monitor.fold_event(TOPIC_OF[event.type].name, 0, told, event, event.time.timestamp())
            assert not isinstance(outcome, Refusal), outcome
            told += 1
        lines = list(ALWAYS)
        for family in exposition(monitor, moment):
            for line in family.split("\n")[2:-1]:
                series = line.rpartition(" ")[0]
                if series in wanted:
                    lines.append(line)
                    found.add(series.partition("{")[0])
        blocks.write(moment, lines)
    blocks.finish()
    return frozenset(found)

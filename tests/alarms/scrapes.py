"""A recording as a Prometheus would have scraped it: folded, measured every `STEP` seconds, and written into blocks."""

import re
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO

import promql_parser

from schemas.event import Event
from schemas.topics import TOPIC_OF, Refusal
from streams.core.centre import Centre
from streams.core.reading import Reading
from streams.worker.exposition import exposition
from streams.worker.monitor import Monitor
from tests.dashboards.names import nodes

STEP = 30
"""Seconds between two scrapes and two evaluations. In life it is five, so what lasts less than this is seen in part."""
HOUR = 3600
BLOCK = 54 * 3600
"""Seconds of one block, aligned to the epoch: 2 h · 3³, one of the sizes that Prometheus merges to."""
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


class Blocks:
    """Writes samples into blocks of a Prometheus, one text and one run of promtool for each of them."""

    def __init__(self, promtool: Path, home: Path) -> None:
        self._promtool, self._home = promtool, home
        self.data = home / "tsdb"
        self._number = -1
        self._text: IO[str] | None = None
        self._running: list[tuple[Path, subprocess.Popen[bytes]]] = []

    def write(self, moment: int, lines: Iterable[str]) -> None:
        """The samples of one scrape, in the form of the exposition; moments ascend."""
        if moment // BLOCK != self._number:
            self.close()
            self._number = moment // BLOCK
            self._text = (self._home / f"{self._number}.txt").open("w")
        assert self._text is not None
        self._text.writelines(f"{line} {moment}\n" for line in lines)

    def close(self) -> None:
        """The block that is being written is whole."""
        if self._text is None:
            return
        self._text.write("# EOF\n")
        self._text.close()
        path = Path(self._text.name)
        command = [
            str(self._promtool),
            "tsdb",
            "create-blocks-from",
            "openmetrics",
            "-q",
            "--max-block-duration=54h",
            str(path),
            str(self.data),
        ]
        self._running.append((path, subprocess.Popen(command, stdout=subprocess.DEVNULL)))
        self._text = None
        if len(self._running) > 1:
            self._wait(1)

    def finish(self) -> None:
        """Wait until all are there."""
        self.close()
        self._wait(0)

    def _wait(self, left: int) -> None:
        while len(self._running) > left:
            path, process = self._running.pop(0)
            assert process.wait() == 0, f"promtool could not read {path}"
            path.unlink()


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

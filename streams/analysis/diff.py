"""Which figures of two sources differ, and since when: both are folded, side by side in event time.

At each moment both say what a worker would have said that had folded, of each topic and centre, all that comes before the first
event beyond that moment. Kafka keeps the order of a topic and a centre and no other, and neither does any figure depend on
another: so two recordings of the same events agree however their topics are merged.
"""

import re
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from math import ceil, inf
from pathlib import Path

from schemas.topics import TOPIC_OF, TOPICS, Refusal, UnknownType
from streams.analysis.agreement import Figures, compare, figures
from streams.analysis.measure import TOGETHER, Told, Traceless
from streams.analysis.replay import ReplayError, parse_source
from streams.core.centre import Centre
from streams.core.fault import place_of
from streams.core.source_clocks import AHEAD_SECONDS
from streams.sources import Line
from streams.sources.opened import Opened, is_file
from streams.worker.exposition import exposition
from streams.worker.monitor import Monitor

PATIENCE_SECONDS = 3600
"""A source is read so far beyond a moment before its figures are compared: one topic can come so long after another."""

LOOK = 50
"""So many lines in a row must be that far beyond it: of one wrong clock the others do not come late."""

_SAMPLE = re.compile(r"\w+(\{.*\})? [+-]?([0-9.]+(e[+-]?[0-9]+)?|inf|nan)", re.IGNORECASE | re.ASCII)

NAMES = tuple(topic.name for topic in TOPICS)

States = Mapping[tuple[str, bytes], bytes]
"""By topic and centre, what is known, as a worker writes it."""


@dataclass(slots=True)
class Difference:
    """A series that is not the same in both sources.

    `since` is the first moment at which it was not, `at` the last one that was looked at, both in epoch seconds, None where it is
    not known; `first` and `second` are what both say at that last one, None where one says nothing.
    """

    since: float | None
    at: float | None
    first: str | None
    second: str | None


@dataclass(slots=True)
class Differences:
    """What differs, by series with its labels, and the moment up to which was looked (None: it is not known)."""

    series: dict[str, Difference] = field(default_factory=dict)
    at: float | None = None
    left_out: dict[str, str] = field(default_factory=dict)
    """Centres that cannot be measured, and why."""


class Side:
    """One of two sources, on its way through event time: its states, and the events of one step and of an hour beyond it."""

    def __init__(
        self,
        lines: Iterator[Line],
        centres: Mapping[str, Centre],
        wall: float,
        at: float | None = None,
        on_refusal: Callable[[int, Refusal], None] = lambda _number, _refusal: None,
        ahead_seconds: float = AHEAD_SECONDS,
    ) -> None:
        """`wall` and `ahead_seconds` are as for `measure`; events after `at` are passed over."""
        self.outcomes: Counter[str] = Counter()
        self.step: list[tuple[str, Told]] = []
        """What was folded since the moment before."""
        self.before: States = {}
        """The states of that moment."""
        self._lines: Iterator[Line] | None = lines
        self._centres, self._wall, self._ahead = centres, wall, ahead_seconds
        self._at = inf if at is None else at
        self._refuse = on_refusal
        self._monitor = Monitor(centres, ahead_seconds=ahead_seconds)
        self._folder = Traceless(self._monitor)
        self._offsets: Counter[str] = Counter()
        self._numbers: dict[tuple[str, int], int] = {}
        self._batches: dict[str, list[Told]] = {name: [] for name in NAMES}
        self._waiting: dict[tuple[str, str], deque[tuple[float, Told]]] = {}
        self._times: deque[float] = deque(maxlen=LOOK)

    @property
    def states(self) -> States:
        """Those of the moment that was reached."""
        return self._folder.states

    @property
    def next(self) -> float:
        """When the next event happened, epoch seconds; infinite after the last one."""
        return min((waiting[0][0] for waiting in self._waiting.values()), default=inf)

    @property
    def newest(self) -> float:
        """When the newest event that was folded happened, epoch seconds; -infinite before the first."""
        newest = self._monitor.newest()
        return -inf if newest is None else newest

    @property
    def is_over(self) -> bool:
        """Whether there is nothing beyond the moment that was reached."""
        return self._lines is None and not self._waiting

    def reach(self, moment: float) -> None:
        """Go on to a moment, epoch seconds; they ascend."""
        self.before, self.step = dict(self.states), []
        for key in list(self._waiting):
            waiting = self._waiting[key]
            while waiting and waiting[0][0] <= moment:
                self._take(key[0], waiting.popleft()[1])
            if not waiting:
                del self._waiting[key]
        while self._lines is not None and not self._is_beyond(moment + PATIENCE_SECONDS):
            line = next(self._lines, None)
            if line is None:
                self._lines = None
            else:
                self._read(line, moment)
        for topic in NAMES:
            self._settle(topic)
        self._folder.keep(*TOPICS)

    def _is_beyond(self, moment: float) -> bool:
        times = self._times
        return len(times) == LOOK and times[-1] > moment and min(times) > moment

    def _read(self, line: Line, moment: float) -> None:
        item = line.item
        if isinstance(item, UnknownType):
            self.outcomes["unknown_type"] += 1
        elif isinstance(item, Refusal):
            self.outcomes["refused"] += 1
            self._refuse(line.number, item)
        elif (time := item.time.timestamp()) > self._at:
            self.outcomes["after"] += 1
        else:
            topic = TOPIC_OF[item.type].name
            self._offsets[topic] += 1
            told = self._offsets[topic], item, self._wall if line.written is None else line.written
            self._numbers[topic, told[0]] = line.number
            if time > told[2] + self._ahead:
                self._take(topic, told)  # to be refused; nobody waits until it is time
                return
            self._times.append(time)
            key = topic, item.subject
            if time > moment or key in self._waiting:
                self._waiting.setdefault(key, deque()).append((time, told))
            else:
                self._take(topic, told)

    def _take(self, topic: str, told: Told) -> None:
        self.step.append((topic, told))
        batch = self._batches[topic]
        batch.append(told)
        if len(batch) >= TOGETHER:
            self._settle(topic)

    def _settle(self, topic: str) -> None:
        batch = self._batches[topic]
        others = self._folder.fold(topic, batch)
        self.outcomes["folded"] += len(batch) - len(others)
        for offset, _, _ in batch:
            number, outcome = self._numbers.pop((topic, offset)), others.get(offset)
            if isinstance(outcome, Refusal):
                self.outcomes["refused"] += 1
                self._refuse(number, outcome)
            elif outcome is not None:
                self.outcomes[outcome] += 1
        batch.clear()

    def said(self, city: str, moment: float) -> Figures:
        """The figures of a centre at the moment that was reached. Raises what its nouns raise."""
        return _figures(self._monitor, city, moment)

    def said_within(self, city: str, moment: float) -> Figures:
        """The figures of a centre at a moment since the one before. Raises what its nouns raise."""
        monitor = Monitor({city: self._centres[city]}, ahead_seconds=self._ahead)
        folder = Traceless(monitor, {key: blob for key, blob in self.before.items() if key[1] == city.encode()})
        beyond = set[str]()
        for topic, told in self.step:
            if told[1].subject == city and topic not in beyond:
                if told[1].time.timestamp() > moment:
                    beyond.add(topic)
                else:
                    folder.fold(topic, [told])
        return _figures(monitor, city, moment)

    def times(self, city: str) -> set[float]:
        """When the events of a centre happened that were folded since the moment before."""
        return {told[1].time.timestamp() for _, told in self.step if told[1].subject == city}


def differences(first: Side, second: Side, step: float, at: float | None = None) -> Differences:
    """What two sources say differently `at` a moment (epoch seconds; None: after the last event of both), or said before.

    They are compared every `step` seconds, and where a series is found to differ, the event is sought since which it does. What
    differs only between two such moments is not seen.
    """
    found, moment = Differences(), -inf
    end = inf if at is None else at
    while True:
        first.reach(moment)
        second.reach(moment)
        if at is None and first.is_over and second.is_over:
            moment = end = max(first.newest, second.newest)
        if moment > -inf:
            found.at = moment
            for city in sorted({city.decode() for _, city in _unequal(first.states, second.states)} - found.left_out.keys()):
                try:
                    _look(found.series, city, first, second, moment)
                except Exception as error:
                    found.left_out[city] = place_of(error)
        if moment >= end or end == -inf:
            return found
        # Of equal states all figures are equal, however long nothing happens.
        is_equal = not _unequal(first.states, second.states)
        after = ceil(min(first.next, second.next, end) / step) if is_equal else moment // step + 1
        moment = min(end, after * step)


def _unequal(first: States, second: States) -> list[tuple[str, bytes]]:
    return [key for key in first.keys() | second.keys() if first.get(key) != second.get(key)]


def _look(found: dict[str, Difference], city: str, first: Side, second: Side, moment: float) -> None:
    """Take down what differs at one centre at the moment that both have reached."""
    pairs = _pairs(first.said(city, moment), second.said(city, moment))
    times = sorted({*(time for side in (first, second) for time in side.times(city) if time < moment), moment})
    since: dict[str, float] = {}

    def seek(wanted: set[str], low: int, high: int) -> None:
        """Each of these differs at the last of these times, and is taken to have begun once."""
        if low == high:
            since.update(dict.fromkeys(wanted, times[low]))
        elif wanted:
            middle = (low + high) // 2
            then = times[middle]
            early = wanted & _pairs(first.said_within(city, then), second.said_within(city, then)).keys()
            seek(early, low, middle)
            seek(wanted - early, middle + 1, high)

    seek(pairs.keys() - found.keys(), 0, len(times) - 1)
    for series, (one, other) in sorted(pairs.items()):
        begun = found[series].since if series in found else since[series]
        found[series] = Difference(begun, moment, one, other)


def of_pages(first: Figures, second: Figures, at: float | None) -> Differences:
    """What differs on two pages that are both of one moment, as far as that is known."""
    pairs = _pairs(first, second)
    return Differences({series: Difference(None, at, *pair) for series, pair in sorted(pairs.items())}, at)


def page(source: str, watch: Callable[[Opened], None] = lambda _: None) -> str | None:
    """The text of a source that is a saved page of `/metrics`, of which `watch` is told; None of any other.

    Raises as `open_source`, `ReplayError` also for a page that is none any more.
    """
    path = parse_source(source)
    if not isinstance(path, Path) or not is_file(path):
        return None
    with Opened(path) as opened:
        if not opened.head.startswith(b"# HELP "):
            return None
        watch(opened)
        text = b"".join(opened.pieces()).decode(errors="replace")
    for number, line in enumerate(text.splitlines(), 1):
        if line and not line.startswith("#") and not _SAMPLE.fullmatch(line):
            raise ReplayError(f"{source}:{number}: is no series with its value, as /metrics writes them; save the page again")
    return text


def _pairs(first: Figures, second: Figures) -> dict[str, tuple[str | None, str | None]]:
    """What two sources say, by each series that is not the same."""
    compared = compare(first, second)
    return {
        **compared.differing,
        **{series: (value, None) for series, value in compared.only_old.items()},
        **{series: (None, value) for series, value in compared.only_new.items()},
    }


def _figures(monitor: Monitor, city: str, moment: float) -> Figures:
    def fault(_city: str, error: Exception) -> None:
        raise error

    return figures(exposition(monitor, moment, cities=[city], on_fault=fault))

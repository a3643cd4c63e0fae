"""A recording whose own time goes on: all that happened up to a moment is folded at once, and the rest when it is due."""

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from schemas.event import Event
from schemas.topics import TOPIC_OF, TOPICS, Refusal
from streams.analysis.measure import TOGETHER, Beginning, Told, Traceless
from streams.analysis.replay import paced, parse_source
from streams.clock import Clock
from streams.sources import Line
from streams.worker.monitor import Monitor
from streams.worker.pipeline import Pipeline


class _Due(NamedTuple):
    """An event, when it happened, and since when it stands there, epoch seconds."""

    time: datetime
    event: Event
    written: float


def after(source: str, moment: datetime) -> str:
    """The name of what a source holds from a moment on; of a file the whole, because its order is no promise."""
    span = parse_source(source)
    return source if isinstance(span, Path) else str(span.within(moment, None))


class Played:
    """What a worker would know at the moment that a recording's clock shows, for an exporter to say.

    The recording is read twice, because what happened before that moment can stand behind what came after it: `begin`, and then
    `go_on`. At the moment itself the figures are those of `measure`.
    """

    def __init__(self, monitor: Monitor, begun: Beginning, wall: float) -> None:
        """`wall` is the clock that events of a file may not be ahead of, as for `measure`; nothing was folded before `begun`."""
        self.monitor, self.pipeline = monitor, Pipeline()
        self._folder, self._next, self._wall = Traceless(monitor, begun.states), begun.offset + 1, wall
        self._waiting: list[_Due] = []

    def begin(self, lines: Iterable[Line], at: datetime, on_refusal: Callable[[int, Refusal], None]) -> None:
        """Fold everything up to the moment; from then on it is said."""
        for due in self._events(lines, on_refusal):
            if due.time <= at:
                self._take(due)
        self._fold()
        self.pipeline.owned = frozenset((topic.name, 0) for topic in TOPICS)
        self.pipeline.recovering = False

    def go_on(
        self,
        lines: Iterable[Line],
        at: datetime,
        clock: Clock,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Fold each event after the moment when `clock` shows its time; returns after the last."""
        later = (due for due in self._events(lines, lambda *_: None) if due.time > at)
        for due in paced(later, self._fold, clock, now, sleep):
            self._take(due)
        self._fold()

    def _events(self, lines: Iterable[Line], on_refusal: Callable[[int, Refusal], None]) -> Iterator[_Due]:
        for line in lines:
            if isinstance(line.item, Event):
                yield _Due(line.item.time, line.item, self._wall if line.written is None else line.written)
            elif isinstance(line.item, Refusal):
                on_refusal(line.number, line.item)

    def _take(self, due: _Due) -> None:
        self._waiting.append(due)
        if len(self._waiting) >= TOGETHER:
            self._fold()

    def _fold(self) -> None:
        batches: dict[str, list[Told]] = {topic.name: [] for topic in TOPICS}
        for offset, due in enumerate(self._waiting, self._next):
            batches[TOPIC_OF[due.event.type].name].append((offset, due.event, due.written))
        self._next += len(self._waiting)
        self._waiting.clear()
        for topic, batch in batches.items():
            # All that a fault takes back and folds again is done before anybody looks: no total goes back.
            with self.monitor.lock:
                others = self._folder.fold(topic, batch)
            consumed = self.pipeline.consumed
            consumed[topic, "folded"] += len(batch) - len(others)
            for outcome in others.values():
                consumed[topic, "refused" if isinstance(outcome, Refusal) else outcome] += 1

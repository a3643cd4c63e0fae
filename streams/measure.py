"""What `/metrics` would have said at a moment, folded from a file or a topic range without any stack."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from schemas.event import Event
from schemas.topics import TOPIC_OF, TOPICS, Refusal, UnknownType
from streams.core.centre import Centre
from streams.core.ledger import Outcome
from streams.exposition import exposition
from streams.fault import place_of
from streams.monitor import Monitor, NotFoldedError, not_folded
from streams.source_clocks import AHEAD_SECONDS
from streams.sources import Line

KEPT_EVENTS = 3_000
"""How many events are kept to be folded again: few enough for memory, so many that to keep the states instead takes little."""


@dataclass(slots=True)
class Measurement:
    """The exposition text at a moment (epoch seconds), and how many lines had which outcome."""

    text: str
    at: float | None
    outcomes: Counter[str] = field(default_factory=Counter)
    left_out: dict[str, str] = field(default_factory=dict)
    """Centres that cannot be measured, and why."""


def measure(
    lines: Iterable[Line],
    centres: Mapping[str, Centre],
    wall: float,
    at: float | None = None,
    on_refusal: Callable[[int, Refusal], None] = lambda _number, _refusal: None,
    ahead_seconds: float = AHEAD_SECONDS,
) -> Measurement:
    """Fold every event up to `at` (None: all) and measure then.

    `wall` is the clock that events of a file may be `ahead_seconds` ahead of and no more; those of a topic have Kafka's.
    """
    monitor, moment, outcomes = fold(lines, centres, wall, at, on_refusal, ahead_seconds)
    found = Measurement("", moment, outcomes)
    if moment is not None:  # without an event there is no last one to measure after
        left_out = found.left_out
        found.text = "".join(exposition(monitor, moment, on_fault=lambda city, error: left_out.update({city: place_of(error)})))
    return found


def fold(
    lines: Iterable[Line],
    centres: Mapping[str, Centre],
    wall: float,
    at: float | None = None,
    on_refusal: Callable[[int, Refusal], None] = lambda _number, _refusal: None,
    ahead_seconds: float = AHEAD_SECONDS,
) -> tuple[Monitor, float | None, Counter[str]]:
    """Fold every event up to `at` (None: all). Returns all states, the moment they are of (epoch seconds; None without an event),
    and how many lines had which outcome.
    """
    monitor = Monitor(centres, ahead_seconds=ahead_seconds)
    folder, outcomes = Traceless(monitor), Counter[str]()
    for offset, line in enumerate(lines):
        item = line.item
        if isinstance(item, UnknownType):
            outcomes["unknown_type"] += 1
            continue
        outcome: Outcome | Refusal
        if isinstance(item, Refusal):
            outcome = item
        elif at is not None and item.time.timestamp() > at:
            outcomes["after"] += 1
            continue
        else:
            written = wall if line.written is None else line.written
            outcome = folder.fold(TOPIC_OF[item.type].name, offset, item, written)
        if isinstance(outcome, Refusal):
            on_refusal(line.number, outcome)
            outcomes["refused"] += 1
        else:
            outcomes[outcome] += 1
    return monitor, monitor.newest() if at is None else at, outcomes


class Traceless:
    """Folds events of a file, and of one whose fold raises leaves no trace: states are kept as bytes now and then, and the events
    that came since.
    """

    def __init__(self, monitor: Monitor) -> None:
        self._monitor = monitor
        self._states: dict[tuple[str, bytes], bytes] = {}
        self._since: list[tuple[str, int, Event, float]] = []

    def fold(self, topic: str, offset: int, event: Event, written: float) -> Outcome | Refusal:
        """Fold one event, and say what became of it."""
        if len(self._since) >= KEPT_EVENTS:
            self._keep(*(each.name for each in TOPICS))
        try:
            outcome = self._monitor.fold_event(topic, 0, offset, event, written)
        except NotFoldedError as error:
            self._take_back(topic)
            return not_folded(error.kind)
        self._since.append((topic, offset, event, written))
        return outcome

    def _take_back(self, topic: str) -> None:
        self._monitor.take_back(topic, 0, lambda key: self._states.get((topic, key)))
        for name, offset, event, written in self._since:
            if name == topic:
                self._monitor.fold_event(topic, 0, offset, event, written)
        # Where one such event came, more may come: for none of them these are folded a third time.
        self._keep(topic)

    def _keep(self, *topics: str) -> None:
        for topic in topics:
            self._states |= {(topic, key): blob for key, blob in self._monitor.dirty(topic, 0)}
        self._since = [entry for entry in self._since if entry[0] not in topics]

"""What `/metrics` would have said at a moment, folded from a file or a topic range without any stack."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from schemas.event import Event
from schemas.topics import TOPIC_OF, TOPICS, Refusal, Topic, UnknownType
from streams.analysis.rows.told import Rows
from streams.core.centre import Centre
from streams.core.fault import place_of
from streams.core.ledger import Outcome
from streams.core.source_clocks import AHEAD_SECONDS
from streams.sources import Line
from streams.worker.exposition import exposition
from streams.worker.monitor import Monitor, NotFoldedError, not_folded

KEPT_EVENTS = 10_000
"""How many events are kept to be folded again: few enough for memory, so many that to keep the states instead takes little."""


TOGETHER = 200
"""How many events of a topic are folded together, because each alone would cost more than it says."""

Told = tuple[int, Event, float]
"""An event, its place, and since when it stands there, epoch seconds."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """What is known before the first line: states of the log's first records, so that only the rest has to be folded."""

    states: Mapping[tuple[str, bytes], bytes] = field(default_factory=dict)
    """By topic and centre, each as a worker writes it."""
    offset: int = -1
    """No state has seen a record beyond this one."""
    spans: Mapping[tuple[str, int], Sequence[tuple[int, int | None]]] = field(default_factory=dict)
    """By topic and partition, the offsets that are still to be folded; of those that are not named all are."""
    says: str = ""
    """For people: how far the states go."""


NOTHING = Beginning()


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
    beginning: Beginning = NOTHING,
) -> Measurement:
    """Fold every event up to `at` (None: all) and measure then.

    `wall` is the clock that events of a file may be `ahead_seconds` ahead of and no more; those of a topic have Kafka's. `lines`
    are what comes after the `beginning`.
    """
    monitor, moment, outcomes = fold(lines, centres, wall, at, on_refusal, ahead_seconds, beginning)
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
    beginning: Beginning = NOTHING,
    rows: Rows | None = None,
) -> tuple[Monitor, float | None, Counter[str]]:
    """Fold every event up to `at` (None: all). Returns all states, the moment they are of (epoch seconds; None without an event),
    and how many lines had which outcome. `rows` are told what is over; whoever wants those of what is not has them finished.
    """
    monitor = Monitor(centres, ahead_seconds=ahead_seconds, begun=None if rows is None else rows.attach)
    folder, outcomes = Traceless(monitor, beginning.states, rows), Counter[str]()
    numbers: dict[int, int] = {}
    # Of each topic its own, because topics alternate from event to event. Calls go first: tickets ask what call they came by.
    batches: dict[str, list[Told]] = {topic.name: [] for topic in TOPICS}

    def refuse(number: int, refusal: Refusal) -> None:
        on_refusal(number, refusal)
        outcomes["refused"] += 1

    def settle() -> None:
        others: dict[int, Outcome | Refusal] = {}
        for topic, batch in batches.items():
            if batch:
                others |= folder.fold(topic, batch)
                batch.clear()
        outcomes["folded"] += len(numbers) - len(others)
        for offset, outcome in sorted(others.items()):
            if isinstance(outcome, Refusal):
                refuse(numbers[offset], outcome)
            else:
                outcomes[outcome] += 1
        numbers.clear()

    # What a state has seen lies before all that comes now, whatever its own numbers were.
    for offset, line in enumerate(lines, beginning.offset + 1):
        item = line.item
        if isinstance(item, UnknownType):
            outcomes["unknown_type"] += 1
        elif isinstance(item, Refusal):
            settle()
            refuse(line.number, item)
        elif at is not None and item.time.timestamp() > at:
            outcomes["after"] += 1
        else:
            batch = batches[TOPIC_OF[item.type].name]
            numbers[offset] = line.number
            batch.append((offset, item, wall if line.written is None else line.written))
            if len(batch) >= TOGETHER:
                settle()
    settle()
    return monitor, monitor.newest() if at is None else at, outcomes


class Traceless:
    """Folds events of a file, and of one whose fold raises leaves no trace: states are kept as bytes now and then, and the events
    that came since.
    """

    def __init__(
        self, monitor: Monitor, states: Mapping[tuple[str, bytes], bytes] = NOTHING.states, rows: Rows | None = None
    ) -> None:
        """Of the `states` that there are already the monitor knows nothing yet."""
        self._monitor, self._rows = monitor, rows
        self.states = dict(states)
        """By topic and centre, what was known when it was kept last."""
        for (topic, key), blob in states.items():
            monitor.load(topic, 0, key, blob)
        self._since: list[tuple[str, int, Event, float]] = []

    def fold(self, topic: str, events: Sequence[Told]) -> dict[int, Outcome | Refusal]:
        """Fold events of one topic. Returns what became of those that were not folded, by their places."""
        others: dict[int, Outcome | Refusal] = {}
        while events:
            if len(self._since) >= KEPT_EVENTS:
                self.keep(*TOPICS)
            try:
                others |= self._monitor.fold_events(topic, 0, events)
            except NotFoldedError as error:
                self._take_back(topic)
                place = next(place for place, (offset, _, _) in enumerate(events) if offset == error.offset)
                others |= self.fold(topic, events[:place])
                others[error.offset] = not_folded(error.kind)
                events = events[place + 1 :]
            else:
                self._since += [(topic, *told) for told in events]
                events = ()
        return others

    def _take_back(self, name: str) -> None:
        topic = next(each for each in TOPICS if each.name == name)
        if self._rows is not None:
            self._rows.take_back(topic.noun)
        self._monitor.take_back(name, 0, lambda key: self.states.get((name, key)))
        for of, offset, event, written in self._since:
            if of == name:
                self._monitor.fold_event(name, 0, offset, event, written)
        # Where one such event came, more may come: for none of them these are folded a third time.
        self.keep(topic)

    def keep(self, *topics: Topic) -> None:
        """Bring the `states` of these topics up to now."""
        names = [topic.name for topic in topics]
        for name in names:
            self.states |= {(name, key): blob for key, blob in self._monitor.dirty(name, 0)}
        self._since = [entry for entry in self._since if entry[0] not in names]
        if self._rows is not None:
            self._rows.keep([topic.noun for topic in topics])

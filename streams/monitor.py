"""The fold of everything: records of the log go in, states of centres are kept, readings come out."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any, Protocol, TypeVar

from pydantic import TypeAdapter

from schemas.event import Event
from schemas.topics import TOPIC_OF, TOPICS, Refusal, Topic, UnknownType, decode
from streams.core import city as cities
from streams.core.centre import Centre
from streams.core.city import NOUNS, City
from streams.core.ledger import Outcome
from streams.core.reading import Metric, Reading, Readings

STATE_VERSION = 4
"""Goes up when a stored state can no longer be read: the worker then folds again from the log's beginning."""

SKEW_SECONDS = 3600
"""How far ahead of the clock an event may be. One beyond it would make all that follow look late."""

CITY_INFO = Metric(
    "psap_city_info",
    "gauge",
    "1 for every centre that is watched, with its name, province and time zone.",
    ("name", "province", "tz"),
)
THRESHOLD = Metric("psap_centre_threshold", "gauge", "The limits of a centre, which alert rules join on.", ("threshold",))
LAST_EVENT = Metric("psap_last_event_timestamp_seconds", "gauge", "When the newest event of a source happened.", ("source",))
_MISPLACED = Refusal("wrong_partition", "the record's key must be its subject, partitioned by murmur2 as Kafka's clients do")

METRICS: tuple[Metric, ...] = (CITY_INFO, THRESHOLD, LAST_EVENT, *cities.METRICS)


class Record(Protocol):
    """What the log holds at an offset."""

    @property
    def offset(self) -> int: ...
    @property
    def value(self) -> bytes | None: ...


R = TypeVar("R", bound=Record)


@dataclass(slots=True)
class Entry:
    """What is known of one centre from one topic, and the partition it came from."""

    centre: Centre
    partition: int
    state: Any
    changed: bool = False


class Shelf:
    """The entries of one topic, that is of one noun, by centre."""

    def __init__(self, topic: Topic) -> None:
        self.topic = topic
        self.types = frozenset(kind.model_fields["type"].default for kind in topic.types)
        self.noun = NOUNS[topic.noun]
        self.step = self.noun.step
        self.blob = TypeAdapter(self.noun.State)
        self.entries: dict[str, Entry] = {}


class Monitor:
    """All states of the centres in the partitions that are folded here.

    Two threads meet here: whoever folds holds `lock` around a chunk of records, and measuring takes it for one centre, so that
    nobody sees half an event and nobody waits long.
    """

    state_version = STATE_VERSION

    def __init__(self, centres: Mapping[str, Centre], partition_of: Callable[[str], int] | None = None) -> None:
        """`partition_of` says where a centre's records belong; None for a file, which has no partitions."""
        self.centres = centres
        self.lock = Lock()
        self._partition_of = partition_of
        self._shelves = {topic.name: Shelf(topic) for topic in TOPICS}

    def fold(self, topic: str, partition: int, records: Iterable[R], now: float) -> tuple[list[Outcome], list[tuple[R, Refusal]]]:
        """Fold consecutive records of one partition of the log; `now` is the wall clock in epoch seconds.

        Returns what became of those that could be read, and the others, each with why not.
        """
        shelf, fold = self._shelves[topic], self._fold
        outcomes: list[Outcome] = []
        refused = []
        with self.lock:
            for record in records:
                item = decode(record.value)
                if isinstance(item, UnknownType):
                    outcomes.append("unknown_type")
                    continue
                outcome = item if isinstance(item, Refusal) else fold(shelf, partition, record.offset, item, now)
                if isinstance(outcome, Refusal):
                    refused.append((record, outcome))
                else:
                    outcomes.append(outcome)
        return outcomes, refused

    def fold_event(self, topic: str, partition: int, offset: int, event: Event, now: float) -> Outcome | Refusal:
        """Fold one event that came at `offset` of a topic's partition (or as that line of a file)."""
        return self._fold(self._shelves[topic], partition, offset, event, now)

    def _fold(self, shelf: Shelf, partition: int, offset: int, event: Event, now: float) -> Outcome | Refusal:
        if event.type not in shelf.types:
            return Refusal("other_topic", f"field type: {event.type} belongs into {TOPIC_OF[event.type].name}")
        time = event.time.timestamp()
        if time > now + SKEW_SECONDS:
            return Refusal("in_the_future", "field time: more than an hour ahead of the clock")
        city = event.subject
        entry = shelf.entries.get(city)
        if entry is None:
            centre = self.centres.get(city)
            if centre is None:
                return Refusal("unknown_centre", "field subject: no such centre is watched here; give its file with --centre")
            if self._partition_of is not None and partition != self._partition_of(city):
                return _MISPLACED
            entry = shelf.entries[city] = Entry(centre, partition, shelf.noun.State())
        if partition != entry.partition:
            return _MISPLACED
        outcome: Outcome = entry.state.ledger.admit(offset, event.source, event.id, time)
        if outcome == "folded":
            shelf.step(entry.state, event, time, entry.centre)
        if outcome != "replayed":
            entry.changed = True
        return outcome

    def dirty(self, topic: str, partition: int) -> Iterator[tuple[bytes, bytes]]:
        """Key and blob of every state that changed since the last call."""
        shelf = self._shelves[topic]
        for city, entry in shelf.entries.items():
            if entry.changed and entry.partition == partition:
                entry.changed = False
                yield city.encode(), shelf.blob.dump_json(entry.state)

    def load(self, topic: str, partition: int, key: bytes, blob: bytes) -> None:
        """Take back a state that `dirty` gave out; that of a centre no longer watched is left in Kafka."""
        shelf, city = self._shelves[topic], key.decode()
        if centre := self.centres.get(city):
            shelf.entries[city] = Entry(centre, partition, shelf.blob.validate_json(blob))

    def drop(self, partition: int) -> None:
        """Forget everything of a partition that somebody else owns now."""
        for shelf in self._shelves.values():
            shelf.entries = {city: entry for city, entry in shelf.entries.items() if entry.partition != partition}

    def states(self, topic: str, partition: int) -> list[tuple[Centre, Any]]:
        """The centres in a partition, with what is known of them from that topic. To be read only, and by whoever folds."""
        entries = self._shelves[topic].entries.values()
        return [(entry.centre, entry.state) for entry in entries if entry.partition == partition]

    def newest(self) -> float | None:
        """The time of the newest event folded, in epoch seconds; None before the first."""
        with self.lock:
            entries = [entry for shelf in self._shelves.values() for entry in shelf.entries.values()]
            times = [source.newest for entry in entries for source in entry.state.ledger.sources.values()]
        return max(times, default=None)

    def measure(self, city: str, now: float) -> list[Reading]:
        """What is true of one centre at `now`, epoch seconds."""
        with self.lock:
            return list(self._readings(city, now))

    def _readings(self, city: str, now: float) -> Readings:
        centre = self.centres[city]
        yield CITY_INFO, (centre.name, centre.province, centre.timezone.key), 1
        for name, value in centre.thresholds:
            yield THRESHOLD, (name,), value
        states = {
            shelf.topic.noun: entry.state for shelf in self._shelves.values() if (entry := shelf.entries.get(city)) is not None
        }
        newest: dict[str, float] = {}
        for state in states.values():
            for name, source in state.ledger.sources.items():
                newest[name] = max(source.newest, newest.get(name, source.newest))
        for name, time in sorted(newest.items()):
            yield LAST_EVENT, (name,), time
        yield from cities.measure(City(**states), now, centre)

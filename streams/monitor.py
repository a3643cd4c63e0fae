"""The fold of everything: records of the log go in, states of centres are kept, readings come out."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

from pydantic import TypeAdapter

from schemas.event import Event
from schemas.topics import TOPIC_OF, TOPICS, Refusal, UnknownType, decode
from streams.core import calls, operators
from streams.core.centre import Centre
from streams.core.ledger import Ledger, Outcome
from streams.core.reading import Metric, Reading, Readings

STATE_VERSION = 1
"""Goes up when a stored state can no longer be read: the worker then folds again from the log's beginning."""

SKEW_SECONDS = 3600
"""How far ahead of the clock an event may be. One beyond it would make all that follow look late."""

NOUNS: dict[str, Any] = {"calls": calls, "operators": operators}
"""Each noun's aggregate: a module with `State` and `step`."""

_BLOBS = {noun: TypeAdapter(module.State) for noun, module in NOUNS.items()}
_NOUN_OF = {topic.name: topic.noun for topic in TOPICS}

CITY_INFO = Metric(
    "psap_city_info",
    "gauge",
    "1 for every centre that is watched, with its name, province and time zone.",
    ("name", "province", "tz"),
)
THRESHOLD = Metric("psap_centre_threshold", "gauge", "The limits of a centre, which alert rules join on.", ("threshold",))
LAST_EVENT = Metric("psap_last_event_timestamp_seconds", "gauge", "When the newest event of a source happened.", ("source",))
METRICS: tuple[Metric, ...] = (CITY_INFO, THRESHOLD, LAST_EVENT, *calls.METRICS, *operators.METRICS)


@dataclass(slots=True)
class Entry:
    """One noun of one centre, in the partition it came from."""

    partition: int
    state: Any


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
        self._entries: dict[tuple[str, str], Entry] = {}
        self._dirty: dict[tuple[str, int], dict[str, None]] = {}

    def fold(self, topic: str, partition: int, offset: int, value: bytes | None, now: float) -> Outcome | Refusal:
        """Fold one record of the log; `now` is the wall clock in epoch seconds. Bad input comes back as a `Refusal`."""
        item = decode(value)
        if isinstance(item, Event):
            return self.fold_event(topic, partition, offset, item, now)
        return "unknown_type" if isinstance(item, UnknownType) else item

    def fold_event(self, topic: str, partition: int, offset: int, event: Event, now: float) -> Outcome | Refusal:
        """Fold one event that came at `offset` of a topic's partition (or as that line of a file)."""
        city = event.subject
        centre = self.centres.get(city)
        if centre is None:
            return Refusal("unknown_centre", "field subject: no such centre is watched here; give its file with --centre")
        if TOPIC_OF[event.type].name != topic:
            return Refusal("other_topic", f"field type: {event.type} belongs into {TOPIC_OF[event.type].name}")
        time = event.time.timestamp()
        if time > now + SKEW_SECONDS:
            return Refusal("in_the_future", "field time: more than an hour ahead of the clock")
        noun = _NOUN_OF[topic]
        entry = self._entries.get((city, noun))
        if entry is None and (self._partition_of is None or partition == self._partition_of(city)):
            entry = self._entries[city, noun] = Entry(partition, NOUNS[noun].State())
        if entry is None or partition != entry.partition:
            return Refusal(
                "wrong_partition", "the record's key must be its subject, partitioned by murmur2 as Kafka's clients do"
            )
        ledger: Ledger = entry.state.ledger
        outcome = ledger.admit(offset, event.source, event.id, time)
        if outcome == "folded":
            NOUNS[noun].step(entry.state, event, centre)
        elif outcome == "replayed":
            return outcome
        dirty = self._dirty.get((topic, partition))
        if dirty is None:
            dirty = self._dirty[topic, partition] = {}
        dirty[city] = None
        return outcome

    def dirty(self, topic: str, partition: int) -> Iterator[tuple[bytes, bytes]]:
        """Key and blob of every state that changed since the last call."""
        noun = _NOUN_OF[topic]
        for city in self._dirty.pop((topic, partition), ()):
            yield city.encode(), _BLOBS[noun].dump_json(self._entries[city, noun].state)

    def load(self, topic: str, partition: int, key: bytes, blob: bytes) -> None:
        """Take back a state that `dirty` gave out."""
        noun = _NOUN_OF[topic]
        self._entries[key.decode(), noun] = Entry(partition, _BLOBS[noun].validate_json(blob))

    def drop(self, partition: int) -> None:
        """Forget everything of a partition that somebody else owns now."""
        for key in [key for key, entry in self._entries.items() if entry.partition == partition]:
            del self._entries[key]
        for place in [place for place in self._dirty if place[1] == partition]:
            del self._dirty[place]

    def newest(self) -> float | None:
        """The time of the newest event folded, in epoch seconds; None before the first."""
        with self.lock:
            times = [source.newest for entry in self._entries.values() for source in entry.state.ledger.sources.values()]
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
        states = {noun: entry.state for noun in NOUNS if (entry := self._entries.get((city, noun)))}
        newest: dict[str, float] = {}
        for state in states.values():
            for name, source in state.ledger.sources.items():
                newest[name] = max(source.newest, newest.get(name, source.newest))
        for name, time in sorted(newest.items()):
            yield LAST_EVENT, (name,), time
        of_calls = states.get("calls") or calls.State()
        yield from calls.measure(of_calls, now, centre)
        if "operators" in states:
            yield from operators.measure(states["operators"], calls.talking(of_calls, now, centre))

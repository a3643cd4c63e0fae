"""The fold of everything: records of the log go in, states of centres are kept, readings come out."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import RLock
from typing import Any, Protocol

from pydantic import TypeAdapter

from schemas.event import Event, epochs
from schemas.reader import FORM_OF, read
from schemas.topics import TOPIC_OF, TOPICS, Decoded, Refusal, Topic, UnknownType
from streams.core import nouns
from streams.core.centre import Centre
from streams.core.fault import place_of
from streams.core.ledger import Outcome
from streams.core.nouns import NOUNS, STATE_VERSION, States
from streams.core.reading import Metric, Reading
from streams.core.source_clocks import AHEAD_SECONDS, SourceClocks
from streams.log.topics import partition_of

TOGETHER = 128
"""Records that are read and then folded: few enough to stay in the processor's cache, and to hold the lock for 1 ms only."""

CITY_INFO = Metric(
    "psap_city_info",
    "gauge",
    "1 for every centre that is watched, with its name, province and time zone.",
    ("name", "province", "tz"),
)
UTC_OFFSET = Metric(
    "psap_city_utc_offset_seconds",
    "gauge",
    "By how much the centre's clocks are ahead of UTC now: a message that has no zones says local time by it.",
)
THRESHOLD = Metric("psap_centre_threshold", "gauge", "The limits of a centre, which alert rules join on.", ("threshold",))
LAST_EVENT = Metric("psap_last_event_timestamp_seconds", "gauge", "When the newest event of a source happened.", ("source",))
LATE_TOTAL = Metric(
    "psap_late_events_total",
    "counter",
    "Events of a source that came too late for live figures, over an hour behind its clock.",
    ("source",),
)

_UNKNOWN_CENTRE = Refusal("unknown_centre", "field subject: no such centre is watched here; give its file with --centre")
MISPLACED = Refusal("wrong_partition", "the record's key must be its subject, partitioned by murmur2 as Kafka's clients do")
"""What becomes of a record in a partition that is not its centre's."""

METRICS: tuple[Metric, ...] = (CITY_INFO, UTC_OFFSET, THRESHOLD, LAST_EVENT, LATE_TOTAL, *nouns.METRICS)


class Record(Protocol):
    """What the log holds at an offset."""

    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...  # when Kafka had it, epoch milliseconds
    @property
    def value(self) -> bytes | None: ...


def _unfolded(item: Decoded) -> Outcome | Refusal:
    """What becomes of what is no event of the topic it is in."""
    if isinstance(item, Refusal):
        return item
    if isinstance(item, UnknownType):
        return "unknown_type"
    return elsewhere(item)


def elsewhere(event: Event) -> Refusal:
    """What becomes of an event in a topic that is not its own."""
    return Refusal("other_topic", f"field type: {event.type} belongs into {TOPIC_OF[event.type].name}")


@dataclass(slots=True)
class Span:
    """Between which times, epoch seconds, the events lay that were given to a partition; no folded one is later than `newest`."""

    oldest: float
    newest: float


@dataclass(slots=True)
class Entry:
    """What is known of one centre from one topic; `spoilt` when a fold broke off in the middle of it."""

    centre: Centre
    state: Any
    changed: bool = False
    spoilt: bool = False


class NotFoldedError(Exception):
    """The fold of a record raised an error. Says of what type and where in the code, not its text: that can quote the record."""

    def __init__(self, topic: str, partition: int, offset: int, error: Exception) -> None:
        self.topic, self.partition, self.offset, self.kind = topic, partition, offset, type(error).__name__
        super().__init__(f"{topic}/{partition}/{offset} was not folded: {place_of(error)}")


class MisplacedError(Exception):
    """A state that lies in another partition than its centre's records: partitions were added since it was written."""


class SpoiltError(Exception):
    """A state that a fold left half changed is not measured."""


def not_folded(kind: str) -> Refusal:
    """What becomes of a record whose fold raised an error of this type."""
    return Refusal("not_folded", f"the fold raised {kind}: a fault of this program, see its runbook")


class Shelf:
    """The entries of one topic, that is of one noun, by partition and centre."""

    def __init__(self, topic: Topic, partitions: int) -> None:
        self.topic = topic
        self.types = frozenset(
            {*topic.types, *(FORM_OF[name] for name, of in TOPIC_OF.items() if of is topic and name in FORM_OF)}
        )
        self.noun = NOUNS[topic.noun]
        self.miss = getattr(self.noun, "miss", None)
        """What a noun does about an event that came too late, if it does anything."""
        self.blob = TypeAdapter(self.noun.State)
        self.entries: list[dict[str, Entry]] = [{} for _ in range(partitions)]


class Monitor:
    """All states of the centres in the partitions that are folded here.

    Two threads meet here: whoever folds holds `lock` around a few records, and measuring takes it for one centre, so that
    nobody sees half an event and nobody waits long.
    """

    state_version = STATE_VERSION

    def __init__(
        self,
        centres: Mapping[str, Centre],
        partitions: int = 1,
        ahead_seconds: float = AHEAD_SECONDS,
        begun: Callable[[str, Centre, Any], None] | None = None,
    ) -> None:
        """Every topic has so many `partitions`; a file is one. What is more than `ahead_seconds` ahead of Kafka's clock is
        refused. `begun` is told of every state, by the name of its noun, before anything is folded into it.
        """
        self._begun = begun
        self.centres = centres
        self.lock = RLock()
        self.clocks = SourceClocks(ahead_seconds)
        self._ahead = ahead_seconds
        self._in_the_future = Refusal("in_the_future", f"field time: more than {ahead_seconds:g} s ahead of Kafka's clock")
        self.partitions = partitions
        self.home = {city: partition_of(city, partitions) for city in centres}
        self.poison: dict[tuple[str, int], dict[int, str]] = {}
        """Records, by topic and partition, whose fold is known to raise an error of that type: they are refused."""
        self.spans: dict[tuple[str, int], Span] = {}
        """What came of each topic and partition since somebody took it out of here."""
        self._shelves = {topic.name: Shelf(topic, partitions) for topic in TOPICS}

    def fold(self, topic: str, partition: int, records: Sequence[Record]) -> dict[int, Outcome | Refusal]:
        """Fold consecutive records of one partition of the log. Returns, by offset, what became of those that were not folded.

        Raises `NotFoldedError`: what came before is folded then, and the state that was left half changed is neither measured nor
        given out until it was taken back.
        """
        others: dict[int, Outcome | Refusal] = {}
        for start in range(0, len(records), TOGETHER):
            group = records[start : start + TOGETHER]
            (items, times), written = read([record.value for record in group]), [record.timestamp for record in group]
            others |= self._fold(topic, partition, [record.offset for record in group], items, written, times)
            # One of a group is enough to know a clock by, and nearly all that the others would cost is saved.
            self._compare(items[-1], written[-1] / 1000, times[-1])
        return others

    def fold_event(self, topic: str, partition: int, offset: int, event: Event, written: float) -> Outcome | Refusal:
        """Fold one event at `offset` of a partition (or that line of a file), where it stands since `written`, epoch seconds.

        Raises `NotFoldedError`.
        """
        return self.fold_events(topic, partition, [(offset, event, written)]).get(offset, "folded")

    def fold_events(self, topic: str, partition: int, events: Sequence[tuple[int, Event, float]]) -> dict[int, Outcome | Refusal]:
        """The same of several. Returns what became of those that were not folded, by their offsets. Raises `NotFoldedError`."""
        offsets, items, written = zip(*events, strict=True) if events else ((), (), ())
        times = epochs([event.time for event in items])
        return self._fold(topic, partition, offsets, items, [round(at * 1000) for at in written], times)

    def _compare(self, item: Decoded, written: float, time: float) -> None:
        """Hold what a source's clock says against Kafka's. A recording's clock is right in its own time."""
        if not isinstance(item, Refusal | UnknownType) and not item.replayed and item.subject in self.centres:
            with self.lock:
                self.clocks.see(item.subject, item.source, written, time - written)

    def _fold(
        self,
        topic: str,
        partition: int,
        offsets: Sequence[int],
        items: Sequence[Decoded],
        written: Sequence[int],
        times: Sequence[float],
    ) -> dict[int, Outcome | Refusal]:
        """The same of items, each with its offset, the moment at which Kafka had it in epoch milliseconds, and its time."""
        shelf, ahead = self._shelves[topic], self._ahead * 1000
        types, step, entries = shelf.types, shelf.noun.step, shelf.entries[partition]
        if poison := self.poison.get((topic, partition)):
            items = [
                not_folded(poison[offset]) if offset in poison else item for offset, item in zip(offsets, items, strict=True)
            ]
        others: dict[int, Outcome | Refusal] = {}
        latest = written[-1] / 1000 + self._ahead if written else 0.0
        events: Sequence[Any] = items
        # By its class, because pydantic's isinstance costs as much as all the rest of this.
        if not types.issuperset(map(type, items)):
            told = list(zip(offsets, items, written, times, strict=True))
            others = {offset: _unfolded(item) for offset, item, _, _ in told if type(item) not in types}
            told = [each for each in told if type(each[1]) in types]
            offsets, events, written, times = zip(*told, strict=True) if told else ((), (), (), ())
        if times:
            self._stretch(topic, partition, min(times), min(max(times), latest))
        with self.lock:
            try:
                # All in one loop, because here a worker spends its time: a function per event would cost more than it says.
                for offset, event, at, time in zip(offsets, events, written, times, strict=True):
                    # Against the moment of its own record, so that it is the same whenever it is folded again.
                    if time * 1000 > at + ahead:
                        others[offset] = self._in_the_future
                        continue
                    entry = entries.get(event.subject)
                    if entry is None:
                        opened = self._open(shelf, partition, event.subject)
                        if isinstance(opened, Refusal):
                            others[offset] = opened
                            continue
                        entry = opened
                    outcome = entry.state.ledger.admit(offset, event.source, event.id, time)
                    if outcome == "folded":
                        step(entry.state, event, time, entry.centre)
                        entry.changed = True
                    else:
                        others[offset] = outcome
                        entry.changed |= outcome != "replayed"
                        if outcome == "late" and shelf.miss is not None:
                            shelf.miss(entry.state, event, time, entry.centre)
            except Exception as error:
                if spoilt := entries.get(event.subject):
                    spoilt.spoilt = True
                raise NotFoldedError(topic, partition, offset, error) from None
        return others

    def _stretch(self, topic: str, partition: int, oldest: float, newest: float) -> None:
        span = self.spans.get((topic, partition))
        if span is None:
            self.spans[topic, partition] = Span(oldest, newest)
        else:
            span.oldest, span.newest = min(oldest, span.oldest), max(newest, span.newest)

    def _open(self, shelf: Shelf, partition: int, city: str) -> Entry | Refusal:
        """An empty entry for a centre that was not heard of yet."""
        centre = self.centres.get(city)
        if centre is None:
            return _UNKNOWN_CENTRE
        if partition != self.home[city]:
            return MISPLACED
        return self._put(shelf, partition, city, Entry(centre, shelf.noun.State()))

    def _put(self, shelf: Shelf, partition: int, city: str, entry: Entry) -> Entry:
        shelf.entries[partition][city] = entry
        if self._begun is not None:
            self._begun(shelf.topic.noun, entry.centre, entry.state)
        return entry

    def dirty(self, topic: str, partition: int) -> Iterator[tuple[bytes, bytes]]:
        """Key and blob of every state that changed since the last call, and is whole."""
        shelf = self._shelves[topic]
        for city, entry in shelf.entries[partition].items():
            if entry.changed and not entry.spoilt:
                entry.changed = False
                yield city.encode(), shelf.blob.dump_json(entry.state, exclude_defaults=True)

    def load(self, topic: str, partition: int, key: bytes, blob: bytes) -> None:
        """Take in a state that `dirty` gave out; that of a centre no longer watched is left in Kafka. Raises `MisplacedError`."""
        shelf, city = self._shelves[topic], key.decode()
        if centre := self.centres.get(city):
            if partition != self.home[city]:
                raise MisplacedError
            self._put(shelf, partition, city, Entry(centre, shelf.blob.validate_json(blob)))

    def take_back(self, topic: str, partition: int, stored: Callable[[bytes], bytes | None]) -> None:
        """Put every state that changed since `dirty` gave it out back to what is `stored` by its key (None: there was none)."""
        entries = self._shelves[topic].entries[partition]
        with self.lock:
            for city in [city for city, entry in entries.items() if entry.changed or entry.spoilt]:
                del entries[city]
                if blob := stored(city.encode()):
                    self.load(topic, partition, city.encode(), blob)

    def drop(self, partition: int) -> None:
        """Forget everything of a partition that somebody else owns now."""
        for topic in self._shelves:
            self.forget(topic, partition)
        self.clocks.forget(city for city, home in self.home.items() if home == partition)

    def forget(self, topic: str, partition: int) -> None:
        """Forget everything of one topic in a partition."""
        self._shelves[topic].entries[partition].clear()
        self.poison.pop((topic, partition), None)
        self.spans.pop((topic, partition), None)

    def reaches(self, topic: str, partition: int) -> dict[str, float]:
        """By centre, the latest time of any event of that topic that its state has seen, epoch seconds."""
        return {city: entry.state.ledger.newest for city, entry in self._shelves[topic].entries[partition].items()}

    def rules(self, partition: int, year: int) -> dict[str, str]:
        """By which rules the events of each centre of a partition, none later than that year, are folded here."""
        return {city: self.centres[city].rules(year) for city, home in self.home.items() if home == partition}

    def states(self, topic: str, partition: int) -> list[tuple[Centre, Any]]:
        """The centres in a partition, with what is known of them from that topic. To be read only, and by whoever folds."""
        return [(entry.centre, entry.state) for entry in self._shelves[topic].entries[partition].values() if not entry.spoilt]

    def clock_offsets(self, now: float) -> list[tuple[str, str, float]]:
        """City, source and seconds that its clock is ahead of Kafka's, where that is known at `now`, epoch seconds."""
        with self.lock:
            return list(self.clocks.offsets(now))

    def newest(self) -> float | None:
        """The time of the newest event folded, in epoch seconds; None before the first."""
        with self.lock:
            homes = [entries for shelf in self._shelves.values() for entries in shelf.entries]
            ledgers = [entry.state.ledger for entries in homes for entry in entries.values()]
            times = [source.newest for ledger in ledgers for source in ledger.sources.values()]
        return max(times, default=None)

    def measure(self, city: str, now: float) -> list[Reading]:
        """What is true of one centre at `now`, epoch seconds. Raises whatever its nouns raise, and `SpoiltError`."""
        centre, home = self.centres[city], self.home[city]
        readings: list[Reading] = [(CITY_INFO, (centre.name, centre.province, centre.timezone.key), 1)]
        ahead = datetime.fromtimestamp(now, centre.timezone).utcoffset() or timedelta()
        readings.append((UTC_OFFSET, (), ahead.total_seconds()))
        readings += [(THRESHOLD, (name,), value) for name, value in centre.thresholds]
        with self.lock:
            entries = {shelf.topic.noun: shelf.entries[home].get(city) for shelf in self._shelves.values()}
            if any(entry.spoilt for entry in entries.values() if entry is not None):
                raise SpoiltError
            states = {noun: entry.state for noun, entry in entries.items() if entry is not None}
            newest: dict[str, float] = {}
            late: Counter[str] = Counter()
            for state in states.values():
                for name, source in state.ledger.sources.items():
                    newest[name] = max(source.newest, newest.get(name, source.newest))
                    late[name] += source.late
                # Of those that went a number is left, because a counter does not fall.
                late.update({name: gone.late for name, gone in state.ledger.gone.items() if gone.late})
            readings += [(LAST_EVENT, (name,), time) for name, time in sorted(newest.items())]
            readings += [(LATE_TOTAL, (name,), n) for name, n in sorted(late.items())]
            readings += nouns.measure(States(**states), now, centre)
        return readings

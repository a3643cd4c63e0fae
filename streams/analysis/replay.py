"""The analyst's tools: recorded events chosen, moved in time, played at a pace, recorded, shown and counted.

A source is a file or a pipe (events as JSON or a queue_log, plain or gzip; `-` is standard input) or a range of topics, written
`topic:112.calls.v1,112.operators.v1@2026-11-20T00:00+07:00..2026-11-21T00:00+07:00`: from (inclusive) and to (exclusive) are
event times, each may be left out, and so may `topic:` where no file has the topic's name. `topic:all` are all topics. A range may
have a name or be a word, `@2026-10` or `@last month`: whoever knows a centre's clocks spells it out with `dated` first.
"""

import gzip
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from hashlib import blake2b
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

from schemas.event import Event
from schemas.topics import TOPIC_OF, TOPICS, Refusal, UnknownType, encode
from streams import secret
from streams.clock import Clock
from streams.core.centre import Centre
from streams.log.topics import partition_of
from streams.settings import Settings
from streams.sources import Line, read
from streams.sources.door import Door
from streams.sources.opened import is_file
from streams.worker.monitor import MISPLACED, elsewhere

if TYPE_CHECKING:
    from streams.log.reader import Reading, Record, Spans
    from streams.sources.opened import Opened

    Watch = Callable[[Opened | Reading], None]


class Timed(Protocol):
    """What happened at a time."""

    @property
    def time(self) -> datetime: ...


T = TypeVar("T", bound=Timed)

NAP_SECONDS = 1.0
"""Longest sleep at once, so that a clock that is set is soon believed."""


class ReplayError(ValueError):
    """A wish that cannot be fulfilled; the message says why and what to do."""


ALL = "all"
"""What all topics of events are called together."""


class TopicRange(NamedTuple):
    """Some topics, between two event times; None is the log's own end."""

    topics: tuple[str, ...]
    start: datetime | None = None
    end: datetime | None = None

    def __str__(self) -> str:
        """As `parse_source` reads it."""
        names = ALL if self.topics == tuple(topic.name for topic in TOPICS) else ",".join(self.topics)
        start, end = (moment.isoformat() if moment else "" for moment in self[1:])
        return f"topic:{names}@{start}..{end}" if start or end else f"topic:{names}"

    def within(self, start: datetime | None, end: datetime | None) -> "TopicRange":
        """What of it lies between two more. Raises `ReplayError` where that is nothing."""
        first, last = max(filter(None, (self.start, start)), default=None), min(filter(None, (self.end, end)), default=None)
        if first and last and first >= last:
            raise ReplayError(f"{self}: nothing of it lies from {first.isoformat()} until {last.isoformat()}")
        return TopicRange(self.topics, first, last)


def dated(text: str, period: Callable[[str], tuple[datetime, datetime]]) -> str:
    """The name of a source with its range, where that has a name or is a word, spelt out as the two moments of that `period`."""
    names, at, word = text.partition("@")
    if not at or ".." in word or isinstance(source := parse_source(names), Path) or Path(text).exists():
        return text
    return str(TopicRange(source.topics, *period(word)))


def parse_source(text: str) -> Path | TopicRange:
    """What the name of a source means, as the head of this file says. Raises `ReplayError`."""
    names, at, span = text.removeprefix("topic:").partition("@")
    known = [topic.name for topic in TOPICS]
    topics = tuple(known if (text.startswith("topic:"), names) == (True, ALL) else names.split(","))
    if not text.startswith("topic:") and (text == "-" or Path(text).exists() or not set(topics) <= set(known)):
        return Path(text)
    if unknown := [name for name in topics if name not in known]:
        raise ReplayError(f"no topic of events is called {unknown[0] or 'nothing'}; there are {', '.join(known)}, and {ALL}")
    start, dots, end = span.partition("..")
    if at and not dots:
        raise ReplayError(f"@{span}: write a range as @FROM..TO, such as @2026-11-20T00:00+07:00..2026-11-21T00:00+07:00")
    found = TopicRange(topics, _moment(start), _moment(end))
    if found.start and found.end and found.start >= found.end:
        raise ReplayError(f"@{span}: the range ends before it begins")
    return found


def open_source(
    text: str,
    centre: Centre,
    settings: Settings,
    door: Door | None = None,
    watch: "Watch" = lambda _: None,
    *,
    outward: bool = False,
    spans: "Spans | None" = None,
) -> Iterator[Line]:
    """What a source says, item by item; records of topics are numbered from 1. `centre` is the one of a queue_log.

    Files come through the `door`; topics lie behind it and come as a worker folds them, unless they go `outward` again. Of
    partitions that `spans` name only those offsets are read.
    Raises `ReplayError`, `UnknownFileError` and `OSError` (with it `LogError`).
    """
    source = parse_source(text)
    if isinstance(source, Path):
        yield from read(source, centre, door, watch)
    else:
        # Here, because a file needs nothing of it.
        from streams.log.reader import Reader  # noqa: PLC0415

        log = Reader(settings)
        partitions = log.partitions(source.topics)
        for number, record in enumerate(log.read(*source, spans, watch), 1):
            item: Event | UnknownType | Refusal | None = record.item
            if not outward and isinstance(item, Event):
                if TOPIC_OF[item.type].name != record.topic:
                    item = elsewhere(item)
                elif record.partition != partition_of(item.subject, partitions[record.topic]):
                    item = MISPLACED
            if outward and door is not None and isinstance(item, Event):
                item = door.admit(item)
            if item is not None:
                yield Line(number, item, record.timestamp)


def check(source: Path | TopicRange, *, speed: float | None, shift_to_now: bool, into_topics: bool) -> None:
    """Raises `ReplayError` for a replay that would do harm: to be asked before anything is sent."""
    if shift_to_now and (speed is None or speed > 1):
        raise ReplayError(
            "shifted to now and faster than life, events would run ahead of the clock and be refused as in the future: "
            "use speed 1, or leave the shift"
        )
    if into_topics and isinstance(source, TopicRange) and not shift_to_now:
        raise ReplayError(
            f"{', '.join(source.topics)} would be played into itself, where every event is known already: "
            "shift it to now, or write it to a file"
        )


def play(
    events: Iterable[Event],
    flush: Callable[[], None],
    *,
    speed: float | None,
    start: datetime | None = None,
    until: datetime | None = None,
    shift_to: datetime | None = None,
    now: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Event]:
    """The events from `start` (inclusive) to `until` (exclusive), each when it is due; the first one at once.

    `speed` is times as fast as life, None as fast as they are taken. With `shift_to` the first event happens at that moment and
    the others as long after it as they did. `flush` is called before every wait, so that nobody waits for what is sent. Order
    is kept; an event that is older than one before it comes at once. Each is marked as replayed, so that nobody is reminded of
    anything because of it. Ask `check` first.
    """
    wanted: Iterator[Event] = (event.model_copy(update={"replayed": True}) for event in between(events, start, until))
    first = next(wanted, None)
    if first is None:
        return
    wanted = chain([first], wanted)
    begin = first.time
    if shift_to is not None:
        # In whole milliseconds, of which the name of a shifted event is made.
        by = timedelta(milliseconds=(shift_to - first.time) // timedelta(milliseconds=1))
        wanted, begin = shifted(wanted, by), first.time + by
    if speed is None:
        yield from wanted
    else:
        yield from paced(wanted, flush, Clock(begin.timestamp(), now(), speed), now, sleep)


def paced(
    events: Iterable[T],
    flush: Callable[[], None],
    clock: Clock = Clock(),  # noqa: B008 (frozen)
    now: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[T]:
    """Each event at the moment when `clock` shows its time; what lies before the clock's own time comes at once.

    Every moment is computed from the event alone, so nothing drifts. `now` reads what `clock.wall` was read from, in seconds.
    """
    for event in events:
        due = clock.wall + (event.time.timestamp() - clock.stream) / clock.speed
        if due > now():
            flush()
        while (wait := due - now()) > 0:
            sleep(min(wait, NAP_SECONDS))
        yield event


def between(events: Iterable[Event], start: datetime | None, until: datetime | None) -> Iterator[Event]:
    """The events that happened from `start` (inclusive) to `until` (exclusive); the rest is read too, for order is no promise."""
    for event in events:
        if (start is None or event.time >= start) and (until is None or event.time < until):
            yield event


def shifted(events: Iterable[Event], by: timedelta) -> Iterator[Event]:
    """The events, moved in time by whole milliseconds.

    A moved event is another event about another call: its id and its call's id get an ending made of the shift, the same for the
    same shift, so that beside the original neither counts as the other's duplicate.
    """
    milliseconds = by // timedelta(milliseconds=1)
    ending = f":{'m' if milliseconds < 0 else 'p'}{abs(milliseconds):x}"
    for event in events:
        call: str | None = getattr(event.data, "call", None)
        told = moved(event, by)
        data = told.data if call is None else told.data.model_copy(update={"call": _ended(call, ending, 64)})
        yield told.model_copy(update={"id": _ended(event.id, ending, 128), "data": data})


def moved(event: Event, by: timedelta) -> Event:
    """The event at another time, and all times that it tells of with it: a warning that held for two hours still does."""
    inside = {name: value + by for name, value in event.data if isinstance(value, datetime)}
    data = event.data.model_copy(update=inside) if inside else event.data
    return event.model_copy(update={"time": event.time + by, "data": data})


def events_of(lines: Iterable[Line], on_refusal: Callable[[int, Refusal], None]) -> Iterator[Event]:
    """The events among the lines; types of a later version are passed over."""
    for line in lines:
        if isinstance(line.item, Event):
            yield line.item
        elif isinstance(line.item, Refusal):
            on_refusal(line.number, line.item)


def record(records: Iterable["Record"], to: Path) -> Counter[str]:
    """Write a topic range to a file of JSON lines, gzip if its name says so; how many were `recorded`, or `refused` as no events.

    The bytes are those of the log, so what a later version says is kept, and so is what a producer of another make wrote beside
    its facts: the log lies behind the door. The file appears when it is whole, for its
    user alone, and the same range gives the same bytes.
    """
    outcomes: Counter[str] = Counter()
    # A device or a pipe is written to; it must not be replaced by a file.
    part = to.with_name(to.name + ".part") if is_file(to) else to
    try:
        with (
            open(part, "wb", opener=secret.private) as raw,
            gzip.GzipFile("", "wb", 6, raw, mtime=0) if to.suffix == ".gz" else raw as file,
        ):
            for entry in records:
                if entry.value is None or isinstance(entry.item, Refusal):
                    outcomes["refused"] += 1
                    continue
                # Between the tokens of JSON a line break is white space, and inside a string there is none.
                file.write(entry.value.replace(b"\r", b" ").replace(b"\n", b" ") + b"\n")
                outcomes["recorded"] += 1
        if part != to:
            part.replace(to)
    except BaseException as error:
        if part != to:
            part.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno is not None:
            raise OSError(error.errno, error.strerror, str(to)) from None
        raise
    return outcomes


def chosen(events: Iterable[Event], types: Iterable[str] = (), centres: Iterable[str] = ()) -> Iterator[Event]:
    """The events of these types (`call.*` is a pattern) at these centres; empty means all."""
    patterns, codes = tuple(types), frozenset(centres)
    for event in events:
        if (not patterns or any(fnmatchcase(event.type, p) for p in patterns)) and (not codes or event.subject in codes):
            yield event


def shown(event: Event, *, as_json: bool) -> str:
    """One event as a line of JSON, or as a line for the eye: time, centre, type, source and what it says."""
    text = encode(event).decode()
    if as_json:
        return text
    said = " ".join(f"{name}={value}" for name, value in json.loads(text)["data"].items())
    return f"{event.time.isoformat()} {event.subject} {event.type} {event.source} {said}"


@dataclass(slots=True)
class Stats:
    """What a source holds: between which event times; `unordered` are events older than one before them."""

    events: int = 0
    first: datetime | None = None
    last: datetime | None = None
    unordered: int = 0
    types: Counter[str] = field(default_factory=Counter)
    centres: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)


def stats(lines: Iterable[Line]) -> Stats:
    """Count what a source holds."""
    found = Stats()
    for line in lines:
        match line.item:
            case Refusal(reason=reason):
                found.refused[reason] += 1
            case UnknownType(type=name):
                found.unknown[name] += 1
            case event:
                found.events += 1
                found.types[event.type] += 1
                found.centres[event.subject] += 1
                found.unordered += found.last is not None and event.time < found.last
                found.first = event.time if found.first is None else min(found.first, event.time)
                found.last = event.time if found.last is None else max(found.last, event.time)
    return found


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ReplayError(f"{text!r} is no ISO 8601 time such as 2026-11-20T00:00+07:00") from None
    if moment.tzinfo is None:
        raise ReplayError(f"{text!r} has no zone; write for instance {text}+07:00")
    return moment


def _ended(text: str, ending: str, longest: int) -> str:
    if len(text) + len(ending) > longest:
        text = blake2b(text.encode(), digest_size=16).hexdigest()
    return text + ending

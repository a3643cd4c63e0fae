"""At the end of a day, what a worker knows is written beside the log, and one whose own state is lost goes on from there."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

from schemas.event import EARLIEST
from schemas.topics import SNAPSHOT_INDEX, SNAPSHOTS
from streams.log import snapshots
from streams.log.access import LogError
from streams.log.reader import Reader
from streams.log.snapshots import Place, Snapshot
from streams.worker.monitor import Monitor

log = logging.getLogger(__name__)

DAY = 86_400.0

Send = Callable[[str, int, bytes, bytes, float, dict[str, bytes]], Awaitable[int]]
"""Writes a record: topic, partition, key, value, time (epoch seconds) and headers. Returns its offset; raises `NotKeptError`."""


class NotKeptError(Exception):
    """Kafka did not take a record of a snapshot."""


AHEAD = 120 * DAY
"""A state looks at the calendar no further ahead than this: for the rungs of a ladder."""


class _Rules(NamedTuple):
    """Up to which year the rules are known, and what they were for each centre all the time; None where they changed."""

    year: int
    of: dict[str, str | None]


@dataclass(slots=True)
class _Book:
    """What is known of one owned partition of one topic."""

    day: int
    """The latest of which there was an event at the last snapshot, or when the partition came here; counted from 1970 in UTC."""
    since: int
    """The first offset that no snapshot of this worker has."""
    rules: _Rules
    """By which all events were folded that this worker and those before it had."""
    noted: _Rules | None
    """The same as it stands in the changelog."""


class Snapshots:
    """Says when a day is over, and keeps what was known then. Writing is left to `run`, so that no fold waits for it."""

    def __init__(self, settings: Any, monitor: Monitor, send: Send) -> None:
        self._settings, self._monitor, self._send = settings, monitor, send
        self._books: dict[Place, _Book] = {}
        self._waiting: dict[Place, tuple[Snapshot, Mapping[str, bytes]]] = {}
        self._wake = asyncio.Event()

    # Which rules

    def sought(self, topic: str, number: int, position: int, note: bytes | None, *, is_whole: bool) -> None:
        """From now on a partition is folded here, from `position`. `note` is what the changelog has of its rules; a state that
        `is_whole` begins with the log.
        """
        noted = None if note is None else _Rules(*json.loads(note))
        newest = max(self._monitor.reaches(topic, number).values(), default=0.0)
        rules = noted or _Rules(EARLIEST.year, {})
        now = self._monitor.rules(number, rules.year)
        kept = {city: said if is_whole or rules.of.get(city) == said else None for city, said in now.items()}
        self._books[topic, number] = _Book(int(newest // DAY), position, rules._replace(of=kept), noted)

    def note(self, topic: str, number: int) -> bytes | None:
        """What the changelog has to say of the rules before it says that anything was folded by them; None if it does."""
        book, span = self._books[topic, number], self._monitor.spans.get((topic, number))
        year = EARLIEST.year if span is None else datetime.fromtimestamp(span.newest + AHEAD, UTC).year
        if year > book.rules.year:
            # In one process the calendar stays the same: what was whole still is.
            now = self._monitor.rules(number, year)
            book.rules = _Rules(year, {city: now[city] if said else None for city, said in book.rules.of.items()})
        if book.rules == book.noted or not book.rules.of:
            return None
        book.noted = book.rules
        return json.dumps(book.rules).encode()

    # Keeping

    def is_due(self, topic: str, number: int) -> bool:
        """Whether an event of another day came since the last snapshot."""
        book, span = self._books[topic, number], self._monitor.spans.get((topic, number))
        day = 0 if span is None else int(span.newest // DAY)
        if not book.day:
            book.day = day  # the first of all has no day before it
        return day > book.day

    def take(self, topic: str, number: int, offset: int, written: int, blobs: Mapping[str, bytes]) -> None:
        """Keep all states of a partition, by centre, as they are after its record at `offset`, written then (epoch milliseconds).

        They are bytes that nobody changes, so it costs nothing to hold them until Kafka has them.
        """
        book, span = self._books[topic, number], self._monitor.spans[topic, number]
        book.day = int(span.newest // DAY)
        if (topic, number) in self._waiting:
            return  # Kafka is slow: what lies between comes with the next
        del self._monitor.spans[topic, number]
        reaches = self._monitor.reaches(topic, number)
        self._waiting[topic, number] = (
            Snapshot(
                topic, number, self._monitor.state_version, offset, written, book.since, span.oldest, self._monitor.clocks.limit,
                {city: (-1, reaches[city]) for city in blobs}, *book.rules,
            ),
            blobs,
        )  # fmt: skip
        book.since = offset + 1
        self._wake.set()

    async def run(self) -> None:
        """Write what is kept, for ever. What Kafka does not take is missing then: a longer way for whoever would begin there."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                place = next(iter(self._waiting))
                try:
                    await self._write(*self._waiting[place])
                except NotKeptError as error:
                    log.warning("%s/%d: its snapshot was not kept: %s", *place, error)
                del self._waiting[place]

    async def _write(self, snapshot: Snapshot, blobs: Mapping[str, bytes]) -> None:
        """One record after the other, so that the fold has its turn in between; the index last."""
        states, number, written = {}, snapshot.partition, snapshot.written / 1000
        said = snapshots.headers(snapshot.topic, snapshot.version, snapshot.offset, snapshot.written)
        for city, blob in blobs.items():
            place = await self._send(SNAPSHOTS.name, number, city.encode(), blob, written, said)
            states[city] = place, snapshot.states[city][1]
        whole = replace(snapshot, states=states).encode()
        await self._send(SNAPSHOT_INDEX.name, number, snapshot.topic.encode(), whole, written, {})

    # Beginning

    async def newest(self, starts: Mapping[Place, int]) -> dict[Place, tuple[Snapshot, dict[str, bytes]]]:
        """The newest snapshots of these topics and partitions, whose logs begin there, and their states, if there are any.

        They are by the rules that hold here, for else the log says it better; where its beginning is gone, any is better.
        """
        return await asyncio.to_thread(self._newest, starts)

    def _newest(self, starts: Mapping[Place, int]) -> dict[Place, tuple[Snapshot, dict[str, bytes]]]:
        monitor, found = self._monitor, dict[Place, tuple[tuple[bool, int, int], Snapshot]]()
        try:
            kafka = Reader(self._settings)
            for each in snapshots.index(kafka, {number for _, number in starts}):
                if each.place not in starts or each.version != monitor.state_version:
                    continue
                watched = [monitor.centres[city] for city, home in monitor.home.items() if home == each.partition]
                rank = each.holds(watched, monitor.state_version, monitor.clocks.limit), each.written, each.offset
                if (rank[0] or starts[each.place]) and (each.place not in found or found[each.place][0] < rank):
                    found[each.place] = rank, each
            sets = {place: each for place, (_, each) in found.items()}
            there = kafka.are_there({place: (each.offset, each.written) for place, each in sets.items()}) if sets else ()
            states = snapshots.states(kafka, {place: sets[place] for place in there}, monitor.centres)
        except LogError as error:
            log.warning("no snapshot to begin from: %s", error)
            return {}
        return {place: (sets[place], blobs) for place, blobs in states.items()}

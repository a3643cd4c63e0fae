"""Which events a state has folded, so that each counts once whatever is delivered again."""

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Literal

LATENESS = 3600
"""Seconds an event may be older than the newest of its source. Within them every id is remembered; beyond them an event is
passed over as late, because it could no longer be told from one folded before."""

SOURCES = 12
"""The most sources of one centre. One that goes on inventing source names is broken."""

IDS = 8_000
"""The most ids remembered per source; a busy centre has about 1,000 in an hour. All of all sources fit into one Kafka record."""

Outcome = Literal["folded", "replayed", "duplicate", "late", "unknown_type", "crowded"]


@dataclass(slots=True)
class Source:
    """One sender and its clock: the time of its newest event, and the ids of the last hour by minute of event time."""

    newest: float
    ids: dict[int, dict[str, int]] = field(default_factory=dict)
    remembered: int = 0


@dataclass(slots=True)
class Ledger:
    """What one noun of one centre has folded: the last log offset, and what came from each source."""

    offset: int = -1
    sources: dict[str, Source] = field(default_factory=dict)

    def admit(self, offset: int, source: str, event_id: str, time: float) -> Outcome:
        """Enter one event, and say whether it is to be folded (`"folded"`) or why not.

        `offset` is its place in the log (or file) and `time` its epoch seconds. Every event moves the offset; only a folded one
        is remembered.
        """
        if offset <= self.offset:
            return "replayed"
        self.offset = offset
        book = self.sources.get(source)
        if book is None:
            if len(self.sources) >= SOURCES:
                return "crowded"
            book = self.sources[source] = Source(newest=time)
        elif time > book.newest:
            book.newest = time
        elif time < book.newest - LATENESS:
            return "late"
        minute = int(time // 60)
        ids = book.ids.get(minute)
        # Our own ids are short; a long foreign one is hashed to keep the state small.
        key = event_id if len(event_id) <= 20 else blake2b(event_id.encode(), digest_size=10).hexdigest()
        if ids is None:
            book.ids[minute] = {key: 1}
            if next(iter(book.ids)) < (book.newest - LATENESS) // 60:
                self._forget(book)
        elif key in ids:
            return "duplicate"
        else:
            ids[key] = 1
        book.remembered += 1
        if book.remembered > IDS:
            self._forget(book)
        return "folded"

    @staticmethod
    def _forget(book: Source) -> None:
        """Drop the minutes that no admissible event can fall into, and the oldest ones of a flood."""
        horizon = int((book.newest - LATENESS) // 60)
        while book.ids and (book.remembered > IDS or next(iter(book.ids)) < horizon):
            book.remembered -= len(book.ids.pop(min(book.ids)))

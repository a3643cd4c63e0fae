"""Which events a state has folded, so that each counts once whatever is delivered again."""

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Literal

LATENESS = 3600
"""Seconds an event may be older than the newest of its source. Within them every id is remembered; beyond them an event is
passed over as late, because it could no longer be told from one folded before."""

SOURCES = 12
"""The most sources of one centre. One that goes on inventing source names is broken."""

IDS = 4_000
"""The most ids of one generation; a busy centre has about 1,000 in an hour. All of all sources fit into one Kafka record."""

Outcome = Literal["folded", "replayed", "duplicate", "late", "unknown_type", "crowded"]


@dataclass(slots=True)
class Source:
    """One sender and its clock: the time of its newest event, the ids that came since its clock was at `turned`, and those of the
    generation before. A generation lasts so long that whatever came before the last two is late.
    """

    newest: float
    turned: float
    ids: dict[str, int] = field(default_factory=dict)
    before: dict[str, int] = field(default_factory=dict)

    def turn(self, time: float) -> None:
        """Begin a generation at `time`."""
        self.before = {} if time > self.newest + LATENESS else self.ids
        self.ids, self.turned = {}, time


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
            book = self.sources[source] = Source(time, time)
        elif time > book.newest:
            if time > book.turned + LATENESS:
                book.turn(time)
            book.newest = time
        elif time < book.newest - LATENESS:
            return "late"
        # Our own ids are short; a long foreign one is hashed to keep the state small.
        key = event_id if len(event_id) <= 20 else blake2b(event_id.encode(), digest_size=10).hexdigest()
        if key in book.ids or key in book.before:
            return "duplicate"
        if len(book.ids) >= IDS:
            book.turn(book.newest)
        book.ids[key] = 1
        return "folded"

"""Which events a state has folded, so that each counts once whatever is delivered again, and what comes late is told from that.

A source's clock can leap: a line is cut for two days, the first live event comes, and behind it the backlog. Nothing was folded
from within the leap, so whatever comes from there is news. Each stretch of a source's time that ends with such a leap is a
*strand* with a clock of its own, and a backlog in order is folded on the strand on which it was cut off. A file that is sent
again finds its ids, or finds that its strand has moved on, and is late.
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from hashlib import blake2b
from operator import attrgetter
from typing import Any, Literal, NamedTuple

LATENESS = 3600
"""Seconds an event may be older than the newest of its strand. Within them every id is remembered; beyond them an event is passed
over as late, because it could no longer be told from one folded before."""

SOURCES = 32
"""The most sources of one centre whose ids are remembered. When one more comes, those go that have been silent for longer than
`LATENESS`, or else the one that has been silent longest."""

GONE = 200
"""The most sources of which only the time of the newest event is remembered, and how many came late; what is older is late."""

STRANDS = 8
"""The most strands of a source; beyond it what comes from the oldest is late."""

IDS = 9_000
"""The most ids remembered of all sources; a busy centre has about 1,000 in an hour. In a flood the oldest go, and what is as old
as they are is late. All bounds together take less than 500 kB as they are written."""

OWN = "/pantau112"
"""How the source of what the monitor itself says ends. It never gives its place to another."""

Outcome = Literal["folded", "replayed", "duplicate", "late", "unknown_type"]


@dataclass(slots=True)
class Strand:
    """A stretch of one source's time, from `since` to where the next strand begins, and the clock in it: the time of its newest
    event, the ids that came since the clock was at `turned`, and those of the generation before. A generation lasts so long that
    whatever came before the last two is late. Up to `floor` everything is.
    """

    since: float
    newest: float
    turned: float
    floor: float = 0.0
    ids: dict[str, int] = field(default_factory=dict)
    before: dict[str, int] = field(default_factory=dict)

    @property
    def kept(self) -> int:
        """How many ids are remembered."""
        return len(self.ids) + len(self.before)

    def turn(self, time: float) -> int:
        """Begin a generation at `time`; returns how many ids that forgets."""
        gone = len(self.before)
        if gone:
            self.floor = self.turned
        self.before, self.ids, self.turned = self.ids, {}, time
        return gone

    def is_late(self, time: float) -> bool:
        """Whether it can no longer be known if something of that time was folded here."""
        return time < self.newest - LATENESS or time <= self.floor


@dataclass(slots=True)
class Source:
    """One sender: its strands, in the order of its time, and how many of its events came late."""

    strands: list[Strand]
    late: int = 0

    @property
    def newest(self) -> float:
        """The time of its newest event, epoch seconds."""
        return self.strands[-1].newest


class Gone(NamedTuple):
    """A source whose ids are forgotten: the time of its newest event, and how many came late."""

    newest: float
    late: int


_SINCE = attrgetter("since")


@dataclass(slots=True)
class Ledger:
    """What one noun of one centre has folded: the last log offset, and what came from each source."""

    offset: int = -1
    sources: dict[str, Source] = field(default_factory=dict)
    gone: dict[str, Gone] = field(default_factory=dict)
    floor: float = 0.0
    """The newest event of any source that not even `gone` remembers."""
    kept: int = 0
    """Ids remembered of all sources."""

    @property
    def newest(self) -> float:
        """The latest time of any event that was ever admitted, also of one that counted for nothing; epoch seconds."""
        told = [book.newest for book in self.sources.values()]
        return max((self.floor, *told, *(gone.newest for gone in self.gone.values())))

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
            book = self._open(source, time)
        strand: Any = book.strands[-1]
        if time > strand.newest:
            if time > strand.turned + LATENESS:
                strand = self._go_on(book, strand, time)
            strand.newest = time
        elif (time < strand.newest and (strand := self._strand_at(book, time)) is None) or time <= strand.floor:
            book.late += 1
            return "late"
        # Our own ids are short; a long foreign one is hashed to keep the state small.
        key = event_id if len(event_id) <= 20 else blake2b(event_id.encode(), digest_size=10).hexdigest()
        if key in strand.ids or key in strand.before:
            return "duplicate"
        if self.kept >= IDS:
            self._make_room()
        strand.ids[key] = 1
        self.kept += 1
        return "folded"

    def _go_on(self, book: Source, strand: Strand, time: float) -> Strand:
        """The clock of a strand moves to `time`, by more than a generation: on the same strand, or with a leap onto a new one."""
        if time <= strand.newest + LATENESS:
            self.kept -= strand.turn(time)
            return strand
        place = book.strands.index(strand) + 1
        after = book.strands[place] if place < len(book.strands) else None
        if after is not None and after.since - time <= LATENESS and not after.is_late(time):
            # The beginning of what is there already, told a little late.
            after.since = time
            return after
        leapt = Strand(time, time, time)
        book.strands.insert(place, leapt)
        if len(book.strands) > STRANDS:
            self.kept -= book.strands.pop(0).kept
        return leapt

    def _strand_at(self, book: Source, time: float) -> Strand | None:
        """The strand of an event that is older than the newest of its source; None if it is late."""
        place = bisect_right(book.strands, time, key=_SINCE) - 1
        if place < 0:
            return None
        strand = book.strands[place]
        if time > strand.newest:
            if time > strand.turned + LATENESS:
                strand = self._go_on(book, strand, time)
            strand.newest = max(strand.newest, time)
        return None if strand.is_late(time) else strand

    def _open(self, name: str, time: float) -> Source:
        """The book of a source that is not known, or no longer."""
        if len(self.sources) >= SOURCES:
            self._close_some(time)
        known, late = self.gone.pop(name, Gone(self.floor, 0))
        book = Source([Strand(known, known, known, floor=known) if known else Strand(time - LATENESS, time, time)], late)
        self.sources[name] = book
        return book

    def _close_some(self, time: float) -> None:
        """Forget the ids of those that have been silent for long, but of one at least."""
        others = sorted((book.newest, name) for name, book in self.sources.items() if not name.endswith(OWN))
        for newest, name in [pair for pair in others if pair[0] < time - LATENESS] or others[:1]:
            book = self.sources.pop(name)
            self.kept -= sum(strand.kept for strand in book.strands)
            self.gone[name] = Gone(newest, book.late)
        while len(self.gone) > GONE:
            self.floor = max(self.floor, self.gone.pop(next(iter(self.gone))).newest)

    def _make_room(self) -> None:
        """Forget the oldest ids of whoever has the most."""
        while self.kept >= IDS:
            strands = (strand for book in self.sources.values() for strand in book.strands)
            fattest = max(strands, key=lambda strand: strand.kept)
            self.kept -= fattest.turn(fattest.newest)

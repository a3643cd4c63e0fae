"""Timeline: what was told of one seat, in any order, and how the seat stood at any moment.

In which queues it is, in which of them it is paused and how long it wraps up follows from all changes up to a moment, in the
order of their own time: the order of telling makes no difference, within the hour that is remembered.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from itertools import islice
from operator import itemgetter
from typing import Annotated, Any, NamedTuple

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from streams.core.spans import Span

REMEMBERED_SECONDS = 3600
"""Changes longer ago than this before the newest are known by what they led to."""

CHANGES = 160
"""The most changes that are kept one by one; beyond it the oldest go, and the time before the others is not known."""

ROOM = 32
"""After so many more changes what is no longer needed one by one is put together."""

QUEUES = 16
"""The most queues of a seat that are told apart."""

SEEN, MEMBER, PAUSE, WRAP_UP = range(4)
"""What a change is of. Those at one moment are in this order: who is seen and leaves has left, and cannot be paused any more."""


class Change(NamedTuple):
    """From when, epoch seconds; of what; in which queue, "" for all of them; and to which word.

    A word is "in" of a member that joins, the reason of a pause, and of a wrap-up how many seconds it takes. An empty one is the
    end of what it is of.
    """

    time: float
    kind: int
    queue: str
    word: str


@dataclass(slots=True)
class Standing:
    """How a seat stands at a moment."""

    told: bool = False
    """Whether a log-in or log-out ever was."""
    queues: list[str] = field(default_factory=list)
    """In which it is, as far as was told."""
    loose: bool = False
    """Whether it is there without a word of the queues."""
    pauses: dict[str, tuple[float, str]] = field(default_factory=dict)
    """Since when and why it is paused, or not, by queue; "" stands for those that are not named here."""
    paused_since: float = 0.0
    wraps_up_since: float = 0.0
    wraps_up_until: float = 0.0
    wraps_up_for: str = ""
    """The queue that the wrap-up was told of, if it was."""

    @property
    def there(self) -> bool:
        """Whether it is logged in."""
        return self.loose or bool(self.queues)

    @property
    def pause(self) -> str:
        """Why it is paused: in all its queues, else it is not."""
        if not self.pauses:
            return ""
        overall = self.pauses.get("", (0.0, ""))
        told = [self.pauses.get(queue, overall) for queue in self.queues] or [overall]
        return max(told)[1] if all(word for _, word in told) else ""

    def apply(self, change: Change) -> None:
        """Go on to the next change, unless it is of a wrap-up."""
        time, kind, queue, word = change
        if kind == SEEN:
            self._join(queue)
            return
        paused = self.pause
        if kind == PAUSE:
            if not queue and self.there:
                self.pauses = {"": (time, word)}
            elif queue in self.queues:
                self.pauses[queue] = time, word
        elif word:
            self.told = True
            self._join(queue)
            self.loose |= not queue
        else:
            self.told = True
            self._leave(queue, time)
        if not paused and self.pause:
            self.paused_since = time

    def _join(self, queue: str) -> None:
        if not queue:
            self.loose |= not self.queues
        elif queue not in self.queues:
            self.queues.append(queue)

    def _leave(self, queue: str, time: float) -> None:
        # Of whoever is there without a word of the queues, this one is all that is known: the rest is told by name or seen again.
        self.loose = False
        if not queue:
            self.queues.clear()
        elif queue in self.queues:
            self.queues.remove(queue)
        if not self.queues:
            self.pauses.clear()
        elif "" in self.pauses:
            self.pauses[queue] = time, ""  # whoever joins it again is not paused in it
        else:
            self.pauses.pop(queue, None)

    def copy(self) -> "Standing":
        """Another one that stands the same."""
        return Standing(
            self.told,
            [*self.queues],
            self.loose,
            {**self.pauses},
            self.paused_since,
            self.wraps_up_since,
            self.wraps_up_until,
            self.wraps_up_for,
        )


class Pause(NamedTuple):
    """A pause from one moment to another, epoch seconds, and why, as a timeline names the reason."""

    start: float
    end: float
    reason: str


class WrapUp(NamedTuple):
    """A wrap-up from one moment to another, epoch seconds, and the queue that it was told of, if it was."""

    start: float
    end: float
    queue: str


@dataclass(slots=True)
class Past:
    """What a seat was up to a moment, and how it stands then."""

    standing: Standing
    there: list[Span] = field(default_factory=list)
    """When it was logged in."""
    pauses: list[Pause] = field(default_factory=list)
    """When it was paused, the pause that goes on among them."""
    wraps: list[WrapUp] = field(default_factory=list)
    """When it wrapped up, the wrap-up that goes on among them."""

    def wrapped_up(self, until: float) -> None:
        """The wrap-up that was last told of, if there was one, is over by then."""
        standing = self.standing
        end = min(until, standing.wraps_up_until)
        if standing.wraps_up_since < end:
            self.wraps.append(WrapUp(standing.wraps_up_since, end, standing.wraps_up_for))


@dataclass(slots=True)
class Course:
    """A seat's time as far as its changes were followed: what of it is over, and since when the rest goes on."""

    past: Past
    there_from: float
    pause_from: float
    static: bool
    followed: int = 0
    """How many changes."""

    def follow(self, changes: Sequence[Change], until: float) -> None:
        """Go on to the last change up to a moment; they are ascending, and those followed already the same as then."""
        past = self.past
        standing = past.standing
        there, pause = standing.there, standing.pause
        for change in islice(changes, self.followed, None):
            time, kind, queue, word = change
            if time > until:
                break
            self.followed += 1
            if kind == SEEN:
                # Most of all that is told.
                if there and (not queue or queue in standing.queues):
                    continue
            elif kind == WRAP_UP:
                if there:
                    past.wrapped_up(time)
                    standing.wraps_up_since, standing.wraps_up_until = time, time + float(word or 0)
                    standing.wraps_up_for = queue
                continue
            standing.apply(change)
            if there and not standing.there:
                past.there.append((self.there_from, time))
                past.wrapped_up(time)
                standing.wraps_up_until = 0.0
            elif standing.there and not there:
                self.there_from = time
            there, before, pause = standing.there, pause, standing.pause
            if pause != before:
                if before:
                    past.pauses.append(Pause(self.pause_from, time, before))
                self.pause_from = time

    def at(self, until: float) -> Past:
        """What the seat was up to a moment at or after the last change followed."""
        over = self.past
        past = Past(over.standing.copy(), [*over.there], [*over.pauses], [*over.wraps])
        if past.standing.there and until >= self.there_from:
            past.there.append((self.there_from, until))
            past.wrapped_up(until)
        if (pause := past.standing.pause) and until > self.pause_from:
            past.pauses.append(Pause(self.pause_from, until, pause))
        return past


@dataclass(slots=True)
class Timeline:
    """The changes of one seat, ascending, each with its own time in epoch seconds."""

    changes: list[Change] = field(default_factory=list)
    before: Standing = field(default_factory=Standing)
    """How it stood before the first of them."""
    since: float = 0.0
    """From when on they are known; what is older and told later changes nothing."""
    queues: list[str] = field(default_factory=list)
    """The queues that are told apart."""
    tidy_at: int = ROOM
    """With so many changes it is time to put some together."""
    course: Annotated[Any, SkipJsonSchema(), Field(exclude=True)] = field(default=None, compare=False, repr=False)
    """How far its changes were followed when it was asked last; None where any of these became another since."""

    @property
    def newest(self) -> float:
        """When the last change was."""
        return self.changes[-1].time if self.changes else self.since

    @property
    def known(self) -> float:
        """Since when anything is known of the seat."""
        return self.since or (self.changes[0].time if self.changes else float("inf"))

    def has(self, queue: str) -> bool:
        """Whether a queue is told apart from the others; from now on it is if there is room."""
        if queue in self.queues:
            return True
        if len(self.queues) >= QUEUES:
            used = {*self.before.queues, *self.before.pauses, *(change.queue for change in self.changes)}
            self.queues = [known for known in self.queues if known in used]
        if len(self.queues) >= QUEUES:
            return False
        self.queues.append(queue)
        return True

    def put(self, change: Change) -> bool:
        """Remember a change, whenever it is told. Of two of one thing at one moment the one told later holds.

        Returns whether it is time to `tidy`.
        """
        changes = self.changes
        if change[0] < self.since:
            return False
        # What comes in order, as nearly all does, needs no search.
        if not changes or changes[-1][0] < change[0]:
            changes.append(change)
            return len(changes) >= self.tidy_at
        self.course = None
        place = bisect_left(changes, change[:3])
        if place < len(changes) and changes[place][:3] == change[:3]:
            changes[place] = change
            return False
        changes.insert(place, change)
        return len(changes) >= self.tidy_at

    def tidy(self) -> tuple[list[Past], int]:
        """Put together what is no longer needed change by change.

        Returns what was before, of which pauses and wrap-ups are from now on to be known elsewhere, and how many changes of the
        hour were given up because there is no room for them.
        """
        self.course = None
        horizon, lost = self.newest - REMEMBERED_SECONDS, 0
        old = bisect_right(self.changes, horizon, key=itemgetter(0))
        over = [self.forget(self.changes[old - 1].time)] if old else []
        self._thin()
        if len(self.changes) >= CHANGES:
            first = bisect_right(self.changes, self.changes[CHANGES // 8].time, key=itemgetter(0))
            lost = sum(change.time > horizon for change in self.changes[:first])
            over.append(self.forget(self.changes[first].time))
        self.tidy_at = min(len(self.changes) + ROOM, CHANGES)
        return over, lost

    def forget(self, until: float) -> Past:
        """Put together what was before a moment, and return it without the wrap-up that goes on."""
        self.course = None
        past = self.replay(until, [change for change in self.changes if change.time < until])
        self.before, self.since = past.standing, until
        self.changes = [change for change in self.changes if change.time >= until]
        if past.standing.wraps_up_until > until:
            past.wraps = [wrap for wrap in past.wraps if wrap.start != past.standing.wraps_up_since]
        else:
            past.standing.wraps_up_since = past.standing.wraps_up_until = 0.0
        return past

    def _thin(self) -> None:
        """Leave out that it was seen where it was known to be there, but for the last time: a log-out may be told late."""
        standing, kept, seen = self.before.copy(), [], None
        for change in self.changes:
            if change[1] == WRAP_UP:
                kept.append(change)
            elif change[1] == SEEN and standing.there and (not change[2] or change[2] in standing.queues):
                seen = change
            else:
                standing.apply(change)
                kept.append(change)
        if seen is not None:
            insort(kept, seen)
        self.changes = kept

    def replay(self, until: float, changes: Sequence[Change] | None = None, *, static: bool = False) -> Past:
        """What it was up to a moment, and how the seat stands then.

        `changes` stand in for its own, ascending; a `static` seat is there unless something else was told.
        """
        if changes is not None:
            course = self._begin(static=static)
            course.follow(changes, until)
            return course.at(until)
        # From one scrape to the next little is told, and nothing of most seats.
        course = self.course
        if course is None or course.static != static or (course.followed and self.changes[course.followed - 1].time > until):
            course = self.course = self._begin(static=static)
        course.follow(self.changes, until)
        return course.at(until)

    def _begin(self, *, static: bool) -> Course:
        standing = self.before.copy()
        standing.loose |= static and not standing.told
        return Course(Past(standing), self.since, self.since, static)


@lru_cache(maxsize=4096)
def short(queue: str) -> str:
    """A few letters for a queue's code: a seat has few queues, and many changes of them."""
    return blake2b(queue.encode("utf-8", "replace"), digest_size=3).hexdigest()

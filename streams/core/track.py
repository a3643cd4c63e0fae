"""A track: what something was when, told in any order."""

from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import pairwise

from streams.core.spans import Span, within

REMEMBERED_SECONDS = 3600
"""Of the changes longer ago than this before the newest only the last is kept: it says how the hour began."""

CHANGES = 100
"""The most changes that are kept; beyond it the oldest go, and the time before them is not known."""


@dataclass(slots=True)
class Track:
    """The changes of one thing, ascending: from when, in epoch seconds, and to which word; an empty one is none."""

    changes: list[tuple[float, str]] = field(default_factory=list)

    def put(self, time: float, word: str, most: int = CHANGES) -> tuple[str, float] | None:
        """Remember a change, whenever it is told, and `most` of them. Of two at the same moment the one told later holds.

        Returns the word and the seconds of a stretch that is thereby known to be over, if there is one. A later correction finds
        nothing new in it: no second is returned twice.
        """
        changes = self.changes
        # What comes in order, as nearly all does, needs no search.
        place = len(changes) if changes and changes[-1][0] <= time else bisect_right(changes, time, key=_moment)
        if place and changes[place - 1][0] == time:
            changes[place - 1] = time, word
            return None
        if place == 0 and (len(changes) == most or (changes and changes[0][0] <= changes[-1][0] - REMEMBERED_SECONDS)):
            return None
        start, before = changes[place - 1] if place else (time, "")
        over = None
        if place == len(changes):
            over = (before, time - start) if before else None
        elif word and not before:
            over = word, changes[place][0] - time
        changes.insert(place, (time, word))
        horizon = changes[-1][0] - REMEMBERED_SECONDS
        while len(changes) > 1 and (changes[1][0] <= horizon or len(changes) > most):
            del changes[0]
        return over

    def at(self, now: float) -> tuple[str, float]:
        """The word at `now` and when it was last told; empty if none ever was."""
        place = bisect_right(self.changes, now, key=_moment)
        return (self.changes[place - 1][1], self.changes[place - 1][0]) if place else ("", 0.0)

    def begun(self, now: float) -> float:
        """When the words that follow each other without a gap up to `now` began."""
        place = bisect_right(self.changes, now, key=_moment)
        while place > 1 and self.changes[place - 2][1]:
            place -= 1
        return self.changes[place - 1][0]

    def spans(self, since: float, until: float, longest: float = float("inf")) -> list[Span]:
        """When between two moments there was a word; one that is not changed holds, but for `longest` seconds at most."""
        changes = pairwise([*self.changes, (until, "")])
        held = ((start, min(end, start + longest)) for (start, word), (end, _) in changes if word)
        return within(held, since, until)


def _moment(change: tuple[float, str]) -> float:
    return change[0]

"""What is learned from the past: how long seats talk and wrap up, how soon they pick up, and how patient callers are."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import inf, log1p
from random import Random
from typing import NamedTuple

from streams.analysis.whatif.past import Call, Past, turnarounds
from streams.core.centre import Centre
from streams.core.patience import FEWEST, Queued
from streams.core.staffing import FEWEST_CALLS

MANY_FREE = 4
"""Where so many seats are free or more, it makes no difference how many."""

WEEKS = 4
"""Of so many weeks or parts of them each is learned by itself; of fewer, each day."""

Key = tuple[object, ...]
Talks = Mapping[Key, Sequence[float]]


Block = tuple[int, ...]
"""A week or a day, of which the calls are alike."""


class Patience(NamedTuple):
    """How long callers wait before they hang up, in seconds: exponential, with another mean up to `short` than after it.

    In every telephone queue some hang up in the first seconds, and those who stay are more patient than all are on average.
    """

    mean: float
    """Of all, as `streams/core/patience.py` has it."""
    early: float
    late: float
    short: float

    def draw(self, luck: float) -> float:
        """That of one caller, by his luck from 0 to 1."""
        units = -log1p(-luck)
        return min(units * self.early, self.short) + max(0.0, units - self.short / self.early) * self.late


@dataclass(frozen=True, slots=True)
class Learned:
    """What some calls teach: talk times by whose they are, and patience by queue (None: of all)."""

    talks: Talks
    patience: Mapping[str | None, Patience]

    def talk(self, call: Call, *, nuisance: bool, luck: float) -> float | None:
        """Seconds of a conversation with this caller, drawn by his luck from those that were like it; None of too few."""
        found = next(
            (found for key in _keys(call, nuisance=nuisance) if len(found := self.talks.get(key, ())) >= FEWEST_CALLS), None
        )
        return None if found is None else found[int(luck * len(found))]


@dataclass(frozen=True, slots=True)
class Fit:
    """What a past taught: all of it, and each block of it by itself.

    Weeks differ by more than chance, and what is asked about is not those that were learned from. So each block of a run goes by
    one that is drawn: else its interval would be too narrow.
    """

    whole: Learned
    blocks: Sequence[Learned]
    weekly: bool
    """Whether blocks are weeks, of which there are enough; else they are days."""
    pick_ups: Mapping[int, Sequence[float]]
    """By how many seats were free, seconds that callers waited whom a free seat answered, ascending; 0 stands for all."""
    wrap_up: float
    """Mean seconds between two conversations of a seat while callers wait."""
    wrap_ups: int
    """Of how many that was seen; 0 where it is what was told, or the centre's file says."""
    nuisance: float | None
    """Share of pranks and silent calls among those of which it was said what they were; None where none was."""
    hung_up: int
    """Callers who hung up while they waited."""

    def draw(self, calls: Iterable[Call], random: Random) -> dict[str, Learned]:
        """What the calls of each date go by: as many blocks as were learned are drawn, and of them one for each of these."""
        known = random.choices(self.blocks, k=len(self.blocks))
        dates = sorted({call.date for call in calls})
        of = {block: random.choice(known) for block in sorted({_block(date, weekly=self.weekly) for date in dates})}
        return {date: of[_block(date, weekly=self.weekly)] for date in dates}

    def talk(self, learned: Learned, call: Call, *, nuisance: bool, luck: float) -> float:
        """Seconds of a conversation with this caller."""
        for each in (learned, self.whole):
            found = each.talk(call, nuisance=nuisance, luck=luck)
            if found is not None:
                return found
        anything = self.whole.talks[()]
        return anything[int(luck * len(anything))]

    def patience(self, learned: Learned, queue: str) -> Patience | None:
        """That of the callers in this queue; None if they wait for ever."""
        return learned.patience.get(queue) or self.whole.patience.get(queue) or self.whole.patience.get(None)

    @property
    def talked(self) -> int:
        """Conversations of which it is known how long they were."""
        return len(self.whole.talks.get((), ()))

    def pick_up(self, free: int, luck: float) -> float:
        """Seconds until one of so many free seats answers."""
        found = self.pick_ups.get(min(free, MANY_FREE)) or self.pick_ups.get(0)
        return found[int(luck * len(found))] if found else 0.0


def learn(past: Past, centre: Centre) -> Fit:
    """What the calls of a range teach."""
    calls = past.counted
    weekly = len({_block(call.date, weekly=True) for call in calls}) >= WEEKS
    blocks = defaultdict(list)
    for call in calls:
        blocks[_block(call.date, weekly=weekly)].append(call)
    gaps = turnarounds(past.calls)
    wrap_up = past.wrap_up if past.wrap_up is not None else centre.wrap_up_seconds
    if enough := len(gaps) >= FEWEST_CALLS:
        wrap_up = sum(gaps) / len(gaps)
    said = [call.nuisance for call in calls if call.nuisance is not None]
    short = centre.thresholds.short_abandon_seconds
    return Fit(
        whole=_learn(calls, short),
        blocks=[_learn(block, short) for _, block in sorted(blocks.items())],
        weekly=weekly,
        pick_ups=_pick_ups(past),
        wrap_up=wrap_up,
        wrap_ups=len(gaps) if enough else 0,
        nuisance=sum(said) / len(said) if said else None,
        hung_up=sum(bool(call.queued) and call.fate == "waited" and not call.answered for call in calls),
    )


def _block(day: str, *, weekly: bool) -> Block:
    year, week, weekday = date.fromisoformat(day).isocalendar()
    return (year, week) if weekly else (year, week, weekday)


def _keys(call: Call, *, nuisance: bool) -> Iterator[Key]:
    """Those whose conversations are taken to be as long as this one's, the nearest first."""
    yield nuisance, call.queue, call.hour
    yield nuisance, call.queue
    yield (nuisance,)
    yield ()


def _learn(calls: Iterable[Call], short: float) -> Learned:
    talks: defaultdict[Key, list[float]] = defaultdict(list)
    queued: defaultdict[str | None, list[tuple[float, bool]]] = defaultdict(list)
    for call in calls:
        if call.talk is not None:
            for key in _keys(call, nuisance=bool(call.nuisance)):
                talks[key].append(call.talk)
        if call.queued and call.fate not in ("gone", "announcement"):
            for queue in (call.queue, None):
                queued[queue].append((call.queued, call.fate == "waited" and not call.answered))
    found = ((queue, _patience(waits, short)) for queue, waits in queued.items())
    return Learned(dict(talks), {queue: patience for queue, patience in found if patience is not None})


def _patience(waits: Sequence[tuple[float, bool]], short: float) -> Patience | None:
    """Of seconds waited, and whether that ended by hanging up; None of too few who did."""
    mean, early, late = (
        Queued(
            round(sum(max(0.0, min(wait, end) - start) for wait, _ in waits) * 1e6),
            sum(hung_up and start < wait <= end for wait, hung_up in waits),
        ).patience
        for start, end in ((0.0, inf), (0.0, short), (short, inf))
    )
    if mean is None:
        return None
    return Patience(mean, mean, mean, short) if early is None or late is None else Patience(mean, early, late, short)


def _pick_ups(past: Past) -> dict[int, list[float]]:
    """How long those waited who found a seat free and nobody waiting."""
    edges: list[tuple[float, int, str, int]] = []
    for stay in past.stays:
        edges += [(stay.start, 1, "there", 1), (stay.until, 0, "there", -1)]
    for number, call in enumerate(past.calls):
        enters = call.at + call.announcement
        if call.fate not in ("gone", "announcement"):
            edges.append((enters, 3, "came", number))
        if call.queued:
            edges.append((enters + call.queued, 2, "waiting", -1))
        if call.talks_from is not None and call.talk is not None:
            edges += [(call.talks_from, 4, "talking", 1), (call.talks_from + call.talk, 1, "talking", -1)]
    now = {"there": 0, "talking": 0, "waiting": 0}
    found: defaultdict[int, list[float]] = defaultdict(list)
    for _, _, what, step in sorted(edges):
        if what != "came":
            now[what] += step
            continue
        call, free = past.calls[step], now["there"] - now["talking"]
        if free > 0 and not now["waiting"] and call.answered and call.queued is not None and call.counts:
            found[min(free, MANY_FREE)].append(call.queued)
            found[0].append(call.queued)
        now["waiting"] += bool(call.queued)
    return {free: sorted(waits) for free, waits in found.items() if not free or len(waits) >= FEWEST}

"""What is learned from the past: how long seats talk and wrap up, how soon they pick up, and how patient callers are."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from random import Random

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


@dataclass(frozen=True, slots=True)
class Learned:
    """What some calls teach: talk times by whose they are, and mean patience by queue (None: of all), in seconds."""

    talks: Talks
    patience: Mapping[str | None, float | None]

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

    def patience(self, learned: Learned, queue: str) -> float | None:
        """Mean seconds that a caller in this queue waits before he hangs up; None if for ever."""
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
    return Fit(
        whole=_learn(calls),
        blocks=[_learn(block) for _, block in sorted(blocks.items())],
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


def _learn(calls: Iterable[Call]) -> Learned:
    talks: defaultdict[Key, list[float]] = defaultdict(list)
    queued: defaultdict[str | None, list[int]] = defaultdict(lambda: [0, 0])
    for call in calls:
        if call.talk is not None:
            for key in _keys(call, nuisance=bool(call.nuisance)):
                talks[key].append(call.talk)
        if call.queued and call.fate not in ("gone", "announcement"):
            for queue in (call.queue, None):
                queued[queue][0] += round(call.queued * 1e6)
                queued[queue][1] += call.fate == "waited" and not call.answered
    return Learned(dict(talks), {queue: Queued(waited, hung_up).patience for queue, (waited, hung_up) in queued.items()})


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

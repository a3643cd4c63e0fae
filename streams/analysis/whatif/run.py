"""One run: the calls of the past, with what is drawn for each, through the centre that is simulated."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import inf
from random import Random
from typing import NamedTuple

from streams.analysis.whatif.centre_model import Caller, CentreModel
from streams.analysis.whatif.change import Change
from streams.analysis.whatif.fit import Fit, Learned
from streams.analysis.whatif.past import WARM_UP, Call, Past, Stay
from streams.core.centre import Centre
from streams.core.hourly import HOUR
from streams.core.shifts import planned

QUARTER = 900
"""Seconds: no zone's clock is off by anything finer."""


class Outcome(NamedTuple):
    """What became of a call: whether it was answered, and seconds from its arrival until then or until it left, if known."""

    call: Call
    answered: bool
    wait: float | None


class Luck(NamedTuple):
    """What chance does to one caller, each from 0 to 1: the same in every run of one seed, whatever is changed."""

    patience: float
    talk: float
    pick_up: float
    is_nuisance: float
    comes: float


@dataclass(frozen=True, slots=True)
class World:
    """A past and what was learned, to be run with changes."""

    past: Past
    fit: Fit
    centre: Centre

    def run(self, change: Change, seed: str, *, no_other_seats: bool = False) -> list[Outcome]:
        """What becomes of the calls of the range; of one seed they are the same callers. With `no_other_seats` only those of the
        change are there.
        """
        random = Random(seed)  # noqa: S311 (a simulation, no secret)
        learned = self.fit.draw(self.past.calls, random)
        stays = [*_without_pauses(self.past.stays, random)]
        found: list[Outcome] = []
        callers: list[tuple[Caller, Call]] = []
        for call in self.past.calls:
            luck = Luck(*(random.random() for _ in Luck._fields))
            nuisance = self._is_nuisance(call, luck)
            if nuisance and luck.comes >= change.nuisance:
                continue
            made = self._caller(call, learned[call.date], change, luck, nuisance=nuisance)
            if isinstance(made, Caller):
                callers.append((made, call))
            else:
                found.append(made)
        callers.sort(key=lambda each: each[0].enters)
        steps = self._steps([] if no_other_seats else stays, change)
        ends = CentreModel([caller for caller, _ in callers], steps, self.fit.pick_up, self.past.time_out).run()
        found += [Outcome(call, end.answered, end.at - call.at) for (_, call), end in zip(callers, ends, strict=True)]
        return [outcome for outcome in found if outcome.call.counts]

    def _is_nuisance(self, call: Call, luck: Luck) -> bool:
        if call.nuisance is None and self.fit.nuisance is not None:
            return luck.is_nuisance < self.fit.nuisance
        return bool(call.nuisance)

    def _caller(self, call: Call, learned: Learned, change: Change, luck: Luck, *, nuisance: bool) -> Caller | Outcome:
        """Who comes into the queue; or what becomes of one who never does."""
        new = change.announcement
        heard = call.announcement if new is None else new
        # Who came through the announcement, or a part of it, has the patience of the queue from there on.
        begins = min(call.announcement, heard)
        if call.fate == "announcement":
            begins = call.wait or 0.0
            if new is None or new >= begins:
                return Outcome(call, False, call.wait)
        elif call.fate == "gone":
            return Outcome(call, False, call.wait)
        patience = self.fit.patience(learned, call.queue)
        leaves = inf if patience is None else begins + patience.draw(luck.patience)
        if call.fate == "turned_away" or (call.fate == "dropped" and change.network):
            leaves = min(leaves, call.wait or 0.0)
        if leaves <= heard:
            return Outcome(call, False, leaves)
        holds = (self.fit.talk(learned, call, nuisance=nuisance, luck=luck.talk) + self.fit.wrap_up) * change.handle
        return Caller(call.at + heard, call.at + leaves, holds, luck.pick_up)

    def _steps(self, stays: Sequence[Stay], change: Change) -> Counter[float]:
        """The moments at which seats come and go."""
        steps: Counter[float] = Counter()
        for stay in stays:
            steps[stay.start] += 1
            steps[stay.until] -= 1
        for shifts, sign in ((change.more, 1), (change.fewer, -1)):
            for start, until, n in planned(shifts, *self.span(), self.centre.timezone):
                steps[start] += sign * n
                steps[until] -= sign * n
        return steps

    @property
    def days(self) -> int:
        """Days of the range on which calls came."""
        return len({call.date for call in self.past.counted})

    def seat_hours(self) -> list[float]:
        """Hours of seats that were there in the range, by the hour of the day; a pause is spread over its whole stay."""
        found = [0.0] * 24
        since = next(call.at for call in self.past.calls if call.counts)
        for stay in self.past.stays:
            start, until = max(stay.start, since), min(stay.until, self.past.calls[-1].at)
            share = 1 - stay.paused / (stay.until - stay.start) if stay.until > stay.start else 0.0
            while start < until:
                end = min(until, (start // QUARTER + 1) * QUARTER)
                found[datetime.fromtimestamp(start, self.centre.timezone).hour] += share * (end - start) / HOUR
                start = end
        return found

    def span(self) -> tuple[float, float]:
        """From when until when calls came, with some time after, epoch seconds."""
        return self.past.calls[0].at, self.past.calls[-1].at + WARM_UP


def _without_pauses(stays: Sequence[Stay], random: Random) -> Iterator[Stay]:
    """The times in which seats could answer. When in its stay a seat paused is not known, and drawn: once, for as long as all its
    pauses were.
    """
    for stay in stays:
        if stay.paused <= 0:
            yield stay
            continue
        start = stay.start + random.random() * max(0.0, stay.until - stay.start - stay.paused)
        yield Stay(stay.start, start)
        yield Stay(min(stay.until, start + stay.paused), stay.until)

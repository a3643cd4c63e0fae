"""What is said: what was beside what the model makes of it, and what a change makes, with intervals."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist, fmean, stdev
from typing import NamedTuple

from streams.analysis.whatif.change import NOTHING, Change
from streams.analysis.whatif.run import Outcome, World
from streams.core.erlang import TARGETS
from streams.core.survival import quantile

TARGET = "90_15"
SHARE, WITHIN = TARGETS[TARGET]
JUDGED = ("answered", "in_time", "mean_wait", "longest_wait")
"""The figures by which the model is judged."""
Z = NormalDist().inv_cdf(1 - 0.025 / len(JUDGED))
"""So many standard deviations around the mean lie all of them in 95 % of the runs, at least (Bonferroni)."""


class Figures(NamedTuple):
    """What is said of calls. Waits are of those answered, in seconds from the arrival; None where none was."""

    offered: float
    answered: float | None
    """Share of all that were offered."""
    in_time: float | None
    """Share of all that were offered and were answered within 15 s."""
    mean_wait: float | None
    longest_wait: float | None
    """The 90th percentile."""


class Band(NamedTuple):
    """Mean of the runs, and between what the figures of 95 % of them lie, all of `JUDGED` at once, if they are spread as the
    normal distribution is.
    """

    mean: float
    lower: float
    upper: float


class Share(NamedTuple):
    """How many calls came that did not leave at once or in the announcement, and how many of them were answered within 15 s."""

    came: int
    met: int


@dataclass(frozen=True, slots=True)
class Runs:
    """What all runs of one change came to: each by itself, and all together by the hour of the day."""

    figures: Sequence[Figures] = ()
    hours: Sequence[Share] = (Share(0, 0),) * 24

    def band(self, name: str) -> Band | None:
        """What they say of one figure; None where there are fewer than two that do."""
        return _band([value for value in (getattr(run, name) for run in self.figures) if value is not None])


@dataclass(frozen=True, slots=True)
class Answer:
    """All that is said of calls, but for what each hour needs."""

    was: Figures
    hours: Sequence[Share]
    """What was, by the hour of the day."""
    model: Runs
    changed: Runs
    """Of the same seeds; none without a change, or where the model does not reproduce what was."""

    @property
    def misses(self) -> list[str]:
        """The figures that what was has outside the band of the model."""
        found = []
        for name in JUDGED:
            was, made = getattr(self.was, name), self.model.band(name)
            if was is not None and not (made is not None and made.lower - EXACT <= was <= made.upper + EXACT):
                found.append(name)
        return found

    def difference(self, name: str) -> Band | None:
        """By how much the change makes a figure more, seed by seed."""
        pairs = ((getattr(a, name), getattr(b, name)) for a, b in zip(self.changed.figures, self.model.figures, strict=False))
        return _band([after - before for after, before in pairs if after is not None and before is not None])


EXACT = 1e-9
"""Runs that are all the same are so but for rounding."""

Track = Callable[[Sequence[int]], Iterable[int]]
"""Passes the numbers of runs on, and may show how many are done."""


def answer(world: World, change: Change, runs: int, seed: int, track: Track = lambda numbers: numbers) -> Answer:
    """Run the past as it was, and if that reproduces it, with the change. The same input gives the same answer.

    There is at least one call of the range.
    """
    was = [Outcome(call, call.answered, call.wait) for call in world.past.counted]
    found = Answer(figures(was), by_hour(was), _runs(world, NOTHING, runs, seed, track), Runs())
    if change == NOTHING or found.misses:
        return found
    return replace(found, changed=_runs(world, change, runs, seed, track))


def figures(outcomes: Sequence[Outcome]) -> Figures:
    """What is said of these calls."""
    waits = sorted(wait for _, answered, wait in outcomes if answered and wait is not None)
    n = len(outcomes)
    return Figures(
        n,
        sum(answered for _, answered, _ in outcomes) / n if n else None,
        sum(wait <= WITHIN for wait in waits) / n if n else None,
        fmean(waits) if waits else None,
        quantile(waits, [], 90) if waits else None,
    )


def by_hour(outcomes: Iterable[Outcome]) -> list[Share]:
    """How many came and were answered in time, by the hour of the day."""
    came, met = [0] * 24, [0] * 24
    for call, answered, wait in outcomes:
        if call.fate not in ("gone", "announcement"):
            came[call.hour] += 1
            met[call.hour] += answered and wait is not None and wait <= WITHIN
    return [Share(*both) for both in zip(came, met, strict=True)]


def together(parts: Iterable[Sequence[Share]]) -> list[Share]:
    """All of them added up, hour by hour."""
    return [Share(sum(share.came for share in each), sum(share.met for share in each)) for each in zip(*parts, strict=True)]


def _runs(world: World, change: Change, runs: int, seed: int, track: Track) -> Runs:
    found, hours = [], []
    for number in track(range(runs)):
        outcomes = world.run(change, f"{seed} {number}")
        found.append(figures(outcomes))
        hours.append(by_hour(outcomes))
    return Runs(found, together(hours))


def _band(values: Sequence[float]) -> Band | None:
    if len(values) < 2:
        return None
    mean, spread = fmean(values), Z * stdev(values)
    return Band(mean, mean - spread, mean + spread)

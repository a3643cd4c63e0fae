"""Level and scatter: how far the last hours were from what their profile let expect, and how much hours differ beyond chance.

The formulas are in `streams/core/README.md`, Calls expected.
"""

from dataclasses import dataclass
from math import sqrt

from streams.core.hourly import WEEK_HOURS

FADE, PRIOR = 0.85, 20.0
"""What is left of the level's knowledge after an hour; and it believes in 1 as if so many expected calls had come as expected."""

USUAL_SCATTER = 0.02
"""By which hours are weighed against each other, whatever they scatter here."""

SPIKE = 3.0
"""What an hour brings beyond so many standard deviations is an event of its own: no change of level, no pattern of the week."""

OUTLIER = 5.0
"""An error of more standard deviations makes the scatter no larger."""

MOST_SCATTER = 0.5
"""Hours that scatter more are not known yet, rather than so unlike."""

SCATTER_FADE = 1 - 1 / WEEK_HOURS
"""How much of what was known of the scatter is left after each hour."""


@dataclass(slots=True)
class Level:
    """How many times the profile's calls come at present: a gamma variable of shape `came` and rate `expected`, both of the last
    hours, discounted (West and Harrison 1997, chapter 14). 1 where nothing else is known.
    """

    came: float = PRIOR
    expected: float = PRIOR

    @property
    def mean(self) -> float:
        """Calls that came per call expected."""
        return self.came / self.expected

    def learn(self, calls: float, profile: float) -> None:
        """An hour brought so many calls, of which the profile expected so many; what is beyond `SPIKE` is cut to it."""
        mean = profile * self.mean
        usual = mean + SPIKE * sqrt(usual_variance(mean))
        weight = 1 / (1 + USUAL_SCATTER * profile)
        self.came += weight * min(max(calls, 2 * mean - usual), usual)
        self.expected += weight * profile

    def age(self, hours: int = 1) -> None:
        """So many hours go by."""
        kept = FADE**hours
        self.came = kept * self.came + (1 - kept) * PRIOR
        self.expected = kept * self.expected + (1 - kept) * PRIOR


@dataclass(slots=True)
class Scatter:
    """How much hours differ from what was expected of them, beyond chance: s of the variance m + s m² (negative binomial).

    Sums over the hours, faded: of squared errors less their means, and of squared means (moments; Cameron and Trivedi 2013, 3.2).
    """

    hours: int = 0
    beyond: float = 0.0
    squares: float = 0.0

    @property
    def value(self) -> float:
        """The scatter, 0 where hours scatter no more than chance lets them."""
        return min(MOST_SCATTER, max(0.0, self.beyond / self.squares)) if self.squares > 0 else 0.0

    def learn(self, calls: int, mean: float) -> None:
        """An hour brought so many calls, of which so many were expected an hour ahead."""
        self.hours += 1
        beside = 1 + self.value * mean
        error = min((calls - mean) ** 2, OUTLIER**2 * mean * beside)
        self.beyond = SCATTER_FADE * self.beyond + (error - mean) / beside**2
        self.squares = SCATTER_FADE * self.squares + (mean / beside) ** 2


def usual_variance(mean: float) -> float:
    """The variance that is usual of an hour of this mean."""
    return mean * (1 + USUAL_SCATTER * mean)

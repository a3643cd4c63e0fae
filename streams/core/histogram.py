"""Seconds counted into fixed bounds: percentiles are read from these and never averaged."""

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Self

BOUNDS = (1.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 60.0, 120.0, 300.0)
"""Upper bounds in seconds, inclusive, of what concerns calls. 15 and 20 are NENA-STA-020.1's, so compliance is a bucket ratio
and not a guess."""


@dataclass(slots=True)
class Histogram:
    """Observed seconds: a count per bound, the last one for all above, and their sum. The bounds are its metric's."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    sum: float = 0.0

    @classmethod
    def over(cls, bounds: tuple[float, ...]) -> Self:
        """An empty one for other bounds, which `observe` then has to be given."""
        return cls([0] * (len(bounds) + 1))

    def observe(self, seconds: float, bounds: tuple[float, ...] = BOUNDS, n: int = 1) -> None:
        """Count one value, or take it back where `n` is -1; what equals a bound is within it."""
        self.counts[bisect_left(bounds, seconds)] += n
        self.sum += n * seconds

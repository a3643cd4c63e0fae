"""A share of a count with its uncertainty: at ten calls a quarter of an hour a bare percentage misleads."""

from functools import lru_cache
from math import sqrt
from statistics import NormalDist

Z = NormalDist().inv_cdf(0.975)


@lru_cache(maxsize=4096)
def wilson(successes: int, n: int) -> tuple[float, float]:
    """Wilson score interval, 95 %, of `successes` out of `n` > 0. Wilson (1927), J. Am. Stat. Assoc. 22, 209-212."""
    share = successes / n
    spread = Z * sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
    middle, scale = share + Z * Z / (2 * n), 1 + Z * Z / n
    # At the ends rounding would leave 1e-17 instead of the exact bound.
    lower = 0.0 if successes == 0 else (middle - spread) / scale
    upper = 1.0 if successes == n else (middle + spread) / scale
    return lower, upper

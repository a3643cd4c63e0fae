"""Probability: how probable it is that chance alone brings so many calls, so few, or none.

A count of mean m whose rate itself scatters is negative binomial (gamma-Poisson): variance m + s m², with the scatter s. Without
scatter it is Poisson. All in logarithms, so that what is next to impossible is a small number and not 0.
"""

from functools import lru_cache
from math import exp, expm1, inf, lgamma, log, log1p

_LEAST_SCATTER = 1e-9
"""Below it the negative binomial is Poisson to the last digit that is said."""

_NEGLIGIBLE = 1e-17

DAY_SECONDS = 86_400


def at_least(calls: int, mean: float, scatter: float = 0.0) -> float:
    """P(X >= calls)."""
    if calls <= 0:
        return 1.0
    if mean <= 0:
        return 0.0
    # The smaller of the two tails, summed from its largest term on.
    if calls > mean:
        return min(1.0, _tail(calls, mean, scatter, up=True))
    return max(0.0, 1.0 - _tail(calls - 1, mean, scatter, up=False))


def at_most(calls: int, mean: float, scatter: float = 0.0) -> float:
    """P(X <= calls)."""
    if calls < 0:
        return 0.0
    if mean <= 0:
        return 1.0
    if calls < mean:
        return min(1.0, _tail(calls, mean, scatter, up=False))
    return max(0.0, 1.0 - _tail(calls + 1, mean, scatter, up=True))


def none_in_a_day(missing: float, calls_per_day: float, scatter: float = 0.0) -> float:
    """How probable it is that a day brings a silence, by chance, in which `missing` calls should have come.

    Every one of a day's calls can be the last before such a silence; that one is, has the probability P(X = 0) of the mean
    `missing`, and that any of them is 1 - exp(-calls_per_day P).
    """
    alone = -missing if scatter < _LEAST_SCATTER else -log1p(scatter * missing) / scatter
    return -expm1(-max(1.0, calls_per_day) * exp(alone))


def bunch_in_a_day(calls: int, mean: float, seconds: float, scatter: float = 0.0) -> float:
    """How probable it is that a day of such hours brings by chance `calls` calls within so many seconds, in which `mean` are due.

    Each of the day's calls can complete such a bunch: those before it then are `calls` - 1 in the window that it ends. Of those
    that see so many a share of about mean / calls only follows another that did (Alm 1983; Naus 1982).
    """
    if calls <= max(1.0, mean):
        return 1.0
    if mean <= 0:
        return 0.0
    completed = DAY_SECONDS / seconds * mean * (1 - mean / calls)
    return -expm1(-completed * exp(_log_of(calls - 1, mean, scatter)))


@lru_cache(maxsize=4096)
def band(mean: float, scatter: float = 0.0, share: float = 0.95) -> tuple[int, int]:
    """The counts between which `share` of all lie: the quantiles of (1 - share) / 2 and (1 + share) / 2."""
    if mean <= 0:
        return 0, 0
    tail = (1 - share) / 2
    spread = (mean + scatter * mean * mean) ** 0.5
    lower = max(0, int(mean - 4 * spread))
    below = at_most(lower, mean, scatter)
    while below < tail:
        lower += 1
        below += exp(_log_of(lower, mean, scatter))
    upper = max(lower, int(mean))
    below = at_most(upper, mean, scatter)
    while below < 1 - tail:
        upper += 1
        below += exp(_log_of(upper, mean, scatter))
    return lower, upper


def _log_of(calls: int, mean: float, scatter: float) -> float:
    """log P(X = calls)."""
    if scatter < _LEAST_SCATTER:
        return calls * log(mean) - mean - lgamma(calls + 1)
    size = 1 / scatter
    return (
        lgamma(size + calls)
        - lgamma(size)
        - lgamma(calls + 1)
        - size * log1p(mean / size)
        + (calls * -log1p(size / mean) if calls else 0.0)
    )


def _tail(calls: int, mean: float, scatter: float, *, up: bool) -> float:
    """The sum of P(X = n) from `calls` on, upwards or downwards, away from the mean."""
    term = total = 1.0
    size = inf if scatter < _LEAST_SCATTER else 1 / scatter
    share = mean if size == inf else mean / (size + mean)
    number = calls
    while term > _NEGLIGIBLE * total:
        # P(n + 1) / P(n) is m / (n + 1) of Poisson, (size + n) / (n + 1) share else.
        if up:
            term *= share / (number + 1) if size == inf else (size + number) * share / (number + 1)
            number += 1
        elif number == 0:
            break
        else:
            term *= number / share if size == inf else number / ((size + number - 1) * share)
            number -= 1
        total += term
    return exp(_log_of(calls, mean, scatter) + log(total))

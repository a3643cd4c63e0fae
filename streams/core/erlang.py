"""Erlang's formulas: how many seats a number of calls needs, with callers who wait for ever (C) or lose patience (A)."""

from bisect import bisect_left
from functools import lru_cache
from math import ceil, exp, expm1, inf, log

TARGETS = {"90_15": (0.90, 15.0), "95_20": (0.95, 20.0)}
"""NENA-STA-020.1-2020: shares of calls to be answered within so many seconds."""

SEATS = 10_000
"""Where more would be needed than this, that is said and not how many."""

_NEGLIGIBLE = 1e-12
_SMALLEST = -700.0
"""The logarithm of about the smallest number that a computer tells from none."""


def erlang_c(seats: int, erlangs: float) -> float:
    """P(wait > 0) of M/M/n; `erlangs` is the offered load: calls per second times handle seconds. 1 if the queue only grows."""
    if erlangs >= seats:
        return 1.0
    blocked = 1.0  # Erlang B, by its recursion in the number of seats
    for number in range(1, seats + 1):
        blocked = erlangs * blocked / (number + erlangs * blocked)
    return blocked / (1 - erlangs / seats * (1 - blocked))


def answered_within(seats: int, erlangs: float, handle: float, seconds: float) -> float:
    """Share of calls answered within `seconds` by Erlang C; `handle` is the mean handle time in seconds."""
    if erlangs >= seats:
        return 0.0
    return 1 - erlang_c(seats, erlangs) * exp(-(seats - erlangs) * seconds / handle)


def answered_within_patience(
    seats: int, erlangs: float, handle: float, patience: float, seconds: float, least: float = 0.0
) -> float:
    """Share of all calls answered within `seconds` by Erlang A (M/M/n+M; Garnett, Mandelbaum, Reiman 2002).

    `patience` is the mean time in seconds after which a caller who was not answered hangs up. Who hangs up was not answered,
    however early. Below `least` it may be said to be more than it is, if that is still less: with too few seats for callers who
    wait very long, there are millions of states in which nobody is answered in time.
    """
    c, theta = seats / handle, 1 / patience  # rates of service by all seats, and of giving up
    weight = 1.0  # of a state, against that of an empty centre; scaled down before it overflows
    free = total = 1.0
    for busy in range(1, seats + 1):
        weight *= erlangs / busy
        total += weight
        if busy < seats:
            free += weight
        if total > 1e200:
            weight, free, total = weight / 1e200, free / 1e200, total / 1e200
    # An arrival that finds all seats busy and m callers waiting is served when m + 1 of those ahead are gone. If it did not give
    # up itself that would take the sum of exponential times with rates c, c + theta, ... c + m theta; that it is served
    # before giving up, and within `seconds`, is c / (c + (m + 1) theta) times P(sum of rates each higher by theta <= seconds),
    # which is the tail of a beta variable at exp(-theta * seconds), 1 - x below.
    a, x = c / theta + 1, -expm1(-theta * seconds)
    logarithm = -a * theta * seconds
    served, waiting, term, below = free, 0, exp(logarithm), 0.0
    while True:
        below += term
        served += weight * c / (c + (waiting + 1) * theta) * max(0.0, 1 - below)
        waiting += 1
        if logarithm < _SMALLEST:
            logarithm += log((a + waiting - 1) / waiting * x)
            term = exp(logarithm)
        else:
            term *= (a + waiting - 1) / waiting * x
        weight *= erlangs / handle / (c + waiting * theta)
        total += weight
        if weight < _NEGLIGIBLE * total or (1 - below < _NEGLIGIBLE and served < least * total):
            return served / total


@lru_cache(maxsize=8192)
def seats_needed(erlangs: float, handle: float, patience: float | None, target: str) -> float:
    """The fewest seats that meet a target of `TARGETS`, infinite for more than `SEATS`: by Erlang A with a patience in seconds,
    by Erlang C without. `erlangs` is the offered load, `handle` the mean handle time in seconds.

    Raises ValueError for a handle time or patience that is not above zero.
    """
    if handle <= 0 or (patience is not None and patience <= 0):
        raise ValueError("handle time and patience must be above zero")
    share, seconds = TARGETS[target]
    # However patient callers are, seats answer no more than they can.
    if share * erlangs > SEATS:
        return inf
    if patience is None:
        return _seats_by_erlang_c(erlangs, handle, share, seconds)

    # More seats never answer less: up in steps that grow until it is met, then between the last two.
    def level(seats: int) -> float:
        return answered_within_patience(seats, erlangs, handle, patience, seconds, share)

    too_few, step = max(0, ceil(share * erlangs) - 1), 1
    while level(enough := too_few + step) < share:
        if enough >= SEATS:
            return inf
        too_few, step = enough, min(2 * step, SEATS - enough)
    return too_few + 1 + bisect_left(range(too_few + 1, enough), share, key=level)


def _seats_by_erlang_c(erlangs: float, handle: float, share: float, seconds: float) -> float:
    blocked = 1.0
    for seats in range(1, SEATS + 1):
        blocked = erlangs * blocked / (seats + erlangs * blocked)
        if seats > erlangs:
            waits = blocked / (1 - erlangs / seats * (1 - blocked))
            if 1 - waits * exp(-(seats - erlangs) * seconds / handle) >= share:
                return seats
    return inf

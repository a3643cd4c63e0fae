"""Erlang's formulas: how many seats a number of calls needs, with callers who wait for ever (C) or lose patience (A)."""

from functools import lru_cache
from math import exp, log

TARGETS = {"90_15": (0.90, 15.0), "95_20": (0.95, 20.0)}
"""NENA-STA-020.1-2020: shares of calls to be answered within so many seconds."""

SEATS = 500
"""No centre needs more; where more would be needed this is said."""

_NEGLIGIBLE = 1e-12


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


def answered_within_patience(seats: int, erlangs: float, handle: float, patience: float, seconds: float) -> float:
    """Share of all calls answered within `seconds` by Erlang A (M/M/n+M; Garnett, Mandelbaum, Reiman 2002).

    `patience` is the mean time in seconds after which a caller who was not answered hangs up. Who hangs up was not answered,
    however early.
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
    # which is the tail of a beta variable at exp(-theta * seconds).
    a, x = c / theta + 1, exp(-theta * seconds)
    served, waiting, term, below = free, 0, exp(a * log(x)), 0.0
    while True:
        below += term
        served += weight * c / (c + (waiting + 1) * theta) * max(0.0, 1 - below)
        waiting += 1
        term *= (a + waiting - 1) / waiting * (1 - x)
        weight *= erlangs / handle / (c + waiting * theta)
        total += weight
        if weight < _NEGLIGIBLE * total:
            return served / total


@lru_cache(maxsize=8192)
def seats_needed(calls_per_hour: float, handle: float, patience: float | None, target: str) -> int:
    """The fewest seats that meet a target of `TARGETS`: by Erlang A with a patience in seconds, by Erlang C without.

    Raises ValueError for a handle time or patience that is not above zero.
    """
    if handle <= 0 or (patience is not None and patience <= 0):
        raise ValueError("handle time and patience must be above zero")
    share, seconds = TARGETS[target]
    erlangs = calls_per_hour * handle / 3600
    # However patient callers are, seats answer no more than they can.
    for seats in range(max(1, min(SEATS, int(share * erlangs))), SEATS):
        if patience is None:
            met = answered_within(seats, erlangs, handle, seconds)
        else:
            met = answered_within_patience(seats, erlangs, handle, patience, seconds)
        if met >= share:
            return seats
    return SEATS

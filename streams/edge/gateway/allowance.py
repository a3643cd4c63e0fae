"""How much one sender may ask of a server that others need too: so many events a second, and so many requests at once."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

BURST_SECONDS = 10.0
"""So long a sender that was silent may send at once what it may send in that time."""

AT_ONCE = 8
"""Requests of one token that are answered at once: each holds its body in memory while it waits."""


class Allowance:
    """What one token has left."""

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        """`rate` in events a second."""
        self._rate, self._clock = rate, clock
        self._level, self._at = rate * BURST_SECONDS, clock()
        self._places = AT_ONCE

    @property
    def wait_seconds(self) -> float:
        """How long until something may be sent; 0 for now."""
        now = self._clock()
        self._level, self._at = min(self._rate * BURST_SECONDS, self._level + (now - self._at) * self._rate), now
        return max(0.0, -self._level / self._rate)

    def spend(self, events: int) -> None:
        """Events came, however many: what is too much is waited for before the next."""
        self._level -= events

    @contextmanager
    def place(self) -> Iterator[bool]:
        """Whether there was room for one more request; it takes it until the end of the block."""
        free = self._places > 0
        self._places -= free
        try:
            yield free
        finally:
            self._places += free

"""A pace: no more requests to one host in a minute than it allows."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from functools import cache

A_MINUTE = 50
"""BMKG allows 60 from one address; the rest is for what comes closer together on the way."""


class Pace:
    """Lets so many through in any minute, and makes the others wait."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    ) -> None:
        self._clock, self._sleep = clock, sleep
        self._let_through: deque[float] = deque(maxlen=A_MINUTE)

    async def wait(self) -> None:
        """Return when one more may go."""
        while len(self._let_through) == A_MINUTE and (left := self._let_through[0] + 60 - self._clock()) > 0:
            await self._sleep(left)
        self._let_through.append(self._clock())


@cache
def of(host: str) -> Pace:
    """The pace of a host, which all that ask it in this process share."""
    return Pace()

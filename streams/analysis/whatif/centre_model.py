"""A centre that is simulated: one line of callers, first come, first served, and seats that come and go."""

from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, NamedTuple

import simpy


@dataclass(frozen=True, slots=True)
class Caller:
    """Who waits. Moments are epoch seconds, in the order of which callers are given."""

    enters: float
    """When he comes into the queue."""
    leaves: float
    """When he has gone if nobody answered; infinite for one who waits for ever."""
    holds: float
    """How many seconds a seat is busy with him: conversation and wrap-up."""
    luck: float = 0.0
    """From 0 to 1: which of the times that seats take to pick up it will be."""


class End(NamedTuple):
    """Whether a caller was answered, and the moment at which he was or left."""

    answered: bool
    at: float


PickUp = Callable[[int, float], float]
"""Seconds that seats let a caller wait who finds so many of them free; the other number is his luck."""


def at_once(_free: int, _luck: float) -> float:
    """Seats that answer as soon as somebody calls."""
    return 0.0


class CentreModel:
    """One run: who is answered, and when.

    A seat that leaves while it talks leaves afterwards. With the same callers, who wait for ever and are picked up at once, more
    seats let nobody wait longer.
    """

    def __init__(
        self, callers: Sequence[Caller], seats: Mapping[float, int], pick_up: PickUp = at_once, time_out: float = inf
    ) -> None:
        """`seats` are the moments at which seats come (+) and go (-), and how many. After each `time_out` in seconds a caller who
        waits goes to the end of the line.
        """
        self._callers, self._seats = callers, sorted(seats.items())
        self._pick_up, self._time_out = pick_up, time_out
        begins = [self._seats[0][0]] if self._seats else []
        self._env = simpy.Environment(min([*begins, *(caller.enters for caller in callers[:1])], default=0.0))
        self._there = self._busy = 0
        self._line: deque[int] = deque()
        self._ends: list[End | None] = [None] * len(callers)
        self._waiting = 0

    def run(self) -> list[End]:
        """What becomes of every caller, in the order in which they were given."""
        self._env.process(self._shifts())
        self._env.process(self._arrivals())
        self._env.run()
        return [End(False, self._env.now) if end is None else end for end in self._ends]

    def _shifts(self) -> Generator[simpy.Event, Any, None]:
        for moment, step in self._seats:
            if moment > self._env.now:
                yield self._env.timeout(moment - self._env.now)
            self._there += step
            self._next()

    def _arrivals(self) -> Generator[simpy.Event, Any, None]:
        for number, caller in enumerate(self._callers):
            if caller.enters > self._env.now:
                yield self._env.timeout(caller.enters - self._env.now)
            free = self._there - self._busy
            if free > 0 and not self._waiting:
                self._serve(number, self._pick_up(free, caller.luck))
                continue
            self._line.append(number)
            self._waiting += 1
            if caller.leaves < inf:
                self._later(caller.leaves - self._env.now, self._give_up, number)
            if self._time_out < inf:
                self._later(self._time_out, self._queue_again, number)

    def _later(self, seconds: float, then: Callable[[int], None], number: int) -> None:
        event = self._env.timeout(max(0.0, seconds))
        event.callbacks.append(lambda _: then(number))

    def _serve(self, number: int, after: float) -> None:
        caller, now = self._callers[number], self._env.now
        self._busy += 1
        if caller.leaves <= now + after and after:
            self._ends[number] = End(False, max(now, caller.leaves))
            self._later(caller.leaves - now, self._free, number)
        else:
            self._ends[number] = End(True, now + after)
            self._later(after + caller.holds, self._free, number)

    def _free(self, _number: int) -> None:
        self._busy -= 1
        self._next()

    def _give_up(self, number: int) -> None:
        if self._ends[number] is None:
            self._ends[number] = End(False, self._env.now)
            self._waiting -= 1

    def _queue_again(self, number: int) -> None:
        if self._ends[number] is None:
            self._line.remove(number)
            self._line.append(number)
            self._later(self._time_out, self._queue_again, number)

    def _next(self) -> None:
        while self._waiting and self._busy < self._there:
            number = self._line.popleft()
            if self._ends[number] is None:
                self._waiting -= 1
                self._serve(number, 0.0)

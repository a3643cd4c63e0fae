"""The spool as collectors and the forwarder use it: one thread does its work, and who finds no room waits or is refused."""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from schemas.event import Event
from schemas.topics import encode
from streams.edge.spool import Spool, SpoolFullError
from streams.sources.door import Door

log = logging.getLogger(__name__)

T = TypeVar("T")

LOOK_SECONDS = 5.0
"""How often who waits for room looks again, besides whenever something was sent: others, too, may have made room on the disk."""

PIECE = 500
"""Most events of one transaction."""


class Keeper:
    """One spool between those who put and the one who sends. `refused` counts, by collector, what found no room."""

    def __init__(self, spool: Spool, door: Door) -> None:
        self.spool, self.door = spool, door
        self.refused: Counter[str] = Counter()
        self.is_full = False
        self.came, self._room = asyncio.Event(), asyncio.Event()
        self._thread = ThreadPoolExecutor(1, "spool")

    async def do(self, work: Callable[..., T], *arguments: object) -> T:
        """The answer of one method of the spool, called in its thread. Raises what that raises."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)

    def ask(self, work: Callable[[], T]) -> T:
        """The same for another thread, which waits for it."""
        return self._thread.submit(work).result()

    def close(self) -> None:
        """Finish what was begun, and let go of the spool."""
        self._thread.submit(self.spool.close)
        self._thread.shutdown()

    def made_room(self) -> None:
        """Something was sent: let those that wait look again."""
        self._room.set()

    async def wait_for_room(self) -> None:
        """Return when looking again makes sense."""
        self._room.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._room.wait(), LOOK_SECONDS)

    def say_full(self, is_full: bool) -> None:
        """Remember, and say at each change, whether there is room."""
        if is_full and not self.is_full:
            log.error(
                "%s is full, or its disk is: files that are followed wait, the newest events of other sources are refused and "
                "counted. See whether the destination answers, and make room on the disk",
                self.spool.path,
            )
        elif self.is_full and not is_full:
            log.warning("%s has room again; %d events were refused so far", self.spool.path, self.refused.total())
        self.is_full = is_full


class SpoolInbox:
    """One collector's way into the spool."""

    def __init__(self, keeper: Keeper, collector: str, rereads: bool) -> None:
        self._keeper, self._collector, self._rereads = keeper, collector, rereads
        self._position = keeper.ask(lambda: keeper.spool.position(collector))

    @property
    def position(self) -> str | None:
        """What this collector said last, in a run before perhaps; None at the very first start."""
        return self._position

    async def put(self, events: Sequence[Event], position: str | None = None) -> None:
        """Return when the events, and with them the position, are on disk; see `Inbox`. Raises `SpoolError`."""
        let_in = [(one.time.timestamp(), encode(one)) for event in events if (one := self._keeper.door.admit(event)) is not None]
        for start in range(0, max(1, len(let_in)), PIECE):
            piece = let_in[start : start + PIECE]
            # The position is behind all of them: it goes with the last.
            is_last = start + PIECE >= len(let_in)
            await self._put(piece, position if is_last else None)
        if position is not None:
            self._position = position

    async def _put(self, events: list[tuple[float, bytes]], position: str | None) -> None:
        if not events and position is None:
            return
        keeper = self._keeper
        while True:
            try:
                await keeper.do(lambda: keeper.spool.put(self._collector, events, position, rereads=self._rereads))
            except SpoolFullError:
                keeper.say_full(True)
                if not self._rereads:
                    keeper.refused[self._collector] += len(events)
                    return
                await keeper.wait_for_room()
            else:
                keeper.say_full(False)
                keeper.came.set()
                return

"""When a worker must not go on, and how it ends."""

import logging
import os
import sys
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn

log = logging.getLogger(__name__)

FENCED = 70
"""Exit code of a worker that must not go on: it was frozen, or a chunk is missing. Starting it again is safe."""

NOT_FOLDED = 71
"""Exit code of a worker that has noted in Kafka that a record cannot be folded: who starts next, puts that record aside."""

UNREADABLE = 72
"""Exit code of a worker that cannot read a state in Kafka. Starting it again does not help: its last line says what does."""


class Fence:
    """Ends the process when it finds that it stood still so long that another may own its partitions."""

    def __init__(self, limit: float, clock: Callable[[], float]) -> None:
        self._limit, self._clock = limit, clock
        self._last: float | None = None

    def alive(self) -> None:
        """To be called before anything is folded or published, and often enough in between."""
        now = self._clock()
        if self._last is not None and now - self._last > self._limit:
            die(FENCED, f"stood still for {now - self._last:.1f} s; another worker may own these partitions")
        self._last = now


def die(code: int, why: str) -> NoReturn:
    """End the process at once, so that nothing is acknowledged or published after this moment."""
    log.critical("worker ends: %s", why)
    logging.shutdown()
    sys.stderr.flush()
    os._exit(code)


async def or_die(work: Coroutine[Any, Any, None]) -> None:
    """What goes wrong unseen in a task of its own would go on unseen."""
    try:
        await work
    except Exception:
        log.exception("unexpected")
        die(1, "nothing after the last flush is lost: start the worker again")

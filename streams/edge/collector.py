"""What collects at a centre: something that runs for ever and hands on events, which are on disk before it is told so."""

from collections.abc import Sequence
from typing import Protocol

from schemas.event import Event


class Inbox(Protocol):
    """Where one collector puts what it found: the spool, under the collector's name."""

    @property
    def position(self) -> str | None:
        """What this collector said last, in a run before perhaps; None at the very first start."""

    async def put(self, events: Sequence[Event], position: str | None = None) -> None:
        """Return when the events, and with them the `position` in the source (None: leave it), are on disk.

        Where there is no room, this waits for a collector that can read again later (`rereads`); of the others it refuses the
        newest events, and counts them. Events that the centre's door does not let in are left out.
        """


class Collector(Protocol):
    """One source of a centre."""

    name: str
    """Unique within one edge, and the same in every run; a label of metrics."""
    rereads: bool
    """Whether the source keeps what was not taken yet, as a file does."""

    async def run(self, inbox: Inbox) -> None:
        """Collect until cancelled. An error that may pass (a refused connection) is said and tried again in here."""

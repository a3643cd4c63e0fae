"""A queue_log as it grows and rotates, for ever; how far it was read is kept in the spool, with the events that were read."""

import asyncio
import logging
from collections import Counter

from pydantic import BaseModel, ConfigDict, Field

from schemas.event import Code, Source
from streams.core.centre import Centre
from streams.core.toml import NearPath
from streams.edge import ingest
from streams.edge.collector import Collector, Inbox
from streams.edge.tail import Tail
from streams.sources.asterisk import Reader
from streams.sources.door import Door
from streams.sources.opened import BrokenFileError

log = logging.getLogger(__name__)

BROKEN_SECONDS = 60.0
"""So long a rotated file that breaks off may still be on its way to be whole, before it is passed over."""

BAD_SAID = 20
"""Bad lines that are said one by one; all are counted."""


class FollowConfig(BaseModel):
    """One `[[follow]]` of an edge.toml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Code = "queue_log"
    file: NearPath = Field(description="The queue_log; what was rotated away is looked for beside it.")
    source: Source | None = Field(default=None, description="Name of the exchange, one for each clock; default /CODE/asterisk.")

    def collector(self, centre: Centre, door: Door) -> Collector:
        """What follows the file."""
        return Follow(self, centre, door)


class Follow:
    """Follows one queue_log. `counted`: bad lines, places that were lost, files that break off."""

    rereads = True

    def __init__(self, config: FollowConfig, centre: Centre, door: Door) -> None:
        self.name = config.name
        self.counted: Counter[str] = Counter(bad_lines=0, place_lost=0, broken_files=0)
        self._file, self._centre, self._door = config.file, centre, door
        self._source = config.source or f"/{centre.code}/asterisk"

    async def run(self, inbox: Inbox) -> None:
        """See `Collector`. At the very first start the rotated files are read before, oldest first."""
        tail = Tail(self._file, follow=True, position=inbox.position, older=True)
        broken = ""
        try:
            while True:
                try:
                    await self._read(tail, inbox)
                except BrokenFileError as error:
                    again = str(error) == broken
                    broken = str(error)
                    if again and tail.pass_over():
                        log.error("%s. It is passed over; what follows in it is missing from every number", error)
                        continue
                    self.counted["broken_files"] += 1
                    log.error("%s. It is looked at again in %g s, and then passed over", error, BROKEN_SECONDS)
                    tail.close()
                    await asyncio.sleep(BROKEN_SECONDS)
        finally:
            tail.close()

    async def _read(self, tail: Tail, inbox: Inbox) -> None:
        """Read until the file breaks off."""
        reader = Reader(self._centre, self._source, self._door)
        steps = ingest.steps(tail, True, reader, self._say_bad)
        lost = tail.lost
        while (step := await asyncio.to_thread(next, steps, None)) is not None:
            if tail.lost > lost:
                lost = tail.lost
                self._say_lost()
            await inbox.put(step.events, tail.arrived(reader.held) if step.moved else None)
            if step.is_idle:
                await asyncio.sleep(ingest.LOOK_SECONDS)

    def _say_bad(self, number: int, reason: str) -> None:
        self.counted["bad_lines"] += 1
        if self.counted["bad_lines"] <= BAD_SAID:
            log.warning("%s:%d: %s", self._file, number, reason)

    def _say_lost(self) -> None:
        self.counted["place_lost"] += 1
        log.error(
            "%s: the place where reading stopped is in no file: it was emptied without a copy, or rotated away to where nobody "
            "looks. What is there is read from the beginning; what was written in between and is gone is missing. Keep more "
            "rotated files beside it (rotate in logrotate.d)",
            self._file,
        )

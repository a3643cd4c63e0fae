"""One edge: its collectors, its spool and its forwarder, each kept running whatever happens to the others."""

import asyncio
import logging
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

from streams.core.fault import place_of
from streams.edge.collector import Collector
from streams.edge.forward import Destination, Forwarder
from streams.edge.inbox import Keeper, SpoolInbox
from streams.edge.spool import SpoolError
from streams.sources.opened import words

log = logging.getLogger(__name__)

PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 60.0
"""The first pause before a collector that failed is started again, and the longest."""

CALM_SECONDS = 60.0
"""Who ran for so long begins again with the first pause."""


class Edge:
    """Runs until it is cancelled or signalled. `restarts` counts, by collector, how often one failed."""

    def __init__(
        self, keeper: Keeper, collectors: Sequence[Collector], destination: Destination, pause: float = PAUSE_SECONDS
    ) -> None:
        self.keeper, self.collectors = keeper, collectors
        self.destination = destination
        self.forwarder = Forwarder(keeper, destination)
        self.restarts: Counter[str] = Counter({collector.name: 0 for collector in collectors})
        self._pause = pause

    async def run(self) -> None:
        """Collect and send until SIGTERM or SIGINT. Raises `SpoolError` when the spool cannot go on."""
        loop, stop = asyncio.get_running_loop(), asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        tasks = [
            asyncio.create_task(self._keep("forwarder", self.forwarder.run)),
            *(asyncio.create_task(self._collect(collector)) for collector in self.collectors),
        ]
        stopped = asyncio.create_task(stop.wait())
        try:
            done, _ = await asyncio.wait([stopped, *tasks], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (stopped, *tasks):
                task.cancel()
            await self.destination.close()
            await asyncio.gather(stopped, *tasks, return_exceptions=True)

    async def _collect(self, collector: Collector) -> None:
        inbox = SpoolInbox(self.keeper, collector.name, collector.rereads)
        await self._keep(collector.name, lambda: collector.run(inbox))

    async def _keep(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        """Run it for ever; what ends it is said and counted, and it begins again. Raises `SpoolError` alone."""
        pause = self._pause
        while True:
            began = time.monotonic()
            try:
                await run()
                why = "it ended"
            except SpoolError:
                raise
            except OSError as error:
                why = words(error)
            except Exception as error:
                why = place_of(error)
            if time.monotonic() - began > CALM_SECONDS:
                pause = self._pause
            self.restarts[name] += 1
            log.error("%s: %s; it begins again in %g s", name, why, pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

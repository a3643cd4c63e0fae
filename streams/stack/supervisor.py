"""Starts the stack's services in order, keeps them running, and takes them down in reverse order (Linux only)."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from streams.stack import StackError
from streams.stack.folder import fresh_log, locked, require_room, shorten
from streams.stack.ports import require_free
from streams.stack.service import Entry, Service, Status, Step, last_lines, spawn

POLL = 0.1  # seconds between two looks at readiness
START_LIMIT = 300.0  # seconds until a service that is not ready is taken to hang, also on a machine that is busy
BACK_OFF = (1.0, 30.0)  # seconds before the first restart, and at most; doubled each time
LOGS_LOOKED_AT = 60.0  # seconds between two looks at how long the logs are
CALM = 60.0  # seconds of running after which the back-off starts afresh


class Supervisor:
    """One run of a plan of services and steps in one folder."""

    def __init__(self, home: Path) -> None:
        if not sys.platform.startswith("linux"):
            raise StackError("The local stack runs on Linux only. Elsewhere use `docker compose up`.")
        self.home = home
        self._entries: list[Entry] = []
        self._stop = asyncio.Event()
        self._hurry = asyncio.Event()
        self._signal: int | None = None
        self._lock = -1
        self._on_change: Callable[[], None] = lambda: None

    def status(self) -> list[Status]:
        """Every service and step in the order of the plan."""
        return [entry.status() for entry in self._entries]

    def stop(self) -> None:
        """Ask `run` to take everything down and return."""
        self._stop.set()

    async def run(self, plan: Sequence[Service | Step], on_change: Callable[[], None]) -> int:
        """Start everything, keep it running until a signal or `stop()`, take it down; returns the exit code.

        Call it in the main thread. `on_change` is called at every change of `status()`.
        Exit code: 0 after `stop()`, 130 after Ctrl-C, 143 after SIGTERM, 129 when the terminal went away.
        Errors: StackError when something cannot start; by then all that had started is down again.
        """
        self._on_change = on_change
        with locked(self.home) as self._lock, self._signals():
            require_room(self.home)
            for item in plan:
                for port in item.ports if isinstance(item, Service) else ():
                    require_free(port, item.name)
            self._entries = [Entry(item, since=time.time()) for item in plan]
            starting = asyncio.create_task(self._start_all())
            asked = asyncio.create_task(self._stop.wait())
            logs = asyncio.create_task(self._keep_logs_short())
            try:
                await asyncio.wait({starting, asked}, return_when=asyncio.FIRST_COMPLETED)
                if starting.done():
                    starting.result()
                    await asked
            finally:
                await _cancelled(starting, asked, logs, *(entry.keeper for entry in self._entries if entry.keeper))
                await self._stop_all()
        return 0 if self._signal is None else 128 + self._signal

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        watched = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        for number in watched:
            loop.add_signal_handler(number, self._interrupted, number)
        try:
            yield
        finally:
            for number in watched:
                loop.remove_signal_handler(number)

    def _interrupted(self, number: int) -> None:
        if self._stop.is_set():
            self._hurry.set()  # asked twice: no more grace
        self._signal = number
        self._stop.set()

    def _change(self, entry: Entry, state: str, reason: str | None = None) -> None:
        entry.state, entry.since = state, time.time()
        if reason is not None:
            entry.reason = reason
        self._on_change()

    async def _start_all(self) -> None:
        for entry in self._entries:
            self._change(entry, "starting")
            try:
                if isinstance(entry.item, Step):
                    await entry.item.run()
                    self._change(entry, "done")
                else:
                    fresh_log(self.home, entry.item.name)
                    await self._start(entry, entry.item)
                    entry.keeper = asyncio.create_task(self._keep(entry, entry.item))
            except StackError as why:
                self._change(entry, "failed", str(why))
                raise

    def _log(self, service: Service) -> Path:
        return self.home / "log" / f"{service.name}.log"

    async def _keep_logs_short(self) -> None:
        while True:
            await asyncio.sleep(LOGS_LOOKED_AT)
            for entry in self._entries:
                if isinstance(entry.item, Service):
                    with contextlib.suppress(OSError):  # a full disk: it is looked at again
                        await asyncio.to_thread(shorten, self._log(entry.item))

    async def _start(self, entry: Entry, service: Service) -> None:
        """Spawn and wait until ready. Errors: StackError when it ends before, or takes too long."""
        # Shielded: a cancel between fork and the note of the process would leave it behind.
        spawning = asyncio.ensure_future(spawn(service, self._log(service), self._lock))
        try:
            entry.process = await asyncio.shield(spawning)
        except asyncio.CancelledError:
            entry.process = await spawning
            raise
        self._on_change()
        deadline = time.monotonic() + START_LIMIT
        while not await _is_ready(service):
            if entry.process.returncode is not None:
                raise StackError(
                    f"{service.name} ended with {entry.process.returncode} while starting. {last_lines(self._log(service))}"
                )
            if time.monotonic() > deadline:
                raise StackError(f"{service.name} was not ready within {START_LIMIT:.0f} s. {last_lines(self._log(service))}")
            await asyncio.sleep(POLL)
        self._change(entry, "running")

    async def _keep(self, entry: Entry, service: Service) -> None:
        pause, most = BACK_OFF
        while True:
            assert entry.process is not None
            code = await entry.process.wait()
            _signal_group(entry.process, signal.SIGKILL)  # what it started itself
            if not service.restart:
                self._change(entry, "failed" if code else "done", f"ended with {code}")
                return
            if entry.state == "running" and time.time() - entry.since > CALM:
                pause = BACK_OFF[0]
            self._change(entry, "restarting", f"ended with {code}")
            await asyncio.sleep(pause)
            pause = min(2 * pause, most)
            try:
                require_room(self.home)
                entry.restarts += 1
                await self._start(entry, service)
            except StackError as why:
                self._change(entry, "restarting", str(why))
                await self._end(entry, service)

    async def _stop_all(self) -> None:
        for entry in reversed(self._entries):
            if isinstance(entry.item, Service) and entry.process is not None:
                if entry.process.returncode is None:
                    self._change(entry, "stopping")
                await self._end(entry, entry.item)
                if entry.state not in {"failed", "done"}:
                    self._change(entry, "stopped")

    async def _end(self, entry: Entry, service: Service) -> None:
        """SIGTERM to the group, SIGKILL after the grace or when hurried."""
        assert entry.process is not None
        _signal_group(entry.process, signal.SIGTERM)
        ended = asyncio.create_task(entry.process.wait())
        hurried = asyncio.create_task(self._hurry.wait())
        await asyncio.wait({ended, hurried}, timeout=service.grace, return_when=asyncio.FIRST_COMPLETED)
        _signal_group(entry.process, signal.SIGKILL)
        await ended
        await _cancelled(hurried)


async def _is_ready(service: Service) -> bool:
    try:
        return await asyncio.wait_for(service.ready(), 5)
    except (OSError, TimeoutError):
        return False


def _signal_group(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


async def _cancelled(*tasks: asyncio.Task[None] | asyncio.Task[bool]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

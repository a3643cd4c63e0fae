"""What the supervisor is given and what it tells: services, steps between them, and their states."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from streams.stack import StackError
from streams.stack.die_with_parent import tied

Ready = Callable[[], Awaitable[bool]]  # an OSError counts as no


@dataclass(frozen=True)
class Service:
    """One program that runs until it is stopped; ready when `ready()` says so."""

    name: str
    command: list[str]
    ready: Ready
    ports: tuple[int, ...] = ()  # on the loopback; the first is the one shown
    env: Mapping[str, str] | None = None  # None: as the supervisor's own
    restart: bool = True
    grace: float = 30  # seconds from SIGTERM to SIGKILL
    orphan_signal: signal.Signals = signal.SIGTERM  # what it gets when the supervisor itself is killed


@dataclass(frozen=True)
class Step:
    """Something done once between two services, such as creating topics."""

    name: str
    run: Callable[[], Awaitable[None]]


class Status(NamedTuple):
    """How one service or step is at the moment."""

    name: str
    state: str  # waiting, starting, running, restarting, stopping; at its end done, failed or stopped
    pid: int | None
    port: int | None
    restarts: int
    since: float  # Unix seconds
    reason: str  # why it last ended, or ""


@dataclass
class Entry:
    """What the supervisor remembers of one item of its plan."""

    item: Service | Step
    state: str = "waiting"
    process: asyncio.subprocess.Process | None = None
    restarts: int = 0
    since: float = 0.0
    reason: str = ""
    keeper: asyncio.Task[None] | None = field(default=None, repr=False)

    def status(self) -> Status:
        """As the live display shows it."""
        port = self.item.ports[0] if isinstance(self.item, Service) and self.item.ports else None
        alive = self.process is not None and self.process.returncode is None
        pid = self.process.pid if self.process is not None and alive else None
        return Status(self.item.name, self.state, pid, port, self.restarts, self.since, self.reason)


async def spawn(service: Service, log: Path, keep_open: int) -> asyncio.subprocess.Process:
    """Start the service in a session of its own, tied to this process; it holds the descriptor `keep_open` while it lives."""
    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            *tied(service.command, service.orphan_signal),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=service.env,
            start_new_session=True,
            pass_fds=(keep_open,),
        )


async def run_to_end(name: str, command: list[str], log: Path) -> None:
    """Run a command that ends by itself. Errors: StackError with its last lines; ended with us when cancelled."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *tied(command, signal.SIGKILL),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        code = await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if code != 0:
        raise StackError(f"{name} ended with {code}. {last_lines(log)}")


def last_lines(log: Path, count: int = 5) -> str:
    """The end of a log, introduced by its path."""
    lines = log.read_text(errors="replace").splitlines()[-count:] if log.exists() else []
    return "\n  ".join([f"The end of {log}:", *(line[:300] for line in lines or ["(empty)"])])

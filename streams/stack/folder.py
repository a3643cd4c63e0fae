"""The folder of the local stack: one run at a time, room on its disk, fresh logs."""

import fcntl
import os
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from streams.stack import StackError

ROOM = 2 * 10**9  # bytes; a Kafka that meets a full disk ends, and must not be started again on it
LONGEST_LOG = 16 * 2**20  # bytes; of each service two are kept, for as many years as it runs
PATIENCE = 60.0  # seconds for what a killed run left to end


def private(home: Path) -> None:
    """Make the folder where there is none, and let nobody but its owner into it: Kafka keeps everything that was sent there.

    Errors: StackError when that cannot be.
    """
    try:
        home.mkdir(parents=True, exist_ok=True)
        found = home.stat()
        if found.st_uid != os.geteuid() or found.st_mode & stat.S_ISVTX:
            raise StackError(
                f"Cannot keep callers to ourselves in {home}: others use it too. Choose a folder of its own with --home."
            )
        home.chmod(0o700)
    except OSError as error:
        raise StackError(f"Cannot use {home}: {error.strerror}. Choose another folder with --home.") from None


@contextmanager
def locked(home: Path, patience: float = PATIENCE) -> Iterator[int]:
    """Hold the folder for one run; yields the descriptor of its lock, which children keep open until they have ended.

    Errors: StackError when another run has it, or when what a killed run left does not end.
    """
    private(home)
    with (home / "lock").open("a+") as lock:
        deadline = time.monotonic() + patience
        while not _taken(lock.fileno()):
            lock.seek(0)
            holder = lock.read().strip()
            if holder.isdecimal() and Path(f"/proc/{holder}").exists():
                raise StackError(f"Already running here: process {holder} has {home}. Stop it first (Ctrl-C).")
            if time.monotonic() > deadline:
                raise StackError(f"What an earlier run started has not ended: `fuser {home / 'lock'}` shows it. End it.")
            time.sleep(0.1)
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield lock.fileno()


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def require_room(home: Path, needed: int = ROOM) -> None:
    """Errors: StackError when the disk of `home` has less than so many bytes free."""
    free = shutil.disk_usage(home).free
    if free < needed:
        raise StackError(f"The disk of {home} has {free / 1e9:.1f} GB free; {needed / 1e9:.1f} GB are needed. Make room on it.")


def fresh_log(home: Path, name: str) -> Path:
    """The log file of a service, empty; the last run's is kept as `NAME.log.1`."""
    log = home / "log" / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists():
        os.replace(log, log.with_name(f"{name}.log.1"))
    log.touch()
    return log


def shorten(log: Path, most: int = LONGEST_LOG) -> None:
    """Begin a log anew that has more than so many bytes, while it is written to (O_APPEND); the old is kept as `NAME.log.1`."""
    if log.exists() and log.stat().st_size > most:
        shutil.copyfile(log, log.with_name(f"{log.name}.1"))
        os.truncate(log, 0)

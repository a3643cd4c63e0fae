"""Whether a port of the loopback is free, and who has it if not."""

import errno
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from streams.stack import StackError

LISTENING = "0A"


def require_free(port: int, name: str, proc: Path = Path("/proc")) -> None:
    """Errors: StackError when somebody listens there already; it names the process where /proc tells."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a connection that is just closing is no obstacle
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError as why:
            raise StackError(f"Port {port} ({name}) needs root: choose one above 1023.") from why
        except OSError as why:
            if why.errno != errno.EADDRINUSE:
                raise
            raise StackError(
                f"Port {port} ({name}) is in use{_by(port, proc)}. Stop that program, or choose another port."
            ) from why


def _by(port: int, proc: Path) -> str:
    sockets = {f"socket:[{inode}]" for inode, _ in _listeners(port, proc)}
    for descriptor in proc.glob("[0-9]*/fd/*"):
        try:
            if os.readlink(descriptor) in sockets:
                process = descriptor.parents[1]
                return f" by {(process / 'comm').read_text().strip()} (process {process.name})"
        except OSError:  # it has ended, or is another user's
            continue
    return ""


def is_ours(port: int, proc: Path = Path("/proc")) -> bool:
    """Whether whoever listens there is of our own user."""
    return {listener.user for listener in _listeners(port, proc)} == {os.getuid()}


class _Listener(NamedTuple):
    inode: str
    user: int


def _listeners(port: int, proc: Path) -> Iterator[_Listener]:
    for table in (proc / "net/tcp", proc / "net/tcp6"):
        for line in table.read_text().splitlines()[1:] if table.exists() else ():
            local, state, user, inode = (line.split()[column] for column in (1, 3, 7, 9))
            if state == LISTENING and int(local.rpartition(":")[2], 16) == port:
                yield _Listener(inode, int(user))

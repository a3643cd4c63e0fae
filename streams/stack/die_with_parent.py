"""Become the given command, which gets a signal when its starter dies: `die_with_parent.py STARTER SIGNAL COMMAND…` (Linux only).

A program and not a `preexec_fn`, because Python code between fork and exec may deadlock in a process that has threads.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def tied(command: list[str], signal: int) -> list[str]:
    """The command line that runs `command` tied to this process; start it from the main thread, to which the tie is bound."""
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), str(int(signal)), *command]


if __name__ == "__main__":
    starter, death_signal, *argv = sys.argv[1:]
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
    if os.getppid() != int(starter):  # it died before the tie was made
        sys.exit(1)
    try:
        os.execvp(argv[0], argv)  # noqa: S606
    except OSError as why:
        sys.exit(f"{argv[0]}: {why.strerror}")

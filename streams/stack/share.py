"""Another folder in the place of /usr/share, for one program: what Debian's Alertmanager needs where it is not installed.

Debian has taken the templates out of Alertmanager and compiled in where they are, without a switch to change it. So the program
gets a view of the file system of its own (a mount namespace), in which the unpacked folder is at that place; nobody else sees it.
"""

import os
import subprocess
from pathlib import Path

from streams.stack import StackError

VIEW = """
mount --make-private /proc
mount --rbind / /proc
mount --make-rprivate /proc
mount --rbind "$1" /proc/usr/share
shift
exec /usr/sbin/chroot /proc "$@"
"""
"""The view is built at /proc, which is a mount of its own also where / is none (in a chroot): only such a one can be made
private, and what is mounted on one that is shared would be seen by the whole machine.
"""


def showing(share: Path, command: list[str]) -> list[str]:
    """The command line that becomes `command`, started in /, with `share` in the place of /usr/share; its paths are absolute."""
    # Who is not root may mount only in a user namespace, where he is mapped to it.
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    return ["unshare", *user, "--mount", "--propagation", "unchanged", "sh", "-ec", VIEW, "sh", str(share), *command]


def require_view(share: Path, install: str) -> None:
    """Errors: StackError with what to `install` when this machine lets us build no such view."""
    try:
        tried = subprocess.run(showing(share, ["true"]), capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        why = next(iter(tried.stderr.splitlines()), "without a word") if tried.returncode else None
    except FileNotFoundError:
        why = "there is no program unshare"
    if why is not None:
        raise StackError(
            f"Debian's Alertmanager runs only where it is installed, or in a mount namespace, which this machine refuses ({why})."
            f" As root: {install}"
        )

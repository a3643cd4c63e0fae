"""Takes a picture of every board at the end of the simulated week: `python -m tests.pictures`."""

import os
import shutil
import subprocess
import sys
import tempfile
from email.utils import formatdate
from pathlib import Path

from aiohttp import web_response

from dashboards.boards import FOLDER as BOARDS
from streams.api import Api
from streams.stack import debian
from streams.stack.wall import Wall
from tests.conftest import LOCAL, free_port
from tests.dashboards.test_stack import DASHBOARDS
from tests.dashboards.test_week import END, week

FOLDER = DASHBOARDS / "wall" / "pictures"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
LARGEST = 380_000  # bytes: they are committed
QUIET = ("no-first-run", "disable-background-networking", "disable-component-update", "disable-sync", "disable-quic")


def take(browser: str, address: str, picture: Path) -> None:
    """One board as a television of 1920×1080 shows it."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        flags = ["headless", "no-sandbox", "disable-gpu", *QUIET, "hide-scrollbars", "window-size=1920,1080"]
        flags += ["virtual-time-budget=8000", f"user-data-dir={profile}", f"screenshot={picture}"]
        subprocess.run([browser, *(f"--{flag}" for flag in flags), address], check=True, capture_output=True, timeout=60)


def serve(prometheus: int) -> str:
    """The address of a wall whose server, by whose clock the page goes, is at the end of the week."""
    date = formatdate(END.timestamp(), usegmt=True)
    web_response.rfc822_formatted_time = lambda: date  # type: ignore[attr-defined]
    port = free_port()
    Wall(DASHBOARDS, Api(f"http://127.0.0.1:{prometheus}")).serve(port)
    return f"http://127.0.0.1:{port}"


def main() -> int:
    """Every board; returns the exit code."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        sys.stderr.write("Chromium is missing. On Debian: apt-get install --no-install-recommends chromium\n")
        return 1
    FOLDER.mkdir(exist_ok=True)
    code = 0
    with (
        tempfile.TemporaryDirectory() as home,
        week(debian.ensure(LOCAL / "debian", os.environ["PATH"]), Path(home)) as prometheus,
    ):
        wall = serve(prometheus)
        for board in sorted(BOARDS.glob("*/*.json")):
            uid = f"{board.stem}-{board.parent.name}"
            picture = FOLDER / f"{uid}.png"
            take(browser, f"{wall}/d/{uid}", picture)
            size = picture.stat().st_size
            code |= size > LARGEST
            print(f"{picture.name} {size / 1000:.0f} kB{', too large to commit' if size > LARGEST else ''}")
    return code


if __name__ == "__main__":
    sys.exit(main())

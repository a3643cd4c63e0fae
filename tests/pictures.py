"""Takes a picture of every board from a running wall: `python -m tests.pictures http://127.0.0.1:11206`."""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.request import urlopen

FOLDER = Path(__file__).parents[1] / "dashboards" / "wall" / "pictures"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
LARGEST = 300_000  # bytes: they are committed
QUIET = ("no-first-run", "disable-background-networking", "disable-component-update", "disable-sync", "disable-quic")


def take(browser: str, address: str, picture: Path) -> None:
    """One board as a television of 1920×1080 shows it."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        flags = ["headless", "no-sandbox", "disable-gpu", *QUIET, "hide-scrollbars", "window-size=1920,1080"]
        flags += ["virtual-time-budget=8000", f"user-data-dir={profile}", f"screenshot={picture}"]
        subprocess.run([browser, *(f"--{flag}" for flag in flags), address], check=True, capture_output=True, timeout=60)


def main(wall: str) -> int:
    """Every board; returns the exit code."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        sys.stderr.write("Chromium is missing. On Debian: apt-get install --no-install-recommends chromium\n")
        return 1
    try:
        with urlopen(f"{wall}/boards.json", timeout=10) as answer:
            boards = json.load(answer)
    except OSError as error:
        sys.stderr.write(f"No wall at {wall} ({error}): start one with `make run`, or give its address with WALL=\n")
        return 1
    FOLDER.mkdir(exist_ok=True)
    code = 0
    for board in boards:
        picture = FOLDER / f"{board['uid']}.png"
        take(browser, f"{wall}/d/{board['uid']}", picture)
        size = picture.stat().st_size
        code |= size > LARGEST
        print(f"{picture.name} {size / 1000:.0f} kB{', too large to commit' if size > LARGEST else ''}")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1].rstrip("/")))

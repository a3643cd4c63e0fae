"""Chosen samples of the past, written into blocks of a Prometheus by promtool."""

import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import IO

BLOCK_HOURS = 54
"""2 h · 3³, one of the sizes that Prometheus merges to."""


class RefusedError(Exception):
    """promtool did not take what was written; the message says what it said."""


class Blocks:
    """Writes samples into blocks of a Prometheus, one text and one run of promtool for each of them."""

    def __init__(self, promtool: Path, home: Path, hours: int = BLOCK_HOURS) -> None:
        """The texts lie in `home` while they are needed, the blocks in `data` below it, each of so many `hours`."""
        self._promtool, self._home, self._hours = promtool, home, hours
        self.data = home / "tsdb"
        self.data.mkdir(exist_ok=True)
        self._number = -1
        self._text: IO[str] | None = None
        self._running: list[tuple[Path, subprocess.Popen[bytes]]] = []

    def write(self, moment: int, samples: Iterable[str]) -> None:
        """The samples of one scrape, each text a line or more in the form of the exposition; moments ascend. `RefusedError`."""
        number, at = moment // (self._hours * 3600), f" {moment}\n"
        for text in samples:
            if self._text is None or number != self._number:
                self.close()
                self._number = number
                self._text = (self._home / f"{number}.txt").open("w")
            self._text.write(text.replace("\n", at))
            self._text.write(at)

    def close(self) -> None:
        """The block that is being written is whole."""
        if self._text is None:
            return
        self._text.write("# EOF\n")
        self._text.close()
        path = Path(self._text.name)
        command = [
            *(str(self._promtool), "tsdb", "create-blocks-from", "openmetrics", "-q", f"--max-block-duration={self._hours}h"),
            *(str(path), str(self.data)),
        ]
        self._running.append((path, subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)))
        self._text = None
        if len(self._running) > 1:
            self._wait(1)

    def finish(self) -> None:
        """Wait until all are there. Raises `RefusedError`."""
        self.close()
        self._wait(0)

    def _wait(self, left: int) -> None:
        while len(self._running) > left:
            path, process = self._running.pop(0)
            _, said = process.communicate()
            if process.returncode:
                raise RefusedError(f"promtool did not take {path}: {said.decode(errors='replace').strip()[-300:]}")
            path.unlink()

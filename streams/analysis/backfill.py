"""History into Prometheus: events are folded, measured as they would have been scraped, and written into blocks of its form."""

import subprocess
from collections.abc import Iterable, Iterator, Mapping
from heapq import heappop, heappush
from math import ceil, inf
from pathlib import Path
from typing import IO

from schemas.event import Event
from schemas.topics import TOPIC_OF
from streams.analysis.measure import Traceless
from streams.core.centre import Centre
from streams.core.ledger import LATENESS
from streams.sources import Line
from streams.worker.exposition import exposition
from streams.worker.monitor import Monitor

BLOCK_HOURS = 54
"""2 h · 3³, one of the sizes that Prometheus merges to."""


class BackfillError(Exception):
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
        """The samples of one scrape, each text a line or more in the form of the exposition; moments ascend. `BackfillError`."""
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
        """Wait until all are there. Raises `BackfillError`."""
        self.close()
        self._wait(0)

    def _wait(self, left: int) -> None:
        while len(self._running) > left:
            path, process = self._running.pop(0)
            _, said = process.communicate()
            if process.returncode:
                raise BackfillError(f"promtool did not take {path}: {said.decode(errors='replace').strip()[-300:]}")
            path.unlink()


def scrapes(
    lines: Iterable[Line], centres: Mapping[str, Centre], moments: range, *, beyond: bool = True
) -> Iterator[tuple[int, Monitor]]:
    """Each of the moments, epoch seconds, with all states as they are then: from the first event on to the last of the moments,
    or, where nothing is to be said `beyond` the last event, to the first that is not before it.

    Events are folded in the order of their time, if they are not more than `LATENESS` out of it; what comes later than that is
    folded when it comes, as it is live. What cannot be folded is passed over.
    """
    monitor = Monitor(centres)
    folder, ahead = Traceless(monitor), None
    for place, (time, _, event, written) in enumerate(_in_order(lines)):
        if ahead is None:
            ahead = moments[max(0, ceil((time - moments.start) / moments.step)) :]
        while ahead and ahead[0] < time:
            yield ahead[0], monitor
            ahead = ahead[1:]
        if not ahead:
            return
        folder.fold(TOPIC_OF[event.type].name, [(place, event, written)])
    if ahead is not None:
        for moment in ahead if beyond else ahead[:1]:
            yield moment, monitor


def _in_order(lines: Iterable[Line]) -> Iterator[tuple[float, int, Event, float]]:
    """Time, number, event and since when it stands there. What a clock says that is ahead waits until the others are there."""
    waiting: list[tuple[float, int, Event, float]] = []
    newest = -inf
    for number, line in enumerate(lines):
        if isinstance(line.item, Event):
            time = line.item.time.timestamp()
            heappush(waiting, (time, number, line.item, time if line.written is None else line.written))
            newest = max(newest, time)
            while waiting[0][0] < newest - LATENESS:
                yield heappop(waiting)
    while waiting:
        yield heappop(waiting)


def backfill(
    lines: Iterable[Line], centres: Mapping[str, Centre], moments: range, labels: Mapping[str, str], blocks: Blocks
) -> None:
    """Write what a worker with these events would have said at each of the moments, epoch seconds, from the first event on.

    `labels` are those that a scrape gives every series (job and instance). Raises `BackfillError`.
    """
    own = "{" + "".join(f'{name}="{value}",' for name, value in sorted(labels.items()))

    def measured(monitor: Monitor, at: int) -> Iterator[str]:
        for family in exposition(monitor, at):
            _, _, samples = family.split("\n", 2)
            yield samples.rstrip("\n").replace('{city="', f'{own}city="')

    for moment, monitor in scrapes(lines, centres, moments):
        blocks.write(moment, measured(monitor, moment))
    blocks.finish()

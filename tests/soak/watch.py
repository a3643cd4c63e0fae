"""What the processes of a soak take, sample after sample, and whether it grows."""

import os
import time
from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from statistics import fmean, linear_regression, pstdev
from typing import NamedTuple

TICK = os.sysconf("SC_CLK_TCK")
NOISES, SHARE = 3.0, 0.03
"""What rises by less than so many standard deviations of what is left beside its line, or by less than this share of its mean,
is flat: a garbage collector and a heap move it as much at rest."""


class Sample(NamedTuple):
    """One process at one moment: seconds of the run, bytes, numbers, and the seconds of CPU it has had."""

    at: float
    memory: int
    descriptors: int
    threads: int
    cpu: float


def sample(pid: int, began: float) -> Sample | None:
    """A process now; None when it has just ended."""
    place = Path(f"/proc/{pid}")
    try:
        status = dict(line.split(":", 1) for line in (place / "status").read_text().splitlines())
        times = (place / "stat").read_text().rpartition(")")[2].split()
        descriptors = len(list((place / "fd").iterdir()))
        memory, threads = int(status["VmRSS"].split()[0]) * 1024, int(status["Threads"])
    except (OSError, KeyError):
        return None
    return Sample(time.monotonic() - began, memory, descriptors, threads, (int(times[11]) + int(times[12])) / TICK)


class Line(NamedTuple):
    """A quantity over the run after its warm-up: its mean and most, what it rose by along its line, and its noise around that."""

    mean: float
    most: float
    rise: float
    noise: float

    @property
    def is_flat(self) -> bool:
        """Whether it rises by no more than chance."""
        return self.rise < max(NOISES * self.noise, SHARE * self.mean)


def fit(points: Iterable[tuple[float, float]], after: float) -> Line | None:
    """The line through what was seen after so many seconds of a run; None of too few points."""
    late = [(x, y) for x, y in points if x >= after]
    if len(late) < 5:
        return None
    xs, ys = zip(*late, strict=True)
    slope, start = linear_regression(xs, ys)
    noise = pstdev([y - start - slope * x for x, y in late])
    return Line(fmean(ys), max(ys), slope * (xs[-1] - xs[0]), noise)


def size(folder: Path) -> int:
    """Bytes on disk of all files below a folder."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.lstat().st_blocks * 512
        except OSError:  # a segment that was just deleted
            continue
    return total


class Watch:
    """Samples by process, and numbers by name, of one run."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.processes: dict[str, list[Sample]] = defaultdict(list)
        self.numbers: dict[str, list[tuple[float, float]]] = defaultdict(list)

    @property
    def seconds(self) -> float:
        """How long the run is by now."""
        return time.monotonic() - self.began

    def look(self, pids: dict[str, int]) -> None:
        """One sample of each process."""
        for name, pid in pids.items():
            if found := sample(pid, self.began):
                self.processes[name].append(found)

    def note(self, name: str, value: float) -> None:
        """One number, now."""
        self.numbers[name].append((self.seconds, value))

    def share(self, name: str) -> float:
        """Which part of a core a process took, over the whole run; a restart begins its CPU time anew."""
        samples = self.processes[name]
        steps = [max(0.0, later.cpu - before.cpu) for before, later in pairwise(samples)]
        return sum(steps) / (samples[-1].at - samples[0].at) if len(samples) > 1 else 0.0

    def lines(self, after: float) -> dict[str, Line]:
        """Memory, descriptors and threads of every process, and every number, after so many seconds, where there is enough."""
        points: dict[str, list[tuple[float, float]]] = dict(self.numbers)
        for name, samples in self.processes.items():
            points[f"{name}: memory, MB"] = [(s.at, s.memory / 1e6) for s in samples]
            points[f"{name}: descriptors"] = [(s.at, s.descriptors) for s in samples]
            points[f"{name}: threads"] = [(s.at, s.threads) for s in samples]
        return {name: line for name, seen in points.items() if (line := fit(seen, after))}

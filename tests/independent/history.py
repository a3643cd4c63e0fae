"""What was told of one centre, and the arithmetic that several nouns need: windows, local days, Wilson's interval, buckets.

Times are whole microseconds since 1970, so that nothing is rounded; what is said is seconds.
"""

import json
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from math import sqrt
from typing import Any
from unicodedata import normalize
from zoneinfo import ZoneInfo

SECOND = 1_000_000
MINUTE, HOUR = 60 * SECOND, 3600 * SECOND
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WINDOWS = {"5m": 5 * MINUTE, "15m": 15 * MINUTE, "60m": HOUR}
CALL_BOUNDS = (1.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 60.0, 120.0, 300.0)
Z = 1.959963984540054
"""The normal distribution's 97.5th percentile."""


@dataclass(slots=True)
class Buckets:
    """A histogram: how many values are at most each bound and above the one before, the last for all above, and their sum."""

    counts: list[int]
    sum: float


Figures = dict[tuple[str, ...], float | Buckets]
"""What is said, by a metric's name and the values of its labels but the city, in the catalogue's order."""


@dataclass(slots=True)
class Told:
    """One event: when, of which source, of what kind, and what it says."""

    time: int
    source: str
    type: str
    data: dict[str, Any]


@dataclass
class History:
    """The events of one centre in the order of the log, which is that of time, each once; and what the centre's file says."""

    centre: dict[str, Any]
    events: list[Told] = field(default_factory=list)
    _of: dict[tuple[str, ...], list[Told]] = field(default_factory=dict)
    _labels: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def zone(self) -> ZoneInfo:
        """Where the centre's days begin."""
        return ZoneInfo(self.centre["timezone"])

    def of(self, *nouns: str) -> list[Told]:
        """The events whose type begins with one of these words."""
        if nouns not in self._of:
            self._of[nouns] = [event for event in self.events if event.type.partition(".")[0] in nouns]
        return self._of[nouns]

    @cached_property
    def by_source(self) -> dict[str, list[int]]:
        """When each source told something."""
        times: defaultdict[str, list[int]] = defaultdict(list)
        for event in self.events:
            times[event.source].append(event.time)
        return times

    def named(self, kind: str) -> dict[str, dict[str, Any]]:
        """What the centre's file names of a kind, by its code."""
        parts = [each if isinstance(each, dict) else {"code": each} for each in self.centre.get(kind, ())]
        return {part["code"]: part for part in parts}

    def label(self, kind: str, told: str) -> str:
        """Under which label a queue, a category, an agency or a reason counts."""
        if (kind, told) not in self._labels:
            by_name = {_plain(name): code for code, part in self.named(kind).items() for name in (code, *part.get("also", ()))}
            own = told if kind == "queues" else told.casefold()
            self._labels[kind, told] = by_name.get(_plain(told), "other") if by_name else own
        return self._labels[kind, told]


def _plain(name: str) -> str:
    return "".join(letter for letter in normalize("NFKD", name).casefold() if letter.isalnum())


def read(lines: Iterable[str | bytes], centre: dict[str, Any]) -> History:
    """The history that JSON lines tell; `(source, id)` names an event, and what is told twice counts once."""
    history, seen = History(centre), set()
    for line in lines:
        told = json.loads(line)
        name = told["source"], told["id"]
        if name not in seen:
            seen.add(name)
            history.events.append(Told(moment(told["time"]), told["source"], told["type"], told["data"]))
    return history


def moment(text: str) -> int:
    """The microseconds of a time as it is written in events."""
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1)


def seconds(microseconds: int) -> float:
    """The same in seconds."""
    return microseconds / SECOND


def midnight(now: int, zone: ZoneInfo, days: int = 0) -> int:
    """When the local day began that `now` is in, or the one so many days later."""
    local = (EPOCH + timedelta(microseconds=now)).astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return (local + timedelta(days=days) - EPOCH) // timedelta(microseconds=1)


def buckets(values: Iterable[int], bounds: tuple[float, ...] = CALL_BOUNDS) -> Buckets:
    """Durations in microseconds by bounds in seconds; what equals a bound is within it."""
    limits = [round(bound * SECOND) for bound in bounds]
    counts, total = [0] * (len(bounds) + 1), 0
    for value in values:
        total += value
        counts[bisect_left(limits, value)] += 1
    return Buckets(counts, seconds(total))


def wilson(good: int, n: int) -> tuple[float, float]:
    """Wilson's score interval, 95 %, of `good` out of `n`."""
    share = good / n
    spread = Z * sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
    lower = (share + Z * Z / (2 * n) - spread) / (1 + Z * Z / n)
    upper = (share + Z * Z / (2 * n) + spread) / (1 + Z * Z / n)
    return (0.0 if good == 0 else lower), (1.0 if good == n else upper)


def say_ratio(found: Figures, name: str, labels: tuple[str, ...], good: int, n: int) -> None:
    """Say `good` of `n` and its interval; nothing of none."""
    if n:
        found[name, *labels] = good / n
        found[name + "_lower", *labels], found[name + "_upper", *labels] = wilson(good, n)

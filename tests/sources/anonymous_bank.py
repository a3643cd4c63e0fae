"""The real calls that tests of sources run on, and what an independent computation says of them."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest

from schemas.event import Event
from schemas.topics import TOPIC_OF
from streams.core.centre import Centre
from streams.core.histogram import BOUNDS, Histogram
from streams.worker.monitor import Monitor

CENTRE = Centre.model_validate({"code": "32.71", "name": "Anonymous Bank", "timezone": "Asia/Jerusalem"})

ANSWERED = [13_475, 13_828, 14_657, 15_524, 16_402, 17_987, 19_363, 21_442, 24_701, 26_911, 27_060]
ABANDONED = [50, 195, 519, 809, 1_006, 1_360, 1_579, 2_103, 2_728, 3_059, 3_101]
"""Calls that waited at most 1, 5, 10, 15, 20, 30, 40, 60, 120 and 300 s, and all."""


def data(name: str) -> Path:
    """A file of the real data; the test is skipped where they are not."""
    path = Path(__file__).parents[3] / "shared" / "data" / "anonymous_bank" / name
    if not path.exists():
        pytest.skip(f"no ../shared/data/anonymous_bank/{name}")
    return path


def folded(events: Iterable[Event]) -> Monitor:
    """What a monitor knows after the events, all of which it must take."""
    monitor = Monitor({CENTRE.code: CENTRE})
    outcomes = Counter(
        str(monitor.fold_event(TOPIC_OF[event.type].name, 0, offset, event, 2e9)) for offset, event in enumerate(events)
    )
    assert set(outcomes) == {"folded"}
    return monitor


def totals(monitor: Monitor, at: float) -> tuple[dict[str, float], dict[str, list[int]], dict[str, float]]:
    """Sums over queues of numbers by metric and its other labels; visits by waits as in `ANSWERED`; and the sums of the waits."""
    numbers: defaultdict[str, float] = defaultdict(float)
    waits: dict[str, list[int]] = {}
    seconds: defaultdict[str, float] = defaultdict(float)
    for metric, labels, value in monitor.measure(CENTRE.code, at):
        if isinstance(value, Histogram):
            if metric.name != "psap_call_wait_seconds":
                continue
            outcome = labels[-1].removeprefix("short_")  # those who hung up at once did so, too
            counts = waits.setdefault(outcome, [0] * (len(BOUNDS) + 1))
            waits[outcome] = [sum(pair) for pair in zip(counts, value.counts, strict=True)]
            seconds[outcome] += value.sum
        else:
            beside = [label for name, label in zip(metric.labels, labels, strict=True) if name != "queue"]
            numbers[" ".join([metric.name, *beside])] += value
    return numbers, {outcome: _cumulative(counts) for outcome, counts in waits.items()}, seconds


def _cumulative(counts: list[int]) -> list[int]:
    # The table has no column for 2.5 s.
    return [sum(counts[: index + 1]) for index in range(len(counts)) if index >= len(BOUNDS) or BOUNDS[index] != 2.5]

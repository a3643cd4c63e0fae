"""What is said of the past is what a worker would have said then, and nothing else."""

import re
import subprocess
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from itertools import takewhile
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from schemas.event import Event
from schemas.topics import TOPIC_OF, Refusal
from streams import centres
from streams.analysis.backfill import scrapes
from streams.sources import Line
from streams.sources.simulate import story
from streams.worker.exposition import exposition
from streams.worker.monitor import Monitor

KNOWN = centres.load([])
BOGOR = KNOWN["32.71"]
START = datetime(2026, 1, 5, tzinfo=BOGOR.timezone)
END = START + timedelta(hours=3)
STEP = 1800
LABELS = {"job": "pantau112", "instance": "127.0.0.1:11202"}
Samples = dict[tuple[int, frozenset[tuple[str, str]]], float]


@pytest.fixture(scope="module")
def events() -> list[Event]:
    """The first hours of a simulated day."""
    return list(takewhile(lambda event: event.time < END, story(START, 1, [BOGOR], 953)))


def labelled(series: str) -> frozenset[tuple[str, str]]:
    name, _, labels = series.rpartition("{")
    named = re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels)
    return frozenset([*named, ("__name__", name)] if name else named)


def held(promtool: Path, data: Path) -> Samples:
    """What is in blocks: each sample, by its moment and its labels."""
    (data / "wal").mkdir()  # without one promtool reads nothing
    command = [str(promtool.absolute()), "tsdb", "dump", str(data.absolute())]
    with TemporaryDirectory() as here:
        (Path(here) / "data").mkdir()  # that of Prometheus 2.53 wants it where it is run
        dumped = subprocess.run(command, cwd=here, capture_output=True, text=True, check=True).stdout
    found = {}
    for line in dumped.splitlines():
        series, value, moment = line.rsplit(" ", 2)
        found[int(moment) // 1000, labelled(series)] = float(value)
    return found


def said(events: list[Event], moment: int) -> Iterator[tuple[tuple[int, frozenset[tuple[str, str]]], float]]:
    """What a worker says at a moment, with the labels of whoever scrapes it."""
    monitor = Monitor({BOGOR.code: BOGOR})
    for number, event in enumerate(events):
        if event.time.timestamp() <= moment:
            monitor.fold_event(TOPIC_OF[event.type].name, 0, number, event, event.time.timestamp())
    yield from sampled(monitor, moment)


def sampled(monitor: Monitor, moment: int) -> Iterator[tuple[tuple[int, frozenset[tuple[str, str]]], float]]:
    """What its exposition says."""
    for line in "".join(exposition(monitor, moment)).splitlines():
        if not line.startswith("#"):
            series, _, value = line.rpartition(" ")
            yield (moment, labelled(series) | frozenset(LABELS.items())), float(value)


def lines(events: list[Event]) -> Iterator[Line]:
    return (Line(number, event, event.time.timestamp()) for number, event in enumerate(events, 1))


def told(past: Iterable[Line], moments: range) -> Samples:
    """What is scraped at those moments, with the labels of whoever scrapes."""
    found: Samples = {}
    for moment, monitor in scrapes(past, KNOWN, moments):
        found |= dict(sampled(monitor, moment))
    return found


def test_it_says_what_the_worker_said_at_each_moment_and_no_other(events: list[Event]) -> None:
    moments = range(int(START.timestamp()), int(END.timestamp()) + STEP, STEP)

    assert told(lines(events), moments) == dict(sample for moment in moments for sample in said(events, moment))


def test_nothing_is_said_of_the_time_before_the_first_event(events: list[Event]) -> None:
    moments = range(int(START.timestamp()) - 7 * STEP, int(START.timestamp()) + 2 * STEP, STEP)

    assert [moment for moment, _ in scrapes(lines(events), KNOWN, moments)] == list(moments[7:])


def test_what_is_no_event_is_passed_over(events: list[Event]) -> None:
    moments = range(int(START.timestamp()), int(END.timestamp()), STEP)

    assert told([Line(0, Refusal("not_json", "not JSON")), *lines(events)], moments) == told(lines(events), moments)


def backwards(events: list[Event]) -> list[Event]:
    """Half an hour of them, around a moment."""
    first, last = (bisect_left(events, START + timedelta(minutes=at), key=lambda event: event.time) for at in (75, 105))
    return [*events[:first], *reversed(events[first:last]), *events[last:]]


@pytest.mark.parametrize(
    "disordered",
    [
        lambda events: [*events[:10], events[-1], *events[10:-1]],
        backwards,
    ],
    ids=["a clock that is ahead", "half an hour backwards"],
)
def test_events_count_at_their_time_whatever_came_before_them(
    events: list[Event], disordered: Callable[[list[Event]], list[Event]]
) -> None:
    moments = range(int(START.timestamp()), int(END.timestamp()), STEP)

    assert told(lines(disordered(events)), moments) == told(lines(events), moments)


@pytest.mark.parametrize("beyond", [True, False])
def test_it_ends_with_the_last_event_or_goes_on_beyond_it(events: list[Event], beyond: bool) -> None:
    moments = range(int(START.timestamp()), int(END.timestamp()) + 10 * STEP, STEP)

    seen = [at for at, _ in scrapes(lines(events), KNOWN, moments, beyond=beyond)]

    last = events[-1].time.timestamp()
    assert seen == (list(moments) if beyond else [at for at in moments if at < last + STEP])

"""A recording from a moment on: there it says what `measure` says, and then what happened, when it happened."""

import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st

from schemas.event import Event
from schemas.topics import Refusal
from streams import centres
from streams.analysis.measure import NOTHING, measure
from streams.analysis.played import Played, after
from streams.clock import Clock
from streams.core import nouns
from streams.sources import Line, simulate
from streams.worker.exporter import Exporter
from streams.worker.exposition import exposition
from streams.worker.monitor import Monitor
from tests.builders import START, answered, offered

KNOWN = centres.load([])
DAY = simulate.events(3, START.replace(hour=0, minute=0), next(iter(KNOWN.values())), 1, 60)
TOLD = sorted((event for number, event in enumerate(DAY) if number % 3 == 0), key=lambda event: event.time)[:1500]
WALL = time.time()


class Time:
    """A clock that goes only when somebody sleeps; `looks` are what was said at each sleep's beginning, by stream time."""

    def __init__(self, played: Played, clock: Clock) -> None:
        self.now, self._played, self._clock = clock.wall, played, clock
        self.looks: dict[float, str] = {}

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        moment = self._clock.at(self.now)
        self.looks.setdefault(moment, said(self._played, moment))
        self.now += seconds


def lines(events: Sequence[Event]) -> Iterator[Line]:
    return (Line(number, event) for number, event in enumerate(events, 1))


def said(played: Played, moment: float) -> str:
    return "".join(exposition(played.monitor, moment))


def measured(events: Sequence[Event], moment: float) -> str:
    return measure(lines(events), KNOWN, WALL, moment).text


def nobody(_number: int, refusal: Refusal) -> None:
    raise AssertionError(refusal)


def begun(events: Sequence[Event], at: datetime) -> Played:
    played = Played(Monitor(KNOWN), NOTHING, WALL)
    played.begin(lines(events), at, nobody)
    return played


@how(max_examples=15)
@given(seed=st.integers(0, 2**32))
def test_at_the_moment_it_says_what_is_measured_then_in_whatever_order_events_lie(seed: int) -> None:
    dice = Random(seed)
    events = sorted(TOLD, key=lambda event: event.time.timestamp() + dice.choice((0, 0, 0, 5_000)))
    at = dice.choice(events).time + timedelta(seconds=dice.choice((0, 0.5)))

    assert said(begun(events, at), at.timestamp()) == measured(events, at.timestamp())


def test_as_its_clock_goes_on_it_says_at_each_moment_what_is_measured_then() -> None:
    at = TOLD[1000].time
    clock = Clock(at.timestamp(), 0.0, 120.0)
    played = begun(TOLD, at)
    hands = Time(played, clock)

    played.go_on(lines(TOLD), at, clock, hands, hands.sleep)

    assert len(hands.looks) > 20
    for moment in Random(1).sample(sorted(hands.looks), 10):
        assert hands.looks[moment] == measured(TOLD, moment)
    assert played.pipeline.consumed.total() == len(TOLD)


def test_it_says_nothing_before_all_of_before_is_folded_and_ages_are_those_of_its_own_clock() -> None:
    played = Played(Monitor(KNOWN), NOTHING, WALL)
    exporter = Exporter(played.monitor, played.pipeline, Clock(START.timestamp() + 30, WALL, 60.0), lambda: WALL)
    assert list(exporter.domain()) == []

    played.begin(lines([offered("a", 0), offered("b", 10), answered("b", 20)]), START + timedelta(seconds=30), nobody)

    [oldest] = [line for family in exporter.domain() for line in family.splitlines() if line.startswith("psap_oldest_waiting_j")]
    assert WALL - float(oldest.rpartition(" ")[2]) == 30


def test_an_event_that_cannot_be_folded_takes_nothing_with_it() -> None:
    events = [offered("a", 0), offered("b", 10), offered("c", 20), offered("d", 30)]
    played = begun(events, START + timedelta(seconds=10))
    noun = nouns.NOUNS["calls"]
    monitor, step = played.monitor, noun.step

    def broken(state: object, event: Event, *rest: object) -> None:
        step(state, event, *rest)
        if event.id == events[2].id:
            raise ZeroDivisionError

    for shelf in monitor._shelves.values():
        if shelf.topic.noun == "calls":
            shelf.noun = type("Broken", (), {"step": staticmethod(broken), "State": noun.State})
    clock = Clock(START.timestamp() + 10, 0.0, 1.0)
    hands = Time(played, clock)
    played.go_on(lines(events), START + timedelta(seconds=10), clock, hands, hands.sleep)

    moment = START.timestamp() + 30
    assert said(played, moment) == measured([events[0], events[1], events[3]], moment)
    assert played.pipeline.consumed["112.calls.v1", "refused"] == 1


def test_what_comes_after_a_moment_is_the_rest_of_a_range_and_the_whole_of_a_file(tmp_path: Path) -> None:
    noon = "2026-11-20T12:00:00+07:00"
    moment = datetime.fromisoformat(noon)
    assert after(str(tmp_path / "events.jsonl"), moment) == str(tmp_path / "events.jsonl")
    assert after("topic:all", moment) == f"topic:all@{noon}.."
    assert after("topic:112.calls.v1@..2026-11-21T00:00Z", moment) == f"topic:112.calls.v1@{noon}..2026-11-21T00:00:00+00:00"

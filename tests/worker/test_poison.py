"""A record whose fold breaks off, wherever and however, changes nothing but the dead letters."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.event import Event
from schemas.topics import CALLS, TOPIC_OF, TOPICS, Decoded, Refusal, UnknownType, encode
from streams import centres
from streams.analysis import measure
from streams.analysis.rows.told import Rows
from streams.core.nouns import NOUNS
from streams.settings import Settings
from streams.sources import Line, simulate
from streams.worker import app as shell
from streams.worker.app import Worker
from streams.worker.fence import NOT_FOLDED
from streams.worker.monitor import Monitor, NotFoldedError, SpoiltError
from streams.worker.transport import Chunk
from tests.live import START
from tests.poisonous import SECRET, WAYS, among, poison, way_of, wrap
from tests.worker.test_app import Ended, Sent

CENTRES = centres.load([])
[BOGOR] = CENTRES.values()
TWO = {code: BOGOR.model_copy(update={"code": code}) for code in ("32.71", "32.73")}
NOW = datetime.now(UTC).timestamp()
HOME = 0


@pytest.fixture(scope="module", autouse=True)
def poisonous() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for noun in NOUNS.values():
            patch.setattr(noun, "step", noun.step)
            wrap(noun)
        yield


def day() -> list[Event]:
    """What two centres told in a morning, of every noun."""
    events = list(simulate.events(112, START, BOGOR, days=0.4))
    assert {TOPIC_OF[event.type] for event in events} == set(TOPICS)
    return [
        event.model_copy(update={"subject": code, "source": event.source.replace("32.71", code)})
        for event in events
        for code in TWO
    ]


DAY = day()


def lines(events: Iterable[Event], *, poisonous: bool) -> Iterator[Line]:
    """Lines of a file; without poison there is something else in its place."""
    for number, event in enumerate(events, 1):
        item: Decoded = event if poisonous or way_of(event) is None else UnknownType("nothing")
        yield Line(number, item)


def states(monitor: Monitor, partition: int = 0) -> dict[tuple[str, str], bytes]:
    """Every state as it would be flushed."""
    return {
        (shelf.topic.name, city): shelf.blob.dump_json(entry.state, exclude_defaults=True)
        for shelf in monitor._shelves.values()
        for city, entry in shelf.entries[partition].items()
    }


@pytest.mark.parametrize("way", WAYS)
def test_a_fold_that_breaks_off_says_where_and_of_what_kind_and_not_what_it_read(way: str) -> None:
    monitor = Monitor(TWO)
    call = next(event for event in DAY if event.type == "call.offered")
    with pytest.raises(NotFoldedError) as broken:
        monitor.fold_event(CALLS.name, 0, 7, poison(call, way, 0), NOW)

    moment, kind = way.split("-")
    assert (broken.value.topic, broken.value.partition, broken.value.offset) == (CALLS.name, 0, 7)
    assert broken.value.kind == kind
    assert f"{kind} at poisonous.py:" in str(broken.value)
    assert SECRET not in str(broken.value)
    assert moment in ("before", "amid", "after")


@pytest.mark.parametrize("exception", [KeyboardInterrupt, SystemExit])
def test_who_interrupts_a_fold_is_no_poison(monkeypatch: pytest.MonkeyPatch, exception: type[BaseException]) -> None:
    def interrupted(*_: Any) -> None:
        raise exception

    monkeypatch.setattr(NOUNS["calls"], "step", interrupted)
    call = next(event for event in DAY if event.type == "call.offered")
    with pytest.raises(exception):
        Monitor(TWO).fold_event(CALLS.name, 0, 7, call, NOW)


def test_what_is_half_changed_is_neither_flushed_nor_advised_on_nor_measured_until_it_is_taken_back() -> None:
    monitor = Monitor(TWO)
    call = next(event for event in DAY if event.type == "call.offered")
    monitor.fold_event(CALLS.name, 0, 6, call, NOW)
    whole = dict(monitor.dirty(CALLS.name, 0))
    with pytest.raises(NotFoldedError):
        monitor.fold_event(CALLS.name, 0, 7, poison(call, "after-KeyError", 0), NOW)

    assert list(monitor.dirty(CALLS.name, 0)) == []
    assert monitor.states(CALLS.name, 0) == []
    with pytest.raises(SpoiltError):
        monitor.measure(call.subject, NOW)

    monitor.take_back(CALLS.name, 0, whole.get)
    assert states(monitor) == {(CALLS.name, call.subject): whole[call.subject.encode()]}
    assert monitor.measure(call.subject, NOW)


def test_a_known_poison_is_refused_with_the_type_of_its_error_only() -> None:
    monitor = Monitor(TWO)
    monitor.poison[CALLS.name, 0] = {7: "KeyError"}
    call = next(event for event in DAY if event.type == "call.offered")
    refusal = monitor.fold_event(CALLS.name, 0, 7, poison(call, "amid-KeyError", 0), NOW)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "not_folded"
    assert "KeyError" in refusal.detail
    assert states(monitor) == {}


def folded(
    events: Iterable[Line], refused: dict[int, Refusal]
) -> tuple[Monitor, float | None, Counter[str], list[tuple[str, str]]]:
    """What a fold of a file comes to, with all rows that it told."""
    told: list[tuple[str, str]] = []
    rows = Rows(lambda city, done: told.extend((city, repr(row)) for row in done))
    monitor, moment, outcomes = measure.fold(events, TWO, NOW, on_refusal=refused.__setitem__, rows=rows)
    rows.finish(moment or 0)
    return monitor, moment, outcomes, sorted(told)


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 2**32), kept=st.sampled_from([1, 7, 100, 10_000]), count=st.integers(1, 60))
def test_measure_names_each_poison_and_says_of_the_rest_what_it_would_say_without(seed: int, kept: int, count: int) -> None:
    random = Random(seed)
    start = random.randrange(len(DAY) - 600)
    events = among(DAY[start : start + 600], count, random)
    refused: dict[int, Refusal] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measure, "KEPT_EVENTS", kept)
        found, moment, outcomes, rows = folded(lines(events, poisonous=True), refused)
    expected, _, without, clean = folded(lines(events, poisonous=False), {})

    assert moment is not None
    assert states(found) == states(expected)
    assert rows == clean
    assert refused.keys() == {number for number, event in enumerate(events, 1) if way_of(event)}
    assert {refusal.reason for refusal in refused.values()} == {"not_folded"}
    assert SECRET not in str(refused)
    assert outcomes["refused"] == count == without["unknown_type"]
    assert outcomes["folded"] == without["folded"]


async def empty(*places: TP) -> dict[TP, int]:
    return dict.fromkeys(places, 0)


class Life:
    """One partition of a topic as Kafka holds it, and the workers that have it one after the other."""

    def __init__(self, events: list[Event], random: Random) -> None:
        self.topic = TOPIC_OF[events[0].type].name
        self.place = TP(f"x.{self.topic}", HOME)
        self.records = [
            SimpleNamespace(offset=offset, value=encode(event), key=event.subject.encode(), timestamp=NOW * 1000, headers=[])
            for offset, event in enumerate(events)
        ]
        self.table: dict[bytes, bytes] = {}
        self.letters: Counter[int] = Counter()
        self.details: set[bytes] = set()
        self.ended: Counter[int] = Counter()
        self.random = random
        self.worker = self.begin()

    def begin(self) -> Any:
        """A worker that recovers what Kafka has."""
        app: Any = SimpleNamespace(
            Table=lambda *_, **__: SimpleNamespace(data=dict(self.table), send_changelog=self.keep),
            topic=lambda *_, **__: None,
            agent=lambda *_, **__: lambda _: None,
            on_partitions_revoked=SimpleNamespace(connect=lambda _: None),
            consumer=SimpleNamespace(assignment=lambda: {self.place}, highwaters=empty, earliest_offsets=empty),
            producer=SimpleNamespace(send_and_wait=self.bury),
        )
        worker = Worker(app, Settings(app_id="a", topic_prefix="x."), Monitor(TWO), None)
        run(worker._on_recover())
        marker = worker.marker(self.place)
        worker.sought(self.place, 0 if marker is None else marker + 1, 1, None)
        return worker

    def keep(self, _: int, key: bytes, blob: bytes) -> Any:
        self.table[key] = blob
        return Sent()

    async def bury(self, *letter: Any) -> None:
        headers = letter[-1]
        self.letters[int(headers["dlq_original_offset"])] += 1
        self.details.add(headers["dlq_detail"])

    def live(self) -> None:
        """Fold the log to its end, in chunks of any size, whatever comes in between."""
        number = 0
        while (position := self.worker._live[self.place].position) < len(self.records):
            self.worker._pace = shell.Pace(self.random.choice([0, 3600]), shell.CATCHING_UP.collect)
            chunk = Chunk(self.records[position : position + self.random.randrange(1, 90)])
            chunk.link, number = (1, number), number + 1
            try:
                run(self.worker._take(self.place, chunk))
                if self.random.random() < 0.1:
                    raise Ended(-9, "")
            except Ended as ended:
                code, why = ended.args
                assert SECRET not in why
                if code != -9:
                    assert code == NOT_FOLDED
                    self.ended[int(why.split(" ")[0].rpartition("/")[2])] += 1
                self.worker, number = self.begin(), 0
        self.worker._flush(self.place, self.worker._live[self.place])


def run(coroutine: Any) -> None:
    with pytest.raises(StopIteration):
        coroutine.send(None)


@pytest.mark.parametrize("noun", sorted(NOUNS))
@pytest.mark.parametrize("kept", [1, 50, 2_000])
def test_workers_that_are_killed_at_random_count_as_without_poison_and_end_at_most_once_for_each(noun: str, kept: int) -> None:
    random = Random(f"{noun} {kept}")
    told = [event for event in DAY if TOPIC_OF[event.type].noun == noun][:800]
    events = among(told, 40, random)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shell, "KEPT_RECORDS", kept)
        patch.setattr(shell, "die", die)
        life = Life(events, random)
        life.live()
    monitor = Monitor(TWO)
    for offset, event in enumerate(events):
        if way_of(event) is None:
            monitor.fold_event(life.topic, HOME, offset, event, NOW)

    assert states(life.worker.monitor, HOME) == states(monitor, HOME)
    assert life.letters.keys() == {offset for offset, event in enumerate(events) if way_of(event)}
    assert max(life.ended.values(), default=0) <= 1
    assert all(SECRET.encode() not in detail for detail in life.details)
    # What Kafka holds in the end is what the next worker has.
    assert states(life.begin().monitor, HOME) == states(monitor, HOME)


def die(code: int, why: str) -> None:
    raise Ended(code, why)


def test_measure_leaves_out_a_centre_that_cannot_be_measured_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Monitor.measure

    def odd(self: Monitor, city: str, now: float) -> Any:
        return real(self, city, now) if city == "32.71" else 1 / 0

    monkeypatch.setattr(Monitor, "measure", odd)
    result = measure.measure(lines(DAY[:100], poisonous=True), TWO, NOW)

    assert result.left_out.keys() == {"32.73"}
    assert result.left_out["32.73"].startswith("ZeroDivisionError at test_poison.py:")
    assert 'city="32.71"' in result.text
    assert 'city="32.73"' not in result.text

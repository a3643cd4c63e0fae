"""What is measured from snapshots is what the whole log says, text by text."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st

from schemas.event import Event
from schemas.topics import CALLS, SNAPSHOT_INDEX, SNAPSHOTS, TOPICS
from streams.analysis import beginning
from streams.analysis.beginning import find
from streams.analysis.measure import NOTHING, Beginning, measure
from streams.analysis.replay import moved, open_source
from streams.core.centre import Centre
from streams.log import reader, snapshots
from streams.settings import Settings
from streams.sources import simulate
from tests.live import START, _centre
from tests.remembered import Folding, Remembered
from tests.strategies import histories

ALL = "topic:" + ",".join(topic.name for topic in TOPICS)
CODES = ("32.71", "32.11")
KNOWN = {code: _centre(code) for code in CODES}
OTHERWISE = KNOWN | {"32.71": KNOWN["32.71"].model_copy(update={"wrap_up_seconds": 77.0})}
"""The same centres, of which one has other rules."""
DAYS = 3
BUSY = [event for code in CODES for event in simulate.events(3, START, KNOWN[code], DAYS, 60)]
PROBES = ("link.", "gauge.", "source.", "uplink.")
TOLD = sorted(
    (event for number, event in enumerate(BUSY) if number % 50 == 0 or not event.type.startswith(PROBES)),
    key=lambda event: event.time,
)


@pytest.fixture(scope="module")
def remembered() -> Iterator[Any]:
    """Whoever opens the log opens what `log` holds then."""
    holder: dict[str, Remembered] = {}
    with pytest.MonkeyPatch.context() as patch:
        for module in (reader, beginning):
            patch.setattr(module, "Reader", lambda _: holder["log"])
        yield holder


def measured(
    at: float | None, begun: Beginning, centres: dict[str, Centre] = KNOWN, source: str = ALL
) -> tuple[str, float | None]:
    """What is said, and of which moment."""
    lines = open_source(source, next(iter(centres.values())), Settings(), spans=begun.spans)
    found = measure(lines, centres, time.time(), at, beginning=begun)
    assert not found.left_out
    return found.text, found.at


def assert_same(at: float | None, centres: dict[str, Centre] = KNOWN, source: str = ALL) -> Beginning:
    """With and without snapshots; returns where it began."""
    moment = at
    begun = find(source, centres, Settings(), moment)
    assert measured(at, begun, centres, source) == measured(at, NOTHING, centres, source)
    return begun


def disordered(dice: Random, extreme: list[Event]) -> tuple[Remembered, list[Event]]:
    """Some hours or days in any order, late, early and twice, among them events of an extreme kind; as Kafka has them."""
    log = Remembered()
    first, last = sorted(dice.sample(range(len(TOLD)), 2))
    disorder = dice.choice((0, 0, 600, 7_200, 200_000))
    events = sorted(
        TOLD[first:last], key=lambda event: event.time.timestamp() + (dice.random() < 0.1) * dice.uniform(0, disorder)
    )
    for event in [*extreme, *(event for event in events if dice.random() < 0.03)]:
        events.insert(dice.randint(0, len(events)), event)
    written = 0.0
    for event in events:
        # One that claims to be ahead of Kafka's clock by more than is believed is refused, and one in another partition.
        written = max(written, event.time.timestamp() + dice.choice((-300, -119.999, 0, 0, 0, 0, 0, 3_000)))
        log.tell(event, round(written * 1000), dice.randint(0, 7) if dice.random() < 0.01 else None)
    return log, events


SOME = [KNOWN] * 6 + [OTHERWISE, {"32.71": KNOWN["32.71"]}]


@how(max_examples=40)
@given(seed=st.integers(0, 2**32), extreme=st.just([]) | histories(list(KNOWN.values()), 12))
def test_from_snapshots_the_same_is_measured_as_from_the_whole_log(remembered: Any, seed: int, extreme: list[Event]) -> None:
    dice = Random(seed)
    log, events = disordered(dice, extreme if dice.random() < 0.3 else [])
    remembered["log"] = log
    worker, counts = Folding(log), {place: len(records) for place, records in log.records.items()}
    # It dies now and then, and comes back with the same centres, with others, or with other rules.
    for share in [*sorted(dice.random() for _ in range(dice.randint(0, 2))), 1]:
        until = {place: int(count * share) for place, count in counts.items()}
        worker.run(dice.choice(SOME), until, dice.choice((1, 7, 100, 1000)))
    moments = [event.time.timestamp() + dice.choice((0, -1e-6, 4_000)) for event in dice.choices(events, k=2)]
    for at in dice.choice(([None], moments)):
        assert_same(at, dice.choice([*SOME, {"32.11": KNOWN["32.11"]}]))


def tidy(days: float = DAYS) -> tuple[Remembered, list[Event]]:
    """Some days as they happened."""
    log = Remembered()
    events = TOLD if days == DAYS else [event for event in TOLD if event.time < START + timedelta(days=days)]
    for event in events:
        log.tell(event, round(event.time.timestamp() * 1000))
    return log, events


def test_a_moment_of_an_old_day_takes_that_day_alone(remembered: Any) -> None:
    log, events = tidy()
    remembered["log"] = log
    Folding(log).run(KNOWN, {}, 20)
    begun = assert_same((START + timedelta(days=1, hours=12)).timestamp())
    measured((START + timedelta(days=1, hours=12)).timestamp(), begun)
    assert begun.says.startswith("from ")
    # That day, and what came since the last snapshot; not the first day, nor the one between.
    assert log.were_read < 0.7 * len(events)


def test_whoever_goes_on_from_an_old_day_misses_nothing_that_came_after_and_reads_nothing_of_before_its_snapshot(
    remembered: Any,
) -> None:
    log, events = tidy()
    remembered["log"] = log
    Folding(log).run(KNOWN, {}, 20)
    # A moment of which every later day is left out by whoever does not go on.
    at = datetime.fromtimestamp(next(each.newest for each in snapshots.index(log) if each.topic == CALLS.name), UTC)  # type: ignore[arg-type]

    spans = find(ALL, KNOWN, Settings(), at.timestamp(), goes_on=True).spans

    read = [line.item for line in open_source(ALL, KNOWN["32.71"], Settings(), spans=spans)]
    later = [item.id for item in read if isinstance(item, Event) and item.time > at]
    assert sorted(later) == sorted(event.id for event in events if event.time > at)
    assert len(read) < len(events)


def test_a_set_without_its_last_record_is_none(remembered: Any) -> None:
    log, _ = tidy()
    remembered["log"] = log
    Folding(log).run(KNOWN, {}, 20)
    for place in [place for place in log.records if place[0] == SNAPSHOT_INDEX.name]:
        del log.records[place]
    assert assert_same(None) == NOTHING


def test_of_a_log_that_was_created_anew_the_old_snapshots_say_nothing(remembered: Any) -> None:
    old, _ = tidy()
    Folding(old).run(KNOWN, {}, 20)
    log = Remembered()
    remembered["log"] = log
    for event in TOLD:
        later = moved(event, timedelta(days=30))
        log.tell(later, round(later.time.timestamp() * 1000))
    kept = {place: records for place, records in old.records.items() if place[0] in (SNAPSHOTS.name, SNAPSHOT_INDEX.name)}
    log.records |= kept
    assert kept
    assert assert_same(None).states == {}


def test_a_centre_whose_rules_changed_is_folded_as_a_whole_and_the_others_are_not(remembered: Any) -> None:
    log, _ = tidy()
    remembered["log"] = log
    worker = Folding(log)
    worker.run(KNOWN, {place: len(records) // 2 for place, records in log.records.items()}, 20)
    worker.run(OTHERWISE, {}, 20)
    at = (START + timedelta(days=DAYS)).timestamp()
    assert {city for _, city in assert_same(at, OTHERWISE).states} == {b"32.11"}
    assert {city for _, city in assert_same(at, KNOWN).states} == {b"32.71", b"32.11"}  # from before the change


def test_a_range_that_does_not_begin_with_the_log_has_no_snapshot_and_one_that_ends_early_has(remembered: Any) -> None:
    log, _ = tidy()
    remembered["log"] = log
    Folding(log).run(KNOWN, {}, 20)
    end = (START + timedelta(days=2)).astimezone(UTC).isoformat()
    assert find(f"{ALL}@{START.isoformat()}..", KNOWN, Settings(), None) == NOTHING
    assert assert_same(None, source=f"{ALL}@..{end}").states
    assert datetime.fromisoformat(end)

"""Who speaks of two versions of the worker, whose states are taken over, and who puts aside what cannot be read."""

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest

from streams.core.nouns import STATE_VERSION
from streams.log.versions import Member, Place
from streams.worker.changelog import marker_key, note_key, state_key
from streams.worker.handover import QUIET_SECONDS, Handover, InheritanceError, Stored, inherited
from streams.worker.migrations import STEPS
from streams.worker.pipeline import Pipeline

CALLS, SURVEY = "112.calls.v1", "112.survey.v1"
OLD, NEW = STATE_VERSION - 1, STATE_VERSION + 1


class Broker:
    """What Kafka answers."""

    def __init__(self) -> None:
        self.living: set[int] = set()
        self.offsets: dict[int, dict[Place, int]] = {}
        self.tables: dict[int, dict[bytes, bytes]] = {}
        self.buried: set[int] = set()
        self.asked_for_letters = 0

    async def members(self, versions: Iterable[int]) -> dict[int, list[Member]]:
        return {version: [Member("w", "10.0.0.5")] * (version in self.living) for version in versions}

    async def passed(self, version: int) -> dict[Place, int]:
        return self.offsets.get(version, {})

    async def latest(self, version: int, numbers: Any) -> dict[bytes, bytes]:
        return self.tables.get(version, {})

    async def letters(self, place: Place, since: int) -> set[int]:
        self.asked_for_letters += 1
        return set(self.buried)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Worker:
    """One worker of this version, with a clock that stands."""

    def __init__(self, broker: Broker) -> None:
        self.pipeline, self.clock = Pipeline(), Clock()
        self.handover = Handover(broker, STATE_VERSION, self.pipeline, self.clock)

    def look(self, seconds: float = 0) -> bool:
        """Whether it speaks after so many seconds."""
        self.clock.now += seconds
        asyncio.run(self.handover.look())
        return not self.pipeline.beside

    def is_buried(self, offset: int, *, by_us_only: bool = False) -> bool | None:
        return asyncio.run(self.handover.is_buried((CALLS, 3), offset, 1000, by_us_only=by_us_only))

    def inherit(self, own: int | None = None, start: int = 0) -> list[tuple[bytes, bytes]]:
        return asyncio.run(self.handover.inherit({(CALLS, 3): (own, start), (SURVEY, 3): (own, start)}))


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def worker(broker: Broker) -> Worker:
    return Worker(broker)


def test_until_it_is_known_who_works_nothing_is_said(worker: Worker) -> None:
    assert worker.pipeline.beside
    assert worker.look()


def test_beside_an_older_worker_it_is_silent_and_speaks_when_prometheus_has_seen_that_the_other_is_gone(
    broker: Broker, worker: Worker
) -> None:
    broker.living = {OLD}
    assert not worker.look()
    assert not worker.look(3600)
    broker.living = set()
    assert not worker.look(QUIET_SECONDS - 1)
    assert worker.look(1)


def test_when_an_older_one_comes_back_it_falls_silent_at_once(broker: Broker, worker: Worker) -> None:
    assert worker.look()
    broker.living = {OLD}
    assert not worker.look(0.5)


def test_a_newer_one_that_starts_silences_nobody(broker: Broker, worker: Worker) -> None:
    assert worker.look()
    broker.living = {NEW}
    assert worker.look(0.5)


def test_who_comes_back_while_a_newer_one_speaks_gives_it_time_to_fall_silent(broker: Broker, worker: Worker) -> None:
    broker.living = {NEW}
    assert not worker.look()
    assert not worker.look(3600), "it has not joined its group yet: the newer one cannot know of it"
    worker.pipeline.recovering = False
    assert not worker.look(QUIET_SECONDS - 1)
    assert worker.look(1)


def test_a_record_is_put_aside_by_one_of_two_versions_only(broker: Broker, worker: Worker) -> None:
    broker.living, broker.offsets = {OLD}, {OLD: {(CALLS, 3): 100}}
    worker.look()
    assert worker.is_buried(99)
    assert worker.is_buried(100) is None, "the older one will"
    broker.offsets[OLD][CALLS, 3] = 101
    worker.look()
    assert worker.is_buried(100)


def test_what_the_older_one_put_aside_just_before_it_was_killed_is_looked_up_once(broker: Broker, worker: Worker) -> None:
    broker.living, broker.offsets = {OLD}, {OLD: {(CALLS, 3): 100}}
    worker.look()
    broker.living, broker.buried = set(), {101}
    worker.look(QUIET_SECONDS)
    assert worker.is_buried(101)
    assert worker.is_buried(102) is False
    assert broker.asked_for_letters == 1


def test_a_record_that_only_the_newer_version_cannot_fold_is_put_aside_by_it(broker: Broker, worker: Worker) -> None:
    broker.living, broker.offsets = {OLD}, {OLD: {(CALLS, 3): 100}}
    worker.look()
    assert worker.is_buried(50, by_us_only=True) is False
    broker.buried = {50}
    assert worker.is_buried(50, by_us_only=True)


def test_where_no_other_version_ever_was_nothing_is_looked_up(broker: Broker, worker: Worker) -> None:
    worker.look()
    assert worker.is_buried(7) is False
    assert not broker.asked_for_letters


def kept(marker: int, topic: str = CALLS) -> dict[bytes, bytes]:
    return {
        state_key(topic, 3, b"32.71"): b'{"sweep_at":1.0}',
        marker_key(topic, 3): b"%d" % marker,
        note_key(topic, 3): b'{"7": "KeyError"}',
    }


def test_states_are_taken_over_before_their_marker_and_notes_of_what_could_not_be_folded_stay_behind(
    broker: Broker, worker: Worker
) -> None:
    broker.tables[OLD] = kept(41) | kept(9, SURVEY)
    taken = worker.inherit(start=30)
    assert [key for key, _ in taken] == [
        state_key(CALLS, 3, b"32.71"),
        state_key(SURVEY, 3, b"32.71"),
        marker_key(CALLS, 3),
        marker_key(SURVEY, 3),
    ]
    assert dict(taken)[marker_key(CALLS, 3)] == b"41"


def test_a_state_without_a_marker_is_none(broker: Broker, worker: Worker) -> None:
    broker.tables[OLD] = {state_key(CALLS, 3, b"32.71"): b"{}"}
    assert worker.inherit() == []


def test_a_state_that_cannot_be_brought_to_this_form_ends_it_with_a_sentence(
    broker: Broker, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def migrate(*_: object) -> bytes:
        raise KeyError("somebody's name")

    monkeypatch.setattr("streams.worker.handover.migrate", migrate)
    broker.tables[OLD] = kept(41)
    with pytest.raises(InheritanceError, match=rf"calls of 32\.71 as version {OLD}") as raised:
        worker.inherit()
    assert "somebody" not in str(raised.value)


OLDER = min(STEPS)
INCOMPLETE = "calls"
COMPLETE = "survey"


@pytest.mark.parametrize(
    ("noun", "own", "older", "start", "chosen"),
    [
        pytest.param(COMPLETE, 90, {OLD: 95}, 0, None, id="its-own"),
        pytest.param(COMPLETE, None, {OLD: 95, OLDER: 99}, 0, OLD, id="the-newest-older-one"),
        pytest.param(COMPLETE, None, {}, 0, None, id="the-log-where-there-is-nothing"),
        pytest.param(COMPLETE, None, {}, 40, None, id="what-is-left-of-the-log-where-there-is-nothing"),
        pytest.param(COMPLETE, None, {OLD: 20, OLDER: 95}, 40, OLDER, id="one-after-which-the-log-goes-on"),
        pytest.param(COMPLETE, None, {OLD: 20}, 40, OLD, id="one-with-a-gap-rather-than-none"),
        pytest.param(COMPLETE, 20, {OLD: 95}, 40, OLD, id="not-its-own-if-the-log-went-on-without-it"),
        pytest.param(COMPLETE, 30, {OLD: 20}, 40, None, id="its-own-if-no-other-is-further"),
        pytest.param(COMPLETE, 39, {OLD: 95}, 40, None, id="its-own-if-the-log-begins-right-after-it"),
        pytest.param(INCOMPLETE, None, {OLDER: 95}, 0, None, id="the-log-where-the-older-one-did-not-know-all"),
        pytest.param(INCOMPLETE, None, {OLDER: 95}, 1, OLDER, id="the-older-one-where-the-log-has-lost-something"),
    ],
)
def test_begins_from(noun: str, own: int | None, older: dict[int, int], start: int, chosen: int | None) -> None:
    assert inherited(noun, Stored(own, older), start) == chosen

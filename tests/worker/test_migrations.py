"""A state that an older version wrote, recorded with its own code, says after its migration what folding anew says."""

import json
from typing import Any

import pytest

from schemas.event import Event
from schemas.topics import TOPIC_OF, TOPICS, decode
from streams.core.nouns import NOUNS, STATE_VERSION
from streams.worker.migrations import STEPS, is_complete, migrate
from streams.worker.monitor import Monitor
from tests.worker import recorded_state
from tests.worker.recorded_state import BOGOR, Recorded

UNKNOWN = {8: ("origins", "districts", "district")}
"""By version, the fields of a state that it did not have yet."""


def fold(monitor: Monitor, recorded: Recorded, first: int, end: int | None = None) -> float:
    """Fold recorded events from a place on; returns the moment after the last, epoch seconds."""
    time = 0.0
    for offset, raw in list(enumerate(recorded.events))[first:end]:
        event = decode(raw)
        assert isinstance(event, Event)
        time = event.time.timestamp()
        assert monitor.fold_event(TOPIC_OF[event.type].name, 0, offset, event, time) == "folded"
    return time + 1


def anew(recorded: Recorded, end: int | None = None) -> tuple[Monitor, float]:
    """All events, or those before a place, folded by this version."""
    monitor = Monitor({BOGOR.code: BOGOR})
    return monitor, fold(monitor, recorded, 0, end)


def migrated(recorded: Recorded, version: int) -> Monitor:
    """The recorded state in a monitor of this version."""
    monitor = Monitor({BOGOR.code: BOGOR})
    for topic in TOPICS:
        if blob := recorded.blobs.get(topic.noun):
            monitor.load(topic.name, 0, BOGOR.code.encode(), migrate(topic.noun, version, blob))
    return monitor


def written(monitor: Monitor) -> dict[str, Any]:
    """By noun, what is written of a monitor's states."""
    return {
        topic.noun: json.loads(monitor._shelves[topic.name].blob.dump_json(entry.state, exclude_defaults=True))
        for topic in TOPICS
        for entry in monitor._shelves[topic.name].entries[0].values()
    }


def without(state: Any, fields: tuple[str, ...]) -> Any:
    """A written state as one wrote it who did not know of some fields."""
    if isinstance(state, dict):
        return {name: without(part, fields) for name, part in state.items() if name not in fields}
    return [without(part, fields) for part in state] if isinstance(state, list) else state


def lighten(desk: Any) -> None:
    """The bytes of tickets without the districts that they are about."""
    for ticket in desk["tickets"].values():
        for part in (desk, ticket):
            part["size"] -= len(ticket.get("district", ""))


def said(monitor: Monitor, now: float) -> dict[tuple[str, tuple[str, ...]], Any]:
    """What a monitor says at a moment, but for what a version did not know of districts: only of a burst they say something."""
    return {
        (metric.name, labels): value
        for metric, labels, value in monitor.measure(BOGOR.code, now)
        if not metric.name.startswith("psap_burst_")
    }


@pytest.mark.parametrize("version", sorted(STEPS))
class TestAMigratedState:
    def test_is_the_state_that_this_version_folds_but_for_what_the_older_one_did_not_know(self, version: int) -> None:
        recorded = recorded_state.read(version)
        expected, _ = anew(recorded, recorded.folded)
        assert recorded.blobs.keys() == NOUNS.keys()
        found, unknown = written(migrated(recorded, version)), UNKNOWN.get(version, ())
        for noun, state in written(expected).items():
            if noun == "dispatch" and version < 9:
                lighten(state["desk"])
            assert without(found[noun], ()) == without(state, unknown), noun
            assert found[noun] == state or not is_complete(noun, version)

    def test_goes_on_folding_and_says_what_folding_from_the_first_event_says(self, version: int) -> None:
        recorded = recorded_state.read(version)
        expected, now = anew(recorded)
        monitor = migrated(recorded, version)
        fold(monitor, recorded, recorded.folded)
        assert said(monitor, now) == said(expected, now)
        assert len(said(monitor, now)) > 200

    def test_knows_what_it_has_counted(self, version: int) -> None:
        recorded = recorded_state.read(version)
        monitor = migrated(recorded, version)
        event = decode(recorded.events[recorded.folded - 1])
        assert isinstance(event, Event)
        again = monitor.fold_event(TOPIC_OF[event.type].name, 0, 10**6, event, event.time.timestamp())
        assert again == "duplicate"


def test_there_is_a_step_from_each_of_the_last_versions_to_this_one_and_none_from_an_older_one() -> None:
    assert max(STEPS) == STATE_VERSION - 1
    assert sorted(STEPS) == list(range(min(STEPS), STATE_VERSION))
    assert min(STEPS) >= STATE_VERSION - 2


def test_a_state_that_needs_no_change_is_taken_as_it_was_written() -> None:
    blob = recorded_state.read(8).blobs["survey"]
    assert migrate("survey", 8, blob) is blob


def test_this_version_is_recorded_too_so_that_the_next_can_be_tested_against_it() -> None:
    assert recorded_state.file(STATE_VERSION).exists(), "STATE_VERSION went up: python -m tests.worker.recorded_state"
    recorded = recorded_state.read(STATE_VERSION)
    assert recorded_state.fold(recorded.events).blobs == recorded.blobs

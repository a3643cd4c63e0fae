"""Whatever valid events are told, in any order and at any time of the century: the fold goes on, and what it says adds up."""

from random import Random

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from schemas.event import Event
from schemas.topics import EVENT_TYPES, TOPICS, Topic, decode, encode
from tests.strategies import Teller, histories
from tests.trial import CENTRES, Trial


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_every_event_that_the_json_schema_lets_through_survives_encoding(name: str) -> None:
    for world in range(20):
        teller = Teller(world, CENTRES, [name])
        for _ in range(5):
            event = teller.tell()

            assert decode(encode(event)) == event


@settings(deadline=None)
@given(histories(CENTRES), st.integers(0, 2**32))
def test_any_history_of_valid_events_is_folded_measured_and_put_away(told: list[Event], seed: int) -> None:
    for event in told:
        note(encode(event).decode())
    Trial().live_through(told, Random(seed), often=0.2)


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.noun)
@settings(deadline=None, max_examples=40)
@given(st.data())
def test_any_history_of_one_noun_is_folded_measured_and_put_away(topic: Topic, data: st.DataObject) -> None:
    kinds = [kind.model_fields["type"].default for kind in topic.types]
    told = data.draw(histories(CENTRES, 100, kinds))
    for event in told:
        note(encode(event).decode())
    Trial().live_through(told, Random(len(told)), often=0.2)

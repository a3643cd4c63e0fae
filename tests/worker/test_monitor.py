"""The fold of records is that of their events, as the models read them."""

from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.event import TOO_LATE, Event
from schemas.topics import EVENT_TYPES, TOPIC_OF, TOPICS, Refusal, encode
from streams import centres
from streams.core.centre import Centre
from streams.worker import monitor
from streams.worker.monitor import Monitor
from tests.builders import changed, link
from tests.strategies import histories

BOGOR = next(iter(centres.load([]).values()))
WRITTEN = TOO_LATE.timestamp()


class Raw(NamedTuple):
    """A record of the log."""

    offset: int
    timestamp: int
    value: bytes | None


def _monitor(centre: Centre) -> Monitor:
    return Monitor({centre.code: centre})


def _states(monitor: Monitor) -> dict[str, list[tuple[bytes, bytes]]]:
    return {topic.name: list(monitor.dirty(topic.name, 0)) for topic in TOPICS}


@settings(max_examples=50)
@given(
    histories([BOGOR], kinds=[name for name in EVENT_TYPES if name.startswith(("call", "exchange"))]) | histories([BOGOR]),
    st.booleans(),
)
def test_records_make_the_states_that_their_events_make(history: list[Event], shared: bool) -> None:
    """Also where two sources tell of one exchange, and an event waits in a state as JSON."""
    told = sorted({event.source for event in history})[:2]
    centre = changed(BOGOR, sources=[told]) if shared and len(told) == 2 else BOGOR
    by_records, by_events = _monitor(centre), _monitor(centre)

    for topic in TOPICS:
        events = [(offset, event, WRITTEN) for offset, event in enumerate(history) if TOPIC_OF[event.type] is topic]
        records = [Raw(offset, round(WRITTEN * 1000), encode(event)) for offset, event, _ in events]
        assert by_records.fold(topic.name, 0, records) == by_events.fold_events(topic.name, 0, events)

    assert _states(by_records) == _states(by_events)


def test_each_record_that_is_not_folded_is_answered_at_its_own_offset_whatever_is_around_it() -> None:
    odd = {3: b"no event", 64: None, 130: b'{"type": "call.unheard_of"}', 131: b"", 255: b"\xff"}
    of_network = encode(link("up", 0))
    records = [Raw(offset, round(WRITTEN * 1000), odd.get(offset, of_network)) for offset in range(3 * monitor.TOGETHER)]

    others = _monitor(BOGOR).fold("112.network.v1", 0, records)

    assert {offset for offset, outcome in others.items() if isinstance(outcome, Refusal)} == set(odd)
    assert {outcome for offset, outcome in others.items() if offset not in odd} == {"duplicate"}
    assert len(others) == len(records) - 1

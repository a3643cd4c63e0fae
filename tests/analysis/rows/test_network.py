"""The rows of outages are as many as the drops that are counted, and as long as the links were down."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from hypothesis import given, settings

from schemas.event import Event
from schemas.topics import NETWORK, TOPIC_OF
from streams.analysis.rows.network import Outage, OutageRows
from streams.core import network
from streams.core.centre import LINKS, Centre
from streams.sources import simulate
from tests.builders import BOGOR, START, at, link
from tests.strategies import histories
from tests.trial import CENTRES, KOTA_BOGOR

KINDS = [kind.model_fields["type"].default for kind in NETWORK.types]


def told(events: Iterable[Event], centre: Centre = BOGOR) -> tuple[list[Outage], network.State]:
    """The rows of all outages of some events, and the state that counted them."""
    step: Any = network.step
    state, watch = network.State(), OutageRows(centre)
    watch.attach(state)
    for offset, event in enumerate(events):
        if TOPIC_OF[event.type] is NETWORK and event.subject == centre.code:
            time = event.time.timestamp()
            if state.ledger.admit(offset, event.source, event.id, time) == "folded":
                step(state, event, time, centre)
    watch.finish(0)
    return [row for row in watch.done if isinstance(row, Outage)], state


def assert_sums(rows: list[Outage], state: network.State) -> None:
    counted = {name: known.drops for name, known in state.links.items() if known.drops}
    drops = Counter(row.link for row in rows if row.kind == "down")
    if len(state.links) < LINKS:  # else one may have made way for another, with what was counted of it
        assert drops == counted
    for kind, goes_on in (
        ("down", {name for name, known in state.links.items() if known.up is False}),
        ("unregistered", {name for name, known in state.links.items() if known.registered is False}),
    ):
        assert goes_on <= {row.link for row in rows if row.kind == kind and row.ended is None}
    assert all(row.seconds is None or row.seconds >= 0 for row in rows)


@settings(deadline=None)
@given(histories(CENTRES, 100, KINDS))
def test_rows_are_as_many_as_the_drops_of_whatever_is_told(events: list[Event]) -> None:
    for centre in CENTRES:
        assert_sums(*told(events, centre))


def test_rows_of_simulated_days_are_as_many_as_the_drops() -> None:
    rows, state = told(simulate.events(112, START, KOTA_BOGOR, days=7), KOTA_BOGOR)

    assert rows
    assert_sums(rows, state)


def test_an_outage_says_from_when_to_when_and_whose_link_it_is() -> None:
    events = [
        *(link("up", 0), link("down", 60), link("down", 70), link("up", 100), link("down", 500)),
        *(link("unregistered", 200), link("unregistered", 210), link("registered", 260)),
        *(link("unregistered", 5, "mine"), link("heartbeat", 6, "mine")),
    ]

    rows, _ = told(events, KOTA_BOGOR)

    said = [(row.link, row.kind, row.began, row.ended, row.seconds) for row in rows]
    assert sorted(said[:2]) == [
        ("sip-telkom", "down", at(60), at(100), 40),
        ("sip-telkom", "unregistered", at(200), at(260), 60),
    ]
    assert sorted(said[2:]) == [("mine", "unregistered", at(5), None, None), ("sip-telkom", "down", at(500), None, None)]
    assert {(row.link, row.carrier, row.link_kind) for row in rows} == {("sip-telkom", "telkom", "sip"), ("mine", None, None)}

"""From the answer of a call to the first unit on scene: where call and ticket meet. START is at eight o'clock sharp."""

from collections.abc import Iterable
from itertools import permutations
from typing import Any

import pytest

from schemas.event import Event
from streams.core import calls, dispatch, response
from streams.core.centre import Centre
from streams.core.proportion import wilson
from streams.core.response import SECONDS, SHARE, TICKETS
from tests.builders import (
    BOGOR,
    Said,
    abandoned,
    answered,
    at,
    changed,
    classified,
    closed,
    ended,
    offered,
    opened,
    reopened,
    said,
    transferred,
    unit_arrived,
)

MINUTE, HOUR = 60, 3600
CALLER = "someone"


def readings(told: Iterable[Any], now: float, centre: Centre = BOGOR) -> Said:
    """What is said after calls and tickets were told, each folded by its own noun."""
    of_calls, of_tickets = calls.State(), dispatch.State()
    for n, event in enumerate(told):
        state: Any = of_tickets if event.type.startswith("ticket.") else of_calls
        noun: Any = dispatch if state is of_tickets else calls
        state.ledger.admit(n, event.source, f"{n}", event.time.timestamp())
        noun.step(state, event, event.time.timestamp(), centre)
    return said(response.measure(calls.settled(of_calls, at(now), centre), of_tickets, at(now), centre))


def emergency(name: str, start: float, *, scene: float, caller: str | None = CALLER) -> list[Event]:
    """A call that is answered after 10 s and its ticket, with a unit on scene `scene` seconds after the answer."""
    told = [offered(name, start, caller=caller), answered(name, start + 10), ended(name, start + 100)]
    return [*told, opened(f"t-{name}", start + 60, call=name), unit_arrived(f"t-{name}", start + 10 + scene)]


def numbers(found: Said) -> tuple[float, ...]:
    """n, p50 and p90."""
    return (found.number(TICKETS), found.number(SECONDS, "0.5"), found.number(SECONDS, "0.9"))


def test_it_runs_from_the_call_s_answer_to_the_first_unit_on_scene() -> None:
    """
    call    offered──answered──────ended
    ticket  ─────────────────opened───────────arrived
            0        10      60    100        430
    """
    told = emergency("c1", 0, scene=420)

    found = readings(told, 500)
    assert numbers(found) == (1, 420, 420)
    assert (found[SHARE.ratio, "480"], found[SHARE.ratio, "900"], found[SHARE.tickets, "480"]) == (1, 1, 1)
    for order in permutations(told):
        assert readings(order, 500) == found


def test_while_the_call_taker_still_talks_it_is_known_too() -> None:
    told = [event for event in emergency("c1", 0, scene=420) if event.type != "call.ended"]

    assert numbers(readings(told, 500)) == (1, 420, 420)


def test_shares_have_their_interval_and_n_and_who_still_waits_beyond_the_limit_has_missed() -> None:
    told = [*emergency("c1", 0, scene=480), *emergency("c2", 0, scene=481)]
    told += [offered("c3", 0, caller=CALLER), answered("c3", 10), ended("c3", 60), opened("t3", 60, call="c3")]

    found = readings(told, 10 + 600)
    assert (found[SHARE.ratio, "480"], found[SHARE.tickets, "480"]) == (1 / 3, 3)
    assert (found[SHARE.ratio, "900"], found[SHARE.tickets, "900"]) == (1, 2), "not known yet"
    assert (found[SHARE.lower, "480"], found[SHARE.upper, "480"]) == wilson(1, 3)
    assert numbers(found) == (2, 481, 600), "and longer"


@pytest.mark.parametrize(
    ("caller", "known"),
    [(CALLER, 5), (None, 1)],
)
def test_a_call_is_known_in_the_hours_that_the_book_has_it(caller: str | None, known: int) -> None:
    told = emergency("c1", 30 * MINUTE, scene=420, caller=caller)

    assert numbers(readings(told, (known + 1) * HOUR - 1))[0] == 1
    assert readings(told, (known + 1) * HOUR) == {}
    later = offered("c2", (known + 1) * HOUR, caller=CALLER)
    assert readings([*told, later], (known + 1) * HOUR) == {}, "whether the book has turned its page or not"


def test_what_is_not_about_the_answer_of_one_call_is_left_out() -> None:
    one = emergency("c1", 0, scene=420)
    two = [event for event in emergency("c2", 0, scene=60)]
    without: list[list[Event]] = [
        [*two, classified("c2", 200, "test")],
        [two[0], abandoned("c2", 50), *two[3:]],
        two[1:],
        [*two[:3], opened("t-c2", 60), two[4]],
        [*two[:3], opened("t-c2", 60, call="c2"), closed("t-c2", 99)],
        [*two[:4], closed("t-c2", 99), reopened("t-c2", 110), unit_arrived("t-c2", 120)],
        [*two[:3], opened("t-c2", 0, call="c2"), unit_arrived("t-c2", 5)],
    ]

    for told in without:
        assert numbers(readings([*one, *told], 1000)) == (1, 420, 420)


def test_two_exchanges_that_have_a_call_of_one_name_leave_open_whose_ticket_it_is() -> None:
    def elsewhere(event: Any) -> Any:
        return event.model_copy(update={"source": "/32.71/other"})

    told = emergency("c1", 0, scene=420)
    other = [elsewhere(event) for event in told[:3]]

    assert readings([*told, *other], 1000) == {}
    centre = changed(BOGOR, sources=[told[0].source, "/32.71/other"])
    assert numbers(readings([*told, *other], 1000, centre)) == (1, 420, 420), "of one exchange it is one call"


def test_a_call_that_was_transferred_is_answered_when_it_first_was() -> None:
    told = emergency("c1", 0, scene=420)
    told[2:3] = [transferred("c1", 50), offered("c1", 50, "rujukan", "queue"), answered("c1", 80, "9"), ended("c1", 200)]

    assert numbers(readings(told, 1000)) == (1, 420, 420)


def test_without_a_unit_on_scene_nothing_is_said() -> None:
    assert readings(emergency("c1", 0, scene=420)[:4], 5000) == {}

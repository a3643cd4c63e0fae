"""What the queue_log of a real exchange tells, restarts and transfers and all."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from schemas.event import Event
from streams.core.centre import Centre
from streams.sources import asterisk
from tests.builders import BOGOR, changed
from tests.conftest import DATA

RECORDING = DATA / "asterisk"
CENTRE = changed(
    BOGOR,
    queues=("112", "112-overflow"),
    seats=tuple({"code": f"seat-{n}", "also": (f"PJSIP/100{n}",)} for n in (1, 2, 3, 9)),
    neighbours=({"code": "32.06", "also": ("2001",)},),
)


def told(path: Path = RECORDING / "queue_log", centre: Centre = CENTRE) -> list[Event]:
    bad: list[int] = []
    with path.open("rb") as lines:
        found = list(asterisk.events(lines, centre, "/32.71/asterisk", on_bad=lambda number, _: bad.append(number)))
    assert not bad
    return found


def facts(events: list[Event], *kinds: str) -> list[tuple[int, str, dict[str, object]]]:
    """When, what, and what is said of it."""
    return [
        (int(event.time.timestamp()), event.type, event.data.model_dump(exclude_unset=True, exclude_none=True))
        for event in events
        if event.type in kinds
    ]


def test_every_line_becomes_its_event() -> None:
    assert Counter(event.type for event in told()) == {
        "call.offered": 43,  # one was refused at the door
        "call.answered": 32,
        "call.ended": 26,
        "call.abandoned": 4,  # and one by the shutdown, which is not told
        "call.transferred": 6,
        "call.overflowed": 5,
        "call.classified": 2,
        "exchange.restarted": 3,
        "operator.logged_in": 9,
        "operator.logged_out": 8,
        "operator.paused": 7,
        "operator.resumed": 7,
        "operator.ring_no_answer": 11,
    }


def test_every_event_of_a_queue_says_of_which_and_all_are_in_order() -> None:
    events = told()
    everywhere = [fact for *_, fact in facts(events, "operator.paused", "operator.resumed") if "queue" not in fact]
    queues = Counter(getattr(event.data, "queue", None) for event in events)

    assert queues.keys() == {"112", "112-overflow", None}
    assert queues[None] == 3 + 2 + len(everywhere)  # restarts, classes
    assert everywhere == [{"seat": "seat-2", "reason": "sholat"}, {"seat": "seat-2"}]
    assert [event.time for event in events] == sorted(event.time for event in events)


def test_every_seat_is_one_whether_its_interface_or_its_name_is_written() -> None:
    assert {getattr(event.data, "seat", None) for event in told()} == {"seat-1", "seat-2", "seat-3", "seat-9", None}


def test_who_calls_from_inside_is_a_seat_that_consults() -> None:
    inside = [fact for *_, fact in facts(told(), "call.offered") if "direction" in fact]

    assert inside == [
        {"call": call, "queue": "112-overflow", "clock": "queue", "direction": "internal"}
        for call in ("1795719147.38", "1795719153.43")
    ]


def test_transfers_say_who_lets_go_of_what_after_how_long() -> None:
    def let_go(at: int, call: str, queue: str, seat: str, talk: float, **to: str) -> tuple[int, str, dict[str, object]]:
        fact: dict[str, object] = {"call": call, "queue": queue, "seat": seat, "talk_seconds": talk}
        return at, "call.transferred", fact | to

    assert facts(told(), "call.transferred") == [
        let_go(1795719109, "1795719099.25", "112", "seat-1", 6, to="32.06"),
        let_go(1795719119, "1795719109.27", "112", "seat-2", 6, to="8112"),
        let_go(1795719148, "1795719134.31", "112", "seat-1", 10),
        let_go(1795719151, "1795719139.33", "112", "seat-2", 8),
        let_go(1795719151, "1795719147.38", "112-overflow", "seat-9", 2),
        let_go(1795719156, "1795719153.43", "112", "seat-3", 7),
    ]


def test_what_a_shutdown_wrote_was_nobody_s_will() -> None:
    events = told()
    last = facts(events, "call.ended", "call.abandoned", "exchange.restarted")

    assert [fact for fact in last if fact[1] == "exchange.restarted"] == [
        (at, "exchange.restarted", {}) for at in (1795718969, 1795719487, 1795719526)
    ]
    assert [fact for fact in last if 1795719485 < fact[0] < 1795719500] == [
        (
            1795719486,
            "call.ended",
            {"call": "1795719473.88", "queue": "112", "seat": "seat-1", "talk_seconds": 9.0},
        ),
        (1795719487, "exchange.restarted", {}),
    ]
    assert all("by" in fact for at, kind, fact in last if kind == "call.ended" and at != 1795719486)
    assert "1795719479.90" not in [fact["call"] for _, kind, fact in last if kind == "call.abandoned"]


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("clean-restart", "offered answered offered ended restarted"),
        ("killed", "offered answered offered restarted"),
        ("rtp-timeout", "offered answered ended"),
        (
            "attended-transfer-after-answer-in-queue",
            "offered answered offered answered transferred ended transferred",
        ),
        ("attended-transfer-into-waiting-queue", "offered answered offered transferred answered ended"),
    ],
)
def test_a_scenario_alone_is_told_as_within_the_whole(name: str, kinds: str) -> None:
    events = told(RECORDING / "small" / f"{name}.queue_log")

    assert [event.type.split(".")[1] for event in events] == kinds.split()
    whole = {event.id: event for event in told()}
    assert all(whole[event.id] == event for event in events)


def test_a_crash_takes_the_seats_away_and_is_a_restart() -> None:
    events = told(RECORDING / "crash-without-persistentmembers.queue_log")

    assert Counter(event.type for event in events)["exchange.restarted"] == 2
    assert events[0].time < datetime(2026, 11, 27, tzinfo=UTC)


def test_every_telephony_case_is_understood() -> None:
    for path in sorted((DATA / "telephony").glob("*.queue_log")):
        assert told(path), path.name

"""Operators: which seats are logged in, paused and why, and how often one let a call ring out."""

from dataclasses import dataclass, field
from typing import assert_never

from schemas.operators import OperatorEvent
from streams.core.centre import Centre
from streams.core.ledger import Ledger
from streams.core.reading import Metric, Readings

SEATS = 200
"""The most seats of one centre; a source that names more is passed over."""


@dataclass(slots=True)
class Seat:
    """One seat as last heard of. The times are those of the events that said so, since events can come late."""

    logged_in: bool = False
    logged_in_time: float = 0.0
    paused: str | None = None
    paused_time: float = 0.0
    ring_no_answers: int = 0


@dataclass(slots=True)
class State:
    """The seats of one centre."""

    ledger: Ledger = field(default_factory=Ledger)
    seats: dict[str, Seat] = field(default_factory=dict)


def step(state: State, event: OperatorEvent, time: float, centre: Centre) -> None:
    """Remember one event; `time` is its own in epoch seconds. What is older than the news of its seat changes nothing."""
    name = event.data.seat
    seat = state.seats.get(name)
    if seat is None:
        if len(state.seats) >= SEATS:
            return
        seat = state.seats[name] = Seat()
    match event.type:
        case "operator.logged_in" | "operator.logged_out":
            if time >= seat.logged_in_time:
                seat.logged_in, seat.logged_in_time = event.type == "operator.logged_in", time
        case "operator.paused":
            if time >= seat.paused_time:
                seat.paused, seat.paused_time = event.data.reason or "unspecified", time
        case "operator.resumed":
            if time >= seat.paused_time:
                seat.paused, seat.paused_time = None, time
        case "operator.ring_no_answer":
            seat.ring_no_answers += 1
        case "operator.ringing" | "operator.wrap_up_started" | "operator.wrap_up_ended":
            pass
        case _:
            assert_never(event.type)


OPERATORS = Metric(
    "psap_operators",
    "gauge",
    "Seats logged in by state: available (free to answer), talking, paused. Absent until a log-in or log-out was told.",
    ("state",),
)
RING_NO_ANSWER_TOTAL = Metric(
    "psap_operator_ring_no_answer_total", "counter", "Calls that rang at a seat and were not taken.", ("seat",)
)
METRICS = (OPERATORS, RING_NO_ANSWER_TOTAL)


def measure(state: State, talking: set[str]) -> Readings:
    """Say what the seats do, given those that are in a call: that is told by the calls, not by the seats."""
    # An exchange with fixed members never tells a log-in: who is there is then unknown, and not nobody.
    if any(seat.logged_in_time for seat in state.seats.values()):
        present = {name: seat for name, seat in state.seats.items() if seat.logged_in}
        busy = len(present.keys() & talking)
        paused = sum(seat.paused is not None and name not in talking for name, seat in present.items())
        yield OPERATORS, ("available",), len(present) - busy - paused
        yield OPERATORS, ("talking",), busy
        yield OPERATORS, ("paused",), paused
    for name, seat in sorted(state.seats.items()):
        yield RING_NO_ANSWER_TOTAL, (name,), seat.ring_no_answers

"""Operators: what each seat does and for how long: logged in, in a call, rung, wrapping up, or paused and why.

A centre's state is one record of Kafka: with the longest codes a seat takes 7.5 kB as it is written, and all of them 1.5 MB.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal, assert_never, get_args

from schemas.operators import OperatorEvent
from streams.core.centre import SEATS, Centre
from streams.core.ledger import Ledger
from streams.core.names import OTHER, Strangers
from streams.core.reading import Metric, Readings
from streams.core.shifts import scheduled_seconds
from streams.core.spans import Span, overlap, total, union
from streams.core.track import CHANGES, Track
from streams.core.workload import Workload

Doing = Literal["available", "ringing", "talking", "wrap_up", "paused", "off"]

REASONS = 16
"""The most reasons of pauses at a centre whose file names none; further ones count together as `other`."""

UNSPECIFIED = "unspecified"
"""The reason of a pause for which none was told."""

PAUSES = 24
"""The most changes of a seat's pause that are kept. Unlike those of its presence they say nothing of the hour that has gone."""

WINDOW_SECONDS = 3600
"""What occupancy and adherence are about."""

RINGING_SECONDS = 60
"""A seat rings no longer than this: that a caller hung up meanwhile is not told by the seat."""

WRAP_UP_SECONDS = 600
"""A wrap-up whose end is not told is over after this."""

ENOUGH_SECONDS = 600
"""With less logged-in time than this in the window, occupancy says nothing."""


@dataclass(slots=True)
class Seat:
    """One seat as far as it was told. The times are those of the events, which can come late."""

    presence: Track = field(default_factory=Track)
    pause: Track = field(default_factory=Track)
    wrap_up: Track = field(default_factory=Track)
    rang: float = 0.0
    rang_out: float = 0.0
    ring_no_answers: int = 0

    @property
    def heard(self) -> float:
        """When it was last heard of."""
        changes = [track.changes[-1][0] for track in (self.presence, self.pause, self.wrap_up) if track.changes]
        return max([*changes, self.rang, self.rang_out])


@dataclass(slots=True)
class State:
    """The seats of one centre."""

    ledger: Ledger = field(default_factory=Ledger)
    seats: dict[str, Seat] = field(default_factory=dict)
    paused_seconds: dict[str, float] = field(default_factory=dict)
    strangers: Strangers = field(default_factory=Strangers)


def step(state: State, event: OperatorEvent, time: float, centre: Centre) -> None:
    """Remember one event; `time` is its own in epoch seconds. What is older than the news of its seat changes only the past.

    But what was counted stays: pauses that are over by the time they are told.
    """
    names = centre.names.seats
    seat = state.seats.get(names[event.data.seat])
    if seat is None:
        key = state.strangers.take_in("seat", event.data.seat, names, state.seats, SEATS, time)
        if key is None:
            return
        seat = state.seats[key] = Seat()
    match event.type:
        case "operator.logged_in":
            _change(state, seat.presence, time, "in")
        case "operator.logged_out":
            _change(state, seat.presence, time, "")
            _change(state, seat.wrap_up, time, "")
            _count_pause(state, seat.pause.put(time, "", PAUSES))
        case "operator.paused":
            reason = _reason(state, event.data.reason, centre)
            state.paused_seconds.setdefault(reason, 0.0)
            _count_pause(state, seat.pause.put(time, reason, PAUSES))
        case "operator.resumed":
            _count_pause(state, seat.pause.put(time, "", PAUSES))
        case "operator.ringing":
            seat.rang = max(seat.rang, time)
        case "operator.ring_no_answer":
            # A seat lets one call ring out at a time: the same moment is the same fact.
            if time != seat.rang_out:
                seat.ring_no_answers += 1
                seat.rang_out = max(seat.rang_out, time)
        case "operator.wrap_up_started":
            _change(state, seat.wrap_up, time, "on")
        case "operator.wrap_up_ended":
            _change(state, seat.wrap_up, time, "")
        case _:
            assert_never(event.type)


def _change(state: State, track: Track, time: float, word: str) -> None:
    """Put a change on a track of which the whole hour is asked for, and say where it cannot be kept."""
    full = len(track.changes) == CHANGES
    first = track.changes[0][0] if full else 0.0
    track.put(time, word)
    if full and first != track.changes[0][0] > track.changes[-1][0] - WINDOW_SECONDS:
        state.strangers.pass_over("change")


def _reason(state: State, told: str | None, centre: Centre) -> str:
    """Under which reason a pause counts."""
    if told is None:
        return UNSPECIFIED
    reason = state.strangers.label("reason", told, centre.names.reasons)
    if reason in state.paused_seconds or centre.names.reasons.known or len(state.paused_seconds) < REASONS:
        return reason
    state.strangers.pass_over("reason")
    return OTHER


def _count_pause(state: State, over: tuple[str, float] | None) -> None:
    if over is not None:
        reason, seconds = over
        state.paused_seconds[reason] += seconds


OPERATORS = Metric(
    "psap_operators",
    "gauge",
    "Seats by what they do, each one thing: available (free to answer), ringing, talking, wrap_up, paused, off (not logged in). "
    "Absent until a log-in or log-out was told.",
    ("state",),
)
PAUSED = Metric("psap_operators_paused", "gauge", "Seats that are paused, by reason.", ("reason",))
PAUSED_TIME = Metric(
    "psap_operator_paused_timestamp_seconds",
    "gauge",
    "When the pause of a seat began; absent unless it is paused.",
    ("seat", "reason"),
)
PAUSE_SECONDS_TOTAL = Metric(
    "psap_operator_pause_seconds_total", "counter", "Seconds of pauses that are over, of all seats.", ("reason",)
)
STAFFED = Metric("psap_seats_staffed", "gauge", "Seats that are logged in, whatever they do.")
LOGGED_IN_SECONDS = Metric(
    "psap_operator_logged_in_seconds", "gauge", "Seconds that seats were logged in, of all seats in the last 60 minutes."
)
OCCUPANCY = Metric(
    "psap_operator_occupancy_ratio",
    "gauge",
    "Seconds in a call or wrapping up / psap_operator_logged_in_seconds, of all seats in the last 60 minutes; "
    "absent below 600 s of logged-in time.",
)
ADHERENCE = Metric(
    "psap_operator_adherence_ratio",
    "gauge",
    "psap_operator_logged_in_seconds / seconds that the shifts of the centre file provide for; above 1 when more are there. "
    "Absent without shifts, and until the whole 60 minutes are known.",
)
RING_NO_ANSWER_TOTAL = Metric(
    "psap_operator_ring_no_answer_total", "counter", "Calls that rang at a seat and were not taken.", ("seat",)
)
METRICS = (
    OPERATORS,
    PAUSED,
    PAUSED_TIME,
    PAUSE_SECONDS_TOTAL,
    STAFFED,
    LOGGED_IN_SECONDS,
    OCCUPANCY,
    ADHERENCE,
    RING_NO_ANSWER_TOTAL,
)


def measure(state: State, talking: dict[str, float], workload: Workload, now: float, centre: Centre) -> Readings:
    """Say what the seats do at `now` and did in the hour before.

    `talking` has the seats that are in a call and since when, `workload` the conversations that are over: both are told by the
    calls and not by the seats.
    """
    # An exchange with fixed members never tells a log-in: who is there is then unknown, and not nobody.
    if any(seat.presence.changes for seat in state.seats.values()):
        yield from _measure_states(state, talking, workload, now, centre)
        yield from _measure_hour(state, talking, workload, now, centre)
    for reason, seconds in sorted(state.paused_seconds.items()):
        yield PAUSE_SECONDS_TOTAL, (reason,), seconds
    for name, seat in sorted(state.seats.items()):
        yield RING_NO_ANSWER_TOTAL, (name,), seat.ring_no_answers
    yield from state.strangers.measure()


def _measure_states(state: State, talking: dict[str, float], workload: Workload, now: float, centre: Centre) -> Readings:
    doing = {name: _doing(name, seat, talking, workload, now) for name, seat in state.seats.items()}
    seats = Counter(doing.values())
    staffed = len(doing) - seats["off"]
    seats["off"] += len(centre.names.seats.known - doing.keys())
    for name in get_args(Doing):
        yield OPERATORS, (name,), seats[name]
    yield STAFFED, (), staffed
    paused = {name: state.seats[name].pause for name in sorted(doing) if doing[name] == "paused"}
    reasons = Counter(pause.at(now)[0] for pause in paused.values())
    for reason in sorted(state.paused_seconds):
        yield PAUSED, (reason,), reasons[reason]
    for name, pause in paused.items():
        yield PAUSED_TIME, (name, pause.at(now)[0]), pause.begun(now)


def _doing(name: str, seat: Seat, talking: dict[str, float], workload: Workload, now: float) -> Doing:
    if not seat.presence.at(now)[0]:
        return "off"
    if name in talking:
        return "talking"
    if seat.rang_out < seat.rang <= now < seat.rang + RINGING_SECONDS and not workload.has_answered(name, seat.rang):
        return "ringing"
    wrap_up, since = seat.wrap_up.at(now)
    if wrap_up and now < since + WRAP_UP_SECONDS:
        return "wrap_up"
    return "paused" if seat.pause.at(now)[0] else "available"


def _measure_hour(state: State, talking: dict[str, float], workload: Workload, now: float, centre: Centre) -> Readings:
    since = now - WINDOW_SECONDS
    logged_in = busy = 0.0
    for name, seat in state.seats.items():
        present = seat.presence.spans(since, now)
        if present:
            logged_in += total(present)
            busy += overlap(present, _occupied(name, seat, talking, workload, since, now))
    yield LOGGED_IN_SECONDS, (), logged_in
    if logged_in >= ENOUGH_SECONDS:
        yield OCCUPANCY, (), busy / logged_in
    known = min(seat.presence.changes[0][0] for seat in state.seats.values() if seat.presence.changes)
    scheduled = scheduled_seconds(centre.shifts, since, now, centre.timezone)
    if scheduled and known <= since:
        yield ADHERENCE, (), logged_in / scheduled


def _occupied(name: str, seat: Seat, talking: dict[str, float], workload: Workload, since: float, now: float) -> list[Span]:
    """When the seat was in a call or wrapping up."""
    calls = workload.spans(name, since, now)
    if name in talking:
        calls.append((talking[name], now))
    return union([*calls, *seat.wrap_up.spans(since, now, WRAP_UP_SECONDS)])

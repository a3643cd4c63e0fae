"""Operators: what each seat does and for how long: logged in, in a call, rung, wrapping up, or paused and why.

A seat is logged in from the first queue that it joins to the last that it leaves, and whoever rings, answers, pauses or resumes
is there too: not every exchange tells who joins, and none tells it of members that its configuration names. Which seats talk is
told by the calls.

A centre's state is one record of Kafka: with the longest codes a seat takes 6.5 kB as it is written, and all of them 1.3 MB.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated, Literal, NamedTuple, assert_never, get_args

from pydantic import Field, InstanceOf
from pydantic.json_schema import SkipJsonSchema

from schemas.operators import OperatorEvent
from streams.core.centre import SEATS, Centre
from streams.core.hourly import HOUR, Hourly
from streams.core.ledger import Ledger
from streams.core.names import OTHER, SILENT_SECONDS, Strangers
from streams.core.reading import Metric, Readings
from streams.core.shifts import scheduled_seconds
from streams.core.spans import Span, overlap, total, union, within
from streams.core.timeline import MEMBER, PAUSE, SEEN, WRAP_UP, Change, Past, Timeline, WrapUp, short
from streams.core.watch import SeatWatch
from streams.core.workload import Workload

Doing = Literal["available", "ringing", "talking", "wrap_up", "paused", "off"]

REASONS = 16
"""The most reasons of pauses at a centre whose file names none; further ones count together as `other`."""

UNSPECIFIED = "unspecified"
"""The reason of a pause for which none was told."""

WINDOW_SECONDS = 3600
"""What occupancy and adherence are about."""

RINGING_SECONDS = 60
"""A seat rings no longer than this: that a caller hung up meanwhile is not told by the seat."""

WRAP_UP_SECONDS = 600
"""A wrap-up of which neither its end nor how long it takes is told is over after this."""

ENOUGH_SECONDS = 600
"""With less logged-in time than this in the window, occupancy says nothing."""


@dataclass(slots=True)
class Seat:
    """One seat as far as it was told. The times are those of the events, which can come late."""

    timeline: Timeline = field(default_factory=Timeline)
    rang: float = 0.0
    rang_out: float = 0.0
    ring_no_answers: int = 0

    @property
    def heard(self) -> float:
        """When it was last heard of."""
        return max(self.timeline.newest, self.rang, self.rang_out)


@dataclass(slots=True)
class State:
    """The seats of one centre."""

    ledger: Ledger = field(default_factory=Ledger)
    seats: dict[str, Seat] = field(default_factory=dict)
    paused_seconds: dict[str, float] = field(default_factory=dict)
    """Of the pauses that no seat's timeline has any more, by reason. A timeline names a reason by its number here."""
    wrapped_up: Hourly = field(default_factory=Hourly)
    """Microseconds of the wrap-ups that no seat's timeline has any more, each in the hour in which it began."""
    strangers: Strangers = field(default_factory=Strangers)
    watch: Annotated[InstanceOf[SeatWatch] | None, SkipJsonSchema(), Field(exclude=True)] = None
    """Who is told what is counted, if anybody is."""


def step(state: State, event: OperatorEvent, time: float, centre: Centre) -> None:
    """Remember one event; `time` is its own in epoch seconds. Facts come in any order; one told twice changes nothing."""
    data = event.data
    if event.type == "operator.ring_no_answer" and event.data.ring_seconds == 0:
        return  # the exchange could not even ring it: nobody let a caller wait
    names = centre.names
    seat = state.seats.get(names.seats[data.seat]) or _take_in(state, data.seat, time, centre)
    if seat is None:
        return
    queue = "" if data.queue is None else short(names.queues[data.queue])
    match event.type:
        case "operator.logged_in":
            _tell(state, seat, Change(time, MEMBER, queue, "in"))
        case "operator.logged_out":
            _tell(state, seat, Change(time, MEMBER, queue, ""))
        case "operator.paused":
            _tell(state, seat, Change(time, SEEN, queue, ""))
            _tell(state, seat, Change(time, PAUSE, queue, _reason(state, event.data.reason, centre)))
        case "operator.resumed":
            _tell(state, seat, Change(time, SEEN, queue, ""))
            _tell(state, seat, Change(time, PAUSE, queue, ""))
        case "operator.ringing":
            _tell(state, seat, Change(time, SEEN, queue, ""))
            seat.rang = max(seat.rang, time)
        case "operator.ring_no_answer":
            # It was there when it began to ring, and can have been taken out of the queue since.
            _tell(state, seat, Change(time - (event.data.ring_seconds or 0), SEEN, queue, ""))
            # A seat lets one call ring out at a time: within a second it is the same fact, told by a log and a live feed.
            if abs(time - seat.rang_out) >= 1:
                seat.ring_no_answers += 1
                if state.watch is not None:
                    state.watch.rang_out(centre.names.seats[data.seat], time, event.data.ring_seconds)
            seat.rang_out = max(seat.rang_out, time)
        case "operator.ring_canceled":
            seat.rang_out = max(seat.rang_out, time)
        case "operator.wrap_up_started":
            _tell(state, seat, Change(time, SEEN, queue, ""))
            # After a call that is none of the city's it says so by the queue.
            emergency = centre.emergency_queues
            elsewhere = data.queue is not None and emergency and centre.names.queues[data.queue] not in emergency
            queue = queue if elsewhere and queue in seat.timeline.queues else ""
            _tell(state, seat, Change(time, WRAP_UP, queue, f"{event.data.seconds or WRAP_UP_SECONDS}"))
        case "operator.wrap_up_ended":
            _tell(state, seat, Change(time, WRAP_UP, "", ""))
        case _:
            assert_never(event.type)


def _take_in(state: State, name: str, time: float, centre: Centre) -> Seat | None:
    """A seat that was not heard of yet. The pauses of one that makes way for it stay counted."""
    before = dict(state.seats)
    key = state.strangers.take_in("seat", name, centre.names.seats, state.seats, SEATS, time)
    for gone in before.keys() - state.seats.keys():
        _count(state, before[gone].timeline.forget(time), gone)
    if key is None:
        return None
    seat = state.seats[key] = Seat()
    return seat


def _tell(state: State, seat: Seat, change: Change) -> None:
    """Put a change on a seat's timeline, and say where it cannot be kept."""
    timeline = seat.timeline
    if change.queue and not timeline.has(change.queue):
        _tidy(state, timeline)
        if not timeline.has(change.queue):
            state.strangers.pass_over("seat_queue")
            if change.kind == MEMBER and not change.word:
                return
            change = Change(change.time, SEEN, "", "")
    if timeline.put(change):
        _tidy(state, timeline)


def _tidy(state: State, timeline: Timeline) -> None:
    over, lost = timeline.tidy()
    name = "" if state.watch is None else next(name for name, seat in state.seats.items() if seat.timeline is timeline)
    for past in over:
        _count(state, past, name)
    if lost:
        state.strangers.pass_over("change", lost)


def _reason(state: State, told: str | None, centre: Centre) -> str:
    """The number of the reason under which a pause counts."""
    reason = UNSPECIFIED if told is None else state.strangers.label("reason", told, centre.names.reasons)
    counted = state.paused_seconds
    if told is not None and reason not in counted and not centre.names.reasons.known and len(counted) >= REASONS:
        state.strangers.pass_over("reason")
        reason = OTHER
    counted.setdefault(reason, 0.0)
    return str(list(counted).index(reason))


def _count(state: State, over: Past, name: str) -> None:
    """Count what no seat's timeline has any more."""
    reasons = list(state.paused_seconds)
    for start, end, number in over.pauses:
        state.paused_seconds[reasons[int(number)]] += end - start
    _add(state.wrapped_up, over.wraps)
    if state.watch is not None:
        state.watch.past(name, over)


def _add(wrapped_up: Hourly, wraps: Iterable[WrapUp]) -> None:
    for start, end, queue in wraps:
        if not queue:
            wrapped_up.add(int(start) // HOUR, round((end - start) * 1e6))


OPERATORS = Metric(
    "psap_operators",
    "gauge",
    "Seats by what they do, each the first that holds: talking; off (not logged in); ringing (60 s at most, from "
    "operator.ringing to an answer, ring_no_answer or ring_canceled); wrap_up (to its end, a log-out or the seconds told, else "
    "600 s); paused; available (free to answer). A seat of which only calls are told is one until 60 minutes after the last. "
    "Absent until a log-in or log-out was told or somebody rang, answered, paused or resumed.",
    ("state",),
)
PAUSED = Metric(
    "psap_operators_paused",
    "gauge",
    "Seats whose psap_operators state is paused, by the newest reason. Paused is who is so in each of its queues; leaving a"
    " queue ends the pause in it.",
    ("reason",),
)
PAUSED_TIME = Metric(
    "psap_operator_paused_timestamp_seconds",
    "gauge",
    "When the pause of a seat began; absent unless its psap_operators state is paused.",
    ("seat", "reason"),
)
PAUSE_SECONDS_TOTAL = Metric(
    "psap_operator_pause_seconds_total",
    "counter",
    "Seconds of pauses of all seats, those that go on up to now. Where the end of one is told late it steps back by the delay: "
    "subtract (x - x offset 1h), increase() would take that for a restart.",
    ("reason",),
)
STAFFED = Metric(
    "psap_seats_staffed",
    "gauge",
    "Seats that are logged in or in a call. Absent where no log-in is ever told and the centre file names no static seats: "
    "who is there and silent is then not known.",
)
UNPAIRED = Metric(
    "psap_seats_unpaired",
    "gauge",
    "Names that act and never log in, while others log in under another kind of name (an interface such as PJSIP/11), "
    "in the last day: they must be the same seats, so psap_operators leaves them out.",
)
LOGGED_IN_SECONDS = Metric(
    "psap_operator_logged_in_seconds",
    "gauge",
    "Seconds that seats were logged in or in a call (one that goes on, or whose end was told), of all seats in the last 60 "
    "minutes; absent as psap_seats_staffed is.",
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
    "psap_operator_ring_no_answer_total",
    "counter",
    "Calls that rang at a seat, for more than 0 s, and were not taken.",
    ("seat",),
)
METRICS = (
    OPERATORS,
    PAUSED,
    PAUSED_TIME,
    PAUSE_SECONDS_TOTAL,
    STAFFED,
    UNPAIRED,
    LOGGED_IN_SECONDS,
    OCCUPANCY,
    ADHERENCE,
    RING_NO_ANSWER_TOTAL,
)


class Look(NamedTuple):
    """What one seat does at a moment, and what is known of the time before it."""

    doing: Doing
    told: bool
    """Whether a log-in or log-out of it was told, or need not be."""
    heard: float
    known: float
    """Since when it is known; epoch seconds as all."""
    past: Past
    logged_in: float
    """Seconds of the last hour in which it was logged in or in a call."""
    busy: float
    """Of these, seconds in a call or wrapping up."""


def wrapped_up(state: State, looks: dict[str, Look]) -> Hourly:
    """Microseconds of all wrap-ups that were told, up to the moment of `look`, each in the hour in which it began."""
    found = Hourly(state.wrapped_up.first, [*state.wrapped_up.sums])
    for look in looks.values():
        _add(found, look.past.wraps)
    return found


def measure(state: State, looks: dict[str, Look], now: float, centre: Centre) -> Readings:
    """Say what the seats do at `now`, the moment of `look`, and did in the hour before."""
    reasons = list(state.paused_seconds)
    seconds = dict(state.paused_seconds)
    for look in looks.values():
        for start, end, number in look.past.pauses:
            seconds[reasons[int(number)]] += end - start
    seats, unpaired = _told_apart(looks, now, centre)
    if any(look.told or look.doing != "off" for look in seats.values()):
        yield from _measure_states(seats, reasons, centre)
        yield UNPAIRED, (), unpaired
        if any(look.told for look in seats.values()):
            yield from _measure_hour(seats, now, centre)
    for reason, lasted in sorted(seconds.items()):
        yield PAUSE_SECONDS_TOTAL, (reason,), lasted
    for name, seat in sorted(state.seats.items()):
        yield RING_NO_ANSWER_TOTAL, (name,), seat.ring_no_answers
    yield from state.strangers.measure()


def _measure_states(seats: dict[str, Look], reasons: list[str], centre: Centre) -> Readings:
    doing = Counter(look.doing for look in seats.values())
    doing["off"] += len(centre.names.seats.known - seats.keys())
    for name in get_args(Doing):
        yield OPERATORS, (name,), doing[name]
    paused = {
        name: (reasons[int(look.past.standing.pause)], look.past.standing.paused_since)
        for name, look in seats.items()
        if look.doing == "paused"
    }
    counted = Counter(reason for reason, _ in paused.values())
    for reason in sorted(reasons):
        yield PAUSED, (reason,), counted[reason]
    for name, (reason, since) in sorted(paused.items()):
        yield PAUSED_TIME, (name, reason), since


def _measure_hour(seats: dict[str, Look], now: float, centre: Centre) -> Readings:
    since = now - WINDOW_SECONDS
    yield STAFFED, (), sum(look.doing != "off" for look in seats.values())
    logged_in = sum(look.logged_in for look in seats.values())
    yield LOGGED_IN_SECONDS, (), logged_in
    if logged_in >= ENOUGH_SECONDS:
        yield OCCUPANCY, (), sum(look.busy for look in seats.values()) / logged_in
    known = min(look.known for look in seats.values() if look.told)
    scheduled = scheduled_seconds(centre.shifts, since, now, centre.timezone)
    if scheduled and known <= since:
        yield ADHERENCE, (), logged_in / scheduled


def _told_apart(looks: dict[str, Look], now: float, centre: Centre) -> tuple[dict[str, Look], int]:
    """The looks of seats, each once, and how many more names act that must be those of seats as well."""
    codes = centre.names.seats
    interfaces = any("/" in name and look.told for name, look in looks.items())
    seats, unpaired = {}, 0
    for name, look in looks.items():
        # A stranger that was only ever seen, and for a day not even that, is gone or has another name by now.
        lately = look.told or name in codes.known or now - look.heard < SILENT_SECONDS
        code = codes[name]
        if code != name:
            # The file did not have this name when it was told. What is told since then stands under the code.
            if code not in looks and (look.told or code not in seats):
                seats[code] = look
        elif interfaces and "/" not in name and not look.told and name not in codes.known:
            unpaired += lately
        elif lately:
            seats[name] = look
    return seats, unpaired


def look(state: State, talking: dict[str, float], workload: Workload, now: float, centre: Centre) -> dict[str, Look]:
    """Every seat of which anything is known at `now`: told, heard in a call, or by the centre's file always there.

    `talking` has the seats that are in a call and since when, `workload` the conversations that are over: both are told by the
    calls and not by the seats.
    """
    since = now - WINDOW_SECONDS
    spoken = {
        name
        for name, conversations in workload.seats.items()
        if any(since < end and start <= now for end, start in conversations)
    }
    static = {seat.code for seat in centre.seats if seat.static}
    names = sorted({*state.seats, *talking, *spoken, *static})
    return {
        name: _look(name, state.seats.get(name) or Seat(), talking, workload, now, centre, static=name in static)
        for name in names
    }


def _look(
    name: str, seat: Seat, talking: dict[str, float], workload: Workload, now: float, centre: Centre, *, static: bool
) -> Look:
    since = now - WINDOW_SECONDS
    spoken: list[Span] = [(start, end) for end, start in workload.seats.get(name, ()) if since < end and start <= now]
    calls = [*spoken, (talking[name], now)] if name in talking else spoken
    timeline = seat.timeline
    past = timeline.replay(now, static=static)
    answered = [start for start, _ in calls]
    if answered and not (past.there and past.there[-1][0] <= min(answered) and past.standing.there):
        # Whoever answers is there.
        shown = sorted([*timeline.changes, *(Change(start, SEEN, "", "") for start in answered)])
        past = timeline.replay(now, shown, static=static)
    doing: Doing
    if name in talking:
        doing = "talking"
    elif not past.standing.there:
        doing = "off"
    elif seat.rang_out < seat.rang <= now < seat.rang + RINGING_SECONDS and not workload.has_answered(name, seat.rang):
        doing = "ringing"
    elif now < max([past.standing.wraps_up_until, *(end + centre.wrap_up_seconds for _, end in spoken if end <= now)]):
        doing = "wrap_up"
    else:
        doing = "paused" if past.standing.pause else "available"
    there = within(union(past.there + calls), since, now)
    wraps = [
        *((start, end) for start, end, _ in past.wraps if end > since),
        *((end, end + centre.wrap_up_seconds) for _, end in spoken),
    ]
    return Look(
        doing=doing,
        told=static or past.standing.told,
        heard=now if calls else seat.heard,
        known=0.0 if static else seat.timeline.known,
        past=past,
        logged_in=total(there),
        busy=overlap(there, union(calls + wraps)),
    )

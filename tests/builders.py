"""Events with everything defaulted but the point, and what the folds say of them. Seconds count from START."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from hashlib import blake2b
from random import Random
from typing import Any, Literal, TypeVar
from zoneinfo import ZoneInfo

from schemas.callers import (
    BlockApproved,
    BlockDeclined,
    BlockLifted,
    BlockRecommended,
    CallerBlockApproved,
    CallerBlockDeclined,
    CallerBlockLifted,
    CallerBlockRecommended,
    CallerContacted,
    CallerErased,
    CallerEvent,
    Contacted,
    Erased,
    Stage,
)
from schemas.calls import (
    Abandoned,
    Answered,
    Blocked,
    CallAbandoned,
    CallAnswered,
    CallBlocked,
    CallClassified,
    CallEnded,
    CallEvent,
    CallLost,
    CallNetworkDropped,
    CallOffered,
    CallOverflowed,
    CallQueued,
    CallTransferred,
    Classified,
    Ended,
    Lost,
    NetworkDropped,
    Offered,
    Overflowed,
    Queued,
    Transferred,
)
from schemas.dispatch import (
    DispatchEvent,
    OfOpd,
    OfUnit,
    Opened,
    PassedOn,
    ReminderAccepted,
    ReminderDue,
    Ticket,
    TicketAcknowledged,
    TicketClosed,
    TicketOpened,
    TicketPassedOn,
    TicketReminderAccepted,
    TicketReminderDue,
    TicketReopened,
    TicketSent,
    TicketUnitArrived,
    TicketUnitAvailable,
    TicketUnitDispatched,
)
from schemas.environment import (
    Cancelled,
    EnvironmentEvent,
    GaugeRead,
    Reading,
    Severity,
    Warned,
    WeatherCancelled,
    WeatherWarned,
)
from schemas.event import Event
from schemas.network import (
    LinkData,
    LinkDown,
    LinkHeartbeat,
    LinkMeasured,
    LinkOccupied,
    LinkRegistered,
    LinkUnregistered,
    LinkUp,
    Measured,
    NetworkEvent,
    Occupied,
)
from schemas.operators import (
    OperatorEvent,
    OperatorLoggedIn,
    OperatorLoggedOut,
    OperatorPaused,
    OperatorResumed,
    OperatorRingCanceled,
    OperatorRinging,
    OperatorRingNoAnswer,
    OperatorWrapUpEnded,
    OperatorWrapUpStarted,
    Paused,
    Ringing,
    RingNoAnswer,
    Seat,
    WrapUp,
)
from streams.core import calls, dispatch, operators
from streams.core.callbook import mark
from streams.core.centre import Centre, Thresholds, parse
from streams.core.histogram import Histogram
from streams.core.names import Names
from streams.core.reading import Metric, Readings
from streams.core.workload import Workload

START = datetime(2024, 11, 25, 8, 0, tzinfo=ZoneInfo("Asia/Jakarta"))
"""A Monday morning in Bogor."""

SOURCE = "/32.71/test"

EventT = TypeVar("EventT", bound=Event)

BOGOR = parse('code = "32.71"\nname = "Kota Bogor"\ntimezone = "Asia/Jakarta"\nqueues = ["112"]')


def key_of(call: str) -> str:
    """What the fold knows a call of `SOURCE` by."""
    return mark(mark(SOURCE), call)


def changed(centre: Centre, **parts: object) -> Centre:
    """The centre, of which its file says something else."""
    fields = {name: getattr(centre, name) for name in Centre.model_fields}
    return Centre.model_validate(fields | {"timezone": centre.timezone.key} | parts)


def bogor(**thresholds: float) -> Centre:
    """Kota Bogor with other limits."""
    return BOGOR.model_copy(update={"thresholds": Thresholds.model_validate(thresholds)})


def respelt(event: EventT, dice: Random, **names: Names) -> EventT:
    """The event, in which somebody else wrote what the file names: in capitals or not, with or without dots and dashes.

    `names` are those of each field of its data.
    """

    def spell(code: str) -> str:
        text = "".join(dice.choice((letter.upper(), letter.lower())) for letter in code if letter.isalnum())
        return "".join(letter + dice.choice(("", "", "-", "_", ".")) for letter in text)

    told = {field: getattr(event.data, field, None) for field in names}
    said = {field: spell(text) for field, text in told.items() if text in names[field].known}
    return event.model_copy(update={"data": event.data.model_copy(update=said)})


def at(seconds: float) -> float:
    """Epoch seconds of a moment so many seconds after START."""
    return START.timestamp() + seconds


def seconds_to(moment: datetime) -> float:
    """Seconds from START to a moment with zone."""
    return (moment - START).total_seconds()


def offered(
    call: str,
    seconds: float,
    queue: str = "112",
    clock: Literal["arrival", "queue"] = "arrival",
    caller: str | None = None,
    link: str | None = None,
    district: str | None = None,
    before: str | None = None,
) -> CallEvent:
    known, former = (None if one is None else pseudonym_of(one) for one in (caller, before))
    said = Offered(call=call, queue=queue, clock=clock, caller=known, caller_before=former, link=link, district=district)
    return CallOffered(data=said, **_envelope("o", call + queue, seconds))


def queued(call: str, seconds: float, queue: str = "112") -> CallEvent:
    return CallQueued(data=Queued(call=call, queue=queue), **_envelope("q", call + queue, seconds))


def answered(call: str, seconds: float, seat: str | None = None) -> CallEvent:
    return CallAnswered(data=Answered(call=call, seat=seat), **_envelope("a", call, seconds))


def abandoned(call: str, seconds: float) -> CallEvent:
    return CallAbandoned(data=Abandoned(call=call), **_envelope("x", call, seconds))


def ended(call: str, seconds: float) -> CallEvent:
    return CallEnded(data=Ended(call=call), **_envelope("e", call, seconds))


def transferred(call: str, seconds: float, to: str | None = None) -> CallEvent:
    return CallTransferred(data=Transferred(call=call, to=to), **_envelope("t", call, seconds))


def overflowed(call: str, seconds: float) -> CallEvent:
    return CallOverflowed(data=Overflowed(call=call, reason="timeout"), **_envelope("v", call, seconds))


def blocked(call: str, seconds: float) -> CallEvent:
    return CallBlocked(data=Blocked(call=call), **_envelope("b", call, seconds))


def network_dropped(call: str, seconds: float, queue: str | None = None) -> CallEvent:
    return CallNetworkDropped(data=NetworkDropped(call=call, queue=queue), **_envelope("n", call, seconds))


def lost(call: str, seconds: float) -> CallEvent:
    return CallLost(data=Lost(call=call), **_envelope("l", call, seconds))


def classified(call: str, seconds: float, class_: str) -> CallEvent:
    return CallClassified(data=Classified.model_validate({"call": call, "class": class_}), **_envelope("c", call, seconds))


def pseudonym_of(caller: str) -> str:
    """What stands for a caller such as "ani" in events."""
    return blake2b(caller.encode(), digest_size=16).hexdigest()


def recommended(caller: str, seconds: float, until: float, stage: Stage = "24h") -> CallerEvent:
    since, end = START + timedelta(seconds=until - 90_000), START + timedelta(seconds=until)
    data = BlockRecommended(caller=pseudonym_of(caller), stage=stage, pranks=3, since=since, until=end)
    return CallerBlockRecommended(data=data, **_envelope("br", caller, seconds))


def approved(caller: str, seconds: float, expires: float, stage: Stage = "24h") -> CallerEvent:
    end = START + timedelta(seconds=expires)
    data = BlockApproved(caller=pseudonym_of(caller), stage=stage, by="supervisor-1", expires=end)
    return CallerBlockApproved(data=data, **_envelope("ba", caller, seconds))


def declined(caller: str, seconds: float, stage: Stage = "24h") -> CallerEvent:
    data = BlockDeclined(caller=pseudonym_of(caller), stage=stage, by="supervisor-1")
    return CallerBlockDeclined(data=data, **_envelope("bd", caller, seconds))


def lifted(caller: str, seconds: float) -> CallerEvent:
    data = BlockLifted(caller=pseudonym_of(caller), by="supervisor-1")
    return CallerBlockLifted(data=data, **_envelope("bl", caller, seconds))


def contacted(caller: str, seconds: float) -> CallerEvent:
    return CallerContacted(data=Contacted(caller=pseudonym_of(caller)), **_envelope("cc", caller, seconds))


def erased(caller: str, seconds: float, before: str | None = None) -> CallerEvent:
    former = None if before is None else pseudonym_of(before)
    return CallerErased(
        data=Erased(caller=pseudonym_of(caller), caller_before=former, by="dpo-1"), **_envelope("ce", caller, seconds)
    )


def spoken(call: str, seconds: float, caller: str, class_: str) -> list[CallEvent | CallerEvent]:
    """A call that was answered, and what it turned out to be."""
    return [
        offered(call, seconds, caller=caller),
        answered(call, seconds + 5),
        ended(call, seconds + 60),
        classified(call, seconds + 70, class_),
    ]


def came(caller: str, class_: str, *hours: float) -> list[CallEvent | CallerEvent]:
    """Calls of one caller, all of one class, at these hours."""
    return [event for hour in hours for event in spoken(f"{caller}-{class_}-{hour}", hour * 3600, caller, class_)]


def logged_in(seat: str, seconds: float, queue: str | None = None) -> OperatorEvent:
    return OperatorLoggedIn(data=Seat(seat=seat, queue=queue), **_envelope("li", seat, seconds))


def logged_out(seat: str, seconds: float, queue: str | None = None) -> OperatorEvent:
    return OperatorLoggedOut(data=Seat(seat=seat, queue=queue), **_envelope("lo", seat, seconds))


def paused(seat: str, seconds: float, reason: str | None = None, queue: str | None = None) -> OperatorEvent:
    return OperatorPaused(data=Paused(seat=seat, reason=reason, queue=queue), **_envelope("p", seat, seconds))


def resumed(seat: str, seconds: float, queue: str | None = None) -> OperatorEvent:
    return OperatorResumed(data=Seat(seat=seat, queue=queue), **_envelope("r", seat, seconds))


def ring_no_answer(seat: str, seconds: float, rang: float | None = None, queue: str | None = None) -> OperatorEvent:
    data = RingNoAnswer(seat=seat, ring_seconds=rang, queue=queue)
    return OperatorRingNoAnswer(data=data, **_envelope("rna", seat, seconds))


def ringing(seat: str, seconds: float, queue: str | None = None) -> OperatorEvent:
    return OperatorRinging(data=Ringing(seat=seat, queue=queue), **_envelope("ri", seat, seconds))


def ring_canceled(seat: str, seconds: float) -> OperatorEvent:
    return OperatorRingCanceled(data=Ringing(seat=seat), **_envelope("rc", seat, seconds))


def wrap_up_started(seat: str, seconds: float, lasts: float | None = None, queue: str | None = None) -> OperatorEvent:
    return OperatorWrapUpStarted(data=WrapUp(seat=seat, seconds=lasts, queue=queue), **_envelope("ws", seat, seconds))


def wrap_up_ended(seat: str, seconds: float) -> OperatorEvent:
    return OperatorWrapUpEnded(data=Seat(seat=seat), **_envelope("we", seat, seconds))


_LINK_EVENTS: dict[str, type[LinkUp | LinkDown | LinkHeartbeat | LinkRegistered | LinkUnregistered]] = {
    "up": LinkUp,
    "down": LinkDown,
    "heartbeat": LinkHeartbeat,
    "registered": LinkRegistered,
    "unregistered": LinkUnregistered,
}


def link(what: str, seconds: float, name: str = "sip-telkom") -> NetworkEvent:
    return _LINK_EVENTS[what](data=LinkData(link=name), **_envelope("l" + what, name, seconds))


def link_measured(seconds: float, name: str = "sip-telkom", **quality: float) -> NetworkEvent:
    return LinkMeasured(data=Measured(link=name, **quality), **_envelope("lm", name, seconds))


def link_occupied(seconds: float, used: int, channels: int = 30, name: str = "sip-telkom") -> NetworkEvent:
    return LinkOccupied(data=Occupied(link=name, used=used, channels=channels), **_envelope("lo", name, seconds))


def gauge_read(level: float, seconds: float, gauge: str = "katulampa") -> EnvironmentEvent:
    return GaugeRead(data=Reading(gauge=gauge, level_centimetres=level), **_envelope("g", f"{gauge}{level:g}", seconds))


def warned(warning: str, seconds: float, onset: float, expires: float, severity: Severity = "Moderate") -> EnvironmentEvent:
    """A warning told `seconds` after START; `onset` and `expires` count from START too."""
    data = Warned(
        warning=warning,
        event="hujan-lebat",
        severity=severity,
        urgency="Immediate",
        certainty="Observed",
        onset=START + timedelta(seconds=onset),
        expires=START + timedelta(seconds=expires),
        attribution="BMKG",
    )
    return WeatherWarned(data=data, **_envelope("w", f"{warning}{onset:g}-{expires:g}", seconds))


def cancelled(warning: str, seconds: float) -> EnvironmentEvent:
    return WeatherCancelled(data=Cancelled(warning=warning), **_envelope("wc", warning, seconds))


def opened(
    ticket: str, seconds: float, category: str = "kebakaran", call: str | None = None, district: str | None = None
) -> DispatchEvent:
    data = Opened(ticket=ticket, category=category, call=call, district=district)
    return TicketOpened(data=data, **_envelope("to", ticket, seconds))


def sent(ticket: str, seconds: float, opd: str = "damkar") -> DispatchEvent:
    return TicketSent(data=OfOpd(ticket=ticket, opd=opd), **_envelope("ts", ticket + opd, seconds))


def acknowledged(ticket: str, seconds: float, opd: str = "damkar") -> DispatchEvent:
    return TicketAcknowledged(data=OfOpd(ticket=ticket, opd=opd), **_envelope("ta", ticket + opd, seconds))


def unit_dispatched(ticket: str, seconds: float, unit: str = "u1", opd: str = "damkar") -> DispatchEvent:
    data = OfUnit(ticket=ticket, opd=opd, unit=unit)
    return TicketUnitDispatched(data=data, **_envelope("tud", ticket + unit, seconds))


def unit_arrived(ticket: str, seconds: float, unit: str = "u1", opd: str = "damkar") -> DispatchEvent:
    data = OfUnit(ticket=ticket, opd=opd, unit=unit)
    return TicketUnitArrived(data=data, **_envelope("tua", ticket + unit, seconds))


def unit_available(ticket: str, seconds: float, unit: str = "u1", opd: str = "damkar") -> DispatchEvent:
    data = OfUnit(ticket=ticket, opd=opd, unit=unit)
    return TicketUnitAvailable(data=data, **_envelope("tuv", ticket + unit, seconds))


def passed_on(ticket: str, seconds: float, to: str, opd: str = "damkar") -> DispatchEvent:
    return TicketPassedOn(data=PassedOn(ticket=ticket, opd=opd, to=to), **_envelope("tp", ticket + to, seconds))


def closed(ticket: str, seconds: float) -> DispatchEvent:
    return TicketClosed(data=Ticket(ticket=ticket), **_envelope("tc", ticket, seconds))


def reopened(ticket: str, seconds: float) -> DispatchEvent:
    return TicketReopened(data=Ticket(ticket=ticket), **_envelope("tr", ticket, seconds))


def reminder_due(due: dispatch.Due, seconds: float) -> DispatchEvent:
    since, passed = (datetime.fromtimestamp(time, START.tzinfo) for time in (due.since, due.due))
    data = ReminderDue(ticket=due.ticket, opd=due.opd, rung=due.rung, since=since, due=passed)
    return TicketReminderDue(data=data, **_envelope("trd", due.ticket + due.rung, seconds))


def reminder_accepted(due: dispatch.Due, seconds: float) -> DispatchEvent:
    since = datetime.fromtimestamp(due.since, START.tzinfo)
    data = ReminderAccepted(ticket=due.ticket, opd=due.opd, rung=due.rung, since=since)
    return TicketReminderAccepted(data=data, **_envelope("tra", due.ticket + due.rung, seconds))


class Said(dict[tuple[Any, ...], float | Histogram]):
    """Readings by metric and label values: `said[WAITING, "112"]`; `number` where no histogram is meant."""

    def number(self, metric: Metric, *labels: str) -> float:
        value = self[(metric, *labels)]
        assert isinstance(value, int | float)
        return value

    def histogram(self, metric: Metric, *labels: str) -> Histogram:
        value = self[(metric, *labels)]
        assert isinstance(value, Histogram)
        return value

    def by_label(self, metric: Metric, *labels: str) -> dict[str, float]:
        """The values that are not zero of a metric whose first labels are these, by its last label."""
        found = {key[-1]: self.number(*key) for key in self if key[0] is metric and key[1:-1] == labels}
        return {label: value for label, value in found.items() if value}


def fold(
    events: Iterable[CallEvent | CallerEvent],
    centre: Centre = BOGOR,
    state: calls.State | None = None,
    first_offset: int | None = None,
) -> calls.State:
    """The state of a centre's calls after these events, entered in the ledger from the next offset or from another one on."""
    state = state if state is not None else calls.State()
    for offset, event in enumerate(events, state.ledger.offset + 1 if first_offset is None else first_offset):
        if state.ledger.admit(offset, event.source, event.id, event.time.timestamp()) == "folded":
            calls.step(state, event, event.time.timestamp(), centre)
    return state


def readings(events: Iterable[CallEvent | CallerEvent] | calls.State, now: float, centre: Centre = BOGOR) -> Said:
    """What is said at `now` (seconds after START) of these events or of the state they left."""
    state = events if isinstance(events, calls.State) else fold(events, centre)
    return said(calls.measure(calls.settled(state, at(now), centre), at(now), centre))


def seat_state(events: Iterable[OperatorEvent], state: operators.State | None = None, centre: Centre = BOGOR) -> operators.State:
    """What is known of the seats after these events."""
    state = state if state is not None else operators.State()
    for event in events:
        operators.step(state, event, event.time.timestamp(), centre)
    return state


def seat_readings(
    events: Iterable[OperatorEvent] | operators.State,
    now: float,
    talking: Mapping[str, float] | None = None,
    spoken: Iterable[tuple[str, float, float]] = (),
    centre: Centre = BOGOR,
) -> Said:
    """What is said of the seats at `now`, while some talk since a moment and have `spoken` from one to another."""
    state = events if isinstance(events, operators.State) else seat_state(events, centre=centre)
    workload = Workload()
    for seat, start, end in spoken:
        workload.spoke(seat, at(start), at(end), centre)
    since = {seat: at(start) for seat, start in (talking or {}).items()}
    return said(operators.measure(state, operators.look(state, since, workload, at(now), centre), at(now), centre))


def ticket_state(events: Iterable[DispatchEvent], centre: Centre = BOGOR, state: dispatch.State | None = None) -> dispatch.State:
    """What is known of the tickets after these events."""
    state = state if state is not None else dispatch.State()
    for event in events:
        dispatch.step(state, event, event.time.timestamp(), centre)
    return state


def ticket_readings(events: Iterable[DispatchEvent] | dispatch.State, now: float, centre: Centre = BOGOR) -> Said:
    """What is said of the tickets at `now` (seconds after START) after these events or of the state they left."""
    state = events if isinstance(events, dispatch.State) else ticket_state(events, centre)
    return said(dispatch.measure(state, at(now), centre))


def said(spoken: Readings) -> Said:
    """Readings by metric and labels; each may be said only once."""
    found = Said()
    for metric, labels, value in spoken:
        assert len(labels) == len(metric.labels), metric.name
        assert (metric, *labels) not in found, f"{metric.name}{labels} is said twice"
        found[(metric, *labels)] = value
    return found


def _envelope(letter: str, name: str, seconds: float) -> dict[str, Any]:
    if len(name) > 64:  # an id has room for 128
        name = pseudonym_of(name)
    return {
        "id": f"{letter}-{name}-{seconds:g}",
        "source": SOURCE,
        "subject": BOGOR.code,
        "time": START + timedelta(seconds=seconds),
    }

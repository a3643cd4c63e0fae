"""Dispatch: which tickets are open at which agency (OPD), how long each has been waiting, and how long answers took."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import assert_never

from schemas.dispatch import DispatchEvent
from streams.core import scene
from streams.core.centre import Centre
from streams.core.desk import NOBODY, SWEEP_SECONDS, Desk
from streams.core.lags import BOUNDS, Agency
from streams.core.ledger import Ledger
from streams.core.reading import Metric, Readings
from streams.core.ticket import Ticket


@dataclass(slots=True)
class State:
    """The tickets of one centre."""

    ledger: Ledger = field(default_factory=Ledger)
    desk: Desk = field(default_factory=Desk)
    sweep_at: float = 0.0


def step(state: State, event: DispatchEvent, time: float, centre: Centre) -> None:
    """Remember one event; `time` is its own in epoch seconds. Facts come in any order; one told twice changes nothing."""
    desk, name, replayed = state.desk, event.data.ticket, event.replayed is True
    if time >= state.sweep_at:
        desk.sweep(time, centre)
        state.sweep_at = time + SWEEP_SECONDS
    match event.type:
        case "ticket.opened":
            said = event.data
            desk.open(name, time, said.category, said.call, said.district, centre, replayed=replayed)
        case "ticket.sent":
            desk.hear(event.data.opd, centre)
            desk.send(name, time, event.data.opd, centre, replayed=replayed)
        case "ticket.acknowledged":
            desk.hear(event.data.opd, centre)
            desk.answer(name, time, event.data.opd, centre)
        case "ticket.unit_dispatched":
            desk.hear(event.data.opd, centre)
            desk.dispatch(name, time, event.data.opd, event.data.unit, centre)
        case "ticket.unit_arrived":
            desk.hear(event.data.opd, centre)
            desk.arrive(name, time, event.data.opd, centre)
        case "ticket.unit_available":
            desk.hear(event.data.opd, centre)
            desk.release(name, time, event.data.opd, event.data.unit, centre)
        case "ticket.passed_on":
            desk.hear(event.data.opd, centre)
            desk.hear(event.data.to, centre)
            desk.pass_on(name, time, event.data.opd, event.data.to, centre, replayed=replayed)
        case "ticket.closed":
            desk.close(name, time, centre)
        case "ticket.reopened":
            desk.reopen(name, time, centre, replayed=replayed)
        case "ticket.reminder_due":
            desk.remind(name, time, event.data, centre, replayed=replayed)
        case "ticket.reminder_accepted":
            desk.accept(name, event.data, centre)
        case _:
            assert_never(event.type)
    desk.weigh(name, centre)


@dataclass(frozen=True, slots=True)
class Due:
    """A rung that a ticket has passed unanswered; `since` (it was sent) and `due` (the rung was passed) in epoch seconds."""

    ticket: str
    opd: str
    rung: str
    since: float
    due: float


def due(state: State, now: float, centre: Centre) -> Iterator[Due]:
    """The rungs passed at `now`, epoch seconds, for which no reminder was folded since the ticket was sent.

    Only of open tickets that their agency has not answered, and none of a recording.
    """
    for name, ticket in state.desk.tickets.items():
        leg = ticket.unanswered
        if leg is not None and not ticket.replayed:
            for rung, time in ticket.deadlines.items():
                if time <= now and rung not in ticket.reminders:
                    yield Due(name, leg.opd, rung, leg.since, time)


def undelivered(state: State) -> Iterator[Due]:
    """The reminders that were folded and whose message was not accepted yet.

    One whose ticket was answered, closed, passed on or sent again meanwhile is dropped silently: it has lost its reason.
    """
    for name, ticket in state.desk.tickets.items():
        leg = ticket.unanswered
        if leg is not None and not ticket.replayed:
            for rung, reminder in ticket.reminders.items():
                if not reminder.accepted:
                    yield Due(name, leg.opd, rung, leg.since, reminder.due)


TICKETS_OPEN = Metric(
    "psap_tickets_open",
    "gauge",
    "Open tickets, each in one place: unsent (opd none), in_time (sent, unanswered, no rung passed), "
    "the name of the last rung passed unanswered, or answered.",
    ("opd", "rung"),
)
OPENED_TOTAL = Metric(
    "psap_tickets_opened_total",
    "counter",
    "Reports that became tickets; with the reopened ones they are open, closed or lost.",
    ("category",),
)
CLOSED_TOTAL = Metric("psap_tickets_closed_total", "counter", "Tickets done, by the agency that had them last.", ("opd",))
REOPENED_TOTAL = Metric("psap_tickets_reopened_total", "counter", "Closed tickets that were not done after all.", ("opd",))
PASSED_ON_TOTAL = Metric("psap_tickets_passed_on_total", "counter", "Tickets that the agency handed to another.", ("opd",))
LOST_TOTAL = Metric("psap_tickets_lost_total", "counter", "Open tickets given up because there were too many at once.")
UNMATCHED_TOTAL = Metric(
    "psap_tickets_unmatched_total", "counter", "Tickets of which something was told, but within an hour not their opening."
)
OLDEST_UNANSWERED = Metric(
    "psap_oldest_unanswered_ticket_timestamp_seconds",
    "gauge",
    "When the ticket was sent that the agency has left unanswered longest; absent when it has answered all.",
    ("opd",),
)
AWAITING_DISPATCH = Metric(
    "psap_tickets_awaiting_dispatch", "gauge", "Open tickets for which no unit was sent out since they were opened or reopened."
)
UNITS_BUSY = Metric("psap_units_busy", "gauge", "Units that work on an open ticket.", ("opd",))
RESPONSE_SECONDS = Metric(
    "psap_ticket_response_seconds",
    "histogram",
    "Seconds from sending the ticket to the agency's answer; a unit that is sent out is one. An answer before the sending is "
    "left out (psap_ticket_backward_total).",
    ("opd",),
    BOUNDS,
)
REMINDERS_TOTAL = Metric(
    "psap_ticket_reminders_total", "counter", "Reminders that the admins' group has accepted.", ("opd", "rung")
)
REMINDERS_PENDING = Metric(
    "psap_ticket_reminders_pending", "gauge", "Reminders due to the admins' group and not accepted yet.", ("opd",)
)
OLDEST_PENDING = Metric(
    "psap_oldest_pending_reminder_timestamp_seconds",
    "gauge",
    "When the monitor first said the reminder that has been pending longest; absent without any.",
    ("opd",),
)
METRICS = (
    TICKETS_OPEN,
    OPENED_TOTAL,
    CLOSED_TOTAL,
    REOPENED_TOTAL,
    PASSED_ON_TOTAL,
    LOST_TOTAL,
    UNMATCHED_TOTAL,
    OLDEST_UNANSWERED,
    AWAITING_DISPATCH,
    UNITS_BUSY,
    RESPONSE_SECONDS,
    REMINDERS_TOTAL,
    REMINDERS_PENDING,
    OLDEST_PENDING,
    *scene.METRICS,
)


def measure(state: State, now: float, centre: Centre) -> Readings:
    """Say what is true at `now`."""
    desk = state.desk
    places = Counter({(opd, rung): 0 for opd in desk.agencies if opd != NOBODY for rung in ("in_time", "answered")})
    places[NOBODY, "unsent"] = 0
    oldest: dict[str, float] = {}
    pending = defaultdict[str, list[float]](list, {opd: [] for opd in desk.agencies})
    units = defaultdict[str, set[str]](set)
    awaiting = 0
    for ticket in desk.tickets.values():
        if not ticket.is_open:
            continue
        opd = desk.label(ticket.opd, centre)
        places[opd, _rung(ticket, now)] += 1
        awaiting += ticket.first.dispatched is None and ticket.first.arrived is None
        for name, unit in ticket.units.items():
            if unit.busy:
                units[unit.opd].add(name)
        if (leg := ticket.unanswered) is not None:
            oldest[opd] = min(leg.since, oldest.get(opd, leg.since))
            if not ticket.replayed:
                pending[opd] += [reminder.noticed for reminder in ticket.reminders.values() if not reminder.accepted]
    for place, tickets in sorted(places.items()):
        yield TICKETS_OPEN, place, tickets
    for category, totals in sorted(desk.categories.items()):
        yield OPENED_TOTAL, (category,), totals.opened
    yield LOST_TOTAL, (), desk.lost
    yield UNMATCHED_TOTAL, (), desk.unmatched
    yield AWAITING_DISPATCH, (), awaiting
    for opd, since in sorted(oldest.items()):
        yield OLDEST_UNANSWERED, (opd,), min(since, now)
    for opd, times in sorted(pending.items()):
        yield UNITS_BUSY, (opd,), len(units[opd])
        yield REMINDERS_PENDING, (opd,), len(times)
        if times:
            yield OLDEST_PENDING, (opd,), min(*times, now)
    for opd, agency in sorted(desk.agencies.items()):
        yield from _measure_agency(opd, agency)
    yield from scene.measure(desk, now, centre)
    yield from desk.strangers.measure()


def _rung(ticket: Ticket, now: float) -> str:
    if ticket.unanswered is None:
        return "unsent" if ticket.opd is None else "answered"
    return next((rung for rung, time in reversed(ticket.deadlines.items()) if time <= now), "in_time")


def _measure_agency(opd: str, agency: Agency) -> Readings:
    yield CLOSED_TOTAL, (opd,), agency.closed
    yield REOPENED_TOTAL, (opd,), agency.reopened
    yield PASSED_ON_TOTAL, (opd,), agency.passed_on
    for rung, reminders in sorted(agency.reminded.items()):
        yield REMINDERS_TOTAL, (opd, rung), reminders
    yield RESPONSE_SECONDS, (opd,), agency.response

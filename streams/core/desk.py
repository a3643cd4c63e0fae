"""The tickets on the desk: with which agency (OPD) each one is, since when, and what is known of its units."""

from dataclasses import dataclass, field
from typing import Literal

from streams.core.centre import Centre
from streams.core.histogram import Histogram
from streams.core.ladder import deadlines, ladder_of
from streams.core.ledger import LATENESS
from streams.core.recent import Recent

BOUNDS = (30.0, 60.0, 120.0, 240.0, 420.0, 900.0, 1800.0, 3600.0, 14_400.0, 86_400.0, 172_800.0, 259_200.0)
"""Upper bounds in seconds of what an agency takes: 7 and 15 min of the life-safety ladder, up to its three days."""

Stage = Literal["opened_to_dispatched", "dispatched_to_arrived", "opened_to_closed"]

TICKETS = 2_000
"""The most tickets remembered in full. Beyond it the oldest is given up, so that a broken source cannot fill the memory."""

PAST = 1_000
"""The most closed tickets of which the agency is remembered, in case one is reopened."""

UNITS = 1_000
"""The most units on tickets; further ones are not followed."""

LEGS = 8
"""The most sendings, early answers and reminders that are remembered of one ticket."""

LABELS = 32
"""The most agencies, and the most categories; further ones count together as `other`."""

APART_SECONDS = 60
"""How far two clocks may put an answer before the sending that it answers."""

SWEEP_SECONDS = 60
"""How often, in event time, tickets are looked for of which no more will be told."""

NOBODY = "none"
"""The agency of a ticket that was not sent to one yet."""


@dataclass(slots=True)
class Leg:
    """One agency's turn at a ticket, from when it was sent there."""

    opd: str
    since: float
    answered: float | None = None


@dataclass(slots=True)
class Unit:
    """What was last told of one unit's work on a ticket."""

    opd: str
    time: float
    busy: bool


@dataclass(slots=True)
class Reminded:
    """A reminder of one rung: when the rung was passed, when the monitor said so, and whether the message was accepted."""

    due: float
    noticed: float
    accepted: bool = False


@dataclass(slots=True)
class Ticket:
    """The facts known of one ticket. A moment is epoch seconds, or None if it was not told yet.

    `dispatched` and `arrived` are of its first unit since it was opened or reopened; `by` is that unit's agency. `deadlines` are
    of its last leg, by rung; `early` are answers told before the sending.
    """

    heard: float
    category: str = ""
    opened: float | None = None
    reopened: float | None = None
    closed: float | None = None
    dispatched: float | None = None
    arrived: float | None = None
    by: str | None = None
    legs: list[Leg] = field(default_factory=list)
    early: dict[str, float] = field(default_factory=dict)
    units: dict[str, Unit] = field(default_factory=dict)
    deadlines: dict[str, float] = field(default_factory=dict)
    reminders: dict[str, Reminded] = field(default_factory=dict)
    replayed: bool = False

    @property
    def is_open(self) -> bool:
        """It was opened and is not closed."""
        return self.opened is not None and self.closed is None

    @property
    def began(self) -> float | None:
        """When it was opened or, later, reopened; None if no opening was told."""
        return self.opened if self.opened is None or self.reopened is None else self.reopened

    @property
    def unanswered(self) -> Leg | None:
        """The turn of the agency that has an open ticket and has not answered; None if there is no such agency."""
        return self.legs[-1] if self.is_open and self.legs and self.legs[-1].answered is None else None

    @property
    def opd(self) -> str:
        """The agency that has it."""
        return self.legs[-1].opd if self.legs else self.by or next(iter(self.early), NOBODY)


@dataclass(slots=True)
class Past:
    """What is remembered of a ticket that was closed more than an hour ago."""

    opd: str
    category: str
    closed: float


@dataclass(slots=True)
class Lags:
    """The lags of one stage at one agency: all of them in a histogram, those of the last week by themselves."""

    ever: Histogram = field(default_factory=lambda: Histogram.over(BOUNDS))
    recent: Recent = field(default_factory=Recent)


@dataclass(slots=True)
class Agency:
    """The totals of one agency since the first event."""

    closed: int = 0
    reopened: int = 0
    passed_on: int = 0
    reminded: dict[str, int] = field(default_factory=dict)
    response: Histogram = field(default_factory=lambda: Histogram.over(BOUNDS))
    stages: dict[Stage, Lags] = field(default_factory=dict)


@dataclass(slots=True)
class Desk:
    """The tickets of one centre: open ones, those closed within the hour, and counts. Facts come in any order.

    Opened and reopened ones are always closed, open or lost. What was counted stays: an answer that is told after the dispatch
    which implied it does not shorten the response.
    """

    tickets: dict[str, Ticket] = field(default_factory=dict)
    past: dict[str, Past] = field(default_factory=dict)
    agencies: dict[str, Agency] = field(default_factory=dict)
    opened: dict[str, int] = field(default_factory=dict)
    lost: int = 0
    unmatched: int = 0

    def open(self, name: str, time: float, category: str, centre: Centre, *, replayed: bool) -> None:
        """A report became a ticket; another one, where a closed one had the same code."""
        before = self.tickets.get(name)
        if before is not None and before.opened is not None and before.closed is not None and before.closed < time:
            self._put_away(name, before)
        if (past := self.past.get(name)) is not None and past.closed < time:
            del self.past[name]
        ticket = self._ticket(name, time)
        if ticket is None or ticket.opened is not None:
            return
        ticket.opened, ticket.category = time, category
        ticket.replayed |= replayed
        label = category if category in self.opened or len(self.opened) < LABELS else "other"
        self.opened[label] = self.opened.get(label, 0) + 1
        if ticket.reopened is not None:
            self.agency(ticket.opd).closed += 1
            self.agency(ticket.opd).reopened += 1
        if ticket.dispatched is not None:
            self._count_dispatched(ticket, centre)
        if ticket.closed is not None:
            self._count_closed(ticket, centre)
        elif ticket.legs:
            _climb(ticket, centre)  # the category says by which ladder

    def send(self, name: str, time: float, opd: str, centre: Centre, *, replayed: bool) -> bool:
        """The ticket was handed to an agency, whose clock starts. Says whether that was news."""
        ticket = self._ticket(name, time)
        if ticket is None or any(leg.opd == opd and leg.since == time for leg in ticket.legs):
            return False
        ticket.replayed |= replayed
        self._begin_leg(ticket, opd, time, centre)
        return True

    def pass_on(self, name: str, time: float, opd: str, to: str, centre: Centre, *, replayed: bool) -> None:
        """An agency handed the ticket to another one."""
        if self.send(name, time, to, centre, replayed=replayed):
            self.agency(opd).passed_on += 1

    def answer(self, name: str, time: float, opd: str) -> None:
        """The agency said that it has the ticket."""
        ticket = self._ticket(name, time)
        if ticket is not None:
            self._answer(ticket, time, opd)

    def dispatch(self, name: str, time: float, opd: str, unit: str, centre: Centre) -> None:
        """A unit was sent out; whoever does that has answered."""
        ticket = self._ticket(name, time)
        if ticket is None:
            return
        self._answer(ticket, time, opd)
        self._follow(ticket, time, opd, unit, busy=True)
        if ticket.reopened is not None and time < ticket.reopened:
            return
        if ticket.dispatched is None or (ticket.opened is None and time < ticket.dispatched):
            ticket.dispatched, ticket.by = time, opd
            if ticket.opened is not None:
                self._count_dispatched(ticket, centre)

    def arrive(self, name: str, time: float, opd: str, centre: Centre) -> None:
        """A unit is on scene."""
        ticket = self._ticket(name, time)
        if ticket is None:
            return
        self._answer(ticket, time, opd)
        if ticket.reopened is not None and time < ticket.reopened:
            return
        counts = ticket.opened is not None and ticket.dispatched is not None
        if ticket.arrived is None or (not counts and time < ticket.arrived):
            ticket.arrived = time
            if counts:
                self._count(ticket.by, "dispatched_to_arrived", ticket.dispatched, time, centre)

    def release(self, name: str, time: float, opd: str, unit: str) -> None:
        """A unit is done with the ticket."""
        ticket = self._ticket(name, time)
        if ticket is not None:
            self._follow(ticket, time, opd, unit, busy=False)

    def close(self, name: str, time: float, centre: Centre) -> None:
        """The ticket is done, and so are its units."""
        ticket = self._ticket(name, time)
        if ticket is None or ticket.closed is not None or (ticket.reopened is not None and time < ticket.reopened):
            return
        ticket.closed = time
        ticket.units.clear()
        if ticket.opened is not None:
            self._count_closed(ticket, centre)

    def reopen(self, name: str, time: float, centre: Centre, *, replayed: bool) -> None:
        """A closed ticket is with its last agency again. Where its closing was not told it is implied; told twice it is once."""
        if (past := self.past.pop(name, None)) is not None:
            ticket = self._begin(name, time)
            ticket.opened = ticket.closed = time
            ticket.category, ticket.by = past.category, None if past.opd == NOBODY else past.opd
        else:
            ticket = self.tickets.get(name) or self._begin(name, time)
        told_twice = ticket.closed is None and ticket.reopened is not None
        if told_twice or (ticket.closed is not None and time < ticket.closed):
            return
        opd = ticket.opd
        if ticket.opened is not None:
            self.agency(opd).closed += ticket.closed is None
            self.agency(opd).reopened += 1
        ticket.closed, ticket.reopened = None, time
        ticket.dispatched = ticket.arrived = ticket.by = None
        ticket.units.clear()
        ticket.replayed |= replayed
        if opd != NOBODY:
            self._begin_leg(ticket, opd, time, centre)

    def remind(self, name: str, time: float, opd: str, rung: str, since: float, due: float, *, replayed: bool) -> None:
        """The monitor noticed that a rung was passed. One of an earlier sending, or of no rung of its ladder, changes nothing."""
        ticket = self.tickets.get(name)
        if ticket is None or not ticket.legs or (ticket.legs[-1].opd, ticket.legs[-1].since) != (opd, since):
            return
        ticket.replayed |= replayed
        if rung in ticket.deadlines and rung not in ticket.reminders and len(ticket.reminders) < LEGS:
            ticket.reminders[rung] = Reminded(due, time)

    def accept(self, name: str, opd: str, rung: str, since: float) -> None:
        """The message of a reminder was taken. One of an earlier sending changes nothing."""
        ticket = self.tickets.get(name)
        if ticket is None or not ticket.legs or (ticket.legs[-1].opd, ticket.legs[-1].since) != (opd, since):
            return
        reminder = ticket.reminders.get(rung)
        if reminder is not None and not reminder.accepted:
            reminder.accepted = True
            totals = self.agency(opd).reminded
            label = rung if rung in totals or len(totals) < LEGS else "other"
            totals[label] = totals.get(label, 0) + 1

    def sweep(self, time: float) -> None:
        """Put away what was closed an hour ago, and facts whose ticket was never opened."""
        for name, ticket in list(self.tickets.items()):
            done = ticket.heard if ticket.opened is None else ticket.closed
            if done is not None and time - done >= LATENESS:
                self._put_away(name, ticket)

    def agency(self, opd: str) -> Agency:
        """The totals of an agency."""
        known = self.agencies.get(opd)
        if known is None:
            label = opd if len(self.agencies) < LABELS else "other"
            known = self.agencies.setdefault(label, Agency())
        return known

    def _ticket(self, name: str, time: float) -> Ticket | None:
        """The ticket of that name, a new one if it was never heard of, or None if it was closed long ago."""
        return self.tickets.get(name) or (None if name in self.past else self._begin(name, time))

    def _begin(self, name: str, time: float) -> Ticket:
        if len(self.tickets) >= TICKETS:
            oldest = next(iter(self.tickets))
            self._put_away(oldest, self.tickets[oldest])
        ticket = self.tickets[name] = Ticket(heard=time)
        return ticket

    def _put_away(self, name: str, ticket: Ticket) -> None:
        del self.tickets[name]
        if ticket.opened is None:
            self.unmatched += 1
        elif ticket.closed is None:
            self.lost += 1
        else:
            if len(self.past) >= PAST:
                del self.past[next(iter(self.past))]
            self.past[name] = Past(ticket.opd, ticket.category, ticket.closed)

    def _begin_leg(self, ticket: Ticket, opd: str, since: float, centre: Centre) -> None:
        self.agency(opd)
        leg = Leg(opd, since)
        # Its answer may be known already: it came before the sending was told, or was taken for that of an earlier sending.
        answers = [other.answered for other in ticket.legs if other.opd == opd and (other.answered or 0) >= since]
        if answers:
            leg.answered = answers[0]
        elif ticket.early.get(opd, 0) >= since - APART_SECONDS:
            self._count_answered(leg, ticket.early.pop(opd))
        ticket.legs = sorted([*ticket.legs, leg], key=lambda one: one.since)[-LEGS:]
        if ticket.legs[-1] is leg:
            ticket.reminders = {}
            _climb(ticket, centre)

    def _answer(self, ticket: Ticket, time: float, opd: str) -> None:
        mine = [leg for leg in ticket.legs if leg.opd == opd and leg.since <= time + APART_SECONDS]
        leg = next((leg for leg in reversed(mine) if leg.since <= time), mine[0] if mine else None)
        if leg is not None:
            if leg.answered is None:
                self._count_answered(leg, time)
        elif opd in ticket.early or len(ticket.early) < LEGS:
            self.agency(opd)
            ticket.early[opd] = min(time, ticket.early.get(opd, time))

    def _follow(self, ticket: Ticket, time: float, opd: str, unit: str, *, busy: bool) -> None:
        self.agency(opd)
        known = ticket.units.get(unit)
        if known is None:
            if ticket.closed is None and sum(len(each.units) for each in self.tickets.values()) < UNITS:
                ticket.units[unit] = Unit(opd, time, busy)
        elif time > known.time or (time == known.time and not busy):
            known.opd, known.time, known.busy = opd, time, busy

    def _count_answered(self, leg: Leg, time: float) -> None:
        leg.answered = time
        self.agency(leg.opd).response.observe(max(0.0, time - leg.since), BOUNDS)

    def _count_dispatched(self, ticket: Ticket, centre: Centre) -> None:
        self._count(ticket.by, "opened_to_dispatched", ticket.began, ticket.dispatched, centre)
        self._count(ticket.by, "dispatched_to_arrived", ticket.dispatched, ticket.arrived, centre)

    def _count_closed(self, ticket: Ticket, centre: Centre) -> None:
        self.agency(ticket.opd).closed += 1
        self._count(ticket.opd, "opened_to_closed", ticket.began, ticket.closed, centre)

    def _count(self, opd: str | None, stage: Stage, start: float | None, end: float | None, centre: Centre) -> None:
        if opd is None or start is None or end is None:
            return
        # Two clocks can put the end before the start: then it took no time.
        seconds = max(0.0, end - start)
        stages = self.agency(opd).stages
        lags = stages.get(stage)
        if lags is None:
            lags = stages[stage] = Lags()
        lags.ever.observe(seconds, BOUNDS)
        lags.recent.add(seconds, end, centre.timezone)


def _climb(ticket: Ticket, centre: Centre) -> None:
    """Look up when the rungs of the last leg are passed; here, because holidays are slow to ask for."""
    leg = ticket.legs[-1]
    ladder = ladder_of(ticket.category, leg.opd, centre)
    ticket.deadlines = {rung.name: due for rung, due in zip(ladder.rungs, deadlines(ladder, leg.since, centre), strict=True)}

"""The tickets on the desk: with which agency (OPD) each one is, since when, and what is known of its units.

A centre's state is one record of Kafka, so each part has its share of bytes as they are written, with the longest codes: tickets
850 kB, units 185 kB, past tickets 255 kB, the week's lags 210 kB, agencies and categories 170 kB; less than is left beside the
ledger of half of the largest record.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Literal

from schemas.dispatch import ReminderAccepted, ReminderDue
from streams.core.centre import Centre
from streams.core.histogram import Histogram
from streams.core.ladder import deadlines, ladder_of
from streams.core.ledger import LATENESS
from streams.core.names import OTHER, Names, Strangers
from streams.core.recent import DAYS, Recent, day_of

BOUNDS = (30.0, 60.0, 120.0, 240.0, 420.0, 900.0, 1800.0, 3600.0, 14_400.0, 86_400.0, 172_800.0, 259_200.0)
"""Upper bounds in seconds of what an agency takes: 7 and 15 min of the life-safety ladder, up to its three days."""

Stage = Literal["opened_to_dispatched", "dispatched_to_arrived", "opened_to_closed"]

TICKETS_BYTES = 850_000
"""The most that tickets remembered in full take, about 1,600 of them. Beyond it some are given up: first those that are closed,
then those that were never opened, then those that are answered, and at last those that wait; of each the oldest.
"""

ROOM_BYTES = TICKETS_BYTES * 15 // 16
"""So much is left of them then, so that not every event has to look for the next."""

PAST = 1_000
"""The most closed tickets of which the agency is remembered, in case one is reopened."""

UNITS = 1_000
"""The most units on tickets; further ones are not followed."""

LAGS = 3_000
"""The most lags of one local day, of all agencies and stages; what comes beyond them is not in the week's percentiles."""

LEGS = 8
"""The most sendings and early answers that are remembered of one ticket, and the most rungs that reminders count by."""

LABELS = 32
"""The most agencies, and the most categories, of a centre whose file names none; further ones count together as `other`."""

APART_SECONDS = 60
"""How far two clocks may put an answer before the sending that it answers."""

SWEEP_SECONDS = 60
"""How often, in event time, tickets are looked for of which no more will be told."""

NOBODY = "none"
"""The label of a ticket that was not sent to an agency yet; no agency's own."""


@dataclass(slots=True)
class Leg:
    """One agency's turn at a ticket, from when it was sent there. `opd` is as it was told: a reminder calls the agency so."""

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
    of its last leg, by rung; `early` are answers told before the sending, by the agency's code.
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
    size: int = 0
    """Bytes that it takes at most as it is written, without its units."""

    @property
    def is_open(self) -> bool:
        """It was opened and is not closed."""
        return self.opened is not None and self.closed is None

    @property
    def worth(self) -> int:
        """In which order tickets are given up, the lowest first."""
        if self.closed is not None:
            return 0
        if self.opened is None:
            return 1
        return 2 if self.legs and self.legs[-1].answered is not None else 3

    @property
    def began(self) -> float | None:
        """When it was opened or, later, reopened; None if no opening was told."""
        return self.opened if self.opened is None or self.reopened is None else self.reopened

    @property
    def unanswered(self) -> Leg | None:
        """The turn of the agency that has an open ticket and has not answered; None if there is no such agency."""
        return self.legs[-1] if self.is_open and self.legs and self.legs[-1].answered is None else None

    @property
    def opd(self) -> str | None:
        """The agency that has it; None if that is nobody yet."""
        return self.legs[-1].opd if self.legs else self.by or next(iter(self.early), None)


@dataclass(slots=True)
class Past:
    """What is remembered of a ticket that was closed more than an hour ago."""

    opd: str | None
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
    size: int = 0
    """Bytes of all tickets."""
    units: int = 0
    """Units on all tickets."""
    lags: dict[int, int] = field(default_factory=dict)
    """How many lags are remembered of each local day (a date's ordinal) of the last week."""
    strangers: Strangers = field(default_factory=Strangers)

    def hear(self, opd: str, centre: Centre) -> None:
        """Make a place for what is told of an agency. Once per telling, since strangers are counted by it."""
        label = self._label("agency", opd, centre.names.opds, self.agencies)
        if label == NOBODY:
            label = OTHER
        if label not in self.agencies:
            self.agencies[label] = Agency()

    def open(self, name: str, time: float, category: str, centre: Centre, *, replayed: bool) -> None:
        """A report became a ticket; another one, where a closed one had the same code."""
        label = self._label("category", category, centre.names.categories, self.opened)
        before = self.tickets.get(name)
        if before is not None and before.opened is not None and before.closed is not None and before.closed < time:
            self._put_away(name, before)
        if (past := self.past.get(name)) is not None and past.closed < time:
            del self.past[name]
        ticket = self._ticket(name, time)
        if ticket is None or ticket.opened is not None:
            return
        ticket.opened, ticket.category = time, centre.names.categories[category]
        ticket.replayed |= replayed
        self.opened[label] = self.opened.get(label, 0) + 1
        if ticket.reopened is not None:
            agency = self.agency(ticket.opd, centre)
            agency.closed += 1
            agency.reopened += 1
        if ticket.dispatched is not None:
            self._count_dispatched(ticket, centre)
        if ticket.closed is not None:
            self._count_closed(ticket, centre)
        elif ticket.legs:
            _climb(ticket, centre)  # the category says by which ladder

    def send(self, name: str, time: float, opd: str, centre: Centre, *, replayed: bool) -> bool:
        """The ticket was handed to an agency, whose clock starts. Says whether that was news."""
        ticket, codes = self._ticket(name, time), centre.names.opds
        if ticket is None or any(leg.since == time and codes[leg.opd] == codes[opd] for leg in ticket.legs):
            return False
        ticket.replayed |= replayed
        self._begin_leg(ticket, opd, time, centre)
        return True

    def pass_on(self, name: str, time: float, opd: str, to: str, centre: Centre, *, replayed: bool) -> None:
        """An agency handed the ticket to another one."""
        if self.send(name, time, to, centre, replayed=replayed):
            self.agency(opd, centre).passed_on += 1

    def answer(self, name: str, time: float, opd: str, centre: Centre) -> None:
        """The agency said that it has the ticket."""
        ticket = self._ticket(name, time)
        if ticket is not None:
            self._answer(ticket, time, opd, centre)

    def dispatch(self, name: str, time: float, opd: str, unit: str, centre: Centre) -> None:
        """A unit was sent out; whoever does that has answered."""
        ticket = self._ticket(name, time)
        if ticket is None:
            return
        self._answer(ticket, time, opd, centre)
        self._follow(ticket, time, opd, unit, centre, busy=True)
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
        self._answer(ticket, time, opd, centre)
        if ticket.reopened is not None and time < ticket.reopened:
            return
        counts = ticket.opened is not None and ticket.dispatched is not None
        if ticket.arrived is None or (not counts and time < ticket.arrived):
            ticket.arrived = time
            if counts:
                self._count(ticket.by, "dispatched_to_arrived", ticket.dispatched, time, centre)

    def release(self, name: str, time: float, opd: str, unit: str, centre: Centre) -> None:
        """A unit is done with the ticket."""
        ticket = self._ticket(name, time)
        if ticket is not None:
            self._follow(ticket, time, opd, unit, centre, busy=False)

    def close(self, name: str, time: float, centre: Centre) -> None:
        """The ticket is done, and so are its units."""
        ticket = self._ticket(name, time)
        if ticket is None or ticket.closed is not None or (ticket.reopened is not None and time < ticket.reopened):
            return
        ticket.closed = time
        self._free_units(ticket)
        if ticket.opened is not None:
            self._count_closed(ticket, centre)

    def reopen(self, name: str, time: float, centre: Centre, *, replayed: bool) -> None:
        """A closed ticket is with its last agency again. Where its closing was not told it is implied; told twice it is once."""
        if (past := self.past.pop(name, None)) is not None:
            ticket = self._begin(name, time)
            ticket.opened = ticket.closed = time
            ticket.category, ticket.by = past.category, past.opd
        else:
            ticket = self.tickets.get(name) or self._begin(name, time)
        told_twice = ticket.closed is None and ticket.reopened is not None
        if told_twice or (ticket.closed is not None and time < ticket.closed):
            return
        opd = ticket.opd
        if ticket.opened is not None:
            agency = self.agency(opd, centre)
            agency.closed += ticket.closed is None
            agency.reopened += 1
        ticket.closed, ticket.reopened = None, time
        ticket.dispatched = ticket.arrived = ticket.by = None
        self._free_units(ticket)
        ticket.replayed |= replayed
        if opd is not None:
            self._begin_leg(ticket, opd, time, centre)

    def remind(self, name: str, time: float, said: ReminderDue, centre: Centre, *, replayed: bool) -> None:
        """The monitor noticed that a rung was passed. One of an earlier sending changes nothing."""
        ticket = self._sent(name, said, centre)
        if ticket is None:
            return
        ticket.replayed |= replayed
        if said.rung in ticket.deadlines and said.rung not in ticket.reminders:
            ticket.reminders[said.rung] = Reminded(said.due.timestamp(), time)

    def accept(self, name: str, said: ReminderAccepted, centre: Centre) -> None:
        """The message of a reminder was taken. One of an earlier sending changes nothing."""
        ticket = self._sent(name, said, centre)
        reminder = None if ticket is None else ticket.reminders.get(said.rung)
        if reminder is not None and not reminder.accepted:
            reminder.accepted = True
            totals = self.agency(said.opd, centre).reminded
            label = said.rung if said.rung in totals or len(totals) < LEGS else OTHER
            totals[label] = totals.get(label, 0) + 1

    def weigh(self, name: str) -> None:
        """Note what a ticket takes after what was told of it, and give some up where all take too much."""
        ticket = self.tickets.get(name)
        if ticket is None:
            return
        size = _size(name, ticket)
        self.size += size - ticket.size
        ticket.size = size
        if self.size > TICKETS_BYTES:
            for each in sorted(self.tickets, key=lambda each: self.tickets[each].worth):
                self._put_away(each, self.tickets[each])
                if self.size <= ROOM_BYTES:
                    break

    def sweep(self, time: float) -> None:
        """Put away what was closed an hour ago, and facts whose ticket was never opened."""
        for name, ticket in list(self.tickets.items()):
            done = ticket.heard if ticket.opened is None else ticket.closed
            if done is not None and time - done >= LATENESS:
                self._put_away(name, ticket)

    def _label(self, kind: str, text: str, names: Names, table: Collection[str]) -> str:
        """The label of what is told in `table`. Where the file names none of the kind, the first so many have their own."""
        label = self.strangers.label(kind, text, names)
        if label in table or names.known or len(table) < LABELS:
            return label
        self.strangers.pass_over(kind)
        return OTHER

    def label(self, opd: str | None, centre: Centre) -> str:
        """Under which code the figures of an agency count, or those of nobody."""
        if opd is None:
            return NOBODY
        code = centre.names.opds[opd]
        return code if (code in self.agencies or code in centre.names.opds.known) and code != NOBODY else OTHER

    def agency(self, opd: str | None, centre: Centre) -> Agency:
        """The totals that an agency's figures are in."""
        label = self.label(opd, centre)
        known = self.agencies.get(label)
        if known is None:
            known = self.agencies[label] = Agency()
        return known

    def _sent(self, name: str, said: ReminderDue | ReminderAccepted, centre: Centre) -> Ticket | None:
        """The ticket that a reminder is about; None unless it is with that agency since that moment."""
        ticket, codes = self.tickets.get(name), centre.names.opds
        if ticket is None or not ticket.legs:
            return None
        last = ticket.legs[-1]
        return ticket if last.since == said.since.timestamp() and codes[last.opd] == codes[said.opd] else None

    def _ticket(self, name: str, time: float) -> Ticket | None:
        """The ticket of that name, a new one if it was never heard of, or None if it was closed long ago."""
        return self.tickets.get(name) or (None if name in self.past else self._begin(name, time))

    def _begin(self, name: str, time: float) -> Ticket:
        ticket = self.tickets[name] = Ticket(heard=time)
        return ticket

    def _put_away(self, name: str, ticket: Ticket) -> None:
        del self.tickets[name]
        self.size -= ticket.size
        self._free_units(ticket)
        if ticket.opened is None:
            self.unmatched += 1
        elif ticket.closed is None:
            self.lost += 1
        else:
            if len(self.past) >= PAST:
                del self.past[next(iter(self.past))]
            self.past[name] = Past(ticket.opd, ticket.category, ticket.closed)

    def _begin_leg(self, ticket: Ticket, opd: str, since: float, centre: Centre) -> None:
        leg, codes = Leg(opd, since), centre.names.opds
        code = codes[opd]
        # Its answer may be known already: it came before the sending was told, or was taken for that of an earlier sending.
        answers = [other.answered for other in ticket.legs if codes[other.opd] == code and (other.answered or 0) >= since]
        if answers:
            leg.answered = answers[0]
        elif ticket.early.get(code, 0) >= since - APART_SECONDS:
            self._count_answered(leg, ticket.early.pop(code), centre)
        ticket.legs = sorted([*ticket.legs, leg], key=lambda one: one.since)[-LEGS:]
        if ticket.legs[-1] is leg:
            ticket.reminders = {}
            _climb(ticket, centre)

    def _answer(self, ticket: Ticket, time: float, opd: str, centre: Centre) -> None:
        codes = centre.names.opds
        code = codes[opd]
        mine = [leg for leg in ticket.legs if codes[leg.opd] == code and leg.since <= time + APART_SECONDS]
        leg = next((leg for leg in reversed(mine) if leg.since <= time), mine[0] if mine else None)
        if leg is not None:
            if leg.answered is None:
                self._count_answered(leg, time, centre)
        elif code in ticket.early or len(ticket.early) < LEGS:
            ticket.early[code] = min(time, ticket.early.get(code, time))

    def _follow(self, ticket: Ticket, time: float, opd: str, unit: str, centre: Centre, *, busy: bool) -> None:
        label = self.label(opd, centre)
        known = ticket.units.get(unit)
        if known is None:
            if ticket.closed is not None:
                return
            if self.units >= UNITS:
                self.strangers.pass_over("unit")
                return
            self.units += 1
            ticket.units[unit] = Unit(label, time, busy)
        elif time > known.time or (time == known.time and not busy):
            known.opd, known.time, known.busy = label, time, busy

    def _free_units(self, ticket: Ticket) -> None:
        self.units -= len(ticket.units)
        ticket.units.clear()

    def _count_answered(self, leg: Leg, time: float, centre: Centre) -> None:
        leg.answered = time
        self.agency(leg.opd, centre).response.observe(max(0.0, time - leg.since), BOUNDS)

    def _count_dispatched(self, ticket: Ticket, centre: Centre) -> None:
        self._count(ticket.by, "opened_to_dispatched", ticket.began, ticket.dispatched, centre)
        self._count(ticket.by, "dispatched_to_arrived", ticket.dispatched, ticket.arrived, centre)

    def _count_closed(self, ticket: Ticket, centre: Centre) -> None:
        self.agency(ticket.opd, centre).closed += 1
        self._count(ticket.opd, "opened_to_closed", ticket.began, ticket.closed, centre)

    def _count(self, opd: str | None, stage: Stage, start: float | None, end: float | None, centre: Centre) -> None:
        if opd is None or start is None or end is None:
            return
        # Two clocks can put the end before the start: then it took no time.
        seconds = max(0.0, end - start)
        stages = self.agency(opd, centre).stages
        lags = stages.get(stage)
        if lags is None:
            lags = stages[stage] = Lags()
        lags.ever.observe(seconds, BOUNDS)
        self._remember(lags.recent, seconds, day_of(end, centre.timezone))

    def _remember(self, recent: Recent, seconds: float, day: int) -> None:
        """Note a lag that ended on a local day; of a day that is a week before the newest none is."""
        if day not in self.lags:
            if day <= max(self.lags, default=day) - DAYS:
                return
            self.lags = {known: n for known, n in self.lags.items() if known > day - DAYS} | {day: 0}
            for agency in self.agencies.values():
                for others in agency.stages.values():
                    others.recent.forget(day - DAYS)
        if self.lags[day] >= LAGS:
            self.strangers.pass_over("lag")
            return
        self.lags[day] += 1
        recent.add(seconds, day)


def _size(name: str, ticket: Ticket) -> int:
    """Bytes that a ticket takes at most as it is written, without its units."""
    texts = [name, ticket.category, ticket.by or "", *ticket.early, *ticket.deadlines, *ticket.reminders]
    texts += [leg.opd for leg in ticket.legs]
    facts = 70 * len(ticket.legs) + 22 * (len(ticket.early) + len(ticket.deadlines)) + 84 * len(ticket.reminders)
    return 372 + facts + len("".join(texts))


def _climb(ticket: Ticket, centre: Centre) -> None:
    """Look up when the rungs of the last leg are passed; here, because holidays are slow to ask for."""
    leg = ticket.legs[-1]
    ladder = ladder_of(ticket.category, leg.opd, centre)
    ticket.deadlines = {
        rung.name: due for rung, due in zip(ladder.rungs, deadlines(ladder, leg.since, leg.opd, centre), strict=True)
    }

"""The tickets on the desk: with which agency (OPD) each one is, since when, and what is known of its units.

A centre's state is one record of Kafka, so each part has its share of bytes as they are written, with the longest codes: tickets
750 kB, units 185 kB, past tickets 255 kB, the week's lags 255 kB, agencies and categories 190 kB, calls reached 45 kB, districts
2 kB; less than is left beside the ledger of half of the largest record.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field, InstanceOf
from pydantic.json_schema import SkipJsonSchema

from schemas.dispatch import ReminderAccepted, ReminderDue
from streams.core.centre import Centre
from streams.core.districts import Districts
from streams.core.histogram import Histogram
from streams.core.lags import BOUNDS, Agency, Category, Lags
from streams.core.ledger import LATENESS
from streams.core.names import OTHER, Names, Strangers
from streams.core.recent import Lag, Stage, day_of
from streams.core.ticket import Leg, Past, Reminded, Ticket, Unit, Way
from streams.core.watch import TicketWatch

TICKETS_BYTES = 750_000
"""The most that tickets remembered in full take, about 1,400 of them. Beyond it some are given up: first those that are closed,
then those that were never opened, then those that are answered, and at last those that wait; of each the oldest.
"""

ROOM_BYTES = TICKETS_BYTES * 15 // 16
"""So much is left of them then, so that not every event has to look for the next."""

PAST = 1_000
"""The most closed tickets of which the agency is remembered, in case one is reopened."""

UNITS = 1_000
"""The most units on tickets; further ones are not followed."""

LEGS = 8
"""The most sendings, early answers and agencies with units that are remembered of one ticket, and the most rungs that reminders
count by."""

LABELS = 32
"""The most agencies, and the most categories, of a centre whose file names none; further ones count together as `other`."""

APART_SECONDS = 60
"""How far two clocks may put an answer before the sending that it answers."""

SWEEP_SECONDS = 60
"""How often, in event time, tickets are looked for of which no more will be told."""

NOBODY = "none"
"""The label of a ticket that was not sent to an agency yet; no agency's own."""


@dataclass(slots=True)
class Desk:
    """The tickets of one centre: open ones, those closed within the hour, and counts. Facts come in any order.

    Opened and reopened ones are always closed, open or lost. What was counted stays: an answer that is told after the dispatch
    which implied it does not shorten the response.
    """

    tickets: dict[str, Ticket] = field(default_factory=dict)
    past: dict[str, Past] = field(default_factory=dict)
    agencies: dict[str, Agency] = field(default_factory=dict)
    categories: dict[str, Category] = field(default_factory=dict)
    lost: int = 0
    unmatched: int = 0
    size: int = 0
    """Bytes of all tickets."""
    units: int = 0
    """Units on all tickets."""
    districts: Districts = field(default_factory=Districts)
    lags: Lags = field(default_factory=Lags)
    strangers: Strangers = field(default_factory=Strangers)
    watch: Annotated[InstanceOf[TicketWatch] | None, SkipJsonSchema(), Field(exclude=True)] = None
    """Who is told what is counted, if anybody is."""

    def hear(self, opd: str, centre: Centre) -> None:
        """Make a place for what is told of an agency. Once per telling, since strangers are counted by it."""
        label = self._label("agency", opd, centre.names.opds, self.agencies)
        if label == NOBODY:
            label = OTHER
        if label not in self.agencies:
            self.agencies[label] = Agency()

    def open(
        self,
        name: str,
        time: float,
        category: str,
        call: str | None,
        district: str | None,
        centre: Centre,
        *,
        replayed: bool,
    ) -> None:
        """A report became a ticket; another one, where a closed one had the same code. `call` is the one that it came by, and
        `district` what it is about.
        """
        label = self._label("category", category, centre.names.categories, self.categories)
        before = self.tickets.get(name)
        if before is not None and before.opened is not None and before.closed is not None and before.closed < time:
            self._put_away(name, before, centre)
        if (past := self.past.get(name)) is not None and past.closed < time:
            del self.past[name]
        ticket = self._ticket(name, time)
        if ticket is None or ticket.opened is not None:
            return
        ticket.opened, ticket.category, ticket.call = time, centre.names.categories[category], call or ""
        if district is not None:
            ticket.district = self.districts.count(district, self.strangers, centre) or ""
        ticket.replayed |= replayed
        self.categories.setdefault(label, Category()).opened += 1
        if ticket.reopened is not None:
            agency = self.agency(ticket.opd, centre)
            agency.closed += 1
            agency.reopened += 1
        self._count_stages(ticket, ticket.first.known, {label: way.known for label, way in ticket.own.items()}, centre)
        if ticket.closed is not None:
            self._count_closed(ticket, centre)
        elif ticket.legs:
            ticket.climb(centre)  # the category says by which ladder
        if self.watch is not None:
            self.watch.opened(name, ticket)

    def send(self, name: str, time: float, opd: str, centre: Centre, *, replayed: bool) -> bool:
        """The ticket was handed to an agency, whose clock starts. Says whether that was news."""
        ticket, codes = self._ticket(name, time), centre.names.opds
        if ticket is None or any(leg.since == time and codes[leg.opd] == codes[opd] for leg in ticket.legs):
            return False
        ticket.replayed |= replayed
        self._begin_leg(name, ticket, opd, time, centre)
        return True

    def pass_on(self, name: str, time: float, opd: str, to: str, centre: Centre, *, replayed: bool) -> None:
        """An agency handed the ticket to another one."""
        if self.send(name, time, to, centre, replayed=replayed):
            self.agency(opd, centre).passed_on += 1
            if self.watch is not None:
                self.watch.passed_on(name, self.label(opd, centre))

    def answer(self, name: str, time: float, opd: str, centre: Centre) -> None:
        """The agency said that it has the ticket."""
        ticket = self._ticket(name, time)
        if ticket is not None:
            self._answer(name, ticket, time, opd, centre)

    def dispatch(self, name: str, time: float, opd: str, unit: str, centre: Centre) -> None:
        """A unit was sent out; whoever does that has answered."""
        ticket = self._ticket(name, time)
        if ticket is None:
            return
        self._answer(name, ticket, time, opd, centre)
        self._follow(ticket, time, opd, unit, centre, busy=True)
        if ticket.reopened is not None and time < ticket.reopened:
            return
        label, way = self._way(ticket, opd, centre)
        before = ticket.first.dispatched
        first, own = ticket.first.dispatch(time, ticket.began), way.dispatch(time, ticket.began)
        if ticket.first.dispatched != before:
            ticket.by = opd
        self._count_stages(ticket, first, {label: own}, centre)

    def arrive(self, name: str, time: float, opd: str, centre: Centre) -> None:
        """A unit is on scene."""
        ticket = self._ticket(name, time)
        if ticket is None:
            return
        self._answer(name, ticket, time, opd, centre)
        if ticket.reopened is not None and time < ticket.reopened:
            return
        label, way = self._way(ticket, opd, centre)
        first, own = ticket.first.arrive(time, ticket.began), way.arrive(time, ticket.began)
        self._count_stages(ticket, first, {label: own}, centre)

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
        if self.watch is not None:
            self.watch.over(name, ticket, time)
        ticket.closed, ticket.reopened = None, time
        ticket.first, ticket.by, ticket.own = Way(), None, {}
        self._free_units(ticket)
        ticket.replayed |= replayed
        if opd is not None:
            self._begin_leg(name, ticket, opd, time, centre)

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
            if self.watch is not None:
                self.watch.reminded(name, self.label(said.opd, centre))

    def weigh(self, name: str, centre: Centre) -> None:
        """Note what a ticket takes after what was told of it, and give some up where all take too much."""
        ticket = self.tickets.get(name)
        if ticket is None:
            return
        size = ticket.weight(name)
        self.size += size - ticket.size
        ticket.size = size
        if self.size > TICKETS_BYTES:
            for each in sorted(self.tickets, key=lambda each: self.tickets[each].worth):
                self._put_away(each, self.tickets[each], centre)
                if self.size <= ROOM_BYTES:
                    break

    def sweep(self, time: float, centre: Centre) -> None:
        """Put away what was closed an hour ago, and facts whose ticket was never opened."""
        for name, ticket in list(self.tickets.items()):
            done = ticket.heard if ticket.opened is None else ticket.closed
            if done is not None and time - done >= LATENESS:
                self._put_away(name, ticket, centre)

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

    def category(self, ticket: Ticket, centre: Centre) -> str:
        """Under which code the figures of a ticket's category count."""
        code = ticket.category
        return code if code in self.categories or code in centre.names.categories.known else OTHER

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

    def _put_away(self, name: str, ticket: Ticket, centre: Centre) -> None:
        del self.tickets[name]
        if self.watch is not None:
            self.watch.over(name, ticket, None)
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
            if ticket.first.arrived is None:
                self.categories.setdefault(self.category(ticket, centre), Category()).unreached += 1

    def _begin_leg(self, name: str, ticket: Ticket, opd: str, since: float, centre: Centre) -> None:
        leg, codes = Leg(opd, since), centre.names.opds
        code = codes[opd]
        # Its answer may be known already: it came before the sending was told, or was taken for that of an earlier sending.
        answers = [other.answered for other in ticket.legs if codes[other.opd] == code and (other.answered or 0) >= since]
        if answers:
            leg.answered = answers[0]
        elif ticket.early.get(code, 0) >= since - APART_SECONDS:
            self._count_answered(name, leg, ticket.early.pop(code), centre)
        ticket.legs = sorted([*ticket.legs, leg], key=lambda one: one.since)[-LEGS:]
        if ticket.legs[-1] is leg:
            ticket.reminders = {}
            ticket.climb(centre)

    def _answer(self, name: str, ticket: Ticket, time: float, opd: str, centre: Centre) -> None:
        codes = centre.names.opds
        code = codes[opd]
        mine = [leg for leg in ticket.legs if codes[leg.opd] == code and leg.since <= time + APART_SECONDS]
        leg = next((leg for leg in reversed(mine) if leg.since <= time), mine[0] if mine else None)
        if leg is not None:
            if leg.answered is None:
                self._count_answered(name, leg, time, centre)
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

    def _count_answered(self, name: str, leg: Leg, time: float, centre: Centre) -> None:
        leg.answered = time
        seconds = self.lags.seconds("sent_to_answered", leg.since, time)
        if seconds is not None:
            self.agency(leg.opd, centre).response.observe(seconds, BOUNDS)
            if self.watch is not None:
                self.watch.answered(name, self.label(leg.opd, centre), leg.since, seconds)

    def _count_closed(self, ticket: Ticket, centre: Centre) -> None:
        self.agency(ticket.opd, centre).closed += 1
        began, closed = ticket.began, ticket.closed
        if ticket.opd is not None and began is not None and closed is not None:
            self._count(ticket, "opened_to_closed", (began, closed), self.label(ticket.opd, centre), centre, is_first=False)

    def _way(self, ticket: Ticket, opd: str, centre: Centre) -> tuple[str, Way]:
        """The label of an agency, and its first units on a ticket: none that are remembered where too many agencies sent some."""
        label = self.label(opd, centre)
        way = ticket.own.get(label)
        if way is None:
            way = Way()
            if len(ticket.own) < LEGS:
                ticket.own[label] = way
            else:
                self.strangers.pass_over("ticket_agency")
        return label, way

    def _count_stages(self, ticket: Ticket, first: Collection[Stage], own: dict[str, tuple[Stage, ...]], centre: Centre) -> None:
        """Count the stages that are known now of the first units of all, and of agencies by their labels.

        One that is both the ticket's and an agency's is one lag.
        """
        began = ticket.began
        if began is None:
            return
        spans = {stage: ticket.first.span(stage, began) for stage in first}
        # The call is about the first time that the ticket was opened.
        of_call = spans.get("opened_to_arrived") if ticket.call and ticket.reopened is None else None
        if of_call is not None and not self.lags.reach(ticket.call, of_call[1]):
            self.strangers.pass_over("reached")
        for label, stages in own.items():
            way = ticket.own.get(label)
            if way is None:
                continue
            for stage in stages:
                span = way.span(stage, began)
                is_first = spans.get(stage) == span
                if is_first:
                    del spans[stage]
                self._count(ticket, stage, span, label, centre, is_first=is_first)
        for stage, span in spans.items():
            self._count(ticket, stage, span, None, centre, is_first=True)

    def _count(
        self, ticket: Ticket, stage: Stage, span: tuple[float, float], opd: str | None, centre: Centre, *, is_first: bool
    ) -> None:
        """Count what a stage of a ticket took: in the figures of an agency, if its label is given, and, if it is that of the
        ticket's first unit, in those of the city and the category.
        """
        seconds = self.lags.seconds(stage, *span)
        if seconds is None:
            return
        category = self.category(ticket, centre)
        totals = [] if opd is None else [self.agency(opd, centre).stages]
        if is_first:
            totals += [self.lags.city, self.categories[category].stages]
        for stages in totals:
            if stage not in stages:
                stages[stage] = Histogram.over(BOUNDS)
            stages[stage].observe(seconds, BOUNDS)
        lag = Lag(stage, seconds, _number(self.categories, category), _number(self.agencies, opd), is_first, opd is not None)
        if not self.lags.recent.add(lag, day_of(span[1], centre.timezone)):
            self.strangers.pass_over("lag")


def _number(table: Collection[str], label: str | None) -> int:
    """At which place of a table, which only grows, a label stands; 0 for none."""
    return 0 if label is None else [*table].index(label)

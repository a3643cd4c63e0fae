"""A row a ticket, and one more for each time that it was reopened, told by the desk while it counts; what each agency did."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from math import fsum
from typing import Annotated, ClassVar, NamedTuple

from streams.analysis.rows.row import Done, Moment, Row, Seconds
from streams.core import dispatch
from streams.core.centre import Centre
from streams.core.ticket import Ticket as Open
from streams.core.ticket import Way
from streams.core.watch import TicketWatch


@dataclass(slots=True, kw_only=True)
class Ticket(Row):
    """A report that an agency (OPD) must act on, from its opening or reopening to its closing: psap_tickets_opened_total."""

    ticket: Annotated[str, "The ticket's code; one that was reopened has a row for each time that it was open."]
    opened: Annotated[Moment, "When it was opened, or reopened; of one that is unmatched, when it was first heard of."]
    is_reopened: Annotated[bool, "Whether it was open before: then it is no new ticket (psap_tickets_reopened_total)."] = False
    category: Annotated[str | None, "What it is about; NULL if unmatched."] = None
    district: Annotated[str | None, "Code of the district it is about; NULL if none of the centre's was told."] = None
    journey: Annotated[str | None, "The journey that it came by; NULL if none was told, or that is not known."] = None
    opd: Annotated[str | None, "The agency that had it last, also if that was told after the closing; NULL if nobody."] = None
    sent: Annotated[Moment | None, "When it was first sent to an agency, of the last eight sendings; NULL if never."] = None
    acknowledged: Annotated[Moment | None, "When an agency first answered one of those; NULL if none did."] = None
    dispatched: Annotated[Moment | None, "When the first unit was sent out; NULL if none was."] = None
    on_scene: Annotated[Moment | None, "When the first unit was on scene; NULL if none was told."] = None
    closed: Annotated[Moment | None, "When it was closed, or reopened without a word of its closing; NULL if it was not."] = None
    outcome: Annotated[
        str | None,
        "closed; lost (given up because there were too many at once: psap_tickets_lost_total); unmatched (its opening was never "
        "told: psap_tickets_unmatched_total); NULL if it was open when the events ended.",
    ] = None
    dispatch_seconds: Annotated[
        Seconds | None, "From the opening to the first unit sent out; NULL also if that was told to be before."
    ] = None
    scene_seconds: Annotated[
        Seconds | None, "From the opening to the first unit on scene (psap_city_stage_seconds); NULL as that."
    ] = None
    travel_seconds: Annotated[Seconds | None, "From the first unit sent out to the first on scene; NULL as that."] = None
    response_seconds: Annotated[
        Seconds | None, "What agencies took to answer, all sendings together (psap_ticket_response_seconds); NULL if none did."
    ] = None
    responses: Annotated[int, "How many answers that are."] = 0
    passed_on: Annotated[int, "How often an agency handed it to another one."] = 0
    reminders: Annotated[int, "Reminders that the admins' group accepted."] = 0


@dataclass(slots=True, kw_only=True)
class TicketAgency(Row):
    """What one agency did about a ticket while that was open: units of its own, psap_ticket_stage_seconds."""

    ticket: Annotated[str, "The ticket's code."]
    opened: Annotated[Moment, "When that was opened, or reopened, as in tickets."]
    opd: Annotated[str, "The agency; none where a ticket was reopened that nobody had."]
    category: Annotated[str | None, "What the ticket is about; NULL if unmatched."] = None
    journey: Annotated[str | None, "The journey that it came by, as in tickets; NULL also if it was open before."] = None
    dispatched: Annotated[Moment | None, "When it first sent out a unit; NULL if it sent none."] = None
    on_scene: Annotated[Moment | None, "When its first unit was on scene; NULL if none was told."] = None
    dispatch_seconds: Annotated[
        Seconds | None, "From the ticket's opening to its first unit sent out; NULL also if that was told to be before."
    ] = None
    scene_seconds: Annotated[Seconds | None, "From the ticket's opening to its first unit on scene; NULL as that."] = None
    travel_seconds: Annotated[Seconds | None, "From its first unit sent out to its first on scene; NULL as that."] = None
    reopened: Annotated[bool, "Whether it had the ticket when that was reopened (psap_tickets_reopened_total)."] = False
    passed_on: Annotated[int, "How often it handed the ticket to another agency (psap_tickets_passed_on_total)."] = 0
    reminders: Annotated[int, "Reminders to it that were accepted (psap_ticket_reminders_total)."] = 0


@dataclass(slots=True, kw_only=True)
class Response(Row):
    """An agency's answer to a ticket that was sent to it: psap_ticket_response_seconds."""

    ticket: Annotated[str, "The ticket's code."]
    opened: Annotated[Moment, "When that was opened, or reopened, as in tickets."]
    opd: Annotated[str, "The agency."]
    category: Annotated[str | None, "What the ticket is about; NULL if unmatched."] = None
    sent: Annotated[Moment, "When it was sent to the agency."]
    seconds: Annotated[Seconds, "From then to the agency's answer."]


class Answer(NamedTuple):
    """What an agency took to answer a ticket that was sent to it then, epoch seconds."""

    opd: str
    sent: float
    seconds: float


@dataclass(slots=True)
class Counts:
    """What is counted of an open ticket and not remembered of it; of agencies by their labels."""

    journey: str | None = None
    answers: list[Answer] = field(default_factory=list)
    passed_on: Counter[str] = field(default_factory=Counter)
    reminders: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class TicketRows(TicketWatch):
    """The rows of one centre's tickets, each done when the desk puts it away: an hour after its closing."""

    remembered: ClassVar[tuple[str, ...]] = ("done", "counts")
    centre: Centre
    journey_of: Callable[[str], str | None]
    """The code of the journey that a call of that id is, if it is known."""
    done: list[Done] = field(default_factory=list)
    counts: dict[str, Counts] = field(default_factory=dict)
    state: dispatch.State = field(default_factory=dispatch.State)

    def attach(self, state: dispatch.State) -> None:
        """Watch this state from now on."""
        self.state = state
        state.desk.watch = self

    def finish(self, now: float) -> None:
        """Nothing more will be told: the rows of what is not over are done as they stand."""
        for name, ticket in self.state.desk.tickets.items():
            self._tell(name, ticket, ticket.closed, "closed" if ticket.closed is not None else None)
        self.state.desk.watch = None

    # What is told.

    def opened(self, name: str, ticket: Open) -> None:
        counts = self._counts(name)
        counts.journey = self.journey_of(ticket.call) if ticket.call else None
        if ticket.reopened is not None:
            # That it was open before is known only now.
            before = Open(heard=ticket.heard, category=ticket.category, district=ticket.district, opened=ticket.opened)
            self._put(name, before, ticket.reopened, "closed", Counts(), ticket.opd)

    def over(self, name: str, ticket: Open, reopened: float | None) -> None:
        if ticket.opened is not None and ticket.opened == ticket.closed == reopened and name not in self.counts:
            return  # of long ago, whose row is done
        closed = reopened if ticket.closed is None else ticket.closed
        if ticket.opened is None and reopened is not None:
            return  # its row comes with its opening
        self._tell(name, ticket, closed, "lost" if closed is None else "closed")

    def answered(self, name: str, opd: str, since: float, seconds: float) -> None:
        self._counts(name).answers.append(Answer(opd, since, seconds))

    def passed_on(self, name: str, opd: str) -> None:
        self._counts(name).passed_on[opd] += 1

    def reminded(self, name: str, opd: str) -> None:
        self._counts(name).reminders[opd] += 1

    # What it comes to.

    def _counts(self, name: str) -> Counts:
        return self.counts.setdefault(name, Counts())

    def _tell(self, name: str, ticket: Open, closed: float | None, outcome: str | None) -> None:
        self._put(name, ticket, closed, outcome, self.counts.pop(name, Counts()), ticket.opd)

    def _put(self, name: str, ticket: Open, closed: float | None, outcome: str | None, counts: Counts, opd: str | None) -> None:
        desk, began, first = self.state.desk, ticket.began, ticket.first
        legs = [leg for leg in ticket.legs if ticket.reopened is None or leg.since >= ticket.reopened]
        row = Ticket(
            city=self.centre.code,
            ticket=name,
            opened=ticket.heard if began is None else began,
            is_reopened=ticket.reopened is not None,
            category=None if began is None else desk.category(ticket, self.centre),
            district=ticket.district or None,
            journey=counts.journey or (self.journey_of(ticket.call) if ticket.call else None),
            opd=None if opd is None else desk.label(opd, self.centre),
            sent=min([leg.since for leg in legs], default=None),
            acknowledged=min([leg.answered for leg in legs if leg.answered is not None], default=None),
            dispatched=first.dispatched,
            on_scene=first.arrived,
            closed=closed,
            outcome="unmatched" if began is None else outcome,
            dispatch_seconds=_lasted(began, first.dispatched),
            scene_seconds=_lasted(began, first.arrived),
            travel_seconds=None if began is None else _lasted(first.dispatched, first.arrived),
            response_seconds=fsum(answer.seconds for answer in counts.answers) if counts.answers else None,
            responses=len(counts.answers),
            passed_on=counts.passed_on.total(),
            reminders=counts.reminders.total(),
        )
        row.read_clock(row.opened, self.centre)
        self.done.append(row)
        self._put_agencies(row, ticket, counts)

    def _put_agencies(self, row: Ticket, ticket: Open, counts: Counts) -> None:
        """The rows of what agencies did about a ticket, which has that row."""
        began, had = ticket.began, None
        if ticket.reopened is not None:
            opds = [leg.opd for leg in ticket.legs if leg.since == ticket.reopened]
            had = self.state.desk.label(opds[0] if opds else None, self.centre)
        for opd in sorted({*ticket.own, *counts.passed_on, *counts.reminders, *([] if had is None else [had])}):
            way = ticket.own.get(opd, Way())
            part = TicketAgency(
                city=row.city,
                ticket=row.ticket,
                opened=row.opened,
                opd=opd,
                category=row.category,
                journey=None if row.is_reopened else row.journey,
                dispatched=way.dispatched,
                on_scene=way.arrived,
                dispatch_seconds=_lasted(began, way.dispatched),
                scene_seconds=_lasted(began, way.arrived),
                travel_seconds=None if began is None else _lasted(way.dispatched, way.arrived),
                reopened=opd == had,
                passed_on=counts.passed_on[opd],
                reminders=counts.reminders[opd],
            )
            part.read_clock(row.opened, self.centre)
            self.done.append(part)
        for opd, sent, seconds in counts.answers:
            response = Response(
                city=row.city, ticket=row.ticket, opened=row.opened, opd=opd, category=row.category, sent=sent, seconds=seconds
            )
            response.read_clock(row.opened, self.centre)
            self.done.append(response)


def _lasted(start: float | None, end: float | None) -> float | None:
    return None if start is None or end is None or end < start else end - start

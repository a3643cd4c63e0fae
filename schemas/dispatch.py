"""What becomes of a report that a responder agency (OPD, organisasi perangkat daerah) must act on: its ticket."""

from datetime import datetime
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from schemas.event import Code, Data, DistrictCode, Event, Time, check_order


class Ticket(Data):
    """A fact about one ticket."""

    ticket: Code


class Opened(Ticket):
    """A report became a ticket."""

    category: Code
    call: Code | None = None
    district: DistrictCode | None = Field(
        default=None, description="The district (kecamatan) of the centre that it is about, by its Kemendagri code."
    )


class OfOpd(Ticket):
    """A fact about one ticket at one OPD."""

    opd: Code


class OfUnit(OfOpd):
    """A fact about one unit (vehicle or team) that works on a ticket."""

    unit: Code


class PassedOn(OfOpd):
    """The OPD in `opd` handed the ticket to the one in `to`."""

    to: Code


class ReminderDue(OfOpd):
    """The ticket was still unanswered when a rung of its ladder was passed."""

    rung: Code
    since: Time = Field(description="When the ticket was sent to the OPD: the ladder's foot.")
    due: Time = Field(description="When the rung was passed; not before since.")

    @field_validator("due")
    @classmethod
    def _in_order(cls, due: datetime, beside: ValidationInfo) -> datetime:
        if "since" in beside.data:
            check_order(due, beside.data["since"], "since")
        return due


class ReminderAccepted(OfOpd):
    """The admins' group took the message about that rung, of the sending at `since`."""

    rung: Code
    since: Time


class TicketOpened(Event):
    """A report was entered that a responder agency must act on."""

    type: Literal["ticket.opened"] = "ticket.opened"
    data: Opened


class TicketSent(Event):
    """The centre handed the ticket to an OPD: the OPD's clock starts."""

    type: Literal["ticket.sent"] = "ticket.sent"
    data: OfOpd


class TicketAcknowledged(Event):
    """The OPD said that it has the ticket: its clock stops."""

    type: Literal["ticket.acknowledged"] = "ticket.acknowledged"
    data: OfOpd


class TicketUnitDispatched(Event):
    """A unit was sent out."""

    type: Literal["ticket.unit_dispatched"] = "ticket.unit_dispatched"
    data: OfUnit


class TicketUnitArrived(Event):
    """A unit is on scene."""

    type: Literal["ticket.unit_arrived"] = "ticket.unit_arrived"
    data: OfUnit


class TicketUnitAvailable(Event):
    """A unit is done with the ticket and free for another."""

    type: Literal["ticket.unit_available"] = "ticket.unit_available"
    data: OfUnit


class TicketPassedOn(Event):
    """An OPD handed the ticket to another one, whose clock starts anew."""

    type: Literal["ticket.passed_on"] = "ticket.passed_on"
    data: PassedOn


class TicketClosed(Event):
    """The ticket is done."""

    type: Literal["ticket.closed"] = "ticket.closed"
    data: Ticket


class TicketReopened(Event):
    """A closed ticket was not done after all: it is with its last OPD again, unanswered."""

    type: Literal["ticket.reopened"] = "ticket.reopened"
    data: Ticket


class TicketReminderDue(Event):
    """The monitor noticed that a rung was passed. Its id is made from ticket, OPD, since and rung, and is the message's key."""

    type: Literal["ticket.reminder_due"] = "ticket.reminder_due"
    data: ReminderDue


class TicketReminderAccepted(Event):
    """The monitor's reminder was delivered."""

    type: Literal["ticket.reminder_accepted"] = "ticket.reminder_accepted"
    data: ReminderAccepted


DispatchEvent = (
    TicketOpened
    | TicketSent
    | TicketAcknowledged
    | TicketUnitDispatched
    | TicketUnitArrived
    | TicketUnitAvailable
    | TicketPassedOn
    | TicketClosed
    | TicketReopened
    | TicketReminderDue
    | TicketReminderAccepted
)

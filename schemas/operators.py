"""What the seats of a centre do: a seat is a code, never a person."""

from typing import Literal

from pydantic import Field

from schemas.event import Code, Data, Event


class Seat(Data):
    """A fact about one seat: in one queue, or, without `queue`, in all of them."""

    seat: Code
    queue: Code | None = None


class Paused(Seat):
    """The seat takes no calls for now."""

    reason: Code | None = None


class RingNoAnswer(Seat):
    """A call rang at the seat and was not taken."""

    call: Code | None = None
    ring_seconds: float | None = Field(default=None, ge=0, le=86_400, allow_inf_nan=False)


class WrapUp(Seat):
    """After-call work; `seconds` is how long it will take, where the exchange sets that and tells no end."""

    seconds: float | None = Field(default=None, ge=0, le=86_400, allow_inf_nan=False)


class Ringing(Seat):
    """A call rings at the seat."""

    call: Code | None = None


class OperatorLoggedIn(Event):
    """A call taker took the seat, or it joined one more queue."""

    type: Literal["operator.logged_in"] = "operator.logged_in"
    data: Seat


class OperatorLoggedOut(Event):
    """A call taker left the seat, or it left one of its queues."""

    type: Literal["operator.logged_out"] = "operator.logged_out"
    data: Seat


class OperatorPaused(Event):
    """A seat paused, with its reason."""

    type: Literal["operator.paused"] = "operator.paused"
    data: Paused


class OperatorResumed(Event):
    """A paused seat takes calls again."""

    type: Literal["operator.resumed"] = "operator.resumed"
    data: Seat


class OperatorRingNoAnswer(Event):
    """A seat let a call ring out."""

    type: Literal["operator.ring_no_answer"] = "operator.ring_no_answer"
    data: RingNoAnswer


class OperatorRinging(Event):
    """A call began to ring at a seat; it is over when the seat answers, lets it ring out, is told to be, or after a minute."""

    type: Literal["operator.ringing"] = "operator.ringing"
    data: Ringing


class OperatorRingCanceled(Event):
    """A call rings at the seat no more, and that is not the seat's doing: its caller gave up, or another seat was faster."""

    type: Literal["operator.ring_canceled"] = "operator.ring_canceled"
    data: Ringing


class OperatorWrapUpStarted(Event):
    """A seat began what is to be done after a call (after-call work)."""

    type: Literal["operator.wrap_up_started"] = "operator.wrap_up_started"
    data: WrapUp


class OperatorWrapUpEnded(Event):
    """A seat finished its after-call work."""

    type: Literal["operator.wrap_up_ended"] = "operator.wrap_up_ended"
    data: Seat


OperatorEvent = (
    OperatorLoggedIn
    | OperatorLoggedOut
    | OperatorPaused
    | OperatorResumed
    | OperatorRinging
    | OperatorRingNoAnswer
    | OperatorRingCanceled
    | OperatorWrapUpStarted
    | OperatorWrapUpEnded
)

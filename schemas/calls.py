"""What happens to a 112 call, from its arrival at the centre to its end."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from schemas.event import Code, Data, DistrictCode, Event, KeyId, Pseudonym

Class = Literal[
    "normal",
    "non_emergency",
    "information",
    "prank",
    "ghost",
    "cut_off",
    "out_of_area",
    "misdirected",
    "test",
    "other",
]
"""What a call turned out to be; `normal` is an emergency. Ghost (silent) is not prank: a silent caller may be in danger."""

ClassWord = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")]
"""A class, or the centre's own word for one, without control characters. Which class a word means, the centre's file says."""


_Queue: Any = Field(default=None, description="The queue it was in, where the source says so.")
_Seat: Any = Field(
    default=None, description="Who spoke: where the exchange has given the call another id, it is known by its queue and seat."
)
_TalkSeconds: Any = Field(
    default=None, ge=0, le=86_400, allow_inf_nan=False, description="How long that seat spoke, where the source says so."
)


class Call(Data):
    """A fact about one call."""

    call: Code = Field(description="The call's own id at the source, such as Asterisk's uniqueid.")
    journey: Code | None = Field(
        default=None, description="By what the source joins the legs of one caller's attempt, such as Asterisk's linkedid."
    )


class Offered(Call):
    """`clock` says where waiting is counted from: arrival at the centre, or queue entry where the source knows no better."""

    queue: Code
    clock: Literal["arrival", "queue"] = "arrival"
    caller: Pseudonym | None = None
    caller_key: KeyId | None = Field(default=None, description="The key that the pseudonym was made under.")
    caller_before: Pseudonym | None = Field(
        default=None, description="The same caller's pseudonym under the key before, while both are in use: both are one caller."
    )
    link: Code | None = Field(default=None, description="The trunk or carrier it came in on.")
    district: DistrictCode | None = Field(
        default=None, description="The district (kecamatan) of the centre that it came from, by its Kemendagri code."
    )
    direction: Literal["inbound", "outbound", "internal"] | None = Field(
        default=None,
        description="Who called: a citizen (inbound, as where nothing is said), the centre itself (outbound), or an extension of "
        "its exchange, such as a seat that consults (internal).",
    )


class Queued(Call):
    """The call entered a queue: the first after an announcement, the same again, or another."""

    queue: Code


class Answered(Call):
    """Two-way speech with a call taker began (NENA: answered call)."""

    seat: Code | None = None
    queue: Code | None = _Queue


class Abandoned(Call):
    """The caller hung up before an answer (NENA: abandoned call)."""

    queue: Code | None = _Queue


class Ended(Call):
    """The conversation is over."""

    by: Literal["caller", "seat"] | None = None
    queue: Code | None = _Queue
    seat: Code | None = _Seat
    talk_seconds: float | None = _TalkSeconds


class Transferred(Call):
    """The call taker passed an answered call on, and is free; `to` is an extension, a queue, or another centre's code."""

    to: Code | None = None
    queue: Code | None = _Queue
    seat: Code | None = _Seat
    talk_seconds: float | None = _TalkSeconds


class Overflowed(Call):
    """An unanswered call left its queue otherwise than by hanging up. Its caller may come into another queue.

    `refused` is who was turned away before any queue, where the source does not say why.
    """

    reason: Literal["timeout", "empty", "full", "key", "withdrawn", "refused"]
    queue: Code | None = _Queue


class Classified(Call):
    """A call taker said what the call was. The field is named `class` in JSON."""

    class_: ClassWord = Field(
        alias="class",
        description="One of ours, such as prank or ghost, or the centre's own word for it; any other counts as other.",
    )


class Blocked(Call):
    """The call was refused because of an approved, expiring block on its caller."""


class Restarted(Data):
    """The exchange began anew."""


class NetworkDropped(Call):
    """The network took the call away: while it waited, or cut off while somebody spoke."""

    link: Code | None = None
    queue: Code | None = _Queue


class Lost(Call):
    """The source knows no more of the call, and not what became of it: it missed the end."""


class CallOffered(Event):
    """A call reached the centre."""

    type: Literal["call.offered"] = "call.offered"
    data: Offered


class CallQueued(Event):
    """A call entered a queue."""

    type: Literal["call.queued"] = "call.queued"
    data: Queued


class CallAnswered(Event):
    """A call taker answered."""

    type: Literal["call.answered"] = "call.answered"
    data: Answered


class CallAbandoned(Event):
    """The caller gave up waiting."""

    type: Literal["call.abandoned"] = "call.abandoned"
    data: Abandoned


class CallEnded(Event):
    """An answered call is over."""

    type: Literal["call.ended"] = "call.ended"
    data: Ended


class CallTransferred(Event):
    """An answered call was passed on."""

    type: Literal["call.transferred"] = "call.transferred"
    data: Transferred


class CallOverflowed(Event):
    """A waiting call left its queue unanswered."""

    type: Literal["call.overflowed"] = "call.overflowed"
    data: Overflowed


class CallClassified(Event):
    """It is known what the call was."""

    type: Literal["call.classified"] = "call.classified"
    data: Classified


class CallBlocked(Event):
    """A call was refused by a block; `call.offered` comes with it."""

    type: Literal["call.blocked"] = "call.blocked"
    data: Blocked


class CallNetworkDropped(Event):
    """The network lost a call."""

    type: Literal["call.network_dropped"] = "call.network_dropped"
    data: NetworkDropped


class CallLost(Event):
    """A call is over, and its source missed how: found out when it looked again after a gap."""

    type: Literal["call.lost"] = "call.lost"
    data: Lost


class ExchangeRestarted(Event):
    """The exchange of this source was restarted: every call of it before is over, and its ends will not be told."""

    type: Literal["exchange.restarted"] = "exchange.restarted"
    data: Restarted


CallEvent = (
    CallOffered
    | CallQueued
    | CallAnswered
    | CallAbandoned
    | CallEnded
    | CallTransferred
    | CallOverflowed
    | CallClassified
    | CallBlocked
    | CallNetworkDropped
    | CallLost
)

"""The links calls come in on (SIP trunks, PSTN lines, uplinks), and how well they carry."""

from typing import Annotated, Literal

from pydantic import Field

from schemas.event import Code, Data, Event


class LinkData(Data):
    """A fact about one link."""

    link: Code


class Measured(LinkData):
    """A quality sample: RTCP, a probe, or the provider's own figures. What was not measured is left out."""

    loss_ratio: float | None = Field(default=None, ge=0, le=1, allow_inf_nan=False)
    """Packets lost / packets sent."""
    jitter_seconds: float | None = Field(default=None, ge=0, le=60, allow_inf_nan=False)
    delay_seconds: float | None = Field(default=None, ge=0, le=60, allow_inf_nan=False)
    """One way (ITU-T G.114)."""
    mos: float | None = Field(default=None, ge=1, le=5, allow_inf_nan=False)
    """Mean opinion score (ITU-T P.800)."""


class Occupied(LinkData):
    """How many of a trunk's channels are in use."""

    used: Annotated[int, Field(ge=0, le=100_000)]
    channels: Annotated[int, Field(ge=1, le=100_000)]


class LinkUp(Event):
    """The link carries again."""

    type: Literal["link.up"] = "link.up"
    data: LinkData


class LinkDown(Event):
    """The link carries nothing."""

    type: Literal["link.down"] = "link.down"
    data: LinkData


class LinkHeartbeat(Event):
    """The link was looked at and it works."""

    type: Literal["link.heartbeat"] = "link.heartbeat"
    data: LinkData


class LinkMeasured(Event):
    """The link's quality was measured."""

    type: Literal["link.measured"] = "link.measured"
    data: Measured


class LinkRegistered(Event):
    """The link's SIP registration stands."""

    type: Literal["link.registered"] = "link.registered"
    data: LinkData


class LinkUnregistered(Event):
    """The link's SIP registration was refused or ran out: no call comes in on it."""

    type: Literal["link.unregistered"] = "link.unregistered"
    data: LinkData


class LinkOccupied(Event):
    """The trunk's channels were counted."""

    type: Literal["link.occupied"] = "link.occupied"
    data: Occupied


NetworkEvent = LinkUp | LinkDown | LinkHeartbeat | LinkMeasured | LinkRegistered | LinkUnregistered | LinkOccupied

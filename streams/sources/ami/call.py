"""One call that an exchange's manager interface (AMI) tells of, and what rings or speaks with it at a seat."""

from dataclasses import dataclass
from typing import Literal

from streams.sources.ami.blocks import Block

Stage = Literal["arrived", "waiting", "left", "talking", "moved"]
"""Before any queue; in one; between two, or turned away; with a seat; handed over, or not known: nothing is told of its end."""


@dataclass(slots=True)
class Leg:
    """A channel at a seat, which rings with a call or speaks with it."""

    call: str
    seat: str | None
    queue: str | None
    rang: float
    answered: float | None = None
    local: bool = False
    """Whether Asterisk made the channel for itself, so that it may be gone before the conversation."""
    asked: bool = False
    """Whether the seat hung up, before its caller did."""
    ended: bool = False
    """Whether the exchange began to end this channel before any other of the call."""
    heard: bool = False

    def hear(self, report: Block) -> None:
        """An RTCP report on this channel."""
        self.heard = self.heard or sounds(report)


@dataclass(slots=True)
class Call:
    """One call that is not over. `ending` is what began to end its channel, `left` when and how it left its queue, which is not
    told yet. Of its sound: whether anything was `heard`, or the caller said to have `sent_none` and Asterisk to have got none.
    """

    id: str
    since: float
    journey: str | None = None
    link: str | None = None
    stage: Stage = "arrived"
    queue: str | None = None
    ending: Literal["caller", "shutdown", "exchange"] | None = None
    gave_way: float | None = None
    left: tuple[float, Literal["timeout", "empty", "key"]] | None = None
    heard: bool = False
    sent_none: bool = False
    got_none: bool = False

    def hear(self, report: Block) -> None:
        """An RTCP report on this channel; silence is none before somebody answers."""
        self.heard = self.heard or sounds(report)
        if self.stage == "talking" and not self.heard:
            is_sent = report["Event"] == "RTCPSent"
            self.got_none = self.got_none or is_sent
            self.sent_none = self.sent_none or (not is_sent and "SentPackets" in report)

    def is_silent(self, leg: Leg) -> bool:
        """Whether nothing was ever heard of a caller to whom a seat spoke."""
        return self.sent_none and self.got_none and not self.heard and leg.heard


def sounds(report: Block) -> bool:
    """Whether an RTCP report tells of sound from its channel: RTCPSent of what Asterisk got, RTCPReceived of what was sent."""
    return report.get("ReportCount" if report["Event"] == "RTCPSent" else "SentPackets", "0") != "0"

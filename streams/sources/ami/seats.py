"""The seats of an exchange, as its manager interface (AMI) tells of them: members of queues, and their pauses.

A member has an interface (PJSIP/1001) and a name (seat-1); both are told together, so that they are one seat.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.event import Event
from schemas.operators import OperatorLoggedIn, OperatorLoggedOut, OperatorPaused, OperatorResumed, OperatorWrapUpStarted
from streams.sources.ami.blocks import Block
from streams.sources.ami.exchange import Exchange

MEMBERS = 1_000
"""The most members of queues, each queue's counted, of which is known what they do."""

# What Asterisk calls the states of devices that no call can ring at: unknown, invalid, unavailable.
_AWAY = frozenset(("0", "4", "5"))

Place = tuple[str, str]
"""A queue and a seat in it, by their codes."""


@dataclass(slots=True)
class Member:
    """One seat in one queue."""

    paused: bool = False
    away: bool = False
    wrap_up: float = 0.0


class Seats:
    """The seats of one exchange."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.members: dict[Place, Member] = {}

    def read(self, block: Block, time: float) -> Sequence[Event]:
        """What an event says of a member."""
        place = self.place(block)
        if place is None:
            return ()
        match block["Event"]:
            case "QueueMemberRemoved":
                self.members.pop(place, None)
                return self._event(OperatorLoggedOut, place, time)
            case "QueueMemberAdded":
                self.members.pop(place, None)
        return self.meet(place, block, time)

    def place(self, block: Block) -> Place | None:
        """Which member a block is about; None where it cannot be told."""
        interface = block.get("Interface") or block.get("Location")
        name = block.get("MemberName") or block.get("Name")
        queue = self._exchange.queue(block.get("Queue"))
        seat = self._exchange.seat(interface, block.get("StateInterface"), name)
        if interface and len(self._exchange.devices) < MEMBERS:
            self._exchange.devices.add(interface)
        return None if queue is None or seat is None else (queue, seat)

    def meet(self, place: Place, block: Block, time: float) -> list[Event]:
        """What is new about a member: that it is there, that it pauses or does not."""
        events: list[Event] = []
        member = self.members.get(place)
        if member is None:
            if len(self.members) >= MEMBERS:
                return []
            member = self.members[place] = Member()
            events += self._event(OperatorLoggedIn, place, time)
        member.away = block.get("Status") in _AWAY
        wrap_up = block.get("Wrapuptime", "")
        member.wrap_up = float(wrap_up) if wrap_up.isascii() and wrap_up.isdecimal() and len(wrap_up) <= 5 else 0.0
        paused = block.get("Paused") == "1"
        if paused != member.paused or (paused and block["Event"].startswith("QueueMemberPause")):
            member.paused = paused
            reason = self._exchange.reason(block.get("PausedReason") or block.get("Reason")) if paused else None
            events += self._event(OperatorPaused if paused else OperatorResumed, place, time, reason)
        return events

    def reconcile(self, listed: dict[Place, Block], time: float) -> list[Event]:
        """What a list of all members says: who is there that was not known to be, and who is not."""
        gone = [place for place in self.members if place not in listed]
        for place in gone:
            del self.members[place]
        events = [event for place in gone for event in self._event(OperatorLoggedOut, place, time)]
        return events + [event for place, block in listed.items() for event in self.meet(place, block, time)]

    def is_empty(self, queue: str | None) -> bool:
        """Whether nobody who could answer is in that queue."""
        return all(member.away for (where, _), member in self.members.items() if where == queue)

    def wrap_up(self, queue: str | None, seat: str | None, time: float) -> Sequence[Event]:
        """A member's call is over, and it has the after-call work that the exchange gives it."""
        if queue is None or seat is None or (member := self.members.get((queue, seat))) is None or not member.wrap_up:
            return ()
        facts = {"seat": seat, "queue": queue, "seconds": member.wrap_up}
        return self._exchange.event(OperatorWrapUpStarted, time, facts)

    def _event(self, kind: type[Event], place: Place, time: float, reason: str | None = None) -> list[Event]:
        queue, seat = place
        return self._exchange.event(kind, time, {"seat": seat, "queue": queue, "reason": reason})

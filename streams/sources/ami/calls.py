"""The calls of an exchange, as its manager interface (AMI) tells of them, and what rings and speaks at its seats.

A call is known by its caller's channel (Uniqueid), what rings or speaks at a seat by that of the seat (DestUniqueid). Several
events say something else than their names do:

- QueueCallerAbandon comes for everybody who leaves a queue unanswered but by key. Only whose channel asked to be hung up
  (HangupRequest) gave up; whom the exchange hung up while it shut down (SoftHangupRequest 4) is lost; the rest overflowed.
- AgentComplete comes twice for a call that is handed over, and not under its own id. A seat's conversation is over when the
  seat's channel is, or handed over.
- A call from inside that comes into a queue is a seat's consultation, until a transfer makes it part of its caller's journey.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from schemas.calls import (
    CallAbandoned,
    CallAnswered,
    CallClassified,
    CallEnded,
    CallLost,
    CallNetworkDropped,
    CallOffered,
    CallOverflowed,
    CallQueued,
    CallTransferred,
)
from schemas.event import Event
from schemas.operators import OperatorRingCanceled, OperatorRinging, OperatorRingNoAnswer
from streams.sources.ami.blocks import Block
from streams.sources.ami.call import Call, Leg
from streams.sources.ami.exchange import Exchange
from streams.sources.ami.links import Links
from streams.sources.ami.seats import Seats

OPEN = 2_000
"""The most calls, and the most channels of seats, that are followed at once; beyond it the oldest is forgotten."""

DECIDED_SECONDS = 1.0
"""Within this after a call left a queue it is told where to."""

NETWORK = "44"
"""Q.850 cause of a hang-up because no more sound came (requested channel not available)."""

SHUTDOWN = "4"
"""The bit of SoftHangupRequest's cause that says that the exchange shuts down; that is no Q.850."""


@dataclass(slots=True)
class Calls:
    """The calls of one exchange."""

    exchange: Exchange
    seats: Seats
    links: Links
    open: dict[str, Call] = field(default_factory=dict)
    legs: dict[str, Leg] = field(default_factory=dict)
    suspects: set[str] = field(default_factory=set)
    """Calls and legs of before a gap, of which nothing was heard since."""

    def read(self, block: Block, time: float) -> Iterable[Event]:
        """What an event says of a call."""
        if (uid := self.exchange.call(block.get("Uniqueid"))) is not None:
            self.suspects.discard(uid)
        dest = self.exchange.call(block.get("DestUniqueid"))
        match block["Event"]:
            case "Newchannel" if uid is not None:
                return self._arrive(block, uid, time)
            case "QueueCallerJoin" if uid is not None:
                return self._join(block, uid, time)
            case "QueueCallerAbandon" if (call := self.open.get(uid or "")) is not None:
                call.gave_way = time
            case "QueueCallerLeave" if (call := self.open.get(uid or "")) is not None:
                return self._leave(call, time)
            case "AgentCalled" if uid is not None and dest is not None:
                return self._ring(block, uid, dest, time)
            case "AgentRingNoAnswer" if dest is not None:
                return self._ring_out(block, dest, time)
            case "AgentConnect" if uid is not None and dest is not None:
                return self._connect(block, uid, dest, time)
            case "AgentComplete" if (leg := self.legs.get(dest or "")) is not None and leg.local and leg.answered is not None:
                return self._end_talk(dest or "", leg, "16", time)
            case "DialEnd" if uid is not None and dest is not None and block.get("DialStatus") == "ANSWER":
                return self._pick_up(block, uid, dest, time)
            case "HangupRequest" | "SoftHangupRequest" if uid is not None:
                self._ask(block, uid)
            case "Hangup" if uid is not None:
                return self._hang_up(block, uid, time)
            case "BlindTransfer" | "AttendedTransfer" if block.get("Result") == "Success":
                return self._hand_over(block, time)
            case "RTCPSent" | "RTCPReceived" if uid is not None:
                return self._listen(block, uid, time)
            case "UserEvent":
                return self._heed(block, uid, time)
        return ()

    def settle(self, time: float) -> list[Event]:
        """Tell of those who left their queue that they went nowhere else, once that is certain."""
        ringing = {leg.call for leg in self.legs.values() if leg.answered is None}
        due = [
            call
            for call in self.open.values()
            if call.left is not None
            and time - call.left[0] > DECIDED_SECONDS
            and (call.left[1] != "key" or call.id not in ringing)
        ]
        return [event for call in due for event in self._overflow(call)]

    def forget(self, before: float) -> list[Event]:
        """The exchange began anew: what began before is over, which of calls is told of all at once."""
        self.open = {uid: call for uid, call in self.open.items() if call.since >= before}
        gone = [uid for uid, leg in self.legs.items() if leg.rang < before]
        return [event for uid in gone for event in self.cancel(uid, before)]

    # How a call comes and where it waits.

    def _arrive(self, block: Block, uid: str, time: float) -> Iterable[Event]:
        channel = block.get("Channel", "")
        link = self.exchange.trunk(channel)
        used = () if link is None else self.links.channel(link, uid, time, used=True)
        # Whom the exchange calls is down at first, and belongs to whoever wants it called.
        if uid in self.open or block.get("Linkedid") != uid or block.get("ChannelStateDesc") == "Down":
            return used
        if link is None and self.exchange.is_inside(channel, block.get("CallerIDNum")):
            return used
        return [*used, *self.offer(block, uid, link, time)]

    def offer(self, block: Block, uid: str, link: str | None, time: float) -> list[Event]:
        """A citizen's call arrived at `time`."""
        if link is None:
            self.exchange.anonymous()
        call = self._follow(Call(uid, time, link=link, queue=self.exchange.front(block.get("Exten"))))
        facts = {"call": uid, "queue": call.queue, "clock": "arrival", "link": link}
        return self.exchange.event(CallOffered, time, facts, self.exchange.caller(block.get("CallerIDNum")))

    def _join(self, block: Block, uid: str, time: float) -> list[Event]:
        return self.queue_up(block, uid, self.exchange.queue(block.get("Queue")), time)

    def queue_up(self, block: Block, uid: str, queue: str | None, time: float) -> list[Event]:
        """A call came into a queue at `time`."""
        if queue is None:
            return []
        call, events = self.open.get(uid), list[Event]()
        if call is None:
            channel, number = block.get("Channel", ""), block.get("CallerIDNum")
            link = self.exchange.trunk(channel)
            inside = link is None and self.exchange.is_inside(channel, number)
            call = self._follow(Call(uid, time, link=link))
            facts = {"call": uid, "queue": queue, "clock": "queue", "link": link, "direction": "internal" if inside else None}
            events = self.exchange.event(CallOffered, time, facts, None if inside else self.exchange.caller(number))
        else:
            events += self._overflow(call) if call.left is not None else ()
            events += self.exchange.event(CallQueued, time, {"call": uid, "journey": call.journey, "queue": queue})
        call.stage, call.queue, call.gave_way = "waiting", queue, None
        return events

    def _leave(self, call: Call, time: float) -> list[Event]:
        if call.stage != "waiting":
            return []
        call.stage = "left"
        if call.gave_way is None:
            call.left = time, "key"  # unless it is answered next
        elif call.ending == "caller":
            return self._lose(call, CallAbandoned, call.gave_way)
        else:
            call.left = call.gave_way, "empty" if self.seats.is_empty(call.queue) else "timeout"
        return []

    def _overflow(self, call: Call) -> list[Event]:
        assert call.left is not None
        (time, reason), call.left = call.left, None
        facts = {"call": call.id, "journey": call.journey, "reason": reason, "queue": call.queue}
        return self.exchange.event(CallOverflowed, time, facts)

    def _lose(self, call: Call, kind: type[Event], time: float) -> list[Event]:
        facts = {"call": call.id, "journey": call.journey}
        if kind is not CallLost:
            facts["queue"] = None if call.stage == "arrived" else call.queue
        if kind is CallNetworkDropped:
            facts["link"] = call.link
        call.stage, call.left = "moved", None
        return self.exchange.event(kind, time, facts)

    # What seats do with it.

    def _ring(self, block: Block, uid: str, dest: str, time: float) -> list[Event]:
        leg = self._leg(block, uid, dest, time)
        if leg.seat is None:
            return []
        return self.exchange.event(OperatorRinging, time, {"seat": leg.seat, "queue": leg.queue, "call": uid})

    def _ring_out(self, block: Block, dest: str, time: float) -> list[Event]:
        leg = self.legs.pop(dest, None) or self._leg(block, dest, None, time)
        rang = block.get("RingTime", "")
        seconds = int(rang) / 1000 if rang.isascii() and rang.isdecimal() and len(rang) <= 7 else None
        if leg.seat is None:
            return []
        facts = {"seat": leg.seat, "queue": leg.queue, "call": self.exchange.call(block.get("Uniqueid")), "ring_seconds": seconds}
        return self.exchange.event(OperatorRingNoAnswer, time, facts)

    def _connect(self, block: Block, uid: str, dest: str, time: float) -> list[Event]:
        queue, events = self.exchange.queue(block.get("Queue")), list[Event]()
        if uid not in self.open:
            # Its coming was missed; the exchange says how long it waited, in whole seconds.
            waited = block.get("HoldTime", "")
            came = time - (int(waited) if waited.isascii() and waited.isdecimal() and len(waited) <= 5 else 0)
            events = self.queue_up(block, uid, queue, float(int(came)))
        call = self.open.get(uid)
        if call is None:
            return events
        leg = self.legs.get(dest) or self._leg(block, uid, dest, time)
        leg.answered, leg.call = time, uid
        return events + self.answer(call, leg, queue, time)

    def answer(self, call: Call, leg: Leg, queue: str | None, time: float) -> list[Event]:
        """A seat speaks with a call from `time` on."""
        call.stage, call.queue, call.left, call.gave_way = "talking", queue, None, None
        call.sent_none = call.got_none = False
        facts = {"call": call.id, "journey": call.journey, "seat": leg.seat, "queue": queue}
        return self.exchange.event(CallAnswered, time, facts)

    def _pick_up(self, block: Block, uid: str, dest: str, time: float) -> list[Event]:
        """Somebody was called for a call that came into no queue, and answered."""
        call = self.open.get(uid)
        if call is None or call.stage != "arrived":
            return []
        leg = self._leg(block, uid, dest, time, self.exchange.seat(block.get("DestChannel")))
        leg.answered = time
        return self.answer(call, leg, None, time)

    def _leg(self, block: Block, uid: str, dest: str | None, time: float, seat: str | None = None) -> Leg:
        seat = seat or self.exchange.seat(block.get("Interface"), block.get("MemberName"))
        leg = Leg(
            uid, seat, self.exchange.queue(block.get("Queue")), time, local=block.get("DestChannel", "").startswith("Local/")
        )
        if dest is not None:
            if len(self.legs) >= OPEN:
                del self.legs[next(iter(self.legs))]
            self.legs[dest] = leg
        return leg

    # How it is handed over.

    def _hand_over(self, block: Block, time: float) -> list[Event]:
        blind = block["Event"] == "BlindTransfer"
        uids = (
            [block.get("TransfererUniqueid")]
            if blind
            else [block.get("OrigTransfererUniqueid"), block.get("SecondTransfererUniqueid")]
        )
        for uid, other in zip(uids, reversed(uids), strict=True):
            leg = self.legs.get(uid or "")
            if leg is None or leg.answered is None or (call := self.open.get(leg.call)) is None:
                continue
            del self.legs[uid or ""]
            self.suspects.discard(uid or "")
            # A seat asks another through a queue in a call of its own.
            second = None if blind else self.open.get(other or "")
            exten = block.get("Extension") if blind else block.get("SecondTransfererExten")
            facts: dict[str, object] = {"call": call.id, "journey": call.journey, "to": self.exchange.destination(exten)}
            if second is not None and second is not call:
                second.journey = call.journey or call.id
                facts |= {"call": second.id, "journey": second.journey, "to": second.queue}
            facts |= {"queue": leg.queue, "seat": leg.seat, "talk_seconds": max(0.0, round(time - leg.answered, 6))}
            call.stage = "moved"
            if second is not None and second.stage == "waiting":
                self._swap(second, call)
            silent = self._silent(call, leg, time)
            return [*silent, *self.exchange.event(CallTransferred, time, facts), *self.seats.wrap_up(leg.queue, leg.seat, time)]
        return []

    def _swap(self, second: Call, call: Call) -> None:
        """The caller waits in the place of the seat that asked."""
        del self.open[second.id]
        call.stage, call.queue, call.ending = "waiting", second.queue, None
        for leg in self.legs.values():
            if leg.call == second.id:
                leg.call = call.id

    # How it ends.

    def _ask(self, block: Block, uid: str) -> None:
        """Something wants a channel to end."""
        call, leg = self.open.get(uid), self.legs.get(uid)
        is_request = block["Event"] == "HangupRequest"
        if call is not None and call.ending is None:
            call.ending = "caller" if is_request else "shutdown" if block.get("Cause") == SHUTDOWN else "exchange"
        if leg is not None:
            call = self.open.get(leg.call)
            leg.asked = leg.asked or (is_request and (call is None or call.ending != "caller"))
            leg.ended = leg.ended or call is None or call.ending is None

    def _hang_up(self, block: Block, uid: str, time: float) -> list[Event]:
        events, cause = list[Event](), block.get("Cause", "")
        if (link := self.exchange.trunk(block.get("Channel"))) is not None:
            events += self.links.channel(link, uid, time, used=False)
        if (leg := self.legs.get(uid)) is not None:
            if leg.answered is not None:
                events += self._end_talk(uid, leg, cause, time)
            else:
                events += self.cancel(uid, time)
        if (call := self.open.get(uid)) is not None:
            events += self._end(call, cause, time)
        return events

    def cancel(self, dest: str, time: float) -> list[Event]:
        """A call rings at a seat no more; of a conversation whose end was missed, neither does what rang before it."""
        leg = self.legs.pop(dest)
        if leg.seat is None:
            return []
        return self.exchange.event(OperatorRingCanceled, time, {"seat": leg.seat, "queue": leg.queue, "call": leg.call})

    def _end(self, call: Call, cause: str, time: float) -> list[Event]:
        """The caller's channel is gone."""
        talks = next((dest for dest, leg in self.legs.items() if leg.call == call.id and leg.answered is not None), None)
        if talks is not None:
            # The seat's channel goes next; of one that Asterisk made up it is not certain.
            leg = self.legs[talks]
            return self._end_talk(talks, leg, cause, time) if leg.local else []
        told: list[Event] = []
        if call.stage in ("arrived", "waiting") or call.left is not None:
            if cause == NETWORK and call.ending != "caller":
                told = self._lose(call, CallNetworkDropped, time)
            elif call.ending == "shutdown":
                told = self._lose(call, CallLost, time)
            elif call.left is not None:
                told = self._overflow(call)
            elif call.ending == "caller":
                told = self._lose(call, CallAbandoned, time)
            elif call.stage == "waiting":
                told = self._lose(call, CallLost, time)
            else:
                told = self.exchange.event(CallOverflowed, time, {"call": call.id, "journey": call.journey, "reason": "refused"})
        del self.open[call.id]
        return told

    def _end_talk(self, dest: str, leg: Leg, cause: str, time: float) -> list[Event]:
        """A seat's conversation is over."""
        del self.legs[dest]
        call = self.open.get(leg.call)
        if call is None or call.stage not in ("talking", "moved") or leg.answered is None:
            return []
        events = self._silent(call, leg, time)
        facts: dict[str, object] = {"call": call.id, "journey": call.journey}
        if cause == NETWORK and call.ending != "caller" and not leg.ended:
            events += self.exchange.event(CallNetworkDropped, time, facts | {"link": call.link, "queue": leg.queue})
        else:
            by = "seat" if leg.asked else "caller" if call.ending == "caller" else None
            facts |= {"by": by, "queue": leg.queue, "seat": leg.seat}
            facts["talk_seconds"] = max(0.0, round(time - leg.answered, 6))
            events += self.exchange.event(CallEnded, time, facts)
        del self.open[call.id]
        return [*events, *self.seats.wrap_up(leg.queue, leg.seat, time)]

    # What is heard of it.

    def _listen(self, block: Block, uid: str, time: float) -> Sequence[Event]:
        """An RTCP report: of what Asterisk got from a channel (sent), or of what that channel sent (received)."""
        for channel in (self.open.get(uid), self.legs.get(uid)):
            if channel is not None:
                channel.hear(block)
        link = self.exchange.trunk(block.get("Channel"))
        # The seat's leg repeats what was lost on the trunk's.
        return () if link is None else self.links.report(link, block, time)

    def _silent(self, call: Call, leg: Leg, time: float) -> list[Event]:
        """A seat spoke with somebody of whom nothing was ever heard."""
        return self.exchange.event(CallClassified, time, {"call": call.id, "class": "ghost"}) if call.is_silent(leg) else []

    def _heed(self, block: Block, uid: str | None, time: float) -> list[Event]:
        """What a dialplan says: `UserEvent(Disposition,Call: ID,Class: WORD)`, or that a queue took nobody in:
        `UserEvent(QueueRefused,Queue: NAME,Status: JOINEMPTY)`.
        """
        match block.get("UserEvent"):
            case "Disposition" if (about := self.exchange.call(block.get("Call")) or uid) and block.get("Class"):
                return self.exchange.event(CallClassified, time, {"call": about, "class": self.exchange.class_(block["Class"])})
            case "QueueRefused" if (call := self.open.get(uid or "")) is not None and call.stage == "arrived":
                queue = self.exchange.queue(block.get("Queue")) or call.queue
                call.stage, call.queue = "moved", queue
                facts = {"call": call.id, "journey": call.journey}
                queued = self.exchange.event(CallQueued, time, facts | {"queue": queue})
                reason = "full" if block.get("Status") == "FULL" else "empty"
                return queued + self.exchange.event(CallOverflowed, time, facts | {"reason": reason, "queue": queue})
        return []

    def _follow(self, call: Call) -> Call:
        if len(self.open) >= OPEN:
            del self.open[next(iter(self.open))]
        self.open[call.id] = call
        return call

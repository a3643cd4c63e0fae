"""Asterisk's manager interface (AMI): what it tells, live or recorded, becomes events.

https://docs.asterisk.org/Asterisk_22_Documentation/API_Documentation/AMI_Events/. It tells what a queue_log does not:
arrivals and their trunks, who hung up, what the network took, what rings, how trunks carry. With a queue_log of the same exchange
it is one story where the centre's file joins the two `sources`; the log then fills what was missed.

Waiting is counted from the arrival on a trunk. A time is that of the exchange (`timestampevents = yes`), or that at which a block
was received. After every connection lists say what is there: whatever was known before and is in none of them is over, and how is
not told (*lost track of*). Who was talking when nobody was looking yet is left to the log.

A read right is enough: `read = agent,call,system,reporting,user`, `write = reporting`. Numbers become keyed hashes here.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field

from schemas.calls import CallLost, ExchangeRestarted
from schemas.event import EARLIEST, TOO_LATE, Event
from streams.core.centre import Centre
from streams.sources.ami.blocks import BANNER, Block, Blocks
from streams.sources.ami.call import Call, Leg
from streams.sources.ami.calls import Calls
from streams.sources.ami.exchange import Exchange, device
from streams.sources.ami.links import Links
from streams.sources.ami.seats import Member, Place, Seats
from streams.sources.door import Door

TOO_LONG = "blocks that are too long"

SAME_BOOT_SECONDS = 5.0
"""Two tellings of how long an exchange has been up mean one boot within this; it says whole seconds."""

_SEATS = frozenset(
    ("QueueMemberAdded", "QueueMemberRemoved", "QueueMemberPause", "QueueMemberPaused", "QueueMemberStatus", "QueueMember")
)
_LINKS = frozenset(("ContactStatus", "PeerStatus", "DeviceStateChange", "Registry", "OutboundRegistrationDetail"))
_SECONDS = re.compile(r"[0-9]{1,11}(\.[0-9]{1,9})?", re.ASCII)
_DURATION = re.compile(r"([0-9]{1,4}):([0-9]{2}):([0-9]{2})", re.ASCII)
# What a caller is in who waits for nobody: the queue's list tells that, or it was handed over.
_BUSY = frozenset(("Queue", "AppQueue", "Dial", "AppDial", "AppDial2"))


@dataclass(slots=True)
class Snapshot:
    """What lists say of one moment, until they are whole: who waits, which channels there are, and who is a member."""

    waiting: dict[str, Block] = field(default_factory=dict)
    channels: dict[str, Block] = field(default_factory=dict)
    members: dict[Place, Block] = field(default_factory=dict)
    whole: set[str] = field(default_factory=set)


class Reader:
    """Reads the manager interface of one exchange for one centre. `passed_over` counts what was not told.

    `memory` is what it knows of calls, legs and seats, by codes; a reader that is given it goes on there after the next
    connection. What is none is begun without.
    """

    def __init__(self, centre: Centre, source: str, door: Door | None = None, memory: str | None = None) -> None:
        door = door or Door(centres=(centre,))
        self.passed_over = door.passed_over
        self._exchange = Exchange(centre, source, door)
        self._links = Links(self._exchange)
        self._seats = Seats(self._exchange)
        self._calls = Calls(self._exchange, self._seats, self._links)
        self._snapshot: Snapshot | None = None
        self._started = ""
        self._time = 0.0
        if memory:
            self._recall(memory)

    @property
    def memory(self) -> str:
        """What is to be remembered until the next connection, as JSON."""
        return json.dumps(
            {
                "started": self._started,
                "booted": self._links.booted,
                "calls": [asdict(call) for call in self._calls.open.values()],
                "legs": {uid: asdict(leg) for uid, leg in self._calls.legs.items()},
                "members": [[*place, member.paused] for place, member in self._seats.members.items()],
                "up": self._links.up,
            },
            separators=(",", ":"),
        )

    def _recall(self, memory: str) -> None:
        try:
            told = json.loads(memory)
            calls = {str(each["id"]): Call(**each) for each in told["calls"]}
            legs = {str(uid): Leg(**each) for uid, each in told["legs"].items()}
            members = {(str(queue), str(seat)): Member(bool(paused)) for queue, seat, paused in told["members"]}
            up = {str(link): bool(each) for link, each in told["up"].items()}
            started, booted = str(told["started"]), told["booted"]
        except (KeyError, TypeError, ValueError, AttributeError):
            return
        self._calls.open, self._calls.legs, self._seats.members, self._links.up = calls, legs, members, up
        for call in calls.values():
            call.left = None if call.left is None else (call.left[0], call.left[1])
        self._started, self._links.booted = started, booted

    def read(self, block: Block, received: float | None = None) -> list[Event]:
        """What is told by one block more. `received` is when it came, epoch seconds; a recording says that itself."""
        now = self._moment(block, received)
        events = self._calls.settle(now)
        if BANNER in block:
            self._snapshot = Snapshot()
            self._calls.suspects = {*self._calls.open, *self._calls.legs}
        elif "CoreStartupTime" in block:
            events += self._start(f"{block.get('CoreStartupDate', '')} {block['CoreStartupTime']}", now)
        elif "Event" in block:
            events += self._event(block, now)
        return events

    def _moment(self, block: Block, received: float | None) -> float:
        """The time of a block; that of the one before where it says none."""
        for text in (block.get("Timestamp", ""), block.get("Received", "")):
            if _SECONDS.fullmatch(text) and EARLIEST.timestamp() <= float(text) < TOO_LATE.timestamp():
                self._time = float(text)
                return self._time
        self._time = self._time if received is None else received
        return self._time

    def _event(self, block: Block, now: float) -> Iterable[Event]:
        name = block["Event"]
        if name in ("QueueEntry", "CoreShowChannel") or (name == "QueueMember" and "ActionID" in block):
            self._note(block)
            return ()
        if name in ("QueueStatusComplete", "CoreShowChannelsComplete"):
            return self._complete(name, now)
        if name == "FullyBooted":
            return self._boot(block, now)
        if name in _SEATS:
            return self._seats.read(block, now)
        if name in _LINKS:
            return self._links.read(block, now)
        return self._calls.read(block, now)

    # Whether the exchange began anew.

    def _boot(self, block: Block, now: float) -> list[Event]:
        uptime = block.get("Uptime", "")
        if not _SECONDS.fullmatch(uptime):
            return []
        booted, before = now - float(uptime), self._links.booted
        if before is None:
            self._links.boot(booted)
        elif booted > before + SAME_BOOT_SECONDS and not self._started:
            return self._restart(booted)
        elif booted > before + SAME_BOOT_SECONDS:
            # When the clock here was set, it looks so too: what the exchange says of its start decides.
            self._links.booted = booted
        return []

    def _start(self, started: str, now: float) -> list[Event]:
        before, self._started = self._started, started
        if not before or before == started:
            return []
        return self._restart(self._links.booted if self._links.booted is not None else now)

    def _restart(self, booted: float) -> list[Event]:
        self._links.boot(booted)
        return [*self._exchange.event(ExchangeRestarted, booted, {}), *self._calls.forget(booted)]

    # What lists say.

    def _note(self, block: Block) -> None:
        found = self._snapshot
        if found is None:
            return
        uid = self._exchange.call(block.get("Uniqueid"))
        if block["Event"] == "QueueMember":
            if (place := self._seats.place(block)) is not None:
                found.members[place] = block
        elif uid is not None:
            (found.waiting if block["Event"] == "QueueEntry" else found.channels)[uid] = block

    def _complete(self, name: str, now: float) -> list[Event]:
        found = self._snapshot
        if found is None:
            return []
        found.whole.add(name)
        events = self._seats.reconcile(found.members, now) if name == "QueueStatusComplete" else []
        if len(found.whole) == 2:
            self._snapshot = None
            events += self._compare(found, now)
        return events

    def _compare(self, found: Snapshot, now: float) -> list[Event]:
        """What is over since the gap, and who came meanwhile. What was heard of since the connection is newer than the lists."""
        calls = self._calls
        trunks: dict[str, set[str]] = {}
        for uid, block in found.channels.items():
            if (link := self._exchange.trunk(block.get("Channel"))) is not None:
                trunks.setdefault(link, set()).add(uid)
        events = self._links.count(trunks, now)
        talks = self._talks(found)
        for uid in sorted(calls.suspects & calls.open.keys()):
            events += self._judge(calls.open[uid], found, talks, now)
        for uid in sorted(calls.suspects & calls.legs.keys() - found.channels.keys()):
            events += calls.cancel(uid, now)
        known = calls.open.keys()
        for uid in sorted(found.channels.keys() - known, key=lambda uid: -_duration(found.channels[uid])):
            events += self._meet(uid, found, now)
        calls.suspects = set()
        return events

    def _judge(self, call: Call, found: Snapshot, talks: dict[str, str], now: float) -> list[Event]:
        """What became of a call that was known before."""
        calls, uid = self._calls, call.id
        own = [dest for dest, leg in calls.legs.items() if leg.call == uid and leg.answered is not None]
        if call.stage == "talking" and any(dest in found.channels or dest not in calls.suspects for dest in own):
            return []  # a consultation talks on though its caller's first channel is gone
        if uid in found.waiting:
            entered = float(int(now - _wait(found.waiting[uid])))
            queue = self._exchange.queue(found.waiting[uid].get("Queue"))
            same = call.stage == "waiting" and queue == call.queue
            return [] if same else calls.queue_up(found.waiting[uid], uid, queue, max(entered, call.since))
        if uid in talks and call.stage != "moved":
            # Somebody answered in the gap; it is known from now on.
            seat = self._exchange.seat(device(found.channels[talks[uid]].get("Channel", "")))
            leg = calls.legs.setdefault(talks[uid], Leg(uid, seat, call.queue, now))
            leg.answered = now
            return calls.answer(call, leg, call.queue, now)
        if uid in found.channels and call.stage in ("arrived", "moved"):
            return []
        told = [] if call.stage == "moved" else self._exchange.event(CallLost, now, {"call": uid, "journey": call.journey})
        call.stage, call.left = "moved", None
        if uid not in found.channels:
            del calls.open[uid]
        return told

    def _meet(self, uid: str, found: Snapshot, now: float) -> list[Event]:
        """A channel that was not known: a call that came in the gap, and has not been answered."""
        block, calls = found.channels[uid], self._calls
        channel, number = block.get("Channel", ""), block.get("CallerIDNum")
        link = self._exchange.trunk(channel)
        if block.get("Linkedid") != uid or (link is None and self._exchange.is_inside(channel, number)):
            return []
        came = float(int(now - _duration(block)))
        if uid in found.waiting:
            entered = float(int(now - _wait(found.waiting[uid])))
            queue = self._exchange.queue(found.waiting[uid].get("Queue"))
            return calls.offer(block, uid, link, came) + calls.queue_up(found.waiting[uid], uid, queue, max(came, entered))
        if block.get("BridgeId") or block.get("Application") in _BUSY:
            calls.open[uid] = Call(uid, came, link=link, stage="moved")
            return []
        return calls.offer(block, uid, link, came)

    def _talks(self, found: Snapshot) -> dict[str, str]:
        """By a caller's channel the seat's that is in one bridge with it."""
        bridged: dict[str, list[str]] = {}
        for uid, block in found.channels.items():
            if bridge := block.get("BridgeId"):
                bridged.setdefault(bridge, []).append(uid)
        seats = {
            uid
            for uid, block in found.channels.items()
            if device(block.get("Channel", "")) in self._exchange.devices and block.get("Linkedid") != uid
        }
        return {one: other for pair in bridged.values() for one in pair for other in pair if other in seats and one not in seats}


def _duration(block: Block) -> float:
    """How long a channel has been there, in seconds."""
    found = _DURATION.fullmatch(block.get("Duration", ""))
    return sum(int(part) * unit for part, unit in zip(found.groups(), (3600, 60, 1), strict=True)) if found else 0.0


def _wait(block: Block) -> float:
    """How long a call has been in its queue, in seconds."""
    text = block.get("Wait", "")
    return float(text) if text.isascii() and text.isdecimal() and len(text) <= 6 else 0.0


def events(pieces: Iterable[bytes], reader: Reader) -> Iterator[Event]:
    """The events of a recorded stream that comes in pieces, cut anywhere. Blocks that are too long are counted as passed over."""
    blocks = Blocks()
    for piece in pieces:
        for block in blocks.feed(piece):
            yield from reader.read(block)
    if blocks.dropped:
        reader.passed_over[TOO_LONG] += blocks.dropped

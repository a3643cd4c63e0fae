"""The trunks of an exchange, as its manager interface (AMI) tells of them: reachable, registered, in use, how well they carry.

After a boot nothing is known of them yet: that a device is unavailable says something only once it was heard of since.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from schemas.event import Event
from schemas.network import LinkDown, LinkMeasured, LinkOccupied, LinkRegistered, LinkUnregistered, LinkUp
from streams.sources.ami.blocks import Block
from streams.sources.ami.exchange import Exchange

BOOTING_SECONDS = 120.0
"""So long after a boot an unavailable device may be one that nobody asked yet."""

MEASURE_SECONDS = 10.0
"""What the calls of one trunk report within this is one measurement."""

SAMPLES_PER_SECOND = 8_000
"""Jitter is counted in these: the clock of G.711 and G.729, which trunks speak."""

FRACTION = 256
"""Loss is told in parts of this (RFC 3550)."""

WAITING_FOR_NAME = 64
"""The most registrations that are remembered until it is known whose they are."""

# On its way, neither refused nor standing.
_PENDING = frozenset(("", "Request Sent", "Auth. Sent", "Stopping", "Stopped", "Unregistered by us"))
_UP = frozenset(("Reachable", "Registered", "Lagged"))
_DOWN = frozenset(("Unreachable",))
_AVAILABLE = frozenset(("NOT_INUSE", "INUSE", "BUSY", "RINGING", "RINGINUSE", "ONHOLD"))
_HOST = re.compile(r"(?:sips?:)?(?:[^@;]*@)?([0-9A-Za-z_.\[\]:-]+)")


@dataclass(slots=True)
class Reports:
    """What RTCP told of a trunk since a moment."""

    since: float
    loss: list[float] = field(default_factory=list)
    jitter: list[float] = field(default_factory=list)
    round_trip: list[float] = field(default_factory=list)


class Links:
    """The trunks of one exchange. `up` is what was told last of each."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._capacity = {link.code: link.channels for link in exchange.centre.links}
        self.up: dict[str, bool] = {}
        self._heard: set[str] = set()
        self._used: dict[str, set[str]] = {}
        self._reports: dict[str, Reports] = {}
        self._hosts: dict[str, str] = {}
        self._unnamed: dict[str, tuple[float, str]] = {}
        self.booted: float | None = None
        """When the exchange began, as far as is known; epoch seconds."""

    def boot(self, time: float) -> None:
        """The exchange began anew at `time`: nothing of it is known."""
        self.booted = time
        self._heard.clear()
        self._used.clear()
        self._reports.clear()

    def read(self, block: Block, time: float) -> Sequence[Event]:
        """What an event says of a trunk."""
        match block["Event"]:
            case "ContactStatus":
                names = block.get("EndpointName"), block.get("AOR")
                link = self._exchange.link(*(f"PJSIP/{name}" for name in names if name), *names)
                learnt = self._learn(link, block.get("URI"))
                return [*self._reach(link, block.get("ContactStatus", ""), time), *learnt]
            case "PeerStatus":
                return self._reach(self._exchange.trunk(block.get("Peer")), block.get("PeerStatus", ""), time)
            case "DeviceStateChange":
                return self._device(block, time)
            case "Registry":
                return self._registry(block, block.get("Status", ""), time)
            case "OutboundRegistrationDetail":
                link = self._exchange.link(block.get("Endpoint"), block.get("ObjectName"))
                learnt = self._learn(link, block.get("ServerUri"))
                # Of a boot just now it says unregistered, which nobody has tried yet.
                status = block.get("Status", "")
                return (
                    [*learnt, *self._registry(block, status, time)]
                    if status == "Registered" or self._is_settled(time)
                    else learnt
                )
            case _:
                return ()

    def channel(self, link: str, call: str, time: float, *, used: bool) -> Sequence[Event]:
        """A channel of a trunk came or went."""
        channels = self._used.setdefault(link, set())
        before = len(channels)
        if used:
            channels.add(call)
        else:
            channels.discard(call)
        return self._occupied(link, time) if len(channels) != before else ()

    def count(self, channels: dict[str, set[str]], time: float) -> list[Event]:
        """The channels that are there, by trunk, whatever was counted before."""
        changed = [link for link in {**self._used, **channels} if self._used.get(link, set()) != channels.get(link, set())]
        self._used = channels
        return [event for link in sorted(changed) for event in self._occupied(link, time)]

    def report(self, link: str, block: Block, time: float) -> Sequence[Event]:
        """An RTCP report on a channel of a trunk: of what Asterisk lost from there, or how long the way there and back takes."""
        told = self._reports.get(link)
        events: Sequence[Event] = ()
        if told is not None and time - told.since >= MEASURE_SECONDS:
            events = self._measured(link, told, time)
            told = None
        if told is None:
            told = self._reports[link] = Reports(time)
        if block["Event"] == "RTCPReceived":
            # Without an answer of ours before it, it cannot be told and stands as nought.
            if round_trip := _number(block, "RTT"):
                told.round_trip.append(round_trip)
        elif block.get("ReportCount", "0") != "0":
            lost, jitter = _number(block, "Report0FractionLost"), _number(block, "Report0IAJitter")
            if lost is not None and lost <= FRACTION:
                told.loss.append(lost / FRACTION)
            if jitter is not None:
                told.jitter.append(jitter / SAMPLES_PER_SECOND)
        return events

    def _measured(self, link: str, told: Reports, time: float) -> Sequence[Event]:
        if not told.loss:
            return ()
        facts: dict[str, object] = {"link": link, "loss_ratio": round(sum(told.loss) / len(told.loss), 6)}
        if told.jitter:
            facts["jitter_seconds"] = round(min(60.0, sum(told.jitter) / len(told.jitter)), 6)
        if told.round_trip:
            facts["delay_seconds"] = round(min(60.0, sum(told.round_trip) / len(told.round_trip) / 2), 6)
        return self._exchange.event(LinkMeasured, time, facts)

    def _occupied(self, link: str, time: float) -> Sequence[Event]:
        if not (capacity := self._capacity.get(link)):
            return ()
        facts = {"link": link, "used": len(self._used.get(link, ())), "channels": capacity}
        return self._exchange.event(LinkOccupied, time, facts)

    def _reach(self, link: str | None, status: str, time: float) -> Sequence[Event]:
        if link is None or status not in _UP | _DOWN:
            return ()
        self._heard.add(link)
        return self._turn(link, time, up=status in _UP)

    def _device(self, block: Block, time: float) -> Sequence[Event]:
        link, state = self._exchange.trunk(block.get("Device")), block.get("State")
        if link is None:
            return ()
        if state in _AVAILABLE:
            self._heard.add(link)
            return self._turn(link, time, up=True)
        # In a boot every device is unavailable until it was asked.
        is_known = link in self._heard or self._is_settled(time)
        return self._turn(link, time, up=False) if state == "UNAVAILABLE" and is_known else ()

    def _is_settled(self, time: float) -> bool:
        """Whether the exchange has run for so long that it has asked every device."""
        return self.booted is not None and time - self.booted > BOOTING_SECONDS

    def _turn(self, link: str, time: float, *, up: bool) -> Sequence[Event]:
        if self.up.get(link) is up:
            return ()
        self.up[link] = up
        return self._exchange.event(LinkUp if up else LinkDown, time, {"link": link})

    def _registry(self, block: Block, status: str, time: float) -> Sequence[Event]:
        if status in _PENDING:
            return ()
        server = _host(block.get("Domain") or block.get("ServerUri"))
        user = block.get("Username") or block.get("ClientUri")
        link = self._exchange.link(block.get("Endpoint"), block.get("ObjectName"), server, server.partition(":")[0], user)
        link = link or self._hosts.get(server)
        if link is None:
            if server and len(self._unnamed) < WAITING_FOR_NAME:
                self._unnamed[server] = time, status
            return ()
        return self._exchange.event(LinkRegistered if status == "Registered" else LinkUnregistered, time, {"link": link})

    def _learn(self, link: str | None, uri: str | None) -> list[Event]:
        """A trunk's address was told; a registration told before may be that trunk's."""
        host = _host(uri)
        if link is None or not host or len(self._hosts) >= WAITING_FOR_NAME:
            return []
        self._hosts[host] = link
        time, status = self._unnamed.pop(host, (0.0, ""))
        return [*self._registry({"Domain": host}, status, time)]


def _host(uri: str | None) -> str:
    """Host and port of a SIP address."""
    found = _HOST.match(uri or "")
    return found[1] if found else ""


def _number(block: Block, name: str) -> float | None:
    """A field that is a number and not below nought."""
    text = block.get(name, "")
    return float(text) if re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,9})?", text, re.ASCII) else None

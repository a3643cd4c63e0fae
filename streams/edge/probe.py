"""Probes: whether the far ends of a centre's links answer, and how fast and steadily.

A link is asked every few seconds. It is down after some questions in a row without an answer, since the first of them, and up
again after some with one. At the start the first answer says that it is up; that it is down is said no sooner than otherwise. A
question that cannot leave this machine (no route, no address for the name) says nothing of the link: its heartbeat is missing
then, as it is when the probe itself stands still. Where all fail to answer, all are said to be down: from here nobody can tell
the line that they share from their far ends.

Of each window a link that answered has a heartbeat, and a sample: delay is half the mean round trip, jitter the mean difference
of round trips that follow one another (as icmplib has it), loss the share of packets without an answer. TCP sends lost packets
again, unseen: there loss is left out. How long a web server takes says nothing of voice: of it there is no sample.
"""

import asyncio
import logging
import re
import socket
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from statistics import fmean
from typing import Annotated

import aiohttp
import icmplib
from pydantic import BaseModel, ConfigDict, Field, field_validator

from schemas.event import Code, Event
from schemas.network import LinkDown, LinkHeartbeat, LinkMeasured, LinkUp
from streams.core.centre import Centre, CentreError
from streams.edge import sip
from streams.edge.collector import Collector, Inbox
from streams.sources.door import Door

log = logging.getLogger(__name__)

_ADDRESS = re.compile(
    r"(?P<how>sip|ping|tcp):(?P<host>\[[0-9A-Fa-f:.]+\]|[\w.-]+)(:(?P<port>\d{1,5}))?(;transport=(?P<transport>udp|tcp))?"
)
_WEB = re.compile(r"https?://(?P<host>\[[0-9A-Fa-f:.]+\]|[\w.-]+)(:\d{1,5})?(/\S*)?")
_SIP_PORT = 5060
_LONGEST_SECONDS = 60.0
"""The longest wait for an answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a far end said; None for what the way of asking does not show."""

    seconds: float | None = None
    """The round trip."""
    counts_packets: bool = False
    """Whether a lost packet is a lost question."""


@dataclass(frozen=True, slots=True)
class FarEnd:
    """Who is asked, and how. `ask` gives None where the far end says that it carries nothing, and raises where nobody answers."""

    host: str
    ask: Callable[[], Awaitable[Answer | None]]

    async def is_in_reach(self) -> bool:
        """Whether a packet for it leaves this machine: its name has an address, and that has a route."""
        try:
            [(family, _, _, _, address), *_] = await asyncio.get_running_loop().getaddrinfo(self.host, 9, type=socket.SOCK_DGRAM)
            with socket.socket(family, socket.SOCK_DGRAM) as unsent:
                unsent.connect(address)
        except OSError:
            return False
        return True


def far_end(address: str) -> FarEnd:
    """What an address means: `sip:HOST[:PORT][;transport=tcp]`, `ping:HOST`, `tcp:HOST:PORT` or `http(s)://...`.

    Raises `ValueError` for anything else.
    """
    if web := _WEB.fullmatch(address):
        return FarEnd(web["host"].strip("[]"), lambda: _web(address))
    parts = _ADDRESS.fullmatch(address)
    if parts is None or int(parts["port"] or 0) > 65_535:
        raise ValueError("must be sip:HOST[:PORT][;transport=tcp], ping:HOST, tcp:HOST:PORT or https://...")
    host, port = parts["host"].strip("[]"), int(parts["port"] or 0)
    match parts["how"], parts["transport"]:
        case "sip", "tcp":
            return FarEnd(host, lambda: _sip(sip.over_tcp(host, port or _SIP_PORT), counts_packets=False))
        case "sip", _:
            return FarEnd(host, lambda: _sip(sip.over_udp(host, port or _SIP_PORT), counts_packets=True))
        case "tcp", None if port:
            return FarEnd(host, lambda: _tcp(host, port))
        case "ping", None if not port:
            return FarEnd(host, lambda: _ping(host))
    raise ValueError("tcp wants a port, ping has none, and only sip has a transport")


async def _sip(answering: Awaitable[tuple[int, float]], *, counts_packets: bool) -> Answer | None:
    """Any answer says that the peer is there, also that it knows no OPTIONS; but who is unavailable (503) takes no call."""
    status, seconds = await answering
    return None if status == sip.UNAVAILABLE else Answer(seconds, counts_packets)


async def _tcp(host: str, port: int) -> Answer:
    """Opening a connection is one round trip."""
    loop = asyncio.get_running_loop()
    [(family, _, _, _, address), *_] = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    with socket.socket(family, socket.SOCK_STREAM) as connection:
        connection.setblocking(False)
        began = loop.time()
        await loop.sock_connect(connection, address)
        return Answer(loop.time() - began)


async def _web(address: str) -> Answer | None:
    """Any answer says that the server is there, but not that of one that fails."""
    async with aiohttp.ClientSession() as session, session.get(address, allow_redirects=False) as answer:
        return None if answer.status >= 500 else Answer()


async def _ping(host: str) -> Answer | None:
    """One echo, by the socket that needs no rights where the system allows it, else by a raw one. Raises `MayNotPingError`."""
    for is_privileged in (False, True):
        try:
            heard = await icmplib.async_ping(host, count=1, timeout=_LONGEST_SECONDS, privileged=is_privileged)
        except icmplib.SocketPermissionError:
            continue
        except icmplib.ICMPLibError as error:
            raise OSError(type(error).__name__) from None
        # Python 3.11's wait_for, in there, may swallow a cancellation that comes with the answer.
        if (task := asyncio.current_task()) is not None and task.cancelling():
            raise asyncio.CancelledError
        return Answer(heard.rtts[0] / 1000, counts_packets=True) if heard.is_alive else None
    raise MayNotPingError


class MayNotPingError(Exception):
    """The system lets this process send no echo."""


class ProbeConfig(BaseModel):
    """One `[[probe]]` of an edge.toml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Code = "probe"
    links: dict[Code, str] = Field(default={}, description="Addresses by link, before those that the centre's file has (probe).")
    every_seconds: Annotated[float, Field(gt=0, le=300)] = 5
    timeout_seconds: Annotated[float, Field(gt=0, le=_LONGEST_SECONDS)] = 3
    down_after: Annotated[int, Field(ge=1, le=100)] = 3
    """So many questions in a row without an answer."""
    up_after: Annotated[int, Field(ge=1, le=100)] = 2
    window_seconds: Annotated[float, Field(gt=0, le=600)] = 60

    @field_validator("links")
    @classmethod
    def _can_be_asked(cls, value: dict[str, str]) -> dict[str, str]:
        for address in value.values():
            far_end(address)
        return value

    def collector(self, centre: Centre, door: Door) -> Collector:
        """What asks the links. Raises `CentreError` where there are none, or one is not the centre's."""
        return Probe(self, centre)


@dataclass(slots=True)
class Watch:
    """What the answers of one link say so far."""

    link: str
    source: str
    centre: str
    down_after: int
    up_after: int
    per_window: int
    is_up: bool | None = None
    otherwise: list[datetime] = field(default_factory=list)
    """When the last questions were asked, all of whose answers say otherwise than `is_up`."""
    answers: list[Answer | None] = field(default_factory=list)
    """Those of this window."""
    answered: datetime | None = None
    """When the last question was asked that had an answer."""

    def take(self, asked: datetime, answer: Answer | None) -> list[Event]:
        """The events that one more answer makes; None stands for none."""
        events: list[Event] = []
        is_there = answer is not None
        if is_there:
            self.answered = asked
        if is_there is self.is_up:
            self.otherwise = []
        elif is_there and self.is_up is None:
            self.otherwise = [asked]
        else:
            self.otherwise.append(asked)
        needed = self.down_after if not is_there else 1 if self.is_up is None else self.up_after
        if len(self.otherwise) >= needed:
            self.is_up, since, self.otherwise = is_there, self.otherwise[0], []
            events.append(self._event(LinkUp if is_there else LinkDown, since))
        self.answers.append(answer)
        if len(self.answers) >= self.per_window:
            events += self._window()
            self.answers = []
        return events

    def _window(self) -> list[Event]:
        """A sample and a heartbeat, of a window in which there was any answer, at the time of the last."""
        heard = [answer for answer in self.answers if answer is not None]
        if not heard or self.answered is None:
            return []
        trips = [answer.seconds for answer in heard if answer.seconds is not None]
        steps = [abs(after - before) for before, after in pairwise(trips)]
        said = {
            "loss_ratio": 1 - len(heard) / len(self.answers) if heard[0].counts_packets else None,
            "jitter_seconds": fmean(steps) if steps else None,
            "delay_seconds": fmean(trips) / 2 if trips else None,
        }
        sample = [self._event(LinkMeasured, self.answered, **said)] if trips else []
        return [*sample, self._event(LinkHeartbeat, self.answered)]

    def _event(self, kind: type[Event], time: datetime, **said: float | None) -> Event:
        name = kind.model_fields["type"].default
        return kind.model_validate(
            {
                "id": f"{name}:{self.link}:{time.timestamp():.6f}",
                "source": self.source,
                "subject": self.centre,
                "time": time,
                "data": {"link": self.link, **said},
            }
        )


class Probe:
    """Asks the far ends of links. `counted`: questions without an answer, and those that could not leave this machine."""

    rereads = False

    def __init__(self, config: ProbeConfig, centre: Centre, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.name = config.name
        self.counted: Counter[str] = Counter(unanswered=0, unsent=0)
        self._config, self._centre, self._now = config, centre, now
        said = {link.code: link.probe for link in centre.links if link.probe is not None}
        said |= {centre.names.links[link]: address for link, address in config.links.items()}
        if unknown := said.keys() - {link.code for link in centre.links}:
            raise CentreError(f"{self.name}: the centre's file has no link {min(unknown)}; add it to `links` there")
        if not said:
            raise CentreError(f"{self.name}: no link to ask: give one in the centre's file a `probe`, such as sip:sbc.example.id")
        self._links = {link: far_end(address) for link, address in said.items()}

    async def run(self, inbox: Inbox) -> None:
        """See `Collector`."""
        watching = [asyncio.create_task(self._watch(link, end, inbox)) for link, end in self._links.items()]
        try:
            await asyncio.gather(*watching)
        finally:
            for task in watching:
                task.cancel()

    async def _watch(self, link: str, end: FarEnd, inbox: Inbox) -> None:
        config, loop = self._config, asyncio.get_running_loop()
        per_window = max(1, round(config.window_seconds / config.every_seconds))
        source = f"/{self._centre.code}/{self.name}"
        watch = Watch(link, source, self._centre.code, config.down_after, config.up_after, per_window)
        was_unsent = False
        while True:
            began, asked = loop.time(), self._now()
            answer, is_unsent = await self._ask(end)
            if is_unsent and not was_unsent:
                log.warning(
                    "%s: nothing is known of %s: questions cannot leave this machine. See its network and its name server, and "
                    "for ping the setting net.ipv4.ping_group_range",
                    self.name,
                    link,
                )
            was_unsent = is_unsent
            if is_unsent:
                self.counted["unsent"] += 1
            else:
                self.counted["unanswered"] += answer is None
                if events := watch.take(asked, answer):
                    await inbox.put(events)
            await asyncio.sleep(max(0.0, began + config.every_seconds - loop.time()))

    async def _ask(self, end: FarEnd) -> tuple[Answer | None, bool]:
        """The answer to one question, and whether it could not be asked."""
        try:
            async with asyncio.timeout(self._config.timeout_seconds):
                return await end.ask(), False
        except MayNotPingError:
            return None, True
        except (OSError, aiohttp.ClientError):
            pass
        try:
            async with asyncio.timeout(self._config.timeout_seconds):
                return None, not await end.is_in_reach()
        except TimeoutError:
            return None, True

"""Asterisk's manager interface (AMI), followed for ever: one connection to one exchange, opened again whenever it is lost.

It sends the actions of `Action` and nothing else: a user without any write right may still empty a queue's figures, so what this
end can say is bounded here. The interface stays on loopback, or behind a tunnel: it is not encrypted.
"""

import asyncio
import logging
import time
from collections.abc import Sequence
from enum import StrEnum
from hashlib import md5
from typing import Annotated, NoReturn

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_random_exponential

from schemas.event import Event, Source
from streams import secret
from streams.core.centre import Centre
from streams.core.toml import NearPath
from streams.edge.collector import Inbox
from streams.sources.ami import TOO_LONG, Reader
from streams.sources.ami.blocks import BANNER, Block, Blocks
from streams.sources.door import Door

CONNECT_SECONDS = 10.0
"""So long a connection may take to be there."""
PING_SECONDS = 10.0
"""How often a quiet exchange is asked whether it is there."""
SILENT_SECONDS = 30.0
"""Whoever says nothing for so long, not even to a ping, is gone."""
BOOT_SECONDS = 60.0
"""After so long without a word that it has booted, the exchange is asked all the same: its user may not read `system`."""
AGAIN_SECONDS = 1.0
"""How soon after a connection was lost the next one is tried."""
REFUSED_SECONDS = 60.0
"""How long whoever was refused waits: somebody has to mend the secret."""
BACKOFF = wait_random_exponential(multiplier=1, max=30)
"""How long an exchange is left alone that cannot be reached."""

CHUNK = 65_536

log = logging.getLogger(__name__)


class Action(StrEnum):
    """All that is ever sent."""

    CHALLENGE = "Challenge"
    LOGIN = "Login"
    CORE_STATUS = "CoreStatus"
    QUEUE_STATUS = "QueueStatus"
    CORE_SHOW_CHANNELS = "CoreShowChannels"
    DEVICE_STATE_LIST = "DeviceStateList"
    REGISTRATIONS = "PJSIPShowRegistrationsOutbound"
    PING = "Ping"


LISTS = (
    Action.CORE_STATUS,
    Action.QUEUE_STATUS,
    Action.CORE_SHOW_CHANNELS,
    Action.REGISTRATIONS,
    Action.DEVICE_STATE_LIST,
)
"""What is asked after each boot and connection, in this order: whether it is the same life of the exchange comes first."""

# Without `dialplan`, `verbose` and `security`, which say nothing that is read here and more than half of all.
_CLASSES = "agent,call,reporting,system,user"


class RefusedError(ConnectionError):
    """The exchange does not let this user in."""


class AmiConfig(BaseModel):
    """One `[[ami]]` of an edge.toml: where an exchange is, and as whom to ask it."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")] = "ami"
    host: Annotated[str, StringConstraints(min_length=1, max_length=253)] = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65_535)] = 5038
    user: Annotated[str, StringConstraints(pattern=r"^[!-~]{1,80}$")]
    secret_file: NearPath
    """Holds the secret of this user of manager.conf."""
    source: Source | None = None
    """Its name in events; /CODE/ami unless said."""

    def collector(self, centre: Centre, door: Door) -> "AmiCollector":
        """What asks the exchange."""
        return AmiCollector(self, centre, door)

    def password(self) -> str:
        """The secret. Raises `RefusedError` where its file cannot be read."""
        try:
            return secret.read(self.secret_file).decode("utf-8", "replace").strip()
        except secret.SecretError as error:
            raise RefusedError(f"secret_file {error}") from None


class AmiCollector:
    """Collects what one exchange tells of calls, seats and trunks. What happens while nobody is connected is not told again."""

    rereads = False

    def __init__(self, config: AmiConfig, centre: Centre, door: Door) -> None:
        self.name = config.name
        self._config = config
        self._source = config.source or f"/{centre.code}/ami"
        self._centre = centre
        self._door = door

    async def run(self, inbox: Inbox) -> NoReturn:
        """Collect until cancelled."""
        reader = Reader(self._centre, self._source, self._door, inbox.position)
        errors = retry_if_exception_type(OSError)  # a TimeoutError is one
        while True:
            async for attempt in AsyncRetrying(retry=errors, wait=_pause, before_sleep=self._say):
                with attempt:
                    await self._connect(reader, inbox)
            log.warning("%s: the connection to the exchange is lost; connecting again", self.name)
            await asyncio.sleep(AGAIN_SECONDS)

    def _say(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        wait = state.next_action.sleep if state.next_action else 0.0
        what = error if isinstance(error, RefusedError) else f"no connection to the exchange ({type(error).__name__})"
        log.warning("%s: %s; trying again in %.0f s", self.name, what, wait)

    async def _connect(self, reader: Reader, inbox: Inbox) -> None:
        """One connection, to its end. Raises `OSError` where it comes to nothing."""
        async with asyncio.timeout(CONNECT_SECONDS):
            incoming, outgoing = await asyncio.open_connection(self._config.host, self._config.port)
        session = Session(self._config, outgoing)
        pings = asyncio.create_task(session.ping())
        blocks = Blocks()
        try:
            while data := await self._read(incoming, session):
                received = time.time()
                events: list[Event] = []
                for block in blocks.feed(data):
                    session.heed(block)
                    events += reader.read(block, received)
                await _put(inbox, events, reader)
        finally:
            pings.cancel()
            outgoing.close()
            if blocks.dropped:
                reader.passed_over[TOO_LONG] += blocks.dropped
        if not session.is_in:
            raise ConnectionResetError

    async def _read(self, incoming: asyncio.StreamReader, session: "Session") -> bytes:
        """What came; nothing at the end of a connection on which something was told, however it ends."""
        try:
            async with asyncio.timeout(SILENT_SECONDS):
                return await incoming.read(CHUNK)
        except OSError:
            if not session.is_in:
                raise
            return b""


async def _put(inbox: Inbox, events: Sequence[Event], reader: Reader) -> None:
    if events:
        await inbox.put(events, reader.memory)


def _pause(state: RetryCallState) -> float:
    """How long to wait after a connection came to nothing."""
    error = state.outcome.exception() if state.outcome else None
    return REFUSED_SECONDS if isinstance(error, RefusedError) else BACKOFF(state)


class Session:
    """This end of one connection: logs in, asks for the lists once the exchange has booted, and pings."""

    def __init__(self, config: AmiConfig, outgoing: asyncio.StreamWriter) -> None:
        self._config = config
        self._outgoing = outgoing
        self._has_asked = False
        self.is_in = False
        """Whether the exchange let this user in."""

    def send(self, action: Action, **fields: str) -> None:
        """Send one action. Raises `ValueError` for any that is none of `Action`."""
        lines = [f"Action: {Action(action)}", f"ActionID: {action}", *(f"{name}: {text}" for name, text in fields.items())]
        self._outgoing.write("".join(f"{line}\r\n" for line in [*lines, ""]).encode())

    def heed(self, block: Block) -> None:
        """Go on as the exchange says. Raises `RefusedError`."""
        if BANNER in block:
            self.send(Action.CHALLENGE, AuthType="MD5")
        elif block.get("Event") == "FullyBooted":
            self._ask()
        elif block.get("ActionID") == Action.CHALLENGE and "Challenge" in block:
            # Asterisk knows no other; the secret itself never travels.
            key = md5((block["Challenge"] + self._config.password()).encode(), usedforsecurity=False).hexdigest()
            self.send(Action.LOGIN, AuthType="MD5", Username=self._config.user, Key=key, Events=_CLASSES)
        elif block.get("ActionID") in (Action.CHALLENGE, Action.LOGIN):
            if block.get("Message", "").startswith("Authentication failed"):
                raise RefusedError("the exchange refuses this user; compare user, secret and permit with its manager.conf")
            if block.get("Response") != "Success":
                raise ConnectionRefusedError  # it boots or shuts down
            self.is_in = True
        elif block.get("ActionID") in LISTS and "ermission denied" in block.get("Message", ""):
            log.warning(
                "%s: the exchange tells nothing to %s; give its user write = reporting", self._config.name, block["ActionID"]
            )

    async def ping(self) -> None:
        """See that the exchange has something to say, for ever; ask for the lists where it never says that it booted."""
        waited = 0.0
        while True:
            await asyncio.sleep(PING_SECONDS)
            waited += PING_SECONDS
            if self.is_in and waited >= BOOT_SECONDS:
                self._ask()
            if self.is_in:
                self.send(Action.PING)

    def _ask(self) -> None:
        if self._has_asked:
            return
        self._has_asked = True
        for action in LISTS:
            self.send(action)

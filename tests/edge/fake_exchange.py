"""An exchange's manager interface for tests: answers as recorded ones do, and does with its connections what it is told to."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from hashlib import md5

BANNER = "Asterisk Call Manager/11.0.0\r\n"
USER, SECRET, CHALLENGE = "pantau", "a secret of the test", "840415273"

Script = Callable[["Conversation"], Awaitable[None]]


def text(*lines: str) -> str:
    return "".join(f"{line}\r\n" for line in [*lines, ""])


def booted(uptime: int = 86_400) -> str:
    return text("Event: FullyBooted", "Privilege: system,all", f"Uptime: {uptime}", "Status: Fully Booted")


class Conversation:
    """One connection, as the exchange sees it. `actions` is what was sent there, each as its fields."""

    def __init__(self, incoming: asyncio.StreamReader, outgoing: asyncio.StreamWriter) -> None:
        self._incoming, self._outgoing = incoming, outgoing
        self.actions: list[dict[str, str]] = []

    def say(self, told: str | bytes) -> None:
        self._outgoing.write(told if isinstance(told, bytes) else told.encode())

    async def asked(self, action: str) -> dict[str, str]:
        """Wait for the next action of that name."""
        while True:
            block = await self._incoming.readuntil(b"\r\n\r\n")
            fields = dict(line.split(": ", 1) for line in block.decode().split("\r\n") if line)
            self.actions.append(fields)
            if fields["Action"] == action:
                return fields

    async def let_in(self) -> None:
        """The greeting of whoever knows the secret."""
        self.say(BANNER)
        await self.asked("Challenge")
        self.say(text("Response: Success", "ActionID: Challenge", f"Challenge: {CHALLENGE}"))
        login = await self.asked("Login")
        knows = md5((CHALLENGE + SECRET).encode(), usedforsecurity=False).hexdigest() == login["Key"]
        if not knows or login["Username"] != USER:
            self.say(text("Response: Error", "ActionID: Login", "Message: Authentication failed"))
            return
        self.say(text("Response: Success", "ActionID: Login", "Message: Authentication accepted"))

    async def lists(self, *entries: str, started: str = "18:00:00") -> None:
        """Answer what is asked for after a boot."""
        await self.asked("DeviceStateList")
        self.say(text("Response: Success", "ActionID: CoreStatus", "CoreStartupDate: 2026-11-26", f"CoreStartupTime: {started}"))
        self.say("".join(each for each in entries if "Event: CoreShowChannel" not in each))
        self.say(text("Event: QueueStatusComplete", "ActionID: QueueStatus", "EventList: Complete"))
        self.say("".join(each for each in entries if "Event: CoreShowChannel" in each))
        self.say(text("Event: CoreShowChannelsComplete", "ActionID: CoreShowChannels", "EventList: Complete"))

    async def hang_on(self) -> None:
        """Answer pings until the other end is gone."""
        while True:
            await self.asked("Ping")
            self.say(text("Response: Success", "ActionID: Ping", "Ping: Pong"))


@asynccontextmanager
async def exchange(*scripts: Script, port: int = 0) -> AsyncIterator[tuple[int, list[Conversation]]]:
    """An exchange whose first connections go by these scripts, one each; it closes further ones. Gives port and connections."""
    talks: list[Conversation] = []

    async def talk(incoming: asyncio.StreamReader, outgoing: asyncio.StreamWriter) -> None:
        conversation = Conversation(incoming, outgoing)
        talks.append(conversation)
        try:
            if len(talks) <= len(scripts):
                await scripts[len(talks) - 1](conversation)
                # What was not read would take with it what was written.
                outgoing.write_eof()
                await incoming.read()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            outgoing.close()

    server = await asyncio.start_server(talk, "127.0.0.1", port)
    try:
        yield server.sockets[0].getsockname()[1], talks
    finally:
        server.close()

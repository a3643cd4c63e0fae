"""One exchange's manager interface, followed over whatever happens to the connection."""

import asyncio
import logging
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from pydantic import ValidationError
from tenacity import wait_none

from schemas.event import Event
from streams.edge import ami
from streams.edge.ami import LISTS, Action, AmiCollector, AmiConfig
from streams.edge.collector import Collector
from streams.sources.door import Door
from streams.sources.pseudonym import keyed
from tests.edge.fake_exchange import BANNER, SECRET, USER, Conversation, Script, booted, exchange, text
from tests.sources.recording_a import CENTRE, stream, told
from tests.sources.test_ami import A, arrival, channel, entry, of_caller

HANGING = 20
"""Seconds after which a test is taken to hang."""


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ami, "BACKOFF", wait_none())
    monkeypatch.setattr(ami, "REFUSED_SECONDS", 0.0)
    monkeypatch.setattr(ami, "AGAIN_SECONDS", 0.0)


class Kept:
    """An inbox that keeps all, and says when there is enough."""

    def __init__(self, position: str | None = None) -> None:
        self.events: list[Event] = []
        self.position = position
        self._news = asyncio.Event()

    async def put(self, events: Sequence[Event], position: str | None = None) -> None:
        self.events += events
        self.position = position or self.position
        self._news.set()

    @property
    def kinds(self) -> list[str]:
        return [event.type for event in self.events if event.type != "link.occupied"]

    async def until(self, enough: Callable[["Kept"], bool]) -> None:
        while not enough(self):
            self._news.clear()
            await self._news.wait()


def mend(secret: Path) -> None:
    secret.write_text(SECRET)


def config(port: int, secret: Path) -> AmiConfig:
    return AmiConfig(port=port, user=USER, secret_file=secret)


def collector(port: int, secret: Path) -> Collector:
    return AmiCollector(config(port, secret), CENTRE, Door(keyed(b"sixteen bytes key"), [CENTRE]))


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "ami.secret"
    path.write_text(SECRET + "\n")
    return path


def follow(
    secret: Path, *scripts: Script, enough: Callable[[Kept], bool], inbox: Kept | None = None, port: int = 0
) -> tuple[Kept, list[Conversation]]:
    """Collect from an exchange that goes by these scripts until the inbox has enough."""
    kept = inbox or Kept()

    async def run() -> list[Conversation]:
        async with exchange(*scripts, port=port) as (at, talks), asyncio.timeout(HANGING):
            task = asyncio.create_task(collector(at, secret).run(kept))
            waiting = asyncio.create_task(kept.until(enough))
            await asyncio.wait([task, waiting], return_when=asyncio.FIRST_COMPLETED)
            for each in (task, waiting):
                each.cancel()
            for outcome in await asyncio.gather(task, waiting, return_exceptions=True):
                if isinstance(outcome, Exception):
                    raise outcome
            return talks

    return kept, asyncio.run(run())


async def one_call(talk: Conversation) -> None:
    await talk.let_in()
    talk.say(booted() + booted())
    await talk.lists()
    talk.say(arrival(A))
    await talk.hang_on()


def has(*kinds: str) -> Callable[[Kept], bool]:
    return lambda kept: set(kinds) <= set(kept.kinds)


def test_whoever_is_let_in_asks_for_the_lists_and_then_tells_what_happens(secret: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ami, "PING_SECONDS", 0.01)

    async def pinged(talk: Conversation) -> None:
        await talk.let_in()
        talk.say(booted() + booted())
        await talk.lists()
        await talk.asked("Ping")
        talk.say(arrival(A))
        await talk.hang_on()

    kept, (talk,) = follow(secret, pinged, enough=has("call.offered"))

    assert kept.kinds == ["call.offered"]
    assert [each["Action"] for each in talk.actions[:8]] == ["Challenge", "Login", *LISTS, "Ping"]
    assert SECRET not in str(talk.actions)
    assert kept.position is not None
    assert A in kept.position


def test_nothing_is_sent_but_what_changes_nothing() -> None:
    assert {*Action} == {
        "Challenge",
        "Login",
        "CoreStatus",
        "QueueStatus",
        "CoreShowChannels",
        "DeviceStateList",
        "PJSIPShowRegistrationsOutbound",
        "Ping",
    }
    session = ami.Session(AmiConfig(user=USER, secret_file=Path("x")), None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="QueueReset"):
        session.send("QueueReset")  # type: ignore[arg-type]


@pytest.mark.parametrize("user", ["a\r\nAction: QueueReset", "a b", ""])
def test_no_user_s_name_says_an_action(user: str) -> None:
    with pytest.raises(ValidationError):
        AmiConfig(user=user, secret_file=Path("x"))


def test_before_the_exchange_has_booted_nothing_is_asked(secret: Path) -> None:
    seen: list[int] = []

    async def boots(talk: Conversation) -> None:
        await talk.let_in()
        talk.say(text("Response: Error", "ActionID: Other", "Message: Permission denied"))
        talk.say(arrival(A))
        await asyncio.sleep(0)
        seen.append(len(talk.actions))
        talk.say(booted(0))
        await talk.lists()
        talk.say(of_caller("QueueCallerJoin", A, 2, Queue="112"))
        await talk.hang_on()

    follow(secret, boots, enough=has("call.queued"))
    assert seen == [2]


def test_an_exchange_that_never_says_that_it_has_booted_is_asked_in_the_end(
    secret: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ami, "PING_SECONDS", 0.01)
    monkeypatch.setattr(ami, "BOOT_SECONDS", 0.02)

    async def mute(talk: Conversation) -> None:
        await talk.let_in()
        await talk.lists(channel(A, Duration="00:00:05"))
        await talk.hang_on()

    assert follow(secret, mute, enough=has("call.offered"))[0].kinds == ["call.offered"]


def test_what_was_over_when_a_lost_connection_is_there_again_is_lost_track_of(secret: Path) -> None:
    async def breaks(talk: Conversation) -> None:
        await talk.let_in()
        talk.say(booted())
        await talk.lists()
        # In the middle of a block.
        talk.say(arrival(A) + of_caller("QueueCallerJoin", A, 2, Queue="112")[:-30])

    async def again(talk: Conversation) -> None:
        await talk.let_in()
        talk.say(booted())
        await talk.lists()
        await talk.hang_on()

    kept, talks = follow(secret, breaks, again, enough=has("call.lost"))
    assert kept.kinds == ["call.offered", "call.lost"]
    assert len(talks) == 2


def test_who_begins_anew_knows_what_the_run_before_knew(secret: Path) -> None:
    first, _ = follow(secret, one_call, enough=has("call.offered"))

    async def waits(talk: Conversation) -> None:
        await talk.let_in()
        talk.say(booted())
        await talk.lists(entry(A, 3), channel(A))
        await talk.hang_on()

    second, _ = follow(secret, waits, enough=has("call.queued"), inbox=Kept(first.position))
    assert second.kinds == ["call.queued"]


def test_a_reboot_is_told_once_and_pages_no_trunk(secret: Path) -> None:
    async def stops(talk: Conversation) -> None:
        await talk.let_in()
        talk.say(booted())
        await talk.lists(started="18:00:00")
        talk.say(arrival(A))
        talk.say(text("Event: Shutdown", "Shutdown: Cleanly", "Restart: True"))

    async def stopping(talk: Conversation) -> None:
        talk.say(BANNER)
        await talk.asked("Challenge")
        talk.say(text("Response: Error", "ActionID: Challenge", "Message: Asterisk is shutting down"))

    async def boots(talk: Conversation) -> None:
        away = text("Event: DeviceStateChange", "ActionID: DeviceStateList", "Device: PJSIP/telkom", "State: UNAVAILABLE")
        await talk.let_in()
        talk.say(booted(0))
        await talk.lists(away, started="18:58:07")
        talk.say(text("Event: ContactStatus", "EndpointName: telkom", "AOR: telkom", "ContactStatus: Reachable"))
        await talk.hang_on()

    kept, _ = follow(secret, stops, stopping, boots, enough=has("link.up"))
    assert kept.kinds == ["call.offered", "exchange.restarted", "link.up"]


def test_a_wrong_secret_is_said_and_tried_again(secret: Path, caplog: pytest.LogCaptureFixture) -> None:
    secret.write_text("another")

    async def refuses(talk: Conversation) -> None:
        await talk.let_in()
        mend(secret)

    with caplog.at_level(logging.WARNING):
        kept, _ = follow(secret, refuses, one_call, enough=has("call.offered"))

    assert kept.kinds == ["call.offered"]
    assert "refuses this user" in caplog.text
    assert "another" not in caplog.text


def test_whoever_is_refused_waits_longer_than_whoever_finds_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()

    assert ami.BACKOFF.max < ami.REFUSED_SECONDS


def test_a_secret_that_is_not_there_is_said(secret: Path, caplog: pytest.LogCaptureFixture) -> None:
    secret.unlink()

    async def waits(talk: Conversation) -> None:
        talk.say(BANNER)
        await talk.asked("Challenge")
        mend(secret)
        talk.say(text("Response: Success", "ActionID: Challenge", "Challenge: 1"))

    async def lacks(talk: Conversation) -> None:
        talk.say(BANNER)
        await talk.asked("Challenge")
        talk.say(text("Response: Success", "ActionID: Challenge", "Challenge: 1"))
        await talk.asked("Login")

    with caplog.at_level(logging.WARNING):
        follow(secret, lacks, waits, one_call, enough=has("call.offered"))

    assert "ami.secret: No such file" in caplog.text


def test_an_exchange_that_is_not_there_yet_is_tried_until_it_is(secret: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    kept = Kept()

    async def run() -> None:
        async with asyncio.timeout(HANGING):
            task = asyncio.create_task(collector(port, secret).run(kept))
            await asyncio.sleep(0)
            async with exchange(one_call, port=port):
                await kept.until(has("call.offered"))
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())
    assert kept.kinds == ["call.offered"]


def test_whoever_answers_no_ping_is_gone(secret: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ami, "PING_SECONDS", 0.02)
    monkeypatch.setattr(ami, "SILENT_SECONDS", 0.2)

    async def dies(talk: Conversation) -> None:
        await talk.let_in()
        talk.say(booted())
        await talk.lists()
        await talk.asked("Ping")
        await talk.asked("Never")

    kept, talks = follow(secret, dies, one_call, one_call, enough=has("call.offered"))
    assert len(talks) >= 2
    assert kept.kinds == ["call.offered"]


def test_a_user_that_may_not_ask_is_told_which_right_it_lacks(secret: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def denies(talk: Conversation) -> None:
        await talk.let_in()
        talk.say(booted())
        await talk.asked("DeviceStateList")
        talk.say(text("Response: Error", "ActionID: QueueStatus", "Message: Permission denied"))
        # Of an exchange that knows no such thing, nobody is to blame.
        talk.say(text("Response: Error", "ActionID: PJSIPShowRegistrationsOutbound", "Message: Invalid/unknown command"))
        talk.say(arrival(A))
        await talk.hang_on()

    with caplog.at_level(logging.WARNING):
        follow(secret, denies, enough=has("call.offered"))

    assert "QueueStatus" in caplog.text
    assert "write = reporting" in caplog.text
    assert "Registrations" not in caplog.text


def test_a_recorded_life_served_anew_tells_the_same_and_logs_no_number(secret: Path, caplog: pytest.LogCaptureFixture) -> None:
    # Each connection of the recording, without its greeting and its answers to another's actions.
    lives = stream().replace(b"\r\n", b"\n").split(b"Recorder: connected\n")[1:]

    def serve(life: bytes) -> Script:
        async def play(talk: Conversation) -> None:
            await talk.let_in()
            talk.say(life[life.index(b"\n\n") :].replace(BANNER.strip().encode(), b"X: "))

        return play

    last = told()[-1].id
    with caplog.at_level(logging.DEBUG):
        kept, _ = follow(secret, *map(serve, lives), enough=lambda kept: bool(kept.events) and kept.events[-1].id == last)

    # When the exchange says no time, that of here counts: of restarts, and of what a list says.
    timed = {"exchange.restarted", "operator.ring_canceled", "link.occupied"}
    assert {event.id for event in kept.events if event.type not in timed} == {
        event.id for event in told() if event.type not in timed
    }
    assert "08000000" not in caplog.text

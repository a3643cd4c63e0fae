"""The monitor reminds once of every rung that is passed, whatever crashes, and never because of a recording."""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from schemas.event import Event
from schemas.topics import DISPATCH, TOPIC_OF, TOPICS, decode, encode
from streams import advisor, centres, reminder
from streams.advisor import Advisor, NotPublishedError
from streams.core.centre import Centre
from streams.monitor import Monitor
from streams.pipeline import Pipeline
from streams.reminder import Webhook
from tests.builders import START, acknowledged, classified, offered, opened, pseudonym_of, sent
from tests.conftest import HANG
from tests.receiver import Receiver

[CENTRE] = centres.load([]).values()
CALLER = pseudonym_of("a child")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reminder, "LONGEST_WAIT_SECONDS", 0.01)
    monkeypatch.setattr(advisor, "LOOK_SECONDS", 0.01)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


class World:
    """A log in memory, and one worker after the other that folds it; `now` is seconds after START."""

    def __init__(self, url: str | None = None, centre: Centre = CENTRE) -> None:
        self.log: dict[str, list[bytes]] = {topic.name: [] for topic in TOPICS}
        self.channels = [] if url is None else [Webhook(url)]
        self.now, self.broken, self.centre = 0.0, 0, centre
        self.restart()

    def restart(self) -> None:
        """A new worker, that has folded the log to its end."""
        self.monitor, self.pipeline = Monitor({"32.71": self.centre}), Pipeline()
        for topic, lines in self.log.items():
            self._fold(topic, lines, 0)
            place = topic, 0
            self.pipeline.owned |= {place}
            self.pipeline.starts[place] = self.pipeline.log_end[place] = 0
        self.advisor = Advisor(self.monitor, self.pipeline, self.publish, self.channels, self.wall)

    def wall(self) -> float:
        return START.timestamp() + self.now

    def tell(self, *events: Event) -> None:
        for event in events:
            self.hear(encode(event))

    def hear(self, line: bytes) -> None:
        """Fold an event as somebody wrote it."""
        event = decode(line)
        assert isinstance(event, Event)
        topic = TOPIC_OF[event.type].name
        self.log[topic].append(line)
        self._fold(topic, [line], len(self.log[topic]) - 1)

    async def publish(self, event: Event) -> None:
        if self.broken:
            self.broken -= 1
            raise NotPublishedError("Kafka is away")
        self.tell(event)

    def look(self, until: Any = None, times: int = 1) -> None:
        """Look so often, or until it is so."""

        async def look() -> None:
            working = asyncio.create_task(self.advisor.run())
            async with asyncio.timeout(HANG):
                if until is None:
                    for _ in range(times):
                        await asyncio.sleep(0.05)
                while until is not None and not until():  # noqa: ASYNC110 (the receiver is in another thread)
                    await asyncio.sleep(0.005)
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)

        asyncio.run(look())

    def said(self, kind: str) -> list[Any]:
        events = [decode(line) for lines in self.log.values() for line in lines]
        return [event for event in events if isinstance(event, Event) and event.type == kind]

    def _fold(self, topic: str, lines: list[bytes], first: int) -> None:
        for number, line in enumerate(lines, first):
            event = decode(line)
            assert isinstance(event, Event)
            assert self.monitor.fold_event(topic, 0, number, event, event.time.timestamp()) == "folded"


def fire(seconds: float = 0) -> list[Event]:
    return [opened("t1", seconds, "kebakaran"), sent("t1", seconds, "damkar")]


def test_a_rung_that_is_passed_brings_one_reminder_and_its_acceptance_is_remembered(receiver: Receiver) -> None:
    world = World(receiver.url)
    world.tell(*fire())
    world.now = 7 * 60 + 1
    world.look(lambda: world.said("ticket.reminder_accepted"))
    world.look(times=2)

    [due], [accepted] = world.said("ticket.reminder_due"), world.said("ticket.reminder_accepted")
    assert (due.data.ticket, due.data.opd, due.data.rung) == ("t1", "damkar", "7m")
    assert due.data.due == START + timedelta(minutes=7)
    assert due.source == "/32.71/pantau112"
    assert receiver.taken == {due.id: 1}
    assert receiver.messages[due.id]["ticket"] == "t1"
    assert datetime.fromisoformat(receiver.messages[due.id]["since"]) == START == accepted.data.since


def test_before_the_rung_nobody_is_reminded_nor_after_an_answer(receiver: Receiver) -> None:
    world = World(receiver.url)
    world.tell(*fire())
    world.now = 7 * 60 - 1
    world.look(times=2)
    world.tell(acknowledged("t1", 7 * 60 - 1, "damkar"))
    world.now = 8 * 60
    world.look(times=2)

    assert world.said("ticket.reminder_due") == []
    assert receiver.taken == {}


def test_a_worker_that_dies_between_the_message_and_its_note_sends_the_same_message_again(receiver: Receiver) -> None:
    world = World(receiver.url)
    world.tell(*fire())
    world.now = 7 * 60 + 1
    world.look(lambda: world.said("ticket.reminder_due"))
    world.log[DISPATCH.name] = [line for line in world.log[DISPATCH.name] if b"accepted" not in line]
    world.restart()
    world.look(lambda: world.said("ticket.reminder_accepted"))

    [due] = world.said("ticket.reminder_due")
    assert set(receiver.taken) == {due.id}


def test_a_worker_that_dies_before_it_folded_its_own_event_says_the_same_event_again() -> None:
    with Receiver(failing=1.0) as receiver:
        world = World(receiver.url)
        world.tell(*fire())
        world.now = 7 * 60 + 1
        world.look(lambda: world.said("ticket.reminder_due"))
        [first] = world.said("ticket.reminder_due")
        world.log[DISPATCH.name] = world.log[DISPATCH.name][:2]
        world.now += 30
        world.restart()
        world.look(lambda: world.said("ticket.reminder_due"))

    [second] = world.said("ticket.reminder_due")
    assert (first.id, first.data) == (second.id, second.data)


def test_kafka_being_away_delays_what_is_said_and_loses_nothing(receiver: Receiver) -> None:
    world = World(receiver.url)
    world.tell(*fire())
    world.now, world.broken = 7 * 60 + 1, 3
    world.look(lambda: world.said("ticket.reminder_accepted"))

    assert len(world.said("ticket.reminder_due")) == 1
    assert len(receiver.taken) == 1


def test_nobody_is_reminded_because_of_a_recording(receiver: Receiver) -> None:
    world = World(receiver.url)
    world.tell(*(event.model_copy(update={"replayed": True}) for event in fire()))
    world.now = 90_000
    world.look(times=2)

    assert world.said("ticket.reminder_due") == []
    assert receiver.taken == {}


def test_nothing_is_said_of_a_log_that_is_not_folded_to_its_end(receiver: Receiver) -> None:
    world = World(receiver.url)
    world.tell(*fire())
    world.pipeline.log_end[DISPATCH.name, 0] = 1
    world.now = 90_000
    world.look(times=2)

    assert world.said("ticket.reminder_due") == []


def test_without_a_channel_nobody_is_reminded() -> None:
    world = World()
    world.tell(*fire())
    world.now = 90_000
    world.look(times=2)

    assert world.said("ticket.reminder_due") == []


def test_three_pranks_in_a_day_bring_one_recommendation_for_a_person_to_decide() -> None:
    world = World()
    for number in range(3):
        world.tell(offered(f"c{number}", number * 60, caller="a child"), classified(f"c{number}", number * 60 + 30, "prank"))
    world.now = 200
    world.look(times=3)

    [recommended] = world.said("caller.block_recommended")
    assert (recommended.data.caller, recommended.data.stage, recommended.data.pranks) == (CALLER, "24h", 3)

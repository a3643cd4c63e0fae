"""The monitor reminds once of every rung that is passed, whatever crashes, and never because of a recording."""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from schemas.event import Event
from schemas.topics import DISPATCH, TOPIC_OF, TOPICS, decode, encode
from streams import centres
from streams.core import callers, dispatch
from streams.core.blocks import Recommendation
from streams.core.centre import Centre
from streams.worker import advisor, reminder
from streams.worker.advisor import Advisor, NotPublishedError
from streams.worker.monitor import Monitor
from streams.worker.pipeline import Pipeline
from streams.worker.reminder import Webhook
from tests.builders import START, acknowledged, classified, offered, opened, pseudonym_of, sent
from tests.conftest import HANG
from tests.receiver import Receiver

[CENTRE] = centres.load([]).values()
CALLER = pseudonym_of("a child")
SECRET = "Budi 0812"


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


def broken_for(monkeypatch: pytest.MonkeyPatch, ticket: str) -> None:
    """Looking at one ticket raises an error whose text says what nobody may read."""
    real = dispatch.due

    def due(state: dispatch.State, now: float, centre: Centre) -> Iterator[dispatch.Due]:
        for found in real(state, now, centre):
            if found.ticket == ticket:
                raise ZeroDivisionError(SECRET)
            yield found

    monkeypatch.setattr(dispatch, "due", due)


def test_a_ticket_that_cannot_be_looked_at_is_left_out_and_said_and_the_others_are_reminded_of(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    world = World(receiver.url)
    world.tell(*(event for name in ("t0", "t1", "t2") for event in (opened(name, 0, "kebakaran"), sent(name, 0, "damkar"))))
    broken_for(monkeypatch, "t1")
    world.now = 7 * 60 + 1
    world.look(lambda: len(world.said("ticket.reminder_accepted")) == 2)
    world.look(times=2)

    assert {event.data.ticket for event in world.said("ticket.reminder_due")} == {"t0", "t2"}
    assert world.pipeline.left_out["timer", "32.71"] > 1
    [said] = [record.getMessage() for record in caplog.records if "left out" in record.getMessage()]
    assert "ZeroDivisionError at test_advisor.py:" in said
    assert SECRET not in caplog.text


def test_a_caller_who_cannot_be_looked_at_is_left_out_and_the_others_are_recommended(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    for who in ("a child", "a youth"):
        for n in range(3):
            world.tell(offered(f"{who[2:]}{n}", n * 60, caller=who), classified(f"{who[2:]}{n}", n * 60 + 30, "prank"))
    real = callers.due

    def due(every: callers.Callers, now: float) -> Iterator[Recommendation]:
        for found in real(every, now):
            if found.caller == CALLER:
                raise RecursionError
            yield found

    monkeypatch.setattr(callers, "due", due)
    world.now = 200
    world.look(times=3)

    assert {event.data.caller for event in world.said("caller.block_recommended")} == {pseudonym_of("a youth")}
    assert world.pipeline.left_out["timer", "32.71"] > 0


def test_an_event_that_cannot_be_written_keeps_none_of_the_others(receiver: Receiver) -> None:
    class Odd(World):
        async def publish(self, event: Event) -> None:
            if "t1" in encode(event).decode():
                raise ValueError(SECRET)
            await super().publish(event)

    world = Odd(receiver.url)
    world.tell(*fire(), opened("t2", 0, "kebakaran"), sent("t2", 0, "damkar"))
    world.now = 7 * 60 + 1
    world.look(lambda: world.said("ticket.reminder_accepted"))

    assert [event.data.ticket for event in world.said("ticket.reminder_accepted")] == ["t2"]


def test_whatever_goes_wrong_the_advisor_looks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    looks: list[None] = []

    def states(*_: Any) -> Any:
        looks.append(None)
        raise MemoryError

    monkeypatch.setattr(world.monitor, "states", states)
    world.look(lambda: len(looks) > 2)
    assert world.pipeline.left_out["timer", ""] >= 2


def test_a_message_that_a_fault_of_ours_keeps_is_tried_again_later_and_keeps_no_other(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(advisor, "AGAIN_SECONDS", 0.01)
    tries: list[str] = []

    class Odd:
        async def send(self, reminder: reminder.Reminder) -> None:
            if reminder.ticket == "t1" and len(tries) < 3:
                tries.append(reminder.id)
                raise KeyError(SECRET)

    world = World(receiver.url)
    world.advisor._channels = [*world.channels, Odd()]
    world.tell(*fire(), opened("t2", 0, "kebakaran"), sent("t2", 0, "damkar"))
    world.now = 7 * 60 + 1
    world.look(lambda: len(world.said("ticket.reminder_accepted")) == 2)

    assert len(tries) == 3
    assert world.pipeline.left_out["timer", "32.71"] == 3
    assert SECRET not in caplog.text


def test_while_kafka_takes_no_note_of_it_nobody_gets_the_same_message_again(receiver: Receiver) -> None:
    refused: list[Event] = []

    class Deaf(World):
        async def publish(self, event: Event) -> None:
            if event.type == "ticket.reminder_accepted" and len(refused) < 5:
                refused.append(event)
                raise NotPublishedError("Kafka is away")
            await super().publish(event)

    world = Deaf(receiver.url)
    world.tell(*fire())
    world.now = 7 * 60 + 1
    world.look(lambda: world.said("ticket.reminder_accepted"))

    assert len(refused) == 5
    assert list(receiver.taken.values()) == [1]

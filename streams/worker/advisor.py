"""What the monitor itself says: events that time brings about, not a source, and the reminders that go out because of them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from hashlib import blake2b
from typing import TypeVar

from schemas.callers import BlockRecommended, CallerBlockRecommended
from schemas.dispatch import ReminderAccepted, ReminderDue, TicketReminderAccepted, TicketReminderDue
from schemas.event import Event
from schemas.topics import CALLS, DISPATCH
from streams.core import callers, dispatch
from streams.core.centre import Centre
from streams.core.fault import place_of
from streams.worker.monitor import Monitor
from streams.worker.pipeline import Partition, Pipeline
from streams.worker.reminder import Channel, Link, Reminder, deliver

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""How often it is looked whether a moment has passed."""

AGAIN_SECONDS = 60.0
"""After how long a reminder is tried again that a fault of ours has kept."""

State = TypeVar("State")
Found = TypeVar("Found")

Publish = Callable[[Event], Awaitable[None]]
"""Returns when Kafka has the event. Raises `NotPublishedError`."""


class NotPublishedError(Exception):
    """Kafka did not take an event."""


class Advisor:
    """Looks after the partitions that one worker owns.

    An event's id is made from its cause, so that one published again, by a worker that crashed or by the next owner, is the
    same event. A reminder goes out only for an event that was folded, and until its acceptance was folded too: whatever crashes
    in between, it is sent again under the same key. Nothing is said of a partition whose log is not folded to its end, because
    the answer may be in what is still to come. Without channels nobody is reminded. A ticket, a caller or a centre that raises an
    error is left out, counted and logged; all others are served.
    """

    def __init__(
        self,
        monitor: Monitor,
        pipeline: Pipeline,
        publish: Publish,
        channels: Sequence[Channel],
        wall: Callable[[], float],
        link: Link = lambda _: "",
    ) -> None:
        self._link = link
        self._monitor, self._pipeline, self._publish, self._channels, self._wall = monitor, pipeline, publish, channels, wall
        self._said: dict[str, Partition] = {}
        self._deliveries: dict[str, asyncio.Task[None]] = {}
        self._delivered: set[str] = set()

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        try:
            while True:
                try:
                    await self.look()
                except NotPublishedError as error:
                    log.warning("not said, and tried again: %s", error)
                except Exception as error:
                    self._pipeline.leave_out("timer", "", error)
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            for task in self._deliveries.values():
                task.cancel()

    async def look(self) -> None:
        """Say what has become due, and send what is not yet accepted. Beside another version nothing: that one does."""
        if self._pipeline.beside:
            while self._deliveries:
                self._deliveries.popitem()[1].cancel()
            return
        whole = {place for place, lag in self._pipeline.lag_records().items() if lag == 0}
        self._said = {key: place for key, place in self._said.items() if place in self._pipeline.owned}
        reminders: dict[str, Reminder] = {}
        for place in sorted(whole):
            topic, number = place
            if topic == CALLS.name:
                await self._say(place, self._recommendations(number))
            elif topic == DISPATCH.name and self._channels:
                await self._say(place, self._due(number))
                reminders |= self._undelivered(number)
        for key, task in list(self._deliveries.items()):
            if task.done() and not task.cancelled() and (error := task.exception()):
                log.warning("reminder %s goes out again: %s", key, error)
                del self._deliveries[key]
            elif key not in reminders:
                self._deliveries.pop(key).cancel()
        for key in reminders.keys() - self._deliveries.keys():
            self._deliveries[key] = asyncio.create_task(self._deliver(reminders[key]))

    @contextmanager
    def _guarded(self, city: str) -> Iterator[None]:
        """Who fails in here is left out."""
        try:
            yield
        except NotPublishedError:
            raise
        except Exception as error:
            self._pipeline.leave_out("timer", city, error)

    async def _say(self, place: Partition, events: Iterable[Event]) -> None:
        for event in events:
            if event.id not in self._said:
                with self._guarded(event.subject):
                    await self._publish(event)
                    self._said[event.id] = place

    def _found(
        self, city: str, state: State, look: Callable[[State], Iterable[Found]], alone: Callable[[State], Iterable[State]]
    ) -> list[Found]:
        """What is found in a state; where looking fails, what is found `alone`, that is with one ticket or caller at a time."""
        try:
            return list(look(state))
        except Exception:
            found: list[Found] = []
            with self._guarded(city):
                for part in alone(state):
                    with self._guarded(city):
                        found += look(part)
            return found

    def _recommendations(self, number: int) -> list[Event]:
        now, events = self._wall(), list[Event]()
        for centre, state in self._monitor.states(CALLS.name, number):
            for found in self._found(centre.code, state.callers, partial(callers.due, now=now), _callers_alone):
                with self._guarded(centre.code):
                    events.append(
                        CallerBlockRecommended(
                            id=made_from(centre.code, found.caller, found.stage, found.until),
                            source=f"/{centre.code}/pantau112",
                            subject=centre.code,
                            time=datetime.fromtimestamp(now, UTC),
                            data=BlockRecommended(
                                caller=found.caller,
                                stage=found.stage,
                                pranks=found.pranks,
                                since=datetime.fromtimestamp(found.since, UTC),
                                until=datetime.fromtimestamp(found.until, UTC),
                            ),
                        )
                    )
        return events

    def _due(self, number: int) -> list[Event]:
        now, events = self._wall(), list[Event]()
        for centre, state in self._monitor.states(DISPATCH.name, number):
            for due in self._found(centre.code, state, partial(dispatch.due, now=now, centre=centre), _tickets_alone):
                with self._guarded(centre.code):
                    events.append(
                        TicketReminderDue(
                            id=reminder_id(centre, due),
                            source=f"/{centre.code}/pantau112",
                            subject=centre.code,
                            time=datetime.fromtimestamp(now, UTC),
                            data=ReminderDue(
                                ticket=due.ticket,
                                opd=due.opd,
                                rung=due.rung,
                                since=datetime.fromtimestamp(due.since, UTC),
                                due=datetime.fromtimestamp(due.due, UTC),
                            ),
                        )
                    )
        return events

    def _undelivered(self, number: int) -> dict[str, Reminder]:
        found = {}
        for centre, state in self._monitor.states(DISPATCH.name, number):
            for due in self._found(centre.code, state, dispatch.undelivered, _tickets_alone):
                with self._guarded(centre.code):
                    key = reminder_id(centre, due)
                    since, passed = (datetime.fromtimestamp(time, centre.timezone) for time in (due.since, due.due))
                    category = state.desk.tickets[due.ticket].category
                    found[key] = Reminder(key, centre.code, centre.name, due.ticket, due.opd, due.rung, since, passed, category)
        return found

    async def _deliver(self, reminder: Reminder) -> None:
        try:
            # While Kafka takes no note of it, nobody is reminded again.
            if reminder.id not in self._delivered:
                await deliver(replace(reminder, link=self._link(reminder)), self._channels)
                self._delivered.add(reminder.id)
            await self._publish(
                TicketReminderAccepted(
                    id=made_from(reminder.id, "accepted"),
                    source=f"/{reminder.city}/pantau112",
                    subject=reminder.city,
                    time=datetime.fromtimestamp(self._wall(), UTC),
                    data=ReminderAccepted(ticket=reminder.ticket, opd=reminder.opd, rung=reminder.rung, since=reminder.since),
                )
            )
            self._delivered.discard(reminder.id)
        except NotPublishedError:
            raise
        except Exception as error:
            self._pipeline.leave_out("timer", reminder.city, error)
            await asyncio.sleep(AGAIN_SECONDS)
            raise NotPublishedError(place_of(error)) from None


def _tickets_alone(state: dispatch.State) -> Iterator[dispatch.State]:
    for name, ticket in state.desk.tickets.items():
        yield replace(state, desk=replace(state.desk, tickets={name: ticket}))


def _callers_alone(every: callers.Callers) -> Iterator[callers.Callers]:
    for caller, pranks in every.pranks.items():
        yield replace(every, pranks={caller: pranks})


def made_from(*cause: object) -> str:
    """An id that is the same whenever the same cause brings it about."""
    return blake2b("|".join(map(str, cause)).encode(), digest_size=10).hexdigest()


def reminder_id(centre: Centre, due: dispatch.Due) -> str:
    """The id of a reminder, which is its message's key too."""
    return made_from(centre.code, due.ticket, due.opd, due.since, due.rung)

"""What a worker goes on from when partitions come to it: what its changelog has, its snapshots where that is lost, or what
an older version knew.
"""

import asyncio
import json
import logging
from collections.abc import Collection
from typing import Any

from faust.types import TP

from schemas.topics import TOPICS
from streams.core.fault import place_of
from streams.log.snapshots import Place, Snapshot
from streams.worker.changelog import marker, marker_key, note_key, parse, put, rules_key, state_key
from streams.worker.fence import UNREADABLE, Fence, die, or_die
from streams.worker.handover import Handover, InheritanceError
from streams.worker.monitor import MisplacedError, Monitor
from streams.worker.snapshots import Snapshots

log = logging.getLogger(__name__)


class Recovery:
    """Gives the monitor the states of one worker's partitions, from the table that is its changelog."""

    def __init__(
        self, app: Any, table: Any, prefix: str, monitor: Monitor, snapshots: Snapshots, handover: Handover | None, fence: Fence
    ) -> None:
        """Without `handover` there is no other version of the worker."""
        self._app, self._table, self._prefix, self._monitor = app, table, prefix, monitor
        self._snapshots, self._handover, self._fence = snapshots, handover, fence
        self._revocations = 0

    def revoked(self) -> None:
        """Partitions were taken away, so that what is under way about them is void."""
        self._revocations += 1

    async def recover(self) -> bool | None:
        """The table is complete: give the monitor its states, and forget what has moved to another worker. Says whether any
        partition is this worker's; None if by now that is being decided anew.
        """
        revocations = self._revocations
        try:
            await or_die(self._begin_from_snapshots())
            await or_die(self._inherit())
        except asyncio.CancelledError:
            # Faust would go on without it, and fold a log whose beginning is gone.
            if not self._app.should_stop:
                die(1, "what an older version knew was not taken over: start the worker again")
            raise
        if revocations != self._revocations:
            return None  # by now these can be another's: with what is assigned instead it is begun again
        owned = {tp.partition for tp in self._app.consumer.assignment() if tp.topic.startswith(self._prefix)}
        unreadable: dict[Place, str] = {}
        with self._monitor.lock:
            for key, blob in list(self._table.data.items()):
                number, topic, name = parse(key)
                if number not in owned:
                    del self._table.data[key]
                elif said := self.take(key, topic, number, name, blob):
                    unreadable[topic, number] = said
        if unreadable:
            await or_die(self._replace(unreadable))
        return bool(owned)

    async def _inherit(self) -> None:
        """Write into the table what is taken over from an older version of the worker."""
        if self._handover is None:
            return
        revocations = self._revocations
        names = {self._prefix + topic.name: topic.name for topic in TOPICS}
        sources = {tp for tp in self._app.consumer.assignment() if tp.topic in names}
        starts = await self._app.consumer.earliest_offsets(*sources) if sources else {}
        places = {
            (names[tp.topic], tp.partition): (marker(self._table, tp.topic.removeprefix(self._prefix), tp.partition), start)
            for tp, start in starts.items()
        }
        try:
            inheritance = await self._handover.inherit(places)
        except InheritanceError as error:
            die(UNREADABLE, f"{error}. A restart does not help: start the older version again, and report this line")
        if revocations != self._revocations:
            return  # by now these can be another's: with what is assigned instead it is begun again
        for key, blob in inheritance:
            put(self._table, key, blob)

    def take(self, key: bytes, topic: str, number: int, name: bytes | None, blob: bytes) -> str | None:
        """Take back one entry of the table; says what is wrong with one that cannot be read."""
        try:
            if name is not None:
                self._monitor.load(topic, number, name, blob)
            elif key == note_key(topic, number):
                self._monitor.poison[topic, number] = {int(offset): str(kind) for offset, kind in json.loads(blob).items()}
            elif key == rules_key(topic, number):
                json.loads(blob)
            else:
                int(blob)
        except MisplacedError:
            die(
                UNREADABLE,
                f"{topic} had another number of partitions when its states were written, and events of before lie where they are "
                "not looked for. A restart does not help: pantau112 replay record them, run pantau112 topics create with another "
                "PANTAU112_TOPIC_PREFIX and PANTAU112_APP_ID, and pantau112 replay play them into those topics",
            )
        except Exception as error:
            what = name.decode() if name else f"partition {number}"
            return f"{topic} {what} cannot be read ({place_of(error)})"
        return None

    async def _begin_from_snapshots(self) -> None:
        """Write into the table the newest snapshots of what it does not have: of all that was ever known they are the nearest."""
        owned = {tp.partition for tp in self._app.consumer.assignment() if tp.topic.startswith(self._prefix)}
        everywhere = {(topic.name, number) for topic in TOPICS for number in owned}
        for place, (snapshot, states) in (
            await self._found({p for p in everywhere if marker_key(*p) not in self._table.data})
        ).items():
            self._begin_at(place, snapshot, states, [note_key(*place)])

    async def _replace(self, unreadable: dict[Place, str]) -> None:
        """Take the newest snapshots of what cannot be read, or end with a sentence: without it totals would be wrong."""
        revocations = self._revocations
        found = await self._found(unreadable.keys())
        if revocations != self._revocations:
            return
        for place, said in unreadable.items():
            if place not in found:
                changelog = self._table.changelog_topic.get_topic_name()
                die(
                    UNREADABLE,
                    f"what {changelog} holds of {said}, and there is no snapshot to begin from. A restart does not help: go back "
                    f"to the version that wrote it, or stop all workers, delete {changelog}, run pantau112 topics create and "
                    "start them: they fold the log again",
                )
            log.error("%s: from its snapshot instead", said)
            snapshot, states = found[place]
            self._begin_at(place, snapshot, states)
            with self._monitor.lock:
                self._monitor.forget(*place)
                for city, blob in states.items():
                    self._monitor.load(*place, city.encode(), blob)

    async def _found(self, places: Collection[Place]) -> dict[Place, tuple[Snapshot, dict[str, bytes]]]:
        """The newest snapshots of these, of which Kafka has events; none if somebody else may own them by now."""
        sources = {topic.name for topic in TOPICS}
        tps = [TP(self._prefix + topic, number) for topic, number in places if topic in sources]
        revocations = self._revocations
        if not tps:
            return {}
        consumer = self._app.consumer
        starts, ends = await consumer.earliest_offsets(*tps), await consumer.highwaters(*tps)
        filled = {(tp.topic.removeprefix(self._prefix), tp.partition): starts[tp] for tp in tps if ends[tp]}
        found = await self._snapshots.newest(filled) if filled else {}
        return found if revocations == self._revocations else {}

    def _begin_at(self, place: Place, snapshot: Snapshot, states: dict[str, bytes], kept: Collection[bytes] = ()) -> None:
        """Write a snapshot into the table in place of what it has of that partition, but for what is `kept`."""
        topic, number = place
        self._fence.alive()
        stale = [key for key in self._table.data if parse(key)[:2] == (number, topic) and key not in kept]
        entries = {state_key(topic, number, city.encode()): blob for city, blob in states.items()}
        entries[rules_key(topic, number)] = json.dumps((snapshot.year, snapshot.rules)).encode()
        entries[marker_key(topic, number)] = b"%d" % snapshot.offset
        for key, value in [*((key, None) for key in stale), *entries.items()]:
            put(self._table, key, value)
        log.warning("%s/%d begins from its snapshot of offset %d", topic, number, snapshot.offset)

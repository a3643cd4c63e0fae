"""The worker: one Faust agent that folds every source topic, and the table in Kafka that survives its death."""

import asyncio
import gc
import json
import logging
import math
import sys
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, NoReturn

import faust
from aiokafka.errors import KafkaError, MessageSizeTooLargeError
from aiokafka.record.default_records import DefaultRecord
from faust.exceptions import ProducerSendError
from faust.types import TP, EventT

from schemas.event import Event
from schemas.topics import (
    CONTENT_TYPE,
    DEAD_LETTERS,
    LARGEST,
    SENT_AGAIN,
    TOPIC_OF,
    TOPICS,
    Refusal,
    encode,
)
from streams.core.ledger import Outcome
from streams.log.access import refused
from streams.log.versions import Versions, group_of
from streams.settings import Settings
from streams.worker.advisor import NotPublishedError, Publish
from streams.worker.changelog import marker, marker_key, note_key, put, rules_key, state_key
from streams.worker.fence import FENCED, NOT_FOLDED, Fence, die, or_die
from streams.worker.handover import LOOK_SECONDS, Handover
from streams.worker.log_limit import LogLimit
from streams.worker.monitor import Monitor, NotFoldedError
from streams.worker.pipeline import Pipeline
from streams.worker.recovery import Recovery
from streams.worker.snapshots import NotKeptError, Snapshots
from streams.worker.transport import CHUNK_RECORDS, Chunk, credentials, install

log = logging.getLogger(__name__)

FLUSH_RECORDS = 50_000
"""Most unflushed records of a partition. Age is what flushes; this only bounds the work repeated after a crash."""

KEPT_RECORDS = 2_000
"""Most unflushed records of a partition that are kept, so that a fold which breaks off can be begun again from what was flushed.
While a log is caught up with there are more: then the worker notes which record it was and ends, once for each partition."""


class Pace(NamedTuple):
    """How a worker spends its time."""

    flush_seconds: float
    """Oldest that folded but unflushed work may get: what a crash has to fold again."""
    collect: tuple[int, int, int]
    """Thresholds of Python's garbage collector."""


CATCHING_UP = Pace(10.0, (100_000, 20, 50))
"""Seldom while a log is caught up with: with 514 centres, a flush every half second would take a tenth of the time."""

STEADY = Pace(0.5, (10_000, 50, 1_000))
"""Then often, with little to look at."""

SESSION_SECONDS = 10.0

LARGEST_REQUEST = 4 * 2**20
LARGEST_BATCH = 2**19
"""Bytes. Faust has 16 kB: two or three states, and each batch of a partition waits until Kafka has the one before."""

CHANGELOG_CONFIG = {
    "segment.ms": 600_000,
    "min.cleanable.dirty.ratio": 0.1,
    "max.compaction.lag.ms": 600_000,
    "max.message.bytes": LARGEST_REQUEST,
}


Others = dict[int, Outcome | Refusal]
"""By offset, what became of records that were not folded."""

Advise = Callable[[Pipeline, Publish], Coroutine[Any, Any, None]]
"""What a worker does beside folding, until it is cancelled: it may look at what is folded, and publish."""


@dataclass(slots=True, eq=False)
class _Live:
    """One owned partition of one source topic, from the seek after recovery to the next rebalance."""

    topic: str
    number: int
    epoch: int
    position: int  # of the next record
    next_chunk: int = 0
    dirty: int = 0
    flushed_at: float = 0.0
    burying: bool = False
    kept: list[Sequence[DefaultRecord]] | None = field(default_factory=list)
    """What was folded since the last flush; None when that is more than is kept."""
    careful: bool = False
    """Flush as often as it takes to keep all: a record of this partition could not be folded."""


class Worker:
    """Folds chunks into the monitor's states and keeps those states in the table."""

    def __init__(
        self,
        app: faust.App,
        settings: Settings,
        monitor: Monitor,
        advise: Advise | None,
        versions: Versions | None = None,
    ) -> None:
        """Without `versions` there is no other one of the worker."""
        self.pipeline = Pipeline()
        self._handover = Handover(versions, monitor.state_version, self.pipeline, time.monotonic) if versions else None
        self._advise = advise
        self.app, self.monitor = app, monitor
        self._snapshots = Snapshots(settings, monitor, self._keep)
        self._prefix = settings.topic_prefix
        self._live: dict[TP, _Live] = {}
        self._seen: dict[bytes, int] = {}
        self._revoked_at = time.monotonic()
        self._ticking: asyncio.Future[None] | None = None
        self._pace = CATCHING_UP
        # The clock that goes on while a virtual machine or a laptop sleeps.
        self._fence = Fence(SESSION_SECONDS / 2, lambda: time.clock_gettime(time.CLOCK_BOOTTIME))
        self._table = app.Table(
            "state",
            key_type=bytes,
            value_type=bytes,
            partitions=monitor.partitions,
            on_changelog_event=self._on_changelog_event,
            on_recover=self._on_recover,
            extra_topic_configs=CHANGELOG_CONFIG,
        )
        self._recovery = Recovery(app, self._table, self._prefix, monitor, self._snapshots, self._handover, self._fence)
        # Few slots: each holds a chunk, and what waits here is memory and work to repeat.
        sources = app.topic(*(self._prefix + topic.name for topic in TOPICS), key_type=bytes, value_type=bytes, maxsize=16)
        app.agent(sources, name="fold")(self._consume)
        app.on_partitions_revoked.connect(self._on_revoked)

    # Folding

    async def _consume(self, stream: faust.StreamT[bytes]) -> None:
        await or_die(self._fold_all(stream))

    async def _fold_all(self, stream: faust.StreamT[bytes]) -> None:
        async for event in stream.events():
            message: Any = event.message
            await self._take(message.tp, message.value)

    async def _take(self, tp: TP, chunk: Chunk) -> None:
        live = self._live.get(tp)
        epoch, number = chunk.link
        if live is None or epoch != live.epoch:
            return  # fetched before the last seek: comes again
        if number != live.next_chunk:
            die(FENCED, f"{tp.topic}/{tp.partition}: chunk {live.next_chunk} is missing, {number} came")
        live.next_chunk += 1
        rest: Sequence[DefaultRecord] = chunk
        while rest and self._live.get(tp) is live:
            self._fence.alive()
            if live.kept is not None and live.dirty + len(rest) > KEPT_RECORDS:
                if live.careful:
                    self._flush(tp, live)
                else:
                    live.kept = None
            try:
                done, others = self._fold(live, rest)
            except NotFoldedError as error:
                await self._give_up(tp, live, error)
            rest = rest[len(done) :]
            await self._settled(tp, live, done, others)

    def _fold(self, live: _Live, records: Sequence[DefaultRecord]) -> tuple[Sequence[DefaultRecord], Others]:
        """Fold records, or as many as there are up to one that cannot be: it is refused, and the states are those from before it.

        Returns those that are done, and of them by offset what became of those not folded. Raises `NotFoldedError` where too much
        came since the last flush to have been kept.
        """
        topic, number = live.topic, live.number
        try:
            return records, self.monitor.fold(topic, number, records)
        except NotFoldedError as error:
            if live.kept is None:
                raise
            log.error("%s: it becomes a dead letter", error)
            done = [record for record in records if record.offset <= error.offset]
            live.careful = True
            self.monitor.poison.setdefault((topic, number), {})[error.offset] = error.kind
        # All at once: whoever measured in between would see totals go back.
        with self.monitor.lock:
            self.monitor.take_back(topic, number, lambda key: self._table.data.get(state_key(live.topic, live.number, key)))
            for before in live.kept:
                self.monitor.fold(topic, number, before)
            return done, self.monitor.fold(topic, number, done)

    async def _settled(self, tp: TP, live: _Live, records: Sequence[DefaultRecord], others: Others) -> None:
        """Count what became of records, bury what was refused, and flush when it is time."""
        topic, number = live.topic, live.number
        if live.kept is not None:
            live.kept.append(records)
        if not live.dirty:
            live.flushed_at = time.monotonic()
        live.dirty += len(records)
        live.position = records[-1].offset + 1
        self.pipeline.newest[topic, number] = records[-1].timestamp / 1000
        self.pipeline.consumed[topic, "folded"] += len(records) - len(others)
        for outcome in others.values():
            self.pipeline.consumed[topic, "refused" if isinstance(outcome, Refusal) else outcome] += 1
        refused = {offset: outcome for offset, outcome in others.items() if isinstance(outcome, Refusal)}
        if refused:
            # States must not reach Kafka before their dead letters: after a crash their watermark would skip them.
            live.burying = True
            for record in records:
                if (refusal := refused.get(record.offset)) and await self._is_ours_to_bury(live, tp, record, refusal):
                    await self._bury(tp, record, refusal)
            live.burying = False
        # After a poison at once, so that the next one has little to take back, and a crash buries none a second time.
        poisoned = any(refusal.reason == "not_folded" for refusal in refused.values())
        aged = time.monotonic() - live.flushed_at >= self._pace.flush_seconds
        if poisoned or live.dirty >= FLUSH_RECORDS or aged or self._snapshots.is_due(topic, number):
            self._flush(tp, live)

    async def _give_up(self, tp: TP, live: _Live, error: NotFoldedError) -> NoReturn:
        """Note in Kafka which record cannot be folded, and end: whoever gets the partition next has the state from before it, and
        puts it aside. Until then no more is said or flushed of a state that is half changed.
        """
        del self._live[tp]
        self.pipeline.recovering = True
        log.error("%s", error)
        note = self.monitor.poison.get((live.topic, live.number), {}) | {error.offset: error.kind}
        self._fence.alive()
        await self._table.send_changelog(live.number, note_key(live.topic, live.number), json.dumps(note).encode())
        die(NOT_FOLDED, f"{error}. It is noted: start the worker again, and it becomes a dead letter")

    async def _is_ours_to_bury(self, live: _Live, tp: TP, record: DefaultRecord, refusal: Refusal) -> bool:
        """Whether no other version of the worker has put a record aside. While an older one works it is waited for that it does,
        so that nothing is flushed of which it is not known; and while this partition is still folded here.
        """
        if self._handover is None:
            return True
        place, is_fault = (live.topic, live.number), refusal.reason == "not_folded"
        while self._live.get(tp) is live:
            is_buried = await self._handover.is_buried(place, record.offset, record.timestamp, by_us_only=is_fault)
            if is_buried is not None:
                return not is_buried
            await asyncio.sleep(LOOK_SECONDS)
        return False

    async def _bury(self, tp: TP, record: DefaultRecord, refusal: Refusal) -> None:
        headers = {
            "dlq_original_topic": tp.topic,
            "dlq_original_partition": str(tp.partition),
            "dlq_original_offset": str(record.offset),
            "dlq_original_timestamp": str(record.timestamp),
            "dlq_reason": refusal.reason,
            "dlq_detail": refusal.detail,
        }
        if times := dict(record.headers).get(SENT_AGAIN):
            headers[SENT_AGAIN] = times.decode("ascii", "replace")
        # Kafka takes no record that has neither key nor value.
        key = b"" if record.key is None and record.value is None else record.key
        try:
            await self._send_dead(key, record.value, headers)
        except (ProducerSendError, MessageSizeTooLargeError) as error:
            if not isinstance(error.__cause__ or error, MessageSizeTooLargeError):
                raise
            headers["dlq_detail"] += f" (only the first {LARGEST} bytes are kept)"
            await self._send_dead(key and key[:LARGEST], record.value and record.value[:LARGEST], headers)
        self.pipeline.dead_letters[tp.topic.removeprefix(self._prefix), refusal.reason] += 1

    async def _send_dead(self, key: bytes | None, value: bytes | None, headers: dict[str, str]) -> None:
        encoded = {name: text.encode() for name, text in headers.items()}
        await self.app.producer.send_and_wait(self._prefix + DEAD_LETTERS.name, key, value, None, None, encoded)

    async def publish(self, event: Event) -> None:
        """Write an event of the monitor's own; returns when Kafka has it. Raises `NotPublishedError`."""
        self._fence.alive()
        topic, headers = self._prefix + TOPIC_OF[event.type].name, {"content-type": CONTENT_TYPE}
        try:
            await self.app.producer.send_and_wait(topic, event.subject.encode(), encode(event), None, None, headers)
        except (ProducerSendError, KafkaError) as error:
            raise NotPublishedError(f"{event.type}: {error!r}") from None

    # The state in Kafka

    def _flush(self, tp: TP, live: _Live) -> None:
        """Publish every changed state and then the marker, all in one changelog partition, whose order is kept."""
        if not live.dirty or live.burying or self._live.get(tp) is not live:
            return
        self._fence.alive()
        with self.monitor.lock:
            blobs = [(state_key(live.topic, live.number, key), blob) for key, blob in self.monitor.dirty(live.topic, live.number)]
        if (rules := self._snapshots.note(live.topic, live.number)) is not None:
            blobs.append((rules_key(live.topic, live.number), rules))
        blobs.append((marker_key(live.topic, live.number), b"%d" % (live.position - 1)))
        for key, blob in blobs:
            put(self._table, key, blob)
        live.dirty, live.flushed_at, live.kept = 0, time.monotonic(), []
        self._forget_poison(live)
        self.pipeline.markers[live.topic, live.number] = live.position - 1
        self.pipeline.flushes += 1
        self.pipeline.flushed_bytes += sum(len(blob) for _, blob in blobs)
        if self._snapshots.is_due(live.topic, live.number):
            self._snapshot(live)

    def _snapshot(self, live: _Live) -> None:
        """Keep every state of a partition as it was just flushed."""
        cities = self.monitor.reaches(live.topic, live.number)
        blobs = {city: self._table.data[state_key(live.topic, live.number, city.encode())] for city in cities}
        written = round(self.pipeline.newest[live.topic, live.number] * 1000)
        self._snapshots.take(live.topic, live.number, live.position - 1, written, blobs)

    async def _keep(self, topic: str, number: int, key: bytes, value: bytes, written: float, headers: dict[str, bytes]) -> int:
        """Write a record of a snapshot, said to be of that time. Returns its offset. Raises `NotKeptError`."""
        try:
            sent = await self.app.producer.send_and_wait(self._prefix + topic, key, value, number, written, headers)
        except (ProducerSendError, KafkaError) as error:
            raise NotKeptError(repr(error)) from None
        return int(sent.offset)

    def _forget_poison(self, live: _Live) -> None:
        """What lies before the position has its dead letter."""
        poison = self.monitor.poison.get((live.topic, live.number), {})
        for offset in [offset for offset in poison if offset < live.position]:
            del poison[offset]

    async def _tick(self) -> None:
        while True:
            self._fence.alive()
            for tp, live in list(self._live.items()):
                if time.monotonic() - live.flushed_at >= self._pace.flush_seconds:
                    self._flush(tp, live)
                end = self.app.consumer.highwater(tp)
                if end is not None and self._live.get(tp) is live:
                    self.pipeline.log_end[live.topic, live.number] = end
            self._settle()
            await asyncio.sleep(0.1)

    def _settle(self) -> None:
        """Once the log is folded to its end, flush often, and leave the states alone: they are trees, without cycles, and to look
        for garbage in all of them would hold the event loop up for nothing. From now on only what is new is looked at.
        """
        if self._pace is STEADY or not self._live:
            return
        ends = self.pipeline.log_end
        waiting = [ends.get((live.topic, live.number), math.inf) - live.position for live in self._live.values()]
        if sum(waiting) <= CHUNK_RECORDS:
            gc.freeze()
            gc.set_threshold(*STEADY.collect)
            self._pace = STEADY

    def marker(self, tp: TP) -> int | None:
        """The last offset whose effect is in the table."""
        return marker(self._table, tp.topic.removeprefix(self._prefix), tp.partition)

    def sought(self, tp: TP, position: int, epoch: int, beyond: str | None) -> None:
        """Reading of this partition goes on at `position`: from now on its chunks are folded."""
        if tp.partition >= self.monitor.partitions:
            die(1, f"{tp.topic} was given more partitions than the {self.monitor.partitions} it had: see pantau112 topics check")
        live = self._live[tp] = _Live(tp.topic.removeprefix(self._prefix), tp.partition, epoch, position)
        self._forget_poison(live)
        live.careful = bool(self.monitor.poison.get((live.topic, live.number)))
        if beyond:
            log.error("%s/%d: the state's offset lies %s the log; alert", tp.topic, tp.partition, beyond)
        self.pipeline.markers_below_log += beyond == "below"
        self.pipeline.markers_above_log += beyond == "above"
        place = live.topic, live.number
        self.pipeline.starts[place] = position
        marker, note = self.marker(tp), self._table.data.get(rules_key(*place))
        # Above the log, the state is of another log.
        self._snapshots.sought(*place, position, None if beyond == "above" else note, is_whole=marker is None)
        if marker is not None:
            self.pipeline.markers[place] = marker
        self.pipeline.owned |= {place}
        self._ready()

    async def _on_changelog_event(self, event: EventT[bytes]) -> None:
        key: Any = event.key
        if key.startswith(b"\0") and event.value is None:
            self._seen.pop(key, None)  # what could not be read was replaced by a snapshot
        elif key.startswith(b"\0"):
            marker = int(event.value)
            if marker < self._seen.get(key, -1):
                self.pipeline.regressions += 1
                log.error("changelog: the marker of %s went back: a frozen worker published", key[1:].decode())
            self._seen[key] = marker

    async def _on_recover(self) -> None:
        """The table is complete: take over what it has."""
        has_any = await self._recovery.recover()
        if has_any is None:
            return
        gc.collect()
        gc.freeze()
        gc.set_threshold(*CATCHING_UP.collect)
        self._pace = CATCHING_UP
        if not has_any:
            self._ready()

    def be_silent(self) -> None:
        """Say no figure from now on."""
        self.pipeline.recovering = True

    def _ready(self) -> None:
        if self.pipeline.recovering:
            self.pipeline.recovering = False
            self.pipeline.recovery_seconds = time.monotonic() - self._revoked_at

    async def _on_revoked(self, *arguments: Any, **_: Any) -> None:
        revoked: Iterable[TP] = arguments[-1]
        if self._ticking is None:  # the group's first join: Faust starts its own tasks only after recovery
            self._ticking = self.app.add_future(or_die(self._tick()))
            self.app.add_future(or_die(self._snapshots.run()))
            if self._handover is not None:
                self.app.add_future(or_die(self._handover.watch()))
            if self._advise is not None:
                self.app.add_future(or_die(self._advise(self.pipeline, self.publish)))
        self._revoked_at = time.monotonic()
        self._recovery.revoked()
        self._seen.clear()
        self._live.clear()
        pipeline = self.pipeline
        pipeline.recovering, pipeline.owned = True, frozenset()
        pipeline.markers, pipeline.log_end, pipeline.newest, pipeline.starts = {}, {}, {}, {}
        with self.monitor.lock:
            for number in {tp.partition for tp in revoked}:
                self.monitor.drop(number)


class _App(faust.App):
    """A Faust app whose tables are in memory and in Kafka, so that it needs none of the folders that others make."""

    silence: Callable[[], None]

    def _create_directories(self) -> None:
        pass

    async def on_stop(self) -> None:
        """Stop. Nothing is said any more, before others learn that they may speak."""
        self.silence()
        await super().on_stop()


def create_app(
    settings: Settings, monitor: Monitor, brokers: int = 1, advise: Advise | None = None, versions: Versions | None = None
) -> tuple[faust.App, Pipeline]:
    """The Faust app of one worker, not started; `brokers` bounds the copies that its changelog can have."""
    app = _App(
        # A new form of state gets a new group and a new changelog.
        group_of(settings, monitor.state_version),
        broker=[f"kafka://{address.strip()}" for address in settings.bootstrap.split(",")],
        broker_credentials=credentials(settings),
        value_serializer="raw",
        key_serializer="raw",
        store="memory://",
        topic_partitions=monitor.partitions,
        topic_replication_factor=min(brokers, 3),
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=settings.instance_id,
        broker_max_poll_records=4000,
        broker_session_timeout=SESSION_SECONDS,
        broker_heartbeat_interval=3,
        broker_rebalance_timeout=30,
        broker_request_timeout=90,
        producer_acks=-1,
        producer_max_request_size=LARGEST_REQUEST,
        producer_max_batch_size=LARGEST_BATCH,
        table_standby_replicas=0,
        stream_recovery_delay=0,
        web_enabled=False,
    )
    worker = Worker(app, settings, monitor, advise, versions)
    app.silence = worker.be_silent
    install(app, worker)
    return app, worker.pipeline


def run_worker(
    settings: Settings,
    monitor: Monitor,
    brokers: int,
    on_start: Callable[[Pipeline], None],
    advise: Advise | None = None,
    versions: Versions | None = None,
) -> int:
    """Work until SIGTERM or SIGINT; `on_start` is called once, before anything is read. Returns the exit code.

    `versions` are those of the worker in Kafka, so that it stands beside an older one and takes its states over.
    """
    for handler in logging.getLogger().handlers:
        handler.addFilter(LogLimit(time.monotonic))
    gc.set_threshold(*CATCHING_UP.collect)
    sys.setswitchinterval(0.001)  # a scrape's thread gives way sooner than by default
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    app, pipeline = create_app(settings, monitor, brokers, advise, versions)
    on_start(pipeline)
    host = faust.Worker(app, loop=loop, quiet=True, override_logging=False, redirect_stdouts=False)
    host.spinner = None
    try:
        host.execute_from_commandline()
    except SystemExit as stop:
        if isinstance(cause := stop.__context__, KafkaError) and (said := refused(settings, cause, "its changelog")):
            log.error("%s", "; ".join(said))
        return stop.code if isinstance(stop.code, int) else 1

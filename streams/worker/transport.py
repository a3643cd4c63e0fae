"""How records reach the fold and never skip one: what we change in the aiokafka consumer of Faust 0.15.3.

Everything here overrides internals, so both packages are pinned and `tests/worker/test_transport.py` holds their contract.
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from typing import Any, Protocol, cast

import faust
from aiokafka import AIOKafkaConsumer
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecord
from faust.transport.consumer import ensure_TPset
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from streams.log.access import connection
from streams.settings import Settings

CHUNK_RECORDS = 1000
"""Most records of one chunk: about 10 ms of folding, so the event loop is never held for long."""

FETCH_WAIT_MS = 200
"""How long Kafka holds a fetch that finds nothing. Faust has 1500 and waits that three times after a crash: while a fetch of the
quiet changelog is held, the broker answers nothing else on that connection, and the search for offsets stands behind it."""

Records = Mapping[TP, list[DefaultRecord]]


class Chunk(tuple[DefaultRecord, ...]):
    """Consecutive records of one partition, handed over as one Faust message whose offset is that of the last."""

    link: tuple[int, int]
    """Its place in its partition, (epoch, number): every seek begins an epoch, numbers count from 0."""


class _Batches(fetcher.PartitionRecords):  # type: ignore[misc]
    """The records of one fetch, as they are: aiokafka would copy each into a Python object, which takes as long as reading it."""

    def __iter__(self) -> Iterator[DefaultRecord]:
        records: Iterator[DefaultRecord] = self._records_iterator
        return records

    def _consumer_record(self, tp: TP, record: DefaultRecord) -> DefaultRecord:
        return record


class _Thread(driver.AIOKafkaConsumerThread):
    """The thread that talks to Kafka, with what Faust has no setting for: committed records only, and short waits."""

    def _create_worker_consumer(self, transport: driver.Transport) -> AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        consumer._isolation_level = "read_committed"
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS
        return consumer


class SafeConsumer(driver.Consumer):
    """Fetches nothing of a source partition between an assignment and the end of the seek that follows recovery.

    Stock Faust resumes the partitions, then seeks, then empties its queues: what was fetched in between is lost.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._deferred: set[TP] = set()
        super().__init__(*args, **kwargs)

    def _new_consumer_thread(self) -> _Thread:
        return _Thread(self, loop=self.loop, beacon=self.beacon)

    def _to_message(self, tp: TP, record: DefaultRecord) -> ConsumerMessage:
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            record.offset,
            record.timestamp / 1000,
            record.timestamp_type,
            None,  # headers: none is looked at
            record.key,
            record.value,
            checksum=None,
            tp=tp,
            generation_id=self.app.consumer_generation_id,
        )

    def pause_partitions(self, tps: Iterable[TP]) -> None:
        tps = ensure_TPset(tps)
        self._deferred -= tps
        super().pause_partitions(tps)

    def resume_partitions(self, tps: Iterable[TP]) -> None:
        tps = ensure_TPset(tps)
        sources = {tp for tp in tps if not self._is_changelog_tp(tp)}
        self._deferred |= sources
        super().resume_partitions(tps - sources)

    def resume_flow(self) -> None:
        super().resume_partitions(self._deferred)
        self._deferred.clear()
        super().resume_flow()

    def on_buffer_full(self, tp: TP) -> None:
        """One queue serves every source: when it is full the fetcher itself waits."""

    def on_buffer_drop(self, tp: TP) -> None:
        """Stock Faust would resume a partition here that a rebalance has just paused."""

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Records:  # noqa: ASYNC109
        # The live set changes while the other thread reads it, and to aiokafka an empty set means "any partition".
        active = frozenset(active_partitions or ())
        records: Records = await super()._getmany(active, timeout) if active else {}  # type: ignore[arg-type]
        return records


class ChunkConsumer(SafeConsumer):
    """Hands over chunks of the source topics: Faust's price per message is 90 µs, ours per record is then a trifle."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._position: dict[TP, int] = {}
        self._links: dict[TP, tuple[int, int]] = {}
        self._epoch = 0
        super().__init__(*args, **kwargs)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:  # noqa: ASYNC109
        """Fetch once; yield changelog records one by one and source records in chunks."""
        records, active = await self._wait_next_records(timeout)
        generation = self.app.consumer_generation_id
        for tp, fetched in (records or {}).items():
            messages = (
                (self._to_message(tp, record) for record in fetched) if self._is_changelog_tp(tp) else self._chunks(tp, fetched)
            )
            for message in messages:
                # What is dropped here is fetched again: a rebalance always ends with a seek.
                if not self.flow_active or self.should_stop or self.app.consumer_generation_id != generation:
                    return
                if active is None or tp in active:
                    yield tp, message

    def begin_epoch(self, positions: Mapping[TP, int]) -> None:
        """Chunks of these partitions start anew at these offsets."""
        self._epoch += 1
        for tp, offset in positions.items():
            self._position[tp] = offset
            self._links[tp] = (self._epoch, 0)

    def _chunks(self, tp: TP, fetched: list[DefaultRecord]) -> Iterable[ConsumerMessage]:
        position = self._position.get(tp)
        if position is None:
            return
        fresh = fetched if fetched[0].offset >= position else [record for record in fetched if record.offset >= position]
        for start in range(0, len(fresh), CHUNK_RECORDS):
            chunk = Chunk(fresh[start : start + CHUNK_RECORDS])
            epoch, number = chunk.link = self._links[tp]
            self._links[tp] = (epoch, number + 1)
            last = chunk[-1]
            self._position[tp] = last.offset + 1
            message = self._to_message(tp, last)
            message.key, message.value = None, chunk  # type: ignore[assignment]
            yield message


class Positions(Protocol):
    """Whoever keeps the state, and with it the knowledge of how far each partition has been folded."""

    def marker(self, tp: TP) -> int | None:
        """The last offset whose effect is in the recovered state; None if there is no state."""

    def sought(self, tp: TP, position: int, epoch: int, beyond: str | None) -> None:
        """Reading goes on at `position`; `beyond` says that the marker lay "below" or "above" the log."""


class StateOffsetConsumer(ChunkConsumer):
    """Starts where the recovered state ends, whatever the group has committed."""

    async def perform_seek(self) -> None:
        """After recovery: to the marker + 1, or to the start of the log where there is no marker."""
        positions: Positions = cast(StateTransport, self.transport).positions
        sources = {tp for tp in ensure_TPset(self.assignment()) if not self._is_changelog_tp(tp)}
        if not sources:
            return
        starts, ends = await self.earliest_offsets(*sources), await self.highwaters(*sources)
        seeks = {tp: seek_target(positions.marker(tp), starts[tp], ends[tp]) for tp in sources}
        targets = {tp: target for tp, (target, _) in seeks.items()}
        await self.seek_wait(targets)
        self._read_offset.update(targets)
        self._committed_offset.update(targets)
        self.begin_epoch(targets)
        for tp, (target, beyond) in seeks.items():
            positions.sought(tp, target, self._epoch, beyond)

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Chunks of a partition are folded in order: there is nothing to remember between them."""

    def _new_offset(self, tp: TP) -> int | None:
        """What the group commits, as a hint for people: the state's own offset. Faust flushes the producer first."""
        self._acked[tp].clear()
        self._acked_index[tp].clear()
        marker = cast(StateTransport, self.transport).positions.marker(tp)
        return None if marker is None else marker + 1


def seek_target(marker: int | None, start: int, end: int) -> tuple[int, str | None]:
    """Where to go on reading a log that holds offsets start..end-1, and whether the marker lay below or above it."""
    if marker is None:
        return start, None
    if marker + 1 < start:
        return start, "below"
    if marker + 1 > end:
        return end, "above"
    return marker + 1, None


class StateTransport(driver.Transport):
    """The aiokafka transport of Faust with our consumer in it."""

    Consumer = StateOffsetConsumer
    positions: Positions


def install(app: faust.App, positions: Positions) -> None:
    """Make the app consume in chunks from the state's own offsets. All consumers of this process read records as they are."""
    transport = StateTransport(app.conf.broker_consumer, app)
    transport.positions = positions
    app.transport = transport
    fetcher.PartitionRecords = _Batches


def credentials(settings: Settings) -> faust.auth.Credentials | None:
    """The TLS and SASL settings in Faust's words; None for a plain connection. Raises `SettingsError`."""
    said = connection(settings)
    if settings.security_protocol.startswith("SASL_"):
        return faust.SASLCredentials(
            username=said["sasl_plain_username"],
            password=said["sasl_plain_password"],
            mechanism=said["sasl_mechanism"],
            ssl_context=said["ssl_context"],
        )
    return faust.SSLCredentials(context=said["ssl_context"]) if said["ssl_context"] else None

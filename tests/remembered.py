"""A log in memory that answers as `streams.log.reader.Reader` does, and a worker that folds it: for what takes many histories."""

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from faust.types import TP

from schemas.event import Event
from schemas.topics import PARTITIONS, TOPIC_OF, TOPICS, encode
from streams.core.centre import Centre
from streams.log.reader import Record, _record
from streams.log.topics import partition_of
from streams.settings import Settings
from streams.worker.app import Worker
from streams.worker.changelog import parse
from streams.worker.monitor import Monitor
from streams.worker.transport import Chunk


class Remembered:
    """Records by topic and partition; used in place of `Reader`, and in place of Faust's producer."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, int], list[Any]] = {}

    def append(self, topic: str, partition: int, key: bytes, value: bytes | None, written: int, headers: Any = ()) -> Any:
        """One record, written at that moment, epoch milliseconds."""
        log = self.records.setdefault((topic, partition), [])
        log.append(
            SimpleNamespace(
                topic=topic, partition=partition, offset=len(log), timestamp=written, key=key, value=value, headers=headers
            )
        )
        return log[-1]

    def tell(self, event: Event, written: int, partition: int | None = None) -> None:
        """An event in its topic."""
        number = partition_of(event.subject, PARTITIONS) if partition is None else partition
        self.append(TOPIC_OF[event.type].name, number, event.subject.encode(), encode(event), written)

    async def send_and_wait(
        self, topic: str, key: bytes, value: bytes, partition: int | None, timestamp: float | None, headers: dict[str, bytes]
    ) -> Any:
        return self.append(topic, partition or 0, key, value, round((timestamp or 0) * 1000), list((headers or {}).items()))

    # As Reader has it

    def partitions(self, topics: Iterable[str]) -> dict[str, int]:
        return dict.fromkeys(topics, PARTITIONS)

    def kept(self, topic: str, spans: Mapping[tuple[str, int], Sequence[tuple[int, int | None]]] | None = None) -> Iterator[Any]:
        for (name, number), records in sorted(self.records.items()):
            if name == topic:
                for first, end in [(0, None)] if spans is None else spans.get((name, number), ()):
                    yield from records[first:end]

    def are_there(self, records: Mapping[tuple[str, int], tuple[int, int]]) -> set[tuple[str, int]]:
        def there(place: tuple[str, int], offset: int, written: int) -> bool:
            log = self.records.get(place, [])
            return offset < len(log) and next((r.timestamp for r in log if r.timestamp >= written), None) == written

        return {place for place, told in records.items() if there(place, *told)}

    def read(
        self,
        topics: Sequence[str],
        start: Any = None,
        end: Any = None,
        spans: Mapping[tuple[str, int], Sequence[tuple[int, int | None]]] | None = None,
        watch: Any = None,
    ) -> Iterator[Record]:
        assert start is None
        parts = [
            [
                _record(raw.topic, raw.partition, raw)
                for first, last in (spans or {}).get(place, [(0, None)])
                for raw in records[first:last]
            ]
            for place, records in sorted(self.records.items())
            if place[0] in topics
        ]
        self.were_read = sum(map(len, parts))
        for record in heapq.merge(*parts, key=lambda record: record.time):
            if end is None or record.time < end.timestamp():
                yield record


class Sent:
    """What the changelog is said to have taken."""

    def add_done_callback(self, _: Any) -> None: ...


class Folding:
    """A worker that folds all partitions of a remembered log, can die, and begins again from what its changelog has."""

    def __init__(self, log: Remembered) -> None:
        self.log = log
        self.changelog: dict[bytes, bytes] = {}

    def run(self, centres: Mapping[str, Centre], until: Mapping[tuple[str, int], int], chunk: int) -> Monitor:
        """Begin as after a death, fold so many records of each partition in chunks, and keep what days are over."""
        signal = SimpleNamespace(connect=lambda _: None)
        table = SimpleNamespace(data=dict(self.changelog), send_changelog=self._send)
        app: Any = SimpleNamespace(
            Table=lambda *_, **__: table, topic=lambda *_, **__: None, agent=lambda *_, **__: lambda _: None,
            on_partitions_revoked=signal, producer=self.log,
        )  # fmt: skip
        monitor = Monitor(centres, PARTITIONS)
        worker: Any = Worker(app, Settings(), monitor, None)
        for key, blob in list(table.data.items()):
            number, topic, name = parse(key)
            assert worker._recovery.take(key, topic, number, name, blob) is None
        for place in sorted(self.log.records):
            if place[0] in {topic.name for topic in TOPICS}:
                tp = TP(*place)
                marker = worker.marker(tp)
                position = 0 if marker is None else marker + 1
                worker.sought(tp, position, 1, None)
                records = self.log.records[place][position : until.get(place)]
                for number, start in enumerate(range(0, len(records), chunk)):
                    made = Chunk(records[start : start + chunk])
                    made.link = (1, number)
                    finish(worker._take(tp, made))
                    if not (number + start) % 3:
                        keep(worker)
        keep(worker)
        return monitor

    def _send(self, _: int, key: bytes, blob: bytes) -> Sent:
        self.changelog[key] = blob
        return Sent()


def keep(worker: Any) -> None:
    """Write what waits, as the worker's own task does."""
    waiting = worker._snapshots._waiting
    while waiting:
        finish(worker._snapshots._write(*waiting.pop(next(iter(waiting)))))


def finish(coroutine: Any) -> None:
    """Run what never waits to its end."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise AssertionError("it waits")

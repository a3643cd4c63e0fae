"""A real worker in a process of its own, with a monitor that only counts: what the transport's tests start and kill."""

import json
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from schemas.topics import PARTITIONS, Refusal
from streams.settings import Settings
from streams.worker import app as shell
from streams.worker.changelog import state_key
from streams.worker.monitor import NotFoldedError, not_folded
from streams.worker.pipeline import Pipeline


class Counting:
    """Counts records per centre: a record is `centre number`. `broken` cannot be read, the fold of `centre poison` breaks off in
    the middle, and `bug` is one outside the fold.
    """

    state_version = 1
    partitions = PARTITIONS

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._states: dict[tuple[str, int, bytes], list[int]] = {}  # watermark, count, sum
        self._changed: dict[tuple[str, int], set[bytes]] = {}
        self.poison: dict[tuple[str, int], dict[int, str]] = {}
        self.spans: dict[tuple[str, int], Any] = {}  # no time passes, so no snapshot is ever due
        self.home, self.centres = dict[str, int](), dict[str, Any]()

    def fold(self, topic: str, partition: int, records: Any) -> dict[int, str | Refusal]:
        with self.lock:
            outcomes = {record.offset: self._fold(topic, partition, record.offset, record.value) for record in records}
        return {offset: outcome for offset, outcome in outcomes.items() if outcome != "folded"}

    def _fold(self, topic: str, partition: int, offset: int, value: bytes | None) -> str | Refusal:
        if value is None or value.startswith(b"broken"):
            return Refusal("not_json", "broken")
        if value == b"bug":
            raise AssertionError("a bug outside the fold")
        if kind := self.poison.get((topic, partition), {}).get(offset):
            return not_folded(kind)
        key, number = value.split()
        state = self._states.setdefault((topic, partition, key), [-1, 0, 0])
        if offset <= state[0]:
            return "replayed"
        self._changed.setdefault((topic, partition), set()).add(key)
        state[:2] = offset, state[1] + 1
        if number == b"poison":
            raise NotFoldedError(topic, partition, offset, ZeroDivisionError("what it says is personal"))
        state[2] += int(number)
        return "folded"

    def dirty(self, topic: str, partition: int) -> Iterator[tuple[bytes, bytes]]:
        for key in sorted(self._changed.pop((topic, partition), ())):
            yield key, json.dumps(self._states[topic, partition, key]).encode()

    def load(self, topic: str, partition: int, key: bytes, blob: bytes) -> None:
        self._states[topic, partition, key] = json.loads(blob)

    def take_back(self, topic: str, partition: int, stored: Callable[[bytes], bytes | None]) -> None:
        for key in self._changed.pop((topic, partition), ()):
            del self._states[topic, partition, key]
            if blob := stored(key):
                self.load(topic, partition, key, blob)

    def rules(self, partition: int, year: int) -> dict[str, str]:
        return {}

    def reaches(self, topic: str, partition: int) -> dict[str, float]:
        return {}

    def forget(self, topic: str, partition: int) -> None:
        for place in [p for p in self._states if p[:2] == (topic, partition)]:
            del self._states[place]

    def drop(self, partition: int) -> None:
        for place in [p for p in self._states if p[1] == partition]:
            del self._states[place]
        for changed in [p for p in self._changed if p[1] == partition]:
            del self._changed[changed]


def report(pipeline: Pipeline, to: Path) -> None:
    """Write what the pipeline says of itself, 20 times a second."""
    while True:
        said = {
            "folded": sum(n for (_, outcome), n in dict(pipeline.consumed).items() if outcome == "folded"),
            "replayed": sum(n for (_, outcome), n in dict(pipeline.consumed).items() if outcome == "replayed"),
            "dead": sum(dict(pipeline.dead_letters).values()),
            "owned": len(pipeline.owned),
            "recovering": pipeline.recovering,
            "recovery_seconds": pipeline.recovery_seconds,
            "lag": sum(pipeline.lag_records().values()),
            "measured": len(pipeline.log_end),
            "regressions": pipeline.regressions,
            "below": pipeline.markers_below_log,
            "above": pipeline.markers_above_log,
            "flushes": pipeline.flushes,
        }
        part = to.with_suffix(".part")
        part.write_text(json.dumps(said))
        part.replace(to)
        time.sleep(0.05)


def die_before_the_marker() -> None:
    """Injected death: states reach Kafka, their marker does not."""
    real = shell.Worker._flush
    folded_at_first = 1000

    def flush(self: shell.Worker, tp: object, live: shell._Live) -> None:
        if sum(self.pipeline.consumed.values()) < folded_at_first:
            return real(self, tp, live)  # type: ignore[arg-type]
        with self.monitor.lock:
            blobs = list(self.monitor.dirty(live.topic, live.number))
        sent = [self._table.send_changelog(live.number, state_key(live.topic, live.number, key), blob) for key, blob in blobs]
        if sent:
            sent[-1].add_done_callback(lambda _: os._exit(9))
        return None

    shell.Worker._flush = flush  # type: ignore[method-assign]


def main() -> int:
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    settings, status, injected = json.loads(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]
    if injected:
        die_before_the_marker()

    def on_start(pipeline: Pipeline) -> None:
        threading.Thread(target=report, args=(pipeline, status), daemon=True).start()

    monitor: Any = Counting()
    return shell.run_worker(Settings(**settings), monitor, 1, on_start)


if __name__ == "__main__":
    sys.exit(main())

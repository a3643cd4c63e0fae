"""What a version of the worker wrote, recorded: `python -m tests.worker.recorded_state` writes this one's, if it is missing.

To be run on the last commit of a version, before STATE_VERSION goes up. The events are kept beside it, because the simulator
changes too.
"""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from schemas.event import Event
from schemas.topics import TOPIC_OF, TOPICS, decode, encode
from streams import centres
from streams.core.nouns import STATE_VERSION
from streams.sources import simulate
from streams.worker.monitor import Monitor

[BOGOR] = centres.load([]).values()

HOURS = 5.0
"""In the middle of it the state is recorded."""

FOLDER = Path(__file__).with_name("golden")


class Recorded(NamedTuple):
    """Events of one centre in order, and by noun what was written of the first half of them."""

    events: list[bytes]
    blobs: dict[str, bytes]

    @property
    def folded(self) -> int:
        """How many events the state knows."""
        return len(self.events) // 2


def file(version: int) -> Path:
    """Where the state of a version is recorded."""
    return FOLDER / f"state-v{version}.json.gz"


def read(version: int) -> Recorded:
    """What a version wrote."""
    said: dict[str, Any] = json.loads(gzip.decompress(file(version).read_bytes()))
    return Recorded([event.encode() for event in said["events"]], {noun: blob.encode() for noun, blob in said["blobs"].items()})


def fold(events: list[bytes]) -> Recorded:
    """What this version writes of events. Offsets are those of one log that has all of them in one partition."""
    monitor, recorded = Monitor({BOGOR.code: BOGOR}), Recorded(events, {})
    for offset, raw in enumerate(events[: recorded.folded]):
        event = decode(raw)
        assert isinstance(event, Event)
        monitor.fold_event(TOPIC_OF[event.type].name, 0, offset, event, event.time.timestamp())
    for topic in TOPICS:
        if written := [blob for _, blob in monitor.dirty(topic.name, 0)]:
            [recorded.blobs[topic.noun]] = written
    return recorded


if __name__ == "__main__" and not file(STATE_VERSION).exists():
    simulated = simulate.events(112, datetime(2026, 1, 5, 1, tzinfo=UTC), BOGOR, days=HOURS / 24)
    made = fold([encode(event) for event in simulated])
    said = {"events": [event.decode() for event in made.events], "blobs": {n: b.decode() for n, b in made.blobs.items()}}
    file(STATE_VERSION).write_bytes(gzip.compress(json.dumps(said, ensure_ascii=False).encode(), mtime=0))

"""What a centre already has, on its way into Kafka or a file: read, delivered, and only then remembered as done."""

import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from schemas.event import Event
from schemas.topics import encode
from streams.sources import asterisk
from streams.sources.follow import Tail

BATCH = 500
LOOK_SECONDS = 0.5
"""How often a growing file is looked at."""


class Sink(Protocol):
    """Where events go: `streams.log.Log` or a file."""

    def send(self, event: Event) -> None:
        """Take one event."""

    def flush(self) -> None:
        """Return when everything taken is safe."""


class EventFile(AbstractContextManager["EventFile"]):
    """A JSONL file of events, one object a line."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()

    def send(self, event: Event) -> None:
        """Write one line."""
        self._file.write(encode(event) + b"\n")

    def flush(self) -> None:
        """Hand the lines to the operating system."""
        self._file.flush()


@dataclass(slots=True)
class Report:
    """What came of reading a source."""

    events: int = 0
    bad: int = 0
    passed_over: Counter[str] = field(default_factory=Counter)


def queue_log(
    path: Path, memory: Path | None, follow: bool, reader: asterisk.Reader, sink: Sink, on_bad: Callable[[int, str], None]
) -> Iterator[Report]:
    """Deliver a queue_log, whole or as it grows; says after every batch how far it is.

    A batch is remembered in `memory` only when the sink has it: a kill at any moment sends some events again, and they are known
    by their ids.
    """
    report = Report(passed_over=reader.passed_over)
    tail, stop = Tail(path, memory, follow=follow), threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    try:
        while not stop.is_set():
            lines = tail.read(BATCH)
            for number, line in enumerate(lines, tail.first_line):
                try:
                    for event in reader.read(line):
                        sink.send(event)
                        report.events += 1
                except asterisk.MalformedError as malformed:
                    report.bad += 1
                    on_bad(number, str(malformed))
            if lines:
                sink.flush()
                tail.delivered()
                yield report
            elif follow:
                stop.wait(LOOK_SECONDS)
            else:
                break
    finally:
        tail.close()
    yield report

"""What a centre already has, on its way into Kafka or a file: read, delivered, and only then remembered as done."""

import contextlib
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, NamedTuple, Protocol, Self

from schemas.event import Event
from schemas.topics import encode
from streams import secret
from streams.edge.tail import Feed, Once, Tail
from streams.sources import asterisk, kind
from streams.sources.opened import BrokenFileError, Opened, UnreadableError, is_file

BATCH = 500
LOOK_SECONDS = 0.5
"""How often a growing file is looked at."""
QUIET_SECONDS = 3
"""After so much silence nothing is held: what is written within two seconds by whole ones comes within three."""

_BLOCK = 65_536


class Sink(Protocol):
    """Where events go: `streams.log.kafka.Log` or a file."""

    def send(self, event: Event) -> None:
        """Take one event."""

    def flush(self) -> None:
        """Return when everything taken is safe."""


class EventFile(AbstractContextManager["EventFile"]):
    """A JSONL file of events, one object a line: a new one, or one that is gone on with.

    A new one only its user can read: callers are in it.
    When it is gone on with, what a kill left of a last line is taken away: that event was not yet safe, and is told again.
    """

    def __init__(self, path: Path, *, append: bool = False) -> None:
        self._path, self._append = path, append
        self._file = open(path, "r+b" if append and path.is_file() else "wb", opener=secret.private)  # noqa: SIM115 (closed at exit)
        if append and path.is_file():
            self._file.truncate(_whole_lines(self._file))
            self._file.seek(0, os.SEEK_END)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with self._named(), contextlib.suppress(OSError) if error else contextlib.nullcontext():
            self._file.close()

    def send(self, event: Event) -> None:
        """Write one line. Raises `OSError` with the file's name."""
        with self._named():
            self._file.write(encode(event) + b"\n")

    def flush(self) -> None:
        """Hand the lines to the operating system; to the disk itself where it is gone on with. Raises `OSError` with the name."""
        with self._named():
            self._file.flush()
            if self._append and self._path.is_file():
                os.fsync(self._file.fileno())

    @contextlib.contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self._path)) from None


def _whole_lines(file: BinaryIO) -> int:
    """How many bytes of a file are whole lines."""
    end = file.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - _BLOCK)
        file.seek(start)
        if (found := file.read(end - start).rfind(b"\n")) >= 0:
            return start + found + 1
        end = start
    return 0


@dataclass(slots=True)
class Report:
    """What came of reading a source."""

    events: int = 0
    bad: int = 0
    passed_over: Counter[str] = field(default_factory=Counter)


def feed(path: Path, memory: Path | None, follow: bool) -> Feed:
    """Where the lines of a queue_log come from: a file that can be gone on with, or an input that is read once.

    Raises `UnreadableError` for an input that cannot be remembered, or is no text.
    """
    if is_file(path) and (follow or memory is not None):
        return Tail(path, memory, follow=follow)
    if memory is not None:
        raise UnreadableError(f"{path}: is no file that could be gone on with, so --remember makes no sense")
    opened = Opened(path)
    if not any(map(kind, opened.head.splitlines())):
        opened.refuse_bytes()
    return Once(opened)


class Step(NamedTuple):
    """One step through a log: what it tells, whether the place where reading goes on may have `moved`, and whether no more is
    there for now.
    """

    events: list[Event]
    moved: bool
    is_idle: bool


def steps(source: Feed, follow: bool, reader: asterisk.Reader, on_bad: Callable[[int, str], None]) -> Iterator[Step]:
    """Read a queue_log, whole or as it grows: who takes the steps waits `LOOK_SECONDS` at each that is idle. Raises
    `BrokenFileError` after the step before the break.

    What the reader holds belongs to no place yet, so that who is stopped begins with it.
    """
    quiet, ended = 0.0, False
    while not ended:
        if reader.held and source.opened is not None and source.opened.is_silent(QUIET_SECONDS):
            yield Step(_events(reader.rest()), moved=False, is_idle=False)
        try:
            lines = source.read(BATCH)
        except BrokenFileError:
            yield Step(_events(reader.rest()), moved=False, is_idle=False)
            raise
        events: list[Event] = []
        for number, line in enumerate(lines, source.first_line):
            try:
                events += _events(reader.read(line))
            except asterisk.MalformedError as malformed:
                on_bad(number, str(malformed))
        is_idle = not lines and follow and isinstance(source, Tail)
        ended = not lines and not is_idle
        was_held = reader.held
        if ended or (is_idle and quiet >= QUIET_SECONDS):
            events += _events(reader.rest())
        quiet = quiet + LOOK_SECONDS if is_idle else 0.0
        yield Step(events, bool(lines) or was_held != reader.held, is_idle)


def _events(told: Iterable[asterisk.Told]) -> list[Event]:
    return [event for _, events in told for event in events]


def queue_log(
    source: Feed, follow: bool, reader: asterisk.Reader, sink: Sink, on_bad: Callable[[int, str], None]
) -> Iterator[Report]:
    """Deliver a queue_log, whole or as it grows; says after every batch how far it is.

    A batch is remembered only when the sink has it: after a kill some events are sent again, and known by their ids.
    """
    report = Report(passed_over=reader.passed_over)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())

    def bad(number: int, reason: str) -> None:
        report.bad += 1
        on_bad(number, reason)

    try:
        for step in steps(source, follow, reader, bad):
            for event in step.events:
                sink.send(event)
                report.events += 1
            if step.events or step.moved:
                sink.flush()
                if step.moved:
                    source.delivered(reader.held)
                yield report
            if step.is_idle:
                stop.wait(LOOK_SECONDS)
            if stop.is_set():
                break
    finally:
        source.close()
    yield report

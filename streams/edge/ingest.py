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
from typing import BinaryIO, Protocol, Self

from schemas.event import Event
from schemas.topics import encode
from streams.edge.follow import Feed, Once, Tail
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

    When it is gone on with, what a kill left of a last line is taken away: that event was not yet safe, and is told again.
    """

    def __init__(self, path: Path, *, append: bool = False) -> None:
        self._path, self._append = path, append
        self._file = path.open("r+b" if append and path.is_file() else "wb")
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


def queue_log(
    source: Feed, follow: bool, reader: asterisk.Reader, sink: Sink, on_bad: Callable[[int, str], None]
) -> Iterator[Report]:
    """Deliver a queue_log, whole or as it grows; says after every batch how far it is.

    A batch is remembered only when the sink has it: after a kill some events are sent again, and known by their ids. What the
    reader holds is not remembered either, so that who is stopped begins with it.
    """
    report = Report(passed_over=reader.passed_over)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())

    def send(told: Iterable[asterisk.Told]) -> None:
        for _, events in told:
            for event in events:
                sink.send(event)
                report.events += 1

    quiet, ended = 0.0, False
    try:
        while not ended and not stop.is_set():
            if reader.held and source.opened is not None and source.opened.is_silent(QUIET_SECONDS):
                send(reader.rest())
                sink.flush()
                yield report
            lines = source.read(BATCH)
            for number, line in enumerate(lines, source.first_line):
                try:
                    send(reader.read(line))
                except asterisk.MalformedError as malformed:
                    report.bad += 1
                    on_bad(number, str(malformed))
            if lines:
                quiet = 0.0
            elif follow and isinstance(source, Tail):
                stop.wait(LOOK_SECONDS)
                quiet += LOOK_SECONDS
            else:
                ended = True
            was_held = reader.held
            if ended or quiet >= QUIET_SECONDS:
                send(reader.rest())
            if lines or was_held != reader.held:
                sink.flush()
                source.delivered(reader.held)
                yield report
    except BrokenFileError:
        send(reader.rest())
        sink.flush()
        raise
    finally:
        source.close()
    yield report

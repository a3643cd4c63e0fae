"""What call centres already have, as events: each file knows one kind of source. No clock, no network and no Kafka in here."""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Literal, NamedTuple

from schemas.event import Event
from schemas.topics import LARGEST, Refusal, UnknownType, decode_recording
from streams.core.centre import Centre
from streams.sources import asterisk
from streams.sources.door import Door
from streams.sources.opened import BrokenFileError, Opened

Kind = Literal["events", "queue_log"]
Watch = Callable[[Opened], None]
"""Is told of an input once it is open: how large it is, and how far it was read."""

_LOOK = 100
_QUEUE_LOG = re.compile(rb"([0-9]+(\.[0-9]+)?|[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9:.Z+-]+)\|([^|]*\|){3}")
_IN_STRING = re.compile(rb'["\\\n]')
_OUTSIDE = re.compile(rb'["{}\n]')


class Line(NamedTuple):
    """What one line of a file says; a line of a queue_log can say two things, and then comes twice under one number."""

    number: int
    item: Event | UnknownType | Refusal
    written: float | None = None
    """When Kafka had it, epoch seconds; of a file nobody knows."""


class UnknownFileError(ValueError):
    """A file that is neither events nor a queue_log."""


def kind(line: bytes) -> Kind | None:
    """What a file is, by a line of it that tells."""
    if line.lstrip().startswith(b"{"):
        return "events"
    if _QUEUE_LOG.match(line) or asterisk.table_of(asterisk.decode(line[:LARGEST])) is not None:
        return "queue_log"
    return None


def read(path: Path, centre: Centre, door: Door | None = None, watch: Watch = lambda _: None) -> Iterator[Line]:
    """The events of a file or a pipe, plain or gzip: as JSON (an object a line, objects over many lines, or an array of them), or
    a queue_log of `centre`; behind the `door`.

    What cannot be read comes as a `Refusal` with its line, also a gzip file that breaks off; empty lines and what the door does
    not let in do not come. Raises `UnknownFileError`, `UnreadableError`, and `OSError` for what cannot be opened.
    """
    door = door or Door(centres=(centre,))
    with Opened(path) as opened:
        watch(opened)
        if opened.head.lstrip().startswith(b"["):
            yield from _read_events(opened, _objects(opened.pieces()), door)
            return
        lines, what = enumerate(opened.lines(), 1), None
        head: list[tuple[int, bytes]] = []
        for number, line in lines:
            head.append((number, line))
            if (what := kind(line)) or len(head) == _LOOK:
                break
        match what:
            case "events":
                yield from _read_events(opened, _told_as_json(head, lines), door)
            case "queue_log":
                reader = asterisk.Reader(centre, f"/{centre.code}/asterisk", door)
                yield from _read_queue_log(chain(head, lines), reader)
            case None if any(line and not line.isspace() for _, line in head):
                opened.refuse_bytes()
                raise UnknownFileError(
                    f"{path}: neither events (a JSON object a line) nor a queue_log (time|callid|queue|agent|event); "
                    "for a table use: pantau112 ingest table"
                )


def _told_as_json(head: list[tuple[int, bytes]], lines: Iterator[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    """Each object with the number of its first line: a line each, or over many lines, as the first one and the next tell."""
    first = head[-1][1].rstrip()
    after = next(lines, None) if not first.endswith(b"}") else None
    head = [*head, *([after] if after else [])]
    if after and not after[1].lstrip().startswith(b"{"):
        return _objects(line + b"\n" for _, line in chain(head, lines))
    return ((number, line) for number, line in chain(head, lines) if line and not line.isspace())


def _objects(pieces: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """The outermost objects of a JSON text that comes in pieces, whatever stands between them, each with the line it begins on.

    One that does not end is cut where the next begins on a line of its own, or at the size of the largest event.
    """
    number, depth, start, told = 1, 0, 1, b""
    in_string, fresh, skip = False, True, 0  # fresh: nothing but spaces yet in this line
    for piece in pieces:
        begin, at = 0, skip
        skip = 0
        while found := (_IN_STRING if in_string else _OUTSIDE).search(piece, at):
            token, before, at = found[0], piece[at : found.start()], found.end()
            fresh = fresh and (not before or before.isspace())
            if token == b"\n":
                number, in_string, fresh = number + 1, False, True
                continue
            if token == b"\\":
                at += 1
            elif token == b'"':
                in_string = not in_string
            elif token == b"{":
                if depth and (fresh or len(told) + found.start() - begin > LARGEST):
                    yield start, told + piece[begin : found.start()]
                    depth = 0
                if not depth:
                    start, told, begin = number, b"", found.start()
                depth += 1
            elif depth:
                depth -= 1
                if not depth:
                    yield start, told + piece[begin:at]
            fresh = False
        skip = max(0, at - len(piece))
        if depth and len(told) <= LARGEST:
            told += piece[begin:]
    if depth:
        yield start, told


def _read_events(opened: Opened, told: Iterator[tuple[int, bytes]], door: Door) -> Iterator[Line]:
    number, reasons = 0, set()
    try:
        for number, text in told:
            item = decode_recording(text)
            if isinstance(item, Event):
                if (admitted := door.admit(item)) is not None:
                    yield Line(number, admitted)
                break
            yield Line(number, item)
            if isinstance(item, UnknownType):
                break
            reasons.add(item.reason)
        else:
            what = "no line of it is JSON" if reasons == {"not_json"} else "JSON lines, but no events"
            raise UnknownFileError(f"{opened.name}: {what}; what an event is stands in schemas/README.md")
        admit = door.admit
        for number, text in told:
            item = decode_recording(text)
            # By the exact types, because asking whether it is an Event is a tenth of reading one.
            if type(item) is Refusal or type(item) is UnknownType:
                yield Line(number, item)
            elif (admitted := admit(item)) is not None:  # type: ignore[arg-type]
                yield Line(number, admitted)
    except BrokenFileError:
        yield Line(number + 1, Refusal("empty", "the gzip file breaks off here"))


def _read_queue_log(lines: Iterable[tuple[int, bytes]], reader: asterisk.Reader) -> Iterator[Line]:
    number, broken = 0, False
    try:
        for number, line in lines:
            try:
                told = reader.read(line)
            except asterisk.MalformedError as malformed:
                yield Line(number, Refusal("invalid_data", str(malformed)))
            else:
                for at, events in told:
                    for event in events:
                        yield Line(at, event)
    except BrokenFileError:
        broken = True
    yield from (Line(at, event) for at, events in reader.rest() for event in events)
    if broken:
        yield Line(number + 1, Refusal("empty", "the gzip file breaks off here"))

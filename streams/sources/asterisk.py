"""Asterisk's queue_log: lines in, events out. https://docs.asterisk.org/Configuration/Applications/Queue-Logs/

A line is `time|callid|queue|agent|verb|data1|data2|…`. Waiting is counted from queue entry: the log knows no earlier moment.
The time is seconds since 1970 or, where the log is kept in a database (`queue_log => odbc`), the exchange's local date and time.
A table of such a database, exported with its header, is read as well.

An event's id is a hash of what the event says, so that the same line gives the same id wherever it stands: read again,
after a rotation, or from the middle of a file. Two identical lines count once, and rightly: they tell the same fact. The
caller is no part of the id, because a telephone number could be guessed from a hash without a key.

What an exchange that shuts down in order writes last (ABANDON of whoever waits, COMPLETE of whoever talks, though neither did
anything) looks like any other until QUEUESTART follows. So such a line, and what comes behind it, is held until that is known.

Verbs are Asterisk's (`app_queue.c`), and those that Wazo, QueueMetrics and VICIdial add. What says nothing of calls or seats is
passed over and counted: that a caller was put on hold, which number was dialled, that rules were read anew. So are AGENTDUMP
and SYSCOMPAT, after which the caller waits on or an ABANDON follows, and OUTCALL, which tells an outbound call when it is over.
"""

import csv
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError

from schemas.calls import (
    CallAbandoned,
    CallAnswered,
    CallClassified,
    CallEnded,
    CallOffered,
    CallOverflowed,
    CallTransferred,
    ExchangeRestarted,
)
from schemas.event import Event
from schemas.operators import (
    OperatorLoggedIn,
    OperatorLoggedOut,
    OperatorPaused,
    OperatorResumed,
    OperatorRingNoAnswer,
    OperatorWrapUpStarted,
)
from streams.core import classes
from streams.core.centre import Centre
from streams.sources.door import UNNAMED_SEAT, Door, looks_personal
from streams.sources.pseudonym import extension, is_telephone

LONGEST = 4096
"""Bytes of a line; real ones have about 80."""

SHUTDOWN = timedelta(seconds=2)
"""So long before a restart, what ends calls was written by the shutdown."""

HELD = 1_000
"""The most lines that are held: no exchange writes so many within `SHUTDOWN`."""

Told = tuple[int, Sequence[Event]]
"""What a line tells, and its number, counted from the first line that the reader read."""

_NOBODY = frozenset(("", "NONE", "REALTIME", "MANAGER", "CLI"))
_TIME = re.compile(r"[0-9]{1,10}(\.[0-9]{1,9})?", re.ASCII)
_LOCAL = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([+-][0-9]{2}(:?[0-9]{2})?|Z)?", re.ASCII
)
_VERB = re.compile(r"[A-Z][A-Z0-9_]{1,23}", re.ASCII)
# Who calls from inside: a seat that consults, an office. Nothing but zeros is a number withheld.
_EXTENSION = re.compile(r"(?!0+$)[0-9]{2,5}", re.ASCII)
_DAY = 86_400
_DIGITS = len(str(_DAY))
_VERBS = 64
_QUEUES = 256
_SEATS = 1024
_COLUMNS = ("time", "callid", "queuename", "agent", "event")
# As QueueMetrics' table has them, which VICIdial fills too.
_ALSO = {"time_id": "time", "call_id": "callid", "queue": "queuename", "verb": "event"}

_ENDED_BY = {"COMPLETEAGENT": "seat", "COMPLETECALLER": "caller"}
_ENDS = frozenset(("ABANDON", *_ENDED_BY))
_OVERFLOWED = {
    "EXITEMPTY": "empty",
    "LEAVEEMPTY": "empty",
    "EXITWITHTIMEOUT": "timeout",
    "EXITWITHKEY": "key",
    "WITHDRAW": "withdrawn",
}
# Wazo's: refused at the door, so that no ENTERQUEUE comes.
_REFUSED = {"FULL": "full", "JOINEMPTY": "empty", "CLOSED": "empty", "DIVERT_CA_RATIO": "full", "DIVERT_HOLDTIME": "full"}
_OPERATOR: dict[str, type[Event]] = {
    "AGENTLOGIN": OperatorLoggedIn,
    "AGENTCALLBACKLOGIN": OperatorLoggedIn,
    "ADDMEMBER": OperatorLoggedIn,
    "ADDMEMBER2": OperatorLoggedIn,
    "AGENTLOGOFF": OperatorLoggedOut,
    "AGENTCALLBACKLOGOFF": OperatorLoggedOut,
    "REMOVEMEMBER": OperatorLoggedOut,
    "PAUSE": OperatorPaused,
    "PAUSEALL": OperatorPaused,
    "PAUSEREASON": OperatorPaused,
    "UNPAUSE": OperatorResumed,
    "UNPAUSEALL": OperatorResumed,
    "RINGNOANSWER": OperatorRingNoAnswer,
    "WRAPUPSTART": OperatorWrapUpStarted,
}
# These are of all queues of a seat, whichever queue the line names.
_EVERYWHERE = frozenset(
    ("AGENTLOGIN", "AGENTCALLBACKLOGIN", "AGENTLOGOFF", "AGENTCALLBACKLOGOFF", "PAUSEALL", "UNPAUSEALL", "PAUSEREASON")
)
_CALL: tuple[type[Event], ...] = (
    CallOffered,
    CallAnswered,
    CallEnded,
    CallAbandoned,
    CallTransferred,
    CallOverflowed,
    CallClassified,
    ExchangeRestarted,
)
# What `model_validate` does; that itself costs a fifth more.
_MAKE: dict[type[Event], Callable[[Any], Event]] = {
    kind: TypeAdapter(kind).validator.validate_python for kind in (*_CALL, *_OPERATOR.values())
}


class MalformedError(ValueError):
    """A line that is none of a queue_log; the message never repeats what the line holds."""


class Reader:
    """Reads the queue_log of one exchange, plain or as a table with a header, for one centre.

    `passed_over` counts the lines that say nothing of calls or seats, by verb, and what else is not told; `lines` all of them.
    """

    def __init__(self, centre: Centre, source: str, door: Door | None = None) -> None:
        self._door = door or Door(centres=(centre,))
        self.passed_over = self._door.passed_over
        self._centre = centre.code
        self._zone = centre.timezone
        self._classes = centre.names.classes
        self._neighbours = centre.names.neighbours
        self._source = source
        self._table: _Table | None = None
        self._queues: dict[str, tuple[str, str | None]] = {}
        self._seats: dict[str, str | None] = {}
        # What is not told yet, each with its time where it ends a call.
        self._held: deque[tuple[datetime | None, Told]] = deque()
        self.lines = 0
        self._epoch: str | None = None
        self._time = datetime.fromtimestamp(0, UTC)

    @property
    def held(self) -> int:
        """How many of the lines read last are not told yet, beginning with the first that is held."""
        return self.lines - self._held[0][1][0] + 1 if self._held else 0

    def read(self, line: str | bytes) -> Sequence[Told]:
        """What is told now that one more line is known: mostly its own event. Raises `MalformedError`, which holds nothing up."""
        self.lines += 1
        if len(line) > LONGEST:
            raise MalformedError(f"longer than {LONGEST} bytes")
        text = (line if isinstance(line, str) else decode(line)).removeprefix("\ufeff").strip("\r\n")
        if not text or text.isspace():
            return ()
        parts = text.split("|") if self._table is None else self._table.parts(text)
        if len(parts) < 5 or parts[0] != self._epoch:
            moment = self._moment(parts[0])
            if moment is None and (table := table_of(text)) is not None:
                self._table = table
                return ()
            if len(parts) < 5:
                raise MalformedError(f"{len(parts)} fields; at least time|callid|queue|agent|event are needed")
            if moment is None:
                raise MalformedError("field time: neither seconds since 1970 nor a date and time such as 2026-01-05 15:00:00")
            self._epoch, self._time = parts[0], moment
        try:
            call, queue, agent, verb = parts[1:5]
            events = self._events(call, queue, agent, verb, parts[5:])
        except ValidationError as invalid:
            error = invalid.errors(include_url=False, include_input=False, include_context=False)[0]
            # Pydantic's own sentences can quote the input; its type names cannot.
            field = ".".join(str(part) for part in error["loc"])
            raise MalformedError(f"field {field}: {error['type'].replace('_', ' ')}") from None
        told = self.lines, events
        return self._hold(verb, told) if self._held or verb in _ENDS else (told,)

    def rest(self) -> Sequence[Told]:
        """What is held, when nothing more comes."""
        told = [told for _, told in self._held]
        self._held.clear()
        return told

    def _hold(self, verb: str, told: Told) -> Sequence[Told]:
        held, now = self._held, self._time
        if verb == "QUEUESTART":
            before = [self._at_shutdown(each) if ends and abs(now - ends) <= SHUTDOWN else each for ends, each in held]
            held.clear()
            return [*before, told]
        held.append((now if verb in _ENDS else None, told))
        free = []
        while held and ((ends := held[0][0]) is None or abs(now - ends) > SHUTDOWN or len(held) > HELD):
            free.append(held.popleft()[1])
        return free

    def _at_shutdown(self, told: Told) -> Told:
        """What a shutdown wrote: nobody gave up, and nobody ended the conversation."""
        number, (event,) = told
        if isinstance(event, CallEnded):
            return number, (event.model_copy(update={"data": event.data.model_copy(update={"by": None})}),)
        return number, self._pass_over("ABANDON of a shutdown")

    def _moment(self, text: str) -> datetime | None:
        if _TIME.fullmatch(text):
            return datetime.fromtimestamp(float(text), UTC)
        if not _LOCAL.fullmatch(text):
            return None
        try:
            moment = datetime.fromisoformat(text)
            return (moment if moment.tzinfo else moment.replace(tzinfo=self._zone)).astimezone(UTC)
        except (ValueError, OverflowError):
            return None

    def _events(self, call: str, queue: str, agent: str, verb: str, data: list[str]) -> Sequence[Event]:
        match verb:
            case "ENTERQUEUE":
                if len(data) < 2 or not (number := data[1]):
                    return (self._offered(call, queue),)
                if _EXTENSION.fullmatch(number):
                    return (self._offered(call, queue, direction="internal"),)
                return (self._offered(call, queue, self._door.caller(number)),)
            case "CONNECT":
                return (self._of_call(CallAnswered, call, queue, {"seat": self._seat(agent)}),)
            case "COMPLETECALLER" | "COMPLETEAGENT":
                facts = {"by": _ENDED_BY[verb], "seat": self._seat(agent), "talk_seconds": _seconds(data, 1)}
                return (self._of_call(CallEnded, call, queue, facts),)
            case "ABANDON":
                return (self._of_call(CallAbandoned, call, queue, {}),)
            case "TRANSFER" | "BLINDTRANSFER":
                return (self._transferred(call, queue, agent, _seconds(data, 3), self._destination(data[0]) if data else None),)
            case "ATTENDEDTRANSFER":
                # Two channels are linked, where else one thing is named.
                return (self._transferred(call, queue, agent, _seconds(data, 4 if data[:1] == ["LINK"] else 3)),)
            case "CALLSTATUS" | "DISPOSITION":
                if data and data[0].strip():
                    return (self._of_call(CallClassified, call, queue, {"class": classes.told(data[0], self._classes)}),)
                return self._pass_over(f"{verb} of no class")
            case "CALLOUTBOUND":
                return (self._offered(call, queue, direction="outbound"),)
            case "QUEUESTART":
                return (self._event(ExchangeRestarted, {}, "", None),)
            case _ if reason := _OVERFLOWED.get(verb):
                return (self._of_call(CallOverflowed, call, queue, {"reason": reason}),)
            case _ if reason := _REFUSED.get(verb):
                return (self._offered(call, queue), self._of_call(CallOverflowed, call, queue, {"reason": reason}))
            case _ if kind := _OPERATOR.get(verb):
                return self._of_seat(kind, verb, call, "" if verb in _EVERYWHERE or queue == "NONE" else queue, agent, data)
            case _:
                known = _VERB.fullmatch(verb) and (verb in self.passed_over or len(self.passed_over) < _VERBS)
                return self._pass_over(verb if known else "unknown verb")

    def _of_seat(self, kind: type[Event], verb: str, call: str, queue: str, agent: str, data: list[str]) -> Sequence[Event]:
        if agent in _NOBODY:
            if verb in ("PAUSEALL", "UNPAUSEALL"):
                return self._pass_over(f"{verb} of no seat")
            raise MalformedError("field agent: missing")
        name = self._seat(agent)
        if name is None:
            return ()
        first = data[0] if data else ""
        facts: dict[str, Any] = {"seat": name}
        if kind is OperatorPaused and first:
            facts["reason"] = self._door.code(self._centre, "reason", first)
        elif kind is OperatorRingNoAnswer:
            facts["call"] = None if call in _NOBODY else call
            # Milliseconds, alone in this log.
            facts["ring_seconds"] = int(first) / 1000 if re.fullmatch(r"[0-9]{1,7}", first, re.ASCII) else None
        elif kind is OperatorWrapUpStarted:
            seconds = facts["seconds"] = _seconds(data, 0)
            if seconds == 0:
                return self._pass_over(f"{verb} of no time")
        apart, code = self._queue(queue)
        event = self._event(kind, facts, apart, code)
        # Asterisk also writes an empty field where a member is not paused.
        if kind is OperatorLoggedIn and first == "PAUSED":
            return event, self._event(OperatorPaused, {"seat": name}, apart, code)
        return (event,)

    def _offered(self, call: str, queue: str, caller: dict[str, str] | None = None, direction: str = "inbound") -> Event:
        if not queue:
            raise MalformedError("field queue: missing")
        apart, code = self._queue(queue)
        facts = {"queue": code or queue, "clock": "queue", "call": self._call(call)}
        if direction != "inbound":
            facts["direction"] = direction
        return self._event(CallOffered, facts, apart, None, caller)

    def _transferred(self, call: str, queue: str, agent: str, talk_seconds: float | None, to: str | None = None) -> Event:
        facts = {"to": to, "seat": self._seat(agent), "talk_seconds": talk_seconds}
        return self._of_call(CallTransferred, call, queue, facts)

    def _of_call(self, kind: type[Event], call: str, queue: str, facts: dict[str, Any]) -> Event:
        facts["call"] = self._call(call)
        apart, code = self._queue(queue)
        return self._event(kind, facts, apart, None if kind is CallClassified else code)

    def _event(
        self, kind: type[Event], facts: dict[str, Any], apart: str, queue: str | None, caller: dict[str, str] | None = None
    ) -> Event:
        """One event, its id made from its time, `facts`, and what tells its queue `apart` from others."""
        said = f"{self._epoch}|{kind.__name__}|{apart}|{'|'.join(map(str, facts.values()))}"
        if queue is not None:
            facts["queue"] = queue
        facts |= caller or {}
        return _MAKE[kind](
            {
                "id": blake2b(said.encode("utf-8", "replace"), digest_size=8).hexdigest(),
                "source": self._source,
                "subject": self._centre,
                "time": self._time,
                "data": facts,
            }
        )

    def _queue(self, queue: str) -> tuple[str, str | None]:
        """What tells a queue from others in an id, and its code, where the line names one.

        In an id stands its own spelling, unless that may be somebody's, which could be guessed.
        """
        try:
            return self._queues[queue]
        except KeyError:
            if len(self._queues) >= _QUEUES:
                self._queues.clear()
            code = None if queue in ("", "NONE") else self._door.code(self._centre, "queue", queue)
            self._queues[queue] = found = (str(code) if looks_personal(queue) else queue, code)
            return found

    def _call(self, call: str) -> str:
        if call in _NOBODY:
            raise MalformedError("field callid: missing")
        if is_telephone(call):
            raise MalformedError("field callid: a telephone number, which is no call's id")
        return call

    def _destination(self, exten: str) -> str | None:
        """Whom a call was passed on to: a neighbour's code, or an extension; None for what may be somebody's number."""
        code = self._neighbours[exten]
        return code if code in self._neighbours.known else extension(exten)

    def _seat(self, agent: str) -> str | None:
        try:
            seat = self._seats[agent]
        except KeyError:
            if len(self._seats) >= _SEATS:
                self._seats.clear()
            self._seats[agent] = seat = None if agent in _NOBODY else self._door.seat(self._centre, agent)
        if seat is None and agent not in _NOBODY:
            self.passed_over[UNNAMED_SEAT] += 1
        return seat

    def _pass_over(self, what: str) -> Sequence[Event]:
        self.passed_over[what] += 1
        return ()


def _seconds(data: list[str], index: int) -> float | None:
    """One of the data of a line, where it is a number of seconds within a day."""
    if index < len(data) and len(text := data[index]) <= _DIGITS and text.isdecimal() and (seconds := float(text)) <= _DAY:
        return seconds
    return None


class _Table(NamedTuple):
    """A queue_log kept in a database, as it is exported: which of a row's cells is which part of a line."""

    delimiter: str
    columns: tuple[int, ...]

    def parts(self, text: str) -> list[str]:
        """The parts of the line that a row is. All data may stand in one cell, as they do in a line."""
        try:
            row = next(csv.reader((text,), delimiter=self.delimiter))
        except csv.Error:
            row = []
        cells = [row[column].strip() if column < len(row) else "" for column in self.columns]
        return cells if len(cells) != len(_COLUMNS) + 1 else [*cells[:-1], *cells[-1].split("|")]


def table_of(text: str) -> _Table | None:
    """What a header says of the rows below it; None for what is no header of a queue_log."""
    for delimiter in "\t,;|":
        written = [name.strip(" \"'").lower() for name in text.split(delimiter)]
        names = [_ALSO.get(name, name) for name in written]
        if set(_COLUMNS) <= set(names):
            data = sorted(name for name in names if re.fullmatch(r"data[1-5]", name)) or [
                name for name in names if name == "data"
            ]
            return _Table(delimiter, tuple(names.index(name) for name in (*_COLUMNS, *data)))
    return None


def events(
    lines: Iterable[str | bytes],
    centre: Centre,
    source: str,
    door: Door | None = None,
    *,
    on_bad: Callable[[int, str], None],
    first_line: int = 1,
) -> Iterator[Event]:
    """The events of `lines`, in their order; `on_bad` is told the number and the fault of each line that is malformed."""
    reader = Reader(centre, source, door)
    for number, line in enumerate(lines, first_line):
        try:
            told = reader.read(line)
        except MalformedError as malformed:
            on_bad(number, str(malformed))
        else:
            for _, found in told:
                yield from found
    for _, found in reader.rest():
        yield from found


def decode(line: bytes) -> str:
    """Text of any bytes: UTF-8, or Latin-1 where it is none. Never raises."""
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("latin-1")

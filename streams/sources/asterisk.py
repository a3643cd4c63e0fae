"""Asterisk's queue_log: lines in, events out. https://docs.asterisk.org/Configuration/Applications/Queue-Logs/

A line is `time|callid|queue|agent|verb|data1|data2|…`. Waiting is counted from queue entry: the log knows no earlier moment.
The time is seconds since 1970 or, where the log is kept in a database (`queue_log => odbc`), the exchange's local date and time.
A table of such a database, exported with its header, is read as well.

An event's id is a hash of what the event says, so that the same line gives the same id wherever it stands: read again,
after a rotation, or from the middle of a file. Two identical lines count once, and rightly: they tell the same fact. The
caller is no part of the id, because a telephone number could be guessed from a hash without a key.

Verbs are Asterisk's (`app_queue.c`), and those that Wazo, QueueMetrics and VICIdial add. What says nothing of calls or seats is
passed over and counted: that a caller was put on hold, which number was dialled, that rules were read anew. So are AGENTDUMP
and SYSCOMPAT, after which the caller waits on or an ABANDON follows, and OUTCALL, which tells an outbound call when it is over.
"""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, NamedTuple

from pydantic import ValidationError

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
from streams.sources.pseudonym import extension

LONGEST = 4096
"""Bytes of a line; real ones have about 80."""

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

_ENDED_BY = {"COMPLETEAGENT": "seat", "COMPLETECALLER": "caller"}
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


class MalformedError(ValueError):
    """A line that is none of a queue_log; the message never repeats what the line holds."""


class Reader:
    """Reads the queue_log of one exchange, plain or as a table with a header, for one centre.

    `passed_over` counts the lines that say nothing of calls or seats, by verb.
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
        self._epoch = ""
        self._time = datetime.fromtimestamp(0, UTC)

    def read(self, line: str | bytes) -> Sequence[Event]:
        """The events that one line tells: mostly one, none for an empty or passed-over line. Raises `MalformedError`."""
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
            return self._events(call, queue, agent, verb, parts[5:])
        except ValidationError as invalid:
            error = invalid.errors(include_url=False, include_input=False, include_context=False)[0]
            # Pydantic's own sentences can quote the input; its type names cannot.
            field = ".".join(str(part) for part in error["loc"])
            raise MalformedError(f"field {field}: {error['type'].replace('_', ' ')}") from None

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
                return (self._event(ExchangeRestarted, {}, ""),)
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
            return self._pass_over(UNNAMED_SEAT)
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
        event = self._event(kind, facts, apart, queue=code)
        # Asterisk also writes an empty field where a member is not paused.
        if kind is OperatorLoggedIn and first == "PAUSED":
            return event, self._event(OperatorPaused, {"seat": name}, apart, queue=code)
        return (event,)

    def _offered(self, call: str, queue: str, caller: str | None = None, direction: str = "inbound") -> Event:
        if not queue:
            raise MalformedError("field queue: missing")
        apart, code = self._queue(queue)
        facts = {"queue": code or queue, "clock": "queue", "call": self._call(call)}
        if direction != "inbound":
            facts["direction"] = direction
        return self._event(CallOffered, facts, apart, caller=caller)

    def _transferred(self, call: str, queue: str, agent: str, talk_seconds: float | None, to: str | None = None) -> Event:
        facts = {"to": to, "seat": self._seat(agent), "talk_seconds": talk_seconds}
        return self._of_call(CallTransferred, call, queue, facts)

    def _of_call(self, kind: type[Event], call: str, queue: str, facts: dict[str, Any]) -> Event:
        facts["call"] = self._call(call)
        apart, code = self._queue(queue)
        return self._event(kind, facts, apart) if kind is CallClassified else self._event(kind, facts, apart, queue=code)

    def _event(self, kind: type[Event], facts: dict[str, Any], apart: str, **beside: str | None) -> Event:
        """One event. Its id is made from its time, the queue's name and `facts`, and not from what is said `beside` them."""
        said = f"{self._epoch}|{kind.__name__}|{apart}|{'|'.join(map(str, facts.values()))}"
        facts |= beside
        return kind.model_validate(
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
        return call

    def _destination(self, exten: str) -> str | None:
        """Whom a call was passed on to: a neighbour's code, or an extension; None for what may be somebody's number."""
        code = self._neighbours[exten]
        return code if code in self._neighbours.known else extension(exten)

    def _seat(self, agent: str) -> str | None:
        try:
            return self._seats[agent]
        except KeyError:
            if len(self._seats) >= _SEATS:
                self._seats.clear()
            self._seats[agent] = found = None if agent in _NOBODY else self._door.seat(self._centre, agent)
            return found

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
        """The parts of the line that a row is."""
        row = next(csv.reader((text,), delimiter=self.delimiter), [])
        return [row[column] for column in self.columns if column < len(row)]


def table_of(text: str) -> _Table | None:
    """What a header says of the rows below it; None for what is no header of a queue_log."""
    for delimiter in "\t,;|":
        names = [name.strip(" \"'").lower() for name in text.split(delimiter)]
        if set(_COLUMNS) <= set(names):
            data = sorted(name for name in names if re.fullmatch(r"data[1-5]", name))
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
            found = reader.read(line)
        except MalformedError as malformed:
            on_bad(number, str(malformed))
        else:
            yield from found


def decode(line: bytes) -> str:
    """Text of any bytes: UTF-8, or Latin-1 where it is none. Never raises."""
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("latin-1")

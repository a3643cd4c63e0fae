"""Asterisk's queue_log: lines in, events out. https://docs.asterisk.org/Configuration/Applications/Queue-Logs/

A line is `time|callid|queue|agent|verb|data1|data2|…`. Waiting is counted from queue entry: the log knows no earlier moment.
The time is seconds since 1970 or, where the log is kept in a database (`queue_log => odbc`), the exchange's local date and time.
A table of such a database, exported with its header, is read as well.

An event's id is a hash of what the event says, so that the same line gives the same id wherever it stands: read again,
after a rotation, or from the middle of a file. Two identical lines count once, and rightly: they tell the same fact. The
caller is no part of the id, because a telephone number could be guessed from a hash without a key.

A seat is logged in or not, whatever queues it serves: REMOVEMEMBER from one of several queues logs it out.
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
)
from schemas.event import Event
from schemas.operators import (
    OperatorLoggedIn,
    OperatorLoggedOut,
    OperatorPaused,
    OperatorResumed,
    OperatorRingNoAnswer,
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
_VERBS = 64
_QUEUES = 256
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
_REFUSED = {"FULL": "full", "JOINEMPTY": "empty", "CLOSED": "empty"}
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
}


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
        self._source = source
        self._table: _Table | None = None
        self._queues: dict[str, str] = {}
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
                number = self._door.caller(data[1]) if len(data) > 1 and data[1] else None
                return (self._offered(call, queue, number),)
            case "CONNECT":
                return (self._of_call(CallAnswered, call, queue, {"seat": self._seat(agent)}),)
            case "COMPLETECALLER" | "COMPLETEAGENT":
                return (self._of_call(CallEnded, call, queue, {"by": _ENDED_BY[verb]}),)
            case "ABANDON":
                return (self._of_call(CallAbandoned, call, queue, {}),)
            case "TRANSFER" | "BLINDTRANSFER":
                return (self._of_call(CallTransferred, call, queue, {"to": extension(data[0]) if data else None}),)
            case "ATTENDEDTRANSFER":
                return (self._of_call(CallTransferred, call, queue, {}),)
            case "CALLSTATUS" | "DISPOSITION":
                if data and data[0].strip():
                    return (self._of_call(CallClassified, call, queue, {"class": classes.told(data[0], self._classes)}),)
                return self._pass_over(f"{verb} of no class")
            case _ if reason := _OVERFLOWED.get(verb):
                return (self._of_call(CallOverflowed, call, queue, {"reason": reason}),)
            case _ if reason := _REFUSED.get(verb):
                return (self._offered(call, queue), self._of_call(CallOverflowed, call, queue, {"reason": reason}))
            case _ if kind := _OPERATOR.get(verb):
                return self._of_seat(kind, verb, call, agent, data)
            case _:
                known = _VERB.fullmatch(verb) and (verb in self.passed_over or len(self.passed_over) < _VERBS)
                return self._pass_over(verb if known else "unknown verb")

    def _of_seat(self, kind: type[Event], verb: str, call: str, agent: str, data: list[str]) -> Sequence[Event]:
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
        event = self._event(kind, facts, "")
        # Asterisk also writes an empty field where a member is not paused.
        if kind is OperatorLoggedIn and first == "PAUSED":
            return event, self._event(OperatorPaused, {"seat": name}, "")
        return (event,)

    def _offered(self, call: str, queue: str, caller: str | None = None) -> Event:
        if not queue:
            raise MalformedError("field queue: missing")
        facts = {"queue": self._door.code(self._centre, "queue", queue), "clock": "queue"}
        return self._of_call(CallOffered, call, queue, facts, caller)

    def _of_call(self, kind: type[Event], call: str, queue: str, facts: dict[str, Any], caller: str | None = None) -> Event:
        if call in _NOBODY:
            raise MalformedError("field callid: missing")
        facts["call"] = call
        return self._event(kind, facts, queue, caller)

    def _event(self, kind: type[Event], facts: dict[str, Any], queue: str, caller: str | None = None) -> Event:
        said = f"{self._epoch}|{kind.__name__}|{self._apart(queue)}|{'|'.join(map(str, facts.values()))}"
        if caller is not None:
            facts["caller"] = caller
        return kind.model_validate(
            {
                "id": blake2b(said.encode("utf-8", "replace"), digest_size=8).hexdigest(),
                "source": self._source,
                "subject": self._centre,
                "time": self._time,
                "data": facts,
            }
        )

    def _apart(self, queue: str) -> str:
        """What tells a queue from others in an id: its own spelling, unless that may be somebody's, which could be guessed."""
        if queue not in self._queues:
            if len(self._queues) >= _QUEUES:
                self._queues.clear()
            self._queues[queue] = str(self._door.code(self._centre, "queue", queue)) if looks_personal(queue) else queue
        return self._queues[queue]

    def _seat(self, agent: str) -> str | None:
        return None if agent in _NOBODY else self._door.seat(self._centre, agent)

    def _pass_over(self, what: str) -> Sequence[Event]:
        self.passed_over[what] += 1
        return ()


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

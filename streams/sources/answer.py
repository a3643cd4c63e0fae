"""What a query over a table says, as events: one row of its answer each.

Numbers and names become hashes and codes at the door, as of every other source. No fault repeats a cell. How a table is read, and
how a query is run, is not known here.
"""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import blake2b
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError

from schemas.event import TOO_LATE, Event
from schemas.survey import SurveyAnswered
from schemas.topics import EVENT_TYPES
from streams.core import classes
from streams.core.centre import Centre
from streams.core.names import OTHER, Names
from streams.sources.door import UNNAMED_SEAT, Door, Kind, is_code
from streams.sources.pseudonym import is_telephone

ENDS = (
    "call.abandoned",
    "call.blocked",
    "call.ended",
    "call.lost",
    "call.network_dropped",
    "call.overflowed",
    "call.transferred",
)
"""What a call is over with."""
BEGINS = {"call": "call.offered", "ticket": "ticket.opened"}
"""The first event of each story, by the field that names the story; none of the others may be before it."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_UNREADABLE = 0
"""Microseconds that `_written` of macros.sql says of text that is no time."""
_TWO_CLOCKS = 60
"""Seconds that two clocks of one row may differ."""
_OWN = ("type", "time", "id", "source", "line")
_NAMES = {"link": "links", "gauge": "gauges", "category": "categories", "opd": "opds"}
_IDS = frozenset(("call", "journey", "ticket"))
_TYPED = frozenset(("category", "opd"))
_KINDS: dict[str, Kind] = {"queue": "queue", "reason": "reason", "to": "to"}
_ITEM = re.compile(r"(pemahaman_program|tepat_sasaran|tepat_waktu|tercapainya_tujuan|perubahan_nyata)\.[1-9]|u[1-9]")
_NUMBER = re.compile(r"([+-]?[0-9]{1,12})(?:[.,]([0-9]{1,9}))?(?:\s*(mm|cm|m))?", re.ASCII | re.IGNORECASE)
_SAID = {
    "missing": "says nothing; leave such rows out by WHERE … IS NOT NULL",
    "string_pattern_mismatch": "no code; code(…) makes one of any text",
    "less_than_equal": "too large",
    "greater_than_equal": "too small",
}
_CENTIMETRES = {"mm": 0.1, "cm": 1.0, "m": 100.0}


class MappingError(ValueError):
    """A query that cannot be used on this table; the message says why and never repeats a cell."""


class RowError(ValueError):
    """An event that cannot be told; the message names the column and never repeats the cell."""


class Column(NamedTuple):
    """A column of an answer, and DuckDB's name of its type."""

    name: str
    type: str

    @property
    def kept(self) -> str:
        """How it is kept, in SQL: moments in microseconds, numbers as they are, all else as text."""
        name, kind = quoted(self.name), self.type
        if self.name == "line":
            return name
        if self.name == "time" or self.name in _TIMES:
            if kind == "TIMESTAMP WITH TIME ZONE":
                return f"_micros({name}) AS {name}"
            if kind.startswith("TIMESTAMP") or kind == "DATE":
                return f"_micros({name}::TIMESTAMP::TIMESTAMPTZ) AS {name}"
            return f"_written({name}::VARCHAR) AS {name}"
        return name if kind in {"DOUBLE", "FLOAT"} else f"nullif(trim({name}::VARCHAR), '') AS {name}"


class _Plan(NamedTuple):
    """How events of one type are made: by which cells of a row, and what each is read by."""

    make: Callable[[Any], Event]
    cells: list[tuple[int, str, Callable[[Any], Any]]]
    scores: list[tuple[int, str]]


class Answer:
    """Makes events of what a query says. A row is that of `columns`, and behind them, where it is known, when its story began.

    `source` is the name behind the centre's code in the events' source, where the query gives none; times before `earliest` are
    refused. Moments come in microseconds since 1970, as `Column.kept` keeps them.
    """

    def __init__(self, columns: Sequence[Column], centre: Centre, door: Door, source: str, earliest: datetime) -> None:
        self._centre, self._door, self._source, self._earliest = centre, door, source, earliest
        self._names = [column.name for column in columns]
        at = {name: index for index, name in enumerate(self._names)}
        self._type, self._time = at["type"], at["time"]
        self._id, self._told_source, self._line = at.get("id"), at.get("source"), at.get("line")
        self.has_lines = self._line is not None
        self._plans: dict[str, _Plan] = {}

    def lines(self, row: tuple[Any, ...]) -> list[int]:
        """The lines that a row of the answer is about; none where the query does not say."""
        said = None if self._line is None else row[self._line]
        return [] if said is None else [said] if isinstance(said, int) else [line for line in said if line is not None]

    def event(self, row: tuple[Any, ...]) -> Event | None:
        """The event of a row; None where it says no type or no time, or the door lets nothing in. Raises `RowError`."""
        kind, micros = row[self._type], row[self._time]
        if kind is None or micros is None:
            return None
        if kind not in self._plans:
            self._plan(kind)
        make, plan, scores = self._plans[kind]
        time = self._moment("time", micros)
        if (begun := row[-1]) is not None and (begun - micros) / 1e6 > _TWO_CLOCKS:
            raise RowError(f"{kind} would be before {BEGINS[kind.partition('.')[0]]}")
        data: dict[str, Any] = {}
        for index, field, told in plan:
            if (cell := row[index]) is None:
                continue
            if (value := told(cell)) is not None:
                data[field] = value
            elif field == "seat" and kind.startswith("operator."):
                self._door.passed_over[UNNAMED_SEAT] += 1
                return None
        if scores and (given := {item: _score(item, row[index]) for index, item in scores if row[index] is not None}):
            data["scores"] = given
        caller = data.pop("caller", {})
        facts = "|".join(f"{name}={value}" for name, value in data.items())
        if kind == _SURVEY:
            # Two people can answer alike, and at the same minute.
            facts += f"|{self.lines(row)}"
        said = None if self._id is None else row[self._id]
        source = self._source if self._told_source is None or row[self._told_source] is None else row[self._told_source]
        text = f"{kind}|{time.isoformat()}|{facts}" if said is None else f"{kind}|{said}"
        try:
            return make(
                {
                    "id": blake2b(text.encode("utf-8", "replace"), digest_size=8).hexdigest(),
                    "source": source if source.startswith("/") else f"/{self._centre.code}/{source}",
                    "subject": self._centre.code,
                    "time": time,
                    "data": data | caller,
                }
            )
        except ValidationError as invalid:
            raise RowError(self._refused(kind, invalid)) from None

    @staticmethod
    def _refused(kind: str, invalid: ValidationError) -> str:
        first = invalid.errors(include_url=False, include_input=False, include_context=False)[0]
        what = first["type"]
        field = ".".join(part for part in map(str, first["loc"]) if part not in {"data", "scores", "[key]"})
        where = f", column {field}" if field else ""
        return f"{kind}{where}: {_SAID.get(what) or what.replace('_', ' ')}"

    def _plan(self, kind: str) -> None:
        if kind not in EVENT_TYPES:
            raise RowError("column type: no type of event, such as call.offered")
        data: Any = EVENT_TYPES[kind].model_fields["data"].annotation
        plan, scores = [], []
        for name, field in data.model_fields.items():
            told = field.alias or name
            if told in self._names:
                # A ticket is passed on to an agency, a call to a queue or a neighbour.
                named = "opd" if told == "to" and kind.startswith("ticket.") else told
                plan.append((self._names.index(told), told, self._way(named, repr(field.annotation))))
        if kind == _SURVEY:
            scores = [(index, name) for index, name in enumerate(self._names) if _ITEM.fullmatch(name)]
        # Text, also where the field is a number: not strict.
        make = partial(TypeAdapter(EVENT_TYPES[kind]).validator.validate_python, strict=False)
        self._plans[kind] = _Plan(make, plan, scores)

    def _way(self, field: str, annotation: str) -> Callable[[Any], Any]:
        if field == "caller":
            return self._door.caller
        if field == "seat":
            return lambda text: self._door.seat(self._centre.code, text)
        if field == "class":
            return lambda text: classes.told(text, self._centre.names.classes)
        if field in _KINDS:
            return lambda text: self._door.code(self._centre.code, _KINDS[field], text)
        if field in _NAMES:
            return lambda text: self._named(field, text)
        if field in _IDS:
            return lambda text: _identified(field, text)
        if field in _TIMES:
            return lambda micros: self._moment(field, micros)
        if re.search(r"\b(float|int)\b", annotation):
            return lambda cell: _measured(field, cell)
        return str

    def _named(self, field: str, text: str) -> str:
        names: Names = getattr(self._centre.names, _NAMES[field])
        code = names[text]
        if code not in names.known:
            # A person may have typed anything: figures have a place for what the centre's file does not know.
            code = OTHER if field in _TYPED and not is_code(text) else text
        return str(code)

    def _moment(self, column: str, micros: int) -> datetime:
        if micros == _UNREADABLE:
            raise RowError(f"column {column}: no date and time such as 2026-01-05 15:00:00; other forms are read by strptime(…)")
        try:
            moment = EPOCH + timedelta(microseconds=micros)
        except OverflowError:
            moment = TOO_LATE
        if not self._earliest <= moment < TOO_LATE:
            if moment.year == 1900:
                raise RowError(f"column {column}: a clock without a date")
            raise RowError(f"column {column}: a time that is not between {self._earliest.year} and {TOO_LATE.year}")
        return moment


_SURVEY = SurveyAnswered.model_fields["type"].default


def _fields() -> tuple[frozenset[str], frozenset[str]]:
    """All fields that events have, and those of them that are moments."""
    every: dict[str, str] = {}
    for model in EVENT_TYPES.values():
        data: Any = model.model_fields["data"].annotation
        every |= {field.alias or name: repr(field.annotation) for name, field in data.model_fields.items()}
    # What is made of a caller's number no table has.
    every = {name: said for name, said in every.items() if not name.startswith("caller_")}
    return frozenset(every), frozenset(name for name, said in every.items() if "datetime" in said.lower())


_FIELDS, _TIMES = _fields()


def check(columns: Sequence[Column]) -> None:
    """Raises `MappingError` where a query gives what is no event's, or not what every event has."""
    names = [column.name for column in columns]
    for name in ("type", "time"):
        if name not in names:
            raise MappingError(f"gives no column {name}")
    for column in columns:
        if names.count(column.name) > 1:
            raise MappingError(f"gives {names.count(column.name)} columns {column.name}")
        if column.name not in _OWN and column.name not in _FIELDS and not _ITEM.fullmatch(column.name):
            raise MappingError(f"column {column.name}: no event has such a field; there are {', '.join(sorted(_FIELDS))}")
        if column.name == "line" and column.type not in {"BIGINT", "BIGINT[]"}:
            raise MappingError("column line: is that of rows as it stands there, or list(line) of several")
        if column.name in {"time", *_TIMES} and column.type.startswith(("TIME", "INTERVAL")) and "STAMP" not in column.type:
            raise MappingError(f"column {column.name}: a clock without a date; add it to a date")


def quoted(name: str) -> str:
    """A name in SQL."""
    return '"' + name.replace('"', '""') + '"'


def _measured(field: str, cell: str | float) -> float:
    """A number as people write it, in the field's own unit."""
    if isinstance(cell, float):
        return cell
    found = _NUMBER.fullmatch(cell)
    if found is None or (found[3] and not field.endswith("centimetres")) or _is_ambiguous(cell):
        raise RowError(f"column {field}: no number such as 70.5 or 70,5")
    return float(f"{found[1]}.{found[2] or 0}") * _CENTIMETRES[(found[3] or "cm").lower()]


def _identified(field: str, text: str) -> str:
    if is_telephone(text):
        raise RowError(f"column {field}: a telephone number; give the id that the system gave it")
    return text


def _score(item: str, cell: str | float) -> int:
    score = _measured(item, cell)
    if not score.is_integer():
        raise RowError(f"column {item}: no whole number")
    return int(score)


def _is_ambiguous(text: str) -> bool:
    """Whether a comma could as well stand between thousands."""
    return re.fullmatch(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}\b.*", text, re.ASCII) is not None

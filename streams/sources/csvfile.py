"""Tables of calls or of dispatched units, one row each, as events, by a mapping.

A mapping is a TOML file; `anonymous_bank.toml` beside this file is a whole one.

    source = "exchange"           # the events come from /<centre>/exchange
    delimiter = ";"               # "," without it; "\\t" is the tabulator
    timezone = "Asia/Jakarta"     # of the times that say none; the centre's without it
    date = { column = "day", format = "%d/%m/%Y", clock = "arrived" }
                                  # where the date stands, and the clock column it belongs to
    [skip]                        # rows without a call: a column, and the values that say so
    outcome = ["TEST"]
    [absent]                      # the values with which a column says nothing; an empty cell always does
    agent = ["-"]
    [time]                        # moments, each by one of:
    offered = { clock = "arrived" }                        # a clock column (9:05:30, 09:05) on the row's date
    offered = { column = "at", format = "%d/%m/%Y %H:%M" } # date and time together; without format ISO 8601
    offered = { epoch = "ts" }                             # seconds since 1970
    ended   = { after = "offered", seconds = "talk" }      # seconds after another moment
                                  # a list of columns in place of one takes the first that says something
    [[event]]                     # what a row gives, as often as needed
    type = "call.offered"
    time = "offered"
    when = { outcome = ["ANSWERED", "LOST"] }              # only for rows with these values; all without it
    optional = true               # no event, and no fault, where a column of its time says nothing
    last_of = "ticket"            # of all rows with the same value there only the one whose time is latest gives this event
    data = { call = "{id}", queue = "112", caller = "{number}" }

In `data`, `{column}` stands for the cell; a field whose column says nothing is left out. `caller` always becomes a
pseudonym, `seat` a seat's code, `class` the class that the centre's word means. A clock more than twelve hours before the
date's own clock is after midnight. Two equal rows count once, and an event's id is made from what it says, so that an export
read again gives the same events.
"""

import csv
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from schemas.event import Event
from schemas.topics import EVENT_TYPES
from streams.core import classes
from streams.core.centre import Centre
from streams.sources import pseudonym as pseudonyms
from streams.sources.asterisk import decode

Columns = tuple[str, ...]
Values = dict[str, tuple[str, ...]]

_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}(?:\.[0-9]{1,6})?))?", re.ASCII)
_CELL = re.compile(r"\{([^{}]*)\}")
_HALF_A_DAY = 43_200
_LONGEST = 172_800


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Date(_Part):
    """The column that says a row's date, and the clock column whose moment is on that date."""

    column: str
    format: str = "%Y-%m-%d"
    clock: str


class Moment(_Part):
    """How a moment is told: exactly one of `clock`, `column`, `epoch` and `after`."""

    clock: Columns = ()
    column: Columns = ()
    epoch: Columns = ()
    format: str | None = None
    after: str | None = None
    seconds: Columns = ()

    @field_validator("clock", "column", "epoch", "seconds", mode="before")
    @classmethod
    def _one_or_more(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value


class Template(_Part):
    """One event that a row gives."""

    type: str
    time: str
    when: Values = {}
    optional: bool = False
    last_of: str | None = None
    data: dict[str, str]


class Mapping(_Part):
    """How the rows of one kind of table become events."""

    source: str = Field("table", pattern=r"^[a-z0-9-]{1,64}$")
    delimiter: str = Field(",", min_length=1, max_length=1)
    timezone: str | None = None
    date: Date | None = None
    skip: Values = {}
    absent: Values = {}
    time: dict[str, Moment]
    event: tuple[Template, ...] = Field(min_length=1)

    @field_validator("timezone")
    @classmethod
    def _known(cls, name: str | None) -> str | None:
        if name is not None:
            try:
                ZoneInfo(name)
            except (KeyError, ValueError, OSError):
                raise ValueError("is no time zone; such as Asia/Jakarta") from None
        return name


class MappingError(ValueError):
    """A mapping that cannot be used; the message names the line or the key."""


class RowError(ValueError):
    """A row that gives no events; the message names the column and never repeats the cell."""


class SilentError(RowError):
    """A column that should say something and does not."""


def parse(text: str) -> Mapping:
    """The mapping that a TOML text describes. Raises `MappingError`."""
    try:
        mapping = Mapping.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise MappingError(f"no valid TOML: {error}") from None
    except ValidationError as invalid:
        first = invalid.errors(include_url=False)[0]
        said = {"extra_forbidden": "no such key", "missing": "is missing"}.get(first["type"])
        raise MappingError(f"{_key(*first['loc'])}: {said or first['msg'].removeprefix('Value error, ')}") from None
    for name, moment in mapping.time.items():
        _check_moment(name, moment, mapping)
    for number, template in enumerate(mapping.event):
        if template.type not in EVENT_TYPES:
            raise MappingError(
                f"{_key('event', number, 'type')}: no event type {template.type}; there are {', '.join(EVENT_TYPES)}"
            )
        if template.time not in mapping.time:
            raise MappingError(f"{_key('event', number, 'time')}: [time] has no {template.time}")
        fields = EVENT_TYPES[template.type].model_fields["data"].annotation.model_fields  # type: ignore[union-attr]
        known = {field.alias or name for name, field in fields.items()}
        if unknown := sorted(template.data.keys() - known):
            raise MappingError(f"{_key('event', number, 'data', unknown[0])}: {template.type} has {', '.join(sorted(known))}")
    return mapping


def _check_moment(name: str, moment: Moment, mapping: Mapping) -> None:
    ways = [way for way in ("clock", "column", "epoch", "after") if getattr(moment, way)]
    if len(ways) != 1:
        raise MappingError(f"{_key('time', name)}: needs exactly one of clock, column, epoch, after")
    if moment.clock and mapping.date is None:
        raise MappingError(f"{_key('time', name, 'clock')}: needs the key date, which says the day")
    if (moment.after is None) != (not moment.seconds):
        raise MappingError(f"{_key('time', name)}: after and seconds go together")
    seen, at = {name}, moment
    while at.after is not None:
        if at.after not in mapping.time:
            raise MappingError(f"{_key('time', name, 'after')}: [time] has no {at.after}")
        if at.after in seen:
            raise MappingError(f"{_key('time', name, 'after')}: comes after itself")
        seen.add(at.after)
        at = mapping.time[at.after]


def _key(*parts: object) -> str:
    """Where in the mapping; events are counted from one."""
    return ".".join(str(part + 1) if isinstance(part, int) else str(part) for part in parts)


@dataclass(frozen=True, slots=True)
class Table:
    """Reads rows as `mapping` says, for one centre."""

    mapping: Mapping
    centre: Centre
    pseudonym: pseudonyms.Pseudonym | None = None

    def events(self, lines: Iterable[str | bytes], on_bad: Callable[[int, str], None]) -> list[Event]:
        """All events of a table whose first line is its header, by their time; what is simultaneous stays in the table's order.

        `on_bad` is told the line and the fault of each row that gives no events. The whole table is held in memory. Raises
        `MappingError` when the header lacks a column.
        """
        rows = csv.reader(_text(lines), delimiter=self.mapping.delimiter, strict=False)
        header = next(rows, None)
        if header is None:
            return []
        if missing := sorted(self._columns() - set(header)):
            raise MappingError(f"the table has no column {missing[0]}; its header names {', '.join(header)[:500]}")
        found: list[Event] = []
        last: dict[tuple[int, str], Event] = {}
        while True:
            try:
                row = next(rows)
                if not row:
                    continue
                if len(row) != len(header):
                    raise RowError(f"{len(row)} columns where the header has {len(header)}")
                cells = dict(zip(header, row, strict=True))
                for number, event in self.row(cells):
                    if (column := self.mapping.event[number].last_of) is None:
                        found.append(event)
                    elif (key := (number, cells[column])) not in last or last[key].time < event.time:
                        last[key] = event
            except StopIteration:
                break
            except csv.Error:
                on_bad(rows.line_num, "no readable row: a quotation mark or a cell that goes on too long")
            except RowError as fault:
                on_bad(rows.line_num, str(fault))
            except OverflowError:
                on_bad(rows.line_num, "a time outside of the years 1 to 9999")
        found += last.values()
        found.sort(key=lambda event: event.time)
        return found

    def row(self, cells: dict[str, str]) -> list[tuple[int, Event]]:
        """The events of one row, each with the number of its template: all or, with a `RowError`, none."""
        if any(cells[column] in values for column, values in self.mapping.skip.items()):
            return []
        said = {name: cell for name, cell in cells.items() if cell and cell not in self.mapping.absent.get(name, ())}
        moments: dict[str, datetime] = {}
        events = []
        for number, template in enumerate(self.mapping.event):
            if all(cells[column] in values for column, values in template.when.items()):
                try:
                    time = self._moment(template.time, said, moments)
                except SilentError:
                    if template.optional:
                        continue
                    raise
                events.append((number, self._event(template, said, time)))
        return events

    def _columns(self) -> set[str]:
        mapping = self.mapping
        columns = {*mapping.skip, *mapping.absent}
        if mapping.date is not None:
            columns |= {mapping.date.column, mapping.date.clock}
        for moment in mapping.time.values():
            columns |= {*moment.clock, *moment.column, *moment.epoch, *moment.seconds}
        for template in mapping.event:
            columns |= {*template.when, *([template.last_of] if template.last_of else [])}
            columns.update(column for text in template.data.values() for column in _CELL.findall(text))
        return columns

    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.mapping.timezone) if self.mapping.timezone else self.centre.timezone

    def _moment(self, name: str, said: dict[str, str], known: dict[str, datetime]) -> datetime:
        if name not in known:
            moment = self.mapping.time[name]
            if moment.after is not None:
                seconds = _number(*_first(moment.seconds, said))
                known[name] = self._moment(moment.after, said, known) + timedelta(seconds=seconds)
            elif moment.clock:
                known[name] = self._clock(moment.clock, said)
            elif moment.epoch:
                known[name] = datetime.fromtimestamp(_number(*_first(moment.epoch, said), most=1e10), UTC)
            else:
                column, cell = _first(moment.column, said)
                read = _date(column, cell, moment.format)
                known[name] = (read if read.tzinfo else read.replace(tzinfo=self._zone())).astimezone(UTC)
        return known[name]

    def _clock(self, columns: Columns, said: dict[str, str]) -> datetime:
        date = self.mapping.date
        assert date is not None, "parse requires it"
        day = _date(*_first((date.column,), said), date.format)
        since = _seconds_of_day(*_first((date.clock,), said))
        seconds = _seconds_of_day(*_first(columns, said))
        if seconds < since - _HALF_A_DAY:
            day += timedelta(days=1)
        return (day.replace(tzinfo=self._zone()) + timedelta(seconds=seconds)).astimezone(UTC)

    def _event(self, template: Template, said: dict[str, str], time: datetime) -> Event:
        data: dict[str, str] = {}
        for field, text in template.data.items():
            value = _fill(text, said)
            if field == "caller":
                value = value and pseudonyms.caller(value, self.pseudonym)
            elif field == "seat":
                value = value and pseudonyms.seat(value, self.pseudonym)
            elif field == "class":
                value = value and classes.told(value, self.centre.names.classes)
            if value is not None:
                data[field] = value
        facts = "|".join(f"{name}={value}" for name, value in data.items() if name != "caller")
        said_id = blake2b(f"{template.type}|{time.isoformat()}|{facts}".encode("utf-8", "replace"), digest_size=8).hexdigest()
        source = f"/{self.centre.code}/{self.mapping.source}"
        try:
            # Cells are text, also where the field is a number: not strict.
            return EVENT_TYPES[template.type].model_validate(
                {"id": said_id, "source": source, "subject": self.centre.code, "time": time, "data": data}, strict=False
            )
        except ValidationError as invalid:
            first = invalid.errors(include_url=False, include_input=False, include_context=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise RowError(f"{template.type}, field {where}: {first['type'].replace('_', ' ')}") from None


def _text(lines: Iterable[str | bytes]) -> Iterator[str]:
    for number, line in enumerate(lines):
        text = line if isinstance(line, str) else decode(line)
        yield text if number else text.removeprefix("\ufeff")


def _fill(text: str, said: dict[str, str]) -> str | None:
    """The text with its cells; None when one of them says nothing."""
    if any(column not in said for column in _CELL.findall(text)):
        return None
    return _CELL.sub(lambda cell: said[cell[1]].strip(), text)


def _first(columns: Columns, said: dict[str, str]) -> tuple[str, str]:
    for column in columns:
        if column in said:
            return column, said[column].strip()
    raise SilentError(f"column {' or '.join(columns)}: says nothing")


def _number(column: str, cell: str, most: float = _LONGEST) -> float:
    if not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,9})?", cell, re.ASCII) or float(cell) > most:
        raise RowError(f"column {column}: no number from 0 to {most:.0f}")
    return float(cell)


def _seconds_of_day(column: str, cell: str) -> float:
    clock = _CLOCK.fullmatch(cell)
    if clock is None or int(clock[1]) > 23 or int(clock[2]) > 59 or float(clock[3] or 0) >= 60:
        raise RowError(f"column {column}: no time of day such as 9:05:30")
    return int(clock[1]) * 3600 + int(clock[2]) * 60 + float(clock[3] or 0)


@lru_cache(maxsize=1024)
def _date(column: str, cell: str, layout: str | None) -> datetime:
    try:
        return datetime.fromisoformat(cell) if layout is None else datetime.strptime(cell, layout)  # noqa: DTZ007 (zone follows)
    except ValueError:
        raise RowError(f"column {column}: not of the form {layout or 'ISO 8601'}") from None

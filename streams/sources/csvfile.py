"""Tables of calls or of dispatched units, one row each, as events, by a mapping.

A mapping is a TOML file; `anonymous_bank.toml` beside this file is a whole one.

    source = "exchange"           # the events come from /<centre>/exchange
    header = ["id", "at"]         # of a table that has no header line; without it the first line is the header
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

A moment that says `0`, `-`, `NULL` or another word for nothing, or that is one of the days with which computers say so
(1970-01-01, 1900-01-01, 0000-00-00), says nothing. A zone behind a time counts: `UTC`, `GMT`, `WIB`, `WITA`, `WIT`, `+07:00`,
`Z`. Clocks may be `9:05:30 PM` or a fraction of a day, as spreadsheets write them. A clock more than a minute before the
date's own clock is of the next day; one within that minute is two clocks that differ, and as late as the date's own.

Values in `when`, `skip` and `absent` are compared without regard to case and spaces. A row with a word in a column of `when`
or `skip` that no value names gives no events and is reported, and so is one whose call or ticket would end before it began.

In `data`, `{column}` stands for the cell; a field whose column says nothing is left out. A number may be `70,5`; centimetres
may be written `0.9 m`. `caller` always becomes a pseudonym, `seat` a seat's code, `class` the class that the centre's word
means, and names of queues, agencies, gauges and the like become the codes that the centre's file has for them. Two equal rows
count once, and an event's id is made from what it says, so that an export read again gives the same events. With `last_of` and
`optional`, a value of which one row says no time gives no event.
"""

import csv
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from hashlib import blake2b
from operator import attrgetter
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator

from schemas.event import Event
from schemas.topics import EVENT_TYPES
from streams.core import classes
from streams.core.centre import Centre
from streams.core.names import OTHER, Names
from streams.sources.asterisk import decode
from streams.sources.door import Door, Kind, is_code

Columns = tuple[str, ...]
Values = dict[str, tuple[str, ...]]

_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}(?:\.[0-9]{1,6})?))?(?:\s*([AP])\.?M\.?)?", re.ASCII | re.IGNORECASE)
_FRACTION = re.compile(r"0?[.,]([0-9]{3,18})", re.ASCII)
_NUMBER = re.compile(r"([+-]?[0-9]{1,12})(?:[.,]([0-9]{1,9}))?(?:\s*(mm|cm|m))?", re.ASCII | re.IGNORECASE)
_ZONED = re.compile(
    r"(.*[0-9]:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?:\s*[AP]\.?M\.?)?)\s*"
    r"(?:(UTC|GMT|Z|WIB|WITA|WIT)|(?:UTC|GMT)?([+-])([0-9]{1,2})(?::?([0-9]{2}))?)",
    re.ASCII | re.IGNORECASE,
)
_ZONES = {"UTC": 0, "GMT": 0, "Z": 0, "WIB": 7, "WITA": 8, "WIT": 9}
_CELL = re.compile(r"\{([^{}]*)\}")
_CENTIMETRES = {"mm": 0.1, "cm": 1.0, "m": 100.0}
_NOTHING = frozenset(("0", "-", "--", "null", "\\n", "nan", "nat", "none", "n/a", "#n/a"))
_UNSET = frozenset(("0001-01-01T00:00:00", "1899-12-30T00:00:00", "1900-01-01T00:00:00", "1970-01-01T00:00:00"))
_A_DAY = 86_400
_TWO_CLOCKS = 60
"""Seconds that two clocks of one row may differ."""
_LONGEST = 172_800
_NAMES = {"link": "links", "gauge": "gauges", "category": "categories", "opd": "opds"}
_TYPED = frozenset(("category", "opd"))
_KINDS: dict[str, Kind] = {"queue": "queue", "reason": "reason", "to": "to"}
_BEGINS = {"call": "call.offered", "ticket": "ticket.opened"}
_time = attrgetter("time")


def _with_a_day(layout: str) -> str:
    """A format that says the day: Python takes one that does not for a day in 1900."""
    said = set(re.findall(r"%-?([a-zA-Z])", layout))
    if not (said & {"c", "x"} or (said & {"Y", "y", "G"} and said & {"d", "j", "a", "A", "w", "u"})):
        raise ValueError("says no year and day; a column of clocks goes with `date`, which says where the day stands")
    return layout


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Date(_Part):
    """The column that says a row's date, and the clock column whose moment is on that date."""

    column: str
    format: Annotated[str, AfterValidator(_with_a_day)] = "%Y-%m-%d"
    clock: str


class Moment(_Part):
    """How a moment is told: exactly one of `clock`, `column`, `epoch` and `after`."""

    clock: Columns = ()
    column: Columns = ()
    epoch: Columns = ()
    format: Annotated[str, AfterValidator(_with_a_day)] | None = None
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
    header: Columns = ()
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
    except RecursionError:
        raise MappingError("no valid TOML: something in it is nested too deeply") from None
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


class Table:
    """Reads rows as `mapping` says, for one centre, through a door."""

    def __init__(self, mapping: Mapping, centre: Centre, door: Door | None = None) -> None:
        self.mapping, self.centre = mapping, centre
        self.door = door or Door(centres=(centre,))
        self._zone = ZoneInfo(mapping.timezone) if mapping.timezone else centre.timezone
        self._absent = {column: frozenset(map(_word, words)) for column, words in mapping.absent.items()}
        self._skip = {column: frozenset(map(_word, words)) for column, words in mapping.skip.items()}
        self._when = [{column: frozenset(map(_word, words)) for column, words in t.when.items()} for t in mapping.event]
        self._words: dict[str, frozenset[str]] = {}
        for asked in (self._skip, *self._when):
            for column, words in asked.items():
                self._words[column] = self._words.get(column, frozenset()) | words

    def events(self, lines: Iterable[str | bytes], on_bad: Callable[[int, str], None]) -> list[Event]:
        """All events of a table, by their time; what is simultaneous stays in the table's order.

        `on_bad` is told the line and the fault of each row that gives no events. The whole table is held in memory. Raises
        `MappingError` when the table lacks a column that the mapping names, or has two of that name.
        """
        rows = csv.reader(_text(lines), delimiter=self.mapping.delimiter, strict=False)
        try:
            header = self.mapping.header or tuple(name.strip() for name in next(rows, ()))
        except csv.Error:
            raise MappingError("its first line is no row: a quotation mark or a cell that goes on too long") from None
        if not header:
            raise MappingError("is empty: it has not even a header")
        self._check(header)
        found: list[Event] = []
        last: dict[tuple[int, str], Event | None] = {}
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
                        if event is not None:
                            found.append(event)
                        continue
                    before = last.setdefault((number, cells[column]), event)
                    # One row without a time: not all is over.
                    last[number, cells[column]] = None if event is None or before is None else max(before, event, key=_time)
            except StopIteration:
                break
            except csv.Error:
                on_bad(rows.line_num, "no readable row: a quotation mark or a cell that goes on too long")
            except RowError as fault:
                on_bad(rows.line_num, str(fault))
            except OverflowError:
                on_bad(rows.line_num, "a time outside of the years 1 to 9999")
        found += [event for event in last.values() if event is not None]
        found.sort(key=_time)
        return found

    def row(self, cells: dict[str, str]) -> list[tuple[int, Event | None]]:
        """What one row gives: all of its events or, with a `RowError`, none; each with the number of its template, and None for
        an optional one of which it says no time.
        """
        words = {column: _word(cells[column]) for column in self._words}
        if any(words[column] in values for column, values in self._skip.items()):
            return []
        said = {name: cell for name, cell in cells.items() if cell.strip() and _word(cell) not in self._absent.get(name, ())}
        for column, known in self._words.items():
            if column in said and words[column] not in known:
                raise RowError(f"column {column}: a word that the mapping does not have")
        moments: dict[str, datetime] = {}
        events: list[tuple[int, Event | None]] = []
        for number, template in enumerate(self.mapping.event):
            if all(words[column] in values for column, values in self._when[number].items()):
                try:
                    events.append((number, self._event(template, said, self._moment(template.time, said, moments))))
                except SilentError:
                    if not template.optional:
                        raise
                    events.append((number, None))
        told = [event for _, event in events if event is not None]
        for event in told:
            first = next((other for other in told if other.type == _BEGINS.get(event.type.partition(".")[0])), event)
            if (first.time - event.time).total_seconds() > _TWO_CLOCKS:
                raise RowError(f"{event.type} would be before {first.type}")
        return events

    def _check(self, header: Columns) -> None:
        """Nothing that stands in the table is repeated: its first line may be a row."""
        for column in sorted(self._columns()):
            if (n := header.count(column)) != 1:
                many = f"{n} columns" if n else "no column"
                raise MappingError(
                    f"the table has {many} {column}; its first line has {len(header)} cells. "
                    "If it has no header line, name its columns in the mapping: header = [...]"
                )

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

    def _moment(self, name: str, said: dict[str, str], known: dict[str, datetime]) -> datetime:
        if name not in known:
            moment = self.mapping.time[name]
            if moment.after is not None:
                column, cell = _first(moment.seconds, said)
                seconds = _seconds_of_day(column, cell) if ":" in cell else _number(column, cell, most=_LONGEST)
                known[name] = self._moment(moment.after, said, known) + timedelta(seconds=seconds)
            else:
                known[name] = self._told(moment, said)
        return known[name]

    def _told(self, moment: Moment, said: dict[str, str]) -> datetime:
        """The first of its columns that says a moment."""
        columns = moment.clock or moment.column or moment.epoch
        for column in columns:
            cell = said.get(column, "-").strip()
            if cell.lower() in _NOTHING or cell.startswith("0000-00-00"):
                continue
            if moment.clock:
                return self._clock(column, cell, said)
            if moment.epoch:
                if seconds := _number(column, cell, most=1e10):
                    return datetime.fromtimestamp(seconds, UTC)
                continue
            read = _date(column, cell, moment.format)
            if read.replace(tzinfo=None).isoformat() not in _UNSET:
                read = (read if read.tzinfo else read.replace(tzinfo=self._zone)).astimezone(UTC)
                if read.timestamp():
                    return read
        raise SilentError(f"column {' or '.join(columns)}: says nothing")

    def _clock(self, column: str, cell: str, said: dict[str, str]) -> datetime:
        date = self.mapping.date
        assert date is not None, "parse requires it"
        day = _date(*_first((date.column,), said), date.format)
        since = _seconds_of_day(*_first((date.clock,), said))
        seconds = _seconds_of_day(column, cell)
        if seconds < since - _TWO_CLOCKS:
            seconds += _A_DAY
        return (day.replace(tzinfo=self._zone) + timedelta(seconds=max(seconds, since))).astimezone(UTC)

    def _event(self, template: Template, said: dict[str, str], time: datetime) -> Event:
        model = EVENT_TYPES[template.type]
        numbers, required = _fields(template.type)
        data: dict[str, str | float] = {}
        for field, text in template.data.items():
            value: str | float | None = _fill(text, said)
            if isinstance(value, str):
                value = _measured(field, value) if field in numbers else self._code(field, value)
            if value is not None:
                data[field] = value
            elif field in required:
                raise SilentError(f"{template.type}, field data.{field}: says nothing")
        facts = "|".join(f"{name}={value}" for name, value in data.items() if name != "caller")
        said_id = blake2b(f"{template.type}|{time.isoformat()}|{facts}".encode("utf-8", "replace"), digest_size=8).hexdigest()
        source = f"/{self.centre.code}/{self.mapping.source}"
        try:
            # Cells are text, also where the field is a number: not strict.
            return model.model_validate(
                {"id": said_id, "source": source, "subject": self.centre.code, "time": time, "data": data}, strict=False
            )
        except ValidationError as invalid:
            first = invalid.errors(include_url=False, include_input=False, include_context=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise RowError(f"{template.type}, field {where}: {first['type'].replace('_', ' ')}") from None

    def _code(self, field: str, text: str) -> str | None:
        """What an event says for what a cell says."""
        if field == "caller":
            return self.door.caller(text)
        if field == "seat":
            return self.door.seat(self.centre.code, text)
        if field == "class":
            return classes.told(text, self.centre.names.classes)
        if field in _KINDS:
            return self.door.code(self.centre.code, _KINDS[field], text)
        if field in _NAMES:
            names: Names = getattr(self.centre.names, _NAMES[field])
            code = names[text]
            if code not in names.known:
                # A person may have typed anything: figures have a place for what the centre's file does not know.
                code = OTHER if field in _TYPED and not is_code(text) else text
            return code
        return text


@lru_cache
def _fields(kind: str) -> tuple[frozenset[str], frozenset[str]]:
    """Which fields of such an event's data are numbers, and which it must have."""
    data: Any = EVENT_TYPES[kind].model_fields["data"].annotation
    fields = {field.alias or name: field for name, field in data.model_fields.items()}
    numbers = frozenset(name for name, field in fields.items() if re.search(r"\b(float|int)\b", repr(field.annotation)))
    return numbers, frozenset(name for name, field in fields.items() if field.is_required())


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


def _word(cell: str) -> str:
    """A cell as it is compared: without regard to case and spaces."""
    return " ".join(cell.casefold().split())


def _number(column: str, cell: str, most: float) -> float:
    found = _NUMBER.fullmatch(cell)
    number = -1.0 if found is None or found[3] else float(f"{found[1]}.{found[2] or 0}")
    if not 0 <= number <= most or _is_ambiguous(cell):
        raise RowError(f"column {column}: no number from 0 to {most:.0f}")
    return number


def _measured(field: str, text: str) -> float | None:
    """A number as people write it, in the field's own unit; None where it says nothing."""
    if text.lower() in _NOTHING - {"0"}:
        return None
    found = _NUMBER.fullmatch(text)
    if found is None or (found[3] and not field.endswith("centimetres")) or _is_ambiguous(text):
        raise RowError(f"field data.{field}: no number such as 70.5 or 70,5")
    return float(f"{found[1]}.{found[2] or 0}") * _CENTIMETRES[(found[3] or "cm").lower()]


def _is_ambiguous(text: str) -> bool:
    """Whether a comma could as well stand between thousands."""
    return re.fullmatch(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}\b.*", text, re.ASCII) is not None


def _seconds_of_day(column: str, cell: str) -> float:
    if fraction := _FRACTION.fullmatch(cell):
        return round(float(f"0.{fraction[1]}") * _A_DAY, 3) % _A_DAY
    clock = _CLOCK.fullmatch(cell)
    if (
        clock is None
        or int(clock[2]) > 59
        or float(clock[3] or 0) >= 60
        or not (1 if clock[4] else 0) <= int(clock[1]) <= (12 if clock[4] else 23)
    ):
        raise RowError(f"column {column}: no time of day such as 9:05:30")
    hour = int(clock[1]) if not clock[4] else int(clock[1]) % 12 + (12 if clock[4].upper() == "P" else 0)
    return hour * 3600 + int(clock[2]) * 60 + float(clock[3] or 0)


@lru_cache(maxsize=1024)
def _date(column: str, cell: str, layout: str | None) -> datetime:
    """The moment of a cell, with its zone where it says one."""
    zone = None
    if zoned := _ZONED.fullmatch(cell):
        cell = zoned[1]
        hours = _ZONES[zoned[2].upper()] if zoned[2] else int(f"{zoned[3]}{zoned[4]}")
        zone = timezone(timedelta(hours=hours, minutes=int(f"{zoned[3] or '+'}{zoned[5] or 0}")))
    try:
        if layout is None:
            moment = datetime.fromisoformat(cell)
        else:
            # Python reads a zone's name and forgets it: ours was taken off before.
            moment = datetime.strptime(cell, re.sub(r"\s*%[zZ]", "", layout) if zone else layout)  # noqa: DTZ007 (zone follows)
        return moment.replace(tzinfo=zone) if zone else moment
    except ValueError:
        raise RowError(f"column {column}: not of the form {layout or 'ISO 8601'}") from None

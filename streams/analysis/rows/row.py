"""What rows have in common: columns with their types, units and meaning, and the clock on the centre's wall."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from types import NoneType
from typing import Annotated, NamedTuple, get_args, get_type_hints

from streams.core.centre import Centre, Shift

Moment = Annotated[float, "TIMESTAMP WITH TIME ZONE"]
"""Epoch seconds; in a table a time in UTC, to the microsecond."""
Seconds = Annotated[float, "DOUBLE"]
Date = Annotated[str, "DATE"]

_SQL = {str: "VARCHAR", bool: "BOOLEAN", int: "INTEGER"}


class Column(NamedTuple):
    """A column of a table: its SQL type, whether it can be NULL, and what it says."""

    name: str
    type: str
    nullable: bool
    doc: str

    @property
    def is_moment(self) -> bool:
        """Whether it is a time."""
        return self.type.startswith("TIMESTAMP")


def columns(row: type) -> Iterator[Column]:
    """The columns of a dataclass of which every field is `Annotated` with what it says."""
    for name, hint in get_type_hints(row, include_extras=True).items():
        value, *about = get_args(hint)
        kinds = [kind for kind in get_args(value) if kind is not NoneType] if NoneType in get_args(value) else [value]
        sql = [each for each in (*get_args(kinds[0])[1:], *about[:-1]) if isinstance(each, str)] or [_SQL[kinds[0]]]
        yield Column(name, sql[0], NoneType in get_args(value), about[-1])


@dataclass(slots=True, kw_only=True)
class Row:
    """A row of any table: where it is of, and when it began by the clock on the wall there."""

    city: Annotated[str, "The centre's Kemendagri code."]
    date: Annotated[Date, "The centre's local date when it began."] = ""
    hour: Annotated[int, "The local hour then, 0 to 23."] = 0
    weekday: Annotated[int, "The local day of the week then, 1 (Monday) to 7."] = 0
    shift: Annotated[str | None, "The shift of the centre's file then, from-until; NULL where it has none."] = None

    def read_clock(self, began: float, centre: Centre) -> None:
        """Note what the clock on the wall showed at epoch seconds."""
        local = datetime.fromtimestamp(began, UTC).astimezone(centre.timezone)
        self.date, self.hour, self.weekday = local.date().isoformat(), local.hour, local.isoweekday()
        now = local.time()
        for shift in centre.shifts:
            if shift.start <= now < shift.until if shift.start < shift.until else now >= shift.start or now < shift.until:
                self.shift = _name(shift)
                break
        else:
            self.shift = None


@lru_cache(maxsize=1024)
def _name(shift: Shift) -> str:
    return f"{shift.start:%H:%M}-{shift.until:%H:%M}"


Done = Row | frozenset[str]
"""A row that is final, or who was erased before the next one: how the names of such callers begin."""

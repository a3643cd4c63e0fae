"""What is to be otherwise: seats by the hour, talk times, nuisance, the announcement, the network."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time

from streams.core.centre import SEATS, Shift

_SEATS = re.compile(r"(?P<sign>[+-])(?P<seats>\d{1,3})(@(?P<start>\d{1,2})-(?P<until>\d{1,2}))?", re.ASCII)


class ChangeError(ValueError):
    """A change that cannot be made; the message says how it is written."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is otherwise than it was; nothing, unless it is said."""

    more: tuple[Shift, ...] = ()
    """Seats that are there besides, each day."""
    fewer: tuple[Shift, ...] = ()
    """Seats that are not there."""
    handle: float = 1.0
    """How many times as long a seat is busy with a call."""
    nuisance: float = 1.0
    """The share of pranks and silent calls that still come."""
    announcement: float | None = None
    """Seconds from every arrival to the queue; None for those that they were."""
    network: bool = True
    """Whether the network drops the callers whom it dropped."""


NOTHING = Change()


def seats(text: str) -> Change:
    """Seats more or fewer by the hours of the centre's clock, such as `+1@18-24,-1@0-6`. Raises `ChangeError`."""
    more: list[Shift] = []
    fewer: list[Shift] = []
    for part in text.split(","):
        found = _SEATS.fullmatch(part.strip())
        if found is None:
            raise ChangeError(f"{part!r} is no change of seats: write +1@18-24 for one more from 18 to 24 hours, or -1 all day")
        n, start, until = int(found["seats"]), int(found["start"] or 0), int(found["until"] or 24)
        if not 1 <= n <= SEATS:
            raise ChangeError(f"{part!r}: the number of seats is from 1 to {SEATS}")
        if start > 23 or until > 24 or start == until:
            raise ChangeError(f"{part!r}: the hours are from 0 to 24, and two different ones: 18-24, or 22-6 over midnight")
        (more if found["sign"] == "+" else fewer).append(_shift(start, until, n))
    return Change(tuple(more), tuple(fewer))


def daily(seats: Mapping[int, int]) -> tuple[Shift, ...]:
    """So many seats in each hour of every day."""
    return tuple(_shift(hour, hour + 1, n) for hour, n in seats.items())


def _shift(start: int, until: int, n: int) -> Shift:
    return Shift.model_validate({"from": time(start), "until": time(until % 24), "seats": n})

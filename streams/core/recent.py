"""The lags of tickets in the last week, each by itself: percentiles and shares come from these and from no histogram's bounds."""

from array import array
from bisect import insort
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from math import ceil
from typing import Annotated, Any, Literal, NamedTuple, get_args
from zoneinfo import ZoneInfo

from pydantic import Field

DAYS = 7
"""Local days that are remembered: today and the six before."""

EXACT_SECONDS = 3600
"""Up to here a lag is remembered to the second, above it to the minute; both upwards, so that what is within a limit of whole
seconds stays within it, and what is beyond it beyond."""

LONGEST_SECONDS = 9_999_960
"""A longer lag, of four months, is remembered as this."""

LAGS = 4_000
"""The most lags of one local day, of all agencies and stages; what comes beyond them is not in the week's figures."""

Stage = Literal["opened_to_dispatched", "dispatched_to_arrived", "opened_to_arrived", "opened_to_closed"]
STAGES: tuple[Stage, ...] = get_args(Stage)

Scope = Literal["city", "category", "opd"]
Group = tuple[Scope, int, Stage]
"""What lags are about: the whole city (number 0), or the category or agency of that number; and their stage."""

_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_PAIR = [first + second for first in _DIGITS for second in _DIGITS]
_OF_PAIR = {pair: number for number, pair in enumerate(_PAIR)}
_WIDTH = 9
"""Characters of a lag: its stage and whose figures it is in, the category and the agency (two each), and the seconds (four)."""


class Lag(NamedTuple):
    """What one stage of a ticket took, in seconds. `category` and `opd` are numbers below 4,096.

    `is_first`: it is that of the ticket's first unit, which the figures of the city and the category are about. `is_own`: it is
    in its agency's figures.
    """

    stage: Stage
    seconds: float
    category: int
    opd: int
    is_first: bool
    is_own: bool

    @property
    def kept(self) -> int:
        """As what it is remembered."""
        seconds = self.seconds
        return min(ceil(seconds) if seconds <= EXACT_SECONDS else ceil(seconds / 60) * 60, LONGEST_SECONDS)

    def groups(self) -> list[Group]:
        """Whose figures it is in."""
        found: list[Group] = [("city", 0, self.stage), ("category", self.category, self.stage)] if self.is_first else []
        return [*found, ("opd", self.opd, self.stage)] if self.is_own else found

    def write(self) -> str:
        """The lag in `_WIDTH` characters."""
        what = _DIGITS[STAGES.index(self.stage) * 4 + self.is_first * 2 + self.is_own]
        more, less = divmod(self.kept, len(_PAIR))
        return f"{what}{_PAIR[self.category]}{_PAIR[self.opd]}{_PAIR[more]}{_PAIR[less]}"


def _read(texts: Iterable[str]) -> dict[Group, list[int]]:
    """The lags of some days by group, as they were told. What they share is read once, for speed."""
    alike = defaultdict[str, list[str]](list)
    for text in texts:
        for at in range(0, len(text), _WIDTH):
            alike[text[at : at + 5]].append(text[at + 5 : at + _WIDTH])
    found = defaultdict[Group, list[int]](list)
    for about, written in alike.items():
        stage, whose = divmod(_DIGITS.index(about[0]), 4)
        lag = Lag(STAGES[stage], 0, _OF_PAIR[about[1:3]], _OF_PAIR[about[3:]], whose >= 2, whose % 2 == 1)
        seconds = [_OF_PAIR[pairs[:2]] * len(_PAIR) + _OF_PAIR[pairs[2:]] for pairs in written]
        for group in lag.groups():
            found[group] += seconds
    return found


@dataclass(slots=True)
class Week:
    """The lags of a week up to a local day."""

    day: int
    lags: defaultdict[Group, "array[int]"]
    """In seconds, ascending, by group."""
    said: dict[Group, Any] = field(default_factory=dict)
    """What was made of the lags of a group, until one more comes."""


@dataclass(slots=True)
class Recent:
    """The lags of the last week by the local day (a date's ordinal) on which they ended, each day a text of `Lag.write`s."""

    days: dict[int, str] = field(default_factory=dict)
    read: Annotated[Any, Field(exclude=True)] = field(default=None, compare=False, repr=False)
    """The `Week` that was asked for last: it is asked for again and again."""

    def add(self, lag: Lag, day: int) -> bool:
        """Remember a lag that ended on a day, but for one a week before the newest. False where that day is full."""
        if day not in self.days:
            if day <= max(self.days, default=day) - DAYS:
                return True
            self.days = {known: text for known, text in self.days.items() if known > day - DAYS} | {day: ""}
            self.read = None
        text = self.days[day]
        if len(text) >= LAGS * _WIDTH:
            return False
        self.days[day] = text + lag.write()
        week: Week | None = self.read
        if week is not None and week.day - DAYS < day <= week.day:
            for group in lag.groups():
                insort(week.lags[group], lag.kept)
                week.said.pop(group, None)
        return True

    def week(self, now: float, zone: ZoneInfo) -> Week:
        """The lags that ended in the week up to the local day of `now`, epoch seconds."""
        today = day_of(now, zone)
        week: Week | None = self.read
        if week is None or week.day != today:
            found = _read(text for day, text in self.days.items() if today - DAYS < day <= today)
            ascending = {group: array("i", sorted(lags)) for group, lags in found.items()}
            week = self.read = Week(today, defaultdict(lambda: array("i"), ascending))
        return week


def day_of(time: float, zone: ZoneInfo) -> int:
    """The local day of a moment in epoch seconds, as a date's ordinal."""
    return _day(int(time) // 60, zone)


@lru_cache(maxsize=256)
def _day(minute: int, zone: ZoneInfo) -> int:
    return datetime.fromtimestamp(minute * 60, zone).toordinal()

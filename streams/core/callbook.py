"""The call book: who called in the last hours and what came of it, in 40 characters a call; and who called in the last day."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from itertools import chain

HOUR = 3_600
DAY = 86_400

CALLS = 5_000
"""The most calls in the book; beyond it the oldest hour is torn out. The busiest day of Kota Bogor had 3,000."""

WAITING, ANSWERED, LOST, SHORT, UNKNOWN = ".", "a", "l", "s", "."
"""What came of a call, in one letter. A class is written as the first letter of its name, or `UNKNOWN`."""

REACH = 5
"""Hours that calls are kept in full: as long as somebody may be called back, and an event be late."""

_CALLER = 22
_MARK = 6
"""Characters of a caller that are kept for the rest of a day, to count who comes again and again: 36 bits."""
_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_VALUE = {digit: value for value, digit in enumerate(_DIGITS)}


def shortened(pseudonym: str) -> str:
    """A pseudonym (32 hexadecimal digits) as the book keeps it: the same 128 bits in 22 characters."""
    return urlsafe_b64encode(bytes.fromhex(pseudonym)).decode()[:_CALLER]


def pseudonym(caller: str) -> str:
    """The 32 hexadecimal digits of what `shortened` made."""
    return urlsafe_b64decode(caller + "==").hex()


@lru_cache(maxsize=4096)
def _mark(call: str) -> str:
    # 48 bits: among 5,000 calls two look alike once in 20 million books.
    return urlsafe_b64encode(blake2b(call.encode(), digest_size=6).digest()).decode()


def index(column: str, item: str) -> int:
    """Which item of a column of items of that width it is, counted from 0; -1 for none."""
    width, at = len(item), column.find(item)
    while at > 0 and at % width:
        at = column.find(item, at + 1)
    return at // width


@dataclass(slots=True)
class Hour:
    """The calls that came within one hour: the row of each by its mark, and columns of fixed width, because objects would take
    ten times the memory.
    """

    calls: dict[str, int] = field(default_factory=dict)
    callers: str = ""
    seconds: str = ""
    ends: str = ""
    classes: str = ""

    def second(self, row: int) -> int:
        """When within the hour the call came."""
        return _VALUE[self.seconds[2 * row]] << 6 | _VALUE[self.seconds[2 * row + 1]]

    def caller(self, row: int) -> str:
        """Who called; empty in an hour of calls without a caller."""
        return self.callers[_CALLER * row : _CALLER * (row + 1)]


@dataclass(slots=True)
class Place:
    """Where in the book a call is."""

    hour: Hour
    start: int
    row: int

    @property
    def time(self) -> int:
        """When it came, in whole epoch seconds."""
        return self.start + self.hour.second(self.row)

    @property
    def caller(self) -> str:
        """Who called; empty for a call without a caller."""
        return self.hour.caller(self.row)

    @property
    def end(self) -> str:
        """What came of it: `WAITING`, `ANSWERED`, `LOST` or `SHORT`."""
        return self.hour.ends[self.row]

    @property
    def class_(self) -> str:
        """What it turned out to be."""
        return self.hour.classes[self.row]

    def write_end(self, letter: str) -> None:
        """Note what came of it."""
        self.hour.ends = f"{self.hour.ends[: self.row]}{letter}{self.hour.ends[self.row + 1 :]}"

    def write_class(self, letter: str) -> None:
        """Note what it turned out to be."""
        self.hour.classes = f"{self.hour.classes[: self.row]}{letter}{self.hour.classes[self.row + 1 :]}"


@dataclass(slots=True)
class Book:
    """The calls of one centre by the hour they came in: of those without a caller this hour and the one before. `earlier` are
    marks of the callers of hours that are not kept in full any more.
    """

    named: dict[int, Hour] = field(default_factory=dict)
    earlier: dict[int, str] = field(default_factory=dict)
    nameless: dict[int, Hour] = field(default_factory=dict)
    newest: int = 0
    kept: int = 0

    def find(self, call: str, oldest: int = 0) -> Place | None:
        """Where a call is that came in the hour `oldest` (hours since the epoch) or later."""
        mark = _mark(call)
        for number, hour in chain(reversed(self.named.items()), self.nameless.items()):
            if (row := hour.calls.get(mark)) is not None and number >= oldest:
                return Place(hour, number * HOUR, row)
        return None

    def enter(self, call: str, time: float, caller: str | None) -> Place | None:
        """Write a call in, unless it is there: one that is offered again, in another queue, came once."""
        number, second = divmod(int(time), HOUR)
        if self.find(call, number - 2) is not None:
            return None
        if number > self.newest:
            self.newest = number
            self._forget()
        elif self.kept >= CALLS:
            oldest = min([*self.named, *self.nameless])
            self.named.pop(oldest, None)
            self.nameless.pop(oldest, None)
            self._count()
        hours = self.nameless if caller is None else self.named
        hour = hours.get(number)
        if hour is None:
            hour = hours[number] = Hour()
        row = hour.calls[_mark(call)] = len(hour.ends)
        hour.callers += caller or ""
        hour.seconds += _DIGITS[second >> 6] + _DIGITS[second & 63]
        hour.ends += WAITING
        hour.classes += UNKNOWN
        self.kept += 1
        return Place(hour, number * HOUR, row)

    def repeats(self, now: float, calls: int) -> int:
        """How many callers came `calls` times or more in the 24 hours up to `now`, of which the first is whole."""
        end, first = int(now), int(now) // HOUR - 23
        columns = [marks for number, marks in self.earlier.items() if number >= first]
        for number, hour in self.named.items():
            if number * HOUR + HOUR <= end:
                if number >= first:
                    columns.append(_marks(hour.callers))
            elif number * HOUR <= end:
                rows = range(len(hour.ends))
                columns.append("".join(hour.caller(row)[:_MARK] for row in rows if number * HOUR + hour.second(row) <= end))
        return _repeats(tuple(columns), calls)

    def lost(self, now: float, seconds: float) -> dict[str, list[tuple[int, bool]]]:
        """The callers with a lost call in the last `seconds`: when they came then, ascending, and whether that was answered."""
        hours = [(number * HOUR, hour) for number, hour in self.named.items() if now - seconds - HOUR < number * HOUR <= now]
        found: dict[str, list[tuple[int, bool]]] = {}
        for end in (LOST, ANSWERED):
            if end == ANSWERED and not found:
                break  # an answer matters only to who was lost before
            for start, hour in hours:
                row = hour.ends.find(end)
                while row >= 0:
                    caller = hour.caller(row)
                    if end == LOST or caller in found:
                        time = start + hour.second(row)
                        if now - seconds < time <= now:
                            found.setdefault(caller, []).append((time, end == ANSWERED))
                    row = hour.ends.find(end, row + 1)
        for times in found.values():
            times.sort()
        return found

    def _forget(self) -> None:
        """Turn to a new hour."""
        self.nameless = {number: hour for number, hour in self.nameless.items() if number >= self.newest - 1}
        self.earlier |= {number: _marks(hour.callers) for number, hour in self.named.items() if number < self.newest - REACH}
        self.earlier = {number: marks for number, marks in self.earlier.items() if number >= self.newest - 24}
        self.named = {number: hour for number, hour in self.named.items() if number >= self.newest - REACH}
        self._count()

    def _count(self) -> None:
        self.kept = sum([len(hour.ends) for hour in (*self.named.values(), *self.nameless.values())])


@lru_cache(maxsize=4096)
def _marks(callers: str) -> str:
    return "".join([callers[at : at + _MARK] for at in range(0, len(callers), _CALLER)])


@lru_cache(maxsize=1024)
def _repeats(columns: tuple[str, ...], calls: int) -> int:
    names = "".join(columns)
    counts = Counter([names[at : at + _MARK] for at in range(0, len(names), _MARK)])
    return sum(n >= calls for n in counts.values())

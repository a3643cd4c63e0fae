"""The call book: who called in the last hours, what came of it and as what it counts, in a line of text a journey; and who called
in the last day.
"""

import re
from binascii import a2b_base64, b2a_base64
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from string import ascii_letters
from typing import Annotated, NamedTuple

from pydantic import Field, InstanceOf
from pydantic.json_schema import SkipJsonSchema

from streams.core.classes import CLASSES
from streams.core.hourly import HOUR
from streams.core.service_level import KINDS

DAY = 86_400

BYTES = 250_000
"""The most that lines take as they are written: about 5,000 calls. Beyond it the oldest are given up. The busiest day of Kota
Bogor had 3,000.
"""

MARKS = 100_000
"""The most characters of callers of the hours before: about 16,600 calls a day."""

WAITING, ANSWERED, LOST, SHORT, ELSEWHERE = ".", "a", "l", "s", "e"
"""What came of a call, in one letter. One that was elsewhere on the exchange is no journey of the city."""

REACH = 5
"""Hours that calls are kept in full: as long as somebody may be called back, and an event be late."""


def letters(number: int) -> str:
    """So many letters, to tell so many things apart. Raises `ValueError` when there are not enough."""
    if number > len(ascii_letters):
        raise ValueError(f"{number} things; the book has {len(ascii_letters)} letters")
    return ascii_letters[:number]


CAME, SPOKE, CUT_OFF, TALKED, GONE, PASSED_ON = range(KINDS, KINDS + 6)
"""As what a call is counted besides the kinds of `service_level`: as offered and also as come on a link for the forecast, as a
conversation by its end, and as cut off. And what is only noted: when a conversation after the first began, and when a call was
over that counted as nothing then; and that it was passed on to another centre.
"""
_LETTERS = letters(KINDS + 6)
_WHAT = {letter: what for what, letter in enumerate(_LETTERS)}
_COUNTED = re.compile(r"([a-zA-Z])(-?[0-9]+)(?:/([0-9]+))?")

_CLASS_LETTER: dict[str, str] = dict(zip(CLASSES, letters(len(CLASSES)), strict=True))
_CLASS_OF = {letter: name for name, letter in _CLASS_LETTER.items()}
_UNKNOWN = "."
_TEST = _CLASS_LETTER["test"]

_CALLER_AT, _CALLER, _NOBODY = 4, 22, "."
_ERASED = "!" * _CALLER
"""A line: when within the hour the call came (two digits), its class and its end (a letter each), the caller or a dot, as what it
was counted, each with the seconds since it came (and the number of its link, or the microseconds of the conversation). In the
place of a caller who was erased stand as many exclamation marks.
"""
_NO_NAME = (_NOBODY, _ERASED[0])
_LAST = re.compile(r"(-?[0-9]+)(/[0-9]+)?$")
LONGEST_LINE = 160
"""Characters of a line: room for six conversations. What is counted beyond it cannot be taken back."""
_FINAL = (ANSWERED, ELSEWHERE)
_BESIDE = 14
"""Bytes of a line besides: the call's mark, quotation marks, a colon and a comma."""
_MARK = 6
"""Characters of a caller that are kept for the rest of a day, to count who comes again and again: 36 bits."""
_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_SECONDS = [f"{_DIGITS[second >> 6]}{_DIGITS[second & 63]}" for second in range(HOUR)]
_SECOND_OF = {text: second for second, text in enumerate(_SECONDS)}

Lines = dict[str, str]
"""The calls that came within one hour, by their marks."""


def shortened(pseudonym: str) -> str:
    """A pseudonym (32 hexadecimal digits) as the book keeps it: the same 128 bits in 22 characters."""
    return b2a_base64(bytes.fromhex(pseudonym), newline=False).decode()[:_CALLER]


def pseudonym(caller: str) -> str:
    """The 32 hexadecimal digits of what `shortened` made."""
    return a2b_base64(caller + "==").hex()


@lru_cache(maxsize=8192)
def mark(exchange: str, call: str = "") -> str:
    """What a call of an exchange is known by, in 8 characters; two exchanges may use one id for two calls."""
    # 48 bits: among 5,000 calls two look alike once in 20 million books.
    return b2a_base64(blake2b(f"{exchange}|{call}".encode(), digest_size=6).digest(), newline=False).decode()


def index(column: str, item: str) -> int:
    """Which item of a column of items of that width it is, counted from 0; -1 for none."""
    width, at = len(item), column.find(item)
    while at > 0 and at % width:
        at = column.find(item, at + 1)
    return at // width


def replaced(column: str, item: str, by: str) -> str:
    """A column of items of that width with another in the place of each that is `item`, or none where that is empty."""
    if item not in column:
        return column
    width = len(item)
    items = (column[at : at + width] for at in range(0, len(column), width))
    return "".join([by if one == item else one for one in items])


def _second(line: str) -> int:
    """When within its hour a call came."""
    return _SECOND_OF[line[:2]]


class Counted(NamedTuple):
    """That a call was counted as `what` at `time`, in whole epoch seconds, and a number where one belongs to it: of the link on
    which it came, if that was told, or of the microseconds that a conversation took.
    """

    what: int
    time: int
    number: int | None


def entry(what: int, after: int, number: int | None = None) -> str:
    """How the book writes that a call was counted as `what` so many seconds after it came."""
    return f"{_LETTERS[what]}{after}" if number is None else f"{_LETTERS[what]}{after}/{number}"


def entries(text: str, start: int) -> Iterator[Counted]:
    """What such entries say of a call that came at `start`, in whole epoch seconds."""
    for letter, after, number in _COUNTED.findall(text):
        yield Counted(_WHAT[letter], start + int(after), int(number) if number else None)


@dataclass(slots=True)
class Place:
    """Where in the book a call is."""

    lines: Lines
    mark: str
    start: int

    @property
    def time(self) -> int:
        """When it came, in whole epoch seconds."""
        return self.start + _SECOND_OF[self.lines[self.mark][:2]]

    @property
    def has_caller(self) -> bool:
        """Whether it was known who called."""
        return self.lines[self.mark][_CALLER_AT] != _NOBODY

    @property
    def caller(self) -> str:
        """Who called; empty for a call without a caller, and for one whose caller was erased."""
        line = self.lines[self.mark]
        return "" if line[_CALLER_AT] in _NO_NAME else line[_CALLER_AT : _CALLER_AT + _CALLER]

    @property
    def end(self) -> str:
        """What came of it: `WAITING`, `ANSWERED`, `LOST`, `SHORT` or `ELSEWHERE`."""
        return self.lines[self.mark][3]

    @property
    def class_(self) -> str | None:
        """What it turned out to be."""
        return _CLASS_OF.get(self.lines[self.mark][2])

    @property
    def is_test(self) -> bool:
        """Whether it turned out to be a test, which counts as nothing but that."""
        return self.lines[self.mark][2] == _TEST

    @property
    def left(self) -> int:
        """When it was over, as far as the book knows: as what it counted last. In whole epoch seconds."""
        found = _LAST.search(self._counted)
        return self.time if found is None else self.time + int(found[1])

    @property
    def _counted(self) -> str:
        line = self.lines[self.mark]
        return line[_CALLER_AT + (1 if line[_CALLER_AT] == _NOBODY else _CALLER) :]

    def counted(self) -> Iterator[Counted]:
        """As what it was counted, but for what is still open."""
        return entries(self._counted, self.time)

    def write_class(self, name: str) -> None:
        """Note what it turned out to be."""
        line = self.lines[self.mark]
        self.lines[self.mark] = f"{line[:2]}{_CLASS_LETTER[name]}{line[3:]}"


class BookWatch:
    """Who watches the call book of one centre, as `streams.core.watch` has it of other parts."""

    def renamed(self, before: str, after: str) -> None:
        """What stood under one name of a caller stands under another."""

    def forgets(self, hour: int, lines: Lines) -> None:
        """The lines of an hour (epoch seconds // 3600) have been there for their time and are about to go."""


@dataclass(slots=True)
class Book:
    """The calls of one centre by the hour they came in: of those without a caller this hour and the one before. `earlier` are
    marks of the callers of hours that are not kept in full any more.
    """

    named: dict[int, Lines] = field(default_factory=dict)
    earlier: dict[int, str] = field(default_factory=dict)
    nameless: dict[int, Lines] = field(default_factory=dict)
    newest: int = 0
    kept: int = 0
    """Bytes of all lines."""
    gone: int = 0
    """Calls that were given up before their time."""
    watch: Annotated[InstanceOf[BookWatch] | None, SkipJsonSchema(), Field(exclude=True)] = None
    """Who is told what becomes of callers, if anybody is."""

    def find(self, mark: str) -> Place | None:
        """Where a call is."""
        number, lines = self._hour(mark)
        return None if lines is None else Place(lines, mark, number * HOUR)

    def _hour(self, mark: str) -> tuple[int, Lines | None]:
        """The hour that a call came in, and its lines."""
        for hours in (self.named, self.nameless):
            for number, lines in reversed(hours.items()):
                if mark in lines:
                    return number, lines
        return 0, None

    def enter(self, mark: str, time: float, caller: str | None, end: str = WAITING) -> Place:
        """Write in a call that is not there."""
        number, second = divmod(int(time), HOUR)
        if number > self.newest:
            self.newest = number
            self._forget()
        if self.kept > BYTES - LONGEST_LINE:
            self._give_up()
        hours = self.nameless if caller is None else self.named
        lines = hours.get(number)
        if lines is None:
            lines = hours[number] = {}
        line = lines[mark] = f"{_SECONDS[second]}{_UNKNOWN}{end}{caller or _NOBODY}"
        self.kept += _BESIDE + len(line)
        return Place(lines, mark, number * HOUR)

    def write_end(self, mark: str, end: str) -> None:
        """Note what came of a call. One that was answered was not lost, whatever else is told of it."""
        _, lines = self._hour(mark)
        if lines is not None:
            line = lines[mark]
            if line[3] not in _FINAL:
                lines[mark] = f"{line[:3]}{end}{line[4:]}"

    def note(self, mark: str, counted: str, end: str) -> None:
        """Note as what a call that is over was counted since it came (`entry`s), and what came of it unless `end` is empty."""
        _, lines = self._hour(mark)
        if lines is None:
            return
        line = lines[mark]
        if len(line) + len(counted) <= LONGEST_LINE:
            self.kept += len(counted)
            line += counted
        lines[mark] = f"{line[:3]}{end}{line[4:]}" if end else line
        if self.kept > BYTES:
            self._give_up()

    def tear_out(self, place: Place) -> None:
        """Forget a call that was over and comes again."""
        self.kept -= _BESIDE + len(place.lines.pop(place.mark))

    def restate(self, mark: str, before: str, after: str) -> None:
        """Note that a call counts as something else than it did: the `entry`s."""
        _, lines = self._hour(mark)
        if lines is not None:
            line = lines[mark].replace(before, after, 1)
            self.kept += len(line) - len(lines[mark])
            lines[mark] = line

    def repeats(self, now: float, calls: int) -> int:
        """How many callers came `calls` times or more in the 24 hours up to `now`, of which the first is whole, but for tests."""
        end, first = int(now), int(now) // HOUR - 23
        columns = [marks for number, marks in self.earlier.items() if number >= first]
        for number, lines in self.named.items():
            if first <= number <= end // HOUR:
                columns.append(_marks(lines, end - number * HOUR))
        return _repeats(tuple(columns), calls)

    def lost(self, now: float, seconds: float) -> dict[str, list[tuple[int, bool]]]:
        """The callers with a lost call in the last `seconds`: when they came then, ascending, and whether that was answered."""
        hours = [(number * HOUR, lines) for number, lines in self.named.items() if now - seconds - HOUR < number * HOUR <= now]
        found: dict[str, list[tuple[int, bool]]] = {}
        for end in (LOST, ANSWERED):
            if end == ANSWERED and not found:
                break  # an answer matters only to who was lost before
            for start, lines in hours:
                for line in lines.values():
                    if line[3] == end and line[2] != _TEST and line[_CALLER_AT] not in _NO_NAME:
                        caller = line[_CALLER_AT : _CALLER_AT + _CALLER]
                        if end == LOST or caller in found:
                            time = start + _second(line)
                            if now - seconds < time <= now:
                                found.setdefault(caller, []).append((time, end == ANSWERED))
        for times in found.values():
            times.sort()
        return found

    def answered(self, callers: Collection[str]) -> dict[str, list[int]]:
        """When each of some callers came whose call was answered, ascending, tests left out; who never was is not among them."""
        found: dict[str, list[int]] = {}
        for number, lines in self.named.items():
            for line in lines.values():
                if line[3] == ANSWERED and line[2] != _TEST:
                    caller = line[_CALLER_AT : _CALLER_AT + _CALLER]
                    if caller in callers:
                        found.setdefault(caller, []).append(number * HOUR + _second(line))
        for times in found.values():
            times.sort()
        return found

    def rename(self, before: str, after: str) -> None:
        """What one name of a caller stands at is another's, both 22 characters."""
        if self.watch is not None:
            self.watch.renamed(before, after)
        for lines in self.named.values():
            for mark, line in lines.items():
                if line.startswith(before, _CALLER_AT):
                    lines[mark] = f"{line[:_CALLER_AT]}{after}{line[_CALLER_AT + _CALLER :]}"
        for number in self.earlier:
            self.earlier[number] = replaced(self.earlier[number], before[:_MARK], after[:_MARK])

    def erase(self, caller: str) -> None:
        """Forget who called; the calls stay."""
        self.rename(caller, _ERASED)
        for number in self.earlier:
            self.earlier[number] = replaced(self.earlier[number], _ERASED[:_MARK], "")

    def _forget(self) -> None:
        """Turn to a new hour."""
        if self.watch is not None:
            for number, lines in self.named.items():
                if number < self.newest - REACH:
                    self.watch.forgets(number, lines)
        self.nameless = {number: lines for number, lines in self.nameless.items() if number >= self.newest - 1}
        self.earlier |= {number: _marks(lines, HOUR) for number, lines in self.named.items() if number < self.newest - REACH}
        self.earlier = {number: marks for number, marks in self.earlier.items() if number >= self.newest - 24}
        while sum([len(marks) for marks in self.earlier.values()]) > MARKS:
            self.gone += len(self.earlier.pop(min(self.earlier))) // _MARK
        self.named = {number: lines for number, lines in self.named.items() if number >= self.newest - REACH}
        hours = (*self.named.values(), *self.nameless.values())
        self.kept = sum([_BESIDE + len(line) for lines in hours for line in lines.values()])

    def _give_up(self) -> None:
        """Tear out the oldest lines, so that there is room for one more."""
        while self.kept > BYTES - LONGEST_LINE:
            oldest = min([*self.named, *self.nameless])
            for hours in (self.named, self.nameless):
                lines = hours.get(oldest, {})
                while lines and self.kept > BYTES - LONGEST_LINE:
                    self.kept -= _BESIDE + len(lines.pop(next(iter(lines))))
                    self.gone += 1
                if not lines:
                    hours.pop(oldest, None)


def _marks(lines: Lines, end: int) -> str:
    """The callers of an hour whose calls came up to a second of it, tests left out."""
    at = slice(_CALLER_AT, _CALLER_AT + _MARK)
    if end >= HOUR:
        return "".join([line[at] for line in lines.values() if line[2] != _TEST and line[_CALLER_AT] != _ERASED[0]])
    counted = (line for line in lines.values() if line[2] != _TEST and line[_CALLER_AT] != _ERASED[0])
    return "".join([line[at] for line in counted if _second(line) <= end])


@lru_cache(maxsize=1024)
def _repeats(columns: tuple[str, ...], calls: int) -> int:
    names = "".join(columns)
    counts = Counter([names[at : at + _MARK] for at in range(0, len(names), _MARK)])
    return sum(n >= calls for n in counts.values())

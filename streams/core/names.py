"""Names: how people, exchanges and agencies spell a thing, and the code that the centre's file has for it."""

import unicodedata
from collections.abc import Collection, MutableMapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from streams.core.reading import Metric, Readings

OTHER = "other"
"""Under which figures count what the centre's file does not name, where it names some of that kind."""

SPELLINGS = 4_096
"""The most spellings of a kind whose code is kept at hand; of further ones it is worked out each time."""


SILENT_SECONDS = 86_400
"""A stranger of which nothing was heard for so long gives its place to another."""


class Named(Protocol):
    """A part of a centre's file that has a code, and other names that it goes by."""

    @property
    def code(self) -> str: ...
    @property
    def also(self) -> tuple[str, ...]: ...


class Heard(Protocol):
    """A thing that says when it was last heard of, epoch seconds."""

    @property
    def heard(self) -> float: ...


HeardT = TypeVar("HeardT", bound=Heard)


def plain(text: str) -> str:
    """What all spellings of a name share: its letters and digits, without case, accents, spaces and punctuation."""
    letters = unicodedata.normalize("NFKD", text).casefold()
    return "".join([letter for letter in letters if letter.isalnum()]) or text


class Names(dict[str, str]):
    """The names of one kind at one centre: `names[spelling]` is the code.

    That of the centre's file for every spelling alike to a code or name there. A stranger keeps its own spelling, or, where
    `typed` says that people write these names by hand, that in small letters: `DAMKAR` and `damkar` are one agency then too.
    """

    def __init__(self, parts: Collection[Named], *, typed: bool = False) -> None:
        """Raises `ValueError` where two parts have a name that reads alike."""
        super().__init__()
        self.codes = tuple(part.code for part in parts)
        self.known = frozenset(self.codes)
        self._typed = typed
        self._by_plain: dict[str, str] = {}
        for part in parts:
            for name in (part.code, *part.also):
                code = self._by_plain.setdefault(plain(name), part.code)
                if code != part.code:
                    raise ValueError(f"{code} and {part.code} have a name that reads alike: {name}")

    def __missing__(self, text: str) -> str:
        code = self._by_plain.get(plain(text)) or (text.casefold() if self._typed else text)
        if len(self) < SPELLINGS:
            self[text] = code
        return code


UNKNOWN_TOTAL = Metric(
    "psap_names_unknown_total",
    "counter",
    "Names that the centre's file does not have although it names others of the kind: of queues, categories, agencies, reasons, "
    "classes and surveys at every telling, of links, gauges and seats when first told.",
    ("kind",),
)
PASSED_OVER_TOTAL = Metric(
    "pantau112_passed_over_total",
    "counter",
    "What was given up or not followed because a bound of the centre's state was reached, by bound.",
    ("limit",),
)
METRICS = (UNKNOWN_TOTAL, PASSED_OVER_TOTAL)


@dataclass(slots=True)
class Strangers:
    """What one noun of a centre was told under names that the centre's file does not have. Counted, and never spelt out."""

    unknown: dict[str, int] = field(default_factory=dict)
    """By kind of name."""
    passed_over: dict[str, int] = field(default_factory=dict)
    """By bound; also what has nothing to do with names."""
    full_until: dict[str, float] = field(default_factory=dict)
    """By kind, before when no stranger makes way for another: a flood of invented names asks for nothing else."""

    def label(self, kind: str, text: str, names: Names) -> str:
        """Under which code figures count `text`: its own, or `OTHER` where the file names some of that kind and not this."""
        code = names[text]
        if code in names.known or not names.known:
            return code
        self.unknown[kind] = self.unknown.get(kind, 0) + 1
        return OTHER

    def place(self, kind: str, text: str, names: Names, table: Collection[str], most: int) -> str | None:
        """The key of `text` in `table`, which holds a thing each. What the file names always has its place; strangers share
        `most` more, and None says that those are taken, which is counted.
        """
        code = names[text]
        if code in table or code in names.known:
            return code
        if sum(key not in names.known for key in table) >= most:
            self.pass_over(kind)
            return None
        if names.known:
            self.unknown[kind] = self.unknown.get(kind, 0) + 1
        return code

    def take_in(
        self, kind: str, text: str, names: Names, table: MutableMapping[str, HeardT], most: int, time: float
    ) -> str | None:
        """The key of `text` in `table`, which holds at most `most` things, told of at `time`, epoch seconds.

        What the file names always has its place. Strangers share what is left, where one that was silent for a day makes way for
        another, so that what was invented on a bad day does not keep others out for ever. None says that all are taken. Either
        way something is passed over, which is counted.
        """
        code = names[text]
        if code in table:
            return code
        named = code in names.known
        if not named and time < self.full_until.get(kind, 0.0):
            self.pass_over(kind)
            return None
        strangers = [key for key in table if key not in names.known]
        if len(table) >= most if named else len(strangers) >= most - len(names.known):
            self.pass_over(kind)
            silent = min(strangers, key=lambda key: table[key].heard, default=None)
            if not named:
                self.full_until[kind] = SILENT_SECONDS + (table[silent].heard if silent else time)
                if time < self.full_until[kind]:
                    return None
            if silent:
                del table[silent]
        if names.known and not named:
            self.unknown[kind] = self.unknown.get(kind, 0) + 1
        return code

    def pass_over(self, limit: str, n: int = 1) -> None:
        """Count what a bound gave up."""
        self.passed_over[limit] = self.passed_over.get(limit, 0) + n

    def measure(self) -> Readings:
        """Say how often; nothing where it never was."""
        for kind, n in sorted(self.unknown.items()):
            yield UNKNOWN_TOTAL, (kind,), n
        for limit, n in sorted(self.passed_over.items()):
            yield PASSED_OVER_TOTAL, (limit,), n

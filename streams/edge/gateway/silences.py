"""Silences as Alertmanager has them: what each matches, who made it, until when, and what of it may be told.

What a person wrote is told only as far as alerts say the same: comments never, names of people never.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import re2

CODE = re.compile(r"(?=.*[0-9])[A-Za-z0-9]{2,8}")
"""Who has an alarm, or made a silence. With a digit, so that it is no name."""

TAKEN = "Saya tangani / I have it"
"""The comment of a silence by which somebody says at the page of an alarm that he has it."""

UNTOLD = "…"
"""Stands for what is not told."""
LONGEST = 120
"""Characters of what is told of a silence."""

Labels = Mapping[str, str]


class Matcher(NamedTuple):
    """One condition on a label; an alert without the label has it empty."""

    name: str
    value: str
    is_regex: bool
    is_equal: bool

    def matches(self, text: str) -> bool:
        """As Alertmanager judges. A pattern that cannot be read here is taken to match whatever there is."""
        if not self.is_regex:
            return (text == self.value) is self.is_equal
        pattern = _pattern(self.value)
        return bool(text) if pattern is None else bool(pattern.fullmatch(text)) is self.is_equal

    def told(self, known: Mapping[str, Collection[str]]) -> str:
        """In Alertmanager's own form; `known` are the values of each label of alerts, and whatever else it says is not told."""
        if self.name not in known:
            return UNTOLD
        operator = ("=~" if self.is_equal else "!~") if self.is_regex else "=" if self.is_equal else "!="
        values = known[self.name]
        if self.is_regex:
            words = re.findall(r"\w+", self.value)
            is_known = all(any(word.casefold() in value.casefold() for value in values) for word in words)
        else:
            is_known = not self.value or self.value in values
        return f'{self.name}{operator}"{self.value if is_known else UNTOLD}"'


@dataclass(frozen=True)
class Silence:
    """One silence that is in force, or `is_pending`; `by` is the code of who made it in capitals, empty where he gave none."""

    id: str
    matchers: tuple[Matcher, ...]
    begins: datetime
    until: datetime
    by: str
    is_pending: bool
    says_taken: bool
    """Whether it has the form of what the button of an alarm's page makes."""

    def mutes(self, labels: Labels) -> bool:
        """Whether nobody is told of an alert with these labels while it is in force."""
        return all(matcher.matches(labels.get(matcher.name, "")) for matcher in self.matchers)

    def acknowledges(self, labels: Labels) -> bool:
        """Whether somebody says by it that he has exactly the alert with these labels."""
        return self.says_taken and self._named == labels

    @cached_property
    def _named(self) -> Labels:
        return {matcher.name: matcher.value for matcher in self.matchers}

    @cached_property
    def asks_for(self) -> frozenset[str]:
        """The labels that an alert must have to be muted by it: Alertmanager takes no silence without one."""
        return frozenset(matcher.name for matcher in self.matchers if not matcher.matches(""))

    def told(self, known: Mapping[str, Collection[str]]) -> str:
        """Its matchers as text, without what only a person knows."""
        text = ", ".join(matcher.told(known) for matcher in self.matchers)
        return text if len(text) <= LONGEST else text[: LONGEST - 1] + UNTOLD


def unexpired(answer: Sequence[Mapping[str, Any]]) -> dict[str, Silence]:
    """The silences of Alertmanager's answer that are in force or to come, by their ids.

    Raises KeyError, TypeError, ValueError or AttributeError where it is no such answer.
    """
    return {one["id"]: _silence(one) for one in answer if one["status"]["state"] != "expired"}


def _silence(said: Mapping[str, Any]) -> Silence:
    matchers = tuple(
        Matcher(one["name"], one["value"], one["isRegex"], one.get("isEqual", True)) for one in said.get("matchers", ())
    )
    by = said["createdBy"]
    is_code = CODE.fullmatch(by) is not None
    is_plain = all(matcher.is_equal and not matcher.is_regex for matcher in matchers)
    return Silence(
        said["id"],
        matchers,
        moment(said["startsAt"]),
        moment(said["endsAt"]),
        by if is_code and by == by.upper() else "",  # a login such as budi1 is a name
        said["status"]["state"] == "pending",
        is_code and is_plain and said["comment"] == TAKEN,
    )


def moment(text: str) -> datetime:
    """A time of Alertmanager's, in UTC. Raises ValueError."""
    return datetime.fromisoformat(text).astimezone(UTC)


@lru_cache(maxsize=1024)
def _pattern(text: str) -> Any:
    """The pattern in RE2's language, which is Alertmanager's; None where it is none."""
    options = re2.Options()
    options.log_errors = False
    options.dot_nl = True
    try:
        return re2.compile(text, options)
    except re2.error:
        return None

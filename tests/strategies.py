"""Events that every schema lets through, and nobody would expect: of every type, with extreme values in every field.

They are made from the JSON Schemas, so a field that is added is told too. One history keeps to a few names, sources and moments,
which is how states meet: the same ticket at seven agencies, two events a microsecond apart, ninety years of silence.
"""

import json
import re
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from importlib import import_module
from math import inf, nextafter
from random import Random
from typing import Any

from hypothesis import strategies as st

from schemas.catalogue import json_schema
from schemas.event import EARLIEST, TOO_LATE, Event
from schemas.topics import EVENT_TYPES, Refusal, decode
from streams.core.centre import Centre

regex: Any = import_module("re._constants")
"""What a parsed pattern is made of; typeshed leaves it out."""

TICK = timedelta(microseconds=1)
LATEST = TOO_LATE - TICK
EDGES = (EARLIEST, LATEST)
ORDINARY = (
    datetime(2000, 2, 29, 16, 59, 59, 999_999, UTC),  # before midnight in Jakarta
    datetime(2024, 11, 25, 1, tzinfo=UTC),
    datetime(2026, 12, 31, 17, tzinfo=UTC),
    datetime(2038, 1, 19, 3, 14, 7, tzinfo=UTC),
    datetime(2077, 11, 16, 23, tzinfo=UTC),
    datetime(2099, 12, 24, 10, tzinfo=UTC),
)
SECONDS = (0.0, 1e-6, 0.5, 1.0, 2.0, 4.999999, 5.0, 14.0, 15.0, 59.0, 60.0, 300.0, 899.999999, 900.0)
HOURS = (1.0, 1.0 + 1e-9, 2.0, 12.0, 24.0, 25.0, 168.0, 720.0, 1440.0)
YEARS = (1.0, 4.0, 38.0, 99.0)
OFFSETS = (0, 420, 480, 540, 840, -840, -720, 345, 1439, -1439)
"""Minutes of zones: those of Indonesia, and the farthest that a time can have."""

NAMES, SOURCES = (1, 1, 2, 3, 6, 40, 300, 1_000_000), (1, 2, 3, 6, 12, 40)
"""How many different ones a history knows of a field."""

NAMED = ("queue", "seat", "link", "gauge", "category", "opd", "to", "rung")
"""Fields of which a centre's file has names."""
RESERVED = ("other", "none", "unspecified", "unsent", "in_time", "answered")
"""Words that figures use for themselves."""

Json = dict[str, Any]


class Teller:
    """Tells events of some centres, one by one, in the narrow world that `seed` makes, mostly from where `before` ends."""

    def __init__(
        self, seed: int, centres: Sequence[Centre], kinds: Sequence[str] = tuple(EVENT_TYPES), before: Sequence[Event] = ()
    ) -> None:
        self._world = Random(f"{seed}")
        self._dice = Random(f"{seed}|dice")
        self._centres = centres
        # Of few kinds that are told again and again come the deepest stories.
        self._kinds = self._world.sample(kinds, min(len(kinds), self._world.choice((3, 6, 100, 100))))
        self._words: dict[str, list[Any]] = {}
        self._known = {key: [name for centre in centres for name in _named(centre).get(key, ())] for key in NAMED}
        self._all_known = sorted({*RESERVED, *(name for names in self._known.values() for name in names)})
        self._pools: dict[tuple[str, str], tuple[int, list[str]]] = {}
        self._ids = 0
        self._told: deque[Event] = deque(before, maxlen=50)
        self._now = self._world.choice((*EDGES, *ORDINARY, *ORDINARY, *(event.time for event in self._told)))
        self._pace = self._world.choice(("together", "together", "hourly", "hourly", "leaping", "wild"))
        self._again = self._world.choice((0.0, 0.05, 0.3))
        self._follows = self._world.choice((0.0, 0.5, 0.8))
        self._given = self._world.choice((0.1, 0.6, 1.0))
        """How often a field is told that may be left out."""

    def tell(self, seed: int | None = None) -> Event:
        """The next event; with a `seed` of its own what it says depends little on what was told before."""
        dice = self._dice = self._dice if seed is None else Random(seed)
        if self._told and dice.random() < self._again:
            return dice.choice(self._told)
        self._go_on()
        for _ in range(100):
            name = dice.choice(self._kinds)
            schema = _schema(name)
            centre = dice.choice(self._centres)
            said = {key: value for key, value in self._object(schema, schema).items() if key != "replayed" or dice.random() < 0.1}
            said["id"] = self._id(said["id"])
            if self._told and dice.random() < self._follows:
                # The next thing that happened to the same call, ticket, seat ...
                before = dice.choice(list(self._told)[-dice.choice((1, 3, 50)) :])
                known = before.model_dump(mode="json", by_alias=True, exclude_none=True)["data"]
                said["data"] |= {key: value for key, value in known.items() if key in said["data"]}
            said |= {"type": name, "subject": centre.code, "source": self._source(centre), "time": self._write(self._now)}
            event = decode(json.dumps(said).encode())
            if isinstance(event, Event):
                self._told.append(event)
                return event
            # A schema of one field cannot say what holds between two of them: one was before the other, or too long after it.
            assert isinstance(event, Refusal)
            assert event.reason == "invalid_data", (event, said)
        raise AssertionError(f"nothing that the JSON Schema of {name} lets through is taken: {said}")

    def _object(self, schema: Json, root: Json) -> Json:
        found = {}
        for key, part in schema["properties"].items():
            if key in schema.get("required", ()) or self._dice.random() < self._given:
                value = self._value(part, root, key)
                if value is not None:
                    found[key] = value
        return found | ({"specversion": "1.0"} if schema is root else {})

    def _value(self, part: Json, root: Json, key: str) -> Any:
        dice = self._dice
        if "$ref" in part:
            part = root["$defs"][part["$ref"].rpartition("/")[2]]
        if "const" in part:
            return part["const"]
        if "enum" in part:
            if key not in self._words:
                self._words[key] = self._world.sample(part["enum"], self._world.choice((1, 2, len(part["enum"]))))
            return dice.choice(self._words[key])
        if "anyOf" in part:
            return self._value(dice.choice([one for one in part["anyOf"] if one.get("type") != "null"]), root, key)
        match part["type"]:
            case "object" if "properties" in part:
                return self._object(part, root)
            case "object":
                pattern, value = dice.choice(sorted(part["patternProperties"].items()))
                many = dice.choice((part.get("minProperties", 0), part["maxProperties"], 5))
                return {self._text({"pattern": pattern}, key): self._value(value, root, key) for _ in range(many)}
            case "string" if part.get("format") == "date-time":
                return self._write(self._moment())
            case "string":
                return self._text(part, key)
            case "integer":
                low, high = part["minimum"], part["maximum"]
                return dice.choice(
                    (low, high, min(low + 1, high), dice.randint(low, high), dice.randint(low, min(high, low + 100)))
                )
            case "number":
                above = part.get("exclusiveMinimum")
                low, high = float(part["minimum"]) if above is None else nextafter(above, inf), float(part["maximum"])
                values = (low, high, nextafter(low, inf), nextafter(high, -inf), -0.0, 5e-324, 0.1, dice.uniform(low, high))
                return dice.choice([value for value in values if low <= value <= high])
            case kind:
                raise AssertionError(f"no values are known for {kind}: tell of them here")

    def _text(self, part: Json, key: str) -> str:
        """One of a few names of that field, or another one each time."""
        pattern, longest = part["pattern"], part.get("maxLength", 128)
        sizes = SOURCES if key == "source" else NAMES
        size, pool = self._pools.setdefault((key, pattern), (self._world.choice(sizes), []))
        if len(pool) >= size:
            return self._dice.choice(pool)
        known = self._dice.choice((self._known.get(key), [name for name in self._all_known if re.search(pattern, name)], None))
        text = self._dice.choice(known) if known else "".join(_spelled(_parsed(pattern), self._dice, longest))[:longest]
        if size < 1_000:
            pool.append(text)
        return text

    def _source(self, centre: Centre) -> str:
        return f"/{centre.code}/{self._text(_schema(self._kinds[0])['properties']['source'], 'source')}"[:128]

    def _id(self, text: str) -> str:
        """Mostly a new one: of few ids nearly all would be duplicates."""
        self._ids += 1
        return text if self._dice.random() < 0.05 else f"{text[:120]}{self._ids}"

    def _go_on(self) -> None:
        """To the moment of the next event."""
        dice = self._dice
        match self._pace:
            case "together":
                self._now += timedelta(seconds=dice.choice(SECONDS) - dice.choice((0.0, 0.0, 0.0, dice.choice(SECONDS))))
            case "hourly":
                self._now += timedelta(seconds=dice.uniform(0, 7_200))
            case "leaping" if dice.random() < 0.1:
                self._now += dice.choice((timedelta(hours=dice.choice(HOURS)), timedelta(days=365.25 * dice.choice(YEARS))))
            case "leaping":
                self._now += timedelta(seconds=dice.choice(SECONDS))
            case "wild":
                self._now = self._moment(dice.choice((self._now, *EDGES, *ORDINARY)))
        self._now = min(max(self._now, EARLIEST), LATEST)

    def _moment(self, near: datetime | None = None) -> datetime:
        """A moment near another one, such as that of an event told before."""
        dice = self._dice
        if near is None:
            near = dice.choice([self._now, dice.choice(EDGES), *(event.time for event in list(self._told)[-3:])])
            if dice.random() < 0.3:
                return near
        away = timedelta(seconds=dice.choice(SECONDS), hours=dice.choice((0.0, 0.0, dice.choice(HOURS))))
        return min(max(near + dice.choice((-1, 0, 1, 1)) * away, EARLIEST), LATEST)

    def _write(self, moment: datetime) -> str:
        text = moment.astimezone(timezone(timedelta(minutes=self._dice.choice(OFFSETS)))).isoformat()
        return text.replace("+00:00", "Z") if self._dice.random() < 0.5 else text


@cache
def _schema(name: str) -> Json:
    return json_schema(EVENT_TYPES[name])


@cache
def _parsed(pattern: str) -> Any:
    return import_module("re._parser").parse(pattern)


def _spelled(parts: Any, dice: Random, longest: int) -> Iterator[str]:
    """A text that a pattern lets through: the shortest, the longest or one between, of any letter that it takes."""
    for what, how in parts:
        match what:
            case regex.LITERAL:
                yield chr(how)
            case regex.IN if how[0][0] is regex.NEGATE:
                yield dice.choice("aé |~\\")  # of all that are not shut out
            case regex.IN:
                kind, letters = dice.choice(how)
                yield chr(letters if kind is regex.LITERAL else dice.choice((*letters, dice.randint(*letters))))
            case regex.MAX_REPEAT:
                fewest, most, again = how
                most = min(most, longest - 1)
                for _ in range(dice.choice((fewest, most, dice.randint(fewest, min(most, fewest + 8))))):
                    yield from _spelled(again, dice, longest)
            case regex.SUBPATTERN:
                yield from _spelled(how[-1], dice, longest)
            case regex.BRANCH:
                yield from _spelled(dice.choice(how[-1]), dice, longest)
            case regex.AT:
                pass
            case _:
                raise AssertionError(f"no text is known for {what}: spell it here")


def _named(centre: Centre) -> dict[str, list[str]]:
    """The names that a centre's file has, by the field they stand in."""
    parts: dict[str, Sequence[Any]] = {
        "link": centre.links,
        "gauge": centre.gauges,
        "category": centre.categories,
        "opd": centre.opds,
        "to": centre.opds,
    }
    found = {key: [part.code for part in named] for key, named in parts.items()}
    rungs = [rung.name for ladder in centre.ladders.values() for rung in ladder.rungs]
    return found | {"queue": list(centre.names.queues.codes), "seat": list(centre.names.seats.codes), "rung": rungs}


def histories(
    centres: Sequence[Centre], longest: int = 60, kinds: Sequence[str] = tuple(EVENT_TYPES)
) -> st.SearchStrategy[list[Event]]:
    """Histories of up to so many events, each shrinking to fewer of them."""

    def told(world: int, seeds: list[int]) -> list[Event]:
        teller = Teller(world, centres, kinds)
        return [teller.tell(seed) for seed in seeds]

    numbers = st.integers(0, 2**32 - 1)
    return st.builds(told, numbers, st.lists(numbers, max_size=longest))

"""`pantau112` with nouns that some events are poison to: `python -m tests.poisonous 50 worker ...`, where 50 records are kept.

No event of our schemas should be; so the nouns' `step` is wrapped, and breaks off at an event whose id says how.
"""

import sys
from itertools import product
from random import Random
from types import ModuleType
from typing import Any

from schemas.event import Event
from streams import cli
from streams.core.nouns import NOUNS
from streams.worker import app as shell

SECRET = "Budi 0812"
"""What an error's text could quote, and nobody may read."""

KINDS = {error.__name__: error for error in (ZeroDivisionError, KeyError, AssertionError, MemoryError, RecursionError)}
MOMENTS = ("before", "amid", "after")
WAYS = tuple("-".join(way) for way in product(MOMENTS, KINDS))


def poison(event: Event, way: str, number: int) -> Event:
    """A copy of an event that breaks the fold off in such a way, before, amid or after its change."""
    return event.model_copy(update={"id": f"poison-{way}-{number}.{event.type}"})


def way_of(event: Event) -> str | None:
    """In which way an event is poison."""
    return event.id.removeprefix("poison-").rpartition("-")[0] if event.id.startswith("poison-") else None


def among(events: list[Event], count: int, random: Random) -> list[Event]:
    """The events with so many poisonous ones between them, each in the next way."""
    found = list(events)
    for number in range(count):
        place = random.randrange(len(found))
        found.insert(place, poison(found[place], WAYS[number % len(WAYS)], number))
    return found


def wrap(noun: ModuleType) -> None:
    """Make a noun's `step` break off at poison."""
    step = noun.step

    def poisonous(state: Any, event: Event, time: float, centre: Any) -> None:
        moment, kind = (way_of(event) or "never-").split("-")
        if moment != "before":
            step(state, event, time, centre)
        if moment == "amid":
            # No event leaves this behind.
            state.ledger.offset += 10**9
            state.ledger.sources.clear()
        if kind == "RecursionError":
            overflow()
        elif kind:
            raise KINDS[kind](SECRET)

    noun.step = poisonous  # type: ignore[attr-defined]


def overflow() -> None:
    """As a structure would that is nested too deeply."""
    overflow()


if __name__ == "__main__":
    shell.KEPT_RECORDS = int(sys.argv.pop(1))
    for noun in NOUNS.values():
        wrap(noun)
    cli.main()

"""A simulated centre that lives now: with days behind it, and going on where it was stopped."""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from schemas.event import Event
from streams.analysis.replay import paced
from streams.core.centre import Centre
from streams.sources.simulate import LONGEST, story

AHEAD_DAYS = 7
"""So many days are told from today on; then whoever runs it begins again."""

KEPT = timedelta(minutes=50)
"""While what lies behind is sent, its place is kept so often. What a crash sends twice is known by its ids, for an hour."""


class Place(NamedTuple):
    """A story that begins at `since`, of which all was sent that happened before `until`."""

    since: datetime
    until: datetime


def recall(memory: Path) -> Place | None:
    """The place that is kept in a file; None where it keeps none."""
    try:
        since, until = map(datetime.fromisoformat, json.loads(memory.read_text()))
    except (FileNotFoundError, TypeError, ValueError):
        return None
    return Place(since, until)


def keep(memory: Path, place: Place) -> None:
    """Keep a place in a file, whole or not at all."""
    part = memory.with_name(memory.name + ".part")
    part.write_text(json.dumps([moment.isoformat() for moment in place]))
    part.replace(memory)


def beginning(now: datetime, days: int, centres: Sequence[Centre]) -> Place:
    """A story of which nothing was sent yet, so many days before today."""
    midnight = now.astimezone(centres[0].timezone).replace(hour=0, minute=0, second=0, microsecond=0)
    since = midnight - timedelta(days=days)
    return Place(since, since)


def live(
    centres: Sequence[Centre],
    now: datetime,
    days: int,
    flush: Callable[[], None],
    memory: Path | None = None,
    pace: Callable[..., Iterator[Event]] = paced,
) -> Iterator[Event]:
    """The story of centres: what happened before `now` at once, then each event when it happens.

    It begins `days` before today, or goes on from the place that `memory` keeps, if that is no older. What lies before `now` is
    marked as replayed, so that nobody is reminded of anything because of it. `flush` returns when all is there that was taken.
    """
    begun = beginning(now, days, centres)
    place = (recall(memory) if memory is not None else None) or begun
    if place.until < begun.until:
        place = begun
    # Tickets of the days before still have to be told to their ends.
    first = max(place.since, place.until - LONGEST)
    number = (now - first).days + 1 + AHEAD_DAYS
    reached = kept = place.until

    def remember() -> None:
        nonlocal kept
        flush()
        kept = reached
        if memory is not None:
            keep(memory, Place(place.since, reached))

    def told() -> Iterator[Event]:
        nonlocal reached
        for event in story(first, number, centres, 953 if len(centres) == 1 else None):
            if event.time < place.until and place.until > place.since:
                continue
            reached = event.time
            if reached > kept + KEPT:
                remember()
            yield event if reached >= now else event.model_copy(update={"replayed": True})

    return pace(told(), remember)

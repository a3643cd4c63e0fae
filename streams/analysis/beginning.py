"""Where the fold of a topic range can begin: at the newest snapshots that hold nothing later than the moment asked for."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from math import inf

from schemas.topics import SNAPSHOT_INDEX
from streams.analysis.measure import NOTHING, Beginning
from streams.analysis.replay import TopicRange, parse_source
from streams.core.centre import Centre
from streams.core.nouns import STATE_VERSION
from streams.log import snapshots
from streams.log.access import LogError
from streams.log.reader import Reader
from streams.log.snapshots import Place, Snapshot
from streams.log.topics import partition_of
from streams.settings import Settings


def find(source: str, centres: Mapping[str, Centre], settings: Settings, at: float | None, *, goes_on: bool = False) -> Beginning:
    """What need not be folded again to say what is true `at` a moment, epoch seconds (None: after the last event).

    A snapshot is taken only where its states are those that would come of folding the log again, from its beginning and by these
    centres' files; and whole days of which every event is later than that moment are left out, unless it `goes_on` from there. A
    file, and a range that does not begin with the log, have no snapshots. Raises `ReplayError`.
    """
    span = parse_source(source)
    if not isinstance(span, TopicRange) or span.start is not None:
        return NOTHING
    moment, before = inf if at is None else at, inf if span.end is None else span.end.timestamp()
    log = Reader(settings)
    with suppress(LogError):  # whoever reads the events next says what is wrong
        partitions = log.partitions([SNAPSHOT_INDEX.name, *span.topics])
        if SNAPSHOT_INDEX.name not in partitions or len(set(partitions.values())) > 1:
            return NOTHING
        homes: dict[int, list[Centre]] = {}
        for code, centre in centres.items():
            homes.setdefault(partition_of(code, partitions[SNAPSHOT_INDEX.name]), []).append(centre)
        known: dict[Place, list[Snapshot]] = {}
        for snapshot in snapshots.index(log):
            of = homes.get(snapshot.partition, ())
            if snapshot.topic in span.topics and snapshot.holds(of, STATE_VERSION, settings.ahead_seconds):
                known.setdefault(snapshot.place, []).append(snapshot)
        chosen = {}
        for place, sets in known.items():
            by_then = [each for each in sets if each.is_by(homes.get(place[1], ()), moment, before)]
            if by_then:
                chosen[place] = max(by_then, key=lambda each: (each.written, each.offset))
        there = log.are_there({place: (each.offset, each.written) for place, each in chosen.items()}) if chosen else ()
        states = snapshots.states(log, {place: each for place, each in chosen.items() if place in there}, centres)
        until = inf if goes_on else min(moment, before)
        spans = {place: rest(chosen[place], known[place], until) for place in states}
        return Beginning(
            {(topic, city.encode()): blob for (topic, _), found in states.items() for city, blob in found.items()},
            max((chosen[place].offset for place in states), default=-1),
            spans,
            _said([chosen[place] for place, found in states.items() if found]),
        )
    return NOTHING


def rest(begun: Snapshot, sets: Iterable[Snapshot], moment: float) -> Sequence[tuple[int, int | None]]:
    """The offsets after a snapshot without those of which every event is later than `moment`, epoch seconds."""
    after = (each for each in sets if each.written > begun.written)  # of no log that was there before this one
    later = sorted((each.since, each.offset) for each in after if each.oldest > moment)
    spans: list[tuple[int, int | None]] = []
    next_ = begun.offset + 1
    for first, last in later:
        if first > next_:
            spans.append((next_, first))
        next_ = max(next_, last + 1)
    return [*spans, (next_, None)]


def _said(chosen: Sequence[Snapshot]) -> str:
    """How far the snapshots go, in words."""
    if not chosen:
        return ""
    first, last = (
        datetime.fromtimestamp(moment).astimezone().isoformat(timespec="seconds")
        for moment in (min(each.newest for each in chosen), max(each.newest for each in chosen))
    )
    return f"from the snapshot of {last}" if first == last else f"from {len(chosen)} snapshots of {first} to {last}"

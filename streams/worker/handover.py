"""One worker among those of other versions: it takes their states over, and stands beside while an older one works.

Beside means: it folds and keeps its states in Kafka, but says nothing to Prometheus, reminds nobody and puts nothing aside. When
no older worker is left it speaks; when one comes back it falls silent. So at no moment two versions speak.
"""

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from schemas.topics import TOPICS
from streams.core.fault import place_of
from streams.log.access import LogError
from streams.log.versions import Member, Place
from streams.worker.changelog import marker_key, parse, rules_key, state_key
from streams.worker.migrations import STEPS, is_complete, migrate
from streams.worker.pipeline import Pipeline

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.2
"""How often it is looked who is there. An older worker that comes back has to get its states back before it speaks."""

QUIET_SECONDS = 6.0
"""So long nobody speaks between two versions: a scrape interval and a little, for Prometheus to see that the other is gone."""

NOUN_OF = {topic.name: topic.noun for topic in TOPICS}


class Kafka(Protocol):
    """What is asked of Kafka: see `streams.log.versions.Versions`."""

    async def members(self, versions: Iterable[int]) -> dict[int, list[Member]]: ...
    async def passed(self, version: int) -> dict[Place, int]: ...
    async def latest(self, version: int, numbers: set[int]) -> dict[bytes, bytes]: ...
    async def letters(self, place: Place, since: int) -> set[int]: ...


class Standing:
    """Whether a worker stands beside, by who else is there."""

    def __init__(self) -> None:
        self._until = float("-inf")
        self.has_spoken = False

    def look(self, *, older: bool, newer: bool, is_ready: bool, now: float) -> bool:
        """Whether to stand beside from now on, seconds of a monotonic clock; `older` and `newer` say whether there are workers of
        such a version. A newer one speaks until it sees that this one has joined its group, which it has when it `is_ready`.
        """
        if older or (newer and not self.has_spoken and not is_ready):
            self._until = now + QUIET_SECONDS
        is_beside = now < self._until
        self.has_spoken |= not is_beside
        return is_beside


class Stored(NamedTuple):
    """The last offset of a partition whose effect is in the states that are in Kafka; nothing where there are none."""

    own: int | None
    older: Mapping[int, int]


def inherited(noun: str, stored: Stored, start: int) -> int | None:
    """The version whose states are taken over in a partition whose log begins at `start`; None to go on with what this one has,
    or to begin with the log.

    One's own states are best. Without them the newest older ones are, because they know what the log has lost and are there at
    once; but those that could not know something are only where the log has lost something. States that end before the log begins
    are the last choice: events between were never folded.
    """
    if stored.own is not None and stored.own + 1 >= start:
        return None
    further = {version: marker for version, marker in stored.older.items() if stored.own is None or marker > stored.own}
    if not further or (start == 0 and stored.own is None and not is_complete(noun, max(further))):
        return None
    reaching = [version for version, marker in further.items() if marker + 1 >= start]
    return max(reaching) if reaching else max(further, key=lambda version: further[version])


@dataclass(slots=True)
class _Shelf:
    """What a version keeps of one partition."""

    marker: int | None = None
    rules: bytes | None = None
    states: dict[bytes, bytes] = field(default_factory=dict)


def _table(latest: Mapping[bytes, bytes]) -> dict[Place, _Shelf]:
    """A changelog by topic and partition. Notes of what could not be folded stay behind: perhaps this version can."""
    table: dict[Place, _Shelf] = defaultdict(_Shelf)
    for key, value in latest.items():
        number, topic, centre = parse(key)
        if centre is not None:
            table[topic, number].states[centre] = value
        elif key == marker_key(topic, number):
            table[topic, number].marker = int(value)
        elif key == rules_key(topic, number):
            table[topic, number].rules = value
    return table


class InheritanceError(Exception):
    """A state of an older version cannot be brought to this version's form."""


def _migrated(noun: str, version: int, centre: bytes, blob: bytes) -> bytes:
    try:
        return migrate(noun, version, blob)
    except Exception as error:
        raise InheritanceError(f"the {noun} of {centre.decode()} as version {version} wrote them: {place_of(error)}") from None


class Handover:
    """What one worker knows of the other versions, and does about them."""

    def __init__(self, kafka: Kafka, version: int, pipeline: Pipeline, clock: Callable[[], float]) -> None:
        """`version` is that of its own states. Until it knows who is there it stands beside."""
        self._kafka, self._pipeline, self._clock = kafka, pipeline, clock
        self._older, self._newer = sorted(STEPS), [version + 1, version + 2]
        self._standing = Standing()
        self._passed: dict[Place, int] = {}
        self._letters: dict[Place, set[int]] = {}
        self._told = ""
        pipeline.beside = True

    async def watch(self) -> None:
        """Look who is there again and again, until cancelled."""
        while True:
            try:
                await self.look()
            except LogError as error:
                self._tell(f"it is not known whether another version works: {error}")
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Look once who is there, and from now on stand beside or speak. Raises `LogError`."""
        members = await self._kafka.members([*self._older, *([] if self._standing.has_spoken else self._newer)])
        older = {version: found for version, found in members.items() if found and version in self._older}
        if older:
            for version in older:
                self._pass(await self._kafka.passed(version))
            self._letters.clear()
        is_beside = self._standing.look(
            older=bool(older),
            newer=any(members.get(version) for version in self._newer),
            is_ready=not self._pipeline.recovering,
            now=self._clock(),
        )
        if older:
            said = ", ".join(f"{len(found)} of version {version}" for version, found in older.items())
            self._tell(f"stands beside older workers: {said}")
        elif is_beside != self._pipeline.beside:
            self._tell("stands beside" if is_beside else "no other version works: this one speaks")
        self._pipeline.beside = is_beside

    def _tell(self, said: str) -> None:
        if said != self._told:
            self._told = said
            log.warning("%s", said)

    def _pass(self, offsets: Mapping[Place, int]) -> None:
        for place, offset in offsets.items():
            self._passed[place] = max(offset, self._passed.get(place, 0))

    async def inherit(self, places: Mapping[Place, tuple[int | None, int]]) -> list[tuple[bytes, bytes]]:
        """What is taken over: key and value in this version's changelog, markers last. Of each partition is said the marker of
        this version's own states, if there are any, and where its log begins. Raises `LogError`, and `InheritanceError`.
        """
        self._letters.clear()
        for version in [*self._older, *self._newer]:
            self._pass(await self._kafka.passed(version))
        numbers = {number for (_, number), (own, start) in places.items() if own is None or own + 1 < start}
        tables = {version: _table(await self._kafka.latest(version, numbers)) for version in self._older if numbers}
        states, markers, taken = list[tuple[bytes, bytes]](), list[tuple[bytes, bytes]](), Counter[int]()
        for (topic, number), (own, start) in places.items():
            ends = {version: table[topic, number].marker for version, table in tables.items() if (topic, number) in table}
            older = {version: marker for version, marker in ends.items() if marker is not None}
            chosen = inherited(NOUN_OF[topic], Stored(own, older), start)
            if chosen is None:
                continue
            for centre, blob in tables[chosen][topic, number].states.items():
                states.append((state_key(topic, number, centre), _migrated(NOUN_OF[topic], chosen, centre, blob)))
                await asyncio.sleep(0)  # those of a nation take seconds
            rules = tables[chosen][topic, number].rules
            if rules is not None and is_complete(NOUN_OF[topic], chosen):
                states.append((rules_key(topic, number), rules))  # else no fold of the log makes these states
            markers.append((marker_key(topic, number), b"%d" % older[chosen]))
            taken[chosen] += 1
        for version, n in taken.items():
            log.warning("takes %d partitions over from version %d", n, version)
        return states + markers

    async def is_buried(self, place: Place, offset: int, written: int, *, by_us_only: bool) -> bool | None:
        """Whether another version has put aside a refused record, which Kafka had at `written`, epoch milliseconds. None while
        that is not known yet, because it is at work. `by_us_only`: perhaps this version alone cannot fold it, and there has to be
        a letter.
        """
        if offset >= self._passed.get(place, 0):
            if self._pipeline.beside:
                return None
            if not self._passed.get(place):
                return False
        elif not by_us_only:
            return True
        if self._pipeline.beside:
            return offset in await self._kafka.letters(place, written)
        if place not in self._letters:
            self._letters[place] = await self._kafka.letters(place, written)
        return offset in self._letters[place]

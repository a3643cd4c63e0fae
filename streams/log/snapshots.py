"""Snapshots: what was known of every centre at the end of a day, kept in the log beside the events it was folded from.

A set is all states of one topic in one partition, each a record of the snapshots' topic, as of one offset. When all are in Kafka,
one record of the index says so and where they are: a set without it was cut short, and nobody sees it.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from schemas.topics import SNAPSHOT_INDEX, SNAPSHOTS
from streams.core.centre import Centre

if TYPE_CHECKING:
    from streams.log.reader import Reader

Place = tuple[str, int]
"""(topic of events, partition)"""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A set that is whole: the states of one topic in one partition after its record at `offset`."""

    topic: str
    partition: int
    version: int
    """Of the states' form."""
    offset: int
    written: int
    """When Kafka had that record, epoch milliseconds: a log that was created anew has another one there."""
    since: int
    """From this offset on to `offset` ..."""
    oldest: float
    """... no event is earlier than this, epoch seconds."""
    ahead: float
    """How far ahead of Kafka's clock an event could be, seconds."""
    states: dict[str, tuple[int, float]]
    """By centre, the offset of its state in the snapshots' topic, and the latest time of any event that it has seen."""
    year: int
    """No state depends on a day after this year."""
    rules: dict[str, str | None]
    """By each centre that was watched there, the rules by which all its events were folded; None where they changed meanwhile."""

    @property
    def place(self) -> Place:
        """Of what it is."""
        return self.topic, self.partition

    @property
    def newest(self) -> float:
        """The latest time of any event in it, epoch seconds; 0 where nothing was told."""
        return max((newest for _, newest in self.states.values()), default=0.0)

    def encode(self) -> bytes:
        """As a record of the index."""
        return json.dumps(asdict(self), separators=(",", ":")).encode()

    def holds(self, centres: Iterable[Centre], version: int, ahead: float) -> bool:
        """Whether its states of these centres, all of its partition, are those that would come of folding the log again."""
        return (
            (self.version, self.ahead) == (version, ahead)
            and all(self.rules.get(centre.code) == centre.rules(self.year) for centre in centres)
        )  # fmt: skip

    def is_by(self, centres: Iterable[Centre], moment: float, before: float) -> bool:
        """Whether its states of these centres have seen no event after `moment`, and none from `before` on; epoch seconds."""
        seen = (self.states[centre.code][1] for centre in centres if centre.code in self.states)
        return all(newest <= moment and newest < before for newest in seen)


_SNAPSHOT = TypeAdapter(Snapshot)


def index(log: "Reader", partitions: Iterable[int] | None = None) -> Iterator[Snapshot]:
    """Every whole set that the log has (of these partitions), of any version. Raises `LogError`."""
    chosen = None if partitions is None else {(SNAPSHOT_INDEX.name, number): [(0, None)] for number in partitions}
    for record in log.kept(SNAPSHOT_INDEX.name, chosen):
        try:
            yield _SNAPSHOT.validate_json(record.value)
        except ValidationError:
            continue  # of a version to come


def states(log: "Reader", chosen: Mapping[Place, Snapshot], cities: Iterable[str]) -> dict[Place, dict[str, bytes]]:
    """The states of these centres that snapshots hold. One that is not there any more is left out with all of its set: what of
    the snapshots' topic was deleted. Raises `LogError`.
    """
    wanted: dict[tuple[int, int], tuple[Place, str]] = {}
    for place, snapshot in chosen.items():
        for city in set(cities) & snapshot.states.keys():
            wanted[snapshot.partition, snapshot.states[city][0]] = place, city
    spans: dict[Place, list[tuple[int, int | None]]] = {}
    for number, offset in sorted(wanted):
        spans.setdefault((SNAPSHOTS.name, number), []).append((offset, offset + 1))
    found: dict[Place, dict[str, bytes]] = {place: {} for place in chosen}
    for record in log.kept(SNAPSHOTS.name, {name: _joined(each) for name, each in spans.items()}) if spans else ():
        place, city = wanted[record.partition, record.offset]
        if record.key == city.encode() and dict(record.headers).get("topic") == place[0].encode():
            found[place][city] = record.value
            del wanted[record.partition, record.offset]
    for place, _ in wanted.values():
        found.pop(place, None)
    return found


def _joined(spans: list[tuple[int, int | None]]) -> list[tuple[int, int | None]]:
    """The same offsets in fewer spans."""
    joined: list[tuple[int, int | None]] = []
    for first, end in spans:
        if joined and joined[-1][1] == first:
            joined[-1] = joined[-1][0], end
        else:
            joined.append((first, end))
    return joined


def headers(topic: str, version: int, offset: int, written: int) -> dict[str, bytes]:
    """What a state's record says beside it; its value is the state as in the changelog, its key the centre."""
    said = {"topic": topic, "state_version": version, "offset": offset, "written": written}
    return {name: str(value).encode() for name, value in said.items()}

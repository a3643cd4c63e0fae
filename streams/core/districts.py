"""Districts (kecamatan): how many calls, or tickets, each ever brought, and from which the calls of the last half hour came."""

from dataclasses import dataclass, field

from streams.core.centre import Centre
from streams.core.names import Strangers
from streams.core.window import MICROSECONDS

MOST = 64
"""The most districts of one centre; those of the largest regency are 51. Calls and tickets of further ones count for the centre
only.
"""

KEPT_SECONDS = 1800
"""How long it is known which call came from which district."""

_KEPT = KEPT_SECONDS * MICROSECONDS

CALLS = 300
"""The most calls of which it is; beyond it the oldest are forgotten. The busiest hour of Kota Bogor has so many in 18 minutes."""


@dataclass(slots=True)
class Districts:
    """How many times each district of a centre was told, by its Kemendagri code, since the first event."""

    counts: dict[str, int] = field(default_factory=dict)

    def count(self, district: str, strangers: Strangers, centre: Centre) -> str | None:
        """Count one telling. Returns the district; None for one that is not of the centre, or has no place."""
        if not district.startswith(centre.code + "."):
            return None
        if district not in self.counts and len(self.counts) >= MOST:
            strangers.pass_over("district")
            return None
        self.counts[district] = self.counts.get(district, 0) + 1
        return district


@dataclass(slots=True)
class Origins:
    """Where the calls of one centre came from: all of them, tests too, and those of the last half hour by their marks in the call
    book, each as one number: 128 x its epoch microseconds + 2 x the place of its district + 1 for a test.
    """

    districts: Districts = field(default_factory=Districts)
    recent: dict[str, int] = field(default_factory=dict)
    newest: int = 0
    """Epoch microseconds."""

    def hear(self, call: str, time: float, district: str, strangers: Strangers, centre: Centre, *, test: bool) -> None:
        """A call came at epoch seconds."""
        moment = round(time * MICROSECONDS)
        if self.districts.count(district, strangers, centre) is None or moment <= self.newest - _KEPT:
            return
        self.newest = max(moment, self.newest)
        self.recent[call] = moment << 7 | [*self.districts.counts].index(district) << 1 | test
        # Oldest first but for late arrivals, which stay until what came before them goes.
        oldest = self.newest - _KEPT
        gone = []
        for other, told in self.recent.items():
            if told >> 7 > oldest:
                break
            gone.append(other)
        for other in gone:
            del self.recent[other]
        if len(self.recent) > CALLS:
            del self.recent[next(iter(self.recent))]

    def mark(self, call: str, *, test: bool) -> None:
        """A call turned out to be a test, or to be none after all."""
        if call in self.recent:
            self.recent[call] = self.recent[call] >> 1 << 1 | test

    def lately(self, now: float) -> dict[str, list[int]]:
        """When the calls of the last half hour came, ascending in epoch microseconds, by district; tests left out."""
        found: dict[str, list[int]] = {}
        until, names = round(now * MICROSECONDS), [*self.districts.counts]
        for number in self.recent.values():
            moment = number >> 7
            if not number & 1 and until - _KEPT < moment <= until:
                found.setdefault(names[number >> 1 & MOST - 1], []).append(moment)
        for moments in found.values():
            moments.sort()
        return found

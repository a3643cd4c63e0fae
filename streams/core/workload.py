"""Workload: how long conversations keep a seat busy, in the last hour, and how long they take by hour of the week."""

from bisect import insort
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from streams.core.centre import Centre
from streams.core.spans import Span, union, within

REMEMBERED_SECONDS = 3600
"""Conversations that ended longer ago than this before the newest are no longer known one by one."""

SEATS = 200
"""The most seats whose conversations are known one by one, besides those that the centre's file names."""

CONVERSATIONS, CONVERSATIONS_EACH = 4_000, 120
"""The most conversations that are known one by one, 100 kB as they are written, which seats share evenly; and the most of one
seat: two a minute. Beyond it the oldest go.
"""

HOURS = 168
"""Hours of a week, of which the first is Monday's from local midnight."""

FADE_AT = 400
"""When an hour of the week has so many conversations, each of them counts half from then on: the mean follows what changes, and a
conversation is worth a quarter 200 later, an eighth 400 later."""


@dataclass(slots=True)
class Workload:
    """The conversations of one centre. Part of the state of calls."""

    newest: int = 0
    most: int = CONVERSATIONS_EACH
    """How many conversations each seat may have."""
    gone: int = 0
    """Conversations of the last hour that were given up, one by one; by hour of the week they stay."""
    seats: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    """Per seat the conversations of the last hour, as whole epoch seconds of end and beginning, ascending."""
    conversations: list[int] = field(default_factory=lambda: [0] * HOURS)
    seconds: list[int] = field(default_factory=lambda: [0] * HOURS)

    def spoke(self, seat: str | None, answered: float, ended: float, centre: Centre, n: int = 1) -> None:
        """One conversation is over; epoch seconds. It counts for the local hour of the week in which it was answered: not if `n`
        is 0, because a test keeps a seat busy and tells nothing of real ones, and no more if it is -1.
        """
        start, end = int(answered), int(ended)
        hour = _hour_of_week(start // 900, centre.timezone)
        self.conversations[hour] += n
        self.seconds[hour] += n * max(0, end - start)
        if n < 0:  # of an hour whose conversations were halved since
            self.conversations[hour], self.seconds[hour] = max(0, self.conversations[hour]), max(0, self.seconds[hour])
        if self.conversations[hour] == FADE_AT:
            self.conversations[hour] //= 2
            self.seconds[hour] //= 2
        if seat is not None and end >= start:
            self._remember(seat, start, end, centre)

    def handle(self, time: float, zone: ZoneInfo) -> tuple[int, float]:
        """Conversations of the local hour of the week that `time`, epoch seconds, is in, and their seconds (not yet faded)."""
        hour = _hour_of_week(int(time) // 900, zone)
        return self.conversations[hour], self.seconds[hour]

    def total(self) -> tuple[int, float]:
        """Conversations of all hours of the week, and their seconds (not yet faded)."""
        return sum(self.conversations), sum(self.seconds)

    def spans(self, seat: str, since: float, until: float) -> list[Span]:
        """When between two moments of the last hour the seat was in a conversation that is over; epoch seconds."""
        spoken = self.seats.get(seat, ())
        return within(union((start, end) for end, start in spoken if end > since), since, until)

    def has_answered(self, seat: str, since: float) -> bool:
        """Whether one of the seat's conversations that are over began at `since`, epoch seconds, or later."""
        return any(start >= int(since) for _, start in self.seats.get(seat, ()))

    def _remember(self, seat: str, start: int, end: int, centre: Centre) -> None:
        self.newest = max(self.newest, end)
        horizon = self.newest - REMEMBERED_SECONDS
        if end <= horizon:
            return
        spoken = self.seats.get(seat)
        if spoken is None:
            # A shift that has gone leaves nothing behind.
            self.seats = {name: known for name, known in self.seats.items() if known[-1][0] > horizon}
            named = centre.names.seats.known
            if seat not in named and len(self.seats.keys() - named) >= SEATS:
                self.gone += 1
                return
            spoken = self.seats[seat] = []
            self.most = min(CONVERSATIONS_EACH, CONVERSATIONS // len(self.seats))
            for others in self.seats.values():
                self._give_up(others)
        insort(spoken, (end, start))
        while spoken[0][0] <= horizon:
            del spoken[0]
        if len(spoken) > self.most:
            self._give_up(spoken)

    def _give_up(self, spoken: list[tuple[int, int]]) -> None:
        """Forget the oldest of too many conversations."""
        too_many = max(0, len(spoken) - self.most)
        self.gone += too_many
        del spoken[:too_many]


@lru_cache(maxsize=4096)
def _hour_of_week(quarter: int, zone: ZoneInfo) -> int:
    """By quarters of an hour, because no zone's clock is off by anything finer, and asking a zone costs a microsecond."""
    local = datetime.fromtimestamp(quarter * 900, zone)
    return local.weekday() * 24 + local.hour

"""Workload: how long conversations keep a seat busy, in the last hour, and how long those of a call take, by hour."""

from bisect import insort
from dataclasses import dataclass, field

from streams.core.centre import Centre
from streams.core.hourly import HOUR, Hourly
from streams.core.spans import Span, union, within

REMEMBERED_SECONDS = 3600
"""Conversations that ended longer ago than this before the newest are no longer known one by one."""

SEATS = 200
"""The most seats whose conversations are known one by one, besides those that the centre's file names."""

CONVERSATIONS, CONVERSATIONS_EACH = 2_400, 120
"""The most conversations that are known one by one, 90 kB as they are written, which seats share evenly; and the most of one
seat: two a minute. Beyond it the oldest go.
"""


@dataclass(slots=True)
class Workload:
    """The conversations of one centre. Part of the state of calls."""

    newest: float = 0.0
    most: int = CONVERSATIONS_EACH
    """How many conversations each seat may have."""
    gone: int = 0
    """Conversations of the last hour that were given up, one by one; by hour they stay."""
    seats: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    """Per seat the conversations of the last hour, as epoch seconds of end and beginning, ascending."""
    calls: Hourly = field(default_factory=Hourly)
    """Calls of the city, tests left out, each in the hour in which the first of its conversations was answered."""
    microseconds: Hourly = field(default_factory=Hourly)
    """Of all conversations of such calls that are over, each in the hour in which it was answered."""

    def spoke(self, seat: str, answered: float, ended: float, centre: Centre) -> None:
        """A seat's conversation is over; epoch seconds. So is that of a test, and one with somebody who is none of the city's."""
        self._remember(seat, answered, ended, centre)

    def count(self, answered: float, microseconds: int, *, calls: int, n: int = 1) -> None:
        """Count a conversation for the hour in which it was answered, epoch seconds, with so many `calls`: none where it is not
        the first of its call. -1 takes back.
        """
        hour = int(answered) // HOUR
        self.calls.add(hour, n * calls)
        self.microseconds.add(hour, n * microseconds)

    def spans(self, seat: str, since: float, until: float) -> list[Span]:
        """When between two moments of the last hour the seat was in a conversation that is over; epoch seconds."""
        spoken = self.seats.get(seat, ())
        return within(union((start, end) for end, start in spoken if end > since), since, until)

    def has_answered(self, seat: str, since: float) -> bool:
        """Whether one of the seat's conversations that are over began in the second of `since`, epoch seconds, or later."""
        return any(start >= int(since) for _, start in self.seats.get(seat, ()))

    def _remember(self, seat: str, start: float, end: float, centre: Centre) -> None:
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

    def _give_up(self, spoken: list[tuple[float, float]]) -> None:
        """Forget the oldest of too many conversations."""
        too_many = max(0, len(spoken) - self.most)
        self.gone += too_many
        del spoken[:too_many]

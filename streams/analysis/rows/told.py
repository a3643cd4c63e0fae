"""All rows of a fold: who watches which state, and what comes of it when a fold is taken back."""

import pickle
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Protocol

from streams.analysis.rows.calls import CallRows, Journey, Visit
from streams.analysis.rows.dispatch import Response, Ticket, TicketAgency, TicketRows
from streams.analysis.rows.environment import EnvironmentRows, Reading, WeatherWarning
from streams.analysis.rows.network import Outage, OutageRows
from streams.analysis.rows.operators import NotReady, RingNoAnswer, Shift, ShiftRows
from streams.analysis.rows.row import Done, Row
from streams.analysis.rows.survey import Answer, AnswerRows
from streams.core.centre import Centre

TABLES: Mapping[str, type[Row]] = {
    "journeys": Journey,
    "visits": Visit,
    "tickets": Ticket,
    "ticket_agencies": TicketAgency,
    "responses": Response,
    "outages": Outage,
    "shifts": Shift,
    "not_ready": NotReady,
    "ring_no_answers": RingNoAnswer,
    "readings": Reading,
    "warnings": WeatherWarning,
    "answers": Answer,
}
"""What a row is one of, by the name of the table."""


class Keeper(Protocol):
    """Who keeps the rows of one noun at one centre until they are done."""

    remembered: ClassVar[tuple[str, ...]]
    """Its fields that a fold which is taken back puts back too: all but what it watches."""
    done: list[Done]

    def attach(self, state: Any) -> None:
        """Watch this state from now on."""

    def finish(self, now: float) -> None:
        """Nothing more will be told: what is not over is done as it stands at `now`, epoch seconds."""


class Rows:
    """The rows of all centres; those that are done are given to `write`, with the code of their centre."""

    def __init__(self, write: Callable[[str, Sequence[Done]], None]) -> None:
        self._write = write
        self._keepers: dict[tuple[str, str], Keeper] = {}
        self._saved: dict[tuple[str, str], bytes] = {}

    def attach(self, noun: str, centre: Centre, state: Any) -> None:
        """Watch a state of which nothing is known yet, or one that was put back."""
        place = noun, centre.code
        if place not in self._keepers and (keeper := self._keeper(noun, centre)) is not None:
            self._keepers[place] = keeper
        if place in self._keepers:
            self._keepers[place].attach(state)

    def keep(self, nouns: Iterable[str]) -> None:
        """What was folded of these nouns will not be taken back."""
        for place, keeper in self._keepers.items():
            if place[0] in nouns:
                self._give(place[1], keeper)
                self._saved[place] = pickle.dumps([getattr(keeper, name) for name in keeper.remembered])

    def take_back(self, noun: str) -> None:
        """Forget what was told of a noun since it was last kept: it is told again."""
        for place in [place for place in self._keepers if place[0] == noun]:
            if place in self._saved:
                keeper = self._keepers[place]
                for name, value in zip(keeper.remembered, pickle.loads(self._saved[place]), strict=True):  # noqa: S301 (our own)
                    setattr(keeper, name, value)
            else:
                del self._keepers[place]

    def finish(self, now: float) -> None:
        """Nothing more will be told; `now` is the moment that all is measured at, epoch seconds."""
        for (_, city), keeper in sorted(self._keepers.items()):
            keeper.finish(now)
            self._give(city, keeper)
        self._keepers.clear()

    def _keeper(self, noun: str, centre: Centre) -> Keeper | None:
        match noun:
            case "calls":
                return CallRows(centre)
            case "dispatch":
                return TicketRows(centre, lambda call: self._journey(centre.code, call))
            case "network":
                return OutageRows(centre)
            case "operators":
                return ShiftRows(centre)
            case "environment":
                return EnvironmentRows(centre)
            case "survey":
                return AnswerRows(centre)
            case _:
                return None

    def _journey(self, city: str, call: str) -> str | None:
        """The code of the journey that a call of a centre is, if it is known."""
        keeper = self._keepers.get(("calls", city))
        return keeper.journey_of(call) if isinstance(keeper, CallRows) else None

    def _give(self, city: str, keeper: Keeper) -> None:
        if keeper.done:
            self._write(city, keeper.done)
            keeper.done = []

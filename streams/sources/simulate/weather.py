"""The rains of a simulated centre. Assumed: so many rainy days, in the afternoon; Bogor is called the city of rain."""

from dataclasses import dataclass
from random import Random

from streams.core.centre import Centre

HOUR, DAY = 3600.0, 86_400.0
RAINY_DAYS = 0.4
"""Share of days with an afternoon rain."""


@dataclass(frozen=True, slots=True)
class Rain:
    """One afternoon's rain, in seconds of the simulation."""

    start: float
    end: float


class Weather:
    """The rains of a centre, drawn day by day, so that everything that asks sees the same sky."""

    def __init__(self, seed: int, centre: Centre, start: float) -> None:
        self._seed, self._city, self._start = seed, centre.code, start
        self._known: dict[int, Rain | None] = {}

    def on(self, day: int) -> Rain | None:
        """The rain of a day of the simulation, if there is one."""
        if day not in self._known:
            dice = Random(f"{self._seed}|{self._city}|{self._start}|rain|{day}")  # noqa: S311 (a simulation, no secret)
            begins = day * DAY + dice.uniform(13, 17) * HOUR
            self._known[day] = Rain(begins, begins + dice.uniform(0.7, 2.5) * HOUR) if dice.random() < RAINY_DAYS else None
        return self._known[day]

    def rains(self, now: float) -> bool:
        """Whether it rains."""
        rain = self.on(int(now // DAY))
        return rain is not None and rain.start <= now < rain.end

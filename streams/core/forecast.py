"""Forecast: how many calls an hour of the week brings, learned from the stream itself."""

from dataclasses import dataclass

from streams.core.centre import Centre
from streams.core.reading import Metric, Readings


@dataclass(slots=True)
class Forecast:
    """Arrivals of one centre by hour, and by link. Part of the state of calls."""

    def arrived(self, time: float, link: str | None) -> None:
        """Count one arrival."""


METRICS: tuple[Metric, ...] = ()


def measure(forecast: Forecast, now: float, centre: Centre) -> Readings:
    """Say what is true at `now`."""
    yield from ()

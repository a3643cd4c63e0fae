"""Patience: how long callers wait in a queue before they hang up, as those tell who did and those who were answered before.

The formula is in `streams/core/README.md`, Patience.
"""

from collections.abc import Container
from dataclasses import dataclass, field
from typing import NamedTuple

from streams.core.hourly import DAY_HOURS, HOUR
from streams.core.reading import Metric, Readings

RECENT_HOURS = 48
"""Hours that are known one by one, until it is known of which not all was seen."""

DAYS = 35
"""Days before that are added up each: the estimate follows what changes within five weeks."""

FEWEST = 30
"""A patience is believed of so many who hung up."""


class Queued(NamedTuple):
    """Callers of the city who came into a queue: microseconds that all of them together waited there, how many of them hung up
    after waiting, and how many at once.
    """

    microseconds: int = 0
    hung_up: int = 0
    balked: int = 0

    @property
    def patience(self) -> float | None:
        """Mean patience in seconds: all time waited / those who hung up; None of too few.

        The maximum likelihood estimate of an exponential patience of which all but those who hung up saw only a part (Garnett,
        Mandelbaum, Reiman 2002). Who hung up at once did not queue at all and says nothing of it.
        """
        return self.microseconds / 1e6 / self.hung_up if self.hung_up >= FEWEST else None


_NOBODY = Queued()


@dataclass(slots=True)
class Patience:
    """Callers who queued at one centre, each in the hour (epoch seconds // 3600) in which his waiting ended. Part of the state of
    calls.
    """

    settled: int = 0
    """The newest hour."""
    hours: dict[int, Queued] = field(default_factory=dict)
    days: dict[int, Queued] = field(default_factory=dict)
    """By epoch hours // 24, the hours before those that are known one by one."""

    def add(self, time: float, wait: float, *, hung_up: bool, n: int = 1) -> None:
        """Somebody's waiting ended at `time`, epoch seconds, after so many seconds in the queue; -1 takes that back."""
        hour = int(time) // HOUR
        if hour > self.settled - RECENT_HOURS:
            part, place = self.hours, hour
        else:
            part, place = self.days, hour // DAY_HOURS
            if place <= self.settled // DAY_HOURS - DAYS:
                return
        microseconds, hung, balked = part.get(place, _NOBODY)
        if not hung_up:
            part[place] = Queued(microseconds + n * round(wait * 1e6), hung, balked)
        elif wait > 0:
            part[place] = Queued(microseconds + n * round(wait * 1e6), hung + n, balked)
        else:
            part[place] = Queued(microseconds, hung, balked + n)

    def settle(self, time: float, unseen: Container[int]) -> None:
        """Go on to a newer hour, and add up hours that are not recent any more, but for those of which not all was `seen`."""
        self.settled = int(time) // HOUR
        for hour in [hour for hour in self.hours if hour <= self.settled - RECENT_HOURS]:
            queued = self.hours.pop(hour)
            if hour not in unseen:
                day = hour // DAY_HOURS
                self.days[day] = _sum(self.days.get(day, _NOBODY), queued)
        self.days = {day: queued for day, queued in self.days.items() if day > self.settled // DAY_HOURS - DAYS}

    def __deepcopy__(self, _memo: object) -> "Patience":
        # Else every number would be looked at.
        return Patience(self.settled, {**self.hours}, {**self.days})

    def queued(self, unseen: Container[int]) -> Queued:
        """All of them together, but for hours of which not all was seen."""
        return _sum(*self.days.values(), *(queued for hour, queued in self.hours.items() if hour not in unseen))


def _sum(*parts: Queued) -> Queued:
    return Queued(*map(sum, zip(*parts, strict=True))) if parts else _NOBODY


MEAN = Metric(
    "psap_patience_seconds_mean",
    "gauge",
    "Mean patience: seconds in queues of all journeys that came into one, from the first to the answer, the hanging-up, the "
    "network drop or being turned away, whose waiting ended in the 35 days (UTC) up to the newest / psap_patience_hangups; "
    "absent below 30 of these, hours in which not all was seen left out.",
)
HUNG_UP = Metric(
    "psap_patience_hangups",
    "gauge",
    "Journeys that psap_patience_seconds_mean is about (n): hung up after more than 0 s in a queue, shortly or not; tests too.",
)
BALKED = Metric(
    "psap_patience_balked", "gauge", "Journeys of the same days that hung up after 0 s in a queue, and are not in that mean."
)

METRICS = (MEAN, HUNG_UP, BALKED)


def measure(queued: Queued) -> Readings:
    """Say what is known of it."""
    if queued.patience is not None:
        yield MEAN, (), queued.patience
    yield HUNG_UP, (), queued.hung_up
    yield BALKED, (), queued.balked

"""Forecast: how many calls an hour of the week brings, learned from the stream itself."""

from dataclasses import dataclass, field
from functools import lru_cache
from math import exp
from statistics import fmean, stdev
from typing import Literal, NamedTuple

from streams.core.centre import Centre
from streams.core.names import Strangers
from streams.core.reading import Metric, Readings
from streams.core.window import Window

HOUR = 3600
WEEK_HOURS, DAY_HOURS = 168, 24
HOURS = 5 * WEEK_HOURS
"""Hours that are remembered: four weeks to learn from, and the one that is going on."""

WEEKS, FEWEST_WEEKS = 4, 2
"""How many past weeks an expectation is made of, and how few suffice."""

DAYS, FEWEST_DAYS = 7, 3
"""The same of past days, where there are not weeks enough."""

LINKS = 64
"""The most links of one centre that are followed besides those that its file names; a call on a further one counts for the centre
only."""

FEWEST_CALLS = 30
"""So many calls on all links together before a share of one is believed."""

LONGEST_SILENCE_HOURS = 48
"""Over more hours than this, calls that should have come are not added up any further."""

WINDOWS = {"15m": 900, "60m": 3600}
"""Rolling windows in seconds."""


class Expectation(NamedTuple):
    """Calls expected in one hour: mean and sample standard deviation over `n` past hours like it."""

    mean: float
    stddev: float
    n: int
    basis: Literal["hour_of_week", "hour_of_day"]


@dataclass(slots=True)
class Carried:
    """What came in on one link: its number, the newest call, and how many in each week since 1970."""

    number: int = 0
    last: float = 0.0
    weeks: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class Forecast:
    """Arrivals of one centre by hour, and by link. Part of the state of calls.

    Hours are epoch seconds // 3600. An hour of the week is one 168 hours later, and so the same local hour wherever clocks are
    never changed, as in Indonesia.
    """

    first: int = 0
    counts: list[int] = field(default_factory=list)
    last: float = 0.0
    window: Window = field(default_factory=Window)
    links: dict[str, Carried] = field(default_factory=dict)
    strangers: Strangers = field(default_factory=Strangers)

    def hear(self, time: float, link: str | None, centre: Centre) -> Carried | None:
        """A call came, also one to test the line, which is silent no longer. Returns its link."""
        self.last = max(self.last, time)
        if link is None:
            return None
        carried = self.links.get(centre.names.links[link])
        if carried is None:
            name = self.strangers.place("trunk", link, centre.names.links, self.links, LINKS)
            if name is None:
                return None
            carried = self.links[name] = Carried(len(self.links))
        carried.last = max(carried.last, time)
        return carried

    def link(self, number: int | None) -> Carried | None:
        """The link of that number."""
        return next((carried for carried in self.links.values() if carried.number == number), None)

    def count(self, time: float, link: Carried | None, n: int = 1) -> None:
        """Count one arrival, at epoch seconds; a late one in its own hour. 0 is a test, which shows that the hour was seen, and
        -1 takes one back.
        """
        hour = int(time) // HOUR
        place = hour - self.first
        counts = self.counts
        if 0 <= place < len(counts):
            counts[place] = max(0, counts[place] + n)
        else:
            self._extend(hour, max(0, n))
        self.window.add(time, 0, n)
        if link is not None:
            self._carry(link, hour // WEEK_HOURS, n)

    def hourly(self, first: int, last: int) -> dict[int, int]:
        """Arrivals by hour, of the hours from `first` to `last` that there is a count of."""
        low, high = max(first, self.first), min(last, self.first + len(self.counts) - 1)
        return {hour: self.counts[hour - self.first] for hour in range(low, high + 1)}

    def unseen(self) -> frozenset[int]:
        """The hours (epoch seconds // 3600) of which it is known that not all that came was seen: they teach nothing."""
        return frozenset()

    def expected(self, hour: int) -> Expectation | None:
        """What an hour should bring, from whole hours like it before; None until there were enough."""
        found = self._past(hour, WEEK_HOURS, WEEKS)
        if len(found) >= FEWEST_WEEKS:
            return _expectation(found, "hour_of_week")
        found = self._past(hour, DAY_HOURS, DAYS)
        if len(found) >= FEWEST_DAYS:
            return _expectation(found, "hour_of_day")
        return None

    def expected_between(self, start: float, end: float) -> float | None:
        """Calls that should have come from `start` to `end`, epoch seconds; None where an hour has no expectation."""
        total = 0.0
        last = int(end) // HOUR
        for hour in range(max(int(start) // HOUR, last - LONGEST_SILENCE_HOURS), last + 1):
            expected = self.expected(hour)
            if expected is None:
                return None
            total += expected.mean * max(0.0, min(end, (hour + 1) * HOUR) - max(start, hour * HOUR)) / HOUR
        return total

    def share(self, link: str) -> float | None:
        """The link's share of the calls whose link was told, over the last four weeks of the newest; None of too few."""
        total = sum(sum(carried.weeks.values()) for carried in self.links.values())
        return sum(self.links[link].weeks.values()) / total if total >= FEWEST_CALLS else None

    def _past(self, hour: int, stride: int, most: int) -> tuple[int, ...]:
        # The first hour was not seen whole, and the last one goes on.
        places = (hour - self.first - number * stride for number in range(1, most + 1))
        return tuple([self.counts[place] for place in places if 0 < place < len(self.counts) - 1])

    def _extend(self, hour: int, n: int) -> None:
        if not self.counts:
            self.first = hour
        if hour < self.first:
            return  # late by more than is remembered, or before the first hour that was seen
        if hour >= self.first + 2 * HOURS:
            self.first, self.counts = hour, []  # nothing of what was learned is left
        self.counts += [0] * (hour - self.first + 1 - len(self.counts))
        self.counts[-1] += n
        if len(self.counts) > HOURS:
            self.first += len(self.counts) - HOURS
            del self.counts[:-HOURS]

    def _carry(self, link: Carried, week: int, n: int) -> None:
        if week in link.weeks:
            link.weeks[week] = max(0, link.weeks[week] + n)
        elif n > 0:
            for other in self.links.values():
                other.weeks = {number: calls for number, calls in other.weeks.items() if number > week - WEEKS}
            link.weeks[week] = 1


@lru_cache(maxsize=8192)
def _expectation(found: tuple[int, ...], basis: Literal["hour_of_week", "hour_of_day"]) -> Expectation:
    return Expectation(fmean(found), stdev(found), len(found), basis)


def at_least(calls: int, mean: float) -> float:
    """P(X >= calls) of a Poisson variable; how probable it is that chance alone brings so many."""
    term = total = exp(-mean)
    for number in range(1, calls):
        term *= mean / number
        total += term
    return max(0.0, 1.0 - total) if calls > 0 else 1.0


EXPECTED = Metric(
    "psap_calls_expected",
    "gauge",
    "Calls that this hour should bring: mean of the same hour of the last 4 weeks (at least 2), "
    "else of the last 7 days (at least 3); absent before.",
    ("basis",),
)
STDDEV = Metric("psap_calls_expected_stddev", "gauge", "Sample standard deviation of the hours behind psap_calls_expected.")
HOURS_BEHIND = Metric("psap_calls_expected_hours", "gauge", "Past hours that psap_calls_expected is made of (n).")
ARRIVED = Metric("psap_calls_arrived", "gauge", "Calls that came in the window, but for tests.", ("window",))
EXPECTED_WINDOW = Metric(
    "psap_calls_expected_window", "gauge", "Calls that the window just past should have brought.", ("window",)
)
SURGE = Metric(
    "psap_surge_probability",
    "gauge",
    "How probable it is that chance alone brings as many calls as came in the window (Poisson).",
    ("window",),
)
LAST_CALL = Metric("psap_last_call_timestamp_seconds", "gauge", "When the newest call came.")
SILENCE = Metric(
    "psap_silence_expected_calls",
    "gauge",
    "Calls that should have come since the last one, x: chance alone keeps so silent with probability exp(-x) (Poisson).",
)
LINK_SILENCE = Metric(
    "psap_link_silence_expected_calls",
    "gauge",
    "The same of one link: calls of the centre that should have come since its last one, times the link's share.",
    ("link",),
)
LINK_LAST_CALL = Metric("psap_link_last_call_timestamp_seconds", "gauge", "When the newest call on the link came.", ("link",))

METRICS = (
    EXPECTED,
    STDDEV,
    HOURS_BEHIND,
    ARRIVED,
    EXPECTED_WINDOW,
    SURGE,
    LAST_CALL,
    SILENCE,
    LINK_SILENCE,
    LINK_LAST_CALL,
)


def measure(forecast: Forecast, now: float) -> Readings:
    """Say what is true at `now`."""
    if not forecast.counts:
        return
    expected = forecast.expected(int(now) // HOUR)
    if expected is not None:
        yield EXPECTED, (expected.basis,), expected.mean
        yield STDDEV, (), expected.stddev
        yield HOURS_BEHIND, (), expected.n
    for (window, seconds), [arrived] in zip(
        WINDOWS.items(), forecast.window.counts(now, tuple(WINDOWS.values()), 1), strict=True
    ):
        yield ARRIVED, (window,), arrived
        mean = forecast.expected_between(now - seconds, now)
        if mean is not None:
            yield EXPECTED_WINDOW, (window,), mean
            yield SURGE, (window,), at_least(arrived, mean)
    yield LAST_CALL, (), min(now, forecast.last)
    silence = forecast.expected_between(forecast.last, now)
    if silence is not None:
        yield SILENCE, (), silence
    for name, carried in sorted(forecast.links.items()):
        yield LINK_LAST_CALL, (name,), min(now, carried.last)
        share, missing = forecast.share(name), forecast.expected_between(carried.last, now)
        if share is not None and missing is not None:
            yield LINK_SILENCE, (name,), missing * share

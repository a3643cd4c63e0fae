"""Lost calls: how many a link's outage likely cost, or any stretch of time in which a centre was not reached.

Expected less came. Expected is the forecast's profile times its level (streams/core/README.md, Calls expected), except that a
report looks back: the weeks after teach the profile as those before do. The level is of the hours before alone, because after an
outage people call again. How far such an expectation is off is asked of the days around: on each of them the same stretch of the
clock, which nobody cut, is expected in the same way, and how what came scatters about that makes the interval.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from math import ceil
from typing import Literal, NamedTuple

import duckdb

from streams.analysis.rows.network import Outage
from streams.core.centre import Centre
from streams.core.forecast import FEWEST_CALLS, WEEKS, Basis, Forecast, Profile, kind_of, local_day, part_of, profile_of
from streams.core.hourly import DAY_HOURS, HOUR, HOURS, WEEK_HOURS
from streams.core.level import Level, Scatter
from streams.core.probability import DAY_SECONDS, band
from streams.core.proportion import Z

DAYS = HOURS // DAY_HOURS
"""So many days before and after are looked at."""

FADED = 48
"""After so many hours nothing is left of what a level knew."""

FEWEST_DAYS = 14
"""An expectation that was tried on fewer other days has no interval yet."""

Reason = Literal["no_calls", "too_few_days"]
"""Why nobody knows how many were lost: no call was ever told of that link, or too few days around were seen."""


class LostCalls(NamedTuple):
    """Calls that came in a stretch of time, that were expected, and that were likely lost, with a 95 % prediction interval.

    `basis` is the poorest of its hours; `days` are the other ones that tell how far such an expectation is off.
    """

    came: int
    expected: float
    lost: float
    lower: int
    upper: int
    basis: Basis
    days: int


class NotKnown(NamedTuple):
    """Nothing can be said of calls that were lost, and why."""

    came: int
    reason: Reason


class Cost(NamedTuple):
    """What an outage cost, and who could not be heard: the link's `share` of the calls of the four weeks before whose link was
    told; None of too few.
    """

    outage: Outage
    share: float | None
    lost: LostCalls | NotKnown


class Arrivals:
    """When calls came to a centre, or in on one of its links, and which hours (epoch seconds // 3600) were seen whole.

    `times` are epoch seconds, ascending. `gaps` are stretches of time of which it was told that not all was seen; a silence that
    was no chance the forecast finds itself.
    """

    def __init__(self, times: Sequence[float], gaps: Iterable[tuple[float, float]], centre: Centre) -> None:
        self._times, self._centre = times, centre
        unseen = _silent(times, centre).union(*(_hours(start, until) for start, until in gaps))
        # A week without a call teaches nothing, so that one with a wrong clock makes no years to look at. Of what lies between
        # neither the first hour nor the last was seen whole.
        apart = [(one, other) for one, other in pairwise(times) if other - one > WEEK_HOURS * HOUR]
        starts, ends = [*times[:1], *(other for _, other in apart)], [*(one for one, _ in apart), *times[-1:]]
        spans = zip(starts, ends, strict=True)
        hours = [hour for start, end in spans for hour in range(int(start) // HOUR + 1, int(end) // HOUR)]
        self._counts = {hour: self._came(hour * HOUR, (hour + 1) * HOUR) for hour in hours if hour not in unseen}
        self._kinds: dict[int, int] = {}
        self._profiles: dict[int, Profile | None] = {}
        self._levels: dict[int, Level] = {}
        """Of each hour the level after it."""
        for hour in hours:
            level = self._level(hour)
            profile = self._profile(hour) if hour in self._counts else None
            if profile is not None:
                level.learn(self._counts[hour], profile.mean)
            level.age()
            self._levels[hour] = level

    def lost(self, start: float, until: float) -> LostCalls | NotKnown:
        """Calls that were likely lost from `start` to `until` (exclusive), which is one of the gaps."""
        came, expected = self._came(start, until), self._expected(start, until)
        if not self._times:
            return NotKnown(came, "no_calls")
        scatter, days = Scatter(), 0
        # The nearest are learned last, because scatter fades.
        for away in sorted(range(-DAYS, DAYS + 1), key=abs, reverse=True):
            other = start + away * DAY_SECONDS, until + away * DAY_SECONDS
            tried = self._expected(*other) if all(hour in self._counts for hour in _hours(*other)) else None
            if tried is not None:
                scatter.learn(self._came(*other), tried[0])
                days += 1
        if expected is None or days < FEWEST_DAYS:
            return NotKnown(came, "too_few_days")
        mean, basis = expected
        lower, upper = (max(0, bound - came) for bound in band(mean, _widened(scatter.value, mean, days)))
        return LostCalls(came, mean, max(0.0, mean - came), lower, upper, basis, days)

    def _expected(self, start: float, until: float) -> tuple[float, Basis] | None:
        """Calls that a stretch of time should bring, by all that is known but itself, and the poorest basis of its hours; None if
        of one of them too little is known.
        """
        hours, total, is_poor = _hours(start, until), 0.0, False
        level = self._level(hours.start)
        for hour in hours:
            profile = self._profile(hour)
            if profile is None:
                return None
            total += profile.mean * level.mean * part_of(hour, start, until)
            is_poor |= profile.basis == "hour_of_day"
            level.age()
        return total, "hour_of_day" if is_poor else "hour_of_week"

    def _profile(self, hour: int) -> Profile | None:
        """The forecast's, but of the nearest hours before and after. Of itself it knows nothing, nor of a gap."""
        if hour in self._profiles:
            return self._profiles[hour]
        day, found = local_day(hour, self._centre.timezone), dict[int, list[float]]()
        for away in range(1, DAYS + 1):
            for side in (-away, away):
                calls = self._counts.get(hour + side * DAY_HOURS)
                if calls is not None:
                    like = found.setdefault(self._kind(day + side), [])
                    if len(like) < 2 * WEEKS:
                        like.append(calls)
        profile = self._profiles[hour] = profile_of(found, self._kind(day))
        return profile

    def _kind(self, day: int) -> int:
        # Holidays are slow to look up.
        if day not in self._kinds:
            self._kinds[day] = kind_of(day, self._centre)
        return self._kinds[day]

    def _level(self, hour: int) -> Level:
        """The level before an hour, for whoever wants to change it."""
        for back in range(FADED):
            known = self._levels.get(hour - 1 - back)
            if known is not None:
                level = Level(known.came, known.expected)
                level.age(back)
                return level
        return Level()

    def _came(self, start: float, until: float) -> int:
        return bisect_left(self._times, until) - bisect_left(self._times, start)


def costs(connection: duckdb.DuckDBPyConnection, centre: Centre, now: float) -> Iterator[Cost]:
    """What each row of `outages` of a centre cost, in the order of time; of one that is still open up to `now`, epoch seconds.

    The connection is that of `Tables`. Outages of a link that overlap, because it was both down and unregistered, are about the
    same calls.
    """
    named = ("link", "kind", "seconds", "carrier", "link_kind")
    found = connection.execute(
        f"FROM outages SELECT epoch(began), epoch(ended), {', '.join(named)} WHERE city = ? ORDER BY began, link, kind",
        [centre.code],
    ).fetchall()
    outages = [
        Outage(city=centre.code, began=began, ended=ended, **dict(zip(named, rest, strict=True))) for began, ended, *rest in found
    ]
    arrivals = {}
    for link in {outage.link for outage in outages}:
        gaps = [(outage.began, _end(outage, now)) for outage in outages if outage.link == link]
        arrivals[link] = Arrivals(arrived(connection, centre.code, link), gaps, centre)
    for outage in outages:
        share = _share(connection, outage)
        yield Cost(outage, share, arrivals[outage.link].lost(outage.began, _end(outage, now)))


def arrived(connection: duckdb.DuckDBPyConnection, city: str, link: str | None = None) -> Sequence[float]:
    """When the calls of a centre came, or those on a link; tests and legs of other calls left out. Epoch seconds, ascending."""
    asked = connection.execute(
        "FROM journeys SELECT epoch(arrived) WHERE city = ? AND (link = ? OR ? IS NULL) AND NOT is_test "
        "AND outcome IS DISTINCT FROM 'joined' ORDER BY arrived",
        [city, link, link],
    )
    times = array("d")  # a year of them is small so
    while rows := asked.fetchmany(10_000):
        times.extend(time for (time,) in rows)
    return times


def _share(connection: duckdb.DuckDBPyConnection, outage: Outage) -> float | None:
    [(on_link, told)] = connection.execute(
        "FROM journeys SELECT count(*) FILTER (link = ?), count(*) WHERE city = ? AND link IS NOT NULL AND NOT is_test "
        "AND outcome IS DISTINCT FROM 'joined' AND arrived >= make_timestamptz(?) AND arrived < make_timestamptz(?)",
        [outage.link, outage.city, round((outage.began - WEEKS * WEEK_HOURS * HOUR) * 1e6), round(outage.began * 1e6)],
    ).fetchall()
    return on_link / told if told >= FEWEST_CALLS else None


def _widened(scatter: float, mean: float, days: int) -> float:
    """The scatter that is to be reckoned with if it was learned of so few days.

    The variance grows by the square of t / z, the quantiles 0.975 of Student's t and of the normal distribution: with `days` - 1
    degrees of freedom t / z = 1 + (z² + 1) / (4 (`days` - 1)) (Abramowitz and Stegun 1964, 26.7.5).
    """
    if mean <= 0:
        return scatter
    variance = mean * (1 + scatter * mean) * (1 + (Z**2 + 1) / (4 * (days - 1))) ** 2
    return (variance / mean - 1) / mean


def _end(outage: Outage, now: float) -> float:
    return now if outage.ended is None else outage.ended


def _hours(start: float, until: float) -> range:
    """The hours that a stretch of time touches."""
    return range(int(start) // HOUR, ceil(until / HOUR))


def _silent(times: Iterable[float], centre: Centre) -> set[int]:
    """The hours of silences that were no chance, as the forecast finds them."""
    forecast, found, week = Forecast(), set[int](), 0
    for time in times:
        forecast.count(time, forecast.hear(time, None, centre), centre)
        if time // (WEEK_HOURS * HOUR) > week:
            week = int(time // (WEEK_HOURS * HOUR))
            found |= forecast.unseen()  # it forgets them in five
    return found | forecast.unseen()

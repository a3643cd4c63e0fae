"""Forecast: how many calls an hour should bring, and how probable it is that so many, or none, came by chance."""

from collections import Counter, defaultdict
from datetime import date, timedelta
from functools import cache
from itertools import pairwise
from math import exp, lgamma, log, log1p, sqrt
from statistics import fmean, median, variance
from typing import NamedTuple
from zoneinfo import ZoneInfo

from tests.independent.calls import Journey, Stories
from tests.independent.dispatch import HOLIDAYS, JOINT_LEAVE
from tests.independent.history import EPOCH, HOUR, MINUTE, WINDOWS, Figures, seconds

DAY, WEEK, REMEMBERED = 24, 168, 840
QUARTER = 15 * MINUTE
FEWEST_ON_LINKS = 30


class Profile(NamedTuple):
    """What an hour is like by past ones, and of how many hours of which basis that is made."""

    mean: float
    n: int
    basis: str


class Errors:
    """How far hours were from what was expected of them."""

    def __init__(self) -> None:
        self.hours, self._beyond, self._squares = 0, 0.0, 0.0

    @property
    def scatter(self) -> float:
        """By how much more than chance."""
        return min(0.5, max(0.0, self._beyond / self._squares)) if self._squares > 0 else 0.0

    def learn(self, calls: int, mean: float) -> None:
        """An hour brought so many calls, of which so many were expected."""
        beside = 1 + self.scatter * mean
        error = min((calls - mean) ** 2, 25 * mean * beside)
        self._beyond = (1 - 1 / WEEK) * self._beyond + (error - mean) / beside**2
        self._squares = (1 - 1 / WEEK) * self._squares + (mean / beside) ** 2
        self.hours += 1


class Arrivals:
    """What was learned of a city's arrivals up to a moment; the moments that are asked for ascend."""

    def __init__(self, stories: Stories) -> None:
        self._zone = stories.history.zone
        city = [journey for journey in stories.journeys if journey.city]
        news = [(journey.arrived, 0, journey) for journey in city]
        news += [(time, n, journey) for journey in city for time, n in _tests(journey)]
        self._to_come = sorted(news, key=lambda each: each[0], reverse=True)
        """Arrivals (0), and what turned out to be a test (-1) or none after all (1)."""
        self.counts: defaultdict[int, int] = defaultdict(int)
        self.first = self.newest = self._learned = 0
        self.last = 0
        self.a = self.b = 20.0
        self._errors = {"hour_of_day": Errors(), "hour_of_week": Errors()}
        self.unseen: dict[int, str] = {}
        self.known_at: dict[int, int] = {}
        """In which hour it became known that not all of an hour was seen."""
        self.on_link: dict[str, int] = {}
        """When the newest call on each link came."""
        self._carried: Counter[str | None] = Counter()

    def go_on(self, now: int) -> None:
        """Take in what came up to a moment."""
        while self._to_come and self._to_come[-1][0] <= now:
            _, n, journey = self._to_come.pop()
            if n:
                self.counts[journey.arrived // HOUR] += n
                self._carried[journey.link] += n
            else:
                self._come(journey)

    def scatter(self, hour: int) -> float:
        """By how much more than chance hours like this one differ from what was expected."""
        profile = self.profile(hour)
        is_known = profile is not None and profile.basis == "hour_of_week" and self._errors["hour_of_week"].hours >= 48
        return self._errors["hour_of_week" if is_known else "hour_of_day"].scatter

    def _come(self, journey: Journey) -> None:
        time, link, hour = journey.arrived, journey.link, journey.arrived // HOUR
        if self.last and time - self.last > QUARTER:
            self._judge(self.last, time, 1.0, "silence")
        self.last = time
        if link is not None:
            share = self.share(link)
            if link in self.on_link and share is not None and time - self.on_link[link] > QUARTER:
                self._judge(self.on_link[link], time, share, "link")
            self.on_link[link] = time
            self._carried[link] += 1
        if not self.first:
            self.first = self.newest = self._learned = hour
        if hour > self.newest:
            self.newest = hour
            for passed in range(self._learned, hour - 1):
                self._learn(passed)
                self._learned = passed + 1
        self.counts[hour] += 1

    def share(self, link: str) -> float | None:
        """The link's share of the calls whose link was told; of a history of less than four weeks."""
        total = sum(self._carried[each] for each in self.on_link)
        return self._carried[link] / total if total >= FEWEST_ON_LINKS else None

    def _judge(self, since: int, until: int, share: float, reason: str) -> None:
        """Whether a silence was no chance, and then its hours were not seen."""
        found = self.silence(since, until, share)
        if since // HOUR - self.first < WEEK or found is None or found[1] >= 0.01:
            return
        before = self._came(since - WEEK * HOUR, until - WEEK * HOUR)
        if before is not None and before < 0.25 * found[0] / share:
            return
        for hour in range((since + QUARTER) // HOUR, (until - QUARTER) // HOUR + 1):
            self.unseen[hour] = reason
            self.known_at.setdefault(hour, until // HOUR)

    def _came(self, start: int, end: int) -> float | None:
        """Calls that came from one moment to another, as if evenly in each hour."""
        first, last = start // HOUR, end // HOUR
        if not self.first < first <= last <= self.newest:
            return None
        return sum(self.counts[hour] * _overlap(hour, start, end) for hour in range(first, last + 1))

    def silence(self, since: int, until: int, share: float) -> tuple[float, float] | None:
        """Calls that should have come, and how probable it is that a day has so long a silence by chance."""
        expected = self.between(since, until)
        if expected is None:
            return None
        missing, day = expected * share, sum(self.counts[self.newest - back] for back in range(DAY + 1)) * share
        scatter = self.scatter(until // HOUR)
        none = exp(-missing) if scatter < 1e-9 else exp(-log1p(scatter * missing) / scatter)
        return missing, 1 - exp(-max(1.0, day) * none)

    def between(self, start: int, end: int) -> float | None:
        """Calls that should come from one moment to another, over 48 hours and the last one at most."""
        first, last = start // HOUR, end // HOUR
        total = 0.0
        for hour in range(max(first, last - 48), last + 1):
            profile = self.profile(hour)
            if profile is None:
                return None
            total += profile.mean * self.level(hour) * _overlap(hour, start, end)
        return total

    def profile(self, hour: int) -> Profile | None:
        """What hours like this one brought."""
        found: defaultdict[int, list[float]] = defaultdict(list)
        for back in range(1, 36):
            past = hour - DAY * back
            if self.first < past < self.newest and past > self.newest - REMEMBERED and past not in self.unseen:
                like = found[_kind(past, self._zone.key)]
                if len(like) < 4:
                    like.append(self.counts[past])
        n = sum(len(like) for like in found.values())
        if n < 3:
            return None
        if len(found) >= 5:
            usual = _most(median(fmean(like) for like in found.values()))
            for kind, like in list(found.items()):
                most = max(usual, _most(sorted(like)[-2])) if len(like) >= 3 else usual
                found[kind] = [min(count, most) for count in like]
        own, means = found.get(_kind(hour, self._zone.key), []), [fmean(like) for like in found.values()]
        of_all = fmean(means)
        if not own:
            return Profile(of_all, n, "hour_of_day")
        if len(means) < 3:
            return Profile(fmean(own), len(own), "hour_of_week")
        between = variance(means) - _usual(of_all) * fmean(1 / len(like) for like in found.values())
        pull = min(8.0, _usual((sum(own) + 1) / (len(own) + 1)) / between) if between > 0 else 8.0
        return Profile((sum(own) + pull * of_all) / (len(own) + pull), len(own), "hour_of_week")

    def level(self, hour: int) -> float:
        """The level as known before an hour, by the hours before the one in which the newest call came."""
        a, b = self.a, self.b
        for passed in range(self._learned, hour):
            if passed < self.newest:
                a, b = self._followed(passed, a, b)
            a, b = _faded(a, b)
        return a / b

    def _followed(self, hour: int, a: float, b: float) -> tuple[float, float]:
        """The level after an hour that was seen whole."""
        profile = self.profile(hour)
        if profile is None or hour == self.first or hour in self.unseen:
            return a, b
        expected, weight = profile.mean * a / b, 1 / (1 + 0.02 * profile.mean)
        within = 3 * sqrt(_usual(expected))
        calls = min(max(self.counts[hour], expected - within), expected + within)
        return a + weight * calls, b + weight * profile.mean

    def _learn(self, hour: int) -> None:
        """Take an hour that is over into scatter and level."""
        profile = self.profile(hour)
        if profile is not None and hour != self.first and hour not in self.unseen:
            level, calls = self.a / self.b, self.counts[hour]
            mean = profile.mean * level
            self._errors[profile.basis].learn(calls, mean)
        self.a, self.b = _faded(*self._followed(hour, self.a, self.b))


def figures(arrivals: Arrivals, stories: Stories, now: int) -> Figures:
    """What was true of arrivals at `now`."""
    found: Figures = {}
    came = [journey for journey in stories.journeys if journey.city and journey.arrived <= now]
    if not came:
        return found
    arrivals.go_on(now)
    scatter, profile = arrivals.scatter(now // HOUR), arrivals.profile(now // HOUR)
    if profile is not None:
        found["psap_calls_expected", profile.basis] = profile.mean * arrivals.level(now // HOUR)
        found["psap_calls_expected_hours",] = profile.n
        found["psap_calls_level",] = arrivals.level(now // HOUR)
        found["psap_calls_scatter",] = scatter
    for reason in ("silence", "link", "late"):
        first = arrivals.newest - REMEMBERED
        found["psap_hours_unseen", reason] = sum(why == reason and hour > first for hour, why in arrivals.unseen.items())
    for window, length in (("15m", WINDOWS["15m"]), ("60m", HOUR)):
        lately = sum(journey.arrived > now - length and journey.class_at(now) != "test" for journey in came)
        found["psap_calls_arrived", window] = lately
        mean = arrivals.between(now - length, now)
        if mean is not None and profile is not None:
            found["psap_calls_expected_window", window] = mean
            found["psap_calls_expected_window_lower", window] = _quantile(0.025, mean, scatter)
            found["psap_calls_expected_window_upper", window] = _quantile(0.975, mean, scatter)
            found["psap_surge_probability", window] = _at_least(lately, mean + length / HOUR / (profile.n + 1), scatter)
    found["psap_last_call_timestamp_seconds",] = seconds(arrivals.last)
    silence = arrivals.silence(arrivals.last, now, 1.0)
    if silence is not None:
        found["psap_silence_expected_calls",], found["psap_silence_probability",] = silence
    for link, last in arrivals.on_link.items():
        found["psap_link_last_call_timestamp_seconds", link] = seconds(last)
        share = arrivals.share(link)
        silence = None if share is None else arrivals.silence(last, now, share)
        if silence is not None:
            found["psap_link_silence_expected_calls", link], found["psap_link_silence_probability", link] = silence
    return found


def _tests(journey: Journey) -> list[tuple[int, int]]:
    """When it was said to be a test (-1), or no longer (1)."""
    said = [(0, ""), *journey.classes]
    return [(time, 1 if before == "test" else -1) for (_, before), (time, after) in pairwise(said) if "test" in {before, after}]


@cache
def _kind(hour: int, zone: str) -> int:
    """The kind of an hour's local day: its weekday, Sunday where it is a holiday or joint leave."""
    day: date = (EPOCH + timedelta(hours=hour)).astimezone(ZoneInfo(zone)).date()
    return 6 if day in HOLIDAYS or day in JOINT_LEAVE else day.weekday()


def _overlap(hour: int, start: int, end: int) -> float:
    """What part of an hour lies between two moments."""
    return max(0, min(end, (hour + 1) * HOUR) - max(start, hour * HOUR)) / HOUR


def _most(mean: float) -> float:
    """What an hour of that mean usually brings at most."""
    return mean + 3 * sqrt(_usual(max(1.0, mean)))


def _usual(mean: float) -> float:
    """The variance that is usual of an hour."""
    return mean + 0.02 * mean * mean


def _faded(a: float, b: float) -> tuple[float, float]:
    return 0.85 * a + 0.15 * 20, 0.85 * b + 0.15 * 20


def chance_of(calls: int, mean: float, scatter: float) -> float:
    """P(X = calls)."""
    return exp(_log_of(calls, mean, scatter))


def _log_of(calls: int, mean: float, scatter: float) -> float:
    """The logarithm of P(X = calls)."""
    if scatter < 1e-9:
        return calls * log(mean) - mean - lgamma(calls + 1)
    size = 1 / scatter
    chance = lgamma(size + calls) - lgamma(size) - lgamma(calls + 1)
    return chance - size * log1p(mean / size) - calls * log1p(size / mean)


def _at_least(calls: int, mean: float, scatter: float) -> float:
    """P(X >= calls), by adding up whichever side is the smaller."""
    if calls > mean:
        return sum(exp(_log_of(number, mean, scatter)) for number in range(calls, calls + 2_000))
    return 1 - sum(exp(_log_of(number, mean, scatter)) for number in range(calls))


def _quantile(share: float, mean: float, scatter: float) -> int:
    """The fewest calls of which at least that share of all windows has no more."""
    number, below = 0, 0.0
    while mean > 0:
        below += exp(_log_of(number, mean, scatter))
        if below >= share:
            return number
        number += 1
    return 0

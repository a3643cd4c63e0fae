"""Forecast: how many calls an hour brings, learned from the stream itself, and how much hours scatter about that."""

from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from math import sqrt
from statistics import median
from typing import Annotated, Literal, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import Field

from streams.core.centre import Centre
from streams.core.hourly import DAY_HOURS, HOUR, HOURS, WEEK_HOURS
from streams.core.level import SPIKE, Level, Scatter, usual_variance
from streams.core.names import Strangers
from streams.core.probability import none_in_a_day
from streams.core.window import Window, midnights

WEEKS, FEWEST = 4, 3
"""How many hours of one kind of day a profile is made of at most, and how few of all days suffice."""

FEWEST_KINDS = 5
"""Of so many kinds of days, what is usual at that time is known."""

PULL = 8.0
"""However alike the days are, what they bring at that time of day together counts as no more than so many hours."""

ENOUGH_HOURS = 48
"""So many hours of a basis, and how much they scatter is said of them; before, it is that of hours of the day."""

LINKS = 64
"""The most links of one centre that are followed besides those that its file names; a call on a further one counts for the centre
only."""

FEWEST_CALLS = 30
"""So many calls on all links together before a share of one is believed."""

LONGEST_SILENCE_HOURS = 48
"""Over more hours than this, calls that should have come are not added up any further."""

SHORTEST_SILENCE = 900.0
"""Seconds; a shorter one, however improbable, hardly changes what its hour brings."""

NO_CHANCE = 0.01
"""A silence less probable in a day than this is none of chance: the line, the feed or the monitor was away."""

FEWEST_MISSING = 5.0
"""Fewer calls than this can always fail to come by chance."""

SEEN = 0.5
"""An hour of which calls came too late was seen all the same if this share of its profile was counted."""

CLOSED = 0.25
"""If a week before a silence no more than this share came of what should have come now, the centre is closed then."""

Reason = Literal["silence", "link", "late"]
"""Why it is known that not all calls of an hour were seen: the centre's silence was no chance, that of a link was not, or some
came too late to be counted."""


Basis = Literal["hour_of_week", "hour_of_day"]
"""Of which hours a profile is made: those of the same kind of day, or of all."""


class Profile(NamedTuple):
    """Calls of one hour, from past ones: their mean, and of how many hours of which basis."""

    mean: float
    n: int
    basis: Basis


@dataclass(slots=True)
class Carried:
    """What came in on one link: its number, the newest call, and how many in each week since 1970."""

    number: int = 0
    last: float = 0.0
    weeks: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class Forecast:
    """Arrivals of one centre by hour, and by link. Part of the state of calls.

    Hours are epoch seconds // 3600. One is expected to bring its *profile* times the *level*. The profile is what past hours of
    the same time and kind of day brought (a holiday is a Sunday), drawn to what all days brought then as far as days are alike;
    the level follows the last hours. Formulas: streams/core/README.md.
    """

    first: int = 0
    counts: list[int] = field(default_factory=list)
    last: float = 0.0
    window: Window = field(default_factory=Window)
    links: dict[str, Carried] = field(default_factory=dict)
    strangers: Strangers = field(default_factory=Strangers)
    blank: dict[int, Reason] = field(default_factory=dict)
    """Hours of which it is known that not all was seen, and why."""
    learned: int = 0
    """Hours before this one are in level and scatter."""
    level: Level = field(default_factory=Level)
    scatters: dict[Basis, Scatter] = field(default_factory=dict)
    profiles: Annotated[dict[int, "Profile | None"], Field(exclude=True)] = field(default_factory=dict, compare=False)
    """Profiles that were asked for since an hour was over."""
    levels: Annotated[dict[int, Level], Field(exclude=True)] = field(default_factory=dict, compare=False)
    """The same of levels, by the hour before which they are."""
    kinds: Annotated[dict[int, int], Field(exclude=True)] = field(default_factory=dict, compare=False)
    """The kinds of days that were asked for: holidays are slow to look up."""

    def hear(self, time: float, link: str | None, centre: Centre) -> Carried | None:
        """A call came, also one to test the line, which is silent no longer. Returns its link."""
        if time > self.last:
            if time - self.last > SHORTEST_SILENCE and self.counts:
                self._judge(self.last, time, 1.0, "silence", centre)
            self.last = time
        if link is None:
            return None
        carried = self.links.get(centre.names.links[link])
        if carried is None:
            name = self.strangers.place("trunk", link, centre.names.links, self.links, LINKS)
            if name is None:
                return None
            carried = self.links[name] = Carried(len(self.links))
        if time > carried.last:
            if carried.last and time - carried.last > SHORTEST_SILENCE:
                share = self.share(carried)
                if share is not None:
                    self._judge(carried.last, time, share, "link", centre)
            carried.last = time
        return carried

    def link(self, number: int | None) -> Carried | None:
        """The link of that number."""
        return next((carried for carried in self.links.values() if carried.number == number), None)

    def count(self, time: float, link: Carried | None, centre: Centre, n: int = 1) -> None:
        """Count one arrival, at epoch seconds; a late one in its own hour. 0 is a test, which shows that the hour was seen, and
        -1 takes one back.
        """
        hour = int(time) // HOUR
        place = hour - self.first
        counts = self.counts
        if 0 <= place < len(counts):
            counts[place] = max(0, counts[place] + n)
            if place < len(counts) - 1:
                self._forget()
                if n > 0 and time < self.last - HOUR and self.blank.get(hour, "late") != "late":
                    del self.blank[hour]  # a backlog fills hours that were silent
        else:
            self._extend(hour, max(0, n), centre)
        self.window.add(time, 0, n)
        if link is not None:
            self._carry(link, hour // WEEK_HOURS, n)

    def miss(self, time: float, centre: Centre) -> None:
        """A call came too late to be counted. So is a file that is sent again: an hour that has what it should was seen."""
        hour = int(time) // HOUR
        place = hour - self.first
        if 0 <= place < len(self.counts):
            profile = self.profile(hour, centre)
            if not self.counts[place] or (profile is not None and self.counts[place] < SEEN * profile.mean):
                self.blank[hour] = "late"
                self._forget()

    def hourly(self, first: int, last: int) -> dict[int, int]:
        """Arrivals by hour, of the hours from `first` to `last` that there is a count of."""
        low, high = max(first, self.first), min(last, self.first + len(self.counts) - 1)
        return {hour: self.counts[hour - self.first] for hour in range(low, high + 1)}

    def unseen(self) -> frozenset[int]:
        """The hours of the last five weeks of which it is known that not all was seen: they teach nothing."""
        return frozenset(self.blank)

    def profile(self, hour: int, centre: Centre) -> Profile | None:
        """What hours like this one brought; None until there were enough.

        The mean c of the hours of the same kind of day, n of them, is drawn to the mean m of the kinds of days at that time: to
        (n c + k m) / (n + k), where k is the variance that chance gives an hour / the variance between the kinds of days
        (Efron and Morris 1973), at most `PULL`.
        """
        if hour in self.profiles:
            return self.profiles[hour]
        found = self.profiles[hour] = self._profile(hour, centre)
        return found

    def expected(self, hour: int, centre: Centre) -> Profile | None:
        """What an hour should bring, as was or can be said before it begins; None until enough was seen."""
        profile = self.profile(hour, centre)
        return None if profile is None else profile._replace(mean=profile.mean * self.level_of(hour, centre))

    def scatter(self, hour: int, centre: Centre) -> float:
        """How much hours like this one scatter."""
        profile = self.profile(hour, centre)
        own = None if profile is None else self.scatters.get(profile.basis)
        if own is None or own.hours < ENOUGH_HOURS:
            own = self.scatters.get("hour_of_day", own)
        return 0.0 if own is None else own.value

    def expected_between(self, start: float, end: float, centre: Centre) -> float | None:
        """Calls that should have come from `start` to `end`, epoch seconds; None where an hour has no expectation."""
        total = 0.0
        last = int(end) // HOUR
        for hour in range(max(int(start) // HOUR, last - LONGEST_SILENCE_HOURS), last + 1):
            expected = self.expected(hour, centre)
            if expected is None:
                return None
            total += expected.mean * part_of(hour, start, end)
        return total

    def share(self, carried: Carried) -> float | None:
        """A link's share of the calls whose link was told, over the last four weeks of the newest; None of too few."""
        total = sum(sum(other.weeks.values()) for other in self.links.values())
        return sum(carried.weeks.values()) / total if total >= FEWEST_CALLS else None

    def silence(self, since: float, until: float, share: float, centre: Centre) -> tuple[float, float] | None:
        """Calls that should have come on a `share` of the lines, and how probable it is that chance alone makes a day that has
        so long a silence; None where nothing is expected.
        """
        missing = self.expected_between(since, until, centre)
        if missing is None:
            return None
        # Of the newest hour only a part may have been seen; the day before it is whole.
        day = sum(self.counts[-1 - DAY_HOURS :])
        return missing * share, none_in_a_day(missing * share, day * share, self.scatter(int(until) // HOUR, centre))

    def _judge(self, since: float, until: float, share: float, reason: Reason, centre: Centre) -> None:
        """Leave out the hours of a silence, if chance did not make it: but not if it was as silent a week before,
        because then the centre is closed.
        """
        if share * max(self.counts[-WEEK_HOURS:]) * (until - since) < FEWEST_MISSING * HOUR:
            return  # nearly always, and cheap to see
        if int(since) // HOUR - self.first < WEEK_HOURS:
            return  # one evening's event is not told from an evening yet, nor the quiet ones after it from silence
        found = self.silence(since, until, share, centre)
        if found is None or found[1] >= NO_CHANCE:
            return
        # Of an hour at the edge a little may be missing.
        first, last = int(since + SHORTEST_SILENCE) // HOUR, int(until - SHORTEST_SILENCE) // HOUR
        hours = range(max(first, last - HOURS), last + 1)
        before = self._came_between(since - WEEK_HOURS * HOUR, until - WEEK_HOURS * HOUR)
        if before is not None and before < CLOSED * found[0] / share:
            return
        self.blank.update((hour, reason) for hour in hours)
        self._forget()

    def _came_between(self, start: float, end: float) -> float | None:
        """Calls that came from `start` to `end`, as if evenly in each hour; None where the hours are not remembered."""
        low, high = int(start) // HOUR, int(end) // HOUR
        if not self.first < low <= high < self.first + len(self.counts):
            return None
        return sum([self.counts[hour - self.first] * part_of(hour, start, end) for hour in range(low, high + 1)])

    def _extend(self, hour: int, n: int, centre: Centre) -> None:
        if not self.counts:
            self.first = self.learned = hour
        if hour < self.first:
            return  # late by more than is remembered, or before the first hour that was seen
        if hour >= self.first + 2 * HOURS:
            # Nothing of what was learned is left.
            self.first, self.learned, self.counts, self.level = hour, hour, [], Level()
        self.counts += [0] * (hour - self.first + 1 - len(self.counts))
        self._learn(hour - 1, centre)
        self.counts[-1] += n
        if len(self.counts) > HOURS:
            self.first += len(self.counts) - HOURS
            del self.counts[:-HOURS]
        self.blank = {known: reason for known, reason in self.blank.items() if known >= self.first}
        self._forget()

    def _forget(self) -> None:
        """What was asked for is not so any more."""
        self.profiles.clear()
        self.levels.clear()

    def _learn(self, until: int, centre: Centre) -> None:
        """Take in the hours before `until`; the one before the newest may still be told of."""
        for hour in range(max(self.learned, until - HOURS), until):
            self._take_in(hour, self.level, centre, learn=True)
            self.learned = hour + 1

    def _take_in(self, hour: int, level: Level, centre: Centre, *, learn: bool) -> None:
        place = hour - self.first
        if 0 < place < len(self.counts) and hour not in self.blank:  # the first hour was not seen whole
            profile = self._profile(hour, centre)
            if profile is not None:
                calls = self.counts[place]
                if learn:
                    self.scatters.setdefault(profile.basis, Scatter()).learn(calls, profile.mean * level.mean)
                level.learn(calls, profile.mean)
        level.age()

    def level_of(self, hour: int, centre: Centre) -> float:
        """The level of an hour as known before it: by the whole hours before it that are known, and otherwise it fades to 1."""
        known = self.levels.get(hour)
        if known is None:
            known = Level(self.level.came, self.level.expected)
            # Of the newest hour nothing can be said before its end, and of silent hours not before it is known why.
            newest = int(self.last) // HOUR
            for passed in range(self.learned, min(hour, newest)):
                self._take_in(passed, known, centre, learn=False)
            known.age(max(0, hour - max(self.learned, min(hour, newest))))
            self.levels[hour] = known
        return known.mean

    def _profile(self, hour: int, centre: Centre) -> Profile | None:
        day = local_day(hour, centre.timezone)
        kind = self._kind(day, centre)
        found: dict[int, list[float]] = {}
        counts, blank = self.counts, self.blank
        for back in range(1, HOURS // DAY_HOURS + 1):
            place = hour - DAY_HOURS * back - self.first
            if place <= 0:
                break
            if place < len(counts) - 1 and not (blank and place + self.first in blank):
                like = found.setdefault(self._kind(day - back, centre), [])
                if len(like) < WEEKS:
                    like.append(counts[place])
        return profile_of(found, kind)

    def _kind(self, day: int, centre: Centre) -> int:
        kind = self.kinds.get(day)
        if kind is None:
            if len(self.kinds) > 2 * HOURS // DAY_HOURS:
                self.kinds.clear()
            kind = self.kinds[day] = kind_of(day, centre)
        return kind

    def _carry(self, link: Carried, week: int, n: int) -> None:
        if week in link.weeks:
            link.weeks[week] = max(0, link.weeks[week] + n)
        elif n > 0:
            for other in self.links.values():
                other.weeks = {number: calls for number, calls in other.weeks.items() if number > week - WEEKS}
            link.weeks[week] = 1


def part_of(hour: int, start: float, end: float) -> float:
    """How much of an hour lies between two moments, epoch seconds."""
    return max(0.0, min(end, (hour + 1) * HOUR) - max(start, hour * HOUR)) / HOUR


def local_day(hour: int, zone: ZoneInfo) -> int:
    """The local day, in days since 1970, of an hour."""
    return (hour + _offset(hour // 6, zone)) // DAY_HOURS


def kind_of(day: int, centre: Centre) -> int:
    """The kind of a local day (days since 1970): its weekday from Monday = 0; a holiday and joint leave are Sundays."""
    date_of = date.fromordinal(day + 719_163)
    return 6 if date_of in centre.holidays or date_of in centre.joint_leave else (day + 3) % 7


def profile_of(found: dict[int, list[float]], kind: int) -> Profile | None:
    """What an hour of a kind of day brings, of counts at its time by kinds of days; None of too few. See `Forecast.profile`."""
    n = sum([len(like) for like in found.values()])
    if n < FEWEST:
        return None
    without = found if len(found) < FEWEST_KINDS else _without_events(found)
    own = without.get(kind, [])
    means = [sum(like) / len(like) for like in without.values()]
    overall = sum(means) / len(means)
    if not own:
        return Profile(overall, n, "hour_of_day")
    if len(means) < 3:
        return Profile(sum(own) / len(own), len(own), "hour_of_week")
    between = sum([(mean - overall) ** 2 for mean in means]) / (len(means) - 1)
    between -= usual_variance(overall) * sum([1 / len(like) for like in found.values()]) / len(means)
    pull = min(PULL, usual_variance((sum(own) + 1) / (len(own) + 1)) / between) if between > 0 else PULL
    return Profile((sum(own) + pull * overall) / (len(own) + pull), len(own), "hour_of_week")


def _without_events(found: dict[int, list[float]]) -> dict[int, list[float]]:
    """Counts by kinds of days, each cut to what is usual: an event of its own is no pattern of the week. Usual is what the median
    of the kinds' means may bring by chance; from three hours of a kind on, also what its second highest may.
    """
    usual = _most(median([sum(like) / len(like) for like in found.values()]))
    without = {}
    for kind, like in found.items():
        most = usual if len(like) < FEWEST else max(usual, _most(sorted(like)[-2]))
        without[kind] = [min(calls, most) for calls in like]
    return without


def _most(mean: float) -> float:
    """The most that is usual of an hour of this mean."""
    return mean + SPIKE * sqrt(usual_variance(max(1.0, mean)))


@lru_cache(maxsize=4096)
def _offset(quarter: int, zone: ZoneInfo) -> int:
    """Whole hours by which local time is ahead of UTC, by quarters of a day."""
    start, _ = midnights(quarter * 6 * HOUR, zone)
    ahead = -int(start // HOUR) % DAY_HOURS
    return ahead if ahead <= 14 else ahead - DAY_HOURS

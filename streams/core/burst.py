"""Burst: whether the calls of the last minutes are bunched as those of one event are, how many of them that is, and where.

Calls and tickets are joined here, when they are measured. The formulas are in `streams/core/README.md`, Many callers of one
event.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from math import comb, log
from typing import NamedTuple

from streams.core import calls, dispatch
from streams.core.centre import Centre
from streams.core.districts import KEPT_SECONDS, Origins
from streams.core.forecast import Forecast
from streams.core.hourly import HOUR
from streams.core.level import USUAL_SCATTER
from streams.core.probability import bunch_in_a_day
from streams.core.reading import Metric, Readings
from streams.core.ticket import Ticket
from streams.core.window import MICROSECONDS

WINDOWS = (120, 300, 600)
"""Seconds up to now in which calls may be bunched."""

FEWEST_CALLS, FEWEST_TICKETS = 5, 3
"""Of fewer calls nothing is concluded, nor of fewer tickets what they are about."""

NO_CHANCE = 0.01
"""A bunch less probable in a day than this is one event; and a district or a category, beyond its share, that of the event."""

MOST = 0.5
"""A district or a category stands out if at least this share of the calls or tickets are its."""

PROBABILITY = Metric(
    "psap_burst_probability",
    "gauge",
    "How probable it is that in a day chance alone bunches calls as those of the last 2, 5 or 10 minutes are, of the centre or "
    "one district: the least of these, times how many there are (negative binomial, psap_calls_scatter; streams/core/README.md).",
)
CALLS = Metric(
    "psap_burst_calls",
    "gauge",
    "Calls that one event likely brought: psap_burst_arrived less those that should have come anyway, and of a district as many "
    "more as told none; absent unless psap_burst_probability is below 0.01, like all of psap_burst_ but that.",
)
ARRIVED = Metric(
    "psap_burst_arrived", "gauge", "Calls since psap_burst_begun_timestamp_seconds, of the district where only that is bunched."
)
BEGUN = Metric(
    "psap_burst_begun_timestamp_seconds",
    "gauge",
    "When the first call of the bunch came, at most half an hour ago: the likeliest.",
)
_SHARE = "; absent unless it is half of them at least, and more than its share of all before explains"
DISTRICT = Metric(
    "psap_burst_district_ratio",
    "gauge",
    "Share of the district in the calls of the bunch that told one, or, if none stands out, in the tickets opened since then"
    + _SHARE
    + ", or it alone is bunched.",
    ("district",),
)
DISTRICT_TOLD = Metric("psap_burst_district_told", "gauge", "Calls, or tickets, that psap_burst_district_ratio is about (n).")
CATEGORY = Metric(
    "psap_burst_category_ratio",
    "gauge",
    "Share of the category in the tickets opened since the bunch began" + _SHARE + ".",
    ("category",),
)
CATEGORY_TICKETS = Metric("psap_burst_category_tickets", "gauge", "Tickets that psap_burst_category_ratio is about (n).")

METRICS = (PROBABILITY, CALLS, ARRIVED, BEGUN, DISTRICT, DISTRICT_TOLD, CATEGORY, CATEGORY_TICKETS)


class Burst(NamedTuple):
    """The densest bunch of calls up to now: how probable it is in a day by chance, and, where that is no chance, when its first
    call came (epoch seconds), how many did, how many calls the event likely brought, and the district if that alone is bunched.
    """

    probability: float
    begun: float = 0.0
    arrived: int = 0
    calls: float = 0.0
    district: str | None = None


class Zone(NamedTuple):
    """The whole centre, or a district of it: its calls of the last time, ascending in epoch microseconds, its share of the calls
    that are due, and the share of its calls that are known to be its.
    """

    district: str | None
    times: Sequence[int]
    share: float
    known: float


class Standing(NamedTuple):
    """What stands out of `n` things: its name, and how large a share it is."""

    name: str
    ratio: float
    n: int


def find(forecast: Forecast, origins: Origins, now: float, centre: Centre) -> Burst | None:
    """The densest bunch of calls up to `now`, epoch seconds; None where nothing is expected yet."""
    hour = int(now) // HOUR
    expected = forecast.expected(hour, centre)
    if expected is None:
        return None
    until = round(now * MICROSECONDS)
    came = forecast.window.moments(now, HOUR)
    if _within(came, until, WINDOWS[-1]) < FEWEST_CALLS:
        return Burst(1.0)

    def due(seconds: int) -> float:
        return (forecast.expected_between(now - seconds, now, centre) or 0.0) + seconds / HOUR / (expected.n + 1)

    scatter, whole = forecast.scatter(hour, centre), due(HOUR)
    likely = 1 / max(scatter, USUAL_SCATTER)
    zones = [Zone(None, came, 1.0, 1.0), *_districts(origins, came, now)]
    looks = len(WINDOWS) * (1 + len(origins.districts.counts))
    best, least, rate = zones[0], 1.0, 0.0
    for seconds in WINDOWS:
        mean, n = due(seconds), _within(came, until, seconds)
        # What came in the hour before says that this is a busy hour, and no event.
        mean *= max(1.0, (likely + len(came) - n) / (likely + whole - mean))
        for zone in zones:
            calls_there = _within(zone.times, until, seconds)
            if calls_there < FEWEST_CALLS:
                continue
            probability = min(1.0, looks * bunch_in_a_day(calls_there, mean * zone.share, seconds, scatter))
            if probability < least:
                best, least, rate = zone, probability, mean * zone.share / seconds
    return Burst(least) if least >= NO_CHANCE else _since(best, least, rate, until)


def _districts(origins: Origins, came: Sequence[int], now: float) -> Iterator[Zone]:
    """The districts of which calls came in the last half hour."""
    known, lately = origins.districts.counts, origins.lately(now)
    told = sum([len(times) for times in lately.values()])
    before = sum(known.values()) - told
    for district, times in lately.items():
        located = min(1.0, told / max(1, _within(came, round(now * MICROSECONDS), KEPT_SECONDS)))
        yield Zone(district, times, located * (known[district] - len(times) + 1) / (before + len(known)), located)


def _since(zone: Zone, probability: float, rate: float, until: int) -> Burst:
    """The bunch from its likeliest beginning on: the call for which the likelihood of one event is largest (Kulldorff 1997), of
    those of the last half hour. `rate` are the calls due in a second.
    """
    times, likeliest, found = zone.times, 0.0, Burst(probability)
    for place in range(bisect_right(times, until - KEPT_SECONDS * MICROSECONDS), len(times)):
        n, expected = len(times) - place, rate * max(1.0, (until - times[place]) / MICROSECONDS)
        likelihood = n * log(n / expected) - (n - expected) if n > expected else 0.0
        if likelihood > likeliest:
            likeliest = likelihood
            found = Burst(probability, times[place] / MICROSECONDS, n, (n - expected) / zone.known, zone.district)
    return found


def _within(times: Sequence[int], until: int, seconds: int) -> int:
    """How many of some ascending times, none after `until`, lie in the last seconds."""
    return len(times) - bisect_right(times, until - seconds * MICROSECONDS)


def outstanding(names: Sequence[str], known: Mapping[str, int], fewest: int) -> Standing | None:
    """The name that stands out of some, if one does, by how often all that are known were told, these among them: it is k of n,
    and P(X >= k) of n trials with p = its share of all before is below `NO_CHANCE` / how many names there are.
    """
    n = len(names)
    if n < fewest:
        return None
    [(name, k)] = Counter(sorted(names)).most_common(1)
    share = (known[name] - k + 1) / (sum(known.values()) - n + len(known))
    if k < MOST * n or _binomial(k, n, share) >= NO_CHANCE / len(known):
        return None
    return Standing(name, k / n, n)


def _binomial(k: int, n: int, share: float) -> float:
    """P(X >= k) of n trials."""
    return sum([comb(n, i) * share**i * (1 - share) ** (n - i) for i in range(k, n + 1)])


def measure(of_calls: calls.State, of_tickets: dispatch.State | None, now: float, centre: Centre) -> Readings:
    """Say what is true at `now`, epoch seconds."""
    burst = find(of_calls.forecast, of_calls.origins, now, centre)
    if burst is None:
        return
    yield PROBABILITY, (), burst.probability
    if burst.probability >= NO_CHANCE:
        return
    yield CALLS, (), burst.calls
    yield ARRIVED, (), burst.arrived
    yield BEGUN, (), burst.begun
    lately = of_calls.origins.lately(now)
    came_from = [district for district, times in lately.items() for time in times if time >= round(burst.begun * MICROSECONDS)]
    district = _district(burst, came_from, of_calls.origins)
    if of_tickets is not None:
        desk = of_tickets.desk
        tickets = [ticket for ticket in desk.tickets.values() if _is_opened_between(ticket, burst.begun, now)]
        if district is None:
            about = [ticket.district for ticket in tickets if ticket.district]
            district = outstanding(about, desk.districts.counts, FEWEST_TICKETS)
        opened = {category: totals.opened for category, totals in desk.categories.items()}
        category = outstanding([desk.category(ticket, centre) for ticket in tickets], opened, FEWEST_TICKETS)
        if category is not None:
            yield CATEGORY, (category.name,), category.ratio
            yield CATEGORY_TICKETS, (), category.n
    if district is not None:
        yield DISTRICT, (district.name,), district.ratio
        yield DISTRICT_TOLD, (), district.n


def _district(burst: Burst, came_from: Sequence[str], origins: Origins) -> Standing | None:
    """The district of a bunch, by its calls."""
    if burst.district is None:
        return outstanding(came_from, origins.districts.counts, FEWEST_CALLS)
    return Standing(burst.district, came_from.count(burst.district) / len(came_from), len(came_from))


def _is_opened_between(ticket: Ticket, since: float, until: float) -> bool:
    """Whether a ticket was opened then; one that was reopened is of something else."""
    return ticket.opened is not None and ticket.reopened is None and since <= ticket.opened <= until

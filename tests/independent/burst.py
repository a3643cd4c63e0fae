"""Burst: whether the calls of the last minutes are bunched as those of one event are, how many of them it brought, and where."""

from collections import Counter
from math import comb, exp, log
from typing import NamedTuple

from tests.independent.calls import Journey, Stories
from tests.independent.dispatch import Desk
from tests.independent.forecast import Arrivals, chance_of
from tests.independent.history import HOUR, MINUTE, SECOND, Figures, seconds

WINDOWS = (2 * MINUTE, 5 * MINUTE, 10 * MINUTE)
HALF_AN_HOUR = 30 * MINUTE
DAY = 24 * HOUR
UNLIKELY = 0.01


class Zone(NamedTuple):
    """The whole centre or one district: its calls of the last hour or half hour, its share of the calls that are due, and of how
    many of its calls that is told.
    """

    district: str | None
    came: list[int]
    share: float
    told: float


class Look(NamedTuple):
    """One window of one zone: how probable such a bunch is, and how many calls are due in a microsecond."""

    probability: float
    zone: Zone
    rate: float


def figures(arrivals: Arrivals, stories: Stories, now: int) -> Figures:
    """What was true of the last minutes at `now`; `arrivals` has gone on to that moment."""
    profile = arrivals.profile(now // HOUR)
    if profile is None:
        return {}
    came = [journey for journey in stories.journeys if journey.city and journey.arrived <= now]
    counted = [journey for journey in came if journey.class_at(now) != "test"]
    told = Counter(journey.district for journey in came if journey.district is not None)
    looks = _looks(arrivals, counted, told, profile.n, now)
    least = min(looks, key=lambda look: look.probability, default=None)
    if least is None or least.probability >= UNLIKELY:
        return {("psap_burst_probability",): 1.0 if least is None else least.probability}
    zone = least.zone
    lately = [time for time in zone.came if time > now - HALF_AN_HOUR]
    likelihoods = [_likelihood(len(lately) - place, _due(least, time, now)) for place, time in enumerate(lately)]
    begun = lately[likelihoods.index(max(likelihoods))]
    n = sum(time >= begun for time in lately)
    found: Figures = {
        ("psap_burst_probability",): least.probability,
        ("psap_burst_calls",): (n - _due(least, begun, now)) / zone.told,
        ("psap_burst_arrived",): n,
        ("psap_burst_begun_timestamp_seconds",): seconds(begun),
    }
    origins = [journey.district for journey in counted if journey.arrived >= begun and journey.district is not None]
    desk = Desk(stories.history, now)
    opened = [ticket for ticket in desk.tickets.values() if ticket.began >= begun and not ticket.reopened]
    if zone.district is not None:
        found["psap_burst_district_ratio", zone.district] = origins.count(zone.district) / len(origins)
        found["psap_burst_district_told",] = len(origins)
    elif not _stand_out(found, ("psap_burst_district_ratio", "psap_burst_district_told"), origins, told, 5):
        about = [ticket.district for ticket in opened if ticket.district is not None]
        of_tickets = Counter(ticket.district for ticket in desk.tickets.values() if ticket.district is not None)
        _stand_out(found, ("psap_burst_district_ratio", "psap_burst_district_told"), about, of_tickets, 3)
    categories = Counter({labels[0]: n for (name, *labels), n in desk.counts.items() if name == "psap_tickets_opened_total"})
    about = [ticket.category for ticket in opened]
    _stand_out(found, ("psap_burst_category_ratio", "psap_burst_category_tickets"), about, categories, 3)
    return found


def _looks(arrivals: Arrivals, counted: list[Journey], told: Counter[str], n: int, now: int) -> list[Look]:
    """Every window of every zone in which there are five calls and more than are due."""
    came = sorted(journey.arrived for journey in counted if journey.arrived > now - HOUR)
    scatter = arrivals.scatter(now // HOUR)
    prior = 1 / max(scatter, 0.02)
    recent = [journey for journey in counted if journey.district is not None and journey.arrived > now - HALF_AN_HOUR]
    before = sum(told.values()) - len(recent)
    zones = [Zone(None, came, 1.0, 1.0)]
    half = sum(time > now - HALF_AN_HOUR for time in came)
    for district in told:
        there = sorted(journey.arrived for journey in recent if journey.district == district)
        located = len(recent) / half if half else 0.0
        share = (told[district] - len(there) + 1) / (before + len(told))
        zones.append(Zone(district, there, share * located, located))
    found = []
    for window in WINDOWS:
        due, hourly = ((arrivals.between(now - length, now) or 0.0) + length / HOUR / (n + 1) for length in (window, HOUR))
        earlier = sum(time <= now - window for time in came)
        due *= max(1.0, (prior + earlier) / (prior + hourly - due))
        for zone in zones:
            k, mean = sum(time > now - window for time in zone.came), due * zone.share
            if k >= 5 and k > mean:
                completing = DAY / window * mean * (1 - mean / k) * chance_of(k - 1, mean, scatter)
                looks = len(WINDOWS) * len(zones)
                found.append(
                    Look(min(1.0, looks * (1 - exp(-completing) if completing > 1e-6 else completing)), zone, mean / window)
                )
    return found


def _due(look: Look, since: int, now: int) -> float:
    """Calls that should have come since then anyway, over a second at least."""
    return look.rate * max(SECOND, now - since)


def _likelihood(n: int, due: float) -> float:
    """The logarithm of how much likelier n calls are of an event than of what is due."""
    return n * log(n / due) - n + due if n > due else 0.0


def _stand_out(found: Figures, names: tuple[str, str], about: list[str], told: Counter[str], fewest: int) -> bool:
    """Say what most are about, if that is half of them and no chance; says whether it is."""
    n = len(about)
    if n < fewest:
        return False
    k, name = max((about.count(name), name) for name in about)
    share = (told[name] - k + 1) / (sum(told.values()) - n + len(told))
    chance = sum(comb(n, i) * share**i * (1 - share) ** (n - i) for i in range(k, n + 1))
    if 2 * k < n or chance >= UNLIKELY / len(told):
        return False
    found[names[0], name], found[names[1],] = k / n, n
    return True

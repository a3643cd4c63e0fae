"""How well the forecast forecasts and how right its probabilities are, one hour ahead, beside rivals on the same hours.

Rivals: the count of the same hour a week before (`naive`), and exponential smoothing with additive error and weekly season on
square roots (`ets`: statsmodels' ETSModel, fitted to the hours before those that are compared, which then are forecast one by
one). Only they are told which hours nobody saw: there they take the week before. Where the data are a week long, a day stands
for the week.
"""

import csv
import gzip
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from math import sqrt
from pathlib import Path
from typing import NamedTuple

from holidays import country_holidays

from schemas.calls import CallOffered
from streams.core.centre import Centre
from streams.core.forecast import Forecast
from streams.core.probability import at_least, at_most, band
from streams.core.proportion import wilson
from streams.sources import simulate

HOUR, DAY, WEEK = 3600, 24, 168
DATA = Path(__file__).parents[3] / "shared" / "data"
HEAD = "data | hours | calls an hour | ours: error | bias | naive: error | bias | ets: error | bias | ours / naive | ours / ets"
CALIBRATION_HEAD = (
    "data | hours | in the 95 % band | of hours of 5 calls and more | hours with P(so many) < 0.001 | interval of that share | "
    "of Poisson | with P(so few) < 0.001"
)
RAMADAN_2026 = date(2026, 2, 19), date(2026, 3, 20)


class Arrivals(NamedTuple):
    """When calls came, epoch seconds ascending; the hours from `compared` on are compared, but not those in `blind`."""

    name: str
    centre: Centre
    times: list[float]
    compared: int
    season: int
    blind: frozenset[int] = frozenset()


class Compared(NamedTuple):
    """One hour: what came, what we expected, of how many hours, and how much hours scatter; and what the rivals expected."""

    came: int
    mean: float
    n: int
    scatter: float
    naive: float
    ets: float


def _centre(zone: str, *, rests: bool = False) -> Centre:
    known = country_holidays("ID", categories=("public", "government")) if rests else frozenset[date]()
    return Centre.model_validate({"code": "32.71", "name": "Bench", "timezone": zone, "holidays": known})


def _hour(moment: datetime) -> int:
    return int(moment.timestamp()) // HOUR


def bank(month: str, number: int) -> Arrivals:
    """A month of a bank's call centre; nobody saw the 11th and 12th of January."""
    centre = _centre("Asia/Jerusalem")
    with gzip.open(DATA / "anonymous_bank" / f"{month}1999.tsv.gz", "rt") as lines:
        times = sorted(
            datetime.strptime(f"{row['date']} {row['vru_entry']}", "%y%m%d %H:%M:%S").replace(tzinfo=centre.timezone).timestamp()
            for row in csv.DictReader(lines, delimiter="\t")
            if row["outcome"] != "PHANTOM"
        )
    first = datetime(1999, number, 1, tzinfo=centre.timezone)
    gone = range(_hour(first) + 10 * DAY, _hour(first) + 12 * DAY) if number == 1 else range(0)
    return Arrivals(f"bank, {month.capitalize()} 1999", centre, times, _hour(first) + 2 * WEEK, WEEK, frozenset(gone))


def san_francisco() -> Arrivals:
    """A week of fire calls."""
    centre = _centre("America/Los_Angeles")
    received: dict[str, float] = {}
    with gzip.open(DATA / "sf_fire" / "week1.csv.gz", "rt") as lines:
        for row in csv.DictReader(lines):
            moment = datetime.strptime(row["Received DtTm"], "%m/%d/%Y %I:%M:%S %p").replace(tzinfo=centre.timezone)
            received.setdefault(row["Call Number"], moment.timestamp())
    times = sorted(received.values())
    return Arrivals("San Francisco, 7-13 April 2020", centre, times, int(times[0]) // HOUR + 4 * DAY, DAY)


def simulated(name: str, seed: int, first: date, weeks: int, growth: float, blind_day: int | None = None) -> Arrivals:
    """What the simulator makes in so many weeks, with calls that grow by a share each week and seasons of the calendar: a fifth
    fewer on Sundays, holidays and joint leave, other hours in Ramadan.
    """
    centre = _centre("Asia/Jakarta", rests=True)
    start = datetime.combine(first, time.min, centre.timezone)

    def season(local: datetime) -> float:
        factor = float((1 + growth) ** ((local - start) / timedelta(weeks=1)))
        if local.weekday() == 6 or local.date() in centre.holidays:
            factor *= 0.8
        if RAMADAN_2026[0] <= local.date() <= RAMADAN_2026[1]:
            factor *= {3: 2.5, 4: 2.5, 17: 0.7, 18: 0.7, 20: 1.3, 21: 1.3, 22: 1.3}.get(local.hour, 0.9)
        return factor

    gone = range(0) if blind_day is None else range(_hour(start) + blind_day * DAY, _hour(start) + (blind_day + 1) * DAY)
    told = simulate.events(seed, start, centre, weeks * 7, season=season)
    offered = (event for event in told if isinstance(event, CallOffered) and event.data.direction in (None, "inbound"))
    times = [moment for moment in (event.time.timestamp() for event in offered) if int(moment) // HOUR not in gone]
    return Arrivals(name, centre, times, _hour(start) + 4 * WEEK, WEEK, frozenset(gone))


def sets() -> Iterator[Arrivals]:
    """The real data that are there, and two histories of the simulator."""
    if (DATA / "anonymous_bank").exists():
        yield bank("january", 1)
        yield bank("february", 2)
    if (DATA / "sf_fire").exists():
        yield san_francisco()
    yield simulated("simulated: 12 weeks with Ramadan and holidays", 112, date(2026, 1, 19), 12, 0.0)
    yield simulated("simulated: 10 weeks that grow by 4 %, a blind day", 113, date(2026, 4, 27), 10, 0.04, blind_day=38)


def compare(arrivals: Arrivals) -> list[Compared]:
    """The hours that are compared."""
    hours = range(int(arrivals.times[0]) // HOUR, int(arrivals.times[-1]) // HOUR)
    came = Counter(int(time) // HOUR for time in arrivals.times)
    told = iter(arrivals.times)
    moment = next(told)
    forecast, ours = Forecast(), dict[int, tuple[float, int, float]]()
    for hour in hours:
        found = forecast.expected(hour, arrivals.centre)
        if found is not None:
            ours[hour] = found.mean, found.n, forecast.scatter(hour, arrivals.centre)
        while int(moment) // HOUR == hour:
            forecast.count(moment, forecast.hear(moment, None, arrivals.centre), arrivals.centre)
            moment = next(told)
    seen: list[float] = []
    for hour in hours:
        place = hour - hours[0] - arrivals.season
        seen.append(seen[place] if hour in arrivals.blind and place >= 0 else came[hour])
    ets = _ets(seen, arrivals.compared - hours[0], arrivals.season)
    return [
        Compared(came[hour], *ours[hour], seen[hour - hours[0] - arrivals.season], ets[hour - hours[0]])
        for hour in hours
        if hour >= arrivals.compared and hour not in arrivals.blind
    ]


def _ets(seen: Sequence[float], fitted: int, season: int) -> list[float]:
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    roots = [sqrt(calls) for calls in seen]
    kind = {"error": "add", "seasonal": "add", "seasonal_periods": season}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it stops before it has converged, with what it has
        fit = ETSModel(_array(roots[:fitted]), initialization_method="estimated", **kind).fit(disp=False, maxiter=200)
    model = ETSModel(
        _array(roots),
        initialization_method="known",
        initial_level=fit.initial_level,
        initial_seasonal=fit.initial_seasonal,
        **kind,
    )
    return [max(0.0, float(root)) ** 2 for root in model.smooth(fit.params).fittedvalues]


def _array(values: list[float]) -> object:
    import numpy

    return numpy.asarray(values)


def _head(names: str) -> Iterator[str]:
    yield f"| {names} |"
    yield "|---" * (names.count("|") + 1) + "|"


def rows(compared: dict[str, list[Compared]]) -> Iterator[str]:
    """The table of errors: means of |expected - came|, and biases: of expected - came, in calls."""
    yield from _head(HEAD)
    for name, hours in compared.items():
        n = len(hours)
        cells = [name, f"{n:,}", f"{sum(hour.came for hour in hours) / n:.1f}"]
        errors = {}
        for which in ("mean", "naive", "ets"):
            differences = [getattr(hour, which) - hour.came for hour in hours]
            errors[which] = sum(map(abs, differences)) / n
            cells += [f"{errors[which]:.2f}", f"{sum(differences) / n:+.2f}"]
        cells += [f"{errors['mean'] / errors['naive']:.2f}", f"{errors['mean'] / errors['ets']:.2f}"]
        yield f"| {' | '.join(cells)} |"


def calibration(compared: dict[str, list[Compared]]) -> Iterator[str]:
    """The table of probabilities."""
    yield from _head(CALIBRATION_HEAD)
    for name, hours in compared.items():
        n = len(hours)
        bands = [(hour, band(hour.mean, hour.scatter)) for hour in hours]
        inside = [low <= hour.came <= high for hour, (low, high) in bands]
        busy = [one for hour, one in zip(hours, inside, strict=True) if hour.mean >= 5]
        many = sum(at_least(hour.came, hour.mean + 1 / (hour.n + 1), hour.scatter) < 0.001 for hour in hours)
        poisson = sum(at_least(hour.came, hour.mean + 1 / (hour.n + 1)) < 0.001 for hour in hours)
        few = sum(at_most(hour.came, hour.mean, hour.scatter) < 0.001 for hour in hours)
        lower, upper = wilson(many, n)
        cells = [name, f"{n:,}", f"{sum(inside) / n:.1%}", f"{sum(busy) / len(busy):.1%}"]
        cells += [f"{many}", f"{lower:.4f}-{upper:.4f}", f"{poisson}", f"{few}"]
        yield f"| {' | '.join(cells)} |"


def tables() -> Iterator[str]:
    """Both tables, with what they are about."""
    compared = {arrivals.name: compare(arrivals) for arrivals in sets()}
    yield "\n## The forecast, one hour ahead\n"
    yield "Errors are means of |expected - came| an hour, biases of expected - came. The forecast is not told of a blind hour.\n"
    yield from rows(compared)
    yield "\n## Its probabilities\n"
    yield "The simulator's evenings have incidents, and its Ramadan begins at once: such hours are improbable rightly.\n"
    yield from calibration(compared)


if __name__ == "__main__":
    print("\n".join(tables()))

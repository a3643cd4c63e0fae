"""Fires of 25 callers, planted into ordinary weeks: how many are found, after how many minutes, what is said of them, and how
often a week without one is taken for one; beside the same formula without scatter (Poisson), and beside the alert of surges.
"""

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from datetime import datetime, timedelta
from heapq import merge
from math import inf
from random import Random
from statistics import quantiles
from typing import NamedTuple
from unittest.mock import patch

from schemas.calls import CallOffered
from schemas.dispatch import TicketOpened
from schemas.event import Event
from streams import centres
from streams.core import burst, calls, dispatch
from streams.core.centre import Centre
from streams.core.forecast import Forecast
from streams.core.nouns import NOUNS
from streams.core.probability import at_least
from streams.sources import simulate
from streams.sources.simulate import demand
from tests.bench import forecast

FIRES = 100
CALLERS, MEAN_SECONDS = 25, 240.0
LOCATED, NAMED = 0.6, 0.8
SEATS, HANDLE_SECONDS = 3, 160.0
FOLLOWED = 1800.0
"""Seconds that a fire is looked at after its beginning."""
APART = 600.0
"""What fires so long after it last did is another thing."""
UNLIKELY, FEWEST = 0.001, 10
"""The limits of the alert PsapBurst."""
NIGHT = range(6)
"""Hours of the local day."""
CATEGORY = "kebakaran"
OTHERS = ("medis", "kecelakaan")

HEAD = (
    "data | weeks | rule | fires found | of them by night | by day | minutes: median | 90 % | callers said of 25: 10 % | 90 % "
    "| district right | wrong | category right | wrong | false a week"
)


class Poisson(Forecast):
    """The same forecast, of hours that do not scatter."""

    __slots__ = ()

    def scatter(self, hour: int, centre: Centre) -> float:
        """None."""
        return 0.0


class Weeks(NamedTuple):
    """Calls and tickets of a centre in the order of time, of which those from `start` on, epoch seconds, are looked at."""

    name: str
    centre: Centre
    events: list[Event]
    start: float


class Fire(NamedTuple):
    """One that is planted: when it begins, epoch seconds, where, and what is told of it."""

    start: float
    district: str
    events: list[Event]


class Known(NamedTuple):
    """What is known of one centre's calls and tickets."""

    calls: calls.State
    dispatch: dispatch.State

    def fold(self, event: Event, centre: Centre) -> None:
        """Remember one event."""
        noun = "dispatch" if event.type.startswith("ticket.") else "calls"
        NOUNS[noun].step(getattr(self, noun), event, event.time.timestamp(), centre)


class Said(NamedTuple):
    """What a rule says when it fires: of how many callers, and of which district and category, if any."""

    time: float
    callers: float
    district: str = ""
    category: str = ""


Rule = Callable[[Known, float, Centre], Said | None]


def bursts(known: Known, now: float, centre: Centre) -> Said | None:
    """What PsapBurst says."""
    figures, labels = dict[str, float](), dict[str, str]()
    for metric, names, value in burst.measure(known.calls, known.dispatch, now, centre):
        assert isinstance(value, int | float)
        figures[metric.name], labels[metric.name] = value, "".join(names)
    if figures.get(burst.PROBABILITY.name, 1.0) >= UNLIKELY or figures[burst.CALLS.name] < FEWEST:
        return None
    return Said(now, figures[burst.CALLS.name], labels.get(burst.DISTRICT.name, ""), labels.get(burst.CATEGORY.name, ""))


def surges(known: Known, now: float, centre: Centre) -> Said | None:
    """What PsapSurge says."""
    learned, hour = known.calls.forecast, int(now) // 3600
    [[arrived]] = learned.window.counts(now, (900,), 1)
    mean, expected = learned.expected_between(now - 900, now, centre), learned.expected(hour, centre)
    if mean is None or expected is None or arrived < max(20, 3 * mean):
        return None
    chance = at_least(arrived, mean + 0.25 / (expected.n + 1), learned.scatter(hour, centre))
    return Said(now, arrived - mean) if chance < 0.0001 else None


RULES: tuple[tuple[str, type[Forecast], Rule], ...] = (
    ("PsapBurst", Forecast, bursts),
    ("the same, Poisson alone", Poisson, bursts),
    ("PsapSurge", Forecast, surges),
)


def fires(weeks: Weeks, number: int, seed: int = 112) -> list[Fire]:
    """So many fires, at any moment of the weeks that are looked at, ascending."""
    dice, end = Random(seed), weeks.events[-1].time.timestamp()
    starts = sorted(dice.uniform(weeks.start, end - FOLLOWED) for _ in range(number))
    return [fire(weeks.centre, start, dice) for start in starts]


def fire(centre: Centre, start: float, dice: Random) -> Fire:
    """What is told of a fire that begins at epoch seconds."""
    district = f"{centre.code}.0{dice.randint(1, 6)}"
    free, events = [start] * SEATS, list[Event]()
    for number, time in enumerate(sorted(start + dice.expovariate(1 / MEAN_SECONDS) for _ in range(CALLERS))):
        call = f"fire-{start:.0f}-{number}"
        place = {"district": district} if dice.random() < LOCATED and centre.categories else {}
        events.append(_event(CallOffered, centre, time, call=call, queue="112", **place))
        if not centre.categories:
            continue
        seat = free.index(min(free))
        free[seat] = max(free[seat], time) + HANDLE_SECONDS
        category = CATEGORY if dice.random() < NAMED else dice.choice(OTHERS)
        events.append(
            _event(TicketOpened, centre, free[seat], ticket=f"T-{call}", category=category, call=call, district=district)
        )
    return Fire(start, district, sorted(events, key=lambda event: event.time))


def _event(kind: type[Event], centre: Centre, time: float, **data: str) -> Event:
    moment = datetime.fromtimestamp(time, centre.timezone)
    envelope = {"id": data["call"], "source": f"/{centre.code}/bench", "subject": centre.code, "time": moment}
    return kind.model_validate(envelope | {"data": data})


def ordinary(seed: int, weeks: int, taught: int = 4) -> Weeks:
    """Simulated weeks of Kota Bogor without incidents, after some that teach."""
    [centre] = centres.load([]).values()
    first = datetime(2026, 1, 5, tzinfo=centre.timezone)
    start, end = first + timedelta(weeks=taught), first + timedelta(weeks=taught + weeks)
    with patch.object(demand, "INCIDENTS_PER_EVENING", 1e-9):
        told = list(simulate.events(seed, first, centre, 7 * (taught + weeks)))
    events = [event for event in told if event.type.startswith(("call.", "exchange.", "ticket.")) and event.time < end]
    return Weeks(f"simulated without incidents, seed {seed}", centre, events, start.timestamp())


def bank() -> Iterator[Weeks]:
    """January of a bank's call centre from its third week on, and February, of which January taught; districts are not told."""
    january, february = forecast.bank("january", 1), forecast.bank("february", 2)
    told = [
        [_event(CallOffered, january.centre, time, call=f"{name}-{n}", queue="112") for n, time in enumerate(times)]
        for name, times in (("january", january.times), ("february", february.times))
    ]
    yield Weeks(january.name, january.centre, told[0], january.compared * 3600)
    yield Weeks(february.name, january.centre, told[0] + told[1], february.times[0])


class Found(NamedTuple):
    """What a rule said of each fire, in the order of time, and how often it fired without one."""

    seen: list[tuple[Fire, list[Said]]]
    false: int


def look(weeks: Weeks, planted: Sequence[Fire], kind: type[Forecast], rule: Rule) -> Found:
    """What is said of the weeks as they were, at every call, and of copies with a fire."""
    known = Known(calls.State(forecast=kind()), dispatch.State())
    to_come, found = list(planted), list[tuple[Fire, list[Said]]]()
    false, last = 0, -inf
    times = [event.time.timestamp() for event in weeks.events]
    for place, (event, time) in enumerate(zip(weeks.events, times, strict=True)):
        while to_come and to_come[0].start < time:
            one = to_come.pop(0)
            found.append((one, list(_watch(deepcopy(known), one, weeks, place, rule))))
        known.fold(event, weeks.centre)
        if time >= weeks.start and event.type == "call.offered" and rule(known, time, weeks.centre):
            false += time > last + APART
            last = time
    return Found(found, false)


def _watch(known: Known, one: Fire, weeks: Weeks, place: int, rule: Rule) -> Iterator[Said]:
    """What is said of a fire at every call and every ticket, told together with what else comes from a place of the weeks on."""
    beside = (weeks.events[number] for number in range(place, len(weeks.events)))
    for event in merge(one.events, beside, key=lambda event: event.time):
        time = event.time.timestamp()
        if time > one.start + FOLLOWED:
            return
        known.fold(event, weeks.centre)
        if event.type in {"call.offered", "ticket.opened"} and (said := rule(known, time, weeks.centre)):
            yield said


def rows(weeks: Weeks, number: int) -> Iterator[str]:
    """A line of the table for each rule."""
    planted = fires(weeks, number)
    length = (weeks.events[-1].time.timestamp() - weeks.start) / 604_800
    for name, kind, rule in RULES:
        found = look(weeks, planted, kind, rule)
        hits = [(one, said) for one, said in found.seen if said]
        nights = [_is_night(one, weeks.centre) for one, _ in found.seen]
        by_night = [_is_night(one, weeks.centre) for one, _ in hits]
        minutes = [(said[0].time - one.start) / 60 for one, said in hits]
        most = [max(each.callers for each in said) for _, said in hits]
        cells = [weeks.name, f"{length:.1f}", name, f"{len(hits)} of {len(planted)}"]
        cells += [f"{sum(by_night)} of {sum(nights)}", f"{len(hits) - sum(by_night)} of {len(nights) - sum(nights)}"]
        cells += [f"{_tenth(minutes, 5):.1f}", f"{_tenth(minutes, 9):.1f}", f"{_tenth(most, 1):.0f}", f"{_tenth(most, 9):.0f}"]
        for field, right in (("district", [one.district for one, _ in hits]), ("category", [CATEGORY] * len(hits))):
            if rule is surges or not weeks.centre.categories:
                cells += ["", ""]
                continue
            named = [[getattr(each, field) for each in said if getattr(each, field)] for _, said in hits]
            cells.append(str(sum(bool(names) and names[-1] == name for names, name in zip(named, right, strict=True))))
            cells.append(str(sum(bool(names) and names[-1] != name for names, name in zip(named, right, strict=True))))
        cells.append(f"{found.false / length:.2f}")
        yield f"| {' | '.join(cells)} |"


def _is_night(one: Fire, centre: Centre) -> bool:
    return datetime.fromtimestamp(one.start, centre.timezone).hour in NIGHT


def _tenth(values: Sequence[float], number: int) -> float:
    """The tenths of some values; of none, none."""
    return quantiles(values, n=10, method="inclusive")[number - 1] if len(values) > 1 else inf


def tables() -> Iterator[str]:
    """The table, with what it is about."""
    yield "\n## Fires of 25 callers\n"
    yield (
        f"{FIRES} fires at any hour, each told to a copy of what was known before it. Callers come with exponential delays of "
        f"{MEAN_SECONDS / 60:g} minutes on average, from one district, which is told of {LOCATED:.0%} of them; {SEATS} seats "
        f"handle them, {HANDLE_SECONDS:g} s each, and then open a ticket, {NAMED:.0%} of them under one category. The bank tells "
        "of neither. What is counted as false is no planted fire, though in the bank's months some of it did happen.\n"
    )
    yield f"| {HEAD} |"
    yield "|---" * (HEAD.count("|") + 1) + "|"
    for weeks in [ordinary(1, 4), ordinary(2, 4), *(bank() if (forecast.DATA / "anonymous_bank").exists() else ())]:
        yield from rows(weeks, FIRES)


if __name__ == "__main__":
    for line in tables():
        print(line, flush=True)

"""What surrounds the simulated calls: weather, river, links, tickets at agencies, the survey. Each is a process of simulate.py.

Published: the survey's item means (Kota Bogor, 2024). Assumed, since nobody publishes it: everything else.
"""

from collections.abc import Callable
from datetime import timedelta
from math import log
from random import Random
from typing import Any

from schemas.dispatch import (
    TicketAcknowledged,
    TicketClosed,
    TicketOpened,
    TicketPassedOn,
    TicketReopened,
    TicketSent,
    TicketUnitArrived,
    TicketUnitAvailable,
    TicketUnitDispatched,
)
from schemas.environment import GaugeRead, WeatherWarned
from schemas.network import (
    LinkDown,
    LinkHeartbeat,
    LinkMeasured,
    LinkOccupied,
    LinkRegistered,
    LinkUnregistered,
    LinkUp,
)
from schemas.survey import HIGHEST, Instrument, SurveyAnswered
from streams.core.centre import Centre, Gauge, Link
from streams.sources.simulate.weather import DAY, HOUR
from streams.sources.simulate.world import Call, Process, Simulation

WARNED_BEFORE = 2700.0
LOOK_SECONDS = 300.0
"""How often links are looked at."""
GAUGE_SECONDS = 600.0
ANSWERS_PER_DAY = 8.0
SCORES = {
    "pemahaman_program": (3.94, 3.59, 4.04, 4.06, 4.12),
    "tepat_sasaran": (4.13, 4.15),
    "tepat_waktu": (4.16, 4.06),
    "tercapainya_tujuan": (3.95, 4.18, 4.11, 4.18),
    "perubahan_nyata": (4.12,),
}
"""Item means of the study."""
MEANS: dict[Instrument, dict[str, float]] = {
    "dimensions": {f"{dimension}.{n}": mean for dimension, means in SCORES.items() for n, mean in enumerate(means, 1)},
    "skm": {f"u{n}": 3.4 for n in range(1, 10)},
}
"""By survey, the mean of each item."""
SLOW = 0.2
"""Share of the tickets of a routine category that its agency leaves unanswered for days; all others are answered in minutes."""
URGENT_SECONDS = 420.0
"""Where lives are in danger the desk telephones an agency that has not answered for so long (SiBadra's 7 minutes)."""


def begin(sim: Simulation, centre: Centre) -> None:
    """Start every process that the centre's file has something for."""
    for link in centre.links:
        sim.env.process(_watch(sim, link))
    for gauge in centre.gauges:
        sim.env.process(_read(sim, gauge))
    if centre.links or centre.gauges:
        sim.env.process(_warn(sim))
    if centre.survey is not None:
        sim.env.process(_ask(sim))


def _warn(sim: Simulation) -> Process:
    day = 0
    while sim.is_on:
        rain = sim.weather.on(day)
        if rain is not None and rain.start - WARNED_BEFORE >= sim.env.now:
            yield sim.env.timeout(rain.start - WARNED_BEFORE - sim.env.now)
            onset, expires = (sim.start + timedelta(seconds=round(time)) for time in (rain.start - 900, rain.end + 900))
            sim.tell(
                WeatherWarned, warning=f"CBT{sim.local():%Y%m%d%H%M}", event="hujan-lebat-petir", severity="Moderate",
                urgency="Immediate", certainty="Observed", onset=onset, expires=expires, attribution="BMKG",
            )  # fmt: skip
        day += 1
        yield sim.env.timeout(max(0.0, day * DAY - sim.env.now))


def _read(sim: Simulation, gauge: Gauge) -> Process:
    """A level that rises an hour after the rain and falls slowly."""
    dice, calm = sim.dice(f"gauge {gauge.code}"), gauge.siaga[0] * 0.35
    level = calm
    while sim.is_on:
        if sim.weather.rains(max(0.0, sim.env.now - HOUR)):
            level += dice.uniform(0, 0.3) * gauge.siaga[0]
        level += (calm - level) * 0.08
        sim.tell(GaugeRead, gauge=gauge.code, level_centimetres=round(level + dice.uniform(-1, 1)))
        yield sim.env.timeout(GAUGE_SECONDS)


def _watch(sim: Simulation, link: Link) -> Process:
    """A probe that looks at one link again and again."""
    dice = sim.dice(f"probe {link.code}")
    sim.tell(LinkUp, link=link.code)
    if link.kind == "sip":
        sim.tell(LinkRegistered, link=link.code)
    yield sim.env.timeout(dice.uniform(0, 60))
    while sim.is_on:
        if link.code not in sim.down:
            sim.tell(LinkHeartbeat, link=link.code)
            if link.kind == "sip":
                worse = 6.0 if sim.weather.rains(sim.env.now) else 1.0
                loss, delay = dice.expovariate(1 / (0.002 * worse)), 0.03 + dice.expovariate(1 / (0.01 * worse))
                sim.tell(
                    LinkMeasured, link=link.code, loss_ratio=round(min(loss, 1.0), 4),
                    jitter_seconds=round(dice.expovariate(1 / (0.004 * worse)), 4), delay_seconds=round(delay, 4),
                    mos=round(max(1.0, 4.4 - 40 * loss - 3 * delay), 2),
                )  # fmt: skip
                used = sum(call.link == link.code for call in sim.open.values())
                sim.tell(LinkOccupied, link=link.code, used=min(used, 30), channels=30)
        yield sim.env.timeout(LOOK_SECONDS)


def drop(sim: Simulation, link: Link, seconds: float) -> Process:
    """One failure of one link: it takes its calls along."""
    if link.code in sim.down:
        return
    sim.down.add(link.code)
    sim.tell(LinkDown, link=link.code)
    if link.kind == "sip":
        sim.tell(LinkUnregistered, link=link.code)
    for call in list(sim.open.values()):
        if call.link == link.code:
            sim.cut(call, "dropped")
    yield sim.env.timeout(seconds)
    sim.down.discard(link.code)
    sim.tell(LinkUp, link=link.code)
    if link.kind == "sip":
        sim.tell(LinkRegistered, link=link.code)


def report(sim: Simulation, centre: Centre, call: Call) -> Process:
    """What becomes of one report that an agency must act on; it is told to its end, even beyond that of the simulation."""
    sim.world.unfinished += 1
    yield from _ticket(sim, centre, f"{'T' if call.exchange is sim.exchange else 'T2'}-{call.id}", call)
    sim.world.unfinished -= 1


def _ticket(sim: Simulation, centre: Centre, ticket: str, call: Call) -> Process:
    dice = sim.dice(f"ticket {ticket}")
    category = dice.choice(centre.categories)
    if call.about is not None:
        category = next(one for one in centre.categories if one.code == call.about)
    opds = category.opds or tuple(opd.code for opd in centre.opds[:1])
    place = {"district": call.district} if call.district else {}
    sim.tell(TicketOpened, ticket=ticket, category=category.code, call=call.id, **place)
    if not opds:
        return
    opd = dice.choice(opds)
    yield sim.env.timeout(dice.uniform(20, 120))
    sim.tell(TicketSent, ticket=ticket, opd=opd)
    if dice.random() < 0.05 and len(centre.opds) > 1:
        yield sim.env.timeout(dice.uniform(60, 300))
        other = dice.choice([one.code for one in centre.opds if one.code != opd])
        sim.tell(TicketPassedOn, ticket=ticket, opd=opd, to=other)
        opd = other
    yield sim.env.timeout(_silence(dice, is_urgent=category.ladder != "routine", is_its_own=opd in opds))
    sim.tell(TicketAcknowledged, ticket=ticket, opd=opd)
    yield from _send_unit(sim, dice, ticket, opd)
    sim.tell(TicketClosed, ticket=ticket)
    if dice.random() < 0.02:
        yield sim.env.timeout(dice.uniform(1, 5) * HOUR)
        sim.tell(TicketReopened, ticket=ticket)
        yield sim.env.timeout(_silence(dice, is_urgent=category.ladder != "routine", is_its_own=False))
        sim.tell(TicketAcknowledged, ticket=ticket, opd=opd)
        yield from _send_unit(sim, dice, ticket, opd)
        sim.tell(TicketClosed, ticket=ticket)


def _silence(dice: Random, *, is_urgent: bool, is_its_own: bool) -> float:
    """Seconds until an agency answers. With San Francisco's way to the scene, 84 in a hundred units are there in 15 minutes."""
    seconds = dice.lognormvariate(log(100), 0.9)
    if is_urgent and seconds > URGENT_SECONDS:
        return URGENT_SECONDS + dice.lognormvariate(log(90), 0.6)
    if not is_urgent and is_its_own and dice.random() < SLOW:
        return dice.uniform(1, 4) * DAY
    return seconds


def _send_unit(sim: Simulation, dice: Random, ticket: str, opd: str) -> Process:
    unit = f"{opd}-{dice.randint(1, 4)}"
    steps: tuple[tuple[Callable[[], float], Any], ...] = (
        (lambda: dice.lognormvariate(log(60), 0.6), TicketUnitDispatched),
        (lambda: dice.lognormvariate(log(300), 0.6), TicketUnitArrived),  # San Francisco's median, week of 7 April 2020
        (lambda: dice.lognormvariate(log(1800), 0.6), TicketUnitAvailable),
    )
    for seconds, kind in steps:
        yield sim.env.timeout(seconds())
        sim.tell(kind, ticket=ticket, opd=opd, unit=unit)


def _ask(sim: Simulation) -> Process:
    """Respondents of the survey, now and then by day."""
    dice = sim.dice("survey")
    instrument = (sim.centre.survey and sim.centre.survey.instrument) or "dimensions"
    means, highest = MEANS[instrument], HIGHEST[instrument]
    while sim.is_on:
        yield sim.env.timeout(dice.expovariate(ANSWERS_PER_DAY / (12 * HOUR)))
        if 7 <= sim.local().hour < 19:
            sim.tell(
                SurveyAnswered, scores={item: max(1, min(highest, round(dice.gauss(mean, 0.8)))) for item, mean in means.items()}
            )

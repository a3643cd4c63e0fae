"""What comes to a simulated centre: calls by the hour, waves of pranks, incidents, failures of the network; and the end."""

from collections.abc import Callable
from datetime import datetime
from math import exp
from statistics import NormalDist

from streams.sources.simulate import surroundings, wandering
from streams.sources.simulate.world import Process, Simulation

Season = Callable[[datetime], float]
"""Of a local time, how many times the usual calls come then."""

PROFILE = (24, 18, 14, 11, 11, 16, 26, 36, 44, 48, 50, 50, 48, 48, 50, 52, 56, 60, 66, 70, 66, 56, 44, 32)
"""Calls by hour of the local day, relative to each other."""

INCIDENTS_PER_EVENING, INCIDENT_SECONDS, INCIDENT_FACTOR = 0.3, 1500.0, 10.0
"""Now and then an evening has an incident that many call about: how often, how long, and how many times the usual calls."""
OUTAGES_PER_DAY, OUTAGE_SECONDS, OUTAGE_SPREAD = 1.0, 45.0, 1.83
"""Failures of the network, their median length and its spread (lognormal): four minutes in the mean, but most are over before
anybody could act, and one in four lasts for more than two and a half minutes.
"""
RAIN_OUTAGES, RAIN_CALLS = 8.0, 1.5
"""How many times as often the network fails, and how many times the usual calls come, while it rains."""
WAVES_PER_DAY, WAVE_CALLS = 0.5, 6
"""Now and then a child calls again and again."""
ELSEWHERE = 0.01
"""So many calls, beside those of the emergency number, are to a queue that is none, where the centre's file names one."""

SEASON_MOST = 3.0
"""No season brings more than so many times the usual calls."""

_EVENING = (17, 18, 19)


def begin(sim: Simulation, calls_per_day: float, season: Season | None) -> None:
    """Start everything that comes from outside."""
    incidents = INCIDENTS_PER_EVENING * INCIDENT_SECONDS / 3600 * (INCIDENT_FACTOR - 1)
    evening = sum(PROFILE[hour] for hour in _EVENING) / len(_EVENING)
    # Calls a second for each part of the profile, so that usual calls and those of incidents make calls_per_day together.
    unit = calls_per_day / (sum(PROFILE) + incidents * evening) / 3600
    if sim.seconds < float("inf"):
        sim.env.process(_close(sim))
    sim.env.process(_waves(sim))
    surroundings.begin(sim, sim.centre)
    sim.env.process(_arrivals(sim, unit, season))
    sim.env.process(_incidents(sim))
    sim.env.process(_outages(sim))


def _close(sim: Simulation) -> Process:
    """At the end of the time every call is over."""
    yield sim.env.timeout(sim.seconds)
    for one in list(sim.open.values()):
        sim.cut(one, "closed")


def _arrivals(sim: Simulation, unit: float, season: Season | None) -> Process:
    """Poisson arrivals at the rate of the hour: those of the highest rate, thinned."""
    most = unit * max(PROFILE) * INCIDENT_FACTOR * (SEASON_MOST if season else 1)
    while True:
        yield sim.env.timeout(sim.random.expovariate(most))
        if not sim.is_on:
            return
        rate = unit * PROFILE[sim.local().hour]
        if season is not None:
            rate *= min(SEASON_MOST, season(sim.local()))
        if sim.env.now < sim.incident_until:
            rate *= INCIDENT_FACTOR
        elif sim.weather.rains(sim.env.now):
            rate *= RAIN_CALLS
        if sim.random.random() * most < rate:
            sim.env.process(wandering.call(sim))
            if sim.back != sim.front and sim.luck.random() < ELSEWHERE:
                sim.env.process(wandering.call(sim, "information", queue=sim.luck.choice(sim.back)))


def _incidents(sim: Simulation) -> Process:
    while True:
        yield sim.env.timeout(sim.random.expovariate(INCIDENTS_PER_EVENING / len(_EVENING) / 3600))
        if sim.local().hour in _EVENING:
            sim.incident_until = sim.env.now + INCIDENT_SECONDS
            categories = [category.code for category in sim.centre.categories]
            sim.incident = (
                sim.where.choice(sim.districts) if sim.districts else None,
                sim.where.choice(categories) if categories else None,
            )


def _outages(sim: Simulation) -> Process:
    most = OUTAGES_PER_DAY * RAIN_OUTAGES / 86_400
    while True:
        yield sim.env.timeout(sim.random.expovariate(most))
        if not sim.weather.rains(sim.env.now) and sim.random.random() > 1 / RAIN_OUTAGES:
            continue
        seconds = OUTAGE_SECONDS * exp(OUTAGE_SPREAD * NormalDist().inv_cdf(1 - sim.random.random()))
        if sim.centre.links:
            sim.env.process(surroundings.drop(sim, sim.random.choice(sim.centre.links), seconds))
            continue
        sim.outage_until = sim.env.now + seconds
        for one in list(sim.open.values()):
            if one.direction == "inbound" and sim.random.random() < wandering.OUTAGE_LOSS:
                sim.cut(one, "dropped")


def _waves(sim: Simulation) -> Process:
    """A child that calls again and again for an hour."""
    while True:
        yield sim.env.timeout(sim.random.expovariate(WAVES_PER_DAY / 86_400))
        caller = sim.pseudonym(f"wave|{sim.env.now}")
        for _ in range(WAVE_CALLS):
            if not sim.is_on:
                return
            sim.env.process(wandering.call(sim, "prank", caller))
            yield sim.env.timeout(sim.random.uniform(120, 900))

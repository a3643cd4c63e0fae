"""A storm week of a simulated centre: an ordinary one with troubles planted; it is known what should page, and when."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from math import sin
from pathlib import Path
from typing import NamedTuple

from schemas.calls import CallOffered
from schemas.dispatch import TicketAcknowledged, TicketOpened, TicketPassedOn, TicketSent
from schemas.environment import GaugeRead
from schemas.event import Event
from schemas.network import LinkDown
from schemas.topics import encode
from streams import centres
from streams.core.centre import Centre, Link
from streams.sources import simulate
from streams.sources.simulate import surroundings
from streams.sources.simulate.demand import INCIDENT_FACTOR, PROFILE
from streams.sources.simulate.world import Process, Simulation, World

FIRST_MONDAY, TAUGHT_DAYS = date(2026, 1, 5), 14
"""When the simulations begin, by the centre's clock, and the days of them that teach what is usual and are not reported."""
CALLS_PER_DAY = 953.0
RESTART, ISOLATED = timedelta(seconds=60), timedelta(seconds=30)
"""How long a link, or all of them, may be down without being news: a restart of the exchange is over by then."""
RUNG = timedelta(minutes=15)
"""The ladder's rung at which somebody else must reach an agency (domain page: escalate after 15 minutes)."""
WINDOW, FEW, TIMES = timedelta(minutes=15), 20, 3
"""A surge is so many calls in a window, and so many times what the simulation brings by itself."""


class Trouble(NamedTuple):
    """What is planted: of which kind, about which link, agency or gauge, from when until when by the centre's clock."""

    kind: str
    about: str
    day: int
    """Days after the storm week's Monday."""
    at: str
    minutes: float


class Planted(NamedTuple):
    """A trouble, when it could be known from what was told, and the alerts (by name, and label if any) that are its page."""

    trouble: Trouble
    began: float
    knowable: float
    ended: float
    pages: tuple[tuple[str, str], ...]


WEEK = (
    Trouble("drop", "sip-telkom", 1, "16:10", 25),
    Trouble("flapping", "sip-xl", 1, "16:40", 45),
    Trouble("agency", "dinkes", 1, "15:30", 300),
    Trouble("surge", "", 1, "17:30", 25),
    Trouble("river", "katulampa", 1, "18:05", 240),
    Trouble("isolated", "", 2, "02:00", 12),
    Trouble("drop", "uplink", 3, "14:00", 20),
    Trouble("drop", "sip-telkom", 4, "20:00", 15),
    Trouble("drop", "sip-indosat", 4, "20:03", 15),
    Trouble("surge", "", 5, "18:30", 30),
    Trouble("flapping", "sip-indosat", 6, "03:00", 60),
    Trouble("agency", "polresta", 6, "10:00", 240),
)
"""Tuesday is the storm; what else goes wrong in the week comes alone."""
EVENING = tuple(trouble for trouble in WEEK if trouble.day == 1)
"""The storm alone."""
FLAPS = {"sip-xl": (60.0, 90.0), "sip-indosat": (200.0, 160.0)}
"""Seconds for which a flapping link is down, and up again: one that is never down for long, and one that is."""
CREST = 215.0
"""Centimetres to which the planted flood rises: Siaga 1 at Katulampa."""


def events(
    seed: int, start: datetime, centre: Centre, days: int, troubles: Sequence[Trouble], monday: datetime
) -> Iterator[Event]:
    """What a centre tells from `start` on, with troubles planted in the week of `monday`, in the order of time."""
    world = World(start, days * 86_400.0)
    sim = world.add(seed, centre)
    simulate.begin(sim, CALLS_PER_DAY)
    for trouble in troubles:
        if trouble.kind in {"drop", "flapping", "isolated", "surge"}:
            sim.env.process(_plant(sim, trouble, began(trouble, monday)))
    told: Iterable[Event] = world.run()
    for trouble in troubles:
        first, last = began(trouble, monday), ended(trouble, monday)
        if trouble.kind == "agency":
            told = _silenced(list(told), trouble.about, first, last)
        elif trouble.kind == "river":
            told = _flooded(told, trouble.about, first, last)
    end = start + timedelta(days=days)
    return iter(sorted((event for event in told if event.time < end), key=lambda event: event.time))


def began(trouble: Trouble, monday: datetime) -> datetime:
    """When it is planted."""
    hour, minute = map(int, trouble.at.split(":"))
    return monday + timedelta(days=trouble.day, hours=hour, minutes=minute)


def ended(trouble: Trouble, monday: datetime) -> datetime:
    """When it is over."""
    return began(trouble, monday) + timedelta(minutes=trouble.minutes)


def _plant(sim: Simulation, trouble: Trouble, at: datetime) -> Process:
    yield sim.env.timeout((at - sim.start).total_seconds())
    seconds = trouble.minutes * 60
    if trouble.kind == "surge":
        sim.incident_until = sim.env.now + seconds
        return
    chosen = [link for link in sim.centre.links if trouble.about in {"", link.code}]
    if trouble.kind == "flapping":
        over, (down, up) = sim.env.now + seconds, FLAPS[trouble.about]
        while sim.env.now < over:
            yield from surroundings.drop(sim, chosen[0], down)
            yield sim.env.timeout(up)
        return
    for link in chosen:
        sim.env.process(_hold(sim, link, seconds))


def _hold(sim: Simulation, link: Link, seconds: float) -> Process:
    """Down for all of the time, also where it was down by chance when it began."""
    over = sim.env.now + seconds
    while sim.env.now < over:
        yield from surroundings.drop(sim, link, over - sim.env.now)
        yield sim.env.timeout(1)


def _silenced(told: list[Event], opd: str, first: datetime, last: datetime) -> Iterator[Event]:
    """An agency answers nothing that comes to it meanwhile, and all of it afterwards; what follows an answer is as much later."""
    late: dict[str, timedelta] = {}
    waits: set[str] = set()
    for event in told:
        ticket: str = getattr(event.data, "ticket", "")
        to = event.data.opd if isinstance(event, TicketSent) else event.data.to if isinstance(event, TicketPassedOn) else None
        if to is not None:
            (waits.add if to == opd and first <= event.time < last else waits.discard)(ticket)
        if isinstance(event, TicketAcknowledged) and ticket in waits and event.time < last:
            late[ticket] = last - event.time + timedelta(seconds=20 * len(late))
        yield event.model_copy(update={"time": event.time + late[ticket]}) if ticket in late else event


def _flooded(told: Iterable[Event], gauge: str, first: datetime, last: datetime) -> Iterator[Event]:
    """The river rises to its crest and falls, as half a wave."""
    for event in told:
        if isinstance(event, GaugeRead) and event.data.gauge == gauge and first <= event.time < last:
            share = (event.time - first) / (last - first)
            level = max(event.data.level_centimetres, round(CREST * sin(3.1416 * share)))
            yield event.model_copy(update={"data": event.data.model_copy(update={"level_centimetres": level})})
        else:
            yield event


def planted(told: Sequence[Event], centre: Centre, troubles: Sequence[Trouble], monday: datetime) -> list[Planted]:
    """When each trouble could be known, from the events themselves and not from any rule or forecast."""
    found = []
    for trouble in troubles:
        first, last = began(trouble, monday), ended(trouble, monday)
        meanwhile = [event for event in told if first <= event.time < last]
        knowable, pages = _KNOWN[trouble.kind](trouble, meanwhile, centre)
        found.append(Planted(trouble, first.timestamp(), knowable.timestamp(), last.timestamp(), pages))
    return found


def _link(trouble: Trouble, told: list[Event], centre: Centre) -> tuple[datetime, tuple[tuple[str, str], ...]]:
    """A minute after it went down: what is shorter is a restart."""
    down = next(event.time for event in told if isinstance(event, LinkDown) and event.data.link == trouble.about)
    return down + RESTART, (("PsapLinkDown", trouble.about), ("PsapCentreIsolated", ""))


def _flapping(trouble: Trouble, told: list[Event], centre: Centre) -> tuple[datetime, tuple[tuple[str, str], ...]]:
    """With its third drop; or a minute into the first, where that lasts for longer than a restart."""
    downs = [event.time for event in told if isinstance(event, LinkDown) and event.data.link == trouble.about]
    lasting = FLAPS[trouble.about][0] > RESTART.total_seconds()
    return downs[0] + RESTART if lasting else downs[2], (("PsapLinkDown", trouble.about),)


def _isolated(trouble: Trouble, told: list[Event], centre: Centre) -> tuple[datetime, tuple[tuple[str, str], ...]]:
    """Half a minute after the last link went down."""
    downs = {event.data.link: event.time for event in reversed(told) if isinstance(event, LinkDown)}
    return max(downs.values()) + ISOLATED, (("PsapCentreIsolated", ""),)


def _agency(trouble: Trouble, told: list[Event], centre: Centre) -> tuple[datetime, tuple[tuple[str, str], ...]]:
    """When the first ticket about lives has waited for the rung at which somebody else must reach the agency."""
    urgent = {category.code for category in centre.categories if category.ladder == "life_safety"}
    categories = {event.data.ticket: event.data.category for event in told if isinstance(event, TicketOpened)}
    sent = [
        event.time
        for event in told
        if isinstance(event, TicketSent) and event.data.opd == trouble.about and categories.get(event.data.ticket) in urgent
    ]
    assert sent, f"no ticket about lives comes to {trouble.about} meanwhile"
    return sent[0] + RUNG, (("PsapTicketUnanswered", trouble.about),)


def _river(trouble: Trouble, told: list[Event], centre: Centre) -> tuple[datetime, tuple[tuple[str, str], ...]]:
    """When a reading says Siaga 2, or a rise of 60 cm since one of the half hour before."""
    [gauge] = [gauge for gauge in centre.gauges if gauge.code == trouble.about]
    read = [event for event in told if isinstance(event, GaugeRead) and event.data.gauge == trouble.about]
    for event in read:
        before = [old.data.level_centimetres for old in read if timedelta(0) <= event.time - old.time <= timedelta(minutes=30)]
        level = event.data.level_centimetres
        if level > gauge.siaga[1] or level - min(before) >= gauge.rise_centimetres:
            return event.time, (("PsapGaugeSiaga", trouble.about), ("PsapGaugeRising", trouble.about))
    raise AssertionError("the planted flood is none")


def _surge(trouble: Trouble, told: list[Event], centre: Centre) -> tuple[datetime, tuple[tuple[str, str], ...]]:
    """When so many calls have come since it began, in a window, as is a surge by the simulation's own rate of the hour."""
    came = [
        event.time for event in told if isinstance(event, CallOffered) and event.data.direction not in {"outbound", "internal"}
    ]
    usual = CALLS_PER_DAY * PROFILE[came[0].astimezone(centre.timezone).hour] / sum(PROFILE) * (WINDOW / timedelta(hours=1))
    enough = max(FEW, round(TIMES * usual))
    for number in range(enough - 1, len(came)):
        if came[number] - came[number - enough + 1] <= WINDOW:
            return came[number], (("PsapSurge", ""),)
    raise AssertionError(f"the planted surge of {INCIDENT_FACTOR} times the usual calls is none")


_KNOWN = {
    "drop": _link,
    "flapping": _flapping,
    "isolated": _isolated,
    "agency": _agency,
    "river": _river,
    "surge": _surge,
}


def main() -> None:
    """Write the fortnight that teaches and the storm week to the file that is named, and say how it is played."""
    centre = centres.load([])["32.71"]
    start = datetime.combine(FIRST_MONDAY, time(), centre.timezone)
    monday = start + timedelta(days=TAUGHT_DAYS)
    with Path(sys.argv[1]).open("wb") as file:
        file.writelines(encode(event) + b"\n" for event in events(112, start, centre, TAUGHT_DAYS + 7, WEEK, monday))
    storm = began(EVENING[0], monday) - timedelta(minutes=15)
    print(f"pantau112 up --feed {sys.argv[1]} --from {storm.isoformat()} --speed 60")


if __name__ == "__main__":
    main()

"""A seeded day of a Bogor-sized 112 centre: not data, but behaving like it, with queues that build up.

From the study of Kota Bogor: 953 calls a day, three seats, four shifts. Classes: Kab. Gresik, 28 March to 7 April 2025 (859
calls: prank 45.5 %, ghost 28.9 %, information 13.7 %, normal 11.9 %), of 95 calls in a hundred. All else is assumed, since
nobody publishes it: the profile of the day, handle times, patience, short abandons, cut-off and out-of-area calls, the
evening's incident, failures of the network, waves of pranks; announcements, time-outs, transfers, restarts. Each file knows those
before it: weather, world (what there is), surroundings, wandering (a call), takers (who answers it), demand (what comes).
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import partial
from hashlib import blake2b
from heapq import merge
from math import log
from random import Random
from zoneinfo import ZoneInfo

from schemas.event import Event
from streams.core.centre import Centre
from streams.sources.simulate import demand, takers, wandering
from streams.sources.simulate.demand import Season
from streams.sources.simulate.world import Simulation, World


def events(
    seed: int,
    start: datetime,
    centre: Centre,
    days: float | None = 1,
    calls_per_day: float = 953,
    season: Season | None = None,
) -> Iterator[Event]:
    """The events of a centre from `start`, which has a zone, in the order of time; for ever when `days` is None.

    The same arguments give the same events, ids too, made one by one as they are asked for. Calls stop coming after `days`; those
    still open are told to their ends. Every seat of the centre is staffed in every shift: three when it names none. `season`
    says, of a local time, how many times the usual calls come then.
    """
    if start.tzinfo is None:
        raise ValueError("start needs a time zone")
    world = World(start, float("inf") if days is None else days * 86_400)
    begin(world.add(seed, centre), calls_per_day, season)
    return world.run()


def nation(
    seed: int, start: datetime, centres: Iterable[Centre], days: float = 1, calls_per_day: float | None = None
) -> Iterator[Event]:
    """The same of many centres at once, each with chance and calls of its own, as many as usual there where no number is given.

    What one passes on to another arrives there.
    """
    world = World(start, days * 86_400)
    for centre in centres:
        begin(world.add(_seed(seed, centre), centre), usual_calls(centre) if calls_per_day is None else calls_per_day)
    return world.run()


def begin(sim: Simulation, calls_per_day: float, season: Season | None = None) -> None:
    """Let everything begin that goes on by itself."""
    for exchange in dict.fromkeys((sim.exchange, sim.own)):
        sim.env.process(wandering.restart(sim, exchange))
    sim.call_back = partial(takers.call_back, sim)
    demand.begin(sim, calls_per_day, season)
    for number, taker in enumerate(sim.takers):
        sim.env.process(takers.work(sim, taker, number))


def usual_calls(centre: Centre) -> float:
    """Kota Bogor's 953 (the study); for others about a hundred, drawn by their code: assumed, since few publish theirs."""
    if centre.code == "32.71":
        return 953
    return round(Random(centre.code).lognormvariate(log(100), 0.9))  # noqa: S311 (a simulation, no secret)


def _seed(seed: int, centre: Centre) -> int:
    return int.from_bytes(blake2b(f"{seed}|{centre.code}".encode(), digest_size=6).digest())


LONGEST = timedelta(days=7)
"""What began on a simulated day is over so long after that day's midnight: an agency can leave a ticket for days."""


def story(start: datetime, days: int, centres: Iterable[Centre], calls_per_day: float | None = None) -> Iterator[Event]:
    """So many days of centres from the local midnight before `start` on, in the order of time.

    Every day has its own seed, so that a story that is begun on another day tells of the same days the same, with the same ids.
    """
    zones: dict[ZoneInfo, list[Centre]] = {}
    for centre in centres:
        zones.setdefault(centre.timezone, []).append(centre)
    parts = []
    for zone, there in zones.items():
        midnight = start.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
        each = [midnight + timedelta(days=number) for number in range(days)]
        parts += [nation(day.toordinal(), day, there, calls_per_day=calls_per_day) for day in each]
    return merge(*parts, key=lambda event: event.time)

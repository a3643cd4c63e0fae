"""A seeded day of a Bogor-sized 112 centre: not data, but behaving like it, with queues that build up.

From the study of Kota Bogor: 953 calls a day, three seats, four shifts. Classes: Kab. Gresik, 28 March to 7 April 2025 (859
calls: prank 45.5 %, ghost 28.9 %, information 13.7 %, normal 11.9 %), of 95 calls in a hundred. All else is assumed, since
nobody publishes it: the profile of the day, handle times, patience, short abandons, cut-off and out-of-area calls, the
evening's incident, failures of the network, waves of pranks; announcements, time-outs, transfers, restarts. How a call wanders
is in wandering.py, what those who answer it do in takers.py, what surrounds the calls in surroundings.py.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from functools import cache
from hashlib import blake2b
from heapq import merge
from math import log
from random import Random
from typing import Any, Literal
from zoneinfo import ZoneInfo

import simpy

from schemas.calls import CallAbandoned, CallNetworkDropped, Class
from schemas.event import Event
from streams.core.centre import Centre
from streams.sources import surroundings, takers, wandering
from streams.sources.surroundings import Weather
from streams.sources.takers import Taker
from streams.sources.wandering import Call, Exchange, Process, Visit

PROFILE = (24, 18, 14, 11, 11, 16, 26, 36, 44, 48, 50, 50, 48, 48, 50, 52, 56, 60, 66, 70, 66, 56, 44, 32)
"""Calls by hour of the local day, relative to each other."""

CLASSES: dict[Class, float] = {
    "prank": 0.432,
    "ghost": 0.275,
    "information": 0.130,
    "normal": 0.113,
    "cut_off": 0.030,
    "out_of_area": 0.020,
}
"""Share of answered calls."""

REASONS = ("istirahat", "administrasi")
"""Why seats pause, where the centre's file names no other reasons."""
INCIDENTS_PER_EVENING, INCIDENT_SECONDS, INCIDENT_FACTOR = 0.3, 1500.0, 10.0
"""Now and then an evening has an incident that many call about: how often, how long, and how many times the usual calls."""
OUTAGES_PER_DAY, OUTAGE_SECONDS, OUTAGE_LOSS = 1.0, 240.0, 0.6
"""Failures of the network, their mean length, and the share of calls that one takes away where no links are known."""
RAIN_OUTAGES, RAIN_CALLS = 8.0, 1.5
"""How many times as often the network fails, and how many times the usual calls come, while it rains."""
WAVES_PER_DAY, WAVE_CALLS = 0.5, 6
"""Now and then a child calls again and again."""
ELSEWHERE = 0.01
"""So many calls, beside those of the emergency number, are to a queue that is none, where the centre's file names one."""
OWN_EXCHANGE = 3
"""Of so many trunks and more, the last comes in at an exchange of its own."""

SEASON_MOST = 3.0
"""No season brings more than so many times the usual calls."""

_EVENING = (17, 18, 19)
_SYSTEMS = {
    "call": "simulation", "operator": "simulation", "ticket": "simulated-dispatch", "link": "simulated-probe",
    "gauge": "simulated-river", "weather": "simulated-weather", "survey": "simulated-survey",
}  # fmt: skip
"""Each system has a clock of its own, and so a source."""


def events(
    seed: int,
    start: datetime,
    centre: Centre,
    days: float | None = 1,
    calls_per_day: float = 953,
    season: Callable[[datetime], float] | None = None,
) -> Iterator[Event]:
    """The events of a centre from `start`, which has a zone, in the order of time; for ever when `days` is None.

    The same arguments give the same events, ids too, made one by one as they are asked for. Calls stop coming after `days`; those
    still open are told to their ends. Every seat of the centre is staffed in every shift: three when it names none. `season`
    says, of a local time, how many times the usual calls come then.
    """
    if start.tzinfo is None:
        raise ValueError("start needs a time zone")
    world = World(start, float("inf") if days is None else days * 86_400)
    world.add(seed, centre, calls_per_day, season)
    return world.run()


class World:
    """Centres that live at the same time, in simulated seconds since `start`."""

    def __init__(self, start: datetime, seconds: float) -> None:
        self.env = simpy.Environment()
        self.start, self.seconds = start, seconds
        self.told: list[Event] = []
        self.centres: dict[str, Simulation] = {}
        self.unfinished = 0
        """Calls and tickets that are yet to be told to their ends."""

    def add(self, seed: int, centre: Centre, calls_per_day: float, season: Callable[[datetime], float] | None = None) -> None:
        """One more centre."""
        self.centres[centre.code] = Simulation(self, seed, centre, calls_per_day, season)

    def run(self) -> Iterator[Event]:
        """What is told, in the order of time."""
        while self.env.peek() < self.seconds or self.unfinished:
            self.env.step()
            if self.told:
                yield from self.told
                self.told.clear()

    def pass_on(self, one: Call, to: str) -> None:
        """A call goes on at a neighbour's centre, if that is simulated too."""
        if to in self.centres:
            self.env.process(wandering.pass_on(self.centres[to], one))


class Simulation:
    """One centre."""

    def __init__(
        self, world: World, seed: int, centre: Centre, calls_per_day: float, season: Callable[[datetime], float] | None
    ) -> None:
        self.world, self.env, self.season = world, world.env, season
        self.random = Random(seed)  # noqa: S311 (a simulation, no secret)
        self.seed, self.start, self.seconds, self.zone = seed, world.start, world.seconds, centre.timezone
        self.epoch = self.start.timestamp()
        self.city, self.queues = centre.code, centre.names.queues.codes or ("112",)
        self.front = tuple(queue for queue in self.queues if queue in centre.emergency_queues) or self.queues
        self.back = tuple(queue for queue in self.queues if queue not in self.front) or self.queues
        incidents = INCIDENTS_PER_EVENING * INCIDENT_SECONDS / 3600 * (INCIDENT_FACTOR - 1)
        evening = sum(PROFILE[hour] for hour in _EVENING) / len(_EVENING)
        # Calls a second for each part of the profile, so that usual calls and those of incidents make calls_per_day together.
        self.unit = calls_per_day / (sum(PROFILE) + incidents * evening) / 3600
        self.luck = self.dice("wandering")
        self.kinds, self.shares = list(CLASSES), list(CLASSES.values())
        self.queue: list[Visit] = []
        self.open: dict[tuple[str, str], Call] = {}
        self.news = self.env.event()
        self.events = 0
        self.incident_until = self.outage_until = -1.0
        self.centre, self.weather = centre, Weather(seed, centre, self.epoch)
        self.trunks = [link for link in centre.links if link.kind != "uplink"]
        self.down: set[str] = set()
        self.exchange = self.own = Exchange(f"/{self.city}/{_SYSTEMS['call']}", self.env.event())
        if len(self.trunks) >= OWN_EXCHANGE:
            self.own = Exchange(f"{self.exchange.source}-2", self.env.event(), calls=1_000_000)
        for exchange in dict.fromkeys((self.exchange, self.own)):
            self.env.process(wandering.restart(self, exchange))
        if self.seconds < float("inf"):
            self.env.process(self.close())
        self.env.process(self.waves())
        surroundings.begin(self, centre)
        self.env.process(self.arrivals())
        self.env.process(self.incidents())
        self.env.process(self.outages())
        known = centre.names.reasons
        self.reasons = tuple(reason for reason in REASONS if reason in known.known) or known.codes or REASONS
        seats = centre.names.seats.codes or ("seat-1", "seat-2", "seat-3")
        # The first seat is there for the emergency number alone.
        self.takers = [Taker(seat, self.queues if number else self.front) for number, seat in enumerate(seats)]
        for number, taker in enumerate(self.takers):
            self.env.process(takers.work(self, taker, number))

    @property
    def is_on(self) -> bool:
        """Whether the time that is simulated is not over."""
        return self.env.now < self.seconds

    def close(self) -> Process:
        """At the end of the time every call is over."""
        yield self.env.timeout(self.seconds)
        for one in list(self.open.values()):
            self.cut(one, "closed")

    def arrivals(self) -> Process:
        """Poisson arrivals at the rate of the hour: those of the highest rate, thinned."""
        most = self.unit * max(PROFILE) * INCIDENT_FACTOR * (SEASON_MOST if self.season else 1)
        while True:
            yield self.env.timeout(self.random.expovariate(most))
            if not self.is_on:
                return
            rate = self.unit * PROFILE[self.local().hour]
            if self.season is not None:
                rate *= min(SEASON_MOST, self.season(self.local()))
            if self.env.now < self.incident_until:
                rate *= INCIDENT_FACTOR
            elif self.weather.rains(self.env.now):
                rate *= RAIN_CALLS
            if self.random.random() * most < rate:
                self.env.process(wandering.call(self))
                if self.back != self.front and self.luck.random() < ELSEWHERE:
                    self.env.process(wandering.call(self, "information", queue=self.luck.choice(self.back)))

    def incidents(self) -> Process:
        while True:
            yield self.env.timeout(self.random.expovariate(INCIDENTS_PER_EVENING / len(_EVENING) / 3600))
            if self.local().hour in _EVENING:
                self.incident_until = self.env.now + INCIDENT_SECONDS

    def outages(self) -> Process:
        most = OUTAGES_PER_DAY * RAIN_OUTAGES / 86_400
        while True:
            yield self.env.timeout(self.random.expovariate(most))
            if not self.weather.rains(self.env.now) and self.random.random() > 1 / RAIN_OUTAGES:
                continue
            seconds = self.random.expovariate(1 / OUTAGE_SECONDS)
            if self.centre.links:
                self.env.process(surroundings.drop(self, self.random.choice(self.centre.links), seconds))
                continue
            self.outage_until = self.env.now + seconds
            for one in list(self.open.values()):
                if one.direction == "inbound" and self.random.random() < OUTAGE_LOSS:
                    self.cut(one, "dropped")

    def waves(self) -> Process:
        """A child that calls again and again for an hour."""
        while True:
            yield self.env.timeout(self.random.expovariate(WAVES_PER_DAY / 86_400))
            caller = self.pseudonym(f"wave|{self.env.now}")
            for _ in range(WAVE_CALLS):
                if not self.is_on:
                    return
                self.env.process(wandering.call(self, "prank", caller))
                yield self.env.timeout(self.random.uniform(120, 900))

    def pseudonym(self, who: str) -> str:
        return blake2b(f"{self.seed}|{who}".encode(), digest_size=16).hexdigest()

    def dice(self, what: str) -> Random:
        """Chance of its own for one thing, so that one more thing changes nothing else."""
        return Random(f"{self.seed}|{self.city}|{self.epoch}|{what}")  # noqa: S311 (a simulation, no secret)

    def begin(
        self,
        exchange: Exchange,
        kind: Class,
        caller: str | None,
        link: str | None,
        direction: Literal["inbound", "outbound", "internal"] = "inbound",
    ) -> Call:
        """A new call. The second exchange numbers its calls as the first does, so that two can have the same id."""
        exchange.calls += 1
        number = f"{int(self.epoch + self.env.now)}.{exchange.calls}"
        if exchange is self.exchange:
            exchange.last = number
        elif exchange.last != self.exchange.last:
            number = exchange.last = self.exchange.last
        self.world.unfinished += 1
        one = Call(exchange, exchange.restarts, number, number, kind, caller, link, self.env.event(), direction)
        self.open[exchange.source, number] = one
        return one

    def finish(self, one: Call) -> None:
        """Nothing more becomes of a call."""
        one.fate = one.fate or "over"
        del self.open[one.exchange.source, one.id]
        self.world.unfinished -= 1

    def cut(self, one: Call, fate: Literal["dropped", "restarted", "closed"]) -> None:
        """A call is over wherever it is: the network took it, its exchange lost it, or the simulated time is over."""
        visit = one.visit if one.visit is not None and one.visit.waiting else None
        if fate == "dropped":
            self.say(one, CallNetworkDropped, **({"link": one.link} if one.link else {}))
        one.fate = fate
        if visit is not None:
            self.leave(visit)
        one.cut.succeed()
        if fate == "closed" and one.talks:
            return  # who talks says so
        if fate == "closed":
            self.say(one, CallAbandoned, **({"queue": visit.queue} if visit and visit.queue else {}))
        self.finish(one)

    def enter(self, one: Call, queue: str) -> Visit:
        """A call waits in a queue."""
        one.visit = Visit(one, queue, self.env.event())
        self.queue.append(one.visit)
        self.wake()
        return one.visit

    def leave(self, visit: Visit) -> None:
        """A call was answered, or waits there no longer."""
        visit.waiting = False
        visit.gone.succeed()
        if visit in self.queue:
            self.queue.remove(visit)

    def next_for(self, queues: tuple[str, ...]) -> Visit | None:
        """Who waits longest in one of these queues, and now rings."""
        for place, visit in enumerate(self.queue):
            if visit.queue in queues:
                return self.queue.pop(place)
        return None

    def aside(self, queue: str | None) -> str:
        """Another queue than this, or this where there is no other."""
        return next((other for other in self.back if other != queue), queue or self.front[0])

    def free(self) -> Taker | None:
        """A seat that waits for calls."""
        idle = [taker for taker in self.takers if taker.is_free]
        return self.luck.choice(idle) if idle else None

    def ask(self, taker: Taker, errand: Process) -> None:
        """A free seat does something next."""
        taker.is_free, taker.errand = False, errand
        self.wake()

    def call_back(self, former: Call) -> None:
        """A free seat, if there is one, calls somebody back."""
        taker = self.free()
        if taker is not None and self.is_on:
            self.ask(taker, takers.call_back(self, taker, former))

    def loses(self) -> bool:
        """Whether a call that comes now is lost, where no links are known."""
        return self.env.now < self.outage_until and self.random.random() < OUTAGE_LOSS

    def wake(self) -> None:
        """Tell the free seats that somebody waits."""
        self.news.succeed()
        self.news = self.env.event()

    def local(self, after: float = 0) -> datetime:
        """The centre's wall clock, so many seconds from now."""
        return datetime.fromtimestamp(self.epoch + self.env.now + after, self.zone)

    def say(self, one: Call, kind: type[Event], **data: Any) -> bool:
        """Tell of a call, if its exchange still knows it; says whether."""
        if one.restarts != one.exchange.restarts:
            return False
        joined = {"journey": one.journey} if one.journey else {}
        self.tell(kind, one.exchange.source, call=one.leg, **joined, **data)
        return True

    def tell(self, kind: type[Event], source: str | None = None, /, **data: Any) -> None:
        """Something happened now; after the end only what began before is told, of calls and tickets."""
        system = _system(kind)
        if not self.is_on and system not in {"call", "ticket"}:
            return
        said = f"{self.seed}|{self.epoch}|{self.events}"
        self.events += 1
        envelope = {
            "id": blake2b(said.encode(), digest_size=8).hexdigest(),
            "source": source or f"/{self.city}/{_SYSTEMS[system]}",
            "subject": self.city,
            "time": self.start + timedelta(milliseconds=round(self.env.now * 1000)),
            "data": data,
        }
        self.world.told.append(kind.model_validate(envelope))


@cache
def _system(kind: type[Event]) -> str:
    return str(kind.model_fields["type"].default.partition(".")[0])


def nation(
    seed: int, start: datetime, centres: Iterable[Centre], days: float = 1, calls_per_day: float | None = None
) -> Iterator[Event]:
    """The same of many centres at once, each with chance and calls of its own, as many as usual there where no number is given.

    What one passes on to another arrives there.
    """
    world = World(start, days * 86_400)
    for centre in centres:
        world.add(_seed(seed, centre), centre, usual_calls(centre) if calls_per_day is None else calls_per_day)
    return world.run()


def usual_calls(centre: Centre) -> float:
    """Kota Bogor's 953 (the study); for others about a hundred, drawn by their code: assumed, since few publish theirs."""
    if centre.code == "32.71":
        return 953
    return round(Random(centre.code).lognormvariate(log(100), 0.9))  # noqa: S311 (a simulation, no secret)


def _seed(seed: int, centre: Centre) -> int:
    return int.from_bytes(blake2b(f"{seed}|{centre.code}".encode(), digest_size=6).digest())


def week(now: datetime, centres: Iterable[Centre], calls_per_day: float | None = None) -> Iterator[Event]:
    """Seven days of centres from the local midnight before `now` on, in the order of time.

    Every day has its own seed, so that a simulation started again on the same day tells the same story with the same ids.
    """
    zones: dict[ZoneInfo, list[Centre]] = {}
    for centre in centres:
        zones.setdefault(centre.timezone, []).append(centre)
    parts = []
    for zone, there in zones.items():
        midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
        days = [midnight + timedelta(days=number) for number in range(7)]
        parts += [nation(day.toordinal(), day, there, calls_per_day=calls_per_day) for day in days]
    return merge(*parts, key=lambda event: event.time)

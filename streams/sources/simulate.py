"""A seeded day of a Bogor-sized 112 centre: not data, but behaving like it, with queues that build up.

From the study of Kota Bogor: 953 calls a day, three seats, four shifts. Classes: Kab. Gresik, 28 March to 7 April 2025 (859
calls: prank 45.5 %, ghost 28.9 %, information 13.7 %, normal 11.9 %), of 95 calls in a hundred. All else is assumed, since
nobody publishes it: the profile of the day, handle times, patience, short abandons, cut-off and out-of-area calls, the
evening's incident, failures of the network, waves of pranks. What surrounds the calls is in surroundings.py.
"""

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from heapq import merge
from math import log
from random import Random
from typing import Any

import simpy

from schemas.calls import (
    CallAbandoned,
    CallAnswered,
    CallClassified,
    CallEnded,
    CallNetworkDropped,
    CallOffered,
    Class,
)
from schemas.event import Event
from schemas.operators import (
    OperatorLoggedIn,
    OperatorLoggedOut,
    OperatorPaused,
    OperatorResumed,
    OperatorRinging,
    OperatorRingNoAnswer,
    OperatorWrapUpEnded,
    OperatorWrapUpStarted,
)
from streams.core.centre import Centre
from streams.sources import surroundings
from streams.sources.surroundings import Weather

PROFILE = (24, 18, 14, 11, 11, 16, 26, 36, 44, 48, 50, 50, 48, 48, 50, 52, 56, 60, 66, 70, 66, 56, 44, 32)
"""Calls by hour of the local day, relative to each other."""

CLASSES: dict[Class, tuple[float, float]] = {
    "prank": (0.432, 25),
    "ghost": (0.275, 15),
    "information": (0.130, 75),
    "normal": (0.113, 150),
    "cut_off": (0.030, 20),
    "out_of_area": (0.020, 60),
}
"""Share of answered calls, and mean seconds of handling."""

SHIFT_HOURS = 6
REASONS = ("istirahat", "administrasi")
"""Why seats pause, where the centre's file names no other reasons."""
PATIENCE_SECONDS = 90.0
SHORT_ABANDONS = 0.10
"""Share of callers who hang up within five seconds."""
INCIDENTS_PER_EVENING, INCIDENT_SECONDS, INCIDENT_FACTOR = 0.3, 1500.0, 10.0
"""Now and then an evening has an incident that many call about: how often, how long, and how many times the usual calls."""
OUTAGES_PER_DAY, OUTAGE_SECONDS, OUTAGE_LOSS = 1.0, 240.0, 0.6
"""Failures of the network, their mean length, and the share of calls that one takes away where no links are known."""
UNSEEN = 0.5
"""Share of the calls on a link that is down which do not even ring."""
RAIN_OUTAGES, RAIN_CALLS = 8.0, 1.5
"""How many times as often the network fails, and how many times the usual calls come, while it rains."""
WAVES_PER_DAY, WAVE_CALLS = 0.5, 6
"""Now and then a child calls again and again."""
CALLS_AGAIN = 0.4
"""Share of those who gave up who call again within minutes."""
NETWORK_WEIGHTS = (6, 3, 2, 1)
"""How the calls share the trunks, in the order of the centre's file."""

_EVENING = (17, 18, 19)
_SYSTEMS = {
    "call": "simulation", "operator": "simulation", "ticket": "simulated-dispatch", "link": "simulated-probe",
    "gauge": "simulated-river", "weather": "simulated-weather", "survey": "simulated-survey",
}  # fmt: skip
"""Each system has a clock of its own, and so a source."""
_PRANKSTERS = 120
_CALLERS = 200_000

Process = Generator[simpy.Event, Any, None]


def events(seed: int, start: datetime, centre: Centre, days: float | None = 1, calls_per_day: float = 953) -> Iterator[Event]:
    """The events of a centre from `start`, which has a zone, in the order of time; for ever when `days` is None.

    The same arguments give the same events, ids too, made one by one as they are asked for. Calls stop coming after `days`; those
    still open are told to their ends. Every seat of the centre is staffed in every shift: three when it names none.
    """
    if start.tzinfo is None:
        raise ValueError("start needs a time zone")
    simulation = Simulation(seed, start, centre, float("inf") if days is None else days * 86_400, calls_per_day)
    return simulation.run()


@dataclass(slots=True, eq=False)
class _Call:
    """One call: `waiting` until it is answered or lost; `gone` happens when either does, `cut` when the network takes it."""

    id: str
    kind: Class
    gone: simpy.Event
    cut: simpy.Event
    caller: str
    link: str | None
    waiting: bool = True


class Simulation:
    """One centre, in simulated seconds since `start`."""

    def __init__(self, seed: int, start: datetime, centre: Centre, seconds: float, calls_per_day: float) -> None:
        self.env = simpy.Environment()
        self.random = Random(seed)  # noqa: S311 (a simulation, no secret)
        self.seed, self.start, self.seconds, self.zone = seed, start, seconds, centre.timezone
        self.city, self.queues = centre.code, centre.names.queues.codes or ("112",)
        incidents = INCIDENTS_PER_EVENING * INCIDENT_SECONDS / 3600 * (INCIDENT_FACTOR - 1)
        evening = sum(PROFILE[hour] for hour in _EVENING) / len(_EVENING)
        # Calls a second for each part of the profile, so that usual calls and those of incidents make calls_per_day together.
        self.unit = calls_per_day / (sum(PROFILE) + incidents * evening) / 3600
        self.told: list[Event] = []
        self.queue: list[_Call] = []
        self.open: dict[str, _Call] = {}
        self.news = self.env.event()
        self.events = self.calls = self.reports = 0
        self.incident_until = self.outage_until = -1.0
        self.centre, self.weather = centre, Weather(seed, centre, start.timestamp())
        self.trunks = [link for link in centre.links if link.kind != "uplink"]
        self.down: set[str] = set()
        self.env.process(self.waves())
        surroundings.begin(self, centre)
        self.env.process(self.arrivals())
        self.env.process(self.incidents())
        self.env.process(self.outages())
        known = centre.names.reasons
        self.reasons = tuple(reason for reason in REASONS if reason in known.known) or known.codes or REASONS
        for number, name in enumerate(centre.names.seats.codes or ("seat-1", "seat-2", "seat-3")):
            self.env.process(self.seat(name, number))

    def run(self) -> Iterator[Event]:
        while self.env.peek() < self.seconds or self.open or self.reports:
            self.env.step()
            yield from self.told
            self.told.clear()

    def arrivals(self) -> Process:
        """Poisson arrivals at the rate of the hour: those of the highest rate, thinned."""
        most = self.unit * max(PROFILE) * INCIDENT_FACTOR
        while True:
            yield self.env.timeout(self.random.expovariate(most))
            if self.env.now >= self.seconds:
                return
            rate = self.unit * PROFILE[self.local().hour]
            if self.env.now < self.incident_until:
                rate *= INCIDENT_FACTOR
            elif self.weather.rains(self.env.now):
                rate *= RAIN_CALLS
            if self.random.random() * most < rate:
                self.env.process(self.call())

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
            for call in list(self.open.values()):
                if self.random.random() < OUTAGE_LOSS:
                    self.cut(call)

    def waves(self) -> Process:
        """A child that calls again and again for an hour."""
        while True:
            yield self.env.timeout(self.random.expovariate(WAVES_PER_DAY / 86_400))
            caller = self.pseudonym(f"wave|{self.env.now}")
            for _ in range(WAVE_CALLS):
                if self.env.now >= self.seconds:
                    return
                self.env.process(self.call("prank", caller))
                yield self.env.timeout(self.random.uniform(120, 900))

    def call(self, kind: Class | None = None, caller: str | None = None) -> Process:
        """One caller: rings, waits, and loses patience unless something happens before."""
        name = f"{int(self.start.timestamp() + self.env.now)}.{self.calls}"
        self.calls += 1
        kinds = list(CLASSES)
        kind = kind or self.random.choices(kinds, [CLASSES[each][0] for each in kinds])[0]
        if caller is None:
            caller = self.pseudonym(f"{kind == 'prank'}|{self.random.randrange(_PRANKSTERS if kind == 'prank' else _CALLERS)}")
        link = self.random.choices(self.trunks, NETWORK_WEIGHTS[: len(self.trunks)])[0].code if self.trunks else None
        dead = link in self.down or (self.env.now < self.outage_until and self.random.random() < OUTAGE_LOSS)
        if link in self.down and self.random.random() < UNSEEN:
            return  # nobody sees it but as a carrier's silence
        call = self.open[name] = _Call(name, kind, self.env.event(), self.env.event(), caller, link)
        self.tell(
            CallOffered, call=name, queue=self.random.choice(self.queues), caller=caller, **({"link": link} if link else {})
        )
        self.queue.append(call)
        self.wake()
        if dead:
            yield self.env.timeout(self.random.uniform(1, 8)) | call.gone
            if not call.cut.triggered:
                self.cut(call)
            return
        short = self.random.random() < SHORT_ABANDONS
        patience = self.random.uniform(0.5, 5) if short else 5 + self.random.expovariate(1 / PATIENCE_SECONDS)
        yield self.env.timeout(patience) | call.gone
        if call.waiting:
            self.lose(call)
            self.tell(CallAbandoned, call=name)
            if self.random.random() < CALLS_AGAIN:
                yield self.env.timeout(self.random.uniform(20, 300))
                if self.env.now < self.seconds:
                    self.env.process(self.call(kind, caller))

    def pseudonym(self, who: str) -> str:
        return blake2b(f"{self.seed}|{who}".encode(), digest_size=16).hexdigest()

    def dice(self, what: str) -> Random:
        """Chance of its own for one thing, so that one more thing changes nothing else."""
        return Random(f"{self.seed}|{self.city}|{self.start.timestamp()}|{what}")  # noqa: S311 (a simulation, no secret)

    def cut(self, call: _Call) -> None:
        """The network takes a call, wherever it is."""
        self.tell(CallNetworkDropped, call=call.id, **({"link": call.link} if call.link else {}))
        call.cut.succeed()
        if call.waiting:
            self.lose(call)

    def lose(self, call: _Call) -> None:
        call.waiting = False
        if not call.gone.triggered:
            call.gone.succeed()
        del self.open[call.id]

    def seat(self, name: str, number: int) -> Process:
        """One seat and whoever sits there: shifts, pauses, calls."""
        local = self.local()
        shift, paused = (local.date(), local.hour // SHIFT_HOURS), False
        self.tell(OperatorLoggedIn, seat=name)
        pause_at = self.random.uniform(1, 4) * 3600
        while True:
            # The seats are handed over one after the other.
            local = self.local(-120 * number)
            if (local.date(), local.hour // SHIFT_HOURS) > shift:
                shift, paused = (local.date(), local.hour // SHIFT_HOURS), False
                self.tell(OperatorLoggedOut, seat=name)
                yield self.env.timeout(self.random.uniform(15, 75))
                self.tell(OperatorLoggedIn, seat=name)
                pause_at = self.env.now + self.random.uniform(1, 4) * 3600
            elif not paused and self.env.now >= pause_at:
                self.tell(OperatorPaused, seat=name, reason=self.random.choice(self.reasons))
                yield self.env.timeout(self.random.uniform(300, 900))
                self.tell(OperatorResumed, seat=name)
                paused = True
            elif self.queue:
                # Who hung up meanwhile is still in the queue, and let go of at once.
                yield from self.serve(name, self.queue.pop(0))
            else:
                into = local.minute * 60 + local.second + local.hour % SHIFT_HOURS * 3600
                rest: float = SHIFT_HOURS * 3600 - into
                if not paused:
                    rest = min(rest, pause_at - self.env.now)
                yield self.news | self.env.timeout(max(1, rest))

    def serve(self, seat: str, call: _Call) -> Process:
        """Ring, speak, and say what the call was."""
        self.tell(OperatorRinging, seat=seat, call=call.id)
        if self.random.random() < 0.02:
            ring = self.random.uniform(12, 18)
            yield self.env.timeout(ring) | call.gone
            if call.waiting:
                self.tell(OperatorRingNoAnswer, seat=seat, call=call.id, ring_seconds=round(ring, 3))
                self.queue.insert(0, call)
                self.wake()
                yield self.env.timeout(self.random.uniform(10, 30))
            return
        yield self.env.timeout(self.random.uniform(1, 4)) | call.gone
        if not call.waiting:
            return
        call.waiting = False
        call.gone.succeed()
        self.tell(CallAnswered, call=call.id, seat=seat)
        mean = CLASSES[call.kind][1]
        yield self.env.timeout(max(3.0, self.random.lognormvariate(log(mean) - 0.32, 0.8))) | call.cut
        if not call.cut.triggered:
            self.tell(CallEnded, call=call.id, by="seat" if call.kind == "prank" else "caller")
        del self.open[call.id]
        self.tell(OperatorWrapUpStarted, seat=seat)
        yield self.env.timeout(self.random.uniform(3, 15))
        kind: Class = "cut_off" if call.cut.triggered else call.kind
        self.tell(CallClassified, **{"call": call.id, "class": kind})
        self.tell(OperatorWrapUpEnded, seat=seat)
        if kind == "normal" and self.centre.categories:
            self.env.process(surroundings.report(self, self.centre, call.id))

    def wake(self) -> None:
        """Tell the free seats that somebody waits."""
        self.news.succeed()
        self.news = self.env.event()

    def local(self, after: float = 0) -> datetime:
        """The centre's wall clock, so many seconds from now."""
        return datetime.fromtimestamp(self.start.timestamp() + self.env.now + after, self.zone)

    def tell(self, kind: type[Event], **data: Any) -> None:
        system = kind.model_fields["type"].default.partition(".")[0]
        if self.env.now >= self.seconds and not self.open and system not in ("call", "ticket"):
            return  # only what began before the end is told to its own
        said = f"{self.seed}|{self.start.timestamp()}|{self.events}"
        self.events += 1
        envelope = {
            "id": blake2b(said.encode(), digest_size=8).hexdigest(),
            "source": f"/{self.city}/{_SYSTEMS[system]}",
            "subject": self.city,
            "time": self.start + timedelta(milliseconds=round(self.env.now * 1000)),
            "data": data,
        }
        self.told.append(kind.model_validate(envelope))


def nation(seed: int, start: datetime, centres: Iterable[Centre], days: float = 1) -> Iterator[Event]:
    """The same of many centres at once, in the order of time, each with chance and calls of its own."""
    parts = (events(_seed(seed, centre), start, centre, days, usual_calls(centre)) for centre in centres)
    return merge(*parts, key=lambda event: event.time)


def usual_calls(centre: Centre) -> float:
    """Kota Bogor's 953 (the study); for others about a hundred, drawn by their code: assumed, since few publish theirs."""
    if centre.code == "32.71":
        return 953
    return round(Random(centre.code).lognormvariate(log(100), 0.9))  # noqa: S311 (a simulation, no secret)


def _seed(seed: int, centre: Centre) -> int:
    return int.from_bytes(blake2b(f"{seed}|{centre.code}".encode(), digest_size=6).digest())


def week(now: datetime, centre: Centre, calls_per_day: float = 953) -> Iterator[Event]:
    """Seven days of a centre from the local midnight before `now` on, in the order of time.

    Every day has its own seed, so that a simulation started again on the same day tells the same story with the same ids.
    """
    midnight = now.astimezone(centre.timezone).replace(hour=0, minute=0, second=0, microsecond=0)
    days = [midnight + timedelta(days=number) for number in range(7)]
    return merge(
        *(events(_seed(day.toordinal(), centre), day, centre, 1, calls_per_day) for day in days), key=lambda event: event.time
    )

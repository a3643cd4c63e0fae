"""A seeded day of a Bogor-sized 112 centre: not data, but behaving like it, with queues that build up.

From the study of Kota Bogor: 953 calls a day, three seats, four shifts. Classes: Kab. Gresik, 28 March to 7 April 2025 (859
calls: prank 45.5 %, ghost 28.9 %, information 13.7 %, normal 11.9 %), of 95 calls in a hundred. All else is assumed, since
nobody publishes it: the profile of the day, handle times, patience, short abandons, cut-off and out-of-area calls, the
evening's incident, failures of the network.
"""

from collections.abc import Generator, Iterator
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
    OperatorRingNoAnswer,
)
from streams.core.centre import Centre

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
PATIENCE_SECONDS = 90.0
SHORT_ABANDONS = 0.10
"""Share of callers who hang up within five seconds."""
INCIDENTS_PER_EVENING, INCIDENT_SECONDS, INCIDENT_FACTOR = 0.3, 1500.0, 10.0
"""Now and then an evening has an incident that many call about: how often, how long, and how many times the usual calls."""
OUTAGES_PER_DAY, OUTAGE_SECONDS, OUTAGE_LOSS = 1.0, 240.0, 0.6
"""Failures of the network, their mean length, and the share of calls that a failure takes away."""

_EVENING = (17, 18, 19)
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
    simulation = _Simulation(seed, start, centre, float("inf") if days is None else days * 86_400, calls_per_day)
    return simulation.run()


@dataclass(slots=True, eq=False)
class _Call:
    """One call: `waiting` until it is answered or lost; `gone` happens when either does, `cut` when the network takes it."""

    id: str
    kind: Class
    gone: simpy.Event
    cut: simpy.Event
    waiting: bool = True


class _Simulation:
    """One centre, in simulated seconds since `start`."""

    def __init__(self, seed: int, start: datetime, centre: Centre, seconds: float, calls_per_day: float) -> None:
        self.env = simpy.Environment()
        self.random = Random(seed)  # noqa: S311 (a simulation, no secret)
        self.seed, self.start, self.seconds, self.zone = seed, start, seconds, centre.timezone
        self.city, self.queues = centre.code, centre.queues or ("112",)
        incidents = INCIDENTS_PER_EVENING * INCIDENT_SECONDS / 3600 * (INCIDENT_FACTOR - 1)
        evening = sum(PROFILE[hour] for hour in _EVENING) / len(_EVENING)
        # Calls a second for each part of the profile, so that usual calls and those of incidents make calls_per_day together.
        self.unit = calls_per_day / (sum(PROFILE) + incidents * evening) / 3600
        self.told: list[Event] = []
        self.queue: list[_Call] = []
        self.open: dict[str, _Call] = {}
        self.news = self.env.event()
        self.events = self.calls = 0
        self.incident_until = self.outage_until = -1.0
        self.env.process(self.arrivals())
        self.env.process(self.incidents())
        self.env.process(self.outages())
        for number, name in enumerate(centre.seats or ("seat-1", "seat-2", "seat-3")):
            self.env.process(self.seat(name, number))

    def run(self) -> Iterator[Event]:
        while self.env.peek() < self.seconds or self.open:
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
            if self.random.random() * most < rate:
                self.env.process(self.call())

    def incidents(self) -> Process:
        while True:
            yield self.env.timeout(self.random.expovariate(INCIDENTS_PER_EVENING / len(_EVENING) / 3600))
            if self.local().hour in _EVENING:
                self.incident_until = self.env.now + INCIDENT_SECONDS

    def outages(self) -> Process:
        while True:
            yield self.env.timeout(self.random.expovariate(OUTAGES_PER_DAY / 86_400))
            self.outage_until = self.env.now + self.random.expovariate(1 / OUTAGE_SECONDS)
            for call in list(self.open.values()):
                if self.random.random() < OUTAGE_LOSS:
                    self.cut(call)

    def call(self) -> Process:
        """One caller: rings, waits, and loses patience unless something happens before."""
        name = f"{int(self.start.timestamp() + self.env.now)}.{self.calls}"
        self.calls += 1
        kinds = list(CLASSES)
        kind = self.random.choices(kinds, [CLASSES[kind][0] for kind in kinds])[0]
        call = self.open[name] = _Call(name, kind, self.env.event(), self.env.event())
        number = self.random.randrange(_PRANKSTERS if kind == "prank" else _CALLERS)
        caller = blake2b(f"{self.seed}|{kind == 'prank'}|{number}".encode(), digest_size=16).hexdigest()
        self.tell(CallOffered, call=name, queue=self.random.choice(self.queues), caller=caller)
        self.queue.append(call)
        self.wake()
        if self.env.now < self.outage_until and self.random.random() < OUTAGE_LOSS:
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

    def cut(self, call: _Call) -> None:
        """The network takes a call, wherever it is."""
        self.tell(CallNetworkDropped, call=call.id)
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
                self.tell(OperatorPaused, seat=name, reason=self.random.choice(("istirahat", "administrasi")))
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
        yield self.env.timeout(self.random.uniform(3, 15))
        self.tell(CallClassified, **{"call": call.id, "class": "cut_off" if call.cut.triggered else call.kind})

    def wake(self) -> None:
        """Tell the free seats that somebody waits."""
        self.news.succeed()
        self.news = self.env.event()

    def local(self, after: float = 0) -> datetime:
        """The centre's wall clock, so many seconds from now."""
        return datetime.fromtimestamp(self.start.timestamp() + self.env.now + after, self.zone)

    def tell(self, kind: type[Event], **data: Any) -> None:
        said = f"{self.seed}|{self.start.timestamp()}|{self.events}"
        self.events += 1
        envelope = {
            "id": blake2b(said.encode(), digest_size=8).hexdigest(),
            "source": f"/{self.city}/simulation",
            "subject": self.city,
            "time": self.start + timedelta(milliseconds=round(self.env.now * 1000)),
            "data": data,
        }
        self.told.append(kind.model_validate(envelope))


def week(now: datetime, centre: Centre) -> Iterator[Event]:
    """Seven days of a centre from the local midnight before `now` on, in the order of time.

    Every day has its own seed, so that a simulation started again on the same day tells the same story with the same ids.
    """
    midnight = now.astimezone(centre.timezone).replace(hour=0, minute=0, second=0, microsecond=0)
    days = [midnight + timedelta(days=number) for number in range(7)]
    return merge(*(events(day.toordinal(), day, centre) for day in days), key=lambda event: event.time)

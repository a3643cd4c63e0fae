"""What simulated call takers do: shifts, pauses, calls, transfers, consultations. How calls wander is in wandering.py.
All rates are assumed.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from math import log
from typing import Any, Literal

import simpy

from schemas.calls import CallAbandoned, CallAnswered, CallClassified, CallEnded, CallOffered, CallQueued, CallTransferred, Class
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
from streams.sources.simulate import surroundings, wandering
from streams.sources.simulate.world import Call, Process, Simulation, Taker, Visit

SHIFT_HOURS = 6
HANDLE_SECONDS: dict[Class, float] = {
    "prank": 25,
    "ghost": 15,
    "information": 75,
    "normal": 150,
    "cut_off": 20,
    "out_of_area": 60,
}
"""Mean seconds of handling."""

Way = Literal["consulted", "asked", "into_queue", "to_queue", "to_seat"]
WAYS: dict[Way, float] = {"consulted": 0.02, "asked": 0.01, "into_queue": 0.005, "to_queue": 0.01, "to_seat": 0.005}
"""Share of the answered calls about which a seat asks a colleague and goes on, or which it passes on: after a colleague answered
it, while it waits for one to answer, blindly into a queue, blindly to a seat.
"""
TO_AGENCY, TO_NEIGHBOUR = 0.15, 0.5
"""Share of the emergencies that are put through to an agency, and of the calls from elsewhere that are to the neighbour."""
AGENCY = "2001"
"""The extension of agencies where the centre's file names none."""
LEAVES_QUEUE = 0.02
"""Now and then a seat leaves a queue while it talks, and joins it again later."""
CALL_BACK_ANSWERED = 0.7


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation: whose, of which queue, and since when."""

    seat: str
    queue: str | None
    began: float

    def told(self, now: float) -> dict[str, Any]:
        """What an exchange says of it at its end."""
        return _place(self.queue) | {"seat": self.seat, "talk_seconds": round(now - self.began, 3)}


def _place(queue: str | None) -> dict[str, str]:
    return {"queue": queue} if queue else {}


def work(sim: Simulation, taker: Taker, number: int) -> Process:
    """One seat and whoever sits there: shifts, pauses, calls."""
    local = sim.local()
    shift, paused = (local.date(), local.hour // SHIFT_HOURS), False
    _log(sim, OperatorLoggedIn, taker.seat, taker.queues)
    pause_at = sim.random.uniform(1, 4) * 3600
    while sim.is_on:
        # The seats are handed over one after the other.
        local = sim.local(-120 * number)
        if taker.errand is not None:
            errand, taker.errand = taker.errand, None
            yield from errand
        elif (local.date(), local.hour // SHIFT_HOURS) > shift:
            shift, paused = (local.date(), local.hour // SHIFT_HOURS), False
            _log(sim, OperatorLoggedOut, taker.seat, taker.queues)
            yield sim.env.timeout(sim.random.uniform(15, 75))
            _log(sim, OperatorLoggedIn, taker.seat, taker.queues)
            pause_at = sim.env.now + sim.random.uniform(1, 4) * 3600
        elif not paused and sim.env.now >= pause_at:
            sim.tell(OperatorPaused, seat=taker.seat, reason=sim.random.choice(sim.reasons))
            yield sim.env.timeout(sim.random.uniform(300, 900))
            sim.tell(OperatorResumed, seat=taker.seat)
            paused = True
        elif (visit := sim.next_for(taker.queues)) is not None:
            yield from serve(sim, taker, visit)
        else:
            into = local.minute * 60 + local.second + local.hour % SHIFT_HOURS * 3600
            rest: float = SHIFT_HOURS * 3600 - into
            if not paused:
                rest = min(rest, pause_at - sim.env.now)
            taker.is_free = True
            yield sim.news | sim.env.timeout(max(1, rest))
            taker.is_free = False


def _log(sim: Simulation, kind: type[OperatorLoggedIn | OperatorLoggedOut], seat: str, queues: Sequence[str]) -> None:
    """Into or out of queues; a centre that has one does not name it."""
    for queue in queues:
        sim.tell(kind, seat=seat, **_place(queue if len(sim.queues) > 1 else None))


def serve(sim: Simulation, taker: Taker, visit: Visit) -> Process:
    """Ring, speak, and say what the call was."""
    sim.tell(OperatorRinging, seat=taker.seat, call=visit.call.leg)
    if visit.queue and sim.random.random() < 0.02:
        ring = sim.random.uniform(12, 18)
        yield sim.env.timeout(ring) | visit.gone
        if visit.waiting:
            sim.tell(OperatorRingNoAnswer, seat=taker.seat, call=visit.call.leg, ring_seconds=round(ring, 3))
            sim.queue.insert(0, visit)
            sim.wake()
            yield sim.env.timeout(sim.random.uniform(10, 30))
        return
    yield sim.env.timeout(sim.random.uniform(1, 4)) | visit.gone
    if not visit.waiting:
        return
    sim.leave(visit)
    one, talk = visit.call, Talk(taker.seat, visit.queue, sim.env.now)
    one.talks = True
    sim.say(one, CallAnswered, seat=talk.seat, **_place(talk.queue))
    if visit.joined is not None:
        yield visit.joined | one.cut
        asked = visit.joined.value if visit.joined.triggered else None
        if asked is None:
            _end(sim, one, talk)
            yield from _dead(one)
            return
        one = asked
    yield from _speak(sim, taker, one, talk)
    yield from _dead(one)


def _dead(one: Call) -> Process:
    """Whose exchange broke down waits for it."""
    if one.exchange.is_down:
        yield one.exchange.back


def _speak(sim: Simulation, taker: Taker, one: Call, talk: Talk) -> Process:
    """Talk with a caller until it is over, or passed on to somebody of the centre."""
    seconds = max(3.0, sim.random.lognormvariate(log(HANDLE_SECONDS[one.kind]) - 0.32, 0.8))
    left = taker.queues[-1:] if len(taker.queues) > 1 and sim.luck.random() < LEAVES_QUEUE else ()
    _log(sim, OperatorLoggedOut, taker.seat, left)
    way = None if one.moved else sim.luck.choices([None, *WAYS], [1 - sum(WAYS.values()), *WAYS.values()])[0]
    passed_on = False
    if way is not None:
        seconds /= 2
        yield sim.env.timeout(seconds) | one.cut
        if one.fate is None and way == "to_queue":
            _to_queue(sim, one, talk)
            passed_on = True
        elif one.fate is None and way == "to_seat":
            passed_on = _to_seat(sim, one, talk)
        elif one.fate is None:
            passed_on = yield from _consult(sim, one, talk, way)
    if not passed_on:
        yield sim.env.timeout(seconds) | one.cut
        _end(sim, one, talk)
    sim.tell(OperatorWrapUpStarted, seat=taker.seat)
    sim.world.unfinished += 1
    yield sim.env.timeout(sim.random.uniform(3, 15))
    sim.world.unfinished -= 1
    if not passed_on:
        _classify(sim, one)
    sim.tell(OperatorWrapUpEnded, seat=taker.seat)
    _log(sim, OperatorLoggedIn, taker.seat, left)


def _end(sim: Simulation, one: Call, talk: Talk) -> None:
    """Say how a conversation ended, unless the network or the exchange ended it."""
    if one.fate in {"dropped", "restarted"}:
        return
    to = _elsewhere(sim, one)
    if to is None:
        sim.say(one, CallEnded, by="seat" if one.kind == "prank" else "caller", **talk.told(sim.env.now))
    else:
        sim.say(one, CallTransferred, to=to, **talk.told(sim.env.now))
        if neighbour := sim.world.centres.get(to):
            sim.env.process(wandering.pass_on(neighbour, one))
    sim.finish(one)


def _elsewhere(sim: Simulation, one: Call) -> str | None:
    """The agency or the neighbour's centre that takes over, if one does."""
    if one.direction != "inbound" or one.fate is not None:
        return None
    if one.kind == "normal" and sim.luck.random() < TO_AGENCY:
        return sim.luck.choice([opd.code for opd in sim.centre.opds] or [AGENCY])
    if one.kind == "out_of_area" and sim.centre.neighbours and sim.luck.random() < TO_NEIGHBOUR:
        return sim.luck.choice(sim.centre.neighbours).code
    return None


def _classify(sim: Simulation, one: Call) -> None:
    """The seat that spoke last says what the call was, if the exchange still knows it."""
    kind: Class = "cut_off" if one.fate == "dropped" else one.kind
    known = sim.say(one, CallClassified, **{"class": kind})
    if known and kind == "normal" and sim.centre.categories:
        sim.env.process(surroundings.report(sim, sim.centre, one))


def _to_queue(sim: Simulation, one: Call, talk: Talk) -> None:
    """Let go of a call that waits in a queue again."""
    queue = sim.aside(talk.queue)
    sim.say(one, CallTransferred, to=queue, **talk.told(sim.env.now))
    sim.say(one, CallQueued, queue=queue)
    one.talks, one.moved = False, True
    sim.env.process(wandering.wait(sim, sim.enter(one, queue), queue, sim.luck.uniform(20, 180)))


def _to_seat(sim: Simulation, one: Call, talk: Talk) -> bool:
    """Let go of a call that rings at a free seat, if there is one."""
    other = sim.free()
    if other is None:
        return False
    sim.say(one, CallTransferred, to=other.seat, **talk.told(sim.env.now))
    one.talks, one.moved = False, True
    one.visit = Visit(one, None, sim.env.event())
    sim.ask(other, serve(sim, other, one.visit))
    return True


def _consult(sim: Simulation, one: Call, talk: Talk, way: Way) -> Generator[simpy.Event, Any, bool]:
    """A seat asks a colleague through a queue, in a call of their own, and may hand its caller over; says whether it did."""
    queue = sim.aside(talk.queue)
    asking = sim.begin(one.exchange, "other", None, None, "internal")
    asking.journey = asking.id
    sim.say(asking, CallOffered, queue=queue, clock="queue", direction="internal")
    visit = sim.enter(asking, queue)
    visit.joined = sim.env.event()
    yield sim.env.timeout(sim.luck.uniform(2, 5) if way == "into_queue" else 20) | visit.gone | one.cut
    if asking.fate is not None:
        return False
    if not visit.waiting:
        yield sim.env.timeout(sim.luck.uniform(3, 15)) | one.cut | asking.cut
        hands_over = way != "consulted" and one.fate is None and asking.fate is None
        visit.joined.succeed(one if hands_over else None)
    else:
        hands_over = way == "into_queue" and one.fate is None
        if not hands_over:
            sim.leave(visit)
            sim.say(asking, CallAbandoned, queue=queue)
            sim.finish(asking)
    if not hands_over:
        return False
    asking.journey, one.moved = one.id, True
    sim.say(asking, CallTransferred, to=queue, **talk.told(sim.env.now))
    sim.finish(asking)
    if visit.waiting:
        # From here on the caller waits in the seat's place, under the caller's own id.
        one.talks, one.visit, visit.call, visit.joined = False, visit, one, None
        sim.env.process(wandering.wait(sim, visit, queue, sim.luck.uniform(20, 180)))
    else:
        one.leg, one.journey = asking.id, one.id
    return True


def call_back(sim: Simulation, former: Call) -> None:
    """A free seat, if there is one, calls somebody back."""
    taker = sim.free()
    if taker is not None and sim.is_on:
        sim.ask(taker, _call_back(sim, taker, former))


def _call_back(sim: Simulation, taker: Taker, former: Call) -> Process:
    """A seat calls somebody who had hung up in the queue."""
    exchange, queue = sim.exchange, sim.front[0]
    if exchange.is_down:
        return
    one = sim.begin(exchange, "information", former.caller, None, "outbound")
    sim.say(one, CallOffered, queue=queue, caller=one.caller, direction="outbound")
    speaks = sim.luck.random() < CALL_BACK_ANSWERED
    yield sim.env.timeout(sim.luck.uniform(4, 12) if speaks else 25) | one.cut
    if one.fate is not None:
        return
    if not speaks:
        sim.say(one, CallAbandoned, queue=queue)
        sim.finish(one)
        return
    talk = Talk(taker.seat, queue, sim.env.now)
    one.talks = True
    sim.say(one, CallAnswered, seat=taker.seat, queue=queue)
    yield sim.env.timeout(sim.luck.uniform(15, 90)) | one.cut
    _end(sim, one, talk)
    yield from _dead(one)

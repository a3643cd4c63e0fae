"""How a simulated call wanders: announcement, queues, time-outs, patience, and restarts of its exchange. What those who answer it
do is in takers.py. All rates but the classes of calls are assumed.
"""

from collections.abc import Generator
from typing import Any

import simpy

from schemas.calls import CallAbandoned, CallEnded, CallOffered, CallOverflowed, CallQueued, Class, ExchangeRestarted
from streams.sources.simulate.world import Call, Exchange, Process, Simulation, Visit

CLASSES: dict[Class, float] = {
    "prank": 0.432,
    "ghost": 0.275,
    "information": 0.130,
    "normal": 0.113,
    "cut_off": 0.030,
    "out_of_area": 0.020,
}
"""Share of answered calls."""

ANNOUNCEMENT_SECONDS, ANNOUNCEMENT_ABANDONS = 6.0, 0.02
"""What every caller hears first, and the share of those who hang up in it."""
SHORT_ABANDONS, PATIENCE_SECONDS = 0.10, 90.0
"""Share of callers who hang up within five seconds of the queue, and how long the others wait there."""
QUEUE_SECONDS = 60.0
"""Who has waited so long leaves the queue, and comes into it again, or into a second one."""
LET_GO = 0.1
"""Share of those who are asked to call later instead."""
SECOND_QUEUE = 0.5
"""Share of the others who go on in the second queue, where there is one."""
CALLS_AGAIN, IS_CALLED_BACK = 0.4, 0.15
"""Share of those who gave up who call again within minutes, and of the others, whom a seat calls back."""
RESTARTS_PER_DAY, CALLS_AFTER_RESTART = 0.1, 0.7
"""How often an exchange restarts, and the share of those it was talking to who call again."""
UNSEEN = 0.5
"""Share of the calls on a link that is down which do not even ring."""
OUTAGE_LOSS = 0.6
"""Share of the calls that a failure of the network takes away where no links are known."""
LOCATED = 0.6
"""Share of the callers whose district the network tells."""
ABOUT_INCIDENT = 0.9
"""Share of the calls during an incident that are about it: from one district, and their tickets of one category."""
NETWORK_WEIGHTS = (6, 3, 2, 1)
"""How the calls share the trunks, in the order of the centre's file."""
_PRANKSTERS = 120
_CALLERS = 200_000


def call(sim: Simulation, kind: Class | None = None, caller: str | None = None, queue: str | None = None) -> Process:
    """One caller: hears the announcement, waits in queues, and loses patience unless something happens before."""
    kind = kind or sim.random.choices(list(CLASSES), list(CLASSES.values()))[0]
    if caller is None:
        caller = sim.pseudonym(f"{kind == 'prank'}|{sim.random.randrange(_PRANKSTERS if kind == 'prank' else _CALLERS)}")
    link = sim.random.choices(sim.trunks, NETWORK_WEIGHTS[: len(sim.trunks)])[0].code if sim.trunks else None
    exchange = sim.own if sim.trunks and link == sim.trunks[-1].code else sim.exchange
    dead = link in sim.down or _loses(sim)
    if exchange.is_down or (link in sim.down and sim.random.random() < UNSEEN):
        return  # nobody sees it but as a carrier's silence
    queue = queue or sim.random.choice(sim.front)
    one = sim.begin(exchange, kind, caller, link)
    _locate(sim, one, caller)
    told = {"link": link, "district": one.district if _is_located(caller) else None}
    sim.say(one, CallOffered, queue=queue, caller=caller, **{name: said for name, said in told.items() if said})
    if dead:
        sim.env.process(_die(sim, one))
    hurried = sim.luck.random() < ANNOUNCEMENT_ABANDONS
    yield sim.env.timeout(sim.luck.uniform(0.5, ANNOUNCEMENT_SECONDS) if hurried else ANNOUNCEMENT_SECONDS) | one.cut
    if one.fate is not None:
        return
    if hurried:
        sim.say(one, CallAbandoned)
        sim.finish(one)
        return
    short = sim.random.random() < SHORT_ABANDONS
    patience = sim.random.uniform(0.5, 5) if short else 5 + sim.random.expovariate(1 / PATIENCE_SECONDS)
    sim.say(one, CallQueued, queue=queue)
    if not (yield from wait(sim, sim.enter(one, queue), queue, patience)):
        return
    if sim.random.random() < CALLS_AGAIN:
        yield from call_again(sim, one, sim.random.uniform(20, 300))
    elif sim.luck.random() < IS_CALLED_BACK:
        yield sim.env.timeout(sim.luck.uniform(60, 900))
        sim.call_back(one)


def _locate(sim: Simulation, one: Call, caller: str) -> None:
    """Where a call comes from: home, or the incident, if it is one of those that come because of that."""
    one.district = sim.district(caller)
    if sim.env.now < sim.incident_until and sim.where.random() < ABOUT_INCIDENT:
        one.district, one.about = sim.incident


def _is_located(caller: str) -> bool:
    """Whether the network says where a caller's telephone is."""
    return int(caller[8:16], 16) < LOCATED * 2**32


def call_again(sim: Simulation, former: Call, seconds: float) -> Process:
    """The caller of a call that is over tries once more."""
    yield sim.env.timeout(seconds)
    if sim.is_on:
        yield from call(sim, former.kind, former.caller)


def wait(sim: Simulation, visit: Visit, queue: str, patience: float) -> Generator[simpy.Event, Any, bool]:
    """In one queue after the other, until somebody answers or the call is over; says whether its caller gave up."""
    one = visit.call
    while True:
        yield sim.env.timeout(min(patience, QUEUE_SECONDS)) | visit.gone
        if not visit.waiting:
            return False
        sim.leave(visit)
        if patience <= QUEUE_SECONDS:
            sim.say(one, CallAbandoned, queue=queue)
            sim.finish(one)
            return True
        patience -= QUEUE_SECONDS
        sim.say(one, CallOverflowed, queue=queue, reason="timeout")
        let_go = sim.luck.random() < LET_GO
        yield sim.env.timeout(sim.luck.uniform(1, 3)) | one.cut
        if one.fate is not None:
            return False
        if let_go:
            sim.say(one, CallEnded)
            sim.finish(one)
            return False
        if sim.luck.random() < SECOND_QUEUE:
            queue = sim.aside(queue)
        sim.say(one, CallQueued, queue=queue)
        visit = sim.enter(one, queue)


def pass_on(sim: Simulation, former: Call) -> Process:
    """A call that another centre passed on arrives, as one of its own."""
    yield sim.env.timeout(sim.luck.uniform(0.5, 2))
    if sim.is_on:
        yield from call(sim, "normal", sim.pseudonym(f"passed on|{former.caller}"))


def restart(sim: Simulation, exchange: Exchange) -> Process:
    """Now and then an exchange breaks down and begins anew: it knows nothing of its calls any more, and tells no ends."""
    dice = sim.dice(f"restarts of {exchange.source}")
    while sim.is_on:
        yield sim.env.timeout(dice.expovariate(RESTARTS_PER_DAY / 86_400))
        seconds = dice.uniform(20, 50)
        if sim.env.now + seconds >= sim.seconds:
            return
        exchange.restarts += 1
        exchange.is_down = True
        for one in [one for one in sim.open.values() if one.exchange is exchange]:
            sim.cut(one, "restarted")
            if one.direction == "inbound" and dice.random() < CALLS_AFTER_RESTART:
                sim.env.process(call_again(sim, one, dice.uniform(60, 300)))
        yield sim.env.timeout(seconds)
        sim.tell(ExchangeRestarted, exchange.source)
        exchange.is_down = False
        exchange.back.succeed()
        exchange.back = sim.env.event()


def _die(sim: Simulation, one: Call) -> Process:
    """The network takes a call that came in on a bad line."""
    yield sim.env.timeout(sim.random.uniform(1, 15)) | one.cut
    if one.fate is None:
        sim.cut(one, "dropped")


def _loses(sim: Simulation) -> bool:
    """Whether a call that comes now is lost, where no links are known."""
    return sim.env.now < sim.outage_until and sim.random.random() < OUTAGE_LOSS

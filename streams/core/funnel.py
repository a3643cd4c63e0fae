"""The loss funnel: every visit to a queue and every journey of the city is in exactly one class, in whatever order it is told."""

import re
from dataclasses import dataclass, field
from typing import Annotated, NamedTuple

from pydantic import Field, InstanceOf
from pydantic.json_schema import SkipJsonSchema

from streams.core.callbook import (
    ANSWERED,
    CAME,
    CUT_OFF,
    ELSEWHERE,
    GONE,
    LOST,
    PASSED_ON,
    SHORT,
    SPOKE,
    TALKED,
    Book,
    Counted,
    Place,
    entries,
    entry,
)
from streams.core.centre import Centre
from streams.core.crowd import Crowd
from streams.core.hourly import HOUR, WEEK_HOURS
from streams.core.journey import ANY_QUEUE, PAST, TOGETHER_SECONDS, Journey, Visit, elapsed, is_same
from streams.core.names import OTHER, Strangers
from streams.core.patience import Patience
from streams.core.service_level import (
    ANNOUNCEMENT,
    BLOCKED,
    KINDS,
    NETWORK_DROPPED,
    OFFERED,
    OVERFLOWED,
    abandon_kind,
    answer_kind,
)
from streams.core.service_level import LOST as LOST_TRACK
from streams.core.totals import Clock, Journeys, Loss, Outcome, Queue
from streams.core.watch import CallWatch
from streams.core.window import Day, Window
from streams.core.workload import Workload

OPEN_CALLS = 800
"""The most journeys open at once. Beyond it the oldest is given up, so that a broken source cannot fill the memory. At Kota
Bogor's busiest, a source that tells neither seats nor ends of conversations has them open for six hours.
"""

QUEUES = 64
"""The most queues of one centre that its file does not name; further names count together as `other`."""

LEGS = 300
"""The most legs of journeys that are known by an id of their own."""

EXCHANGES = 32
"""The most exchanges of which it is remembered whether they tell when the queue begins."""

UNDECIDED = 100
"""The most losses that are remembered until it is known whether they were in a queue."""

NEIGHBOURS = 64
"""The most centres that calls are passed on to; further ones count together as `other`."""


class Undecided(NamedTuple):
    """A call lost before it was known whether this exchange tells when the queue begins: in which queue then, by which key, when
    it came and was lost, and how.
    """

    exchange: str
    queue: str
    key: str
    arrived: float
    lost: float
    loss: Loss


@dataclass(slots=True)
class Funnel:
    """The calls of one centre: journeys still open, and counts of those that are not. Keys are `callbook.mark`s."""

    queues: dict[str, Queue] = field(default_factory=dict)
    journeys: Journeys = field(default_factory=Journeys)
    open: dict[str, Journey] = field(default_factory=dict)
    legs: dict[str, str] = field(default_factory=dict)
    """By the key of a leg that has an id of its own, that of its journey."""
    seats: Annotated[dict[tuple[str, str], Journey], Field(exclude=True)] = field(default_factory=dict)
    """By exchange and seat, the open journey that it talks with."""
    crowd: Crowd = field(default_factory=Crowd)
    window: Window = field(default_factory=Window)
    day: Day = field(default_factory=Day)
    workload: Workload = field(default_factory=Workload)
    patience: Patience = field(default_factory=Patience)
    book: Book = field(default_factory=Book)
    strangers: Strangers = field(default_factory=Strangers)
    unmatched: int = 0
    taken: dict[int, int] = field(default_factory=dict)
    """Calls that the network took or cut off, by hour (epoch seconds // 3600) of the last week."""
    tells: dict[str, bool] = field(default_factory=dict)
    """By exchange, whether it tells besides the arrival when the queue begins."""
    undecided: list[Undecided] = field(default_factory=list)
    watch: Annotated[InstanceOf[CallWatch] | None, SkipJsonSchema(), Field(exclude=True)] = None
    """Who is told what is counted, if anybody is."""

    def __post_init__(self) -> None:
        for journey in self.open.values():
            if journey.visit.seat is not None and journey.visit.is_talking:
                self.seats[journey.exchange, journey.visit.seat] = journey

    def enter(
        self, key: str, exchange: str, time: float, queue: str, clock: Clock, direction: str | None, centre: Centre
    ) -> Journey | None:
        """A call arrived (`clock` is arrival), or came into a queue. Returns the journey if it is one of the city that was not
        counted yet: `begin` it then.
        """
        journey = self._current(key, time, centre)
        if journey is None:
            place = self.book.find(key)
            # Of one that nobody answered another source may tell the same second again.
            margin = TOGETHER_SECONDS if centre.sources and place is not None and place.end != ANSWERED else 0
            if place is not None and time < place.left + margin:
                return None
            if place is not None and place.end == ANSWERED:
                journey = self._go_on(key, exchange, time, place, centre)
            else:
                journey = self._open(key, exchange, time, centre)
                if place is not None:
                    journey.past = ((ANY_QUEUE, place.time, place.left),)
                    self.book.tear_out(place)
        if direction == "outbound":
            if journey.visit.entered is None:
                journey.visit.entered = time
                self._count_early_end(journey, centre)
                self._settle(journey)
            return None
        if direction is not None:
            journey.is_inside = direction == "internal"
        label = self._queue(queue, centre)
        emergency = centre.emergency_queues
        if not self._visit(journey, time, label, clock, centre):
            return None
        is_the_citys = not emergency or centre.names.queues[queue] in emergency
        if not journey.city and is_the_citys and not (journey.is_inside and self._anybody_talks(exchange)):
            journey.city, journey.arrived = True, time
            return journey
        self._count_early_end(journey, centre)
        self._settle(journey)
        return None

    def begin(self, journey: Journey, time: float, start: int, entered: str, centre: Centre, *, test: bool) -> None:
        """Count a journey. The book says that it came at `start` and `entered` it; a `test` counts in counters only."""
        journey.begun, journey.test, journey.start, journey.counted = True, test, start, entered
        self.journeys.offered += 1
        self.journeys.clock = "queue" if journey.visit.entered is not None and not journey.visit.assumed else "arrival"
        self._tally(OFFERED, time, 0 if test else 1, centre)
        self.crowd.change(time, 1, centre.timezone)
        visit = journey.visit
        answered = visit.answered if journey.answered is None else journey.answered
        if answered is not None:
            self._answer_journey(journey, answered, centre)
            self._count_early_end(journey, centre)
            self._settle(journey)
        elif visit.loss is not None and (visit.loss != "overflowed" or visit.ended is not None):
            self._lose_journey(journey, visit.loss, visit.lost or time, centre)

    def answer(self, key: str, exchange: str, time: float, queue: str | None, seat: str | None, centre: Centre) -> None:
        """A call taker answered."""
        journey = self._hear(key, exchange, time, centre)
        if journey is None:
            place = self.book.find(key)
            margin = TOGETHER_SECONDS if centre.sources else 0
            if place is not None and place.end == ANSWERED and int(time) > place.left + margin:
                journey = self._go_on(key, exchange, time, place, centre)
                journey.visit.answered, journey.visit.seat = time, seat
                journey.counted += entry(TALKED, int(time) - journey.start)
                if seat is not None:
                    self._take_seat(journey, seat, time)
            # Such a caller was not lost, whatever else was told.
            self.book.write_end(key, ANSWERED)
            return
        visit = journey.visit
        if journey.is_early:
            if visit.answered is None:
                visit.answered, visit.seat, visit.loss, visit.lost = time, seat, None, None
                if seat is not None and visit.ended is None:
                    self._take_seat(journey, seat, time)
            return
        if visit.is_waiting:
            if self._is_of_past(journey, queue, time, centre):
                return
            if (
                queue not in {None, visit.queue}
                and visit.queue not in {"", self._label(queue, centre)}
                and visit.entered is not None
            ):
                # What was told between is missing.
                self._lose_visit(journey, visit, "overflowed", time, centre)
                visit = self._turn(journey, time)
        elif is_same(time, visit.answered) or time < (visit.lost or visit.answered or 0) or visit.seat == seat or visit.ended:
            return
        else:
            # Whoever answers what is answered already, or has left its queue, does so after a transfer that was not told.
            if visit.is_answered:
                self._end_visit(journey, time, centre, transferred=True)
            visit = self._turn(journey, time)
        visit.answered, visit.seat = time, seat
        if visit.entered is not None:
            if visit.queue:
                self._end_in_queue(journey, visit, "answered", elapsed(visit.entered, time, centre))
        elif journey.arrived is not None and visit.queue:
            # Answered without a word of a queue: the visit began with the arrival.
            visit.entered, visit.assumed = journey.arrived, True
            self._count_entry(journey, visit, journey.arrived, centre)
        if visit.assumed and journey.exchange not in self.tells:
            self._decide(journey.exchange, False, centre)
        if seat is not None and visit.ended is None:
            self._take_seat(journey, seat, time)
        if journey.is_waiting:
            self._answer_journey(journey, time, centre)
        elif journey.begun:
            journey.counted += entry(TALKED, int(time) - journey.start)
        if visit.ended is not None:
            self._count_early_end(journey, centre)
            self._settle(journey)

    def lose(self, key: str, exchange: str, time: float, loss: Loss, queue: str | None, centre: Centre) -> None:
        """A call left unanswered. An answered one was not lost: sources repeat themselves."""
        journey = self._hear(key, exchange, time, centre)
        if journey is None:
            # Whoever was turned away did not hang up at once, whatever the exchange told first.
            if loss in {"overflowed", "network_dropped"}:
                self.book.write_end(key, LOST)
            return
        visit = journey.visit
        if visit.answered is not None:
            return
        if journey.is_early:
            # Whoever was turned away did not hang up, whatever the exchange adds.
            if visit.loss is None:
                visit.loss, visit.lost = loss, time
            elif "overflowed" in (visit.loss, loss):
                visit.ended = time if visit.loss == "overflowed" else visit.lost
                visit.lost = visit.lost if visit.loss == "overflowed" else time
                visit.loss = "overflowed"
            return
        if self._is_of_past(journey, queue, time, centre):
            return
        if visit.loss is None:
            self._lose_visit(journey, visit, loss, time, centre)
            if journey.is_waiting and loss != "overflowed":
                self._lose_journey(journey, loss, time, centre)
            else:
                self._settle(journey)
        elif journey.is_waiting and loss == "overflowed":
            visit.lost = max(time, visit.lost or time)  # of a queue into which nobody told that it came
        elif journey.is_waiting and not is_same(time, visit.lost):
            # Turned away, and now gone.
            loss = "overflowed" if loss == "abandoned" else loss
            self._lose_journey(journey, loss, max(time, visit.lost or time), centre)

    def drop(self, key: str, exchange: str, time: float, queue: str | None, centre: Centre) -> None:
        """The network took the call: a loss while it waited, the end of the conversation once it was answered."""
        journey, place = self.open.get(key), self.book.find(key)
        if journey is not None and journey.visit.answered is not None:
            self.end(key, exchange, time, centre, cut_off=True)
        elif journey is None and place is not None and place.end == ANSWERED:
            # Another source told the end, and not what made it.
            if is_same(int(time), place.left) and not any(what == CUT_OFF for what, _, _ in place.counted()):
                if queue is not None and (label := self._label(queue, centre)) in self.queues:
                    self.queues[label].cut_off += 1
                self._tally(CUT_OFF, time, 0 if place.is_test else 1, centre)
                self.book.note(key, entry(CUT_OFF, int(time) - place.time), "")
                if self.watch is not None:
                    self.watch.cut_off(key, None if queue is None else self._label(queue, centre))
        else:
            self.lose(key, exchange, time, "network_dropped", None, centre)

    def end(
        self,
        key: str,
        exchange: str,
        time: float,
        centre: Centre,
        queue: str | None = None,
        seat: str | None = None,
        talk: float | None = None,
        *,
        transferred: bool = False,
        cut_off: bool = False,
        to: str | None = None,
    ) -> str | None:
        """The conversation is over. Many sources also tell the end of calls that were abandoned; those are closed already.

        One that the exchange tells under another id is known by its queue, seat and times. Returns the key of a journey that was
        counted and turned out to be a leg of another: it counts no more.
        """
        journey = self._current(key, time, centre)
        if journey is not None and seat is not None and seat == journey.visit.seat and journey.is_its_first_talk:
            self._end_talk(journey, time, to, centre, transferred=transferred, cut_off=cut_off)
            return None
        label = None if queue is None else self._label(queue, centre)
        talking = None if seat is None else self.seats.get((exchange, seat))
        if talking is not None and talking is not journey:
            answered = talking.visit.answered
            assert answered is not None
            if (
                not talking.is_early
                and (label is None or talking.visit.queue in {"", label})
                and (talk is None or is_same(answered + talk, time))
                and not (journey is not None and journey.visit.is_talking and journey.visit.seat == seat)
            ):
                if to is not None:
                    self._pass_on(talking, to, time, centre)
                self._end_visit(talking, time, centre, transferred=transferred)
                joined = self._join(journey, talking, time, centre) if transferred and journey is not None else None
                self._settle(talking)
                return joined
        if journey is not None and journey.visit.is_answered and not journey.is_early:
            is_other = seat not in {None, journey.visit.seat} or time < (journey.visit.answered or 0)
            if is_other and journey.past and journey.is_past(self._number(queue, centre), time):
                return None  # of a conversation before this one
            if journey.past and journey.visit.answered is not None and time <= journey.past[-1][2] > journey.visit.answered:
                return None  # of the consultation that this one was, before it was handed its caller
            if label is None or journey.visit.queue in {"", label}:
                self._end_talk(journey, time, to, centre, transferred=transferred, cut_off=cut_off)
            return None
        journey = journey or self._hear(key, exchange, time, centre)
        if journey is None or journey.visit.ended is not None:
            return None
        visit = journey.visit
        if journey.past and journey.is_past(self._number(queue, centre), time):
            return None
        if visit.loss is not None:
            if journey.is_waiting and time >= (visit.lost or time):
                self._lose_journey(journey, "overflowed", time, centre)
            elif journey.is_early:
                visit.ended = time
        elif talk is not None and visit.answered is None:
            self.answer(key, exchange, max(time - talk, visit.entered or 0), queue, seat, centre)
            return self.end(key, exchange, time, centre, transferred=transferred, cut_off=cut_off, to=to)
        else:
            visit.ended, visit.transferred, visit.cut_off = time, transferred, cut_off
            self._leave_seat(journey)
        return None

    def _end_talk(
        self, journey: Journey, time: float, to: str | None, centre: Centre, *, transferred: bool, cut_off: bool
    ) -> None:
        """The conversation of a journey is over, and as far as is known the journey with it."""
        if to is not None:
            self._pass_on(journey, to, time, centre)
        self._end_visit(journey, time, centre, transferred=transferred, cut_off=cut_off)
        self._leave(journey, time)

    def restart(self, exchange: str, time: float, centre: Centre) -> None:
        """The exchange began anew: its calls of before are over, and nobody will hear how."""
        if time > self.journeys.restarted + TOGETHER_SECONDS:
            self.journeys.restarts += 1
            self.journeys.restarted = time
        for key, journey in [*self.open.items()]:
            if journey.exchange == exchange and (journey.arrived or journey.visit.began or journey.heard) < time:
                self._lose_track(key, journey, time, centre)

    def lose_track(self, key: str, time: float, centre: Centre) -> None:
        """The source knows no more of a call than that it is over. What is told of it after that moment contradicts it."""
        journey = self._current(key, time, centre)
        if journey is None:
            return
        visit = journey.visit
        if max(journey.arrived or 0, visit.began or 0, visit.answered or 0, visit.ended or 0) <= time:
            self._lose_track(key, journey, time, centre)

    def _lose_track(self, key: str, journey: Journey, time: float, centre: Centre) -> None:
        # Of one that was over before, it is known how.
        is_lost = journey.is_waiting and not journey.is_overdue(time, centre)
        self._give_up(journey, time, centre, restarted=not journey.is_overdue(time, centre))
        if is_lost:
            self.book.write_end(key, LOST)

    def key_of(self, leg: str, journey: str, time: float, centre: Centre) -> tuple[str, str | None]:
        """The key of a leg's journey, and that of one that was counted and turns out to be a leg of it. `journey` is the key that
        the source says, which may be the leg's own.
        """
        known = self.legs.get(leg)
        if journey == leg:
            return known or leg, None
        journey = self.legs.get(journey, journey)
        joined = None
        if known != journey:
            of_leg, whole = self.open.get(leg), self.open.get(journey)
            if of_leg is not None and whole is not None:
                if whole.visit.is_answered:
                    self._end_visit(whole, time, centre, transferred=True)
                joined = self._join(of_leg, whole, time, centre)
            else:
                self._know_leg(leg, journey)
        return journey, joined

    def overdue(self, now: float, centre: Centre) -> list[Journey]:
        """The open journeys whose story will not be finished, as seen at `now`."""
        return [journey for journey in self.open.values() if journey.is_overdue(now, centre)]

    def sweep(self, now: float, centre: Centre) -> None:
        """Close every overdue journey."""
        for journey in self.overdue(now, centre):
            self._give_up(journey, now, centre)

    def mark(self, place: Place, centre: Centre, *, test: bool) -> list[Counted]:
        """Take a journey out of all figures that may fall, because it is a test, or bring it back. Returns as what it counted.

        Nothing is known of what was over before its arrival was told, of one that has left the book, or of more conversations
        than its line has room for: those stay.
        """
        counted = list(place.counted())
        journey = self.open.get(place.mark)
        if journey is not None:
            journey.test = test
            if journey.begun:
                counted += entries(journey.counted, journey.start)
        n, answered, calls = -1 if test else 1, 0, 1
        for what, time, number in counted:
            if what == SPOKE:
                self.workload.count(answered, number or 0, calls=calls, n=n)
                calls = 0
            elif what in {TALKED, GONE}:
                answered = time
            elif what == PASSED_ON:
                self.journeys.passed_on_day.add(time, 0, n)
            else:
                self._tally(what, time, n, centre)
                answered = time
        return counted

    # Which journey, visit and queue.

    def _current(self, key: str, time: float, centre: Centre) -> Journey | None:
        """The open journey of that key. One that is overdue is given up here, so that nobody who measured was told otherwise."""
        journey = self.open.get(key)
        if journey is not None and journey.is_overdue(time, centre):
            self._give_up(journey, time, centre)
            return None
        return journey

    def _hear(self, key: str, exchange: str, time: float, centre: Centre) -> Journey | None:
        """The journey that something is told of; None for one that is over, of which it is no news."""
        journey = self._current(key, time, centre)
        if journey is None and self.book.find(key) is None:
            journey = self._open(key, exchange, time, centre)
        return journey

    def _open(self, key: str, exchange: str, time: float, centre: Centre) -> Journey:
        """A journey that was not heard of yet."""
        if len(self.open) >= OPEN_CALLS:
            oldest = next(iter(self.open))
            self.strangers.pass_over("open_calls")
            self._give_up(self.open[oldest], time, centre)
        journey = self.open[key] = Journey(key, exchange, time)
        if self.watch is not None:
            self.watch.opened(key)
        return journey

    def _go_on(self, key: str, exchange: str, time: float, place: Place, centre: Centre) -> Journey:
        """The same journey, which was over: it was passed on, to a queue or to a seat."""
        journey = self._open(key, exchange, time, centre)
        journey.past = ((ANY_QUEUE, place.time, place.left),)
        journey.city = journey.begun = True
        journey.arrived = journey.answered = float(place.left)
        journey.start, journey.test = place.time, place.is_test
        journey.talked = any(what == SPOKE for what, _, _ in place.counted())
        return journey

    def _visit(self, journey: Journey, time: float, label: str, clock: Clock, centre: Centre) -> bool:
        """A visit to a queue begins, or an announcement before it. Says whether that was news."""
        visit, is_arrival = journey.visit, clock == "arrival"
        if visit.entered is None:
            if is_arrival and journey.arrived is not None:
                return False  # told again
            known = visit.lost if visit.answered is None else visit.answered
            if known is not None and known < time - TOGETHER_SECONDS:
                # What was told before is of a visit of which no beginning was.
                self.unmatched += 1
                self._leave_seat(journey)
                journey.answered = visit.answered if journey.answered is None else journey.answered
                visit = self._turn(journey, time)
            visit.queue = label
            if visit.ended is not None and visit.ended < time:
                visit.ended = None  # of what the call did before it came here
            if is_arrival and self.tells.get(journey.exchange) and visit.answered is None:
                journey.arrived = time
                return True
            if not is_arrival and journey.arrived is not None:
                self._decide(journey.exchange, True, centre)
            visit.entered, visit.assumed = time, is_arrival
            self._count_entry(journey, visit, time, centre)
            return True
        if visit.queue == label:
            if is_arrival:
                if journey.is_waiting and journey.arrived is not None:
                    self.crowd.change(journey.arrived, -1, centre.timezone)
                    journey.arrived = min(journey.arrived, time)
                    self.crowd.change(journey.arrived, 1, centre.timezone)
                    self.journeys.clock = "arrival"
                return False
            closed = visit.lost if visit.answered is None else visit.answered
            if visit.assumed and (closed is None or time <= closed + TOGETHER_SECONDS):
                # The visit began here, and before it was an announcement. The wait of an answer that is counted stays as it is:
                # the seconds of all waits, a counter, cannot fall.
                visit.assumed = False
                self.queues[label].clock = "queue"
                if visit.loss is not None:
                    self._restate_loss(journey, visit, time, centre)
                visit.entered = time
                self._decide(journey.exchange, True, centre)
                return False
            if is_same(time, visit.entered):
                if visit.is_waiting and time % 1:
                    visit.entered = time  # the finer clock
                return False
        if time < visit.entered or (journey.past and journey.is_past(self._index(label), time) and time <= visit.entered):
            return False
        if visit.is_answered:
            self._end_visit(journey, time, centre, transferred=True)
        elif visit.is_waiting:
            self._lose_visit(journey, visit, "overflowed", time, centre)
        visit = self._turn(journey, time)
        visit.queue, visit.entered, visit.assumed = label, time, is_arrival
        self._count_entry(journey, visit, time, centre)
        return True

    def _turn(self, journey: Journey, time: float) -> Visit:
        """The visit is over, and a new one may begin."""
        visit = journey.visit
        journey.queued = visit.entered if journey.queued is None else journey.queued
        if visit.queue and visit.began is not None:
            journey.past = (*journey.past, (self._index(visit.queue), int(visit.began), int(time)))[-PAST:]
        journey.visit = Visit()
        return journey.visit

    def _anybody_talks(self, exchange: str) -> bool:
        """Whether a call is being answered at an exchange, so that one from inside may be its taker's consultation."""
        return any(journey.exchange == exchange and journey.visit.is_talking for journey in self.open.values())

    def _label(self, name: str, centre: Centre) -> str:
        """Under which queue figures count what is told of `name`."""
        names = centre.names.queues
        queue = names[name]
        return queue if queue in self.queues or queue in names.known else OTHER

    def _index(self, queue: str) -> int:
        """Which of the queues that is; -1 for none."""
        return next((number for number, known in enumerate(self.queues) if known == queue), -1)

    def _number(self, name: str | None, centre: Centre) -> int | None:
        """The same of a queue as it is told, if it is."""
        return None if name is None else self._index(self._label(name, centre))

    def _queue(self, name: str, centre: Centre) -> str:
        """Under which queue figures count what came to `name`, which has its totals then."""
        names = centre.names.queues
        queue, known = names[name], names.known
        if queue in self.queues and (queue in known or not known):
            return queue
        queue = self.strangers.label("queue", name, names)
        if queue in self.queues:
            return queue
        if not names.known and len(self.queues) >= QUEUES:
            self.strangers.pass_over("queue")
            queue = OTHER
        self.queues.setdefault(queue, Queue())
        return queue

    def _is_of_past(self, journey: Journey, queue: str | None, time: float, centre: Centre) -> bool:
        """Whether an answer or a loss is of a visit before the one that goes on: earlier, or in the queue of that alone."""
        if not journey.past or not journey.is_past(self._number(queue, centre), time):
            return False
        visit = journey.visit
        is_elsewhere = queue is not None and visit.queue not in {"", self._label(queue, centre)}
        return is_elsewhere or time < (visit.entered or time + 1)

    def _know_leg(self, leg: str, key: str) -> None:
        if len(self.legs) >= LEGS:
            del self.legs[next(iter(self.legs))]
        self.legs[leg] = key

    def _join(self, of_leg: Journey, whole: Journey, time: float, centre: Centre) -> str | None:
        """A transfer made a leg part of a journey. Returns the leg's key if it was counted as a journey of its own."""
        visit = of_leg.visit
        leg = of_leg.key
        self._know_leg(leg, whole.key)
        del self.open[leg]
        goes_on = visit.entered is not None and (visit.is_waiting or visit.is_talking)
        if self.watch is not None:
            self.watch.joined(leg, whole.key, talks=goes_on)
        if goes_on:
            before = whole.visit
            if before.queue and before.entered is not None and before.is_waiting:
                self._lose_visit(whole, before, "overflowed", time, centre)
            self._turn(whole, time)
            whole.visit = visit
            if visit.seat is not None:
                self.seats[whole.exchange, visit.seat] = whole
            if visit.answered is not None and whole.is_waiting:
                self._answer_journey(whole, visit.answered, centre)
        whole.past = (whole.past + of_leg.past)[-PAST:]
        if not of_leg.begun:
            return None
        if of_leg.answered is None:
            # It never waited besides the journey that it is a leg of.
            self.crowd.change(of_leg.arrived or time, -1, centre.timezone)
            self._end_journey(of_leg, "joined", 0.0, time)
        self.book.note(leg, f"{of_leg.counted}{entry(GONE, int(time) - of_leg.start)}", ANSWERED)
        return leg

    # What becomes of them, and as what it counts.

    def _count_entry(self, journey: Journey, visit: Visit, entered: float, centre: Centre) -> None:
        """Count a visit, and what was told of it before."""
        totals = self.queues[visit.queue]
        totals.offered += 1
        totals.clock = "arrival" if visit.assumed else "queue"
        if self.watch is not None:
            self.watch.visited(journey, entered)
        closed = visit.lost if visit.answered is None else visit.answered
        most = centre.thresholds.give_up_waiting_seconds
        if closed is not None and closed - entered >= most:
            visit.answered = visit.ended = None
            self._lose_visit(journey, visit, "lost", entered + most, centre)
        elif visit.answered is not None:
            self._end_in_queue(journey, visit, "answered", elapsed(entered, visit.answered, centre))
        elif visit.loss is not None:
            self._lose_visit(journey, visit, visit.loss, closed or entered, centre)

    def _restate_loss(self, journey: Journey, visit: Visit, entered: float, centre: Centre) -> None:
        """A visit that is lost began later than with its arrival: in the queue, and not before it."""
        assert visit.entered is not None
        assert visit.loss is not None
        assert visit.lost is not None
        before = elapsed(visit.entered, visit.lost, centre)
        # Nobody who measures sees the one gone and the other not come: that is one event.
        self.queues[visit.queue].end(_by_wait(visit.loss, before, centre), before, -1)
        self.undecided = [lost for lost in self.undecided if (lost.exchange, lost.key) != (journey.exchange, journey.key)]
        visit.entered = entered
        self._lose_visit(journey, visit, visit.loss, visit.lost, centre)

    def _lose_visit(self, journey: Journey, visit: Visit, loss: Loss, time: float, centre: Centre) -> None:
        """A visit ended unanswered."""
        visit.loss, visit.lost = loss, time
        if visit.entered is None or not visit.queue:
            return
        wait = elapsed(visit.entered, time, centre)
        loss = _by_wait(loss, wait, centre)
        if visit.assumed and journey.exchange not in self.tells and len(self.undecided) < UNDECIDED:
            self.undecided.append(Undecided(journey.exchange, visit.queue, journey.key, visit.entered, time, loss))
        self._end_in_queue(journey, visit, loss, wait)

    def _end_in_queue(self, journey: Journey, visit: Visit, outcome: Outcome, wait: float | None) -> None:
        """Count what became of a visit."""
        self.queues[visit.queue].end(outcome, wait)
        if self.watch is not None:
            self.watch.left(journey, visit, outcome, wait)

    def _end_journey(self, journey: Journey, outcome: Outcome, wait: float | None, time: float) -> None:
        """Count what became of a journey."""
        self.journeys.end(outcome, wait)
        if self.watch is not None:
            self.watch.ended(journey, outcome, wait, time)

    def _take_seat(self, journey: Journey, seat: str, time: float) -> None:
        """A seat answers, so that the call is over which it was in; its end may be told later."""
        before = self.seats.get((journey.exchange, seat))
        if before is not None and before is not journey:
            if (before.visit.answered or 0) > time:
                journey.visit.seat = None  # told late: the seat is in a newer one
                return
            before.visit.left = time
        self.seats[journey.exchange, seat] = journey

    def _leave_seat(self, journey: Journey) -> None:
        seat = journey.visit.seat
        if seat is not None and self.seats.get((journey.exchange, seat)) is journey:
            del self.seats[journey.exchange, seat]

    def _end_visit(
        self, journey: Journey, time: float, centre: Centre, *, transferred: bool = False, cut_off: bool = False
    ) -> None:
        """A conversation is over."""
        visit = journey.visit
        visit.ended, visit.transferred, visit.cut_off = time, transferred, cut_off
        self._count_end(journey, visit, centre)

    def _count_early_end(self, journey: Journey, centre: Centre) -> None:
        """Count a conversation of which the end was told before its beginning."""
        visit = journey.visit
        if visit.answered is not None and visit.ended is not None:
            self._count_end(journey, visit, centre)

    def _count_end(self, journey: Journey, visit: Visit, centre: Centre) -> None:
        answered, ended = visit.answered, visit.ended
        assert answered is not None
        assert ended is not None
        n = 1 if journey.begun and not journey.test else 0
        talk = elapsed(answered, ended, centre)
        if self.watch is not None:
            self.watch.spoke(journey, visit, talk)
        if visit.queue and visit.entered is not None:
            totals = self.queues[visit.queue]
            if talk is None:
                totals.handle_backward += 1
            else:
                totals.handle.observe(talk)
            totals.transferred += visit.transferred
            totals.cut_off += visit.cut_off
        if visit.seat is not None and ended >= answered:
            self.workload.spoke(visit.seat, answered, ended, centre)
        if journey.begun:
            after = int(ended) - journey.start
            if talk is None:
                journey.counted += entry(GONE, after)
            else:
                microseconds = round(talk * 1e6)
                self.workload.count(answered, microseconds, calls=0 if journey.talked else 1, n=n)
                journey.talked = True
                journey.counted += entry(SPOKE, after, microseconds)
            if visit.cut_off:
                journey.counted += entry(CUT_OFF, after)
                self._tally(CUT_OFF, ended, n, centre)
        self._leave_seat(journey)

    def _settle(self, journey: Journey) -> None:
        """Close a journey that is over."""
        visit = journey.visit
        if visit.ended is not None:
            if visit.answered is not None:
                self._leave(journey, visit.ended)
        elif visit.lost is not None and visit.entered is not None and not journey.is_waiting:
            self._leave(journey, visit.lost)

    def _answer_journey(self, journey: Journey, time: float, centre: Centre) -> None:
        """The first answer of a journey."""
        arrived = time if journey.arrived is None else journey.arrived
        wait = elapsed(arrived, time, centre)
        journey.answered = time
        self._count_patience(journey, time, wait, centre, hung_up=False)
        self._end_journey(journey, "answered", wait, time)
        self._count_closed(journey, answer_kind(wait, centre.thresholds.service_level_seconds), time, centre)
        self.book.write_end(journey.key, ANSWERED)

    def _lose_journey(self, journey: Journey, loss: Loss, time: float, centre: Centre) -> None:
        """A journey ended unanswered."""
        limits = centre.thresholds
        wait = elapsed(time if journey.arrived is None else journey.arrived, time, centre)
        is_short = wait is not None and wait <= limits.short_abandon_seconds
        if loss == "abandoned" and journey.visit.entered is None and not journey.past:
            loss = "announcement"
        elif loss == "abandoned" and is_short:
            loss = "short_abandoned"
        if loss in {"abandoned", "short_abandoned", "overflowed", "network_dropped"}:
            self._count_patience(journey, time, wait, centre, hung_up=loss in {"abandoned", "short_abandoned"})
        self._end_journey(journey, loss, wait, time)
        level = limits.service_level_seconds
        kind = abandon_kind(wait, level, is_short) if loss in ("abandoned", "short_abandoned") else _KIND[loss]
        self._count_closed(journey, kind, time, centre)
        end = "" if loss in {"blocked", "lost"} else LOST
        if is_short and loss in {"short_abandoned", "announcement"}:
            end = SHORT
        self._leave(journey, time, end)

    def _count_patience(self, journey: Journey, time: float, wait: float | None, centre: Centre, *, hung_up: bool) -> None:
        """Somebody waited no longer since he came, and in the queues that he came into since."""
        entered = journey.visit.entered if journey.queued is None else journey.queued
        if entered is None:
            return
        if journey.arrived is not None and entered > journey.arrived:
            wait = elapsed(entered, time, centre)
        if wait is not None:
            self.patience.add(time, wait, hung_up=hung_up)

    def _count_closed(self, journey: Journey, kind: int, time: float, centre: Centre) -> None:
        journey.counted += entry(kind, int(time) - journey.start)
        self._tally(kind, time, 0 if journey.test else 1, centre)
        # Two clocks can put the answer before the arrival.
        self.crowd.change(max(time, journey.arrived or time), -1, centre.timezone)

    def _leave(self, journey: Journey, time: float, end: str = "") -> None:
        """Nothing more is expected of a journey; the book knows it for as long as something may be told again."""
        del self.open[journey.key]
        if journey.visit.seat is not None and journey.visit.ended is None:
            self._leave_seat(journey)
        if not journey.begun:
            journey.start = self.book.enter(journey.key, journey.heard, None, ELSEWHERE).time
        if not journey.begun or (journey.visit.ended is None and not end):
            journey.counted += entry(GONE, int(time) - journey.start)
        self.book.note(journey.key, journey.counted, end)
        if self.watch is not None:
            self.watch.over(journey.key, time)

    def _give_up(self, journey: Journey, now: float, centre: Centre, *, restarted: bool = False) -> None:
        """Close a journey of which nothing more will be told: its time has come, there are too many, its exchange was restarted,
        or its seat is in another.
        """
        visit, limits = journey.visit, centre.thresholds
        came = visit.entered if journey.arrived is None else journey.arrived
        if came is None:
            # An end alone is no news: many sources tell it of calls that were closed before.
            self.unmatched += visit.answered is not None or visit.loss is not None
            self._leave_seat(journey)
            del self.open[journey.key]
            return
        if visit.answered is not None:
            if visit.queue and visit.entered is not None:
                self.queues[visit.queue].unended += 1
            self._leave(journey, visit.left or now)
            return
        loss: Loss
        if visit.loss is not None:
            loss, time = ("lost", now) if restarted else (visit.loss, visit.lost or now)
        elif visit.ended is not None:
            # Over, and nobody answered: for a source that does not tell abandons.
            loss, time = "abandoned", visit.ended
        else:
            loss, time = "lost", min(now, came + limits.give_up_waiting_seconds)
        if visit.loss is None:
            self._lose_visit(journey, visit, loss, time, centre)
        if journey.is_waiting:
            self._lose_journey(journey, loss, time, centre)
        else:
            self._leave(journey, time)

    def _pass_on(self, journey: Journey, to: str, time: float, centre: Centre) -> None:
        """Count a journey that goes to another centre."""
        if not journey.begun:
            return
        code = centre.names.neighbours[to]
        if code == centre.code or not (code in centre.names.neighbours.known or _CENTRE.fullmatch(code)):
            return
        passed_on = self.journeys.passed_on
        if code not in passed_on and len(passed_on) >= NEIGHBOURS:
            code = OTHER
        passed_on[code] = passed_on.get(code, 0) + 1
        day = self.journeys.passed_on_day
        if time >= day.end:
            day.begin(time, centre.timezone, 1)
        day.add(time, 0, 0 if journey.test else 1)
        journey.counted += entry(PASSED_ON, int(time) - journey.start)
        if self.watch is not None:
            self.watch.passed_on(journey, code)

    def _decide(self, exchange: str, tells: bool, centre: Centre) -> None:
        """It turns out whether an exchange tells when the queue begins. If it does, whoever gave up before was in no queue yet.

        That takes back what was counted, once in the life of an exchange and before anybody was answered.
        """
        if self.tells.get(exchange) in (tells, True):
            return
        if tells:
            for lost in self.undecided:
                if lost.exchange == exchange:
                    self._move_to_announcement(lost, centre)
        self.undecided = [lost for lost in self.undecided if lost.exchange != exchange]
        if exchange not in self.tells and len(self.tells) >= EXCHANGES:
            del self.tells[next(iter(self.tells))]
        self.tells[exchange] = tells

    def _move_to_announcement(self, lost: Undecided, centre: Centre) -> None:
        wait = elapsed(lost.arrived, lost.lost, centre)
        totals = self.queues[lost.queue]
        totals.offered -= 1
        totals.end(lost.loss, wait, -1)
        place = self.book.find(lost.key)
        kind = abandon_kind(wait, centre.thresholds.service_level_seconds, lost.loss == "short_abandoned")
        # Of a journey that was answered, or that is none of the city's, only the visit ended so.
        counted = [] if place is None or lost.loss not in {"abandoned", "short_abandoned"} else place.counted()
        stays = not any(one.what == kind and one.time == int(lost.lost) for one in counted)
        if self.watch is not None:
            self.watch.announced(lost.key, lost.queue, lost.arrived, lost.lost, wait, journey=not stays)
        if place is None or stays:
            return
        self.journeys.end(lost.loss, wait, -1)
        if wait is not None:
            self.patience.add(lost.lost, wait, hung_up=True, n=-1)
        self.journeys.end("announcement", wait)
        n = 0 if place.is_test else 1
        self._tally(kind, lost.lost, -n, centre)
        self._tally(ANNOUNCEMENT, lost.lost, n, centre)
        after = int(lost.lost) - place.time
        self.book.restate(lost.key, entry(kind, after), entry(ANNOUNCEMENT, after))

    def _tally(self, what: int, time: float, n: int, centre: Centre) -> None:
        """Count in the figures that may fall again: 0 of a test, which begins a day as others do, and -1 takes back."""
        if what in _TAKEN:
            self._count_taken(time, n)
        if what < OFFERED:
            self.window.add(time, what, n)
        elif what == CAME:
            what = OFFERED
        elif what == CUT_OFF:
            return
        if time >= self.day.end:
            self.day.begin(time, centre.timezone, KINDS)
        self.day.add(time, what, n)

    def _count_taken(self, time: float, n: int) -> None:
        hour = int(time) // HOUR
        if hour not in self.taken:
            self.taken = {known: calls for known, calls in self.taken.items() if known > hour - WEEK_HOURS}
        self.taken[hour] = self.taken.get(hour, 0) + n


def _by_wait(loss: Loss, wait: float | None, centre: Centre) -> Loss:
    """How a visit was lost: whoever hung up at once is told apart."""
    is_short = loss == "abandoned" and wait is not None and wait <= centre.thresholds.short_abandon_seconds
    return "short_abandoned" if is_short else loss


_TAKEN = frozenset({NETWORK_DROPPED, CUT_OFF})
_CENTRE = re.compile(r"[0-9]{2}\.[0-9]{2}", re.ASCII)
_KIND: dict[Loss, int] = {
    "overflowed": OVERFLOWED,
    "network_dropped": NETWORK_DROPPED,
    "blocked": BLOCKED,
    "lost": LOST_TRACK,
    "announcement": ANNOUNCEMENT,
}

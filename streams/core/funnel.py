"""The loss funnel: every offered call is in exactly one class, whatever the order in which its story is told."""

from dataclasses import dataclass, field
from typing import Literal, assert_never

from streams.core.callbook import CAME, CUT_OFF, SPOKE, Book, Counted, Place, entries, entry
from streams.core.centre import Centre
from streams.core.histogram import Histogram
from streams.core.ledger import LATENESS
from streams.core.names import OTHER, Strangers
from streams.core.service_level import (
    BLOCKED,
    KINDS,
    LOST,
    NETWORK_DROPPED,
    OFFERED,
    OVERFLOWED,
    abandon_kind,
    answer_kind,
)
from streams.core.window import Day, Window
from streams.core.workload import Workload

Clock = Literal["arrival", "queue"]
Loss = Literal["abandoned", "short_abandoned", "overflowed", "network_dropped", "blocked", "lost"]
Outcome = Literal["answered"] | Loss

OUTCOMES: tuple[Outcome, ...] = (
    "answered",
    "abandoned",
    "short_abandoned",
    "overflowed",
    "network_dropped",
    "blocked",
    "lost",
)
"""The closed classes. With the calls still waiting they always sum to offered."""

OPEN_CALLS = 1_000
"""The most calls open at once, 350 kB as they are written. Beyond it the oldest is given up, so that a broken source cannot fill
the memory. At Kota Bogor's busiest, a source that tells no end of a conversation has them open for eight hours.
"""

QUEUES = 64
"""The most queues of one centre that its file does not name; further names count together as `other`."""

SWEEP_SECONDS = 60
"""How often, in event time, calls that will never end are looked for; also how long an end waits for its answer to arrive."""


@dataclass(slots=True)
class Call:
    """One open call: the facts known of it. A fact is epoch seconds, or None if it was not told yet."""

    heard: float
    queue: str = ""
    offered: float | None = None
    answered: float | None = None
    seat: str | None = None
    ended: float | None = None
    cut_off: bool = False
    transferred: bool = False
    loss: Loss | None = None
    lost: float | None = None
    test: bool = False
    counted: str = ""
    """As what it was counted since it was offered, as the book writes it."""


@dataclass(slots=True)
class Queue:
    """The totals of one queue since the first event."""

    clock: Clock = "arrival"
    offered: int = 0
    ended: dict[Outcome, int] = field(default_factory=dict)
    wait_answered: Histogram = field(default_factory=Histogram)
    wait_abandoned: Histogram = field(default_factory=Histogram)
    handle: Histogram = field(default_factory=Histogram)
    transferred: int = 0
    cut_off: int = 0
    unended: int = 0


@dataclass(slots=True)
class Peak:
    """The most calls that waited at once, and when they first did."""

    calls: int = 0
    time: float = 0.0

    def see(self, calls: int, time: float) -> None:
        """Remember `calls` waiting at `time` if there never were as many."""
        if calls > self.calls:
            self.calls, self.time = calls, time


@dataclass(slots=True)
class Funnel:
    """The calls of one centre: those still open, and counts of those that are not."""

    queues: dict[str, Queue] = field(default_factory=dict)
    open: dict[str, Call] = field(default_factory=dict)
    waiting: int = 0
    window: Window = field(default_factory=Window)
    day: Day = field(default_factory=Day)
    peak: Peak = field(default_factory=Peak)
    peak_today: Peak = field(default_factory=Peak)
    workload: Workload = field(default_factory=Workload)
    book: Book = field(default_factory=Book)
    strangers: Strangers = field(default_factory=Strangers)
    unmatched: int = 0
    taken: dict[int, int] = field(default_factory=dict)
    """Calls that the network took or cut off, by hour (epoch seconds // 3600) of the last week."""

    def offer(
        self, name: str, time: float, queue: str, clock: Clock, centre: Centre, entered: str, *, test: bool = False
    ) -> bool:
        """A call arrived, or entered another queue, where it is offered anew. Says whether that was news.

        `entered` is the book's entry of it; a `test` counts in counters only.
        """
        queue = self._queue(queue, centre)
        call = self._current(name, time, centre) or self._begin(name, time, centre)
        if call.offered is not None:
            if call.queue == queue:
                return False
            # The first queue is done with it.
            if call.answered is None:
                self.lose(name, time, "overflowed", centre)
            else:
                self.end(name, time, centre, transferred=True)
            call = self._begin(name, time, centre)
        if call.ended is not None and call.ended < time:
            call.ended = None  # of what the call did before it came here
        call.queue, call.offered, call.counted, call.test = queue, time, entered, test
        totals = self.queues[queue]
        totals.offered += 1
        totals.clock = clock
        self._tally(OFFERED, time, 0 if test else 1, centre)
        self.waiting += 1
        closed = call.lost if call.answered is None else call.answered
        if closed is not None and closed - time >= centre.thresholds.give_up_waiting_seconds:
            call.answered = call.ended = None
            self._give_up(name, call, closed, centre)
        elif call.answered is not None:
            self._count_answer(call, call.offered, call.answered, centre)
            if call.ended is not None:
                self._count_end(name, call, call.offered, call.answered, call.ended, centre)
        elif call.loss is not None and call.lost is not None:
            self._count_loss(name, call, call.offered, call.loss, call.lost, centre)
        else:
            self.peak.see(self.waiting, time)
            if self.day.start <= time:
                self.peak_today.see(self.waiting, time)
        return True

    def answer(self, name: str, time: float, seat: str | None, centre: Centre) -> None:
        """A call taker answered."""
        call = self._current(name, time, centre) if name in self.open else self._begin(name, time, centre)
        if call is None or call.answered is not None or call.loss is not None:
            return
        call.answered, call.seat = time, seat
        if call.offered is not None:
            self._count_answer(call, call.offered, time, centre)
            if call.ended is not None:
                self._count_end(name, call, call.offered, time, call.ended, centre)

    def lose(self, name: str, time: float, loss: Loss, centre: Centre) -> None:
        """A call left unanswered. An answered one was not lost: sources repeat themselves."""
        call = self._current(name, time, centre) if name in self.open else self._begin(name, time, centre)
        if call is None or call.answered is not None or call.loss is not None:
            return
        call.loss, call.lost = loss, time
        if call.offered is not None:
            self._count_loss(name, call, call.offered, loss, time, centre)

    def drop(self, name: str, time: float, centre: Centre) -> None:
        """The network took the call: a loss while it waited, the end of the conversation once it was answered."""
        call = self.open.get(name)
        if call is not None and call.answered is not None:
            self.end(name, time, centre, cut_off=True)
        else:
            self.lose(name, time, "network_dropped", centre)

    def end(self, name: str, time: float, centre: Centre, *, transferred: bool = False, cut_off: bool = False) -> None:
        """The conversation is over. Many sources also tell the end of calls that were abandoned; those are closed already."""
        call = self._current(name, time, centre) if name in self.open else self._begin(name, time, centre)
        if call is None or call.ended is not None:
            return
        call.ended, call.transferred, call.cut_off = time, transferred, cut_off
        if call.answered is not None and call.offered is not None:
            self._count_end(name, call, call.offered, call.answered, time, centre)

    def overdue(self, now: float, centre: Centre) -> list[tuple[str, Call]]:
        """The open calls whose story will not be finished, as seen at `now`."""
        return [(name, call) for name, call in self.open.items() if _is_overdue(call, now, centre)]

    def sweep(self, now: float, centre: Centre) -> None:
        """Close every overdue call."""
        for name, call in self.overdue(now, centre):
            self._give_up(name, call, now, centre)

    def mark(self, name: str, place: Place, centre: Centre, *, test: bool) -> list[Counted]:
        """Take a call out of all figures that may fall, because it is a test, or bring it back. Returns as what it counted.

        Nothing is known of what was over before the call's arrival was told, of a call that has left the book, or of more than
        eight visits: those stay.
        """
        counted = list(place.counted())
        call = self.open.get(name)
        if call is not None:
            call.test = test
            if call.offered is not None:
                counted += entries(call.counted, place.time)
        answered = 0
        for what, time, _ in counted:
            if what == SPOKE:
                self.workload.spoke(None, answered, time, centre, -1 if test else 1)
            else:
                self._tally(what, time, -1 if test else 1, centre)
                answered = time
        return counted

    def _queue(self, name: str, centre: Centre) -> str:
        """Under which queue figures count what came to `name`, which has its totals then."""
        names = centre.names.queues
        queue = names[name]
        if queue in self.queues and queue in names.known:
            return queue
        queue = self.strangers.label("queue", name, names)
        if queue in self.queues:
            return queue
        if not names.known and len(self.queues) >= QUEUES:
            self.strangers.pass_over("queue")
            queue = OTHER
        self.queues.setdefault(queue, Queue())
        return queue

    def _begin(self, name: str, time: float, centre: Centre) -> Call:
        """A call that was not heard of yet."""
        if len(self.open) >= OPEN_CALLS:
            oldest = next(iter(self.open))
            self.strangers.pass_over("open_calls")
            self._give_up(oldest, self.open[oldest], time, centre)
        call = self.open[name] = Call(heard=time)
        return call

    def _current(self, name: str, time: float, centre: Centre) -> Call | None:
        """The open call of that name. One that is overdue is given up here, so that nobody who measured was told otherwise."""
        call = self.open.get(name)
        if call is not None and _is_overdue(call, time, centre):
            self._give_up(name, call, time, centre)
            return None
        return call

    def _count_answer(self, call: Call, offered: float, time: float, centre: Centre) -> None:
        # Two clocks can put the answer before the arrival: the wait was none.
        wait = max(0.0, time - offered)
        totals = self.queues[call.queue]
        totals.ended["answered"] = totals.ended.get("answered", 0) + 1
        totals.wait_answered.observe(wait)
        self._count_closed(call, offered, time, answer_kind(wait, centre.thresholds.service_level_seconds), centre)

    def _count_loss(self, name: str, call: Call, offered: float, loss: Loss, time: float, centre: Centre) -> None:
        totals = self.queues[call.queue]
        match loss:
            case "abandoned" | "short_abandoned":
                wait = max(0.0, time - offered)
                short = wait <= centre.thresholds.short_abandon_seconds
                loss = "short_abandoned" if short else "abandoned"
                kind = abandon_kind(wait, centre.thresholds.service_level_seconds, short)
                totals.wait_abandoned.observe(wait)
            case "overflowed":
                kind = OVERFLOWED
            case "network_dropped":
                kind = NETWORK_DROPPED
            case "blocked":
                kind = BLOCKED
            case "lost":
                kind = LOST
            case _:
                assert_never(loss)
        totals.ended[loss] = totals.ended.get(loss, 0) + 1
        self._count_closed(call, offered, time, kind, centre)
        self._close(name, call)

    def _count_closed(self, call: Call, offered: float, time: float, kind: int, centre: Centre) -> None:
        call.counted += entry(kind, int(time) - int(offered))
        self._tally(kind, time, 0 if call.test else 1, centre)
        self.waiting -= 1

    def _close(self, name: str, call: Call) -> None:
        del self.open[name]
        self.book.note(name, call.counted)

    def _tally(self, what: int, time: float, n: int, centre: Centre) -> None:
        """Count in the figures that may fall again: 0 of a test, which begins a day as others do, and -1 takes back."""
        if what in (NETWORK_DROPPED, CUT_OFF):
            self._count_taken(time, n)
        if what < OFFERED:
            self.window.add(time, what, n)
        elif what == CAME:
            what = OFFERED
        elif what == CUT_OFF:
            return
        if time >= self.day.end:
            self.day.begin(time, centre.timezone, KINDS)
            # Whoever waits over midnight is the day's first peak.
            self.peak_today = Peak(self.waiting, self.day.start)
        self.day.add(time, what, n)

    def _count_end(self, name: str, call: Call, offered: float, answered: float, time: float, centre: Centre) -> None:
        totals = self.queues[call.queue]
        totals.handle.observe(max(0.0, time - answered))
        self.workload.spoke(call.seat, answered, time, centre, 0 if call.test else 1)
        call.counted += entry(SPOKE, int(time) - int(offered))
        totals.transferred += call.transferred
        if call.cut_off:
            totals.cut_off += 1
            call.counted += entry(CUT_OFF, int(time) - int(offered))
            self._tally(CUT_OFF, time, 0 if call.test else 1, centre)
        self._close(name, call)

    def _count_taken(self, time: float, n: int) -> None:
        hour = int(time) // 3600
        if hour not in self.taken:
            self.taken = {known: calls for known, calls in self.taken.items() if known > hour - 168}
        self.taken[hour] = self.taken.get(hour, 0) + n

    def _give_up(self, name: str, call: Call, now: float, centre: Centre) -> None:
        if call.offered is None:
            # An end alone is no news: many sources tell it of calls that were closed before.
            self.unmatched += call.answered is not None or call.loss is not None
            del self.open[name]
        elif call.answered is not None:
            self.queues[call.queue].unended += 1
            self._close(name, call)
        elif call.ended is not None:
            # Over, and nobody answered: for a source that does not tell abandons.
            self._count_loss(name, call, call.offered, "abandoned", call.ended, centre)
        else:
            deadline = call.offered + centre.thresholds.give_up_waiting_seconds
            self._count_loss(name, call, call.offered, "lost", min(now, deadline), centre)


def _is_overdue(call: Call, now: float, centre: Centre) -> bool:
    limits = centre.thresholds
    if call.offered is None:
        return now - call.heard >= LATENESS
    if call.answered is not None:
        return now - call.answered >= limits.give_up_service_seconds
    if call.ended is not None:
        return now - call.ended >= SWEEP_SECONDS
    return now - call.offered >= limits.give_up_waiting_seconds

"""A journey: one caller's one attempt, from its arrival to its end, and the visit to a queue that it is on."""

from dataclasses import dataclass, field

from streams.core.centre import Centre
from streams.core.ledger import LATENESS
from streams.core.totals import Loss

TOGETHER_SECONDS = 2
"""Two sources of one exchange tell the same fact within this: a log cuts its clock to the second before."""

SWEEP_SECONDS = 60
"""How often, in event time, calls that will never end are looked for; also how long an end waits for its answer to arrive."""

PAST = 3
"""How many visits that are over are remembered of an open journey, to know what is told of them again."""


ANY_QUEUE = -1
"""Of what is remembered of a journey that was over and goes on, it is not known which queues it was in."""


def is_same(moment: float, other: float | None) -> bool:
    """Whether two tellings of one thing are about the same moment."""
    return other is not None and abs(moment - other) <= TOGETHER_SECONDS


def elapsed(start: float, end: float, centre: Centre) -> float | None:
    """Seconds from a moment to another; None where the end is told before the start, which is a fault of the data.

    It is none of an end that is cut to the second in which the start was, nor within `TOGETHER_SECONDS` where the centre's file
    says that several sources tell of one exchange, each by its own clock: that is one moment.
    """
    if end >= start:
        return end - start
    is_cut = end % 1 == 0 and int(start) == end
    return 0.0 if is_cut or (centre.sources and start - end <= TOGETHER_SECONDS) else None


@dataclass(slots=True)
class Visit:
    """One visit to a queue, as far as it was told: times are epoch seconds, or None. The queue of one that is none is empty.

    `assumed` says that only the arrival at the centre was told and the visit is taken to begin there.
    """

    queue: str = ""
    entered: float | None = None
    assumed: bool = False
    answered: float | None = None
    seat: str | None = None
    left: float | None = None
    """When its seat answered another call: it is over then, though its end may still be told."""
    ended: float | None = None
    cut_off: bool = False
    transferred: bool = False
    loss: Loss | None = None
    lost: float | None = None

    @property
    def is_waiting(self) -> bool:
        """Neither answered nor lost."""
        return self.answered is None and self.loss is None

    @property
    def is_answered(self) -> bool:
        """Answered, and no end was told."""
        return self.answered is not None and self.ended is None

    @property
    def is_talking(self) -> bool:
        """Answered, and not over."""
        return self.answered is not None and self.ended is None and self.left is None

    @property
    def began(self) -> float | None:
        """The earliest that is known of it."""
        if self.entered is not None:
            return self.entered
        if self.answered is not None:
            return self.answered
        return self.lost if self.lost is not None else self.ended


@dataclass(slots=True)
class Journey:
    """One journey that is not over: those of the city are counted from when they `begun`, others are only followed.

    `counted` is as what since, in the book's writing, and `start` when the book says that it came.
    """

    key: str
    exchange: str
    heard: float
    is_inside: bool = False
    """Whether it comes from an extension of the exchange."""
    city: bool = False
    begun: bool = False
    arrived: float | None = None
    answered: float | None = None
    queued: float | None = None
    """When it came into the first queue, once it has left that."""
    test: bool = False
    start: int = 0
    counted: str = ""
    talked: bool = False
    """Whether a conversation of it is over and counted: the call counts with the first."""
    visit: Visit = field(default_factory=Visit)
    past: tuple[tuple[int, int, int], ...] = ()
    """The visits before: which queue of the funnel's, and from when to when, in whole epoch seconds."""

    @property
    def is_waiting(self) -> bool:
        """A journey of the city that nobody has answered: in the announcement, in a queue, or between two."""
        return self.begun and self.answered is None

    @property
    def is_early(self) -> bool:
        """Nothing was told yet of how it came."""
        return self.visit.entered is None and self.arrived is None

    @property
    def is_its_first_talk(self) -> bool:
        """Somebody talks with its caller, and nobody did before."""
        return self.visit.is_answered and not self.past and not self.is_early

    def is_past(self, queue: int | None, time: float) -> bool:
        """Whether what is told of a moment (in that queue, if one is told) belongs to a visit that is over."""
        return any(
            entered - TOGETHER_SECONDS <= time <= left + TOGETHER_SECONDS and (queue in (None, number) or number == ANY_QUEUE)
            for number, entered, left in self.past
        )

    def is_overdue(self, now: float, centre: Centre) -> bool:
        """Whether its story will not be finished, as seen at `now`."""
        visit = self.visit
        came = visit.entered if self.arrived is None else self.arrived
        if came is None:
            return now - self.heard >= LATENESS
        if visit.answered is not None:
            return now - visit.answered >= centre.thresholds.give_up_service_seconds
        if visit.lost is not None:
            return now - visit.lost >= centre.thresholds.overflow_grace_seconds
        if visit.ended is not None:
            return now - visit.ended >= SWEEP_SECONDS
        return now - came >= centre.thresholds.give_up_waiting_seconds

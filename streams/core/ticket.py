"""One ticket: what was told of it, of its turns at agencies (OPD) and of its units."""

from dataclasses import dataclass, field

from streams.core.centre import Centre
from streams.core.ladder import deadlines, ladder_of
from streams.core.recent import STAGES, Stage


@dataclass(slots=True)
class Leg:
    """One agency's turn at a ticket, from when it was sent there. `opd` is as it was told: a reminder calls the agency so."""

    opd: str
    since: float
    answered: float | None = None


@dataclass(slots=True)
class Unit:
    """What was last told of one unit's work on a ticket."""

    opd: str
    time: float
    busy: bool


@dataclass(slots=True)
class Reminded:
    """A reminder of one rung: when the rung was passed, when the monitor said so, and whether the message was accepted."""

    due: float
    noticed: float
    accepted: bool = False


@dataclass(slots=True)
class Way:
    """The first units of a ticket, or of one agency on it, since it was opened or reopened: when one was sent out, and when
    one was on scene, which need not be the same.
    """

    dispatched: float | None = None
    arrived: float | None = None

    def dispatch(self, time: float, began: float | None) -> tuple[Stage, ...]:
        """A unit was sent out. Returns the stages that are known by that; `began` is when the ticket was opened or reopened.
        Until that is known, an earlier unit that is told later is the first.
        """
        if self.dispatched is not None and (began is not None or time >= self.dispatched):
            return ()
        self.dispatched = time
        if began is None:
            return ()
        return ("opened_to_dispatched",) if self.arrived is None else ("opened_to_dispatched", "dispatched_to_arrived")

    def arrive(self, time: float, began: float | None) -> tuple[Stage, ...]:
        """The same of a unit on scene."""
        if self.arrived is not None and (began is not None or time >= self.arrived):
            return ()
        self.arrived = time
        if began is None:
            return ()
        return ("opened_to_arrived",) if self.dispatched is None else ("opened_to_arrived", "dispatched_to_arrived")

    @property
    def known(self) -> tuple[Stage, ...]:
        """The stages that are known once the ticket's opening is."""
        if self.dispatched is None:
            return () if self.arrived is None else ("opened_to_arrived",)
        return ("opened_to_dispatched",) if self.arrived is None else STAGES[:3]

    def span(self, stage: Stage, began: float) -> tuple[float, float]:
        """From when to when a stage lasted that is known."""
        start = self.dispatched if stage == "dispatched_to_arrived" else began
        end = self.dispatched if stage == "opened_to_dispatched" else self.arrived
        assert start is not None
        assert end is not None
        return start, end


@dataclass(slots=True)
class Ticket:
    """The facts known of one ticket. A moment is epoch seconds, or None if it was not told yet.

    `first` are its first units, and `by` is the agency of the one that was sent out; `own` are each agency's, by its label.
    `deadlines` are of its last leg, by rung; `early` are answers told before the sending, by the agency's code.
    """

    heard: float
    category: str = ""
    call: str = ""
    district: str = ""
    opened: float | None = None
    reopened: float | None = None
    closed: float | None = None
    first: Way = field(default_factory=Way)
    by: str | None = None
    own: dict[str, Way] = field(default_factory=dict)
    legs: list[Leg] = field(default_factory=list)
    early: dict[str, float] = field(default_factory=dict)
    units: dict[str, Unit] = field(default_factory=dict)
    deadlines: dict[str, float] = field(default_factory=dict)
    reminders: dict[str, Reminded] = field(default_factory=dict)
    replayed: bool = False
    size: int = 0
    """Bytes that it takes at most as it is written, without its units."""

    @property
    def is_open(self) -> bool:
        """It was opened and is not closed."""
        return self.opened is not None and self.closed is None

    @property
    def worth(self) -> int:
        """In which order tickets are given up, the lowest first."""
        if self.closed is not None:
            return 0
        if self.opened is None:
            return 1
        return 2 if self.legs and self.legs[-1].answered is not None else 3

    @property
    def began(self) -> float | None:
        """When it was opened or, later, reopened; None if no opening was told."""
        return self.opened if self.opened is None or self.reopened is None else self.reopened

    @property
    def unanswered(self) -> Leg | None:
        """The turn of the agency that has an open ticket and has not answered; None if there is no such agency."""
        return self.legs[-1] if self.is_open and self.legs and self.legs[-1].answered is None else None

    @property
    def opd(self) -> str | None:
        """The agency that has it; None if that is nobody yet."""
        return self.legs[-1].opd if self.legs else self.by or next(iter(self.early), None)

    def weight(self, name: str) -> int:
        """Bytes that it takes at most as it is written, without its units."""
        texts = [
            name,
            self.category,
            self.call,
            self.district,
            self.by or "",
            *self.early,
            *self.deadlines,
            *self.reminders,
            *self.own,
        ]
        texts += [leg.opd for leg in self.legs]
        facts = 70 * len(self.legs) + 22 * (len(self.early) + len(self.deadlines)) + 84 * len(self.reminders)
        return 419 + facts + 67 * len(self.own) + len("".join(texts))

    def climb(self, centre: Centre) -> None:
        """Look up when the rungs of the last leg are passed; here, because holidays are slow to ask for."""
        leg = self.legs[-1]
        ladder = ladder_of(self.category, leg.opd, centre)
        due = deadlines(ladder, leg.since, leg.opd, centre)
        self.deadlines = {rung.name: time for rung, time in zip(ladder.rungs, due, strict=True)}


@dataclass(slots=True)
class Past:
    """What is remembered of a ticket that was closed more than an hour ago."""

    opd: str | None
    category: str
    closed: float

"""Totals: what became of calls since the first event, for each queue by its visits and for the city by its journeys."""

from dataclasses import dataclass, field
from typing import Literal

from streams.core.histogram import Histogram
from streams.core.window import Day

Clock = Literal["arrival", "queue"]
"""Where waiting is counted from: the arrival at the centre, or the entry into the queue where a source knows no better."""

Loss = Literal["abandoned", "short_abandoned", "overflowed", "network_dropped", "blocked", "lost", "announcement"]
Outcome = Literal["answered", "joined"] | Loss

OUTCOMES: tuple[Outcome, ...] = (
    "answered",
    "abandoned",
    "short_abandoned",
    "overflowed",
    "network_dropped",
    "blocked",
    "lost",
)
"""The closed classes of a visit. With the calls still waiting in the queue they always sum to offered."""

JOURNEY_OUTCOMES: tuple[Outcome, ...] = (*OUTCOMES, "announcement", "joined")
"""Those of a journey: it can also end in the announcement, before any queue; and a leg that was counted as a journey of its own
can be joined to another by a transfer.
"""


@dataclass(slots=True)
class Totals:
    """Calls offered, those ended by outcome, and the seconds that they waited."""

    clock: Clock = "arrival"
    offered: int = 0
    ended: dict[Outcome, int] = field(default_factory=dict)
    backward: dict[Outcome, int] = field(default_factory=dict)
    """Of these, those that were answered or abandoned before they came: how long they waited is not known."""
    wait_answered: Histogram = field(default_factory=Histogram)
    wait_abandoned: Histogram = field(default_factory=Histogram)
    wait_short_abandoned: Histogram = field(default_factory=Histogram)

    def end(self, outcome: Outcome, wait: float | None, n: int = 1) -> None:
        """One is over that waited so many seconds, if that is known; -1 takes back that it ended so."""
        self.ended[outcome] = self.ended.get(outcome, 0) + n
        waits = self.waits(outcome)
        if waits is None:
            return
        if wait is None:
            self.backward[outcome] = self.backward.get(outcome, 0) + n
        else:
            waits.observe(wait, n=n)

    def waits(self, outcome: Outcome) -> Histogram | None:
        """How long those waited who ended so, where that is counted."""
        match outcome:
            case "answered":
                return self.wait_answered
            case "abandoned":
                return self.wait_abandoned
            case "short_abandoned":
                return self.wait_short_abandoned
            case _:
                return None


@dataclass(slots=True)
class Queue(Totals):
    """The visits to one queue."""

    handle: Histogram = field(default_factory=Histogram)
    transferred: int = 0
    handle_backward: int = 0
    """Conversations that ended before they were answered."""
    cut_off: int = 0
    unended: int = 0


@dataclass(slots=True)
class Journeys(Totals):
    """The journeys of one city. `passed_on` are those that went to another centre, by its code; `passed_on_day` counts them of
    the last day, tests left out.
    """

    passed_on: dict[str, int] = field(default_factory=dict)
    passed_on_day: Day = field(default_factory=Day)
    restarts: int = 0
    restarted: float = 0.0
    """When an exchange last was, epoch seconds."""

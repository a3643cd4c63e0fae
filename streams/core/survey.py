"""Survey: weighted mean scores (WMS) of the five dimensions by which the town judges its 112."""

from dataclasses import dataclass, field

from schemas.survey import SurveyEvent
from streams.core.centre import Centre
from streams.core.ledger import Ledger
from streams.core.reading import Metric, Readings


@dataclass(slots=True)
class State:
    """The answers of one centre's survey."""

    ledger: Ledger = field(default_factory=Ledger)


def step(state: State, event: SurveyEvent, time: float, centre: Centre) -> None:
    """Remember one event; `time` is its own in epoch seconds."""


METRICS: tuple[Metric, ...] = ()


def measure(state: State, now: float, centre: Centre) -> Readings:
    """Say what is true at `now`."""
    yield from ()

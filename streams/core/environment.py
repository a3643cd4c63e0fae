"""Environment: how high the river stands, how fast it rises, and which weather warnings hold."""

from dataclasses import dataclass, field

from schemas.environment import EnvironmentEvent
from streams.core.centre import Centre
from streams.core.ledger import Ledger
from streams.core.reading import Metric, Readings


@dataclass(slots=True)
class State:
    """The gauges and warnings of one centre."""

    ledger: Ledger = field(default_factory=Ledger)


def step(state: State, event: EnvironmentEvent, time: float, centre: Centre) -> None:
    """Remember one event; `time` is its own in epoch seconds."""


METRICS: tuple[Metric, ...] = ()


def measure(state: State, now: float, centre: Centre) -> Readings:
    """Say what is true at `now`."""
    yield from ()

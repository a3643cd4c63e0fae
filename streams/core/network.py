"""Network: which links carry, how well, and how often they drop."""

from dataclasses import dataclass, field

from schemas.network import NetworkEvent
from streams.core.centre import Centre
from streams.core.ledger import Ledger
from streams.core.reading import Metric, Readings


@dataclass(slots=True)
class State:
    """The links of one centre."""

    ledger: Ledger = field(default_factory=Ledger)


def step(state: State, event: NetworkEvent, time: float, centre: Centre) -> None:
    """Remember one event; `time` is its own in epoch seconds."""


METRICS: tuple[Metric, ...] = ()


def measure(state: State, now: float, centre: Centre) -> Readings:
    """Say what is true at `now`."""
    yield from ()

"""Callers: what share is nuisance, whom a person should look at, and who hung up and was never heard again. Pseudonyms only."""

from dataclasses import dataclass, field

from schemas.callers import CallerEvent
from schemas.calls import Class
from streams.core.reading import Metric, Readings


@dataclass(slots=True)
class Callers:
    """The callers of one centre, as far as the last days remember them. Part of the state of calls."""

    classified: dict[str, int] = field(default_factory=dict)

    def offered(self, call: str, time: float, caller: str | None) -> None:
        """A call arrived."""

    def answered(self, call: str, time: float) -> None:
        """Somebody spoke with the caller."""

    def lost(self, call: str, time: float) -> None:
        """The call ended unanswered."""

    def classify(self, call: str, time: float, class_: Class) -> None:
        """A call taker said what the call was."""
        self.classified[class_] = self.classified.get(class_, 0) + 1

    def decide(self, event: CallerEvent, time: float) -> None:
        """Something was recommended, decided or done about a caller."""


CLASSIFIED_TOTAL = Metric("psap_calls_classified_total", "counter", "Calls by what they turned out to be.", ("class",))

METRICS: tuple[Metric, ...] = (CLASSIFIED_TOTAL,)


def measure(callers: Callers, now: float) -> Readings:
    """Say what is true at `now`."""
    for name, n in sorted(callers.classified.items()):
        yield CLASSIFIED_TOTAL, (name,), n

"""One weather warning: what was told of it last, and when it ceases to hold."""

from dataclasses import dataclass


@dataclass(slots=True, order=True)
class WeatherWarning:
    """One weather warning as last told. The order of the fields says which of two tellings holds: the later, then the longer.

    One that was taken back before it was told of has only `cancelled`.
    """

    told: float = 0.0
    expires: float = 0.0
    onset: float = 0.0
    event: str = ""
    severity: str = ""
    urgency: str = ""
    certainty: str = ""
    attribution: str = ""
    cancelled: float = 0.0

    @property
    def news(self) -> float:
        """When something was last told of it."""
        return max(self.told, self.cancelled)

    @property
    def is_cancelled(self) -> bool:
        """Whether it was taken back since it was last told of."""
        return self.cancelled >= self.told

    @property
    def end(self) -> float:
        """When it ceases to hold, epoch seconds."""
        return min(self.expires, self.cancelled) if self.is_cancelled else self.expires

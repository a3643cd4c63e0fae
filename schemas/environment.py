"""The river and the weather, which bring calls and take the network."""

from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from schemas.event import Code, Data, Event, Time, check_order

LONGEST_WARNING = timedelta(days=60)
"""Real ones hold for hours or days."""

Severity = Literal["Extreme", "Severe", "Moderate", "Minor", "Unknown"]
Urgency = Literal["Immediate", "Expected", "Future", "Past", "Unknown"]
Certainty = Literal["Observed", "Likely", "Possible", "Unlikely", "Unknown"]


class Reading(Data):
    """One look at a river gauge."""

    gauge: Code
    level_centimetres: Annotated[float, Field(ge=-1_000, le=10_000, allow_inf_nan=False)]


class Warned(Data):
    """A weather warning (CAP 1.2: the words are its own)."""

    warning: Code = Field(description="The warning's identifier.")
    event: Code = Field(description="What is warned of, such as hujan-lebat.")
    severity: Severity = "Unknown"
    urgency: Urgency = "Unknown"
    certainty: Certainty = "Unknown"
    onset: Time
    expires: Time = Field(description=f"Not before its onset, and at most {LONGEST_WARNING.days} days after it.")
    attribution: Code = Field(description="Who warns, such as BMKG; to be shown wherever the warning is.")

    @field_validator("expires")
    @classmethod
    def _in_order(cls, expires: datetime, beside: ValidationInfo) -> datetime:
        if "onset" in beside.data:
            check_order(expires, beside.data["onset"], "onset", LONGEST_WARNING)
        return expires


class Cancelled(Data):
    """A warning that no longer holds."""

    warning: Code


class GaugeRead(Event):
    """A river gauge was read."""

    type: Literal["gauge.read"] = "gauge.read"
    data: Reading


class WeatherWarned(Event):
    """A weather warning was issued, or updated under the same identifier."""

    type: Literal["weather.warned"] = "weather.warned"
    data: Warned


class WeatherCancelled(Event):
    """A weather warning was taken back."""

    type: Literal["weather.cancelled"] = "weather.cancelled"
    data: Cancelled


EnvironmentEvent = GaugeRead | WeatherWarned | WeatherCancelled

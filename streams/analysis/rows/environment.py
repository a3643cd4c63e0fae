"""A row a reading of a river gauge, and a row a weather warning, told by the environment's state while it remembers them."""

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from streams.analysis.rows.row import Done, Moment, Row, Seconds
from streams.core import environment
from streams.core.centre import Centre
from streams.core.environment import siaga
from streams.core.warning import WeatherWarning as Told
from streams.core.watch import EnvironmentWatch


@dataclass(slots=True, kw_only=True)
class Reading(Row):
    """How high a river stood at a gauge (psap_gauge_level_centimetres); of two readings at one moment the higher."""

    gauge: Annotated[str, "The gauge, by its code."]
    read: Annotated[Moment, "When it was read."]
    level_centimetres: Annotated[float, "DOUBLE", "The level of the river, in centimetres."]
    siaga: Annotated[
        int | None,
        "The alert level of that, 4 (the lowest) to 1 (psap_gauge_siaga); NULL of a gauge without bounds in the centre's file.",
    ] = None


@dataclass(slots=True, kw_only=True)
class WeatherWarning(Row):
    """A weather warning as it was told last (psap_weather_warning; CAP 1.2 words).

    One that was told again under its identifier over an hour after it ended has another row.
    """

    warning: Annotated[str, "The warning's identifier."]
    onset: Annotated[Moment, "From when it holds."]
    ended: Annotated[Moment, "Until when: it expires or was cancelled then. One that was cancelled before its onset never held."]
    expires: Annotated[Moment, "When it would cease to hold by itself."]
    cancelled: Annotated[Moment | None, "When it was taken back; NULL if it was not."] = None
    told: Annotated[Moment, "When it was last told of, before that."]
    held_seconds: Annotated[Seconds, "From its onset until it ceased to hold."] = 0.0
    event: Annotated[str, "What is warned of."]
    severity: Annotated[str, "Extreme, Severe, Moderate, Minor or Unknown."]
    urgency: Annotated[str, "Immediate, Expected, Future, Past or Unknown."]
    certainty: Annotated[str, "Observed, Likely, Possible, Unlikely or Unknown."]
    attribution: Annotated[str, "Who warns; to be shown wherever the warning is."]


@dataclass(slots=True)
class EnvironmentRows(EnvironmentWatch):
    """The rows of one centre's gauges and warnings, each done once the state cannot restate it."""

    remembered: ClassVar[tuple[str, ...]] = ("done",)
    centre: Centre
    done: list[Done] = field(default_factory=list)
    state: environment.State = field(default_factory=environment.State)

    def attach(self, state: environment.State) -> None:
        """Watch this state from now on."""
        self.state = state
        state.watch = self

    def finish(self, now: float) -> None:
        """Nothing more will be told: the rows of warnings that are still remembered are done as they stand."""
        for name, warning in self.state.warnings.items():
            self.over(name, warning)
        self.state.watch = None

    def read(self, gauge: str, level: float, time: float) -> None:
        named = next((each for each in self.centre.gauges if each.code == gauge), None)
        row = Reading(city=self.centre.code, gauge=gauge, read=time, level_centimetres=level)
        row.siaga = None if named is None else siaga(level, named)
        row.read_clock(time, self.centre)
        self.done.append(row)

    def over(self, name: str, warning: Told) -> None:
        if not warning.told:
            return  # only ever taken back
        row = WeatherWarning(
            city=self.centre.code,
            warning=name,
            onset=warning.onset,
            ended=warning.end,
            expires=warning.expires,
            cancelled=warning.cancelled if warning.is_cancelled else None,
            told=warning.told,
            held_seconds=max(0.0, warning.end - warning.onset),
            event=warning.event,
            severity=warning.severity,
            urgency=warning.urgency,
            certainty=warning.certainty,
            attribution=warning.attribution,
        )
        row.read_clock(warning.onset, self.centre)
        self.done.append(row)

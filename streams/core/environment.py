"""Environment: how high the river stands, how fast it rises (README.md, River), and which weather warnings hold."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Annotated, assert_never

from pydantic import Field, InstanceOf
from pydantic.json_schema import SkipJsonSchema

from schemas.environment import EnvironmentEvent, Warned
from streams.core.centre import GAUGES, Centre, Gauge
from streams.core.hourly import HOUR, WEEK_HOURS
from streams.core.ledger import LATENESS, Ledger
from streams.core.names import Strangers
from streams.core.reading import Metric, Readings
from streams.core.warning import WeatherWarning
from streams.core.watch import EnvironmentWatch

WARNINGS = 64
"""The most warnings of one centre that are remembered whole; those told last stay."""

_PART = re.compile(r"/info-[0-9]{1,4}$")

RISE_MINUTES = 30
LEVEL_SECONDS = 7_200
"""A level that is older is not said any more: a river rises from Siaga 4 to 1 in less."""


@dataclass(slots=True)
class GaugeState:
    """One gauge: its newest reading (of two at one moment the higher), and the lowest level of each minute (epoch / 60) that it
    was read in during the half hour before it, and of the newest one before these.
    """

    time: float
    level: float
    lows: dict[int, float] = field(default_factory=dict)

    @property
    def heard(self) -> float:
        """When it was last read."""
        return self.time

    @property
    def first(self) -> int:
        """The first minute of the last half hour that it was read in."""
        return int(self.time // 60) - RISE_MINUTES

    def unread(self) -> tuple[int, int] | None:
        """The two minutes between which it was last not read for over half an hour, the newer of them within the last half hour
        of readings. None where there are none, or over two hours lie between them.
        """
        resumed = min(minute for minute in self.lows if minute >= self.first)
        before = max((minute for minute in self.lows if minute < self.first), default=None)
        if before is None or not RISE_MINUTES < resumed - before <= LEVEL_SECONDS // 60:
            return None
        return before, resumed


@dataclass(slots=True)
class State:
    """The gauges and warnings of one centre. `hours` are those (epoch / 3600) touched by warnings that are forgotten."""

    ledger: Ledger = field(default_factory=Ledger)
    gauges: dict[str, GaugeState] = field(default_factory=dict)
    warnings: dict[str, WeatherWarning] = field(default_factory=dict)
    hours: list[int] = field(default_factory=list)
    strangers: Strangers = field(default_factory=Strangers)
    newest: float = 0.0
    watch: Annotated[InstanceOf[EnvironmentWatch] | None, SkipJsonSchema(), Field(exclude=True)] = None
    """Who is told what is remembered, if anybody is."""


def step(state: State, event: EnvironmentEvent, time: float, centre: Centre) -> None:
    """Remember one event; `time` is its own in epoch seconds."""
    state.newest = max(state.newest, time)
    match event.type:
        case "gauge.read":
            _read(state, event.data.gauge, event.data.level_centimetres, time, centre)
        case "weather.warned":
            known = state.warnings.get(event.data.warning, WeatherWarning())
            whole = state.warnings.get(_message(event.data.warning), known)
            told = _warning(event.data, time, max(known.cancelled, whole.cancelled))
            state.warnings[event.data.warning] = max(known, told)
            _forget(state)
        case "weather.cancelled":
            state.warnings.setdefault(event.data.warning, WeatherWarning())
            for name, known in state.warnings.items():
                if event.data.warning in (name, _message(name)):
                    state.warnings[name] = replace(known, cancelled=max(known.cancelled, time))
            _forget(state)
        case _:
            assert_never(event.type)


def _read(state: State, name: str, level: float, time: float, centre: Centre) -> None:
    names = centre.names.gauges
    key = names[name]
    gauge = state.gauges.get(key)
    if gauge is None:
        taken = state.strangers.take_in("gauge", name, names, state.gauges, GAUGES, time)
        if taken is None:
            return
        gauge = state.gauges[taken] = GaugeState(time, level)
    if state.watch is not None:
        state.watch.read(key, level, time)
    gauge.time, gauge.level = max((gauge.time, gauge.level), (time, level))
    minute = int(time // 60)
    gauge.lows[minute] = min(level, gauge.lows.get(minute, level))
    before = max((minute for minute in gauge.lows if minute < gauge.first), default=gauge.first)
    gauge.lows = {minute: low for minute, low in gauge.lows.items() if minute >= before}


def _message(warning: str) -> str:
    """The message that a warning is of: `MESSAGE/info-2` is the second of one. Taking back the message takes back all of them."""
    return _PART.sub("", warning)


def _warning(said: Warned, time: float, cancelled: float) -> WeatherWarning:
    return WeatherWarning(
        told=time,
        expires=said.expires.timestamp(),
        onset=said.onset.timestamp(),
        event=said.event,
        severity=said.severity,
        urgency=said.urgency,
        certainty=said.certainty,
        attribution=said.attribution,
        cancelled=cancelled,
    )


def _forget(state: State) -> None:
    """Keep only the hours of warnings of which nothing more can be told, and of those told first when there are too many."""
    by_news = sorted(state.warnings, key=lambda name: (state.warnings[name].news, name))
    known = [state.warnings[name] for name in by_news]
    over = [max(warning.end, warning.news) < state.newest - LATENESS for warning in known]
    if True not in over and len(by_news) <= WARNINGS:
        return
    holding = [name for name, is_over in zip(by_news, over, strict=True) if not is_over]
    kept = holding[-WARNINGS:]
    if len(kept) < len(holding):
        state.strangers.pass_over("warning", len(holding) - len(kept))
    first = int(state.newest // HOUR) - WEEK_HOURS
    gone = {name: state.warnings.pop(name) for name in by_news if name not in kept}
    hours = _hours(gone.values(), first * HOUR, state.newest)
    state.hours = sorted(hour for hour in hours.union(state.hours) if hour >= first)
    if state.watch is not None:
        for name, warning in gone.items():
            state.watch.over(name, warning)


def warned_hours(state: State, since: float, until: float) -> set[int]:
    """The hours (epoch / 3600) in which a warning held, from that of `since` to `until`, epoch seconds; of seven days at most."""
    first = max(since // HOUR, until // HOUR - WEEK_HOURS + 1) * HOUR
    earlier = {hour for hour in state.hours if first <= hour * HOUR < until}
    return earlier | _hours(state.warnings.values(), first, until)


def _hours(warnings: Iterable[WeatherWarning], since: float, until: float) -> set[int]:
    found: set[int] = set()
    for warning in warnings:
        start, end = max(warning.onset, since), min(warning.end, until)
        if start < end:
            found.update(range(int(start // HOUR), int(-(-end // HOUR))))
    return found


def siaga(level: float, gauge: Gauge) -> int:
    """The alert level of a river, 4 (the lowest) to 1, at a `level` in centimetres; the gauge says of which side a bound is."""
    return 4 - sum(level > bound or (level == bound and gauge.siaga_at == "from") for bound in gauge.siaga)


LEVEL = Metric(
    "psap_gauge_level_centimetres",
    "gauge",
    "Level of the river as last read. Absent when that is older than 2 hours.",
    ("gauge",),
)
SIAGA = Metric(
    "psap_gauge_siaga",
    "gauge",
    "Alert level of the river, 4 (the lowest) to 1, for gauges whose bounds the centre file has. A level exactly at a bound is "
    "still the lower alert, or already the higher where siaga_at of the gauge is from.",
    ("gauge",),
)
SIAGA_BOUND = Metric(
    "psap_gauge_siaga_bound_centimetres",
    "gauge",
    "Above this level (from it on, where siaga_at of the gauge is from) the river is at that alert level, 3, 2 or 1, for gauges "
    "in the centre file.",
    ("gauge", "siaga"),
)
RISE = Metric(
    "psap_gauge_rise_centimetres",
    "gauge",
    "Level as last read less the lowest of the last 30 minutes; 0 when it fell. Absent unless read in two of these minutes.",
    ("gauge",),
)
INTERVAL_RISE = Metric(
    "psap_gauge_interval_rise_centimetres",
    "gauge",
    "For a gauge that was not read for over 30 minutes, up to 2 hours, and then was: level as last read less the lowest since "
    "the reading before that interval, itself included; 0 when it fell. All of it may have come within half an hour. Absent with "
    "the level, and when the interval ended over 30 minutes before the last reading.",
    ("gauge",),
)
INTERVAL = Metric(
    "psap_gauge_interval_seconds",
    "gauge",
    "How long that interval is, between the minutes of its two readings.",
    ("gauge",),
)
RISE_LIMIT = Metric(
    "psap_gauge_rise_limit_centimetres",
    "gauge",
    "So much in 30 minutes, or over an interval in which nothing is known, is alarming, for gauges in the centre file.",
    ("gauge",),
)
LAST_READING = Metric("psap_gauge_last_reading_timestamp_seconds", "gauge", "When the gauge was last read.", ("gauge",))
WARNING = Metric(
    "psap_weather_warning",
    "gauge",
    "1 while a weather warning holds (CAP 1.2 words); attribution must be shown with it.",
    ("event", "severity", "urgency", "certainty", "attribution"),
)
WARNING_EXPIRES = Metric(
    "psap_weather_warning_expires_timestamp_seconds",
    "gauge",
    "When the last warning that holds now expires.",
    ("event", "attribution"),
)
METRICS = (LEVEL, SIAGA, SIAGA_BOUND, RISE, INTERVAL_RISE, INTERVAL, RISE_LIMIT, LAST_READING, WARNING, WARNING_EXPIRES)


def measure(state: State, now: float, centre: Centre) -> Readings:
    """Say what is true at `now`, epoch seconds."""
    watched = {gauge.code: gauge for gauge in centre.gauges}
    for name, gauge in sorted(state.gauges.items()):
        yield LAST_READING, (name,), min(gauge.time, now)
        if now - gauge.time > LEVEL_SECONDS:
            continue
        yield LEVEL, (name,), gauge.level
        if name in watched:
            yield SIAGA, (name,), siaga(gauge.level, watched[name])
        first = int(now // 60) - RISE_MINUTES
        lows = [low for minute, low in gauge.lows.items() if minute >= first]
        if len(lows) > 1:
            yield RISE, (name,), gauge.level - min(lows)
        if (interval := gauge.unread()) is not None:
            before, resumed = interval
            yield INTERVAL_RISE, (name,), gauge.level - min(gauge.lows.values())
            yield INTERVAL, (name,), (resumed - before) * 60
    for name in sorted(watched):
        for alert, bound in zip("321", watched[name].siaga, strict=True):
            yield SIAGA_BOUND, (name, alert), bound
        yield RISE_LIMIT, (name,), watched[name].rise_centimetres
    holding = [warning for warning in state.warnings.values() if warning.onset <= now < warning.end]
    for labels in sorted({(w.event, w.severity, w.urgency, w.certainty, w.attribution) for w in holding}):
        yield WARNING, labels, 1
    expires: dict[tuple[str, str], float] = {}
    for warning in holding:
        told = (warning.event, warning.attribution)
        expires[told] = max(warning.end, expires.get(told, warning.end))
    for told, end in sorted(expires.items()):
        yield WARNING_EXPIRES, told, end
    yield from state.strangers.measure()

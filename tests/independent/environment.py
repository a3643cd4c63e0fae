"""Environment: the river and the warnings at a moment."""

from collections import defaultdict
from typing import Any

from tests.independent.history import HOUR, MINUTE, Figures, History, moment, seconds

STALE = 2 * HOUR


def figures(history: History, now: int) -> Figures:
    """What was true of rivers and weather at `now`."""
    found: Figures = {}
    told = [event for event in history.of("gauge", "weather") if event.time <= now]
    if not told:
        return found
    for gauge in history.centre.get("gauges", ()):
        for siaga, bound in zip(("3", "2", "1"), gauge["siaga"], strict=True):
            found["psap_gauge_siaga_bound_centimetres", gauge["code"], siaga] = bound
        found["psap_gauge_rise_limit_centimetres", gauge["code"]] = gauge.get("rise_centimetres", 60)
    readings: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
    warnings: dict[str, dict[str, Any]] = {}
    for event in told:
        if event.type == "gauge.read":
            readings[event.data["gauge"]].append((event.time, event.data["level_centimetres"]))
        elif event.type == "weather.warned":
            warnings[event.data["warning"]] = event.data
        else:
            message = event.data["warning"]
            warnings = {
                name: data for name, data in warnings.items() if name != message and not name.startswith(f"{message}/info-")
            }
    for gauge, levels in readings.items():
        _say_gauge(found, history.centre, gauge, levels, now)
    holding = [each for each in warnings.values() if moment(each["onset"]) <= now < moment(each["expires"])]
    for each in holding:
        words = (each.get(name, "Unknown") for name in ("severity", "urgency", "certainty"))
        found["psap_weather_warning", each["event"], *words, each["attribution"]] = 1
        key = "psap_weather_warning_expires_timestamp_seconds", each["event"], each["attribution"]
        found[key] = max(seconds(moment(each["expires"])), *(said for said in [found.get(key)] if isinstance(said, float)), 0.0)
    return found


def _say_gauge(found: Figures, centre: dict[str, Any], gauge: str, levels: list[tuple[int, float]], now: int) -> None:
    last, level = levels[-1]
    found["psap_gauge_last_reading_timestamp_seconds", gauge] = seconds(last)
    if now - last > STALE:
        return
    found["psap_gauge_level_centimetres", gauge] = level
    for each in centre.get("gauges", ()):
        if each["code"] == gauge:
            is_from = each.get("siaga_at", "above") == "from"
            passed = (level >= bound if is_from else level > bound for bound in each["siaga"])
            found["psap_gauge_siaga", gauge] = 4 - sum(passed)
    first = now // MINUTE - 30
    lately = [(time // MINUTE, read) for time, read in levels if time // MINUTE >= first]
    if len({minute for minute, _ in lately}) >= 2:
        found["psap_gauge_rise_centimetres", gauge] = level - min(read for _, read in lately)
    _say_interval(found, gauge, [(time // MINUTE, read) for time, read in levels], level)


def _say_interval(found: Figures, gauge: str, levels: list[tuple[int, float]], level: float) -> None:
    """What may have risen while the gauge was not read."""
    first = levels[-1][0] - 30
    resumed = min(minute for minute, _ in levels if minute >= first)
    stopped = max((minute for minute, _ in levels if minute < first), default=None)
    if stopped is not None and 30 < resumed - stopped <= 120:
        lowest = min(read for minute, read in levels if minute == stopped or minute >= resumed)
        found["psap_gauge_interval_rise_centimetres", gauge] = level - lowest
        found["psap_gauge_interval_seconds", gauge] = (resumed - stopped) * 60

"""Arrivals: how many calls came beside how many should have, and how improbable a surge or a silence is."""

from typing import get_args

from streams.core.centre import Centre
from streams.core.forecast import Forecast, Reason
from streams.core.hourly import HOUR
from streams.core.probability import at_least, band
from streams.core.reading import Metric, Readings

WINDOWS = {"15m": 900, "60m": 3600}
"""Rolling windows in seconds."""

EXPECTED = Metric(
    "psap_calls_expected",
    "gauge",
    "Calls that this hour should bring, as could be said when it began: profile x level (streams/core/README.md); "
    "absent until 3 hours of this time of day were seen.",
    ("basis",),
)
HOURS_BEHIND = Metric("psap_calls_expected_hours", "gauge", "Past hours that psap_calls_expected is made of (n), of its basis.")
LEVEL = Metric(
    "psap_calls_level",
    "gauge",
    "Calls of the last hours / those that the profile expects (streams/core/README.md); 1 is as usual.",
)
SCATTER = Metric(
    "psap_calls_scatter",
    "gauge",
    "How much hours differ from what was expected, beyond chance: s of the variance m + s m² of an hour whose mean is m.",
)
UNSEEN = Metric(
    "psap_hours_unseen",
    "gauge",
    "Hours of the last 5 weeks that teach nothing, because not all of their calls were seen: silence or link (it brought none "
    "for so long that it was no chance), late (some came too late, and less than half was counted).",
    ("reason",),
)
ARRIVED = Metric("psap_calls_arrived", "gauge", "Calls that came in the window, but for tests.", ("window",))
EXPECTED_WINDOW = Metric(
    "psap_calls_expected_window", "gauge", "Calls that the window just past should have brought.", ("window",)
)
LOWER = Metric(
    "psap_calls_expected_window_lower",
    "gauge",
    "Of 40 such windows, one brings fewer calls: the quantile of 0.025, negative binomial of mean psap_calls_expected_window and "
    "of psap_calls_scatter.",
    ("window",),
)
UPPER = Metric(
    "psap_calls_expected_window_upper", "gauge", "Of 40 such windows, one brings more calls: the quantile of 0.975.", ("window",)
)
SURGE = Metric(
    "psap_surge_probability",
    "gauge",
    "How probable it is that chance alone brings as many calls as came in the window: P(X >= arrived), negative binomial of "
    "psap_calls_scatter (Poisson where that is 0) and the mean psap_calls_expected_window, more 1 / (psap_calls_expected_hours "
    "+ 1) per hour.",
    ("window",),
)
LAST_CALL = Metric("psap_last_call_timestamp_seconds", "gauge", "When the newest call came.")
SILENCE = Metric("psap_silence_expected_calls", "gauge", "Calls that should have come since the last one (x).")
SILENCE_PROBABILITY = Metric(
    "psap_silence_probability",
    "gauge",
    "How probable it is that a day has, by chance, as long a silence as there is now: 1 - exp(-N P), with P = P(no call) of "
    "x = psap_silence_expected_calls (negative binomial, psap_calls_scatter) and N calls in the newest hour with calls and the "
    "24 before.",
)
LINK_SILENCE = Metric(
    "psap_link_silence_expected_calls",
    "gauge",
    "Calls that should have come on the link since its last one: those of the centre, times the link's share.",
    ("link",),
)
LINK_SILENCE_PROBABILITY = Metric(
    "psap_link_silence_probability",
    "gauge",
    "The same as psap_silence_probability of one link, with its share of x and of N.",
    ("link",),
)
LINK_LAST_CALL = Metric("psap_link_last_call_timestamp_seconds", "gauge", "When the newest call on the link came.", ("link",))

METRICS = (
    EXPECTED,
    HOURS_BEHIND,
    LEVEL,
    SCATTER,
    UNSEEN,
    ARRIVED,
    EXPECTED_WINDOW,
    LOWER,
    UPPER,
    SURGE,
    LAST_CALL,
    SILENCE,
    SILENCE_PROBABILITY,
    LINK_SILENCE,
    LINK_SILENCE_PROBABILITY,
    LINK_LAST_CALL,
)


def measure(forecast: Forecast, now: float, centre: Centre) -> Readings:
    """Say what is true at `now`."""
    if not forecast.counts:
        return
    hour = int(now) // HOUR
    expected, scatter = forecast.expected(hour, centre), forecast.scatter(hour, centre)
    if expected is not None:
        yield EXPECTED, (expected.basis,), expected.mean
        yield HOURS_BEHIND, (), expected.n
        yield LEVEL, (), forecast.level_of(hour, centre)
        yield SCATTER, (), scatter
    for reason in get_args(Reason):
        yield UNSEEN, (reason,), sum([why == reason for why in forecast.blank.values()])
    for (window, seconds), [arrived] in zip(
        WINDOWS.items(), forecast.window.counts(now, tuple(WINDOWS.values()), 1), strict=True
    ):
        yield ARRIVED, (window,), arrived
        mean = forecast.expected_between(now - seconds, now, centre)
        if mean is not None and expected is not None:
            lower, upper = band(mean, scatter)
            yield EXPECTED_WINDOW, (window,), mean
            yield LOWER, (window,), lower
            yield UPPER, (window,), upper
            yield SURGE, (window,), at_least(arrived, mean + seconds / HOUR / (expected.n + 1), scatter)
    yield LAST_CALL, (), min(now, forecast.last)
    silence = forecast.silence(forecast.last, now, 1.0, centre)
    if silence is not None:
        yield SILENCE, (), silence[0]
        yield SILENCE_PROBABILITY, (), silence[1]
    for name, carried in sorted(forecast.links.items()):
        yield LINK_LAST_CALL, (name,), min(now, carried.last)
        share = forecast.share(carried)
        silence = None if share is None else forecast.silence(carried.last, now, share, centre)
        if silence is not None:
            yield LINK_SILENCE, (name,), silence[0]
            yield LINK_SILENCE_PROBABILITY, (name,), silence[1]

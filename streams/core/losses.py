"""Losses: whether calls are lost to the network when links drop and when the weather warns. Counts side by side, no cause."""

from collections.abc import Mapping

from streams.core import environment, network
from streams.core.forecast import Forecast
from streams.core.hourly import HOUR, WEEK_HOURS
from streams.core.proportion import wilson
from streams.core.reading import Metric, Readings

_ABOUT = (
    " over this hour of the clock (UTC) and the 167 before, from the first with a call to the newest, by hours that a condition "
    "touched: link_down or warning; or not, of those that were seen whole (psap_hours_unseen): links_up, no_warning. Tests are "
    "left out."
)
RATIO = Metric(
    "psap_network_loss_ratio",
    "gauge",
    "Calls that the network took or cut off / calls offered," + _ABOUT + " What goes together need not be a cause.",
    ("condition",),
)
LOWER = Metric("psap_network_loss_ratio_lower", "gauge", "Wilson 95 % lower bound of psap_network_loss_ratio.", ("condition",))
UPPER = Metric("psap_network_loss_ratio_upper", "gauge", "Wilson 95 % upper bound of psap_network_loss_ratio.", ("condition",))
CALLS = Metric("psap_network_loss_calls", "gauge", "Calls that psap_network_loss_ratio is about (n).", ("condition",))
TOUCHED = Metric("psap_network_loss_hours", "gauge", "Hours that psap_network_loss_ratio is about.", ("condition",))

METRICS = (RATIO, LOWER, UPPER, CALLS, TOUCHED)


def measure(
    lost: Mapping[int, int], forecast: Forecast, links: network.State | None, weather: environment.State | None, now: float
) -> Readings:
    """Say what is true at `now`; nothing of links or weather where nobody tells of them.

    `lost` are the calls that the network took, by hour (epoch seconds // 3600).
    """
    last = int(now) // HOUR
    offered = forecast.hourly(last - WEEK_HOURS + 1, last)
    if not offered:
        return
    since, unseen = float(min(offered) * HOUR), forecast.unseen()
    if links is not None:
        yield from _measure_both(lost, offered, network.down_hours(links, since, now), unseen, ("link_down", "links_up"))
    if weather is not None:
        yield from _measure_both(lost, offered, environment.warned_hours(weather, since, now), unseen, ("warning", "no_warning"))


def _measure_both(
    lost: Mapping[int, int], offered: dict[int, int], touched: set[int], unseen: frozenset[int], names: tuple[str, str]
) -> Readings:
    # Of what hours are compared with, all must have been seen.
    for name, hours in zip(names, (offered.keys() & touched, offered.keys() - touched - unseen), strict=True):
        n = sum(offered[hour] for hour in hours)
        yield TOUCHED, (name,), len(hours)
        yield CALLS, (name,), n
        if n:
            # A call can be cut off in an hour after the one it came in.
            taken = min(n, sum(lost.get(hour, 0) for hour in hours))
            lower, upper = wilson(taken, n)
            yield RATIO, (name,), taken / n
            yield LOWER, (name,), lower
            yield UPPER, (name,), upper

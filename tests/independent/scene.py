"""The time to the scene: how long the stages of tickets took, and what share was reached in time, whole and by whom."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from tests.independent.history import HOUR, MINUTE, SECOND, Figures, History, buckets, midnight, say_ratio, seconds

if TYPE_CHECKING:
    from tests.independent.dispatch import Desk

BOUNDS = (30.0, 60.0, 120.0, 240.0, 420.0, 480.0, 900.0, 1800.0, 3600.0, 14_400.0, 86_400.0, 172_800.0, 259_200.0)
QUANTILES = {"0.5": 0.5, "0.9": 0.9}
LIMITS = (480, 900)


def figures(history: History, desk: Desk, now: int) -> Figures:
    """How long the stages had taken by `now`."""
    found: Figures = {}
    week, centre = midnight(now, history.zone, -6), history.centre
    target = centre.get("thresholds", {}).get("scene_seconds", 900)
    waits = _waits(desk, now)
    for (scope, *labels, stage), took in desk.stages.items():
        found[f"psap_{scope}_stage_seconds", *labels, stage] = buckets((end - start for start, end in took), BOUNDS)
        lags = [_up(end - start) for start, end in took if end >= week]
        still = waits[(scope, *labels, stage)]
        found[f"psap_{scope}_stage_tickets", *labels, stage] = len(lags)
        for quantile, share in QUANTILES.items() if lags else ():
            key = f"psap_{scope}_stage_quantile_seconds", *labels, stage, quantile
            found[key] = seconds(percentile(lags, still, share))
        for limit in sorted({*LIMITS, target}) if lags and stage == "opened_to_arrived" else ():
            n = len(lags) + sum(lasted > limit * SECOND for lasted in still)
            found[f"psap_{scope}_scene_tickets", *labels, f"{limit:g}"] = n
            good = sum(lag <= limit * SECOND for lag in lags)
            say_ratio(found, f"psap_{scope}_scene_ratio", (*labels, f"{limit:g}"), good, n)
    _say_unreached(found, history, desk, now, target)
    return found


def percentile(lags: list[int], still: list[int], share: float) -> int:
    """By the product-limit estimate of Kaplan and Meier, of lags and of how long those have lasted that still go on."""
    left, at_risk = 1.0, sorted([*lags, *still])
    for lag, ended in sorted(Counter(lags).items()):
        left *= 1 - ended / (len(at_risk) - bisect_left(at_risk, lag))
        if left <= 1 - share + 1e-9:
            return lag
    return max([*lags, *still])


def _up(lag: int) -> int:
    """A lag rounded up: to the second up to an hour, to the minute above."""
    unit = SECOND if lag <= HOUR else MINUTE
    return min(-(-lag // unit) * unit, 9_999_960 * SECOND)


def _waits(desk: Desk, now: int) -> defaultdict[tuple[str, ...], list[int]]:
    """How long open tickets have lasted without a unit on scene."""
    waits: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for ticket in desk.tickets.values():
        if ticket.closed is not None or ticket.first.arrived is not None:
            continue
        since = [("opened_to_arrived", ticket.began, ticket.opd)]
        if ticket.first.dispatched is None:
            since.append(("opened_to_dispatched", ticket.began, ticket.opd))
        else:
            since.append(("dispatched_to_arrived", ticket.first.dispatched, ticket.by))
        for stage, began, opd in since:
            for scope in (("city",), ("category", ticket.category), ("ticket", opd or "none")):
                waits[(*scope, stage)].append(now - began)
    return waits


def _say_unreached(found: Figures, history: History, desk: Desk, now: int, target: float) -> None:
    categories = history.named("categories")
    for category in {ticket.category for ticket in desk.tickets.values()}:
        found["psap_category_info", category, categories.get(category, {}).get("ladder", "routine")] = 1
        unreached = [t for t in desk.tickets.values() if t.category == category and t.first.arrived is None]
        open_, closed = ([t for t in unreached if (t.closed is None) is is_open] for is_open in (True, False))
        found["psap_tickets_unreached", category] = sum(now - ticket.began > target * SECOND for ticket in open_)
        found["psap_tickets_closed_unreached_total", category] = sum(now - (t.closed or now) >= HOUR for t in closed)

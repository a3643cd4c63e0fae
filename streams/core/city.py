"""All that is known of one centre, and the only place where nouns meet."""

from __future__ import annotations  # the fields are named as the modules

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from streams.core import calls, dispatch, environment, losses, names, network, operators, patience, staffing, survey
from streams.core.centre import Centre
from streams.core.reading import Metric, Readings

NOUNS: Mapping[str, Any] = {
    "calls": calls,
    "operators": operators,
    "dispatch": dispatch,
    "network": network,
    "environment": environment,
    "survey": survey,
}
"""Each noun's aggregate: a module with `State`, `step`, `measure` and `METRICS`."""

METRICS: tuple[Metric, ...] = (
    *(metric for noun in NOUNS.values() for metric in noun.METRICS),
    *losses.METRICS,
    *names.METRICS,
    *patience.METRICS,
    *staffing.METRICS,
)


@dataclass(frozen=True, slots=True)
class City:
    """The states of one centre; None for a noun of which nothing was told."""

    calls: calls.State | None = None
    operators: operators.State | None = None
    dispatch: dispatch.State | None = None
    network: network.State | None = None
    environment: environment.State | None = None
    survey: survey.State | None = None


def measure(city: City, now: float, centre: Centre) -> Readings:
    """Say what is true of a centre at `now`, epoch seconds. A state folds its own topic only; what joins them is joined here."""
    of_calls = calls.settled(city.calls or calls.State(), now, centre)
    parts = [calls.measure(of_calls, now, centre)]
    talking = calls.talking(of_calls)
    of_seats = city.operators or operators.State()
    looks = operators.look(of_seats, talking, of_calls.funnel.workload, now, centre)
    parts.append(operators.measure(of_seats, looks, now, centre))
    if city.dispatch:
        parts.append(dispatch.measure(city.dispatch, now, centre))
    if city.network:
        parts.append(network.measure(city.network, now, centre))
    if city.environment:
        parts.append(environment.measure(city.environment, now, centre))
    if city.survey:
        parts.append(survey.measure(city.survey, now, centre))
    parts.append(losses.measure(of_calls.funnel.taken, of_calls.forecast, city.network, city.environment, now))
    wrapped_up = operators.wrapped_up(of_seats, looks)
    queued = of_calls.funnel.patience.queued(of_calls.forecast.unseen())
    parts.append(patience.measure(queued))
    basis = staffing.Basis(of_calls.forecast, of_calls.funnel.workload, wrapped_up, queued.patience)
    parts.append(staffing.measure(basis, now, centre))
    return chain.from_iterable(parts)

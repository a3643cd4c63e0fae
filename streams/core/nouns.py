"""All nouns of one centre, and the only place where they meet."""

from __future__ import annotations  # the fields are named as the modules

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from streams.core import (
    burst,
    calls,
    dispatch,
    environment,
    losses,
    names,
    network,
    operators,
    patience,
    response,
    staffing,
    survey,
)
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
    *burst.METRICS,
    *losses.METRICS,
    *names.METRICS,
    *patience.METRICS,
    *response.METRICS,
    *staffing.METRICS,
)


STATE_VERSION = 10
"""Goes up when what a state says, or how it is written, changes; a step in `streams.worker.migrations` then says how."""


@dataclass(frozen=True, slots=True)
class States:
    """The states of one centre; None for a noun of which nothing was told."""

    calls: calls.State | None = None
    operators: operators.State | None = None
    dispatch: dispatch.State | None = None
    network: network.State | None = None
    environment: environment.State | None = None
    survey: survey.State | None = None


def measure(states: States, now: float, centre: Centre) -> Readings:
    """Say what is true of a centre at `now`, epoch seconds. A state folds its own topic only; what joins them is joined here."""
    of_calls, of_seats, looks = _together(states, now, centre)
    basis = _basis(of_calls, of_seats, looks)
    parts = [calls.measure(of_calls, now, centre), operators.measure(of_seats, looks, now, centre)]
    if states.dispatch:
        parts.append(dispatch.measure(states.dispatch, now, centre))
        parts.append(response.measure(of_calls, states.dispatch, now, centre))
    if states.network:
        parts.append(network.measure(states.network, now, centre))
    if states.environment:
        parts.append(environment.measure(states.environment, now, centre))
    if states.survey:
        parts.append(survey.measure(states.survey, now, centre))
    parts.append(burst.measure(of_calls, states.dispatch, now, centre))
    parts.append(losses.measure(of_calls.funnel.taken, of_calls.forecast, states.network, states.environment, now))
    parts.append(patience.measure(basis.queued))
    parts.append(staffing.measure(basis, now, centre))
    return chain.from_iterable(parts)


def seats(states: States, now: float, centre: Centre) -> Iterator[staffing.Row]:
    """What each of the 168 hours from the one `now` is in needs."""
    return staffing.table(_basis(*_together(states, now, centre)), now, centre)


def _together(states: States, now: float, centre: Centre) -> tuple[calls.State, operators.State, dict[str, operators.Look]]:
    """The calls as they stand at `now`, and the seats as they are seen by what calls and they themselves tell."""
    of_calls = calls.settled(states.calls or calls.State(), now, centre)
    of_seats = states.operators or operators.State()
    return of_calls, of_seats, operators.look(of_seats, calls.talking(of_calls), of_calls.funnel.workload, now, centre)


def _basis(of_calls: calls.State, of_seats: operators.State, looks: dict[str, operators.Look]) -> staffing.Basis:
    queued = of_calls.funnel.patience.queued(of_calls.forecast.unseen())
    wrapped_up = operators.wrapped_up(of_seats, looks)
    return staffing.Basis(of_calls.forecast, of_calls.funnel.workload, wrapped_up, queued)

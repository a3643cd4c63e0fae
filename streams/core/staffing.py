"""Staffing: how many seats this hour needs for what it should bring, beside those that are scheduled."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from streams.core.centre import Centre
from streams.core.erlang import TARGETS, seats_needed
from streams.core.forecast import HOUR, Forecast
from streams.core.funnel import Funnel
from streams.core.reading import Metric, Readings
from streams.core.shifts import scheduled_seconds

Model = Literal["erlang_c", "erlang_a"]
MODELS: tuple[Model, ...] = ("erlang_c", "erlang_a")

FEWEST_CONVERSATIONS = 30
"""A handle time is believed of so many conversations: of this hour of the week, else of all."""

FEWEST_ABANDONS = 30
"""And a patience of so many callers who hung up."""


FOR_EVER = 100
"""Who has the patience for so many conversations waits for ever: more of it changes only how long Erlang A takes to compute."""


@dataclass(frozen=True, slots=True)
class Need:
    """What one hour needs: calls expected, mean handle time in seconds over `n` conversations, and seats by model and target."""

    calls: float
    handle: float
    n: int
    patience: float | None
    seats: dict[tuple[Model, str], int]

    @property
    def erlangs(self) -> float:
        """Offered load: how many seats would be busy without a break."""
        return self.calls * self.handle / HOUR


def patience(funnel: Funnel) -> float | None:
    """Mean patience in seconds: all time that callers waited / those who hung up; None of too few.

    The maximum likelihood estimate of an exponential patience of which the answered saw only a part (Garnett, Mandelbaum,
    Reiman 2002).
    """
    hung_up = (funnel.journeys.wait_abandoned, funnel.journeys.wait_short_abandoned)
    waited = funnel.journeys.wait_answered.sum + sum(waits.sum for waits in hung_up)
    gave_up = sum(sum(waits.counts) for waits in hung_up)
    return waited / gave_up if gave_up >= FEWEST_ABANDONS and waited > 0 else None


def need(forecast: Forecast, funnel: Funnel, time: float, centre: Centre) -> Need | None:
    """What the hour that `time`, epoch seconds, is in needs; None where calls or conversations are too few to say."""
    expected = forecast.expected(int(time) // HOUR, centre)
    n, seconds = funnel.workload.handle(time, centre.timezone)
    if n < FEWEST_CONVERSATIONS:
        n, seconds = funnel.workload.total()
    if expected is None or n < FEWEST_CONVERSATIONS or seconds <= 0:
        return None
    # Rounded, so that what hardly changes is computed once: calls to a tenth, handle time and patience to a second.
    calls, handle, patient = round(expected.mean, 1), max(1.0, round(seconds / n)), patience(funnel)
    patient = None if patient is None else max(1.0, round(patient))
    seats: dict[tuple[Model, str], int] = {}
    for target in TARGETS:
        seats["erlang_c", target] = seats_needed(calls, handle, None, target)
        if patient is not None:
            seats["erlang_a", target] = seats_needed(calls, handle, min(patient, FOR_EVER * handle), target)
    return Need(calls, handle, n, patient, seats)


def table(forecast: Forecast, funnel: Funnel, now: float, centre: Centre) -> Iterator[tuple[float, Need | None, float]]:
    """For each of the 168 hours from the one `now` is in: when it begins, epoch seconds, what it needs, and seats scheduled."""
    for number in range(168):
        start = (int(now) // HOUR + number) * HOUR
        yield start, need(forecast, funnel, start, centre), _scheduled(start, start + HOUR, centre)


def _scheduled(since: float, until: float, centre: Centre) -> float:
    return scheduled_seconds(centre.shifts, since, until, centre.timezone) / (until - since)


REQUIRED = Metric(
    "psap_seats_required",
    "gauge",
    "Seats that this hour needs to answer 90 % within 15 s or 95 % within 20 s (NENA-STA-020.1-2020) of the calls expected: "
    "erlang_c, if callers wait for ever; erlang_a, if they lose patience as measured.",
    ("model", "target"),
)
ERLANGS = Metric("psap_seats_erlangs", "gauge", "Offered load of this hour: calls expected x mean handle time / 3600 s.")
HANDLE = Metric("psap_handle_seconds_mean", "gauge", "Mean handle time behind psap_seats_required: of this hour of the week.")
HANDLED = Metric("psap_handle_calls", "gauge", "Conversations that psap_handle_seconds_mean is about (n).")
PATIENCE = Metric("psap_patience_seconds_mean", "gauge", "Mean patience of callers: time waited by all / those who hung up.")
SCHEDULED = Metric("psap_seats_scheduled", "gauge", "Seats to be staffed now, by the shifts of the centre's file.")

METRICS = (REQUIRED, ERLANGS, HANDLE, HANDLED, PATIENCE, SCHEDULED)


def measure(forecast: Forecast, funnel: Funnel, now: float, centre: Centre) -> Readings:
    """Say what is true at `now`."""
    found = need(forecast, funnel, now, centre)
    if found is not None:
        for (model, target), seats in found.seats.items():
            yield REQUIRED, (model, target), seats
        yield ERLANGS, (), found.erlangs
        yield HANDLE, (), found.handle
        yield HANDLED, (), found.n
        if found.patience is not None:
            yield PATIENCE, (), found.patience
    if centre.shifts:
        yield SCHEDULED, (), _scheduled(now, now + 1, centre)

"""Staffing: how many seats this hour needs for what it should bring, beside those that are scheduled.

The formulas are in `streams/core/README.md`, Handle time and load, Seats required.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from streams.core.centre import Centre
from streams.core.erlang import TARGETS, seats_needed
from streams.core.forecast import Forecast
from streams.core.hourly import DAY_HOURS, HOUR, WEEK_HOURS, Hourly, part
from streams.core.patience import Queued
from streams.core.reading import Metric, Readings
from streams.core.shifts import scheduled_seconds
from streams.core.workload import Workload

Model = Literal["erlang_c", "erlang_a"]
MODELS: tuple[Model, ...] = ("erlang_c", "erlang_a")

FEWEST_CALLS = 30
"""A handle time is believed of so many calls: of this hour of the week, else of this hour of all days, else of all hours."""


class Handled(NamedTuple):
    """Mean handle time: how many seconds of seats a call takes, conversations and wrap-up together, over `n` calls."""

    seconds: float
    n: int


class Basis(NamedTuple):
    """What the needs of a centre follow from: arrivals, conversations, the microseconds of wrap-ups that were told by hour, and
    those who queued.
    """

    forecast: Forecast
    workload: Workload
    wrapped_up: Hourly
    queued: Queued


@dataclass(frozen=True, slots=True)
class Need:
    """What one hour needs: calls expected, how long each takes, and seats by model and target, infinite for more than can be
    computed.
    """

    calls: float
    handled: Handled
    seats: dict[tuple[Model, str], float]

    @property
    def erlangs(self) -> float:
        """Offered load: how many seats would be busy without a break."""
        return self.calls * self.handled.seconds / HOUR


class Row(NamedTuple):
    """One hour: when it begins, epoch seconds, what it needs, and seats scheduled."""

    start: float
    need: Need | None
    scheduled: float


def handled(basis: Basis, hour: int, centre: Centre) -> Handled | None:
    """The mean handle time of an hour (epoch seconds // 3600); None of too few calls.

    In an hour before the first wrap-up that was told, or after the last, a call has the `wrap_up_seconds` of the centre's file.
    """
    workload, wrapped_up = basis.workload, basis.wrapped_up
    for stride in (WEEK_HOURS, DAY_HOURS, 1):
        hours = workload.calls.like(hour, stride)
        n = workload.calls.over(hours)
        if n >= FEWEST_CALLS:
            untold = n - workload.calls.over(part(hours, wrapped_up.first, wrapped_up.last))
            told = workload.microseconds.over(hours) + wrapped_up.over(hours)
            return Handled((told / 1e6 + untold * centre.wrap_up_seconds) / n, n)
    return None


def need(basis: Basis, time: float, centre: Centre) -> Need | None:
    """What the hour that `time`, epoch seconds, is in needs; None where calls are too few to say."""
    hour = int(time) // HOUR
    return _need(basis, hour, handled(basis, hour, centre), centre)


def _need(basis: Basis, hour: int, handle: Handled | None, centre: Centre) -> Need | None:
    expected = basis.forecast.expected(hour, centre)
    if expected is None or handle is None or handle.seconds <= 0:
        return None
    erlangs = expected.mean * handle.seconds / HOUR
    seats: dict[tuple[Model, str], float] = {}
    for target in TARGETS:
        seats["erlang_c", target] = seats_needed(erlangs, handle.seconds, None, target)
        if basis.queued.patience is not None:
            seats["erlang_a", target] = seats_needed(erlangs, handle.seconds, basis.queued.patience, target)
    return Need(expected.mean, handle, seats)


def table(basis: Basis, now: float, centre: Centre) -> Iterator[Row]:
    """Each of the 168 hours from the one that `now`, epoch seconds, is in."""
    for number in range(WEEK_HOURS):
        start = (int(now) // HOUR + number) * HOUR
        yield Row(start, need(basis, start, centre), _scheduled(start, start + HOUR, centre))


def _scheduled(since: float, until: float, centre: Centre) -> float:
    return scheduled_seconds(centre.shifts, since, until, centre.timezone) / (until - since)


REQUIRED = Metric(
    "psap_seats_required",
    "gauge",
    "Fewest seats that answer 90 % within 15 s or 95 % within 20 s (NENA-STA-020.1-2020) under psap_seats_erlangs: erlang_c, if "
    "callers wait for ever (M/M/n); erlang_a, if they lose patience as in psap_patience_seconds_mean (M/M/n+M; who hangs up is "
    "not answered). +Inf: more than 10,000.",
    ("model", "target"),
)
ERLANGS = Metric(
    "psap_seats_erlangs",
    "gauge",
    "Offered load of this hour: psap_calls_expected x psap_handle_seconds_mean / 3600 s, rounded nowhere.",
)
HANDLE = Metric(
    "psap_handle_seconds_mean",
    "gauge",
    "Seconds of seats that a call takes: (conversations + wrap-ups) / psap_handle_calls, over this hour of the week in the 840 "
    "hours up to the newest, which is left out; of fewer than 30 calls over this hour of all days, else over all. A conversation "
    "is of the hour in which it was answered, a wrap-up of that in which it began; where none is told a call has the "
    "wrap_up_seconds of the centre file.",
)
HANDLED = Metric(
    "psap_handle_calls",
    "gauge",
    "Calls that psap_handle_seconds_mean is about (n): journeys of which a conversation is over, each in the hour in which its "
    "first was answered; tests left out.",
)
SCHEDULED = Metric("psap_seats_scheduled", "gauge", "Seats to be staffed now, by the shifts of the centre's file.")

METRICS = (REQUIRED, ERLANGS, HANDLE, HANDLED, SCHEDULED)


def measure(basis: Basis, now: float, centre: Centre) -> Readings:
    """Say what is true at `now`."""
    hour = int(now) // HOUR
    handle = handled(basis, hour, centre)
    if handle is not None:
        yield HANDLE, (), handle.seconds
        yield HANDLED, (), handle.n
    found = _need(basis, hour, handle, centre)
    if found is not None:
        for (model, target), seats in found.seats.items():
            yield REQUIRED, (model, target), seats
        yield ERLANGS, (), found.erlangs
    if centre.shifts:
        yield SCHEDULED, (), _scheduled(now, now + 1, centre)

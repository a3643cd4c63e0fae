"""How many seats an hour needs follows from the calls it should bring, how long they take and how long callers wait."""

from random import Random

import pytest

from streams import centres
from streams.core import operators
from streams.core.centre import Centre
from streams.core.erlang import TARGETS, seats_needed
from streams.core.hourly import Hourly
from streams.core.nouns import States, seats
from streams.core.nouns import measure as measure_nouns
from streams.core.patience import MEAN as PATIENCE
from streams.core.staffing import ERLANGS, HANDLE, HANDLED, REQUIRED, SCHEDULED, Basis, need
from tests.builders import (
    BOGOR as PLAIN,
)
from tests.builders import (
    abandoned,
    answered,
    at,
    changed,
    classified,
    ended,
    fold,
    offered,
    said,
    seat_state,
    wrap_up_ended,
    wrap_up_started,
)

HOUR, DAY = 3600, 86_400
[BOGOR] = centres.load([]).values()


@pytest.fixture(scope="module")
def busy() -> States:
    """Forty calls an hour for six days, each of two minutes; every tenth caller hangs up after 40 s, the others wait 6 s."""
    events = []
    for number in range(6 * 24 * 40):
        start, name = number * 90, f"c{number}"
        events.append(offered(name, start))
        events += [abandoned(name, start + 40)] if number % 10 == 0 else [answered(name, start + 6), ended(name, start + 126)]
    return States(calls=fold(sorted(events, key=lambda event: event.time), BOGOR))


def basis(city: States, wrapped_up: Hourly | None = None) -> Basis:
    assert city.calls is not None
    funnel = city.calls.funnel
    return Basis(city.calls.forecast, funnel.workload, wrapped_up or Hourly(), funnel.patience.queued(()))


def test_seats_are_needed_as_erlang_says_of_what_was_measured(busy: States) -> None:
    found = said(measure_nouns(busy, at(6 * DAY), BOGOR))

    assert found[HANDLE,] == 120
    assert found.number(HANDLED) > 30
    assert found.number(ERLANGS) == pytest.approx(40 * 120 / HOUR)
    assert found[PATIENCE,] == 94  # (9 x 6 + 40) / 1 seconds waited for each who hung up
    assert found[REQUIRED, "erlang_c", "90_15"] == seats_needed(4 / 3, 120, None, "90_15") == 4
    assert found[REQUIRED, "erlang_a", "95_20"] == seats_needed(4 / 3, 120, 94, "95_20")


def test_handle_time_is_known_before_any_forecast() -> None:
    hour = [event for n in range(30) for event in (offered(f"c{n}", n), answered(f"c{n}", n + 5), ended(f"c{n}", n + 65))]
    found = said(
        measure_nouns(States(calls=fold([*hour, offered("c", HOUR), answered("c", HOUR), ended("c", HOUR + 9)])), at(HOUR), BOGOR)
    )

    assert (found[HANDLE,], found[HANDLED,], (ERLANGS,) in found) == (60, 30, False)


def test_nothing_is_said_before_enough_was_seen() -> None:
    few = States(calls=fold([offered("c1", 0), answered("c1", 2), ended("c1", 60)], BOGOR))
    found = said(measure_nouns(few, at(90), BOGOR))

    assert not {key for key in found if key[0] in (REQUIRED, ERLANGS, HANDLE, PATIENCE)}
    assert found[SCHEDULED,] == 3


def test_the_table_has_a_row_for_each_hour_of_the_week(busy: States) -> None:
    rows = list(seats(busy, at(6 * DAY), BOGOR))

    assert len(rows) == 168
    assert [row[0] for row in rows[:2]] == [at(6 * DAY), at(6 * DAY) + HOUR]
    assert {row[2] for row in rows} == {3}
    assert rows[0][1] == need(basis(busy), at(6 * DAY), BOGOR)


# --- wrap-up: forty calls an hour for four days, 60 s of talk each and 120 s of after-call work


def worked(centre: Centre = PLAIN, *, hours: int = 96, told: int = 0, length: float | None = None, seed: int = 0) -> States:
    """Three seats in turn, a call every 90 s; from the hour `told` on wrap-ups are, by their end or by how long they take."""
    calls, seats = [], []
    for number in range(hours * 40):
        start, name, seat = number * 90, f"c{number}", f"s{number % 3}"
        calls += [offered(name, start), answered(name, start + 3, seat), ended(name, start + 63)]
        if start >= told * HOUR:
            seats.append(wrap_up_started(seat, start + 63, length))
            seats += [] if length else [wrap_up_ended(seat, start + 183)]
    if seed:
        Random(seed).shuffle(calls)
    by_time = sorted(seats, key=lambda event: event.time)
    return States(
        calls=fold(calls if seed else sorted(calls, key=lambda event: event.time), centre),
        operators=seat_state(by_time, centre=centre),
    )


@pytest.mark.parametrize("length", [None, 120.0])
def test_load_is_conversation_and_wrap_up(length: float | None) -> None:
    for hours in (90, 96, 96.5, 97.99):
        found = said(measure_nouns(worked(length=length), at(hours * HOUR), PLAIN))

        assert found[HANDLE,] == pytest.approx(180, abs=1e-9)
        assert found[ERLANGS,] == pytest.approx(2.0, abs=1e-9)
        assert {target: found[REQUIRED, "erlang_c", target] for target in TARGETS} == {"90_15": 5, "95_20": 5}


def test_where_no_wrap_up_is_told_a_call_has_that_of_the_centres_file() -> None:
    centre = changed(PLAIN, wrap_up_seconds=30)
    untold = said(measure_nouns(worked(centre, told=1000), at(96 * HOUR), centre))
    later = said(measure_nouns(worked(centre, told=48), at(96 * HOUR), centre))

    assert untold[HANDLE,] == 90
    assert later[HANDLE,] == (2 * 90 + 2 * 180) / 4


def test_the_wrap_up_after_a_call_of_an_office_queue_is_none_of_the_citys() -> None:
    centre = changed(PLAIN, queues=["112", {"code": "kantor", "emergency": False}])
    told = worked(centre)
    of_office = seat_state([wrap_up_started("s9", n * 100, 50, "kantor") for n in range(3000)], told.operators, centre)

    assert said(measure_nouns(told, at(96 * HOUR), centre))[HANDLE,] == 180
    assert operators.wrapped_up(of_office, {}).sums


def test_handle_time_is_of_calls_not_of_conversations(busy: States) -> None:
    found = said(measure_nouns(busy, at(6 * DAY), BOGOR))

    assert found[HANDLED,] == 6 * 36, "of this hour on six days: of the hour of the week none is known yet"


def test_a_test_marked_afterwards_takes_no_time() -> None:
    city = worked()
    before = said(measure_nouns(city, at(96 * HOUR), PLAIN))
    assert city.calls is not None
    more = [
        offered("t", 95.9 * HOUR),
        answered("t", 95.9 * HOUR + 1),
        ended("t", 95.95 * HOUR),
        classified("t", 96 * HOUR, "test"),
    ]
    fold(more, PLAIN, city.calls)
    after = said(measure_nouns(city, at(96 * HOUR), PLAIN))

    assert [after[metric,] for metric in (HANDLE, HANDLED)] == [before[metric,] for metric in (HANDLE, HANDLED)]


def test_nothing_is_rounded_before_it_is_multiplied(busy: States) -> None:
    found = need(basis(busy, Hourly(int(at(0)) // HOUR, [1] * 144)), at(6 * DAY), BOGOR)

    assert found is not None
    assert found.handled.seconds == (36 * 6 * 120 + 6e-6) / (36 * 6)
    assert found.erlangs == found.calls * found.handled.seconds / HOUR

"""How many seats an hour needs follows from the calls it should bring, how long they take and how long callers wait."""

import pytest

from streams import centres
from streams.core.city import City
from streams.core.city import measure as measure_city
from streams.core.erlang import seats_needed
from streams.core.staffing import ERLANGS, HANDLE, HANDLED, PATIENCE, REQUIRED, SCHEDULED, need, patience, table
from tests.builders import abandoned, answered, at, ended, fold, offered, said

HOUR, DAY = 3600, 86_400
[BOGOR] = centres.load([]).values()


@pytest.fixture(scope="module")
def busy() -> City:
    """Forty calls an hour for six days, each of two minutes; every tenth caller hangs up after 40 s, the others wait 6 s."""
    events = []
    for number in range(6 * 24 * 40):
        start, name = number * 90, f"c{number}"
        events.append(offered(name, start))
        events += [abandoned(name, start + 40)] if number % 10 == 0 else [answered(name, start + 6), ended(name, start + 126)]
    return City(calls=fold(sorted(events, key=lambda event: event.time), BOGOR))


def test_seats_are_needed_as_erlang_says_of_what_was_measured(busy: City) -> None:
    found = said(measure_city(busy, at(6 * DAY), BOGOR))

    assert found[HANDLE,] == 120
    assert found.number(HANDLED) > 30
    assert found.number(ERLANGS) == pytest.approx(40 * 120 / HOUR)
    assert found[PATIENCE,] == 94  # (9 x 6 + 40) / 1 seconds waited for each who hung up
    assert found[REQUIRED, "erlang_c", "90_15"] == seats_needed(40, 120, None, "90_15") == 4
    assert found[REQUIRED, "erlang_a", "95_20"] == seats_needed(40, 120, 94, "95_20")


def test_nothing_is_said_before_enough_was_seen() -> None:
    few = City(calls=fold([offered("c1", 0), answered("c1", 2), ended("c1", 60)], BOGOR))
    found = said(measure_city(few, at(90), BOGOR))

    assert not {key for key in found if key[0] in (REQUIRED, ERLANGS, HANDLE, PATIENCE)}
    assert found[SCHEDULED,] == 3


def test_patience_is_not_believed_of_few_who_hung_up() -> None:
    state = fold([event for n in range(29) for event in (offered(f"c{n}", n * 60), abandoned(f"c{n}", n * 60 + 30))])
    assert patience(state.funnel) is None


def test_the_table_has_a_row_for_each_hour_of_the_week(busy: City) -> None:
    assert busy.calls is not None
    rows = list(table(busy.calls.forecast, busy.calls.funnel, at(6 * DAY), BOGOR))

    assert len(rows) == 168
    assert [row[0] for row in rows[:2]] == [at(6 * DAY), at(6 * DAY) + HOUR]
    assert {row[2] for row in rows} == {3}
    assert rows[0][1] == need(busy.calls.forecast, busy.calls.funnel, at(6 * DAY), BOGOR)

"""Burst: an event that many call about is told from a busy hour, and how many called, since when, where and about what."""

from collections.abc import Iterable
from copy import deepcopy
from random import Random

import pytest

from schemas.dispatch import DispatchEvent
from streams.core import burst, calls, dispatch
from streams.core.burst import ARRIVED, BEGUN, CALLS, CATEGORY, CATEGORY_TICKETS, DISTRICT, DISTRICT_TOLD, PROBABILITY
from streams.core.forecast import Forecast
from streams.core.probability import at_least, bunch_in_a_day
from tests.bench import bursts
from tests.builders import BOGOR, Said, at, closed, opened, reopened, said

HOUR, DAY = 3600, 86_400
NOW = 11 * DAY + 100
PER_HOUR = 12
DISTRICTS = [f"32.71.0{number}" for number in range(1, 7)]


def call(state: calls.State, seconds: float, district: str | None = None) -> None:
    """One call comes."""
    state.forecast.count(at(seconds), state.forecast.hear(at(seconds), None, BOGOR), BOGOR)
    if district is not None:
        state.origins.hear(f"{seconds}", at(seconds), district, state.forecast.strangers, BOGOR, test=False)


@pytest.fixture(scope="module")
def ordinary() -> calls.State:
    """Eleven days of twelve calls an hour, by chance, half of which tell any district."""
    state, dice, seconds = calls.State(), Random(1), 0.0
    while (seconds := seconds + dice.expovariate(PER_HOUR / HOUR)) < NOW:
        call(state, seconds, dice.choice(DISTRICTS) if dice.random() < 0.5 else None)
    return state


@pytest.fixture
def state(ordinary: calls.State) -> calls.State:
    """The same, to tell more."""
    return deepcopy(ordinary)


def desk(events: Iterable[DispatchEvent] = ()) -> dispatch.State:
    """Tickets of ten days, of five categories, and then these."""
    told = dispatch.State()
    categories = ["kebakaran", "banjir", "medis", "kecelakaan", "kriminal"]
    past = [opened(f"t{number}", NOW - 300 * number - DAY, categories[number % 5]) for number in range(900)]
    for event in [*reversed(past), *events]:
        dispatch.step(told, event, event.time.timestamp(), BOGOR)
    return told


def readings(state: calls.State, seconds: float, tickets: dispatch.State | None = None) -> Said:
    return said(burst.measure(state, tickets, at(seconds), BOGOR))


def test_before_anything_is_expected_nothing_is_said() -> None:
    assert readings(calls.State(), 0) == {}


def test_an_ordinary_hour_is_said_to_be_one_and_nothing_else(state: calls.State) -> None:
    call(state, NOW)

    assert readings(state, NOW + 1) == {(PROBABILITY,): 1.0}


def test_an_event_is_said_with_its_callers_and_its_beginning(state: calls.State) -> None:
    for number in range(15):
        call(state, NOW + number * 8)
    told = readings(state, NOW + 14 * 8)

    assert told.number(PROBABILITY) < 1e-6
    assert told.number(BEGUN) == pytest.approx(at(NOW))
    assert told.number(ARRIVED) == 15
    assert told.number(CALLS) == pytest.approx(15 - PER_HOUR * 14 * 8 / HOUR, abs=0.2)
    assert told.by_label(DISTRICT) == {}


def test_an_event_is_over_when_nobody_calls_about_it_any_more(state: calls.State) -> None:
    for number in range(15):
        call(state, NOW + number * 8)

    assert readings(state, NOW + 500).number(CALLS) > 10
    assert readings(state, NOW + 720) == {(PROBABILITY,): 1.0}


def test_calls_that_came_evenly_for_long_are_a_busy_hour_and_no_event(state: calls.State) -> None:
    found = {}
    for seconds in range(0, 5_401, 30):  # ten times as many as usual, for an hour and a half
        call(state, NOW + seconds)
        found[seconds] = readings(state, NOW + seconds).number(PROBABILITY)

    assert found[600] < bursts.UNLIKELY
    assert found[5_400] == 1.0


def test_an_event_in_one_district_is_found_where_the_whole_centre_hides_it(state: calls.State) -> None:
    whole = deepcopy(state)
    for number in range(7):
        call(state, NOW + number * 40, "32.71.05")
        call(whole, NOW + number * 40)
    told = readings(state, NOW + 240)

    assert told.number(PROBABILITY) < 0.001 < readings(whole, NOW + 240).number(PROBABILITY)
    assert told.by_label(DISTRICT) == {"32.71.05": 1.0}
    assert told.number(DISTRICT_TOLD) == 8, "one came from there just before"


def test_where_half_of_the_callers_tell_their_district_the_event_has_twice_as_many(state: calls.State) -> None:
    for number in range(24):
        call(state, NOW + number * 5, "32.71.05" if number % 2 else None)

    assert readings(state, NOW + 120).number(CALLS) == pytest.approx(24, abs=3)


def test_districts_as_always_are_not_said(state: calls.State) -> None:
    for number in range(18):
        call(state, NOW + number * 8, DISTRICTS[number % 6])
    told = readings(state, NOW + 150)

    assert told.number(CALLS) > 10
    assert told.by_label(DISTRICT) == {}


def test_what_the_tickets_since_then_are_about_is_said(state: calls.State) -> None:
    for number in range(15):
        call(state, NOW + number * 8)
    fire = [opened(f"f{number}", NOW + 20 * number, "kebakaran", district="32.71.02") for number in range(6)]
    other = [opened("o", NOW + 60, "medis", district="32.71.04")]
    told = readings(state, NOW + 130, desk([*fire, *other]))

    assert told.by_label(CATEGORY) == {"kebakaran": pytest.approx(6 / 7)}
    assert told.number(CATEGORY_TICKETS) == 7
    assert readings(state, NOW + 130, desk([*fire[:2], *other])).by_label(CATEGORY) == {}


def test_tickets_from_before_and_those_that_were_reopened_are_not_of_the_event(state: calls.State) -> None:
    for number in range(15):
        call(state, NOW + number * 8)
    before = [opened(f"f{number}", NOW - 100 + number, "kebakaran") for number in range(6)]
    again = [event for number in range(6) for event in (closed(f"f{number}", NOW + 5), reopened(f"f{number}", NOW + 50))]

    assert readings(state, NOW + 130, desk([*before, *again])).by_label(CATEGORY) == {}


def test_where_no_call_tells_its_district_the_tickets_do(state: calls.State) -> None:
    for number in range(15):
        call(state, NOW + number * 8)
    past = [opened(f"p{number}", NOW - DAY + number, "medis", district=DISTRICTS[number % 6]) for number in range(60)]
    fire = [opened(f"f{number}", NOW + 20 * number, "kebakaran", district="32.71.02") for number in range(5)]

    told = readings(state, NOW + 130, desk([*past, *fire]))

    assert told.by_label(DISTRICT) == {"32.71.02": 1.0}
    assert told.number(DISTRICT_TOLD) == 5


def test_the_order_in_which_calls_are_told_makes_no_difference(state: calls.State) -> None:
    other, times = deepcopy(state), [NOW + number * 8.5 for number in range(15)]
    for seconds in times:
        call(state, seconds, "32.71.05")
    for seconds in Random(3).sample(times, len(times)):
        call(other, seconds, "32.71.05")

    assert readings(state, NOW + 130) == readings(other, NOW + 130)


def test_a_bunch_in_a_day_comes_as_often_as_chance_makes_it() -> None:
    """Beside a thousand simulated days of Poisson calls."""
    dice, rate, window, calls_of_bunch, days, had = Random(9), 30 / HOUR, 300, 11, 1_000, 0
    for _ in range(days):
        times: list[float] = []
        seconds = 0.0
        while (seconds := seconds + dice.expovariate(rate)) < DAY:
            times.append(seconds)
        had += any(late - early < window for early, late in zip(times, times[calls_of_bunch - 1 :], strict=False))

    assert had / days == pytest.approx(bunch_in_a_day(calls_of_bunch, rate * window, window), abs=0.04)


def test_a_bunch_is_the_less_probable_the_more_calls_it_has_and_the_more_probable_the_more_hours_differ() -> None:
    of_calls = [bunch_in_a_day(calls, 2.0, 300) for calls in range(3, 40)]

    assert of_calls == sorted(of_calls, reverse=True)
    assert bunch_in_a_day(12, 2.0, 300) < bunch_in_a_day(12, 2.0, 300, 0.1) < bunch_in_a_day(12, 2.0, 300, 0.5)
    assert bunch_in_a_day(2, 2.0, 300) == 1.0
    assert bunch_in_a_day(12, 2.0, 300) > at_least(12, 2.0)


def test_fires_of_25_callers_by_night_are_found_within_minutes_and_an_ordinary_week_has_none() -> None:
    week = bursts.ordinary(112, weeks=1, taught=1)
    planted = [bursts.fire(week.centre, week.start + day * DAY + 2 * HOUR, Random(day)) for day in range(3)]

    found = bursts.look(week, planted, Forecast, bursts.bursts)

    assert found.false == 0
    assert [said[0].time - fire.start < 300 for fire, said in found.seen] == [True] * 3
    assert [{one.district for one in said} <= {fire.district, ""} for fire, said in found.seen] == [True] * 3
    assert [said[-1].district == fire.district for fire, said in found.seen] == [True] * 3
    named = [{one.category for one in said if one.category} for _, said in found.seen]
    assert named.count({bursts.CATEGORY}) >= 2
    assert all(categories <= {bursts.CATEGORY} for categories in named)
    assert [18 < max(one.callers for one in said) < 32 for _, said in found.seen] == [True] * 3

"""How improbable a surge or a silence is, of the centre and of each of its links."""

from math import log10
from random import Random

import pytest

from streams.core.arrivals import (
    ARRIVED,
    EXPECTED,
    EXPECTED_WINDOW,
    LINK_SILENCE,
    LINK_SILENCE_PROBABILITY,
    LOWER,
    SCATTER,
    SILENCE,
    SILENCE_PROBABILITY,
    SURGE,
    UNSEEN,
    UPPER,
    measure,
)
from streams.core.forecast import Forecast
from tests.builders import BOGOR, Said, at, said
from tests.core.test_forecast import DAY, HOUR, came, hours, learned


def measured(forecast: Forecast, seconds: float) -> Said:
    return said(measure(forecast, at(seconds), BOGOR))


def test_nothing_is_said_of_chance_before_something_is_expected() -> None:
    found = {key[0] for key in measured(learned(2), 2 * DAY)}

    assert not {EXPECTED, SILENCE, SILENCE_PROBABILITY, SURGE} & found
    assert {ARRIVED, UNSEEN} <= found


def test_silence_is_counted_in_calls_that_should_have_come() -> None:
    forecast = learned(22)
    found = said(measure(forecast, forecast.last + 624, BOGOR))

    assert found.number(SILENCE) == pytest.approx(40 * 624 / 3600, rel=1e-3)
    # By chance a day of 960 calls nearly always has ten minutes without one that pass for one in a thousand.
    assert found.number(SILENCE_PROBABILITY) > 0.5
    assert said(measure(forecast, forecast.last + 1_200, BOGOR)).number(SILENCE_PROBABILITY) < 0.01


def test_a_silence_goes_on_to_grow_more_improbable() -> None:
    forecast = learned(22)
    found = [said(measure(forecast, forecast.last + hours * HOUR, BOGOR)).number(SILENCE) for hours in (1, 5, 24, 40)]

    assert found == pytest.approx([40, 200, 960, 1_600], rel=0.01)


def test_a_carriers_silence_is_judged_by_its_share() -> None:
    forecast = Forecast()
    for number in range(22 * 24 * 40):
        came(forecast, at(number * 90), "sip-telkom" if number % 4 else "sip-xl")
    end = 22 * DAY
    for number in range(40):
        came(forecast, at(end + number * 90), "sip-telkom")
    found = measured(forecast, end + HOUR)

    assert found.number(LINK_SILENCE, "sip-xl") == pytest.approx(11, rel=0.02)  # of 44 in 66 minutes
    assert found.number(LINK_SILENCE_PROBABILITY, "sip-xl") < 0.01
    assert found.number(LINK_SILENCE, "sip-telkom") < 2
    assert found.number(LINK_SILENCE_PROBABILITY, "sip-telkom") == pytest.approx(1)


def test_no_share_is_believed_of_few_calls() -> None:
    forecast = learned(22)
    came(forecast, at(22 * DAY), "sip-xl")

    assert (LINK_SILENCE, "sip-xl") not in measured(forecast, 22 * DAY + 60)


def test_a_surge_is_a_number_that_chance_hardly_brings() -> None:
    forecast = learned(22)
    for number in range(40):
        came(forecast, at(22 * DAY + number))
    found = measured(forecast, 22 * DAY + 60)

    assert found.number(ARRIVED, "15m") == 40 + 9  # those of the quarter before were one every 90 s
    assert found.number(EXPECTED_WINDOW, "15m") == pytest.approx(10, rel=0.01)
    assert found.number(SURGE, "15m") < 1e-10


def test_twice_as_many_as_ever_is_no_more_certain_for_being_many() -> None:
    """Three days bring 800 calls in an hour, the fourth 1,600."""
    forecast = Forecast()
    for day in range(4):
        hours(forecast, [1, 800, 1_600 if day == 3 else 800], day * 24)

    assert log10(measured(forecast, 3 * DAY + 3 * HOUR - 1).number(SURGE, "60m")) == pytest.approx(-136, abs=1)


def test_hours_that_scatter_more_than_chance_make_a_surge_less_remarkable() -> None:
    steady, wild = Random(1), Random(1)
    calm, moody = Forecast(), Forecast()
    hours(calm, [sum(steady.random() < 0.04 for _ in range(1_000)) for _ in range(22 * 24)])
    hours(moody, [round(40 * wild.gammavariate(5, 0.2)) for _ in range(22 * 24)])
    for forecast in (calm, moody):
        for number in range(90):
            came(forecast, at(22 * DAY + number * 40))
    calm_says, moody_says = (measured(forecast, 22 * DAY + HOUR - 1) for forecast in (calm, moody))

    assert calm_says.number(SCATTER) < 0.02
    assert moody_says.number(SCATTER) > 0.2
    assert calm_says.number(SURGE, "60m") < 1e-6
    assert moody_says.number(SURGE, "60m") > 1e-3


def test_of_a_hundred_hours_ninety_five_lie_in_the_band() -> None:
    chance = Random(112)
    forecast, inside = Forecast(), 0
    counts = [round(chance.gammavariate(20, 2)) for _ in range(40 * 24)]
    hours(forecast, counts[: 20 * 24])
    for number, calls in enumerate(counts[20 * 24 :], 20 * 24):
        hours(forecast, [calls], number)
        found = measured(forecast, (number + 1) * HOUR - 1e-3)
        inside += found.number(LOWER, "60m") <= calls <= found.number(UPPER, "60m")

    assert 0.92 <= inside / (20 * 24) <= 0.97


def test_hours_that_teach_nothing_are_said_to() -> None:
    forecast = learned(14)
    hours(forecast, [40] * 3, 15 * 24)

    assert [measured(forecast, 15 * DAY + 3 * HOUR)[UNSEEN, reason] for reason in ("silence", "link", "late")] == [24, 0, 0]

"""How probable chance makes a count, held against the sums that define it."""

from math import comb, exp, factorial, inf, log10

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core.probability import at_least, at_most, band, none_in_a_day

MEANS = st.floats(0.01, 30)


def poisson(calls: int, mean: float) -> float:
    return exp(-mean) * mean**calls / factorial(calls)


def negative_binomial(calls: int, mean: float, size: int) -> float:
    """With a whole size r = 1 / scatter: calls before the r-th success of probability r / (r + mean)."""
    success = size / (size + mean)
    return comb(calls + size - 1, calls) * success**size * (1 - success) ** calls


@given(st.integers(0, 40), MEANS)
def test_without_scatter_the_tails_are_poissons(calls: int, mean: float) -> None:
    below = sum(poisson(n, mean) for n in range(calls))

    assert at_least(calls, mean) == pytest.approx(1 - below, abs=1e-12)
    assert at_most(calls, mean) == pytest.approx(below + poisson(calls, mean), abs=1e-12)


@given(st.integers(0, 40), MEANS, st.integers(1, 60))
def test_with_scatter_they_are_those_of_the_negative_binomial(calls: int, mean: float, size: int) -> None:
    below = sum(negative_binomial(n, mean, size) for n in range(calls))

    assert at_least(calls, mean, 1 / size) == pytest.approx(1 - below, abs=1e-9)
    assert at_most(calls, mean, 1 / size) == pytest.approx(below + negative_binomial(calls, mean, size), abs=1e-9)


def test_what_is_next_to_impossible_is_a_small_number_and_neither_none_nor_certain() -> None:
    assert log10(at_least(1_600, 800)) == pytest.approx(-135.9, abs=0.1)  # summed with 300 digits: 1.2e-136
    assert 0 < at_most(400, 800) < 1e-50
    assert 0 < at_least(100_000, 50_000, 0.001) < 1e-60


def test_of_nothing_expected_nothing_comes() -> None:
    assert (at_least(1, 0.0), at_least(0, 0.0), at_most(0, 0.0), band(0.0)) == (0, 1, 1, (0, 0))


@given(MEANS, st.floats(0, 1), st.integers(0, 60))
def test_scatter_makes_the_improbable_more_probable(mean: float, scatter: float, more: int) -> None:
    calls = int(2 * mean) + 5 + more

    assert at_least(calls, mean, scatter) >= at_least(calls, mean) * (1 - 1e-9)


@given(st.floats(0.01, 2_000), st.floats(0, 1))
def test_a_band_is_the_narrowest_that_leaves_a_fortieth_on_either_side(mean: float, scatter: float) -> None:
    lower, upper = band(mean, scatter)

    assert at_most(lower - 1, mean, scatter) < 0.025 + 1e-9
    assert at_most(lower, mean, scatter) >= 0.025 - 1e-9
    assert at_least(upper + 1, mean, scatter) <= 0.025 + 1e-9
    assert at_least(upper, mean, scatter) > 0.025 - 1e-9


def test_a_silence_is_as_probable_as_a_day_has_calls_to_begin_it() -> None:
    assert none_in_a_day(10, 1_000) == pytest.approx(1_000 * exp(-10), rel=0.03)
    assert none_in_a_day(0.1, 1_000) == pytest.approx(1)
    # Of a gamma-Poisson of shape 20: (1 + 10 / 20) ** -20.
    assert none_in_a_day(10, 100, 0.05) == pytest.approx(100 * 1.5**-20, rel=0.03)
    assert 0 < none_in_a_day(700, 1_000) < 1e-290
    assert none_in_a_day(inf, 1_000) == 0

"""The Wilson interval against published values and its own properties."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.core.proportion import wilson


@pytest.mark.parametrize(
    ("successes", "n", "lower", "upper"),
    [
        # Nine of ten at four sizes.
        (9, 10, 0.5958, 0.9821),
        (27, 30, 0.7438, 0.9654),
        (36, 40, 0.7695, 0.9604),
        (180, 200, 0.8506, 0.9343),
        # Newcombe (1998), Statistics in Medicine 17, 857-872, Table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_the_interval_is_the_published_one(successes: int, n: int, lower: float, upper: float) -> None:
    assert wilson(successes, n) == pytest.approx((lower, upper), abs=0.00006)


def test_at_the_ends_the_bounds_are_exact() -> None:
    assert wilson(0, 7)[0] == 0
    assert wilson(7, 7)[1] == 1


@settings(deadline=None)
@given(st.integers(1, 10**6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_the_share_and_mirrors_that_of_the_failures(counts: tuple[int, int]) -> None:
    successes, n = counts
    lower, upper = wilson(successes, n)

    assert 0 <= lower <= successes / n <= upper <= 1
    assert lower < upper
    assert wilson(n - successes, n) == pytest.approx((1 - upper, 1 - lower), abs=1e-12)

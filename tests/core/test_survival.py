"""How long it takes where some are still at it, against the estimator's definition worked out in fractions."""

from fractions import Fraction
from math import isclose

from hypothesis import given
from hypothesis import strategies as st

from streams.core.survival import quantile, within

times = st.lists(st.integers(0, 12), max_size=12).map(sorted)
some = st.lists(st.integers(0, 12), min_size=1, max_size=12).map(sorted)


def by_definition(ended: list[int], still: list[int], percent: int) -> tuple[Fraction, int]:
    """The product-limit estimate of the share left, time by time, until it has fallen far enough: that share, and the time."""
    left, target = Fraction(1), 1 - Fraction(percent, 100)
    for time in sorted(set(ended)):
        at_risk = sum(each >= time for each in [*ended, *still])
        left *= 1 - Fraction(ended.count(time), at_risk)
        if left <= target:
            return left, time
    return left, max(*ended, *still)


@given(some, times, st.sampled_from([50, 90]))
def test_a_percentile_is_where_the_product_limit_estimate_falls_to_it(ended: list[int], still: list[int], percent: int) -> None:
    assert quantile(ended, still, percent) == by_definition(ended, still, percent)[1]


@given(some, st.integers(1, 100))
def test_where_nothing_is_still_at_it_a_percentile_is_that_of_nearest_rank(ended: list[int], percent: int) -> None:
    assert quantile(ended, [], percent) == ended[-(-percent * len(ended) // 100) - 1]


@given(some, times, st.sampled_from([50, 90]))
def test_who_is_still_at_it_never_makes_a_percentile_shorter_and_who_has_just_begun_changes_nothing(
    ended: list[int], still: list[int], percent: int
) -> None:
    alone = quantile(ended, [], percent)

    assert quantile(ended, still, percent) >= alone
    assert quantile(ended, [lasted for lasted in still if lasted < ended[0]], percent) == alone


def test_ten_took_a_minute_each_and_ten_have_waited_for_an_hour() -> None:
    assert quantile([60] * 10, [3600.5] * 10, 50) == 60
    assert quantile([60] * 10, [3600.5] * 11, 50) == 3600.5, "and is not below it"


def test_an_end_on_the_rank_is_on_it_whatever_fractions_of_fractions_are_left() -> None:
    for at in range(1, 200):
        ended, still = list(range(2 * at)), [at - 1] * at
        left, time = by_definition(ended, still, 50)
        assert quantile(ended, still, 50) == time
        assert isclose(left, 0.5, abs_tol=0.5)


@given(times, times, st.integers(0, 12))
def test_a_share_is_of_those_that_ended_and_of_those_that_have_missed_already(
    ended: list[int], still: list[int], limit: int
) -> None:
    good, n = within(ended, still, limit)

    assert good == sum(took <= limit for took in ended)
    assert n == len(ended) + sum(lasted > limit for lasted in still)

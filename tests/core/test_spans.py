"""Sets of seconds, against sets of seconds."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from streams.core.spans import overlap, total, union, within

spans = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=8)


def seconds(some: list[tuple[int, int]]) -> set[int]:
    return {second for start, end in some for second in range(start, end)}


@given(spans)
def test_a_union_covers_each_second_once(some: list[tuple[int, int]]) -> None:
    joined = union(some)

    assert total(joined) == len(seconds(some))
    assert all(one[1] < other[0] for one, other in pairwise(joined))


@given(spans, st.integers(0, 50), st.integers(0, 50))
def test_what_lies_within_two_moments_is_theirs(some: list[tuple[int, int]], since: int, until: int) -> None:
    assert total(within(union(some), since, until)) == len(seconds(some) & set(range(since, until)))


@given(spans, spans)
def test_an_overlap_is_what_both_cover(some: list[tuple[int, int]], others: list[tuple[int, int]]) -> None:
    assert overlap(union(some), union(others)) == len(seconds(some) & seconds(others))

"""Sums by hour are what a table of all hours says, for the five weeks up to the newest."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.core.hourly import HOURS, Hourly

told = st.lists(st.tuples(st.integers(0, 3 * HOURS) | st.integers(0, 40), st.integers(0, 9)), max_size=30)


@settings(deadline=None)
@given(told, st.integers(0, 4 * HOURS), st.sampled_from([168, 24, 1]))
def test_hours_alike_are_summed_as_in_a_table_of_all_hours(told: list[tuple[int, int]], hour: int, stride: int) -> None:
    known, table, newest = Hourly(), Counter[int](), -1
    for at, n in told:
        known.add(at, n)
        if at > newest - HOURS:
            table[at] += n
            newest = max(newest, at)
            table = Counter({each: sum_ for each, sum_ in table.items() if each > newest - HOURS})

    alike = known.like(hour, stride)
    assert known.over(alike) == sum(n for at, n in table.items() if (at - hour) % stride == 0 and at < known.last)
    assert len(known.sums) <= HOURS
    assert set(alike) == {at for at in range(known.first, known.last) if (at - hour) % stride == 0}


@given(st.lists(st.tuples(st.integers(0, HOURS - 1), st.integers(0, 9)), max_size=30))
def test_the_order_of_telling_makes_no_difference(told: list[tuple[int, int]]) -> None:
    one, other = Hourly(), Hourly()
    for at, n in told:
        one.add(at, n)
    for at, n in reversed(told):
        other.add(at, n)

    assert one == other

"""What is published tells nobody apart: no cell is of fewer than k, nor is what is left of one less others."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from streams.analysis.publication import by_district, by_hour, months
from tests.builders import BOGOR

KS = (2, 3, 5, 10, 25)

districts = st.dictionaries(st.sampled_from([f"32.71.{n:02}" for n in range(1, 9)]), st.integers(1, 40))
days = st.lists(st.integers(0, 60) | st.just(0), min_size=24, max_size=24)


def assert_nobody_is_isolated(publications: Iterable[tuple[int, dict[frozenset[object], int]]]) -> None:
    """That cells are of k at least, and that any less those of another publication within it is nothing, or of as many."""
    for (k, one), (other_k, other) in combinations(publications, 2):
        assert all(n >= k for n in one.values())
        assert all(n >= other_k for n in other.values())
        for cell, n in one.items():
            for whole, more in other.items():
                assert cell <= whole or whole <= cell or not cell & whole, (cell, whole)
                if cell <= whole:
                    assert more - n == 0 or more - n >= k
            within = [part for part in other if part <= cell]
            left = n - sum(other[part] for part in within)
            assert not within or left == 0 or left >= other_k


@given(districts)
def test_districts_of_any_k_tell_nobody_apart(calls: dict[str, int]) -> None:
    published = [(k, {frozenset[object](codes): n for codes, n in by_district(calls, k)}) for k in KS]

    assert_nobody_is_isolated(published)
    for k, cells in published:
        assert sum(cells.values()) == (sum(calls.values()) if sum(calls.values()) >= k else 0)


@given(days)
def test_hours_of_any_k_tell_nobody_apart(calls: list[int]) -> None:
    published = [(k, {frozenset[object](range(first, last + 1)): n for first, last, n in by_hour(calls, k)}) for k in KS]

    assert_nobody_is_isolated(published)
    for k, cells in published:
        assert sum(cells.values()) == (sum(calls) if sum(calls) >= k else 0)


def test_small_districts_and_hours_are_put_together_and_others_stand_alone() -> None:
    assert [*by_district({"a": 3, "b": 4, "c": 50, "d": 9}, 5)] == [(["a", "b"], 7), (["d"], 9), (["c"], 50)]
    assert [*by_district({"a": 3, "c": 50, "d": 9}, 5)] == [(["a", "d"], 12), (["c"], 50)]
    assert [*by_hour([0] * 6 + [5, 6, 7] + [0] * 9 + [2] * 6, 5)] == [(6, 6, 5), (7, 7, 6), (8, 8, 7), (18, 20, 6), (21, 23, 6)]
    assert [*by_hour([1] * 4 + [0] * 20, 5)] == []


def test_only_months_are_published_of_which_all_is_known_whatever_range_is_asked_for() -> None:
    first, last = date(2026, 1, 1), date(2026, 4, 15)

    def between(start: str | None, until: str | None) -> list[str]:
        moments = (None if text is None else datetime.fromisoformat(text) for text in (start, until))
        return [*months(first, last, BOGOR, *moments)]

    assert between(None, None) == ["2026-02", "2026-03"]
    assert between("2026-02-01T00:00+07:00", "2026-03-01T00:00+07:00") == ["2026-02"]
    assert between("2026-02-01T00:00+07:00", "2026-03-31T23:00+07:00") == ["2026-02"]
    assert between("2026-02-01T00:00:01+07:00", None) == ["2026-03"]
    assert [*months(date(2026, 1, 31), date(2026, 3, 1), BOGOR, None, None)] == []
    assert [*months(date(2026, 1, 31), date(2026, 3, 2), BOGOR, datetime(2026, 1, 1, tzinfo=UTC), None)] == ["2026-02"]

"""What something was when, told in any order."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from streams.core.track import CHANGES, REMEMBERED_SECONDS, Track

changes = st.lists(
    st.tuples(st.integers(0, 3 * REMEMBERED_SECONDS), st.sampled_from(["", "a", "b"])),
    max_size=40,
    unique_by=lambda change: change[0],
)


def track(told: list[tuple[int, str]]) -> Track:
    known = Track()
    for time, word in told:
        known.put(time, word)
    return known


@given(changes, st.randoms(use_true_random=False))
def test_of_the_last_hour_every_second_is_known_in_whatever_order_it_was_told(told: list[tuple[int, str]], dice: Random) -> None:
    newest = max((time for time, _ in told), default=0)

    known = track(dice.sample(told, len(told)))

    for second in range(newest - REMEMBERED_SECONDS, newest + 2, 7):
        word = max(((time, word) for time, word in told if time <= second), default=(0, ""))[1]
        assert known.at(second)[0] == word
        assert bool(known.spans(second, second + 1)) == bool(word)
    assert sum(time <= newest - REMEMBERED_SECONDS for time, _ in known.changes[1:]) == 0


def test_a_word_that_follows_another_without_a_gap_goes_on_with_it() -> None:
    """
    a─────b──────────  a──►
    0     5         9  12
    """
    known = track([(0, "a"), (5, "b"), (9, ""), (12, "a")])

    assert known.begun(8) == 0
    assert known.begun(20) == 12


def test_a_word_that_nobody_takes_back_holds_for_so_long_at_most() -> None:
    known = track([(0, "a"), (5, "a")])

    assert known.spans(0, 100, longest=20) == [(0, 5), (5, 25)]
    assert known.spans(10, 15) == [(10, 15)]


def test_a_stretch_is_known_to_be_over_when_both_its_ends_are_told_and_only_once() -> None:
    known = Track()

    assert known.put(10, "a") is None
    assert known.put(30, "b") == ("a", 20)
    assert known.put(60, "") == ("b", 30)
    assert known.put(60, "") is None
    assert known.put(50, "") is None
    assert known.put(100, "") is None
    assert known.put(90, "b") == ("b", 10)
    assert known.put(95, "a") is None


def test_of_two_words_at_one_moment_the_later_told_holds() -> None:
    assert track([(5, "a"), (5, "")]).at(5) == ("", 5)


def test_a_flood_of_changes_forgets_the_oldest() -> None:
    known = track([(n, "a" if n % 2 else "") for n in range(CHANGES + 30)])

    assert len(known.changes) == CHANGES
    assert known.put(0, "a") is None
    assert known.at(29) == ("", 0.0)

"""What was told of one seat, on a time line."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core.timeline import CHANGES, MEMBER, PAUSE, QUEUES, REMEMBERED_SECONDS, ROOM, SEEN, WRAP_UP, Change, Timeline, short


def told(*changes: tuple[float, int, str, str]) -> Timeline:
    timeline = Timeline()
    for change in changes:
        if timeline.put(Change(*change)):
            timeline.tidy()
    return timeline


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_changes_stand_in_the_order_of_their_own_time(order: tuple[int, ...]) -> None:
    story = [(0.0, MEMBER, "", "in"), (3.0, PAUSE, "", "1"), (6.0, PAUSE, "", ""), (9.0, MEMBER, "", "")]

    past = told(*(story[n] for n in order)).replay(20)

    assert (past.there, past.pauses) == ([(0, 9)], [(3, 6, "1")])
    assert past.standing.told
    assert not past.standing.there


def test_of_two_words_of_one_thing_at_one_moment_the_one_told_later_holds() -> None:
    left_and_joined = told((5, MEMBER, "a", ""), (5, MEMBER, "a", "in"))

    assert left_and_joined.replay(5).standing.queues == ["a"]
    assert left_and_joined.changes == [Change(5, MEMBER, "a", "in")]


def test_whoever_is_seen_or_pauses_in_the_moment_of_leaving_has_left() -> None:
    for order in permutations([(5, MEMBER, "a", ""), (5, SEEN, "a", ""), (5, PAUSE, "a", "1"), (5, WRAP_UP, "", "9")]):
        past = told((0, MEMBER, "a", "in"), *order).replay(9)
        assert (past.there, past.pauses, past.wraps, past.standing.there) == ([(0, 5)], [], [], False)


def test_what_is_over_an_hour_old_is_put_together_and_a_pause_goes_on_from_where_it_began() -> None:
    timeline = told((0, MEMBER, "a", "in"), (10, PAUSE, "a", "1"), (20, PAUSE, "a", ""), (30, PAUSE, "a", "2"))
    timeline.put(Change(5000, SEEN, "a", ""))

    [over], lost = timeline.tidy()
    assert (over.pauses, lost) == ([(10, 20, "1")], 0)
    assert timeline.since == 30
    past = timeline.replay(6000)
    assert (past.standing.queues, past.standing.pause, past.standing.paused_since) == (["a"], "2", 30)
    assert past.pauses == [(30, 6000, "2")]
    assert not timeline.put(Change(29, MEMBER, "a", ""))
    assert timeline.replay(6000) == past


def test_a_wrap_up_lasts_until_its_end_its_time_or_the_log_out() -> None:
    in_and_on = [(0.0, MEMBER, "", "in"), (10.0, WRAP_UP, "", "30.0")]

    assert told(*in_and_on).replay(99).wraps == [(10, 40, "")]
    assert told(*in_and_on, (20, WRAP_UP, "", "")).replay(99).wraps == [(10, 20, "")]
    assert told(*in_and_on, (20, MEMBER, "", "")).replay(99).wraps == [(10, 20, "")]
    assert told(*in_and_on, (20, WRAP_UP, "", "60.0")).replay(99).wraps == [(10, 20, ""), (20, 80, "")]
    assert told(*in_and_on).replay(30).wraps == [(10, 30, "")]
    longer = told((0, MEMBER, "", "in"), (10, WRAP_UP, "", "9000.0"), (20, SEEN, "", ""), (8000, SEEN, "", ""))
    longer.tidy()
    assert longer.replay(8100).wraps == [(10, 8100, "")], "as long as it is, whenever it is put together"


def test_where_it_is_known_to_be_there_only_the_last_time_that_it_was_seen_is_kept() -> None:
    timeline = told((0, MEMBER, "", "in"), *((float(n), SEEN, "", "") for n in range(1, ROOM)))

    assert timeline.changes == [Change(0, MEMBER, "", "in"), Change(ROOM - 1, SEEN, "", "")]
    timeline.put(Change(ROOM - 2, MEMBER, "", ""))
    assert timeline.replay(ROOM).standing.there


def test_of_more_changes_in_an_hour_than_there_is_room_for_the_oldest_go_and_how_it_stands_stays_known() -> None:
    timeline, lost = Timeline(), 0
    for n in range(3 * CHANGES):
        if timeline.put(Change(n, MEMBER, "", "" if n % 2 else "in")):
            lost += timeline.tidy()[1]

    assert len(timeline.changes) <= CHANGES
    assert len(timeline.changes) + lost == 3 * CHANGES
    past = timeline.replay(3 * CHANGES)
    assert past.there[0][0] >= timeline.since > 0
    assert not past.standing.there


def test_changes_of_all_queues_at_one_moment_find_room() -> None:
    moment = [(0.0, kind, short(str(n)), "1") for n in range(QUEUES) for kind in (SEEN, MEMBER, PAUSE)]
    timeline = told(*moment, *((float(n), MEMBER, "", "" if n % 2 else "in") for n in range(1, 2 * CHANGES)))

    assert len(timeline.changes) <= CHANGES


def test_what_has_not_happened_yet_does_not_stand() -> None:
    timeline = told((0, MEMBER, "", "in"), (REMEMBERED_SECONDS, MEMBER, "", ""))

    assert timeline.replay(10).standing.there
    assert not timeline.replay(REMEMBERED_SECONDS).standing.there


WORDS = [(SEEN, ""), (MEMBER, "in"), (MEMBER, ""), (PAUSE, "1"), (PAUSE, ""), (WRAP_UP, "60")]
TOLD = st.lists(
    st.tuples(
        st.integers(0, 200),
        st.sampled_from([0, 0, 0, 30, 4_000]),
        st.sampled_from(WORDS),
        st.sampled_from(["", "a", "b"]),
        st.sampled_from([-50, 0, 15]),
    ),
    max_size=80,
)


@given(TOLD, st.booleans())
def test_whoever_is_asked_all_the_time_says_the_same_as_whoever_is_asked_once(
    told: list[tuple[int, int, tuple[int, str], str, int]], static: bool
) -> None:
    asked, once, clock = Timeline(), Timeline(), 5_000
    for step, lag, (kind, word), queue, after in told:
        clock += step
        for timeline in (asked, once):
            if timeline.put(Change(clock - lag, kind, queue, word)):
                timeline.tidy()
        once.course = None
        assert asked.replay(clock + after, static=static) == once.replay(clock + after, static=static)

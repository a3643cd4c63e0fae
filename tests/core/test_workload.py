"""Conversations of seats, one by one in the last hour and by hour of the week for ever."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from streams.core.calls import JOURNEYS_ENDED_TOTAL, talking
from streams.core.centre import Centre
from streams.core.spans import total
from streams.core.workload import CONVERSATIONS, CONVERSATIONS_EACH, SEATS, Workload
from tests.builders import BOGOR, START, answered, at, changed, classified, ended, fold, offered, queued, readings, transferred

HOUR = 3600
BLOB = TypeAdapter(Workload)

Spoken = tuple[str, int, int]


def busy(known: Workload, seat: str, since: float, until: float) -> float:
    """Seconds that the seat was in conversations which are over."""
    return total(known.spans(seat, since, until))


def workload(*spoken: Spoken, centre: Centre = BOGOR) -> Workload:
    """After these conversations: seat, and seconds from START of the answer and the end."""
    known = Workload()
    for seat, start, end in spoken:
        known.spoke(seat, at(start), at(end), centre)
    return known


def handled(known: Workload) -> tuple[int, float]:
    """All calls, and the seconds of their conversations."""
    return sum(known.calls.sums), sum(known.microseconds.sums) / 1e6


def test_a_conversation_is_from_the_answer_to_the_end_or_the_transfer() -> None:
    state = fold([offered("c1", 0), answered("c1", 5, "s1"), ended("c1", 65), offered("c2", 70), answered("c2", 80, "s1")])
    assert handled(state.funnel.workload) == (1, 60)

    fold([transferred("c2", 110)], BOGOR, state)
    assert handled(state.funnel.workload) == (2, 90)
    assert busy(state.funnel.workload, "s1", at(0), at(200)) == 90


def test_a_call_that_is_passed_on_is_one_and_keeps_two_seats_busy() -> None:
    """
    s1   a────────t
    s2            └─a────────────e
         5       65 70          130
    """
    talks = [
        offered("c1", 0),
        answered("c1", 5, "s1"),
        transferred("c1", 65),
        queued("c1", 66),
        answered("c1", 70, "s2"),
        ended("c1", 130),
    ]
    state = fold(talks)

    assert handled(state.funnel.workload) == (1, 120)
    fold([classified("c1", 140, "test")], BOGOR, state)
    assert handled(state.funnel.workload) == (0, 0)
    fold([classified("c1", 150, "prank")], BOGOR, state)
    assert handled(state.funnel.workload) == (1, 120)


def test_a_call_that_is_passed_on_to_a_seat_is_that_seats_too() -> None:
    """
    s1   a────────t
    s2              a────────────e
         5       65 70          130
    """
    talks = [offered("c1", 0), answered("c1", 5, "s1"), transferred("c1", 65), answered("c1", 70, "s2")]
    state = fold(talks)

    assert talking(state) == {"s2": at(70)}
    assert readings(state, 80).by_label(JOURNEYS_ENDED_TOTAL) == {"answered": 1}
    fold([ended("c1", 130), answered("c1", 5.5, "s1"), ended("c1", 130)], BOGOR, state)
    assert talking(state) == {}
    assert handled(state.funnel.workload) == (1, 120)
    assert busy(state.funnel.workload, "s2", at(0), at(200)) == 60
    fold([classified("c1", 140, "test")], BOGOR, state)
    assert handled(state.funnel.workload) == (0, 0)


def test_conversations_are_added_to_the_microsecond_and_taken_back_to_it() -> None:
    state = fold([offered("c1", 0.5), answered("c1", 5.25, "s1"), ended("c1", 65.000001)])

    assert handled(state.funnel.workload) == (1, 59.750001)
    fold([classified("c1", 140, "test")], BOGOR, state)
    assert handled(state.funnel.workload) == (0, 0)


def test_a_conversation_belongs_to_the_hour_in_which_it_was_answered() -> None:
    state = fold([offered("c1", HOUR - 70), answered("c1", HOUR - 60, "s1"), ended("c1", HOUR + 60)])

    known = state.funnel.workload
    assert (known.calls.first, known.calls.sums) == (at(0) // HOUR, [1])
    assert known.microseconds.sums == [120_000_000]


def test_a_seat_with_two_calls_at_once_is_busy_once() -> None:
    """
    s1  aaaaaaaaaa
             aaaaaaaaaa
        0    5   10   15
    """
    known = workload(("s1", 0, 10), ("s1", 5, 15), ("s2", 0, 100))

    assert busy(known, "s1", at(0), at(60)) == 15
    assert busy(known, "s1", at(2), at(12)) == 10
    assert busy(known, "s3", at(0), at(60)) == 0


def test_a_conversation_that_ends_before_it_begins_is_none() -> None:
    assert handled(fold([offered("c1", 0), answered("c1", 10, "s1"), ended("c1", 8)]).funnel.workload) == (0, 0)
    assert busy(workload(("s1", 10, 8)), "s1", at(0), at(60)) == 0


def test_whether_a_seat_answered_since_a_moment_is_known_even_of_the_shortest_call() -> None:
    known = workload(("s1", 10, 10))

    assert known.has_answered("s1", at(10))
    assert not known.has_answered("s1", at(11))
    assert not known.has_answered("s2", at(0))


conversations = st.lists(
    st.tuples(st.sampled_from(["s1", "s2"]), st.integers(0, 3 * HOUR), st.integers(0, 2 * HOUR)), max_size=30
)


@given(conversations, st.randoms(use_true_random=False), st.integers(0, HOUR), st.integers(0, HOUR))
def test_busy_is_what_a_look_at_every_second_finds_in_any_order(
    drawn: list[Spoken], dice: Random, since: int, length: int
) -> None:
    spoken = [(seat, start, start + seconds) for seat, start, seconds in drawn]
    now = max((end for _, _, end in spoken), default=0)
    first, last = now - HOUR + since, min(now, now - HOUR + since + length)
    seconds = {second for seat, start, end in spoken if seat == "s1" for second in range(max(start, first), min(end, last))}

    known = workload(*dice.sample(spoken, len(spoken)))

    assert busy(known, "s1", at(first), at(last)) == len(seconds)


def test_the_oldest_conversations_of_a_flood_go() -> None:
    known = workload(*(("s1", n * 10, n * 10 + 5) for n in range(CONVERSATIONS_EACH + 10)))

    assert busy(known, "s1", at(0), at(HOUR)) == CONVERSATIONS_EACH * 5
    assert busy(known, "s1", at(0), at(100)) == 0
    assert known.gone == 10


def test_many_seats_share_what_is_known_one_by_one() -> None:
    spoken = [(f"s{seat}", n * 10, n * 10 + 5) for seat in range(SEATS) for n in range(CONVERSATIONS_EACH)]
    known = workload(*spoken)

    assert {len(each) for each in known.seats.values()} == {CONVERSATIONS // SEATS}
    assert known.gone == len(spoken) - CONVERSATIONS
    assert busy(known, "s0", at(0), at(HOUR)) == CONVERSATIONS // SEATS * 5


def test_a_seat_of_the_file_has_its_place_among_any_number_of_strangers() -> None:
    centre = changed(BOGOR, seats=[{"code": "meja-1", "also": ["PJSIP/11"]}])
    strangers = [(f"s{number}", 0, 60) for number in range(SEATS + 1)]

    known = workload(*strangers, ("meja-1", 0, 60), centre=centre)

    assert busy(known, "meja-1", at(0), at(60)) == 60
    assert busy(known, f"s{SEATS}", at(0), at(60)) == 0


def test_a_shift_that_has_gone_leaves_room_for_others() -> None:
    early = [(f"early-{n}", 0, 60) for n in range(SEATS + 1)]
    late = [(f"late-{n}", 2 * HOUR, 2 * HOUR + 60) for n in range(SEATS)]

    assert busy(workload(*early), f"early-{SEATS}", at(0), at(60)) == 0
    known = workload(*early, *late)
    assert {busy(known, seat, at(2 * HOUR), at(2 * HOUR + 60)) for seat, _, _ in late} == {60}


def test_five_weeks_of_kota_bogor_take_less_than_eighteen_kilobytes() -> None:
    """953 calls a day over 24 hours, three seats by turns, two minutes each."""
    known = Workload()
    for n in range(36 * 953):
        start = START.timestamp() + n * 86_400 / 953
        known.spoke(f"seat-{n % 3}", start, start + 120, BOGOR)
        known.count(start, 120_123_456, calls=1)

    assert len(BLOB.dump_json(known)) < 18_000

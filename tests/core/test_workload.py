"""Conversations of seats, one by one in the last hour and by hour of the week for ever."""

from datetime import datetime
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from streams.core.centre import Centre
from streams.core.spans import total
from streams.core.workload import CONVERSATIONS, CONVERSATIONS_EACH, FADE_AT, SEATS, Workload
from tests.builders import BOGOR, START, answered, at, changed, ended, fold, offered, seconds_to, transferred

HOUR = 3600
WIB, WIT = ZoneInfo("Asia/Jakarta"), ZoneInfo("Asia/Jayapura")
JAYAPURA = changed(BOGOR, timezone="Asia/Jayapura")
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


def test_a_conversation_is_from_the_answer_to_the_end_or_the_transfer() -> None:
    state = fold([offered("c1", 0), answered("c1", 5, "s1"), ended("c1", 65), offered("c2", 70), answered("c2", 80, "s1")])
    assert state.funnel.workload.total() == (1, 60)

    fold([transferred("c2", 110)], BOGOR, state)
    assert state.funnel.workload.total() == (2, 90)
    assert busy(state.funnel.workload, "s1", at(0), at(200)) == 90


def test_a_conversation_belongs_to_the_local_hour_of_the_week_in_which_it_was_answered() -> None:
    """START is a Monday, 08:00 in Bogor and 10:00 in Jayapura."""
    spoken = ("s1", HOUR - 60, HOUR + 60)

    assert workload(spoken).handle(at(0), WIB) == (1, 120)
    assert workload(spoken).handle(at(HOUR), WIB) == (0, 0)
    assert workload(spoken).handle(at(7 * 24 * HOUR + 5), WIB) == (1, 120)
    assert workload(spoken, centre=JAYAPURA).handle(at(0), WIT) == (1, 120)
    assert workload(spoken).conversations[8] == workload(spoken, centre=JAYAPURA).conversations[10] == 1


@pytest.mark.parametrize(("day", "hour"), [(25, 0), (27, 23), (30, 12)])
def test_hours_are_counted_from_monday_midnight(day: int, hour: int) -> None:
    start = int(seconds_to(datetime(2024, 11, day, hour, 59, tzinfo=START.tzinfo)))

    assert workload(("s1", start, start + 30)).conversations[(day - 25) * 24 + hour] == 1


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


def test_two_clocks_can_put_the_end_before_the_answer() -> None:
    assert workload(("s1", 10, 8)).total() == (1, 0)
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
    assert known.total() == (len(spoken), sum(end - start for _, start, end in spoken))


def test_an_hour_of_the_week_follows_when_conversations_become_longer() -> None:
    known = workload(*[("s1", 0, 60)] * 2_000)
    assert known.handle(at(0), WIB)[1] / known.handle(at(0), WIB)[0] == 60

    for _ in range(FADE_AT):
        known.spoke("s1", at(0), at(120), BOGOR)
    n, seconds = known.handle(at(0), WIB)
    assert n == FADE_AT / 2
    assert seconds / n == 105


def test_the_oldest_conversations_of_a_flood_go() -> None:
    known = workload(*(("s1", n * 10, n * 10 + 5) for n in range(CONVERSATIONS_EACH + 10)))

    assert busy(known, "s1", at(0), at(HOUR)) == CONVERSATIONS_EACH * 5
    assert busy(known, "s1", at(0), at(100)) == 0
    assert known.total()[0] == CONVERSATIONS_EACH + 10
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


def test_five_weeks_of_kota_bogor_take_less_than_four_kilobytes() -> None:
    """953 calls a day over 24 hours, three seats by turns, two minutes each."""
    known = Workload()
    for n in range(35 * 953):
        start = START.timestamp() + n * 86_400 / 953
        known.spoke(f"seat-{n % 3}", start, start + 120, BOGOR)

    assert len(BLOB.dump_json(known)) < 4_000

"""Lines that come nearly in the order of their times."""

from math import inf

from hypothesis import given
from hypothesis import strategies as st

from schemas.event import Event
from schemas.topics import Refusal
from streams.analysis.order import in_order
from streams.core.ledger import LATENESS
from streams.sources import Line
from tests.builders import at, offered

STEPS = st.lists(st.tuples(st.integers(0, 900), st.sampled_from([0, 0, 60, 3_000, LATENESS, LATENESS + 1, 9_000])), max_size=450)
BROKEN = Refusal("not_json", "not JSON")


def lines(steps: list[tuple[int, int]]) -> list[Line]:
    clock, told = 0, []
    for number, (step, behind) in enumerate(steps):
        clock += step
        told.append(Line(number, offered(f"c{number}", clock - behind)))
    return told


@given(STEPS)
def test_events_come_in_the_order_of_their_times_and_those_of_one_time_as_they_came(steps: list[tuple[int, int]]) -> None:
    told, late = lines(steps), list[tuple[float, Line]]()

    found = [*in_order(iter(told), lambda time, line: late.append((time, line)))]

    assert found == sorted(found, key=lambda each: (each[0], each[1].number))
    assert sorted([line.number for _, line in (*found, *late)]) == [*range(len(told))]
    assert all(isinstance(line.item, Event) and line.item.time.timestamp() == time for time, line in (*found, *late))
    newest = -inf
    for line in told:
        assert isinstance(line.item, Event)
        time = line.item.time.timestamp()
        assert ((time, line) in late) == (time < newest - LATENESS)
        newest = max(newest, time)


def test_what_is_no_event_comes_with_the_time_of_the_one_before_and_what_is_late_at_once_where_nobody_keeps_it() -> None:
    told = [*lines([(0, 0), (5_000, 0), (0, 4_900)]), Line(9, BROKEN)]

    assert [*in_order(told)] == [(at(0), told[0]), (at(100), told[2]), (at(100), told[3]), (at(5_000), told[1])]

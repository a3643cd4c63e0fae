"""How many wait at once: whoever is answered as he comes never waited, and the order of telling makes no difference."""

from collections.abc import Iterable
from random import Random
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.core.calls import PEAK, PEAK_TIME
from streams.core.crowd import KEPT_SECONDS, Crowd, Peak
from tests.builders import BOGOR, abandoned, answered, at, changed, fold, offered, readings

WIB = ZoneInfo("Asia/Jakarta")
HOUR = 3600

Waits = list[tuple[float, float]]
waits = st.lists(st.tuples(st.floats(0, 200) | st.integers(0, 200), st.floats(0, 90) | st.integers(0, 5)), max_size=25).map(
    lambda drawn: [(start, start + length) for start, length in drawn]
)


def crowd(changes: Iterable[tuple[float, int]]) -> Crowd:
    known = Crowd()
    for time, by in changes:
        known.change(at(time), by, WIB)
    return known


def at_every_second(told: Waits) -> Peak:
    peak = Peak()
    for second in range(300):
        peak.see(sum(int(at(start)) <= at(second) < int(at(end)) for start, end in told), at(second))
    return peak


def test_who_is_answered_or_lost_in_the_second_in_which_he_came_makes_no_peak() -> None:
    """
    a  o─────────────────────────a
    b            oa
    c                   ox
       0         30     40       60
    """
    told = [offered("a", 0), offered("b", 30), answered("b", 30), offered("c", 40.1), abandoned("c", 40.9), answered("a", 60)]

    said = readings(told, now=70)
    assert said[PEAK, "ever"] == said[PEAK, "today"] == 1
    assert said[PEAK_TIME, "ever"] == at(0)


def test_a_peak_is_known_before_a_minute_has_passed() -> None:
    assert readings([offered("a", 0), offered("b", 3)], now=4)[PEAK, "ever"] == 2
    assert readings([offered("a", 0), offered("b", 3), answered("b", 3)], now=4)[PEAK, "ever"] == 1


@settings(deadline=None)
@given(waits)
def test_a_peak_is_what_a_look_at_every_second_finds(told: Waits) -> None:
    changes = sorted(
        [(start, 1) for start, _ in told] + [(end, -1) for _, end in told], key=lambda change: (change[0], -change[1])
    )

    ever, today = crowd(changes).peaks(at(300), WIB)
    assert ever == at_every_second(told)
    assert (today.calls, today.time if today.calls else 0) == (ever.calls, ever.time)


@settings(deadline=None)
@given(waits, st.integers(0, 2**32))
def test_two_sources_a_little_behind_each_other_see_the_same_peak(told: Waits, seed: int) -> None:
    dice = Random(seed)
    changes = [(start, 1) for start, _ in told] + [(end, -1) for _, end in told]
    changes.sort(key=lambda change: change[0] + dice.uniform(0, KEPT_SECONDS - 1))

    assert crowd(changes).peaks(at(300), WIB)[0] == at_every_second(told)


def test_a_backlog_is_no_peak_beside_those_who_wait_now() -> None:
    live = [(HOUR, 1), (HOUR + 1, 1)]
    late = [(n, 1) for n in range(5)] + [(50 + n, -1) for n in range(5)]
    known = crowd([*live, *late])

    assert known.peaks(at(HOUR), WIB)[0] == Peak(2, at(HOUR + 1))
    assert known.recent.keys() == {int(at(HOUR)), int(at(HOUR + 1))}


def test_whoever_waits_over_midnight_is_the_first_peak_of_the_day() -> None:
    """START is at eight in the morning."""
    midnight = 16 * HOUR
    known = crowd([(midnight - 9, 1), (midnight - 8, 1), (midnight - 7, 1), (midnight - 5, -1), (midnight + 9, -1)])

    assert known.peaks(at(midnight + 10), WIB) == (Peak(3, at(midnight - 7)), Peak(2, at(midnight)))
    assert known.peaks(at(2 * midnight + 9 * HOUR), WIB)[1] == Peak(1, at(midnight + 24 * HOUR))
    assert crowd([(midnight - 9, 1), (midnight, -1)]).peaks(at(midnight), WIB)[1].calls == 0, "gone with the stroke of midnight"


def test_a_finer_clock_moves_an_arrival() -> None:
    both = changed(BOGOR, sources=[["/32.71/test", "/32.71/other"]])
    state = fold([offered("a", 10), answered("a", 20), offered("b", 20.5)], both)

    assert readings(state, 60, both)[PEAK, "ever"] == 1


@given(st.lists(st.tuples(st.floats(0, 3000), st.sampled_from([1, -1])), min_size=200, max_size=300))
def test_few_seconds_are_kept(changes: list[tuple[float, int]]) -> None:
    """Of a flood, those that came since and in about the six minutes before."""
    known = crowd(changes)
    for second in range(2 * KEPT_SECONDS + 100):
        known.change(at(3000 + second), 1, WIB)
        assert len(known.recent) <= 2 * KEPT_SECONDS + 1

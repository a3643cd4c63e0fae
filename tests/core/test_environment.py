"""A river and the weather on a time line."""

from collections.abc import Iterable
from itertools import permutations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from schemas.environment import EnvironmentEvent
from streams.centres import PACKAGED
from streams.core import environment
from streams.core.centre import GAUGES, Centre, Gauge, parse
from streams.core.environment import (
    INTERVAL,
    INTERVAL_RISE,
    LAST_READING,
    LEVEL,
    RISE,
    RISE_LIMIT,
    SIAGA,
    SIAGA_BOUND,
    WARNING,
    WARNING_EXPIRES,
    WARNINGS,
    State,
    siaga,
    warned_hours,
)
from streams.core.names import PASSED_OVER_TOTAL, UNKNOWN_TOTAL
from streams.core.reading import Metric
from tests.builders import BOGOR, Said, at, cancelled, changed, gauge_read, respelt, said, warned

KATULAMPA = Gauge(code="katulampa", name="Bendung Katulampa", siaga=(80, 150, 200))
CENTRE = changed(BOGOR, gauges=(KATULAMPA,))
MINUTE, HOUR, DAY = 60, 3600, 86_400
LABELS = ("hujan-lebat", "Moderate", "Immediate", "Observed", "BMKG")


def fold(events: Iterable[EnvironmentEvent], state: State | None = None) -> State:
    state = state if state is not None else State()
    for event in events:
        environment.step(state, event, event.time.timestamp(), CENTRE)
    return state


def readings(events: Iterable[EnvironmentEvent], now: float, centre: Centre = CENTRE) -> Said:
    return said(environment.measure(fold(events), at(now), centre))


def rises(events: Iterable[EnvironmentEvent], now: float) -> float | None:
    found = readings(events, now)
    return found.number(RISE, "katulampa") if (RISE, "katulampa") in found else None


def hours(events: Iterable[EnvironmentEvent], since: float, until: float) -> set[int]:
    """Warned hours, counted from START."""
    first = int(at(0) // HOUR)
    return {hour - first for hour in warned_hours(fold(events), at(since), at(until))}


@pytest.mark.parametrize(
    ("level", "alert"), [(-5, 4), (80, 4), (80.5, 3), (81, 3), (150, 3), (150.5, 2), (151, 2), (200, 2), (200.5, 1), (201, 1)]
)
def test_katulampa_changes_siaga_above_80_150_and_200_centimetres(level: float, alert: int) -> None:
    """Exactly 150 cm was reported as Siaga 3 on 29 January 2026."""
    assert siaga(level, KATULAMPA) == alert
    assert readings([gauge_read(level, 0)], 60)[SIAGA, "katulampa"] == alert


@pytest.mark.parametrize(("level", "alert"), [(79.9, 4), (80, 3), (149.9, 3), (150, 2), (199.9, 2), (200, 1)])
def test_a_gauge_may_say_that_the_higher_alert_begins_at_the_bound_itself(level: float, alert: int) -> None:
    gauge = KATULAMPA.model_copy(update={"siaga_at": "from"})

    assert readings([gauge_read(level, 0)], 60, changed(BOGOR, gauges=(gauge,)))[SIAGA, "katulampa"] == alert


def test_the_packaged_centre_has_the_bounds_of_katulampa() -> None:
    [gauge] = parse(PACKAGED.read_text()).gauges
    assert (gauge.code, gauge.siaga, gauge.rise_centimetres) == ("katulampa", (80, 150, 200), 60)


def test_a_gauge_that_the_centre_file_does_not_have_says_its_level_and_no_siaga() -> None:
    found = readings([gauge_read(120, 0, "ciliwung")], 60)

    assert found[LEVEL, "ciliwung"] == 120
    assert (SIAGA, "ciliwung") not in found
    assert (RISE_LIMIT, "ciliwung") not in found


LIMITS = {
    (RISE_LIMIT, "katulampa"): 60,
    (SIAGA_BOUND, "katulampa", "3"): 80,
    (SIAGA_BOUND, "katulampa", "2"): 150,
    (SIAGA_BOUND, "katulampa", "1"): 200,
}


def test_a_gauge_of_the_centre_file_that_was_never_read_says_only_its_limits() -> None:
    found = readings([gauge_read(120, 0, "ciliwung")], 60)

    assert {key: value for key, value in found.items() if key[1] == "katulampa"} == LIMITS


def test_nothing_told_of_the_weather_is_absent_and_not_zero() -> None:
    assert readings([], 0, BOGOR) == {}


def test_the_flood_of_5_april_2024_rises_by_sixty_centimetres() -> None:
    """
    level  80 ──────────── 140
           0              22 min
    """
    events = [gauge_read(80, 0), gauge_read(110, 11 * MINUTE), gauge_read(140, 22 * MINUTE)]

    assert rises(events, 22 * MINUTE) == 60


def test_a_rise_counts_from_the_lowest_of_the_last_thirty_minutes() -> None:
    """
    level  10   50   40      100
           0    5    20      35   min: 10 is too long ago at 35
    """
    events = [gauge_read(10, 0), gauge_read(50, 5 * MINUTE), gauge_read(40, 20 * MINUTE), gauge_read(100, 35 * MINUTE)]

    assert rises(events[:3], 20 * MINUTE) == 30
    assert rises(events, 35 * MINUTE) == 60


def test_a_falling_river_does_not_rise() -> None:
    assert rises([gauge_read(140, 0), gauge_read(80, 10 * MINUTE)], 10 * MINUTE) == 0


def test_one_reading_in_thirty_minutes_says_nothing_of_a_rise() -> None:
    events = [gauge_read(10, 0), gauge_read(140, 40 * MINUTE)]

    assert rises(events, 40 * MINUTE) is None
    assert rises(events[:1], 0) is None


def test_a_rise_is_over_when_no_reading_confirms_it() -> None:
    events = [gauge_read(80, 0), gauge_read(140, 22 * MINUTE)]

    assert rises(events, 30 * MINUTE) == 60
    assert rises(events, 31 * MINUTE) is None


def over_interval(events: Iterable[EnvironmentEvent], now: float) -> tuple[float, float] | None:
    """Rise over an interval without a reading, and its seconds."""
    found = readings(events, now)
    if (INTERVAL_RISE, "katulampa") not in found:
        return None
    return found.number(INTERVAL_RISE, "katulampa"), found.number(INTERVAL, "katulampa")


def test_what_rose_between_two_hours_may_have_come_within_half_an_hour() -> None:
    """
    level  30 ──────────── 110    limit 60
           0               1 h
    """
    events = [gauge_read(30, 0), gauge_read(110, HOUR)]

    assert over_interval(events, HOUR) == (80, HOUR)
    assert rises(events, HOUR) is None
    assert over_interval(events, 3 * HOUR) == (80, HOUR), "until it is read again, or its level is too old"
    assert over_interval(events, 3 * HOUR + 1) is None
    assert over_interval([*events, gauge_read(112, 2 * HOUR)], 2 * HOUR) == (2, HOUR)
    assert over_interval([*events, gauge_read(90, 2 * HOUR)], 2 * HOUR) == (0, HOUR)


def test_a_second_telling_of_an_hour_s_reading_takes_no_rise_back() -> None:
    events = [gauge_read(30, 0), gauge_read(110, HOUR), gauge_read(109, HOUR + 70), gauge_read(115, HOUR + 20 * MINUTE)]

    assert over_interval(events[:3], HOUR + 70) == (79, HOUR)
    assert over_interval(events, HOUR + 20 * MINUTE) == (85, HOUR)
    assert over_interval([*events, gauge_read(116, HOUR + 31 * MINUTE)], HOUR + 31 * MINUTE) is None, "the half hour says it all"


@pytest.mark.parametrize("minutes", [1, 5, 10, 15, 30])
def test_a_gauge_that_is_read_every_half_hour_or_oftener_has_no_such_interval(minutes: int) -> None:
    events = [gauge_read(10 + 15 * n, n * minutes * MINUTE) for n in range(12)]

    assert over_interval(events, 11 * minutes * MINUTE) is None


def test_a_rise_over_more_than_two_hours_says_little() -> None:
    assert over_interval([gauge_read(30, 0), gauge_read(110, 2 * HOUR)], 2 * HOUR) == (80, 2 * HOUR)
    assert over_interval([gauge_read(30, 0), gauge_read(110, 2 * HOUR + 60)], 2 * HOUR + 60) is None
    assert over_interval([gauge_read(30, 0)], 0) is None


def test_a_feed_that_comes_back_after_an_hour_tells_what_rose_meanwhile() -> None:
    """Every ten minutes, and then not for 70."""
    before = [gauge_read(30, n * 10 * MINUTE) for n in range(4)]

    assert over_interval([*before, gauge_read(95, 100 * MINUTE)], 100 * MINUTE) == (65, 70 * MINUTE)


def test_a_level_older_than_two_hours_is_not_said_but_its_time_is() -> None:
    events = [gauge_read(210, 0)]

    assert readings(events, 2 * HOUR)[LEVEL, "katulampa"] == 210
    stale = readings(events, 2 * HOUR + 1)
    assert stale == {(LAST_READING, "katulampa"): at(0), **LIMITS}


def test_a_reading_that_another_clock_puts_into_the_future_is_of_now() -> None:
    assert readings([gauge_read(210, 100)], 50)[LAST_READING, "katulampa"] == at(50)


def test_of_two_readings_at_one_moment_the_higher_holds_in_any_order() -> None:
    events = [gauge_read(90, 0), gauge_read(160, 0)]

    assert readings(events, 0)[LEVEL, "katulampa"] == readings(events[::-1], 0)[LEVEL, "katulampa"] == 160


def test_a_source_that_invents_gauges_cannot_fill_the_memory_nor_take_the_place_of_the_file_s() -> None:
    events = [gauge_read(n, n, f"g{n}") for n in range(GAUGES + 50)]

    found = readings([*events, gauge_read(7, 999, "g0"), gauge_read(160, 999, "Katu.Lampa")], 999)

    assert sum(key[0] is LEVEL for key in found) == GAUGES
    assert (found[LEVEL, "g0"], found[SIAGA, "katulampa"]) == (7, 2)
    assert (found[UNKNOWN_TOTAL, "gauge"], found[PASSED_OVER_TOTAL, "gauge"]) == (GAUGES - 1, 51)


def test_a_gauge_that_the_file_does_not_name_and_that_is_silent_for_a_day_makes_way_for_another() -> None:
    events = [gauge_read(n, n, f"g{n}") for n in range(GAUGES)]

    state = fold([*events, gauge_read(1, DAY + 1, "new"), gauge_read(1, DAY + 1, "newer"), gauge_read(1, DAY + 1, "newest")])

    assert {"g0", "g1", "newest"}.isdisjoint(state.gauges)
    assert {"g2", "new", "newer"} <= state.gauges.keys()


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["katulampa", "g1"]), st.integers(0, 7200), st.integers(0, 300))), st.randoms())
def test_however_a_gauge_is_spelt_the_figures_are_the_same(told: list[tuple[str, int, int]], dice: Random) -> None:
    events = [gauge_read(level, time, gauge) for gauge, time, level in told]

    assert readings([respelt(event, dice, gauge=CENTRE.names.gauges) for event in events], 7200) == readings(events, 7200)


levels = st.lists(st.tuples(st.integers(0, 90 * MINUTE), st.integers(0, 300)), min_size=1, max_size=40) | st.lists(
    st.tuples(st.integers(0, 5 * HOUR), st.integers(0, 300)), min_size=1, max_size=6
)
"""Readings close together, and far apart."""


@settings(deadline=None)
@given(levels, st.randoms(use_true_random=False), st.integers(0, HOUR))
def test_level_and_rise_are_those_of_a_count_by_hand_in_any_order_of_telling(
    told: list[tuple[int, int]], dice: Random, later: int
) -> None:
    now = max(time for time, _ in told) + later
    by_hand: dict[Metric, float] = {LEVEL: max(told)[1]}
    window = [(time, level) for time, level in told if (at(time) // 60) >= at(now) // 60 - 30]
    if len({at(time) // 60 for time, _ in window}) > 1:
        by_hand[RISE] = max(told)[1] - min(level for _, level in window)
    newest = at(max(told)[0]) // 60
    resumed = min(at(time) // 60 for time, _ in told if at(time) // 60 >= newest - 30)
    before = max((at(time) // 60 for time, _ in told if at(time) // 60 < newest - 30), default=resumed)
    if 30 < resumed - before <= 120:
        by_hand[INTERVAL] = (resumed - before) * 60
        by_hand[INTERVAL_RISE] = max(told)[1] - min(level for time, level in told if at(time) // 60 >= before)
    dice.shuffle(told)

    found = readings([gauge_read(level, time) for time, level in told], now)

    spoken = (LEVEL, RISE, INTERVAL, INTERVAL_RISE)
    assert {metric: found[metric, "katulampa"] for metric in spoken if (metric, "katulampa") in found} == by_hand


def test_a_warning_holds_from_its_onset_until_before_it_expires() -> None:
    """
    w1       ├────────┤
       told  onset    expires
       0     300      7500
    """
    events = [warned("w1", 0, 300, 7500)]

    for now, holds in ((299, False), (300, True), (7499, True), (7500, False)):
        assert ((WARNING, *LABELS) in readings(events, now)) is holds
    assert readings(events, 300)[WARNING_EXPIRES, "hujan-lebat", "BMKG"] == at(7500)
    assert readings(events, 300)[WARNING, "hujan-lebat", "Moderate", "Immediate", "Observed", "BMKG"] == 1


def test_two_warnings_of_one_kind_are_one_and_expire_with_the_later() -> None:
    found = readings([warned("w1", 0, 0, 900), warned("w2", 0, 0, 600)], 300)

    assert found[(WARNING, *LABELS)] == 1
    assert found[WARNING_EXPIRES, "hujan-lebat", "BMKG"] == at(900)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_latest_word_on_a_warning_holds_in_any_order_of_telling(order: tuple[int, ...]) -> None:
    """
    told  Moderate to 9000   Severe to 7000   taken back
          0                  600              1200
    """
    story = [warned("w1", 0, 0, 9000), warned("w1", 600, 0, 7000, "Severe"), cancelled("w1", 1200)]

    told = [story[n] for n in order]

    assert not any(key[0] is WARNING for key in readings(told, 1200))
    without_the_end = [event for event in told if event.type == "weather.warned"]
    assert [key[2] for key in readings(without_the_end, 1200) if key[0] is WARNING] == ["Severe"]


def test_a_warning_given_again_after_it_was_taken_back_holds() -> None:
    events = [warned("w1", 0, 0, 9000), cancelled("w1", 600), warned("w1", 1200, 1200, 9000)]

    assert (WARNING, *LABELS) not in readings(events[:2], 600)
    assert (WARNING, *LABELS) in readings(events, 1200)


def test_a_warning_taken_back_at_the_moment_it_was_given_does_not_hold_in_either_order() -> None:
    events = [warned("w1", 0, 0, 9000), cancelled("w1", 0)]

    assert not any(key[0] is WARNING for key in readings(events, 60))
    assert not any(key[0] is WARNING for key in readings(events[::-1], 60))


def test_what_takes_back_a_message_takes_back_every_warning_in_it_in_either_order() -> None:
    events = [warned("w1", 0, 0, 9000), warned("w1/info-2", 0, 0, 9000, "Severe"), cancelled("w1", 600)]

    assert {key[2] for key in readings(events[:2], 600) if key[0] is WARNING} == {"Moderate", "Severe"}
    for told in (events, events[::-1]):
        assert not any(key[0] is WARNING for key in readings(told, 600))


def test_one_warning_of_a_message_can_be_taken_back_alone_and_another_message_is_left_alone() -> None:
    events = [warned("w1", 0, 0, 9000), warned("w1/info-2", 0, 0, 9000, "Severe"), warned("w1-b/info-2", 0, 0, 9000, "Extreme")]

    assert {key[2] for key in readings([*events, cancelled("w1/info-2", 60)], 60) if key[0] is WARNING} == {"Moderate", "Extreme"}
    assert {key[2] for key in readings([*events, cancelled("w1", 60)], 60) if key[0] is WARNING} == {"Extreme"}


def test_telling_everything_twice_changes_nothing() -> None:
    events = [warned("w1", 0, 0, 9000), gauge_read(90, 5), cancelled("w1", 600), gauge_read(95, 700)]

    assert readings([*events, *events], 700) == readings(events, 700)


def test_warned_hours_are_all_that_a_warning_touches() -> None:
    """
    w1      ├──────┤              w2 taken back before its onset, w3 on the hours' edges
       0    1    2    3    4  5 h
    """
    events = [
        warned("w1", 0, 0.5 * HOUR, 2.1 * HOUR),
        warned("w2", 0, 3 * HOUR, 4 * HOUR),
        cancelled("w2", 2 * HOUR),
        warned("w3", 0, 5 * HOUR, 6 * HOUR),
    ]

    assert hours(events, 0, 24 * HOUR) == {0, 1, 2, 5}
    assert hours(events, 1 * HOUR, 2 * HOUR) == {1}
    assert hours(events, 1.5 * HOUR, 2.05 * HOUR) == {1, 2}


def test_the_hour_that_is_asked_from_counts_whole_whether_the_warning_is_forgotten_or_not() -> None:
    """
    w1    ├───┤                    asked from 1.5 h
       0     1   2 h
    """
    first, later = warned("w1", 0, 0.5 * HOUR, 1.2 * HOUR), warned("w2", 10 * HOUR, 0, 0)

    assert hours([first], 1.5 * HOUR, 5 * HOUR) == {1}
    assert hours([first, later], 1.5 * HOUR, 5 * HOUR) == {1}
    assert set(fold([first, later]).warnings) == {"w2"}


def test_warned_hours_outlive_the_warning_by_a_week_and_no_longer() -> None:
    first = warned("w1", 0, 0, 2 * HOUR)
    for days in (1, 6, 8):
        events = [first, *(warned(f"x{day}", day * 24 * HOUR, 0, 0) for day in range(1, days + 1))]
        assert len(fold(events).warnings) < len(events), "those of which nothing more is told are forgotten"
        assert hours(events, 0, days * 24 * HOUR) == ({0, 1} if days < 7 else set())


def test_the_longest_warnings_take_no_memory_of_their_hours() -> None:
    forever = [warned(f"w{n}", n, 0, 60 * 24 * HOUR) for n in range(2 * WARNINGS)]

    state = fold([*forever, *(warned(f"x{n}", 30 * 24 * HOUR + n, 0, 0) for n in range(2 * WARNINGS))])

    assert len(state.warnings) == WARNINGS
    assert len(state.hours) <= 7 * 24 + 1


def test_of_a_warning_of_two_months_the_hours_of_the_week_are_counted() -> None:
    event = warned("w1", 0, -20 * DAY, 40 * DAY)

    assert hours([event], -10_000 * DAY, 10 * DAY) == set(range(3 * 24 + 1, 10 * 24))
    assert len(hours([event], -10_000 * DAY, 30 * DAY + 1)) == 168


def test_of_too_many_warnings_those_told_last_stay() -> None:
    told = [warned(f"w{n:03d}", n, 0, 9000) for n in range(WARNINGS + 10)]
    Random(7).shuffle(told)

    state = fold(told)
    assert sorted(state.warnings) == [f"w{n:03d}" for n in range(10, WARNINGS + 10)]
    assert said(environment.measure(state, at(0), CENTRE))[PASSED_OVER_TOTAL, "warning"] == 10


stories = st.lists(
    st.one_of(
        st.builds(
            lambda name, time, onset, length: warned(name, time, time + onset, time + onset + length),
            st.sampled_from(["w1", "w1/info-2", "w2", "w3"]),
            st.integers(0, HOUR),
            st.integers(-HOUR, HOUR),
            st.integers(0, 5 * HOUR),
        ),
        st.builds(cancelled, st.sampled_from(["w1", "w2", "w3"]), st.integers(0, HOUR)),
    ),
    max_size=12,
)


@settings(deadline=None)
@given(stories, st.randoms(use_true_random=False), st.integers(0, 8 * HOUR))
def test_what_is_said_of_warnings_depends_on_no_order_of_telling(told: list[EnvironmentEvent], dice: Random, now: int) -> None:
    shuffled = list(told)
    dice.shuffle(shuffled)

    assert readings(shuffled, now) == readings(told, now)
    assert hours(shuffled, -24 * HOUR, 24 * HOUR) == hours(told, -24 * HOUR, 24 * HOUR)


@settings(deadline=None)
@given(stories, st.integers(0, 12))
def test_a_state_put_away_as_json_and_taken_back_folds_on_to_the_same_bytes(told: list[EnvironmentEvent], cut: int) -> None:
    blob = TypeAdapter(State)
    events = [event for n, event in enumerate(told) for event in (event, gauge_read(n, n * MINUTE))]

    taken_back = fold(events[cut:], blob.validate_json(blob.dump_json(fold(events[:cut]))))

    assert blob.dump_json(taken_back) == blob.dump_json(fold(events))


def test_the_state_of_bogor_takes_less_than_six_kilobytes() -> None:
    """One gauge a minute and ten warnings a day, without the ledger."""
    events = [gauge_read(100.5, minute * MINUTE) for minute in range(7 * 24 * 60)]
    events += [warned(f"2.49.0.1.360.0.2026.09.{n:02d}", n * 8640, n * 8640, n * 8640 + 7200) for n in range(70)]

    assert len(TypeAdapter(State).dump_json(fold(events))) < 6_000

"""What is said of calls on a time line: who waits, rates, days, peaks.

o offered, q queued, a answered, x abandoned, e ended, t transferred, v overflowed, b blocked, n network drop.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from streams.core import arrivals, calls, forecast
from streams.core.callers import CLASSIFIED_TOTAL
from streams.core.calls import (
    ANSWER_CALLS,
    ANSWER_RATIO,
    ANSWER_RATIO_LOWER,
    ANSWER_RATIO_UPPER,
    CLOCK_INFO,
    ENDED_TOTAL,
    IN_SERVICE,
    JOURNEYS_ENDED_TOTAL,
    JOURNEYS_OFFERED_TOTAL,
    METRICS,
    OFFERED_TOTAL,
    OLDEST_WAITING,
    PASSED_ON_TODAY,
    PASSED_ON_TOTAL,
    PEAK,
    PEAK_TIME,
    SERVICE_LEVEL,
    SERVICE_LEVEL_CALLS,
    TODAY,
    WAITING,
)
from streams.core.names import PASSED_OVER_TOTAL, UNKNOWN_TOTAL
from streams.core.totals import JOURNEY_OUTCOMES, OUTCOMES
from tests.builders import (
    BOGOR,
    abandoned,
    answered,
    at,
    changed,
    classified,
    ended,
    fold,
    network_dropped,
    offered,
    readings,
    seconds_to,
    transferred,
)


def test_a_call_waits_until_it_is_answered() -> None:
    """
    c1  o───────a
    c2      o───────────────►
        0   4   8          20
    """
    said = readings([offered("c1", 0), offered("c2", 4), answered("c1", 8)], now=20)

    assert said[WAITING, "112"] == 1
    assert said[OLDEST_WAITING, "112"] == at(4)
    assert said[IN_SERVICE, "112"] == 1


def test_the_oldest_waiting_call_is_absent_when_nobody_waits() -> None:
    """
    c1  o───────x
        0       8  20
    """
    said = readings([offered("c1", 0), abandoned("c1", 8)], now=20)

    assert said[WAITING, "112"] == 0
    assert (OLDEST_WAITING, "112") not in said


def test_nothing_that_is_waited_for_or_came_is_ahead_of_now() -> None:
    """
    c1              o─►     of a clock that is ahead
       now 0       60
    """
    state = fold([offered("c1", 60, link="sip-telkom"), abandoned("c2", 70)])
    said = readings(state, now=0)

    moments = {metric.name: value for (metric, *_), value in said.items() if metric.name.endswith("_timestamp_seconds")}
    assert set(moments) >= {OLDEST_WAITING.name, arrivals.LAST_CALL.name, arrivals.LINK_LAST_CALL.name, PEAK_TIME.name}
    assert set(moments.values()) == {at(0)}


def test_a_caller_of_a_clock_that_is_ahead_does_not_hide_who_waits_longer() -> None:
    said = readings([offered("c1", 600), offered("c2", 0)], now=90)

    assert said[OLDEST_WAITING, "112"] == at(0)


def test_one_event_delivered_twice_counts_once() -> None:
    """
    c1  oo─────aa────ee
        0      8     30
    """
    story = [offered("c1", 0), answered("c1", 8), ended("c1", 30), classified("c1", 31, "prank")]
    twice = [event for event in story for _ in range(2)]

    assert readings(twice, now=40) == readings(story, now=40)


@pytest.mark.parametrize("zone", ["Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura"])
def test_the_day_begins_at_local_midnight(zone: str) -> None:
    """
             23:59:58  00:00  00:00:04
    before       o───────┼───────a
    after                o───────a
    """
    centre = BOGOR.model_copy(update={"timezone": ZoneInfo(zone)})
    midnight = seconds_to(datetime(2024, 11, 26, tzinfo=ZoneInfo(zone)))
    before = [offered("before", midnight - 2)]
    after = [offered("after", midnight), answered("before", midnight + 4), answered("after", midnight + 4)]

    assert readings(before, midnight - 1, centre).by_label(TODAY) == {"offered": 1}
    assert readings(before, midnight, centre).by_label(TODAY) == {}
    assert readings([*before, *after], midnight + 5, centre).by_label(TODAY) == {"offered": 1, "answered": 2}
    assert readings([*before, *after], midnight + 5, centre)[OFFERED_TOTAL, "112"] == 2


def test_the_three_zones_disagree_about_the_day() -> None:
    """
    WIB   23:30 o   yesterday
    WITA  00:30 o   today
    WIT   01:30 o   today
    """
    half_past_eleven = seconds_to(datetime(2024, 11, 25, 23, 30, tzinfo=ZoneInfo("Asia/Jakarta")))
    an_hour_later = half_past_eleven + 3600
    counts = {
        zone: readings([offered("c1", half_past_eleven)], an_hour_later, BOGOR.model_copy(update={"timezone": ZoneInfo(zone)}))
        for zone in ("Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura")
    }

    assert [said[TODAY, "offered"] for said in counts.values()] == [0, 1, 1]


def test_a_late_fact_of_yesterday_is_not_of_today() -> None:
    """
    c1    o──x│             told after c2
    c2        │  o──►
           midnight
    """
    midnight = seconds_to(datetime(2024, 11, 26, tzinfo=BOGOR.timezone))
    said = readings([offered("c1", midnight - 60), offered("c2", midnight + 9), abandoned("c1", midnight - 30)], midnight + 10)

    assert said.by_label(TODAY) == {"offered": 1}
    assert said.by_label(ENDED_TOTAL, "112") == {"abandoned": 1}


def test_the_peak_is_the_most_that_waited_at_once_and_when_first() -> None:
    """
    c1  o────────a
    c2     o────────a
    c3           ·  o──a
    c4                 o──►
        0  2     8 10 12
    """
    said = readings(
        [
            offered("c1", 0), offered("c2", 2), answered("c1", 8), answered("c2", 10),
            offered("c3", 10), answered("c3", 12), offered("c4", 12),
        ],
        now=20,
    )  # fmt: skip

    assert said[PEAK, "ever"] == said[PEAK, "today"] == 2
    assert said[PEAK_TIME, "ever"] == said[PEAK_TIME, "today"] == at(2)


def test_the_peak_of_the_day_starts_anew_and_that_of_ever_stays() -> None:
    """
    c1  o──x      │
    c2  o──x      │
    c3            │  o──x
               midnight
    """
    midnight = seconds_to(datetime(2024, 11, 26, tzinfo=BOGOR.timezone))
    events = [
        offered("c1", 0), offered("c2", 1), abandoned("c1", 9), abandoned("c2", 9),
        offered("c3", midnight + 60), abandoned("c3", midnight + 69),
    ]  # fmt: skip
    said = readings(events, midnight + 100)

    assert (said[PEAK, "ever"], said[PEAK_TIME, "ever"]) == (2, at(1))
    assert (said[PEAK, "today"], said[PEAK_TIME, "today"]) == (1, at(midnight + 60))
    assert readings(events, midnight + 86_400)[PEAK, "today"] == 0


def test_a_rate_without_calls_is_absent_and_not_zero() -> None:
    """
    c1  o──a                         ·
        0  3                      5 min later
    """
    events = [offered("c1", 0), answered("c1", 3)]

    assert readings(events, now=302)[ANSWER_RATIO, "5m"] == 1
    said = readings(events, now=303)
    assert said[ANSWER_CALLS, "5m"] == 0
    assert {metric for metric, *labels in said if labels[-1:] == ["5m"]} == {ANSWER_CALLS, SERVICE_LEVEL_CALLS}
    assert said[ANSWER_RATIO, "15m"] == 1


def test_a_centre_without_events_says_no_rate_but_counts_of_zero() -> None:
    said = readings([], now=0)

    assert said[OFFERED_TOTAL, "112"] == said[WAITING, "112"] == 0
    assert not {ANSWER_RATIO, SERVICE_LEVEL, OLDEST_WAITING, PEAK_TIME, CLOCK_INFO} & {metric for metric, *_ in said}


def test_the_answer_ratio_comes_with_its_interval_and_its_count() -> None:
    """Nine of ten answered, by Wilson 0.596 to 0.982."""
    said = readings(
        [*(offered(f"c{n}", n) for n in range(10)), *(answered(f"c{n}", n + 10) for n in range(9)), network_dropped("c9", 30)],
        now=60,
    )

    assert said[ANSWER_RATIO, "5m"] == 0.9
    assert said[ANSWER_CALLS, "5m"] == 10
    assert said.number(ANSWER_RATIO_LOWER, "5m") == pytest.approx(0.596, abs=0.001)
    assert said.number(ANSWER_RATIO_UPPER, "5m") == pytest.approx(0.982, abs=0.001)


def test_a_silent_call_is_not_a_prank() -> None:
    said = readings([classified("c1", 0, "ghost"), classified("c2", 0, "prank"), classified("c3", 1, "ghost")], now=5)

    assert said.by_label(CLASSIFIED_TOTAL) == {"ghost": 2, "prank": 1}


def test_a_seat_talks_from_the_answer_to_the_end() -> None:
    """
    c1  o──a────────e      seat-1
    c2        o──a─────►   seat-2
        0  3  5  9 20
    """
    events = [offered("c1", 0), answered("c1", 3, "seat-1"), offered("c2", 5), answered("c2", 9, "seat-2"), ended("c1", 20)]

    assert calls.talking(fold(events[:4])) == {"seat-1": at(3), "seat-2": at(9)}
    assert calls.talking(fold(events)) == {"seat-2": at(9)}


def test_a_call_passed_on_straight_to_a_seat_keeps_that_seat_busy_and_can_be_passed_on_again() -> None:
    """
    c1  o──a─────t  a──────────t      seat-1, then seat-2, then the neighbour
        0  3    40  44        99
    """
    told = [offered("c1", 0), answered("c1", 3, "seat-1"), transferred("c1", 40, to="seat-2"), answered("c1", 44, "seat-2")]
    assert calls.talking(fold(told)) == {"seat-2": at(44)}
    assert calls.talking(fold([*told[:3], answered("c1", 3.5, "seat-1")])) == {}, "told again"

    state = fold([*told, transferred("c1", 99, to="32.01")])
    assert calls.talking(state) == {}
    assert state.funnel.workload.spans("seat-2", at(0), at(200)) == [(at(44), at(99))]
    said = readings(state, now=200)
    assert said.by_label(PASSED_ON_TOTAL) == {"32.01": 1}
    assert said[JOURNEYS_OFFERED_TOTAL,] == 1
    assert said.by_label(JOURNEYS_ENDED_TOTAL) == said.by_label(ENDED_TOTAL, "112") == {"answered": 1}


def test_a_journey_that_was_passed_on_and_turns_out_to_be_a_test_was_nobody_s_emergency() -> None:
    told = [offered("c1", 0), answered("c1", 3), transferred("c1", 40, to="32.01")]
    assert readings(told, now=50)[PASSED_ON_TODAY,] == 1
    assert readings([*told, classified("c1", 60, "test")], now=70)[PASSED_ON_TODAY,] == 0
    assert readings([*told, classified("c1", 60, "test"), classified("c1", 80, "normal")], now=90)[PASSED_ON_TODAY,] == 1


def test_a_seat_goes_by_what_the_file_calls_it() -> None:
    centre = changed(BOGOR, seats=[{"code": "meja-1", "also": ["PJSIP/11"]}])
    state = fold([offered("c1", 0), answered("c1", 3, "pjsip/11")], centre)

    assert calls.talking(state) == {"meja-1": at(3)}
    assert list(fold([ended("c1", 20)], centre, state).funnel.workload.seats) == ["meja-1"]


def test_a_trunk_of_the_file_has_its_place_after_any_number_of_invented_ones() -> None:
    centre = changed(BOGOR, links=[{"code": "sip-telkom", "carrier": "telkom", "also": ["PJSIP/telkom-in"]}])
    names = [*(f"trunk-{n}" for n in range(forecast.LINKS + 9)), "pjsip/telkom-in"]
    told = [offered(f"c{n}", n, link=name) for n, name in enumerate(names)]

    said = readings(told, now=600, centre=centre)

    assert said[arrivals.LINK_LAST_CALL, "sip-telkom"] == at(len(names) - 1)
    assert (said[UNKNOWN_TOTAL, "trunk"], said[PASSED_OVER_TOTAL, "trunk"]) == (forecast.LINKS, 9)


def test_a_seat_does_not_talk_on_in_a_call_whose_arrival_was_never_told() -> None:
    """
    c1     a────────e      seat-1
           3       20
    """
    assert calls.talking(fold([answered("c1", 3, "seat-1"), ended("c1", 20)])) == {}


def test_everything_said_is_declared_and_every_class_is_always_said() -> None:
    story = [offered("c1", 0), answered("c1", 3), classified("c1", 4, "normal"), offered("c2", 5)]
    lost = [offered("c3", 6, caller="ani"), abandoned("c3", 16), transferred("c1", 17, to="32.01")]
    said = readings([*story, *lost], now=20)

    told = {metric for metric, *_ in said}
    assert told <= set(METRICS)
    assert set(METRICS) - told <= set(arrivals.METRICS), "what needs days of history"
    assert {labels[1] for metric, *labels in said if metric is ENDED_TOTAL} == set(OUTCOMES)
    assert {labels[0] for metric, *labels in said if metric is JOURNEYS_ENDED_TOTAL} == set(JOURNEY_OUTCOMES)

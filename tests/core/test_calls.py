"""Calls on a time line.

o offered, q queued, a answered, x abandoned, e ended, t transferred, v overflowed, b blocked, n network drop.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from streams.core import calls
from streams.core.calls import (
    ANSWER_CALLS,
    ANSWER_RATIO,
    ANSWER_RATIO_LOWER,
    ANSWER_RATIO_UPPER,
    CLASSIFIED_TOTAL,
    CLOCK_INFO,
    CUT_OFF_TOTAL,
    ENDED_TOTAL,
    HANDLE_SECONDS,
    IN_SERVICE,
    METRICS,
    OFFERED_TOTAL,
    OLDEST_WAITING,
    PEAK,
    PEAK_TIME,
    SERVICE_LEVEL,
    SERVICE_LEVEL_CALLS,
    TODAY,
    TRANSFERRED_TOTAL,
    UNENDED_TOTAL,
    UNMATCHED_TOTAL,
    WAIT_SECONDS,
    WAITING,
)
from streams.core.funnel import OPEN_CALLS, OUTCOMES, QUEUES
from tests.builders import (
    BOGOR,
    abandoned,
    answered,
    at,
    blocked,
    bogor,
    classified,
    ended,
    fold,
    network_dropped,
    offered,
    overflowed,
    queued,
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


def test_every_offered_call_is_in_one_class_of_the_funnel() -> None:
    """
    answer    o─────a
    abandon   o───────────x
    short     o──x
    overflow  o────────────────v
    drop      o────n
    blocked   ob
    waiting   o────────────────────►
              0  3 5 6    12   17 20
    """
    names = ("answer", "abandon", "short", "overflow", "drop", "blocked", "waiting")
    said = readings(
        [
            *(offered(name, 0) for name in names),
            blocked("blocked", 1),
            abandoned("short", 3),
            network_dropped("drop", 5),
            answered("answer", 6),
            abandoned("abandon", 12),
            overflowed("overflow", 17),
        ],
        now=20,
    )

    assert said[OFFERED_TOTAL, "112"] == 7
    assert said.by_label(ENDED_TOTAL, "112") == {
        "answered": 1, "abandoned": 1, "short_abandoned": 1, "overflowed": 1, "network_dropped": 1, "blocked": 1,
    }  # fmt: skip
    assert said[WAITING, "112"] == 1


@pytest.mark.parametrize(("wait", "outcome"), [(5, "short_abandoned"), (5.1, "abandoned")])
def test_an_abandon_within_the_threshold_is_short(wait: float, outcome: str) -> None:
    """
    c1  o────x
        0   5 s
    """
    said = readings([offered("c1", 0), abandoned("c1", wait)], now=20)

    assert said.by_label(ENDED_TOTAL, "112") == {outcome: 1}


def test_the_short_threshold_is_the_centres_own() -> None:
    """
    c1  o─────────x
        0        10
    """
    said = readings([offered("c1", 0), abandoned("c1", 10)], now=20, centre=bogor(short_abandon_seconds=10))

    assert said.by_label(ENDED_TOTAL, "112") == {"short_abandoned": 1}


def test_waits_and_talks_fall_into_the_exact_buckets() -> None:
    """
    c1  o───────────────a─────────────e
    c2  o─────────────────────x
        0              15    20      45
    """
    said = readings([offered("c1", 0), offered("c2", 0), answered("c1", 15), abandoned("c2", 20), ended("c1", 45)], now=50)

    # Bounds 1 2.5 5 10 15 20 30 40 60 120 300 +Inf; what equals a bound is within it.
    assert said.histogram(WAIT_SECONDS, "112", "answered").counts == [0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]
    assert said.histogram(WAIT_SECONDS, "112", "abandoned").counts == [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]
    assert said.histogram(HANDLE_SECONDS, "112").counts == [0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0]
    assert said.histogram(HANDLE_SECONDS, "112").sum == 30


def test_a_transfer_ends_this_centres_handling() -> None:
    """
    c1  o──a─────────t   e (at the other place)
        0  3        40  90
    """
    said = readings([offered("c1", 0), answered("c1", 3), transferred("c1", 40), ended("c1", 90)], now=100)

    assert said[TRANSFERRED_TOTAL, "112"] == 1
    assert said[IN_SERVICE, "112"] == 0
    assert said.histogram(HANDLE_SECONDS, "112").sum == 37
    assert said[UNMATCHED_TOTAL,] == 0


def test_a_call_that_waits_in_another_queue_is_offered_anew_there() -> None:
    """
    112  o────┐v
    119       q──────a───────e
         0   30     37      60
    """
    said = readings([offered("c1", 0), queued("c1", 30, "119"), answered("c1", 37), ended("c1", 60)], now=70)

    assert said.by_label(ENDED_TOTAL, "112") == {"overflowed": 1}
    assert said.by_label(ENDED_TOTAL, "119") == {"answered": 1}
    assert said[OFFERED_TOTAL, "112"] == said[OFFERED_TOTAL, "119"] == 1
    assert said.histogram(WAIT_SECONDS, "119", "answered").sum == 7
    assert (CLOCK_INFO, "112", "arrival") in said
    assert (CLOCK_INFO, "119", "queue") in said


def test_an_answered_call_that_enters_another_queue_was_transferred() -> None:
    """
    112  o──a─────┐t
    119           q─────►
         0  3    40    50
    """
    said = readings([offered("c1", 0), answered("c1", 3), queued("c1", 40, "119")], now=50)

    assert said.by_label(ENDED_TOTAL, "112") == {"answered": 1}
    assert said[TRANSFERRED_TOTAL, "112"] == 1
    assert said[WAITING, "119"] == 1


def test_entering_the_queue_it_was_offered_in_changes_nothing() -> None:
    """
    c1  o──q──────a
        0  2     10
    """
    said = readings([offered("c1", 0), queued("c1", 2), answered("c1", 10)], now=20)

    assert said[OFFERED_TOTAL, "112"] == 1
    assert said.histogram(WAIT_SECONDS, "112", "answered").sum == 10
    assert (CLOCK_INFO, "112", "arrival") in said


@pytest.mark.parametrize(("now", "lost"), [(7199, 0), (7200, 1)])
def test_a_call_that_never_ends_is_lost_track_of_even_if_nothing_else_happens(now: float, lost: int) -> None:
    """
    c1  o──────────────────────────────► 2 h
    """
    said = readings([offered("c1", 0)], now)

    assert said[ENDED_TOTAL, "112", "lost"] == lost
    assert said[WAITING, "112"] == 1 - lost


def test_looking_at_a_lost_call_changes_nothing_in_the_state() -> None:
    """
    c1  o──────────────────► 3 h, looked at; then looked at as of 1 h
    """
    state = fold([offered("c1", 0)])

    assert readings(state, now=3 * 3600)[ENDED_TOTAL, "112", "lost"] == 1
    assert readings(state, now=3600)[WAITING, "112"] == 1


def test_a_lost_call_is_counted_at_its_deadline_whoever_notices_and_when() -> None:
    """
    c1  o──────────────┤ lost at 2 h
    c2                        o► 2 h 30 min
    """
    silent = readings([offered("c1", 0)], now=9000)
    noticed = readings([offered("c1", 0), offered("c2", 9000)], now=9000)

    assert silent[ENDED_TOTAL, "112", "lost"] == noticed[ENDED_TOTAL, "112", "lost"] == 1
    assert silent[ANSWER_CALLS, "60m"] == noticed[ANSWER_CALLS, "60m"] == 1
    assert silent[ANSWER_CALLS, "15m"] == noticed[ANSWER_CALLS, "15m"] == 0


@pytest.mark.parametrize("last", [answered, abandoned])
def test_what_comes_after_a_call_was_lost_does_not_count_it_again(last) -> None:  # type: ignore[no-untyped-def]
    """
    c1  o──────────────┤ lost at 2 h      a or x
    """
    said = readings([offered("c1", 0), last("c1", 8000)], now=8000)

    assert said.by_label(ENDED_TOTAL, "112") == {"lost": 1}


def test_a_call_whose_end_was_never_told_leaves_service() -> None:
    """
    c1  o──a───────────────────────────► 12 h
    """
    said = readings([offered("c1", 0), answered("c1", 3)], now=3 + 12 * 3600)

    assert said[IN_SERVICE, "112"] == 0
    assert said[UNENDED_TOTAL, "112"] == 1
    assert said.by_label(ENDED_TOTAL, "112") == {"answered": 1}


def test_a_call_that_ended_without_an_answer_was_abandoned() -> None:
    """
    c1  o─────────e          (a source that does not tell abandons)
        0        20   79  80
    """
    state = fold([offered("c1", 0), ended("c1", 20)])

    assert readings(state, now=79)[WAITING, "112"] == 1
    assert readings(state, now=80).by_label(ENDED_TOTAL, "112") == {"abandoned": 1}
    assert readings(state, now=80).histogram(WAIT_SECONDS, "112", "abandoned").sum == 20


def test_the_end_of_an_abandoned_call_changes_nothing() -> None:
    """
    c1  o──────x─e
        0     20 21
    """
    said = readings([offered("c1", 0), abandoned("c1", 20), ended("c1", 21)], now=7300)

    assert said.by_label(ENDED_TOTAL, "112") == {"abandoned": 1}
    assert said[UNMATCHED_TOTAL,] == 0


def test_an_answer_told_before_its_arrival_counts_when_the_arrival_comes() -> None:
    """
    c1  o──────a────────e
        0      8       30
    told: a, e, o
    """
    told = [answered("c1", 8), ended("c1", 30), offered("c1", 0)]

    assert readings(told[:2], now=30)[UNMATCHED_TOTAL,] == 0
    said = readings(told, now=30)
    assert said.by_label(ENDED_TOTAL, "112") == {"answered": 1}
    assert said.histogram(WAIT_SECONDS, "112", "answered").sum == 8
    assert said.histogram(HANDLE_SECONDS, "112").sum == 22
    assert said[IN_SERVICE, "112"] == said[WAITING, "112"] == 0
    assert said[PEAK, "ever"] == 0


def test_a_loss_told_before_its_arrival_counts_when_the_arrival_comes() -> None:
    """
    c1  o──────x
        0      8
    told: x, o
    """
    said = readings([abandoned("c1", 8), offered("c1", 0)], now=30)

    assert said.by_label(ENDED_TOTAL, "112") == {"abandoned": 1}
    assert said[WAITING, "112"] == 0


@pytest.mark.parametrize(("now", "unmatched"), [(3607, 0), (3608, 1)])
def test_an_answer_without_an_arrival_is_unmatched_after_an_hour(now: float, unmatched: int) -> None:
    """
    c1         a───────────────────────► 1 h
               8
    """
    said = readings([answered("c1", 8)], now)

    assert said[UNMATCHED_TOTAL,] == unmatched
    assert said.by_label(ENDED_TOTAL, "112") == {}


def test_an_answer_before_the_arrival_by_the_clock_is_a_wait_of_none() -> None:
    """
    c1  a─o
        0 2
    """
    said = readings([answered("c1", 0), offered("c1", 2)], now=5)

    assert said.histogram(WAIT_SECONDS, "112", "answered").sum == 0


def test_a_conversation_that_the_network_took_was_answered_and_cut_off() -> None:
    """
    c1  o──a─────n
        0  3    40
    """
    said = readings([offered("c1", 0), answered("c1", 3), network_dropped("c1", 40)], now=50)

    assert said.by_label(ENDED_TOTAL, "112") == {"answered": 1}
    assert said[CUT_OFF_TOTAL, "112"] == 1
    assert said[IN_SERVICE, "112"] == 0
    assert said.histogram(HANDLE_SECONDS, "112").sum == 37


def test_a_blocked_call_was_offered_and_spoils_no_rate() -> None:
    """
    c1  ob
    c2  o──a
        0  3
    """
    said = readings([offered("c1", 0), blocked("c1", 0), offered("c2", 0), answered("c2", 3)], now=10)

    assert said[OFFERED_TOTAL, "112"] == 2
    assert said.by_label(ENDED_TOTAL, "112") == {"blocked": 1, "answered": 1}
    assert said[ANSWER_CALLS, "5m"] == 1
    assert said[SERVICE_LEVEL_CALLS, "nena", "15", "5m"] == 1
    assert said[SERVICE_LEVEL_CALLS, "inclusive", "15", "5m"] == 2


@pytest.mark.parametrize("again", [answered("c1", 9), abandoned("c1", 9), overflowed("c1", 9), blocked("c1", 9)])
def test_an_answered_call_is_not_lost_nor_answered_twice(again) -> None:  # type: ignore[no-untyped-def]
    """
    c1  o──a──?
        0  3  9
    """
    said = readings([offered("c1", 0), answered("c1", 3), again], now=10)

    assert said.by_label(ENDED_TOTAL, "112") == {"answered": 1}
    assert said[IN_SERVICE, "112"] == 1
    assert said.histogram(WAIT_SECONDS, "112", "answered").sum == 3


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
        [*(offered(f"c{n}", n) for n in range(10)), *(answered(f"c{n}", n + 10) for n in range(9)), overflowed("c9", 30)], now=60
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

    assert calls.talking(fold(events[:4]), at(10), BOGOR) == {"seat-1", "seat-2"}
    assert calls.talking(fold(events), at(21), BOGOR) == {"seat-2"}


def test_a_seat_does_not_talk_on_in_a_call_whose_arrival_was_never_told() -> None:
    """
    c1     a────────e      seat-1
           3       20
    """
    assert calls.talking(fold([answered("c1", 3, "seat-1"), ended("c1", 20)]), at(21), BOGOR) == set()


def test_a_source_that_never_ends_its_calls_cannot_fill_the_memory() -> None:
    state = fold(offered(f"c{n}", n / 10) for n in range(OPEN_CALLS + 100))
    said = readings(state, now=600)

    assert said[WAITING, "112"] == OPEN_CALLS
    assert said[ENDED_TOTAL, "112", "lost"] == 100
    assert said[OLDEST_WAITING, "112"] == at(10)


def test_a_source_that_invents_queues_cannot_fill_the_memory() -> None:
    said = readings([offered(f"c{n}", n, f"q{n}") for n in range(QUEUES + 30)], now=600)

    assert said[OFFERED_TOTAL, "other"] == 30
    assert len([key for key in said if key[0] is OFFERED_TOTAL]) == QUEUES + 2  # the other one and the centre's own 112


def test_everything_said_is_declared_and_every_class_is_always_said() -> None:
    said = readings([offered("c1", 0), answered("c1", 3), classified("c1", 4, "normal"), offered("c2", 5)], now=20)

    assert {metric for metric, *_ in said} == set(METRICS)
    assert {labels[1] for metric, *labels in said if metric is ENDED_TOTAL} == set(OUTCOMES)

"""The loss funnel on a time line: every offered call in one class.

o offered, q queued, a answered, x abandoned, e ended, t transferred, v overflowed, b blocked, n network drop.
"""

from datetime import datetime

import pytest

from streams.core.calls import (
    ANSWER_CALLS,
    ANSWER_RATIO,
    BACKWARD_TOTAL,
    CLOCK_INFO,
    CUT_OFF_TOTAL,
    ENDED_TOTAL,
    HANDLE_SECONDS,
    IN_SERVICE,
    JOURNEY_CLOCK_INFO,
    JOURNEY_WAIT_SECONDS,
    JOURNEYS_BACKWARD_TOTAL,
    JOURNEYS_ENDED_TOTAL,
    OFFERED_TOTAL,
    OLDEST_WAITING,
    PEAK,
    SERVICE_LEVEL,
    SERVICE_LEVEL_CALLS,
    TODAY,
    TRANSFERRED_TOTAL,
    UNENDED_TOTAL,
    UNMATCHED_TOTAL,
    WAIT_SECONDS,
    WAITING,
    talking,
)
from streams.core.funnel import OPEN_CALLS, QUEUES
from streams.core.names import PASSED_OVER_TOTAL, UNKNOWN_TOTAL
from tests.builders import (
    BOGOR,
    abandoned,
    answered,
    at,
    blocked,
    bogor,
    changed,
    classified,
    ended,
    fold,
    lost,
    network_dropped,
    offered,
    overflowed,
    queued,
    readings,
    seconds_to,
    transferred,
)

TWO_QUEUES = changed(BOGOR, queues=["112", {"code": "119", "also": ["Ambulans (119)"]}])


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


def test_a_call_that_its_source_lost_track_of_waits_and_talks_no_more() -> None:
    said = readings([offered("c1", 0), offered("c2", 0), answered("c2", 4, "s1"), lost("c1", 30), lost("c2", 31)], now=31)

    assert said.by_label(ENDED_TOTAL, "112") == {"answered": 1, "lost": 1}
    assert (said[WAITING, "112"], said[IN_SERVICE, "112"], said[UNENDED_TOTAL, "112"]) == (0, 0, 1)
    assert not said.histogram(HANDLE_SECONDS, "112").sum


def test_what_is_known_of_a_call_after_it_was_lost_track_of_is_true() -> None:
    assert readings([offered("c1", 0), answered("c1", 40), lost("c1", 30)], now=50)[IN_SERVICE, "112"] == 1


@pytest.mark.parametrize("seconds", [30, 30.5])
def test_what_one_source_lost_track_of_another_of_its_exchange_may_know(seconds: float) -> None:
    both = changed(BOGOR, sources=[["/32.71/test", "/32.71/other"]])
    told = [offered("c1", 0.5), lost("c1", seconds), abandoned("c1", 20)]

    assert readings(told, now=60, centre=both).by_label(JOURNEYS_ENDED_TOTAL) == {"abandoned": 1}
    assert readings(told[:2], now=60, centre=both).by_label(JOURNEYS_ENDED_TOTAL) == {"lost": 1}


def test_who_was_turned_away_before_any_queue_did_not_hang_up() -> None:
    tells = [offered("c1", 0), queued("c1", 2), answered("c1", 5), ended("c1", 9)]

    said = readings([*tells, offered("c2", 10), overflowed("c2", 12), offered("c3", 10), abandoned("c3", 12)], now=200)
    assert said.by_label(JOURNEYS_ENDED_TOTAL) == {"answered": 1, "overflowed": 1, "announcement": 1}
    assert said[OFFERED_TOTAL, "112"] == 1


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
    said = readings([offered("c1", 0), queued("c1", 30, "119"), answered("c1", 37), ended("c1", 60)], now=70, centre=TWO_QUEUES)

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
    said = readings([offered("c1", 0), answered("c1", 3), queued("c1", 40, "119")], now=50, centre=TWO_QUEUES)

    assert said.by_label(ENDED_TOTAL, "112") == {"answered": 1}
    assert said[TRANSFERRED_TOTAL, "112"] == 1
    assert said[WAITING, "119"] == 1


def test_what_is_told_to_enter_the_queue_of_its_arrival_waits_there_from_then_on() -> None:
    """
    c1  o──q──────a
        0  2     10
    """
    said = readings([offered("c1", 0), queued("c1", 2), answered("c1", 10)], now=20)

    assert said[OFFERED_TOTAL, "112"] == 1
    assert said.histogram(WAIT_SECONDS, "112", "answered").sum == 8
    assert said.histogram(JOURNEY_WAIT_SECONDS, "answered").sum == 10
    assert (CLOCK_INFO, "112", "queue") in said
    assert (JOURNEY_CLOCK_INFO, "arrival") in said


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
    assert said[PEAK, "ever"] == 1


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


@pytest.mark.parametrize(("told", "order"), [(told, order) for told in (0, -9.5) for order in ("after", "before")])
def test_an_answer_before_the_arrival_is_a_fault_of_the_data_and_no_wait_of_0_s(told: float, order: str) -> None:
    """
    c1  a─o
        0 2
    """
    events = [offered("c1", 2), answered("c1", told), offered("c2", 3), answered("c2", 13)]
    if order == "before":
        events[:2] = events[1::-1]
    said = readings(events, now=15)

    assert said.by_label(JOURNEYS_ENDED_TOTAL) == {"answered": 2}
    assert said.by_label(JOURNEYS_BACKWARD_TOTAL) == {"answered": 1}
    assert said.histogram(JOURNEY_WAIT_SECONDS, "answered").counts == said.histogram(WAIT_SECONDS, "112", "answered").counts
    assert (
        sum(said.histogram(JOURNEY_WAIT_SECONDS, "answered").counts),
        said.histogram(JOURNEY_WAIT_SECONDS, "answered").sum,
    ) == (1, 10)
    assert (said[ANSWER_CALLS, "5m"], said[ANSWER_RATIO, "5m"]) == (2, 1)
    for variant, threshold in (
        ("nena", "15"),
        ("answered", "20"),
        ("inclusive", "15"),
        ("servicelevelperf", "60"),
        ("servicelevelperf2", "60"),
    ):
        assert (said[SERVICE_LEVEL_CALLS, variant, threshold, "5m"], said[SERVICE_LEVEL, variant, threshold, "5m"]) == (1, 1)
    assert said[TODAY, "answered"] == 2


def test_who_hung_up_before_he_came_is_abandoned_and_nobody_knows_how_early() -> None:
    said = readings([offered("c1", 5), abandoned("c1", 2)], now=15)

    assert said.by_label(JOURNEYS_ENDED_TOTAL) == said.by_label(ENDED_TOTAL, "112") == {"abandoned": 1}
    assert said.by_label(JOURNEYS_BACKWARD_TOTAL) == {"abandoned": 1}
    assert said[BACKWARD_TOTAL, "112", "wait"] == 1
    assert not any(sum(said.histogram(WAIT_SECONDS, "112", outcome).counts) for outcome in ("abandoned", "short_abandoned"))
    assert (said[ANSWER_CALLS, "5m"], said[TODAY, "abandoned"]) == (1, 1)
    assert {said[SERVICE_LEVEL_CALLS, variant, "15", "5m"] for variant in ("nena", "inclusive")} == {0}
    assert said[SERVICE_LEVEL_CALLS, "servicelevelperf2", "60", "5m"] == 0


def test_a_conversation_that_is_over_before_it_began_is_in_no_mean() -> None:
    told = [offered("c1", 0), answered("c1", 5), ended("c1", 4), offered("c2", 0), answered("c2", 5), ended("c2", 65)]
    said = readings(told, now=70)

    assert said[BACKWARD_TOTAL, "112", "conversation"] == 1
    assert (sum(said.histogram(HANDLE_SECONDS, "112").counts), said.histogram(HANDLE_SECONDS, "112").sum) == (1, 60)
    assert said[IN_SERVICE, "112"] == 0


def test_an_answer_in_the_second_that_its_clock_is_cut_to_is_no_fault() -> None:
    said = readings([offered("c1", 2.7), answered("c1", 2), offered("c2", 5.7), answered("c2", 5.2)], now=15)

    assert said.by_label(JOURNEYS_BACKWARD_TOTAL) == {"answered": 1}, "of a clock of tenths it is one"
    assert said.histogram(JOURNEY_WAIT_SECONDS, "answered").counts[0] == 1


def test_two_clocks_of_one_exchange_may_differ_by_two_seconds() -> None:
    both = changed(BOGOR, sources=[["/32.71/test", "/32.71/other"]])
    told = [offered("c1", 2.7), answered("c1", 1.1), offered("c2", 12.7), answered("c2", 10.6)]

    assert readings(told, 15, both).by_label(JOURNEYS_BACKWARD_TOTAL) == {"answered": 1}
    assert readings(told, 15).by_label(JOURNEYS_BACKWARD_TOTAL) == {"answered": 2}


def test_a_test_told_backward_leaves_no_trace_in_what_may_fall() -> None:
    said = readings([offered("c1", 5), answered("c1", 2), ended("c1", 1), classified("c1", 9, "test")], now=15)

    assert (said[ANSWER_CALLS, "5m"], said[TODAY, "answered"], said[TODAY, "offered"]) == (0, 0, 0)


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


def test_that_the_network_cut_a_call_off_counts_also_when_its_end_was_told_before() -> None:
    talked = [offered("c1", 0), answered("c1", 3), ended("c1", 40)]

    for told, cut in ((40.4, 1), (90, 0)):
        said = readings([*talked, network_dropped("c1", told, "112"), network_dropped("c1", told, "112")], now=100)
        assert said.by_label(ENDED_TOTAL, "112") == {"answered": 1}
        assert said[CUT_OFF_TOTAL, "112"] == cut


def test_a_loss_that_a_second_source_tells_in_the_second_of_its_end_is_no_second_call() -> None:
    both = changed(BOGOR, sources=[["/32.71/test", "/32.71/other"]])
    told = [offered("c1", 0.5), abandoned("c1", 20.4), offered("c1", 21, clock="queue"), abandoned("c1", 21)]

    assert readings(told, now=90, centre=both).by_label(JOURNEYS_ENDED_TOTAL) == {"abandoned": 1}


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


def test_a_source_that_never_ends_its_calls_cannot_fill_the_memory() -> None:
    state = fold(offered(f"c{n}", n / 10) for n in range(OPEN_CALLS + 100))
    said = readings(state, now=600)

    assert said[WAITING, "112"] == OPEN_CALLS
    assert said[ENDED_TOTAL, "112", "lost"] == 100
    assert said[OLDEST_WAITING, "112"] == at(10)


def test_a_source_that_invents_queues_cannot_fill_the_memory() -> None:
    events = [offered(f"c{n}", n, f"q{n}") for n in range(QUEUES + 30)]
    said = readings(events, now=600, centre=changed(BOGOR, queues=()))

    assert said[OFFERED_TOTAL, "other"] == 30
    assert len([key for key in said if key[0] is OFFERED_TOTAL]) == QUEUES + 1
    assert said[PASSED_OVER_TOTAL, "queue"] == 30
    assert said.by_label(UNKNOWN_TOTAL) == {}


def test_a_queue_that_the_file_does_not_name_counts_as_other_where_it_names_some() -> None:
    """The file calls 119 also "Ambulans (119)": one queue, and a call that goes from one spelling to the other stays there."""
    said = readings(
        [
            queued("c1", 0, "119"),
            queued("c1", 1, "ambulans/119"),
            offered("c2", 9, "kantor"),
            offered("c3", 9, "toko"),
            answered("c3", 12),
            offered("c4", 12, "112@inbound"),
        ],
        now=20,
        centre=TWO_QUEUES,
    )

    assert said.by_label(OFFERED_TOTAL) == {"119": 1, "other": 3}
    assert said[WAITING, "119"] == 1
    assert said.by_label(ENDED_TOTAL, "other") == {"answered": 1}
    assert said[UNKNOWN_TOTAL, "queue"] == 3


def test_whoever_waits_over_midnight_is_the_days_first_peak() -> None:
    """
    c1  o────────┼──a
    c2  o────────┼──a
    c3           │      o►
             midnight
    """
    midnight = seconds_to(datetime(2024, 11, 26, tzinfo=BOGOR.timezone))
    night = [offered("c1", midnight - 60), offered("c2", midnight - 60)]
    morning = [answered("c1", midnight + 9), answered("c2", midnight + 9), offered("c3", midnight + 20)]

    assert readings(night, midnight + 5)[PEAK, "today"] == 2
    assert readings([*night, *morning], midnight + 30)[PEAK, "today"] == 2


def test_an_unended_call_stays_so_when_its_end_is_told_at_last() -> None:
    """
    c1  oa──────────────── 12 h ─┤ e
    c2                      o x       (the last sweep)
    """
    limit = 12 * 3600
    state = fold([offered("c1", 0), answered("c1", 0), offered("c2", limit - 10), abandoned("c2", limit - 9)])
    assert readings(state, limit + 1)[UNENDED_TOTAL, "112"] == 1

    assert readings(fold([ended("c1", limit + 2)], state=state), limit + 2)[UNENDED_TOTAL, "112"] == 1


def test_an_end_told_first_ends_the_call() -> None:
    """told: e, o, a"""
    assert readings([ended("c1", 30), offered("c1", 0), answered("c1", 5)], 60)[IN_SERVICE, "112"] == 0


def test_a_call_is_given_up_in_whatever_order_it_is_told() -> None:
    centre = bogor(give_up_waiting_seconds=600)
    for last in (answered, abandoned):
        told = [offered("c1", 0), last("c1", 700)]

        in_order = readings(told, 700, centre).by_label(ENDED_TOTAL, "112")
        assert in_order == readings(told[::-1], 700, centre).by_label(ENDED_TOTAL, "112") == {"lost": 1}


def test_a_seat_that_answers_another_call_is_out_of_the_one_before_whose_end_may_still_be_told() -> None:
    """
    c1  o─a───────────┤   e      seat-1
    c2      o─────────a──────►   seat-1
        0 3 10        20  25 30
    """
    told = [offered("c1", 0), answered("c1", 3, "seat-1"), offered("c2", 10), answered("c2", 20, "seat-1")]
    said = readings(told, now=24)

    assert said[IN_SERVICE, "112"] == 1
    assert talking(fold(told)) == {"seat-1": at(20)}
    assert readings([*told, ended("c1", 25)], now=30).histogram(HANDLE_SECONDS, "112").sum == 22
    assert readings(told, now=3 + 12 * 3600)[UNENDED_TOTAL, "112"] == 1


def test_a_visit_that_waits_while_another_leg_takes_its_call_over_is_counted_as_left() -> None:
    dialled = offered("b", 5)
    dialled = dialled.model_copy(update={"data": dialled.data.model_copy(update={"direction": "outbound"})})
    over = ended("b", 20)
    over = over.model_copy(update={"data": over.data.model_copy(update={"journey": "a"})})

    said = readings([offered("a", 0, clock="queue"), dialled, answered("b", 10), over], now=30)

    assert said.number(OFFERED_TOTAL, "112") == sum(said.by_label(ENDED_TOTAL, "112").values()) + said.number(WAITING, "112")

"""Two versions are compared figure by figure, while events come and one is always a little ahead."""

import pytest

from streams.analysis.agreement import TRIES, Agreement, Figures, NoAnswerError, Workers, agree, compare, figures

PAGE = """# HELP psap_calls_offered_total Calls.
# TYPE psap_calls_offered_total counter
psap_calls_offered_total{city="32.71",queue="112"} 12
psap_call_wait_seconds_bucket{city="32.71",queue="a b",outcome="answered",le="10"} 7
pantau112_passed_over_total{city="32.71",limit="ids"} 1
pantau112_lag_records{topic="112.calls.v1",partition="1"} 3.0
process_cpu_seconds_total 4
"""


def test_totals_and_histograms_of_centres_are_figures_and_what_a_worker_says_of_itself_is_none() -> None:
    assert figures([PAGE]) == {
        'psap_calls_offered_total{city="32.71",queue="112"}': "12",
        'psap_call_wait_seconds_bucket{city="32.71",queue="a b",outcome="answered",le="10"}': "7",
        'pantau112_passed_over_total{city="32.71",limit="ids"}': "1",
    }


def test_what_differs_is_named_with_both_values_and_what_only_the_new_one_says_is_no_fault() -> None:
    found = compare({"a": "1", "b": "2", "c": "3"}, {"a": "1.0", "b": "4", "d": "5"})
    assert found == Agreement(1, {"b": ("2", "4")}, {"c": "3"}, {"d": "5"})
    assert not found.is_whole
    assert compare({"a": "1"}, {"a": "1", "d": "5"}).is_whole


def test_one_that_is_ahead_by_an_event_agrees_as_soon_as_the_other_has_it_too() -> None:
    answers: list[tuple[Figures, Figures]] = [({"a": "1"}, {"a": "2"}), ({"a": "2"}, {"a": "2"})]
    assert agree(lambda _: answers.pop(0), lambda _: None).is_whole


def test_only_what_differs_each_time_differs() -> None:
    tries = iter(range(TRIES))

    def ask(_: float) -> tuple[Figures, Figures]:
        turn = next(tries)
        return {"a": "1", "b": str(turn)}, {"a": "9", "b": str(turn - turn % 2)}

    assert agree(ask, lambda _: None).differing == {"a": ("1", "9")}


def test_where_nobody_answers_it_says_so() -> None:
    with pytest.raises(NoAnswerError, match=r"http://127\.0\.0\.1:1/metrics"):
        Workers.at(["127.0.0.1:1"])

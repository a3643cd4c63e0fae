"""What changed: said where days differ no more than by chance, and not where they do."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.analysis.period import named
from streams.analysis.report.changes import Estimate, difference, estimate, student
from tests.analysis.report.builders import reported, said
from tests.builders import answered, offered, seconds_to
from tests.trial import KOTA_BOGOR

DAY = 86_400.0


@pytest.mark.parametrize(("freedom", "expected"), [(4, 2.776), (5, 2.571), (10, 2.228), (30, 2.042), (120, 1.980)])
def test_student_s_t_is_that_of_the_tables(freedom: float, expected: float) -> None:
    assert student(freedom) == pytest.approx(expected, abs=0.01)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(50, 100)), min_size=5, max_size=40))
def test_an_estimate_is_the_ratio_of_sums_and_days_that_are_alike_have_no_variance(days: list[tuple[int, int]]) -> None:
    found = estimate(days)

    assert found is not None
    assert found.value == pytest.approx(sum(good for good, _ in days) / sum(n for _, n in days))
    alike = estimate([(good * 2, good * 4) for good, _ in days if good])
    assert alike is None or not alike.variance


def test_the_interval_covers_what_did_not_change_in_95_of_100_though_days_are_good_and_bad() -> None:
    dice = Random(112)

    def days(n: int) -> list[tuple[float, float]]:
        found = []
        for _ in range(n):
            calls, share = dice.randint(500, 1300), dice.betavariate(30, 5)
            found.append((float(sum(dice.random() < share for _ in range(calls))), float(calls)))
        return found

    covered = 0
    for _ in range(200):
        now, then = estimate(days(31)), estimate(days(30))
        assert now is not None
        assert then is not None
        bounds = difference(now, then)
        assert bounds is not None
        covered += bounds[0] <= 0 <= bounds[1]

    assert 184 <= covered <= 198


def test_of_few_days_nothing_is_said() -> None:
    assert difference(Estimate(0.9, None, 2), Estimate(0.5, 0.001, 30)) is None


def test_what_got_worse_is_called_worse() -> None:
    # November 2026: who was answered after 5 s waits 60 s in December.
    def calls(first: float, days: int, wait: float, letter: str) -> list[object]:
        return [
            event
            for day in range(days)
            for n in range(10)
            for call, second in [(f"{letter}{day}-{n}", first + day * DAY + n * 3600)]
            for event in (offered(call, second), answered(call, second + wait + n % 3 + day % 2))
        ]

    start = seconds_to(named("2026-11", KOTA_BOGOR.timezone).start)
    events = [*calls(start - DAY, 31, 5, "a"), *calls(start + 30 * DAY, 33, 60, "b")]

    report = reported(events, "changes", period=named("2026-12", KOTA_BOGOR.timezone))  # type: ignore[arg-type]

    verdicts = {row.figure: row.verdict for row in said(report, "changes", "before")}
    assert verdicts["wait"] == "worse"
    assert verdicts["answered_within_15"] == "worse"
    assert verdicts["answer_ratio"] == "unclear"
    assert verdicts["tickets"] == "unclear"
    assert {row.verdict for row in said(report, "changes", "year_before")} == {"unknown"}

"""What became of calls, what they turned out to be, and how long people waited: as others computed it."""

import gzip
from collections import Counter

import pytest

from schemas.event import Event
from streams.core.calls import JOURNEYS_ENDED_TOTAL, JOURNEYS_OFFERED_TOTAL
from streams.core.centre import Centre
from streams.sources import asterisk, simulate
from tests.analysis.report.builders import reported, said
from tests.builders import START, abandoned, answered, classified, ended, offered
from tests.sources import anonymous_bank
from tests.trial import KOTA_BOGOR


def january() -> list[Event]:
    with gzip.open(anonymous_bank.data("january1999.queue_log.gz")) as log:
        return [*asterisk.events(log, anonymous_bank.CENTRE, "/32.71/asterisk", on_bad=lambda number, reason: None)]


def test_a_report_of_january_says_what_an_independent_computation_says() -> None:
    report = reported(january(), centres=[anonymous_bank.CENTRE], by="week")

    [calls] = said(report, "calls")
    assert (calls.offered, calls.answered, calls.abandoned + calls.short_abandoned) == (30_161, 27_060, 3_101)
    within = {(level.variant, level.threshold): level.good for level in said(report, "service_levels")}
    assert (within["answered", "15"], within["answered", "20"], within["servicelevelperf", "60"]) == (15_524, 16_402, 21_442)
    hung_up, was_answered = said(report, "waits")
    assert (was_answered.n, round(was_answered.mean * was_answered.n), was_answered.within_10) == (27_060, 947_857, 14_657)
    assert (hung_up.n, round(hung_up.mean * hung_up.n), hung_up.within_10) == (3_101, 188_305, 519)
    assert sum(hour.calls for hour in said(report, "hours")) == 30_161
    assert sum(week.offered for week in said(report, "calls", "part")) == 30_161


def test_a_funnel_of_simulated_days_sums_and_is_what_the_boards_counted() -> None:
    events = [*simulate.events(7, START, KOTA_BOGOR, days=2)]

    report = reported(events, by="shift")

    boards = Counter[str]()
    assert report.hindsight.moment is not None
    for metric, labels, value in report.hindsight.true.measure("32.71", report.hindsight.moment):
        if metric in (JOURNEYS_OFFERED_TOTAL, JOURNEYS_ENDED_TOTAL) and isinstance(value, int):
            boards["/".join(labels) or "offered"] += value
    [calls] = said(report, "calls")
    outcomes = ("answered", "abandoned", "short_abandoned", "overflowed", "network_dropped", "blocked", "announcement", "lost")
    assert calls.offered == sum(getattr(calls, name) for name in outcomes) + calls.waiting
    assert {name: getattr(calls, name) for name in outcomes} == {name: boards[name] for name in outcomes}
    assert calls.offered + calls.tests == boards["offered"] - boards["joined"]
    assert sum(shift.offered for shift in said(report, "calls", "part")) == calls.offered


@pytest.mark.parametrize(
    "published",
    [
        # Kota Tasikmalaya, 1 to 15 April 2024: 682.
        {"normal": 36, "non_emergency": 38, "misdirected": 103, "ghost": 245, "prank": 239, "test": 21},
        # Blitar, 1 to 13 February 2025: 150.
        {"normal": 61, "prank": 34, "ghost": 55},
    ],
)
def test_published_sums_come_out_to_the_unit(published: dict[str, int]) -> None:
    names = [name for name, n in published.items() for _ in range(n)]
    events = [
        event
        for number, name in enumerate(names)
        for call, second in [(f"c{number}", 60.0 * number)]
        for event in (
            offered(call, second),
            answered(call, second + 5),
            classified(call, second + 20, name),
            ended(call, second + 30),
        )
    ]

    report = reported(events, "calls", "classes")

    assert {row.call_class: row.calls for row in said(report, "classes")} == published
    [calls] = said(report, "calls")
    assert calls.offered + calls.tests == sum(published.values())


def test_the_longest_tenth_is_rounded_up_and_percentiles_are_waits_that_somebody_had() -> None:
    waits = [1, 2, 3, 4, 5, 6, 7, 8, 9, 100, 200]
    events = [
        event
        for number, wait in enumerate(waits)
        for event in (offered(f"c{number}", 1000.0 * number), answered(f"c{number}", 1000.0 * number + wait))
    ]

    [found] = said(reported(events, "waits"), "waits")

    assert (found.longest_tenth_mean, found.p50, found.p90, found.p99, found.longest) == (150, 6, 100, 200, 200)


def test_who_hung_up_waited_as_well_and_is_among_the_longest() -> None:
    events = [offered("a", 0), abandoned("a", 300), offered("b", 1000), answered("b", 1010)]

    report = reported(events, "longest_waits")

    assert [(row.rank, row.wait_seconds, row.outcome) for row in said(report, "longest_waits")] == [
        (1, 300, "abandoned"),
        (2, 10, "answered"),
    ]


def test_two_centres_stand_each_for_itself_and_together() -> None:
    other = KOTA_BOGOR.model_copy(update={"code": "32.01", "name": "Kabupaten Bogor"})
    here = [offered("a", 0), answered("a", 5), offered("b", 50)]
    there = [event.model_copy(update={"subject": "32.01"}) for event in here]

    report = reported([*here, *there], "calls", centres=[KOTA_BOGOR, other])

    assert {row.city: (row.offered, row.answered) for row in said(report, "calls")} == {
        "32.71": (2, 1),
        "32.01": (2, 1),
        "*": (4, 2),
    }


def test_a_centre_without_a_call_has_no_ratio() -> None:
    report = reported([], centres=[Centre.model_validate({"code": "32.71", "name": "Uji", "timezone": "Asia/Jakarta"})])

    assert set(map(len, report.subjects.values())) == {0}

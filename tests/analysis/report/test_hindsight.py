"""What came late is folded at its place: a report does not depend on the order in which events reached the log."""

from datetime import timedelta
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.event import Event
from streams.analysis.report.report import SUBJECTS
from streams.sources import simulate
from tests.analysis.report.builders import reported, said
from tests.builders import SOURCE, START, abandoned, answered, changed, classified, ended, offered
from tests.trial import KOTA_BOGOR

HOUR = 3600.0
DAY = [*simulate.events(3, START, KOTA_BOGOR, days=0.08)]


def test_a_call_that_is_told_six_hours_late_is_as_if_it_had_been_told_in_time() -> None:
    late = [offered("late", 0), abandoned("late", 200)]
    others = [event for n in range(20) for event in (offered(f"c{n}", n * HOUR), answered(f"c{n}", n * HOUR + 4))]

    report = reported([*others, *late], "calls", "longest_waits")

    [calls] = said(report, "calls")
    assert (calls.offered, calls.abandoned) == (21, 1)
    assert said(report, "longest_waits")[0].wait_seconds == 200
    assert report.hindsight.late == 2
    assert report.hindsight.live is not report.hindsight.true


def test_a_class_that_is_told_a_day_later_by_another_source_is_the_call_s() -> None:
    call = [offered("a", 0), answered("a", 5), ended("a", 60)]
    others = [event for n in range(1, 30) for event in (offered(f"c{n}", n * HOUR), answered(f"c{n}", n * HOUR + 4))]
    named = classified("a", 90, "prank").model_copy(update={"source": "/32.71/cad"})
    centre = changed(KOTA_BOGOR, sources=((SOURCE, "/32.71/cad"),))

    report = reported([*call, *others, ended("c29", 30 * HOUR), named], "classes", centres=[centre])

    assert {row.call_class: row.calls for row in said(report, "classes")} == {"prank": 1, "unclassified": 29}


def test_what_is_told_twice_counts_once_however_late_the_second_time() -> None:
    call = [offered("a", 0), answered("a", 5)]
    others = [event for n in range(1, 30) for event in (offered(f"c{n}", n * HOUR), answered(f"c{n}", n * HOUR + 4))]

    [calls] = said(reported([*call, *others, *call], "calls"), "calls")

    assert calls.offered == 30


def test_where_nothing_is_late_the_boards_said_what_is_true() -> None:
    report = reported(DAY)

    assert report.hindsight.late == 0
    assert report.hindsight.live is report.hindsight.true


@settings(max_examples=15)
@given(seed=st.integers(0, 2**32), hours=st.sampled_from([0.5, 3, 30]))
def test_a_report_is_the_same_in_whatever_order_its_events_came(seed: int, hours: float) -> None:
    dice = Random(seed)

    def delayed(event: Event) -> float:
        # A few sources are cut off for hours, as a link or a spool is.
        away = dice.random() < 0.02
        return (event.time + timedelta(hours=hours * dice.random() * away)).timestamp()

    report = reported(sorted(DAY, key=delayed), by="shift")

    # These two say in which order they came.
    told = [name for name in SUBJECTS if name not in {"quality", "differences"}]
    in_order = reported(DAY, by="shift")
    assert [report.subjects[name] for name in told] == [in_order.subjects[name] for name in told]

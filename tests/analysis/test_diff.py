"""Which figures of two sources differ, and since when: one event more or less, one that came late, a page that was saved."""

import gzip
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import count, islice, pairwise
from pathlib import Path

import pytest

from schemas.calls import CallOffered
from schemas.event import Event
from schemas.topics import CALLS, TOPIC_OF, Refusal
from streams import centres
from streams.analysis.agreement import compare, figures
from streams.analysis.diff import Difference, Differences, Side, differences, of_pages, page
from streams.analysis.measure import Measurement, measure
from streams.analysis.replay import ReplayError
from streams.sources import Line
from streams.sources.simulate import story
from tests.builders import abandoned, answered, at, ended, offered

KNOWN = centres.load([])
WALL = datetime.fromisoformat("2026-11-27T12:00+07:00").timestamp()
MORNING = datetime.fromisoformat("2026-10-01T00:00+07:00")
OFFERED = 'psap_calls_offered_total{city="32.71",queue="112"}'
WAITING = 'psap_calls_waiting{city="32.71",queue="112"}'
LATE = 'psap_late_events_total{city="32.71",source="/32.71/test"}'
DAY, YEAR = 86_400, 366 * 86_400


@pytest.fixture(scope="module")
def hours() -> list[Event]:
    """The first hours of a simulated centre, of all topics, in the order of time."""
    return list(islice(story(MORNING, 1, list(KNOWN.values()), 953), 400))


def lines(events: Sequence[Event]) -> list[Line]:
    return [Line(number, event) for number, event in enumerate(events, 1)]


def side(events: Sequence[Event], until: float | None = None) -> Side:
    return Side(iter(lines(events)), KNOWN, WALL, until)


def diff(first: Sequence[Event], second: Sequence[Event], step: float = 900, until: float | None = None) -> Differences:
    return differences(side(first, until), side(second, until), step, until)


def measured(events: Sequence[Event], moment: float | None = None) -> Measurement:
    return measure(lines(events), KNOWN, WALL, moment)


def said(events: Sequence[Event], moment: float) -> dict[str, str]:
    return figures([measured(events, moment).text])


def without_call(events: Sequence[Event], which: int) -> tuple[CallOffered, list[Event]]:
    """The arrival of a caller, and all events of others."""
    gone = [event for event in events if isinstance(event, CallOffered)][which]
    return gone, [event for event in events if getattr(event.data, "call", None) != gone.data.call]


def test_the_same_events_say_the_same_however_their_topics_are_merged(hours: list[Event]) -> None:
    calls_later = sorted(hours, key=lambda each: each.time.timestamp() + 1_700 * (TOPIC_OF[each.type] is CALLS))
    assert calls_later != hours
    assert diff(hours, calls_later) == Differences(at=hours[-1].time.timestamp())


def test_what_is_said_at_the_end_is_what_measuring_both_says(hours: list[Event]) -> None:
    _, fewer = without_call(hours, 8)
    found = diff(hours, fewer)
    assert found.at is not None
    told = compare(said(hours, found.at), said(fewer, found.at))
    at_the_end = {series: each for series, each in found.series.items() if each.at == found.at}
    assert told.differing
    assert {series: (each.first, each.second) for series, each in at_the_end.items()} == {
        **told.differing,
        **{series: (value, None) for series, value in told.only_old.items()},
        **{series: (None, value) for series, value in told.only_new.items()},
    }


def test_a_missing_event_is_found_at_its_own_moment_and_each_series_at_the_event_since_which_it_differs(
    hours: list[Event],
) -> None:
    gone, fewer = without_call(hours, 8)
    found = diff(hours, fewer, step=3600)
    assert min(each.since or 0 for each in found.series.values()) == gone.time.timestamp()
    times = sorted({event.time.timestamp() for event in hours})
    since = {each.since for each in found.series.values()}
    assert len(since & {*times}) > 2
    for before, moment in [(before, moment) for before, moment in pairwise(times) if moment in since]:
        then, earlier = (compare(said(hours, when), said(fewer, when)) for when in (moment, before))
        for series in [series for series, each in found.series.items() if each.since == moment]:
            assert series in {*then.differing, *then.only_old, *then.only_new}
            assert series not in {*earlier.differing, *earlier.only_old, *earlier.only_new}


def test_what_differed_only_for_a_while_is_said_with_when_it_last_did() -> None:
    call = [offered("c1", 0), answered("c1", 40), ended("c1", 100), offered("c2", 400), abandoned("c2", 410)]
    found = diff(call, [call[0], *call[2:]], step=10).series
    assert (found[WAITING].since, found[WAITING].first, found[WAITING].second) == (at(40), "0", "1")
    assert found[WAITING].at == at(150)
    assert found['psap_calls_in_service{city="32.71",queue="112"}'].since == at(40)


def test_an_event_that_came_late_shows_since_when_it_was_missed() -> None:
    calls = [event for n in range(260) for event in (offered(f"c{n}", n * 30), abandoned(f"c{n}", n * 30 + 10))]
    late = [*calls[:100], *calls[101:440], calls[100], *calls[440:]]
    found = diff(calls, late, step=600).series
    assert min(each.since or 0 for each in found.values()) == at(50 * 30)
    assert found[LATE] == Difference(at(219 * 30 + 10), at(259 * 30 + 10), "0", "1")


def test_a_clock_that_is_a_day_fast_hides_nothing_that_comes_behind_it() -> None:
    calls = [event for n in range(100) for event in (offered(f"c{n}", n * 60), abandoned(f"c{n}", n * 60 + 30))]
    wrong = offered("wrong", 20 * 60 + DAY).model_copy(update={"subject": "99.99"})
    first = [*calls[:40], wrong, *calls[40:], offered("next", 2 * DAY)]
    found = diff(first, [event for event in first if event is not calls[101]], step=1800).series
    assert found[WAITING].since == at(50 * 60 + 30)
    assert (found[WAITING].at or 0) < at(3 * 3600)


def test_nothing_that_comes_after_the_moment_asked_for_is_compared(hours: list[Event]) -> None:
    gone, fewer = without_call(hours, 8)
    before = gone.time.timestamp() - 1
    assert diff(hours, fewer, until=before) == Differences(at=before)
    assert diff(hours, fewer, until=before + 1).series


@pytest.fixture
def few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever would take long fails at once."""
    steps, reach = count(), Side.reach

    def counted(one: Side, moment: float) -> None:
        assert next(steps) < 100
        reach(one, moment)

    monkeypatch.setattr(Side, "reach", counted)


@pytest.mark.usefixtures("few_steps")
def test_where_nothing_happens_for_a_year_nobody_is_asked_meanwhile() -> None:
    calls = [offered("c1", 0), abandoned("c1", 10), offered("c2", YEAR), abandoned("c2", YEAR + 10)]
    assert diff(calls, calls, step=1) == Differences(at=at(YEAR + 10))


@pytest.mark.usefixtures("few_steps")
def test_events_of_the_future_are_refused_on_both_sides_as_measuring_does() -> None:
    calls, future = [offered("c1", 0), abandoned("c1", 10)], offered("c2", WALL - at(0) + DAY)
    refused: list[tuple[int, Refusal]] = []
    one = Side(iter(lines([future, *calls])), KNOWN, WALL, None, lambda *each: refused.append(each))
    found = differences(one, side(calls), 1)
    assert found == Differences(at=at(10))
    assert [(number, refusal.reason) for number, refusal in refused] == [(1, "in_the_future")]
    assert one.outcomes == measured([future, *calls]).outcomes == {"folded": 2, "refused": 1}


def test_two_empty_sources_do_not_differ_and_an_empty_one_differs_from_the_first_event_on() -> None:
    assert diff([], []) == Differences()
    found = diff([], [offered("c1", 0), abandoned("c1", 10)])
    assert found.series[OFFERED].since == at(0)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_saved_page_is_compared_as_of_one_moment(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    calls = [offered("c1", 0), abandoned("c1", 10)]
    saved = tmp_path / "metrics.txt"
    saved.write_bytes(pack(measured(calls).text.encode()))
    text = page(str(saved))
    assert text == measured(calls).text
    assert not of_pages(figures([text]), said(calls, at(10)), at(10)).series
    found = of_pages(figures([text]), said(calls[:1], at(10)), at(10)).series
    assert found[WAITING] == Difference(None, at(10), "0", "1")


@pytest.mark.parametrize(
    "line", ['psap_calls_waiting{city="32.7', "psap_calls_waiting much", "1732496400", "psap_up 1 1732496400"]
)
def test_a_page_that_is_broken_is_refused_with_the_line(tmp_path: Path, line: str) -> None:
    saved = tmp_path / "metrics.txt"
    saved.write_text(f"# HELP psap_up Up.\npsap_up 1e+05\n\n{line}\n")
    with pytest.raises(ReplayError, match=r"metrics.txt:4: is no series with its value"):
        page(str(saved))


def test_events_are_no_page(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_text("{}\n")
    assert page(str(tmp_path / "events.jsonl")) is None
    assert page("topic:112.calls.v1") is None

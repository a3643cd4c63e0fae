"""The rows of readings and warnings are what the state says of rivers and weather, whatever was told in whatever order."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.environment import EnvironmentEvent
from schemas.event import Event
from schemas.topics import ENVIRONMENT, TOPIC_OF
from streams.analysis.rows.environment import EnvironmentRows, Reading, WeatherWarning
from streams.analysis.rows.row import Done
from streams.analysis.tables import Tables
from streams.core import environment
from streams.core.centre import Centre
from streams.core.environment import LEVEL, SIAGA, WARNING, warned_hours
from streams.core.hourly import HOUR
from streams.sources import simulate
from tests.builders import START, at, cancelled, gauge_read, said, warned
from tests.strategies import histories
from tests.trial import CENTRES, KOTA_BOGOR

KINDS = [kind.model_fields["type"].default for kind in ENVIRONMENT.types]
DAY = 24 * HOUR


def told(events: Iterable[Event], centre: Centre = KOTA_BOGOR) -> tuple[list[Done], environment.State, int]:
    """The rows of all that some events tell, the state that remembers it, and how many readings were folded."""
    step: Any = environment.step
    state, watch, read = environment.State(), EnvironmentRows(centre), 0
    watch.attach(state)
    for offset, event in enumerate(events):
        if TOPIC_OF[event.type] is ENVIRONMENT and event.subject == centre.code:
            time = event.time.timestamp()
            if state.ledger.admit(offset, event.source, event.id, time) == "folded":
                read += event.type == "gauge.read"
                step(state, event, time, centre)
    watch.finish(0)
    return watch.done, state, read


def assert_agrees(rows: list[Done], state: environment.State, read: int, centre: Centre) -> None:
    readings = [row for row in rows if isinstance(row, Reading)]
    warnings = [row for row in rows if isinstance(row, WeatherWarning)]
    now = state.newest
    found = said(environment.measure(state, now, centre))
    if "gauge" not in state.strangers.passed_over:
        assert len(readings) == read
    for name, gauge in state.gauges.items():
        last = max((row for row in readings if row.gauge == name), key=lambda row: (row.read, row.level_centimetres))
        assert (last.read, last.level_centimetres) == (gauge.time, gauge.level)
        if (LEVEL, name) in found:
            assert (last.level_centimetres, last.siaga) == (found[LEVEL, name], found.get((SIAGA, name)))
    if "warning" not in state.strangers.passed_over:
        holding = [row for row in warnings if row.onset <= now < row.ended]
        labels = {(row.event, row.severity, row.urgency, row.certainty, row.attribution) for row in holding}
        assert labels == {key[1:] for key in found if key[0] is WARNING}
        since = (now - 6 * DAY) // HOUR * HOUR
        hours = set[int]()
        for row in warnings:
            start, end = max(row.onset, since), min(row.ended, now)
            if start < end:
                hours.update(range(int(start // HOUR), int(-(-end // HOUR))))
        assert hours == warned_hours(state, since, now)
    assert all(row.held_seconds == max(0.0, row.ended - row.onset) for row in warnings)


NAMES = st.sampled_from(["w1", "w1/info-2", "w2"])
TOLD: st.SearchStrategy[EnvironmentEvent] = st.one_of(
    st.builds(gauge_read, st.integers(0, 250), st.integers(0, 30 * HOUR), st.sampled_from(["katulampa", "KATULAMPA", "mine"])),
    st.builds(
        lambda name, time, onset, lasts: warned(name, time, time + onset, time + onset + lasts),
        NAMES,
        st.integers(0, 30 * HOUR),
        st.integers(-2 * HOUR, 2 * HOUR),
        st.integers(0, 3 * HOUR),
    ),
    st.builds(cancelled, NAMES, st.integers(0, 30 * HOUR)),
)


@settings(deadline=None)
@given(st.lists(TOLD, max_size=40), st.booleans(), st.lists(st.integers(0, 39), max_size=10))
def test_rows_are_what_is_known_in_any_order_and_told_twice(
    events: list[EnvironmentEvent], in_order: bool, again: list[int]
) -> None:
    if in_order:
        events.sort(key=lambda event: event.time)
    events += [events[place] for place in again if place < len(events)]

    rows, state, read = told(events)

    assert_agrees(rows, state, read, KOTA_BOGOR)


@settings(deadline=None)
@given(histories(CENTRES, 100, KINDS))
def test_rows_are_what_is_known_of_whatever_valid_events_are_told(events: list[Event]) -> None:
    for centre in CENTRES:
        rows, state, read = told(events, centre)
        assert_agrees(rows, state, read, centre)


def test_rows_of_simulated_days_are_what_is_known() -> None:
    rows, state, read = told(simulate.events(112, START, KOTA_BOGOR, days=3))

    assert read > 100
    assert_agrees(rows, state, read, KOTA_BOGOR)


def test_of_two_readings_of_a_gauge_at_one_moment_the_higher_is_kept() -> None:
    rows, _, _ = told([gauge_read(80, 0), gauge_read(151, 60), gauge_read(150, 60), gauge_read(90, 60, "mine")])

    with Tables() as tables:
        tables.put(rows)
        tables.complete()
        found = tables.connection.execute("FROM readings SELECT gauge, level_centimetres, siaga ORDER BY ALL").fetchall()

    assert found == [("katulampa", 80, 4), ("katulampa", 151, 2), ("mine", 90, None)]


def test_a_warning_says_until_when_it_held_and_has_one_row_however_often_it_is_told() -> None:
    events = [
        *(warned("a", 0, 60, 600), warned("a", 30, 90, 900), warned("b", 40, 100, 10_000), cancelled("b", 700)),
        *(cancelled("never-told", 800), warned("late", 30_000, 30_000, 31_000)),
    ]

    rows, _, _ = told(events)

    found = [(row.warning, row.onset, row.ended, row.cancelled) for row in rows if isinstance(row, WeatherWarning)]
    assert found == [
        ("a", at(90), at(900), None),
        ("b", at(100), at(700), at(700)),
        ("late", at(30_000), at(31_000), None),
    ]
    assert Counter(type(row) for row in rows) == {WeatherWarning: 3}

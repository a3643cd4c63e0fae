"""Whose clock is how wrong: a wrong clock is told from a backlog, and said within a minute."""

from types import SimpleNamespace

import pytest

from schemas.topics import TOPIC_OF, encode
from streams.core.source_clocks import SILENT_SECONDS, SOURCES, SourceClocks
from streams.worker.monitor import Monitor
from tests.builders import BOGOR, START, answered, ended, offered

KAFKA = 1_764_118_800.0


def clock(*samples: tuple[float, float], now: float = KAFKA + 100) -> list[tuple[str, str, float]]:
    """What is said of a source of which so many seconds after the start an event so many seconds ahead came."""
    clocks = SourceClocks()
    for seconds, ahead in samples:
        clocks.see("32.71", "pbx", KAFKA + seconds, ahead)
    return list(clocks.offsets(now))


def test_three_events_in_ten_seconds_tell_how_far_a_clock_is_behind() -> None:
    assert clock((0, -3420.2), (5, -3420.1), (10, -3420.9)) == [("32.71", "pbx", -3420.2)]


def test_one_event_tells_of_a_clock_so_far_ahead_that_it_is_refused() -> None:
    assert clock((0, 3420)) == [("32.71", "pbx", 3420)]


def test_one_or_two_events_that_are_not_refused_tell_nothing() -> None:
    assert clock((0, -3420), (5, -3420)) == []
    assert clock((0, -0.2)) == []


def test_a_backlog_tells_nothing_of_the_clock() -> None:
    """A day's events, one a minute, come within half a minute; then live ones."""
    backlog = [(number / 50, number / 50 - 86_400 + 60 * number) for number in range(1_440)]

    assert clock(*backlog) == []
    assert clock(*backlog, (40, -0.3), (50, -0.2), (60, -0.3)) == [("32.71", "pbx", -0.3)]


def test_a_dense_burst_is_one_sample_however_many_events_it_has() -> None:
    assert clock(*[(number / 1000, -3600 + number / 100) for number in range(400)]) == []


def test_a_clock_that_was_set_right_is_said_to_be_right() -> None:
    wrong = [(5.0 * number, 3420.0) for number in range(10)]

    assert clock(*wrong, (50, -0.1)) == []
    assert clock(*wrong, (50, -0.1), (55, -0.2), (60, -0.1)) == [("32.71", "pbx", -0.1)]


def test_a_silent_source_says_nothing_of_its_clock_any_more() -> None:
    wrong = [(5.0 * number, 3420.0) for number in range(10)]

    assert clock(*wrong, now=KAFKA + SILENT_SECONDS) != []
    assert clock(*wrong, now=KAFKA + SILENT_SECONDS + 60) == []


def test_a_table_that_is_sent_every_night_with_the_same_delay_has_no_slow_clock() -> None:
    nights = [(86_400.0 * night, -7_200.0) for night in range(5)]

    assert clock(*nights, now=KAFKA + 4 * 86_400 + 60) == []


def test_who_invents_sources_takes_no_more_than_the_places_of_a_centre() -> None:
    clocks = SourceClocks()
    for number in range(3 * SOURCES):
        clocks.see("32.71", f"pod-{number}", KAFKA + number, 3420)

    assert len(list(clocks.offsets(KAFKA))) == SOURCES


def test_centres_of_another_worker_are_forgotten() -> None:
    clocks = SourceClocks()
    clocks.see("32.71", "pbx", KAFKA, 3420)
    clocks.see("32.76", "pbx", KAFKA, 3420)
    clocks.forget(["32.71"])

    assert [city for city, _, _ in clocks.offsets(KAFKA)] == ["32.76"]


def test_an_exchange_57_minutes_fast_is_refused_named_and_moves_no_clock() -> None:
    """Its clock is set right after a while; what is refused then is nothing, and no call of before is in the figures."""
    monitor, kafka = Monitor({"32.71": BOGOR}), START.timestamp()
    fast = [
        event for n in range(10) for event in (offered(f"f{n}", 3420 + n), answered(f"f{n}", 3425 + n), ended(f"f{n}", 3440 + n))
    ]
    right = [event for n in range(20, 40) for event in (offered(f"r{n}", n), answered(f"r{n}", n + 5), ended(f"r{n}", n + 9))]
    outcomes = []
    for offset, event in enumerate([*fast, *right]):
        ahead = 3420 if event in fast else 0
        written = int((event.time.timestamp() - ahead) * 1000)
        record = SimpleNamespace(offset=offset, timestamp=written, value=encode(event))
        others = monitor.fold(TOPIC_OF[event.type].name, 0, [record])
        outcomes.append(getattr(others.get(offset), "reason", others.get(offset, "folded")))
        if event is fast[-1]:
            said = monitor.clock_offsets(kafka)

    assert outcomes == ["in_the_future"] * 30 + ["folded"] * 60
    later = monitor.clock_offsets(kafka + 60)
    assert [(city, source) for city, source, _ in said + later] == [("32.71", "/32.71/test")] * 2
    assert [ahead for _, _, ahead in said + later] == pytest.approx([3420, 0], abs=0.01)


def test_whether_an_event_is_ahead_does_not_depend_on_what_it_is_fetched_with() -> None:
    """A broker whose clock was set back, and records that are folded together or one by one."""
    base = START.timestamp()
    written = [base, base - 60, base + 60, base]
    events = [offered("a", 0), offered("b", 65), offered("c", 100), offered("d", 119)]
    records = [
        SimpleNamespace(offset=n, timestamp=int(at * 1000), value=encode(event))
        for n, (at, event) in enumerate(zip(written, events, strict=True))
    ]
    topic = TOPIC_OF["call.offered"].name
    together, alone = Monitor({"32.71": BOGOR}), Monitor({"32.71": BOGOR})

    assert together.fold(topic, 0, records).keys() == {1}
    assert [offset for record in records for offset in alone.fold(topic, 0, [record])] == [1]


def test_a_recording_tells_nothing_of_a_clock() -> None:
    monitor = Monitor({"32.71": BOGOR})
    for offset in range(5):
        event = offered(f"c{offset}", 10 * offset).model_copy(update={"replayed": True})
        record = SimpleNamespace(offset=offset, timestamp=int((event.time.timestamp() + 86_400) * 1000), value=encode(event))
        monitor.fold(TOPIC_OF[event.type].name, 0, [record])

    assert monitor.clock_offsets(START.timestamp() + 86_400) == []

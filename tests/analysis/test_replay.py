"""Recorded events, played again: at their pace, at another, moved to now; recorded, chosen, shown and counted."""

import gzip
import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from pathlib import Path

import pytest

from schemas.calls import CallOffered, Offered
from schemas.event import Event
from schemas.operators import OperatorLoggedIn, Seat
from schemas.topics import CALLS, OPERATORS, TOPICS, Refusal, UnknownType, decode, encode
from streams import centres
from streams.analysis.diff import Differences, Side, differences
from streams.analysis.replay import (
    ReplayError,
    TopicRange,
    between,
    check,
    chosen,
    dated,
    events_of,
    open_source,
    paced,
    parse_source,
    play,
    record,
    shifted,
    shown,
    stats,
)
from streams.clock import Clock
from streams.log.kafka import Log
from streams.log.reader import Reader, Reading, Record
from streams.log.topics import partition_of
from streams.settings import Settings
from streams.sources import Line
from streams.sources.opened import Opened
from tests.builders import approved, warned
from tests.conftest import RealKafka

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
BOGOR = next(iter(centres.load([]).values()))


def offered(number: int, seconds: float, city: str = "32.71") -> Event:
    data = Offered(call=f"c{number}", queue="112")
    at = NOON + timedelta(seconds=seconds)
    return CallOffered(id=f"o{number}", source=f"/{city}/test", subject=city, time=at, data=data)


def seat_taken(seconds: float) -> Event:
    at = NOON + timedelta(seconds=seconds)
    return OperatorLoggedIn(id="s", source="/32.71/test", subject="32.71", time=at, data=Seat(seat="Agent/1"))


class Time:
    """A clock that goes on only while somebody sleeps, and a little late at that."""

    def __init__(self, start: float = 5000.0, late: float = 0.0) -> None:
        self.now, self.late, self.flushes = start, late, 0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds + self.late

    def flush(self) -> None:
        self.flushes += 1

    def arrivals(self, playing: Iterator[Event]) -> list[tuple[str, float]]:
        began = self.now
        return [(event.id, round(self.now - began, 6)) for event in playing]


def test_at_speed_one_events_come_as_far_apart_as_they_happened() -> None:
    t = Time()
    playing = play([offered(1, 0), offered(2, 2.5), offered(3, 90)], t.flush, speed=1, now=t, sleep=t.sleep)
    assert t.arrivals(playing) == [("o1", 0), ("o2", 2.5), ("o3", 90)]


def test_at_speed_sixty_an_hour_takes_a_minute() -> None:
    t = Time()
    playing = play([offered(1, 0), offered(2, 3600)], t.flush, speed=60, now=t, sleep=t.sleep)
    assert t.arrivals(playing) == [("o1", 0), ("o2", 60)]


def test_at_full_speed_nobody_waits() -> None:
    t = Time()
    playing = play([offered(1, 0), offered(2, 3600)], t.flush, speed=None, now=t, sleep=t.sleep)
    assert t.arrivals(playing) == [("o1", 0), ("o2", 0)]


def test_sleeps_that_last_too_long_do_not_add_up() -> None:
    t = Time(late=0.01)
    events = [offered(n, n * 0.5) for n in range(1001)]
    assert t.arrivals(play(events, t.flush, speed=1, now=t, sleep=t.sleep))[-1][1] <= 500.02


def test_an_event_out_of_order_comes_at_once_and_in_its_place() -> None:
    t = Time()
    playing = play([offered(1, 0), offered(2, 10), offered(3, 4), offered(4, 12)], t.flush, speed=1, now=t, sleep=t.sleep)
    assert t.arrivals(playing) == [("o1", 0), ("o2", 10), ("o3", 10), ("o4", 12)]


def test_everything_is_flushed_before_every_wait() -> None:
    t = Time()
    list(play([offered(1, 0), offered(2, 0), offered(3, 10), offered(4, 20)], t.flush, speed=1, now=t, sleep=t.sleep))
    assert t.flushes == 2


def test_the_beginning_is_skipped_without_waiting_for_it() -> None:
    t = Time()
    events = [offered(1, 0), offered(2, 3600), offered(3, 3610), offered(4, 3620)]
    start, until = NOON + timedelta(seconds=3600), NOON + timedelta(seconds=3620)
    playing = play(events, t.flush, speed=1, start=start, until=until, now=t, sleep=t.sleep)
    assert t.arrivals(playing) == [("o2", 0), ("o3", 10)]


def test_on_a_clock_what_came_before_comes_at_once_and_the_rest_when_it_shows_it() -> None:
    t = Time(start=1000)
    clock = Clock(stream=NOON.timestamp() + 100, wall=1010, speed=10)
    playing = paced([offered(1, -50), offered(2, 0), offered(3, 100), offered(4, 200)], t.flush, clock, t, t.sleep)
    assert t.arrivals(playing) == [("o1", 0), ("o2", 0), ("o3", 10), ("o4", 20)]


def test_a_source_without_end_is_played_as_it_comes() -> None:
    t = Time()
    playing = play((offered(n, n) for n in count()), t.flush, speed=1, now=t, sleep=t.sleep)
    assert t.arrivals(islice(playing, 3)) == [("o0", 0), ("o1", 1), ("o2", 2)]


def test_shifted_to_now_the_first_event_is_now_and_the_distances_stay() -> None:
    t = Time()
    now = datetime(2027, 1, 5, 8, 30, tzinfo=UTC)
    got = list(play([offered(1, 0), offered(2, 7)], t.flush, speed=1, shift_to=now, now=t, sleep=t.sleep))
    assert [event.time for event in got] == [now, now + timedelta(seconds=7)]
    assert t.now == 5007


def test_a_shifted_event_is_another_event_about_another_call_and_the_same_for_the_same_shift() -> None:
    original = [offered(1, 0), offered(2, 5)]
    day, other = timedelta(days=1), timedelta(days=2)
    once, again, elsewhere = (list(shifted(original, by)) for by in (day, day, other))
    back = list(shifted(original, -day))
    assert once == again
    ids = [event.id for events in (original, once, elsewhere, back) for event in events]
    calls = [event.data.call for events in (original, once, elsewhere, back) for event in events]  # type: ignore[attr-defined]
    assert len(set(ids)) == len(set(calls)) == 8


def test_the_longest_names_are_still_events_after_a_shift() -> None:
    data = Offered(call="c" * 64, queue="112")
    longest = CallOffered(id="i" * 128, source="/32.71/test", subject="32.71", time=NOON, data=data)
    (moved,) = shifted([longest], timedelta(days=10_000))
    assert decode(encode(moved)) == moved


def test_the_times_that_a_shifted_event_tells_of_move_with_it() -> None:
    block, warning = approved("ani", 0, 3600), warned("w1", 0, 60, 7200)
    later = list(shifted([block, warning], timedelta(days=800)))

    assert [decode(encode(event)) for event in later] == later
    for event, shifted_one in zip((block, warning), later, strict=True):
        before, after = (dict(one.data) | {"time": one.time} for one in (event, shifted_one))
        times = {name for name, value in before.items() if isinstance(value, datetime)}
        assert times >= {"time", "expires"}
        assert {name: after[name] - before[name] for name in times} == dict.fromkeys(times, timedelta(days=800))


def test_nothing_of_a_shifted_seat_but_its_time_and_id_changes() -> None:
    (moved,) = shifted([seat_taken(0)], timedelta(seconds=1))
    assert moved.data == seat_taken(0).data
    assert decode(encode(moved)) == moved


@pytest.mark.parametrize("speed", [None, 1.5, 60])
def test_shifted_to_now_and_faster_than_life_is_refused(speed: float | None) -> None:
    with pytest.raises(ReplayError, match="ahead of the clock"):
        check(Path("events.jsonl"), speed=speed, shift_to_now=True, into_topics=True)


def test_a_topic_is_not_played_into_itself_unless_shifted() -> None:
    source = TopicRange((CALLS.name,))
    with pytest.raises(ReplayError, match="into itself"):
        check(source, speed=1, shift_to_now=False, into_topics=True)
    check(source, speed=1, shift_to_now=True, into_topics=True)
    check(source, speed=None, shift_to_now=False, into_topics=False)
    check(Path("events.jsonl"), speed=None, shift_to_now=False, into_topics=True)


def test_a_source_is_a_file_or_a_range_of_topics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert parse_source("events.jsonl") == Path("events.jsonl")
    assert parse_source("112.calls.v1") == TopicRange((CALLS.name,))
    assert parse_source("topic:112.calls.v1,112.operators.v1") == TopicRange((CALLS.name, OPERATORS.name))
    noon = "2026-11-20T19:00+07:00"
    assert parse_source(f"112.calls.v1@{noon}..") == TopicRange((CALLS.name,), NOON)
    assert parse_source(f"topic:112.calls.v1@..{noon}") == TopicRange((CALLS.name,), None, NOON)
    Path("112.calls.v1").touch()
    assert parse_source("112.calls.v1") == Path("112.calls.v1")
    assert parse_source("topic:112.calls.v1") == TopicRange((CALLS.name,))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("topic:112.cals.v1", "no topic of events is called 112.cals.v1; there are 112.calls.v1"),
        ("topic:", "no topic of events is called nothing"),
        ("topic:112.calls.v1@2026-11-20T00:00+07:00", "write a range as @FROM..TO"),
        ("topic:112.calls.v1@2026-11-20T00:00..", "has no zone"),
        ("topic:112.calls.v1@yesterday..", "is no ISO 8601 time"),
        ("topic:112.calls.v1@2026-11-21T00:00Z..2026-11-20T00:00Z", "ends before it begins"),
    ],
)
def test_a_source_that_cannot_be_meant_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(ReplayError, match=reason):
        parse_source(text)


def test_all_topics_have_a_short_word() -> None:
    assert parse_source("topic:all") == TopicRange(tuple(topic.name for topic in TOPICS))
    assert str(parse_source("topic:all")) == "topic:all"
    assert parse_source("all") == Path("all")


def test_a_range_is_written_as_it_is_read() -> None:
    for text in ("topic:112.calls.v1", "topic:all@2026-11-20T19:00:00+07:00..", "topic:112.calls.v1@..2026-11-20T19:00:00+07:00"):
        assert str(parse_source(text)) == text


def test_a_range_that_has_a_name_or_is_a_word_is_spelt_out_and_every_other_source_left_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def period(word: str) -> tuple[datetime, datetime]:
        asked.append(word)
        return NOON, NOON + timedelta(hours=1)

    monkeypatch.chdir(tmp_path)
    Path("112.calls.v1@2026").touch()
    others = ("events@2026-10", "-", "topic:112.calls.v1", f"topic:all@{NOON.isoformat()}..", "112.calls.v1@2026")
    assert [dated(text, period) for text in others] == list(others)
    assert asked == []

    spelt = dated("topic:112.calls.v1,112.operators.v1@last month", period)

    assert asked == ["last month"]
    assert parse_source(spelt) == TopicRange((CALLS.name, OPERATORS.name), NOON, NOON + timedelta(hours=1))


def test_within_a_range_lies_what_lies_in_both_and_nothing_is_refused() -> None:
    hour = timedelta(hours=1)
    day = TopicRange((CALLS.name,), NOON, NOON + 24 * hour)

    assert day.within(None, None) == day
    assert day.within(NOON - hour, NOON + hour) == TopicRange((CALLS.name,), NOON, NOON + hour)
    assert TopicRange((CALLS.name,)).within(NOON, None) == TopicRange((CALLS.name,), NOON)
    with pytest.raises(ReplayError, match="nothing of it lies from"):
        day.within(NOON - hour, NOON)


def test_bad_lines_are_named_and_the_good_ones_behind_them_played(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(encode(offered(1, 0)) + b"\n{broken\n" + encode(offered(2, 1)) + b"\n")
    bad: list[int] = []
    lines = open_source(str(path), BOGOR, Settings())
    assert [event.id for event in events_of(lines, lambda number, _: bad.append(number))] == ["o1", "o2"]
    assert bad == [2]


def test_events_are_chosen_by_type_pattern_and_centre() -> None:
    events = [offered(1, 0), offered(2, 0, "31.71"), seat_taken(0)]
    assert [event.id for event in chosen(events)] == ["o1", "o2", "s"]
    assert [event.id for event in chosen(events, types=["call.*"])] == ["o1", "o2"]
    assert [event.id for event in chosen(events, centres=["31.71"])] == ["o2"]
    assert [event.id for event in chosen(events, ["operator.logged_in"], ["32.71"])] == ["s"]


def test_an_event_is_shown_as_json_or_for_the_eye() -> None:
    event = offered(1, 0)
    assert decode(shown(event, as_json=True).encode()) == event
    assert shown(event, as_json=False).startswith("2026-11-20T12:00:00+00:00 32.71 call.offered /32.71/test call=c1 queue=112")


def test_stats_count_everything_and_tell_the_span() -> None:
    items: list[Event | UnknownType | Refusal]
    items = [offered(1, 10), seat_taken(5), offered(2, 20, "31.71"), UnknownType("call.sung"), Refusal("not_json", "")]
    found = stats(Line(number, item) for number, item in enumerate(items))
    assert (found.events, found.unordered) == (3, 1)
    assert (found.first, found.last) == (NOON + timedelta(seconds=5), NOON + timedelta(seconds=20))
    assert found.types == {"call.offered": 2, "operator.logged_in": 1}
    assert found.centres == {"32.71": 2, "31.71": 1}
    assert found.unknown == {"call.sung": 1}
    assert found.refused == {"not_json": 1}


def as_record(value: bytes) -> Record:
    return Record(CALLS.name, 0, 0, 0.0, b"32.71", value, decode(value), 0.0)


@pytest.mark.usefixtures("usual_umask")
@pytest.mark.parametrize("name", ["cut.jsonl", "cut.jsonl.gz"])
def test_what_is_cut_out_has_callers_in_it_and_nobody_else_may_read_it(tmp_path: Path, name: str) -> None:
    record([as_record(encode(offered(1, 0)))], tmp_path / name)

    assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_a_recording_keeps_what_a_later_version_says_and_is_the_same_every_time(tmp_path: Path) -> None:
    pretty = encode(offered(1, 0)).replace(b'"data":{', b'"data":{\r\n  "colour": "red",\n  ')
    later = encode(offered(2, 0)).replace(b"call.offered", b"call.sung")
    one, two = tmp_path / "one.jsonl.gz", tmp_path / "two.jsonl.gz"
    for path in (one, two):
        outcomes = record(map(as_record, [pretty, b"{broken", later]), path)
        assert outcomes == {"recorded": 2, "refused": 1}
    assert one.read_bytes() == two.read_bytes()
    assert one.read_bytes()[4:8] == bytes(4)  # gzip's own time
    first, second = gzip.decompress(one.read_bytes()).splitlines()
    assert b'"colour": "red"' in first
    assert decode(first) == offered(1, 0)
    assert decode(second) == UnknownType("call.sung")


def test_a_recording_that_breaks_off_leaves_no_file_of_that_name(tmp_path: Path) -> None:
    def breaking() -> Iterator[Record]:
        yield as_record(encode(offered(1, 0)))
        raise OSError("the broker went away")

    with pytest.raises(OSError, match="went away"):
        record(breaking(), tmp_path / "half.jsonl.gz")
    assert list(tmp_path.iterdir()) == []


def test_a_recording_on_a_full_disk_fails_with_the_file_s_name_and_does_not_take_its_place() -> None:
    with pytest.raises(OSError, match="No space left") as failed:
        record([as_record(encode(offered(1, 0)))], Path("/dev/full"))
    assert failed.value.filename == "/dev/full"
    assert Path("/dev/full").is_char_device()


def test_a_window_in_event_time_is_half_open() -> None:
    events = [offered(n, n) for n in range(5)]
    inside = between(events, NOON + timedelta(seconds=1), NOON + timedelta(seconds=3))
    assert [event.id for event in inside] == ["o1", "o2"]


@pytest.mark.stack
def test_what_was_recorded_from_topics_plays_back_the_same(kafka: RealKafka, tmp_path: Path) -> None:
    prefix = f"replay{os.getpid()}"
    settings = Settings(bootstrap=kafka.bootstrap, topic_prefix=f"{prefix}.", app_id=prefix)
    events = [offered(1, 0), seat_taken(1), offered(2, 2)]
    with Log(settings) as log:
        log.create_topics(3)
        log.write(events)
        path = tmp_path / "range.jsonl.gz"
        record(Reader(settings).read([CALLS.name, OPERATORS.name]), path)
    text = f"topic:{CALLS.name},{OPERATORS.name}"
    from_file, from_topics = ([line.item for line in open_source(source, BOGOR, settings)] for source in (str(path), text))
    assert from_file == from_topics == events
    found: list[Reading | Opened] = []
    assert (
        len(list(open_source(f"{text}@..{(NOON + timedelta(seconds=1)).isoformat()}", BOGOR, settings, None, found.append))) == 1
    )
    home = partition_of("32.71", 3)
    # What came late would stand at the end: that of a range in event time is the log's.
    assert found == [Reading({(CALLS.name, home): (0, 2), (OPERATORS.name, home): (0, 1)}, 3, 3)]
    one, other = (Side(open_source(text, BOGOR, settings), centres.load([]), NOON.timestamp() + 60) for _ in range(2))
    assert differences(one, other, 1) == Differences(at=NOON.timestamp() + 2)  # two that are read by turns

"""One worker without Kafka: folding chunks, flushing states before their marker, and ending rather than guessing."""

import gc
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP

from streams import app as shell
from streams.app import Worker
from streams.pipeline import Pipeline
from streams.transport import Chunk
from tests.worker import Counting, Settings

CALLS = "112.calls.v1"
PLACE = TP(f"x.{CALLS}", 3)


class Ended(Exception):
    """Instead of the end of the process."""


class Sent:
    def add_done_callback(self, _: Any) -> None: ...


@pytest.fixture(autouse=True)
def deadly(monkeypatch: pytest.MonkeyPatch) -> None:
    def die(code: int, why: str) -> None:
        raise Ended(code, why)

    monkeypatch.setattr(shell, "die", die)


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Worker:
    """A worker that owns one partition; `published` and `buried` say what left it, in order."""
    monkeypatch.setattr(shell, "CATCHING_UP", shell.CATCHING_UP._replace(flush_seconds=0))
    signal = SimpleNamespace(connect=lambda _: None)
    app: Any = SimpleNamespace(
        Table=lambda *_, **__: SimpleNamespace(data={}, send_changelog=None),
        topic=lambda *_, **__: None,
        agent=lambda *_, **__: lambda _: None,
        on_partitions_revoked=signal,
    )
    monitor: Any = Counting()
    made: Any = Worker(app, Settings("", "a", "x."), monitor, None)
    made.published, made.buried = [], []
    made._table.send_changelog = lambda number, key, blob: made.published.append((number, key, blob)) or Sent()

    async def send_and_wait(*letter: Any) -> None:
        made.buried.append(letter)

    app.producer = SimpleNamespace(send_and_wait=send_and_wait)
    made.sought(PLACE, 0, 1, None)
    return made  # type: ignore[no-any-return]


def chunk(number: int, *values: bytes | None, start: int = 0, epoch: int = 1) -> Chunk:
    made = Chunk(
        SimpleNamespace(topic=PLACE.topic, partition=3, offset=offset, value=value, key=b"32.71", timestamp=1000)
        for offset, value in enumerate(values, start)
    )
    made.link = (epoch, number)
    return made


def run(coroutine: Any) -> None:
    with pytest.raises(StopIteration):
        coroutine.send(None)


def test_at_the_end_of_the_log_states_are_flushed_often_and_kept_from_the_garbage_collector(worker: Any) -> None:
    before, thresholds = gc.get_freeze_count(), gc.get_threshold()
    try:
        worker._settle()
        assert worker._pace is shell.CATCHING_UP  # nobody knows yet where the log ends
        worker.pipeline.log_end[CALLS, 3] = 9_000
        worker._settle()
        assert worker._pace is shell.CATCHING_UP
        worker._live[PLACE].position = 9_000
        worker._settle()
        assert worker._pace is shell.STEADY
        assert gc.get_freeze_count() > before
        assert gc.get_threshold() == shell.STEADY.collect
    finally:
        gc.unfreeze()
        gc.set_threshold(*thresholds)


def test_what_a_second_ago_was_folded_is_flushed_at_the_end_of_the_log_but_not_while_it_is_caught_up_with(worker: Any) -> None:
    worker._pace = shell.Pace(5.0, shell.CATCHING_UP.collect)
    run(worker._take(PLACE, chunk(0, b"32.71 5")))
    worker._live[PLACE].flushed_at -= 1
    run(worker._take(PLACE, chunk(1, b"32.71 6", start=1)))
    assert worker.published == []

    worker._pace = shell.STEADY
    run(worker._take(PLACE, chunk(2, b"32.71 7", start=2)))
    assert worker.marker(PLACE) == 2


def test_states_are_published_before_the_marker_in_the_partition_of_their_source(worker: Any) -> None:
    run(worker._take(PLACE, chunk(0, b"32.71 5", b"32.73 6")))
    assert [number for number, _, _ in worker.published] == [3, 3, 3]
    assert [key for _, key, _ in worker.published] == [b"3|112.calls.v1|32.71", b"3|112.calls.v1|32.73", b"\x003|112.calls.v1"]
    assert worker.marker(PLACE) == 1
    assert worker.pipeline.consumed == {(CALLS, "folded"): 2}


def test_a_missing_chunk_ends_the_worker(worker: Any) -> None:
    run(worker._take(PLACE, chunk(0, b"32.71 5")))
    with pytest.raises(Ended, match="chunk 1 is missing"):
        worker._take(PLACE, chunk(2, b"32.71 5", start=9)).send(None)


def test_a_chunk_fetched_before_the_last_seek_is_passed_over(worker: Any) -> None:
    worker.sought(PLACE, 0, 2, None)
    run(worker._take(PLACE, chunk(0, b"32.71 5", epoch=1)))
    run(worker._take(TP(PLACE.topic, 4), chunk(0, b"32.71 5", epoch=2)))
    assert worker.pipeline.consumed == {}
    run(worker._take(PLACE, chunk(0, b"32.71 5", epoch=2)))
    assert worker.pipeline.consumed == {(CALLS, "folded"): 1}


def test_a_refused_record_is_buried_before_anything_is_published(worker: Any) -> None:
    async def send_and_wait(*letter: Any) -> None:
        assert worker.published == []
        worker._flush(PLACE, worker._live[PLACE])  # the timer comes in between
        assert worker.published == []
        worker.buried.append(letter)

    worker.app.producer.send_and_wait = send_and_wait
    run(worker._take(PLACE, chunk(0, b"32.71 5", b"broken", start=40)))
    ((topic, key, value, _, _, headers),) = worker.buried
    assert (topic, key, value) == ("x.112.dead-letters.v1", b"32.71", b"broken")
    assert headers == {
        "dlq_original_topic": b"x.112.calls.v1",
        "dlq_original_partition": b"3",
        "dlq_original_offset": b"41",
        "dlq_original_timestamp": b"1000",
        "dlq_reason": b"not_json",
        "dlq_detail": b"broken",
    }
    assert worker.marker(PLACE) == 41
    assert worker.pipeline.dead_letters == {(CALLS, "not_json"): 1}


def test_a_rebalance_while_dead_letters_are_sent_keeps_the_old_state_from_kafka(worker: Any) -> None:
    async def send_and_wait(*_: Any) -> None:
        await worker._on_revoked(worker.app, [PLACE])

    worker._ticking = True
    worker.app.producer.send_and_wait = send_and_wait
    run(worker._take(PLACE, chunk(0, b"32.71 5", b"broken")))
    assert worker.published == []
    assert worker.pipeline.recovering
    assert not worker.pipeline.owned


def test_a_revoked_partition_is_forgotten(worker: Any) -> None:
    worker._ticking = True
    run(worker._take(PLACE, chunk(0, b"32.71 5")))
    run(worker._on_revoked(worker.app, [PLACE]))
    assert worker.monitor._states == {}
    assert worker.pipeline.markers == {}
    run(worker._take(PLACE, chunk(1, b"32.71 6", start=1)))
    assert worker.monitor._states == {}


def test_recovered_states_go_to_the_monitor_and_moved_ones_are_forgotten(worker: Any) -> None:
    run(worker._take(PLACE, chunk(0, b"32.71 5")))
    worker._table.data[b"4|112.calls.v1|32.71"] = b"[0, 1, 5]"
    worker.app.consumer = SimpleNamespace(assignment=lambda: {PLACE})
    worker.monitor = Counting()
    run(worker._on_recover())
    assert worker.monitor._states == {(CALLS, 3, b"32.71"): [0, 1, 5]}
    assert b"4|112.calls.v1|32.71" not in worker._table.data
    worker.sought(PLACE, 0, 2, None)
    run(worker._take(PLACE, chunk(0, b"32.71 5", b"32.71 6", epoch=2)))
    assert worker.pipeline.consumed[CALLS, "replayed"] == 1


def test_a_marker_that_goes_back_in_the_changelog_is_an_alarm(worker: Any) -> None:
    for value, regressions in ((b"7", 0), (b"9", 0), (b"8", 1)):
        run(worker._on_changelog_event(SimpleNamespace(key=b"\x003|112.calls.v1", value=value)))
        assert worker.pipeline.regressions == regressions


def test_a_marker_outside_the_log_is_an_alarm(worker: Any) -> None:
    worker.sought(PLACE, 0, 2, "below")
    worker.sought(PLACE, 0, 3, "above")
    assert (worker.pipeline.markers_below_log, worker.pipeline.markers_above_log) == (1, 1)


def test_lag_counts_from_the_marker_and_before_the_first_from_where_reading_began() -> None:
    one, two = (CALLS, 0), (CALLS, 1)
    pipeline = Pipeline(
        owned=frozenset({one, two}), log_end={one: 50, two: 50}, markers={one: 49}, starts={one: 0, two: 20},
        newest={one: 900.0, two: 900.0},
    )  # fmt: skip
    assert pipeline.lag_records() == {one: 0, two: 30}
    assert pipeline.lag_seconds(960.0) == {one: 0.0, two: 60.0}


def test_a_worker_makes_no_folder_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    app, _ = shell.create_app(Settings("127.0.0.1:1", "a", "x."), Counting())  # type: ignore[arg-type]
    app._create_directories()
    assert list(tmp_path.iterdir()) == []

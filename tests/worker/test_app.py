"""One worker without Kafka: folding chunks, flushing states before their marker, and ending rather than guessing."""

import gc
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP

from schemas.topics import PARTITIONS, SENT_AGAIN
from streams import centres
from streams.log.snapshots import Snapshot
from streams.settings import Settings
from streams.worker import app as shell
from streams.worker import changelog, fence, recovery
from streams.worker.app import Worker
from streams.worker.fence import NOT_FOLDED, UNREADABLE
from streams.worker.monitor import Monitor
from streams.worker.pipeline import Pipeline
from streams.worker.transport import Chunk
from tests.one_worker import Counting

CALLS = "112.calls.v1"
PLACE = TP(f"x.{CALLS}", 3)


class Ended(BaseException):
    """Instead of the end of the process."""


class Sent:
    def add_done_callback(self, _: Any) -> None: ...

    def __await__(self) -> Any:
        return iter(())


@pytest.fixture(autouse=True)
def deadly(monkeypatch: pytest.MonkeyPatch) -> None:
    def die(code: int, why: str) -> None:
        raise Ended(code, why)

    for room in (shell, changelog, fence, recovery):
        monkeypatch.setattr(room, "die", die)


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
    made: Any = Worker(app, Settings(app_id="a", topic_prefix="x."), monitor, None)
    made.published, made.buried = [], []
    made._table.send_changelog = lambda number, key, blob: made.published.append((number, key, blob)) or Sent()

    async def send_and_wait(*letter: Any) -> None:
        made.buried.append(letter)

    app.producer = SimpleNamespace(send_and_wait=send_and_wait)
    made.sought(PLACE, 0, 1, None)
    return made  # type: ignore[no-any-return]


def chunk(number: int, *values: bytes | None, start: int = 0, epoch: int = 1) -> Chunk:
    made = Chunk(
        SimpleNamespace(topic=PLACE.topic, partition=3, offset=offset, value=value, key=b"32.71", timestamp=1000, headers=[])
        for offset, value in enumerate(values, start)
    )
    made.link = (epoch, number)
    return made


def recovering(worker: Any, end: int = 0, found: Any = None) -> None:
    """Its only partition is assigned, whose log ends there, and has this snapshot."""

    async def highwaters(*places: TP) -> dict[TP, int]:
        return dict.fromkeys(places, 0) | ({PLACE: end} if PLACE in places else {})

    async def newest(places: set[tuple[str, int]]) -> dict[tuple[str, int], Any]:
        return {place: found for place in places if found is not None}

    worker.app.consumer = SimpleNamespace(assignment=lambda: {PLACE}, highwaters=highwaters, earliest_offsets=highwaters)
    worker._snapshots.newest = newest


SNAPSHOT = Snapshot(CALLS, 3, 1, 6, 1000, 0, 1.0, 120.0, {"32.71": (0, 1.0)}, 2026, {"32.71": "rules"})


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


def test_what_was_sent_again_and_comes_back_says_how_often_it_was_sent(worker: Any) -> None:
    sent = chunk(0, b"broken")
    sent[0].headers.append((SENT_AGAIN, b"2"))
    run(worker._take(PLACE, sent))
    ((*_, headers),) = worker.buried
    assert headers[SENT_AGAIN] == b"2"


def letters(worker: Any) -> dict[int, tuple[bytes, bytes]]:
    """Reason and detail of what was buried, by offset."""
    said = [headers for *_, headers in worker.buried]
    return {int(h["dlq_original_offset"]): (h["dlq_reason"], h["dlq_detail"]) for h in said}


def test_a_record_whose_fold_breaks_off_is_buried_and_everything_else_counts_as_without_it(worker: Any) -> None:
    worker._pace = shell.STEADY
    run(worker._take(PLACE, chunk(0, b"32.71 5", b"32.73 6")))  # flushed
    run(worker._take(PLACE, chunk(1, b"32.71 7", start=2)))
    run(worker._take(PLACE, chunk(2, b"32.71 8", b"32.71 poison", b"32.73 9", b"32.71 poison", b"32.71 1", start=3)))
    worker._flush(PLACE, worker._live[PLACE])

    assert {key[2]: state[1:] for key, state in worker.monitor._states.items()} == {b"32.71": [4, 21], b"32.73": [2, 15]}
    assert letters(worker).keys() == {4, 6}
    assert {reason for reason, _ in letters(worker).values()} == {b"not_folded"}
    assert b"ZeroDivisionError" in letters(worker)[4][1]
    assert b"personal" not in letters(worker)[4][1]
    assert worker.pipeline.consumed == {(CALLS, "folded"): 6, (CALLS, "refused"): 2}
    assert [blob for _, key, blob in worker.published if key.startswith(b"3|112.calls.v1|32.71")][-1] == b"[7, 4, 21]"


def test_after_a_poison_states_leave_at_once_so_that_a_crash_does_not_bury_it_again(worker: Any) -> None:
    worker._pace = shell.Pace(3600.0, shell.CATCHING_UP.collect)
    run(worker._take(PLACE, chunk(0, b"32.71 5", b"32.71 poison")))
    assert worker.marker(PLACE) == 1
    assert worker.monitor.poison == {(CALLS, 3): {}}


def unsettled(worker: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker catches up with a log, so that what came since its last flush is too much to be kept."""
    monkeypatch.setattr(shell, "KEPT_RECORDS", 1)
    worker._pace = shell.Pace(3600.0, shell.CATCHING_UP.collect)


def test_where_too_much_is_unflushed_the_poison_is_noted_in_kafka_and_the_worker_ends(
    worker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    unsettled(worker, monkeypatch)
    acknowledged: list[Any] = []

    class Acknowledged:
        def __await__(self) -> Any:
            assert worker._live == {}, "nothing half changed may be flushed meanwhile"
            assert worker.pipeline.recovering, "nor said"
            acknowledged.append(True)
            return iter(())

    worker._table.send_changelog = lambda *said: worker.published.append(said) or Acknowledged()
    with pytest.raises(Ended) as ended:
        run(worker._take(PLACE, chunk(0, b"32.71 5", b"32.71 poison", b"32.71 6")))

    assert ended.value.args[0] == NOT_FOLDED
    assert "personal" not in ended.value.args[1]
    assert worker.published == [(3, b"\x013|112.calls.v1", b'{"1": "ZeroDivisionError"}')]
    assert acknowledged


def test_who_recovers_a_partition_with_a_note_buries_that_record_and_needs_no_restart_for_the_next(
    worker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    unsettled(worker, monkeypatch)
    worker._table.data[b"\x013|112.calls.v1"] = b'{"1": "ZeroDivisionError", "-7": "Old"}'
    recovering(worker)
    run(worker._on_recover())
    worker.sought(PLACE, 0, 2, None)
    assert worker.monitor.poison == {(CALLS, 3): {1: "ZeroDivisionError"}}

    values = (b"32.71 5", b"32.71 poison", b"32.71 6", b"32.71 poison", b"32.71 7")
    for number, value in enumerate(values):
        run(worker._take(PLACE, chunk(number, value, start=number, epoch=2)))

    assert letters(worker).keys() == {1, 3}
    assert worker.monitor._states == {(CALLS, 3, b"32.71"): [4, 3, 18]}


def test_a_revoked_partitions_poison_is_somebody_elses(worker: Any) -> None:
    worker._ticking = True
    worker.monitor = worker._recovery._monitor = Monitor({}, PARTITIONS)
    worker.monitor.poison[CALLS, 3] = {1: "ZeroDivisionError"}
    run(worker._on_revoked(worker.app, [PLACE]))
    assert worker.monitor.poison == {}


@pytest.mark.parametrize(
    ("key", "blob", "named"),
    [
        (b"3|112.calls.v1|32.11", b"[0, 1", "112.calls.v1 32.11"),
        (b"3|112.gone.v1|32.71", b"[0, 1, 5]", "112.gone.v1 32.71"),
        (b"\x003|112.calls.v1", b"?", "112.calls.v1 partition 3"),
        (b"\x013|112.calls.v1", b"?", "112.calls.v1 partition 3"),
    ],
)
def test_a_state_that_cannot_be_read_ends_the_worker_with_what_to_do(worker: Any, key: bytes, blob: bytes, named: str) -> None:
    worker._table.data[key] = blob
    worker._table.changelog_topic = SimpleNamespace(get_topic_name=lambda: "a-v1-state-changelog")
    recovering(worker)
    [bogor] = centres.load([]).values()
    worker.monitor = worker._recovery._monitor = Monitor({"32.11": bogor}, PARTITIONS)  # whose home is 3
    with pytest.raises(Ended) as ended:
        run(worker._on_recover())
    assert ended.value.args[0] == UNREADABLE
    assert named in ended.value.args[1]
    assert "delete a-v1-state-changelog" in ended.value.args[1]


def test_who_has_no_state_goes_on_from_its_snapshot_and_says_so_in_the_changelog(worker: Any) -> None:
    worker._table.data[b"3|112.calls.v1|32.73"] = b"[9, 9, 9]"  # flushed, but its marker never came
    recovering(worker, end=20, found=(SNAPSHOT, {"32.71": b"[6, 2, 11]"}))
    run(worker._on_recover())
    assert worker.marker(PLACE) == 6
    assert worker.monitor._states == {(CALLS, 3, b"32.71"): [6, 2, 11]}
    assert worker.published == [
        (3, b"3|112.calls.v1|32.73", None),
        (3, b"3|112.calls.v1|32.71", b"[6, 2, 11]"),
        (3, b"\x023|112.calls.v1", b'[2026, {"32.71": "rules"}]'),
        (3, b"\x003|112.calls.v1", b"6"),
    ]
    assert b"3|112.calls.v1|32.73" not in worker._table.data


def test_who_has_a_state_of_its_own_or_an_empty_log_asks_for_no_snapshot(worker: Any) -> None:
    recovering(worker, end=0, found=(SNAPSHOT, {"32.71": b"[6, 2, 11]"}))
    run(worker._on_recover())
    run(worker._take(PLACE, chunk(0, b"32.71 5")))
    recovering(worker, end=20, found=(SNAPSHOT, {"32.71": b"[6, 2, 11]"}))
    run(worker._on_recover())
    assert worker.marker(PLACE) == 0


def test_what_cannot_be_read_is_replaced_by_its_snapshot_and_the_marker_may_go_back(worker: Any) -> None:
    run(worker._take(PLACE, chunk(0, b"32.71 5", start=9)))
    worker.published.clear()
    worker._table.data[b"3|112.calls.v1|32.71"] = b"{"
    recovering(worker, end=20, found=(SNAPSHOT, {"32.71": b"[6, 2, 11]"}))
    run(worker._on_recover())
    assert worker.monitor._states == {(CALLS, 3, b"32.71"): [6, 2, 11]}
    for _, key, value in worker.published:
        run(worker._on_changelog_event(SimpleNamespace(key=key, value=value)))
    assert worker.pipeline.regressions == 0
    assert worker.marker(PLACE) == 6


def test_a_rebalance_while_a_snapshot_is_looked_for_leaves_the_changelog_to_the_new_owner(worker: Any) -> None:
    recovering(worker, end=20)

    async def newest(_: Any) -> Any:
        await worker._on_revoked(worker.app, [PLACE])
        return {(CALLS, 3): (SNAPSHOT, {"32.71": b"[6, 2, 11]"})}

    worker._ticking, worker._snapshots.newest = True, newest
    run(worker._on_recover())
    assert worker.published == []
    assert worker.marker(PLACE) is None


def test_where_partitions_were_added_a_worker_ends_instead_of_counting_anew(worker: Any) -> None:
    with pytest.raises(Ended, match="more partitions than the 8 it had"):
        worker.sought(TP(PLACE.topic, PARTITIONS), 0, 1, None)

    worker._table.data[b"3|112.calls.v1|32.71"] = b"{}"  # belongs into 4 of 8
    recovering(worker)
    worker.monitor = worker._recovery._monitor = Monitor(centres.load([]), PARTITIONS)
    with pytest.raises(Ended) as ended:
        run(worker._on_recover())
    assert ended.value.args[0] == UNREADABLE
    assert "another number of partitions" in ended.value.args[1]


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
    recovering(worker)
    worker.monitor = worker._recovery._monitor = Counting()
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
    app, _ = shell.create_app(Settings(bootstrap="127.0.0.1:1", app_id="a", topic_prefix="x."), Counting())  # type: ignore[arg-type]
    app._create_directories()
    assert list(tmp_path.iterdir()) == []

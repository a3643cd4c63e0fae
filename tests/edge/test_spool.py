"""What was put is there after any kill and on any disk, in its order; what found no room is said to have found none."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.edge.spool import ASIDE_MOST, LEAST_BYTES, Spool, SpoolError, SpoolFullError

ROOT = Path(__file__).parents[2]
EVENTS = 40
ANY = 10_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "spool.db"


OPEN: list[Spool] = []


def opened(path: Path, most_bytes: int = LEAST_BYTES) -> Spool:
    OPEN.append(Spool(path, most_bytes))
    return OPEN[-1]


@pytest.fixture(autouse=True)
def all_are_closed() -> Iterator[None]:
    yield
    while OPEN:
        OPEN.pop().close()


def drained(spool: Spool, most: int = 7) -> list[bytes]:
    found = []
    while batch := spool.next(most, 100 * ANY):
        found += [one.event for one in batch]
        spool.acknowledge(batch, {})
    return found


def filled(spool: Spool, *, rereads: bool = False) -> int:
    """Put until there is no room; how many were put."""
    count = 0
    while True:
        try:
            spool.put("log", [(0.0, b"x" * 300)] * 50, rereads=rereads)
        except SpoolFullError:
            return count
        count += 50


def work(path: Path, sink: Path) -> None:
    """Put what was not put yet, three at a time with the place, and send what waits, to the end."""
    spool = opened(path)
    place = int(spool.position("log") or 0)
    while place < EVENTS or spool.length:
        if place < EVENTS:
            end = min(place + 3, EVENTS)
            spool.put("log", [(n, b"%d" % n) for n in range(place, end)], str(end))
            place = end
        if place % 2 or place == EVENTS:
            batch = spool.next(5, ANY)
            with sink.open("ab") as file:
                file.writelines(one.event + b"\n" for one in batch)
            spool.acknowledge(batch, {})


def killed_at(statement: int, path: Path, sink: Path) -> bool:
    """Work in a process that is killed before it runs this statement; whether it came so far."""
    if (child := os.fork()) == 0:
        left = statement

        def count(_: str) -> None:
            nonlocal left
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)

        connect = sqlite3.connect

        def traced(*where: object, **how: object) -> sqlite3.Connection:
            connection: sqlite3.Connection = connect(*where, **how)  # type: ignore[call-overload]
            connection.set_trace_callback(count)
            return connection

        sqlite3.connect = traced  # type: ignore[assignment]
        try:
            work(path, sink)
        except BaseException:
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) in (0, -signal.SIGKILL)
    return os.WIFSIGNALED(status)


@pytest.mark.parametrize("step", [1, 5, 17])
def test_killed_with_9_at_any_statement_it_loses_nothing_keeps_the_order_and_is_never_far_behind(path: Path, step: int) -> None:
    kills, statement = 0, 1
    sink = path.with_name("sent")
    while killed_at(statement, path, sink):
        kills += 1
        statement += step
    sent = [int(line) for line in sink.read_bytes().splitlines()]

    assert list(dict.fromkeys(sent)) == list(range(EVENTS)), "each at first in its turn"
    # A kill between sending and acknowledging sends one batch again, under the same ids.
    assert len(sent) <= EVENTS + 5 * kills
    assert kills > 3


steps = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sampled_from("ab"), st.integers(0, 9)),
        st.tuples(st.just("send"), st.integers(1, 12), st.sets(st.integers(0, 11))),
        st.tuples(st.just("reopen")),
    ),
    max_size=30,
)


@given(steps=steps)
def test_it_is_a_queue_that_survives_being_closed(steps: list[tuple], tmp_path_factory: pytest.TempPathFactory) -> None:  # type: ignore[type-arg]
    path = tmp_path_factory.mktemp("queue") / "spool.db"
    spool, waiting, sent, aside, number = opened(path), [], 0, 0, 0
    for step in steps:
        match step:
            case ("put", collector, count):
                events = [(collector, b"%d" % n) for n in range(number, number + count)]
                number += count
                spool.put(collector, [(0.0, event) for _, event in events], str(number))
                waiting += events
                assert spool.position(collector) == str(number)
            case ("send", most, refused):
                batch = spool.next(most, ANY)
                assert [(one.collector, one.event) for one in batch] == waiting[:most]
                if batch:
                    kept_aside = {index: "no" for index in refused if index < len(batch)}
                    spool.acknowledge(batch, kept_aside)
                    sent, aside = sent + len(batch) - len(kept_aside), aside + len(kept_aside)
                    waiting = waiting[most:]
            case _:
                spool.close()
                spool = opened(path)
        assert (spool.length, spool.sent.total(), spool.set_aside.total()) == (len(waiting), sent, aside)
        assert (spool.oldest() is None) == (not waiting)
    spool.close()


def test_a_batch_has_one_event_at_least_and_no_more_bytes_than_asked_for(path: Path) -> None:
    spool = opened(path)
    spool.put("log", [(0.0, b"x" * 60), (0.0, b"y" * 30), (0.0, b"z" * 30)])

    assert [len(one.event) for one in spool.next(9, 10)] == [60]
    assert [len(one.event) for one in spool.next(9, 100)] == [60, 30]


def test_a_batch_spans_less_time_than_the_monitor_knows_events_of_each_collector_for(path: Path) -> None:
    spool = opened(path)
    hour = 3_600.0
    spool.put("log", [(0.0, b"1"), (hour / 2, b"2")])
    spool.put("ami", [(20 * hour, b"3")])
    spool.put("log", [(hour, b"4"), (hour / 2, b"5"), (0.0, b"6")])

    batches = []
    while batch := spool.next(9, ANY):
        batches.append([one.event for one in batch])
        spool.acknowledge(batch, {})
    assert batches == [[b"1", b"2", b"3"], [b"4", b"5"], [b"6"]]


def test_it_is_bounded_and_who_can_read_again_waits_before_others_are_refused(path: Path) -> None:
    spool = opened(path)
    patient = filled(spool, rereads=True)
    rest = filled(spool)

    assert patient > 2 * rest > 0
    assert path.stat().st_size <= LEAST_BYTES
    with pytest.raises(SpoolFullError):
        spool.put("log", [], "a place that was moved", rereads=True)
    assert spool.position("log") is None
    assert len(drained(spool)) == patient + rest
    assert filled(spool) == patient + rest


def test_what_the_destination_refused_is_kept_aside_up_to_a_bound(path: Path) -> None:
    spool = opened(path)
    for start in range(0, ASIDE_MOST + 100, 100):
        spool.put("log", [(0.0, b"%d" % (start + n)) for n in range(100)])
        batch = spool.next(100, ANY)
        spool.acknowledge(batch, dict.fromkeys(range(100), "field data.seat: missing"))
    spool.close()

    with closing(sqlite3.connect(path)) as file:
        assert file.execute("SELECT count(*), max(CAST(event AS INTEGER)) FROM aside").fetchone() == (ASIDE_MOST, 1_099)
    assert opened(path).set_aside["log"] == 1_100


def test_two_edges_never_have_one_spool(path: Path) -> None:
    spool = opened(path)
    with pytest.raises(SpoolError, match=r"spool\.db: another edge has it; stop that one"):
        opened(path)
    spool.close()
    opened(path).close()


@pytest.mark.parametrize("damage", ["nothing of SQLite", "a torn page", "another version"])
def test_what_cannot_be_used_is_said_with_what_to_do(path: Path, damage: str) -> None:
    said = r"spool\.db: is damaged, or no spool\. Move it away"
    if damage == "nothing of SQLite":
        path.write_bytes(b"hello" * 1000)
    else:
        spool = opened(path)
        filled(spool)
        spool.close()
    if damage == "a torn page":
        with path.open("r+b") as file:
            file.seek(40_000)
            file.write(b"\xff" * 9_000)
    elif damage == "another version":
        with closing(sqlite3.connect(path)) as other:
            other.execute("PRAGMA user_version = 99")
        said = r"spool\.db: is of another version of this program"

    with pytest.raises(SpoolError, match=said):
        opened(path)


def test_nobody_else_may_read_it(path: Path) -> None:
    spool = opened(path)
    spool.put("log", [(0.0, b"1")])

    assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}


FULL_DISK = """
import sys
from contextlib import closing
from pathlib import Path
from tests.edge.test_spool import drained, filled, opened

folder = Path(sys.argv[1])
spool = opened(folder / "spool.db", 10**9)
for turn in range(3):
    put = filled(spool)
    assert put > 100, put
    assert len(drained(spool, 500)) == put, "what fills the disk itself can always be sent and deleted"
put = filled(spool)
with (folder / "others").open("wb", 0) as others:
    try:
        while True:
            others.write(b"x" * 512)
    except OSError:
        pass
assert filled(spool) == 0
assert len(drained(spool, 500)) == put, "sending goes on while others have filled the disk"
spool.close()
spool = opened(folder / "spool.db", 10**9)
assert drained(spool) == [], "what was sent is deleted also while nothing is free"
(folder / "others").unlink()
assert filled(spool) > 100
"""


@pytest.mark.parametrize("size", ["2m", "16m"])
def test_on_a_full_disk_it_goes_on_by_itself_once_there_is_room(tmp_path: Path, size: str) -> None:
    mount = f'mount -t tmpfs -o size={size} none "$1" && exec "$2" -c "$3" "$1"'
    inside = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
    if subprocess.run([*inside, 'mount -t tmpfs none "$1"', "sh", str(tmp_path)], check=False, capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount a disk of their own")
    command = [*inside, mount, "sh", str(tmp_path), sys.executable, FULL_DISK]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr

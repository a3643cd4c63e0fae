import gzip
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from streams.edge.tail import Tail
from streams.sources.opened import BrokenFileError

Opener = Callable[..., Tail]


@pytest.fixture
def tail_of() -> Iterator[Opener]:
    """Opens tails and closes them when the test is over."""
    with ExitStack() as opened:
        yield lambda *where, **how: opened.enter_context(closing(Tail(*where, **how)))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "queue_log"


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    return tmp_path / "position.json"


def write(log: Path, *lines: str) -> None:
    with log.open("a") as file:
        file.writelines(lines)


def rest(tail: Tail) -> list[bytes]:
    found = []
    while lines := tail.read(2):
        found += lines
    return found


def test_a_whole_file_is_read_also_its_unended_last_line(log: Path, tail_of: Opener) -> None:
    write(log, "1\n", "2\n", "3")
    assert rest(tail_of(log)) == [b"1\n", b"2\n", b"3"]


def test_a_packed_file_is_read_whatever_it_is_called(log: Path, tail_of: Opener) -> None:
    log.write_bytes(gzip.compress(b"1\n2\n3\n"))
    assert rest(tail_of(log)) == [b"1\n", b"2\n", b"3\n"]


def test_a_missing_file_is_said_to_be_missing_but_waited_for_when_following(log: Path, tail_of: Opener) -> None:
    with pytest.raises(FileNotFoundError, match="no file queue_log"):
        tail_of(log).read()
    tail = tail_of(log, follow=True)
    assert tail.read() == []
    write(log, "1\n")
    assert tail.read() == [b"1\n"]


def test_a_growing_file_gives_each_line_once_it_is_complete(log: Path, tail_of: Opener) -> None:
    write(log, "1\n", "2")
    tail = tail_of(log, follow=True)
    assert rest(tail) == [b"1\n"]
    assert rest(tail) == []
    write(log, "2\n3\n")
    assert rest(tail) == [b"22\n", b"3\n"]
    assert tail.first_line == 2


def test_what_is_held_is_read_again_from_where_a_reading_ended(log: Path, memory: Path, tail_of: Opener) -> None:
    write(log, *(f"{n}\n" for n in range(1, 8)))
    tail = tail_of(log, memory)
    for most, held, begins in ((3, 3, b"1\n"), (3, 3, b"4\n"), (1, 2, b"4\n"), (1, 0, None)):
        tail.read(most)
        tail.delivered(held)
        again = tail_of(log, memory).read()
        assert again[:1] == ([begins] if begins else [])


def test_reading_goes_on_behind_what_was_delivered_and_repeats_what_was_not(log: Path, memory: Path, tail_of: Opener) -> None:
    write(log, "1\n", "2\n", "3\n", "4\n")
    tail = tail_of(log, memory)
    assert tail.read(2) == [b"1\n", b"2\n"]
    tail.delivered()
    assert tail.read(1) == [b"3\n"]
    again = tail_of(log, memory)
    assert rest(again) == [b"3\n", b"4\n"]
    again.delivered()
    assert rest(tail_of(log, memory)) == []


def test_a_broken_position_begins_at_the_start(log: Path, memory: Path, tail_of: Opener) -> None:
    write(log, "1\n")
    memory.write_text("{half")
    assert rest(tail_of(log, memory)) == [b"1\n"]


def test_a_renamed_log_is_read_to_its_end_before_the_new_one(log: Path, tail_of: Opener) -> None:
    write(log, "1\n")
    tail = tail_of(log, follow=True)
    assert rest(tail) == [b"1\n"]
    old = log.rename(log.with_name("queue_log.1"))
    log.touch()
    write(old, "2\n")
    assert rest(tail) == [b"2\n"], "the exchange writes to the old file until it opens the new one"
    write(old, "3\n")
    write(log, "4\n")
    assert rest(tail) == [b"3\n", b"4\n"]
    write(log, "5\n")
    assert rest(tail) == [b"5\n"]


def test_the_first_line_of_a_new_log_is_also_left_until_it_is_complete(log: Path, tail_of: Opener) -> None:
    write(log, "1\n")
    tail = tail_of(log, follow=True)
    assert rest(tail) == [b"1\n"]
    log.rename(log.with_name("queue_log.1"))
    write(log, "2")
    assert rest(tail) == rest(tail) == []
    write(log, "2\n3\n")
    assert rest(tail) == [b"22\n", b"3\n"]


def test_a_log_copied_and_truncated_loses_nothing(log: Path, tail_of: Opener) -> None:
    write(log, "1\n")
    tail = tail_of(log, follow=True)
    assert rest(tail) == [b"1\n"]
    write(log, "2\n")
    shutil.copy(log, log.with_name("queue_log.1"))
    with log.open("r+") as file:
        file.truncate()
    assert rest(tail) == [b"2\n"]
    write(log, "3\n")
    assert rest(tail) == [b"3\n"]


def test_a_log_truncated_and_grown_beyond_where_it_was_is_noticed(log: Path, tail_of: Opener) -> None:
    write(log, "1\n")
    tail = tail_of(log, follow=True)
    assert rest(tail) == [b"1\n"]
    log.write_text("2\n3\n4\n")
    assert rest(tail) == [b"2\n", b"3\n", b"4\n"]


@pytest.mark.parametrize("packed", [False, True])
def test_rotations_while_nobody_was_reading_are_caught_up_with(log: Path, memory: Path, packed: bool, tail_of: Opener) -> None:
    write(log, "1\n", "2\n")
    tail = tail_of(log, memory, follow=True)
    assert tail.read(1) == [b"1\n"]
    tail.delivered()
    tail.close()
    log.rename(log.with_name("queue_log.2"))
    if packed:
        older = log.with_name("queue_log.2")
        log.with_name("queue_log.2.gz").write_bytes(gzip.compress(older.read_bytes()))
        older.unlink()
    write(log, "3\n")
    log.rename(log.with_name("queue_log.1"))
    write(log, "4\n")
    log.with_name("queue_log.txt").write_text("another file\n")
    assert rest(tail_of(log, memory, follow=True)) == [b"2\n", b"3\n", b"4\n"]


def test_a_rotated_file_that_is_gone_does_not_stop_the_new_one(log: Path, memory: Path, tail_of: Opener) -> None:
    write(log, "1\n")
    tail = tail_of(log, memory, follow=True)
    rest(tail)
    tail.delivered()
    log.unlink()
    write(log, "2\n")
    assert rest(tail_of(log, memory, follow=True)) == [b"2\n"]


def test_a_packed_file_that_breaks_off_gives_what_it_has_and_says_so(log: Path, tail_of: Opener) -> None:
    packed = gzip.compress("".join(f"{n * 7919}\n" for n in range(50_000)).encode())
    log.write_bytes(packed[: len(packed) // 2])
    tail = tail_of(log)
    assert len(tail.read(10_000)) == 10_000
    with pytest.raises(BrokenFileError, match=r"queue_log, line \d+: the packed file breaks off"):
        rest(tail)


def test_a_line_without_end_does_not_fill_the_memory(log: Path, tail_of: Opener) -> None:
    log.write_bytes(b"x" * 1_000_000 + b"\n1\n")
    long, short = rest(tail_of(log))
    assert len(long) == 65_536
    assert short == b"1\n"

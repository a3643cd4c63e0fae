import gzip
from pathlib import Path

import pytest

from schemas.event import Event
from schemas.topics import Refusal, UnknownType, encode
from streams import sources
from streams.sources import simulate
from tests.sources.test_simulate import CENTRE, START

QUEUE_LOG = b"1|1.1|112|NONE|ENTERQUEUE|||1\n"


def written(folder: Path, content: bytes) -> Path:
    path = folder / "feed"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_of_events_is_known_by_its_first_line_and_read_back(tmp_path: Path, packed: bool) -> None:
    events = list(simulate.events(1, START, CENTRE, days=0.1))
    content = b"\n" + b"\n".join(encode(event) for event in events)
    path = written(tmp_path, gzip.compress(content) if packed else content)
    lines = list(sources.read(path, CENTRE))
    assert [line.item for line in lines] == events
    assert [line.number for line in lines] == list(range(2, len(events) + 2))


def test_good_events_are_read_around_broken_ones(tmp_path: Path) -> None:
    event = encode(next(simulate.events(1, START, CENTRE)))
    unknown = event.replace(b"operator.logged_in", b"operator.sang")
    path = written(tmp_path, b"\xff\n" + event + b"\nnull\n" + b"x" * 200_000 + b"\n" + unknown + b"\n" + event)
    items = [(line.number, line.item) for line in sources.read(path, CENTRE)]
    assert [number for number, _ in items] == [1, 2, 3, 4, 5, 6]
    assert isinstance(items[1][1], Event)
    assert items[1][1] == items[5][1]
    assert items[4][1] == UnknownType("operator.sang")
    assert [item.reason for _, item in items if isinstance(item, Refusal)] == ["not_json", "invalid_envelope", "too_large"]


def test_a_queue_log_is_known_and_its_malformed_lines_are_refused_by_number(tmp_path: Path) -> None:
    path = written(
        tmp_path, b"\n" + QUEUE_LOG + b"nonsense\n" + b"1|NONE|NONE|NONE|QUEUESTART|\n" + QUEUE_LOG.replace(b"1.1", b"1.2")
    )
    numbers = [(line.number, type(line.item).__name__) for line in sources.read(path, CENTRE)]
    assert numbers == [(2, "CallOffered"), (3, "Refusal"), (5, "CallOffered")]


def test_a_packed_file_that_breaks_off_ends_in_a_refusal(tmp_path: Path) -> None:
    content = b"".join(b"%d|%d.1|112|NONE|ENTERQUEUE|||1\n" % (n * 7919, n) for n in range(20_000))
    path = written(tmp_path, gzip.compress(content)[:-2000])
    *good, last = sources.read(path, CENTRE)
    assert len(good) > 1000
    assert isinstance(last.item, Refusal)
    assert last.number == good[-1].number + 1


def test_any_other_file_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(sources.UnknownFileError, match=r"feed: neither events .* ingest csv"):
        list(sources.read(written(tmp_path, b"id;time\n1;2\n"), CENTRE))
    assert list(sources.read(written(tmp_path, b""), CENTRE)) == []

import gzip
import json
from itertools import islice
from pathlib import Path

import pytest

from schemas.event import Event
from schemas.topics import Refusal, UnknownType, encode
from streams import sources
from streams.core.centre import parse
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
        tmp_path, b"\n" + QUEUE_LOG + b"nonsense\n" + b"1|NONE|NONE|NONE|CONFIGRELOAD|\n" + QUEUE_LOG.replace(b"1.1", b"1.2")
    )
    numbers = [(line.number, type(line.item).__name__) for line in sources.read(path, CENTRE)]
    assert numbers == [(2, "CallOffered"), (3, "Refusal"), (5, "CallOffered")]


def test_an_event_bears_the_number_of_its_own_line_however_long_it_was_held(tmp_path: Path) -> None:
    held = (
        b"1|1.1|112|NONE|ABANDON|1|1|2\nnonsense\n" + QUEUE_LOG + b"9|1.2|112|NONE|ENTERQUEUE|||1\n9|1.2|112|NONE|ABANDON|1|1|2\n"
    )
    numbers = [(line.number, type(line.item).__name__) for line in sources.read(written(tmp_path, held), CENTRE)]
    assert numbers == [(2, "Refusal"), (1, "CallAbandoned"), (3, "CallOffered"), (4, "CallOffered"), (5, "CallAbandoned")]


def test_a_packed_file_that_breaks_off_ends_in_a_refusal(tmp_path: Path) -> None:
    content = b"".join(b"%d|%d.1|112|NONE|ENTERQUEUE|||1\n" % (n * 7919, n) for n in range(20_000))
    path = written(tmp_path, gzip.compress(content)[:-2000])
    *good, last = sources.read(path, CENTRE)
    assert len(good) > 1000
    assert isinstance(last.item, Refusal)
    assert last.number == good[-1].number + 1


@pytest.mark.parametrize("form", ["array", "pretty array", "pretty", "one line", "objects of a page", "utf-16"])
@pytest.mark.parametrize("packed", [False, True])
def test_events_are_read_however_their_json_is_laid_out(tmp_path: Path, form: str, packed: bool) -> None:
    events = list(islice(simulate.events(1, START, CENTRE), 3_000))
    told = [json.loads(encode(event)) for event in events]
    text = {
        "array": "[" + ",\n".join(json.dumps(one) for one in told) + "]",
        "pretty array": json.dumps(told, indent=2),
        "pretty": "\n".join(json.dumps(one, indent=2) for one in told),
        "one line": json.dumps(told),
        "objects of a page": json.dumps({"page": 1}, indent=1) + json.dumps(told, indent="\t") + "\n\n",
        "utf-16": json.dumps(told, indent=2),
    }[form]
    content = text.encode("utf-16" if form == "utf-16" else "utf-8")
    path = written(tmp_path, gzip.compress(content) if packed else content)

    assert [line.item for line in sources.read(path, CENTRE) if not isinstance(line.item, Refusal)] == events


def test_what_is_broken_in_an_array_is_refused_with_its_line_and_the_rest_read(tmp_path: Path) -> None:
    good = encode(next(simulate.events(1, START, CENTRE))).decode()
    cut, quoted = good[:-9], good.replace('"id":"', '"note":"}{][,\\\\\\" {","id":"')
    path = written(tmp_path, f"[{good},\n{cut}\n,\n{quoted},\n{{}},\n7, {good}\n]".encode())

    items = list(sources.read(path, CENTRE))

    assert [(line.number, type(line.item).__name__) for line in items] == [
        (1, "OperatorLoggedIn"), (2, "Refusal"), (4, "OperatorLoggedIn"), (5, "Refusal"), (6, "OperatorLoggedIn"),
    ]  # fmt: skip


def test_an_object_that_never_ends_does_not_fill_the_memory(tmp_path: Path) -> None:
    good = encode(next(simulate.events(1, START, CENTRE)))
    path = written(tmp_path, b'[{"a":' + b"[7]," * 100_000 + b"," + good + b"," + good + b"]")

    first, *rest = list(sources.read(path, CENTRE))

    assert isinstance(first.item, Refusal)
    assert first.item.reason == "too_large"
    assert [type(line.item).__name__ for line in rest] == ["OperatorLoggedIn", "OperatorLoggedIn"]


def test_json_nested_deeply_is_refused_and_the_good_ones_behind_are_read(tmp_path: Path) -> None:
    event = encode(next(simulate.events(1, START, CENTRE)))
    path = written(tmp_path, b'{"a":' * 3_000 + b"}" * 3_000 + b"\n" + event)
    first, second = sources.read(path, CENTRE)
    assert isinstance(first.item, Refusal)
    assert isinstance(second.item, Event)


def test_json_lines_that_are_no_events_are_said_to_be_none(tmp_path: Path) -> None:
    vendor = b'{"id_panggilan": "P-1", "petugas": "Budi"}\n{"id_panggilan": "P-2", "petugas": null}\n'
    with pytest.raises(sources.UnknownFileError, match="feed: JSON lines, but no events") as refused:
        list(sources.read(written(tmp_path, vendor), CENTRE))
    assert "Budi" not in str(refused.value)
    with pytest.raises(sources.UnknownFileError, match="feed: no line of it is JSON"):
        list(sources.read(written(tmp_path, b"{broken\n"), CENTRE))


def test_events_of_a_file_come_through_the_door(tmp_path: Path) -> None:
    envelope = {"specversion": "1.0", "source": "/32.71/x", "subject": "32.71", "time": "2026-11-26T10:00:00Z"}
    told = [
        {
            **envelope,
            "id": "x",
            "type": "call.offered",
            "data": {"call": "c1", "queue": "112", "name": "Budi Contoh"},
            "alamat": "Jalan",
        },
        {**envelope, "id": "y", "type": "operator.paused", "data": {"seat": "seat-9", "reason": "SakitBudiContoh"}},
    ]
    path = written(tmp_path, "\n".join(map(json.dumps, told)).encode())

    items = [line.item for line in sources.read(path, CENTRE)]

    assert all(isinstance(item, Event) for item in items)
    assert not [word for word in ("Budi", "Jalan") if word in "".join(map(repr, items))]


LOCAL = """
2026-01-05 15:00:00.123456|c1.1|112|NONE|ENTERQUEUE||0800000001|1
2026-01-05 15:00:05|c1.1|112|PJSIP/11|CONNECT|5|c1.2|4
"""
NO_COLUMNS = """\
time;callid;queuename;agent;event;data
2026-01-05 15:00:00.123456;c1.1;112;NONE;ENTERQUEUE;|0800000001|1
2026-01-05 15:00:05;c1.1;112;PJSIP/11;CONNECT;5|c1.2|4
"""
QUEUEMETRICS = """\
partition,time_id,call_id,queue,agent,verb,data1,data2,data3,data4,data5,serverid
P01,1767592800.123456,c1.1,112,NONE,ENTERQUEUE,,0800000001,1,,,1
P01,1767592805,c1.1,112,PJSIP/11,CONNECT,5,c1.2,4,,,1
"""
PSQL = """\
            time            | callid | queuename |  agent   |   event    | data1 |   data2    | data3 | data4 | data5
 2026-01-05 15:00:00.123456 | c1.1   | 112       | NONE     | ENTERQUEUE |       | 0800000001 | 1     |       |
 2026-01-05 15:00:05        | c1.1   | 112       | PJSIP/11 | CONNECT    | 5     | c1.2       | 4     |       |
"""
TABLE = """\
id{0}time{0}callid{0}queuename{0}agent{0}event{0}data1{0}data2{0}data3{0}data4{0}data5
1{0}2026-01-05 15:00:00.123456{0}c1.1{0}112{0}NONE{0}ENTERQUEUE{0}{0}0800000001{0}1{0}{0}
2{0}2026-01-05 15:00:05{0}c1.1{0}112{0}"PJSIP/11"{0}CONNECT{0}5{0}c1.2{0}4{0}{0}
"""


@pytest.mark.parametrize(
    "text",
    [LOCAL, TABLE.format("\t"), TABLE.format(","), TABLE.format(";"), NO_COLUMNS, QUEUEMETRICS, PSQL],
    ids=["log", "tab", "comma", "semicolon", "data in one column", "queuemetrics", "psql"],
)
def test_a_queue_log_of_a_database_is_read_in_the_centre_s_zone(tmp_path: Path, text: str) -> None:
    jayapura = parse('code = "91.71"\nname = "Kota Jayapura"\ntimezone = "Asia/Jayapura"')
    found = [line.item for line in sources.read(written(tmp_path, text.encode()), jayapura)]

    assert [(item.type, item.time.isoformat()) for item in found if isinstance(item, Event)] == [
        ("call.offered", "2026-01-05T06:00:00.123456+00:00"),
        ("call.answered", "2026-01-05T06:00:05+00:00"),
    ]
    assert len(found) == 2


def test_any_other_file_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(sources.UnknownFileError, match=r"feed: neither events .* ingest table"):
        list(sources.read(written(tmp_path, b"id;time\n1;2\n"), CENTRE))
    assert list(sources.read(written(tmp_path, b""), CENTRE)) == []

"""Where an answer comes from, said so that another can get the same, and without a word about the machine."""

import json
from datetime import datetime
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import pytest

from streams import centres
from streams.analysis.provenance import Provenance
from streams.analysis.replay import open_source
from streams.core.nouns import STATE_VERSION
from streams.log.reader import Reading
from streams.settings import Settings
from streams.sources.opened import Opened
from tests.builders import BOGOR

MOMENT = datetime.fromisoformat("1999-01-04T16:15:00+02:00")
PROGRAM = f"pantau112 {version('pantau112')}, states of version {STATE_VERSION}"
RANGE = "topic:112.calls.v1,112.operators.v1@2026-10-01T00:00+07:00.."


def hash_of(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def bank(tmp_path: Path) -> Path:
    path = tmp_path / "bank of tests.toml"
    path.write_text('code = "32.71"\nname = "Kota Bogor"\ntimezone = "Asia/Jakarta"\n')
    return path


@pytest.fixture
def events(tmp_path: Path) -> Path:
    path = tmp_path / "january.jsonl"
    path.write_text('{"a": 1}\n{"b": 2}\n')
    return path


def test_of_a_file_the_name_and_the_hash_are_said_and_what_can_be_typed(events: Path, bank: Path) -> None:
    found = Provenance.of("measure", [str(events)], [bank], at=MOMENT, whole=True, step=None, quick=False)
    with Opened(events) as opened:
        found.watch(str(events))(opened)
        list(opened.lines())
    assert found.lines() == [
        "pantau112 measure january.jsonl --at 1999-01-04T16:15:00+02:00 --whole --centre 'bank of tests.toml'",
        f"january.jsonl: sha256 {hash_of(events)}",
        f"bank of tests.toml: sha256 {hash_of(bank)}",
        PROGRAM,
    ]
    assert json.loads(json.dumps(found.as_json())) == {
        "command": found.command,
        "sources": [{"name": "january.jsonl", "sha256": hash_of(events)}],
        "centres": [{"name": "bank of tests.toml", "sha256": hash_of(bank)}],
        "version": version("pantau112"),
        "state_version": STATE_VERSION,
    }


def test_of_topics_the_range_and_its_offsets_are_said() -> None:
    found = Provenance.of("replay diff", [RANGE, "-"], [centres.NATION])
    found.watch(RANGE)(Reading({("112.operators.v1", 0): (7, 8), ("112.calls.v1", 3): (0, 4_711)}, 4_712))
    assert found.lines() == [
        f"pantau112 replay diff {RANGE} - --centre indonesia",
        f"{RANGE}: 112.calls.v1/3/0-4710 112.operators.v1/0/7-7",
        "indonesia: no file of its own",
        PROGRAM,
    ]
    assert found.as_json()["sources"] == [
        {"name": RANGE, "offsets": {"112.calls.v1": {"3": [0, 4_710]}, "112.operators.v1": {"0": [7, 7]}}}
    ]


def test_without_a_centre_s_file_it_is_the_packaged_one_and_of_an_empty_range_there_are_no_records() -> None:
    found = Provenance.of("measure", ["topic:112.calls.v1"], [])
    found.watch("topic:112.calls.v1")(Reading({}, 0))
    assert found.lines()[:3] == [
        "pantau112 measure topic:112.calls.v1",
        "topic:112.calls.v1: no records",
        f"kota-bogor.toml: sha256 {hash_of(centres.PACKAGED)}",
    ]


def test_two_files_of_one_name_are_told_apart_by_their_hashes_and_one_that_was_not_read_has_none(tmp_path: Path) -> None:
    paths = [tmp_path / folder / "events.jsonl" for folder in "ab"]
    found = Provenance.of("replay diff", list(map(str, paths)), [])
    for path in paths:
        path.parent.mkdir()
        path.write_text(f"{path.parent.name}\n" * 500_000)
        with Opened(path) as opened:
            found.watch(str(path))(opened)
            if path is paths[0]:
                list(opened.lines())
    assert found.lines()[1:3] == [f"events.jsonl: sha256 {hash_of(paths[0])}", "events.jsonl: not read to its end"]
    assert str(tmp_path) not in "\n".join(found.lines())


def test_a_source_that_was_read_through_is_known_by_what_was_read(tmp_path: Path) -> None:
    log = tmp_path / "queue_log"
    log.write_text("1732496400|c1|112|NONE|ENTERQUEUE||0811|1\n1732496410|c1|112|NONE|ABANDON|1|1|10\n")
    found = Provenance.of("measure", [str(log)], [])
    assert list(open_source(str(log), BOGOR, Settings(), None, found.watch(str(log))))
    assert found.lines()[1] == f"queue_log: sha256 {hash_of(log)}"

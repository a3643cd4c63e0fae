"""The command line as a person meets it: help, data on stdout, messages on stderr, exit codes."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

from schemas.topics import encode
from tests.builders import abandoned, answered, ended, offered

VERBS = [
    ["measure"],
    ["worker"],
    ["up"],
    ["doctor"],
    ["callers", "list"],
    ["callers", "approve"],
    ["callers", "decline"],
    ["callers", "lift"],
    ["callers", "contacted"],
    ["ingest", "asterisk"],
    ["ingest", "csv"],
    ["ingest", "cap"],
    ["staffing"],
    ["ingest", "simulate"],
    ["replay", "play"],
    ["replay", "cat"],
    ["replay", "record"],
    ["replay", "stats"],
    ["topics", "create"],
    ["topics", "check"],
]


def pantau112(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run one verb in a process of its own, with nothing of the caller's PANTAU112_ settings."""
    return subprocess.run(
        [sys.executable, "-m", "streams.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "200", **environment},
        cwd=Path(__file__).parents[1],
        check=False,
    )


@pytest.fixture
def events(tmp_path: Path) -> Path:
    """Two calls: one answered and ended, one abandoned."""
    file = tmp_path / "events.jsonl"
    told = [offered("c1", 0), offered("c2", 1), answered("c1", 4), abandoned("c2", 30), ended("c1", 60)]
    file.write_bytes(b"".join(encode(event) + b"\n" for event in told))
    return file


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_every_verb_explains_itself_with_an_example(verb: list[str]) -> None:
    said = pantau112(*verb, "--help")

    assert said.returncode == 0
    assert f"Example: {'' if verb == ['worker'] else 'pantau112 ' + ' '.join(verb)}" in said.stdout


def test_measure_prints_numbers_on_stdout_and_what_it_did_on_stderr(events: Path) -> None:
    said = pantau112("measure", events)

    assert said.returncode == 0
    assert 'psap_calls_ended_total{city="32.71",queue="112",outcome="answered"} 1\n' in said.stdout
    assert "5 folded" in said.stderr


def test_measure_at_a_moment_folds_nothing_that_comes_after(events: Path) -> None:
    said = pantau112("measure", events, "--at", offered("c1", 10).time.isoformat())

    assert 'psap_calls_waiting{city="32.71",queue="112"} 1\n' in said.stdout
    assert "2 after, 3 folded" in said.stderr


def test_a_bad_line_is_named_with_its_number_and_field_and_the_good_ones_count(events: Path) -> None:
    lines = events.read_bytes().splitlines()
    lines[1:1] = [b"{", json.dumps(json.loads(lines[0]) | {"time": "081234567890"}).encode()]
    events.write_bytes(b"\n".join(lines))

    said = pantau112("measure", events)

    assert said.returncode == 0
    assert f"{events}:2: not JSON" in said.stderr
    assert f"{events}:3: field time" in said.stderr
    assert "0812" not in said.stderr
    assert "5 folded, 2 refused" in said.stderr


def test_a_queue_log_is_measured_as_it_is_plain_or_gzip(tmp_path: Path) -> None:
    log = "1732500000|u1|112|NONE|ENTERQUEUE||08123456789|1\n1732500007|u1|112|Agent/01|CONNECT|7|x|3\n"
    (tmp_path / "queue_log").write_text(log)
    (tmp_path / "queue_log.gz").write_bytes(gzip.compress(log.encode()))

    plain, packed = pantau112("measure", tmp_path / "queue_log"), pantau112("measure", tmp_path / "queue_log.gz")

    assert 'psap_calls_in_service{city="32.71",queue="112"} 1\n' in plain.stdout
    assert packed.stdout == plain.stdout
    assert "0812" not in plain.stdout + plain.stderr


def test_ingest_and_measure_agree_with_measuring_the_log_itself(tmp_path: Path) -> None:
    log = tmp_path / "queue_log"
    log.write_text("1732500000|u1|112|NONE|ENTERQUEUE|||1\nbroken\n1732500007|u1|112|NONE|ABANDON|1|1|7\n")

    ingested = pantau112("ingest", "asterisk", log, "--to", tmp_path / "events.jsonl")

    assert "2 events, 1 bad lines" in ingested.stderr
    assert f"{log}:2: 1 fields" in ingested.stderr
    assert pantau112("measure", tmp_path / "events.jsonl").stdout == pantau112("measure", log).stdout


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["measure"], 2, "EVENTS"),
        (["measure", "README.md", "--at", "noon"], 2, "ISO 8601"),
        (["measure", "README.md", "--at", "2026-01-01T00:00"], 2, "has no zone"),
        (["measure", "README.md"], 1, "neither events"),
        (["measure", "nowhere.jsonl"], 1, "nowhere.jsonl"),
        (["measure", "README.md", "--centre", "pyproject.toml"], 1, "pyproject.toml: line"),
        (["ingest", "simulate"], 2, "--start"),
        (["topics", "check"], 1, "no Kafka at 127.0.0.1:1"),
        (["replay", "cat", "topic:112.calls.v1"], 1, "no Kafka at 127.0.0.1:1"),
        (["worker"], 1, "no Kafka at 127.0.0.1:1"),
        (["up", "--speed", "60"], 2, "--feed"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_answered_with_what_to_do_and_no_traceback(arguments: list[str], code: int, said: str) -> None:
    answer = pantau112(*arguments, PANTAU112_BOOTSTRAP="127.0.0.1:1")

    assert answer.returncode == code
    assert said in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_misspelt_setting_is_refused_with_the_right_name() -> None:
    answer = pantau112("topics", "check", PANTAU112_BOOTSTAP="x:1")

    assert answer.returncode == 1
    assert "PANTAU112_BOOTSTRAP" in answer.stderr


def test_replay_shows_and_counts_events(events: Path) -> None:
    shown = pantau112("replay", "cat", events, "--type", "call.a*", "--json")
    counted = pantau112("replay", "stats", events)

    assert [json.loads(line)["type"] for line in shown.stdout.splitlines()] == ["call.answered", "call.abandoned"]
    assert counted.stdout.startswith("5 events from 2024-11-25 08:00:00+07:00 to 2024-11-25 08:01:00+07:00")


def test_a_simulated_day_is_the_same_again(tmp_path: Path) -> None:
    for name in ("one", "two"):
        pantau112("ingest", "simulate", "--start", "2026-01-05T00:00+07:00", "--to", tmp_path / name)

    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes() != b""

"""The command line as a person meets it: help, data on stdout, messages on stderr, exit codes."""

import gzip
import json
import os
import subprocess
import sys
import threading
from hashlib import sha256
from pathlib import Path

import pytest

from schemas.topics import encode
from streams import centres
from streams.cli import _recording
from tests.builders import abandoned, answered, ended, offered
from tests.conftest import DATA

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
    ["ingest", "ami"],
    ["ingest", "table"],
    ["ingest", "cap"],
    ["backfill"],
    ["staffing"],
    ["export"],
    ["whatif"],
    ["ingest", "simulate"],
    ["replay", "play"],
    ["replay", "cat"],
    ["replay", "record"],
    ["replay", "serve"],
    ["replay", "stats"],
    ["topics", "create"],
    ["topics", "check"],
]


def pantau112(*arguments: str | Path, given: str | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run one verb in a process of its own, with nothing of the caller's PANTAU112_ settings."""
    return subprocess.run(
        [sys.executable, "-m", "streams.cli", *map(str, arguments)],
        input=given,
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "200", **environment},
        cwd=Path(__file__).parents[2],
        check=False,
    )


def shell(line: str) -> subprocess.CompletedProcess[str]:
    """Run a line of bash in which `pantau112` is the command."""
    ours = line.replace("pantau112", f"{sys.executable} -m streams.cli")
    env = {"PATH": "/usr/bin:/bin"}
    root = Path(__file__).parents[2]
    return subprocess.run(["/bin/bash", "-c", ours], capture_output=True, text=True, env=env, cwd=root, check=False)


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


def test_an_answer_says_what_it_rests_on_so_that_another_can_ask_the_same(events: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere" / events.name
    elsewhere.parent.mkdir()
    elsewhere.write_bytes(events.read_bytes())
    moment = offered("c1", 10).time.isoformat()

    told = [pantau112("measure", path, "--at", moment).stderr.splitlines()[1:] for path in (events, elsewhere)]
    compared = pantau112("replay", "diff", events, elsewhere).stderr

    assert told[0] == told[1]
    assert told[0][:2] == [
        f"pantau112 measure events.jsonl --at {moment}",
        f"events.jsonl: sha256 {sha256(events.read_bytes()).hexdigest()}",
    ]
    assert compared.count(f"{told[0][1]}\n") == 2


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


def test_a_recorded_manager_interface_becomes_events_and_no_number_leaves(tmp_path: Path) -> None:
    recording, out = DATA / "asterisk" / "ami.txt.gz", tmp_path / "events.jsonl"

    ingested = pantau112("ingest", "ami", recording, "--to", out)

    assert "events, 0 bad lines" in ingested.stderr
    assert 'psap_journeys_offered_total{city="32.71"} 40\n' in pantau112("measure", out).stdout
    assert "08000000" not in out.read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["measure"], 2, "EVENTS"),
        (["measure", "README.md", "--at", "noon"], 2, "ISO 8601"),
        (["measure", "README.md", "--at", "2026-01-01T00:00"], 2, "has no zone"),
        (["measure", "README.md"], 1, "neither events"),
        (["measure", "nowhere.jsonl"], 1, "nowhere.jsonl: no such file"),
        (["measure", "schemas"], 1, "schemas: is a folder, no file"),
        (["measure", "/dev/zero"], 1, "/dev/zero: is a device, no file"),
        (["measure", "nowhere/nothing.jsonl"], 1, "nowhere/nothing.jsonl: there is no folder nowhere"),
        (["replay", "stats", "nowhere.jsonl"], 1, "nowhere.jsonl: no such file"),
        (["replay", "diff", "nowhere.jsonl", "README.md"], 1, "nowhere.jsonl: no such file"),
        (["replay", "play", "nowhere.jsonl"], 1, "nowhere.jsonl: no such file"),
        (["callers", "list", "nowhere.jsonl"], 1, "nowhere.jsonl: no such file"),
        (["staffing", "nowhere.jsonl"], 1, "nowhere.jsonl: no such file"),
        (["up", "--feed", "nowhere.jsonl"], 1, "nowhere.jsonl: no such file"),
        (["ingest", "asterisk", "nowhere"], 1, "nowhere: no such file"),
        (["ingest", "ami", "nowhere"], 1, "nowhere: no such file"),
        (["ingest", "cap", "nowhere"], 1, "nowhere: no such file"),
        (["ingest", "table", "README.md", "--sql", "nowhere"], 1, "nowhere: no such file"),
        (["ingest", "table", "nowhere", "--sql", "sf_fire"], 1, "nowhere: no such file"),
        (["ingest", "table", "README.md", "--sql", "schemas"], 1, "schemas: is a folder, no file"),
        (["ingest", "table", "README.md", "--sql", "sf_fire"], 1, "no column Call Number"),
        (
            ["ingest", "table", "mysql://asterisk:rahasia7@127.0.0.1:1/asterisk?table=queue_log", "--sql", "queue_log"],
            1,
            "pantau112: mysql://127.0.0.1:1/asterisk queue_log: nobody answers there",
        ),
        (["ingest", "simulate", "--start", "2026-01-05T00:00+07:00", "--to", "nowhere/x"], 1, "there is no folder nowhere"),
        (["ingest", "simulate", "--start", "2026-01-05T00:00+07:00", "--to", "/dev/full"], 1, "/dev/full: the disk is full"),
        (["measure", "README.md", "--centre", "nowhere.toml"], 1, "nowhere.toml: no such file"),
        (["measure", "README.md", "--centre", "/dev/zero"], 1, "/dev/zero: is a device, no file"),
        (["measure", "README.md", "--centre", "pyproject.toml"], 1, "pyproject.toml: line"),
        (["ingest", "simulate"], 2, "--start"),
        (["ingest", "simulate", "--start", "2026-01-05T00:00+07:00", "--remember", "place"], 2, "--live"),
        (["ingest", "simulate", "--start", "2026-01-05T00:00+07:00", "--days", "0"], 2, "--live"),
        (["ingest", "simulate", "--live", "--to", "nowhere/x"], 1, "there is no folder nowhere"),
        (["topics", "create", "--partitions", "257"], 2, "less than or equal to 256"),
        (["topics", "check"], 1, "no Kafka at 127.0.0.1:1"),
        (["replay", "cat", "topic:112.calls.v1"], 1, "no Kafka at 127.0.0.1:1"),
        (["worker"], 1, "no Kafka at 127.0.0.1:1"),
        (["up", "--speed", "60"], 2, "--feed"),
        (["measure", "topic:all@last moon"], 2, "last day, last week, last month, last year, last shift"),
        (["replay", "record", "topic:all@yesterday", "--to", "x"], 2, "write a day as 2026-10-03"),
        (["replay", "record", "topic:all@2026-10", "--in", "2026-09", "--to", "x"], 1, "nothing of it lies from"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_answered_with_what_to_do_and_no_traceback(arguments: list[str], code: int, said: str) -> None:
    answer = pantau112(*arguments, PANTAU112_BOOTSTRAP="127.0.0.1:1")

    assert answer.returncode == code
    assert said in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A folder whose name has a quotation mark, a line break and a space."""
    folder = tmp_path / 'it\'s "a"\n folder'
    folder.mkdir()
    return folder


def test_a_name_with_a_quotation_mark_and_a_line_break_does_no_harm(hostile: Path, events: Path) -> None:
    file, to = hostile / "the events.jsonl", hostile / "their copy"
    file.write_bytes(events.read_bytes() + b"{\n")

    measured = pantau112("measure", file)
    played = pantau112("replay", "play", file, "--full", "--to", to)

    assert (measured.returncode, measured.stdout) == (0, pantau112("measure", events).stdout)
    assert len(measured.stderr.splitlines()) == 6, "one line for the bad line, one for all, four for what it rests on"
    assert played.returncode == 0
    assert len(to.read_bytes().splitlines()) == 5


@pytest.mark.parametrize(
    "verb", [["measure"], ["replay", "stats"], ["replay", "cat"], ["callers", "list"], ["staffing"]], ids=" ".join
)
def test_what_comes_through_a_pipe_is_what_is_in_the_file(verb: list[str], events: Path) -> None:
    in_file = pantau112(*verb, events)
    pipes = [shell(f"cat {events} | pantau112 {' '.join(verb)} {name}") for name in ("-", "/dev/stdin")]

    assert [(pipe.returncode, pipe.stdout) for pipe in pipes] == [(0, in_file.stdout)] * 2


def test_a_recording_that_comes_through_a_pipe_is_kept_behind_the_door_to_be_played(tmp_path: Path) -> None:
    pipe, home = tmp_path / "pipe", tmp_path / "home"
    os.mkfifo(pipe)
    log = "1732500000|u1|112|NONE|ENTERQUEUE||08123456789|1\n1732500007|u1|112|SIP/budi|CONNECT|7|x|3\n"
    writer = threading.Thread(target=pipe.write_text, args=(log,), daemon=True)
    writer.start()
    source, first = _recording(str(pipe), home, centres.load([]))
    writer.join()

    assert first.timestamp() == 1732500000
    kept = Path(source)
    assert kept.parent == home
    assert len(kept.read_bytes().splitlines()) == 2
    assert not [word for word in (b"0812", b"budi") if word in kept.read_bytes()]


@pytest.mark.parametrize(
    "verb", [["measure"], ["replay", "stats"], ["replay", "cat"], ["callers", "list"], ["staffing"]], ids=" ".join
)
def test_a_verb_fails_when_nothing_could_be_read_and_not_when_there_was_nothing(verb: list[str], tmp_path: Path) -> None:
    for name, content, code in (("bad", b"{\nx\n", 1), ("vendor", b'{"id": 1}\n', 1), ("bytes", b"\0" * 9, 1), ("empty", b"", 0)):
        (tmp_path / name).write_bytes(content)
        said = pantau112(*verb, tmp_path / name)
        assert (name, said.returncode) == (name, code), said.stderr
        assert "Traceback" not in said.stderr
        assert str(tmp_path / name) in said.stderr


def test_ingesting_fails_when_nothing_could_be_read_and_not_when_there_was_nothing(tmp_path: Path) -> None:
    for name, content, code in (
        ("bad", b"x\nx\n", 1),
        ("bytes", b"\0\1\n", 1),
        ("empty", b"", 0),
        ("quiet", b"1|NONE|NONE|NONE|QUEUESTART|\n", 0),
    ):
        (tmp_path / name).write_bytes(content)
        said = pantau112("ingest", "asterisk", tmp_path / name, "--to", tmp_path / "events.jsonl")
        assert (name, said.returncode) == (name, code), said.stderr


def test_whoever_reads_no_further_is_no_fault_and_a_full_disk_is(events: Path) -> None:
    events.write_bytes(events.read_bytes() * 2_000)
    for command, code, sentence in (
        ("replay cat {} | head -1 >/dev/null", 0, ""),
        ("measure {} >/dev/full", 1, "standard output: the disk is full"),
        ("replay cat {} >/dev/full", 1, "standard output: the disk is full"),
    ):
        said = shell(f"set -o pipefail; pantau112 {command.format(events)}")
        assert said.returncode == code, said.stderr
        assert [line for line in said.stderr.splitlines() if "folded" not in line] == (
            [f"pantau112: {sentence}"] if sentence else []
        )


def test_every_verb_reads_callers_under_the_same_key(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("a8c1f03e5b7d29460f6b3a9ce1d27485")
    log = tmp_path / "queue_log"
    log.write_text("1732500000|u1|112|NONE|ENTERQUEUE||08123456789|1\n1732500030|u1|112|NONE|ABANDON|1|1|30\n")
    key = {"PANTAU112_CALLER_KEY_FILE": str(tmp_path / "key")}
    pantau112("ingest", "asterisk", log, "--to", tmp_path / "events.jsonl", **key)

    for verb in (["measure"], ["replay", "cat", "--json"], ["replay", "stats"]):
        of_log, of_events = pantau112(*verb, log, **key), pantau112(*verb, tmp_path / "events.jsonl", **key)
        assert of_log.stdout == of_events.stdout != ""
    assert pantau112("measure", log).stdout != pantau112("measure", log, **key).stdout, "whom to call back is known by the key"


def test_a_seat_that_is_written_by_name_is_not_told_and_what_would_mend_it_is(tmp_path: Path) -> None:
    case = DATA / "telephony" / "09-membername-differs.queue_log"
    named = tmp_path / "centre.toml"
    named.write_text(
        'code = "32.71"\nname = "Kota Uji"\ntimezone = "Asia/Jakarta"\n'
        'seats = [{code = "seat-1", also = ["PJSIP/11", "Petugas Satu"]}, '
        '{code = "seat-2", also = ["PJSIP/12", "Petugas Dua"]}]\n'
    )
    untold = pantau112("ingest", "asterisk", case, "--to", tmp_path / "untold.jsonl")
    told = pantau112("ingest", "asterisk", case, "--to", tmp_path / "told.jsonl", "--centre", named)

    assert "log_membername_as_agent" in untold.stderr
    assert "log_membername_as_agent" not in told.stderr
    assert "Petugas" not in untold.stderr + (tmp_path / "untold.jsonl").read_text() + (tmp_path / "told.jsonl").read_text()
    seats = [json.loads(line)["data"].get("seat") for line in (tmp_path / "told.jsonl").read_text().splitlines()]
    assert seats == ["seat-1", "seat-2", None, "seat-1", "seat-2"]


def test_a_misspelt_setting_is_refused_with_the_right_name() -> None:
    answer = pantau112("topics", "check", PANTAU112_BOOTSTAP="x:1")

    assert answer.returncode == 1
    assert "PANTAU112_BOOTSTRAP" in answer.stderr


def test_replay_shows_and_counts_events(events: Path) -> None:
    shown = pantau112("replay", "cat", events, "--type", "call.a*", "--json")
    that_day = pantau112("replay", "cat", events, "--in", "2024-11-25", "--type", "call.a*", "--json")
    the_next = pantau112("replay", "cat", events, "--in", "2024-11-26")
    counted = pantau112("replay", "stats", events)

    assert that_day.stdout == shown.stdout
    assert the_next.stdout == ""
    assert [json.loads(line)["type"] for line in shown.stdout.splitlines()] == ["call.answered", "call.abandoned"]
    assert counted.stdout.startswith("5 events from 2024-11-25 08:00:00+07:00 to 2024-11-25 08:01:00+07:00")


def test_two_sources_are_compared_by_what_they_say_and_the_exit_code_tells(events: Path, tmp_path: Path) -> None:
    fewer, saved = tmp_path / "fewer.jsonl", tmp_path / "metrics.txt"
    fewer.write_text("".join(events.read_text().splitlines(keepends=True)[:-1]))
    saved.write_text(pantau112("measure", events).stdout)

    same, differs = pantau112("replay", "diff", events, events), pantau112("replay", "diff", events, fewer, "--step", "10")
    page = pantau112("replay", "diff", saved, fewer)

    assert (same.returncode, same.stdout) == (0, "city\tname\tlabels\tsince\tat\ta\tb\n")
    assert (differs.returncode, page.returncode) == (1, 1)
    ended = 'psap_calls_in_service\tqueue="112"\t{}\t2024-11-25T08:01:00+07:00\t0\t1\n'
    assert "32.71\t" + ended.format("2024-11-25T08:01:00+07:00") in differs.stdout
    assert "nothing differs" in same.stderr
    assert "series differ" in differs.stderr
    assert pantau112("replay", "diff", saved, saved).returncode == 0
    assert "--step must be more than nothing" in pantau112("replay", "diff", events, fewer, "--step", "-1h").stderr


def test_a_simulated_day_is_the_same_again(tmp_path: Path) -> None:
    for name in ("one", "two"):
        pantau112("ingest", "simulate", "--start", "2026-01-05T00:00+07:00", "--to", tmp_path / name)

    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes() != b""

"""`pantau112 callers` as a supervisor meets it: a list of pseudonyms, and decisions that become events."""

import json
import os
import pty
import select
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from schemas.callers import CallerEvent
from schemas.calls import CallEvent
from schemas.topics import Refusal, UnknownType, decode, encode
from tests.builders import BOGOR, START, abandoned, came, contacted, offered, pseudonym_of
from tests.cli.test_cli import pantau112

ANI, BUDI = pseudonym_of("ani"), pseudonym_of("budi")


def write(file: Path, events: list[CallEvent | CallerEvent]) -> Path:
    file.write_bytes(b"".join(encode(event) + b"\n" for event in events))
    return file


def rows(said: subprocess.CompletedProcess[str]) -> list[dict[str, str]]:
    assert said.returncode == 0, said.stderr
    head, *lines = [line.split("\t") for line in said.stdout.splitlines()]
    return [dict(zip(head, line, strict=True)) for line in lines]


def decided(file: Path) -> dict[str, Any]:
    [line] = file.read_bytes().splitlines()
    assert not isinstance(decode(line), Refusal | UnknownType)
    said: dict[str, Any] = json.loads(line)
    return said


@pytest.fixture
def story(tmp_path: Path) -> Path:
    """ani plays three pranks; budi hangs up unanswered, twice, and is never heard again."""
    events = [*came("ani", "prank", 1, 2, 3), offered("b1", 11_000, caller="budi"), abandoned("b1", 11_030)]
    events += [offered("b2", 11_400, caller="budi"), abandoned("b2", 11_430)]
    return write(tmp_path / "events.jsonl", sorted(events, key=lambda event: event.time))


def test_the_list_says_whom_to_call_back_and_about_whom_to_decide_and_why(story: Path) -> None:
    callback, block = rows(pantau112("callers", "list", story))

    assert (callback["what"], callback["caller"], callback["calls"]) == ("callback", BUDI, "2")
    assert callback["since"] == (START + timedelta(seconds=11_000)).isoformat()
    assert (block["what"], block["caller"], block["stage"], block["calls"], block["told"]) == ("block", ANI, "24h", "3", "no")
    assert block["until"] == (START + timedelta(hours=27)).isoformat()
    assert "3 calls within 24 h said to be pranks" in block["why"]


def test_the_list_of_a_moment_knows_nothing_of_what_came_after(story: Path) -> None:
    assert rows(pantau112("callers", "list", story, "--at", (START + timedelta(hours=3)).isoformat())) == []


def test_the_list_of_no_events_is_a_heading(tmp_path: Path) -> None:
    said = pantau112("callers", "list", write(tmp_path / "none.jsonl", []))

    assert rows(said) == []
    assert said.stdout.startswith("city\twhat\tcaller\t")


@pytest.mark.parametrize(("stage", "more", "hours"), [("24h", [], 24), ("3d", [], 72), ("review", ["--hours", "96"], 96)])
def test_an_approval_is_an_event_that_says_who_and_until_when(tmp_path: Path, stage: str, more: list[str], hours: int) -> None:
    file = tmp_path / "decided.jsonl"
    said = pantau112("callers", "approve", ANI, "--stage", stage, "--by", "supervisor-1", "--to", file, *more)
    assert said.returncode == 0, said.stderr

    event = decided(file)
    expires = datetime.fromisoformat(event["data"].pop("expires"))

    assert (event["type"], event["subject"], event["source"]) == ("caller.block_approved", BOGOR.code, "/32.71/supervision")
    assert event["data"] == {"caller": ANI, "stage": stage, "by": "supervisor-1"}
    assert expires - datetime.fromisoformat(event["time"]) == timedelta(hours=hours)
    assert ANI in event["id"]
    assert said.stdout == ""
    assert ANI in said.stderr


@pytest.mark.parametrize(
    ("verb", "kind"),
    [
        (["decline", ANI, "--stage", "24h"], "caller.block_declined"),
        (["lift", ANI], "caller.block_lifted"),
        (["contacted", ANI], "caller.contacted"),
    ],
)
def test_what_else_a_person_does_is_an_event_too(tmp_path: Path, verb: list[str], kind: str) -> None:
    file = tmp_path / "decided.jsonl"
    assert pantau112("callers", *verb, "--by", "supervisor-1", "--to", file).returncode == 0

    event = decided(file)
    assert event["type"] == kind
    assert event["data"]["caller"] == ANI
    assert event["data"]["by"] == "supervisor-1"


def test_who_was_called_back_is_off_the_list(story: Path) -> None:
    with story.open("ab") as file:
        file.write(encode(contacted("budi", 11_500)) + b"\n")

    assert [row["what"] for row in rows(pantau112("callers", "list", story))] == ["block"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["approve", "081234567890", "--stage", "24h", "--by", "supervisor-1"], "32 hexadecimal digits"),
        (["approve", ANI, "--stage", "24h", "--by", "Ibu Ani"], "never a person's name"),
        (["approve", ANI, "--stage", "review", "--by", "supervisor-1"], "--hours goes with --stage review"),
        (["approve", ANI, "--stage", "24h", "--by", "supervisor-1", "--hours", "9000"], "--hours"),
        (["approve", ANI, "--stage", "for ever", "--by", "supervisor-1"], "--stage"),
        (["approve", ANI, "--stage", "24h"], "--by"),
    ],
)
def test_a_wrong_decision_is_refused_and_repeats_nothing_personal(tmp_path: Path, arguments: list[str], complaint: str) -> None:
    said = pantau112("callers", *arguments, "--to", tmp_path / "decided.jsonl")

    assert said.returncode == 2
    assert complaint in said.stderr
    assert "081234567890" not in said.stderr
    assert "Ibu Ani" not in said.stderr
    assert not (tmp_path / "decided.jsonl").exists()


# --- the key, and being forgotten

KEYS = ("0f6b3a9ce1d27485a8c1f03e5b7d2946", "a8c1f03e5b7d29460f6b3a9ce1d27485")
NUMBER = "081234567890"


@pytest.fixture
def keys(tmp_path: Path) -> list[dict[str, str]]:
    """The settings of a key, and of the one that follows it while both are in use."""
    files = [tmp_path / name for name in ("former.key", "caller.key")]
    for file, text in zip(files, KEYS, strict=True):
        file.write_text(text)
    former, current = map(str, files)
    return [
        {"PANTAU112_CALLER_KEY_FILE": former},
        {"PANTAU112_CALLER_KEY_FILE": current, "PANTAU112_CALLER_KEY_BEFORE_FILE": former},
    ]


def queue_log(file: Path, moment: int, count: int) -> Path:
    """A caller hangs up unanswered, so many times."""
    lines = []
    for at in range(moment, moment + 60 * count, 60):
        lines += [f"{at}|{at}.1|112|NONE|ENTERQUEUE||{NUMBER}|1\n", f"{at + 30}|{at}.1|112|NONE|ABANDON|1|1|30\n"]
    file.write_text("".join(lines))
    return file


@pytest.fixture
def changed(tmp_path: Path, keys: list[dict[str, str]]) -> Path:
    """Events of one caller before and after the key was changed."""
    events = b""
    for name, moment, said in (("before", 1_732_500_000, keys[0]), ("after", 1_732_503_600, keys[1])):
        to = tmp_path / f"{name}.jsonl"
        assert pantau112("ingest", "asterisk", queue_log(tmp_path / name, moment, 2), "--to", to, **said).returncode == 0
        events += to.read_bytes()
    (tmp_path / "changed.jsonl").write_bytes(events)
    return tmp_path / "changed.jsonl"


def test_a_caller_of_before_and_after_the_change_of_the_key_is_called_back_once(changed: Path) -> None:
    [row] = rows(pantau112("callers", "list", changed))

    assert row["calls"] == "4"


def test_the_keys_are_said_by_their_names_and_when_the_former_may_go(changed: Path, keys: list[dict[str, str]]) -> None:
    said = pantau112("callers", "key", changed, **keys[1])

    assert [row["use"] for row in rows(said)] == ["in use", "before"]
    assert {row["key"] for row in rows(said)} == {
        json.loads(line)["data"].get("caller_key") for line in changed.read_text().splitlines()
    } - {None}
    assert "may be deleted on 2026-01-06" in said.stderr  # 400 days and a segment after 25 November 2024
    assert not any(key in said.stdout + said.stderr for key in KEYS)


def test_an_erased_caller_is_forgotten_under_both_keys_and_its_number_goes_nowhere(
    changed: Path, tmp_path: Path, keys: list[dict[str, str]]
) -> None:
    file = tmp_path / "erased.jsonl"
    said = pantau112("callers", "erase", "--by", "dpo-1", "--to", file, given="+62 812-3456-7890\n", **keys[1])
    assert said.returncode == 0, said.stderr

    event = decided(file)
    told = [json.loads(line)["data"] for line in changed.read_text().splitlines()]
    assert (event["type"], event["data"]["by"]) == ("caller.erased", "dpo-1")
    assert {event["data"]["caller"], event["data"]["caller_before"]} == {data["caller"] for data in told if "caller" in data}
    assert "1234567" not in said.stdout + said.stderr + file.read_text()
    assert "112.calls.v1" in said.stdout
    # What is asked of the log as it was then is the log with the event in it.
    event["time"] = "2024-11-25T10:10:00+07:00"
    changed.write_text(changed.read_text() + json.dumps(event) + "\n")
    assert rows(pantau112("callers", "list", changed)) == []


def test_who_asks_what_is_kept_of_him_is_found_under_both_keys(changed: Path, keys: list[dict[str, str]]) -> None:
    said = pantau112("callers", "pseudonym", given=f"{NUMBER}\n", **keys[1])

    told = [json.loads(line)["data"] for line in changed.read_text().splitlines()]
    assert set(said.stdout.split()) == {data["caller"] for data in told if "caller" in data}
    assert (said.stderr, NUMBER in said.stdout) == ("", False)


@pytest.mark.parametrize("given", ["", "Ibu Ani\n", "112\n", "00000000\n"])
def test_what_is_no_number_erases_nobody(tmp_path: Path, keys: list[dict[str, str]], given: str) -> None:
    said = pantau112("callers", "erase", "--by", "dpo-1", "--to", tmp_path / "erased.jsonl", given=given, **keys[0])

    assert (said.returncode, "no telephone number" in said.stderr, "Ani" in said.stderr) == (1, True, False)
    assert not (tmp_path / "erased.jsonl").exists()


def test_a_number_as_an_argument_or_without_a_key_erases_nobody(tmp_path: Path, keys: list[dict[str, str]]) -> None:
    said = pantau112("callers", "erase", NUMBER, "--by", "dpo-1", "--to", tmp_path / "erased.jsonl", given="", **keys[0])
    assert said.returncode == 2
    said = pantau112("callers", "erase", "--by", "dpo-1", "--to", tmp_path / "erased.jsonl", given=f"{NUMBER}\n")
    assert (said.returncode, "PANTAU112_CALLER_KEY_FILE" in said.stderr) == (1, True)
    assert not (tmp_path / "erased.jsonl").exists()


def test_a_number_that_is_typed_is_not_shown(tmp_path: Path, keys: list[dict[str, str]]) -> None:
    command = [sys.executable, "-m", "streams.cli", "callers", "erase", "--by", "dpo-1", "--to", str(tmp_path / "erased.jsonl")]
    child, terminal = pty.fork()
    if child == 0:
        os.execve(command[0], command, os.environ | keys[0])
    shown, typed = b"", False
    while chunk := _rest(terminal):
        shown += chunk
        if b"not shown" in shown and not typed:
            typed = True
            os.write(terminal, f"{NUMBER}\n".encode())
    os.close(terminal)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, shown
    assert NUMBER.encode() not in shown
    assert decided(tmp_path / "erased.jsonl")["type"] == "caller.erased"


def _rest(terminal: int) -> bytes:
    ready, _, _ = select.select([terminal], [], [], 60)  # only catches hanging
    try:
        return os.read(terminal, 1_000) if ready else b""
    except OSError:  # its other end is closed
        return b""

"""`pantau112 callers` as a supervisor meets it: a list of pseudonyms, and decisions that become events."""

import json
import subprocess
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

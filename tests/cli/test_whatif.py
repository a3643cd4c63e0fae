"""The verb as a person meets it."""

from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from schemas.event import Event
from schemas.topics import encode
from streams.cli import app
from tests.builders import START, abandoned, answered, ended, logged_in, logged_out, offered
from tests.cli.test_cli import events, pantau112

__all__ = ["events"]


@pytest.fixture
def hours(tmp_path: Path) -> Path:
    """Calls every two minutes and two seats, of which one answers at once; now and then somebody hangs up at once."""
    told: list[Event] = [logged_in("s1", 0), logged_in("s2", 0), logged_out("s1", 20_000), logged_out("s2", 20_000)]
    for n in range(150):
        at = 10 + 120 * n
        told.append(offered(f"c{n}", at))
        told += [answered(f"c{n}", at, "s1"), ended(f"c{n}", at + 60)] if n % 10 else [abandoned(f"c{n}", at)]
    file = tmp_path / "hours.jsonl"
    file.write_bytes(b"".join(encode(event) + b"\n" for event in sorted(told, key=lambda event: event.time)))
    return file


def test_it_shows_that_the_model_reproduces_what_was_and_then_what_the_change_makes(hours: Path) -> None:
    said = pantau112("whatif", hours, "--runs", "10", "--seats", "+1@8-12", "--handle", "0.9")

    assert said.returncode == 0
    assert "The model reproduces what was" in said.stdout
    assert "Seats: those that were logged in" in said.stdout
    assert "90.0 % (90.0 to 90.0)" in said.stdout
    assert "08:00" in said.stdout
    assert "whatif hours.jsonl --seats +1@8-12 --handle 0.9 --runs 10 --seed 1" in said.stderr
    assert "hours.jsonl: sha256 " in said.stderr


def test_where_the_model_does_not_reproduce_what_was_it_says_so_and_ends_with_3(hours: Path) -> None:
    late = hours.with_name("late.jsonl")
    told: list[Event] = [logged_in("s1", 0), logged_in("s2", 0), logged_out("s1", 20_000), logged_out("s2", 20_000)]
    for n in range(150):
        at = 10 + 120 * n
        # Two seats are free, and nobody answers one call in three for a long time; every caller is of one patience.
        told += [offered(f"c{n}", at), answered(f"c{n}", at + (200 if n % 3 else 0), "s1"), ended(f"c{n}", at + 202)]
    late.write_bytes(b"".join(encode(event) + b"\n" for event in sorted(told, key=lambda event: event.time)))

    said = pantau112("whatif", late, "--runs", "10", "--seats", "+1")

    assert said.returncode == 3
    assert "The model does not reproduce what was, and nothing is said of a change." in said.stdout
    assert "needed" not in said.stdout


@pytest.mark.parametrize(
    ("wish", "answer"),
    [
        (["--seats", "1@18-24"], "'1@18-24' is no change of seats: write +1@18-24"),
        (["--seats", "+1@18-25"], "the hours are from 0 to 24"),
        (["--handle", "0"], "should be greater than or equal to 0.1"),
        (["--nuisance", "2"], "should be less than or equal to 1"),
        (["--announcement", "long"], "is no number of seconds"),
        (["--announcement", "-5s"], "--announcement cannot be shorter than nothing"),
        (["--network", "all"], "none"),
        (["--runs", "1"], "should be greater than or equal to 10"),
        (["--learn", "January"], "--learn: 'January' names no time"),
        (["--last", "month", "--in", "2026-10"], "say one of these"),
    ],
)
def test_a_wish_that_cannot_be_fulfilled_is_answered_before_anything_is_read(
    wish: list[str], answer: str, tmp_path: Path
) -> None:
    said = CliRunner().invoke(app, ["whatif", str(tmp_path / "nothing.jsonl"), *wish])

    assert said.exit_code == 2
    assert answer in " ".join(said.output.split())


@pytest.mark.parametrize(
    ("wish", "answer"),
    [
        (["--nuisance", "0.5"], "nobody said of any call there that it was a prank or silent; leave out --nuisance"),
        (["--from", (START + timedelta(days=9)).isoformat()], "no call of Kota Bogor came in that time"),
        (["--learn", "2020-01"], "of no call of Kota Bogor both the answer and the end are told there"),
    ],
)
def test_what_the_events_do_not_tell_is_said(wish: list[str], answer: str, events: Path) -> None:
    said = pantau112("whatif", events, *wish)

    assert (said.returncode, said.stdout) == (1, "")
    assert answer in said.stderr

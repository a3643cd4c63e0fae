"""`pantau112 staffing` says of each hour of the week what its columns are called."""

import csv
from collections.abc import Sequence
from pathlib import Path

from schemas.event import Event
from schemas.topics import encode
from tests.builders import answered, ended, offered, wrap_up_ended, wrap_up_started
from tests.cli.test_cli import pantau112

HOUR = 3600


def rows(tmp_path: Path, calls_an_hour: int, *arguments: str) -> Sequence[dict[str, str]]:
    """Three days of calls, each with a minute of talk and two of wrap-up."""
    told: list[Event] = []
    for number in range(72 * calls_an_hour):
        start, name, seat = number * HOUR / calls_an_hour, f"c{number}", f"s{number % 3}"
        told += [offered(name, start), answered(name, start + 3, seat), ended(name, start + 63)]
        told += [wrap_up_started(seat, start + 63), wrap_up_ended(seat, start + 183)]
    events = tmp_path / "events.jsonl"
    events.write_bytes(b"".join(encode(event) + b"\n" for event in sorted(told, key=lambda event: event.time)))
    done = pantau112("staffing", str(events), *arguments)
    assert done.returncode == 0, done.stderr
    return list(csv.DictReader(done.stdout.splitlines(), delimiter="\t"))


def test_each_hour_of_the_week_has_its_load_and_its_seats(tmp_path: Path) -> None:
    told = rows(tmp_path, 40)

    assert len(told) == 168
    assert told[1] == {
        "day": "Kamis/Thu", "hour": "09:00", "calls_expected": "40.0", "handle_seconds": "180.0", "handle_calls": "120",
        "erlangs": "2.00", "erlang_c_90_15": "5", "erlang_c_95_20": "5",
        "erlang_a_90_15": "", "erlang_a_95_20": "", "scheduled": "3", "short": "2",
    }  # fmt: skip


def test_of_a_load_that_was_never_seen_nothing_is_said(tmp_path: Path) -> None:
    last = rows(tmp_path, 40)[-1]

    assert (last["calls_expected"], last["erlang_c_90_15"], last["scheduled"]) == ("", "", "3")

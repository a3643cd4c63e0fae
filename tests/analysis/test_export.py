"""Tables that an analyst asks by SQL: the same figures as the fold says, in the same bytes, and nobody in them by name."""

import gzip
import re
import stat
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from schemas.event import Event
from streams.analysis.export import DICTIONARY, Export, Request, export
from streams.analysis.measure import fold
from streams.analysis.rows import calls as rows
from streams.analysis.rows.row import columns
from streams.analysis.rows.told import TABLES
from streams.core.calls import JOURNEY_WAIT_SECONDS, JOURNEYS_ENDED_TOTAL, JOURNEYS_OFFERED_TOTAL, OFFERED_TOTAL
from streams.core.centre import Centre
from streams.core.histogram import Histogram
from streams.sources import Line, asterisk, read, simulate
from tests.builders import START, answered, ended, erased, logged_in, logged_out, offered
from tests.conftest import DATA
from tests.sources import anonymous_bank
from tests.trial import KOTA_BOGOR

WALL = 2e9
DAYS = list(simulate.events(112, START, KOTA_BOGOR, days=0.5))


def lines(events: Iterable[Event]) -> Iterator[Line]:
    for number, event in enumerate(events, 1):
        yield Line(number, event)


def exported(events: Iterable[Event], to: Path, centre: Centre = KOTA_BOGOR, **wanted: Any) -> Export:
    return export(lines(events), {centre.code: centre}, WALL, to, Request(**wanted), lambda: ["nothing"])


def asked(sql: str, folder: Path) -> Any:
    """What a query says of the tables in a folder, its first row."""
    with duckdb.connect() as connection:
        for file in folder.glob("*.parquet"):
            connection.execute(f"CREATE VIEW {file.stem} AS FROM read_parquet('{file}')")
        return connection.execute(sql).fetchone()


def test_january_by_sql_is_what_an_independent_computation_says(tmp_path: Path) -> None:
    with gzip.open(anonymous_bank.data("january1999.queue_log.gz")) as log:
        events = asterisk.events(log, anonymous_bank.CENTRE, "/32.71/asterisk", on_bad=lambda number, reason: None)
        exported(events, tmp_path, anonymous_bank.CENTRE)

    for table in ("journeys", "visits"):
        for outcomes, expected, seconds in (
            ("'answered'", anonymous_bank.ANSWERED, 947_857),
            ("'abandoned', 'short_abandoned'", anonymous_bank.ABANDONED, 188_305),
        ):
            within = ", ".join(f"count(*) FILTER (wait_seconds <= {limit})" for limit in (1, 5, 10, 15, 20, 30, 40, 60, 120, 300))
            sql = f"SELECT {within}, count(*), sum(wait_seconds) FROM {table} WHERE outcome IN ({outcomes})"
            assert asked(sql, tmp_path) == (*expected, seconds)
        assert asked(f"SELECT count(*) FROM {table}", tmp_path) == (30_161,)


@pytest.mark.parametrize("name", ["asterisk/queue_log", "telephony/07b-multistint-three-queues.queue_log"])
def test_tables_of_a_real_exchange_sum_to_what_is_measured(name: str, tmp_path: Path) -> None:
    centre = Centre.model_validate({"code": "32.71", "name": "Kota Uji", "timezone": "Asia/Jakarta"})
    exported([line.item for line in read(DATA / name, centre) if isinstance(line.item, Event)], tmp_path, centre)

    assert_agrees(read(DATA / name, centre), centre, tmp_path)


def test_tables_of_simulated_days_sum_to_what_is_measured(tmp_path: Path) -> None:
    exported(DAYS, tmp_path)

    assert_agrees(lines(DAYS), KOTA_BOGOR, tmp_path)


def assert_agrees(told: Iterable[Line], centre: Centre, folder: Path) -> None:
    """That the tables in a folder sum to what a monitor says that folded the same."""
    monitor, moment, _ = fold(told, {centre.code: centre}, WALL)
    assert moment is not None
    for metric, labels, value in monitor.measure(centre.code, moment):
        if metric is JOURNEYS_OFFERED_TOTAL:
            assert asked("SELECT count(*) FROM journeys", folder) == (value,)
        elif metric is OFFERED_TOTAL:
            assert asked(f"SELECT count(*) FROM visits WHERE queue = '{labels[0]}'", folder) == (value,)
        elif metric is JOURNEYS_ENDED_TOTAL:
            assert asked(f"SELECT count(*) FROM journeys WHERE outcome = '{labels[0]}'", folder) == (value,)
        elif metric is JOURNEY_WAIT_SECONDS:
            assert isinstance(value, Histogram)
            sql = f"SELECT count(wait_seconds), coalesce(sum(wait_seconds), 0) FROM journeys WHERE outcome = '{labels[0]}'"
            assert asked(sql, folder) == (sum(value.counts), pytest.approx(value.sum))


def test_the_same_events_give_the_same_bytes_however_many_are_held_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exported(DAYS, tmp_path / "a")
    monkeypatch.setattr(rows, "HELD", 50)
    exported(DAYS, tmp_path / "b")

    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()


def test_files_are_their_user_s_alone_and_nothing_unfinished_is_left(tmp_path: Path) -> None:
    exported(DAYS[:100], tmp_path / "new")

    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    assert {file.name for file in (tmp_path / "new").iterdir()} == {DICTIONARY, *(f"{name}.parquet" for name in TABLES)}
    assert {stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "new").iterdir()} == {0o600}


def test_what_breaks_off_leaves_the_files_of_before(tmp_path: Path) -> None:
    exported(DAYS[:100], tmp_path)
    before = {file: file.read_bytes() for file in tmp_path.iterdir()}

    def broken() -> Iterator[Event]:
        yield from DAYS[:200]
        raise OSError("the line is cut")

    with pytest.raises(OSError, match="the line is cut"):
        exported(broken(), tmp_path)
    assert {file: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_rows_are_chosen_by_when_they_began_and_two_ranges_are_the_whole(tmp_path: Path) -> None:
    middle = START + timedelta(hours=6)
    exported(DAYS, tmp_path / "whole")
    exported(DAYS, tmp_path / "first", until=middle)
    exported(DAYS, tmp_path / "second", start=middle)

    for table in ("journeys", "visits"):
        n = {part: asked(f"SELECT count(*) FROM {table}", tmp_path / part)[0] for part in ("whole", "first", "second")}
        assert n["first"] + n["second"] == n["whole"]
        assert 0 < n["first"] < n["whole"]


def test_csv_says_the_same_and_only_what_was_asked_for(tmp_path: Path) -> None:
    exported(DAYS, tmp_path, tables=("journeys",), format="csv")
    exported(DAYS, tmp_path / "parquet")

    assert {file.name for file in tmp_path.glob("*.*")} == {DICTIONARY, "journeys.csv"}
    own = f"(FROM read_csv('{tmp_path}/journeys.csv') SELECT journey, arrived::TIMESTAMPTZ, wait_seconds, call_class)"
    other = "(FROM journeys SELECT journey, arrived, wait_seconds, call_class)"
    assert asked(f"SELECT count(*) FROM ({own} EXCEPT {other})", tmp_path / "parquet") == (0,)


def test_who_is_erased_later_is_in_no_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "HELD", 1)
    later = [offered(f"c{n}", 90_000 + n) for n in range(5)]
    events = [offered("a", 0, caller="one"), ended("a", 9), offered("b", 1, caller="two"), *later, erased("one", 200_000)]

    exported(events, tmp_path)

    assert asked("SELECT count(*), count(caller) FROM journeys", tmp_path) == (7, 1)


def test_the_dictionary_says_of_every_column_what_it_means(tmp_path: Path) -> None:
    exported(DAYS[:10], tmp_path)

    page = (tmp_path / DICTIONARY).read_text()
    for table, row in TABLES.items():
        described = re.findall(r"^\| (\w+) \| ([A-Z ]+) \| (yes|never) \| .{10,} \|$", page, re.MULTILINE)
        with duckdb.connect() as connection:
            stored = connection.execute(f"DESCRIBE FROM read_parquet('{tmp_path}/{table}.parquet')").fetchall()
        assert [(column.name, column.type) for column in columns(row)] == [(name, type_) for name, type_, *_ in stored]
        assert {(column.name, column.type, "yes" if column.nullable else "never") for column in columns(row)} <= {*described}


def test_what_is_never_null_by_the_dictionary_never_is(tmp_path: Path) -> None:
    exported(DAYS, tmp_path)

    for table, row in TABLES.items():
        for column in columns(row):
            if not column.nullable:
                assert asked(f"SELECT count(*) FROM {table} WHERE {column.name} IS NULL", tmp_path) == (0,), column


def test_without_an_event_there_are_tables_without_rows(tmp_path: Path) -> None:
    done = exported([], tmp_path)

    assert set(done.rows.values()) == {0}
    assert asked("SELECT count(*) FROM journeys", tmp_path) == (0,)


def test_a_shift_knows_what_its_seat_talked(tmp_path: Path) -> None:
    events = [
        *(logged_in("s1", 0), logged_in("s2", 0), logged_out("s1", 3_600), logged_in("s1", 7_200)),
        *(offered("a", 10), answered("a", 20, "s1"), ended("a", 50)),
        *(offered("b", 100), answered("b", 110, "s1"), ended("b", 130)),
        *(offered("c", 3_580), answered("c", 3_590, "s1"), ended("c", 3_650)),
        *(offered("d", 7_300), answered("d", 7_300, "s2")),
    ]

    exported(sorted(events, key=lambda event: event.time), tmp_path)

    sql = "SELECT list((seat, calls, talk_seconds) ORDER BY seat, logged_in) FROM shifts"
    assert asked(sql, tmp_path) == ([("s1", 3, 60.0), ("s1", 0, 0.0), ("s2", 1, 0.0)],)


def test_a_ticket_is_joined_to_the_call_that_it_came_by(tmp_path: Path) -> None:
    exported(DAYS, tmp_path)

    joined = "SELECT count(*), bool_and(opened >= arrived) FROM tickets JOIN journeys USING (city, journey)"
    assert asked(joined, tmp_path) == (asked("SELECT count(journey) FROM tickets", tmp_path)[0], True)
    # Of calls that two exchanges call by one id nobody knows which it was.
    assert asked("SELECT count(journey) BETWEEN 0.6 * count(*) AND count(*) FROM tickets", tmp_path) == (True,)


def test_of_whole_months_counts_are_written_that_may_be_published_and_nothing_else(tmp_path: Path) -> None:
    def came(day: int, hour: int, district: str | None, n: int) -> list[Event]:
        begin = day * 86_400 + (hour - 8) * 3_600  # START is on 25 November at 8
        return [offered(f"{day}-{hour}-{district}-{k}", begin + k, district=district) for k in range(n)]

    december = [*came(10, 9, "32.71.01", 7), *came(11, 10, "32.71.02", 2), *came(12, 20, None, 4), *came(13, 20, "32.71.03", 9)]
    events = [*came(0, 9, "32.71.01", 3), *december, *came(40, 9, "32.71.01", 3)]

    done = exported(events, tmp_path, k=5, format="csv")

    assert done.rows == {"calls_by_district.csv": 3, "calls_by_hour.csv": 2}
    assert {file.name for file in tmp_path.iterdir()} == {DICTIONARY, *done.rows}
    assert (tmp_path / "calls_by_district.csv").read_text().splitlines() == [
        "city,month,districts,calls",
        "32.71,2024-12,32.71.01,7",
        '32.71,2024-12,"32.71.02,unknown",6',
        "32.71,2024-12,32.71.03,9",
    ]
    assert (tmp_path / "calls_by_hour.csv").read_text().splitlines() == [
        "city,month,first_hour,last_hour,calls",
        "32.71,2024-12,9,11,9",
        "32.71,2024-12,20,20,13",
    ]
    assert "No count is of fewer than 5 calls" in (tmp_path / DICTIONARY).read_text()

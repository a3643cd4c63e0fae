"""Tables as SQL queries read them: what a row says becomes events, and what it does not say is told by its line."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import streams.sources
from schemas.event import OLDEST_RECORDING, Event
from streams import centres
from streams.core.centre import Centre
from streams.sources import rows
from streams.sources.answer import MappingError
from streams.sources.door import Door
from streams.sources.pseudonym import keyed
from streams.sources.table import Query, shipped
from tests.conftest import DATA
from tests.sources import anonymous_bank

BOGOR = centres.load([])["32.71"]
KEY = keyed(b"a key of the test, long enough")


class Read:
    """What a file gives: its events, bad lines by number, and the lines of which the query says nothing."""

    def __init__(self, path: Path, sql: str, centre: Centre = BOGOR, sheet: str | None = None, header: int | None = None) -> None:
        self.bad: dict[int, str] = {}
        self.silent: list[int] = []
        self.endless: list[int] = []
        self._centre = centre
        query = Query(sql, centre, Door(KEY, [centre]), earliest=OLDEST_RECORDING)
        with rows.opened(path, self.bad.__setitem__, sheet, header) as found:
            self.events: list[Event] = [*query.read(found, self.bad.__setitem__, self.silent.append, self.endless.append)]

    @property
    def told(self) -> list[tuple[str, str, dict[str, object]]]:
        """Type, local time and data of each event."""
        return [
            (
                event.type,
                f"{event.time.astimezone(self._centre.timezone):%Y-%m-%d %H:%M:%S}",
                event.data.model_dump(exclude_none=True, by_alias=True, exclude={"clock"}),
            )
            for event in self.events
        ]


def read(tmp_path: Path, text: str | bytes, sql: str, name: str = "table.csv") -> Read:
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return Read(path, sql)


def case(name: str, sql: str) -> Read:
    """A file of tests/data/tables by a query, or by the name of one that comes along."""
    return Read(DATA / "tables" / name, shipped(sql) if " " not in sql else sql)


CALL = """SELECT 'call.offered' AS type, "at" AS time, id AS call, '112' AS queue FROM rows"""
TICKETS = """
SELECT 'ticket.opened' AS type, created AS time, ticket, kategori AS category FROM rows
UNION ALL BY NAME SELECT 'ticket.sent' AS type, sent AS time, ticket, opd FROM rows
UNION ALL BY NAME SELECT 'ticket.acknowledged' AS type, to_timestamp(ack::BIGINT) AS time, ticket, opd FROM rows
"""
STATUS = """
WITH calls AS (
    SELECT line, ID AS call, strptime(Masuk, '%d/%m/%Y %H:%M:%S') AS came, strptime(Jawab, '%d/%m/%Y %H:%M:%S') AS answered,
        strptime(Selesai, '%d/%m/%Y %H:%M:%S') AS over, lower(regexp_replace(Status, '\\s+', ' ', 'g')) AS status
    FROM rows
)
SELECT 'call.offered' AS type, came AS time, call, '112' AS queue FROM calls
UNION ALL BY NAME SELECT 'call.answered' AS type, answered AS time, call FROM calls WHERE status = 'dijawab'
UNION ALL BY NAME SELECT CASE status WHEN 'dijawab' THEN 'call.ended' WHEN 'tidak dijawab' THEN 'call.abandoned' ELSE status END
    AS type, over AS time, call FROM calls
"""


def test_rows_become_events_in_the_order_of_time(tmp_path: Path) -> None:
    sql = f"{CALL} UNION ALL BY NAME SELECT 'call.answered' AS type, answered AS time, id AS call, seat FROM rows"

    found = read(tmp_path, "id,at,answered,seat\nb,2026-01-05 09:00,2026-01-05 09:00:30,SIP/1\na,2026-01-05 08:59,,-\n", sql)

    assert found.told == [
        ("call.offered", "2026-01-05 08:59:00", {"call": "a", "queue": "112"}),
        ("call.offered", "2026-01-05 09:00:00", {"call": "b", "queue": "112"}),
        ("call.answered", "2026-01-05 09:00:30", {"call": "b", "seat": "SIP/1"}),
    ]
    assert {event.source for event in found.events} == {"/32.71/table"}


def test_a_few_rows_at_hand_are_read_by_the_same_query() -> None:
    query = Query(CALL, BOGOR, Door(KEY, [BOGOR]), source="vendor")

    told = query.events([{"id": "P-2", "at": "2026-01-05T08:01:00+07:00", "who": {"name": "Budi"}}, {"id": "P-1", "at": None}])

    assert [(event.source, event.data.model_dump()["call"]) for event in told.events] == [("/32.71/vendor", "P-2")]
    assert (told.faults, told.silent) == ([], [2])
    assert query.events([{"id": "Budi Contoh", "at": "2026-01-05 08:00"}]).faults == [
        (1, "call.offered, column call: no code; code(…) makes one of any text")
    ]
    assert query.events([]) == ([], [], [])


def test_a_webhook_of_1999_is_none_and_a_recording_of_1999_is_one(tmp_path: Path) -> None:
    told = Query(CALL, BOGOR, Door(KEY, [BOGOR])).events([{"id": "a", "at": "1999-01-05 08:00"}])

    assert told.faults == [(1, "column time: a time that is not between 2000 and 2100")]
    assert len(read(tmp_path, "id,at\na,1999-01-05 08:00\n", CALL).events) == 1


def test_the_same_file_again_gives_the_same_ids_and_one_that_begins_elsewhere_too(tmp_path: Path) -> None:
    sql = f"{CALL} UNION ALL BY NAME SELECT 'survey.answered' AS type, \"at\" AS time, '4' AS u1 FROM rows"
    whole = read(tmp_path, "id,at\na,2026-01-05 08:00\nb,2026-01-05 09:00\n", sql).events
    rest = read(tmp_path, "id,at\nb,2026-01-05 09:00\n", CALL).events

    assert [event.id for event in whole] == [
        event.id for event in read(tmp_path, "id,at\na,2026-01-05 08:00\nb,2026-01-05 09:00\n", sql).events
    ]
    assert rest[0].id in {event.id for event in whole}
    named = read(tmp_path, "id,at\nb,2026-01-05 09:00\n", CALL.replace("id AS call", "id AS call, id, 'acd' AS source")).events
    assert (named[0].id != rest[0].id, named[0].source) == (True, "/32.71/acd")


def test_two_people_who_answer_alike_in_one_minute_are_two(tmp_path: Path) -> None:
    sql = "SELECT 'survey.answered' AS type, \"at\" AS time, a AS u1 FROM rows"

    assert len({event.id for event in read(tmp_path, "at,a\n2026-01-05 08:00,4\n2026-01-05 08:00,4\n", sql).events}) == 2


def test_no_number_and_no_name_gets_into_an_event_or_a_message(tmp_path: Path) -> None:
    sql = CALL.replace("AS queue", "AS queue, number AS caller") + (
        " UNION ALL BY NAME SELECT 'call.answered' AS type, \"at\" AS time, id AS call, seat FROM rows"
        " UNION ALL BY NAME SELECT 'call.classified' AS type, \"at\" AS time, id AS call, word AS class FROM rows"
    )
    text = (
        "id,at,number,seat,word\na,2026-01-05 08:00,08123456789,Budi,Salah Sambung\nBudi Contoh,2026-01-05 08:00,0812,,Pak Budi\n"
    )

    found = read(tmp_path, text, sql)

    said = " ".join(event.model_dump_json() for event in found.events) + str(found.bad)
    assert not any(word in said for word in ("0812", "Budi", "Salah"))
    assert '"caller":"' in said
    assert '"seat":"seat-' in said
    assert '"class_":"misdirected"' in said
    row = {"id": "a", "at": "2026-01-05 08:00", "number": "0812345", "word": "iseng"}
    unkeyed = Query(sql, BOGOR, Door(None, [BOGOR])).events([row]).events
    assert unkeyed[0].id == found.events[0].id, "the caller is no part of the id"


def test_a_seat_that_only_a_key_could_hide_is_passed_over_and_counted() -> None:
    door = Door(None, [BOGOR])
    query = Query("SELECT 'operator.paused' AS type, \"at\" AS time, seat FROM rows", BOGOR, door)

    assert query.events([{"at": "2026-01-05 08:00", "seat": "Budi Contoh"}]).events == []
    assert door.passed_over.total() == 1


def test_a_bad_row_is_told_by_line_and_column_without_its_cell_and_gives_nothing_while_the_others_go_on(tmp_path: Path) -> None:
    sql = """
SELECT 'call.offered' AS type, strptime(day || ' ' || came, '%Y-%m-%d %H:%M') AS time, id AS call, '112' AS queue FROM rows
UNION ALL BY NAME
SELECT 'call.ended' AS type, strptime(day || ' ' || came, '%Y-%m-%d %H:%M') + to_seconds(seconds(talked)) AS time, id AS call,
    talked::DOUBLE AS talk_seconds FROM rows
"""
    rows = [
        "a,2024-06-01,9:00,5",
        "b,Budi,9:00,5",
        "c,2024-06-01,25:00,5",
        "d,2024-06-01,9:00,lama",
        "e Budi,2024-06-01,9:00,5",
        "f,2024-06-01",
        "g,1901-01-01,9:00,5",
        'h,"' + "x" * 200_000 + '",9:00,5',
        "z,2024-06-01,9:01,5",
    ]

    found = read(tmp_path, "\n".join(["id,day,came,talked", *rows]), sql)

    assert Counter(event.data.model_dump()["call"] for event in found.events) == {"a": 2, "z": 2}
    assert found.bad == {
        3: "column time: not of the form that strptime(…) is told",
        4: "column time: not of the form that strptime(…) is told",
        5: "column time: seconds: no duration such as 55, 0:55, 1:02:03 or 55,5",
        6: "call.offered, column call: no code; code(…) makes one of any text",
        7: "2 columns where the header has 4",
        8: "column time: a time that is not between 1990 and 2100",
        9: "no readable row: a quotation mark or a cell that goes on too long",
    }


def test_a_query_that_misreads_every_row_is_refused_with_the_first_of_them(tmp_path: Path) -> None:
    rows = "".join(f"{n},2026-01-05 08:00\n" for n in range(200))

    with pytest.raises(MappingError, match=r"more than 50 rows, the first in line 2: column time: not of the form"):
        read(tmp_path, "id,at\n" + rows, CALL.replace('"at"', "strptime(\"at\", '%d/%m/%Y')"))


def test_an_error_that_the_query_makes_itself_of_a_cell_is_not_repeated(tmp_path: Path) -> None:
    found = read(tmp_path, "id,at\nBudi,2026-01-05 08:00\n", CALL.replace("id AS call", "error('who is ' || id) AS call"))

    assert found.bad == {2: "column call: DuckDB's InvalidInputException"}


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELEC", 'Parser Error: syntax error at or near "SELEC"'),
        ("SELECT 1; SELECT 2", "must be one SELECT"),
        ("", "must be one SELECT"),
        ("COPY rows TO 'x'", "must be one SELECT"),
        ("SET threads = 1", "must be one SELECT"),
        (CALL.replace("id AS", "telephone AS"), "the table has no column telephone; its header has 2 cells"),
        (CALL.replace("AS queue", "AS antrean"), "column antrean: no event has such a field"),
        (CALL.replace("AS time", "AS moment"), "gives no column time"),
        (CALL.replace("id AS", "foo(id) AS"), "Catalog Error: Scalar Function with name foo does not exist!"),
        (CALL.replace("id AS call", "'08:00'::TIME AS onset"), "column onset: a clock without a date"),
    ],
)
def test_a_query_that_cannot_be_used_is_refused_and_says_why(tmp_path: Path, sql: str, said: str) -> None:
    with pytest.raises(MappingError) as refused:
        read(tmp_path, "id,at\na,2026-01-05 08:00\n", sql)

    assert str(refused.value).startswith(said)


@pytest.mark.parametrize(
    "sql",
    [
        f"{CALL};",
        f"{CALL};\n-- the end; really\n",
        f"-- first; a comment\n{CALL} -- and one behind",
        CALL.replace("AS type", "AS TYPE").replace("AS time", "AS Time"),
        f"{CALL} ORDER BY time LIMIT 5",
        CALL.replace("SELECT", "SELECT DISTINCT"),
    ],
)
def test_a_query_may_be_written_as_people_write_sql(tmp_path: Path, sql: str) -> None:
    assert len(read(tmp_path, "id,at\na,2026-01-05 08:00\n", sql).events) == 1


@pytest.mark.parametrize(
    "source", ["read_csv('{file}')", "read_text('{file}')", "'{file}'", "glob('/*')", "read_csv('http://127.0.0.1/x.csv')"]
)
def test_a_query_sees_no_file_and_no_network(tmp_path: Path, source: str) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("id,at\nrahasia,2026-01-05 08:00\n")

    with pytest.raises(MappingError):
        read(tmp_path, "id,at\na,2026-01-05 08:00\n", CALL.replace("FROM rows", f"FROM {source.format(file=secret)}"))


def test_a_query_changes_nothing_by_the_way(tmp_path: Path) -> None:
    with pytest.raises(MappingError):
        read(tmp_path, "id,at\na,2026-01-05 08:00\n", f"WITH gone AS (DELETE FROM _rows RETURNING *) {CALL}")


@pytest.mark.parametrize("unset", ["0", "", "-", "0.0", "NULL", " null ", "\\N", "1970-01-01 00:00:00", "0000-00-00 00:00:00"])
def test_a_moment_that_was_never_is_not_in_1970(tmp_path: Path, unset: str) -> None:
    sql = TICKETS.replace("to_timestamp(ack::BIGINT)", "ack")
    rows = f"T-1,damkar,kebakaran,1764118800,1764118830,1764118900\nT-2,damkar,kebakaran,1764119800,{unset},{unset}\n"

    found = read(tmp_path, f"ticket,opd,kategori,created,sent,ack\n{rows}", sql)

    assert (found.bad, found.silent) == ({}, [])
    assert [(kind, data["ticket"]) for kind, _, data in found.told] == [
        ("ticket.opened", "T-1"), ("ticket.sent", "T-1"), ("ticket.acknowledged", "T-1"), ("ticket.opened", "T-2"),
    ]  # fmt: skip


def test_two_tickets_of_which_one_was_never_sent() -> None:
    assert Counter(kind for kind, _, _ in case("01c_epoch_zero_unset.csv", TICKETS).told) == {
        "ticket.opened": 2, "ticket.sent": 1, "ticket.acknowledged": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    "unset", ["1970-01-01T07:00+07:00", "1970-01-01 07:00", "1900-01-01", "0001-01-01", "1899-12-30 00:00:00"]
)
def test_nor_is_one_that_is_written_as_the_first_day_of_a_computer(tmp_path: Path, unset: str) -> None:
    found = read(tmp_path, f"id,at\n1,{unset}\n2,2025-11-26 08:00\n", CALL)

    assert [time for _, time, _ in found.told] == ["2025-11-26 08:00:00"]
    assert (found.bad, found.silent) == ({}, [2])


def test_a_fire_that_lasts_beyond_midnight_is_over_after_it_began() -> None:
    columns = "SELECT line, tgl AS Tanggal, no, masuk, berangkat, sampai, selesai, NULL AS Unit FROM rows"

    found = case("06_fire_longer_than_12h.csv", shipped("damkar").replace("FROM rows", f"FROM ({columns})"))

    assert not found.bad
    assert {str(data["ticket"])[-1]: time for kind, time, data in found.told if kind == "ticket.closed"} == {
        "1": "2025-11-27 01:30:00",
        "2": "2025-11-27 03:00:00",
        "3": "2025-11-26 23:00:00",
        "4": "2025-11-27 02:30:00",
        "5": "2025-11-27 09:00:00",
    }
    assert Counter(kind for kind, _, _ in found.told)["ticket.unit_available"] == 5


def test_an_outcome_is_understood_however_it_is_spelt_and_reported_by_its_row_where_it_is_not() -> None:
    found = case("08_status_spelling.csv", STATUS)

    assert [(kind, data["call"]) for kind, _, data in found.told] == [
        ("call.offered", "1"), ("call.answered", "1"), ("call.offered", "2"), ("call.abandoned", "2"), ("call.ended", "1"),
    ]  # fmt: skip
    assert found.bad == {4: "column type: no type of event, such as call.offered"}


def test_rows_of_which_the_query_says_nothing_are_told_by_their_lines() -> None:
    assert case("08_status_spelling.csv", f"SELECT * FROM ({STATUS}) WHERE type LIKE 'call.%' AND call <> '3'").silent == []
    assert case("08_status_spelling.csv", STATUS.replace("FROM rows", "FROM rows WHERE ID <> '3'")).silent == [4]


def test_a_row_whose_call_would_end_before_it_began_is_reported(tmp_path: Path) -> None:
    rows = "ID,Masuk,Jawab,Selesai,Status\n1,26/11/2025 08:00:00,25/11/2025 08:00:10,26/11/2025 08:02:00,DIJAWAB"

    found = read(tmp_path, rows, STATUS)

    assert (found.told, found.bad) == ([], {2: "call.answered would be before call.offered"})


def test_two_columns_of_one_name_are_refused_by_name_where_the_query_means_one_of_them() -> None:
    with pytest.raises(MappingError, match="the table has 2 columns Masuk"):
        case("09_duplicate_header.csv", STATUS)
    assert len(case("09_duplicate_header.csv", STATUS.replace("Masuk", '"Masuk:1"')).events) == 3


def test_no_first_row_of_a_table_stands_in_a_message(tmp_path: Path) -> None:
    for text in ("Budi Contoh,0800000001,0800000001,c1.1\n", "Budi,Ani,Budi\n1,2,3\n"):
        with pytest.raises(MappingError) as refused:
            read(tmp_path, text, STATUS)
        assert not any(word in str(refused.value) for word in ("Budi", "Ani", "0800000001"))


def test_clocks_with_am_and_pm_beside_the_date_or_in_a_column_of_their_own(tmp_path: Path) -> None:
    sql = CALL.replace('"at"', "strptime(date || ' ' || call_started, '%Y-%m-%d %I:%M:%S %p')").replace("id AS", "call_id AS")
    assert [time[11:] for _, time, _ in case("10_ampm_clock.csv", sql).told] == ["08:00:00", "08:28:25", "12:14:28"]

    own = CALL.replace('"at"', "strptime(day, '%Y-%m-%d') + to_seconds(clock(\"at\" || ' ' || half))")
    found = read(tmp_path, "id,day,at,half\n1,2021-01-01,12:14,AM\n2,2021-01-01,9:05:30,p.m.\n3,2021-01-01,13:00,PM\n", own)
    assert [time[11:] for _, time, _ in found.told] == ["00:14:00", "21:05:30"]
    assert [*found.bad] == [4]


def test_a_fraction_of_a_day_is_a_clock() -> None:
    sql = """SELECT 'call.offered' AS type, strptime("Date", '%d.%m.%Y') + to_seconds(clock(Time)) AS time, "Call Id" AS call,
        '112' AS queue FROM rows"""

    assert [time for _, time, _ in case("11_excel_fraction_of_day.csv", sql).told] == [
        "2021-01-01 09:12:58",
        "2021-01-01 10:02:11",
    ]


ZONED = [
    "2025-11-26 08:00:00 UTC", "2025-11-26 08:00:00 GMT", "2025-11-26 08:00:00Z", "2025-11-26T08:00:00+00:00",
    "2025-11-26 08:00 utc", "2025-11-26 15:00:00 WIB", "2025-11-26 16:00 WITA", "2025-11-26 17:00 WIT",
    "2025-11-26 15:00:00+07:00", "2025-11-26 15:00+07", "2025-11-26 15:00:00.000 +0700", "2025-11-26 15:00 UTC+7",
    "2025-11-26 15:00", "1764144000",
]  # fmt: skip


@pytest.mark.parametrize("cell", ZONED)
def test_a_zone_behind_a_time_counts(tmp_path: Path, cell: str) -> None:
    for time in ('"at"', 'zone("at")') if "-" in cell else ('"at"',):
        found = read(tmp_path, f"id,at\n1,{cell}\n", CALL.replace('"at"', time))
        assert [time for _, time, _ in found.told] == ["2025-11-26 15:00:00"]


def test_utc_and_gmt_in_the_cell_are_15_o_clock_in_bogor() -> None:
    assert [time for _, time, _ in case("12_zone_name_ignored.csv", CALL).told] == ["2025-11-26 15:00:00"] * 2


@pytest.mark.parametrize(
    ("zone", "hour"), [("WIB", 8), ("wita", 7), ("WIT", 6), ("+08:00", 7), ("Asia/Makassar", 7), ("UTC", 15), ("", 8)]
)
def test_a_zone_in_a_column_of_its_own_counts(tmp_path: Path, zone: str, hour: int) -> None:
    sql = CALL.replace('"at"', "zone(strptime(\"at\", '%d/%m/%Y %H:%M'), z)")

    assert [time for _, time, _ in read(tmp_path, f"id,at,z\n1,26/11/2025 08:00,{zone}\n", sql).told] == [
        f"2025-11-26 {hour:02}:00:00"
    ]


def test_a_zone_that_nobody_knows_is_reported(tmp_path: Path) -> None:
    assert read(tmp_path, "id,at\n1,2025-11-26 08:00:00 XYZ\n", CALL).bad == {
        2: "column time: no date and time such as 2026-01-05 15:00:00; other forms are read by strptime(…)"
    }
    assert read(tmp_path, "id,at\n1,2025-11-26 08:00:00\n", CALL.replace('"at"', "zone(\"at\", 'Bogor')")).bad == {
        2: "column time: no time zone such as WIB, +07:00 or Asia/Jakarta"
    }


def test_a_clock_without_a_date_is_refused_and_not_of_1900() -> None:
    assert [*case("13_clock_only_is_1900.csv", CALL).bad] == [2]
    assert case("13_clock_only_is_1900.csv", CALL.replace('"at"', "strptime(\"at\", '%H:%M')")).bad == {
        2: "column time: a clock without a date"
    }
    with pytest.raises(MappingError, match="column time: a clock without a date"):
        case("13_clock_only_is_1900.csv", CALL.replace('"at"', '"at"::TIME'))


def test_midnight_without_a_date_is_refused_too(tmp_path: Path) -> None:
    assert [*read(tmp_path, "id,at\n1,0:00\n", CALL.replace('"at"', "strptime(\"at\", '%H:%M')")).bad] == [2]


def test_levels_are_read_as_people_write_them_and_a_gap_is_a_gap(tmp_path: Path) -> None:
    found = case("15_gauge_decimal_comma.csv", "river_levels")
    assert [data for _, _, data in found.told] == [{"gauge": "katulampa", "level_centimetres": level} for level in (70.5, 80, 90)]
    assert (found.bad, found.silent) == ({}, [5])

    rows = 'pos,waktu,tma\nk,26-11-2025 08:40,"1,200"\nk,26-11-2025 08:50,900 mm\nk,26-11-2025 09:00,tinggi\n'
    others = read(tmp_path, rows, shipped("river_levels"))
    assert [data["level_centimetres"] for _, _, data in others.told] == [90]
    assert [*others.bad] == [2, 4], "1,200 may be 1.2 or 1200"
    assert "tinggi" not in str(others.bad)


@pytest.mark.parametrize(
    "date",
    ["26 Januari 2026", "Senin, 26 Jan 2026", "26 JANUARI 2026", "26 January 2026", "26 Jan. 2026", "Mon 26 jan 2026"],
)
def test_a_month_is_understood_however_it_is_spelt(tmp_path: Path, date: str) -> None:
    sql = CALL.replace('"at"', "strptime(bulan(\"at\"), '%d %m %Y')")

    assert [time for _, time, _ in read(tmp_path, f"id;at\n1;{date}\n", sql).told] == ["2026-01-26 00:00:00"]


def test_all_twelve_months_have_their_number_in_either_language(tmp_path: Path) -> None:
    spelt = [
        "Jan", "Pebruari", "Mrt", "Apr", "Mei", "Juni", "Jul", "Agt", "Sept", "Okt", "Nopember", "Des",
        "Januari", "Feb", "Maret", "April", "May", "Jun", "Juli", "Agustus", "September", "Oct", "Nov", "Desember",
    ]  # fmt: skip
    rows = "".join(f"{n},1-{month}-25\n" for n, month in enumerate(spelt))

    found = read(tmp_path, f"id,at\n{rows}", CALL.replace('"at"', "strptime(bulan(\"at\"), '%d-%m-%y')"))

    assert {str(data["call"]): int(time[5:7]) for _, time, data in found.told} == {str(n): n % 12 + 1 for n in range(24)}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0:55", 55), ("1:02:03", 3723), ("55", 55), ("55,5", 55.5), ("12:02:23 AM", 143), ("90:00", 5400), 
        ("1 menit 5 detik", 65), ("2 jam", 7200), ("90s", 90), ("00:00:55", 55),
    ],
)  # fmt: skip
def test_a_duration_is_read_as_people_write_it(tmp_path: Path, text: str, seconds: float) -> None:
    sql = CALL.replace('"at"', '"at"::TIMESTAMP + to_seconds(seconds(lama))')

    [event] = read(tmp_path, f"id;at;lama\n1;2026-01-05 00:00;{text}\n", sql).events

    assert event.time.timestamp() - 1_767_546_000 == seconds


def test_a_ticket_is_closed_when_every_unit_is_free_and_a_unit_busy_until_it_is() -> None:
    found = case("open_units.csv", "sf_fire")
    opened, closed = (
        {data["ticket"] for kind, _, data in found.told if kind == f"ticket.{what}"} for what in ("opened", "closed")
    )
    sent, back = (
        {data["unit"] for kind, _, data in found.told if kind == f"ticket.unit_{what}"} for what in ("dispatched", "available")
    )

    assert (found.bad, found.silent) == ({}, [])
    assert opened - closed == {"900000002", "900000003"}
    assert sent - back == {"E02", "M04", "T05"}


VENDOR = """
SELECT 'call.offered' AS type, waktu_masuk AS time, id_panggilan AS call, '112' AS queue FROM rows
UNION ALL BY NAME SELECT 'call.answered' AS type, waktu_dijawab AS time, id_panggilan AS call, petugas AS seat FROM rows
UNION ALL BY NAME
SELECT CASE WHEN waktu_dijawab IS NULL THEN 'call.abandoned' ELSE 'call.ended' END AS type, waktu_selesai AS time,
    id_panggilan AS call FROM rows
UNION ALL BY NAME SELECT 'call.classified' AS type, waktu_selesai AS time, id_panggilan AS call, jenis AS class FROM rows
"""


def test_a_vendor_s_own_json_lines_are_readable_from_a_file_and_as_they_come() -> None:
    found = case("vendor.jsonl", VENDOR)
    assert [(kind, time[11:], data["call"]) for kind, time, data in found.told] == [
        ("call.offered", "08:00:00", "P-1"), ("call.answered", "08:00:09", "P-1"), ("call.offered", "08:01:00", "P-2"),
        ("call.abandoned", "08:01:40", "P-2"), ("call.classified", "08:01:40", "P-2"), ("call.ended", "08:02:00", "P-1"),
        ("call.classified", "08:02:00", "P-1"),
    ]  # fmt: skip

    lines = (DATA / "tables" / "vendor.jsonl").read_text().splitlines()
    hook = Query(VENDOR, BOGOR, Door(KEY, [BOGOR]))
    told = [event for line in lines for event in hook.events([json.loads(line)]).events]
    assert {event.id for event in told} == {event.id for event in found.events}


def test_a_call_that_rang_at_several_seats_is_one_call() -> None:
    found = Read(DATA / "telephony" / "41-Master.csv", shipped("asterisk_cdr"))

    assert (found.bad, found.silent) == ({}, [])
    assert [(kind, time[11:], data["call"]) for kind, time, data in found.told] == [
        ("call.offered", "15:00:00", "c1.1"), ("call.answered", "15:00:20", "c1.1"), ("call.ended", "15:01:20", "c1.1"),
        ("call.offered", "15:02:00", "c2.1"), ("call.abandoned", "15:02:40", "c2.1"),
    ]  # fmt: skip


def test_a_real_exchange_s_own_records_have_every_call_that_was_answered() -> None:
    truth = json.loads((DATA / "asterisk" / "truth.json").read_text())["expected"]["citizens"]

    found = Read(DATA / "asterisk" / "Master.csv", shipped("asterisk_cdr"))

    assert not found.bad
    assert Counter(event.type for event in found.events)["call.answered"] == truth["answered"] == 29


def test_a_queue_log_that_was_exported_from_a_database_says_what_it_says_in_a_file() -> None:
    found = Read(DATA / "telephony" / "17-realtime-table.tsv", shipped("queue_log"))

    assert not found.bad
    assert Counter(event.type for event in found.events) == {
        "operator.logged_in": 1, "call.offered": 2, "call.answered": 1, "call.ended": 1, "call.abandoned": 1,
        "operator.paused": 1,
    }  # fmt: skip


FORM = """Timestamp,Nama,1. Saya memahami layanan 112,2. Bantuan tepat sasaran,3. Bantuan datang tepat waktu,4. Tujuan laporan tercapai,5. Ada perubahan nyata
26/11/2025 08:00:00,Budi,5,Setuju,sangat setuju,,3
kemarin,Ani,1,1,1,1,1
26/11/2025 20:00:00,Ani,6,1,1,1,1
"""  # noqa: E501


def test_a_form_s_answers_are_scores_of_the_five_dimensions(tmp_path: Path) -> None:
    found = read(tmp_path, FORM, shipped("survey_form"))

    assert [data for _, _, data in found.told] == [
        {"scores": {"pemahaman_program.1": 5, "tepat_sasaran.1": 4, "tepat_waktu.1": 5, "perubahan_nyata.1": 3}}
    ]
    assert [*sorted(found.bad)] == [3, 4]


def test_the_statutory_survey_has_nine_elements_from_1_to_4(tmp_path: Path) -> None:
    rows = "5 Januari 2026;;Budi;4 - Sangat baik;3;3;4;3;3;3;3;3\n05/01/2026;09:30;Ani;4;3;3;4;3;3;3;5;3\n"

    found = read(tmp_path, f"Tanggal;Jam;Nama;U1;U2;U3;U4;U5;U6;U7;U8;U9\n{rows}", shipped("skm_form"))

    assert [data for _, _, data in found.told] == [{"scores": dict(u1=4, u2=3, u3=3, u4=4, u5=3, u6=3, u7=3, u8=3, u9=3)}]
    assert found.bad == {3: "survey.answered: u8 over 4"}


REGENCY = """LAPORAN BULANAN 112 KABUPATEN CONTOH,,,,,,,,,,
No,Tanggal,Jam,Zona,No. Telepon,Tunggu,Durasi,Status,Kategori,Instansi,Petugas
1,5 Januari 2026,15.04,WIB,0800000001,0:09,1:55,Dijawab,Kebakaran,Damkar,meja-1
2,5 Jan 2026,15:04:05,WITA,0800000002,0:30,-,TIDAK  dijawab,,,
3,5 Januari 2026,23:59,,0800000003,"70,5",0:55,terjawab,Medis,Damkar,Budi Contoh
4,5 Januari 2026,15.10,WIB,0800000004,0:09,1:55,Entah,,,
Jumlah,,,,,,,4,,,
"""


def test_a_regency_s_table_kept_by_hand_becomes_calls_and_tickets(tmp_path: Path) -> None:
    found = read(tmp_path, REGENCY, shipped("regency_112"))

    assert found.bad == {6: "column type: no type of event, such as call.offered"}
    assert found.silent == [7], "the total"
    assert {(kind, data.get("call", data.get("ticket"))): time for kind, time, data in found.told} == {
        ("call.offered", "112-20260105-1"): "2026-01-05 15:04:00",
        ("call.answered", "112-20260105-1"): "2026-01-05 15:04:09",
        ("ticket.opened", "112-20260105-1"): "2026-01-05 15:04:09",
        ("call.ended", "112-20260105-1"): "2026-01-05 15:06:04",
        ("ticket.sent", "112-20260105-1"): "2026-01-05 15:06:04",
        ("call.offered", "112-20260105-2"): "2026-01-05 14:04:05",
        ("call.abandoned", "112-20260105-2"): "2026-01-05 14:04:35",
        ("call.offered", "112-20260105-3"): "2026-01-05 23:59:00",
        ("call.answered", "112-20260105-3"): "2026-01-06 00:00:10",
        ("ticket.opened", "112-20260105-3"): "2026-01-06 00:00:10",
        ("call.ended", "112-20260105-3"): "2026-01-06 00:01:05",
        ("ticket.sent", "112-20260105-3"): "2026-01-06 00:01:05",
    }


def test_january_s_rows_fold_to_the_figures_of_an_independent_computation() -> None:
    found = Read(anonymous_bank.data("january1999.tsv.gz"), shipped("anonymous_bank"), anonymous_bank.CENTRE)
    assert not found.bad

    monitor = anonymous_bank.folded(found.events)

    last = monitor.newest()
    assert last is not None
    numbers, waits, seconds = anonymous_bank.totals(monitor, last)
    assert numbers["psap_calls_offered_total"] == 31_359
    assert numbers["psap_calls_ended_total answered"] == 27_060
    assert numbers["psap_calls_ended_total abandoned"] + numbers["psap_calls_ended_total short_abandoned"] == 4_299
    assert waits["answered"] == anonymous_bank.ANSWERED
    # Who hung up before the queue did not wait.
    assert waits["abandoned"] == [calls + 1_198 for calls in anonymous_bank.ABANDONED]
    assert seconds == {"answered": 947_857, "abandoned": 188_305}


def _examples() -> list[tuple[str, str, str]]:
    """Table, query and what comes out, of each example of the page for strangers."""
    page = Path(streams.sources.__file__).with_name("README.md").read_text()
    return re.findall(r"```csv\n(.*?)```\n+```sql\n(.*?)```\n+```text\n(.*?)```", page, re.DOTALL)


def test_every_example_of_the_page_gives_what_it_says(tmp_path: Path) -> None:
    examples = _examples()
    assert len(examples) == 5
    for table, sql, said in examples:
        found = read(tmp_path, table, sql)
        told = [
            " ".join([time, kind, *(f"{name}={value}" for name, value in data.items() if not name.startswith("caller"))])
            for kind, time, data in found.told
        ]
        assert (told, found.bad) == (said.splitlines(), {})


def test_every_query_that_comes_along_stands_on_the_page() -> None:
    folder = Path(streams.sources.__file__).parent
    names = {path.stem for path in folder.glob("*.sql")} - {"macros"}

    assert names <= set(re.findall(r"`(\w+)`", (folder / "README.md").read_text()))


CELLS = st.one_of(
    st.sampled_from(
        [
            "0:55",
            "5 Januari 2026",
            "15.04",
            "WIB",
            "-",
            "0",
            "1970-01-01",
            "70,5",
            "Dijawab",
            "5 Jan 2026",
            "23:59",
            "1e9",
            "9" * 30,
        ]
    ),
    st.text(max_size=12),
)


EVERY_MACRO = Query(
    """
SELECT
    'call.ended' AS type, zone(strptime(bulan(day), '%d %m %Y') + to_seconds(clock(hour)), zone) AS time, code(call) AS call,
    seconds(talked) AS talk_seconds, status AS "by"
FROM rows
""",
    BOGOR,
    Door(KEY, [BOGOR]),
)


@settings(deadline=None, max_examples=5)
@given(st.lists(st.lists(CELLS, min_size=6, max_size=6), min_size=1, max_size=3))
def test_whatever_stands_in_a_table_no_cell_of_it_stands_in_a_message(table: list[list[str]]) -> None:
    marked = [[f"{cell}Rahasia" for cell in row] for row in table]

    for cells in (table, marked):
        told = EVERY_MACRO.events(
            [dict(zip(("day", "hour", "zone", "call", "talked", "status"), row, strict=True)) for row in cells]
        )
        assert len(told.events) + len({line for line, _ in told.faults}) + len(told.silent) == len(cells)
        assert "Rahasia" not in str(told.faults)


def test_a_call_that_is_offered_and_never_ends_is_told_by_its_line(tmp_path: Path) -> None:
    """Its end was empty, and it would wait on the wall for hours."""
    table = "id,at,over\n1,2026-01-05 08:00,2026-01-05 08:02\n2,2026-01-05 08:01,\n3,2026-01-05 08:03,2026-01-05 08:04\n"
    ended = """ UNION ALL BY NAME SELECT 'call.ended' AS type, "over" AS time, id AS call FROM rows"""
    assert read(tmp_path, table, CALL + ended).endless == [3]
    assert read(tmp_path, table, CALL.replace("call.offered", "call.abandoned")).endless == []

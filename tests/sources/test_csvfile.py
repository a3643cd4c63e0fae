import gzip
import json
from pathlib import Path

import pytest

import streams.sources
from schemas.event import Event
from streams import centres
from streams.sources import csvfile
from streams.sources.door import Door
from streams.sources.pseudonym import keyed
from tests.sources import anonymous_bank

PACKAGED = Path(streams.sources.__file__).with_name("anonymous_bank.toml").read_text()

MAPPING = """
source = "exchange"
timezone = "Asia/Jakarta"
date = { column = "day", clock = "in" }

[absent]
seat = ["-"]

[time]
offered = { clock = "in" }
answered = { clock = ["picked_up", "in"] }

[[event]]
type = "call.offered"
time = "offered"
when = { result = ["ok", "lost"] }
data = { call = "{id}", queue = "112", caller = "{number}" }

[[event]]
type = "call.answered"
time = "answered"
when = { result = ["ok"] }
data = { call = "{id}", seat = "{seat}" }
"""
HEADER = "id,day,in,picked_up,result,seat,number"


def read(rows: str, mapping: str = MAPPING, key: bool = True) -> tuple[list[Event], list[tuple[int, str]]]:
    bad: list[tuple[int, str]] = []
    door = Door(keyed(b"a key of the test, long enough") if key else None, [anonymous_bank.CENTRE])
    table = csvfile.Table(csvfile.parse(mapping), anonymous_bank.CENTRE, door)
    return table.events(f"{HEADER}\n{rows}".splitlines(), lambda line, reason: bad.append((line, reason))), bad


def test_rows_become_events_in_the_order_of_time() -> None:
    events, bad = read("b,2024-06-01,9:00:00,9:00:30,ok,SIP/1,0812\na,2024-06-01,8:59,,lost,-,")
    assert not bad
    assert [(event.type, event.time.isoformat()) for event in events] == [
        ("call.offered", "2024-06-01T01:59:00+00:00"),
        ("call.offered", "2024-06-01T02:00:00+00:00"),
        ("call.answered", "2024-06-01T02:00:30+00:00"),
    ]
    assert {event.source for event in events} == {"/32.71/exchange"}


def test_a_clock_after_midnight_is_on_the_next_day() -> None:
    events, _ = read("a,2024-06-01,23:59:50,0:00:10,ok,-,")
    assert (events[1].time - events[0].time).total_seconds() == 20


def test_two_clocks_that_differ_by_a_second_do_not_make_a_day() -> None:
    events, _ = read("a,2024-06-01,9:00:01,9:00:00,ok,-,")
    assert (events[1].time - events[0].time).total_seconds() == 0


def test_no_number_and_no_name_gets_into_an_event() -> None:
    events, _ = read("a,2024-06-01,9:00,,ok,Budi,08123456789")
    said = " ".join(event.model_dump_json() for event in events)
    assert "0812" not in said
    assert "Budi" not in said
    assert '"caller":"' in said
    assert '"seat":"seat-' in said
    unkeyed, _ = read("a,2024-06-01,9:00,,ok,Budi,08123456789", key=False)
    assert [event.id for event in unkeyed[:1]] == [events[0].id]


def test_a_class_column_becomes_a_class_of_ours_and_never_free_text() -> None:
    classes = '[[event]]\ntype = "call.classified"\ntime = "offered"\ndata = { call = "{id}", class = "{number}" }'
    rows = "a,2024-06-01,9:00,,lost,-,Salah Sambung\nb,2024-06-01,9:01,,lost,-,Pak Budi 0812"

    events, bad = read(rows, f"{MAPPING}\n{classes}")

    assert not bad
    told = [event.data.model_dump(exclude_none=True) for event in events if event.type == "call.classified"]
    assert told == [{"call": "a", "class_": "misdirected"}, {"call": "b", "class_": "unknown"}]


def test_a_bad_row_is_reported_by_line_and_column_without_its_cell_and_the_others_go_on() -> None:
    rows = [
        "a,2024-06-01,9:00,,ok,-,",
        "b,Budi,9:00,,ok,-,",
        "c,2024-06-01,25:00,,ok,-,",
        "d,2024-06-01,,,ok,-,",
        "e Budi,2024-06-01,9:00,,ok,-,",
        "f,2024-06-01",
        "g,9999-12-31,23:59:59,0:00:01,ok,-,",
        'h"x,2024-06-01,9:00,,ok,"' + "x" * 200_000 + '",',
        "z,2024-06-01,9:01,,lost,-,",
    ]
    events, bad = read("\n".join(rows))
    assert [event.data.model_dump()["call"] for event in events] == ["a", "a", "z"]
    assert dict(bad) == {
        3: "column day: not of the form %Y-%m-%d",
        4: "column in: no time of day such as 9:05:30",
        5: "column in: says nothing",
        6: "call.offered, field data.call: string pattern mismatch",
        7: "2 columns where the header has 7",
        8: "a time outside of the years 1 to 9999",
        9: "no readable row: a quotation mark or a cell that goes on too long",
    }


def test_text_that_is_no_utf8_is_read() -> None:
    table = csvfile.Table(csvfile.parse(MAPPING), anonymous_bank.CENTRE)
    lines = [b"\xef\xbb\xbf" + HEADER.encode(), b"a,2024-06-01,9:00,,ok,caf\xe9,"]
    assert len(table.events(lines, lambda line, reason: pytest.fail(reason))) == 2


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[absent]", "[absent", "no valid TOML: .*line 6"),
        ('source = "exchange"', "sauce = 1", "sauce: no such key"),
        ("Asia/Jakarta", "Asia/Bogor", "timezone: is no time zone"),
        ("call.answered", "call.picked_up", r"event\.2\.type: no event type call.picked_up"),
        ('time = "offered"', 'time = "came"', r"event\.1\.time: \[time\] has no came"),
        ("queue =", "line =", r"event\.1\.data\.line: call.offered has call"),
        ('{ clock = "in" }\nanswered', '{ after = "answered" }\nanswered', r"time\.offered: after and seconds go together"),
        (
            '{ clock = "in" }\nanswered',
            '{ after = "offered", seconds = "id" }\nanswered',
            r"time\.offered\.after: comes after itself",
        ),
        ('date = { column = "day", clock = "in" }', "", r"time\.offered\.clock: needs the key date"),
        ("{number}", "{telephone}", "the table has no column telephone"),
    ],
)
def test_a_wrong_mapping_is_refused_with_its_key(old: str, new: str, said: str) -> None:
    with pytest.raises(csvfile.MappingError, match=said):
        read("", MAPPING.replace(old, new))


def test_a_field_that_is_a_number_takes_the_cell_s_text() -> None:
    mapping = MAPPING.replace("call.answered", "operator.ring_no_answer").replace(
        'call = "{id}", seat = "{seat}"', 'seat = "{seat}", ring_seconds = "{number}"'
    )
    events, bad = read("a,2024-06-01,9:00,,ok,SIP/1,12.5", mapping)
    assert not bad
    assert events[1].data.model_dump()["ring_seconds"] == 12.5


UNITS = """
timezone = "Asia/Jakarta"

[time]
free = { column = "free" }
there = { column = "there" }

[[event]]
type = "ticket.unit_arrived"
time = "there"
optional = true
data = { ticket = "{ticket}", opd = "damkar", unit = "{unit}" }

[[event]]
type = "ticket.closed"
time = "free"
last_of = "ticket"
data = { ticket = "{ticket}" }
"""


def test_what_no_row_says_alone_is_told_once_by_the_last_of_several() -> None:
    rows = ["t1,u1,,2024-06-01T09:30:00", "t2,u2,2024-06-01T09:10:00,2024-06-01T09:40:00", "t1,u3,,2024-06-01T09:20:00"]
    table = csvfile.Table(csvfile.parse(UNITS), anonymous_bank.CENTRE)

    events = table.events(["ticket,unit,there,free", *rows], lambda line, reason: pytest.fail(f"line {line}: {reason}"))

    assert [(event.type, event.data.model_dump()["ticket"], f"{event.time:%H:%M}") for event in events] == [
        ("ticket.unit_arrived", "t2", "02:10"),
        ("ticket.closed", "t1", "02:30"),
        ("ticket.closed", "t2", "02:40"),
    ]


def test_an_optional_moment_may_say_nothing_but_not_something_wrong() -> None:
    table = csvfile.Table(csvfile.parse(UNITS), anonymous_bank.CENTRE)
    bad: list[str] = []

    assert table.events(["ticket,unit,there,free", "t1,u1,soon,2024-06-01T09:30:00"], lambda _, why: bad.append(why)) == []
    assert bad == ["column there: not of the form ISO 8601"]


def test_a_column_to_look_for_the_last_of_must_be_there() -> None:
    with pytest.raises(csvfile.MappingError, match="the table has no column incident"):
        read("", MAPPING.replace('time = "offered"\n', 'time = "offered"\nlast_of = "incident"\n', 1))


TICKETS = """
[time]
created = { epoch = "created" }
sent = { epoch = "sent" }
ack = { epoch = "ack" }

[[event]]
type = "ticket.opened"
time = "created"
data = { ticket = "{ticket}", category = "{kategori}" }

[[event]]
type = "ticket.sent"
time = "sent"
optional = true
data = { ticket = "{ticket}", opd = "{opd}" }

[[event]]
type = "ticket.acknowledged"
time = "ack"
optional = true
data = { ticket = "{ticket}", opd = "{opd}" }
"""
FIRE = """
date = { column = "tgl", format = "%d-%m-%Y", clock = "masuk" }

[time]
masuk = { clock = "masuk" }
berangkat = { clock = "berangkat" }
sampai = { clock = "sampai" }
selesai = { clock = "selesai" }

[[event]]
type = "ticket.opened"
time = "masuk"
data = { ticket = "{no}", category = "kebakaran" }

[[event]]
type = "ticket.unit_dispatched"
time = "berangkat"
data = { ticket = "{no}", opd = "damkar", unit = "u{no}" }

[[event]]
type = "ticket.unit_arrived"
time = "sampai"
data = { ticket = "{no}", opd = "damkar", unit = "u{no}" }

[[event]]
type = "ticket.unit_available"
time = "selesai"
data = { ticket = "{no}", opd = "damkar", unit = "u{no}" }

[[event]]
type = "ticket.closed"
time = "selesai"
data = { ticket = "{no}" }
"""
STATUS = """
[time]
masuk = { column = "Masuk", format = "%d/%m/%Y %H:%M:%S" }
jawab = { column = "Jawab", format = "%d/%m/%Y %H:%M:%S" }
selesai = { column = "Selesai", format = "%d/%m/%Y %H:%M:%S" }

[[event]]
type = "call.offered"
time = "masuk"
data = { call = "{ID}", queue = "112" }

[[event]]
type = "call.answered"
time = "jawab"
when = { Status = ["DIJAWAB"] }
data = { call = "{ID}" }

[[event]]
type = "call.ended"
time = "selesai"
when = { Status = ["DIJAWAB"] }
data = { call = "{ID}" }

[[event]]
type = "call.abandoned"
time = "selesai"
when = { Status = ["TIDAK DIJAWAB"] }
data = { call = "{ID}" }
"""
AT = """
[time]
at = { column = "at" }

[[event]]
type = "call.offered"
time = "at"
data = { call = "{id}", queue = "112" }
"""
GAUGE = """
[time]
at = { column = "waktu", format = "%d-%m-%Y %H:%M" }

[[event]]
type = "gauge.read"
time = "at"
optional = true
data = { gauge = "{pos}", level_centimetres = "{tma}" }
"""
BOGOR = centres.load([])["32.71"]


def told(mapping: str, rows: str) -> tuple[list[tuple[str, str, dict[str, object]]], list[tuple[int, str]]]:
    """What a table gives at Kota Bogor: type, local time and data of each event; and its bad rows."""
    bad: list[tuple[int, str]] = []
    table = csvfile.Table(csvfile.parse(mapping), BOGOR, Door(keyed(b"a key of the test, long enough"), [BOGOR]))
    events = table.events(rows.strip().splitlines(), lambda line, reason: bad.append((line, reason)))
    return [
        (e.type, f"{e.time.astimezone(BOGOR.timezone):%Y-%m-%d %H:%M:%S}", e.data.model_dump(exclude_none=True, by_alias=True))
        for e in events
    ], bad


@pytest.mark.parametrize("unset", ["0", "", "-", "0.0", "NULL", " null ", "\\N"])
def test_a_moment_that_was_never_is_not_in_1970(unset: str) -> None:
    rows = "ticket,opd,kategori,created,sent,ack\nT-1,damkar,kebakaran,1764118800,1764118830,1764118900\n"
    events, bad = told(TICKETS, rows + f"T-2,damkar,kebakaran,1764119800,{unset},{unset}")

    assert not bad
    assert [(kind, data["ticket"]) for kind, _, data in events] == [
        ("ticket.opened", "T-1"), ("ticket.sent", "T-1"), ("ticket.acknowledged", "T-1"), ("ticket.opened", "T-2"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "unset",
    ["0000-00-00 00:00:00", "1970-01-01 00:00:00", "1970-01-01T07:00+07:00", "1970-01-01 07:00", "1900-01-01", "0001-01-01"],
)
def test_nor_is_one_that_is_written_as_the_first_day_of_a_computer(unset: str) -> None:
    mapping = AT.replace('time = "at"', 'time = "at"\noptional = true')

    assert told(mapping, f"id,at\n1,{unset}\n2,2025-11-26 08:00") == (
        [("call.offered", "2025-11-26 08:00:00", {"call": "2", "queue": "112", "clock": "arrival"})],
        [],
    )


def test_a_fire_that_lasts_beyond_midnight_is_over_after_it_began() -> None:
    rows = [
        "1,26-11-2025,23:50,23:58,00:10,01:30",
        "2,26-11-2025,14:00,14:05,14:02,03:00",
        "3,26-11-2025,02:00,02:05,02:20,23:00",
        "4,26-11-2025,14:00,14:05,14:20,02:30",
        "5,26-11-2025,10:00,10:05,10:20,09:00",
    ]
    events, bad = told(FIRE, "\n".join(["no,tgl,masuk,berangkat,sampai,selesai", *rows]))

    assert not bad
    assert {str(data["ticket"]): time for kind, time, data in events if kind == "ticket.closed"} == {
        "1": "2025-11-27 01:30:00",
        "2": "2025-11-27 03:00:00",
        "3": "2025-11-26 23:00:00",
        "4": "2025-11-27 02:30:00",
        "5": "2025-11-27 09:00:00",
    }


def test_a_row_whose_call_would_end_before_it_began_is_reported() -> None:
    rows = "ID,Masuk,Jawab,Selesai,Status\n1,26/11/2025 08:00:00,25/11/2025 08:00:10,26/11/2025 08:02:00,DIJAWAB"

    assert told(STATUS, rows) == ([], [(2, "call.answered would be before call.offered")])


def test_an_outcome_is_understood_however_it_is_spelt_and_reported_by_its_row_where_it_is_not() -> None:
    rows = """
ID,Masuk,Jawab,Selesai,Status
1,26/11/2025 08:00:00,26/11/2025 08:00:10,26/11/2025 08:02:00,Dijawab
2,26/11/2025 08:01:00,,26/11/2025 08:01:40, TIDAK  dijawab\u0020
3,26/11/2025 08:01:00,,26/11/2025 08:01:40,SIBUK
"""
    events, bad = told(STATUS, rows)

    assert [(kind, data["call"]) for kind, _, data in events] == [
        ("call.offered", "1"), ("call.answered", "1"), ("call.offered", "2"), ("call.abandoned", "2"), ("call.ended", "1"),
    ]  # fmt: skip
    assert bad == [(4, "column Status: a word that the mapping does not have")]


def test_two_columns_of_one_name_are_refused_where_the_mapping_means_one_of_them() -> None:
    with pytest.raises(csvfile.MappingError, match="the table has 2 columns Masuk"):
        told(STATUS, "ID,Masuk,Masuk,Jawab,Selesai,Status\n")
    assert told(STATUS, "ID,Masuk,Jawab,Selesai,Status,Catatan,Catatan\n") == ([], [])


def test_no_first_row_of_a_table_stands_in_a_message() -> None:
    with pytest.raises(csvfile.MappingError) as refused:
        told(STATUS, "Budi Contoh,0800000001,0800000001,c1.1\n")

    assert str(refused.value) == (
        "the table has no column ID; its first line has 4 cells. "
        "If it has no header line, name its columns in the mapping: header = [...]"
    )


def test_a_table_without_a_header_is_read_with_names_of_the_mapping() -> None:
    names = "accountcode src dst dcontext clid channel dstchannel lastapp lastdata start answer end duration billsec disposition"
    mapping = f"""
header = {json.dumps([*names.split(), "amaflags", "uniqueid", "userfield", "linkedid"])}

[time]
answer = {{ column = "answer" }}

[[event]]
type = "call.answered"
time = "answer"
when = {{ disposition = ["answered"] }}
data = {{ call = "{{linkedid}}" }}

[skip]
disposition = ["no answer"]
"""
    rows = """
"",0800000001,112,ext,,t-01,11-02,Queue,112,2026-01-05 15:00:00,,2026-01-05 15:00:15,1,0,NO ANSWER,3,c1.1,,c1.1
"",0800000001,112,ext,,t-01,12-03,Queue,112,2026-01-05 15:00:15,2026-01-05 15:00:20,2026-01-05 15:01:20,5,0,ANSWERED,3,c1.1,,c1.1
"",0800000002,112,ext,,t-02,11-05,Queue,112,2026-01-05 15:02:00,,2026-01-05 15:02:15,15,0,Budi,3,c2.1,,c2.1
"""

    assert told(mapping, rows) == (
        [("call.answered", "2026-01-05 15:00:20", {"call": "c1.1"})],
        [(3, "column disposition: a word that the mapping does not have")],
    )


@pytest.mark.parametrize(
    "cell",
    [
        "2025-11-26 08:00:00 UTC", "2025-11-26 08:00:00 GMT", "2025-11-26 08:00:00Z", "2025-11-26T08:00:00+00:00",
        "2025-11-26 08:00 utc", "2025-11-26 15:00:00 WIB", "2025-11-26 16:00 WITA", "2025-11-26 17:00 WIT",
        "2025-11-26 15:00:00+07:00", "2025-11-26 15:00+07", "2025-11-26 15:00:00.000 +0700", "2025-11-26 15:00 UTC+7",
        "2025-11-26 15:00",
    ],
)  # fmt: skip
def test_a_zone_behind_a_time_counts(cell: str) -> None:
    events, bad = told(AT, f"id,at\n1,{cell}")

    assert not bad
    assert [time for _, time, _ in events] == ["2025-11-26 15:00:00"]


@pytest.mark.parametrize("layout", ["%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M %Z", "%d/%m/%Y %H:%M %z"])
def test_a_zone_counts_in_a_form_of_its_own_too(layout: str) -> None:
    mapping = AT.replace('column = "at"', f'column = "at", format = "{layout}"')

    assert [time for _, time, _ in told(mapping, "id,at\n1,26/11/2025 08:00 UTC")[0]] == ["2025-11-26 15:00:00"]


def test_a_zone_that_nobody_knows_is_reported() -> None:
    assert told(AT, "id,at\n1,2025-11-26 08:00:00 XYZ") == ([], [(2, "column at: not of the form ISO 8601")])


def test_a_clock_without_a_date_is_refused_and_not_of_1900() -> None:
    assert told(AT, "id,at\n1,08:00") == ([], [(2, "column at: not of the form ISO 8601")])
    for layout in ("%H:%M", "%d/%m %H:%M"):
        with pytest.raises(csvfile.MappingError, match=r"time\.at\.format: says no year and day"):
            csvfile.parse(AT.replace('column = "at"', f'column = "at", format = "{layout}"'))


def test_levels_are_read_as_people_write_them_and_a_gap_is_a_gap() -> None:
    rows = """
pos,waktu,tma
Katulampa,26-11-2025 08:00,"70,5"
katulampa,26-11-2025 08:10,80
KATULAMPA,26-11-2025 08:20,0.9 m
katulampa,26-11-2025 08:30,-
katulampa,26-11-2025 08:40,"1,200"
katulampa,26-11-2025 08:50,900 mm
katulampa,26-11-2025 09:00,tinggi
"""
    events, bad = told(GAUGE, rows)

    assert [data for _, _, data in events] == [{"gauge": "katulampa", "level_centimetres": level} for level in (70.5, 80, 90, 90)]
    assert [line for line, _ in bad] == [6, 8], "1,200 may be 1.2 or 1200"
    assert "tinggi" not in str(bad)


def test_clocks_of_twelve_hours_and_fractions_of_a_day_are_clocks() -> None:
    mapping = MAPPING.replace('"Asia/Jakarta"', '"UTC"').replace(
        '{ clock = ["picked_up", "in"] }', '{ after = "offered", seconds = "picked_up" }'
    )
    header = HEADER.replace("id,", "  id,")
    rows = [
        "1,2021-01-01,8:28:25 AM,12:02:23 AM,ok,-,",
        "2,2021-01-01,12:14:28 PM,72,ok,-,",
        "3,2021-01-01,0.38400462962963,109,ok,-,",
        '4,2021-01-01,"0,5",12,lost,-,',
        "5,2021-01-01,13:00 PM,12,lost,-,",
    ]
    bad: list[int] = []
    events = csvfile.Table(csvfile.parse(mapping), anonymous_bank.CENTRE).events(
        [header, *rows], lambda line, _: bad.append(line)
    )

    assert [f"{event.time:%H:%M:%S}" for event in events] == [
        "08:28:25", "08:30:48", "09:12:58", "09:14:47", "12:14:28", "12:15:40",
    ]  # fmt: skip
    assert bad == [5, 6]


def test_a_call_is_open_until_its_last_unit_is_back_and_a_unit_busy_until_it_is() -> None:
    rows = """
Call Number,Unit ID,Original Priority,Received DtTm,Dispatch DtTm,On Scene DtTm,Available DtTm
900000001,E01,3,04/17/2020 01:00:00 PM,04/17/2020 01:02:00 PM,04/17/2020 01:07:00 PM,04/17/2020 01:40:00 PM
900000002,E02,3,04/17/2020 02:30:00 PM,04/17/2020 02:32:00 PM,04/17/2020 02:38:00 PM,
900000003,E03,2,04/17/2020 02:35:00 PM,04/17/2020 02:36:00 PM,04/17/2020 02:41:00 PM,04/17/2020 02:50:00 PM
900000003,M04,2,04/17/2020 02:35:00 PM,04/17/2020 02:36:30 PM,04/17/2020 02:44:00 PM,
900000003,T05,2,04/17/2020 02:35:00 PM,04/17/2020 02:37:00 PM,,
"""
    mapping = Path(streams.sources.__file__).with_name("sf_fire.toml").read_text()
    events, bad = told(mapping, rows)
    opened, closed = ({str(d["ticket"]) for kind, _, d in events if kind == f"ticket.{what}"} for what in ("opened", "closed"))
    sent, back = (
        {str(d["unit"]) for kind, _, d in events if kind == f"ticket.unit_{what}"} for what in ("dispatched", "available")
    )

    assert not bad
    assert opened - closed == {"900000002", "900000003"}
    assert sent - back == {"E02", "M04", "T05"}


def test_a_mapping_nested_too_deeply_is_refused() -> None:
    with pytest.raises(csvfile.MappingError, match="nested too deeply"):
        csvfile.parse("time = " + "[" * 3_000 + "]" * 3_000)


def test_january_s_rows_fold_to_the_figures_of_an_independent_computation() -> None:
    table = csvfile.Table(csvfile.parse(PACKAGED), anonymous_bank.CENTRE)
    with gzip.open(anonymous_bank.data("january1999.tsv.gz")) as lines:
        monitor = anonymous_bank.folded(table.events(lines, lambda line, reason: pytest.fail(f"line {line}: {reason}")))
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

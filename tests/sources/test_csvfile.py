import gzip
from pathlib import Path

import pytest

import streams.sources
from schemas.event import Event
from streams.sources import csvfile
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
    pseudonym = keyed(b"a key of the test, long enough") if key else None
    table = csvfile.Table(csvfile.parse(mapping), anonymous_bank.CENTRE, pseudonym)
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
    assert abs((events[1].time - events[0].time).total_seconds()) == 1


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
    classes = '[[event]]\ntype = "call.classified"\ntime = "offered"\ndata = { call = "{id}", class = "{result}" }'
    rows = "a,2024-06-01,9:00,,Salah Sambung,-,\nb,2024-06-01,9:01,,Pak Budi 0812,-,"

    events, bad = read(rows, f"{MAPPING}\n{classes}")

    assert not bad
    told = [event.data.model_dump() for event in events if event.type == "call.classified"]
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
    lines = [b"\xef\xbb\xbf" + HEADER.encode(), b"a,2024-06-01,9:00,,caf\xe9,-,"]
    assert len(table.events(lines, lambda line, reason: pytest.fail(reason))) == 1


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

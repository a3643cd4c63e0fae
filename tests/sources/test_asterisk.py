import gzip
import json
import random
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.calls import CallEnded, CallOffered
from schemas.event import Event
from schemas.topics import decode, encode
from streams.sources import asterisk
from streams.sources.door import UNNAMED_SEAT, Door
from streams.sources.pseudonym import keyed
from tests.builders import BOGOR, changed
from tests.conftest import DATA
from tests.sources import anonymous_bank
from tests.sources.anonymous_bank import CENTRE

KEY = keyed(b"a key of the test, long enough")
WITH_NEIGHBOUR = changed(CENTRE, neighbours=({"code": "32.06", "also": ("8206", "Tasik")},))
TRANSFERRED = {"call": "1.1", "queue": "112", "seat": "Agent/1", "talk_seconds": 9.0}


def read(text: str | bytes, key: bool = True) -> tuple[list[Event], Counter[str], list[tuple[int, str]]]:
    bad: list[tuple[int, str]] = []
    door = Door(KEY if key else None, [WITH_NEIGHBOUR])
    events = asterisk.events(
        text.splitlines(), WITH_NEIGHBOUR, "/32.71/asterisk", door, on_bad=lambda number, reason: bad.append((number, reason))
    )
    return list(events), door.passed_over, bad


def facts(text: str) -> list[tuple[str, dict[str, object]]]:
    events, _, bad = read(text)
    assert not bad
    return [(event.type, event.data.model_dump(by_alias=True, exclude_unset=True, exclude_none=True)) for event in events]


@pytest.mark.parametrize(
    ("line", "event", "data"),
    [
        ("1|1.1|112|NONE|ENTERQUEUE|||1", "call.offered", {"call": "1.1", "queue": "112", "clock": "queue"}),
        (
            "1|1.1|112|NONE|ENTERQUEUE||201|1",
            "call.offered",
            {"call": "1.1", "queue": "112", "clock": "queue", "direction": "internal"},
        ),
        (
            "1|1.1|keluar|NONE|CALLOUTBOUND||0800000001|1",
            "call.offered",
            {"call": "1.1", "queue": "keluar", "clock": "queue", "direction": "outbound"},
        ),
        (
            "1|1.1|QueueDial|PJSIP/11|CALLOUTBOUND||0800000001|1",
            "call.offered",
            {"call": "1.1", "queue": "QueueDial", "clock": "queue", "direction": "outbound"},
        ),
        ("1|1.1|112|SIP/1001|CONNECT|4|1.2|3", "call.answered", {"call": "1.1", "queue": "112", "seat": "SIP/1001"}),
        ("1|1.1|112|NONE|CONNECT|4|1.2|3", "call.answered", {"call": "1.1", "queue": "112"}),
        (
            "1|1.1|112|Agent/1|COMPLETECALLER|4|9|1",
            "call.ended",
            {"call": "1.1", "queue": "112", "by": "caller", "seat": "Agent/1", "talk_seconds": 9.0},
        ),
        (
            "1|1.1|112|Agent/1|COMPLETEAGENT|4|9|1",
            "call.ended",
            {"call": "1.1", "queue": "112", "by": "seat", "seat": "Agent/1", "talk_seconds": 9.0},
        ),
        ("1|1.1|112|Agent/1|COMPLETEAGENT|4|-9", "call.ended", {"call": "1.1", "queue": "112", "by": "seat", "seat": "Agent/1"}),
        (
            "1|1.1|112|Agent/1|COMPLETEAGENT|4|86401",
            "call.ended",
            {"call": "1.1", "queue": "112", "by": "seat", "seat": "Agent/1"},
        ),
        ("1|1.1|112|Agent/1|COMPLETEAGENT", "call.ended", {"call": "1.1", "queue": "112", "by": "seat", "seat": "Agent/1"}),
        ("1|1.1|NONE|NONE|COMPLETEAGENT|4|nine|1", "call.ended", {"call": "1.1", "by": "seat"}),
        ("1|1.1|112|Agent/1|ABANDON|1|1|9", "call.abandoned", {"call": "1.1", "queue": "112"}),
        ("1|1.1|112|NONE|EXITWITHTIMEOUT|1|1|9", "call.overflowed", {"call": "1.1", "queue": "112", "reason": "timeout"}),
        ("1|1.1|112|NONE|EXITEMPTY|1|1|9", "call.overflowed", {"call": "1.1", "queue": "112", "reason": "empty"}),
        ("1|1.1|112|NONE|LEAVEEMPTY||", "call.overflowed", {"call": "1.1", "queue": "112", "reason": "empty"}),
        ("1|1.1|112|NONE|EXITWITHKEY|2|1|1|9", "call.overflowed", {"call": "1.1", "queue": "112", "reason": "key"}),
        ("1|1.1|112|NONE|WITHDRAW|1|1|9|why", "call.overflowed", {"call": "1.1", "queue": "112", "reason": "withdrawn"}),
        ("1|1.1|112|Agent/1|BLINDTRANSFER|1005|ctx|4|9|1", "call.transferred", {**TRANSFERRED, "to": "1005"}),
        ("1|1.1|112|Agent/1|BLINDTRANSFER|8206|ctx|4|9|1", "call.transferred", {**TRANSFERRED, "to": "32.06"}),
        ("1|1.1|112|Agent/1|BLINDTRANSFER|Tasik|ctx|4|9|1", "call.transferred", {**TRANSFERRED, "to": "32.06"}),
        ("1|1.1|112|Agent/1|BLINDTRANSFER|08123456789|ctx|4|9|1", "call.transferred", TRANSFERRED),
        ("1|1.1|112|Agent/1|BLINDTRANSFER", "call.transferred", {"call": "1.1", "queue": "112", "seat": "Agent/1"}),
        ("1|1.1|112|Agent/1|ATTENDEDTRANSFER|APP|Queue|4|9|1", "call.transferred", TRANSFERRED),
        ("1|1.1|112|Agent/1|ATTENDEDTRANSFER|BRIDGE|527d93ae-ef73|4|9|1", "call.transferred", TRANSFERRED),
        ("1|1.1|112|Agent/1|ATTENDEDTRANSFER|LINK|Local/a-0;1|Local/a-0;2|4|9|1", "call.transferred", TRANSFERRED),
        ("1|1.1|112|Agent/1|TRANSFER|1005|ctx|4|9|1", "call.transferred", {**TRANSFERRED, "to": "1005"}),
        (
            "1|1.1|112|Agent/1|RINGNOANSWER|15500",
            "operator.ring_no_answer",
            {"seat": "Agent/1", "queue": "112", "call": "1.1", "ring_seconds": 15.5},
        ),
        ("1|NONE|NONE|Agent/1|AGENTLOGIN|SIP/1001-0000002a", "operator.logged_in", {"seat": "Agent/1"}),
        ("1|NONE|campaign|Agent/1|AGENTLOGIN|agents", "operator.logged_in", {"seat": "Agent/1"}),
        ("1|NONE|112|SIP/1|ADDMEMBER|", "operator.logged_in", {"seat": "SIP/1", "queue": "112"}),
        ("1|NONE|112|SIP/1|REMOVEMEMBER|", "operator.logged_out", {"seat": "SIP/1", "queue": "112"}),
        ("1|NONE|NONE|Agent/1|AGENTLOGOFF|SIP/1|77", "operator.logged_out", {"seat": "Agent/1"}),
        (
            "1|NONE|112|Agent/1|PAUSE|istirahat",
            "operator.paused",
            {"seat": "Agent/1", "queue": "112", "reason": "istirahat"},
        ),
        (
            "1|NONE|112|Agent/1|PAUSE|istirahat makan siang",
            "operator.paused",
            {"seat": "Agent/1", "queue": "112", "reason": "istirahat-makan-siang"},
        ),
        ("1|NONE|112|Agent/1|PAUSE|", "operator.paused", {"seat": "Agent/1", "queue": "112"}),
        ("1|NONE||Agent/1|PAUSE|", "operator.paused", {"seat": "Agent/1"}),
        ("1|NONE|112|Agent/1|PAUSEALL|", "operator.paused", {"seat": "Agent/1"}),
        ("1|NONE|112|Agent/1|PAUSEREASON|istirahat", "operator.paused", {"seat": "Agent/1", "reason": "istirahat"}),
        ("1|NONE|112|Agent/1|UNPAUSE|Auto-Unpause", "operator.resumed", {"seat": "Agent/1", "queue": "112"}),
        ("1|NONE|NONE|Agent/1|UNPAUSEALL|", "operator.resumed", {"seat": "Agent/1"}),
        ("1|NONE|NONE|Agent/1|WRAPUPSTART|15", "operator.wrap_up_started", {"seat": "Agent/1", "seconds": 15.0}),
        ("1|NONE|NONE|Agent/1|WRAPUPSTART|", "operator.wrap_up_started", {"seat": "Agent/1"}),
        ("1|NONE|NONE|NONE|QUEUESTART|", "exchange.restarted", {}),
        ("1|1.1|112|Agent/1|CALLSTATUS|PRANK", "call.classified", {"call": "1.1", "class": "prank"}),
        ("1|1.1|112|Agent/1|CALLSTATUS|Luar Wilayah", "call.classified", {"call": "1.1", "class": "out_of_area"}),
        ("1|1.1|112|Agent/1|DISPOSITION|Salah Sambung", "call.classified", {"call": "1.1", "class": "misdirected"}),
        ("1|1.1|112|Agent/1|CALLSTATUS|Siti, 0812", "call.classified", {"call": "1.1", "class": "unknown"}),
    ],
)
def test_a_verb_tells_its_event(line: str, event: str, data: dict[str, object]) -> None:
    assert facts(line) == [(event, data)]


def test_a_member_added_in_pause_is_logged_in_and_paused() -> None:
    assert [name for name, _ in facts("1|NONE|112|SIP/1|ADDMEMBER|PAUSED")] == ["operator.logged_in", "operator.paused"]


@pytest.mark.parametrize(
    ("verb", "reason"),
    [("FULL", "full"), ("DIVERT_CA_RATIO", "full"), ("DIVERT_HOLDTIME", "full"), ("JOINEMPTY", "empty"), ("CLOSED", "empty")],
)
def test_a_call_refused_at_the_door_is_offered_and_overflows(verb: str, reason: str) -> None:
    assert facts(f"1|1.1|112|NONE|{verb}|") == [
        ("call.offered", {"call": "1.1", "queue": "112", "clock": "queue"}),
        ("call.overflowed", {"call": "1.1", "queue": "112", "reason": reason}),
    ]


@pytest.mark.parametrize(
    "verb",
    [
        "AGENTDUMP",
        "SYSCOMPAT",
        "CONFIGRELOAD",
        "PENALTY",
        "RINGINUSE",
        "RINGCANCELED",
        "OUTCALL",
        "DID",
        "INFO",
        "CALLERONHOLD",
        "CALLEROFFHOLD",
    ],
)
def test_a_verb_that_says_nothing_of_calls_or_seats_is_counted_as_passed_over(verb: str) -> None:
    events, passed_over, bad = read(f"1|1.1|112|Agent/1|{verb}|x")
    assert (events, passed_over, bad) == ([], {verb: 1}, [])


def test_a_class_is_told_by_the_words_of_the_centres_file() -> None:
    reader = asterisk.Reader(changed(BOGOR, classes={"prank": ("Main-main",)}), "/a")

    ((number, (event,)),) = reader.read("1|1.1|112|Agent/1|CALLSTATUS|main main")
    assert (number, event.data.model_dump(exclude_none=True)) == (1, {"call": "1.1", "class_": "prank"})
    assert reader.read("1|1.1|112|Agent/1|CALLSTATUS| ") == ((2, ()),)
    assert reader.passed_over == {"CALLSTATUS of no class": 1}


def test_verbs_that_nobody_knows_cannot_fill_the_memory() -> None:
    _, passed_over, bad = read("\n".join(f"1|1.1|112|NONE|VERB{n}|" for n in range(10_000)) + "\n1|1.1|112|NONE|Budi 0812|")
    assert not bad
    assert sum(passed_over.values()) == 10_001
    assert len(passed_over) <= 65
    assert "Budi 0812" not in passed_over


def test_a_malformed_line_is_reported_by_number_and_fault_without_its_content() -> None:
    lines = [
        "|1.1|112|NONE|ENTERQUEUE||08123456789|1",
        "1|1.1|112|NONE|ENTERQUEUE||08123456789|1",
        "08123456789",
        "08123456789|1.1|112|NONE|ENTERQUEUE|||1"[2:].replace("123456789", "x08123456789", 1),
        "2|NONE|112|NONE|ENTERQUEUE||08123456789|1",
        "2|08123456789 Budi|112|NONE|ENTERQUEUE||08123456789|1",
        "2|1.2|112||PAUSE|08123456789",
        "3|1.1|112|NONE|ABANDON|1|1|2",
    ]
    events, _, bad = read("\n".join(lines))
    assert [event.type for event in events] == ["call.offered", "call.abandoned"]
    assert [number for number, _ in bad] == [1, 3, 4, 5, 6, 7]
    assert bad[3][1] == "field callid: missing"
    assert bad[4][1] == "field data.call: string pattern mismatch"
    assert "081" not in str(bad)
    assert "Budi" not in str(bad)


def test_no_hostile_line_stops_the_good_ones() -> None:
    chance = random.Random(112)
    good = b"1717397259.5|1717397259.1|112|PJSIP/1001|CONNECT|4|1.2|3"
    lines = []
    for _ in range(5_000):
        line = bytearray(good)
        for _ in range(chance.randrange(1, 8)):
            line[chance.randrange(len(line))] = chance.randrange(256)
        lines.append(bytes(line[: chance.randrange(len(line))]).replace(b"\n", b"") + b"\n")
    lines += [
        b"\xff" * 100_000,
        "１７|1|112|NONE|ABANDON".encode(),
        b"1e9|1|1|1|1",
        b"-1|1|1|1|1",
        b"nan|1|1|1|1",
        b"9" * 400 + b"|1|1|1|1",
    ]
    lines.append(good)
    *_, last = asterisk.events(lines, CENTRE, "/a", Door(KEY), on_bad=lambda number, reason: None)
    assert last.type == "call.answered"
    assert last.time == datetime(2024, 6, 3, 6, 47, 39, 500_000, tzinfo=UTC)


def test_the_same_line_has_the_same_id_wherever_it_stands_and_two_equal_lines_count_once() -> None:
    one = "1|1.1|112|NONE|ENTERQUEUE|||1"
    other = "1|1.1|112|Agent/1|CONNECT|0|1.2|0"
    whole = [event.id for event in read("\n".join([one, other, one]))[0]]
    assert whole[0] == whole[2] != whole[1]
    assert [event.id for event in read(other)[0]] == whole[1:2]
    assert len(whole[0]) <= 20


def test_two_lines_that_say_different_facts_are_two_events() -> None:
    lines = [
        "1|1.1|112|NONE|ENTERQUEUE||0800000001|1",
        "1|1.1|112|NONE|ENTERQUEUE||201|1",
        "1|1.1|112|NONE|CALLOUTBOUND||0800000001|1",
        *(
            f"1|{call}|{queue}|{seat}|{verb}"
            for call in ("1.1", "1.2")
            for queue in ("112", "rujukan")
            for seat in ("Agent/1", "Agent/2")
            for verb in (
                "CONNECT|4|1.2|3",
                "COMPLETECALLER|4|9|1",
                "COMPLETECALLER|4|8|1",
                "COMPLETEAGENT|4|9|1",
                "BLINDTRANSFER|1005|ctx|4|9|1",
                "BLINDTRANSFER|1006|ctx|4|9|1",
                "ATTENDEDTRANSFER|APP|Queue|4|9|1",
                "RINGNOANSWER|1000",
                "CALLSTATUS|PRANK",
            )
        ),
        *(
            f"1|NONE|{queue}|{seat}|{verb}"
            for queue in ("NONE", "112", "rujukan")
            for seat in ("Agent/1", "Agent/2")
            for verb in ("ADDMEMBER|", "REMOVEMEMBER|", "PAUSE|", "PAUSE|sholat", "UNPAUSE|")
        ),
        "1|NONE|NONE|Agent/1|WRAPUPSTART|15",
        "1|NONE|NONE|Agent/1|WRAPUPSTART|16",
        "8|NONE|NONE|NONE|QUEUESTART|",
        "9|NONE|NONE|NONE|QUEUESTART|",
    ]
    said: dict[str, tuple[object, ...]] = {}
    for event in read("\n".join(lines))[0]:
        fact = event.type, event.time, event.data
        assert said.setdefault(event.id, fact) == fact
    assert len(set(map(str, said.values()))) == 103


ENDS = ("ABANDON|1|1|5", "COMPLETECALLER|4|9|1", "COMPLETEAGENT|4|9|1")
LINES = st.lists(
    st.tuples(
        st.sampled_from((0, 0, 1, 2, 3)),
        st.sampled_from(
            (
                "1.1|112|NONE|ENTERQUEUE||0800000001|1",
                "1.1|112|Agent/1|CONNECT|4|1.2|3",
                *(f"{call}|112|Agent/1|{verb}" for call in ("1.1", "1.2") for verb in ENDS),
                "1.1|112|Agent/1|BLINDTRANSFER|1005|ctx|4|9|1",
                "1.1|112|Agent/1|RINGCANCELED|900",
                "NONE|112|Agent/1|ADDMEMBER|PAUSED",
                "NONE|NONE|NONE|QUEUESTART|",
                "1.1|112|NONE|FULL|",
                "NONE|112|NONE|ABANDON|1|1|5",
            )
        )
        | st.text(max_size=20),
    ),
    max_size=30,
)


def timed(steps: list[tuple[int, str]]) -> list[str]:
    """The lines with the times that they come at."""
    seconds = accumulate(step for step, _ in steps)
    return [f"{1_000_000_000 + second}|{line}" for second, (_, line) in zip(seconds, steps, strict=True)]


def told(reader: asterisk.Reader, lines: list[str]) -> list[tuple[int, Event]]:
    found: list[asterisk.Told] = []
    for line in lines:
        with suppress(asterisk.MalformedError):
            found += reader.read(line)
    return [(number, event) for number, events in found for event in events]


def rest(reader: asterisk.Reader) -> list[tuple[int, Event]]:
    return [(number, event) for number, events in reader.rest() for event in events]


def reader() -> asterisk.Reader:
    return asterisk.Reader(CENTRE, "/a", Door(KEY, [CENTRE]))


def of_a_shutdown(lines: list[str], at: int) -> bool:
    """Whether the line stands within two seconds before a restart."""
    if not lines[at].endswith(ENDS):
        return False
    second = int(lines[at].split("|")[0])
    return any(line.endswith("|QUEUESTART|") and 0 <= int(line.split("|")[0]) - second <= 2 for line in lines[at + 1 :])


@given(
    st.sampled_from(("id\ttime\tcallid\tqueuename\tagent\tevent\tdata1", "verb,agent,queue,call_id,time_id")),
    st.lists(st.text(max_size=40)),
)
def test_no_hostile_row_of_a_table_stops_the_good_ones(header: str, rows: list[str]) -> None:
    one = reader()
    good = "ENTERQUEUE,NONE,112,1.1,1" if "," in header else "7\t1\t1.1\t112\tNONE\tENTERQUEUE\t"
    assert told(one, [header, *rows, "x", "\t\r\t1", '"']) == []

    assert [event.type for _, event in told(one, [good])] == ["call.offered"]


@given(LINES)
def test_what_is_held_comes_in_order_and_nothing_is_lost_but_what_a_shutdown_wrote_of_who_waited(
    steps: list[tuple[int, str]],
) -> None:
    lines = timed(steps)
    alone = []
    for number, line in enumerate(lines):
        one = reader()
        for _, event in told(one, [line]) + rest(one):
            if not of_a_shutdown(lines, number):
                alone.append((number + 1, event))
            elif isinstance(event, CallEnded):
                alone.append((number + 1, event.model_copy(update={"data": event.data.model_copy(update={"by": None})})))
    whole = reader()

    assert told(whole, lines) + rest(whole) == alone
    assert not whole.held


@given(LINES, st.data())
def test_who_is_killed_and_begins_with_what_was_held_or_before_tells_the_same(
    steps: list[tuple[int, str]], data: st.DataObject
) -> None:
    lines = timed(steps)
    whole = reader()
    all_told = told(whole, lines) + rest(whole)
    killed, again = reader(), reader()
    cut = data.draw(st.integers(0, len(lines)), label="killed after")
    before = told(killed, lines[:cut])
    arrived = cut - killed.held
    start = data.draw(st.integers(0, arrived), label="begins after")

    assert before == [entry for entry in all_told if entry[0] <= arrived]
    assert [(start + number, event) for number, event in told(again, lines[start:]) + rest(again)] == [
        entry for entry in all_told if entry[0] > start
    ]


@pytest.mark.parametrize("later", ["3", "0", "2000000000"])
def test_a_line_is_held_until_one_is_read_that_no_shutdown_could_have_let_follow(later: str) -> None:
    one = reader()
    assert one.read("3|1.1|112|NONE|ABANDON|1|1|2") == []
    assert one.read("5|1.2|112|NONE|ENTERQUEUE|||1") == []
    with pytest.raises(asterisk.MalformedError):
        one.read("nonsense")
    assert one.held == 3
    released = told(one, [f"{later}|1.3|112|NONE|ENTERQUEUE|||1"])
    assert len(released) == (0 if later == "3" else 3)


def test_lines_that_never_come_to_a_later_time_are_not_held_without_end() -> None:
    one = reader()
    lines = [f"3|1.{n}|112|NONE|ABANDON|1|1|2" for n in range(3 * asterisk.HELD)]

    assert [number for number, _ in told(one, lines)] == list(range(1, 2 * asterisk.HELD + 1))
    assert one.held == asterisk.HELD


def test_a_shutdown_s_abandons_are_counted_as_passed_over() -> None:
    events, passed_over, _ = read("1|1.1|112|NONE|ABANDON|1|1|2\n3|NONE|NONE|NONE|QUEUESTART|\n3|NONE|NONE|NONE|QUEUESTART|")
    assert [event.type for event in events] == ["exchange.restarted"] * 2
    assert events[0] == events[1]
    assert passed_over == {"ABANDON of a shutdown": 1}


def test_a_wrap_up_of_no_time_is_none() -> None:
    assert read("1|NONE|NONE|Agent/1|WRAPUPSTART|0")[:2] == ([], {"WRAPUPSTART of no time": 1})


@pytest.mark.parametrize(("number", "internal"), [("11", True), ("00", False), ("1", False), ("99999", True), ("123456", False)])
def test_an_extension_that_calls_is_internal_and_no_caller(number: str, internal: bool) -> None:
    ((_, data),) = facts(f"1|1.1|112|NONE|ENTERQUEUE||{number}|1")
    assert ("direction" in data) == internal
    assert not (internal and "caller" in data)


def test_a_caller_is_a_keyed_hash_or_left_out_and_no_part_of_the_id() -> None:
    line = "1|1.1|112|NONE|ENTERQUEUE||{}|1"
    with_key, without_key = read(line.format("0812 345"))[0][0], read(line.format("0812 345"), key=False)[0][0]
    other = read(line.format("+62-813-345"))[0][0]
    assert b'"caller":"' in encode(with_key)
    assert b"caller" not in encode(without_key)
    assert with_key.data != other.data
    assert with_key.id == without_key.id == other.id
    assert read(line.format("anonymous"))[0][0].data == without_key.data
    assert read(line.format("+62812345"))[0][0].data == with_key.data


@pytest.mark.parametrize(
    ("agent", "seat"),
    [
        ("Agent/01", "Agent/01"),
        ("PJSIP/1001-0000002a", "PJSIP/1001"),
        ("Local/1001@from-queue/n", "Local/1001"),
        ("SIP/seat-3", "SIP/seat-3"),
        ("1001", "1001"),
    ],
)
def test_a_machine_made_seat_keeps_its_name(agent: str, seat: str) -> None:
    assert facts(f"1|NONE|112|{agent}|PAUSE|") == [("operator.paused", {"seat": seat, "queue": "112"})]


@pytest.mark.parametrize(
    "agent", ["Budi Santoso", "SIP/budi", "Agent/siti01", "Local/08123456789@from-queue/n", "agent-08123456789"]
)
def test_a_seat_that_may_be_a_person_is_a_keyed_hash_and_without_a_key_not_told(agent: str) -> None:
    ((_, data),) = facts(f"1|NONE|112|{agent}|PAUSE|")
    assert str(data["seat"]).startswith("seat-")
    assert len(str(data["seat"])) == 13
    events, passed_over, _ = read(f"1|NONE|112|{agent}|PAUSE|", key=False)
    assert (events, passed_over) == ([], {UNNAMED_SEAT: 1})
    ((_, answered),) = [(e.type, e.data.model_dump(exclude_none=True)) for e in read(f"1|1.1|112|{agent}|CONNECT|", key=False)[0]]
    assert answered == {"call": "1.1", "queue": "112"}
    assert read(f"1|1.1|112|{agent}|CONNECT|", key=False)[1] == {UNNAMED_SEAT: 1}


def test_every_name_of_a_queue_is_counted_under_a_code_and_two_names_are_two_events() -> None:
    names = ["Darurat 112", "112@kota", "_112", "112", "layanan-dárurat", "#112", "緊急", "Budi Contoh", "08123456789"]
    events, _, bad = read("\n".join(f"1|1.1|{name}|NONE|ENTERQUEUE|||1" for name in names))
    codes = [str(event.data.model_dump()["queue"]) for event in events]

    assert not bad
    assert codes[:6] == ["Darurat-112", "112@kota", "112", "112", "layanan-darurat", "112"]
    assert all(code.startswith("queue-") for code in codes[6:])
    assert len({event.id for event in events}) == len(names)
    unkeyed = [str(event.data.model_dump()["queue"]) for event in read(f"1|1.1|{names[-1]}|NONE|ENTERQUEUE|||1", key=False)[0]]
    assert unkeyed == ["other"]


def test_a_pause_of_a_person_s_own_is_a_keyed_hash_and_without_a_key_left_out() -> None:
    line = "1|NONE|112|Agent/1|PAUSE|makan bersama Siti"
    ((_, data),) = facts(line)
    assert str(data["reason"]).startswith("reason-")
    assert "reason" not in read(line, key=False)[0][0].data.model_dump(exclude_none=True)


@pytest.mark.parametrize("time", ["2026-13-01 00:00:00", "2026-01-01 25:00:00", "2026-01-01", "01/01/2026 00:00:00"])
def test_a_local_time_that_is_none_is_malformed(time: str) -> None:
    assert [number for number, _ in read(f"{time}|1.1|112|NONE|ENTERQUEUE|||1")[2]] == [1]


def test_a_key_that_could_be_guessed_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 16"):
        keyed(b"short")


def test_every_event_reads_back_from_its_json() -> None:
    events, _, _ = read(
        "1732406400.25|1.1|112|SIP/1|RINGNOANSWER|100\n1732406401|1.1|112|SIP/1|CALLSTATUS|GHOST\n"
        "1732406402|1.1|112|1|ENTERQUEUE||021|1"
    )
    assert [decode(encode(event)) for event in events] == events


def test_a_real_exchange_s_log_has_no_line_that_is_not_understood_and_every_visit_and_answer() -> None:
    events, passed_over, bad = read((DATA / "asterisk" / "queue_log").read_bytes())
    truth = json.loads((DATA / "asterisk" / "truth.json").read_text())["expected"]
    offered = Counter(event.data.queue for event in events if isinstance(event, CallOffered))
    assert bad == []
    assert passed_over.keys() == {"CONFIGRELOAD", "RINGCANCELED", "ABANDON of a shutdown"}
    assert offered == {queue: truth[queue]["offered"] for queue in ("112", "112-overflow")}
    assert sum(event.type == "call.answered" for event in events) == sum(truth[queue]["answered"] for queue in offered)


def test_january_s_queue_log_folds_to_the_figures_of_an_independent_computation() -> None:
    bad: list[int] = []
    with gzip.open(anonymous_bank.data("january1999.queue_log.gz")) as lines:
        monitor = anonymous_bank.folded(
            asterisk.events(lines, CENTRE, "/32.71/asterisk", on_bad=lambda number, reason: bad.append(number))
        )
    assert not bad
    last = monitor.newest()
    assert last is not None
    numbers, waits, seconds = anonymous_bank.totals(monitor, last)
    assert numbers["psap_calls_offered_total"] == numbers["psap_journeys_offered_total"] == 30_161
    assert waits == {"answered": anonymous_bank.ANSWERED, "abandoned": anonymous_bank.ABANDONED}
    assert seconds == {"answered": 947_857, "abandoned": 188_305}
    assert numbers["psap_calls_waiting_peak ever"] == 18
    assert (numbers["psap_calls_unended_total"], numbers["psap_calls_unmatched_total"]) == (0, 0)
    assert (
        numbers["psap_calls_waiting_peak_timestamp_seconds ever"]
        == datetime.fromisoformat("1999-01-03T16:35:58+02:00").timestamp()
    )


@pytest.mark.parametrize(
    ("moment", "waiting", "longest", "in_service", "today"),
    [
        ("1999-01-04T16:15:00+02:00", 4, 260, 3, (1_138, 985, 149)),
        ("1999-01-03T21:00:00+02:00", 1, 93, 4, (1_892, 1_724, 167)),
    ],
)
def test_january_as_of_a_moment(moment: str, waiting: int, longest: int, in_service: int, today: tuple[int, int, int]) -> None:
    now = datetime.fromisoformat(moment)
    with gzip.open(anonymous_bank.data("january1999.queue_log.gz")) as lines:
        events = asterisk.events(lines, CENTRE, "/32.71/asterisk", on_bad=lambda number, reason: None)
        monitor = anonymous_bank.folded(event for event in events if event.time <= now)
    readings = monitor.measure("32.71", now.timestamp())
    numbers, _, _ = anonymous_bank.totals(monitor, now.timestamp())
    oldest = min(
        value
        for metric, _, value in readings
        if metric.name == "psap_oldest_waiting_call_timestamp_seconds" and isinstance(value, float)
    )
    assert numbers["psap_calls_waiting"] == waiting
    assert now.timestamp() - oldest == longest
    assert numbers["psap_calls_in_service"] == in_service
    hung_up = numbers["psap_calls_today abandoned"] + numbers["psap_calls_today short_abandoned"]
    assert (numbers["psap_calls_today offered"], numbers["psap_calls_today answered"], hung_up) == today

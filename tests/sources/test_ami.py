"""Asterisk's manager interface, block by block: what a real recording does not hold, and what no exchange should send."""

import json
import random
import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.event import Event
from schemas.topics import decode, encode
from streams.core.centre import Centre, parse
from streams.sources import ami
from streams.sources.ami.blocks import LONGEST, Blocks
from streams.sources.ami.exchange import ANONYMOUS_TRUNK
from streams.sources.door import Door
from streams.sources.pseudonym import keyed
from tests.builders import changed
from tests.sources.recording_a import CENTRE, SOURCE, blocks_of, facts, reader, stream, told

AT = 1_795_720_000
CALLER = "0811223344"


def block(event: str, seconds: float = 0, **fields: Any) -> str:
    lines = [f"Event: {event}", f"Timestamp: {AT + seconds:.6f}", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join(lines) + "\r\n\r\n"


def arrival(uid: str, seconds: float = 0, trunk: str = "PJSIP/telkom", number: str = CALLER, **fields: Any) -> str:
    channel = {"Channel": f"{trunk}-0000000a", "ChannelStateDesc": "Ring", "CallerIDNum": number, "Exten": "112"} | fields
    return block("Newchannel", seconds, **channel, Uniqueid=uid, Linkedid=uid)


def of_caller(event: str, uid: str, seconds: float, **fields: Any) -> str:
    channel = {"Channel": "PJSIP/telkom-0000000a", "CallerIDNum": CALLER} | fields
    return block(event, seconds, **channel, Uniqueid=uid, Linkedid=uid)


def of_seat(event: str, uid: str, dest: str, seconds: float, seat: str = "PJSIP/1001", **fields: Any) -> str:
    leg = {
        "DestChannel": f"{seat}-0000000b",
        "DestUniqueid": dest,
        "Interface": seat,
        "MemberName": "Siti Aminah",
        "Queue": "112",
    }
    return of_caller(event, uid, seconds, **(leg | fields))


def hangup(uid: str, seconds: float, cause: int = 16, channel: str = "PJSIP/telkom-0000000a") -> str:
    return block("Hangup", seconds, Channel=channel, Uniqueid=uid, Cause=cause)


A, B, LEG, OTHER = f"{AT}.1", f"{AT}.2", f"{AT}.3", f"{AT}.4"
WAITS = arrival(A) + of_caller("QueueCallerJoin", A, 2, Queue="112")
TALKS = WAITS + of_seat("AgentCalled", A, LEG, 2) + of_caller("QueueCallerLeave", A, 5) + of_seat("AgentConnect", A, LEG, 5.1)
GIVES_UP = of_caller("HangupRequest", A, 9)
SEAT_GONE = block("Hangup", 20, Channel="PJSIP/1001-0000000b", Uniqueid=LEG, Cause=16)


def events(text: str, centre: Centre = CENTRE, into: ami.Reader | None = None) -> list[Event]:
    into = into or ami.Reader(centre, SOURCE, Door(keyed(b"sixteen bytes key"), [centre]))
    return [event for event in ami.events([text.encode()], into) if event.type != "link.occupied"]


def kinds(text: str, **more: Any) -> list[str]:
    return [event.type for event in events(text, **more)]


def last(text: str, **more: Any) -> tuple[str, dict[str, Any]]:
    return facts(events(text, **more)[-1])


# --- calls


def test_a_call_waits_from_its_arrival_on_its_trunk() -> None:
    came, entered = events(WAITS)

    kind, said = facts(came)
    assert (len(said.pop("caller")), len(said.pop("caller_key"))) == (32, 8)
    assert (kind, said) == ("call.offered", {"call": A, "queue": "112", "clock": "arrival", "link": "telkom"})
    assert came.time.timestamp() == AT
    assert facts(entered) == ("call.queued", {"call": A, "queue": "112"})


@pytest.mark.parametrize(
    ("ends", "kind", "reason"),
    [
        (GIVES_UP + of_caller("QueueCallerAbandon", A, 9) + of_caller("QueueCallerLeave", A, 9), "call.abandoned", None),
        (of_caller("QueueCallerAbandon", A, 9) + of_caller("QueueCallerLeave", A, 9), "call.overflowed", "empty"),
        (of_caller("QueueCallerLeave", A, 9), "call.overflowed", "key"),
        (of_caller("SoftHangupRequest", A, 9, Cause=4) + of_caller("QueueCallerAbandon", A, 9), "call.lost", None),
        (of_caller("QueueCallerAbandon", A, 9) + of_caller("QueueCallerLeave", A, 9), "call.network_dropped", None),
    ],
)
def test_who_leaves_a_queue_gave_up_only_if_the_caller_asked_for_it(ends: str, kind: str, reason: str | None) -> None:
    found, said = last(WAITS + ends + hangup(A, 9.2, 44 if kind == "call.network_dropped" else 16))

    assert (found, said.get("reason")) == (kind, reason)


def test_somebody_who_could_answer_makes_a_timeout_of_an_overflow() -> None:
    member = block("QueueMemberAdded", 0, Queue="112", Interface="PJSIP/1001", MemberName="x", Status=1, Paused=0)
    left = of_caller("QueueCallerAbandon", A, 9) + of_caller("QueueCallerLeave", A, 9)

    assert last(member + WAITS + left + block("Pong", 12))[1]["reason"] == "timeout"


def test_who_was_called_from_a_queue_and_is_answered_next_left_it_by_no_key() -> None:
    assert kinds(TALKS)[-1] == "call.answered"
    assert "call.overflowed" not in kinds(TALKS + block("Pong", 60))


@pytest.mark.parametrize("cause", [44, 16])
def test_a_seat_s_telephone_that_falls_silent_is_not_the_network_s_fault(cause: int) -> None:
    gone = of_caller("SoftHangupRequest", LEG, 19, Channel="PJSIP/1001-0000000b", Cause=1)

    assert last(TALKS + gone + SEAT_GONE.replace("Cause: 16", f"Cause: {cause}"))[0] == "call.ended"


def test_a_conversation_is_over_with_the_seat_s_channel_and_it_is_told_who_ended_it() -> None:
    asked = of_caller("HangupRequest", LEG, 19, Channel="PJSIP/1001-0000000b")
    ended = {"call": A, "queue": "112", "seat": "seat-1", "talk_seconds": pytest.approx(14.9)}

    assert last(TALKS + of_seat("AgentComplete", A, LEG, 12) + asked + SEAT_GONE) == ("call.ended", ended | {"by": "seat"})
    assert last(TALKS + of_caller("HangupRequest", A, 19) + hangup(A, 19) + SEAT_GONE) == ("call.ended", ended | {"by": "caller"})


def test_a_channel_that_asterisk_made_up_for_a_seat_may_be_gone_before_its_conversation() -> None:
    local = {"seat": "Local/1001@from-queue/n", "DestChannel": "Local/1001@from-queue-00000001;1"}
    text = WAITS + of_seat("AgentConnect", A, LEG, 5, **local)
    centre = changed(CENTRE, seats=({"code": "seat-1", "also": ("Local/1001",)},))

    assert last(text, centre=centre)[1]["seat"] == "seat-1"
    done = last(text + of_seat("AgentComplete", A, LEG, 12, **local) + hangup(A, 12), centre=centre)
    assert (done[0], done[1]["talk_seconds"]) == ("call.ended", 7)


def test_a_seat_rings_no_more_when_another_was_faster() -> None:
    both = of_seat("AgentCalled", A, LEG, 2) + of_seat("AgentCalled", A, OTHER, 2, "PJSIP/1002")
    lost = block("Hangup", 5, Channel="PJSIP/1002-0000000c", Uniqueid=OTHER, Cause=26)
    found = events(WAITS + both + of_seat("AgentConnect", A, LEG, 5) + lost)

    assert facts(found[-1]) == ("operator.ring_canceled", {"seat": "seat-2", "queue": "112", "call": A})


def test_a_call_that_the_exchange_makes_is_no_arrival() -> None:
    called = block("Newchannel", 0, Channel="PJSIP/telkom-0000000a", ChannelStateDesc="Down", Uniqueid=A, Linkedid=B)
    placed = block("Newchannel", 0, Channel="PJSIP/telkom-0000000a", ChannelStateDesc="Down", Uniqueid=A, Linkedid=A)

    assert kinds(called + placed) == []
    assert kinds(called.replace("Down", "Ring")) == []


def test_a_call_that_is_answered_without_a_queue_is_answered_too() -> None:
    rang = of_caller("DialEnd", A, 6, DestChannel="PJSIP/1002-0000000b", DestUniqueid=LEG, DialStatus="ANSWER")

    assert last(arrival(A) + rang) == ("call.answered", {"call": A, "seat": "seat-2"})
    assert last(arrival(A) + rang + SEAT_GONE)[0] == "call.ended"


def test_a_trunk_that_the_file_does_not_name_brings_citizens_all_the_same_and_it_is_said() -> None:
    into = reader()
    (came,) = events(arrival(A, trunk="PJSIP/smartfren"), into=into)

    assert came.data.link is None  # type: ignore[attr-defined]
    assert into.passed_over[ANONYMOUS_TRUNK] == 1


@pytest.mark.parametrize("channel", ["PJSIP/1044", "SIP/201", "Local/8112@internal", "PJSIP/seat-2"])
def test_who_calls_from_inside_is_no_citizen(channel: str) -> None:
    asks = block("QueueCallerJoin", 1, Channel=f"{channel}-0000000a", CallerIDNum="1044", Uniqueid=A, Linkedid=A, Queue="112")

    assert kinds(arrival(A, trunk=channel, number="1044")) == []
    ((kind, said),) = map(facts, events(asks))
    assert (kind, said["direction"], "caller" in said) == ("call.offered", "internal", False)


def test_a_line_s_channel_with_a_number_in_its_name_belongs_to_its_span() -> None:
    centre = changed(CENTRE, links=({"code": "pstn", "carrier": "telkom", "also": ("DAHDI/i1",)},))
    (came,) = events(arrival(A, Channel=f"DAHDI/i1/{CALLER}-5"), centre=centre)

    assert came.data.link == "pstn"  # type: ignore[attr-defined]
    assert CALLER not in encode(came).decode()


def test_a_call_of_which_the_coming_was_missed_is_told_from_its_queue_on() -> None:
    found = [facts(event) for event in events(of_seat("AgentConnect", A, LEG, 30, HoldTime=12))]

    assert [kind for kind, _ in found] == ["call.offered", "call.answered"]
    assert found[0][1]["clock"] == "queue"


@pytest.mark.parametrize(
    ("uid", "known"),
    [
        (A, True),
        (f"pbx1.kota-{A}", True),
        (f"pusat_2-b-{A}", True),
        (f"pbx{CALLER}-{A}", False),
        (CALLER, False),
        (f"{CALLER}.1", False),
        ("", False),
    ],
)
def test_a_call_s_id_is_a_second_and_a_count_behind_the_exchange_s_name_if_it_has_one(uid: str, known: bool) -> None:
    assert (kinds(arrival(uid)) == ["call.offered"]) is known


def report(event: str, uid: str, seconds: float, channel: str = "PJSIP/telkom", **fields: Any) -> str:
    return block(event, seconds, Channel=f"{channel}-0000000a", Uniqueid=uid, **fields)


NOTHING_CAME = report("RTCPSent", A, 9, ReportCount=0, SentPackets=251)
NOTHING_SENT = report("RTCPReceived", A, 9, SentPackets=0)
SEAT_SPEAKS = report("RTCPReceived", LEG, 9, "PJSIP/1001", SentPackets=251)


@pytest.mark.parametrize(
    ("reports", "silent"),
    [
        (NOTHING_CAME + NOTHING_SENT + SEAT_SPEAKS, True),
        (NOTHING_CAME + SEAT_SPEAKS, False),
        (NOTHING_SENT + SEAT_SPEAKS, False),
        (NOTHING_CAME + NOTHING_SENT, False),
        (report("RTCPSent", A, 6, ReportCount=1) + NOTHING_CAME + NOTHING_SENT + SEAT_SPEAKS, False),
        ("", False),
    ],
)
def test_only_of_whom_three_things_say_so_is_said_that_nothing_was_heard(reports: str, silent: bool) -> None:
    assert ("call.classified" in kinds(TALKS + reports + SEAT_GONE)) is silent


# --- seats


MEMBER: dict[str, Any] = {"Queue": "112", "Interface": "PJSIP/1001", "MemberName": "Siti Aminah", "Paused": 0, "Status": 1}


def test_an_interface_and_a_name_are_one_seat_whichever_of_them_the_file_has() -> None:
    for also in ("PJSIP/1001", "Siti Aminah"):
        centre = changed(CENTRE, seats=({"code": "meja-1", "also": (also,)},))
        assert last(block("QueueMemberAdded", **MEMBER), centre=centre)[1]["seat"] == "meja-1"


def test_a_name_is_told_of_no_seat() -> None:
    centre = changed(CENTRE, seats=())
    text = block("QueueMemberAdded", **MEMBER) + block("QueueMemberAdded", **(MEMBER | {"Interface": "PJSIP/siti"}))
    told = "".join(encode(event).decode() for event in events(text, centre=centre))

    assert "PJSIP/1001" in told
    assert "iti" not in told


def test_a_pause_is_told_with_its_reason_in_each_queue_and_once() -> None:
    paused = block("QueueMemberPause", 5, **(MEMBER | {"Paused": 1, "PausedReason": "sholat"}))
    status = block("QueueMemberStatus", 6, **(MEMBER | {"Paused": 1, "PausedReason": "sholat"}))
    back = block("QueueMemberPause", 9, **MEMBER)
    found = [facts(event) for event in events(block("QueueMemberAdded", **MEMBER) + paused + status + back)]

    assert [kind for kind, _ in found] == ["operator.logged_in", "operator.paused", "operator.resumed"]
    assert found[1][1] == {"seat": "seat-1", "queue": "112", "reason": "sholat"}


def test_a_member_s_own_wrap_up_begins_with_the_end_of_its_call() -> None:
    found = events(block("QueueMemberAdded", **MEMBER, Wrapuptime=15) + TALKS + SEAT_GONE)

    assert facts(found[-1]) == ("operator.wrap_up_started", {"seat": "seat-1", "queue": "112", "seconds": 15.0})


# --- trunks


def test_an_unavailable_device_is_down_only_where_it_was_heard_of_since_the_boot() -> None:
    away = block("DeviceStateChange", 5, Device="PJSIP/telkom", State="UNAVAILABLE")
    back = block("DeviceStateChange", 1, Device="PJSIP/telkom", State="NOT_INUSE")

    assert kinds(block("FullyBooted", 0, Uptime=3) + away) == []
    assert kinds(back + away) == ["link.up", "link.down"]
    assert kinds(block("FullyBooted", 0, Uptime=86_400) + away) == ["link.down"]


def test_a_registration_is_its_trunk_s_by_its_name_or_by_the_address_told_of_it() -> None:
    refused = block(
        "Registry", 1, ChannelType="PJSIP", Username="sip:112@10.0.0.3:5060", Domain="sip:10.0.0.3:5060", Status="Rejected"
    )
    contact = block("ContactStatus", 2, URI="sip:x@10.0.0.3:5060", ContactStatus="Reachable", EndpointName="xl", AOR="xl")
    named = block("OutboundRegistrationDetail", 2, ObjectName="xl", ServerUri="sip:10.0.0.3:5060", Status="Unregistered")

    assert kinds(refused) == []
    assert kinds(refused + contact) == ["link.up", "link.unregistered"]
    assert kinds(contact + refused) == ["link.up", "link.unregistered"]
    assert kinds(named + refused) == ["link.unregistered"]


def test_half_the_way_there_and_back_is_the_delay() -> None:
    report = {"Channel": "PJSIP/telkom-0000000a", "Uniqueid": A}
    sent = {"ReportCount": 1, "Report0FractionLost": 64, "Report0IAJitter": 80}
    text = block("RTCPReceived", 1, **report, RTT="0.0800") + block("RTCPSent", 1, **report, **sent)

    found = last(text + block("RTCPSent", 12, **report, **sent))
    assert found == (
        "link.measured",
        {"link": "telkom", "loss_ratio": 0.25, "jitter_seconds": 0.01, "delay_seconds": 0.04},
    )


# --- connections


BANNER = "Asterisk Call Manager/11.0.0\r\n"


def entry(uid: str, wait: int, queue: str = "112") -> str:
    return block("QueueEntry", 60, ActionID="q", Queue=queue, Channel="PJSIP/telkom-0000000a", Uniqueid=uid, Wait=wait)


def channel(uid: str, name: str = "PJSIP/telkom-0000000a", linked: str | None = None, **fields: Any) -> str:
    return block("CoreShowChannel", 60, ActionID="c", Channel=name, Uniqueid=uid, Linkedid=linked or uid, **fields)


def lists(*entries: str, members: str = "") -> str:
    queues = "".join(each for each in entries if "QueueEntry" in each)
    channels = "".join(each for each in entries if "CoreShowChannel" in each)
    return BANNER + members + queues + block("QueueStatusComplete", 60) + channels + block("CoreShowChannelsComplete", 60)


def after(before: str, *entries: str, members: str = "") -> list[tuple[str, dict[str, Any]]]:
    """What is told by the lists of a second connection, and of the same by a reader that has only the memory of the first."""
    whole = reader()
    events(before, into=whole)
    again = reader(whole.memory)
    found = [facts(event) for event in events(lists(*entries, members=members), into=whole)]
    assert [facts(event) for event in events(lists(*entries, members=members), into=again)] == found
    return found


@pytest.mark.parametrize("before", [arrival(A), WAITS, TALKS], ids=["announcement", "waiting", "talking"])
def test_a_call_that_is_in_no_list_after_a_gap_is_over_and_how_is_not_known(before: str) -> None:
    assert after(before)[0] == ("call.lost", {"call": A})


def test_a_call_that_is_where_it_was_is_not_told_again() -> None:
    assert after(WAITS, entry(A, 58), channel(A)) == []
    talking = channel(LEG, "PJSIP/1001-0000000b", linked=A, BridgeId="b")
    assert after(TALKS, channel(A, BridgeId="b"), talking) == []


def test_who_was_answered_in_a_gap_is_answered_when_that_is_seen() -> None:
    member = block("QueueMember", 60, ActionID="q", Queue="112", Location="PJSIP/1001", Name="x", Paused=0, Status=2)
    seat = channel(LEG, "PJSIP/1001-0000000b", linked=A, BridgeId="b")
    found = after(WAITS, channel(A, BridgeId="b", Application="Queue"), seat, members=member)

    assert found[-1] == ("call.answered", {"call": A, "seat": "seat-1", "queue": "112"})


def test_who_was_handed_over_in_a_gap_waits_where_the_list_says() -> None:
    assert after(TALKS, entry(A, 10, "112-overflow"), channel(A))[0] == ("call.queued", {"call": A, "queue": "112-overflow"})


def test_who_was_handed_to_another_seat_in_a_gap_talks_with_that_one() -> None:
    member = block("QueueMember", 60, ActionID="q", Queue="112", Location="PJSIP/1002", Name="x", Paused=0, Status=2)
    seat = channel(OTHER, "PJSIP/1002-0000000c", linked=A, BridgeId="b")

    found = after(TALKS, channel(A, BridgeId="b"), seat, members=member)
    assert ("call.answered", {"call": A, "seat": "seat-2", "queue": "112"}) in found


def test_who_came_in_a_gap_and_waits_came_when_the_exchange_says() -> None:
    found = events(lists(entry(A, 20), channel(A, Duration="00:00:25", Application="Queue")))

    assert [event.type for event in found] == ["call.offered", "call.queued"]
    assert [event.time.timestamp() for event in found] == [AT + 35, AT + 40]


def test_who_talked_before_anybody_looked_is_invented_by_nobody() -> None:
    seat = channel(LEG, "PJSIP/1001-0000000b", linked=A, BridgeId="b")
    text = lists(channel(A, BridgeId="b", Application="Queue"), seat)

    assert kinds(text + hangup(LEG, 70) + hangup(A, 70)) == []
    assert kinds(text + of_caller("QueueCallerJoin", A, 70, Queue="112-overflow")) == ["call.queued"]


def test_a_call_that_comes_while_lists_are_told_is_not_over_because_it_is_in_none() -> None:
    into = reader()
    events(WAITS, into=into)
    text = lists(entry(A, 58), channel(A)).replace(BANNER, BANNER + arrival(B, 59))

    assert kinds(text, into=into) == ["call.offered"]


def test_a_member_that_is_in_no_list_has_left_and_one_that_is_static_was_always_there() -> None:
    static = block("QueueMember", 60, ActionID="q", Queue="112", Location="PJSIP/1002", Name="x", Membership="static", Paused=0)
    found = after(block("QueueMemberAdded", **MEMBER), members=static)

    assert found == [
        ("operator.logged_out", {"seat": "seat-1", "queue": "112"}),
        ("operator.logged_in", {"seat": "seat-2", "queue": "112"}),
    ]


def started(time: str, uptime: float) -> str:
    booted = block("FullyBooted", 60, Uptime=uptime)
    return BANNER + booted + f"Response: Success\r\nCoreStartupDate: 2026-11-26\r\nCoreStartupTime: {time}\r\n\r\n"


def test_an_exchange_that_says_another_start_was_restarted_and_one_whose_clock_was_set_was_not() -> None:
    before = started("19:00:00", 100) + WAITS

    assert kinds(before + started("19:10:00", 2))[-1] == "exchange.restarted"
    assert kinds(before + started("19:10:00", 2) + lists())[-1] == "exchange.restarted"
    assert "exchange.restarted" not in kinds(before + started("19:00:00", 20))


def test_what_rang_before_a_restart_rings_no_more() -> None:
    rings = WAITS + of_seat("AgentCalled", A, LEG, 2)

    assert kinds(started("19:00:00", 100) + rings + started("19:10:00", 2))[-2:] == [
        "exchange.restarted",
        "operator.ring_canceled",
    ]


def test_where_a_start_is_not_told_it_is_known_by_how_long_the_exchange_is_up() -> None:
    up = BANNER + block("FullyBooted", 0, Uptime=100) + WAITS + BANNER

    assert kinds(up + block("FullyBooted", 60, Uptime=2))[-1] == "exchange.restarted"
    assert "exchange.restarted" not in kinds(up + block("FullyBooted", 60, Uptime=160))


def test_a_life_seen_in_its_middle_is_told_as_far_as_it_is_known() -> None:
    found = [facts(event) for event in ami.events([stream("snapshot-in-mid-life.txt")], reader())]

    assert [said["call"] for kind, said in found if kind == "call.offered"] == [
        "1795719977.180",
        "1795719979.181",
        "1795719982.183",
    ]
    assert sorted(said["seat"] for kind, said in found if kind == "operator.logged_in") == [
        "seat-1",
        "seat-2",
        "seat-3",
        "seat-9",
    ]
    assert sorted(said["link"] for kind, said in found if kind == "link.up") == ["indosat", "telkom", "xl"]


def test_a_memory_that_is_none_is_none() -> None:
    for memory in ("", "{", "[]", "null", '{"calls": [{"id": 1}]}', json.dumps({"calls": [], "legs": 3})):
        assert events(WAITS, into=reader(memory))


def test_a_memory_holds_no_number_and_no_name() -> None:
    into = reader()
    events(block("QueueMemberAdded", **MEMBER) + TALKS, into=into)

    assert CALLER not in into.memory
    assert "Siti" not in into.memory


# --- what no exchange should send


def test_without_a_time_of_the_exchange_that_of_whoever_received_it_counts() -> None:
    (one,) = blocks_of(re.sub(r"Timestamp: [^\r]*\r\n", "", arrival(A)).encode())

    assert reader().read(one, 1_795_720_123.5)[0].time.timestamp() == 1_795_720_123.5


def test_a_block_that_is_too_long_is_dropped_and_the_next_is_read() -> None:
    into = reader()
    found = events(f"Event: X\r\n{'a' * LONGEST}\r\n\r\n" + f"Event: Y\r\n{'b: c' * LONGEST}" + "\r\n\r\n" + WAITS, into=into)

    assert [event.type for event in found] == ["call.offered", "call.queued"]
    assert into.passed_over[ami.TOO_LONG] == 2


def test_a_dialplan_cannot_speak_for_asterisk_by_telling_a_field_again() -> None:
    text = block("UserEvent", 1, Uniqueid=A, UserEvent="Disposition", Call=A, Class="prank").replace(
        "\r\n\r\n", f"\r\nCall: {B}\r\n\r\n"
    )

    assert last(text) == ("call.classified", {"call": A, "class": "prank"})


@settings(max_examples=15)
@given(st.lists(st.integers(0, 400_000), max_size=6))
def test_wherever_the_stream_is_cut_it_says_the_same(cuts: list[int]) -> None:
    text = stream("ami.txt.gz")
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [text[start:end] for start, end in pairwise(places)]

    assert [event.id for event in ami.events(pieces, reader())] == [event.id for event in ami.events([text], reader())]


NUMBERS = [f"08000000{n:02}" for n in range(1, 41)]


@settings(max_examples=60)
@given(st.integers(0, 2**32), st.sampled_from(["cut", "double", "garble", "shuffle", "lines", "glue"]))
def test_whatever_comes_nothing_is_raised_and_no_number_is_told(seed: int, how: str) -> None:
    luck = random.Random(seed)
    parts = re.split(rb"(?<=\n)\r?\n", stream("ami.txt.gz"))
    start = luck.randrange(len(parts))
    parts = parts[start : start + luck.randrange(1, 400)]
    match how:
        case "cut":
            parts = [part[: luck.randrange(len(part) + 1)] if luck.random() < 0.1 else part for part in parts]
        case "double":
            parts = [part for part in parts for _ in range(luck.choice((1, 1, 2)))]
        case "garble":
            parts = [bytes(luck.randrange(256) if luck.random() < 0.01 else byte for byte in part) for part in parts]
        case "shuffle":
            luck.shuffle(parts)
        case "lines":
            parts = [b"\n".join(luck.sample(lines, len(lines))) for part in parts if (lines := part.split(b"\n"))]
        case "glue":
            parts = [part.replace(b"\n", b"", 1) if luck.random() < 0.1 else part for part in parts]
    into = reader()
    found = list(ami.events([b"\r\n".join(parts)], into))
    said = "".join(encode(event).decode() for event in found) + into.memory + "".join(into.passed_over)

    assert not any(number in said for number in NUMBERS)
    assert all(isinstance(decode(encode(event)), Event) for event in found)


def test_no_number_of_the_recording_is_told() -> None:
    said = "".join(encode(event).decode() for event in told())

    assert not any(number in said for number in NUMBERS)
    assert "127.0.0" not in said
    assert "Meja" not in said


def test_how_many_calls_are_followed_has_a_bound() -> None:
    into = reader()
    for n in range(2_500):
        events(arrival(f"{AT}.{n}", n / 1000), into=into)

    assert len(json.loads(into.memory)["calls"]) == 2_000


def test_a_centre_that_names_no_trunk_counts_its_calls() -> None:
    bare = parse('code = "32.71"\nname = "Kota Uji"\ntimezone = "Asia/Jakarta"\n')

    assert kinds(TALKS + SEAT_GONE, centre=bare)[0] == "call.offered"
    assert kinds(TALKS + SEAT_GONE, centre=bare)[-1] == "call.ended"


def test_half_a_block_at_the_end_of_a_connection_is_none() -> None:
    blocks = Blocks()
    assert blocks.feed(arrival(A)[:-4].encode()) == []
    blocks.reset()
    assert [dict(one) for one in blocks.feed(b"Event: Pong\n\n")] == [{"Event": "Pong"}]
    assert kinds(arrival(A)[:-4] + "\r\n" + BANNER + "Response: Success\r\n\r\n") == []

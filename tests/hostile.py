"""Ten thousand inputs that no centre should send, each with what must become of it."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, NamedTuple

PHONE, PERSON = "081298765432", "Siti Rahasiawati"
"""What must never leave a record: every broken input that has room for text carries them."""

GOOD: dict[str, Any] = {
    "specversion": "1.0",
    "source": "/{code}/hostile",
    "type": "call.offered",
    "time": "2010-01-02T12:00:00+02:00",
    "data": {"queue": "112"},
}


FAR = [
    "0001-01-01T00:00:00+14:00", "1970-01-01T00:00:00Z", "1980-01-06T00:00:00Z", "1999-12-31T23:59:59.999999Z",
    "2000-01-01T06:59:59+07:00", "2100-01-01T00:00:00Z", "2999-01-01T00:00:00+07:00", "9999-12-31T23:59:59-12:00",
]  # fmt: skip
"""Times that no event may tell of, neither as its own nor in what it says."""

_CALLER: dict[str, Any] = {"caller": "ab" * 16, "stage": "24h"}
_SINCE, _UNTIL = "2010-01-01T12:00:00+02:00", "2010-01-02T13:00:00+02:00"
SPANS: dict[str, dict[str, Any]] = {
    "caller.block_recommended": _CALLER | {"pranks": 3, "since": _SINCE, "until": _UNTIL},
    "caller.block_approved": _CALLER | {"by": "supervisor-1", "expires": _UNTIL},
    "weather.warned": {"warning": "w1", "event": "hujan", "attribution": "BMKG", "onset": _SINCE, "expires": _UNTIL},
    "ticket.reminder_due": {"ticket": "t1", "opd": "damkar", "rung": "7m", "since": GOOD["time"], "due": GOOD["time"]},
}
"""What is right in the events that say more times than their own (at noon of 2010-01-02)."""
TIMES = {"since", "until", "due", "expires", "onset"}
WRONG_SPANS = [
    ("caller.block_recommended", {"until": "2010-01-01T11:59:59+02:00"}),
    ("caller.block_recommended", {"until": "2010-02-01T12:00:01+02:00"}),
    ("caller.block_approved", {"expires": "2010-01-02T11:59:59+02:00"}),
    ("caller.block_approved", {"expires": "2010-02-01T12:00:00.000001+02:00"}),
    ("weather.warned", {"expires": "2010-01-01T11:59:59+02:00"}),
    ("weather.warned", {"expires": "2010-03-02T12:00:01+02:00"}),
    ("ticket.reminder_due", {"due": "2010-01-02T11:59:59+02:00"}),
]


class Broken(NamedTuple):
    """One input for a centre; `reason` says why it is refused, None that it is passed over as of a type nobody knows."""

    code: str
    value: bytes | None
    reason: str | None
    place: str = "right"
    """Where it is written: to the `right` place, or to the `other partition` or the `other topic`."""


def inputs(random: Random, codes: list[str], count: int) -> Iterator[Broken]:
    """So many broken inputs, all kinds in turn."""
    for number in range(count):
        code = random.choice(codes)
        yield KINDS[number % len(KINDS)](random, code, number)


def _event(code: str, number: int, **changed: Any) -> dict[str, Any]:
    event = GOOD | {"id": f"hostile-{number}", "source": f"/{code}/hostile", "subject": code}
    event["data"] = {"call": f"hostile-{number}", "queue": "112", "name": PERSON, "number": PHONE}
    event |= {name: value for name, value in changed.items() if name != "data"}
    event["data"] |= changed.get("data", {})
    return event


def _bytes(code: str, number: int, **changed: Any) -> bytes:
    return json.dumps(_event(code, number, **changed)).encode()


def _truncated(random: Random, code: str, number: int) -> Broken:
    whole = _bytes(code, number)
    return Broken(code, whole[: random.randrange(1, len(whole))], "not_json")


def _wrong_type(random: Random, code: str, number: int) -> Broken:
    field = random.choice(["id", "source", "type", "subject", "time", "specversion"])
    wrong = random.choice([None, 5, [PHONE], {"name": PERSON}, True])
    return Broken(code, _bytes(code, number, **{field: wrong}), "invalid_envelope")


def _wrong_data(random: Random, code: str, number: int) -> Broken:
    field = random.choice(["call", "queue", "clock", "caller"])
    wrong = random.choice([7, [PHONE], {"name": PERSON}, True, PERSON, f"+{PHONE}"])
    return Broken(code, _bytes(code, number, data={field: wrong}), "invalid_data")


def _huge(random: Random, code: str, number: int) -> Broken:
    size = 900_000 if number % 5_000 < len(KINDS) else 70_000
    return Broken(code, _bytes(code, number, note=PERSON * (size // len(PERSON))), "too_large")


def _wrong_encoding(random: Random, code: str, number: int) -> Broken:
    text = _bytes(code, number).decode()
    broken = [
        text.encode("utf-16"),
        text.replace("112", "caf\xe9").encode("latin-1"),
        random.randbytes(200),
        b"\xef\xbb\xbf" + text.encode(),
    ]
    return Broken(code, random.choice(broken).replace(b"\n", b"\xff"), "not_json")


def _null(random: Random, code: str, number: int) -> Broken:
    return Broken(code, None if random.random() < 0.5 else b"", "empty")


def _hostile_number(random: Random, code: str, number: int) -> Broken:
    text = _bytes(code, number, x="HERE").decode()
    wrong = random.choice(["9" * 60_000, "[" * 30_000 + "]" * 30_000, "0x10", "1e", "--1", "01", ".5", "+1"])
    return Broken(code, text.replace('"HERE"', wrong).encode(), "not_json")


def _hostile_time(random: Random, code: str, number: int) -> Broken:
    wrong = random.choice([1e308, -1, 10**30, "99999-01-01T00:00:00Z", "2010-02-30T00:00:00Z", "2010-01-02T12:00:00", PERSON])
    return Broken(code, _bytes(code, number, time=wrong), "invalid_envelope")


def _hostile_seconds(random: Random, code: str, number: int) -> Broken:
    wrong = random.choice([1e308, -1, 86_401, PHONE, [1]])
    ring = {"seat": "seat-1", "ring_seconds": wrong}
    return Broken(code, _bytes(code, number, type="operator.ring_no_answer", data=ring), "invalid_data", "other topic")


def _no_object(random: Random, code: str, number: int) -> Broken:
    return Broken(code, random.choice([b"[]", b"5", b'"' + PERSON.encode() + b'"', b"null", b"{}"]), "invalid_envelope")


def _unknown_type(random: Random, code: str, number: int) -> Broken:
    name = random.choice(["call.teleported", "ticket.opened.v2", f"call.{PHONE}", f"call {PERSON}", "x" * 5_000, "\0"])
    return Broken(code, _bytes(code, number, type=name), None)


def _other_partition(random: Random, code: str, number: int) -> Broken:
    return Broken(code, _bytes(code, number), "wrong_partition", "other partition")


def _other_topic(random: Random, code: str, number: int) -> Broken:
    return Broken(code, _bytes(code, number), "other_topic", "other topic")


def _unknown_centre(random: Random, code: str, number: int) -> Broken:
    return Broken(code, _bytes(code, number, subject=random.choice(["99.99", "11", "00.00"])), "unknown_centre")


def _far_time(random: Random, code: str, number: int) -> Broken:
    return Broken(code, _bytes(code, number, time=random.choice(FAR)), "invalid_envelope")


def _far_time_inside(random: Random, code: str, number: int) -> Broken:
    kind, data = random.choice(list(SPANS.items()))
    far = {random.choice([name for name in data if name in TIMES]): random.choice(FAR)}
    return Broken(code, _bytes(code, number, type=kind, data=data | far), "invalid_data", "other topic")


def _wrong_span(random: Random, code: str, number: int) -> Broken:
    kind, wrong = random.choice(WRONG_SPANS)
    return Broken(code, _bytes(code, number, type=kind, data=SPANS[kind] | wrong), "invalid_data", "other topic")


def _future(random: Random, code: str, number: int) -> Broken:
    moment = datetime.now(UTC) + timedelta(hours=random.choice([2, 24 * 365]))
    return Broken(code, _bytes(code, number, time=moment.isoformat()), "in_the_future")


KINDS: list[Callable[[Random, str, int], Broken]] = [
    _other_partition, _truncated, _wrong_type, _wrong_data, _wrong_encoding, _null, _hostile_number, _hostile_time,
    _hostile_seconds, _no_object, _unknown_type, _other_topic, _unknown_centre, _future, _far_time, _far_time_inside,
    _wrong_span, _truncated, _wrong_type, _wrong_data,
    _truncated, _wrong_type, _wrong_data, _wrong_encoding, _null, _hostile_time, _unknown_type, _truncated, _wrong_data,
    _no_object, _future, _unknown_centre, _huge, _wrong_type, _other_topic, _other_partition, _null, _wrong_encoding, _truncated,
]  # fmt: skip

"""Ten thousand inputs that no centre should send, each with what must become of it."""

import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, NamedTuple

PHONE, PERSON = "081298765432", "Siti Rahasiawati"
"""What must never leave a record: every broken input that has room for text carries them."""

GOOD: dict[str, Any] = {
    "specversion": "1.0",
    "source": "/{code}/hostile",
    "type": "call.offered",
    "time": "1999-01-02T12:00:00+02:00",
    "data": {"queue": "112"},
}


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
    wrong = random.choice([1e308, -1, 10**30, "99999-01-01T00:00:00Z", "1999-02-30T00:00:00Z", "1999-01-02T12:00:00", PERSON])
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


def _future(random: Random, code: str, number: int) -> Broken:
    moment = random.choice(["9999-12-31T23:59:59-12:00", "2999-01-01T00:00:00+07:00"])
    return Broken(code, _bytes(code, number, time=moment), "in_the_future")


KINDS: list[Callable[[Random, str, int], Broken]] = [
    _other_partition, _truncated, _wrong_type, _wrong_data, _wrong_encoding, _null, _hostile_number, _hostile_time,
    _hostile_seconds, _no_object, _unknown_type, _other_topic, _unknown_centre, _future, _truncated, _wrong_type, _wrong_data,
    _truncated, _wrong_type, _wrong_data, _wrong_encoding, _null, _hostile_time, _unknown_type, _truncated, _wrong_data,
    _no_object, _future, _unknown_centre, _huge, _wrong_type, _other_topic, _other_partition, _null, _wrong_encoding, _truncated,
]  # fmt: skip

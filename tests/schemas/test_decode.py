"""Whatever bytes come, decoding answers: an event, an unknown type, or a refusal that repeats nothing of them."""

import json
import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from schemas import topics
from schemas.event import Event, Time, epochs
from schemas.topics import LARGEST, Reason, Refusal, UnknownType, decode

GOOD = [path.read_bytes() for path in sorted((Path(topics.__file__).parent / "examples").iterdir())]
NUMBER, NAME = "081298765432", "Siti Rahmawati"
"""Planted in what is broken: no answer may repeat them."""

HOSTILE: list[Any] = [
    None, True, False, 0, -1, 10**400, 1.5, NUMBER, NAME, f"{NAME} {NUMBER}", "", " ", "\x00", "💥", [], [NUMBER], {},
    {NAME: NUMBER}, "x" * 300, "32.71\n", "../../etc/passwd", "'; DROP TABLE calls; --", "1e400", "2024-13-45T99:99:99Z",
    "2024-11-24T07:00:00", "٣٢.٧١", [[[[NAME]]]], {"call": {"call": NUMBER}},
]  # fmt: skip


def _truncated(good: bytes, dice: random.Random) -> bytes:
    return good.rstrip()[: dice.randrange(len(good.rstrip()))]


def _wrong_type(good: bytes, dice: random.Random) -> bytes:
    event = json.loads(good)
    # Of `type` another text is an unknown type, and no fault.
    inside = next(iter(event["data"]))
    field = dice.choice(["specversion", "id", "source", "subject", "time", "data", inside])
    where = event["data"] if field == inside else event
    where[field] = dice.choice([value for value in HOSTILE if not _admissible(field, value)])
    return json.dumps(event).encode()


def _admissible(field: str, value: Any) -> bool:
    """Whether a hostile value could be a valid one after all: a code of digits is a code."""
    plain = isinstance(value, str) and value.isascii() and value.isprintable() and " " not in value and 0 < len(value) <= 64
    return plain and field not in {"specversion", "subject", "time", "data", "scores", "caller"}


def _missing(good: bytes, dice: random.Random) -> bytes:
    event = json.loads(good) | {"phone": NUMBER}
    del event[dice.choice(["id", "source", "type", "subject", "time", "data"])]
    return json.dumps(event).encode()


def _huge(good: bytes, dice: random.Random) -> bytes:
    return json.dumps(json.loads(good) | {"note": NAME * dice.randint(LARGEST // len(NAME) + 1, 6_000)}).encode()


def _wrong_encoding(good: bytes, dice: random.Random) -> bytes:
    text = good.decode().replace('"id": "', f'"id": "{NAME}é')
    return dice.choice(
        [
            text.encode("utf-16"),
            text.encode("latin-1"),
            text.encode("utf-32"),
            b"\xef\xbb\xbf" + good,
            good.replace(b'"', b"\xff"),
        ]
    )


def _null(good: bytes, dice: random.Random) -> bytes:
    return dice.choice(
        [b"", b"null", b"\x00" * 9, b" ", b"\n", b"[]", b"{}", b"0", b'""', b"true", b"[null]", f'"{NAME}"'.encode()]
    )


def _hostile_number(good: bytes, dice: random.Random) -> bytes:
    event = json.loads(good)
    event["type"], event["data"] = "operator.ring_no_answer", {"seat": "seat-1", "ring_seconds": "HERE"}
    number = dice.choice(
        ["NaN", "Infinity", "-Infinity", "1e400", "-1e400", "-1", "86401", "9" * 500, NUMBER, "1.", f'"{NUMBER}"', "0x10"]
    )
    return json.dumps(event).replace('"HERE"', number).encode()


def _deep(good: bytes, dice: random.Random) -> bytes:
    depth = dice.randint(300, 10_000)
    opening, closing = dice.choice([("[", "]"), ('{"a":', "}")])
    nest = opening * depth + dice.choice(["1", f'"{NAME}"']) + closing * dice.choice([depth, 0])
    return dice.choice([nest, good.decode().replace('"data": {', f'"note": {nest}, "data": {{')]).encode()


def _two_in_one(good: bytes, dice: random.Random) -> bytes:
    return good + dice.choice([b"", b"\n", b",", b"\x00"]) + dice.choice(GOOD)


def _flipped(good: bytes, dice: random.Random) -> bytes:
    """Not JSON any more: one of its structural bytes is another."""
    structure = [place for place, byte in enumerate(good) if byte in b'{}":']
    place = dice.choice(structure)
    return good[:place] + NAME.encode() + good[place + 1 :]


BREAKERS: list[Callable[[bytes, random.Random], bytes]] = [
    _truncated, _wrong_type, _missing, _huge, _wrong_encoding, _null, _hostile_number, _deep, _two_in_one, _flipped,
]  # fmt: skip


@pytest.mark.parametrize("breaker", BREAKERS, ids=lambda breaker: breaker.__name__.strip("_"))
def test_a_thousand_broken_records_are_refused_and_the_good_ones_among_them_are_read(
    breaker: Callable[[bytes, random.Random], bytes],
) -> None:
    dice = random.Random(112)
    read = 0
    for _ in range(1_000):
        good = dice.choice(GOOD)
        broken = breaker(good, dice)

        answer = decode(broken)

        assert isinstance(answer, Refusal), broken[:300]
        assert answer.reason in get_args(Reason)
        assert_repeats_nothing(answer)
        read += isinstance(decode(good), Event)
    assert read == 1_000


def assert_repeats_nothing(refusal: Refusal) -> None:
    for mark in (NUMBER, NUMBER[1:], *NAME.split()):
        assert mark.lower() not in refusal.detail.lower(), refusal
    assert len(refusal.detail) < 200


def test_every_reason_that_bytes_alone_can_give_is_given() -> None:
    dice = random.Random(8)
    reasons = Counter(
        answer.reason
        for _ in range(300)
        for breaker in BREAKERS
        if isinstance(answer := decode(breaker(dice.choice(GOOD), dice)), Refusal)
    )

    assert set(reasons) == {"empty", "too_large", "not_json", "invalid_envelope", "invalid_data"}


@pytest.mark.parametrize("planted", [NUMBER, NAME])
@pytest.mark.parametrize("field", ["specversion", "id", "source", "subject", "time", "data", NAME])
@pytest.mark.parametrize(
    "shape", [lambda s: s + " ", lambda s: {s: s}, lambda s: [s], lambda s: s * 2_000], ids=["text", "object", "list", "long"]
)
def test_a_refusal_names_the_field_and_never_what_was_in_it(planted: str, field: str, shape: Callable[[str], Any]) -> None:
    for good in GOOD:
        answer = decode(json.dumps(json.loads(good) | {field: shape(planted)}).encode())

        if field == NAME:
            assert isinstance(answer, Event)
        else:
            assert isinstance(answer, Refusal)
            assert field in answer.detail
            assert_repeats_nothing(answer)


def test_a_refusal_of_data_names_the_field_within_it() -> None:
    offered = json.loads(next(good for good in GOOD if b"call.offered" in good))
    offered["data"]["caller"] = NUMBER

    answer = decode(json.dumps(offered).encode())

    assert answer == Refusal("invalid_data", "field data.caller: string pattern mismatch")


@pytest.mark.parametrize("name", ["call.imagined", "call.offered.v2", "weather.rain", "x"])
def test_an_unknown_type_is_passed_over_and_not_refused(name: str) -> None:
    for good in GOOD:
        assert decode(json.dumps(json.loads(good) | {"type": name, "data": {"anything": [NUMBER]}}).encode()) == UnknownType(name)


@pytest.mark.parametrize("name", [NAME, "call.offered\n", "CALL.OFFERED", "x" * 65, "💥", "call offered"])
def test_an_unknown_type_that_is_no_name_is_not_repeated(name: str) -> None:
    assert decode(json.dumps(json.loads(GOOD[0]) | {"type": name}).encode()) == UnknownType("unreadable")


def test_an_unknown_type_in_a_broken_envelope_is_refused() -> None:
    answer = decode(json.dumps(json.loads(GOOD[0]) | {"type": "call.imagined", "subject": NUMBER}).encode())

    assert answer == Refusal("invalid_envelope", "field subject: string pattern mismatch")


@pytest.mark.parametrize("kind", [None, 112, [], {}, True])
def test_a_type_that_is_no_text_is_refused(kind: Any) -> None:
    answer = decode(json.dumps(json.loads(GOOD[0]) | {"type": kind}).encode())

    assert isinstance(answer, Refusal)
    assert answer.reason == "invalid_envelope"


def test_the_largest_event_is_read_and_one_byte_more_is_refused() -> None:
    largest = GOOD[0].rstrip() + b" " * (LARGEST - len(GOOD[0].rstrip()))

    assert isinstance(decode(largest), Event)
    assert decode(largest + b" ") == Refusal("too_large", f"{LARGEST + 1} bytes; the most is {LARGEST}")


def test_no_value_at_all_is_refused() -> None:
    assert decode(None) == decode(b"") == Refusal("empty", "no bytes: a record must hold one JSON object")


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_get_an_answer(value: bytes) -> None:
    assert isinstance(decode(value), Refusal)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(GOOD),
    st.dictionaries(
        st.sampled_from(["specversion", "id", "source", "type", "subject", "time", "data", "note"]), json_values, max_size=4
    ),
)
def test_any_json_in_any_field_gets_an_answer(good: bytes, changes: dict[str, Any]) -> None:
    assert isinstance(decode(json.dumps(json.loads(good) | changes).encode()), Event | UnknownType | Refusal)


def test_a_time_that_is_a_number_in_quotes_is_refused() -> None:
    """Seconds or milliseconds would be a guess."""
    for number in ("1700000000", "1700000000000", "+17e8"):
        assert isinstance(decode(json.dumps(json.loads(GOOD[0]) | {"time": number}).encode()), Refusal)


def test_an_event_without_specversion_is_refused() -> None:
    assert isinstance(decode(json.dumps({k: v for k, v in json.loads(GOOD[0]).items() if k != "specversion"}).encode()), Refusal)


@given(st.datetimes(timezones=st.timezones()), st.integers(-23 * 60, 23 * 60))
def test_epoch_seconds_are_what_python_says_they_are(naive: datetime, minutes: int) -> None:
    written = naive.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    parsed = TypeAdapter(Time).validate_json(f'"{written.isoformat()}"')

    assert epochs([naive, parsed]) == [naive.timestamp(), parsed.timestamp()]
    assert parsed.timestamp() == written.timestamp()

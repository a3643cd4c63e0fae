"""Whatever bytes come, decoding answers: an event, an unknown type, or a refusal that repeats nothing of them."""

import json
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from pydantic import AwareDatetime, TypeAdapter

from schemas import topics
from schemas.catalogue import json_schema
from schemas.event import Event, Time, epochs
from schemas.topics import EVENT_TYPES, LARGEST, Decoded, Reason, Refusal, UnknownType, decode, decode_recording
from tests.hostile import FAR

EXAMPLES = Path(topics.__file__).parent / "examples"
GOOD = [path.read_bytes() for path in sorted(EXAMPLES.iterdir()) if json.loads(path.read_bytes())["data"]]
"""An event without facts has none that could be wrong."""
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


def example(name: str) -> dict[str, Any]:
    """The example of an event type, to be changed."""
    found: dict[str, Any] = json.loads((EXAMPLES / f"{name}.json").read_text())
    return found


def times_in(kind: type[Event]) -> list[str]:
    """The fields of an event that are times, those inside `data` with that before their name."""
    data = kind.model_fields["data"].annotation
    assert isinstance(data, type)
    return ["time", *(f"data.{name}" for name, field in data.model_fields.items() if field.annotation is AwareDatetime)]


def is_time(value: object) -> bool:
    return isinstance(value, str) and re.match(r"\d{4}-\d{2}-\d{2}T", value) is not None


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


def test_a_key_that_no_schema_has_is_not_repeated() -> None:
    event = example("survey.answered")
    answer = decode(json.dumps(event | {"data": {"scores": {"Budi Contoh 081234567890": 5}}}).encode())

    assert isinstance(answer, Refusal)
    assert (answer.reason, answer.field) == ("invalid_data", "data.scores")
    assert "Budi" not in str(answer)
    assert "0812" not in str(answer)


def test_a_score_that_is_none_is_named_by_its_item() -> None:
    event = example("survey.answered")
    answer = decode(json.dumps(event | {"data": {"scores": {"u1": 9}}}).encode())

    assert isinstance(answer, Refusal)
    assert answer.field == "data.scores.u1"


def test_a_time_that_is_a_number_in_quotes_is_refused() -> None:
    """Seconds or milliseconds would be a guess."""
    for number in ("1700000000", "1700000000000", "+17e8"):
        assert isinstance(decode(json.dumps(json.loads(GOOD[0]) | {"time": number}).encode()), Refusal)


def test_an_event_without_specversion_is_refused() -> None:
    assert isinstance(decode(json.dumps({k: v for k, v in json.loads(GOOD[0]).items() if k != "specversion"}).encode()), Refusal)


TIMES = [(name, field) for name, kind in EVENT_TYPES.items() for field in times_in(kind)]


@pytest.mark.parametrize(("name", "field"), TIMES)
@pytest.mark.parametrize("far", FAR)
def test_a_time_before_2000_or_from_2100_on_is_refused_wherever_it_stands(name: str, field: str, far: str) -> None:
    event = example(name)
    (event["data"] if field.startswith("data.") else event)[field.removeprefix("data.")] = far

    answer = decode(json.dumps(event).encode())

    assert isinstance(answer, Refusal)
    assert answer.reason == ("invalid_data" if field.startswith("data.") else "invalid_envelope")
    assert answer.detail in {
        f"field {field}: less than 2000-01-01T00:00:00Z",
        f"field {field}: not less than 2100-01-01T00:00:00Z",
    }


def test_every_time_of_every_event_was_tried() -> None:
    """Of fields that are times by name or by what their examples hold."""
    assert {field for _, field in TIMES} == {"time", "data.since", "data.until", "data.due", "data.expires", "data.onset"}
    shown = {(name, f"data.{key}") for name in EVENT_TYPES for key, value in example(name)["data"].items() if is_time(value)}
    assert shown == {(name, field) for name, field in TIMES if field != "time"}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2000-01-01T00:00:00Z", "2000-01-01T00:00:00+00:00"),
        ("1999-12-31T12:00:00-12:00", "2000-01-01T00:00:00+00:00"),
        ("2000-01-01T14:00:00+14:00", "2000-01-01T00:00:00+00:00"),
        ("2099-12-31T23:59:59.999999Z", "2099-12-31T23:59:59.999999+00:00"),
        ("2100-01-01T13:59:59.999999+14:00", "2099-12-31T23:59:59.999999+00:00"),
        ("2024-11-24t07:00:00.1234567891z", "2024-11-24T07:00:00.123456+00:00"),
        ("2024-11-24T07:00:00-00:00", "2024-11-24T07:00:00+00:00"),
        ("2024-02-29T23:59:59+23:59", "2024-02-29T00:00:59+00:00"),
    ],
)
def test_a_time_within_the_century_is_what_it_says_to_the_microsecond(written: str, meant: str) -> None:
    event = decode(json.dumps(example("call.offered") | {"time": written}).encode())

    assert isinstance(event, Event)
    assert event.time == datetime.fromisoformat(meant)


@pytest.mark.parametrize(
    "written",
    [
        "2024-12-31T24:00:00Z", "2024-12-31T23:59:60Z", "2023-02-29T00:00:00Z", "2024-13-01T00:00:00Z", "0000-01-01T00:00:00Z",
        "2024-11-24T07:00:00", "2024-11-24T07:00:00+24:00", "2024-11-24T07:00:00+07:60", "2024-11-24 07:00:00Z", "2024-11-24",
        "20241-11-24T07:00:00Z", "2024-11-24T07:00:00Z\n",
    ],
)  # fmt: skip
def test_what_is_no_moment_is_refused(written: str) -> None:
    answer = decode(json.dumps(example("call.offered") | {"time": written}).encode())

    assert isinstance(answer, Refusal)
    assert answer.reason == "invalid_envelope"
    assert answer.detail.startswith("field time: ")


DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("name", "field", "beside", "shortest", "longest"),
    [
        ("caller.block_approved", "expires", "time", timedelta(0), 30 * DAY),
        ("caller.block_recommended", "until", "time", None, 30 * DAY),
        ("caller.block_recommended", "until", "since", timedelta(0), None),
        ("weather.warned", "expires", "onset", timedelta(0), 60 * DAY),
        ("ticket.reminder_due", "due", "since", timedelta(0), None),
    ],
)
def test_nothing_ends_before_it_begins_and_nothing_is_endless(
    name: str, field: str, beside: str, shortest: timedelta | None, longest: timedelta | None
) -> None:
    event = example(name)
    begin = datetime.fromisoformat(event[beside] if beside in event else event["data"][beside])

    def after(span: timedelta) -> Decoded:
        said = event["data"] | {field: (begin + span).isoformat()}
        return decode(json.dumps(event | {"data": said}).encode())

    if shortest is not None:
        assert isinstance(after(shortest), Event)
        assert after(shortest - TICK) == Refusal("invalid_data", f"field data.{field}: before {beside}")
    if longest is not None:
        assert isinstance(after(longest), Event)
        assert after(longest + TICK) == Refusal("invalid_data", f"field data.{field}: over {longest.days} days after {beside}")


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_every_number_and_list_has_an_upper_bound_that_the_schema_says(name: str) -> None:
    def unbounded(part: Any, path: str) -> Iterator[str]:
        if isinstance(part, dict):
            if part.get("type") in ("integer", "number") and "maximum" not in part:
                yield path
            for many, most in (("additionalProperties", "maxProperties"), ("items", "maxItems")):
                if many in part and most not in part:
                    yield path
        for key, value in part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ():
            yield from unbounded(value, f"{path}.{key}")

    assert list(unbounded(json_schema(EVENT_TYPES[name]), name)) == []


@pytest.mark.parametrize("far", ["1999-12-30T23:59:59Z", "1970-01-01T00:00:00Z", "2100-01-02T00:00:00Z", "9999-12-31T00:00:00Z"])
@pytest.mark.parametrize(("name", "field"), TIMES)
def test_the_json_schema_refuses_times_beyond_the_century_too(name: str, field: str, far: str) -> None:
    event = example(name)
    validator = Draft202012Validator(json_schema(EVENT_TYPES[name]))
    assert validator.is_valid(event)
    (event["data"] if field.startswith("data.") else event)[field.removeprefix("data.")] = far

    assert not validator.is_valid(event)


@given(st.datetimes(timezones=st.timezones()), st.integers(2001, 2098), st.integers(-23 * 60, 23 * 60))
def test_epoch_seconds_are_what_python_says_they_are(any_year: datetime, year: int, minutes: int) -> None:
    naive = any_year.replace(year=year, day=min(any_year.day, 28))
    written = naive.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    parsed = TypeAdapter(Time).validate_json(f'"{written.isoformat()}"')

    assert epochs([naive, parsed]) == [naive.timestamp(), parsed.timestamp()]
    assert parsed.timestamp() == written.timestamp()


def test_a_file_may_hold_a_recording_of_the_nineties_and_the_log_may_not() -> None:
    told = (EXAMPLES / "call.offered.json").read_text()
    moment = json.loads(told)["time"]

    for year, in_a_file in (("1999", True), ("1990", True), ("1989", False), ("1970", False)):
        line = told.replace(moment, f"{year}-06-01T12:00:00+07:00").encode()
        assert isinstance(decode(line), Refusal)
        assert isinstance(decode_recording(line), Event) == in_a_file


@pytest.mark.parametrize("good", GOOD)
def test_in_all_else_a_file_says_what_the_log_would(good: bytes) -> None:
    assert decode_recording(good) == decode(good)
    assert decode_recording(good[:-9]) == decode(good[:-9])

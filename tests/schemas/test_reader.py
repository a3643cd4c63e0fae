"""The fold's reader says of any bytes what the models say: the same event with the same values, or the same refusal."""

import json
import random
import re
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AliasChoices, AwareDatetime, ConfigDict, Field, StringConstraints

from schemas import reader, topics
from schemas.event import Data, Event
from schemas.reader import FORM_OF, encode, read
from schemas.topics import EVENT_TYPES, LARGEST, Decoded, Refusal, decode
from streams import centres
from tests.hostile import inputs
from tests.schemas.test_decode import BREAKERS, GOOD
from tests.strategies import histories

BOGOR = next(iter(centres.load([]).values()))

LITERALS = [
    "null", "true", "false", "0", "-0", "-0.0", "5", "5.0", "1e2", "1E+2", "5e-400", "1e400", "-1", "1.", ".5", "05", "+5",
    "0x10", "NaN", "Infinity", "-Infinity", "86400", "86400.0000000000001", "86400.1", "0.1000000000000000055511151231257827",
    "1" * 400, "9007199254740993", "123456789012345678901234567890", "2.2250738585072011e-308", "[]", "{}", "[1]",
    '{"call":"c"}', "", '"1.0"', '"1"', '"112"', '"32.71"', '"32.71\\n"', '"32.71.03"', '"٣٢.٧١"', '"arrival"', '"prank"',
    '"kebakaran \\u2013 besar"', '"café"', '"caf\xe9"', '"\\ud800"', '"\\ud83d\\ude00"', '"\\u0041bc"', '"a\\/b"', '"a\nb"',
    '"a\x00b"', '"a\x7fb"', '""', '" "', '"' + "x" * 64 + '"', '"' + "x" * 65 + '"', '"' + "x" * 129 + '"', '"call.answered"',
    '"call.unheard_of"', '"' + "ab" * 16 + '"',
]  # fmt: skip
"""What may stand for a value, not all of it JSON."""

TIMES = st.builds(
    "{}{}{}{}{}".format,
    st.sampled_from(["2024-11-25", "1999-12-31", "2100-01-01", "2024-02-30", "2024-W48-1", "20241125", "0000-01-01", "2024-1-5"]),
    st.sampled_from(["T", "T", "T", "t", " ", "_", ""]),
    st.sampled_from(["07:00:00", "23:59:59", "23:59:60", "24:00:00", "07:00", "07", "7:00:00", "070000", "12:60:00", "-7:00:00"]),
    st.sampled_from(["", ".", ",5", ".5", ".123456", ".1234565", ".9999999", ".123456789012", ".000000", ". 5", "."]),
    st.sampled_from(
        ["Z", "z", "", "+07:00", "-00:00", "+0700", "+07", "+24:00", "-23:59", "+00:60", "+07:00:30", " +07:00", "UTC"]
    ),
)
SPACES = st.sampled_from(["", "", " ", "\n", "\t\r ", "\x0b", "\x00", "\xa0"])


def _alike(read: Decoded, told: Decoded) -> bool:
    """Whether what the reader says is what the models say, to the kind of each value."""
    if not isinstance(told, Event):
        return type(read) is type(told) and read == told and getattr(read, "field", "") == getattr(told, "field", "")
    parts: list[tuple[Any, Any]] = [(read, told), (read.data, told.data)]  # type: ignore[union-attr]
    return all(
        type(getattr(ours, name)) is type(value) and repr(getattr(ours, name)) == repr(value)
        for ours, theirs in parts
        for name, value in theirs
        if name != "data"
    )


def assert_alike(values: Sequence[bytes | None]) -> None:
    """Together and each alone, in a reader that knows much or nothing."""
    told = [decode(value) for value in values]
    moments = [item.time.timestamp() if isinstance(item, Event) else 0.0 for item in told]
    together, alone = read(values), [read([value]) for value in values]
    for found, times in (together, ([item for [item], _ in alone], [time for _, [time] in alone])):
        assert len(found) == len(told)
        assert times == moments
        for value, ours, theirs in zip(values, found, told, strict=True):
            assert _alike(ours, theirs), f"{value!r}: {ours!r} is not {theirs!r}"


@given(histories([BOGOR]))
def test_events_of_every_type_with_any_values_are_read_as_the_models_read_them(history: list[Event]) -> None:
    values = [topics.encode(event) for event in history]

    assert_alike(values)
    assert [encode(item) for item in read(values)[0]] == values  # type: ignore[arg-type]


Pairs = list[tuple[str, Any]]


def _pairs(good: bytes) -> Pairs:
    event = json.loads(good)
    inside = [(json.dumps(name), json.dumps(value)) for name, value in event.pop("data").items()]
    return [*((json.dumps(name), json.dumps(value)) for name, value in event.items()), ('"data"', inside)]


def _written(part: Pairs, space: str = "") -> str:
    said = [f"{name}:{space}{_written(value, space) if isinstance(value, list) else value}" for name, value in part]
    return "{" + ",".join(said) + "}"


@st.composite
def _changed(draw: st.DrawFn) -> bytes:
    """An event in which fields are replaced, told twice, unknown, missing or in another order, and spaces stand between."""
    event = _pairs(draw(st.sampled_from(GOOD)))
    for _ in range(draw(st.integers(0, 3))):
        inside = next((value for name, value in event if name == '"data"' and isinstance(value, list)), event)
        part = draw(st.sampled_from([event, inside, inside]))
        place = draw(st.integers(0, max(0, len(part) - 1)))
        name = part[place][0] if part else '"call"'
        value = draw(st.sampled_from(LITERALS) | (TIMES.map(json.dumps) if "time" in name else st.nothing()))
        match draw(st.sampled_from(["replace", "replace", "twice", "unknown", "missing", "order", "null", "spelt"])):
            case "replace" if part:
                part[place] = name, value
            case "twice":
                part.insert(
                    draw(st.integers(0, len(part))), (name, draw(st.sampled_from([value, part[place][1] if part else value])))
                )
            case "unknown":
                part.insert(place, (draw(st.sampled_from(['"note"', '""', '"Type"', '"class_"', '"\\u00e9"', '"seat"'])), value))
            case "missing" if part:
                del part[place]
            case "order":
                draw(st.randoms(use_true_random=False)).shuffle(part)
            case "null" if part:
                part[place] = name, "null"
            case "spelt" if part:
                part[place] = name.replace("e", "\\u0065", 1), part[place][1]
    text = draw(SPACES) + _written(event, draw(SPACES)) + draw(SPACES | st.sampled_from(["x", "{}", ",", "\n{}"]))
    return draw(st.sampled_from([b"", b"", b"", b"\xef\xbb\xbf"])) + text.encode(
        draw(st.sampled_from(["utf-8", "utf-8", "cp1252"])), "ignore"
    )


@given(st.lists(_changed() | st.sampled_from(GOOD), min_size=1, max_size=5))
def test_whatever_is_wrong_or_odd_in_json_the_models_say_what_becomes_of_it(values: list[bytes]) -> None:
    assert_alike(values)


@pytest.mark.parametrize("good", GOOD, ids=lambda good: json.loads(good)["type"])
def test_each_field_of_each_event_is_missed_or_passed_over_as_the_models_do(good: bytes) -> None:
    for odd in ([], ["null"], ["5"], ['"32.71"', '"x y"'], ['"x y"', '"32.71"']):
        for inside in (False, True):
            told = _pairs(good)
            part = told[-1][1] if inside else told
            for place, (name, value) in enumerate(list(part)):
                part[place : place + 1] = [(name, said) for said in odd]
                assert_alike([_written(told).encode()])
                part[place : place + len(odd)] = [(name, value)]
            part.append(('"note"', '"x"'))
            assert_alike([_written(told).encode()])


@given(TIMES, st.sampled_from(GOOD))
def test_a_time_is_read_as_the_models_read_it_in_whatever_form(time: str, good: bytes) -> None:
    assert_alike([json.dumps(json.loads(good) | {"time": time}).encode(), good])


@given(st.floats() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False), st.sampled_from(GOOD))
def test_a_number_is_read_to_the_last_digit(number: Any, good: bytes) -> None:
    event = json.loads(good)
    for name, value in event["data"].items():
        if isinstance(value, int | float):
            event["data"][name] = "HERE"
    assert_alike([json.dumps(event).replace('"HERE"', str(number)).encode()])


@given(st.lists(st.none() | st.binary(max_size=300), max_size=4))
def test_any_bytes_get_the_answer_of_the_models(values: list[bytes | None]) -> None:
    assert_alike(values)


@pytest.mark.parametrize("breaker", BREAKERS, ids=lambda breaker: breaker.__name__.strip("_"))
def test_broken_records_are_refused_as_the_models_refuse_them(breaker: Callable[[bytes, random.Random], bytes]) -> None:
    dice = random.Random(112)
    for _ in range(100):
        good = dice.choice(GOOD)
        assert_alike([good, breaker(good, dice), good])


def test_hostile_inputs_are_read_as_the_models_read_them() -> None:
    values = [told.value for told in inputs(random.Random(112), [BOGOR.code], 3_000)]

    for start in range(0, len(values), 8):
        assert_alike(values[start : start + 8])


def test_what_fills_the_largest_record_is_read_and_one_byte_more_is_refused() -> None:
    good = GOOD[0].strip()
    assert_alike([good + b" " * (LARGEST - len(good)), good + b" " * (LARGEST + 1 - len(good))])


def test_every_event_without_checks_of_its_own_is_read_here() -> None:
    """A new type is read without a word: else a field of it is of a kind that has no form, and costs three times as much."""
    own = set()
    for name, model in EVENT_TYPES.items():
        data: Any = model.model_fields["data"].annotation
        checks = [part.__pydantic_decorators__ for part in (model, data)]
        times = any(field.annotation is AwareDatetime for field in data.model_fields.values())
        if times or any(check.field_validators or check.model_validators for check in checks):
            own.add(name)

    assert EVENT_TYPES.keys() - FORM_OF.keys() == own
    assert {type(item) for item in read(GOOD)[0]} == {*FORM_OF.values(), *(EVENT_TYPES[name] for name in own)} - {
        FORM_OF["exchange.restarted"]
    }


def test_a_text_that_was_right_in_one_field_is_judged_anew_in_another() -> None:
    good = json.loads(next(good for good in GOOD if b'"call.offered"' in good))
    assert_alike([json.dumps(good | {"data": good["data"] | {"queue": "32.71.03"}}).encode()])
    for field, text in [("district", "queue-1"), ("caller", "queue-1"), ("caller_key", "queue-1")]:
        told = json.dumps(good | {"data": good["data"] | {"queue": text, field: text}}).encode()
        assert isinstance(read([told])[0][0], Refusal)


def test_a_flood_of_invented_names_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "KNOWN", 100)
    event = json.loads(next(good for good in GOOD if b'"link.heartbeat"' in good))

    for number in range(1_000):
        told = event | {"source": f"/32.71/{number}", "data": {"link": f"link-{number}"}}
        assert type(read([json.dumps(told).encode()])[0][0]) is FORM_OF["link.heartbeat"]

    assert all(len(known) <= 102 for known in [reader._beside, *reader._known.values()])


def test_nothing_of_what_is_read_shows_in_what_is_refused() -> None:
    assert not re.search(
        "Siti", repr([read([breaker(GOOD[0], random.Random(1))]) for breaker in BREAKERS if breaker.__name__ != "_flipped"])
    )


class _Stripped(Data):
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", str_strip_whitespace=True)
    link: str


class _Small(Data):
    link: Annotated[str, StringConstraints(to_lower=True)]


class _Made(Data):
    link: str = Field(default_factory=lambda: "sip")


class _Elsewhere(Data):
    link: str = Field(validation_alias=AliasChoices("link", "trunk"))


class _Listed(Data):
    links: list[str]


class _Looked(Data):
    link: str

    def model_post_init(self, _: Any) -> None:
        assert self.link


class _Endless(Data):
    seconds: float = Field(multiple_of=0.5)


@pytest.mark.parametrize("model", [_Stripped, _Small, _Made, _Elsewhere, _Listed, _Looked, _Endless])
def test_a_model_of_which_more_is_said_than_a_form_knows_has_none(model: Any) -> None:
    with pytest.raises(reader._UnlikeError):
        reader._fields(model.__pydantic_core_schema__)

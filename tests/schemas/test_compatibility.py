"""What was once a valid event stays one: golden samples decode for ever, and schemas only grow."""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from schemas.catalogue import json_schema
from schemas.topics import EVENT_TYPES, decode

GOLDEN = Path(__file__).parent / "golden"
SAMPLES = [
    (path.stem, number, sample)
    for path in sorted(GOLDEN.glob("*.json"))
    for number, sample in enumerate(json.loads(path.read_text()))
]
SCHEMAS = {path.name.removesuffix(".schema.json"): json.loads(path.read_text()) for path in (GOLDEN / "schemas").iterdir()}

Json = dict[str, Any]


@pytest.mark.parametrize(("name", "sample"), [pytest.param(n, s, id=f"{n}-{i}") for n, i, s in SAMPLES])
def test_a_golden_sample_decodes_for_ever(name: str, sample: Json) -> None:
    event = decode(json.dumps(sample).encode())

    assert isinstance(event, EVENT_TYPES[name])
    said = event.model_dump(mode="json", by_alias=True, exclude_unset=True)
    known = {key: value for key, value in sample["data"].items() if key != "not_known_yet"}
    assert said["data"] == known


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_only_grows(name: str) -> None:
    assert name in EVENT_TYPES, f"{name}: an event type never goes away; old events are of it"
    assert list(breaks(SCHEMAS[name], json_schema(EVENT_TYPES[name]))) == []


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_what_has_been_added_is_golden_too(name: str) -> None:
    assert SCHEMAS.get(name) == json_schema(EVENT_TYPES[name]), (
        f"if the change is an addition, `make docs` keeps it; give tests/schemas/golden/{name}.json a sample of it"
    )
    assert name in {sampled for sampled, _, _ in SAMPLES}, f"give it samples: tests/schemas/golden/{name}.json"


def breaks(old: Json, new: Json, path: str = "", roots: tuple[Json, Json] | None = None) -> Iterator[str]:
    """The rules of additive evolution that `new` breaks against `old`, each with the place."""
    olds, news = roots or (old, new)
    old, new = _deref(old, olds), _deref(new, news)
    if "properties" in old:
        for name, was in old["properties"].items():
            at = f"{path}.{name}".lstrip(".")
            if name not in new.get("properties", {}):
                yield f"{at}: a field was removed; keep it, readers need it"
            else:
                yield from breaks(was, new["properties"][name], at, (olds, news))
        for name in new.get("required", []):
            if name not in old.get("required", []):
                yield f"{f'{path}.{name}'.lstrip('.')}: a required field was added; make it optional, old events have none"
        for name in old.get("required", []):
            if name not in new.get("required", []):
                yield f"{f'{path}.{name}'.lstrip('.')}: a required field became optional; readers of today count on it"
        return
    for pattern, was in old.get("patternProperties", {}).items():
        if new.get("patternProperties", {}).get(pattern) != was:
            yield f"{path}: the fields {pattern} were removed or changed; keep them, old events have them"
    for value in old.get("enum", []):
        if not Draft202012Validator(_type(new) | ({"enum": new["enum"]} if "enum" in new else {})).is_valid(value):
            yield f"{path}: the enum value {value!r} was removed; old events have it"
    # A closed set may open into text that holds all of it.
    if not ("enum" in old and "enum" not in new and new.get("type") == old.get("type")) and _type(old) != _type(new):
        yield f"{path}: the type was changed; make a new event type ending in .v2"


def _deref(schema: Json, root: Json) -> Json:
    if "$ref" not in schema:
        return schema
    found: Json = root["$defs"][schema["$ref"].rpartition("/")[2]]
    return found


def _type(schema: Json) -> Json:
    """What values a field may have, but for the enum and the patterns of names, which may grow, and words."""
    return {
        key: value for key, value in schema.items() if key not in {"title", "description", "default", "enum", "patternProperties"}
    }


def _required_field_added(schema: Json) -> None:
    schema["$defs"]["Overflowed"]["properties"]["district"] = {"type": "string"}
    schema["$defs"]["Overflowed"]["required"].append("district")


def _field_removed(schema: Json) -> None:
    del schema["$defs"]["Overflowed"]["properties"]["reason"]


def _enum_value_removed(schema: Json) -> None:
    schema["$defs"]["Overflowed"]["properties"]["reason"]["enum"].remove("empty")


def _type_changed(schema: Json) -> None:
    schema["$defs"]["Overflowed"]["properties"]["call"]["type"] = "integer"


def _pattern_changed(schema: Json) -> None:
    schema["properties"]["subject"]["pattern"] = "^[0-9]{4}$"


def _required_field_made_optional(schema: Json) -> None:
    schema["$defs"]["Overflowed"]["required"].remove("reason")


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (_required_field_added, "data.district: a required field was added; make it optional, old events have none"),
        (_field_removed, "data.reason: a field was removed; keep it, readers need it"),
        (_enum_value_removed, "data.reason: the enum value 'empty' was removed; old events have it"),
        (_type_changed, "data.call: the type was changed; make a new event type ending in .v2"),
        (_pattern_changed, "subject: the type was changed; make a new event type ending in .v2"),
        (_required_field_made_optional, "data.reason: a required field became optional; readers of today count on it"),
    ],
)
def test_a_breaking_change_is_named_with_its_rule(change: Callable[[Json], None], rule: str) -> None:
    old = json_schema(EVENT_TYPES["call.overflowed"])
    new = deepcopy(old)
    change(new)

    assert list(breaks(old, new)) == [rule]


def test_fields_named_by_a_pattern_may_come_beside_others_and_none_may_go() -> None:
    old = json_schema(EVENT_TYPES["survey.answered"])
    new = deepcopy(old)
    patterns = new["$defs"]["Response"]["properties"]["scores"]["patternProperties"]

    patterns["^v[1-9]$"] = {"type": "integer"}
    assert list(breaks(old, new)) == []

    patterns["^u[1-9]$"] = {"type": "string"}
    assert list(breaks(old, new)) == ["data.scores: the fields ^u[1-9]$ were removed or changed; keep them, old events have them"]


def test_a_closed_set_may_open_into_text_that_holds_all_of_it() -> None:
    old = json_schema(EVENT_TYPES["call.overflowed"])
    new = deepcopy(old)
    del new["$defs"]["Overflowed"]["properties"]["reason"]["enum"]

    new["$defs"]["Overflowed"]["properties"]["reason"]["maxLength"] = 9
    assert list(breaks(old, new)) == []
    new["$defs"]["Overflowed"]["properties"]["reason"]["maxLength"] = 8
    assert list(breaks(old, new)) == ["data.reason: the enum value 'withdrawn' was removed; old events have it"]


def test_an_optional_field_and_an_enum_value_may_be_added() -> None:
    old = json_schema(EVENT_TYPES["call.overflowed"])
    new = deepcopy(old)
    new["$defs"]["Overflowed"]["properties"]["district"] = {"type": "string"}
    new["$defs"]["Overflowed"]["properties"]["reason"]["enum"].append("moved")

    assert list(breaks(old, new)) == []


if __name__ == "__main__":
    for kind, model in EVENT_TYPES.items():
        if kind not in SCHEMAS or not list(breaks(SCHEMAS[kind], json_schema(model))):
            text = json.dumps(json_schema(model), indent=2, ensure_ascii=False) + "\n"
            (GOLDEN / "schemas" / f"{kind}.schema.json").write_text(text)

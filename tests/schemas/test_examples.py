"""Each event type has one example; it says what the schema says, and nothing generated is out of date."""

import json
import shutil
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from schemas import catalogue
from schemas.event import Event
from schemas.topics import DEAD_LETTERS, EVENT_TYPES, PARTITIONS, TOPIC_OF, TOPICS, decode, encode

EXAMPLES = Path(catalogue.__file__).parent / "examples"


def test_every_event_type_has_one_example_and_every_example_a_type() -> None:
    assert {path.name for path in EXAMPLES.iterdir()} == {f"{name}.json" for name in EVENT_TYPES}


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_an_example_decodes_and_survives_encoding(name: str) -> None:
    event = decode((EXAMPLES / f"{name}.json").read_bytes())

    assert isinstance(event, EVENT_TYPES[name])
    assert decode(encode(event)) == event


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_an_example_shows_every_field(name: str) -> None:
    shown = json.loads((EXAMPLES / f"{name}.json").read_text())
    data = EVENT_TYPES[name].model_fields["data"].annotation
    assert isinstance(data, type)

    assert set(shown) == set(Event.model_fields) - {"replayed"}  # no source says it
    assert set(shown["data"]) == {field.alias or key for key, field in data.model_fields.items()}


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_an_example_is_valid_by_the_json_schema(name: str) -> None:
    schema = json.loads((EXAMPLES.parent / "json" / f"{name}.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    example = json.loads((EXAMPLES / f"{name}.json").read_text())

    validator.validate(example)
    for field in schema["required"]:
        assert not validator.is_valid({key: value for key, value in example.items() if key != field}), field


def test_what_is_generated_is_as_the_models_say() -> None:
    assert catalogue.stale() == [], "run: python -m schemas.catalogue"


def test_a_changed_a_missing_and_a_left_over_file_are_stale_until_written_again(tmp_path: Path) -> None:
    folder = tmp_path / "schemas"
    shutil.copytree(EXAMPLES.parent, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    (folder / "json" / "call.offered.schema.json").unlink()
    (folder / "json" / "call.imagined.schema.json").write_text("{}")
    (folder / "README.md").write_text((folder / "README.md").read_text().replace("gave up waiting", "went home"))

    assert catalogue.stale(folder) == ["README.md", "json/call.imagined.schema.json", "json/call.offered.schema.json"]

    catalogue.write(folder)

    assert catalogue.stale(folder) == []


# No installed package brings the JSON Schema of AsyncAPI 3.0.0: these look at its structure by hand.


def test_the_asyncapi_document_has_what_asyncapi_3_requires() -> None:
    document = catalogue.asyncapi()

    assert document["asyncapi"] == "3.0.0"
    assert document["info"].keys() >= {"title", "version"}
    assert document.keys() <= {"asyncapi", "info", "defaultContentType", "channels", "operations", "components"}
    for operation in document["operations"].values():
        assert operation["action"] in {"send", "receive"}
        assert operation["channel"]["$ref"].startswith("#/channels/")


def test_every_reference_in_the_asyncapi_document_leads_somewhere() -> None:
    document = catalogue.asyncapi()
    found = []

    def follow(node: object) -> None:
        if isinstance(node, dict):
            if "$ref" in node:
                target: object = document
                for part in node["$ref"].removeprefix("#/").split("/"):
                    assert isinstance(target, dict)
                    assert part in target, node["$ref"]
                    target = target[part]
                found.append(node["$ref"])
            for value in node.values():
                follow(value)
        elif isinstance(node, list):
            for value in node:
                follow(value)

    follow(document)

    assert len(found) >= 3 * len(EVENT_TYPES)


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.noun)
def test_a_topic_is_a_channel_with_its_partitions_retention_and_events(topic) -> None:  # type: ignore[no-untyped-def]
    channel = catalogue.asyncapi()["channels"][topic.noun]
    kafka = channel["bindings"]["kafka"]

    assert channel["address"] == kafka["topic"] == topic.name
    assert kafka["partitions"] == PARTITIONS
    assert kafka["topicConfiguration"]["retention.ms"] == topic.retention_days * 24 * 60 * 60 * 1000
    assert set(channel["messages"]) == {name for name, of in TOPIC_OF.items() if of == topic}


def test_the_dead_letters_have_a_channel_too() -> None:
    assert catalogue.asyncapi()["channels"][DEAD_LETTERS.noun]["address"] == DEAD_LETTERS.name


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_a_message_is_keyed_by_centre_and_its_example_is_valid_by_its_payload(name: str) -> None:
    document = catalogue.asyncapi()
    message = document["components"]["messages"][name]
    [example] = message["examples"]

    assert message["bindings"]["kafka"]["key"]["examples"] == [example["payload"]["subject"]]
    Draft202012Validator({**message["payload"], "components": document["components"]}).validate(example["payload"])

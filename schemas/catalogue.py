"""Writes what others read of the events: JSON Schemas, an AsyncAPI 3.0 document, and the table in the README.

`python -m schemas.catalogue` writes them; with `--check` it changes nothing and fails when one is not as the models say.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from schemas.event import Event
from schemas.topics import CONTENT_TYPE, DEAD_LETTERS, EVENT_TYPES, PARTITIONS, TOPIC_OF, TOPICS, Topic

HERE = Path(__file__).parent
VERSION = "1.0.0"
"""Of the contract: minor for additions. What would break a reader is a new event type instead."""

TABLE_BEGINS, TABLE_ENDS = "<!-- events begin: python -m schemas.catalogue -->", "<!-- events end -->"

Json = dict[str, Any]

_KEY: Json = {"type": "string", "description": "The centre's Kemendagri code: the event's `subject`.", "examples": ["32.71"]}


def json_schema(kind: type[Event]) -> Json:
    """The JSON Schema (2020-12) of one event type, as a reader of it needs it."""
    schema = kind.model_json_schema()
    name = kind.model_fields["type"].default
    # A default in the model, but no reader could tell the event without it.
    schema["required"] = ["type", *schema["required"]]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:pantau112:schema:{name}", **schema}


def asyncapi(folder: Path = HERE) -> Json:
    """The AsyncAPI 3.0.0 document: a channel per topic, a message per event type with its example from `folder`/examples."""
    messages: Json = {}
    schemas: Json = {}
    for name, kind in EVENT_TYPES.items():
        # AsyncAPI wants the parts of a schema beside it under one roof.
        schema = kind.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= schema.pop("$defs")
        schemas[kind.__name__] = schema | {"required": ["type", *schema["required"]]}
        messages[name] = {
            "name": name,
            "title": kind.__name__,
            "summary": _sentence(kind),
            "contentType": CONTENT_TYPE.decode(),
            "payload": {"$ref": f"#/components/schemas/{kind.__name__}"},
            "bindings": {"kafka": {"key": _KEY, "bindingVersion": "0.5.0"}},
            "examples": [{"payload": json.loads((folder / "examples" / f"{name}.json").read_text())}],
        }
    messages["dead-letter"] = {
        "name": "dead-letter",
        "title": "Dead letter",
        "summary": "A record that could not be read: its key and bytes as they came; the header dlq_reason says why.",
        "contentType": "application/octet-stream",
        "payload": {},
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "pantau112",
            "version": VERSION,
            "description": "Events of 112 emergency call centres: CloudEvents 1.0, structured mode. No personal data.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": CONTENT_TYPE.decode(),
        "channels": {topic.noun: _channel(topic) for topic in (*TOPICS, DEAD_LETTERS)},
        "operations": {
            **{f"read-{topic.noun}": _operation("receive", topic) for topic in TOPICS},
            f"send-{DEAD_LETTERS.noun}": _operation("send", DEAD_LETTERS),
        },
        "components": {"messages": messages, "schemas": dict(sorted(schemas.items()))},
    }


def _channel(topic: Topic) -> Json:
    names = [kind.model_fields["type"].default for kind in topic.types] or ["dead-letter"]
    return {
        "address": topic.name,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": PARTITIONS,
                "topicConfiguration": {
                    "cleanup.policy": ["delete"],
                    "retention.ms": topic.retention_days * 86_400_000,
                },
                "bindingVersion": "0.5.0",
            }
        },
    }


def _operation(action: str, topic: Topic) -> Json:
    return {"action": action, "channel": {"$ref": f"#/channels/{topic.noun}"}}


def _sentence(kind: type[Event]) -> str:
    return (kind.__doc__ or "").strip().splitlines()[0]


def table() -> str:
    """The events as a Markdown table: topic, what happened, and the fields of `data` (a question mark: may be left out)."""
    rows = ["| event | topic | what happened | data |", "|---|---|---|---|"]
    for name, kind in EVENT_TYPES.items():
        fields = kind.model_fields["data"].annotation.model_fields.items()  # type: ignore[union-attr]
        data = " ".join(f"`{field.alias or key}`" + "?" * (not field.is_required()) for key, field in fields)
        rows.append(f"| [`{name}`](examples/{name}.json) | `{TOPIC_OF[name].name}` | {_sentence(kind)} | {data} |")
    return "\n".join(rows)


def documents(folder: Path = HERE) -> dict[Path, str]:
    """Every generated file of `folder` with the text that the models call for."""
    readme = (folder / "README.md").read_text()
    before, _, rest = readme.partition(TABLE_BEGINS)
    _, ends, after = rest.partition(TABLE_ENDS)
    if not ends:
        raise SystemExit(f"README.md: the table's place is not marked; put back {TABLE_BEGINS} and {TABLE_ENDS}")
    return {
        **{folder / "json" / f"{name}.schema.json": _text(json_schema(kind)) for name, kind in EVENT_TYPES.items()},
        folder / "asyncapi.json": _text(asyncapi(folder)),
        folder / "README.md": f"{before}{TABLE_BEGINS}\n{table()}\n{TABLE_ENDS}{after}",
    }


def stale(folder: Path = HERE) -> list[str]:
    """The generated files of `folder` that are missing, not as the models say, or of a type that is no more."""
    wanted = documents(folder)
    wrong = [path for path, text in wanted.items() if not path.exists() or path.read_text() != text]
    wrong += [path for path in (folder / "json").glob("*") if path not in wanted]
    return sorted(path.relative_to(folder).as_posix() for path in wrong)


def write(folder: Path = HERE) -> None:
    """Write every generated file of `folder` and remove schemas of types that are no more."""
    wanted = documents(folder)
    (folder / "json").mkdir(exist_ok=True)
    for path in (folder / "json").glob("*"):
        if path not in wanted:
            path.unlink()
    for path, text in wanted.items():
        path.write_text(text)


def _text(document: Json) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def main(arguments: Sequence[str]) -> int:
    """The command line: 0 done, 1 something is stale, 2 wrong usage."""
    if arguments not in ([], ["--check"]):
        sys.stderr.write("usage: python -m schemas.catalogue [--check]\n")
        return 2
    if not arguments:
        write()
        return 0
    wrong = stale()
    if wrong:
        sys.stderr.write(f"not as the models say: {', '.join(wrong)}; run: python -m schemas.catalogue\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

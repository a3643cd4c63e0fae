"""The gateway as an OpenAPI 3.1 document: its requests, its answers, and every event as the schemas say it."""

import json
from functools import cache
from importlib.metadata import version
from typing import Any

from schemas.topics import EVENT_TYPES
from streams.edge.gateway.alarm_page import MINUTES
from streams.edge.gateway.cloudevents import BATCHED, PLAIN, STRUCTURED
from streams.edge.gateway.silences import CODE

Json = dict[str, Any]

_ERROR: Json = {
    "type": "object",
    "required": ["error"],
    "properties": {"error": {"type": "string", "description": "What is wrong and what to do; nothing of what was sent."}},
}
_TAKEN: Json = {"type": "object", "required": ["accepted"], "properties": {"accepted": {"type": "integer", "minimum": 0}}}
_REFUSED: Json = {
    "type": "object",
    "required": ["accepted", "refused"],
    "properties": {
        "accepted": {"type": "integer", "minimum": 0, "description": "How many of the request were good: Kafka has them."},
        "refused": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["index", "field", "reason"],
                "properties": {
                    "index": {"type": "integer", "minimum": 0},
                    "field": {"type": "string", "examples": ["data.queue"]},
                    "reason": {"type": "string", "examples": ["missing"]},
                },
            },
        },
    },
}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _answer(description: str, schema: str = "Error") -> Json:
    return {"description": description, "content": {"application/json": {"schema": _ref(schema)}}}


_TAKING = {
    "202": _answer("Kafka has all of them.", "Taken"),
    "400": _answer("The body is no event and no batch, or no message."),
    "401": _answer("There is no token or signature, or one that is not known."),
    "403": _answer("The token may tell none of these events.", "Refused"),
    "408": _answer("The body took too long."),
    "413": _answer("The body is too large: send fewer events at once."),
    "415": _answer("The content type is none of those above."),
    "422": _answer("Some were refused; Kafka has the others.", "Refused"),
    "429": _answer("Too much; come again after Retry-After seconds."),
    "503": _answer("Kafka does not answer; send all again after Retry-After seconds."),
}
_MESSAGE: Json = {"type": "object"}
_MESSAGES: Json = {"anyOf": [_MESSAGE, {"type": "array", "items": _MESSAGE}]}


@cache
def document() -> bytes:
    """The document as JSON."""
    schemas: Json = {"Error": _ERROR, "Taken": _TAKEN, "Refused": _REFUSED}
    for name, kind in EVENT_TYPES.items():
        schema = kind.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= schema.pop("$defs")
        schemas[kind.__name__] = schema | {"required": ["specversion", "type", *schema["required"]]}
        assert schema["properties"]["type"]["const"] == name
    event: Json = {
        "oneOf": [_ref(kind.__name__) for kind in EVENT_TYPES.values()],
        "discriminator": {
            "propertyName": "type",
            "mapping": {name: f"#/components/schemas/{kind.__name__}" for name, kind in EVENT_TYPES.items()},
        },
    }
    schemas["Event"] = event
    batch = {"type": "array", "items": _ref("Event")}
    said: Json = {
        "openapi": "3.1.0",
        "info": {
            "title": "pantau112 gateway",
            "version": version("pantau112"),
            "description": "Events of 112 emergency call centres into the monitor: CloudEvents 1.0. No personal data: a caller "
            "is a keyed hash. What no schema knows is dropped.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": {
            "/v1/events": {
                "post": {
                    "operationId": "sendEvents",
                    "summary": "Send events; send them again whenever the answer was lost: the same event counts once.",
                    "description": "Also in binary mode: `ce-` headers for the attributes, `data` alone as application/json.",
                    "security": [{"token": []}],
                    "requestBody": {
                        "required": True,
                        "content": {
                            STRUCTURED: {"schema": _ref("Event")},
                            BATCHED: {"schema": batch},
                            PLAIN: {"schema": {"anyOf": [_ref("Event"), batch]}},
                        },
                    },
                    "responses": _TAKING,
                }
            },
            "/v1/hooks/{name}": {
                "parameters": [
                    {
                        "name": "name",
                        "in": "path",
                        "required": True,
                        "description": "A hook of this gateway.",
                        "schema": {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,39}$"},
                    }
                ],
                "post": {
                    "operationId": "sendMessages",
                    "summary": "A vendor's webhook: its own JSON or a form, which the gateway's operator maps to events.",
                    "security": [{"token": []}, {}],
                    "requestBody": {
                        "required": True,
                        "content": {PLAIN: {"schema": _MESSAGES}, "application/x-www-form-urlencoded": {"schema": _MESSAGE}},
                    },
                    "responses": _TAKING | {"404": _answer("There is no such hook.")},
                },
            },
            "/v1/tickets/{signed}": {
                "parameters": [
                    {
                        "name": "signed",
                        "in": "path",
                        "required": True,
                        "description": "The end of the link that a reminder bears.",
                        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,2000}$"},
                    }
                ],
                "get": {
                    "operationId": "showTicket",
                    "summary": "The page of a ticket that an agency was reminded of.",
                    "responses": _pages("The page."),
                },
                "post": {
                    "operationId": "acknowledgeTicket",
                    "summary": "The page's button: the agency has the ticket.",
                    "responses": _pages("It is noted.") | {"409": _html("It was acknowledged already.")},
                },
            },
            "/v1/alarms/{signed}": {
                "parameters": [
                    {
                        "name": "signed",
                        "in": "path",
                        "required": True,
                        "description": "The end of the link that a page bears.",
                        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,2000}$"},
                    }
                ],
                "get": {
                    "operationId": "showAlarm",
                    "summary": "The page of an alarm: what, where, since when, what to do, and who has it.",
                    "responses": _pages("The page.", "Alertmanager"),
                },
                "post": {
                    "operationId": "acknowledgeAlarm",
                    "summary": "The page's button: somebody has exactly this alarm, for so many minutes.",
                    "requestBody": {
                        "required": True,
                        "content": {
                            "application/x-www-form-urlencoded": {
                                "schema": {
                                    "type": "object",
                                    "required": ["by", "minutes"],
                                    "properties": {
                                        "by": {
                                            "type": "string",
                                            "description": "A code, no name: 2 to 8 letters and digits, one digit at least.",
                                            "pattern": CODE.pattern,
                                        },
                                        "minutes": {"type": "string", "enum": list(MINUTES)},
                                    },
                                }
                            }
                        },
                    },
                    "responses": _pages("It is noted.", "Alertmanager")
                    | {
                        "409": _html("Somebody has it already, or it is over."),
                        "413": _answer("The body is too large."),
                        "415": _answer("The content type is not that of a form."),
                        "422": _html("The code or the time is none."),
                    },
                },
            },
            "/v1/openapi.json": _page("This document.", "application/json", {"type": "object"}),
            "/health": _page("The gateway runs.", "application/json", {"type": "object"}),
            "/ready": _page("Kafka answers.", "application/json", {"type": "object"}, "503"),
            "/metrics": _page("For Prometheus.", "text/plain", {"type": "string"}),
        },
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": dict(sorted(schemas.items())),
        },
    }
    return json.dumps(said, ensure_ascii=False).encode()


def _html(description: str) -> Json:
    return {"description": description, "content": {"text/html": {"schema": {"type": "string"}}}}


def _pages(done: str, asked: str = "Kafka") -> Json:
    return {
        "200": _html(done),
        "403": _html("The link is forged."),
        "404": _answer("There is no such page: this gateway has no key for links, or looks at no Alertmanager."),
        "410": _html("The link has expired."),
        "503": _html(f"{asked} does not answer."),
    }


def _page(summary: str, kind: str, schema: Json, *errors: str) -> Json:
    answers = {"200": {"description": summary, "content": {kind: {"schema": schema}}}}
    return {"get": {"summary": summary, "responses": answers | {status: _answer("Not now.") for status in errors}}}

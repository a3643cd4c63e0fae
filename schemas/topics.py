"""Which events travel in which Kafka topic, and how bytes become events and events bytes."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, TypeAdapter, ValidationError
from pydantic_core import SchemaValidator

from schemas.callers import CallerEvent
from schemas.calls import CallEvent, ExchangeRestarted
from schemas.dispatch import DispatchEvent
from schemas.environment import EnvironmentEvent
from schemas.event import EARLIEST, OLDEST_RECORDING, Event
from schemas.network import NetworkEvent
from schemas.operators import OperatorEvent
from schemas.survey import Item, SurveyEvent

CONTENT_TYPE = b"application/cloudevents+json"
PARTITIONS = 8
"""So many has every topic that is created without saying. Afterwards Kafka is asked, and the number stays: with another one
centres would lie in other partitions."""

MOST_PARTITIONS = 256
"""Most that can be asked for: so many workers, at two centres each, share all of Indonesia."""

LARGEST = 65_536
"""Bytes of one event; ours are about 250."""

Reason = Literal[
    "empty",
    "too_large",
    "not_json",
    "invalid_envelope",
    "invalid_data",
    "other_topic",
    "unknown_centre",
    "in_the_future",
    "wrong_partition",
    "not_folded",
]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a record is no event: a reason from a closed set, and a sentence that repeats nothing of the record."""

    reason: Reason
    detail: str
    field: str = field(default="", compare=False)
    """Which field of the event, such as `data.queue`; empty where it is none."""


@dataclass(frozen=True, slots=True)
class UnknownType:
    """A well-formed event of a type that this version does not know: counted and passed over."""

    type: str


Decoded = Event | UnknownType | Refusal


@dataclass(frozen=True, slots=True)
class Topic:
    """One Kafka topic. Records are keyed by centre code, so that one centre's events stay in order."""

    name: str
    noun: str
    retention_days: int
    types: tuple[type[Event], ...] = ()


# Who is a nuisance is judged by calls, so what is decided about callers travels with them.
CALLS = Topic("112.calls.v1", "calls", 400, (*get_args(CallEvent), ExchangeRestarted, *get_args(CallerEvent)))
OPERATORS = Topic("112.operators.v1", "operators", 400, get_args(OperatorEvent))
DISPATCH = Topic("112.dispatch.v1", "dispatch", 400, get_args(DispatchEvent))
NETWORK = Topic("112.network.v1", "network", 400, get_args(NetworkEvent))
ENVIRONMENT = Topic("112.environment.v1", "environment", 400, get_args(EnvironmentEvent))
SURVEY = Topic("112.survey.v1", "survey", 400, (SurveyEvent,))
TOPICS = (CALLS, OPERATORS, DISPATCH, NETWORK, ENVIRONMENT, SURVEY)
DEAD_LETTERS = Topic("112.dead-letters.v1", "dead-letters", 3)

SNAPSHOTS = Topic("112.snapshots.v1", "snapshots", max(topic.retention_days for topic in TOPICS))
"""What was known at the end of each day: a record for each state, in the partition of the events it was folded from."""
SNAPSHOT_INDEX = Topic("112.snapshot-index.v1", "snapshot-index", SNAPSHOTS.retention_days)
"""For each topic, partition and day one record, which says where its states are: small, so that it can be read whole."""

SENT_AGAIN = "dlq_times_sent"
"""Header of a record that was a dead letter, and of what becomes of it if it comes back: how often it was sent again."""

EVENT_TYPES: dict[str, type[Event]] = {t.model_fields["type"].default: t for topic in TOPICS for t in topic.types}
TOPIC_OF: dict[str, Topic] = {t.model_fields["type"].default: topic for topic in TOPICS for t in topic.types}

_EVENT: TypeAdapter[Event] = TypeAdapter(
    Annotated[
        CallEvent
        | ExchangeRestarted
        | CallerEvent
        | OperatorEvent
        | DispatchEvent
        | NetworkEvent
        | EnvironmentEvent
        | SurveyEvent,
        Field(discriminator="type"),
    ]
)
_validate: Callable[[bytes], Event] = _EVENT.validator.validate_json  # without the wrapper, which costs a sixth of it


def _of_recordings(part: Any) -> Any:
    """The same schema, with times that a recording may have."""
    if isinstance(part, dict):
        return {key: OLDEST_RECORDING if value == EARLIEST else _of_recordings(value) for key, value in part.items()}
    return type(part)(map(_of_recordings, part)) if isinstance(part, list | tuple) else part


# Not with what pydantic has built for each class, which has the other bound in it.
_validate_recording: Callable[[bytes], Event] = SchemaValidator(
    _of_recordings(_EVENT.core_schema), _use_prebuilt=False
).validate_json
_ENVELOPE = TypeAdapter(Event)
_BEYOND = {"ge": "less than", "gt": "not greater than", "le": "greater than", "lt": "not less than"}
_TYPE_NAME = re.compile(r"[a-z0-9._-]{1,64}")
_FIELD_NAMES = {
    str(told)
    for kind in EVENT_TYPES.values()
    for model in (kind, kind.model_fields["data"].annotation)
    for name, said in model.model_fields.items()  # type: ignore[union-attr]
    for told in (name, said.alias)
}
_ITEM_NAME = re.compile(get_args(Item)[1].pattern)


def decode(value: bytes | None, validate: Callable[[bytes], Event] = _validate) -> Decoded:
    """What the bytes of a record say. Never raises: what cannot be read comes back as a `Refusal`."""
    if not value:
        return Refusal("empty", "no bytes: a record must hold one JSON object")
    if len(value) > LARGEST:
        return Refusal("too_large", f"{len(value)} bytes; the most is {LARGEST}")
    try:
        event = validate(value)
    except ValidationError as invalid:
        if invalid.errors(include_url=False, include_input=False)[0]["type"] == "union_tag_invalid":
            return _pass_over(value)
        return _explain(invalid)
    # Ours have a default for it, so that Python need not say it; CloudEvents demands it on the wire.
    if "specversion" not in event.model_fields_set:
        return Refusal("invalid_envelope", "field specversion: missing", "specversion")
    return event


def decode_recording(value: bytes) -> Decoded:
    """The same of a line of a file, which may be older than anything that is still to come."""
    return decode(value, _validate_recording)


def encode(event: Event) -> bytes:
    """One line of JSON, without the fields that were never given."""
    return event.model_dump_json(by_alias=True, exclude_none=True).encode()


def _pass_over(value: bytes) -> UnknownType | Refusal:
    try:
        event = _ENVELOPE.validate_json(value)
    except ValidationError as invalid:
        return _explain(invalid)
    return UnknownType(event.type if _TYPE_NAME.fullmatch(event.type) else "unreadable")


def _explain(invalid: ValidationError) -> Refusal:
    error: Any = invalid.errors(include_url=False, include_input=False)[0]
    kind, where = error["type"], error["loc"]
    if kind == "json_invalid":
        return Refusal("not_json", f"not JSON: {error['ctx']['error']}")
    # The first place is the union's tag, not a field of the event; and a key that no schema has could be anything.
    name = ".".join(str(part) for part in where if part in _FIELD_NAMES or _ITEM_NAME.fullmatch(str(part))) or "event"
    reason: Reason = "invalid_data" if name.startswith("data.") else "invalid_envelope"
    # Pydantic's own sentences can quote the input; its type names cannot, nor can our own bounds.
    beyond = next((f"{said} {error['ctx'][bound]}" for bound, said in _BEYOND.items() if bound in error.get("ctx", ())), None)
    return Refusal(reason, f"field {name}: {beyond or kind.replace('_', ' ')}", name)

"""Events as the fold reads them: what pydantic accepts of the log, in less than half of its time.

Nothing here knows what an event is. The forms are made from the schemas of the models, and whether a text or a time is right is
asked of pydantic: of texts that come again once, of ids and times for many events together. Whatever a form does not take goes to
the models, which accept it after all or say what is wrong: an unknown field, a field of a kind that has no form, a model with
checks of its own.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Annotated, Any, Literal, NamedTuple, Union

import msgspec
from pydantic import ValidationError
from pydantic_core import CoreSchema, SchemaValidator, core_schema

from schemas import topics
from schemas.event import Event, epochs
from schemas.topics import EVENT_TYPES, LARGEST, Decoded, decode

KNOWN = 50_000
"""The most that is known to be right of a kind of text; then it is forgotten. The calls of half a day of all of Indonesia."""

_EACH = ("id", "time")
"""Of these every event has another one."""
_WRITTEN = "written"
"""As what a form has the text of its time, of which few events are asked again."""
_BOUNDS = {"ge", "gt", "le", "lt"}
_SAID = {
    "model": {"type", "cls", "schema", "config", "custom_init", "root_model", "ref", "metadata"},
    "model-fields": {"type", "fields", "model_name", "computed_fields"},
    "config": {"strict", "extra_fields_behavior", "title"},
    "model-field": {"type", "schema", "validation_alias", "serialization_alias", "metadata"},
    "default": {"type", "schema", "default", "metadata"},
    "nullable": {"type", "schema", "metadata"},
    "str": {"type", "pattern", "min_length", "max_length", "metadata"},
    "literal": {"type", "expected", "metadata"},
    "int": {"type", "metadata"} | _BOUNDS,
    "float": {"type", "allow_inf_nan", "metadata"} | _BOUNDS,  # what msgspec reads is neither infinite nor NaN
    "json-or-python": {"type", "json_schema", "python_schema", "metadata"},
}
"""What a schema can say, by its type, that has a form. What else pydantic knows could change a value, or let another one in."""


class _UnlikeError(Exception):
    """A schema that has no form."""


class _Field(NamedTuple):
    """A field as msgspec is told of it, and by which schema its text is judged, if it is one."""

    name: str
    alias: str
    form: Any
    default: Any
    text: CoreSchema | None


class _Known(set[Any]):
    """Texts that pydantic accepted, or texts beside each other, by schemas for each place. What is missing is None."""

    def __init__(self, *schemas: CoreSchema) -> None:
        super().__init__()
        self._judges = [SchemaValidator(schema).validate_python for schema in schemas]

    def learn(self, all_texts: Iterable[Sequence[Any]]) -> None:
        """Raises `ValidationError`. Of one schema each text is known by itself."""
        if len(self) > KNOWN:
            self.clear()
        for texts in all_texts:
            judges = self._judges * len(texts) if len(self._judges) == 1 else self._judges
            for judge, text in zip(judges, texts, strict=True):
                if text is not None:
                    judge(text)
            self.update(texts if len(self._judges) == 1 else [texts])


def _plain(schema: Any, kind: str) -> Any:
    """The schema itself. Raises `_UnlikeError` where it says more than such a schema may."""
    if not schema.keys() <= _SAID.get(kind, set()):
        raise _UnlikeError
    return schema


def _field(name: str, said: Mapping[str, Any]) -> _Field:
    schema, default = _plain(said, "model-field")["schema"], msgspec.NODEFAULT
    if schema["type"] == "default":
        schema, default = _plain(schema, "default")["schema"], schema["default"]
    nullable = schema["type"] == "nullable"
    form, text = _form(_plain(schema, "nullable")["schema"] if nullable else schema)
    alias = said.get("validation_alias", name)
    if not isinstance(alias, str):
        raise _UnlikeError
    return _Field(name, alias, form | None if nullable else form, default, text)


def _form(schema: Any) -> tuple[Any, CoreSchema | None]:
    match _plain(schema, schema["type"])["type"]:
        case "str":
            return str, schema
        case "json-or-python":
            return str, schema["json_schema"]
        case "literal" if schema["expected"] == [True]:
            return bool, schema
        case "literal" if all(isinstance(word, str) for word in schema["expected"]):
            return Literal[tuple(schema["expected"])], None
        case ("int" | "float") as number:
            bounds = {bound: schema[bound] for bound in _BOUNDS & schema.keys()}
            return Annotated[int if number == "int" else float, msgspec.Meta(**bounds)], None
    raise _UnlikeError


def _fields(model: Any) -> dict[str, _Field]:
    """The fields of a model without checks of its own. Raises `_UnlikeError`."""
    fields = _plain(_plain(model, "model")["schema"], "model-fields")["fields"]
    _plain(model["config"], "config")
    return {name: _field(name, said) for name, said in fields.items() if name not in {"type", "data"}}


def _struct(name: str, fields: Iterable[_Field], **more: Any) -> type[msgspec.Struct]:
    told = [(field.name, field.form, field.default) for field in fields]
    aliases = {field.name: field.alias for field in fields}
    return msgspec.defstruct(name, told, kw_only=True, rename=aliases, forbid_unknown_fields=True, gc=False, **more)


_Texts = list[tuple[_Known, Callable[[Any], bool], Callable[[Any], tuple[Any, ...]]]]
"""What is known, whether it is so of all of some texts, and of which of an event's."""
_known: dict[str, _Known] = {}


def _texts(fields: Iterable[_Field]) -> _Texts:
    """What is known of which texts of some fields."""
    names: dict[str, list[str]] = {}
    for field in fields:
        if field.text is not None:
            names.setdefault(repr(field.text), []).append(field.name)
            _known.setdefault(repr(field.text), _Known(field.text))
    # Of one name alone the getter would return no tuple.
    return [
        (_known[schema], _known[schema].issuperset, attrgetter(*(found if len(found) > 1 else found * 2)))
        for schema, found in names.items()
    ]


def _time(event: Any) -> datetime:
    times: list[datetime] = _times([event.written])
    return times[0]


_TIME = property(_time, doc="When it happened, with zone.")


def _forms() -> dict[type, tuple[str, _Texts]]:
    found = {}
    for name, model in EVENT_TYPES.items():
        try:
            schema: Any = model.__pydantic_core_schema__
            envelope = _fields(schema)
            if envelope != _ENVELOPE:
                raise _UnlikeError  # what every event says is judged for many of them together
            # CloudEvents wants its version on the wire.
            envelope["specversion"] = envelope["specversion"]._replace(default=msgspec.NODEFAULT)
            data = _fields(schema["schema"]["fields"]["data"]["schema"])
            if any(field.text and field.text["type"] == "chain" for field in data.values()):
                raise _UnlikeError  # times are read for many events together, and here are others
        except _UnlikeError:
            continue
        inside = _struct(f"{model.__name__}Data", data.values())
        envelope["time"] = envelope["time"]._replace(name=_WRITTEN)
        fields = [*envelope.values(), _Field("data", "data", inside, msgspec.NODEFAULT, None)]
        form = _struct(model.__name__, fields, tag_field="type", tag=name, namespace={"type": name, "time": _TIME})
        found[form] = name, _texts(data.values())
    return found


_ENVELOPE = _fields(Event.__pydantic_core_schema__)
_FORMS = _forms()
FORM_OF: dict[str, type] = {name: form for form, (name, _) in _FORMS.items()}
"""Of what class an event of a type is that was read here; an event of another type is of its model's."""

_read = msgspec.json.Decoder(Union[tuple(_FORMS)]).decode  # noqa: UP007
_TEXTS = {form: texts for form, (_, texts) in _FORMS.items()}
_ids, _times = (SchemaValidator(core_schema.list_schema(_ENVELOPE[name].text)).validate_python for name in _EACH)
_BESIDE = [field for field in _ENVELOPE.values() if field.text is not None and field.name not in _EACH]
_beside, _names = _Known(*(field.text for field in _BESIDE if field.text)), attrgetter(*(field.name for field in _BESIDE))


def read(values: Sequence[bytes | None]) -> tuple[list[Decoded], list[float]]:
    """What the bytes of records say, as `decode` says it of each, and when it happened in epoch seconds: 0 of what is no event.

    Never raises.
    """
    try:
        told: Any = values
        if len(b"".join(told)) > LARGEST:
            raise ValueError  # one of them may be, or they are many
        events: list[Any] = list(map(_read, told))
        return events, _judged(events)
    except _UNSURE:
        return _apart(values)


_UNSURE = (ValidationError, msgspec.MsgspecError, ValueError, TypeError, RecursionError)


def _apart(values: Sequence[bytes | None]) -> tuple[list[Decoded], list[float]]:
    """The same, where one of them is not surely right, or has no form."""
    forms = [_form_of(value) for value in values]
    try:
        told = iter(_judged([form for form in forms if form is not None]))
    except _UNSURE:
        forms, told = [None] * len(values), iter(())
    items = [decode(value) if form is None else form for form, value in zip(forms, values, strict=True)]
    return items, [next(told) if form is not None else _epoch(item) for form, item in zip(forms, items, strict=True)]


def _form_of(value: bytes | None) -> Any:
    try:
        return _read(value) if value and len(value) <= LARGEST else None
    except _UNSURE:
        return None


def _epoch(item: Decoded) -> float:
    return epochs([item.time])[0] if isinstance(item, Event) else 0.0


def _judged(events: Sequence[Any]) -> list[float]:
    """When events happened whose forms are right. Raises one of `_UNSURE` where anything else is not surely so."""
    _ids([event.id for event in events])
    if not _beside.issuperset(map(_names, events)):
        _beside.learn(map(_names, events))
    for event in events:
        for known, hold, names in _TEXTS[type(event)]:
            if not hold(names(event.data)):
                known.learn([names(event.data)])
    return epochs(_times([event.written for event in events]))


def encode(event: Event) -> bytes:
    """What `topics.encode` makes of an event, also of one that was read here."""
    told: Any = decode(msgspec.json.encode(event)) if type(event) in _FORMS else event
    return topics.encode(told)

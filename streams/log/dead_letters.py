"""Records that were put aside: what is known of them, what may be shown of them, and what they are when they are sent again."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from pydantic import AwareDatetime, BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from schemas.event import CentreCode, Event
from schemas.topics import EVENT_TYPES, SENT_AGAIN, Reason, Refusal, UnknownType, decode, encode
from streams.core.classes import CLASSES

if TYPE_CHECKING:
    from streams.log.reader import Record

TODO: dict[Reason, str] = {
    "empty": "find the sender of records without bytes",
    "too_large": "find the sender of records that are larger than an event can be",
    "not_json": "mend the source: what it sends is no JSON; this cannot be sent again",
    "invalid_envelope": "mend the source: the detail names the field",
    "invalid_data": "mend the source: the detail names the field",
    "other_topic": "mend the producer, then send again: each event goes to its own topic",
    "unknown_centre": "give the workers the centre's file with --centre, then send again",
    "in_the_future": "set the source's clock right, then send again with --shift",
    "wrong_partition": "mend the producer, then send again: each event gets its right key",
    "not_folded": "report the error's type, install the version that mends it, then send again",
}
"""What helps against each reason."""

_CENTRE = TypeAdapter(CentreCode)
_PSEUDONYM = re.compile(r"[0-9a-f]{32}")
_MANY_DIGITS = re.compile(r"(?:[0-9][._:/@-]?){7}")


class Origin(NamedTuple):
    """Where the record was that a letter holds: it names the letter, also where a crash has put it aside twice."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return "/".join(map(str, self))


def parse_origin(text: str) -> Origin | None:
    """What `str` of an origin says; None if it is none."""
    found = re.fullmatch(r"([A-Za-z0-9._-]+)/([0-9]{1,9})/([0-9]{1,18})", text)
    return Origin(found[1], int(found[2]), int(found[3])) if found else None


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter. `buried` and `written` (of the record itself) are epoch seconds, `centre` is empty where none is known."""

    origin: Origin
    centre: str
    buried: float
    written: float
    reason: str
    detail: str
    times_sent: int
    """How often it had been sent again before it came back."""
    key: bytes | None
    value: bytes | None


def letters(records: Iterable["Record"], prefix: str) -> Iterator[Letter]:
    """What the records of the topic say, each letter once; `prefix` is that of the topics' names."""
    seen = set()
    for record in records:
        letter = _letter(record, prefix)
        if letter.origin not in seen:
            seen.add(letter.origin)
            yield letter


def _letter(record: "Record", prefix: str) -> Letter:
    said = {name: value.decode("utf-8", "replace") for name, value in record.headers if value is not None}
    place = f"{said.get('dlq_original_topic', '').removeprefix(prefix)}/"
    place += f"{said.get('dlq_original_partition')}/{said.get('dlq_original_offset')}"
    centre = record.item.subject if isinstance(record.item, Event) else (record.key or b"").decode("utf-8", "replace")
    reason = said.get("dlq_reason", "")
    return Letter(
        # One that is none of ours is named by its own place.
        parse_origin(place) or Origin(record.topic, record.partition, record.offset),
        centre if _is(_CENTRE, centre) else "",
        record.timestamp,
        _number(said.get("dlq_original_timestamp"), record.timestamp * 1000) / 1000,
        reason if reason in TODO else "unknown",
        said.get("dlq_detail", "") if reason in TODO else "put here by another program",
        int(_number(said.get(SENT_AGAIN), 0)),
        record.key,
        record.value,
    )


@dataclass(slots=True)
class Count:
    """How many letters of a kind, and when (epoch seconds) the first and the last was put aside."""

    letters: int
    first: float
    last: float


def counted(found: Iterable[Letter]) -> dict[tuple[str, str, str], Count]:
    """How many letters there are by topic, reason and centre, most first."""
    counts: dict[tuple[str, str, str], Count] = {}
    for letter in found:
        count = counts.setdefault((letter.origin.topic, letter.reason, letter.centre), Count(0, letter.buried, letter.buried))
        count.letters += 1
        count.first, count.last = min(count.first, letter.buried), max(count.last, letter.buried)
    return dict(sorted(counts.items(), key=lambda item: -item[1].letters))


# What may be shown


def shown(value: bytes | None) -> Iterator[tuple[str, str]]:
    """What a record says in the fields that the schema knows, by name: times, numbers, words of the schema and codes.

    Whoever wrote it may have put anything anywhere. So nothing is shown that the schema would refuse in its place, nor what could
    be a caller or a telephone number; and of what the schema does not know only how much it is.
    """
    if not value:
        yield "bytes", "none"
        return
    yield "bytes", f"{len(value):,}"
    try:
        told = json.loads(value)
    except (ValueError, RecursionError):
        yield "content", "no JSON"
        return
    if not isinstance(told, dict):
        yield "content", "JSON, but no object"
        return
    data = told.get("data")
    kind = EVENT_TYPES.get(told["type"]) if isinstance(told.get("type"), str) else None
    yield from _fields(kind or Event, told, "")
    if kind is None:
        yield "data", "not shown: what a type that is not known may hold is not known either"
    elif isinstance(data, dict):
        model: Any = kind.model_fields["data"].annotation
        yield from _fields(model, data, "data.")
    else:
        yield "data", "no object" if "data" in told else "missing"


def _fields(model: type[BaseModel], told: dict[str, Any], before: str) -> Iterator[tuple[str, str]]:
    known = {info.alias or name: info for name, info in model.model_fields.items() if name != "data"}
    for name, info in known.items():
        if name in told:
            yield before + name, _value(name, info, told[name])
        elif info.is_required():
            yield before + name, "missing"
    if more := len(told.keys() - known.keys() - {"data"}):
        yield f"{before}*", f"{more} more, which the schema does not know"


def _value(name: str, info: FieldInfo, value: Any) -> str:
    kind: Any = Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation
    if name == "type" and not (isinstance(value, str) and value in EVENT_TYPES):
        return "a type that this version does not know"
    if name == "class" and value not in CLASSES:
        return "a word that is none of ours"
    if not _is(TypeAdapter(kind), value):
        return "not what the schema asks for"
    if isinstance(value, dict | list):
        return f"{len(value)} entries"
    text = str(value)
    if _PSEUDONYM.fullmatch(text):
        return "a caller"
    if _MANY_DIGITS.search(text) and not isinstance(value, float) and info.annotation is not AwareDatetime:
        return "many digits"
    return text


# Sending again


@dataclass(slots=True)
class Sending:
    """What comes of sending letters again: how many events by topic, and how many letters are left, by why."""

    sent: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)


def came_back(found: Iterable[Letter]) -> dict[tuple[str, str], int]:
    """The events, by source and id, that were sent again and are dead letters once more, with how often they were sent."""
    times: dict[tuple[str, str], int] = {}
    for letter in found:
        if letter.times_sent and isinstance(item := decode(letter.value), Event):
            name = item.source, item.id
            times[name] = max(letter.times_sent, times.get(name, 0))
    return times


def again(
    found: Iterable[Letter], by: timedelta, returned: dict[tuple[str, str], int], sending: Sending, *, insist: bool
) -> Iterator[tuple[Event, int]]:
    """The events of these letters as they are to be sent again, each once, with how often they were sent then.

    All their times are moved. Ids stay: a letter was never counted, and whatever is sent of it, and however often, counts once.
    Those that came `returned` are left unless one insists. `sending` is told of all.
    """
    seen = set()
    for letter in found:
        item = moved(letter.value, by)
        if not isinstance(item, Event):
            sending.left[f"cannot be read ({item.reason if isinstance(item, Refusal) else 'unknown_type'})"] += 1
            continue
        name = item.source, item.id
        if name in seen:
            sending.left["the same event as another letter"] += 1
        elif name in returned and not insist:
            sending.left[f"came back when it was sent again ({letter.reason})"] += 1
        else:
            yield item, returned.get(name, 0) + 1
        seen.add(name)


def moved(value: bytes | None, by: timedelta) -> Event | UnknownType | Refusal:
    """The event that bytes hold, all its times moved; what the schema does not know is gone."""
    item = decode(value)
    if not isinstance(item, Event) or not by:
        return item
    try:
        return decode(encode(_moved(item, by)))
    except OverflowError:
        return Refusal("invalid_envelope", "field time: beyond what a calendar holds")


def _moved(value: Any, by: timedelta) -> Any:
    if isinstance(value, datetime):
        return value + by
    if isinstance(value, BaseModel):
        return value.model_copy(update={name: _moved(getattr(value, name), by) for name in value.model_fields_set})
    if isinstance(value, list | tuple):
        return type(value)(_moved(part, by) for part in value)
    return value


def _is(kind: TypeAdapter[Any], value: Any) -> bool:
    try:
        kind.validate_json(json.dumps(value))
    except (ValidationError, ValueError):
        return False
    return True


def _number(text: str | None, otherwise: float) -> float:
    return float(text) if text and re.fullmatch(r"[0-9]{1,15}", text) else otherwise

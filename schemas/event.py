"""The envelope every event travels in (CloudEvents 1.0, structured JSON) and the field types the nouns share."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, StringConstraints
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, SchemaSerializer, core_schema

EARLIEST, TOO_LATE = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
"""Between them lies every time that is told as JSON: from the first on, and before the second. What an empty cell, a clock that
was never set or a slip of a key makes (1970, 9999) is none.
"""

OLDEST_RECORDING = datetime(1990, 1, 1, tzinfo=UTC)
"""From then on a recording in a file may be: the real calls that everybody can check the numbers with are of 1999."""

Code = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@/-]*$")]
"""A short machine-made name: of a call, a queue, a seat, a link. Never a person's name, number or free text."""

CentreCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{2}(\.[0-9]{2})?$")]
"""Kemendagri code of the city or regency a centre serves, such as `32.71` (Kota Bogor)."""

DistrictCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{2}\.[0-9]{2}\.[0-9]{2}$")]
"""Kemendagri code of a district (kecamatan), such as `32.71.03` (Bogor Tengah): no place of a person is told any finer."""

Pseudonym = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
"""A caller as a keyed hash, made at the edge: the number itself never reaches an event."""

KeyId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}$")]
"""Which key a pseudonym was made under. Made from the key by a hash of its own: no secret, and of no pseudonym a part."""

Source = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9/][A-Za-z0-9._:~/-]{0,127}$")]
"""URI-reference of a system that tells events, such as `/32.71/asterisk`."""


class _Written:
    """In JSON a time is RFC 3339 text, within bounds; pydantic alone would also take a number in quotes, and guess its unit."""

    @staticmethod
    def __get_pydantic_core_schema__(source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        aware = handler(source)
        text = core_schema.str_schema(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt]")
        parsed = core_schema.datetime_schema(tz_constraint="aware", strict=False, ge=EARLIEST, lt=TOO_LATE)
        return core_schema.json_or_python_schema(core_schema.chain_schema([text, parsed]), aware)

    @staticmethod
    def __get_pydantic_json_schema__(_: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        # The first and the last of these days are partly within bounds, by their offset. The words after it are ajv-formats'.
        return handler(core_schema.datetime_schema()) | {
            "pattern": r"^(1999-12-31|20[0-9]{2}-[0-9]{2}-[0-9]{2}|2100-01-01)[Tt]",
            "formatMinimum": f"{EARLIEST:%Y-%m-%dT%H:%M:%SZ}",
            "formatExclusiveMaximum": f"{TOO_LATE:%Y-%m-%dT%H:%M:%SZ}",
        }


Time = Annotated[AwareDatetime, _Written]

epochs: Callable[[list[datetime]], list[float]] = partial(
    SchemaSerializer(core_schema.list_schema(core_schema.datetime_schema()), {"ser_json_temporal": "seconds"}).to_python,
    mode="json",
)
"""Epoch seconds of times with zone: what their `timestamp()` says, of many at once in a third of the time."""


def check_order(moment: datetime, after: datetime, name: str, longest: timedelta | None = None) -> None:
    """Raises `PydanticCustomError` for a moment before `after`, the time called `name`, or more than `longest` after it."""
    if moment < after:
        raise PydanticCustomError(f"before_{name}", f"before its {name}")
    if longest is not None and moment - after > longest:
        raise PydanticCustomError(f"over_{longest.days}_days_after_{name}", f"more than {longest.days} days after its {name}")


class Data(BaseModel):
    """What one event says; fields that today's reader does not know are passed over."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class Event(BaseModel):
    """One thing that happened at a centre. `(source, id)` names it: the same one delivered twice counts once."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    specversion: Literal["1.0"] = "1.0"
    id: Annotated[str, StringConstraints(pattern=r"^[!-~]{1,128}$")] = Field(description="Unique within its source.")
    source: Source = Field(
        description="URI-reference of the system that saw it, such as `/32.71/asterisk`. One clock per source."
    )
    type: Annotated[str, StringConstraints(min_length=1)]
    subject: CentreCode = Field(description="The centre it happened at; also the topic key.")
    time: Time = Field(description="When it happened at the source, with zone (RFC 3339); from 2000 until before 2100.")
    replayed: Literal[True] | None = Field(
        default=None, description="A recording told it again: numbers count it, and nobody is reminded of anything because of it."
    )
    data: Data

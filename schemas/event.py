"""The envelope every event travels in (CloudEvents 1.0, structured JSON) and the field types the nouns share."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

Code = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@/-]*$")]
"""A short machine-made name: of a call, a queue, a seat, a link. Never a person's name, number or free text."""

CentreCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{2}(\.[0-9]{2})?$")]
"""Kemendagri code of the city or regency a centre serves, such as `32.71` (Kota Bogor)."""

Pseudonym = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
"""A caller as a keyed hash, made at the edge: the number itself never reaches an event."""


class Data(BaseModel):
    """What one event says; fields that today's reader does not know are passed over."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class Event(BaseModel):
    """One thing that happened at a centre. `(source, id)` names it: the same one delivered twice counts once."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    specversion: Literal["1.0"] = "1.0"
    id: Annotated[str, StringConstraints(pattern=r"^[!-~]{1,128}$")] = Field(description="Unique within its source.")
    source: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9/][A-Za-z0-9._:~/-]{0,127}$")] = Field(
        description="URI-reference of the system that saw it, such as `/32.71/asterisk`. One clock per source."
    )
    type: str
    subject: CentreCode = Field(description="The centre it happened at; also the topic key.")
    time: AwareDatetime = Field(description="When it happened at the source, with zone (RFC 3339).")
    data: Data

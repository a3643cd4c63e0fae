"""What is known of a centre before any event: one TOML file, of which `code`, `name` and `timezone` suffice."""

import re
import tomllib
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from schemas.event import CentreCode, Code

Seconds = Annotated[float, Field(gt=0, le=172_800, allow_inf_nan=False)]


class Thresholds(BaseModel):
    """The limits that differ from centre to centre. They are exported, and the alert rules join on them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    short_abandon_seconds: Seconds = 5
    """A caller who hangs up within this is left out of NENA service levels. No standard sets it."""
    service_level_seconds: Seconds = 60
    """Asterisk's `servicelevel` of queues.conf, for ServicelevelPerf and ServicelevelPerf2."""
    give_up_waiting_seconds: Seconds = 7_200
    """A call that waits so long with no ending is lost track of."""
    give_up_service_seconds: Seconds = 43_200
    """An answered call whose end was never told is no longer in service after this."""
    oldest_waiting_seconds: Seconds = 60
    """A caller who waits longer wakes somebody."""
    queue_calls: Annotated[int, Field(gt=0)] = 10
    """So many waiting at once wake somebody."""
    silence_seconds: Seconds = 2_700
    """A centre that says nothing for so long wakes somebody. At 10 calls an hour chance alone does so once in 1,800 times."""
    window_calls: Annotated[int, Field(gt=0)] = 20
    """A rate over fewer calls does not page."""


class Centre(BaseModel):
    """One 112 centre."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    code: CentreCode
    name: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    province: str = ""
    timezone: ZoneInfo
    queues: tuple[Code, ...] = ()
    seats: tuple[Code, ...] = ()
    thresholds: Thresholds = Thresholds()

    @field_validator("timezone", mode="before")
    @classmethod
    def _known_zone(cls, value: Any) -> ZoneInfo:
        try:
            return ZoneInfo(value)
        except (TypeError, ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError
            raise ValueError("is no time zone; Indonesia has Asia/Jakarta, Asia/Makassar and Asia/Jayapura") from None
        except KeyError:
            raise ValueError("is no time zone; Indonesia has Asia/Jakarta, Asia/Makassar and Asia/Jayapura") from None


class CentreError(ValueError):
    """A centre file that cannot be used; the message says line and reason."""


def parse(text: str) -> Centre:
    """The centre that a TOML text describes. Raises `CentreError` with line and reason."""
    try:
        return Centre.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise CentreError(f"no valid TOML: {error}") from None
    except ValidationError as invalid:
        first = invalid.errors(include_url=False)[0]
        path = [str(part) for part in first["loc"] if isinstance(part, str)]
        raise CentreError(f"line {_line(text, path)}: {'.'.join(path)}: {_said(first['type'], first['msg'])}") from None


def _said(kind: str, message: str) -> str:
    if kind == "extra_forbidden":
        return "no such setting; look at the spelling"
    if kind == "missing":
        return "is missing"
    return message.removeprefix("Value error, ")


def _line(text: str, path: list[str]) -> int:
    """The line that sets the last part of `path`, or 1 when none does (tomllib keeps no positions)."""
    section: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[+\s*([^\]]+?)\s*\]+", line):
            section = header[1].split(".")
        elif (key := re.match(r"\s*([\w.-]+)\s*=", line)) and [*section, *key[1].split(".")] == path:
            return number
    return 1

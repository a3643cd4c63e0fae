"""What is decided about nuisance callers: recommended by the monitor, decided by a person, always with an end."""

from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from schemas.event import Code, Data, Event, KeyId, Pseudonym, Time, check_order

Stage = Literal["24h", "3d", "review"]
"""A first block lasts 24 hours, a second 3 days; after that a person reviews, and nothing is recommended by itself."""

LONGEST = timedelta(days=30)
"""No block lasts longer, and no recommendation stands longer."""


class Caller(Data):
    """A fact about one caller."""

    caller: Pseudonym


class BlockRecommended(Caller):
    """Why, in numbers: so many calls that call takers said were pranks, none that was anything real."""

    stage: Stage
    pranks: Annotated[int, Field(ge=1, le=100_000)]
    since: Time = Field(description="When the first of them came.")
    until: Time = Field(
        description="After this the recommendation no longer stands; not before since, "
        f"and at most {LONGEST.days} days after the event's time."
    )

    @field_validator("until")
    @classmethod
    def _in_order(cls, until: datetime, beside: ValidationInfo) -> datetime:
        if "since" in beside.data:
            check_order(until, beside.data["since"], "since")
        return until


class BlockApproved(Caller):
    """A person's decision."""

    stage: Stage
    by: Code = Field(description="The role that decided, such as supervisor-1; never a name.")
    expires: Time = Field(description=f"Not before the event's time, and at most {LONGEST.days} days after it.")


class BlockDeclined(Caller):
    """A person's decision."""

    stage: Stage
    by: Code


class BlockLifted(Caller):
    """A block was ended before its time."""

    by: Code


class Contacted(Caller):
    """The centre reached somebody who had hung up unanswered."""

    by: Code | None = None


class Erased(Caller):
    """A person had the caller forgotten, under the key in use and the one before."""

    caller_key: KeyId | None = Field(default=None, description="The key that the pseudonym was made under.")
    caller_before: Pseudonym | None = Field(default=None, description="The same caller's pseudonym under the key before.")
    by: Code = Field(description="The role that did it, such as dpo-1; never a name.")


def _check_end(field: str, end: datetime, time: datetime) -> None:
    """Raises `ValidationError`, so that the field is named and not all of `data`."""
    try:
        check_order(end, time, "time", LONGEST)
    except PydanticCustomError as wrong:
        raise ValidationError.from_exception_data("data", [InitErrorDetails(type=wrong, loc=(field,), input=None)]) from None


class CallerBlockRecommended(Event):
    """The monitor recommends a block. Its id is made from the caller, the stage and the prank that caused it."""

    type: Literal["caller.block_recommended"] = "caller.block_recommended"
    data: BlockRecommended

    @field_validator("data")
    @classmethod
    def _ends(cls, data: BlockRecommended, beside: ValidationInfo) -> BlockRecommended:
        if "time" in beside.data:
            # One that no longer stands may still be told of.
            _check_end("until", max(data.until, beside.data["time"]), beside.data["time"])
        return data


class CallerBlockApproved(Event):
    """A person approved a block, until a moment."""

    type: Literal["caller.block_approved"] = "caller.block_approved"
    data: BlockApproved

    @field_validator("data")
    @classmethod
    def _ends(cls, data: BlockApproved, beside: ValidationInfo) -> BlockApproved:
        if "time" in beside.data:
            _check_end("expires", data.expires, beside.data["time"])
        return data


class CallerBlockDeclined(Event):
    """A person decided against a block."""

    type: Literal["caller.block_declined"] = "caller.block_declined"
    data: BlockDeclined


class CallerBlockLifted(Event):
    """A person ended a block."""

    type: Literal["caller.block_lifted"] = "caller.block_lifted"
    data: BlockLifted


class CallerContacted(Event):
    """An abandoned caller was called back."""

    type: Literal["caller.contacted"] = "caller.contacted"
    data: Contacted


class CallerErased(Event):
    """What was known of a caller is forgotten: its calls count on, as nobody's; one that comes later is a stranger's."""

    type: Literal["caller.erased"] = "caller.erased"
    data: Erased


CallerEvent = (
    CallerBlockRecommended | CallerBlockApproved | CallerBlockDeclined | CallerBlockLifted | CallerContacted | CallerErased
)

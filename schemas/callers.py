"""What is decided about nuisance callers: recommended by the monitor, decided by a person, always with an end."""

from typing import Annotated, Literal

from pydantic import Field

from schemas.event import Code, Data, Event, Pseudonym, Time

Stage = Literal["24h", "3d", "review"]
"""A first block lasts 24 hours, a second 3 days; after that a person reviews, and nothing is recommended by itself."""


class Caller(Data):
    """A fact about one caller."""

    caller: Pseudonym


class BlockRecommended(Caller):
    """Why, in numbers: so many calls that call takers said were pranks, none that was anything real."""

    stage: Stage
    pranks: Annotated[int, Field(ge=1)]
    since: Time
    """When the first of them came."""
    until: Time
    """After this the recommendation no longer stands."""


class BlockApproved(Caller):
    """A person's decision."""

    stage: Stage
    by: Code = Field(description="The role that decided, such as supervisor-1; never a name.")
    expires: Time


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


class CallerBlockRecommended(Event):
    """The monitor recommends a block. Its id is made from the caller, the stage and the prank that caused it."""

    type: Literal["caller.block_recommended"] = "caller.block_recommended"
    data: BlockRecommended


class CallerBlockApproved(Event):
    """A person approved a block, until a moment."""

    type: Literal["caller.block_approved"] = "caller.block_approved"
    data: BlockApproved


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


CallerEvent = CallerBlockRecommended | CallerBlockApproved | CallerBlockDeclined | CallerBlockLifted | CallerContacted

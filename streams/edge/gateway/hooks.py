"""Webhooks of vendors whose boxes only speak their own JSON or a form: an SQL query says which events a message is.

A hook is a table of one TOML file. Who sends shows a token of the gateway, or, where the box cannot, signs the body:

    [hooks.vendor]
    sql = "vendor.sql"                  # beside this file; its messages are the table `rows`
    centre = "32.71"
    signature = "X-Hub-Signature-256"   # the header that has the HMAC-SHA256 of the body in hexadecimal digits
    secret_file = "vendor.secret"
    types = ["call.*", "ticket.*"]      # what such messages may become
"""

import asyncio
import hashlib
import hmac
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import parse_qsl

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import from_json

from schemas.event import CentreCode, Event
from schemas.topics import encode
from streams import secret
from streams.core import toml
from streams.core.centre import Centre
from streams.core.toml import NearPath
from streams.edge.gateway.cloudevents import MOST, NoEventsError, TooManyError
from streams.edge.gateway.intake import Intake, Refused
from streams.edge.gateway.server import ForbiddenError, Gateway, KindError
from streams.edge.gateway.tokens import Token
from streams.sources.answer import MappingError
from streams.sources.door import Door
from streams.sources.opened import text_of, words
from streams.sources.table import Query

FORM = "application/x-www-form-urlencoded"
MOST_FIELDS = 1_000
"""Of one form."""


class HooksError(ValueError):
    """The file of hooks cannot be used; the message names it, the line and the reason."""


class Hook(BaseModel):
    """One table of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sql: NearPath
    centre: CentreCode
    signature: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,64}$")] | None = None
    secret_file: NearPath | None = None
    types: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if len({self.signature is None, self.secret_file is None, not self.types}) > 1:
            raise ValueError("signature, secret_file and types go together; without them messages need a token")
        return self


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    hooks: Annotated[dict[Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")], Hook], Field(min_length=1)]


class _Vendor:
    """One hook as it runs: its query, and the right of those who sign."""

    def __init__(self, name: str, hook: Hook, centre: Centre, door: Door) -> None:
        """Raises `HooksError` and `OSError`."""
        self.hook = hook
        try:
            self.query = Query(text_of(hook.sql), centre, door, source=name)
        except MappingError as error:
            raise HooksError(f"{hook.sql}: {error}") from None
        self.secret = b""
        if hook.secret_file is not None:
            try:
                self.secret = secret.read(hook.secret_file).strip()
            except secret.SecretError as error:
                raise HooksError(str(error)) from None
            # The vendor may have thought of it, so only its length is asked for.
            if len(self.secret) < 16:
                raise HooksError(f"{hook.secret_file}: has {len(self.secret)} bytes and needs 16 or more: {secret.MAKE}")
        self.token = Token(
            id=hashlib.sha256(name.encode()).hexdigest()[:8],
            sha256="0" * 64,
            centres=(hook.centre,),
            types=hook.types or ("*",),
            made=datetime.now(UTC),
        )

    def is_signed(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether the body is one that the vendor signed."""
        said = headers.get(self.hook.signature or "", "").removeprefix("sha256=").lower()
        return hmac.compare_digest(hmac.digest(self.secret, body, "sha256").hex().encode(), said.encode("utf-8", "replace"))


class Hooks:
    """`/v1/hooks/NAME` of one file."""

    def __init__(self, path: Path, centres: Mapping[str, Centre], door: Door, intake: Intake) -> None:
        """Raises `HooksError`."""
        self._intake = intake
        try:
            hooks = toml.parse(text_of(path), _File, path.absolute().parent).hooks
            if strange := [name for name, hook in hooks.items() if hook.centre not in centres]:
                raise HooksError(f"{path}: {strange[0]}: centre {hooks[strange[0]].centre} is not one of this gateway")
            self._vendors = {name: _Vendor(name, hook, centres[hook.centre], door) for name, hook in hooks.items()}
        except OSError as error:
            raise HooksError(words(error)) from None
        except toml.TomlError as error:
            raise HooksError(f"{path}: {error}") from None

    def routes(self, gateway: Gateway) -> Sequence[web.RouteDef]:
        """Where messages go to."""

        async def take(request: web.Request) -> web.Response:
            vendor = self._vendors.get(request.match_info["name"])
            if vendor is None:
                raise web.HTTPNotFound
            if vendor.hook.signature:
                token = vendor.token
                if not vendor.is_signed(request.headers, await gateway.body_of_a_stranger(request)):
                    why = f"{vendor.hook.signature} is not the HMAC-SHA256 of this body under the secret of this hook"
                    raise ForbiddenError(why)
            else:
                token = gateway.token(request)
            return await gateway.take(request, token, lambda body: self._judged(vendor, token, request, body))

        return [web.post("/v1/hooks/{name}", take)]

    async def _judged(self, vendor: _Vendor, token: Token, request: web.Request, body: bytes) -> AsyncIterator[Event | Refused]:
        rows = messages(request.content_type, body)
        try:
            told = await asyncio.to_thread(vendor.query.events, rows)
        except MappingError as error:
            yield Refused(0, "sql", str(error), "invalid_data")
            return
        for line, why in told.faults:
            column = re.search(r"column (\S+?):", why)
            yield Refused(line - 1, column[1] if column else "message", why, "invalid_data")
        for said in self._intake.admit(map(encode, told.events), token):
            yield said


def messages(kind: str, body: bytes) -> list[Mapping[str, object]]:
    """The messages of a body: JSON, one or an array of them, or one form. Raises `KindError`, `NoEventsError`, `TooManyError`."""
    if kind == FORM:
        try:
            return [dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS))]
        except ValueError:
            raise NoEventsError("the body is no form") from None
    if kind != "application/json" and not kind.endswith("+json"):
        raise KindError(f"the content type must be application/json or {FORM}")
    try:
        said: Any = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise NoEventsError(f"the body is not JSON: {error}") from None
    found = said if isinstance(said, list) else [said]
    if not all(isinstance(message, dict) for message in found):
        raise NoEventsError("the body must be one JSON object or an array of them")
    if len(found) > MOST:
        raise TooManyError
    return found

"""Who may send what to the gateway: tokens, each bound to centres and types of events, in a file that holds none of them.

A token is `p112_ID_SECRET`, the secret 256 bits made by chance; the file has its SHA-256, so that whoever reads it
can send nothing.
"""

import contextlib
import fcntl
import hashlib
import hmac
import os
import secrets
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from schemas.event import CentreCode
from schemas.topics import EVENT_TYPES
from streams import secret

DECISIONS = frozenset(name for name in EVENT_TYPES if name.startswith("caller.block_") or name == "caller.erased")
"""What is decided about callers, and what it is recommended by: nobody says so by a pattern such as `*` alone."""

_PREFIX = "p112"


class TokensError(Exception):
    """A file of tokens that cannot be used; the message says why and what to do."""


class Token(BaseModel):
    """What the file says of one token."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}$")]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    centres: Annotated[tuple[CentreCode, ...], Field(min_length=1)]
    types: Annotated[tuple[str, ...], Field(min_length=1)]
    may_decide: bool = False
    made: datetime

    @cached_property
    def allowed(self) -> frozenset[str]:
        """The types of events that it may send."""
        named = {name for name in EVENT_TYPES if any(fnmatchcase(name, pattern) for pattern in self.types)}
        return frozenset(named if self.may_decide else named - DECISIONS)


class _Saved(BaseModel):
    model_config = ConfigDict(extra="forbid")

    tokens: list[Token] = []


class Tokens:
    """The tokens of a file, read again whenever it changes: who is revoked is out at the next request, in every gateway."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, ...] | None = None
        self._known: dict[str, Token] = {}

    def of(self, text: str) -> Token | None:
        """The token that this is, or None. Raises `TokensError`."""
        self._refresh()
        prefix, _, rest = text.partition("_")
        name, _, secret = rest.partition("_")
        token = self._known.get(name)
        said = _digest(secret)
        # An unknown one takes as long as a known one.
        good = hmac.compare_digest(said, token.sha256 if token else "0" * 64)
        return token if good and token and prefix == _PREFIX else None

    @property
    def known(self) -> Sequence[Token]:
        """Every token, oldest first. Raises `TokensError`."""
        self._refresh()
        return list(self._known.values())

    def add(self, centres: Sequence[str], types: Sequence[str], *, may_decide: bool = False) -> str:
        """Make a token; its text is given out here and kept nowhere. Raises `TokensError`, also for rights to nothing."""
        secret, name = secrets.token_urlsafe(32), secrets.token_hex(4)
        try:
            token = Token(
                id=name,
                sha256=_digest(secret),
                centres=tuple(centres),
                types=tuple(types),
                may_decide=may_decide,
                made=datetime.now(UTC).replace(microsecond=0),
            )
        except ValidationError:
            raise TokensError("a token needs centres, each a Kemendagri code such as 32.71, and types of events") from None
        for pattern in types:
            if not any(fnmatchcase(name, pattern) for name in EVENT_TYPES):
                raise TokensError(f"{pattern} is no type of event, nor a pattern of some such as 'call.*'; see schemas/README.md")
        if not token.allowed:
            raise TokensError("these are decisions about callers: say --may-decide too, if this token may make them")
        with self._changing() as saved:
            saved.tokens.append(token)
        return f"{_PREFIX}_{name}_{secret}"

    def revoke(self, name: str) -> bool:
        """Take a token's rights away; False where there is no such token. Raises `TokensError`."""
        with self._changing() as saved:
            before = len(saved.tokens)
            saved.tokens = [token for token in saved.tokens if token.id != name]
            return len(saved.tokens) < before

    def _refresh(self) -> None:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            self._seen, self._known = None, {}
            return
        except OSError as error:
            raise TokensError(f"{self._path}: {error.strerror}") from None
        seen = found.st_ino, found.st_mtime_ns, found.st_size, found.st_mode
        if seen != self._seen:
            try:
                secret.refuse_readable(self._path)
            except secret.SecretError as error:
                raise TokensError(str(error)) from None
            self._known = {token.id: token for token in self._read().tokens}
            self._seen = seen

    def _read(self) -> _Saved:
        try:
            return _Saved.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return _Saved()
        except OSError as error:
            raise TokensError(f"{self._path}: {error.strerror}") from None
        except ValidationError:
            raise TokensError(f"{self._path}: is no file of tokens; move it away and make them anew") from None

    @contextlib.contextmanager
    def _changing(self) -> Iterator[_Saved]:
        """What the file says, to be changed; nobody else changes it meanwhile, and whoever reads it sees all of it or nothing."""
        beside = self._path.with_name(f".{self._path.name}.new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.with_name(f".{self._path.name}.lock").open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                saved = self._read()
                yield saved
                beside.unlink(missing_ok=True)
                descriptor = os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
                with os.fdopen(descriptor, "w") as file:
                    file.write(saved.model_dump_json(indent=2) + "\n")
                    file.flush()
                    os.fsync(file.fileno())
                beside.replace(self._path)
        except OSError as error:
            raise TokensError(f"{self._path}: {error.strerror}") from None


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()

"""The gateway of the local stack: a token for whoever has this machine, and the keys that its processes share."""

import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from streams.edge.gateway.tokens import Tokens, TokensError
from streams.stack import StackError

TYPES = ("*",)
"""This machine may send everything but decisions about callers."""


def tokens_file(home: Path) -> Path:
    """Which tokens the gateway of this folder knows."""
    return home / "gateway" / "tokens.json"


def token_file(home: Path) -> Path:
    """Where this machine's own token is."""
    return home / "gateway" / "token"


def ensure_token(home: Path, centres: Iterable[str]) -> None:
    """Let this machine's token speak for exactly these centres; a new one is made when it does not. Errors: StackError."""
    tokens, path, codes = Tokens(tokens_file(home)), token_file(home), tuple(sorted(centres))
    try:
        before = tokens.of(path.read_text().strip()) if path.exists() else None
        if before is not None:
            if before.centres == codes:
                return
            tokens.revoke(before.id)
        write_secret(path, tokens.add(codes, TYPES))
    except TokensError as error:
        raise StackError(str(error)) from None
    except OSError as error:
        raise StackError(f"Cannot read {path}: {error.strerror}.") from None


def ensure_key(path: Path) -> Path:
    """A file with a key made by chance, made when there is none yet. Errors: StackError."""
    if not path.exists():
        write_secret(path, secrets.token_hex(32))
    return path


def write_secret(path: Path, text: str) -> None:
    """A file that only its owner can read, in place of the one before. Errors: StackError."""
    try:
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except OSError as error:
        raise StackError(f"Cannot write {path}: {error.strerror}. Choose another folder with --home.") from None
    with os.fdopen(descriptor, "w") as file:
        file.write(text + "\n")

"""Secrets in files: read where nobody else can read or change them, refused otherwise; and keys that nobody made by chance.

What is no secret, and what a secret is for, is not known here.
"""

import os
import re
import stat
from collections import Counter
from itertools import pairwise
from pathlib import Path

MAKE = "openssl rand -hex 32"
"""What makes a key by chance."""

BITS = 100
"""A key whose text can hold fewer is guessed, or nearly so: 128 are what 32 hexadecimal digits hold."""

_CONTAINER = "/run/secrets/"
"""There Docker and Podman put secrets, with mode 0444: nobody but the container sees them."""


class SecretError(ValueError):
    """A secret that cannot be used; the message names its file and says what to do, and repeats nothing of it."""


def read(path: Path) -> bytes:
    """The secret that a file holds, without its line's end. Raises `SecretError`, also where others could read it."""
    try:
        with path.open("rb") as file:
            refuse_readable(path, os.fstat(file.fileno()))
            secret = file.read().rstrip(b"\r\n")
    except OSError as error:
        raise SecretError(f"{path}: {error.strerror}") from None
    if not secret:
        raise SecretError(f"{path}: is empty; put the secret there")
    return secret


def private(path: str, flags: int) -> int:
    """An `opener` for `open`: what it makes, only its user can read from its first byte on; what is there stays as it is."""
    return os.open(path, flags, 0o600)


def refuse_readable(path: Path, found: os.stat_result | None = None) -> None:
    """Raises `SecretError` for a file that somebody else can read or change, and for one that is not there.

    The group may read what root gives it: so come the credentials of systemd (0440, where an access list lets the service in),
    and keys that root shares with a service. Of a file of one's own it may not: who else is in the group, few know.
    """
    try:
        found = found or path.stat()
        folder = path.resolve().parent.stat()
    except OSError as error:
        raise SecretError(f"{path}: {error.strerror}") from None
    me, mode = os.geteuid(), stat.S_IMODE(found.st_mode)
    if me and found.st_uid not in (0, me):
        raise SecretError(f"{path}: belongs to another user ({found.st_uid}), who can read it; run chown $USER {path}")
    if mode & 0o022:
        raise SecretError(f"{path}: has mode {mode:o}: others can change it; run chmod 600 {path}")
    if mode & 0o004 and not str(path.resolve()).startswith(_CONTAINER):
        raise SecretError(f"{path}: has mode {mode:o}: others can read it; run chmod 600 {path}")
    # What is root's own and root may write is no orchestrator's.
    if mode & 0o040 and not (found.st_uid == 0 and (me or not mode & 0o200)) and not mode & 0o004:
        raise SecretError(f"{path}: has mode {mode:o}: its group can read it; run chmod 600 {path}")
    if folder.st_mode & 0o002 and not folder.st_mode & stat.S_ISVTX:
        raise SecretError(f"{path}: everybody can put another file in its place; run chmod o-w {path.resolve().parent}")


def check_key(key: bytes, least: int) -> None:
    """Raises `SecretError` for a key that is shorter than `least` bytes, or that a person thought of."""
    if len(key) < least:
        raise SecretError(f"the key has {len(key)} bytes and needs {least} or more: {MAKE}")
    if _bits(key) < BITS:
        raise SecretError(f"the key is easy to guess: it was not made by chance; make another: {MAKE}")


def _bits(key: bytes) -> float:
    """What a key can hold at most, by how it is written: hexadecimal digits, base64 or bytes of chance; words hold little."""
    if any(key[gap:] == key[:-gap] for gap in range(1, len(key) // 2 + 1)):
        return 0  # one part over and over
    steps = Counter((after - before) % 256 for before, after in pairwise(key))
    if len(set(key)) < 8 or steps.most_common(1)[0][1] > len(key) / 3:
        return 0  # few letters, or a scale
    if not key.isascii() or any(byte < 0x20 for byte in key):
        return len(key) * 8.0
    text = key.decode()
    if re.fullmatch(r"[0-9a-f]+|[0-9A-F]+", text):
        return len(key) * 4.0
    # In chance, letters change between small, capital and figure two times in three; in words, at their beginnings.
    kinds = ["0" if letter.isdigit() else "A" if letter.isupper() else "a" if letter.islower() else "-" for letter in text]
    changes = sum(before != after for before, after in pairwise(kinds)) / (len(kinds) - 1)
    is_chance = re.fullmatch(r"[A-Za-z0-9+/_-]+={0,2}", text) and {"0", "A", "a"} <= set(kinds) and changes > 0.4
    return len(key) * (6.0 if is_chance else 1.5)

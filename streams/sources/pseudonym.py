"""Callers and seats without the people: a number becomes a keyed hash at the edge, and a name never becomes a code."""

import re
from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b

Pseudonym = Callable[[str], str]
"""Text in, 32 hexadecimal digits out; the same text and key give the same digits."""

SHORTEST_KEY = 16
"""Bytes. All Indonesian numbers can be tried in minutes, so the key alone keeps them secret."""

# An extension has few digits; whoever has more may be somebody's own telephone.
_EXTENSION = re.compile(r"[0-9]{1,6}", re.ASCII)
_SEAT = re.compile(
    r"(?:(?:Agent|SIP|PJSIP|IAX2?|Local|DAHDI|SCCP|Console|VICIdial)/)?"
    r"(?:(?:agent|seat|operator|op|ext|phone|desk|console|meja|kursi|loket|line|station)[-_.]?)?[0-9]{1,6}",
    re.ASCII | re.IGNORECASE,
)
_TELEPHONE = re.compile(r"(?:(?:\+|00)?62|0)[2-9][0-9]{6,12}", re.ASCII)
# What Asterisk adds to a device: the context of a Local channel, the serial of a channel.
_CHANNEL = re.compile(r"@.*|-[0-9a-f]{8}(;[12])?$", re.ASCII)


class Keyed:
    """The hash under a secret key (BLAKE2b, keyed), the key's name, and, while its follower comes into use, the hash `before`."""

    def __init__(self, key: bytes, before: "Keyed | None" = None) -> None:
        """Raises `ValueError` for a key of fewer than 16 bytes."""
        if len(key) < SHORTEST_KEY:
            raise ValueError(f"the pseudonym key has {len(key)} bytes; give it at least {SHORTEST_KEY}, made by chance")
        self._secret = blake2b(key, digest_size=32).digest()
        self.id = short(blake2b(self._secret, digest_size=16, person=b"name of the key").hexdigest())
        """Which key it is; from it no key is found, and no pseudonym."""
        self.before = before

    def __call__(self, text: str) -> str:
        return blake2b(text.encode("utf-8", "replace"), key=self._secret, digest_size=16).hexdigest()


def keyed(key: bytes, before: bytes | None = None) -> Keyed:
    """The hash under a key of 16 bytes or more and the one `before`. Raises `ValueError` for a shorter one."""
    return Keyed(key, None if before is None else Keyed(before))


def caller(number: str, key: Keyed | None) -> dict[str, str]:
    """What an event says of a caller: the pseudonym, one for `0812…`, `62812…` and `+62 812-…`, and which key it is made under;
    while two keys are in use, under the one before too. Nothing of a withheld number, or without a key.
    """
    digits = re.sub(r"[^0-9]", "", number)
    if key is None or not digits.strip("0"):
        return {}
    text = "caller:" + re.sub(r"^(00)?(62)?0?", "", digits)
    said = {"caller": key(text), "caller_key": key.id}
    return said if key.before is None else said | {"caller_before": key.before(text)}


def extension(text: str) -> str | None:
    """A short number inside the exchange; None for all that might be a telephone number or a name."""
    return text if _EXTENSION.fullmatch(text) else None


@lru_cache(maxsize=4096)
def seat(agent: str, pseudonym: Pseudonym | None) -> str | None:
    """The code of a seat. A machine's name (`Agent/01`, `PJSIP/1001-0000002a`, `Local/1001@queue/n`) stays, less what follows the
    device; what may be a person's name becomes `seat-` and 8 hexadecimal digits, or None when there is no key.
    """
    device = _CHANNEL.sub("", agent)
    if is_machine(device):
        return device
    return None if pseudonym is None else f"seat-{short(pseudonym('seat:' + device))}"


@lru_cache(maxsize=4096)  # a call's events come together
def is_telephone(text: str) -> bool:
    """Whether this is how a telephone number is written in Indonesia; no exchange numbers its calls so."""
    return _TELEPHONE.fullmatch(re.sub(r"[ .()/-]", "", text)) is not None


def is_machine(text: str) -> bool:
    """Whether this is what exchanges call a seat: a device or a kind of place, and an extension."""
    return _SEAT.fullmatch(text) is not None


def short(digits: str) -> str:
    """Eight of 32 hexadecimal digits, with a letter among them: eight figures would look like a telephone number."""
    eights = (digits[start : start + 8] for start in range(25))
    return next((eight for eight in eights if not eight.isdecimal()), "a" + digits[:7])

"""What the link in a page says: which alarm it is about and until when it may be used, signed so that nobody else can say it.

Whoever has the link may say that he has this alarm; that is whom it was sent to. What the alarm says now, Alertmanager is asked.
"""

import hashlib
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, timedelta

from itsdangerous import BadData, URLSafeSerializer

from streams.worker.signed_ticket import LONGEST, ExpiredError, ForgedError

LASTS = timedelta(hours=24)
"""How long after it was made a link can be used. An alarm that goes on is sent again, with a new one."""


@dataclass(frozen=True, slots=True)
class SignedAlarm:
    """An alarm by Alertmanager's fingerprint of its labels; `name` and `city` ("" for none) are told when it is over."""

    fingerprint: str
    name: str
    city: str
    until: datetime


def sign(alarm: SignedAlarm, key: bytes) -> str:
    """The end of the link."""
    *said, until = astuple(alarm)
    return str(_serializer(key).dumps([*said, int(until.timestamp())]))


def read(text: str, key: bytes, now: datetime) -> SignedAlarm:
    """What a link says. Raises `ForgedError` or `ExpiredError`."""
    try:
        if len(text) > LONGEST:
            raise ForgedError
        fingerprint, name, city, until = _serializer(key).loads(text)
        alarm = SignedAlarm(fingerprint, name, city, datetime.fromtimestamp(until, UTC))
    except (BadData, TypeError, ValueError, OverflowError):
        raise ForgedError from None
    if now >= alarm.until:
        raise ExpiredError
    return alarm


def _serializer(key: bytes) -> URLSafeSerializer:
    # Its own salt: the link of a ticket is no link of an alarm.
    return URLSafeSerializer(key, salt="alarm-1", signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"})

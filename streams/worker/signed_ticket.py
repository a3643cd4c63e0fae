"""What the link in a reminder says: one ticket at one agency, nothing of it secret, signed so that nobody else can say it.

Whoever has the link may answer for that agency until it expires; that is the chat group which got it. It carries all that its
page shows, so the gateway need not look a ticket up.
"""

import hashlib
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta

from itsdangerous import BadData, URLSafeSerializer

LASTS = timedelta(days=7)
"""How long after its rung was passed a ticket can be answered by its link."""

LONGEST = 2_000
"""Characters of a link's end; ours have about 250."""


class ForgedError(ValueError):
    """A text that was not signed with our key."""


class ExpiredError(ValueError):
    """A link that was good once."""


@dataclass(frozen=True, slots=True)
class SignedTicket:
    """A ticket that an agency was reminded of; `zone` is how its centre calls the zone that both times are in."""

    city: str
    centre: str
    ticket: str
    opd: str
    rung: str
    category: str
    since: datetime
    due: datetime
    zone: str


def sign(ticket: SignedTicket, key: bytes) -> str:
    """The end of the link; the same whenever the same reminder is sent again."""
    # Without the names of the fields: people see how long a link is.
    said = [value.isoformat() if isinstance(value, datetime) else value for value in astuple(ticket)]
    return str(_serializer(key).dumps(said))


def read(text: str, key: bytes, now: datetime) -> SignedTicket:
    """What a link says. Raises `ForgedError` or `ExpiredError`."""
    try:
        if len(text) > LONGEST:
            raise ForgedError
        city, centre, name, opd, rung, category, since, due, zone = _serializer(key).loads(text)
        times = datetime.fromisoformat(since), datetime.fromisoformat(due)
        ticket = SignedTicket(city, centre, name, opd, rung, category, *times, zone)
    except (BadData, TypeError, ValueError):
        raise ForgedError from None
    if now >= ticket.due + LASTS:
        raise ExpiredError
    return ticket


def _serializer(key: bytes) -> URLSafeSerializer:
    return URLSafeSerializer(key, salt="ticket-1", signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"})

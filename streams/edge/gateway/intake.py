"""Which of the events that somebody sends are let in, and what is said of the others: field and reason, nothing of the event."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from schemas.event import Event
from schemas.topics import Decoded, Refusal, UnknownType, decode
from schemas.topics import Reason as Unreadable
from streams.edge.gateway.tokens import DECISIONS, Token
from streams.sources.door import MEND_SEAT, NUMBER_AS_NAME, UNNAMED_SEAT, Door
from streams.sources.pseudonym import is_telephone

Reason = Unreadable | Literal["unknown_type", "foreign_source", "not_allowed", "personal"]


@dataclass(frozen=True, slots=True)
class Refused:
    """One event that is not taken; `index` counts from 0 within its request."""

    index: int
    field: str
    reason: str
    why: Reason


class Intake:
    """Lets events of some centres in, as a token may tell them."""

    def __init__(self, centres: Collection[str], door: Door) -> None:
        """`centres` by their codes."""
        self._centres, self._door = frozenset(centres), door

    def admit(self, bodies: Iterable[bytes], token: Token) -> Iterator[Event | Refused]:
        """What becomes of each, in order."""
        return map(lambda numbered: self._judge(numbered[0], decode(numbered[1]), token), enumerate(bodies))

    def _judge(self, index: int, said: Decoded, token: Token) -> Event | Refused:
        match said:
            case Refusal():
                return Refused(index, said.field, said.detail.removeprefix(f"field {said.field}: "), said.reason)
            case UnknownType():
                return Refused(index, "type", "no type that is known here: see /v1/openapi.json", "unknown_type")
        if said.subject not in token.centres:
            return Refused(index, "subject", "this token does not speak for that centre", "not_allowed")
        if said.type not in token.allowed:
            right = "decisions about callers need a right of their own" if said.type in DECISIONS else "not for this token"
            return Refused(index, "type", right, "not_allowed")
        if not said.source.startswith(f"/{said.subject}/"):
            return Refused(index, "source", "must begin with /<subject>/: nobody speaks for another centre", "foreign_source")
        if said.subject not in self._centres:
            return Refused(index, "subject", "no centre of this monitor", "unknown_centre")
        event = self._door.admit(said)
        if event is None:
            return Refused(index, *self._personal(said), "personal")
        return event

    @staticmethod
    def _personal(event: Event) -> tuple[str, str]:
        """In which field a person stands, and what to do."""
        for name in ("call", "journey", "ticket"):
            if is_telephone(getattr(event.data, name, None) or ""):
                return f"data.{name}", f"{NUMBER_AS_NAME}: send the id that the system gave it"
        return "data.seat", f"{UNNAMED_SEAT}: {MEND_SEAT}"

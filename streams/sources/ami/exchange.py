"""One exchange, as its manager interface tells of it and the centre's file calls what it has: codes, and events made of them."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from pydantic import TypeAdapter

from schemas.calls import CallEvent, ExchangeRestarted
from schemas.event import EARLIEST, TOO_LATE, Event
from schemas.network import NetworkEvent
from schemas.operators import OperatorEvent
from streams.core import classes
from streams.core.centre import Centre
from streams.sources.door import UNNAMED_SEAT, Door
from streams.sources.pseudonym import extension

KEPT = 1_024
"""The most names of one kind whose code is kept at hand."""

ANONYMOUS_TRUNK = "calls on trunks that the centre's file does not name (links, also)"
"""Counted as passed over: such a call counts, but on no link."""

_make: Callable[[Any], Event] = TypeAdapter(
    CallEvent | OperatorEvent | NetworkEvent | ExchangeRestarted
).validator.validate_python

# A second since 1970 and a count; where the exchange has a name (systemname), that comes before, without room for a number.
_CALL = re.compile(r"([A-Za-z](?:[A-Za-z_.-]|(?<![0-9])[0-9]{1,5}(?![0-9])){0,30}-)?[12][0-9]{9}\.[0-9]{1,9}", re.ASCII)
_SERIAL = re.compile(r"(-[0-9a-f]{1,8})?(;[12])?$", re.ASCII)
_INSIDE = re.compile(r"(?!0+$)[0-9]{2,5}", re.ASCII)


class Exchange:
    """Makes the events of one exchange, told by `source`, at one centre. What looks like a person, the `door` makes a code of."""

    def __init__(self, centre: Centre, source: str, door: Door) -> None:
        self.centre = centre
        self.source = source
        self.door = door
        self._seats: dict[tuple[str, ...], str | None] = {}
        self._front = next((queue.code for queue in centre.queues if queue.emergency), "112")
        self.devices: set[str] = set()
        """Of the members of queues: no trunks, whatever they are called."""

    def event(self, kind: type[Event], time: float, facts: dict[str, Any], caller: dict[str, str] | None = None) -> list[Event]:
        """One event, its id made from its time and `facts`; none where they are none, which is counted."""
        name = kind.model_fields["type"].default
        said = f"{time:.6f}|{name}|{'|'.join(map(str, facts.values()))}"
        facts |= caller or {}
        try:
            if not EARLIEST.timestamp() <= time < TOO_LATE.timestamp():
                raise ValueError  # a clock that was never set, or a length of time that is none
            return [
                _make(
                    {
                        "id": blake2b(said.encode("utf-8", "replace"), digest_size=8).hexdigest(),
                        "source": self.source,
                        "type": name,
                        "subject": self.centre.code,
                        "time": datetime.fromtimestamp(time, UTC),
                        "data": {fact: value for fact, value in facts.items() if value is not None},
                    }
                )
            ]
        except ValueError:
            self.door.passed_over[f"{name} that is none"] += 1
            return []

    def call(self, text: str | None) -> str | None:
        """A call's own id (Asterisk's uniqueid or linkedid); None for what is none."""
        return text if text is not None and len(text) <= 64 and _CALL.fullmatch(text) else None

    def queue(self, text: str | None) -> str | None:
        """The code of a queue."""
        return self.door.code(self.centre.code, "queue", text) if text else None

    def front(self, exten: str | None) -> str:
        """The queue that whoever dialled this number will most likely come into: the one of that name, or the emergency's."""
        names = self.centre.names.queues
        found = names[exten] if exten else ""
        return found if found in names.known else self._front

    def reason(self, text: str | None) -> str | None:
        """The code of why a seat pauses."""
        return self.door.code(self.centre.code, "reason", text) if text else None

    def class_(self, text: str) -> str:
        """The class that a word means here."""
        return classes.told(text, self.centre.names.classes)

    def destination(self, exten: str | None) -> str | None:
        """Whom a call was passed on to: a neighbour's code, or an extension; None for what may be somebody's number."""
        names = self.centre.names.neighbours
        code = names[exten] if exten else ""
        return code if code in names.known else extension(exten or "")

    def caller(self, number: str | None) -> dict[str, str]:
        """What an event says of a caller."""
        return self.door.caller(number or "")

    def seat(self, *names: str | None) -> str | None:
        """The code of a seat that goes by these names, its interface first: the file's for any of them, else the interface's."""
        key = tuple(name for name in names if name)
        try:
            seat = self._seats[key]
        except KeyError:
            if len(self._seats) >= KEPT:
                self._seats.clear()
            seats = self.centre.names.seats
            spelt = [part for name in key for part in (name, device(name), name.partition("@")[0])]
            coded = (code for name in spelt if (code := seats[name]) in seats.known)
            strangers = (made for name in key if (made := self.door.seat(self.centre.code, name)) is not None)
            self._seats[key] = seat = next(coded, None) or next(strangers, None)
        if seat is None and key:
            self.door.passed_over[UNNAMED_SEAT] += 1
        return seat

    def link(self, *names: str | None) -> str | None:
        """The code of the link that goes by one of these names; None where the file names none so."""
        links = self.centre.names.links
        return next((code for name in names if name and (code := links[name]) in links.known), None)

    def trunk(self, channel: str | None) -> str | None:
        """The code of the link that a channel or device belongs to."""
        if not channel:
            return None
        # Of an ISDN or analogue line, DAHDI/i1/NUMBER-1 and DAHDI/1-1, the span comes before a number.
        spelt = (part for name in (channel, device(channel)) for part in (name, name.partition("/")[2], _span(name)))
        return self.link(*spelt)

    def is_inside(self, channel: str, number: str | None) -> bool:
        """Whether a channel that is no trunk of the file's is an extension's: a member's, one with an extension's name or number,
        or one that Asterisk made for itself.
        """
        name = device(channel)
        return (
            channel.startswith("Local/")
            or name in self.devices
            or _INSIDE.fullmatch(number or "") is not None
            or extension(name.partition("/")[2]) is not None
            or self.centre.names.seats[name] in self.centre.names.seats.known
        )

    def anonymous(self) -> None:
        """A citizen's call came on a trunk that the file does not name."""
        self.door.passed_over[ANONYMOUS_TRUNK] += 1


def device(channel: str) -> str:
    """What a channel is one of: `PJSIP/telkom` of `PJSIP/telkom-0000002a`."""
    return _SERIAL.sub("", channel, count=1)


def _span(name: str) -> str:
    return "/".join(name.split("/")[:2])

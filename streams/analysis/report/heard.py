"""When anything was told of a centre, whatever it was: who is not heard of is not well, but unknown."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any

from schemas.callers import Caller
from schemas.event import Data, Event
from schemas.network import LinkData
from schemas.topics import EVENT_TYPES, TOPIC_OF
from streams.core.centre import LINKS, Centre
from streams.core.hourly import HOUR
from streams.sources import Line


def _types(kind: type[Data]) -> frozenset[str]:
    """The types of events whose data are of a kind: to ask each event's own data takes many times longer."""
    return frozenset(name for name, event in EVENT_TYPES.items() if issubclass(event.model_fields["data"].annotation, kind))  # type: ignore[arg-type]


_OF_LINKS, _DECIDED = _types(LinkData), _types(Caller)


@dataclass(slots=True)
class Heard:
    """What was heard of one centre; times are epoch seconds."""

    hours: set[int] = field(default_factory=set)
    """The hours (epoch seconds // 3600) in which something happened of which was told."""
    nouns: dict[str, float] = field(default_factory=dict)
    """Since when each noun is told of."""
    links: dict[str, float] = field(default_factory=dict)
    """Since when each link is told of, by its code."""
    first: float = inf
    """Since when anything is."""
    last: float = -inf
    """Until when."""

    def note(self, event: Event, time: float, centre: Centre) -> None:
        """Something was told of that time."""
        self.first, self.last = min(self.first, time), max(self.last, time)
        self.hours.add(int(time) // HOUR)
        noun = TOPIC_OF[event.type].noun
        if time < self.nouns.get(noun, inf):
            self.nouns[noun] = time
        if event.type in _OF_LINKS:
            data: Any = event.data
            link = centre.names.links[data.link]
            if link in centre.names.links.known or link in self.links or len(self.links) < LINKS:
                self.links[link] = min(time, self.links.get(link, time))


@dataclass(slots=True)
class Listening:
    """Listens to all events that are read, but for those that cannot have happened yet and for what people decide about callers:
    that may be long after the days that the rest tells of.
    """

    centres: Mapping[str, Centre]
    wall: float
    """Now, epoch seconds, where a line does not say since when it stands there."""
    ahead_seconds: float
    heard: dict[str, Heard] = field(default_factory=dict)
    """By centre."""

    def note(self, time: float, line: Line) -> None:
        """A line was read, of that time in epoch seconds if it is an event."""
        item = line.item
        if not isinstance(item, Event) or item.type in _DECIDED or item.subject not in self.centres:
            return
        if time <= (self.wall if line.written is None else line.written) + self.ahead_seconds:
            if item.subject not in self.heard:
                self.heard[item.subject] = Heard()
            self.heard[item.subject].note(item, time, self.centres[item.subject])

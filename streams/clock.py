"""What time it is in the stream: the wall clock, unless recorded events are played faster than life."""

import re
from dataclasses import dataclass
from datetime import datetime

_FEED = re.compile(r"^(?P<stream>[^@]+)@(?P<wall>\d+(\.\d+)?)x(?P<speed>\d+(\.\d+)?)$")


@dataclass(frozen=True, slots=True)
class Clock:
    """Stream time as a straight line: it was `stream` at the wall time `wall` (epoch seconds) and runs `speed` times as fast."""

    stream: float = 0.0
    wall: float = 0.0
    speed: float = 1.0

    def at(self, wall: float) -> float:
        """Stream time at a wall time, in epoch seconds."""
        return self.stream + (wall - self.wall) * self.speed

    def __str__(self) -> str:
        return f"{datetime.fromtimestamp(self.stream).astimezone().isoformat()}@{self.wall!r}x{self.speed:g}"


def parse(text: str) -> Clock:
    """`wall`, or `1999-01-03T16:00+02:00@1790000000x60`: that stream time at that wall time, 60 times as fast."""
    if text == "wall":
        return Clock()
    found = _FEED.match(text)
    if found is None:
        raise ValueError("a clock is `wall` or STREAM_TIME@WALL_SECONDSxSPEED, such as 1999-01-03T16:00+02:00@1790000000x60")
    stream = datetime.fromisoformat(found["stream"])
    if stream.tzinfo is None:
        raise ValueError("the stream time of a clock needs a zone, such as +07:00")
    return Clock(stream.timestamp(), float(found["wall"]), float(found["speed"]))

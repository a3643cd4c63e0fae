"""A row an outage of a link, told by the network's state when one begins and when it ends."""

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from streams.analysis.rows.row import Done, Moment, Row, Seconds
from streams.core import network
from streams.core.centre import Centre
from streams.core.watch import LinkWatch

DOWN, UNREGISTERED = "down", "unregistered"


@dataclass(slots=True, kw_only=True)
class Outage(Row):
    """A time in which a link was down (psap_network_drops_total), or its SIP registration lost."""

    link: Annotated[str, "The link, by its code."]
    kind: Annotated[str, "down, or unregistered where the link may carry, but its provider sends it no calls."]
    began: Annotated[Moment, "When it was first told."]
    ended: Annotated[Moment | None, "When it was told to be over; NULL if never."] = None
    seconds: Annotated[Seconds | None, "From the one to the other; NULL as that is."] = None
    carrier: Annotated[str | None, "The link's carrier; NULL of a link that the centre's file does not name."] = None
    link_kind: Annotated[str | None, "sip, pstn or uplink; NULL as that."] = None


@dataclass(slots=True)
class OutageRows(LinkWatch):
    """The rows of one centre's links: what is told of a link goes forward in time only, so that one which is over is done."""

    remembered: ClassVar[tuple[str, ...]] = ("done", "open")
    centre: Centre
    done: list[Done] = field(default_factory=list)
    open: dict[tuple[str, str], Outage] = field(default_factory=dict)
    """By link and kind."""
    state: network.State = field(default_factory=network.State)

    def attach(self, state: network.State) -> None:
        """Watch this state from now on."""
        self.state = state
        state.watch = self

    def finish(self, now: float) -> None:
        """Nothing more will be told: the rows of what is not over are done as they stand."""
        self.done += self.open.values()
        self.open = {}
        self.state.watch = None

    def turned(self, link: str, time: float, *, up: bool) -> None:
        self._tell(link, DOWN, time, is_over=up)

    def registered(self, link: str, time: float, *, stands: bool) -> None:
        self._tell(link, UNREGISTERED, time, is_over=stands)

    def _tell(self, link: str, kind: str, time: float, *, is_over: bool) -> None:
        row = self.open.pop((link, kind), None)
        if row is not None:
            # Of a stranger that made way meanwhile the end was never told.
            if is_over:
                row.ended, row.seconds = time, time - row.began
            self.done.append(row)
        if not is_over:
            named = next((each for each in self.centre.links if each.code == link), None)
            row = self.open[link, kind] = Outage(city=self.centre.code, link=link, kind=kind, began=time)
            row.read_clock(time, self.centre)
            if named is not None:
                row.carrier, row.link_kind = named.carrier, named.kind

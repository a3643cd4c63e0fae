"""A row a shift of a seat, and a row a pause or wrap-up of one, told stretch by stretch by the seats' timelines; and a row a call
that rang at one and was not taken.
"""

import json
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from streams.analysis.rows.row import Done, Moment, Row, Seconds
from streams.core import operators
from streams.core.centre import Centre
from streams.core.timeline import Past
from streams.core.watch import SeatWatch


@dataclass(slots=True, kw_only=True)
class Shift(Row):
    """A time that a seat was logged in, or was seen to be there.

    What its states are is told each for itself: who talks can be paused, and the rest of the time need not be idle.
    """

    seat: Annotated[str, "The seat, by its code."]
    logged_in: Annotated[Moment, "When it joined its first queue, or was first seen."]
    logged_out: Annotated[Moment | None, "When it left its last queue; NULL if it was there when the events ended."] = None
    until: Annotated[Moment, "That, or when the events ended."]
    logged_in_seconds: Annotated[Seconds, "From the log-in until then."] = 0.0
    calls: Annotated[int, "Conversations that it began: answered visits of this seat."] = 0
    talk_seconds: Annotated[Seconds, "Seconds of the shift in conversations whose end was told."] = 0.0
    wrap_up_seconds: Annotated[Seconds, "Seconds of wrap-ups that were told, but for those of other queues than the city's."] = (
        0.0
    )
    paused_seconds: Annotated[Seconds, "Seconds of pauses, of all reasons."] = 0.0
    paused_by_reason: Annotated[str, "The same by reason, as JSON (psap_operator_pause_seconds_total)."] = "{}"


@dataclass(slots=True, kw_only=True)
class NotReady(Row):
    """A time in which a seat was paused, or wrapped up after a call of the city."""

    seat: Annotated[str, "The seat, by its code."]
    kind: Annotated[str, "pause or wrap_up."]
    began: Annotated[Moment, "When it began."]
    until: Annotated[Moment, "When it was over, or when the events ended."]
    seconds: Annotated[Seconds, "From the one to the other."]
    reason: Annotated[str | None, "Why it was paused (psap_operator_pause_seconds_total); NULL of a wrap-up."] = None


@dataclass(slots=True, kw_only=True)
class RingNoAnswer(Row):
    """A call that rang at a seat, for more than 0 s, and was not taken (psap_operator_ring_no_answer_total)."""

    seat: Annotated[str, "The seat, by its code."]
    rang: Annotated[Moment, "When it began to ring; where the source does not say for how long it rang, when that ended."]
    ring_seconds: Annotated[Seconds | None, "For how long it rang; NULL if the source does not say."] = None


@dataclass(slots=True)
class Stay:
    """A shift of which more may be told."""

    seat: str
    start: float
    end: float
    wrapped_up: float = 0.0
    paused: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class ShiftRows(SeatWatch):
    """The rows of one centre's seats. A stretch of time is told once nothing that comes late can change it."""

    remembered: ClassVar[tuple[str, ...]] = ("done", "open", "pauses")
    centre: Centre
    done: list[Done] = field(default_factory=list)
    open: dict[str, Stay] = field(default_factory=dict)
    """By seat, the shift that goes on at the end of what was told."""
    pauses: dict[str, NotReady] = field(default_factory=dict)
    """By seat, its last pause: the next stretch may go on with it."""
    state: operators.State = field(default_factory=operators.State)

    def attach(self, state: operators.State) -> None:
        """Watch this state from now on."""
        self.state = state
        state.watch = self

    def finish(self, now: float) -> None:
        """Nothing more will be told: the rows of what is not over are done as they stand at `now`, epoch seconds."""
        for name, seat in self.state.seats.items():
            self.past(name, seat.timeline.replay(now))
        for stay in self.open.values():
            self._tell(stay, None)
        self.done += self.pauses.values()
        self.open, self.pauses = {}, {}
        self.state.watch = None

    def rang_out(self, seat: str, time: float, seconds: float | None) -> None:
        row = RingNoAnswer(city=self.centre.code, seat=seat, rang=time - (seconds or 0), ring_seconds=seconds)
        row.read_clock(row.rang, self.centre)
        self.done.append(row)

    def past(self, seat: str, over: Past) -> None:
        before = self.open.pop(seat, None)
        stays = [] if before is None else [before]
        for start, end in over.there:
            if stays and stays[-1].end == start:
                stays[-1].end = end
            elif end > start or (over.standing.there and start == over.there[-1][0]):
                stays.append(Stay(seat, start, end))
        reasons = list(self.state.paused_seconds)
        for pause in over.pauses:
            stay, reason = _at(stays, pause.start), reasons[int(pause.reason)]
            if stay is not None:
                stay.paused[reason] = stay.paused.get(reason, 0.0) + pause.end - pause.start
            self._pause(seat, pause.start, pause.end, reason)
        for wrap in over.wraps:
            stay = _at(stays, wrap.start)
            if not wrap.queue:
                self.done.append(self._not_ready(seat, "wrap_up", wrap.start, wrap.end, None))
                if stay is not None:
                    stay.wrapped_up += wrap.end - wrap.start
        if over.standing.there and stays:
            last = stays.pop()
            if seat in self.state.seats:
                self.open[seat] = last
            else:
                self._tell(last, None)  # it made way for another one
        for stay in stays:
            self._tell(stay, stay.end)

    def _pause(self, seat: str, start: float, end: float, reason: str) -> None:
        last = self.pauses.get(seat)
        if last is not None and (last.until, last.reason) == (start, reason):
            last.until, last.seconds = end, end - last.began
            return
        if last is not None:
            self.done.append(last)
        self.pauses[seat] = self._not_ready(seat, "pause", start, end, reason)

    def _not_ready(self, seat: str, kind: str, start: float, end: float, reason: str | None) -> NotReady:
        row = NotReady(city=self.centre.code, seat=seat, kind=kind, began=start, until=end, seconds=end - start, reason=reason)
        row.read_clock(start, self.centre)
        return row

    def _tell(self, stay: Stay, logged_out: float | None) -> None:
        row = Shift(
            city=self.centre.code,
            seat=stay.seat,
            logged_in=stay.start,
            logged_out=logged_out,
            until=stay.end,
            logged_in_seconds=stay.end - stay.start,
            wrap_up_seconds=stay.wrapped_up,
            paused_seconds=sum(stay.paused.values()),
            paused_by_reason=json.dumps(stay.paused, sort_keys=True),
        )
        row.read_clock(stay.start, self.centre)
        self.done.append(row)


def _at(stays: list[Stay], moment: float) -> Stay | None:
    """The shift that goes on at a moment."""
    return next((stay for stay in reversed(stays) if stay.start <= moment), None)

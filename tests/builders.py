"""Events with everything defaulted but the point, and what the folds say of them. Seconds count from START."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from schemas.calls import (
    Abandoned,
    Answered,
    Blocked,
    CallAbandoned,
    CallAnswered,
    CallBlocked,
    CallClassified,
    CallEnded,
    CallEvent,
    CallNetworkDropped,
    CallOffered,
    CallOverflowed,
    CallQueued,
    CallTransferred,
    Class,
    Classified,
    Ended,
    NetworkDropped,
    Offered,
    Overflowed,
    Queued,
    Transferred,
)
from schemas.operators import (
    OperatorEvent,
    OperatorLoggedIn,
    OperatorLoggedOut,
    OperatorPaused,
    OperatorResumed,
    OperatorRingNoAnswer,
    Paused,
    RingNoAnswer,
    Seat,
)
from streams.core import calls, operators
from streams.core.centre import Centre, Thresholds, parse
from streams.core.histogram import Histogram
from streams.core.reading import Metric, Readings

START = datetime(2024, 11, 25, 8, 0, tzinfo=ZoneInfo("Asia/Jakarta"))
"""A Monday morning in Bogor."""

SOURCE = "/32.71/test"

BOGOR = parse('code = "32.71"\nname = "Kota Bogor"\ntimezone = "Asia/Jakarta"\nqueues = ["112"]')


def bogor(**thresholds: float) -> Centre:
    """Kota Bogor with other limits."""
    return BOGOR.model_copy(update={"thresholds": Thresholds.model_validate(thresholds)})


def at(seconds: float) -> float:
    """Epoch seconds of a moment so many seconds after START."""
    return START.timestamp() + seconds


def seconds_to(moment: datetime) -> float:
    """Seconds from START to a moment with zone."""
    return (moment - START).total_seconds()


def offered(call: str, seconds: float, queue: str = "112", clock: Literal["arrival", "queue"] = "arrival") -> CallEvent:
    return CallOffered(data=Offered(call=call, queue=queue, clock=clock), **_envelope("o", call + queue, seconds))


def queued(call: str, seconds: float, queue: str = "112") -> CallEvent:
    return CallQueued(data=Queued(call=call, queue=queue), **_envelope("q", call + queue, seconds))


def answered(call: str, seconds: float, seat: str | None = None) -> CallEvent:
    return CallAnswered(data=Answered(call=call, seat=seat), **_envelope("a", call, seconds))


def abandoned(call: str, seconds: float) -> CallEvent:
    return CallAbandoned(data=Abandoned(call=call), **_envelope("x", call, seconds))


def ended(call: str, seconds: float) -> CallEvent:
    return CallEnded(data=Ended(call=call), **_envelope("e", call, seconds))


def transferred(call: str, seconds: float) -> CallEvent:
    return CallTransferred(data=Transferred(call=call), **_envelope("t", call, seconds))


def overflowed(call: str, seconds: float) -> CallEvent:
    return CallOverflowed(data=Overflowed(call=call, reason="timeout"), **_envelope("v", call, seconds))


def blocked(call: str, seconds: float) -> CallEvent:
    return CallBlocked(data=Blocked(call=call), **_envelope("b", call, seconds))


def network_dropped(call: str, seconds: float) -> CallEvent:
    return CallNetworkDropped(data=NetworkDropped(call=call), **_envelope("n", call, seconds))


def classified(call: str, seconds: float, class_: Class) -> CallEvent:
    return CallClassified(data=Classified.model_validate({"call": call, "class": class_}), **_envelope("c", call, seconds))


def logged_in(seat: str, seconds: float) -> OperatorEvent:
    return OperatorLoggedIn(data=Seat(seat=seat), **_envelope("li", seat, seconds))


def logged_out(seat: str, seconds: float) -> OperatorEvent:
    return OperatorLoggedOut(data=Seat(seat=seat), **_envelope("lo", seat, seconds))


def paused(seat: str, seconds: float, reason: str | None = None) -> OperatorEvent:
    return OperatorPaused(data=Paused(seat=seat, reason=reason), **_envelope("p", seat, seconds))


def resumed(seat: str, seconds: float) -> OperatorEvent:
    return OperatorResumed(data=Seat(seat=seat), **_envelope("r", seat, seconds))


def ring_no_answer(seat: str, seconds: float) -> OperatorEvent:
    return OperatorRingNoAnswer(data=RingNoAnswer(seat=seat), **_envelope("rna", seat, seconds))


class Said(dict[tuple[Any, ...], float | Histogram]):
    """Readings by metric and label values: `said[WAITING, "112"]`; `number` where no histogram is meant."""

    def number(self, metric: Metric, *labels: str) -> float:
        value = self[(metric, *labels)]
        assert isinstance(value, int | float)
        return value

    def histogram(self, metric: Metric, *labels: str) -> Histogram:
        value = self[(metric, *labels)]
        assert isinstance(value, Histogram)
        return value

    def by_label(self, metric: Metric, *labels: str) -> dict[str, float]:
        """The values that are not zero of a metric whose first labels are these, by its last label."""
        found = {key[-1]: self.number(*key) for key in self if key[0] is metric and key[1:-1] == labels}
        return {label: value for label, value in found.items() if value}


def fold(
    events: Iterable[CallEvent], centre: Centre = BOGOR, state: calls.State | None = None, first_offset: int | None = None
) -> calls.State:
    """The state of a centre's calls after these events, entered in the ledger from the next offset or from another one on."""
    state = state if state is not None else calls.State()
    for offset, event in enumerate(events, state.ledger.offset + 1 if first_offset is None else first_offset):
        if state.ledger.admit(offset, event.source, event.id, event.time.timestamp()) == "folded":
            calls.step(state, event, event.time.timestamp(), centre)
    return state


def readings(events: Iterable[CallEvent] | calls.State, now: float, centre: Centre = BOGOR) -> Said:
    """What is said at `now` (seconds after START) of these events or of the state they left."""
    state = events if isinstance(events, calls.State) else fold(events, centre)
    return said(calls.measure(state, at(now), centre))


def seat_readings(events: Iterable[OperatorEvent], talking: Iterable[str] = ()) -> Said:
    """What is said of the seats after these events while some of them are in a call."""
    state = operators.State()
    for event in events:
        operators.step(state, event, event.time.timestamp(), BOGOR)
    return said(operators.measure(state, set(talking)))


def said(spoken: Readings) -> Said:
    """Readings by metric and labels; each may be said only once."""
    found = Said()
    for metric, labels, value in spoken:
        assert len(labels) == len(metric.labels), metric.name
        assert (metric, *labels) not in found, f"{metric.name}{labels} is said twice"
        found[(metric, *labels)] = value
    return found


def _envelope(letter: str, name: str, seconds: float) -> dict[str, Any]:
    return {
        "id": f"{letter}-{name}-{seconds:g}",
        "source": SOURCE,
        "subject": BOGOR.code,
        "time": START + timedelta(seconds=seconds),
    }

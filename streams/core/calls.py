"""Calls: how many came, how long they waited, what became of each, and who waits now."""

from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import lru_cache
from math import inf
from operator import itemgetter
from typing import Any, assert_never

from schemas.callers import CallerEvent
from schemas.calls import CallClassified, CallEvent, ExchangeRestarted
from schemas.reader import encode
from schemas.topics import decode_recording
from streams.core import arrivals, callers
from streams.core.callbook import CAME, ELSEWHERE, Place, entry, mark
from streams.core.callers import Callers
from streams.core.centre import Centre
from streams.core.districts import Origins
from streams.core.forecast import Forecast
from streams.core.funnel import Funnel
from streams.core.hourly import HOUR
from streams.core.journey import SWEEP_SECONDS, Journey
from streams.core.ledger import Ledger
from streams.core.names import Strangers
from streams.core.proportion import wilson
from streams.core.reading import Metric, Reading, Readings
from streams.core.service_level import KINDS, LIMITS, OFFERED, Tally, variants
from streams.core.totals import JOURNEY_OUTCOMES, OUTCOMES, Queue

WINDOWS = {"5m": 300, "15m": 900, "60m": 3600}
"""Rolling windows in seconds; `today` stands beside them."""

FINER_SECONDS = 5
"""Where several sources tell of one exchange, so long waits what one told to the whole second for another to tell it finer."""

COARSE = 20
"""The most events that wait so; beyond it the oldest wait no longer."""


@dataclass(slots=True)
class State:
    """The calls of one centre.

    The most that it takes as it is written, in kB, each by its own bound and with the longest text: open journeys 410, the call
    book 330, the ledger 500, windows 190, callers 460 (protected 120, pranks 107, early calls 100, decisions 95, contacted 22,
    aliases 17), workload 115, queues 70, forecast 100, districts 11, patience and peaks 8, what waits 30. Together, and besides
    what the centre's file names, less than half of the largest request to Kafka.
    """

    ledger: Ledger = field(default_factory=Ledger)
    funnel: Funnel = field(default_factory=Funnel)
    callers: Callers = field(default_factory=Callers)
    forecast: Forecast = field(default_factory=Forecast)
    origins: Origins = field(default_factory=Origins)
    coarse: list[tuple[float, str]] = field(default_factory=list)
    """Events that wait for a finer clock, as JSON, and their times."""
    sweep_at: float = 0.0

    @property
    def strangers(self) -> Strangers:
        """What was told under names that the centre's file does not have, and what bounds gave up, of all parts together."""
        found = Strangers()
        for part in (self.funnel.strangers, self.callers.strangers, self.forecast.strangers):
            found.unknown |= part.unknown
            found.passed_over |= part.passed_over
        windows = (self.funnel.window, self.callers.window, self.forecast.window)
        for limit, gone in (
            ("window_seconds", sum(window.gone for window in windows)),
            ("call_book", self.funnel.book.gone),
            ("conversations", self.funnel.workload.gone),
        ):
            if gone:
                found.pass_over(limit, gone)
        return found


def step(
    state: State, event: CallEvent | ExchangeRestarted | CallerEvent, time: float, centre: Centre, *, waited: bool = False
) -> None:
    """Remember one event; `time` is its own in epoch seconds. Facts come in any order; one told twice changes nothing.

    But what was counted stays: a loss told before the answer that contradicts it is not taken back. `waited` is one that no other
    source told finer.
    """
    exchanges = centre.exchanges
    if (exchanges or state.coarse) and not waited and _waits(state, event, time, centre):
        return
    funnel = state.funnel
    if time >= state.sweep_at:
        funnel.sweep(time, centre)
        if int(time) // HOUR > funnel.patience.settled:
            funnel.patience.settle(time, state.forecast.unseen())
        state.sweep_at = time + SWEEP_SECONDS
    exchange = mark(exchanges.get(event.source, event.source) if exchanges else event.source)
    data: Any = event.data
    try:
        key, journey_id = mark(exchange, data.call), data.journey
    except AttributeError:  # of no call
        key = journey_id = ""
    if journey_id or funnel.legs:
        key, joined = funnel.key_of(key, mark(exchange, journey_id) if journey_id else key, time, centre)
        _forget_leg(state, joined, centre)
    # By its type's name, not its class: pydantic's isinstance costs as much as all the rest.
    match event.type:
        case "call.offered":
            caller = state.callers.named(data.caller, data.caller_before, funnel.book)
            journey = funnel.enter(key, exchange, time, data.queue, data.clock, data.direction or "inbound", centre)
            if journey is not None:
                _begin(state, journey, time, centre, caller, data.link, data.district)
        case "call.answered":
            seat = None if data.seat is None else centre.names.seats[data.seat]
            funnel.answer(key, exchange, time, data.queue, seat, centre)
        case "call.ended":
            seat = None if data.seat is None else centre.names.seats[data.seat]
            funnel.end(key, exchange, time, centre, data.queue, seat, data.talk_seconds)
        case "call.classified":
            _classify(state, key, event, time, centre)
        case "call.abandoned":
            funnel.lose(key, exchange, time, "abandoned", event.data.queue, centre)
        case "call.queued":
            journey = funnel.enter(key, exchange, time, event.data.queue, "queue", None, centre)
            if journey is not None:
                _begin(state, journey, time, centre)
        case "call.transferred":
            passed = event.data
            seat = None if passed.seat is None else centre.names.seats[passed.seat]
            joined = funnel.end(
                key, exchange, time, centre, passed.queue, seat, passed.talk_seconds, transferred=True, to=passed.to
            )
            _forget_leg(state, joined, centre)
        case "call.overflowed":
            funnel.lose(key, exchange, time, "overflowed", event.data.queue, centre)
        case "call.blocked":
            funnel.lose(key, exchange, time, "blocked", None, centre)
        case "call.network_dropped":
            funnel.drop(key, exchange, time, event.data.queue, centre)
        case "call.lost":
            funnel.lose_track(key, time, centre)
        case "exchange.restarted":
            funnel.restart(exchange, time, centre)
        case (
            "caller.block_recommended"
            | "caller.block_approved"
            | "caller.block_declined"
            | "caller.block_lifted"
            | "caller.contacted"
            | "caller.erased"
        ):
            if funnel.watch is not None and event.type == "caller.erased":
                funnel.watch.erased(state.callers.forms(event.data))
            if funnel.watch is not None and event.type == "caller.contacted":
                funnel.watch.contacted(state.callers.name(event.data.caller), time)
            state.callers.decide(event, time, funnel.book)
        case _:
            assert_never(event.type)


def miss(state: State, event: CallEvent | ExchangeRestarted | CallerEvent, time: float, centre: Centre) -> None:
    """An event came too late to be folded: what came in its hour is not all known."""
    if event.type in ("call.offered", "call.queued"):
        state.forecast.miss(time, centre)


def _waits(state: State, event: CallEvent | ExchangeRestarted | CallerEvent, time: float, centre: Centre) -> bool:
    """Whether an event is told to the whole second, and another source of its exchange may tell it finer: then it waits for that.
    Folds what has waited long enough.
    """
    # What an exchange told before its restart is not to begin after it, nor what a caller did come back after being erased.
    _fold_coarse(state, time if event.type in ("exchange.restarted", "caller.erased") else time - FINER_SECONDS, centre)
    if event.source not in centre.exchanges or not event.type.startswith("call."):
        return False
    # What one source lost track of, another may know.
    if time % 1 and event.type != "call.lost":
        return False
    state.coarse.append((time, encode(event).decode()))
    if len(state.coarse) > COARSE:
        _fold_coarse(state, state.coarse[0][0], centre)
    return True


def _fold_coarse(state: State, until: float, centre: Centre) -> None:
    """Fold what has waited for a finer clock and was told of moments up to `until`, in the order of those."""
    due = [told for told in state.coarse if told[0] <= until]
    if due:
        state.coarse = [told for told in state.coarse if told[0] > until]
        for time, text in sorted(due, key=itemgetter(0)):
            event: Any = decode_recording(text.encode())
            step(state, event, time, centre, waited=True)


def _begin(
    state: State,
    journey: Journey,
    time: float,
    centre: Centre,
    caller: str | None = None,
    link: str | None = None,
    district: str | None = None,
) -> None:
    """A journey of the city came: write it into the book, and count it."""
    place = state.funnel.book.enter(journey.key, time, caller)
    test = state.callers.offered(journey.key, time, place, centre)
    if test:
        _mark(state, place, centre, test=True)
    carried = state.forecast.hear(time, link, centre)
    entered = entry(CAME, 0, None if carried is None else carried.number)
    state.forecast.count(time, carried, centre, 0 if test else 1)
    if district is not None:
        state.origins.hear(journey.key, time, district, state.forecast.strangers, centre, test=test)
    if state.funnel.watch is not None:
        trunk = next((name for name, known in state.forecast.links.items() if known is carried), None)
        known = district if district in state.origins.districts.counts else None
        state.funnel.watch.came(journey, time, place, trunk, known)
    state.funnel.begin(journey, time, place.time, entered, centre, test=test)


def _classify(state: State, key: str, event: CallClassified, time: float, centre: Centre) -> None:
    """A call taker said what the call was; of one elsewhere on the exchange it is nothing to the city."""
    funnel = state.funnel
    place, journey = funnel.book.find(key), funnel.open.get(key)
    if place is None and journey is not None and journey.visit.entered is not None:
        return
    if place is not None and place.end == ELSEWHERE:
        return
    replayed = event.replayed is True
    if state.callers.classify(key, time, event.data.class_, place, centre, replayed=replayed) and place is not None:
        _mark(state, place, centre, test=place.is_test)
    if funnel.watch is not None and place is not None:
        funnel.watch.named(place)


def _mark(state: State, place: Place, centre: Centre, *, test: bool) -> None:
    """Take a journey out of every figure but those of classes, because it is a test, or bring it back."""
    state.origins.mark(place.mark, test=test)
    for what, time, number in state.funnel.mark(place, centre, test=test):
        if what == CAME:
            state.forecast.count(time, state.forecast.link(number), centre, -1 if test else 1)


def _forget_leg(state: State, key: str | None, centre: Centre) -> None:
    """What was counted as a journey is a leg of another: it leaves every figure that may fall."""
    place = None if key is None else state.funnel.book.find(key)
    if place is not None and not place.is_test:
        _mark(state, place, centre, test=True)


OFFERED_TOTAL = Metric(
    "psap_calls_offered_total",
    "counter",
    "Visits to the queue, tests too (a counter cannot fall): one journey can visit several queues, or one of them again.",
    ("queue",),
)
ENDED_TOTAL = Metric(
    "psap_calls_ended_total",
    "counter",
    "Visits to the queue by what became of them, one class each; with psap_calls_waiting they sum to offered, tests too. Who "
    "hung up is short_abandoned within short_abandon_seconds of psap_centre_threshold, and abandoned later.",
    ("queue", "outcome"),
)
WAIT_SECONDS = Metric(
    "psap_call_wait_seconds",
    "histogram",
    "Seconds of visits from the entry into the queue (psap_answer_clock_info: from the arrival, where no entry is told) "
    "to the answer (answered) or the hanging-up (abandoned, short_abandoned), tests too.",
    ("queue", "outcome"),
)
HANDLE_SECONDS = Metric(
    "psap_call_handle_seconds", "histogram", "Seconds from a seat's answer to the end or the transfer, of tests too.", ("queue",)
)
JOURNEYS_OFFERED_TOTAL = Metric(
    "psap_journeys_offered_total",
    "counter",
    "Journeys: callers' attempts to reach the centre, each once, whatever queues and seats it came through; tests too.",
)
JOURNEYS_ENDED_TOTAL = Metric(
    "psap_journeys_ended_total",
    "counter",
    "Journeys by what became of them, one class each: answered by anybody, or how lost (announcement: hung up before any queue; "
    "joined: a leg that a transfer joined to another journey); with psap_journeys_waiting they sum to offered, tests too. Who "
    "hung up in a queue is short_abandoned within short_abandon_seconds of psap_centre_threshold, and abandoned later.",
    ("outcome",),
)
JOURNEY_WAIT_SECONDS = Metric(
    "psap_journey_wait_seconds",
    "histogram",
    "Seconds of journeys from their arrival (psap_journey_clock_info: from the first queue, where no arrival is told) "
    "to the first answer (answered) or the hanging-up (abandoned, short_abandoned), tests too.",
    ("outcome",),
)
JOURNEYS_BACKWARD_TOTAL = Metric(
    "psap_journeys_backward_total",
    "counter",
    "Of psap_journeys_ended_total those told to be answered or abandoned before they came, a fault of the data: they are in no "
    "wait and in no service level. It is none within the second that the end is cut to, nor within 2 s where several sources "
    "tell of one exchange: that is a wait of 0 s.",
    ("outcome",),
)
JOURNEYS_WAITING = Metric(
    "psap_journeys_waiting",
    "gauge",
    "Callers who wait for an answer now: in the announcement, in a queue or between two; tests too.",
)
JOURNEYS_BEYOND = Metric(
    "psap_journeys_waiting_beyond",
    "gauge",
    "Callers who wait for an answer now and have for longer than threshold seconds, tests left out: missed already.",
    ("threshold",),
)
OLDEST_JOURNEY = Metric(
    "psap_oldest_waiting_journey_timestamp_seconds",
    "gauge",
    "When the caller came who waits longest, through whatever queues; absent when nobody waits.",
)
JOURNEY_CLOCK_INFO = Metric(
    "psap_journey_clock_info",
    "gauge",
    "1 for where the waiting of journeys is counted from: arrival or (the first) queue.",
    ("clock",),
)
PASSED_ON_TOTAL = Metric(
    "psap_journeys_passed_on_total",
    "counter",
    "Journeys passed on to another centre, by its code: nationally one emergency with the one that it receives.",
    ("to",),
)
PASSED_ON_TODAY = Metric(
    "psap_journeys_passed_on_today",
    "gauge",
    "Journeys passed on to another centre since local midnight, but for tests: psap_calls_today less these, of all centres, are "
    "the nation's emergencies.",
)
RESTARTS_TOTAL = Metric("psap_exchange_restarts_total", "counter", "Restarts of the exchange; each ends every call before it.")
CLOCK_INFO = Metric(
    "psap_answer_clock_info",
    "gauge",
    "1 for where waiting is counted from: arrival or queue (entry).",
    ("queue", "clock"),
)
WAITING = Metric("psap_calls_waiting", "gauge", "Callers in the queue now, waiting for an answer, tests too.", ("queue",))
OLDEST_WAITING = Metric(
    "psap_oldest_waiting_call_timestamp_seconds",
    "gauge",
    "When the longest waiting caller of the queue came to the centre, or after an answer into the queue; absent when nobody"
    " waits in it.",
    ("queue",),
)
IN_SERVICE = Metric(
    "psap_calls_in_service",
    "gauge",
    "Visits answered and not over, by the queue they came from: over when ended, or when their seat answers another call.",
    ("queue",),
)
TRANSFERRED_TOTAL = Metric(
    "psap_calls_transferred_total", "counter", "Answered visits passed on, to a seat, a queue or elsewhere.", ("queue",)
)
CUT_OFF_TOTAL = Metric("psap_calls_cut_off_total", "counter", "Answered calls that the network cut off.", ("queue",))
BACKWARD_TOTAL = Metric(
    "psap_calls_backward_total",
    "counter",
    "Visits told to end before they began, as in psap_journeys_backward_total: answered or abandoned before they came into the "
    "queue (wait), or over before they were answered (conversation): not in psap_call_wait_seconds, or not in "
    "psap_call_handle_seconds and psap_handle_seconds_mean.",
    ("queue", "part"),
)
UNENDED_TOTAL = Metric(
    "psap_calls_unended_total",
    "counter",
    "Answered calls whose end was told neither within give_up_service_seconds nor before their exchange was restarted.",
    ("queue",),
)
ANSWER_RATIO = Metric(
    "psap_answer_ratio",
    "gauge",
    "Answered / (answered + abandoned + short_abandoned + overflowed + network_dropped + lost) of journeys whose waiting ended "
    "in the window; tests left out, absent without any.",
    ("window",),
)
ANSWER_RATIO_LOWER = Metric("psap_answer_ratio_lower", "gauge", "Wilson 95 % lower bound of psap_answer_ratio.", ("window",))
ANSWER_RATIO_UPPER = Metric("psap_answer_ratio_upper", "gauge", "Wilson 95 % upper bound of psap_answer_ratio.", ("window",))
ANSWER_CALLS = Metric("psap_answer_window_calls", "gauge", "Journeys that psap_answer_ratio is about (n).", ("window",))
_SERVICE = ("variant", "threshold", "window")
SERVICE_LEVEL = Metric(
    "psap_service_level_ratio",
    "gauge",
    "Answered within threshold seconds / n, of journeys whose waiting ended in the window, tests left out and those of "
    "psap_journeys_backward_total. n by variant: inclusive all of them; nena without short_abandoned, blocked and announcement; "
    "both with who still waits for longer; answered and servicelevelperf answered; servicelevelperf2 answered + abandoned + "
    "short_abandoned, where who hung up within threshold seconds counts as met.",
    _SERVICE,
)
SERVICE_LEVEL_LOWER = Metric(
    "psap_service_level_ratio_lower", "gauge", "Wilson 95 % lower bound of psap_service_level_ratio.", _SERVICE
)
SERVICE_LEVEL_UPPER = Metric(
    "psap_service_level_ratio_upper", "gauge", "Wilson 95 % upper bound of psap_service_level_ratio.", _SERVICE
)
SERVICE_LEVEL_CALLS = Metric(
    "psap_service_level_calls", "gauge", "Journeys that psap_service_level_ratio is about (n).", _SERVICE
)
TODAY = Metric(
    "psap_calls_today",
    "gauge",
    "Journeys since local midnight, each thing on the day it happened: offered, and outcomes, one class each as in "
    "psap_journeys_ended_total. Those classified as tests are taken out.",
    ("outcome",),
)
PEAK = Metric(
    "psap_calls_waiting_peak",
    "gauge",
    "Most callers that waited at once, tests too, today (who waits at local midnight among them) or since the first event. At a "
    "whole second wait those who came in it or before and whose waiting did not end in it or before; what is told more than "
    "three minutes late makes no peak.",
    ("period",),
)
PEAK_TIME = Metric("psap_calls_waiting_peak_timestamp_seconds", "gauge", "When they first did, to the whole second.", ("period",))
UNMATCHED_TOTAL = Metric("psap_calls_unmatched_total", "counter", "Answers and losses of calls whose arrival was never told.")

METRICS = (
    JOURNEYS_OFFERED_TOTAL,
    JOURNEYS_ENDED_TOTAL,
    JOURNEY_WAIT_SECONDS,
    JOURNEYS_BACKWARD_TOTAL,
    JOURNEYS_WAITING,
    JOURNEYS_BEYOND,
    OLDEST_JOURNEY,
    JOURNEY_CLOCK_INFO,
    PASSED_ON_TOTAL,
    PASSED_ON_TODAY,
    RESTARTS_TOTAL,
    OFFERED_TOTAL,
    ENDED_TOTAL,
    WAIT_SECONDS,
    HANDLE_SECONDS,
    CLOCK_INFO,
    WAITING,
    OLDEST_WAITING,
    IN_SERVICE,
    TRANSFERRED_TOTAL,
    CUT_OFF_TOTAL,
    BACKWARD_TOTAL,
    UNENDED_TOTAL,
    ANSWER_RATIO,
    ANSWER_RATIO_LOWER,
    ANSWER_RATIO_UPPER,
    ANSWER_CALLS,
    SERVICE_LEVEL,
    SERVICE_LEVEL_LOWER,
    SERVICE_LEVEL_UPPER,
    SERVICE_LEVEL_CALLS,
    TODAY,
    PEAK,
    PEAK_TIME,
    UNMATCHED_TOTAL,
    *callers.METRICS,
    *arrivals.METRICS,
)

_NO_CALLS = Queue()


def settled(state: State, now: float, centre: Centre, *, is_all: bool = False) -> State:
    """The state at `now`: itself, or a copy in which the calls are given up that nobody will hear of again, and nothing waits any
    more for a finer clock that should have come; if that `is_all` that will ever be told, nothing waits at all.
    """
    until = inf if is_all else now - FINER_SECONDS
    is_due = any(time <= until for time, _ in state.coarse)
    if not is_due and not state.funnel.overdue(now, centre):
        return state
    funnel = deepcopy(state.funnel)
    if not is_due:
        found = replace(state, funnel=funnel)
    else:
        found = replace(state, funnel=funnel, callers=deepcopy(state.callers), forecast=deepcopy(state.forecast))
        _fold_coarse(found, until, centre)
    funnel.sweep(now, centre)
    return found


def measure(state: State, now: float, centre: Centre) -> Readings:
    """Say what is true of a settled state at `now`, even if nothing has happened for a while."""
    funnel = state.funnel
    waiting: dict[str, list[float]] = {}
    in_service: dict[str, int] = {}
    came: list[tuple[float, bool]] = []
    for journey in funnel.open.values():
        visit = journey.visit
        if journey.is_waiting and journey.arrived is not None:
            came.append((journey.arrived, journey.test))
        if visit.entered is None or not visit.queue:
            continue
        if visit.is_waiting:
            waiting.setdefault(visit.queue, []).append(
                visit.entered if not journey.is_waiting else journey.arrived or visit.entered
            )
        elif visit.is_talking:
            in_service[visit.queue] = in_service.get(visit.queue, 0) + 1
    yield from _measure_journeys(funnel, came, now, centre)
    for name in sorted({*centre.names.queues.codes, *funnel.queues}):
        yield from _measure_queue(name, funnel.queues.get(name, _NO_CALLS), waiting.get(name, []), in_service.get(name, 0), now)
    yield from _measure_rates(funnel, came, now, centre)
    for period, peak in zip(("ever", "today"), funnel.crowd.peaks(now, centre.timezone), strict=True):
        yield PEAK, (period,), peak.calls
        if peak.calls:
            yield PEAK_TIME, (period,), min(now, peak.time)
    yield UNMATCHED_TOTAL, (), funnel.unmatched
    yield from callers.measure(state.callers, funnel.book, now)
    yield from arrivals.measure(state.forecast, now, centre)
    yield from state.strangers.measure()


def talking(state: State) -> dict[str, float]:
    """The seats that are in a call as a settled state knows, each with when it answered, epoch seconds."""
    since: dict[str, float] = {}
    for journey in state.funnel.open.values():
        visit = journey.visit
        if visit.seat is not None and visit.is_talking and visit.answered is not None:
            since[visit.seat] = min(visit.answered, since.get(visit.seat, visit.answered))
    return since


def _measure_journeys(funnel: Funnel, came: list[tuple[float, bool]], now: float, centre: Centre) -> Readings:
    totals = funnel.journeys
    yield JOURNEYS_OFFERED_TOTAL, (), totals.offered
    for outcome in JOURNEY_OUTCOMES:
        yield JOURNEYS_ENDED_TOTAL, (outcome,), totals.ended.get(outcome, 0)
        waits = totals.waits(outcome)
        if waits is not None:
            yield JOURNEY_WAIT_SECONDS, (outcome,), waits
    for outcome in ("answered", "abandoned"):
        yield JOURNEYS_BACKWARD_TOTAL, (outcome,), totals.backward.get(outcome, 0)
    if totals.offered:
        yield JOURNEY_CLOCK_INFO, (totals.clock,), 1
    yield JOURNEYS_WAITING, (), len(came)
    for limit in sorted({*LIMITS, centre.thresholds.service_level_seconds}):
        yield JOURNEYS_BEYOND, (f"{limit:g}",), _beyond(came, now, limit)
    if came:
        yield OLDEST_JOURNEY, (), min(now, *(time for time, _ in came))
    for to, n in sorted(totals.passed_on.items()):
        yield PASSED_ON_TOTAL, (to,), n
    yield PASSED_ON_TODAY, (), totals.passed_on_day.at(now, 1)[0]
    yield RESTARTS_TOTAL, (), totals.restarts


def _beyond(came: list[tuple[float, bool]], now: float, limit: float) -> int:
    """How many of those who wait have for longer than so many seconds, tests left out."""
    return sum(not test and now - time > limit for time, test in came)


def _measure_queue(name: str, queue: Queue, waiting: list[float], in_service: int, now: float) -> Readings:
    label = (name,)
    yield OFFERED_TOTAL, label, queue.offered
    for outcome in OUTCOMES:
        yield ENDED_TOTAL, (name, outcome), queue.ended.get(outcome, 0)
        waits = queue.waits(outcome)
        if waits is not None:
            yield WAIT_SECONDS, (name, outcome), waits
    yield HANDLE_SECONDS, label, queue.handle
    if queue.offered:
        yield CLOCK_INFO, (name, queue.clock), 1
    yield WAITING, label, len(waiting)
    if waiting:
        yield OLDEST_WAITING, label, min(now, *waiting)
    yield IN_SERVICE, label, in_service
    yield TRANSFERRED_TOTAL, label, queue.transferred
    yield CUT_OFF_TOTAL, label, queue.cut_off
    yield BACKWARD_TOTAL, (name, "wait"), sum(queue.backward.values())
    yield BACKWARD_TOTAL, (name, "conversation"), queue.handle_backward
    yield UNENDED_TOTAL, label, queue.unended


def _measure_rates(funnel: Funnel, came: list[tuple[float, bool]], now: float, centre: Centre) -> Readings:
    beyond = tuple(_beyond(came, now, limit) for limit in LIMITS)
    rolling = funnel.window.counts(now, tuple(WINDOWS.values()), KINDS)
    counts_today = funnel.day.at(now, KINDS)
    tallies = {name: Tally.of(counts) for name, counts in zip(WINDOWS, rolling, strict=True)}
    tallies["today"] = today = Tally.of(counts_today)
    for window, tally in tallies.items():
        yield from _rates(window, tally, centre.thresholds.service_level_seconds, beyond)
    yield TODAY, ("offered",), counts_today[OFFERED]
    yield TODAY, ("answered",), today.answered
    yield TODAY, ("abandoned",), today.abandoned
    yield TODAY, ("short_abandoned",), today.short
    yield TODAY, ("overflowed",), today.overflowed
    yield TODAY, ("network_dropped",), today.network_dropped
    yield TODAY, ("blocked",), today.blocked
    yield TODAY, ("lost",), today.lost
    yield TODAY, ("announcement",), today.announcement


@lru_cache(maxsize=4096)
def _rates(window: str, tally: Tally, level: float, beyond: tuple[int, ...]) -> tuple[Reading, ...]:
    """All ratios of one window. Kept, because from one scrape to the next most windows of most centres stay as they are."""
    readings: list[Reading] = [(ANSWER_CALLS, (window,), tally.unblocked)]
    if tally.unblocked:
        lower, upper = wilson(tally.answered, tally.unblocked)
        readings += [
            (ANSWER_RATIO, (window,), tally.answered / tally.unblocked),
            (ANSWER_RATIO_LOWER, (window,), lower),
            (ANSWER_RATIO_UPPER, (window,), upper),
        ]
    for variant, threshold, good, n in variants(tally, level, beyond):
        labels = (variant, threshold, window)
        readings.append((SERVICE_LEVEL_CALLS, labels, n))
        if n:
            lower, upper = wilson(good, n)
            readings += [
                (SERVICE_LEVEL, labels, good / n),
                (SERVICE_LEVEL_LOWER, labels, lower),
                (SERVICE_LEVEL_UPPER, labels, upper),
            ]
    return tuple(readings)

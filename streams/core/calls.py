"""Calls: how many came, how long they waited, what became of each, and who waits now."""

from copy import deepcopy
from dataclasses import dataclass, field
from functools import lru_cache
from typing import assert_never

from schemas.callers import CallerEvent
from schemas.calls import CallEvent, ExchangeRestarted
from streams.core import callers, forecast
from streams.core.callbook import CAME, Book, Place, entry, shortened
from streams.core.callers import Callers
from streams.core.centre import Centre
from streams.core.forecast import Forecast
from streams.core.funnel import OUTCOMES, SWEEP_SECONDS, Funnel, Peak, Queue
from streams.core.ledger import Ledger
from streams.core.names import Strangers
from streams.core.proportion import wilson
from streams.core.reading import Metric, Reading, Readings
from streams.core.service_level import KINDS, OFFERED, Tally, variants
from streams.core.window import midnights

WINDOWS = {"5m": 300, "15m": 900, "60m": 3600}
"""Rolling windows in seconds; `today` stands beside them."""


@dataclass(slots=True)
class State:
    """The calls of one centre.

    The most that it takes as it is written, in kB, each by its own bound and with the longest text: open calls 400, the call
    book 350, the ledger 500, windows 160, callers 460 (protected 120, pranks 120, early calls 100, decisions 95, contacted 22),
    workload 115, queues 56, forecast 20. Together, and besides what the centre's file names, less than half of the largest
    request to Kafka.
    """

    ledger: Ledger = field(default_factory=Ledger)
    funnel: Funnel = field(default_factory=Funnel)
    callers: Callers = field(default_factory=Callers)
    forecast: Forecast = field(default_factory=Forecast)
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


def step(state: State, event: CallEvent | ExchangeRestarted | CallerEvent, time: float, centre: Centre) -> None:
    """Remember one event; `time` is its own in epoch seconds. Facts come in any order; one told twice changes nothing.

    But what was counted stays: a loss told before the answer that contradicts it is not taken back.
    """
    funnel = state.funnel
    if time >= state.sweep_at:
        funnel.sweep(time, centre)
        state.sweep_at = time + SWEEP_SECONDS
    book = funnel.book
    # By its type's name, not its class: pydantic's isinstance costs as much as all the rest.
    match event.type:
        case "call.offered":
            data = event.data
            name = data.call
            place = book.enter(name, time, None if data.caller is None else shortened(data.caller))
            if place is None:
                after, test = _again(book, name, time)
            else:
                after, test = 0, state.callers.offered(name, time, place, centre)
                if test:
                    _mark(state, name, place, centre, test=True)
            link = state.forecast.hear(time, data.link, centre)
            entered = entry(CAME, after) if link is None else f"{entry(CAME, after)}/{link.number}"
            if funnel.offer(name, time, data.queue, data.clock, centre, entered, test=test):
                state.forecast.count(time, link, 0 if test else 1)
        case "call.answered":
            name, seat = event.data.call, event.data.seat
            funnel.answer(name, time, None if seat is None else centre.names.seats[seat], centre)
            state.callers.answered(name, time, book.find(name))
        case "call.ended":
            funnel.end(event.data.call, time, centre)
        case "call.abandoned":
            name = event.data.call
            funnel.lose(name, time, "abandoned", centre)
            state.callers.abandoned(name, time, book.find(name), centre)
        case "call.queued":
            name = event.data.call
            after, test = _again(book, name, time)
            funnel.offer(name, time, event.data.queue, "queue", centre, entry(OFFERED, after), test=test)
        case "call.transferred":
            funnel.end(event.data.call, time, centre, transferred=True)
        case "call.overflowed":
            name = event.data.call
            funnel.lose(name, time, "overflowed", centre)
            state.callers.lost(name, time, book.find(name))
        case "call.classified":
            name = event.data.call
            place = book.find(name)
            replayed = event.replayed is True
            if state.callers.classify(name, time, event.data.class_, place, centre, replayed=replayed) and place is not None:
                _mark(state, name, place, centre, test=place.is_test)
        case "call.blocked":
            funnel.lose(event.data.call, time, "blocked", centre)
        case "call.network_dropped":
            name = event.data.call
            funnel.drop(name, time, centre)
            state.callers.lost(name, time, book.find(name))
        case "exchange.restarted":
            pass
        case (
            "caller.block_recommended"
            | "caller.block_approved"
            | "caller.block_declined"
            | "caller.block_lifted"
            | "caller.contacted"
        ):
            state.callers.decide(event, time)
        case _:
            assert_never(event.type)


def _again(book: Book, name: str, time: float) -> tuple[int, bool]:
    """Of a call that came before: so many seconds ago, and whether it is a test."""
    place = book.find(name)
    return (0, False) if place is None else (int(time) - place.time, place.is_test)


def _mark(state: State, name: str, place: Place, centre: Centre, *, test: bool) -> None:
    """Take a call out of every figure but those of classes, because it is a test, or bring it back."""
    for what, time, link in state.funnel.mark(name, place, centre, test=test):
        if what == CAME:
            state.forecast.count(time, state.forecast.link(link), -1 if test else 1)


OFFERED_TOTAL = Metric(
    "psap_calls_offered_total",
    "counter",
    "Calls that reached the centre, tests too (a counter cannot fall): psap_calls_classified_total has how many.",
    ("queue",),
)
ENDED_TOTAL = Metric(
    "psap_calls_ended_total",
    "counter",
    "Offered calls by what became of them, one class each (abandoned: without short ones); "
    "with psap_calls_waiting they sum to offered, tests too.",
    ("queue", "outcome"),
)
WAIT_SECONDS = Metric(
    "psap_call_wait_seconds",
    "histogram",
    "Seconds from arrival to the answer or the hanging-up (short ones and tests too); "
    "psap_answer_clock_info says where the clock starts.",
    ("queue", "outcome"),
)
HANDLE_SECONDS = Metric(
    "psap_call_handle_seconds", "histogram", "Seconds from the answer to the end or the transfer, of tests too.", ("queue",)
)
CLOCK_INFO = Metric(
    "psap_answer_clock_info",
    "gauge",
    "1 for where waiting is counted from: arrival or queue (entry).",
    ("queue", "clock"),
)
WAITING = Metric("psap_calls_waiting", "gauge", "Calls waiting for an answer now, tests too.", ("queue",))
OLDEST_WAITING = Metric(
    "psap_oldest_waiting_call_timestamp_seconds",
    "gauge",
    "When the longest waiting call came; absent when nobody waits.",
    ("queue",),
)
IN_SERVICE = Metric("psap_calls_in_service", "gauge", "Answered calls that have not ended.", ("queue",))
TRANSFERRED_TOTAL = Metric("psap_calls_transferred_total", "counter", "Answered calls passed on.", ("queue",))
CUT_OFF_TOTAL = Metric("psap_calls_cut_off_total", "counter", "Answered calls that the network cut off.", ("queue",))
UNENDED_TOTAL = Metric("psap_calls_unended_total", "counter", "Answered calls whose end was never told.", ("queue",))
ANSWER_RATIO = Metric(
    "psap_answer_ratio",
    "gauge",
    "Answered / (answered + abandoned + overflowed + network_dropped + lost) of calls whose waiting ended in the window; "
    "tests left out, absent without any.",
    ("window",),
)
ANSWER_RATIO_LOWER = Metric("psap_answer_ratio_lower", "gauge", "Wilson 95 % lower bound of psap_answer_ratio.", ("window",))
ANSWER_RATIO_UPPER = Metric("psap_answer_ratio_upper", "gauge", "Wilson 95 % upper bound of psap_answer_ratio.", ("window",))
ANSWER_CALLS = Metric("psap_answer_window_calls", "gauge", "Calls that psap_answer_ratio is about (n).", ("window",))
_SERVICE = ("variant", "threshold", "window")
SERVICE_LEVEL = Metric(
    "psap_service_level_ratio",
    "gauge",
    "Answered within threshold seconds / n, of calls whose waiting ended in the window, tests left out. n by variant: "
    "nena offered without short abandons and blocked; answered, servicelevelperf answered; inclusive offered; "
    "servicelevelperf2 answered + abandoned, where early abandons count as met.",
    _SERVICE,
)
SERVICE_LEVEL_LOWER = Metric(
    "psap_service_level_ratio_lower", "gauge", "Wilson 95 % lower bound of psap_service_level_ratio.", _SERVICE
)
SERVICE_LEVEL_UPPER = Metric(
    "psap_service_level_ratio_upper", "gauge", "Wilson 95 % upper bound of psap_service_level_ratio.", _SERVICE
)
SERVICE_LEVEL_CALLS = Metric("psap_service_level_calls", "gauge", "Calls that psap_service_level_ratio is about (n).", _SERVICE)
TODAY = Metric(
    "psap_calls_today",
    "gauge",
    "Since local midnight, each thing on the day it happened: offered, and outcomes "
    "(abandoned: all; short_abandoned: of which short). Calls classified as tests are taken out.",
    ("outcome",),
)
PEAK = Metric(
    "psap_calls_waiting_peak", "gauge", "Most calls that waited at once, tests too, today or since the first event.", ("period",)
)
PEAK_TIME = Metric("psap_calls_waiting_peak_timestamp_seconds", "gauge", "When they first did.", ("period",))
UNMATCHED_TOTAL = Metric("psap_calls_unmatched_total", "counter", "Answers and losses of calls whose arrival was never told.")

METRICS = (
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
    *forecast.METRICS,
)

_NO_CALLS = Queue()


def settled(state: State, now: float, centre: Centre) -> Funnel:
    """The funnel at `now`: itself, or a copy in which the calls that nobody will hear of again are given up."""
    funnel = state.funnel
    if funnel.overdue(now, centre):
        funnel = deepcopy(funnel)
        funnel.sweep(now, centre)
    return funnel


def measure(state: State, now: float, centre: Centre) -> Readings:
    """Say what is true at `now`, even if nothing has happened for a while."""
    funnel = settled(state, now, centre)
    waiting: dict[str, list[float]] = {}
    in_service: dict[str, int] = {}
    for call in funnel.open.values():
        if call.offered is not None and call.answered is None:
            waiting.setdefault(call.queue, []).append(call.offered)
        elif call.offered is not None:
            in_service[call.queue] = in_service.get(call.queue, 0) + 1
    for name in sorted({*centre.names.queues.codes, *funnel.queues}):
        yield from _measure_queue(name, funnel.queues.get(name, _NO_CALLS), waiting.get(name, []), in_service.get(name, 0), now)
    yield from _measure_rates(funnel, now, centre)
    yield PEAK, ("ever",), funnel.peak.calls
    if funnel.peak.calls:
        yield PEAK_TIME, ("ever",), min(now, funnel.peak.time)
    today = funnel.peak_today
    if not funnel.day.start <= now < funnel.day.end:
        today = Peak(funnel.waiting, midnights(now, centre.timezone)[0])
    yield PEAK, ("today",), today.calls
    if today.calls:
        yield PEAK_TIME, ("today",), min(now, today.time)
    yield UNMATCHED_TOTAL, (), funnel.unmatched
    yield from callers.measure(state.callers, funnel.book, now)
    yield from forecast.measure(state.forecast, now)
    yield from state.strangers.measure()


def talking(state: State, now: float, centre: Centre) -> dict[str, float]:
    """The seats that are in a call at `now`, each with when it answered, epoch seconds."""
    since: dict[str, float] = {}
    for call in settled(state, now, centre).open.values():
        if call.seat is not None and call.answered is not None and call.ended is None:
            since[call.seat] = min(call.answered, since.get(call.seat, call.answered))
    return since


def _measure_queue(name: str, queue: Queue, waiting: list[float], in_service: int, now: float) -> Readings:
    label = (name,)
    yield OFFERED_TOTAL, label, queue.offered
    for outcome in OUTCOMES:
        yield ENDED_TOTAL, (name, outcome), queue.ended.get(outcome, 0)
    yield WAIT_SECONDS, (name, "answered"), queue.wait_answered
    yield WAIT_SECONDS, (name, "abandoned"), queue.wait_abandoned
    yield HANDLE_SECONDS, label, queue.handle
    if queue.offered:
        yield CLOCK_INFO, (name, queue.clock), 1
    yield WAITING, label, len(waiting)
    if waiting:
        yield OLDEST_WAITING, label, min(now, *waiting)
    yield IN_SERVICE, label, in_service
    yield TRANSFERRED_TOTAL, label, queue.transferred
    yield CUT_OFF_TOTAL, label, queue.cut_off
    yield UNENDED_TOTAL, label, queue.unended


def _measure_rates(funnel: Funnel, now: float, centre: Centre) -> Readings:
    rolling = funnel.window.counts(now, tuple(WINDOWS.values()), KINDS)
    counts_today = funnel.day.at(now, KINDS)
    tallies = {name: Tally.of(counts) for name, counts in zip(WINDOWS, rolling, strict=True)}
    tallies["today"] = today = Tally.of(counts_today)
    for window, tally in tallies.items():
        yield from _rates(window, tally, centre.thresholds.service_level_seconds)
    yield TODAY, ("offered",), counts_today[OFFERED]
    yield TODAY, ("answered",), today.answered
    yield TODAY, ("abandoned",), today.abandoned
    yield TODAY, ("short_abandoned",), today.short
    yield TODAY, ("overflowed",), today.overflowed
    yield TODAY, ("network_dropped",), today.network_dropped
    yield TODAY, ("blocked",), today.blocked
    yield TODAY, ("lost",), today.lost


@lru_cache(maxsize=4096)
def _rates(window: str, tally: Tally, level: float) -> tuple[Reading, ...]:
    """All ratios of one window. Kept, because from one scrape to the next most windows of most centres stay as they are."""
    readings: list[Reading] = [(ANSWER_CALLS, (window,), tally.unblocked)]
    if tally.unblocked:
        lower, upper = wilson(tally.answered, tally.unblocked)
        readings += [
            (ANSWER_RATIO, (window,), tally.answered / tally.unblocked),
            (ANSWER_RATIO_LOWER, (window,), lower),
            (ANSWER_RATIO_UPPER, (window,), upper),
        ]
    for variant, threshold, good, n in variants(tally, level):
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

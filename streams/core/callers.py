"""Callers: what share is nuisance, whom a person should look at, and who hung up and was never heard again. Pseudonyms only."""

from bisect import bisect_right, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from typing import assert_never

from schemas.callers import CallerEvent, Erased
from streams.core.aliases import Aliases
from streams.core.blocks import DAY, PRANK_CALLERS, PRANKS, PRANKS_EACH, RECORDS, REMEMBERED, Recommendation, Record, evidence
from streams.core.callbook import Book, Place, index, pseudonym, replaced, shortened
from streams.core.centre import Centre
from streams.core.classes import CLASSES
from streams.core.hourly import HOUR
from streams.core.ledger import LATENESS
from streams.core.names import Strangers
from streams.core.proportion import wilson
from streams.core.reading import Metric, Readings
from streams.core.window import Day, Window, kinds

_KIND: dict[str, int] = {name: kind for kind, name in enumerate(CLASSES)}
_WITH_CALLER, _WITHOUT_CALLER = len(CLASSES), len(CLASSES) + 1
_KINDS = kinds(len(CLASSES) + 2)

WINDOWS = {"60m": 3_600}
"""The rolling window in seconds; `today` stands beside it."""

REPEATS = 3
"""A caller who comes so often within 24 hours is a repeat caller, whatever the reason."""

CALLBACK_SECONDS = 4 * 3_600
"""How long somebody who was not answered stays on the list of those to be called back."""

PROTECTED = 20_000
"""The most callers remembered as having had a real incident. None is ever forgotten; once there are so many, nobody is
recommended for a block any more, because somebody real could be among those not remembered."""

_PROTECTED = 6
"""Characters (36 bits) kept of each. Somebody else with the same ones, which is one in three million, is protected too."""

EARLY = 500
"""The most calls remembered whose class was told before their arrival."""

CONTACTED = 500
"""The most callers remembered as called back."""

_UNKNOWN = "." * _PROTECTED
"""Stands, once the list is full, for one who left it: that somebody real may be missing from it stays true."""

_NO_RECORD = Record()


@dataclass(slots=True)
class Early:
    """What a call was said to be before its arrival was told, which is kept as long as an event may be late."""

    heard: float
    class_: str | None = None
    classified: float = 0.0
    real: bool = False
    """Whether it was ever said to be normal."""


@dataclass(slots=True)
class Callers:
    """The callers of one centre, as far as the last days remember them. Part of the state of calls."""

    classified: dict[str, int] = field(default_factory=dict)
    strangers: Strangers = field(default_factory=Strangers)
    window: Window = field(default_factory=Window)
    day: Day = field(default_factory=Day)
    early: dict[str, Early] = field(default_factory=dict)
    contacted: dict[str, float] = field(default_factory=dict)
    pranks: dict[str, list[int]] = field(default_factory=dict)
    """By caller with a prank in the last 24 hours, when those of the last 48 came; ascending."""
    records: dict[str, Record] = field(default_factory=dict)
    protected: str = ""
    aliases: Aliases = field(default_factory=Aliases)
    replayed: float = 0.0
    """When the newest call was classified that a recording told of."""

    def offered(self, call: str, time: float, place: Place, centre: Centre) -> bool:
        """A call arrived, and has just got its place in the book. Says whether it is known to be a test."""
        if len(place.lines) == 1:  # the first of its hour
            self.pranks = {name: times for name, times in self.pranks.items() if times and times[-1] > time - DAY - HOUR}
        self._count_today(time, _WITH_CALLER if place.has_caller else _WITHOUT_CALLER, 1, centre)
        early = self.early.pop(call, None)
        if early is None:
            return False
        if early.class_ is not None:
            self._count(early.classified, early.class_, -1, centre)
            self._classify(place, None, early.class_, centre)
        if early.real:
            self._protect(place.caller)
        return place.is_test

    def classify(self, call: str, time: float, word: str, place: Place | None, centre: Centre, *, replayed: bool = False) -> bool:
        """A call taker said what the call was. It counts where the call came, or now if its arrival was never told.

        Of a call that is still in the book the class told last stands; once it has left, a class counts anew. But a caller of
        whom a call was once said to be normal stays protected. Says whether it was news of a call in the book that it is a
        test, or none.
        """
        class_ = centre.names.classes[word]
        if class_ not in _KIND:
            class_ = self.strangers.label("class", word, centre.names.classes)
        if replayed:
            self.replayed = max(self.replayed, time)
        if place is None:
            early = self._hear(call, time)
            if early.class_ == class_:
                return False
            if early.class_ is None:
                early.classified = time
            else:
                self._count(early.classified, early.class_, -1, centre)
            early.class_, early.real = class_, early.real or class_ == "normal"
            self._count(early.classified, class_, 1, centre)
            self.classified[class_] = self.classified.get(class_, 0) + 1
            return False
        before = place.class_
        if before == class_:
            return False
        self._classify(place, before, class_, centre)
        self.classified[class_] = self.classified.get(class_, 0) + 1
        return "test" in (before, class_)

    def named(self, caller: str | None, before: str | None, book: Book) -> str | None:
        """What is remembered calls the caller whose pseudonym that is, and under the key `before` that one; None for nobody.

        Once both are told, what was remembered under the one is under the other.
        """
        if caller is None:
            return None
        name = shortened(caller)
        if before is not None and (joined := self.aliases.join(shortened(before), name)) is not None:
            self._rename(*joined)
            book.rename(*joined)
        return self.aliases.name(name)

    def name(self, caller: str) -> str:
        """What everything that is remembered calls the caller whose pseudonym that is."""
        return self.aliases.name(shortened(caller))

    def forms(self, said: Erased) -> set[str]:
        """How all names begin that calls of somebody who is to be forgotten can stand under, as told and as remembered since."""
        told = {shortened(name) for name in (said.caller, said.caller_before) if name is not None}
        return self.aliases.forms(told | {self.aliases.name(name) for name in told})

    def decide(self, event: CallerEvent, time: float, book: Book) -> None:
        """Something was recommended, decided or done about a caller."""
        caller = self.name(event.data.caller)
        match event.type:
            case "caller.block_recommended":
                record = self._record(caller, time)
                record.told = max(record.told, event.data.until.timestamp())
            case "caller.block_approved":
                self._record(caller, time).approve(time, event.data.stage, event.data.expires.timestamp())
            case "caller.block_declined":
                record = self._record(caller, time)
                record.decided = max(record.decided, time)
            case "caller.block_lifted":
                self._record(caller, time).lift(time)
            case "caller.contacted":
                self._contact(caller, time)
            case "caller.erased":
                before = event.data.caller_before
                for name in {caller, caller if before is None else self.aliases.name(shortened(before))}:
                    self._forget(name)
                    book.erase(name)
            case _:
                assert_never(event.type)

    def is_protected(self, caller: str) -> bool:
        """Whether a call of that caller was ever said to be normal, or nobody can say any more."""
        return len(self.protected) >= PROTECTED * _PROTECTED or index(self.protected, caller[:_PROTECTED]) >= 0

    def _classify(self, place: Place, before: str | None, class_: str, centre: Centre) -> None:
        time, caller = place.time, place.caller
        if before is not None:
            self._count(time, before, -1, centre)
        place.write_class(class_)
        self._count(time, class_, 1, centre)
        if "test" in (before, class_):
            self._count_today(time, _WITH_CALLER if place.has_caller else _WITHOUT_CALLER, 1 if before == "test" else -1, centre)
        if not caller:
            return
        if before == "prank" and time in (times := self.pranks.get(caller, [])):
            times.remove(time)
        if class_ == "prank":
            self._add_prank(caller, time)
        elif class_ == "normal":
            self._protect(caller)

    def _protect(self, caller: str) -> None:
        if caller and not self.is_protected(caller):
            self.protected += caller[:_PROTECTED]

    def _add_prank(self, caller: str, time: int) -> None:
        times = self.pranks.get(caller)
        if times is None:
            if len(self.pranks) >= PRANK_CALLERS:
                del self.pranks[next(iter(self.pranks))]
                self.strangers.pass_over("pranks")
            times = self.pranks[caller] = []
        insort(times, time)
        _keep_newest(times)

    def _rename(self, old: str, new: str) -> None:
        """What is remembered of a caller under an old name is so under a new one, together with what is there already."""
        if times := self.pranks.pop(old, None):
            self.pranks[new] = sorted(times + self.pranks.get(new, []))
            _keep_newest(self.pranks[new])
        if record := self.records.pop(old, None):
            self.records[new] = record.joined(self.records.get(new, _NO_RECORD))
        if when := self.contacted.pop(old, None):
            self.contacted[new] = max(when, self.contacted.get(new, when))
        if index(self.protected, old[:_PROTECTED]) >= 0:
            self._leave_protected(old, "" if index(self.protected, new[:_PROTECTED]) >= 0 else new[:_PROTECTED])

    def _forget(self, caller: str) -> None:
        for known in (self.pranks, self.records, self.contacted):
            known.pop(caller, None)
        self._leave_protected(caller, "")
        self.aliases.forget(caller)

    def _leave_protected(self, caller: str, to: str) -> None:
        is_full = len(self.protected) >= PROTECTED * _PROTECTED
        self.protected = replaced(self.protected, caller[:_PROTECTED], to or _UNKNOWN * is_full)

    def _count(self, time: float, class_: str, n: int, centre: Centre) -> None:
        kind = _KIND[class_]
        self.window.add(time, kind, n)
        self._count_today(time, kind, n, centre)

    def _count_today(self, time: float, kind: int, n: int, centre: Centre) -> None:
        if time >= self.day.end:
            self.day.begin(time, centre.timezone, _KINDS)
        self.day.add(time, kind, n)

    def _hear(self, call: str, time: float) -> Early:
        early = self.early.get(call)
        if early is None:
            while self.early and next(iter(self.early.values())).heard < time - LATENESS:
                del self.early[next(iter(self.early))]
            if len(self.early) >= EARLY:
                del self.early[next(iter(self.early))]
                self.strangers.pass_over("early_calls")
            early = self.early[call] = Early(heard=time)
        return early

    def _record(self, caller: str, time: float) -> Record:
        record = self.records.get(caller)
        if record is None:
            self.records = {name: old for name, old in self.records.items() if old.newest > time - REMEMBERED}
            if len(self.records) >= RECORDS:
                del self.records[min(self.records, key=lambda name: self.records[name].newest)]
                self.strangers.pass_over("caller_records")
            record = self.records[caller] = Record()
        return record

    def _contact(self, caller: str, time: float) -> None:
        horizon = time - CALLBACK_SECONDS - LATENESS
        self.contacted = {name: when for name, when in self.contacted.items() if when > horizon}
        if caller not in self.contacted and len(self.contacted) >= CONTACTED:
            del self.contacted[min(self.contacted, key=lambda name: self.contacted[name])]
            self.strangers.pass_over("callers_contacted")
        self.contacted[caller] = max(time, self.contacted.get(caller, time))


def _keep_newest(times: list[int]) -> None:
    while len(times) > PRANKS_EACH or times[0] <= times[-1] - 2 * DAY:
        del times[0]


def recommend(callers: Callers, now: float) -> Iterator[Recommendation]:
    """The callers whom a person should decide about: 3 pranks within 24 hours since the last decision, and nothing real ever.

    Calls of every other class, ghost above all, count for nothing.
    """
    for caller, record, (pranks, since, last) in sorted(_undecided(callers, now), key=itemgetter(0)):
        yield Recommendation(pseudonym(caller), record.next_stage(now), pranks, since, last + DAY)


def _undecided(callers: Callers, now: float) -> Iterator[tuple[str, Record, tuple[int, int, int]]]:
    """Whom to recommend, as the book names callers and in no order, with record and evidence."""
    for caller, times in callers.pranks.items():
        if len(times) < PRANKS or times[-1] <= now - DAY:
            continue
        record = callers.records.get(caller, _NO_RECORD)
        is_all = not record.decided and times[-1] <= now
        found = evidence(times if is_all else times[bisect_right(times, record.decided) : bisect_right(times, now)], now)
        if found and not record.is_active(now) and not callers.is_protected(caller):
            yield caller, record, found


def due(callers: Callers, now: float) -> Iterator[Recommendation]:
    """Those recommendations that were not told as an event yet; none because of what a recording told."""
    for found in recommend(callers, now):
        record = callers.records.get(shortened(found.caller), _NO_RECORD)
        if found.since > callers.replayed and not record.is_told(now):
            yield found


def callbacks(callers: Callers, book: Book, now: float) -> dict[str, list[int]]:
    """By caller (32 hexadecimal digits), the times of the calls of the last 4 hours that were not answered: neither they nor a
    later one of the same caller, nor did the centre reach the caller since. Longest waiting first.
    """
    missed: dict[str, list[int]] = {}
    for caller, came in book.lost(now, CALLBACK_SECONDS).items():
        heard = max([callers.contacted.get(caller, 0.0), *(time for time, answered in came if answered)])
        if times := [time for time, answered in came if not answered and time >= heard]:
            missed[caller] = times
    return {pseudonym(caller): times for caller, times in sorted(missed.items(), key=lambda item: item[1][0])}


CLASSIFIED_TOTAL = Metric(
    "psap_calls_classified_total",
    "counter",
    "Calls by what they turned out to be; one said to be something else later counts there too.",
    ("class",),
)
CLASS_RATIO = Metric(
    "psap_calls_class_ratio",
    "gauge",
    "Calls of the class / calls of any class, each of the class that it was last said to be, of those that came in the window "
    "(to the second before); absent without any. Ghost (silent) is not prank.",
    ("class", "window"),
)
CLASS_RATIO_LOWER = Metric(
    "psap_calls_class_ratio_lower", "gauge", "Wilson 95 % lower bound of psap_calls_class_ratio.", ("class", "window")
)
CLASS_RATIO_UPPER = Metric(
    "psap_calls_class_ratio_upper", "gauge", "Wilson 95 % upper bound of psap_calls_class_ratio.", ("class", "window")
)
CLASSIFIED_CALLS = Metric("psap_classified_window_calls", "gauge", "Calls that psap_calls_class_ratio is about (n).", ("window",))
UNKNOWN_RATIO = Metric(
    "psap_caller_unknown_ratio",
    "gauge",
    "Calls without a caller / calls that came in the window, tests left out; absent without any.",
    ("window",),
)
UNKNOWN_RATIO_LOWER = Metric(
    "psap_caller_unknown_ratio_lower", "gauge", "Wilson 95 % lower bound of psap_caller_unknown_ratio.", ("window",)
)
UNKNOWN_RATIO_UPPER = Metric(
    "psap_caller_unknown_ratio_upper", "gauge", "Wilson 95 % upper bound of psap_caller_unknown_ratio.", ("window",)
)
UNKNOWN_CALLS = Metric("psap_caller_window_calls", "gauge", "Calls that psap_caller_unknown_ratio is about (n).", ("window",))
REPEAT_CALLERS = Metric(
    "psap_repeat_callers",
    "gauge",
    "Callers who came 3 times or more in this hour of the clock (UTC) and the 23 before, tests left out; absent where callers "
    "are not told.",
    ("window",),
)
CALLBACKS_OPEN = Metric(
    "psap_callbacks_open",
    "gauge",
    "Callers who came in the last 4 hours (to the second before) and were not answered, not when they came later either, and not "
    "called back since. Left out are hanging up within short_abandon_seconds, tests, blocked and lost calls but for those "
    "that a restart of the exchange lost.",
)
OLDEST_CALLBACK = Metric(
    "psap_oldest_callback_timestamp_seconds",
    "gauge",
    "When the longest waiting of psap_callbacks_open first called in vain, to the second below; absent without any.",
)
RECOMMENDATIONS_OPEN = Metric(
    "psap_block_recommendations_open",
    "gauge",
    "Callers about whom a person has to decide: a prank in the last 24 h is at least the third within 24 h since the last "
    "decision; not blocked now, and no call ever said to be normal.",
)
BLOCKS_ACTIVE = Metric("psap_blocks_active", "gauge", "Callers blocked now: approved by a person, neither lifted nor expired.")
CALLERS_PROTECTED = Metric(
    "psap_callers_protected",
    "gauge",
    "Callers never to be blocked because one call was ever said to be normal; at 20000 nobody is recommended any more.",
)

METRICS: tuple[Metric, ...] = (
    CLASSIFIED_TOTAL,
    CLASS_RATIO,
    CLASS_RATIO_LOWER,
    CLASS_RATIO_UPPER,
    CLASSIFIED_CALLS,
    UNKNOWN_RATIO,
    UNKNOWN_RATIO_LOWER,
    UNKNOWN_RATIO_UPPER,
    UNKNOWN_CALLS,
    REPEAT_CALLERS,
    CALLBACKS_OPEN,
    OLDEST_CALLBACK,
    RECOMMENDATIONS_OPEN,
    BLOCKS_ACTIVE,
    CALLERS_PROTECTED,
)


def measure(callers: Callers, book: Book, now: float) -> Readings:
    """Say what is true at `now`."""
    for name, n in sorted(callers.classified.items()):
        yield CLASSIFIED_TOTAL, (name,), n
    today = callers.day.at(now, _KINDS)
    rolling = callers.window.counts(now, tuple(WINDOWS.values()), _KINDS)
    for window, counts in (*zip(WINDOWS, rolling, strict=True), ("today", today)):
        n = sum(counts[: len(CLASSES)])
        yield CLASSIFIED_CALLS, (window,), n
        if n:
            for name, of_class in zip(CLASSES, counts, strict=False):
                lower, upper = wilson(of_class, n)
                yield CLASS_RATIO, (name, window), of_class / n
                yield CLASS_RATIO_LOWER, (name, window), lower
                yield CLASS_RATIO_UPPER, (name, window), upper
    without, n = today[_WITHOUT_CALLER], today[_WITHOUT_CALLER] + today[_WITH_CALLER]
    yield UNKNOWN_CALLS, ("today",), n
    if n:
        lower, upper = wilson(without, n)
        yield UNKNOWN_RATIO, ("today",), without / n
        yield UNKNOWN_RATIO_LOWER, ("today",), lower
        yield UNKNOWN_RATIO_UPPER, ("today",), upper
    if book.named or callers.records:
        yield from _measure_known(callers, book, now)


def _measure_known(callers: Callers, book: Book, now: float) -> Readings:
    yield REPEAT_CALLERS, ("24h",), book.repeats(now, REPEATS)
    missed = callbacks(callers, book, now)
    yield CALLBACKS_OPEN, (), len(missed)
    if missed:
        yield OLDEST_CALLBACK, (), min(times[0] for times in missed.values())
    yield RECOMMENDATIONS_OPEN, (), sum(1 for _ in _undecided(callers, now))
    yield BLOCKS_ACTIVE, (), sum(record.is_active(now) for record in callers.records.values())
    yield CALLERS_PROTECTED, (), len(callers.protected) // _PROTECTED

"""All bounds of the calls of one centre at their most at once, with the longest text that a schema lets through: a state never
outgrows what Kafka takes.
"""

from itertools import count
from types import SimpleNamespace
from typing import Any, cast

import pytest
from pydantic import TypeAdapter

from schemas.calls import CallEvent
from streams.core import calls
from streams.core.aliases import MOST as ALIASES
from streams.core.blocks import PRANK_CALLERS, PRANKS_EACH, RECORDS
from streams.core.callbook import BYTES, DAY, MARKS
from streams.core.callers import _PROTECTED, CONTACTED, EARLY, PROTECTED
from streams.core.calls import ENDED_TOTAL, OFFERED_TOTAL, WAITING
from streams.core.centre import Centre
from streams.core.classes import CLASSES
from streams.core.districts import CALLS
from streams.core.districts import MOST as DISTRICTS
from streams.core.forecast import LINKS
from streams.core.funnel import LEGS, OPEN_CALLS, QUEUES
from streams.core.histogram import Histogram
from streams.core.hourly import HOUR, Hourly
from streams.core.hourly import HOURS as SUMS
from streams.core.journey import PAST
from streams.core.window import CELLS
from streams.core.workload import CONVERSATIONS, SEATS
from tests.builders import BOGOR, changed, said

LARGEST = 2 * 1024 * 1024 - 500_000
"""Half of the largest request, less what the ledger takes."""

NAMELESS_FILE = changed(BOGOR, queues=())
START = 4_070_908_800.123457
"""In 2099, with microseconds: the longest times."""

BLOB = TypeAdapter(calls.State)


def long(kind: str, number: int) -> str:
    """A code of 64 characters."""
    return f"{kind}{number:0{64 - len(kind)}d}"


def pseudonym(number: int) -> str:
    return f"{number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128:032x}"


class Flood:
    """Tells events by the fields that a fold looks at, because a hundred thousand of them would take long to validate."""

    def __init__(self, centre: Centre) -> None:
        self.state = calls.State()
        self.centre = centre
        self.numbers = count()

    def tell(self, kind: str, time: float, **data: Any) -> None:
        nothing = dict.fromkeys(("journey", "queue", "seat", "talk_seconds", "to", "caller_before"))
        event = SimpleNamespace(type=kind, source="/32.71/pbx", data=SimpleNamespace(**nothing | data), replayed=None)
        calls.step(self.state, cast(CallEvent, event), time, self.centre)

    def offered(self, time: float, caller: int | None = None) -> str:
        number = next(self.numbers)
        name = long("call", number)
        self.tell(
            "call.offered",
            time,
            call=name,
            queue=long("queue", number % (QUEUES + 9)),
            clock="arrival",
            direction="inbound",
            caller=None if caller is None else pseudonym(caller),
            caller_before=None if caller is None else pseudonym(caller + 10**12),
            link=long("link", number % (LINKS + 9)),
            district=f"32.71.{number % (DISTRICTS + 9):02d}",
        )
        return name

    def call(self, time: float, wait: float, class_: str, caller: int | None = None) -> None:
        """One call that is answered, or lost where the wait is a multiple of seven, and classified."""
        name, number = self.offered(time, caller), next(self.numbers)
        if number % 7:
            self.tell("call.answered", time + wait, call=name, seat=long("seat", number % (SEATS + 9)))
            self.tell("call.queued", time + wait + 1, call=name, queue=long("queue", (number + 1) % (QUEUES + 9)))
            self.tell("call.network_dropped", time + wait + 61, call=name, link=None)
        else:
            self.tell("call.abandoned", time + wait, call=name)
        self.tell("call.classified", time + wait + 70, call=name, class_=class_)


@pytest.fixture(scope="module")
def flood() -> Flood:
    """A day and a half of a broken exchange, and every bound reached in its last hour."""
    flood = Flood(NAMELESS_FILE)
    end = START + 36 * HOUR
    for number in range(28_500):
        name = flood.offered(START + number * HOUR / 880, number)
        flood.tell("call.abandoned", START + number * HOUR / 880 + 9, call=name)
    for number in range(9 + PRANK_CALLERS * (PRANKS_EACH + 4)):
        flood.call(end - 3.6 * HOUR + number / 5, 3, "prank", 10**6 + number % PRANK_CALLERS if number > 8 else number)
    for number in range(RECORDS + 9):
        until = SimpleNamespace(timestamp=lambda: end + DAY)
        for kind in ("block_recommended", "block_approved", "block_declined", "block_lifted"):
            caller = pseudonym(10**7 + number)
            flood.tell(f"caller.{kind}", end - HOUR + number, caller=caller, stage="review", expires=until, until=until)
    for number in range(9_000):
        class_ = CLASSES[number % len(CLASSES)]
        flood.call(end - 1.2 * HOUR + number * 0.47, number % 400, class_, None if class_ == "prank" else 10**8 + number)
    for number in range(CONTACTED + 9):
        flood.tell("caller.contacted", end + number / 9, caller=pseudonym(10**9 + number))
    for number in range(EARLY + 9):
        name = long("early", number)
        flood.tell("call.abandoned", end + number / 99, call=name)
        flood.tell("call.classified", end + number / 99, call=name, class_=long("word", number))
    for number in range(OPEN_CALLS + 9):
        name, start = flood.offered(end + 60 + number / 99), end + 63 + number / 99
        for visit in range(PAST + 1):
            flood.tell("call.queued", start + 2 * visit + 1, call=name, queue=long("queue", (number + visit) % QUEUES))
        flood.tell("call.answered", start + 12, call=name, seat=long("seat", number))
    for number in range(LEGS + 9):
        flood.tell("call.answered", end + 80, call=f"leg{number}", journey=name)
    _grow_old(flood.state)
    return flood


def _grow_old(state: calls.State) -> None:
    """Numbers of a million calls a day for a hundred years; and what needs too long to be told here."""
    funnel, learned = state.funnel, state.forecast
    for queue in funnel.queues.values():
        queue.offered *= 10**9
        for histogram in (queue.wait_answered, queue.wait_abandoned, queue.wait_short_abandoned, queue.handle):
            _grow(histogram)
        queue.ended = {outcome: number * 10**9 for outcome, number in queue.ended.items()}
        queue.transferred, queue.cut_off, queue.unended = (10**10,) * 3
    assert funnel.crowd.waiting == 0, "offered and ended are multiplied alike"
    last = int(START + 36 * HOUR) // HOUR
    funnel.taken = {last - number: 100_000 for number in range(168)}
    learned.first, learned.counts = last - SUMS + 1, [100_000] * SUMS
    learned.blank = dict.fromkeys(range(learned.first, last), "silence")
    for carried in learned.links.values():
        week = last // 168
        carried.weeks = {week - number: 10_000_000 for number in range(4)}
    funnel.workload.calls = Hourly(last - SUMS + 1, [100_000] * SUMS)
    funnel.workload.microseconds = Hourly(last - SUMS + 1, [100_000 * 43_200_123_457] * SUMS)
    state.callers.protected = "A" * (PROTECTED * _PROTECTED)
    state.callers.classified = dict.fromkeys(CLASSES, 10**10)


def _grow(histogram: Histogram) -> None:
    histogram.counts = [(1 + number) * 10**9 for number in histogram.counts]
    histogram.sum = 1234567890123.4567


def test_every_bound_is_reached(flood: Flood) -> None:
    """Each figure beside its bound: the state could not be larger."""
    state = flood.state
    funnel, callers, learned = state.funnel, state.callers, state.forecast

    assert len(funnel.open) == OPEN_CALLS
    assert {len(journey.past) for journey in funnel.open.values()} == {PAST}
    assert len(funnel.legs) == LEGS
    assert len(funnel.queues) == QUEUES + 1
    assert len(learned.links) == LINKS
    assert len(state.origins.districts.counts) == DISTRICTS
    assert len(state.origins.recent) == CALLS
    assert len(callers.early) == EARLY
    assert len(callers.contacted) == CONTACTED
    assert len(callers.aliases.names) == ALIASES
    assert len(callers.records) == RECORDS
    assert len(callers.pranks) == PRANK_CALLERS
    assert sum(map(len, callers.pranks.values())) > 0.9 * PRANK_CALLERS * PRANKS_EACH
    assert 0.98 * BYTES < funnel.book.kept <= BYTES
    # Lines as long as these leave the book before their hour does.
    assert 0.75 * MARKS < marks(state) <= MARKS
    assert [0.6 * CELLS < len(part.window.cells) <= CELLS for part in (funnel, callers, learned)] == [True, True, True]
    assert len(funnel.workload.seats) == SEATS
    assert 0.9 * CONVERSATIONS < sum(map(len, funnel.workload.seats.values())) <= CONVERSATIONS


def test_all_of_it_together_is_less_than_half_of_what_kafka_takes(flood: Flood) -> None:
    written = BLOB.dump_json(flood.state, exclude_defaults=True)
    print(f"\nthe largest state of calls: {len(written):,} bytes without the ledger, of {LARGEST:,}")

    assert len(written) + MARKS - marks(flood.state) < LARGEST


def marks(state: calls.State) -> int:
    """Bytes of the callers of earlier hours."""
    return sum(map(len, state.funnel.book.earlier.values()))


def test_what_was_given_up_is_counted_by_its_bound(flood: Flood) -> None:
    assert flood.state.strangers.passed_over.keys() == {
        "queue",
        "trunk",
        "district",
        "open_calls",
        "early_calls",
        "pranks",
        "caller_records",
        "callers_contacted",
        "window_seconds",
        "call_book",
        "conversations",
    }


def test_every_offered_call_is_still_in_one_class_and_no_figure_fell_below_nothing(flood: Flood) -> None:
    told = said(calls.measure(flood.state, START + 36 * HOUR + 90, NAMELESS_FILE))

    for queue in flood.state.funnel.queues:
        assert told.number(OFFERED_TOTAL, queue) == sum(told.by_label(ENDED_TOTAL, queue).values()) + told.number(WAITING, queue)
    assert min(value for value in told.values() if isinstance(value, int | float)) >= 0


def test_the_state_is_what_it_was_when_it_is_read_back(flood: Flood) -> None:
    written = BLOB.dump_json(flood.state, exclude_defaults=True)

    assert BLOB.dump_json(BLOB.validate_json(written), exclude_defaults=True) == written

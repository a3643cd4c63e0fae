"""A history told to a monitor, and what must hold whatever was told: no exception, no nonsense, nothing lost or counted twice."""

import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import cache
from itertools import count, islice
from math import isfinite
from random import Random
from typing import Any

from pydantic import TypeAdapter

from schemas.callers import BlockRecommended, CallerBlockRecommended
from schemas.dispatch import ReminderDue, TicketReminderDue
from schemas.event import EARLIEST, TOO_LATE, Event
from schemas.topics import CALLS, DISPATCH, EVENT_TYPES, TOPIC_OF, TOPICS, decode, encode
from streams import centres
from streams.core import callers, dispatch
from streams.core.blocks import Recommendation
from streams.core.calls import (
    ANSWER_CALLS,
    ENDED_TOTAL,
    JOURNEYS_ENDED_TOTAL,
    JOURNEYS_OFFERED_TOTAL,
    JOURNEYS_WAITING,
    OFFERED_TOTAL,
    PEAK,
    TODAY,
    WAITING,
)
from streams.core.centre import Centre, parse
from streams.core.dispatch import CLOSED_TOTAL, LOST_TOTAL, OPENED_TOTAL, REOPENED_TOTAL, TICKETS_OPEN
from streams.core.environment import LEVEL
from streams.core.histogram import Histogram
from streams.core.nouns import NOUNS, States, seats
from streams.core.operators import ADHERENCE
from streams.core.reading import Metric
from streams.sources import simulate
from streams.worker.advisor import made_from, reminder_id
from streams.worker.exposition import exposition
from streams.worker.monitor import METRICS, Monitor
from tests.builders import Said, said
from tests.strategies import ORDINARY, Teller

KOTA_BOGOR = next(iter(centres.load([]).values()))
BARE = parse('code = "91.71"\nname = "Kota Jayapura"\ntimezone = "Asia/Jayapura"')
CENTRES = (KOTA_BOGOR, BARE)

HISTORY = 2_000
"""Events of one history among many."""

LARGEST_STATE = 2 * 1024 * 1024
"""Bytes of one state as it is written to Kafka: half of the largest record."""

FIRST, LAST = EARLIEST.timestamp(), TOO_LATE.timestamp()
AROUND = (-86_400.0, -1e-6, 0.0, 0.0, 59.0, 3_600.0, 86_400.0, 8 * 86_400.0)
"""Seconds from an event at which it is looked around: mostly at once."""

FAR_AFTER = (LAST, LAST + 30 * 365 * 86_400.0)

COUNTERS = {metric for metric in METRICS if metric.kind != "gauge"}
BLOBS = {topic.name: TypeAdapter[Any](NOUNS[topic.noun].State) for topic in TOPICS}
MISSED = ("overflowed", "network_dropped", "lost", "abandoned", "short_abandoned", "answered")
ROUNDING = 1e-9


class Trial:
    """A monitor that is told events, and another that is put away and taken back again and again: both must know the same."""

    def __init__(self) -> None:
        self.largest: Counter[str] = Counter()
        """Bytes of the largest state of each noun."""
        self.outcomes: Counter[str] = Counter()
        self._monitor, self._restored = _monitors()
        self._monitor.drop(0)
        self._restored.drop(0)
        self._kept: dict[tuple[str, bytes], bytes] = {}
        self._offsets: Counter[str] = Counter()
        self._counted: dict[tuple[object, ...], float] = {}

    def tell(self, event: Event) -> str:
        """Fold one event; what became of it."""
        topic = TOPIC_OF[event.type].name
        offset = self._offsets[topic]
        self._offsets[topic] += 1
        outcome = self._monitor.fold_event(topic, 0, offset, event, LAST)
        assert outcome == self._restored.fold_event(topic, 0, offset, event, LAST)
        assert isinstance(outcome, str), outcome
        self.outcomes[outcome] += 1
        return outcome

    def live_through(self, told: Iterable[Event], dice: Random, often: float) -> None:
        """Tell it all; after that share of the events look around, put it away, say what is due, compare what was counted."""
        self.look(FIRST)
        for event in told:
            self.tell(event)
            time = event.time.timestamp()
            if dice.random() < often:
                self.look(time + dice.choice(AROUND))
            if dice.random() < often / 2:
                self.put_away()
            if dice.random() < often / 2:
                self.speak(time)
            if dice.random() < often:
                self.assert_no_counter_fell()
        self.put_away()
        self.assert_no_counter_fell()
        newest = self._monitor.newest() or FIRST
        self.assert_no_counter_falls_as_time_passes(sorted({FIRST, *(newest + max(0.0, away) for away in AROUND), *FAR_AFTER}))
        for now in (FIRST, *FAR_AFTER):
            self.look(now)
            "".join(exposition(self._monitor, now))

    def look(self, now: float) -> None:
        """Ask everything that can be asked at a moment, epoch seconds."""
        for code in self._monitor.centres:
            found = self._measured(code, now)
            assert_sensible(found)
            assert_conserved(found)
        for centre, state in self._monitor.states(CALLS.name, 0):
            list(islice(seats(States(calls=state), now, centre), 3))
            callers.callbacks(state.callers, state.funnel.book, now)
            list(callers.recommend(state.callers, now))
            for recommended in callers.due(state.callers, now):
                assert_told(recommendation(recommended, centre, now), now)
        for centre, state in self._monitor.states(DISPATCH.name, 0):
            list(dispatch.undelivered(state))
            for due in dispatch.due(state, now, centre):
                assert_told(reminder(due, centre, now), now)

    def speak(self, now: float) -> None:
        """Tell what the monitor itself would say at a moment of the century; what it has said it does not say again."""
        for centre, tickets in self._monitor.states(DISPATCH.name, 0):
            for due in list(dispatch.due(tickets, now, centre)):
                if self.tell(reminder(due, centre, now)) == "folded":
                    assert due not in list(dispatch.due(tickets, now, centre))
        for centre, calls in self._monitor.states(CALLS.name, 0):
            for found in list(callers.due(calls.callers, now)):
                if self.tell(recommendation(found, centre, now)) == "folded":
                    assert found not in list(callers.due(calls.callers, now))

    def assert_no_counter_fell(self) -> None:
        """Of what was folded: measured before all events, where no call is given up only because time passed."""
        for code in self._monitor.centres:
            for key, value in counters(self._measured(code, FIRST)).items():
                assert value >= self._counted.get((code, *key), 0), (code, key)
                self._counted[(code, *key)] = value

    def assert_no_counter_falls_as_time_passes(self, moments: Sequence[float]) -> None:
        """Measured at ascending moments, epoch seconds, while nothing is told."""
        for code in self._monitor.centres:
            before: dict[tuple[object, ...], float] = {}
            for now in moments:
                counted = counters(self._measured(code, now))
                for key, value in before.items():
                    assert counted[key] >= value, (code, key, now)
                before = counted

    def put_away(self) -> None:
        """Write every state that changed, and take all back elsewhere; written again it must be the same bytes."""
        for topic in TOPICS:
            written = dict(self._restored.dirty(topic.name, 0))
            assert dict(self._monitor.dirty(topic.name, 0)) == written
            for key, blob in written.items():
                self._kept[topic.name, key] = blob
                self.largest[topic.noun] = max(self.largest[topic.noun], len(blob))
                assert len(blob) <= LARGEST_STATE, f"{topic.noun}: a state of {len(blob):,} bytes"
                assert BLOBS[topic.name].dump_json(BLOBS[topic.name].validate_json(blob), exclude_defaults=True) == blob
        self._restored.drop(0)
        for (name, key), blob in self._kept.items():
            self._restored.load(name, 0, key, blob)

    def _measured(self, code: str, now: float) -> Said:
        return said(iter(self._monitor.measure(code, now)))


@cache
def _monitors() -> tuple[Monitor, Monitor]:
    # Kept, because to make one takes longer than a short history.
    known = {centre.code: centre for centre in CENTRES}
    return Monitor(known), Monitor(known)


def assert_sensible(found: Said) -> None:
    """Numbers are numbers, shares between 0 and 1, and nothing but a river is below zero."""
    for (metric, *labels), value in found.items():
        assert metric in METRICS
        assert all(isinstance(label, str) for label in labels)
        if isinstance(value, Histogram):
            assert isfinite(value.sum)
            assert value.sum >= 0
            assert min(value.counts) >= 0
            assert len(value.counts) == len(metric.bounds) + 1, metric.name
            continue
        assert isfinite(value), (metric.name, labels)
        assert value >= 0 or metric is LEVEL, (metric.name, labels, value)
        if metric.name.endswith(("_ratio", "_ratio_lower", "_ratio_upper", "_probability")) and metric is not ADHERENCE:
            assert value <= 1 + ROUNDING, (metric.name, labels, value)
    names = {metric.name: metric for metric in METRICS}
    for (metric, *labels), value in found.items():
        if (lower := names.get(f"{metric.name}_lower")) and isinstance(value, float):
            assert found.number(lower, *labels) <= value + ROUNDING, (metric.name, labels)
            assert found.number(names[f"{metric.name}_upper"], *labels) >= value - ROUNDING, (metric.name, labels)


def assert_conserved(found: Said) -> None:
    """Every call and every ticket is in exactly one place."""
    total: defaultdict[Metric, float] = defaultdict(float)
    ended: Counter[str] = Counter()
    for (metric, *labels), value in found.items():
        if not isinstance(value, Histogram):
            total[metric] += value
            if metric is ENDED_TOTAL:
                ended[labels[0]] += int(value)
    for (metric, *labels), offered in found.items():
        if metric is OFFERED_TOTAL:
            assert offered == ended[labels[0]] + found.number(WAITING, *labels), labels
    assert total[JOURNEYS_OFFERED_TOTAL] == total[JOURNEYS_ENDED_TOTAL] + total[JOURNEYS_WAITING]
    assert sum(found.number(TODAY, outcome) for outcome in MISSED) == found.number(ANSWER_CALLS, "today")
    assert found.number(ANSWER_CALLS, "5m") <= found.number(ANSWER_CALLS, "15m") <= found.number(ANSWER_CALLS, "60m")
    assert total[JOURNEYS_WAITING] <= found.number(PEAK, "ever")
    entered = total[OPENED_TOTAL] + total[REOPENED_TOTAL]
    assert entered == total[TICKETS_OPEN] + total[CLOSED_TOTAL] + total[LOST_TOTAL]


def assert_told(event: Event, now: float) -> None:
    """What the monitor itself says can be read, as long as its own clock is within the century."""
    if now < LAST:
        assert decode(encode(event)) == event


def reminder(due: dispatch.Due, centre: Centre, now: float) -> Event:
    """The event that says that a rung was passed."""
    since, passed = (datetime.fromtimestamp(time, UTC) for time in (due.since, due.due))
    assert since.timestamp() == due.since, "the ticket would not know its reminder"
    data = ReminderDue(ticket=due.ticket, opd=due.opd, rung=due.rung, since=since, due=passed)
    return TicketReminderDue(data=data, **_envelope(centre, now, reminder_id(centre, due)))


def recommendation(found: Recommendation, centre: Centre, now: float) -> Event:
    """The event that recommends a block."""
    since, until = (datetime.fromtimestamp(time, UTC) for time in (found.since, found.until))
    data = BlockRecommended(caller=found.caller, stage=found.stage, pranks=found.pranks, since=since, until=until)
    return CallerBlockRecommended(data=data, **_envelope(centre, now, made_from(found.caller, found.stage, found.until)))


def _envelope(centre: Centre, now: float, name: str) -> dict[str, Any]:
    return {
        "id": name,
        "source": f"/{centre.code}/pantau112",
        "subject": centre.code,
        "time": datetime.fromtimestamp(now, UTC),
    }


def counters(found: Said) -> dict[tuple[object, ...], float]:
    """Every counter, and every cumulative bucket and sum of a histogram."""
    counted: dict[tuple[object, ...], float] = {}
    for key, value in found.items():
        if key[0] not in COUNTERS:
            continue
        if isinstance(value, Histogram):
            counted |= {(*key, bucket): sum(value.counts[: bucket + 1]) for bucket in range(len(value.counts))}
            counted[*key, "sum"] = value.sum
        else:
            counted[key] = value
    return counted


def trials(events: int, seed: int, say: Callable[[str], None]) -> list[str]:
    """Tell so many extreme events in histories of their own, every other one beginning with ordinary days; what went wrong."""
    began, told, largest, outcomes = time.monotonic(), 0, Counter[str](), Counter[str]()
    ordinary = list(simulate.events(112, ORDINARY[2], KOTA_BOGOR, days=4))
    nouns = [[kind.model_fields["type"].default for kind in topic.types] for topic in TOPICS]
    found: list[str] = []
    for number in count():
        if told >= events:
            break
        dice = Random(f"{seed}|{number}")
        before = ordinary if number % 2 else []
        kinds = list(EVENT_TYPES) if number % 3 else nouns[number // 3 % len(nouns)]
        teller, trial = Teller(dice.randrange(2**32), CENTRES, kinds, before), Trial()
        try:
            for event in before:
                trial.tell(event)
            trial.live_through((teller.tell() for _ in range(min(HISTORY, events - told))), dice, often=0.01)
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            found.append(f"history {number}: {type(error).__name__} {error} at {where.filename}:{where.lineno}")
        told += HISTORY
        outcomes += trial.outcomes
        largest |= trial.largest
        if number % 10 == 9 or told >= events:
            seconds = time.monotonic() - began
            say(f"{min(told, events):,} of {events:,} extreme events in {seconds:.0f} s, {len(found)} histories failed")
    said = ", ".join(f"{n:,} {what}" for what, n in outcomes.most_common())
    sizes = ", ".join(f"{noun} {size:,}" for noun, size in largest.most_common())
    say(f"seed {seed}: with the ordinary ones {said}; largest states in bytes: {sizes}")
    return found

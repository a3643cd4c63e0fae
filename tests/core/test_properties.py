"""What holds for any calls at all, told in any order, more than once, and folded with any interruption."""

from collections.abc import Callable
from functools import partial
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from schemas.calls import CallEvent
from streams.core import calls
from streams.core.calls import (
    ENDED_TOTAL,
    HANDLE_SECONDS,
    JOURNEY_WAIT_SECONDS,
    JOURNEYS_ENDED_TOTAL,
    JOURNEYS_OFFERED_TOTAL,
    JOURNEYS_WAITING,
    METRICS,
    OFFERED_TOTAL,
    PEAK,
    PEAK_TIME,
    WAIT_SECONDS,
    WAITING,
)
from streams.core.histogram import Histogram
from tests import builders
from tests.builders import (
    BOGOR,
    Said,
    abandoned,
    answered,
    blocked,
    changed,
    classified,
    ended,
    network_dropped,
    offered,
    overflowed,
    queued,
    transferred,
)

HOUR = 3600
BLOB = TypeAdapter(calls.State)

COUNTERS = {metric for metric in METRICS if metric.kind != "gauge"}

kinds: list[Callable[[str, float], CallEvent]] = [
    offered, answered, ended, abandoned, transferred, overflowed, blocked, network_dropped,
    lambda call, time: offered(call, time, "119"), lambda call, time: queued(call, time, "113"),
    *(partial(classified, class_=word) for word in ("ghost", "test", "uji coba", "prank", "entah")),
]  # fmt: skip
CENTRE = changed(BOGOR, queues=["112", "113", "119"])
fold, readings = partial(builders.fold, centre=CENTRE), partial(builders.readings, centre=CENTRE)
names = st.sampled_from([f"c{n}" for n in range(6)])


def soup(span: int) -> st.SearchStrategy[list[CallEvent]]:
    """Any facts of a few calls in any order, some of them twice, sense or nonsense."""
    event = st.builds(lambda kind, call, time: kind(call, time), st.sampled_from(kinds), names, st.integers(0, span))
    return st.lists(event, max_size=40).flatmap(
        lambda told: st.lists(st.sampled_from(told), max_size=10).map(lambda again: told + again) if told else st.just(told)
    )


@st.composite
def stories(draw: st.DrawFn) -> list[list[CallEvent]]:
    """Calls with a beginning and mostly an end, all within an hour; each call's facts as they happened."""
    told = []
    for n in range(draw(st.integers(0, 25))):
        start, wait, talk = draw(st.integers(0, 3000)), draw(st.integers(0, 299)), draw(st.integers(0, 299))
        name, queue = f"c{n}", draw(st.sampled_from(["112", "119"]))
        arrival = offered(name, start, queue)
        reply = [arrival, answered(name, start + wait)]
        last = start + wait + talk
        told.append(
            draw(
                st.sampled_from(
                    [
                        [arrival],
                        reply,
                        [*reply, ended(name, last)],
                        [*reply, transferred(name, last)],
                        [*reply, ended(name, last), classified(name, last, "prank")],
                        [*reply, ended(name, last), classified(name, last, "test")],
                        [arrival, abandoned(name, start + wait), classified(name, start, "test")],
                        [arrival, abandoned(name, start + wait)],
                        [arrival, overflowed(name, start + wait)],
                        [arrival, network_dropped(name, start + wait)],
                        [arrival, blocked(name, start)],
                    ]
                )
            )
        )
    return told


def in_time_order(told: list[list[CallEvent]]) -> list[CallEvent]:
    return sorted((event for story in told for event in story), key=lambda event: event.time)


def assert_conserved(said: Said, state: calls.State) -> None:
    for queue in state.funnel.queues:
        ended_calls = sum(said.by_label(ENDED_TOTAL, queue).values())
        assert said.number(OFFERED_TOTAL, queue) == ended_calls + said.number(WAITING, queue), queue
    ended_journeys = sum(said.by_label(JOURNEYS_ENDED_TOTAL).values())
    assert said.number(JOURNEYS_OFFERED_TOTAL) == ended_journeys + said.number(JOURNEYS_WAITING)


@settings(deadline=None)
@given(soup(HOUR) | soup(4 * HOUR) | soup(48 * HOUR), st.integers(0, 72 * HOUR))
def test_every_offered_call_is_ended_or_waiting_at_any_moment_in_any_order(told: list[CallEvent], now: int) -> None:
    state = calls.State()
    for event in told:
        fold([event], state=state)
        assert_conserved(readings(state, (event.time - told[0].time).total_seconds()), state)
        assert_conserved(readings(state, now), state)
        assert state.funnel.crowd.waiting == sum(journey.is_waiting for journey in state.funnel.open.values())
        assert state.funnel.crowd.waiting >= 0
        assert min(state.funnel.day.counts + state.callers.day.counts + state.forecast.counts, default=0) >= 0
        assert min([*state.funnel.window.cells.values(), *state.callers.window.cells.values()], default=1) > 0
        ended = [state.funnel.journeys.ended, state.funnel.journeys.backward]
        ended += [part for queue in state.funnel.queues.values() for part in (queue.ended, queue.backward)]
        assert min([n for each in ended for n in each.values()], default=0) >= 0
        assert min(state.funnel.workload.calls.sums + state.funnel.workload.microseconds.sums, default=0) >= 0


@settings(deadline=None)
@given(stories(), st.randoms(use_true_random=False), st.integers(3600, 2 * HOUR))
def test_the_order_of_telling_changes_no_total(told: list[list[CallEvent]], dice: Random, now: int) -> None:
    """But for peaks, which are what was known to wait; and the end of a conversation is told after its answer."""
    events = [event for story in told for event in story]
    dice.shuffle(events)
    for name in {event.data.call for event in events}:
        places = [place for place, event in enumerate(events) if event.data.call == name]
        mine = [events[place] for place in places]
        answer = [e for e in mine if e.type == "call.answered"]
        end = [e for e in mine if e.type in {"call.ended", "call.transferred"}]
        if answer and end and mine.index(end[0]) < mine.index(answer[0]):
            first, second = places[mine.index(end[0])], places[mine.index(answer[0])]
            events[first], events[second] = events[second], events[first]

    assert without_peaks(readings(events, now)) == without_peaks(readings(in_time_order(told), now))


def without_peaks(said: Said) -> dict[tuple[object, ...], float | Histogram]:
    return {key: value for key, value in said.items() if key[0] not in {PEAK, PEAK_TIME}}


@settings(deadline=None)
@given(soup(HOUR))
def test_telling_everything_twice_changes_nothing(told: list[CallEvent]) -> None:
    once, twice = fold(told), fold([*told, *told])

    assert readings(once, HOUR) == readings(twice, HOUR)


def test_whoever_was_answered_before_he_came_is_in_no_announcement_when_a_queue_is_told() -> None:
    """His visit is lost, he is not: to take him back as lost would leave more answers than callers."""
    told = [answered("c0", 0), offered("c0", 3), ended("c0", 0), offered("c0", 60), queued("c0", 0, "113")]

    said = readings(fold(told), HOUR)

    assert said.by_label(JOURNEYS_ENDED_TOTAL) == {"answered": 1}


@settings(deadline=None)
@given(stories())
def test_no_counter_falls_as_time_passes(told: list[list[CallEvent]]) -> None:
    state = calls.State()
    before = counters(readings(state, 0))
    for event in in_time_order(told):
        for seconds_later in (0, 1):
            fold([event], state=state)
            after = counters(readings(state, seconds_since_start(event) + seconds_later * 0.5))
            assert_not_less(after, before)
            before = after
    assert_not_less(counters(readings(state, 100 * HOUR)), before)


@settings(deadline=None)
@given(soup(4 * HOUR))
def test_no_counter_of_the_state_falls_whatever_is_told(told: list[CallEvent]) -> None:
    state = calls.State()
    before = counters(readings(state, 0))
    for event in told:
        fold([event], state=state)
        after = counters(readings(state, 0))  # at START nothing is given up but what the fold itself gave up
        assert_not_less(after, before)
        before = after


def seconds_since_start(event: CallEvent) -> float:
    return (event.time - offered("c", 0).time).total_seconds()


def counters(said: Said) -> dict[tuple[object, ...], float]:
    """Every counter, and every cumulative bucket and sum of a histogram."""
    found: dict[tuple[object, ...], float] = {}
    for key, value in said.items():
        if key[0] not in COUNTERS:
            continue
        if isinstance(value, Histogram):
            found |= {(*key, bucket): sum(value.counts[: bucket + 1]) for bucket in range(len(value.counts))}
            found[(*key, "sum")] = value.sum
        else:
            found[key] = value
    return found


def assert_not_less(after: dict[tuple[object, ...], float], before: dict[tuple[object, ...], float]) -> None:
    for key, value in before.items():
        assert after[key] >= value, key


@settings(deadline=None)
@given(soup(3 * HOUR), st.integers(0, 60))
def test_a_state_put_away_as_json_and_taken_back_folds_on_to_the_same_bytes(told: list[CallEvent], cut: int) -> None:
    stored = BLOB.dump_json(fold(told[:cut]))
    taken_back = fold(told[cut:], state=BLOB.validate_json(stored))

    assert BLOB.dump_json(BLOB.validate_json(stored)) == stored
    assert BLOB.dump_json(taken_back) == BLOB.dump_json(fold(told))


@settings(deadline=None)
@given(soup(3 * HOUR), st.integers(0, 60), st.integers(0, 60))
def test_a_log_read_again_from_anywhere_before_the_watermark_gives_the_same_state(
    told: list[CallEvent], crash: int, back: int
) -> None:
    """
    log   0 1 2 3 4 5 6 7 8 9
    before the crash ─────►
    after it     ───────────────►     from an offset that was folded before
    """
    folded = told[:crash]
    again_from = max(0, len(folded) - back)
    state = fold(folded)

    fold(told[again_from:], state=state, first_offset=again_from)

    assert BLOB.dump_json(state) == BLOB.dump_json(fold(told))


# --- one exchange that two sources tell of


TWO_SOURCES = changed(CENTRE, sources=[["/32.71/ami", "/32.71/log"]])
SEATS = ("seat-1", "seat-2", "seat-3")


@st.composite
def exchanges(draw: st.DrawFn) -> list[CallEvent]:
    """An hour of an exchange as it was, by a clock of milliseconds: calls through one to three queues, seats in one at a time."""
    told: list[CallEvent] = []
    free = dict.fromkeys(SEATS, 0.0)
    for n in range(draw(st.integers(1, 12))):
        call, now = f"c{n}", draw(st.integers(0, 3_000_000)) / 1000 + 0.123
        queues = draw(st.lists(st.sampled_from(["112", "113", "119"]), min_size=1, max_size=3))
        told.append(of(offered(call, now, queues[0])))
        for queue in queues:
            now += draw(st.integers(3_000, 20_000)) / 1000
            told.append(of(queued(call, now, queue), queue=queue))
            now += draw(st.integers(3_000, 60_000)) / 1000
            end = draw(st.sampled_from(["answered", "answered", "abandoned", "overflowed"]))
            seats = [seat for seat, until in free.items() if until + 3 < now]
            if end == "answered" and seats:
                seat, talk = draw(st.sampled_from(seats)), draw(st.integers(3_000, 90_000)) / 1000
                free[seat] = now + talk
                told.append(of(answered(call, now, seat), queue=queue))
                now += talk
                over = draw(st.sampled_from([ended, transferred]))
                told.append(of(over(call, now), queue=queue, seat=seat, talk_seconds=round(talk, 3)))
                if over is ended:
                    break
            elif end == "abandoned":
                told.append(of(abandoned(call, now), queue=queue))
                break
            else:
                told.append(of(overflowed(call, now), queue=queue))
    return sorted(told, key=lambda event: event.time)


def of(event: CallEvent, source: str = "/32.71/ami", **facts: object) -> CallEvent:
    """The event with more facts, as another source tells it."""
    data = event.data.model_copy(update={name: fact for name, fact in facts.items() if name in type(event.data).model_fields})
    return event.model_copy(update={"data": data, "source": source})


def logged(events: list[CallEvent]) -> list[CallEvent]:
    """The same by a log, whose clock is cut to the second and which knows no arrival before the queue."""
    lines: list[CallEvent] = []
    for event in events:
        if event.type != "call.offered":
            cut = event.model_copy(update={"time": event.time.replace(microsecond=0), "source": "/32.71/log"})
            lines.append(cut)
    return lines


@st.composite
def tellings(draw: st.DrawFn) -> tuple[list[CallEvent], list[CallEvent], int]:
    """What happened, how two sources tell it (each in its order, mixed anyhow, some lines twice), and how many lines are lost."""
    happened = draw(exchanges())
    first, second = happened, logged(happened)
    lost = draw(st.sets(st.integers(0, len(first) + len(second)), max_size=3))
    first = [event for n, event in enumerate(first) if n not in lost]
    second = [event for n, event in enumerate(second, len(happened)) if n not in lost]
    told: list[CallEvent] = []
    while first or second:
        source = first if first and (not second or draw(st.booleans())) else second
        told.append(source.pop(0))
        if draw(st.integers(0, 9)) == 0:
            told.append(draw(st.sampled_from(told)))
    return happened, told, len(lost)


@settings(deadline=None)
@given(tellings())
def test_two_sources_of_one_exchange_tell_each_journey_once_however_they_are_mixed(
    told: tuple[list[CallEvent], list[CallEvent], int],
) -> None:
    """A line that nobody told can make a journey two, if the other source tells of it long after: it was over then."""
    happened, mixed, lost = told
    state = calls.State()
    for event in mixed:
        builders.fold([event], TWO_SOURCES, state)
        found = builders.readings(state, seconds_since_start(event), TWO_SOURCES)
        assert_conserved(found, state)
        seats = [journey.visit.seat for journey in state.funnel.open.values() if journey.visit.seat and journey.visit.is_talking]
        assert len(seats) == len(set(seats)), "a seat in two calls"
        for metric in (JOURNEY_WAIT_SECONDS, WAIT_SECONDS, HANDLE_SECONDS):
            assert all(value.sum >= 0 for key, value in found.items() if key[0] is metric and isinstance(value, Histogram))
    found = builders.readings(state, 2 * HOUR, TWO_SOURCES)
    assert_conserved(found, state)
    assert found.number(JOURNEYS_OFFERED_TOTAL) <= len({event.data.call for event in happened}) + lost


def hung_up(found: Said) -> dict[str, float]:
    """Journeys by outcome, of whom those who hung up at once and later are not told apart: that depends on the clock."""
    ended = found.by_label(JOURNEYS_ENDED_TOTAL)
    return ended | {"abandoned": ended.get("abandoned", 0) + ended.pop("short_abandoned", 0)}


@pytest.mark.parametrize("done", [builders.answered("c", 20.001), builders.overflowed("c", 20.001)])
@pytest.mark.parametrize("tells", [True, False], ids=["it is known to tell queues", "not known yet"])
def test_a_queue_that_began_on_a_whole_second_and_is_told_after_what_became_of_it_counts_once(
    done: CallEvent, tells: bool
) -> None:
    """An event of a whole second waits for one that tells it finer, and what is told finer does not wait for it."""
    before = [builders.offered("b", -90.5), builders.queued("b", -80.5), builders.abandoned("b", -70.5)] if tells else []
    events = [*before, builders.offered("c", 0.123), builders.queued("c", 17), done]
    ami = [event.model_copy(update={"source": "/32.71/ami"}) for event in events]
    log = [event.model_copy(update={"source": "/32.71/log"}) for event in events[-2:-1]]
    found = builders.readings(builders.fold([*ami, *log, builders.ended("d", 60.5)], TWO_SOURCES), 61, TWO_SOURCES)
    assert found.by_label(OFFERED_TOTAL) == {"112": 1 + tells}
    assert sum(found.by_label(ENDED_TOTAL, "112").values()) == 1 + tells


@settings(deadline=None)
@given(exchanges(), st.booleans(), st.integers(0, 4))
def test_a_second_source_that_tells_all_again_changes_nothing_but_the_clock(
    happened: list[CallEvent], first_is_finer: bool, lag: int
) -> None:
    """The log a few seconds behind the live feed, or all of it afterwards."""
    log = logged(happened)
    by = (lambda event: event.time.timestamp() + lag * (event.source == "/32.71/log")) if lag else (lambda _: 0.0)
    mixed = sorted([*happened, *log] if first_is_finer or lag else [*log, *happened], key=by)
    found = builders.readings(builders.fold(mixed, TWO_SOURCES), 2 * HOUR, TWO_SOURCES)
    alone = builders.readings(builders.fold(happened, TWO_SOURCES), 2 * HOUR, TWO_SOURCES)

    for metric in (JOURNEYS_OFFERED_TOTAL, OFFERED_TOTAL):
        assert found.by_label(metric) == alone.by_label(metric), metric.name
    assert hung_up(found) == hung_up(alone)
    if first_is_finer or lag:
        assert found.histogram(JOURNEY_WAIT_SECONDS, "answered") == alone.histogram(JOURNEY_WAIT_SECONDS, "answered")

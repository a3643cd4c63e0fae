"""What holds for any calls at all, told in any order, more than once, and folded with any interruption."""

from collections.abc import Callable
from functools import partial
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from schemas.calls import CallEvent
from streams.core import calls
from streams.core.calls import (
    ENDED_TOTAL,
    JOURNEYS_ENDED_TOTAL,
    JOURNEYS_OFFERED_TOTAL,
    JOURNEYS_WAITING,
    METRICS,
    OFFERED_TOTAL,
    PEAK,
    PEAK_TIME,
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
        assert state.funnel.waiting == sum(journey.is_waiting for journey in state.funnel.open.values())
        assert state.funnel.waiting >= 0
        assert min(state.funnel.day.counts + state.callers.day.counts + state.forecast.counts, default=0) >= 0
        assert min([*state.funnel.window.cells.values(), *state.callers.window.cells.values()], default=1) > 0
        assert min(state.funnel.workload.conversations + state.funnel.workload.seconds) >= 0


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

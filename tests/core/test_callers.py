"""Callers: shares of classes, who comes again and again, who is to be called back, and about whom a person has to decide."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from itertools import permutations
from math import floor, sqrt
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from schemas.callers import CallerEvent
from schemas.calls import CallEvent, Class
from streams.core import callers, calls
from streams.core.callers import (
    CALLBACK_SECONDS,
    CALLBACKS_OPEN,
    CALLERS_PROTECTED,
    CLASS_RATIO,
    CLASS_RATIO_LOWER,
    CLASS_RATIO_UPPER,
    CLASSIFIED_CALLS,
    CLASSIFIED_TOTAL,
    METRICS,
    OLDEST_CALLBACK,
    RECOMMENDATIONS_OPEN,
    REPEAT_CALLERS,
    UNKNOWN_CALLS,
    UNKNOWN_RATIO,
)
from streams.core.classes import CLASSES
from tests.builders import (
    BOGOR,
    Said,
    abandoned,
    answered,
    at,
    bogor,
    came,
    classified,
    contacted,
    fold,
    network_dropped,
    offered,
    overflowed,
    pseudonym_of,
    readings,
    seconds_to,
)

MINUTE, HOUR, DAY = 60, 3_600, 86_400
BLOB = TypeAdapter(calls.State)

Told = list[CallEvent | CallerEvent]


# --- what calls turn out to be


@pytest.mark.parametrize(
    ("counts", "percent"),
    [
        # Kabupaten Purworejo, January to June 2024: 985 calls; since 2022: 2,802.
        ({"prank": 386, "ghost": 429, "information": 157, "normal": 13}, [39.2, 43.6, 15.9, 1.3]),
        ({"prank": 1147, "ghost": 1170, "information": 455, "normal": 30}, [40.9, 41.8, 16.2, 1.1]),
    ],
)
def test_class_shares_are_those_that_purworejo_published(counts: dict[Class, int], percent: list[float]) -> None:
    n, events = 0, []
    for class_, times in counts.items():
        for _ in range(times):
            events += [offered(f"c{n}", n), classified(f"c{n}", n + 1, class_)]
            n += 1

    said = readings(events, now=n + 1)

    for window in ("60m", "today"):
        assert said[CLASSIFIED_CALLS, window] == sum(counts.values())
        shares = {class_: said.number(CLASS_RATIO, class_, window) for class_ in CLASSES}
        assert [round(100 * shares[class_], 1) for class_ in counts] == percent
        assert sum(shares.values()) == pytest.approx(1)
    assert said.by_label(CLASSIFIED_TOTAL) == counts


def test_a_share_stands_between_its_wilson_bounds() -> None:
    """At each bound the observed share is 1.96 standard errors away, which is how Wilson defines it."""
    events = [event for n in range(985) for event in [classified(f"c{n}", n, "normal" if n < 13 else "ghost")]]

    said = readings(events, now=1000)

    for bound in (said.number(CLASS_RATIO_LOWER, "normal", "60m"), said.number(CLASS_RATIO_UPPER, "normal", "60m")):
        assert abs(13 / 985 - bound) == pytest.approx(1.96 * sqrt(bound * (1 - bound) / 985), rel=1e-4)


def test_without_a_classified_call_there_is_no_share() -> None:
    said = readings([offered("c1", 0), answered("c1", 3)], now=9)

    assert said[CLASSIFIED_CALLS, "60m"] == 0
    assert said.by_label(CLASS_RATIO) == {}


def test_a_call_counts_in_the_hour_and_on_the_day_it_came_however_late_it_is_classified() -> None:
    midnight = seconds_to(datetime(2024, 11, 26, tzinfo=ZoneInfo("Asia/Jakarta")))
    events = [offered("c1", midnight - 10), offered("c2", midnight + 10)]
    events += [classified("c1", midnight + 20, "prank"), classified("c2", midnight + 30, "ghost")]

    said = readings(events, now=midnight + 60)
    assert said.by_label(CLASS_RATIO, "prank") == {"60m": 0.5}
    assert said.by_label(CLASS_RATIO, "ghost") == {"60m": 0.5, "today": 1}

    assert readings(events, now=midnight - 10 + HOUR)[CLASSIFIED_CALLS, "60m"] == 1
    assert readings(events, now=midnight + DAY)[CLASSIFIED_CALLS, "today"] == 0


def test_a_call_classified_again_is_what_was_said_last() -> None:
    events = [offered("c1", 0), classified("c1", 60, "prank"), classified("c1", 90, "ghost")]

    said = readings(events, now=100)

    assert said[CLASSIFIED_CALLS, "60m"] == 1
    assert said.by_label(CLASS_RATIO, "prank") == {}
    assert said.by_label(CLASS_RATIO, "ghost") == {"60m": 1, "today": 1}


@pytest.mark.parametrize("arrival_told", [True, False])
def test_a_class_told_twice_counts_once(arrival_told: bool) -> None:
    events: Told = [offered("c1", 0)] if arrival_told else []

    said = readings([*events, classified("c1", 60, "prank"), classified("c1", 61, "prank")], now=100)

    assert said[CLASSIFIED_CALLS, "60m"] == said[CLASSIFIED_CALLS, "today"] == said[CLASSIFIED_TOTAL, "prank"] == 1


def test_a_class_told_before_the_arrival_counts_where_the_call_came() -> None:
    events = [classified("c1", 50, "ghost"), classified("c1", 60, "prank"), offered("c1", 0)]

    assert readings(events[:2], now=100).by_label(CLASS_RATIO, "prank") == {"60m": 1, "today": 1}
    assert readings(events, now=HOUR - 1).by_label(CLASS_RATIO, "prank") == {"60m": 1, "today": 1}
    assert readings(events, now=HOUR).by_label(CLASS_RATIO, "prank") == {"today": 1}


# --- who calls


def test_calls_without_a_caller_are_a_share_of_todays() -> None:
    said = readings([offered("c1", 0), offered("c2", 1, caller="ani"), offered("c3", 2), offered("c4", 3, caller="ani")], now=9)

    assert said[UNKNOWN_CALLS, "today"] == 4
    assert said[UNKNOWN_RATIO, "today"] == 0.5


def test_where_callers_are_never_told_nothing_is_said_of_them() -> None:
    said = readings([offered("c1", 0), abandoned("c1", 60)], now=90)

    assert not {metric for metric, *_ in said} & {REPEAT_CALLERS, CALLBACKS_OPEN, RECOMMENDATIONS_OPEN, CALLERS_PROTECTED}


def test_three_calls_within_a_day_make_a_repeat_caller() -> None:
    events: Told = [offered(f"a{n}", n * 12 * HOUR, caller="ani") for n in range(3)]
    events += [offered("b1", 0, caller="budi"), offered("b2", 9, caller="budi")]

    assert readings(events[:2], now=12 * HOUR)[REPEAT_CALLERS, "24h"] == 0
    assert readings(events, now=DAY - 1)[REPEAT_CALLERS, "24h"] == 0  # the third has not come yet
    assert readings(events, now=DAY)[REPEAT_CALLERS, "24h"] == 0  # the first is a day ago
    assert readings([*events, offered("a4", DAY, caller="ani")], now=DAY)[REPEAT_CALLERS, "24h"] == 1


def test_a_call_that_enters_another_queue_came_once() -> None:
    events = [offered("c1", n, queue, caller="ani") for n, queue in enumerate(("112", "119", "110"))]

    said = readings(events, now=9)

    assert said[REPEAT_CALLERS, "24h"] == 0
    assert said[UNKNOWN_CALLS, "today"] == 1


# --- who is to be called back


def open_callbacks(events: Sequence[CallEvent | CallerEvent], seconds: float) -> dict[str, list[float]]:
    state = calls.settled(fold(events), at(seconds), BOGOR)
    found = callers.callbacks(state.callers, state.funnel.book, at(seconds))
    return {caller: [time - at(0) for time in times] for caller, times in found.items()}


ANI, BUDI = pseudonym_of("ani"), pseudonym_of("budi")


def test_who_hung_up_unanswered_is_to_be_called_back() -> None:
    """
    ani   o────x
    budi     o────a
          0  3 30 40
    """
    events = [offered("c1", 0, caller="ani"), offered("c2", 3, caller="budi"), abandoned("c1", 30), answered("c2", 40)]

    said = readings(events, now=60)

    assert open_callbacks(events, 60) == {ANI: [0]}
    assert said[CALLBACKS_OPEN,] == 1
    assert said[OLDEST_CALLBACK,] == at(0)


@pytest.mark.parametrize("loss", [network_dropped, overflowed])
def test_who_was_dropped_or_turned_away_is_to_be_called_back_however_soon(loss: type) -> None:
    assert open_callbacks([offered("c1", 0, caller="ani"), loss("c1", 1)], 61) == {ANI: [0]}


def test_who_was_turned_away_and_may_still_come_into_another_queue_is_not_called_back_yet() -> None:
    assert open_callbacks([offered("c1", 0, caller="ani"), overflowed("c1", 1)], 60) == {}


def test_who_hung_up_at_once_is_not() -> None:
    events = [offered("c1", 0, caller="ani"), abandoned("c1", 5), offered("c2", 0, caller="budi"), abandoned("c2", 6)]

    assert open_callbacks(events, 9) == {BUDI: [0]}


def test_a_centre_may_call_back_even_those_who_hung_up_at_once() -> None:
    said = readings([offered("c1", 0, caller="ani"), abandoned("c1", 2)], now=9, centre=bogor(short_abandon_seconds=1))

    assert said[CALLBACKS_OPEN,] == 1


def test_whoever_came_through_later_or_was_reached_is_not() -> None:
    lost: Told = [offered("c1", 0, caller="ani"), abandoned("c1", 30), offered("c2", 60, caller="ani"), abandoned("c2", 90)]

    assert open_callbacks(lost, 100) == {ANI: [0, 60]}
    assert open_callbacks([*lost, offered("c3", 120, caller="ani")], 130) == {ANI: [0, 60]}  # waits again, and is not heard yet
    assert open_callbacks([*lost, offered("c3", 120, caller="ani"), answered("c3", 130)], 140) == {}
    assert open_callbacks([*lost, contacted("ani", 50)], 100) == {ANI: [60]}
    assert open_callbacks([*lost, contacted("ani", 95)], 100) == {}


def test_an_earlier_answer_does_not_stand_for_a_later_loss() -> None:
    events = [offered("c1", 0, caller="ani"), answered("c1", 5), offered("c2", 60, caller="ani"), abandoned("c2", 90)]

    assert open_callbacks(events, 100) == {ANI: [60]}


def test_a_callback_stays_open_for_four_hours() -> None:
    events: Told = [offered("c1", 0, caller="ani"), abandoned("c1", 30)]

    assert open_callbacks(events, CALLBACK_SECONDS - 1) == {ANI: [0]}
    said = readings(events, now=CALLBACK_SECONDS)
    assert said[CALLBACKS_OPEN,] == 0
    assert (OLDEST_CALLBACK,) not in said


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_an_answered_call_was_not_lost_whatever_else_is_told_and_in_which_order(order: tuple[int, ...]) -> None:
    events = [offered("c1", 0, caller="ani"), abandoned("c1", 30), answered("c1", 20), network_dropped("c1", 40)]

    assert open_callbacks([events[n] for n in order], 60) == {}


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_who_was_turned_away_did_not_hang_up_whatever_the_exchange_adds(order: tuple[int, ...]) -> None:
    events = [offered("c1", 0, caller="ani"), overflowed("c1", 2), abandoned("c1", 3)]

    assert open_callbacks([events[n] for n in order], 63) == {ANI: [0]}


# --- any order, any number, any time


class Story(NamedTuple):
    """One call from its arrival to its class, in whole minutes and seconds."""

    minute: int
    caller: str | None
    end: str | None
    wait: int
    class_: Class | None


stories = st.lists(
    st.builds(
        Story,
        st.integers(0, 54),
        st.sampled_from(["ani", "budi", None]),
        st.sampled_from(["answered", "abandoned", "overflowed", "network_dropped", None]),
        st.integers(0, 120),
        st.sampled_from([*CLASSES, "prank", "prank", None]),
    ),
    max_size=30,
)
ENDS = {"answered": answered, "abandoned": abandoned, "overflowed": overflowed, "network_dropped": network_dropped}


def events_of(told: Sequence[Story]) -> Told:
    events: Told = []
    for n, story in enumerate(told):
        events.append(offered(f"c{n}", story.minute * 60 + n, caller=story.caller))
        if story.end is not None:
            events.append(ENDS[story.end](f"c{n}", story.minute * 60 + n + story.wait))
        if story.class_ is not None:
            events.append(classified(f"c{n}", story.minute * 60 + n + story.wait + 10, story.class_))
    return events


def brute_force(told: Sequence[Story], now: float) -> dict[str, object]:
    """The same from the definitions, over the stories themselves."""
    arrivals = [story.minute * 60 + n for n, story in enumerate(told)]
    by_caller: dict[str, list[tuple[int, Story]]] = {}
    for time, story in sorted(zip(arrivals, told, strict=True), key=lambda pair: pair[0]):
        if story.caller is not None and story.class_ != "test":
            by_caller.setdefault(story.caller, []).append((time, story))
    classes = Counter(
        story.class_ for time, story in zip(arrivals, told, strict=True) if story.class_ and floor(now) - time < HOUR
    )
    waiting, repeats, blocks = {}, 0, set()
    for caller, own in by_caller.items():
        # Of the hour that the 24 hours begin in nothing counts.
        repeats += sum(time // HOUR > floor(now) // HOUR - 24 for time, _ in own) >= 3
        last_answer = max((time for time, story in own if story.end == "answered"), default=-1)
        lost = [
            time
            for time, story in own
            if now - time < CALLBACK_SECONDS
            and time > last_answer
            and (story.end in {"overflowed", "network_dropped"} or (story.end == "abandoned" and story.wait > 5))
        ]
        if lost:
            waiting[caller] = lost[0]
        pranks = [time for time, story in own if story.class_ == "prank"]
        if len(pranks) >= 3 and now < pranks[-1] + DAY and all(story.class_ != "normal" for _, story in own):
            blocks.add(caller)
    return {
        "classes": dict(classes),
        "repeats": repeats,
        "callbacks": len(waiting),
        "oldest": min(waiting.values(), default=None),
        "blocks": len(blocks),
    }


def summary(said: Said) -> dict[str, object]:
    n = said.number(CLASSIFIED_CALLS, "60m")
    oldest = said.get((OLDEST_CALLBACK,))
    return {
        "classes": {
            class_: round(n * said.number(CLASS_RATIO, class_, "60m"))
            for class_ in CLASSES
            if said.get((CLASS_RATIO, class_, "60m"))
        },
        "repeats": said.get((REPEAT_CALLERS, "24h"), 0),
        "callbacks": said.get((CALLBACKS_OPEN,), 0),
        "oldest": None if not isinstance(oldest, int) else oldest - at(0),
        "blocks": said.get((RECOMMENDATIONS_OPEN,), 0),
    }


@settings(deadline=None)
@given(stories, st.integers(57 * MINUTE, 2 * DAY), st.randoms(use_true_random=False))
def test_facts_in_any_order_come_to_what_a_brute_force_count_says(told: list[Story], now: int, random: Random) -> None:
    events = events_of(told)
    random.shuffle(events)

    assert summary(readings(events, now)) == brute_force(told, now)


@settings(deadline=None, max_examples=50)
@given(stories, st.integers(0, 60))
def test_a_state_written_and_read_back_goes_on_as_if_nothing_had_happened(told: list[Story], cut: int) -> None:
    events = sorted(events_of(told), key=lambda event: event.time)
    first, rest = events[:cut], events[cut:]

    stored = BLOB.validate_json(BLOB.dump_json(fold(first)))

    mine = {metric.name for metric in METRICS}
    whole = {key: value for key, value in readings(events, HOUR).items() if key[0].name in mine}
    assert {key: value for key, value in readings(fold(rest, state=stored), HOUR).items() if key[0].name in mine} == whole


def test_measuring_changes_nothing() -> None:
    state = fold([*came("ani", "prank", 0, 1, 2), *came("budi", "normal", 3), offered("x", 4 * HOUR, caller="caca")])
    before = BLOB.dump_json(state)

    readings(state, now=3 * DAY)

    assert BLOB.dump_json(state) == before

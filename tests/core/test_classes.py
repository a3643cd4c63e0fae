"""Classes of calls: what the words mean, that nothing is refused for its class, and that test calls leave every other figure."""

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from schemas.calls import CallEvent
from streams.core import calls
from streams.core.arrivals import ARRIVED, LAST_CALL, LINK_LAST_CALL
from streams.core.callers import (
    CALLBACKS_OPEN,
    CLASS_RATIO,
    CLASS_RATIO_LOWER,
    CLASS_RATIO_UPPER,
    CLASSIFIED_CALLS,
    CLASSIFIED_TOTAL,
    RECOMMENDATIONS_OPEN,
    REPEAT_CALLERS,
    UNKNOWN_CALLS,
)
from streams.core.calls import (
    ANSWER_CALLS,
    CLOCK_INFO,
    ENDED_TOTAL,
    IN_SERVICE,
    JOURNEY_CLOCK_INFO,
    JOURNEYS_WAITING,
    OFFERED_TOTAL,
    OLDEST_JOURNEY,
    OLDEST_WAITING,
    PEAK,
    PEAK_TIME,
    TODAY,
    WAITING,
)
from streams.core.centre import CentreError, parse
from streams.core.classes import CLASSES, UNKNOWN, USUAL, told
from streams.core.names import PASSED_OVER_TOTAL, UNKNOWN_TOTAL
from streams.core.window import KINDS_MOST, kinds
from tests.builders import (
    BOGOR,
    Said,
    abandoned,
    answered,
    at,
    changed,
    classified,
    ended,
    fold,
    network_dropped,
    offered,
    overflowed,
    queued,
    readings,
    transferred,
)

HOUR = 3600
BLOB = TypeAdapter(calls.State)
TEXT = 'code = "32.78"\nname = "Kota Uji"\ntimezone = "Asia/Jakarta"\n'


# --- words


@pytest.mark.parametrize(
    ("word", "class_"),
    [
        ("Darurat", "normal"),
        ("NON-DARURAT", "non_emergency"),
        ("non emergency", "non_emergency"),
        ("Info", "information"),
        ("iseng", "prank"),
        ("Telepon Iseng", "prank"),
        ("Silent", "ghost"),
        ("hening", "ghost"),
        ("PUTUS", "cut_off"),
        ("Luar Wilayah", "out_of_area"),
        ("salah sambung", "misdirected"),
        ("uji_coba", "test"),
        ("Tes", "test"),
        ("lain-lain", "other"),
        *((name, name) for name in CLASSES),
    ],
)
def test_the_usual_words_mean_a_class_however_they_are_spelt(word: str, class_: str) -> None:
    assert USUAL[word] == told(word, USUAL) == class_


def test_the_words_of_the_file_come_before_the_usual_ones() -> None:
    names = parse(TEXT + '[classes]\nprank = ["Main-main"]\nghost = ["iseng"]').names.classes

    assert [names[word] for word in ("MAIN MAIN", "Iseng", "prank", "hening")] == ["prank", "ghost", "prank", "ghost"]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("[classes]\n\npranks = ['iseng']", "line 6: classes.pranks: Input should be 'normal', 'non_emergency'"),
        ("[classes]\nprank = ['x']\nghost = ['X.']", "line 4: classes: prank and ghost have a name that reads alike"),
        ("[classes]\nghost = ['prank']", "line 4: classes: prank and ghost have a name that reads alike: prank"),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused_with_its_line(table: str, said: str) -> None:
    with pytest.raises(CentreError, match=said):
        parse(TEXT + table)


def test_a_word_that_means_nothing_here_never_leaves_a_reader() -> None:
    assert told("Siti 0812", USUAL) == UNKNOWN
    assert UNKNOWN not in {*CLASSES, *map(USUAL.get, CLASSES)}


def test_a_class_that_nobody_knows_counts_as_other_and_is_counted() -> None:
    events = [event for n, word in enumerate(("Entah", UNKNOWN, "other", "Iseng")) for event in call(n, "answered", [word])]

    said = readings(events, now=600)

    assert said.by_label(CLASSIFIED_TOTAL) == {"other": 3, "prank": 1}
    assert said[UNKNOWN_TOTAL, "class"] == 2


def test_what_cannot_hold_so_many_classes_refuses_them_at_once() -> None:
    assert kinds(KINDS_MOST) == KINDS_MOST
    with pytest.raises(ValueError, match=f"{KINDS_MOST + 1} kinds; a window tells {KINDS_MOST} apart"):
        kinds(KINDS_MOST + 1)


# --- counts


def call(n: int, end: str, classes: list[str], start: float | None = None, caller: str | None = None) -> list[CallEvent]:
    """One call, a minute after the other, in whose story the classes follow each other."""
    name, start = f"c{n}", n * 10.0 if start is None else start
    story = [offered(name, start, caller=caller)]
    if end == "moved":
        story += [queued(name, start + 3, "119"), answered(name, start + 4, f"seat-{name}"), ended(name, start + 30)]
    elif end in ("answered", "transferred", "cut off"):
        over = {"answered": ended, "transferred": transferred, "cut off": network_dropped}[end]
        story += [answered(name, start + 4, f"seat-{name}"), over(name, start + 30)]
    elif end != "waiting":
        losses: dict[str, Callable[[str, float], CallEvent]] = {
            "abandoned": abandoned,
            "overflowed": overflowed,
            "network_dropped": network_dropped,
        }
        story.append(losses[end](name, start + 7))
    return [*story, *(classified(name, start + 31 + number, word) for number, word in enumerate(classes))]


def test_the_shares_of_tasikmalaya_in_six_classes() -> None:
    """Kota Tasikmalaya, 1 to 15 April 2024: 682 calls."""
    counts = {"normal": 36, "non_emergency": 38, "misdirected": 103, "ghost": 245, "prank": 239, "test": 21}
    words = [word for word, count in counts.items() for _ in range(count)]

    said = readings([event for n, word in enumerate(words) for event in call(n, "answered", [word])], now=682 * 10 + 60)

    assert said.by_label(CLASSIFIED_TOTAL) == counts
    assert said[CLASSIFIED_CALLS, "today"] == 682
    assert said[CLASS_RATIO, "ghost", "today"] == pytest.approx(245 / 682)
    assert round(100 * said.number(CLASS_RATIO, "ghost", "today"), 1) == 35.9
    assert round(100 * said.number(CLASS_RATIO, "prank", "today"), 1) == 35.0
    assert said.by_label(TODAY) == {"offered": 661, "answered": 661}


ENDS = ("answered", "transferred", "cut off", "moved", "abandoned", "overflowed", "network_dropped", "waiting")
CENTRE = changed(BOGOR, queues=["112", "119"])


def figures(state: calls.State, now: float) -> dict[object, object]:
    """All that test calls leave: what is said but counters, classes and who waits now; and what is remembered for forecasts."""
    left_out = {
        PEAK,
        PEAK_TIME,
        JOURNEYS_WAITING,
        OLDEST_JOURNEY,
        JOURNEY_CLOCK_INFO,
        WAITING,
        OLDEST_WAITING,
        IN_SERVICE,
        CLOCK_INFO,
        LAST_CALL,
        LINK_LAST_CALL,
        CLASSIFIED_CALLS,
    }
    left_out |= {CLASS_RATIO, CLASS_RATIO_LOWER, CLASS_RATIO_UPPER}
    spoken = readings(state, now, CENTRE).items()
    said = {key: value for key, value in spoken if value and key[0].kind == "gauge" and key[0] not in left_out}
    workload = state.funnel.workload
    hours = {hour: n for hour, n in state.forecast.hourly(0, 10**9).items() if n}
    weeks = {name: {week: n for week, n in link.weeks.items() if n} for name, link in state.forecast.links.items()}
    taken = {hour: n for hour, n in state.funnel.taken.items() if n}
    return said | {
        "hours": hours,
        "weeks": weeks,
        "taken": taken,
        "handled": [sum(part.sums) for part in (workload.calls, workload.microseconds)],
    }


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("when", range(5))
def test_a_test_call_leaves_every_other_figure_whenever_it_is_told(end: str, when: int) -> None:
    """Before its arrival, while it waits or talks, or after its end; and a correction brings it back."""
    real = call(1, "answered", ["normal"], caller="ani")
    *story, last = call(2, end, ["test"], caller="budi")
    events = [*story[:when], last, *story[when:]]

    state = fold([*real, *events], CENTRE)
    assert figures(state, 90) == figures(fold(real, CENTRE), 90)
    assert readings(state, 90, CENTRE)[CLASSIFIED_CALLS, "60m"] == 2

    state = fold([classified("c2", 80, "information")], CENTRE, state)
    assert figures(state, 90) == figures(fold([*real, *story], CENTRE), 90)


@pytest.mark.parametrize("caller", ["ani", None])
def test_counters_say_what_was_told_of_test_calls_too_and_never_fall(caller: str | None) -> None:
    events = call(1, "answered", [], caller=caller)
    before = readings(fold(events), 60)

    after = readings(fold([*events, classified("c1", 50, "Uji Coba")]), 60)

    assert after[OFFERED_TOTAL, "112"] == before[OFFERED_TOTAL, "112"] == 1
    assert after.by_label(ENDED_TOTAL, "112") == before.by_label(ENDED_TOTAL, "112") == {"answered": 1}
    fall = ((TODAY, "offered"), (ANSWER_CALLS, "60m"), (ARRIVED, "60m"), (UNKNOWN_CALLS, "today"))
    assert [before[key] for key in fall] == [1, 1, 1, 1]
    assert [after[key] for key in fall] == [0, 0, 0, 0]


def test_a_test_call_makes_no_repeat_caller_no_callback_and_no_prank() -> None:
    events = [event for n in range(3) for event in call(n, "abandoned", ["prank"], caller="ani")]
    before = readings(events, 600)
    assert (before[REPEAT_CALLERS, "24h"], before[CALLBACKS_OPEN,], before[RECOMMENDATIONS_OPEN,]) == (1, 1, 1)

    tests = [classified(f"c{n}", 500 + n, "test") for n in range(3)]
    after = readings([*events, *tests], 600)
    assert (after[REPEAT_CALLERS, "24h"], after[CALLBACKS_OPEN,], after[RECOMMENDATIONS_OPEN,]) == (0, 0, 0)

    later = readings([*events, *tests, *call(9, "answered", [], 8 * HOUR, "budi")], 8 * HOUR + 60)
    assert later[REPEAT_CALLERS, "24h"] == 0, "also once the book keeps only marks of that hour"


def test_a_test_call_on_a_link_shows_that_it_works_and_is_no_share_of_it() -> None:
    state = fold([offered("c1", 0, link="sip-telkom"), classified("c1", 9, "test")])

    assert state.forecast.links["sip-telkom"].last == at(0)
    assert list(state.forecast.links["sip-telkom"].weeks.values()) == [0]


def test_a_day_of_tests_alone_is_seen_in_whatever_order_it_is_told() -> None:
    story = call(1, "answered", ["test"])

    assert readings(story, 60) == readings([story[-1], *story[:-1]], 60)
    assert readings(story, 60)[ARRIVED, "60m"] == 0


@st.composite
def stories(draw: st.DrawFn) -> list[tuple[list[CallEvent], bool]]:
    """Calls of one hour, in whose stories classes follow each other; and whether the last of them says that it was a test."""
    told = []
    for n in range(draw(st.integers(0, 6))):
        words = draw(st.lists(st.sampled_from(["test", "test", "prank", "ghost", "entah"]), max_size=4))
        end, start = draw(st.sampled_from(ENDS)), draw(st.integers(0, 3000))
        told.append((call(n, end, words, start, draw(st.sampled_from(["ani", "budi", None]))), words[-1:] == ["test"]))
    return told


def shuffled(told: list[list[CallEvent]], dice: Random) -> list[CallEvent]:
    """The stories told through each other, and the classes of each call, one after the other, anywhere."""
    chains: dict[tuple[str, bool], list[CallEvent]] = {}
    for event in [event for story in told for event in story]:
        chains.setdefault((event.data.call, event.type == "call.classified"), []).append(event)
    turns = [name for name, events in chains.items() for _ in events]
    dice.shuffle(turns)
    return [chains[name].pop(0) for name in turns]


@settings(deadline=None, max_examples=60)
@given(stories(), st.randoms(use_true_random=False), st.integers(3100, 4 * HOUR), st.integers(0, 80))
def test_any_history_says_what_it_would_have_said_without_its_test_calls(
    told: list[tuple[list[CallEvent], bool]], dice: Random, now: int, cut: int
) -> None:
    """Whenever classes are told, and wherever the state was put away."""
    events = shuffled([story for story, _ in told], dice)
    tests = {story[0].data.call for story, test in told if test}
    real = [event for event in events if event.data.call not in tests]
    state = fold(events[:cut], CENTRE)
    state = fold(events[cut:], CENTRE, BLOB.validate_json(BLOB.dump_json(state)))

    assert figures(state, now) == figures(fold(real, CENTRE), now)
    assert_conserved(readings(state, now, CENTRE))
    assert PASSED_OVER_TOTAL not in {key[0] for key in readings(state, now, CENTRE)}


def assert_conserved(said: Said) -> None:
    for queue in ("112", "119"):
        assert said.number(OFFERED_TOTAL, queue) == sum(said.by_label(ENDED_TOTAL, queue).values()) + said.number(WAITING, queue)

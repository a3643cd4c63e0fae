"""A key is changed while callers are remembered, and a caller is forgotten: what figures say before, between and after."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from schemas.callers import CallerEvent
from schemas.calls import CallEvent, Class
from streams.core import callers, calls
from streams.core.aliases import MOST
from streams.core.callbook import REACH, shortened
from streams.core.callers import (
    BLOCKS_ACTIVE,
    CALLBACKS_OPEN,
    CALLERS_PROTECTED,
    OLDEST_CALLBACK,
    PROTECTED,
    RECOMMENDATIONS_OPEN,
    REPEAT_CALLERS,
    UNKNOWN_CALLS,
)
from streams.core.reading import Metric
from tests.builders import (
    abandoned,
    answered,
    approved,
    at,
    classified,
    contacted,
    declined,
    ended,
    erased,
    fold,
    lifted,
    offered,
    pseudonym_of,
    readings,
    recommended,
)

HOUR, DAY = 3_600, 86_400
NAMES = ("ani", "budi", "citra")
BLOB = TypeAdapter(calls.State)

Told = list[CallEvent | CallerEvent]


class Happening(NamedTuple):
    """What a caller does or what is decided about it, so many seconds after the last."""

    what: str
    caller: str
    after: int
    is_told_before: bool
    """Whether it is told under the former key alone, though the new one is in use: by a source that has it not yet."""


what = st.sampled_from(
    ("prank", "normal", "ghost", "lost", "recommended", "approved", "declined", "lifted", "contacted", "erased")
)
happenings = st.lists(
    st.builds(Happening, what, st.sampled_from(NAMES), st.sampled_from((1, 59, 600, HOUR, 6 * HOUR, 9 * HOUR)), st.booleans()),
    max_size=30,
)


def tell(story: list[Happening], name: Callable[[int, Happening], tuple[str, str | None]]) -> Iterator[tuple[float, Told]]:
    """The events of each happening with its moment, under the name and the former name that are told with it."""
    now = 0.0
    for number, one in enumerate(story):
        now += one.after
        caller, before = name(number, one)
        call = f"c{number}"
        match one.what:
            case "recommended":
                yield now, [recommended(caller, now, now + DAY)]
            case "approved":
                yield now, [approved(caller, now, now + DAY)]
            case "declined":
                yield now, [declined(caller, now)]
            case "lifted":
                yield now, [lifted(caller, now)]
            case "contacted":
                yield now, [contacted(caller, now)]
            case "erased":
                yield now, [erased(caller, now, before)]
            case "lost":
                yield now, [offered(call, now, caller=caller, before=before), abandoned(call, now + 0.5)]
            case class_:
                said: Class = class_  # type: ignore[assignment]
                yield now, [offered(call, now, caller=caller, before=before), classified(call, now + 0.5, said)]


def figures(told: Iterator[tuple[float, Told]]) -> list[Any]:
    """What is said after each, and what the monitor would recommend, but of whom."""
    state, said = calls.State(), list[Any]()
    for now, events in told:
        fold(events, state=state)
        said.append((readings(state, now + 1), sorted(found[1:] for found in callers.due(state.callers, at(now + 1)))))
    return said


def is_call(one: Happening) -> bool:
    return one.what in ("prank", "normal", "ghost", "lost")


@settings(max_examples=150, deadline=None)
@given(happenings, st.integers(0, 30), st.integers(0, 30))
def test_a_key_changed_at_any_moment_changes_no_figure(story: list[Happening], changed: int, deleted: int) -> None:
    joined: set[str] = set()

    def name(number: int, one: Happening) -> tuple[str, str | None]:
        if one.what == "erased":
            joined.discard(one.caller)
            return (one.caller, None) if number < changed else (f"{one.caller}-anew", one.caller)
        if number < changed or one.is_told_before:
            return one.caller, None
        if one.caller in joined and (number >= changed + deleted or not is_call(one)):
            return f"{one.caller}-anew", None
        if not is_call(one):
            return one.caller, None  # as it is listed so far
        joined.add(one.caller)
        return f"{one.caller}-anew", one.caller

    assert figures(tell(story, name)) == figures(tell(story, lambda _, one: (one.caller, None)))


@settings(max_examples=100, deadline=None)
@given(happenings, st.permutations(range(30)))
def test_once_all_were_told_under_both_keys_it_does_not_matter_who_was_told_when_under_which(
    story: list[Happening], order: list[int]
) -> None:
    def name(number: int, one: Happening) -> tuple[str, str | None]:
        if one.what == "erased":
            return f"{one.caller}-anew", one.caller
        return [(one.caller, None), (f"{one.caller}-anew", one.caller), (f"{one.caller}-anew", None)][order[number] % 3]

    end = sum(one.after for one in story) + 10.0
    last = [offered(f"last-{caller}", end + n, caller=f"{caller}-anew", before=caller) for n, caller in enumerate(NAMES)]
    plain = [offered(f"last-{caller}", end + n, caller=caller) for n, caller in enumerate(NAMES)]

    mixed = [event for _, events in tell(story, name) for event in events]
    as_if = [event for _, events in tell(story, lambda _, one: (one.caller, None)) for event in events]

    assert readings([*mixed, *last], end + 60) == readings([*as_if, *plain], end + 60)


def test_a_second_change_of_the_key_is_joined_with_the_first() -> None:
    story: Told = [offered("c1", 0, caller="k1"), offered("c2", 60, caller="k2", before="k1")]
    story += [offered("c3", 120, caller="k3", before="k2"), offered("c4", 180, caller="k1")]

    assert readings(story, 200)[REPEAT_CALLERS, "24h"] == 1
    assert set(fold(story).callers.aliases.names.values()) == {shortened(pseudonym_of("k3"))}


def test_two_sources_that_have_the_keys_the_other_way_round_still_tell_of_one_caller() -> None:
    story: Told = [offered(f"c{n}", n, caller="ab"[n % 2], before="ba"[n % 2]) for n in range(6)]

    assert readings(story, 10)[REPEAT_CALLERS, "24h"] == 1
    assert len(fold(story).callers.aliases.names) == 1


def test_of_too_many_former_names_the_newest_are_kept() -> None:
    state = fold([offered(f"c{n}", n / 10, caller=f"new-{n}", before=f"old-{n}") for n in range(MOST + 2)])

    assert len(state.callers.aliases.names) == MOST
    assert state.callers.aliases.name(shortened(pseudonym_of("old-451"))) == shortened(pseudonym_of("new-451"))


# --- erasing


def everything_of(name: str) -> Told:
    """A caller of whom all is remembered that can be."""
    story: Told = []
    for n in range(4):
        story += [offered(f"{name}{n}", 60 * n, caller=name), abandoned(f"{name}{n}", 60 * n + 30)]
        story += [classified(f"{name}{n}", 60 * n + 40, "prank")]
    story += [approved(name, 300, DAY), contacted(name, 400), offered(f"{name}9", 500, caller=name)]
    return [*story, classified(f"{name}9", 510, "normal")]


def test_nothing_of_an_erased_caller_is_left_in_the_state() -> None:
    before = fold(everything_of("ani"))
    short = shortened(pseudonym_of("ani"))
    assert BLOB.dump_json(before).decode().count(short) > 5

    state = fold([erased("ani", 600)], state=before)

    blob = BLOB.dump_json(state).decode()
    assert short not in blob
    assert short[:6] not in blob


@pytest.mark.parametrize("hours", [1, REACH + 2, 23])
def test_an_erased_caller_is_left_in_no_earlier_hour_either(hours: int) -> None:
    state = fold([*everything_of("ani"), offered("later", hours * HOUR, caller="budi")])

    fold([erased("ani", hours * HOUR + 1)], state=state)

    assert shortened(pseudonym_of("ani"))[:6] not in BLOB.dump_json(state).decode()


def test_erasing_a_caller_changes_the_figures_of_callers_alone() -> None:
    story = [*everything_of("ani"), *everything_of("budi")]
    story = sorted(story, key=lambda event: event.time)
    before, after = readings(story, 700), readings([*story, erased("ani", 600)], 700)

    of_callers: set[Metric] = {
        REPEAT_CALLERS, CALLBACKS_OPEN, OLDEST_CALLBACK, BLOCKS_ACTIVE, CALLERS_PROTECTED, RECOMMENDATIONS_OPEN
    }  # fmt: skip
    changed = {said[0] for said in before.keys() | after.keys() if before.get(said) != after.get(said)}
    assert changed <= of_callers
    for one in ((REPEAT_CALLERS, "24h"), (BLOCKS_ACTIVE,), (CALLERS_PROTECTED,)):
        assert (before[one], after[one]) == (2, 1)


def test_who_calls_after_being_erased_is_a_stranger() -> None:
    story = [*everything_of("ani"), erased("ani", 600)]
    anew: Told = []
    for n in range(3):
        anew += [offered(f"n{n}", 700 + n, caller="ani"), classified(f"n{n}", 710 + n, "prank")]
    state = fold([*story, *anew])

    (found,) = callers.recommend(state.callers, at(800))
    assert (found.pranks, found.stage) == (3, "24h")


def test_nobody_who_was_erased_is_called_back() -> None:
    story: Told = [offered("c1", 0, caller="ani"), abandoned("c1", 60), offered("c2", 0, caller="budi"), abandoned("c2", 60)]
    state = fold([*story, erased("ani", 100)])

    assert list(callers.callbacks(state.callers, state.funnel.book, at(200))) == [pseudonym_of("budi")]


def test_what_is_said_of_an_erased_callers_call_later_is_said_of_nobody() -> None:
    story: Told = [offered("c1", 0, caller="ani"), answered("c1", 5), ended("c1", 60), erased("ani", 100)]
    for class_ in ("normal", "prank", "test"):
        state = fold([*story, classified("c1", 200, class_)])

        assert (state.callers.protected, state.callers.pranks) == ("", {})
        assert readings(state, 300)[UNKNOWN_CALLS, "today"] == (0 if class_ == "test" else 1)


@pytest.mark.parametrize("named", [("new", "old"), ("old", None), ("new", None)])
def test_a_caller_is_erased_under_both_keys(named: tuple[str, str | None]) -> None:
    story = [*everything_of("old"), offered("c", 550, caller="new", before="old")]
    state = fold([*story, erased(named[0], 600, named[1])])

    blob = BLOB.dump_json(state).decode()
    for name in ("old", "new"):
        assert shortened(pseudonym_of(name))[:6] not in blob


def test_a_caller_that_never_called_under_the_new_key_is_erased_too() -> None:
    state = fold([*everything_of("old"), erased("new", 600, "old")])

    assert shortened(pseudonym_of("old"))[:6] not in BLOB.dump_json(state).decode()


def test_once_the_protected_were_too_many_erasing_one_lets_nobody_be_recommended_again() -> None:
    state = fold(everything_of("ani"))
    state.callers.protected += "A" * 6 * (PROTECTED - 1)
    fold([erased("ani", 600)], state=state)

    assert shortened(pseudonym_of("ani"))[:6] not in state.callers.protected
    assert state.callers.is_protected("somebody else entirely")

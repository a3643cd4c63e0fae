"""Blocks: about whom a person has to decide, what was decided, and that nobody is asked twice or blocked for a silent call."""

import pytest

from schemas.callers import CallerEvent
from schemas.calls import CallEvent, Class
from streams.core import callers, calls
from streams.core.blocks import PRANK_CALLERS, PRANKS_EACH, RECORDS, Recommendation
from streams.core.callbook import shortened
from streams.core.callers import (
    BLOCKS_ACTIVE,
    CALLERS_PROTECTED,
    RECOMMENDATIONS_OPEN,
)
from streams.core.classes import CLASSES
from tests.builders import (
    BOGOR,
    approved,
    at,
    came,
    classified,
    declined,
    fold,
    lifted,
    offered,
    pseudonym_of,
    readings,
    recommended,
)

HOUR, DAY = 3_600, 86_400
ANI = pseudonym_of("ani")

Told = list[CallEvent | CallerEvent]


def recommendations(events: Told | calls.State, hour: float) -> list[Recommendation]:
    state = events if isinstance(events, calls.State) else fold(events)
    return list(callers.recommend(state.callers, at(hour * HOUR)))


def test_three_pranks_within_a_day_are_recommended_with_the_numbers() -> None:
    """
    ani   p    p         p
          0    4        20       44 h
    """
    events = came("ani", "prank", 0, 4, 20)
    [found] = recommendations(events, 21)

    assert found == Recommendation(ANI, "24h", pranks=3, since=int(at(0)), until=int(at(44 * HOUR)))
    assert recommendations(events[:8], 21) == []
    assert readings(events, now=21 * HOUR)[RECOMMENDATIONS_OPEN,] == 1


def test_a_recommendation_expires_a_day_after_the_last_prank() -> None:
    events = came("ani", "prank", 0, 4, 20)

    assert len(recommendations(events, 43.99)) == 1
    assert recommendations(events, 44) == []


def test_three_pranks_in_more_than_a_day_are_not_recommended() -> None:
    assert recommendations(came("ani", "prank", 0, 12, 24), 25) == []
    assert len(recommendations(came("ani", "prank", 0, 12, 23.9), 25)) == 1


def test_one_more_prank_much_later_takes_nothing_back() -> None:
    """What was so at 2 h still stands when at 25.5 h only two are within the last 24."""
    [found] = recommendations(came("ani", "prank", 0, 1, 2, 25.5), 25.6)

    assert (found.pranks, found.until) == (3, int(at(26 * HOUR)))


@pytest.mark.parametrize("class_", [class_ for class_ in CLASSES if class_ != "prank"])
def test_no_other_class_counts_towards_a_block(class_: Class) -> None:
    """Ghost above all: a silent caller may be in danger."""
    assert recommendations([*came("ani", class_, *range(20)), *came("ani", "prank", 20, 21)], 22) == []


def test_a_prank_said_to_be_a_ghost_later_no_longer_counts() -> None:
    events = came("ani", "prank", 0, 1, 2)

    assert recommendations([*events, classified("ani-prank-1", 3 * HOUR, "ghost")], 4) == []


@pytest.mark.parametrize("hour", [0, 1.5, 5], ids=["before", "between", "after"])
def test_a_caller_with_a_real_incident_is_never_recommended(hour: float) -> None:
    events = sorted([*came("ani", "prank", 1, 2, 3), *came("ani", "normal", hour)], key=lambda event: event.time)

    assert recommendations(events, 6) == []
    assert readings(events, now=6 * HOUR)[CALLERS_PROTECTED,] == 1


def test_a_real_incident_protects_for_ever_and_even_if_it_is_said_to_be_a_prank_later() -> None:
    events = came("ani", "normal", 0)
    events += [classified("ani-normal-0", 2 * HOUR, "prank"), *came("ani", "prank", 5_000, 5_001, 5_002)]

    assert recommendations(events, 5_003) == []


def test_a_real_incident_protects_even_if_all_that_was_said_of_it_was_said_before_its_arrival() -> None:
    early: Told = [classified("c1", 5, "normal"), classified("c1", 6, "prank"), offered("c1", 0, caller="ani")]

    assert recommendations([*early, *came("ani", "prank", 1, 2, 3)], 4) == []
    assert len(recommendations([*early[1:], *came("ani", "prank", 1, 2, 3)], 4)) == 1


def test_once_too_many_are_protected_nobody_is_recommended_because_somebody_real_could_be_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(callers, "PROTECTED", 3)
    pranks = came("eva", "prank", 1, 2, 3)
    real = [event for name in ("ani", "budi", "caca", "dedi") for event in came(name, "normal", 0)]

    assert len(recommendations([*real[:8], *pranks], 4)) == 1
    assert recommendations([*real, *pranks], 4) == []
    assert readings([*real, *pranks], now=4 * HOUR)[CALLERS_PROTECTED,] == 3


def test_a_block_is_first_a_day_then_three_days_then_a_persons_review() -> None:
    events: Told = []
    stages = []
    for n, length in enumerate((24, 72, 96, 24)):
        start = n * 150
        events += came("ani", "prank", start, start + 1, start + 2)
        [found] = recommendations(events, start + 3)
        stages.append(found.stage)
        events.append(approved("ani", (start + 3) * HOUR, (start + 3 + length) * HOUR, found.stage))
    assert stages == ["24h", "3d", "review", "review"]


def test_a_block_long_ago_or_lifted_does_not_make_the_next_one_longer() -> None:
    first = [*came("ani", "prank", 0, 1, 2), approved("ani", 3 * HOUR, 27 * HOUR)]
    next_month = 3 + 30 * 24

    [found] = recommendations([*first, *came("ani", "prank", next_month - 4, next_month - 3, next_month - 2)], next_month - 1)
    assert found.stage == "3d"
    [found] = recommendations([*first, *came("ani", "prank", next_month - 2, next_month - 1, next_month)], next_month + 1)
    assert found.stage == "24h"
    [found] = recommendations([*first, lifted("ani", 4 * HOUR), *came("ani", "prank", 5, 6, 7)], 8)
    assert found.stage == "24h"


@pytest.mark.parametrize(
    "decision",
    [
        [declined("ani", 3 * HOUR)],
        [approved("ani", 3 * HOUR, 4 * HOUR)],
        [approved("ani", 3 * HOUR, 27 * HOUR), lifted("ani", 4 * HOUR)],
    ],
    ids=["declined", "approved and expired", "approved and lifted"],
)
def test_what_was_decided_is_not_asked_again_until_there_are_three_new_pranks(decision: Told) -> None:
    events = [*came("ani", "prank", 0, 1, 2), *decision]

    assert recommendations(events, 5) == []
    assert recommendations([*events, *came("ani", "prank", 6, 7)], 8) == []
    [found] = recommendations([*events, *came("ani", "prank", 6, 7, 8)], 9)
    assert (found.pranks, found.since) == (3, int(at(6 * HOUR)))


def test_an_approved_block_is_active_until_it_expires_or_is_lifted() -> None:
    events: Told = [*came("ani", "prank", 0, 1, 2), approved("ani", 3 * HOUR, 27 * HOUR)]

    assert readings(events, now=3 * HOUR)[BLOCKS_ACTIVE,] == 1
    assert readings(events, now=27 * HOUR - 1)[BLOCKS_ACTIVE,] == 1
    assert readings(events, now=27 * HOUR)[BLOCKS_ACTIVE,] == 0
    assert readings([*events, lifted("ani", 4 * HOUR)], now=5 * HOUR)[BLOCKS_ACTIVE,] == 0
    assert readings(events, now=3 * HOUR)[RECOMMENDATIONS_OPEN,] == 0


def test_pranks_that_slip_through_a_block_ask_for_nothing_while_it_lasts_or_once_it_is_lifted() -> None:
    events: Told = [*came("ani", "prank", 0, 1, 2), approved("ani", 3 * HOUR, 27 * HOUR), *came("ani", "prank", 4, 5, 6)]

    assert recommendations(events, 7) == []
    assert recommendations([*events, lifted("ani", 7 * HOUR)], 8) == []
    assert [found.stage for found in recommendations(events, 28)] == ["3d"]


def test_decisions_told_in_any_order_or_twice_come_to_the_same() -> None:
    decisions: Told = [
        recommended("ani", 2 * HOUR, 26 * HOUR),
        approved("ani", 3 * HOUR, 27 * HOUR),
        lifted("ani", 4 * HOUR),
        declined("ani", 5 * HOUR),
        approved("ani", 6 * HOUR, 80 * HOUR, "3d"),
    ]
    found = []
    for story in (decisions, decisions[::-1], decisions[3:] + decisions[:3]):
        state = calls.State()
        for event in story * 2:  # past the ledger
            calls.step(state, event, event.time.timestamp(), BOGOR)
        found.append(state.callers.records)
    assert found[0] == found[1] == found[2]
    assert readings(state, now=7 * HOUR)[BLOCKS_ACTIVE,] == 1


def due(events: Told, hour: float) -> list[Recommendation]:
    return list(callers.due(fold(events).callers, at(hour * HOUR)))


def test_a_recommendation_is_due_until_it_was_told_and_again_when_it_would_lapse() -> None:
    events: Told = came("ani", "prank", 0, 1, 2)
    assert len(due(events, 3)) == 1

    events.append(recommended("ani", 3 * HOUR, 26 * HOUR))
    events += came("ani", "prank", 20)
    assert due(events, 21) == []
    assert recommendations(events, 21) != []
    [found] = due(events, 27)
    assert found.until == at(44 * HOUR)


def test_new_pranks_after_a_decision_are_told_although_the_old_recommendation_would_still_stand() -> None:
    events: Told = [*came("ani", "prank", 0, 1, 2), recommended("ani", 2 * HOUR, 26 * HOUR), declined("ani", 3 * HOUR)]

    assert len(due([*events, *came("ani", "prank", 4, 5, 6)], 7)) == 1


def test_nobody_is_told_of_the_pranks_of_a_recording() -> None:
    events: Told = [event.model_copy(update={"replayed": True}) for event in came("ani", "prank", 0, 1, 2)]

    assert len(recommendations(events, 3)) == 1
    assert due(events, 3) == []
    assert due([*events, *came("ani", "prank", 3)], 4) == []  # partly a recording's
    assert len(due([*events, *came("budi", "prank", 3, 4, 5)], 6)) == 1


def test_of_too_many_pranks_the_newest_are_remembered() -> None:
    state = fold(came("ani", "prank", *(n / 60 for n in range(PRANKS_EACH + 20))))
    [found] = recommendations(state, 3)
    assert (found.pranks, found.since) == (PRANKS_EACH, int(at(20 * 60)))

    others = (came(f"caller-{n}", "prank", 2 + n / 3600) for n in range(PRANK_CALLERS))
    state = fold([event for call in others for event in call], state=state)
    assert len(state.callers.pranks) == PRANK_CALLERS
    assert recommendations(state, 3) == []
    assert state.strangers.passed_over == {"pranks": 1}


def test_the_oldest_decision_is_forgotten_when_there_are_too_many() -> None:
    state = fold([approved(f"caller-{n}", n, n + HOUR) for n in range(RECORDS + 10)])

    assert len(state.callers.records) == RECORDS
    assert shortened(pseudonym_of("caller-0")) not in state.callers.records
    assert shortened(pseudonym_of(f"caller-{RECORDS + 9}")) in state.callers.records

"""Patience is of those who queued, and is known from those who hung up there."""

from random import Random

import pytest
from pydantic import TypeAdapter

from schemas.calls import CallEvent
from streams.core import calls
from streams.core.nouns import States
from streams.core.nouns import measure as measure_nouns
from streams.core.patience import BALKED, DAYS, HUNG_UP, MEAN, RECENT_HOURS, Patience, Queued
from tests.builders import BOGOR, Said, abandoned, answered, at, fold, offered, overflowed, queued, said

HOUR = 3600


def told(events: list[CallEvent], now: float = HOUR) -> Said:
    return said(measure_nouns(States(calls=fold(sorted(events, key=lambda event: event.time))), at(now), BOGOR))


def hang_ups(n: int, wait: float, start: float = 0) -> list[CallEvent]:
    return [
        event
        for k in range(n)
        for event in (offered(f"x{start}-{wait}-{k}", start + k), abandoned(f"x{start}-{wait}-{k}", start + k + wait))
    ]


def answers(n: int, wait: float, start: float = 0) -> list[CallEvent]:
    return [
        event for k in range(n) for event in (offered(f"a{start}-{k}", start + k), answered(f"a{start}-{k}", start + k + wait))
    ]


def test_patience_is_all_time_waited_by_those_who_hung_up_known_without_any_forecast() -> None:
    found = told(hang_ups(30, 40) + answers(270, 6))

    assert found[MEAN,] == (30 * 40 + 270 * 6) / 30
    assert found[HUNG_UP,] == 30


def test_it_is_not_believed_of_fewer_than_thirty() -> None:
    found = told(hang_ups(29, 40) + answers(270, 6))

    assert (MEAN,) not in found
    assert found[HUNG_UP,] == 29


def test_who_hangs_up_at_once_did_not_queue() -> None:
    found = told(hang_ups(30, 40) + hang_ups(50, 0, 100) + answers(9, 0, 200))

    assert (found[MEAN,], found[HUNG_UP,], found[BALKED,]) == (40, 30, 50)


def test_the_announcement_is_no_queue() -> None:
    """
    told     o──────q────────x     20 s of patience, however long the announcement
    before   o──x                  in no queue
             0  8   10       30
    """
    events = [offered("first", 0), queued("first", 1), answered("first", 2)]
    for n in range(40):
        events += [offered(f"q{n}", 100 + n), queued(f"q{n}", 110 + n), abandoned(f"q{n}", 130 + n)]
        events += [offered(f"b{n}", 100 + n), abandoned(f"b{n}", 108 + n)]
    found = told(events)

    assert found[HUNG_UP,] == 40
    assert found[MEAN,] == (40 * 20 + 1) / 40


def test_what_was_lost_before_the_exchange_told_of_queues_is_taken_back() -> None:
    early = [event for n in range(40) for event in (offered(f"b{n}", n), abandoned(f"b{n}", n + 8))]
    found = told([*early, offered("c", 90), queued("c", 95), answered("c", 96)])

    assert (found[HUNG_UP,], (MEAN,) in found) == (0, False)


def test_who_is_turned_away_waited_without_losing_patience() -> None:
    """
    112  q────────v
    113           q─────a
         0       30    45
    """
    moved = [
        event
        for n in range(10)
        for event in (queued(f"m{n}", n), overflowed(f"m{n}", n + 30), queued(f"m{n}", n + 30, "113"), answered(f"m{n}", n + 45))
    ]
    away = [event for n in range(10) for event in (queued(f"v{n}", n), overflowed(f"v{n}", n + 60))]

    assert told(hang_ups(30, 40) + moved + away)[MEAN,] == (30 * 40 + 10 * 45 + 10 * 60) / 30


def test_an_hour_of_which_not_all_was_seen_teaches_nothing() -> None:
    known = Patience()
    known.settle(at(0), ())
    for hour in range(100):
        for _ in range(10):
            known.add(at(hour * HOUR), 900 if hour == 7 else 30, hung_up=True)
        known.settle(at(hour * HOUR), {int(at(7 * HOUR)) // HOUR} if hour - 7 >= RECENT_HOURS else ())
    blind = {int(at(hour * HOUR)) // HOUR for hour in (97, 98)}

    assert known.queued(blind) == Queued(97 * 10 * 30_000_000, 97 * 10)


@pytest.mark.parametrize("late", [0, 60])
def test_patience_follows_what_changes_within_five_weeks(late: float) -> None:
    known, dice = Patience(), Random(1)
    for hour in range(80 * 24):
        known.settle(at(hour * HOUR), ())
        known.add(at((hour - dice.uniform(0, late)) * HOUR), 90 if hour < 40 * 24 else 30, hung_up=True)

    assert known.queued(()).patience == 30
    assert (DAYS - 3) * 24 < known.queued(()).hung_up <= DAYS * 24
    assert len(TypeAdapter(Patience).dump_json(known)) < 3_000


def test_nothing_is_learned_in_the_fold_of_a_blind_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    first = int(at(0)) // HOUR
    monkeypatch.setattr("streams.core.forecast.Forecast.unseen", lambda _: frozenset({first}))
    state = fold([*hang_ups(30, 900), *hang_ups(30, 40, 5 * HOUR)])
    for later in (6 * HOUR, 60 * HOUR):
        fold([offered(f"c{later}", later)], BOGOR, state)
        assert _mean(state) == 40


def _mean(state: calls.State) -> float | None:
    return state.funnel.patience.queued(state.forecast.unseen()).patience

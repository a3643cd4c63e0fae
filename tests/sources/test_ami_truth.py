"""What a real Asterisk told by its manager interface, held against what its callers, seats and registrar saw."""

from collections import deque
from collections.abc import Iterable
from functools import cache
from random import Random
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.event import Event
from schemas.topics import CALLS as CALLS_TOPIC
from schemas.topics import OPERATORS as OPERATORS_TOPIC
from streams.analysis.measure import fold
from streams.core import calls, operators
from streams.core.calls import (
    CUT_OFF_TOTAL,
    ENDED_TOTAL,
    HANDLE_SECONDS,
    JOURNEY_WAIT_SECONDS,
    JOURNEYS_ENDED_TOTAL,
    JOURNEYS_OFFERED_TOTAL,
    OFFERED_TOTAL,
    PEAK,
    UNENDED_TOTAL,
    WAIT_SECONDS,
)
from streams.core.centre import Centre
from streams.sources import Line, ami, read
from streams.sources.door import Door
from streams.sources.pseudonym import keyed
from tests.builders import Said, changed, said
from tests.conftest import DATA
from tests.sources.recording_a import CALLS, CENTRE, SOURCE, START, TRUTH, logged, reader, stream, told

ARRIVED = [event for event in told() if event.type == "call.offered" and event.data.clock == "arrival"]  # type: ignore[attr-defined]
# The exchange hands over half a second after the seat asked for it.
TALK_SLACK = 0.55


def measured(events: Iterable[Event]) -> Said:
    lines = [Line(number, event) for number, event in enumerate(events, 1)]
    monitor, moment, _ = fold(lines, {CENTRE.code: CENTRE}, 2e9)
    assert moment is not None
    return said(iter(monitor.measure(CENTRE.code, moment)))


def story(call: str) -> list[Event]:
    return [event for event in told() if call in (getattr(event.data, "call", None), getattr(event.data, "journey", None))]


def of(events: list[Event], *kinds: str) -> list[Event]:
    return [event for event in events if event.type in kinds]


def test_as_many_calls_arrived_as_were_made() -> None:
    assert len(ARRIVED) == len(CALLS) == 40


@pytest.mark.parametrize("number", range(40), ids=lambda number: f"{number + 1:02} {CALLS[number]['planned']}")
def test_a_call_is_told_as_its_caller_saw_it(number: int) -> None:
    truth, arrival = CALLS[number], ARRIVED[number]
    events = story(arrival.data.call)  # type: ignore[attr-defined]
    arrived = arrival.time.timestamp()
    answers = of(events, "call.answered")

    assert arrival.data.link == truth["trunk"]  # type: ignore[attr-defined]
    assert arrived == pytest.approx(truth["arrived"], abs=0.01)
    seats = [answer["seat"] for answer in truth.get("answers", ()) if answer["seat"] != "opd"]
    assert [event.data.seat for event in answers][: len(seats)] == seats  # type: ignore[attr-defined]
    if seats:
        assert answers[0].time.timestamp() - arrived == pytest.approx(truth["wait_from_arrival"], abs=0.05)
    if "first_seat_spoke" in truth:
        over = of(events, "call.ended", "call.transferred", "call.network_dropped")[0]
        assert (over.time - answers[0].time).total_seconds() == pytest.approx(truth["first_seat_spoke"], abs=TALK_SLACK)
    last = {
        "answered": ("call.ended", "call.transferred"),
        "answered_then_cut_off_by_network": ("call.network_dropped",),
        "answered_then_cut_off_by_exchange": ("call.ended", "call.answered"),  # of a kill nothing is told
        "abandoned": ("call.abandoned",),
        "left_before_queue": ("call.abandoned",),
        "refused_at_door": ("call.overflowed",),
        "sent_away_queue_empty": ("call.overflowed",),
        "waiting_when_exchange_restarted": ("call.lost",),
        "waiting_when_exchange_died": ("call.queued",),
    }
    assert [event.type for event in events if event.type.startswith("call.") and event.type != "call.classified"][-1] in last[
        truth["outcome"]
    ]
    hung_up = of(events, "call.ended")
    if hung_up and len(seats) == 1 and truth["outcome"] == "answered":
        assert hung_up[-1].data.by == ("caller" if "caller_hung_up" in truth else "seat")  # type: ignore[attr-defined]


def test_a_consultation_is_no_citizen_and_its_answerer_speaks_on_in_the_callers_journey() -> None:
    consulted = [event for event in told() if event.type == "call.offered" and event.data.direction == "internal"]  # type: ignore[attr-defined]
    caller = ARRIVED[13].data.call  # type: ignore[attr-defined]

    assert len(consulted) == 2
    (ended,) = of(story(caller), "call.ended")
    assert (ended.data.call, ended.data.journey, ended.data.seat) == (consulted[0].data.call, caller, "seat-9")  # type: ignore[attr-defined]
    assert ended.data.talk_seconds == pytest.approx(12, abs=0.1)  # type: ignore[attr-defined]


BEFORE = tuple(sorted((*told(), *logged()), key=lambda event: (int(event.time.timestamp()), event.source)))
LIVE = tuple(sorted((*told(), *logged()), key=lambda event: event.time.timestamp() + 1.2 * event.source.endswith("asterisk")))
BY_TIME = tuple(sorted((*told(), *logged()), key=lambda event: event.time))
ORDERS = {
    "the interface alone": told(),
    "then the log": told() + logged(),
    "the log before": logged() + told(),
    "by time": BY_TIME,
    "by the second": BEFORE,
    "as it comes": LIVE,
}


@cache
def figures(order: str) -> Said:
    return measured(logged() if order == "the log alone" else ORDERS[order])


@pytest.mark.parametrize("order", ORDERS)
def test_with_and_without_the_log_in_any_order_the_figures_are_the_truth(order: str) -> None:
    found = figures(order)

    citizens, queue = TRUTH["expected"]["citizens"], TRUTH["expected"]["112"]
    lost = queue["waiting_when_exchange_restarted"] + queue["waiting_when_exchange_died"]
    turned_away = citizens["refused_at_door"] + citizens["sent_away_queue_empty"]
    assert found[JOURNEYS_OFFERED_TOTAL,] == citizens["arrived"]
    assert found.by_label(JOURNEYS_ENDED_TOTAL) == {
        "answered": citizens["answered"],
        "abandoned": citizens["abandoned"] - 1,
        "short_abandoned": 1,
        "announcement": citizens["left_before_queue"],
        "overflowed": turned_away,
        "lost": lost,
    }
    assert found[OFFERED_TOTAL, "112"] == queue["offered"]
    assert found[OFFERED_TOTAL, "112-overflow"] == TRUTH["expected"]["112-overflow"]["offered"]
    assert found.by_label(ENDED_TOTAL, "112") == {
        "answered": queue["answered"],
        "abandoned": queue["abandoned"] - 1,
        "short_abandoned": 1,
        "overflowed": queue["overflowed_timeout"] + queue["overflowed_key"] + queue["empty"],
        "lost": lost,
    }
    assert found.by_label(ENDED_TOTAL, "112-overflow") == {"answered": 5, "abandoned": 1}
    assert found[CUT_OFF_TOTAL, "112"] == TRUTH["expected"]["cut_off_by_network"]
    assert (found[PEAK, "ever"], found[UNENDED_TOTAL, "112"]) == (5, 1)
    if order != "the log before":
        # What was counted stays: of a call that is over when its arrival is told, the wait is the queue's.
        wait = found.histogram(JOURNEY_WAIT_SECONDS, "answered").sum
        assert wait == pytest.approx(sum(call.get("wait_from_arrival", 0) for call in CALLS), abs=0.5)
        assert found.histogram(WAIT_SECONDS, "112", "answered").sum == pytest.approx(queue_wait(), abs=0.6)


@settings(max_examples=30)
@example(log=0, live=10, jitter=0, luck=Random(1))
@given(st.integers(0, 900), st.integers(0, 900), st.integers(0, 10), st.randoms(use_true_random=False))
def test_however_far_one_lags_behind_the_other_every_call_ends_as_it_did(log: int, live: int, jitter: int, luck: Random) -> None:
    arrived: list[tuple[float, Event]] = []
    for events, behind in ((told(), live), (logged(), log)):
        at = 0.0
        for event in events:
            at = max(at, event.time.timestamp() + behind + luck.random() * jitter)
            arrived.append((at, event))
    found, alone = measured(event for _, event in sorted(arrived, key=lambda each: each[0])), figures("the interface alone")

    for metric, *labels in (
        (JOURNEYS_ENDED_TOTAL,),
        (OFFERED_TOTAL,),
        (ENDED_TOTAL, "112"),
        (ENDED_TOTAL, "112-overflow"),
        (CUT_OFF_TOTAL,),
    ):
        assert found.by_label(metric, *labels) == alone.by_label(metric, *labels), metric.name


def queue_wait() -> float:
    return float(TRUTH["expected"]["wait_sum_from_queue_answered_112"])


def row(found: Said) -> list[Any]:
    ended = found.by_label(JOURNEYS_ENDED_TOTAL)
    return [
        found[JOURNEYS_OFFERED_TOTAL,],
        ended.get("announcement", 0),
        ended["overflowed"],
        ended["lost"],
        found[CUT_OFF_TOTAL, "112"],
        round(found.histogram(JOURNEY_WAIT_SECONDS, "answered").sum),
        round(found.histogram(HANDLE_SECONDS, "112-overflow").sum),
    ]


def test_what_the_log_alone_does_not_know() -> None:
    # offered, announcement, turned away, lost track of, cut off by the network, seconds waited, seconds spoken in 112-overflow
    assert row(figures("the log alone")) == [37, 0, 2, 2, 0, 167, 30]
    assert row(figures("the interface alone")) == [40, 2, 3, 2, 1, 228, 40]
    # Of the conversation that a consultation became, the log alone says that it was over then.
    assert row(figures("as it comes")) == [40, 2, 3, 2, 1, 228, 40]


# --- seats


def spans() -> dict[str, dict[str, list[tuple[float, float]]]]:
    """By seat when it was logged in, paused and talking, as those saw it who did it; epoch seconds."""
    found: dict[str, dict[str, list[tuple[float, float]]]] = {
        seat: {"there": [], "paused": [], "talking": []} for seat in ("seat-1", "seat-2", "seat-3", "seat-9")
    }
    open_: dict[tuple[str, str], float] = {}
    for change in TRUTH["seats"]:
        seat, what = change["seat"], "paused" if change["what"] == "QueuePause" else "there"
        begins = change.get("paused") == "true" or change["what"] in ("AddQueueMember", "QueueAdd")
        if begins:
            open_[seat, what] = change["t"]
        else:
            found[seat][what].append((open_.pop((seat, what)), change["t"]))
    found["seat-9"]["there"].append((open_.pop(("seat-9", "there")), START + 600))
    for call in CALLS:
        for number, answer in enumerate(call.get("answers", ())):
            if answer["seat"] == "opd":
                continue
            is_first = number == 0 and "first_seat_spoke" in call
            hung_up = call.get("caller_hung_up", call.get("exchange_hung_up", KILLED))
            end = answer["t"] + call["first_seat_spoke"] if is_first else hung_up
            found[answer["seat"]]["talking"].append((answer["t"], end))
    found["seat-9"]["talking"].append((1795719149.35, CALLS[13]["exchange_hung_up"]))  # the consultation, and what became of it
    return found


KILLED = 1795719522.335
# Between the kill and the next connection nothing is told.
BLIND = (KILLED, 1795719527.1)


def doing(events: Iterable[Event], centre: Centre = CENTRE) -> dict[int, tuple[dict[str, operators.Look], dict[str, float]]]:
    """At each whole second what each seat does, and how many do what, as these events say of it in their order."""
    of_calls, of_seats = calls.State(), operators.State()
    found: dict[int, tuple[dict[str, operators.Look], dict[str, float]]] = {}
    waiting = deque(events)
    types = {event_type: topic.name for topic in (CALLS_TOPIC, OPERATORS_TOPIC) for event_type in topic.types}
    for second in range(int(START) + 1, int(START) + 590):
        while waiting and waiting[0].time.timestamp() <= second:
            event: Any = waiting.popleft()
            time = event.time.timestamp()
            if types.get(type(event)) == CALLS_TOPIC.name:
                calls.step(of_calls, event, time, centre)
            elif types.get(type(event)) == OPERATORS_TOPIC.name:
                operators.step(of_seats, event, time, centre)
        state = calls.settled(of_calls, second, centre)
        looks = operators.look(of_seats, calls.talking(state), state.funnel.workload, second, centre)
        found[second] = looks, said(operators.measure(of_seats, looks, second, centre)).by_label(operators.OPERATORS)
    return found


def test_every_second_each_seat_does_what_it_did() -> None:
    truth = spans()
    rings_at = [(each["t"], each["seat"]) for call in CALLS for each in (*call.get("answers", ()), *call.get("not_taken", ()))]
    rang = [*rings_at, (1795719149.35, "seat-9"), (KILLED, "seat-2")]

    def is_in(seat: str, what: str, second: float, more: float = 0) -> bool:
        return any(start <= second < end + more for start, end in truth[seat][what])

    wrong, rings = [], 0
    for second, (seats, _) in doing(sorted(told(), key=lambda event: event.time)).items():
        for seat in truth:
            state = seats[seat].doing if seat in seats else "off"
            if BLIND[0] <= second < BLIND[1] + 4 and seat in ("seat-1", "seat-2"):
                continue
            if state == "ringing":
                rings += 1
                right = any(who == seat and second < moment < second + 9 for moment, who in rang)
            elif is_in(seat, "talking", second):
                right = state == "talking"
            elif not is_in(seat, "there", second):
                right = state == "off"
            elif is_in(seat, "talking", second, CENTRE.wrap_up_seconds):
                right = state == "wrap_up"
            elif is_in(seat, "paused", second):
                right = state == "paused"
            else:
                right = state == "available"
            if not right:
                wrong.append((round(second - START), seat, state))
    assert wrong == []
    assert rings > 100


def test_where_the_file_pairs_no_names_the_log_beside_invents_no_seat() -> None:
    unpaired = changed(CENTRE, seats=())
    door = Door(keyed(b"sixteen bytes key"), [unpaired])
    alone = list(ami.events([stream()], ami.Reader(unpaired, SOURCE, door)))
    log = [line.item for line in read(DATA / "asterisk" / "queue_log", unpaired, door) if isinstance(line.item, Event)]
    # A line stands in the log when its second is over.
    both = sorted((*alone, *log), key=lambda event: event.time.timestamp() + event.source.endswith("asterisk"))

    def counted(events: Iterable[Event]) -> dict[int, dict[str, float]]:
        counts = {second: counts for second, (_, counts) in doing(events, unpaired).items()}
        return {second: of for second, of in counts.items() if not BLIND[0] <= second < BLIND[1] + 1}

    assert counted(both) == counted(sorted(alone, key=lambda event: event.time))


# --- trunks


def told_of(link: str, *kinds: str) -> list[tuple[str, int]]:
    events = [event for event in told() if event.type in kinds and event.data.link == link]  # type: ignore[attr-defined]
    return [(event.type, round(event.time.timestamp() - START)) for event in events]


def test_a_trunk_is_down_while_it_answers_nobody_and_not_because_the_exchange_boots() -> None:
    # Silent from 378 to 394; all three fall silent at the end, at 584.
    assert told_of("telkom", "link.up", "link.down") == [
        ("link.up", 2),
        ("link.down", 384),
        ("link.up", 397),
        ("link.down", 593),
    ]
    for link in ("indosat", "xl"):
        assert [kind for kind, _ in told_of(link, "link.up", "link.down")] == ["link.up", "link.down"]


def test_a_registration_is_lost_when_it_is_refused_and_not_because_the_exchange_boots() -> None:
    registered = told_of("xl", "link.registered", "link.unregistered")

    assert [told for told in registered if 360 < told[1] < 420] == [
        ("link.unregistered", 402),
        ("link.unregistered", 408),
        ("link.registered", 414),
    ]
    answers = [each["answer"] for each in TRUTH["network"] if "answer" in each]
    assert [kind == "link.registered" for kind, _ in registered] == [answer == 200 for answer in answers]
    assert not told_of("telkom", "link.registered", "link.unregistered")


def test_a_trunk_loses_what_its_caller_loses_and_no_other_does() -> None:
    lost: dict[str, list[float]] = {"telkom": [], "indosat": [], "xl": []}
    for event in told():
        if event.type == "link.measured":
            lost[event.data.link].append(event.data.loss_ratio)  # type: ignore[attr-defined]

    assert max(lost["telkom"]) == pytest.approx(0.1, abs=0.03)
    assert max(*lost["indosat"], *lost["xl"]) == 0


def test_channels_in_use_are_counted_where_the_file_says_how_many_there_are() -> None:
    used = [event for event in told() if event.type == "link.occupied"]

    assert {event.data.link for event in used} == {"telkom"}  # type: ignore[attr-defined]
    at_the_peak = [event.data.used for event in used if 294 < event.time.timestamp() - START < 312]  # type: ignore[attr-defined]
    assert max(at_the_peak) == 2
    assert used[-1].data.used == 0  # type: ignore[attr-defined]


def test_who_is_silent_is_a_ghost_without_a_taker_and_what_the_taker_says_comes_after_it() -> None:
    classified = [event for event in told() if event.type == "call.classified"]

    assert [(event.data.call, event.data.class_) for event in classified] == [  # type: ignore[attr-defined]
        (ARRIVED[24].data.call, "ghost"),  # type: ignore[attr-defined]
        (ARRIVED[19].data.call, "ghost"),  # type: ignore[attr-defined]
        (ARRIVED[24].data.call, "prank"),  # type: ignore[attr-defined]
    ]


def test_the_shortened_recording_tells_the_same_calls_and_seats() -> None:
    def ids(events: Iterable[Event]) -> set[str]:
        return {event.id for event in events if not event.type.startswith("link.")}

    short = list(ami.events([stream("ami.txt.gz")], reader()))
    assert ids(short) == ids(told())

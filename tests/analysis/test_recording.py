"""A real Asterisk's ten minutes, folded, against what its callers and seats saw (`tests/data/asterisk/truth.json`).

What a queue_log cannot know, and so is not asked of it here: who left or was refused before the queue (calls 06, 07 and 27);
the wait before the queue; in calls 13 and 14 who spoke on after an attended transfer, and until when; who ended a call that an
orderly restart, a lost network or a crash ended.
"""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from schemas.topics import TOPIC_OF
from streams.analysis.measure import fold
from streams.core.callers import CLASSIFIED_TOTAL
from streams.core.calls import (
    ENDED_TOTAL,
    IN_SERVICE,
    JOURNEYS_ENDED_TOTAL,
    JOURNEYS_OFFERED_TOTAL,
    JOURNEYS_WAITING,
    OFFERED_TOTAL,
    PEAK,
    RESTARTS_TOTAL,
    TRANSFERRED_TOTAL,
    UNENDED_TOTAL,
    WAIT_SECONDS,
    WAITING,
)
from streams.core.centre import parse
from streams.core.operators import OPERATORS
from streams.sources import Line, read
from streams.worker.monitor import Monitor
from tests.builders import Said, said

FOLDER = Path(__file__).parents[1] / "data" / "asterisk"
CENTRE = parse(
    """
code = "32.71"
name = "Kota Uji"
timezone = "Asia/Jakarta"
queues = ["112", { code = "112-overflow", emergency = false }]
seats = [
  { code = "seat-1", also = ["PJSIP/1001"] },
  { code = "seat-2", also = ["PJSIP/1002"] },
  { code = "seat-3", also = ["PJSIP/1003"] },
  { code = "seat-9", also = ["PJSIP/1009"] },
]
"""
)
TRUTH: dict[str, Any] = json.loads((FOLDER / "truth.json").read_text())
CALLS: list[dict[str, Any]] = TRUTH["calls"]
NUMBER = {call["caller"]: number for number, call in enumerate(CALLS, 1)}
UNSEEN = {6, 7, 27}
"""Callers of whom no line of a queue_log tells."""
START = TRUTH["start"]


@cache
def lines() -> list[Line]:
    return list(read(FOLDER / "queue_log", CENTRE))


def at(moment: float | None = None) -> Said:
    monitor, now, _ = fold(lines(), {CENTRE.code: CENTRE}, 2e9, moment)
    assert now is not None
    return said(iter(monitor.measure(CENTRE.code, now)))


def seconds() -> Iterator[tuple[float, Said]]:
    """What is said at the middle of every second of the recording."""
    monitor = Monitor({CENTRE.code: CENTRE})
    told = iter(enumerate(lines()))
    offset, line = next(told)
    for second in range(int(START), int(START) + 590):
        while line is not None and line.item.time.timestamp() <= second:  # type: ignore[union-attr]
            monitor.fold_event(TOPIC_OF[line.item.type].name, 0, offset, line.item, 2e9)  # type: ignore[union-attr,arg-type]
            offset, line = next(told, (0, None))  # type: ignore[assignment]
        yield second + 0.5, said(iter(monitor.measure(CENTRE.code, second + 0.5)))


def test_the_city_has_every_caller_once_with_what_became_of_them() -> None:
    citizens, found = TRUTH["expected"]["citizens"], at()

    assert found[JOURNEYS_OFFERED_TOTAL,] == citizens["arrived"] - len(UNSEEN)
    ended = found.by_label(JOURNEYS_ENDED_TOTAL)
    assert ended.pop("abandoned") + ended.pop("short_abandoned") == citizens["abandoned"]
    assert ended == {
        "answered": citizens["answered"],
        "overflowed": citizens["sent_away_queue_empty"] + citizens["refused_at_door"] - 1,
        "lost": citizens["waiting_when_exchange_restarted"] + citizens["waiting_when_exchange_died"],
    }


def test_each_queue_has_every_visit_of_a_caller_or_a_consulting_seat() -> None:
    found = at()
    for queue in ("112", "112-overflow"):
        expected, ended = TRUTH["expected"][queue], found.by_label(ENDED_TOTAL, queue)
        assert found[OFFERED_TOTAL, queue] == expected["offered"]
        assert ended["answered"] == expected["answered"]
        assert ended.get("abandoned", 0) + ended.get("short_abandoned", 0) == expected["abandoned"]
    expected = TRUTH["expected"]["112"]
    ended = found.by_label(ENDED_TOTAL, "112")
    assert ended["overflowed"] == expected["overflowed_timeout"] + expected["overflowed_key"] + expected["empty"]
    assert ended["lost"] == expected["waiting_when_exchange_restarted"] + expected["waiting_when_exchange_died"]
    assert found[PEAK, "ever"] == TRUTH["expected"]["peak_waiting_112"]
    # To the second below: each of 27 answers may be told up to a second too soon or too late.
    waited = found.histogram(WAIT_SECONDS, "112", "answered").sum
    assert waited == pytest.approx(TRUTH["expected"]["wait_sum_from_queue_answered_112"], abs=27 / 2)


def test_transfers_restarts_and_classes_are_those_that_happened() -> None:
    found = at()
    transfers = sum(len(call.get("transfers", ())) for call in CALLS)

    assert found[TRANSFERRED_TOTAL, "112"] == transfers == 5
    assert found[RESTARTS_TOTAL,] == 3  # the first beginning, the restart, the crash
    assert found[UNENDED_TOTAL, "112"] == 1  # call 38, killed; the end of 35 is written by the orderly restart
    assert found.by_label(CLASSIFIED_TOTAL) == {"ghost": 1, "prank": 1}


def waiting_spans() -> list[tuple[float, float]]:
    """From when to when each citizen waited whom a queue_log sees: from the queue to the first answer or the end."""
    found = []
    for number, call in enumerate(CALLS, 1):
        if number in UNSEEN or "entered_queue" not in call:
            continue
        ends = [call[name] for name in ("caller_hung_up", "exchange_hung_up", "caller_cancelled") if name in call]
        answers = [answer["t"] for answer in call.get("answers", ())]
        cut = [moment for moment in RESTARTED if moment > call["entered_queue"]]
        found.append((call["entered_queue"], min([*answers, *ends, *cut])))
    return found


RESTARTED = [1795719487.0, 1795719526.0]
"""When an exchange that had gone was back, by its own log."""


def test_second_by_second_as_many_wait_as_did() -> None:
    spans = waiting_spans()
    # Whoever left an emptied queue may come into another for a minute.
    gone = {29: 60.0}
    emptied = next(call for call in CALLS if NUMBER[call["caller"]] == 29)
    for moment, found in seconds():
        around = [sum(start <= moment + shift < end for start, end in spans) for shift in (-1, -0.5, 0, 0.5, 1)]
        refused = START + 354 < moment < START + 358 + 60  # 28, told by the dialplan
        left = emptied["entered_queue"] < moment < emptied["entered_queue"] + 10 + gone[29]
        said_waiting = found.number(JOURNEYS_WAITING)
        assert min(around) <= said_waiting <= max(around) + refused + left, moment - START
        assert found.number(WAITING, "112") + found.number(WAITING, "112-overflow") <= max(around) + 1


def test_second_by_second_no_seat_is_in_two_calls_and_those_talk_who_did() -> None:
    talks = []
    for call in CALLS:
        answers, transfers = call.get("answers", []), call.get("transfers", [])
        for place, answer in enumerate(answers):
            ends = [call[name] for name in ("caller_hung_up", "exchange_hung_up") if name in call]
            ends += [transfer["t"] for transfer in transfers if transfer["seat"] == answer["seat"]]
            ends += [later["t"] for later in answers[place + 1 :]] + [moment for moment in RESTARTED if moment > answer["t"]]
            ends += [answer["t"] + call["first_seat_spoke"]] if not place and "first_seat_spoke" in call else []
            talks.append((answer["seat"], answer["t"], min(end for end in ends if end > answer["t"])))
    talks = [talk for talk in talks if talk[0].startswith("seat-")]
    unknown = [(START + 147, START + 195)]  # consultations of 14 and 15, which no citizen saw
    for moment, found in seconds():
        if any(start <= moment < end for start, end in unknown):
            continue
        around = [len({seat for seat, start, end in talks if start <= moment + shift < end}) for shift in (-1, -0.5, 0, 0.5, 1)]
        assert min(around) <= found.by_label(OPERATORS).get("talking", 0) <= max(around), moment - START
        assert found.number(IN_SERVICE, "112") <= 3

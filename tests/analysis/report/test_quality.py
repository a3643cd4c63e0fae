"""What was late, blind or missing is said, in numbers and in words, and so is what the boards had otherwise."""

from datetime import timedelta

import pytest

from schemas.topics import Refusal
from streams.analysis.period import Period
from streams.analysis.report.quality import Difference, Quality
from streams.analysis.report.report import Reports, Request
from streams.sources import Line
from tests.analysis.report.builders import WALL, reported
from tests.analysis.report.simulated import rows
from tests.builders import START, answered, classified, closed, ended, link, offered, opened
from tests.trial import KOTA_BOGOR

DAY = 86_400
CALLS = [
    *(offered("c1", 0, link="sip-telkom", district="32.71.01"), answered("c1", 10, "seat-1"), ended("c1", 100)),
    *(classified("c1", 110, "normal"), link("up", 120), opened("t1", 150, call="c1")),
    *(offered("c2", 200), answered("c2", 210), closed("t9", 220), closed("t1", 230)),
    *(offered("c3", 4 * DAY), answered("c3", 4 * DAY + 5, "seat-1"), ended("c3", 4 * DAY + 50)),
]
MORNING = [
    event
    for number in range(8)
    for event in (
        *(offered(f"c{number}", 1_800 * number), answered(f"c{number}", 1_800 * number + 5, "seat-1")),
        ended(f"c{number}", 1_800 * number + 100),
    )
]
LATE = [offered("c9", 300), answered("c9", 305, "seat-1"), ended("c9", 400)]


def matters(found: list[Quality]) -> dict[str, tuple[int, int | None]]:
    return {row.matter if row.about is None else f"{row.matter} {row.about}": (row.n, row.of) for row in found}


def test_what_is_not_known_is_counted_out_of_what_should_be() -> None:
    said = matters(rows(reported(CALLS, "quality"), Quality))

    assert said["district_unknown"] == (2, 3)
    assert said["link_unknown"] == (2, 3)
    assert said["seat_unknown"] == (1, 3)
    assert said["class_unknown"] == (2, 3)
    assert said["end_unknown"] == (1, 3)
    assert said["wait_unknown"] == (0, 3)
    assert said["tickets_unmatched"] == (1, 2)
    assert said["call_of_ticket_unknown"] == (0, 1)
    assert said["scene_unknown"] == (1, 1)
    assert said["events_duplicate"] == (0, len(CALLS))


def test_days_and_hours_of_which_nothing_was_told_are_not_zero() -> None:
    period = Period(START - timedelta(hours=2), START + timedelta(days=5))

    found = rows(reported(CALLS, "quality", period=period), Quality)

    said = matters(found)
    assert said["hours_before"] == (2, 122)
    assert said["hours_silent"] == (4 * 24 - 1, 122)
    assert said["hours_after"] == (23, 122)
    assert said["days_silent 2024-11-26/2024-11-28"] == (3, None)
    [silent] = [row for row in found if row.matter == "days_silent"]
    assert "2024-11-26" in silent.says_id
    assert "2024-11-26" in silent.says_en


def test_a_link_that_was_never_heard_of_is_named() -> None:
    said = matters(rows(reported(CALLS, "quality"), Quality))

    assert [matter for matter in said if matter.startswith("link_never")] == [
        f"link_never_heard {code}" for code in ("sip-indosat", "sip-xl", "uplink")
    ]


def test_what_came_late_is_counted_and_the_boards_are_held_against_the_truth() -> None:
    twice = MORNING[0]

    found = reported([*MORNING, *LATE, twice], "quality", "differences")

    said = matters(rows(found, Quality))
    assert said["events_late"] == (4, len(MORNING) + 4)
    assert said["source_late /32.71/test"] == (4, None)
    assert said["events_duplicate"] == (1, len(MORNING) + 4)
    differences = {row.series: (row.live, row.true) for row in rows(found, Difference)}
    assert differences['psap_journeys_offered_total{city="32.71"}'] == (8, 9)
    assert differences['psap_journeys_ended_total{city="32.71",outcome="answered"}'] == (8, 9)


@pytest.mark.parametrize("twice", [False, True])
def test_where_nothing_was_late_the_boards_were_right(twice: bool) -> None:
    found = reported([*CALLS, *CALLS[-1:] * twice], "quality", "differences")

    assert rows(found, Difference) == []
    assert matters(rows(found, Quality))["events_duplicate"] == (int(twice), len(CALLS) + twice)


def test_lines_that_were_refused_are_counted_once_however_often_the_events_are_folded() -> None:
    refusal = Refusal("not_json", "field data: what stands here is no event")
    told = [*MORNING, *LATE, refusal]
    lines = [Line(number, item) for number, item in enumerate(told, 1)]
    with Reports(lambda: lines, {KOTA_BOGOR.code: KOTA_BOGOR}, WALL) as reports:
        found = reports.of(lambda _: (None, None), Request(subjects=["quality"]))

    said = matters(rows(found, Quality))
    assert said["events_refused"] == (1, len(told))
    assert said["events_late"] == (3, len(told))

"""Callbacks, river and weather, and the survey in a report: the core's own figures of a time."""

import pytest

from streams.core import survey
from streams.sources import simulate
from tests.analysis.report.builders import reported, said
from tests.builders import START, abandoned, answered, cancelled, contacted, gauge_read, offered, warned
from tests.trial import KOTA_BOGOR

HOUR = 3600.0


def test_who_called_in_vain_was_called_back_came_again_or_was_not_reached() -> None:
    lost = [
        event
        for n, caller in enumerate("abc")
        for event in (offered(caller, 60.0 * n, caller=caller * 32), abandoned(caller, 60.0 * n + 40))
    ]
    after = [contacted("a" * 32, 600), offered("b2", 900, caller="b" * 32), answered("b2", 905)]

    [found] = said(reported([*lost, *after, offered("later", 9 * HOUR)], "callbacks"), "callbacks")

    assert (found.due, found.called_back, found.recontacted, found.reached_ratio) == (3, 1, 1, pytest.approx(2 / 3))


def test_the_river_says_its_highest_reading_and_when_it_was_first_so_high() -> None:
    readings = [gauge_read(50, 0), gauge_read(190, HOUR), gauge_read(190, 2 * HOUR), gauge_read(90, 3 * HOUR)]

    [found] = said(reported([offered("a", 0), *readings], "gauges"), "gauges")

    assert (found.readings, found.highest, found.highest_at) == (4, 190, START.timestamp() + HOUR)
    # Siaga 3 begins above 80 cm, and 2 above 150.
    assert (found.siaga, found.siaga_readings) == (2, 3)


def test_a_warning_that_was_taken_back_before_it_held_is_none() -> None:
    events = [offered("a", 0), warned("w1", 10, HOUR, 3 * HOUR), warned("w2", 20, 2 * HOUR, 4 * HOUR), cancelled("w2", 30)]

    [found] = said(reported([*events, offered("b", 5 * HOUR)], "warnings"), "warnings")

    assert found.held_seconds == 2 * HOUR


def test_the_survey_of_all_the_time_is_the_core_s_own() -> None:
    events = [*simulate.events(11, START, KOTA_BOGOR, days=3)]

    report = reported(events, "survey")

    state = report.hindsight.true.states("112.survey.v1", 0)[0][1]
    moment = report.hindsight.moment
    assert moment is not None
    expected = {
        (m.name.removeprefix("psap_survey_"), "/".join(labels)): value
        for m, labels, value in survey.measure(state, moment, KOTA_BOGOR)
    }
    assert {(row.figure, row.of): row.value for row in said(report, "survey")} == expected
    assert expected

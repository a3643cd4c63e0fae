"""The rows of answers give the survey's figures by the core's own formula, of everything and of any time."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings

from schemas.event import Event
from schemas.survey import HIGHEST, Instrument
from schemas.topics import SURVEY, TOPIC_OF
from streams.analysis.rows.survey import Answer, AnswerRows
from streams.core import survey
from streams.core.centre import Centre
from streams.core.survey import INDEX, RESPONSES
from streams.sources import simulate
from tests.builders import BOGOR, START, said
from tests.strategies import histories
from tests.trial import CENTRES, KOTA_BOGOR

KINDS = [kind.model_fields["type"].default for kind in SURVEY.types]


def told(events: Iterable[Event], centre: Centre = BOGOR) -> tuple[list[Answer], survey.State]:
    """The rows of all answers of some events, and the state that counted them."""
    step: Any = survey.step
    state, watch = survey.State(), AnswerRows(centre)
    watch.attach(state)
    for offset, event in enumerate(events):
        if TOPIC_OF[event.type] is SURVEY and event.subject == centre.code:
            time = event.time.timestamp()
            if state.ledger.admit(offset, event.source, event.id, time) == "folded":
                step(state, event, time, centre)
    watch.finish(0)
    return [row for row in watch.done if isinstance(row, Answer)], state


def counted(rows: list[Answer]) -> survey.State:
    """The state that some answers come to."""
    state = survey.State()
    instruments: dict[str, Instrument] = {"dimensions": "dimensions", "skm": "skm"}
    responses = {(row.response, instruments[row.instrument]) for row in rows}
    for _, instrument in responses:
        state.responses[instrument] = state.responses.get(instrument, 0) + 1
    for row in rows:
        state.items.setdefault(row.item, [0] * HIGHEST[instruments[row.instrument]])[row.score - 1] += 1
    return state


def assert_sums(rows: list[Answer], state: survey.State, centre: Centre) -> None:
    found = counted(rows)
    assert found.items == state.items
    assert found.responses == state.responses
    assert said(survey.measure(found, 0, centre)) == said(survey.measure(state, 0, centre))
    figures = said(survey.measure(state, 0, centre))
    assert len({row.response for row in rows if row.is_expected}) == figures[RESPONSES,]


@settings(deadline=None)
@given(histories(CENTRES, 60, KINDS))
def test_rows_sum_to_what_is_counted_of_whatever_valid_events_are_told(events: list[Event]) -> None:
    for centre in CENTRES:
        assert_sums(*told(events, centre), centre)


@pytest.mark.parametrize("instrument", ["dimensions", "skm"])
def test_rows_of_simulated_days_sum_to_what_is_counted_also_of_a_part_of_them(instrument: str) -> None:
    held = KOTA_BOGOR.survey
    assert held is not None
    centre = KOTA_BOGOR.model_copy(update={"survey": held.model_copy(update={"instrument": instrument})})
    days = [*simulate.events(112, START, centre, days=3)]
    middle = START + timedelta(days=1.5)

    rows, state = told(days, centre)
    _, before = told((event for event in days if event.time < middle), centre)

    assert rows
    assert_sums(rows, state, centre)
    assert_sums([row for row in rows if row.answered < middle.timestamp()], before, centre)
    assert ((INDEX,) in said(survey.measure(state, 0, centre))) == (instrument == "skm")

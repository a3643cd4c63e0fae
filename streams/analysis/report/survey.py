"""How the town judges its 112: the survey's scores and index, of those who answered in the time."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from schemas.survey import HIGHEST, instrument_of
from streams.analysis.report.scope import Scope
from streams.analysis.report.subject import Real, Row, Subject
from streams.analysis.report.words import Words
from streams.core.survey import State, measure


@dataclass(slots=True, kw_only=True)
class Score(Row):
    """A figure of the survey, as psap_survey_… has it."""

    figure: Annotated[
        str,
        Words("Angka", "Figure"),
        Words("Nama metrik tanpa psap_survey_.", "The metric's name without psap_survey_ (streams/README.md)."),
    ]
    of: Annotated[str, Words("Tentang", "Of"), Words("Labelnya, dengan garis miring.", "Its labels, with slashes.")]
    value: Annotated[Real, Words("Nilai", "Value"), Words("Nilainya.", "Its value.")]


def rows(scope: Scope) -> Iterator[Score]:
    """The core's figures of the answers of each span."""
    states: dict[tuple[str, str, str], State] = {}
    for told in scope.ask(
        "FROM asked.answers SELECT city, span, period, item, score, count(*) AS n WHERE is_expected GROUP BY ALL ORDER BY ALL"
    ):
        state = states.setdefault((told["city"], told["span"], told["period"]), State())
        item = told["item"]
        state.items.setdefault(item, [0] * HIGHEST[instrument_of(item)])[told["score"] - 1] = told["n"]
    for told in scope.ask(
        "FROM asked.answers SELECT city, span, period, instrument, count(DISTINCT response) AS n WHERE is_expected GROUP BY ALL"
    ):
        states[told["city"], told["span"], told["period"]].responses[told["instrument"]] = told["n"]
    for (city, span, period), state in sorted(states.items()):
        for metric, labels, value in measure(state, scope.moment, scope.centres[city]):
            if isinstance(value, int | float):
                figure = metric.name.removeprefix("psap_survey_")
                yield Score(city=city, span=span, period=period, figure=figure, of="/".join(labels), value=float(value))


SURVEY = Subject(
    "survey",
    Words("Survei", "Survey"),
    Words(
        "SKM menurut PermenPANRB 14/2017: sembilan unsur, indeks 25–100; atau lima dimensi, 1–5.",
        "The statutory survey (PermenPANRB 14/2017): nine elements, index 25 to 100; or five dimensions, 1 to 5.",
    ),
    Score,
    rows,
)

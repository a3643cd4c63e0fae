"""A row an answer of the survey, told by its state while it counts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from schemas.survey import Instrument
from streams.analysis.rows.row import Done, Moment, Row
from streams.core import survey
from streams.core.centre import Centre
from streams.core.watch import SurveyWatch


@dataclass(slots=True, kw_only=True)
class Answer(Row):
    """A respondent's score of one item of the survey (psap_survey_item_answers). An item left open has no row.

    How often each item was given each score is all that the survey's scores and index of any time are made of.
    """

    response: Annotated[int, "Which of the centre's responses it is of, in the order in which they were told."]
    answered: Annotated[Moment, "When the respondent filled in the survey."]
    instrument: Annotated[str, "Which survey: dimensions (scores 1 to 5), or skm, the statutory one (scores 1 to 4)."]
    item: Annotated[str, "The item, as <dimension>.<number>, or the element u1 to u9 of the statutory survey."]
    score: Annotated[int, "The score, 1 the worst."]
    is_expected: Annotated[bool, "Whether the centre's file names that survey, or none: else it is in no figure."]


@dataclass(slots=True)
class AnswerRows(SurveyWatch):
    """The rows of one centre's survey: what is counted is final."""

    remembered: ClassVar[tuple[str, ...]] = ("done",)
    centre: Centre
    done: list[Done] = field(default_factory=list)
    state: survey.State = field(default_factory=survey.State)

    def attach(self, state: survey.State) -> None:
        """Watch this state from now on."""
        self.state = state
        state.watch = self

    def finish(self, now: float) -> None:
        """Nothing more will be told."""
        self.state.watch = None

    def answered(self, time: float, instrument: Instrument, scores: Mapping[str, int]) -> None:
        number = sum(self.state.responses.values())
        held = self.centre.survey.instrument if self.centre.survey else None
        for item, score in sorted(scores.items()):
            row = Answer(
                city=self.centre.code,
                response=number,
                answered=time,
                instrument=instrument,
                item=item,
                score=score,
                is_expected=held in (None, instrument),
            )
            row.read_clock(time, self.centre)
            self.done.append(row)

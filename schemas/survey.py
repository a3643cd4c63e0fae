"""The five-dimension survey by which the town judges its 112 (Likert 1 to 5), one event for each respondent."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from schemas.event import Data, Event

Dimension = Literal["pemahaman_program", "tepat_sasaran", "tepat_waktu", "tercapainya_tujuan", "perubahan_nyata"]
Item = Annotated[
    str, StringConstraints(pattern=r"^(pemahaman_program|tepat_sasaran|tepat_waktu|tercapainya_tujuan|perubahan_nyata)\.[1-9]$")
]
"""`<dimension>.<number>`"""
Score = Annotated[int, Field(ge=1, le=5)]


class Response(Data):
    """One respondent's scores; an item left open is left out. Who it was is said nowhere."""

    scores: dict[Item, Score] = Field(min_length=1, max_length=45)


class SurveyAnswered(Event):
    """A respondent filled in the survey."""

    type: Literal["survey.answered"] = "survey.answered"
    data: Response


SurveyEvent = SurveyAnswered

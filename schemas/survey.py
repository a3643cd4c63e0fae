"""The survey by which the town judges its 112, one event for each respondent: five dimensions (Likert 1 to 5), or the nine
elements of the statutory survey (PermenPANRB 14/2017, 1 to 4).
"""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, field_validator
from pydantic_core import PydanticCustomError

from schemas.event import Data, Event

Dimension = Literal["pemahaman_program", "tepat_sasaran", "tepat_waktu", "tercapainya_tujuan", "perubahan_nyata"]
Element = Literal["u1", "u2", "u3", "u4", "u5", "u6", "u7", "u8", "u9"]
"""Requirements, procedure, time, cost, product, competence, conduct, complaints, facilities: in the order of the regulation."""
Instrument = Literal["dimensions", "skm"]
"""Which survey: that of the five dimensions, or the statutory *survei kepuasan masyarakat*."""

HIGHEST: dict[Instrument, int] = {"dimensions": 5, "skm": 4}
"""The best score of each; the worst is 1."""

_ITEM: dict[Instrument, str] = {
    "dimensions": r"^(pemahaman_program|tepat_sasaran|tepat_waktu|tercapainya_tujuan|perubahan_nyata)\.[1-9]$",
    "skm": r"^u[1-9]$",
}
Item = Annotated[str, StringConstraints(pattern="|".join(_ITEM.values()))]
"""`<dimension>.<number>`, or `u<number>` for an element of the statutory survey."""
Score = Annotated[int, Field(ge=1, le=5)]


def instrument_of(item: str) -> Instrument:
    """Which survey an item is of, by its name alone."""
    return "dimensions" if "." in item else "skm"


def _each_with_its_scores(schema: dict[str, Any]) -> None:
    [(_, score)] = schema["patternProperties"].items()
    schema["patternProperties"] = {_ITEM[name]: score | {"maximum": highest} for name, highest in HIGHEST.items()}


class Response(Data):
    """One respondent's scores; an item left open is left out. Who it was is said nowhere."""

    scores: dict[Item, Score] = Field(
        min_length=1,
        max_length=45,
        description="Items of the five dimensions, 1 to 5, or elements u1 to u9 of the statutory survey, 1 to 4; never both.",
        json_schema_extra=_each_with_its_scores,
    )

    @field_validator("scores")
    @classmethod
    def _of_one_instrument(cls, scores: dict[str, int]) -> dict[str, int]:
        one_of_each = {instrument_of(item): item for item in scores}
        if len(one_of_each) > 1:
            both = " and ".join(sorted(one_of_each.values()))
            raise PydanticCustomError(f"{both}_are_of_two_surveys", f"{both} are of two surveys")
        for item, score in scores.items():
            if score > (highest := HIGHEST[instrument_of(item)]):
                raise PydanticCustomError(f"{item}_over_{highest}", f"{item} is scored from 1 to {highest}")
        return scores


class SurveyAnswered(Event):
    """A respondent filled in the survey."""

    type: Literal["survey.answered"] = "survey.answered"
    data: Response


SurveyEvent = SurveyAnswered

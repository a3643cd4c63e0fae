"""Survey: how the town judges its 112, by weighted mean scores (WMS) of five dimensions, or by the nine elements of the statutory
survey (SKM, PermenPANRB 14/2017) and their index. Formulas and sources: README.md, Survey.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor
from typing import Annotated, get_args

from pydantic import Field, InstanceOf
from pydantic.json_schema import SkipJsonSchema

from schemas.survey import HIGHEST, Dimension, Element, Instrument, SurveyEvent, instrument_of
from streams.core.centre import Centre, Survey
from streams.core.ledger import Ledger
from streams.core.names import UNKNOWN_TOTAL
from streams.core.reading import Metric, Reading, Readings
from streams.core.watch import SurveyWatch

DIMENSIONS: tuple[str, ...] = get_args(Dimension)
ELEMENTS: tuple[str, ...] = get_args(Element)
INSTRUMENTS: tuple[Instrument, ...] = get_args(Instrument)

GRADES = (("A", Fraction("88.31")), ("B", Fraction("76.61")), ("C", Fraction(65)), ("D", Fraction(25)))
"""The letters of the regulation, with the lowest index of each: bounds of two decimals, for an index of two decimals."""

_CHI_SQUARED = Fraction("3.841")
"""The 95 % point of chi-squared with one degree of freedom, to the decimals of the regulation's table."""


@dataclass(slots=True)
class State:
    """The answers of one centre: how many filled in each survey, and for each item how often each score from 1 on was given.

    What its file does not expect is kept too: whoever corrects the file has it.
    """

    ledger: Ledger = field(default_factory=Ledger)
    responses: dict[Instrument, int] = field(default_factory=dict)
    items: dict[str, list[int]] = field(default_factory=dict)
    watch: Annotated[InstanceOf[SurveyWatch] | None, SkipJsonSchema(), Field(exclude=True)] = None
    """Who is told what is counted, if anybody is."""


def step(state: State, event: SurveyEvent, time: float, centre: Centre) -> None:
    """Remember one event; `time` is its own in epoch seconds."""
    scores = event.data.scores
    instrument = instrument_of(next(iter(scores)))
    state.responses[instrument] = state.responses.get(instrument, 0) + 1
    for item, score in scores.items():
        state.items.setdefault(item, [0] * HIGHEST[instrument])[score - 1] += 1
    if state.watch is not None:
        state.watch.answered(time, instrument, scores)


def item_score(counts: Iterable[int]) -> Fraction:
    """Weighted mean score M = sum(F * X) / n of one item, given how often (F) each score X from 1 on was given; n > 0."""
    frequencies = list(counts)
    return Fraction(sum(score * times for score, times in enumerate(frequencies, 1)), sum(frequencies))


def mean_score(scores: Iterable[Fraction]) -> Fraction:
    """The mean of at least one score, exactly: of a dimension's items, of the dimensions, of all items, or of the elements."""
    known = list(scores)
    return sum(known, Fraction()) / len(known)


def half_up(score: Fraction) -> float:
    """Two decimals, a half goes up: 4.105 is 4.11, as most people round."""
    return floor(score * 100 + Fraction(1, 2)) / 100


def half_even(score: Fraction) -> float:
    """Two decimals, a half goes to the even one: 4.105 is 4.10, as the study of Kota Bogor has it and IEEE 754 recommends."""
    return float(round(score, 2))


def grade(index: Fraction) -> str:
    """The letter of an index: of its two decimals, a half up, since between 88.30 and 88.31 the regulation has nothing."""
    hundredths = floor(index * 100 + Fraction(1, 2))
    return next((letter for letter, lowest in GRADES if hundredths >= lowest * 100), "D")


def slovin(population: int, error: float) -> int:
    """How many must answer for a `population` within an `error` (0 to 1): n = N / (1 + N e²), rounded up. Slovin's formula."""
    return ceil(population / (1 + population * error**2))


def krejcie_morgan(population: int, error: float) -> int:
    """The same by the regulation's table: n = 3.841 N / 4 / (e² (N - 1) + 3.841 / 4), to the nearest. Krejcie, Morgan (1970)."""
    quarter = _CHI_SQUARED / 4
    return floor(quarter * population / (Fraction(str(error)) ** 2 * (population - 1) + quarter) + Fraction(1, 2))


def sample_size(survey: Survey) -> int | None:
    """How many must answer, by the rule of the survey that is held; None where nobody says for how many people it speaks."""
    if survey.population is None:
        return None
    if survey.instrument == "skm":
        return krejcie_morgan(survey.population, survey.error or 0.05)
    return slovin(survey.population, survey.error or 0.1)


SCORE = Metric("psap_survey_score", "gauge", "Weighted mean score of a dimension, 1 to 5: the mean of its items.", ("dimension",))
SCORE_ROUNDED = Metric(
    "psap_survey_score_rounded",
    "gauge",
    "The same to two decimals by both rules (half_up, half_even); dimension all is the mean of the dimensions.",
    ("dimension", "rounding"),
)
MEAN_SCORE = Metric(
    "psap_survey_mean_score",
    "gauge",
    "The score of the whole: mean of the dimensions, or of all their items, which differ where dimensions have unequal numbers "
    "of items (psap_survey_items). Absent until each dimension has an answer.",
    ("of",),
)
ITEM_SCORE = Metric(
    "psap_survey_item_score",
    "gauge",
    "Weighted mean score of an item (1 to 5), or of an element u1 to u9 (1 to 4): sum of frequency times score, by answers.",
    ("item",),
)
ITEM_ANSWERS = Metric("psap_survey_item_answers", "gauge", "How many answered an item or element.", ("item",))
ITEMS = Metric("psap_survey_items", "gauge", "How many items of a dimension were answered by anybody.", ("dimension",))
ANSWERS = Metric(
    "psap_survey_answers",
    "gauge",
    "The fewest and the most answers that an item of a survey has (of all nine elements, so 0 where one has none). Where they "
    "differ, the means beside each other are of different people.",
    ("instrument", "bound"),
)
INDEX = Metric(
    "psap_survey_index",
    "gauge",
    "Index of the statutory survey, 25 to 100: mean of the nine elements' scores, 1/9 each, times 25. Absent until each has an "
    "answer.",
)
INDEX_ROUNDED = Metric(
    "psap_survey_index_rounded", "gauge", "The same to two decimals by both rules (half_up, half_even).", ("rounding",)
)
GRADE = Metric(
    "psap_survey_grade",
    "gauge",
    "1 for the letter of the index rounded half_up: A from 88.31, B from 76.61, C from 65.00, D below.",
    ("grade",),
)
RESPONSES = Metric(
    "psap_survey_responses",
    "gauge",
    "How many filled in the survey that the centre's file names (instrument of [survey]), or any where it names none. Those of "
    "another are in no figure of the survey, and count in psap_names_unknown_total{kind=survey}.",
)
SAMPLE_SIZE = Metric(
    "psap_survey_sample_size",
    "gauge",
    "How many must answer, for population N and error e of the centre's file: by Slovin N / (1 + N e²), rounded up; for the "
    "statutory survey by Krejcie and Morgan, 3.841 N / 4 / (e² (N - 1) + 3.841 / 4), rounded to the nearest.",
)
METRICS = (
    SCORE,
    SCORE_ROUNDED,
    MEAN_SCORE,
    ITEM_SCORE,
    ITEM_ANSWERS,
    ITEMS,
    ANSWERS,
    INDEX,
    INDEX_ROUNDED,
    GRADE,
    RESPONSES,
    SAMPLE_SIZE,
)


def measure(state: State, now: float, centre: Centre) -> Readings:
    """Say what is true at `now`, epoch seconds, of the survey that the centre's file names; of both where it names none."""
    held = centre.survey or Survey()
    if (wanted := sample_size(held)) is not None:
        yield SAMPLE_SIZE, (), wanted
    expected: Collection[Instrument] = (held.instrument,) if held.instrument else INSTRUMENTS
    yield RESPONSES, (), sum(state.responses.get(instrument, 0) for instrument in expected)
    if others := sum(n for instrument, n in state.responses.items() if instrument not in expected):
        yield UNKNOWN_TOTAL, ("survey",), others
    for instrument in expected:
        items = {item: tuple(counts) for item, counts in sorted(state.items.items()) if instrument_of(item) == instrument}
        if items:
            yield from _scores(instrument, tuple(items.items()))


@lru_cache(maxsize=1024)  # answers come rarely, scrapes often
def _scores(instrument: Instrument, items: tuple[tuple[str, tuple[int, ...]], ...]) -> tuple[Reading, ...]:
    said: list[Reading] = []
    of_items = {item: item_score(counts) for item, counts in items}
    answers = {item: sum(counts) for item, counts in items}
    for item, score in of_items.items():
        said += [(ITEM_SCORE, (item,), float(score)), (ITEM_ANSWERS, (item,), answers[item])]
    # Of a dimension nobody knows how many items it should have; of the elements there are nine.
    unanswered = instrument == "skm" and len(answers) < len(ELEMENTS)
    said.append((ANSWERS, (instrument, "fewest"), 0 if unanswered else min(answers.values())))
    said.append((ANSWERS, (instrument, "most"), max(answers.values())))
    said += _of_dimensions(of_items) if instrument == "dimensions" else _of_elements(of_items)
    return tuple(said)


def _of_dimensions(of_items: dict[str, Fraction]) -> Iterator[Reading]:
    scores = {}
    for dimension in DIMENSIONS:
        own = [score for item, score in of_items.items() if item.startswith(f"{dimension}.")]
        if own:
            scores[dimension] = mean_score(own)
            yield SCORE, (dimension,), float(scores[dimension])
            yield ITEMS, (dimension,), len(own)
    if len(scores) == len(DIMENSIONS):
        scores["all"] = mean_score(scores.values())
        yield MEAN_SCORE, ("dimensions",), float(scores["all"])
        yield MEAN_SCORE, ("items",), float(mean_score(of_items.values()))
    for name, score in scores.items():
        yield SCORE_ROUNDED, (name, "half_up"), half_up(score)
        yield SCORE_ROUNDED, (name, "half_even"), half_even(score)


def _of_elements(of_items: dict[str, Fraction]) -> Iterator[Reading]:
    if len(of_items) < len(ELEMENTS):
        return
    index = 25 * mean_score(of_items.values())
    yield INDEX, (), float(index)
    yield INDEX_ROUNDED, ("half_up",), half_up(index)
    yield INDEX_ROUNDED, ("half_even",), half_even(index)
    yield GRADE, (grade(index),), 1

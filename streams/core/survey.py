"""Survey: weighted mean scores (WMS) of the five dimensions by which the town judges its 112."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor
from typing import get_args

from schemas.survey import Dimension, SurveyEvent
from streams.core.centre import Centre
from streams.core.ledger import Ledger
from streams.core.reading import Metric, Readings

DIMENSIONS: tuple[str, ...] = get_args(Dimension)
SCORES = 5


@dataclass(slots=True)
class State:
    """The answers of one centre's survey: for each item how often each score from 1 to 5 was given."""

    ledger: Ledger = field(default_factory=Ledger)
    responses: int = 0
    items: dict[str, list[int]] = field(default_factory=dict)


def step(state: State, event: SurveyEvent, time: float, centre: Centre) -> None:
    """Remember one event; `time` is its own in epoch seconds."""
    state.responses += 1
    for item, score in event.data.scores.items():
        state.items.setdefault(item, [0] * SCORES)[score - 1] += 1


def item_score(counts: Iterable[int]) -> Fraction:
    """Weighted mean score M = sum(F * X) / n of one item, given how often (F) each score X from 1 on was given; n > 0."""
    frequencies = list(counts)
    return Fraction(sum(score * times for score, times in enumerate(frequencies, 1)), sum(frequencies))


def mean_score(scores: Iterable[Fraction]) -> Fraction:
    """The mean of at least one score, exactly: of a dimension's items, of the dimensions, or of all items."""
    known = list(scores)
    return sum(known, Fraction()) / len(known)


def half_up(score: Fraction) -> float:
    """Two decimals, a half goes up: 4.105 is 4.11, as most people round."""
    return floor(score * 100 + Fraction(1, 2)) / 100


def half_even(score: Fraction) -> float:
    """Two decimals, a half goes to the even one: 4.105 is 4.10, as the study of Kota Bogor has it and IEEE 754 recommends."""
    return float(round(score, 2))


def sample_size(population: int, error: float) -> int:
    """How many must answer for a `population` within an `error` (0 to 1): n = N / (1 + N e²), rounded up. Slovin's formula."""
    return ceil(population / (1 + population * error**2))


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
    "The score of the whole: mean of the dimensions, or of all items. Absent until each dimension has an answer.",
    ("of",),
)
ITEM_SCORE = Metric(
    "psap_survey_item_score", "gauge", "Weighted mean score of an item: sum of frequency times score, by answers.", ("item",)
)
ITEM_ANSWERS = Metric("psap_survey_item_answers", "gauge", "How many answered an item.", ("item",))
RESPONSES = Metric("psap_survey_responses", "gauge", "How many filled in the survey.")
SAMPLE_SIZE = Metric(
    "psap_survey_sample_size",
    "gauge",
    "How many must answer, by Slovin: N / (1 + N e²), for population and error of the centre file.",
)
METRICS = (SCORE, SCORE_ROUNDED, MEAN_SCORE, ITEM_SCORE, ITEM_ANSWERS, RESPONSES, SAMPLE_SIZE)


def measure(state: State, now: float, centre: Centre) -> Readings:
    """Say what is true at `now`, epoch seconds."""
    if centre.survey is not None:
        yield SAMPLE_SIZE, (), sample_size(centre.survey.population, centre.survey.error)
    yield RESPONSES, (), state.responses
    yield from _scores(tuple((item, tuple(counts)) for item, counts in sorted(state.items.items())))


@lru_cache(maxsize=1024)  # answers come rarely, scrapes often
def _scores(items: tuple[tuple[str, tuple[int, ...]], ...]) -> tuple[tuple[Metric, tuple[str, ...], float], ...]:
    said: list[tuple[Metric, tuple[str, ...], float]] = []
    of_items = {item: item_score(counts) for item, counts in items}
    for item, counts in items:
        said += [(ITEM_SCORE, (item,), float(of_items[item])), (ITEM_ANSWERS, (item,), sum(counts))]
    scores = {}
    for dimension in DIMENSIONS:
        own = [score for item, score in of_items.items() if item.startswith(f"{dimension}.")]
        if own:
            scores[dimension] = mean_score(own)
            said.append((SCORE, (dimension,), float(scores[dimension])))
    if len(scores) == len(DIMENSIONS):
        scores["all"] = mean_score(scores.values())
        said.append((MEAN_SCORE, ("dimensions",), float(scores["all"])))
        said.append((MEAN_SCORE, ("items",), float(mean_score(of_items.values()))))
    for name, score in scores.items():
        said += [(SCORE_ROUNDED, (name, "half_up"), half_up(score)), (SCORE_ROUNDED, (name, "half_even"), half_even(score))]
    return tuple(said)

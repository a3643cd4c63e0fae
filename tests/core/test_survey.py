"""The survey of Kota Bogor (March 2024), as printed and as it is."""

import json
from fractions import Fraction
from math import fsum
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from schemas.survey import Response, SurveyAnswered
from schemas.topics import Refusal, decode
from streams.core import survey
from streams.core.centre import Survey
from streams.core.names import UNKNOWN_TOTAL
from streams.core.reading import Metric
from streams.core.survey import (
    ANSWERS,
    DIMENSIONS,
    GRADE,
    INDEX,
    INDEX_ROUNDED,
    ITEM_ANSWERS,
    ITEM_SCORE,
    ITEMS,
    MEAN_SCORE,
    RESPONSES,
    SAMPLE_SIZE,
    SCORE,
    SCORE_ROUNDED,
    State,
    grade,
    half_even,
    half_up,
    item_score,
    krejcie_morgan,
    mean_score,
    slovin,
)
from tests.builders import BOGOR, SOURCE, START, Said, said

PRINTED = {
    "pemahaman_program": ["3.94", "3.59", "4.04", "4.06", "4.12"],
    "tepat_sasaran": ["4.13", "4.15"],
    "tepat_waktu": ["4.16", "4.06"],
    "tercapainya_tujuan": ["3.95", "4.18", "4.11", "4.18"],
    "perubahan_nyata": ["4.12"],
}
"""Means of the items, as the study of Kota Bogor printed them."""


def answer(n: int, scores: dict[str, int]) -> SurveyAnswered:
    return SurveyAnswered(id=f"s{n}", source=SOURCE, subject="32.71", time=START, data=Response(scores=scores))


def fold(answers: list[dict[str, int]]) -> State:
    state = State()
    for n, scores in enumerate(answers):
        survey.step(state, answer(n, scores), START.timestamp(), BOGOR)
    return state


def readings(answers: list[dict[str, int]], of: Survey | None = None) -> Said:
    return said(survey.measure(fold(answers), START.timestamp(), BOGOR.model_copy(update={"survey": of})))


def test_the_dimensions_of_the_study_come_out_as_printed() -> None:
    """Half to even gives what is printed, 4.10 and 4.08; half up does not."""
    scores = {name: mean_score(map(Fraction, means)) for name, means in PRINTED.items()}

    assert list(scores) == list(DIMENSIONS)
    assert list(scores.values()) == [Fraction(text) for text in ("3.95", "4.14", "4.11", "4.105", "4.12")]
    assert [half_even(score) for score in scores.values()] == [3.95, 4.14, 4.11, 4.10, 4.12]
    assert [half_up(score) for score in scores.values()] == [3.95, 4.14, 4.11, 4.11, 4.12]

    whole = mean_score(scores.values())
    assert whole == Fraction("4.085")
    assert (half_even(whole), half_up(whole)) == (4.08, 4.09)

    of_items = mean_score(Fraction(text) for means in PRINTED.values() for text in means)
    assert round(float(of_items), 3) == 4.056


def test_the_same_comes_out_of_answers() -> None:
    """A hundred respondents whose answers give the printed means exactly: 3.94 are 94 fours and 6 threes."""
    answers: list[dict[str, int]] = [{} for _ in range(100)]
    for dimension, means in PRINTED.items():
        for number, text in enumerate(means, 1):
            whole, higher = divmod(int(Fraction(text) * 100), 100)
            for n, scores in enumerate(answers):
                scores[f"{dimension}.{number}"] = whole + (n < higher)

    found = readings(answers)

    assert found[RESPONSES,] == 100
    for dimension, means in PRINTED.items():
        for number, text in enumerate(means, 1):
            assert found[ITEM_SCORE, f"{dimension}.{number}"] == float(text)
            assert found[ITEM_ANSWERS, f"{dimension}.{number}"] == 100
    assert [found[SCORE, dimension] for dimension in DIMENSIONS] == [3.95, 4.14, 4.11, 4.105, 4.12]
    assert found[SCORE_ROUNDED, "tercapainya_tujuan", "half_even"] == 4.10
    assert found[SCORE_ROUNDED, "tercapainya_tujuan", "half_up"] == 4.11
    assert found[SCORE_ROUNDED, "all", "half_even"] == 4.08
    assert found[SCORE_ROUNDED, "all", "half_up"] == 4.09
    assert found[MEAN_SCORE, "dimensions"] == 4.085
    assert round(found.number(MEAN_SCORE, "items"), 3) == 4.056


@pytest.mark.parametrize(
    ("score", "up", "even"),
    [("3.005", 3.01, 3.0), ("3.015", 3.02, 3.02), ("3.0149", 3.01, 3.01), ("3.0151", 3.02, 3.02), ("5", 5, 5)],
)
def test_the_roundings_differ_only_at_an_exact_half(score: str, up: float, even: float) -> None:
    assert (half_up(Fraction(score)), half_even(Fraction(score))) == (up, even)


def test_an_item_left_open_counts_for_nothing() -> None:
    found = readings([{"tepat_waktu.1": 5, "tepat_waktu.2": 1}, {"tepat_waktu.1": 4}])

    assert found[ITEM_SCORE, "tepat_waktu.1"] == 4.5
    assert found[ITEM_ANSWERS, "tepat_waktu.1"] == 2
    assert found[ITEM_SCORE, "tepat_waktu.2"] == 1
    assert found[SCORE, "tepat_waktu"] == 2.75, "the mean of the items, not of the answers"


def test_a_dimension_without_answers_is_absent_and_so_is_the_mean_of_all() -> None:
    four = {f"{dimension}.1": 4 for dimension in DIMENSIONS[1:]}

    assert said_of(readings([four]), SCORE) == set(DIMENSIONS[1:])
    assert said_of(readings([four]), MEAN_SCORE) == set()
    assert (SCORE_ROUNDED, "all", "half_up") not in readings([four])
    assert said_of(readings([four | {f"{DIMENSIONS[0]}.1": 4}]), MEAN_SCORE) == {"dimensions", "items"}


def said_of(found: Said, metric: Metric) -> set[str]:
    return {key[1] for key in found if key[0] is metric}


def test_the_study_needed_ninety_one_respondents() -> None:
    """Slovin: 953 callers a day, error 10 %: 90.5, of whom there are no halves."""
    assert slovin(953, 0.1) == 91
    assert readings([{"tepat_waktu.1": 3}], Survey(population=953))[SAMPLE_SIZE,] == 91
    assert (SAMPLE_SIZE,) not in readings([{"tepat_waktu.1": 3}])
    assert (SAMPLE_SIZE,) not in readings([{"tepat_waktu.1": 3}], Survey(instrument="dimensions"))


@pytest.mark.parametrize(("population", "error", "n"), [(1, 0.1, 1), (900, 0.1, 90), (100, 0.1, 50), (1_000_000, 0.05, 400)])
def test_a_sample_is_rounded_up_to_whole_people_and_only_then(population: int, error: float, n: int) -> None:
    assert slovin(population, error) == n


CODES = [f"{dimension}.{number}" for dimension in DIMENSIONS for number in (1, 2)]
answers = st.lists(st.dictionaries(st.sampled_from(CODES), st.integers(1, 5), min_size=1), min_size=1, max_size=30)


@settings(deadline=None)
@given(answers, st.randoms(use_true_random=False))
def test_scores_are_those_of_a_count_by_hand_in_any_order(told: list[dict[str, int]], dice: Random) -> None:
    found = readings(told)

    for item in CODES:
        given_scores = [scores[item] for scores in told if item in scores]
        assert ((ITEM_SCORE, item) in found) is bool(given_scores)
        if given_scores:
            assert found[ITEM_SCORE, item] == pytest.approx(fsum(given_scores) / len(given_scores))
            assert found[ITEM_ANSWERS, item] == len(given_scores)
    dice.shuffle(told)
    assert readings(told) == found


def test_the_weighted_mean_score_is_the_sum_of_frequency_times_score_by_answers() -> None:
    assert item_score([1, 0, 2, 3, 4]) == Fraction(1 * 1 + 2 * 3 + 3 * 4 + 4 * 5, 10)


ELEMENTS = {"u1": 4, "u2": 3, "u3": 3, "u4": 4, "u5": 3, "u6": 3, "u7": 4, "u8": 3, "u9": 4}


def test_the_statutory_survey_has_an_index_of_nine_elements_in_a_centre_whose_file_says_nothing_of_it() -> None:
    found = readings([ELEMENTS])

    assert found[RESPONSES,] == 1
    assert (found[ITEM_SCORE, "u1"], found[ITEM_ANSWERS, "u9"]) == (4, 1)
    assert found[INDEX,] == pytest.approx(31 / 9 * 25)
    assert (found[INDEX_ROUNDED, "half_up"], found[INDEX_ROUNDED, "half_even"]) == (86.11, 86.11)
    assert said_of(found, GRADE) == {"B"}
    assert said_of(found, SCORE) == said_of(found, MEAN_SCORE) == set()


def test_nine_perfect_elements_make_a_hundred_and_not_ninety_nine() -> None:
    assert readings([dict.fromkeys(ELEMENTS, 4)])[INDEX,] == 100
    assert readings([dict.fromkeys(ELEMENTS, 1)])[INDEX,] == 25


@pytest.mark.parametrize(
    ("index", "letter"),
    [
        ("25", "D"), ("64.99", "D"), ("64.9949", "D"), ("64.995", "C"), ("65", "C"), ("76.60", "C"), ("76.6049", "C"),
        ("76.605", "B"), ("76.61", "B"), ("88.30", "B"), ("88.3049", "B"), ("88.305", "A"), ("88.31", "A"), ("100", "A"),
    ],
)  # fmt: skip
def test_the_letter_is_of_two_decimals_since_the_regulation_has_nothing_between_its_bounds(index: str, letter: str) -> None:
    assert grade(Fraction(index)) == letter


def test_an_element_that_nobody_answered_leaves_no_index_and_is_said() -> None:
    found = readings([{item: score for item, score in ELEMENTS.items() if item != "u4"}])

    assert (INDEX,) not in found
    assert said_of(found, GRADE) == said_of(found, INDEX_ROUNDED) == set()
    assert (found[ANSWERS, "skm", "fewest"], found[ANSWERS, "skm", "most"]) == (0, 1)


def test_unequal_answers_and_unequal_numbers_of_items_are_said() -> None:
    found = readings(
        [ELEMENTS, {"u1": 2}, {"tepat_waktu.1": 5, "tepat_waktu.2": 1}, {"tepat_waktu.1": 4, "perubahan_nyata.1": 4}]
    )

    assert (found[ANSWERS, "skm", "fewest"], found[ANSWERS, "skm", "most"]) == (1, 2)
    assert (found[ANSWERS, "dimensions", "fewest"], found[ANSWERS, "dimensions", "most"]) == (1, 2)
    assert (found[ITEMS, "tepat_waktu"], found[ITEMS, "perubahan_nyata"]) == (2, 1)
    assert found[INDEX,] == pytest.approx((31 - 1) / 9 * 25), "u1 is 3 of two answers"


def test_answers_to_a_survey_that_is_not_held_here_are_in_no_figure_and_somebody_is_told() -> None:
    told = [ELEMENTS, ELEMENTS, {"tepat_waktu.1": 5}]

    statutory, dimensions = (readings(told, Survey(instrument=held)) for held in ("skm", "dimensions"))

    assert (statutory[RESPONSES,], statutory[UNKNOWN_TOTAL, "survey"]) == (2, 1)
    assert (dimensions[RESPONSES,], dimensions[UNKNOWN_TOTAL, "survey"]) == (1, 2)
    assert said_of(statutory, ITEM_SCORE) == set(ELEMENTS)
    assert said_of(dimensions, ITEM_SCORE) == {"tepat_waktu.1"}
    assert (INDEX,) not in dimensions
    both = readings(told)
    assert (both[RESPONSES,], (UNKNOWN_TOTAL, "survey") in both) == (3, False)


@pytest.mark.parametrize(
    ("population", "n"), [(10, 10), (15, 14), (100, 80), (220, 140), (1_000, 278), (2_000, 322), (1_000_000, 384)]
)
def test_the_statutory_survey_needs_as_many_as_its_table_says(population: int, n: int) -> None:
    assert krejcie_morgan(population, 0.05) == n
    assert readings([ELEMENTS], Survey(instrument="skm", population=population))[SAMPLE_SIZE,] == n


@pytest.mark.parametrize(
    "scores", [{"u1": 5}, {"u10": 1}, {"u0": 1}, {"u1": 4, "tepat_waktu.1": 4}, {"tepat_waktu.1": 6}, {"u1.1": 1}, {"u1": 0}]
)
def test_a_response_of_two_surveys_or_with_a_score_that_its_survey_does_not_have_is_refused(scores: dict[str, int]) -> None:
    event = answer(1, {"u1": 4}).model_dump(mode="json")
    event["data"]["scores"] = scores

    refusal = decode(json.dumps(event).encode())

    assert isinstance(refusal, Refusal)
    assert refusal.detail.startswith("field data.scores")


def test_the_state_of_ten_thousand_respondents_takes_less_than_three_kilobytes() -> None:
    """All 54 items that there can be, without the ledger; it grows only with the digits."""
    every = {f"{dimension}.{number}": 1 + number % 5 for dimension in DIMENSIONS for number in range(1, 10)}
    state = fold([every, ELEMENTS])
    for counts in state.items.values():
        counts[:] = [2000] * len(counts)
    size = len(TypeAdapter(State).dump_json(state))
    print(f"\n{size:,} bytes")

    assert size < 3_000

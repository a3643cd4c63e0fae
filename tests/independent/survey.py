"""Survey: what all respondents up to a moment said, in exact fractions until the end."""

from collections import defaultdict
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction
from math import ceil

from tests.independent.history import Figures, History

DIMENSIONS = ("pemahaman_program", "tepat_sasaran", "tepat_waktu", "tercapainya_tujuan", "perubahan_nyata")
ELEMENTS = tuple(f"u{number}" for number in range(1, 10))
GRADES = {"A": 88.31, "B": 76.61, "C": 65.0, "D": 0.0}
CHI_SQUARE = Fraction("3.841")
ROUNDINGS = {"half_up": ROUND_HALF_UP, "half_even": ROUND_HALF_EVEN}


def figures(history: History, now: int) -> Figures:
    """What the town said up to `now`."""
    found: Figures = {}
    answered = [event.data["scores"] for event in history.of("survey") if event.time <= now]
    if not answered:
        return found
    held = history.centre.get("survey", {})
    told = [scores for scores in answered if held.get("instrument") in (None, _instrument(scores))]
    if len(told) < len(answered):
        found["psap_names_unknown_total", "survey"] = len(answered) - len(told)
    scores: defaultdict[str, list[int]] = defaultdict(list)
    for response in told:
        for item, score in response.items():
            scores[item].append(score)
    means = {item: Fraction(sum(each), len(each)) for item, each in scores.items()}
    by_dimension = {
        name: _mean([mean for item, mean in means.items() if item.startswith(f"{name}.")])
        for name in DIMENSIONS
        if any(item.startswith(f"{name}.") for item in means)
    }
    for item, mean in means.items():
        found["psap_survey_item_score", item] = float(mean)
        found["psap_survey_item_answers", item] = len(scores[item])
    rounded = dict(by_dimension)
    if len(by_dimension) == len(DIMENSIONS):
        rounded["all"] = _mean([*by_dimension.values()])
        found["psap_survey_mean_score", "dimensions"] = float(rounded["all"])
        found["psap_survey_mean_score", "items"] = float(_mean([mean for item, mean in means.items() if item not in ELEMENTS]))
    for name, mean in by_dimension.items():
        found["psap_survey_score", name] = float(mean)
        found["psap_survey_items", name] = sum(item.startswith(f"{name}.") for item in means)
    for name, mean in rounded.items():
        for rounding, how in ROUNDINGS.items():
            found["psap_survey_score_rounded", name, rounding] = _rounded(mean, how)
    _say_answers(found, {item: len(each) for item, each in scores.items()})
    if all(element in means for element in ELEMENTS):
        index = 25 * _mean([means[element] for element in ELEMENTS])
        found["psap_survey_index",] = float(index)
        for rounding, how in ROUNDINGS.items():
            found["psap_survey_index_rounded", rounding] = _rounded(index, how)
        letter = next(letter for letter, least in GRADES.items() if _rounded(index, ROUND_HALF_UP) >= least)
        found["psap_survey_grade", letter] = 1
    found["psap_survey_responses",] = len(told)
    if "population" in held:
        people, is_statutory = held["population"], held.get("instrument") == "skm"
        error = Fraction(str(held.get("error", 0.05 if is_statutory else 0.1)))
        krejcie = CHI_SQUARE * people / 4 / (error**2 * (people - 1) + CHI_SQUARE / 4)
        slovin = ceil(people / (1 + people * error * error))
        found["psap_survey_sample_size",] = round(krejcie) if is_statutory else slovin
    return found


def _instrument(scores: dict[str, int]) -> str:
    """Which survey an answer is of, by the names of its items."""
    return "skm" if any(item in ELEMENTS for item in scores) else "dimensions"


def _say_answers(found: Figures, answers: dict[str, int]) -> None:
    """The fewest and the most answers that an item has, by survey."""
    for instrument, names in (("dimensions", [item for item in answers if item not in ELEMENTS]), ("skm", [*ELEMENTS])):
        counts = [answers.get(item, 0) for item in names]
        if any(counts):
            found["psap_survey_answers", instrument, "fewest"] = min(counts)
            found["psap_survey_answers", instrument, "most"] = max(counts)


def _rounded(value: Fraction, how: str) -> float:
    """To two decimals."""
    return float((Decimal(value.numerator) / Decimal(value.denominator)).quantize(Decimal("0.01"), how))


def _mean(values: list[Fraction]) -> Fraction:
    return sum(values, Fraction()) / len(values)

"""Survey: what all respondents up to a moment said, in exact fractions until the end."""

from collections import defaultdict
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction
from math import ceil

from tests.independent.history import Figures, History

DIMENSIONS = ("pemahaman_program", "tepat_sasaran", "tepat_waktu", "tercapainya_tujuan", "perubahan_nyata")
ROUNDINGS = {"half_up": ROUND_HALF_UP, "half_even": ROUND_HALF_EVEN}


def figures(history: History, now: int) -> Figures:
    """What the town said up to `now`."""
    found: Figures = {}
    told = [event.data["scores"] for event in history.of("survey") if event.time <= now]
    if not told:
        return found
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
        found["psap_survey_mean_score", "items"] = float(_mean([*means.values()]))
    for name, mean in by_dimension.items():
        found["psap_survey_score", name] = float(mean)
    for name, mean in rounded.items():
        for rounding, how in ROUNDINGS.items():
            exact = Decimal(mean.numerator) / Decimal(mean.denominator)
            found["psap_survey_score_rounded", name, rounding] = float(exact.quantize(Decimal("0.01"), how))
    found["psap_survey_responses",] = len(told)
    if "survey" in history.centre:
        people, error = history.centre["survey"]["population"], Fraction(str(history.centre["survey"].get("error", 0.1)))
        found["psap_survey_sample_size",] = ceil(people / (1 + people * error * error))
    return found


def _mean(values: list[Fraction]) -> Fraction:
    return sum(values, Fraction()) / len(values)

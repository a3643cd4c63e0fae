"""How long something takes, where some are still at it: what has not ended has lasted so long already, and is not left out."""

from bisect import bisect_right
from collections.abc import Sequence
from math import ceil, inf

_TIE = 1e-9
"""So near a share is the percentile itself, and not just short of it."""


def quantile(ended: Sequence[float], still: Sequence[float], percent: int) -> float:
    """The least time by which `percent` of all had ended, by the product-limit estimate of Kaplan and Meier (1958), J. Am. Stat.
    Assoc. 53, 457-481: nearest rank where nothing is still at it.

    `ended` are the times taken, at least one, `still` those lasted so far, both ascending. What has lasted exactly as long as
    another took was still at it then. Where too few have ended to say, the longest time known: the percentile is not below it.
    """
    left, target = 1.0, 1 - percent / 100
    done = 0
    for gone, lasted in enumerate((*still, inf)):
        end = bisect_right(ended, lasted, lo=done)
        if end > done:
            at_risk = len(ended) - done + len(still) - gone
            # After i more of them (at_risk - i) / at_risk of the share is left.
            rank = max(1, ceil(at_risk * (1 - target / left) - _TIE))
            if rank <= end - done:
                return ended[done + rank - 1]
            left *= (at_risk - (end - done)) / at_risk
            done = end
    return max(ended[-1], still[-1])


def within(ended: Sequence[float], still: Sequence[float], limit: float) -> tuple[int, int]:
    """How many took no longer than `limit`, and of how many that is known: those that ended or have lasted longer."""
    return bisect_right(ended, limit), len(ended) + len(still) - bisect_right(still, limit)

"""The service levels that different authorities compute from the same calls, side by side."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from streams.core.window import kinds

# Every call whose waiting is over is one of 16 kinds, chosen so that all service levels are sums of them.
# An answer is the sum of the marks it earned:
WITHIN_15, WITHIN_20, WITHIN_LEVEL = 1, 2, 4
# an abandon is 8 and its marks:
ABANDONED, ABANDONED_WITHIN_LEVEL, SHORT = 8, 1, 2
OVERFLOWED, NETWORK_DROPPED, LOST, BLOCKED = 12, 13, 14, 15
# Not the end of a wait, but counted with them per day:
OFFERED = 16
KINDS = kinds(17)


def answer_kind(wait: float, level: float) -> int:
    """The kind of an answer after `wait` seconds; `level` is Asterisk's service level threshold in seconds."""
    return WITHIN_15 * (wait <= 15) | WITHIN_20 * (wait <= 20) | WITHIN_LEVEL * (wait <= level)


def abandon_kind(wait: float, level: float, short: bool) -> int:
    """The kind of an abandon after `wait` seconds."""
    return ABANDONED | ABANDONED_WITHIN_LEVEL * (wait <= level) | SHORT * short


class Tally(NamedTuple):
    """Counts of calls whose waiting is over, by what became of them."""

    answered: int
    within_15: int
    within_20: int
    within_level: int
    abandoned: int
    short: int
    abandoned_within_level: int
    overflowed: int
    network_dropped: int
    lost: int
    blocked: int

    @classmethod
    def of(cls, counts: Sequence[int]) -> "Tally":
        """The tally of counts per kind."""
        answers = counts[:8]
        return cls(
            answered=sum(answers),
            within_15=sum(answers[1::2]),
            within_20=answers[2] + answers[3] + answers[6] + answers[7],
            within_level=sum(answers[4:]),
            abandoned=sum(counts[8:12]),
            short=counts[10] + counts[11],
            abandoned_within_level=counts[9] + counts[11],
            overflowed=counts[OVERFLOWED],
            network_dropped=counts[NETWORK_DROPPED],
            lost=counts[LOST],
            blocked=counts[BLOCKED],
        )

    @property
    def unblocked(self) -> int:
        """All that could have been answered: answered and every loss but blocked."""
        return self.answered + self.abandoned + self.overflowed + self.network_dropped + self.lost


class ServiceLevel(NamedTuple):
    """One authority's share: `good` out of `n`, with its threshold in seconds."""

    variant: str
    threshold: str
    good: int
    n: int


def variants(tally: Tally, level: float) -> Iterator[ServiceLevel]:
    """Every variant of a tally; `level` is Asterisk's threshold in seconds.

    nena: NENA-STA-020.1-2020 (90 % within 15 s, 95 % within 20 s) over offered calls but short abandons and blocked.
    answered: the same over answered calls. inclusive: the same over all offered, blocked and short abandons too.
    servicelevelperf, servicelevelperf2: Asterisk, apps/app_queue.c; only the second counts abandons, early ones as met.
    """
    asterisk = f"{level:g}"
    for threshold, good in (("15", tally.within_15), ("20", tally.within_20)):
        yield ServiceLevel("nena", threshold, good, tally.unblocked - tally.short)
        yield ServiceLevel("answered", threshold, good, tally.answered)
        yield ServiceLevel("inclusive", threshold, good, tally.unblocked + tally.blocked)
    yield ServiceLevel("servicelevelperf", asterisk, tally.within_level, tally.answered)
    met = tally.within_level + tally.abandoned_within_level
    yield ServiceLevel("servicelevelperf2", asterisk, met, tally.answered + tally.abandoned)

"""The service levels that different authorities compute from the same calls, side by side (`streams/core/README.md`)."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from streams.core.window import kinds

# Every journey whose waiting is over is one of 19 kinds, chosen so that all service levels are sums of them.
# An answer is the sum of the marks it earned:
WITHIN_15, WITHIN_20, WITHIN_LEVEL = 1, 2, 4
# an abandon is 8 and its marks:
ABANDONED, ABANDONED_WITHIN_LEVEL, SHORT = 8, 1, 2
OVERFLOWED, NETWORK_DROPPED, LOST, BLOCKED, ANNOUNCEMENT = 12, 13, 14, 15, 16
# Answered, or abandoned, before they came: nobody knows how long they waited, and no service level has them.
ANSWERED_BACKWARD, ABANDONED_BACKWARD = 17, 18
# Not the end of a wait, but counted with them per day:
OFFERED = 19
KINDS = kinds(20)


def answer_kind(wait: float | None, level: float) -> int:
    """The kind of an answer after `wait` seconds, if they are known; `level` is Asterisk's service level threshold in seconds."""
    if wait is None:
        return ANSWERED_BACKWARD
    return WITHIN_15 * (wait <= 15) | WITHIN_20 * (wait <= 20) | WITHIN_LEVEL * (wait <= level)


def abandon_kind(wait: float | None, level: float, short: bool) -> int:
    """The kind of an abandon after `wait` seconds, if they are known."""
    if wait is None:
        return ABANDONED_BACKWARD
    return ABANDONED | ABANDONED_WITHIN_LEVEL * (wait <= level) | SHORT * short


class Tally(NamedTuple):
    """Counts of journeys whose waiting is over, by what became of them. `abandoned` are those who hung up, but not at once;
    `backward` are those answered and abandoned before they came.
    """

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
    announcement: int
    answered_backward: int
    abandoned_backward: int

    @classmethod
    def of(cls, counts: Sequence[int]) -> "Tally":
        """The tally of counts per kind."""
        answers = counts[:8]
        return cls(
            answered=sum(answers) + counts[ANSWERED_BACKWARD],
            within_15=sum(answers[1::2]),
            within_20=answers[2] + answers[3] + answers[6] + answers[7],
            within_level=sum(answers[4:]),
            abandoned=counts[8] + counts[9] + counts[ABANDONED_BACKWARD],
            short=counts[10] + counts[11],
            abandoned_within_level=counts[9] + counts[11],
            overflowed=counts[OVERFLOWED],
            network_dropped=counts[NETWORK_DROPPED],
            lost=counts[LOST],
            blocked=counts[BLOCKED],
            announcement=counts[ANNOUNCEMENT],
            answered_backward=counts[ANSWERED_BACKWARD],
            abandoned_backward=counts[ABANDONED_BACKWARD],
        )

    @property
    def unblocked(self) -> int:
        """All that could have been answered: answered, and every loss but blocked and those who ended in the announcement."""
        return self.answered + self.abandoned + self.short + self.overflowed + self.network_dropped + self.lost

    @property
    def backward(self) -> int:
        """Those of whom it is not known how long they waited."""
        return self.answered_backward + self.abandoned_backward

    @property
    def offered(self) -> int:
        """All of them."""
        return self.unblocked + self.blocked + self.announcement


class ServiceLevel(NamedTuple):
    """One authority's share: `good` out of `n`, with its threshold in seconds."""

    variant: str
    threshold: str
    good: int
    n: int


LIMITS = (15, 20)
"""NENA's thresholds in seconds."""


def variants(tally: Tally, level: float, beyond: Sequence[int] = (0, 0)) -> Iterator[ServiceLevel]:
    """Every variant of a tally; `level` is Asterisk's threshold in seconds, `beyond` how many still wait for longer than each of
    `LIMITS`: whoever does is missed already, and not only when he is answered.

    nena: NENA-STA-020.1-2020 (90 % within 15 s, 95 % within 20 s) over offered calls but short abandons, blocked ones and those
    that ended in the announcement. inclusive: the same over all offered. answered: over answered calls.
    servicelevelperf, servicelevelperf2: Asterisk, apps/app_queue.c; only the second counts abandons, early ones as met. Of whom
    it is not known how long they waited is in none.
    """
    answered = tally.answered - tally.answered_backward
    asterisk = f"{level:g}"
    for limit, good, missed in zip(LIMITS, (tally.within_15, tally.within_20), beyond, strict=True):
        yield ServiceLevel("nena", f"{limit}", good, tally.unblocked - tally.backward - tally.short + missed)
        yield ServiceLevel("answered", f"{limit}", good, answered)
        yield ServiceLevel("inclusive", f"{limit}", good, tally.offered - tally.backward + missed)
    yield ServiceLevel("servicelevelperf", asterisk, tally.within_level, answered)
    met = tally.within_level + tally.abandoned_within_level
    yield ServiceLevel("servicelevelperf2", asterisk, met, answered + tally.abandoned - tally.abandoned_backward + tally.short)

"""The service levels of the same calls, each worked out by hand."""

import pytest

from streams.core.calls import SERVICE_LEVEL, SERVICE_LEVEL_CALLS
from tests.builders import Said, abandoned, answered, blocked, bogor, network_dropped, offered, overflowed, readings

ANSWER_WAITS = (3, 15, 16, 20, 21, 60, 61, 100)
ABANDON_WAITS = (2, 5, 30, 60, 61)
"""With 5 s for short and 60 s for Asterisk's level: two short, four early."""


def an_hour(level: float = 60, short: float = 5) -> Said:
    """Eight answers, five abandons, an overflow, a network drop, one blocked, one lost; one more waits."""
    names = [*(f"a{w}" for w in ANSWER_WAITS), *(f"x{w}" for w in ABANDON_WAITS), "v", "n", "b", "lost"]
    events = [
        *(offered(name, 0) for name in names),
        *(answered(f"a{wait}", wait) for wait in ANSWER_WAITS),
        *(abandoned(f"x{wait}", wait) for wait in ABANDON_WAITS),
        overflowed("v", 90),
        network_dropped("n", 90),
        blocked("b", 0),
        offered("waits", 200),
    ]
    return readings(events, 210, bogor(service_level_seconds=level, short_abandon_seconds=short, give_up_waiting_seconds=150))


@pytest.mark.parametrize(
    ("variant", "threshold", "good", "n"),
    [
        # Answered within 15 s: 3, 15. Within 20 s: 16 and 20 too.
        # NENA: 17 offered - 2 short - 1 blocked.
        ("nena", "15", 2, 14),
        ("nena", "20", 4, 14),
        ("answered", "15", 2, 8),
        ("answered", "20", 4, 8),
        # All that was offered and is over, blocked and short too.
        ("inclusive", "15", 2, 17),
        ("inclusive", "20", 4, 17),
        # Answered within 60 s: 3 15 16 20 21 60.
        ("servicelevelperf", "60", 6, 8),
        # ... and abandoned within 60 s: 2 5 30 60, out of answered and abandoned.
        ("servicelevelperf2", "60", 10, 13),
    ],
)
def test_a_variant_is_what_its_authority_computes(variant: str, threshold: str, good: int, n: int) -> None:
    said = an_hour()

    assert said[SERVICE_LEVEL_CALLS, variant, threshold, "60m"] == n
    assert said[SERVICE_LEVEL, variant, threshold, "60m"] == good / n


def test_asterisks_level_is_that_of_the_centre() -> None:
    said = an_hour(level=20)

    assert said[SERVICE_LEVEL, "servicelevelperf", "20", "60m"] == 4 / 8
    assert said[SERVICE_LEVEL, "servicelevelperf2", "20", "60m"] == 6 / 13
    assert said[SERVICE_LEVEL, "nena", "20", "60m"] == 4 / 14


def test_the_short_abandons_are_those_of_the_centre() -> None:
    assert an_hour(short=30)[SERVICE_LEVEL, "nena", "15", "60m"] == 2 / 13
    assert an_hour(short=1)[SERVICE_LEVEL, "nena", "15", "60m"] == 2 / 16


def test_short_abandons_alone_are_no_service_level() -> None:
    said = readings([offered("c1", 0), abandoned("c1", 2)], now=10)

    assert said[SERVICE_LEVEL_CALLS, "nena", "15", "5m"] == 0
    assert (SERVICE_LEVEL, "nena", "15", "5m") not in said
    assert said[SERVICE_LEVEL, "inclusive", "15", "5m"] == 0
    assert said[SERVICE_LEVEL, "servicelevelperf2", "60", "5m"] == 1


@pytest.mark.parametrize("window", ["5m", "15m", "60m", "today"])
def test_every_window_has_every_variant(window: str) -> None:
    said = an_hour()

    assert len([key for key in said if key[0] is SERVICE_LEVEL and key[-1] == window]) == 8

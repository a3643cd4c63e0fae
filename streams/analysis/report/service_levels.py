"""Every service level that an authority asks for, from the same calls, each with its n and interval."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from streams.analysis.report.scope import ALL, Scope
from streams.analysis.report.subject import Ratio, Row, Subject, share
from streams.analysis.report.words import Words
from streams.core.service_level import Tally, variants


@dataclass(slots=True, kw_only=True)
class Level(Row):
    """A share of calls that were answered in time, by one authority's rule."""

    variant: Annotated[
        str,
        Words("Aturan", "Rule"),
        Words(
            "nena, inclusive, answered, servicelevelperf, servicelevelperf2: siapa dihitung.",
            "nena, inclusive, answered, servicelevelperf, servicelevelperf2: who is counted (streams/core/README.md).",
        ),
    ]
    threshold: Annotated[str, Words("Batas (detik)", "Threshold (s)"), Words("Detik.", "Seconds.")]
    good: Annotated[int, Words("Memenuhi", "Met"), Words("Yang memenuhi.", "Those that met it.")]
    n: Annotated[int, Words("n", "n"), Words("Yang dihitung.", "Those that count.")]
    ratio: Annotated[Ratio | None, Words("Rasio", "Ratio"), Words("Memenuhi dibagi n.", "Met out of n.")]
    lower: Annotated[Ratio | None, Words("batas bawah", "lower"), Words("Wilson 95 %.", "Wilson, 95 %.")]
    upper: Annotated[Ratio | None, Words("batas atas", "upper"), Words("Wilson 95 %.", "Wilson, 95 %.")]


_COUNTS = {
    "answered": "outcome = 'answered'",
    "within_15": "outcome = 'answered' AND wait_seconds <= 15",
    "within_20": "outcome = 'answered' AND wait_seconds <= 20",
    "within_level": "outcome = 'answered' AND wait_seconds <= level",
    "abandoned": "outcome = 'abandoned'",
    "short": "outcome = 'short_abandoned'",
    "abandoned_within_level": "outcome IN ('abandoned', 'short_abandoned') AND wait_seconds <= level",
    **{each: f"outcome = '{each}'" for each in ("overflowed", "network_dropped", "lost", "blocked", "announcement")},
    "answered_backward": "outcome = 'answered' AND wait_seconds IS NULL",
    "abandoned_backward": "outcome = 'abandoned' AND wait_seconds IS NULL",
}


def rows(scope: Scope) -> Iterator[Level]:
    """Each variant of each centre and span."""
    counts = ", ".join(f"count(*) FILTER ({condition}) AS {name}" for name, condition in _COUNTS.items())
    for told in scope.ask(
        f"FROM (FROM asked.journeys SELECT *, {scope.level} AS level WHERE is_caller) "
        f"SELECT coalesce(city, '{ALL}') AS city, span, period, max(level) AS level, min(level) AS least, {counts} "
        f"{scope.grouped()} ORDER BY ALL"
    ):
        city, span, period, level = (told.pop(name) for name in ("city", "span", "period", "level"))
        same = told.pop("least") == level
        for variant, threshold, good, n in variants(Tally(**told), level):
            # All centres together have no threshold of their own, where each has another one.
            if same or not variant.startswith("servicelevelperf"):
                ratio, lower, upper = share(good, n)
                yield Level(
                    city=city, span=span, period=period, variant=variant, threshold=threshold, good=good, n=n,
                    ratio=ratio, lower=lower, upper=upper,
                )  # fmt: skip


SERVICE_LEVELS = Subject(
    "service_levels",
    Words("Tingkat layanan", "Service levels"),
    Words(
        "NENA meminta 90 % dalam 15 detik dan 95 % dalam 20 detik.",
        "NENA-STA-020.1-2020 asks for 90 % within 15 s and 95 % within 20 s.",
    ),
    Level,
    rows,
)

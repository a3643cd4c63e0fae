"""How long callers waited: exact percentiles, and the longest."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from streams.analysis.report.scope import ALL, WHOLE, Scope
from streams.analysis.report.subject import Ratio, Row, Seconds, Subject, ranked, share
from streams.analysis.report.words import Words
from streams.analysis.rows.row import Moment

LONGEST = 10


@dataclass(slots=True, kw_only=True)
class Waits(Row):
    """How long those waited whose waiting ended in one way."""

    outcome: Annotated[
        str,
        Words("Akhir menunggu", "Outcome"),
        Words("answered atau abandoned (termasuk segera).", "answered, or abandoned (short ones too)."),
    ]
    n: Annotated[int, Words("n", "n"), Words("Yang lama tunggunya diketahui.", "Those of whom it is known how long they waited.")]
    mean: Annotated[Seconds, Words("Rata-rata (detik)", "Mean (s)"), Words("Detik.", "Seconds.")]
    p50: Annotated[Seconds, Words("Median", "Median"), Words("Peringkat terdekat, detik.", "Nearest rank, seconds.")]
    p90: Annotated[Seconds, Words("p90", "p90"), Words("Peringkat terdekat, detik.", "Nearest rank, seconds.")]
    p95: Annotated[Seconds, Words("p95", "p95"), Words("Peringkat terdekat, detik.", "Nearest rank, seconds.")]
    p99: Annotated[Seconds, Words("p99", "p99"), Words("Peringkat terdekat, detik.", "Nearest rank, seconds.")]
    longest: Annotated[Seconds, Words("Terlama", "Longest"), Words("Detik.", "Seconds.")]
    longest_tenth_mean: Annotated[
        Seconds,
        Words("Rata-rata sepersepuluh terlama", "Mean of the longest tenth"),
        Words("Dari n / 10 terlama, dibulatkan ke atas; detik.", "Of the n / 10 longest, rounded up; seconds."),
    ]
    within_10: Annotated[
        int, Words("Dalam 10 detik", "Within 10 s"), Words("Menunggu paling lama 10 detik.", "Waited 10 s at most.")
    ]
    within_10_ratio: Annotated[Ratio | None, Words("Rasio dalam 10 detik", "Share within 10 s"), Words("Dari n.", "Out of n.")]
    within_10_lower: Annotated[Ratio | None, Words("batas bawah", "lower"), Words("Wilson 95 %.", "Wilson, 95 %.")]
    within_10_upper: Annotated[Ratio | None, Words("batas atas", "upper"), Words("Wilson 95 %.", "Wilson, 95 %.")]


@dataclass(slots=True, kw_only=True)
class Longest(Row):
    """One of the longest waits, by the journey's code."""

    rank: Annotated[int, Words("Peringkat", "Rank"), Words("Dari 1.", "From 1.")]
    journey: Annotated[
        str, Words("Panggilan", "Journey"), Words("Kode panggilan seperti di journeys.", "Its code, as in journeys.")
    ]
    arrived: Annotated[Moment, Words("Tiba", "Arrived"), Words("UTC.", "UTC.")]
    wait_seconds: Annotated[Seconds, Words("Menunggu (detik)", "Waited (s)"), Words("Detik.", "Seconds.")]
    outcome: Annotated[str, Words("Akhir", "Outcome"), Words("Seperti di journeys.", "As in journeys.")]


_WAITED = (
    "(FROM asked.journeys SELECT city, span, period, wait_seconds AS wait, "
    "CASE WHEN outcome = 'answered' THEN 'answered' ELSE 'abandoned' END AS outcome "
    "WHERE is_caller AND wait_seconds IS NOT NULL AND outcome IN ('answered', 'abandoned', 'short_abandoned'))"
)


def waits(scope: Scope) -> Iterator[Waits]:
    """Of each centre and span, those answered and those who hung up."""
    percentiles = ", ".join(f"{ranked('waited', p)} AS p{p}" for p in (50, 90, 95, 99))
    for told in scope.ask(
        f"FROM (FROM {_WAITED} SELECT coalesce(city, '{ALL}') AS city, span, period, outcome, count(*) AS n, avg(wait) AS mean, "
        "list_sort(list(wait)) AS waited, max(wait) AS longest, count(*) FILTER (wait <= 10) AS within_10 "
        f"{scope.grouped('outcome')}) SELECT city, span, period, outcome, n, mean, {percentiles}, longest, "
        "list_avg(list_reverse(waited[n - (n + 9) // 10 + 1 :])) AS longest_tenth_mean, within_10 "
        "ORDER BY city, span, period, outcome"
    ):
        ratio, lower, upper = share(told["within_10"], told["n"])
        yield Waits(**told, within_10_ratio=ratio, within_10_lower=lower, within_10_upper=upper)


def longest(scope: Scope) -> Iterator[Longest]:
    """Of each centre the ten longest waits of the whole time that are over."""
    for told in scope.ask(
        "FROM asked.journeys SELECT city, span, period, row_number() OVER waited AS rank, journey, "
        "epoch_us(arrived) / 1e6 AS arrived, wait_seconds, outcome "
        f"WHERE is_caller AND wait_seconds IS NOT NULL AND span = '{WHOLE}' "
        "WINDOW waited AS (PARTITION BY city ORDER BY wait_seconds DESC, asked.journeys.arrived, journey) "
        f"QUALIFY rank <= {LONGEST} ORDER BY city, rank"
    ):
        yield Longest(**told)


WAITS = Subject(
    "waits",
    Words("Waktu tunggu", "Waiting"),
    Words(
        "Dari tiba sampai dijawab atau menutup; tanpa panggilan uji. Persentil tepat, bukan dari histogram.",
        "From the arrival to the answer or the hanging-up, tests left out. Percentiles are exact, not of a histogram.",
    ),
    Waits,
    waits,
)
LONGEST_WAITS = Subject(
    "longest_waits",
    Words("Tunggu terlama", "Longest waits"),
    Words("Sepuluh yang terlama, termasuk yang tidak dijawab.", "The ten longest, whatever became of them."),
    Longest,
    longest,
)

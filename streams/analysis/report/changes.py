"""Whether figures changed, against the time before and the year before, with intervals that allow for good and bad days.

Calls of one day are alike: a storm or a missing seat touches them all. So days are drawn, and not calls: a figure is a ratio of
sums over days, its variance that of a ratio estimate from a sample of clusters (Cochran 1977, *Sampling Techniques*, 6.3 and 9A),

    r = Σ g / Σ n,    var r = D / (D - 1) · Σ (g - r n)² / (Σ n)²    over D days with `g` good ones out of `n`,

and the difference of two has Welch's interval at 95 %.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import inf, sqrt
from statistics import NormalDist
from typing import Annotated, Literal, NamedTuple

from streams.analysis.period import named
from streams.analysis.report.scope import ALL, BEFORE, PART, WHOLE, YEAR_BEFORE, Scope
from streams.analysis.report.subject import Real, Row, Subject
from streams.analysis.report.words import Words

Verdict = Literal["better", "worse", "higher", "lower", "unclear", "unknown"]

LEAST_DAYS = 5
"""Of fewer days it is not known how much days differ."""

_Z = NormalDist().inv_cdf(0.975)


class Figure(NamedTuple):
    """A ratio of sums over the rows of a table; with `n` None, it is per day."""

    name: str
    title: Words
    unit: Literal["share", "seconds", "a day"]
    better: Literal["up", "down"] | None
    table: str
    good: str
    n: str | None
    where: str = "true"


_ANSWERABLE = "(outcome NOT IN ('blocked', 'announcement'))::INT"
_NENA = "(outcome NOT IN ('blocked', 'announcement', 'short_abandoned'))::INT"
_CLASSIFIED = "is_caller AND call_class IS NOT NULL"
_TIMED = "is_caller AND (wait_seconds IS NOT NULL OR outcome NOT IN ('answered', 'abandoned'))"

FIGURES: tuple[Figure, ...] = (
    Figure("calls", Words("Panggilan per hari", "Calls a day"), "a day", None, "journeys", "1", None, "is_caller"),
    Figure(
        "answer_ratio", Words("Rasio jawab", "Answer ratio"), "share", "up",
        "journeys", "(outcome = 'answered')::INT", _ANSWERABLE, "is_caller",
    ),
    *(
        Figure(
            f"answered_within_{limit}",
            Words(f"Dijawab dalam {limit} detik (NENA)", f"Answered within {limit} s (NENA)"),
            "share", "up", "journeys", f"(outcome = 'answered' AND wait_seconds <= {limit})::INT", _NENA, _TIMED,
        )
        for limit in (15, 20)
    ),
    Figure(
        "wait", Words("Rata-rata tunggu yang dijawab", "Mean wait of the answered"), "seconds", "down",
        "journeys", "wait_seconds", "1", "is_caller AND outcome = 'answered' AND wait_seconds IS NOT NULL",
    ),
    Figure(
        "network_dropped", Words("Diputus jaringan sebelum dijawab", "Dropped by the network, unanswered"), "share", "down",
        "journeys", "(outcome = 'network_dropped')::INT", _ANSWERABLE, "is_caller",
    ),
    Figure(
        "cut_off", Words("Percakapan terputus", "Conversations cut off"), "share", "down",
        "journeys", "cut_off::INT", "1", "is_caller AND outcome = 'answered'",
    ),
    Figure(
        "prank", Words("Panggilan iseng", "Prank calls"), "share", "down",
        "journeys", "(call_class = 'prank')::INT", "1", _CLASSIFIED,
    ),
    Figure(
        "ghost", Words("Panggilan hening", "Ghost calls"), "share", None,
        "journeys", "(call_class = 'ghost')::INT", "1", _CLASSIFIED,
    ),
    Figure(
        "talk", Words("Rata-rata bicara", "Mean talk"), "seconds", None,
        "journeys", "talk_seconds", "1", "is_caller AND talk_seconds IS NOT NULL",
    ),
    Figure("tickets", Words("Tiket per hari", "Tickets a day"), "a day", None, "tickets", "1", None, "NOT is_reopened"),
    *(
        Figure(
            f"on_scene_within_{minutes}",
            Words(f"Tiba di lokasi dalam {minutes} menit", f"On scene within {minutes} min"),
            "share", "up", "tickets", f"(scene_seconds <= {60 * minutes})::INT", "1", "scene_seconds IS NOT NULL",
        )
        for minutes in (8, 15)
    ),
    Figure(
        "response", Words("Rata-rata respons OPD", "Mean response of agencies"), "seconds", "down",
        "tickets", "response_seconds", "responses", "response_seconds IS NOT NULL",
    ),
)  # fmt: skip


@dataclass(slots=True, kw_only=True)
class Change(Row):
    """A figure beside what it was before."""

    figure: Annotated[str, Words("Angka", "Figure"), Words("Nama angka.", "Its name.")]
    unit: Annotated[str, Words("Satuan", "Unit"), Words("share, seconds atau a day.", "share, seconds or a day.")]
    value: Annotated[Real | None, Words("Sekarang", "Now"), Words("Dalam periode laporan.", "In the report's time.")]
    days: Annotated[int, Words("Hari", "Days"), Words("Hari utuh di balik angka itu.", "Whole days behind it.")]
    other: Annotated[Real | None, Words("Dahulu", "Then"), Words("Dalam periode pembanding.", "In the other time.")]
    other_days: Annotated[int, Words("Hari dahulu", "Days then"), Words("Hari utuh di baliknya.", "Whole days behind that.")]
    difference: Annotated[Real | None, Words("Selisih", "Difference"), Words("Sekarang dikurangi dahulu.", "Now less then.")]
    lower: Annotated[
        Real | None, Words("batas bawah", "lower"), Words("95 %, hari sebagai klaster.", "95 %, with days as clusters.")
    ]
    upper: Annotated[
        Real | None, Words("batas atas", "upper"), Words("95 %, hari sebagai klaster.", "95 %, with days as clusters.")
    ]
    verdict: Annotated[
        str,
        Words("Kesimpulan", "Verdict"),
        Words(
            "better, worse, higher, lower; unclear: 0 ada di dalam selang; unknown: terlalu sedikit hari.",
            "better, worse, higher, lower; unclear: 0 lies in the interval; unknown: too few days.",
        ),
    ]


class Estimate(NamedTuple):
    """A ratio of sums over days, with its variance; None where there are too few days to know it."""

    value: float
    variance: float | None
    days: int


def estimate(days: Sequence[tuple[float, float]]) -> Estimate | None:
    """That of each day's `g` and `n`; None where no day has any n."""
    total = sum(n for _, n in days)
    if not total:
        return None
    ratio = sum(good for good, _ in days) / total
    size = len(days)
    if size < LEAST_DAYS:
        return Estimate(ratio, None, size)
    return Estimate(ratio, size / (size - 1) * sum((good - ratio * n) ** 2 for good, n in days) / total**2, size)


def difference(now: Estimate, then: Estimate) -> tuple[float, float] | None:
    """Welch's interval of `now` less `then`, 95 %."""
    if now.variance is None or then.variance is None:
        return None
    variance = now.variance + then.variance
    parts = [each.variance**2 / (each.days - 1) for each in (now, then) if each.variance]
    half = student(variance**2 / sum(parts)) * sqrt(variance) if parts else 0.0
    return now.value - then.value - half, now.value - then.value + half


def student(freedom: float) -> float:
    """The 97.5 % point of Student's t with 4 degrees of freedom or more, to 0.01 (Abramowitz and Stegun 1964, 26.7.5)."""
    z = _Z
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / freedom**power for power, term in enumerate(terms, 1)) if freedom < inf else z


def rows(scope: Scope) -> Iterator[Change]:
    """Each figure beside that of the time before, and of the year before."""
    cities = [*scope.periods, *([ALL] if len(scope.periods) > 1 else [])]
    kinds = (WHOLE, BEFORE, YEAR_BEFORE)
    days = {(city, span): whole_days(scope, city, span) for city in cities for span in kinds}
    for figure in FIGURES:
        told = _by_day(scope, figure)
        for city in cities:
            now, before, year_before = (_estimate(told[city, span], days[city, span], figure) for span in kinds)
            yield _change(city, BEFORE, figure, now, before)
            yield _change(city, YEAR_BEFORE, figure, now, year_before)


def whole_days(scope: Scope, city: str, span: str) -> list[date]:
    """The days of a span that were seen whole: neither the first nor the last that a call or a ticket was told of."""
    if city == ALL:
        first, *others = (set(whole_days(scope, each, span)) for each in scope.periods)
        return sorted(first.intersection(*others))
    start, until = scope.time(city, span)
    seen = _seen(scope, city)
    if seen is None:
        return []
    zone = scope.centres[city].timezone
    day = start.astimezone(zone).date()
    found = []
    while named(f"{day}", zone).until <= until:
        if named(f"{day}", zone).start >= start and seen[0] < day < seen[1]:
            found.append(day)
        day += timedelta(days=1)
    return found


def _seen(scope: Scope, city: str) -> tuple[date, date] | None:
    """The first and the last day that a call or a ticket was told of at a centre; None if none was."""
    [(first, last)] = scope.connection.execute(
        "FROM (FROM journeys SELECT city, date UNION ALL FROM tickets SELECT city, date) "
        "SELECT min(date), max(date) WHERE city = ?",
        [city],
    ).fetchall()
    return None if first is None else (first, last)


def _estimate(told: Mapping[date, tuple[float, float]], days: Sequence[date], figure: Figure) -> Estimate | None:
    """Of whole days; of a time that has none of what there is, of which nobody can say how much it scatters."""
    if days:
        return estimate([(good, n if figure.n else 1.0) for good, n in (told.get(day, (0.0, 0.0)) for day in days)])
    good, n = (sum(each) for each in zip(*told.values(), strict=True)) if told and figure.n else (0.0, 0.0)
    return Estimate(good / n, None, 0) if n else None


def _by_day(scope: Scope, figure: Figure) -> defaultdict[tuple[str, str], dict[date, tuple[float, float]]]:
    """By centre (and all together) and span of span, `good` and `n` of each day."""
    found = defaultdict[tuple[str, str], dict[date, tuple[float, float]]](dict)
    for told in scope.ask(
        f"FROM asked.{figure.table} SELECT coalesce(city, '{ALL}') AS city, span, date, "
        f"coalesce(sum({figure.good}), 0)::DOUBLE AS good, coalesce(sum({figure.n or 1}), 0)::DOUBLE AS n "
        f"WHERE {figure.where} AND span <> '{PART}' {scope.grouped('date')}"
    ):
        found[told["city"], told["span"]][told["date"]] = told["good"], told["n"]
    return found


def _change(city: str, span: str, figure: Figure, now: Estimate | None, then: Estimate | None) -> Change:
    bounds = difference(now, then) if now and then else None
    verdict: Verdict = "unknown"
    if bounds is not None:
        rose = bounds[0] > 0 or (False if bounds[1] < 0 else None)
        if rose is None or bounds[0] == bounds[1] == 0:
            verdict = "unclear"
        elif figure.better is None:
            verdict = "higher" if rose else "lower"
        else:
            verdict = "better" if rose == (figure.better == "up") else "worse"
    return Change(
        city=city, span=span, period=span, figure=figure.name, unit=figure.unit,
        value=now.value if now else None, days=now.days if now else 0,
        other=then.value if then else None, other_days=then.days if then else 0,
        difference=now.value - then.value if now and then else None,
        lower=bounds[0] if bounds else None, upper=bounds[1] if bounds else None, verdict=verdict,
    )  # fmt: skip


CHANGES = Subject(
    "changes",
    Words("Apa yang berubah", "What changed"),
    Words(
        "Dibanding periode sebelumnya dan setahun sebelumnya, dengan selang 95 % yang memperhitungkan hari baik dan buruk.",
        "Against the time before and a year before, with 95 % intervals that allow for good and bad days.",
    ),
    Change,
    rows,
)

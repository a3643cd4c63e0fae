"""Handle time: how long conversations took, and what came after them; and how much work that was."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from streams.analysis.report.scope import ALL, Scope
from streams.analysis.report.subject import Real, Row, Seconds, Subject, ranked
from streams.analysis.report.words import Words


@dataclass(slots=True, kw_only=True)
class Handle(Row):
    """What one part of the work with calls took."""

    part: Annotated[
        str,
        Words("Bagian", "Part"),
        Words(
            "talk: semua percakapan satu panggilan; wrap_up: satu penyelesaian; handle: keduanya per panggilan.",
            "talk: all conversations of a call; wrap_up: one wrap-up; handle: both together, per call.",
        ),
    ]
    n: Annotated[
        int,
        Words("n", "n"),
        Words(
            "Panggilan dengan percakapan yang selesai, tanpa panggilan uji; atau penyelesaian yang diberitakan.",
            "Calls of which a conversation is over, tests left out; or wrap-ups that were told.",
        ),
    ]
    mean: Annotated[
        Seconds,
        Words("Rata-rata", "Mean"),
        Words(
            "Dari handle: (percakapan + penyelesaian) / panggilan; tanpa kabar penyelesaian berlaku wrap_up_seconds berkas.",
            "Of handle: (conversations + wrap-ups) / calls; where no wrap-up is told, the file's wrap_up_seconds each "
            "(psap_handle_seconds_mean).",
        ),
    ]
    p50: Annotated[Seconds | None, Words("Median", "Median"), Words("Peringkat terdekat.", "Nearest rank.")]
    p90: Annotated[Seconds | None, Words("p90", "p90"), Words("Peringkat terdekat.", "Nearest rank.")]
    p95: Annotated[Seconds | None, Words("p95", "p95"), Words("Peringkat terdekat.", "Nearest rank.")]
    seconds: Annotated[Seconds, Words("Seluruhnya", "In all"), Words("Jumlah detik.", "Their sum.")]
    erlangs: Annotated[
        Real | None,
        Words("Erlang", "Erlangs"),
        Words(
            "Detik kerja per detik periode yang diketahui: berapa kursi sibuk tanpa henti.",
            "Seconds of work per second of the time that is known: how many seats would be busy without a break.",
        ),
    ]


def _part(table: str, seconds: str, n: str) -> str:
    return f"FROM asked.{table} SELECT city, span, period, {seconds} AS seconds, {n} AS n"


def rows(scope: Scope) -> Iterator[Handle]:
    """Each part of each centre and span of which anything is known."""
    known: dict[tuple[str, str, str], float] = {}
    for span in scope.spans():
        since, until = scope.known(span, scope.hindsight.heard[span.city].first)
        # All centres together are known for as long as the one that is known for longest.
        for city in (span.city, ALL):
            known[city, span.span, span.period] = max(until - since, known.get((city, span.span, span.period), 0.0))
    files = " ".join(f"WHEN '{city}' THEN {scope.centres[city].wrap_up_seconds}" for city in scope.periods)
    hour = "epoch_us({}) // 3_600_000_000"
    talk = f"{_part('journeys', 'talk_seconds', '1')} WHERE is_caller AND talk_seconds IS NOT NULL"
    wrap_up = f"{_part('not_ready', 'seconds', '0')} WHERE kind = 'wrap_up'"
    untold = (
        f"FROM asked.journeys AS call LEFT JOIN (FROM not_ready SELECT city, min({hour.format('began')}) AS first, "
        f"max({hour.format('began')}) AS last WHERE kind = 'wrap_up' GROUP BY city) AS wraps "
        f"USING (city) SELECT city, span, period, (CASE city {files} END)::DOUBLE AS seconds, 0 AS n "
        "WHERE is_caller AND talk_seconds IS NOT NULL "
        f"AND coalesce({hour.format('call.answered')} NOT BETWEEN wraps.first AND wraps.last, true)"
    )
    percentiles = ", ".join(f"{ranked('lasted', p)} AS p{p}" for p in (50, 90, 95))
    for part, told, n, lasted in (
        ("talk", talk, "count(*)", "list_sort(list(seconds))"),
        ("wrap_up", wrap_up, "count(*)", "list_sort(list(seconds))"),
        ("handle", f"{talk} UNION ALL {wrap_up} UNION ALL {untold}", "sum(n)::INT", "NULL::DOUBLE[]"),
    ):
        for found in scope.ask(
            f"FROM (FROM ({told}) SELECT coalesce(city, '{ALL}') AS city, span, period, {n} AS n, {lasted} AS lasted, "
            f"sum(seconds) AS seconds {scope.grouped()} HAVING {n} > 0) "
            f"SELECT city, span, period, n, seconds / n AS mean, {percentiles}, seconds ORDER BY city, span, period"
        ):
            seconds = known[found["city"], found["span"], found["period"]]
            yield Handle(part=part, **found, erlangs=found["seconds"] / seconds if seconds else None)


HANDLE = Subject(
    "handle",
    Words("Waktu penanganan", "Handle time"),
    Words(
        "Percakapan dihitung dalam periode ketika panggilannya tiba, penyelesaian ketika ia dimulai.",
        "Conversations count in the time in which their call came, wrap-ups in that in which they began.",
    ),
    Handle,
    rows,
)

"""River and weather: how high the gauges were read, and what was warned of."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from streams.analysis.report.scope import WHOLE, Scope
from streams.analysis.report.subject import Real, Row, Seconds, Subject
from streams.analysis.report.words import Words
from streams.analysis.rows.row import Moment


@dataclass(slots=True, kw_only=True)
class Gauge(Row):
    """Readings of one river gauge."""

    gauge: Annotated[str, Words("Pos duga air", "Gauge"), Words("Kodenya.", "Its code.")]
    readings: Annotated[int, Words("Pembacaan", "Readings"), Words("Banyaknya.", "How many.")]
    highest: Annotated[Real, Words("Tertinggi (cm)", "Highest (cm)"), Words("Sentimeter.", "Centimetres.")]
    highest_at: Annotated[Moment, Words("Pada", "When"), Words("Pertama kali setinggi itu, UTC.", "First so high, UTC.")]
    siaga: Annotated[
        int | None,
        Words("Siaga tertinggi", "Highest siaga"),
        Words("1 paling gawat; kosong tanpa batas di berkas.", "1 is the gravest; empty without bounds in the file."),
    ]
    siaga_readings: Annotated[int, Words("Pembacaan siaga 1–3", "Readings at siaga 1 to 3"), Words("Banyaknya.", "How many.")]


@dataclass(slots=True, kw_only=True)
class Warning(Row):
    """A weather warning that began to hold in the time."""

    event: Annotated[str, Words("Peringatan", "Warning"), Words("Tentang apa.", "What is warned of.")]
    severity: Annotated[str, Words("Keparahan", "Severity"), Words("Kata CAP 1.2.", "CAP 1.2 word.")]
    onset: Annotated[Moment, Words("Berlaku sejak", "Onset"), Words("UTC.", "UTC.")]
    ended: Annotated[Moment, Words("Sampai", "Until"), Words("Berakhir atau dicabut, UTC.", "Expired or cancelled, UTC.")]
    held_seconds: Annotated[Seconds, Words("Lama", "Held"), Words("Dari awal sampai akhir.", "From onset to end.")]
    attribution: Annotated[str, Words("Sumber", "Attribution"), Words("Siapa yang memperingatkan.", "Who warns.")]


def gauges(scope: Scope) -> Iterator[Gauge]:
    """Each gauge that was read, in each span."""
    for told in scope.ask(
        "FROM asked.readings SELECT city, span, period, gauge, count(*) AS readings, max(level_centimetres) AS highest, "
        "epoch_us(min_by(read, (-level_centimetres, read))) / 1e6 AS highest_at, min(siaga) AS siaga, "
        "count(*) FILTER (siaga <= 3) AS siaga_readings GROUP BY ALL ORDER BY ALL"
    ):
        yield Gauge(**told)


def warnings(scope: Scope) -> Iterator[Warning]:
    """Each that held, by its onset."""
    for told in scope.ask(
        "FROM asked.warnings SELECT city, span, period, event, severity, epoch_us(onset) / 1e6 AS onset, "
        "epoch_us(ended) / 1e6 AS ended, held_seconds, attribution "
        f"WHERE span = '{WHOLE}' AND held_seconds > 0 ORDER BY city, onset, ended, event"
    ):
        yield Warning(**told)


GAUGES = Subject(
    "gauges",
    Words("Tinggi muka air", "River"),
    Words("Pembacaan pos duga air dalam periode.", "Readings of river gauges in the time."),
    Gauge,
    gauges,
)
WARNINGS = Subject(
    "warnings",
    Words("Peringatan cuaca", "Weather warnings"),
    Words(
        "Yang mulai berlaku dalam periode, sebagaimana terakhir diberitakan.",
        "Those that began to hold in the time, as told last.",
    ),
    Warning,
    warnings,
)

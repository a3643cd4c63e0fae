"""What was late, blind or missing in the data: how far all other figures can be believed, in numbers and in words."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Annotated, NamedTuple

from streams.analysis.agreement import compare, figures
from streams.analysis.report.scope import ALL, WHOLE, Scope, Span
from streams.analysis.report.subject import Ratio, Real, Row, Subject
from streams.analysis.report.words import Words
from streams.core.hourly import HOUR
from streams.worker.exposition import exposition
from streams.worker.monitor import LATE_TOTAL


@dataclass(slots=True, kw_only=True)
class Quality(Row):
    """Something that is late, missing or not known."""

    matter: Annotated[str, Words("Hal", "Matter"), Words("Apa yang dihitung.", "What is counted.")]
    about: Annotated[
        str | None,
        Words("Tentang", "About"),
        Words("Sumber, hari atau sambungan, bila ada.", "The source, day or link, if it is one's."),
    ]
    n: Annotated[int, Words("n", "n"), Words("Berapa.", "How many.")]
    of: Annotated[int | None, Words("dari", "out of"), Words("Dari berapa, bila ada.", "Out of how many, if of some.")]
    ratio: Annotated[Ratio | None, Words("Bagian", "Share"), Words("n dibagi itu.", "n out of that.")]
    says_id: Annotated[str, Words("Artinya", "In Indonesian"), Words("Dengan kata-kata.", "In words.")]
    says_en: Annotated[str, Words("Dalam bahasa Inggris", "It says"), Words("Dengan kata-kata.", "In words.")]


@dataclass(slots=True, kw_only=True)
class Difference(Row):
    """A figure for which the boards had another value than is true, because events came too late for them."""

    series: Annotated[str, Words("Deret", "Series"), Words("Nama dan labelnya.", "Its name and labels.")]
    live: Annotated[
        Real | None,
        Words("Di papan", "On the boards"),
        Words("Ketika data berakhir; kosong bila tidak ada.", "When the events ended; empty where there was none."),
    ]
    true: Annotated[
        Real | None,
        Words("Sebenarnya", "In truth"),
        Words("Dengan yang terlambat di tempatnya.", "With what was late in its place; empty where there is none."),
    ]


class Gap(NamedTuple):
    """What rows of a table do not say."""

    matter: str
    says: Words
    table: str
    missing: str
    of: str


_ANSWERED = "is_caller AND outcome = 'answered'"
GAPS = (
    Gap(
        "wait_unknown",
        Words(
            "Lama tunggu tidak diketahui: akhirnya diberitakan lebih awal dari tibanya. Tidak ada di waktu tunggu.",
            "How long they waited is not known: the end was told to be before the arrival. Left out of waits.",
        ),
        "journeys",
        "wait_seconds IS NULL",
        "is_caller AND outcome IN ('answered', 'abandoned', 'short_abandoned')",
    ),
    Gap(
        "end_unknown",
        Words(
            "Dijawab, tetapi akhir percakapannya tidak diberitakan.", "Answered, and the end of the conversation was not told."
        ),
        "journeys",
        "conversations = 0",
        _ANSWERED,
    ),
    Gap(
        "lost_track",
        Words("Tidak pernah diberitakan apa yang terjadi.", "Nobody ever told what became of them."),
        "journeys",
        "outcome IS NOT DISTINCT FROM 'lost'",
        "is_caller",
    ),
    Gap(
        "class_unknown",
        Words("Golongan panggilan tidak diberitakan.", "Nobody told what the calls turned out to be."),
        "journeys",
        "call_class IS NULL",
        _ANSWERED,
    ),
    Gap(
        "district_unknown",
        Words("Kecamatan tidak diberitakan.", "The district was not told."),
        "journeys",
        "district IS NULL",
        "is_caller",
    ),
    Gap("link_unknown", Words("Sambungan tidak diberitakan.", "The link was not told."), "journeys", "link IS NULL", "is_caller"),
    Gap(
        "seat_unknown",
        Words("Kursi yang menjawab tidak diberitakan.", "The seat that answered was not told."),
        "journeys",
        "seat IS NULL",
        _ANSWERED,
    ),
    Gap(
        "tickets_unmatched",
        Words(
            "Tiket yang pembukaannya tidak pernah diberitakan: tidak ada di hitungan tiket.",
            "Tickets whose opening was never told: in no count of tickets.",
        ),
        "tickets",
        "outcome IS NOT DISTINCT FROM 'unmatched'",
        "true",
    ),
    Gap(
        "tickets_lost",
        Words("Tiket yang dilepas karena terlalu banyak sekaligus.", "Tickets given up because there were too many at once."),
        "tickets",
        "outcome IS NOT DISTINCT FROM 'lost'",
        "true",
    ),
    Gap(
        "call_of_ticket_unknown",
        Words(
            "Tiket yang panggilannya tidak diketahui: dari panggilan sampai lokasi tidak dapat dihitung.",
            "Tickets whose call is not known: from the call to the scene cannot be said.",
        ),
        "tickets",
        "journey IS NULL",
        "NOT is_reopened AND outcome IS DISTINCT FROM 'unmatched'",
    ),
    Gap(
        "scene_unknown",
        Words("Tiket yang ditutup tanpa kabar unit tiba di lokasi.", "Tickets closed, and nobody told of a unit on scene."),
        "tickets",
        "on_scene IS NULL",
        "outcome IS NOT DISTINCT FROM 'closed'",
    ),
)

_OUTCOMES = (
    (
        "late",
        Words(
            "Peristiwa yang terlambat lebih dari sejam bagi papan; di sini ia ada di tempatnya.",
            "Events that came over an hour too late for the boards; here they are in their places.",
        ),
    ),
    ("duplicate", Words("Peristiwa yang diberitakan lagi; dihitung sekali.", "Events told again; each is counted once.")),
    (
        "refused",
        Words("Baris yang ditolak: tidak ada di angka mana pun.", "Lines that were refused: they are in no figure."),
    ),
    (
        "unknown_type",
        Words("Peristiwa yang jenisnya tidak dikenal versi ini.", "Events of a type that this version does not know."),
    ),
)


def quality(scope: Scope) -> Iterator[Quality]:
    """What became of all events that were read, and what is not known of the whole time."""
    found = scope.hindsight
    events = found.in_time.total()
    for outcome, says in _OUTCOMES:
        told = found.in_time if outcome == "late" else found.outcomes
        yield _row(ALL, f"events_{outcome}", None, told[outcome], events, says)
    for span in scope.spans():
        if span.span == WHOLE:
            yield from _late_sources(scope, span.city)
            yield from _silence(scope, span)
    for matter, says, table, missing, of in GAPS:
        for each in scope.ask(
            f"FROM asked.{table} SELECT city, count(*) FILTER ({missing})::INT AS n, count(*)::INT AS every "
            f"WHERE span = '{WHOLE}' AND {of} GROUP BY city ORDER BY city"
        ):
            yield _row(each["city"], matter, None, each["n"], each["every"], says)
    for city in scope.periods:
        heard = scope.hindsight.heard[city]
        for link in scope.centres[city].links:
            if link.code not in heard.links:
                says = Words(
                    "Sambungan di berkas pusat layanan yang tidak pernah diberitakan: tidak diketahui apakah ia baik.",
                    "A link of the centre's file that nothing was ever told of: whether it was well is not known.",
                )
                yield _row(city, "link_never_heard", link.code, 1, None, says)


def _row(city: str, matter: str, about: str | None, n: int, of: int | None, says: Words) -> Quality:
    return Quality(
        city=city, span=WHOLE, period=WHOLE, matter=matter, about=about, n=n, of=of, ratio=n / of if of else None,
        says_id=says.id, says_en=says.en,
    )  # fmt: skip


def _late_sources(scope: Scope, city: str) -> Iterator[Quality]:
    """By source, the events that came too late for the boards."""
    says = Words("Dari sumber ini datang terlambat bagi papan.", "Came from this source too late for the boards.")
    for metric, labels, value in scope.hindsight.live.measure(city, scope.moment):
        if metric is LATE_TOTAL and isinstance(value, int | float) and value:
            yield _row(city, "source_late", labels[0], int(value), None, says)


def _silence(scope: Scope, span: Span) -> Iterator[Quality]:
    """The hours and days of a time in which nothing was told of a centre, and the hours before and after all that was."""
    heard, zone = scope.hindsight.heard[span.city].hours, scope.centres[span.city].timezone
    first, last = min(heard), max(heard)
    hours = range(int(span.began) // HOUR, int(span.until) // HOUR)
    silent = [hour for hour in hours if hour not in heard]
    for matter, n, says in (
        (
            "hours_before",
            sum(hour < first for hour in silent),
            Words("Jam sebelum peristiwa pertama: tidak diketahui.", "Hours before the first event: nothing is known of them."),
        ),
        (
            "hours_silent",
            sum(first < hour < last for hour in silent),
            Words(
                "Jam tanpa satu peristiwa pun: tidak terjadi apa-apa, atau tidak ada yang memberitakan.",
                "Hours without any event: nothing happened, or nobody told.",
            ),
        ),
        (
            "hours_after",
            sum(hour > last for hour in silent),
            Words("Jam sesudah peristiwa terakhir: tidak diketahui.", "Hours after the last event: nothing is known of them."),
        ),
    ):
        yield _row(span.city, matter, None, n, len(hours), says)

    def day_of(hour: int) -> int:
        return datetime.fromtimestamp(hour * HOUR, UTC).astimezone(zone).toordinal()

    told = {day_of(hour) for hour in heard}
    days = [day for day in sorted({day_of(hour) for hour in hours}) if min(told) < day < max(told)]
    for _, run in groupby(enumerate(day for day in days if day not in told), key=lambda each: each[1] - each[0]):
        dates = [date.fromordinal(day).isoformat() for _, day in run]
        about = dates[0] if len(dates) == 1 else f"{dates[0]}/{dates[-1]}"
        says = Words(
            f"Pada {about} tidak ada satu peristiwa pun: angkanya bukan nol, melainkan tidak diketahui.",
            f"On {about} there was no event at all: its figures are not zero, but unknown.",
        )
        yield _row(span.city, "days_silent", about, len(dates), None, says)


def differences(scope: Scope) -> Iterator[Difference]:
    """Each figure that the boards had otherwise when the events ended; none where nothing was late."""
    found = scope.hindsight
    if found.live is found.true:
        return
    for city in scope.periods:
        live, true = (figures(exposition(each, scope.moment, cities=[city])) for each in (found.live, found.true))
        agreement = compare(live, true)
        told: list[tuple[str, float | None, float | None]] = [
            *((series, float(old), float(new)) for series, (old, new) in agreement.differing.items()),
            *((series, float(value), None) for series, value in agreement.only_old.items()),
            *((series, None, float(value)) for series, value in agreement.only_new.items()),
        ]
        for series, old, new in sorted(told, key=lambda each: each[0]):
            yield Difference(city=city, span=WHOLE, period=WHOLE, series=series, live=old, true=new)


QUALITY = Subject(
    "quality",
    Words("Mutu data", "Quality of the data"),
    Words(
        "Apa yang terlambat, tidak terlihat atau tidak ada: seberapa jauh angka lain dapat dipercaya.",
        "What was late, blind or missing: how far the other figures can be believed.",
    ),
    Quality,
    quality,
)
DIFFERENCES = Subject(
    "differences",
    Words("Papan dan kenyataan", "Boards and truth"),
    Words(
        "Angka yang lain di papan ketika data berakhir, karena peristiwa datang terlambat.",
        "Figures that the boards had otherwise when the events ended, because events came late.",
    ),
    Difference,
    differences,
)

"""The funnel: what became of the callers who came, so that the classes sum to those offered."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from streams.analysis.report.scope import ALL, Scope
from streams.analysis.report.subject import Ratio, Row, Subject, share
from streams.analysis.report.words import Words


@dataclass(slots=True, kw_only=True)
class Calls(Row):
    """Callers who came in a time, by what became of them."""

    offered: Annotated[
        int,
        Words("Masuk", "Offered"),
        Words(
            "Panggilan yang tiba dalam periode, tanpa panggilan uji; jumlah semua golongan di sebelahnya.",
            "Journeys that came in the time, tests left out; the sum of all classes beside it.",
        ),
    ]
    answered: Annotated[int, Words("Dijawab", "Answered"), Words("Dijawab oleh petugas.", "Answered by a call taker.")]
    abandoned: Annotated[
        int,
        Words("Menutup saat menunggu", "Abandoned"),
        Words(
            "Pemanggil menutup telepon sebelum dijawab, setelah batas singkat.", "Hung up in the queue, after the short limit."
        ),
    ]
    short_abandoned: Annotated[
        int,
        Words("Menutup segera", "Short abandoned"),
        Words("Menutup dalam batas singkat pusat layanan.", "Hung up within the centre's short limit."),
    ]
    overflowed: Annotated[
        int,
        Words("Dialihkan antrean", "Overflowed"),
        Words("Dikeluarkan dari antrean tanpa dijawab.", "Left the queue unanswered, not by hanging up."),
    ]
    network_dropped: Annotated[
        int,
        Words("Putus jaringan", "Network dropped"),
        Words("Jaringan putus sebelum dijawab.", "The network took it unanswered."),
    ]
    blocked: Annotated[int, Words("Ditolak", "Blocked"), Words("Tidak ada saluran atau ditolak.", "Was not let in.")]
    announcement: Annotated[
        int,
        Words("Berakhir di sapaan", "Ended in announcement"),
        Words("Menutup saat sapaan, sebelum antrean.", "Hung up in the announcement, before any queue."),
    ]
    lost: Annotated[
        int,
        Words("Tak terlacak", "Lost track of"),
        Words("Akhirnya tidak pernah diberitakan.", "Its end was never told."),
    ]
    waiting: Annotated[
        int,
        Words("Masih menunggu", "Still waiting"),
        Words("Menunggu ketika data berakhir.", "Waited when the events ended."),
    ]
    tests: Annotated[int, Words("Panggilan uji", "Tests"), Words("Di luar semua hitungan lain.", "In none of the other counts.")]
    passed_on: Annotated[
        int,
        Words("Diteruskan ke kota lain", "Passed on"),
        Words("Diteruskan ke pusat layanan lain.", "Passed on to another centre."),
    ]
    cut_off: Annotated[
        int,
        Words("Percakapan terputus", "Cut off"),
        Words("Jaringan mengakhiri percakapan.", "The network ended a conversation."),
    ]
    answerable: Annotated[
        int,
        Words("Dapat dijawab", "Answerable"),
        Words(
            "n dari rasio: masuk, tanpa yang ditolak, berakhir di sapaan atau masih menunggu.",
            "n of the ratio: offered less blocked, announcement and waiting.",
        ),
    ]
    answer_ratio: Annotated[
        Ratio | None,
        Words("Rasio jawab", "Answer ratio"),
        Words("Dijawab dibagi dapat dijawab.", "Answered out of answerable (psap_answer_ratio)."),
    ]
    answer_ratio_lower: Annotated[Ratio | None, Words("batas bawah", "lower"), Words("Wilson 95 %.", "Wilson, 95 %.")]
    answer_ratio_upper: Annotated[Ratio | None, Words("batas atas", "upper"), Words("Wilson 95 %.", "Wilson, 95 %.")]


OUTCOMES = ("answered", "abandoned", "short_abandoned", "overflowed", "network_dropped", "blocked", "announcement", "lost")


def rows(scope: Scope) -> Iterator[Calls]:
    """A row a centre and span."""
    outcomes = ", ".join(f"count(*) FILTER (is_caller AND outcome = '{each}') AS {each}" for each in OUTCOMES)
    for told in scope.ask(
        f"FROM asked.journeys SELECT coalesce(city, '{ALL}') AS city, span, period, count(*) FILTER (is_caller) AS offered, "
        f"{outcomes}, count(*) FILTER (is_caller AND outcome IS NULL) AS waiting, count(*) FILTER (is_test) AS tests, "
        "count(*) FILTER (is_caller AND passed_on IS NOT NULL) AS passed_on, "
        f"count(*) FILTER (is_caller AND cut_off) AS cut_off {scope.grouped()} ORDER BY ALL"
    ):
        answerable = told["offered"] - told["blocked"] - told["announcement"] - told["waiting"]
        ratio, lower, upper = share(told["answered"], answerable)
        yield Calls(**told, answerable=answerable, answer_ratio=ratio, answer_ratio_lower=lower, answer_ratio_upper=upper)


CALLS = Subject(
    "calls",
    Words("Panggilan", "Calls"),
    Words(
        "Setiap panggilan dihitung dalam periode ketika ia tiba; semua golongan berjumlah sama dengan yang masuk.",
        "Each call counts in the time in which it came; the classes sum to those offered.",
    ),
    Calls,
    rows,
)

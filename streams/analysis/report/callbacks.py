"""Who called in vain and was to be called back, and how many of them were reached."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from streams.analysis.report.scope import ALL, Scope
from streams.analysis.report.subject import Ratio, Row, Subject, share
from streams.analysis.report.words import Words


@dataclass(slots=True, kw_only=True)
class Callbacks(Row):
    """Calls in vain whose callers are known, by whether somebody spoke to them within four hours."""

    due: Annotated[
        int,
        Words("Perlu dihubungi kembali", "To be called back"),
        Words(
            "Panggilan yang hilang dengan pemanggil yang dikenal (psap_callbacks_open).",
            "Calls in vain of known callers (psap_callbacks_open).",
        ),
    ]
    called_back: Annotated[
        int,
        Words("Dihubungi kembali", "Called back"),
        Words("Pusat layanan berbicara dengannya dalam 4 jam.", "The centre reached the caller within 4 hours."),
    ]
    recontacted: Annotated[
        int,
        Words("Menelepon lagi dan dijawab", "Came again and was answered"),
        Words("Dalam 4 jam, tanpa dihubungi.", "Within 4 hours, without having been called back."),
    ]
    reached_ratio: Annotated[
        Ratio | None, Words("Tercapai", "Reached"), Words("Kedua-duanya dari yang perlu.", "Both, out of due.")
    ]
    reached_lower: Annotated[Ratio | None, Words("batas bawah", "lower"), Words("Wilson 95 %.", "Wilson, 95 %.")]
    reached_upper: Annotated[Ratio | None, Words("batas atas", "upper"), Words("Wilson 95 %.", "Wilson, 95 %.")]


def rows(scope: Scope) -> Iterator[Callbacks]:
    """Of each centre and span."""
    for told in scope.ask(
        f"FROM asked.journeys SELECT coalesce(city, '{ALL}') AS city, span, period, count(*) AS due, "
        "count(called_back) AS called_back, count(*) FILTER (called_back IS NULL AND recontacted IS NOT NULL) AS recontacted "
        f"WHERE is_caller AND callback_due {scope.grouped()} ORDER BY ALL"
    ):
        ratio, lower, upper = share(told["called_back"] + told["recontacted"], told["due"])
        yield Callbacks(**told, reached_ratio=ratio, reached_lower=lower, reached_upper=upper)


CALLBACKS = Subject(
    "callbacks",
    Words("Panggilan kembali", "Callbacks"),
    Words(
        "Yang menutup atau terputus sebelum dijawab dan nomornya dikenal.",
        "Those who hung up or were cut off unanswered, and whose number is known.",
    ),
    Callbacks,
    rows,
)

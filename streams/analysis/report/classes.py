"""What calls turned out to be: emergencies, pranks, ghost calls."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from streams.analysis.report.scope import ALL, Scope
from streams.analysis.report.subject import Ratio, Row, Subject, share
from streams.analysis.report.words import Words


@dataclass(slots=True, kw_only=True)
class Class(Row):
    """Calls of one class."""

    call_class: Annotated[
        str,
        Words("Golongan", "Class"),
        Words(
            "Seperti di psap_calls_classified_total; unclassified: tidak digolongkan.",
            "As in psap_calls_classified_total; unclassified: nobody said.",
        ),
    ]
    calls: Annotated[int, Words("Panggilan", "Calls"), Words("Yang masuk, dengan panggilan uji.", "Offered, tests too.")]
    ratio: Annotated[
        Ratio | None,
        Words("Bagian", "Share"),
        Words("Dari panggilan yang digolongkan.", "Out of the calls that were classified."),
    ]
    lower: Annotated[Ratio | None, Words("batas bawah", "lower"), Words("Wilson 95 %.", "Wilson, 95 %.")]
    upper: Annotated[Ratio | None, Words("batas atas", "upper"), Words("Wilson 95 %.", "Wilson, 95 %.")]


UNCLASSIFIED = "unclassified"


def rows(scope: Scope) -> Iterator[Class]:
    """Each class that occurs, of each centre and span."""
    for told in scope.ask(
        f"FROM asked.journeys SELECT coalesce(city, '{ALL}') AS city, span, period, "
        f"coalesce(call_class, '{UNCLASSIFIED}') AS call_class, count(*) AS calls, "
        "sum(count(call_class)) OVER (PARTITION BY city, span, period) AS classified "
        f"WHERE is_caller OR is_test {scope.grouped('call_class')} ORDER BY city, span, period, calls DESC, call_class"
    ):
        classified = told.pop("classified")
        ratio, lower, upper = share(told["calls"], classified if told["call_class"] != UNCLASSIFIED else 0)
        yield Class(**told, ratio=ratio, lower=lower, upper=upper)


CLASSES = Subject(
    "classes",
    Words("Golongan panggilan", "Classes of calls"),
    Words(
        "Iseng dan hening (ghost) dihitung terpisah: panggilan hening dapat sungguh darurat.",
        "Prank and ghost calls are counted apart: a silent call can be a real one.",
    ),
    Class,
    rows,
)

"""Where callers are."""

# ruff: noqa: S608 (the SQL is put together of our own words)

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from streams.analysis.report.scope import WHOLE, Scope
from streams.analysis.report.subject import Ratio, Row, Subject
from streams.analysis.report.words import Words


@dataclass(slots=True, kw_only=True)
class District(Row):
    """Calls and tickets of one district (kecamatan)."""

    district: Annotated[
        str,
        Words("Kecamatan", "District"),
        Words("Kode; unknown bila tidak diberitakan.", "Its code; unknown where none was told."),
    ]
    calls: Annotated[int, Words("Panggilan", "Calls"), Words("Yang masuk dari sana.", "Offered from there.")]
    prank: Annotated[int, Words("Iseng", "Prank"), Words("Di antaranya.", "Of these.")]
    tickets: Annotated[int, Words("Tiket", "Tickets"), Words("Yang dibuka tentang sana.", "Opened about it.")]
    share: Annotated[Ratio, Words("Bagian panggilan", "Share of calls"), Words("Dari semua yang masuk.", "Out of all offered.")]


def rows(scope: Scope) -> Iterator[District]:
    """Each district that occurs, the one with most calls first."""
    for told in scope.ask(
        "FROM (FROM asked.journeys SELECT city, coalesce(district, 'unknown') AS district, 1 AS call, "
        f"(call_class IS NOT DISTINCT FROM 'prank')::INT AS prank, 0 AS ticket WHERE is_caller AND span = '{WHOLE}' "
        "UNION ALL FROM asked.tickets SELECT city, coalesce(district, 'unknown'), 0, 0, 1 "
        f"WHERE span = '{WHOLE}' AND NOT is_reopened) "
        "SELECT city, district, sum(call)::INT AS calls, sum(prank)::INT AS prank, sum(ticket)::INT AS tickets, "
        "sum(call) / greatest(1, sum(sum(call)) OVER (PARTITION BY city)) AS share GROUP BY city, district "
        "ORDER BY city, calls DESC, tickets DESC, district"
    ):
        yield District(span=WHOLE, period=WHOLE, **told)


DISTRICTS = Subject(
    "districts",
    Words("Kecamatan", "Districts"),
    Words("Dari mana panggilan datang, dan tentang mana tiket dibuka.", "Where calls come from, and what tickets are about."),
    District,
    rows,
)

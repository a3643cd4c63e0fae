"""Tickets: how many were opened, what became of them, and how long agencies took to answer."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from streams.analysis.report.scope import ALL, Scope
from streams.analysis.report.subject import Row, Seconds, Subject
from streams.analysis.report.words import Words


@dataclass(slots=True, kw_only=True)
class Tickets(Row):
    """The tickets of a centre, of one category, or of one agency."""

    by: Annotated[
        str,
        Words("Menurut", "By"),
        Words("city: semua; category: satu kategori; opd: satu OPD.", "city: all; category: one category; opd: one agency."),
    ]
    code: Annotated[
        str,
        Words("Kode", "Code"),
        Words("Kategori atau OPD; none: belum pada siapa pun; * untuk semua.", "Of that; none: with nobody; * for all."),
    ]
    opened: Annotated[
        int,
        Words("Dibuka", "Opened"),
        Words(
            "Tiket baru dalam periode (psap_tickets_opened_total); milik OPD yang terakhir memegangnya.",
            "New tickets in the time (psap_tickets_opened_total); an agency's are those that it had last.",
        ),
    ]
    reopened: Annotated[
        int,
        Words("Dibuka kembali", "Reopened"),
        Words(
            "Ternyata belum selesai (psap_tickets_reopened_total); milik OPD yang memegangnya saat itu.",
            "Were not done after all (psap_tickets_reopened_total); an agency's are those that it had then.",
        ),
    ]
    closed: Annotated[
        int, Words("Selesai", "Closed"), Words("Di antara yang dibuka atau dibuka kembali.", "Of those opened or reopened.")
    ]
    still_open: Annotated[
        int, Words("Masih terbuka", "Still open"), Words("Terbuka ketika data berakhir.", "Open when the events ended.")
    ]
    lost: Annotated[
        int,
        Words("Tak terlacak", "Lost track of"),
        Words("Dilepas karena terlalu banyak sekaligus.", "Given up because there were too many at once."),
    ]
    unmatched: Annotated[
        int,
        Words("Tanpa pembukaan", "Unmatched"),
        Words(
            "Ada kabarnya, tetapi pembukaannya tidak pernah diberitakan; tidak di hitungan lain.",
            "Something was told of it, and never its opening; in none of the other counts.",
        ),
    ]
    unreached: Annotated[
        int,
        Words("Selesai tanpa unit di lokasi", "Closed unreached"),
        Words("Ditutup tanpa kabar unit tiba di lokasi.", "Closed, and nobody told of a unit on scene."),
    ]
    passed_on: Annotated[
        int,
        Words("Diteruskan", "Passed on"),
        Words("Berapa kali diserahkan ke OPD lain; milik yang menyerahkan.", "Times that it was handed on, by who did so."),
    ]
    reminders: Annotated[
        int,
        Words("Pengingat", "Reminders"),
        Words("Yang diterima grup admin; milik OPD yang diingatkan.", "Accepted by the admins' group, by who was reminded."),
    ]
    responses: Annotated[
        int,
        Words("Jawaban OPD", "Responses"),
        Words("Pengiriman yang dijawab OPD (psap_ticket_response_seconds).", "Sendings answered (psap_ticket_response_seconds)."),
    ]
    response_mean: Annotated[
        Seconds | None,
        Words("Rata-rata respons", "Mean response"),
        Words("Dari pengiriman sampai jawaban OPD itu.", "From the sending to that agency's answer."),
    ]
    response_p50: Annotated[Seconds | None, Words("Median", "Median"), Words("Peringkat terdekat.", "Nearest rank.")]
    response_p90: Annotated[Seconds | None, Words("p90", "p90"), Words("Peringkat terdekat.", "Nearest rank.")]


_IS_KNOWN = "outcome IS DISTINCT FROM 'unmatched'"
_OF_TICKETS = {
    "opened": f"NOT is_reopened AND {_IS_KNOWN}",
    "reopened": f"is_reopened AND {_IS_KNOWN}",
    "closed": "outcome IS NOT DISTINCT FROM 'closed'",
    "still_open": "outcome IS NULL",
    "lost": "outcome IS NOT DISTINCT FROM 'lost'",
    "unmatched": "outcome IS NOT DISTINCT FROM 'unmatched'",
    "unreached": "outcome IS NOT DISTINCT FROM 'closed' AND on_scene IS NULL",
    "passed_on": "passed_on",
    "reminders": "reminders",
}
_OF_AGENCIES = {name: name for name in ("reopened", "passed_on", "reminders")}
_ANSWERS = {"seconds": "seconds"}


def _part(table: str, code: str, said: dict[str, str]) -> str:
    """What the rows of a table say, each of a code: so much to every count, or what an answer took."""
    counts = ", ".join(f"({said.get(name, '0')})::INT AS {name}" for name in _OF_TICKETS)
    seconds = said.get("seconds", "NULL")
    return f"FROM asked.{table} SELECT city, span, period, {code} AS code, {counts}, {seconds}::DOUBLE AS seconds"


_BY = {
    "city": (_part("tickets", f"'{ALL}'", _OF_TICKETS), _part("responses", f"'{ALL}'", _ANSWERS)),
    "category": (_part("tickets", "category", _OF_TICKETS), _part("responses", "category", _ANSWERS)),
    "opd": (
        _part("tickets", "coalesce(opd, 'none')", {name: _OF_TICKETS[name] for name in _OF_TICKETS.keys() - _OF_AGENCIES.keys()}),
        _part("ticket_agencies", "opd", _OF_AGENCIES),
        _part("responses", "opd", _ANSWERS),
    ),
}


def rows(scope: Scope) -> Iterator[Tickets]:
    """Of each centre and span all tickets, each category's, and each agency's."""
    counts = ", ".join(f"sum({name})::INT AS {name}" for name in _OF_TICKETS)
    for by, parts in _BY.items():
        for told in scope.ask(
            f"FROM ({' UNION ALL '.join(parts)}) SELECT coalesce(city, '{ALL}') AS city, span, period, code, {counts}, "
            "count(seconds) AS responses, avg(seconds) AS response_mean, quantile_disc(seconds, 0.5) AS response_p50, "
            f"quantile_disc(seconds, 0.9) AS response_p90 WHERE code IS NOT NULL {scope.grouped('code')} "
            "ORDER BY city, span, period, code"
        ):
            yield Tickets(by=by, **told)


TICKETS = Subject(
    "tickets",
    Words("Tiket", "Tickets"),
    Words(
        "Setiap tiket dihitung dalam periode ketika ia dibuka atau dibuka kembali, apa pun yang terjadi sesudahnya.",
        "Each ticket counts in the time in which it was opened or reopened, whatever became of it afterwards.",
    ),
    Tickets,
    rows,
)

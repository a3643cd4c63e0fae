"""The clock that the ministry judges by, to the first unit on scene: from the call, and from the opening of the ticket."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from streams.analysis.report.scope import ALL, Scope
from streams.analysis.report.subject import Ratio, Row, Seconds, Share, Subject, share
from streams.analysis.report.words import Words
from streams.core.scene import LIMITS
from streams.core.survival import quantile, within


@dataclass(slots=True, kw_only=True)
class Scene(Row):
    """How soon the first unit was on scene, by one clock."""

    by: Annotated[
        str,
        Words("Menurut", "By"),
        Words(
            "city dan category: unit pertama OPD mana pun; opd: unit pertama OPD itu sendiri.",
            "city, category: the first unit of whatever agency; opd: the first unit of its own.",
        ),
    ]
    code: Annotated[str, Words("Kode", "Code"), Words("Kategori atau OPD; * untuk semua.", "The category or agency; * for all.")]
    clock: Annotated[
        str,
        Words("Jam mulai", "Clock"),
        Words(
            "call: dari panggilan tiba, bila tiket menyebut panggilannya; opened: dari tiket dibuka atau dibuka kembali.",
            "call: from the arrival of the call, where the ticket says it; opened: from the ticket's opening or reopening.",
        ),
    ]
    n: Annotated[int, Words("n", "n"), Words("Tiket dengan unit di lokasi.", "Tickets with a unit on scene.")]
    waiting: Annotated[
        int,
        Words("Belum ada unit", "Not reached yet"),
        Words(
            "Masih terbuka tanpa unit di lokasi ketika data berakhir; ikut dalam persentil sebagai sekurangnya selama itu.",
            "Open without a unit on scene when the events ended; in percentiles as at least so long (Kaplan-Meier).",
        ),
    ]
    mean: Annotated[Seconds, Words("Rata-rata", "Mean"), Words("Dari n.", "Of n.")]
    p50: Annotated[Seconds, Words("Median", "Median"), Words("Peringkat terdekat.", "Nearest rank.")]
    p90: Annotated[Seconds, Words("p90", "p90"), Words("Peringkat terdekat.", "Nearest rank.")]
    within_8: Annotated[
        int, Words("Dalam 8 menit", "Within 8 min"), Words("Tiba paling lama 480 detik.", "On scene within 480 s (Jakarta).")
    ]
    within_8_n: Annotated[
        int,
        Words("n untuk 8 menit", "n of 8 min"),
        Words("n, dan yang menunggu lebih lama dari itu.", "n, and those that have waited for longer than that."),
    ]
    within_8_ratio: Annotated[Ratio | None, Words("Rasio 8 menit", "Share within 8 min"), Words("Dari n-nya.", "Out of its n.")]
    within_8_lower: Annotated[Ratio | None, Words("batas bawah", "lower"), Words("Wilson 95 %.", "Wilson, 95 %.")]
    within_8_upper: Annotated[Ratio | None, Words("batas atas", "upper"), Words("Wilson 95 %.", "Wilson, 95 %.")]
    within_15: Annotated[
        int,
        Words("Dalam 15 menit", "Within 15 min"),
        Words("Tiba paling lama 900 detik.", "On scene within 900 s (Kemendagri, November 2025)."),
    ]
    within_15_n: Annotated[
        int,
        Words("n untuk 15 menit", "n of 15 min"),
        Words("n, dan yang menunggu lebih lama dari itu.", "n, and those that have waited for longer than that."),
    ]
    within_15_ratio: Annotated[
        Ratio | None, Words("Rasio 15 menit", "Share within 15 min"), Words("Dari n-nya.", "Out of its n.")
    ]
    within_15_lower: Annotated[Ratio | None, Words("batas bawah", "lower"), Words("Wilson 95 %.", "Wilson, 95 %.")]
    within_15_upper: Annotated[Ratio | None, Words("batas atas", "upper"), Words("Wilson 95 %.", "Wilson, 95 %.")]


_WAITS = "row.outcome IS NULL AND row.on_scene IS NULL"
_CALLED = "NOT call.is_test AND NOT row.is_reopened"


def _seconds(since: str, until: str) -> str:
    return f"({until} - epoch_us({since})) / 1e6"


def _tickets(code: str, moment: int, *, took: bool) -> str:
    """All tickets: how long each took if that is asked for here, or has lasted, by both clocks."""
    opened, called = (
        ("row.scene_seconds", f"CASE WHEN {_CALLED} THEN {_seconds('call.arrived', 'epoch_us(row.on_scene)')} END")
        if took
        else ("NULL", "NULL")
    )
    return (
        f"FROM asked.tickets AS row LEFT JOIN journeys AS call USING (city, journey) SELECT city, span, period, {code} AS code, "
        f"{opened}::DOUBLE AS opened_took, CASE WHEN {_WAITS} THEN {_seconds('row.opened', f'{moment}')} END AS opened_lasts, "
        f"{called}::DOUBLE AS call_took, CASE WHEN {_WAITS} AND {_CALLED} THEN {_seconds('call.arrived', f'{moment}')} END "
        "AS call_lasts"
    )


_AGENCIES = (
    "FROM asked.ticket_agencies AS row LEFT JOIN journeys AS call USING (city, journey) "
    "SELECT city, span, period, row.opd AS code, row.scene_seconds AS opened_took, NULL AS opened_lasts, "
    f"CASE WHEN NOT call.is_test THEN {_seconds('call.arrived', 'epoch_us(row.on_scene)')} END AS call_took, NULL AS call_lasts"
)


def rows(scope: Scope) -> Iterator[Scene]:
    """Of each centre and span all tickets, each category's, and each agency's, by both clocks; nothing where nobody arrived."""
    moment = round(scope.moment * 1e6)
    parts = {
        "city": _tickets(f"'{ALL}'", moment, took=True),
        "category": _tickets("row.category", moment, took=True),
        "opd": f"{_tickets('row.opd', moment, took=False)} UNION ALL {_AGENCIES}",
    }
    lists = ", ".join(
        f"list_sort(coalesce(list({each}) FILTER ({each} >= 0), [])) AS {each}"
        for each in ("opened_took", "opened_lasts", "call_took", "call_lasts")
    )
    for by, part in parts.items():
        for told in scope.ask(
            f"FROM ({part}) SELECT coalesce(city, '{ALL}') AS city, span, period, code, {lists} WHERE code IS NOT NULL "
            f"{scope.grouped('code')} ORDER BY city, span, period, code"
        ):
            city, span, period, code = (told[name] for name in ("city", "span", "period", "code"))
            for clock in ("call", "opened"):
                took, lasts = told[f"{clock}_took"], told[f"{clock}_lasts"]
                if took:
                    yield Scene(city=city, span=span, period=period, by=by, code=code, clock=clock, **_figures(took, lasts))


def _figures(took: list[float], lasts: list[float]) -> dict[str, Any]:
    """Of what tickets took, and what those have lasted that wait: both ascending."""
    found: dict[str, Any] = {
        "n": len(took),
        "waiting": len(lasts),
        "mean": sum(took) / len(took),
        "p50": quantile(took, lasts, 50),
        "p90": quantile(took, lasts, 90),
    }
    for limit in LIMITS:
        good, n = within(took, lasts, limit)
        name = f"within_{limit // 60}"
        said: Share = share(good, n)
        found |= {
            name: good,
            f"{name}_n": n,
            f"{name}_ratio": said.ratio,
            f"{name}_lower": said.lower,
            f"{name}_upper": said.upper,
        }
    return found


SCENE = Subject(
    "scene",
    Words("Sampai unit tiba di lokasi", "To the scene"),
    Words(
        "Kemendagri meminta 15 menit, Jakarta 8. Tiket yang ditutup tanpa kabar unit tiba tidak dihitung: lihat tiket.",
        "The ministry asks for 15 minutes, Jakarta for 8. Of a ticket closed without word of an arrival see tickets.",
    ),
    Scene,
    rows,
)

"""The notice of an outage: what whoever answers for a centre tells the public and the ministry, in Indonesian and in English.

Its fields are those that 911 centres of the United States are told (47 CFR 4.9; FCC, Report and Order of November 2022): initial
or final, an identifier, a contact, whose service, since when, the area, the cause if it is known, what it means for callers. What
no event tells is left to be filled in.
"""

from datetime import UTC, datetime

from streams.analysis.lost_calls import Cost, LostCalls, Reason
from streams.analysis.rows.network import UNREGISTERED
from streams.core.centre import Centre

_REASONS: dict[Reason, tuple[str, str]] = {
    "no_calls": ("tidak ada panggilan yang tercatat melalui jalur ini", "no call was ever recorded on this link"),
    "too_few_days": ("terlalu sedikit hari lain yang terpantau", "too few other days were seen"),
}
_BASES = {
    "hour_of_week": (
        "hari dan jam yang sama, minggu-minggu sebelum dan sesudahnya",
        "the same day and hour, weeks before and after",
    ),
    "hour_of_day": ("jam yang sama, hari-hari di sekitarnya", "the same hour of the days around"),
}


def notice(cost: Cost, centre: Centre, now: float) -> tuple[str, str]:
    """The notice in Indonesian and in English as it stands at `now`, epoch seconds: plain text of at most 15 lines each."""
    outage, began = cost.outage, _local(cost.outage.began, centre)
    code = f"{centre.code}/{outage.link}/{datetime.fromtimestamp(outage.began, UTC):%Y%m%dT%H%M%SZ}"
    area = ", ".join(part for part in (centre.name, centre.province) if part)
    carrier, lost = (outage.carrier or "").upper(), _lost(cost)
    is_registration = outage.kind == UNREGISTERED
    last = now if outage.ended is None else outage.ended
    minutes = max(1, round((last - outage.began) / 60))
    told = [
        ("GANGGUAN LAYANAN 112", "112 SERVICE OUTAGE", "AWAL", "INITIAL")
        if outage.ended is None
        else ("GANGGUAN LAYANAN 112", "112 SERVICE OUTAGE", "AKHIR", "FINAL"),
        ("Nomor", "Number", code, code),
        (
            "Gangguan",
            "What",
            f"jalur {outage.link} " + ("tidak terdaftar pada penyedia (SIP)" if is_registration else "putus"),
            f"link {outage.link} is " + ("not registered with its provider (SIP)" if is_registration else "down"),
        ),
        ("Operator", "Carrier", carrier, carrier),
        ("Wilayah", "Area", area, area),
        ("Sejak", "Since", began, began),
        ("Sampai", "Until", _local(last, centre), _local(last, centre))
        if outage.ended is not None
        else ("Sampai", "Until", f"belum pulih ({_local(now, centre)})", f"not over yet ({_local(now, centre)})"),
        ("Lama", "Lasted", f"{minutes} menit", f"{minutes} min"),
        ("Tidak terdengar", "Not heard", *_unheard(cost)),
        ("Perkiraan panggilan hilang", "Calls likely lost", *lost),
        ("Penyebab", "Cause", "[isi bila diketahui]", "[fill in if known]"),
        ("Kontak", "Contact", "[isi]", "[fill in]"),
    ]
    said = [row for row in told if row[2]]
    return "\n".join(f"{name}: {text}" for name, _, text, _ in said), "\n".join(f"{name}: {text}" for _, name, _, text in said)


def _unheard(cost: Cost) -> tuple[str, str]:
    if cost.share is None:
        return "penelepon melalui jalur ini; bagiannya tidak diketahui", "callers on this link; what share they are is not known"
    share = f"{cost.share:.0%}"
    return (
        f"penelepon melalui jalur ini, biasanya {share} dari panggilan",
        f"callers on this link, usually {share} of the calls",
    )


def _lost(cost: Cost) -> tuple[str, str]:
    lost = cost.lost
    if not isinstance(lost, LostCalls):
        reason, reason_en = _REASONS[lost.reason]
        return f"tidak diketahui, {reason}", f"not known, {reason_en}"
    number, usual, bounds = _number(lost.lost), _number(lost.expected), f"{lost.lower}–{lost.upper}"
    basis, basis_en = _BASES[lost.basis]
    return (
        f"{number} (selang 95 %: {bounds}); biasanya {usual}, masuk {lost.came}\n".replace(".", ",")
        + f"Dasar: {basis}; diuji pada {lost.days} hari lain\n"
        "Catatan: sebagian mungkin menelepon lagi kemudian, atau lewat jalur lain",
        f"{number} (95 % interval: {bounds}); {usual} usual, {lost.came} came\n"
        f"Basis: {basis_en}; tried on {lost.days} other days\n"
        "Note: some may have called again later, or on another link",
    )


def _number(calls: float) -> str:
    # Of the first minute a whole number would say nothing.
    return f"{calls:.1f}" if calls < 10 else f"{calls:.0f}"


def _local(time: float, centre: Centre) -> str:
    here = datetime.fromtimestamp(time, UTC).astimezone(centre.timezone)
    return f"{here:%d-%m-%Y %H:%M} {here.tzname()}"

"""The service level by every formula, its error budget, how fast that burns, and where calls are lost."""

from grafana_foundation_sdk.builders import common

from dashboards.boards.frame import CITY, LEVELS, Sheet, Shown, freshness
from dashboards.boards.panels import COUNT, GREEN, ORANGE, RATIO, RED, Place, Value, lines, rows, stats
from dashboards.boards.text import Say, Text

VARIANTS = ("nena", "answered", "inclusive", "servicelevelperf", "servicelevelperf2")
WINDOWS = ("60m", "today")
LOST = ("abandoned", "short_abandoned", "overflowed", "network_dropped", "blocked", "lost")
BUDGETS = (("15", 0.1), ("20", 0.05))
"""Answered within so many seconds, and the share that may miss it: NENA-STA-020.1-2020."""

TEXTS = {
    "title": Text("Tingkat layanan 112", "112 service level"),
    "about": Text(
        "Tingkat layanan satu pusat menurut semua rumus, anggaran keterlambatan 30 hari, dan corong kehilangan.",
        "Service level of one centre by every formula, its error budget over 30 days, and the loss funnel.",
    ),
    "now": Text("Tingkat layanan NENA", "NENA service level"),
    "now about": Text(
        "Dijawab dalam 15 / 20 detik dibagi n: panggilan yang selesai menunggu, tanpa yang segera ditutup dan diblokir. "
        "NENA-STA-020.1: 90 % dan 95 %. Hijau mulai sasaran, jingga sampai 10 poin di bawahnya.",
        "Answered within 15 / 20 s over n: calls whose waiting ended, without short abandons and blocked ones. "
        "NENA-STA-020.1: 90 % and 95 %. Green from the target on, orange up to 10 points below.",
    ),
    "15 60m": Text("≤ 15 s, 60 menit", "≤ 15 s, 60 min"),
    "20 60m": Text("≤ 20 s, 60 menit", "≤ 20 s, 60 min"),
    "15 today": Text("≤ 15 s, hari ini", "≤ 15 s, today"),
    "20 today": Text("≤ 20 s, hari ini", "≤ 20 s, today"),
    "n 60m": Text("n, 60 menit", "n, 60 min"),
    "budget": Text("Sisa anggaran, 30 hari", "Error budget left, 30 d"),
    "budget about": Text(
        "1 − bagian yang terlambat / bagian yang boleh terlambat (10 % untuk 15 detik, 5 % untuk 20 detik). Negatif: habis.",
        "1 − share too late / share that may be too late (10 % for 15 s, 5 % for 20 s). Negative: used up.",
    ),
    "burn": Text("Laju pemakaian anggaran 15 detik", "Burn rate of the 15 s budget"),
    "burn about": Text(
        "Bagian terlambat / 10 %. Peringatan: 5× selama 1 jam atau 3× selama 6 jam membangunkan; 1,5× sehari atau 1× "
        "tiga hari menjadi tiket.",
        "Share too late / 10 %. Alerts: 5× over 1 h or 3× over 6 h wake somebody; 1.5× over a day or 1× over three is a ticket.",
    ),
    "1 hour": Text("1 jam", "1 hour"),
    "6 hours": Text("6 jam", "6 hours"),
    "1 day": Text("1 hari", "1 day"),
    "3 days": Text("3 hari", "3 days"),
    "course": Text("Tingkat layanan 15 detik (60 menit bergulir)", "Service level 15 s (rolling 60 min)"),
    "course about": Text(
        "NENA, dengan selang Wilson 95 %; garis putus-putus: sasaran 90 %; titik-titik: minggu lalu.",
        "NENA, with its Wilson 95 % interval; dashed: the target of 90 %; dotted: last week.",
    ),
    "waits": Text("Waktu jawab", "Answer times"),
    "waits about": Text(
        "P50, P90, P95 waktu tunggu panggilan yang dijawab, 60 menit bergulir, dari histogram. Hanya benar pada kecepatan 1×.",
        "P50, P90, P95 wait of answered calls, rolling 60 min, from the histogram. Right at 1× only.",
    ),
    "funnel": Text("Corong kehilangan, hari ini", "Loss funnel, today"),
    "funnel about": Text(
        "Sejak tengah malam setempat. Setiap panggilan dalam tepat satu golongan; jumlahnya sama dengan yang masuk dan yang "
        "sudah menunggu pada tengah malam.",
        "Since local midnight. Every call is in exactly one class; they sum to offered and those who already waited at midnight.",
    ),
    "outcome": Text("Hasil", "Outcome"),
    "share": Text("Bagian", "Share"),
    "offered": Text("Masuk", "Offered"),
    "answered": Text("Dijawab", "Answered"),
    "waiting": Text("Masih menunggu", "Still waiting"),
    "abandoned": Text("Batal", "Abandoned"),
    "short_abandoned": Text("Segera ditutup", "Short abandoned"),
    "overflowed": Text("Meluap", "Overflowed"),
    "network_dropped": Text("Terputus jaringan", "Network drop"),
    "blocked": Text("Diblokir", "Blocked"),
    "lost": Text("Hilang jejak", "Lost track of"),
    "calls": Text("Panggilan", "Calls"),
    "variants": Text("Semua rumus berdampingan", "All formulas side by side"),
    "variants about": Text(
        "Rasio, selang Wilson 95 %, dan n. NENA: tanpa yang segera ditutup dan diblokir; Asterisk: "
        "ServicelevelPerf dan ServicelevelPerf2.",
        "Ratio, Wilson 95 % interval and n. NENA: without short abandons and blocked; Asterisk: ServicelevelPerf and "
        "ServicelevelPerf2.",
    ),
    "formula": Text("Rumus", "Formula"),
    "variant nena": Text("NENA", "NENA"),
    "variant answered": Text("dari yang dijawab", "of answered"),
    "variant inclusive": Text("dari semua", "of all offered"),
    "variant servicelevelperf": Text("Asterisk", "Asterisk"),
    "variant servicelevelperf2": Text("Asterisk 2", "Asterisk 2"),
    "window 60m": Text("60 menit", "60 min"),
    "window today": Text("hari ini", "today"),
    "seconds": Text("≤ detik", "≤ seconds"),
    "classes": Text("Kehilangan per jam", "Losses per hour"),
    "classes about": Text("Panggilan per jam menurut sebab tidak dijawab.", "Calls per hour by why they were not answered."),
}


def _panels(say: Say) -> list[Shown]:
    nothing = say("no data")
    level = f'max(psap_service_level_{{}}{{{{{CITY},variant="nena",threshold="{{}}",window="{{}}"}}}})'
    now = [
        Value(say(f"{seconds} {window}"), level.format("ratio", seconds, window), steps=LEVELS[seconds])
        for window in ("60m", "today")
        for seconds in ("15", "20")
    ]
    now.append(Value(say("n 60m"), level.format("calls", "15", "60m"), COUNT))
    # As the burn rules have it: short abandons and blocked calls count for nothing.
    ended = f'sum(increase(psap_calls_ended_total{{{CITY},outcome!~"short_abandoned|blocked"}}[30d]))'
    good = f'sum(increase(psap_call_wait_seconds_bucket{{{CITY},outcome="answered",le="%s.0"}}[30d]))'
    budget = [Value(f"≤ {limit} s", f"1 - (1 - {good % limit} / ({ended} > 0)) / {share}") for limit, share in BUDGETS]
    burn = [
        Value(say(name), f"max(city:psap_calls_missed:ratio_rate{window}{{{CITY}}}) / 0.1")
        for name, window in (("1 hour", "1h"), ("6 hours", "6h"), ("1 day", "1d"), ("3 days", "3d"))
    ]
    course = [
        Value("≤ 15 s", level.format("ratio", "15", "60m")),
        Value(say("lower"), level.format("ratio_lower", "15", "60m")),
        Value(say("upper"), level.format("ratio_upper", "15", "60m")),
        Value(say("target"), "vector(0.9)"),
        Value(say("last week"), f"{level.format('ratio', '15', '60m')[:-1]} offset 1w)"),
    ]
    buckets = f'sum by (le) (rate(psap_call_wait_seconds_bucket{{{CITY},outcome="answered"}}[1h]))'
    waits = [Value(f"P{percent}", f"histogram_quantile({percent / 100}, {buckets})") for percent in (50, 90, 95)]
    # The day's own counts and not increase(), which misses what was there when a counter was first seen and is no whole number.
    offered = f'max(psap_calls_today{{{CITY},outcome="offered"}})'
    kept = f'max by (outcome) (psap_calls_today{{{CITY},outcome!="abandoned"}})'
    all_abandoned = f'max by (outcome) (psap_calls_today{{{CITY},outcome="abandoned"}})'
    short = f'max(psap_calls_today{{{CITY},outcome="short_abandoned"}})'
    waiting = f'label_replace(sum(psap_calls_waiting{{{CITY}}}), "outcome", "waiting", "", "")'
    funnel = f"({kept} or {all_abandoned} - on () group_left () {short} or {waiting})"
    shown = f'{CITY},window=~"60m|today"'
    variants = [
        Value(say(name), f"max by (variant, threshold, window) (psap_service_level_{metric}{{{shown}}})", unit)
        for name, metric, unit in (
            ("ratio", "ratio", None),
            ("lower", "ratio_lower", None),
            ("upper", "ratio_upper", None),
            ("n", "calls", COUNT),
        )
    ]
    losses = [Value(say(name), f'sum(increase(psap_calls_ended_total{{{CITY},outcome="{name}"}}[1h]))') for name in LOST]
    outcomes = {"outcome": {name: say(name) for name in ("offered", "answered", "waiting", *LOST)}}
    formulas = {
        "variant": {name: say(f"variant {name}") for name in VARIANTS},
        "window": {name: say(f"window {name}") for name in WINDOWS},
    }
    lost_calls = rows(
        [Value(say("calls"), funnel), Value(say("share"), f"{funnel} / on () group_left () ({offered} > 0)", RATIO)],
        COUNT,
        nothing,
        {"outcome": say("outcome")},
        codes=outcomes,
    ).sort_by([common.TableSortByFieldState().display_name(say("calls")).desc(True)])
    labels = {"variant": say("formula"), "threshold": say("seconds"), "window": say("window")}
    colours = {-1e9: RED, 0: ORANGE, 0.25: GREEN}
    return [
        ("now", Place(0, 0, 12, 5), stats(now, RATIO, nothing)),
        ("budget", Place(12, 0, 5, 5), stats(budget, RATIO, nothing, colours)),
        freshness(say, Place(17, 0, 7, 5)),
        ("course", Place(0, 5, 12, 8), lines(course, RATIO, nothing, [say("target")], [say("last week")])),
        ("burn", Place(12, 5, 12, 8), lines(burn, COUNT, nothing)),
        ("waits", Place(0, 13, 8, 7), lines(waits, "suffix: s", nothing)),
        ("classes", Place(0, 20, 8, 8), lines(losses, COUNT, nothing)),
        ("funnel", Place(8, 13, 6, 15), lost_calls),
        ("variants", Place(14, 13, 10, 15), rows(variants, RATIO, nothing, labels, codes=formulas)),
    ]


SHEET = Sheet("psap-service-level", TEXTS, _panels, since="now-24h")

"""The service level by every formula, its error budget, how fast that burns, and where calls are lost."""

from dashboards.boards.figures import of_centre
from dashboards.boards.frame import LEVELS, Sheet, Shown, freshness
from dashboards.boards.panels import COUNT, GREEN, ORANGE, RATIO, RED, SECONDS, Place, Value, lines, rows, stats
from dashboards.boards.promql import of_city, with_label
from dashboards.boards.text import Say, Text

VARIANTS = ("nena", "answered", "inclusive", "servicelevelperf", "servicelevelperf2")
WINDOWS = ("60m", "today")
LOST = ("abandoned", "short_abandoned", "overflowed", "network_dropped", "blocked", "lost", "announcement")
BUDGETS = (("15", 0.1), ("20", 0.05))
"""Answered within so many seconds, and the share that may miss it: NENA-STA-020.1-2020."""

TEXTS = {
    "title": Text("Tingkat layanan 112", "112 service level"),
    "about": Text(
        "Tingkat layanan satu pusat menurut semua rumus, anggaran keterlambatan 30 hari, dan corong kehilangan. Semua angka "
        "menghitung perjalanan panggilan: satu upaya seorang penelepon, lewat antrean mana pun.",
        "Service level of one centre by every formula, its error budget over 30 days, and the loss funnel. All figures count "
        "journeys: one caller's one attempt, through whatever queues.",
    ),
    "now": Text("Tingkat layanan NENA", "NENA service level"),
    "now about": Text(
        "Dijawab dalam 15 / 20 detik dibagi n: perjalanan yang selesai menunggu dan yang kini menunggu lebih lama dari itu, "
        "tanpa yang segera ditutup, diblokir, atau berakhir di pengumuman. NENA-STA-020.1: 90 % dan 95 %. Hijau mulai sasaran, "
        "jingga sampai 10 poin di bawahnya.",
        "Answered within 15 / 20 s over n: journeys whose waiting ended and those that now wait for longer than that, without "
        "short abandons, blocked ones and those that ended in the announcement. NENA-STA-020.1: 90 % and 95 %. Green from the "
        "target on, orange up to 10 points below.",
    ),
    "15 60m": Text("≤ 15 s, 60 menit", "≤ 15 s, 60 min"),
    "20 60m": Text("≤ 20 s, 60 menit", "≤ 20 s, 60 min"),
    "15 today": Text("≤ 15 s, hari ini", "≤ 15 s, today"),
    "20 today": Text("≤ 20 s, hari ini", "≤ 20 s, today"),
    "n 60m": Text("n, 60 menit", "n, 60 min"),
    "budget": Text("Sisa anggaran, 30 hari", "Error budget left, 30 d"),
    "budget about": Text(
        "1 − bagian perjalanan yang terlambat / bagian yang boleh terlambat (10 % untuk 15 detik, 5 % untuk 20 detik). Yang "
        "kini menunggu lebih lama dari itu sudah terlambat. Negatif: habis. n: perjalanan dalam 30 hari.",
        "1 − share of journeys too late / share that may be too late (10 % for 15 s, 5 % for 20 s). Whoever now waits for "
        "longer is too late already. Negative: used up. n: journeys within 30 days.",
    ),
    "burn": Text("Laju pemakaian anggaran 15 detik", "Burn rate of the 15 s budget"),
    "burn about": Text(
        "Bagian perjalanan yang terlambat / 10 %. Peringatan: 5× selama 1 jam atau 3× selama 6 jam membangunkan; 1,5× sehari "
        "atau 1× tiga hari menjadi tiket.",
        "Share of journeys too late / 10 %. Alerts: 5× over 1 h or 3× over 6 h wake somebody; 1.5× over a day or 1× over three "
        "is a ticket.",
    ),
    "1 hour": Text("1 jam", "1 hour"),
    "6 hours": Text("6 jam", "6 hours"),
    "1 day": Text("1 hari", "1 day"),
    "3 days": Text("3 hari", "3 days"),
    "course": Text("Tingkat layanan 15 detik (60 menit bergulir)", "Service level 15 s (rolling 60 min)"),
    "course about": Text(
        "NENA, menurut perjalanan, dengan selang Wilson 95 %; garis putus-putus: sasaran 90 %; titik-titik: minggu lalu.",
        "NENA, of journeys, with its Wilson 95 % interval; dashed: the target of 90 %; dotted: last week.",
    ),
    "waits": Text("Waktu jawab, 60 menit bergulir", "Answer times, rolling 60 min"),
    "waits about": Text(
        "P50, P90, P95 waktu tunggu perjalanan yang dijawab, sejak masuk (papan Panggilan 112 menyebut bila hanya sejak "
        "antrean). Dari histogram; hanya benar pada kecepatan 1×.",
        "P50, P90, P95 wait of answered journeys, from the arrival (the board 112 calls says if only from the queue). From the "
        "histogram; right at 1× only.",
    ),
    "funnel": Text("Corong kehilangan, hari ini", "Loss funnel, today"),
    "funnel about": Text(
        "Perjalanan panggilan sejak tengah malam setempat, masing-masing dalam tepat satu golongan; jumlahnya sama dengan yang "
        "masuk dan yang sudah menunggu pada tengah malam. Batal tidak memuat yang segera ditutup.",
        "Journeys since local midnight, each in exactly one class; they sum to offered and those who already waited at midnight. "
        "Abandoned has no short abandons in it.",
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
    "announcement": Text("Berakhir di pengumuman", "Ended in the announcement"),
    "calls": Text("Perjalanan", "Journeys"),
    "elsewhere": Text("Diteruskan, mulai ulang, 24 jam", "Passed on, restarts, 24 h"),
    "elsewhere about": Text(
        "Perjalanan yang diteruskan ke pusat lain, dan berapa kali sentral mulai ulang: setiap kali, panggilan yang sedang "
        "berjalan berakhir; yang menunggu menjadi hilang jejak.",
        "Journeys passed on to another centre, and how often the exchange restarted: each time every open call is over, and "
        "who waited was lost track of.",
    ),
    "passed on": Text("Diteruskan", "Passed on"),
    "restarts": Text("Mulai ulang", "Restarts"),
    "neighbours": Text("Diteruskan ke pusat, 24 jam", "Passed on to centre, 24 h"),
    "neighbours about": Text("Perjalanan menurut pusat yang menerimanya.", "Journeys by the centre that they went to."),
    "to": Text("Kode pusat", "Centre code"),
    "nowhere": Text("Tidak ada", "None"),
    "variants": Text("Semua rumus berdampingan", "All formulas side by side"),
    "variants about": Text(
        "Rasio, selang Wilson 95 %, dan n perjalanan. NENA: tanpa yang segera ditutup, diblokir, dan berakhir di pengumuman; "
        "NENA dan dari semua memuat yang kini menunggu terlalu lama; Asterisk: ServicelevelPerf dan ServicelevelPerf2.",
        "Ratio, Wilson 95 % interval and n journeys. NENA: without short abandons, blocked and ended in the announcement; NENA "
        "and of all have who now waits too long among them; Asterisk: ServicelevelPerf and ServicelevelPerf2.",
    ),
    "formula": Text("Rumus", "Formula"),
    "variant nena": Text("NENA", "NENA"),
    "variant answered": Text("dari yang dijawab", "of answered"),
    "variant inclusive": Text("dari semua", "of all offered"),
    "variant servicelevelperf": Text("Asterisk", "Asterisk"),
    "variant servicelevelperf2": Text("Asterisk 2", "Asterisk 2"),
    "n today": Text("n, hari ini", "n, today"),
    "ratio 60m": Text("60 menit", "60 min"),
    "lower 60m": Text("60 menit ≥", "60 min ≥"),
    "upper 60m": Text("60 menit ≤", "60 min ≤"),
    "ratio today": Text("hari ini", "today"),
    "lower today": Text("hari ini ≥", "today ≥"),
    "upper today": Text("hari ini ≤", "today ≤"),
    "seconds": Text("≤ detik", "≤ seconds"),
    "classes": Text("Kehilangan, 60 menit bergulir", "Losses, rolling 60 min"),
    "classes about": Text("Perjalanan menurut sebab tidak dijawab.", "Journeys by why they were not answered."),
}


def _nena(metric: str, seconds: str = "15", window: str = "60m") -> str:
    """NENA's level or what belongs to it, of the answers within so many seconds."""
    return of_city(f"psap_service_level_{metric}", variant="nena", threshold=seconds, window=window)


def _panels(say: Say) -> list[Shown]:
    nothing = say("no data")
    now = [
        Value(say(f"{seconds} {window}"), f"max({_nena('ratio', seconds, window)})", steps=LEVELS[seconds])
        for window in ("60m", "today")
        for seconds in ("15", "20")
    ]
    now.append(Value(say("n 60m"), f"max({_nena('calls')})", COUNT))
    # As the burn rules have it: who waits for longer now is missed already, and these classes count for nothing.
    ended = (
        'sum(increase(psap_journeys_ended_total{city="$city",outcome!~"short_abandoned|blocked|announcement|joined"}[30d]))'
        ' - sum(increase(psap_journeys_backward_total{city="$city"}[30d]))'
    )
    budget = []
    for seconds, share in BUDGETS:
        good = of_city("psap_journey_wait_seconds_bucket", outcome="answered", le=f"{seconds}.0")
        beyond = of_city("psap_journeys_waiting_beyond", threshold=seconds)
        met = f"sum(increase({good}[30d])) / ({ended} + max({beyond}) > 0)"
        budget.append(Value(f"≤ {seconds} s", f"1 - (1 - {met}) / {share}"))
    budget.append(Value("n", f"round({ended} > 0)", COUNT, steps={}))
    burn = [
        Value(say(name), f"max({of_city(f'city:psap_journeys_missed:ratio_rate{window}')}) / 0.1")
        for name, window in (("1 hour", "1h"), ("6 hours", "6h"), ("1 day", "1d"), ("3 days", "3d"))
    ]
    course = [
        Value("≤ 15 s", f"max({_nena('ratio')})"),
        Value(say("lower"), f"max({_nena('ratio_lower')})"),
        Value(say("upper"), f"max({_nena('ratio_upper')})"),
        Value(say("target"), "vector(0.9)"),
        Value(say("last week"), f"max({_nena('ratio')} offset 1w)"),
    ]
    buckets = 'sum by (le) (rate(psap_journey_wait_seconds_bucket{city="$city",outcome="answered"}[1h]))'
    waits = [Value(f"P{percent}", f"histogram_quantile({percent / 100}, {buckets})") for percent in (50, 90, 95)]
    # The day's own counts and not increase(), which misses what was there when a counter was first seen and is no whole number.
    offered = of_centre("calls.offered")
    waiting = with_label(of_centre("calls.waiting"), "outcome", "waiting")
    today = 'max by (outcome) (psap_calls_today{city="$city"})'
    funnel = f"({today} or {waiting})"
    variants = [
        Value(
            say(f"{name} {window}"),
            f"max by (variant, threshold) ({of_city(f'psap_service_level_{metric}', window=window)})",
            unit,
        )
        for window in WINDOWS
        for name, metric, unit in (
            ("n", "calls", COUNT),
            ("ratio", "ratio", None),
            ("lower", "ratio_lower", None),
            ("upper", "ratio_upper", None),
        )
    ]
    losses = [
        Value(say(outcome), f"sum(increase({of_city('psap_journeys_ended_total', outcome=outcome)}[1h]))") for outcome in LOST
    ]
    # Not increase(): a series that begins at 1 has not risen. The totals themselves survive every restart.
    passed_on, restarts = 'psap_journeys_passed_on_total{city="$city"}', 'psap_exchange_restarts_total{city="$city"}'
    zero = 'or 0 * max(psap_city_info{city="$city"})'
    elsewhere = [
        Value(say("passed on"), f"(sum({passed_on}) - (sum({passed_on} offset 24h) or vector(0))) {zero}"),
        Value(say("restarts"), f"sum({restarts}) - (sum({restarts} offset 24h) or vector(0))"),
    ]
    by_centre = f"sum by (to) ({passed_on} - ({passed_on} offset 24h) or {passed_on} unless {passed_on} offset 24h) > 0"
    neighbours = Value(say("calls"), by_centre)
    none_passed = ('psap_city_info{city="$city"}', say("nowhere"))
    outcomes = {"outcome": {name: say(name) for name in ("offered", "answered", "waiting", *LOST)}}
    formulas = {"variant": {name: say(f"variant {name}") for name in VARIANTS}}
    lost_calls = rows(
        [Value(say("calls"), funnel), Value(say("share"), f"{funnel} / on () group_left () ({offered} > 0)", RATIO)],
        COUNT,
        nothing,
        {"outcome": say("outcome")},
        most=len(outcomes["outcome"]),
        codes=outcomes,
    )
    labels = {"variant": say("formula"), "threshold": say("seconds")}
    colours = {-1e9: RED, 0: ORANGE, 0.25: GREEN}
    return [
        ("now", Place(0, 0, 13, 5), stats(now, RATIO, nothing)),
        ("budget", Place(13, 0, 4, 5), stats(budget, RATIO, nothing, colours)),
        freshness(say, Place(17, 0, 7, 5)),
        ("course", Place(0, 5, 9, 7), lines(course, RATIO, nothing, [say("target")], [say("last week")])),
        ("burn", Place(9, 5, 6, 7), lines(burn, COUNT, nothing)),
        ("elsewhere", Place(15, 5, 4, 7), stats(elsewhere, COUNT, nothing, is_stacked=True)),
        ("neighbours", Place(19, 5, 5, 7), rows([neighbours], COUNT, nothing, {"to": say("to")}, most=3, clear=none_passed)),
        ("waits", Place(0, 12, 7, 7), lines(waits, SECONDS, nothing)),
        ("classes", Place(0, 19, 7, 7), lines(losses, COUNT, nothing)),
        ("funnel", Place(7, 12, 6, 14), lost_calls),
        ("variants", Place(13, 12, 11, 14), rows(variants, RATIO, nothing, labels, most=10, codes=formulas)),
    ]


SHEET = Sheet("psap-service-level", TEXTS, _panels, since="now-24h")

"""The wallboard of one centre: its calls and seats, now, in the last hour and today."""

from dashboards.boards.frame import CITY, Sheet, Shown, freshness, limit
from dashboards.boards.panels import (
    COUNT,
    DURATION,
    GREEN,
    ORANGE,
    RATIO,
    RED,
    SECONDS,
    Place,
    Value,
    lines,
    rows,
    stats,
)
from dashboards.boards.text import Say, Text

WAITING = f"sum(psap_calls_waiting{{{CITY}}})"
LONGEST = f"(time() - min(psap_oldest_waiting_call_timestamp_seconds{{{CITY}}}) or 0 * max(psap_city_info{{{CITY}}}))"
ABANDONED_TODAY = (
    f'max(psap_calls_today{{{CITY},outcome="abandoned"}}) - max(psap_calls_today{{{CITY},outcome="short_abandoned"}})'
)


TEXTS = {
    "title": Text("Panggilan 112", "112 calls"),
    "about": Text(
        "Papan dinding satu pusat 112: panggilan dan meja, sekarang dan hari ini. Terbaca dari jarak 5 meter.",
        "Wallboard of one 112 centre: calls and seats, now and today. Readable from 5 metres.",
    ),
    "waiting": Text("Menunggu", "Waiting"),
    "waiting now": Text("Penelepon menunggu", "Callers waiting"),
    "waiting now about": Text(
        "Panggilan yang belum dijawab saat ini, semua antrean. Batas: queue_calls milik pusat ini.",
        "Calls not yet answered at this moment, all queues. Limit: queue_calls of this centre.",
    ),
    "longest wait": Text("Menunggu paling lama", "Longest wait now"),
    "longest wait about": Text(
        "Umur panggilan tertua yang belum dijawab (jam:menit:detik); 0 bila tidak ada. Batas: oldest_waiting_seconds.",
        "Age of the oldest unanswered call (h:m:s); 0 when nobody waits. Limit: oldest_waiting_seconds.",
    ),
    "seats": Text("Meja petugas", "Seats"),
    "seats about": Text(
        "Meja yang masuk: siap (bebas menjawab), bicara, jeda. Tanpa data bila sumber tidak pernah menyebut meja.",
        "Seats logged in: free to answer, talking, paused. No data where no source has ever told of seats.",
    ),
    "available": Text("Siap", "Free"),
    "talking": Text("Bicara", "Talking"),
    "paused": Text("Jeda", "Paused"),
    "service level": Text("Tingkat layanan, 60 menit", "Service level, 60 min"),
    "service level about": Text(
        "Dijawab dalam 15 / 20 detik dibagi n: panggilan yang selesai menunggu dalam 60 menit, tanpa yang segera ditutup dan "
        "diblokir (NENA-STA-020.1: 90 % dan 95 %). Hijau mulai 90 %, jingga mulai 80 %.",
        "Answered within 15 / 20 s over n: calls whose waiting ended within 60 min, without short abandons and blocked ones "
        "(NENA-STA-020.1: 90 % and 95 %). Green from 90 %, orange from 80 %.",
    ),
    "waits": Text("Waktu jawab, 60 menit", "Answer time, 60 min"),
    "waits about": Text(
        "Rata-rata, P90, dan P95 waktu tunggu panggilan yang dijawab, dari histogram. Hanya benar pada kecepatan 1×.",
        "Mean, P90 and P95 wait of answered calls, from the histogram. Right at 1× only.",
    ),
    "mean": Text("Rata-rata", "Mean"),
    "today": Text("Hari ini", "Today"),
    "today about": Text(
        "Sejak tengah malam setempat. Putus: menutup sebelum dijawab, tanpa yang segera ditutup; persennya dari n NENA.",
        "Since local midnight. Abandoned: hung up before the answer, without short ones; the share is of the NENA level's n.",
    ),
    "offered": Text("Masuk", "Offered"),
    "answered": Text("Dijawab", "Answered"),
    "abandoned": Text("Putus", "Abandoned"),
    "abandon ratio": Text("Putus %", "Abandoned %"),
    "peak": Text("Puncak antrean", "Queue peak"),
    "queue": Text("Antrean dan layanan", "Queue and service"),
    "queue about": Text(
        "Panggilan yang menunggu dan yang sedang dilayani; garis putus-putus adalah batas antrean pusat ini.",
        "Calls waiting and calls in service; the dashed line is this centre's queue limit.",
    ),
    "in service": Text("Dilayani", "In service"),
    "course": Text("Tingkat layanan 15 detik (60 menit bergulir)", "Service level 15 s (rolling 60 min)"),
    "course about": Text(
        "NENA, dengan selang Wilson 95 %: selang lebar berarti panggilan sedikit. Garis putus-putus adalah sasaran 90 %.",
        "NENA, with its Wilson 95 % interval: a wide one means few calls. The dashed line is the target of 90 %.",
    ),
    "variants": Text("Semua rumus berdampingan", "All formulas side by side"),
    "variants about": Text(
        "Rasio, selang Wilson 95 %, dan n. nena: tanpa yang segera ditutup dan diblokir; answered: dijawab; inclusive: semua.",
        "Ratio, Wilson 95 % interval and n. nena: without short abandons and blocked; answered: of answered; inclusive: of all.",
    ),
    "formula": Text("Rumus", "Formula"),
    "seconds": Text("≤ detik", "≤ seconds"),
}


def _panels(say: Say) -> list[Shown]:
    return [*_now(say), *_service(say), *_course(say)]


def _now(say: Say) -> list[Shown]:
    blind = say("blind")
    limited = (say("within limit"), GREEN), (say("over limit"), RED)
    waiting = [
        Value(say("waiting"), WAITING),
        Value(say("state"), f"{WAITING} >= bool {limit('queue_calls')}", words=limited),
    ]
    longest = [
        Value(say("waiting"), LONGEST),
        Value(say("state"), f"{LONGEST} > bool {limit('oldest_waiting_seconds')}", COUNT, words=limited),
    ]
    seats = [Value(say(state), f'max(psap_operators{{{CITY},state="{state}"}})') for state in ("available", "talking", "paused")]
    return [
        ("waiting now", Place(0, 0, 6, 6), stats(waiting, COUNT, blind)),
        ("longest wait", Place(6, 0, 6, 6), stats(longest, DURATION, blind)),
        ("seats", Place(12, 0, 5, 6), stats(seats, COUNT, say("no data"))),
        freshness(say, Place(17, 0, 7, 6)),
    ]


def _service(say: Say) -> list[Shown]:
    nena = f'{CITY},variant="nena",window="60m"'
    level = [
        Value("≤ 15 s", f'max(psap_service_level_ratio{{{nena},threshold="15"}})'),
        Value("≤ 20 s", f'max(psap_service_level_ratio{{{nena},threshold="20"}})'),
        Value("n", f'max(psap_service_level_calls{{{nena},threshold="15"}})', COUNT),
    ]
    answered = f'{CITY},outcome="answered"'
    buckets = f"sum by (le) (rate(psap_call_wait_seconds_bucket{{{answered}}}[1h]))"
    waits = [
        Value(
            say("mean"),
            f"sum(rate(psap_call_wait_seconds_sum{{{answered}}}[1h]))"
            f" / sum(rate(psap_call_wait_seconds_count{{{answered}}}[1h]))",
        ),
        Value("P90", f"histogram_quantile(0.9, {buckets})"),
        Value("P95", f"histogram_quantile(0.95, {buckets})"),
    ]
    of_nena = f'max(psap_service_level_calls{{{CITY},variant="nena",threshold="15",window="today"}})'
    today = [
        Value(say("offered"), f'max(psap_calls_today{{{CITY},outcome="offered"}})'),
        Value(say("answered"), f"max(psap_calls_today{{{answered}}})"),
        Value(say("abandoned"), ABANDONED_TODAY),
        Value(say("abandon ratio"), f"({ABANDONED_TODAY}) / ({of_nena} > 0)", RATIO),
        Value(say("peak"), f'max(psap_calls_waiting_peak{{{CITY},period="today"}})'),
    ]
    nothing = say("no data")
    return [
        ("service level", Place(0, 6, 7, 6), stats(level, RATIO, nothing, {0: RED, 0.8: ORANGE, 0.9: GREEN})),
        ("waits", Place(7, 6, 7, 6), stats(waits, SECONDS, nothing)),
        ("today", Place(14, 6, 10, 6), stats(today, COUNT, nothing)),
    ]


def _course(say: Say) -> list[Shown]:
    nothing = say("no data")
    queue = [
        Value(say("waiting"), WAITING),
        Value(say("in service"), f"sum(psap_calls_in_service{{{CITY}}})"),
        Value(say("limit"), limit("queue_calls")),
        Value(say("last week"), f"sum(max_over_time(psap_calls_waiting{{{CITY}}}[5m] offset 1w))"),
    ]
    nena = f'{CITY},variant="nena",threshold="15",window="60m"'
    course = [
        Value("≤ 15 s", f"max(psap_service_level_ratio{{{nena}}})"),
        Value(say("lower"), f"max(psap_service_level_ratio_lower{{{nena}}})"),
        Value(say("upper"), f"max(psap_service_level_ratio_upper{{{nena}}})"),
        Value(say("target"), "vector(0.9)"),
    ]
    shown = f'{CITY},variant=~"nena|answered|inclusive",window=~"60m|today"'
    variants = [
        Value(say(name), f"max by (variant, threshold, window) (psap_service_level_{metric}{{{shown}}})", unit)
        for name, metric, unit in (
            ("ratio", "ratio", None),
            ("lower", "ratio_lower", None),
            ("upper", "ratio_upper", None),
            ("n", "calls", COUNT),
        )
    ]
    labels = {"variant": say("formula"), "threshold": say("seconds"), "window": say("window")}
    firing = 'max by (alertname, severity, name) (ALERTS{alertstate="firing",alertname!="Watchdog",city=~"$city|"})'
    about = {"alertname": say("alert"), "severity": say("severity"), "name": say("centre")}
    return [
        ("queue", Place(0, 12, 12, 8), lines(queue, COUNT, nothing, [say("limit")], [say("last week")])),
        ("course", Place(12, 12, 12, 8), lines(course, RATIO, nothing, [say("target")])),
        ("variants", Place(0, 20, 12, 8), rows(variants, RATIO, nothing, labels)),
        (
            "alerts",
            Place(12, 20, 12, 8),
            rows([Value("n", firing)], COUNT, say("no alert"), about, ["Time", "Value", "Value #A"]),
        ),
    ]


SHEET = Sheet("psap-calls", TEXTS, _panels)

"""The wallboard of one centre: who waits, who is free, what is broken; its calls in the last hour and today."""

from dashboards.boards.frame import CITY, LEVELS, Sheet, Shown, alerts, fresh, limit
from dashboards.boards.panels import COUNT, DURATION, GREEN, RATIO, RED, SECONDS, Place, Value, lines, stats
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
    "broken": Text("Yang rusak", "What is broken"),
    "broken about": Text(
        "Jalur yang putus, dan peringatan mendesak pusat ini atau pemantau sendiri; yang mana: lihat peringatan aktif.",
        "Links that are down, and alerts of this centre or of the monitor itself that wake somebody; see the firing alerts.",
    ),
    "links down": Text("Jalur putus", "Links down"),
    "pages": Text("Mendesak", "Pages"),
    "freshness about": Text(
        "Umur panggilan terbaru, dan ketertinggalan pemantau. Usang: sudah lebih lama sepi daripada kebetulan pada jam ini "
        "(PsapCentreSilent). BUTA: pemantau sendiri tidak menjawab.",
        "Age of the newest call, and how far the monitor is behind. Stale: silent for longer than chance explains at this hour "
        "(PsapCentreSilent). BLIND: the monitor itself does not answer.",
    ),
    "newest call": Text("Terakhir", "Last call"),
    "service level": Text("Tingkat layanan, 60 menit", "Service level, 60 min"),
    "service level about": Text(
        "Dijawab dalam 15 / 20 detik dibagi n: panggilan yang selesai menunggu dalam 60 menit, tanpa yang segera ditutup dan "
        "diblokir (NENA-STA-020.1: 90 % dan 95 %). Hijau mulai sasaran, jingga sampai 10 poin di bawahnya.",
        "Answered within 15 / 20 s over n: calls whose waiting ended within 60 min, without short abandons and blocked ones "
        "(NENA-STA-020.1: 90 % and 95 %). Green from the target on, orange up to 10 points below.",
    ),
    "waits": Text("Waktu jawab, 60 menit", "Answer time, 60 min"),
    "waits about": Text(
        "Rata-rata, P90, dan P95 waktu tunggu panggilan yang dijawab, dari histogram. Hanya benar pada kecepatan 1×.",
        "Mean, P90 and P95 wait of answered calls, from the histogram. Right at 1× only.",
    ),
    "mean": Text("Rata-rata", "Mean"),
    "today": Text("Hari ini", "Today"),
    "today about": Text(
        "Sejak tengah malam setempat. Batal: menutup sebelum dijawab, tanpa yang segera ditutup; persennya dari n NENA.",
        "Since local midnight. Abandoned: hung up before the answer, without short ones; the share is of the NENA level's n.",
    ),
    "offered": Text("Masuk", "Offered"),
    "answered": Text("Dijawab", "Answered"),
    "abandoned": Text("Batal", "Abandoned"),
    "abandon ratio": Text("Batal %", "Abandon %"),
    "peak": Text("Antre maks", "Queue peak"),
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
    known = f"0 * max(psap_city_info{{{CITY}}})"
    broken = [
        Value(say("links down"), f"count(max by (link) (psap_link_up{{{CITY}}}) == 0) or {known}"),
        Value(say("pages"), f'count(ALERTS{{alertstate="firing",severity="page",city=~"$city|"}}) or {known}'),
    ]
    return [
        ("waiting now", Place(0, 0, 5, 9), stats(waiting, COUNT, blind, is_stacked=True)),
        ("longest wait", Place(5, 0, 7, 9), stats(longest, DURATION, blind, is_stacked=True)),
        ("seats", Place(12, 0, 7, 9), stats(seats, COUNT, say("no data"))),
        ("broken", Place(19, 0, 5, 9), stats(broken, COUNT, blind, {0: GREEN, 1: RED}, is_stacked=True)),
    ]


def _service(say: Say) -> list[Shown]:
    nena = f'{CITY},variant="nena",window="60m"'
    level = [
        Value("≤ 15 s", f'max(psap_service_level_ratio{{{nena},threshold="15"}})'),
        Value("≤ 20 s", f'max(psap_service_level_ratio{{{nena},threshold="20"}})', steps=LEVELS["20"]),
        Value("n", f'max(psap_service_level_calls{{{nena},threshold="15"}})', COUNT),
    ]
    # A centre's links and river go on telling when its exchange does not: the newest call says more than the newest event, and
    # whether that is too long ago is for PsapCentreSilent to say.
    age = f"(time() - max(psap_last_call_timestamp_seconds{{{CITY}}}))"
    heard = f'0 * count(ALERTS{{alertname="PsapCentreSilent",{CITY}}}) or max(psap_city_info{{{CITY}}})'
    of_nena = f'max(psap_service_level_calls{{{CITY},variant="nena",threshold="15",window="today"}})'
    today = [
        Value(say("offered"), f'max(psap_calls_today{{{CITY},outcome="offered"}})'),
        Value(say("answered"), f'max(psap_calls_today{{{CITY},outcome="answered"}})'),
        Value(say("abandoned"), ABANDONED_TODAY),
        Value(say("abandon ratio"), f"({ABANDONED_TODAY}) / ({of_nena} > 0)", RATIO),
        Value(say("peak"), f'max(psap_calls_waiting_peak{{{CITY},period="today"}})'),
    ]
    nothing = say("no data")
    return [
        ("freshness", Place(0, 9, 7, 6), fresh(say, heard, say("newest call"), age)),
        ("service level", Place(7, 9, 6, 6), stats(level, RATIO, nothing, LEVELS["15"])),
        ("today", Place(13, 9, 11, 6), stats(today, COUNT, nothing)),
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
    return [
        ("queue", Place(0, 15, 8, 13), lines(queue, COUNT, nothing, [say("limit")], [say("last week")])),
        ("course", Place(8, 15, 8, 13), lines(course, RATIO, nothing, [say("target")])),
        ("alerts", Place(16, 15, 8, 8), alerts(say, 'city=~"$city|"', {"alertname": say("alert"), "severity": say("severity")})),
        ("waits", Place(16, 23, 8, 5), stats(waits, SECONDS, nothing)),
    ]


SHEET = Sheet("psap-calls", TEXTS, _panels)

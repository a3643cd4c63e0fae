"""The wallboard of one centre: who waits, who is free, what is broken; its journeys in the last hour and today, and its queues"""

from dashboards.boards.alert_list import alerts
from dashboards.boards.broken import broken
from dashboards.boards.figures import of_centre
from dashboards.boards.frame import LEVELS, Sheet, Shown, age_of_data, fresh, limit
from dashboards.boards.panels import COUNT, DURATION, GREEN, ORANGE, RATIO, RED, SECONDS, Place, Value, judged, lines, rows, stats
from dashboards.boards.promql import Matcher, of_city
from dashboards.boards.text import Say, Text

WAITING = of_centre("calls.waiting")
ZERO = '0 * max(psap_city_info{city="$city"})'
LONGEST = f"({of_centre('calls.longest')} or {ZERO})"

TEXTS = {
    "title": Text("Panggilan 112", "112 calls"),
    "about": Text(
        "Papan dinding satu pusat 112, sekarang dan hari ini, terbaca dari jarak 5 meter. Angka kota menghitung perjalanan "
        "panggilan (satu upaya seorang penelepon sampai selesai); angka per antrean menghitung kunjungan.",
        "Wallboard of one 112 centre, now and today, readable from 5 metres. The city's figures count journeys (one caller's one "
        "attempt to its end); figures by queue count visits.",
    ),
    "waiting": Text("Menunggu", "Waiting"),
    "waiting now": Text("Menunggu, sekarang", "Waiting, now"),
    "waiting now about": Text(
        "Perjalanan panggilan yang belum dijawab: di pengumuman, di antrean, atau di antaranya. Batas: queue_calls pusat ini.",
        "Journeys not yet answered: in the announcement, in a queue or between two. Limit: queue_calls of this centre.",
    ),
    "longest wait": Text("Terlama menunggu, sekarang", "Longest wait, now"),
    "longest wait about": Text(
        "Sejak penelepon itu masuk, lewat antrean mana pun (jam:menit:detik); 0 bila tidak ada. Batas: oldest_waiting_seconds.",
        "Since that caller came, through whatever queues (h:m:s); 0 when nobody waits. Limit: oldest_waiting_seconds.",
    ),
    "seats": Text("Meja petugas, sekarang", "Seats, now"),
    "seats about": Text(
        "Meja yang masuk: siap (bebas menjawab), bicara, jeda. Tanpa data bila sumber tidak pernah menyebut meja.",
        "Seats logged in: free to answer, talking, paused. No data where no source has ever told of seats.",
    ),
    "available": Text("Siap", "Free"),
    "talking": Text("Bicara", "Talking"),
    "paused": Text("Jeda", "Paused"),
    "broken about": Text(
        "Jalur yang putus, sungai di atas batas (Siaga), OPD yang melewati tenggat tanpa menjawab; yang terbaru dahulu, dan "
        "sudah berapa lama: sejak putus, sejak terakhir di bawah semua batas (paling lama sehari), sejak tiketnya dikirim.",
        "Links that are down, rivers above a bound (Siaga), agencies past a deadline without an answer; the newest first, and "
        "for how long: since it went down, since last below every bound (a day at most), since its ticket was sent.",
    ),
    "freshness about": Text(
        "Umur panggilan terbaru, umur data dari sumber mana pun, dan ketertinggalan pemantau. Usang: sudah lebih "
        "lama sepi daripada kebetulan pada jam ini (PsapCentreSilent). BUTA: pemantau sendiri tidak menjawab.",
        "Age of the newest call, age of data of any source, and how far the monitor is behind. Stale: silent for "
        "longer than chance explains at this hour (PsapCentreSilent). BLIND: the monitor itself does not answer.",
    ),
    "newest call": Text("Umur panggilan", "Age of calls"),
    "service level": Text("Tingkat layanan, 60 menit", "Service level, 60 min"),
    "service level about": Text(
        "Dijawab dalam 15 / 20 detik dibagi n: perjalanan yang selesai menunggu dalam 60 menit dan yang kini menunggu lebih "
        "lama dari itu, tanpa yang segera ditutup, diblokir, atau berakhir di pengumuman (NENA-STA-020.1: 90 % dan 95 %). "
        "Hijau mulai sasaran, jingga sampai 10 poin di bawahnya.",
        "Answered within 15 / 20 s over n: journeys whose waiting ended within 60 min and those that now wait for longer than "
        "that, without short abandons, blocked ones and those that ended in the announcement (NENA-STA-020.1: 90 % and 95 %). "
        "Green from the target on, orange up to 10 points below.",
    ),
    "waits": Text("Waktu jawab, 60 menit", "Answer time, 60 min"),
    "waits about": Text(
        "P90 dan P95 waktu tunggu dari n perjalanan yang dijawab, sejak masuk ke pusat atau, bila sumber tidak "
        "menyebutnya, sejak antrean pertama. Dari histogram; hanya benar pada kecepatan 1×.",
        "P90 and P95 wait of n answered journeys, from the arrival at the centre or, where the source does not tell it, "
        "from the first queue. From the histogram; right at 1× only.",
    ),
    "counted from": Text("Sejak", "From"),
    "clock arrival": Text("MASUK", "ARRIVAL"),
    "clock queue": Text("ANTREAN", "QUEUE"),
    "today": Text("Hari ini", "Today"),
    "today about": Text(
        "Perjalanan panggilan sejak tengah malam setempat. Batal dan segera ditutup: menutup sebelum dijawab, dua golongan "
        "terpisah; Batal % dari n NENA.",
        "Journeys since local midnight. Abandoned and short abandoned: hung up before the answer, two classes apart; Abandon % "
        "is of the NENA level's n.",
    ),
    "offered": Text("Masuk", "Offered"),
    "answered": Text("Dijawab", "Answered"),
    "abandoned": Text("Batal", "Abandoned"),
    "short abandoned": Text("Segera ditutup", "Short"),
    "abandon ratio": Text("Batal %", "Abandon %"),
    "peak": Text("Antre maks", "Queue peak"),
    "queue": Text("Menunggu dan dilayani", "Waiting and in service"),
    "queue about": Text(
        "Perjalanan yang menunggu dan kunjungan yang sedang dilayani, pada setiap saat; garis putus-putus: batas pusat ini.",
        "Journeys waiting and visits in service, at each moment; the dashed line is this centre's limit.",
    ),
    "queues": Text("Kunjungan per antrean, sekarang dan 60 menit", "Visits by queue, now and 60 min"),
    "queues about": Text(
        "Satu perjalanan dapat berkunjung ke beberapa antrean, jadi jumlahnya bukan angka kota. Menunggu, terlama (sejak masuk "
        "ke pusat), dilayani: sekarang. Lainnya: 60 menit, hanya benar pada kecepatan 1×. Waktu tunggu kunjungan dihitung "
        "sejak: antrean, atau masuk ke pusat bila masuknya ke antrean tidak disebut.",
        "One journey can visit several queues, so that these do not sum to the city's figures. Waiting, longest (since the "
        "arrival at the centre), in service: now. The others: 60 min, right at 1× only. A visit's wait is counted from: the "
        "queue, or the arrival where the entry into it is not told.",
    ),
    "queue name": Text("Antrean", "Queue"),
    "longest": Text("Terlama", "Longest"),
    "visits": Text("Kunjungan", "Visits"),
    "overflowed": Text("Meluap", "Overflowed"),
    "passed": Text("Dialihkan", "Transferred"),
    "in service": Text("Dilayani", "In service"),
}


def _panels(say: Say) -> list[Shown]:
    return [*_now(say), *_service(say), *_below(say)]


def _now(say: Say) -> list[Shown]:
    blind = say("blind")
    limited = (say("within limit"), GREEN), (say("over limit"), RED)
    waiting, longest = Value(say("waiting"), WAITING), Value(say("waiting"), LONGEST)
    too_many, too_long = f"({WAITING} >= bool {limit('queue_calls')})", f"({LONGEST} > bool {limit('oldest_waiting_seconds')})"
    seats = [
        Value(say("available"), of_centre("around.free")),
        *(Value(say(state), f"max({of_city('psap_operators', state=state)})") for state in ("talking", "paused")),
    ]
    return [
        ("waiting now", Place(0, 0, 5, 7), judged(waiting, too_many, limited, COUNT, blind)),
        ("longest wait", Place(5, 0, 6, 7), judged(longest, too_long, limited, DURATION, blind)),
        ("seats", Place(11, 0, 6, 7), stats(seats, COUNT, say("no data"))),
        ("broken", Place(17, 0, 7, 7), broken(say, 3, city="$city")),
    ]


def _service(say: Say) -> list[Shown]:
    level = [
        Value("≤ 15 s", of_centre("calls.level")),
        Value(
            "≤ 20 s", 'max(psap_service_level_ratio{city="$city",variant="nena",window="60m",threshold="20"})', steps=LEVELS["20"]
        ),
        Value("n", 'max(psap_service_level_calls{city="$city",variant="nena",window="60m",threshold="15"})', COUNT),
    ]
    # A centre's links and river go on telling when its exchange does not: the newest call says more than the newest event, and
    # whether that is too long ago is for PsapCentreSilent to say.
    age = '(time() - max(psap_last_call_timestamp_seconds{city="$city"}))'
    heard = '0 * count(ALERTS{alertname="PsapCentreSilent",city="$city"}) or max(psap_city_info{city="$city"})'
    of_nena = 'max(psap_service_level_calls{city="$city",variant="nena",threshold="15",window="today"})'
    today = [
        Value(say("offered"), of_centre("calls.offered")),
        Value(say("answered"), of_centre("calls.answered")),
        Value(say("abandoned"), of_centre("calls.abandoned")),
        Value(say("short abandoned"), of_centre("calls.short_abandoned")),
        Value(say("abandon ratio"), f"{of_centre('calls.abandoned')} / ({of_nena} > 0)", RATIO),
        Value(say("peak"), 'max(psap_calls_waiting_peak{city="$city",period="today"})'),
    ]
    nothing = say("no data")
    return [
        ("freshness", Place(0, 7, 8, 4), fresh(say, heard, [Value(say("newest call"), age), age_of_data(say)])),
        ("service level", Place(8, 7, 5, 4), stats(level, RATIO, nothing, LEVELS["15"])),
        ("today", Place(13, 7, 11, 4), stats(today, COUNT, nothing)),
    ]


def _below(say: Say) -> list[Shown]:
    nothing = say("no data")
    queue = [
        Value(say("waiting"), WAITING),
        Value(say("in service"), of_centre("calls.in_service")),
        Value(say("limit"), limit("queue_calls")),
        Value(say("last week"), 'max(max_over_time(psap_journeys_waiting{city="$city"}[5m] offset 1w))'),
    ]
    buckets = 'sum by (le) (rate(psap_journey_wait_seconds_bucket{city="$city",outcome="answered"}[1h]))'
    waits = [
        Value("P90", f"histogram_quantile(0.9, {buckets})"),
        Value("P95", f"histogram_quantile(0.95, {buckets})"),
        Value("n", 'round(sum(increase(psap_journey_wait_seconds_count{city="$city",outcome="answered"}[1h])))', COUNT),
        _clock(say, "psap_journey_clock_info", "", ORANGE),
    ]
    longest = (
        'time() - min by (queue) (psap_oldest_waiting_call_timestamp_seconds{city="$city"})'
        ' or 0 * max by (queue) (psap_calls_waiting{city="$city"})'
    )
    queues = [
        Value(say("waiting"), 'max by (queue) (psap_calls_waiting{city="$city"})'),
        Value(say("longest"), longest, DURATION),
        Value(say("in service"), 'max by (queue) (psap_calls_in_service{city="$city"})'),
        Value(say("visits"), 'round(sum by (queue) (increase(psap_calls_offered_total{city="$city"}[1h])))'),
        *(
            Value(
                say(outcome.replace("_", " ")),
                f"round(sum by (queue) (increase({of_city('psap_calls_ended_total', outcome=outcome)}[1h])))",
            )
            for outcome in ("answered", "abandoned", "short_abandoned", "overflowed")
        ),
        Value(say("passed"), 'round(sum by (queue) (increase(psap_calls_transferred_total{city="$city"}[1h])))'),
        _clock(say, "psap_answer_clock_info", "by (queue) ", GREEN),
    ]
    fired = ("severity", "alertname", "what", "since", "state", "by", "until", "todo")
    return [
        ("alerts", Place(0, 11, 24, 8), alerts(say, fired, 4, city=Matcher("=~", "$city|"))),
        ("queue", Place(0, 19, 6, 7), lines(queue, COUNT, nothing, [say("limit")], [say("last week")])),
        ("queues", Place(11, 19, 13, 7), rows(queues, COUNT, nothing, {"queue": say("queue name")}, most=3)),
        ("waits", Place(6, 19, 5, 7), stats(waits, SECONDS, nothing)),
    ]


def _clock(say: Say, info: str, by: str, of_queue: str) -> Value:
    """In a word, where waiting is counted from: of a journey the entry into a queue is second best, of a visit it is meant."""
    expr = f"max {by}({of_city(info, clock='queue')}) or 0 * max {by}({of_city(info)})"
    return Value(say("counted from"), expr, COUNT, words=((say("clock arrival"), GREEN), (say("clock queue"), of_queue)))


SHEET = Sheet("psap-calls", TEXTS, _panels)

"""The wallboard of all centres: where somebody waits, who is silent, what is broken."""

from dashboards.boards.alert_list import alerts
from dashboards.boards.broken import broken
from dashboards.boards.figures import of_all
from dashboards.boards.frame import Sheet, Shown, freshness_of_all
from dashboards.boards.panels import COUNT, DURATION, GREEN, RATIO, RED, Place, Value, lines, rows, stats
from dashboards.boards.text import Say, Text

TEXTS = {
    "title": Text("112 nasional", "112 national"),
    "about": Text(
        "Papan dinding semua pusat 112: di mana penelepon menunggu, pusat mana yang diam, apa yang rusak. Semua angka menghitung "
        "perjalanan panggilan: satu upaya seorang penelepon, lewat antrean mana pun.",
        "Wallboard of all 112 centres: where callers wait, which centre is silent, what is broken. All figures count journeys: "
        "one caller's one attempt, through whatever queues.",
    ),
    "waiting": Text("Menunggu", "Waiting"),
    "waiting now": Text("Menunggu, sekarang", "Waiting, now"),
    "waiting now about": Text(
        "Perjalanan yang belum dijawab di semua pusat: di pengumuman, di antrean, atau di antaranya.",
        "Journeys not yet answered at all centres: in the announcement, in a queue or between two.",
    ),
    "longest": Text("Terlama menunggu, sekarang", "Longest wait, now"),
    "longest about": Text(
        "Sejak penelepon itu masuk, lewat antrean mana pun, di pusat mana pun (jam:menit:detik).",
        "Since that caller came, through whatever queues, at whatever centre (h:m:s).",
    ),
    "staff": Text("Meja petugas, sekarang", "Seats, now"),
    "staff about": Text(
        "Siap menjawab dan sedang bicara, di pusat yang menyebutnya.", "Free to answer and talking, where centres tell."
    ),
    "free": Text("Siap", "Free"),
    "talking": Text("Bicara", "Talking"),
    "counts": Text("Yang perlu dilihat, sekarang", "To look at, now"),
    "counts about": Text(
        "Pusat tanpa kejadian lebih lama dari batasnya, jalur putus, peringatan yang membangunkan orang.",
        "Centres without an event for longer than their limit, links down, alerts that wake somebody.",
    ),
    "silent": Text("Pusat diam", "Silent"),
    "links down": Text("Jalur putus", "Links down"),
    "pages": Text("Mendesak", "Pages"),
    "freshness about": Text(
        "Umur kejadian terbaru dari semua pusat, dan ketertinggalan pemantau. BUTA: pemantau sendiri tidak menjawab.",
        "Age of the newest event of all centres, and how far the monitor is behind. BLIND: the monitor itself does not answer.",
    ),
    "today": Text("Hari ini", "Today"),
    "today about": Text(
        "Jumlah sejak tengah malam setempat setiap pusat. Masuk dan dijawab: tanpa yang diteruskan ke pusat lain, yang "
        "dihitung di sana, sehingga satu kejadian dihitung sekali. Tingkat layanan: perjalanan dijawab ≤ 15 detik dari semua "
        "pusat bersama, n NENA.",
        "Sums since each centre's local midnight. Offered and answered: less those passed on to another centre, which are "
        "counted there, so that one emergency counts once. Service level: journeys answered ≤ 15 s of all centres together, "
        "NENA's n.",
    ),
    "offered": Text("Masuk", "Offered"),
    "answered": Text("Dijawab", "Answered"),
    "centres": Text("Pusat yang perlu dilihat", "Centres to look at"),
    "centres about": Text(
        "Pusat dengan penelepon yang menunggu paling lama; tekan nama untuk papan pusat itu. Zona: jam setempat pusat.",
        "Centres where somebody waits longest; press the name for that centre's board. Zone: the centre's own clock.",
    ),
    "name": Text("Nama", "Name"),
    "code": Text("Kode", "Code"),
    "zone": Text("Zona", "Zone"),
    "wait": Text("Terlama", "Longest"),
    "no caller": Text("Tidak ada yang menunggu", "Nobody waits"),
    "quiet": Text("Pusat yang diam", "Silent centres"),
    "quiet about": Text(
        "Tanpa kejadian lebih lama dari batas pusat itu (silence_seconds).",
        "No event for longer than the centre's limit (silence_seconds).",
    ),
    "all speak": Text("Tidak ada pusat yang diam", "No centre is silent"),
    "volume": Text("Panggilan, 60 menit bergulir", "Calls, rolling 60 min"),
    "volume about": Text(
        "Perjalanan yang datang dalam 60 menit di semua pusat; titik-titik: minggu lalu pada jam yang sama.",
        "Journeys that came within 60 minutes at all centres; dotted: the same hour last week.",
    ),
    "arrived": Text("Datang", "Came"),
    "queue": Text("Penelepon menunggu dari waktu ke waktu", "Waiting over time"),
    "queue about": Text(
        "Perjalanan yang menunggu di semua pusat bersama, pada setiap saat.",
        "Journeys waiting at all centres together, at each moment.",
    ),
    "broken about": Text(
        "Jalur yang putus, sungai di atas batas (Siaga), OPD yang melewati tenggat tanpa menjawab; yang terbaru dahulu.",
        "Links that are down, rivers above a bound (Siaga), agencies past a deadline without an answer; the newest first.",
    ),
}


def _panels(say: Say) -> list[Shown]:
    nothing, blind = say("no data"), say("blind")
    seen = "max by (city) (psap_last_event_timestamp_seconds)"
    limit = 'max by (city) (psap_centre_threshold{threshold="silence_seconds"})'
    info = "on (city) group_left (name, tz) max by (city, name, tz) (psap_city_info)"
    zero = "or 0 * count(psap_city_info)"
    waiting, longest = of_all("calls.waiting"), of_all("calls.longest")
    in_all = Value(say("waiting"), f"sum({waiting})")
    counts = [
        Value(say("silent"), f"count((time() - {seen}) > on (city) {limit}) {zero}"),
        Value(say("links down"), f"sum({of_all('around.links_down')}) {zero}"),
        Value(say("pages"), 'count(ALERTS{alertstate="firing",severity="page"}) or 0 * count(psap_city_info)'),
    ]
    level = 'max by (city) (psap_service_level_ratio{variant="nena",threshold="15",window="today"})'
    calls = 'max by (city) (psap_service_level_calls{variant="nena",threshold="15",window="today"})'
    today = [
        Value("≤ 15 s", f"sum({level} * on (city) {calls}) / (sum({calls}) > 0)", RATIO),
        Value("n", f"sum({calls})"),
        Value(say("offered"), _once("calls.offered")),
        Value(say("answered"), _once("calls.answered")),
    ]
    staff = [
        Value(say("free"), f"sum({of_all('around.free')})"),
        Value(say("talking"), 'sum(max by (city) (psap_operators{state="talking"}))'),
    ]
    centres = [
        Value(say("wait"), f"({longest}) * {info}", DURATION),
        Value(say("waiting"), f"({waiting}) * {info}", COUNT),
    ]
    quiet = f"((time() - {seen}) > on (city) {limit}) * {info}"
    volume = [
        Value(say("arrived"), 'sum(max by (city) (psap_calls_arrived{window="60m"}))'),
        Value(say("last week"), 'sum(max by (city) (psap_calls_arrived{window="60m"} offset 1w))'),
    ]
    who = {"name": say("name"), "city": say("code"), "tz": say("zone")}
    # A board has one time zone, which is the browser's unless its address says another.
    chosen = "?var-city=${__data.fields." + say("code") + "}&timezone=${__data.fields." + say("zone") + "}&${__url_time_range}"
    board = {say("name"): "/d/psap-calls-" + say("language") + chosen}
    no_caller, all_speak = (("psap_city_info", say(words)) for words in ("no caller", "all speak"))
    silent = rows([Value(say("held for"), quiet)], DURATION, blind, who, most=4, links=board, clear=all_speak)
    waits = rows(centres, COUNT, blind, who, most=4, links=board, clear=no_caller)
    fired = alerts(say, ("severity", "alertname", "name", "what", "since", "state", "by", "until"), 4)
    return [
        ("waiting now", Place(0, 0, 5, 6), stats([in_all], COUNT, blind)),
        ("longest", Place(5, 0, 6, 6), stats([Value(say("wait"), f"max({longest}) {zero}")], DURATION, blind)),
        ("staff", Place(11, 0, 5, 6), stats(staff, COUNT, nothing)),
        ("counts", Place(16, 0, 8, 6), stats(counts, COUNT, blind, {0: GREEN, 1: RED})),
        freshness_of_all(say, Place(0, 6, 8, 4)),
        ("today", Place(8, 6, 16, 4), stats(today, COUNT, nothing)),
        ("centres", Place(0, 10, 7, 8), waits),
        ("quiet", Place(7, 10, 6, 8), silent),
        ("volume", Place(13, 10, 6, 8), lines(volume, COUNT, nothing, [], [say("last week")])),
        ("queue", Place(19, 10, 5, 8), lines([in_all], COUNT, nothing)),
        ("alerts", Place(0, 18, 16, 8), fired),
        ("broken", Place(16, 18, 8, 8), broken(say, 4, "on (city) group_left (name) max by (city, name) (psap_city_info)")),
    ]


def _once(figure: str) -> str:
    """The sum of all centres; who was passed on counts where he came first. At midnight the two can be of two days."""
    return f"clamp_min(sum({of_all(figure)}) - sum(max by (city) (psap_journeys_passed_on_today)), 0)"


SHEET = Sheet("psap-national", TEXTS, _panels, is_of_centre=False)

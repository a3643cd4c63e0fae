"""What fires and what fired, and whether anybody would be told."""

from dashboards.boards.frame import Sheet, Shown
from dashboards.boards.panels import COUNT, DURATION, GREEN, RED, Place, Value, lines, rows, stats
from dashboards.boards.text import Say, Text

TEXTS = {
    "title": Text("Peringatan 112", "112 alerts"),
    "about": Text(
        "Semua peringatan: yang menyala, sejak kapan, dan riwayatnya. Artinya dan tindakannya: panduan (runbook).",
        "All alerts: those that fire, since when, and what has fired. What they mean and what to do: the runbook.",
    ),
    "now": Text("Menyala sekarang", "Firing now"),
    "now about": Text(
        "page membangunkan orang; ticket dikerjakan pada jam kerja.", "page wakes somebody; ticket is for working hours."
    ),
    "pages": Text("page", "page"),
    "tickets": Text("ticket", "ticket"),
    "pending": Text("Menjelang", "Pending"),
    "watchdog": Text("Penjaga", "Watchdog"),
    "watchdog about": Text(
        "Peringatan yang selalu menyala. Bila tidak, tidak ada peringatan lain yang akan sampai.",
        "The alert that always fires. When it does not, no other alert would arrive either.",
    ),
    "alive": Text("HIDUP", "ALIVE"),
    "dead": Text("MATI", "DEAD"),
    "freshness about": Text(
        "Umur kejadian terbaru dari semua pusat, dan ketertinggalan pemantau. BUTA: pemantau sendiri tidak menjawab.",
        "Age of the newest event of all centres, and how far the monitor is behind. BLIND: the monitor itself does not answer.",
    ),
    "firing": Text("Peringatan yang menyala", "Alerts that fire"),
    "firing about": Text(
        "Sejak kapan syaratnya benar, terlama di atas.", "Since when their condition has held, by alert and centre."
    ),
    "name": Text("Pusat", "Centre"),
    "province": Text("Provinsi", "Province"),
    "since": Text("Selama", "For"),
    "course": Text("Yang menyala dalam waktu", "Firing over time"),
    "course about": Text("Jumlah peringatan yang menyala menurut tingkat.", "Number of alerts that fire, by severity."),
    "history": Text("Paling sering, 24 jam", "Most often, 24 h"),
    "history about": Text(
        "Menit menyala dalam 24 jam terakhir, sepuluh teratas: yang selalu menyala tidak lagi didengar orang.",
        "Minutes of firing within the last 24 hours, top ten: what always fires is heard by nobody.",
    ),
    "minutes": Text("Menit", "Minutes"),
}


def _panels(say: Say) -> list[Shown]:
    blind = say("blind")
    age = "(time() - max(psap_last_event_timestamp_seconds))"
    real = 'alertstate="firing",alertname!="Watchdog"'
    now = [
        Value(say("pages"), f'count(ALERTS{{{real},severity="page"}}) or 0 * count(up)'),
        Value(say("tickets"), f'count(ALERTS{{{real},severity="ticket"}}) or 0 * count(up)'),
        Value(say("pending"), 'count(ALERTS{alertstate="pending"}) or 0 * count(up)'),
    ]
    watchdog = 'count(ALERTS{alertstate="firing",alertname="Watchdog"}) or 0 * count(up)'
    fresh = [
        Value(say("state"), f"{age} <= bool 300", COUNT, ((say("stale"), RED), (say("fresh"), GREEN))),
        Value(say("newest event"), age),
        Value(say("behind"), "max(pantau112_lag_seconds)"),
    ]
    who = "alertname, severity, name, province"
    # The start of a condition is a sample of its own, with all labels of the alert but its state.
    since = f'time() - max by ({who}) (ALERTS_FOR_STATE{{alertname!="Watchdog"}}) and max by ({who}) (ALERTS{{{real}}})'
    columns = {"alertname": say("alert"), "severity": say("severity"), "name": say("name"), "province": say("province")}
    course = [
        Value("{{severity}}", f"count by (severity) (ALERTS{{{real}}}) or 0 * count by (severity) (ALERTS{{{real}}} offset 1h)")
    ]
    often = f"topk(10, sum by (alertname, name) (count_over_time(ALERTS{{{real}}}[24h:1m])))"
    return [
        ("now", Place(0, 0, 11, 6), stats(now, COUNT, blind, {0: GREEN, 1: RED})),
        (
            "watchdog",
            Place(11, 0, 6, 6),
            stats([Value(say("watchdog"), watchdog, words=((say("dead"), RED), (say("alive"), GREEN)))], COUNT, blind),
        ),
        ("freshness", Place(17, 0, 7, 6), stats(fresh, DURATION, blind)),
        ("firing", Place(0, 6, 24, 10), rows([Value(say("since"), since)], DURATION, say("no alert"), columns)),
        ("course", Place(0, 16, 14, 10), lines(course, COUNT, say("no alert"))),
        (
            "history",
            Place(14, 16, 10, 10),
            rows([Value(say("minutes"), often)], COUNT, say("no alert"), {"alertname": say("alert"), "name": say("name")}),
        ),
    ]


SHEET = Sheet("psap-alerts", TEXTS, _panels, is_of_centre=False, since="now-24h")

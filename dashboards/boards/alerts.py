"""What fires and what fired, and whether anybody would be told."""

from dashboards.boards.frame import RULES_ASKED, SEVERITIES, Sheet, Shown, freshness_of_all
from dashboards.boards.panels import COUNT, DURATION, GREEN, RED, Place, Value, lines, rows, stats
from dashboards.boards.promql import firing
from dashboards.boards.text import ALERTS, Say, Text

TEXTS = {
    "title": Text("Peringatan 112", "112 alerts"),
    "about": Text(
        "Semua peringatan: yang aktif, sejak kapan, dan riwayatnya. Artinya dan tindakannya: panduan (runbook).",
        "All alerts: those that fire, since when, and what has fired. What they mean and what to do: the runbook.",
    ),
    "now": Text("Aktif sekarang", "Firing now"),
    "now about": Text(
        "Mendesak (page): membangunkan orang; jam kerja (ticket): menunggu pagi. Menjelang: syaratnya belum cukup lama.",
        "Page wakes somebody; ticket is for working hours. Pending: the condition has not held for long enough.",
    ),
    "pending": Text("Menjelang", "Pending"),
    "watchdog": Text("Penjaga", "Watchdog"),
    "watchdog about": Text(
        "Peringatan yang selalu aktif. Bila tidak, tidak ada peringatan lain yang akan sampai.",
        "The alert that always fires. When it does not, no other alert would arrive either.",
    ),
    "alive": Text("HIDUP", "ALIVE"),
    "dead": Text("MATI", "DEAD"),
    "freshness about": Text(
        "Umur kejadian terbaru dari semua pusat, dan ketertinggalan pemantau. BUTA: pemantau sendiri tidak menjawab.",
        "Age of the newest event of all centres, and how far the monitor is behind. BLIND: the monitor itself does not answer.",
    ),
    "firing": Text("Peringatan yang aktif", "Alerts that fire"),
    "firing about": Text(
        "Berapa lama syaratnya sudah benar, menurut peringatan dan pusat; panduan: bagiannya dalam runbook.",
        "For how long their condition has held, by alert and centre; runbook: the section about it.",
    ),
    "name": Text("Pusat", "Centre"),
    "runbook": Text("Panduan", "Runbook"),
    "province": Text("Provinsi", "Province"),
    "since": Text("Selama", "For"),
    "course": Text("Peringatan aktif dari waktu ke waktu", "Firing over time"),
    "course about": Text("Jumlah peringatan yang aktif menurut tingkat.", "Number of alerts that fire, by severity."),
    "history": Text("Paling sering, 24 jam", "Most often, 24 h"),
    "history about": Text(
        "Menit aktif dalam 24 jam terakhir, yang terbanyak: yang selalu aktif tidak lagi didengar orang.",
        "Minutes of firing within the last 24 hours, the most frequent: what always fires is heard by nobody.",
    ),
    "minutes": Text("Menit", "Minutes"),
}


def _panels(say: Say) -> list[Shown]:
    blind = say("blind")
    now = [
        Value(say("page"), f"count({firing(severity='page')}) or 0 * count(up)"),
        Value(say("ticket"), f"count({firing(severity='ticket')}) or 0 * count(up)", COUNT),
        Value(say("pending"), 'count(ALERTS{alertstate="pending"}) or 0 * count(up)', COUNT),
    ]
    watchdog = 'count(ALERTS{alertstate="firing",alertname="Watchdog"}) or 0 * count(up)'
    who = "alertname, severity, name, province"
    # The start of a condition is a sample of its own, with all labels of the alert but its state.
    begun = 'ALERTS_FOR_STATE{alertname!="Watchdog"}'
    held = f"time() - max by ({who}) ({begun}) and max by ({who}) ({firing()})"
    since = f'label_replace({held}, "runbook", "$1", "alertname", "(.+)")'
    clear = (RULES_ASKED, say("no alert"))
    columns = {
        "alertname": say("alert"),
        "runbook": say("runbook"),
        "severity": say("severity"),
        "name": say("name"),
        "province": say("province"),
    }
    course = [Value(say(name), f"count({firing(severity=name)}) or 0 * count(up)") for name in SEVERITIES]
    codes = {"alertname": {name: say(name) for name in ALERTS}, "severity": {name: say(name) for name in SEVERITIES}}
    often = f"sum by (alertname, name) (count_over_time({firing()}[24h:1m]))"
    return [
        ("now", Place(0, 0, 11, 6), stats(now, COUNT, blind, {0: GREEN, 1: RED})),
        (
            "watchdog",
            Place(11, 0, 6, 6),
            stats([Value(say("watchdog"), watchdog, words=((say("dead"), RED), (say("alive"), GREEN)))], COUNT, blind),
        ),
        freshness_of_all(say, Place(17, 0, 7, 6)),
        (
            "firing",
            Place(0, 6, 24, 10),
            rows([Value(say("since"), since)], DURATION, blind, columns, most=6, codes=codes, clear=clear),
        ),
        ("course", Place(0, 16, 14, 10), lines(course, COUNT, blind)),
        (
            "history",
            Place(14, 16, 10, 10),
            rows(
                [Value(say("minutes"), often)],
                COUNT,
                blind,
                {"alertname": say("alert"), "name": say("name")},
                most=6,
                codes={"alertname": codes["alertname"]},
                clear=clear,
            ),
        ),
    ]


SHEET = Sheet("psap-alerts", TEXTS, _panels, is_of_centre=False, since="now-24h")

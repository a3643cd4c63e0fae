"""What fires and what fired, and whether anybody would be told."""

from collections.abc import Mapping

from dashboards.boards.alert_list import ALERTS_KNOWN, RULES_ASKED, SEVERITIES, alerts, held, things
from dashboards.boards.frame import Sheet, Shown, freshness_of_all
from dashboards.boards.panels import COUNT, DURATION, GREEN, ORANGE, RATIO, RED, Place, Value, lines, rows, stats
from dashboards.boards.promql import firing, select
from dashboards.boards.text import ALERTS, Say, Text

COLOURS: tuple[Mapping[float, str], ...] = ({0: GREEN, 1: RED}, {0: GREEN, 1: ORANGE}, {})
"""How many of each severity, in their order, are what colour."""
SILENCE = "mutes, muted_by, muted_until, phase"
PAGED = "max by (alertname, city) (psap_alarms_paged_24h)"

TEXTS = {
    "title": Text("Peringatan 112", "112 alerts"),
    "about": Text(
        "Semua peringatan: yang aktif, sejak kapan, tindakannya, siapa menanganinya, riwayatnya. Artinya: panduan.",
        "All alerts: those that fire, since when, what to do, who has them, and what has fired. What they mean: the runbook.",
    ),
    "now": Text("Aktif sekarang", "Firing now"),
    "now about": Text(
        "Mendesak (page): membangunkan orang; dinding (wall): dilihat yang bertugas; jam kerja (ticket): menunggu pagi. Termasuk "
        "yang ditahan dan yang sudah ditangani.",
        "Page wakes somebody; wall is seen by the people in the room; ticket is for working hours. Those held back and those "
        "that somebody has are among them.",
    ),
    "alarms told": Text("Menurut Alertmanager", "Alertmanager says"),
    "alarms told about": Text(
        "Berapa yang sudah ditangani orang, diredam dengan tangan, dan ditahan karena sebabnya sudah diberitahukan, dan berapa "
        "kali orang dipanggil dalam 24 jam. TANPA DATA: Alertmanager tidak menjawab gateway.",
        "How many somebody has, are silenced by hand, and are held back because their cause was told, and how often people were "
        "paged in 24 h. NO DATA: Alertmanager does not answer the gateway.",
    ),
    "paged": Text("Dipanggil, 24 jam", "Paged, 24 h"),
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
    "pending": Text("Menjelang", "Pending"),
    "pending about": Text(
        "Syaratnya benar, tetapi belum cukup lama; belum diberitahukan kepada siapa pun.",
        "The condition holds, but not yet for long enough; nobody has been told.",
    ),
    "none pending": Text("Tidak ada", "None"),
    "by rule": Text("Panggilan per aturan, 24 jam", "Pages by rule, 24 h"),
    "by rule about": Text(
        "Berapa kali setiap aturan memanggil orang, menurut pusat: yang terlalu sering harus diperbaiki atau dihapus.",
        "How often each rule paged somebody, by centre: what does so too often is to be mended or taken away.",
    ),
    "none paged": Text("Tidak ada", "None"),
    "silences": Text("Peredaman (silence)", "Silences"),
    "silences about": Text(
        "Peredaman yang berlaku atau mulai dalam satu jam, yang paling banyak menahan dahulu: berapa bagian jenis panggilan satu "
        "pusat atau pemantau, peringatan mana (… tidak ditampilkan), oleh kode siapa, sampai kapan, dan berapa yang kini "
        "diredam. Tanpa yang ditangani orang.",
        "Silences that are in force or begin within the hour, those that mute most first: what share of the kinds of pages of "
        "one centre or of the monitor, which alerts (… is not shown), by whose code, until when, and how many it mutes now. "
        "Without what somebody has.",
    ),
    "mutes": Text("Meredam", "Mutes"),
    "until when": Text("Sampai", "Until"),
    "phase": Text("Kini", "Now"),
    "in force": Text("berlaku", "in force"),
    "soon": Text("nanti", "soon"),
    "pages muted": Text("Panggilan", "Of pages"),
    "alerts muted": Text("Diredam", "Muted"),
    "none silenced": Text("Tidak ada", "None"),
    "pages": Text("Panggilan dalam 24 jam, dari waktu ke waktu", "Pages within 24 h, over time"),
    "pages about": Text(
        "Semua panggilan (page) dalam 24 jam bergulir. EEMUA 191: yang melebihi kesanggupan orang tidak didengar.",
        "All pages within a rolling 24 h. EEMUA 191: more than people can respond to is heard by nobody.",
    ),
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
    course = [Value(say(name), f"count({firing(severity=name)}) or 0 * count(up)") for name in SEVERITIES]
    now = [value._replace(steps=steps) for value, steps in zip(course, COLOURS, strict=True)]
    # Nothing is held back, and nobody has anything, only where the gateway sees Alertmanager.
    seen = "0 * max(pantau112_alertmanager_up == 1)"
    told = [
        Value(
            say(f"alarm {state}"),
            f"count(max by (alertname, severity, city, about) ({select('psap_alarm_state', state=state)})) or {seen}",
        )
        for state in ("acknowledged", "silenced", "inhibited")
    ]
    told.append(Value(say("paged"), f"sum({PAGED}) or {seen}"))
    watchdog = f"count({RULES_ASKED}) or 0 * count(up)"
    columns = ("severity", "alertname", "name", "what", "since", "state", "by", "until", "todo")
    which = {"alertname": say("alert"), "name": say("centre")}
    codes = {"alertname": {name: say(name) for name in ALERTS}}
    pending = select("ALERTS", alertstate="pending")
    waiting = f"max by (alertname, name, what) ({things(f'({held()} and ignoring (alertstate) {pending})')})"
    named = f"on (city) group_left (name) max by (city, name) (psap_city_info) or on (alertname, city) {PAGED}"
    often = f"sum by (alertname, name) (count_over_time({firing()}[24h:1m]))"
    none_pending, none_paged, none_fired, none_silenced = (
        (known, say(words))
        for known, words in (
            (ALERTS_KNOWN, "none pending"),
            ("pantau112_alertmanager_up == 1", "none paged"),
            (ALERTS_KNOWN, "no alert"),
            ("pantau112_alertmanager_up == 1", "none silenced"),
        )
    )
    listed = [
        ("pending", Value(say("held for"), waiting, DURATION), which | {"what": say("about what")}, none_pending),
        ("by rule", Value(say("paged"), f"{PAGED} * {named}"), which, none_paged),
        ("history", Value(say("minutes"), often), which, none_fired),
    ]
    places = {"pending": Place(0, 15, 6, 6), "by rule": Place(6, 15, 5, 6), "history": Place(11, 15, 5, 6)}
    silences = [
        Value(say(words), f"max by ({SILENCE}) ({metric})", unit)
        for words, metric, unit in (
            ("pages muted", "psap_silence_pages_ratio", RATIO),
            ("alerts muted", "psap_silence_alerts", COUNT),
        )
    ]
    which_silence = {"mutes": say("mutes"), "muted_by": say("taken by"), "muted_until": say("until when"), "phase": say("phase")}
    phases = {"phase": {"active": say("in force"), "pending": say("soon")}}
    return [
        ("now", Place(0, 0, 8, 5), stats(now, COUNT, blind)),
        ("alarms told", Place(8, 0, 6, 5), stats(told, COUNT, say("no data"))),
        (
            "watchdog",
            Place(14, 0, 3, 5),
            stats([Value(say("watchdog"), watchdog, words=((say("dead"), RED), (say("alive"), GREEN)))], COUNT, blind),
        ),
        freshness_of_all(say, Place(17, 0, 7, 5)),
        ("alerts", Place(0, 5, 24, 10), alerts(say, columns, 4)),
        *(
            (
                name,
                places[name],
                rows([value], COUNT, blind, labels, most=2, hidden=["city"], codes=codes, clear=clear),
            )
            for name, value, labels, clear in listed
        ),
        (
            "silences",
            Place(16, 15, 8, 6),
            rows(silences, COUNT, blind, which_silence, most=2, codes=phases, clear=none_silenced),
        ),
        ("course", Place(0, 21, 14, 5), lines(course, COUNT, blind)),
        ("pages", Place(14, 21, 10, 5), lines([Value(say("paged"), f"sum({PAGED})")], COUNT, say("no data"))),
    ]


SHEET = Sheet("psap-alerts", TEXTS, _panels, is_of_centre=False, since="now-24h")

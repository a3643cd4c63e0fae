"""What every board says, in Indonesian and in English; what only one says is in its own file."""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

Language = Literal["id", "en"]
LANGUAGES: tuple[Language, ...] = ("id", "en")
Say = Callable[[str], str]


class Text(NamedTuple):
    """One text in every language."""

    id: str
    en: str


COMMON = {
    "language": Text("id", "en"),
    "last week": Text("Minggu lalu", "Last week"),
    "boards": Text("Papan lain", "Other boards"),
    "other language": Text("English", "Bahasa Indonesia"),
    "data source": Text("Sumber data", "Data source"),
    "centre": Text("Pusat", "Centre"),
    "blind": Text("BUTA", "BLIND"),
    "no data": Text("TANPA DATA", "NO DATA"),
    "state": Text("Keadaan", "State"),
    "within limit": Text("NORMAL", "NORMAL"),
    "over limit": Text("LEWAT BATAS", "OVER LIMIT"),
    "freshness": Text("Kebaruan data", "Data freshness"),
    "freshness about": Text(
        "Umur kejadian terbaru pusat ini, dan ketertinggalan pemantau. BUTA: pemantau sendiri tidak menjawab. SIMULASI: kejadian "
        "dari simulator, bukan panggilan nyata.",
        "Age of this centre's newest event, and how far the monitor is behind. BLIND: the monitor itself does not answer. "
        "SIMULATED: events of the simulator, no real calls.",
    ),
    "newest event": Text("Umur data", "Age of data"),
    "behind": Text("Tertinggal", "Behind"),
    "fresh": Text("TERKINI", "FRESH"),
    "stale": Text("USANG", "STALE"),
    "simulated, fresh": Text("SIMULASI", "SIMULATED"),
    "simulated, stale": Text("SIM. USANG", "SIM. STALE"),
    "partly simulated, fresh": Text("SIM. SEBAGIAN", "PARTLY SIM."),
    "partly simulated, stale": Text("SIM. USANG", "SIM. STALE"),
    "limit": Text("Batas", "Limit"),
    "lower": Text("Batas bawah", "Lower bound"),
    "upper": Text("Batas atas", "Upper bound"),
    "target": Text("Sasaran", "Target"),
    "n": Text("n", "n"),
    "ratio": Text("Rasio", "Ratio"),
    "alerts": Text("Peringatan aktif", "Firing alerts"),
    "alerts about": Text(
        "Peringatan pusat ini dan pemantau sendiri, yang mendesak dahulu, sebab sebelum akibat. Selama: sejak syaratnya benar. "
        "Diberitahukan: menurut Alertmanager; oleh siapa ditangani (kode) dan sisa waktunya. Tekan nama untuk panduan.",
        "Alerts of this centre and of the monitor itself, the urgent first, a cause before what follows. For: since its "
        "condition holds. Told: says Alertmanager; who has it (code), and for how long still. Press the name for the runbook.",
    ),
    "no alert": Text("Tidak ada peringatan", "No alert"),
    "alert": Text("Peringatan", "Alert"),
    "severity": Text("Tingkat", "Severity"),
    "about what": Text("Tentang", "About"),
    "held for": Text("Selama", "For"),
    "told": Text("Diberitahukan", "Told"),
    "taken by": Text("Oleh", "By"),
    "taken until": Text("Sisa", "Left"),
    "to do": Text("Tindakan", "To do"),
    "runbook": Text("Panduan", "Runbook"),
    "on the wall": Text("Di dinding", "On the wall"),
    "alarm active": Text("Diteruskan", "Passed on"),
    "alarm inhibited": Text("Ditahan: akibat", "Held back: follows"),
    "alarm acknowledged": Text("Ditangani", "Taken"),
    "alarm silenced": Text("Diredam", "Silenced"),
    "alarm unknown": Text("Tidak diketahui", "Not known"),
    "page": Text("Mendesak", "Page"),
    "ticket": Text("Jam kerja", "Ticket"),
    "wall": Text("Dinding", "Wall"),
    "marks": Text("Tanda", "Marks"),
    "broken": Text("Yang rusak, sekarang", "Broken, now"),
    "what is broken": Text("Apa", "What"),
    "which": Text("Yang mana", "Which"),
    "link": Text("Jalur putus", "Link down"),
    "siaga 1": Text("Siaga 1", "Siaga 1"),
    "siaga 2": Text("Siaga 2", "Siaga 2"),
    "siaga 3": Text("Siaga 3", "Siaga 3"),
    "agency": Text("OPD belum menjawab", "Agency unanswering"),
    "nothing broken": Text("Tidak ada", "Nothing"),
}
ALERTS = {
    "AlertmanagerDown": Text("Alertmanager tidak menjawab", "Alertmanager does not answer"),
    "AlarmsSilenced": Text("Peringatan diredam", "Alerts are silenced"),
    "DeadLetters": Text("Rekaman tidak terbaca", "Unreadable records"),
    "EdgeCutOff": Text("Edge tidak dapat mengirim", "Edge cannot send"),
    "EdgeDown": Text("Edge tidak menjawab", "Edge does not answer"),
    "EdgePlaceLost": Text("Baris log mungkin hilang", "Lines of a log missing"),
    "EdgeSpoolFull": Text("Tampungan edge penuh", "Edge's spool is full"),
    "EventsLost": Text("Kejadian hilang dari Kafka", "Events gone from Kafka"),
    "FeedSilent": Text("Umpan tidak menjawab", "Feed is silent"),
    "GatewayDown": Text("Gateway tidak menerima", "Gateway takes no events"),
    "LagRecords": Text("Kejadian menumpuk", "Events pile up"),
    "LagSeconds": Text("Pemantau tertinggal", "Monitor is behind"),
    "LeftOut": Text("Sebagian dilewati", "Something is left out"),
    "MarkerRegression": Text("Keadaan pemantau mundur", "Monitor's state went back"),
    "MonitorBlind": Text("Pemantau buta", "Monitor is blind"),
    "PageUndelivered": Text("Panggilan tidak terkirim", "Page not delivered"),
    "PagesSilenced": Text("Hampir semua panggilan diredam", "Hardly any page goes out"),
    "PagesWithoutLink": Text("Panggilan tanpa tautan", "Pages without a link"),
    "PartitionUnowned": Text("Partisi tidak dipantau", "Partition without a worker"),
    "PsapAlarmTooOften": Text("Aturan terlalu sering memanggil", "Rule pages too often"),
    "PsapBlockToDecide": Text("Usulan blokir menunggu putusan", "Block to decide on"),
    "PsapCallbacksOpen": Text("Penelepon belum dihubungi kembali", "Callers not called back"),
    "PsapCallerWaiting": Text("Penelepon menunggu terlalu lama", "Caller waits too long"),
    "PsapCallsLostToNetwork": Text("Panggilan hilang oleh jaringan", "Calls lost to the network"),
    "PsapCallsUnusual": Text("Jumlah panggilan tidak biasa", "Unusually many calls"),
    "PsapCarrierSilent": Text("Operator seluler tidak terdengar", "Carrier is silent"),
    "PsapCentreIsolated": Text("Pusat terputus", "Centre is cut off"),
    "PsapCentreSilent": Text("Pusat diam", "Centre is silent"),
    "PsapEventsLate": Text("Kejadian terlambat", "Events came late"),
    "PsapGaugeRising": Text("Air naik cepat", "River rises fast"),
    "PsapGaugeSiaga": Text("Sungai berstatus Siaga", "River at Siaga"),
    "PsapGaugeStale": Text("Pos duga air tidak terbaca", "River gauge not read"),
    "PsapLinkDown": Text("Jalur putus", "Link down"),
    "PsapLinkFlapping": Text("Jalur putus-sambung", "Link flaps"),
    "PsapLinkHeartbeatMissing": Text("Jalur tidak diperiksa", "Link not probed"),
    "PsapLinkUnregistered": Text("SIP tidak terdaftar", "SIP not registered"),
    "PsapNamesUnknown": Text("Nama tidak dikenal", "Unknown names"),
    "PsapNobodyAnswering": Text("Tidak ada yang menjawab", "Nobody answers"),
    "PsapNuisanceShare": Text("Terlalu banyak panggilan iseng", "Too many nuisance calls"),
    "PsapOccupancyHigh": Text("Petugas terlalu sibuk", "Operators too busy"),
    "PsapPassedOver": Text("Lebih banyak dari yang disimpan", "More than is kept"),
    "PsapPauseLong": Text("Jeda terlalu lama", "Pause too long"),
    "PsapProvinceIsolated": Text("Provinsi terputus", "Province is cut off"),
    "PsapQueueSpike": Text("Antrean melonjak", "Queue spike"),
    "PsapScenesReachedLate": Text("Unit terlalu sering terlambat", "Units on scene too late"),
    "PsapSeatNamesDiffer": Text("Meja disebut dengan dua nama", "Seats go by two names"),
    "PsapSeatNotAnswering": Text("Meja tidak menjawab", "Seat does not answer"),
    "PsapSeatsMissing": Text("Meja kurang dari jadwal", "Fewer seats than rostered"),
    "PsapServiceLevelBurnFast": Text("Terlalu banyak dijawab terlambat", "Too many answered late"),
    "PsapServiceLevelBurnSlow": Text("Tingkat layanan di bawah sasaran", "Service level below target"),
    "PsapSourceClockWrong": Text("Jam sumber salah", "Clock of a source is wrong"),
    "PsapSurge": Text("Panggilan melonjak", "Surge of calls"),
    "PsapBurst": Text("Banyak penelepon, satu kejadian", "Many callers, one event"),
    "PsapTicketOverdue": Text("OPD lewat tenggat", "Agency is overdue"),
    "PsapTicketRemindersStuck": Text("Pengingat tidak terkirim", "Reminders not sent"),
    "PsapTicketTimesBackward": Text("Waktu tiket terbalik", "Ticket times run backward"),
    "PsapTicketUnanswered": Text("OPD belum menanggapi darurat", "Agency leaves urgent ticket"),
    "PsapTicketUnreached": Text("Tiket darurat tanpa unit", "Urgent ticket without a unit"),
    "PsapTrunkFull": Text("Semua kanal terpakai", "All channels in use"),
    "PsapUnderstaffed": Text("Meja kurang dari kebutuhan", "Fewer seats than needed"),
    "PsapVoicePoor": Text("Suara buruk", "Poor voice"),
    "PsapVoiceUnusable": Text("Suara tidak dapat dimengerti", "Voice not understood"),
    "PsapWeatherWarning": Text("Peringatan cuaca", "Weather warning"),
    "ScrapeSlow": Text("Pekerja lambat menjawab", "Worker answers slowly"),
    "Watchdog": Text("Penjaga", "Watchdog"),
    "WorkerDown": Text("Pekerja tidak menjawab", "Worker does not answer"),
    "WorkerRestarts": Text("Pekerja berhenti berulang-ulang", "Worker ends again and again"),
}
"""What each alert is called on the boards, by its name in the rules and the runbook."""


def speaker(language: Language, own: Mapping[str, Text]) -> Say:
    """The function that says a text of a board in a language."""
    texts = {**COMMON, **ALERTS, **own}
    return lambda key: str(getattr(texts[key], language))

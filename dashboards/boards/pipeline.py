"""The monitor itself: is it reading, how far behind, what did it put aside, and does it find its state again."""

from dashboards.boards.frame import Sheet, Shown, freshness_of_all
from dashboards.boards.panels import COUNT, GREEN, MEGABYTES, RED, SECONDS, Place, Value, lines, rows, stats
from dashboards.boards.text import Say, Text

TEXTS = {
    "title": Text("Kesehatan pemantau", "Pipeline health"),
    "about": Text(
        "Pemantau memantau dirinya: pekerja, ketertinggalan, kejadian yang tidak terbaca, keadaan di Kafka.",
        "The monitor watched by itself: workers, lag, events that could not be read, state in Kafka.",
    ),
    "workers": Text("Pekerja", "Workers"),
    "workers about": Text(
        "Proses yang menjawab Prometheus dari semua yang dikenal; yang sedang memulihkan keadaan.",
        "Processes that answer Prometheus, out of all known ones; those that are getting their state back.",
    ),
    "answering": Text("Menjawab", "Answering"),
    "known": Text("Dikenal", "Known"),
    "recovering": Text("Memulihkan", "Recovering"),
    "freshness about": Text(
        "Umur kejadian terbaru dari semua pusat, dan ketertinggalan terbesar. BUTA: pemantau sendiri tidak menjawab.",
        "Age of the newest event of all centres, and the largest lag. BLIND: the monitor itself does not answer.",
    ),
    "partitions": Text("Partisi tanpa pekerja", "Partitions without a worker"),
    "partitions about": Text(
        "Partisi topik yang tidak dibaca siapa pun: panggilan di dalamnya tidak terlihat.",
        "Partitions of a topic that nobody reads: their calls are not seen.",
    ),
    "topic": Text("Topik", "Topic"),
    "missing": Text("Tanpa pekerja", "Without"),
    "all read": Text("SEMUA DIBACA", "ALL READ"),
    "not read": Text("TIDAK DIBACA", "NOT READ"),
    "lag": Text("Ketertinggalan", "Lag"),
    "lag about": Text(
        "Detik antara rekaman terakhir yang dihitung dan sekarang, selama masih ada yang menunggu, per topik.",
        "Seconds between the last folded record and now, while more are waiting, by topic.",
    ),
    "events": Text("Kejadian per detik", "Events per second"),
    "events about": Text(
        "Menurut hasilnya: folded dihitung; duplicate sudah pernah; late terlalu lama; refused tidak terbaca.",
        "By what became of them: folded counted; duplicate known before; late too old; refused unreadable.",
    ),
    "dead": Text("Tidak terbaca, 24 jam", "Dead letters, 24 h"),
    "dead about": Text(
        "Disimpan di 112.dead-letters.v1 dengan alasannya; lihat panduan.",
        "Kept in 112.dead-letters.v1 with the reason; see the runbook.",
    ),
    "reason": Text("Alasan", "Reason"),
    "records": Text("Rekaman", "Records"),
    "none": Text("Tidak ada", "None"),
    "scrape": Text("Lama pembacaan Prometheus", "Scrape duration"),
    "scrape about": Text("Detik sampai pekerja menjawab Prometheus.", "Seconds until a worker has answered Prometheus."),
    "stored": Text("Keadaan ke Kafka per detik", "State to Kafka per second"),
    "stored about": Text("Keadaan yang ditulis ke Kafka, MB per detik.", "State written to Kafka, MB per second."),
    "written": Text("Ditulis", "Written"),
    "recovery": Text("Pemulihan terakhir", "Last recovery"),
    "recovery about": Text(
        "Detik yang diperlukan pekerja untuk mendapatkan keadaannya kembali; kecepatan waktu aliran: 1 dalam hidup, "
        "lebih bila rekaman diputar.",
        "Seconds a worker took to get its state back; speed of stream time: 1 in life, more while a recording plays.",
    ),
    "took": Text("Lama", "Took"),
    "speed": Text("Kecepatan", "Speed"),
    "trouble": Text("Penanda", "Markers"),
    "trouble about": Text(
        "Harus nol: penanda yang mundur atau di luar log berarti keadaan tidak dapat dipercaya (panduan: pipeline).",
        "Must be zero: markers that went back or lie beyond the log mean a state not to be trusted (runbook: pipeline).",
    ),
    "back": Text("Mundur", "Went back"),
    "beyond": Text("Di luar log", "Beyond log"),
    "memory": Text("Memori", "Memory"),
    "memory about": Text("Memori pekerja.", "Memory of the workers."),
}


def _panels(say: Say) -> list[Shown]:
    nothing, blind = say("no data"), say("blind")
    workers = [
        Value(say("answering"), 'sum(up{job="pantau112"})'),
        Value(say("known"), 'count(up{job="pantau112"})'),
        Value(say("recovering"), "sum(pantau112_recovering unless on (instance) pantau112_standby == 1)"),
    ]
    unread = (
        "max by (topic) (pantau112_partitions)"
        " - sum by (topic) (pantau112_partitions_owned unless on (instance) pantau112_standby == 1)"
    )
    partitions = [
        Value(say("missing"), unread, COUNT),
        Value(say("state"), f"{unread} == bool 0", COUNT, ((say("not read"), RED), (say("all read"), GREEN))),
    ]
    dead = (
        "round(sum by (topic, reason) (increase(pantau112_dead_letters_total[24h]))) > 0"
        " or sum by (topic, reason) (pantau112_dead_letters_total unless pantau112_dead_letters_total offset 24h) > 0"
    )
    trouble = [
        Value(say("back"), "sum(increase(pantau112_marker_regressions_total[24h]))"),
        Value(say("beyond"), "sum(increase(pantau112_markers_beyond_log_total[24h]))"),
    ]
    recovery = [
        Value(say("took"), "max(pantau112_recovery_seconds)"),
        Value(say("speed"), "max(pantau112_stream_speed)", COUNT),
    ]
    topic, all_read = {"topic": say("topic")}, ("pantau112_partitions_owned", say("none"))
    lag = [Value("{{topic}}", "max by (topic) (pantau112_lag_seconds unless on (instance) pantau112_standby == 1)", decimals=0)]
    events = [Value("{{outcome}}", "sum by (outcome) (rate(pantau112_events_consumed_total[1m]))")]
    return [
        ("workers", Place(0, 0, 8, 6), stats(workers, COUNT, blind)),
        ("recovery", Place(8, 0, 5, 6), stats(recovery, SECONDS, nothing)),
        ("trouble", Place(13, 0, 4, 6), stats(trouble, COUNT, nothing, {0: GREEN, 0.1: RED})),
        freshness_of_all(say, Place(17, 0, 7, 6)),
        ("lag", Place(0, 6, 12, 6), lines(lag, SECONDS, nothing)),
        ("events", Place(12, 6, 12, 6), lines(events, COUNT, nothing)),
        ("partitions", Place(0, 12, 12, 8), rows(partitions, COUNT, blind, topic, most=4)),
        (
            "dead",
            Place(12, 12, 12, 8),
            rows([Value(say("records"), dead)], COUNT, blind, topic | {"reason": say("reason")}, most=4, clear=all_read),
        ),
        (
            "scrape",
            Place(0, 20, 8, 6),
            lines([Value("{{instance}}", 'scrape_duration_seconds{job="pantau112"}')], SECONDS, nothing),
        ),
        (
            "memory",
            Place(8, 20, 8, 6),
            lines([Value("{{instance}}", 'process_resident_memory_bytes{job="pantau112"} / 1e6')], MEGABYTES, nothing),
        ),
        (
            "stored",
            Place(16, 20, 8, 6),
            lines([Value(say("written"), "sum(rate(pantau112_flushed_bytes_total[1m])) / 1e6")], MEGABYTES, nothing),
        ),
    ]


SHEET = Sheet("psap-pipeline", TEXTS, _panels, is_of_centre=False)

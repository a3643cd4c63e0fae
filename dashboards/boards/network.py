"""Links, river and weather, and what they do to calls."""

from dashboards.boards.figures import of_centre
from dashboards.boards.frame import Sheet, Shown, freshness
from dashboards.boards.panels import CENTIMETRES, COUNT, DURATION, GREEN, RATIO, RED, SECONDS, Place, Value, lines, rows, stats
from dashboards.boards.promql import of_city
from dashboards.boards.text import Say, Text

CONDITIONS = ("link_down", "links_up", "warning", "no_warning")

TEXTS = {
    "title": Text("Jaringan dan lingkungan", "Network and environment"),
    "about": Text(
        "Jalur telepon satu pusat, tinggi air dan peringatan cuaca, dan panggilan yang hilang karenanya.",
        "The links of one centre, river levels and weather warnings, and the calls lost with them.",
    ),
    "links": Text("Jalur", "Links"),
    "links about": Text(
        "Setiap jalur: hidup atau putus, registrasi SIP, kali putus dalam 24 jam, mutu suara (MOS ITU-T P.800, 1 "
        "sampai 5), saluran terpakai.",
        "Each link: up or down, SIP registration, drops within 24 h, voice quality (MOS of ITU-T P.800, 1 to 5), "
        "channels in use.",
    ),
    "link": Text("Jalur", "Link"),
    "line": Text("Saluran", "Line"),
    "up": Text("HIDUP", "UP"),
    "down": Text("PUTUS", "DOWN"),
    "registered": Text("SIP", "SIP"),
    "yes": Text("TERDAFTAR", "REGISTERED"),
    "no": Text("TIDAK", "NOT"),
    "drops": Text("Putus 24 jam", "Drops, 24 h"),
    "channels": Text("Kanal", "Channels"),
    "down now": Text("Jalur putus", "Links down"),
    "down now about": Text(
        "Jalur yang putus saat ini, dari semua yang pernah dilaporkan.", "Links down now, out of all ever told of."
    ),
    "of": Text("Dari", "Of"),
    "loss": Text("Paket hilang", "Packet loss"),
    "loss about": Text(
        "Bagian paket yang hilang per jalur; di atas 3 % percakapan tidak dapat dimengerti. Tidak ada garis bila 10 "
        "menit tidak diukur.",
        "Share of packets lost per link; above 3 % nobody is understood. No line where nothing was measured for 10 minutes.",
    ),
    "silence": Text("Panggilan yang tidak kunjung datang", "Calls that should have come since the last"),
    "silence about": Text(
        "Per jalur: x panggilan menurut jam ini dalam minggu; kebetulan diam selama itu berpeluang exp(-x) (Poisson).",
        "Per link: x calls by this hour of the week; chance alone keeps so silent with probability exp(-x) (Poisson).",
    ),
    "lost": Text("Panggilan hilang oleh jaringan, 7 hari", "Calls lost to the network, 7 days"),
    "lost about": Text(
        "Bagian yang hilang dalam jam dengan dan tanpa jalur putus atau peringatan cuaca, selang Wilson 95 %. "
        "Berdampingan; bukan bukti sebab.",
        "Share lost in hours with and without a link down or a weather warning, Wilson 95 %. Side by side; no claim of cause.",
    ),
    "condition": Text("Keadaan", "Condition"),
    "link_down": Text("Ada jalur putus", "A link down"),
    "links_up": Text("Semua jalur hidup", "All links up"),
    "warning": Text("Peringatan cuaca", "Weather warning"),
    "no_warning": Text("Tanpa peringatan cuaca", "No weather warning"),
    "hours": Text("Jam", "Hours"),
    "level": Text("Tinggi air", "River level"),
    "level about": Text(
        "Cm di pos, dengan batas setiap Siaga dari berkas pusat. Hilang bila 2 jam tidak dibaca.",
        "Cm at the gauge, with the bound of each Siaga from the centre file. Gone when unread for 2 h.",
    ),
    "gauges": Text("Pos duga air", "River gauges"),
    "gauges about": Text(
        "Siaga (4 terendah, 1 tertinggi); kenaikan dalam 30 menit; kenaikan selama jeda tanpa pembacaan yang lebih lama (sampai "
        "2 jam), dan lama jeda itu; umur pembacaan.",
        "Siaga (4 the lowest, 1 the highest); rise within 30 minutes; rise over a longer interval (up to 2 h) without a reading, "
        "and how long that was; age of the reading.",
    ),
    "gauge": Text("Pos", "Gauge"),
    "rise": Text("Naik 30 menit", "Rise, 30 min"),
    "interval rise": Text("Naik antarpembacaan", "Rise, interval"),
    "interval": Text("Jeda", "Interval"),
    "read": Text("Dibaca", "Read"),
    "weather": Text("Peringatan cuaca", "Weather warnings"),
    "weather about": Text(
        "Yang berlaku sekarang, dengan sumbernya (kata-kata CAP 1.2).", "Those that hold now, with their source (CAP 1.2 words)."
    ),
    "event": Text("Kejadian", "Event"),
    "source": Text("Sumber", "Source"),
    "sources": Text("Jam sumber dan keterlambatan", "Clocks of sources, late events"),
    "sources about": Text(
        "Selisih jam sumber dari jam Kafka (positif: mendahului), dan kejadian 24 jam yang terlambat untuk angka langsung.",
        "How far a source's clock is ahead of Kafka's (negative: behind), and events of 24 h too late for live figures.",
    ),
    "clock": Text("Selisih jam", "Clock ahead"),
    "late": Text("Terlambat, 24 jam", "Late, 24 h"),
    "no warning": Text("Tidak ada peringatan", "No warning"),
    "remaining": Text("Masih berlaku", "Holds for"),
    "outside": Text("Sungai dan cuaca, sekarang", "River and weather, now"),
    "outside about": Text(
        "Pos duga air yang tertinggi, dan banyaknya peringatan cuaca yang berlaku.",
        "The highest river gauge, and how many weather warnings hold.",
    ),
    "river": Text("Tertinggi", "Highest"),
    "warnings": Text("Peringatan", "Warnings"),
    "surge": Text("Panggilan dan perkiraan, 60 menit", "Calls and forecast, 60 min"),
    "surge about": Text(
        "Yang datang dalam 60 menit terakhir, dan yang diperkirakan dari jam-jam serupa; 95 dari 100 terletak di antara "
        "batas bawah dan batas atas.",
        "Came within the last 60 minutes, and expected from hours like these; 95 of 100 lie between lower and upper.",
    ),
    "arrived": Text("Datang", "Came"),
    "expected": Text("Diperkirakan", "Expected"),
}


def _panels(say: Say) -> list[Shown]:
    nothing = say("no data")
    up = 'max by (link) (psap_link_up{city="$city"})'
    links = [
        Value(say("line"), up, COUNT, ((say("down"), RED), (say("up"), GREEN))),
        Value(
            say("registered"),
            'max by (link) (psap_link_registered{city="$city"})',
            COUNT,
            ((say("no"), RED), (say("yes"), GREEN)),
        ),
        Value(say("drops"), 'round(sum by (link) (increase(psap_network_drops_total{city="$city"}[24h])))', COUNT),
        Value("MOS", 'max by (link) (psap_link_mos{city="$city"})', COUNT),
        Value(say("channels"), 'max by (link) (psap_link_channels_used{city="$city"})', COUNT),
    ]
    down = [Value(say("down now"), of_centre("around.links_down")), Value(say("of"), f"count({up})", COUNT)]
    loss = [Value("{{link}}", 'max by (link) (psap_link_loss_ratio{city="$city"})')]
    silence = [Value("{{link}}", 'max by (link) (psap_link_silence_expected_calls{city="$city"})')]
    late = 'psap_late_events_total{city="$city"}'
    came_late = f"sum by (source) ({late} unless {late} offset 24h) or round(sum by (source) (increase({late}[24h])))"
    sources = [
        Value(say("clock"), 'max by (source) (pantau112_source_clock_offset_seconds{city="$city"})', SECONDS),
        Value(say("late"), came_late),
    ]
    lost = [
        Value(say(name), f"max by (condition) ({of_city(f'psap_network_loss_{metric}')})", unit)
        for name, metric, unit in (
            ("ratio", "ratio", None),
            ("lower", "ratio_lower", None),
            ("upper", "ratio_upper", None),
            ("n", "calls", COUNT),
            ("hours", "hours", COUNT),
        )
    ]
    bounds = [
        Value("{{gauge}} Siaga " + siaga, f"max by (gauge) ({of_city('psap_gauge_siaga_bound_centimetres', siaga=siaga)})")
        for siaga in ("1", "2", "3")
    ]
    level = [Value("{{gauge}}", 'max by (gauge) (psap_gauge_level_centimetres{city="$city"})'), *bounds]
    read = f"max by (gauge) ({of_city('psap_gauge_last_reading_timestamp_seconds')})"  # also of one without bounds of its own
    gauges = [
        Value("Siaga", f"max by (gauge) ({of_city('psap_gauge_siaga')}) or NaN * {read}", COUNT),
        Value(say("rise"), 'max by (gauge) (psap_gauge_rise_centimetres{city="$city"})', CENTIMETRES),
        Value(say("interval rise"), 'max by (gauge) (psap_gauge_interval_rise_centimetres{city="$city"})', CENTIMETRES),
        Value(say("interval"), 'max by (gauge) (psap_gauge_interval_seconds{city="$city"})', DURATION),
        Value(say("read"), f"time() - {read}", DURATION),
    ]
    expires = 'max by (event, attribution) (psap_weather_warning_expires_timestamp_seconds{city="$city"}) - time()'
    zero = 'or 0 * max(psap_city_info{city="$city"})'
    outside = [
        Value(say("river"), of_centre("around.river"), CENTIMETRES),
        Value(say("warnings"), f"{of_centre('around.weather')} {zero}"),
    ]
    surge = [
        Value(say("arrived"), 'max(psap_calls_arrived{city="$city",window="60m"})'),
        Value(say("expected"), 'max(psap_calls_expected_window{city="$city",window="60m"})'),
        Value(say("lower"), 'max(psap_calls_expected_window_lower{city="$city",window="60m"})'),
        Value(say("upper"), 'max(psap_calls_expected_window_upper{city="$city",window="60m"})'),
        Value(say("last week"), 'max(psap_calls_arrived{city="$city",window="60m"} offset 1w)'),
    ]
    calm = ('psap_city_info{city="$city"}', say("no warning"))
    weather = {"event": say("event"), "attribution": say("source")}
    conditions = {"condition": {code: say(code) for code in CONDITIONS}}
    return [
        ("down now", Place(0, 0, 8, 5), stats(down, COUNT, nothing, {0: GREEN, 1: RED})),
        ("outside", Place(8, 0, 8, 5), stats(outside, COUNT, nothing)),
        freshness(say, Place(16, 0, 8, 5)),
        ("links", Place(0, 5, 9, 8), rows(links, COUNT, nothing, {"link": say("link")}, most=4, least_first=True)),
        (
            "lost",
            Place(9, 5, 8, 8),
            rows(lost, RATIO, nothing, {"condition": say("condition")}, most=len(CONDITIONS), codes=conditions),
        ),
        ("loss", Place(17, 5, 7, 8), lines(loss, RATIO, nothing, top=0.1)),
        ("surge", Place(0, 13, 8, 6), lines(surge, COUNT, nothing, [say("expected")], [say("last week")])),
        ("level", Place(0, 19, 8, 7), lines(level, CENTIMETRES, nothing, [bound.name for bound in bounds])),
        ("silence", Place(8, 13, 8, 6), lines(silence, COUNT, nothing)),
        ("sources", Place(8, 19, 8, 7), rows(sources, COUNT, nothing, {"source": say("source")}, most=3)),
        ("gauges", Place(16, 13, 8, 7), rows(gauges, COUNT, nothing, {"gauge": say("gauge")}, most=3, least_first=True)),
        (
            "weather",
            Place(16, 20, 8, 6),
            rows([Value(say("remaining"), expires)], DURATION, nothing, weather, most=2, clear=calm),
        ),
    ]


SHEET = Sheet("psap-network", TEXTS, _panels, since="now-24h")

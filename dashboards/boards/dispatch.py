"""How the agencies (OPD) answer: open tickets by rung of the ladder, oldest unanswered, lags, reminders."""

from dashboards.boards.figures import of_centre
from dashboards.boards.frame import Sheet, Shown, freshness
from dashboards.boards.panels import COUNT, DURATION, GREEN, ORANGE, RATIO, Place, Value, lines, rows, stats
from dashboards.boards.promql import Matcher, of_city, with_label
from dashboards.boards.text import Say, Text

# As the core calls them; rungs are those of the packaged ladders, others stand as the centre's file names them.
STATES = ("unsent", "in_time", "answered")
RUNGS = ("7m", "15m", "24h", "48h", "72h")
STAGES = ("opened_to_dispatched", "dispatched_to_arrived", "opened_to_closed")
CLOCKS = ("* city", "* answer")
DIMENSIONS = ("pemahaman_program", "tepat_sasaran", "tepat_waktu", "tercapainya_tujuan", "perubahan_nyata")
ELEMENTS = ("u1", "u2", "u3", "u4", "u5", "u6", "u7", "u8", "u9")
WHOLES = ("mean", "items", "index")

TEXTS = {
    "title": Text("Tanggapan OPD", "OPD response"),
    "about": Text(
        "Tiket yang dikirim kepada OPD: yang belum dijawab, tangga pengingat, dan lama tanggapan.",
        "Tickets sent to the agencies (OPD): unanswered ones, the ladder of reminders, and response lags.",
    ),
    "open": Text("Tiket terbuka", "Open tickets"),
    "open about": Text(
        "Belum dikirim; dikirim dan belum dijawab; lewat tenggat mana pun tanpa jawaban; sudah dijawab dan belum selesai.",
        "Not sent; sent and unanswered; past any rung unanswered; answered and not done.",
    ),
    "unsent": Text("Belum dikirim", "Unsent"),
    "in_time": Text("Menunggu OPD", "Awaiting OPD"),
    "overdue": Text("Lewat tenggat", "Overdue"),
    "answered": Text("Dijawab", "Answered"),
    "oldest": Text("Paling lama tanpa jawaban", "Oldest unanswered"),
    "oldest about": Text(
        "Sejak tiket dikirim kepada OPD yang belum menjawabnya.", "Since the ticket was sent that its agency has not answered."
    ),
    "since": Text("Selama", "For"),
    "all answered": Text("Semua dijawab", "All answered"),
    "rungs": Text("Tiket menurut OPD dan tangga", "Tickets by OPD and rung"),
    "rungs about": Text(
        "Tangga: tenggat terakhir yang terlewati tanpa jawaban, dari berkas pusat (7 menit bila nyawa terancam; 24 "
        "jam; 48 jam; 2–3 hari).",
        "Rung: the last deadline passed unanswered, from the centre's file (7 min for life safety; 24 h; 48 h; 2–3 days).",
    ),
    "rung": Text("Tangga", "Rung"),
    "7m": Text("lewat 7 menit", "past 7 min"),
    "15m": Text("lewat 15 menit", "past 15 min"),
    "24h": Text("lewat 24 jam", "past 24 h"),
    "48h": Text("lewat 48 jam", "past 48 h"),
    "72h": Text("lewat 72 jam", "past 72 h"),
    "no ticket": Text("Tidak ada tiket terbuka", "No open ticket"),
    "tickets": Text("Tiket", "Tickets"),
    "stages": Text("Lama tanggapan, 7 hari", "Response lags, 7 days"),
    "stages about": Text(
        "Persentil peringkat terdekat dari hari ini dan enam hari sebelumnya, dengan n tiket. Unit pertama berangkat, "
        "tiba, tiket selesai.",
        "Percentiles by nearest rank over today and the six days before, with n tickets. First unit sent, on scene, "
        "ticket closed.",
    ),
    "stage": Text("Tahap", "Stage"),
    "opened_to_dispatched": Text("dibuka → unit berangkat", "opened → unit sent"),
    "dispatched_to_arrived": Text("berangkat → tiba", "sent → on scene"),
    "opened_to_closed": Text("dibuka → selesai", "opened → closed"),
    "scene": Text("Waktu sampai di lokasi menurut kategori, 7 hari", "Time to the scene by category, 7 days"),
    "scene about": Text(
        "Tiket dibuka → unit pertama di lokasi, dari OPD mana pun; bagian dalam 8 dan 15 menit dengan selang Wilson 95 % (15 "
        "menit) dan n. Yang terbuka tanpa unit lebih lama dari batas sudah terlambat. Sejak panggilan dijawab: jam-jam terakhir.",
        "Ticket opened → first unit on scene, of any agency; share within 8 and 15 min with Wilson 95 % interval (15 min) and n. "
        "Open ones without a unit for longer have missed already. Since the call's answer: the last hours only.",
    ),
    "scene opd": Text("Waktu sampai di lokasi menurut OPD, 7 hari", "Time to the scene by agency, 7 days"),
    "scene opd about": Text(
        "Tiket dibuka → unit pertama OPD itu sendiri di lokasi; bagian dalam 8 dan 15 menit, selang Wilson 95 % (15 menit), n.",
        "Ticket opened → the agency's own first unit on scene; share within 8 and 15 min, Wilson 95 % interval (15 min) and n.",
    ),
    "category": Text("Kategori, sejak dibuka", "Category, since opened"),
    "* city": Text("seluruh kota, sejak dibuka", "whole city, since opened"),
    "* answer": Text("seluruh kota, sejak dijawab", "whole city, since the answer"),
    "8 min": Text("≤ 8 menit", "≤ 8 min"),
    "15 min": Text("≤ 15 menit", "≤ 15 min"),
    "lower": Text("dari", "from"),
    "upper": Text("sampai", "to"),
    "reminders": Text("Pengingat", "Reminders"),
    "reminders about": Text(
        "Belum diterima grup admin OPD, dan diterima dalam 24 jam. Satu pengingat per tiket dan tangga.",
        "Not accepted yet by the OPD admins' group, and accepted within 24 h. One reminder per ticket and rung.",
    ),
    "pending": Text("Tertunda", "Pending"),
    "sent": Text("Terkirim 24 jam", "Sent, 24 h"),
    "units": Text("Unit bertugas", "Units busy"),
    "units about": Text("Unit yang menangani tiket terbuka, per OPD.", "Units that work on an open ticket, by OPD."),
    "awaiting": Text("Menunggu unit", "Awaiting a unit"),
    "course": Text("Tiket terbuka dari waktu ke waktu", "Open tickets over time"),
    "course about": Text(
        "Semua yang terbuka dan semua yang lewat tenggat; titik-titik: minggu lalu pada jam yang sama.",
        "All that are open and all that are overdue; dotted: the same hour last week.",
    ),
    "all": Text("Terbuka", "Open"),
    "arrived": Text("Dibuka dan selesai per jam", "Opened and closed per hour"),
    "arrived about": Text(
        "Laporan yang menjadi tiket, dan tiket yang selesai.", "Reports that became tickets, and tickets done."
    ),
    "opened": Text("Dibuka", "Opened"),
    "closed": Text("Selesai", "Closed"),
    "survey": Text("Survei kepercayaan warga", "Survey of the town's trust"),
    "survey about": Text(
        "Lima dimensi (1–5; rata-rata dimensi dan rata-rata butir berbeda bila jumlah butirnya tidak sama), atau sembilan "
        "unsur SKM (1–4; indeks = rata-rata × 25, PermenPANRB 14/2017). n: jawaban paling sedikit; terbanyak bila tidak sama.",
        "Five dimensions (1–5; the means of dimensions and of items differ where these have unequal numbers of items), or the "
        "nine elements of the SKM (1–4; index = mean × 25, PermenPANRB 14/2017). n: fewest answers; most where unequal.",
    ),
    "dimension": Text("Dimensi atau unsur", "Dimension or element"),
    "mean": Text("Rata-rata dimensi", "Mean of dimensions"),
    "items": Text("Rata-rata butir", "Mean of items"),
    "index": Text("Indeks SKM", "SKM index"),
    "u1": Text("U1 Persyaratan", "U1 Requirements"),
    "u2": Text("U2 Sistem, mekanisme, dan prosedur", "U2 System, mechanism and procedure"),
    "u3": Text("U3 Waktu penyelesaian", "U3 Time to completion"),
    "u4": Text("U4 Biaya/tarif", "U4 Cost"),
    "u5": Text("U5 Produk spesifikasi jenis pelayanan", "U5 What the service delivers"),
    "u6": Text("U6 Kompetensi pelaksana", "U6 Competence of staff"),
    "u7": Text("U7 Perilaku pelaksana", "U7 Conduct of staff"),
    "u8": Text("U8 Penanganan pengaduan, saran, dan masukan", "U8 Complaints and suggestions"),
    "u9": Text("U9 Sarana dan prasarana", "U9 Facilities"),
    "pemahaman_program": Text("Pemahaman program", "Programme understood"),
    "tepat_sasaran": Text("Tepat sasaran", "Reaches the right people"),
    "tepat_waktu": Text("Tepat waktu", "In time"),
    "tercapainya_tujuan": Text("Tercapainya tujuan", "Purpose reached"),
    "perubahan_nyata": Text("Perubahan nyata", "Real change"),
    "score": Text("Nilai", "Score"),
    "most": Text("Terbanyak", "Most"),
    "wanted": Text("Perlu", "Needed"),
}


_STAGE = {"stage": "opened_to_arrived"}
SCENE: tuple[tuple[str, str, dict[str, str], str, dict[str, str], str], ...] = (
    ("P50", "stage_quantile_seconds", _STAGE, "quantile_seconds", {"quantile": "0.5"}, DURATION),
    ("P90", "stage_quantile_seconds", _STAGE, "quantile_seconds", {"quantile": "0.9"}, DURATION),
    ("8 min", "scene_ratio", {}, "ratio", {"threshold": "480"}, RATIO),
    ("15 min", "scene_ratio", {}, "ratio", {"threshold": "900"}, RATIO),
    ("lower", "scene_ratio_lower", {}, "ratio_lower", {"threshold": "900"}, RATIO),
    ("upper", "scene_ratio_upper", {}, "ratio_upper", {"threshold": "900"}, RATIO),
    ("n", "scene_tickets", {}, "ratio_tickets", {"threshold": "900"}, COUNT),
)
"""What is said of the time to the scene: its name, the end of its metric's and the stage that this is asked for, the end of that
of the clock from the call's answer, what both are asked for, and its unit.
"""


def _scene(say: Say, label: str) -> list[Value]:
    """The time to the scene by agency; or by category, with the whole city and the clock from the call's answer."""
    found = []
    for name, metric, stage, of_answer, asked, unit in SCENE:
        if label == "opd":
            expr = f"max by (opd) ({of_city(f'psap_ticket_{metric}', **stage, **asked)})"
        else:
            city = of_city(f"psap_city_{metric}", **stage, **asked)
            answer = of_city(f"psap_answer_to_scene_{of_answer}", **asked)
            category = of_city(f"psap_category_{metric}", **stage, **asked)
            wholes = (
                with_label(f"max({asked_of})", "category", whole) for asked_of, whole in zip((city, answer), CLOCKS, strict=True)
            )
            expr = " or ".join((*wholes, f"max by (category) ({category})"))
        found.append(Value(say(name) if name in TEXTS else name, expr, unit))
    return found


def _answers(least: str, bound: str) -> str:
    """The fewest or most answers of an item, by dimension, element and whole."""
    rows_of_items = 'label_replace(psap_survey_item_answers{city="$city"}, "dimension", "$1", "item", "([^.]+).*")'
    wholes = (("dimensions", "mean"), ("dimensions", "items"), ("skm", "index"))
    return " or ".join(
        (
            f"{least} by (dimension) ({rows_of_items})",
            *(
                with_label(f"max({of_city('psap_survey_answers', instrument=instrument, bound=bound)})", "dimension", row)
                for instrument, row in wholes
            ),
        )
    )


def _panels(say: Say) -> list[Shown]:
    nothing = say("no data")
    zero = 'or 0 * max(psap_city_info{city="$city"})'
    overdue = f"{of_centre('around.overdue')} {zero}"
    open_now = [
        Value(say("overdue"), overdue),
        *(
            Value(say(state), f"sum(max by (opd) ({of_city('psap_tickets_open', rung=state)})) {zero}", COUNT)
            for state in ("in_time", "unsent", "answered")
        ),
    ]
    unanswered = 'time() - min by (opd) (psap_oldest_unanswered_ticket_timestamp_seconds{city="$city"})'
    by_rung = Value(say("tickets"), 'max by (opd, rung) (psap_tickets_open{city="$city"}) > 0', COUNT)
    others = Matcher("!=", "opened_to_arrived")  # which the time to the scene is about
    p50, p90 = (of_city("psap_ticket_stage_quantile_seconds", stage=others, quantile=share) for share in ("0.5", "0.9"))
    stages = [
        Value("P50", f"max by (opd, stage) ({p50})"),
        Value("P90", f"max by (opd, stage) ({p90})"),
        Value("n", f"max by (opd, stage) ({of_city('psap_ticket_stage_tickets', stage=others)}) > 0", COUNT),
    ]
    accepted = 'psap_ticket_reminders_total{city="$city"}'
    reminders = [
        Value(say("pending"), 'sum(max by (opd) (psap_ticket_reminders_pending{city="$city"}))'),
        # Not increase(): a series that begins at 1 has not risen. The totals themselves survive every restart.
        Value(say("sent"), f"(sum({accepted}) - (sum({accepted} offset 24h) or vector(0))) {zero}"),
    ]
    units = [
        Value(say("awaiting"), 'max(psap_tickets_awaiting_dispatch{city="$city"})'),
        Value(say("units"), 'sum(max by (opd) (psap_units_busy{city="$city"}))'),
    ]
    course = [
        Value(say("all"), f"{of_centre('around.tickets')} {zero}"),
        Value(say("overdue"), overdue),
        Value(say("last week"), 'sum(max by (opd, rung) (psap_tickets_open{city="$city"} offset 1w))'),
    ]
    flow = [
        Value(say("opened"), 'sum(increase(psap_tickets_opened_total{city="$city"}[1h]))'),
        Value(say("closed"), 'sum(increase(psap_tickets_closed_total{city="$city"}[1h]))'),
    ]
    # Rows are dimensions, elements and wholes; an item's code begins with its dimension's, an element's is its own.
    elements = 'label_replace(psap_survey_item_score{city="$city",item=~"u."}, "dimension", "$1", "item", "(.*)")'
    scores = " or ".join(
        (
            'max by (dimension) (psap_survey_score{city="$city"})',
            f"max by (dimension) ({elements})",
            with_label(of_centre("around.survey"), "dimension", "mean"),
            with_label('max(psap_survey_mean_score{city="$city",of="items"})', "dimension", "items"),
            with_label('max(psap_survey_index{city="$city"})', "dimension", "index"),
        )
    )
    fewest, most = _answers("min", "fewest"), _answers("max", "most")
    sample = 'max(psap_survey_sample_size{city="$city"})'
    survey = [
        Value(say("score"), scores),
        Value("n", fewest, COUNT),
        Value(say("most"), most, COUNT),
        Value(say("wanted"), f"0 * ({scores}) + on () group_left () {sample}", COUNT),
    ]
    of_opd = {"opd": "OPD"}
    known = 'psap_city_info{city="$city"}'
    said = {
        label: {code: say(code) for code in codes}
        for label, codes in (
            ("rung", (*STATES, *RUNGS)),
            ("stage", STAGES),
            ("category", CLOCKS),
            ("dimension", (*DIMENSIONS, *ELEMENTS, *WHOLES)),
        )
    }
    by = {**of_opd, "rung": say("rung")}
    category, all_answered, no_ticket = {"category": say("category")}, (known, say("all answered")), (known, say("no ticket"))
    oldest = rows([Value(say("since"), unanswered)], DURATION, nothing, of_opd, most=3, clear=all_answered)
    about_survey = rows(survey, COUNT, nothing, {"dimension": say("dimension")}, most=12, least_first=True, codes=said)
    return [
        ("open", Place(0, 0, 10, 5), stats(open_now, COUNT, nothing, {0: GREEN, 1: ORANGE})),
        ("reminders", Place(10, 0, 4, 5), stats(reminders, COUNT, nothing)),
        ("units", Place(14, 0, 4, 5), stats(units, COUNT, nothing)),
        freshness(say, Place(18, 0, 6, 5)),
        ("oldest", Place(0, 5, 6, 7), oldest),
        ("rungs", Place(6, 5, 6, 7), rows([by_rung], COUNT, nothing, by, most=3, codes=said, clear=no_ticket)),
        ("course", Place(12, 5, 6, 7), lines(course, COUNT, nothing, [say("overdue")], [say("last week")])),
        ("scene", Place(0, 12, 10, 14), rows(_scene(say, "category"), RATIO, nothing, category, most=11, codes=said)),
        ("scene opd", Place(10, 12, 8, 7), rows(_scene(say, "opd"), RATIO, nothing, of_opd, most=3)),
        ("stages", Place(10, 19, 8, 7), rows(stages, DURATION, nothing, {**of_opd, "stage": say("stage")}, most=3, codes=said)),
        ("survey", Place(18, 5, 6, 15), about_survey),
        ("arrived", Place(18, 20, 6, 6), lines(flow, COUNT, nothing)),
    ]


SHEET = Sheet("psap-dispatch", TEXTS, _panels, since="now-24h")

"""Seats and who sits there: what they do, how busy they are, how many there should be; and the nuisance they have to answer."""

from dashboards.boards.figures import of_centre
from dashboards.boards.frame import Sheet, Shown, freshness, limit
from dashboards.boards.panels import COUNT, DURATION, GREEN, ORANGE, RATIO, RED, Place, Value, lines, rows, stats
from dashboards.boards.promql import of_city
from dashboards.boards.text import Say, Text

CLASSES = (
    "normal", "non_emergency", "information", "prank", "ghost", "cut_off", "out_of_area", "misdirected", "test", "other",
)  # fmt: skip
DOING = ("available", "ringing", "talking", "wrap_up", "paused", "off")

TEXTS = {
    "title": Text("Petugas 112", "112 operators"),
    "about": Text(
        "Meja petugas satu pusat: keadaan, okupansi, kebutuhan, dan gangguan. Meja adalah kode, bukan nama orang.",
        "The seats of one centre: state, occupancy, need, and nuisance. A seat is a code, nobody's name.",
    ),
    "seats": Text("Meja menurut keadaan, sekarang", "Seats by state, now"),
    "seats about": Text(
        "Setiap meja dalam satu keadaan. Tanpa data bila sumber tidak pernah menyebut siapa yang masuk. Tanpa pasangan: nama "
        "yang bekerja dan tidak pernah masuk, 24 jam; tidak ikut dihitung (PsapSeatNamesDiffer).",
        "Each seat in one state. No data where no source has ever told a log-in. Unpaired: names that act and never log in, 24 "
        "h; they are left out of the states (PsapSeatNamesDiffer).",
    ),
    "unpaired": Text("Tanpa pasangan", "Unpaired"),
    "available": Text("Siap", "Free"),
    "ringing": Text("Berdering", "Ringing"),
    "talking": Text("Bicara", "Talking"),
    "wrap_up": Text("Mencatat", "Wrap-up"),
    "paused": Text("Jeda", "Paused"),
    "off": Text("Keluar", "Off"),
    "work": Text("Beban kerja, 60 menit", "Work, 60 min"),
    "work about": Text(
        "Okupansi: detik bicara dan mencatat / detik masuk; di atas 85 % petugas tidak sempat bernapas (jingga). "
        "Kehadiran: detik masuk / detik menurut jadwal.",
        "Occupancy: seconds in a call or wrapping up / seconds logged in; above 85 % nobody can breathe (orange). "
        "Adherence: seconds logged in / seconds that the shifts provide for.",
    ),
    "occupancy": Text("Okupansi", "Occupancy"),
    "adherence": Text("Kehadiran", "Adherence"),
    "need": Text("Meja yang diperlukan, jam ini", "Seats needed, this hour"),
    "need about": Text(
        "Erlang: meja untuk 90 % ≤ 15 detik dan 95 % ≤ 20 detik pada jam ini, dari panggilan yang diperkirakan dan "
        "lama bicara yang diukur.",
        "Erlang: seats for 90 % ≤ 15 s and 95 % ≤ 20 s in this hour, from the calls expected and the handle time measured.",
    ),
    "staffed": Text("Masuk", "Staffed"),
    "course": Text("Meja dari waktu ke waktu", "Seats over time"),
    "course about": Text(
        "Siapa melakukan apa; garis merah putus-putus: meja yang diperlukan untuk 90 % ≤ 15 detik.",
        "Who does what; the dashed red line: seats needed for 90 % ≤ 15 s.",
    ),
    "needed": Text("Perlu", "Needed"),
    "occupancy course": Text("Okupansi dari waktu ke waktu", "Occupancy over time"),
    "occupancy course about": Text(
        "Jendela 60 menit bergulir. Garis putus-putus: batas 85 %.", "Rolling 60 minutes. Dashed: the ceiling of 85 %."
    ),
    "pauses": Text("Jeda menurut alasan, sekarang", "Pauses by reason, now"),
    "pauses about": Text("Meja yang sedang jeda dan sejak kapan.", "Seats that are paused, and for how long."),
    "seat": Text("Meja", "Seat"),
    "reason": Text("Alasan", "Reason"),
    "since": Text("Selama", "For"),
    "unanswered": Text("Berdering tanpa dijawab, 24 jam", "Ring no answer, 24 h"),
    "unanswered about": Text(
        "Panggilan yang berdering di meja dan tidak diambil: petugas mungkin pergi tanpa jeda.",
        "Calls that rang at a seat and were not taken: somebody may have left without a pause.",
    ),
    "times": Text("Kali", "Times"),
    "no pause": Text("Tidak ada jeda", "Nobody is paused"),
    "classes": Text("Jenis panggilan, 60 menit", "Classes of calls, 60 min"),
    "classes about": Text(
        "Bagian setiap jenis dari panggilan yang diklasifikasi, dengan selang Wilson 95 %. Hening bukan iseng.",
        "Share of each class in the classified calls, with its Wilson 95 % interval. Ghost (silent) is not prank.",
    ),
    "class": Text("Jenis", "Class"),
    "normal": Text("Darurat", "Emergency"),
    "non_emergency": Text("Bukan darurat", "Non-emergency"),
    "information": Text("Informasi", "Information"),
    "prank": Text("Iseng (prank)", "Prank"),
    "ghost": Text("Hening (ghost)", "Ghost (silent)"),
    "cut_off": Text("Terputus", "Cut off"),
    "out_of_area": Text("Luar wilayah", "Out of area"),
    "misdirected": Text("Salah sambung", "Misdirected"),
    "test": Text("Uji coba", "Test"),
    "other": Text("Lainnya", "Other"),
    "no unanswered": Text("Tidak ada", "None"),
    "callers": Text("Penelepon", "Callers"),
    "callers about": Text(
        "Yang perlu dihubungi kembali (4 jam), usulan blokir yang menunggu keputusan orang, blokir aktif, penelepon "
        "berulang (24 jam), bagian iseng dan hening (hari ini).",
        "To be called back (4 h), block recommendations that a person has to decide on, active blocks, repeat callers (24 h), "
        "share of prank and ghost calls (today).",
    ),
    "callbacks": Text("Hubungi kembali", "Call back"),
    "to decide": Text("Perlu putusan", "To decide"),
    "blocked": Text("Diblokir", "Blocked"),
    "repeat": Text("Berulang", "Repeat"),
    "nuisance": Text("Iseng, hening", "Prank, ghost"),
}


def _panels(say: Say) -> list[Shown]:
    nothing = say("no data")
    doing = [Value(say(state), f"max({of_city('psap_operators', state=state)})") for state in DOING]
    sooner = 'max(psap_seats_required{city="$city",model="erlang_c",target="95_20"})'
    unpaired = Value(say("unpaired"), 'max(psap_seats_unpaired{city="$city"})', steps={0: GREEN, 1: ORANGE})
    staffed = Value(say("staffed"), 'max(psap_seats_staffed{city="$city"})')
    work = [
        Value(say("occupancy"), 'max(psap_operator_occupancy_ratio{city="$city"})'),
        Value(say("adherence"), 'max(psap_operator_adherence_ratio{city="$city"})', RATIO),
    ]
    need = [staffed, Value("90 % ≤ 15 s", of_centre("around.needed")), Value("95 % ≤ 20 s", sooner)]
    occupancy = [
        Value(say("occupancy"), 'max(psap_operator_occupancy_ratio{city="$city"})'),
        Value(say("limit"), limit("occupancy_ratio")),
    ]
    paused = Value(
        say("since"), 'time() - max by (seat, reason) (psap_operator_paused_timestamp_seconds{city="$city"})', DURATION
    )
    unanswered = Value(
        say("times"), 'round(max by (seat) (increase(psap_operator_ring_no_answer_total{city="$city"}[24h]))) > 0', COUNT
    )
    shares = [
        Value(say(name), f"max by (class) ({of_city(f'psap_calls_class_ratio{end}', window='60m')})")
        for name, end in (("ratio", ""), ("lower", "_lower"), ("upper", "_upper"))
    ]
    shares.append(
        Value(
            "n",
            'max by (class) (psap_calls_class_ratio{city="$city",window="60m"}) * 0'
            ' + on () group_left () max(psap_classified_window_calls{city="$city",window="60m"})',
            COUNT,
        )
    )
    callers = [
        Value(say("callbacks"), 'max(psap_callbacks_open{city="$city"})'),
        Value(say("to decide"), 'max(psap_block_recommendations_open{city="$city"})'),
        Value(say("blocked"), 'max(psap_blocks_active{city="$city"})'),
        Value(say("repeat"), 'max(psap_repeat_callers{city="$city",window="24h"})'),
        Value(say("nuisance"), of_centre("around.nuisance"), RATIO),
    ]
    known, seat = 'psap_operators{city="$city"}', {"seat": say("seat")}
    no_pause, all_taken = (known, say("no pause")), (known, say("no unanswered"))
    said = {"class": {name: say(name) for name in CLASSES}}
    by_reason = {**seat, "reason": say("reason")}
    return [
        ("seats", Place(0, 0, 13, 6), stats([*doing, unpaired], COUNT, nothing)),
        ("work", Place(13, 0, 4, 6), stats(work, RATIO, nothing, {0: GREEN, 0.85: ORANGE, 0.95: RED})),
        freshness(say, Place(17, 0, 7, 6)),
        (
            "course",
            Place(0, 6, 9, 7),
            lines([*doing[:-1], Value(say("needed"), of_centre("around.needed"))], COUNT, nothing, [say("needed")]),
        ),
        ("occupancy course", Place(9, 6, 7, 7), lines(occupancy, RATIO, nothing, [say("limit")])),
        ("need", Place(0, 13, 16, 5), stats(need, COUNT, nothing)),
        ("pauses", Place(0, 18, 8, 8), rows([paused], DURATION, nothing, by_reason, most=4, clear=no_pause)),
        ("unanswered", Place(8, 18, 8, 8), rows([unanswered], COUNT, nothing, seat, most=4, clear=all_taken)),
        ("classes", Place(16, 6, 8, 13), rows(shares, RATIO, nothing, {"class": say("class")}, most=len(CLASSES), codes=said)),
        ("callers", Place(16, 19, 8, 7), stats(callers, COUNT, nothing)),
    ]


SHEET = Sheet("psap-operators", TEXTS, _panels)

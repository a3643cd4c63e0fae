"""What the boards say, in Indonesian and in English."""

from collections.abc import Callable
from typing import Literal, NamedTuple

Language = Literal["id", "en"]
LANGUAGES: tuple[Language, ...] = ("id", "en")
Say = Callable[[str], str]


class Text(NamedTuple):
    """One text in every language."""

    id: str
    en: str


CATALOGUE = {
    "title": Text("Panggilan 112", "112 calls"),
    "about": Text(
        "Papan dinding satu pusat 112: panggilan dan meja, sekarang dan hari ini. Terbaca dari jarak 5 meter.",
        "Wallboard of one 112 centre: calls and seats, now and today. Readable from 5 metres.",
    ),
    "other language": Text("English", "Bahasa Indonesia"),
    "data source": Text("Sumber data", "Data source"),
    "centre": Text("Pusat", "Centre"),
    "blind": Text("BUTA", "BLIND"),
    "no data": Text("TANPA DATA", "NO DATA"),
    "state": Text("Keadaan", "State"),
    "within limit": Text("NORMAL", "NORMAL"),
    "over limit": Text("LEWAT BATAS", "OVER LIMIT"),
    "waiting": Text("Menunggu", "Waiting"),
    "waiting now": Text("Penelepon menunggu", "Callers waiting"),
    "waiting now about": Text(
        "Panggilan yang belum dijawab saat ini, semua antrean. Batas: queue_calls milik pusat ini.",
        "Calls not yet answered at this moment, all queues. Limit: queue_calls of this centre.",
    ),
    "longest wait": Text("Menunggu paling lama", "Longest wait now"),
    "longest wait about": Text(
        "Umur panggilan tertua yang belum dijawab (jam:menit:detik); 0 bila tidak ada. Batas: oldest_waiting_seconds.",
        "Age of the oldest unanswered call (h:m:s); 0 when nobody waits. Limit: oldest_waiting_seconds.",
    ),
    "seats": Text("Meja petugas", "Seats"),
    "seats about": Text(
        "Meja yang masuk: siap (bebas menjawab), bicara, jeda. Tanpa data bila sumber tidak pernah menyebut meja.",
        "Seats logged in: free to answer, talking, paused. No data where no source has ever told of seats.",
    ),
    "available": Text("Siap", "Free"),
    "talking": Text("Bicara", "Talking"),
    "paused": Text("Jeda", "Paused"),
    "freshness": Text("Kesegaran data", "Data freshness"),
    "freshness about": Text(
        "Umur kejadian terbaru pusat ini, dan ketertinggalan pemantau. BUTA: pemantau sendiri tidak menjawab.",
        "Age of this centre's newest event, and how far the monitor is behind. BLIND: the monitor itself does not answer.",
    ),
    "newest event": Text("Kejadian terbaru", "Newest event"),
    "behind": Text("Tertinggal", "Behind"),
    "fresh": Text("SEGAR", "FRESH"),
    "stale": Text("BASI", "STALE"),
    "service level": Text("Tingkat layanan, 60 menit", "Service level, 60 min"),
    "service level about": Text(
        "Dijawab dalam 15 / 20 detik dibagi n: panggilan yang selesai menunggu dalam 60 menit, tanpa yang segera ditutup dan "
        "diblokir (NENA-STA-020.1: 90 % dan 95 %). Hijau mulai 90 %, jingga mulai 80 %.",
        "Answered within 15 / 20 s over n: calls whose waiting ended within 60 min, without short abandons and blocked ones "
        "(NENA-STA-020.1: 90 % and 95 %). Green from 90 %, orange from 80 %.",
    ),
    "waits": Text("Waktu jawab, 60 menit", "Answer time, 60 min"),
    "waits about": Text(
        "Rata-rata, P90, dan P95 waktu tunggu panggilan yang dijawab, dari histogram. Hanya benar pada kecepatan 1×.",
        "Mean, P90 and P95 wait of answered calls, from the histogram. Right at 1× only.",
    ),
    "mean": Text("Rata-rata", "Mean"),
    "today": Text("Hari ini", "Today"),
    "today about": Text(
        "Sejak tengah malam setempat. Putus: menutup sebelum dijawab, tanpa yang segera ditutup; persennya dari n NENA.",
        "Since local midnight. Abandoned: hung up before the answer, without short ones; the share is of the NENA level's n.",
    ),
    "offered": Text("Masuk", "Offered"),
    "answered": Text("Dijawab", "Answered"),
    "abandoned": Text("Putus", "Abandoned"),
    "abandon ratio": Text("Putus %", "Abandoned %"),
    "peak": Text("Puncak antrean", "Queue peak"),
    "queue": Text("Antrean dan layanan", "Queue and service"),
    "queue about": Text(
        "Panggilan yang menunggu dan yang sedang dilayani; garis putus-putus adalah batas antrean pusat ini.",
        "Calls waiting and calls in service; the dashed line is this centre's queue limit.",
    ),
    "in service": Text("Dilayani", "In service"),
    "limit": Text("Batas", "Limit"),
    "course": Text("Tingkat layanan 15 detik (60 menit bergulir)", "Service level 15 s (rolling 60 min)"),
    "course about": Text(
        "NENA, dengan selang Wilson 95 %: selang lebar berarti panggilan sedikit. Garis putus-putus adalah sasaran 90 %.",
        "NENA, with its Wilson 95 % interval: a wide one means few calls. The dashed line is the target of 90 %.",
    ),
    "lower": Text("Batas bawah", "Lower bound"),
    "upper": Text("Batas atas", "Upper bound"),
    "target": Text("Sasaran", "Target"),
    "variants": Text("Semua rumus berdampingan", "All formulas side by side"),
    "variants about": Text(
        "Rasio, selang Wilson 95 %, dan n. nena: tanpa yang segera ditutup dan diblokir; answered: dijawab; inclusive: semua.",
        "Ratio, Wilson 95 % interval and n. nena: without short abandons and blocked; answered: of answered; inclusive: of all.",
    ),
    "formula": Text("Rumus", "Formula"),
    "n": Text("n", "n"),
    "seconds": Text("≤ detik", "≤ seconds"),
    "window": Text("Jendela", "Window"),
    "ratio": Text("Rasio", "Ratio"),
    "alerts": Text("Peringatan menyala", "Firing alerts"),
    "alerts about": Text(
        "Peringatan untuk pusat ini dan untuk pemantau sendiri. page: membangunkan orang; ticket: dikerjakan pada jam kerja.",
        "Alerts of this centre and of the monitor itself. page: wakes somebody; ticket: for working hours.",
    ),
    "no alert": Text("Tidak ada peringatan", "No alert"),
    "alert": Text("Peringatan", "Alert"),
    "severity": Text("Tingkat", "Severity"),
}


def speaker(language: Language) -> Say:
    """The function that says a text of the catalogue in a language."""
    return lambda key: str(getattr(CATALOGUE[key], language))

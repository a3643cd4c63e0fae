"""Words in both languages of the people who read a report."""

from typing import NamedTuple


class Words(NamedTuple):
    """The same in Indonesian and in English."""

    id: str
    en: str


CODES: dict[str, Words] = {
    "answered": Words("dijawab", "answered"),
    "abandoned": Words("menutup saat menunggu", "abandoned"),
    "short_abandoned": Words("menutup segera", "short abandoned"),
    "overflowed": Words("dialihkan antrean", "overflowed"),
    "network_dropped": Words("putus jaringan", "network dropped"),
    "blocked": Words("ditolak", "blocked"),
    "announcement": Words("berakhir di sapaan", "ended in announcement"),
    "lost": Words("tak terlacak", "lost track of"),
    "normal": Words("darurat", "emergency"),
    "non_emergency": Words("bukan darurat", "non-emergency"),
    "information": Words("informasi", "information"),
    "prank": Words("iseng", "prank"),
    "ghost": Words("hening", "ghost"),
    "cut_off": Words("terputus", "cut off"),
    "out_of_area": Words("luar wilayah", "out of area"),
    "misdirected": Words("salah sambung", "misdirected"),
    "test": Words("uji", "test"),
    "other": Words("lainnya", "other"),
    "unclassified": Words("tidak digolongkan", "unclassified"),
    "unknown": Words("tidak diketahui", "unknown"),
    "nena": Words("NENA: tanpa yang menutup segera", "NENA: without short abandons"),
    "inclusive": Words("semua yang masuk", "all offered"),
    "servicelevelperf": Words("Asterisk: yang dijawab", "Asterisk: answered ones"),
    "servicelevelperf2": Words("Asterisk: dengan yang menutup", "Asterisk: with abandoned ones"),
}
"""What the pages say for codes that tables have."""

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
    "freshness": Text("Kesegaran data", "Data freshness"),
    "freshness about": Text(
        "Umur kejadian terbaru pusat ini, dan ketertinggalan pemantau. BUTA: pemantau sendiri tidak menjawab.",
        "Age of this centre's newest event, and how far the monitor is behind. BLIND: the monitor itself does not answer.",
    ),
    "newest event": Text("Kejadian terbaru", "Newest event"),
    "behind": Text("Tertinggal", "Behind"),
    "fresh": Text("SEGAR", "FRESH"),
    "stale": Text("BASI", "STALE"),
    "limit": Text("Batas", "Limit"),
    "lower": Text("Batas bawah", "Lower bound"),
    "upper": Text("Batas atas", "Upper bound"),
    "target": Text("Sasaran", "Target"),
    "n": Text("n", "n"),
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


def speaker(language: Language, own: Mapping[str, Text]) -> Say:
    """The function that says a text of a board in a language."""
    texts = {**COMMON, **own}
    return lambda key: str(getattr(texts[key], language))

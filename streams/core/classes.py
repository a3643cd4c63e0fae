"""Classes of calls: what the words mean by which call takers, exchanges and agencies say what a call was."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, get_args

from schemas.calls import Class
from streams.core.names import Names, plain

CLASSES: tuple[Class, ...] = get_args(Class)

UNKNOWN = "unknown"
"""What a reader writes for a word that means no class here, so that the word stays outside: figures count it as `other`, and say
that there was such a word.
"""

_WORDS: Mapping[Class, Sequence[str]] = {
    "normal": ("emergency", "darurat", "gawat darurat", "kedaruratan", "panggilan darurat", "panggilan normal", "urgent", "real"),
    "non_emergency": ("non emergency", "non darurat", "bukan darurat", "tidak darurat", "non urgent", "pengaduan", "keluhan"),
    "information": ("info", "informasi", "panggilan informasi", "permintaan informasi", "bertanya", "inquiry", "enquiry"),
    "prank": ("iseng", "panggilan iseng", "telepon iseng", "panggilan prank", "prank call", "hoax", "hoaks", "palsu", "nuisance"),
    "ghost": (
        "silent",
        "silence",
        "hening",
        "diam",
        "tanpa suara",
        "tidak ada suara",
        "panggilan ghost",
        "ghost call",
        "no voice",
    ),
    "cut_off": ("cut", "putus", "terputus", "disconnected", "dropped", "panggilan terputus"),
    "out_of_area": ("luar wilayah", "luar", "luar daerah", "luar area", "luar jangkauan", "out of jurisdiction"),
    "misdirected": ("salah sambung", "salah alamat", "salah nomor", "wrong number", "misdial", "misrouted"),
    "test": ("tes", "testing", "test call", "uji coba", "uji", "ujicoba panggilan", "panggilan tes", "simulasi", "drill"),
    "other": ("lain", "lainnya", "lain lain", "others"),
}
"""What each class is also called, in Indonesian and English; a centre's file has its own words besides."""


class _Class(NamedTuple):
    code: str
    also: tuple[str, ...]


def named(own: Mapping[Class, Sequence[str]]) -> Names:
    """The class that each word means at a centre whose own words these are: they come before the usual ones.

    Raises `ValueError` where one word is to mean two classes, of which a class's own name is one.
    """
    taken = {plain(word) for words in own.values() for word in words}
    usual = {name: [word for word in _WORDS[name] if plain(word) not in taken] for name in CLASSES}
    return Names([_Class(name, (*own.get(name, ()), *usual[name])) for name in CLASSES])


def told(word: str, names: Names) -> str:
    """How a reader tells a class: as the one of ours that the word means, and never as free text."""
    class_ = names[word]
    return class_ if class_ in names.known else UNKNOWN


USUAL = named({})
"""The classes at a centre whose file says nothing of them."""

"""The door: what is written of queues, seats and pauses becomes codes, and what looks like a person's name or number none.

Every reader of what a centre already has goes through it, events from files too. What the centre's file names keeps its code,
however it is spelt. Of the rest, what looks like a person becomes a keyed hash; without a key a reason is left out, a queue is
`other`, and a fact of such a seat is passed over and counted.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from hashlib import blake2b
from typing import Any, Literal, get_args

from schemas.event import Event
from schemas.topics import EVENT_TYPES
from streams.core import classes
from streams.core.centre import Centre, Directory
from streams.core.names import OTHER, SPELLINGS
from streams.sources import pseudonym as pseudonyms
from streams.sources.pseudonym import Keyed

Kind = Literal["queue", "seat", "reason", "to", "class_"]

UNNAMED_SEAT = "seat named like a person, and no key"
"""Counted as passed over: without a key such a seat cannot be told without telling who sits there."""

NUMBER_AS_NAME = "call, journey or ticket named by a telephone number"
"""Counted as passed over: whose number it is would be told with every fact of it."""

MEND_SEAT = (
    "say in the centre's file which seat that is (seats, with its other names in also), or set log_membername_as_agent=yes in "
    "queues.conf where the exchange calls one seat by its interface and by a name, or set PANTAU112_CALLER_KEY_FILE"
)
"""What makes such a seat known."""

_USUAL = """
istirahat makan siang malam pagi sore minum kopi sholat salat shalat solat jumat ibadah toilet wc kamar kecil isoma rapat
briefing apel pelatihan diklat tugas dinas luar lain lainnya lapangan laporan admin administrasi input data izin ijin sakit cuti
pulang ganti pergantian shift serah terima jaga piket siaga standby tunggu koordinasi telepon panggilan balik hubungi kembali
singkat sebentar teknis gangguan sistem break lunch dinner coffee prayer meeting training coaching callback call back backoffice
office wrapup wrap up after work acw aux not ready away offline other test rest restroom system technical issue manual auto
autopause timeout in out of on the do disturb dnd outbound inbound email chat darurat gawat layanan pelayanan umum pusat center
centre contact hotline antrean antrian queue utama cadangan overflow rujukan pengaduan aduan informasi info medis kesehatan
ambulans ambulan ambulance kebakaran pemadam damkar polisi police fire medical emergency bencana bpbd pmi psc dinkes dishub
satpol pp sar kota kabupaten kab kantor keluar masuk bantuan help support service desk default main night day vip sales customer
care supervisor spv koordinator operator agent agen petugas seat meja kursi loket line ext extension phone console station local
sip pjsip iax dahdi sccp vicidial channel internal external ivr trunk ring group dial
"""
USUAL = frozenset(_USUAL.split())
"""Words that name no person, in small letters."""

_LONGEST = 64
_LONGEST_REASON = 32
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@/-]{0,63}", re.ASCII)
_MADE = re.compile(r"(queue|seat|reason|to)-(?=[0-9]*[a-f])[0-9a-f]{8}", re.ASCII)
_NUMBER = re.compile(r"([0-9][ ._()/-]*){6}", re.ASCII)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", re.ASCII)
_NAMES = {"queue": "queues", "seat": "seats", "reason": "reasons", "to": "queues"}


class Door:
    """Lets events and single codes in, for the centres that it is told of; `passed_over` counts what it does not let in."""

    def __init__(self, pseudonym: Keyed | None = None, centres: Iterable[Centre] = ()) -> None:
        self.pseudonym = pseudonym
        self.passed_over: Counter[str] = Counter()
        self._centres = {centre.code: centre for centre in centres}
        self._said: dict[tuple[str, Kind, str], str | None] = {}

    def admit(self, event: Event) -> Event | None:
        """The event, with codes in place of what looks like a person; None when nothing is left to tell."""
        data = event.data
        for name in _IDS[event.type]:
            if pseudonyms.is_telephone(getattr(data, name) or ""):
                self.passed_over[NUMBER_AS_NAME] += 1
                return None
        changes: dict[str, str | None] = {}
        for field in _FIELDS[event.type]:
            text = getattr(data, field)
            if text is not None and (said := self.code(event.subject, field, text)) != text:
                changes[field] = said
        if not changes:
            return event
        if any(said is None and type(data).model_fields[field].is_required() for field, said in changes.items()):
            self.passed_over[UNNAMED_SEAT] += 1
            return None
        return event.model_copy(update={"data": data.model_copy(update=changes)})

    def caller(self, number: str) -> dict[str, str]:
        """What an event says of a caller; nothing of a withheld number, or without a key."""
        return pseudonyms.caller(number, self.pseudonym)

    def seat(self, city: str, agent: str) -> str | None:
        """The code of a seat as an exchange or a table writes it, where anything but a machine's name may be a person's."""
        return self._named(city, "seat", agent) or pseudonyms.seat(agent, self.pseudonym)

    def code(self, city: str, kind: Kind, text: str) -> str | None:
        """The code for a text; None when it may not be told."""
        key = city, kind, text
        try:
            return self._said[key]
        except KeyError:
            if kind == "class_":
                return classes.told(text, self._centres[city].names.classes if city in self._centres else classes.USUAL)
            said = self._named(city, kind, text) or self._unnamed(city, kind, text)
            if len(self._said) < SPELLINGS:
                self._said[key] = said
            return said

    def _named(self, city: str, kind: Kind, text: str) -> str | None:
        """The code that the centre's file has for it."""
        centre = self._centres.get(city)
        if centre is None:
            return None
        directory: Directory = centre.names
        names = getattr(directory, _NAMES[kind])
        said: str = names[text]
        return said if said in names.known else None

    def _unnamed(self, city: str, kind: Kind, text: str) -> str | None:
        centre = self._centres.get(city)
        local = centre.name + " " + centre.province if centre is not None else ""
        if not looks_personal(text, frozenset(local.lower().split())) and (kind != "reason" or len(text) <= _LONGEST_REASON):
            return code(text, kind)
        if self.pseudonym is not None:
            return f"{kind}-{pseudonyms.short(self.pseudonym(f'{kind}:{text}'))}"
        return OTHER if kind == "queue" else None


def looks_personal(text: str, local: frozenset[str] = frozenset()) -> bool:
    """Whether a text may be somebody's name or number: six digits that are no extension, or a capitalised word that is neither
    usual nor one of `local`. One word in capitals is an abbreviation; several are a name in capitals.
    """
    if _MADE.fullmatch(text):
        return False
    if _NUMBER.search(text) and not pseudonyms.is_machine(text):
        return True
    words = [word for word in _WORD.findall(_unaccented(text)) if word.lower() not in USUAL and word.lower() not in local]
    capitals = [word for word in words if word.isupper() and len(word) > 3]
    return len(capitals) > 1 or any(word[0].isupper() and not word.isupper() for word in words)


def is_code(text: str) -> bool:
    """Whether a schema's code can be this text."""
    return _CODE.fullmatch(text) is not None


def code(text: str, kind: str = "queue") -> str:
    """A schema's code for any text: accents off, spaces and what no code can hold to `-`, punctuation off both ends.

    Where letters were lost, or all, a hash tells apart what would else become one. A text that is a code stays as it is.
    """
    if is_code(text):
        return text
    letters = _unaccented(text)
    said = re.sub(r"[^A-Za-z0-9._:@/-]+", "-", letters).strip("._:@/-")
    lost = any(letter.isalnum() and not letter.isascii() for letter in letters)
    if said and not lost and len(said) <= _LONGEST:
        return said
    mark = blake2b(text.encode("utf-8", "replace"), digest_size=4).hexdigest()
    return f"{said[: _LONGEST - 9] or kind}-{mark}"


def _unaccented(text: str) -> str:
    return "".join([letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter)])


def _fields(model: type[Event]) -> tuple[Kind, ...]:
    """Which fields of an event's data are codes that a person's name could stand in. A reason from a closed list is none, and a
    ticket is passed on to an agency.
    """
    data: Any = model.model_fields["data"].annotation
    found = {name: field.annotation for name, field in data.model_fields.items()}
    codes = [name for name in get_args(Kind) if name in found and "Literal" not in repr(found[name])]
    return () if model.model_fields["type"].default.startswith("ticket.") else tuple(codes)


def _ids(model: type[Event]) -> tuple[str, ...]:
    """Which fields of an event's data name what it is about."""
    data: Any = model.model_fields["data"].annotation
    return tuple(name for name in ("call", "journey", "ticket") if name in data.model_fields)


_FIELDS = {name: _fields(model) for name, model in EVENT_TYPES.items()}
_IDS = {name: _ids(model) for name, model in EVENT_TYPES.items()}

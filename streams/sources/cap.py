"""Weather warnings in CAP 1.2 (XML) as events. https://docs.oasis-open.org/emergency/cap/v1.2/CAP-v1.2-os.html

Made for those of BMKG (https://data.bmkg.go.id/peringatan-dini-cuaca): a file for each warning, its area named as the province,
`effective` in place of `onset`, and in Indonesian and in English under one identifier. No free text is taken over.

Every info is a warning of its own: the first goes by the message's identifier, the next by `identifier/info-2`. An update ends
the warnings of the messages that it refers to; so do a cancellation, and an info whose response is AllClear, which is no warning.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from pydantic import ValidationError

from schemas.environment import EnvironmentEvent, WeatherCancelled, WeatherWarned
from streams.core.centre import Centre
from streams.sources import areas, shapes
from streams.sources.door import is_code

LARGEST = 1_048_576
"""Bytes of one file; with 150 polygons one of BMKG has about 50,000."""

_CAP = "{urn:oasis:names:tc:emergency:cap:1.2}"
_BMKG = re.compile(r"\bbmkg\b|badan meteorologi,? klimatologi,? dan geofisika", re.IGNORECASE)
_LONGEST = 64 - len("/info-9999")
"""Characters of an identifier that leave room for the number of an info in a code."""


class CapError(ValueError):
    """A file that is no usable warning; the message names the element and repeats nothing of what it says."""


@dataclass(frozen=True, slots=True)
class Where:
    """The areas of one info: the regions that names and codes mean, and the shapes on the map."""

    regions: frozenset[str]
    shapes: tuple[shapes.Shape, ...]

    def concerns(self, centre: Centre) -> bool:
        """Whether the centre's region is one of these or in one, or its place lies in a shape."""
        place = centre.place
        return areas.is_in(centre.code, self.regions) or (place is not None and any(covers(place) for covers in self.shapes))


@dataclass(frozen=True, slots=True)
class Alert:
    """One CAP message: who ends which warnings and gives which, each where."""

    issuer: str
    sent: datetime
    ends: tuple[str, ...]
    warnings: tuple[tuple[dict[str, Any], Where], ...]

    def concerns(self, centre: Centre) -> bool:
        """Whether there is something to tell the centre. What ends, ends everywhere: an update may have moved away from here."""
        return bool(self.ends) or any(where.concerns(centre) for _, where in self.warnings)

    def is_only_drawn(self) -> bool:
        """Whether an info says by a drawing alone where it is for: then only the `place` of a centre can say whether there."""
        return any(where.shapes and not where.regions for _, where in self.warnings)

    def events(self, centre: Centre) -> Iterator[EnvironmentEvent]:
        """What is told to a centre. Raises `CapError` for what no event can say."""
        try:
            for ended in self.ends:
                yield WeatherCancelled.model_validate(self._envelope("weather.cancelled", {"warning": ended}, centre))
            for warning, where in self.warnings:
                if where.concerns(centre):
                    yield WeatherWarned.model_validate(self._envelope("weather.warned", warning, centre))
        except ValidationError as invalid:
            first = invalid.errors(include_url=False)[0]
            field = str(first["loc"][-1])
            raise CapError(f"{_ELEMENTS.get(field, field)}: {first['msg']}") from None

    def _envelope(self, kind: str, data: dict[str, Any], centre: Centre) -> dict[str, Any]:
        said = "|".join((kind, data["warning"], self.sent.isoformat()))
        return {
            "id": blake2b(said.encode(), digest_size=8).hexdigest(),
            "source": f"/{centre.code}/{self.issuer.lower()}",
            "subject": centre.code,
            "time": self.sent,
            "data": data,
        }


_ELEMENTS = {"warning": "identifier"}
"""The element that a field comes from, where it has another name."""


def parse(xml: bytes) -> Alert:
    """The message of one file. Raises `CapError` for what is no CAP 1.2, too large, hostile, only a test, or not to be told."""
    alert = _root(xml)
    if alert.tag != f"{_CAP}alert":
        raise CapError("alert: the first element is none of CAP 1.2 (urn:oasis:names:tc:emergency:cap:1.2)")
    if (status := _text(alert, "status")) != "Actual":
        raise CapError("status: not Actual, so a test or an exercise" if status else "status: is missing")
    match _text(alert, "msgType"):
        case "Alert" | "Update" | "Cancel" as kind:
            pass
        case _:
            raise CapError("msgType: neither Alert nor Update nor Cancel, so no warning")
    issuer, sent = _who(alert, "sender"), _moment(alert, "sent")
    infos = [] if kind == "Cancel" else alert.findall(f"{_CAP}info")
    holding = [info for info in infos if "AllClear" not in _texts(info, "responseType")]
    ends = _references(alert) if kind != "Alert" or len(holding) < len(infos) else ()
    if not holding and (kind == "Cancel" or infos):
        if not ends:
            raise CapError("references: is missing, so it is not known what is over")
        return Alert(issuer, sent, ends, ())
    if not holding:
        raise CapError("info: is missing")
    identifier = _identifier(_required(alert, "identifier"))
    warnings = []
    for number, (info, where) in enumerate(_once([(info, _where(info)) for info in holding]), 1):
        start = next((name for name in ("onset", "effective") if _text(info, name)), None)
        warning = {
            "warning": identifier if number == 1 else f"{identifier}/info-{number}",
            "event": _slug(info, "event"),
            "severity": _required(info, "severity"),
            "urgency": _required(info, "urgency"),
            "certainty": _required(info, "certainty"),
            "onset": _moment(info, start) if start else sent,
            "expires": _moment(info, "expires"),
            "attribution": _who(info, "senderName") if _text(info, "senderName") else issuer,
        }
        warnings.append((warning, where))
    return Alert(issuer, sent, tuple(ended for ended in ends if ended != identifier), tuple(warnings))


def listed(rss: bytes) -> dict[str, str]:
    """The addresses of the files that a list (RSS 2.0) names, each with when it was published as written there, in its order.

    Raises `CapError` for what is no such list, too large or hostile.
    """
    root = _root(rss)
    if root.tag != "rss":
        raise CapError("rss: the first element is none of RSS 2.0")
    items = [item for channel in root.findall("channel") for item in channel.findall("item")]
    links = {(item.findtext("link") or "").strip(): (item.findtext("pubDate") or "").strip() for item in items}
    if "" in links:
        raise CapError("link: is missing in an item")
    return links


def _root(xml: bytes) -> Element:
    if len(xml) > LARGEST:
        raise CapError(f"larger than {LARGEST:,} bytes")
    try:
        root: Element = fromstring(xml, forbid_dtd=True)
    except DefusedXmlException:
        raise CapError("has a document type or entities, which no CAP needs; refused") from None
    except ParseError as error:
        raise CapError(f"no XML: {error}") from None
    except (ValueError, LookupError):
        raise CapError("no XML: an encoding that is not known; CAP is UTF-8") from None
    return root


def _where(info: Element) -> Where:
    found = info.findall(f"{_CAP}area")
    regions = frozenset[str]().union(*(areas.named(_text(area, "areaDesc")) for area in found))
    codes = [
        areas.coded(_text(code, "valueName"), _text(code, "value")) for area in found for code in area.findall(f"{_CAP}geocode")
    ]
    drawn = []
    for name, read in (("polygon", shapes.polygon), ("circle", shapes.circle)):
        try:
            drawn += [read(text) for area in found for text in _texts(area, name)]
        except ValueError:
            raise CapError(f"{name}: not as CAP writes it, latitude before longitude: {_SHAPES[name]}") from None
    return Where(regions.union(code for code in codes if code is not None), tuple(drawn))


_SHAPES = {"polygon": "-6.4,106.6 -6.4,107.0 -6.8,107.0 -6.4,106.6", "circle": "-6.6,106.8 12.5"}


def _once(infos: list[tuple[Element, Where]]) -> list[tuple[Element, Where]]:
    """Every info but those that tell in another language what one before tells; Indonesian goes before the others."""
    told: list[tuple[Element, Where]] = []
    languages: dict[str, list[tuple[Element, Where]]] = {}
    for info, where in infos:
        languages.setdefault((_text(info, "language") or "en").lower()[:2], []).append((info, where))
    for language in sorted(languages, key=lambda language: language != "id"):
        free = list(told)
        for info, where in languages[language]:
            same = [(one, there) for one, there in free if _facts(one) == _facts(info)]
            alike = [pair for pair in same if pair[1].regions == where.regions] or [
                pair for pair in same if _touch(pair[1], where)
            ]
            if alike:
                free.remove(alike[0])
            else:
                told.append((info, where))
    return told


def _facts(info: Element) -> tuple[str, ...]:
    """What an info says in the same words in every language."""
    return tuple(_text(info, name) for name in ("severity", "urgency", "certainty", "effective", "onset", "expires"))


def _touch(one: Where, other: Where) -> bool:
    """Whether two infos may be of one place: their regions meet, or names of one are not understood."""
    if not one.regions or not other.regions:
        return True
    return any(areas.is_in(code, other.regions) for code in one.regions)


def _identifier(text: str) -> str:
    """A warning's code: its identifier, or a hash of one that is too long or has other signs. CAP allows no blanks and commas."""
    if re.search(r"[\s,<&]", text):
        raise CapError("identifier: has a blank, a comma, < or &, which CAP forbids")
    return text if is_code(text) and len(text) <= _LONGEST else blake2b(text.encode(), digest_size=16).hexdigest()


def _references(alert: Element) -> tuple[str, ...]:
    """The identifiers that it refers to, written as `sender,identifier,sent` with blanks between."""
    found = [reference.split(",") for reference in _text(alert, "references").split()]
    if any(len(parts) != 3 for parts in found):
        raise CapError("references: not sender,identifier,sent")
    return tuple(dict.fromkeys(_identifier(parts[1]) for parts in found))


def _text(element: Element, name: str) -> str:
    return (element.findtext(f"{_CAP}{name}") or "").strip()


def _texts(element: Element, name: str) -> list[str]:
    return [(found.text or "").strip() for found in element.findall(f"{_CAP}{name}")]


def _required(element: Element, name: str) -> str:
    text = _text(element, name)
    if not text:
        raise CapError(f"{name}: is missing")
    return text


def _moment(element: Element, name: str) -> datetime:
    text = _required(element, name)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise CapError(f"{name}: no time such as 2024-11-24T14:05:00+07:00") from None
    if moment.tzinfo is None:
        raise CapError(f"{name}: a time without a zone")
    return moment


def _slug(element: Element, name: str) -> str:
    """`Hujan Lebat dan Petir` as a code: hujan-lebat-dan-petir."""
    slug = re.sub(r"[^a-z0-9]+", "-", _required(element, name).lower()).strip("-")[:64]
    if not slug:
        raise CapError(f"{name}: no Latin letter to make a code of")
    return slug


def _who(element: Element, name: str) -> str:
    """Who warns, as a code. BMKG, which must be named wherever its warnings are shown, goes by its short name."""
    return "BMKG" if _BMKG.search(_text(element, name)) else _slug(element, name)

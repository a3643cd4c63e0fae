"""Weather warnings in CAP 1.2 (XML) as events. https://docs.oasis-open.org/emergency/cap/v1.2/CAP-v1.2-os.html

Made for those of BMKG (https://data.bmkg.go.id/peringatan-dini-cuaca): a file for each warning, its area named as the province,
`effective` in place of `onset`, and in Indonesian and in English under one identifier. No free text is taken over.

An update ends the warnings that it refers to, and is one of its own.
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

LARGEST = 1_048_576
"""Bytes of one file; with 150 polygons one of BMKG has about 50,000."""

_CAP = "{urn:oasis:names:tc:emergency:cap:1.2}"
_BMKG = re.compile(r"\bbmkg\b|badan meteorologi,? klimatologi,? dan geofisika", re.IGNORECASE)
_KIND_OF_AREA = re.compile(r"^(provinsi|kota|kabupaten|kab\.?)\s+", re.IGNORECASE)


class CapError(ValueError):
    """A file that is no usable warning; the message names the element and repeats nothing of what it says."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One CAP message: who ends which warnings and gives which, and where. `areas` are the names of its areas."""

    issuer: str
    sent: datetime
    ends: tuple[str, ...]
    warning: dict[str, Any] | None
    areas: tuple[str, ...]

    def concerns(self, centre: Centre) -> bool:
        """Whether an area is the centre's province or names its city or regency. One that says no area ends warnings anywhere."""
        name = _KIND_OF_AREA.sub("", centre.name)
        parts = [_KIND_OF_AREA.sub("", part.strip()).casefold() for area in self.areas for part in re.split(r"[,;\n]", area)]
        if self.warning is None and not parts:
            return True
        named = re.compile(rf"\b{re.escape(name)}\b", re.IGNORECASE)
        return (centre.province != "" and centre.province.casefold() in parts) or any(map(named.search, self.areas))

    def events(self, centre: Centre) -> Iterator[EnvironmentEvent]:
        """What is told to a centre. Raises `CapError` for what no event can say."""
        try:
            for ended in self.ends:
                yield WeatherCancelled.model_validate(self._envelope("weather.cancelled", {"warning": ended}, centre))
            if self.warning is not None:
                yield WeatherWarned.model_validate(self._envelope("weather.warned", self.warning, centre))
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
    if len(xml) > LARGEST:
        raise CapError(f"larger than {LARGEST:,} bytes")
    try:
        alert = fromstring(xml, forbid_dtd=True)
    except DefusedXmlException:
        raise CapError("has a document type or entities, which no CAP needs; refused") from None
    except ParseError as error:
        raise CapError(f"no XML: {error}") from None
    except (ValueError, LookupError):
        raise CapError("no XML: an encoding that is not known; CAP is UTF-8") from None
    if alert.tag != f"{_CAP}alert":
        raise CapError("alert: the first element is none of CAP 1.2 (urn:oasis:names:tc:emergency:cap:1.2)")
    if (status := _text(alert, "status")) != "Actual":
        raise CapError("status: not Actual, so a test or an exercise" if status else "status: is missing")
    match _text(alert, "msgType"):
        case "Alert" | "Update" | "Cancel" as kind:
            pass
        case _:
            raise CapError("msgType: neither Alert nor Update nor Cancel, so no warning")
    ends = () if kind == "Alert" else _references(alert)
    if kind == "Cancel" and not ends:
        raise CapError("references: is missing, so it is not known what is cancelled")
    infos = alert.findall(f"{_CAP}info")
    info = next((info for info in infos if _text(info, "language").lower().startswith("id")), infos[0] if infos else None)
    areas = () if info is None else tuple(_text(area, "areaDesc") for area in info.findall(f"{_CAP}area"))
    issuer, sent = _who(alert, "sender"), _moment(alert, "sent")
    if kind == "Cancel":
        return Alert(issuer, sent, ends, None, areas)
    if info is None:
        raise CapError("info: is missing")
    start = next((name for name in ("onset", "effective") if _text(info, name)), None)
    warning = {
        "warning": _required(alert, "identifier"),
        "event": _slug(info, "event"),
        "severity": _required(info, "severity"),
        "urgency": _required(info, "urgency"),
        "certainty": _required(info, "certainty"),
        "onset": _moment(info, start) if start else sent,
        "expires": _moment(info, "expires"),
        "attribution": _who(info, "senderName") if _text(info, "senderName") else issuer,
    }
    return Alert(issuer, sent, ends, warning, areas)


def _references(alert: Element) -> tuple[str, ...]:
    """The identifiers that it refers to, written as `sender,identifier,sent` with blanks between."""
    found = [reference.split(",") for reference in _text(alert, "references").split()]
    if any(len(parts) != 3 for parts in found):
        raise CapError("references: not sender,identifier,sent")
    return tuple(dict.fromkeys(parts[1] for parts in found))


def _text(element: Element, name: str) -> str:
    return (element.findtext(f"{_CAP}{name}") or "").strip()


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

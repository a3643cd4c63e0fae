"""The parts as a CycloneDX list with their licences.

The hashes of packages stand in the lock files: a version has dozens of files.
"""

import json
import tomllib
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.spdx import is_expression, is_supported_id
from packageurl import PackageURL

from tests.audit.parts import ROOT, Part

BILL = ROOT / "docs" / "sbom.cdx.json"
SAID = tomllib.loads(Path(__file__).with_name("licences.toml").read_text())


class NotSaidError(ValueError):
    """Nobody says what licence a part has; the message says where to say it."""


def licence(part: Part) -> str:
    """What a part may be used under, as SPDX names it. Raises `NotSaidError`."""
    if part.kind == "maven":
        fits = [group for group in SAID["maven"] if part.group.startswith(group)]
        return _sure(part, SAID["maven"][max(fits, key=len)] if fits else "")
    if part.name in SAID[part.kind]:
        return _sure(part, SAID[part.kind][part.name])
    try:
        said = metadata.metadata(part.name)
    except metadata.PackageNotFoundError:
        return _sure(part, "")
    found = [said[key] for key in ("License-Expression", "License") if key in said and _is_spdx(said[key])]
    return _sure(part, found[0] if found else "")


def _sure(part: Part, text: str) -> str:
    if not _is_spdx(text):
        raise NotSaidError(f"{part}: its licence is not known: make sbom installs it; else say it in tests/audit/licences.toml")
    return text


def _is_spdx(text: str) -> bool:
    return bool(text) and (is_supported_id(text) or is_expression(text))  # the library takes "" for an expression


def bill(parts: Sequence[Part]) -> str:
    """The list as JSON, the same for the same parts. Raises `NotSaidError`."""
    factory = LicenseFactory()
    components = [
        Component(
            type=ComponentType.LIBRARY,
            group=part.group or None,
            name=part.name,
            version=part.version,
            scope=ComponentScope.REQUIRED if part.use == "runs" else ComponentScope.EXCLUDED,
            licenses=[factory.make_from_string(licence(part))],
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=part.sha256)] if part.sha256 else [],
            purl=(purl := PackageURL(part.kind, part.group or None, part.name, part.version)),
            bom_ref=str(purl),
        )
        for part in parts
    ]
    whole = Bom(components=components, serial_number=uuid.uuid5(uuid.NAMESPACE_URL, repr(list(parts))))
    whole.metadata.component = ours = Component(type=ComponentType.APPLICATION, name="pantau112", bom_ref="pantau112")
    whole.register_dependency(ours, [one for one in components if one.scope is ComponentScope.REQUIRED])
    whole.metadata.timestamp = datetime(2026, 1, 1, tzinfo=UTC)  # when it was made would make each another one
    said = json.loads(JsonV1Dot6(whole).output_as_string())
    del said["metadata"]["timestamp"]
    return json.dumps(said, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def differences(said: str, parts: Sequence[Part]) -> list[str]:
    """What a list has that is no part, and what it lacks of them: version, use or hash."""
    listed = {
        (one["purl"].split("@")[0], one["version"], one["scope"], *(each["content"] for each in one.get("hashes", ())))
        for one in json.loads(said)["components"]
        if one.get("licenses")
    }
    wanted = {
        (
            PackageURL(part.kind, part.group or None, part.name).to_string(),
            part.version,
            "required" if part.use == "runs" else "excluded",
            *([part.sha256] if part.sha256 else []),
        )
        for part in parts
    }
    return [
        *(f"{BILL.name} lacks {' '.join(one)}" for one in sorted(wanted - listed)),
        *(f"{BILL.name} has {' '.join(one)}, which no lock file names" for one in sorted(listed - wanted)),
    ]

"""The parts that the lock files name: packages of PyPI, Kafka's jars, and the one script that is kept in the wall."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from streams.stack.jars import read_lock

ROOT = Path(__file__).parents[2]
LOCKS: dict[str, "Use"] = {
    "requirements.lock": "runs",
    "requirements-build.lock": "builds",
    "requirements-dev.lock": "tests",
    "requirements-bench.lock": "tests",
}
SCRIPT = ROOT / "dashboards" / "wall" / "uPlot.iife.min.js"

Use = Literal["runs", "builds", "tests"]


class Part(NamedTuple):
    """One part at one version; a jar and a script have the sha256 of the one file that they are. Those of a package has its lock
    file.
    """

    kind: Literal["pypi", "maven", "npm"]
    group: str
    name: str
    version: str
    use: Use
    sha256: str = ""

    def __str__(self) -> str:
        return f"{self.group}{':' if self.group else ''}{self.name}=={self.version}"


def parts(root: Path = ROOT) -> list[Part]:
    """All, in order; what runs is no part of the tests too. Raises ValueError where a lock file has a line without a hash."""
    found: dict[str, Part] = {}
    for file, use in LOCKS.items():
        for name, version in pinned((root / file).read_text()):
            part = Part("pypi", "", name, version, use)
            found.setdefault(str(part), part)
    for jar in read_lock(root / "streams" / "stack" / "kafka.lock"):
        group, name, version = jar.coordinates
        found[f"{group}:{name}"] = Part("maven", group, name, version, "runs", jar.sha256)
    script = SCRIPT.read_text()
    [version] = re.findall(r"uPlot \(v([\d.]+)\)", script[:200])
    found["uplot"] = Part("npm", "", "uplot", version, "runs", hashlib.sha256(script.encode()).hexdigest())
    return sorted(found.values())


def pinned(lock: str) -> Iterator[tuple[str, str]]:
    """The packages of a lock file with their versions. Raises ValueError where one is not pinned by a hash."""
    lines = re.sub(r"^ *#.*\n", "", lock.replace("\\\n", " "), flags=re.MULTILINE).splitlines()
    for line in filter(None, map(str.strip, lines)):
        said, _, hashes = line.partition(" --hash=sha256:")
        requirement = Requirement(said)
        versions = [one.version for one in requirement.specifier if one.operator == "=="]
        if len(versions) != 1 or not hashes:
            raise ValueError(f"{said}: is not pinned to one version by hashes")
        yield canonicalize_name(requirement.name), versions[0]

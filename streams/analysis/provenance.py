"""Where an answer comes from: what was asked, of which bytes or records, by which centres' files and which program.

Whoever has the same and gives the same command gets the same answer. Nothing here tells of the machine or of the moment it was
made: files stand by their names without folders, and by hashes as `sha256sum` prints them.
"""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from streams.analysis.replay import parse_source
from streams.centres import PACKAGED
from streams.core.nouns import STATE_VERSION
from streams.sources.opened import Opened

if TYPE_CHECKING:
    from streams.analysis.replay import Watch
    from streams.log.reader import Reading

Option = datetime | str | bool | None


@dataclass(frozen=True, slots=True)
class Provenance:
    """What an answer rests on; whole once its sources have been read to their ends."""

    command: str
    """What was asked, as it can be typed in a folder that has the files."""
    centres: Mapping[str, str | None]
    """By the name of each centre's file its hash; None for what is no file: the nation is part of the program."""
    sources: list[tuple[str, "Opened | Reading"]] = field(default_factory=list)
    """What was read, by its name in the command, in the order in which it was opened."""
    version: str = field(default_factory=lambda: version("pantau112"))
    state_version: int = STATE_VERSION

    @classmethod
    def of(cls, verb: str, sources: Sequence[str], centres: Sequence[Path], **options: Option) -> "Provenance":
        """That of a verb's answer; an option that is None or False was not given."""
        words = ["pantau112", *verb.split(), *map(name_of, sources)]
        for name, value in options.items():
            if value is not None and value is not False:
                words.append(f"--{name}")
                words += [] if value is True else [value.isoformat() if isinstance(value, datetime) else value]
        for path in centres:
            words += ["--centre", path.name]
        hashes = {path.name: sha256(path.read_bytes()).hexdigest() if path.is_file() else None for path in centres or [PACKAGED]}
        return cls(shlex.join(words), hashes)

    def watch(self, source: str, also: "Watch" = lambda _: None) -> "Watch":
        """What is to be told of the source once it is open, and tells it on."""

        def told(read: "Opened | Reading") -> None:
            self.sources.append((name_of(source), read))
            also(read)

        return told

    def as_json(self) -> dict[str, Any]:
        """The whole, as it can be kept beside the answer."""
        return {
            "command": self.command,
            "sources": [{"name": name} | _of(read) for name, read in self.sources],
            "centres": [{"name": name, "sha256": found} for name, found in self.centres.items()],
            "version": self.version,
            "state_version": self.state_version,
        }

    def lines(self) -> list[str]:
        """The whole in words, a line each for the command, every source, every centre's file and the program."""
        told = [self.command]
        for name, read in self.sources:
            if isinstance(read, Opened):
                told.append(f"{name}: {_hash(read.sha256, 'not read to its end')}")
            else:
                places = [f"{topic}/{number}/{first}-{end - 1}" for (topic, number), (first, end) in sorted(read.offsets.items())]
                told.append(f"{name}: {' '.join(places) or 'no records'}")
        told += [f"{name}: {_hash(found, 'no file of its own')}" for name, found in self.centres.items()]
        return [*told, f"pantau112 {self.version}, states of version {self.state_version}"]


def name_of(source: str) -> str:
    """A source as it is called in an answer: a file without its folder, a range of topics as it is."""
    found = parse_source(source)
    return found.name if isinstance(found, Path) else source


def _hash(found: str | None, without: str) -> str:
    return without if found is None else f"sha256 {found}"


def _of(read: "Opened | Reading") -> dict[str, Any]:
    if isinstance(read, Opened):
        return {"sha256": read.sha256}
    offsets: dict[str, dict[str, list[int]]] = {}
    for (topic, number), (first, end) in sorted(read.offsets.items()):
        offsets.setdefault(topic, {})[str(number)] = [first, end - 1]
    return {"offsets": offsets}

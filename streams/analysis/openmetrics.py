"""Scrapes of the past as one OpenMetrics text with time stamps, which `promtool tsdb create-blocks-from openmetrics` takes."""

import gzip
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Self

from streams import secret
from streams.core.fault import place_of
from streams.worker.exposition import exposition
from streams.worker.monitor import Monitor

ENDINGS = (".om", ".txt", ".om.gz", ".txt.gz")
"""How the name of such a file ends."""


class OpenMetrics:
    """The file `to`, gzip if its name says so; it appears when the `with` ends well. Family by family, each in the order of time.

    A text cannot say that a series went: whoever reads it believes its last sample for five minutes more. Raises `OSError`.
    """

    def __init__(self, to: Path, labels: Mapping[str, str]) -> None:
        """`labels` are those that a scrape gives every series."""
        self._to = to
        self._own = "{" + "".join(f'{name}="{text}",' for name, text in sorted(labels.items()))
        self._families: dict[str, IO[bytes]] = {}
        self.first: int | None = None
        self.last: int | None = None
        self.samples = 0
        self.left_out: dict[str, str] = {}
        """Centres that could not be measured at some moment, and why."""

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix=f".{self._to.name}.", dir=self._to.parent)
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        part = Path(self._folder.name) / "whole"
        try:
            if kind is None:
                self._gather(part)
                part.replace(self._to)
        finally:
            for family in self._families.values():
                family.close()
            self._folder.cleanup()

    def scrape(self, moment: int, monitor: Monitor) -> None:
        """Write what a worker says at this moment, epoch seconds; moments ascend."""
        self.first = moment if self.first is None else self.first
        self.last = moment
        at = f" {moment}\n"
        for text in exposition(monitor, moment, on_fault=lambda city, error: self.left_out.update({city: place_of(error)})):
            says, kind, samples = text.split("\n", 2)
            file = self._families.get(kind)
            if file is None:
                file = self._families[kind] = (Path(self._folder.name) / f"{len(self._families)}").open("w+b")
                name, of = kind.split(" ")[2:]
                named = name.removesuffix("_total") if of == "counter" else name
                described = says.split(" ", 3)[3].replace('"', '\\"')
                file.write(f"# HELP {named} {described}\n# TYPE {named} {of}\n".encode())
            file.write(samples.replace('{city="', f'{self._own}city="').replace("\n", at).encode())
            self.samples += samples.count("\n")

    def _gather(self, part: Path) -> None:
        with (
            open(part, "wb", opener=secret.private) as raw,
            gzip.GzipFile("", "wb", 6, raw, mtime=0) if self._to.suffix == ".gz" else raw as whole,
        ):
            for family in self._families.values():
                family.seek(0)
                shutil.copyfileobj(family, whole)
            whole.write(b"# EOF\n")

"""Recording A of tests/data/asterisk: what a real Asterisk told of ten minutes, and what its callers and seats saw."""

import gzip
import json
from functools import cache
from typing import Any

from schemas.event import Event
from streams.core.centre import parse
from streams.sources import ami, read
from streams.sources.ami.blocks import Block, Blocks
from streams.sources.door import Door
from streams.sources.pseudonym import keyed
from tests.conftest import DATA

START = 1_795_718_969.373
CENTRE = parse("""
code = "32.71"
name = "Kota Uji"
timezone = "Asia/Jakarta"
sources = ["/32.71/ami", "/32.71/asterisk"]
queues = ["112", "112-overflow"]
wrap_up_seconds = 4
seats = [
  { code = "seat-1", also = ["PJSIP/1001"] },
  { code = "seat-2", also = ["PJSIP/1002"] },
  { code = "seat-3", also = ["PJSIP/1003"] },
  { code = "seat-9", also = ["PJSIP/1009"] },
]
links = [
  { code = "telkom", carrier = "telkom", also = ["PJSIP/telkom"], channels = 30 },
  { code = "indosat", carrier = "indosat" },
  { code = "xl", carrier = "xl" },
]
""")
SOURCE = "/32.71/ami"
TRUTH: dict[str, Any] = json.loads((DATA / "asterisk" / "truth.json").read_text())
CALLS: list[dict[str, Any]] = sorted(TRUTH["calls"], key=lambda call: float(call["arrived"]))


def reader(memory: str | None = None) -> ami.Reader:
    return ami.Reader(CENTRE, SOURCE, Door(keyed(b"sixteen bytes key"), [CENTRE]), memory)


@cache
def stream(name: str = "ami.full.txt.gz") -> bytes:
    path = DATA / "asterisk" / name
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def blocks_of(text: bytes) -> list[Block]:
    return Blocks().feed(text)


@cache
def told() -> tuple[Event, ...]:
    """What the manager interface told, in its order."""
    return tuple(ami.events([stream()], reader()))


@cache
def logged() -> tuple[Event, ...]:
    """What the queue_log of the same exchange says."""
    lines = read(DATA / "asterisk" / "queue_log", CENTRE, Door(keyed(b"sixteen bytes key"), [CENTRE]))
    return tuple(line.item for line in lines if isinstance(line.item, Event))


def facts(event: Event) -> tuple[str, dict[str, Any]]:
    return event.type, event.data.model_dump(by_alias=True, exclude_unset=True, exclude_none=True)

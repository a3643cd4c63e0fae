"""What the alerts are tried on: months of a bank's calls, a week of a fire department's dispatch, simulated weeks of Bogor."""

import gzip
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from schemas.event import OLDEST_RECORDING, Event
from streams import centres
from streams.core.centre import Centre
from streams.sources import asterisk, rows, simulate
from streams.sources.door import Door
from streams.sources.table import Query, shipped
from tests.conftest import DATA
from tests.sources import anonymous_bank

BANK = Path(__file__).parents[3] / "shared" / "data" / "anonymous_bank"
SIMULATED_DAYS = 28


class Period(NamedTuple):
    """A part of a recording that is reported for itself: the months of one that was folded as a whole."""

    name: str
    start: float
    end: float


@dataclass(frozen=True)
class Recording:
    """Events of one centre in the order of time, what it is said to be, and the files that it needs."""

    name: str
    about: str
    centre: Centre
    read: Callable[[Centre], Iterable[Event]]
    files: tuple[Path, ...] = ()
    months: bool = False
    """Each month apart, so that it shows what the one before has taught."""

    def events(self) -> list[Event]:
        """By their own time, as a live feed would have brought them."""
        return sorted(self.read(self.centre), key=lambda event: event.time)

    def periods(self, events: list[Event]) -> list[Period]:
        """The whole, or its months by the clock of the centre."""
        first, last = (event.time.astimezone(self.centre.timezone) for event in (events[0], events[-1]))
        if not self.months:
            return [Period(self.name, first.timestamp(), last.timestamp())]
        found, start = [], first
        while start < last:
            end = min(last, datetime(start.year + start.month // 12, start.month % 12 + 1, 1, tzinfo=self.centre.timezone))
            found.append(Period(f"{self.name}, {start:%B %Y}", start.timestamp(), end.timestamp()))
            start = end
        return found


def _table(name: str, paths: Iterable[Path]) -> Callable[[Centre], Iterable[Event]]:
    def read(centre: Centre) -> Iterator[Event]:
        for path in paths:
            query = Query(shipped(name), centre, Door(None, [centre]), earliest=OLDEST_RECORDING)
            with rows.opened(path, lambda *_: None) as found:
                yield from query.read(found, lambda *_: None)

    return read


def _queue_log(path: Path) -> Callable[[Centre], Iterable[Event]]:
    def read(centre: Centre) -> Iterator[Event]:
        with gzip.open(path) as lines:
            yield from asterisk.events(lines, centre, f"/{centre.code}/asterisk", on_bad=lambda *_: None)

    return read


def _simulated(seed: int) -> Callable[[Centre], Iterable[Event]]:
    def read(centre: Centre) -> Iterable[Event]:
        start = datetime(2026, 1, 5, tzinfo=centre.timezone)
        end = start + timedelta(days=SIMULATED_DAYS)
        return chain(event for event in simulate.events(seed, start, centre, SIMULATED_DAYS) if event.time < end)

    return read


_TABLES = (BANK / "january1999.tsv.gz", BANK / "february1999.tsv.gz")
_QUEUE_LOG = BANK / "january1999.queue_log.gz"
_WEEK = DATA / "sf_fire" / "week1.csv.gz"
FRANCISCO = Centre.model_validate({"code": "99.01", "name": "San Francisco", "timezone": "America/Los_Angeles"})
_ALL = (
    Recording(
        "bank",
        "January and February 1999 of a bank's call centre, every call that was offered (a table; 11 and 12 January are missing)",
        anonymous_bank.CENTRE,
        _table("anonymous_bank", _TABLES),
        _TABLES,
        months=True,
    ),
    Recording(
        "queue_log",
        "the same January as an Asterisk would have written it, those who never queued left out",
        anonymous_bank.CENTRE,
        _queue_log(_QUEUE_LOG),
        (_QUEUE_LOG,),
    ),
    Recording(
        "san_francisco",
        "7 to 13 April 2020 of San Francisco's fire department: tickets and units, no calls",
        FRANCISCO,
        _table("sf_fire", (_WEEK,)),
        (_WEEK,),
    ),
    Recording(
        "simulated",
        f"{SIMULATED_DAYS} simulated days of Kota Bogor with seats, links, river, weather, tickets and survey",
        centres.load([])["32.71"],
        _simulated(112),
    ),
)
"""San Francisco has the packaged ladders and names no category."""
RECORDINGS = {recording.name: recording for recording in _ALL}

"""What the alerts are tried on: months of a bank's calls, a week of a fire department's dispatch, simulated weeks of Bogor."""

import gzip
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import NamedTuple

from schemas.event import OLDEST_RECORDING, Event
from streams import centres
from streams.core.centre import Centre
from streams.sources import asterisk, rows
from streams.sources.door import Door
from streams.sources.table import Query, shipped
from tests.alarms import storm
from tests.alarms.storm import FIRST_MONDAY, TAUGHT_DAYS, Planted, Trouble
from tests.conftest import DATA
from tests.sources import anonymous_bank

BANK = Path(__file__).parents[3] / "shared" / "data" / "anonymous_bank"


class Period(NamedTuple):
    """A part of a recording that is reported for itself: the months of one that was folded as a whole."""

    name: str
    start: float
    end: float


class Budget(NamedTuple):
    """So many pages and tickets in a week, pages in the worst hour, and minutes from knowable until the page, at most."""

    pages: int | None = None
    tickets: int | None = None
    worst_hour: int | None = None
    minutes: float | None = None


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
    taught_days: int = 0
    """So many days at its beginning teach what is usual here, and are not reported."""
    lookback: int = 6 * 3600
    """Seconds before what is reported that are scraped in every detail; what looks back further sees whole hours."""
    troubles: tuple[Trouble, ...] = ()
    """What was planted in the week that is reported."""
    budget: Budget | None = None
    """What people can answer, where the recording is of a centre that is run as it should be."""

    def since(self, events: Sequence[Event]) -> float:
        """When what is reported begins."""
        return events[0].time.timestamp() + self.taught_days * 86_400

    def events(self) -> list[Event]:
        """By their own time, as a live feed would have brought them."""
        return sorted(self.read(self.centre), key=lambda event: event.time)

    def planted(self, events: Sequence[Event]) -> list[Planted]:
        """When each planted trouble could be known."""
        monday = events[0].time.astimezone(self.centre.timezone).replace(hour=0, minute=0, second=0, microsecond=0)
        return storm.planted(events, self.centre, self.troubles, monday + timedelta(days=self.taught_days))

    def periods(self, events: Sequence[Event]) -> list[Period]:
        """The whole, or its months by the clock of the centre."""
        first, last = (event.time.astimezone(self.centre.timezone) for event in (events[0], events[-1]))
        if not self.months:
            return [Period(self.name, self.since(events), last.timestamp())]
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


def _simulated(seed: int, troubles: tuple[Trouble, ...] = ()) -> Callable[[Centre], Iterable[Event]]:
    def read(centre: Centre) -> Iterable[Event]:
        start = datetime.combine(FIRST_MONDAY, time(), centre.timezone)
        return storm.events(seed, start, centre, TAUGHT_DAYS + 7, troubles, start + timedelta(days=TAUGHT_DAYS))

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
        "ordinary",
        "an ordinary week of Kota Bogor, simulated, after fourteen days that taught what is usual: seats, links that fail now "
        "and then, evenings with an incident, river, weather, tickets and survey",
        centres.load([])["32.71"],
        _simulated(112),
        taught_days=TAUGHT_DAYS,
        budget=Budget(pages=7, tickets=20),
    ),
    Recording(
        "storm",
        "the same week with a storm planted on its Tuesday evening and single troubles in the days after it",
        centres.load([])["32.71"],
        _simulated(112, storm.WEEK),
        taught_days=TAUGHT_DAYS,
        troubles=storm.WEEK,
        budget=Budget(worst_hour=12, minutes=2),
    ),
)
"""San Francisco has the packaged ladders and names no category."""
RECORDINGS = {recording.name: recording for recording in _ALL}

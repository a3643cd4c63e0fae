"""The ladder of reminders: when each of its rungs is passed, by the clock it goes by."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal, assert_never
from zoneinfo import ZoneInfo

from streams.core.centre import Centre, Ladder

ROUTINE = "routine"
"""The ladder of a ticket for which none was said."""


def ladder_of(category: str, opd: str, centre: Centre) -> Ladder:
    """The OPD's own ladder, else that of the category, else `routine`; each in any spelling."""
    category, opd = centre.names.categories[category], centre.names.opds[opd]
    by_opd = next((part.ladder for part in centre.opds if part.code == opd), None)
    by_category = next((part.ladder for part in centre.categories if part.code == category), None)
    return centre.ladders[by_opd or by_category or ROUTINE]


def deadlines(ladder: Ladder, since: float, centre: Centre) -> list[float]:
    """When each rung is passed by a ticket that was sent at `since`; all in epoch seconds.

    A rung of m minutes is passed at the first moment by which 60 m counted seconds have gone by. `always` counts every second.
    `working_days` counts the whole local day, midnight to midnight, if it is an office day and no holiday, and no other day;
    `working_hours` counts the office hours of those days. Slow where holidays must be looked up: ask once per sending.
    """
    wanted = [rung.minutes * 60 for rung in ladder.rungs]
    if ladder.clock == "always":
        return [since + seconds for seconds in wanted]
    found: list[float] = []
    gone = 0.0
    for start, end in _counted(ladder.clock, since, centre):
        while len(found) < len(wanted) and (missing := wanted[len(found)] - gone) <= end - start:
            found.append(start + missing)
        if len(found) == len(wanted):
            break
        gone += end - start
    return found


def _counted(clock: Literal["working_days", "working_hours"], since: float, centre: Centre) -> Iterator[tuple[float, float]]:
    """The stretches of time that count from `since` on, in epoch seconds."""
    zone = centre.timezone
    day = datetime.fromtimestamp(since, zone).date()
    while True:
        if day.isoweekday() in centre.office.days and day not in centre.holidays:
            match clock:
                case "working_days":
                    start, end = _local(day, time.min, zone), _local(day + timedelta(days=1), time.min, zone)
                case "working_hours":
                    start, end = _local(day, centre.office.start, zone), _local(day, centre.office.until, zone)
                case _:
                    assert_never(clock)
            if end > since:
                yield max(start, since), end
        day += timedelta(days=1)


@lru_cache(maxsize=256)
def _local(day: date, clock: time, zone: ZoneInfo) -> float:
    return datetime.combine(day, clock, zone).timestamp()

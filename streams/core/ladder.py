"""The ladder of reminders: when each of its rungs is passed, by the clock it goes by."""

from collections.abc import Collection, Iterator
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal, assert_never
from zoneinfo import ZoneInfo

from streams.core.centre import RESTS, Centre, Ladder, Rest

ROUTINE = "routine"
"""The ladder of a ticket for which none was said."""


def ladder_of(category: str, opd: str, centre: Centre) -> Ladder:
    """The OPD's own ladder, else that of the category, else `routine`; each in any spelling."""
    category, opd = centre.names.categories[category], centre.names.opds[opd]
    by_opd = next((part.ladder for part in centre.opds if part.code == opd), None)
    by_category = next((part.ladder for part in centre.categories if part.code == category), None)
    return centre.ladders[by_opd or by_category or ROUTINE]


def deadlines(ladder: Ladder, since: float, opd: str, centre: Centre) -> list[float]:
    """When each rung is passed by a ticket that was sent to an agency, in any spelling, at `since`; all in epoch seconds.

    A rung of m minutes is passed at the first moment by which 60 m counted seconds have gone by. `always` counts every second.
    `working_days` counts the whole local day, midnight to midnight, if it is none on which the agency rests, and no other day;
    `working_hours` counts the office hours of those days. Slow where holidays must be looked up: ask once per sending. The source
    of the days is in README.md, Working days.
    """
    wanted = [rung.minutes * 60 for rung in ladder.rungs]
    if ladder.clock == "always":
        return [since + seconds for seconds in wanted]
    found: list[float] = []
    gone = 0.0
    for start, end in _counted(ladder.clock, since, _rests_on(opd, centre), centre):
        while len(found) < len(wanted) and (missing := wanted[len(found)] - gone) <= end - start:
            found.append(start + missing)
        if len(found) == len(wanted):
            break
        gone += end - start
    return found


def _rests_on(opd: str, centre: Centre) -> Collection[Rest]:
    """On which days an agency rests: on all that there are, unless the centre's file says less."""
    code = centre.names.opds[opd]
    return next((part.rests_on for part in centre.opds if part.code == code), RESTS)


def _rests(day: date, rests_on: Collection[Rest], centre: Centre) -> bool:
    """Whether an agency that rests on these days does so on this one."""
    return (
        ("weekends" in rests_on and day.isoweekday() not in centre.office.days)
        or ("holidays" in rests_on and day in centre.holidays)
        or ("joint_leave" in rests_on and day in centre.joint_leave)
    )


def _counted(
    clock: Literal["working_days", "working_hours"], since: float, rests_on: Collection[Rest], centre: Centre
) -> Iterator[tuple[float, float]]:
    """The stretches of time that count from `since` on, in epoch seconds."""
    zone = centre.timezone
    day = datetime.fromtimestamp(since, zone).date()
    while True:
        if not _rests(day, rests_on, centre):
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

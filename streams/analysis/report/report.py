"""A report: events folded in hindsight, and every subject made of their rows."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Self

from schemas.topics import Refusal
from streams.analysis import period
from streams.analysis.lost_calls import costs
from streams.analysis.period import Calendar, Period, Word
from streams.analysis.report.callbacks import CALLBACKS
from streams.analysis.report.calls import CALLS
from streams.analysis.report.changes import CHANGES
from streams.analysis.report.classes import CLASSES
from streams.analysis.report.dispatch import TICKETS
from streams.analysis.report.districts import DISTRICTS
from streams.analysis.report.environment import GAUGES, WARNINGS
from streams.analysis.report.handle import HANDLE
from streams.analysis.report.heard import Heard
from streams.analysis.report.hindsight import Hindsight, fold_in_hindsight
from streams.analysis.report.hours import HOURS
from streams.analysis.report.network import LINKS, NOTICES, OUTAGES
from streams.analysis.report.quality import DIFFERENCES, QUALITY
from streams.analysis.report.scene import SCENE
from streams.analysis.report.scope import Costs, Scope
from streams.analysis.report.seats import PAUSES, SEATS
from streams.analysis.report.service_levels import SERVICE_LEVELS
from streams.analysis.report.subject import Row, Subject
from streams.analysis.report.survey import SURVEY
from streams.analysis.report.waits import LONGEST_WAITS, WAITS
from streams.analysis.tables import Tables
from streams.core.centre import Centre
from streams.core.source_clocks import AHEAD_SECONDS
from streams.sources import Line

SUBJECTS: Mapping[str, Subject] = {
    subject.name: subject
    for subject in (
        CHANGES, CALLS, SERVICE_LEVELS, WAITS, LONGEST_WAITS, CALLBACKS, HANDLE, SEATS, PAUSES, HOURS, CLASSES, DISTRICTS,
        TICKETS, SCENE, OUTAGES, LINKS, NOTICES, GAUGES, WARNINGS, SURVEY, QUALITY, DIFFERENCES,
    )
}  # fmt: skip
"""What a report is about, in the order in which it says it."""


PRESETS: Mapping[str, Sequence[str]] = {
    "mayor": ("changes", "calls", "waits", "classes", "districts", "tickets", "scene", "outages", "quality"),
    "eu": ("waits", "calls", "classes"),
    "skm": ("survey", "service_levels", "waits", "tickets", "scene"),
    "outages": ("outages", "links", "notices"),
}
"""Subjects for one reader: the mayor's month; what the EU asks of its 112 (COM(2024) 575: share within 10 s, mean of the longest
tenth, false and abandoned calls); evidence for PEKPPP and SKM; and who tells of outages, with the notices.
"""

Limits = tuple[datetime | None, datetime | None]
"""From when (inclusive) until when (exclusive); None: from the first day that anything was told of, or until the last."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is wanted: which subjects, and by which parts of the time."""

    by: Word | None = None
    subjects: Sequence[str] = tuple(SUBJECTS)


@dataclass(frozen=True, slots=True)
class Report:
    """What was found: the rows of each subject, of which times by centre, and what became of the events."""

    subjects: Mapping[str, Sequence[Row]]
    periods: Mapping[str, Period]
    hindsight: Hindsight


class Reports:
    """Reports of whatever times, of one fold.

    with Reports(read, centres, wall) as reports:
        reports.of(lambda centre: (start, until), Request("day"))
    """

    def __init__(
        self,
        read: Callable[[], Iterable[Line]],
        centres: Mapping[str, Centre],
        wall: float,
        on_refusal: Callable[[int, Refusal], None] = lambda _number, _refusal: None,
        ahead_seconds: float = AHEAD_SECONDS,
    ) -> None:
        """Fold all that `read` gives, twice if something in it is late. Events after a time count too: they say what became of
        what began in it.
        """
        self._centres = centres
        with ExitStack() as stack:
            self._tables = stack.enter_context(Tables(len(centres)))
            self.hindsight = fold_in_hindsight(read, centres, wall, self._tables, on_refusal, ahead_seconds)
            self._told = dict(_told(self.hindsight.heard, centres))
            # Long to work out, and the same for every subject and every time that is asked for.
            self._costs = cache(self._cost)
            self._stack = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def of(self, limits: Callable[[Centre], Limits], request: Request) -> Report:
        """What is true of a time, which each centre's own clocks may begin and end at another moment."""
        periods = {}
        for city, told in self._told.items():
            start, until = limits(self._centres[city])
            periods[city] = Period(start or told.start, until or told.until)
        if not periods:
            return Report({name: () for name in request.subjects}, {}, self.hindsight)
        scope = Scope.of(self._tables, self._centres, periods, request.by, self.hindsight, self._costs)
        return Report({name: [*SUBJECTS[name].rows(scope)] for name in request.subjects}, periods, self.hindsight)

    def _cost(self) -> Costs:
        run, moment = self._tables.connection, self.hindsight.moment or 0.0
        found = (each for city in self._told for each in costs(run, self._centres[city], moment))
        return {(each.outage.city, each.outage.link, each.outage.kind, each.outage.began): each for each in found}

    def over(self, word: Calendar) -> Iterator[str]:
        """The names of all days, weeks, months or years that something was told of from their first day on, and that were over
        when the last event happened, at every centre.
        """
        moment = self.hindsight.moment or 0.0
        found = [
            {
                name
                for name, each in period.parts(told, word, self._centres[city])
                if period.named(name, self._centres[city].timezone) == each and each.until.timestamp() <= moment
            }
            for city, told in self._told.items()
        ]
        yield from sorted(set.intersection(*found)) if found else ()


def _told(heard: Mapping[str, Heard], centres: Mapping[str, Centre]) -> Iterator[tuple[str, Period]]:
    """Each centre that something was told of, and the days in which that was."""
    for city, each in sorted(heard.items()):
        zone = centres[city].timezone
        yield city, Period(period.day_of(each.first, zone).start, period.day_of(each.last, zone).until)

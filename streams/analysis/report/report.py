"""A report: events folded in hindsight, and every subject made of their rows."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from schemas.topics import Refusal
from streams.analysis import period
from streams.analysis.period import Period, Word
from streams.analysis.report.calls import CALLS
from streams.analysis.report.changes import CHANGES
from streams.analysis.report.classes import CLASSES
from streams.analysis.report.districts import DISTRICTS
from streams.analysis.report.hindsight import Hindsight, fold_in_hindsight
from streams.analysis.report.hours import HOURS
from streams.analysis.report.scope import Scope
from streams.analysis.report.service_levels import SERVICE_LEVELS
from streams.analysis.report.subject import Row, Subject
from streams.analysis.report.waits import LONGEST_WAITS, WAITS
from streams.analysis.tables import Tables
from streams.core.centre import Centre
from streams.core.source_clocks import AHEAD_SECONDS
from streams.sources import Line

SUBJECTS: Mapping[str, Subject] = {
    subject.name: subject for subject in (CHANGES, CALLS, SERVICE_LEVELS, WAITS, LONGEST_WAITS, HOURS, CLASSES, DISTRICTS)
}
"""What a report is about, in the order in which it says it."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is wanted: which subjects, of which time of a centre (None: from the first day that anything was told of, until
    the last), and by which parts of it.
    """

    period: Callable[[Centre], tuple[datetime | None, datetime | None]]
    by: Word | None = None
    subjects: Sequence[str] = tuple(SUBJECTS)


@dataclass(frozen=True, slots=True)
class Report:
    """What was found: the rows of each subject, of which times, and what became of the events."""

    subjects: Mapping[str, Sequence[Row]]
    periods: Mapping[str, Period]
    hindsight: Hindsight


def report(
    read: Callable[[], Iterable[Line]],
    centres: Mapping[str, Centre],
    wall: float,
    request: Request,
    on_refusal: Callable[[int, Refusal], None] = lambda _number, _refusal: None,
    ahead_seconds: float = AHEAD_SECONDS,
) -> Report:
    """Fold all that `read` gives, twice if something in it is late, and say of each subject what is true.

    Events after the time count too: they say what became of what began in it.
    """
    with Tables() as tables:
        found = fold_in_hindsight(read, centres, wall, tables, on_refusal, ahead_seconds)
        periods = {}
        for city, centre, told in _told(tables, centres):
            start, until = request.period(centre)
            periods[city] = Period(start or told.start, until or told.until)
        if not periods:
            return Report({name: () for name in request.subjects}, {}, found)
        scope = Scope.of(tables, centres, periods, request.by)
        return Report({name: [*SUBJECTS[name].rows(scope)] for name in request.subjects}, periods, found)


def _told(tables: Tables, centres: Mapping[str, Centre]) -> Iterator[tuple[str, Centre, Period]]:
    """Each centre that something was told of, and the days in which that was."""
    for city, first, last in tables.connection.execute(
        "FROM (FROM journeys SELECT city, date UNION ALL FROM tickets SELECT city, date) "
        "SELECT city, min(date), max(date) GROUP BY city ORDER BY city"
    ).fetchall():
        zone = centres[city].timezone
        yield city, centres[city], Period(period.named(f"{first}", zone).start, period.named(f"{last}", zone).until)

"""A report of two simulated days, and what the core says of the same."""

from functools import cache
from typing import TypeVar

from streams.analysis.report.report import Report
from streams.analysis.report.subject import Row
from streams.sources import simulate
from tests.analysis.report.builders import reported
from tests.builders import START, Said
from tests.builders import said as readings
from tests.trial import KOTA_BOGOR

RowT = TypeVar("RowT", bound=Row)

DAYS = [*simulate.events(112, START, KOTA_BOGOR, days=2, calls_per_day=300)]


@cache
def simulated() -> Report:
    """All that is reported of them, day by day."""
    return reported(DAYS, by="day")


def of_core(found: Report, now: float) -> Said:
    """What the core says of the same at a moment, epoch seconds."""
    return readings(iter(found.hindsight.true.measure(KOTA_BOGOR.code, now)))


def rows(found: Report, kind: type[RowT], span: str = "whole") -> list[RowT]:
    """The rows of a kind, of a span."""
    return [row for each in found.subjects.values() for row in each if isinstance(row, kind) and row.span == span]

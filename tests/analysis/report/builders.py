"""Reports of a few events."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from schemas.event import Event
from streams.analysis.period import Period
from streams.analysis.report.report import Report, Reports, Request
from streams.core.centre import Centre
from streams.sources import Line
from tests.trial import KOTA_BOGOR

WALL = 2e9


def lines(events: Iterable[Event]) -> Iterator[Line]:
    for number, event in enumerate(events, 1):
        yield Line(number, event)


def reported(
    events: Iterable[Event],
    *subjects: str,
    period: Period | None = None,
    centres: Iterable[Centre] = (KOTA_BOGOR,),
    **wanted: Any,
) -> Report:
    told = [*events]
    known: Mapping[str, Centre] = {centre.code: centre for centre in centres}
    if subjects:
        wanted["subjects"] = subjects
    with Reports(lambda: lines(told), known, WALL) as reports:
        return reports.of(lambda _: period or (None, None), Request(**wanted))


def said(report: Report, subject: str, span: str = "whole") -> list[Any]:
    return [row for row in report.subjects[subject] if row.span == span]

"""A subject of a report: what it is called, one tidy table of it, and who makes that."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, NamedTuple

from streams.analysis.report.scope import Scope
from streams.analysis.report.words import Words
from streams.core.proportion import wilson

Real = Annotated[float, "DOUBLE"]


@dataclass(slots=True, kw_only=True)
class Row:
    """A row of any subject: of which centre and of which time it is."""

    city: Annotated[
        str,
        Words("Kota", "City"),
        Words("Kode Kemendagri pusat layanan; * untuk semuanya bersama.", "The centre's Kemendagri code; * for all together."),
    ]
    span: Annotated[
        str,
        Words("Jenis periode", "Kind of period"),
        Words(
            "whole: seluruh periode laporan; part: bagiannya; before: periode sebelumnya; year_before: setahun sebelumnya.",
            "whole: all of the report's time; part: a part of it; before: the time before; year_before: a year before.",
        ),
    ]
    period: Annotated[str, Words("Periode", "Period"), Words("Nama periode.", "The period's name.")]


class Subject(NamedTuple):
    """What a part of a report is about."""

    name: str
    """Of its table."""
    title: Words
    about: Words
    """How it is counted, in a sentence."""
    row: type[Row]
    rows: Callable[[Scope], Iterator[Row]]


class Share(NamedTuple):
    """A share with Wilson's 95 % interval; of nothing there is none."""

    ratio: float | None
    lower: float | None
    upper: float | None


def share(good: int, n: int) -> Share:
    """That of `good` out of `n`."""
    return Share(good / n, *wilson(good, n)) if n else Share(None, None, None)

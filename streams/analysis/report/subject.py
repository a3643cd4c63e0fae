"""A subject of a report: what it is called, one tidy table of it, and who makes that."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, get_args, get_type_hints

from streams.analysis.report.scope import Scope
from streams.analysis.report.words import Words
from streams.analysis.rows.row import columns as typed
from streams.core.proportion import wilson


class Unit(Words):
    """What the figures of a column are in."""


Real = Annotated[float, "DOUBLE"]
Seconds = Annotated[float, "DOUBLE", Unit("detik", "seconds")]
Ratio = Annotated[float, "DOUBLE", Unit("bagian, 0 sampai 1", "share, 0 to 1")]


class Column(NamedTuple):
    """A column of a subject's table."""

    name: str
    type: str
    nullable: bool
    label: Words
    definition: Words
    unit: Unit | None

    @property
    def is_moment(self) -> bool:
        """Whether it is a time."""
        return self.type.startswith("TIMESTAMP")

    @property
    def is_seconds(self) -> bool:
        """Whether it is a length of time."""
        return self.unit is not None and self.unit.en == "seconds"

    @property
    def is_share(self) -> bool:
        """Whether it is shown in percent."""
        return self.unit is not None and self.unit.en.startswith("share")


def columns(row: "type[Row]") -> Iterator[Column]:
    """Those of a row, each with what it is called and what it says."""
    for (name, type_, nullable, definition), hint in zip(
        typed(row), get_type_hints(row, include_extras=True).values(), strict=True
    ):
        about = [*hint.__metadata__, *(each for kind in get_args(get_args(hint)[0]) for each in get_args(kind)[1:])]
        label = next(each for each in about if type(each) is Words)
        yield Column(
            name, type_, nullable, label, Words(*definition), next((each for each in about if isinstance(each, Unit)), None)
        )


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
    on_page: int = 60
    """The most of its rows that a page of paper is to have of one centre; its table has all."""
    foremost: Callable[[Any], float] = lambda _: 0.0
    """Which of them come on the page before others: those with the most. Of equal ones the first."""


def ranked(ascending: str, percent: int) -> str:
    """SQL for the percentile by nearest rank of an ascending list of `n`. One list is enough for several of them."""
    return f"{ascending}[(n * {percent} + 99) // 100]"


class Share(NamedTuple):
    """A share with Wilson's 95 % interval; of nothing there is none."""

    ratio: float | None
    lower: float | None
    upper: float | None


def share(good: int, n: int) -> Share:
    """That of `good` out of `n`."""
    return Share(good / n, *wilson(good, n)) if n else Share(None, None, None)

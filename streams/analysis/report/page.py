"""A report as one page that stands alone: no network, no script, and prints to A4."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from heapq import nlargest
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from streams.analysis.period import Period, whole
from streams.analysis.report.changes import FIGURES, Change
from streams.analysis.report.report import SUBJECTS, Report
from streams.analysis.report.scope import ALL, BEFORE, PART, WHOLE, YEAR_BEFORE
from streams.analysis.report.subject import Column, Row, columns
from streams.analysis.report.words import CODES, Words
from streams.core.centre import Centre

MONTHS = (
    Words("Januari", "January"), Words("Februari", "February"), Words("Maret", "March"), Words("April", "April"),
    Words("Mei", "May"), Words("Juni", "June"), Words("Juli", "July"), Words("Agustus", "August"),
    Words("September", "September"), Words("Oktober", "October"), Words("November", "November"), Words("Desember", "December"),
)  # fmt: skip
DAYS = (
    Words("Senin", "Monday"), Words("Selasa", "Tuesday"), Words("Rabu", "Wednesday"), Words("Kamis", "Thursday"),
    Words("Jumat", "Friday"), Words("Sabtu", "Saturday"), Words("Minggu", "Sunday"),
)  # fmt: skip


MOST_CENTRES = 10
"""Of more, each has a line on the page, and no section of its own."""


class Language(NamedTuple):
    """One of the two, with how it writes numbers."""

    code: str
    file: str
    thousands: str
    decimal: str

    def says(self, words: Words) -> str:
        """The words in it."""
        return words.id if self.code == "id" else words.en

    def number(self, value: float, digits: int = 0) -> str:
        """A number as people write it."""
        return f"{value:,.{digits}f}".translate({ord(","): self.thousands, ord("."): self.decimal, ord("-"): "−"})

    def share(self, value: float) -> str:
        """A share in percent, which no line breaks apart."""
        return f"{self.number(100 * value, 1)}\N{NO-BREAK SPACE}%"

    def points(self, value: float) -> str:
        """A difference of two shares."""
        return f"{self.number(100 * value, 1)}\N{NO-BREAK SPACE}{'poin' if self.code == 'id' else 'points'}"

    def duration(self, seconds: float) -> str:
        """Seconds as people say them."""
        indonesian = self.code == "id"
        if abs(seconds) < 120:
            told, unit = self.number(seconds, 0 if float(seconds).is_integer() else 1), "dtk" if indonesian else "s"
        elif abs(seconds) < 7_200:
            told, unit = self.number(seconds / 60, 1), "mnt" if indonesian else "min"
        else:
            told, unit = self.number(seconds / 3600, 1), "jam" if indonesian else "h"
        return f"{told}\N{NO-BREAK SPACE}{unit}"


LANGUAGES = (Language("id", "laporan", ".", ","), Language("en", "report", ",", "."))


def page(report: Report, centres: Mapping[str, Centre], about: Sequence[str], language: Language) -> str:
    """The page of a report in a language; `about` says where it comes from, line by line."""
    each = [_City(report, centres, language, city) for city in sorted(report.periods)]
    together = [_City(report, centres, language, ALL)] if len(each) > 1 else []
    return _template().render(
        language=language,
        about=about,
        title=title(report, centres, language),
        overview=each if together else [],
        cities=[*together, *(each if len(each) <= MOST_CENTRES else [])],
    )


@cache
def _template() -> Template:
    loader = PackageLoader("streams.analysis.report", ".")
    return Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    ).get_template("page.html")


def title(report: Report, centres: Mapping[str, Centre], language: Language) -> str:
    """Of whom and of when it is."""
    names = [centres[city].name for city in report.periods]
    who = names[0] if len(names) == 1 else language.says(Words(f"{len(names)} kota", f"{len(names)} centres"))
    times = {name_of(period, centres[city], language) for city, period in report.periods.items()}
    return f"112 {who}" + (f" · {times.pop()}" if len(times) == 1 else "")


def name_of(period: Period, centre: Centre, language: Language) -> str:
    """A time as people call it."""
    first, until = (each.astimezone(centre.timezone) for each in period)
    match whole(period, centre.timezone):
        case "day":
            return f"{language.says(DAYS[first.weekday()])}, {_date(first, language)}"
        case "week":
            return language.says(Words("Minggu", "Week")) + f" {first:%G-W%V}"
        case "month":
            return f"{language.says(MONTHS[first.month - 1])} {first.year}"
        case "year":
            return f"{first.year}"
    return f"{_date(first, language)} {first:%H:%M} – {_date(until, language)} {until:%H:%M}"


def _date(local: datetime, language: Language) -> str:
    return f"{local.day} {language.says(MONTHS[local.month - 1])} {local.year}"


def _kind(column: Column) -> str:
    """Where a line may break it: a number nowhere, a moment between day and time, a text as texts do."""
    return "moment" if column.is_moment else "text" if column.type == "VARCHAR" else "number"


class _Table(NamedTuple):
    """What the page has of a subject: its heads with their kind, and lines."""

    name: str
    title: str
    about: str
    heads: list[tuple[str, str]]
    lines: list[list[str]]
    of: str
    """How many rows there are, where the page has not all."""


class _City:
    """What the page says of one centre, or of all together."""

    def __init__(self, report: Report, centres: Mapping[str, Centre], language: Language, city: str) -> None:
        self.code, self._report, self._language = city, report, language
        self._centre = centres.get(city)
        self.name = language.says(Words("Semua kota", "All centres")) if self._centre is None else self._centre.name

    def rows(self, subject: str, span: str = WHOLE) -> list[Any]:
        """Rows of a subject about one span."""
        return [row for row in self._report.subjects.get(subject, ()) if row.city == self.code and row.span == span]

    @property
    def changed(self) -> dict[str, list[tuple[str, str]]]:
        """By verdict and comparison, sentences on what got worse, better, higher or lower; with the kind of the comparison."""
        found: dict[str, list[tuple[str, str]]] = {}
        for span in (BEFORE, YEAR_BEFORE):
            for change in self.rows("changes", span):
                found.setdefault(change.verdict, []).append((span, self._sentence(change)))
        return found

    def _sentence(self, change: Change) -> str:
        figure = next(each for each in FIGURES if each.name == change.figure)
        say = self._language

        def value(number: float, *, is_difference: bool = False) -> str:
            match figure.unit:
                case "share":
                    return say.points(number) if is_difference else say.share(number)
                case "seconds":
                    return say.duration(number)
            return say.number(number, 1)

        name = say.says(figure.title)
        if change.value is None or change.other is None:
            return name if change.value is None else f"{name}: {value(change.value)}"
        told = say.says(Words(f"sebelumnya {value(change.other)}", f"{value(change.other)} then"))
        if change.lower is None or change.upper is None:
            return f"{name}: {value(change.value)} ({told})"
        least, most = (value(each, is_difference=True) for each in (change.lower, change.upper))
        between = say.says(Words(f"selisih antara {least} dan {most}", f"a difference between {least} and {most}"))
        return f"{name}: {value(change.value)} ({told}; {between})"

    @property
    def subjects(self) -> Iterator[_Table]:
        """Every table of the whole time, but what is drawn."""
        for name in self._report.subjects:
            if name != "hours" and (rows := self.rows(name)):
                subject = SUBJECTS[name]
                known = [each for each in columns(subject.row) if each.name not in ("city", "span", "period")]
                foremost = nlargest(subject.on_page, range(len(rows)), key=lambda place: subject.foremost(rows[place]))
                yield _Table(
                    name,
                    self._language.says(subject.title),
                    self._language.says(subject.about),
                    [(self._language.says(each.label), _kind(each)) for each in known],
                    [[self.cell(each, rows[place]) for each in known] for place in sorted(foremost)],
                    self._language.number(len(rows)) if len(rows) > len(foremost) else "",
                )

    def cell(self, column: Column, row: Row) -> str:
        """A cell as people read it."""
        value = getattr(row, column.name)
        match value:
            case None:
                return "–"
            case bool():
                return self._language.says(Words("ya", "yes") if value else Words("tidak", "no"))
            case str():
                return self._language.says(CODES[value]) if value in CODES else value
        if column.is_moment:
            zone = UTC if self._centre is None else self._centre.timezone
            return f"{datetime.fromtimestamp(value, UTC).astimezone(zone):%Y-%m-%d %H:%M:%S}"
        if column.is_share:
            return self._language.share(value)
        if column.is_seconds:
            return self._language.duration(value)
        return self._language.number(value, 0 if isinstance(value, int) else 1)

    @property
    def parts(self) -> list[dict[str, Any]]:
        """What the chart of the parts shows: calls, those answered, and the ratio."""
        rows = self.rows("calls", PART)
        most = max([row.offered for row in rows], default=0) or 1
        return [
            {
                "name": row.period,
                "offered": row.offered,
                "answered": row.answered,
                "ratio": None if row.answer_ratio is None else self._language.share(row.answer_ratio),
                "height": 100 * row.offered / most,
                "share": 100 * row.answered / row.offered if row.offered else 0,
            }
            for row in rows
        ]

    @property
    def heat(self) -> list[tuple[str, list[tuple[int, str, float]]]]:
        """The heat map: a line a weekday, of each hour the mean as text and as a share of the highest."""
        rows = self.rows("hours")
        most = max([row.mean for row in rows], default=0) or 1
        means = {(row.weekday, row.hour): row.mean for row in rows}
        return (
            [
                (
                    self._language.says(day),
                    [
                        (hour, self._language.number(mean, 0 if mean >= 10 else 1), mean / most)
                        if (mean := means.get((weekday, hour))) is not None
                        else (hour, "", 0.0)
                        for hour in range(24)
                    ],
                )
                for weekday, day in enumerate(DAYS, 1)
            ]
            if rows
            else []
        )

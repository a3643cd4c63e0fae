"""The scope of a report: of which centres it is, of which time, and of which times beside it."""

# ruff: noqa: S608 (the SQL is put together of our own words and of codes that have no quotes)

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import inf
from typing import Annotated, Any, TypeVar

import duckdb

from schemas.topics import TOPICS
from streams.analysis import period
from streams.analysis.lost_calls import Cost
from streams.analysis.period import Period, Word
from streams.analysis.report.hindsight import Hindsight
from streams.analysis.rows.row import Moment
from streams.analysis.rows.told import TABLES
from streams.analysis.tables import Tables
from streams.core.centre import Centre

ALL = "*"
"""All centres together, where a row has the code of one."""

StateT = TypeVar("StateT")

WHOLE, PART, BEFORE, YEAR_BEFORE = "whole", "part", "before", "year_before"


@dataclass(frozen=True, slots=True)
class Span:
    """A time of a centre that figures are of."""

    city: Annotated[str, "The centre's Kemendagri code."]
    span: Annotated[str, "whole, part, before or year_before."]
    period: Annotated[str, "Its name."]
    began: Annotated[Moment, "When it began."]
    until: Annotated[Moment, "When it ended (exclusive)."]


Costs = Mapping[tuple[str, str, str, float], Cost]
"""What every outage cost, by its centre, link, kind and beginning."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What subjects ask: tables of rows as `asked.journeys`, `asked.visits`, …, each row once for every span that it began in,
    with the span's `span` and `period`.

    A row is a caller's (`is_caller`) in `asked.journeys` unless it is a test or the leg of another.
    """

    connection: duckdb.DuckDBPyConnection
    centres: Mapping[str, Centre]
    periods: Mapping[str, Period]
    """By centre, because a month begins when its own clocks say so."""
    by: Word | None
    hindsight: Hindsight
    costs: Callable[[], Costs]

    def spans(self) -> Iterator[Span]:
        """The time itself, its parts, and the two that it is compared with."""
        for city, whole in self.periods.items():
            centre = self.centres[city]
            named = [
                *((span, span, self.time(city, span)) for span in (WHOLE, BEFORE, YEAR_BEFORE)),
                *((PART, *part) for part in (period.parts(whole, self.by, centre) if self.by else ())),
            ]
            for span, name, (start, until) in named:
                yield Span(city, span, name, start.timestamp(), until.timestamp())

    @classmethod
    def of(
        cls,
        tables: Tables,
        centres: Mapping[str, Centre],
        periods: Mapping[str, Period],
        by: Word | None,
        hindsight: Hindsight,
        costs: Callable[[], Costs],
    ) -> "Scope":
        """That of the rows in these tables, in place of the one before."""
        scope = cls(tables.connection, centres, periods, by, hindsight, costs)
        run = tables.connection.execute
        if run("SELECT 1 FROM duckdb_schemas() WHERE schema_name = 'asked'").fetchone():
            tables.clear(["spans"])
        else:
            run("CREATE SCHEMA asked")
            tables.make({"spans": Span})
        tables.put([*scope.spans()])
        for name in TABLES:
            began = tables.began(name)
            caller = ", NOT is_test AND outcome IS DISTINCT FROM 'joined' AS is_caller" if name == "journeys" else ""
            # Parts do not overlap, so that each row has one at most; to compare it with each would take a year very long.
            run(
                f"CREATE OR REPLACE TABLE asked.{name} AS "
                f"FROM {name} AS row ASOF JOIN (FROM spans WHERE span = '{PART}') AS time "
                f"ON row.city = time.city AND row.{began} >= time.began "
                f"SELECT time.span, time.period, row.*{caller} WHERE row.{began} < time.until "
                f"UNION ALL FROM {name} AS row JOIN spans AS time "
                f"ON row.city = time.city AND row.{began} >= time.began AND row.{began} < time.until "
                f"SELECT time.span, time.period, row.*{caller} WHERE time.span <> '{PART}'"
            )
        return scope

    def ask(self, sql: str) -> Iterator[dict[str, Any]]:
        """What a query says, each line by the names of its columns."""
        found = self.connection.execute(sql)
        names = [column[0] for column in found.description or ()]
        for told in found.fetchall():
            yield dict(zip(names, told, strict=True))

    @property
    def moment(self) -> float:
        """When the last event happened, epoch seconds: what goes on then is known until then."""
        return self.hindsight.moment or 0.0

    def states(self, noun: str, kind: type[StateT]) -> dict[str, StateT]:
        """By centre, what is true of a noun in the end: an empty state where nothing was told of it."""
        topic = next(topic.name for topic in TOPICS if topic.noun == noun)
        found = {centre.code: state for centre, state in self.hindsight.true.states(topic, 0)}
        return {city: found.get(city) or kind() for city in self.periods}

    def known(self, span: Span, since: float | None) -> tuple[float, float]:
        """From when until when a span is known, of what is told of `since` then; epoch seconds, both the same of nothing."""
        until = min(span.until, self.moment)
        return min(until, max(span.began, inf if since is None else since)), until

    def grouped(self, *also: str) -> str:
        """The GROUP BY of a figure: for each centre and span, and for all centres together where there are several."""
        each = ", ".join(["span", "period", *also])
        if len(self.periods) == 1:
            return f"GROUP BY city, {each}"
        return f"GROUP BY GROUPING SETS ((city, {each}), ({each}))"

    def time(self, city: str, span: str) -> Period:
        """When one that is no part began and ended."""
        whole, zone = self.periods[city], self.centres[city].timezone
        match span:
            case "before":
                return period.before(whole, zone)
            case "year_before":
                return period.year_before(whole, zone)
        return whole

    @property
    def level(self) -> str:
        """SQL for Asterisk's threshold at the city of a row, in seconds; NULL for all centres together, if they have not one."""
        levels = {city: self.centres[city].thresholds.service_level_seconds for city in self.periods}
        if len({*levels.values()}) == 1:
            return f"{next(iter(levels.values()))}"
        return "CASE city " + " ".join(f"WHEN '{city}' THEN {seconds}" for city, seconds in levels.items()) + " END"

"""What may be published of calls: counts of whole months by district and by hour, of which none is of fewer than k calls.

Nobody can be told apart by differences either. A month is counted alone, when it is over and was seen from its beginning, so what
two ranges have in common they say alike. And with a larger k only cells are put together that a smaller one has, so that the one
less the other is never less than a cell.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated

import duckdb

from streams.core.centre import Centre

_PARTS = (2, 2, 2, 3)
"""Into how many equal parts hours are split, one after the other: a day, half of it, a quarter, three hours."""


@dataclass(slots=True)
class ByDistrict:
    """Calls of a month by district, tests left out; districts with fewer than k are put together."""

    city: Annotated[str, "The centre's Kemendagri code."]
    month: Annotated[str, "The local month, as 2026-01."]
    districts: Annotated[str, "Codes of the districts, with commas; unknown where none was told."]
    calls: Annotated[int, "How many journeys came from them."]


@dataclass(slots=True)
class ByHour:
    """Calls of a month by the hour of the day, tests left out; hours with fewer than k are put together."""

    city: Annotated[str, "The centre's Kemendagri code."]
    month: Annotated[str, "The local month, as 2026-01."]
    first_hour: Annotated[int, "The first local hour of the day, 0 to 23."]
    last_hour: Annotated[int, "The last one."]
    calls: Annotated[int, "How many journeys came in those hours."]


PUBLISHED: Mapping[str, type[ByDistrict | ByHour]] = {"calls_by_district": ByDistrict, "calls_by_hour": ByHour}


def publication(
    connection: duckdb.DuckDBPyConnection, centres: Mapping[str, Centre], k: int, start: datetime | None, until: datetime | None
) -> Iterator[ByDistrict | ByHour]:
    """The counts of each whole month from `start` to `until` (exclusive) that the `journeys` of a connection know all of."""
    seen = connection.execute("FROM journeys SELECT city, min(date), max(date) GROUP BY city ORDER BY city").fetchall()
    for city, first, last in seen:
        for month in months(first, last, centres[city], start, until):
            of_month = (
                "FROM journeys SELECT {what}, count(*) WHERE city = ? AND strftime(date, '%Y-%m') = ? AND NOT is_test "
                "AND outcome IS DISTINCT FROM 'joined' GROUP BY 1"
            )
            told = dict(connection.execute(of_month.format(what="coalesce(district, 'unknown')"), [city, month]).fetchall())
            for codes, calls in by_district(told, k):
                yield ByDistrict(city, month, ",".join(codes), calls)
            came = dict(connection.execute(of_month.format(what="hour"), [city, month]).fetchall())
            for first_hour, last_hour, calls in by_hour([came.get(hour, 0) for hour in range(24)], k):
                yield ByHour(city, month, first_hour, last_hour, calls)


def months(first: date, last: date, centre: Centre, start: datetime | None, until: datetime | None) -> Iterator[str]:
    """The months between the days of the first call and the last that are whole: calls are known of before, and of a day after,
    when nothing of it can be restated any more.
    """
    begin = first.replace(day=1)
    while begin <= last:
        end = (begin + timedelta(days=31)).replace(day=1)
        opens, closes = (datetime(day.year, day.month, 1, tzinfo=centre.timezone) for day in (begin, end))
        if first < begin and end < last and (start is None or start <= opens) and (until is None or closes <= until):
            yield f"{begin:%Y-%m}"
        begin = end


def by_district(calls: Mapping[str, int], k: int) -> Iterator[tuple[list[str], int]]:
    """Districts and their calls, none fewer than k: the smallest are put together until they are as many."""
    ascending = sorted((n, code) for code, n in calls.items())
    pool: list[str] = []
    pooled = 0
    while ascending and (ascending[0][0] < k or 0 < pooled < k):
        n, code = ascending.pop(0)
        pool.append(code)
        pooled += n
    if pooled >= k:
        yield sorted(pool), pooled
    yield from (([code], n) for n, code in ascending)


def by_hour(calls: Sequence[int], k: int, first: int = 0, depth: int = 0) -> Iterator[tuple[int, int, int]]:
    """First hour, last hour and calls, none fewer than k; hours without any are left out. `calls` are by hour, from `first` on.

    A stretch is split into its equal parts if none of these has fewer than k, but for those that have no call.
    """
    total = sum(calls)
    if total < k:
        return
    if depth < len(_PARTS):
        length = len(calls) // _PARTS[depth]
        parts = [calls[at : at + length] for at in range(0, len(calls), length)]
        if all(sum(part) == 0 or sum(part) >= k for part in parts):
            for number, part in enumerate(parts):
                yield from by_hour(part, k, first + number * length, depth + 1)
            return
    yield first, first + len(calls) - 1, total

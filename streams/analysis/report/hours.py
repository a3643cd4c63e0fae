"""When callers come: by the hour of the day and the day of the week."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from streams.analysis.report.scope import WHOLE, Scope
from streams.analysis.report.subject import Real, Row, Subject
from streams.analysis.report.words import Words


@dataclass(slots=True, kw_only=True)
class Hour(Row):
    """An hour of a day of the week."""

    weekday: Annotated[int, Words("Hari", "Weekday"), Words("1 (Senin) sampai 7.", "1 (Monday) to 7.")]
    hour: Annotated[int, Words("Jam", "Hour"), Words("Jam setempat, 0 sampai 23.", "Local hour, 0 to 23.")]
    calls: Annotated[int, Words("Panggilan", "Calls"), Words("Yang masuk.", "Offered.")]
    hours: Annotated[
        int,
        Words("Banyaknya jam", "Hours"),
        Words("Berapa jam seperti itu ada dalam periode.", "How many such hours the time has."),
    ]
    mean: Annotated[Real, Words("Per jam", "Per hour"), Words("Panggilan dibagi banyaknya jam.", "Calls by hours.")]


def rows(scope: Scope) -> Iterator[Hour]:
    """Each hour of the week that the time has, of each centre."""
    came = {
        (told["city"], told["weekday"], told["hour"]): told["calls"]
        for told in scope.ask(
            f"FROM asked.journeys SELECT city, weekday, hour, count(*) AS calls WHERE is_caller AND span = '{WHOLE}' GROUP BY ALL"
        )
    }
    for city, (start, until) in scope.periods.items():
        zone = scope.centres[city].timezone
        # Quarters, because there are zones of a half and of three quarters of an hour.
        moments = (
            datetime.fromtimestamp(at, UTC).astimezone(zone) for at in range(int(start.timestamp()), int(until.timestamp()), 900)
        )
        quarters = Counter((local.isoweekday(), local.hour) for local in moments)
        for (weekday, hour), n in sorted(quarters.items()):
            calls, hours = came.get((city, weekday, hour), 0), max(1, round(n / 4))
            yield Hour(
                city=city, span=WHOLE, period=WHOLE, weekday=weekday, hour=hour, calls=calls, hours=hours, mean=calls / hours
            )


HOURS = Subject(
    "hours",
    Words("Jam dan hari", "Hours and weekdays"),
    Words("Panggilan yang masuk menurut jam setempat.", "Calls offered, by the centre's own clocks."),
    Hour,
    rows,
)

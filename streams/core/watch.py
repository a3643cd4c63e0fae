"""Watches: who is told what a state counts, one by one, while it does: for rows of what is over, as an analyst wants them.

They are no part of the state: they are not stored, and no figure depends on them. Where nobody watches, as in a worker, nothing
is told.
"""

from collections.abc import Collection, Mapping

from schemas.survey import Instrument
from streams.core.callbook import Place
from streams.core.journey import Journey, Visit
from streams.core.ticket import Ticket
from streams.core.timeline import Past
from streams.core.totals import Outcome
from streams.core.warning import WeatherWarning


class CallWatch:
    """Who watches the calls of one centre. Times are epoch seconds; a `key` is that of a journey, which may come again."""

    def opened(self, key: str) -> None:
        """Something was told of a journey that was not open: of a new one, or of one that goes on as the book says."""

    def came(self, journey: Journey, time: float, place: Place, link: str | None, district: str | None) -> None:
        """A journey of the city is counted. Its place in the book says who called, and whether its class is known already."""

    def named(self, place: Place) -> None:
        """It was said what the call was."""

    def contacted(self, caller: str, time: float) -> None:
        """The centre reached somebody who had hung up, by the name that the book has."""

    def erased(self, forms: Collection[str]) -> None:
        """Whoever has a name that begins so is not to be known any more."""

    def visited(self, journey: Journey, entered: float) -> None:
        """The visit that a journey is on is counted."""

    def left(self, journey: Journey, visit: Visit, outcome: Outcome, wait: float | None) -> None:
        """It was answered or lost; one that is told twice of a visit was restated."""

    def ended(self, journey: Journey, outcome: Outcome, wait: float | None, time: float) -> None:
        """So the waiting of a journey ended."""

    def spoke(self, journey: Journey, visit: Visit, seconds: float | None) -> None:
        """A conversation is over; None where its end was told before its beginning."""

    def joined(self, leg: str, whole: str, *, talks: bool) -> None:
        """A journey turned out to be a leg of another, which now is on the leg's visit or (unless it `talks` so) on its own."""

    def announced(self, key: str, queue: str, entered: float, lost: float, wait: float | None, *, journey: bool) -> None:
        """A lost visit turned out to be none: the caller was in the announcement; and so ended the `journey`."""

    def passed_on(self, journey: Journey, to: str) -> None:
        """It went to another centre."""

    def cut_off(self, key: str, queue: str | None) -> None:
        """It turned out that the network ended the conversation."""

    def over(self, key: str, time: float) -> None:
        """Nothing more is expected of a journey."""


class TicketWatch:
    """Who watches the tickets of one centre, by their names."""

    def opened(self, name: str, ticket: Ticket) -> None:
        """The opening of a ticket is counted; it may have been reopened already."""

    def over(self, name: str, ticket: Ticket, reopened: float | None) -> None:
        """A ticket is put away, or was closed and is reopened then, epoch seconds: what was told before is forgotten."""

    def answered(self, name: str, opd: str, since: float, seconds: float) -> None:
        """How long the agency of this label took, to which it was sent `since` then, is counted."""

    def passed_on(self, name: str, opd: str) -> None:
        """The agency of this label handed it to another one."""

    def reminded(self, name: str, opd: str) -> None:
        """The message of a reminder to the agency of this label was taken."""


class LinkWatch:
    """Who watches the links of one centre, by their codes."""

    def turned(self, link: str, time: float, *, up: bool) -> None:
        """A link went down or, after that, came up."""

    def registered(self, link: str, time: float, *, stands: bool) -> None:
        """A SIP registration was found lost or, after that, stands."""


class SeatWatch:
    """Who watches the seats of one centre, by their codes."""

    def rang_out(self, seat: str, time: float, seconds: float | None) -> None:
        """A call that was not taken is counted; it rang for so long, if that was told."""

    def past(self, seat: str, over: Past) -> None:
        """The next stretch of a seat's time is settled: what is told late changes it no more."""


class EnvironmentWatch:
    """Who watches the gauges and weather warnings of one centre."""

    def read(self, gauge: str, level: float, time: float) -> None:
        """A gauge was read, in centimetres."""

    def over(self, name: str, warning: WeatherWarning) -> None:
        """A weather warning is forgotten: what is told under that name from now on is another one."""


class SurveyWatch:
    """Who watches the survey of one centre."""

    def answered(self, time: float, instrument: Instrument, scores: Mapping[str, int]) -> None:
        """A respondent's scores by item are counted."""

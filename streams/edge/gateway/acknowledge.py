"""An agency says by the link of a reminder that it has a ticket: `ticket.acknowledged`, once however often it is said.

Only pressing the button says it; looking does not, because chat programs look at every link. Whether it was said before is read
in the log, so that every gateway knows, and a link that is used again cannot answer for a sending it was not made for.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from aiohttp import web

from schemas.dispatch import OfOpd, TicketAcknowledged
from schemas.event import Event
from schemas.topics import DISPATCH, Topic
from streams.core.names import plain
from streams.edge.gateway import ticket_page
from streams.edge.gateway.server import EventLog
from streams.edge.gateway.telephone import not_now
from streams.log.access import LogError
from streams.worker.advisor import made_from
from streams.worker.signed_ticket import ExpiredError, ForgedError, SignedTicket, read

log = logging.getLogger(__name__)

EARLIER = timedelta(hours=1)
"""Nobody is reminded of a ticket before its rung was passed; but clocks differ."""

AT_ONCE = 8
"""Links that are looked after at once."""


class Past(Protocol):
    """What was told before."""

    async def events(self, topic: Topic, centre: str, since: datetime, kind: str) -> Sequence[Event]:
        """The events of one type that a centre told since about that moment. Raises `LogError`."""


class Acknowledging:
    """The page of `/v1/tickets/{signed}` and what its button does."""

    def __init__(self, log_: EventLog, past: Past, key: bytes, now: Callable[[], datetime]) -> None:
        self._log, self._past, self._key, self._now = log_, past, key, now
        self._places = asyncio.Semaphore(AT_ONCE)

    @property
    def routes(self) -> Sequence[web.RouteDef]:
        """Where its page is."""
        return [web.get("/v1/tickets/{signed}", self.show), web.post("/v1/tickets/{signed}", self.press)]

    async def show(self, request: web.Request) -> web.StreamResponse:
        """The ticket, with the button unless it was pressed."""
        return await self._answer(request, press=False)

    async def press(self, request: web.Request) -> web.StreamResponse:
        """The button."""
        return await self._answer(request, press=True)

    async def _answer(self, request: web.Request, *, press: bool) -> web.StreamResponse:
        try:
            ticket = read(request.match_info["signed"], self._key, self._now())
        except ForgedError:
            return ticket_page.forged()
        except ExpiredError:
            return ticket_page.expired()
        if self._places.locked():
            return not_now()
        async with self._places:
            try:
                if (before := await self._before(ticket)) is not None:
                    return ticket_page.answered_before(ticket, before, again=press)
                if not press:
                    return ticket_page.to_answer(ticket)
                await self._log.write([self._event(ticket)])
            except LogError as error:
                log.warning("%s", error)
                return not_now()
        return ticket_page.answered(ticket)

    async def _before(self, ticket: SignedTicket) -> datetime | None:
        """When the agency acknowledged this sending of the ticket, by this link or another, or by any way that it has."""
        told = await self._past.events(DISPATCH, ticket.city, ticket.due - EARLIER, "ticket.acknowledged")
        times = [
            event.time
            for event in told
            if isinstance(event, TicketAcknowledged)
            and event.data.ticket == ticket.ticket
            and plain(event.data.opd) == plain(ticket.opd)
            and event.time >= ticket.since
        ]
        return min(times, default=None)

    def _event(self, ticket: SignedTicket) -> TicketAcknowledged:
        return TicketAcknowledged(
            id=made_from(ticket.city, ticket.ticket, ticket.opd, ticket.since.timestamp(), "acknowledged"),
            source=f"/{ticket.city}/gateway",
            subject=ticket.city,
            time=self._now(),
            data=OfOpd(ticket=ticket.ticket, opd=ticket.opd),
        )

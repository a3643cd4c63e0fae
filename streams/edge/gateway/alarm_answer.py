"""Somebody says by the link of a page that he has the alarm: a silence for exactly that alarm, for as long as he says.

Only pressing the button says it; looking does not, because chat programs look at every link.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from urllib.parse import parse_qsl

from aiohttp import web

from streams.core.centre import Centre
from streams.edge.gateway import alarm_page
from streams.edge.gateway.alarms import Alarms, AwayError
from streams.edge.gateway.server import KindError
from streams.edge.gateway.signed_alarm import read
from streams.edge.gateway.silences import CODE
from streams.edge.gateway.telephone import not_now
from streams.worker.signed_ticket import ExpiredError, ForgedError

log = logging.getLogger(__name__)

FORM = "application/x-www-form-urlencoded"
MOST_FIELDS = 10
"""Of the page's form, which has two."""


class Answering:
    """The page of `/v1/alarms/{signed}` and what its button does."""

    def __init__(self, alarms: Alarms, key: bytes, centres: Mapping[str, Centre], now: Callable[[], datetime]) -> None:
        """`centres` by their codes: times are told in their zones."""
        self._alarms, self._key, self._centres, self._now = alarms, key, centres, now
        self._one_by_one = asyncio.Lock()

    @property
    def routes(self) -> Sequence[web.RouteDef]:
        """Where its page is."""
        return [web.get("/v1/alarms/{signed}", self.show), web.post("/v1/alarms/{signed}", self.press)]

    async def show(self, request: web.Request) -> web.StreamResponse:
        """The alarm, with the button unless somebody has it."""
        return await self._answer(request, press=False)

    async def press(self, request: web.Request) -> web.StreamResponse:
        """The button."""
        return await self._answer(request, press=True)

    async def _answer(self, request: web.Request, *, press: bool) -> web.StreamResponse:
        try:
            signed = read(request.match_info["signed"], self._key, self._now())
        except ForgedError:
            return alarm_page.forged()
        except ExpiredError:
            return alarm_page.expired()
        centre = self._centres.get(signed.city)
        said = await _form(request) if press else {}
        try:
            # Who presses second sees what the first one said.
            async with self._one_by_one if press else contextlib.nullcontext():
                found = [alarm for alarm in (await self._alarms.look()).alarms if alarm.fingerprint == signed.fingerprint]
                if not found:
                    return alarm_page.over(signed, centre, again=press)
                [alarm] = found
                if alarm.state == "acknowledged":
                    return alarm_page.taken(alarm, centre, again=press)
                if not press:
                    return alarm_page.to_answer(alarm, centre)
                by, minutes = said.get("by", "").strip().upper(), said.get("minutes", "")
                if not CODE.fullmatch(by) or minutes not in alarm_page.MINUTES:
                    return alarm_page.to_answer(alarm, centre, wrong=True)
                until = await self._alarms.acknowledge(alarm, by, timedelta(minutes=int(minutes)))
        except AwayError as error:
            log.warning("%s", error)
            return not_now()
        return alarm_page.noted(alarm, centre, by, until)


async def _form(request: web.Request) -> dict[str, str]:
    """What was filled in; nothing where it cannot be read. Raises `KindError`."""
    if request.content_type != FORM:
        raise KindError(f"the content type must be {FORM}")
    try:
        return dict(parse_qsl((await request.read()).decode(), max_num_fields=MOST_FIELDS))
    except ValueError:
        return {}

"""The alarms that Alertmanager holds: looked at every second, given the link that a page bears, and silenced for who has one.

Nothing that Alertmanager sends waits for this: without a gateway pages go out without a link. It keeps nothing: who has an alarm
is a silence in Alertmanager. An alarm is given its link by telling it to Alertmanager once more with one annotation more.
Annotations are no part of what an alert is; Prometheus, which repeats its alerts every minute, takes the link away until the next
look.
"""

import asyncio
import contextlib
import logging
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, Literal

import aiohttp

from streams.api import Api
from streams.edge.gateway.signed_alarm import LASTS, SignedAlarm, sign

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
TIMEOUT_SECONDS = 2.0

LINK = "acknowledge_url"
"""The annotation that page.tmpl shows."""

AHEAD = timedelta(seconds=10)
"""What ends sooner gets no link: nobody repeats it, and told once more at the wrong moment it would rise again."""

CODE = re.compile(r"(?=.*[0-9])[A-Za-z0-9]{2,8}")
"""Who has an alarm. With a digit, so that it is no name."""

COMMENT = "Saya tangani / I have it"
"""What a silence of ours says: who made another one may be a person's name, and is not told."""

State = Literal["active", "inhibited", "acknowledged"]

ELSEWHERE = {"alertname", "severity", "city", "name"}
"""Labels that are told by themselves."""


class AwayError(Exception):
    """Alertmanager does not answer, or not as it should; the message says how."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alert that Alertmanager holds; `by` and `until` say who has it, where somebody does and said it here."""

    fingerprint: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    since: datetime
    state: State
    by: str = ""
    until: datetime | None = None

    @property
    def about(self) -> str:
        """What tells it from others of its name and centre; a province where it is of no centre."""
        hidden = ELSEWHERE | {"province"} if self.labels.get("city") else ELSEWHERE
        return ", ".join(f"{name}={text}" for name, text in sorted(self.labels.items()) if name not in hidden)


class Alarms:
    """What one Alertmanager holds, as it was last seen."""

    def __init__(self, session: aiohttp.ClientSession, api: Api, link: Callable[[Alarm, datetime], str] | None) -> None:
        """`api` is Alertmanager's, and `link` makes what a page bears, now."""
        self._session, self._api, self._address, self._link = session, api, api.address, link
        self.seen: Sequence[Alarm] | None = None
        """None while Alertmanager does not answer."""

    async def run(self) -> None:
        """Look every second until cancelled; what goes wrong is said once."""
        said = ""
        while True:
            try:
                self.seen = await self.look()
                said = ""
            except AwayError as error:
                self.seen = None
                if str(error) != said:
                    said = str(error)
                    log.warning("%s", said)
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> Sequence[Alarm]:
        """Ask Alertmanager now, and give every page that has none its link. Raises `AwayError`."""
        alerts, at = await self._ask("GET", "/api/v2/alerts")
        try:
            held = [alert for alert in alerts if alert["labels"]["alertname"] != "Watchdog"]
            silences = {}
            if any(alert["status"]["silencedBy"] for alert in held):
                silences = {silence["id"]: silence for silence in (await self._ask("GET", "/api/v2/silences"))[0]}
            alarms = [_alarm(alert, silences) for alert in held]
            if self._link is not None:
                bare = [
                    _told_again(alert, self._link(alarm, at))
                    for alert, alarm in zip(held, alarms, strict=True)
                    if alarm.labels.get("severity") == "page"
                    and LINK not in alarm.annotations
                    and _moment(alert["endsAt"]) > at + AHEAD
                ]
                if bare:
                    await self._ask("POST", "/api/v2/alerts", bare)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise AwayError(f"{self._address} does not answer as Alertmanager does: {type(error).__name__}") from None
        return alarms

    async def acknowledge(self, alarm: Alarm, by: str, lasting: timedelta) -> datetime:
        """Let nobody be told of exactly this alarm for so long; returns until when. Raises `AwayError`."""
        _, at = await self._ask("GET", "/-/ready")  # its clock counts
        until = at + lasting
        silence = {
            "matchers": [
                {"name": name, "value": text, "isRegex": False, "isEqual": True} for name, text in sorted(alarm.labels.items())
            ],
            "startsAt": at.isoformat(),
            "endsAt": until.isoformat(),
            "createdBy": by,
            "comment": COMMENT,
        }
        await self._ask("POST", "/api/v2/silences", silence)
        return until

    async def _ask(self, method: str, path: str, body: object = None) -> tuple[Any, datetime]:
        """What Alertmanager answers, and its clock. Raises `AwayError`."""
        try:
            async with self._session.request(
                method,
                self._address + path,
                json=body,
                headers=self._api.headers,
                ssl=self._api.tls or True,
                allow_redirects=False,
            ) as answer:
                text = await answer.text()
                if answer.status != 200:
                    raise AwayError(f"{self._address}{path} answers {answer.status}")
                at = parsedate_to_datetime(answer.headers["Date"])
                return (await answer.json() if answer.content_type == "application/json" else text), at
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise AwayError(f"Alertmanager at {self._address} does not answer: {type(error).__name__}") from None
        except (KeyError, ValueError) as error:
            raise AwayError(f"{self._address} does not answer as Alertmanager does: {type(error).__name__}") from None


@contextlib.asynccontextmanager
async def watching(api: Api, gateway: str | None, key: bytes | None) -> AsyncIterator[Alarms]:
    """Look at this Alertmanager within the block.

    Links begin with `gateway`, where people reach it from outside, and are signed with `key`; there are none without both.
    """
    link = None if gateway is None or key is None else partial(_link, gateway.rstrip("/"), key)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)) as session:
        alarms = Alarms(session, api, link)
        looking = asyncio.create_task(alarms.run())
        try:
            yield alarms
        finally:
            looking.cancel()
            await asyncio.wait([looking])


def _link(gateway: str, key: bytes, alarm: Alarm, now: datetime) -> str:
    signed = SignedAlarm(alarm.fingerprint, alarm.labels["alertname"], alarm.labels.get("city", ""), now + LASTS)
    return f"{gateway}/v1/alarms/{sign(signed, key)}"


def _alarm(alert: Mapping[str, Any], silences: Mapping[str, Mapping[str, Any]]) -> Alarm:
    status = alert["status"]
    state: State = "acknowledged" if status["silencedBy"] else "inhibited" if status["inhibitedBy"] else "active"
    by, until = "", None
    for silence in (silences[name] for name in status["silencedBy"] if name in silences):
        ends = _moment(silence["endsAt"])
        if until is None or ends > until:
            ours = silence["comment"] == COMMENT and CODE.fullmatch(silence["createdBy"])
            by, until = silence["createdBy"] if ours else "", ends
    return Alarm(alert["fingerprint"], alert["labels"], alert["annotations"], _moment(alert["startsAt"]), state, by, until)


def _told_again(alert: Mapping[str, Any], link: str) -> dict[str, Any]:
    """The same alert with its link, as Prometheus would tell it. Its end is its own: nothing lasts longer by this."""
    said = {name: alert[name] for name in ("labels", "startsAt", "endsAt", "generatorURL") if name in alert}
    return said | {"annotations": alert["annotations"] | {LINK: link}}


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)

"""The alarms that Alertmanager holds, and its silences: looked at every second. Each page is given its link, who has an alarm
makes a silence by it, and the alert that says that hardly any page goes out goes out whatever is silenced.

Nothing that Alertmanager sends waits for this: without a gateway pages go out without a link. It keeps nothing: who has an alarm
is a silence in Alertmanager. An alarm is given its link by telling it to Alertmanager once more with one annotation more.
Annotations are no part of what an alert is; Prometheus, which repeats its alerts every minute, takes the link away until the next
look.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, Literal

import aiohttp

from streams.api import Api
from streams.edge.gateway.page_kinds import PageKinds
from streams.edge.gateway.signed_alarm import LASTS, SignedAlarm, sign
from streams.edge.gateway.silences import TAKEN, Labels, Silence, moment, unexpired
from streams.edge.gateway.stand_in import NEVER_MUTED, STANDS_FOR, stand_in

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
TIMEOUT_SECONDS = 2.0

LINK = "acknowledge_url"
"""The annotation that page.tmpl shows."""

AHEAD = timedelta(seconds=10)
"""What ends sooner gets no link: nobody repeats it, and told once more at the wrong moment it would rise again."""

SOON = timedelta(hours=1)
"""A silence that begins later is not told of yet."""

MOST = 1000
"""So many silences are judged; if there are more, they are taken to mute everything."""

SHOWN = 20
"""So many silences are told of one by one, those that mute most before others."""

WATCHDOG = "Watchdog"

State = Literal["active", "inhibited", "acknowledged", "silenced"]

ELSEWHERE = {"alertname", "severity", "city", "name"}
"""Labels that are told by themselves."""


class AwayError(Exception):
    """Alertmanager does not answer, or not as it should; the message says how."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alert that Alertmanager holds; `by` and `until` say who has it, where somebody said that he does, and until when nobody
    is told of it.
    """

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
        return about(self.labels)


def about(labels: Labels) -> str:
    """The labels of an alert that tell it from others of its name and centre, as text."""
    hidden = ELSEWHERE | {"province"} if labels.get("city") else ELSEWHERE
    return ", ".join(f"{name}={text}" for name, text in sorted(labels.items()) if name not in hidden)


@dataclass(frozen=True, slots=True)
class Muting:
    """A silence by which nobody says that he has an alarm: what of its matchers may be told, how many alerts it mutes now, and
    the share of kinds of pages that it would mute.
    """

    silence: Silence
    matchers: str
    alerts: int
    share: float


@dataclass(frozen=True, slots=True)
class Held:
    """What Alertmanager holds at a moment: alarms; silences, those first that mute most; and how many more there are."""

    alarms: Sequence[Alarm]
    mutings: Sequence[Muting]
    more: int
    share: float
    """Of the kinds of pages, what all silences mute together."""


class Alarms:
    """What one Alertmanager holds, as it was last seen."""

    def __init__(
        self, session: aiohttp.ClientSession, api: Api, link: Callable[[Alarm, datetime], str] | None, kinds: PageKinds
    ) -> None:
        """`api` is Alertmanager's, `link` makes what a page bears, now, and `kinds` are the pages that there can be."""
        self._session, self._api, self._address, self._link, self.kinds = session, api, api.address, link, kinds
        self.seen: Held | None = None
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

    async def look(self) -> Held:
        """Ask Alertmanager now, and tell it what has to be told: the link of every page that has none, and what stands in for
        the alert that no silence may mute. Raises `AwayError`.
        """
        alerts, at = await self._ask("GET", "/api/v2/alerts")
        answer, _ = await self._ask("GET", "/api/v2/silences")
        try:
            silences = unexpired(answer)
            active = [silence for silence in silences.values() if not silence.is_pending]
            standing = [alert for alert in alerts if STANDS_FOR in alert["annotations"]]
            first_hand = [alert for alert in alerts if STANDS_FOR not in alert["annotations"]]
            held = [alert for alert in first_hand if alert["labels"].get("alertname") != WATCHDOG]
            wanted = [stand_in(alert, active) for alert in held if alert["labels"].get("alertname") == NEVER_MUTED]
            told = {one["annotations"][STANDS_FOR] for one in wanted}
            alarms = [_alarm(alert, silences, told) for alert in held]
            news = [*_changed(standing, wanted, at), *self._bare(held, alarms, at)]
            if news:
                await self._ask("POST", "/api/v2/alerts", news)
            return self._held(alarms, silences, first_hand, at)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise AwayError(f"{self._address} does not answer as Alertmanager does: {type(error).__name__}") from None

    def _bare(self, held: Sequence[Mapping[str, Any]], alarms: Sequence[Alarm], at: datetime) -> list[dict[str, Any]]:
        """The pages that have no link, with it. Nobody has what no silence may mute: it bears none."""
        if self._link is None:
            return []
        return [
            _told_again(alert, self._link(alarm, at))
            for alert, alarm in zip(held, alarms, strict=True)
            if alarm.labels.get("severity") == "page"
            and alarm.labels.get("alertname", NEVER_MUTED) != NEVER_MUTED
            and LINK not in alarm.annotations
            and moment(alert["endsAt"]) > at + AHEAD
        ]

    def _held(
        self, alarms: Sequence[Alarm], silences: Mapping[str, Silence], alerts: Sequence[Mapping[str, Any]], at: datetime
    ) -> Held:
        muted: dict[str, list[Labels]] = {}
        known = {name: set(values) for name, values in self.kinds.known.items()}
        for alert in alerts:
            for name in alert["status"]["silencedBy"]:
                muted.setdefault(name, []).append(alert["labels"])
            for label, value in alert["labels"].items():
                known.setdefault(label, set()).add(value)
        watchdogs = [alert["labels"] for alert in alerts if alert["labels"].get("alertname") == WATCHDOG]
        common = {name: text for name, text in (watchdogs or [{}])[0].items() if name not in ("alertname", "severity")}
        judged = [silence for silence in silences.values() if silence.begins <= at + SOON][:MOST]
        mutings, in_force = [], []
        for silence in judged:
            of_it = muted.get(silence.id, [])
            if silence.says_taken and all(silence.acknowledges(labels) for labels in of_it):
                if not of_it and not silence.is_pending:
                    in_force.append(silence)  # its alarm is over, or there never was one
                continue
            if not silence.is_pending:
                in_force.append(silence)
            share = self.kinds.share([silence], common)
            mutings.append(Muting(silence, silence.told(known), len(of_it), share))
        mutings.sort(key=lambda muting: (muting.silence.is_pending, -muting.share, -muting.alerts, muting.silence.until))
        whole = 1.0 if len(silences) > MOST else self.kinds.share(in_force, common)
        return Held(alarms, mutings[:SHOWN], len(mutings) - len(mutings[:SHOWN]), whole)

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
            "comment": TAKEN,
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
async def watching(api: Api, gateway: str | None, key: bytes | None, kinds: PageKinds) -> AsyncIterator[Alarms]:
    """Look at this Alertmanager within the block.

    Links begin with `gateway`, where people reach it from outside, and are signed with `key`; there are none without both.
    `kinds` are the pages that there can be.
    """
    link = None if gateway is None or key is None else partial(_link, gateway.rstrip("/"), key)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)) as session:
        alarms = Alarms(session, api, link, kinds)
        looking = asyncio.create_task(alarms.run())
        try:
            yield alarms
        finally:
            looking.cancel()
            await asyncio.wait([looking])


def _link(gateway: str, key: bytes, alarm: Alarm, now: datetime) -> str:
    signed = SignedAlarm(alarm.fingerprint, alarm.labels["alertname"], alarm.labels.get("city", ""), now + LASTS)
    return f"{gateway}/v1/alarms/{sign(signed, key)}"


def _alarm(alert: Mapping[str, Any], silences: Mapping[str, Silence], told: Collection[str]) -> Alarm:
    """`told` are the alerts that another one stands in for."""
    status, labels = alert["status"], alert["labels"]
    state: State = "silenced" if status["silencedBy"] else "inhibited" if status["inhibitedBy"] else "active"
    by, until = "", None
    muting = [silences[name] for name in status["silencedBy"] if name in silences]
    taken = [silence for silence in muting if silence.acknowledges(labels)]
    if alert["fingerprint"] in told:
        state = "active"
    elif muting:
        last = max(taken or muting, key=lambda silence: silence.until)
        until = last.until
        if taken:
            state, by = "acknowledged", last.by
    return Alarm(alert["fingerprint"], labels, alert["annotations"], moment(alert["startsAt"]), state, by, until)


def _told_again(alert: Mapping[str, Any], link: str) -> dict[str, Any]:
    """The same alert with its link, as Prometheus would tell it. Its end is its own: nothing lasts longer by this."""
    said = {name: alert[name] for name in ("labels", "startsAt", "endsAt", "generatorURL") if name in alert}
    return said | {"annotations": alert["annotations"] | {LINK: link}}


def _changed(standing: Sequence[Mapping[str, Any]], wanted: Sequence[Mapping[str, Any]], at: datetime) -> list[Mapping[str, Any]]:
    """What stands in and is to last as long as what it stands for, and what is no longer wanted, with its end."""
    there = [(one["labels"], moment(one["endsAt"])) for one in standing]
    new = [one for one in wanted if (one["labels"], moment(one["endsAt"])) not in there]
    over = [one for one in standing if one["labels"] not in [other["labels"] for other in wanted]]
    return new + [
        {"labels": one["labels"], "annotations": one["annotations"], "startsAt": one["startsAt"], "endsAt": at.isoformat()}
        for one in over
    ]

"""The message that reminds an agency's admins of a ticket, and the channels it goes out on."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Protocol

import aiohttp
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_random_exponential

from streams.settings import Settings
from streams.worker.signed_ticket import SignedTicket, sign

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 10
LONGEST_WAIT_SECONDS = 60


class NotAcceptedError(Exception):
    """A channel did not take a message; it says why, without the channel's address, which can be a secret."""


@dataclass(frozen=True, slots=True)
class Reminder:
    """One reminder: `id` is the same whenever it is sent again. Ticket, agency and times; nobody's name or number."""

    id: str
    city: str
    centre: str
    ticket: str
    opd: str
    rung: str
    since: datetime
    due: datetime
    category: str = ""
    link: str = ""
    """Where the agency says that it has the ticket; empty where no gateway can be reached."""

    @property
    def text(self) -> str:
        """What the admins read, in Indonesian and English."""
        since = f"{self.since:%d-%m-%Y %H:%M} {self.since.tzname() or ''}".rstrip()
        answer = f"\nSudah diterima? / Got it? {self.link}" if self.link else ""
        return (
            f"{self.centre}: tiket {self.ticket} untuk {self.opd} belum ditanggapi sejak {since} (batas {self.rung}). "
            f"Mohon ditindaklanjuti.\n"
            f"{self.centre}: ticket {self.ticket} for {self.opd} has not been answered since {since} (limit {self.rung})."
            f"{answer}"
        )


Link = Callable[[Reminder], str]
"""Where the ticket of a reminder can be acknowledged; empty for nowhere."""


def link(settings: Settings) -> Link:
    """By links to the gateway that the environment names. Raises `SettingsError`."""
    key = settings.link_secret()
    if settings.gateway_url is None or key is None:
        return lambda _: ""
    base = settings.gateway_url.rstrip("/")

    def to(reminder: Reminder) -> str:
        ticket = SignedTicket(
            reminder.city,
            reminder.centre,
            reminder.ticket,
            reminder.opd,
            reminder.rung,
            reminder.category,
            reminder.since,
            reminder.due,
            reminder.since.tzname() or "",
        )
        return f"{base}/v1/tickets/{sign(ticket, key)}"

    return to


class Channel(Protocol):
    """A way to the admins' group."""

    async def send(self, reminder: Reminder) -> None:
        """Return when the message was accepted. Raises `NotAcceptedError`."""


class Webhook:
    """A receiver of JSON that counts by `Idempotency-Key`: a message sent again is the same message."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def send(self, reminder: Reminder) -> None:
        """POST it; any 2xx accepts."""
        said = {key: value.isoformat() if isinstance(value, datetime) else value for key, value in asdict(reminder).items()}
        await _post(self._url, said | {"text": reminder.text}, {"Idempotency-Key": reminder.id})


class Telegram:
    """A Telegram group. Telegram knows no keys: after a crash between its answer and our note of it, a message comes twice."""

    def __init__(self, token: str, chat: str, server: str = "https://api.telegram.org") -> None:
        self._url, self._chat = f"{server}/bot{token}/sendMessage", chat

    async def send(self, reminder: Reminder) -> None:
        """Send the text to the group."""
        await _post(self._url, {"chat_id": self._chat, "text": reminder.text}, {})


def channels(settings: Settings) -> list[Channel]:
    """The channels that the environment names; none without. Raises `SettingsError`."""
    found: list[Channel] = []
    if settings.reminder_webhook:
        found.append(Webhook(settings.reminder_webhook.get_secret_value()))
    if settings.reminder_telegram_chat and (token := settings.telegram_secret()):
        found.append(Telegram(token, settings.reminder_telegram_chat))
    return found


async def deliver(reminder: Reminder, channels: Sequence[Channel]) -> None:
    """Return when every channel has accepted the message; until then it is sent again, ever more slowly."""
    async with asyncio.TaskGroup() as group:
        for channel in channels:
            group.create_task(_insist(reminder, channel))


async def _insist(reminder: Reminder, channel: Channel) -> None:
    def complain(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        log.warning("reminder %s was not accepted, try %d: %s", reminder.id, state.attempt_number, error)

    wait = wait_random_exponential(max=LONGEST_WAIT_SECONDS)
    async for attempt in AsyncRetrying(wait=wait, retry=retry_if_exception_type(NotAcceptedError), before_sleep=complain):
        with attempt:
            await channel.send(reminder)


async def _post(url: str, body: dict[str, str], headers: dict[str, str]) -> None:
    try:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(url, json=body, headers=headers, allow_redirects=False) as answer,
        ):
            if answer.status // 100 != 2:  # elsewhere the link in it is nobody's to have, and a POST sent on may be an empty GET
                raise NotAcceptedError(f"HTTP {answer.status}")
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise NotAcceptedError(type(error).__name__) from None

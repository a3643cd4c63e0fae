"""What was collected is sent on, in order, to Kafka or to a gateway, and forgotten here only when it is there.

An answer that may pass (no connection, time-out, 429, 5xx, a token that is refused) is waited for and tried again for ever.
What the destination says of single events is taken as it is: those are set aside in the spool, and the others were taken.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Protocol

import aiohttp
from pydantic import BaseModel, Field, ValidationError
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential_jitter

from schemas.event import Event
from schemas.topics import decode
from streams import secret
from streams.edge.config import EdgeConfig
from streams.edge.inbox import Keeper
from streams.edge.spool import Spooled
from streams.log.access import LogError
from streams.log.kafka import Log
from streams.settings import Settings

log = logging.getLogger(__name__)

BATCH, BATCH_BYTES = 500, 400_000
"""Most events of one request, and their bytes."""

PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 60.0
"""The first pause after a failure, and the longest; each is about double the one before."""

ANSWER_SECONDS, CONNECT_SECONDS = 30.0, 10.0
"""How long a request may take in all, and how long its connection."""

SAY_AGAIN_SECONDS = 600.0
"""How often a failure that lasts is said again."""

LONGEST_RETRY_AFTER_SECONDS = 3600.0

LONGEST_ANSWER = 2**20
"""Bytes of an answer that are read."""


class AwayError(Exception):
    """The destination did not take it, and may later; the message says what to do, `answer` is one word for the metrics."""

    def __init__(self, message: str, answer: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.answer, self.retry_after = answer, retry_after


class TooLargeError(Exception):
    """The batch is larger than the destination takes."""


class Destination(Protocol):
    """Where events go."""

    name: str

    async def send(self, events: Sequence[bytes]) -> dict[int, str]:
        """Return when the destination has them all, but those it refused for good: their index, and why.

        Raises `AwayError` and `TooLargeError`; then some may be there, and all are to be sent again.
        """

    async def close(self) -> None:
        """End the connection."""


class Kafka:
    """Kafka itself, at the address that the environment names."""

    def __init__(self, settings: Settings) -> None:
        self.name = f"Kafka at {settings.bootstrap}"
        self._settings = settings
        self._log = Log(settings)

    async def send(self, events: Sequence[bytes]) -> dict[int, str]:
        """See `Destination`."""
        try:
            return await asyncio.wait_for(asyncio.to_thread(_write, self._log, events), ANSWER_SECONDS)
        except (LogError, TimeoutError) as error:
            # What the broken connection still holds would come after what is sent again, out of order.
            await asyncio.to_thread(self._log.close, 0)
            self._log = Log(self._settings)
            if isinstance(error, LogError):
                raise AwayError(str(error), "away") from None
            raise AwayError(f"{self.name} does not take events within {ANSWER_SECONDS:g} s; is it running?", "timeout") from None

    async def close(self) -> None:
        """See `Destination`."""
        await asyncio.to_thread(self._log.close, 0)


def _write(log: Log, events: Sequence[bytes]) -> dict[int, str]:
    """Write what are events; says which are none."""
    items = [decode(event) for event in events]
    log.write(item for item in items if isinstance(item, Event))
    return {index: "no event of this version" for index, item in enumerate(items) if not isinstance(item, Event)}


class _Refused(BaseModel):
    """One event that a gateway did not take."""

    index: Annotated[int, Field(ge=0)]
    field: str = ""
    reason: str = ""


class _Answer(BaseModel):
    """What a gateway says where it did not take all."""

    refused: list[_Refused]


class Gateway:
    """A gateway's `/v1/events`, with a token that is read from its file for every request, so that it can be changed there."""

    def __init__(self, url: str, token_file: Path, wall: Callable[[], float] = time.time) -> None:
        self.name = f"gateway {url}"
        self._url, self._token_file, self._wall = f"{url.rstrip('/')}/v1/events", token_file, wall
        self._session: aiohttp.ClientSession | None = None

    async def send(self, events: Sequence[bytes]) -> dict[int, str]:
        """See `Destination`."""
        headers = {"Authorization": f"Bearer {self._token()}", "Content-Type": "application/cloudevents-batch+json"}
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS, connect=CONNECT_SECONDS)
            self._session = aiohttp.ClientSession(timeout=timeout)
        body = b"[" + b",".join(events) + b"]"
        try:
            async with self._session.post(self._url, data=body, headers=headers, allow_redirects=False) as answer:
                said = await answer.content.read(LONGEST_ANSWER)
                while piece := await answer.content.read(LONGEST_ANSWER - len(said)):
                    said += piece
                return self._understood(answer, said, len(events))
        except TimeoutError:
            raise AwayError(f"{self.name} does not answer within {ANSWER_SECONDS:g} s", "timeout") from None
        except aiohttp.ClientError as error:
            raise AwayError(f"{self.name} cannot be reached ({type(error).__name__}); is the line up?", "away") from None

    async def close(self) -> None:
        """See `Destination`."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _token(self) -> str:
        try:
            return read_token(self._token_file)
        except ValueError as error:
            raise AwayError(str(error), "no_token") from None

    def _understood(self, answer: aiohttp.ClientResponse, said: bytes, sent: int) -> dict[int, str]:
        status, name = answer.status, str(answer.status)
        if status == HTTPStatus.ACCEPTED:
            return {}
        if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            raise TooLargeError
        if status in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY):
            try:
                refused = {
                    one.index: " ".join(f"{one.field}: {one.reason}".split())[:200]
                    for one in _Answer.model_validate_json(said).refused
                }
            except ValidationError:
                refused = {}
            if refused and max(refused) < sent:
                return refused
            raise AwayError(f"{self.name} answers {status} and names no event: is it a gateway of this version?", name)
        if status == HTTPStatus.UNAUTHORIZED:
            raise AwayError(f"{self.name} does not know the token in {self._token_file} (401): put a valid one there", name)
        if status == HTTPStatus.FORBIDDEN:
            # Of a token that is mended later nothing is to be lost.
            may = "have its operator let it send this centre and these types"
            raise AwayError(f"{self.name} does not let the token in {self._token_file} send this (403): {may}", name)
        if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            after = _seconds(answer.headers.get("Retry-After", ""), self._wall())
            raise AwayError(f"{self.name} answers {status}: it cannot take events now", name, after)
        raise AwayError(f"what answers at {self._url} is no gateway (HTTP {status}): see `to`", name)


def read_token(path: Path) -> str:
    """The token that a file holds. Raises `ValueError`, which names the file and says what to do."""
    try:
        token = secret.read(path).decode("ascii").strip()
    except secret.SecretError as error:
        raise ValueError(f"token file {error}") from None
    except UnicodeDecodeError:
        token = ""
    if not token or any(not "!" <= letter <= "~" for letter in token):
        raise ValueError(f"token file {path}: holds no token; put there what `pantau112 gateway token add` printed")
    return token


def destination(config: EdgeConfig, settings: Settings) -> Destination:
    """Where a file says that events go."""
    if config.to == "kafka":
        return Kafka(settings)
    assert config.token_file is not None
    return Gateway(config.to, config.token_file)


class Forwarder:
    """Empties one spool into one destination. `answers` counts how each request ended."""

    def __init__(
        self, keeper: Keeper, destination: Destination, wall: Callable[[], float] = time.time, pause: float = PAUSE_SECONDS
    ) -> None:
        self._keeper, self._destination, self._wall = keeper, destination, wall
        self._most = BATCH
        self._backoff = wait_exponential_jitter(max=LONGEST_PAUSE_SECONDS, jitter=pause, multiplier=pause)
        self._said: tuple[str, float] | None = None
        self.answers: Counter[str] = Counter()
        self.last_answer: float | None = None
        """When the destination took something last, in epoch seconds."""
        self.is_away = False

    async def run(self) -> None:
        """Send until cancelled. Raises `SpoolError`."""
        keeper = self._keeper
        while True:
            keeper.came.clear()
            batch = await keeper.do(keeper.spool.next, self._most, BATCH_BYTES)
            if not batch:
                await keeper.came.wait()
                continue
            refused: dict[int, str]
            try:
                refused = await self._delivered(batch)
            except TooLargeError:
                self._answered("413")
                if len(batch) > 1:
                    self._most = max(1, len(batch) // 2)
                    continue
                refused = {0: "larger than the destination takes"}
            for reason, n in Counter(refused.values()).items():
                log.error(
                    "%s refused %d events (%s); they are set aside in %s", *(self._destination.name, n, reason, keeper.spool.path)
                )
            await keeper.do(keeper.spool.acknowledge, batch, refused)
            keeper.made_room()
            # What was too large once may have been one event of the many.
            self._most = min(BATCH, self._most + 1 + self._most // 4)

    async def _delivered(self, batch: Sequence[Spooled]) -> dict[int, str]:
        """What was refused of a batch that the destination has. Raises `TooLargeError`."""
        events = [one.event for one in batch]
        attempts = AsyncRetrying(retry=retry_if_exception_type(AwayError), wait=self._pause, before_sleep=self._say_away)
        refused: dict[int, str] = await attempts(self._destination.send, events)
        self._answered("refused" if refused else "taken")
        self.last_answer = self._wall()
        if self.is_away:
            log.warning("%s takes events again; %d wait", self._destination.name, self._keeper.spool.length)
        self.is_away, self._said = False, None
        return refused

    def _answered(self, answer: str) -> None:
        self.answers[answer] += 1

    def _pause(self, state: RetryCallState) -> float:
        error = _error_of(state)
        usual = self._backoff(state)
        return usual if error.retry_after is None else max(usual, error.retry_after)

    def _say_away(self, state: RetryCallState) -> None:
        error, now = _error_of(state), time.monotonic()
        self._answered(error.answer)
        self.is_away = True
        if self._said is None or self._said[0] != str(error) or now - self._said[1] > SAY_AGAIN_SECONDS:
            self._said = str(error), now
            log.warning("%s (nothing is lost: %d events wait in the spool)", error, self._keeper.spool.length)


def _error_of(state: RetryCallState) -> AwayError:
    assert state.outcome is not None
    error = state.outcome.exception()
    assert isinstance(error, AwayError)
    return error


def _seconds(retry_after: str, now: float) -> float | None:
    """How long a Retry-After asks to wait: seconds or a date; never longer than a bound. None where it says neither."""
    if retry_after.isascii() and retry_after.isdigit():
        return min(LONGEST_RETRY_AFTER_SECONDS, float(retry_after[:9]))
    try:
        at = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    return min(LONGEST_RETRY_AFTER_SECONDS, max(0.0, (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - now))

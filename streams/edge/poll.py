"""Feeds that are asked again and again: weather warnings (CAP) by their RSS list, and river levels as JSON or CSV.

A feed that refuses (403), fails (5xx), hangs or answers with something else is a silent feed, and is said and counted as such: it
does not say that there is no warning. When each answered last is its own figure.
"""

import asyncio
import json
import logging
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urljoin, urlsplit

import aiohttp
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from schemas.event import Code, Event
from streams.core.centre import Centre, CentreError
from streams.core.toml import NearPath
from streams.edge import pace
from streams.edge.collector import Collector, Inbox
from streams.sources import cap, rows
from streams.sources.answer import MappingError
from streams.sources.door import Door
from streams.sources.opened import UnreadableError, text_of, words
from streams.sources.table import Query

log = logging.getLogger(__name__)

LARGEST = 8_388_608
"""Bytes of an answer with river levels."""

ATTEMPTS = 3
"""How often one request is sent, when what went wrong may pass."""

_TIMES_OUT = aiohttp.ClientTimeout(total=60, connect=10, sock_read=20)


class SilentError(Exception):
    """The feed gives no answer that can be used; the message says how, and repeats nothing of it."""


class PassingError(SilentError):
    """The same, for what may be over in a moment."""


class PollConfig(BaseModel):
    """One `[[poll]]` of an edge.toml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Code
    kind: Literal["cap", "river"]
    url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s/?#@]+(/[^\s#]*)?$")] = Field(
        description="Of cap the RSS list, such as https://www.bmkg.go.id/alerts/nowcast/id; of river the levels, as JSON or CSV."
    )
    every_seconds: Annotated[float, Field(gt=0, le=86_400)] = 120
    sql: NearPath | None = Field(default=None, description="Of river: the query that makes gauge.read of its rows.")

    @model_validator(mode="after")
    def _has_its_query(self) -> Self:
        if (self.kind == "river") is not (self.sql is not None):
            raise ValueError("river wants the file of its query in sql, and cap has none")
        return self

    def collector(self, centre: Centre, door: Door) -> Collector:
        """What asks the feed. Raises `CentreError` for a query that cannot be used."""
        if self.sql is None:
            return Poll(self, Warnings(self.name, self.url, centre), centre)
        try:
            query = Query(text_of(self.sql), centre, door, self.name)
        except OSError as error:
            raise CentreError(f"{self.name}: {words(error)}") from None
        except (MappingError, UnreadableError) as error:
            raise CentreError(f"{self.name}: {self.sql}: {error}") from None
        return Poll(self, Levels(self.name, self.url, query), centre)


@dataclass(slots=True)
class Seen:
    """What a server said of a document when it was taken last."""

    published: str = ""
    etag: str = ""
    modified: str = ""
    digest: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """Asks for the document only if it is another one by now."""
        said = {"If-None-Match": self.etag, "If-Modified-Since": self.modified}
        return {name: value for name, value in said.items() if value}


class Web:
    """One session with a feed's server."""

    def __init__(self, session: aiohttp.ClientSession, pause: float) -> None:
        self._session = session
        self._attempts = AsyncRetrying(
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_exponential_jitter(multiplier=pause, max=30 * pause, jitter=pause),
            retry=retry_if_exception_type(PassingError),
            reraise=True,
        )

    async def fetch(self, url: str, seen: Seen, largest: int) -> tuple[bytes, Seen] | None:
        """A document, and what was said of it; None when it is the one that was seen. Raises `SilentError`, `GoneError`."""
        return await self._attempts(self._fetch, url, seen, largest)

    async def _fetch(self, url: str, seen: Seen, largest: int) -> tuple[bytes, Seen] | None:
        await pace.of(urlsplit(url).netloc).wait()
        try:
            async with self._session.get(url, headers=seen.headers, max_redirects=3) as answer:
                match answer.status:
                    case 304:
                        return None
                    case 200:
                        pass
                    case 404 | 410:
                        raise GoneError(f"answered {answer.status}")
                    case 429 | 500 | 502 | 503 | 504:
                        raise PassingError(f"answered {answer.status}")
                    case _:
                        raise SilentError(f"answered {answer.status}")
                body = b""
                while piece := await answer.content.read(65_536):
                    body += piece
                    if len(body) > largest:
                        raise SilentError(f"is larger than {largest:,} bytes")
                found = Seen("", answer.headers.get("ETag", ""), answer.headers.get("Last-Modified", ""))
        except TimeoutError:
            raise PassingError("did not answer in time") from None
        except (aiohttp.ClientError, OSError) as error:
            raise PassingError(f"could not be asked ({type(error).__name__})") from None
        found.digest = _digest(body)
        return None if found.digest == seen.digest else (body, found)


class GoneError(SilentError):
    """There is no such document."""


@dataclass
class Warnings:
    """Weather warnings by a list of their files. A file is taken once, and again when it was published anew."""

    name: str
    url: str
    centre: Centre
    counted: Counter[str] = field(default_factory=lambda: Counter(bad_files=0))
    listed: dict[str, str] = field(default_factory=dict)
    """When each file was published, by its address: the list as it was last."""
    list_seen: Seen = field(default_factory=Seen)

    async def look(self, web: Web, memory: Mapping[str, Any]) -> "Look":
        """What is new. Raises `SilentError` when the list cannot be had."""
        if (fetched := await web.fetch(self.url, self.list_seen, cap.LARGEST)) is not None:
            try:
                links = cap.listed(fetched[0])
            except cap.CapError as error:
                raise SilentError(f"is no list of warnings: {error}") from None
            # What stands there is only compared, and may be any text.
            self.listed = {
                urljoin(self.url, link): published and _digest(published.encode()) for link, published in links.items()
            }
            self.list_seen = fetched[1]
        taken = {url: Seen(**said) for url, said in memory.items() if url in self.listed}
        look = Look()
        for url, published in self.listed.items():
            seen = taken.get(url, Seen())
            if published and published == seen.published:
                continue
            try:
                if urlsplit(url)[:2] != urlsplit(self.url)[:2]:
                    raise cap.CapError("stands at another server than the list, where nothing is fetched from")
                if (file := await web.fetch(url, seen, cap.LARGEST)) is not None:
                    seen = file[1]
                    look.events += list(cap.parse(file[0]).events(self.centre))
            except cap.CapError as error:
                self.counted["bad_files"] += 1
                log.warning("%s: %s: %s", self.name, urlsplit(url).path.rpartition("/")[2][:80], error)
            except GoneError:
                continue
            except SilentError as error:
                look.silent = error
                break
            seen.published = published
            taken[url] = seen
        # What comes far behind a later one would be passed over as late.
        look.events.sort(key=lambda event: event.time)
        look.memory = {url: _said(seen) for url, seen in taken.items()}
        return look


@dataclass
class Levels:
    """River levels of one document, whose rows a query makes readings of."""

    name: str
    url: str
    query: Query
    counted: Counter[str] = field(default_factory=lambda: Counter(bad_rows=0))

    async def look(self, web: Web, memory: Mapping[str, Any]) -> "Look":
        """What is new. Raises `SilentError` when the document cannot be had, or is no table for the query."""
        fetched = await web.fetch(self.url, Seen(**memory), LARGEST)
        if fetched is None:
            return Look(memory=dict(memory))
        try:
            events = await asyncio.to_thread(self._read, fetched[0])
        except (MappingError, UnreadableError) as error:
            raise SilentError(f"is no table for the query: {error}") from None
        return Look(events, _said(fetched[1]))

    def _read(self, body: bytes) -> list[Event]:
        with tempfile.TemporaryDirectory(prefix="pantau112-poll-") as folder:
            path = Path(folder, "answer")
            path.write_bytes(body)
            with rows.opened(path, self._bad) as table:
                return list(self.query.read(table, self._bad))

    def _bad(self, line: int, why: str) -> None:
        self.counted["bad_rows"] += 1
        log.warning("%s: line %d: %s", self.name, line, why)


@dataclass(slots=True)
class Look:
    """What one look at a feed gave: events, what is to be remembered, and why it was not the whole."""

    events: list[Event] = field(default_factory=list)
    memory: dict[str, Any] = field(default_factory=dict)
    silent: SilentError | None = None


class Poll:
    """Looks at one feed for ever. `answered`: when it was last seen whole (epoch seconds); `counted`: what could not be used."""

    rereads = True

    def __init__(self, config: PollConfig, feed: Warnings | Levels, centre: Centre, pause: float = 1.0) -> None:
        """`pause` is the first wait, in seconds, before a request that failed is sent again."""
        self.name = config.name
        self.answered: float | None = None
        self.counted = feed.counted
        self.counted["silent"] = 0
        self._feed, self._every, self._pause = feed, config.every_seconds, pause
        # BMKG wants to know who asks, and answers nobody else.
        self._headers = {"User-Agent": f"pantau112/{version('pantau112')} (112 centre {centre.code})"}

    async def run(self, inbox: Inbox) -> None:
        """See `Collector`."""
        async with aiohttp.ClientSession(headers=self._headers, timeout=_TIMES_OUT) as session:
            web = Web(session, self._pause)
            silent: str | None = None
            while True:
                began = time.monotonic()
                try:
                    look = await self._feed.look(web, json.loads(inbox.position or "{}"))
                    position = json.dumps(look.memory, sort_keys=True)
                    if look.events or position != inbox.position:
                        await inbox.put(look.events, position)
                    if look.silent is not None:
                        raise look.silent
                except SilentError as error:
                    self.counted["silent"] += 1
                    if str(error) != silent:
                        log.warning("%s: the feed is silent: it %s. Nothing is known from it until it answers", self.name, error)
                    silent = str(error)
                else:
                    if silent is not None:
                        log.warning("%s: the feed answers again", self.name)
                    silent, self.answered = None, time.time()
                await asyncio.sleep(max(0.0, began + self._every - time.monotonic()))


def _said(seen: Seen) -> dict[str, str]:
    return {name: value for name in Seen.__slots__ if (value := getattr(seen, name))}


def _digest(said: bytes) -> str:
    return blake2b(said, digest_size=8).hexdigest()

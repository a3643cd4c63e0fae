"""The gateway: events over HTTP into Kafka, for whoever has a token. It keeps nothing itself: run as many as you like.

An answer of 202 means that Kafka has the events. Whatever is sent again, because an answer was lost or came too late, is known by
source and id and counts once.
"""

import asyncio
import contextlib
import logging
import math
import ssl
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import Any, Protocol

from aiohttp import web

from schemas.event import Event
from streams.core.fault import place_of
from streams.edge.gateway import cloudevents
from streams.edge.gateway.alarms import Alarms
from streams.edge.gateway.allowance import Allowance
from streams.edge.gateway.cloudevents import MOST, NoEventsError, TooManyError
from streams.edge.gateway.intake import Intake, Refused
from streams.edge.gateway.openapi import document
from streams.edge.gateway.tokens import Token, Tokens, TokensError
from streams.edge.gateway.traffic import CONTENT_TYPE, Traffic
from streams.log.access import LogError
from streams.serving import Limits, Server, neighbourly
from streams.settings import is_here_alone

log = logging.getLogger(__name__)

LARGEST_BODY = 2**20
"""Bytes: about 4,000 events."""

BODY_SECONDS = 60
"""How long a body may take to come: 1 MiB on a line of 140 kbit/s."""

LIMITS = Limits(connections=512, seconds=120.0)

AT_ONCE = 256
"""Requests that are answered at once; more are asked to come again."""

SLICE = 100
"""Events that are read before others have their turn: about 2 ms."""

AGAIN_SECONDS = 5
"""When to come again after 503."""

_WORDS = {413: f"a body may have {LARGEST_BODY:,} bytes: send fewer events at once", 404: "no such page: see /v1/openapi.json"}

OPEN_PATHS = {"/health", "/ready", "/metrics", "/v1/openapi.json"}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ForbiddenError(Exception):
    """Nobody who may send this; the message says what is missing."""


class KindError(ValueError):
    """A body of a kind that is not read; the message says which are."""


class SlowError(Exception):
    """A body that did not come in time."""


class Routes(Protocol):
    """What makes events of other bodies."""

    def routes(self, gateway: "Gateway") -> Sequence[web.RouteDef]:
        """Where they go to."""


class EventLog(Protocol):
    """Where events go."""

    @property
    def is_up(self) -> bool:
        """Whether it takes events now, as far as is known."""

    async def write(self, events: Sequence[Event]) -> None:
        """Return when it has all of them. Raises `LogError` within a bounded time."""


class Gateway:
    """The routes, and who may come in by them."""

    def __init__(
        self,
        log_: EventLog,
        intake: Intake,
        tokens: Tokens,
        rate: float,
        pages: Sequence[web.RouteDef] = (),
        hooks: Routes | None = None,
        alarms: Alarms | None = None,
    ) -> None:
        """`rate` is the events a second that one token may send for long; `pages` and `hooks` are served beside. `/metrics` tells
        of `alarms`.
        """
        self._pages, self._hooks = pages, hooks
        self._log, self._intake, self._tokens, self._rate = log_, intake, tokens, rate
        self._allowances: dict[str, Allowance] = {}
        self._at_once = 0
        self.traffic = Traffic(alarms)

    def application(self, *, any_name: bool = True) -> web.Application:
        """What aiohttp serves. Figures are shown under names of ours alone unless `any_name`; all else asks for a secret, and may
        come by whatever name a proxy is reached at.
        """
        guard = neighbourly(any_name=any_name)

        async def metrics(request: web.Request) -> web.StreamResponse:
            return await guard(request, self._metrics)

        app = web.Application(middlewares=[self._guard], client_max_size=LARGEST_BODY)
        app.add_routes([*self._pages, *(self._hooks.routes(self) if self._hooks else ())])
        app.add_routes(
            [
                web.post("/v1/events", self._events),
                web.get("/v1/openapi.json", self._openapi),
                web.get("/health", self._health),
                web.get("/ready", self._ready),
                web.get("/metrics", metrics),
            ]
        )
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Count every request, and let none end in anything but an answer."""
        began = time.monotonic()
        resource = request.match_info.route.resource
        path = resource.canonical if resource is not None else "other"
        if self._at_once >= AT_ONCE and path not in OPEN_PATHS:
            answer: web.StreamResponse = _later(503, "too many requests at once", 1)
        else:
            self._at_once += 1
            try:
                answer = await handler(request)
            except web.HTTPException as said:
                headers = {"Allow": said.headers["Allow"]} if "Allow" in said.headers else None
                answer = _problem(said.status, _WORDS.get(said.status, said.reason), headers)
            except Exception as error:
                answer = _explained(error)
            finally:
                self._at_once -= 1
        answer.headers["X-Content-Type-Options"] = "nosniff"
        answer.headers.setdefault("Cache-Control", "no-store")
        self.traffic.answered.labels(path, str(answer.status)).inc()
        self.traffic.seconds.labels(path).observe(time.monotonic() - began)
        return answer

    async def _events(self, request: web.Request) -> web.Response:
        token, kind = self.token(request), request.content_type
        if kind not in cloudevents.KINDS:
            raise KindError(f"the content type must be one of {', '.join(cloudevents.KINDS)}")
        return await self.take(request, token, lambda body: self._judged(cloudevents.events(kind, request.headers, body), token))

    async def take(
        self, request: web.Request, token: Token, judge: Callable[[bytes], AsyncIterator[Event | Refused]]
    ) -> web.Response:
        """Answer a request by what `judge` says of its body, which comes within what the token may send.

        What `judge` raises is answered where it is one of the errors of this room.
        """
        allowance = self._allowances.setdefault(token.id, Allowance(self._rate))
        if wait := allowance.wait_seconds:
            return _later(429, "too many events", wait)
        with allowance.place() as free:
            if not free:
                return _later(429, "too many requests of this token at once", 1)
            body = await _body(request)
            events: list[Event] = []
            refused: list[Refused] = []
            async for said in judge(body):
                refused.append(said) if isinstance(said, Refused) else events.append(said)
            allowance.spend(len(events) + len(refused))
            if events:
                await self._log.write(events)
            return self._told(len(events), refused)

    async def body_of_a_stranger(self, request: web.Request) -> bytes:
        """The body by which somebody is to show who he is. Until then he has the place of nobody who has shown it."""
        self._at_once -= 1
        try:
            return await _body(request)
        finally:
            self._at_once += 1

    def token(self, request: web.Request) -> Token:
        """The token that a request shows. Raises `ForbiddenError` and `TokensError`."""
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        token = self._tokens.of(text.strip()) if scheme.lower() == "bearer" else None
        if token is None:
            raise ForbiddenError("send a token: Authorization: Bearer p112_… (pantau112 gateway token add makes one)")
        return token

    async def _judged(self, bodies: Iterable[bytes], token: Token) -> AsyncIterator[Event | Refused]:
        for number, said in enumerate(self._intake.admit(bodies, token), 1):
            yield said
            if number % SLICE == 0:
                await asyncio.sleep(0)

    def _told(self, accepted: int, refused: Sequence[Refused]) -> web.Response:
        self.traffic.accepted.inc(accepted)
        for why, n in Counter(one.why for one in refused).items():
            self.traffic.refused.labels(why).inc(n)
        said: dict[str, Any] = {"accepted": accepted}
        if not refused:
            return web.json_response(said, status=202)
        said["refused"] = [{"index": one.index, "field": one.field, "reason": one.reason} for one in refused]
        forbidden = not accepted and all(one.why == "not_allowed" for one in refused)
        return web.json_response(said, status=403 if forbidden else 422)

    async def _openapi(self, _: web.Request) -> web.Response:
        return web.Response(body=document(), content_type="application/json")

    async def _health(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _ready(self, _: web.Request) -> web.Response:
        if not self._log.is_up:
            return _later(503, "Kafka does not answer")
        return web.json_response({"status": "ok"})

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=self.traffic.page(kafka_up=self._log.is_up), headers={"Content-Type": CONTENT_TYPE})


@contextlib.asynccontextmanager
async def serving(gateway: Gateway, host: str, port: int, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Serve within the block; yields the port (0: a free one). OSError if it is taken."""
    async with Server(gateway.application(any_name=not is_here_alone(host)), LIMITS) as server:
        yield await server.listen(host, port, tls)


async def _body(request: web.Request) -> bytes:
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await request.read()
    except TimeoutError:
        raise SlowError from None


def _explained(error: Exception) -> web.Response:
    match error:
        case NoEventsError():
            return _problem(400, str(error))
        case TooManyError():
            return _problem(413, f"one request may have {MOST:,} events: send fewer at once")
        case ForbiddenError():
            return _problem(401, str(error), {"WWW-Authenticate": "Bearer"})
        case SlowError():
            return _problem(408, f"the body did not come within {BODY_SECONDS} s")
        case KindError():
            return _problem(415, str(error))
        case LogError():
            log.warning("%s", error)
            return _later(503, "Kafka does not answer; send all of it again")
        case TokensError():
            log.error("%s", error)
            return _later(503, "the gateway cannot read its tokens")
    log.error("a fault of this program: %s", place_of(error))
    return _problem(500, "a fault of this program")


def _problem(status: int, error: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response({"error": error}, status=status, headers=headers)


def _later(status: int, error: str, seconds: float = AGAIN_SECONDS) -> web.Response:
    return _problem(status, error, {"Retry-After": str(math.ceil(seconds))})

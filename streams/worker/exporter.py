"""`/metrics` of one worker, on a thread and port of its own: a slow scrape never holds the fold, a stuck fold is still seen."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from urllib.parse import parse_qs

from aiohttp import web
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from schemas.topics import TOPICS
from streams.clock import Clock
from streams.serving import Limits, ServerThread, neighbourly
from streams.settings import is_here_alone
from streams.worker.exposition import CONTENT_TYPE, exposition
from streams.worker.monitor import Monitor
from streams.worker.pipeline import Pipeline

LIMITS = Limits(connections=64, seconds=30.0)

EARLIEST, LATEST = datetime(1990, 1, 1, tzinfo=UTC).timestamp(), datetime(2101, 1, 1, tzinfo=UTC).timestamp()
"""Moments that can be asked about: of others no noun need be able to speak."""


class PipelineCollector:
    """The worker's own metrics, read from its `Pipeline` at every scrape."""

    def __init__(self, monitor: Monitor, pipeline: Pipeline, clock: Clock, wall: Callable[[], float]) -> None:
        self._monitor, self._pipeline, self._clock, self._wall = monitor, pipeline, clock, wall
        self._version = version("pantau112")

    def collect(self) -> Iterator[Metric]:
        """Every family of `pantau112_`."""
        pipeline, now = self._pipeline, self._wall()
        consumed = CounterMetricFamily(
            "pantau112_events_consumed", "Records by what became of them.", labels=["topic", "outcome"]
        )
        for key, n in sorted(dict(pipeline.consumed).items()):
            consumed.add_metric(key, n)
        yield consumed
        dead = CounterMetricFamily("pantau112_dead_letters", "Records put aside unread, by reason.", labels=["topic", "reason"])
        for key, n in sorted(dict(pipeline.dead_letters).items()):
            dead.add_metric(key, n)
        yield dead
        left_out = CounterMetricFamily(
            "pantau112_left_out",
            "Times that a centre was left out of a scrape, or one of its matters by a timer, because of a fault of ours.",
            labels=["what", "city"],
        )
        for key, n in sorted(dict(pipeline.left_out).items()):
            left_out.add_metric(key, n)
        yield left_out
        owned = GaugeMetricFamily("pantau112_partitions_owned", "Partitions that this worker folds now.", labels=["topic"])
        wanted = GaugeMetricFamily("pantau112_partitions", "Partitions that the topic has.", labels=["topic"])
        for topic in TOPICS:
            owned.add_metric([topic.name], sum(name == topic.name for name, _ in pipeline.owned))
            wanted.add_metric([topic.name], self._monitor.partitions)
        yield owned
        yield wanted
        place = ["topic", "partition"]
        records = GaugeMetricFamily("pantau112_lag_records", "Records between the flushed state and the log's end.", labels=place)
        for (name, number), lag in sorted(pipeline.lag_records().items()):
            records.add_metric([name, str(number)], lag)
        yield records
        seconds = GaugeMetricFamily(
            "pantau112_lag_seconds", "Age of the last folded record while more are waiting.", labels=place
        )
        for (name, number), age in sorted(pipeline.lag_seconds(now).items()):
            seconds.add_metric([name, str(number)], age)
        yield seconds
        yield GaugeMetricFamily("pantau112_recovering", "1 while the worker gets its state back.", pipeline.recovering)
        yield GaugeMetricFamily(
            "pantau112_standby",
            "1 while the worker stands beside one of another version: it folds, and says no figure unless asked with ?at=.",
            pipeline.beside,
        )
        yield GaugeMetricFamily("pantau112_recovery_seconds", "How long the last recovery took.", pipeline.recovery_seconds)
        yield CounterMetricFamily("pantau112_marker_regressions", "Flush markers that went back.", pipeline.regressions)
        beyond = CounterMetricFamily(
            "pantau112_markers_beyond_log", "States whose offset the log no longer holds.", labels=["side"]
        )
        beyond.add_metric(["below"], pipeline.markers_below_log)
        beyond.add_metric(["above"], pipeline.markers_above_log)
        yield beyond
        yield CounterMetricFamily("pantau112_flushes", "Times that states were written to Kafka.", pipeline.flushes)
        yield CounterMetricFamily("pantau112_flushed_bytes", "Bytes of state written to Kafka.", pipeline.flushed_bytes)
        ahead = GaugeMetricFamily(
            "pantau112_source_clock_offset_seconds",
            "How far the clock of a source is ahead of Kafka's (negative: behind), median of its last events that came live.",
            labels=["city", "source"],
        )
        for city, source, offset in self._monitor.clock_offsets(now):
            ahead.add_metric([city, source], offset)
        yield ahead
        yield GaugeMetricFamily("pantau112_stream_speed", "How fast stream time runs; 1 in life.", self._clock.speed)
        build = GaugeMetricFamily("pantau112_build_info", "1 for the running version.", labels=["version"])
        build.add_metric([self._version], 1)
        yield build


class Exporter:
    """Serves one worker's metrics: `/metrics`, the same of another moment with `?at=TIME`, and `/ready`."""

    def __init__(self, monitor: Monitor, pipeline: Pipeline, clock: Clock, wall: Callable[[], float]) -> None:
        self._monitor, self._pipeline, self._clock, self._wall = monitor, pipeline, clock, wall
        self._registry = CollectorRegistry()
        self._registry.register(PipelineCollector(monitor, pipeline, clock, wall))
        ProcessCollector(registry=self._registry)
        self._turns = asyncio.Lock(), asyncio.Lock()  # of now, and of other moments: these never keep a scrape waiting
        self._next: asyncio.Task[list[bytes]] | None = None

    def metrics(self, at: float | None = None) -> Iterator[bytes]:
        """The whole page in pieces; `at` is stream time in epoch seconds, None for now."""
        for family in self.domain(at):
            yield family.encode()
        yield generate_latest(self._registry)

    def domain(self, at: float | None = None) -> Iterator[str]:
        """The domain families; none while states are not whole, so that no half number is ever seen, and none of now while
        another version says them.
        """
        if self._pipeline.recovering or (self._pipeline.beside and at is None):
            return
        wall = self._wall()
        now = self._clock.at(wall) if at is None else at
        owned = {number for _, number in self._pipeline.owned}
        cities = [city for city, partition in self._monitor.home.items() if partition in owned]
        # A moment asked for is compared with another computation of it: its timestamps stay as they are.
        shift = wall - now if at is None else 0.0
        yield from exposition(
            self._monitor, now, shift, cities, lambda city, error: self._pipeline.leave_out("scrape", city, error)
        )

    def serve(self, host: str, port: int) -> int:
        """Answer from a thread until the process ends; returns the port (0: a free one). OSError if it is taken."""
        app = web.Application(middlewares=[neighbourly(any_name=not is_here_alone(host))])
        app.add_routes([web.get("/ready", self._ready), web.get("/metrics", self._page), web.get("/{path:.*}", _elsewhere)])
        return ServerThread("exporter", app, LIMITS).listen(host, port)

    async def _ready(self, _: web.Request) -> web.Response:
        if self._pipeline.recovering:
            return _said(503, "recovering")
        return _said(200, "ready, beside another version" if self._pipeline.beside else "ready")

    async def _page(self, request: web.Request) -> web.StreamResponse:
        try:
            moments = parse_qs(request.rel_url.raw_query_string.replace("+", "%2B")).get("at")
            at = datetime.fromisoformat(moments[0]).timestamp() if moments else None
        except (ValueError, OverflowError):
            return _said(400, "at: give an ISO 8601 time with zone, such as 1999-01-04T16:15:00+02:00")
        if at is not None and not EARLIEST <= at < LATEST:
            return _said(400, "at: give a time between 1990 and 2100")
        pieces = await asyncio.shield(self._next_page()) if at is None else await self._computed(self._turns[1], at)
        page = web.StreamResponse(headers={"Content-Type": CONTENT_TYPE})
        page.content_length = sum(map(len, pieces))
        await page.prepare(request)
        for piece in pieces:
            await page.write(piece)
        return page

    def _next_page(self) -> "asyncio.Task[list[bytes]]":
        """The next that is begun: however many ask, one is computed at a time, and whoever waits for it shares it."""
        if self._next is None:
            self._next = asyncio.create_task(self._computed(self._turns[0]))
        return self._next

    async def _computed(self, turn: asyncio.Lock, at: float | None = None) -> list[bytes]:
        async with turn:
            if at is None:
                self._next = None
            return await asyncio.to_thread(lambda: list(self.metrics(at)))


async def _elsewhere(_: web.Request) -> web.Response:
    return _said(404, "try /metrics or /ready")


def _said(status: int, text: str) -> web.Response:
    return web.Response(status=status, text=f"{text}\n")

"""`/metrics` of one edge, read from the edge itself at every scrape."""

import asyncio
from collections import Counter
from collections.abc import Iterator

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from streams.edge.edge import Edge
from streams.serving import Limits, ServerThread, neighbourly
from streams.settings import is_here_alone

LIMITS = Limits(connections=64, seconds=10.0)


class EdgeCollector:
    """The metrics of one edge."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge

    def collect(self) -> Iterator[Metric]:
        """Every family of `pantau112_edge_`."""
        edge = self._edge
        keeper, forwarder = edge.keeper, edge.forwarder
        spool = keeper.spool
        oldest, used, capacity = keeper.ask(lambda: (spool.oldest(), spool.used(), spool.capacity()))
        names = [collector.name for collector in edge.collectors]
        yield self._of_collectors(GaugeMetricFamily, "queue_events", "Events that wait to be sent.", names, spool.waiting)
        if oldest is not None:
            yield _gauge("oldest_event_timestamp_seconds", "When the oldest event that waits was collected.", oldest)
        yield _gauge("spool_bytes", "Bytes that the spool holds.", used)
        yield _gauge("spool_capacity_bytes", "Bytes that it can hold, by its bound and by its disk.", capacity)
        yield _gauge("spool_full", "1 while there is no room: who can read again waits, others are refused.", keeper.is_full)
        yield self._of_collectors(CounterMetricFamily, "events_sent", "Events that the destination has.", names, spool.sent)
        refused = CounterMetricFamily(
            "pantau112_edge_events_refused",
            "Events that are lost (spool), or set aside (destination).",
            labels=["collector", "by"],
        )
        for name in names:
            refused.add_metric([name, "spool"], keeper.refused[name])
            refused.add_metric([name, "destination"], spool.set_aside[name])
        yield refused
        yield self._of_collectors(
            CounterMetricFamily, "restarts", "Times that one failed and began again.", [*names, "forwarder"], edge.restarts
        )
        answered = GaugeMetricFamily(
            "pantau112_edge_source_last_answer_timestamp_seconds",
            "When a source that is asked, such as a feed of warnings, last gave all it had.",
            labels=["collector"],
        )
        for collector in edge.collectors:
            if (moment := getattr(collector, "answered", None)) is not None:
                answered.add_metric([collector.name], moment)
        yield answered
        noted = CounterMetricFamily(
            "pantau112_edge_noted", "What a collector found in its source and could not use.", labels=["collector", "what"]
        )
        for collector in edge.collectors:
            for what, n in sorted(dict(getattr(collector, "counted", {})).items()):
                noted.add_metric([collector.name, what], n)
        yield noted
        over = CounterMetricFamily(
            "pantau112_edge_passed_over",
            "What was read and says nothing of calls or seats, or must not be told.",
            labels=["what"],
        )
        for what, n in sorted(dict(keeper.door.passed_over).items()):
            over.add_metric([what], n)
        yield over
        answers = CounterMetricFamily(
            "pantau112_edge_answers", "Requests to the destination, by how they ended.", labels=["answer"]
        )
        for answer, n in sorted(dict(forwarder.answers).items()):
            answers.add_metric([answer], n)
        yield answers
        yield _gauge("destination_up", "0 while the destination does not take events.", not forwarder.is_away)
        if forwarder.last_answer is not None:
            yield _gauge("last_answer_timestamp_seconds", "When the destination took events last.", forwarder.last_answer)

    @staticmethod
    def _of_collectors(
        kind: type[GaugeMetricFamily] | type[CounterMetricFamily], name: str, said: str, names: list[str], numbers: Counter[str]
    ) -> Metric:
        family = kind(f"pantau112_edge_{name}", said, labels=["collector"])
        for collector in names:
            family.add_metric([collector], numbers[collector])
        return family


def _gauge(name: str, said: str, value: float) -> Metric:
    return GaugeMetricFamily(f"pantau112_edge_{name}", said, float(value))


def serve(edge: Edge, host: str, port: int) -> tuple[ServerThread, int]:
    """Answer from a thread until it is closed; also returns the port (0: a free one). OSError if it is taken."""
    registry = CollectorRegistry()
    registry.register(EdgeCollector(edge))
    ProcessCollector(registry=registry)

    async def page(_: web.Request) -> web.Response:
        return web.Response(
            body=await asyncio.to_thread(generate_latest, registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )

    app = web.Application(middlewares=[neighbourly(any_name=not is_here_alone(host))])
    app.add_routes([web.get("/metrics", page)])
    server = ServerThread("exporter", app, LIMITS)
    try:
        return server, server.listen(host, port)
    except OSError:
        server.close()
        raise

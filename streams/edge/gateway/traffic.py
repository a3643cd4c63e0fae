"""What the gateway says of itself at `/metrics`: events taken and refused, requests answered, how long that took, and Kafka."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Traffic:
    """The counters of one gateway, since its start."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        of = self._registry
        self.accepted = Counter("pantau112_gateway_events_accepted", "Events that Kafka has.", registry=of)
        self.refused = Counter("pantau112_gateway_events_refused", "Events not taken, by reason.", ["reason"], registry=of)
        self.answered = Counter(
            "pantau112_gateway_requests", "Requests, by path and HTTP status.", ["path", "status"], registry=of
        )
        self.seconds = Histogram(
            "pantau112_gateway_request_seconds",
            "From the end of a request's headers to its answer, by path.",
            ["path"],
            buckets=SECONDS,
            registry=of,
        )
        self.kafka_up = Gauge("pantau112_gateway_kafka_up", "1 while Kafka answers.", registry=of)

    def page(self, *, kafka_up: bool) -> bytes:
        """The text that Prometheus reads."""
        self.kafka_up.set(kafka_up)
        return generate_latest(self._registry)

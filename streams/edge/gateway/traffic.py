"""What the gateway says at `/metrics`: events taken and refused, requests answered, how long that took, Kafka, and the alarms
and silences that Alertmanager holds.
"""

from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from streams.edge.gateway.alarms import Alarm, Alarms, Held

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Traffic:
    """The counters of one gateway, since its start."""

    def __init__(self, alarms: Alarms | None = None) -> None:
        """`alarms` where Alertmanager is looked at."""
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
        if alarms is not None:
            of.register(_Held(alarms))

    def page(self, *, kafka_up: bool) -> bytes:
        """The text that Prometheus reads."""
        self.kafka_up.set(kafka_up)
        return generate_latest(self._registry)


class _Held(Collector):
    """What Alertmanager holds; nothing but that it does not answer, while it does not."""

    def __init__(self, alarms: Alarms) -> None:
        self._alarms = alarms

    def collect(self) -> Iterable[GaugeMetricFamily]:
        seen = self._alarms.seen
        yield GaugeMetricFamily("pantau112_alertmanager_up", "1 while Alertmanager answers the gateway.", value=seen is not None)
        yield from _states(seen.alarms if seen else ())
        if seen:
            yield from _silences(seen, self._alarms.kinds.zone)


def _states(alarms: Sequence[Alarm]) -> Iterable[GaugeMetricFamily]:
    which = ["alertname", "severity", "city", "about"]
    states = GaugeMetricFamily(
        "psap_alarm_state",
        "1 for each alert that Alertmanager holds: active (sent, or would be), inhibited, silenced, or acknowledged, by whom.",
        labels=[*which, "state", "by"],
    )
    until = GaugeMetricFamily(
        "psap_alarm_acknowledged_until_timestamp_seconds",
        "Until when somebody has an alert, or it is silenced.",
        labels=[*which, "by"],
    )
    for alarm in alarms:
        labels = [*(alarm.labels.get(name, "") for name in which[:3]), alarm.about]
        states.add_metric([*labels, alarm.state, alarm.by], 1)
        if alarm.until is not None:
            until.add_metric([*labels, alarm.by], alarm.until.timestamp())
    yield from (states, until)


def _silences(seen: Held, zone: ZoneInfo) -> Iterable[GaugeMetricFamily]:
    which = ["silence", "mutes", "muted_by", "muted_until", "phase"]
    until = GaugeMetricFamily(
        "psap_silence_until_timestamp_seconds", "Until when each silence lasts by which nobody has an alarm.", labels=which
    )
    alerts = GaugeMetricFamily("psap_silence_alerts", "Alerts that it mutes now.", labels=which)
    share = GaugeMetricFamily(
        "psap_silence_pages_ratio",
        "Share of the kinds of pages of one centre, or of the monitor's own, that it mutes; 1 where it mutes the watchdog.",
        labels=which,
    )
    for muting in seen.mutings:
        silence = muting.silence
        end = silence.until.astimezone(zone)
        phase = "pending" if silence.is_pending else "active"
        labels = [silence.id[:8], muting.matchers, silence.by, f"{end:%d-%m-%Y %H:%M} {end.tzname()}", phase]
        until.add_metric(labels, silence.until.timestamp())
        alerts.add_metric(labels, muting.alerts)
        share.add_metric(labels, muting.share)
    yield from (until, alerts, share)
    yield GaugeMetricFamily("psap_silences_more", "Silences of which the above does not tell.", value=seen.more)
    yield GaugeMetricFamily("psap_silenced_pages_ratio", "The same share, of all silences together.", value=seen.share)

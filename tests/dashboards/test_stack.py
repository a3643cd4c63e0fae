"""The real Prometheus and Alertmanager with our files: a waiting caller wakes somebody, and every board has something to show."""

import asyncio
import json
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from schemas.event import Event
from schemas.topics import PARTITIONS, TOPIC_OF, TOPICS
from streams import centres
from streams.clock import Clock
from streams.stack.debian import Programs
from streams.stack.prometheus import alertmanager, prometheus
from streams.stack.service import Ready, Service
from streams.worker.exporter import Exporter
from streams.worker.monitor import Monitor
from streams.worker.pipeline import Pipeline
from tests.builders import (
    answered,
    ended,
    link,
    link_measured,
    logged_in,
    network_dropped,
    offered,
    opened,
    seconds_to,
    sent,
    warned,
)
from tests.conftest import HANG, free_port, wait_until

pytestmark = pytest.mark.stack
BOGOR = centres.load([])["32.71"]
DASHBOARDS = Path(__file__).parents[2] / "dashboards"


class Centre:
    """Kota Bogor as one worker exports it, with events told by the test; seconds count from now."""

    def __init__(self) -> None:
        self._monitor = Monitor({"32.71": BOGOR}, PARTITIONS)
        owned = frozenset((topic.name, number) for topic in TOPICS for number in range(PARTITIONS))
        pipeline = Pipeline(owned=owned, recovering=False)
        for place in owned:
            pipeline.log_end[place], pipeline.markers[place], pipeline.newest[place] = 1, 0, time.time()
        self.port = Exporter(self._monitor, pipeline, Clock(), time.time).serve("127.0.0.1", 0)
        self._start = seconds_to(datetime.now(UTC))
        self._offset = 0

    def ago(self, seconds: float) -> float:
        """As the builders count."""
        return self._start - seconds

    def tell(self, *events: Event) -> None:
        for event in events:
            home = self._monitor.home[event.subject]
            said = self._monitor.fold_event(TOPIC_OF[event.type].name, home, self._offset, event, time.time())
            assert said == "folded"
            self._offset += 1


class Receiver:
    """What Alertmanager was told to wake: every alert it sent, oldest first."""

    def __init__(self) -> None:
        self.alerts: list[dict[str, Any]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.alerts += json.loads(self.rfile.read(int(self.headers["Content-Length"])))["alerts"]
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def told(self, name: str, status: str) -> bool:
        return any(alert["labels"].get("alertname") == name and alert["status"] == status for alert in self.alerts)


@contextmanager
def running(service: Service, log: Path) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(service.command, stdout=output, stderr=output)
    try:
        wait_until(lambda: answers(service.ready) or process.poll() is not None, f"{service.name} is ready")
        assert process.poll() is None, log.read_text()
        yield
    finally:
        process.terminate()
        process.wait(HANG)


def answers(ready: Ready) -> bool:
    try:
        return asyncio.run(ready())  # type: ignore[arg-type]
    except OSError:
        return False


@pytest.fixture
def centre() -> Centre:
    return Centre()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def asked(programs: Programs, centre: Centre, receiver: Receiver, tmp_path: Path) -> Iterator[int]:
    """The port of a Prometheus that watches the centre and pages the receiver, with the project's own files."""
    ports = free_port(), free_port()
    targets = tmp_path / "prometheus" / "targets"
    targets.mkdir(parents=True)
    (targets / "centre.json").write_text(json.dumps([{"targets": [f"127.0.0.1:{centre.port}"]}]))
    paging = alertmanager(
        programs,
        home=tmp_path,
        data=tmp_path / "am",
        port=ports[1],
        config=DASHBOARDS / "alertmanager.yml",
        here={"pages:9113": f"127.0.0.1:{receiver.port}"},
    )
    watching = prometheus(
        programs,
        home=tmp_path,
        data=tmp_path / "tsdb",
        port=ports[0],
        config=DASHBOARDS / "prometheus.yml",
        rules=(DASHBOARDS / "rules").glob("*.yml"),
        here={
            "alertmanager:9093": f"127.0.0.1:{ports[1]}",
            "dns_sd_configs: [{names: [worker], type: A, port: 9112}]": "file_sd_configs: [{files: [targets/*.json]}]",
            "interval: 5s": "interval: 1s",
        },
    )
    with running(paging, tmp_path / "alertmanager.log"), running(watching, tmp_path / "prometheus.log"):
        yield ports[0]


def query(port: int, expr: str) -> list[dict[str, Any]]:
    with urlopen(f"http://127.0.0.1:{port}/api/v1/query?{urlencode({'query': expr})}", timeout=HANG) as answer:
        result: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        return result


def test_a_link_that_stays_down_reaches_the_receiver_and_a_caller_who_waits_only_the_wall(
    centre: Centre, receiver: Receiver, asked: int
) -> None:
    centre.tell(offered("c0", centre.ago(90)), answered("c0", centre.ago(85)))  # else nobody would be answering, which is worse
    centre.tell(link("up", centre.ago(3000)), link("down", centre.ago(151)), offered("c1", centre.ago(61)))
    wait_until(lambda: receiver.told("PsapLinkDown", "firing"), "the page arrives")
    [page] = [alert for alert in receiver.alerts if alert["labels"]["alertname"] == "PsapLinkDown"][:1]
    assert page["labels"] == {
        "alertname": "PsapLinkDown",
        "city": "32.71",
        "link": "sip-telkom",
        "name": "Kota Bogor",
        "province": "Jawa Barat",
        "severity": "page",
    }
    assert page["annotations"]["summary"] == "Kota Bogor: link sip-telkom is down"
    assert page["annotations"]["summary_id"] == "Kota Bogor: jalur sip-telkom putus"
    wait_until(lambda: on_wall(asked, "PsapCallerWaiting"), "the wait is on the wall")

    centre.tell(answered("c1", centre.ago(0), seat="seat-1"))
    wait_until(lambda: not on_wall(asked, "PsapCallerWaiting"), "and goes")
    assert {alert["labels"]["severity"] for alert in receiver.alerts} == {"page"}


def on_wall(port: int, name: str) -> bool:
    return bool(query(port, f'ALERTS{{alertname="{name}",severity="wall",alertstate="firing"}}'))


def test_a_network_drop_in_the_rain_is_told_as_one_story(centre: Centre, receiver: Receiver, asked: int) -> None:
    """Rain is warned of, a link goes down and takes calls along, callers pile up on what is left, and an agency leaves its ticket
    unanswered: whoever is on duty hears of the link and the ticket, and not of all that follows; the wall has the rest.
    """
    for name in ("sip-telkom", "sip-indosat"):
        centre.tell(link("up", centre.ago(3000), name))
    centre.tell(logged_in("seat-1", centre.ago(2000)))
    centre.tell(warned("rain", centre.ago(1500), centre.ago(1500), centre.ago(-3600), "Severe"))
    for number in range(12):
        call, came = f"c{number}", centre.ago(900 - number)
        centre.tell(offered(call, came), answered(call, came + 9, seat="seat-1"), ended(call, came + 19))
    centre.tell(opened("t1", centre.ago(1000)), sent("t1", centre.ago(999)))
    # What has risen can only be told by who has seen it before.
    wait_until(lambda: bool(query(asked, 'psap_calls_ended_total{outcome="network_dropped"} == 0')), "Prometheus sees the centre")
    centre.tell(link("down", centre.ago(153)))
    for number in range(6):
        centre.tell(offered(f"lost{number}", centre.ago(152)), network_dropped(f"lost{number}", centre.ago(151)))
    centre.tell(link_measured(centre.ago(30), loss=0.2))
    for number in range(12):
        centre.tell(offered(f"waits{number}", centre.ago(65 - number)))

    for name in ("PsapLinkDown", "PsapTicketUnanswered"):
        wait_until(lambda name=name: receiver.told(name, "firing"), f"{name} arrives")  # type: ignore[misc]
    for name in ("PsapWeatherWarning", "PsapQueueSpike", "PsapCallerWaiting", "PsapCallsLostToNetwork"):
        wait_until(lambda name=name: on_wall(asked, name), f"{name} is on the wall")  # type: ignore[misc]
    said = {alert["labels"]["alertname"] for alert in receiver.alerts}
    assert said == {"PsapLinkDown", "PsapTicketUnanswered"}
    for alert in receiver.alerts:
        assert all(
            alert["annotations"][f"{text}{language}"] for text in ("summary", "description", "todo") for language in ("", "_id")
        )

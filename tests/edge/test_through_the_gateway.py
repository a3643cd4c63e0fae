"""From a centre far away: edge, gateway and broker are killed in turn, and every figure is that of an undisturbed run."""

import signal
from pathlib import Path

import pytest

from schemas.event import Event
from streams import centres
from streams.sources import read
from tests.conftest import RealKafka, wait_until
from tests.edge.gateway import test_gateway_log as gateways
from tests.edge.test_edge_kafka import QUEUE_LOG, Process, arrived, page

pytestmark = [
    pytest.mark.stack,
    # kafka-python leaves sockets to the garbage collector when a broker dies
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
gateway = gateways.gateway


def test_after_kills_of_edge_gateway_and_broker_every_figure_is_that_of_an_undisturbed_run(
    kafka: RealKafka, gateway: gateways.Process, tmp_path: Path
) -> None:
    lines = QUEUE_LOG.read_bytes().splitlines(keepends=True)
    undisturbed = [line.item for line in read(QUEUE_LOG, centres.load([])["32.71"]) if isinstance(line.item, Event)]
    wanted = {event.id for event in undisturbed}
    (tmp_path / "token").write_text(gateway.token)
    (tmp_path / "queue_log").touch()
    (tmp_path / "edge.toml").write_text(
        f'spool = "spool.db"\nto = "http://127.0.0.1:{gateway.port}"\ntoken_file = "token"\nmetrics_port = 0\n'
        '[[follow]]\nfile = "queue_log"\n'
    )
    edge = Process(tmp_path, gateway.settings)
    parts = 8
    for part in range(parts):
        with (tmp_path / "queue_log").open("ab") as log:
            log.writelines(lines[len(lines) * part // parts : len(lines) * (part + 1) // parts])
        match part:
            case 0:
                wait_until(lambda: bool(arrived(gateway.settings)), "the first events are in Kafka")
            case 1 | 5:
                gateway.kill()
                gateway.start()
            case 2 | 6:
                edge.end(signal.SIGKILL)
                edge = Process(tmp_path, gateway.settings)
            case 3:
                kafka.kill()
            case 4:
                gateway.kill()
                edge.end(signal.SIGKILL)
                kafka.start()
                gateway.start()
                edge = Process(tmp_path, gateway.settings)
    wait_until(lambda: {event.id for event in arrived(gateway.settings)} >= wanted, "all have arrived")
    assert edge.end(signal.SIGTERM) == 0, edge.log.read_text()

    events = arrived(gateway.settings)
    assert {event.id for event in events} == wanted
    assert page(sorted(events, key=lambda event: event.time)) == page(sorted(undisturbed, key=lambda event: event.time))

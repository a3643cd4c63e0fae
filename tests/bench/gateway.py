"""Events over HTTP into Kafka: how many a second one core takes in batches, and how long one alone waits for its 202."""

import contextlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path
from statistics import median, quantiles

from schemas.topics import encode
from streams.edge.gateway.cloudevents import BATCHED, STRUCTURED
from streams.edge.gateway.tokens import Tokens
from streams.sources import simulate
from tests.bench.figure import Figure
from tests.bench.stage import create_topics, on_core
from tests.bench.workload import BOGOR, midnight
from tests.conftest import free_port, wait_until

PREFIX = "gateway."
BATCH, SENDERS, ROUNDS = 500, 4, 5
DAYS = 12
SINGLES, RATE = 2_000, 100
"""Events that are sent one by one, and how many of them a second."""


class Server:
    """A process on the measured core that takes events at `/v1/events`."""

    def __init__(self, command: Sequence[str], port: int, token: str, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(on_core(*command), env={**os.environ, **environment}, stderr=subprocess.DEVNULL)
        self._port, self._token = port, token
        wait_until(self._takes, "events are taken")

    def post(self, connection: HTTPConnection, body: bytes, kind: str) -> int:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": kind}
        connection.request("POST", "/v1/events", body, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status

    def connect(self) -> HTTPConnection:
        return HTTPConnection("127.0.0.1", self._port, timeout=60)

    def throughput(self, bodies: Sequence[bytes], events: int) -> tuple[float, float]:
        """Events a second, of the wall and of the process's own time, with several senders at once."""
        waiting, statuses = list(bodies), set()

        def send() -> None:
            with contextlib.closing(self.connect()) as connection, contextlib.suppress(IndexError):
                while True:
                    statuses.add(self.post(connection, waiting.pop(), BATCHED))

        began, cpu = time.monotonic(), self._cpu_seconds()
        senders = [threading.Thread(target=send) for _ in range(SENDERS)]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        assert statuses == {202}, statuses
        return events / (time.monotonic() - began), events / (self._cpu_seconds() - cpu)

    def end(self) -> None:
        self._process.terminate()
        self._process.wait()

    def _takes(self) -> bool:
        with contextlib.suppress(OSError), contextlib.closing(self.connect()) as connection:
            return self.post(connection, b"[]", BATCHED) == 202
        return False

    def _cpu_seconds(self) -> float:
        spent = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(spent[11]) + int(spent[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def servers(bootstrap: str) -> Iterator[tuple[Server, Server]]:
    """The gateway, and the bare server."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        tokens = Path(name) / "tokens.json"
        token = Tokens(tokens).add([BOGOR.code], ["*"], may_decide=True)
        port, bare_port = free_port(), free_port()
        environment = {
            "PANTAU112_BOOTSTRAP": bootstrap,
            "PANTAU112_TOPIC_PREFIX": PREFIX,
            "PANTAU112_GATEWAY_TOKENS": str(tokens),
            "PANTAU112_GATEWAY_PORT": str(port),
            "PANTAU112_GATEWAY_RATE": "1000000",
        }
        ours = Server(["-m", "streams.cli", "gateway"], port, token, environment)
        bare = Server(["-m", "tests.bench.bare", "take", str(bare_port)], bare_port, token, {})
        try:
            yield ours, bare
        finally:
            ours.end()
            bare.end()


def measure(bootstrap: str) -> list[Figure]:
    """Batches in turn with the bare server, then single events, evenly."""
    create_topics(bootstrap, PREFIX, "bench-gateway")
    start = midnight() - timedelta(days=DAYS)
    told = [encode(event) for event in simulate.events(112, start, BOGOR, DAYS, 1000)]
    bodies = [b"[" + b",".join(told[n : n + BATCH]) + b"]" for n in range(0, len(told), BATCH)]
    with servers(bootstrap) as (ours, bare):
        rates = [(ours.throughput(bodies, len(told)), bare.throughput(bodies, len(told))) for _ in range(ROUNDS)]
        seconds, bare_seconds = ([one for one in _singles(server, told)] for server in (ours, bare))
    figures = []
    for index, kind in enumerate(("wall", "CPU")):
        mine, its = (median(pair[which][index] for pair in rates) for which in (0, 1))
        figures.append(
            Figure(
                f"gateway, events per {kind} second in batches of {BATCH} ({len(told):,} events, {SENDERS} senders)",
                f"{mine:,.0f}",
                f"{its:,.0f} (aiohttp, decode, count)",
                f"{mine / its:.2f}",
                "≥ 20,000" if kind == "CPU" else "",
                mine >= 20_000 if kind == "CPU" else None,
            )
        )
    for share in (50, 99):
        mine, its = (quantiles(some, n=100)[share - 1] * 1000 for some in (seconds, bare_seconds))
        figures.append(
            Figure(
                f"gateway, one event → 202, p{share} at {RATE} a second",
                f"{mine:.1f} ms",
                f"{its:.1f} ms (aiohttp, decode)",
                f"{mine / its:.1f}",
                "≤ 10 ms" if share == 99 else "",
                mine <= 10 if share == 99 else None,
            )
        )
    return figures


def _singles(server: Server, told: Sequence[bytes]) -> Iterator[float]:
    """How long each took, in seconds."""
    kind, began = (STRUCTURED, time.monotonic())
    with contextlib.closing(server.connect()) as connection:
        for n in range(SINGLES):
            time.sleep(max(0.0, began + n / RATE - time.monotonic()))
            sent = time.monotonic()
            body = told[n]
            server.post(connection, body, kind)
            yield time.monotonic() - sent


if __name__ == "__main__":
    from tests.bench import stage

    with stage.kafka() as address:
        for figure in measure(address):
            sys.stdout.write(f"{figure.row()}\n")

"""A Prometheus of its own that is told the past as if it had scraped it, and gives it away as blocks of its form.

It knows of every series when it went, which no text can say to promtool, and it takes a sample in a third of promtool's time.
"""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from http.client import HTTPException
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple, Protocol, Self

import yaml

from streams.analysis.remote_write import HEADERS, Scrapes, Series, compressed, stamp
from streams.api import Api
from streams.core.centre import Centre
from streams.core.fault import place_of
from streams.core.reading import Reading
from streams.stack import StackError
from streams.stack.die_with_parent import tied
from streams.stack.service import last_lines
from streams.stack.web_password import ensure_password, local, web_config

RULES = Path(__file__).parents[2] / "dashboards" / "rules"
BLOCK_HOURS = 18
"""2 h · 3², one of the sizes that Prometheus merges to."""
MEMORY_MB, MEMORY_MB_OF_A_CITY = 100, 50
"""What it is to do with; it takes more if it has to, and without being told it takes twice as much."""
RULE_SECONDS = 60
"""Recording rules are asked no more often: a chart looks back for five minutes."""
HEAVY = 300_000
"""Readings at once, so that of many centres not all of an hour are held."""
READY_SECONDS = 60.0
ANSWER_SECONDS = 600.0


Key = frozenset[tuple[str, str]]
"""The labels of a series."""


class Measured(Protocol):
    """What says the figures of centres at a moment, as a monitor does."""

    @property
    def centres(self) -> Mapping[str, Centre]: ...

    def measure(self, city: str, now: float) -> list[Reading]: ...


class Rule(NamedTuple):
    """A recording rule: what it is called, what it says, and the labels that it adds."""

    name: str
    expr: str
    labels: Mapping[str, str]


def recording_rules() -> list[Rule]:
    """Those of the project, in their order."""
    groups = [group for file in sorted(RULES.glob("*.yml")) for group in yaml.safe_load(file.read_text())["groups"]]
    rules = [rule for group in groups for rule in group["rules"] if "record" in rule]
    return [Rule(rule["record"], rule["expr"], rule.get("labels", {})) for rule in rules]


class Historian:
    """The Prometheus, while the `with` lasts; everything of it is in the folder `work`, which is there and empty.

    Errors of all that it does: `StackError`, `OSError`, `HTTPException`.
    """

    def __init__(
        self, prometheus: Path, work: Path, cities: int, step: int, labels: Mapping[str, str], marks: Mapping[str, str]
    ) -> None:
        """Scrapes of so many `cities` are `step` seconds apart, at multiples of it. `labels` are those that a scrape gives every
        series; the `marks` also those of recording rules have.
        """
        self._prometheus, self._work, self._marks = prometheus, work, marks
        self._environment = os.environ | {"GOMEMLIMIT": f"{MEMORY_MB + cities * MEMORY_MB_OF_A_CITY}MiB"}
        self._pace = step * ceil(RULE_SECONDS / step)
        self._rules = recording_rules()
        self._scrapes = Scrapes({**labels, **marks})
        self._records: dict[Key, Series] = {}
        self._moments: list[int] = []
        self._teller = ThreadPoolExecutor(1)
        self._told: Future[None] = self._teller.submit(lambda: None)
        self.first: int | None = None
        self.last: int | None = None
        self.left_out: dict[str, str] = {}
        """Centres that could not be measured at some moment, and why."""

    @property
    def samples(self) -> int:
        """How many the workers would have been scraped for."""
        return self._scrapes.samples

    def __enter__(self) -> Self:
        ensure_password(self._work)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        config, self._log = self._work / "prometheus.yml", self._work / "prometheus.log"
        config.write_text("global: {}\n")
        command = [
            str(self._prometheus),
            f"--config.file={config}",
            f"--storage.tsdb.path={self._work / 'data'}",
            "--storage.tsdb.retention.time=100y",
            *(f"--storage.tsdb.{end}-block-duration={BLOCK_HOURS}h" for end in ("min", "max")),
            f"--web.listen-address=127.0.0.1:{port}",
            f"--web.config.file={web_config(self._work)}",
            "--web.enable-remote-write-receiver",
            "--web.enable-admin-api",  # which alone can say: give all that you have
        ]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                tied(command, signal.SIGKILL), env=self._environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        self._api: Api = local(self._work, port)
        try:
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()  # what it has, nobody needs any more
        self._teller.shutdown()
        self._process.wait()

    def _wait(self) -> None:
        end = time.monotonic() + READY_SECONDS
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > end:
                raise StackError(f"A Prometheus that takes history did not start. {last_lines(self._log)}")
            time.sleep(0.05)

    def _is_ready(self) -> bool:
        try:
            return self._api.look("/-/ready")[0] == 200
        except (OSError, HTTPException):
            return False

    def scrape(self, moment: int, monitor: Measured) -> None:
        """Remember what a worker says at this moment, epoch seconds; moments ascend."""
        self.first = moment if self.first is None else self.first
        if self._moments and (moment // 3600 != self._moments[-1] // 3600 or self._scrapes.weight >= HEAVY):
            self._tell()
        self._moments.append(moment)
        self.last = moment
        self._scrapes.begin(moment)
        for city in monitor.centres:
            try:
                readings = monitor.measure(city, moment)
            except Exception as error:
                self.left_out[city] = place_of(error)
            else:
                self._scrapes.see(city, readings)

    def _tell(self) -> None:
        """Let Prometheus have what was scraped, while the next is; what came of the time before is known first."""
        self._told.result()
        self._told = self._teller.submit(self._write, self._scrapes.take(), self._moments)
        self._moments = []

    def _write(self, message: bytes, moments: list[int]) -> None:
        self._send(message)
        asked = [moment for moment in moments if moment % self._pace == 0]
        if not asked:
            return
        said: dict[Key, list[float | None]] = {key: [None] * len(asked) for key in self._records}
        for rule in self._rules:
            for series in self._over(rule.expr, asked):
                labels = {**series["metric"], **rule.labels, **self._marks, "__name__": rule.name}
                key = frozenset(labels.items())
                if key not in self._records:
                    self._records[key] = Series(labels)
                    said[key] = [None] * len(asked)
                for moment, value in series["values"]:
                    said[key][(int(moment) - asked[0]) // self._pace] = float(value)
        stamps = [stamp(moment) for moment in asked]
        self._send(b"".join(self._records[key].encode(values, stamps) for key, values in said.items()))

    def _over(self, expr: str, moments: list[int]) -> Any:
        """What an expression says at moments that are `_pace` apart."""
        asked = {"query": expr, "start": moments[0], "end": moments[-1], "step": self._pace}
        return self._api.ask("/api/v1/query_range", asked, ANSWER_SECONDS)["data"]["result"]

    def _send(self, message: bytes) -> None:
        if message:
            self._api.send("/api/v1/write", compressed(message), HEADERS, ANSWER_SECONDS)

    def hand_over(self, data: Path) -> int:
        """Put all that was told into the data folder of another Prometheus on the same disk, and return how many blocks it is.

        Each is there whole or not at all; the oldest comes last, because a Prometheus that runs looks for them at any time.
        """
        self._tell()
        self._told.result()
        self._api.tell("/api/v1/admin/tsdb/snapshot", {}, ANSWER_SECONDS)
        [snapshot] = (self._work / "data" / "snapshots").iterdir()
        blocks = sorted(snapshot.iterdir(), reverse=True)
        for block in blocks:
            block.rename(data / block.name)
        return len(blocks)


def require_place(data: Path) -> bool:
    """Whether a folder is the data folder of a Prometheus that ran; else it is not there, empty, or has blocks alone.

    Errors: StackError for anything else.
    """
    if data.exists() and not data.is_dir():
        raise StackError(f"{data}: is no folder. Name the data folder of a Prometheus, or a file that ends in .om or .txt.")
    found = {path.name for path in data.iterdir()} if data.exists() else set[str]()
    if has_run := bool({"wal", "chunks_head"} & found):
        return has_run
    if strange := sorted(name for name in found if not (data / name / "meta.json").exists()):
        raise StackError(
            f"{data}: is no data folder of a Prometheus: it holds {strange[0]} and no wal."
            " Name what its --storage.tsdb.path says, or a new folder."
        )
    return False

"""The whole monitor on this machine: what is started, in which order, and with which addresses."""

import asyncio
import json
import math
import os
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from urllib.request import urlopen

from streams import settings
from streams.analysis.simulation import beginning, keep, recall
from streams.api import USER, Api
from streams.clock import Clock
from streams.core.centre import Centre
from streams.log.kafka import Log
from streams.log.versions import group_of
from streams.stack import StackError, debian, jars
from streams.stack.folder import private, require_room
from streams.stack.gateway import ensure_key, ensure_token, token_file, tokens_file
from streams.stack.history import History
from streams.stack.kafka import Broker, find_java
from streams.stack.listen import Listen
from streams.stack.local import access, password_file, ports_file
from streams.stack.pages import REMINDERS, Pages
from streams.stack.ports import require_free
from streams.stack.prometheus import alertmanager, answers, prometheus
from streams.stack.screen import Screen
from streams.stack.service import Service, Step, last_lines
from streams.stack.supervisor import Supervisor
from streams.stack.wall import Wall
from streams.stack.web_password import ensure_password, local, web_password_file
from streams.worker.migrations import STEPS

ROOT = Path(__file__).parents[2]
DASHBOARDS = ROOT / "dashboards"
FEW = 20
"""Up to so many centres Prometheus looks every second, and every five at more: at all 514 one look takes about half a second."""

INSTANCE = "local"
"""The name that the worker keeps over restarts."""

DAYS, CENTRE_DAYS = 14, 28
"""So many days are behind a simulated centre when it is first looked at; fewer of several, so that together they are no more."""
CAUGHT_UP_RECORDS = 100
"""So few records that wait are those that came just now."""
CATCH_UP_LIMIT = 600.0
"""Seconds that the simulator and the worker may take until they are at now."""

ALERTMANAGER_URL = "PANTAU112_ALERTMANAGER_URL"


@dataclass(frozen=True, slots=True)
class Ports:
    """Eight ports in a row on the loopback."""

    kafka: int
    controller: int
    worker: int
    prometheus: int
    alertmanager: int
    pages: int
    wall: int
    gateway: int

    @classmethod
    def from_base(cls, base: int) -> "Ports":
        """The eight that begin with `base`."""
        return cls(*range(base, base + 8))


@dataclass(frozen=True, slots=True)
class Collected:
    """A real centre: what this edge.toml names is collected, and nothing is simulated."""

    config: Path
    metrics_port: int


class Monitoring:
    """One run of the local monitor in a folder. Without an edge, a centre is simulated, live."""

    kind: str
    """Of the centre, where it is no real one."""

    def __init__(
        self,
        home: Path,
        ports: Ports,
        centres: Sequence[Path],
        watched: Mapping[str, Centre],
        edge: Collected | None = None,
    ) -> None:
        """`centres` are files as the command line names them, and `watched` are the centres in them by code."""
        self.home, self.ports, self.edge = home, ports, edge
        self.kind = "simulasi / simulated" if edge is None else ""
        # Each has its own: what was simulated is never mixed with what happened.
        self.data = home / ("edge" if edge is not None else "live")
        self._watched, self._interval = watched, 1 if len(watched) <= FEW else 5
        self._days = min(DAYS, CENTRE_DAYS // len(watched)) if edge is None else 0
        self._place, self._past = self.data / "simulation.json", self.data / "history"
        # An older folder has no past.
        self._is_new = bool(self._days) and not (self.data / "kafka").exists()
        days = self._days if self._is_new else 0
        self._begun = recall(self._place) or beginning(datetime.now().astimezone(), days, list(watched.values()))
        self.clock = Clock()
        self.screen: Screen | None = None
        """Where else the wall is shown."""
        self.pages = Pages(home / "log" / "pages.log")
        self._told_pages = f"{USER}:{self.pages.password}@127.0.0.1:{ports.pages}"
        self.supervisor = Supervisor(home)
        self._centres = [part for path in centres for part in ("--centre", str(path))]

    @property
    def shown(self) -> str:
        """What events are shown, and where they are kept."""
        if self.edge is not None:
            said = f"pusat nyata, tanpa simulasi / a real centre, nothing is simulated: {self.edge.config}"
        else:
            said = f"simulasi sejak / simulated since {self._begun.since:%Y-%m-%d}"
        return f"{said}   data {self.data}"

    @property
    def sent(self) -> Sequence[str]:
        """The last pages and reminders that went out, newest last."""
        return tuple(self.pages.recent)

    @property
    def places(self) -> list[str]:
        """Where events are sent to, beside the wall."""
        return [f"gateway: http://127.0.0.1:{self.ports.gateway}"]

    @property
    def details(self) -> list[str]:
        """Where the rest is."""
        ports, home = self.ports, self.home
        return [
            self.shown,
            f"gateway http://127.0.0.1:{ports.gateway}/v1/events   token {token_file(home)}",
            f"Prometheus http://127.0.0.1:{ports.prometheus}   Alertmanager http://127.0.0.1:{ports.alertmanager}"
            f"   {USER} {web_password_file(home)}",
            f"metrics http://127.0.0.1:{ports.worker}/metrics   Kafka {self.bootstrap}   log {home}/log",
        ]

    @property
    def bootstrap(self) -> str:
        """Kafka's address."""
        return f"127.0.0.1:{self.ports.kafka}"

    def show(self, listen: Listen) -> None:
        """Let the wall be seen there too, with a token that is made when there is none yet. Errors: StackError."""
        private(self.home)
        self.screen = Screen(listen, Path(os.environ.get("PANTAU112_WALL_TOKEN_FILE") or self.home / "wall.token"))

    @property
    def prometheus(self) -> Api:
        """How it is asked."""
        return local(self.home, self.ports.prometheus)

    @property
    def alertmanager(self) -> Api:
        """How it is asked."""
        return local(self.home, self.ports.alertmanager)

    async def run(self, on_change: Callable[[], None]) -> int:
        """Fetch what is missing, start everything, go on until a signal. Returns the exit code; raises `StackError`."""
        private(self.home)
        require_room(self.home)
        password = ensure_password(self.home)
        programs = await asyncio.to_thread(debian.ensure, self.home / "debian", os.environ.get("PATH", ""))
        jar_files = await asyncio.to_thread(jars.ensure, self.home / "kafka" / "jars")
        java_home = os.environ.get("PANTAU112_JAVA_HOME")
        java = find_java(Path(java_home) if java_home else None)
        data = self.data

        async def listen() -> None:
            require_free(self.ports.pages, "pages")
            self.pages.serve(self.ports.pages)

        async def hang() -> None:
            require_free(self.ports.wall, "wall")
            wall = Wall(DASHBOARDS, self.prometheus)
            wall.serve(self.ports.wall)
            if self.screen is not None:
                self.screen.hang(wall)

        def create_topics() -> None:
            chosen = settings.read({"PANTAU112_BOOTSTRAP": self.bootstrap, **access(self.home)})
            with Log(chosen) as log:
                log.create_topics()
                # The worker of the last run, when that was of another version.
                log.dismiss([group_of(chosen, version) for version in STEPS], INSTANCE)

        async def topics() -> None:
            await asyncio.to_thread(create_topics)

        started = datetime.now().astimezone()

        async def begin() -> None:
            # Before anything runs, so that it has begun even if it is stopped at once.
            if self._is_new:
                self._past.mkdir(parents=True, exist_ok=True)
            if self._days:
                data.mkdir(parents=True, exist_ok=True)
                keep(self._place, recall(self._place) or self._begun)

        async def catch_up() -> None:
            # What is scraped before would be the state of days ago, measured now: callers who wait for a week.
            if self._days:
                await self._caught_up(started)

        broker = Broker(data / "kafka", self.home / "log", self.ports.kafka, self.ports.controller, java, jar_files)

        async def tell_ports() -> None:
            ports_file(self.home).write_text(json.dumps(asdict(self.ports)))

        plan = [
            Step("ports", tell_ports),
            Step("simulation", begin),
            Step("pages", listen),
            Step("wall", hang),
            *broker.plan(ensure_key(password_file(self.home))),
            Step("topics", topics),
            self._feeder(),
            self._worker(),
            Step("token", self._ensure_token),
            self._gateway(),
            alertmanager(
                programs,
                home=self.home,
                data=data / "alertmanager",
                port=self.ports.alertmanager,
                config=DASHBOARDS / "alertmanager.yml",
                here={
                    "pages:9113": self._told_pages,
                    "127.0.0.1:11206": f"127.0.0.1:{self.ports.wall}",
                },
                password=password,
            ),
            Step("targets", self._write_targets),
            Step("catch up", catch_up),
            prometheus(
                programs,
                home=self.home,
                data=data / "prometheus",
                port=self.ports.prometheus,
                config=DASHBOARDS / "prometheus.yml",
                rules=sorted((DASHBOARDS / "rules").glob("*.yml")),
                here={
                    "alertmanager:9093": f"127.0.0.1:{self.ports.alertmanager}",
                    **{
                        f"dns_sd_configs: [{{names: [{name}], type: A, port: {port}}}]": (
                            f"file_sd_configs: [{{files: [targets/{name}.json]}}]"
                        )
                        for name, port in (("worker", 9112), ("gateway", 11207), ("edge", 11212))
                    },
                    "interval: 5s": f"interval: {self._interval}s",
                },
                password=password,
            ),
            *([self._history(programs.prometheus)] if self._is_new or self._past.exists() else []),
        ]
        return await self.supervisor.run(plan, on_change)

    def _environment(self) -> dict[str, str]:
        return {
            "PANTAU112_REMINDER_WEBHOOK": f"http://{self._told_pages}{REMINDERS}",
            "PANTAU112_GATEWAY_URL": f"http://127.0.0.1:{self.ports.gateway}",
            "PANTAU112_LINK_KEY_FILE": str(ensure_key(self.home / "link.key")),
            # Somebody else's Alertmanager is not told our password.
            **({} if ALERTMANAGER_URL in os.environ else {ALERTMANAGER_URL: self.alertmanager.address}),
            **os.environ,
            **this_program(),
            **({} if ALERTMANAGER_URL in os.environ else {"PANTAU112_WEB_PASSWORD_FILE": str(web_password_file(self.home))}),
            "PANTAU112_BOOTSTRAP": self.bootstrap,
            **access(self.home),
            **dict.fromkeys((f"PANTAU112_{name}" for name in ("SASL_PASSWORD", "SSL_CAFILE", "SSL_CERTFILE", "SSL_KEYFILE")), ""),
            "PANTAU112_METRICS_PORT": str(self.ports.worker),
            "PANTAU112_CLOCK": "wall",
            "PANTAU112_INSTANCE_ID": INSTANCE,
            "PANTAU112_CALLER_KEY_FILE": str(caller_key(self.home)),
            **({"PANTAU112_CALLER_KEY_BEFORE_FILE": str(former)} if (former := caller_key_before(self.home)) is not None else {}),
            "PANTAU112_GATEWAY_PORT": str(self.ports.gateway),
            "PANTAU112_GATEWAY_TOKENS": str(tokens_file(self.home)),
        }

    def _worker(self) -> Service:
        return Service(
            "worker",
            [*PANTAU112, "worker", *self._centres],
            ready=answers(self.ports.worker, "/ready"),
            ports=(self.ports.worker,),
            env=self._environment(),
        )

    async def _ensure_token(self) -> None:
        ensure_token(self.home, self._watched)

    def _gateway(self) -> Service:
        return Service(
            "gateway",
            [*PANTAU112, "gateway", *self._centres],
            ready=answers(self.ports.gateway, "/ready"),
            ports=(self.ports.gateway,),
            env=self._environment(),
        )

    def _feeder(self) -> Service:
        if self.edge is not None:
            port = self.edge.metrics_port
            return Service(
                "edge",
                [*PANTAU112, "edge", str(self.edge.config)],
                ready=answers(port, "/metrics"),
                ports=(port,),
                env=self._environment(),
            )
        past = ["--days", str(self._days), "--remember", str(self._place)] if self._days else []
        command = [*PANTAU112, "ingest", "simulate", "--live", *past, *self._centres]
        return Service("simulator", command, ready=at_once, env=self._environment())

    async def _caught_up(self, started: datetime) -> None:
        """Return when the simulator is at now, and the worker has folded what it told. Raises `StackError`."""
        end, calm = time.monotonic() + CATCH_UP_LIMIT, 0
        while calm < 3:  # of looks: what was told last may be unknown to the worker at the first
            if time.monotonic() > end:
                log = last_lines(self.home / "log" / "simulator.log")
                raise StackError(f"The simulated days were not folded within {CATCH_UP_LIMIT:g} s. {log}")
            await asyncio.sleep(0.3)
            place = recall(self._place)
            is_there = place is not None and place.until >= started
            calm = calm + 1 if is_there and await asyncio.to_thread(self._waiting) < CAUGHT_UP_RECORDS else 0

    def _waiting(self) -> float:
        """How many records the worker has yet to fold; many while it does not say."""
        try:
            with urlopen(f"http://127.0.0.1:{self.ports.worker}/metrics", timeout=5) as answer:
                return sum(map(float, re.findall(r"^pantau112_lag_records{.*} (\S+)$", answer.read().decode(), re.M)))
        except OSError:
            return math.inf

    def _history(self, prometheus: Path) -> Service:
        history = History(
            self._past,
            self.data / "prometheus",
            prometheus,
            f"127.0.0.1:{self.ports.worker}",
            self._begun.since.timestamp(),
            "topic:all",
            "wall",
            tuple(self._centres[1::2]),
        )
        return Service("history", history.command(), ready=at_once, env=self._environment(), restart=False)

    async def _write_targets(self) -> None:
        folder = self.home / "prometheus" / "targets"
        folder.mkdir(parents=True, exist_ok=True)
        ports = {"worker": self.ports.worker, "gateway": self.ports.gateway, "edge": self.edge and self.edge.metrics_port}
        for name, port in ports.items():
            (folder / f"{name}.json").write_text(json.dumps([{"targets": [f"127.0.0.1:{port}"]}] if port else []))


PANTAU112 = [sys.executable, "-m", "streams.cli"]


def this_program() -> dict[str, str]:
    """What a process needs to be of it, whatever lies in the folder that it is started in: others may write there, as in /tmp."""
    return {
        "PYTHONSAFEPATH": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
    }


async def at_once() -> bool:
    """Of a service that nobody waits for."""
    return True


def caller_key_file(home: Path) -> Path:
    """Where the key is under which this machine makes callers into pseudonyms."""
    return home / "caller.key"


def caller_key_before(home: Path) -> Path | None:
    """Where the key before is, which whoever changes the key moves aside to there; None where none is."""
    path = home / "caller.key.before"
    return path if path.exists() else None


def caller_key(home: Path) -> Path:
    """The same, made by chance when there is none yet."""
    return ensure_key(caller_key_file(home))

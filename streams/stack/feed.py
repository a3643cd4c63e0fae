"""A recording on the boards: a Prometheus of its own, the wall, and no Alertmanager: nobody is told of what was long ago."""

import asyncio
import json
import os
import shutil
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from streams.api import USER, Api
from streams.clock import Clock, parse
from streams.stack import StackError, debian
from streams.stack.folder import private, require_room
from streams.stack.history import History
from streams.stack.listen import Listen
from streams.stack.ports import require_free
from streams.stack.prometheus import prometheus
from streams.stack.screen import Screen
from streams.stack.service import Service, Step, last_lines
from streams.stack.supervisor import Supervisor
from streams.stack.up import DASHBOARDS, PANTAU112, Ports, at_once, caller_key, this_program
from streams.stack.wall import Wall
from streams.stack.web_password import ensure_password, local, web_password_file

SCRAPED = 1
"""Seconds between two looks: at 60 times life one shows what was a minute."""


CHARTS = 24 * 3600
"""Seconds on the wall that charts have from before the moment: as many as any board shows at first."""


class Feed:
    """One run of a recording in a folder, from a moment on."""

    kind, sent, alertmanager = "rekaman / a recording", (), None

    def __init__(self, home: Path, ports: Ports, centres: Sequence[Path], source: str, start: datetime, speed: float) -> None:
        """`centres` are files as the command line names them."""
        self.home, self.ports, self._source = home, ports, source
        self._start, self.clock = start, Clock(start.timestamp(), 0.0, 0.0)
        """It stands until what came before is counted."""
        self._speed, self._centres = speed, [part for path in centres for part in ("--centre", str(path))]
        self.screen: Screen | None = None
        """Where else the wall is shown."""
        self.supervisor = Supervisor(home)

    @property
    def places(self) -> list[str]:
        """None beside the wall."""
        return []

    @property
    def details(self) -> list[str]:
        """What is played, and where the rest is."""
        ports, home = self.ports, self.home
        return [
            f"rekaman / a recording: {self._source}   data {home}",
            "alarm tidak dikirim kepada siapa pun / nobody is told of its alerts",
            f"Prometheus http://127.0.0.1:{ports.prometheus}   {USER} {web_password_file(home)}",
            f"metrics http://127.0.0.1:{ports.worker}/metrics   log {home}/log",
        ]

    @property
    def prometheus(self) -> Api:
        """How it is asked."""
        return local(self.home, self.ports.prometheus)

    def show(self, listen: Listen) -> None:
        """Let the wall be seen there too, with a token that is made when there is none yet. Errors: StackError."""
        private(self.home)
        self.screen = Screen(listen, Path(os.environ.get("PANTAU112_WALL_TOKEN_FILE") or self.home / "wall.token"))

    async def run(self, on_change: Callable[[], None]) -> int:
        """Start everything, go on until a signal. Returns the exit code; raises `StackError`."""
        private(self.home)
        require_room(self.home)
        password = ensure_password(self.home)
        programs = await asyncio.to_thread(debian.ensure, self.home.parent / "debian", os.environ.get("PATH", ""))
        line, data, config = self.home / "clock", self.home / "prometheus-data", self.home / "tells-nobody.yml"
        looks = f"{{scrape_interval: {SCRAPED}s, evaluation_interval: {SCRAPED}s}}"
        targets = json.dumps([{"targets": [f"127.0.0.1:{self.ports.worker}"]}])
        config.write_text(
            f"global: {looks}\nrule_files: [rules/*.yml]\n"
            f"scrape_configs:\n  - {{job_name: pantau112, sample_limit: 1000000, static_configs: {targets}}}\n"
        )

        async def wipe() -> None:
            # Played again it is the same past again, and the charts hold but one.
            shutil.rmtree(data, ignore_errors=True)
            line.unlink(missing_ok=True)

        async def hang() -> None:
            require_free(self.ports.wall, "wall")
            wall = Wall(DASHBOARDS, self.prometheus)
            wall.serve(self.ports.wall)
            if self.screen is not None:
                self.screen.hang(wall)

        async def begin() -> None:
            # However long it takes: a year of a large town is minutes where there are no snapshots.
            while not line.exists():
                if any(status.name == "feed" and status.state in {"failed", "done"} for status in self.supervisor.status()):
                    raise StackError(f"The recording cannot be played. {last_lines(self.home / 'log' / 'feed.log')}")
                await asyncio.sleep(0.1)
            self.clock = parse(line.read_text())
            # Not before: when its charts end is known only now.
            past.command[:] = self._past(programs.prometheus, data).command()

        past = Service("history", [], ready=at_once, env=self._environment(), restart=False)
        plan: list[Service | Step] = [
            Step("empty feed", wipe),
            Step("wall", hang),
            self._player(line),
            Step("what came before", begin),
            prometheus(
                programs,
                home=self.home,
                data=data,
                port=self.ports.prometheus,
                config=config,
                rules=sorted((DASHBOARDS / "rules").glob("*.yml")),
                here={},
                password=password,
            ),
            past,
        ]
        return await self.supervisor.run(plan, on_change)

    def _player(self, line: Path) -> Service:
        command = [*PANTAU112, "replay", "serve", self._source, "--from", self._start.isoformat(), "--speed", f"{self._speed:g}"]
        return Service(
            "feed",
            [*command, "--clock", str(line), *self._centres],
            ready=at_once,
            ports=(self.ports.worker,),
            env=self._environment(),
            restart=False,
        )

    def _past(self, program: Path, data: Path) -> History:
        worker, since = f"127.0.0.1:{self.ports.worker}", self.clock.wall - CHARTS
        work = self.home / "history"
        work.mkdir(exist_ok=True)
        return History(work, data, program, worker, since, self._source, str(self.clock), tuple(self._centres[1::2]))

    def _environment(self) -> dict[str, str]:
        ours = {"PANTAU112_CALLER_KEY", "PANTAU112_CALLER_KEY_FILE"} & os.environ.keys()
        return {
            **os.environ,
            **({} if ours else {"PANTAU112_CALLER_KEY_FILE": str(caller_key(self.home.parent))}),
            **this_program(),
            "PANTAU112_METRICS_HOST": "127.0.0.1",
            "PANTAU112_METRICS_PORT": str(self.ports.worker),
        }

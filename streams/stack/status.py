"""What `up` shows in the terminal: what runs where, the centre's numbers, firing alerts, the last pages."""

import asyncio
import contextlib
import json
import time
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen
from zoneinfo import ZoneInfo

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from streams.stack.gateway import token_file
from streams.stack.service import Status
from streams.stack.up import DASHBOARDS, Monitoring

GROUPS = ("calls", "around")
"""The tables of numbers: the calls, and what surrounds them."""

STATES = {"running": "green", "done": "green", "failed": "red", "restarting": "yellow", "starting": "yellow"}
CENTRES_SHOWN = 12
LINE_SECONDS = 30.0
"""How often the numbers are written where there is no terminal."""


class Figure(NamedTuple):
    """One number of a centre: its name in both languages, the window that it is about, its query and its unit.

    Every number comes from Prometheus, so that what is seen here has been through the whole monitor.
    """

    name: tuple[str, str]
    window: str
    query: str
    unit: str

    def text(self, value: float | None) -> str:
        """The number as it is shown; a dash where it is not known."""
        if value is None:
            return "–"
        return f"{value:.0%}" if self.unit == "ratio" else f"{value:.2f}" if self.unit == "score" else f"{value:.0f}"


@cache
def figures(group: str) -> tuple[Figure, ...]:
    """The figures of a group: the boards ask the same questions from the same file."""
    said = tomllib.loads((DASHBOARDS / "figures.toml").read_text())
    found = []
    for figure in said[group].values():
        name, window = figure["name"], said["windows"][figure["window"]]
        query = figure["query"].replace("$where", 'city!=""')
        found.append(Figure((name["id"], name["en"]), f"{window['id']} / {window['en']}", query, figure.get("unit", "count")))
    return tuple(found)


@dataclass(slots=True)
class Numbers:
    """What Prometheus last said: per centre a value for each figure, by its query, and the firing alerts."""

    centres: dict[str, dict[str, float]] = field(default_factory=dict)
    alerts: list[str] = field(default_factory=list)
    reached: bool = False

    def refresh(self, prometheus: str) -> None:
        """Ask Prometheus at this base address; when it does not answer, say that instead of old numbers."""
        try:
            centres: dict[str, dict[str, float]] = {}
            for query in [figure.query for group in GROUPS for figure in figures(group)]:
                for sample in _get(f"{prometheus}/api/v1/query?{urlencode({'query': query})}")["result"]:
                    centres.setdefault(sample["metric"]["city"], {})[query] = float(sample["value"][1])
            alerts = [_alert(alert) for alert in _get(f"{prometheus}/api/v1/alerts")["alerts"] if alert["state"] == "firing"]
        except (URLError, OSError, ValueError, KeyError):
            self.centres, self.alerts, self.reached = {}, [], False
        else:
            self.centres, self.alerts, self.reached = centres, sorted(alerts), True


async def watch(monitoring: Monitoring, zone: ZoneInfo) -> int:
    """Run the monitor and show it until it ends: a live screen on a terminal, else a line now and then.

    Stream time is shown in `zone`. Returns the exit code; raises `StackError`.
    """
    console, numbers = Console(stderr=True), Numbers()
    prometheus = f"http://127.0.0.1:{monitoring.ports.prometheus}"
    wall = f"papan / boards: http://127.0.0.1:{monitoring.ports.wall}/"
    addresses = (
        f"Prometheus {prometheus}   Alertmanager http://127.0.0.1:{monitoring.ports.alertmanager}   "
        f"metrics http://127.0.0.1:{monitoring.ports.worker}/metrics   Kafka {monitoring.bootstrap}\n"
        f"gateway http://127.0.0.1:{monitoring.ports.gateway}/v1/events   token {token_file(monitoring.home)}\n"
        f"{monitoring.home}/log   {monitoring.shown}"
    )
    live = Live(console=console, auto_refresh=False, screen=False) if console.is_terminal else None

    def draw() -> None:
        if live is not None:
            services = monitoring.supervisor.status()
            moment = datetime.fromtimestamp(monitoring.clock.at(time.time()), zone)
            live.update(picture(services, numbers, monitoring.pages.recent, moment, wall, addresses), refresh=True)

    async def look() -> None:
        told: set[str] = set()
        said_at = 0.0
        while True:
            await asyncio.to_thread(numbers.refresh, prometheus)
            draw()
            if live is None:
                for page in [page for page in monitoring.pages.recent if page not in told]:
                    console.print(page, soft_wrap=True, highlight=False, markup=False)
                    told.add(page)
                if numbers.reached and time.monotonic() - said_at > LINE_SECONDS:
                    said_at = time.monotonic()
                    print_line(console, numbers)
            await asyncio.sleep(1)

    def on_change() -> None:
        draw()
        if live is None and (changed := max(monitoring.supervisor.status(), key=lambda status: status.since, default=None)):
            console.print(f"{changed.name}: {changed.state} {changed.reason}", soft_wrap=True, highlight=False, markup=False)

    console.print(f"{wall}\n{addresses}" if live is None else "", soft_wrap=True, highlight=False, markup=False)
    with live or contextlib.nullcontext():
        looking = asyncio.create_task(look())
        try:
            return await monitoring.run(on_change)
        finally:
            looking.cancel()


def picture(
    services: Sequence[Status], numbers: Numbers, pages: Sequence[str], moment: datetime, wall: str, addresses: str
) -> RenderableType:
    """The whole screen at a moment of stream time."""
    running = Table(title="pantau112", title_justify="left", box=None, pad_edge=False)
    for heading in ("layanan / service", "keadaan / state", "port", "pid", "mulai ulang / restarts", "sebab / reason"):
        running.add_column(heading)
    for service in services:
        state = Text(service.state, STATES.get(service.state, ""))
        port, pid = str(service.port or ""), str(service.pid or "")
        running.add_row(service.name, state, port, pid, str(service.restarts or ""), service.reason.partition("\n")[0])
    calls, around = (_table(numbers, figures(group)) for group in GROUPS)
    if not numbers.reached:
        calls.add_row(Text("Prometheus belum menjawab / does not answer yet", "yellow"))
    when = moment.strftime("%Y-%m-%d %H:%M:%S %Z")
    alarms = Text("\n".join(numbers.alerts) or "tidak ada / none", "bold red" if numbers.alerts else "green")
    return Group(
        Text(f"{wall}\n", "bold"),
        running,
        Text(f"\n{addresses}\nwaktu arus / stream time {when}", "dim"),
        Text(),
        calls,
        Text(),
        around,
        Text("\nalarm aktif / firing alerts", "bold"),
        alarms,
        Text("\npanggilan terakhir / last pages", "bold"),
        Text("\n".join(pages) or "belum ada / none yet"),
        Text("\nCtrl-C berhenti / stops", "dim"),
    )


def _table(numbers: Numbers, columns: Sequence[Figure]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("pusat / centre")
    for figure in columns:
        table.add_column("\n".join((*figure.name, figure.window)), justify="right")
    for city, values in sorted(numbers.centres.items())[:CENTRES_SHOWN]:
        table.add_row(city, *(figure.text(values.get(figure.query)) for figure in columns))
    if len(numbers.centres) > CENTRES_SHOWN:
        table.add_row(f"… {len(numbers.centres) - CENTRES_SHOWN} lagi / more")
    return table


def print_line(console: Console, numbers: Numbers) -> None:
    """One line for a log, where there is no terminal to draw on."""
    said = []
    for city, values in sorted(numbers.centres.items())[:CENTRES_SHOWN]:
        told = (
            f"{'/'.join(figure.name)} ({figure.window}) {figure.text(values.get(figure.query))}" for figure in figures("calls")
        )
        said.append(f"{city}: {', '.join(told)}")
    firing = f"firing: {', '.join(numbers.alerts) or 'none'}"
    console.print(time.strftime("%H:%M:%S"), *said, firing, soft_wrap=True, highlight=False, markup=False)


def _alert(alert: dict[str, Any]) -> str:
    labels, notes = alert["labels"], alert["annotations"]
    return f"{labels['alertname']} {labels.get('city', '')} {notes.get('summary_id', '')} / {notes.get('summary', '')}"


def _get(address: str) -> Any:
    with urlopen(address, timeout=2) as answer:  # noqa: S310 (our own Prometheus on the loopback)
        return json.load(answer)["data"]

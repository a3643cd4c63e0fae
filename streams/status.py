"""What `up` shows in the terminal: what runs where, the centre's numbers, firing alerts, the last pages."""

import asyncio
import contextlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen
from zoneinfo import ZoneInfo

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from streams.stack.service import Status
from streams.up import Monitoring

COLUMNS = {
    "menunggu / waiting": "sum by (city) (psap_calls_waiting)",
    "terlama / longest s": "max by (city) (time() - psap_oldest_waiting_call_timestamp_seconds)",
    "dilayani / in service": "sum by (city) (psap_calls_in_service)",
    "hari ini / today": 'max by (city) (psap_calls_today{outcome="offered"})',
    "dijawab / answered": 'max by (city) (psap_calls_today{outcome="answered"})',
    "batal / abandoned": 'max by (city) (psap_calls_today{outcome="abandoned"})',
    "≤ 15 s, 60 min": 'max by (city) (psap_service_level_ratio{variant="nena",threshold="15",window="60m"})',
}
"""Heading and query; every number comes from Prometheus, so that what is seen here has been through the whole monitor."""

AROUND = {
    "meja siap / seats free": 'sum by (city) (psap_operators{state="available"})',
    "perlu / needed": 'max by (city) (psap_seats_required{model="erlang_a",target="90_15"})',
    "iseng, hantu / prank, ghost": 'sum by (city) (psap_calls_class_ratio{class=~"prank|ghost",window="today"})',
    "tiket / tickets": "sum by (city) (psap_tickets_open)",
    "lewat batas / overdue": 'sum by (city) (psap_tickets_open{rung!~"unsent|in_time|answered"})',
    "jalur mati / links down": "count by (city) (psap_link_up == 0) or 0 * max by (city) (psap_link_up)",
    "sungai cm / river": "max by (city) (psap_gauge_level_centimetres)",
    "cuaca / weather": "count by (city) (psap_weather_warning)",
    "survei / survey": 'max by (city) (psap_survey_mean_score{of="dimensions"})',
}
"""The same for what surrounds the calls."""

STATES = {"running": "green", "done": "green", "failed": "red", "restarting": "yellow", "starting": "yellow"}
CENTRES_SHOWN = 12
LINE_SECONDS = 30.0
"""How often the numbers are written where there is no terminal."""


@dataclass(slots=True)
class Numbers:
    """What Prometheus last said: per centre a value for each column, and the firing alerts."""

    centres: dict[str, dict[str, float]] = field(default_factory=dict)
    alerts: list[str] = field(default_factory=list)
    reached: bool = False

    def refresh(self, prometheus: str) -> None:
        """Ask Prometheus at this base address; when it does not answer, say that instead of old numbers."""
        try:
            centres: dict[str, dict[str, float]] = {}
            for heading, query in (COLUMNS | AROUND).items():
                for sample in _get(f"{prometheus}/api/v1/query?{urlencode({'query': query})}")["result"]:
                    centres.setdefault(sample["metric"]["city"], {})[heading] = float(sample["value"][1])
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
        f"metrics http://127.0.0.1:{monitoring.ports.worker}/metrics   Kafka {monitoring.bootstrap}\n{monitoring.home}/log"
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
    calls, around = _figures(numbers, COLUMNS), _figures(numbers, AROUND)
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


def _figures(numbers: Numbers, columns: dict[str, str]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("pusat / centre")
    for heading in columns:
        table.add_column(heading, justify="right")
    for city, values in sorted(numbers.centres.items())[:CENTRES_SHOWN]:
        table.add_row(city, *(_figure(heading, values.get(heading)) for heading in columns))
    if len(numbers.centres) > CENTRES_SHOWN:
        table.add_row(f"… {len(numbers.centres) - CENTRES_SHOWN} lagi / more")
    return table


def print_line(console: Console, numbers: Numbers) -> None:
    """One line for a log, where there is no terminal to draw on."""
    said = [
        f"{city}: " + ", ".join(f"{h} {_figure(h, v.get(h))}" for h in COLUMNS) for city, v in sorted(numbers.centres.items())
    ]
    firing = f"firing: {', '.join(numbers.alerts) or 'none'}"
    console.print(time.strftime("%H:%M:%S"), *said[:CENTRES_SHOWN], firing, soft_wrap=True, highlight=False, markup=False)


def _figure(heading: str, value: float | None) -> str:
    if value is None:
        return "–"
    if "≤" in heading or "ghost" in heading:
        return f"{value:.0%}"
    return f"{value:.2f}" if "survey" in heading else f"{value:.0f}"


def _alert(alert: dict[str, Any]) -> str:
    labels, notes = alert["labels"], alert["annotations"]
    return f"{labels['alertname']} {labels.get('city', '')} {notes.get('summary_id', '')} / {notes.get('summary', '')}"


def _get(address: str) -> Any:
    with urlopen(address, timeout=2) as answer:  # noqa: S310 (our own Prometheus on the loopback)
        return json.load(answer)["data"]

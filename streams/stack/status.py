"""What `up` shows in the terminal: who waits first, what fires, what runs, and where everything is.

It fits: nothing is longer or wider than the terminal is, and what matters most has its place before what matters less.
"""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from textwrap import wrap
from typing import NamedTuple

from rich.console import Console
from rich.live import Live
from rich.text import Text

from streams.core.centre import Centre
from streams.core.printable import printable
from streams.logs import in_journal, tell
from streams.stack.feed import Feed
from streams.stack.figures import FIRST, SEVERITIES, Alert, Figure, Numbers, in_order
from streams.stack.service import Status
from streams.stack.up import Monitoring

STATES = {"failed": "bold red", "restarting": "yellow", "starting": "yellow"}
LINE_SECONDS, LINE_COLUMNS = 30.0, 120
"""How often a line is written where there is no terminal and no journal, which is for events, and how long it may be."""
CENTRE_COLUMNS = 20
CENTRES_SHARE = 3
"""Many centres have this part of the terminal's lines."""


class Shown(NamedTuple):
    """What stays the same while the monitor runs: its title, its centres' names by code, where people look, where the rest is."""

    title: str
    names: Mapping[str, str]
    places: str
    details: Sequence[str]


async def watch(monitoring: Feed | Monitoring, known: Mapping[str, Centre], grafana: str | None = None) -> int:
    """Run the monitor and show it until it ends: a live screen on a terminal, else a line now and then.

    `known` are the centres, by code; stream time is shown in the zone of the first. `grafana` is the address of a shared one.
    Returns the exit code; raises `StackError`.
    """
    console, numbers = Console(stderr=True), Numbers()
    zone = next(iter(known.values())).timezone
    fixed = shown(monitoring, known, grafana, is_terminal=console.is_terminal)
    live = Live(console=console, auto_refresh=False, screen=False) if console.is_terminal else None

    def now() -> datetime:
        return datetime.fromtimestamp(monitoring.clock.at(time.time()), zone)

    def draw() -> None:
        if live is not None:
            width, height = console.size
            services, pages = monitoring.supervisor.status(), monitoring.sent
            lines = picture(services, numbers, pages, now(), fixed, width, height - 1)
            live.update(Text("\n").join(lines), refresh=True)

    async def look() -> None:
        told: set[str] = set()
        said_at = time.monotonic()
        while True:
            await asyncio.to_thread(numbers.refresh, monitoring.prometheus, monitoring.alertmanager)
            draw()
            if live is None:
                for page in [page for page in monitoring.sent if page not in told]:
                    tell(page.partition(" ")[2])  # the log has times of its own
                    told.add(page)
                if not in_journal() and time.monotonic() - said_at > LINE_SECONDS:
                    said_at = time.monotonic()
                    tell(line(monitoring.supervisor.status(), numbers, now()))
            await asyncio.sleep(1)

    said_last = ""

    def on_change() -> None:
        nonlocal said_last
        draw()
        if live is None and (changed := max(monitoring.supervisor.status(), key=lambda status: status.since, default=None)):
            text = f"{changed.name}: {changed.state} {changed.reason}".rstrip()
            if text != said_last:
                tell(text)
            said_last = text

    if live is None:
        for text in (fixed.places, *fixed.details):
            tell(text)
    draw()
    with live or contextlib.nullcontext():
        looking = asyncio.create_task(look())
        try:
            return await monitoring.run(on_change)
        finally:
            looking.cancel()


def shown(monitoring: Feed | Monitoring, known: Mapping[str, Centre], grafana: str | None, *, is_terminal: bool = False) -> Shown:
    """What is said of a run of the monitor of these centres, and of a Grafana where there is one; a token only on a terminal."""
    names = {code: centre.name for code, centre in known.items()}
    whose = " ".join(*names.items()) if len(names) == 1 else f"{len(names)} pusat / centres"
    places = [f"papan / boards: http://127.0.0.1:{monitoring.ports.wall}/", *monitoring.places]
    if monitoring.screen is not None:
        places.insert(1, f"layar lain / elsewhere: {monitoring.screen.address(whole=is_terminal)}")
    return Shown(
        f"pantau112  {whose}  {monitoring.kind}",
        names,
        "   ".join([*places, *([f"Grafana: {grafana}"] if grafana else [])]),
        monitoring.details,
    )


def picture(
    services: Sequence[Status],
    numbers: Numbers,
    pages: Sequence[str],
    moment: datetime,
    shown: Shown,
    width: int,
    height: int,
) -> list[Text]:
    """The whole screen at a moment of stream time: at most `height` lines of at most `width` columns."""
    clock = moment.strftime("%Y-%m-%d %H:%M:%S %Z")
    left = width - len(clock) - 1
    top = [Text(f"{shown.title:<{left}.{left}} {clock}", "bold"), *_waiting(numbers, shown.names, width, height), Text()]
    bottom = [*_services(services, width), *_packed(shown.places.split("   "), "   ", width)][: height // 2]
    room = height - len(top) - len(bottom)
    alerts = _alerts(numbers, width, room)
    room -= len(alerts)
    lower: list[Text] = []
    for block in (
        _others(numbers, width),
        [Text("terkirim terakhir / last sent", "bold"), *(Text(_sent(page, moment.tzinfo)) for page in reversed(pages))]
        if pages
        else [],
        [Text(detail, "dim") for detail in (*shown.details, "Ctrl-C berhenti / stops")],
    ):
        if block and room > 2:
            lower += [Text(), *block[: room - 1]]
            room -= len(block) + 1
    upper = [*top, *alerts, *lower, *([Text()] if room > 0 else [])]
    lines = [*upper[: height - len(bottom)], *bottom]
    for text in lines:
        text.truncate(width, overflow="ellipsis")
    return lines


def _waiting(numbers: Numbers, names: Mapping[str, str], width: int, height: int) -> list[Text]:
    """Who waits, worst first: a line a centre, with as many figures as there is room for."""
    if not numbers.reached:
        return [Text("Prometheus belum menjawab / does not answer yet", "yellow")]
    if not numbers.centres:
        return [Text("belum ada angka / no numbers yet", "yellow")]
    columns = _columns(width)
    lines = [
        Text(" " * CENTRE_COLUMNS + "".join(f"  {words:>{size}}" for words, size in zip(heading, columns.values(), strict=True)))
        for heading in zip(*((*figure.name, figure.window) for figure in columns), strict=True)
    ]
    ranked = numbers.worst_first()
    most = len(ranked) if len(ranked) == 1 else max(2, height // CENTRES_SHARE - 1)
    for city, values in ranked[:most]:
        cells = "".join(f"  {figure.text(values.get(figure.query)):>{size}}" for figure, size in columns.items())
        somebody = values.get(in_order()[0].query, 0) > 0
        name = f"{city} {names.get(city, '')}"
        lines.append(Text(f"{name:<{CENTRE_COLUMNS}.{CENTRE_COLUMNS}}{cells}", "bold yellow" if somebody else "bold"))
    if len(ranked) > most:
        lines.append(Text(f"… {len(ranked) - most} lagi / more", "dim"))
    return lines


def _columns(width: int) -> dict[Figure, int]:
    """The figures that a line has room for, and how wide each is."""
    columns, room = dict[Figure, int](), width - CENTRE_COLUMNS
    for figure in in_order():
        size = max(map(len, (*figure.name, figure.window)))
        if (room := room - size - 2) < 0:
            break
        columns[figure] = size
    return columns


def _others(numbers: Numbers, width: int) -> list[Text]:
    """The figures of the one centre that its line has no room for, by their window. Of many centres the boards show them."""
    if len(numbers.centres) != 1:
        return []
    [values] = numbers.centres.values()
    by_window: dict[str, list[str]] = {}
    for figure in in_order()[len(_columns(width)) :]:
        said = f"{'/'.join(figure.name)} {figure.text(values.get(figure.query))}"
        by_window.setdefault(figure.window, []).append(said)
    return [text for window, said in by_window.items() for text in _packed([f"{window}:", *said], "  ", width)]


def _alerts(numbers: Numbers, width: int, room: int) -> list[Text]:
    """What fires, most urgent first, in both languages; what there is no room for is counted."""
    if not numbers.reached or not numbers.centres:
        return [Text("alarm: tidak diketahui / alerts: not known", "yellow")]
    if not numbers.alerts:
        return [Text("alarm: tidak ada / alerts: none", "green")]
    told = [alert for alert in numbers.alerts if alert.state != "held"]
    counts = Counter(alert.severity for alert in told)
    said = [f"{counts[kind]} {'/'.join(words)}" for kind, (*words, _) in SEVERITIES.items() if counts[kind]]
    lines = [Text(f"alarm: {', '.join(said)}", SEVERITIES[numbers.alerts[0].severity][2])]
    if held := len(numbers.alerts) - len(told):
        lines.append(Text(f"ditahan, akibat alarm lain / held back, they follow from others: {held}", "dim"))
    entries = [_together(alert) for alert in told]
    if any(len(text) > width for entry in entries for text in entry):
        entries = [_apart(alert, width) for alert in told]
    while sum(map(len, entries)) > room - len(lines) and len(entries) > 1:
        entries.pop()
    if more := len(told) - len(entries):
        lines[0].append(f"; +{more} lagi/more")
    return [*lines, *(text for entry in entries for text in entry)]


def _together(alert: Alert) -> list[Text]:
    """An alert in both languages on one line."""
    words, style = _words(alert)
    age = _age(time.time() - alert.since)
    return [Text(f"{'/'.join(words):<17} {age:>5}  {' / '.join(alert.says)}  {alert.name}", style)]


def _apart(alert: Alert, width: int) -> list[Text]:
    """An alert in one language after the other, on as many lines as they need."""
    words, style = _words(alert)
    lines = []
    for word, age, says in zip(words, (_age(time.time() - alert.since), ""), alert.says, strict=True):
        begin = f"{word:<9} {age:>5}  "
        lines += wrap(says, width, initial_indent=begin, subsequent_indent=" " * len(begin))
    return [Text(line, style) for line in lines]


def _words(alert: Alert) -> tuple[Sequence[str], str]:
    *words, style = SEVERITIES[alert.severity]
    return {"taken": (("Ditangani", "Taken"), "dim"), "silenced": (("Diredam", "Silenced"), "yellow")}.get(
        alert.state, (words, style)
    )


def _age(seconds: float) -> str:
    """How long something has lasted, in the largest unit that fits."""
    for unit, size in (("d", 86_400), ("h", 3600), ("m", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"


def _services(services: Sequence[Status], width: int) -> list[Text]:
    """One line while all run; else what does not, by name."""
    if not services:
        return [Text("layanan / services: menyiapkan / preparing", "yellow")]
    off = [service for service in services if service.state not in ("running", "done")]
    if off:
        named = [service for service in off if service.state != "waiting"]
        lines = [Text(_trouble(service), STATES.get(service.state, "")) for service in named]
        if waiting := len(off) - len(named):
            lines.append(Text(f"layanan / services: {waiting} menunggu giliran / wait for their turn", "dim"))
        return lines
    count = sum(service.state == "running" for service in services)
    again = ", ".join(f"{service.name} {service.restarts}" for service in services if service.restarts)
    return [
        Text(f"layanan / services: {count} jalan semua / all run", "green"),
        *([Text(f"mulai ulang / restarted: {again}", "yellow")] if again else []),
    ]


def _trouble(service: Status) -> str:
    reason = printable(service.reason.partition("\n")[0])
    return f"layanan / service {service.name}: {service.state}{f', {reason}' if reason else ''}"


def _sent(page: str, zone: tzinfo | None) -> str:
    """A line of the pages' file, with its time alone, in the centre's zone."""
    stamp, _, says = page.partition(" ")
    return f"{datetime.fromisoformat(stamp).astimezone(zone):%H:%M:%S} {says}"


def _packed(said: Iterable[str], between: str, width: int) -> Iterator[Text]:
    """Words that belong together, never torn apart, on as few lines as they need."""
    line = ""
    for words in said:
        if line and len(line) + len(between) + len(words) > width:
            yield Text(line)
            line = "  "
        line += f"{between if line.strip() else ''}{words}"
    yield Text(line)


def line(services: Sequence[Status], numbers: Numbers, moment: datetime) -> str:
    """All that matters in one line for a log, where there is no terminal to draw on."""
    said = [f"{moment:%H:%M:%S}"]
    if not numbers.reached:
        said.append("Prometheus does not answer")
    elif not numbers.centres:
        said.append("no numbers yet")
    else:
        (city, values), *others = numbers.worst_first()
        told = (f"{figure.name[1]} {figure.text(values.get(figure.query))}" for figure in in_order()[: len(FIRST)])
        said[0] += f" {city} {', '.join(told)}{f' (of {len(others) + 1})' if others else ''}"
        counts = Counter(alert.severity for alert in numbers.alerts if alert.state != "held")
        said.append(f"alerts: {', '.join(f'{kind} {counts[kind]}' for kind in SEVERITIES if counts[kind]) or 'none'}")
    said += [f"{service.name} {service.state}" for service in services if service.state not in ("running", "done", "waiting")]
    for name in dict.fromkeys(alert.name for alert in numbers.alerts if (alert.severity, alert.state) == ("page", "")):
        if len("; ".join([*said, name])) <= LINE_COLUMNS:
            said.append(name)
    text = "; ".join(said)
    return text if len(text) <= LINE_COLUMNS else f"{text[: LINE_COLUMNS - 1]}…"

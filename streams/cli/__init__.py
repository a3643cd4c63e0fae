"""The command line: `pantau112 <verb>`. It only asks and tells: data to stdout, progress and messages to stderr."""

import contextlib
import gc
import logging
import os
import sys
import time
from collections.abc import Coroutine
from datetime import datetime
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams import logs
from streams.cli import boards, callers, dead_letters, gateway, ingest, replay, terminal, topics, upgrade
from streams.cli.backfill import backfill
from streams.cli.day import Day
from streams.cli.edge import edge
from streams.cli.export import export
from streams.cli.report import report
from streams.cli.staffing import staffing
from streams.cli.terminal import Centres, Events, Failed, Faults, Moment, Whole, moment, progress
from streams.cli.wall import LISTEN, PLAIN, wall
from streams.cli.whatif import whatif
from streams.logs import tell

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.core.centre import Centre
    from streams.settings import Settings
    from streams.stack.up import Collected
    from streams.worker.advisor import Publish

app = typer.Typer(
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    cls=Day,
    help="Operations monitor for 112 emergency call centres. Each verb explains itself with --help.",
    epilog="Example: pantau112 up",
)
app.add_typer(boards.app, name="boards")
app.add_typer(callers.app, name="callers")
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(gateway.app, name="gateway")
app.add_typer(ingest.app, name="ingest")
app.add_typer(replay.app, name="replay")
app.add_typer(topics.app, name="topics")
app.add_typer(upgrade.app, name="upgrade")


def _say_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"pantau112 {version('pantau112')}\n")
        raise typer.Exit


@app.callback()
def pantau112(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_say_version, help="Say the version and exit.")
    ] = False,
) -> None:
    """What holds for every verb."""


@app.command(epilog="Example: pantau112 measure january.jsonl --at 1999-01-04T16:15:00+02:00 --centre bank.toml")
def measure(
    events: Events,
    at: Moment = None,
    centre: Centres = None,
    whole: Whole = False,
) -> None:
    """Print what /metrics would have said at a moment.

    The events come from a file or from a range of a topic. Without --at, it is the moment after the last event.

    Of a topic it begins at the newest snapshots that serve: the figures are the same, in seconds. --whole does without.
    """
    from streams import centres
    from streams.analysis.measure import measure as fold
    from streams.analysis.provenance import Provenance
    from streams.analysis.replay import open_source

    known = centres.load(centre or [])
    events = terminal.dated(events, known.values())
    door = terminal.door(known.values())
    faults = Faults(events, door)
    begun = terminal.beginning(events, known, at, whole=whole)
    origin = Provenance.of("measure", [events], centre or [], at=at)
    with progress("events") as tick:
        settings, watch = terminal.settings(), origin.watch(events, tick.watch)
        lines = open_source(events, next(iter(known.values())), settings, door, watch, spans=begun.spans)
        until = at.timestamp() if at else None
        result = fold(tick(lines), known, time.time(), until, faults.refuse, settings.ahead_seconds, begun)
    sys.stdout.write(result.text)
    for city, why in result.left_out.items():
        tell(f"{city}: left out, because its numbers cannot be worked out: {why}. A fault of this program: please report it")
    said = ", ".join(f"{n:,} {outcome}" for outcome, n in sorted(result.outcomes.items()))
    moment = "nothing" if result.at is None else datetime.fromtimestamp(result.at).astimezone().isoformat()
    none = "nothing more" if begun.says else "no events"
    tell(f"{events}: {said or none}; as of {moment}")
    for line in origin.lines():
        tell(line)
    faults.sum_up(len(begun.states) + result.outcomes.total() - result.outcomes["refused"])
    if result.left_out:
        raise typer.Exit(1)


app.command(epilog="Example: pantau112 staffing topic:112.calls.v1,112.operators.v1 --centre kota-bogor.toml")(staffing)


app.command(epilog="Example: pantau112 export january.jsonl --to january --format csv")(export)
app.command(epilog="Example: pantau112 report topic:all --last month --by day --to october")(report)
app.command(epilog="Example: pantau112 backfill january.jsonl --to january --step 1m")(backfill)
app.command(epilog="Example: pantau112 whatif january.jsonl --last month --seats +1@18-24 --handle 0.9")(whatif)


app.command(epilog="Example: pantau112 edge /etc/pantau112/edge.toml")(edge)
app.command(epilog="Example: PANTAU112_PROMETHEUS=https://prometheus.example.go.id pantau112 wall")(wall)


@app.command(epilog="Example: PANTAU112_BOOTSTRAP=kafka1:9092 pantau112 worker --centre kota-bogor.toml")
def worker(centre: Centres = None) -> None:
    """Run a worker: it counts, and serves /metrics.

    Run as many as you like, on as many machines: they share the work.
    """
    logs.begin()
    from streams import centres, clock
    from streams.log.kafka import Log
    from streams.log.versions import Versions
    from streams.worker.advisor import Advisor
    from streams.worker.app import run_worker
    from streams.worker.exporter import Exporter
    from streams.worker.monitor import Monitor
    from streams.worker.pipeline import Pipeline
    from streams.worker.reminder import channels, link

    settings = terminal.settings()
    known = centres.load(centre or [])
    with Log(settings) as log:
        cluster = log.cluster()
    monitor = Monitor(known, cluster.partitions, settings.ahead_seconds)

    to_gateway = link(settings)

    def serve(pipeline: Pipeline) -> None:
        terminal.serve_metrics(Exporter(monitor, pipeline, clock.parse(settings.clock), time.time), settings)

    def advise(pipeline: Pipeline, publish: "Publish") -> Coroutine[Any, Any, None]:
        return Advisor(monitor, pipeline, publish, channels(settings), time.time, to_gateway).run()

    # On a recording's clock everything that is due was due long ago.
    look_after = advise if settings.clock == "wall" else None
    code = run_worker(settings, monitor, cluster.brokers, serve, look_after, Versions(settings))
    if code == 0 and settings.instance_id:
        _make_way(settings, settings.instance_id)
    raise typer.Exit(code)


def _make_way(settings: "Settings", instance_id: str) -> None:
    """Where workers of a newer version stand beside, let Kafka know that this one will not be back: they wait for it else."""
    from streams.core.nouns import STATE_VERSION
    from streams.log.access import LogError
    from streams.log.kafka import Log
    from streams.log.versions import group_of

    with contextlib.suppress(LogError), Log(settings) as log:
        if log.members([group_of(settings, STATE_VERSION + 1), group_of(settings, STATE_VERSION + 2)]):
            log.dismiss([group_of(settings, STATE_VERSION)], instance_id)


@app.command(epilog="Example: pantau112 up --feed topic:all --from 2026-01-03T16:00+07:00 --speed 60 --ports 11300")
def up(
    home: Annotated[Path, typer.Option(metavar="FOLDER", help="The folder in which everything is kept.")] = Path(".local"),
    ports: Annotated[int, typer.Option(metavar="BASE", min=1024, max=65_000, help="The first of eight ports in a row.")] = 11_200,
    feed: Annotated[
        str | None, typer.Option(metavar="EVENTS", help="Play these, a file or topic:NAME, and tell nobody of their alerts.")
    ] = None,
    start: Annotated[
        datetime | None,
        typer.Option("--from", parser=moment, metavar="TIME", help="Begin at this moment. What came before is counted at once."),
    ] = None,
    speed: Annotated[
        float, typer.Option(min=0.1, max=3600, metavar="TIMES", help="How many times as fast as life to play it.")
    ] = 1.0,
    edge: Annotated[
        Path | None,
        typer.Option(metavar="EDGE.TOML", help="Collect at a real centre what this file names, and simulate nothing."),
    ] = None,
    history: Annotated[
        str | None,
        typer.Option(metavar="EVENTS", help="Show these events' past on the boards, beside the monitor and without alerts."),
    ] = None,
    listen: Annotated[str | None, LISTEN] = None,
    centre: Centres = None,
) -> None:
    """Run the whole monitor on this machine.

    That is Kafka, a worker, the gateway, Prometheus, Alertmanager and the wall. The centre is simulated, or real (--edge).
    Ctrl-C stops all.

    With --feed it is a Prometheus of its own and the wall: the boards as they were at a moment, going on from there. It can run
    beside the monitor, at other --ports, and tells nobody of its alerts.

    With --history it is the same with all of the past at once: last month in every chart, as it would have been.
    """
    if not sys.stderr.isatty():
        logs.begin()
    import asyncio

    from streams import centres
    from streams.stack import StackError
    from streams.stack.feed import Feed
    from streams.stack.listen import Listen
    from streams.stack.status import watch
    from streams.stack.up import Monitoring, Ports

    if history is not None:
        if feed is not None or edge is not None or listen is not None or start or speed != 1:
            raise typer.BadParameter("--history goes with --home, --ports and --centre alone")
        raise typer.Exit(_show_past(history, centres.load(centre or []), home.resolve() / "history", ports))
    if edge is not None and (feed is not None or centre):
        raise typer.BadParameter("--edge goes without --feed and --centre: its file names the centre")
    collected = None
    if edge is not None:
        collected, centre = _collected(edge)
    known = centres.load(centre or [])
    if feed is None and (start or speed != 1):
        raise typer.BadParameter("--from and --speed go with --feed")
    files = [path if path == centres.NATION else path.resolve() for path in centre or []]
    try:
        monitoring: Feed | Monitoring
        if feed is None:
            monitoring = Monitoring(home.resolve(), Ports.from_base(ports), files, known, collected)
        else:
            folder = home.resolve() / "feed"
            source, first = _recording(terminal.dated(feed, known.values()), folder, known)
            monitoring = Feed(folder, Ports.from_base(ports), files, source, start or first, speed)
            if speed != 1:
                tell(
                    f"{speed:g} times as fast as life: rules on states say what they would have said, and those over rates do not"
                )
        if listen is not None:
            at = Listen.parse(listen, terminal.settings())
            monitoring.show(at)
            if at.tls is None and not at.is_here_alone:
                tell(PLAIN)
        # A Grafana that is shared shows what is, and nothing of a recording.
        grafana = terminal.settings().grafana_url if feed is None else None
        raise typer.Exit(asyncio.run(watch(monitoring, known, grafana)))
    except StackError as error:
        raise Failed(str(error)) from None


def _show_past(events: str, known: "Mapping[str, Centre]", home: Path, base: int) -> int:
    """The past of these events on the boards, until it is stopped. Raises `Failed`."""
    import asyncio
    import shutil

    from streams.cli.backfill import history
    from streams.stack import StackError
    from streams.stack.folder import locked, private
    from streams.stack.past import show
    from streams.stack.up import Ports

    ports, data = Ports.from_base(base), home / "prometheus-data"
    try:
        private(home)
        with locked(home):
            shutil.rmtree(data, ignore_errors=True)
        first, last = history(terminal.dated(events, known.values()), known, data)

        def ready() -> None:
            day = max(first, last - 86_400)
            for what, since in (("the last day", day), ("all of it", first)):
                tell(f"{what}: http://127.0.0.1:{ports.wall}/?from={since * 1000:.0f}&to={last * 1000:.0f}")
            tell("every board has the same end of its address; Ctrl-C stops")

        return asyncio.run(show(home, data, ports, ready))
    except StackError as error:
        raise Failed(str(error)) from None


def _collected(path: Path) -> "tuple[Collected, list[Path]]":
    """A real centre to watch, and its file. Raises `Failed` for an edge that sends elsewhere."""
    from streams.edge.config import EdgeConfigError, load
    from streams.stack.up import Collected

    try:
        config, _ = load(path)
    except EdgeConfigError as error:
        raise Failed(str(error)) from None
    if config.to != "kafka":
        raise Failed(f'{path}: sends to {config.address}, and nothing would arrive here. Set to = "kafka"')
    if not config.metrics_port:
        raise Failed(f"{path}: metrics_port 0 is a port that nobody knows here; name one")
    return Collected(path.resolve(), config.metrics_port), [] if config.centre is None else [config.centre]


def _recording(feed: str, home: Path, known: "Mapping[str, Centre]") -> "tuple[str, datetime]":
    """What to play, and its first event time. A pipe can be read only once: its events are kept in a file at `home` first.

    Raises `StackError` when that cannot be.
    """
    from schemas.event import Event
    from streams.analysis.replay import open_source, parse_source
    from streams.edge.ingest import EventFile
    from streams.sources.door import Door
    from streams.sources.opened import is_file
    from streams.sources.pseudonym import keyed
    from streams.stack.folder import private
    from streams.stack.up import caller_key

    named, key = parse_source(feed), None
    once = isinstance(named, Path) and not is_file(named)
    if once:
        private(home)
        key = keyed(caller_key(home.parent).read_bytes().strip())
    lines = open_source(feed, next(iter(known.values())), terminal.settings(), Door(key, known.values()))
    events = (line.item for line in lines if isinstance(line.item, Event))
    first = next(events, None)
    if first is None:
        raise Failed(f"{feed}: holds no event")
    if not once:
        return (str(named.resolve()) if isinstance(named, Path) else feed), first.time
    kept = home / "feed.jsonl"
    with EventFile(kept) as file:
        for event in chain([first], events):
            file.send(event)
    return str(kept), first.time


@app.command(epilog="Example: pantau112 doctor")
def doctor(
    edge: Annotated[
        Path | None, typer.Option(metavar="EDGE.TOML", help="Look at what the edge of this file needs, not at the monitor.")
    ] = None,
    centre: Centres = None,
) -> None:
    """Say what is wrong, and what to do.

    It looks at everything that the monitor needs. What `up` runs on this machine it finds by itself.
    """
    from streams.stack.edge_doctor import examine_edge
    from streams.stack.local_doctor import examine_here

    worst, settings = 0, terminal.settings()
    for finding in examine_here(settings, centre or []) if edge is None else examine_edge(edge, settings):
        sys.stdout.write(f"{finding}\n")
        worst = max(worst, finding.failed)
    raise typer.Exit(worst)


def main() -> None:
    """Run one verb. Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    from streams.analysis.replay import ReplayError
    from streams.core.centre import CentreError
    from streams.settings import SettingsError
    from streams.sources import UnknownFileError
    from streams.sources.opened import words

    # Events and states are trees, without cycles: to look for garbage in those that are kept would take a fifth of the time.
    gc.set_threshold(10_000, 20, 50)
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except SystemExit as end:
        # typer ends with 1 then; but whoever reads has seen enough, and nothing failed.
        if not isinstance(end.__context__, BrokenPipeError):
            raise
        _give_up_stdout()
        sys.exit(0)
    except BrokenPipeError:
        _give_up_stdout()
    except OSError as error:
        _give_up_stdout()
        tell(words(error), logging.ERROR)
        sys.exit(1)
    except (Failed, CentreError, ReplayError, SettingsError, UnknownFileError) as error:
        tell(str(error), logging.ERROR)
        sys.exit(1)


def _give_up_stdout() -> None:
    """Let Python not try again, when it ends, to write what cannot be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

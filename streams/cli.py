"""The command line: `pantau112 <verb>`. Data goes to stdout, progress and messages to stderr."""

import asyncio
import contextlib
import logging
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import click
import typer

if TYPE_CHECKING:
    from rich.progress import Progress

    from schemas.topics import Refusal
    from streams.core.centre import Centre
    from streams.ingest import Report, Sink
    from streams.settings import Settings
    from streams.sources.pseudonym import Pseudonym

T = TypeVar("T")

BAD_SHOWN = 20
"""Bad lines that are named one by one; the rest are counted."""

app = typer.Typer(
    no_args_is_help=True, add_completion=False, rich_markup_mode=None, help="Operations monitor for 112 call centres."
)
ingest_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="What a centre already has becomes events, in Kafka or a file."
)
replay_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The analyst's tools on recorded events.")
topics_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Create and check the topics.")
app.add_typer(ingest_app, name="ingest")
app.add_typer(replay_app, name="replay")
app.add_typer(topics_app, name="topics")


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no ISO 8601 time such as 1999-01-04T16:15:00+02:00") from None
    if moment.tzinfo is None:
        raise typer.BadParameter(f"{text!r} has no zone; write for instance {text}+07:00")
    return moment


Centres = Annotated[
    list[Path] | None,
    typer.Option("--centre", metavar="FILE", help="A centre's TOML file; may be repeated. Default: Kota Bogor."),
]
To = Annotated[Path | None, typer.Option("--to", metavar="FILE", help="Write events to this JSONL file instead of Kafka.")]
Moment = Annotated[datetime | None, typer.Option(parser=_moment, metavar="TIME", help="ISO 8601 with zone.")]
File = Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False)]


@app.command(epilog="Example: pantau112 measure january.jsonl --at 1999-01-04T16:15:00+02:00 --centre bank.toml")
def measure(
    events: Annotated[
        str, typer.Argument(metavar="EVENTS", help="Events file or queue_log (plain or gzip), or topic:NAME[@FROM..TO].")
    ],
    at: Moment = None,
    centre: Centres = None,
) -> None:
    """Fold a file or a topic range, and print what /metrics would have said (default: after the last event)."""
    from streams import centres
    from streams.measure import measure as fold
    from streams.replay import open_source

    known = centres.load(centre or [])
    faults = _Faults(events)
    with _progress("events") as tick:
        lines = open_source(events, next(iter(known.values())), _settings())
        result = fold(tick(lines), known, time.time(), at.timestamp() if at else None, lambda n, r: faults.say(n, _sentence(r)))
    sys.stdout.write(result.text)
    faults.sum_up()
    said = ", ".join(f"{n:,} {outcome}" for outcome, n in sorted(result.outcomes.items()))
    moment = "nothing" if result.at is None else datetime.fromtimestamp(result.at).astimezone().isoformat()
    _tell(f"{events}: {said or 'no events'}; as of {moment}")


@app.command(epilog="Example: PANTAU112_BOOTSTRAP=kafka1:9092 pantau112 worker --centre kota-bogor.toml")
def worker(centre: Centres = None) -> None:
    """One worker: folds its share of the partitions and serves /metrics. Run as many as you like."""
    from streams import centres, clock
    from streams.app import run_worker
    from streams.exporter import Exporter
    from streams.monitor import Monitor
    from streams.pipeline import Pipeline
    from streams.transport import partition_of

    settings = _settings()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    monitor = Monitor(centres.load(centre or []), partition_of)

    def serve(pipeline: Pipeline) -> None:
        exporter = Exporter(monitor, pipeline, clock.parse(settings.clock), time.time, partition_of)
        try:
            port = exporter.serve(settings.metrics_host, settings.metrics_port)
        except OSError as error:
            raise _Failed(f"port {settings.metrics_port}: {error.strerror}. Set PANTAU112_METRICS_PORT to a free one.") from None
        _tell(f"metrics at http://{settings.metrics_host}:{port}/metrics")

    raise typer.Exit(run_worker(settings, monitor, serve))


@ingest_app.command(
    epilog="Example: pantau112 ingest asterisk /var/log/asterisk/queue_log --follow --remember queue_log.position"
)
def asterisk(
    queue_log: Annotated[Path, typer.Argument(metavar="QUEUE_LOG", help="Plain or gzip.")],
    to: To = None,
    follow: Annotated[bool, typer.Option("--follow", help="Go on as the file grows and rotates.")] = False,
    remember: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where to keep how far it was read, to go on there.")
    ] = None,
    source: Annotated[str | None, typer.Option(help="Name of the exchange; default /CODE/asterisk. One for each clock.")] = None,
    centre: Centres = None,
) -> None:
    """An Asterisk queue_log becomes events. What it says of no call or seat is counted; callers become keyed hashes."""
    from streams import centres
    from streams.ingest import Report
    from streams.ingest import queue_log as deliver
    from streams.sources.asterisk import Reader

    if not queue_log.exists() and not follow:
        raise _Failed(f"{queue_log}: no such file")
    code = next(iter(centres.load(centre or [])))
    faults, report = _Faults(str(queue_log)), Report()
    with _sink(to) as sink, _progress("events") as tick:
        reader = Reader(code, source or f"/{code}/asterisk", _pseudonym())
        for report in tick(deliver(queue_log, remember, follow, reader, sink, faults.say), lambda r: r.events):
            pass
    _report(queue_log, report, faults)


@ingest_app.command(epilog="Example: pantau112 ingest csv calls.tsv.gz --mapping mapping.toml --to calls.jsonl")
def csv(
    table: File,
    mapping: Annotated[Path, typer.Option(metavar="FILE", exists=True, dir_okay=False, help="TOML: which columns say what.")],
    to: To = None,
    centre: Centres = None,
) -> None:
    """Rows of a table become events, as a mapping file says; they are sorted by time."""
    from streams import centres
    from streams.ingest import Report
    from streams.sources import csvfile
    from streams.sources.follow import open_log

    one = next(iter(centres.load(centre or []).values()))
    faults, report = _Faults(str(table)), Report()
    try:
        reader = csvfile.Table(csvfile.parse(mapping.read_text(encoding="utf-8")), one, _pseudonym())
    except csvfile.MappingError as error:
        raise _Failed(f"{mapping}: {error}") from None
    with _sink(to) as sink, _progress("events") as tick, open_log(table) as lines:
        try:
            events = reader.events(lines, faults.say)
        except csvfile.MappingError as error:
            raise _Failed(f"{table}: {error}") from None
        for event in tick(events):
            sink.send(event)
            report.events += 1
        sink.flush()
    report.bad = faults.count
    _report(table, report, faults)


@ingest_app.command(epilog="Example: pantau112 ingest simulate --start 2026-01-05T00:00+07:00 --days 7 --to week.jsonl")
def simulate(
    start: Moment = None,
    days: Annotated[int, typer.Option(min=1, help="How many days.")] = 1,
    seed: Annotated[int, typer.Option(help="The same seed gives the same day.")] = 112,
    live: Annotated[bool, typer.Option("--live", help="From now on, at the speed of life, until stopped.")] = False,
    to: To = None,
    centre: Centres = None,
) -> None:
    """A seeded day of a centre: calls, queues that build up, shifts, pranks, network drops."""
    from streams import centres
    from streams.replay import paced
    from streams.sources import simulate as simulator

    one = next(iter(centres.load(centre or []).values()))
    if not live and start is None:
        raise typer.BadParameter("give --start TIME, or --live")
    with _sink(to) as sink, _progress("events") as tick:
        if live:
            # What happened since midnight comes at once; a restart tells it again under the same ids.
            now = datetime.now(one.timezone)
            events = paced(simulator.week(now, one), sink.flush)
        else:
            assert start is not None
            events = simulator.events(seed, start, one, days=days)
        for event in tick(events):
            sink.send(event)
        sink.flush()


Source = Annotated[
    str, typer.Argument(metavar="SOURCE", help="Events file or queue_log (plain or gzip), or topic:NAME[@FROM..TO].")
]
From = Annotated[datetime | None, typer.Option("--from", parser=_moment, metavar="TIME", help="Events from then on.")]
Until = Annotated[datetime | None, typer.Option("--until", parser=_moment, metavar="TIME", help="Events before then.")]
Type = Annotated[list[str] | None, typer.Option("--type", metavar="PATTERN", help="Only such events, for instance 'call.*'.")]


@replay_app.command(epilog="Example: pantau112 replay play january.jsonl --from 1999-01-03T16:00+02:00 --speed 60")
def play(
    source: Source,
    start: From = None,
    until: Until = None,
    speed: Annotated[float, typer.Option(min=0.1, help="Times as fast as life.")] = 1.0,
    full: Annotated[bool, typer.Option("--full", help="As fast as they are taken.")] = False,
    shift_to_now: Annotated[bool, typer.Option("--shift-to-now", help="The first event happens now; the others follow.")] = False,
    clock: Annotated[
        str | None, typer.Option(metavar="CLOCK", help="Follow this clock, as PANTAU112_CLOCK of the worker.")
    ] = None,
    to: To = None,
    centre: Centres = None,
) -> None:
    """Feed recorded events into Kafka (or a file) at the speed of life, faster, or shifted to now."""
    from streams import centres, replay
    from streams import clock as clocks

    pace = None if full else speed
    replay.check(replay.parse_source(source), speed=pace, shift_to_now=shift_to_now, into_topics=to is None)
    one = next(iter(centres.load(centre or []).values()))
    faults = _Faults(source)
    lines = replay.open_source(source, one, _settings(), _pseudonym())
    events = replay.events_of(lines, lambda number, refusal: faults.say(number, _sentence(refusal)))
    with _sink(to) as sink, _progress("events") as tick:
        if clock is not None:
            due = replay.paced(replay.between(events, start, until), sink.flush, clocks.parse(clock))
        else:
            now = datetime.now().astimezone() if shift_to_now else None
            due = replay.play(events, sink.flush, speed=pace, start=start, until=until, shift_to=now)
        for event in tick(due):
            sink.send(event)
        sink.flush()
    faults.sum_up()


@replay_app.command(epilog="Example: pantau112 replay cat topic:112.calls.v1 --type 'call.abandoned' --json")
def cat(
    source: Source,
    start: From = None,
    until: Until = None,
    types: Type = None,
    city: Annotated[
        list[str] | None, typer.Option("--city", metavar="CODE", help="Only of this centre; may be repeated.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    centre: Centres = None,
) -> None:
    """Show events, one a line."""
    from streams import centres, replay

    one = next(iter(centres.load(centre or []).values()))
    faults = _Faults(source)
    lines = replay.open_source(source, one, _settings())
    events = replay.events_of(lines, lambda number, refusal: faults.say(number, _sentence(refusal)))
    for event in replay.chosen(replay.between(events, start, until), types or (), city or ()):
        sys.stdout.write(replay.shown(event, as_json=json) + "\n")
    faults.sum_up()


@replay_app.command(
    epilog="Example: pantau112 replay record topic:112.calls.v1@2026-11-20T00:00+07:00..2026-11-21T00:00+07:00 --to day.jsonl.gz"
)
def record(
    source: Source, to: Annotated[Path, typer.Option("--to", metavar="FILE", help="JSONL; gzip if it ends in .gz.")]
) -> None:
    """Write a topic range to a file, byte for byte as it is in the log."""
    from streams import replay
    from streams.log import Log

    chosen = replay.parse_source(source)
    if isinstance(chosen, Path):
        raise typer.BadParameter(f"{source} is a file already; record takes topic:NAME[@FROM..TO]")
    with Log(_settings()) as log, _progress("records") as tick:
        outcomes = replay.record(tick(log.read(*chosen)), to)
    _tell(f"{to}: " + (", ".join(f"{n:,} {outcome}" for outcome, n in sorted(outcomes.items())) or "nothing in that range"))


@replay_app.command(epilog="Example: pantau112 replay stats january.jsonl")
def stats(source: Source, centre: Centres = None) -> None:
    """Count what a file or a topic range holds, by type, and say its span."""
    from streams import centres, replay

    one = next(iter(centres.load(centre or []).values()))
    with _progress("events") as tick:
        found = replay.stats(tick(replay.open_source(source, one, _settings())))
    sys.stdout.write(f"{found.events:,} events from {found.first} to {found.last}, {found.unordered:,} out of order\n")
    for counts in (found.types, found.centres, found.unknown, found.refused):
        for name, n in sorted(counts.items()):
            sys.stdout.write(f"{n:10,} {name}\n")


@topics_app.command("create", epilog="Example: pantau112 topics create")
def topics_create() -> None:
    """Create the topics that are missing; says of each what is the case."""
    _topics(create=True)


@topics_app.command("check", epilog="Example: pantau112 topics check")
def topics_check() -> None:
    """Say of each topic whether it is there and as it has to be."""
    _topics(create=False)


def _topics(*, create: bool) -> None:
    from streams.log import Log

    with Log(_settings()) as log:
        found = log.create_topics() if create else log.check()
    for topic in found:
        sys.stdout.write(f"{topic.topic}: {topic.state}{f' ({topic.detail})' if topic.detail else ''}\n")
    if any(topic.state not in {"created", "as planned"} for topic in found):
        raise typer.Exit(1)


@app.command(epilog="Example: pantau112 up --feed queue_log.gz --from 1999-01-03T16:00+02:00 --speed 60")
def up(
    home: Annotated[Path, typer.Option(metavar="FOLDER", help="Where everything is kept.")] = Path(".local"),
    ports: Annotated[int, typer.Option(metavar="BASE", min=1024, max=65_000, help="First of six ports in a row.")] = 11_200,
    feed: Annotated[
        Path | None, typer.Option(metavar="FILE", exists=True, dir_okay=False, help="Play this queue_log or events file.")
    ] = None,
    start: Annotated[
        datetime | None,
        typer.Option("--from", parser=_moment, metavar="TIME", help="Begin there; what came before is folded at once."),
    ] = None,
    speed: Annotated[float, typer.Option(min=0.1, max=3600, help="Times as fast as life.")] = 1.0,
    centre: Centres = None,
) -> None:
    """The whole monitor on this machine: Kafka, worker, Prometheus, Alertmanager, and a simulated centre or a feed."""
    from streams import centres
    from streams.stack import StackError
    from streams.status import watch
    from streams.up import Feed, Monitoring, Ports

    known = centres.load(centre or [])
    if feed is None and (start or speed != 1):
        raise typer.BadParameter("--from and --speed go with --feed")
    playing = None
    if feed is not None:
        moment = start.timestamp() if start else _first_time(feed, next(iter(known.values())))
        playing = Feed(feed, moment, speed)
        if speed != 1:
            _tell(
                f"{speed:g} times as fast as life: rules on states say what they would have said; rules over rates need speed 1"
            )

    monitoring = Monitoring(home.resolve(), Ports.from_base(ports), [path.resolve() for path in centre or []], playing)
    try:
        raise typer.Exit(asyncio.run(watch(monitoring, next(iter(known.values())).timezone)))
    except StackError as error:
        raise _Failed(str(error)) from None


def _first_time(feed: Path, centre: "Centre") -> float:
    from schemas.event import Event
    from streams.sources import read

    for line in read(feed, centre):
        if isinstance(line.item, Event):
            return line.item.time.timestamp()
    raise _Failed(f"{feed}: holds no event")


@app.command(epilog="Example: pantau112 doctor")
def doctor(centre: Centres = None) -> None:
    """Look at everything the monitor needs, and say what is wrong and what to do."""
    from streams.doctor import examine

    worst = 0
    for finding in examine(_settings(), centre or []):
        sys.stdout.write(f"{finding}\n")
        worst = max(worst, finding.failed)
    raise typer.Exit(worst)


class _Failed(Exception):
    """The verb could not do its work; the message says why and what to do."""


class _Faults:
    """The bad lines of one input: the first ones are named, all are counted."""

    def __init__(self, name: str) -> None:
        self.count, self._name = 0, name

    def say(self, number: int, reason: str) -> None:
        self.count += 1
        if self.count <= BAD_SHOWN:
            _tell(f"{self._name}:{number}: {reason}")

    def sum_up(self) -> None:
        if self.count > BAD_SHOWN:
            _tell(f"{self._name}: and {self.count - BAD_SHOWN:,} more lines that could not be read")


def _sentence(refusal: "Refusal") -> str:
    return f"{refusal.detail} ({refusal.reason})"


def _report(source: Path, report: "Report", faults: _Faults) -> None:
    faults.sum_up()
    over = ", ".join(f"{n:,} {name}" for name, n in sorted(report.passed_over.items()))
    _tell(f"{source}: {report.events:,} events, {report.bad:,} bad lines{f', passed over: {over}' if over else ''}")


def _settings() -> "Settings":
    from streams import settings

    return settings.read(os.environ)


def _pseudonym() -> "Pseudonym | None":
    from streams.sources import pseudonym

    secret = _settings().caller_secret()
    if secret is None:
        _tell("no PANTAU112_CALLER_KEY_FILE: events will carry no callers")
        return None
    return pseudonym.keyed(secret)


@contextlib.contextmanager
def _sink(to: Path | None) -> "Iterator[Sink]":
    """A file, or Kafka."""
    if to is not None:
        from streams.ingest import EventFile

        with EventFile(to) as file:
            yield file
    else:
        from streams.log import Log

        with Log(_settings()) as log:
            yield log


class Tick:
    """Passes a stream on and counts it."""

    def __init__(self, progress: "Progress", what: str) -> None:
        self._progress = progress
        self._task = progress.add_task(what, total=None, rate="")

    def __call__(self, items: "Iterable[T]", done: "Callable[[T], int] | None" = None) -> "Iterator[T]":
        """Every item as it is; `done` says how many are done with it (default: one more)."""
        began, count = time.monotonic(), 0
        for item in items:
            count = count + 1 if done is None else done(item)
            if done is not None or count % 1000 == 0:
                rate = count / max(1e-9, time.monotonic() - began)
                self._progress.update(self._task, completed=count, rate=f"{rate:,.0f}/s")
            yield item


@contextlib.contextmanager
def _progress(what: str) -> "Iterator[Tick]":
    """Counts what passes, with rate and time, on a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.completed:,.0f} {task.description}"),
        BarColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield Tick(progress, what)


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    """Run one verb. Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    from streams.core.centre import CentreError
    from streams.log import LogError
    from streams.replay import ReplayError
    from streams.settings import SettingsError
    from streams.sources import UnknownFileError

    try:
        code = app(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        code = 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except (_Failed, CentreError, LogError, ReplayError, SettingsError, UnknownFileError, OSError) as error:
        _tell(f"pantau112: {error}")
        code = 1
    sys.exit(code)


if __name__ == "__main__":
    main()

"""`pantau112 ingest`: what a centre already has becomes events."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from streams.cli.terminal import Centres, Failed, Faults, File, Moment, To, progress, pseudonym, report_on, sink_for

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="What a centre already has becomes events, in Kafka or a file."
)


@app.command(epilog="Example: pantau112 ingest asterisk /var/log/asterisk/queue_log --follow --remember queue_log.position")
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
        raise Failed(f"{queue_log}: no such file")
    code = next(iter(centres.load(centre or [])))
    faults, report = Faults(str(queue_log)), Report()
    with sink_for(to) as sink, progress("events") as tick:
        reader = Reader(code, source or f"/{code}/asterisk", pseudonym())
        for so_far in tick(deliver(queue_log, remember, follow, reader, sink, faults.say), lambda r: r.events):
            report = so_far
    report_on(queue_log, report, faults)


@app.command(epilog="Example: pantau112 ingest csv calls.tsv.gz --mapping mapping.toml --to calls.jsonl")
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
    faults, report = Faults(str(table)), Report()
    try:
        reader = csvfile.Table(csvfile.parse(mapping.read_text(encoding="utf-8")), one, pseudonym())
    except csvfile.MappingError as error:
        raise Failed(f"{mapping}: {error}") from None
    with sink_for(to) as sink, progress("events") as tick, open_log(table) as lines:
        try:
            events = reader.events(lines, faults.say)
        except csvfile.MappingError as error:
            raise Failed(f"{table}: {error}") from None
        for event in tick(events):
            sink.send(event)
            report.events += 1
        sink.flush()
    report.bad = faults.count
    report_on(table, report, faults)


@app.command(epilog="Example: pantau112 ingest simulate --start 2026-01-05T00:00+07:00 --days 7 --to week.jsonl")
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
    with sink_for(to) as sink, progress("events") as tick:
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

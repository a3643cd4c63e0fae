"""`pantau112 ingest`: what a centre already has becomes events."""

from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams import logs
from streams.cli.terminal import Centres, Failed, Faults, Moment, Silent, To, door, progress, report_on, sink_for
from streams.logs import tell

if TYPE_CHECKING:
    from streams.sources.door import Door
    from streams.sources.table import Query

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Turn what a centre already has into events.")


@app.command(epilog="Example: pantau112 ingest asterisk /var/log/asterisk/queue_log --follow --remember queue_log.position")
def asterisk(
    queue_log: Annotated[Path, typer.Argument(metavar="QUEUE_LOG", help="The file, plain or gzip; - is standard input.")],
    to: To = None,
    follow: Annotated[bool, typer.Option("--follow", help="Go on as the file grows and rotates.")] = False,
    remember: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keep in this file how far was read, and go on there.")
    ] = None,
    source: Annotated[
        str | None, typer.Option(metavar="NAME", help="The exchange's name, one for each clock. Default: /CODE/asterisk.")
    ] = None,
    centre: Centres = None,
) -> None:
    """Turn an Asterisk queue_log into events.

    Lines about no call and no seat are counted. Callers become keyed hashes.

    With --remember, the file of --to is gone on with. After a kill some events can stand in it twice; their ids say so.
    """
    if follow:
        logs.begin()
    from streams import centres
    from streams.edge.ingest import Report, feed
    from streams.edge.ingest import queue_log as deliver
    from streams.sources.asterisk import Reader

    one = next(iter(centres.load(centre or []).values()))
    faults, report = Faults(queue_log), Report()
    lines = feed(queue_log, remember, follow)
    with sink_for(to, queue_log, append=remember is not None) as sink, progress("events") as tick:
        if lines.opened is not None:
            tick.watch(lines.opened)
        reader = Reader(one, source or f"/{one.code}/asterisk", door([one], writes=True))
        for so_far in tick(deliver(lines, follow, reader, sink, faults.say), lambda r: r.events):
            report = so_far
    report_on(queue_log, report, faults)


@app.command(epilog="Example: pantau112 ingest ami ami.txt --to calls.jsonl")
def ami(
    recording: Annotated[Path, typer.Argument(metavar="RECORDING", help="The file, plain or gzip; - is standard input.")],
    to: To = None,
    source: Annotated[
        str | None, typer.Option(metavar="NAME", help="The stream's name, one for each exchange. Default: /CODE/ami.")
    ] = None,
    centre: Centres = None,
) -> None:
    """Turn a recording of Asterisk's manager interface into events.

    The recording is blocks of lines, as the exchange sent them.

    Each block needs a Timestamp (timestampevents = yes in manager.conf), or a line Received: with epoch seconds.
    """
    from streams import centres
    from streams.edge.ingest import Report
    from streams.sources import ami as manager
    from streams.sources.opened import Opened

    one = next(iter(centres.load(centre or []).values()))
    through = door([one], writes=True)
    faults, report = Faults(recording), Report(passed_over=through.passed_over)
    reader = manager.Reader(one, source or f"/{one.code}/ami", through)
    with sink_for(to, recording) as sink, progress("events") as tick, Opened(recording) as opened:
        opened.refuse_bytes()
        tick.watch(opened)
        for event in tick(manager.events(opened.pieces(), reader)):
            sink.send(event)
            report.events += 1
        sink.flush()
    report_on(recording, report, faults)


@app.command(
    epilog="Example: pantau112 ingest table calls.xlsx --sql mapping.sql --to calls.jsonl  # how: streams/sources/README.md"
)
def table(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE", help="CSV, .xlsx, .ods, JSON or Parquet; - is standard input. Or mysql://… or postgresql://…?table=…"
        ),
    ],
    sql: Annotated[
        str,
        typer.Option(metavar="FILE", help="The query, or the name of a packaged one. How: streams/sources/README.md."),
    ],
    to: To = None,
    sheet: Annotated[str | None, typer.Option(metavar="NAME", help="Of a workbook: the sheet. Default: the first.")] = None,
    header: Annotated[
        int | None, typer.Option(min=0, metavar="LINE", help="The line with the names of columns; 0 if none has them.")
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Of a database: go on as rows are added.")] = False,
    remember: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Of a database: keep in this file how far was read, and go on there.")
    ] = None,
    centre: Centres = None,
) -> None:
    """Turn the rows of a table into events, by an SQL query.

    The events are sorted by time.
    """
    from schemas.event import OLDEST_RECORDING
    from streams import centres
    from streams.edge.ingest import Report
    from streams.sources import rows
    from streams.sources.answer import MappingError
    from streams.sources.table import Query, shipped

    one = next(iter(centres.load(centre or []).values()))
    through = door([one], writes=True)
    try:
        query = Query(shipped(sql), one, through, earliest=OLDEST_RECORDING)
        if "://" in file:
            _from_database(file, query, through, to, follow, remember)
            return
    except MappingError as error:
        raise Failed(f"{sql}: {error}") from None
    if follow or remember:
        raise typer.BadParameter("a file is read whole; --follow and --remember are for databases (and for ingest asterisk)")
    faults, silent, endless = Faults(file), Silent(file), Silent(file, "call", "offered and without an end")
    report = Report()
    if not centre:
        tell(f"events of {one.code} {one.name}; --centre FILE names another")
    # Nothing is written before all is read: what is no such table leaves no half of itself.
    with progress("events") as tick, rows.opened(Path(file), faults.say, sheet, header, tick.watch) as found:
        try:
            events = query.read(found, faults.say, silent.say, endless.say)
            first = next(events, None)
        except MappingError as error:
            raise Failed(f"{file}: {sql}: {error}") from None
        with sink_for(to, file) as sink:
            for event in tick(chain([first] if first else [], events)):
                sink.send(event)
                report.events += 1
            sink.flush()
    report.bad = faults.count
    report.passed_over = through.passed_over
    silent.sum_up()
    endless.sum_up()
    report_on(file, report, faults)


def _from_database(url: str, query: "Query", through: "Door", to: Path | None, follow: bool, remember: Path | None) -> None:
    if follow:
        logs.begin()
    import signal
    from threading import Event

    from streams.edge.database import Database, deliver
    from streams.edge.ingest import Report

    database = Database(url)
    faults, silent, report = Faults(database.name), Silent(database.name), Report()
    stop = Event() if follow else None
    if stop is not None:
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
    with sink_for(to, append=remember is not None) as sink, progress("events") as tick:
        told = deliver(database, query, sink, faults.say, silent.say, remember, on_away=tell, stop=stop)
        for count in tick(told, lambda count: count):
            report.events = count
    report.bad = faults.count
    report.passed_over = through.passed_over
    silent.sum_up()
    report_on(database.name, report, faults)


@app.command(
    epilog="BMKG's are listed at https://www.bmkg.go.id/alerts/nowcast/id and stand at .../id/CODE_alert.xml: fetch them with "
    "curl from cron, at most 60 requests a minute, and name BMKG as their source. Example: pantau112 ingest cap *_alert.xml"
)
def cap(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Files of CAP 1.2, one warning in each; - is standard input.")
    ],
    to: To = None,
    centre: Centres = None,
) -> None:
    """Turn weather warnings (CAP) into events.

    Each belongs to the centres in its area. A file that is read again changes nothing.
    """
    from streams import centres
    from streams.sources.cap import LARGEST, CapError, parse
    from streams.sources.opened import bytes_of, words

    known, events, bad = centres.load(centre or []).values(), [], 0
    for path in files:
        try:
            alert = parse(bytes_of(path, LARGEST + 1))
            concerned = [one for one in known if alert.concerns(one)]
            events += [event for one in concerned for event in alert.events(one)]
        except CapError as error:
            tell(f"{path}: {error}")
            bad += 1
        except OSError as error:
            tell(words(error))
            bad += 1
        else:
            if alert.is_only_drawn() and (unplaced := [one.code for one in known if one.place is None and one not in concerned]):
                whom = unplaced[0] if len(unplaced) == 1 else f"{len(unplaced)} centres"
                tell(f"{path}: draws where it is for, and the file of {whom} has no place = [latitude, longitude] to compare")
            elif not concerned:
                tell(f"{path}: for elsewhere; its areas concern no centre")
    with sink_for(to) as sink:
        # What comes far behind a later one would be passed over as late.
        for event in sorted(events, key=lambda event: event.time):
            sink.send(event)
        sink.flush()
    tell(f"{len(files)} files: {len(events)} events, {bad} bad files")
    if bad:
        raise typer.Exit(1)


@app.command(epilog="Example: pantau112 ingest simulate --start 2026-01-05T00:00+07:00 --days 7 --to week.jsonl")
def simulate(
    start: Moment = None,
    days: Annotated[
        int | None,
        typer.Option(
            min=0, metavar="N", help="How many days: 1. With --live, how many days before today come first, at once: 0."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="The same seed gives the same days.")] = 112,
    live: Annotated[bool, typer.Option("--live", help="From now on, at the speed of life, until you stop it.")] = False,
    remember: Annotated[
        Path | None, typer.Option(metavar="FILE", help="With --live: keep in this file how far was told, and go on there.")
    ] = None,
    to: To = None,
    centre: Centres = None,
) -> None:
    """Simulate days of a centre, or of all with --centre indonesia.

    Calls, seats, tickets, links, the river, the weather and the survey are simulated.
    """
    from streams import centres
    from streams.analysis import simulation
    from streams.sources import simulate as simulator

    known = list(centres.load(centre or []).values())
    if not live and start is None:
        raise typer.BadParameter("give --start TIME, or --live")
    if not live and (remember is not None or days == 0):
        raise typer.BadParameter("--remember, and 0 days, go with --live")
    if live:
        logs.begin()
    with sink_for(to, append=remember is not None) as sink, progress("events") as tick:
        if live:
            events = simulation.live(known, datetime.now().astimezone(), days or 0, sink.flush, remember)
        elif len(known) == 1:
            assert start is not None
            events = simulator.events(seed, start, known[0], days=days or 1)
        else:
            assert start is not None
            events = simulator.nation(seed, start, known, days=days or 1)
        for event in tick(events):
            sink.send(event)
        sink.flush()

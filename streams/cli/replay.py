"""`pantau112 replay`: the analyst's tools on recorded events."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from streams import logs
from streams.cli.diff import diff
from streams.cli.terminal import (
    Centres,
    Faults,
    From,
    In,
    Last,
    To,
    Until,
    beginning,
    between,
    dated,
    door,
    moment,
    progress,
    serve_metrics,
    settings,
    sink_for,
)
from streams.logs import tell

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Play, show, cut out, count and compare recorded events.")

Source = Annotated[
    str,
    typer.Argument(
        metavar="SOURCE",
        help="A file of events or a queue_log, plain or gzip; - is standard input. Or topic:NAME[@FROM..TO], topic:all@2026-10.",
    ),
]
Speed = Annotated[float, typer.Option(min=0.1, metavar="TIMES", help="How many times as fast as life.")]
Type = Annotated[list[str] | None, typer.Option("--type", metavar="PATTERN", help="Only events of this type, such as 'call.*'.")]


@app.command(epilog="Example: pantau112 replay play january.jsonl --from 2026-01-03T16:00+07:00 --speed 60")
def play(
    source: Source,
    start: From = None,
    until: Until = None,
    last: Last = None,
    within: In = None,
    speed: Speed = 1.0,
    full: Annotated[bool, typer.Option("--full", help="As fast as they can be taken.")] = False,
    shift_to_now: Annotated[bool, typer.Option("--shift-to-now", help="The first event happens now; the others follow.")] = False,
    clock: Annotated[
        str | None, typer.Option(metavar="CLOCK", help="Follow the clock that PANTAU112_CLOCK of the worker says.")
    ] = None,
    to: To = None,
    centre: Centres = None,
) -> None:
    """Play recorded events into Kafka, or into a file.

    They are played at the speed of life, or faster, or as if they began now.
    """
    if clock is not None:
        logs.begin()
    from streams import centres
    from streams import clock as clocks
    from streams.analysis import replay

    pace, known = None if full else speed, centres.load(centre or [])
    source = dated(source, known.values())
    replay.check(replay.parse_source(source), speed=pace, shift_to_now=shift_to_now, into_topics=to is None)
    start, until = between(start, until, last, within, known.values())
    through = door(known.values(), writes=True)
    faults = Faults(source, through)
    with sink_for(to, source) as sink, progress("events") as tick:
        lines = replay.open_source(source, next(iter(known.values())), settings(), through, tick.watch, outward=True)
        events = faults.heed(replay.events_of(lines, faults.refuse))
        if clock is not None:
            due = replay.paced(replay.between(events, start, until), sink.flush, clocks.parse(clock))
        else:
            now = datetime.now().astimezone() if shift_to_now else None
            due = replay.play(events, sink.flush, speed=pace, start=start, until=until, shift_to=now)
        for event in tick(due):
            sink.send(event)
        sink.flush()
    faults.sum_up()


@app.command(epilog="Example: pantau112 replay serve january.jsonl --from 2026-01-03T16:00+07:00 --speed 60")
def serve(
    source: Source,
    start: Annotated[datetime, typer.Option("--from", parser=moment, metavar="TIME", help="Begin at this moment.")],
    speed: Speed = 1.0,
    clock: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the line that stream time runs on into this file.")
    ] = None,
    centre: Centres = None,
) -> None:
    """Serve /metrics as it was at a moment, going on from there.

    What came before is counted at once, from the newest snapshots that serve. Nothing is written to Kafka, and nobody is told
    anything: it is for a Prometheus beside the live one. `pantau112 up --feed` starts one, with the boards.
    """
    logs.begin()
    import threading
    import time

    from streams import centres
    from streams.analysis.beginning import find
    from streams.analysis.played import Played, after
    from streams.analysis.replay import open_source
    from streams.clock import Clock
    from streams.worker.exporter import Exporter
    from streams.worker.monitor import Monitor

    said, known = settings(), centres.load(centre or [])
    source = dated(source, known.values())
    through, one = door(known.values()), next(iter(known.values()))
    faults = Faults(source, through)
    begun = beginning(source, known, start, whole=False)
    played = Played(Monitor(known, ahead_seconds=said.ahead_seconds), begun, time.time())
    played.begin(open_source(source, one, said, through, spans=begun.spans), start, faults.refuse)
    line = Clock(start.timestamp(), time.time(), speed)
    serve_metrics(Exporter(played.monitor, played.pipeline, line, time.time), said)
    if clock is not None:
        clock.with_suffix(".part").write_text(str(line))
        clock.with_suffix(".part").replace(clock)
    tell(f"{source}: goes on from {start.isoformat()}, {speed:g} times as fast as life")
    later = find(source, known, said, start.timestamp(), goes_on=True).spans
    played.go_on(open_source(after(source, start), one, said, through, spans=later), start, line)
    tell(f"{source}: that was all of it; its figures stay")
    threading.Event().wait()


@app.command(epilog="Example: pantau112 replay cat topic:112.calls.v1 --last month --type 'call.abandoned' --json")
def cat(
    source: Source,
    start: From = None,
    until: Until = None,
    last: Last = None,
    within: In = None,
    types: Type = None,
    city: Annotated[
        list[str] | None, typer.Option("--city", metavar="CODE", help="Only events of this centre. May be repeated.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print each event as one JSON object.")] = False,
    centre: Centres = None,
) -> None:
    """Show events, one a line."""
    from streams import centres
    from streams.analysis import replay

    known = centres.load(centre or [])
    source = dated(source, known.values())
    start, until = between(start, until, last, within, known.values())
    through = door(known.values())
    faults = Faults(source, through)
    lines = replay.open_source(source, next(iter(known.values())), settings(), through, outward=True)
    events = faults.heed(replay.events_of(lines, faults.refuse))
    for event in replay.chosen(replay.between(events, start, until), types or (), city or ()):
        sys.stdout.write(replay.shown(event, as_json=json) + "\n")
    faults.sum_up()


@app.command(epilog="Example: pantau112 replay record topic:112.calls.v1,112.operators.v1 --last month --to month.jsonl.gz")
def record(
    source: Source,
    to: Annotated[Path, typer.Option("--to", metavar="FILE", help="The file; gzip, if its name ends in .gz.")],
    start: From = None,
    until: Until = None,
    last: Last = None,
    within: In = None,
    centre: Centres = None,
) -> None:
    """Write a range of a topic to a file.

    Each event is written byte for byte as it is in Kafka, with all that a foreign producer wrote beside the facts.
    """
    from streams import centres
    from streams.analysis import replay
    from streams.log.reader import Reader

    known = centres.load(centre or [])
    chosen = replay.parse_source(dated(source, known.values()))
    if isinstance(chosen, Path):
        raise typer.BadParameter(f"{source} is a file already; record takes topic:NAME[@FROM..TO]")
    chosen = chosen.within(*between(start, until, last, within, known.values()))
    with progress("records") as tick:
        outcomes = replay.record(tick(Reader(settings()).read(*chosen, watch=tick.watch)), to)
    tell(f"{to}: " + (", ".join(f"{n:,} {outcome}" for outcome, n in sorted(outcomes.items())) or "nothing in that range"))


@app.command(epilog="Example: pantau112 replay stats january.jsonl")
def stats(source: Source, centre: Centres = None) -> None:
    """Count events by type, and say from when to when they are."""
    from streams import centres
    from streams.analysis import replay

    known = centres.load(centre or [])
    source = dated(source, known.values())
    through = door(known.values())
    faults = Faults(source, through)
    with progress("events") as tick:
        found = replay.stats(tick(replay.open_source(source, next(iter(known.values())), settings(), through, tick.watch)))
    sys.stdout.write(f"{found.events:,} events from {found.first} to {found.last}, {found.unordered:,} out of order\n")
    for counts in (found.types, found.centres, found.unknown, found.refused):
        for name, n in sorted(counts.items()):
            sys.stdout.write(f"{n:10,} {name}\n")
    faults.count = found.refused.total()
    faults.sum_up(found.events + found.unknown.total())


app.command(epilog="Example: pantau112 replay diff october.jsonl topic:112.calls.v1,112.operators.v1")(diff)

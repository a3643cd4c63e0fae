"""The verb that says how a month was."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from streams.cli import terminal
from streams.cli.terminal import Centres, Events, Failed, Faults, From, In, Last, Until, progress
from streams.logs import tell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streams.core.centre import Centre
    from streams.sources import Line


def report(
    events: Events,
    to: Annotated[Path, typer.Option("--to", metavar="FOLDER", help="The folder for the report; it is made if need be.")],
    start: From = None,
    until: Until = None,
    last: Last = None,
    within: In = None,
    by: Annotated[
        Literal["shift", "day", "week", "month", "year"] | None,
        typer.Option("--by", help="Also say it of each part of the time."),
    ] = None,
    only: Annotated[
        str | None, typer.Option(metavar="SUBJECTS", help="Only these subjects, such as calls,waits. Default: all.")
    ] = None,
    centre: Centres = None,
) -> None:
    """Say how a day, a month or a year was: as a page to print, as tables and as JSON.

    All events are folded in the order of their time, late ones too: what is said is what was true, and where the boards could
    not know it in time, that is listed. Events after the time count as well, for they say what became of what began in it.

    FOLDER gets laporan.html and report.html, which need no network, a CSV for each subject with METADATA.csv, and report.json.
    """
    from streams import centres
    from streams.analysis.period import name_of_last
    from streams.analysis.provenance import Provenance
    from streams.analysis.replay import open_source
    from streams.analysis.report import report as reports
    from streams.analysis.report.files import write

    wanted = tuple(reports.SUBJECTS) if only is None else tuple(only.split(","))
    if unknown := [name for name in wanted if name not in reports.SUBJECTS]:
        raise typer.BadParameter(f"there is no subject {unknown[0]!r}; there are {', '.join(reports.SUBJECTS)}")
    known = centres.load(centre or [])
    if last is not None and last != "shift":
        terminal.between(start, until, last, within, [next(iter(known.values()))])  # which refuses two ways at once
        within = name_of_last(last, datetime.now(UTC), known.values())
        last = None
    first, end = terminal.between(start, until, last, within, known.values() if last else [next(iter(known.values()))])
    door = terminal.door(known.values())
    faults = Faults(events, door)
    said = {"in": within} if within else {"from": first, "until": end}
    origin = Provenance.of("report", [events], centre or [], **said, by=by, only=only)
    settings = terminal.settings()
    with progress("events") as tick:
        opened = 0

        def read() -> "Iterator[Line]":
            nonlocal opened
            opened += 1
            if opened > 1 and events == "-":
                raise Failed("some events came late, so all must be read again: write standard input to a file and give that")
            watch = origin.watch(events, tick.watch) if opened == 1 else tick.watch
            return tick(open_source(events, next(iter(known.values())), settings, door, watch))

        def period(each: "Centre") -> "tuple[datetime | None, datetime | None]":
            return terminal.between(start, until, last, within, [each])

        request = reports.Request(period, by, wanted)
        found = reports.report(read, known, time.time(), request, faults.refuse, settings.ahead_seconds)
    names = write(found, known, origin, to)
    tell(f"{to}: {', '.join(names)}")
    outcomes = found.hindsight.outcomes
    tell(f"{events}: " + (", ".join(f"{n:,} {outcome}" for outcome, n in sorted(outcomes.items())) or "no events"))
    if late := found.hindsight.late:
        tell(f"{events}: {late:,} came over an hour late and were folded at their places")
    faults.sum_up(outcomes.total() - outcomes["refused"])

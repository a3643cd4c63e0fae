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
    every: Annotated[
        Literal["day", "week", "month", "year"] | None,
        typer.Option("--every", help="One of each that is over, in a folder of its own; those that are there already are left."),
    ] = None,
    by: Annotated[
        Literal["shift", "day", "week", "month", "year"] | None,
        typer.Option("--by", help="Also say it of each part of the time."),
    ] = None,
    only: Annotated[
        str | None,
        typer.Option(
            metavar="SUBJECTS",
            help="Only these subjects, such as calls,waits; or for one reader: mayor, eu, skm, outages. Default: all.",
        ),
    ] = None,
    centre: Centres = None,
) -> None:
    """Say how a day, a month or a year was, as a page and as tables.

    All events are folded in the order of their time, late ones too: what is said is what was true. Events after the time count as
    well, for they say what became of what began in it.

    FOLDER gets laporan.html and report.html, which need no network, a CSV for each subject with METADATA.csv, and report.json.
    """
    from streams import centres
    from streams.analysis.period import name_of_last
    from streams.analysis.provenance import Provenance
    from streams.analysis.replay import open_source
    from streams.analysis.report.files import write
    from streams.analysis.report.report import PRESETS, SUBJECTS, Reports, Request

    wanted = tuple(SUBJECTS) if only is None else tuple(PRESETS.get(only) or only.split(","))
    if unknown := [name for name in wanted if name not in SUBJECTS]:
        there_are = ", ".join([*SUBJECTS, *PRESETS])
        raise typer.BadParameter(f"there is no subject {unknown[0]!r}; there are {there_are}")
    if every is not None and (start or until or last or within):
        raise typer.BadParameter("--every chooses the times itself: leave out --from, --until, --last and --in")
    known = centres.load(centre or [])
    events = terminal.dated(events, known.values())
    first, *_ = known.values()
    begun, end = terminal.between(start, until, last, within, known.values() if last == "shift" else [first])
    if last is not None and last != "shift":
        # By its name, because it begins and ends at another moment where the clocks are others.
        within = name_of_last(last, datetime.now(UTC), known.values())
        last = None
    door = terminal.door(known.values())
    faults = Faults(events, door)
    said = {"in": within} if within else {"from": begun, "until": end}
    origin = Provenance.of("report", [events], centre or [], **said, every=every, by=by, only=only)
    settings = terminal.settings()
    opened = 0
    with progress("events") as tick:

        def read() -> "Iterator[Line]":
            nonlocal opened
            opened += 1
            if opened > 1 and events == "-":
                raise Failed("some events came late, so all must be read again: write standard input to a file and give that")
            watch = origin.watch(events, tick.watch) if opened == 1 else tick.watch
            return tick(open_source(events, first, settings, door, watch))

        made = Reports(read, known, time.time(), faults.refuse, settings.ahead_seconds)
    with made as reports:
        outcomes = reports.hindsight.outcomes
        tell(f"{events}: " + (", ".join(f"{n:,} {outcome}" for outcome, n in sorted(outcomes.items())) or "no events"))
        if late := reports.hindsight.late:
            tell(f"{events}: {late:,} of them came over an hour late and were folded at their places")
        faults.sum_up(outcomes.total() - outcomes["refused"])
        wishes = (
            [(to, within)] if every is None else [(to / name, name) for name in reports.over(every) if not (to / name).exists()]
        )
        for folder, name in wishes:

            def limits(each: "Centre", name: str | None = name) -> "tuple[datetime | None, datetime | None]":
                return terminal.between(start, until, last, name, [each])

            tell(f"{folder}: {', '.join(write(reports.of(limits, Request(by, wanted)), known, origin, folder))}")
        if not wishes:
            tell(f"{to}: nothing to do; a report of every {every} that is over is there")

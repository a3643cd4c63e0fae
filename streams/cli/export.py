"""The verb that writes what is over as tables."""

import time
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli import terminal
from streams.cli.terminal import Centres, Events, Faults, moment, progress
from streams.logs import tell

if TYPE_CHECKING:
    from streams.analysis.tables import Format


def export(
    events: Events,
    to: Annotated[Path, typer.Option("--to", metavar="FOLDER", help="The folder for the tables; it is made if need be.")],
    start: Annotated[
        datetime | None,
        typer.Option("--from", parser=moment, metavar="TIME", help="Only what began at this moment or later."),
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(parser=moment, metavar="TIME", help="Only what began before this moment.")
    ] = None,
    only: Annotated[
        str | None, typer.Option(metavar="TABLES", help="Only these tables, such as journeys,visits. Default: all.")
    ] = None,
    format_: Annotated[str, typer.Option("--format", metavar="FORMAT", help="parquet or csv.")] = "parquet",
    k: Annotated[
        int | None,
        typer.Option("--k", metavar="CALLS", min=2, help="Only what may be published: counts by month, none of fewer calls."),
    ] = None,
    centre: Centres = None,
) -> None:
    """Write tables for SQL: a row for each call, visit, ticket, outage and shift.

    The rows sum to what measure says of the same events. All of these are folded: --from and --until choose rows.

    Beside the tables lies DICTIONARY.md: what each column means. Callers are pseudonyms.
    """
    from streams import centres
    from streams.analysis import export as tables
    from streams.analysis.replay import open_source
    from streams.analysis.rows.told import TABLES

    wanted = tuple(TABLES) if only is None else tuple(only.split(","))
    if unknown := [name for name in wanted if name not in TABLES]:
        raise typer.BadParameter(f"there is no table {unknown[0]!r}; there are {', '.join(TABLES)}")
    kind: Format
    match format_:
        case "parquet" | "csv":
            kind = format_
        case _:
            raise typer.BadParameter(f"{format_!r} is neither parquet nor csv")
    if only is not None and k is not None:
        raise typer.BadParameter("--k writes tables of its own; leave out --only")
    if start is not None and until is not None and start >= until:
        raise typer.BadParameter("--until must be later than --from")
    known = centres.load(centre or [])
    door = terminal.door(known.values())
    faults = Faults(events, door)
    about = f"Made of {Path(events).name} by pantau112 {version('pantau112')}, for {', '.join(sorted(known))}."
    with progress("events") as tick:
        settings = terminal.settings()
        lines = open_source(events, next(iter(known.values())), settings, door, tick.watch)
        done = tables.export(
            tick(lines),
            known,
            time.time(),
            to,
            tables.Request(wanted, kind, start, until, k),
            about,
            faults.refuse,
            settings.ahead_seconds,
        )
    tell(f"{to}: " + ", ".join(f"{n:,} rows in {name}" for name, n in done.rows.items()))
    tell(f"{events}: " + (", ".join(f"{n:,} {outcome}" for outcome, n in sorted(done.outcomes.items())) or "no events"))
    faults.sum_up(done.outcomes.total() - done.outcomes["refused"])

"""The verb that writes what is over as tables."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli import terminal
from streams.cli.terminal import Centres, Events, Faults, From, In, Last, Until, progress
from streams.logs import tell

if TYPE_CHECKING:
    from streams.analysis.tables import Format


def export(
    events: Events,
    to: Annotated[Path, typer.Option("--to", metavar="FOLDER", help="The folder for the tables; it is made if need be.")],
    start: From = None,
    until: Until = None,
    last: Last = None,
    within: In = None,
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
    """Write tables for SQL: a row for each call, visit, ticket, outage, shift, river reading, weather warning and survey answer.

    The rows sum to what measure says of the same events. Where several sources tell of one exchange they have the last 5 seconds
    too, which measure leaves to a finer clock. All events are folded; --from, --until, --last and --in choose rows.

    Beside the tables lies DICTIONARY.md: what each column means. Callers are pseudonyms.
    """
    from streams import centres
    from streams.analysis import export as tables
    from streams.analysis.provenance import Provenance
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
    known = centres.load(centre or [])
    events = terminal.dated(events, known.values())
    start, until = terminal.between(start, until, last, within, known.values())
    door = terminal.door(known.values())
    faults = Faults(events, door)
    choice = {"only": only, "format": format_, "k": None if k is None else str(k)}
    origin = Provenance.of("export", [events], centre or [], **{"from": start, "until": until}, **choice)
    with progress("events") as tick:
        settings = terminal.settings()
        lines = open_source(events, next(iter(known.values())), settings, door, origin.watch(events, tick.watch))
        done = tables.export(
            tick(lines),
            known,
            time.time(),
            to,
            tables.Request(wanted, kind, start, until, k),
            origin.lines,
            faults.refuse,
            settings.ahead_seconds,
        )
    tell(f"{to}: " + ", ".join(f"{n:,} rows in {name}" for name, n in done.rows.items()))
    tell(f"{events}: " + (", ".join(f"{n:,} {outcome}" for outcome, n in sorted(done.outcomes.items())) or "no events"))
    faults.sum_up(done.outcomes.total() - done.outcomes["refused"])

"""`pantau112 replay diff`: which figures of two sources differ, and since when."""

import re
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.terminal import Centres, Faults, Moment, dated, door, duration, progress, settings
from streams.logs import tell

if TYPE_CHECKING:
    from streams.analysis.diff import Differences
    from streams.core.centre import Centre
    from streams.sources import Line

HOUR = timedelta(hours=1)
COLUMNS = ("city", "name", "labels", "since", "at", "a", "b")

_SERIES = re.compile(r'(?P<name>[^{]+)(\{(city="(?P<city>[^"]*)",?)?(?P<labels>.*)\})?')


def diff(
    first: Annotated[
        str,
        typer.Argument(metavar="A", help="A file of events, or topic:NAME[@FROM..TO]. Or a page of /metrics that was saved."),
    ],
    second: Annotated[str, typer.Argument(metavar="B", help="What it is compared with, of the same kinds.")],
    at: Moment = None,
    step: Annotated[
        timedelta | None,
        typer.Option(parser=duration, metavar="TIME", help="Compare so often, in the time of the events. Default: 1h."),
    ] = None,
    centre: Centres = None,
) -> None:
    """Say which figures of two sources differ, and since when.

    Both are folded side by side, until --at or until both have ended. It prints a table (TSV) of the series that ever differ.

    `since` is the time of the event since which one does. `a` and `b` are its values `at` the last step at which it did.

    Of a page only one moment is known. What it is compared with is folded until --at, or to its end, and `since` is empty.

    Ends with 0 if nothing differs, and with 1 otherwise.
    """
    from streams import centres
    from streams.analysis.agreement import figures
    from streams.analysis.diff import Side, differences, of_pages, page
    from streams.analysis.measure import measure
    from streams.analysis.provenance import Provenance
    from streams.analysis.replay import open_source

    every = HOUR if step is None else step
    if every <= timedelta():
        raise typer.BadParameter("--step must be more than nothing")
    known = centres.load(centre or [])
    first, second = (dated(source, known.values()) for source in (first, second))
    one, said, wall, until = next(iter(known.values())), settings(), time.time(), at.timestamp() if at else None
    stepped = None if step is None else f"{step.total_seconds():.0f}"
    origin = Provenance.of("replay diff", [first, second], centre or [], at=at, step=stepped)
    texts = {source: page(source, origin.watch(source)) for source in (first, second)}
    with progress("events") as tick:

        def lines(source: str) -> "tuple[Faults, Iterator[Line]]":
            through = door(known.values())
            opened = open_source(source, one, said, through, origin.watch(source, tick.watch))
            return Faults(source, through), tick(opened)

        outcomes, left_out = [], dict[str, str]()
        if texts[first] is None and texts[second] is None:
            (a_faults, a_lines), (b_faults, b_lines) = lines(first), lines(second)
            a = Side(a_lines, known, wall, until, a_faults.refuse, said.ahead_seconds)
            b = Side(b_lines, known, wall, until, b_faults.refuse, said.ahead_seconds)
            found = differences(a, b, every.total_seconds(), until)
            outcomes = [(a_faults, a.outcomes), (b_faults, b.outcomes)]
        else:
            for source in [source for source, text in texts.items() if text is None]:
                faults, each = lines(source)
                measured = measure(each, known, wall, until, faults.refuse, said.ahead_seconds)
                texts[source], until, left_out = measured.text, measured.at, measured.left_out
                outcomes.append((faults, measured.outcomes))
            found = of_pages(figures([texts[first] or ""]), figures([texts[second] or ""]), until)
            found.left_out.update(left_out)
    _show(found, known)
    for faults, counts in outcomes:
        tell(f"{faults.name}: " + (", ".join(f"{n:,} {outcome}" for outcome, n in sorted(counts.items())) or "no events"))
        faults.sum_up(counts.total() - counts["refused"])
    for line in origin.lines():
        tell(line)
    tell(f"{len(found.series):,} series differ" if found.series else "nothing differs")
    if found.series or found.left_out:
        raise typer.Exit(1)


def _show(found: "Differences", centres: "Mapping[str, Centre]") -> None:
    """What differed first comes first; times are those of each centre's clocks."""
    clocks = next(iter(centres.values())).timezone

    def shown(seconds: float | None, city: str) -> str:
        zone = centres[city].timezone if city in centres else clocks
        return "" if seconds is None else datetime.fromtimestamp(seconds, zone).isoformat()

    sys.stdout.write("\t".join(COLUMNS) + "\n")
    for series, each in sorted(found.series.items(), key=lambda item: (item[1].since or 0, item[0])):
        parts = _SERIES.fullmatch(series)
        city, name, labels = (parts["city"] or "", parts["name"], parts["labels"] or "") if parts else ("", series, "")
        cells = (city, name, labels, shown(each.since, city), shown(each.at, city), each.first or "", each.second or "")
        sys.stdout.write("\t".join(cells) + "\n")
    for city, why in found.left_out.items():
        tell(f"{city}: left out, because its numbers cannot be worked out: {why}. A fault of this program: please report it")

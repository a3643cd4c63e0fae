"""`pantau112 backfill`: what the boards would have shown, into Prometheus."""

import contextlib
import os
import re
import tempfile
import time
from datetime import datetime
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from streams.cli import terminal
from streams.cli.terminal import Centres, Events, Failed, Faults, In, Last, moment, progress
from streams.logs import tell

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from streams.analysis.openmetrics import OpenMetrics
    from streams.core.centre import Centre
    from streams.sources import Line
    from streams.stack.historian import Historian

LIVE_SECONDS = 3 * 3600
"""Of the newest hours a Prometheus holds nothing in blocks yet, and is to be told nothing by others."""
KEPT_SECONDS = 15 * 86_400
"""What Prometheus keeps if nobody says otherwise."""
LOOKBACK = 300
"""How far a chart looks back for a sample, seconds."""
SCRAPED = {"job": "pantau112", "instance": "backfill"}
"""What a scrape would have said of where a series comes from."""
REPLAYED = {"replayed": "true"}
UNITS = {"s": 1, "m": 60}


def step(text: str) -> int:
    """Seconds between two scrapes."""
    found = re.fullmatch(r"([0-9]{1,4})([sm])", text)
    seconds = int(found[1]) * UNITS[found[2]] if found else 0
    if not 1 <= seconds <= LOOKBACK:
        raise typer.BadParameter(f"{text!r} is no time such as 15s or 1m, from 1 s to 5 minutes: a chart looks back no further")
    return seconds


def backfill(
    events: Events,
    to: Annotated[
        Path,
        typer.Option(
            metavar="PLACE", help="The data folder of a Prometheus, or a new one. Or a file in OpenMetrics: FILE.om, .txt, .gz."
        ),
    ],
    start: Annotated[
        datetime | None, typer.Option("--from", parser=moment, metavar="TIME", help="Say nothing of what was before this moment.")
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option("--until", parser=moment, metavar="TIME", help="Say nothing from this moment on. Default: the last event."),
    ] = None,
    last: Last = None,
    within: In = None,
    every: Annotated[
        int,
        typer.Option("--step", parser=step, metavar="TIME", help="The time between two scrapes, from 1s to 5m."),
    ] = "15s",  # type: ignore[assignment]
    centre: Centres = None,
) -> None:
    """Write what the boards would have shown into Prometheus.

    All events are folded, and measured as often as Prometheus would have asked. What the recording rules say is written too,
    once a minute. In the data folder whole blocks appear, which a running Prometheus finds within a minute.

    Into a Prometheus that has something already every series goes with the label replayed="true". In a new folder it goes
    without, and a Prometheus that is started there shows the past on all boards.

    A file has that label too, and no recording rules. It cannot say that a series went: each stays for five minutes more.
    """
    from streams import centres
    from streams.analysis.openmetrics import ENDINGS, OpenMetrics

    known = centres.load(centre or [])
    events = terminal.dated(events, known.values())
    start, until = terminal.between(start, until, last, within, known.values())
    now = time.time()  # what a clock says that is ahead of it has not happened
    span = _Span(
        start.timestamp() if start else 0, min(until.timestamp() if until else now, now), every, to_the_end=until is None
    )
    if to.name.endswith(ENDINGS):
        with OpenMetrics(to, SCRAPED | REPLAYED) as file:
            _fold(events, known, span, file)
        _say(to, file, "")
    else:
        _into_prometheus(events, known, span, to, now)


def _into_prometheus(events: str, known: "Mapping[str, Centre]", span: "_Span", to: Path, now: float) -> "Historian":
    """Put blocks into a data folder and say so. Raises `Failed` where that cannot be."""
    from http.client import HTTPException

    from streams.stack import StackError, debian
    from streams.stack.historian import Historian, require_place

    try:
        marks = REPLAYED if require_place(to) else {}
        if marks:
            span = span.before(now - LIVE_SECONDS, to)
        programs = debian.ensure(Path(".local") / "debian", os.environ.get("PATH", ""))
        # Beside the blocks, because only on the same disk they can come whole; Prometheus passes over what is not called as one.
        with (
            _folder(to),
            tempfile.TemporaryDirectory(prefix="backfill.", dir=to) as work,
            Historian(programs.prometheus, Path(work), len(known), span.step, SCRAPED, marks) as past,
        ):
            _fold(events, known, span, past)
            blocks = past.hand_over(to)
    except (StackError, HTTPException) as error:
        raise Failed(str(error)) from None
    _say(to, past, f" in {blocks} block{'s' * (blocks > 1)}")
    if past.first is not None and past.first < now - KEPT_SECONDS:
        tell(f"{to}: its Prometheus deletes what is older than its --storage.tsdb.retention.time, by default 15 days")
    return past


def history(events: str, known: "Mapping[str, Centre]", to: Path) -> tuple[float, float]:
    """Put all of the events into a new data folder, as often as 15 s; returns the first and the last moment, epoch seconds."""
    now = time.time()
    past = _into_prometheus(events, known, _Span(0, now, 15, to_the_end=True), to, now)
    assert past.first is not None
    assert past.last is not None
    return past.first, past.last


@contextlib.contextmanager
def _folder(data: Path) -> "Iterator[None]":
    """The folder is there; one that was made in vain is not there afterwards."""
    is_new = not data.exists()
    data.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        if is_new:
            data.rmdir()
        raise


class _Span(NamedTuple):
    """Between which moments, epoch seconds, and how often."""

    start: float
    end: float
    step: int
    to_the_end: bool
    """It ends with the last event, if that comes first."""

    @property
    def moments(self) -> range:
        """Multiples of the step, because charts ask at such."""
        return range(ceil(self.start / self.step) * self.step, ceil(self.end), self.step)

    def before(self, limit: float, to: Path) -> "_Span":
        """The part of it that lies before a moment which it must not reach. Raises `Failed` for one that asks for more."""
        shown = datetime.fromtimestamp(limit).astimezone().isoformat(timespec="seconds")
        if (not self.to_the_end and self.end > limit) or self.start >= limit:
            raise Failed(f"{to}: this Prometheus still gathers the newest 3 hours itself; use --until {shown}, or a new folder")
        return self._replace(end=min(self.end, limit))


def _fold(events: str, known: "Mapping[str, Centre]", span: _Span, into: "OpenMetrics | Historian") -> None:
    """Have every moment of the span scraped. Raises `Failed` when none could be."""
    from schemas.event import Event
    from schemas.topics import Refusal
    from streams.analysis.backfill import scrapes
    from streams.analysis.replay import open_source

    door = terminal.door(known.values())
    faults = Faults(events, door)

    def heeded(lines: "Iterable[Line]") -> "Iterator[Line]":
        for line in lines:
            if isinstance(line.item, Refusal):
                faults.refuse(line.number, line.item)
            faults.good += isinstance(line.item, Event)
            yield line

    with progress("events") as tick:
        lines = open_source(events, next(iter(known.values())), terminal.settings(), door, tick.watch)
        for moment, monitor in scrapes(heeded(tick(lines)), known, span.moments, beyond=not span.to_the_end):
            into.scrape(moment, monitor)
    faults.sum_up()
    if into.first is None:
        raise Failed(f"{events}: no event in it before the end of the range, so there is nothing to write")


def _say(to: Path, into: "OpenMetrics | Historian", where: str) -> None:
    """Say what was written, and what was not."""
    first, last = (datetime.fromtimestamp(at or 0).astimezone().isoformat() for at in (into.first, into.last))
    tell(f"{to}: {into.samples:,} samples{where}, from {first} to {last}")
    for city, why in into.left_out.items():
        tell(
            f"{city}: left out at times, because its numbers cannot be worked out: {why}. Please report this fault of the program"
        )

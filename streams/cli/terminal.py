"""What the verbs share with the terminal: their options, their messages, their progress, and where events go."""

import contextlib
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Protocol, TypeVar

import typer

from streams.logs import tell

if TYPE_CHECKING:
    from rich.progress import Progress

    from schemas.topics import Refusal
    from streams.analysis.measure import Beginning
    from streams.analysis.period import Word
    from streams.core.centre import Centre
    from streams.edge.ingest import Report, Sink
    from streams.settings import Settings
    from streams.sources.door import Door
    from streams.worker.exporter import Exporter

T = TypeVar("T")

BAD_SHOWN = 20
"""Bad lines that are named one by one; the rest are counted."""


def moment(text: str) -> datetime:
    """A time with its zone, as people write it."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no ISO 8601 time such as 1999-01-04T16:15:00+02:00") from None
    if found.tzinfo is None:
        raise typer.BadParameter(f"{text!r} has no zone; write for instance {text}+07:00")
    return found


SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}


def duration(text: str) -> timedelta:
    """A stretch of time, as people write it."""
    found = re.fullmatch(r"([+-]?[0-9]{1,9})([smhd]?)", text)
    if not found:
        raise typer.BadParameter(f"{text!r} is no number of seconds, nor one such as -57m, 2h or 1d")
    return timedelta(seconds=int(found[1]) * SECONDS[found[2]])


Centres = Annotated[
    list[Path] | None,
    typer.Option(
        "--centre",
        metavar="FILE",
        help="The centre's TOML file; repeat it for more centres. The word indonesia means all 514. Default: Kota Bogor.",
    ),
]
To = Annotated[Path | None, typer.Option("--to", metavar="FILE", help="Write events to this JSONL file, not to Kafka.")]
Events = Annotated[
    str,
    typer.Argument(
        metavar="EVENTS",
        help="A file of events or a queue_log, plain or gzip; - is standard input. Or topic:NAME[@FROM..TO], topic:all@2026-10.",
    ),
]
Moment = Annotated[datetime | None, typer.Option(parser=moment, metavar="TIME", help="A moment with its zone, in ISO 8601.")]
From = Annotated[datetime | None, typer.Option("--from", parser=moment, metavar="TIME", help="Only events from this moment on.")]
Until = Annotated[datetime | None, typer.Option("--until", parser=moment, metavar="TIME", help="Only events before this moment.")]
Last = Annotated[
    # As streams.analysis.period has them, which no verb waits for that does not need it.
    Literal["day", "week", "month", "year", "shift"] | None,
    typer.Option("--last", help="Only events of the last one that is over, by the centre's clocks."),
]
In = Annotated[
    str | None,
    typer.Option(
        "--in", metavar="PERIOD", help="Only events of this day, week, month or year: 2026-10-03, 2026-W41, 2026-10, 2026."
    ),
]
Whole = Annotated[bool, typer.Option("--whole", help="Fold a topic from its beginning, without snapshots.")]
File = Annotated[Path, typer.Argument(metavar="FILE", help="The file, plain or gzip; - is standard input.")]


class Failed(Exception):
    """The verb could not do its work; the message says why and what to do."""


class Faults:
    """The bad lines of one input: the first ones are named, all are counted."""

    def __init__(self, name: str | Path, door: "Door | None" = None) -> None:
        self.count, self.good, self.name, self._door = 0, 0, str(name), door

    def say(self, number: int, reason: str) -> None:
        """Name one, unless there were too many."""
        self.count += 1
        if self.count <= BAD_SHOWN:
            tell(f"{self.name}:{number}: {reason}")

    def refuse(self, number: int, refusal: "Refusal") -> None:
        """Name one that is no event."""
        self.say(number, sentence(refusal))

    def heed(self, events: "Iterable[T]") -> "Iterator[T]":
        """What is good, counted as it passes."""
        for event in events:
            self.good += 1
            yield event

    def sum_up(self, good: int | None = None) -> None:
        """Say what was not named and what was passed over, and raise `Failed` when nothing was good (default: what was heeded).

        An empty input is none that could not be read, and is said to be empty: an hour without calls is written so.
        """
        from streams.sources.door import MEND_SEAT, UNNAMED_SEAT

        if self.count > BAD_SHOWN:
            tell(f"{self.name}: and {self.count - BAD_SHOWN:,} more lines that could not be read")
        if self._door is not None and (n := self._door.passed_over[UNNAMED_SEAT]):
            tell(f"{self.name}: {n:,} passed over ({UNNAMED_SEAT}: {MEND_SEAT})")
        if not (self.good if good is None else good):
            if self.count:
                raise Failed(f"{self.name}: nothing in it could be used; {self.count:,} refused")
            tell(f"{self.name}: nothing came; there was no event in it")


class Silent:
    """Lines of a table that the query says too little of: the first are named, all are counted."""

    def __init__(self, name: str | Path, what: str = "row", why: str = "without an event") -> None:
        self._name, self._what, self._why = str(name), what, why
        self._count, self._first = 0, list[int]()

    def say(self, line: int) -> None:
        """Count one."""
        self._count += 1
        if len(self._first) < BAD_SHOWN:
            self._first.append(line)

    def sum_up(self) -> None:
        """Say which they are, if there are any."""
        if self._count:
            lines = ", ".join(map(str, self._first))
            more = f" and {self._count - len(self._first):,} more" if self._count > len(self._first) else ""
            s = "s" if self._count > 1 else ""
            tell(f"{self._name}: {self._count:,} {self._what}{s} {self._why}: line{s} {lines}{more}")


def sentence(refusal: "Refusal") -> str:
    """Why a line is no event."""
    return f"{refusal.detail} ({refusal.reason})"


def report_on(source: Path | str, report: "Report", faults: Faults) -> None:
    """Say what came of reading a source. Raises `Failed` when nothing of it could be read."""
    from streams.sources.door import MEND_SEAT, UNNAMED_SEAT

    over = ", ".join(f"{n:,} {name}" for name, n in sorted(report.passed_over.items()))
    tell(f"{source}: {report.events:,} events, {report.bad:,} bad lines{f', passed over: {over}' if over else ''}")
    if report.passed_over[UNNAMED_SEAT]:
        tell(f"{source}: a {UNNAMED_SEAT}: {MEND_SEAT}")
    faults.sum_up(report.events + report.passed_over.total())


def settings() -> "Settings":
    """What the environment says, with the password of the `up` that runs where it says that Kafka is. Raises `SettingsError`."""
    from streams.settings import read
    from streams.stack.local import at_home

    return at_home(read(os.environ))


def between(
    start: datetime | None, until: datetime | None, last: "Word | None", within: str | None, centres: "Iterable[Centre]"
) -> tuple[datetime | None, datetime | None]:
    """From when (inclusive) until when (exclusive), as it was said: by two moments, by name, or as the last that is over."""
    from streams.analysis.period import PeriodError, named
    from streams.analysis.period import last as last_one

    if last is None and within is None:
        if start and until and start >= until:
            raise typer.BadParameter("--until is not later than --from: nothing lies between them")
        return start, until
    if (start or until, last, within).count(None) < 2:
        raise typer.BadParameter("say one of these: --last, --in, or --from and --until")
    first = _one_clock(centres, shifts=last == "shift")
    try:
        return named(within, first.timezone) if within is not None else last_one(last or "day", datetime.now(UTC), first)
    except PeriodError as error:
        raise typer.BadParameter(str(error)) from None


def _one_clock(centres: "Iterable[Centre]", *, shifts: bool) -> "Centre":
    """The first of them, whose days (or shifts) are those of all."""
    first, *others = centres
    if any(each.timezone != first.timezone or (shifts and each.shifts != first.shifts) for each in others):
        what = "shifts" if shifts else "days"
        raise typer.BadParameter(f"the {what} of these centres begin at different times: say --from and --until")
    return first


def dated(events: str, centres: "Iterable[Centre]") -> str:
    """What is to be read, with a range of topics that has a name (2026-10) or is a word (last month) as from when until when."""
    from streams.analysis import replay
    from streams.analysis.period import PeriodError, spoken

    def period(text: str) -> tuple[datetime, datetime]:
        return spoken(text, datetime.now(UTC), _one_clock(centres, shifts=text.endswith("shift")))

    try:
        return replay.dated(events, period)
    except PeriodError as error:
        raise typer.BadParameter(f"{events}: {error}. Or from when until when: @FROM..TO") from None


def beginning(events: str, centres: "Mapping[str, Centre]", at: datetime | None, *, whole: bool) -> "Beginning":
    """What of a topic need not be folded again, said to the person."""
    from streams.analysis.beginning import find
    from streams.analysis.measure import NOTHING

    found = NOTHING if whole else find(events, centres, settings(), at.timestamp() if at else None)
    if found.says:
        tell(f"{events}: {found.says}; the rest is folded")
    return found


def serve_metrics(exporter: "Exporter", settings: "Settings") -> None:
    """Let it answer where the settings say. Raises `Failed` where somebody else does."""
    try:
        port = exporter.serve(settings.metrics_host, settings.metrics_port)
    except OSError as error:
        raise Failed(f"port {settings.metrics_port}: {error.strerror}. Set PANTAU112_METRICS_PORT to a free one.") from None
    tell(f"metrics at http://{settings.metrics_host}:{port}/metrics")


def door(centres: "Iterable[Centre]", *, writes: bool = False, said: "Settings | None" = None) -> "Door":
    """What events go through on their way in, under the key of the settings (default: the environment's); where it `writes`
    them, a missing key is said. Raises `SettingsError`.
    """
    from streams.sources.door import Door
    from streams.sources.pseudonym import keyed

    secret, before = (said or settings()).caller_secrets()
    if secret is None and writes:
        tell("no PANTAU112_CALLER_KEY_FILE: events will carry no callers")
    return Door(None if secret is None else keyed(secret, before), centres)


@contextlib.contextmanager
def sink_for(to: Path | None, source: str | Path | None = None, *, append: bool = False) -> "Iterator[Sink]":
    """A file, anew or gone on with, or Kafka. Raises `Failed` for a file that is the `source` itself."""
    if to is not None:
        from streams.edge.ingest import EventFile

        if source is not None and to.is_file() and Path(source).exists() and to.samefile(source):
            raise Failed(f"{to}: is what is read; name another file to write to")
        with EventFile(to, append=append) as file:
            yield file
    else:
        from streams.log.kafka import Log

        with Log(settings()) as log:
            yield log


class Input(Protocol):
    """What a bar goes along: how much of it there is, None where that is not known, and how much is done."""

    @property
    def size(self) -> int | None: ...

    @property
    def done(self) -> int: ...


class Tick:
    """Passes streams on and counts them; `watch` makes the bar go by how much of their inputs was read."""

    def __init__(self, progress: "Progress", what: str) -> None:
        self._progress = progress
        self._task = progress.add_task(what, total=None, rate="", count=0)
        self._inputs: list[Input] = []
        self._began, self._count = time.monotonic(), 0

    def watch(self, opened: Input) -> None:
        """This input is part of the whole, however it is counted; with a pipe among them the whole is not known."""
        self._inputs.append(opened)
        known = all(each.size is not None for each in self._inputs)
        # By itself, because an update takes None for nothing new.
        next(task for task in self._progress.tasks if task.id == self._task).total = len(self._inputs) if known else None

    def __call__(self, items: "Iterable[T]", done: "Callable[[T], int] | None" = None) -> "Iterator[T]":
        """Every item as it is; `done` says how many are done with it (default: one more)."""
        for item in items:
            self._count = self._count + 1 if done is None else done(item)
            if done is not None or self._count % 1000 == 0:
                rate = self._count / max(1e-9, time.monotonic() - self._began)
                completed = sum(each.done / each.size if each.size else 1 for each in self._inputs)
                self._progress.update(self._task, completed=completed, count=self._count, rate=f"{rate:,.0f}/s")
            yield item


@contextlib.contextmanager
def progress(what: str) -> "Iterator[Tick]":
    """Counts what passes, with rate and, where it is known how much there is, time left; on a terminal only."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.fields[count]:,.0f} {task.description}"),
        BarColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield Tick(progress, what)

"""What the verbs share with the terminal: their options, their messages, their progress, and where events go."""

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

if TYPE_CHECKING:
    from rich.progress import Progress

    from schemas.topics import Refusal
    from streams.ingest import Report, Sink
    from streams.settings import Settings
    from streams.sources.pseudonym import Pseudonym

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


Centres = Annotated[
    list[Path] | None,
    typer.Option(
        "--centre",
        metavar="FILE",
        help="A centre's TOML file, or the word indonesia for all 514; may be repeated. Default: Kota Bogor.",
    ),
]
To = Annotated[Path | None, typer.Option("--to", metavar="FILE", help="Write events to this JSONL file instead of Kafka.")]
Moment = Annotated[datetime | None, typer.Option(parser=moment, metavar="TIME", help="ISO 8601 with zone.")]
File = Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False)]


class Failed(Exception):
    """The verb could not do its work; the message says why and what to do."""


class Faults:
    """The bad lines of one input: the first ones are named, all are counted."""

    def __init__(self, name: str) -> None:
        self.count, self._name = 0, name

    def say(self, number: int, reason: str) -> None:
        """Name one, unless there were too many."""
        self.count += 1
        if self.count <= BAD_SHOWN:
            tell(f"{self._name}:{number}: {reason}")

    def sum_up(self) -> None:
        """Say how many were not named."""
        if self.count > BAD_SHOWN:
            tell(f"{self._name}: and {self.count - BAD_SHOWN:,} more lines that could not be read")


def sentence(refusal: "Refusal") -> str:
    """Why a line is no event."""
    return f"{refusal.detail} ({refusal.reason})"


def report_on(source: Path, report: "Report", faults: Faults) -> None:
    """Say what came of reading a source."""
    faults.sum_up()
    over = ", ".join(f"{n:,} {name}" for name, n in sorted(report.passed_over.items()))
    tell(f"{source}: {report.events:,} events, {report.bad:,} bad lines{f', passed over: {over}' if over else ''}")


def settings() -> "Settings":
    """What the environment says. Raises `SettingsError`."""
    from streams.settings import read

    return read(os.environ)


def pseudonym() -> "Pseudonym | None":
    """How callers are hidden here; None without a key. Raises `SettingsError`."""
    from streams.sources.pseudonym import keyed

    secret = settings().caller_secret()
    if secret is None:
        tell("no PANTAU112_CALLER_KEY_FILE: events will carry no callers")
        return None
    return keyed(secret)


@contextlib.contextmanager
def sink_for(to: Path | None) -> "Iterator[Sink]":
    """A file, or Kafka."""
    if to is not None:
        from streams.ingest import EventFile

        with EventFile(to) as file:
            yield file
    else:
        from streams.log import Log

        with Log(settings()) as log:
            yield log


class Tick:
    """Passes a stream on and counts it."""

    def __init__(self, progress: "Progress", what: str, total: int | None) -> None:
        self._progress = progress
        self._task = progress.add_task(what, total=total, rate="")

    def __call__(self, items: "Iterable[T]", done: "Callable[[T], int] | None" = None) -> "Iterator[T]":
        """Every item as it is; `done` says how many are done with it (default: one more)."""
        began, count = time.monotonic(), 0
        for item in items:
            count = count + 1 if done is None else done(item)
            if done is not None or count % 1000 == 0:
                rate = count / max(1e-9, time.monotonic() - began)
                self._progress.update(self._task, completed=count, rate=f"{rate:,.0f}/s")
            yield item


@contextlib.contextmanager
def progress(what: str, source: Path | None = None) -> "Iterator[Tick]":
    """Counts what passes, with rate and, where the lines of `source` are the whole, time left; on a terminal only."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from streams.sources.follow import open_log

    columns = (
        TextColumn("{task.completed:,.0f} {task.description}"),
        BarColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    console, total = Console(stderr=True), None
    if console.is_terminal and source is not None and source.is_file():
        with open_log(source) as lines:
            total = sum(1 for _ in lines)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield Tick(progress, what, total)


def tell(line: str) -> None:
    """A message for the person, not part of the data."""
    print(line, file=sys.stderr, flush=True)

"""`pantau112 whatif`: what other seats, talk times or callers would have changed."""

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import isfinite
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from streams.cli import terminal
from streams.cli.terminal import Centres, Events, Failed, Faults, From, In, Last, Until, duration, progress
from streams.logs import tell

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from streams.analysis.whatif.answer import Answer, Band
    from streams.analysis.whatif.change import Change
    from streams.analysis.whatif.fit import Fit
    from streams.analysis.whatif.past import Past
    from streams.analysis.whatif.run import World

NOT_REPRODUCED = 3
"""Exit code where the model does not reproduce what was, so that nothing is said of the change."""

FIGURES = {
    "offered": "calls",
    "answered": "answered",
    "in_time": "answered in 15 s",
    "mean_wait": "mean wait",
    "longest_wait": "90 % waited at most",
}


def whatif(
    events: Events,
    start: From = None,
    until: Until = None,
    last: Last = None,
    within: In = None,
    seats: Annotated[
        str | None,
        typer.Option(metavar="CHANGE", help="Seats more or fewer by the hours of the clock: +1@18-24 or +1@18-24,-1@0-6."),
    ] = None,
    handle: Annotated[
        float, typer.Option(metavar="TIMES", min=0.1, max=10, help="Talk and wrap-up take so many times as long: 0.9.")
    ] = 1.0,
    nuisance: Annotated[
        float, typer.Option(metavar="SHARE", min=0, max=1, help="Only this share of pranks and silent calls comes: 0.5.")
    ] = 1.0,
    announcement: Annotated[
        timedelta | None,
        typer.Option(parser=duration, metavar="TIME", help="Every caller hears an announcement of this length: 10s."),
    ] = None,
    network: Annotated[Literal["none"] | None, typer.Option(help="none: the network drops nobody who waits.")] = None,
    learn: Annotated[
        str | None,
        typer.Option(
            metavar="PERIOD", help="Learn talk times and patience from this day, week, month or year. Default: from the range."
        ),
    ] = None,
    runs: Annotated[int, typer.Option(metavar="N", min=10, max=1000, help="How often it is simulated.")] = 50,
    seed: Annotated[int, typer.Option(metavar="NUMBER", min=0, help="Another number is another chance.")] = 1,
    centre: Centres = None,
) -> None:
    """Say what other seats, talk times or callers would have changed.

    The calls that came go through a simulated centre: a queue, patience, seats as they were. First it shows whether it
    reproduces what was. Only then it says what the change makes, and which seats each hour needs.

    Intervals hold all figures of 95 % of the runs. In each run, every week goes by one that is drawn from those learned.
    The same input gives the same answer.

    Where no log-ins are told, seats are learned from who talked when.

    Ends with 0 if it reproduces what was, and with 3 if not.
    """
    from streams import centres
    from streams.analysis.measure import fold
    from streams.analysis.period import PeriodError, named
    from streams.analysis.provenance import Provenance
    from streams.analysis.replay import open_source
    from streams.analysis.rows.told import Rows
    from streams.analysis.tables import Tables
    from streams.analysis.whatif.answer import answer
    from streams.analysis.whatif.fit import learn as learned_from
    from streams.analysis.whatif.need import erlang_a, needed
    from streams.analysis.whatif.past import read
    from streams.analysis.whatif.run import World

    change = _change(seats, handle, nuisance, announcement, network)
    known = centres.load(centre or [])
    events = terminal.dated(events, known.values())
    one = next(iter(known.values()))
    start, until = terminal.between(start, until, last, within, [one])
    try:
        lesson = None if learn is None else named(learn, one.timezone)
    except PeriodError as error:
        raise typer.BadParameter(f"--learn: {error}") from None
    door = terminal.door(known.values())
    faults = Faults(events, door)
    choice = {
        "seats": seats,
        "handle": None if handle == 1 else f"{handle:g}",
        "nuisance": None if nuisance == 1 else f"{nuisance:g}",
        "announcement": None if announcement is None else f"{announcement.total_seconds():g}s",
        "network": network,
        "learn": learn,
        "runs": str(runs),
        "seed": str(seed),
    }
    origin = Provenance.of("whatif", [events], centre or [], **{"from": start, "until": until}, **choice)
    with Tables() as tables:
        rows = Rows(tables.write)
        with progress("events") as tick:
            settings = terminal.settings()
            lines = open_source(events, one, settings, door, origin.watch(events, tick.watch))
            _, moment, outcomes = fold(tick(lines), known, time.time(), None, faults.refuse, settings.ahead_seconds, rows=rows)
        if moment is not None:
            rows.finish(moment)
        tables.complete()
        past = read(tables.connection, one, start, until)
        teacher = past if lesson is None else read(tables.connection, one, *lesson)
    tell(f"{events}: " + (", ".join(f"{n:,} {outcome}" for outcome, n in sorted(outcomes.items())) or "no events"))
    faults.sum_up(outcomes.total() - outcomes["refused"])
    if not past.counted:
        raise Failed(f"{events}: no call of {one.name} came in that time")
    fit = learned_from(teacher, one)
    if not fit.talked:
        raise Failed(f"{events}: of no call of {one.name} both the answer and the end are told there; talk times are not known")
    if nuisance < 1 and fit.nuisance is None:
        raise Failed(f"{events}: nobody said of any call there that it was a prank or silent; leave out --nuisance")
    world = World(past, fit, one)
    found = answer(world, change, runs, seed, _track)
    _say(world, found, _span(start, until, one.name))
    if not found.misses:
        as_was = replace(change, more=(), fewer=())
        erlang = erlang_a(world, as_was, seed)
        _say_hours(world, found, needed(world, as_was, erlang, seed, _track), erlang)
    for line in origin.lines():
        tell(line)
    if found.misses:
        raise typer.Exit(NOT_REPRODUCED)


def _change(seats: str | None, handle: float, nuisance: float, announcement: timedelta | None, network: str | None) -> "Change":
    from streams.analysis.whatif.change import NOTHING, ChangeError
    from streams.analysis.whatif.change import seats as parsed

    if announcement is not None and announcement < timedelta():
        raise typer.BadParameter("--announcement cannot be shorter than nothing")
    try:
        change = NOTHING if seats is None else parsed(seats)
    except ChangeError as error:
        raise typer.BadParameter(f"--seats: {error}") from None
    return replace(
        change,
        handle=handle,
        nuisance=nuisance,
        announcement=None if announcement is None else announcement.total_seconds(),
        network=network is None,
    )


@dataclass(slots=True)
class Steps:
    """Runs that are to be made, as a progress bar asks for them."""

    size: int | None
    done: int = 0

    def step(self, _run: object) -> int:
        """One more is made."""
        self.done += 1
        return self.done


def _track(numbers: Sequence[int]) -> Iterator[int]:
    with progress("runs") as tick:
        steps = Steps(len(numbers))
        tick.watch(steps)
        yield from tick(numbers, steps.step)


def _span(start: datetime | None, until: datetime | None, name: str) -> str:
    since = "the first call" if start is None else start.isoformat()
    end = "the last" if until is None else until.isoformat()
    return f"{name}, from {since} to {end}"


def _console() -> "Console":
    from rich.console import Console

    # A file or a pipe has no width that rows would have to be cut for.
    return Console(width=None if sys.stdout.isatty() else 160, highlight=False)


def _say(world: "World", found: "Answer", title: str) -> None:
    console, table = _console(), _table("", "was", "model", "changed", "difference")
    for name, words in FIGURES.items():
        was = getattr(found.was, name)
        table.add_row(
            words,
            "" if was is None else _number(was, name),
            _interval(found.model.band(name), name),
            _interval(found.changed.band(name), name),
            _interval(found.difference(name), name, "+"),
        )
    console.print(title)
    console.print(table)
    console.print("Waits are of those answered, from the arrival. In brackets: where 95 % of the runs have all figures at once.")
    for sentence in (*_basis(world.past, world.fit), *_verdict(world.past, found)):
        console.print(sentence, soft_wrap=True)


def _say_hours(world: "World", found: "Answer", needed: dict[int, int], erlang: dict[int, float]) -> None:
    console, table = _console(), _table("hour", "calls a day", "seats", "in 15 s", "model", "changed", "needed", "Erlang A")
    there, days = world.seat_hours(), world.days
    for hour, (came, _) in enumerate(found.hours):
        in_time = (each[hour] for each in (found.hours, found.model.hours, found.changed.hours))
        if came:
            table.add_row(
                f"{hour:02d}:00",
                f"{came / days:.1f}",
                f"{there[hour] / days:.1f}",
                *(f"{met / n:.0%}" if n else "" for n, met in in_time),
                *(f"{each[hour]:g}" if hour in each else "" for each in (needed, erlang)),
            )
    console.print(table)
    console.print(
        "Seats are those that were there, on average. Needed are those that answer 90 % within 15 s, the same on all days; "
        "Erlang A takes all days for one. Those who left at once or in the announcement are in no share. "
        "Empty: fewer than 30 calls, or no number of seats helps.",
        soft_wrap=True,
    )


def _table(first: str, *others: str) -> "Table":
    from rich.table import Table

    table = Table(first, box=None, pad_edge=False)
    for column in others:
        table.add_column(column, justify="right")
    return table


def _interval(band: "Band | None", name: str, sign: str = "") -> str:
    if band is None:
        return ""
    lower, upper = (_number(each, name, sign).split(" ")[0] for each in (band.lower, band.upper))
    return f"{_number(band.mean, name, sign)} ({lower} to {upper})"


def _number(value: float, name: str, sign: str = "") -> str:
    match name:
        case "answered" | "in_time":
            return f"{value * 100:{sign}.1f} " + ("points" if sign else "%")
        case "offered":
            return f"{value:{sign},.0f}"
        case _:
            return f"{value:{sign}.1f} s"


def _basis(past: "Past", fit: "Fit") -> Iterator[str]:
    """What the model rests on."""
    if past.logged_in:
        yield "Seats: those that were logged in. When in its stay a seat paused is drawn by chance."
    else:
        yield (
            "Seats: no log-in was told; they are learned from who talked when. A seat is there between two conversations, "
            "unless callers waited for over 10 minutes and it took none."
        )
    if fit.wrap_ups:
        yield f"Wrap-up: {fit.wrap_up:.1f} s, on average of {fit.wrap_ups:,} calls after which the next caller waited."
    else:
        yield f"Wrap-up: {fit.wrap_up:.1f} s, as was told, or stands in the centre's file."
    patience = fit.whole.patience.get(None)
    if patience is None:
        yield f"Patience: not known, because only {fit.hung_up:,} hung up in a queue; all wait for ever."
    else:
        yield f"Patience: {patience.mean:.0f} s on average, of {fit.hung_up:,} who hung up in a queue; by queue where 30 did."
    yield "A caller who hung up at once or in the announcement does so again. Nobody calls twice, and all wait in one line."
    if isfinite(past.time_out):
        yield f"Who waited for {past.time_out:g} s goes to the end of the line, as was told of the queues."
    if past.unanswerable:
        yield f"Left out: {past.unanswerable:,} calls of which it is not known how long they waited."


def _verdict(past: "Past", found: "Answer") -> Iterator[str]:
    """Whether it can be believed, and why not."""
    if not found.misses:
        yield "The model reproduces what was: every figure lies in its interval."
        return
    said = [
        f"{FIGURES[name]}: was {_number(getattr(found.was, name), name)}, "
        f"the model says {_interval(found.model.band(name), name)}"
        for name in found.misses
    ]
    yield f"The model does not reproduce what was, and nothing is said of a change. {'; '.join(said)}."
    share = past.unseated
    if share >= 0.01:
        yield f"Why, probably: in {share:.0%} of the time in conversations more seats talked than were logged in."
    elif not past.logged_in:
        yield "Why, probably: seats come and go otherwise than conversations tell. Let the exchange tell log-ins and pauses."
    else:
        yield "Why, probably: seats that were logged in did not answer, or calls were given to some of them only."

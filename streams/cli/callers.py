"""`pantau112 callers`: whom to call back, about whom to decide, and what a person decided. Callers are pseudonyms throughout."""

import re
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from streams.cli.terminal import Centres, Events, Faults, Moment, To, door, progress, settings, sink_for
from streams.logs import tell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemas.callers import CallerEvent
    from streams.core.calls import State
    from streams.core.centre import Centre

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Call people back, and decide about prank callers.")

COLUMNS = ("city", "what", "caller", "since", "until", "stage", "calls", "told", "why")
HOURS = {"24h": 24, "3d": 72}
LONGEST_HOURS = 720


def caller(text: str) -> str:
    """A pseudonym as `callers list` prints it. What was typed is not repeated: it may be somebody's number."""
    if not re.fullmatch(r"[0-9a-f]{32}", text):
        raise typer.BadParameter("a caller is 32 hexadecimal digits, as `pantau112 callers list` prints them; never a number")
    return text


def role(text: str) -> str:
    """Who decides, as a role."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._:@/-]{0,63}", text):
        raise typer.BadParameter("a role is one word such as supervisor-1; never a person's name")
    return text


Caller = Annotated[str, typer.Argument(parser=caller, metavar="CALLER", help="The caller's pseudonym: 32 hexadecimal digits.")]
By = Annotated[
    str, typer.Option("--by", parser=role, metavar="ROLE", help="The role that decides, such as supervisor-1. No name.")
]
Stage = Annotated[Literal["24h", "3d", "review"], typer.Option("--stage", help="The stage that `callers list` recommends.")]


@app.command("list", epilog="Example: pantau112 callers list topic:112.calls.v1 --at 2026-11-20T18:00+07:00")
def list_(
    events: Events,
    at: Moment = None,
    centre: Centres = None,
) -> None:
    """List whom to call back, and about whom to decide.

    The numbers beside each say why. Without --at, they are as of the last event.

    What happened before the first event is not known here. Where `told` says no, the monitor itself recommended nothing.
    """
    from schemas.topics import CALLS
    from streams import centres
    from streams.analysis.measure import fold
    from streams.analysis.replay import open_source

    known = centres.load(centre or [])
    through = door(known.values(), writes=True)
    faults = Faults(events, through)
    with progress("events") as tick:
        lines = open_source(events, next(iter(known.values())), settings(), through, tick.watch)
        monitor, moment, outcomes = fold(tick(lines), known, time.time(), at.timestamp() if at else None, faults.refuse)
    sys.stdout.write("\t".join(COLUMNS) + "\n")
    if moment is not None:
        for one, state in monitor.states(CALLS.name, 0):
            sys.stdout.writelines("\t".join(row) + "\n" for row in _rows(one, state, moment))
    faults.sum_up(outcomes.total() - outcomes["refused"])


@app.command(epilog="Example: pantau112 callers approve 9f86d081884c7d659a2feaa0c55ad015 --stage 24h --by supervisor-1")
def approve(
    who: Caller,
    stage: Stage,
    by: By,
    hours: Annotated[
        int | None, typer.Option(min=1, max=LONGEST_HOURS, metavar="HOURS", help="How long it lasts. Only with --stage review.")
    ] = None,
    to: To = None,
    centre: Centres = None,
) -> None:
    """Approve a block.

    It ends by itself: after 24 hours, after 3 days, or after --hours.
    """
    from schemas.callers import BlockApproved, CallerBlockApproved

    if (stage == "review") != (hours is not None):
        raise typer.BadParameter("--hours goes with --stage review, and only with it: 24h and 3d say how long themselves")
    envelope = _envelope(centre, "approved", who, stage)
    expires = envelope["time"] + timedelta(hours=hours or HOURS[stage])
    _write(CallerBlockApproved(**envelope, data=BlockApproved(caller=who, stage=stage, by=by, expires=expires)), to)
    tell(f"approved: {who} is blocked until {expires.isoformat(timespec='seconds')}")


@app.command(epilog="Example: pantau112 callers decline 9f86d081884c7d659a2feaa0c55ad015 --stage 24h --by supervisor-1")
def decline(who: Caller, stage: Stage, by: By, to: To = None, centre: Centres = None) -> None:
    """Decide against a block.

    Nobody is asked again before the caller has played three new pranks.
    """
    from schemas.callers import BlockDeclined, CallerBlockDeclined

    _write(
        CallerBlockDeclined(**_envelope(centre, "declined", who, stage), data=BlockDeclined(caller=who, stage=stage, by=by)), to
    )
    tell(f"declined: {who} is not blocked")


@app.command(epilog="Example: pantau112 callers lift 9f86d081884c7d659a2feaa0c55ad015 --by supervisor-1")
def lift(who: Caller, by: By, to: To = None, centre: Centres = None) -> None:
    """End a block now.

    A later block is not longer because of this one.
    """
    from schemas.callers import BlockLifted, CallerBlockLifted

    _write(CallerBlockLifted(**_envelope(centre, "lifted", who), data=BlockLifted(caller=who, by=by)), to)
    tell(f"lifted: {who} is not blocked any more")


@app.command(epilog="Example: pantau112 callers contacted 9f86d081884c7d659a2feaa0c55ad015 --by supervisor-1")
def contacted(who: Caller, by: By, to: To = None, centre: Centres = None) -> None:
    """Say that a caller who had hung up unanswered was reached."""
    from schemas.callers import CallerContacted, Contacted

    _write(CallerContacted(**_envelope(centre, "contacted", who), data=Contacted(caller=who, by=by)), to)
    tell(f"contacted: {who} is off the list")


def _rows(centre: "Centre", state: "State", now: float) -> "Iterator[tuple[str, ...]]":
    from streams.core.blocks import PRANKS
    from streams.core.callers import CALLBACK_SECONDS, callbacks, due, recommend
    from streams.core.calls import settled

    def local(moment: float) -> str:
        return datetime.fromtimestamp(moment, centre.timezone).isoformat(timespec="seconds")

    state = settled(state, now, centre)
    for waiting, times in callbacks(state.callers, state.funnel.book, now).items():
        why = f"not answered {len(times)} times, last {local(times[-1])}; not since either, and not called back"
        lapses = local(times[-1] + CALLBACK_SECONDS)
        yield centre.code, "callback", waiting, local(times[0]), lapses, "", str(len(times)), "", why
    untold = {found.caller for found in due(state.callers, now)}
    for who, stage, pranks, since, until in recommend(state.callers, now):
        why = f"{pranks} calls within 24 h said to be pranks (at least {PRANKS}), none ever real; ghost calls count for nothing"
        told = "no" if who in untold else "yes"
        yield centre.code, "block", who, local(since), local(until), stage, str(pranks), told, why


def _envelope(centre: list[Path] | None, *what: str) -> dict[str, Any]:
    from streams import centres

    one, now = next(iter(centres.load(centre or []).values())), datetime.now(UTC)
    return {
        "id": "-".join((*what, f"{now:%Y%m%dT%H%M%S.%fZ}")),
        "source": f"/{one.code}/supervision",
        "subject": one.code,
        "time": now.astimezone(one.timezone),
    }


def _write(event: "CallerEvent", to: Path | None) -> None:
    with sink_for(to) as sink:
        sink.send(event)
        sink.flush()

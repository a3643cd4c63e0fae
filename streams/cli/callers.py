"""`pantau112 callers`: whom to call back, about whom to decide, and what a person decided. Callers are pseudonyms throughout."""

import re
import sys
import time
from datetime import UTC, datetime, timedelta
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from streams.cli.terminal import (
    Centres,
    Events,
    Failed,
    Faults,
    Moment,
    To,
    Whole,
    beginning,
    dated,
    door,
    progress,
    settings,
    sink_for,
)
from streams.logs import tell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemas.callers import CallerEvent
    from streams.core.calls import State
    from streams.core.centre import Centre
    from streams.sources.pseudonym import Keyed

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Call people back, and decide about prank callers.")

COLUMNS = ("city", "what", "caller", "since", "until", "stage", "calls", "told", "why")
HOURS = {"24h": 24, "3d": 72}
SEGMENT_DAYS = 7
"""Kafka deletes whole segments of a topic, and begins a new one at least so often."""
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
    whole: Whole = False,
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
    events = dated(events, known.values())
    through = door(known.values(), writes=True)
    faults = Faults(events, through)
    begun, until = beginning(events, known, at, whole=whole), at.timestamp() if at else None
    with progress("events") as tick:
        lines = open_source(events, next(iter(known.values())), settings(), through, tick.watch, spans=begun.spans)
        ahead = settings().ahead_seconds
        monitor, moment, outcomes = fold(tick(lines), known, time.time(), until, faults.refuse, ahead, begun)
    sys.stdout.write("\t".join(COLUMNS) + "\n")
    if moment is not None:
        for one, state in monitor.states(CALLS.name, 0):
            sys.stdout.writelines("\t".join(row) + "\n" for row in _rows(one, state, moment))
    faults.sum_up(len(begun.states) + outcomes.total() - outcomes["refused"])


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


@app.command(epilog="Example: pantau112 callers erase --by dpo-1 <number.txt")
def erase(by: By, to: To = None, centre: Centres = None) -> None:
    """Forget a caller, by its number.

    The number is asked for, or read from standard input: as an argument others would see it. It goes nowhere.

    What this machine does not reach, and until when it is kept, is listed.
    """
    from schemas.callers import CallerErased, Erased
    from streams import centres

    said = _asked()
    with sink_for(to) as sink:
        for one in centres.load(centre or []).values():
            envelope = _envelope_of(one, "erased")
            sink.send(CallerErased(**envelope, data=Erased(by=by, **said)))
            tell(f"erased: {one.name} has forgotten the caller {said['caller']}; event {envelope['id']} says that {by} did it")
        sink.flush()
    if "caller_before" not in said:
        tell("under one key: was it changed since the caller called, name the key before: PANTAU112_CALLER_KEY_BEFORE_FILE")
    sys.stdout.write("\t".join(("what", "where", "until")) + "\n")
    sys.stdout.writelines("\t".join(row) + "\n" for row in remains(datetime.now(UTC)))


def remains(now: datetime) -> "Iterator[tuple[str, str, str]]":
    """What is still there of a caller who is erased `now`: what it is, where, and until when at the latest."""
    from schemas.topics import CALLS, DEAD_LETTERS

    def day(days: float) -> str:
        return (now + timedelta(days=days)).date().isoformat()

    yield "events with the pseudonym", f"Kafka, {CALLS.name}", day(CALLS.retention_days + SEGMENT_DAYS)
    yield "states of before", "Kafka, the workers' changelog and snapshots", day(CALLS.retention_days + SEGMENT_DAYS)
    yield "states of older versions", "Kafka, the changelogs of their workers", "pantau112 upgrade finish"
    yield "events that could not be counted", f"Kafka, {DEAD_LETTERS.name}", day(DEAD_LETTERS.retention_days + 1)
    yield "events that wait", "the spool of an edge", "sent, which is at once where the gateway answers"
    yield "events that were refused", "the spool of an edge, the newest 1,000", "others push them out, or the file is deleted"
    yield "files", "backups, and what was written by --to and replay record", "deleted by whoever made them"
    yield "the number itself", "the exchange and its logs, which the monitor only reads", "deleted there"


@app.command(epilog="Example: pantau112 callers key topic:112.calls.v1")
def key(
    events: Annotated[str | None, typer.Argument(metavar="EVENTS", help="Events whose keys are looked at.")] = None,
    centre: Centres = None,
) -> None:
    """Say which key is in use, and when the former may go.

    To change the key, move its file aside and make another: (umask 077; openssl rand -hex 32 > caller.key). Give the new one in
    PANTAU112_CALLER_KEY_FILE and the old one in PANTAU112_CALLER_KEY_BEFORE_FILE to all edges of a centre, and start them again.
    """
    from schemas.calls import CallOffered
    from schemas.topics import CALLS
    from streams import centres
    from streams.analysis.replay import open_source

    ours = _key()
    uses = {ours.id: "in use"} | ({ours.before.id: "before"} if ours.before is not None else {})
    seen: dict[str, list[datetime]] = {name: [] for name in uses}
    if events is not None:
        known = centres.load(centre or [])
        events = dated(events, known.values())
        with progress("events") as tick:
            for line in tick(open_source(events, next(iter(known.values())), settings(), door(known.values()), tick.watch)):
                if isinstance(call := line.item, CallOffered) and call.data.caller is not None:
                    times = seen.setdefault(call.data.caller_key or "", [])
                    times[:] = [min([call.time, *times]), max([call.time, *times])]
    sys.stdout.write("\t".join(("key", "use", "first", "last")) + "\n")
    for name, times in seen.items():
        told = [moment.isoformat(timespec="seconds") for moment in times]
        sys.stdout.write("\t".join((name or "none said", uses.get(name, "former, or not ours"), *(told or ["", ""]))) + "\n")
    if ours.before is not None and events is not None:
        under = [times[1] for name, times in seen.items() if name != ours.id and times]
        if under:
            gone = max(under) + timedelta(days=CALLS.retention_days + SEGMENT_DAYS)
            tell(f"the key before may be deleted on {gone.date().isoformat()}: no event has a pseudonym under it alone any more")
        else:
            tell("the key before may be deleted: no event has a pseudonym under it alone")


@app.command(epilog="Example: pantau112 callers pseudonym <number.txt")
def pseudonym() -> None:
    """Say what a number is called here.

    It finds what is kept of somebody who asks for it: pantau112 replay cat topic:112.calls.v1 --json. The number is asked for, or
    read from standard input.
    """
    said = _asked()
    sys.stdout.writelines(f"{said[name]}\n" for name in ("caller", "caller_before") if name in said)


def _asked() -> dict[str, str]:
    """What events say of the caller whose number somebody types, or standard input gives. Raises `Failed`."""
    from streams.sources.pseudonym import caller as pseudonyms

    key = _key()
    number = getpass("Number (not shown): ") if sys.stdin.isatty() else sys.stdin.readline()
    said = pseudonyms(number, key) if re.fullmatch(r"[-+0-9 ().]{5,40}", number.strip()) else {}
    if not said:
        raise Failed("that is no telephone number such as 0812 3456 7890; give one, alone on its line")
    return said


def _key() -> "Keyed":
    """The keys of the settings. Raises `Failed` where there is none."""
    pseudonym = door(()).pseudonym
    if pseudonym is None:
        raise Failed("no key: name in PANTAU112_CALLER_KEY_FILE the one that the edge has (of `up`: .local/caller.key)")
    return pseudonym


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

    return _envelope_of(next(iter(centres.load(centre or []).values())), *what)


def _envelope_of(one: "Centre", *what: str) -> dict[str, Any]:
    now = datetime.now(UTC)
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

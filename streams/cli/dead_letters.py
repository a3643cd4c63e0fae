"""`pantau112 dead-letters`: what could not be counted, and how it is sent again once its cause is mended."""

import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.terminal import Failed, Tick, duration, progress, settings
from streams.logs import tell

if TYPE_CHECKING:
    from streams.log.dead_letters import Letter

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Show events that could not be counted, and send them again.")

ROWS = ("origin", "put_aside", "centre", "reason", "times_sent", "detail")
COUNTS = ("letters", "topic", "reason", "centre", "first", "last")


def origin(text: str) -> str:
    """A letter's name, as `dead-letters list` prints it."""
    from streams.log.dead_letters import parse_origin

    found = parse_origin(text)
    if found is None:
        raise typer.BadParameter("a letter is named TOPIC/PARTITION/OFFSET, as `pantau112 dead-letters list` prints it")
    return str(found)


def why(text: str) -> str:
    """A reason for which records are put aside."""
    from streams.log.dead_letters import TODO

    if text not in TODO:
        raise typer.BadParameter(f"{text!r} is no reason; there are {', '.join(TODO)}")
    return text


Reasons = Annotated[
    list[str] | None,
    typer.Option(
        "--reason", parser=why, metavar="REASON", help="Only letters with this reason, such as in_the_future. May be repeated."
    ),
]


@app.command("list", epilog="Example: pantau112 dead-letters list --reason in_the_future")
def list_(reason: Reasons = None) -> None:
    """List all letters, the oldest first.

    At the end it says how many there are by topic, reason and centre.
    """
    from streams.log.dead_letters import Letter, counted

    def printed(letters: Iterator[Letter]) -> Iterator[Letter]:
        for letter in letters:
            cells = (letter.origin, _time(letter.buried), letter.centre, letter.reason, letter.times_sent, letter.detail)
            sys.stdout.write("\t".join(map(str, cells)) + "\n")
            yield letter

    sys.stdout.write("\t".join(ROWS) + "\n")
    counts = counted(printed(_letters(reason)))
    sys.stdout.write("\n" + "\t".join(COUNTS) + "\n")
    for kind, count in counts.items():
        cells = (count.letters, *kind, _time(count.first), _time(count.last))
        sys.stdout.write("\t".join(map(str, cells)) + "\n")
    tell(f"{sum(count.letters for count in counts.values()):,} dead letters; Kafka keeps each for 3 days")


@app.command(epilog="Example: pantau112 dead-letters show 112.calls.v1/3/4711")
def show(
    which: Annotated[str, typer.Argument(parser=origin, metavar="ORIGIN", help="The letter's name, as `list` prints it.")],
) -> None:
    """Say why a letter was put aside, and what is in it.

    Of its fields, only those are shown in which nothing personal can be.
    """
    from streams.log.dead_letters import TODO, shown

    letter = next((letter for letter in _letters() if str(letter.origin) == which), None)
    if letter is None:
        raise Failed(f"no dead letter {which}; Kafka keeps each for 3 days. See: pantau112 dead-letters list")
    said = {
        "origin": str(letter.origin),
        "centre": letter.centre or "not known",
        "written": _time(letter.written),
        "put aside": _time(letter.buried),
        "reason": letter.reason,
        "detail": letter.detail,
        "do": {str(reason): todo for reason, todo in TODO.items()}.get(letter.reason, ""),
        "sent again": f"{letter.times_sent} times before it came back" if letter.times_sent else "",
    }
    for name, text in (*said.items(), *shown(letter.value)):
        if text:
            sys.stdout.write(f"{name}\t{text}\n")


@app.command(epilog="Example: pantau112 dead-letters send --reason in_the_future --shift -57m")
def send(
    which: Annotated[
        list[str] | None, typer.Argument(parser=origin, metavar="[ORIGIN...]", help="The letters' names, as `list` prints them.")
    ] = None,
    reason: Reasons = None,
    every: Annotated[bool, typer.Option("--all", help="Every letter that Kafka still has.")] = False,
    by: Annotated[
        timedelta | None,
        typer.Option(
            "--shift", parser=duration, metavar="SECONDS", help="Move their times by this: -57m if the clock was 57 minutes fast."
        ),
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Also letters that came back when they were sent before.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Send nothing; only say what would be sent.")] = False,
) -> None:
    """Send letters again, once their cause is mended.

    Each event goes to its own topic. It counts once, however often it is sent. The letters stay in Kafka.

    What the schema does not know is not sent. Live figures take an event that is at most an hour older than its source's newest.
    An older one counts as late there, and reports have it.
    """
    from schemas.topics import SENT_AGAIN
    from streams.log import dead_letters
    from streams.log.kafka import Log

    if not which and not reason and not every:
        raise typer.BadParameter("say which: ORIGIN, --reason REASON or --all")
    sending, wanted = dead_letters.Sending(), frozenset(which or ())
    with Log(settings()) as log, progress("records") as tick:
        returned = dead_letters.came_back(_letters(tick=tick))
        chosen = (letter for letter in _letters(reason, tick) if not wanted or str(letter.origin) in wanted)
        for event, times in dead_letters.again(chosen, by or timedelta(), returned, sending, insist=again):
            if not dry_run:
                log.send(event, [(SENT_AGAIN, b"%d" % times)])
            sending.sent[event.type] += 1
        log.flush()
    would = "would be sent" if dry_run else "sent"
    for kind, n in sorted(sending.sent.items()):
        sys.stdout.write(f"{n}\t{kind}\t{would}\n")
    for because, n in sorted(sending.left.items()):
        sys.stdout.write(f"{n}\t\tleft: {because}\n")
    tell(f"{sending.sent.total():,} events {would}, {sending.left.total():,} letters left")
    if any("came back" in because for because in sending.left):
        tell("what came back would come back again: see its reason, mend that, then use --again")
    if not sending.sent:
        raise typer.Exit(1)


def _letters(reasons: list[str] | None = None, tick: Tick | None = None) -> "Iterator[Letter]":
    from streams.log.dead_letters import letters
    from streams.log.reader import Reader

    log = Reader(settings())
    records = log.letters() if tick is None else tick(log.letters(watch=tick.watch))
    for letter in letters(records, settings().topic_prefix):
        if not reasons or letter.reason in reasons:
            yield letter


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().isoformat(timespec="seconds")

"""`pantau112 boards`: the boards in a Grafana that is shared with others, and marks on them."""

import csv
import re
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from streams.cli.terminal import Failed, moment, settings
from streams.logs import tell

if TYPE_CHECKING:
    from streams.stack.grafana import Grafana

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Put our boards, and marks on them, into a shared Grafana.\n\nSet PANTAU112_GRAFANA_URL to its address, and "
    "PANTAU112_GRAFANA_TOKEN_FILE to the file with the token of a service account (role Editor). If its certificate is signed by "
    "a CA of your own, set PANTAU112_GRAFANA_CA.",
)


def name(text: str) -> str:
    """What a mark is called: no place for anything personal."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", text):
        raise typer.BadParameter("a mark's name is small letters, digits and hyphens, such as 2026-11-24-banjir")
    return text


@app.command(epilog="Example: PANTAU112_GRAFANA_URL=https://grafana.example.go.id pantau112 boards push --dry-run")
def push(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing; only say what would be written.")] = False,
) -> None:
    """Write our boards into the folder pantau112.

    Both languages are written. A board that is right already stays as it is. A board that somebody changed in Grafana is
    overwritten, and named.
    """
    from streams.stack.grafana import GrafanaError, boards

    grafana, rows = _grafana(), csv.writer(sys.stdout, lineterminator="\n")
    by_change: dict[str, list[str]] = {}
    try:
        if dry_run and not grafana.has_folder():
            tell("the folder pantau112 is not there, as far as this token sees; a push makes it")
        rows.writerow(("uid", "title", "change"))
        for pushed in grafana.push(boards(), dry_run=dry_run):
            rows.writerow(pushed)
            by_change.setdefault(pushed.change, []).append(pushed.uid)
    except GrafanaError as error:
        raise Failed(str(error)) from None
    if changed := by_change.get("overwritten"):
        tell(f"somebody changed in Grafana, and that {'would be' if dry_run else 'is'} lost: {', '.join(changed)}")
    if dry_run:
        tell("nothing was written: --dry-run")
    if fixed := by_change.get("provisioned"):
        raise Failed(
            f"{', '.join(fixed)}: from files on the Grafana server, which no push can change: update those files, or remove them"
        )


@app.command(epilog="Example: pantau112 boards annotate incident 2026-11-24-banjir --from 2026-11-24T10:00+07:00")
def annotate(
    kind: Annotated[Literal["replay", "incident", "deploy"], typer.Argument(metavar="KIND", help="What it marks.")],
    called: Annotated[
        str, typer.Argument(parser=name, metavar="NAME", help="Its name: small letters, digits, hyphens. Never a person's name.")
    ],
    start: Annotated[datetime, typer.Option("--from", parser=moment, metavar="TIME", help="When it began.")],
    end: Annotated[
        datetime | None, typer.Option("--to", parser=moment, metavar="TIME", help="When it ended, if that is known.")
    ] = None,
) -> None:
    """Mark a span of time on every board.

    To end it later, give the same name again, with --to.
    """
    from streams.stack.grafana import GrafanaError

    if end is not None and end < start:
        raise typer.BadParameter("--to lies before --from")
    try:
        tell(f"{kind} {called}: {_grafana().annotate(kind, called, start, end)}")
    except GrafanaError as error:
        raise Failed(str(error)) from None


def _grafana() -> "Grafana":
    from streams.stack.grafana import Grafana

    known = settings()
    token = known.grafana_secret()
    if known.grafana_url is None or token is None:
        raise Failed("which Grafana? Set PANTAU112_GRAFANA_URL, and PANTAU112_GRAFANA_TOKEN_FILE to the file of a token")
    return Grafana(known.grafana_url, token, known.grafana_ca)

"""`pantau112 topics`: create and check the topics."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from schemas.topics import MOST_PARTITIONS, PARTITIONS
from streams.cli.terminal import settings

if TYPE_CHECKING:
    from streams.log.topics import Found

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Create and check the topics in Kafka.")


@app.command("create", epilog="Example: pantau112 topics create --partitions 32")
def topics_create(
    partitions: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=MOST_PARTITIONS,
            metavar="NUMBER",
            help=f"Partitions of each topic: at most so many workers share the work. For good; without it {PARTITIONS}.",
        ),
    ] = None,
) -> None:
    """Create the topics that are missing.

    Where there are some already, new ones get as many partitions as those have.
    """
    from streams.log.kafka import Log

    with Log(settings()) as log:
        _say(log.create_topics(partitions))


@app.command("check", epilog="Example: pantau112 topics check")
def topics_check() -> None:
    """Say of each topic whether it is as it has to be."""
    from streams.log.kafka import Log

    with Log(settings()) as log:
        _say(log.check())


def _say(found: "Sequence[Found]") -> None:
    """What is the case with each topic; ends with 1 where one is not as it has to be."""
    for topic in found:
        sys.stdout.write(f"{topic.topic}: {topic.state}{f' ({topic.detail})' if topic.detail else ''}\n")
    if any(topic.state not in {"created", "as planned"} for topic in found):
        raise typer.Exit(1)

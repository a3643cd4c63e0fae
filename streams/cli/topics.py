"""`pantau112 topics`: create and check the topics."""

import sys

import typer

from streams.cli.terminal import settings

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Create and check the topics in Kafka.")


@app.command("create", epilog="Example: pantau112 topics create")
def topics_create() -> None:
    """Create the topics that are missing."""
    _topics(create=True)


@app.command("check", epilog="Example: pantau112 topics check")
def topics_check() -> None:
    """Say of each topic whether it is as it has to be."""
    _topics(create=False)


def _topics(*, create: bool) -> None:
    from streams.log.kafka import Log

    with Log(settings()) as log:
        found = log.create_topics() if create else log.check()
    for topic in found:
        sys.stdout.write(f"{topic.topic}: {topic.state}{f' ({topic.detail})' if topic.detail else ''}\n")
    if any(topic.state not in {"created", "as planned"} for topic in found):
        raise typer.Exit(1)

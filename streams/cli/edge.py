"""`pantau112 edge`: what stands at a centre for ever."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from streams import logs
from streams.cli import terminal
from streams.cli.terminal import Failed
from streams.logs import tell


def edge(
    config: Annotated[
        Path, typer.Argument(metavar="EDGE.TOML", help="The file that says what to collect, and where to send it.")
    ],
) -> None:
    """Collect events at a centre, and send them on.

    The file says what is collected and where it is sent. Events are on disk before they are sent. It runs until you stop it.
    What is wrong is said by: pantau112 doctor --edge EDGE.TOML
    """
    logs.begin()
    from streams.edge.config import EdgeConfigError, load
    from streams.edge.edge import Edge
    from streams.edge.exporter import serve
    from streams.edge.forward import destination
    from streams.edge.inbox import Keeper
    from streams.edge.spool import Spool, SpoolError

    settings = terminal.settings()
    try:
        said, centre = load(config)
        door = terminal.door([centre], writes=True, said=said.settings(settings))
        spool = Spool(said.spool, said.spool_bytes)
    except (EdgeConfigError, SpoolError) as error:
        raise Failed(str(error)) from None
    keeper = Keeper(spool, door)
    one = Edge(keeper, [kind.collector(centre, door) for kind in said.kinds()], destination(said, settings))
    try:
        server, port = serve(one, said.metrics_host, said.metrics_port)
    except OSError as error:
        raise Failed(f"port {said.metrics_port}: {error.strerror}. Set metrics_port in {config} to a free one.") from None
    names = ", ".join(collector.name for collector in one.collectors)
    tell(f"{centre.code} {centre.name}: {names} to {one.destination.name}; {spool.length:,} events wait in {said.spool}")
    tell(f"metrics at http://{said.metrics_host}:{port}/metrics")
    try:
        asyncio.run(one.run())
    except SpoolError as error:
        raise Failed(str(error)) from None
    finally:
        server.close()
        keeper.close()
    tell(f"stopped; {spool.length:,} events wait in {said.spool}")

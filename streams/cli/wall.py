"""`pantau112 wall`: the boards in a browser, on this machine or on a television's, of any Prometheus."""

import asyncio
import signal
from typing import TYPE_CHECKING, Annotated

import typer

from streams import logs
from streams.cli.terminal import Failed, settings
from streams.logs import tell

if TYPE_CHECKING:
    from streams.stack.listen import Listen
    from streams.stack.wall import Wall

LISTEN = typer.Option(metavar="HOST[:PORT]", help="Show the boards there too, to whoever has the token in the address.")
PLAIN = "without TLS the token can be read on the way: PANTAU112_WALL_CERTIFICATE and PANTAU112_WALL_CERTIFICATE_KEY"


def wall(
    listen: Annotated[str, typer.Option(metavar="HOST[:PORT]", help="Where browsers ask.")] = "127.0.0.1:11206",
) -> None:
    """Show the boards in a browser.

    They ask the Prometheus that PANTAU112_PROMETHEUS names, and change nothing. Other machines need the token of
    PANTAU112_WALL_TOKEN_FILE in the address; the file is made if it is not there.
    """
    logs.begin()
    from streams.stack import StackError
    from streams.stack.listen import Listen
    from streams.stack.up import DASHBOARDS
    from streams.stack.wall import Wall
    from streams.stack.wall_token import ensure_token

    s = settings()
    try:
        at, token = Listen.parse(listen, s, 11_206), None
        if s.wall_token_file is not None:
            token = ensure_token(s.wall_token_file)
        elif not at.is_here_alone:
            raise Failed(f"--listen {listen}: other machines could read it: set PANTAU112_WALL_TOKEN_FILE, a file for its token")
    except StackError as error:
        raise Failed(str(error)) from None
    raise typer.Exit(asyncio.run(_serve(Wall(DASHBOARDS, s.api(s.prometheus)), at, token)))


async def _serve(one: "Wall", at: "Listen", token: str | None) -> int:
    from streams.serving import Server
    from streams.stack.wall import LIMITS

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with Server(one.application(token), LIMITS) as server:
        try:
            port = await server.listen(at.host, at.port, at.tls)
        except OSError as error:
            raise Failed(f"--listen {at.host}:{at.port}: {error.strerror}") from None
        told = "" if token is None else "?token=… of PANTAU112_WALL_TOKEN_FILE"
        tell(f"boards at {at._replace(port=port).reached}/{told}")
        if at.tls is None and not at.is_here_alone:
            tell(PLAIN)
        await stop.wait()
    return 0

"""`pantau112 gateway`: events over HTTP, and the tokens of those who may send them."""

import asyncio
import contextlib
import signal
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams import logs
from streams.cli.terminal import Centres, Failed, door, settings
from streams.logs import tell

if TYPE_CHECKING:
    from streams.core.centre import Centre
    from streams.settings import Settings

HELP = """Take events over HTTP, from those who have a token.

It takes CloudEvents, batches and vendors' webhooks, and answers when Kafka has them.
Run as many as you like, behind a balancer."""

app = typer.Typer(rich_markup_mode=None, help=HELP)
token = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Say who may send what to the gateway.")
app.add_typer(token, name="token")

RULES = Path(__file__).parents[2] / "dashboards" / "rules"
"""The alerts' rules, which say what kinds of pages there are."""

COLUMNS = ("id", "centres", "types", "may_decide", "made")


@app.callback(invoke_without_command=True, epilog="Example: PANTAU112_BOOTSTRAP=kafka1:9092 pantau112 gateway")
def gateway(context: typer.Context, centre: Centres = None) -> None:
    """Take events over HTTP and answer when Kafka has them. Run as many as you like behind a balancer."""
    if context.invoked_subcommand is not None:
        return
    from streams import centres

    logs.begin()
    raise typer.Exit(asyncio.run(_serve(settings(), list(centres.load(centre or []).values()))))


async def _serve(s: "Settings", known: "list[Centre]") -> int:
    import ssl

    from streams.edge.gateway.acknowledge import Acknowledging
    from streams.edge.gateway.alarm_answer import Answering
    from streams.edge.gateway.alarms import watching
    from streams.edge.gateway.hooks import Hooks, HooksError
    from streams.edge.gateway.intake import Intake
    from streams.edge.gateway.page_kinds import PageKinds
    from streams.edge.gateway.server import Gateway, serving
    from streams.edge.gateway.tokens import Tokens, TokensError
    from streams.log.lookup import Lookup
    from streams.log.producer import Producer
    from streams.settings import is_here_alone

    producer, tokens = Producer(s), Tokens(s.gateway_tokens)
    tls = None
    try:
        if s.gateway_certificate is not None:
            tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            tls.load_cert_chain(s.gateway_certificate, s.gateway_certificate_key)
        if not tokens.known:
            tell(f"{s.gateway_tokens}: holds no token yet, so nobody can send: pantau112 gateway token add --help")
    except (ssl.SSLError, TokensError) as error:
        raise Failed(f"PANTAU112_GATEWAY_CERTIFICATE: {error}" if isinstance(error, ssl.SSLError) else str(error)) from None
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    writing = asyncio.create_task(producer.run())
    key, now = s.link_secret(), partial(datetime.now, UTC)
    pages = [] if key is None else [*Acknowledging(producer, Lookup(s), key, now).routes]
    through = door(known)
    intake = Intake([centre.code for centre in known], through)
    try:
        centres = {centre.code: centre for centre in known}
        hooks = None if s.gateway_hooks is None else Hooks(s.gateway_hooks, centres, through, intake)
    except HooksError as error:
        raise Failed(str(error)) from None
    try:
        async with contextlib.AsyncExitStack() as opened:
            alarms = None
            if s.alertmanager_url is not None:
                alarms = await opened.enter_async_context(
                    watching(s.api(s.alertmanager_url), s.gateway_url, key, PageKinds(RULES, known))
                )
                pages += [] if key is None else Answering(alarms, key, centres, now).routes
            at = Gateway(producer, intake, tokens, s.gateway_rate, pages, hooks, alarms)
            port = await opened.enter_async_context(serving(at, s.gateway_host, s.gateway_port, tls))
            if tls is None and not is_here_alone(s.gateway_host):
                tell("without TLS the tokens can be read on the way: PANTAU112_GATEWAY_CERTIFICATE, or a proxy in front")
            if s.alertmanager_url is not None and (s.gateway_url is None or key is None):
                tell("pages bear no link: set PANTAU112_GATEWAY_URL, where telephones reach this, and PANTAU112_LINK_KEY_FILE")
            tell(f"gateway at {'http' if tls is None else 'https'}://{s.gateway_host}:{port}/v1/events")
            await stop.wait()
    except OSError as error:
        raise Failed(f"port {s.gateway_port}: {error.strerror}. Set PANTAU112_GATEWAY_PORT to a free one.") from None
    finally:
        writing.cancel()
        await asyncio.wait([writing])
    return 0


@token.command(epilog="Example: pantau112 gateway token add --centre 32.71 --types 'call.*,link.*'")
def add(
    centre: Annotated[list[str], typer.Option(metavar="CODE", help="A centre that it speaks for. May be repeated.")],
    types: Annotated[str, typer.Option(metavar="PATTERNS", help="Which types of events, with commas, such as 'call.*,link.*'.")],
    may_decide: Annotated[bool, typer.Option("--may-decide", help="It may also send decisions about callers.")] = False,
) -> None:
    """Make a token, and print it.

    It is shown this once: the file keeps only its hash.
    """
    from streams.edge.gateway.tokens import Tokens, TokensError

    patterns = [pattern.strip() for pattern in types.split(",") if pattern.strip()]
    try:
        text = Tokens(settings().gateway_tokens).add(centre, patterns, may_decide=may_decide)
    except TokensError as error:
        raise Failed(str(error)) from None
    sys.stdout.write(f"{text}\n")
    tell(f"{settings().gateway_tokens}: every gateway that reads this file knows it from now on")


@token.command("list", epilog="Example: pantau112 gateway token list")
def list_() -> None:
    """List every token by its id, and what it may do."""
    from streams.edge.gateway.tokens import Tokens, TokensError

    try:
        known = Tokens(settings().gateway_tokens).known
    except TokensError as error:
        raise Failed(str(error)) from None
    sys.stdout.write("\t".join(COLUMNS) + "\n")
    for one in known:
        decides = "yes" if one.may_decide else "no"
        sys.stdout.write("\t".join((one.id, ",".join(one.centres), ",".join(one.types), decides, one.made.isoformat())) + "\n")


@token.command(epilog="Example: pantau112 gateway token revoke 5f1c09ab")
def revoke(name: Annotated[str, typer.Argument(metavar="ID", help="The token's id, as `gateway token list` prints it.")]) -> None:
    """Take a token's rights away, from its next request on."""
    from streams.edge.gateway.tokens import Tokens, TokensError

    try:
        if not Tokens(settings().gateway_tokens).revoke(name):
            raise Failed(f"{name}: no token has this id; see pantau112 gateway token list")
    except TokensError as error:
        raise Failed(str(error)) from None
    tell(f"{name}: revoked")

"""Why Kafka lets us not in, tried against a real one: each fault is one line that says what is true and what to do."""

import asyncio
import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

import pytest

from schemas.topics import CALLS, encode
from streams.edge.forward import AwayError, Kafka
from streams.log import kafka as log_
from streams.log.access import LogError, enter
from streams.log.kafka import Log
from streams.log.producer import Producer
from streams.log.reader import Reader
from streams.settings import PREFIX, Settings
from tests.conftest import HANG
from tests.guarded import PASSWORD
from tests.log.told import NOON, offered

if TYPE_CHECKING:
    from tests.guarded import GuardedKafka

pytestmark = pytest.mark.stack


def port(guarded: "GuardedKafka", listener: str) -> str:
    return guarded.at(listener).bootstrap


def mutual(guarded: "GuardedKafka", name: str, **how: bool) -> Settings:
    shown = guarded.issue(name, **how)
    return guarded.at("mutual", ssl_certfile=shown.chain, ssl_keyfile=shown.key)


FAULTS: dict[str, tuple[Callable[["GuardedKafka"], Settings], str, str]] = {
    "wrong password": (
        lambda k: k.at("secret", sasl_password="wrong"),
        "knows no user monitor with this password",
        "correct PANTAU112_SASL_USERNAME or PANTAU112_SASL_PASSWORD",
    ),
    "unknown user": (
        lambda k: k.at("users", sasl_username="stranger"),
        "knows no user stranger with this password",
        "correct PANTAU112_SASL_USERNAME",
    ),
    "wrong mechanism": (
        lambda k: k.at("secret", sasl_mechanism="SCRAM-SHA-256"),
        "takes no SCRAM-SHA-256 at this port",
        "set PANTAU112_SASL_MECHANISM",
    ),
    "Kafka's certificate expired": (
        lambda k: k.at("expired"), "the certificate of Kafka at .* has run out", "renew it there",
    ),
    "Kafka's certificate for another name": (
        lambda k: k.at("elsewhere"),
        r"the certificate of Kafka at .* is not made out for 127\.0\.0\.1",
        "name Kafka in PANTAU112_BOOTSTRAP as its certificate does",
    ),
    "CA that did not sign": (
        lambda k: k.at("secret", ssl_cafile=k.other_ca),
        "other_ca.pem has not signed the certificate of Kafka",
        "set PANTAU112_SSL_CAFILE",
    ),
    "no CA": (
        lambda k: k.at("secret", ssl_cafile=None), "no CA that this machine knows has signed", "set PANTAU112_SSL_CAFILE",
    ),
    "no client certificate": (
        lambda k: k.at("mutual"), "wants a certificate of ours", "set PANTAU112_SSL_CERTFILE and PANTAU112_SSL_KEYFILE",
    ),
    "client certificate expired": (
        lambda k: mutual(k, "old", expired=True), "does not take our certificate .*old.pem: it has run out", "-enddate",
    ),
    "client certificate of a stranger": (
        lambda k: mutual(k, "strange", strange=True), "does not take our certificate .*Kafka does not know its CA", "-issuer",
    ),
    "TLS to a plain port": (
        lambda k: k.at("mutual", bootstrap=port(k, "open")),
        "does not speak TLS at this port",
        "set PANTAU112_SECURITY_PROTOCOL=PLAINTEXT",
    ),
    "TLS with a user to a plain port": (
        lambda k: k.at("secret", bootstrap=port(k, "users")),
        "does not speak TLS at this port",
        "set PANTAU112_SECURITY_PROTOCOL=SASL_PLAINTEXT",
    ),
    "plain to a TLS port": (
        lambda k: k.at("open", bootstrap=port(k, "mutual")),
        "speaks TLS at this port",
        "set PANTAU112_SECURITY_PROTOCOL=SSL or SASL_SSL",
    ),
    "a user, plain, to a TLS port": (
        lambda k: k.at("users", bootstrap=port(k, "secret")),
        "speaks TLS at this port",
        "set PANTAU112_SECURITY_PROTOCOL=SASL_SSL$",
    ),
    "a user where none is asked for": (
        lambda k: k.at("users", bootstrap=port(k, "open")),
        "takes no password at this port",
        "set PANTAU112_SECURITY_PROTOCOL=PLAINTEXT$",
    ),
    "no user where one is asked for": (
        lambda k: k.at("open", bootstrap=port(k, "users")),
        "wants a user and a password .*lets in only the user who runs it",
        "set PANTAU112_SECURITY_PROTOCOL=SASL_PLAINTEXT or SASL_SSL, PANTAU112_SASL_MECHANISM",
    ),
    "no user where one is asked for, with TLS": (
        lambda k: k.at("mutual", bootstrap=port(k, "secret")),
        "wants a user and a password",
        "set PANTAU112_SECURITY_PROTOCOL=SASL_SSL, PANTAU112_SASL_MECHANISM",
    ),
    "Kafka away": (lambda k: k.at("open", bootstrap="127.0.0.1:1"), "^no Kafka at 127.0.0.1:1: nobody listens", "start it"),
    "a name that nobody knows": (
        lambda k: k.at("open", bootstrap="kafka.invalid:9092"), "kafka.invalid", "let this machine know the name",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_one_line_that_says_what_is_true_and_what_to_do(
    guarded: "GuardedKafka", fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    make, says, todo = FAULTS[fault]
    settings = make(guarded)
    with Log(settings) as log, pytest.raises(LogError, match=says) as told:
        log.check()
    with pytest.raises(LogError, match=says):
        list(Reader(settings).read([CALLS.name]))
    assert "\n" not in str(told.value)
    assert told.match(todo)
    assert "wrong" not in caplog.text


def test_the_worker_ends_with_that_line_and_no_other(guarded: "GuardedKafka") -> None:
    settings = guarded.at("expired", metrics_port=0)
    said = {name: getattr(settings, name) for name in settings.model_fields_set} | {"sasl_password": PASSWORD}
    environment = {PREFIX + name.upper(): str(value) for name, value in said.items()}
    ended = subprocess.run(
        [sys.executable, "-m", "streams.cli", "worker"],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=HANG,
    )
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert re.search(r"the certificate of Kafka at \S+ has run out; renew it there; ", ended.stderr)


def test_the_edge_says_it_and_gets_in_as_soon_as_it_may(guarded: "GuardedKafka") -> None:
    event = encode(offered(1, NOON))

    async def run() -> None:
        edge = Kafka(guarded.at("users", sasl_username="late-edge"))
        for _ in range(2):
            with pytest.raises(AwayError, match="knows no user late-edge with this password; correct PANTAU112_SASL_USERNAME"):
                await edge.send([event])
        await asyncio.to_thread(guarded.let_in, "late-edge")
        with pytest.raises(AwayError, match=r"gives late-edge no right to .*the table in SECURITY.md"):
            await edge.send([event])
        await edge.close()

    asyncio.run(run())


def test_the_gateway_says_it_once_tells_it_those_who_write_and_gets_in_as_soon_as_it_may(
    guarded: "GuardedKafka", caplog: pytest.LogCaptureFixture
) -> None:
    async def until(true: Callable[[], object]) -> None:
        async with asyncio.timeout(HANG):
            while not true():  # noqa: ASYNC110 (it tells nobody)
                await asyncio.sleep(0.02)

    def said() -> list[str]:
        return [record.getMessage() for record in caplog.records if record.name == "streams.log.producer"]

    async def run() -> None:
        producer = Producer(guarded.at("secret", sasl_username="late-gateway"))
        running = asyncio.create_task(producer.run())
        await until(said)
        looks = time.monotonic()
        await until(lambda: time.monotonic() - looks > 2.5)  # two more looks
        with pytest.raises(LogError, match="knows no user late-gateway"):
            await producer.write([])
        await asyncio.to_thread(guarded.let_in, "late-gateway")
        await until(lambda: producer.is_up)
        running.cancel()
        await asyncio.wait([running])

    asyncio.run(run())
    assert len(said()) == 1


def test_a_password_goes_on_to_no_broker_on_another_machine_unless_that_is_allowed(
    guarded: "GuardedKafka", monkeypatch: pytest.MonkeyPatch
) -> None:
    far = guarded.at("far")
    with pytest.raises(LogError, match=r"has us go on to kafka.example:.*; use SASL_SSL, or, .*ALLOW_PLAIN_PASSWORD=true"):
        asyncio.run(enter(far))
    allowed = guarded.at("far", allow_plain_password=True)
    (broker,) = asyncio.run(enter(allowed))
    assert broker.startswith("kafka.example:")

    monkeypatch.setattr(log_, "ANSWER_SECONDS", 2.0)
    with Log(allowed) as log, pytest.raises(LogError, match=rf"lets us in, and then does not answer .*from here: {broker}\?"):
        log.check()


@contextlib.asynccontextmanager
async def squatter(settings: Settings) -> AsyncIterator[str]:
    """An address where somebody answers as Kafka does, and cannot prove that he knows the password."""
    (host, port), served = settings.bootstrap.rsplit(":", 1), asyncio.Event()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, forge: bool) -> None:
        while data := await reader.read(2**16):
            at = data.find(b"v=") + 2
            writer.write(data[:at] + (b"A" if data[at : at + 1] != b"A" else b"B") + data[at + 1 :] if forge and at > 1 else data)
        writer.close()  # else the other side would wait

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(host, int(port))
        try:
            await asyncio.gather(pass_on(reader, back, forge=False), pass_on(there, writer, forge=True))
        finally:
            for end in (back, writer):
                end.close()
                with contextlib.suppress(OSError):
                    await end.wait_closed()
            served.set()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        await served.wait()


def test_who_took_kafkas_port_and_does_not_know_the_password_is_found_out(guarded: "GuardedKafka") -> None:
    async def run() -> None:
        async with squatter(guarded.at("users")) as address:
            with pytest.raises(LogError, match=f"what answers as Kafka at {address} does not know our password"):
                await enter(guarded.at("users", bootstrap=address))

    asyncio.run(run())

"""The way into Kafka: how clients show who they are, and what is true where they are not let in.

The clients themselves try again and again, and say at last that nobody answered. So the way is gone once beside them, and the
step at which it ends says what is wrong: the name, the port, TLS, the certificates, the user.
"""

import asyncio
import logging
import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from typing import Any

from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import (
    IllegalSaslStateError,
    IncompatibleBrokerVersion,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from streams.log.topics import no_topic
from streams.settings import PREFIX, Settings, SettingsError, keeps_secrets

ABSENT = f"start it (pantau112 up starts one here), or set {PREFIX}BOOTSTRAP to where it is"
"""What to do where there is no Kafka."""

ANSWER_SECONDS = 20.0
"""How long a broker may take to answer the first request."""

CLOSE_SECONDS = 1.0
"""How long the other side may take to say good-bye."""

_TLS, _HTTP = 0x1503, 0x4854
"""What an answer begins with where TLS is spoken, and where HTTP is; Kafka's own begins with its length."""

_EXPIRED, _NOT_YET = 10, 9
_OTHERS = {62, 64}
_STRANGERS = {18, 19, 20, 21}
"""What OpenSSL's X509_V_ERR_ numbers say of a certificate: when it is valid, for whom (name, address), by whom it is signed."""


class LogError(OSError):
    """Kafka is away or refuses; the message is one line, what it `says` and what to do. `absent`: nobody is there at all."""

    def __init__(self, says: str, todo: str = "", *, absent: bool = False) -> None:
        super().__init__("; ".join(filter(None, (says, todo))))
        self.says, self.todo, self.absent = says, todo, absent


class _UnaskedError(KafkaError):  # type: ignore[misc]
    """It said which versions it speaks, and hung up at the first question."""


def connection(settings: Settings) -> dict[str, Any]:
    """Who we are in Kafka, in the words of aiokafka's clients. Raises `SettingsError`."""
    return {
        "security_protocol": settings.security_protocol,
        "ssl_context": settings.kafka_tls(),
        "sasl_mechanism": settings.sasl_mechanism or "PLAIN",
        "sasl_plain_username": settings.sasl_username,
        "sasl_plain_password": settings.sasl_password.get_secret_value() if settings.sasl_password else None,
    }


async def enter(settings: Settings) -> list[str]:
    """Go the way to the first broker that lets us in; returns the addresses that it says the brokers have.

    Raises `LogError`, also for certificates of ours that cannot be read.
    """
    # It warns of a plain password; that one may be sent was decided before.
    logging.getLogger("aiokafka.conn").setLevel(logging.ERROR)
    try:
        who = connection(settings)
    except SettingsError as why:
        raise LogError(str(why)) from None
    barred = list[LogError]()
    for address in settings.bootstrap.split(","):
        try:
            brokers = await _knock(address, who)
        except (KafkaError, OSError, EOFError, ValueError) as error:
            barred.append(_barred(settings, address, error))
            continue
        if readable := [broker for broker in brokers if not settings.may_tell(broker)]:
            raise LogError(
                f"Kafka at {address} has us go on to {readable[0]}, on another machine, and a password could be read on the way",
                f"use SASL_SSL, or, in a network that is yours alone, set {PREFIX}ALLOW_PLAIN_PASSWORD=true",
            )
        return brokers
    raise next((why for why in barred if not why.absent), barred[0])


async def _knock(address: str, who: Mapping[str, Any]) -> list[str]:
    host, port = address.rsplit(":", 1)
    made = asyncio.Event()
    opened = AIOKafkaConnection(
        host, int(port), request_timeout_ms=int(ANSWER_SECONDS * 1000), on_close=lambda *_: made.set(), **who
    )
    try:
        await opened.connect()
        answer = await _first_answer(opened)
    finally:
        closed = opened.close()
        if made.is_set():  # else there is nothing that could end
            await asyncio.wait([closed], timeout=CLOSE_SECONDS)
    return [f"{broker[1]}:{broker[2]}" for broker in answer.brokers]


async def _first_answer(opened: AIOKafkaConnection) -> Any:
    try:
        return await opened.send(MetadataRequest([]))
    except KafkaError as error:
        if any(isinstance(why, EOFError) for why in _causes(error)):
            raise _UnaskedError from None
        raise


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _barred(settings: Settings, address: str, error: Exception) -> LogError:
    """What is true where a way ended with this error."""
    at, host = f"Kafka at {address}", address.rpartition(":")[0]
    tls, user = settings.security_protocol.endswith("SSL"), settings.security_protocol.startswith("SASL_")
    protocol = f"{PREFIX}SECURITY_PROTOCOL"
    for why in _causes(error):
        match why:
            case socket.gaierror():
                unknown = "no name server says where" if why.errno == socket.EAI_AGAIN else "there is no machine of the name"
                return LogError(f"{at}: {unknown} {host}", f"correct {PREFIX}BOOTSTRAP, or let this machine know the name")
            case ssl.SSLCertVerificationError():
                return _certificate(settings, at, host, why)
            case ssl.SSLError(reason=str() as reason) if "ALERT" in reason:
                return _alert(settings, at, reason)
            case ssl.SSLError() | ConnectionError() if tls and why is error and not isinstance(why, ConnectionRefusedError):
                plain = "SASL_PLAINTEXT" if user else "PLAINTEXT"
                return LogError(
                    f"{at} does not speak TLS at this port", f"set {protocol}={plain}, or {PREFIX}BOOTSTRAP to its port with TLS"
                )
            case asyncio.IncompleteReadError(expected=int() as length) if length >> 16 == _TLS:
                return LogError(f"{at} speaks TLS at this port", f"set {protocol}={'SASL_SSL' if user else 'SSL or SASL_SSL'}")
            case asyncio.IncompleteReadError(expected=int() as length) if length >> 16 == _HTTP:
                return LogError(f"{address} is no Kafka but a web server", f"set {PREFIX}BOOTSTRAP to a port of Kafka's")
            case _UnaskedError() if not user:
                here = " (that of `up` lets in only the user who runs it)" if keeps_secrets(f"http://{host}") else ""
                return LogError(
                    f"{at} wants a user and a password{here}",
                    f"set {protocol}={'SASL_SSL' if tls else 'SASL_PLAINTEXT or SASL_SSL'}, {PREFIX}SASL_MECHANISM, "
                    f"{PREFIX}SASL_USERNAME and {PREFIX}SASL_PASSWORD_FILE",
                )
            case SaslAuthenticationFailed():
                return LogError(
                    f"{at} knows no user {settings.sasl_username} with this password",
                    f"correct {PREFIX}SASL_USERNAME or {PREFIX}SASL_PASSWORD(_FILE)",
                )
            case UnsupportedSaslMechanismError():
                return LogError(
                    f"{at} takes no {settings.sasl_mechanism} at this port",
                    f"set {PREFIX}SASL_MECHANISM to what it takes: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512",
                )
            case IllegalSaslStateError():
                return LogError(f"{at} takes no password at this port", f"set {protocol}={'SSL' if tls else 'PLAINTEXT'}")
            case IncompatibleBrokerVersion():
                return LogError(f"{at} is a controller, or very old", f"set {PREFIX}BOOTSTRAP to a broker of Kafka 3 or 4")
            case ValueError():  # of SCRAM: whoever knows the password can prove it
                return LogError(
                    f"what answers as {at} does not know our password", f"find out who that is: set {PREFIX}BOOTSTRAP to Kafka"
                )
            case TimeoutError():
                return LogError(f"no {at}: silent for {ANSWER_SECONDS:g} s", ABSENT, absent=True)
            case OSError():
                return LogError(f"no {at}: {_words(why)}", ABSENT, absent=True)
    return LogError(f"no {at}: it hangs up ({type(error).__name__})", ABSENT, absent=True)


def _words(error: OSError) -> str:
    return "nobody listens there" if "Errno 111" in str(error) else (error.strerror or str(error) or type(error).__name__)


def _certificate(settings: Settings, at: str, host: str, error: ssl.SSLCertVerificationError) -> LogError:
    """What is wrong with the certificate that Kafka shows."""
    clock = "if it has not, set this machine's clock"
    if error.verify_code == _EXPIRED:
        return LogError(f"the certificate of {at} has run out", f"renew it there; {clock}")
    if error.verify_code == _NOT_YET:
        return LogError(f"the certificate of {at} is not valid yet", "set this machine's clock: timedatectl")
    if error.verify_code in _OTHERS:
        return LogError(
            f"the certificate of {at} is not made out for {host}",
            f"name Kafka in {PREFIX}BOOTSTRAP as its certificate does, or have that name put into it",
        )
    if error.verify_code in _STRANGERS:
        given = f"{settings.ssl_cafile} has not signed" if settings.ssl_cafile else "no CA that this machine knows has signed"
        return LogError(f"{given} the certificate of {at}", f"set {PREFIX}SSL_CAFILE to the CA that has")
    return LogError(f"the certificate of {at} is not good: {error.verify_message}", "see to it there")


def _alert(settings: Settings, at: str, reason: str) -> LogError:
    """Why Kafka ends TLS: it can tell little more than that it does not like our certificate."""
    if "PROTOCOL_VERSION" in reason or ("HANDSHAKE_FAILURE" in reason and settings.ssl_certfile):
        return LogError(f"{at} and this machine have no version of TLS in common", "let Kafka take TLS 1.2 or 1.3")
    if settings.ssl_certfile is None:
        return LogError(f"{at} wants a certificate of ours", f"set {PREFIX}SSL_CERTFILE and {PREFIX}SSL_KEYFILE")
    return LogError(
        f"{at} does not take our certificate {settings.ssl_certfile}: it has run out, or Kafka does not know its CA",
        f"openssl x509 -noout -enddate -issuer -in {settings.ssl_certfile}",
    )


def refused(settings: Settings, error: Exception, what: str) -> tuple[str, str] | None:
    """What to say, and what to do, where a client was let in and has no right to what it asked for; None for other errors."""
    # An idempotent producer that is refused says so in the text of another error.
    found = re.search(r"(Topic|Group|Cluster|TransactionalId)AuthorizationFailed", f"{type(error).__name__} {error}")
    if found is None:
        return None
    named = error.args[0] if error.args else None
    if found[1] == "Topic" and isinstance(named, set | frozenset | list | tuple):  # as both clients say which
        what = ", ".join(sorted(map(str, named)))
    noun = {"Group": "the group of the workers", "TransactionalId": "transactions"}.get(found[1], what)
    user = settings.sasl_username or (f"the name in {settings.ssl_certfile}" if settings.ssl_certfile else "ANONYMOUS")
    return (
        f"Kafka at {settings.bootstrap} gives {user} no right to {noun}",
        "give it what its role needs: the table in SECURITY.md",
    )


def let_in(settings: Settings) -> list[str]:
    """What `enter` does, for who is in no event loop: the clients themselves try for long, and do not say why they could not."""
    return asyncio.run(enter(settings))


def explained(settings: Settings, error: Exception, topic: str) -> LogError:
    """What is true, and to be done, where a client of ours, in no event loop, ended with this error at this topic."""
    if isinstance(error, LogError):
        return error
    at, name = settings.bootstrap, type(error).__name__
    if said := refused(settings, error, topic):
        return LogError(*said)
    if "TopicOrPartition" in name:
        return LogError(no_topic(topic, settings))
    if isinstance(error, OSError) or getattr(error, "retriable", False):
        try:
            brokers = let_in(settings)
        except LogError as why:
            return why
        others = f"are the addresses that it gives reachable from here: {', '.join(brokers)}?"
        return LogError(f"Kafka at {at} lets us in, and then does not answer ({name})", others)
    return LogError(f"Kafka at {at} did not take it: {name}")

"""Why Kafka lets us not in, tried against a real one: each fault is one line that says what is true and what to do."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from schemas.topics import CALLS
from streams.log.kafka import Log, LogError
from streams.settings import Settings

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
    with Log(settings) as log, pytest.raises(LogError, match=says):
        list(log.read([CALLS.name]))
    assert "\n" not in str(told.value)
    assert told.match(todo)
    assert "wrong" not in caplog.text

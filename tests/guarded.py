"""A real Kafka that lets only some in, and each only to some: every kind of listener, certificates good and bad, and rights."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import trustme
from cryptography.hazmat.primitives import serialization

from streams.settings import Settings
from streams.stack.kafka import BROKER, Broker
from tests.conftest import LockedKafka, free_port

LISTENERS = {
    "open": "PLAINTEXT",
    "users": "SASL_PLAINTEXT",
    "mutual": "SSL",
    "secret": "SASL_SSL",
    "both": "SASL_SSL",
    "expired": "SASL_SSL",
    "elsewhere": "SASL_SSL",
    "far": "SASL_PLAINTEXT",
}
"""The listeners by name. `mutual` and `both` ask for a client's certificate; `expired` and `elsewhere` show a wrong one;
`far` says that the broker is on another machine."""

PASSWORD = "s3cret"
"""Of every user that `let_in` knows."""
AGES_AGO = datetime(2020, 1, 1, tzinfo=UTC)


class Certificate(NamedTuple):
    """PEM files: the chain, and the key, as clients take them."""

    chain: Path
    key: Path


class GuardedBroker(Broker):
    """The broker of `up` with more listeners and an authorizer; all but the broker itself have only the rights they are given."""

    def properties(self, plain: str) -> str:
        folder, ports = self.data.parent, self.ports
        also = [f"{name.upper()}://127.0.0.1:{port}" for name, port in ports.items()]
        kinds = ",".join(f"{name.upper()}:{kind}" for name, kind in LISTENERS.items())
        also = [f"CLIENTS://127.0.0.1:{self.port}", *also]
        lines = [
            f"listeners={','.join([*also, f'CONTROLLER://127.0.0.1:{self.controller_port}'])}",
            f"advertised.listeners={','.join(also).replace('FAR://127.0.0.1', 'FAR://kafka.example')}",
            f"listener.security.protocol.map=CLIENTS:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT,{kinds}",
            "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            f"super.users=User:{BROKER}",
            "ssl.truststore.type=PEM",
            f"ssl.truststore.location={folder / 'ca.pem'}",
            "ssl.keystore.type=PEM",
            "listener.name.mutual.ssl.client.auth=required",
            "listener.name.both.ssl.client.auth=required",
            r"ssl.principal.mapping.rules=RULE:^.*CN=([^,]+).*$/$1/,DEFAULT",
        ]
        for name, kind in LISTENERS.items():
            if kind.startswith("SASL_"):
                lines += [
                    f"listener.name.{name}.sasl.enabled.mechanisms=SCRAM-SHA-512",
                    f"listener.name.{name}.scram-sha-512.sasl.jaas.config="
                    "org.apache.kafka.common.security.scram.ScramLoginModule required;",
                ]
            if kind.endswith("SSL"):
                shown = name if name in {"expired", "elsewhere"} else "here"
                lines.append(f"listener.name.{name}.ssl.keystore.location={folder / f'{shown}.keystore.pem'}")
        return super().properties(plain) + "\n".join(lines) + "\n"

    @property
    def ports(self) -> dict[str, int]:
        """The port of each listener: those after the controller's."""
        return {name: self.controller_port + number for number, name in enumerate(LISTENERS, 1)}


class GuardedKafka(LockedKafka):
    """The broker, running, with the certificates that are right for it and those that are not."""

    Kind = GuardedBroker

    def __init__(self, folder: Path, java: Path, jars: list[Path]) -> None:
        first = free_port(2 + len(LISTENERS))
        super().__init__(Broker(folder / "data", folder / "log", first, first + 1, java, jars))
        self.folder = folder
        self._ca, self._stranger = trustme.CA(), trustme.CA()
        self.ca, self.other_ca = folder / "ca.pem", folder / "other_ca.pem"
        self._ca.cert_pem.write_to_path(str(self.ca))
        self._stranger.cert_pem.write_to_path(str(self.other_ca))
        self.issue("here", "127.0.0.1", "localhost")
        self.issue("elsewhere", "kafka.example")
        self.issue("expired", "127.0.0.1", expired=True)

    def issue(self, name: str, *hosts: str, expired: bool = False, strange: bool = False) -> Certificate:
        """A certificate of this name for these hosts; it may have run out, or be signed by a CA that nobody here knows."""
        begun, until = (AGES_AGO, AGES_AGO + timedelta(days=1)) if expired else (None, None)
        made = (self._stranger if strange else self._ca).issue_cert(
            *hosts or [f"{name}.example"], common_name=name, not_before=begun, not_after=until
        )
        chain = b"".join(blob.bytes() for blob in made.cert_chain_pems)
        key = serialization.load_pem_private_key(made.private_key_pem.bytes(), None).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        files = Certificate(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        files.chain.write_bytes(chain)
        files.key.write_bytes(key)
        (self.folder / f"{name}.keystore.pem").write_bytes(key + chain)  # as Kafka takes them
        return files

    def at(self, listener: str, **other: object) -> Settings:
        """The settings of somebody who reaches this listener; a user by the right password, as `monitor`."""
        kind = LISTENERS[listener]
        said: dict[str, object] = {
            "bootstrap": f"127.0.0.1:{GuardedBroker(*self._broker).ports[listener]}",
            "security_protocol": kind,
        }
        if kind.startswith("SASL_"):
            said |= {"sasl_mechanism": "SCRAM-SHA-512", "sasl_username": "monitor", "sasl_password": PASSWORD}
        if kind.endswith("SSL"):
            said["ssl_cafile"] = self.ca
        return Settings(**(said | other))  # type: ignore[arg-type]

    def shown(self, listener: str, name: str) -> Settings:
        """The settings of a user of this name that shows a certificate of that name."""
        files = self.issue(name)
        user = {"sasl_username": name} if LISTENERS[listener].startswith("SASL_") else {}
        return self.at(listener, ssl_certfile=files.chain, ssl_keyfile=files.key, **user)

    def let_in(self, user: str, password: str = PASSWORD) -> None:
        """Let this user in; it has no rights."""
        super().let_in(user, password)

    def start(self) -> None:
        """As any; and lets `monitor` in."""
        super().start()
        self.let_in("monitor")

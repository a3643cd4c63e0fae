"""Where a wall listens besides the loopback, and by which certificate."""

import socket
import ssl
from typing import NamedTuple
from urllib.parse import urlsplit

from streams.settings import PREFIX, Settings, is_here_alone
from streams.stack import StackError

PORT = 11_208
"""One after those of `up`, where none is given."""


class Listen(NamedTuple):
    """An address of this machine."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None

    @classmethod
    def parse(cls, text: str, settings: Settings, port: int = PORT) -> "Listen":
        """From HOST[:PORT], with the certificate that the settings name. Errors: StackError."""
        try:
            parts = urlsplit(f"//{text}")
            host, given = parts.hostname, parts.port
        except ValueError:
            host, given = None, None
        if not host or {"/", "?", "#", "@"} & set(text):
            raise StackError(f"--listen {text}: give HOST or HOST:PORT, such as 192.168.1.5:{PORT} or [::]:{PORT}")
        return cls(host, port if given is None else given, _tls(settings))

    @property
    def is_here_alone(self) -> bool:
        """Whether no other machine comes to it."""
        return is_here_alone(self.host)

    @property
    def reached(self) -> str:
        """Where a browser of another machine finds it."""
        host = _own_address() if self.host in {"0.0.0.0", "::"} else self._host  # noqa: S104 (somebody else's choice)
        return f"{'http' if self.tls is None else 'https'}://{host}:{self.port}"

    @property
    def _host(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host


def _own_address() -> str:
    """That of this machine's way out; nothing is sent there."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if settings.wall_certificate is None:
        return None
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        tls.load_cert_chain(settings.wall_certificate, settings.wall_certificate_key)
    except OSError as error:  # also what is no certificate, or another key's
        raise StackError(f"{PREFIX}WALL_CERTIFICATE: {error}") from None
    return tls

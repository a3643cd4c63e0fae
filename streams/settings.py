"""What the machine says: the settings of every process, from environment variables that begin with PANTAU112_."""

import difflib
import ipaddress
import re
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, FilePath, SecretStr, StringConstraints, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from streams import clock, secret
from streams.api import Api
from streams.core.source_clocks import AHEAD_SECONDS

PREFIX = "PANTAU112_"

_API = r"^([^\s:,/@]+:\d+|https?://[^\s/?#@]+(/[^\s?#]*)?)$"
"""host:port, or an address."""

KafkaName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{0,100}$")]
"""What Kafka takes in names of topics and groups."""


class SettingsError(ValueError):
    """A setting that cannot be used; the message names the variable and what to do, and never repeats a secret."""


GatewayUrl = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/?#@]+(/[^\s?#]*)?$")]
"""Where a gateway is, without the path of its events."""


class Settings(BaseSettings):
    """Where Kafka is, who we are there, and what this process serves."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    bootstrap: Annotated[str, StringConstraints(pattern=r"^[^\s:,]+:\d+(,[^\s:,]+:\d+)*$")] = "127.0.0.1:11200"
    """host:port of one broker or, with commas, of several."""
    app_id: Annotated[KafkaName, Field(min_length=1)] = "pantau112"
    """Group of the workers that share the work, and the beginning of their changelog's name."""
    instance_id: KafkaName | None = None
    """A name that this worker keeps over restarts, and no other has: then it gets its partitions back in seconds."""
    topic_prefix: KafkaName = ""
    """What the names of the topics begin with, where several monitors share a Kafka."""
    metrics_host: str = "127.0.0.1"
    """The address that this process shows its figures at; Prometheus has to reach it, and nobody else."""
    metrics_port: Annotated[int, Field(ge=0, le=65_535)] = 11_202
    """The port there."""
    targets_dir: Path | None = None
    """Where a worker writes its address for Prometheus (file_sd)."""
    prometheus: Annotated[str, StringConstraints(pattern=_API)] = "127.0.0.1:11203"
    """The Prometheus that `wall` and `doctor` ask: host:port, or an https address."""
    alertmanager: Annotated[str, StringConstraints(pattern=_API)] = "127.0.0.1:11204"
    """The Alertmanager that `doctor` looks for: host:port, or an https address."""
    web_password_file: Path | None = None
    """The password of the user `pantau112` for both of them, where they want one (`--web.config.file` of theirs)."""
    web_cafile: FilePath | None = None
    """The CA, as PEM, that signed their certificates where no public one did."""
    clock: str = "wall"
    """`wall`, or the line that stream time runs on: see `streams.clock`."""
    ahead_seconds: Annotated[float, Field(ge=1, le=86_400)] = AHEAD_SECONDS
    """How far ahead of Kafka's clock an event may be; one beyond it is refused."""
    java_home: Path | None = None
    """The Java that the local Kafka runs on, instead of the packaged one."""

    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    """How Kafka is spoken to."""
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    """How Kafka is told who we are, where its protocol is one of SASL."""
    sasl_username: str | None = None
    """Who we are there."""
    sasl_password: SecretStr | None = None
    """The password; a file is safer."""
    sasl_password_file: FilePath | None = None
    """The file with the password."""
    allow_plain_password: bool = False
    """Whether the password may go to another machine without TLS: only in a network that nobody else is in."""
    ssl_cafile: FilePath | None = None
    """The CA, as PEM, that signed the brokers' certificates where no public one did."""
    ssl_certfile: FilePath | None = None
    """Our own certificate with its chain, as PEM, where Kafka asks for one (mutual TLS); beside a user, or instead of one."""
    ssl_keyfile: FilePath | None = None
    """The key of that certificate, as PEM, without a passphrase."""

    reminder_webhook: SecretStr | None = None
    """http(s) URL that takes reminders of unanswered tickets as JSON, with an Idempotency-Key."""
    reminder_telegram_chat: str | None = None
    """The Telegram group that takes them; it needs the token of a bot."""
    telegram_token_file: FilePath | None = None
    """The file with the token of that bot."""

    grafana_url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s/?#@]+(/[^\s?#]*)?$")] | None = None
    """The shared Grafana that `boards` writes to, with its sub-path if it has one; https, or http on this machine."""
    grafana_token: SecretStr | None = None
    """Token of a service account with the role Editor; a file is safer."""
    grafana_token_file: Path | None = None
    """The file with that token."""
    grafana_ca: FilePath | None = None
    """The CA, as PEM, that signed Grafana's certificate where no public one did."""

    caller_key: SecretStr | None = None
    """What callers' numbers are hashed with at the edge. Without it, events carry no caller."""
    caller_key_file: Path | None = None
    """The file with that key, which is safer."""
    caller_key_before_file: Path | None = None
    """The file with the key before, while callers who are known under that come back under the new one: see `callers key`."""

    gateway_host: str = "127.0.0.1"
    """The address that the gateway listens at."""
    gateway_port: Annotated[int, Field(ge=0, le=65_535)] = 11_207
    """The port there."""
    gateway_tokens: Path = Path(".local/gateway/tokens.json")
    """Who may send what to the gateway; `gateway token` writes it."""
    gateway_rate: Annotated[float, Field(ge=1, le=1_000_000)] = 5_000
    """Events a second that one token may send for long."""
    gateway_certificate: FilePath | None = None
    """The gateway's certificate with its chain, as PEM, where it speaks TLS itself and no proxy does for it."""
    gateway_certificate_key: FilePath | None = None
    """The key of that certificate."""
    wall_certificate: FilePath | None = None
    """The certificate with its chain, as PEM, of a wall that other machines see."""
    wall_certificate_key: FilePath | None = None
    """The key of that certificate."""
    wall_token_file: Path | None = None
    """The token that who reads such a wall has in its address; made when the file is not there."""
    gateway_hooks: FilePath | None = None
    """TOML file that says what vendors' webhooks become."""
    gateway_url: GatewayUrl | None = None
    """Where people reach the gateway from outside: links in reminders and pages begin with it, and there are none without it."""
    link_key_file: Path | None = None
    """The key that those links are signed with: the same for workers and gateways."""
    alertmanager_url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s/?#@]+(/[^\s?#]*)?$")] | None = None
    """The Alertmanager whose alarms the gateway looks at, so that a page bears a link to say "I have it"; with its sub-path."""

    @field_validator("clock")
    @classmethod
    def _is_a_clock(cls, text: str) -> str:
        clock.parse(text)
        return text

    @model_validator(mode="before")
    @classmethod
    def _read_password(cls, given: dict[str, Any]) -> dict[str, Any]:
        if (file := given.get("sasl_password_file")) and Path(file).is_file():
            if given.get("sasl_password"):
                raise ValueError(f"give {PREFIX}SASL_PASSWORD or {PREFIX}SASL_PASSWORD_FILE, not both")
            return given | {"sasl_password": _read("SASL_PASSWORD_FILE", Path(file)).decode(errors="replace")}
        return given

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        # What a library reads itself.
        for name, path in self:
            if name.endswith(("certificate_key", "keyfile")) and isinstance(path, Path):
                try:
                    secret.refuse_readable(path)
                except secret.SecretError as error:
                    raise ValueError(f"{PREFIX}{name.upper()}: {error}") from None
        if self.security_protocol.startswith("SASL_") and not (self.sasl_mechanism and self.sasl_username and self.sasl_password):
            raise ValueError(
                f"{self.security_protocol} needs {PREFIX}SASL_MECHANISM, {PREFIX}SASL_USERNAME and {PREFIX}SASL_PASSWORD(_FILE)"
            )
        if not self.security_protocol.startswith("SASL_") and (self.sasl_mechanism or self.sasl_username or self.sasl_password):
            raise ValueError(f"{PREFIX}SASL_ settings go with {PREFIX}SECURITY_PROTOCOL=SASL_SSL or SASL_PLAINTEXT")
        if exposed := [address for address in self.bootstrap.split(",") if not self.may_tell(address)]:
            raise ValueError(
                f"{PREFIX}SECURITY_PROTOCOL: on the way to {exposed[0]} the password could be read; use SASL_SSL, "
                f"or, in a network that is yours alone, set {PREFIX}ALLOW_PLAIN_PASSWORD=true"
            )
        self.kafka_tls()
        if self.reminder_webhook and not self.reminder_webhook.get_secret_value().startswith(("http://", "https://")):
            raise ValueError(f"{PREFIX}REMINDER_WEBHOOK is no http:// or https:// address")
        if (self.reminder_telegram_chat is None) != (self.telegram_token_file is None):
            raise ValueError(f"Telegram needs {PREFIX}REMINDER_TELEGRAM_CHAT and {PREFIX}TELEGRAM_TOKEN_FILE")
        if self.grafana_token and self.grafana_token_file:
            raise ValueError(f"give {PREFIX}GRAFANA_TOKEN or {PREFIX}GRAFANA_TOKEN_FILE, not both")
        if self.grafana_url and not keeps_secrets(self.grafana_url):
            raise ValueError(f"{PREFIX}GRAFANA_URL: the token would be readable on the way; use https://")
        if (self.gateway_certificate is None) != (self.gateway_certificate_key is None):
            raise ValueError(f"TLS needs {PREFIX}GATEWAY_CERTIFICATE and {PREFIX}GATEWAY_CERTIFICATE_KEY")
        if (self.wall_certificate is None) != (self.wall_certificate_key is None):
            raise ValueError(f"TLS needs {PREFIX}WALL_CERTIFICATE and {PREFIX}WALL_CERTIFICATE_KEY")
        if self.gateway_url and not keeps_secrets(self.gateway_url):
            raise ValueError(f"{PREFIX}GATEWAY_URL: whoever reads a link on the way could answer by it; use https://")
        if self.gateway_url and self.link_key_file is None:
            raise ValueError(f"{PREFIX}GATEWAY_URL needs {PREFIX}LINK_KEY_FILE: openssl rand -hex 32")
        if self.web_password_file:
            for name in ("prometheus", "alertmanager", "alertmanager_url"):
                address = getattr(self, name)
                if address and not self.allow_plain_password and not keeps_secrets(_with_scheme(address)):
                    raise ValueError(
                        f"{PREFIX}{name.upper()}: on the way there the password could be read; use https://, "
                        f"or, in a network that is yours alone, set {PREFIX}ALLOW_PLAIN_PASSWORD=true"
                    )
        if self.caller_key and self.caller_key_file:
            raise ValueError(f"give {PREFIX}CALLER_KEY or {PREFIX}CALLER_KEY_FILE, not both")
        return self

    def may_tell(self, address: str) -> bool:
        """Whether a password may go to a broker at this host:port; always where there is none, or nobody could read it."""
        plain = self.security_protocol == "SASL_PLAINTEXT" and not self.allow_plain_password
        return not plain or keeps_secrets(f"http://{address}")

    def kafka_tls(self) -> ssl.SSLContext | None:
        """What TLS to Kafka needs, read anew from its files; None for a connection without. Raises `SettingsError`."""
        if self.security_protocol not in ("SSL", "SASL_SSL"):
            if self.ssl_cafile or self.ssl_certfile or self.ssl_keyfile:
                raise SettingsError(f"{PREFIX}SSL_ settings go with {PREFIX}SECURITY_PROTOCOL=SSL or SASL_SSL")
            return None
        if (self.ssl_certfile is None) != (self.ssl_keyfile is None):
            raise SettingsError(f"our certificate needs {PREFIX}SSL_CERTFILE and {PREFIX}SSL_KEYFILE")
        name = "SSL_CAFILE"
        try:
            context = ssl.create_default_context(cafile=self.ssl_cafile)
            if self.ssl_certfile is not None and self.ssl_keyfile is not None:
                name = "SSL_CERTFILE"
                context.load_cert_chain(self.ssl_certfile, self.ssl_keyfile, _no_passphrase)
        except ssl.SSLError as error:
            if error.reason == "KEY_VALUES_MISMATCH":
                raise SettingsError(f"{PREFIX}SSL_KEYFILE: {self.ssl_keyfile} is not the key of {self.ssl_certfile}") from None
            if name == "SSL_CAFILE":
                raise SettingsError(f"{PREFIX}{name}: {self.ssl_cafile} holds no certificate as PEM") from None
            raise SettingsError(
                f"{PREFIX}{name}: {self.ssl_certfile} holds no certificate as PEM, or {self.ssl_keyfile} no key"
            ) from None
        except OSError as error:
            raise SettingsError(f"{PREFIX}{name}: {error.filename or ''} {error.strerror}") from None
        return context

    def api(self, address: str) -> Api:
        """How the Prometheus or Alertmanager is asked that one of the settings names. Raises `SettingsError`."""
        password = None
        if self.web_password_file is not None:
            password = _read("WEB_PASSWORD_FILE", self.web_password_file).decode(errors="replace")
            if not re.fullmatch(r"[!-~]+", password):
                raise SettingsError(f"{PREFIX}WEB_PASSWORD_FILE holds no password: one word")
        return Api(_with_scheme(address).rstrip("/"), password, self.web_cafile)

    def grafana_secret(self) -> str | None:
        """The token for Grafana, or None where none is set. Raises `SettingsError`."""
        if self.grafana_token_file is not None:
            token = _read("GRAFANA_TOKEN_FILE", self.grafana_token_file).decode(errors="replace").strip()
        elif self.grafana_token is not None:
            token = self.grafana_token.get_secret_value().strip()
        else:
            return None
        if not re.fullmatch(r"[!-~]+", token):
            raise SettingsError(f"{PREFIX}GRAFANA_TOKEN(_FILE) holds no token: one word such as glsa_…")
        return token

    def telegram_secret(self) -> str | None:
        """The token of the bot that reminds, or None where none is set. Raises `SettingsError`."""
        if self.telegram_token_file is None:
            return None
        return _read("TELEGRAM_TOKEN_FILE", self.telegram_token_file).decode(errors="replace").strip()

    def link_secret(self) -> bytes | None:
        """The key that links in reminders are signed with, or None where none is set. Raises `SettingsError`."""
        if self.link_key_file is None:
            return None
        key = _read("LINK_KEY_FILE", self.link_key_file).strip()
        _check("LINK_KEY_FILE", key, 32)
        return key

    def caller_secrets(self) -> tuple[bytes | None, bytes | None]:
        """The key that callers are hashed with, and the one before; None where none is set. Raises `SettingsError`."""
        key, name = None, "CALLER_KEY"
        if self.caller_key_file is not None:
            name = "CALLER_KEY_FILE"
            key = _read(name, self.caller_key_file).strip()
        elif self.caller_key is not None:
            key = self.caller_key.get_secret_value().encode()
        if key is not None:
            _check(name, key, 16)
        if self.caller_key_before_file is None:
            return key, None
        if key is None:
            raise SettingsError(f"{PREFIX}CALLER_KEY_BEFORE_FILE needs {PREFIX}CALLER_KEY_FILE, the key that follows it")
        # A weak one is the more to be replaced, so only what could be no key at all is refused.
        before = _read("CALLER_KEY_BEFORE_FILE", self.caller_key_before_file).strip()
        if len(before) < 16:
            raise SettingsError(f"{PREFIX}CALLER_KEY_BEFORE_FILE: {len(before)} bytes, which no key can have had")
        if before == key:
            raise SettingsError(f"{PREFIX}CALLER_KEY_BEFORE_FILE holds the key of {PREFIX}{name}: give the one that it follows")
        return key, before


def _no_passphrase() -> str:
    """Else OpenSSL would ask for it at the terminal, and a service would wait there for ever."""
    raise SettingsError(f"{PREFIX}SSL_KEYFILE has a passphrase; take it off: openssl pkey -in KEY -out KEY-without")


def _read(setting: str, path: Path) -> bytes:
    """The secret that the file of a setting holds. Raises `SettingsError`."""
    try:
        return secret.read(path)
    except secret.SecretError as error:
        raise SettingsError(f"{PREFIX}{setting}: {error}") from None


def _check(setting: str, key: bytes, least: int) -> None:
    """Raises `SettingsError` for a key that is too short or easily guessed."""
    try:
        secret.check_key(key, least)
    except secret.SecretError as error:
        raise SettingsError(f"{PREFIX}{setting}: {error}") from None


def _with_scheme(address: str) -> str:
    return address if "://" in address else f"http://{address}"


def keeps_secrets(url: str) -> bool:
    """Whether nobody on the way can read what is sent there."""
    parts = urlsplit(url)
    if parts.scheme == "https" or parts.hostname == "localhost":
        return True
    try:
        return ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False


def is_here_alone(host: str) -> bool:
    """Whether no other machine comes to what listens at this address."""
    return keeps_secrets(f"http://[{host}]" if ":" in host else f"http://{host}")


def read(environment: Mapping[str, str]) -> Settings:
    """The settings that an environment gives; `SettingsError` also for a PANTAU112_ variable that nobody knows."""
    known = {PREFIX + name.upper(): name for name in Settings.model_fields}
    ours = {name.upper(): value for name, value in environment.items() if name.upper().startswith(PREFIX)}
    if unknown := sorted(ours.keys() - known.keys()):
        close = difflib.get_close_matches(unknown[0], known, 1)
        hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(known)}"
        raise SettingsError(f"{unknown[0]} is no setting; {hint}")
    try:
        return Settings(**{known[name]: value for name, value in ours.items() if value})  # type: ignore[arg-type]
    except ValidationError as invalid:
        first = invalid.errors(include_url=False, include_input=False)[0]
        where = f"{PREFIX}{str(first['loc'][0]).upper()}: " if first["loc"] else ""
        raise SettingsError(where + first["msg"].removeprefix("Value error, ")) from None

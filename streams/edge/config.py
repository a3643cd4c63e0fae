"""What one edge collects, where it keeps it and where it sends it: one TOML file."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, Protocol, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from streams import centres
from streams.core import toml
from streams.core.centre import Centre, CentreError
from streams.core.toml import NearPath
from streams.edge.ami import AmiConfig
from streams.edge.collector import Collector
from streams.edge.follow import FollowConfig
from streams.edge.poll import PollConfig
from streams.edge.probe import ProbeConfig
from streams.edge.spool import LEAST_BYTES
from streams.settings import GatewayUrl, Settings, keeps_secrets
from streams.sources.door import Door
from streams.sources.opened import text_of, words


class EdgeConfigError(ValueError):
    """The file cannot be used; the message names it, the line and the reason."""


class CollectorConfig(Protocol):
    """What one table of the file says; each kind's own model lives beside its collector."""

    @property
    def name(self) -> str:
        """Of the collector."""

    def collector(self, centre: Centre, door: Door) -> Collector:
        """What collects so. The door is for who needs codes while reading; what is put goes through it anyway."""


class Kinds(BaseModel):
    """Everything that can be collected: one line a kind."""

    follow: tuple[FollowConfig, ...] = ()
    ami: tuple[AmiConfig, ...] = ()
    probe: tuple[ProbeConfig, ...] = ()
    poll: tuple[PollConfig, ...] = ()


class EdgeConfig(Kinds):
    """One edge.toml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    centre: NearPath | None = Field(default=None, description="The centre's file; default Kota Bogor as packaged.")
    spool: NearPath = Field(description="The file that keeps events until they are sent; on a local disk.")
    spool_bytes: Annotated[int, Field(ge=LEAST_BYTES)] = 1_000_000_000
    to: Literal["kafka"] | GatewayUrl = Field(description="kafka (where: PANTAU112_BOOTSTRAP) or a gateway's address.")
    token_file: NearPath | None = Field(default=None, description="Holds the token that the gateway's operator gave.")
    caller_key_file: NearPath | None = Field(default=None, description="Instead of PANTAU112_CALLER_KEY_FILE.")
    caller_key_before_file: NearPath | None = Field(default=None, description="Instead of PANTAU112_CALLER_KEY_BEFORE_FILE.")
    metrics_host: str = "127.0.0.1"
    metrics_port: Annotated[int, Field(ge=0, le=65_535)] = 11_212

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.to == "kafka":
            if self.token_file is not None:
                raise ValueError("token_file goes with a gateway's address in `to`")
        elif self.token_file is None:
            raise ValueError("a gateway wants a token: name its file in token_file")
        elif not keeps_secrets(self.to):
            raise ValueError("to: the token would be readable on the way; use https://")
        if self.caller_key_before_file is not None and self.caller_key_file is None:
            raise ValueError("caller_key_before_file goes with caller_key_file, the key that follows it")
        kinds = list(self.kinds())
        if not kinds:
            raise ValueError(f"nothing to collect: add [[{']], [['.join(Kinds.model_fields)}]]")
        if twice := [name for name, n in Counter(kind.name for kind in kinds).items() if n > 1]:
            raise ValueError(f"two collectors are named {twice[0]}: give each a name of its own")
        return self

    def kinds(self) -> Iterator[CollectorConfig]:
        """What is to be collected, in the order of the kinds."""
        for kind in Kinds.model_fields:
            yield from getattr(self, kind)

    def settings(self, machine: Settings) -> Settings:
        """The machine's settings, with what this file says instead."""
        if self.caller_key_file is None:
            return machine
        ours = {"caller_key_file": self.caller_key_file, "caller_key_before_file": self.caller_key_before_file}
        return machine.model_copy(update={"caller_key": None, **ours})

    @property
    def address(self) -> str:
        """The gateway's host and port, or its name, for a person."""
        return self.to if self.to == "kafka" else urlsplit(self.to).netloc


def load(path: Path) -> tuple[EdgeConfig, Centre]:
    """The file and the centre that it names. Raises `EdgeConfigError` and `CentreError`."""
    try:
        config = toml.parse(text_of(path), EdgeConfig, path.absolute().parent)
    except OSError as error:
        raise EdgeConfigError(words(error)) from None
    except toml.TomlError as error:
        raise EdgeConfigError(f"{path}: {error}") from None
    known = centres.load([config.centre] if config.centre is not None else [])
    if len(known) != 1:
        raise CentreError(f"{path}: an edge stands at one centre")
    centre = next(iter(known.values()))
    for kind in config.kinds():
        source = getattr(kind, "source", None)
        if source is not None and not source.startswith(f"/{centre.code}/"):
            raise EdgeConfigError(
                f"{path}: source {source} of {kind.name}: must begin with /{centre.code}/, as the centre's code is"
            )
    return config, centre

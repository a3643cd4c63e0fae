"""What `up` runs on this machine, found whatever its folder and its ports are, and looked at one by one."""

import http.client
import json
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from streams.settings import Settings
from streams.stack.doctor import Finding, examine, fetch
from streams.stack.gateway import tokens_file
from streams.stack.local import homes, ports_file, signed_in
from streams.stack.up import Ports, caller_key_before, caller_key_file
from streams.stack.web_password import web_password_file

WHERE = {"bootstrap", "metrics_host", "metrics_port", "prometheus", "alertmanager"}
"""Settings that say where a monitor is: who gives one of them means that one, and none that runs here."""


class Local(NamedTuple):
    """A monitor that `up` runs: its folder and its ports."""

    home: Path
    ports: Ports


def running(proc: Path = Path("/proc")) -> list[Local]:
    """The monitors whose folder is held by a process that we may look into, by folder."""
    return [Local(home, Ports(**json.loads(ports_file(home).read_text()))) for home in homes(proc)]


def examine_here(
    settings: Settings, centre_files: Sequence[Path], proc: Path = Path("/proc"), wall: Callable[[], float] = time.time
) -> Iterator[Finding]:
    """Look at each monitor that `up` runs here; at what the settings name where none runs, or where they name one."""
    found = [] if settings.model_fields_set & WHERE else running(proc)
    for local in found:
        first, last = local.ports.kafka, local.ports.gateway
        yield Finding("ok", "up", f"runs in {local.home}, ports {first} to {last}")
        yield from examine(as_in(local, settings), centre_files, local.home, wall)
        yield _wall(local.ports.wall)
    if not found:
        yield from examine(settings, centre_files, wall=wall)


def as_in(local: Local, settings: Settings) -> Settings:
    """The settings as they are in a monitor that `up` runs; what they say themselves goes before."""
    ours = {
        "bootstrap": f"127.0.0.1:{local.ports.kafka}",
        "metrics_port": local.ports.worker,
        "prometheus": f"127.0.0.1:{local.ports.prometheus}",
        "alertmanager": f"127.0.0.1:{local.ports.alertmanager}",
        "web_password_file": web_password_file(local.home),
        "gateway_port": local.ports.gateway,
        "gateway_tokens": tokens_file(local.home),
    }
    if settings.caller_key is None:
        ours["caller_key_file"] = caller_key_file(local.home)
        ours["caller_key_before_file"] = caller_key_before(local.home)
    ours = {name: value for name, value in ours.items() if name not in settings.model_fields_set}
    return signed_in(settings.model_copy(update=ours), local.home)


def _wall(port: int) -> Finding:
    name, address = "wall", f"127.0.0.1:{port}"
    try:
        status, _ = fetch(address, "/")
    except (OSError, http.client.HTTPException):
        status = 0
    if status != 200:
        return Finding("warn", name, f"no boards at http://{address}/", "stop `up` (Ctrl-C) and start it again")
    return Finding("ok", name, f"boards at http://{address}/")

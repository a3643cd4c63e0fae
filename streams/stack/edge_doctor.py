"""What one edge needs, looked at one by one: its file, what it collects, its spool, and where it sends to."""

import asyncio
import http.client
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from streams import secret
from streams.core.centre import CentreError
from streams.edge.config import CollectorConfig, EdgeConfig, EdgeConfigError, load
from streams.edge.follow import FollowConfig
from streams.edge.forward import AwayError, Gateway
from streams.edge.spool import Spool, SpoolError
from streams.settings import Settings
from streams.stack.doctor import Finding, fetch, key_finding, log_findings, samples

NEARLY_FULL = 0.8
"""Share of what a spool can hold from which on files begin to wait."""
OLD_SECONDS = 300.0
"""An event that waits for so long is not on its way."""
UNHEARD_SECONDS = 1_800.0
"""A feed that gave nothing for so long is silent."""
SILENT_SECONDS = 86_400.0
"""A queue_log to which nothing was written for so long is probably another one."""


def examine_edge(path: Path, settings: Settings, wall: Callable[[], float] = time.time) -> Iterator[Finding]:
    """Look at everything that the edge of this file needs, and say of each thing how it is."""
    try:
        config, centre = load(path)
    except (EdgeConfigError, CentreError) as error:
        yield Finding("fail", "edge", str(error), "correct the file")
        return
    yield Finding("ok", "edge", f"{path}: {centre.code} {centre.name}")
    yield key_finding(config.settings(settings))
    for kind in config.kinds():
        yield _source(kind, wall())
        yield from _secrets(kind.name, kind)
    yield from _running(config, wall())
    yield from _secrets("edge", config)
    if config.to == "kafka":
        yield from log_findings(settings, wall)
    else:
        yield _gateway(config)


def _source(kind: CollectorConfig, now: float) -> Finding:
    """Whether there is what a collector is to collect, as far as can be seen from here."""
    name = f"collector {kind.name}"
    if not isinstance(kind, FollowConfig):
        return Finding("ok", name, "its own log and metrics say whether it collects")
    try:
        with kind.file.open("rb"):
            silent = now - kind.file.stat().st_mtime
    except FileNotFoundError:
        return Finding("fail", name, f"no file {kind.file}", "name the exchange's queue_log in `file`; see logger.conf there")
    except OSError as error:
        todo = f"let this user read it: usermod --append --groups asterisk USER, or setfacl -m u:USER:r {kind.file}"
        return Finding("fail", name, f"{kind.file}: {error.strerror}", todo)
    if silent > SILENT_SECONDS:
        said = f"nothing was written to {kind.file} for {silent / 3600:.0f} hours"
        return Finding("warn", name, said, "is it the file that the exchange writes? see queue_log in its logger.conf")
    return Finding("ok", name, f"{kind.file}, written to {max(0.0, silent):.0f} s ago")


def _secrets(name: str, settings: object) -> Iterator[Finding]:
    """Whether every file that holds a secret is there, and nobody else's to read."""
    for setting, path in vars(settings).items():
        if setting.endswith("_file") and isinstance(path, Path):
            where = f"{name}: {setting}"
            try:
                secret.read(path)
            except secret.SecretError as error:
                said, _, todo = str(error).partition("; ")
                yield Finding("fail", where, said, todo.removeprefix("run ") or "put the secret there, for this user to read")


def _running(config: EdgeConfig, now: float) -> Iterator[Finding]:
    """What the edge says of itself; where none runs, what its spool holds."""
    address = f"{config.metrics_host}:{config.metrics_port}"
    try:
        status, page = fetch(address, "/metrics")
    except (OSError, http.client.HTTPException):
        status, page = 0, ""
    if "pantau112_edge_spool_bytes" not in page:
        if status:
            yield Finding("fail", "edge", f"what answers at {address} is no edge", "set metrics_port to a free one")
        else:
            yield Finding("warn", "edge", f"does not run: no metrics at {address}", "start it: pantau112 edge, or its service")
        yield _spool(config)
        return
    yield Finding("ok", "edge", f"runs, metrics at {address}")
    said = {name: sum(value for _, value in samples(page, f"pantau112_edge_{name}")) for name in _SUMS}
    yield _room(said["spool_bytes"], said["spool_capacity_bytes"], said["queue_events"])
    for _, oldest in samples(page, "pantau112_edge_oldest_event_timestamp_seconds"):
        if now - oldest > OLD_SECONDS:
            waits = f"the oldest of {said['queue_events']:,.0f} events waits for {now - oldest:,.0f} s"
            yield Finding("warn", "forwarder", waits, "see below whether the destination takes events, and the edge's log")
    for labels, n in samples(page, "pantau112_edge_events_refused_total"):
        if n and labels["by"] == "spool":
            todo = "they are lost: make room on the disk, or raise spool_bytes"
            yield Finding("warn", "spool", f"{n:,.0f} events of {labels['collector']} found no room", todo)
        elif n:
            todo = "the edge's log names field and reason; they are set aside in the spool"
            yield Finding("warn", "forwarder", f"{n:,.0f} events of {labels['collector']} were refused for good", todo)
    for labels, n in samples(page, "pantau112_edge_restarts_total"):
        if n:
            todo = "the edge's log says why"
            yield Finding("warn", "restarts", f"{labels['collector']} failed and began again {n:,.0f} times", todo)
    for labels, moment in samples(page, "pantau112_edge_source_last_answer_timestamp_seconds"):
        if now - moment > UNHEARD_SECONDS:
            said_last = f"the feed gave its last answer {(now - moment) / 60:,.0f} min ago: what it would say is not known"
            yield Finding("warn", f"collector {labels['collector']}", said_last, "the edge's log says how it fails")
    for labels, n in samples(page, "pantau112_edge_noted_total"):
        if n:
            todo = "the edge's log says where"
            yield Finding("warn", f"collector {labels['collector']}", f"{labels['what'].replace('_', ' ')}: {n:,.0f}", todo)


_SUMS = ("spool_bytes", "spool_capacity_bytes", "queue_events")


def _spool(config: EdgeConfig) -> Finding:
    if not config.spool.exists():
        folder = config.spool.parent
        return Finding("ok", "spool", f"{config.spool} is made at the first start{'' if folder.exists() else ', its folder too'}")
    try:
        spool = Spool(config.spool, config.spool_bytes)
    except SpoolError as error:
        return Finding("fail", "spool", str(error), "an edge cannot start until then")
    try:
        return _room(spool.used(), spool.capacity(), spool.length)
    finally:
        spool.close()


def _room(used: float, capacity: float, waiting: float) -> Finding:
    said = f"{waiting:,.0f} events wait; {used / 1e6:,.1f} MB of {capacity / 1e6:,.1f} MB"
    if used >= NEARLY_FULL * capacity:
        todo = "see that the destination takes events; make room on the disk, or raise spool_bytes"
        return Finding("fail", "spool", f"nearly full: {said}", todo)
    return Finding("ok", "spool", said)


def _gateway(config: EdgeConfig) -> Finding:
    assert config.token_file is not None
    name = f"gateway {config.to}"

    async def ask() -> None:
        gateway = Gateway(config.to, config.token_file)  # type: ignore[arg-type]
        try:
            await gateway.send([])
        finally:
            await gateway.close()

    try:
        asyncio.run(ask())
    except AwayError as error:
        # A batch of nothing is refused as none, after the token was looked at.
        if error.answer not in ("400", "422"):
            return Finding("fail", name, str(error), "until then events wait in the spool")
    return Finding("ok", name, "answers, and knows the token")

"""Prometheus and Alertmanager as services on the loopback, configured by the project's own files."""

import asyncio
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from streams.api import USER, Api
from streams.stack import StackError
from streams.stack.debian import Programs
from streams.stack.service import Ready, Service
from streams.stack.share import showing
from streams.stack.web_password import SHARED, quoted, web_config, web_password_file

SAVED_SECONDS = 1
"""How often Alertmanager writes down what it has sent and who has what: what is younger is forgotten by a kill."""

AUTH = f"basic_auth: {{username: {USER}, password_file: {web_password_file(SHARED)}}}, "
"""As it stands in prometheus.yml."""


def prometheus(
    programs: Programs,
    *,
    home: Path,
    data: Path,
    port: int,
    config: Path,
    rules: Iterable[Path],
    here: Mapping[str, str],
    password: str | None = None,
    keep: str = "35d",
) -> Service:
    """The Prometheus service; its configuration is `config` with the addresses of `here` put in, and `rules` beside it. What is
    older than `keep` is deleted.

    With the password of `home` it is asked by that alone, and asks Alertmanager by it; without one, everybody may ask both.
    """
    folder = home / "prometheus"
    shutil.rmtree(folder / "rules", ignore_errors=True)
    (folder / "rules").mkdir(parents=True)
    for rule in rules:
        shutil.copy(rule, folder / "rules")
    if AUTH in config.read_text():
        there = "" if password is None else AUTH.replace(str(web_password_file(SHARED)), quoted(web_password_file(home)))
        here = {**here, AUTH: there}
    command = [
        *_started_beside(localised(config, folder, here), programs.prometheus),
        f"--storage.tsdb.path={data}",
        f"--storage.tsdb.retention.time={keep}",
        "--storage.tsdb.retention.size=4GB",
        f"--web.listen-address=127.0.0.1:{port}",
        "--web.read-timeout=30s",
        f"--web.cors.origin=http://127\\.0\\.0\\.1:{port}",
        *_asked_by(home, password),
    ]
    if programs.share is not None:
        command.append(f"--web.local-assets={programs.share / 'prometheus/web'}")
    return Service("prometheus", command, ready=answers(port, "/-/ready", Api("", password)), ports=(port,))


def alertmanager(
    programs: Programs,
    *,
    home: Path,
    data: Path,
    port: int,
    config: Path,
    here: Mapping[str, str],
    password: str | None = None,
) -> Service:
    """The Alertmanager service, alone and not in a cluster; its configuration is `config` with `here` put in where it has it.

    All that lies beside `config` lies beside its copy too, so that the templates and files that it names are found; in templates
    `here` is put in as well. With the password of `home` it is asked by that alone.
    """
    folder = home / "alertmanager"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for beside in config.resolve().parent.iterdir():
        text = beside.read_text() if beside == config.resolve() or beside.suffix == ".tmpl" else ""
        if found := {there: address for there, address in here.items() if there in text}:
            localised(beside, folder, found)
        elif beside != folder.resolve():
            (folder / beside.name).symlink_to(beside)
    command = [
        *_started_beside(folder / config.name, programs.alertmanager),
        f"--storage.path={data}",
        f"--data.maintenance-interval={SAVED_SECONDS}s",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
        *_asked_by(home, password),
    ]
    if programs.share is not None:
        command = showing(programs.share, command)
    return Service("alertmanager", command, ready=answers(port, "/-/ready", Api("", password)), ports=(port,))


def _asked_by(home: Path, password: str | None) -> list[str]:
    return [] if password is None else [f"--web.config.file={web_config(home)}"]


def _started_beside(config: Path, program: Path) -> list[str]:
    """In the folder of its configuration: a `[` or `*` in that folder's name would be one of the patterns in it."""
    return ["env", f"--chdir={config.parent.resolve()}", str(program), f"--config.file={config.name}"]


def localised(config: Path, folder: Path, here: Mapping[str, str]) -> Path:
    """A copy of a configuration file in `folder` in which each key of `here`, a literal text such as `kafka:9092`, is replaced.

    Errors: StackError when the file does not contain a key: it and the caller no longer agree.
    """
    text = config.read_text()
    for there, address in here.items():
        if there not in text:
            raise StackError(f"{config} does not contain {there!r}, which the local stack replaces by {address!r}.")
        text = text.replace(there, address)
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / config.name
    copy.unlink(missing_ok=True)
    copy.touch(0o600)  # an address may have a password in it
    copy.write_text(text)
    return copy


def answers(port: int, path: str, api: Api = Api("")) -> Ready:  # noqa: B008 (frozen)
    """A readiness check: HTTP GET of the path on the loopback is answered with 200; `api` has the password, if it needs one."""
    headers = "".join(f"{name}: {text}\r\n" for name, text in ({"Host": "127.0.0.1"} | api.headers).items())

    async def ready() -> bool:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(f"GET {path} HTTP/1.0\r\n{headers}\r\n".encode())
            return (await reader.readline()).split()[1:2] == [b"200"]
        finally:
            writer.close()

    return ready

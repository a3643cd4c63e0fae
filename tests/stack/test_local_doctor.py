"""The doctor finds what `up` runs on this machine, whatever its folder and its ports, and never advises itself."""

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from streams.settings import read
from streams.stack.doctor import Finding
from streams.stack.local import at_home, password_file, ports_file
from streams.stack.local_doctor import Local, as_in, examine_here, running
from streams.stack.up import Ports
from tests.conftest import free_port


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """A /proc of which nobody holds a monitor's folder."""
    folder = tmp_path / "proc"
    (folder / "1" / "fd").mkdir(parents=True)
    (folder / "1" / "fd" / "0").symlink_to("/dev/null")
    return folder


def begin(proc: Path, home: Path, base: int, pid: int) -> Local:
    """A run of `up` in a folder, as far as others can see it: itself and one process that it started."""
    home.mkdir(exist_ok=True)
    ports_file(home).write_text(json.dumps(asdict(Ports.from_base(base))))
    for process in (pid, pid + 1):
        (proc / str(process) / "fd").mkdir(parents=True)
        (proc / str(process) / "fd" / "7").symlink_to(home / "lock")
    return Local(home, Ports.from_base(base))


def names(findings: Iterator[Finding], name: str) -> list[str]:
    return [finding.says for finding in findings if finding.name == name]


def test_every_monitor_that_runs_here_is_found_once_and_one_that_has_ended_is_not(proc: Path, tmp_path: Path) -> None:
    ended = tmp_path / "ended"
    ended.mkdir()
    ports_file(ended).write_text(json.dumps(asdict(Ports.from_base(11_200))))
    (proc / "9" / "fd").mkdir(parents=True)
    (proc / "9" / "fd" / "3").symlink_to("/var/lib/dpkg/lock")

    assert running(proc) == []
    runs = [begin(proc, tmp_path / name, base, pid) for name, base, pid in (("a", 11_300, 20), ("b", 11_400, 30))]
    assert running(proc) == runs


def test_a_folder_of_somebody_else_is_none_of_ours_also_where_we_may_look_into_all(
    proc: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # He could say ports of his own, and as a password any file that root may read: the doctor would show it there.
    begin(proc, tmp_path / "a", 11_200, 20)
    somebody = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: somebody)

    assert running(proc) == []
    assert at_home(read({}), proc) == read({})


def test_each_is_examined_where_it_is(proc: Path, tmp_path: Path) -> None:
    bases = sorted((free_port(8), free_port(8)))
    for number, base in enumerate(bases):
        begin(proc, tmp_path / str(number), base, 20 + 10 * number)

    findings = list(examine_here(read({}), (), proc))
    assert names(iter(findings), "up") == [f"runs in {tmp_path / str(n)}, ports {b} to {b + 7}" for n, b in enumerate(bases)]
    assert names(iter(findings), "worker") == [f"no metrics at 127.0.0.1:{base + 2}" for base in bases]
    assert names(iter(findings), "wall") == [f"no boards at http://127.0.0.1:{base + 6}/" for base in bases]


def test_what_the_environment_says_goes_before_what_runs_here(proc: Path, tmp_path: Path) -> None:
    local = begin(proc, tmp_path / "a", 11_300, 20)
    key = tmp_path / "own.key"

    here = as_in(local, read({"PANTAU112_CALLER_KEY_FILE": str(key)}))
    assert (here.bootstrap, here.metrics_port, here.prometheus) == ("127.0.0.1:11300", 11_302, "127.0.0.1:11303")
    assert (here.gateway_tokens, here.caller_key_file) == (tmp_path / "a" / "gateway" / "tokens.json", key)
    elsewhere = read({"PANTAU112_BOOTSTRAP": "127.0.0.1:1", "PANTAU112_METRICS_PORT": str(free_port())})
    assert names(examine_here(elsewhere, (), proc), "up") == []


def test_a_verb_gets_in_by_the_password_of_the_up_that_runs_where_it_looks_for_kafka(proc: Path, tmp_path: Path) -> None:
    for name, base, pid in (("a", 11_200, 20), ("b", 11_400, 30)):
        home = begin(proc, tmp_path / name, base, pid).home
        password_file(home).write_text(f"of {name}\n")

    def password(environment: dict[str, str]) -> str | None:
        found = at_home(read(environment), proc)
        assert (found.sasl_password is None) == (found.security_protocol == "PLAINTEXT")
        return None if found.sasl_password is None else found.sasl_password.get_secret_value()

    assert password({}) == "of a"
    assert password({"PANTAU112_BOOTSTRAP": "localhost:11400"}) == "of b"
    assert password({"PANTAU112_BOOTSTRAP": "127.0.0.1:9092"}) is None
    assert password({"PANTAU112_BOOTSTRAP": "kafka1:11200"}) is None
    assert password({"PANTAU112_SECURITY_PROTOCOL": "PLAINTEXT"}) is None
    shutil.rmtree(proc)
    assert password({}) is None


def test_the_doctor_finds_it_in_the_folder_of_each(proc: Path, tmp_path: Path) -> None:
    local = begin(proc, tmp_path / "a", 11_300, 20)
    password_file(local.home).write_text("of a\n")

    here = as_in(local, read({}))
    assert (here.security_protocol, here.sasl_username) == ("SASL_PLAINTEXT", "pantau112")
    assert here.sasl_password is not None
    assert here.sasl_password.get_secret_value() == "of a"


def test_the_doctor_never_advises_itself(tmp_path: Path) -> None:
    settings = read({"PANTAU112_BOOTSTRAP": f"127.0.0.1:{free_port()}", "PANTAU112_METRICS_PORT": str(free_port())})
    said = "\n".join(map(str, examine_here(settings, ())))
    assert "fail  Kafka: no Kafka at" in said
    assert "pantau112 doctor" not in said

"""Where the programs of Prometheus and Alertmanager come from."""

import fcntl
import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from streams.stack import StackError, debian
from streams.stack.prometheus import alertmanager
from streams.stack.share import require_view
from tests.conftest import LOCAL, free_port
from tests.dashboards.test_stack import answers, running


def programs(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).touch(mode=0o755)


@pytest.mark.parametrize("name", ["prometheus-alertmanager", "alertmanager"])
def test_installed_programs_are_used(tmp_path: Path, name: str) -> None:
    programs(tmp_path / "bin", "prometheus", "promtool", "amtool", name)
    found = debian.ensure(tmp_path / "deb", str(tmp_path / "bin"))
    assert found.alertmanager == tmp_path / "bin" / name
    assert found.share is None


def test_unpacked_programs_are_used_with_their_page_where_one_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs(tmp_path / "bin", "prometheus", "promtool")
    folder = tmp_path / "a: folder"
    programs(folder / "usr/bin", "prometheus", "promtool", "amtool", "prometheus-alertmanager")
    monkeypatch.setattr(debian, "require_view", lambda *_: None)
    found = debian.ensure(folder, str(tmp_path / "bin"))
    assert found.prometheus == folder / "usr/bin/prometheus"
    assert found.share == folder / "usr/share"


def test_two_starts_at_once_fetch_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[Path] = []

    def unpack(folder: Path) -> None:
        with folder.with_name("deb.lock").open("w") as guard, pytest.raises(BlockingIOError):
            fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
        programs(folder / "usr/bin", "prometheus", "promtool", "amtool", "prometheus-alertmanager")
        fetched.append(folder)

    monkeypatch.setattr(debian, "_unpack", unpack)
    monkeypatch.setattr(debian, "require_view", lambda *_: None)
    monkeypatch.setattr(shutil, "which", lambda name, **_: name if Path(name).exists() or name in ("apt-get", "dpkg") else None)
    for _ in range(2):
        debian.ensure(tmp_path / "deb", "")
    assert fetched == [tmp_path / "deb"]


@pytest.mark.skipif(shutil.which("apt-config") is None, reason="no apt here")
def test_only_lists_of_packages_are_asked_for_and_no_hook_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With apt-file's lists, which not every mirror has, apt would keep none at all."""
    machine = tmp_path / "apt.conf"
    machine.write_text(
        'Acquire::IndexTargets::deb::Contents-deb { MetaKey "nowhere"; };\n'
        'APT::Update::Post-Invoke-Success { "exit 1"; };\n'
        'Acquire::http::Proxy "http://proxy.example:3128";\n'
    )
    monkeypatch.setenv("APT_CONFIG", str(machine))
    apt = tmp_path / "bin" / "apt-get"
    programs(apt.parent, "dpkg", "apt-get")
    monkeypatch.setattr(debian, "require_view", lambda *_: None)
    apt.write_text(f"""#!{sys.executable}
import pathlib, subprocess, sys
if sys.argv[-1] == "update":
    with open({str(tmp_path / "said")!r}, "w") as said:
        subprocess.run(["apt-config", *sys.argv[1:-1], "dump"], stdout=said, check=True)
sys.exit("E: no more is wanted")
""")
    monkeypatch.setenv("PATH", f"{apt.parent}:{os.environ['PATH']}")
    with pytest.raises(StackError, match="no more is wanted"):
        debian.ensure(tmp_path / "deb", "")
    said = (tmp_path / "said").read_text()
    assert set(re.findall(r"^Acquire::IndexTargets::deb::([\w-]+)", said, re.MULTILINE)) == {"Packages"}
    assert "APT::Update::" not in said
    assert 'Acquire::http::Proxy "http://proxy.example:3128";' in said


def test_elsewhere_than_on_debian_one_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StackError, match=r"not Debian.*Put prometheus, promtool, alertmanager and amtool on PATH"):
        debian.ensure(tmp_path / "deb", str(tmp_path))


def test_without_a_network_one_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs(tmp_path / "bin", "dpkg")
    monkeypatch.setattr(debian, "require_view", lambda *_: None)
    apt = tmp_path / "bin" / "apt-get"
    apt.write_text("#!/bin/sh\necho 'E: Could not resolve the mirror' >&2\nexit 100\n")
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/bin")
    with pytest.raises(StackError, match=r"could not be fetched \(E: Could not resolve.*as root: apt-get install"):
        debian.ensure(tmp_path / "deb", "")
    assert not (tmp_path / "deb").exists()


@pytest.mark.stack
def test_where_nothing_is_installed_what_is_unpacked_runs(tmp_path: Path) -> None:
    try:
        require_view(tmp_path, debian.INSTALL)
    except StackError as why:
        pytest.skip(str(why))
    found = debian.ensure(LOCAL / "debian", "")
    config = tmp_path / "alertmanager.yml"
    config.write_text("{route: {receiver: nobody}, receivers: [{name: nobody}]}")
    service = alertmanager(found, home=tmp_path / "home", data=tmp_path / "data", port=free_port(), config=config, here={})
    with running(service, tmp_path / "log"):
        assert answers(service.ready)


def test_packages_are_unpacked_into_a_folder_that_is_named_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """apt reads its settings, and dpkg writes, from folders of their own."""
    monkeypatch.chdir(tmp_path)
    apt, dpkg, show = (tmp_path / "bin" / name for name in ("apt-get", "dpkg", "apt-cache"))
    programs(apt.parent, "apt-get", "dpkg", "apt-cache")
    apt.write_text('#!/bin/sh\nset -e\ntest -f "$3"\ncase "$*" in *download*) touch one.deb;; esac\n')
    dpkg.write_text(
        '#!/bin/sh\nset -e\nmkdir -p "$3/usr/bin"\ncd "$3/usr/bin"\n'
        "for name in prometheus promtool amtool prometheus-alertmanager; do touch $name; chmod +x $name; done\n"
    )
    show.write_text("#!/bin/sh\nexit 1\n")
    monkeypatch.setenv("PATH", f"{apt.parent}:/usr/bin:/bin")
    monkeypatch.setattr(debian, "require_view", lambda *_: None)

    found = debian.ensure(Path(".local/debian"), "")

    assert found.prometheus == tmp_path / ".local/debian/usr/bin/prometheus"

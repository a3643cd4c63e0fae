"""What is installed: the wheel holds all that the code opens, services are hardened, and all of it goes again."""

import os
import re
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import HANG

ROOT = Path(__file__).parents[1]
PACKAGING = ROOT / "streams" / "packaging"
UNITS = sorted(PACKAGING.glob("*.service"))
ONCE = {"pantau112-report.service"}
"""What a timer starts, and what ends by itself."""
MOST = 3.0
"""The exposure that `systemd-analyze security` may find."""
OURS = ("schemas", "streams", "dashboards")
ONLY_IN_THE_CLONE = re.compile(r".*README\.md|dashboards/wall/pictures/.*|streams/packaging/(install\.sh|Dockerfile)")
"""Read by people, and by who installs."""


def is_ours(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy: setuptools leaves files of its own behind, and takes old ones of them into the next."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in OURS:
        shutil.copytree(ROOT / name, folder / "source" / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / "source")
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(folder / "source")]
    subprocess.run(command, check=True, capture_output=True, timeout=HANG)
    [wheel] = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where it is installed: a folder with nothing of the clone."""
    folder = tmp_path_factory.mktemp("installed")
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(folder), str(wheel)]
    subprocess.run(command, check=True, capture_output=True, timeout=HANG)
    return folder


def run(installed: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The installed command, or other Python, in a folder; a read-only one is no hindrance."""
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(installed), "PYTHONSAFEPATH": "1"}
    command = [sys.executable, *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=HANG)


def test_the_wheel_holds_every_file_of_ours_but_what_is_read_in_the_clone(wheel: Path) -> None:
    ours = {path.relative_to(ROOT).as_posix() for name in OURS for path in (ROOT / name).rglob("*") if is_ours(path)}
    held = {name for name in zipfile.ZipFile(wheel).namelist() if not name.startswith("pantau112-")}

    assert held >= {name for name in ours if not ONLY_IN_THE_CLONE.fullmatch(name)}
    assert held <= ours


def test_the_installed_command_says_its_version_measures_and_has_the_wall(installed: Path, tmp_path: Path) -> None:
    import streams

    where = run(installed, tmp_path, "-c", "import streams; print(streams.__file__)").stdout.strip()
    assert Path(where).is_relative_to(installed)
    assert not Path(where).is_relative_to(Path(streams.__file__).parent)

    assert run(installed, tmp_path, "-m", "streams.cli", "--version").stdout == "pantau112 0.1.0\n"
    measured = run(installed, tmp_path, "-m", "streams.cli", "measure", str(ROOT / "tests" / "data" / "asterisk" / "queue_log"))
    assert "psap_journeys_offered_total" in measured.stdout, measured.stderr
    shown = "from streams.stack import up, wall; print(len(wall.table(up.DASHBOARDS)))"
    assert int(run(installed, tmp_path, "-c", shown).stdout) > 100


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_service_is_known_to_systemd_and_exposed_as_little_as_can_be(unit: Path, tmp_path: Path) -> None:
    copy = tmp_path / unit.name
    copy.write_text(unit.read_text().replace("/opt/pantau112/bin/python", sys.executable))

    verified = subprocess.run(["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, check=False)
    ours = [line for line in verified.stderr.splitlines() if unit.name.partition("@")[0] in line]
    assert (verified.returncode, ours) == (0, [])
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", f"--threshold={MOST * 10:.0f}", str(copy)]
    judged = subprocess.run(command, capture_output=True, text=True, check=False)
    assert judged.returncode == 0, judged.stdout


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_a_timer_is_known_to_systemd_and_starts_the_service_that_has_its_name(tmp_path: Path) -> None:
    for unit in (*UNITS, *PACKAGING.glob("*.timer")):
        (tmp_path / unit.name).write_text(unit.read_text().replace("/opt/pantau112/bin/python", sys.executable))

    for timer in tmp_path.glob("*.timer"):
        assert timer.with_suffix(".service").exists()
        verified = subprocess.run(["systemd-analyze", "verify", str(timer)], capture_output=True, text=True, check=False)
        assert (verified.returncode, verified.stderr) == (0, "")


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_service_starts_a_verb_and_leaves_room_for_settings_and_keys(unit: Path) -> None:
    said = re.findall(r"^([A-Z]\w+)=(.*)$", unit.read_text(), re.M)
    [command] = [value for name, value in said if name == "ExecStart"]

    assert re.match(r"/opt/pantau112/bin/python -P -m streams\.cli (worker|edge|gateway|wall|up|report)\b", command)
    assert ("EnvironmentFile", "-/etc/pantau112/pantau112.env") in said
    assert ("LoadCredential", "keys:/etc/pantau112/keys") in said
    assert ("User", "pantau112") in said
    assert (("Restart", "always") in said) == (unit.name not in ONCE)


def test_every_setting_of_the_environment_file_is_one(tmp_path: Path) -> None:
    from streams.settings import PREFIX, Settings

    named = re.findall(r"^#?([A-Z][A-Z0-9_]*)=", (PACKAGING / "pantau112.env").read_text(), re.M)
    assert {name for name in named if not name.startswith(PREFIX)} == {"CENTRES", "UP", "WALL"}
    assert {name.removeprefix(PREFIX).lower() for name in named if name.startswith(PREFIX)} <= Settings.model_fields.keys()


def make(target: str, tree: Path, **more: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"DESTDIR": str(tree), "PYTHON": sys.executable} | more
    script = str(PACKAGING / "install.sh")
    # A umask by which the group of whoever installs may write, and a service may not read.
    return subprocess.run(
        ["sh", script, target], env=environment, umask=0o007, capture_output=True, text=True, check=False, timeout=HANG
    )


@pytest.mark.parametrize(
    ("prefix", "why"), [("opt", "whole path"), ("/o p t", "whole path"), ("/usr", "no pantau112"), ("/", "")]
)
def test_nothing_is_put_into_or_taken_from_a_folder_that_is_not_ours(prefix: str, why: str, tmp_path: Path) -> None:
    (tmp_path / "usr").mkdir()
    (tmp_path / "usr" / "precious").touch()

    for target in ("install", "uninstall"):
        done = make(target, tmp_path, PREFIX=prefix)
        assert done.returncode == 1
        assert why in done.stderr
    assert [path.name for path in tmp_path.rglob("*")] == ["usr", "precious"]


@pytest.mark.stack
def test_what_is_installed_runs_again_after_an_upgrade_and_goes_but_for_what_people_wrote(tmp_path: Path) -> None:
    assert make("install", tmp_path).returncode == 0
    settings = tmp_path / "etc" / "pantau112" / "pantau112.env"
    assert stat.S_IMODE(settings.stat().st_mode) == 0o600
    settings.write_text("PANTAU112_BOOTSTRAP=kafka:9092\n")
    modes = {path: path.stat().st_mode for part in ("opt", "usr") for path in (tmp_path / part).rglob("*") if path.exists()}
    assert [path for path, mode in modes.items() if mode & 0o022 or not mode & 0o004] == [], (
        "services read it, root alone writes it"
    )
    venv = tmp_path / "opt" / "pantau112"

    said = subprocess.run(
        [venv / "bin" / "python", "-m", "streams.cli", "--version"], cwd=tmp_path, capture_output=True, check=True
    )
    assert said.stdout == b"pantau112 0.1.0\n"
    assert (venv / "bin" / "pantau112").read_text().startswith("#!/opt/pantau112/bin/python")
    assert os.readlink(tmp_path / "usr" / "local" / "bin" / "pantau112") == "/opt/pantau112/bin/pantau112"
    units = tmp_path / "usr" / "local" / "lib" / "systemd" / "system"
    assert {path.name for path in units.iterdir()} == {unit.name for unit in (*UNITS, *PACKAGING.glob("*.timer"))}
    named = [
        path
        for path in (*venv.glob("bin/*"), venv / "pyvenv.cfg")
        if path.is_file() and str(tmp_path).encode() in path.read_bytes()
    ]
    assert named == [], "nothing names the folder that it was made in"

    (venv / "old").touch()
    broken = make("install", tmp_path, PYTHON="false")
    assert broken.returncode != 0
    assert (venv / "old").exists(), "what was there stays, where the new one cannot be made"

    assert make("uninstall", tmp_path).returncode == 0
    assert [path for path in tmp_path.rglob("*") if not path.is_dir()] == [settings]
    assert settings.read_text() == "PANTAU112_BOOTSTRAP=kafka:9092\n"

"""The programs of Prometheus and Alertmanager: those installed, else Debian's packages unpacked into a folder of ours."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from streams.stack import StackError

SERVERS = ["prometheus", "prometheus-alertmanager"]
PAGE = [
    "fonts-glyphicons-halflings",
    "libjs-bootstrap4",
    "libjs-eonasdan-bootstrap-datetimepicker",
    "libjs-jquery",
    "libjs-jquery-hotkeys",
    "libjs-jquery-ui",
    "libjs-moment",
    "libjs-moment-timezone",
    "libjs-mustache",
    "libjs-popper.js",
    "libjs-rickshaw",
    "libjs-d3",
]
SHARE = Path("usr/share/prometheus")
TEMPLATES = f"/{SHARE}/alertmanager".encode()
"""Debian has taken the templates out of Alertmanager and compiled in where they are, without a flag to change it."""
INSTALL = "apt-get install --no-install-recommends prometheus prometheus-alertmanager"


class Programs(NamedTuple):
    """Where the four programs are."""

    prometheus: Path
    promtool: Path
    alertmanager: Path
    amtool: Path
    share: Path | None  # Debian's `/usr/share/prometheus`, where it is not at that place


def find(folder: Path, path: str) -> Programs | None:
    """The programs on `path` (as the variable PATH), else those already unpacked into `folder`; None when neither has all."""
    return _all_on(path, None) or _all_on(f"{folder}/usr/bin", folder / SHARE)


def ensure(folder: Path, path: str) -> Programs:
    """As `find`, but fetches and unpacks Debian's packages where nothing is found; needs no root.

    Errors: StackError when this is no Debian, or its packages cannot be fetched.
    """
    found = find(folder, path)
    if found is None:
        if not shutil.which("apt-get") or not shutil.which("dpkg"):
            raise StackError(
                "Prometheus and Alertmanager are not installed, and this is not Debian, so they cannot be fetched."
                " Put prometheus, promtool, alertmanager and amtool on PATH."
            )
        _unpack(folder)
        found = find(folder, path)
    if found is None:
        raise StackError(f"Debian's packages hold no Prometheus or Alertmanager here. Install them by hand: {INSTALL}")
    return found


def _all_on(path: str, share: Path | None) -> Programs | None:
    alertmanager = shutil.which("prometheus-alertmanager", path=path) or shutil.which("alertmanager", path=path)
    others = [shutil.which(name, path=path) for name in ("prometheus", "promtool", "amtool")]
    prometheus, promtool, amtool = others
    if not (prometheus and promtool and alertmanager and amtool):
        return None
    return Programs(Path(prometheus), Path(promtool), Path(alertmanager), Path(amtool), share)


def _unpack(folder: Path) -> None:
    """Fetch with lists and a cache of our own, because the system's may be empty or closed to a plain user."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    sys.stderr.write("Prometheus and Alertmanager: fetching Debian's packages, about 45 MB with their list\n")
    with tempfile.TemporaryDirectory(prefix="deb-", dir=folder.parent) as scratch:
        work = Path(scratch)
        for name in ("lists/partial", "cache/archives/partial", "packages", "root"):
            (work / name).mkdir(parents=True)
        options = [
            f"Dir::State={work}",
            f"Dir::State::lists={work}/lists",
            "Dir::State::status=/var/lib/dpkg/status",
            f"Dir::Cache={work}/cache",
            f"APT::Sandbox::User={'root' if os.geteuid() == 0 else ''}",
        ]
        apt = ["apt-get", "-q", *(word for option in options for word in ("-o", option))]
        update = _run([*apt, "update"], work)  # its hooks may fail for a plain user: only the download counts
        download = _run([*apt, "download", *SERVERS], work / "packages")
        if download.returncode != 0:
            lines = (download.stderr + update.stderr).splitlines()
            errors = [line for line in lines if line.startswith("E:")] or lines or ["no reason given"]
            raise StackError(
                f"Debian's packages {' and '.join(SERVERS)} could not be fetched ({errors[0]})."
                f" Check the network, or install them as root: {INSTALL}"
            )
        _run([*apt, "download", *PAGE], work / "packages")  # without them only Prometheus' own page is bare
        for package in sorted((work / "packages").glob("*.deb")):
            unpacked = _run(["dpkg", "-x", str(package), str(work / "root")], work)
            if unpacked.returncode != 0:
                raise StackError(f"{package.name} could not be unpacked: {unpacked.stderr.strip()}")
        shutil.rmtree(work / "root/usr/share/javascript/moment-timezone/data", ignore_errors=True)  # 212 MB nobody reads
        _relocate(work / "root/usr/bin/prometheus-alertmanager")
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(work / "root", folder)


def _relocate(alertmanager: Path) -> None:
    """Let an unpacked Alertmanager look for its templates in the folder it is started in. One built otherwise stays as it is."""
    here = b"." + b"/" * (len(TEMPLATES) - 1)  # a program's text cannot grow or shrink
    alertmanager.write_bytes(re.sub(TEMPLATES + rb"(?!/)", here, alertmanager.read_bytes()))


def _run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)

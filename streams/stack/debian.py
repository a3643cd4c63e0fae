"""The programs of Prometheus and Alertmanager: those installed, else Debian's packages unpacked into a folder of ours."""

import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

from streams.logs import tell
from streams.stack import StackError
from streams.stack.share import require_view

SERVERS = ["prometheus", "prometheus-alertmanager", "tzdata"]  # the last for Alertmanager, which sees no other /usr/share
PROMTOOL = "promtool"  # a package of its own since Debian 13
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
APT = """
#clear Acquire::IndexTargets;
#clear APT::Update;
Acquire::IndexTargets::deb::Packages {
  MetaKey "$(COMPONENT)/binary-$(ARCHITECTURE)/Packages";
  ShortDescription "Packages";
  Description "$(RELEASE)/$(COMPONENT) $(ARCHITECTURE) Packages";
  flatMetaKey "Packages";
  flatDescription "$(RELEASE) Packages";
  Optional "false";
};
"""
"""Read after the machine's own settings, whose sources, keys and proxies hold. But its other lists (apt-file's, an app store's)
are not asked for: apt keeps nothing of a release of which one list cannot be had. Its hooks, which need root, are not run.
"""
INSTALL = "apt-get install --no-install-recommends prometheus prometheus-alertmanager"


class Programs(NamedTuple):
    """Where the four programs are."""

    prometheus: Path
    promtool: Path
    alertmanager: Path
    amtool: Path
    share: Path | None  # what is Debian's `/usr/share`, where the programs are not installed


def ensure(folder: Path, path: str) -> Programs:
    """The programs on `path` (as the variable PATH), else Debian's packages unpacked into `folder`, fetched when not there yet.

    Needs no root. Errors: StackError when this is no Debian, its packages cannot be fetched, or what is unpacked cannot run here.
    """
    if installed := _all(path=path):
        return installed
    folder = folder.absolute()  # apt and dpkg run in folders of their own
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)  # two starts at once fetch once
        return _ensure_unpacked(folder)


def _ensure_unpacked(folder: Path) -> Programs:
    unpacked = _all(folder)
    if unpacked is None:
        if not shutil.which("apt-get") or not shutil.which("dpkg"):
            raise StackError(
                "Prometheus and Alertmanager are not installed, and this is not Debian, so they cannot be fetched."
                " Put prometheus, promtool, alertmanager and amtool on PATH."
            )
        require_view(Path("/usr/share"), INSTALL)  # before anything is fetched in vain
        _unpack(folder)
        unpacked = _all(folder)
    if unpacked is None:
        raise StackError(f"Debian's packages hold no Prometheus or Alertmanager here. Install them by hand: {INSTALL}")
    require_view(folder / "usr/share", INSTALL)
    return unpacked


def _all(folder: Path | None = None, path: str | None = None) -> Programs | None:
    """The four programs unpacked into a folder, or on a path; None when one is missing."""
    where = "" if folder is None else f"{folder}/usr/bin/"
    alertmanager = shutil.which(f"{where}prometheus-alertmanager", path=path) or shutil.which(f"{where}alertmanager", path=path)
    prometheus, promtool, amtool = (shutil.which(where + name, path=path) for name in ("prometheus", "promtool", "amtool"))
    if not (prometheus and promtool and alertmanager and amtool):
        return None
    share = None if folder is None else folder / "usr/share"
    return Programs(Path(prometheus), Path(promtool), Path(alertmanager), Path(amtool), share)


def _unpack(folder: Path) -> None:
    """Fetch with lists and a cache of our own, because the system's may be empty or closed to a plain user."""
    tell("Prometheus and Alertmanager: fetching Debian's packages, about 45 MB with their list")
    with tempfile.TemporaryDirectory(prefix="deb-", dir=folder.parent) as scratch:
        work = Path(scratch)
        for name in ("lists/partial", "cache/archives/partial", "packages", "root"):
            (work / name).mkdir(parents=True)
        (work / "apt.conf").write_text(APT)
        options = [
            f"Dir::State={work}",
            f"Dir::State::lists={work}/lists",
            "Dir::State::status=/var/lib/dpkg/status",
            f"Dir::Cache={work}/cache",
            f"APT::Sandbox::User={'root' if os.geteuid() == 0 else ''}",
        ]
        ours = ["-q", "-c", str(work / "apt.conf"), *(word for option in options for word in ("-o", option))]
        apt = ["apt-get", *ours]
        update = _run([*apt, "update"], work)  # may fail for a source that is not Debian's: only the download counts
        promtool = [] if _run(["apt-cache", *ours, "show", PROMTOOL], work).returncode else [PROMTOOL]
        download = _run([*apt, "download", *SERVERS, *promtool], work / "packages")
        if download.returncode != 0:
            lines = (update.stderr + download.stderr).splitlines()
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
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(work / "root", folder)


def _run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)

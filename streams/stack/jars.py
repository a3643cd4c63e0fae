"""Kafka's jars: what kafka.lock names, fetched once through jgo from Maven Central and verified at every start."""

import fcntl
import hashlib
import logging
import os
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from streams.logs import tell
from streams.stack import StackError

LOCK = Path(__file__).with_name("kafka.lock")
THREADS = 8
TRIES = 3


class Jar(NamedTuple):
    """One line of kafka.lock: a jar, where Maven Central keeps it and what it must contain."""

    sha256: str
    size: int  # bytes
    path: PurePosixPath  # group/as/folders/artifact/version/artifact-version.jar

    @property
    def coordinates(self) -> tuple[str, str, str]:
        """Group, artifact and version."""
        *group, artifact, version, _ = self.path.parts
        return ".".join(group), artifact, version

    def is_at(self, file: Path) -> bool:
        """Whether the file has the size and the sha256 of this jar."""
        return (
            file.is_file() and file.stat().st_size == self.size and hashlib.sha256(file.read_bytes()).hexdigest() == self.sha256
        )


Fetch = Callable[[Jar, Path], Path]


def read_lock(lock: Path = LOCK) -> list[Jar]:
    """The jars that the lock file names, in its order."""
    lines = (line.split() for line in lock.read_text().splitlines())
    return [Jar(sha256, int(size), PurePosixPath(path)) for sha256, size, path in lines]


def fetch_with_jgo(jar: Jar, scratch: Path) -> Path:
    """Download one jar into a scratch folder. Errors: whatever jgo raises."""
    from jgo.maven import MavenContext  # noqa: PLC0415 (0.3 s that a start with all jars present does not need)

    logging.getLogger("jgo").setLevel(logging.ERROR)  # a failed try is told by us, in one line
    group, artifact, version = jar.coordinates
    context = MavenContext(repo_cache=scratch, local_repos=[], timeout=30)
    file: Path = context.project(group, artifact).at_version(version).artifact().resolve()
    return file


def ensure(folder: Path, lock: Path = LOCK, fetch: Fetch = fetch_with_jgo) -> list[Path]:
    """Make `folder` hold every jar of the lock, fetching what is missing or damaged; the jars' paths, in the lock's order.

    Errors: StackError when a jar cannot be fetched or is not what the lock says.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)  # two starts at once fetch once
        jars = read_lock(lock)
        missing = [jar for jar in jars if not jar.is_at(folder / jar.path.name)]
        if missing:
            _fetch_all(missing, folder, fetch)
    return [folder / jar.path.name for jar in jars]


def _fetch_all(missing: list[Jar], folder: Path, fetch: Fetch) -> None:
    for left_by_a_kill in folder.glob("fetch-*"):
        shutil.rmtree(left_by_a_kill)
    console = Console(stderr=True)
    total = sum(jar.size for jar in missing)
    if not console.is_terminal:
        tell(f"Kafka: fetching {len(missing)} jars, {total / 1e6:.0f} MB")
    columns = (
        TextColumn("Kafka: {task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with (
        tempfile.TemporaryDirectory(prefix="fetch-", dir=folder) as scratch,
        Progress(*columns, console=console, disable=not console.is_terminal) as progress,
        ThreadPoolExecutor(THREADS) as pool,
    ):
        task = progress.add_task(f"{len(missing)} jars", total=total)
        futures = {pool.submit(_fetch_one, jar, folder, Path(scratch), fetch): jar for jar in missing}
        try:
            for future in as_completed(futures):
                future.result()
                progress.advance(task, futures[future].size)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _fetch_one(jar: Jar, folder: Path, scratch: Path, fetch: Fetch) -> None:
    name = jar.path.name
    for attempt in range(1, TRIES + 1):
        try:
            file = fetch(jar, Path(tempfile.mkdtemp(dir=scratch)))
        except Exception as why:  # jgo passes on what requests, urllib3 or the file system raise
            if attempt == TRIES:
                raise StackError(
                    f"Could not fetch {name} from Maven Central ({type(why).__name__}). Check the network and start again:"
                    " what has been fetched is kept. Behind a proxy that inspects TLS, set REQUESTS_CA_BUNDLE to its certificate."
                ) from why
            continue
        if jar.is_at(file):
            os.replace(file, folder / name)
            return
    raise StackError(
        f"{name} as fetched is not the file that kafka.lock names (sha256 differs): not used."
        " Something between here and Maven Central changes it; try another network."
    )

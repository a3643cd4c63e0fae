"""`pantau112 upgrade`: which versions of the worker are there, whether the newer one may take over, and what can be removed."""

import asyncio
import sys
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from streams.cli.terminal import Failed, settings
from streams.logs import tell

if TYPE_CHECKING:
    from streams.analysis.agreement import Agreement
    from streams.log.versions import Member, Place, Versions
    from streams.settings import Settings

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Change to a newer version without a gap, and back.")

ROWS = ("version", "workers", "hosts", "waiting", "written", "changelog")
FAR_BEHIND = 1_000
"""More records than a version flushes at once: it is still catching up."""

Addresses = Annotated[
    list[str] | None,
    typer.Argument(metavar="HOST:PORT", help="Where the workers serve /metrics: those of the old version and those of the new."),
]


class Seen(NamedTuple):
    """What Kafka knows of one version: its workers, how many records they have to fold yet, and when their states were written
    last, in epoch seconds (None: there are none).
    """

    members: "list[Member]"
    waiting: int
    written: float | None


@app.command(epilog="Example: pantau112 upgrade status 10.0.0.5:9112 10.0.0.6:9112")
def status(addresses: Addresses = None) -> None:
    """Say which versions work, compare their figures, and what to do.

    Every figure of every centre is compared, as both versions say it of the same moment. Without addresses nothing is compared.
    Ends with 1 while something is missing.
    """
    from streams.analysis.agreement import NoAnswerError, Workers, agree

    seen = asyncio.run(_look(settings()))
    sys.stdout.write("\t".join(ROWS) + "\n")
    for version, found in seen.items():
        hosts = ",".join(sorted({member.host for member in found.members}))
        kept = "none" if found.written is None else "kept"
        sys.stdout.write(f"{version}\t{len(found.members)}\t{hosts}\t{found.waiting}\t{_time(found.written)}\t{kept}\n")
    agreement = None
    if addresses:
        try:
            workers = Workers.at(addresses)
            if workers.new and workers.old:
                agreement = agree(workers.say)
        except NoAnswerError as error:
            raise Failed(str(error)) from None
        if agreement is None:
            raise Failed("of these workers none stands beside another version: give addresses of both versions")
        _show(agreement)
    is_done, said = verdict(seen, agreement)
    tell(said)
    if not is_done:
        raise typer.Exit(1)


def _show(agreement: "Agreement") -> None:
    """What differs is data; how much is equal, a message."""
    for series, (old, new) in agreement.differing.items():
        sys.stdout.write(f"differs\t{series}\t{old}\t{new}\n")
    for series, value in agreement.only_old.items():
        sys.stdout.write(f"missing\t{series}\t{value}\t\n")
    tell(
        f"{agreement.equal:,} figures are equal, {len(agreement.differing):,} differ, {len(agreement.only_old):,} are said by "
        f"the old version only, and {len(agreement.only_new):,} by the new one only"
    )


def verdict(seen: dict[int, Seen], agreement: "Agreement | None") -> tuple[bool, str]:
    """Whether nothing is missing, and what to do."""
    working = [version for version, found in seen.items() if found.members]
    if not working:
        return False, "no worker works: start one"
    old, new = working[0], working[-1]
    if old == new:
        if new < max(seen):
            return False, f"version {new} works alone. To change to version {max(seen)} again, start its worker beside it"
        kept = [version for version, found in seen.items() if version < new]
        rest = f"; what is kept of {_versions(kept)} goes by: pantau112 upgrade finish" if kept else ""
        return True, f"version {new} works alone{rest}"
    if agreement is None:
        return False, f"versions {old} and {new} work side by side. To compare them, give the addresses of their workers"
    if not agreement.is_whole:
        if seen[new].waiting > max(FAR_BEHIND, seen[old].waiting):
            return False, f"wait: version {new} has {seen[new].waiting:,} records to fold yet"
        return False, f"do not stop version {old} yet: what version {new} says differs, see above"
    return True, f"stop the workers of version {old} now: version {new} says the same, and speaks by itself seconds later"


@app.command(epilog="Example: pantau112 upgrade finish --yes")
def finish(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete the states of older versions.

    And their groups in Kafka. That is for good: after it, going back means to fold the log anew. Events are not touched.
    """
    from streams.log.kafka import Log
    from streams.log.versions import changelog_of, group_of

    chosen = settings()
    seen = asyncio.run(_look(chosen))
    working = [version for version, found in seen.items() if found.members]
    if len(working) != 1:
        raise Failed(verdict(seen, None)[1] if not working else f"{_versions(working)} work: stop the older ones first")
    [new] = working
    if seen[new].written is None or seen[new].waiting > FAR_BEHIND:
        raise Failed(f"version {new} has not folded all yet ({seen[new].waiting:,} records wait): wait until it has")
    old = [version for version in seen if version < new]
    if not old:
        tell("nothing is kept of an older version")
        return
    if not yes:
        typer.confirm(f"Delete the states of {_versions(old)} for good?", abort=True, err=True)
    with Log(chosen) as log:
        for version in old:
            log.remove(changelog_of(chosen, version), group_of(chosen, version))
            tell(f"version {version}: removed")


async def _look(chosen: "Settings") -> dict[int, Seen]:
    from streams.log.versions import Versions

    versions = Versions(chosen)
    try:
        known = sorted(await versions.known())
        members = await versions.members(known)
        return {
            version: Seen(
                members[version], await versions.waiting(await _known(versions, version)), await versions.written(version)
            )
            for version in known
        }
    finally:
        await versions.close()


async def _known(versions: "Versions", version: int) -> "dict[Place, int]":
    """The offset up to which the states of a version know each partition."""
    from streams.worker.changelog import parse

    latest = await versions.latest(version)
    parsed = [(parse(key), value) for key, value in latest.items() if key.startswith(b"\0")]
    return {(topic, number): int(marker) + 1 for (number, topic, _), marker in parsed}


def _versions(numbers: list[int]) -> str:
    return f"version{'s' * (len(numbers) > 1)} {' and '.join(map(str, numbers))}"


def _time(seconds: float | None) -> str:
    from datetime import datetime

    return "" if seconds is None else datetime.fromtimestamp(seconds).astimezone().isoformat(timespec="seconds")

"""What is known against packages: PyPI is asked through pip-audit, and its answers are kept for when nobody can be asked."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.audit.parts import Part

KEPT = Path(__file__).with_name("advisories.json")


@dataclass(frozen=True, slots=True)
class Answer:
    """What was said of one package at one version, and when (ISO 8601).

    An advisory is its id, and in which versions it is mended.
    """

    asked: str
    advisories: tuple[str, ...]


Answers = Mapping[str, Answer]


def kept(file: Path = KEPT) -> dict[str, Answer]:
    """The last answers, by package and version."""
    said = json.loads(file.read_text())
    return {name: Answer(one["asked"], tuple(one["advisories"])) for name, one in said.items()}


def keep(answers: Answers, file: Path = KEPT) -> None:
    """Write them down in place of those before."""
    said = {name: asdict(answer) for name, answer in sorted(answers.items())}
    file.write_text(json.dumps(said, indent=1, sort_keys=True) + "\n")


def asked(parts: Iterable[Part], now: datetime) -> dict[str, Answer]:
    """Ask about every package; nothing of those of which nobody answers."""
    names = [str(part) for part in parts]
    rounds: list[list[str]] = []  # pip-audit takes one version of a package at a time
    for name in names:
        package = name.split("==")[0] + "=="
        free = [each for each in rounds if not any(other.startswith(package) for other in each)]
        if free:
            free[0].append(name)
        else:
            rounds.append([name])
    found: dict[str, Answer] = {}
    for each in rounds:
        found |= heard(_run(each), each, now)
    return found


def heard(said: str, names: Sequence[str], now: datetime) -> dict[str, Answer]:
    """What pip-audit's JSON answers of these. What it skips, or is no JSON, answers nothing: that is not "nothing known"."""
    try:
        dependencies: list[Any] = json.loads(said)["dependencies"]
    except ValueError:
        return {}
    when = now.astimezone(UTC).isoformat(timespec="seconds")
    return {
        name: Answer(
            when, tuple(f"{one['id']} (mended in {', '.join(one['fix_versions']) or 'no version'})" for one in of_it["vulns"])
        )
        for of_it in dependencies
        if "vulns" in of_it and (name := f"{of_it['name']}=={of_it['version']}") in names
    }


def _run(names: Sequence[str]) -> str:
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(names))
        file.flush()
        command = ["--no-deps", "--disable-pip", "--format=json", "--progress-spinner=off", "-r", file.name]
        done = subprocess.run([sys.executable, "-m", "pip_audit", *command], capture_output=True, text=True, check=False)
    return done.stdout

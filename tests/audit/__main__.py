"""`make audit` and `make sbom`.

`python -m tests.audit` asks what is known against the packages of the lock files; `--bill` writes the list of parts, and
`--check` holds it against the lock files. Exit code: 0 when nothing is known against any, else 1; that nobody ever answered is
not nothing.
"""

import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from tests.audit.advisories import Answer, asked, keep, kept
from tests.audit.bill import BILL, NotSaidError, bill, differences
from tests.audit.parts import Part, parts


def verdict(named: Sequence[Part], answers: Mapping[str, Answer], new: int, now: datetime) -> tuple[list[str], int]:
    """What to say of these parts, and the exit code; `new` of the answers are of now."""
    packages = [str(part) for part in named if part.kind == "pypi"]
    known = {name: answers[name] for name in packages if name in answers}
    lines = [f"{name}: {advisory}" for name, answer in known.items() for advisory in answer.advisories]
    unknown = [name for name in packages if name not in known]
    bad = len(lines) + len(unknown)
    if unknown:
        lines.append(f"PyPI has never answered of {', '.join(unknown)}")
    if new < len(packages):
        when = min((answer.asked for answer in known.values()), default="")
        age = (
            f"answers of {when} and later, {(now - datetime.fromisoformat(when)).days} days old" if when else "no answer is kept"
        )
        lines.append(f"PyPI answered of {new} of {len(packages)} packages now; else {age}")
    lines.append(f"{len(packages)} packages, {bad} things known against them or not known")
    lines.append(f"{len(named) - len(packages)} parts are not of PyPI, and nobody is asked of them: see {BILL.name}")
    return lines, 1 if bad else 0


def main(arguments: Sequence[str]) -> int:
    """Do what the arguments say, and return the exit code."""
    named = parts()
    if arguments == ["--bill"]:
        try:
            said = bill(named)
            BILL.parent.mkdir(exist_ok=True)
            BILL.write_text(said)
        except NotSaidError as error:
            print(error, file=sys.stderr)
            return 1
        return 0
    if arguments == ["--check"]:
        wrong = differences(BILL.read_text(), named)
        print("\n".join([*wrong, "run make sbom"] if wrong else [f"{BILL.name}: {len(named)} parts"]))
        return 1 if wrong else 0
    now = datetime.now(UTC)
    new = asked([part for part in named if part.kind == "pypi"], now)
    answers = {name: answer for name, answer in (kept() | new).items() if name in set(map(str, named))}
    if new:
        keep(answers)
    lines, code = verdict(named, answers, len(new), now)
    print("\n".join(lines))
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

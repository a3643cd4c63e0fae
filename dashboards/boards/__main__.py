"""`python -m dashboards.boards` writes the boards' files; with `--check` it says which are not as the code builds them.

With `--v2 FOLDER` it writes them there as schema v2, for a Grafana that is given resources instead of classic boards.
"""

import json
import sys
from pathlib import Path

from dashboards.boards import FOLDER, files
from dashboards.boards.resource import resource


def main(arguments: list[str]) -> int:
    """Write or check; returns the exit code."""
    wanted = dict(files())
    if arguments[:1] == ["--v2"]:
        for path, text in wanted.items():
            newer = Path(arguments[1]) / path.relative_to(FOLDER)
            newer.parent.mkdir(parents=True, exist_ok=True)
            newer.write_text(json.dumps(resource(json.loads(text)), indent=2, sort_keys=True, ensure_ascii=False) + "\n")
        return 0
    present = {path: path.read_text() for path in FOLDER.rglob("*.json")}
    wrong = sorted(path for path in wanted.keys() | present.keys() if wanted.get(path) != present.get(path))
    if "--check" in arguments:
        for path in wrong:
            sys.stderr.write(
                f"{path.relative_to(FOLDER)} is not what dashboards/boards says: run `python -m dashboards.boards`\n"
            )
        return 1 if wrong else 0
    for path in wrong:
        if path in wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[path])
        else:
            path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`python -m dashboards.boards` writes the boards' files; with `--check` it says which are not as the code builds them."""

import sys

from dashboards.boards import FOLDER, files


def main(arguments: list[str]) -> int:
    """Write or check; returns the exit code."""
    wanted = dict(files())
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

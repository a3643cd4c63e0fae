"""Writes metrics, thresholds and settings into pages for people: `python -m streams.worker.catalogue [--check]`."""

import sys
import time
from pathlib import Path

from pydantic.fields import FieldInfo

from streams.clock import Clock
from streams.core.centre import Thresholds
from streams.settings import PREFIX, Settings
from streams.worker.exporter import PipelineCollector
from streams.worker.monitor import METRICS, Monitor
from streams.worker.pipeline import Pipeline

PROJECT = Path(__file__).parents[2]


def metrics() -> str:
    """Every metric family as a Markdown table."""
    rows = ["| metric | type | labels | what it says |", "|---|---|---|---|"]
    rows += [f"| `{m.name}` | {m.kind} | {', '.join(('city', *m.labels))} | {m.help} |" for m in METRICS]
    for family in PipelineCollector(Monitor({}), Pipeline(), Clock(), time.time).collect():
        name = family.name + ("_total" if family.type == "counter" else "")
        labels = ", ".join(getattr(family, "_labelnames", ()))
        rows.append(f"| `{name}` | {family.type} | {labels} | {family.documentation} |")
    return "\n".join(rows) + "\n"


def thresholds() -> str:
    """Every threshold of a centre's file as a Markdown table."""
    rows = ["| threshold | default | what it does |", "|---|---|---|"]
    rows += [f"| `{name}` | {field.default:,g} | {_said(field)} |" for name, field in Thresholds.model_fields.items()]
    return "\n".join(rows) + "\n"


def settings() -> str:
    """Every setting of a process as a Markdown table."""
    rows = ["| variable | unless it is set | what it says |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = f"`{field.default}`" if field.default not in (None, "") else ""
        rows.append(f"| `{PREFIX}{name.upper()}` | {default} | {_said(field)} |")
    return "\n".join(rows) + "\n"


def _said(field: FieldInfo) -> str:
    return " ".join((field.description or "").split()).replace("|", "\\|")


PARTS = [
    (PROJECT / "streams/README.md", "metrics", metrics),
    (PROJECT / "docs/operate.md", "thresholds", thresholds),
    (PROJECT / "docs/operate.md", "settings", settings),
]
"""Each page, the part of it that is written, and how."""


def main(arguments: list[str]) -> int:
    """Write the pages, or with `--check` say whether they are as written."""
    stale = []
    for path, name, table in PARTS:
        page = path.read_text()
        begin, end = f"<!-- {name}: written by `make docs` -->\n", f"<!-- end of {name} -->\n"
        head, _, rest = page.partition(begin)
        _, _, tail = rest.partition(end)
        wanted = head + begin + table() + end + tail
        if wanted != page:
            stale.append(path)
            if "--check" not in arguments:
                path.write_text(wanted)
    if "--check" in arguments and stale:
        sys.stderr.write("".join(f"{path.relative_to(PROJECT)} is not what the code says: run `make docs`\n" for path in stale))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

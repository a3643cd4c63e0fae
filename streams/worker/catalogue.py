"""Writes the metric catalogue into streams/README.md: `python -m streams.worker.catalogue [--check]`."""

import sys
import time
from pathlib import Path

from streams.clock import Clock
from streams.worker.exporter import PipelineCollector
from streams.worker.monitor import METRICS, Monitor
from streams.worker.pipeline import Pipeline

PAGE = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- metrics: written by `make docs` -->\n", "<!-- end of metrics -->\n"


def table() -> str:
    """Every metric family as a Markdown table."""
    rows = ["| metric | type | labels | what it says |", "|---|---|---|---|"]
    rows += [f"| `{m.name}` | {m.kind} | {', '.join(('city', *m.labels))} | {m.help} |" for m in METRICS]
    for family in PipelineCollector(Monitor({}), Pipeline(), Clock(), time.time).collect():
        name = family.name + ("_total" if family.type == "counter" else "")
        labels = ", ".join(getattr(family, "_labelnames", ()))
        rows.append(f"| `{name}` | {family.type} | {labels} | {family.documentation} |")
    return "\n".join(rows) + "\n"


def main(arguments: list[str]) -> int:
    """Write the page, or with `--check` say whether it is as written."""
    page = PAGE.read_text()
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    wanted = head + BEGIN + table() + END + tail
    if "--check" not in arguments:
        PAGE.write_text(wanted)
    elif wanted != page:
        sys.stderr.write("streams/README.md is not what the code says: run `make docs`\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

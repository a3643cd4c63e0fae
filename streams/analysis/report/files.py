"""A report as files: a page in each language, a CSV a subject with a dictionary of its columns, and all of it as JSON."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from streams import secret
from streams.analysis.provenance import Provenance
from streams.analysis.report.page import LANGUAGES, page
from streams.analysis.report.report import SUBJECTS, Report
from streams.analysis.report.subject import Column, Row, columns
from streams.core.centre import Centre

DICTIONARY = "METADATA.csv"
"""What every column of every table means."""


def write(report: Report, centres: Mapping[str, Centre], origin: Provenance, to: Path) -> list[str]:
    """Write all files into a folder, for their user alone; they appear when all are whole. Returns their names.

    The same report gives the same bytes. Raises `OSError`.
    """
    texts = {f"{name}.csv": table(name, rows) for name, rows in report.subjects.items()}
    texts[DICTIONARY] = dictionary(report.subjects)
    texts["report.json"] = as_json(report, origin)
    texts |= {f"{language.file}.html": page(report, centres, origin.lines(), language) for language in LANGUAGES}
    to.mkdir(mode=0o700, parents=True, exist_ok=True)
    parts = {to / name: to / f"{name}.part" for name in texts}
    try:
        for part, text in zip(parts.values(), texts.values(), strict=True):
            with open(part, "w", encoding="utf-8", newline="", opener=secret.private) as file:
                file.write(text)
        for whole, part in parts.items():
            part.replace(whole)
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)
    return [*texts]


def table(name: str, rows: Sequence[Row]) -> str:
    """A subject as CSV (RFC 4180): times in UTC, an empty cell where nothing is known."""
    return _csv([column.name for column in _columns(name)], (_cells(name, row).values() for row in rows))


def dictionary(names: Mapping[str, Any]) -> str:
    """The columns of all tables, after the metadata of variables of Satu Data (Perpres 39/2019; BPS regulation 5/2020)."""
    head = ("table", "name", "alias_id", "alias_en", "definition_id", "definition_en", "type", "unit_id", "unit_en", "nullable")
    return _csv(
        head,
        (
            (name, each.name, *each.label, *each.definition, each.type, *(each.unit or ("", "")), str(each.nullable).lower())
            for name in names
            for each in _columns(name)
        ),
    )


def as_json(report: Report, origin: Provenance) -> str:
    """Everything, with where it comes from."""
    found = report.hindsight
    whole = {
        "origin": origin.as_json(),
        "as_of": None if found.moment is None else _moment(found.moment),
        "events": dict(sorted(found.outcomes.items())) | {"put_in_their_places": found.late},
        "periods": {
            city: {"from": start.isoformat(), "until": until.isoformat()} for city, (start, until) in report.periods.items()
        },
        "subjects": {name: [_cells(name, row) for row in rows] for name, rows in report.subjects.items()},
    }
    return json.dumps(whole, ensure_ascii=False, indent=1, default=str) + "\n"


def _columns(name: str) -> list[Column]:
    return [*columns(SUBJECTS[name].row)]


def _cells(name: str, row: Row) -> dict[str, Any]:
    told = asdict(row)
    return {
        column.name: _moment(told[column.name]) if column.is_moment and told[column.name] is not None else told[column.name]
        for column in _columns(name)
    }


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def _csv(head: Sequence[str], rows: Any) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(head)
    writer.writerows(rows)
    return text.getvalue()

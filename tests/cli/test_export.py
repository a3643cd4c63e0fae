"""The verb as a person meets it."""

from pathlib import Path

import pytest

from streams.analysis.export import DICTIONARY
from streams.analysis.rows.told import TABLES
from tests.cli.test_cli import events, pantau112

__all__ = ["events"]


def test_export_says_what_it_wrote_where(events: Path, tmp_path: Path) -> None:
    said = pantau112("export", events, "--to", tmp_path / "out", "--only", "journeys,visits", "--format", "csv")

    assert (said.returncode, said.stdout) == (0, "")
    assert "2 rows in journeys.csv, 2 rows in visits.csv" in said.stderr
    assert "5 folded" in said.stderr
    assert (tmp_path / "out" / "journeys.csv").read_text().count("\n") == 3
    assert "- `events.jsonl: sha256 " in (tmp_path / "out" / DICTIONARY).read_text()


@pytest.mark.parametrize(
    ("wish", "answer"),
    [
        (["--only", "calls"], f"there is no table 'calls'; there are {', '.join(TABLES)}"),
        (["--format", "xls"], "'xls' is neither parquet nor csv"),
        (["--from", "2026-01-02T00:00+07:00", "--until", "2026-01-01T00:00+07:00"], "--until is not later than --from"),
        (["--from", "2026-01-02"], "has no zone"),
        (["--k", "5", "--only", "journeys"], "--k writes tables of its own; leave out --only"),
    ],
)
def test_a_wish_that_cannot_be_fulfilled_is_answered_before_anything_is_read(
    wish: list[str], answer: str, events: Path, tmp_path: Path
) -> None:
    said = pantau112("export", events, "--to", tmp_path / "out", *wish)

    assert said.returncode == 2
    assert answer in " ".join(said.stderr.split())
    assert not (tmp_path / "out").exists()

"""A file in OpenMetrics holds each scrape of the past, as promtool takes it, and is there whole or not at all."""

import gzip
import re
import subprocess
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import takewhile
from pathlib import Path

import pytest

from streams.analysis.backfill import scrapes
from streams.analysis.openmetrics import OpenMetrics
from streams.sources import Line
from streams.sources.simulate import story
from streams.worker.monitor import METRICS
from tests.analysis.test_backfill import BOGOR, KNOWN, LABELS, START, STEP, held, said

EVENTS = list(takewhile(lambda event: event.time < START + timedelta(hours=3), story(START, 1, [BOGOR], 953)))
MOMENTS = range(int(START.timestamp()) + STEP, int((START + timedelta(hours=3)).timestamp()), STEP)


def told() -> Iterator[Line]:
    return (Line(number, event) for number, event in enumerate(EVENTS))


def broken_off() -> Iterator[Line]:
    yield from told()
    raise OSError("broken off")


def write(to: Path, lines: Iterable[Line]) -> Path:
    with OpenMetrics(to, LABELS) as file:
        for moment, monitor in scrapes(lines, KNOWN, MOMENTS):
            file.scrape(moment, monitor)
    return to


def test_promtool_makes_blocks_of_it_that_hold_each_scrape(promtool: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"

    subprocess.run([promtool, "tsdb", "create-blocks-from", "openmetrics", write(tmp_path / "past.om", told()), data], check=True)

    assert held(promtool, data) == dict(sample for moment in MOMENTS for sample in said(EVENTS, moment))


def test_a_family_stands_together_under_its_name_and_the_file_ends_with_its_end(tmp_path: Path) -> None:
    text = write(tmp_path / "past.txt", told()).read_text()

    families = re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M)
    assert text.endswith("\n# EOF\n")
    assert text.count("# EOF") == 1
    assert len(dict(families)) == len(families) > 50
    for part in text.removesuffix("# EOF\n").split("# HELP ")[1:]:
        _, kind, *samples = part.splitlines()
        name, of = kind.split()[2:]
        ends = {"gauge": "", "counter": "_total", "histogram": "_(?:bucket|count|sum)"}[of]
        assert all(re.match(rf"{name}{ends}{{", sample) for sample in samples)


def test_every_counter_is_called_as_openmetrics_wants_it() -> None:
    assert [metric.name for metric in METRICS if (metric.kind == "counter") != metric.name.endswith("_total")] == []


def test_the_same_events_give_the_same_bytes_and_gzip_the_same_text(tmp_path: Path) -> None:
    plain, packed, again = (write(tmp_path / name, told()) for name in ("past.om", "past.om.gz", "again.om.gz"))

    assert packed.read_bytes() == again.read_bytes()
    assert gzip.decompress(packed.read_bytes()) == plain.read_bytes()


def test_what_was_not_finished_leaves_the_file_of_before(tmp_path: Path) -> None:
    file = tmp_path / "past.om"
    file.write_text("before")

    with pytest.raises(OSError, match="broken off"):
        write(file, broken_off())

    assert [path.name for path in tmp_path.iterdir()] == ["past.om"]
    assert file.read_text() == "before"

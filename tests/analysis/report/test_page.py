"""The page: it stands alone, in both languages, and says at once what got worse."""

import csv
import json
import re
from pathlib import Path

import pytest

from streams.analysis.period import named
from streams.analysis.provenance import Provenance
from streams.analysis.report.files import DICTIONARY, write
from streams.analysis.report.page import LANGUAGES, page
from streams.analysis.report.report import SUBJECTS
from streams.sources import simulate
from tests.analysis.report.builders import reported
from tests.builders import START, answered, link, offered
from tests.trial import KOTA_BOGOR

CENTRES = {KOTA_BOGOR.code: KOTA_BOGOR}
REPORT = reported(simulate.events(5, START, KOTA_BOGOR, days=2.2), by="day", period=named("2024-11-26", KOTA_BOGOR.timezone))
ORIGIN = Provenance("pantau112 report week.jsonl --in 2024-11-26", {}, version="1", state_version=1)
PAGES = {language.code: page(REPORT, CENTRES, ORIGIN.lines(), language) for language in LANGUAGES}


def test_a_page_needs_no_network_and_no_script() -> None:
    for text in PAGES.values():
        assert not re.search(r"https?:|<script|<link|<img|@import|url\(", text)


def test_each_page_is_in_its_language_and_writes_numbers_as_its_readers_do() -> None:
    [calls] = [row for row in REPORT.subjects["calls"] if row.span == "whole"]
    assert "112 Kota Bogor · Selasa, 26 November 2024" in PAGES["id"]
    assert "112 Kota Bogor · Tuesday, 26 November 2024" in PAGES["en"]
    percent = f"{100 * calls.answer_ratio:.1f}"  # type: ignore[attr-defined]
    assert f"{percent}\N{NO-BREAK SPACE}%" in PAGES["en"]
    assert percent.replace(".", ",") + "\N{NO-BREAK SPACE}%" in PAGES["id"]
    assert "panggilan masuk" in PAGES["id"]
    assert "calls offered" not in PAGES["id"]


def test_where_it_comes_from_stands_at_its_end() -> None:
    for text in PAGES.values():
        assert "pantau112 report week.jsonl --in 2024-11-26" in text.split("<footer>")[1]


def test_the_same_report_gives_the_same_bytes_and_every_column_is_explained(tmp_path: Path) -> None:
    names = write(REPORT, CENTRES, ORIGIN, tmp_path / "a")
    write(REPORT, CENTRES, ORIGIN, tmp_path / "b")

    assert {path.name for path in (tmp_path / "a").iterdir()} == {*names}
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
        assert (tmp_path / "a" / name).stat().st_mode & 0o777 == 0o600
    with (tmp_path / "a" / DICTIONARY).open(newline="") as file:
        explained = {(row["table"], row["name"]): row for row in csv.DictReader(file)}
    for name in SUBJECTS:
        with (tmp_path / "a" / f"{name}.csv").open(newline="") as file:
            for column in csv.DictReader(file).fieldnames or ():
                row = explained.pop((name, column))
                assert all(row[cell] for cell in row if not cell.startswith("unit"))
    assert not explained


def test_json_and_tables_say_the_same(tmp_path: Path) -> None:
    write(REPORT, CENTRES, ORIGIN, tmp_path)

    told = json.loads((tmp_path / "report.json").read_text())
    assert told["periods"]["32.71"] == {"from": "2024-11-26T00:00:00+07:00", "until": "2024-11-27T00:00:00+07:00"}
    for name, rows in told["subjects"].items():
        with (tmp_path / f"{name}.csv").open(newline="") as file:
            table = [*csv.DictReader(file)]
        assert [{key: "" if value is None else str(value) for key, value in row.items()} for row in rows] == table


def test_of_many_centres_all_together_stand_first_and_each_has_a_line() -> None:
    others = [KOTA_BOGOR.model_copy(update={"code": f"32.{n:02}", "name": f"Kota {n}"}) for n in range(1, 13)]
    calls = [offered("a", 0), answered("a", 5), offered("b", 50)]
    told = [event.model_copy(update={"subject": centre.code}) for centre in others for event in calls]
    report = reported(told, centres=others)

    text = page(report, {centre.code: centre for centre in others}, (), LANGUAGES[1])

    assert "112 12 centres" in text
    assert text.count("<section>") == 1
    assert "24</b>calls offered" in text
    assert all(f"<tr><td>{centre.name}</td><td>2</td>" in text for centre in others)


def test_a_table_of_many_columns_is_set_small_on_paper_and_no_line_breaks_a_number_or_a_day() -> None:
    for text in PAGES.values():
        tables = re.findall(r'<div class="wide( many)?"><table><thead>(.*?)</thead>', text, re.DOTALL)
        widths = [(head.count("<th "), bool(many)) for many, head in tables]
        assert widths
        assert all(many == (n > 12) for n, many in widths)
        assert max(widths)[0] > 14
        cells = re.findall(r'<td class="(\w+)">(.*?)</td>', text, re.DOTALL)
        assert {kind for kind, _ in cells} == {"number", "text", "moment"}
        assert not [
            said
            for kind, said in cells
            if kind == "moment" and not re.fullmatch(r"(<span>[\d:-]+</span> ){2}|<span>–</span> ", said)
        ]
        assert not [said for kind, said in cells if kind == "number" and "\n" in said]
        style = text.partition("</style>")[0]
        assert "td.number, .moment span { white-space: nowrap; }" in style
        assert ".many table { width: 100%; font-size: 5.8pt; }" in style


def test_of_many_outages_the_longest_are_on_the_page_and_it_says_where_all_are() -> None:
    changes = [
        link(kind, start + lasts)
        for start in range(0, 50_000, 1_000)
        for kind, lasts in (("down", 0), ("up", 100 + start // 100))
    ]
    report = reported([*changes, link("heartbeat", 60_000)], "outages", "notices")
    text = page(report, CENTRES, [], LANGUAGES[1])

    assert len(report.subjects["outages"]) == 50
    assert "Here are 40 of 50; all are in outages.csv." in text
    assert "Here are 10 of 50; all are in notices.csv." in text
    minutes = re.findall(r'<td class="number">([\d.]+)\N{NO-BREAK SPACE}min</td>', text)
    assert min(map(float, minutes)) == pytest.approx(200 / 60, abs=0.05)
